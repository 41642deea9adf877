"""hypothesaes 2.0.1 on the same server with the same faults, with its own defaults."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from _annotation_cost import HAS_THEIRS
from _annotation_faults import (
    FATAL,
    OF_ANNOTATION,
    PER_CELL,
    RATE_PERMANENT,
    RATE_TRANSIENT,
    WAITS,
)
from _annotation_setup import (
    Faults,
    Result,
    Worker,
    answered_again,
    cells,
    compare,
    in_thousands,
    server,
    shorten,
    stored_answers,
    truth,
)

KILLED, TOGETHER = "killed at half, started again", "two processes at once"
NAMES = {"theirs": "hypothesaes", "ours": "LLMAnnotator"}
MIXED = "all transient, mixed"


def measure_theirs(quick):
    """Give hypothesaes and LLMAnnotator the same cells and the same faults."""
    result = Result()
    if not HAS_THEIRS:
        result.note("hypothesaes is not installed: it was not compared.")
        return result
    n_texts, n_few = (3, 1) if quick else (10, 3)
    texts, statements, _ = cells(n_texts, 20)
    passing, fatal = _faults(quick), _fatal_faults(n_few * 20)
    if quick:
        rows = _both(passing, texts, statements)
    else:
        with ThreadPoolExecutor(2) as pool:
            # it repeats for a minute what cannot succeed, and waits most of the time
            waiting = pool.submit(_both, fatal, texts[:n_few], statements)
            rows = _both(passing, texts, statements) + waiting.result()
    result.table("The same single calls, the same faults", [_shown(r) for r in rows])
    _report(result, rows)
    if not quick:
        _report_restarts(result, _restarts(texts, statements))
    result.note(
        f"""{n_texts} texts × 20 statements ({", ".join(FATAL)}: {n_few} texts), one
        call per cell, OpenAI's format (it knows no other), 30 workers each.
        hypothesaes: `annotate_texts_with_concepts` as it is by default (prompt
        `annotate`, three attempts of three calls, each with its client's two retries,
        no timeout of its own), with a cache file in an empty folder. Where it raised,
        it returned nothing; the cells that it had answered were then read from its
        cache file. LLMAnnotator: the single layout, `max_missing=1`, `timeout=1.5`;
        where it raised, the cells are those in its cache. Transient faults happen to
        10 % of the calls, refusals and blocks to 2 %, {", ".join(FATAL)} to every call
        from half of the cells on; a timeout holds the answer for
        {WAITS["timeout_seconds"]:g} s. "Paid twice" are answers that the server sent
        whole once more. Seconds are of one run each; {", ".join(FATAL)} were measured
        while the others were."""
    )
    return result


# Faults -------------------------------------------------------------------------------


def _faults(quick):
    """Return what goes wrong now and then, by the name of the row."""
    spread = {"none": (), MIXED: OF_ANNOTATION}
    spread |= {} if quick else {name: (name,) for name in OF_ANNOTATION}
    found = {
        name: Faults.spread(RATE_TRANSIENT, faults, **WAITS) if faults else Faults()
        for name, faults in spread.items()
    }
    return found | {name: Faults({name: RATE_PERMANENT}) for name in PER_CELL}


def _fatal_faults(n_cells):
    """Return what goes wrong from one moment on."""
    return {name: Faults({name: 1.0}, from_call=n_cells // 2) for name in FATAL}


def _both(faults, texts, statements):
    """Have both packages annotate, in turn, with every fault."""
    with server() as double, Worker() as one, Worker() as other:
        workers = {"theirs": one, "ours": other}
        for who, worker in workers.items():  # import, connect
            _run(double, worker, who, "", Faults(), ["Warm up."], statements)
        return [
            _run(double, worker, who, name, fault, texts, statements)
            for name, fault in faults.items()
            for who, worker in workers.items()
        ]


def _job(double, who, folder, texts, statements):
    return {
        "who": who,
        "vendor": "openai",
        "url": double.url,
        "layout": "single",
        "texts": texts,
        "statements": statements,
        "cache": folder,
        "n_workers": 30 if who == "ours" else None,
        "options": {"timeout": 1.5} if who == "ours" else {},
    }


def _run(double, worker, who, name, fault, texts, statements):
    double.reset()
    double.set_faults(fault)
    with tempfile.TemporaryDirectory() as folder:
        worker.begin(**_job(double, who, folder, texts, statements))
        done = worker.result()
        kept = stored_answers(folder)
    double.set_faults()
    stats = double.stats()
    if done["values"] is None:  # ours raised: what it has kept is not lost
        n_cells = len(texts) * len(statements)
        check = {"answered": kept, "missing": n_cells - kept, "wrong": 0}
    else:
        check = compare(done["values"], truth(texts, statements))
    return {
        "fault": name,
        "who": who,
        **check,
        "calls": stats.calls,
        "again": answered_again(stats),
        **{key: done[key] for key in ("wall", "error", "printed", "last_line")},
    }


def _shown(row):
    return {
        "fault": row["fault"],
        "who": NAMES[row["who"]],
        "cells answered": in_thousands(row["answered"]),
        "without": row["missing"],
        "wrong": row["wrong"],
        "calls": in_thousands(row["calls"]),
        "paid twice": row["again"],
        "wall, s": f"{row['wall']:.1f}",
        "raises": shorten(row["error"], 60) if row["error"] else None,
        "lines printed": row["printed"],
        "the last one": shorten(row["last_line"], 90) or None,
    }


def _report(result, rows):
    found = {(row["fault"], row["who"]): row for row in rows}
    titles = {
        MIXED: "transient faults mixed at 10 %",
        "refusal": "refusals at 2 %",
        "quota": "quota gone at half of the calls",
    }
    for fault, title in titles.items():
        if (fault, "ours") not in found:
            continue
        result.figure(
            f"single calls, {title}: cells answered, calls, seconds",
            "-",
            None,
            _in_short(found[fault, "ours"]),
            "-",
            _in_short(found[fault, "theirs"]),
        )


def _in_short(row):
    n_cells = row["answered"] + row["missing"]
    raised = f", {row['error'].partition(':')[0]}" if row["error"] else ""
    return (
        f"{row['answered']:,} of {n_cells:,}, {row['calls']:,}, "
        f"{row['wall']:.1f}{raised}"
    )


# Restarts -----------------------------------------------------------------------------


def _restarts(texts, statements):
    """Kill a run at half of its cells and start it again; then run two at once."""
    with server(latency=0.02) as double:
        return [
            _twice(double, event, who, texts, statements)
            for event in (KILLED, TOGETHER)
            for who in NAMES
        ]


def _twice(double, event, who, texts, statements):
    double.reset()
    n_cells = len(texts) * len(statements)
    with (
        tempfile.TemporaryDirectory() as folder,
        Worker() as first,
        Worker() as second,
    ):
        job = _job(double, who, folder, texts, statements)
        first.begin(**job)
        if event == KILLED:
            while double.stats().calls < n_cells // 2:
                time.sleep(0.01)
            first.close()
        second.begin(**job)
        if event == TOGETHER:
            first.result()
        second.result()
    stats = double.stats()
    given = sum(stats.answered.values()) + sum(stats.lost.values())
    return {
        "event": event,
        "who": NAMES[who],
        "cells": in_thousands(n_cells),
        "calls": in_thousands(stats.calls),
        "answers given again": in_thousands(given - len(stats.asked)),
    }


def _report_restarts(result, rows):
    result.table("A killed run, and two processes at once", rows)
    for event in (KILLED, TOGETHER):
        given = {
            row["who"]: row["answers given again"]
            for row in rows
            if row["event"] == event
        }
        result.figure(
            f"{rows[0]['cells']} single calls, {event}: answers given again",
            "-",
            None,
            given[NAMES["ours"]],
            "-",
            given[NAMES["theirs"]],
        )
    result.note(
        """When a process is killed, the answers to the calls in flight are given again
        whoever made them."""
    )


PARTS = {"hypothesaes": measure_theirs}
