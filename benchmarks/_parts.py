"""Benchmarks in parts: what each found is kept, so that a run can be gone on with."""

import datetime
import json
import os
import time
import traceback
from dataclasses import asdict, dataclass, field

from _common import CACHE, _commit, _is_dirty, markdown_table


@dataclass
class Findings:
    """What one part found; fit for JSON.

    Attributes
    ----------
    figures : list of dict
        Rows of the table of floors and aims.
    tables : list of (str, list of dict)
        Details, with their titles.
    notes : list of str
        What the figures mean.
    """

    figures: list = field(default_factory=list)
    tables: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def table(self, title, rows):
        """Add a table of details."""
        self.tables.append((title, rows))

    def note(self, text):
        """Add a paragraph."""
        self.notes.append(" ".join(text.split()))


def verdict(met):
    """Say whether something is met; `None` where there is nothing to meet."""
    return "-" if met is None else "yes" if met else "**no**"


class Parts:
    """The parts of one benchmark, and their last results at full size.

    Parameters
    ----------
    name : str
        Of the benchmark; results are kept in benchmarks/cache/NAME.
    titles : dict of str to str
        Titles of the parts.
    """

    def __init__(self, name, titles):
        self.folder = CACHE / name
        self.titles = titles

    def add_arguments(self, parser):
        """Let the command line choose parts, sizes, and what to measure again."""
        parser.add_argument("--quick", action="store_true", help="small sizes, no page")
        parser.add_argument(
            "--only",
            nargs="+",
            choices=list(self.titles),
            metavar="PART",
            help=f"measure these: {', '.join(self.titles)}",
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="keep the saved results of this commit, if the code has not changed",
        )

    def run(self, names, parts, options, settings=None, *, resume, quick):
        """Measure parts one after the other; return the results and what failed.

        `settings` returns what the result of a part depends on, besides the commit.
        """
        results, failed = {}, []
        for name in names:
            given = {} if settings is None else settings(name, options)
            found = self.load(name) if resume and not quick else None
            if not is_current(found, given):
                try:
                    found = measure(parts[name], options) | {"settings": given}
                except Exception:
                    # the other parts are worth having all the same
                    traceback.print_exc()
                    failed.append(name)
                    continue
                if not quick:
                    self.save(name, found)
            results[name] = found
            print(f"\n## {self.titles[name]} ({found['seconds']:.0f} s)\n")
            print(section(found), flush=True)
        return results, failed

    def load(self, name):
        """Return the last result of a part at full size, or None."""
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def save(self, name, found):
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, ensure_ascii=False, indent=1)
        (self.folder / f"{name}.json").write_text(text, encoding="utf-8")

    def complete(self, results):
        """Return the results of all parts, or None, saying which are missing."""
        results = {name: results.get(name) or self.load(name) for name in self.titles}
        missing = [name for name, found in results.items() if found is None]
        if missing:
            print(f"\nno page yet: not measured so far: {', '.join(missing)}")
        return None if missing else results

    def page(self, name, found):
        """Return one part of the page: its details, and on what it was measured."""
        given = ", ".join(f"{key}={value}" for key, value in found["settings"].items())
        measured = (
            f"Measured on {found['date']}, commit {found['commit']}, in "
            f"{found['seconds']:.0f} s, from a load average of {found['load']:.1f} on"
            + (f" ({given})." if given else ".")
        )
        details = section(found | {"figures": []})
        return f"## {self.titles[name]}\n\n{details}\n\n{measured}"


def measure(part, options):
    """Run one part; return its result with when and on what it was measured."""
    load, start = os.getloadavg()[0], time.perf_counter()
    commit = _commit() + (" with uncommitted changes" if _is_dirty() else "")
    # through JSON at once, so that a page is the same with fresh and with saved results
    found = json.loads(json.dumps(asdict(part(options))))
    now = datetime.datetime.now(datetime.UTC)
    return found | {
        "commit": commit,
        "date": now.isoformat(timespec="minutes"),
        "load": load,
        "seconds": time.perf_counter() - start,
    }


def is_current(found, settings):
    """Tell whether a saved result is what measuring again would give."""
    return (
        found is not None
        and found["commit"] == _commit()
        and not _is_dirty()
        and found["settings"] == settings
    )


def section(found):
    """Return one part as Markdown."""
    pieces = [markdown_table(found["figures"])] if found["figures"] else []
    for title, rows in found["tables"]:
        pieces += [f"**{title}**", markdown_table(rows)]
    return "\n\n".join(pieces + found["notes"])
