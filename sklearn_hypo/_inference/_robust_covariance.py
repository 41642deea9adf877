"""Standard errors that need neither equal variances nor independence.

All are made of what each row, or cluster of rows, contributes to an estimate, such as
what it would lose without that unit (HC3, CR3). Contributions of two estimates on
overlapping rows can be added and subtracted, which gives standard errors of
combinations of them.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg, stats

from ._cluster_scores import (
    FULL_LEVERAGE,
    PART,
    adjust_clusters,
    spread_basis,
)
from ._firth import CountedRows, fit_logit, infinite_coefficients, probabilities


@dataclass(frozen=True)
class LinearFit:
    """Coefficients of a linear model with what is needed to judge them.

    Parameters
    ----------
    coef : ndarray of shape (n_columns,)
        Least-squares coefficients.
    covariance : ndarray of shape (n_columns, n_columns)
        Their estimated covariance. Rows and columns are NaN for a coefficient that
        rests on one row or cluster alone.
    df : ndarray of shape (n_columns,)
        Degrees of freedom of the t distribution that each is compared with.
    residuals : ndarray of shape (n_rows,)
        What is left, times the roots of the weights.
    """

    coef: np.ndarray
    covariance: np.ndarray
    df: np.ndarray
    residuals: np.ndarray

    @property
    def se(self):
        """Standard errors."""
        return np.sqrt(np.diag(self.covariance))


def t_inference(estimate, se, df, level=0.95):
    """Interval and two-sided p-value of estimates whose errors follow t.

    Returns lower and upper bounds and p-values; NaN where the standard error is NaN
    or 0.
    """
    estimate, se, df = np.broadcast_arrays(
        np.asarray(estimate, float), np.asarray(se, float), np.asarray(df, float)
    )
    se = np.where(se > 0, se, np.nan)
    half = stats.t.ppf((1 + level) / 2, df) * se
    p = 2 * stats.t.sf(np.abs(estimate) / se, df)
    return estimate - half, estimate + half, p


def least_squares(X, y, *, weights=None, cov_type="auto", clusters=None, n_absorbed=0):
    r"""Fit by least squares, with standard errors of a chosen kind.

    With the leverages :math:`h_i` and residuals :math:`e_i`, HC3 is

    .. math:: (X'X)^{-1} \Bigl(\sum_i \frac{e_i^2}{(1 - h_i)^2} x_i x_i' \Bigr)
              (X'X)^{-1},

    and its analogue for clusters, CR3, replaces :math:`e_i / (1 - h_i)` by
    :math:`(I - H_{gg})^{-1} e_g`: both are what the jackknife gives that leaves out one
    row, or one cluster (without its factor (G - 1) / G). HC2 and CR2 take square roots
    of :math:`1 - h_i` and of the covariance of :math:`e_g` under equal variances
    (without weights :math:`I - H_{gg}`) instead: unbiased if variances are equal.
    Each coefficient is compared with t, of which the degrees of freedom are those of
    Satterthwaite's approximation to the variance estimator under equal variances: with
    few rows (or clusters) on one side of a rare annotation they are few, where n - p
    would be far too many. Variances are equal before weighting, here and there.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The design, of full column rank, with its constant if it has one.
    y : ndarray of shape (n_rows,)
        The target.
    weights : ndarray of shape (n_rows,) or None, default=None
        Positive weights of the rows.
    cov_type : {"auto", "HC3", "HC2", "nonrobust"}, default="auto"
        Whether variances may differ. "HC3" is CR3 with clusters, anything else is then
        CR2; "auto" is HC3 without. "HC2" is closer to the level, and less cautious.
    clusters : ndarray of int of shape (n_rows,) or None, default=None
        Cluster of each row, from 0 on.
    n_absorbed : int, default=0
        Further columns that X and y were cleared of (levels of fixed effects, which
        must lie within clusters).

    Returns
    -------
    fit : LinearFit
        The coefficients.

    References
    ----------
    .. [1] J. G. MacKinnon, H. White (1985). "Some heteroskedasticity-consistent
       covariance matrix estimators with improved finite sample properties". Journal
       of Econometrics 29.
    .. [2] R. M. Bell, D. F. McCaffrey (2002). "Bias reduction in standard errors for
       linear regression with multi-stage samples". Survey Methodology 28.
    .. [3] J. E. Pustejovsky, E. Tipton (2018). "Small-sample methods for
       cluster-robust variance estimation and hypothesis testing in fixed effects
       models". Journal of Business & Economic Statistics 36.

    Examples
    --------
    One row in four has the annotation; its two sides differ in spread:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._robust_covariance import least_squares
    >>> rng = np.random.default_rng(0)
    >>> a = np.arange(200) % 4 == 0
    >>> y = a + rng.normal(size=200) * np.where(a, 3, 1)
    >>> fit = least_squares(np.column_stack([np.ones(200), a]), y)
    >>> fit.se.round(3), fit.df.round(1)
    (array([0.08 , 0.409]), array([149. ,  83.6]))
    """
    if weights is not None:
        root = np.sqrt(weights)
        X, y = X * root[:, None], y * root
    Q, T = orthonormalize(X)
    gamma = Q.T @ y
    return infer_coefficients(
        T.T @ gamma,
        y - Q @ gamma,
        Q,
        T,
        weights=weights,
        cov_type=cov_type,
        clusters=clusters,
        n_absorbed=n_absorbed,
    )


def name_covariance(cov_type, clustered):
    """Return the kind of standard errors that a report states.

    Clustered ones are "cluster" (CR2) unless CR3 was asked for.
    """
    if clustered:
        return "CR3" if cov_type == "HC3" else "cluster"
    return "HC3" if cov_type == "auto" else cov_type


def orthonormalize(X):
    """Return a basis Q, and T: its column j makes coefficient j of coordinates in Q."""
    Q, R = linalg.qr(X, mode="economic")
    return Q, linalg.solve_triangular(R, np.eye(R.shape[0]), trans="T")


def infer_coefficients(
    coef,
    residuals,
    Q,
    T,
    *,
    weights=None,
    cov_type="auto",
    clusters=None,
    n_absorbed=0,
):
    """Judge coefficients of a (working) linear model by its residuals.

    Q and T are those of its weighted design, from `orthonormalize`; of T (and coef) the
    columns of the coefficients in question are enough. The rest is as in
    `least_squares`.
    """
    n, p = Q.shape
    k = T.shape[1]
    if clusters is not None:
        kind = "CR3" if cov_type == "HC3" else "CR2"
        options = {"weights": weights, "absorbed": n_absorbed > 0}
        change, df, alone = adjust_clusters(
            residuals, Q, T, clusters, kind=kind, **options
        )
        covariance = change.T @ change
    elif cov_type == "nonrobust":
        df, alone = np.full(k, float(n - p - n_absorbed)), np.zeros(k, dtype=bool)
        covariance = T.T @ T * (residuals @ residuals / df[0])
    else:
        power = 0.5 if cov_type == "HC2" else 1.0
        slopes, _, df, alone = judge_rows(Q, T, power, weights)
        covariance = slopes.T @ (slopes * (residuals**2)[:, None])
    covariance[alone] = np.nan
    covariance[:, alone] = np.nan
    return LinearFit(coef, covariance, np.where(alone, np.nan, df), residuals)


def judge_rows(Q, T, power=0.5, weights=None):
    """Return what makes HC2 (power 0.5) or HC3 (1) of any residuals.

    Q, T and weights are as for `infer_coefficients`.

    Returns
    -------
    slopes : ndarray of shape (n_rows, n_columns)
        Times residuals, their squares sum to the variances.
    rest : ndarray of shape (n_rows,)
        1 - leverage; 1 where that is 0.
    df : ndarray of shape (n_columns,)
        Satterthwaite's, under equal variances before weighting; NaN for what is alone.
    alone : ndarray of bool of shape (n_columns,)
        Whether a coefficient rests on one row.
    """
    slopes, rest, alone = _leave_rows_out(Q, T, power)
    df = np.where(alone, np.nan, satterthwaite_of_rows(slopes, Q, weights))
    return slopes, rest, df, alone


def _leave_rows_out(Q, T, power=1.0):
    """What each coefficient loses without a row, per residual.

    Returns this, divided by a power of 1 - leverage, that itself (1 for 0), and which
    coefficients rest on one row alone.
    """
    leverage = np.einsum("ij,ij->i", Q, Q)
    full = leverage > FULL_LEVERAGE
    rest = np.where(full, 1.0, 1 - leverage)
    alone = np.abs(Q[full] @ T).max(axis=0, initial=0.0) > PART
    return Q @ T / (rest**power)[:, None], rest, alone


def satterthwaite_of_rows(slopes, Q, weights):
    """Degrees of freedom of sums of squares of residuals times slopes."""
    U, C = spread_basis(Q, weights)
    loads = slopes**2 if weights is None else slopes**2 * weights[:, None]
    rest = 1 + np.einsum("ik,ik->i", U @ C, U)  # variances of residuals
    squares = []
    for load in loads.T:
        middle = C @ (U.T @ (U * load[:, None]))
        squares.append(load**2 @ (2 * rest - 1) + np.sum(middle * middle.T))
    with np.errstate(divide="ignore", invalid="ignore"):  # what rests on no row
        return (loads.T @ rest) ** 2 / np.array(squares)


@dataclass(frozen=True)
class Influence:
    """Estimates with the contributions of the units that they are made of.

    Parameters
    ----------
    estimate : ndarray of shape (n_estimates,)
        The estimates.
    change : ndarray of shape (n_units, n_estimates)
        What the estimate loses without the unit (jackknife). Their squares sum to the
        variance.
    load : ndarray of shape (n_rows, n_estimates)
        Change for a residual of working size, row by row, which tells how many rows
        the estimate rests on.
    units : ndarray of int of shape (n_rows,) or None, default=None
        Unit of each row; None: each row is its own.
    """

    estimate: np.ndarray
    change: np.ndarray
    load: np.ndarray
    units: np.ndarray | None = None

    @property
    def se(self):
        """Standard errors: HC3 for rows, CR3 for clusters."""
        return np.sqrt((self.change**2).sum(axis=0))

    @property
    def df(self):
        """Degrees of freedom, as if residuals had the working size."""
        return satterthwaite_df(self.load, self.units)


def satterthwaite_df(load, units=None):
    r"""Degrees of freedom of a sum of squares of independent normal contributions.

    Satterthwaite's, for contributions of standard deviations :math:`d_u`:

    .. math:: \Bigl(\sum_u d_u^2\Bigr)^2 \Big/ \sum_u d_u^4

    The rows of a unit may err together or apart: the larger of both counts. From 1
    (one unit does it all) to n_units (all do the same).

    Examples
    --------
    Two large contributions among a hundred small ones:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._robust_covariance import satterthwaite_df
    >>> satterthwaite_df(np.array([[1.0], [1.0]] + [[0.1]] * 100)).round(2)
    array([4.48])
    """
    squares = load**2
    if units is not None:
        together = np.column_stack([np.bincount(units, weights=c) for c in load.T])
        apart = np.column_stack([np.bincount(units, weights=c) for c in squares.T])
        squares = np.maximum(together**2, apart)
    with np.errstate(invalid="ignore", divide="ignore"):
        return squares.sum(axis=0) ** 2 / (squares**2).sum(axis=0)


def linear_influence(X, y, weights, units=None):
    r"""Fit by weighted least squares, and take every unit out once.

    Without the rows of unit u, the coefficients are smaller by

    .. math:: \hat\beta - \hat\beta_{(u)}
              = (X'WX - X_u'W_uX_u)^{-1} X_u'W_u (y_u - X_u \hat\beta),

    exactly.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Design of full column rank, with its constant.
    y : ndarray of shape (n_rows,)
        The target.
    weights : ndarray of shape (n_rows,)
        Non-negative weights.
    units : ndarray of int of shape (n_rows,) or None, default=None
        Cluster of each row, from 0 on without gaps. None: each row is its own.

    Returns
    -------
    influence : Influence
        Of the coefficients. Changes are NaN where a coefficient rests on one unit.

    Examples
    --------
    Left out, the last row would take its distance to the mean of the others along:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._robust_covariance import linear_influence
    >>> fit = linear_influence(np.ones((3, 1)), np.array([0.0, 0.0, 3.0]), np.ones(3))
    >>> fit.estimate, fit.change.ravel()
    (array([1.]), array([-0.5, -0.5,  1. ]))
    """
    root = np.sqrt(weights)
    Q, T = orthonormalize(X * root[:, None])
    gamma = Q.T @ (y * root)
    residuals = y * root - Q @ gamma
    spare = 1 - X.shape[1] / len(X)
    sd = np.sqrt(residuals @ residuals / weights.sum() / max(spare, 1 / len(X)))
    # residuals of working size have equal variances before the weights
    return _measure_influence(T.T @ gamma, residuals, sd * root, Q, T, units)


def logit_influence(X, y, weights, units=None):
    """Fit a logit by maximum likelihood, and take every unit out by one Newton step.

    Parameters
    ----------
    X, y, weights, units
        As for `linear_influence`; y is 1 or 0.

    Returns
    -------
    influence : Influence or None
        Of the coefficients. None if there is no finite maximum (the annotations
        separate the classes) or it was not found.

    Examples
    --------
    Odds of 1 to 1 and of 3 to 1:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._robust_covariance import logit_influence
    >>> a = np.repeat([0.0, 1.0], 4)
    >>> y = np.array([0.0, 0, 1, 1, 0, 1, 1, 1])
    >>> fit = logit_influence(np.column_stack([np.ones(8), a]), y, np.ones(8))
    >>> np.exp(fit.estimate).round(3)
    array([1., 3.])
    """
    rows = CountedRows(X, weights[:, None] * np.column_stack([1 - y, y]))
    fit = fit_logit(rows)
    if not fit.converged or infinite_coefficients(rows, fit).any():
        return None
    p = probabilities(X, fit.coef, 1)[:, 1]
    root = np.sqrt(weights * p * (1 - p))
    Q, T = orthonormalize(X * root[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = np.where(root > 0, weights * (y - p) / root, 0.0)
    return _measure_influence(fit.coef, pearson, np.sqrt(weights), Q, T, units)


def _measure_influence(estimate, residuals, working, Q, T, units):
    """Take every unit out of a (working) linear model.

    Loads are for residuals of working size; changes are NaN where a coefficient rests
    on one unit.
    """
    if units is None:
        slopes, _, alone = _leave_rows_out(Q, T)
        change = slopes * residuals[:, None]
    else:
        slopes = Q @ T
        change, _, alone = adjust_clusters(residuals, Q, T, units, kind="CR3")
    change[:, alone] = np.nan
    return Influence(estimate, change, slopes * working[:, None], units)
