"""Write the tables of the how-to pages.

    python docs/make_howto_tables.py

How many texts a power of 0.8 takes is computed by `plan_study`, from pilots as even as
they can be. What to expect from so many texts is read from the page of the benchmark.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from sklearn_hypo import evaluate_annotations, plan_study

DOCS = Path(__file__).resolve().parent
PREVALENCES = (0.02, 0.05, 0.1, 0.2, 0.5)
N_HYPOTHESES = 20
POWER = 0.8
N_PILOT = 20_000


def make_pilot(share=None):
    """Return a report on hypotheses of all prevalences, in which nothing is true.

    Parameters
    ----------
    share : float or None, default=None
        Of texts in the second of two classes. None: the target is a quantity with a
        standard deviation of 1.
    """
    rows = np.arange(N_PILOT)
    # every stretch of rows has nearly the same distribution
    even = (rows * (np.sqrt(5) - 1) / 2 + 0.5 / N_PILOT) % 1
    y = norm.ppf(even) if share is None else np.where(even < share, "yes", "no")
    holds = {f"{each:.0%}": (rows < each * N_PILOT) * 1.0 for each in PREVALENCES}
    return evaluate_annotations(pd.DataFrame(holds), y, n_resamples=0)


def plan(pilot, effect):
    """Plan for an effect of each hypothesis, among so many that are tested."""
    return plan_study(pilot, effect=effect, power=POWER, n_hypotheses=N_HYPOTHESES)


def round_up(number):
    """Round up to two significant digits, with a comma for thousands."""
    unit = 10.0 ** (np.floor(np.log10(number)) - 1)
    return f"{int(np.ceil(np.round(number / unit, 6)) * unit):,}"


def write_table(head, lines):
    """Write a table in Markdown."""
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *lines])


def name_prevalence(prevalence):
    """Write a prevalence as the head of a line."""
    return f"{prevalence:.0%}".replace("%", " %")


def tabulate_texts(effects, share=None):
    """Tabulate how many tested texts find an effect, by prevalence."""
    pilot = make_pilot(share)
    columns = [plan(pilot, effect).table["texts_for_power"] for effect in effects]
    names = (f"{e:g} SD" if share is None else f"{100 * e:g} points" for e in effects)
    head = ["holds of", *names]
    lines = [
        [name_prevalence(prevalence), *map(round_up, numbers)]
        for prevalence, *numbers in zip(PREVALENCES, *columns, strict=True)
    ]
    return write_table(head, lines)


def find_smallest_effects(pilot, n_texts):
    """Return the smallest effects that so many tested texts find, by bisection."""
    low, high = np.zeros(len(PREVALENCES)), np.full(len(PREVALENCES), 10.0)
    while np.any(high - low > 1e-3):
        middle = (low + high) / 2
        found = plan(pilot, middle).predict(n_texts=n_texts)["power"] >= POWER
        low, high = np.where(found, low, middle), np.where(found, middle, high)
    return high


def tabulate_smallest(sizes, tested=0.4):
    """Tabulate the smallest effects that are found, by the number of texts in all."""
    pilot = make_pilot()
    columns = [find_smallest_effects(pilot, tested * size) for size in sizes]
    lines = [
        [name_prevalence(prevalence)]
        + [
            f"{effect:.2g} SD" if prevalence * tested * size >= 3 else "not tested"
            for effect, size in zip(effects, sizes, strict=True)
        ]
        for prevalence, *effects in zip(PREVALENCES, *columns, strict=True)
    ]
    return write_table(["holds of", *(f"{size:,} texts" for size in sizes)], lines)


def read_benchmark():
    """Return the cells of the benchmark of defaults, by data set and number of rows."""
    page = (DOCS / "benchmarks" / "defaults.md").read_text(encoding="utf-8")
    table = page.partition("## defaults")[2].partition("\n## ")[0]
    head, _, *lines = [line for line in table.splitlines() if line.startswith("|")]
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in (head, *lines)]
    return pd.DataFrame(rows[1:], columns=rows[0])


def tabulate_scores(sizes=(200, 500, 1000, 5000)):
    """Tabulate scores by the number of training texts: hypotheses (lasso words)."""
    lines = []
    for data, cells in read_benchmark().groupby("data", sort=False):
        score = {"share of pairs": "pairs"}.get(cells["score"].iloc[0])
        found = dict.fromkeys([*map("{:,}".format, sizes), "all"], "")
        for _, cell in cells.iterrows():
            rows = int(re.sub(r"\D", "", cell["rows"]))
            is_all = cell["rows"].endswith("all")
            near = min(sizes, key=lambda size, rows=rows: abs(np.log(size / rows)))
            ours, words = (
                cell[name].split(" ")[0] for name in ("ours", "lasso n-grams")
            )
            shown = f"{ours} ({words})"
            found["all" if is_all else f"{near:,}"] = (
                f"{rows:,}: {shown}" if is_all else shown
            )
        lines.append([data, score or cells["score"].iloc[0], *found.values()])
    return write_table(["data", "score", *found], lines)


TABLES = {
    "texts for a quantity": lambda: tabulate_texts((0.1, 0.2, 0.3, 0.5, 0.8)),
    "texts for classes": lambda: tabulate_texts((0.05, 0.1, 0.15, 0.2), share=0.5),
    "smallest effects": lambda: tabulate_smallest((200, 1000, 10000)),
    "scores": tabulate_scores,
}
PAGES = {
    "how_many_texts.md": ("texts for a quantity", "texts for classes"),
    "what_to_expect.md": ("scores", "smallest effects"),
}


def render(name):
    """Return a page with its tables written anew."""
    page = (DOCS / "howto" / name).read_text(encoding="utf-8")
    for table in PAGES[name]:
        before, rest = page.split(f"<!-- {table} -->\n")
        after = rest.partition("<!-- end -->\n")[2]
        page = f"{before}<!-- {table} -->\n{TABLES[table]()}\n<!-- end -->\n{after}"
    return page


if __name__ == "__main__":
    for name in PAGES:
        page = render(name)
        (DOCS / "howto" / name).write_text(page, encoding="utf-8", newline="\n")
