"""The rest of the page: how it was tested, where it comes from, how to read it."""

import json

import numpy as np
from markupsafe import Markup

from .._words import (
    describe_correction,
    describe_permutations,
    describe_standard_errors,
    list_conditions,
)


def list_method(report):
    """List how the p-values and intervals came about, as (name, value)."""
    counts = {"groups": report.n_groups, "pairs": report.n_pairs}
    units, n = "texts", report.n_rows
    if report.n_pairs is not None:
        units, n = "pairs", report.n_pairs
    return [
        ("target", report.target_name or ""),
        ("task", report.task),
        ("classes", ", ".join(map(repr, report.classes or ()))),
        ("correction", describe_correction(report)),
        ("hypotheses that the correction counts", str(report.n_tested)),
        ("p-values", describe_permutations(report)),
        ("standard errors", describe_standard_errors(report)),
        (f"{units} in the joint regression", f"{report.n_joint:,} of {n:,}"),
        ("hypotheses in the joint regression", str(report.n_joint_hypotheses)),
        *((name, f"{n:,}") for name, n in counts.items() if n is not None),
        *list_conditions(report).items(),
    ]


def list_origins(provenance):
    """List date, hashes, seeds and versions, as (name, value)."""
    parts = {
        "data: {}": provenance["data"],
        "seed: {}": provenance["seeds"],
        "version of {}": provenance["versions"],
    }
    return [("made on", provenance["created"])] + [
        (form.format(name), f"{value:,}" if isinstance(value, int) else value)
        for form, values in parts.items()
        for name, value in values.items()
        if value is not None
    ]


def list_edits(provenance):
    """List what changed since earlier reports: a head and rows; empty if nothing."""
    edits = provenance["edits"]
    names = list({name: None for edit in edits for name in edit})
    return (
        [names, *([edit.get(n, "") for n in names] for edit in edits)] if edits else []
    )


def list_usage(usage):
    """List what language models consumed: a head and rows; empty if nothing."""
    if usage is None or usage.empty:
        return []
    filled = usage.notna() & usage.astype(bool)
    names = [name for name in usage if filled[name].any()]
    rows = [
        [_format_usage(name, value) for name, value in record.items()]
        for record in usage[names].to_dict("records")
    ]
    return [[name.replace("_", " ") for name in names], *rows]


def _format_usage(name, value):
    if isinstance(value, str):
        return value
    if value is None or np.isnan(value):
        return "unknown"
    return f"${value:,.2f}" if name == "cost" else f"{int(value):,}"


def list_settings(provenance):
    """List the lines of the settings as JSON, as (indentation, text)."""
    if not provenance["settings"]:
        return []
    text = json.dumps(provenance["settings"], indent=1, ensure_ascii=False)
    lines = [(line, line.lstrip(" ")) for line in text.splitlines()]
    return [(Markup("&nbsp;") * (len(line) - len(text)), text) for line, text in lines]


GLOSSARY = (
    (
        "Alone (separation)",
        "Mean of the target over the texts that have the hypothesis, minus the mean "
        "over those that lack it. For classes: difference of the shares of a class.",
    ),
    (
        "Beside the others (joint)",
        "What changes in the target with the hypothesis while all other hypotheses, "
        "and the covariates, stay as they are. Two hypotheses that say nearly the same "
        "share one effect and may both look weak here.",
    ),
    (
        "Significant",
        "The corrected p-value of the joint regression is at most the level. With a "
        "family level of 0.1 at most one in ten such reports names even one "
        "hypothesis that does nothing. With a false discovery rate of 0.1 at most a "
        "tenth of the named ones do nothing, on average.",
    ),
    (
        "95% interval",
        "Made anew on other texts of the same kind, 95 in 100 of such intervals hold "
        "the true value. They are not corrected for the number of hypotheses.",
    ),
    (
        "Fidelity",
        "How well the words describe the neuron they were written for: F1 against "
        "its activation, in training. It says nothing on the target.",
    ),
    (
        "Share",
        "Share of the texts that have the hypothesis, of those with an answer.",
    ),
    (
        "What it cannot tell",
        "That the hypothesis is the cause. Texts that have it may differ in other "
        "ways that no one measured.",
    ),
)
