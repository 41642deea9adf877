"""Tests of annotations against a target: plain functions on arrays.

An annotation matrix has one row per text and one column per hypothesis, with 1 where
the hypothesis holds, 0 where it does not, and NaN where no answer was obtained.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._utils._annotation_input import check_annotations, check_target
from .._utils._warnings import warn
from ._design import Design, make_design, pair_members
from ._design_matrix import column_varies
from ._joint_regression import JointFit, joint_regression
from ._multiple_tests import adjust_p_values
from ._notes import Notes
from ._separation import marginal_tests

_EFFECT_COLUMNS = ("ame", "ame_se", "ame_lower", "ame_upper")


@dataclass(frozen=True)
class TestResults:
    """All that the tests of an annotation matrix found.

    Parameters
    ----------
    table : DataFrame of n_hypotheses rows
        See `HypothesisReport` for its columns.
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


def hypothesis_table(
    A,
    y,
    *,
    names=None,
    task="auto",
    classes=None,
    alpha=0.1,
    correction="holm",
    cov_type="auto",
    sample_weight=None,
    groups=None,
    covariates=None,
    fixed_effects=None,
    pairs=None,
):
    r"""Test every column of an annotation matrix against a target.

    The separation of a hypothesis is the mean of y where it holds minus the mean
    where it does not,

    .. math:: S_j = \bar y_{a_j = 1} - \bar y_{a_j = 0},

    over the rows that have an answer to it. The joint regression takes the rows that
    have an answer to all hypotheses in it.

    Parameters
    ----------
    A : array-like of shape (n_rows, n_hypotheses)
        Annotations: 1, 0 or NaN.
    y : array-like of shape (n_rows,)
        The target.
    names : sequence of str of length n_hypotheses, default=None
        The hypotheses, for the table and for warnings. None takes the columns of a
        frame, and otherwise numbers them.
    task : {"auto", "regression", "classification"}, default="auto"
        "auto": booleans, strings, categoricals and two distinct values are classes.
    classes : array-like of shape (n_classes,), default=None
        All class labels, in order. None takes those in y.
    alpha : float, default=0.1
        Level of significance after correction.
    correction : {"bonferroni", "holm", "fdr_bh", "fdr_by"}, default="holm"
        Correction of the p-values, as statsmodels' `multipletests` names them.
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}, default="auto"
        Kind of the standard errors of the joint regression.
    sample_weight, groups, covariates, fixed_effects, pairs : array-likes or None
        As for `evaluate_annotations`.

    Returns
    -------
    table : DataFrame of n_hypotheses rows
        See `HypothesisReport` for its columns.
    summary : dict
        Other fields of `HypothesisReport`.

    Raises
    ------
    ValueError
        For annotations other than 1, 0 and NaN, lengths that differ, and a y that
        is missing, infinite, or not of the given classes.

    Warns
    -----
    HypothesisWarning
        Names each hypothesis that could not be tested, and why.

    Examples
    --------
    The first of two hypotheses moves the target by 0.8:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._tests import hypothesis_table
    >>> rng = np.random.default_rng(0)
    >>> A = rng.integers(0, 2, size=(2000, 2))
    >>> y = A @ [0.8, 0.0] + rng.normal(size=2000)
    >>> table, summary = hypothesis_table(A, y, names=["mentions tea", "is long"])
    >>> table[["hypothesis", "coef", "coef_p", "significant"]].round(3)
         hypothesis   coef  coef_p  significant
    0  mentions tea  0.849   0.000         True
    1       is long -0.054   0.228        False
    >>> round(summary["r2"], 3)
    0.154
    """
    values, names = check_annotations(A, names)
    design = make_design(
        len(values),
        sample_weight=sample_weight,
        groups=groups,
        covariates=covariates,
        fixed_effects=fixed_effects,
        pairs=pairs,
        caller="hypothesis_table",
    )
    task, codes, classes = check_target(y, task, classes, caller="hypothesis_table")
    if len(values) != len(codes):
        raise ValueError(
            f"A and y differ in length ({len(values)} and {len(codes)}). There must "
            "be one target value per row of annotations."
        )
    tests = run_tests(
        values,
        codes,
        names,
        classes,
        design,
        alpha=alpha,
        correction=correction,
        cov_type=cov_type,
    )
    return tests.table, tests.summary


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
):
    """Test checked annotations: `hypothesis_table` without its checks.

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
        As in `hypothesis_table`.
    n_more : int, default=0
        Further hypotheses that were tested on these rows.

    Returns
    -------
    tests : TestResults
        What was found.
    """
    remarks = Notes(names)
    n_rows, prevalence = len(values), _prevalence(values, design.weights)
    paired = design.pairs is not None
    missing = np.isnan(values).sum(axis=0)
    if paired:
        _check_winners(codes, classes, design)
        values, codes = design.differences(values), design.differences(codes)
        codes, design = codes.astype(float), design.of_differences()
    marginal = marginal_tests(values, codes, classes, design, remarks)
    marginal["missing"], marginal["prevalence"] = missing, prevalence
    varying = [j for j, a in enumerate(values.T) if column_varies(a, paired)]
    joint = joint_regression(
        values,
        codes,
        None if classes is None else len(classes),
        varying,
        design,
        remarks,
        cov_type=cov_type,
    )
    table, by_class = _assembled(marginal, joint, classes)
    if by_class is not None and len(by_class):
        of = by_class.pop("position")
        of = pd.Series([names[j] for j in of], dtype=object, index=by_class.index)
        by_class.insert(0, "hypothesis", of)
    first = _first_of_equals(values)
    tested = np.isin(np.arange(len(names)), varying) & (first == np.arange(len(names)))
    own = adjust_p_values(table["separation_p"], tested, alpha, correction, n_more)
    place = table.columns.get_loc("separation_p") + 1
    table.insert(place, "separation_p_corrected", own["p_corrected"].to_numpy()[first])
    table.insert(
        place + 1,
        "separation_std",
        _standardized(table, codes, classes, design, paired),
    )
    table = table.join(
        adjust_p_values(table["coef_p"], joint.tested, alpha, correction, n_more)
    )
    table["method"] = np.where(joint.tested, joint.method, "")
    table.insert(0, "hypothesis", pd.Series(names, dtype=object))
    table["note"] = pd.Series(remarks.notes(), dtype=object)
    for message in remarks.messages():
        warn(message)
    summary = {
        "task": "regression" if classes is None else "classification",
        "classes": None if classes is None else tuple(classes.tolist()),
        "n_rows": n_rows,
        "n_joint": 0 if joint.rows is None else int(joint.rows.sum()),
        "n_joint_hypotheses": len(joint.columns),
        "n_tested": int(joint.tested.sum()) + n_more,
        "n_significant": int(table["significant"].sum()),
        "alpha": alpha,
        "correction": correction,
        "cov_type": joint.cov_type,
        "n_groups": None
        if design.clusters is None
        else len(np.unique(design.clusters)),
        "n_pairs": len(values) if paired else None,
        "by_class": by_class,
        "covariates": joint.covariates,
        **{name: float(value) for name, value in joint.metrics.items()},
    }
    return TestResults(table, summary, joint, values, codes, design)


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


