"""From checked annotations to a report; the part that needs no estimator."""

import warnings
from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np
import pandas as pd

from ._annotation_input import check_annotations, check_target
from ._evaluation_rows import row_facts
from ._evidence import details_of
from ._hypothesis_report import HypothesisReport
from ._inference import annotation_tests
from ._missing_bounds import worst_case_separation
from ._multiple_tests import CORRECTIONS
from ._overall import Overall
from ._provenance import hash_of_values, provenance
from ._redundancy import redundancy
from ._settings_record import estimator_settings, seeds_of
from ._validation import Interval, StrOptions, validate_params
from .exceptions import HypothesisWarning

_CALLER = "evaluate_annotations"
_STACK = 5  # from the warning up to whoever called the public function

TEST_CONSTRAINTS = {
    "task": [StrOptions({"auto", "regression", "classification"})],
    "alpha": [Interval(Real, 0, 1, closed="neither")],
    "correction": [StrOptions(set(CORRECTIONS))],
    "cov_type": [StrOptions({"auto", "HC2", "HC3", "nonrobust"})],
    "n_resamples": [Interval(Integral, 0, None, closed="left")],
    "random_state": [Interval(Integral, 0, None, closed="left")],
}


@dataclass(frozen=True)
class Extras:
    """What a report needs beside annotations and target.

    Parameters
    ----------
    target : array-like
        As it was given.
    beside : dict
        "sample_weight", "groups", "covariates", "fixed_effects" and "pairs", as given.
    texts, activations, embeddings, predictions : ndarrays or None
        By row.
    terms : list of tuple of str or None
        N-grams of the hypotheses.
    estimator : estimator or None
        Whose settings are recorded.
    usage : DataFrame or None
        What language models consumed.
    previous : HypothesisReport, list or None
        Earlier reports on the same rows.
    """

    target: object
    beside: dict = field(default_factory=dict)
    texts: np.ndarray | None = None
    activations: np.ndarray | None = None
    embeddings: object = None
    predictions: np.ndarray | None = None
    terms: list | None = None
    estimator: object = None
    usage: pd.DataFrame | None = None
    previous: object = None


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
    alpha=0.1,
    correction="holm",
    sample_weight=None,
    groups=None,
    covariates=None,
    fixed_effects=None,
    pairs=None,
    cov_type="auto",
    previous=None,
    n_resamples=999,
    embeddings=None,
    random_state=0,
):
    """Test annotations that are at hand: made by people, or by another program.

    What `evaluate_hypotheses` does after the texts are annotated, by the same rules.

    Parameters
    ----------
    annotations : DataFrame or array-like of shape (n_samples, n_hypotheses)
        1 where a hypothesis holds, 0 where it does not, NaN without an answer.
    y : array-like of shape (n_samples,)
        The target, in its own units.
    names : sequence of str of length n_hypotheses, default=None
        The hypotheses. None: the columns of the frame.
    texts : sequence of str of length n_samples, default=None
        The texts, to be shown and hashed.
    task : {"auto", "regression", "classification"}, default="auto"
        With "auto", booleans, strings, categoricals and targets of two distinct
        values are classes; any other numeric target is a quantity.
    alpha : float, default=0.1
        Level of significance after correction.
    correction : {"bonferroni", "holm", "fdr_bh", "fdr_by"}, default="holm"
        How p-values are corrected.
    sample_weight : array-like of shape (n_samples,), default=None
        Positive sampling weights.
    groups : array-like of shape (n_samples,), default=None
        What makes rows dependent: their author, document or test.
    covariates : DataFrame or array-like of shape (n_samples, n_columns), default=None
        Held constant in the joint regression, and reported apart.
    fixed_effects : array-like of shape (n_samples,), default=None
        Levels within which rows are compared.
    pairs : array-like of shape (n_samples,), default=None
        Number of the pair that a row belongs to, each twice.
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}, default="auto"
        Standard errors of the joint regression.
    previous : HypothesisReport or list of HypothesisReport, default=None
        Reports made before on the same rows, whose hypotheses count too.
    n_resamples : int, default=999
        Bootstrap resamples and permutations. 0: neither.
    embeddings : array-like of shape (n_samples, n_features), default=None
        What a dense model would predict from, for comparison.
    random_state : int, default=0
        Seeds folds, bootstrap and permutations.

    Returns
    -------
    report : HypothesisReport
        The table with one row per hypothesis, and the overall figures.

    Raises
    ------
    ValueError
        For annotations other than 1, 0 and NaN, lengths that differ, and whatever
        `evaluate_hypotheses` refuses.

    See Also
    --------
    evaluate_hypotheses : Annotates, then tests.

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
    0  mentions tea  0.461        0.001         True
    1       is long -0.166        0.133        False
    """
    values, names = check_annotations(annotations, names)
    task, codes, classes = check_target(y, task, None, caller=_CALLER)
    if len(values) != len(codes):
        raise ValueError(
            f"{_CALLER}: annotations and y differ in length ({len(values)} and "
            f"{len(codes)}). There must be one target value per row of annotations."
        )
    if texts is not None and len(texts) != len(codes):
        raise ValueError(
            f"{_CALLER}: there are {len(texts)} texts for {len(codes)} rows of "
            "annotations. There must be one text per row."
        )
    beside = {
        "sample_weight": sample_weight,
        "groups": groups,
        "covariates": covariates,
        "fixed_effects": fixed_effects,
        "pairs": pairs,
    }
    facts = row_facts(len(codes), **beside, caller=_CALLER)
    check_order(y, beside | {"annotations": annotations}, _CALLER)
    embeddings = check_embeddings(embeddings, len(codes), _CALLER)
    extras = Extras(
        target=y,
        beside=beside,
        texts=None if texts is None else np.asarray(texts, dtype=object),
        embeddings=embeddings,
        previous=previous,
    )
    return evaluated(
        values,
        codes,
        names,
        classes,
        facts,
        extras,
        alpha=alpha,
        correction=correction,
        cov_type=cov_type,
        n_resamples=n_resamples,
        random_state=random_state,
    )


