"""`NeuronRedundancyDisplay`: which neurons or hypotheses say the same."""

import numpy as np
from scipy import sparse
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from sklearn.utils.validation import check_is_fitted

from .._utils._steps import find_best_estimator, list_steps
from ._checks import check_report
from ._figures import PLAIN, choose_axes, merge_keywords, wrap_label

# Beyond these, the best order of leaves takes too long and labels cover each other.
_MAX_OPTIMAL, _MAX_LABELS = 500, 64


class NeuronRedundancyDisplay:
    """Correlations of neurons, or of the annotations of hypotheses, as a matrix.

    Rows are ordered by average linkage on 1 - abs(correlation), so that those that
    say the same, or the opposite, form blocks along the diagonal.

    It is recommended to use `from_estimator` or `from_report`, which also draw.

    Parameters
    ----------
    correlation : array-like of shape (n_names, n_names)
        Correlations; NaN for what does not vary, which is drawn in grey.
    names : sequence of str of length n_names
        What to write at each row.
    what : str, default="correlation"
        What the colours show.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        The drawing, and the figure it is in.
    image_ : AxesImage
        The matrix, in the order of `order_`.
    colorbar_ : Colorbar or None
        Its scale.
    order_ : ndarray of shape (n_names,)
        Positions in `names`, from top to bottom.

    See Also
    --------
    NeuronSelector : ``method="lasso"`` prefers neurons that tell different things.

    Examples
    --------
    >>> from sklearn_hypo import NeuronRedundancyDisplay
    >>> display = NeuronRedundancyDisplay(
    ...     correlation=[[1, 0, 0.9], [0, 1, 0], [0.9, 0, 1]],
    ...     names=["mentions tea", "mentions rain", "mentions a teapot"],
    ... ).plot()
    >>> [display.names[i] for i in display.order_]
    ['mentions rain', 'mentions a teapot', 'mentions tea']
    """

    def __init__(self, *, correlation, names, what="correlation"):
        self.correlation = np.asarray(correlation, dtype=float)
        self.names = list(names)
        self.what = what

    @classmethod
    def from_estimator(
        cls, estimator, X, *, cluster=True, ax=None, colorbar=True, im_kw=None
    ):
        """Draw the correlations of activations.

        Parameters
        ----------
        estimator : Pipeline, NeuronSelector or autoencoder
            Fitted. Of a pipeline that ends in a `HypothesisExtractor` the neurons
            that it was given are drawn, with their hypotheses; nothing is annotated.
            A fitted search is asked for its best estimator.
        X : array-like of length n_samples
            What `estimator.transform` takes.
        cluster : bool, default=True
            Whether to order the neurons by similarity.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        colorbar : bool, default=True
            Whether to add the scale.
        im_kw : dict, default=None
            Keywords for the matrix, of `matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : NeuronRedundancyDisplay
            Drawn.
        """
        caller = f"{cls.__name__}.from_estimator"
        estimator = find_best_estimator(estimator)
        activations, names = _compute_activations(estimator, X, caller)
        display = cls(
            correlation=_correlate_columns(activations),
            names=_add_statements(names, list_steps(estimator)[-1]),
            what="correlation of activations",
        )
        return display.plot(ax, cluster=cluster, colorbar=colorbar, im_kw=im_kw)

    @classmethod
    def from_report(cls, report, *, cluster=True, ax=None, colorbar=True, im_kw=None):
        """Draw the correlations of the annotations that a report was made from.

        Parameters
        ----------
        report : HypothesisReport
            What `evaluate_hypotheses` returned.
        cluster, ax, colorbar, im_kw : optional
            As in `from_estimator`.

        Returns
        -------
        display : NeuronRedundancyDisplay
            Drawn.
        """
        caller = f"{cls.__name__}.from_report"
        check_report(report, caller, needs=("table", "redundancy"))
        if report.redundancy is None:
            raise ValueError(
                f"{caller}: report.redundancy is None, so there are no correlations "
                "of annotations. Use from_estimator for those of the neurons."
            )
        display = cls(
            correlation=report.redundancy.correlation,
            names=report.table["hypothesis"],
            what="correlation of annotations",
        )
        return display.plot(ax, cluster=cluster, colorbar=colorbar, im_kw=im_kw)

    def plot(self, ax=None, *, cluster=True, colorbar=True, im_kw=None):
        """Draw.

        Parameters
        ----------
        ax, cluster, colorbar, im_kw : optional
            As in `from_estimator`.

        Returns
        -------
        display : NeuronRedundancyDisplay
            Itself.
        """
        n = len(self.names)
        self.order_ = np.arange(n)
        if cluster:
            self.order_ = _order_by_similarity(self.correlation)
        names = [wrap_label(self.names[i]) for i in self.order_]
        side = float(np.clip(1.2 + 0.34 * n, 3.2, 11.0))
        # one character of a label takes about 0.085 inches
        longest = max(len(line) for name in names for line in name.split("\n"))
        size = (side + 1.2 + 0.085 * min(longest, 60), side + 0.6)
        ax = choose_axes(ax, type(self).__name__, size, "compressed")
        from matplotlib import colormaps
        from matplotlib.image import AxesImage

        matrix = self.correlation[np.ix_(self.order_, self.order_)]
        colours = colormaps["RdBu_r"].with_extremes(bad="0.75")  # NaN in grey
        style = {"cmap": colours, "vmin": -1, "vmax": 1, "interpolation": "nearest"}
        self.image_ = ax.imshow(matrix, **merge_keywords(AxesImage, style, im_kw))
        self.figure_, self.ax_, self.colorbar_ = ax.figure, ax, None
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(self.image_, ax=ax, label=self.what)
        ax.set_anchor("W")  # a centred square would push long labels off the figure
        _label_rows(ax, names)
        return self


