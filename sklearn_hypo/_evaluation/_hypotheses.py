"""The test of hypotheses on texts that their discovery has not seen."""

from dataclasses import replace

import numpy as np
import pandas as pd

from .._embedding._text_embedder import TextEmbedder
from .._inference._overall import predict_by_ngrams
from .._language_models._usage_table import make_usage_table
from .._utils._annotation_input import check_annotations, check_target
from .._utils._frames import get_texts, has_texts
from .._utils._steps import (
    count_fits_of_neurons,
    find_best_estimator,
    find_extractor,
    list_steps,
)
from .._utils._target_scale import scale_target
from .._utils._validation import (
    StrOptions,
    check_same_length,
    check_texts,
    validate_params,
)
from .._utils._warnings import warn
from ._build_report import Discovery, build_report, list_rules
from ._dependent_texts import find_training_texts, group_near_duplicates
from ._earlier_tests import EarlierTests
from ._prepare import TEST_CONSTRAINTS, prepare_rows
from ._signs import TrainingEffects

_CALLER = "evaluate_hypotheses"


@validate_params(
    TEST_CONSTRAINTS
    | {
        "embeddings": [StrOptions({"auto"}), "array-like", None],
        "training": [tuple, list, None],
    },
    prefer_skip_nested_validation=True,
)
def evaluate_hypotheses(
    estimator,
    X,
    y,
    *,
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
    embeddings="auto",
    ngrams=True,
    training=None,
    near_duplicates="auto",
    notes=(),
    random_state=0,
):
    r"""Test the hypotheses of a fitted pipeline on texts held out from its fit.

    The texts are annotated once, and each hypothesis is tested alone and beside the
    others. Alone: its separation, the mean of the target where the hypothesis holds
    minus the mean where it does not,

    .. math:: S_j = \bar y_{a_j = 1} - \bar y_{a_j = 0},

    with Welch's t-test. Beside the others: its coefficient in one regression of the
    target on all annotations,

    .. math:: y_i = \beta_0 + \sum_j \beta_j a_{ij} + \gamma' z_i + \varepsilon_i.

    Both families of p-values are corrected for the number of hypotheses.

    Parameters
    ----------
    estimator : HypothesisExtractor, or Pipeline that ends in one
        Fitted. A fitted search is asked for its best estimator.
    X : array-like of length n_samples
        What `estimator.transform` takes: texts for a pipeline, a text-labelled frame
        of activations for a bare extractor. The p-values hold for texts that had no
        part in finding the hypotheses; what the model predicts is scored on these
        alone.
    y : array-like of shape (n_samples,)
        The target, in its own units.
    task : {"auto", "regression", "classification"}, default="auto"
        "auto" takes the task that the extractor was fitted for.
    target : {"auto", "quantity", "count", "ordinal"}, default="auto"
        What kind of numbers a target is that is no class. Hypotheses are tested by
        differences of means in any case. "count", for counts of attention such as
        votes, adds rate ratios to the table. "auto": counts are whole, none is
        negative, a tenth or more of them are 0, their variance is more than twice their
        mean, and the largest is more than ten times the median (at least 1); stars,
        Likert scales and answers from 0 to 10 are none. The report says so.
        "ordinal", for up to 20 ordered levels such as stars, adds cumulative odds
        ratios of a logit that takes odds to be proportional; never automatic.
    alpha : float, default=0.05
        Level of significance after correction: a probability for the whole family of
        hypotheses with "step-down", "holm" and "bonferroni", an expected share of false
        discoveries with "fdr_bh" and "fdr_by".
    correction : {"step-down", "holm", "bonferroni", "fdr_bh", "fdr_by"}
        How p-values are corrected. The default (Westfall and Young 1993) takes the
        largest of all statistics in each permutation, so that dependence and skew
        count as they are; where nothing can be permuted it is Holm's. The others are
        those of statsmodels' `multipletests`.
    sample_weight : array-like of shape (n_samples,), default=None
        Positive sampling weights. Standard errors are then robust ones.
    groups : array-like of shape (n_samples,), default=None
        What makes rows dependent: their author, document or test. Standard errors,
        tests, folds, bootstrap and permutations then go by groups.
    covariates : DataFrame or array-like of shape (n_samples, n_columns), default=None
        Held constant in the joint regression, and reported apart. Categories become
        indicators.
    fixed_effects : array-like of shape (n_samples,), default=None
        One level per row, such as a year: the joint regression compares rows within
        levels.
    pairs : array-like of shape (n_samples,), default=None
        Number of the pair that a row belongs to, each twice. The target says which
        member won (two classes), or is a quantity; tests are made on the differences
        within pairs, -1, 0 or 1. See `make_pairs`.
    moderator : array-like of shape (n_samples,), default=None
        Groups that matter, such as platforms: labels of 2 to 20 levels. Does a
        hypothesis hold alike in all of them? One test per hypothesis, corrected for
        their number, and an estimate in each level: see `HypothesisReport.by_moderator`
        and `ModeratorDisplay`.
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}, default="auto"
        How estimates are judged. "auto": quantities by permutations of estimates over
        their standard errors, from which p-values and intervals are read (the larger
        of the pooled and the HC2 variance; with groups by t tests with CR2, corrected
        by random signs of groups); classes by likelihood ratios, with the errors of
        the model. A kind that is named gives t tests with such errors, and nothing is
        permuted; with groups they are clustered: CR2 for quantities, CR3 with "HC3".
    n_permutations : int or "auto", default="auto"
        Permutations of the tests, at least 19. "auto": 999, and up to 9,999 where a
        corrected p-value is within three of its Monte Carlo errors of `alpha`. The
        smallest p-value is 1 / (n_permutations + 1).
    previous : HypothesisReport or list of HypothesisReport, default=None
        Reports made before on the same rows. What was tested there and is not tested
        here counts in the correction, and the change is recorded: hypotheses that
        were dropped or reworded, and those tested anew with other annotations,
        covariates, levels, weights, groups, pairs, task or `cov_type` (told by
        fingerprints in ``report.provenance["tests"]``). The same test made again
        counts once. Reports without fingerprints, of older versions, count by the
        names of their hypotheses.
    n_resamples : int, default=999
        Bootstrap resamples for the intervals of the overall figures, and permutations
        for the p-value of all hypotheses together. 0: neither.
    embeddings : "auto", None or array-like (n_samples, n_features), default="auto"
        What a dense model would predict from, for comparison. "auto": what the
        pipeline's own `TextEmbedder` makes.
    ngrams : bool, default=True
        Whether to show what as many words and pairs of words predict as there are
        hypotheses: picked by the lasso, fitted and scored on the tested rows by
        cross-fitting.
    training : tuple (X, y) or None, default=None
        The texts that the hypotheses were found in, and their target. Then the same
        number of n-grams is also picked and fitted there and scored on the tested
        texts, as the hypotheses are: the neighbour of the figure out of sample.
    near_duplicates : {"auto", "group", "ignore"}, default="auto"
        What to do about texts that are equal or nearly equal to others, such as
        re-posts and templates, as `find_near_duplicates` finds them: they are no
        independent evidence. "auto": if they were copies and variances grew by more
        than 5 % (the sum of squared sizes of the groups over the number of rows), rows
        are tested in these groups, as by `groups`, with a warning; else the report
        counts them. "group": tested in groups in any case. "ignore": not looked for.
        Given `groups` and `pairs` stay whole: groups that share a text are joined.
    notes : sequence of str, default=()
        What a reader should know of the data, such as `LabelledTexts.notes`: one
        sentence each. Kept in the provenance of the report, and shown on its page.
    random_state : int, default=0
        Seeds folds, bootstrap and permutations.

    Returns
    -------
    report : HypothesisReport
        The table with one row per hypothesis, the overall figures, the evidence.

    Raises
    ------
    TypeError
        If the estimator does not end in a `HypothesisExtractor`.
    NotFittedError
        If it is not fitted.
    ValueError
        If X and y differ in length; if y holds missing values, infinite ones, or
        classes that were not there in fit; for weights, groups, covariates, levels
        and pairs that do not fit the rows. All is checked before any text is
        annotated.

    Warns
    -----
    HypothesisWarning
        Names each hypothesis that cannot be tested and says why: never or always
        true, without answers, the duplicate or a linear combination of others. What
        cannot be computed is NaN. Also for texts that the hypotheses were found in
        (their number is `report.n_training_texts`), and where equal texts become
        groups.

    See Also
    --------
    evaluate_annotations : The same for annotations at hand.
    HypothesisReport : What the columns and figures mean.

    Notes
    -----
    - t statistics of robust and clustered errors are compared with t distributions
      whose degrees of freedom count the rows (groups) that a coefficient rests on, by
      Satterthwaite's approximation: for rare hypotheses they are few.
    - Two classes are coded 0 and 1 in the order of `classes_`, so that a separation
      is a difference of proportions, with Newcombe's interval and Fisher's exact
      test. The joint regression is a logit; its p-values are those of penalized
      likelihood-ratio tests, which keep their level for rare classes and find perfect
      predictors. Where annotations separate the classes, coefficients are Firth's.
      With groups or weights the likelihood ratios are divided by design effects.
    - For more classes the separation is that of the class where it is largest in
      size, its p-value that of Pearson's chi-square test of independence from all
      classes (by enumeration where an expected count is below 5), and the
      joint p-value that of a penalized likelihood-ratio test in a multinomial logit;
      the interval beside it is that of a class picked because it is the largest, and
      covers less than 95 % of the time. Effects on each class
      are in `report.by_class`.
    - A missing annotation is never taken for a "no". Each separation uses the rows
      with an answer to its hypothesis, the joint regression those with an answer to
      all hypotheses in it, the score out of sample all rows.
    - Of exact duplicates the first is in the joint regression and is counted. The
      correction counts every hypothesis that could be tested, significant or not.
    - The protocol of the paper is ``alpha=0.1, correction="bonferroni",
      cov_type="nonrobust"``.

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
    estimator = find_best_estimator(estimator)
    extractor = find_extractor(estimator, caller=_CALLER)
    task = extractor.task_ if task == "auto" else task
    is_of_fit = task == extractor.task_
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
        {"X": X},
        task=task,
        target=target,
        classes=getattr(extractor, "classes_", None) if is_of_fit else None,
        embeddings=embeddings,
        caller=_CALLER,
    )
    scale = getattr(extractor, "target_scale_", None) if is_of_fit else None
    training = _check_training(training, task, rows.classes, scale)
    tested_before = EarlierTests.of(previous, rows.target)
    if not is_of_fit:
        warn(
            f"No score out of sample: the extractor was fitted for {extractor.task_}, "
            f"the test is one of task={task!r}."
        )
    frame, dense = reach_extractor(estimator, X, rows.embeddings)
    annotated = extractor.transform(frame)
    facts = extractor.hypotheses_
    values, names = check_annotations(annotated, facts["hypothesis"].tolist())
    check_same_length(values, y, caller=_CALLER)
    texts = np.asarray(get_texts(annotated, caller=_CALLER), dtype=object)
    is_known = find_training_texts(extractor, texts, caller=_CALLER)
    rows, alike = group_near_duplicates(rows, texts, near_duplicates, caller=_CALLER)
    return build_report(
        values,
        names,
        replace(rows, embeddings=dense),
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
        discovery=Discovery(
            estimator=estimator,
            columns={
                "neuron": pd.Series(facts["neuron"].to_numpy(), dtype=object),
                "fidelity": facts["f1"].to_numpy(dtype=float),
                **list_rules(getattr(extractor, "_hypotheses", [])),
                **_describe_fits(estimator, extractor),
                **_describe_annotation(extractor, names),
            },
            evidence=_collect_evidence(extractor, frame),
            predictions=extractor.predict_annotations(values) if is_of_fit else None,
            ngram_predictions=_predict_by_ngrams(
                training, texts, rows.classes, len(names)
            ),
            target_scale=scale,
            usage=_collect_usage(estimator),
            effects=_collect_effects(extractor) if is_of_fit else None,
            skipped_neurons=_list_skipped(extractor),
            is_known=is_known,
        ),
        tested_before=tested_before,
        near_duplicates=alike,
        notes=notes,
        votes=_collect_votes(extractor, values),
    )


def _check_training(training, task, classes, scale):
    """Return texts and encoded target of the training rows; None without any."""
    if training is None:
        return None
    if len(training) != 2:
        raise ValueError(
            f"{_CALLER}: training must be the two things (X, y) that the pipeline was "
            f"fitted on, but {len(training)} arrived."
        )
    X, y = training
    texts = get_texts(X, caller=_CALLER) if has_texts(X) else X
    texts = check_texts(texts, caller=_CALLER)
    _, codes, _ = check_target(y, task, classes, caller=_CALLER)
    check_same_length(texts, codes, caller=_CALLER)
    if classes is not None and len(np.unique(codes)) < 2:
        raise ValueError(
            f"{_CALLER}: training holds one class only. Pass the texts and the target "
            "that the pipeline was fitted on."
        )
    return texts, scale_target(codes, scale, caller=_CALLER)


def _predict_by_ngrams(training, texts, classes, n_select):
    if training is None:
        return None
    n_classes = None if classes is None else len(classes)
    return predict_by_ngrams(*training, texts, n_classes, n_select)


def _collect_usage(estimator):
    """What paid models consumed so far; None if there are none."""
    parts = dict(getattr(estimator, "steps", ()))
    extractor = list_steps(estimator)[-1]
    # the extractor's own table is that of its fit
    parts = {role: part for role, part in parts.items() if part is not extractor}
    for role in ("interpreter", "annotator"):
        parts[role] = getattr(extractor, f"{role}_", None)
    table = make_usage_table(parts)
    return None if table.empty else table


def reach_extractor(estimator, X, embeddings):
    """The frame that reaches the extractor, and embeddings met on the way there."""
    steps = list_steps(estimator)
    given = None if isinstance(embeddings, str) else embeddings
    if len(steps) == 1:
        return X, given
    if isinstance(embeddings, str) and isinstance(steps[0], TextEmbedder):
        given = X = steps[0].transform(X)
        estimator = estimator[1:]
    return (estimator[:-1].transform(X) if len(estimator.steps) > 1 else X), given


def _describe_fits(estimator, extractor):
    """Column of how many fits found the neuron, of several the one found most often."""
    counts = count_fits_of_neurons(estimator)
    hypotheses = getattr(extractor, "_hypotheses", None)
    if not counts or hypotheses is None:
        return {}
    found = [
        max((counts[name] for name in h.neurons if name in counts), default=None)
        for h in hypotheses
    ]
    words = ["" if each is None else "{} of {}".format(*each) for each in found]
    return {"found": pd.Series(words, dtype=object)}


# What annotators know of the texts they have just annotated, by attribute: tables with
# one row per hypothesis, and the columns of a report that come from theirs.
_OF_ANNOTATORS = {
    "agreement_": {"agreement": "alpha"},
    "checks_": {"share_asked": "share_asked", "rate_upper": "rate_upper"},
}


def _describe_annotation(extractor, names):
    """Columns of how far several annotators agreed, and what a cascade has asked."""
    annotator = getattr(extractor, "annotator_", None)
    columns = {}
    for attribute, found in _OF_ANNOTATORS.items():
        table = getattr(annotator, attribute, None)
        if table is None:
            continue
        for column, own in found.items():
            values = dict(zip(table["hypothesis"], table[own], strict=True))
            columns[column] = np.array([values.get(n, np.nan) for n in names], float)
    return columns


def _collect_votes(extractor, values):
    """What each member of a `MajorityAnnotator` said of the annotated texts, by name.

    Measures of style are the same for all. None for other annotators.
    """
    annotator = getattr(extractor, "annotator_", None)
    votes = getattr(annotator, "votes_", None)
    if votes is None or len(values) == 0:
        return None
    judged, found = [not h.measure for h in extractor._hypotheses], {}
    if not any(judged):
        return None
    for name, each in zip(annotator.names_, votes, strict=True):
        found[name] = values.copy()
        found[name][:, judged] = each
    return found


def _collect_effects(extractor):
    associations = getattr(extractor, "_associations", None)
    if associations is None:
        return None
    coef = extractor.hypotheses_["coef"].to_numpy(dtype=float)
    return TrainingEffects(associations, coef)


def _list_skipped(extractor):
    skipped = getattr(extractor, "skipped_neurons_", None)
    return None if skipped is None else {str(k): str(v) for k, v in skipped.items()}


def _collect_evidence(extractor, frame):
    """Activations and terms behind the hypotheses, where the extractor tells them."""
    hypotheses = getattr(extractor, "_hypotheses", None)
    if hypotheses is None:
        return {}
    return {
        "activations": extractor._activations_behind(frame),
        "neurons": [h.neurons for h in hypotheses],
        "terms": [h.terms for h in hypotheses],
        "tokenizers": [h.tokenizer for h in hypotheses],
        "term_gains": _list_term_gains(extractor, hypotheses),
    }


def _list_term_gains(extractor, hypotheses):
    """What each term adds to the fidelity, where the extractor tells it."""
    table = getattr(extractor, "terms_", None)
    if table is None:
        return None
    keys = zip(table["hypothesis"], table["term"], strict=True)
    gains = dict(zip(keys, table["gain"].astype(float), strict=True))
    return [
        tuple(gains.get((h.statement, term), np.nan) for term in h.terms)
        for h in hypotheses
    ]
