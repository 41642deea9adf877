"""Dates cut into periods, and what hypotheses do in each of them."""

import numpy as np
import pandas as pd

from .._utils._printable import pluralize, quote_value
from ._design import Design
from ._separation import class_separation, quantity_separation, wilson_interval

_WORDS = {"YS": "year", "QS": "quarter", "MS": "month"}
_WORDS |= {"W-MON": "week", "D": "day", "h": "hour"}

FREQUENCIES = tuple(_WORDS)  # from coarse to fine

MOST_PERIODS = 400

_WANTED = 24  # periods, so that a trend can be told from autocorrelation

_FEWEST_TEXTS = 5  # per period, on average

_FEWEST_ON_A_SIDE = 2  # texts of a period, or its separation has no interval

# Periods begin at their label, whatever pandas calls them by
_STARTS = {"M": "MS", "ME": "MS", "Q": "QS", "QE": "QS", "Y": "YS", "YE": "YS"}
_STARTS |= {"W": "W-MON"}

_NAMES = ("separation", "separation_lower", "separation_upper")


def cut_periods(dates, freq="auto"):
    """Number the periods that dates are in.

    Parameters
    ----------
    dates : DatetimeIndex
        Without gaps.
    freq : str or pandas offset, default="auto"
        "auto": the coarsest of years, quarters, months, weeks, days and hours that
        gives 24 periods, as long as there are five texts in each on average.

    Returns
    -------
    starts : DatetimeIndex of shape (n_periods,)
        Of all periods from the first to the last date, also of empty ones.
    codes : ndarray of int of shape (n_dates,)
        Period of each date, from 0 on.

    Raises
    ------
    ValueError
        For what pandas does not know, and more than 400 periods.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_hypo._inference._periods import cut_periods
    >>> dates = pd.DatetimeIndex(["2024-03-31", "2024-01-05", "2024-03-01"])
    >>> starts, codes = cut_periods(dates, "MS")
    >>> starts.strftime("%b").tolist(), codes
    (['Jan', 'Feb', 'Mar'], array([2, 0, 2]))
    """
    if isinstance(freq, str) and freq == "auto":
        return _cut_into_many(dates)
    try:
        given = _STARTS.get(freq, freq) if isinstance(freq, str) else freq
        offset = pd.tseries.frequencies.to_offset(given)
    except ValueError as error:
        raise ValueError(
            f"freq: pandas knows no {quote_value(str(freq))}. Pass 'auto', or an "
            f"offset such as {', '.join(map(repr, FREQUENCIES))} or '14D'."
        ) from error
    starts, codes = _cut(dates, offset)
    if len(starts) > MOST_PERIODS:
        raise ValueError(
            f"freq={freq!r} makes {len(starts):,} periods of "
            f"{dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}, more than "
            f"{MOST_PERIODS}. Pass a coarser one, or 'auto'."
        )
    return starts, codes


def _cut_into_many(dates):
    best = None
    for freq in FREQUENCIES:
        starts, codes = _cut(dates, pd.tseries.frequencies.to_offset(freq))
        crowded = len(dates) >= _FEWEST_TEXTS * len(starts)
        if best is not None and not (crowded and len(starts) <= MOST_PERIODS):
            break
        best = starts, codes
        if len(starts) >= _WANTED:
            break
    return best


def _cut(dates, offset):
    first = dates.min()
    if isinstance(offset, pd.tseries.offsets.Tick):
        first = first.normalize() if offset >= pd.Timedelta("1D") else first.floor("h")
    else:
        first = offset.rollback(first.normalize())
    starts = pd.date_range(first, dates.max(), freq=offset)
    return starts, starts.searchsorted(dates, side="right") - 1


def describe_frequency(starts):
    """Name a period in words, such as "month".

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_hypo._inference._periods import describe_frequency
    >>> describe_frequency(pd.date_range("2024", periods=3, freq="MS"))
    'month'
    """
    name = starts.freqstr.removesuffix("-JAN")
    return _WORDS.get(name, f"period of {name}")


def prevalence_by_period(a, codes, n_periods, weights):
    """Share of the texts of each period where a hypothesis holds.

    Returns number of texts, share, ends of Wilson's interval and sampling variance (of
    the share in all periods); weighted texts count as many as tell as much.
    """
    n = np.bincount(codes, minlength=n_periods)
    total = np.bincount(codes, weights, minlength=n_periods)
    squares = np.bincount(codes, weights**2, minlength=n_periods)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.bincount(codes, weights * a, minlength=n_periods) / total
        worth = total**2 / squares
        lower, upper = wilson_interval(share * worth, worth, 0.05)
        overall = np.average(a, weights=weights)
        return n, share, lower, upper, overall * (1 - overall) / worth


def separation_by_period(a, y, codes, n_periods, weights, *, classes):
    """Separation in each period that has two texts on both sides.

    Returns estimates, ends of their intervals, and sampling variances by the spread on
    either side within periods: those of single periods rest on too few texts.
    """
    found = np.full((3, n_periods), np.nan)
    holds, variances = a == 1, np.full(n_periods, np.nan)
    sides = [_within(y[side], codes[side], weights[side]) for side in (holds, ~holds)]
    for t in range(n_periods):
        rows = codes == t
        if min(np.sum(rows & holds), np.sum(rows & ~holds)) < _FEWEST_ON_A_SIDE:
            continue
        own = weights[rows]
        even = np.ptp(own) <= 1e-12 * own.max()
        design = Design(weights=None if even else own / own.mean())
        test = class_separation if classes else quantity_separation
        target = y[rows] == 1 if classes else y[rows]
        row = test(holds[rows], target, design)
        found[:, t] = [row[name] for name in _NAMES]
        variances[t] = sum(
            spread / (own[side].sum() ** 2 / np.sum(own[side] ** 2))
            for spread, side in zip(sides, (holds[rows], ~holds[rows]), strict=True)
        )
    return *found, variances


def _within(y, codes, weights):
    """Variance of y about the means of the periods."""
    total = np.bincount(codes, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.bincount(codes, weights * y) / total
    n_free = max(len(y) - np.count_nonzero(total), 1)
    spread = weights @ (y - means[codes]) ** 2 / weights.mean() / n_free
    return max(spread, 1e-12 * max(np.var(y), 1e-300)) if len(y) else np.nan


def read_dates(values, n_rows, caller):
    """Return dates as a DatetimeIndex of local times, NaT where there is none."""
    array = getattr(values, "array", values)
    if hasattr(array, "to_timestamp"):  # of periods their starts
        array = array.to_timestamp()
    if len(array) != n_rows:
        raise ValueError(
            f"{caller}: {pluralize(len(array), 'date')} arrived for {n_rows} rows of "
            "annotations. There must be one per row."
        )
    options = {} if hasattr(array, "tz") else {"format": "ISO8601"}
    try:
        if pd.api.types.is_numeric_dtype(getattr(array, "dtype", np.asarray(array))):
            raise TypeError("numbers would be taken for nanoseconds")
        dates = pd.DatetimeIndex(pd.to_datetime(array, **options))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{caller}: dates such as {quote_value(str(array[0]))} cannot be read for "
            "certain. Pass datetimes, or texts such as 2024-12-31: "
            "pandas.to_datetime reads other orders (dayfirst=True), years "
            "(format='%Y'), and times of several zones (utc=True)."
        ) from error
    if dates.isna().all():
        raise ValueError(f"{caller}: no row has a date.")
    return dates.tz_localize(None) if dates.tz is not None else dates
