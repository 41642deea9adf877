"""What is left of a run when its process is killed, and when there are two of them."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from _annotation_setup import (
    VENDORS,
    Result,
    Worker,
    answered_again,
    asked_again,
    cells,
    compare,
    in_thousands,
    server,
    stored_answers,
    truth,
)

N_WORKERS = 16
LATENCY = 0.02
N_STATEMENTS = 10
# The cells of the largest call, by layout.
CELLS = {"single": 1, "stacked": 10}


# Kills --------------------------------------------------------------------------------


def measure_kills(quick):
    """Kill the process of a run again and again, and start the run anew."""
    n_kills, n_texts = (2, 60) if quick else (20, 400)
    result = Result()
    runs = (("openai", "single"), ("gemini", "stacked"))
    with ThreadPoolExecutor(len(runs)) as pool:  # both at once: nothing is timed
        rows = list(pool.map(lambda run: _killed(*run, n_texts, n_kills), runs))
    result.table("One run, killed again and again", [row["shown"] for row in rows])
    result.figure(
        f"process killed {n_kills} times over one run: questions asked again",
        "≤ in flight at the kills",
        all(row["right"] for row in rows),
        *(f"{row['again']} of {row['in flight']} ({row['layout']})" for row in rows),
    )
    result.note(
        f"""{n_texts} texts × {N_STATEMENTS} statements, {N_WORKERS} workers, 20 ms per
        call, one cache folder. The process gets SIGKILL when a random number of
        answers is in the cache, and up to 30 ms later; a new one then makes the same
        call. What a process has asked and not put into the cache was in flight when it
        was killed: at most {N_WORKERS} calls, of one cell (single) or ten (stacked),
        whose answers no client can have without asking again."""
    )
    return result


def _killed(vendor, layout, n_texts, n_kills):
    texts, statements, _ = cells(n_texts, N_STATEMENTS)
    n_cells = n_texts * N_STATEMENTS
    rng = np.random.RandomState(0)
    # the run must not be over before its last kill
    moments = np.sort(rng.randint(0, int(0.95 * n_cells), n_kills))
    in_flight, stored, asked = [], [0], [0]
    with (
        server(latency=LATENCY) as double,
        tempfile.TemporaryDirectory() as folder,
        _Crew(n_kills + 1) as crew,
    ):
        job = _job(double, vendor, layout, folder, texts, statements)
        for moment in moments:
            worker = crew.next()
            worker.begin(**job)
            while stored_answers(folder) <= moment and not worker.is_done():
                time.sleep(0.005)
            time.sleep(rng.uniform(0.0, 0.03))
            worker.close()
            asked.append(sum(_settled(double).asked.values()))
            stored.append(stored_answers(folder))
            # asked in this life of the run, and not kept
            in_flight.append((asked[-1] - asked[-2]) - (stored[-1] - stored[-2]))
        worker = crew.next()
        worker.begin(**job)
        done = worker.result()
        stats, kept = double.stats(), stored_answers(folder)
    check = compare(done["values"], truth(texts, statements))
    again, most = asked_again(stats), N_WORKERS * CELLS[layout]
    whole = check["answered"] == kept == n_cells and not check["wrong"]
    return {
        "layout": layout,
        "again": again,
        "in flight": sum(in_flight),
        "right": whole and again <= sum(in_flight) and max(in_flight) <= most,
        "shown": {
            "vendor": vendor,
            "layout": layout,
            "kills": n_kills,
            "kept at the kills": f"{stored[1]:,} to {stored[-1]:,}",
            "cells answered": in_thousands(check["answered"]),
            "wrong": check["wrong"],
            "in flight at the kills": sum(in_flight),
            "most at one kill (bound)": f"{max(in_flight)} ({most})",
            "asked again": again,
            "paid twice": answered_again(stats),
        },
    }


def _job(double, vendor, layout, folder, texts, statements):
    return {
        "who": "ours",
        "vendor": vendor,
        "url": double.url,
        "layout": layout,
        "texts": texts,
        "statements": statements,
        "cache": folder,
        "n_workers": N_WORKERS,
    }


def _settled(double):
    """Return the server's counts when no call is under way any more."""
    while (stats := double.stats()).in_flight:
        time.sleep(0.01)
    return stats


class _Crew:
    """Workers one after the other; the next one starts while one works."""

    def __init__(self, size):
        self._left = size
        self._waiting = []

    def _hire(self):
        if self._left:
            self._left -= 1
            self._waiting.append(Worker())

    def next(self):
        """Return a worker that is ready."""
        while len(self._waiting) < 2 and self._left:
            self._hire()
        worker = self._waiting.pop(0)
        worker.wait_until_ready()
        self._working = worker
        return worker

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for worker in (*self._waiting, self._working):
            worker.close()


# Two processes ------------------------------------------------------------------------


def measure_shared(quick):
    """Let two processes answer the same cells with one cache."""
    sizes = {"single": 30, "stacked": 100} if quick else {"single": 200, "stacked": 600}
    result = Result()
    with server(latency=LATENCY) as double, Worker() as first, Worker() as second:
        rows = [
            _shared(double, (first, second), vendor, layout, n_texts)
            for layout, n_texts in sizes.items()
            for vendor in VENDORS
        ]
    result.table("Two processes, one cache", [row["shown"] for row in rows])
    result.figure(
        "two processes on one cache: rows lost or doubled, questions asked twice",
        "0",
        all(row["right"] for row in rows),
        *(
            sum(row["bad"] for row in rows if row["vendor"] == vendor)
            for vendor in VENDORS
        ),
    )
    result.note(
        f"""Two processes with {N_WORKERS} workers each begin at the same moment with
        an empty cache; they have the same cells, the second one the other way round.
        20 ms per call."""
    )
    return result


def _shared(double, workers, vendor, layout, n_texts):
    texts, statements, _ = cells(n_texts, N_STATEMENTS)
    n_cells = n_texts * N_STATEMENTS
    double.reset()
    with tempfile.TemporaryDirectory() as folder:
        job = _job(double, vendor, layout, folder, texts, statements)
        for worker, order in zip(workers, (texts, texts[::-1]), strict=True):
            worker.begin(**job | {"texts": order})
        done = [worker.result() for worker in workers]
        stats, kept = double.stats(), stored_answers(folder)
    checks = [
        compare(one["values"], truth(order, statements))
        for one, order in zip(done, (texts, texts[::-1]), strict=True)
    ]
    lost = n_cells - kept
    again = asked_again(stats)
    gaps = sum(check["missing"] + check["wrong"] for check in checks)
    return {
        "vendor": vendor,
        "bad": abs(lost) + again + gaps,
        "right": not (lost or again or gaps),
        "shown": {
            "vendor": vendor,
            "layout": layout,
            "cells": in_thousands(n_cells),
            "rows in the cache": in_thousands(kept),
            "calls": in_thousands(stats.calls),
            "asked twice": again,
            "missing or wrong": gaps,
            "wall, s": ", ".join(f"{one['wall']:.1f}" for one in done),
        },
    }


PARTS = {"kills": measure_kills, "shared": measure_shared}
