"""HypoBench: deceptive reviews and elections, beside the published figures.

    python benchmarks/hypobench.py              # validation rows, no page; minutes
    python benchmarks/hypobench.py --holdout    # the test files, and the page
    python benchmarks/hypobench.py --resume     # goes on with an interrupted run
    python benchmarks/hypobench.py --quick      # tiny, half a minute

Accuracy in and out of domain, and the discovery rate of planted features (Liu et al.
2025, "HypoBench", arXiv 2504.11524). Published methods ask language models; here no
model is asked, and a feature counts as found where a statement is true of nearly the
same texts. Needs SKLEARN_HYPO_DATA. Results are kept in benchmarks/cache/hypobench.
"""

import argparse
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from _common import append_to_ledger, command_line, pin_threads, write_table

SIZES = ("200", "all")
LEVELS = {"election, level 1": 1, "election, level 2": 2}
THRESHOLDS = (0.7, 0.9)

# Accuracy in per cent, in and out of domain: the best of the models of the paper
REVIEWS = {
    "zero-shot": (55.4, 57.5),
    "HypoGeniC": (68.5, 72.0),
    "literature and data": (70.2, 77.3),
    "best": (72.6, 79.0),
}
# Figures of the benchmark's leaderboard in per cent: FDR, RC, HDR at levels 1 and 2
ELECTION = {
    "zero-shot generation, GPT-4o-mini": ((80.0, 37.5, 30.0), (50.0, 17.9, 8.9)),
    "IO prompting, GPT-4o-mini": ((100.0, 30.0, 30.0), (78.6, 38.6, 30.4)),
    "HypoGeniC, mean of four models": ((100.0, 32.5, 32.5), (89.3, 39.4, 35.3)),
    "best": ((100.0, 40.0, 40.0), (92.9, 50.0, 46.4)),
}
ELECTION_ACCURACY = {
    "zero-shot, GPT-4o-mini": (36.3, 37.3),
    "few-shot, GPT-4o-mini": (36.0, 41.0),
    "HypoGeniC, GPT-4o-mini": (36.3, 36.7),
}