def _label_rows(ax, names):
    """Write the names at the rows; at the columns, too, if they are short."""
    n = len(names)
    if n > _MAX_LABELS:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_ylabel(f"{n} in order of similarity: order_ has the names")
        return
    if max(len(name) for name in names) <= 12:
        ax.set_yticks(range(n), names, **PLAIN)
        ax.set_xticks(range(n), names, rotation=90, **PLAIN)
        return
    rows = [f"{name}  {i}" for i, name in enumerate(names, start=1)]
    ax.set_yticks(range(n), rows, **PLAIN)
    ax.set_xticks(range(n), [str(i) for i in range(1, n + 1)])


def _order_by_similarity(correlation):
    """Order by average linkage; opposites are as redundant as duplicates."""
    n = len(correlation)
    if n < 3:
        return np.arange(n)
    distance = 1 - np.abs(np.nan_to_num(correlation, nan=0.0))
    distance = np.clip((distance + distance.T) / 2, 0, 1)
    np.fill_diagonal(distance, 0)
    tree = linkage(
        squareform(distance, checks=False),
        method="average",
        optimal_ordering=n <= _MAX_OPTIMAL,
    )
    return leaves_list(tree).astype(np.intp)


def _compute_activations(estimator, X, caller):
    """Return the activations of a fitted estimator, with the names of the neurons."""
    *before, last = list_steps(estimator)
    if hasattr(last, "predict_annotations"):
        check_is_fitted(last, "hypotheses_")
        activations = estimator[:-1].transform(X) if before else X
    elif hasattr(estimator, "transform") and not isinstance(estimator, type):
        check_is_fitted(estimator)
        activations = estimator.transform(X)
    else:
        raise TypeError(
            f"{caller}: estimator= expects a fitted Pipeline, NeuronSelector or "
            f"autoencoder, but {type(estimator).__name__} arrived."
        )
    names = getattr(activations, "columns", None)
    if names is None and before == [] and hasattr(last, "get_feature_names_out"):
        names = last.get_feature_names_out()
    if names is None:
        names = [f"x{i}" for i in range(activations.shape[1])]
    return activations, [str(name) for name in names]


def _add_statements(names, step):
    """Add the hypotheses to the names of their neurons."""
    hypotheses = getattr(step, "_hypotheses", ())
    statements = {neuron: h.statement for h in hypotheses for neuron in h.neurons}
    return [f"{n}: {statements[n]}" if n in statements else n for n in names]


def _correlate_columns(activations):
    """Correlate columns; NaN for constant ones; sparse input stays sparse."""
    n_rows = activations.shape[0]
    if sparse.issparse(activations):
        values = sparse.csr_array(activations).astype(np.float64)
        mean = np.asarray(values.mean(axis=0)).ravel()
        product = (values.T @ values).toarray() / n_rows - np.outer(mean, mean)
    else:
        values = np.asarray(activations, dtype=np.float64)
        values = values - values.mean(axis=0)
        product = values.T @ values / n_rows
    variance = np.diag(product)
    # differences of equal float32 numbers leave rounding errors, not zeros
    scale = np.where(variance > 1e-14 * max(variance.max(), 1e-300), variance, np.nan)
    return np.clip(product / np.sqrt(np.outer(scale, scale)), -1, 1)
