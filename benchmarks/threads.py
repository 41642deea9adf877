"""Fits beside other processes: how long they take, and whether a bit changes.

    python benchmarks/threads.py --quick    # prints, in a minute
    python benchmarks/threads.py            # some minutes; writes the page of docs/

Fits with default settings to synthetic embeddings of 16,448 x 384 (sums of few of 4,000
directions, some far more frequent than others), and of the default pipeline by LSA to
docstrings. Each is timed with one thread, with as many as there are cores, and with as
many but without the limit to one thread that the package sets; first on the machine as
it is, then beside processes that spin, one per core, which the script starts and ends.
What counts are ratios of fits that were made in turn in one process. Needs no data, and
a machine that is idle otherwise.
"""

import argparse
import contextlib
import hashlib
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from _common import command_line, markdown_table, write_table
from threadpoolctl import threadpool_limits

from sklearn_hypo import (
    SparseAutoencoderTransformer,
    SupervisedSAETransformer,
    make_hypothesis_pipeline,
)
from sklearn_hypo._utils import _threads
from sklearn_hypo.datasets import load_docstrings

N_ROWS, N_FEATURES, N_DIRECTIONS = 16_448, 384, 4_000
SPIN = "while True: pass"

NOTES = """
Medians of {repeat}, fitted in turn. "All" is as many threads as there are cores; a
ratio above 1 is slower than one thread beside the same load. "Without limit" is the
same code without the package's limit to one thread, timed once beside the load. "Same
bits": whether one and all threads gave the same weights and activations. The load is
{n_cores} processes that spin; the load average before was {load:.1f}.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=5, help="timed fits of each")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one fit of each, no page, no 1,024 neurons",
    )
    return parser.parse_args()


def make_rows():
    """Return embeddings of unit length, and a target."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((N_DIRECTIONS, N_FEATURES)).astype(np.float32)
    frequency = np.minimum(0.5, 0.6 / np.arange(3, N_DIRECTIONS + 3) ** 0.9)
    X = np.vstack(
        [
            (rng.random((2056, N_DIRECTIONS)) < frequency).astype(np.float32)
            @ directions
            for _ in range(N_ROWS // 2056)
        ]
    )
    X += 0.1 * rng.standard_normal(X.shape).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X, X[:, 0] + X[:, 1] + 0.05 * rng.standard_normal(len(X))


def make_fits(quick):
    """Return functions by name; each fits, and returns what has to be the same."""
    X, y = make_rows()
    docstrings = load_docstrings()

    def fit_rows(estimator):
        fitted = estimator.fit(X, y)
        return fitted.encoder_coef_, fitted.transform(X)

    def fit_pipeline():
        pipe = make_hypothesis_pipeline(
            "lsa", n_texts=len(docstrings.data), random_state=0, cache=None
        ).fit(docstrings.data, np.log1p(docstrings.target))
        return pipe["sae"].encoder_coef_, pipe.transform(docstrings.data[:500])

    def fit_default():
        return fit_rows(SparseAutoencoderTransformer(random_state=0))

    def fit_supervised():
        return fit_rows(SupervisedSAETransformer(random_state=0))

    def fit_large():
        return fit_rows(SparseAutoencoderTransformer(1024, random_state=0))

    fits = {
        "SparseAutoencoderTransformer()": fit_default,
        "SupervisedSAETransformer()": fit_supervised,
        "SparseAutoencoderTransformer(1024)": fit_large,
        f"default pipeline by LSA, {len(docstrings.data):,} docstrings": fit_pipeline,
    }
    if quick:
        del fits["SparseAutoencoderTransformer(1024)"]
    return fits


# Threads and load -------------------------------------------------------------------


@contextlib.contextmanager
def use_threads(n_threads, limited=True):
    """Set the numbers of threads, and, if told so, let the package set none."""
    before, limit = torch.get_num_threads(), _threads.limit_to_one_thread
    torch.set_num_threads(n_threads)
    if not limited:
        _threads.limit_to_one_thread = lambda **_: contextlib.nullcontext()
    try:
        with threadpool_limits(n_threads):
            yield
    finally:
        torch.set_num_threads(before)
        _threads.limit_to_one_thread = limit


@contextlib.contextmanager
def load(n_processes):
    """Keep as many cores busy."""
    spinning = [
        subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(n_processes)
    ]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def time_fit(fit, n_threads, limited=True):
    """Return seconds and a hash of the result."""
    with use_threads(n_threads, limited):
        start = time.perf_counter()
        arrays = fit()
        seconds = time.perf_counter() - start
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return seconds, digest.hexdigest()


def measure(fit, n_cores, repeat, unlimited):
    """Time a fit in turn with one and all threads; return the figures of a row."""
    runs = {1: [], n_cores: []}
    for _ in range(repeat):
        for n_threads in runs:
            runs[n_threads].append(time_fit(fit, n_threads))
    seconds = {n: statistics.median(s for s, _ in each) for n, each in runs.items()}
    one, every = seconds[1], seconds[n_cores]
    free = None
    if unlimited:
        free = statistics.median(
            time_fit(fit, n_cores, limited=False)[0] for _ in range(unlimited)
        )
    hashes = {digest for each in runs.values() for _, digest in each}
    return {
        "one, s": one,
        "all, s": every,
        "all / one": every / one,
        "without limit, s": free,
        "without limit / one": None if free is None else free / one,
        "same bits": "yes" if len(hashes) == 1 else "no",
    }


def main(arguments):
    n_cores = len(os.sched_getaffinity(0))
    load_before = os.getloadavg()[0]
    repeat = 1 if arguments.quick else arguments.repeat
    fits, rows = make_fits(arguments.quick), []
    for fit in fits.values():  # imports and caches
        time_fit(fit, n_cores)
    for n_spinning in (0, n_cores):
        with load(n_spinning):
            for name, fit in fits.items():
                # beside a load it takes minutes
                unlimited = 0 if arguments.quick else 1 if n_spinning else repeat
                row = {"fit": name, "beside": f"{n_spinning} processes"}
                rows.append(row | measure(fit, n_cores, repeat, unlimited))
                print(rows[-1], flush=True)
    table = markdown_table(rows)
    print(table)
    if not arguments.quick:
        write_table(
            "threads",
            "Fits beside other processes",
            command_line(),
            table,
            NOTES.format(repeat=repeat, n_cores=n_cores, load=load_before),
        )


if __name__ == "__main__":
    main(parse_arguments())
