"""One regression of the target on all annotations at once.

Everything here works on arrays and knows no estimator. What cannot be estimated is
NaN and leaves a remark that names the column.
"""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import linprog
from sklearn.metrics import roc_auc_score
from statsmodels.discrete.discrete_model import Logit, MNLogit
from statsmodels.regression.linear_model import OLS

COEFFICIENT_COLUMNS = ("coef", "coef_se", "coef_lower", "coef_upper", "coef_p")

# Relative length below which what remains of a column, after the earlier columns
# are projected out, is rounding error.
_RANK_TOLERANCE = 1e-8
# Share of the variance of y left unexplained below which y is an exact function of
# the annotations, and t statistics are ratios of rounding errors.
_PERFECT_FIT = 1e-12


def spread(y):
    """Range of y; 0 where it is rounding error."""
    width = np.ptp(y)
    return width if width > 1e-12 * np.abs(y).max() else 0.0


@dataclass
class JointFit:
    """What the joint regression found.

    Parameters
    ----------
    estimates : DataFrame of shape (n_hypotheses, 5)
        The columns `COEFFICIENT_COLUMNS`; NaN where nothing could be estimated.
    tested : ndarray of shape (n_hypotheses,) and dtype bool
        Which hypotheses count in a correction for multiple tests. It depends on the
        annotations only, never on y: a hypothesis whose coefficient could not be
        estimated because it separates the classes was tested nevertheless.
    n_rows : int, default=0
        Rows in the regression.
    n_columns : int, default=0
        Hypotheses in the regression.
    metrics : dict of str to float
        "r2" and "r2_adjusted", or "roc_auc" and "pseudo_r2".
    """

    estimates: pd.DataFrame
    tested: np.ndarray
    n_rows: int = 0
    n_columns: int = 0
    metrics: dict = field(default_factory=dict)


def joint_regression(A, y, n_classes, columns, remarks):
    """Regress y on the annotations, over the rows that answer all of them.

    Ordinary least squares with classical standard errors for a quantity (the
    protocol of Movva et al. 2025, arXiv 2502.04382), a logit with Wald tests for
    two classes, and for more a multinomial logit with one likelihood-ratio test
    per hypothesis; always with an intercept.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        Annotations: 1, 0 or NaN.
    y : ndarray of shape (n_rows,)
        The target; class codes from 0 for classes.
    n_classes : int or None
        None for a quantity.
    columns : list of int
        The columns of A that vary at all.
    remarks : Remarks
        Receives what went wrong, by column.

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
    columns, rows = _complete_cases(A, columns, remarks)
    columns = _without_twins(A[rows], columns, remarks)
    n_rows = int(rows.sum())
    if not columns:
        remarks.say("No hypothesis can be in the joint regression: none varies.")
        return fit
    if n_rows <= len(columns) + 1:
        remarks.say(
            f"The joint regression was not run: {n_rows} of {len(A)} rows have an "
            f"answer to all {len(columns)} hypotheses that can be in it, and more "
            f"than {len(columns) + 1} are needed. Its coefficients are NaN."
        )
        return fit
    columns = _without_dependent(A[rows], columns, remarks)
    if spread(y[rows]) == 0:
        remarks.say(
            f"The joint regression was not run: y takes a single value on the "
            f"{n_rows} rows in it. Its coefficients are NaN."
        )
        return fit
    fit.tested[columns] = True
    fit_model = _fit_ols if n_classes is None else _fit_classes
    found, kept, metrics = fit_model(A[rows], y[rows], columns, remarks)
    for name, estimates in found.items():
        fit.estimates.loc[kept, name] = estimates
    fit.n_rows, fit.n_columns, fit.metrics = n_rows, len(kept), metrics
    return fit


# Which rows and which columns -----------------------------------------------------


def _complete_cases(A, columns, remarks):
    """Rows that answer every column; columns that still vary on them.

    A column that no longer varies is left out first, and its missing answers then
    cost no rows: hence the loop.
    """
    while True:
        rows = ~np.isnan(A[:, columns]).any(axis=1)
        if not rows.any():
            break
        constant = [j for j in columns if np.ptp(A[rows, j]) == 0]
        if not constant:
            break
        for j in constant:
            remarks.add(j, "constant_joint", f"{int(rows.sum())} rows")
        columns = [j for j in columns if j not in constant]
    _remark_lost_rows(A, columns, rows, remarks)
    return columns, rows


def _remark_lost_rows(A, columns, rows, remarks):
    if columns and rows.sum() < len(A) / 2:
        missing = np.isnan(A[:, columns]).sum(axis=0)
        worst = int(np.argmax(missing))
        remarks.say(
            f"Only {int(rows.sum())} of {len(A)} rows have an answer to all of the "
            f"{len(columns)} hypotheses of the joint regression. The most answers "
            f"are missing for {remarks.name(columns[worst])} ({missing[worst]})."
        )


def _without_twins(A, columns, remarks):
    """Keep the first of several equal columns."""
    first = {}
    for j in columns:
        original = first.setdefault(A[:, j].tobytes(), j)
        if original != j:
            remarks.add(j, "twin", f"the same as {remarks.name(original)}")
    return list(first.values())


def _without_dependent(A, columns, remarks):
    """Keep the columns that are no linear combination of earlier ones.

    The constant counts as the first column, so that the opposite of a column is a
    combination of it.
    """
    basis = np.full((len(A), 1), len(A) ** -0.5)
    kept = []
    for j in columns:
        rest = A[:, j]
        for _ in range(2):  # once more, against rounding error
            rest = rest - basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        if length > _RANK_TOLERANCE * np.linalg.norm(A[:, j]):
            basis = np.column_stack([basis, rest / length])
            kept.append(j)
        else:
            parts = ", ".join(remarks.name(i) for i in _parts(A, kept, j))
            remarks.add(j, "dependent", f"determined by {parts}")
    return kept


def _parts(A, kept, j):
    """Which of the kept columns column j is a combination of."""
    design = np.column_stack([np.ones(len(A)), A[:, kept]])
    weights = np.linalg.lstsq(design, A[:, j], rcond=None)[0][1:]
    return [i for i, weight in zip(kept, weights, strict=True) if abs(weight) > 1e-6]


# The models -----------------------------------------------------------------------


def _fit_ols(A, y, columns, remarks):
    """Ordinary least squares with classical standard errors."""
    result = OLS(y, _design(A, columns)).fit()
    metrics = {"r2": result.rsquared, "r2_adjusted": result.rsquared_adj}
    if 1 - result.rsquared < _PERFECT_FIT:
        remarks.say(
            "y is an exact linear function of the annotations, so the joint "
            "regression leaves no residuals to judge by: its standard errors and "
            "p-values are NaN."
        )
        return {"coef": result.params[1:]}, columns, metrics
    return _wald(result), columns, metrics


def _fit_classes(A, codes, columns, remarks):
    """A logit for two classes, a multinomial logit for more."""
    present, codes = np.unique(codes, return_inverse=True)
    columns = _without_separating(A, codes, len(present), columns, remarks)
    if not columns:
        return {}, [], {}
    binary = len(present) == 2
    model = Logit if binary else MNLogit
    result = _converged(model, codes, _design(A, columns))
    found = {}
    if result is not None:
        found = _wald(result) if binary else _drop_one(result, A, columns)
    if not found or not np.isfinite(list(found.values())).all():
        names = ", ".join(remarks.name(j) for j in columns)
        remarks.say(
            f"The joint logit of {len(columns)} hypotheses on {len(A)} rows did not "
            f"converge. Its coefficients and p-values are NaN: {names}."
        )
        return {}, [], {}
    probability = result.predict()
    metrics = {
        "roc_auc": roc_auc_score(codes, probability, multi_class="ovr"),
        "pseudo_r2": result.prsquared,
    }
    return found, columns, metrics


def _design(A, columns):
    return np.column_stack([np.ones(len(A)), A[:, columns]])


def _wald(result):
    """Coefficients with 95% intervals, without the intercept."""
    lower, upper = result.conf_int(alpha=0.05).T
    values = (result.params, result.bse, lower, upper, result.pvalues)
    return {
        name: value[1:] for name, value in zip(COEFFICIENT_COLUMNS, values, strict=True)
    }


def _drop_one(result, A, columns):
    """Likelihood-ratio test of each column: its coefficients for all classes are 0."""
    p_values = []
    for j in columns:
        others = [i for i in columns if i != j]
        reduced = _converged(MNLogit, result.model.endog, _design(A, others))
        if reduced is None:
            return {}
        statistic = max(2 * (result.llf - reduced.llf), 0.0)
        p_values.append(stats.chi2.sf(statistic, result.model.J - 1))
    return {"coef_p": np.array(p_values)}


def _converged(model, y, design):
    """Fit by maximum likelihood; None unless it converged."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Every way to fail ends in one remark by the caller.
        warnings.simplefilter("ignore")
        try:
            result = model(y, design).fit(method="newton", maxiter=100, disp=0)
        except (np.linalg.LinAlgError, FloatingPointError):
            return None
        if not result.mle_retvals["converged"]:
            return None
        return result if np.isfinite(result.llf) else None


