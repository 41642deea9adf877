"""What every row, or cluster of rows, contributes to an estimate.

Plain functions on arrays. Contributions of two estimates on overlapping rows can be
added and subtracted, which gives standard errors of combinations of them.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

# A leverage this near to 1 means that an estimate rests on one row or cluster alone.
_FULL_LEVERAGE = 1 - 1e-9


_NEWTON_STEPS = 50


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

    Parameters
    ----------
    load : ndarray of shape (n_rows, n_estimates)
        The standard deviations, with a sign.
    units : ndarray of int of shape (n_rows,) or None, default=None
        Unit of each row. The rows of a unit may err together or apart: the larger of
        both counts.

    Returns
    -------
    df : ndarray of shape (n_estimates,)
        From 1 (one unit does it all) to n_units (all do the same).

    Examples
    --------
    Two large contributions among a hundred small ones:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._influence import satterthwaite_df
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

    References
    ----------
    .. [1] J. G. MacKinnon, H. White (1985). "Some heteroskedasticity-consistent
       covariance matrix estimators with improved finite sample properties". Journal
       of Econometrics 29, 305-325.
    .. [2] R. M. Bell, D. F. McCaffrey (2002). "Bias reduction in standard errors for
       linear regression with multi-stage samples". Survey Methodology 28, 169-181.

    Examples
    --------
    Left out, the last row would take its distance to the mean of the others along:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._influence import linear_influence
    >>> fit = linear_influence(np.ones((3, 1)), np.array([0.0, 0.0, 3.0]), np.ones(3))
    >>> fit.estimate, fit.change.ravel()
    (array([1.]), array([-0.5, -0.5,  1. ]))
    """
    root = np.sqrt(weights)
    Q, R = linalg.qr(X * root[:, None], mode="economic")
    z = y * root
    gamma = Q.T @ z
    residuals = z - Q @ gamma
    T = linalg.solve_triangular(R, np.eye(R.shape[0]))
    spare = 1 - X.shape[1] / len(X)
    sd = np.sqrt(residuals @ residuals / weights.sum() / max(spare, 1 / len(X)))
    # residuals of working size have equal variances before the weights
    change, load = _left_out(Q, T, residuals, sd * root, units)
    return Influence(T @ gamma, change, load, units)


