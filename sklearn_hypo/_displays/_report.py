"""`ReportDisplay`: a whole report as one figure for a paper."""

from numbers import Real

import numpy as np

from .._hypotheses._hypothesis import join_name
from .._utils._printable import to_printable
from ._checks import check_report
from ._figures import BLUE, GREY, PLAIN, draw_circles, import_pyplot, wrap_to_width

_CM = 1 / 2.54  # inches

# Narrower figures have statements above their intervals, others beside them
_TWO_COLUMNS = 12.0
_NARROWEST = 6.0

# Points; and the height of a line in these
_FONT_SIZE, _LEADING = {True: 7.0, False: 7.5}, 1.25

# Shares of the width: statements, each effect, prevalence; and what is between them
_WIDE, _NARROW = (0.42, 0.235, 0.11), (0.0, 0.42, 0.16)
_GAP = 0.02

_LINES = {"strip": 1.6, "between": 0.7, "head": 1.5, "axis": 2.9, "key": 1.35}

_ENDS = ("lower", "upper", "simultaneous_lower", "simultaneous_upper")


class ReportDisplay:
    """A whole report as one figure: statements in full, effects, prevalence.

    Each hypothesis has a row: its statement, its effect by itself, its effect beside
    the others, and the share of texts that have it. Thick lines are 95 % intervals of
    one hypothesis, thin ones those that hold for all together. Filled points are
    significant after correction, hollow ones are not, so that the figure can be read
    without colours; blue and grey are told apart in any kind of colour blindness.

    It is recommended to use `from_report`, which also draws.

    Parameters
    ----------
    hypotheses : sequence of str of length n_hypotheses
        The statements, in the order of the rows.
    prevalence : array-like of shape (n_hypotheses,)
        Shares of texts, in 0..1.
    effects : sequence of dict
        One per panel: "title" and "label" (of its axis), and of shape (n_hypotheses,)
        "estimate", "lower", "upper", "simultaneous_lower", "simultaneous_upper" (NaN
        where there is none) and "significant".
    criterion : str, default="significant after correction"
        What a filled point means.
    simultaneous : str, default="interval that holds for all together"
        What a thin line means.
    same_scale : bool, default=False
        Whether all effects are in one unit, and share the ends of their axes.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure; save it with ``display.figure_.savefig("report.pdf")``.
    axes_ : list of matplotlib Axes
        Of the effects, then of the prevalence.
    points_ : list of PathCollection
        Filled and hollow points, per effect.

    See Also
    --------
    CoefficientsDisplay : One effect, on given axes.
    ModeratorDisplay : Effects by group.
    HypothesisReport.methods_text : The paragraph that goes with it.

    Examples
    --------
    >>> from sklearn_hypo import ReportDisplay
    >>> effect = {
    ...     "title": "Alone", "label": "difference in stars", "estimate": [0.9, -0.1],
    ...     "lower": [0.7, -0.3], "upper": [1.1, 0.1], "significant": [True, False],
    ...     "simultaneous_lower": [0.6, -0.4], "simultaneous_upper": [1.2, 0.2],
    ... }
    >>> display = ReportDisplay(
    ...     hypotheses=["mentions tea", "mentions rain"],
    ...     prevalence=[0.2, 0.35],
    ...     effects=[effect],
    ... ).plot(width=8.5)
    >>> print(display.figure_.get_figwidth() * 2.54)
    8.5
    """

    def __init__(
        self,
        *,
        hypotheses,
        prevalence,
        effects,
        criterion="significant after correction",
        simultaneous="interval that holds for all together",
        same_scale=False,
    ):
        self.hypotheses = list(hypotheses)
        self.prevalence = np.asarray(prevalence, dtype=float)
        self.effects = [dict(effect) for effect in effects]
        self.criterion = criterion
        self.simultaneous = simultaneous
        self.same_scale = same_scale

    @classmethod
    def from_report(cls, report, *, width=17.4, only_significant=False, sort=True):
        """Draw a report.

        Parameters
        ----------
        report : HypothesisReport
            What `evaluate_hypotheses` or `evaluate_annotations` returned.
        width : float, default=17.4
            Of the figure, in cm: 17.4 is two columns of a journal, 8.5 one. Below 12,
            statements stand above their intervals. The height follows.
        only_significant : bool, default=False
            Whether to leave out what is significant neither alone nor beside the
            others. Say so in the caption.
        sort : bool, default=True
            Whether the largest effect beside the others is on top. False: the order
            of the report.

        Returns
        -------
        display : ReportDisplay
            Drawn.

        Raises
        ------
        TypeError
            If it is no report.
        ValueError
            If the width is none, or nothing is left to draw.

        Notes
        -----
        For two classes, effects alone are differences of shares, and those beside the
        others log odds. For more, a row is of the class where the difference is
        largest, which is named before the statement; the effect beside the others is
        then the average marginal effect, which has no simultaneous interval.
        """
        caller = f"{cls.__name__}.from_report"
        needs = ("table", "classes", "alpha", "correction", "n_tested", "target_name")
        check_report(report, caller, needs=needs)
        _check_width(width, caller)
        effects = _read_effects(report)
        rows = _choose_rows(effects, only_significant=only_significant, sort=sort)
        if not len(rows):
            raise ValueError(
                f"{caller}: there is nothing to draw, since the report has no "
                + ("significant " if only_significant else "")
                + "hypotheses."
            )
        labels = _read_labels(report)
        of_all = not report.correction.startswith("fdr")
        which = "all together" if of_all else "those that are significant, on average"
        display = cls(
            hypotheses=[labels[i] for i in rows],
            prevalence=report.table["prevalence"].to_numpy(dtype=float)[rows],
            effects=[_take(effect, rows) for effect in effects],
            criterion=_describe_criterion(report),
            simultaneous=f"interval that holds for {which}",
            same_scale=report.classes is None,
        )
        return display.plot(width=width)

    def plot(self, *, width=17.4):
        """Draw.

        Parameters
        ----------
        width : float, default=17.4
            As in `from_report`.

        Returns
        -------
        display : ReportDisplay
            Itself.
        """
        caller = type(self).__name__
        _check_width(width, caller)
        plt = import_pyplot(caller)
        sheet = _Sheet(width * _CM, len(self.effects), self.hypotheses)
        key = self._wrap_key(sheet)
        titles = [sheet.wrap(effect["label"], sheet.panel) for effect in self.effects]
        below = _LINES["axis"] + max(map(len, titles)) - 1
        height = sheet.n_lines + _LINES["head"] + below + _LINES["key"] * len(key)
        figure = plt.figure(figsize=(sheet.width, height * sheet.line))
        bottom = (below + _LINES["key"] * len(key)) / height
        box = (bottom, sheet.n_lines / height)
        self._write_statements(figure, sheet, box)
        self.points_, self.axes_ = [], []
        for number, (effect, title) in enumerate(
            zip(self.effects, titles, strict=True)
        ):
            ax = figure.add_axes(sheet.place(number, box))
            self._draw_effect(ax, effect, sheet, "\n".join(title))
            self.axes_.append(ax)
        if self.same_scale:
            ends = np.array([ax.get_xlim() for ax in self.axes_])
            for ax in self.axes_:
                ax.set_xlim(ends.min(), ends.max())
        self.axes_.append(figure.add_axes(sheet.place(len(self.effects), box)))
        self._draw_prevalence(self.axes_[-1], sheet)
        self._write_key(figure, sheet, key, height)
        self.figure_ = figure
        return self

    def _write_statements(self, figure, sheet, box):
        ax = figure.add_axes((0, box[0], 1, box[1]), zorder=-1)
        ax.set_axis_off()
        ax.set(xlim=(0, sheet.width), ylim=(sheet.n_lines, 0))
        style = PLAIN | {"fontsize": sheet.size, "linespacing": _LEADING}
        for top, lines in zip(sheet.text_tops, sheet.statements, strict=True):
            for i, line in enumerate(lines):
                ax.text(sheet.margin, top + i + 0.5, line, va="center", **style)
        for y in sheet.borders[:-1]:
            ax.axhline(y, color="0.85", linewidth=0.5)

    def _draw_effect(self, ax, effect, sheet, label):
        values = {name: np.asarray(effect[name], dtype=float) for name in _ENDS}
        estimate = np.asarray(effect["estimate"], dtype=float)
        significant = np.asarray(effect["significant"], dtype=bool)
        middle = np.array(sheet.middles)
        ends = _find_ends(estimate, values.values())
        ax.set(xlim=ends, ylim=(sheet.n_lines, 0))
        half = 0.5 * _LINES["strip"]
        style = {"color": GREY, "linewidth": 0.7, "zorder": 0.5}
        ax.vlines(np.zeros(len(middle)), middle - half, middle + half, **style)
        colours = np.where(significant, BLUE, GREY)
        for kind, thickness in (("simultaneous_", 0.8), ("", 2.2)):
            bounds = [values[f"{kind}{end}"] for end in ("lower", "upper")]
            _draw_lines(ax, *bounds, middle, colours, thickness, ends)
        known = np.isfinite(estimate)
        for group, filled in ((significant, True), (~significant, False)):
            rows = known & group
            style = {"filled": filled, "size": 16}
            given = {"color": BLUE if filled else "0.35", "linewidth": 1.0}
            self.points_.append(
                draw_circles(ax, estimate[rows], middle[rows], given=given, **style)
            )
        for y in middle[~known]:
            ax.text(
                0,
                y,
                " not estimated",
                fontsize=sheet.size - 1,
                color="0.4",
                va="center",
            )
        _strip_axes(ax, sheet)
        ax.set_title(effect["title"], fontsize=sheet.size, fontweight="bold", **PLAIN)
        ax.set_xlabel(label, fontsize=sheet.size, labelpad=2, **PLAIN)

    def _draw_prevalence(self, ax, sheet):
        shares = np.clip(np.nan_to_num(self.prevalence), 0, 1)
        middle = np.array(sheet.middles)
        ax.barh(middle, shares, height=0.7, color="0.75")
        most = max(shares.max(), 0.01)
        ax.set(xlim=(0, 2.3 * most), ylim=(sheet.n_lines, 0))
        for y, share, known in zip(middle, shares, self.prevalence, strict=True):
            digits = ".0f" if share >= 0.1 else ".2g"
            text = "" if np.isnan(known) else f"{100 * share:{digits}} %"
            ax.text(
                share + 0.08 * most, y, text, va="center", fontsize=sheet.size - 0.5
            )
        _strip_axes(ax, sheet)
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.set_title("Share", fontsize=sheet.size, fontweight="bold", loc="left")

    def _wrap_key(self, sheet):
        """What marks mean, an entry each: how it is drawn, and its lines."""
        entries = [
            ("filled", self.criterion),
            ("hollow", "not significant"),
            ("thick", "95 % interval of one hypothesis"),
        ]
        names = _ENDS[2:]
        if any(np.isfinite(e[name]).any() for e in self.effects for name in names):
            entries.append(("thin", self.simultaneous))
        room = sheet.width - 2 * sheet.margin - 0.3
        lines = [(mark, sheet.wrap(text, room)) for mark, text in entries]
        return [(m * (i == 0), t) for m, own in lines for i, t in enumerate(own)]

    def _write_key(self, figure, sheet, key, height):
        ax = figure.add_axes((0, 0, 1, _LINES["key"] * len(key) / height))
        ax.set_axis_off()
        ax.set(xlim=(0, sheet.width), ylim=(len(key), 0))
        x = sheet.margin
        for i, (mark, text) in enumerate(key):
            y = [i + 0.4]
            if mark in ("filled", "hollow"):
                given = {"color": BLUE if mark == "filled" else "0.35"}
                style = {"filled": mark == "filled", "size": 16, "given": given}
                draw_circles(ax, [x + 0.1], y, **style)
            elif mark:
                width = 2.2 if mark == "thick" else 0.8
                ax.hlines(y, x, x + 0.2, color="0.35", linewidth=width)
            ax.text(x + 0.3, *y, text, va="center", fontsize=sheet.size, **PLAIN)


