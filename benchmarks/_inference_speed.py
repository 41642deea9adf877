"""CPU seconds and memory of the tests, each in a process of its own on one thread.

python benchmarks/_inference_speed.py CASE           # prints what it took, as JSON
"""

import json
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

from _common import pin_threads

# rows, classes (0: a quantity), permutations, as in the table of aims
CASES = {
    "10,000 permutations, 5,496 rows": (5496, 0, 10000),
    "10,000 permutations, 27,480 rows": (27480, 0, 10000),
    "999 permutations, 1,000 rows": (1000, 0, 999),
    "999 permutations, 20,000 rows": (20000, 0, 999),
    "14 classes, 410 texts, as by default": (410, 14, "auto"),
}
N_HYPOTHESES = 20


def speed(runs, jobs):
    """Rows of the table of CPU seconds."""
    rows = []
    for name, (n, n_classes, permutations) in CASES.items():
        child = subprocess.run(
            [sys.executable, Path(__file__), name],
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(child.stdout.splitlines()[-1])
        rows.append(
            {
                "case": name,
                "rows": n,
                "classes": n_classes or "-",
                "permutations": permutations,
                "CPU seconds": found["seconds"],
                "of which with 99 permutations": found["base"],
                "MB, peak": round(found["peak"]),
                "MB before": round(found["before"]),
            }
        )
    return rows


def _megabytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _measure(n, n_classes, permutations):
    """Test votes, or classes, of which the annotations say nothing."""
    import numpy as np

    from sklearn_hypo import evaluate_annotations

    rng = np.random.default_rng(0)
    prevalence = np.geomspace(0.05, 0.5, N_HYPOTHESES)
    A = (rng.random((n, N_HYPOTHESES)) < prevalence).astype(float)
    y = rng.poisson(np.exp(rng.normal(-1, 1.5, n))).astype(float)
    task = "regression"
    if n_classes:
        y, task = rng.integers(n_classes, size=n), "classification"
    settings = {"task": task, "n_resamples": 0}
    warnings.simplefilter("ignore")
    # modules that are loaded at the first call
    few = slice(0, 60 if n_classes else 200)
    evaluate_annotations(A[few], y[few], n_permutations=99, **settings)
    before, seconds = _megabytes(), {}
    for label, count in (("base", 99), ("seconds", permutations)):
        start = time.process_time()
        evaluate_annotations(A, y, n_permutations=count, **settings)
        seconds[label] = time.process_time() - start
    return seconds | {"before": before, "peak": _megabytes()}


if __name__ == "__main__":
    pin_threads(1)
    print(json.dumps(_measure(*CASES[sys.argv[1]])))