def _prevalence(values, weights):
    """Share of the answered rows where each hypothesis holds."""
    answered = ~np.isnan(values)
    weights = np.ones(len(values)) if weights is None else weights
    total = weights @ answered
    holds = weights @ np.where(answered, values, 0.0)
    return np.divide(holds, total, out=np.full(len(total), np.nan), where=total > 0)


def _first_of_equals(values):
    """Number of the first column that equals each column, gaps included."""
    first = {}
    filled = np.where(np.isnan(values), 9.0, values)
    return np.array(
        [first.setdefault(a.tobytes(), j) for j, a in enumerate(filled.T)], dtype=int
    )


def _assembled(marginal, joint, classes):
    """Marginal and joint estimates side by side, and those by class."""
    by_class = marginal.attrs.pop("by_class", None)
    table = marginal.join(joint.estimates)
    if joint.by_class is None or by_class is None:
        return table, by_class
    found, h = joint.by_class, len(classes)
    place = {int(c): i for i, c in enumerate(found["classes"])}
    for name in (*_EFFECT_COLUMNS, "ame_p"):
        values = np.full((len(table), h), np.nan)
        for c, i in place.items():
            values[joint.columns, c] = found[name][:, i]
        by_class[name] = values.ravel()
    strongest = by_class.groupby("position")["separation"].apply(
        lambda s: s.abs().idxmax() if s.notna().any() else -1
    )
    for name in _EFFECT_COLUMNS:
        table[name] = [by_class[name].get(i, np.nan) for i in strongest]
    return table, by_class


def _standardized(table, codes, classes, design, paired):
    """Separation per standard deviation of the target; not within pairs."""
    if paired:
        return np.full(len(table), np.nan)
    if classes is not None:
        codes = codes[:, None] == np.arange(len(classes))
        labels = classes.astype(object).tolist()
        if "separation_class" in table:
            c = [
                labels.index(v) if v in labels else 0 for v in table["separation_class"]
            ]
        else:
            c = [1] * len(table)
    else:
        codes, c = codes[:, None], [0] * len(table)
    weights = np.ones(len(codes)) if design.weights is None else design.weights
    mean = np.average(codes, axis=0, weights=weights)
    sd = np.sqrt(np.average((codes - mean) ** 2, axis=0, weights=weights))
    sd = np.where(sd > 0, sd, np.nan)
    return table["separation"].to_numpy() / sd[c]
