"""Runs of the worlds: the tests of the project and of hypothesaes, kept as arrays.

Run i of a world is drawn from its own seed, so that neither the number of processes
nor the size of the blocks changes a figure. Every block is kept as soon as it is done,
under the state of the code that it comes from: a run that ended early is gone on with.
"""

import contextlib
import gc
import io
import json
import time
import warnings
import zlib

import numpy as np
import pandas as pd
from _cells import digest_files
from _common import CACHE, ROOT, _commit, _is_dirty
from _inference_samples import draw
from _inference_worlds import WORLDS
from joblib import Parallel, delayed

FOLDER = CACHE / "inference"
BLOCK = 20
COMPARED = 400  # runs of a world that the other arms see, too
PERMUTATIONS = 999  # (1 + k) / 1000 can be 0.05 and 0.1 exactly
RESAMPLES = 199  # for the p-value of all hypotheses together
# what is kept of each hypothesis, of our table and of theirs
OURS = (
    "separation",
    "separation_lower",
    "separation_upper",
    "separation_p",
    "separation_p_corrected",
    "separation_simultaneous_lower",
    "separation_simultaneous_upper",
    "coef",
    "coef_lower",
    "coef_upper",
    "coef_p",
    "p_corrected",
    "coef_simultaneous_lower",
    "coef_simultaneous_upper",
    "ame",
    "ame_lower",
    "ame_upper",
)
THEIRS = {
    "separation_score": "separation",
    "separation_pval": "separation_p",
    "regression_coef": "coef",
    "regression_pval": "coef_p",
}
KINDS = ("null", "planted")
_BEFORE = {"correction": "holm", "cov_type": "HC3"}
# files that decide what a run finds
_CODE = (
    "sklearn_hypo/_inference/*.py",
    "sklearn_hypo/_evaluation/*.py",
    "sklearn_hypo/_utils/*.py",
    "benchmarks/_inference_samples.py",
    "benchmarks/_inference_worlds.py",
    "benchmarks/_inference_runs.py",
)


def arms_of(world):
    """Which evaluations a world sees, by name; None is hypothesaes."""
    resamples = RESAMPLES if world.together else 0
    default = {"n_permutations": PERMUTATIONS, "n_resamples": resamples}
    arms = {"default": default, "t, Holm": _BEFORE}
    if world.has_documents:
        arms["no groups"] = {"groups": None} | _BEFORE
    if world.more_errors:
        arms["HC2"] = _BEFORE | {"cov_type": "HC2"}
        arms["nonrobust"] = _BEFORE | {"cov_type": "nonrobust"}
    return arms | ({"hypothesaes": None} if world.make is None else {})


# One evaluation ---------------------------------------------------------------------


def ours(sample, task, **settings):
    """Evaluate with this package: the one place that knows its function.

    Returns
    -------
    found : dict of str to ndarray
        Of `OURS`, each (m,), and the scalars "n_tested", "together" (the p-value of
        all hypotheses together) and "failed".
    """
    from sklearn_hypo import evaluate_annotations
    from sklearn_hypo.exceptions import HypothesisWarning

    settings = {"n_resamples": 0} | dict(sample.settings) | settings
    if task == "regression":
        settings["target"] = "quantity"  # no rate ratios beside the tests
    with warnings.catch_warnings():
        # what cannot be estimated is counted, as NaN
        warnings.simplefilter("ignore", HypothesisWarning)
        report = evaluate_annotations(sample.A, sample.y, task=task, **settings)
    table = report.table
    empty = np.full(len(table), np.nan)
    found = {
        name: table[name].to_numpy(dtype=float) if name in table else empty
        for name in OURS
    }
    # an exact copy is tested with the first of its kind, and counts once
    is_copy = pd.Series([a.tobytes() for a in sample.A.T]).duplicated()
    found["separation_p"] = np.where(is_copy, np.nan, found["separation_p"])
    return found | {
        "n_tested": report.n_tested,
        "together": report.permutation_p,
        "failed": 0.0,
    }