def _describe_criterion(report):
    """Say what filled points are: by which corrections, at which level."""
    correction, n = report.correction, report.n_tested
    alone = getattr(report, "correction_alone", None) or correction
    if not getattr(report, "n_joint_hypotheses", True):
        correction, n = alone, getattr(report, "n_tested_alone", None) or n
    named = correction if alone == correction else f"{correction}, alone {alone}"
    kind = "false discovery rate" if correction.startswith("fdr") else "level"
    return (
        f"significant after correction ({named}, {kind} {report.alpha:g}, {n} tested)"
    )


class _Sheet:
    """Where everything stands: inches across, lines of text down.

    Attributes
    ----------
    statements : list of list of str
        Lines of each statement.
    text_tops, middles, borders : list of float
        Where statements begin, where intervals lie, and lines between rows, in lines
        from the top.
    n_lines : float
        Down to the end of the last row.
    """

    def __init__(self, width, n_effects, hypotheses):
        self.width, self.narrow = width, width < _TWO_COLUMNS * _CM
        self.size = _FONT_SIZE[self.narrow]
        self.line = self.size * _LEADING / 72
        self.margin = 0.05
        self._shares = _NARROW if self.narrow else _WIDE
        of_text = 1.0 if self.narrow else self._shares[0]
        # panels share what one of two would have had
        room = 2 * self._shares[1] / max(n_effects, 1)
        self._panel_share, self.panel = room, room * width - 0.15
        self.statements = [
            self.wrap(text, of_text * width - 2 * self.margin) for text in hypotheses
        ]
        self.text_tops, self.middles, self.borders, top = [], [], [], 0.0
        for lines in self.statements:
            top += 0.5 * _LINES["between"]
            strip = _LINES["strip"]
            if self.narrow:
                self.text_tops.append(top)
                self.middles.append(top + len(lines) + 0.5 * strip)
                top += len(lines) + strip
            else:
                row = max(len(lines), strip)
                self.text_tops.append(top + 0.5 * (row - len(lines)))
                self.middles.append(top + 0.5 * row)
                top += row
            top += 0.5 * _LINES["between"]
            self.borders.append(top)
        self.n_lines = max(top, 1.0)

    def wrap(self, text, room):
        """Break a text into lines of so many inches."""
        return wrap_to_width(text, room, self.size)

    def place(self, number, box):
        """The box of a panel, as shares of the figure: the last one is the shares."""
        left = self._shares[0] + _GAP + number * self._panel_share
        n = round(2 * self._shares[1] / self._panel_share)
        width = self._panel_share if number < n else 1 - left
        return (left, box[0], width - _GAP, box[1])


