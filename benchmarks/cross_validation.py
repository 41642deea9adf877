"""cross_val_score and GridSearchCV of the whole pipeline on 27,480 tweets.

The pipeline is that of make_hypothesis_pipeline, LSA and lexicon, nothing cached. Each
run is a process of its own with a pinned number of threads (BLAS, OpenMP and torch;
joblib's workers inherit the pins through the environment, and what they then use is
measured and shown). Compared are

- the scores for n_jobs=1 and n_jobs=2 at one thread each, which must be equal to the
  bit;
- the scores for two threads against one, whose sums are rounded in another order; also
  on few tweets, where that decides about words more often.

    python benchmarks/cross_validation.py                # about a quarter of an hour
    python benchmarks/cross_validation.py --rows 3000    # a minute or two
    python benchmarks/cross_validation.py --write        # and docs/benchmarks/…

Needs the tweets in SKLEARN_HYPO_DATA.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _common import (
    command_line,
    load_tweets,
    markdown_table,
    pin_threads,
    write_table,
)

GRID = {"sae__n_neurons": [64, 256], "sae__k": [4, 8]}
# what is run, on how many threads and with how many jobs; the first is the reference
SCORES = [("scores", 1, 1), ("scores", 1, 2), ("scores", 2, 1)]
GRIDS = [("grid", 1, 1), ("grid", 1, 2)]
FEW_ROWS = 2000
FEW = [("scores", 1, 1), ("scores", 2, 1)]


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, help="take the first so many tweets only")
    parser.add_argument("--cv", type=int, default=5, help="folds")
    parser.add_argument("--write", action="store_true", help="write the page of docs/")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)  # one run, see below
    return parser.parse_args()


# One run, in a process of its own -----------------------------------------------------


def run_here(what, n_threads, n_jobs, file, rows, cv):
    """Pin the threads, cross-validate, and write what came out to a file."""
    pin_threads(n_threads)
    from joblib import Parallel, delayed
    from sklearn.model_selection import GridSearchCV, cross_val_score

    from sklearn_hypo import make_hypothesis_pipeline

    tweets = load_tweets()
    texts, y = tweets.data[:rows], tweets.target[:rows]
    n_train = len(texts) * (cv - 1) // cv
    pipe = make_hypothesis_pipeline(n_texts=n_train, random_state=0)
    seen = Parallel(n_jobs)(delayed(threads_here)() for _ in range(n_jobs))
    start = time.perf_counter()
    if what == "scores":
        scores = [cross_val_score(pipe, texts, y, cv=cv, n_jobs=n_jobs).tolist()]
        candidates, fit_times = [], []
    else:
        # every candidate is fitted once per fold; the best is not needed here
        search = GridSearchCV(pipe, GRID, cv=cv, n_jobs=n_jobs, refit=False)
        results = search.fit(texts, y).cv_results_
        folds = [results[f"split{i}_test_score"] for i in range(cv)]
        scores = [list(each) for each in zip(*folds, strict=True)]
        candidates, fit_times = results["params"], results["mean_fit_time"].tolist()
    result = {
        "seconds": time.perf_counter() - start,
        "n_rows": len(texts),
        "size": [pipe["sae"].n_neurons, pipe["sae"].k],
        "code": fingerprint(),
        "threads seen": sorted({tuple(each) for each in seen}),
        "scores": scores,
        "candidates": candidates,
        "fit_times": fit_times,
    }
    Path(file).write_text(json.dumps(result), encoding="utf-8")


def threads_here():
    """Return the threads of torch and of the other libraries in this process."""
    import torch
    from threadpoolctl import threadpool_info

    import sklearn_hypo  # noqa: F401  (loads the libraries that are to be asked)

    return torch.get_num_threads(), max(i["num_threads"] for i in threadpool_info())


def fingerprint():
    """Return a hash of the package's sources: runs are compared for equal code only."""
    import sklearn_hypo

    digest = hashlib.sha256()
    for file in sorted(Path(sklearn_hypo.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def run_apart(what, n_threads, n_jobs, rows, cv):
    """Do one run in a new process, since threads are fixed when libraries load."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        command = [sys.executable, __file__, "--cv", str(cv)]
        if rows:
            command += ["--rows", str(rows)]
        command += ["--run", what, str(n_threads), str(n_jobs), str(file)]
        # threads that wait for each other by spinning take minutes where the machine
        # has other work; what they compute is the same
        environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
        subprocess.run(command, check=True, env=environment)
        if not file.exists():  # the run said why it was skipped
            sys.exit(0)
        result = json.loads(file.read_text(encoding="utf-8"))
    print(f"{what}: {n_threads} threads, n_jobs={n_jobs}, {result['seconds']:.0f} s")
    return result


# Tables -------------------------------------------------------------------------------


def largest_difference(scores, reference):
    """Return the largest difference between two lists of fold scores of candidates."""
    return max(
        abs(a - b)
        for one, other in zip(scores, reference, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def compared(scores, reference):
    """Say whether scores are the same numbers, and if not, how far apart."""
    if scores == reference:
        return "equal to the bit"
    return f"differ by at most {largest_difference(scores, reference):.2g}"


def mean_and_sd(values):
    mean = sum(values) / len(values)
    sd = (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5
    return f"{mean:.4f} ± {sd:.4f}"


def table_of_runs(runs, results):
    """Tabulate runs of one kind; the first is what the others are compared with."""
    rows = []
    for (_, n_threads, n_jobs), result in zip(runs, results, strict=True):
        seen = ", ".join(f"{torch}, {other}" for torch, other in result["threads seen"])
        row = {"threads": n_threads, "n_jobs": n_jobs, "torch, others (measured)": seen}
        if len(result["scores"]) == 1:
            row["R² of the folds"] = " ".join(f"{s:.4f}" for s in result["scores"][0])
            row["mean ± sd"] = mean_and_sd(result["scores"][0])
        row["seconds"] = f"{result['seconds']:.0f}"
        row["scores"] = (
            "reference"
            if result is results[0]
            else compared(result["scores"], results[0]["scores"])
        )
        rows.append(row)
    return markdown_table(rows)


def table_of_candidates(result):
    """Tabulate what the grid search found."""
    means = [sum(scores) / len(scores) for scores in result["scores"]]
    ranks = {mean: rank for rank, mean in enumerate(sorted(means, reverse=True), 1)}
    return markdown_table(
        [
            {
                **candidate,
                "R², mean ± sd of the folds": mean_and_sd(scores),
                "rank": ranks[mean],
                "fit, s": f"{seconds:.1f}",
            }
            for candidate, scores, mean, seconds in zip(
                result["candidates"],
                result["scores"],
                means,
                result["fit_times"],
                strict=True,
            )
        ]
    )


def main(arguments):
    scores = [run_apart(*run, arguments.rows, arguments.cv) for run in SCORES]
    few = [run_apart(*run, FEW_ROWS, arguments.cv) for run in FEW]
    grids = [run_apart(*run, arguments.rows, arguments.cv) for run in GRIDS]
    first = scores[0]
    if len({result["code"] for result in scores + few + grids}) > 1:
        sys.exit("The code changed while this ran: the runs cannot be compared.")
    n_neurons, k = first["size"]
    at_default = {"sae__n_neurons": n_neurons, "sae__k": k}
    tables = (
        f"`cross_val_score(pipe, texts, y, cv={arguments.cv})`, {first['n_rows']:,} "
        f"tweets\n\n{table_of_runs(SCORES, scores)}\n\n"
        f"The same on {few[0]['n_rows']:,} tweets\n\n{table_of_runs(FEW, few)}\n\n"
        f"`GridSearchCV(pipe, {GRID}, cv={arguments.cv})`\n\n"
        f"{table_of_runs(GRIDS, grids)}\n\n"
        f"What the search found (n_jobs=2)\n\n{table_of_candidates(grids[1])}"
    )
    notes = f"""
`pipe` is `make_hypothesis_pipeline(n_texts=rows of a training fold, random_state=0)`:
LSA, {n_neurons} neurons, k={k}, prefixes (1/32, 1/8, 1), 20 neurons by the lasso path,
lexicons. Scores are R² of the hypotheses on the fold left out (target: -1, 0, 1).
"""
    if at_default in grids[0]["candidates"]:
        same = grids[0]["scores"][grids[0]["candidates"].index(at_default)]
        notes += (
            "The scores of that candidate in the grid and those of `cross_val_score`:\n"
            f"{compared([same], first['scores'])}.\n"
        )
    notes += """
The rows are all tweets, those of the reference holdout included; no default was chosen
by these tables. "Measured" are the threads that torch and the other libraries (BLAS,
OpenMP) had inside the processes that did the fitting.

Where nothing is pinned, joblib divides the cores among its workers, so that on two
cores n_jobs=1 computes on two threads and n_jobs=2 on one each. Sums are then rounded
in another order, and embeddings and weights differ in their last bits. A score is that
of lists of words: it stays the same to the bit while no word changes, as it may for all
folds of many texts, and jumps where one does, as it is likelier to with few texts. To
have the same scores with any n_jobs, set OMP_NUM_THREADS before Python starts.

Seconds are those of one run each, on a machine that may have had other work to do.
"""
    print(f"\n{tables}\n\n{notes}")
    if arguments.write:
        write_table(
            "cross_validation",
            "Cross-validation and grid search on the tweets",
            command_line(),
            tables,
            notes,
        )


if __name__ == "__main__":
    ARGUMENTS = parse_arguments()
    if ARGUMENTS.run:
        what, n_threads, n_jobs, file = ARGUMENTS.run
        run_here(what, int(n_threads), int(n_jobs), file, ARGUMENTS.rows, ARGUMENTS.cv)
    else:
        main(ARGUMENTS)
