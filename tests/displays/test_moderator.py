"""A forest plot by group holds the numbers of the report."""

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import CoefficientsDisplay, ModeratorDisplay, evaluate_annotations

matplotlib = pytest.importorskip("matplotlib", reason="drawings need matplotlib")
from matplotlib import pyplot as plt  # noqa: E402


@pytest.fixture(autouse=True)
def _no_windows():
    before, figures = plt.get_backend(), set(plt.get_fignums())
    plt.switch_backend("Agg")
    yield
    for number in set(plt.get_fignums()) - figures:
        plt.close(number)
    plt.switch_backend(before)


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, (600, 3)).astype(float)
    where = pd.Series(np.array([*"abc"])[rng.integers(0, 3, 600)], name="$site_1$")
    A[(where == "c").to_numpy(), 1] = 0
    y = A[:, 2] * (where == "a").to_numpy() + rng.normal(size=600)
    names = ["mentions rain", "costs $5", "mentions tea"]
    return evaluate_annotations(A, y, names=names, moderator=where, n_resamples=0)


def test_points_are_those_of_the_report(report):
    display = ModeratorDisplay.from_report(report)
    ax = display.ax_
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert shown[0] == "mentions tea"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*"abc"]
    assert ax.get_legend().get_title().get_text() == "$site_1$"
    assert not ax.get_legend().get_title().get_parse_math()
    rows = report.by_moderator.set_index(["hypothesis", "level"])["separation"]
    for number, level in enumerate("abc"):
        filled, hollow = display.points_[2 * number : 2 * number + 2]
        x = np.concatenate([filled[0].get_xdata(), hollow[0].get_xdata()])
        expected = [rows[name, level] for name in shown]
        np.testing.assert_array_equal(x, expected)
        assert len(filled[0].get_xdata()) == 1
        assert hollow[0].get_markerfacecolor() == "white"
    display.figure_.canvas.draw()
    unsorted = ModeratorDisplay.from_report(report, sort=False).ax_
    assert unsorted.get_yticklabels()[0].get_text() == "mentions rain"


def test_intervals_and_keywords(report):
    figure, ax = plt.subplots()
    display = ModeratorDisplay.from_report(
        report, ax=ax, point_kw={"ms": 9, "c": "red"}, reference_kw={"ls": ":"}
    )
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.points_[0][0].get_markersize() == 9
    assert display.points_[0][0].get_color() == "red"
    assert ax.lines[0].get_linestyle() == ":"
    rows = report.by_moderator.set_index(["hypothesis", "level"])
    ends = display.points_[0][2][0].get_segments()[0][:, 0]
    expected = rows.loc[("mentions tea", "a"), ["separation_lower", "separation_upper"]]
    np.testing.assert_allclose(ends, expected.astype(float))


def test_a_report_without_groups_says_so(report):
    rng = np.random.default_rng(0)
    plain = evaluate_annotations(
        rng.integers(0, 2, (60, 1)), rng.normal(size=60), n_resamples=0
    )
    with pytest.raises(ValueError, match="moderator=labels"):
        ModeratorDisplay.from_report(plain)
    with pytest.raises(TypeError, match="expects what evaluate_hypotheses returns"):
        ModeratorDisplay.from_report("report")
    assert CoefficientsDisplay.from_report(report).ax_ is not None
