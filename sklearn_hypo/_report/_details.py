"""What a report keeps beside its table: evidence to look at, data to run again."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class HypothesisDetail:
    """The evidence for one hypothesis that a reader looks at.

    `HypothesisReport.details` holds one per row of its table. What is not known, such
    as activations for annotations that were made elsewhere, is empty.

    Parameters
    ----------
    terms : tuple of str, default=()
        The n-grams of a lexicon; what to mark in the texts.
    neurons : tuple of str, default=()
        The neurons that the hypothesis describes.
    present, absent : tuple of str, default=()
        Texts of which the hypothesis is true, and texts of which it is not; the ones
        where its neuron is most active first.
    bin_edges : tuple of float, default=()
        Edges of the histogram of the neuron's positive activations, in units of the
        activation; one more than bins. Of several neurons the largest activation
        counts.
    counts_present, counts_absent : tuple of int, default=()
        Texts in each bin, of which the hypothesis is true, and of which it is not.
    n_zero : tuple of (int, int), default=(0, 0)
        Texts where the neuron is not active, which are in no bin: of which the
        hypothesis is true, and of which it is not.
    prevalence_by_target : tuple of (str, int, float), default=()
        For each class, or each range of the target: its label, the number of texts
        with an answer, and the share of them of which the hypothesis is true.
    term_shares : tuple of float, default=()
        Share of the texts that contain each term.
    term_gains : tuple of float, default=()
        What each term adds to the fidelity, where the interpreter tells it; NaN for
        those of which it does not.
    tokenizer : str, default=""
        What cuts texts into the n-grams, where that is not the same for any; see
        `Hypothesis`.

    See Also
    --------
    HypothesisReport : Holds them.
    ActivationHistogramDisplay : Draws the activations.

    Examples
    --------
    >>> from sklearn_hypo import evaluate_annotations
    >>> report = evaluate_annotations(
    ...     [[1], [1], [0], [0], [1], [0]],
    ...     [3.0, 2.5, 1.0, 0.5, 2.0, 1.5],
    ...     names=["mentions tea"],
    ...     texts=["tea", "green tea", "rain", "snow", "tea!", "sun"],
    ... )
    >>> detail = report.details[0]
    >>> detail.present
    ('tea', 'green tea', 'tea!')
    >>> detail.prevalence_by_target[0]
    ('0.5', 1, 0.0)
    """

    terms: tuple = ()
    neurons: tuple = ()
    present: tuple = ()
    absent: tuple = ()
    bin_edges: tuple = ()
    counts_present: tuple = ()
    counts_absent: tuple = ()
    n_zero: tuple = (0, 0)
    prevalence_by_target: tuple = ()
    term_shares: tuple = ()
    term_gains: tuple = ()
    tokenizer: str = ""


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """All that a test was computed from, so that it can be computed again.

    Parameters
    ----------
    annotations : ndarray of shape (n_rows, n_hypotheses)
        1, 0 or NaN; of several annotators their vote.
    names : tuple of str
        The hypotheses.
    target : ndarray of shape (n_rows,)
        As it was given.
    texts : ndarray of shape (n_rows,) and dtype object, or None
        The texts, if they were at hand.
    sample_weight, groups, fixed_effects, pairs, moderator : ndarray of shape \
            (n_rows,) or None
        As they were given.
    covariates : DataFrame of shape (n_rows, n_covariates) or None
        As they were given.
    settings : dict
        The keywords of the test, such as "alpha" and "correction".
    votes : dict of str to ndarray of shape (n_rows, n_hypotheses) or None
        Of several annotators, what each says.
    """

    annotations: np.ndarray
    names: tuple
    target: np.ndarray
    texts: np.ndarray | None = None
    sample_weight: np.ndarray | None = None
    groups: np.ndarray | None = None
    fixed_effects: np.ndarray | None = None
    pairs: np.ndarray | None = None
    covariates: pd.DataFrame | None = None
    settings: dict = field(default_factory=dict)
    votes: dict | None = None
    moderator: np.ndarray | None = None
