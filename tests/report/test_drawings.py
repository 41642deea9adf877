"""The drawings of the page, measured: what is where, and how long."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from sklearn_hypo._report._page._charts import (
    Scale,
    draw_axis,
    draw_bar,
    draw_histogram,
    draw_intervals,
)


def parts_of(drawing, name):
    """Attributes of the elements of a name, as numbers where they are numbers."""
    return [
        {key: number_of(value) for key, value in each.attrib.items()}
        for each in ET.fromstring(drawing).iter(name)
    ]


def number_of(value):
    try:
        return float(value)
    except ValueError:
        return value


def line(x1, x2, y1, y2, class_):
    return {"x1": x1, "x2": x2, "y1": y1, "y2": y2, "class": class_}


def test_places_run_from_margin_to_margin():
    scale = Scale(-2.0, 8.0)
    assert [scale.place(x) for x in (-2, 0, 3, 8)] == [12.0, 67.2, 150.0, 288.0]
    assert [scale.place(x) for x in (-99, np.inf)] == [12.0, 288.0]


@pytest.mark.parametrize(
    ("lower", "upper", "ticks"),
    [
        (-1.0, 1.0, [-1, -0.5, 0, 0.5, 1]),
        (0.0, 7.0, [0, 2, 4, 6]),
        (-4.0, 26.0, [0, 10, 20]),
        (0.0, 5.0, [0, 1, 2, 3, 4, 5]),
        (-0.031, 0.02, [-0.02, 0, 0.02]),
    ],
)
def test_ticks_are_round(lower, upper, ticks):
    found = Scale(lower, upper).ticks()
    assert found == pytest.approx(ticks)
    assert not np.signbit(np.array(found)[np.array(found) == 0]).any()


def test_the_scale_holds_what_is_to_be_seen():
    estimates = np.array([1.0, -2.0, np.nan])
    near = (estimates, estimates - 1, estimates + 1)
    assert Scale.of([near]) == Scale(-3.0, 2.0)
    wide = (estimates, estimates - 50, estimates + 50)
    assert Scale.of([wide]) == Scale(-5.0, 4.0)  # by the range of the estimates
    assert Scale.of([(np.array([4.0]), np.array([3.0]), np.array([5.0]))]) == Scale(
        0, 5
    )
    nothing = (np.array([np.nan]),) * 3
    assert Scale.of([nothing]) == Scale(-1.0, 1.0)
    assert Scale.of([near, wide]) == Scale(-5.0, 4.0)


def test_the_axis_has_its_ticks_and_labels():
    drawing = draw_axis(Scale(-1.0, 1.0))
    assert parts_of(drawing, "line") == [line(12, 288, 20, 20, "axis")] + [
        line(x, x, 15, 20, "axis") for x in (12, 81, 150, 219, 288)
    ]
    labels = [each.text for each in ET.fromstring(drawing).iter("text")]
    assert labels == ["−1", "−0.5", "0", "0.5", "1"]
    assert [(t["x"], t["y"]) for t in parts_of(drawing, "text")] == [
        (x, 11) for x in (12, 81, 150, 219, 288)
    ]
    root = ET.fromstring(drawing)
    assert root.attrib["viewBox"] == "0 0 300 21"
    assert root.attrib["aria-hidden"] == "true"


def test_intervals_are_drawn_where_they_are():
    scale = Scale(-1.0, 1.0)
    joint, alone = (0.5, 0.25, 3.0), (-0.5, -2.0, np.inf)
    drawing = draw_intervals(scale, alone, joint, tone="positive")
    lines = parts_of(drawing, "line")
    places = [12, 81, 150, 219, 288]
    assert lines[:6] == [line(x, x, -200, 228, "grid") for x in places] + [
        line(150, 150, -200, 228, "zero")
    ]
    assert lines[6:] == [
        line(12, 288, 20, 20, "alone"),
        line(184.5, 288, 9, 9, "positive"),
    ]
    paths = [(p["d"], p["class"]) for p in parts_of(drawing, "path")]
    assert paths == [
        ("M5.0 20l7 -4v8z", "alone solid"),
        ("M295.0 20l-7 -4v8z", "alone solid"),
        ("M81.0 16l4 4l-4 4l-4 -4z", "alone dot"),
        ("M295.0 9l-7 -4v8z", "positive solid"),
    ]
    assert parts_of(drawing, "circle") == [
        {"cx": 219, "cy": 9, "r": 5, "class": "positive dot"}
    ]
    assert ET.fromstring(drawing).attrib["viewBox"] == "0 0 300 28"


def test_an_estimate_without_an_interval_is_a_dot():
    drawing = draw_intervals(
        Scale(-1.0, 1.0), None, (0.0, np.nan, np.nan), tone="quiet"
    )
    assert len(parts_of(drawing, "line")) == 6
    assert parts_of(drawing, "circle")[0]["cx"] == 150
    nothing = draw_intervals(Scale(-1.0, 1.0), None, (np.nan,) * 3, tone="quiet")
    assert parts_of(nothing, "circle") == []


def test_a_histogram_shows_roots_of_counts():
    drawing = draw_histogram((0.0, 1.0, 2.0), (4, 1), (0, 9), label="all of it")
    assert parts_of(drawing, "rect") == [
        {"x": 12, "y": 24, "width": 197, "height": 40, "class": "present"},
        {"x": 210, "y": 44, "width": 197, "height": 20, "class": "present"},
        {"x": 210, "y": 64, "width": 197, "height": 60, "class": "absent"},
    ]
    root = ET.fromstring(drawing)
    hints = [each.text for each in root.iter("title")]
    assert hints == [
        "0.000 to 1.000: 4 texts",
        "1.000 to 2.000: 1 text",
        "1.000 to 2.000: 9 texts",
    ]
    assert parts_of(drawing, "line") == [line(12, 408, 64, 64, "axis")]
    ends = [(t["x"], t["y"], t["text-anchor"]) for t in parts_of(drawing, "text")]
    assert ends == [(12, 136, "start"), (408, 136, "end")]
    assert [each.text for each in root.iter("text")] == ["0.000", "2.000"]
    assert root.attrib["viewBox"] == "0 0 420 140"
    assert (root.attrib["role"], root.attrib["aria-label"]) == ("img", "all of it")
    assert root.attrib["class"] == "drawing histogram"


@pytest.mark.parametrize(("share", "wide"), [(0.1234, 12.3), (1.0, 100), (np.nan, 0)])
def test_a_bar_is_as_wide_as_the_share(share, wide):
    back, front = parts_of(draw_bar(share), "rect")
    assert back == {"x": 0, "y": 0, "width": 100, "height": 8, "class": "bar-back"}
    assert front == back | {"width": wide, "class": "bar"}