def evaluated(
    values,
    codes,
    names,
    classes,
    facts,
    extras,
    *,
    alpha,
    correction,
    cov_type,
    n_resamples,
    random_state,
):
    """Test checked annotations and build the report.

    Parameters
    ----------
    values, codes, names, classes, facts
        As for `annotation_tests`.
    extras : Extras
        What else is at hand.
    alpha, correction, cov_type, n_resamples, random_state
        As in `evaluate_hypotheses`.

    Returns
    -------
    report : HypothesisReport
        The report.
    """
    from ._report_details import EvaluationData

    target = np.array(extras.target)  # a copy: what was tested stays what it was
    target = target.ravel() if target.ndim == 2 else target
    edits, n_more = _since(extras.previous, names, target)
    tests = annotation_tests(
        values,
        codes,
        names,
        classes,
        facts,
        alpha=alpha,
        correction=correction,
        cov_type=cov_type,
        n_more=n_more,
        stacklevel=_STACK,
    )
    overall = _overall(tests, classes, extras, facts, n_resamples, random_state)
    figures = dict(zip(overall["name"], overall["value"], strict=True))
    known = {"r2_out_of_sample", "roc_auc_out_of_sample"}
    settings = {
        "task": tests.summary["task"],
        "classes": tests.summary["classes"],
        "alpha": alpha,
        "correction": correction,
        "cov_type": cov_type,
        "n_resamples": n_resamples,
        "random_state": random_state,
    }
    overlap = redundancy(values, names, terms=extras.terms) if len(names) else None
    table = _with_further_columns(tests, values, codes, classes, facts, overlap)
    return HypothesisReport(
        table=table,
        **tests.summary,
        **{name: figures[name] for name in known & figures.keys()},
        usage=extras.usage,
        overall=overall,
        permutation_p=overall.attrs.pop("permutation_p"),
        n_resamples=n_resamples,
        redundancy=overlap,
        details=details_of(
            values,
            target,
            texts=extras.texts,
            activations=extras.activations,
            terms=extras.terms,
        ),
        provenance=provenance(
            texts=extras.texts,
            target=target,
            settings=estimator_settings(extras.estimator),
            seeds={"random_state": random_state, **seeds_of(extras.estimator)},
            edits=edits,
        ),
        data=EvaluationData(
            annotations=values,
            names=tuple(names),
            target=target,
            texts=extras.texts,
            settings=settings,
            **{
                name: value
                if value is None or name == "covariates"
                else np.array(value)
                for name, value in extras.beside.items()
            },
        ),
    )


