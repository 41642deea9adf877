"""What annotation makes of faults: those that pass, and those that stay."""

import contextlib
import queue
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from _annotation_setup import (
    LAYOUTS,
    VENDORS,
    Faults,
    Result,
    annotator,
    answered_again,
    cells,
    compare,
    in_thousands,
    model,
    outcomes,
    server,
    shorten,
    stored_answers,
    truth,
)
from llm_double import TRANSIENT
from sklearn.base import clone

from sklearn_hypo import TextEmbedder
from sklearn_hypo.exceptions import LanguageModelError

RATE_TRANSIENT, RATE_PERMANENT = 0.1, 0.02
PER_CELL = ("refusal", "blocked_prompt", "blocked_answer")
FATAL = ("quota", "wrong_key", "unknown_model")
# A call counts as lost after 1.5 s; the fault holds its answer for 3 s.
WAITS = {"timeout_seconds": 3.0}
PATIENCE = {"timeout": 1.5}
# Runs under way at once, each with its own server: they wait most of the time.
N_AT_ONCE = 6
# Seconds for an answer to cross from the server to all threads of the client.
GRACE = 1.0
LATENCY = 0.02
N_WORKERS = 16
OF_ANNOTATION = tuple(f for f in TRANSIENT if f != "wrong_number_of_embeddings")


def side_by_side(function, jobs):
    """Call a function with a server and each of several tuples, a few at a time."""
    doubles = queue.SimpleQueue()

    def work(job):
        double = doubles.get()
        try:
            double.reset()
            return function(double, *job)
        finally:
            double.set_faults()
            double.set(latency=0.0)
            doubles.put(double)

    with contextlib.ExitStack() as stack:
        for _ in range(min(N_AT_ONCE, len(jobs))):
            doubles.put(stack.enter_context(server(max_records=10**6)))
        pool = stack.enter_context(ThreadPoolExecutor(N_AT_ONCE))
        return list(pool.map(work, jobs))


# Transient ----------------------------------------------------------------------------


def measure_transient(quick):
    """Have every transient fault happen, alone and with all others."""
    sizes = (10,) if quick else (60, 6, 60)
    mixed_sizes = (50, 10, 50) if quick else (400, 60, 200)
    order = ("stacked", "single", "decisions")
    jobs = [
        (fault, vendor, layout, size)
        for fault in OF_ANNOTATION
        for vendor in VENDORS
        for layout, size in zip(order, sizes, strict=False)
    ]
    mixed = [
        ("all mixed", vendor, layout, size)
        for vendor in VENDORS
        for layout, size in zip(order, mixed_sizes, strict=True)
    ]
    rows = side_by_side(_with_fault, jobs + mixed)
    result = Result()
    _report_transient(result, rows)
    result.table("Every fault alone, 10 % of calls", _by_fault(rows[: len(jobs)]))
    result.table("All mixed, 10 % of calls", [_by_layout(r) for r in rows[len(jobs) :]])
    _measure_embeddings(result, 400 if quick else 2000)
    result.note(
        f"""Each run on a server of its own, up to {N_AT_ONCE} at once, 16 workers.
        Mixed: {mixed_sizes[0]} texts × 20 statements stacked, {mixed_sizes[1]} texts
        single, {mixed_sizes[2]} decisions; {sizes[0]} texts (single:
        {sizes[0] // 10}) for each fault alone{" (stacked only)" if quick else ""}. A
        fault happens to a tenth of the calls, repeated ones included; a layout that
        cannot have one (an answer of Decisions is not cut) has none. "Paid twice" are
        answers that the server sent whole although it had sent them whole before;
        "lost" are those that it gave and that did not arrive whole (connection,
        timeout, truncation), which no client can have without asking again;
        "discarded" are those of stacked calls that came
        together with answers to questions that nobody asked, of which nothing is
        believed: they were asked for again, and are not counted as paid twice."""
    )
    result.note(
        """An answer that is cut three times in a row is given up, which at this rate
        happens to one call in a thousand where every fault is a cut: an earlier run
        with three times as many cells, 158,400 for each vendor, ended with 10 cells
        without an answer (one stacked call, reported as "cut"), which this size is too
        small to show reliably."""
    )
    return result


