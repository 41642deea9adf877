"""Tests of annotations against a target: plain functions on arrays.

An annotation matrix has one row per text and one column per hypothesis, with 1 where
the hypothesis holds, 0 where it does not, and NaN where no answer was obtained.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._utils._threads import on_one_thread
from .._utils._validation import encode_one_hot
from .._utils._warnings import warn
from ._adjusted_separations import adjust_separations
from ._design import Design, pair_members
from ._design_matrix import column_varies, find_first_equal
from ._families import infer_coefficients, infer_separations, name_correction
from ._joint_regression import JointFit, joint_regression
from ._notes import Notes
from ._separation import bound_separations, is_multiclass, marginal_tests
from ._target_kind import fit_ratios
from ._testable import find_untestable

_EFFECT_COLUMNS = ("ame", "ame_se", "ame_lower", "ame_upper")


@dataclass(frozen=True)
class TestResults:
    """All that the tests of an annotation matrix found.

    Parameters
    ----------
    table : DataFrame of n_hypotheses rows
        See `HypothesisReport` for its columns; their order means nothing.
    summary : dict
        The scalar fields of `HypothesisReport`, "by_class" and "covariates".
    joint : JointFit
        The joint regression.
    annotations, y : ndarrays
        What was regressed: annotations and target, or, for pairs, their differences.
    design : Design
        Of these rows.
    """

    table: pd.DataFrame
    summary: dict
    joint: JointFit
    annotations: np.ndarray
    y: np.ndarray
    design: Design


@on_one_thread()
def run_tests(
    values,
    codes,
    names,
    classes,
    design,
    *,
    alpha,
    correction,
    cov_type="auto",
    n_more=0,
    target_kind=None,
    n_permutations="auto",
    random_state=0,
):
    r"""Test every column of an annotation matrix against a target.

    The separation of a hypothesis is the mean of y where it holds minus the mean
    where it does not,

    .. math:: S_j = \bar y_{a_j = 1} - \bar y_{a_j = 0},

    over the rows that have an answer to it. The joint regression takes the rows that
    have an answer to all hypotheses in it.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_hypotheses)
        1, 0 or NaN.
    codes : ndarray of shape (n_rows,)
        The target, or codes of `classes`.
    names : list of str
        The hypotheses.
    classes : ndarray or None
        Class labels; None for a quantity.
    design : Design
        Weights, clusters, covariates, levels and pairs of the rows.
    alpha, correction, cov_type
        As in `evaluate_annotations`.
    n_more : int, default=0
        Further hypotheses that were tested on these rows.
    target_kind : str or None, default=None
        As from `settle_target_kind`.
    n_permutations, random_state
        As in `evaluate_annotations`.

    Returns
    -------
    tests : TestResults
        What was found.

    Warns
    -----
    HypothesisWarning
        Names each hypothesis that could not be tested, and why.

    Examples
    --------
    The first of two hypotheses moves the target by 0.8:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._design import Design
    >>> from sklearn_hypo._inference._tests import run_tests
    >>> rng = np.random.default_rng(0)
    >>> A = rng.integers(0, 2, size=(2000, 2)).astype(float)
    >>> y = A @ [0.8, 0.0] + rng.normal(size=2000)
    >>> names = ["mentions tea", "is long"]
    >>> options = {"alpha": 0.05, "correction": "step-down"}
    >>> tests = run_tests(A, y, names, None, Design(), **options)
    >>> tests.table[["hypothesis", "coef", "coef_p", "significant"]].round(3)
         hypothesis   coef  coef_p  significant
    0  mentions tea  0.849   0.001         True
    1       is long -0.054   0.242        False
    """
    notes = Notes(names)
    described = {
        "hypothesis": pd.Series(names, dtype=object),
        "missing": np.isnan(values).sum(axis=0),
        "prevalence": _measure_prevalence(values, design.weights),
    }
    n_rows = len(values)
    if design.pairs is not None:
        _check_winners(codes, classes, design)
        values = design.differences(values)
        codes = design.differences(codes).astype(float)
        design = design.of_differences()
    n_classes = None if classes is None else len(classes)
    varying = _find_testable(values, codes, n_classes, design, alpha, notes)
    first = find_first_equal(values)
    tested = np.isin(np.arange(len(names)), varying) & (first == np.arange(len(names)))
    marginal, cells, null = marginal_tests(
        values,
        codes,
        classes,
        design,
        notes,
        tested=np.isin(first, np.flatnonzero(tested)),
        cov_type=cov_type,
        rng=np.random.default_rng([random_state, 3]),
    )
    joint = joint_regression(
        values,
        codes,
        n_classes,
        varying,
        design,
        notes,
        cov_type=cov_type,
        rng=np.random.default_rng([random_state, 4]),
    )
    options = {
        "alpha": alpha,
        "correction": correction,
        "n_more": n_more,
        "n_permutations": n_permutations,
    }
    bounds = bound_separations(values, codes, classes, design)
    marginal, alone = infer_separations(
        marginal, null, tested, first, bounds, **options
    )
    estimates, family = infer_coefficients(joint, **options)
    table = marginal.join(estimates).assign(**described)
    table = table.join(
        fit_ratios(
            target_kind, values, codes, joint, design, cov_type=cov_type, notes=notes
        )
    )
    adjusted = adjust_separations(
        values,
        codes,
        n_classes,
        design,
        tested,
        cov_type=cov_type,
        rng=np.random.default_rng([random_state, 6]),
        **options,
    )
    table = table.assign(**{name: each[first] for name, each in adjusted.items()})
    by_class = None
    if is_multiclass(classes):
        by_class = _tabulate_classes(names, cells, joint, n_classes)
        for name in _EFFECT_COLUMNS if joint.by_class else ():
            table[name] = _take_strongest(by_class, name, len(names))
    table["separation_std"] = _standardize(table, codes, classes, design)
    table["method"] = np.where(joint.tested, joint.method, "")
    table["note"] = pd.Series(notes.by_hypothesis(), dtype=object)
    for message in notes.messages():
        warn(message)
    summary = _summarize(joint, classes, design) | {
        "target_kind": target_kind,
        "n_rows": n_rows,
        "n_tested": int(joint.tested.sum()) + n_more,
        "n_significant": int(table["significant"].sum()),
        "alpha": alpha,
        "n_tested_alone": int(tested.sum()) + n_more,
        "correction": name_correction(correction, joint.null),
        "correction_alone": name_correction(correction, null),
        "n_permutations": family.n_draws,
        "n_permutations_alone": alone.n_draws,
        "n_pairs": len(values) if design.paired else None,
        "by_class": by_class,
    }
    return TestResults(table, summary, joint, values, codes, design)


def _find_testable(values, codes, n_classes, design, alpha, notes):
    """Columns that vary and rest on enough texts; what rests on too few is noted."""
    untestable = find_untestable(values, codes, n_classes, design, alpha)
    for j, reason in untestable.items():
        notes.add(j, "untestable", reason)
    varying = [j for j, a in enumerate(values.T) if column_varies(a, design.paired)]
    return [j for j in varying if j not in untestable]


def _summarize(joint, classes, design):
    """What the joint regression says of the whole."""
    n_groups = None if design.clusters is None else len(np.unique(design.clusters))
    return {
        "task": "regression" if classes is None else "classification",
        "classes": None if classes is None else tuple(classes.tolist()),
        "n_joint": 0 if joint.rows is None else int(joint.rows.sum()),
        "n_joint_hypotheses": len(joint.columns),
        "cov_type": joint.cov_type,
        "n_groups": n_groups,
        "covariates": joint.covariates,
        **{name: float(value) for name, value in joint.metrics.items()},
    }


def _check_winners(codes, classes, design):
    """Raise where classes do not tell which member of each pair won."""
    if classes is None:
        return
    if len(classes) != 2:
        raise ValueError(
            f"pairs: y holds {len(classes)} classes, but within pairs it says who "
            "won: 1 and 0. Pass a quantity, or two classes."
        )
    first, second = pair_members(design.pairs)
    ties = int((codes[first] == codes[second]).sum())
    if ties:
        raise ValueError(
            f"pairs: in {ties} of {len(first)} pairs the members have the same class, "
            "so that nobody won. Drop ties (make_pairs does), or pass a quantity with "
            "task='regression'."
        )


def _measure_prevalence(values, weights):
    """Share of the answered rows where each hypothesis holds."""
    answered = ~np.isnan(values)
    weights = np.ones(len(values)) if weights is None else weights
    total = weights @ answered
    holds = weights @ np.where(answered, values, 0.0)
    return np.divide(holds, total, out=np.full(len(total), np.nan), where=total > 0)


def _tabulate_classes(names, cells, joint, n_classes):
    """One row per hypothesis and class, with the effects of the joint regression."""
    table = pd.DataFrame([cell for own in cells for cell in own])
    of = [name for name, own in zip(names, cells, strict=True) for _ in own]
    table.insert(0, "hypothesis", pd.Series(of, dtype=object))
    if joint.by_class is None:
        return table
    present = joint.by_class["classes"].astype(int)
    for name in (*_EFFECT_COLUMNS, "ame_p"):
        values = np.full((len(names), n_classes), np.nan)
        values[np.ix_(joint.columns, present)] = joint.by_class[name]
        table[name] = values.ravel()
    return table


def _take_strongest(by_class, name, n_hypotheses):
    """The effects on the class of the largest separation; NaN without any."""
    shape = (n_hypotheses, -1)
    size = by_class["separation"].abs().fillna(-1.0).to_numpy().reshape(shape)
    strongest = size.argmax(axis=1)
    values = by_class[name].to_numpy().reshape(shape)
    values = values[np.arange(n_hypotheses), strongest]
    return np.where(size.max(axis=1) < 0, np.nan, values)


def _standardize(table, codes, classes, design):
    """Separation per standard deviation of the target; not within pairs."""
    if design.paired:
        return np.full(len(table), np.nan)
    of = np.zeros(len(table), dtype=int)
    if classes is None:
        targets = codes[:, None]
    else:
        targets = encode_one_hot(codes, len(classes))
        of += 1
    if "separation_class" in table:
        labels = pd.Index(classes.astype(object), dtype=object)
        of = np.maximum(labels.get_indexer(table["separation_class"]), 0)
    mean = np.average(targets, axis=0, weights=design.weights)
    sd = np.sqrt(np.average((targets - mean) ** 2, axis=0, weights=design.weights))
    return table["separation"].to_numpy() / np.where(sd > 0, sd, np.nan)[of]
