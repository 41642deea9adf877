"""`ActivationHistogramDisplay`: what a neuron does where its hypothesis holds."""

import numpy as np

from .._hypotheses._lookup import find_hypothesis
from .._utils._frames import get_texts
from .._utils._steps import find_best_estimator, find_extractor
from ._checks import check_report
from ._figures import (
    BLUE,
    PLAIN,
    VERMILION,
    add_legend,
    choose_axes,
    merge_keywords,
    wrap_label,
)


class ActivationHistogramDisplay:
    """Activation of a neuron where its hypothesis holds, and where it does not.

    If the words describe the neuron, the texts that lack the hypothesis hardly
    activate it. Each bar is a share of all texts of its group. Texts in which the
    neuron is exactly 0, often nearly all, are not drawn; the legend counts them.

    It is recommended to use `from_estimator` or `from_report`, which also draw.

    Parameters
    ----------
    bin_edges : array-like of shape (n_bins + 1,)
        Edges of the bins, in units of the activation.
    counts_present, counts_absent : array-like of shape (n_bins,)
        Texts per bin that have the hypothesis, and that lack it.
    n_zero : tuple of (int, int), default=(0, 0)
        Texts whose activation is 0 and in no bin: that have it, that lack it.
    hypothesis : str, default=""
        Title of the drawing.
    neuron : str, default="the neuron"
        Its name.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        The drawing, and the figure it is in.
    bars_ : tuple of (StepPatch, StepPatch)
        Histograms of the texts that have the hypothesis and of those that lack it.

    See Also
    --------
    HypothesisExtractor : Puts neurons into words.

    Examples
    --------
    >>> from sklearn_hypo import ActivationHistogramDisplay
    >>> display = ActivationHistogramDisplay(
    ...     bin_edges=[0.0, 0.5, 1.0],
    ...     counts_present=[10, 30],
    ...     counts_absent=[8, 2],
    ...     n_zero=(10, 90),
    ...     neuron="neuron017",
    ... ).plot()
    >>> display.bars_[0].get_data().values
    array([0.2, 0.6])
    """

    def __init__(
        self,
        *,
        bin_edges,
        counts_present,
        counts_absent,
        n_zero=(0, 0),
        hypothesis="",
        neuron="the neuron",
    ):
        self.bin_edges = np.asarray(bin_edges, dtype=float)
        self.counts_present = np.asarray(counts_present, dtype=int)
        self.counts_absent = np.asarray(counts_absent, dtype=int)
        self.n_zero = tuple(int(n) for n in n_zero)
        self.hypothesis = hypothesis
        self.neuron = neuron

    @classmethod
    def from_estimator(
        cls, estimator, X, neuron, *, bins=25, ax=None, present_kw=None, absent_kw=None
    ):
        """Annotate texts and draw the activations of one neuron in them.

        Parameters
        ----------
        estimator : HypothesisExtractor, or Pipeline that ends in one
            Fitted. A fitted search is asked for its best estimator. All its
            hypotheses are annotated: with a language model that may cost money.
        X : array-like of length n_samples
            What `estimator.transform` takes: texts for a pipeline, a text-labelled
            frame of activations for a bare extractor.
        neuron : str or int
            Name of the neuron, or the wording or the row number of its hypothesis. If
            several neurons share the hypothesis, the largest activation counts.
        bins : int, default=25
            Bins between 0 and the largest activation.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        present_kw, absent_kw : dict, default=None
            Keywords of `matplotlib.axes.Axes.stairs`, for the texts that have the
            hypothesis and for those that lack it.

        Returns
        -------
        display : ActivationHistogramDisplay
            Drawn. Texts without an answer are in neither group.
        """
        caller = f"{cls.__name__}.from_estimator"
        estimator = find_best_estimator(estimator)
        extractor = find_extractor(estimator, caller=caller)
        hypotheses = extractor._hypotheses
        row = find_hypothesis(
            neuron,
            [h.statement for h in hypotheses],
            [h.neurons for h in hypotheses],
            parameter="neuron",
            caller=caller,
        )
        frame = X if estimator is extractor else estimator[:-1].transform(X)
        get_texts(frame, caller=caller)
        answers = np.asarray(extractor.transform(frame), dtype=float)[:, row]
        activation = extractor._activations_behind(frame)[:, row].astype(float)
        display = cls(
            **_count_texts(activation, answers, bins),
            hypothesis=hypotheses[row].statement,
            neuron=hypotheses[row].neuron,
        )
        return display.plot(ax, present_kw=present_kw, absent_kw=absent_kw)

    @classmethod
    def from_report(
        cls, report, hypothesis, *, ax=None, present_kw=None, absent_kw=None
    ):
        """Draw what a report keeps about one hypothesis.

        Parameters
        ----------
        report : HypothesisReport
            What `evaluate_hypotheses` returned.
        hypothesis : str or int
            Its wording, the name of its neuron, or its row in `report.table`.
        ax, present_kw, absent_kw : optional
            As in `from_estimator`.

        Returns
        -------
        display : ActivationHistogramDisplay
            Drawn.
        """
        caller = f"{cls.__name__}.from_report"
        check_report(report, caller, needs=("table", "details"))
        statements = report.table["hypothesis"]
        details = report.details or ()
        row = find_hypothesis(
            hypothesis,
            statements,
            [detail.neurons for detail in details],
            parameter="hypothesis",
            caller=caller,
        )
        if not details or not len(details[row].bin_edges):
            raise ValueError(
                f"{caller}: this report has no activations for hypothesis="
                f"{hypothesis!r}. Those of evaluate_hypotheses on a fitted pipeline "
                "have them, those on annotations made elsewhere have not."
            )
        detail = details[row]
        display = cls(
            bin_edges=detail.bin_edges,
            counts_present=detail.counts_present,
            counts_absent=detail.counts_absent,
            n_zero=detail.n_zero,
            hypothesis=str(statements.iloc[row]),
            neuron=", ".join(detail.neurons) or "the neuron",
        )
        return display.plot(ax, present_kw=present_kw, absent_kw=absent_kw)

    def plot(self, ax=None, *, present_kw=None, absent_kw=None):
        """Draw.

        Parameters
        ----------
        ax, present_kw, absent_kw : optional
            As in `from_estimator`.

        Returns
        -------
        display : ActivationHistogramDisplay
            Itself.
        """
        ax = choose_axes(ax, type(self).__name__, (7.5, 4.2))
        from matplotlib.patches import StepPatch
        from matplotlib.ticker import PercentFormatter

        present = {"facecolor": BLUE, "alpha": 0.55, "fill": True, "linewidth": 0}
        # an outline over a filled shape: told apart in grey, too
        absent = {"edgecolor": VERMILION, "linewidth": 1.8}
        groups = (
            ("have it", self.counts_present, self.n_zero[0], present, present_kw),
            ("lack it", self.counts_absent, self.n_zero[1], absent, absent_kw),
        )
        bars = []
        for verb, counts, zero, style, given in groups:
            total = int(counts.sum()) + zero
            style["label"] = f"{total:,} texts {verb} ({zero:,} at 0, not drawn)"
            shares = counts / max(total, 1)
            keywords = merge_keywords(StepPatch, style, given)
            bars.append(ax.stairs(shares, self.bin_edges, **keywords))
        self.bars_ = tuple(bars)
        # room for the legend above the bars
        ax.set_ylim(0, 1.3 * max(ax.dataLim.y1, 1e-3))
        ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
        ax.set_xlabel(f"activation of {wrap_label(self.neuron)}", **PLAIN)
        ax.set_ylabel("share of the texts of the group")
        if self.hypothesis:
            ax.set_title(wrap_label(self.hypothesis, 70), fontsize="medium", **PLAIN)
        add_legend(ax, loc="upper right")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _count_texts(activation, answers, bins):
    """Count the texts per bin, those at 0 apart."""
    active = activation != 0
    top = activation.max(initial=0.0) or 1.0
    edges = np.linspace(min(0.0, activation.min(initial=0.0)), top, bins + 1)
    present, absent = answers == 1, answers == 0
    return {
        "bin_edges": edges,
        "counts_present": np.histogram(activation[present & active], edges)[0],
        "counts_absent": np.histogram(activation[absent & active], edges)[0],
        "n_zero": [int((group & ~active).sum()) for group in (present, absent)],
    }
