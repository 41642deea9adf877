"""Texts that are posted again: do the levels hold, and what does grouping cost?

    python benchmarks/duplicates.py              # twenty minutes of one core
    python benchmarks/duplicates.py --runs 20    # a trial, no page

Simulations, and the near-duplicates of the tweets' training and validation rows, for
which SKLEARN_HYPO_DATA has to name the folder of the data; left out without it.
"""

import argparse
import os
import time
import warnings

from _common import (
    DATA_VARIABLE,
    command_line,
    load_tweets,
    markdown_table,
    pin_threads,
    write_table,
)

FULL = 300
N_HYPOTHESES = 20
LEVELS = (0.1, 0.05)
N_TEXTS = 300

# By title: how often a text stands there, of how many one does; how a copy is made.
WORLDS = {
    "300 different texts": ((1, 1), "as it is"),
    "one text of 50 stands twice": ((2, 50), "as it is"),
    "half of the texts stand four times": ((4, 2), "as it is"),
    "the same; copies with RT @name, a link, another letter": ((4, 2), "re-posted"),
}
TARGETS = {"normal": 0.45, "two classes": 0.6}  # planted effects
CELLS = [("normal", world) for world in WORLDS] + [
    ("two classes", "half of the texts stand four times")
]

NOTES = """\
In each of {runs} runs, 300 texts have 20 hypotheses of 5 to 50 % prevalence and a
target that none of them has anything to do with: normal, or two classes. Some texts
stand there several times, with the same annotations and the same target, as re-posts
do. The rate is the share of runs in which any hypothesis is called significant after
Holm's correction: it should be the level. ± is one Monte Carlo standard error; **bold**
is above the level by more than two. "ignored": near_duplicates="ignore"; "default":
near_duplicates="auto". Power: the share of five planted effects that are found at level
0.1, in the same worlds, in a fifth as many runs.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=FULL)
    return parser.parse_args()


# Worlds -----------------------------------------------------------------------------


def draw(world, target, rng, effect=0.0):
    """Return annotations, target and texts; each row's text is its own or a copy."""
    (times, every), how = WORLDS[world]
    prevalence = np.geomspace(0.05, 0.5, N_HYPOTHESES)
    A = (rng.random((N_TEXTS, N_HYPOTHESES)) < prevalence).astype(float)
    signal = A[:, -5:].sum(axis=1) * effect
    y = signal + rng.normal(size=N_TEXTS)
    if target == "two classes":
        y = (y > np.median(y)).astype(int)
    texts = [" ".join(rng.choice(WORDS, 12)) for _ in range(N_TEXTS)]
    repeated = np.arange(N_TEXTS) % every == 0
    rows = np.repeat(np.arange(N_TEXTS), np.where(repeated, times, 1))
    seen, shown = set(), []
    for row in rows:
        shown.append(texts[row] if row not in seen else copy(texts[row], how, rng))
        seen.add(row)
    return A[rows], y[rows], shown


def copy(text, how, rng):
    if how == "re-posted":
        at, (name, link) = rng.integers(len(text)), rng.integers(1e6, size=2)
        text = f"{text[:at]}x{text[at + 1 :]}!"
        return f"RT @user{name}: {text} https://t.example/{link}"
    return text


# The runs ---------------------------------------------------------------------------


def test_both_ways(sample):
    """Return corrected p-values, joint and alone, by how, and whether by groups."""
    p, grouped = test(*sample, "auto")
    # where nothing is grouped, both are the same
    return {"auto": p, "ignore": test(*sample, "ignore")[0] if grouped else p}, grouped


