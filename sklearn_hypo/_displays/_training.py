"""`TrainingHistoryDisplay`: how an autoencoder learned."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._utils._steps import find_best_estimator, list_steps
from ._figures import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    add_legend,
    choose_axes,
    import_pyplot,
    merge_keywords,
)

_ERRORS = {
    "loss": ("training loss", {"color": BLUE, "linestyle": "-"}),
    "validation_error": ("validation rows", {"color": VERMILION, "linestyle": "--"}),
    "target_error": ("target, validation rows", {"color": GREEN, "linestyle": "-."}),
}


_FURTHER = {"n_dead": "dead neurons", "learning_rate": "learning rate"}


class TrainingHistoryDisplay:
    """Errors of an autoencoder over its epochs, with dead neurons and learning rate.

    It is recommended to use `from_estimator`, which also draws.

    Parameters
    ----------
    history : DataFrame
        One row per epoch, with the column "epoch" and some of "loss",
        "validation_error", "target_error" (fractions of variance unexplained),
        "n_dead" and "learning_rate".
    kept : int, default=None
        The epoch whose weights were kept.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The errors.
    axes_ : list of matplotlib Axes
        The errors, and below them the dead neurons and the learning rate.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : dict of str to Line2D
        The curves, by column of the history.

    See Also
    --------
    SparseAutoencoderTransformer : Has a `history_`.
    SupervisedSAETransformer : Has one with the error of the target.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import SparseAutoencoderTransformer
    >>> from sklearn_hypo import TrainingHistoryDisplay
    >>> X = np.random.default_rng(0).normal(size=(500, 8))
    >>> sae = SparseAutoencoderTransformer(8, 2, max_epochs=5, random_state=0).fit(X)
    >>> display = TrainingHistoryDisplay.from_estimator(sae)
    >>> list(display.lines_)
    ['loss', 'validation_error', 'n_dead', 'learning_rate']
    """

    def __init__(self, *, history, kept=None):
        self.history = history
        self.kept = kept

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, line_kw=None):
        """Draw the history of a fitted autoencoder.

        Parameters
        ----------
        estimator : autoencoder, or Pipeline that holds one
            Fitted. A fitted search is asked for its best estimator.
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw. A single one gets the errors, a second the dead neurons, a
            third the learning rate. None makes a new figure with all of them.
        line_kw : dict, default=None
            Keywords for all curves, of `matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : TrainingHistoryDisplay
            Drawn.
        """
        caller = f"{cls.__name__}.from_estimator"
        sae = _find_autoencoder(find_best_estimator(estimator), caller)
        check_is_fitted(sae, "history_")
        display = cls(history=sae.history_, kept=_find_kept_epoch(sae))
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw.

        Parameters
        ----------
        ax, line_kw : optional
            As in `from_estimator`.

        Returns
        -------
        display : TrainingHistoryDisplay
            Itself.
        """
        from matplotlib.ticker import MaxNLocator

        further = [name for name in _FURTHER if name in self.history]
        self.axes_ = _choose_panels(ax, 1 + len(further), type(self).__name__)
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        self.lines_ = {}
        for name, (text, style) in _ERRORS.items():
            if name in self.history and self.history[name].notna().any():
                self._draw_curve(self.ax_, name, style | {"label": text}, line_kw)
        self.ax_.set_ylabel("fraction of variance\nunexplained")
        for axis, name in zip(self.axes_[1:], further, strict=False):
            self._draw_curve(axis, name, {"color": "0.25"}, line_kw)
            axis.set_ylabel(_FURTHER[name].replace(" ", "\n"))
            axis.set_ylim(bottom=0)
            if name == "n_dead":
                axis.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        self._mark_epochs()
        # beside the curves: they may be anywhere between 0 and 1
        add_legend(self.ax_, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        return self

    def _draw_curve(self, ax, name, style, given):
        from matplotlib.lines import Line2D

        marker = "o" if len(self.history) < 30 else ""  # one epoch is no line
        style = {"linewidth": 1.6, "marker": marker, "markersize": 3.5} | style
        style = merge_keywords(Line2D, style, given)
        breaks = np.flatnonzero(np.diff(self.history.get("fit", [])) != 0) + 1
        x, y = (
            np.insert(self.history[column].to_numpy(float), breaks, np.nan)
            for column in ("epoch", name)
        )
        (self.lines_[name],) = ax.plot(x, y, **style)

    def _mark_epochs(self):
        from matplotlib.ticker import MaxNLocator

        style = {"color": GREY, "linestyle": ":", "zorder": 0.9}
        for axis in self.axes_:
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            if self.kept is not None:
                text = f"kept: epoch {self.kept}" if axis is self.ax_ else None
                axis.axvline(self.kept, label=text, **style)
        self.axes_[-1].set_xlabel("epoch")


def _choose_panels(ax, n, caller):
    """Return Axes below each other, the first the tallest; as many as were given."""
    if ax is None:
        settings = {"layout": "constrained", "sharex": True, "squeeze": False}
        settings["height_ratios"] = [3] + [1] * (n - 1)
        size = (8.5, 2.6 + 1.2 * n)
        _, axes = import_pyplot(caller).subplots(n, figsize=size, **settings)
        return list(axes[:, 0])
    given = list(np.ravel(np.asarray(ax, dtype=object)))[:n]
    return [choose_axes(each, caller, None) for each in given]


def _find_autoencoder(estimator, caller):
    """Return the first step that is an autoencoder."""
    for step in list_steps(estimator):
        if hasattr(step, "inverse_transform") and hasattr(step, "n_neurons"):
            return step
    raise TypeError(
        f"{caller}: estimator= expects a fitted SparseAutoencoderTransformer or "
        "SupervisedSAETransformer, or a Pipeline that holds one, but "
        f"{type(estimator).__name__} arrived, which holds none."
    )


def _find_kept_epoch(sae):
    """Return the epoch whose weights were kept, the best one; None of several fits."""
    history = sae.history_
    if "fit" in history:
        return None
    if history["validation_error"].isna().iloc[-1]:
        return int(history["epoch"].iloc[-1])  # nothing to choose by
    total = history["validation_error"]
    if "target_error" in history:
        total = total + sae.alpha * history["target_error"].fillna(0.0)
    return int(history["epoch"].loc[total.idxmin()])