def _with_fault(double, fault, vendor, layout, n_texts):
    """Annotate while a fault happens, and compare with the labels without it."""
    texts, statements, _ = cells(n_texts, 20)
    names = OF_ANNOTATION if fault == "all mixed" else (fault,)
    double.set_faults(Faults.spread(RATE_TRANSIENT, names, **WAITS))
    made = annotator(
        vendor, double.url, layout, statements, options=PATIENCE, max_missing=1.0
    )
    error = None
    try:
        values = made.annotate(texts).tolist()
    except LanguageModelError as caught:
        error = shorten(caught)
        values = [[None] * len(statements)] * len(texts)
    stats = double.stats()
    n_calls = {"single": n_texts * 20, "stacked": n_texts * 2, "decisions": n_texts}
    discarded = _discarded(double.calls) if layout == "stacked" else 0
    return {
        "fault": fault,
        "vendor": vendor,
        "layout": layout,
        **compare(values, truth(texts, statements)),
        "calls": stats.calls,
        "needed": n_calls[layout],
        "faults": sum(stats.faults.values()),
        "again": answered_again(stats) - discarded,
        "discarded": discarded,
        "lost": sum(stats.lost.values()),
        "error": error,
    }


def _discarded(calls):
    """Count answers that came with answers to questions that nobody asked.

    LLMAnnotator believes nothing in such an object, and asks again.
    """
    spoilt = [call for call in calls if call.fault == "surplus_answers"]
    return sum(len(call.statements) for call in spoilt)


_SUMS = ("answered", "missing", "wrong", "again", "lost", "discarded")
_SUMS += ("calls", "needed", "faults")


def _sums(rows):
    return {name: sum(row[name] for row in rows) for name in _SUMS}


def _counted(row):
    return {
        "cells answered": in_thousands(row["answered"]),
        "missing": row["missing"],
        "wrong": row["wrong"],
        "calls without faults": in_thousands(row["needed"]),
        "calls made": in_thousands(row["calls"]),
        "faults met": row["faults"],
        "answers lost": row["lost"],
        "discarded": row["discarded"],
        "paid twice": row["again"],
    }


def _by_fault(rows):
    table = []
    for fault in OF_ANNOTATION:
        for vendor in VENDORS:
            of_it = [r for r in rows if (r["fault"], r["vendor"]) == (fault, vendor)]
            errors = [row["error"] for row in of_it if row["error"]]
            table.append(
                {"fault": fault, "vendor": vendor}
                | _counted(_sums(of_it))
                | {"error": errors[0] if errors else None}
            )
    return table


def _by_layout(row):
    first = {"vendor": row["vendor"], "layout": row["layout"]}
    return first | _counted(row) | {"error": row["error"]}


def _report_transient(result, rows):
    of = {v: _sums([row for row in rows if row["vendor"] == v]) for v in VENDORS}
    asked = {v: of[v]["answered"] + of[v]["missing"] for v in VENDORS}
    met = {row["fault"] for row in rows if row["faults"]}
    result.figure(
        "transient faults at 10 % of calls: cells answered in the end",
        "all",
        met >= set(OF_ANNOTATION) and not any(of[v]["missing"] for v in VENDORS),
        *(f"{of[v]['answered']:,} of {asked[v]:,}" for v in VENDORS),
    )
    result.figure(
        "their labels that differ from those without faults",
        "0",
        not any(of[v]["wrong"] for v in VENDORS),
        *(of[v]["wrong"] for v in VENDORS),
    )
    result.figure(
        "answers paid twice, beyond those lost on the way or discarded",
        "0",
        not any(of[v]["again"] for v in VENDORS),
        *(of[v]["again"] for v in VENDORS),
    )


def _measure_embeddings(result, n_texts):
    rows = side_by_side(_embed, [(vendor, n_texts) for vendor in VENDORS])
    result.table("Embeddings, all transient faults mixed at 30 % of calls", rows)
    result.figure(
        "embeddings with transient faults at 30 % of calls: equal to those without",
        "all",
        all(
            row["equal"] == row["texts"]
            and row["wrong numbers"]
            and not row["paid twice"]
            for row in rows
        ),
        *(f"{row['equal']:,} of {row['texts']:,}" for row in rows),
    )