NOTES = """\
Mean ± standard deviation over {seeds} seeds. Scored are {part}; published figures are
of the test files. Methods that ask language models see few training texts, so rows for
200 are given beside those for all. The published figures are those of the paper and,
for the election, of the leaderboard of its authors.

- Accuracy of our hypotheses is that of `pipe.predict`, default settings. Bag of words:
  a logit of the presence of all words and pairs of words, penalty cross-validated. 20
  n-grams: those that the lasso path picks first. The largest class is given because the
  election has two of its three classes only, of unequal size.
- Discovery (HDR) = feature discovery (FDR) × relationship correctness (RC), as
  published. The published rates are judged by a language model, which counts a feature
  as found where a hypothesis speaks of the same variable, whatever the value, and
  grades the relationship in quarters. Here a feature (one value of one variable) is
  found where a statement is true of nearly the same scored texts, F1 of at least 0.7 or
  0.9, and the relationship is right or wrong: by the words of the file of true
  hypotheses, or by what the training rows show. The two differ, since the file speaks
  of a third class that no row has. The direction of a statement is that of its own
  association with the classes in the training rows. So the rates are those of the
  formula, and stricter in what counts as found, but not the judge's.
- Each of the 20 n-grams counts as a statement.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1, help="fits at a time")
    parser.add_argument("--key", help="keep results under this name, not the code's")
    parser.add_argument("--resume", action="store_true", help="keep what is there")
    parser.add_argument("--holdout", action="store_true", help="score the test files")
    parser.add_argument("--quick", action="store_true", help="tiny; no page")
    options = parser.parse_args()
    if options.quick and options.holdout:
        parser.error("--quick is a trial; it leaves the test files alone")
    if options.quick:
        options.seeds = min(options.seeds, 1)
    return options


# One fit ------------------------------------------------------------------------------


def run_cell(key):
    """Fit all methods on one sample; return accuracies and discovery rates."""
    dataset = load(key["data"])
    rows = dataset.sample(DATASET_SIZES[key["size"]], key["seed"])
    scored = dataset.holdout if key["holdout"] else dataset.validation
    new = {"in domain": (dataset.texts[scored], dataset.y[scored])}
    if key["holdout"] and key["data"] == "deceptive reviews":
        frame = read_reviews("ood")
        is_deceptive = (frame["label"] == "deceptive").to_numpy(int)
        new["out of domain"] = (frame["text"].to_numpy(object), is_deceptive)
    found = {"n_train": len(rows)}
    for name, method in METHODS.items():
        predict, marks = method(dataset, rows, key["seed"])
        accuracy = {
            domain: float(np.mean(predict(texts) == y))
            for domain, (texts, y) in new.items()
        }
        found[name] = {"accuracy": accuracy}
        if key["data"] in LEVELS and marks is not None:
            found[name]["discovery"] = score_discovery(dataset, rows, scored, marks)
    largest = np.bincount(dataset.y[rows]).argmax()
    found["largest class"] = {
        "accuracy": {d: float(np.mean(y == largest)) for d, (_, y) in new.items()}
    }
    return found


def score_discovery(dataset, rows, scored, marks):
    """Return the discovery rates of statements by threshold and source of direction."""
    level = LEVELS[dataset.name]
    frame = pd.concat([read_election(level, p) for p in ("train", "val", "test")])
    features = read_planted(level)
    truth = np.column_stack(
        [(frame[f.kind] == f.value).to_numpy(int) for f in features]
    )
    labels = sorted(frame["label"].unique())
    directions = {
        "file": stated_signs(features, labels),
        "rows": find_signs(truth[rows], dataset.y[rows]),
    }
    signs = find_signs(marks(dataset.texts[rows]), dataset.y[rows])
    new_marks = marks(dataset.texts[scored])
    return {
        f"{source}, {threshold}": discover(
            new_marks, signs, truth[scored], true_signs, threshold
        )
        for source, true_signs in directions.items()
        for threshold in THRESHOLDS
    }


# Methods: a function that predicts classes, and one that marks texts ------------------


def fit_ours(dataset, rows, seed):
    pipe = make_default_pipeline(dataset, len(rows), seed, {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few rows
        pipe.fit(list(dataset.texts[rows]), dataset.y[rows])

    def mark(texts):
        return np.nan_to_num(pipe.transform(list(texts)).to_numpy(float))

    return lambda texts: pipe.predict(list(texts)), mark


def fit_ngrams(dataset, rows, seed):
    texts, y = dataset.texts[rows], dataset.y[rows]
    presence, _, terms = mark_ngrams(texts, [])
    picked = pick_ngrams(presence, dataset.targets()[rows], N_SELECT)
    presence, terms = presence[:, picked], terms[picked]

    def predict(new_texts):
        new = mark_terms(new_texts, terms)
        return predict_linear(presence, y, new, dataset.task).argmax(axis=1)

    return predict, lambda new_texts: mark_terms(new_texts, terms).toarray()


def fit_bag_of_words(dataset, rows, seed):
    def predict(new_texts):
        X, new_X, _ = mark_ngrams(dataset.texts[rows], new_texts)
        return predict_dense(X, new_X, dataset, rows).argmax(axis=1)

    return predict, None


METHODS = {
    "ours, 20 hypotheses": fit_ours,
    "20 lasso n-grams": fit_ngrams,
    "bag of words": fit_bag_of_words,
}


# Tables -------------------------------------------------------------------------------


def percent(values):
    """Format mean ± standard deviation over the seeds in per cent."""
    values = 100 * np.asarray(values)
    deviation = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{values.mean():.1f}{deviation}"


def accuracy_table(cells, published, columns):
    """Return one row per method and size, then the published ones."""
    rows = []
    for size in dict.fromkeys(size for _, size in cells):
        for name in (*METHODS, "largest class"):
            row = {"method": name, "training texts": size}
            for title, (one, domain) in columns.items():
                runs = [run[name]["accuracy"] for run in cells[one, size]]
                has = all(domain in run for run in runs)
                row[title] = percent([run[domain] for run in runs]) if has else "-"
            rows.append(row)
    for name, figures in published.items():
        row = {"method": f"published: {name}", "training texts": "-"}
        rows.append(row | dict(zip(columns, map(str, figures), strict=True)))
    return markdown_table(rows)


def discovery_table(cells):
    """Return the discovery rates of ours and the published ones."""
    rows = []
    for size in dict.fromkeys(size for _, size in cells):
        for name in METHODS:
            if "discovery" in cells[next(iter(LEVELS)), size][0][name]:
                rows += [discovery_row(cells, name, size, t) for t in THRESHOLDS]
    for name, figures in ELECTION.items():
        row = {"method": f"published: {name}", "training texts": "-"}
        row["found at"] = "judged"
        for level, rates in zip(LEVELS.values(), figures, strict=True):
            for rate, figure in zip(("FDR", "RC", "HDR"), rates, strict=True):
                row[f"level {level}: {rate}"] = str(figure)
            row[f"level {level}: HDR by the rows"] = "-"
        rows.append(row)
    return markdown_table(rows)


def discovery_row(cells, name, size, threshold):
    """Return the rates of one method: by the file's words, and by the rows."""
    row = {"method": name, "training texts": size, "found at": f"F1 ≥ {threshold}"}
    for data, level in LEVELS.items():
        runs = [run[name]["discovery"] for run in cells[data, size]]
        for rate in ("FDR", "RC", "HDR"):
            values = [run[f"file, {threshold}"][rate] for run in runs]
            row[f"level {level}: {rate}"] = percent(values)
        values = [run[f"rows, {threshold}"]["HDR"] for run in runs]
        row[f"level {level}: HDR by the rows"] = percent(values)
    return row


