"""Hypotheses over time, from a report and from annotations; drawn."""

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import TrendDisplay, evaluate_annotations, hypothesis_trends

NAMES = ["comes into use", "stays", "means more"]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    dates = pd.Series(
        pd.Timestamp("2021-01-01")
        + pd.to_timedelta(np.sort(rng.integers(0, 3 * 365, 3600)), unit="D")
    )
    late = (dates >= "2022-07-01").to_numpy()
    holds = [rng.random(3600) < np.where(late, 0.45, 0.2)]
    holds += [rng.random(3600) < 0.3, rng.random(3600) < 0.4]
    A = pd.DataFrame(np.column_stack(holds).astype(float), columns=NAMES)
    y = A["means more"] * np.linspace(0, 1.5, 3600) + rng.normal(size=3600)
    return A, y.rename("stars"), dates


@pytest.fixture(scope="module")
def trends(rows):
    A, y, dates = rows
    return hypothesis_trends(A, dates, y=y)


def test_what_changes_is_found_and_what_does_not_is_not(trends):
    table = trends.table.set_index("hypothesis")
    assert trends.period == "month"
    use = table.loc["comes into use"]
    assert use["prevalence_change_p_corrected"] < 0.05
    assert abs(use["prevalence_change"] - pd.Timestamp("2022-07-01")).days < 40
    assert 0.15 < use["prevalence_before"] < 0.25
    assert 0.4 < use["prevalence_after"] < 0.5
    more = table.loc["means more"]
    assert more["separation_slope_p_corrected"] < 0.05
    assert more["separation_slope_lower"] < 1.5 / 36 < more["separation_slope_upper"]
    assert table.loc["stays", "prevalence_change_p"] > 0.05
    assert table.loc["comes into use", "separation_slope_p_corrected"] > 0.05


def test_values_of_periods_are_those_of_their_texts(rows, trends):
    A, y, dates = rows
    first = trends.by_period.iloc[0]
    own = ((dates >= "2021-01-01") & (dates < "2021-02-01")).to_numpy()
    a = A["comes into use"].to_numpy()[own]
    assert first["n"] == own.sum()
    assert first["prevalence"] == pytest.approx(a.mean())
    assert first["prevalence_lower"] < a.mean() < first["prevalence_upper"]
    difference = y[own][a == 1].mean() - y[own][a == 0].mean()
    assert first["separation"] == pytest.approx(difference)
    assert len(trends.by_period) == 3 * 36


def test_trends_are_corrected_by_holm_beside_a_step_down(rows):
    A, y, dates = rows
    trends = hypothesis_trends(evaluate_annotations(A, y, n_resamples=0), dates)
    assert trends.correction == "holm"


def test_a_report_gives_the_same(rows, trends):
    A, y, dates = rows
    report = evaluate_annotations(
        A, y, n_resamples=0, alpha=0.01, correction="bonferroni"
    )
    again = hypothesis_trends(report, dates)
    raw = [name for name in trends.table if "corrected" not in name]
    pd.testing.assert_frame_equal(again.table[raw], trends.table[raw])
    assert (again.alpha, again.correction) == (0.01, "bonferroni")
    assert again.target_name == "stars"
    p = again.table["prevalence_slope_p"]
    corrected = again.table["prevalence_slope_p_corrected"]
    np.testing.assert_allclose(corrected, np.minimum(3 * p, 1))
    with pytest.raises(ValueError, match="y arrived beside a report"):
        hypothesis_trends(report, dates, y=y)


def test_classes(rows):
    A, y, dates = rows
    two = hypothesis_trends(A, dates, y=np.where(y > 0.5, "good", "bad"), freq="QS")
    first = two.by_period.iloc[0]
    own = (dates < "2021-04-01").to_numpy()
    a = A["comes into use"].to_numpy()[own]
    good = y.to_numpy()[own] > 0.5
    # classes are in alphabetical order: the second is "good"
    assert first["separation"] == pytest.approx(
        good[a == 1].mean() - good[a == 0].mean()
    )
    three = np.digitize(y, [0, 1]).astype(str)
    with pytest.raises(ValueError, match=r"y holds 3 classes.*y == label"):
        hypothesis_trends(A, dates, y=three)
    report = evaluate_annotations(A, three, n_resamples=0)
    found = hypothesis_trends(report, dates, freq="QS").by_period
    shown = three[own] == report.table["separation_class"][0]
    separation = shown[a == 1].mean() - shown[a == 0].mean()
    assert found["separation"][0] == pytest.approx(separation)