def _strip_axes(ax, sheet):
    for side in ("left", "top", "right"):
        ax.spines[side].set_visible(False)
    ax.patch.set_visible(False)
    ax.set_yticks([])
    ax.tick_params(labelsize=sheet.size - 0.5, length=2, pad=1.5)
    ax.locator_params(axis="x", nbins=4)


def _draw_lines(ax, lower, upper, rows, colours, width, ends):
    """Intervals; an arrow where one has no end within the axis."""
    drawn = ~np.isnan(lower) & ~np.isnan(upper)
    low, high = np.clip([lower[drawn], upper[drawn]], *ends)
    ax.hlines(rows[drawn], low, high, colors=colours[drawn], linewidth=width, zorder=2)
    for bound, end, marker in ((lower, ends[0], "<"), (upper, ends[1], ">")):
        beyond = drawn & np.isinf(bound)
        style = {"marker": marker, "s": 9, "c": colours[beyond], "clip_on": False}
        ax.scatter(np.full(beyond.sum(), end), rows[beyond], **style)


def _find_ends(estimate, bounds):
    """Ends of an axis that holds 0 and all that is finite."""
    values = np.concatenate([estimate, *bounds])
    values = np.append(values[np.isfinite(values)], 0.0)
    margin = 0.06 * (np.ptp(values) or 1.0)
    return values.min() - margin, values.max() + margin


