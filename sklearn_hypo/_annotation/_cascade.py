"""`CascadeAnnotator`: a cheap annotator for all cells, a dear one for the doubtful."""

import math
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from .._hypotheses._hypothesis import as_hypotheses
from .._language_models._ledger import CostEstimate, add_estimates
from .._utils._validation import HasMethods, Interval, check_texts
from .._utils._warnings import warn
from ._calibration import draw_calibration_rows
from ._cells import annotate_cells, check_cells, make_twin
from ._doubt import (
    choose_cells,
    draw_numbers,
    find_bands,
    measure_doubt_of_scores,
    measure_doubt_of_votes,
    tabulate_checks,
)
from ._majority import take_majority
from ._members import (
    check_keys,
    check_members,
    fit_twins,
    sum_estimates,
    sum_usage,
)

# Training texts that tell which margins are small. A paid annotator is asked about
# them for every statement that is tried.
_MOST_SCORED = 200

# Of the doubtful cells, the share left from which a warning is due: bands come from
# other texts, and never hold exactly as many cells.
_WARN_ABOVE = 0.2


class CascadeAnnotator(BaseEstimator):
    r"""Have a cheap annotator judge all cells, and a dear one those in doubt.

    Where the doubt comes from:

    - One cheap annotator with scores (`decision_function`: `EmbeddingAnnotator`,
      `CrossEncoderAnnotator`, an `LLMAnnotator` that reads probabilities): a score near
      its threshold. How near, is found on training texts, for each hypothesis: within
      the nearest `max_share` of them.
    - Several cheap annotators: they disagree, or one has no answer.

    The dear one is also asked about a random `check_share` of the confident cells.
    How often it differs there says how wrong the others may be.

    Parameters
    ----------
    cheap : Annotator or list of Annotator
        One with scores, or two or more: different models, or one asked in different
        ways.
    dear : Annotator
        Whose answer counts.
    max_share : float, default=0.3
        Largest share of the cells of one call that the dear one is asked about, checks
        included; of few cells rounded up. Beyond it, the most doubtful come first.
    check_share : float, default=0.02
        Share of the confident cells that are checked. 0: nothing is known of them.
    confidence : float, default=0.95
        Of the upper bound in `checks_`.
    check_seed : int, default=0
        Which cells are checked, and which training texts scored, depends on it, the
        text and the statement alone, so that folds and processes share their answers.

    Attributes
    ----------
    checks_ : DataFrame
        Of the last texts annotated, one row per hypothesis, and one for "all":
        "hypothesis"; "cells"; "doubtful" ones; "asked" of the dear annotator, and
        "share_asked"; "left", doubtful ones that `max_share` did not allow; "checked",
        confident ones that were asked at random (of equal texts one); "differ", those
        of them that the dear one answered otherwise; "rate" of these; "rate_upper",
        the upper bound of that rate (Clopper and Pearson, one-sided): 1 where nothing
        was checked.
    cheap_, dear_ : list of Annotator, Annotator
        Fitted.
    hypotheses_ : list of Hypothesis
        What is looked for.
    bands_ : ndarray of shape (n_hypotheses,) or None
        How far from its threshold a score is still in doubt; None with several cheap
        annotators.
    usage_ : dict
        The accounts of all, added up; there is none if no one keeps one.

    See Also
    --------
    MajorityAnnotator : The votes of several about every cell.
    ScoredAnnotator : What a cheap annotator has to offer.

    Notes
    -----
    A cascade repairs what it has doubts about. Errors of a single annotator that are
    unknown to its score stay: of errors in 10 % of cells at random, asking about 30 %
    of cells finds 3 %. Annotators that err independently tell each other: two that
    err in 10 % disagree on 18 %, and share errors on 1 %; three are not of one mind on
    27 %, and share errors on 0.1 %. Errors that they have in common stay, and show in
    "rate".

    "rate" is that of the confident cells that were not in doubt, in the texts that
    were annotated, with the dear annotator as the truth. The answers of the dear one
    replace all others, those found by checking included. A doubtful cell without an
    answer from it is NaN; one that `max_share` leaves has the majority of the cheap
    ones, at a tie the answer of the first.

    References
    ----------
    Chen, Zaharia and Zou 2023, "FrugalGPT" (arXiv 2305.05176), for cascades;
    Clopper and Pearson 1934, Biometrika 26, for the bound.

    Examples
    --------
    Both kinds of model are functions here. Two cheap ones differ on one text of four:

    >>> import json
    >>> from sklearn_hypo import CascadeAnnotator, LLMAnnotator
    >>> def make_model(*words):
    ...     def model(prompt):
    ...         question = json.loads(prompt.rpartition("\n\n")[2])
    ...         text = question["text"].lower()
    ...         return "yes" if any(word in text for word in words) else "no"
    ...     return LLMAnnotator(model, cache=None)
    >>> annotator = CascadeAnnotator(
    ...     [make_model("thank"), make_model("thank", "!")],
    ...     make_model("thank", "grateful"), check_share=0,
    ... ).fit([], ["expresses thanks"])
    >>> annotator.annotate(["Thank you!", "no!", "thanks", "tired"]).ravel()
    array([1., 0., 1., 0.])
    >>> annotator.dear_.usage_["calls"]
    1
    """

    _parameter_constraints = {
        "cheap": [list, tuple, HasMethods(["fit", "annotate", "get_params"])],
        "dear": [HasMethods(["fit", "annotate", "get_params"])],
        "max_share": [Interval(Real, 0, 1, closed="right")],
        "check_share": [Interval(Real, 0, 1, closed="left")],
        "confidence": [Interval(Real, 0.5, 1, closed="left")],
        "check_seed": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        cheap,
        dear,
        *,
        max_share=0.3,
        check_share=0.02,
        confidence=0.95,
        check_seed=0,
    ):
        self.cheap = cheap
        self.dear = dear
        self.max_share = max_share
        self.check_share = check_share
        self.confidence = confidence
        self.check_seed = check_seed

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        """Fit all annotators, and find which scores are in doubt.

        A single cheap annotator scores up to 200 of the training texts, which an
        `LLMAnnotator` may have asked about for its thresholds; the dear one is not
        asked.

        Parameters
        ----------
        texts : sequence of str of length n_texts
            The training texts.
        hypotheses : sequence of Hypothesis or str
            What to look for.
        activations : ndarray of shape (n_texts, n_hypotheses), default=None
            Of the neurons described; some annotators need them.
        random_state : RandomState, default=None
            Each annotator gets one of its own, drawn from it.

        Returns
        -------
        self : CascadeAnnotator
            Ready to annotate.

        Raises
        ------
        ValueError
            For a single cheap annotator without scores, or without training texts to
            score; for `check_share` above `max_share`; and whatever an annotator
            refuses.
        TypeError
            If one of the cheap ones is no annotator.

        Warns
        -----
        HypothesisWarning
            Where a single cheap annotator cannot tell a hypothesis at all.
        """
        cheap = self._check()
        hypotheses = as_hypotheses(hypotheses, caller=type(self).__name__)
        *self.cheap_, self.dear_ = fit_twins(
            [*cheap, self.dear], texts, hypotheses, activations, random_state
        )
        self.hypotheses_ = hypotheses
        self.bands_ = None
        if len(cheap) == 1 and hypotheses:
            self.bands_ = self._find_bands(texts)
        return self

    def _check(self):
        """Check the parameters; return the cheap annotators as a list."""
        self._validate_params()
        name = type(self).__name__
        cheap = self.cheap
        cheap = list(cheap) if isinstance(cheap, list | tuple) else [cheap]
        check_members([*cheap, self.dear], name="cheap", caller=name)
        if not cheap or (
            len(cheap) == 1 and not hasattr(cheap[0], "decision_function")
        ):
            kind = type(cheap[0]).__name__ if cheap else "nothing"
            raise ValueError(
                f"{name}: cheap={kind} alone does not tell where it is in doubt. Give "
                "one with scores (EmbeddingAnnotator, CrossEncoderAnnotator, a model "
                "whose probabilities are read), or a list of two or more, which are "
                "in doubt where they disagree."
            )
        if self.check_share > self.max_share:
            raise ValueError(
                f"{name}: check_share={self.check_share:g} is more than "
                f"max_share={self.max_share:g}, in which it is included."
            )
        return cheap

    def _find_bands(self, texts):
        texts = check_texts(texts, caller=type(self).__name__)
        rows = draw_calibration_rows(texts, self.check_seed, _MOST_SCORED)
        margins = self.cheap_[0].decision_function(texts[rows])
        hopeless = ~np.isfinite(margins).any(axis=0)
        if hopeless.any():
            named = [repr(str(self.hypotheses_[j])) for j in np.flatnonzero(hopeless)]
            warn(
                f"{type(self).__name__}: the scores of {type(self.cheap_[0]).__name__} "
                f"say nothing about {', '.join(named)}: it is never in doubt there, "
                "and the dear annotator is asked about random checks only."
            )
        # what is checked is not there for the doubtful
        share = self.max_share - self.check_share * (1 - self.max_share)
        return find_bands(margins, share)

    def annotate(self, texts):
        """Annotate texts.

        Parameters
        ----------
        texts : sequence of str
            Any texts.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            1.0, 0.0, or NaN where the dear annotator had no answer.

        Warns
        -----
        HypothesisWarning
            If more than a fifth of the doubtful cells are left because of
            `max_share`.
        """
        return self.annotate_cells(texts)

    def annotate_cells(self, texts, where=None):
        """Annotate some cells of the table of texts and hypotheses.

        Parameters
        ----------
        texts : sequence of str
            Any texts.
        where : ndarray of bool of shape (n_texts, n_hypotheses), default=None
            Which cells to annotate. None: all.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            As `annotate` returns them; NaN also where `where` is False.
        """
        check_is_fitted(self, "dear_")
        texts = check_texts(texts, caller=type(self).__name__, may_be_empty=True)
        where = check_cells(where, texts, self.hypotheses_)
        if where is None:
            where = np.ones((len(texts), len(self.hypotheses_)), dtype=bool)
        statements = [h.statement for h in self.hypotheses_]
        annotations, doubt = self._ask_cheap(texts, where)
        doubt = np.where(where, doubt, np.nan)
        asked, checked = choose_cells(
            doubt,
            draw_numbers(texts, statements, self.check_seed),
            max_share=self.max_share,
            check_share=self.check_share,
        )
        answers = annotate_cells(self.dear_, texts, asked | checked)
        answered = checked & ~np.isnan(answers)
        is_first = ~pd.Index(texts, dtype=object).duplicated()
        self.checks_ = tabulate_checks(
            statements,
            doubt,
            asked,
            checked,
            # NaN where nothing can be compared; equal texts count once
            np.where(answered & is_first[:, None], answers != annotations, np.nan),
            self.confidence,
        )
        self._warn_of_left()
        return np.where(asked | answered, answers, annotations)

    def _warn_of_left(self):
        left, doubtful = self.checks_[["left", "doubtful"]].iloc[-1]
        if left > _WARN_ABOVE * doubtful:
            warn(
                f"{type(self).__name__}: {left} of {doubtful} doubtful cells were not "
                f"put to the dear annotator, because of max_share={self.max_share:g}. "
                "Raise it, or take cheap annotators that agree more often."
            )

    def _ask_cheap(self, texts, where):
        """Return the answers of the cheap annotators, and how doubtful they are."""
        if self.bands_ is not None:
            margins = self.cheap_[0].decision_function(texts, where)
            annotations = np.where(np.isnan(margins), np.nan, margins >= 0)
            return annotations, measure_doubt_of_scores(margins, self.bands_)
        votes = np.array([annotate_cells(each, texts, where) for each in self.cheap_])
        annotations = take_majority(votes, 1)
        tied = np.isnan(annotations)
        annotations[tied] = votes[0][tied]
        return annotations, measure_doubt_of_votes(votes)

    def estimate_cost(self, texts, hypotheses=None):
        """Estimate what annotating will cost at most.

        Parameters
        ----------
        texts, hypotheses : objects
            As in `LLMAnnotator.estimate_cost`.

        Returns
        -------
        estimate : CostEstimate
            The cheap annotators for all cells, and `max_share` of what the dear one
            would need for all of them.
        """
        cheap = self._check()
        dear = self.dear
        if hypotheses is None:
            check_is_fitted(self, "dear_")
            cheap, dear = self.cheap_, self.dear_
        whole = sum_estimates([dear], texts, hypotheses)
        part = [math.ceil(each * self.max_share) for each in whole[:-1]]
        parts = [
            sum_estimates(cheap, texts, hypotheses),
            CostEstimate(*part, whole.cost * self.max_share),
        ]
        return add_estimates(parts)

    @property
    def usage_(self):
        """The accounts of all annotators, added up."""
        return sum_usage(self._fitted())

    def _fitted(self):
        return [*self.cheap_, self.dear_] if hasattr(self, "dear_") else []

    def twin(self):
        """Return an unfitted clone whose annotators share accounts, caps and answers.

        Returns
        -------
        twin : CascadeAnnotator
            What it spends is spent by both.
        """
        twin = clone(self)
        several = isinstance(self.cheap, list | tuple)
        twin.cheap = (
            [make_twin(each) for each in self.cheap]
            if several
            else make_twin(self.cheap)
        )
        twin.dear = make_twin(self.dear)
        return twin

    def check_key(self):
        """Raise if one of them can make no call, before others are paid for."""
        check_keys([*self._check(), self.dear])
