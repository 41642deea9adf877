"""Would the tests notice an error? Mutants of inference, evaluation and report.

    pip install -c constraints.txt -e ".[test,benchmark]"
    python benchmarks/mutation.py              # 300 mutants and more; writes the page
    python benchmarks/mutation.py --size 30    # a trial, no page
    python benchmarks/mutation.py --again tests/inference/test_firth.py
                                               # what survived, by these tests alone
    python benchmarks/mutation.py --page       # the page, from what is kept

A sample of single errors is planted, one at a time, in copies of the tree, and the
tests that reach the line are run until one fails. Which tests do is found by one run
with coverage. What is done is kept in benchmarks/cache/mutation, so that a run can go
on after an interruption. Mutants that change nothing that could be observed are listed
with the reason in benchmarks/mutation_equivalents.csv.
"""

import argparse
import ast
import csv
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import coverage
import pytest
from _common import (
    CACHE,
    ROOT,
    _commit,
    command_line,
    markdown_table,
    pin_threads,
    write_table,
)
from _mutants import code_lines, find_mutants

ROOMS = ("inference", "evaluation", "report")
BESIDE = ("annotation_error",)  # tests of other rooms that test functions of these
FULL, AIM = 320, 0.9
SLOW = 2.0  # seconds of CPU: slower tests are left out, so that a run ends
FOLDER = CACHE / "mutation"
EQUIVALENTS = ROOT / "benchmarks" / "mutation_equivalents.csv"
COPIED = ("sklearn_hypo", "tests", "pyproject.toml", "README.md")
OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=FULL, help="of the sample")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--room", nargs="+", default=ROOMS, help="these alone")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--again", nargs="+", metavar="TESTS", help="new tests, for what survived"
    )
    parser.add_argument(
        "--page", action="store_true", help="only write the page, from what is kept"
    )
    return parser.parse_args()


# The sample -------------------------------------------------------------------------


def modules(rooms=ROOMS):
    """Source of each module by its path, room by room."""
    folders = [ROOT / "sklearn_hypo" / f"_{room}" for room in rooms]
    paths = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}


def room_of(key):
    return key.split("/")[1].removeprefix("_")


def draw(sources, size, seed):
    """Draw mutants of each module in proportion to its lines of code, at random."""
    lines = {path: code_lines(source) for path, source in sources.items()}
    rng, total, sample, carried = random.Random(seed), sum(lines.values()), [], 0.0
    for path, source in sources.items():
        carried += size * lines[path] / total
        known = find_mutants(path, source)
        taken = min(round(carried), len(known))
        carried -= taken
        sample += rng.sample(known, taken)
    return sample


# Which tests reach a line -----------------------------------------------------------


def copy_tree(target):
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, Path(target) / name)


class Clock:
    """Counts the seconds of CPU that each test takes, and writes them in the end."""

    def __init__(self, path):
        self._path, self._seconds = path, {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        start = time.process_time()
        done = yield
        self._seconds[item.nodeid] = time.process_time() - start
        return done

    def pytest_sessionfinish(self):
        self._path.write_text(json.dumps(self._seconds), "utf-8")


def run_all(folder):
    """Run all tests of the rooms with coverage, in a process of their own."""
    enter(folder)
    targets = [f"tests/{room}" for room in (*ROOMS, *BESIDE)]
    targets += [f"sklearn_hypo/_{room}" for room in ROOMS]
    rooms = [f"--cov=sklearn_hypo/_{room}" for room in ROOMS]
    options = [*OPTIONS, *rooms, "--cov-context=test", "--cov-report="]
    clock = Clock(Path(folder) / "seconds.json")
    os._exit(int(pytest.main([*targets, *options], plugins=[clock])))


def trace(sources):
    """Run all tests once; return the tests by path and line, and their seconds."""
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(folder)
        process = context.Process(target=run_all, args=(folder,))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit("The tests fail without any error planted.")
        data = coverage.CoverageData(Path(folder) / ".coverage")
        data.read()
        reached = {}
        for path in sources:
            lines = data.contexts_by_lineno(str(Path(folder).resolve() / path))
            reached[path] = {
                line: sorted({name.rsplit("|", 1)[0] for name in names if name})
                for line, names in lines.items()
            }
        seconds = json.loads((Path(folder) / "seconds.json").read_text("utf-8"))
    return reached, seconds


def tests_of(mutant, sources, reached, seconds):
    """Tests that reach a mutant, the quickest first.

    Those that run one of its lines; where it is run on import, those of the module
    and of its room, as what a decorator refuses never enters the module.
    """
    lines = reached[mutant.path]
    first, last = mutant.lines
    found = {t for line in range(first, last + 1) for t in lines.get(line, ())}
    if not found:
        statement = _statement_lines(sources[mutant.path], first)
        found = {t for line in statement for t in lines.get(line, ())}
    if not found and mutant.function == "module":
        found = {t for tests in lines.values() for t in tests}
        own = f"tests/{room_of(mutant.path)}/"
        found |= {name for name in seconds if name.startswith(own)}
    taken = {name: seconds.get(name, 0.0) for name in found}
    quick = [name for name in found if taken[name] < SLOW]
    return sorted(quick, key=lambda name: (taken[name], name))


def _statement_lines(source, line):
    """Lines of the innermost statement without a body around a line."""
    spans = [
        (node.lineno, node.end_lineno)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno
    ]
    first, last = min(spans, key=lambda span: span[1] - span[0])
    return range(first, last + 1)


# Planting ---------------------------------------------------------------------------


def enter(folder):
    """Import the package from a copy of the tree from here on."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))


def plant(mutant, source, tests):
    """Run tests with an error planted; ends the process with pytest's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(folder)
        (Path(folder) / mutant.path).write_text(mutant.plant(source))
        enter(folder)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        status = int(pytest.main([*tests, "-x", *OPTIONS]))
        os.chdir("/")
    os._exit(status)


def judge(mutant, source, tests, seconds):
    """Return whether a mutant is killed, survives, or never ends, with the time."""
    if not tests:
        return "not reached", 0.0
    start = time.perf_counter()
    limit = 240 + 20 * sum(seconds.get(name, 0.0) for name in tests)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=plant, args=(mutant, source, tests))
    process.start()
    process.join(limit)
    if process.is_alive():
        process.kill()
        process.join()
        return "timeout", limit
    outcome = "survived" if process.exitcode == 0 else "killed"
    return outcome, time.perf_counter() - start


