"""From checked annotations to a report; knows no estimator but its settings."""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .._inference._design import pair_members
from .._inference._missing_bounds import bound_separation
from .._inference._overall import Overall
from .._inference._redundancy import measure_redundancy
from .._inference._tests import run_tests
from .._report._columns import order_columns
from .._report._details import EvaluationData
from .._report._evidence import collect_details
from .._report._provenance import (
    hash_values,
    record_provenance,
    record_seeds,
    record_settings,
)
from .._report._report import HypothesisReport
from ..exceptions import HypothesisWarning

_STACK = 5  # from the warning up to whoever called the public function


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
    terms, neurons : list of tuple of str or None
        N-grams and neurons of the hypotheses.
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
    neurons: list | None = None
    estimator: object = None
    usage: pd.DataFrame | None = None
    previous: object = None


def build_report(
    values,
    codes,
    names,
    classes,
    design,
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
    values, codes, names, classes, design
        As for `run_tests`.
    extras : Extras
        What else is at hand.
    alpha, correction, cov_type, n_resamples, random_state
        As in `evaluate_hypotheses`.

    Returns
    -------
    report : HypothesisReport
        The report.
    """
    target = np.array(extras.target)  # a copy: what was tested stays what it was
    target = target.ravel() if target.ndim == 2 else target
    edits, n_more = _since(extras.previous, names, target)
    tests = run_tests(
        values,
        codes,
        names,
        classes,
        design,
        alpha=alpha,
        correction=correction,
        cov_type=cov_type,
        n_more=n_more,
        stacklevel=_STACK,
    )
    overall = _overall(tests, classes, extras, design, n_resamples, random_state)
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
    overlap = (
        measure_redundancy(tests.annotations, names, tests.design, terms=extras.terms)
        if len(names)
        else None
    )
    table = _with_further_columns(tests, values, codes, classes, design, overlap)
    return HypothesisReport(
        table=table,
        **tests.summary,
        **{name: figures[name] for name in known & figures.keys()},
        usage=extras.usage,
        overall=overall,
        permutation_p=overall.attrs.pop("permutation_p"),
        n_resamples=n_resamples,
        redundancy=overlap,
        details=collect_details(
            values,
            target,
            texts=extras.texts,
            activations=extras.activations,
            terms=extras.terms,
            neurons=extras.neurons,
        ),
        provenance=record_provenance(
            texts=extras.texts,
            target=target,
            settings=record_settings(extras.estimator),
            seeds={"random_state": random_state, **record_seeds(extras.estimator)},
            edits=edits,
        ),
        data=_data(values, names, target, extras, settings),
    )


def _data(values, names, target, extras, settings):
    """All that the test was computed from; copies, so that it stays what it was."""
    beside = {
        name: value if value is None or name == "covariates" else np.array(value)
        for name, value in extras.beside.items()
    }
    return EvaluationData(
        annotations=values,
        names=tuple(names),
        target=target,
        texts=extras.texts,
        settings=settings,
        **beside,
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
        if told is not None and told != hash_values(target):
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


def _overall(tests, classes, extras, design, n_resamples, seed):
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
        trouble = overall.add_out_of_sample(_rows(extras.predictions, design))
        if trouble:
            warnings.warn(trouble, HypothesisWarning, stacklevel=_STACK)
    if extras.embeddings is not None and joint:
        overall.add_embeddings(_rows(np.asarray(extras.embeddings), design))
    table = overall.table()
    table.attrs["permutation_p"] = p
    return table


def _rows(values, design):
    """Values by row, or their differences within pairs."""
    if design.pairs is None:
        return values
    first, second = pair_members(design.pairs)
    return values[first] - values[second]


def _with_further_columns(tests, values, codes, classes, design, overlap):
    """Bounds for missing answers, variance inflation, duplicates."""
    table = tests.table
    missing = np.isnan(values).any(axis=0)
    if missing.any() and design.pairs is None:
        lower, upper = _worst_cases(table, values, codes, classes, design)
        table["separation_worst_lower"] = lower
        table["separation_worst_upper"] = upper
    table["vif"] = np.nan if overlap is None else overlap.vif
    table["duplicate_of"] = _duplicates(table, overlap)
    return order_columns(table)


def _worst_cases(table, values, codes, classes, design):
    """Bounds of the separation over all that the missing answers could have been."""
    labels = None if classes is None else classes.astype(object).tolist()
    lower, upper = [], []
    for j, a in enumerate(values.T):
        target = codes
        if classes is not None:
            label = table.get("separation_class", pd.Series([], dtype=object)).get(j)
            c = labels.index(label) if label in labels else 1
            target = (codes == c).astype(float)
        bounds = bound_separation(a, target, weights=design.weights)
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
