"""What annotation takes: calls, characters of prompts, time, and money under a cap."""

import importlib.util
import os
import tempfile

from _annotation_setup import (
    LAYOUTS,
    VENDORS,
    Faults,
    Result,
    Worker,
    annotator,
    answered_again,
    cells,
    compare,
    dollars,
    in_thousands,
    model,
    server,
    truth,
)

from sklearn_hypo.exceptions import BudgetError

PER_CALL = 10
LATENCY, N_WORKERS = 0.2, 32
PART = 10
PROMPTS = {"annotate": "its default", "annotate-simple": "on request"}
HAS_THEIRS = importlib.util.find_spec("hypothesaes") is not None


# Calls and prompts --------------------------------------------------------------------


def measure_calls(quick):
    """Count calls and characters at the server, for every vendor and layout."""
    n_texts, n_concepts = (40, 20) if quick else (2000, 20)
    texts, statements, what = cells(n_texts, n_concepts)
    result, counts = Result(), {}
    with server() as double:
        for vendor in VENDORS:
            for layout in LAYOUTS:
                # one call a cell: a part of them shows it as well, in less time
                is_part = layout == "single" and vendor == "gemini"
                part = texts[: n_texts // PART] if is_part else texts
                double.reset()
                made = annotator(vendor, double.url, layout, statements, cache=None)
                values = made.annotate(part)
                check = compare(values.tolist(), truth(part, statements))
                counts[vendor, layout] = _scaled(double.stats(), n_texts / len(part))
                counts[vendor, layout] |= {**check, "part": is_part}
        theirs = {}
        if HAS_THEIRS:
            sample = texts[: len(texts) // 20]
            theirs = _their_characters(double, texts, sample, statements)
    _report_calls(result, counts, n_texts, n_concepts)
    _report_prompts(result, counts, theirs, n_texts * n_concepts)
    result.note(
        f"""{n_texts:,} {what} × {n_concepts} statements, no faults. Calls and
        characters are those that the server counted. Calls of the "single" layout to
        Gemini were made for one in {PART} of the texts, and multiplied."""
    )
    return result


def _scaled(stats, factor):
    return {
        "calls": round(stats.calls * factor),
        "prompt": stats.prompt_characters * factor,
        "schema": stats.schema_characters * factor,
    }


def _report_calls(result, counts, n_texts, n_concepts):
    n_cells = n_texts * n_concepts
    most = {
        "single": n_cells,
        "stacked": n_texts * -(-n_concepts // PER_CALL),
        "decisions": n_texts,
    }
    for layout in LAYOUTS:
        made = [counts[vendor, layout]["calls"] for vendor in VENDORS]
        exactly = "≤" if layout == "stacked" else "="
        shown = [in_thousands(n) for n in made]
        if counts["gemini", layout]["part"]:
            shown[1] += f" ({PART} × {made[1] // PART:,})"
        result.figure(
            f"calls for {n_texts:,} × {n_concepts} cells, {layout}",
            f"{exactly} {most[layout]:,}",
            all(n == most[layout] for n in made)
            or (layout == "stacked" and max(made) < most[layout]),
            *shown,
            f"{n_cells:,}" if layout == "single" else "-",
        )
    wrong = sum(c["wrong"] + c["missing"] for c in counts.values())
    result.figure(
        "labels that are wrong or missing in these runs", "0", not wrong, wrong
    )


def _their_characters(double, texts, sample, statements):
    """Count what hypothesaes sends for all cells, per prompt.

    Its prompts are filled in as it does it, for all cells; a sample of the cells goes
    through its client, and must come out at the server at the same length.
    """
    from hypothesaes.utils import load_prompt

    found = {}
    with Worker() as worker:
        for name in PROMPTS:
            template = load_prompt(name)
            lengths = [
                sum(len(template.format(hypothesis=s, text=text)) for s in statements)
                for text in texts
            ]
            stats = _sent_by_theirs(double, worker, name, sample, statements)
            found[name] = {
                "prompt": sum(lengths),
                "sampled": sum(lengths[: len(sample)]),
                "counted": stats.prompt_characters,
                "calls": stats.calls,
            }
    return found


def _sent_by_theirs(double, worker, prompt, texts, statements):
    double.reset()
    with tempfile.TemporaryDirectory() as folder:
        worker.begin(
            who="theirs",
            url=double.url,
            texts=texts,
            statements=statements,
            cache=folder,
            n_workers=None,
            options={"annotate_prompt_name": prompt},
            values=False,
        )
        worker.result()
    return double.stats()


def _report_prompts(result, counts, theirs, n_cells):
    rows = [
        {
            "who": vendor,
            "layout or prompt": layout,
            "tokens, in thousands": round(c["prompt"] / 4000),
            "with the schema": round((c["prompt"] + c["schema"]) / 4000),
            **_ratios(c, theirs),
        }
        for (vendor, layout), c in counts.items()
    ]
    for name, c in theirs.items():
        size = round(c["prompt"] / 4000)
        rows.append(
            {
                "who": "hypothesaes 2.0.1",
                "layout or prompt": f"{name} ({PROMPTS[name]})",
                "tokens, in thousands": size,
                "with the schema": size,
                **_ratios({**c, "schema": 0}, theirs),
            }
        )
    result.table(f"Prompt tokens (characters ÷ 4) for {n_cells:,} cells", rows)
    if not theirs:
        result.note("hypothesaes is not installed: its prompts were not compared.")
        return
    for name, said in PROMPTS.items():
        total = theirs[name]["prompt"]
        stacked = [counts[v, "stacked"]["prompt"] / total for v in VENDORS]
        is_default = name == "annotate"
        result.figure(
            f"prompt tokens, stacked ÷ hypothesaes `{name}` ({said})",
            "≤ 0.15" if is_default else "-",
            max(stacked) <= 0.15 if is_default else None,
            *(f"{ratio:.3f}" for ratio in stacked),
            f"{total / 4e6:.2f} M tokens",
        )
    agree = all(c["sampled"] == c["counted"] for c in theirs.values())
    n_calls = theirs["annotate"]["calls"]
    result.note(
        f"""hypothesaes's prompts were filled in for all cells as it fills them in; of
        the first {n_calls:,} cells they were sent by its own client, and the server
        counted {"the same number of" if agree else "**another number of**"}
        characters. What a vendor bills for a schema is not documented: "with the
        schema" takes its JSON for so many characters more."""
    )


def _ratios(count, theirs):
    """Compare with and without the schema; hypothesaes sends none."""
    row = {}
    for name, their in theirs.items():
        total = count["prompt"] + count["schema"]
        row[f"÷ `{name}`"] = f"{count['prompt'] / their['prompt']:.3f}"
        row[f"with schema ÷ `{name}`"] = f"{total / their['prompt']:.3f}"
    return row


# Time ---------------------------------------------------------------------------------


def measure_speed(quick):
    """Time single calls at a server that takes its time."""
    n_texts = 20 if quick else 400
    texts, statements, _ = cells(n_texts, 20)
    load = os.getloadavg()[0]
    runs = [("ours", vendor, N_WORKERS, "single", texts) for vendor in VENDORS]
    if not quick:
        runs += [("ours", v, N_WORKERS, "decisions", texts) for v in VENDORS]
    if HAS_THEIRS and not quick:
        fewer = texts[: n_texts // 4]
        runs += [("theirs", "openai", n, "single", fewer) for n in (None, N_WORKERS)]
    rows = [_time(*run, statements) for run in runs]
    result = Result()
    _report_speed(result, rows)
    result.table("Calls at 200 ms", [row["shown"] for row in rows])
    result.note(
        f"""One call per cell (Decisions: per text), answered 200 ms after it arrived;
        each run alone, in a fresh process, after a few calls for warming up, with an
        empty cache on disk.
        The bound is calls × 0.2 s ÷ workers. Processor time is that of the client's
        process, its threads together. hypothesaes was given a quarter of the cells, at
        its default of workers and at ours. The load average of the machine when this
        part started was {load:.1f}: much above 0.3, other work was going on, and the
        seconds say little."""
    )
    return result


def _time(who, vendor, n_workers, layout, texts, statements):
    with server(latency=LATENCY) as double, Worker() as worker:
        job = {"who": who, "vendor": vendor, "url": double.url, "layout": layout}
        job |= {"statements": statements, "n_workers": n_workers, "values": False}
        with tempfile.TemporaryDirectory() as folder:
            job["cache"] = folder
            for part in (["Warm up."], texts):
                double.reset()
                worker.begin(**job, texts=part)
                done = worker.result()
        stats = double.stats()
    workers = n_workers or 30
    n_calls = len(texts) * (1 if layout == "decisions" else len(statements))
    bound = n_calls * LATENCY / workers
    ratio, cpu = done["wall"] / bound, 1000 * done["cpu"] / n_calls
    shown = {
        "who": vendor if who == "ours" else "hypothesaes 2.0.1",
        "layout": layout,
        "workers": f"{workers}{'' if n_workers else ' (its default)'}",
        "calls": in_thousands(stats.calls),
        "most in flight": stats.in_flight_max,
        "connections": stats.connections,
        "bound, s": f"{bound:.1f}",
        "wall, s": f"{done['wall']:.1f}",
        "wall ÷ bound": f"{ratio:.2f}",
        "client CPU per call, ms": f"{cpu:.2f}",
        "error": done["error"],
    }
    return {"ratio": ratio, "cpu": cpu, "wall": done["wall"], "shown": shown}


def _report_speed(result, rows):
    ours, decisions, theirs = rows[:2], rows[2:4], rows[4:]
    calls = ours[0]["shown"]["calls"]
    few = not decisions  # --quick: most of the seconds go into the first calls
    absent = "not run" if HAS_THEIRS else "not installed"
    result.figure(
        f"{calls} single calls at 200 ms and {N_WORKERS} workers: wall ÷ bound",
        "≤ 1.2",
        None if few else max(row["ratio"] for row in ours) <= 1.2,
        *(f"{row['ratio']:.2f} ({row['wall']:.1f} s)" for row in ours),
        f"{theirs[-1]['ratio']:.2f}" if theirs else absent,
    )
    result.figure(
        "client CPU per call, ms",
        "≤ 5",
        max(row["cpu"] for row in ours) <= 5,
        *(f"{row['cpu']:.2f}" for row in ours),
        f"{theirs[-1]['cpu']:.2f}" if theirs else absent,
    )
    if decisions:
        result.figure(
            "the same of calls to Decisions, 20 questions each",
            "-",
            None,
            *(f"{row['cpu']:.2f}" for row in decisions),
            "-",
        )


# Money --------------------------------------------------------------------------------


def measure_budget(quick):
    """Compare estimates and caps with what the server counted."""
    n_texts = 20 if quick else 160
    texts, statements, what = cells(n_texts, 20)
    result, rows, worst, passed = Result(), [], 0.0, 0.0
    with server() as double:
        for vendor in VENDORS:
            for layout in LAYOUTS:
                part = texts[: n_texts // 3] if layout == "single" else texts
                row = _estimate(double, vendor, layout, part, statements)
                worst = max(worst, abs(row["ratio"] - 1))
                rows.append(row)
                for share in (0.25, 0.75):
                    caps = _cap(double, row, share, part, statements)
                    passed = max(passed, caps)
        hard = [
            _hard_cap(double, vendor, layout, texts, statements)
            for vendor in VENDORS
            for layout in ("stacked", "decisions")
        ]
    result.table("Estimates and caps, no faults", [_shown(row) for row in rows])
    result.table("Caps with faults and reasoning", hard)
    passed = max(passed, *(float(row["cost ÷ cap"]) for row in hard))
    by_vendor = [
        f"{min(r):.3f} to {max(r):.3f}"
        for r in ([x["ratio"] for x in rows if x["vendor"] == v] for v in VENDORS)
    ]
    result.figure(
        "`estimate_cost` ÷ what the server counted",
        "0.85 to 1.15",
        worst <= 0.15,
        *by_vendor,
        "has none",
    )
    result.figure(
        "cost at the server ÷ `max_cost`, the largest",
        "≤ 1",
        passed <= 1,
        f"{passed:.3f}",
        "(both)",
        "has none",
    )
    result.note(
        f"""{n_texts} {what} (single: {n_texts // 3}) × {len(statements)} statements,
        16 workers. The server counts a quarter of the characters of prompt and
        answer as tokens, at the list prices of gpt-6-luna, gemini-2.5-flash-lite and
        gemini-decision-1; a real tokenizer differs, by language too, and
        `estimate_cost` foresees no reasoning. Caps are a quarter and three quarters
        of the estimate; after each the cap was lifted and the run finished, and "asked
        twice" counts answers that the server then gave a second time. The second table
        has 10 % of calls fail in all the transient ways, 100 tokens of reasoning with
        each answer, and counts answers that got lost as paid."""
    )
    return result


def _estimate(double, vendor, layout, texts, statements):
    double.reset()
    made = annotator(vendor, double.url, layout, statements)
    estimate = made.estimate_cost(texts)
    made.annotate(texts)
    price = model(vendor, double.url, layout).price_per_million()
    cost = dollars(price, double.stats(), layout)
    return {
        "vendor": vendor,
        "layout": layout,
        "estimate": estimate.cost,
        "cost": cost,
        "ratio": estimate.cost / cost,
        "calls": f"{estimate.calls} of {double.stats().calls}",
        "caps": [],
        "again": 0,
    }


def _cap(double, row, share, texts, statements):
    """Run into a cap, lift it and go on; return cost ÷ cap at the stop."""
    vendor, layout, cap = row["vendor"], row["layout"], share * row["estimate"]
    double.reset()
    with tempfile.TemporaryDirectory() as folder:
        made = annotator(
            vendor, double.url, layout, statements, cache=folder, max_cost=cap
        )
        stopped = _runs_out(made, texts)
        price = made.model.price_per_million()
        used = dollars(price, double.stats(), layout) / cap
        made.set_params(max_cost=None).annotate(texts)
    row["caps"].append(f"{used:.3f}{'' if stopped else ' (not reached)'}")
    row["again"] += answered_again(double.stats())
    return used


def _runs_out(made, texts):
    try:
        made.annotate(texts)
    except BudgetError:
        return True
    return False


def _shown(row):
    return {
        "vendor": row["vendor"],
        "layout": row["layout"],
        "calls estimated, made": row["calls"],
        "estimate, $": f"{row['estimate']:.5f}",
        "at the server, $": f"{row['cost']:.5f}",
        "estimate ÷ server": f"{row['ratio']:.3f}",
        "cost ÷ cap of a quarter": row["caps"][0],
        "of three quarters": row["caps"][1],
        "asked twice": row["again"],
    }


def _hard_cap(double, vendor, layout, texts, statements):
    """Stop at a cap where answers get lost and models think."""
    double.reset()
    made = annotator(vendor, double.url, layout, statements, options={"timeout": 1.0})
    cap = 0.75 * made.estimate_cost(texts).cost
    made.set_params(max_cost=cap)
    double.set(reasoning_tokens=100)
    double.set_faults(Faults.spread(0.1, timeout_seconds=2.0))
    stopped = _runs_out(made, texts)
    double.set(reasoning_tokens=0)
    double.set_faults()
    stats = double.stats()
    price = made.model.price_per_million()
    return {
        "vendor": vendor,
        "layout": layout,
        "stopped by the cap": "yes" if stopped else "no",
        "cost ÷ cap": f"{dollars(price, stats, layout) / cap:.3f}",
        "its own account ÷ cap": f"{made.usage_['cost'] / cap:.3f}",
        "calls": stats.calls,
        "questions whose answer got lost": sum(stats.lost.values()),
    }


PARTS = {
    "calls": measure_calls,
    "speed": measure_speed,
    "budget": measure_budget,
}
