"""A folder of a million texts through all steps, in bounded memory, killed and resumed.

    python benchmarks/scale.py [--texts 1000000] [--kill] [--folder FOLDER]
    python benchmarks/scale.py --texts 20000 --partition 1000 --no-page

The recipe is in `_scale_steps.py`, and told in docs/scale.md: texts in Parquet files
are embedded by LSA, an autoencoder and a selection are fitted to a memory map,
dictionaries found, and held-out texts annotated and tested, on a Dask cluster of this
machine. With `--kill` all processes are killed three times, at the points named in the
page, and what was begun more than once is counted. Needs the extra "dask", Linux, and
some GB of disk.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from _common import command_line, markdown_table, pin_threads, write_table

MEMORY_LIMIT = 1.5e9  # bytes, of every process

# what the journal holds beyond these shares of the partitions of a step ends a run
KILLS = (("encoding", 0.25), ("encoding", 0.65), ("annotating", 0.5))


def main():
    """Run the steps in a process of their own, and again after each kill."""
    options = parse()
    if options.run:
        run_steps(options)
        return
    folder = Path(options.folder or tempfile.mkdtemp(prefix="scale-"))
    if not options.again:
        shutil.rmtree(folder, ignore_errors=True)
        for kind, share in KILLS if options.kill else ():
            n_files = count_partitions(options, kind)
            run_until(options, folder, kind, max(1, int(share * n_files)))
        run_until(options, folder, None, None)
    journal = read_journal(folder)
    seconds = journal[-1]["at"] - journal[0]["at"]
    steps = markdown_table(summarize_steps(journal))
    failures, again = check(journal)
    print(steps, again, sep="\n\n")
    if options.page:
        write_page(options, folder, seconds, steps, again)
    if not options.folder:
        shutil.rmtree(folder)
    if failures:
        sys.exit("\n".join(failures))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--partition", type=int, default=10_000, help="texts in a file")
    parser.add_argument("--held-out", type=float, default=0.1, help="share of the test")
    parser.add_argument("--sample", type=int, default=50_000, help="texts learnt from")
    parser.add_argument("--components", type=int, default=64)
    parser.add_argument("--neurons", type=int, default=256)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", action="store_true", help="kill it three times")
    parser.add_argument("--folder", help="emptied first, kept afterwards")
    parser.add_argument("--no-page", dest="page", action="store_false")
    parser.add_argument(
        "--again", action="store_true", help="only read what an earlier run left"
    )
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    n_files = -(-options.texts // options.partition)
    options.n_held_out = max(1, round(options.held_out * n_files))
    options.n_sample = max(1, options.sample // options.partition)
    if n_files < options.n_held_out + options.n_sample:
        parser.error(
            f"{n_files} files are too few: {options.n_sample} are learnt from and "
            f"{options.n_held_out} held out. Lower --partition or --sample."
        )
    return options


def run_steps(options):
    """Do what has not been done yet, in this process and the workers of a cluster."""
    from _scale_steps import Study, go_on
    from dask.distributed import Client, LocalCluster

    study = Study.of(options.run, options)
    study.note(starts=True)
    with (
        # a worker that holds more than the limit is killed
        LocalCluster(
            options.workers,
            threads_per_worker=1,
            memory_limit=int(MEMORY_LIMIT),
            dashboard_address=":0",
        ) as cluster,
        Client(cluster),
    ):
        go_on(study)


# Kills ------------------------------------------------------------------------------


def count_partitions(options, kind):
    n_files = -(-options.texts // options.partition)
    return n_files if kind == "encoding" else options.n_held_out


def run_until(options, folder, kind, n_begun):
    """Run the steps; kill all their processes where `n_begun` partitions are begun."""
    command = [sys.executable, __file__, "--run", str(folder)]
    for name in ("texts", "partition", "sample", "components", "neurons", "workers"):
        command += [f"--{name}", str(getattr(options, name))]
    command += ["--held-out", str(options.held_out)]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        while process.poll() is None:
            time.sleep(0.05)
            begun = {line[kind] for line in read_journal(folder) if kind in line}
            if kind is not None and len(begun) >= n_begun:
                kill_all(process)
                with (folder / "journal.jsonl").open("a", encoding="utf-8") as file:
                    line = {"killed": find_in_flight(folder), "at": time.time()}
                    file.write(json.dumps(line) + "\n")
                return
    finally:
        if process.poll() is None:
            kill_all(process)
    if process.returncode:
        sys.exit(f"the run ended with {process.returncode}")


def kill_all(process):
    """Kill a run with its workers: they are in its session."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read_journal(folder):
    """Return the lines of the journal; one that is being written is left out."""
    path = folder / "journal.jsonl"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def find_in_flight(folder):
    """Return what was begun and is not there after a kill."""
    journal = read_journal(folder)
    found = []
    for kind, place, suffix in (
        ("encoding", "vectors", ".npy"),
        ("annotating", "annotations", ".parquet"),
    ):
        begun = {line[kind] for line in journal if kind in line}
        there = {path.stem for path in (folder / place).glob(f"[0-9]*{suffix}")}
        found += [[kind, name] for name in sorted(begun - there)]
    return found


