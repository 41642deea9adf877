"""The drawings of the page, as SVG: intervals, histograms, bars.

Colours come from the style sheet by class, so that a drawing follows the light or
dark scheme; sizes are in units of the view box and scale with the page.
"""

from dataclasses import dataclass

import numpy as np

from ..._utils._printable import pluralize
from .._formats import format_number, typeset_minus
from ._render import element

_WIDTH = 300

_BROAD = 420  # of a histogram

_MARGIN = 12

_TICKS = 5

_SMALLEST = 1e-300  # range of an axis that can still be divided

_ALONE, _JOINT = 20, 9  # heights of the two intervals in a row of 28

_OVER = (-200, 228)  # lines run beyond a row, into the next; the cell cuts them off


@dataclass(frozen=True)
class Scale:
    """A common axis for all rows of a forest plot, with finite ends."""

    lower: float
    upper: float

    @classmethod
    def of(cls, effects):
        """Choose an axis that shows all estimates and zero, and no very wide interval.

        `effects` are estimates, lower and upper bounds, with gaps and infinities.
        """
        values = np.concatenate([np.zeros(1), *(e[0] for e in effects)])
        values = values[np.isfinite(values)]
        lower, upper = values.min(), values.max()
        span = (upper - lower) or 1.0
        bounds = np.concatenate([np.zeros(1), *(b for e in effects for b in e[1:])])
        bounds = bounds[np.isfinite(bounds)]
        lower = min(lower, max(bounds.min(), lower - span))
        upper = max(upper, min(bounds.max(), upper + span))
        if not _SMALLEST < upper - lower < np.inf:
            lower, upper = -1.0, 1.0
        return cls(float(lower), float(upper))

    def place(self, value):
        """Horizontal place of a value, cut off at the ends."""
        share = (value - self.lower) / (self.upper - self.lower)
        x = _MARGIN + min(max(share, 0.0), 1.0) * (_WIDTH - 2 * _MARGIN)
        return round(float(x), 1)

    def ticks(self):
        """Round numbers within the axis."""
        rough = (self.upper - self.lower) / _TICKS
        power = 10.0 ** np.floor(np.log10(rough))
        step = power * next((m for m in (1, 2, 5) if m * power >= rough), 10)
        first, last = np.ceil(self.lower / step), np.floor(self.upper / step)
        return [float(n * step) + 0.0 for n in np.arange(first, last + 1)]  # no -0


def _draw(height, *parts, label=None, width=_WIDTH, class_="drawing"):
    """An SVG of a height; without a label it is decoration beside the same in words."""
    spoken = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    box = f"0 0 {width} {height}"
    return element("svg", *parts, viewBox=box, class_=class_, **spoken)


def _draw_line(xs, ys, class_):
    return element("line", x1=xs[0], x2=xs[1], y1=ys[0], y2=ys[1], class_=class_)


def draw_axis(scale):
    """The axis above a forest plot."""
    parts = [_draw_line((_MARGIN, _WIDTH - _MARGIN), (20, 20), "axis")]
    for tick in scale.ticks():
        x = scale.place(tick)
        parts.append(_draw_line((x, x), (15, 20), "axis"))
        label = typeset_minus(f"{tick:.6g}")
        parts.append(element("text", label, x=x, y=11, class_="tick"))
    return _draw(21, *parts, class_="drawing axis-row")


def draw_intervals(scale, alone, joint, *, tone):
    """The intervals of one hypothesis: beside the others, and below it alone or None.

    Each is estimate, lower and upper bound; there is but the grid if none is finite.
    """
    places = [(tick, "grid") for tick in scale.ticks()] + [(0.0, "zero")]
    parts = [_draw_line([scale.place(x)] * 2, _OVER, class_) for x, class_ in places]
    if alone is not None:
        parts += _draw_interval(
            scale, *alone, y=_ALONE, mark=_draw_diamond, tone="alone"
        )
    parts += _draw_interval(scale, *joint, y=_JOINT, mark=_draw_dot, tone=tone)
    return _draw(28, *parts)


def _draw_interval(scale, value, lower, upper, *, y, mark, tone):
    if not np.isfinite(value):
        return []
    parts = []
    if not np.isnan([lower, upper]).any():
        ends = [scale.place(lower), scale.place(upper)]
        parts.append(_draw_line(ends, (y, y), tone))
        beyond = (lower < scale.lower, upper > scale.upper)
        for x, out, way in zip(ends, beyond, (-1, 1), strict=True):
            if out:  # the interval goes on
                arrow = f"M{x + way * 7} {y}l{-way * 7} -4v8z"
                parts.append(element("path", d=arrow, class_=f"{tone} solid"))
    return [*parts, mark(scale.place(value), y, tone)]


def _draw_dot(x, y, tone):
    return element("circle", cx=x, cy=y, r=5, class_=f"{tone} dot")


def _draw_diamond(x, y, tone):
    return element("path", d=f"M{x} {y - 4}l4 4l-4 4l-4 -4z", class_=f"{tone} dot")


def draw_histogram(edges, present, absent, *, label):
    """Activations of the texts that have a hypothesis, above those that lack it.

    Heights are square roots of the numbers of texts in each bin, so that a few at the
    strong end can be seen beside thousands at the weak one (a rootogram).
    """
    top, middle, base = 4, 64, 136
    most = max([1, *present, *absent])
    wide = (_BROAD - 2 * _MARGIN) / (len(edges) - 1)
    ends = (_MARGIN, _BROAD - _MARGIN)
    parts = [_draw_line(ends, (middle, middle), "axis")]
    for i, (up, down) in enumerate(zip(present, absent, strict=True)):
        x = round(_MARGIN + i * wide, 1)
        bounds = f"{format_number(edges[i])} to {format_number(edges[i + 1])}"
        for count, tone in ((up, "present"), (down, "absent")):
            if count <= 0:
                continue
            high = round((middle - top) * (count / most) ** 0.5, 1)
            y = middle - high if tone == "present" else middle
            hint = element("title", f"{bounds}: {pluralize(count, 'text')}")
            box = {"x": x, "y": round(y, 1), "width": round(wide - 1, 1)}
            bar = element("rect", **box, height=high, class_=tone)
            parts.append(element("g", bar, hint))
    for x, edge, anchor in zip(ends, (0, -1), ("start", "end"), strict=True):
        look = {"class_": "tick", "text_anchor": anchor}
        parts.append(element("text", format_number(edges[edge]), x=x, y=base, **look))
    look = {"width": _BROAD, "class_": "drawing histogram"}
    return _draw(base + 4, *parts, label=label, **look)


def draw_bar(share):
    """A bar that fills as much of its track as the share is of all texts."""
    wide = 0.0 if np.isnan(share) else round(100 * share, 1)
    back = element("rect", x=0, y=0, width=100, height=8, class_="bar-back")
    front = element("rect", x=0, y=0, width=wide, height=8, class_="bar")
    box = {"viewBox": "0 0 100 8", "preserveAspectRatio": "none"}
    return element("svg", back, front, class_="bar-box", aria_hidden="true", **box)
