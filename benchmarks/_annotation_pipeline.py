"""The whole pipeline with language models, on texts whose concepts are known."""

import tempfile
import time

import numpy as np
from _annotation_setup import (
    LAYOUTS,
    VENDORS,
    Mind,
    Result,
    answered_again,
    in_thousands,
    model,
    start_process,
)
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from sklearn_hypo import LLMAnnotator, LLMInterpreter, make_hypothesis_pipeline
from sklearn_hypo.datasets import make_concept_texts

N_CONCEPTS = 10
RECOVERED = 0.95  # F1 of the hypothesis nearest to a concept, on the holdout


def pipeline(double, vendor, layout, n_texts, *, seed, folder, memory, **settings):
    """Build the pipeline whose last step talks to a server."""
    interpreter = LLMInterpreter(model(vendor, double.url), cache=folder)
    annotator = LLMAnnotator(
        model(vendor, double.url, layout), layout=layout, cache=folder
    )
    pipe = make_hypothesis_pipeline(
        n_texts=n_texts,
        interpreter=interpreter,
        annotator=annotator,
        random_state=seed,
    )
    # the steps before the language model are the same for all vendors and layouts
    return pipe.set_params(embed__n_components=32, memory=memory, **settings)


def planted(n_texts, seed):
    """Return texts with planted concepts, and a server that knows them."""
    data = make_concept_texts(n_texts, n_concepts=N_CONCEPTS, random_state=seed)
    return data, start_process(Mind.from_concept_texts(data))


# Recovery -----------------------------------------------------------------------------


def measure_pipeline(quick):
    """Find planted concepts through both vendors' SDKs, with every layout."""
    seeds, n_fit, n_test = (1, 500, 100) if quick else (3, 2000, 200)
    n_single, n_others = (20, 50) if quick else (50, 400)
    n_scored = 20 if quick else 50
    result, rows = Result(), []
    for seed in range(seeds):
        # a call a cell takes long: the first seed shows it
        layouts = LAYOUTS if seed == 0 else LAYOUTS[1:]
        sizes = {name: n_single if name == "single" else n_others for name in layouts}
        rows += _recover_all(seed, n_fit, n_test, n_scored, sizes)
    result.table("Planted concepts found again", [_shown(row) for row in rows])
    by_vendor = {v: [r for r in rows if r["vendor"] == v] for v in VENDORS}
    for title, value, aim in (
        (
            "planted concepts recovered (annotation F1 ≥ 0.95 on the holdout)",
            "found",
            N_CONCEPTS,
        ),
        ("the smallest F1 of a concept", "least", RECOVERED),
    ):
        result.figure(
            f"whole pipeline, every layout: {title}",
            f"{aim} of {aim}" if value == "found" else f"≥ {aim}",
            all(row[value] >= aim for row in rows),
            *(_range(by_vendor[vendor], value) for vendor in VENDORS),
        )
    result.note(
        f"""`make_concept_texts` with {N_CONCEPTS} concepts, {n_fit:,} texts to fit on
        and {n_test} others to score on; `make_hypothesis_pipeline` with an LSA of 32
        components, 20 neurons, LLMInterpreter and LLMAnnotator with their defaults
        (`n_scoring_examples={n_scored}`), and `max_annotated={n_others}` (single:
        {n_single}, and one seed). The double knows the rule behind every
        planted concept, answers the interpreter with the concept that separates its
        examples best, and the annotator by the rules: what is measured is the pipeline,
        not a model's wits. F1 is that of the annotation nearest to the
        planted truth. The same fit of embedding and autoencoder serves all vendors and
        layouts of a seed."""
    )
    return result


def _range(rows, value):
    values = [row[value] for row in rows]
    written = [f"{v:.3f}" if isinstance(v, float) else str(v) for v in values]
    low, high = written[int(np.argmin(values))], written[int(np.argmax(values))]
    return low if low == high else f"{low} to {high}"


def _recover_all(seed, n_fit, n_test, n_scored, sizes):
    """Fit a pipeline for every vendor and layout on the same texts."""
    data, double = planted(n_fit + n_test, seed)
    with double, tempfile.TemporaryDirectory() as memory:
        return [
            _recover(
                double,
                vendor,
                layout,
                data,
                n_fit,
                seed,
                memory,
                hypotheses__max_annotated=n_annotated,
                hypotheses__interpreter__n_scoring_examples=n_scored,
            )
            for vendor in VENDORS
            for layout, n_annotated in sizes.items()
        ]


