"""Do 20 hypotheses of a default run say more than 20 words? Data sets, sizes, seeds.

    python benchmarks/defaults.py                # validation rows; hours of one core
    python benchmarks/defaults.py --resume       # goes on with an interrupted run
    python benchmarks/defaults.py --sets vader amazon --sizes 200 1000 --seeds 2
    python benchmarks/defaults.py --resume --variant supervised '{"supervised": true}' \
        --variant "k = 4" '{"sae__k": 4}'        # beside the defaults, on one page
    python benchmarks/defaults.py --quick --sets vader      # tiny, no page
    python benchmarks/defaults.py --holdout      # scores the holdout: see the ledger

A variant is a name and the keyword arguments of `make_hypothesis_pipeline`, as JSON;
those with "__" are parameters of its steps. Every fit is kept in
benchmarks/cache/defaults under what it depends on: data set, size, seed, keyword
arguments, and the code that a fit passes through. `--key NAME` keeps it under that name
in place of the code, so that a run goes on while the code changes elsewhere. Needs
SKLEARN_HYPO_DATA and the extra "benchmark".
"""

import argparse
import json
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from _common import append_to_ledger, command_line, pin_threads, write_table

NOTES = """\
Every row is the mean ± standard deviation over {seeds} seeds, which choose the training
rows (but for "all"), and everything random in the pipeline. All scores are of
{part} rows, which take no part in any fit: R² for quantities, the area under the ROC
curve for classes, the share of pairs whose winner is predicted for pairs.

- Ours: `pipe.predict` of `make_hypothesis_pipeline` with the settings named.
- Lasso n-grams: the {n_select} words and pairs of words that enter the lasso path
  first, marked 0 or 1, and the same linear or logistic model of them, on the same rows.
  Cut by this package's tokens, among which are emoticons and "!"; beside them, by
  scikit-learn's. The better one is in brackets where the 95 % t interval of their
  difference over the seeds includes 0; a cell is won by the larger mean.
- Neurons: the linear model of the activations that the hypotheses put into words.
  "Words keep" is the share of its score above chance that ours has, shown where there
  is more than 0.05 of it.
- Fidelity: the median correlation of a hypothesis and its neuron, as the interpreter
  reports it.
- Seconds are those of `fit`; embeddings are computed once and then read from the disk.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sets", nargs="+", metavar="NAME", help="data sets whose name starts so"
    )
    parser.add_argument("--sizes", nargs="+", help="of 200, 500, 1000, 5000, all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--variant", nargs=2, action="append", default=[], metavar=("NAME", "JSON"),
        help="keyword arguments of make_hypothesis_pipeline to compare",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time")
    parser.add_argument("--key", help="keep results under this name, not the code's")
    parser.add_argument("--resume", action="store_true", help="keep what is there")
    parser.add_argument("--holdout", action="store_true", help="score the holdout")
    parser.add_argument("--quick", action="store_true", help="tiny; no page")
    parser.add_argument(
        "--page", metavar="NAME", help="name of the page of some data sets and sizes"
    )
    options = parser.parse_args()
    if options.quick and options.holdout:
        parser.error("--quick is a trial; it leaves the holdout alone")
    options.variants = {"defaults": {}}
    options.variants |= {name: json.loads(text) for name, text in options.variant}
    if options.quick:
        options.seeds, options.sizes = min(options.seeds, 2), ["200"]
    return options


def make_keys(datasets, options):
    """Return the key of every cell, in the order of the tables."""
    code = options.key or digest_package("_datasets", "_baselines", "_default_cells")
    return [
        {
            "code": code,
            "part": "holdout" if options.holdout else "validation",
            "data": name,
            "size": size,
            "seed": seed,
            "variant": variant,
            "settings": settings,
            "quick": options.quick,
        }
        for variant, settings in options.variants.items()
        for name, dataset in datasets.items()
        for size in dataset.sizes(options.sizes or tuple(SIZES))
        for seed in range(options.seeds)
    ]


def make_page(cells, datasets, options):
    """Return the tables, and the notes behind them."""
    variants = list(options.variants)
    tables = [summary_table(cells, variants, datasets)]
    if len(variants) > 1:
        tables += ["## Settings beside each other", variant_table(cells, variants)]
    for variant in variants:
        settings = json.dumps(options.variants[variant])
        tables += [f"## {variant}: `{settings}`", cell_table(cells, variant, datasets)]
    tables += ["## Data", markdown_table([describe(d) for d in datasets.values()])]
    part = "holdout" if options.holdout else "validation"
    return "\n\n".join(tables), NOTES.format(
        seeds=options.seeds, part=part, n_select=N_SELECT
    )


def record(cells, options):
    """Add one line to the ledger: the holdout was scored."""
    configuration = {"seeds": options.seeds, "variants": options.variants}
    results = {
        f"{variant}, {data}, {size}": round(mean(runs, "ours"), 4)
        for (variant, data, size), runs in cells.items()
    }
    append_to_ledger("defaults", configuration, results)


def main(options):
    datasets = {name: load(name) for name in find_names(options.sets)}
    if options.quick:
        datasets = {name: data.cut(600, 300) for name, data in datasets.items()}

    def compute(key):
        return run_cell(
            datasets[key["data"]],
            key["size"],
            key["seed"],
            key["settings"],
            key["part"],
        )

    keys = make_keys(datasets, options)
    cells = gather(
        Cells("defaults").run(keys, compute, resume=options.resume, jobs=options.jobs)
    )
    if not cells:
        raise SystemExit("no data set has any of these sizes")
    if options.holdout:
        record(cells, options)
    tables, notes = make_page(cells, datasets, options)
    print(f"\n{tables}\n\n{notes}")
    if options.quick:
        return
    if (options.sets or options.sizes) and not options.page:
        print("\nno page: it takes all data sets at all sizes, or --page NAME")
        return
    name = options.page or ("defaults_holdout" if options.holdout else "defaults")
    title = f"Twenty hypotheses against twenty words, {options.seeds} seeds"
    write_table(name, title, command_line(), tables, notes)


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    pin_threads(1)
    from _baselines import N_SELECT
    from _cells import Cells, digest_package
    from _common import markdown_table
    from _datasets import SIZES, describe, find_names, load
    from _default_cells import run_cell
    from _default_report import cell_table, gather, mean, summary_table, variant_table

    main(OPTIONS)
