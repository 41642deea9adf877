"""The plots of the supervised benchmark, where matplotlib is installed."""

import numpy as np
from _common import TABLES


def draw(cells, options):
    """Draw both plots; return their names and what they show."""
    try:
        import matplotlib
    except ImportError:
        print("no plots: matplotlib is not installed")
        return []
    matplotlib.use("Agg")
    matplotlib.rcParams.update(
        {
            "svg.hashsalt": "supervised",
            "svg.fonttype": "none",
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )
    TABLES.mkdir(parents=True, exist_ok=True)
    suffix = "" if options.holdout else "_validation"
    plots = [
        (
            f"supervised_alpha{suffix}.svg",
            draw_alpha,
            "Score, explained variance and largest correlation against alpha, all "
            "training rows, validation rows scored",
        ),
        (
            f"supervised_gain{suffix}.svg",
            draw_gain,
            "Gain of the supervised over the unsupervised autoencoder by data set",
        ),
    ]
    for name, function, _ in plots:
        figure = function(cells)
        figure.savefig(TABLES / name, metadata={"Date": None})
    return [(name, text) for name, _, text in plots]


def draw_alpha(cells):
    """Draw validation figures by alpha, a line for each data set."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    panels = {
        "score": "score of 20 neurons minus that at alpha = 0",
        "explained variance": "explained variance",
        "largest correlation": "largest correlation of one neuron with y",
    }
    for axes, (name, title) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for cell in cells:
            if cell.n is not None:
                continue
            values = np.array(
                [[run[name] for run in runs] for runs in cell.sweep.values()]
            )
            if name == "score":
                values = values - values[0]
            label = f"{cell.data} ({cell.metric})"
            axes.plot(values.mean(axis=1), marker="o", ms=3, label=label)
        names = [f"{alpha:g}" for alpha in cells[0].sweep]
        axes.set_xticks(range(len(names)), names)
        axes.set_xlabel("alpha")
        axes.set_title(title, fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def draw_gain(cells):
    """Draw the gain and its interval over the scored rows, a line for each cell."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.6 + 0.32 * len(cells)), layout="constrained")
    axes = figure.subplots()
    for i, cell in enumerate(reversed(cells)):
        for arm, color, shift in (
            ("unsupervised", "C0", 0.12),
            ("augmented", "C1", -0.12),
        ):
            found = cell.differences[arm]
            axes.plot(found["rows"], [i + shift] * 2, color=color)
            axes.plot(found["mean"], i + shift, "o", ms=4, color=color)
    labels = [
        "{data}, {rows} ({metric})".format(**cell.label(), metric=cell.metric)
        for cell in reversed(cells)
    ]
    axes.set_yticks(range(len(cells)), labels)
    axes.axvline(0, color="0.6", lw=0.8)
    axes.set_xlabel(
        "supervised minus unsupervised (blue) and minus appended ridge (orange):\n"
        "mean over the seeds, 95 % interval over the scored rows"
    )
    return figure