def theirs(sample, task):
    """Evaluate with hypothesaes, its prints caught.

    Returns
    -------
    found : dict of str to ndarray
        Of `THEIRS`, each (m,), and the scalars "n_tested", "failed" (it raised) and
        "fell_back" (it printed that it takes another model).
    """
    from hypothesaes.evaluation import score_hypotheses

    annotations = {f"x{j:02d}": a for j, a in enumerate(sample.A.T)}
    said = io.StringIO()
    with (
        contextlib.redirect_stdout(said),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        metrics, table = score_hypotheses(
            annotations, sample.y, classification=task == "classification"
        )
    table = table.sort_values("hypothesis")
    found = {ours: table[name].to_numpy(float) for name, ours in THEIRS.items()}
    # its exceptions and fallbacks end in words
    fell_back = float("trying OLS" in said.getvalue())
    score = metrics.get("auroc", metrics.get("r2"))
    return found | {
        "n_tested": sample.A.shape[1],
        "failed": 0.0,
        "fell_back": fell_back,
        "score": score,
    }


def evaluate(sample, task, settings):
    """Evaluate with either; a crash is counted, and its hypotheses are not found."""
    try:
        if settings is None:
            return theirs(sample, task)
        return ours(sample, task, **settings)
    except Exception as error:
        if settings is not None:
            print(f"{type(error).__name__}: {error}", flush=True)
        names = THEIRS.values() if settings is None else OURS
        m = sample.A.shape[1]
        nothing = {name: np.full(m, np.nan) for name in names}
        if settings is None:
            nothing |= {"fell_back": 0.0, "score": np.nan}
        else:
            nothing["together"] = np.nan
        return nothing | {"n_tested": m, "failed": 1.0}


# Many runs --------------------------------------------------------------------------


def record_seeds(name, kind, runs, seed=0):
    """One seed for each run."""
    entropy = [seed, zlib.crc32(f"{name} {kind}".encode())]
    return np.random.SeedSequence(entropy).spawn(runs)


def run_block(name, kind, seeds, arms):
    """Evaluate one block of runs with some arms.

    Returns
    -------
    found : dict of (str, str) to list
        By arm and figure, one entry per run.
    """
    # hypothesaes loads much, through which no collection of garbage need go
    gc.freeze()
    world, found = WORLDS[name], {}
    for seed in seeds:
        sample = draw(world, np.random.default_rng(seed), planted=kind == "planted")
        for arm, settings in arms.items():
            one = evaluate(sample, world.task, settings)
            for figure, values in one.items():
                found.setdefault((arm, figure), []).append(values)
    return found


def run_and_keep(name, kind, first, seeds, state):
    """Evaluate one block and write it, unless it is there."""
    path = FOLDER / f"{name}-{kind}" / f"{state}-{first:05d}.npz"
    if path.exists():
        return
    start, arms = time.process_time(), arms_of(WORLDS[name])
    if first >= COMPARED:
        arms = {"default": arms["default"]}
    found = run_block(name, kind, seeds, arms)
    arrays = {"/".join(key): np.array(values) for key, values in found.items()}
    write(path, arrays, runs=len(seeds), seconds=time.process_time() - start)


def simulate(names, runs, jobs, kinds=KINDS):
    """Run worlds, block by block, where blocks are missing.

    Parameters
    ----------
    names : list of str
        Of the worlds.
    runs : dict of {"null", "planted"} to int
        Runs of each world, which are filled up to whole blocks.
    jobs : int
        Processes.
    kinds : tuple of {"null", "planted"}
        Whether some hypotheses matter, or none.
    """
    state, begin = code_state(), time.perf_counter()
    tasks = [(name, kind) for name in names for kind in WORLDS[name].kinds]
    tasks = [task for task in tasks if task[1] in kinds]
    with Parallel(jobs, return_as="generator_unordered") as parallel:
        for i, (name, kind) in enumerate(tasks, 1):
            start, n_blocks = time.perf_counter(), -(-runs[kind] // BLOCK)
            seeds = record_seeds(name, kind, n_blocks * BLOCK)
            pending = parallel(
                delayed(run_and_keep)(name, kind, k, seeds[k : k + BLOCK], state)
                for k in range(0, len(seeds), BLOCK)
            )
            for done, _ in enumerate(pending, 1):
                now = time.perf_counter()
                if done == n_blocks or done % 10 == 0:
                    print(
                        f"  {i}/{len(tasks)} {name}, {kind}: block {done} of "
                        f"{n_blocks}, {now - start:.0f} s; {(now - begin) / 60:.1f} "
                        "min in all",
                        flush=True,
                    )


# What is kept -----------------------------------------------------------------------


def code_state():
    """Return a digest of the files that decide what a run finds."""
    return digest_files(path for name in _CODE for path in sorted(ROOT.glob(name)))


def write(path, arrays, **about):
    """Write arrays with the commit that they come from, whole or not at all."""
    about |= {"commit": _commit() + (" and changes" if _is_dirty() else "")}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, about=json.dumps(about), **arrays)
    partial.replace(path)


def read(name, kind):
    """Read the runs of a world, of the code that ran last.

    Returns
    -------
    arms : dict of str to dict of str to ndarray
        Figures (n_runs, m) or (n_runs,) by arm, of which all but the default have the
        first `COMPARED` runs at most; empty if it has not run.
    about : dict
        "runs", "seconds" (of CPU), "commit".
    """
    paths = sorted((FOLDER / f"{name}-{kind}").glob("*.npz"))
    if not paths:
        return {}, {}
    last = max(paths, key=lambda path: path.stat().st_mtime).name.split("-")[0]
    arms, about = {}, {"runs": 0, "seconds": 0.0}
    for path in paths:
        if path.name.startswith(last):
            _read_block(path, arms, about)
    for figures in arms.values():
        for figure, pieces in figures.items():
            figures[figure] = np.concatenate(pieces)
    return arms, about


def _read_block(path, arms, about):
    """Add one block to what was read before it."""
    with np.load(path) as kept:
        own = json.loads(str(kept["about"]))
        about["runs"] += own["runs"]
        about["seconds"] += own["seconds"]
        about["commit"] = own["commit"]
        for key in kept.files:
            if key != "about":
                arm, figure = key.split("/")
                arms.setdefault(arm, {}).setdefault(figure, []).append(kept[key])
