"""Estimates from many machine annotations and a few human ones: predict, then debias.

Plain functions on arrays.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from .._inference._robust_covariance import satterthwaite_df

# Fewest degrees of freedom: residuals have their size from all labelled rows, so that
# an estimate that leans on one or two knows more of it than these could tell.
LEAST_DF = 3.0


@dataclass(frozen=True)
class Debiased:
    """Corrected estimates.

    Parameters
    ----------
    estimate, se, df : ndarray of shape (n_estimates,)
        Estimates, standard errors, and degrees of freedom of their t distributions.
    tuning : ndarray of shape (n_estimates, n_estimates)
        Weights of the machine's estimates.
    """

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    tuning: np.ndarray


def predict_then_debias(
    human, machine, everywhere, labelled, *, tuning="diagonal", agreed=None
):
    r"""Correct the estimates from human labels by those from machine annotations.

    .. math:: \hat\theta = \hat\theta_\text{human} + \Omega
              (\hat\gamma_\text{all} - \hat\gamma_\text{labelled})

    Here :math:`\hat\gamma` is the same estimate as :math:`\hat\theta`, made from
    machine annotations on all rows, and on the labelled rows. Whatever the machine's
    errors depend on, the last bracket has mean 0, so the correction adds no bias, and
    takes away the part of the error that both estimates on the labelled rows share.

    Parameters
    ----------
    human, machine, everywhere : Influence
        Estimates on the labelled rows with human labels, on the same rows with machine
        annotations, and on all rows with machine annotations.
    labelled : ndarray of int
        Position of each labelled row among all rows.
    tuning : {"diagonal", "full"} or float, default="diagonal"
        "diagonal" weighs each estimate's own correction so that its variance is
        smallest, "full" those of all estimates (for many labels: each costs a degree
        of freedom). A number is taken as it is: 0 uses the human labels alone, 1
        trusts the correction fully.
    agreed : ndarray of bool of shape (n_estimates,) or None, default=None
        Where human and machine agree on every labelled row.

    Returns
    -------
    debiased : Debiased
        The estimates. NaN where a standard error is.

    Notes
    -----
    Every unit u contributes :math:`\psi_u - \Omega(\phi_u - \phi^\text{all}_u)`, where
    :math:`\psi` and :math:`\phi` are 0 for units without labels; the squares of the
    contributions sum to the variance [1]_. Contributions are those of the jackknife,
    since the normal approximation is too short when a handful of rows, on which
    machine and human disagree, decides. For the same reason the degrees of freedom
    are those that go with the size of the contributions, not the number of labels; 3
    at the least, which in simulations covered as well as fewer and is not absurdly
    long.

    Where no disagreement was seen, none contributes, although there may be some to
    come. There the variance is enlarged by one, as large as the largest unit's. A
    tuned weight was fitted to the labelled units, for which the variance is
    multiplied by m / (m - k), for m units and k weights.

    References
    ----------
    .. [1] D. M. Kluger, K. Lu, T. Zrnic, S. Wang, S. Bates (2025). "Prediction-powered
       inference with imputed covariates and nonuniform sampling". arXiv 2501.18577.
    .. [2] Y.-H. Chen, H. Chen (2000). "A unified approach to regression analysis under
       double-sampling designs". Journal of the Royal Statistical Society B 62,
       449-460.
    .. [3] J. Gronsbell, J. Gao, Y. Shi, Z. R. McCaw, D. Cheng (2024). "Another look at
       inference after prediction". arXiv 2411.19908.

    Examples
    --------
    A mean of 2,000 values, of which 50 were measured and all were guessed:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._robust_covariance import linear_influence
    >>> from sklearn_hypo._annotation_error._predict_then_debias import (
    ...     predict_then_debias,
    ... )
    >>> rng = np.random.default_rng(0)
    >>> value = rng.normal(size=2000)
    >>> guess = value + rng.normal(scale=0.3, size=2000) + 5
    >>> def mean(x):
    ...     return linear_influence(np.ones((len(x), 1)), x, np.ones(len(x)))
    >>> measured = np.arange(50)
    >>> found = predict_then_debias(
    ...     mean(value[:50]), mean(guess[:50]), mean(guess), measured
    ... )
    >>> found.estimate.round(2), found.se.round(3), mean(value[:50]).se.round(3)
    (array([-0.02]), array([0.048]), array([0.131]))
    """
    units = everywhere.units
    if units is None:
        units = np.arange(len(everywhere.load))
    places = np.unique(units[labelled])
    psi = _scatter(human.change, places, everywhere.change)
    control = _scatter(machine.change, places, everywhere.change) - everywhere.change
    omega, n_weights = _fit_tuning(psi, control, tuning)
    difference = everywhere.estimate - machine.estimate
    variance = ((psi - control @ omega.T) ** 2).sum(axis=0)
    spare = len(places) - n_weights
    variance *= len(places) / spare if spare > 0 else np.nan
    load = _scatter(human.load, labelled, everywhere.load)
    other = _scatter(machine.load, labelled, everywhere.load) - everywhere.load
    load = load - other @ omega.T
    if agreed is not None:
        unseen = np.where(agreed, np.abs(human.load).max(axis=0), 0.0)
        variance = variance + unseen**2
        load, units = np.vstack([load, unseen]), np.append(units, units.max() + 1)
    df = np.minimum(satterthwaite_df(load, units), max(len(places) - 1, 1))
    df = np.maximum(df, LEAST_DF)
    estimate = human.estimate + omega @ difference
    se = np.sqrt(variance)
    return Debiased(np.where(np.isnan(se), np.nan, estimate), se, df, omega)


def _scatter(part, places, whole):
    """Contributions of some units, or rows, among all; 0 elsewhere."""
    full = np.zeros((len(whole), part.shape[1]))
    full[places] = part
    return full


def _fit_tuning(psi, control, tuning):
    """Tuning matrix, and the number of weights fitted for each estimate."""
    p = psi.shape[1]
    if tuning == "diagonal":
        squares = (control**2).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            best = (psi * control).sum(axis=0) / squares
        return np.diag(np.where(squares == 0, 0.0, best)), 1
    if tuning == "full":
        usable = np.isfinite(psi).all(axis=0) & np.isfinite(control).all(axis=0)
        omega = np.where(usable[:, None], 0.0, np.full((p, p), np.nan))
        weights = linalg.lstsq(control[:, usable], psi[:, usable])[0]
        omega[np.ix_(usable, usable)] = weights.T
        return omega, int(usable.sum())
    return float(tuning) * np.eye(p), 0
