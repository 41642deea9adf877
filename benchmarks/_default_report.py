"""Tables of the benchmark of defaults: cells over seeds, and how many are won."""

from collections import defaultdict

import numpy as np
from _common import markdown_table
from _supervised_scores import t_interval

SHOWN = 0.0005  # what three digits tell apart
LITTLE = 0.05  # above chance
RIVALS = {"lasso": "lasso n-grams", "lasso_sklearn": "the same, scikit-learn's tokens"}


def gather(results):
    """Collect what the seeds found, as {(variant, data, size): list of dict}.

    Samples that lack a class have nothing to score and are left out.
    """
    cells = defaultdict(list)
    for key, found in results:
        if "ours" in found:
            cells[key["variant"], key["data"], key["size"]].append(found)
    return dict(cells)


def mean(runs, name):
    return float(np.mean([run[name] for run in runs]))


def spread(runs, name):
    """Format mean ± standard deviation over the seeds."""
    values = [run[name] for run in runs]
    deviation = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{deviation}"


def share_kept(runs, chance):
    """Return the share of the neurons' score above chance that the words keep.

    None where the neurons know next to nothing: a share of that is noise.
    """
    known = mean(runs, "neurons") - chance
    return (mean(runs, "ours") - chance) / known if known > LITTLE else None


def name_better(runs, rival="lasso"):
    """Name the larger mean score over the seeds, as far as the tables show it."""
    gain = mean(runs, "ours") - mean(runs, rival)
    if abs(gain) < SHOWN:
        return "equal"
    return "ours" if gain > 0 else "n-grams"


def count_cells(cells, variant, rival):
    """Count the cells of a variant that are won, equal and lost."""
    better = [
        name_better(runs, rival) for key, runs in cells.items() if key[0] == variant
    ]
    return tuple(better.count(name) for name in ("ours", "equal", "n-grams"))


def median_deviation(cells):
    """Return the median standard deviation over the seeds; None for single seeds."""
    several = [runs for runs in cells if len(runs) > 1]
    if not several:
        return None
    return float(
        np.median([np.std([run["ours"] for run in r], ddof=1) for r in several])
    )


def show_share(share):
    return "-" if share is None or np.isnan(share) else f"{100 * share:.0f} %"


def show_better(runs):
    """Name the better one; in brackets where an interval over the seeds includes 0."""
    name = name_better(runs)
    ends = t_interval([run["ours"] - run["lasso"] for run in runs])
    is_clear = name == "equal" or ends is None or ends[0] > 0 or ends[1] < 0
    return name if is_clear else f"({name})"


def summary_table(cells, variants, datasets):
    """Return one row per variant: cells won, and means over all cells."""
    rows = []
    for variant in variants:
        own = {key: runs for key, runs in cells.items() if key[0] == variant}
        if not own:
            continue
        row = {"settings": variant}
        for rival, title in RIVALS.items():
            won, equal, lost = count_cells(cells, variant, rival)
            shown = f"{won} of {won + equal + lost}"
            shown += f", {equal} equal" if equal else ""
            row[f"cells won against {title}"] = shown
        gains = [mean(r, "ours") - mean(r, "lasso") for r in own.values()]
        kept = [share_kept(r, datasets[data].chance) for (_, data, _), r in own.items()]
        row["mean gain"] = f"{np.mean(gains):+.3f}"
        row["words keep, median"] = show_share(
            np.median([share for share in kept if share is not None] or [np.nan])
        )
        row["sd over seeds, median"] = median_deviation(own.values())
        seconds = [mean(runs, "seconds") for runs in own.values()]
        row["fit, s, median"] = f"{np.median(seconds):.1f}"
        rows.append(row)
    return markdown_table(rows)


def cell_table(cells, variant, datasets):
    """Return one row per data set and size."""
    rows = []
    for (name, data, size), runs in cells.items():
        if name != variant:
            continue
        kept = share_kept(runs, datasets[data].chance)
        rows.append(
            {
                "data": data,
                "rows": f"{np.median([r['n_train'] for r in runs]):,.0f}"
                + (", all" if size == "all" else ""),
                "score": datasets[data].metric,
                "ours": spread(runs, "ours"),
                "lasso n-grams": spread(runs, "lasso"),
                "scikit-learn's tokens": spread(runs, "lasso_sklearn"),
                "neurons": spread(runs, "neurons"),
                "words keep": show_share(kept),
                "hypotheses": f"{mean(runs, 'n_hypotheses'):.1f}",
                "fidelity": mean(runs, "fidelity"),
                "better": show_better(runs),
            }
        )
    return markdown_table(rows)


def variant_table(cells, variants):
    """Return one row per data set and size, one column per variant, the best bold."""
    rows = []
    for data, size in dict.fromkeys(key[1:] for key in cells):
        found = {v: cells[v, data, size] for v in variants if (v, data, size) in cells}
        best = max(found, key=lambda v: mean(found[v], "ours"))
        row = {"data": data, "size": size}
        for variant in variants:
            shown = spread(found[variant], "ours") if variant in found else "-"
            row[variant] = f"**{shown}**" if variant == best else shown
        row["lasso n-grams"] = spread(next(iter(found.values())), "lasso")
        rows.append(row)
    return markdown_table(rows)
