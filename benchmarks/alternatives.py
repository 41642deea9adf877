"""Our hypotheses against what else there is: scores, time and memory of each.

    python benchmarks/alternatives.py             # all training rows; an hour
    python benchmarks/alternatives.py --resume    # goes on with an interrupted run
    python benchmarks/alternatives.py --sets vader sms --methods ours NMF VADER
    python benchmarks/alternatives.py --quick --sets vader      # tiny, no page

Lasso n-grams, topics of NMF and of BERTopic, the dictionaries of Empath and VADER,
neurons of hypothesaes, and dense models of TF-IDF and of embeddings, on all data sets:
fitted on all training rows, scored on validation rows. Every method runs in a process
of its own, on one thread. What is not installed is left out and named. Every result is
kept in benchmarks/cache/alternatives. Needs SKLEARN_HYPO_DATA and the extra
"benchmark".
"""

import argparse
import json
import os
import subprocess
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from _common import command_line, pin_threads, write_table

LARGEST = "tweets"  # the data set whose time and memory the first table shows

NOTES = """\
All scores are of validation rows: R², for classes the area under the ROC curve, for
pairs the share whose winner is predicted; mean over {seeds} seed{s} of what is random.
Bold is the best of those that can be read. The bills are the mean of three topics as
targets, the election that of both levels.

- Every method sees the same training texts and ends in a model of its columns: least
  squares or a logit; a ridge or a logit with a cross-validated penalty for Empath,
  TF-IDF and the embeddings.
- Ours is `make_hypothesis_pipeline` as shipped. The n-grams are the words and pairs of
  words that the lasso path picks first, marked 0 or 1. NMF is of TF-IDF without stop
  words. BERTopic has its own settings, MiniLM, `nr_topics=21` (one of them holds the
  texts of no topic), and predicts by its approximate distributions. Empath is its
  categories, as shares of the tokens of a text; VADER is its compound score. The
  neurons of hypothesaes (256, k = 8, 20 selected by its lasso) are what a language
  model would be asked to describe: there are no words yet that lose something.
- VADER's dictionary is one of sentiment, by the raters of the VADER tweets and the
  Amazon snippets; with other targets it is not at home.
- Seconds are processor time on one thread for fit and prediction, embeddings included
  and nothing cached, packages loaded before; MB are the peak of the whole process.
  Both are those of {largest}.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sets", nargs="+", metavar="NAME", help="data sets whose name starts so"
    )
    parser.add_argument(
        "--methods", nargs="+", metavar="NAME", help="methods whose name starts so"
    )
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time")
    parser.add_argument("--key", help="keep results under this name, not the code's")
    parser.add_argument("--resume", action="store_true", help="keep what is there")
    parser.add_argument("--quick", action="store_true", help="tiny; no page")
    parser.add_argument(
        "--one", help=argparse.SUPPRESS
    )  # a key, in a process of its own
    return parser.parse_args()


# One method on one data set, in a process of its own ----------------------------------


def run_here(key):
    """Run one method and print what it found as JSON."""
    dataset = load(key["data"])
    if key["quick"]:
        dataset = dataset.cut(600, 300)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # rare classes, topics that are too few
        run = METHODS[key["method"]].run(dataset, key["seed"])
        start = time.process_time()
        prediction = run(dataset.train, dataset.validation)
        seconds = time.process_time() - start
    found = {
        "score": dataset.score(dataset.validation, prediction),
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


def run_apart(key):
    """Run one method in a new process; return what it found, None if it failed."""
    command = [sys.executable, __file__, "--one", json.dumps(key)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"FAILED: {key['method']} on {key['data']}\n{done.stderr[-2000:]}")
        return None
    return json.loads(done.stdout.splitlines()[-1])


# The whole ----------------------------------------------------------------------------


def choose_methods(starts):
    """Return the methods asked for that are installed, saying which are not."""
    chosen, starts = {}, tuple(start.lower() for start in starts or [""])
    for name, method in METHODS.items():
        if not name.lower().startswith(starts):
            continue
        if missing := method.missing():
            print(f"left out: {name}: {', '.join(missing)} is not installed")
        else:
            chosen[name] = method
    if not chosen:
        raise SystemExit(f"no method of {list(METHODS)} is left to run")
    return chosen


def make_keys(names, methods, options):
    """Return the key of every cell; only ours depends on the package's code."""
    scripts = ("_datasets", "_baselines", "_default_cells", "_alternative_methods")
    whole = digest_package(*scripts)
    others = digest_files([ROOT / "benchmarks" / f"{name}.py" for name in scripts])
    return [
        {
            "code": options.key or (whole if method.startswith("ours") else others),
            "data": name,
            "method": method,
            "seed": seed,
            "quick": options.quick,
        }
        for name in names
        for method in methods
        for seed in range(options.seeds)
    ]


def main(options):
    names, methods = find_names(options.sets), choose_methods(options.methods)
    keys = make_keys(names, methods, options)
    cells = gather(
        Cells("alternatives").run(
            keys, run_apart, resume=options.resume, jobs=options.jobs
        )
    )
    tables = [
        score_table(cells, methods, names),
        "## Each data set",
        data_table(cells, methods, names),
        "## Seconds of one thread",
        cost_table(cells, methods, names, "seconds"),
        "## Peak memory, MB",
        cost_table(cells, methods, names, "megabytes"),
    ]
    largest = LARGEST if LARGEST in names else names[0]
    notes = NOTES.format(
        seeds=options.seeds, s="" if options.seeds == 1 else "s", largest=largest
    )
    tables = "\n\n".join(tables)
    print(f"\n{tables}\n\n{notes}")
    if options.quick or options.sets or options.methods:
        print("\nno page: it takes all data sets and methods")
        return
    title = "Hypotheses against topics, dictionaries, n-grams and dense models"
    write_table("alternatives", title, command_line(), tables, notes)


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    pin_threads(1)
    import contextlib
    import io
    import resource
    import time
    import warnings

    from _alternative_methods import METHODS
    from _alternative_report import cost_table, data_table, gather, score_table
    from _cells import Cells, digest_files, digest_package
    from _common import ROOT
    from _datasets import find_names, load

    if OPTIONS.one:
        run_here(json.loads(OPTIONS.one))
    else:
        main(OPTIONS)