def check_embeddings(embeddings, n_rows, caller):
    """Return embeddings as an array, after a look at their shape and values."""
    if embeddings is None or isinstance(embeddings, str):
        return embeddings
    array = np.asarray(embeddings)
    if array.ndim != 2 or len(array) != n_rows or array.dtype.kind not in "fiu":
        raise ValueError(
            f"{caller}: embeddings must be numbers of shape ({n_rows}, n_features), "
            f"but {array.dtype} of shape {array.shape} arrived."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{caller}: embeddings holds missing or infinite values.")
    return array


def check_order(y, others, caller):
    """Raise where pandas inputs hold the same labels in another order."""
    own = getattr(y, "index", None)
    for name, other in others.items():
        index = getattr(other, "index", None)
        if not (isinstance(own, pd.Index) and isinstance(index, pd.Index)):
            continue
        if len(own) != len(index) or own.equals(index):
            continue
        if not own.has_duplicates and own.sort_values().equals(index.sort_values()):
            raise ValueError(
                f"{caller}: the rows of {name} carry y's labels in another order. "
                f"Rows are taken by position: align them first, as in "
                f"{name}.loc[y.index]."
            )


def _since(previous, names, target):
    """What changed since earlier reports on the same rows, and how many more tests."""
    if previous is None:
        return [], 0
    reports = previous if isinstance(previous, list | tuple) else [previous]
    seen = {}
    for report in reports:
        if not isinstance(report, HypothesisReport):
            raise TypeError(
                "previous must be a HypothesisReport or a list of them, but "
                f"{type(report).__name__} arrived."
            )
        told = (report.provenance or {}).get("data", {}).get("target_sha256")
        if told is not None and told != hash_of_values(target):
            raise ValueError(
                "previous: a report on other rows arrived (its target differs). Only "
                "tests on the same rows count together; leave it out."
            )
        seen |= dict.fromkeys(report.table["hypothesis"])
        earlier = (report.provenance or {}).get("edits", [])
        seen |= dict.fromkeys(e["hypothesis"] for e in earlier)
    gone = [name for name in seen if name not in set(names)]
    new = [name for name in names if name not in seen]
    edits = [{"change": "dropped", "hypothesis": name} for name in gone]
    edits += [{"change": "added", "hypothesis": name} for name in new]
    return edits, len(gone)


def _overall(tests, classes, extras, facts, n_resamples, seed):
    """The overall figures, with the permutation p-value among the attributes."""
    n_classes = None if classes is None else len(classes)
    overall = Overall(tests, n_classes, n_resamples, seed)
    joint = tests.joint.method != ""
    p = np.nan
    if joint:
        overall.add_in_sample()
        overall.add_cross_fitted()
        p = overall.permutation_p()
    if extras.predictions is not None and len(tests.y) > 1:
        trouble = overall.add_out_of_sample(_rows(extras.predictions, facts))
        if trouble:
            warnings.warn(trouble, HypothesisWarning, stacklevel=_STACK)
    if extras.embeddings is not None and joint:
        overall.add_embeddings(_rows(np.asarray(extras.embeddings), facts))
    table = overall.table()
    table.attrs["permutation_p"] = p
    return table


def _rows(values, facts):
    """Values by row, or their differences within pairs."""
    from ._evaluation_rows import pair_members

    if facts.pairs is None:
        return values
    first, second = pair_members(facts.pairs)
    return values[first] - values[second]


def _with_further_columns(tests, values, codes, classes, facts, overlap):
    """Bounds for missing answers, variance inflation, duplicates."""
    table = tests.table
    missing = np.isnan(values).any(axis=0)
    if missing.any() and facts.pairs is None:
        lower, upper = _worst_cases(table, values, codes, classes, facts)
        place = table.columns.get_loc("coef")
        table.insert(place, "separation_worst_lower", lower)
        table.insert(place + 1, "separation_worst_upper", upper)
    place = table.columns.get_loc("p_corrected")
    table.insert(place, "vif", np.nan if overlap is None else overlap.vif)
    place = table.columns.get_loc("note")
    table.insert(place, "duplicate_of", _duplicates(table, overlap))
    return table


def _worst_cases(table, values, codes, classes, facts):
    """Bounds of the separation over all that the missing answers could have been."""
    labels = None if classes is None else classes.astype(object).tolist()
    lower, upper = [], []
    for j, a in enumerate(values.T):
        target = codes
        if classes is not None:
            label = table.get("separation_class", pd.Series([], dtype=object)).get(j)
            c = labels.index(label) if label in labels else 1
            target = (codes == c).astype(float)
        bounds = worst_case_separation(a, target, weights=facts.weights)
        lower.append(bounds.lower)
        upper.append(bounds.upper)
    return lower, upper


def _duplicates(table, overlap):
    """The earlier hypothesis that each one repeats, exactly or nearly."""
    found = dict.fromkeys(table["hypothesis"], "")
    if overlap is not None:
        same = overlap.pairs[overlap.pairs["kind"].isin(["exact", "near"])]
        order = {name: i for i, name in enumerate(table["hypothesis"])}
        for first, second in zip(same["first"], same["second"], strict=True):
            early, late = sorted((first, second), key=order.get)
            found[late] = found[late] or early
    return pd.Series([found[name] for name in table["hypothesis"]], dtype=object)
