"""`evaluate_annotations`: the test of annotations that are at hand."""

import pandas as pd

from .._hypotheses._hypothesis import Hypothesis
from .._utils._annotation_input import check_annotations
from .._utils._validation import check_texts, validate_params
from ._annotator_tables import check_tables, split_annotators, take_vote
from ._build_report import Discovery, build_report, list_rules
from ._dependent_texts import group_near_duplicates
from ._earlier_tests import EarlierTests
from ._prepare import TEST_CONSTRAINTS, prepare_rows


@validate_params(
    TEST_CONSTRAINTS | {"embeddings": ["array-like", None]},
    prefer_skip_nested_validation=True,
)
def evaluate_annotations(
    annotations,
    y,
    *,
    names=None,
    texts=None,
    task="auto",
    target="auto",
    alpha=0.05,
    correction="step-down",
    sample_weight=None,
    groups=None,
    covariates=None,
    fixed_effects=None,
    pairs=None,
    moderator=None,
    cov_type="auto",
    n_permutations="auto",
    previous=None,
    n_resamples=999,
    embeddings=None,
    ngrams=True,
    near_duplicates="auto",
    notes=(),
    random_state=0,
):
    """Test annotations that are at hand: made by people, or by another program.

    What `evaluate_hypotheses` does after the texts are annotated, by the same rules.

    Parameters
    ----------
    annotations : DataFrame or array-like of shape (n_samples, n_hypotheses), or of \
            several annotators
        1 where a hypothesis holds, 0 where it does not, NaN without an answer. Of two
        or more annotators (people, models, prompts) that judged the same texts: a dict
        from their names to such tables, a DataFrame whose columns have two levels,
        (hypothesis, annotator) or, with a level named "annotator", in either order, or
        an array of shape (n_samples, n_hypotheses, n_annotators). See Notes.
    y : array-like of shape (n_samples,)
        The target, in its own units.
    names : sequence of str or Hypothesis of length n_hypotheses, default=None
        The hypotheses. None: the columns of the frame. Of a `Hypothesis`, such as a
        category that `read_dictionary` read, the report has name and terms, too.
    texts : sequence of str of length n_samples, default=None
        The texts, to be shown, hashed and searched for near-duplicates.
    task : {"auto", "regression", "classification"}, default="auto"
        With "auto", booleans, strings, categoricals and targets of two distinct
        values are classes; any other numeric target is a quantity.
    target : {"auto", "quantity", "count", "ordinal"}, default="auto"
        What kind of numbers a target is that is no class; as in `evaluate_hypotheses`.
        Named, and with ``task="auto"``, y is taken as numbers in any case.
    alpha : float, default=0.05
        Level of significance after correction.
    correction : {"step-down", "holm", "bonferroni", "fdr_bh", "fdr_by"}, \
            default="step-down"
        How p-values are corrected, as in `evaluate_hypotheses`.
    sample_weight, groups, covariates, fixed_effects, pairs : array-like, default=None
        By row, as in `evaluate_hypotheses`.
    moderator : array-like of shape (n_samples,), default=None
        Groups in which each hypothesis is looked at by itself, as in
        `evaluate_hypotheses`.
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}, default="auto"
        As in `evaluate_hypotheses`.
    n_permutations : int or "auto", default="auto"
        Permutations of the tests, as in `evaluate_hypotheses`.
    previous : HypothesisReport or list of HypothesisReport, default=None
        Reports made before on the same rows, whose tests count too; as in
        `evaluate_hypotheses`.
    n_resamples : int, default=999
        Bootstrap resamples and permutations. 0: neither.
    embeddings : array-like of shape (n_samples, n_features), default=None
        What a dense model would predict from, for comparison.
    ngrams : bool, default=True
        Whether to show what as many n-grams predict, if texts are given; as in
        `evaluate_hypotheses`.
    near_duplicates : {"auto", "group", "ignore"}, default="auto"
        What to do about texts that are equal or nearly equal to others, if texts are
        given; as in `evaluate_hypotheses`.
    notes : sequence of str, default=()
        What a reader should know of the data, such as `LabelledTexts.notes`: one
        sentence each. Kept in the provenance of the report, and shown on its page.
    random_state : int, default=0
        Seeds folds, bootstrap and permutations.

    Returns
    -------
    report : HypothesisReport
        The table with one row per hypothesis, and the overall figures.

    Raises
    ------
    ValueError
        For annotations other than 1, 0 and NaN, lengths that differ, annotators that
        did not judge the same texts and hypotheses, and whatever `evaluate_hypotheses`
        refuses.

    See Also
    --------
    evaluate_hypotheses : Annotates, then tests.
    compare_annotators : Has several annotators annotate, and tests each.
    MajorityAnnotator.collect_votes : What each member of a vote says.

    Notes
    -----
    **Several annotators.** The report is one on their vote: what most of those who
    answered say, and where they are tied, the first of them; of two annotators that is
    the first. Each one's annotations are tested by themselves, too: the table
    `by_annotator` of the report. To the variance W of an estimate of the vote
    (recovered from its interval, which keeps its shape [1]_) the variance B of the
    estimates over the m annotators is added,

    .. math:: T = W + B / m

    (W + B for two, between whom there is no vote), and compared with a t distribution
    of :math:`(m - 1) (1 + m W / B)^2` degrees of freedom [2]_: intervals get wider and
    p-values, which go by normal scores, larger. In simulations such intervals hold the
    true effect as often as they should where three or more annotators err
    independently, while those of one annotator do not, the less the more texts there
    are [3]_; see `docs/benchmarks/annotators.md`. No number of annotators tells of
    errors that all share: `correct_for_annotation_error` takes labels of people.

    A step-down correction goes by permutations of one set of annotations; with several
    all p-values get Holm's in its place. Shares of votes are not enough: they do not
    tell which annotator said what, and so not how far conclusions move.

    References
    ----------
    .. [1] G. Y. Zou, A. Donner (2008). "Construction of confidence limits about effect
       measures: a general approach". Statistics in Medicine 27.
    .. [2] F. E. Satterthwaite (1946). "An approximate distribution of estimates of
       variance components". Biometrics Bulletin 2.
    .. [3] S. Messing (2026). "Hidden Measurement Error in LLM Pipelines Distorts
       Annotation, Evaluation, and Benchmarking". arXiv 2604.11581. That findings
       change with the annotator: J. Baumann et al. (2025). "Large Language Model
       Hacking". arXiv 2509.08825.

    Examples
    --------
    Ten texts by each of 60 authors, whose opinions differ. Rows of one author are
    no independent evidence:

    >>> import numpy as np
    >>> from sklearn_hypo import evaluate_annotations
    >>> rng = np.random.default_rng(0)
    >>> author = np.repeat(np.arange(60), 10)
    >>> annotations = rng.integers(0, 2, size=(600, 2))
    >>> y = annotations @ [0.5, 0] + rng.normal(size=60)[author] + rng.normal(size=600)
    >>> report = evaluate_annotations(
    ...     annotations, y, names=["mentions tea", "is long"], groups=author
    ... )
    >>> report.table[["hypothesis", "coef", "p_corrected", "significant"]].round(3)
         hypothesis   coef  p_corrected  significant
    0  mentions tea  0.461        0.002         True
    1       is long -0.166        0.128        False

    Three models annotated, one of them carelessly. What they differ widens intervals:

    >>> share = np.array([0.02, 0.05, 0.25])[:, None, None]  # of wrong answers
    >>> wrong = rng.random((3, 600, 2)) < share
    >>> votes = np.where(wrong, 1 - annotations, annotations)
    >>> report = evaluate_annotations(
    ...     dict(zip("abc", votes)), y, names=["mentions tea", "is long"]
    ... )
    >>> report.by_annotator[["hypothesis", "annotator", "coef", "significant"]].round(2)
         hypothesis annotator  coef  significant
    0  mentions tea         a  0.43         True
    1  mentions tea         b  0.40         True
    2  mentions tea         c  0.28         True
    3       is long         a -0.05        False
    4       is long         b -0.17        False
    5       is long         c -0.07        False
    >>> report.table[["coef", "coef_lower", "coef_upper", "naive_lower"]].round(2)
       coef  coef_lower  coef_upper  naive_lower
    0  0.45        0.21        0.69         0.23
    1 -0.14       -0.37        0.09        -0.36
    """
    rules = None if names is None or isinstance(names, str) else _list_given(names)
    if rules:
        names = [h.statement for h in rules]
    tables, votes = split_annotators(annotations, caller="evaluate_annotations"), None
    if tables is None:
        values, names = check_annotations(annotations, names)
        tables = {"annotations": annotations}
    else:
        votes, names = check_tables(tables, names, caller="evaluate_annotations")
        values = take_vote(votes)
    if texts is not None:
        texts = check_texts(texts, caller="evaluate_annotations")
    rows = prepare_rows(
        y,
        {
            "sample_weight": sample_weight,
            "groups": groups,
            "covariates": covariates,
            "fixed_effects": fixed_effects,
            "pairs": pairs,
            "moderator": moderator,
        },
        tables | ({} if texts is None else {"texts": texts}),
        task=task,
        target=target,
        embeddings=embeddings,
        caller="evaluate_annotations",
    )
    rows, alike = group_near_duplicates(
        rows, texts, near_duplicates, caller="evaluate_annotations"
    )
    return build_report(
        values,
        names,
        rows,
        {
            "alpha": alpha,
            "correction": correction,
            "cov_type": cov_type,
            "n_permutations": n_permutations,
            "n_resamples": n_resamples,
            "ngrams": ngrams,
            "random_state": random_state,
        },
        texts=texts,
        discovery=_describe(rules) if rules else Discovery(),
        tested_before=EarlierTests.of(previous, rows.target),
        near_duplicates=alike,
        notes=notes,
        votes=votes,
    )


def _list_given(names):
    """Return the hypotheses, if any of the names is one."""
    names = list(names)
    if not any(isinstance(name, Hypothesis) for name in names):
        return None
    return [
        name if isinstance(name, Hypothesis) else Hypothesis(str(name))
        for name in names
    ]


def _describe(hypotheses):
    """What is known of hypotheses that were given."""
    columns = list_rules(hypotheses)
    if any(h.neurons for h in hypotheses):
        neurons = [h.neuron for h in hypotheses]
        columns["neuron"] = pd.Series(neurons, dtype=object)
    evidence = {
        "terms": [h.terms for h in hypotheses],
        "tokenizers": [h.tokenizer for h in hypotheses],
        "neurons": [h.neurons for h in hypotheses],
    }
    return Discovery(columns=columns, evidence=evidence)
