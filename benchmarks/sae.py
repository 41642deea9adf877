"""The SAE engine beside hypothesaes 2.0.1, the encoder product and scikit-learn.

    python benchmarks/sae.py                   # more than an hour, the first time
    python benchmarks/sae.py --quick           # small sizes, a minute, no page
    python benchmarks/sae.py --only step       # the other parts as last measured
    python benchmarks/sae.py --resume          # goes on with an interrupted run
    python benchmarks/sae.py --holdout         # R² on the holdout: see the ledger

Every figure is a ratio of times measured side by side in one process, or memory. The
fits of hypothesaes that quality needs are kept in benchmarks/cache/sae. Needs
SKLEARN_HYPO_DATA, the packages of the "benchmark" extra, `pip install
hypothesaes==2.0.1`, and an idle machine: threads that share a core wait for each other.
Writes docs/benchmarks/sae.md when there is a result of every part.
"""

import argparse
import importlib.metadata
import importlib.util
import sys
import tempfile
import warnings

from _common import markdown_table, pin_threads, skip, write_table
from _parts import Parts

TITLES = {
    "reach": "Whole fits: time to hypothesaes's own error",
    "quality": "Quality beside it",
    "step": "One training step",
    "transform": "Transform",
    "memory": "Memory",
    "growth": "Growth",
    "dictionary": "Dictionary learning",
}
RUNS = Parts("sae", TITLES)
# what the result of a part depends on, besides the commit
SETTINGS = {
    "reach": ("threads", "seeds", "their_seeds"),
    "quality": ("threads", "seeds", "holdout"),
    "dictionary": ("threads", "seeds", "holdout"),
}
DEFAULTS = {"threads": 2, "seeds": 5, "their_seeds": 1}

NOTES = """
Floors and aims are those that were set before anything was measured. Settings of the
package were chosen on training and validation rows of the tweets; every run that
scored the holdout is in `benchmarks/holdout_ledger.csv`.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=DEFAULTS["threads"])
    parser.add_argument(
        "--seeds", type=int, default=DEFAULTS["seeds"], help="of quality and of ours"
    )
    parser.add_argument(
        "--their-seeds",
        type=int,
        default=DEFAULTS["their_seeds"],
        help="timed fits of hypothesaes",
    )
    parser.add_argument("--holdout", action="store_true", help="score the holdout")
    parser.add_argument(
        "--fresh", action="store_true", help="fit hypothesaes again for quality"
    )
    parser.add_argument(
        "--scratch", default=tempfile.gettempdir(), help="folder for a file of 1.5 GB"
    )
    RUNS.add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.quick and arguments.holdout:
        parser.error("--quick is a trial; it leaves the holdout alone")
    if min(arguments.seeds, arguments.their_seeds, arguments.threads) < 1:
        parser.error("seeds and threads are at least 1")
    return arguments


def settings(name, options):
    """Return what the result of a part depends on."""
    return {key: getattr(options, key) for key in SETTINGS.get(name, ("threads",))}


def short_of(results, which):
    """Say which floors or aims are missed."""
    missed = [
        f"{row['figure']}: {which} {row[which]}, measured {row['measured']}"
        for found in results.values()
        for row in found["figures"]
        if row[f"{which} met"] == "**no**"
    ]
    if not missed:
        return f"Every {which} is met."
    return f"Short of the {which}:\n\n" + "\n".join(f"- {line}" for line in missed)


def write_page(results):
    """Write the page: floors and aims, shortfalls, then every part with its details."""
    figures = [row for found in results.values() for row in found["figures"]]
    hypothesaes = f"With hypothesaes {importlib.metadata.version('hypothesaes')}."
    parts = [short_of(results, "floor"), short_of(results, "aim"), NOTES, hypothesaes]
    parts += [RUNS.page(name, found) for name, found in results.items()]
    given = results["reach"]["settings"] | results["quality"]["settings"]
    flags = [
        f" --{name.replace('_', '-')} {given[name]}"
        for name, default in DEFAULTS.items()
        if given[name] != default
    ]
    flags += [" --holdout"] if given["holdout"] else []
    write_table(
        "sae",
        "The SAE engine: speed, memory, quality",
        f"python benchmarks/sae.py{''.join(flags)}",
        markdown_table(figures),
        "\n\n".join(part.strip() for part in parts),
    )


def main(arguments):
    fields = ("threads", "seeds", "their_seeds", "holdout", "fresh", "quick", "scratch")
    options = Options(**{name: getattr(arguments, name) for name in fields})
    warnings.simplefilter("ignore", HypothesisWarning)
    names = arguments.only or list(TITLES)
    results, failed = RUNS.run(
        names, PARTS, options, settings, quick=options.quick, resume=arguments.resume
    )
    print(f"\n{short_of(results, 'floor')}\n\n{short_of(results, 'aim')}")
    if failed:
        sys.exit(f"\nfailed: {', '.join(failed)}; no page was written")
    if not arguments.quick and (results := RUNS.complete(results)):
        write_page(results)


if __name__ == "__main__":
    ARGUMENTS = parse_arguments()
    if importlib.util.find_spec("hypothesaes") is None:
        skip("hypothesaes is not installed; run: pip install hypothesaes==2.0.1")
    pin_threads(ARGUMENTS.threads)
    import _sae_dictionary
    import _sae_fits
    import _sae_kernels
    import _sae_memory
    from _sae_setup import Options

    from sklearn_hypo.exceptions import HypothesisWarning

    PARTS = (
        _sae_fits.PARTS | _sae_kernels.PARTS | _sae_memory.PARTS | _sae_dictionary.PARTS
    )
    main(ARGUMENTS)
