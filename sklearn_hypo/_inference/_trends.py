"""Series over time: their slope and whether they changed, under autocorrelation.

Neighbouring periods are alike for reasons that no hypothesis knows, and short series
tell little of how much: estimated variances of sums are too small there, whatever their
kernel. So statistics are compared with those of simulated series of the same length,
weights and gaps that have no trend and no change, and whose autocorrelation looks like
that of the series at hand.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

# Series that are simulated, and the share of them, the most alike, that one is
# compared with
N_DRAWS, _ALIKE = 40_000, 0.05

FEWEST_PERIODS = 12  # a shorter series is shown and not tested

_AR = (-0.4, 0.95)  # autoregressive coefficients that are simulated

# Below 1: more of the larger ones, which 24 periods tell from smaller ones too rarely
_LEANING = 0.7

_LAGS = (1, 2)  # at which series have to look alike

_EDGE = 0.1  # share of the series at each end where no change is dated


@dataclass(frozen=True)
class SeriesTest:
    """What a series says of its slope and of a change.

    Parameters
    ----------
    slope, lower, upper : float
        Change of the value per period, and its 95 % interval.
    slope_p : float
        p-value of a slope of 0.
    change : int or None
        The period from which the value is another, if it changed once.
    before, after : float
        Weighted means of the value until then, and from then on.
    change_p : float
        p-value of a constant value.
    """

    slope: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    slope_p: float = np.nan
    change: int | None = None
    before: float = np.nan
    after: float = np.nan
    change_p: float = np.nan


class NullSeries:
    r"""Simulated series without trend and change, of unit variance.

    .. math:: z_t = \sqrt{1 - s}\, u_t + \sqrt{s}\, e_t, \qquad
              u_t = \varphi u_{t - 1} + \sqrt{1 - \varphi^2}\, \eta_t,

    with :math:`\varphi` from -0.4 to 0.95, larger ones more often, and the share
    :math:`s` of noise that no period shares with the next (of texts that happen to be
    sampled) 0 in half of the draws and uniform in the others.

    Parameters
    ----------
    n_periods : int
        Length of a series.
    rng : numpy Generator
        What they are drawn by.
    n_draws : int, default=40000
        Number of series.

    Attributes
    ----------
    draws : ndarray of shape (n_draws, n_periods)
        One series per row.
    """

    def __init__(self, n_periods, rng, n_draws=N_DRAWS):
        low, high = _AR
        phi = low + (high - low) * rng.random(n_draws) ** _LEANING
        share = np.where(rng.random(n_draws) < 0.5, 0.0, rng.random(n_draws))
        share[phi < 0] = 0.0
        step, state = np.sqrt(1 - phi**2), rng.normal(size=n_draws)
        draws = np.empty((n_periods, n_draws))
        for t in range(n_periods):
            draws[t] = state
            state = phi * state + step * rng.normal(size=n_draws)
        draws *= np.sqrt(1 - share)
        for row in draws:
            row += np.sqrt(share) * rng.normal(size=n_draws)
        self.draws = np.ascontiguousarray(draws.T)
        self._last = None, None

    def examine(self, root, periods):
        """Statistics of all series, for roots of weights of sum 1, and gaps.

        Those asked for last are kept: series of equal weights ask for the same.
        """
        key = np.round(root, 9).tobytes(), periods.tobytes()
        if self._last[0] != key:
            self._last = key, _examine(self.draws[:, periods], root, periods)
        return self._last[1]


def examine_series(values, variances, periods, null):
    r"""Test a series for a slope, and for a change of its level.

    The slope is that of weighted least squares on the number of the period, the change
    is tested by the largest of the weighted cumulative sums of deviations from the
    mean,

    .. math:: \max_k \Bigl|\sum_{t \le k} w_t (z_t - \bar z)\Bigr| \Big/
              \sqrt{\textstyle\sum_t w_t (z_t - \bar z)^2},

    with :math:`w_t = 1 / (\tau^2 + v_t)` for sampling variances v and a variance
    between periods :math:`\tau^2` by moments (DerSimonian and Laird). Either is
    compared with the twentieth of the simulated series whose residuals (beside a line,
    beside the change) have autocorrelations at lags 1 and 2 nearest to its own.

    Parameters
    ----------
    values : ndarray of shape (n_used,)
        The value of each period that has one.
    variances : ndarray of shape (n_used,)
        Its sampling variance.
    periods : ndarray of int of shape (n_used,)
        Number of the period, increasing; gaps count as time.
    null : NullSeries
        What it is compared with.

    Returns
    -------
    found : SeriesTest
        NaN throughout for fewer than 12 periods and values that do not vary.

    Notes
    -----
    A slope is a change, too: a series with a trend fails the test of constancy, and a
    step has a slope. The test says that, not what, the value did.

    References
    ----------
    .. [1] X. Shao, X. Zhang (2010). "Testing for change points in time series". Journal
       of the American Statistical Association 105.
    .. [2] N. M. Kiefer, T. J. Vogelsang (2005). "A new asymptotic theory for
       heteroskedasticity-autocorrelation robust tests". Econometric Theory 21.
    .. [3] R. DerSimonian, N. Laird (1986). "Meta-analysis in clinical trials".
       Controlled Clinical Trials 7.

    Examples
    --------
    A step after twenty of forty periods:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._trends import NullSeries, examine_series
    >>> rng = np.random.default_rng(0)
    >>> z = np.repeat([0.2, 0.5], 20) + rng.normal(0, 0.1, 40)
    >>> null = NullSeries(40, rng)
    >>> found = examine_series(z, np.full(40, 0.01), np.arange(40), null)
    >>> found.change, round(found.after - found.before, 2), found.change_p < 0.01
    (20, 0.32, True)
    """
    n = len(values)
    if n < FEWEST_PERIODS or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return SeriesTest()
    weights = _weigh(values, variances, periods)
    root = np.sqrt(weights / weights.sum())
    own = _examine((values * root)[None], root, periods)
    others = null.examine(root, periods)
    t, slope, k = own.t[0], float(own.slope[0]), own.position[0]
    if not np.isfinite(t):
        return SeriesTest()
    near = others.t[_find_nearest(own.beside_line[0], others.beside_line)]
    half = np.quantile(near, 0.95) * abs(slope) / t if t > 0 else np.nan
    changes = others.change[_find_nearest(own.beside_step[0], others.beside_step)]
    return SeriesTest(
        slope=slope,
        lower=slope - half,
        upper=slope + half,
        slope_p=_share_at_least(t, near),
        change=int(periods[k]),
        before=float(np.average(values[:k], weights=weights[:k])),
        after=float(np.average(values[k:], weights=weights[k:])),
        change_p=_share_at_least(own.change[0], changes),
    )


def _weigh(values, variances, periods):
    """Inverse variances: of sampling, and between periods beside a line."""
    w = 1 / variances
    time = np.column_stack([np.ones(len(values)), periods - periods.mean()])
    root = np.sqrt(w)
    fitted = time @ linalg.lstsq(time * root[:, None], values * root)[0]
    excess = w @ (values - fitted) ** 2 - (len(values) - 2)
    between = max(excess / (w.sum() - w @ w / w.sum()), 0.0)
    return 1 / (between + variances)


def _find_pairs(periods, lag):
    """Positions of values that are so many periods apart."""
    later = np.searchsorted(periods, periods + lag)
    first = np.flatnonzero(later < len(periods))
    first = first[periods[later[first]] == periods[first] + lag]
    return first, later[first]


def _autocorrelations(residuals, squares, pairs):
    found = np.empty((len(residuals), len(pairs)))
    for i, (first, later) in enumerate(pairs):
        products = np.einsum("ij,ij->i", residuals[:, first], residuals[:, later])
        found[:, i] = products / squares
    return found


@dataclass(frozen=True)
class _Statistics:
    """Of series, one per entry: t, slope, largest cumulative sum, position of a step.

    `beside_line` and `beside_step` are the autocorrelations of what these leave.
    """

    t: np.ndarray
    slope: np.ndarray
    beside_line: np.ndarray
    change: np.ndarray
    position: np.ndarray
    beside_step: np.ndarray


def _examine(scaled, root, periods):
    """All statistics of series that are multiplied by the roots of their weights."""
    pairs = [_find_pairs(periods, lag) for lag in _LAGS]
    return _Statistics(
        *_examine_slope(scaled, root, periods, pairs),
        *_examine_change(scaled, root, pairs),
    )


def _examine_slope(scaled, root, periods, pairs):
    """Absolute t, slope, and autocorrelations beside the line."""
    time = np.column_stack([np.ones(len(root)), periods - periods[0]])
    Q, R = linalg.qr(time * root[:, None], mode="economic")
    coordinates = scaled @ Q
    residuals = scaled - coordinates @ Q.T
    squares = np.einsum("ij,ij->i", residuals, residuals)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(coordinates[:, 1]) / np.sqrt(squares / (len(root) - 2))
        alike = _autocorrelations(residuals, squares, pairs)
    return t, coordinates[:, 1] / R[1, 1], alike


def _examine_change(scaled, root, pairs):
    """Largest cumulative sum, position of the step, and autocorrelations beside it.

    Autocorrelations about one mean would be those of the step itself.
    """
    q = root / linalg.norm(root)
    residuals = scaled - (scaled @ q)[:, None] * q
    sums = np.cumsum(residuals * root, axis=1)
    squares = np.einsum("ij,ij->i", residuals, residuals)
    statistics = np.abs(sums).max(axis=1) / np.sqrt(squares)
    until = np.cumsum(root**2)
    n, edge = len(root), max(2, int(np.ceil(_EDGE * len(root))))
    k = np.arange(edge, n - edge + 1)
    explained = sums[:, k - 1] ** 2 / (until[k - 1] * (until[-1] - until[k - 1]))
    position = k[np.argmax(explained, axis=1)]
    at = sums[np.arange(len(sums)), position - 1]
    before, after = at / until[position - 1], -at / (until[-1] - until[position - 1])
    early = np.arange(n) < position[:, None]
    residuals -= root * np.where(early, before[:, None], after[:, None])
    squares = np.einsum("ij,ij->i", residuals, residuals)
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = _autocorrelations(residuals, squares, pairs)
    return statistics, position, alike


def _find_nearest(own, others):
    """Rows whose autocorrelations are nearest."""
    distance = np.sum((others - own) ** 2, axis=1)
    n = int(_ALIKE * len(distance))
    return np.argpartition(distance, n)[:n]


def _share_at_least(statistic, simulated):
    """p-value: the series counts as one of those simulated."""
    return float((1 + np.sum(simulated >= statistic)) / (len(simulated) + 1))
