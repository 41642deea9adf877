"""What do texts without a target give? 200 labelled tweets of 16,448.

    python benchmarks/unlabelled.py              # validation rows; some ten minutes
    python benchmarks/unlabelled.py --resume     # goes on with an interrupted run
    python benchmarks/unlabelled.py --models minilm lsa
    python benchmarks/unlabelled.py --quick      # tiny, no page

The further texts join the fit of the first steps, of the last, or of both, which is
`pipe.fit` with NaN where there is no target. Every fit is kept in
benchmarks/cache/unlabelled under what it depends on. Needs SKLEARN_HYPO_DATA and the
extra "benchmark".
"""

import argparse
import os
from collections import defaultdict

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from _common import command_line, markdown_table, pin_threads, write_table

N_LABELLED = 200
LASSO = "as many lasso n-grams of the labelled texts"
BASE = "labelled texts alone"
BOTH = "embedding and autoencoder, words"
# which steps see the further texts, and how many of them; None for all
ARMS = {
    BASE: ((), 0),
    "words": (("words",), None),
    "embedding and autoencoder": (("first",), None),
    BOTH: (("first", "words"), None),
    f"{BOTH}; 1,000 texts": (("first", "words"), 1000),
    f"{BOTH}; 4,000 texts": (("first", "words"), 4000),
}

NOTES = """\
R² of validation rows of the tweets, which take no part in any fit, mean ± standard
deviation over {seeds} seeds. A seed chooses the {n} texts with a target, and everything
random in the pipeline: the default one with the model named, its autoencoders sized for
all texts that they see. Selection, annotations and the final estimator never see
further texts: there is no target to learn from. The gain has its 95 % t interval over
the seeds.

- "Words": the extractor finds its dictionaries in all texts; embedding and autoencoder
  know the labelled ones.
- "Embedding and autoencoder": the reverse. Only LSA learns from texts how to embed.
- F1: the median over the hypotheses, between a dictionary and its neuron, in texts that
  it was not found in.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--models", nargs="+", default=["minilm"])
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time")
    parser.add_argument("--resume", action="store_true", help="keep what is there")
    parser.add_argument("--quick", action="store_true", help="tiny; no page")
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.models = 1, ["lsa"]
    return options


def fit_with_others(pipe, dataset, labelled, others, steps):
    """Fit a pipeline on labelled rows, and some of its steps on others as well."""
    rows = np.concatenate([labelled, others])
    texts = list(dataset.texts[rows])
    y = np.where(np.arange(len(rows)) < len(labelled), dataset.y[rows], np.nan)
    n_first, n_last = (
        len(rows) if step in steps else len(labelled) for step in ("first", "words")
    )
    first, last = pipe[:-1], pipe[-1]
    first.fit(texts[:n_first], y[:n_first])
    last.fit(first.transform(texts[:n_last]), y[:n_last])
    return pipe


def run_cell(dataset, key):
    """Fit and score one arm, or the n-grams."""
    labelled, scored = dataset.sample(N_LABELLED, key["seed"]), dataset.validation
    if key["arm"] == LASSO:
        prediction, _ = predict_by_ngrams(dataset, labelled, scored)
        return {"score": dataset.score(scored, prediction)}
    steps, n_others = ARMS[key["arm"]]
    others = np.random.RandomState(key["seed"]).permutation(
        np.setdiff1d(dataset.train, labelled)
    )[:n_others]
    n_texts = len(labelled) + len(others) * ("first" in steps)
    settings = {"model": key["model"]}
    pipe = make_default_pipeline(dataset, n_texts, key["seed"], settings)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)  # few rows: F1 shows it
        fit_with_others(pipe, dataset, labelled, others, steps)
        seconds = time.perf_counter() - start
        prediction = pipe.predict(list(dataset.texts[scored]))
    return {
        "score": dataset.score(scored, prediction),
        "n_others": len(others),
        "n_neurons": pipe["sae"].n_neurons_,
        "f1": float(pipe[-1].hypotheses_["f1"].median()),
        "seconds": seconds,
    }


def make_table(cells, model):
    """Return one row per arm, with its gain over the labelled texts alone."""
    base = [run["score"] for run in cells[model, BASE]]
    rows = []
    for arm in [LASSO, *ARMS]:
        runs = cells[model, arm]
        row = {"further texts join": arm, "R²": spread(runs, "score")}
        gains = [run["score"] - b for run, b in zip(runs, base, strict=True)]
        ends = t_interval(gains)
        shown = f"{np.mean(gains):+.3f}"
        shown += f" [{ends[0]:+.3f}, {ends[1]:+.3f}]" if ends else ""
        row["gain"] = None if arm == BASE else shown
        for name, digits in (("n_others", 0), ("n_neurons", 0), ("f1", 2)):
            known = arm != LASSO
            title = {"n_others": "further texts", "n_neurons": "neurons", "f1": "F1"}
            shown = f"{mean(runs, name):,.{digits}f}" if known else None
            row[title[name]] = shown
        row["fit, s"] = f"{mean(runs, 'seconds'):.0f}" if arm != LASSO else None
        rows.append(row)
    return markdown_table(rows)


def main(options):
    dataset = load("tweets")
    if options.quick:
        dataset = dataset.cut(600, 300)
    code = digest_package("_datasets", "_baselines", "_default_cells", "unlabelled")
    keys = [
        {
            "code": code, "model": model, "arm": arm, "seed": seed,
            "quick": options.quick,
        }
        for seed in range(options.seeds)
        for model in options.models
        for arm in [LASSO, *ARMS]
    ]  # fmt: skip
    cells = defaultdict(list)
    found = Cells("unlabelled").run(
        keys, lambda key: run_cell(dataset, key), resume=options.resume,
        jobs=options.jobs,
    )  # fmt: skip
    for key, result in found:
        cells[key["model"], key["arm"]].append(result)
    tables = "\n\n".join(
        f"## {model}\n\n{make_table(cells, model)}" for model in options.models
    )
    notes = NOTES.format(seeds=options.seeds, n=N_LABELLED)
    print(f"\n{tables}\n\n{notes}")
    if not options.quick:
        title = f"{N_LABELLED} texts with a target among {len(dataset.train):,}"
        write_table("unlabelled", title, command_line(), tables, notes)


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    pin_threads(1)
    import time
    import warnings

    import numpy as np
    from _baselines import predict_by_ngrams
    from _cells import Cells, digest_package
    from _datasets import load
    from _default_cells import make_default_pipeline
    from _default_report import mean, spread
    from _supervised_scores import t_interval

    from sklearn_hypo.exceptions import HypothesisWarning

    main(OPTIONS)