def record(cells, options):
    """Add one line to the ledger: the test files were scored."""
    results = {}
    for (data, size), runs in cells.items():
        for name in METHODS:
            for domain in runs[0][name]["accuracy"]:
                values = [run[name]["accuracy"][domain] for run in runs]
                title = f"{data}, {size}, {name}, {domain}"
                results[title] = round(float(np.mean(values)), 4)
    append_to_ledger("hypobench", {"seeds": options.seeds}, results)


def main(options):
    names = ("deceptive reviews", *LEVELS)
    scripts = ("hypobench", "_datasets", "_baselines", "_default_cells", "_discovery")
    code = options.key or digest_package(*scripts)
    keys = [
        {
            "code": code, "data": data, "size": size, "seed": seed,
            "holdout": options.holdout,
        }
        for data in names
        for size in (SIZES[:1] if options.quick else SIZES)
        for seed in range(options.seeds)
    ]  # fmt: skip
    cells = defaultdict(list)
    kept = Cells("hypobench")
    for key, found in kept.run(
        keys, run_cell, resume=options.resume, jobs=options.jobs
    ):
        cells[key["data"], key["size"]].append(found)
    if options.holdout:
        record(cells, options)
    names = ("in domain", "out of domain")
    domains = {name: ("deceptive reviews", name) for name in names}
    levels = {f"level {level}": (data, "in domain") for data, level in LEVELS.items()}
    parts = {
        "Deceptive reviews: accuracy, %": accuracy_table(cells, REVIEWS, domains),
        "Election: accuracy, %": accuracy_table(cells, ELECTION_ACCURACY, levels),
        "Election: discovery, %": discovery_table(cells),
    }
    tables = "\n\n".join(f"## {title}\n\n{table}" for title, table in parts.items())
    part = "the test files" if options.holdout else "validation rows"
    notes = NOTES.format(seeds=options.seeds, part=part)
    print(f"\n{tables}\n\n{notes}")
    if not options.holdout:
        print("\nno page: published figures are of the test files; see --holdout")
        return
    title = "HypoBench: deceptive reviews and elections"
    write_table("hypobench", title, command_line(), tables, notes)


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    pin_threads(1)
    import warnings
    from collections import defaultdict

    import numpy as np
    import pandas as pd
    from _baselines import N_SELECT, mark_ngrams, predict_dense, predict_linear
    from _cells import Cells, digest_package
    from _common import markdown_table
    from _datasets import SIZES as DATASET_SIZES
    from _datasets import load, read_election, read_planted, read_reviews
    from _default_cells import make_default_pipeline
    from _discovery import discover, find_signs, stated_signs

    from sklearn_hypo._inference._ngrams import pick_ngrams
    from sklearn_hypo._utils._terms import mark_terms

    main(OPTIONS)
