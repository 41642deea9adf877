"""Cells of a benchmark: each is kept, so that a run can be gone on with.

A cell is described by a dict, its key, of what its result depends on: data set, size,
seed, settings, and the code by a digest or by a name that the command line gives.
"""

import hashlib
import json
import time

from _common import CACHE, ROOT, _commit, _is_dirty

# rooms of the package that no fit and no prediction passes through
_NOT_IN_A_FIT = (
    "_annotation_error",
    "_cli",
    "_displays",
    "_evaluation",
    "_inference",
    "_language_models",
    "_replication",
    "_report",
    "datasets",
)
# in a room that is left out: what hypotheses are compared with
_IN_A_COMPARISON = "_inference/_ngrams.py"


def digest_files(paths):
    """Return a digest of some files of the project, committed or not."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def digest_package(*scripts, left_out=_NOT_IN_A_FIT):
    """Return a digest of the package and of some scripts, named without folder."""
    package = ROOT / "sklearn_hypo"
    files = [
        path
        for path in sorted(package.rglob("*.py"))
        if not path.relative_to(package).as_posix().startswith(left_out)
    ]
    files += [path for path in [package / _IN_A_COMPARISON] if path not in files]
    return digest_files(files + [ROOT / "benchmarks" / f"{s}.py" for s in scripts])


class Cells:
    """The kept results of one benchmark.

    Parameters
    ----------
    name : str
        Results are kept in benchmarks/cache/NAME, a file for each cell.
    """

    def __init__(self, name):
        self.folder = CACHE / name

    def path(self, key):
        text = json.dumps(key, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:20]
        return self.folder / f"{digest}.json"

    def read(self, key):
        """Return what was found for a key, or None."""
        path = self.path(key)
        if not path.exists():
            return None
        return json.loads(path.read_text(encoding="utf-8"))["found"]

    def write(self, key, found):
        """Keep what was found; a killed process leaves nothing half written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(key)
        commit = _commit() + (" with uncommitted changes" if _is_dirty() else "")
        kept = {"key": key, "commit": commit, "found": found}
        partial = path.with_suffix(".partial")
        partial.write_text(
            json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8"
        )
        partial.replace(path)

    def run(self, keys, compute, *, resume, jobs=1):
        """Return (key, found) of every cell, computing those that are not there.

        Parameters
        ----------
        keys : list of dict
        compute : callable
            Called with a key; returns what JSON can hold, or None for nothing to keep.
        resume : bool
            False computes all cells again.
        jobs : int
            How many at a time, each in a process of its own.
        """
        from joblib import Parallel, delayed  # it loads NumPy: see `pin_threads`

        todo = [key for key in keys if not resume or self.read(key) is None]
        print(f"{len(todo)} cells to do, {len(keys) - len(todo)} kept", flush=True)
        start = time.perf_counter()
        parallel = Parallel(jobs, return_as="generator_unordered")
        tasks = (delayed(self._compute)(compute, key) for key in todo)
        for done, key in enumerate(parallel(tasks), start=1):
            minutes = (time.perf_counter() - start) / 60
            shown = ", ".join(str(v) for k, v in key.items() if k != "code")
            print(f"  {done}/{len(todo)}, {minutes:.1f} min: {shown}", flush=True)
        found = [(key, self.read(key)) for key in keys]
        return [(key, value) for key, value in found if value is not None]

    def _compute(self, compute, key):
        self.path(key).unlink(missing_ok=True)
        found = compute(key)
        if found is not None:
            self.write(key, found)
        return key
