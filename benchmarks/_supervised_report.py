"""The page of the supervised benchmark: tables and notes."""

import numpy as np
from _common import markdown_table
from _supervised_arms import N_SELECT
from _supervised_cells import ARMS, alphas, betas
from _supervised_notes import (
    COST,
    DIFFERENCES,
    LARGEST_CORRELATION,
    LEXICONS,
    NOTES,
    SCORES,
    SWEEP,
)
from _supervised_scores import t_interval

NEURON_ARMS = ("unsupervised", "supervised", "double", "augmented")
SELECTION = (
    "select training, fit training",
    "select training, fit unseen",
    "select unseen, fit training",
    "select unseen, fit unseen",
)


def page(cells, cases, options, images):
    """Return the first table and the rest of the page."""
    rows = "holdout" if options.holdout else "validation"
    tweets = [c for c in cells if c.data == "tweets" and c.n is None]
    sections = [
        ("Twenty columns, all data sets", scores_table(cells), SCORES),
        ("Supervised minus each other arm", differences_table(cells), DIFFERENCES),
        ("Lexicon hypotheses", lexicon_table(cells), LEXICONS),
        ("Alpha, on validation rows", alpha_table(cells), SWEEP),
        ("What selection on training rows costs", selection_table(cells), COST),
    ]
    rest = [NOTES.format(rows=rows, setup=setup(cells, cases, options))]
    for title, table, notes in sections:
        rest.append(f"## {title}\n\n{table}\n\n{notes.strip()}")
    rest += [f"![{text}]({name})" for name, text in images]
    if not tweets:
        return f"**Scores on {rows} rows.**", "\n\n".join(rest)
    return aims_table(tweets[0], cells), "\n\n".join(rest)


# Floors and aims ----------------------------------------------------------------------


def aims_table(cell, cells):
    """Set the tweets' figures beside their floors and aims."""
    largest = cell.mean("supervised", "largest correlation")
    f1, f1_plain = (
        cell.mean(arm, "lexicon F1") for arm in ("supervised", "unsupervised")
    )
    given_up = cell.mean("unsupervised", "explained variance") - cell.mean(
        "supervised", "explained variance"
    )
    holds = largest <= LARGEST_CORRELATION and f1 >= f1_plain
    rows = [
        _aim(
            f"R² of {N_SELECT} supervised neurons (alpha = {cell.alpha:g})",
            cell.mean("supervised"), spread(cell, "supervised", "score"),
            0.40, 0.44, holds,
        ),
        _aim(
            "R² of the lexicon hypotheses that name them",
            cell.mean("supervised", "lexicon score"),
            spread(cell, "supervised", "lexicon score"), 0.35, 0.40, holds,
        ),
        {
            "tweets, all training rows": "largest correlation of one neuron with y",
            "measured": spread(cell, "supervised", "largest correlation"),
            "floor": f"≤ {LARGEST_CORRELATION}",
            "floor met": _yes(largest <= LARGEST_CORRELATION),
            "aim": "-",
            "aim met": "-",
        },
        {
            "tweets, all training rows": "median held-out F1 of the lexicons",
            "measured": f"{spread(cell, 'supervised', 'lexicon F1')}; unsupervised "
            f"{spread(cell, 'unsupervised', 'lexicon F1')}",
            "floor": "no worse than unsupervised",
            "floor met": _yes(f1 >= f1_plain),
            "aim": "-",
            "aim met": "-",
        },
        {
            "tweets, all training rows": "explained variance given up",
            "measured": f"{given_up:.3f}",
            "floor": "≤ 0.08",
            "floor met": _yes(given_up <= 0.08),
            "aim": "≤ 0.04",
            "aim met": _yes(given_up <= 0.04),
        },
    ]  # fmt: skip
    return markdown_table(rows + _other_sets(cells))


def _aim(name, value, measured, floor, aim, holds):
    def met(bound):
        if value < bound:
            return "**no**"
        return "yes" if holds else "**not counted**: correlation or F1"

    return {
        "tweets, all training rows": name,
        "measured": measured,
        "floor": f"{floor:.2f}",
        "floor met": met(floor),
        "aim": f"{aim:.2f}",
        "aim met": met(aim),
    }


def _other_sets(cells):
    gains = [
        cell.differences["unsupervised"]
        for cell in cells
        if not cell.data.startswith("tweets")
    ]
    if not gains:
        return []
    positive = sum(gain["mean"] > 0 for gain in gains)
    above = sum(gain["words"] == "better" for gain in gains)
    return [
        {
            "tweets, all training rows": "other data sets: gain over unsupervised",
            "measured": f"above 0 in {positive} of {len(gains)}, both intervals above "
            f"0 in {above}",
            "floor": "> 0 on each, interval above 0 on most",
            "floor met": _yes(positive == len(gains) and above > len(gains) / 2),
            "aim": "-",
            "aim met": "-",
        }
    ]


def _yes(condition):
    return "yes" if condition else "**no**"


def spread(cell, arm, figure, digits=3):
    """Format mean ± standard deviation over the seeds."""
    values = cell.values(arm, figure)
    mean = f"{np.mean(values):.{digits}f}"
    if len(values) == 1:
        return mean
    return f"{mean} ± {np.std(values, ddof=1):.{digits}f}"


