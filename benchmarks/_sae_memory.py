"""Memory of a fit and a transform of a memory map, measured in a process of its own.

    python benchmarks/_sae_memory.py FILE N_FEATURES N_NEURONS EPOCHS

prints JSON; `memory` starts it.
"""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

STATUS = Path("/proc/self/status")


def anonymous_bytes():
    """Return the resident memory of this process that no file backs."""
    for line in STATUS.read_text().splitlines():
        if line.startswith("RssAnon:"):
            return 1024 * int(line.split()[1])
    raise OSError(f"{STATUS} has no RssAnon")


class Peak:
    """Samples the anonymous memory every 20 ms; a context manager."""

    def __init__(self, interval=0.02):
        self.bytes, self._interval = 0, interval
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self):
        while not self._done.wait(self._interval):
            self.bytes = max(self.bytes, anonymous_bytes())

    def __enter__(self):
        self.bytes = anonymous_bytes()
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._thread.join()
        self.bytes = max(self.bytes, anonymous_bytes())


def run_here(path, n_features, n_neurons, n_epochs):
    """Fit and transform; return seconds and megabytes."""
    import numpy as np

    from sklearn_hypo import SparseAutoencoderTransformer

    sae = SparseAutoencoderTransformer(
        n_neurons, 8, max_epochs=n_epochs, output="sparse", random_state=0
    )
    # what the first fit loads belongs to the baseline
    tiny = SparseAutoencoderTransformer(8, 2, max_epochs=1, random_state=0)
    tiny.fit(np.random.default_rng(0).standard_normal((200, 16), dtype=np.float32))
    X = np.memmap(path, dtype=np.float32, mode="r").reshape(-1, n_features)
    found = {"rows": len(X), "baseline": anonymous_bytes() / 1e6}
    start = time.perf_counter()
    with Peak() as peak:
        sae.fit(X)
    found["fit"] = peak.bytes / 1e6
    found["fit, s"], start = time.perf_counter() - start, time.perf_counter()
    with Peak() as peak:
        codes = sae.transform(X)
    found["transform"] = peak.bytes / 1e6
    found["transform, s"] = time.perf_counter() - start
    arrays = (codes.data, codes.indices, codes.indptr)
    found["result"] = sum(array.nbytes for array in arrays) / 1e6
    found["per row"] = codes.nnz / len(X)
    found["score"] = sae.score(X[:16_384])
    return found


def memory(options):
    """Measure the memory of a million memory-mapped rows."""
    from _sae_data import made_up_file
    from _sae_setup import Result

    result = Result()
    if not STATUS.exists() or "RssAnon:" not in STATUS.read_text():
        result.note("Skipped: this system does not tell anonymous memory in /proc.")
        return result
    n_rows, n_features, n_neurons = 1_000_000, 384, 1024
    if options.quick:
        n_rows, n_neurons = 20_000, 64
    found = []
    with made_up_file(options.scratch, n_rows, n_features) as path:
        for n_epochs in (1,) if options.quick else (1, 3):
            command = [path, n_features, n_neurons, n_epochs]
            command = [sys.executable, __file__, *map(str, command)]
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True
            )
            found.append({"epochs": n_epochs} | json.loads(done.stdout))
    result.table(
        f"Memory: {n_rows:,} × {n_features} float32, memory-mapped, M={n_neurons}",
        [
            {
                "epochs": each["epochs"],
                "baseline, MB": f"{each['baseline']:.0f}",
                "fit, peak MB": f"{each['fit']:.0f}",
                "transform, peak MB": f"{each['transform']:.0f}",
                "result, MB": f"{each['result']:.0f}",
                "active per row": f"{each['per row']:.2f}",
                "fit, s": f"{each['fit, s']:.1f}",
                "transform, s": f"{each['transform, s']:.1f}",
                "explained variance": f"{each['score']:.3f}",
            }
            for each in found
        ],
    )
    peak = max(max(each["fit"], each["transform"]) for each in found) / 1e3
    result.figure(
        f"peak anonymous memory of fit and transform to CSR, {n_rows:,} × {n_features}",
        f"{peak:.2f} GB",
        "≤ 2 GB",
        "≤ 1.2 GB",
        floor_met=peak <= 2,
        aim_met=peak <= 1.2,
    )
    result.note(
        f"""A process of its own per row of the table. Anonymous is what no file backs
        (RssAnon in /proc/self/status, every 20 ms): the pages of the mapped file
        ({4e-9 * n_rows * n_features:.1f} GB) and of the libraries are not in it, all
        that Python and the libraries allocate is. The baseline is that after imports
        and a tiny fit, and part of the peaks; the result, a CSR array, is part of the
        peak of transform."""
    )
    return result


PARTS = {"memory": memory}


if __name__ == "__main__":
    PATH, *SIZES = sys.argv[1:]
    print(json.dumps(run_here(PATH, *map(int, SIZES))))