def test(A, y, texts, how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = evaluate_annotations(
            A, y, texts=texts, near_duplicates=how, n_resamples=0, ngrams=False
        )
    table = report.table
    p = table[["p_corrected", "separation_p_corrected"]].to_numpy()
    return p, report.n_groups is not None


def simulate(world, target, n_runs):
    """Return false positives, power and the share of runs that were grouped."""
    found = {how: [] for how in ("ignore", "auto")}
    power = {how: [] for how in found}
    grouped = []
    for run in range(n_runs):
        rng = np.random.default_rng([run, *map(ord, world + target)])
        sample = draw(world, target, rng)
        p, by_groups = test_both_ways(sample)
        grouped.append(by_groups)
        for how in found:
            found[how].append(np.nanmin(p[how], axis=0))
        if run % 5 == 0:
            p, _ = test_both_ways(draw(world, target, rng, TARGETS[target]))
            for how in power:
                power[how].append(np.mean(p[how][-5:] <= LEVELS[0], axis=0))
    found = {how: np.array(values) for how, values in found.items()}
    power = {how: np.mean(values, axis=0) for how, values in power.items()}
    return found, power, np.mean(grouped)


def describe_rate(smallest, level):
    rate = np.mean(smallest <= level)
    error = np.sqrt(rate * (1 - rate) / len(smallest))
    text = f"{rate:.3f} ± {error:.3f}"
    return f"**{text}**" if rate - 2 * error > level else text


def measure_levels(n_runs):
    """Return a table of levels and one of power."""
    levels, powers = [], []
    for target, world in CELLS:
        found, power, grouped = simulate(world, target, n_runs)
        cell = {"target": target, "world": world}
        levels.append(cell | {"grouped": f"{grouped:.0%}"})
        powers.append(dict(cell))
        for j, test_name in enumerate(("joint", "alone")):
            for how, name in (("ignore", "ignored"), ("auto", "default")):
                powers[-1][f"{test_name}, {name}"] = f"{power[how][j]:.2f}"
                for level in LEVELS:
                    key = f"{test_name}, {name}, {level:g}"
                    levels[-1][key] = describe_rate(found[how][:, j], level)
        print(levels[-1], powers[-1], flush=True)
    return levels, powers


# The tweets -------------------------------------------------------------------------


def count_in_tweets():
    """Return near-duplicates by part and threshold, and the time that they took."""
    tweets, rows = load_tweets(), []
    train, validation, _ = tweets_reference_split(tweets)
    for name, part in (("training", train), ("validation", validation)):
        texts = tweets.data[part]
        for threshold in (0.9, 0.8, 0.7):
            start = time.perf_counter()
            sizes = np.bincount(find_near_duplicates(texts, threshold=threshold))
            seconds = time.perf_counter() - start
            rows.append(
                {
                    "rows": f"{name} ({len(texts):,})",
                    "threshold": threshold,
                    "texts like others": int(sizes[sizes > 1].sum()),
                    "groups": int((sizes > 1).sum()),
                    "largest": int(sizes.max()),
                    "inflation": f"{np.sum(sizes.astype(float) ** 2) / len(texts):.4f}",
                    "seconds": f"{seconds:.1f}",
                }
            )
    return rows


def compare_on_tweets():
    """Return p-values of ten words on validation rows, grouped and not."""
    tweets = load_tweets()
    _, validation, _ = tweets_reference_split(tweets)
    texts, y = tweets.data[validation], tweets.target[validation]
    words = (
        "thanks",
        "love",
        "happy",
        "day",
        "sad",
        "work",
        "sorry",
        "miss",
        "go",
        "lol",
    )
    A = np.array([[word in text.lower() for word in words] for text in texts], float)
    rows = []
    options = {"texts": texts, "n_resamples": 0, "ngrams": False, "names": words}
    alone = evaluate_annotations(A, y, near_duplicates="ignore", **options).table
    group = evaluate_annotations(A, y, near_duplicates="group", **options).table
    for i, word in enumerate(words):
        rows.append(
            {
                "contains": word,
                **{
                    f"{column}, {name}": f"{table[column][i]:.3g}"
                    for column in ("separation_p", "coef_p")
                    for name, table in (("ignored", alone), ("grouped", group))
                },
            }
        )
    return rows


def main(options):
    levels, powers = measure_levels(options.runs)
    tables = {"Levels": levels, "Power": powers}
    if os.environ.get(DATA_VARIABLE):
        tables["Near-duplicates of the tweets"] = count_in_tweets()
        tables["Validation rows of the tweets: p-values"] = compare_on_tweets()
    body = "\n\n".join(f"## {k}\n\n{markdown_table(v)}" for k, v in tables.items())
    notes = NOTES.format(runs=options.runs)
    print(f"\n{body}")
    if options.runs == FULL:
        write_table(
            "duplicates",
            "Near-duplicates: texts that are posted again",
            command_line(),
            f"{notes}\n{body}",
            "",
        )


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    pin_threads(1)
    import numpy as np

    from sklearn_hypo import evaluate_annotations, find_near_duplicates
    from sklearn_hypo.datasets._tweets import tweets_reference_split

    LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    RNG = np.random.default_rng(0)
    WORDS = np.array(["".join(RNG.choice(LETTERS, 5)) for _ in range(2000)])
    main(OPTIONS)
