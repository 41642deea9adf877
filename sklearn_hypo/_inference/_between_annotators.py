"""Estimates and p-values over several annotators: plain functions on arrays.

Each annotator's annotations of the same texts were tested by themselves. Arrays have
one row per annotator and one column per estimate, NaN where an annotator has none.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

# Two-sided, of every interval of a report
_QUANTILE = norm.isf(0.025)

# Below it normal scores are no longer finite
_SMALLEST_P = np.finfo(float).tiny


@dataclass(frozen=True)
class CombinedEstimates:
    """Means over annotators, with intervals that hold the variance over them.

    Parameters
    ----------
    estimate, lower, upper : ndarray of shape (n_estimates,)
        The mean, and its 95 % interval.
    naive_lower, naive_upper : ndarray of shape (n_estimates,)
        The interval without the variance over annotators: as if the mean were the
        estimate of one annotator who is known not to err.
    sd, smallest, largest : ndarray of shape (n_estimates,)
        Of the estimates over annotators.
    added : ndarray of shape (n_estimates,)
        The variance that annotators add to that of an estimate.
    ratio : ndarray of shape (n_estimates,)
        Variance over annotators to variance within, on the side of the interval that
        faces 0.
    df : ndarray of shape (n_estimates,)
        Degrees of freedom of the interval on that side.
    """

    estimate: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    naive_lower: np.ndarray
    naive_upper: np.ndarray
    sd: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    added: np.ndarray
    ratio: np.ndarray
    df: np.ndarray


def combine_estimates(estimates, lower, upper):
    r"""Combine the estimates of m annotators by Rubin's rules.

    The estimate is the mean :math:`\bar\beta` of those that there are. Its variance is

    .. math:: T = W + (1 + 1/m) B, \qquad B = \sum_j (\beta_j - \bar\beta)^2 / (m - 1),

    which is compared with a t distribution of :math:`(m - 1) (1 + W / ((1 + 1/m) B))^2`
    degrees of freedom. The variance W within annotators is recovered from their
    intervals, on either side by itself, as the mean of the squared half-widths over
    1.96 squared: intervals keep the shape that each test gave them, and annotators
    that agree in every text have the interval of one.

    With T an interval covers what a further annotator of the same population would
    find on all texts, and, conservatively, the mean over that population.

    Parameters
    ----------
    estimates, lower, upper : ndarray of shape (n_annotators, n_estimates)
        With their 95 % intervals.

    Returns
    -------
    combined : CombinedEstimates
        NaN where fewer than two annotators have an estimate with an interval.

    References
    ----------
    Rubin 1987, "Multiple Imputation for Nonresponse in Surveys"; Zou and Donner 2008,
    "Construction of confidence limits about effect measures: a general approach", for
    variances that are recovered from limits.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._between_annotators import combine_estimates
    >>> estimates = np.array([[0.4], [0.5], [0.6]])
    >>> found = combine_estimates(estimates, estimates - 0.2, estimates + 0.2)
    >>> [each.round(2).item() for each in (found.estimate, found.lower, found.upper)]
    [0.5, 0.13, 0.87]
    """
    known = ~np.isnan([estimates, lower, upper]).any(axis=0)
    m = known.sum(axis=0)
    enough = m >= 2
    mean = np.where(enough, _average(estimates, known), np.nan)
    deviations = np.where(known, estimates - mean, 0.0)
    between = (deviations**2).sum(axis=0) / np.maximum(m - 1, 1)
    added = (1 + 1 / np.maximum(m, 1)) * between
    limits, ratios, frees = {}, {}, {}
    for side, bound, sign in (("lower", lower, -1), ("upper", upper, 1)):
        within = _average(((bound - estimates) / _QUANTILE) ** 2, known)
        ratios[side] = _divide(added, within)
        frees[side] = _count_degrees(ratios[side], m)
        quantile = t.isf(0.025, frees[side])
        limits[side] = mean + sign * quantile * np.sqrt(within + added)
        limits[f"naive_{side}"] = mean + sign * _QUANTILE * np.sqrt(within)
    faces = mean > 0  # 0 is below
    extremes = np.where(known, estimates, np.nan)
    return CombinedEstimates(
        mean,
        **limits,
        sd=np.where(enough, np.sqrt(between), np.nan),
        smallest=np.where(enough, np.fmin.reduce(extremes), np.nan),
        largest=np.where(enough, np.fmax.reduce(extremes), np.nan),
        added=np.where(enough, added, np.nan),
        ratio=np.where(faces, ratios["lower"], ratios["upper"]),
        df=np.where(faces, frees["lower"], frees["upper"]),
    )


def combine_p_values(p_values, ratio, signs=None):
    r"""Combine the p-values of m annotators as `combine_estimates` does estimates.

    Each is turned into a normal score, whose variance is 1. The mean of the scores has
    variance :math:`1 + r` with r, the ratio of the variances over and within
    annotators, taken from the estimates; it is compared with the same t distribution.
    So a p-value by permutation, or by a likelihood ratio, keeps what is behind it, and
    annotators that agree in every text have the p-value of one.

    Parameters
    ----------
    p_values : ndarray of shape (n_annotators, n_tests)
        Two-sided with `signs`; else of tests that know no direction.
    ratio : ndarray of shape (n_tests,)
        Of the variances; NaN counts as 0, where there is no estimate beside a test.
    signs : ndarray of shape (n_annotators, n_tests) or None, default=None
        Of the estimates.

    Returns
    -------
    p : ndarray of shape (n_tests,)
        NaN where fewer than two annotators have one.

    References
    ----------
    Licht 2010, "New methods for generating significance levels from multiply-imputed
    data" (dissertation, Bamberg): p-values as normal scores under Rubin's rules.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._between_annotators import combine_p_values
    >>> p, signs = np.array([[0.01], [0.02], [0.03]]), np.ones((3, 1))
    >>> combine_p_values(p, np.zeros(1), signs).round(3).item()
    0.018
    >>> combine_p_values(p, np.full(1, 0.5), signs).round(3).item()
    0.07
    """
    known = ~np.isnan(p_values)
    if signs is not None:
        known &= ~np.isnan(signs)
    m = known.sum(axis=0)
    clipped = np.clip(np.where(known, p_values, 1.0), _SMALLEST_P, 1.0)
    if signs is None:
        scores, sides = norm.isf(np.minimum(clipped, 1 - np.finfo(float).eps)), 1
    else:
        scores, sides = signs * norm.isf(clipped / 2), 2
    mean = _average(scores, known)
    mean = mean if signs is None else np.abs(mean)
    ratio = np.nan_to_num(ratio, nan=0.0, posinf=np.inf)
    p = sides * t.sf(mean / np.sqrt(1 + ratio), _count_degrees(ratio, m))
    return np.where(m >= 2, p, np.nan)


def find_verdicts(estimates, significant):
    """Return 1 (significant, more), -1 (significant, less) or 0 of each hypothesis."""
    signs = np.sign(np.nan_to_num(np.asarray(estimates, dtype=float)))
    return np.where(np.asarray(significant, dtype=bool), signs, 0).astype(int)


def _average(values, known):
    """Mean over the annotators that are known; NaN without any."""
    total = np.where(known, values, 0.0).sum(axis=0)
    return _divide(total, known.sum(axis=0).astype(float), empty=np.nan)


def _divide(a, b, empty=None):
    """Return a / b; of nothing by nothing 0, or `empty` wherever b is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = a / b
    if empty is None:
        empty = np.where(a == 0, 0.0, np.inf)
    return np.where(b == 0, empty, found)


def _count_degrees(ratio, m):
    """Rubin's degrees of freedom; infinite where annotators do not differ."""
    with np.errstate(divide="ignore"):
        return np.maximum(m - 1, 1) * (1 + 1 / ratio) ** 2