def _check_width(width, caller):
    if not isinstance(width, Real) or isinstance(width, bool) or not width > 0:
        raise ValueError(
            f"{caller}: width= expects the cm of the figure, such as 8.5 (one column) "
            f"or 17.4 (two), but {width!r} arrived."
        )
    if not _NARROWEST <= width <= 100:
        raise ValueError(
            f"{caller}: width={width:g} cm is not between {_NARROWEST:g} and 100. "
            "One column of a journal has 8.5 cm, two have 17.4."
        )


# From a report --------------------------------------------------------------------


def _read_labels(report):
    table = report.table
    given = table["name"] if "name" in table else [""] * len(table)
    pairs = zip(given, map(str, table["hypothesis"]), strict=True)
    labels = [join_name(*pair) for pair in pairs]
    if "separation_class" not in table:
        return labels
    of = table["separation_class"]
    return [f"{c}: {label}" for c, label in zip(of, labels, strict=True)]


def _read_effects(report):
    """The panels of a report: alone, and beside the others if that was estimated."""
    table, classes = report.table, report.classes
    target = "y" if report.target_name is None else to_printable(report.target_name)
    alone, beside = f"difference in {target}", f"coefficient, in units of {target}"
    joint = "coef"
    if classes is not None and len(classes) == 2:
        alone = f"difference in the share of {to_printable(classes[1])}"
        beside = f"coefficient: log odds of {to_printable(classes[1])}"
    elif classes is not None:
        alone = "difference in the share of the class"
        beside, joint = "average marginal effect on the share of the class", "ame"
    corrected = _read_column(table, "separation_p_corrected")
    effects = [
        _read_effect(table, "separation", "Alone", alone, corrected <= report.alpha)
    ]
    if np.isfinite(_read_column(table, joint)).any():
        significant = table["significant"].to_numpy(dtype=bool)
        title = "Beside the others"
        effects.append(_read_effect(table, joint, title, beside, significant))
    return effects


def _read_effect(table, name, title, label, significant):
    found = {end: _read_column(table, f"{name}_{end}") for end in _ENDS}
    estimate = _read_column(table, name)
    found |= {"estimate": estimate, "significant": significant}
    return found | {"title": title, "label": label}


def _read_column(table, name):
    if name not in table:
        return np.full(len(table), np.nan)
    return table[name].to_numpy(dtype=float)


def _choose_rows(effects, *, only_significant, sort):
    """Rows to draw: the largest effect on top, what was not estimated last."""
    lead = effects[-1]["estimate"]
    rows = np.arange(len(lead))
    if sort:
        key = np.where(np.isfinite(lead), lead, -np.inf)
        rows = np.argsort(-key, kind="stable")
    if only_significant:
        kept = np.any([effect["significant"] for effect in effects], axis=0)
        rows = rows[kept[rows]]
    return rows


def _take(effect, rows):
    return {
        name: value[rows] if isinstance(value, np.ndarray) else value
        for name, value in effect.items()
    }