def work(queue, results, sources, seconds):
    """Judge mutants until there are none left; libraries are loaded once."""
    import matplotlib
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401
    import sklearn.model_selection  # noqa: F401
    import statsmodels.api  # noqa: F401

    matplotlib.use("Agg")
    while (task := queue.get()) is not None:
        name, mutant, tests = task
        outcome, spent = judge(mutant, sources[mutant.path], tests, seconds)
        results.put((name, outcome, len(tests), spent))


def run(tasks, sources, seconds, n_jobs, kept):
    """Judge mutants in several processes; every result is kept at once.

    `tasks` are tuples of what names the mutant, the mutant and the tests.
    """
    context = multiprocessing.get_context("spawn")
    queue, results = context.Queue(), context.Queue()
    for task in [*tasks, *[None] * n_jobs]:
        queue.put(task)
    workers = [
        context.Process(target=work, args=(queue, results, sources, seconds))
        for _ in range(n_jobs)
    ]
    for worker in workers:
        worker.start()
    for number in range(len(tasks)):
        name, outcome, n_tests, spent = results.get()
        record = name | {"outcome": outcome, "commit": _commit(), "tests": n_tests}
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
        print(f"{number + 1}/{len(tasks)} {outcome:11} {spent:5.1f} s  {name['key']}")
    for worker in workers:
        worker.join()


def list_tasks(options, sources, last):
    """What is to be run: the rest of the sample, or what survived, with the tests."""
    if options.again:
        return [
            (name, mutant, options.again)
            for name, mutant in find_survivors(sources, last)
        ], {}
    sample = draw(sources, options.size, options.seed)
    todo = [m for m in sample if (m.key, m.start) not in last]
    reached, seconds = trace(sources) if todo else ({}, {})
    tasks = []
    for mutant in todo:
        line = line_of(mutant, sources[mutant.path])
        name = {"key": mutant.key, "start": mutant.start, "line": line}
        tasks.append((name, mutant, tests_of(mutant, sources, reached, seconds)))
    return tasks, seconds


def find_survivors(sources, last):
    """Find what survived in the sources as they are now, where lines may have moved."""
    equivalents = read_equivalents()
    for record in last.values():
        path, _, change = record["key"].split("::", 2)
        found = [
            mutant
            for mutant in find_mutants(path, sources[path])
            if mutant.key.split("::", 2)[2] == change
        ]
        if found and not is_killed(record) and record["key"] not in equivalents:
            nearest = min(found, key=lambda m: _distance(m, record, sources[path]))
            yield {key: record[key] for key in ("key", "start", "line")}, nearest


def line_of(mutant, source):
    """The line of the source that a mutant begins in."""
    text = source.encode()
    begin = text.rfind(b"\n", 0, mutant.start) + 1
    return text[begin : text.find(b"\n", mutant.start)].decode().strip()


def _distance(mutant, record, source):
    moved = line_of(mutant, source) != record["line"]
    return moved, abs(mutant.start - record["start"])


# The page ---------------------------------------------------------------------------


def read_kept(kept):
    """Return the first outcome of each mutant, and its last."""
    records = []
    if kept.exists():
        records = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    first = {(r["key"], r["start"]): r for r in reversed(records)}
    last = {(r["key"], r["start"]): r for r in records}
    return first, last


def read_equivalents():
    if not EQUIVALENTS.exists():
        return {}
    with EQUIVALENTS.open(newline="", encoding="utf-8") as file:
        return {row["mutant"]: row["reason"] for row in csv.DictReader(file)}


