"""The rest of the page: the whole, redundancy, how it was made, how to read it."""

import json

import numpy as np

from .._words import (
    conditions,
    errors,
    format_p,
    level,
    numbers,
    overall_figures,
    permutation_line,
    twins,
    unanswered,
    words,
)
from ._markup import Markup, element, join, statement
from ._reading import estimate, number

_LISTED = 50


def overall(report):
    """The figures on all hypotheses together, each with what it means."""
    rows = [
        (estimate(f.value, f.lower, f.upper), f.description)
        for f in overall_figures(report)
        if not np.isnan(f.value)
    ]
    if permutation_line(report):
        rows.append((format_p(report.permutation_p), permutation_line(report)))
    if not rows:
        return None
    lines = [
        element("tr", element("th", value, scope="row"), element("td", description))
        for value, description in rows
    ]
    table = element("table", element("tbody", *lines), class_="figures")
    return _section("All hypotheses together", table)


def covariates(report):
    """What was held constant: in the joint regression, but no hypothesis."""
    table = getattr(report, "covariates", None)
    if table is None or table.empty:
        return None
    columns = [numbers(table, f"coef{end}") for end in ("", "_lower", "_upper", "_p")]
    lines = [
        element(
            "tr",
            element("th", statement(name), scope="row"),
            element("td", estimate(*bounds)),
            element("td", "–" if np.isnan(p) else format_p(p)),
        )
        for name, *bounds, p in zip(words(table, "name"), *columns, strict=True)
    ]
    body = _table(["covariate", "coefficient [95% interval]", "p"], lines)
    about = "In the joint regression beside the hypotheses, and not counted as tests."
    return _section("Covariates", element("p", about), body)


def redundancy(report):
    """Hypotheses that are nearly one, and how many there are in effect."""
    parts = []
    found = getattr(report, "redundancy", None)
    effective = getattr(found, "n_effective", np.nan)
    if effective is not None and np.isfinite(effective):
        text = (
            f"The {len(report.table)} hypotheses count as {effective:.1f} independent "
            "ones, by the eigenvalues of the correlations of their annotations."
        )
        parts.append(element("p", text))
    pairs = twins(report)
    if pairs:
        lines = [
            element(
                "tr",
                element("td", statement(first)),
                element("td", statement(second)),
                element("td", how),
            )
            for first, second, how in pairs[:_LISTED]
        ]
        parts.append(_table(["one", "the other", "how alike"], lines))
        if len(pairs) > _LISTED:
            parts.append(element("p", f"and {len(pairs) - _LISTED} more pairs"))
    elif found is not None:
        parts.append(element("p", "No two hypotheses are nearly one."))
    return _section("Redundancy", *parts) if parts else None


def missing(report):
    """Texts without an answer, and what they could do to the separation."""
    rows = unanswered(report)
    if not rows:
        return None
    lines = []
    for name, n_missing, n, lower, upper in rows[:_LISTED]:
        worst = "–"
        if not np.isnan([lower, upper]).any():
            worst = f"{number(lower)} to {number(upper)}"
        share = f"{n_missing:,} of {n:,}"
        cells = (statement(name), share, worst)
        lines.append(element("tr", *(element("td", cell) for cell in cells)))
    heads = ["hypothesis", "no answer", "separation, at worst"]
    return _section("Missing answers", _table(heads, lines))


def method(report):
    """How the p-values and intervals came about."""
    pairs = [
        ("task", report.task),
        ("classes", ", ".join(map(repr, report.classes or ()))),
        ("correction", level(report)),
        ("hypotheses that the correction counts", str(report.n_tested)),
        ("standard errors", errors(report)),
        ("texts in the joint regression", f"{report.n_joint:,} of {report.n_rows:,}"),
        ("hypotheses in the joint regression", str(report.n_joint_hypotheses)),
    ]
    for name, label in (("n_groups", "groups"), ("n_pairs", "pairs")):
        if getattr(report, name, None) is not None:
            pairs.append((label, f"{getattr(report, name):,}"))
    pairs += conditions(report).items()
    return _section("How it was tested", _definitions(pairs))


