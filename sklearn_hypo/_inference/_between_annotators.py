"""What annotators differ in, added to the interval and p-value of their vote.

Plain functions on arrays: one row per annotator, one column per estimate, NaN where an
annotator has none.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

# Two-sided, of every interval of a report
_QUANTILE = norm.isf(0.025)

# Below it normal scores are no longer finite
_SMALLEST_P = np.finfo(float).tiny


@dataclass(frozen=True)
class Spread:
    r"""How far the estimates of m annotators are apart.

    Parameters
    ----------
    n : ndarray of shape (n_estimates,)
        Annotators that have an estimate, m.
    sd, smallest, largest : ndarray of shape (n_estimates,)
        Of their estimates; NaN for fewer than two.
    """

    n: np.ndarray
    sd: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray

    @classmethod
    def of(cls, estimates):
        """Measure the spread of estimates of shape (n_annotators, n_estimates)."""
        known = ~np.isnan(estimates)
        n = known.sum(axis=0)
        enough = np.where(n >= 2, 1.0, np.nan)
        mean = np.where(known, estimates, 0.0).sum(axis=0) / np.maximum(n, 1)
        squares = np.where(known, (estimates - mean) ** 2, 0.0).sum(axis=0)
        return cls(
            n,
            enough * np.sqrt(squares / np.maximum(n - 1, 1)),
            enough * np.fmin.reduce(estimates),
            enough * np.fmax.reduce(estimates),
        )

    @property
    def added(self):
        """The variance of a vote over panels of m annotators, B / m.

        Between two annotators there is no vote: the estimate is that of the first, and
        varies over annotators by all of B.
        """
        return self.sd**2 / np.where(self.n == 2, 1, self.n)


def widen_intervals(estimate, lower, upper, spread):
    r"""Add the variance over annotators to the 95 % intervals of their vote.

    The variance W of an estimate is recovered from its interval, on either side by
    itself, as the squared half-width over 1.96 squared, so that intervals keep the
    shape that a test gave them [1]_. With the variance B of the estimates over m
    annotators the total is

    .. math:: T = W + B / m

    (for two annotators W + B), compared with a t distribution of Satterthwaite's
    :math:`(m - 1) (1 + m W / B)^2` degrees of freedom [2]_: those of B, where it rules,
    and without a limit, where annotators agree.

    Parameters
    ----------
    estimate, lower, upper : ndarray of shape (n_estimates,)
        Of the vote.
    spread : Spread
        Of the annotators.

    Returns
    -------
    lower, upper : ndarray of shape (n_estimates,)
        NaN where fewer than two annotators have an estimate.
    ratio : ndarray of shape (n_estimates,)
        The variance that was added, as a multiple of W on the side that faces 0.

    References
    ----------
    .. [1] G. Y. Zou, A. Donner (2008). "Construction of confidence limits about effect
       measures: a general approach". Statistics in Medicine 27.
    .. [2] F. E. Satterthwaite (1946). "An approximate distribution of estimates of
       variance components". Biometrics Bulletin 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._between_annotators import Spread, widen_intervals
    >>> spread = Spread.of(np.array([[0.3], [0.5], [0.7]]))
    >>> vote = np.array([0.6]), np.array([0.4]), np.array([0.8])
    >>> lower, upper, ratio = widen_intervals(*vote, spread)
    >>> lower.round(2).item(), upper.round(2).item(), ratio.round(2).item()
    (0.23, 0.97, 1.28)
    """
    bounds, ratios = [], []
    for bound, sign in ((lower, -1), (upper, 1)):
        within = ((bound - estimate) / _QUANTILE) ** 2
        ratio = _divide(spread.added, within)
        quantile = t.isf(0.025, _count_degrees(ratio, spread.n))
        bounds.append(estimate + sign * quantile * np.sqrt(within + spread.added))
        ratios.append(ratio)
    return *bounds, np.where(estimate > 0, *ratios)


def widen_p_values(p_values, ratio, n, *, two_sided=True):
    r"""Raise the p-values of a vote by what annotators differ in.

    A p-value is turned into the normal score that it stands for, of variance 1. With
    the ratio r of `widen_intervals` it is divided by :math:`\sqrt{1 + r}` and compared
    with the same t distribution. So what a p-value rests on (permutations, a likelihood
    ratio, an exact test) stays, and it is left as it is where annotators agree.

    Parameters
    ----------
    p_values, ratio, n : ndarray of shape (n_tests,)
        Of the vote; of `widen_intervals`; annotators that have an estimate.
    two_sided : bool, default=True
        Whether the tests are of an estimate, which may be above 0 and below; else of
        several at once, whose direction is lost.

    Returns
    -------
    p : ndarray of shape (n_tests,)
        NaN where fewer than two annotators have an estimate.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._between_annotators import widen_p_values
    >>> widen_p_values(np.array([0.01, 0.01]), np.array([0, 0.5]), np.array([3, 3]))
    array([0.01      , 0.04978159])
    """
    sides = 2 if two_sided else 1
    scores = norm.isf(np.clip(p_values / sides, _SMALLEST_P, 1 - np.finfo(float).eps))
    p = sides * t.sf(scores / np.sqrt(1 + ratio), _count_degrees(ratio, n))
    # above 0.5 a score without a direction is negative, and would be drawn to 0
    return np.where(n >= 2, np.maximum(p, p_values), np.nan)


def find_verdicts(estimates, significant):
    """Return 1 (significant, more), -1 (significant, less) or 0 of each hypothesis."""
    signs = np.sign(np.nan_to_num(np.asarray(estimates, dtype=float)))
    return np.where(np.asarray(significant, dtype=bool), signs, 0).astype(int)


def _divide(added, within):
    """Return added / within, 0 where nothing is added."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(added == 0, 0.0, added / within)


def _count_degrees(ratio, n):
    """Degrees of freedom of a variance of which n annotators add a share."""
    with np.errstate(divide="ignore"):
        return np.maximum(n - 1, 1) * (1 + 1 / ratio) ** 2