def is_killed(record):
    return record["outcome"] in ("killed", "timeout")


def summarize(first, last, equivalents):
    """Count by room: drawn, killed at first and now, equivalent, alive."""
    rows = []
    for room in (*ROOMS, "all"):
        own = [k for k in last if room in (room_of(k[0]), "all")]
        killed = sum(is_killed(last[k]) for k in own)
        same = sum(not is_killed(last[k]) and k[0] in equivalents for k in own)
        rows.append(
            {
                "room": room,
                "mutants": len(own),
                "killed in the first run": sum(is_killed(first[k]) for k in own),
                "killed": killed,
                "equivalent": same,
                "alive": len(own) - killed - same,
                "killed, share of all": f"{killed / max(len(own), 1):.1%}",
            }
        )
    return rows


def page(first, last, equivalents):
    parts = [markdown_table(summarize(first, last, equivalents))]
    kinds = Counter(key.split("::")[2] for key, _ in last)
    killed = Counter(k[0].split("::")[2] for k in last if is_killed(last[k]))
    rows = [
        {"operator": kind, "mutants": kinds[kind], "killed": killed[kind]}
        for kind in sorted(kinds)
    ]
    parts.append(markdown_table(rows))
    alive = sorted(key for key, start in last if not is_killed(last[key, start]))
    for title, chosen in (
        ("Alive", [key for key in alive if key not in equivalents]),
        ("Equivalent", [key for key in alive if key in equivalents]),
    ):
        rows = [_describe(key, equivalents.get(key)) for key in chosen]
        if rows:
            parts.append(f"## {title}\n\n{markdown_table(rows)}")
    return "\n\n".join(parts)


def describe_other(kept, equivalents):
    """Say what the first run of another sample found, and what stands since."""
    first, last = read_kept(kept)
    seed, n = kept.stem.split("_")[-2], len(first)
    at = ", ".join(sorted({record["commit"] for record in first.values()}))
    killed, now = (sum(map(is_killed, each.values())) for each in (first, last))
    same = sum(not is_killed(last[k]) and k[0] in equivalents for k in last)
    return (
        f"Seed {seed}, commit {at}: {killed} of {n} ({killed / n:.1%}) killed in the "
        f"first run, before any test was written for it. By tests written since: {now} "
        f"({now / n:.1%}); {same} are equivalent, and {n - now - same} alive."
    )


def _describe(key, reason):
    path, function, operator, change = key.split("::", 3)
    row = {"module": path.removeprefix("sklearn_hypo/"), "function": function}
    row |= {"change": f"{operator}: `{change.replace('`', chr(39))}`"}
    return row | ({} if reason is None else {"reason": reason})


OTHERS = """## Samples drawn later

What the tests see unprompted is the share of a fresh sample that its first run kills,
equivalents counted as alive: the last line is the unbiased figure for the tests as they
were at its commit. For every sample tests were written after its first run."""

NOTES = """
The run was that of `python benchmarks/mutation.py` at commit {drawn}. Mutants are
drawn with seed {seed} from all that the operators in `benchmarks/_mutants.py` find,
in each module in proportion to its lines of code. Docstrings, annotations, prose, and
what errors and warnings say are left alone: a change there changes words, not
results. A mutant is killed when a test fails, or when the tests take twenty times as
long as they should (an endless loop). Only the tests of the three rooms and the
examples in their docstrings are run, those that reach the line (of a line that is run
on import, all of its room), the quickest first, without those that take more than
{slow:g} seconds. "Killed in the first run" counts
what was killed at that commit; what survived was run again (`--again`) at later
commits with the tests that were written for it. The aim is that {aim:.0%} of all are
killed; those that are equivalent, by a review, count against it.
"""


def main():
    options = parse_arguments()
    pin_threads(1)
    sources = modules(options.room)
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / f"{'_'.join(options.room)}_{options.seed}_{options.size}.jsonl"
    if not options.page:
        tasks, seconds = list_tasks(options, sources, read_kept(kept)[1])
        print(f"{len(tasks)} mutants to be run")
        run(tasks, sources, seconds, options.jobs, kept)
    first, last = read_kept(kept)
    table = page(first, last, read_equivalents())
    others = [each for each in sorted(FOLDER.glob("*.jsonl")) if each != kept]
    if others:
        equivalents = read_equivalents()
        lines = [f"- {describe_other(each, equivalents)}" for each in others]
        table += "\n\n".join(["", OTHERS, "\n".join(lines)])
    print(table)
    if options.page or (options.size >= FULL and len(options.room) == len(ROOMS)):
        drawn = ", ".join(sorted({record["commit"] for record in first.values()}))
        notes = NOTES.format(seed=options.seed, aim=AIM, slow=SLOW, drawn=drawn)
        title = "Mutants: would the tests notice?"
        write_table("mutation", title, command_line(), table, notes)


if __name__ == "__main__":
    main()