def provenance(report):
    """Model, settings, seeds, hashes, cost, versions, edits: to make it again."""
    found = getattr(report, "provenance", None) or {}
    parts = [_definitions(_facts(found))]
    parts += [_usage(report), _edits(found), _settings(found)]
    parts = [part for part in parts if part]
    return _section("Where it comes from", *parts) if parts else None


def _facts(found):
    pairs = [("made on", _plain(found.get("created")))]
    pairs += _flat(found.get("data"), "data: ")
    pairs += _flat(found.get("seeds"), "seed: ")
    pairs += [
        (f"version of {name}", _plain(version))
        for name, version in (found.get("versions") or {}).items()
        if version is not None
    ]
    known = {"created", "data", "seeds", "versions", "settings", "edits"}
    for name, value in found.items():
        if name not in known:
            pairs.append((str(name), _plain(value)))
    return pairs


def _flat(values, prefix):
    if not isinstance(values, dict):
        return [(prefix.rstrip(": "), _plain(values))]
    return [(f"{prefix}{name}", _plain(value)) for name, value in values.items()]


def _plain(value):
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _usage(report):
    """What language models consumed."""
    usage = getattr(report, "usage", None)
    if usage is None or usage.empty:
        return None
    names = [name for name in usage.columns if not _is_empty(usage[name])]
    lines = []
    for record in usage[names].to_dict("records"):
        cells = [_usage_cell(name, value) for name, value in record.items()]
        lines.append(element("tr", *(element("td", cell) for cell in cells)))
    heads = [name.replace("_", " ") for name in names]
    return join([element("h3", "Language models"), _table(heads, lines)])


def _is_empty(column):
    return column.isna().all() or not column.astype(bool).any()


def _usage_cell(name, value):
    if isinstance(value, str):
        return value
    if value is None or np.isnan(value):
        return "unknown"
    return f"${value:,.2f}" if name == "cost" else f"{int(value):,}"


def _edits(found):
    """What people changed by hand; that nothing was is worth saying too."""
    if "edits" not in found:
        return None
    edits = found["edits"] or []
    if not edits:
        return element("p", "No hypothesis was edited by hand.")
    names = list(dict.fromkeys(str(name) for edit in edits for name in edit))
    lines = [
        element("tr", *(element("td", statement(_plain(edit.get(n)))) for n in names))
        for edit in edits
    ]
    heading = f"Edited by hand ({len(edits)})"
    return join([element("h3", heading), _table(names, lines)])


def _settings(found):
    settings = found.get("settings")
    if not settings:
        return None
    text = json.dumps(settings, indent=1, ensure_ascii=False, default=str)
    # line by line: an escape puts everything on one line
    lines = join(element("span", _indented(line)) for line in text.splitlines())
    shown = element("pre", lines, tabindex=0)
    return element("details", element("summary", "Settings"), shown, class_="plain")


def _indented(line):
    """A line whose blanks at the beginning survive the escape."""
    bare = line.lstrip(" ")
    return join([Markup("&nbsp;" * (len(line) - len(bare))), bare])


_GLOSSARY = (
    (
        "Alone (separation)",
        "Mean of y over the texts that have the hypothesis, minus the mean over "
        "those that lack it. For classes: difference of the shares of a class.",
    ),
    (
        "Beside the others (joint)",
        "What changes in y with the hypothesis while all other hypotheses, and the "
        "covariates, stay as they are. Two hypotheses that say nearly the same share "
        "one effect and may both look weak here.",
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
        "its activation, in training. It says nothing on y.",
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


def glossary():
    """What the words on the page mean."""
    items = [
        element("div", element("dt", term), element("dd", text))
        for term, text in _GLOSSARY
    ]
    summary = element("summary", "How to read this page")
    return element("details", summary, element("dl", *items), class_="plain glossary")


# Parts ----------------------------------------------------------------------------


def _section(title, *parts):
    return element("section", element("h2", title), *parts)


def _table(heads, lines):
    head = element("tr", *(element("th", head, scope="col") for head in heads))
    table = element("table", element("thead", head), element("tbody", *lines))
    return element("div", table, class_="wide")


def _definitions(pairs):
    items = [
        element("div", element("dt", name), element("dd", value))
        for name, value in pairs
        if value
    ]
    return element("dl", *items, class_="facts") if items else None
