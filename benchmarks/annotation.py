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
import importlib.metadata
import sys
import warnings

from _common import markdown_table, pin_threads, write_table
from _parts import Parts

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
RUNS = Parts("annotation", TITLES)

NOTES = """
The real SDK clients talk to a double of a language model on the same machine, in a
process of its own, which answers at once unless a part says otherwise. No provider was
called: nothing here tells how well a model judges, how a provider limits rates, or
what its tokenizer counts. "-" means that there is nothing to compare: hypothesaes
speaks OpenAI's Responses alone, and has neither stacked calls, decisions, estimates nor
caps. What servers do that are slow, limited, older or wrong is on a page of its own:
[servers](servers.md).
"""


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
    parts += [RUNS.page(name, found) for name, found in results.items()]
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


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    RUNS.add_arguments(parser)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", HypothesisWarning)  # missing answers are the point

    quick = options.quick
    results, failed = RUNS.run(
        options.only or list(PARTS), PARTS, quick, resume=options.resume, quick=quick
    )
    print(f"\n{short_of_aims(results)}")
    if failed:
        sys.exit(f"\nfailed: {', '.join(failed)}; no page was written")
    if not quick and (results := RUNS.complete(results)):
        write_page(results)


if __name__ == "__main__":
    main()
