"""What the benchmark scripts share: data, threads, timing, tables and the ledger.

It imports nothing that computes, so that `pin_threads` can come before NumPy.
"""

import csv
import datetime
import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "docs" / "benchmarks"
LEDGER = ROOT / "benchmarks" / "holdout_ledger.csv"
CACHE = ROOT / "benchmarks" / "cache"  # ignored by git; may be deleted at any time

DATA_VARIABLE = "SKLEARN_HYPO_DATA"
# joblib hands these on to its workers, where they are set, and else divides the cores
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
_PACKAGES = ("scikit-learn", "torch", "numpy", "scipy", "pandas", "statsmodels")
_LEDGER_COLUMNS = ("date", "commit", "dirty", "benchmark", "configuration", "results")


# Threads ----------------------------------------------------------------------------


def pin_threads(n_threads):
    """Fix the number of threads of BLAS, OpenMP and torch, in workers too.

    The libraries read these variables when they are loaded, hence the check.
    """
    loaded = sorted({"numpy", "scipy", "sklearn", "torch"} & set(sys.modules))
    if loaded:
        raise RuntimeError(f"pin_threads comes too late: {loaded} are loaded already.")
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(n_threads)))


# Data -------------------------------------------------------------------------------


def skip(reason):
    """Say why nothing was measured, and end without an error."""
    print(f"skipped: {reason}")
    sys.exit(0)


def data_path(*parts):
    """Return the path of a data file, or skip the benchmark where it is absent."""
    folder = os.environ.get(DATA_VARIABLE)
    if not folder:
        skip(f"name the folder of the data in the environment variable {DATA_VARIABLE}")
    path = Path(folder).expanduser().joinpath(*parts)
    if not path.exists():
        skip(f"there is no {'/'.join(parts)} in the folder of {DATA_VARIABLE}")
    return path


def load_tweets():
    """Load the tweets, or skip the benchmark where they are absent."""
    data_path()
    from sklearn_hypo.datasets import load_tweets
    from sklearn_hypo.exceptions import DatasetNotFoundError

    try:
        return load_tweets()
    except DatasetNotFoundError as error:
        skip(str(error))


# Time -------------------------------------------------------------------------------


def median_times(functions, repeat):
    """Time functions in turn, so that a busy moment hits all of them.

    Parameters
    ----------
    functions : dict of str to callable
        Each is called once before, untimed.
    repeat : int
        Timed calls of each.

    Returns
    -------
    seconds : dict of str to float
        The median of each.
    """
    for function in functions.values():
        function()
    seconds = {name: [] for name in functions}
    for _ in range(repeat):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def median_time(function, repeat):
    """Return the median seconds that one function takes."""
    return median_times({"": function}, repeat)[""]


# Tables -----------------------------------------------------------------------------


def markdown_table(rows):
    """Format rows, dicts with the same keys, as a Markdown table."""
    rows = [{key: _cell(value) for key, value in row.items()} for row in rows]
    header = list(rows[0])
    widths = {k: max(len(k), *(len(row[k]) for row in rows)) for k in header}
    lines = [dict(zip(header, header, strict=True)), *rows]
    lines = [
        "| " + " | ".join(line[k].ljust(widths[k]) for k in header) + " |"
        for line in lines
    ]
    rule = "| " + " | ".join("-" * widths[k] for k in header) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])


def _cell(value):
    if value is None:
        return "-"
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text.replace("|", r"\|").replace("\n", " ")


def environment():
    """Describe, in words, what a benchmark ran on."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return (
        f"{cores or os.cpu_count()} CPU cores ({platform.machine()}, "
        f"{platform.system()}), Python {platform.python_version()}, "
        + ", ".join(versions)
    )


def command_line():
    """Return the command that runs the script again."""
    script = Path(sys.argv[0]).resolve()
    if script.is_relative_to(ROOT):
        script = script.relative_to(ROOT)
    return shlex.join(["python", script.as_posix(), *sys.argv[1:]])


def write_table(path, title, command, table, notes=""):
    """Write a page of results.

    Parameters
    ----------
    path : str
        Name of the page, ``docs/benchmarks/<path>.md``.
    title : str
        Its heading.
    command : str
        What made it; see `command_line`.
    table : str
        In Markdown, one or several.
    notes : str
        What the figures mean and what falls short.
    """
    target = TABLES / f"{path}.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    page = [
        f"# {title}",
        f"Made by `{command}` on {today}, commit {_commit()}"
        f"{' with uncommitted changes' if _is_dirty() else ''}, with {environment()}.",
        table,
        notes,
    ]
    text = "\n\n".join(part.strip() for part in page if part.strip()) + "\n"
    target.write_text(text, encoding="utf-8")
    print(f"\nwritten: {target.relative_to(ROOT)}")


# Ledger -----------------------------------------------------------------------------


def append_to_ledger(benchmark, configuration, results):
    """Record that held-out rows were scored: every look at them is counted.

    Parameters
    ----------
    benchmark : str
        Name of the script.
    configuration, results : dict
        What can be written as JSON.
    """
    is_new = not LEDGER.exists()
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    row = (
        now,
        _commit(),
        _is_dirty(),
        benchmark,
        json.dumps(configuration, sort_keys=True),
        json.dumps(results, sort_keys=True),
    )
    with LEDGER.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(_LEDGER_COLUMNS)
        writer.writerow(row)


def _commit():
    return _git("rev-parse", "--short=12", "HEAD") or "unknown"


def _is_dirty():
    """Tell whether the code, rather than a table or the ledger, has changed."""
    code = ("sklearn_hypo", "benchmarks/*.py")
    return bool(_git("status", "--porcelain", "--", *code))


def _git(*arguments):
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
