"""`TrendDisplay`: hypotheses over time."""

import numpy as np

from .._hypotheses._lookup import check_choice
from ._checks import check_report
from ._figures import (
    BLUE,
    GREY,
    PLAIN,
    VERMILION,
    choose_column_of_axes,
    merge_keywords,
    wrap_label,
)

_VALUES = ("prevalence", "separation")


class TrendDisplay:
    """Prevalence or effect of hypotheses over time, one facet below the other.

    Dots are periods with their 95% intervals. Where a change is significant after
    correction, lines show the level before and after it; else, where a slope is, a line
    shows the trend. A dashed line is the mean.

    It is recommended to use `from_trends`, which also draws.

    Parameters
    ----------
    hypotheses : sequence of str of length n_hypotheses
        Titles of the facets.
    periods : array-like of datetime64 of shape (n_periods,)
        Starts of the periods.
    estimate, lower, upper : array-like of shape (n_hypotheses, n_periods)
        The values, and the ends of their intervals. NaN: none.
    mean : array-like of shape (n_hypotheses,)
        The mean over all periods.
    slope : array-like of shape (n_hypotheses,), default=None
        Change per period, to be drawn through the mean; NaN: not drawn.
    change : array-like of datetime64 of shape (n_hypotheses,), default=None
        When the value changed, and that is to be drawn; NaT: not drawn.
    before, after : array-like of shape (n_hypotheses,), default=None
        Values until, and since, the change.
    value_label : str, default="value, 95% interval"
        What the y axes show.

    Attributes
    ----------
    ax_, figure_ : ndarray of matplotlib Axes, and Figure
        The facets, and the figure they are in.
    points_ : list of ErrorbarContainer
        Values and intervals, by facet.
    lines_ : list of list of Line2D
        Mean, trend or levels, by facet.

    See Also
    --------
    hypothesis_trends : Makes the trends.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import TrendDisplay
    >>> display = TrendDisplay(
    ...     hypotheses=["mentions tea"],
    ...     periods=np.array(["2024-01", "2024-02", "2024-03"], dtype="datetime64[ns]"),
    ...     estimate=[[0.2, 0.3, 0.4]],
    ...     lower=[[0.1, 0.2, 0.3]],
    ...     upper=[[0.3, 0.4, 0.5]],
    ...     mean=[0.3],
    ...     slope=[0.1],
    ... ).plot()
    >>> display.lines_[0][-1].get_ydata()
    array([0.2, 0.3, 0.4])
    """

    def __init__(
        self,
        *,
        hypotheses,
        periods,
        estimate,
        lower,
        upper,
        mean,
        slope=None,
        change=None,
        before=None,
        after=None,
        value_label="value, 95% interval",
    ):
        n = len(hypotheses)
        self.hypotheses = list(hypotheses)
        self.periods = np.asarray(periods, dtype="datetime64[ns]")
        self.estimate = np.asarray(estimate, dtype=float)
        self.lower = np.asarray(lower, dtype=float)
        self.upper = np.asarray(upper, dtype=float)
        self.mean = np.asarray(mean, dtype=float)
        self.slope = _fill(slope, n)
        never = np.full(n, "NaT", dtype="datetime64[ns]")
        self.change = (
            never if change is None else np.asarray(change, dtype="datetime64[ns]")
        )
        self.before = _fill(before, n)
        self.after = _fill(after, n)
        self.value_label = value_label

    @classmethod
    def from_trends(
        cls,
        trends,
        *,
        value="prevalence",
        n_most=6,
        ax=None,
        point_kw=None,
        line_kw=None,
    ):
        """Draw what `hypothesis_trends` found.

        Parameters
        ----------
        trends : HypothesisTrends
            What `hypothesis_trends` returned.
        value : {"prevalence", "separation"}, default="prevalence"
            What is drawn.
        n_most : int, default=6
            Hypotheses that are drawn, those with the smallest p-values of a change or a
            slope first.
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw: one for each hypothesis. None makes a new figure.
        point_kw : dict, default=None
            Keywords for points and intervals, of `matplotlib.axes.Axes.errorbar`.
        line_kw : dict, default=None
            Keywords for trends and levels, of `matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : TrendDisplay
            Drawn.

        Raises
        ------
        TypeError
            If these are no trends.
        ValueError
            For separations of trends without a target.
        """
        caller = f"{cls.__name__}.from_trends"
        needs = ("by_period", "period", "alpha", "table")
        check_report(trends, caller, needs=needs, made_by="hypothesis_trends")
        check_choice(value, _VALUES, parameter="value", caller=caller)
        table, by_period = trends.table, trends.by_period
        if value not in by_period:
            raise ValueError(
                f"{caller}: value='separation' needs a target. Pass y= to "
                "hypothesis_trends, or a report."
            )
        p = table[[f"{value}_{q}_p" for q in ("change", "slope")]].min(axis=1)
        order = np.argsort(p.fillna(2.0).to_numpy(), kind="stable")[:n_most]
        shape = (len(table), -1)
        ends = [
            by_period[f"{value}{end}"].to_numpy(float).reshape(shape)[order]
            for end in ("", "_lower", "_upper")
        ]
        own = table.iloc[order]
        found = {
            question: (
                own[f"{value}_{question}_p_corrected"] <= trends.alpha
            ).to_numpy()
            for question in ("slope", "change")
        }
        display = cls(
            hypotheses=own["hypothesis"].astype(str),
            periods=by_period["period"].to_numpy().reshape(shape)[0],
            **dict(zip(("estimate", "lower", "upper"), ends, strict=True)),
            mean=_mean(ends[0]),
            slope=own[f"{value}_slope"].where(found["slope"] & ~found["change"]),
            change=own[f"{value}_change"].where(found["change"]),
            before=own[f"{value}_before"],
            after=own[f"{value}_after"],
            value_label=f"{value}, by {trends.period}",
        )
        return display.plot(ax, point_kw=point_kw, line_kw=line_kw)

    def plot(self, ax=None, *, point_kw=None, line_kw=None):
        """Draw.

        Parameters
        ----------
        ax, point_kw, line_kw : optional
            As in `from_trends`.

        Returns
        -------
        display : TrendDisplay
            Itself.
        """
        n = len(self.hypotheses)
        size = (9, 0.8 + 1.7 * max(n, 1))
        axes = choose_column_of_axes(ax, n, type(self).__name__, size)
        self.points_, self.lines_ = [], []
        for i, axis in enumerate(axes):
            self._draw(axis, i, point_kw, line_kw)
            axis.set_title(wrap_label(self.hypotheses[i], 90, 1), loc="left", **PLAIN)
        axes[len(axes) // 2].set_ylabel(wrap_label(self.value_label, 40), **PLAIN)
        self.ax_, self.figure_ = np.array(axes, dtype=object), axes[0].figure
        return self

    def _draw(self, ax, i, point_kw, line_kw):
        from matplotlib.lines import Line2D

        style = {"color": BLUE, "marker": "o", "linestyle": "", "markersize": 4}
        style |= {"linewidth": 1}
        style = merge_keywords(Line2D, style, point_kw)
        estimate = self.estimate[i]
        error = [estimate - self.lower[i], self.upper[i] - estimate]
        self.points_.append(ax.errorbar(self.periods, estimate, yerr=error, **style))
        given = merge_keywords(Line2D, {"color": VERMILION, "linewidth": 2}, line_kw)
        lines = [ax.axhline(self.mean[i], color=GREY, linestyle="--", linewidth=1)]
        if not np.isnat(self.change[i]):
            until = self.periods < self.change[i]
            for rows, level in ((until, self.before[i]), (~until, self.after[i])):
                x = self.periods[rows]
                lines += ax.plot(x, np.full(len(x), level), **given)
        elif np.isfinite(self.slope[i]):
            known = np.flatnonzero(np.isfinite(estimate))
            place = np.arange(len(self.periods)) - known.mean()
            lines += ax.plot(
                self.periods, self.mean[i] + self.slope[i] * place, **given
            )
        self.lines_.append(lines)


def _fill(values, n):
    return np.full(n, np.nan) if values is None else np.asarray(values, dtype=float)


def _mean(rows):
    """Means of the periods with a value; NaN without any."""
    known = np.isfinite(rows)
    total = np.where(known, rows, 0.0).sum(axis=1)
    n = known.sum(axis=1)
    return np.divide(total, n, out=np.full(len(rows), np.nan), where=n > 0)
