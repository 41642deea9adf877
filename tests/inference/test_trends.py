"""Series over time: slopes, changes, and periods."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from sklearn_hypo._inference._periods import (
    cut_periods,
    describe_frequency,
    prevalence_by_period,
    read_dates,
    separation_by_period,
)
from sklearn_hypo._inference._trends import NullSeries, examine_series


@pytest.fixture(scope="module")
def null():
    return NullSeries(36, np.random.default_rng(0), n_draws=20_000)


def make_series(n=36, phi=0.0, seed=0):
    rng = np.random.default_rng(seed)
    values = np.empty(n)
    values[0] = rng.normal() / np.sqrt(1 - phi**2)
    for t in range(1, n):
        values[t] = phi * values[t - 1] + rng.normal()
    return values


# The tests ------------------------------------------------------------------------


def test_slope_and_interval_are_those_of_weighted_least_squares(null):
    variances = np.linspace(0.5, 2.0, 36)
    values = make_series() * np.sqrt(variances) + 0.05 * np.arange(36)
    found = examine_series(values, variances, np.arange(36), null)
    # the excess of the squares over their expectation is no more than chance
    time = sm.add_constant(np.arange(36.0))
    fit = sm.WLS(values, time, weights=1 / variances).fit()
    assert found.slope == pytest.approx(fit.params[1], rel=0.05)
    half = (found.upper - found.lower) / 2
    # wider: how much neighbours are alike is not known
    assert 1 < half / (stats.t.ppf(0.975, 34) * fit.bse[1]) < 2
    assert (found.slope_p < 0.05) == (found.lower > 0 or found.upper < 0)


def test_a_change_is_dated_and_measured(null):
    values = make_series(seed=3) * 0.5
    values[22:] += 2
    found = examine_series(values, np.full(36, 0.25), np.arange(36), null)
    assert found.change == 22
    assert found.before == pytest.approx(values[:22].mean())
    assert found.after == pytest.approx(values[22:].mean())
    assert found.change_p < 0.01


def test_units_order_of_signs_and_origin_mean_nothing(null):
    values = make_series(phi=0.4, seed=1)
    variances = np.linspace(1, 3, 36)
    one = examine_series(values, variances, np.arange(36), null)
    two = examine_series(5 - 10 * values, 100 * variances, np.arange(36), null)
    assert two.slope == pytest.approx(-10 * one.slope)
    assert two.slope_p == pytest.approx(one.slope_p, abs=2e-3)
    assert two.change_p == pytest.approx(one.change_p, abs=2e-3)
    assert two.change == one.change


def test_level_where_neighbours_are_alike(null):
    """Against what tests of independent periods would do."""
    found, naive = [], []
    for seed in range(50):
        values = make_series(phi=0.6, seed=seed)
        test = examine_series(values, np.ones(36), np.arange(36), null)
        found.append([test.slope_p < 0.1, test.change_p < 0.1])
        naive.append(stats.linregress(np.arange(36), values).pvalue < 0.1)
    assert np.mean(naive) > 0.25
    assert (np.mean(found, axis=0) < 0.18).all()


def test_gaps_are_time(null):
    periods = np.setdiff1d(np.arange(36), [3, 4, 20])
    values = 0.5 * periods
    values = values + make_series(33, seed=2) * 0.1
    found = examine_series(values, np.full(33, 0.01), periods, null)
    assert found.slope == pytest.approx(0.5, rel=0.02)


def test_what_cannot_be_tested(null):
    short = examine_series(np.arange(11.0), np.ones(11), np.arange(11), null)
    flat = examine_series(np.full(36, 0.3), np.ones(36), np.arange(36), null)
    for found in (short, flat):
        assert np.isnan([found.slope, found.slope_p, found.change_p]).all()
        assert found.change is None


def test_simulated_series_have_no_trend_and_unit_variance():
    draws = NullSeries(30, np.random.default_rng(1), n_draws=20_000).draws
    assert draws.shape == (20_000, 30)
    np.testing.assert_allclose(draws.var(axis=0), 1, atol=0.05)
    np.testing.assert_allclose(draws.mean(axis=0), 0, atol=0.05)


# Periods --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("freq", "first", "n", "word"),
    [
        ("MS", "2024-01-01", 3, "month"),
        ("ME", "2024-01-01", 3, "month"),
        ("M", "2024-01-01", 3, "month"),
        ("W", "2024-01-01", 13, "week"),
        ("YS", "2024-01-01", 1, "year"),
        ("Q", "2024-01-01", 1, "quarter"),
        ("14D", "2024-01-05", 7, "period of 14D"),
        ("D", "2024-01-05", 87, "day"),
        (pd.offsets.MonthBegin(2), "2024-01-01", 2, "period of 2MS"),
    ],
)
def test_periods_begin_at_their_start_and_cover_all_dates(freq, first, n, word):
    dates = pd.DatetimeIndex(["2024-03-31 23:59", "2024-01-05 10:00", "2024-03-01"])
    starts, codes = cut_periods(dates, freq)
    assert (starts[0], len(starts)) == (pd.Timestamp(first), n)
    assert (starts[codes] <= dates).all()
    later = starts.append(pd.DatetimeIndex([starts[-1] + starts.freq]))
    assert (dates < later[codes + 1]).all()
    assert describe_frequency(starts) == word


def test_the_length_of_periods_is_chosen_by_how_many_there_are():
    def choose(start, days, n):
        dates = pd.Timestamp(start) + pd.to_timedelta(
            np.linspace(0, days - 1, n), unit="D"
        )
        return describe_frequency(cut_periods(pd.DatetimeIndex(dates))[0])

    assert choose("1980-01-01", 40 * 365, 5000) == "year"
    assert choose("2015-01-01", 9 * 365, 5000) == "quarter"
    assert choose("2020-01-01", 4 * 365, 5000) == "month"
    assert choose("2020-01-01", 300, 5000) == "week"
    assert choose("2020-01-01", 40, 5000) == "day"
    # weeks of three texts would tell little
    assert choose("2020-01-01", 300, 120) == "month"


def test_frequencies_that_cannot_be_used():
    dates = pd.date_range("2000-01-01", "2009-01-01", freq="D")
    with pytest.raises(ValueError, match="pandas knows no 'fortnight'"):
        cut_periods(dates, "fortnight")
    with pytest.raises(ValueError, match="makes 3,289 periods of 2000-01-01 to 2009"):
        cut_periods(dates, "D")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (
            ["01/02/2024", "13/02/2024"],
            "such as '01/02/2024' cannot be read.*dayfirst=True",
        ),
        ([2019, 2020], "such as '2019' cannot be read.*%Y"),
        ([None, None], "no row has a date"),
        (["2024-01-01"], "1 date arrived for 2 rows"),
    ],
)
def test_dates_that_cannot_be_read_for_certain(values, match):
    with pytest.raises(ValueError, match=match):
        read_dates(values, 2, "test")


def test_dates_of_any_kind():
    texts = ["2024-01-31", "2024-02-01 23:30"]
    expected = pd.DatetimeIndex(texts[:1]).append(pd.DatetimeIndex(texts[1:]))
    zoned = pd.Series(expected).dt.tz_localize("Asia/Tokyo")
    for values in (texts, pd.Series(texts), expected.to_numpy(), expected, zoned):
        assert read_dates(values, 2, "test").tolist() == expected.tolist()
    months = pd.Series(pd.period_range("2024-01", periods=2, freq="M"))
    assert read_dates(months, 2, "test").month.tolist() == [1, 2]
    mixed = ["2024-01-01T05:00+02:00", "2024-07-01T05:00+01:00"]
    with pytest.raises(ValueError, match="utc=True"):
        read_dates(mixed, 2, "test")
    assert read_dates([*texts, None], 3, "test").isna().tolist() == [False] * 2 + [True]


def test_values_of_periods():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 2], 200)  # the middle one is empty
    a = (rng.random(400) < 0.4).astype(float)
    y = 2 * a + rng.normal(size=400)
    weights = np.ones(400)
    n, share, lower, upper, variances = prevalence_by_period(a, codes, 3, weights)
    assert n.tolist() == [200, 0, 200]
    assert share[0] == a[:200].mean()
    assert np.isnan(share[1])
    assert lower[0] < share[0] < upper[0]
    assert variances[0] == pytest.approx(a.mean() * (1 - a.mean()) / 200)
    weights = np.where(np.arange(400) % 2, 3.0, 1.0)
    _, share, *_ = prevalence_by_period(a, codes, 3, weights)
    assert share[2] == pytest.approx(np.average(a[200:], weights=weights[200:]))
    value, lower, upper, variances = separation_by_period(
        a, y, codes, 3, np.ones(400), classes=False
    )
    one, zero = y[:200][a[:200] == 1], y[:200][a[:200] == 0]
    assert value[0] == pytest.approx(one.mean() - zero.mean())
    assert np.isnan(value[1])
    test = stats.ttest_ind(one, zero, equal_var=False).confidence_interval()
    assert [lower[0], upper[0]] == pytest.approx([test.low, test.high], rel=0.02)
    assert variances[0] == pytest.approx(1 / len(one) + 1 / len(zero), rel=0.2)