def test_gaps(rows):
    A, _, dates = rows
    dates = dates.copy()
    dates[:7] = pd.NaT
    holds = A.copy()
    holds.iloc[10:20, 0] = np.nan
    away = ((dates >= "2021-05-01") & (dates < "2021-06-01")).to_numpy()
    found = hypothesis_trends(holds[~away], dates[~away], freq="MS")
    assert found.n_texts == (~away).sum() - 7
    assert (
        found.notes[0] == f"7 of {(~away).sum():,} texts have no date and are left out."
    )
    assert found.notes[1] == "1 of 36 periods have no text."
    assert found.table["prevalence_periods"].tolist() == [35, 35, 35]
    assert "separation_slope" not in found.table
    assert "texts have no date" in str(found)
    few = hypothesis_trends(A, rows[2], freq="6MS")
    assert few.table["prevalence_slope_p"].isna().all()
    assert "at least 12 are needed" in few.notes[-1]
    assert "not tested" in str(few)
    assert few.by_period["prevalence"].notna().all()


def test_it_depends_on_the_seed_alone(rows, trends):
    A, y, dates = rows
    order = np.random.default_rng(1).permutation(len(A))
    mixed = hypothesis_trends(A.iloc[order], dates.iloc[order], y=y.iloc[order])
    pd.testing.assert_frame_equal(mixed.table, trends.table)
    other = hypothesis_trends(A, dates, random_state=1).table["prevalence_change_p"]
    p = trends.table["prevalence_change_p"]
    assert (other != p).any()
    np.testing.assert_allclose(other, p, atol=0.05)
    assert str(trends).startswith("3 hypotheses in 36 months from 2021-01-01, 3,600")


def test_weights(rows):
    A, y, dates = rows
    options = {"y": y, "freq": "QS"}
    even = hypothesis_trends(A, dates, sample_weight=np.full(len(y), 2.0), **options)
    plain = hypothesis_trends(A, dates, **options)
    pd.testing.assert_frame_equal(even.table, plain.table)
    with pytest.raises(ValueError, match="must be positive"):
        hypothesis_trends(A, dates, sample_weight=np.zeros(len(y)))


# Drawn ----------------------------------------------------------------------------


def test_the_drawing_shows_the_series_and_what_was_found(trends):
    matplotlib = pytest.importorskip("matplotlib", reason="drawings need matplotlib")
    from matplotlib import pyplot as plt

    matplotlib.use("Agg")
    display = trends.plot()
    assert len(display.ax_) == 3
    assert display.ax_[0].get_title(loc="left") == "comes into use"
    own = trends.by_period[trends.by_period["hypothesis"] == "comes into use"]
    np.testing.assert_allclose(display.points_[0][0].get_ydata(), own["prevalence"])
    levels = display.lines_[0]
    row = trends.table.iloc[0]
    assert len(levels) == 3  # the mean, before, after
    assert levels[1].get_ydata()[0] == row["prevalence_before"]
    assert levels[2].get_ydata()[0] == row["prevalence_after"]
    quiet = [t.get_title(loc="left") for t in display.ax_].index("stays")
    assert len(display.lines_[quiet]) == 1
    display.figure_.canvas.draw()
    one = TrendDisplay.from_trends(
        trends, value="separation", n_most=1, line_kw={"c": "black"}
    )
    assert len(one.ax_) == 1
    assert one.lines_[0][-1].get_color() == "black"
    _, ax = plt.subplots()
    with pytest.raises(TypeError, match="expects 3 matplotlib Axes"):
        trends.plot(ax=ax)
    with pytest.raises(TypeError, match="hypothesis_trends returns"):
        TrendDisplay.from_trends("trends")
    plt.close("all")


def test_separations_need_a_target(rows):
    A, _, dates = rows
    pytest.importorskip("matplotlib", reason="drawings need matplotlib")
    found = hypothesis_trends(A[:500], dates[:500])
    with pytest.raises(ValueError, match="needs a target"):
        found.plot("separation")
