"""The test of hypotheses on texts that their discovery has not seen."""

import warnings
from numbers import Real

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from ._hypothesis_report import HypothesisReport
from ._inference import CORRECTIONS, check_annotations, check_target, hypothesis_table
from ._usage_table import usage_table
from ._validation import Interval, StrOptions, check_same_length, validate_params
from .exceptions import HypothesisWarning

_CALLER = "evaluate_hypotheses"


@validate_params(
    {
        "task": [StrOptions({"auto", "regression", "classification"})],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "correction": [StrOptions(set(CORRECTIONS))],
    },
    prefer_skip_nested_validation=True,
)
def evaluate_hypotheses(
    estimator, X, y, *, task="auto", alpha=0.1, correction="bonferroni"
):
    r"""Test the hypotheses of a fitted pipeline on texts held out from its fit.

    The texts are annotated once, and each hypothesis is tested alone and beside the
    others. Alone: its separation, the mean of the target where the hypothesis holds
    minus the mean where it does not,

    .. math:: S_j = \bar y_{a_j = 1} - \bar y_{a_j = 0},

    with Welch's t-test. Beside the others: its coefficient in one regression of the
    target on all annotations,

    .. math:: y_i = \beta_0 + \sum_j \beta_j a_{ij} + \varepsilon_i,

    by ordinary least squares with classical standard errors, whose p-values are
    corrected for the number of hypotheses. This is the published protocol.

    Parameters
    ----------
    estimator : HypothesisExtractor, or Pipeline that ends in one
        Fitted. A fitted search is asked for its best estimator.
    X : array-like of length n_samples
        What `estimator.transform` takes: texts for a pipeline, a text-labelled frame
        of activations for a bare extractor. The p-values hold for texts that had no
        part in finding the hypotheses.
    y : array-like of shape (n_samples,)
        The target, in its own units.
    task : {"auto", "regression", "classification"}, default="auto"
        "auto" takes the task that the extractor was fitted for.
    alpha : float, default=0.1
        Level of significance after correction: a probability for the whole family of
        hypotheses with "bonferroni" and "holm", an expected share of false
        discoveries with "fdr_bh" and "fdr_by".
    correction : {"bonferroni", "holm", "fdr_bh", "fdr_by"}, default="bonferroni"
        How the p-values of the joint regression are corrected, by the names of
        statsmodels' `multipletests`.

    Returns
    -------
    report : HypothesisReport
        The table with one row per hypothesis, and the overall figures.

    Raises
    ------
    TypeError
        If the estimator does not end in a `HypothesisExtractor`.
    NotFittedError
        If it is not fitted.
    ValueError
        If X and y differ in length; if y holds missing values, infinite ones, or
        classes that were not there in fit. y is checked before any text is
        annotated.

    Warns
    -----
    HypothesisWarning
        Names each hypothesis that cannot be tested and says why: never or always
        true, without answers, the duplicate or a linear combination of others,
        separating the classes. What cannot be computed is NaN.

    See Also
    --------
    HypothesisReport : What the columns and figures mean.

    Notes
    -----
    - Two classes are coded 0 and 1 in the order of `classes_`, so that a separation
      is a difference of proportions. Its p-value is then that of Fisher's exact
      test, which holds for rare hypotheses and perfect predictors too, and the joint
      regression is a logit with Wald tests.
    - For more classes the separation is that of the class where it is largest in
      size, its p-value that of Pearson's chi-square test of independence from all
      classes (by Monte Carlo, seeded, where an expected count is below 5), and the
      joint p-value that of a likelihood-ratio test in a multinomial logit.
    - A missing annotation is never taken for a "no". Each separation uses the rows
      with an answer to its hypothesis, the joint regression those with an answer to
      all hypotheses in it, the score out of sample all rows.
    - Of exact duplicates the first is in the joint regression and is counted. The
      correction counts the hypotheses in the joint regression and those set aside
      because they separate the classes.
    - Rows are taken to be independent. Several rows of one author or document make
      the p-values too small.

    References
    ----------
    .. [1] R. Movva, K. Peng, N. Garg, J. Kleinberg, E. Pierson (2025). "Sparse
       Autoencoders for Hypothesis Generation". arXiv 2502.04382.

    Examples
    --------
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_hypo import HypothesisExtractor, NeuronSelector
    >>> from sklearn_hypo import SparseAutoencoderTransformer, TextEmbedder
    >>> from sklearn_hypo import evaluate_hypotheses
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> texts = make_concept_texts(1000, n_concepts=4, random_state=0)
    >>> train, test, y_train, y_test = train_test_split(
    ...     texts.data, texts.target, random_state=0
    ... )
    >>> pipe = make_pipeline(
    ...     TextEmbedder(),
    ...     SparseAutoencoderTransformer(n_neurons=32, k=4, random_state=0),
    ...     NeuronSelector(n_select=4),
    ...     HypothesisExtractor(random_state=0),
    ... ).fit(train, y_train)
    >>> report = evaluate_hypotheses(pipe, test, y_test)
    >>> report.n_rows
    250
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    extractor = _extractor_of(estimator)
    task = extractor.task_ if task == "auto" else task
    classes = _known_classes(extractor, task)
    check_target(y, task, classes, caller=_CALLER)
    if hasattr(X, "__len__") and not (isinstance(X, str) or sparse.issparse(X)):
        check_same_length(X, y, caller=_CALLER)
    annotations, names = _annotate(estimator, extractor, X)
    check_same_length(annotations, y, caller=_CALLER)
    table, summary = hypothesis_table(
        annotations,
        y,
        names=names,
        task=task,
        classes=classes,
        alpha=alpha,
        correction=correction,
    )
    facts = extractor.hypotheses_
    neurons = pd.Series(facts["neuron"].to_numpy(), dtype=object)
    table.insert(0, "neuron", neurons)
    table.insert(2, "fidelity", facts["f1"].to_numpy(dtype=float))
    score = "r2_out_of_sample" if task == "regression" else "roc_auc_out_of_sample"
    summary[score] = _score_out_of_sample(extractor, annotations, y, task)
    return HypothesisReport(table=table, usage=_usage(estimator), **summary)


def _usage(estimator):
    """Collect what paid models consumed so far; None if there are none."""
    steps = getattr(estimator, "steps", None) or [("hypotheses", estimator)]
    parts = dict(steps)
    for role in ("interpreter", "annotator"):
        parts[role] = getattr(steps[-1][1], f"{role}_", None)
    # the extractor's own table is that of its fit
    parts = {role: part for role, part in parts.items() if part is not steps[-1][1]}
    table = usage_table(parts)
    return None if table.empty else table


def _extractor_of(estimator):
    """The last step of a pipeline, or the estimator itself, if it has hypotheses."""
    steps = getattr(estimator, "steps", None)
    extractor = steps[-1][1] if steps else estimator
    if not hasattr(extractor, "score_annotations"):
        raise TypeError(
            f"{_CALLER} expects a fitted HypothesisExtractor or a fitted Pipeline "
            f"that ends in one, but {type(estimator).__name__} arrived"
            + (f", which ends in {type(extractor).__name__}." if steps else ".")
        )
    check_is_fitted(extractor, "hypotheses_")
    return extractor


def _known_classes(extractor, task):
    """The classes seen in fit; None for a quantity, or if y alone can tell."""
    return getattr(extractor, "classes_", None) if task == "classification" else None


def _annotate(estimator, extractor, X):
    """Annotate the texts, once: an answer may cost money."""
    annotations = check_annotations(estimator.transform(X))[0]
    names = extractor.hypotheses_["hypothesis"].tolist()
    if len(names) != annotations.shape[1]:
        raise ValueError(
            f"{_CALLER}: transform returned {annotations.shape[1]} columns for "
            f"{len(names)} hypotheses. There must be one column per hypothesis."
        )
    return annotations, names


def _score_out_of_sample(extractor, annotations, y, task):
    """Score of the model that was fitted on the training annotations."""
    if task != extractor.task_:
        warnings.warn(
            f"No score out of sample: the extractor was fitted for {extractor.task_}, "
            f"the test is one of task={task!r}.",
            HypothesisWarning,
            stacklevel=4,
        )
        return np.nan
    if len(pd.unique(np.asarray(y))) < 2:
        return np.nan  # R² and ROC AUC are not defined; the table's warning says why
    try:
        return float(extractor.score_annotations(annotations, y))
    except ValueError as error:
        # ROC AUC of three classes, one of which is absent from these rows.
        warnings.warn(
            f"No score out of sample: {error}", HypothesisWarning, stacklevel=4
        )
        return np.nan
