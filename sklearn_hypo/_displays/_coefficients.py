"""`CoefficientsDisplay`: a forest plot of the hypotheses."""

import numpy as np

from .._hypotheses._hypothesis import join_name
from .._hypotheses._lookup import check_choice
from .._utils._printable import to_printable
from ._checks import check_report
from ._figures import (
    BLUE,
    GREY,
    PLAIN,
    choose_row_of_axes,
    draw_circles,
    format_log_axis,
    measure_height,
    merge_keywords,
    name_rows,
    wrap_label,
)

_RATIOS = ("odds_ratio", "rate_ratio", "cumulative_odds_ratio")  # 1 is no effect
_EFFECTS = ("auto", "coef", "separation", "ame", *_RATIOS)


class CoefficientsDisplay:
    """Effects of the hypotheses with their 95% intervals: a forest plot.

    Filled points are significant after correction, in the joint regression.

    It is recommended to use `from_report`, which also draws.

    Parameters
    ----------
    hypotheses : sequence of str of length n_hypotheses
        What to write at each row.
    estimate, lower, upper : array-like of shape (n_hypotheses,) or \
            (n_hypotheses, n_classes)
        The effects, and the ends of their intervals. NaN: not estimated.
    significant : array-like of bool of shape (n_hypotheses,)
        Which points are filled.
    classes : sequence of length n_classes, default=None
        Labels of the facets, if there is one column per class.
    effect_label : str, default="effect, 95% interval"
        What the x axis shows.
    log : bool, default=False
        Whether the effects are ratios: a logarithmic axis, no effect at 1.
    criterion : str, default="significant after correction"
        What a filled point means.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes (or ndarray of them) and Figure
        The drawing, of facets one per class, and the figure it is in.
    points_ : list of PathCollection
        The points that are drawn: filled and hollow ones, per facet.
    intervals_ : list of LineCollection
        The intervals, per facet.

    See Also
    --------
    evaluate_hypotheses : Makes the report.
    ReplicationDisplay : Which hypotheses come back in another fit.

    Examples
    --------
    >>> from sklearn_hypo import CoefficientsDisplay
    >>> display = CoefficientsDisplay(
    ...     hypotheses=["mentions rain", "mentions tea"],
    ...     estimate=[-0.05, 0.85],
    ...     lower=[-0.14, 0.76],
    ...     upper=[0.03, 0.94],
    ...     significant=[False, True],
    ... ).plot()
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['mentions tea', 'mentions rain']
    """

    def __init__(
        self,
        *,
        hypotheses,
        estimate,
        lower,
        upper,
        significant,
        classes=None,
        effect_label="effect, 95% interval",
        log=False,
        criterion="significant after correction",
    ):
        self.hypotheses = list(hypotheses)
        self.estimate = np.asarray(estimate, dtype=float)
        self.lower = np.asarray(lower, dtype=float)
        self.upper = np.asarray(upper, dtype=float)
        self.significant = np.asarray(significant, dtype=bool)
        self.classes = None if classes is None else list(classes)
        self.effect_label = effect_label
        self.log = log
        self.criterion = criterion

    @classmethod
    def from_report(
        cls,
        report,
        *,
        effect="auto",
        by_class="auto",
        sort=True,
        ax=None,
        point_kw=None,
        interval_kw=None,
        reference_kw=None,
    ):
        """Draw the effects of a report.

        Parameters
        ----------
        report : HypothesisReport
            What `evaluate_hypotheses` returned.
        effect : {"auto", "coef", "separation", "odds_ratio", "ame", "rate_ratio", \
                "cumulative_odds_ratio"}, default="auto"
            What is drawn: joint coefficients, separations, odds ratios, average
            marginal effects, rate ratios of counts or cumulative odds ratios of ordered
            levels. "auto": separations for more than two classes, which have no single
            coefficient, otherwise coefficients.
        by_class : bool or "auto", default="auto"
            For more than two classes: True draws one facet per class, False the
            class where the separation is largest in size. "auto": facets if the
            report has the numbers.
        sort : bool, default=True
            Whether the largest effect is on top (the largest in size over the
            classes, for facets). False: the order of the report.
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw; facets divide a single one. None makes a new figure. Make
            your own with ``layout="constrained"``, or long wordings are cut off.
        point_kw : dict, default=None
            Keywords for the points, of `matplotlib.axes.Axes.scatter`.
        interval_kw : dict, default=None
            Keywords for the intervals, of `matplotlib.axes.Axes.hlines`.
        reference_kw : dict, default=None
            Keywords for the line of no effect, of `matplotlib.axes.Axes.axvline`.

        Returns
        -------
        display : CoefficientsDisplay
            Drawn.
        """
        caller = f"{cls.__name__}.from_report"
        fields = ("table", "classes", "alpha", "correction", "by_class")
        check_report(report, caller, needs=fields)
        check_choice(effect, _EFFECTS, parameter="effect", caller=caller)
        if by_class not in (True, False, "auto"):
            raise ValueError(
                f"{caller}: by_class= expects True, False or 'auto', but {by_class!r} "
                "arrived."
            )
        found = _read_report(report, effect, by_class, caller)
        display = cls(
            significant=report.table["significant"].to_numpy(dtype=bool),
            log=effect in _RATIOS,
            criterion=(
                f"significant after correction ({report.correction}, {report.alpha:g}, "
                f"{report.n_tested} tested)"
            ),
            **found,
        )
        return display.plot(
            ax,
            sort=sort,
            point_kw=point_kw,
            interval_kw=interval_kw,
            reference_kw=reference_kw,
        )

    def plot(
        self, ax=None, *, sort=True, point_kw=None, interval_kw=None, reference_kw=None
    ):
        """Draw.

        Parameters
        ----------
        ax, sort, point_kw, interval_kw, reference_kw : optional
            As in `from_report`.

        Returns
        -------
        display : CoefficientsDisplay
            Itself.
        """
        n_facets = 1 if self.classes is None else len(self.classes)
        shape = (len(self.hypotheses), n_facets)
        order = self._order(shape) if sort else np.arange(shape[0])
        caller = type(self).__name__
        names = [wrap_label(self.hypotheses[i]) for i in order]
        size = (9 if n_facets == 1 else 4.2 + 2.6 * n_facets, measure_height(names))
        axes = choose_row_of_axes(ax, n_facets, caller, size)
        self.points_, self.intervals_ = [], []
        columns = np.stack(
            [v.reshape(shape)[order] for v in (self.estimate, self.lower, self.upper)]
        )
        edges = _find_axis_ends(columns, log=self.log)
        styles = {"point": point_kw, "interval": interval_kw, "line": reference_kw}
        for facet, (axis, *values) in enumerate(
            zip(axes, *columns.transpose(0, 2, 1), strict=True)
        ):
            name_rows(axis, names)
            self._draw(axis, values, self.significant[order], edges, styles)
            if self.classes is not None:
                axis.set_title(wrap_label(self.classes[facet], 24), **PLAIN)
        self._write_axis_label(axes)
        self.ax_ = axes[0] if self.classes is None else np.array(axes, dtype=object)
        self.figure_ = axes[0].figure
        return self

    def _order(self, shape):
        """Largest first, what was not estimated last."""
        columns = self.estimate.reshape(shape)
        sizes = columns if self.classes is None else np.abs(columns)
        key = np.where(np.isfinite(sizes), sizes, -np.inf).max(axis=1)
        return np.argsort(-key, kind="stable")

    def _draw(self, ax, values, significant, edges, styles):
        from matplotlib.lines import Line2D

        estimate, lower, upper = values
        reference = 1.0 if self.log else 0.0
        line = {"color": GREY, "linewidth": 1, "zorder": 0.9}
        ax.axvline(reference, **merge_keywords(Line2D, line, styles["line"]))
        if self.log:
            ax.set_xscale("log")
        if edges is not None:
            ax.set_xlim(*edges)
        known = np.isfinite(estimate)
        drawn = known & ~np.isnan(lower) & ~np.isnan(upper)
        self._draw_intervals(ax, lower, upper, drawn, edges, styles["interval"])
        for group, filled in ((significant, True), (~significant, False)):
            rows = np.flatnonzero(known & group)
            if len(rows):
                style = {"filled": filled, "size": 42, "given": styles["point"]}
                self.points_.append(draw_circles(ax, estimate[rows], rows, **style))
        for row in np.flatnonzero(~known):
            ax.annotate("not estimated", (reference, row), color="0.4", va="center")
        if self.log:
            format_log_axis(ax)

    def _draw_intervals(self, ax, lower, upper, drawn, edges, given):
        from matplotlib.collections import LineCollection

        rows = np.flatnonzero(drawn)
        ends = [lower[rows], upper[rows]]
        if edges is not None:
            beyond = ((ends[0] < edges[0], "<"), (ends[1] > edges[1], ">"))
            ends = [np.clip(end, *edges) for end in ends]
            for end, (mask, marker) in zip(ends, beyond, strict=True):
                # an arrow: the interval has no end on this side
                style = {"color": BLUE, "marker": marker, "clip_on": False}
                ax.scatter(end[mask], rows[mask], **style)
        style = {"color": BLUE, "linewidth": 1.6, "zorder": 2}
        style = merge_keywords(LineCollection, style, given)
        self.intervals_.append(ax.hlines(rows, *ends, **style))

    def _write_axis_label(self, axes):
        """Say what the axis shows and what filled points mean.

        A legend would cover points: there is no corner that is always empty.
        """
        # layouts make no room for an axis label that is wider than its axis
        lines = (self.effect_label, f"filled: {self.criterion}")
        text = "\n".join(wrap_label(line, 50, 3) for line in lines)
        axes[len(axes) // 2].set_xlabel(text, **PLAIN)


def _find_axis_ends(columns, *, log):
    """Return the ends of the x axis if an interval without an end asks for some."""
    reference = 1.0 if log else 0.0
    finite = columns[np.isfinite(columns)]
    finite = np.append(finite[finite > 0] if log else finite, reference)
    if not (np.isinf(columns).any() or (log and (columns <= 0).any())):
        return None
    scaled = np.log(finite) if log else finite
    margin = 0.08 * (np.ptp(scaled) or 1.0)
    edges = np.array([scaled.min() - margin, scaled.max() + margin])
    return np.exp(edges) if log else edges


# From a report --------------------------------------------------------------------


def _read_report(report, effect, by_class, caller):
    """Return the wordings, the numbers and their name, as arguments of the display."""
    classes = report.classes
    many = classes is not None and len(classes) > 2
    if effect == "auto":
        effect = "separation" if many else "coef"
    if many and effect in ("coef", *_RATIOS):
        raise ValueError(
            f"{caller}: effect={effect!r} is not one number for {len(classes)} "
            "classes. Use effect='separation' or effect='ame'."
        )
    statements = [str(statement) for statement in report.table["hypothesis"]]
    given = report.table["name"] if "name" in report.table else [""] * len(statements)
    names = [join_name(*pair) for pair in zip(given, statements, strict=True)]
    target = getattr(report, "target_name", None)
    target = "y" if target is None else to_printable(target)
    text = f"{_describe_effect(effect, classes, target)}, 95% interval"
    table = report.by_class
    if by_class is True and (not many or table is None):
        raise ValueError(
            f"{caller}: by_class=True needs a report on more than two classes with "
            "its table by_class. Use by_class=False."
        )
    if many and table is not None and by_class:
        columns = [_read_class(table, c, effect, statements, caller) for c in classes]
        values = np.stack(columns, axis=2)
        classes = [str(c) for c in classes]
        return _effect_arguments(names, values, text) | {"classes": classes}
    if "separation_class" in report.table:
        of = report.table["separation_class"]
        # in front, where a long wording cannot push it out
        names = [f"{c}: {name}" for name, c in zip(names, of, strict=True)]
    values = _read_effect(report.table, effect, caller)
    return _effect_arguments(names, values, text)


def _effect_arguments(names, values, text):
    found = dict(zip(("estimate", "lower", "upper"), values, strict=True))
    return {"hypotheses": names, "effect_label": text} | found


def _read_effect(table, effect, caller):
    """Return estimate and interval as an array of three rows."""
    wanted = [effect, f"{effect}_lower", f"{effect}_upper"]
    absent = [name for name in wanted if name not in table]
    if absent:
        present = [e for e in _EFFECTS[1:] if f"{e}_lower" in table]
        raise ValueError(
            f"{caller}: effect={effect!r} needs the column {absent[0]!r}, which this "
            f"report has not. It has the effects: {', '.join(present) or 'none'}."
        )
    return table[wanted].to_numpy(dtype=float).T


def _read_class(table, label, effect, statements, caller):
    """Return the numbers of one class, in the order of the hypotheses."""
    rows = table[table["class"] == label].set_index("hypothesis").reindex(statements)
    return _read_effect(rows, effect, caller)


def _describe_effect(effect, classes, target):
    """Say what the effect measures, in the words of the report."""
    holds = "where it holds {} where it does not"
    if classes is None:
        return {
            "coef": f"joint coefficient, in units of {target}",
            "separation": f"separation: mean of {target} {holds.format('−')}",
            "rate_ratio": f"joint rate ratio of {target}: {holds.format('/')}",
            "cumulative_odds_ratio": f"joint odds ratio of a larger {target}",
        }.get(effect, effect)
    of = f"class {to_printable(classes[1])}" if len(classes) == 2 else "the class"
    return {
        "coef": f"joint coefficient: log odds of {of}",
        "separation": f"separation: share of {of} {holds.format('−')}",
        "odds_ratio": f"odds ratio of {of}",
        "ame": f"average marginal effect on the probability of {of}",
    }.get(effect, effect)
