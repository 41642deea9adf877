"""`ModeratorDisplay`: a forest plot of the hypotheses by group."""

import numpy as np

from .._hypotheses._hypothesis import join_name
from ._checks import check_report
from ._figures import (
    BLUE,
    GREEN,
    GREY,
    PLAIN,
    VERMILION,
    add_legend,
    choose_axes,
    measure_height,
    merge_keywords,
    name_rows,
    wrap_label,
)

# Share of a row that its levels take
_SPREAD = 0.64

_MARKERS = "osD^vPX*<>"

# Okabe and Ito's, without the yellow that vanishes on white
_COLOURS = (BLUE, VERMILION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "black")

_BOUNDS = ("separation", "separation_lower", "separation_upper")


class ModeratorDisplay:
    """Effect of each hypothesis in each level of a moderator: a forest plot by group.

    Levels are told apart by colour and by the shape of their points. Filled points are
    those of hypotheses whose effect differs between levels, after correction.

    It is recommended to use `from_report`, which also draws.

    Parameters
    ----------
    hypotheses : sequence of str of length n_hypotheses
        What to write at each row.
    levels : sequence of str of length n_levels
        The groups, in the order in which they stand below each other.
    estimate, lower, upper : array-like of shape (n_hypotheses, n_levels)
        The effects, and the ends of their intervals. NaN: not estimated.
    differs : array-like of bool of shape (n_hypotheses,)
        Which points are filled.
    effect_label : str, default="effect, 95% interval"
        What the x axis shows.
    moderator : str or None, default=None
        Title of the legend.
    criterion : str, default="differs between groups, after correction"
        What filled points mean.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        The drawing, and the figure it is in.
    points_ : list of ErrorbarContainer
        Points and intervals, by level: of each the filled and the hollow ones.

    See Also
    --------
    evaluate_hypotheses : Makes the report, with ``moderator=``.
    CoefficientsDisplay : The effects in all texts.

    Examples
    --------
    >>> from sklearn_hypo import ModeratorDisplay
    >>> display = ModeratorDisplay(
    ...     hypotheses=["mentions rain", "mentions tea"],
    ...     levels=["blog", "forum"],
    ...     estimate=[[0.1, 0.2], [0.8, 0.0]],
    ...     lower=[[-0.1, 0.0], [0.6, -0.2]],
    ...     upper=[[0.3, 0.4], [1.0, 0.2]],
    ...     differs=[False, True],
    ... ).plot()
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['blog', 'forum']
    """

    def __init__(
        self,
        *,
        hypotheses,
        levels,
        estimate,
        lower,
        upper,
        differs,
        effect_label="effect, 95% interval",
        moderator=None,
        criterion="differs between groups, after correction",
    ):
        self.hypotheses = list(hypotheses)
        self.levels = list(levels)
        self.estimate = np.asarray(estimate, dtype=float)
        self.lower = np.asarray(lower, dtype=float)
        self.upper = np.asarray(upper, dtype=float)
        self.differs = np.asarray(differs, dtype=bool)
        self.effect_label = effect_label
        self.moderator = moderator
        self.criterion = criterion

    @classmethod
    def from_report(
        cls, report, *, sort=True, ax=None, point_kw=None, reference_kw=None
    ):
        """Draw the separations of a report by level of its moderator.

        Parameters
        ----------
        report : HypothesisReport
            What `evaluate_hypotheses` returned, called with ``moderator=``.
        sort : bool, default=True
            Whether hypotheses whose effects differ most certainly are on top. False:
            the order of the report.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure. Make your own with
            ``layout="constrained"``, or long wordings are cut off.
        point_kw : dict, default=None
            Keywords for points and intervals, of `matplotlib.axes.Axes.errorbar`.
        reference_kw : dict, default=None
            Keywords for the line of no effect, of `matplotlib.axes.Axes.axvline`.

        Returns
        -------
        display : ModeratorDisplay
            Drawn.

        Raises
        ------
        TypeError
            If it is no report.
        ValueError
            If the report was made without a moderator.
        """
        caller = f"{cls.__name__}.from_report"
        needs = ("table", "by_moderator", "moderator_name", "alpha", "classes")
        check_report(report, caller, needs=needs)
        if report.by_moderator is None:
            raise ValueError(
                f"{caller}: this report has no effects by group. Make it with "
                "evaluate_hypotheses(..., moderator=labels)."
            )
        by_level, table = report.by_moderator, report.table
        levels = by_level["level"].unique().tolist()
        p = table["moderator_p_corrected"].to_numpy(float)
        order = np.argsort(np.where(np.isnan(p), 2.0, p), kind="stable")
        order = order if sort else np.arange(len(p))
        shape = (len(table), len(levels))
        values = [
            by_level[name].to_numpy(float).reshape(shape)[order] for name in _BOUNDS
        ]
        given = table["name"] if "name" in table else [""] * len(table)
        pairs = list(zip(given, map(str, table["hypothesis"]), strict=True))
        share = "mean of y" if report.classes is None else "share of the class"
        display = cls(
            hypotheses=[join_name(*pairs[i]) for i in order],
            levels=levels,
            **dict(zip(("estimate", "lower", "upper"), values, strict=True)),
            differs=(p <= report.alpha)[order],
            effect_label=f"separation: {share} where it holds − where it does not, "
            "95% interval",
            moderator=report.moderator_name,
            criterion=f"differs between groups, after correction ({report.alpha:g})",
        )
        return display.plot(ax, point_kw=point_kw, reference_kw=reference_kw)

    def plot(self, ax=None, *, point_kw=None, reference_kw=None):
        """Draw.

        Parameters
        ----------
        ax, point_kw, reference_kw : optional
            As in `from_report`.

        Returns
        -------
        display : ModeratorDisplay
            Itself.
        """
        caller = type(self).__name__
        names = [wrap_label(name) for name in self.hypotheses]
        height = measure_height(names) + 0.13 * len(names) * len(self.levels)
        ax = choose_axes(ax, caller, (9, height))
        from matplotlib.lines import Line2D  # choose_axes says what to install

        name_rows(ax, names)
        line = {"color": GREY, "linewidth": 1, "zorder": 0.9}
        ax.axvline(0, **merge_keywords(Line2D, line, reference_kw))
        styles = [
            merge_keywords(
                Line2D,
                {
                    "marker": _MARKERS[i % len(_MARKERS)],
                    "color": _COLOURS[i % len(_COLOURS)],
                    "linestyle": "",
                },
                point_kw,
            )
            for i in range(len(self.levels))
        ]
        self.points_ = []
        for number, style in enumerate(styles):
            self._draw_level(ax, number, style)
        legend = add_legend(
            ax,
            handles=[Line2D([], [], **style) for style in styles],
            labels=[wrap_label(level, 24) for level in self.levels],
            title=None if self.moderator is None else wrap_label(self.moderator, 24),
            loc="upper left",
            bbox_to_anchor=(1, 1),
        )
        legend.get_title().update(PLAIN)
        label = f"{wrap_label(self.effect_label, 50, 3)}\nfilled: {self.criterion}"
        ax.set_xlabel(label, **PLAIN)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_level(self, ax, number, style):
        """Points and intervals of a level, a little below those of the one before."""
        n = len(self.levels)
        rows = np.arange(len(self.hypotheses)) + _SPREAD * ((number + 0.5) / n - 0.5)
        columns = (self.estimate, self.lower, self.upper)
        estimate, lower, upper = (each[:, number] for each in columns)
        error = np.stack([estimate - lower, upper - estimate])
        for mask, face in (
            (self.differs, {}),
            (~self.differs, {"markerfacecolor": "white"}),
        ):
            x, y = estimate[mask], rows[mask]
            drawn = ax.errorbar(x, y, xerr=error[:, mask], **(style | face))
            self.points_.append(drawn)
