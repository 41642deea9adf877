"""What importing the package takes, beyond scikit-learn and pandas.

    python benchmarks/import_time.py --quick   # prints, in half a minute
    python benchmarks/import_time.py           # two minutes; writes the page of docs/

Each line is imported in new processes, in turn, where scikit-learn and pandas are
imported already; byte code is compiled before. Fails where `import sklearn_hypo` takes
more than half a second. Needs no data. What a module takes by itself is said by
``python -X importtime -c "import sklearn_hypo"``.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

from _common import ROOT, command_line, markdown_table, write_table

MOST = 0.5  # seconds

BASE = "import sklearn, pandas"
LINES = (
    "import sklearn_hypo",
    "from sklearn_hypo import make_hypothesis_pipeline",
    "from sklearn_hypo import HypothesisExtractor",
    "from sklearn_hypo import evaluate_hypotheses",
    "from sklearn_hypo import *",
    "import sklearn_hypo._cli._main",
)
SCRIPT = """
import json, sys, time
{before}
n_modules, times = len(sys.modules), (time.perf_counter(), time.process_time())
{line}
print(json.dumps([
    time.perf_counter() - times[0],
    time.process_time() - times[1],
    len(sys.modules) - n_modules,
]))
"""

NOTES = """
Medians of {repeat} processes each, taken in turn; the first line is scikit-learn and
pandas themselves, the others come after it in the same process. A fit imports torch
besides, a test statsmodels; neither is imported by any of these lines. `import *` is
every public name, `sklearn_hypo._cli._main` the command line. The load average before
was {load:.1f}: seconds include the waiting for a core, processor seconds do not.
"""


def time_line(before, line, folder):
    """Return seconds, processor seconds and number of modules of one import."""
    environment = os.environ | {
        "PYTHONPYCACHEPREFIX": folder,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(before=before, line=line)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def measure(repeat):
    """Return a row of medians for each line."""
    pairs = [("", BASE), *((BASE, line) for line in LINES)]
    with tempfile.TemporaryDirectory() as folder:
        for pair in pairs:  # compiles
            time_line(*pair, folder)
        runs = [[time_line(*pair, folder) for pair in pairs] for _ in range(repeat)]
    return [
        {
            "line": line,
            "s": statistics.median(run[i][0] for run in runs),
            "processor s": statistics.median(run[i][1] for run in runs),
            "modules": runs[0][i][2],
        }
        for i, (_, line) in enumerate(pairs)
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="3 runs, and no page")
    arguments = parser.parse_args()
    repeat, load = 3 if arguments.quick else 11, os.getloadavg()[0]
    rows = measure(repeat)
    table = markdown_table(rows)
    print(table)
    if not arguments.quick:
        notes = NOTES.format(repeat=repeat, load=load)
        write_table("import_time", "Import time", command_line(), table, notes)
    if rows[1]["s"] > MOST:
        sys.exit(f"{LINES[0]} takes more than {MOST} s beyond scikit-learn and pandas")


if __name__ == "__main__":
    main()