# What is shown ----------------------------------------------------------------------


def summarize_steps(journal):
    """Return time and memory by step, those of killed runs included."""
    seconds, processor, peaks, workers = Counter(), Counter(), {}, {}
    name = began = None
    for line in journal:
        if name is not None:
            processor[name] += line.get("cpu", 0.0)
        if "begins" in line:
            name, began = line["begins"], line["at"]
        elif {"ends", "killed"} & set(line) and name is not None:
            seconds[name] += line["at"] - began
            peaks[name] = max(peaks.get(name, 0), line.get("peak", 0))
            name = None
        if name is not None and {"workers", "encoding", "annotating"} & set(line):
            # a partition's own line is written before it is worked on
            workers[name] = max(
                workers.get(name, 0), line.get("workers", line.get("peak", 0))
            )
    rows = [
        {
            "step": name,
            "s": f"{seconds[name]:.1f}",
            "processor, s": f"{processor[name]:.1f}",
            "MB of the main process so far": f"{peaks[name] / 1e6:.0f}",
            "MB of a worker so far": f"{workers[name] / 1e6:.0f}"
            if name in workers
            else None,
        }
        for name in seconds
    ]
    return rows


def check(journal):
    """Return what is not as it should be, and what was begun more than once."""
    failures, in_flight = [], [r["killed"] for r in journal if "killed" in r]
    most = max(max(r.get("peak", 0), r.get("workers", 0)) for r in journal)
    if most > MEMORY_LIMIT:
        failures.append(f"{most / 1e6:.0f} MB in one process")
    lines = [f"Largest memory of any process: {most / 1e6:,.0f} MB."]
    for kind, what in (("encoding", "encoded"), ("annotating", "annotated")):
        times = Counter(line[kind] for line in journal if kind in line)
        sizes = {line[kind]: line["n"] for line in journal if kind in line}
        more = {name: n for name, n in times.items() if n > 1}
        allowed = Counter(n for found in in_flight for k, n in found if k == kind)
        wrong = [name for name, n in more.items() if n - 1 > allowed[name]]
        if wrong:
            failures.append(f"{what} again though not in flight: {wrong}")
        n_again = sum(sizes[name] * (n - 1) for name, n in more.items())
        n_flight = sum(sizes[name] * n for name, n in allowed.items())
        lines.append(
            f"Texts {what}: {sum(sizes.values()):,}; more than once: {n_again:,} "
            f"({len(more)} partitions), of {n_flight:,} in flight at the "
            f"{len(in_flight)} kills; others: "
            f"{sum(sizes[n] for n in wrong):,}."
        )
    return failures, "\n".join(f"- {line}" for line in lines)


def write_page(options, folder, seconds, steps, again):
    """Write docs/benchmarks/scale.md."""
    from _scale_costs import estimate_costs

    costs = estimate_costs(folder, options)
    report = (folder / "report.txt").read_text(encoding="utf-8")
    head = report.partition("\nmore y")[0].partition("\n")[0]
    table = f"""{steps}

{again}
- The report: {head}.

## What 100 million texts would cost, on paper

{costs}"""
    n_files = -(-options.texts // options.partition)
    load = f"{os.getloadavg()[2]:.1f} on {os.cpu_count()} cores"
    notes = f"""
{options.texts:,} texts by `make_concept_texts` in {n_files} files, embedded by LSA with
{options.components} components, {options.neurons} neurons; a main process and
{options.workers} workers, each with one thread; {seconds:.0f} s in all, starts of
processes included, at a load average of {load}. The time of
a step is that of all runs, killed ones included; processor time is that of all
processes, without what was lost to kills, and tells more where the machine is busy.
Memory is the largest resident set (VmHWM) that the process has had until then, shared
libraries and mapped files included. The runs were killed (SIGKILL to all of their
processes at once) when a quarter and two thirds of the partitions were begun to be
encoded, and half of those to be annotated.
"""
    command = [*command_line().split()[:2], f"--texts {options.texts}"]
    command += [f"--partition {options.partition}", *["--kill"] * options.kill]
    title = "Many texts in bounded memory"
    write_table("scale", title, " ".join(command), table, notes)


if __name__ == "__main__":
    pin_threads(1)
    main()
