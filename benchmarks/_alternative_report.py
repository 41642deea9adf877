"""Tables of the benchmark of alternatives."""

from collections import defaultdict

import numpy as np
from _common import markdown_table

# data sets that share a column of the first table, which shows their mean
COLUMNS = {
    "tweets": ("tweets",),
    "VADER tweets": ("VADER tweets",),
    "Amazon": ("Amazon snippets",),
    "docstrings": ("docstrings",),
    "reviews": ("deceptive reviews",),
    "SMS": ("SMS spam",),
    "bills": ("bills on health", "bills on macroeconomics", "bills on agriculture"),
    "election": ("election, level 1", "election, level 2"),
    "Upworthy": ("Upworthy pairs",),
}
# what cannot be read takes no part in the comparison of the first table
_UNREADABLE = ("hypothesaes", "TF-IDF", "MiniLM")


def gather(results):
    """Collect what the seeds found, as {(method, data): list of dict}."""
    cells = defaultdict(list)
    for key, found in results:
        cells[key["method"], key["data"]].append(found)
    return dict(cells)


def _mean(cells, method, names, figure):
    """Return the mean over data sets; None where one of them is missing."""
    if not names or any((method, name) not in cells for name in names):
        return None
    return float(
        np.mean([np.mean([r[figure] for r in cells[method, n]]) for n in names])
    )


def score_table(cells, methods, names, largest="tweets"):
    """Return one row per method, one column per kind of data, time and memory."""
    shown = {
        title: tuple(name for name in group if name in names)
        for title, group in COLUMNS.items()
    }
    shown = {title: group for title, group in shown.items() if group}
    found = {
        method: {t: _mean(cells, method, group, "score") for t, group in shown.items()}
        for method in methods
    }
    readable = [name for name in methods if not name.startswith(_UNREADABLE)]
    largest = largest if largest in names else names[0]
    rows = []
    for method, scores in found.items():
        row = {"method": method, "a reader sees": methods[method].says}
        for title, score in scores.items():
            rivals = [found[name][title] for name in readable]
            best = max((value for value in rivals if value is not None), default=None)
            text = "-" if score is None else f"{score:.2f}"
            is_best = score is not None and method in readable and score == best
            row[title] = f"**{text}**" if is_best else text
        for title, figure in (("s", "seconds"), ("MB", "megabytes")):
            value = _mean(cells, method, (largest,), figure)
            row[title] = "-" if value is None else f"{value:,.0f}"
        rows.append(row)
    return markdown_table(rows)


def data_table(cells, methods, names):
    """Return one row per data set, one column per method, means and deviations."""
    rows = []
    for name in names:
        row = {"data": name}
        for method in methods:
            scores = [run["score"] for run in cells.get((method, name), [])]
            text = f"{np.mean(scores):.3f}" if scores else "-"
            if len(scores) > 1:
                text += f" ± {np.std(scores, ddof=1):.3f}"
            row[method] = text
        rows.append(row)
    return markdown_table(rows)


def cost_table(cells, methods, names, figure):
    """Return one row per data set, one column per method: seconds or megabytes."""
    rows = []
    for name in names:
        values = {m: _mean(cells, m, (name,), figure) for m in methods}
        digits = 1 if figure == "seconds" else 0
        rows.append(
            {"data": name}
            | {m: "-" if v is None else f"{v:,.{digits}f}" for m, v in values.items()}
        )
    return markdown_table(rows)
