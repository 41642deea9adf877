"""Standard errors of least squares that need neither equal variances nor independence.

Plain functions on arrays. Weighted problems are given as they come out of multiplying
rows by the square roots of the weights.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg, stats

# A leverage this near to 1 means that a coefficient rests on one row or cluster alone.
_FULL_LEVERAGE = 1 - 1e-9


# Rows whose outer products are held in memory at once
_ROWS_AT_ONCE = 4096


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
        What is left.
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

    Parameters
    ----------
    estimate, se, df : array-like
        Estimates, standard errors and degrees of freedom.
    level : float, default=0.95
        Of the intervals.

    Returns
    -------
    lower, upper, p : ndarrays
        NaN where the standard error is NaN or 0.
    """
    estimate, se, df = np.broadcast_arrays(
        np.asarray(estimate, float), np.asarray(se, float), np.asarray(df, float)
    )
    se = np.where(se > 0, se, np.nan)
    half = stats.t.ppf((1 + level) / 2, df) * se
    p = 2 * stats.t.sf(np.abs(estimate) / se, df)
    return estimate - half, estimate + half, p


def least_squares(X, y, *, cov_type="HC3", clusters=None, n_absorbed=0):
    r"""Fit by least squares, with standard errors of a chosen kind.

    With the leverages :math:`h_i` and residuals :math:`e_i`, HC3 is

    .. math:: (X'X)^{-1} \Bigl(\sum_i \frac{e_i^2}{(1 - h_i)^2} x_i x_i' \Bigr)
              (X'X)^{-1},

    and its analogue for clusters, CR3, replaces :math:`e_i / (1 - h_i)` by
    :math:`(I - H_{gg})^{-1} e_g`: both are what the jackknife gives that leaves out one
    row, or one cluster (without its factor (G - 1) / G). Each coefficient is compared
    with t, of which the degrees of freedom are those of Satterthwaite's approximation
    to the variance estimator under equal variances: with few rows (or clusters) on one
    side of a rare annotation they are few, where n - p would be far too many.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The design, of full column rank, with its constant if it has one.
    y : ndarray of shape (n_rows,)
        The target.
    cov_type : {"HC3", "HC2", "nonrobust"}, default="HC3"
        Whether variances may differ. Ignored with clusters. "HC2" divides by the
        square root of :math:`1 - h_i`: closer to the level, and less cautious.
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
    Q, R = linalg.qr(X, mode="economic")
    # column j: the direction in the basis Q whose coefficient is coef[j]
    T = linalg.solve_triangular(R, np.eye(R.shape[0]), trans="T")
    gamma = Q.T @ y
    residuals = y - Q @ gamma
    return infer_coefficients(
        T.T @ gamma,
        residuals,
        Q,
        T,
        cov_type=cov_type,
        clusters=clusters,
        n_absorbed=n_absorbed,
    )


def infer_coefficients(
    coef, residuals, Q, T, *, cov_type="HC3", clusters=None, n_absorbed=0
):
    """Judge coefficients of a (working) linear model by its residuals.

    Parameters
    ----------
    coef : ndarray of shape (n_columns,)
        The coefficients.
    residuals : ndarray of shape (n_rows,)
        Of the working model.
    Q : ndarray of shape (n_rows, n_columns)
        Orthonormal basis of the design.
    T : ndarray of shape (n_columns, n_columns)
        Column j times the coordinates in Q is coefficient j.
    cov_type, clusters, n_absorbed
        As in `least_squares`.

    Returns
    -------
    fit : LinearFit
        The coefficients with their covariance.
    """
    n, p = Q.shape
    if clusters is not None:
        covariance, df = _clustered(residuals, Q, T, clusters)
    elif cov_type == "nonrobust":
        df = np.full(p, float(n - p - n_absorbed))
        covariance = T.T @ T * (residuals @ residuals / df[0])
    else:
        covariance, df = _by_rows(residuals, Q, T, cov_type)
    return LinearFit(coef, covariance, df, residuals)


def _by_rows(residuals, Q, T, cov_type):
    """HC3 or HC2, with the degrees of freedom of each coefficient."""
    leverage = np.einsum("ij,ij->i", Q, Q)
    full = leverage > _FULL_LEVERAGE
    rest = np.where(full, 1.0, 1 - leverage)
    influence = Q @ T / (rest if cov_type == "HC3" else np.sqrt(rest))[:, None]
    covariance = influence.T @ (influence * (residuals**2)[:, None])
    weights = influence**2
    squares = [
        w**2 @ (1 - 2 * leverage) + np.sum((Q.T @ (Q * w[:, None])) ** 2)
        for w in weights.T
    ]
    df = (weights.T @ rest) ** 2 / np.array(squares)
    alone = np.abs(Q[full] @ T).max(axis=0, initial=0.0) > 1e-6
    return _blank(covariance, df, alone)


def _clustered(residuals, Q, T, clusters):
    """CR3 with the degrees of freedom of each coefficient."""
    p = Q.shape[1]
    covariance, cross = np.zeros((p, p)), np.zeros((p, p, p))
    traces, squares, alone = np.zeros(p), np.zeros(p), np.zeros(p, dtype=bool)
    for G, sums in _cluster_products(residuals, Q, clusters):
        values, vectors = np.linalg.eigh(G)
        full = values > _FULL_LEVERAGE
        alone |= (np.abs(np.swapaxes(vectors, 1, 2)[full] @ T) > 1e-6).any(axis=0)
        inverse = np.where(full, 0.0, 1 / np.where(full, 1.0, 1 - values))
        u = (vectors * inverse[:, None]) @ (np.swapaxes(vectors, 1, 2) @ T)
        scores = np.einsum("gij,gi->gj", u, sums)
        covariance += scores.T @ scores
        b = G @ u
        norm, length = np.einsum("gij,gij->gj", u, b), np.einsum("gij,gij->gj", b, b)
        traces += (norm - length).sum(axis=0)
        squares += (norm**2 - 2 * norm * length).sum(axis=0)
        by_column = b.transpose(2, 1, 0)
        cross += by_column @ by_column.transpose(0, 2, 1)
    squares += np.einsum("jik,jik->j", cross, cross)
    return _blank(covariance, traces**2 / squares, alone)


def _cluster_products(residuals, Q, clusters):
    """Yield Q'Q and Q'e of some clusters at a time, as stacks."""
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    first = 0
    while first < len(starts):
        last = np.searchsorted(ends, starts[first] + _ROWS_AT_ONCE, side="right")
        last = max(last, first + 1)
        rows = order[starts[first] : ends[last - 1]]
        own, offsets = Q[rows], starts[first:last] - starts[first]
        if last == first + 1:  # one large cluster
            yield (own.T @ own)[None], (own.T @ residuals[rows])[None]
        else:
            yield (
                np.add.reduceat(own[:, :, None] * own[:, None, :], offsets),
                np.add.reduceat(own * residuals[rows, None], offsets),
            )
        first = last


def _blank(covariance, df, alone):
    """NaN for the coefficients that rest on one row or cluster alone."""
    covariance[alone] = np.nan
    covariance[:, alone] = np.nan
    return covariance, np.where(alone, np.nan, df)