# Separation -----------------------------------------------------------------------


def _without_separating(A, codes, n_classes, columns, remarks):
    """Set aside columns whose coefficient would be infinite.

    First each column on its own (some class is never, or always, where the column
    is 1, or where it is 0), then combinations of the columns that are left.
    """
    counts = f"{len(A)} rows"
    alone = [j for j in columns if _has_empty_cell(A[:, j], codes, n_classes)]
    for j in alone:
        remarks.add(j, "separates", f"{int(A[:, j].sum())} of {counts}")
    columns = [j for j in columns if j not in alone]
    for c in range(1 if n_classes == 2 else 0, n_classes):
        while columns and (together := _separating(A, codes == c, columns)):
            for j in together:
                remarks.add(j, "separates_jointly", counts)
            columns = [j for j in columns if j not in together]
    return columns


def _has_empty_cell(a, codes, n_classes):
    cells = a.astype(int) * n_classes + codes
    return (np.bincount(cells, minlength=2 * n_classes) == 0).any()


def _separating(A, is_class, columns):
    """Columns whose logit coefficients have no finite estimate.

    Separation means that some direction b has s_i x_i'b >= 0 in every row, and > 0
    in one (s_i = 1 in the class, else -1). A linear programme finds the direction
    that does so most, and its non-zero entries are the columns in question (Konis
    2007, "Linear programming algorithms for detecting separated data in binary
    logistic regression models", thesis, University of Oxford).
    """
    signed = np.where(is_class, 1.0, -1.0)[:, None] * _design(A, columns)
    signed = np.unique(signed, axis=0)
    solution = linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(len(signed)),
        bounds=(-1, 1),
        method="highs",
    )
    # The solver keeps its constraints to 1e-7 only, so a direction must do more.
    if solution.status != 0 or (signed @ solution.x).max() < 1e-4:
        return []
    return [j for j, b in zip(columns, solution.x[1:], strict=True) if abs(b) > 1e-4]