def interval(ends):
    return "-" if ends is None else f"{ends[0]:+.3f} to {ends[1]:+.3f}"


# Tables -------------------------------------------------------------------------------


def scores_table(cells):
    rows = []
    for cell in cells:
        gain = cell.differences["unsupervised"]
        row = cell.label() | {
            "score": cell.metric,
            "M, k": "{}, {}".format(*cell.sizes),
            "unsupervised": spread(cell, "unsupervised", "score"),
            "supervised": spread(cell, "supervised", "score"),
            "alpha": f"{cell.alpha:g}",
            "gain": f"{gain['mean']:+.3f}",
            "95 % over seeds": interval(gain["seeds"]),
            "95 % over rows": interval(gain["rows"]),
            "in words": gain["words"],
            "2 M": cell.mean("double"),
            "ridge appended": cell.mean("augmented"),
            "beta": f"{cell.beta:g}",
            "PLS": cell.mean("pls"),
            "ceiling": cell.mean("ceiling"),
            "floor": cell.mean("floor"),
        }
        rows.append(row)
    return markdown_table(rows)


def differences_table(cells):
    rows = []
    for cell in cells:
        for arm, found in cell.differences.items():
            rows.append(
                cell.label()
                | {
                    "against": ARMS[arm],
                    "difference": f"{found['mean']:+.3f}",
                    "95 % over seeds": interval(found["seeds"]),
                    "95 % over rows": interval(found["rows"]),
                    "supervised is": found["words"],
                }
            )
    return markdown_table(rows)


def lexicon_table(cells):
    rows = []
    for cell in cells:
        for arm in NEURON_ARMS:
            row = cell.label() | {"neurons": arm, "score": cell.metric}
            row["of neurons"] = cell.mean(arm)
            row["of lexicons"] = spread(cell, arm, "lexicon score")
            row["minus unsupervised's, 95 % over seeds"] = _lexicon_gain(cell, arm)
            row["significant"] = (
                f"{cell.mean(arm, 'significant'):.1f} of "
                f"{cell.mean(arm, 'hypotheses'):.0f}"
            )
            for name in ("lexicon F1", "explained variance", "redundancy"):
                row[name] = cell.mean(arm, name)
            row["largest correlation"] = spread(cell, arm, "largest correlation")
            row["dead"] = f"{cell.mean(arm, 'dead'):.1f}"
            row["fit, s"] = f"{np.median(cell.values(arm, 'seconds')):.1f}"
            rows.append(row)
    return markdown_table(rows)


def _lexicon_gain(cell, arm):
    if arm == "unsupervised":
        return "-"
    gains = np.subtract(
        cell.values(arm, "lexicon score"), cell.values("unsupervised", "lexicon score")
    )
    ends = t_interval(gains)
    includes = "" if ends is None or ends[0] > 0 else ": **includes 0**"
    if ends is not None and ends[1] < 0:
        includes = ": **worse**"
    return f"{gains.mean():+.3f} ({interval(ends)}){includes}"


def alpha_table(cells):
    rows = []
    for cell in cells:
        for alpha, runs in cell.sweep.items():
            means = {
                name: float(np.mean([run[name] for run in runs]))
                for name in (
                    "score",
                    "explained variance",
                    "redundancy",
                    "largest correlation",
                    "dead",
                )
            }
            means["dead"] = f"{means['dead']:.1f}"
            chosen = "chosen" if alpha == cell.alpha else ""
            rows.append(cell.label() | {"alpha": f"{alpha:g}"} | means | {"": chosen})
    return markdown_table(rows)


def selection_table(cells):
    rows = []
    for cell in cells:
        for arm in ("unsupervised", "supervised"):
            row = cell.label() | {"neurons": arm}
            row["unseen rows"] = f"{cell.mean(arm, 'n_unseen'):,.0f}"
            for name in SELECTION:
                row[name] = cell.mean(arm, name)
            # the one difference that is about selection alone
            gains = np.subtract(
                cell.values(arm, SELECTION[2]), cell.values(arm, SELECTION[0])
            )
            row["gain of selecting on unseen rows"] = f"{gains.mean():+.3f}"
            row["95 % over seeds"] = interval(t_interval(gains))
            rows.append(row)
    return markdown_table(rows)


# Words --------------------------------------------------------------------------------


def setup(cells, cases, options):
    """Say what was fitted on what."""
    lines = []
    for name, case in cases.items():
        dropped = (
            f"; {case.dropped} rows left out whose text is in a later part"
            if case.dropped
            else ""
        )
        lines.append(
            f"- {name}: {case.task}, {len(case.train):,} training, "
            f"{len(case.validation):,} validation and {len(case.holdout):,} holdout "
            f"rows{dropped}"
        )
    n_alpha, n_beta = len(alphas(options)), len(betas(options))
    capped = (
        f" among those whose largest correlation of one neuron with y was at most "
        f"{options.cap:g} (among all where that of alpha = 0 was larger already)"
        if options.cap is not None
        else ""
    )
    lines.append(
        f"\nIn each of the {len(cells)} pairs of a data set and a size, {n_alpha} "
        f"values of alpha and {n_beta} of beta were tried, and the one of the best "
        f"mean score on the validation rows over {options.seeds} seeds was "
        f"taken{capped}."
    )
    return "\n".join(lines)