def logit_influence(X, y, weights, units=None):
    """Fit a logit by maximum likelihood, and take every unit out by one Newton step.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Design of full column rank, with its constant.
    y : ndarray of shape (n_rows,)
        1 and 0.
    weights : ndarray of shape (n_rows,)
        Non-negative weights.
    units : ndarray of int of shape (n_rows,) or None, default=None
        Cluster of each row, from 0 on without gaps. None: each row is its own.

    Returns
    -------
    influence : Influence or None
        Of the coefficients. None if there is no finite maximum (the annotations
        separate the classes) or it was not found.

    Examples
    --------
    Odds of 1 to 1 and of 3 to 1:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._influence import logit_influence
    >>> a = np.repeat([0.0, 1.0], 4)
    >>> y = np.array([0.0, 0, 1, 1, 0, 1, 1, 1])
    >>> fit = logit_influence(np.column_stack([np.ones(8), a]), y, np.ones(8))
    >>> np.exp(fit.estimate).round(3)
    array([1., 3.])
    """
    fitted = _maximum_likelihood(X, y, weights)
    if fitted is None:
        return None
    beta, p = fitted
    root = np.sqrt(weights * p * (1 - p))
    Q, R = linalg.qr(X * root[:, None], mode="economic")
    T = linalg.solve_triangular(R, np.eye(R.shape[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = np.where(root > 0, weights * (y - p) / root, 0.0)
    change, load = _left_out(Q, T, pearson, np.sqrt(weights), units)
    return Influence(beta, change, load, units)


def effect_influence(X, y, weights, units=None):
    r"""Average marginal effects of the binary columns of a logit.

    .. math:: \mathrm{AME}_j = \sum_i w_i
              \bigl[\sigma(\eta_i^{a_j = 1}) - \sigma(\eta_i^{a_j = 0})\bigr]
              \Big/ \sum_i w_i

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Design of full column rank, with its constant.
    y : ndarray of shape (n_rows,)
        1 and 0.
    weights : ndarray of shape (n_rows,)
        Non-negative weights.
    units : ndarray of int of shape (n_rows,) or None, default=None
        Cluster of each row, from 0 on without gaps. None: each row is its own.

    Returns
    -------
    influence : Influence or None
        One effect per column of X, of which those of other than binary columns mean
        nothing. None where `logit_influence` is None.

    Notes
    -----
    Delta method. A unit counts twice: it moves the coefficients, and it is among the
    rows over which the effect is averaged.

    Examples
    --------
    A logit of one annotation reproduces both proportions, 0.75 and 0.5:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._influence import effect_influence
    >>> a = np.repeat([0.0, 1.0], 4)
    >>> y = np.array([0.0, 0, 1, 1, 0, 1, 1, 1])
    >>> fit = effect_influence(np.column_stack([np.ones(8), a]), y, np.ones(8))
    >>> fit.estimate[1].round(3)
    np.float64(0.25)
    """
    logit = logit_influence(X, y, weights, units)
    if logit is None:
        return None
    beta, share = logit.estimate, weights / weights.sum()
    eta = X @ beta
    effect, change, load = [], [], []
    for j in range(X.shape[1]):
        without = eta - X[:, j] * beta[j]
        one, zero = _sigmoid(without + beta[j]), _sigmoid(without)
        effect.append(share @ (one - zero))
        slope_one, slope_zero = share * one * (1 - one), share * zero * (1 - zero)
        gradient = X.T @ (slope_one - slope_zero)
        gradient[j] = slope_one.sum()
        averaged = share * (one - zero - effect[-1])
        change.append(logit.change @ gradient + _unit_sums(averaged, units))
        load.append(logit.load @ gradient)
    change, load = np.column_stack(change), np.column_stack(load)
    return Influence(np.array(effect), change, load, units)


def _unit_sums(values, units):
    return values if units is None else np.bincount(units, weights=values)


def _left_out(Q, T, residuals, working, units):
    """Changes of T @ Q'z without each unit, for the residuals and working ones.

    Parameters
    ----------
    Q : ndarray of shape (n_rows, n_columns)
        Orthonormal basis.
    T : ndarray of shape (n_columns, n_columns)
        Row j makes coefficient j out of the coordinates in Q.
    residuals, working : ndarray of shape (n_rows,)
        In the units of the orthonormal problem.
    units : ndarray of int of shape (n_rows,) or None
        Clusters.

    Returns
    -------
    change : ndarray of shape (n_units, n_columns)
        For the residuals. NaN where a coefficient rests on one unit.
    load : ndarray of shape (n_rows, n_columns)
        For the working ones.
    """
    slopes = Q @ T.T
    if units is not None:
        change = _clusters_left_out(Q, T, residuals, units)
        return change, slopes * working[:, None]
    leverage = np.einsum("ij,ij->i", Q, Q)
    full = leverage > _FULL_LEVERAGE
    slopes /= np.where(full, 1.0, 1 - leverage)[:, None]
    change = _blank(slopes * residuals[:, None], np.abs(slopes[full]))
    return change, slopes * working[:, None]


def _clusters_left_out(Q, T, residuals, units):
    order = np.argsort(units, kind="stable")
    bounds = np.flatnonzero(np.diff(units[order])) + 1
    change, alone = [], [np.zeros((1, len(T)))]
    for rows in np.split(order, bounds):
        Qg = Q[rows]
        values, vectors = linalg.eigh(Qg.T @ Qg)
        full = values > _FULL_LEVERAGE
        inverse = np.where(full, 0.0, 1 / np.where(full, 1.0, 1 - values))
        score = vectors.T @ (Qg.T @ residuals[rows])
        change.append(T @ (vectors @ (inverse * score)))
        if full.any():
            alone.append(np.abs(T @ vectors[:, full]).T)
    return _blank(np.array(change), np.concatenate(alone))


def _blank(change, alone):
    """NaN for the coefficients that directions of one unit alone have a part in."""
    change[:, alone.max(axis=0, initial=0.0) > 1e-6] = np.nan
    return change


def _maximum_likelihood(X, y, weights):
    """Coefficients and probabilities by Newton's method; None without a maximum."""
    beta = np.zeros(X.shape[1])
    value = -np.inf
    for _ in range(_NEWTON_STEPS):
        p = _sigmoid(X @ beta)
        curvature = X.T @ (X * (weights * p * (1 - p))[:, None])
        try:
            factor = linalg.cho_factor(curvature)
        except (linalg.LinAlgError, ValueError):
            return None
        step = linalg.cho_solve(factor, X.T @ (weights * (y - p)))
        step, found = _shortened(X, y, weights, beta, step, value)
        beta = beta + step
        if found - value < 1e-12 * abs(found) and np.abs(step).max() < 1e-8:
            return beta, _sigmoid(X @ beta)
        value = found
    return None


def _shortened(X, y, weights, beta, step, value):
    """Halve the step until the likelihood does not fall."""
    for _ in range(20):
        eta = X @ (beta + step)
        found = weights @ (y * eta - np.logaddexp(0, eta))
        if found >= value - 1e-12 * abs(value):
            break
        step = step / 2
    return step, found


def _sigmoid(eta):
    return 1 / (1 + np.exp(-np.clip(eta, -500, 500)))
