"""One regression of the target on all annotations at once.

Everything here works on arrays and knows no estimator. What cannot be estimated is
NaN and leaves a note that names the column.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from scipy import linalg

from ._design import Design
from ._design_matrix import (
    DesignMatrix,
    find_complete_cases,
    find_first_equal,
    find_independent_columns,
    make_design_matrix,
    spread,
)
from ._logit import fit_binary, fit_multinomial
from ._permutations import JointModel, permute_joint
from ._robust_covariance import least_squares, name_covariance, t_inference
from ._step_down import NullDistribution
from ._testable import FEWEST
from ._wild_clusters import flip_clusters_joint

COEFFICIENT_COLUMNS = (
    "coef",
    "coef_se",
    "coef_lower",
    "coef_upper",
    "coef_p",
    "coef_df",
    "coef_std",
)

# Share of the variance of y left unexplained below which y is an exact function of
# the annotations, and t statistics are ratios of rounding errors.
_PERFECT_FIT = 1e-12


@dataclass
class JointFit:
    """What the joint regression found.

    Parameters
    ----------
    estimates : DataFrame of n_hypotheses rows
        The columns `COEFFICIENT_COLUMNS` and, for classes, odds ratios and average
        marginal effects; NaN where nothing could be estimated.
    tested : ndarray of shape (n_hypotheses,) and dtype bool
        Which hypotheses count in a correction for multiple tests. It depends on the
        annotations only, never on y.
    method : str, default=""
        What was fitted.
    cov_type : str, default=""
        Kind of the standard errors.
    covariates : DataFrame or None, default=None
        Their estimates.
    by_class : DataFrame or None, default=None
        Average marginal effects by hypothesis and class, for more than two classes.
    rows : ndarray of shape (n_rows,) and dtype bool, or None
        Rows in the regression.
    columns : list of int
        Hypotheses in the regression.
    metrics : dict of str to float
        "r2" and "r2_adjusted", or "roc_auc" and "pseudo_r2": of the hypotheses, which
        is what they add to covariates and fixed effects.
    fitted : ndarray of shape (n_fitted_rows, n_outputs) or None, default=None
        Fitted values; for classes what ranks the rows.
    baseline : dict of str to float
        What covariates and fixed effects reach alone; empty without any.
    baseline_fitted : ndarray of shape (n_fitted_rows, n_outputs) or None, default=None
        Fitted values of these alone.
    controls : DesignMatrix or None, default=None
        What the regression holds beside the hypotheses.
    null : NullDistribution or None, default=None
        Of all hypotheses, with NaN for those not in the regression; None where nothing
        can be drawn.
    find_interval : callable or None, default=None
        From uncorrected levels, by hypothesis, to lower and upper ends of intervals of
        the coefficients. None where these have none, or have them by their errors.
    """

    estimates: pd.DataFrame
    tested: np.ndarray
    method: str = ""
    cov_type: str = ""
    covariates: pd.DataFrame | None = None
    by_class: pd.DataFrame | None = None
    rows: np.ndarray | None = None
    columns: list = field(default_factory=list)
    metrics: dict = field(default_factory=dict)
    fitted: np.ndarray | None = None
    baseline: dict = field(default_factory=dict)
    baseline_fitted: np.ndarray | None = None
    controls: DesignMatrix | None = None
    null: NullDistribution | None = None
    find_interval: Callable | None = None


@dataclass(frozen=True)
class Problem:
    """The annotations in a regression, what stands beside them, and the target.

    Classes are coded from 0 on.
    """

    annotations: np.ndarray
    controls: DesignMatrix
    y: np.ndarray
    design: Design

    @property
    def regressors(self):
        """All columns, the hypotheses first."""
        return np.column_stack([self.annotations, self.controls.values])


def joint_regression(A, y, n_classes, columns, design, notes, *, cov_type, rng=None):
    """Regress y on the annotations, over the rows that answer all of them.

    Ordinary least squares for a quantity, a logit for two classes and a multinomial
    logit for more; with a constant, unless the rows are differences within pairs.

    Parameters
    ----------
    A, y, design, notes
        As in `marginal_tests`.
    n_classes : int or None
        None for a quantity.
    columns : list of int
        The columns of A that vary at all.
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}
        Kind of the standard errors. "auto": for quantities pooled ones, or HC2 where
        spreads differ (see `Studentizer`), for classes that of the model. With
        clusters always clustered: of quantities CR2, but CR3 for "HC3".
    rng : Generator or None, default=None
        Draws null distributions. None: there are none.

    Returns
    -------
    fit : JointFit
        The estimates.
    """
    n_hypotheses = A.shape[1]
    estimates = pd.DataFrame(
        np.nan, index=range(n_hypotheses), columns=list(COEFFICIENT_COLUMNS)
    )
    fit = JointFit(estimates, np.zeros(n_hypotheses, dtype=bool))
    columns, rows, constant = find_complete_cases(A, columns, design.paired)
    for j, n in constant.items():
        notes.add(j, "constant_joint", f"{n} rows")
    _note_lost_rows(A, columns, rows, notes)
    columns = _drop_few(A[rows], columns, design.paired, notes)
    columns = _drop_twins(A[rows], columns, notes)
    n_rows = int(rows.sum())
    if not columns:
        notes.add_general(
            "No hypothesis can be in the joint regression: none varies and rests on "
            "enough texts."
        )
        return fit
    design = design.take(rows)
    controls = make_design_matrix(design, n_rows, linear=n_classes is None, notes=notes)
    n_needed = len(columns) + controls.n_used
    if n_rows <= n_needed:
        notes.add_general(
            f"The joint regression was not run: {n_rows} of {len(A)} rows have an "
            f"answer to all {len(columns)} hypotheses that can be in it, and more "
            f"than {n_needed} are needed. Its coefficients are NaN."
        )
        return fit
    cleared = controls.clear(A[rows])
    columns = _drop_dependent(cleared, controls.values, columns, notes)
    constant = not np.any(y[rows]) if design.paired else spread(y[rows]) == 0
    if constant or not columns:
        if constant:
            notes.add_general(
                f"The joint regression was not run: y takes a single value on the "
                f"{n_rows} rows in it. Its coefficients are NaN."
            )
        return fit
    fit.tested[columns] = True
    fit.rows, fit.columns, fit.controls = rows, columns, controls
    problem = Problem(cleared[:, columns], controls, y[rows], design)
    _fit_problem(fit, problem, n_classes, cov_type, notes, rng)
    return fit


# Which rows and which columns -----------------------------------------------------


def _note_lost_rows(A, columns, rows, notes):
    if columns and rows.sum() < len(A) / 2:
        missing = np.isnan(A[:, columns]).sum(axis=0)
        worst = int(np.argmax(missing))
        notes.add_general(
            f"Only {int(rows.sum())} of {len(A)} rows have an answer to all of the "
            f"{len(columns)} hypotheses of the joint regression. The most answers "
            f"are missing for {notes.name(columns[worst])} ({missing[worst]})."
        )


def _drop_few(A, columns, paired, notes):
    """Keep the columns that enough complete cases hold, and do not hold."""
    kept = []
    for j in columns:
        counts = np.unique(A[:, j], return_counts=True)[1]
        if paired or len(counts) != 2 or counts.min() >= FEWEST:
            kept.append(j)
        else:
            detail = f"true of {counts[1]} of {len(A)} in the regression"
            notes.add(j, "untestable", detail)
    return kept


def _drop_twins(A, columns, notes):
    """Keep the first of several equal columns."""
    if not len(A):  # of no rows all are equal
        return columns
    originals = [columns[i] for i in find_first_equal(A[:, columns])]
    for j, original in zip(columns, originals, strict=True):
        if original != j:
            notes.add(j, "twin", f"the same as {notes.name(original)}")
    return list(dict.fromkeys(originals))


def _drop_dependent(A, controls, columns, notes):
    """Keep the columns that are no linear combination of earlier ones.

    Constant, covariates and fixed effects come first, so that the opposite of a column
    is a combination of it.
    """
    kept = [columns[i] for i in find_independent_columns(A[:, columns], controls)]
    for position, j in enumerate(columns):
        if j not in kept:
            earlier = [i for i in kept if i in columns[:position]]
            parts = _find_parts(A, controls, earlier, j)
            by = ", ".join(map(notes.name, parts)) or "the covariates"
            notes.add(j, "dependent", f"determined by {by}")
    return kept


def _find_parts(A, controls, kept, j):
    """Which of the kept columns column j is a combination of."""
    regressors = np.column_stack([A[:, kept], controls])
    weights = np.linalg.lstsq(regressors, A[:, j], rcond=None)[0][: len(kept)]
    return [i for i, weight in zip(kept, weights, strict=True) if abs(weight) > 1e-6]


# The fit --------------------------------------------------------------------------


def _fit_problem(fit, problem, n_classes, cov_type, notes, rng):
    """Fit the model that the target asks for, and write what it found into `fit`."""
    if n_classes is None:
        found = _fit_ols(problem, cov_type, fit.columns, notes, rng)
    else:
        present, codes = np.unique(problem.y, return_inverse=True)
        if len(present) == 2 or problem.design.paired:
            y = problem.y if problem.design.paired else codes
            found = fit_binary(problem, y, cov_type, fit.columns, notes)
        else:
            found = fit_multinomial(
                problem, codes, present, cov_type, fit.columns, notes
            )
    estimates, null = found.pop("estimates"), found.pop("null", None)
    if null is not None:
        fit.null = null.place(fit.columns, len(fit.estimates))
    find_own = found.pop("find_interval", None)
    if find_own is not None:
        fit.find_interval = partial(_place_interval, find_own, fit)
    for name, value in found.items():
        setattr(fit, name, value)
    h = len(fit.columns)
    for name, values in estimates.items():
        column = np.full(len(fit.estimates), np.nan)
        column[fit.columns] = values[:h]
        fit.estimates[name] = column
    if problem.controls.names and estimates:
        first = h + int(problem.controls.has_constant)
        fit.covariates = _make_covariate_table(estimates, first, problem.controls)


def _place_interval(find_own, fit, level):
    """Intervals of all hypotheses, NaN for those that are not in the regression."""
    ends = np.full((2, len(fit.estimates)), np.nan)
    level = np.broadcast_to(level, ends.shape[1])
    ends[:, fit.columns] = find_own(level[fit.columns])
    return ends[0], ends[1]


def _make_covariate_table(estimates, first, controls):
    """Estimates of the covariates, in their own units."""
    names, blank = controls.names, np.full(first + len(controls.names), np.nan)
    table = pd.DataFrame({"name": pd.Series(names, dtype=object)})
    for name in COEFFICIENT_COLUMNS[:5]:
        values = estimates.get(name, blank)[first : first + len(names)]
        table[name] = values if name == "coef_p" else values / controls.scale
    return table


def _fit_ols(problem, cov_type, columns, notes, rng):
    """Least squares, with studentized permutations or standard errors of a kind."""
    X, design, controls = problem.regressors, problem.design, problem.controls
    y = controls.clear(problem.y)
    root = np.ones(len(y)) if design.weights is None else np.sqrt(design.weights)
    studentized = cov_type == "auto" and design.clusters is None
    solved = least_squares(
        X,
        y,
        weights=design.weights,
        cov_type="HC2" if studentized else cov_type,
        clusters=design.clusters,
        n_absorbed=controls.n_absorbed,
    )
    null, h, se, df = None, len(columns), solved.se, solved.df
    if studentized:
        model = JointModel(X, h, design.weights)
        null, own = permute_joint(
            model, y, rng, paired=design.paired, strata=design.levels
        )
        se[:h], df[:h] = np.sqrt(own.variance[0]), own.df[0]
    elif cov_type == "auto" and rng is not None:
        absorbed = controls.n_absorbed > 0
        options = {"weights": design.weights, "absorbed": absorbed}
        null, _ = flip_clusters_joint(X, y, design.clusters, h, rng, **options)
    estimates = {"coef": solved.coef}
    sd_y = _sd(y, root, not design.paired)
    unexplained = solved.residuals @ solved.residuals / np.sum(root**2) / sd_y**2
    if unexplained < _PERFECT_FIT:
        null = None
        notes.add_general(
            "y is an exact linear function of the annotations, so the joint "
            "regression leaves no residuals to judge by: its standard errors and "
            "p-values are NaN."
        )
    else:
        lower, upper, p = t_inference(solved.coef, se, df)
        estimates |= {
            "coef_se": se,
            "coef_lower": lower,
            "coef_upper": upper,
            "coef_p": p,
            "coef_df": df,
        }
        what = "row" if design.clusters is None else "group"
        for position in np.flatnonzero(np.isnan(df[: len(columns)])):
            notes.add(columns[position], "single", f"one {what}")
    estimates["coef_std"] = solved.coef * _sd(X, root, not design.paired) / sd_y
    return {
        "method": "OLS" if design.weights is None else "WLS",
        "cov_type": "HC2 or pooled"
        if studentized
        else name_covariance(cov_type, design.clusters is not None),
        "estimates": estimates,
        "null": null if rng is not None else None,
        **_measure_fit(problem, y * root, solved.residuals, root),
    }


def _measure_fit(problem, y, residuals, root):
    """What the hypotheses add to R², and what covariates and levels have alone.

    R² is measured against all variation of the target, whether levels are absorbed
    or not. Both R² adjusted for their numbers of columns, their difference is 0 on
    average if no hypothesis has an effect.
    """
    controls, target, paired = problem.controls, problem.y, problem.design.paired
    basis = linalg.qr(controls.values * root[:, None], mode="economic")[0]
    alone = y - basis @ (basis.T @ y)
    n, total = len(target), np.sum(root**2) * _sd(target, root, not paired) ** 2
    before, after = alone @ alone, residuals @ residuals
    n_used = controls.n_used + problem.annotations.shape[1]
    adjusted = before / (n - controls.n_used) - after / (n - n_used)
    found = {
        "metrics": {
            "r2": (before - after) / total,
            "r2_adjusted": adjusted * (n - (not paired)) / total,
        },
        "fitted": (target - residuals / root)[:, None],
    }
    if controls.explains:
        found["baseline"] = {"r2": 1 - before / total}
        found["baseline_fitted"] = (target - alone / root)[:, None]
    return found


def _sd(values, root, center):
    """Weighted standard deviation of each column."""
    weights = root**2 / np.sum(root**2)
    mean = weights @ values if center else 0.0
    return np.sqrt(weights @ (values - mean) ** 2)