def _recover(double, vendor, layout, data, n_fit, seed, memory, **settings):
    """Fit one pipeline and compare what it found with the truth."""
    double.reset()
    with tempfile.TemporaryDirectory() as folder:
        pipe = pipeline(
            double,
            vendor,
            layout,
            n_fit,
            seed=seed,
            folder=folder,
            memory=memory,
            **settings,
        )
        start = time.perf_counter()
        pipe.fit(data.data[:n_fit], data.target[:n_fit])
        annotations = pipe.transform(data.data[n_fit:])
        seconds = time.perf_counter() - start
    f1 = _f1(np.asarray(annotations, dtype=float), data.truth[n_fit:]).max(axis=1)
    stats = double.stats()
    return {
        "seed": seed,
        "vendor": vendor,
        "layout": layout,
        "found": int((f1 >= RECOVERED).sum()),
        "least": float(f1.min()),
        "which": data.concept_names[int(f1.argmin())],
        "hypotheses": annotations.shape[1],
        "calls": stats.calls,
        "again": answered_again(stats),
        "seconds": seconds,
    }


def _f1(marks, truth):
    total = truth.sum(axis=0)[:, None] + marks.sum(axis=0)
    return 2 * (truth.T @ marks) / np.maximum(total, 1)


def _shown(row):
    return {
        "seed": row["seed"],
        "vendor": row["vendor"],
        "layout": row["layout"],
        "recovered": f"{row['found']} of {N_CONCEPTS}",
        "least F1": f"{row['least']:.3f} ({row['which']})",
        "hypotheses": row["hypotheses"],
        "calls": in_thousands(row["calls"]),
        "paid twice": row["again"],
        "seconds": f"{row['seconds']:.1f}",
    }


# Searches -----------------------------------------------------------------------------


def measure_searches(quick):
    """Cross-validate and search a grid, then do exactly the same again."""
    n_texts, vendors = (150, VENDORS[:1]) if quick else (400, VENDORS)
    data, double = planted(n_texts, 0)
    result, rows = Result(), []
    with double:
        for vendor, layout in zip(vendors, ("stacked", "decisions"), strict=False):
            rows += _search_twice(double, vendor, layout, data, n_texts)
    result.table("A second run of the same search", rows)
    again = {v: [r for r in rows if r["vendor"] == v] for v in VENDORS}
    result.figure(
        "cross-validation and grid search: calls of a second run",
        "0",
        not any(row["calls again"] for row in rows)
        and all(row["same scores"] == "yes" for row in rows),
        *(sum(row["calls again"] for row in again[v]) for v in VENDORS),
    )
    result.note(
        f"""{n_texts} generated texts, three folds; the grid has two values of
        `hypotheses__interpreter__n_candidates` and two of
        `hypotheses__annotator__decision_threshold`. "Paid twice" are answers that the
        server gave twice within the first run, by folds or candidates."""
    )
    return result


def _search_twice(double, vendor, layout, data, n_texts):
    rows = []
    for title, search in (("cross-validation", _validate), ("grid search", _search)):
        double.reset()
        with tempfile.TemporaryDirectory() as folder:
            runs = []
            for _ in range(2):
                pipe = pipeline(
                    double,
                    vendor,
                    layout,
                    n_texts,
                    seed=0,
                    folder=folder,
                    memory=None,
                    hypotheses__interpreter__n_candidates=1,
                    hypotheses__max_annotated=100,
                    select__n_select=5,
                )
                scores = search(pipe, data)
                stats = double.stats()
                runs.append((scores, stats.calls, answered_again(stats)))
        (first, n_first, twice), (second, n_both, _) = runs
        rows.append(
            {
                "vendor": vendor,
                "layout": layout,
                "search": title,
                "calls": in_thousands(n_first),
                "paid twice": twice,
                "calls again": n_both - n_first,
                "same scores": "yes" if np.array_equal(first, second) else "no",
            }
        )
    return rows


def _validate(pipe, data):
    return cross_val_score(pipe, data.data, data.target, cv=KFold(3))


def _search(pipe, data):
    grid = {
        "hypotheses__interpreter__n_candidates": [1, 2],
        "hypotheses__annotator__decision_threshold": [0.5, 0.9],
    }
    search = GridSearchCV(pipe, grid, cv=KFold(3)).fit(data.data, data.target)
    return search.cv_results_["mean_test_score"]


PARTS = {"pipeline": measure_pipeline, "searches": measure_searches}
