"""`GridSearchDisplay`: the scores of a search over one or two parameters."""

import numpy as np

from ._candidates import (
    candidates_of,
    is_geometric,
    is_numeric,
    two_that_matter,
    value_text,
)
from ._figures import (
    BLUE,
    GREY,
    PLAIN,
    VERMILION,
    axes_for,
    colour_map,
    label,
    plain_legend,
    styled,
)
from ._lookup import choice

_MAX_TEXTS = 150  # cells in which numbers are still legible


class GridSearchDisplay:
    """Test scores of a search: a line for one parameter, a heat map for two.

    Other parameters are held at the values of the best candidate: a cut through the
    search where it matters, not an average over settings that nobody would use. Where
    no candidate shares those values, as in a randomized search, all candidates are
    shown. Of several at one place the best one is.

    It is recommended to use `from_estimator`, which also draws.

    Parameters
    ----------
    parameters : sequence of str of length 1 or 2
        The parameters: of the x axis, and of the y axis of a heat map.
    values : sequence of sequences
        The distinct values of each, in order.
    codes : array-like of int of shape (n_candidates, n_parameters)
        Position of the candidates' values in `values`.
    mean, std : array-like of shape (n_candidates,)
        Test score: mean and standard deviation over the folds.
    best : int
        The candidate that is marked.
    shown : array-like of bool of shape (n_candidates,), default=None
        The candidates on the cut. None: all.
    score_name : str, default="score"
        Name of the score.
    fixed : dict or None, default=()
        Parameters that are held, with their values. None: all others vary freely.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The drawing.
    figure_ : matplotlib Figure
        Its figure.
    errorbar_ : ErrorbarContainer or None
        Means with standard deviations, for one parameter.
    image_ : AxesImage, PathCollection or None
        The heat map, for two; points where most places hold no candidate.
    colorbar_ : Colorbar or None
        Its scale.
    best_ : Line2D
        Mark of the best candidate.

    See Also
    --------
    TrainingHistoryDisplay : How the autoencoder of one candidate learned.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.svm import SVC
    >>> from sklearn_hypo import GridSearchDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(SVC(), {"C": [0.01, 0.1, 1, 10]}, cv=3).fit(X, y)
    >>> display = GridSearchDisplay.from_estimator(search)
    >>> display.ax_.get_xscale()
    'log'
    """

    def __init__(
        self,
        *,
        parameters,
        values,
        codes,
        mean,
        std,
        best,
        shown=None,
        score_name="score",
        fixed=(),
    ):
        self.parameters = tuple(parameters)
        self.values = [list(v) for v in values]
        self.mean = np.asarray(mean, dtype=float)
        self.std = np.asarray(std, dtype=float)
        self.codes = np.asarray(codes, dtype=int).reshape(len(self.mean), -1)
        self.best = best
        everywhere = np.ones(len(self.mean), dtype=bool)
        self.shown = everywhere if shown is None else np.asarray(shown, dtype=bool)
        self.score_name = score_name
        self.fixed = fixed

    @classmethod
    def from_estimator(
        cls, search, parameters=None, *, metric=None, ax=None, line_kw=None, im_kw=None
    ):
        """Draw the scores of a fitted search.

        Parameters
        ----------
        search : GridSearchCV or another search of scikit-learn
            Fitted.
        parameters : str or sequence of 1 or 2 str, default=None
            The parameters of the axes, such as "sae__k". None: those that vary; of
            more than two, the two that change the score most.
        metric : str, default=None
            Which score, if there are several. None: that of `refit`.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kw : dict, default=None
            Keywords for the line, of `matplotlib.axes.Axes.errorbar`.
        im_kw : dict, default=None
            Keywords for the heat map, of `matplotlib.axes.Axes.imshow` (or of
            `scatter`, where points are drawn).

        Returns
        -------
        display : GridSearchDisplay
            Drawn.
        """
        caller = f"{cls.__name__}.from_estimator"
        found, metric = candidates_of(search, metric, caller)
        names = _parameters(parameters, found, caller)
        columns = [found.names.index(name) for name in names]
        others = [i for i in range(len(found.names)) if i not in columns]
        shown = found.differing(names)
        fixed = {
            found.names[i]: found.values[i][found.codes[found.best, i]] for i in others
        }
        if others and shown.sum() == 1:  # each candidate has other values: no cut
            shown[:], fixed = True, None
        display = cls(
            parameters=names,
            values=[found.values[i] for i in columns],
            codes=found.codes[:, columns],
            mean=found.mean,
            std=found.std,
            best=found.best,
            shown=shown,
            score_name=_score_name(search, metric),
            fixed=fixed,
        )
        return display.plot(ax, line_kw=line_kw, im_kw=im_kw)

    def plot(self, ax=None, *, line_kw=None, im_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kw : dict, default=None
            Keywords for the line, of `matplotlib.axes.Axes.errorbar`.
        im_kw : dict, default=None
            Keywords for the heat map, of `matplotlib.axes.Axes.imshow` (or of
            `scatter`, where points are drawn).

        Returns
        -------
        display : GridSearchDisplay
            Itself.
        """
        single = len(self.parameters) == 1
        size = (7.5, 4.2)
        if not (single or self._is_scattered()):
            n_x, n_y = (min(len(values), 16) for values in self.values)
            size = (max(6.5, 3 + 0.8 * n_x), max(3.8, 2 + 0.5 * n_y))
        ax = axes_for(ax, type(self).__name__, size)
        self.ax_, self.figure_ = ax, ax.figure
        self.errorbar_ = self.image_ = self.colorbar_ = None
        if single:
            self._draw_line(line_kw)
        elif self._is_scattered():
            self._draw_points(im_kw)
        else:
            self._draw_map(im_kw)
        ax.set_xlabel(self.parameters[0], **PLAIN)
        held = "other parameters vary"
        if self.fixed is not None:
            fixed = dict(self.fixed).items()
            held = ", ".join(f"{name} = {value_text(v)}" for name, v in fixed)
            held = f"with {held}" if held else ""
        if held:
            ax.set_title(label(held, 70, 3), fontsize="small", **PLAIN)
        return self

    # One parameter ----------------------------------------------------------------

    def _draw_line(self, line_kw):
        from matplotlib.lines import Line2D

        ax, x = self.ax_, self._place(0)
        chosen = self._best_of_each_place()
        chosen = chosen[np.argsort(x[chosen])]
        others = ~np.isin(np.arange(len(x)), chosen)
        if others.any():
            text = "with other parameters" if self.fixed else "other candidates"
            style = {"s": 12, "color": GREY, "label": text, "zorder": 1}
            ax.scatter(x[others], self.mean[others], **style)
        style = {"color": BLUE, "marker": "o", "markersize": 5, "capsize": 3}
        style |= {"linewidth": 1.6, "label": "mean ± 1 standard deviation of folds"}
        if self.fixed is None or not is_numeric(self.values[0]):
            style["linestyle"] = "none"  # what differs is no step along the axis
        self.errorbar_ = ax.errorbar(
            x[chosen],
            self.mean[chosen],
            yerr=self.std[chosen],
            **styled(Line2D, style, line_kw),
        )
        self._mark_best(x[self.best], self.mean[self.best])
        ax.set_ylabel(f"test {self.score_name}", **PLAIN)
        self._scale("x", 0)
        plain_legend(ax, loc="best", fontsize="small")

    # Two parameters ---------------------------------------------------------------

    def _is_scattered(self):
        """Whether most cells of a heat map would be empty."""
        n_cells = len(self.values[0]) * len(self.values[1])
        numeric = all(map(is_numeric, self.values))
        return numeric and len(self._best_of_each_place()) < 0.4 * n_cells

    def _draw_points(self, im_kw):
        from matplotlib.collections import PathCollection

        ax, x, y = self.ax_, self._place(0), self._place(1)
        chosen = self._best_of_each_place()
        style = {"c": self.mean[chosen], "s": 60, "edgecolors": "0.3"}
        self.image_ = ax.scatter(
            x[chosen], y[chosen], **styled(PathCollection, style, im_kw)
        )
        self._mark_best(x[self.best], y[self.best], markersize=17, fillstyle="none")
        self._scale("x", 0)
        self._scale("y", 1)
        self._finish_map()

    def _draw_map(self, im_kw):
        from matplotlib.image import AxesImage

        means, stds = np.full((2, len(self.values[1]), len(self.values[0])), np.nan)
        chosen = self._best_of_each_place()
        columns, rows = self.codes[chosen].T
        means[rows, columns], stds[rows, columns] = self.mean[chosen], self.std[chosen]
        style = {"aspect": "auto", "origin": "lower", "interpolation": "nearest"}
        # grey: no candidate there, or it failed
        style["cmap"] = colour_map("viridis", missing="0.85")
        self.image_ = self.ax_.imshow(means, **styled(AxesImage, style, im_kw))
        _categories(self.ax_.xaxis, self.values[0])
        _categories(self.ax_.yaxis, self.values[1])
        if means.size <= _MAX_TEXTS:
            self._write_cells(means, stds)
        column, row = self.codes[self.best]
        self._mark_best(column + 0.38, row + 0.32, markersize=13)
        self._finish_map()

    def _finish_map(self):
        self.ax_.set_ylabel(self.parameters[1], **PLAIN)
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=self.ax_)
        self.colorbar_.set_label(f"mean test {self.score_name}", **PLAIN)

    def _write_cells(self, means, stds):
        """Mean and standard deviation in each cell, legible on its colour."""
        for (row, column), mean in np.ndenumerate(means):
            if np.isnan(mean):
                continue
            red, green, blue, _ = self.image_.cmap(self.image_.norm(mean))
            dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
            self.ax_.text(
                column,
                row,
                f"{_score_text(mean)}\n±{_score_text(stds[row, column])}",
                ha="center",
                va="center",
                fontsize="small",
                color="white" if dark else "black",
            )

    # Both -------------------------------------------------------------------------

    def _place(self, i):
        """Coordinates of all candidates on axis i; categories take 0, 1, 2, …."""
        if not is_numeric(self.values[i]):
            return self.codes[:, i].astype(float)
        return np.array(self.values[i], dtype=float)[self.codes[:, i]]

    def _best_of_each_place(self):
        """Candidates on the cut, of those with the same values the best one."""
        on_cut = np.flatnonzero(self.shown & ~np.isnan(self.mean))
        ranked = on_cut[np.argsort(-self.mean[on_cut], kind="stable")]
        _, first = np.unique(self.codes[ranked], axis=0, return_index=True)
        return ranked[first]

    def _mark_best(self, x, y, **style):
        defaults = {"markersize": 15, "color": VERMILION, "markeredgecolor": "white"}
        defaults |= {"linestyle": "none", "zorder": 4}
        if style.get("fillstyle") == "none":
            defaults |= {"markeredgecolor": VERMILION, "markeredgewidth": 1.8}
        text = f"best: {_score_text(self.mean[self.best])}"
        (self.best_,) = self.ax_.plot(
            [x], [y], marker="*", label=text, **(defaults | style)
        )

    def _scale(self, letter, i):
        """A tick at each value, on a logarithmic axis if they are geometric."""
        values, axis = self.values[i], getattr(self.ax_, f"{letter}axis")
        if not is_numeric(values):
            _categories(axis, values)
            self.ax_.margins(**{letter: 0.15})
            return
        if is_geometric(values):
            self.ax_.set(**{f"{letter}scale": "log"})
        if len(values) <= 10:
            axis.set_ticks(values, [value_text(v) for v in values])
            axis.set_ticks([], minor=True)


def _categories(axis, values):
    axis.set_ticks(
        range(len(values)), [label(value_text(v), 24) for v in values], **PLAIN
    )


def _score_text(score):
    return f"{score:.3f}" if abs(score) < 100 else f"{score:,.0f}"


def _parameters(wanted, found, caller):
    """The one or two parameters to draw."""
    if wanted is None:
        return found.names if len(found.names) <= 2 else two_that_matter(found)
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if len(names) not in (1, 2) or len(set(names)) < len(names):
        raise ValueError(
            f"{caller}: parameters= expects one or two different names, but "
            f"{names!r} arrived."
        )
    for name in names:
        choice(name, found.names, parameter="parameters", caller=caller)
    return names


def _score_name(search, metric):
    """Name of the score, if it has one."""
    scoring = getattr(search, "scoring", None)
    if metric != "score":
        return metric
    return scoring if isinstance(scoring, str) else "score"
