"""Runs of the worlds: the tests of the project and of hypothesaes, kept as arrays.

Run i of a world is drawn from its own seed, so that neither the number of processes
nor the size of the blocks changes a figure.
"""

import contextlib
import gc
import io
import json
import time
import warnings
import zlib

import numpy as np
from _common import CACHE, _commit, _is_dirty
from _inference_worlds import N_HYPOTHESES, WORLDS, draw
from joblib import Parallel, delayed

FOLDER = CACHE / "inference"
BLOCK = 10
# what is kept of each hypothesis, of our table and of theirs
OURS = (
    "separation",
    "separation_lower",
    "separation_upper",
    "separation_p",
    "separation_p_corrected",
    "coef",
    "coef_lower",
    "coef_upper",
    "coef_p",
    "p_corrected",
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


def arms_of(world):
    """Which evaluations a world sees, by name."""
    arms = {"default": {}}
    if world.has_documents:
        arms["no groups"] = {"groups": None}
    elif not world.is_binary:
        arms["HC2"] = {"cov_type": "HC2"}
        arms["nonrobust"] = {"cov_type": "nonrobust"}
    return arms | {"hypothesaes": None}


# One evaluation ---------------------------------------------------------------------


def ours(sample, task, **settings):
    """Evaluate with this package: the one place that knows its function.

    Returns
    -------
    found : dict of str to ndarray
        Of `OURS` and "tested", each (20,), and the scalars "n_tested" and "failed".
    """
    from sklearn_hypo import evaluate_annotations
    from sklearn_hypo.exceptions import HypothesisWarning

    settings = {"groups": sample.groups} | settings
    with warnings.catch_warnings():
        # what cannot be estimated is counted, as NaN
        warnings.simplefilter("ignore", HypothesisWarning)
        report = evaluate_annotations(
            sample.A, sample.y, task=task, n_resamples=0, **settings
        )
    table = report.table
    empty = np.full(len(table), np.nan)
    found = {
        name: table[name].to_numpy(dtype=float) if name in table else empty
        for name in OURS
    }
    # an exact copy is tested with the first of its kind, and counts once
    first = np.unique(sample.A, axis=1, return_index=True)[1]
    is_copy = ~np.isin(np.arange(len(table)), first)
    found["separation_p"] = np.where(is_copy, np.nan, found["separation_p"])
    return found | {"n_tested": report.n_tested, "failed": 0.0}


def theirs(sample, task):
    """Evaluate with hypothesaes, its prints caught.

    Returns
    -------
    found : dict of str to ndarray
        Of `THEIRS`, each (20,), and the scalars "n_tested", "failed" (it raised) and
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
        "n_tested": N_HYPOTHESES,
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
        nothing = {name: np.full(N_HYPOTHESES, np.nan) for name in names}
        if settings is None:
            nothing |= {"fell_back": 0.0, "score": np.nan}
        return nothing | {"n_tested": N_HYPOTHESES, "failed": 1.0}


# Many runs --------------------------------------------------------------------------


def record_seeds(name, kind, runs, seed=0):
    """One seed for each run."""
    entropy = [seed, zlib.crc32(f"{name} {kind}".encode())]
    return np.random.SeedSequence(entropy).spawn(runs)


def run_block(name, kind, seeds):
    """Evaluate one block of runs with every arm.

    Returns
    -------
    found : dict of (str, str) to list
        By arm and figure, one entry per run.
    """
    # statsmodels collects garbage in every correction by Holm's method
    gc.freeze()
    world, found = WORLDS[name], {}
    for seed in seeds:
        sample = draw(world, np.random.default_rng(seed), planted=kind == "planted")
        for arm, settings in arms_of(world).items():
            one = evaluate(sample, world.task, settings)
            for figure, values in one.items():
                found.setdefault((arm, figure), []).append(values)
    return found


def simulate(names, kind, runs, jobs):
    """Run worlds and keep what they found, one file per world.

    Parameters
    ----------
    names : list of str
        Of the worlds.
    kind : {"null", "planted"}
        Whether five hypotheses matter, or none.
    runs, jobs : int
        Runs of each world, and processes.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Parallel(jobs) as parallel:
        for name in names:
            start = time.perf_counter()
            seeds = record_seeds(name, kind, runs)
            blocks = parallel(
                delayed(run_block)(name, kind, seeds[i : i + BLOCK])
                for i in range(0, runs, BLOCK)
            )
            arrays = {
                "/".join(key): np.array([run for block in blocks for run in block[key]])
                for key in blocks[0]
            }
            seconds = time.perf_counter() - start
            write(path_of(name, kind), arrays, runs=runs, seconds=seconds)
            print(f"  {name}, {kind}: {runs} runs, {seconds:.0f} s", flush=True)


# What is kept -----------------------------------------------------------------------


def path_of(name, kind):
    return FOLDER / f"{name}-{kind}.npz"


def write(path, arrays, **about):
    """Write arrays with the commit that they come from."""
    about |= {"commit": _commit() + (" and changes" if _is_dirty() else "")}
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, about=json.dumps(about), **arrays)
    partial.replace(path)


def read(name, kind):
    """Read the runs of a world.

    Returns
    -------
    arms : dict of str to dict of str to ndarray
        Figures (n_runs, 20) or (n_runs,) by arm; empty if it has not run.
    about : dict
        "runs", "seconds", "commit".
    """
    path = path_of(name, kind)
    if not path.exists():
        return {}, {}
    arms = {}
    with np.load(path) as kept:
        for key in kept.files:
            if key != "about":
                arm, figure = key.split("/")
                arms.setdefault(arm, {})[figure] = kept[key]
        return arms, json.loads(str(kept["about"]))
