"""`compare_annotators`: would another annotator agree?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .._annotation._agreement import tabulate_agreement
from .._annotation._cells import make_twin
from .._annotation._exact import annotate_texts, fit_annotator
from .._annotation._members import check_members, name_annotators
from .._language_models._usage_table import make_usage_table
from .._report._by_annotator import choose_effect
from .._utils._annotation_input import check_annotations
from .._utils._containers import convert_container
from .._utils._frames import get_texts
from .._utils._progress import count_each, show_progress
from .._utils._steps import find_best_estimator, find_extractor
from .._utils._validation import check_same_length, validate_params
from ._annotator_comparison import AnnotatorComparison
from ._build_report import Discovery, build_report
from ._dependent_texts import find_training_texts, group_near_duplicates
from ._hypotheses import reach_extractor
from ._prepare import TEST_CONSTRAINTS, prepare_rows
from ._several_annotators import tabulate_by_annotator

_CALLER = "compare_annotators"

_CONSTRAINTS = {name: c for name, c in TEST_CONSTRAINTS.items() if name != "ngrams"}


@validate_params(
    _CONSTRAINTS | {"annotators": [Mapping, list, tuple, None]},
    prefer_skip_nested_validation=True,
)
def compare_annotators(
    estimator,
    X,
    y,
    annotators=None,
    *,
    X_train=None,
    task="auto",
    target="auto",
    alpha=0.05,
    correction="step-down",
    sample_weight=None,
    groups=None,
    covariates=None,
    fixed_effects=None,
    pairs=None,
    cov_type="auto",
    n_permutations="auto",
    n_resamples=0,
    near_duplicates="auto",
    random_state=0,
):
    """Test the hypotheses of a fitted pipeline under several annotators.

    A conclusion should not hang on who judged the texts. Each annotator annotates the
    same held-out texts with the same hypotheses, and each set of annotations is tested
    as `evaluate_hypotheses` does: do estimates, p-values and R² stay?

    Parameters
    ----------
    estimator : HypothesisExtractor, or Pipeline that ends in one
        Fitted. A fitted search is asked for its best estimator.
    X : array-like of length n_samples
        What `estimator.transform` takes.
    y : array-like of shape (n_samples,)
        The target.
    annotators : dict, list or None, default=None
        The others, beside the pipeline's own, which comes first. A dict goes from
        names to annotators, which are fitted here, or to annotations at hand, such as
        those of people: arrays of shape (n_samples, n_hypotheses) of 1, 0 and NaN. A
        list holds annotators, named after their class and model. None: the members of
        the pipeline's own `MajorityAnnotator`.
    X_train : array-like, default=None
        The texts that the hypotheses were found in, as X. Annotators that are
        calibrated on activations are fitted on them. None: on X, of which neither the
        target nor the annotations are looked at.
    task : {"auto", "regression", "classification"}, default="auto"
        "auto" takes the task that the extractor was fitted for.
    target : {"auto", "quantity", "count", "ordinal"}, default="auto"
        What kind of numbers a target is that is no class; as in `evaluate_hypotheses`.
    alpha, correction : objects
        As in `evaluate_hypotheses`.
    sample_weight, groups, covariates, fixed_effects, pairs : array-like, default=None
        By row, as in `evaluate_hypotheses`.
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}, default="auto"
        As in `evaluate_hypotheses`.
    n_permutations : int or "auto", default="auto"
        Permutations of the tests, as in `evaluate_hypotheses`.
    n_resamples : int, default=0
        Bootstrap resamples and permutations of each report. 0: neither.
    near_duplicates : {"auto", "group", "ignore"}, default="auto"
        What to do about texts that are equal or nearly equal to others, as in
        `evaluate_hypotheses`.
    random_state : int, default=0
        Seeds the annotators, folds, bootstrap and permutations.

    Returns
    -------
    comparison : AnnotatorComparison
        One row per hypothesis, one per annotator, and the reports of each.

    Raises
    ------
    TypeError
        If the estimator does not end in a `HypothesisExtractor`, or an annotator is
        none.
    ValueError
        Without others to compare with; for annotations of another shape; and whatever
        `evaluate_hypotheses` refuses.

    See Also
    --------
    evaluate_hypotheses : The test with the pipeline's own annotator.
    evaluate_annotations : Given annotations of several, one test over all of them,
        whose intervals count the variance over annotators.
    MajorityAnnotator : The votes of several annotators.
    correct_for_annotation_error : Estimates corrected by labels of people.

    Notes
    -----
    Statements about style are measured, and the same for all. Each table of p-values
    is corrected by itself, for the number of hypotheses; to pick the annotator whose
    table looks best would need another correction.

    References
    ----------
    Baumann, Röttger, Urman, Wendsjö, Plaza-del-Arco, Gruber and Hovy 2025, "Large
    Language Model Hacking" (arXiv 2509.08825): of conclusions from annotations by the
    best models about a third were wrong.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_hypo import (
    ...     EmbeddingAnnotator, HypothesisExtractor, compare_annotators,
    ... )
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> data = make_concept_texts(600, n_concepts=2, random_state=0)
    >>> neurons = pd.DataFrame(
    ...     data.truth.astype(float), index=pd.Index(data.data, name="text"),
    ...     columns=["neuron000", "neuron001"],
    ... )
    >>> train, test = slice(300), slice(300, None)
    >>> extractor = HypothesisExtractor(random_state=0)
    >>> extractor = extractor.fit(neurons[train], data.target[train])
    >>> found = compare_annotators(
    ...     extractor, neurons[test], data.target[test], [EmbeddingAnnotator()],
    ...     X_train=neurons[train],
    ... )
    >>> found.overall[["annotator", "n_significant", "n_agree"]]
                annotator  n_significant  n_agree
    0    LexiconAnnotator              2        2
    1  EmbeddingAnnotator              2        2
    """
    estimator = find_best_estimator(estimator)
    extractor = find_extractor(estimator, caller=_CALLER)
    task = extractor.task_ if task == "auto" else task
    is_of_fit = task == extractor.task_
    others = _list_others(extractor, annotators)
    rows = prepare_rows(
        y,
        {
            "sample_weight": sample_weight,
            "groups": groups,
            "covariates": covariates,
            "fixed_effects": fixed_effects,
            "pairs": pairs,
        },
        {"X": X},
        task=task,
        target=target,
        classes=getattr(extractor, "classes_", None) if is_of_fit else None,
        caller=_CALLER,
    )
    judge = _Judge(estimator, extractor, X, X_train, random_state)
    check_same_length(judge.texts, y, caller=_CALLER)
    is_known = find_training_texts(extractor, judge.texts, caller=_CALLER)
    rows, alike = group_near_duplicates(
        rows, judge.texts, near_duplicates, caller=_CALLER
    )
    tables = judge.annotate(others)
    settings = {
        "alpha": alpha,
        "correction": correction,
        "cov_type": cov_type,
        "n_permutations": n_permutations,
        "n_resamples": n_resamples,
        "ngrams": False,
        "random_state": random_state,
    }
    names = [h.statement for h in judge.hypotheses]
    with show_progress("Comparing annotators", len(tables)) as count:
        reports = {
            name: build_report(
                values,
                names,
                rows,
                settings,
                discovery=Discovery(
                    estimator=estimator,
                    predictions=extractor.predict_annotations(values)
                    if is_of_fit
                    else None,
                    target_scale=getattr(extractor, "target_scale_", None)
                    if is_of_fit
                    else None,
                    is_known=is_known,
                ),
                near_duplicates=alike,
            )
            for name, values in count_each(tables.items(), count)
        }
    agreement = tabulate_agreement(np.array([*tables.values()]), names, [*tables])
    return _compare(reports, *agreement, make_usage_table(judge.fitted))


def _list_others(extractor, annotators):
    """Return whom to compare with, by name, and check that they are what they should.

    Fitted members of a majority are told by coming from the extractor itself.
    """
    if annotators is None:
        members = getattr(extractor.annotator_, "annotators_", None)
        if members is None:
            raise ValueError(
                f"{_CALLER}: annotators=None compares the members of a "
                "MajorityAnnotator, but the pipeline's annotator is a "
                f"{type(extractor.annotator_).__name__}. Name others to compare with."
            )
        return {
            name: _Fitted(each)
            for name, each in zip(extractor.annotator_.names_, members, strict=True)
        }
    if not isinstance(annotators, Mapping):
        annotators = dict(zip(name_annotators(annotators), annotators, strict=True))
    if not annotators:
        raise ValueError(f"{_CALLER}: annotators= is empty. Name one to compare with.")
    check_members(
        [each for each in annotators.values() if not _is_table(each)],
        name="annotators",
        caller=_CALLER,
    )
    return {str(name): each for name, each in annotators.items()}


class _Fitted:
    """Marks an annotator that is fitted already."""

    def __init__(self, annotator):
        self.annotator = annotator


def _is_table(given):
    return isinstance(convert_container(given), list | np.ndarray | pd.DataFrame)


class _Judge:
    """Has the texts of a test annotated by one annotator after the other.

    Attributes
    ----------
    texts : ndarray of shape (n_texts,) and dtype object
    hypotheses : list of Hypothesis
    fitted : dict of str to Annotator
        Those that have annotated.
    """

    def __init__(self, estimator, extractor, X, X_train, random_state):
        self._extractor = extractor
        self._seed = random_state
        frame, _ = reach_extractor(estimator, X, None)
        self.texts = np.asarray(get_texts(frame, caller=_CALLER), dtype=object)
        if X_train is not None:
            frame, _ = reach_extractor(estimator, X_train, None)
        self._frame = frame
        self.hypotheses = extractor._hypotheses
        self.fitted = {}

    def annotate(self, others):
        """Return the annotations by each, the extractor's own annotator first."""
        own = self._extractor.annotator_
        first = name_annotators([own])[0]
        if first in others:
            first = f"{first} (of the pipeline)"
        return {
            name: self._annotate(name, each)
            for name, each in {first: _Fitted(own), **others}.items()
        }

    def _annotate(self, name, given):
        if _is_table(given):
            values, _ = check_annotations(
                given, what=f"{_CALLER}: annotators[{name!r}]"
            )
            expected = (len(self.texts), len(self.hypotheses))
            if values.shape != expected:
                raise ValueError(
                    f"{_CALLER}: annotators[{name!r}] is of shape {values.shape}, but "
                    f"{expected} (texts, hypotheses) is needed."
                )
            return values
        annotator = given.annotator if isinstance(given, _Fitted) else self._fit(given)
        self.fitted[name] = annotator
        return annotate_texts(annotator, self.texts, self.hypotheses)

    def _fit(self, annotator):
        annotator = make_twin(annotator)
        fit_annotator(
            annotator,
            np.asarray(get_texts(self._frame, caller=_CALLER), dtype=object),
            self.hypotheses,
            self._extractor._activations_behind(self._frame),
            random_state=np.random.RandomState(self._seed),
        )
        return annotator


def _compare(reports, agreement, pairs, usage):
    """Put the reports side by side."""
    tables = {name: report.table for name, report in reports.items()}
    by_annotator, effect = tabulate_by_annotator(tables), choose_effect(tables.values())
    verdicts = by_annotator["verdict"].to_numpy().reshape(-1, len(tables)).T
    alike = verdicts == verdicts[0]
    columns = {"hypothesis": agreement["hypothesis"]}
    for name, table in tables.items():
        for part in (effect, "p_corrected", "significant"):
            columns[f"{name}: {part}"] = table[part].to_numpy()
    columns |= {"n_agree": alike.sum(axis=0), "alpha": agreement["alpha"]}
    overall = [
        {
            "annotator": name,
            "n_significant": report.n_significant,
            "n_agree": int(n),
            **dict(zip(report.overall["name"], report.overall["value"], strict=True)),
        }
        for (name, report), n in zip(reports.items(), alike.sum(axis=1), strict=True)
    ]
    return AnnotatorComparison(
        table=pd.DataFrame(columns),
        overall=pd.DataFrame(overall),
        agreement=agreement,
        agreement_pairs=pairs,
        reports=reports,
        usage=usage,
        effect=effect,
        by_annotator=by_annotator,
    )
