"""Do the p-values and intervals hold? Simulations beside hypothesaes 2.0.1.

    python benchmarks/inference.py                       # all; writes the page
    python benchmarks/inference.py --runs 100            # a trial, no page
    python benchmarks/inference.py --part null planted   # the simulations alone
    python benchmarks/inference.py --world chunks-2000   # one world of them
    python benchmarks/inference.py --part separated      # a single case
    python benchmarks/inference.py --part none --write   # the page, from what is kept

Every part is kept in benchmarks/cache/inference and the page is put together from what
is there, so that one part can be repeated alone. Needs hypothesaes==2.0.1, and the part
"page" the tweets in SKLEARN_HYPO_DATA (it is left out without them).
"""

import argparse
import importlib.util
import json
import time

from _common import command_line, markdown_table, pin_threads, skip, write_table

FULL = 1000
NOTES = """
Every run draws 20 hypotheses. "mixed" prevalences go from 5 to 50 % in equal factors;
the planted effects are five, as strong as makes hypothesaes find about half of them
where it holds its level. Under a pure null every finding is false, so that the rate of
runs with any finding is the family-wise rate and the false discovery rate as well.
± is one Monte Carlo standard error. **Bold**: off the aim, that is a rate above its
level by more than two standard errors, or coverage below 0.93. "(over)": above 0.97.

"lost by hypothesaes" is the share of runs in which it raised, printed that it takes
least squares instead, or returned no p-value; nothing found counts as no false
positive. Copies: three exact duplicates and three that differ in 3 % of the rows are
among the 20. The worlds of documents: y is one per document, annotations vary by chunk
around a tendency of the document (intraclass correlation 0.5), and groups are the
documents; hypothesaes has no groups.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=FULL, help="of each world")
    parser.add_argument("--world", nargs="+", metavar="NAME", help="these alone")
    parser.add_argument("--part", nargs="+", metavar="NAME", help="these alone")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--write", action="store_true", help="write the page anyway")
    return parser.parse_args()


# Parts ------------------------------------------------------------------------------


def measure(options):
    """Run the parts that were asked for, and keep what they found."""
    known = [*KINDS, *PARTS]
    parts = options.part or known
    unknown = set(parts) - {*known, "none"}
    worlds = options.world or list(WORLDS)
    unknown |= set(worlds) - set(WORLDS)
    if unknown:
        raise SystemExit(f"unknown: {sorted(unknown)}; there are {known + [*WORLDS]}")
    for kind in KINDS:
        if kind in parts:
            simulate(worlds, kind, options.runs, options.jobs)
    for name, part in PARTS.items():
        if name in parts:
            start = time.perf_counter()
            try:
                rows = part(options.runs, options.jobs)
            except (SystemExit, ImportError) as reason:
                print(f"  {name}: left out ({reason})", flush=True)
                continue
            seconds = time.perf_counter() - start
            keep(name, rows, seconds)
            print(f"  {name}: {seconds:.0f} s", flush=True)


def keep(name, rows, seconds):
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {"rows": rows, "seconds": seconds}
    text = json.dumps(found, default=float, indent=1)
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")


def kept(name):
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []


# The page ---------------------------------------------------------------------------


def sections():
    """Return every table, by its heading."""
    worlds = list(WORLDS)
    found = {}
    for level in LEVELS:
        for test, words in (("joint", "regression on all"), ("alone", "one at a time")):
            title = f"False positives of the family, level {level:g}, {words}"
            found[title] = false_positives(worlds, level, test)
    return found | {
        "The same with other standard errors (level 0.1, Bonferroni, regression on "
        "all)": other_errors(worlds),
        "Chunks as rows: hypotheses of 20 called significant, pure null, mean": (
            chunks_as_rows(worlds)
        ),
        "Coverage of 95 % intervals": coverage(worlds),
        "Power, where both hold their level (0.1; ours Holm, hypothesaes Bonferroni)": (
            power(worlds)
        ),
        "Other usual tests, by statsmodels, level 0.1, Bonferroni": kept(
            "alternatives"
        ),
        "A perfect predictor, n = 500": kept("separated"),
        "A near-duplicate beside a true effect": kept("twin"),
        "Agreement with statsmodels and SciPy": kept("agreement"),
        "Scores of 20 noise hypotheses, n = 200": kept("noise"),
        "Annotation error, 200 human labels": kept("ppi"),
        "Page of a report": kept("page"),
    }


def remarks():
    """Return what the tables rest on."""
    worlds = list(WORLDS)
    gaps = consistency(worlds)
    lines = [
        "Corrections are applied to the raw p-values of each run; those of the package "
        f"itself (Holm) differ from them by at most {max(gaps.values()):.1e}.",
    ]
    if failed := failures(worlds):
        lines.append(f"Runs in which this package raised an error: {failed}.")
    lines += ["Runs, by commit:", *(f"- {line}" for line in sources(worlds))]
    return "\n".join(lines)


def main(options):
    start = time.perf_counter()
    measure(options)
    minutes = (time.perf_counter() - start) / 60
    tables = "\n\n".join(
        f"## {title}\n\n{markdown_table(rows)}"
        for title, rows in sections().items()
        if rows
    )
    notes = f"{NOTES}\n{remarks()}"
    print(f"\n{tables}\n\n{notes}\n\n{minutes:.1f} min", flush=True)
    whole = options.runs == FULL and not options.part and not options.world
    if whole or options.write:
        write_table(
            "inference",
            "Inference: do the levels and intervals hold?",
            command_line(),
            f"{NOTES.strip()}\n\n{tables}",
            remarks(),
        )


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    if importlib.util.find_spec("hypothesaes") is None:
        skip("hypothesaes is not installed; run: pip install hypothesaes==2.0.1")
    pin_threads(1)
    from _inference_checks import PARTS
    from _inference_report import (
        LEVELS,
        chunks_as_rows,
        consistency,
        coverage,
        failures,
        false_positives,
        other_errors,
        power,
        sources,
    )
    from _inference_runs import FOLDER, KINDS, simulate
    from _inference_worlds import WORLDS

    main(OPTIONS)