def _embed(double, vendor, n_texts):
    """Embed in many small requests; their wrong numbers are among the faults."""
    texts = np.array(cells(n_texts, 1)[0], dtype=object)
    names = ("wrong_number_of_embeddings", *OF_ANNOTATION)
    spec = model(vendor, double.url, "embedding", **PATIENCE)
    embed = TextEmbedder(spec, batch_size=20, cache=None)
    clean = embed.fit_transform(texts).to_numpy()
    double.reset()
    double.set_faults(Faults.spread(0.3, names, **WAITS))
    # a clone, for what has been embedded once is not sent again
    vectors = clone(embed).fit_transform(texts).to_numpy()
    stats = double.stats()
    return {
        "vendor": vendor,
        "texts": len(texts),
        "equal": int((vectors == clean).all(axis=1).sum()),
        "calls without faults": -(-len(texts) // 20),
        "calls made": stats.calls,
        "faults met": sum(stats.faults.values()),
        "wrong numbers": stats.faults["wrong_number_of_embeddings"],
        "paid twice": sum(n - 1 for n in stats.embedded.values()),
    }


# Permanent ----------------------------------------------------------------------------


def measure_permanent(quick):
    """Have faults happen that no repetition helps against."""
    sizes = {"stacked": 120, "single": 24, "decisions": 120}
    sizes = {name: size // 4 if quick else size for name, size in sizes.items()}
    layouts = LAYOUTS[1:2] if quick else LAYOUTS
    result = Result()
    silent, stopped = (
        side_by_side(
            function,
            [
                (fault, vendor, layout, sizes[layout])
                for fault in faults
                for vendor in VENDORS
                for layout in layouts
            ],
        )
        for function, faults in ((_silenced, PER_CELL), (_stopped, FATAL))
    )
    _report_silenced(result, silent)
    _report_stopped(result, stopped)
    result.table("Refusals and blocks, 2 % of calls", [r["shown"] for r in silent])
    result.table("From one moment on", [row["shown"] for row in stopped])
    result.table(
        "What the errors say",
        [
            {"fault": row["fault"], "vendor": row["vendor"], "message": row["message"]}
            for row in stopped
            if row["layout"] == "stacked"
        ],
    )
    result.note(
        f"""{sizes["stacked"]} texts × 20 statements ({sizes["single"]} texts single),
        16 workers. Refusals and blocks depend on the text and the statements of a
        call, so that a repeated call meets them again. "Expected" are the cells
        that the server refuses or blocks when asked about them alone: where a call
        about several statements is refused or blocked, they should be asked one by
        one. Gemini has no field for a refusal: it is a sentence in the place of the
        answer, and reads as "unparsable". From one moment on: the
        fault starts at half of the calls. "Fatal answers": no worker may get a second
        one. "Begun after it" are calls that began more
        than {GRACE:g} s after the first fatal answer was sent. Then the fault is
        lifted and the same call made again."""
    )
    return result


# Gemini has no field for a refusal: it is a sentence in the place of the answer, or,
# from Decisions, a blocked request. OpenAI's Decisions call a block a refusal.
_REASONS = {
    ("refusal", "openai"): {"refused"},
    ("refusal", "gemini"): {"unparsable", "blocked"},
}


def _silenced(double, fault, vendor, layout, n_texts):
    """Annotate while some calls are never answered."""
    texts, statements, _ = cells(n_texts, 20)
    double.set_faults(Faults({fault: RATE_PERMANENT}))
    made = annotator(vendor, double.url, layout, statements, max_missing=1.0)
    values = made.annotate(texts)
    stats, calls = double.stats(), double.calls
    check = compare(values.tolist(), truth(texts, statements))
    missing = {(texts[i], statements[j]) for i, j in np.argwhere(np.isnan(values))}
    expected = _unanswerable(calls, fault, vendor, layout, texts, statements)
    errors = made.annotation_errors_
    reasons = set(errors["outcome"])
    reasons_meant = _REASONS.get((fault, vendor), {"blocked", "refused"})
    right = missing == expected and not check["wrong"] and reasons <= reasons_meant
    shown = {
        "fault": fault,
        "vendor": vendor,
        "layout": layout,
        "cells": in_thousands(values.size),
        "answered": in_thousands(check["answered"]),
        "wrong": check["wrong"],
        "NaN": check["missing"],
        "expected": len(expected),
        "reasons": outcomes(errors),
        "calls": in_thousands(stats.calls),
        "paid twice": answered_again(stats),
    }
    return {"right": right, "vendor": vendor, "shown": shown, **check}


def _unanswerable(calls, fault, vendor, layout, texts, statements):
    """Return the cells that no client can get an answer for.

    That a call about several statements is refused or blocked says nothing about each
    of them. Requests to OpenAI's Decisions are refused statement by statement.
    """
    if layout == "decisions" and vendor == "openai" and fault != "blocked_prompt":
        faults = Faults({fault: RATE_PERMANENT})
        return {
            (text, statement)
            for text in texts
            for statement in statements
            if faults.hits(fault, (text, statement))
        }
    return {
        (call.text, call.statements[0])
        for call in calls
        if call.fault == fault and len(call.statements) == 1
    }


def _report_silenced(result, rows):
    def summary(vendor):
        of = [row for row in rows if row["vendor"] == vendor]
        n_nan, right = sum(r["missing"] for r in of), sum(r["right"] for r in of)
        return f"{right} of {len(of)} runs; {n_nan:,} NaN"

    result.figure(
        "refusals and blocks at 2 % of calls: exactly those cells NaN with their "
        "reason, all others answered and right",
        "all runs",
        all(row["right"] for row in rows),
        *map(summary, VENDORS),
    )


def _stopped(double, fault, vendor, layout, n_texts):
    """Annotate until nothing works any more, then again when it works."""
    texts, statements, _ = cells(n_texts, 20)
    n_calls = {"single": n_texts * 20, "stacked": n_texts * 2, "decisions": n_texts}
    double.set_faults(Faults({fault: 1.0}, from_call=n_calls[layout] // 2))
    double.set(latency=LATENCY)
    with tempfile.TemporaryDirectory() as folder:
        made = annotator(vendor, double.url, layout, statements, cache=folder)
        try:
            made.annotate(texts)
            error = LanguageModelError("there was no error", reason="none")
        except LanguageModelError as caught:
            error = caught
        stats, calls = double.stats(), double.calls
        kept = stored_answers(folder)
        double.set_faults()
        values = made.annotate(texts)
        again = answered_again(double.stats())
    fatal = [call for call in calls if call.fault == fault]
    sent = min((call.time for call in fatal), default=0.0) + LATENCY
    check = compare(values.tolist(), truth(texts, statements))
    row = {
        "fault": fault,
        "vendor": vendor,
        "layout": layout,
        "message": " ".join(str(error).split()),
        "reason": error.reason,
        "answered": sum(stats.answered.values()),
        "kept": kept,
        "fatal": len(fatal),
        "late": sum(call.time > sent + GRACE for call in calls),
        "again": again,
    }
    right = {"quota": "quota", "wrong_key": "authentication", "unknown_model": "model"}
    row["right"] = (
        error.reason == right[fault]
        and row["kept"] == row["answered"]
        and row["fatal"] <= N_WORKERS
        and not (row["late"] or row["again"] or check["missing"] or check["wrong"])
    )
    row["shown"] = {
        "fault": fault,
        "vendor": vendor,
        "layout": layout,
        "reason of the error": error.reason,
        "answers sent": in_thousands(row["answered"]),
        "kept": in_thousands(kept),
        "fatal answers": row["fatal"],
        "begun after it": row["late"],
        "then answered": in_thousands(check["answered"]),
        "paid twice": again,
    }
    return row


def _report_stopped(result, rows):
    def summary(vendor):
        of = [row for row in rows if row["vendor"] == vendor]
        kept = sum(row["kept"] for row in of)
        right = sum(row["right"] for row in of)
        return f"{right} of {len(of)} runs; {kept:,} answers kept"

    result.figure(
        "quota, key or model gone at half of the calls: the right error, every answer "
        "kept, at most one fatal answer per worker, the next run completes, nothing "
        "paid twice",
        "all runs",
        all(row["right"] for row in rows),
        *map(summary, VENDORS),
    )


PARTS = {"transient": measure_transient, "permanent": measure_permanent}
