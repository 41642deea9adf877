"""Reading a CSV file of a million rows: time and memory beside pandas' own reader.

    python benchmarks/reading.py                # a million rows, half a minute
    python benchmarks/reading.py --large        # also 600 MB with sixty other columns

Makes the files, reads two of their columns in several ways, each in a process of its
own and in turn, and removes the files. Processor time is counted from after the
imports, and memory above what the process took until then: ratios of one run are what
counts. Needs no data.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from _common import command_line, markdown_table, write_table

WORDS = [f"word{i}" for i in range(500)]

MEASURE = """
import json, resource, sys, time
import numpy, pandas
{imports}
path = sys.argv[1]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
{statement}
seconds = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([seconds, (peak - before) / 1e3, peak / 1e3]))
"""

WAYS = {  # imports, and what reads the columns
    "pandas.read_csv, usecols": (
        "",
        "found = pandas.read_csv(path, usecols=['text', 'y'])",
    ),
    "pandas.read_csv, usecols, Python's strings": (
        "",
        "found = pandas.read_csv(path, usecols=['text', 'y'], dtype=object)",
    ),
    "pandas.read_csv, all columns": ("", "found = pandas.read_csv(path)"),
    "csv.reader, two columns into lists": (
        "import csv",
        "with open(path, newline='', encoding='utf-8') as file:\n"
        "    found = [(row[0], row[1]) for row in csv.reader(file)]",
    ),
    "the columns of read_labelled_texts": (
        "from sklearn_hypo._reading._formats import read_columns",
        "found = read_columns(path, ['text', 'y'])",
    ),
    "read_labelled_texts": (
        "from sklearn_hypo import read_labelled_texts",
        "found = read_labelled_texts(path, 'text', 'y')",
    ),
}

NOTES = """
Seconds of processor time, the least of {repeat} runs, and the largest memory above what
the process took before reading, each with its ratio to the first row of the file. In a
sixth of the texts there are quotes and a comma.

pandas' parser is the faster one. `read_labelled_texts` reads by the module csv of the
standard library, in its strict mode: only that tells the line of a quote that is not
closed, and with `usecols` pandas does not say that a record has more fields than the
header, but drops what exceeds it: half a text, perhaps. Separator, quotes and encoding
are recognized in the first 256 KB, which takes 20 milliseconds. What the last row has
beyond the columns are checks of a million values: missing markers, numbers as they are
written, classes. Columns that nobody asked for take no memory.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--large", action="store_true", help="also 600 MB with sixty other columns"
    )
    return parser.parse_args()


def write_file(path, n_rows, n_others):
    """Write texts of about 100 characters, a target of 1 to 5, and other columns."""
    rng = random.Random(0)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "y", *(f"other{i}" for i in range(n_others))])
        for i in range(n_rows):
            text = " ".join(rng.choices(WORDS, k=14))
            text += ', he said "so"' if i % 6 == 0 else ""
            others = (i * (j + 1) * 7919 % 99_991 for j in range(n_others))
            writer.writerow([text, rng.randint(1, 5), *others])


def measure(path, imports, statement):
    """Return seconds, and two figures of memory in MB, of a process of its own."""
    code = MEASURE.format(imports=imports, statement=statement)
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measure_ways(path, title, ways, repeat):
    """Let the ways take turns; return rows of the table."""
    runs = {way: [] for way in ways}
    for _ in range(repeat):
        for way in ways:
            runs[way].append(measure(path, *WAYS[way]))
    best = {way: [min(each) for each in zip(*runs[way], strict=True)] for way in ways}
    base = best[ways[0]]
    return [
        {
            "file": title,
            "way": way,
            "seconds": f"{seconds:.2f}",
            "/ pandas": f"{seconds / base[0]:.1f}",
            "memory, MB": f"{memory:.0f}",
            "memory / pandas": f"{memory / base[1]:.1f}",
            "whole process, MB": f"{peak:.0f}",
        }
        for way, (seconds, memory, peak) in best.items()
    ]


def main():
    arguments = parse_arguments()
    files = [(arguments.rows, 8, list(WAYS))]
    if arguments.large:
        # all 62 columns by pandas would take some gigabytes
        ways = [way for way in WAYS if "all columns" not in way]
        files.append((1_380_000, 60, ways))
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for n_rows, n_others, ways in files:
            path = Path(folder) / "texts.csv"
            write_file(path, n_rows, n_others)
            size = path.stat().st_size / 1e6
            title = f"{n_rows:,} rows, {2 + n_others} columns, {size:.0f} MB"
            table += measure_ways(path, title, ways, arguments.repeat)
            path.unlink()
    print(markdown_table(table))
    write_table(
        "reading",
        "Reading a file",
        command_line(),
        markdown_table(table),
        NOTES.format(repeat=arguments.repeat),
    )


if __name__ == "__main__":
    main()
