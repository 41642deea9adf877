"""`ReplicationDisplay`: which hypotheses come back in other fits."""

import numpy as np
import pandas as pd

from ._checks import check_report
from ._figures import (
    GREY,
    choose_axes,
    draw_circles,
    measure_height,
    merge_keywords,
    name_rows,
    wrap_label,
)


class ReplicationDisplay:
    """How often each hypothesis was found again: "9 of 10".

    One point per refit: the correlation of the neuron with its match there. A filled
    point counts as found. A bar marks the median, a dotted line what chance gives.

    It is recommended to use `from_report`, which also draws.

    Parameters
    ----------
    hypotheses : sequence of str of length n_hypotheses
        What to write at each row.
    correlations : array-like of shape (n_hypotheses, n_runs)
        Correlations with the match in each refit; NaN if there was none.
    n_found : array-like of int of shape (n_hypotheses,)
        Refits that found it.
    n_runs : array-like of int of shape (n_hypotheses,)
        Refits that were looked at.
    threshold : float
        The correlation from which a match counts.
    null_correlation : float, default=nan
        The largest correlation that chance gives. NaN: unknown, not drawn.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        The drawing, and the figure it is in.
    points_ : list of PathCollection
        The points that are drawn: those found and those not.
    shares_ : list of Annotation
        The texts such as "9 of 10", from top to bottom.

    See Also
    --------
    CoefficientsDisplay : The effects of the hypotheses.

    Examples
    --------
    >>> from sklearn_hypo import ReplicationDisplay
    >>> display = ReplicationDisplay(
    ...     hypotheses=["mentions tea", "mentions rain"],
    ...     correlations=[[0.9, 0.4], [0.95, 0.8]],
    ...     n_found=[1, 2],
    ...     n_runs=[2, 2],
    ...     threshold=0.7,
    ... ).plot()
    >>> [share.get_text() for share in display.shares_]
    ['2 of 2', '1 of 2']
    """

    def __init__(
        self,
        *,
        hypotheses,
        correlations,
        n_found,
        n_runs,
        threshold,
        null_correlation=np.nan,
    ):
        self.hypotheses = list(hypotheses)
        self.correlations = np.asarray(correlations, dtype=float)
        self.n_found = np.asarray(n_found, dtype=int)
        self.n_runs = np.asarray(n_runs, dtype=int)
        self.threshold = threshold
        self.null_correlation = null_correlation

    @classmethod
    def from_report(cls, report, *, sort=True, ax=None, point_kw=None, line_kw=None):
        """Draw a report on replication.

        Parameters
        ----------
        report : ReplicationReport
            What `replicate_hypotheses` returned.
        sort : bool, default=True
            Whether what was found most often is on top. False: the order of the report.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure. Make your own with
            ``layout="constrained"``, or long wordings are cut off.
        point_kw : dict, default=None
            Keywords for the points, of `matplotlib.axes.Axes.scatter`.
        line_kw : dict, default=None
            Keywords for the threshold, of `matplotlib.axes.Axes.axvline`.

        Returns
        -------
        display : ReplicationDisplay
            Drawn.
        """
        check_report(
            report,
            f"{cls.__name__}.from_report",
            needs=("table", "correlations", "threshold", "null_correlation"),
            made_by="replicate_hypotheses",
        )
        display = cls(
            hypotheses=report.table["hypothesis"],
            correlations=report.correlations,
            n_found=report.table["n_found"],
            n_runs=report.table["n_runs"],
            threshold=report.threshold,
            null_correlation=report.null_correlation,
        )
        return display.plot(ax, sort=sort, point_kw=point_kw, line_kw=line_kw)

    def plot(self, ax=None, *, sort=True, point_kw=None, line_kw=None):
        """Draw.

        Parameters
        ----------
        ax, sort, point_kw, line_kw : optional
            As in `from_report`.

        Returns
        -------
        display : ReplicationDisplay
            Itself.
        """
        # over the refits that have a match
        medians = pd.DataFrame(self.correlations).median(axis=1).to_numpy()
        order = np.arange(len(self.hypotheses))
        if sort:
            share = self.n_found / np.maximum(self.n_runs, 1)
            order = np.lexsort((-np.nan_to_num(medians, nan=-2.0), -share))
        names = [wrap_label(self.hypotheses[i]) for i in order]
        ax = choose_axes(ax, type(self).__name__, (9, measure_height(names)))
        name_rows(ax, names)
        self._draw_threshold(ax, line_kw)
        self._draw(ax, self.correlations[order], medians[order], point_kw)
        self.shares_ = [
            ax.annotate(
                f"{self.n_found[i]} of {self.n_runs[i]}",
                (1, row),
                xycoords=ax.get_yaxis_transform(),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                annotation_clip=False,
            )
            for row, i in enumerate(order)
        ]
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_threshold(self, ax, line_kw):
        """Draw the threshold and what chance gives, and say what they are."""
        from matplotlib.lines import Line2D

        line = {"color": GREY, "linestyle": "--", "zorder": 0.9}
        ax.axvline(self.threshold, **merge_keywords(Line2D, line, line_kw))
        text = "correlation with the matched neuron of each refit\n"
        text += f"bar: median; filled: found again (at least {self.threshold:g})"
        if not np.isnan(self.null_correlation):
            ax.axvline(self.null_correlation, color=GREY, linestyle=":", zorder=0.9)
            text += f"\ndotted: chance ({self.null_correlation:.2f})"
        ax.set_xlabel(text)

    def _draw(self, ax, correlations, medians, point_kw):
        n_rows, n_runs = correlations.shape
        # spread over the height of a row, so that equal correlations stay countable
        spread = np.linspace(-0.22, 0.22, n_runs) if n_runs > 1 else np.zeros(1)
        rows = np.arange(n_rows)[:, None] + spread
        self.points_ = []
        found = correlations >= self.threshold
        for mask, filled in ((found, True), (correlations < self.threshold, False)):
            if mask.any():
                x, y = correlations[mask], rows[mask]
                points = draw_circles(ax, x, y, filled=filled, size=22, given=point_kw)
                self.points_.append(points)
        ax.vlines(
            medians,
            np.arange(n_rows) - 0.32,
            np.arange(n_rows) + 0.32,
            colors="black",
            linewidth=2,
            zorder=3,
        )
