"""The figure of a whole report: its numbers, its words, its width."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from report_cases import NASTY, change_table, make_report, spoil_figures
from sklearn.linear_model import LinearRegression

from sklearn_hypo import ReportDisplay

matplotlib = pytest.importorskip("matplotlib", reason="drawings need matplotlib")
from matplotlib import pyplot as plt  # noqa: E402

LONG = "mentions any of: " + ", ".join(f"an unusually long term {i}" for i in range(12))


@pytest.fixture(autouse=True)
def _no_windows():
    before, figures = plt.get_backend(), set(plt.get_fignums())
    plt.switch_backend("Agg")
    yield
    for number in set(plt.get_fignums()) - figures:
        plt.close(number)
    plt.switch_backend(before)


def draw(report, **options):
    return ReportDisplay.from_report(report, **options)


def words_of(display):
    """All words that stand anywhere in the figure, in reading order."""
    texts = [t for ax in display.figure_.axes for t in ax.texts]
    return " ".join(text.get_text() for text in texts)


def points_of(display, panel):
    """Estimates of a panel from top to bottom, and which of them are filled."""
    found = []
    for points in display.points_[2 * panel : 2 * panel + 2]:
        filled = not np.allclose(points.get_facecolors()[:, :3], 1.0)
        found += [(y, x, filled) for x, y in points.get_offsets()]
    return [(x, filled) for _, x, filled in sorted(found)]


def intervals_of(ax):
    """Ends of the intervals by their thickness: those of all together, and of one."""
    lines = [c for c in ax.collections if hasattr(c, "get_segments")]
    by_width = {round(c.get_linewidth()[0], 1): c.get_segments() for c in lines}
    return [
        np.array([segment[:, 0] for segment in by_width[width]]) for width in (0.8, 2.2)
    ]


def assert_nothing_is_cut_off(figure):
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    for ax in figure.axes:
        ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        low, high = ax.get_xlim()
        shown = [label for tick, label in ticks if low <= tick <= high]
        of_axis = [ax.title, ax.xaxis.label, *shown]
        for text in [*ax.texts, *(of_axis if ax.axison else [])]:
            box = text.get_window_extent(renderer)
            if text.get_text().strip() and text.get_visible():
                assert box.x0 >= -1, text.get_text()
                assert box.x1 <= figure.bbox.width + 1, text.get_text()
                assert box.y0 >= -1, text.get_text()
                assert box.y1 <= figure.bbox.height + 1, text.get_text()


# What is drawn --------------------------------------------------------------------


def test_both_effects_with_both_intervals():
    report = make_report()
    display = draw(report, sort=False)
    table = report.table
    for panel, name in enumerate(("separation", "coef")):
        shown = points_of(display, panel)
        np.testing.assert_allclose([x for x, _ in shown], table[name])
        together, alone = intervals_of(display.axes_[panel])
        for ends, kind in ((together, "_simultaneous"), (alone, "")):
            for column, end in enumerate(("lower", "upper")):
                expected = table[f"{name}{kind}_{end}"]
                np.testing.assert_allclose(ends[:, column], expected)
    filled = [filled for _, filled in points_of(display, 0)]
    assert filled == (table["separation_p_corrected"] <= report.alpha).tolist()
    filled = [filled for _, filled in points_of(display, 1)]
    assert filled == table["significant"].tolist()
    bars = [bar.get_width() for bar in display.axes_[-1].patches]
    np.testing.assert_allclose(bars, table["prevalence"])
    assert display.axes_[0].get_xlim() == display.axes_[1].get_xlim()


def test_the_largest_effect_beside_the_others_is_on_top():
    report = make_report()
    values = [x for x, _ in points_of(draw(report), 1)]
    assert values == sorted(report.table["coef"], reverse=True)


def test_only_what_is_significant_anywhere():
    report = make_report()
    table = report.table
    either = table["significant"] | (table["separation_p_corrected"] <= report.alpha)
    assert 0 < either.sum() < len(table)
    display = draw(report, only_significant=True)
    assert set(display.hypotheses) == set(table["hypothesis"][either])
    none = replace(change_table(report, significant=np.zeros(6, bool)), alpha=1e-9)
    with pytest.raises(ValueError, match="no significant hypotheses"):
        draw(none, only_significant=True)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("quantity", ["difference in y", "coefficient, in units of y"]),
        ("two", ["difference in the share of pos", "coefficient: log odds of pos"]),
        (
            "three",
            [
                "difference in the share of the class",
                "average marginal effect on the share of the class",
            ],
        ),
    ],
)
def test_axes_say_in_which_unit(kind, labels):
    report = make_report(kind)
    display = draw(report)
    shown = [ax.get_xlabel().replace("\n", " ") for ax in display.axes_[:-1]]
    assert shown == labels
    if kind == "three":
        of = report.table["separation_class"]
        names = {f"{c}: {h}" for c, h in zip(of, report.table["hypothesis"])}  # noqa: B905
        assert set(display.hypotheses) == names
        assert "all together" not in words_of(display)
    else:
        assert "interval that holds for all together" in words_of(display)


def test_what_was_not_estimated_is_said():
    display = draw(make_report("missing"))
    assert words_of(display).count("not estimated") == 3
    assert "4 tested" in words_of(display)


def test_without_a_joint_regression_there_is_one_panel():
    report = make_report()
    display = draw(change_table(report, coef=np.full(6, np.nan)))
    assert len(display.axes_) == 2


# Words ----------------------------------------------------------------------------


@pytest.mark.parametrize("width", [8.5, 17.4])
def test_statements_stand_in_full(width):
    report = change_table(make_report(), hypothesis=[f"{i} {LONG}" for i in range(6)])
    display = draw(report, width=width)
    assert display.figure_.get_figwidth() * 2.54 == pytest.approx(width)
    assert "…" not in words_of(display)
    for i in range(6):
        assert f"{i} {LONG}".replace(" ", "") in words_of(display).replace(" ", "")
    assert_nothing_is_cut_off(display.figure_)


@pytest.mark.parametrize("width", [8.5, 17.4])
@pytest.mark.parametrize("kind", ["quantity", "two", "three", "missing"])
def test_any_report_fits_its_width(kind, width):
    assert_nothing_is_cut_off(draw(make_report(kind), width=width).figure_)


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_any_words_and_numbers_are_drawn():
    report = make_report("quantity", 10, True)
    for each, width in ((report, 8.5), (spoil_figures(report), 17.4)):
        draw(each, width=width).figure_.canvas.draw()
    display = draw(report)
    assert NASTY[0] in words_of(display)
    for text in display.figure_.axes[0].texts:
        assert not text.get_parse_math()


def test_statements_are_above_intervals_in_one_column_and_beside_them_in_two():
    for width, above in ((8.5, True), (17.4, False)):
        display = draw(make_report(), width=width)
        words = display.figure_.axes[0]
        rows = [y for points in display.points_[:2] for _, y in points.get_offsets()]
        for text, row in zip(words.texts, sorted(rows), strict=True):
            assert (row - text.get_position()[1] > 1) == above


def test_the_criterion_names_the_correction():
    report = make_report()
    said = "significant after correction (holm, level 0.1, 6 tested)"
    assert said in words_of(draw(report))
    report = replace(report, correction="fdr_bh", correction_alone=None)
    report = replace(report, target_name="stars")
    display = draw(report)
    assert "(fdr_bh, false discovery rate 0.1, 6 tested)" in words_of(display)
    assert "holds for those that are significant, on average" in words_of(display)
    assert "holds for all together" not in words_of(display)
    assert display.axes_[0].get_xlabel() == "difference in stars"


# Errors ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", [0, -1, "wide", True, 3, 1000, float("nan")])
def test_widths_that_are_none(width):
    with pytest.raises(ValueError, match=r"ReportDisplay.*width="):
        draw(make_report(), width=width)


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="report has no hypotheses"):
        draw(make_report("quantity", 0))


def test_what_is_no_report():
    with pytest.raises(TypeError, match=r"report= expects .* LinearRegression arrived"):
        draw(LinearRegression())


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    report = make_report()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(ImportError, match="pip install matplotlib"):
            draw(report)
