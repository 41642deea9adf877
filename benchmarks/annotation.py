"""Annotation by language models: calls, cost, speed, and what is left of faults.

    python benchmarks/annotation.py                  # a quarter of an hour
    python benchmarks/annotation.py --quick          # small sizes, a minute, no page
    python benchmarks/annotation.py --only speed     # the other parts as last measured
    python benchmarks/annotation.py --resume         # goes on with an interrupted run

Offline: the real clients of both vendors talk to a double of a language model, which
counts, is late and fails as told, in a process of its own on this machine. The texts
are tweets where SKLEARN_HYPO_DATA names the folder of the data, else generated ones.
Writes docs/benchmarks/annotation.md when there is a result of every part.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import sys
import time
import traceback
import warnings
from dataclasses import asdict

from _common import (
    CACHE,
    _commit,
    _is_dirty,
    markdown_table,
    pin_threads,
    write_table,
)

pin_threads(1)

import _annotation_cost
import _annotation_faults
import _annotation_pipeline
import _annotation_processes
import _annotation_theirs

from sklearn_hypo.exceptions import HypothesisWarning

PARTS = (
    _annotation_cost.PARTS
    | _annotation_faults.PARTS
    | _annotation_processes.PARTS
    | _annotation_pipeline.PARTS
    | _annotation_theirs.PARTS
)
TITLES = {
    "calls": "Calls and prompts",
    "speed": "Time",
    "budget": "Money",
    "transient": "Faults that pass",
    "permanent": "Faults that stay",
    "kills": "Killed processes",
    "shared": "Two processes",
    "pipeline": "Planted concepts",
    "searches": "Searches",
    "hypothesaes": "hypothesaes on the same server",
}
PACKAGES = ("openai", "google-genai", "httpx2", "hypothesaes")
RESULTS = CACHE / "annotation"

NOTES = """
The real SDK clients talk to a double of a language model on the same machine, in a
process of its own, which answers at once unless a part says otherwise. No provider was
called: nothing here tells how well a model judges, how a provider limits rates, or
what its tokenizer counts. "-" means that there is nothing to compare: hypothesaes
speaks OpenAI's Responses alone, and has neither stacked calls, decisions, estimates nor
caps.
"""


def measure(name, quick):
    """Run one part; return its result with when and on what it was measured."""
    load, start = os.getloadavg()[0], time.perf_counter()
    commit = _commit() + (" with uncommitted changes" if _is_dirty() else "")
    found = asdict(PARTS[name](quick))
    now = datetime.datetime.now(datetime.UTC)
    return found | {
        "commit": commit,
        "date": now.isoformat(timespec="minutes"),
        "load": load,
        "seconds": time.perf_counter() - start,
    }


def saved(name):
    """Return the last result of a part at full size, or None."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def save(name, found):
    RESULTS.mkdir(parents=True, exist_ok=True)
    # through JSON at once, so that a page is the same with fresh and with saved results
    text = json.dumps(found, ensure_ascii=False, indent=1)
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")


def is_current(found):
    return found is not None and found["commit"] == _commit() and not _is_dirty()


def show(name, found):
    """Print one part."""
    print(f"\n## {TITLES[name]} ({found['seconds']:.0f} s)\n")
    print(section(found), flush=True)


def section(found):
    """Return one part as Markdown."""
    pieces = [markdown_table(found["figures"])] if found["figures"] else []
    for title, rows in found["tables"]:
        pieces += [title, markdown_table(rows)]
    return "\n\n".join(pieces + found["notes"])


def shortfalls(results):
    """Return a line for every figure that misses its aim."""
    return [
        f"{row['figure']}: aim {row['aim']}, OpenAI {row['OpenAI']}, "
        f"Gemini {row['Gemini']}"
        for found in results.values()
        for row in found["figures"]
        if row["met"] == "**no**"
    ]


def short_of_aims(results):
    missed = shortfalls(results)
    if not missed:
        return "Every aim is met."
    return "Short of the aim:\n\n" + "\n".join(f"- {line}" for line in missed)


def write_page(results):
    """Write the page: aims, shortfalls, then every part with its details."""
    figures = [row for found in results.values() for row in found["figures"]]
    versions = [f"{name} {_version(name)}" for name in PACKAGES]
    parts = [short_of_aims(results), NOTES.strip(), f"With {', '.join(versions)}."]
    for name, found in results.items():
        details = section(found | {"figures": []})
        measured = (
            f"Measured on {found['date']}, commit {found['commit']}, in "
            f"{found['seconds']:.0f} s, from a load average of {found['load']:.1f} on."
        )
        parts.append(f"## {TITLES[name]}\n\n{details}\n\n{measured}")
    write_table(
        "annotation",
        "Annotation by language models",
        "python benchmarks/annotation.py",
        markdown_table(figures),
        "\n\n".join(parts),
    )


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def run(names, options):
    """Measure parts one after the other; return the results and what failed."""
    results, failed = {}, []
    for name in names:
        found = saved(name) if options.resume else None
        if not is_current(found) or options.quick:
            try:
                found = measure(name, options.quick)
            except Exception:
                # the other parts are worth having all the same
                traceback.print_exc()
                failed.append(name)
                continue
            if not options.quick:
                save(name, found)
        results[name] = found
        show(name, found)
    return results, failed


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, no page")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(PARTS),
        metavar="PART",
        help=f"measure these: {', '.join(PARTS)}",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep the saved results of this commit, if the code has not changed",
    )
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", HypothesisWarning)  # missing answers are the point

    results, failed = run(options.only or list(PARTS), options)
    print(f"\n{short_of_aims(results)}")
    if failed:
        sys.exit(f"\nfailed: {', '.join(failed)}; no page was written")
    if options.quick:
        return
    results = {name: results.get(name) or saved(name) for name in PARTS}
    missing = [name for name, found in results.items() if found is None]
    if missing:
        print(f"\nno page yet: not measured so far: {', '.join(missing)}")
        return
    write_page(results)


if __name__ == "__main__":
    main()
