"""One hypothesis: its figures, where its neuron is active, and texts to read."""

from functools import partial

import numpy as np

from ..._utils._tokens import write_term
from .._columns import (
    COLUMNS,
    Column,
    format_cells,
    list_columns,
    rank_joint_effects,
    read_strings,
)
from .._formats import format_p, typeset_minus
from .._words import describe_effect, list_missing_answers
from ._charts import draw_bar, draw_histogram
from ._highlight import highlight_terms
from ._overview import format_signed

_NAMED = 300  # characters of a statement in the summary


def list_details(view):
    """List what the template shows of each hypothesis, in the order of the page."""
    report, table = view.report, view.table
    effects, basis = _list_effects(view), _list_basis(report)
    originals, notes = (read_strings(table, name) for name in ("duplicate_of", "note"))
    turned = read_strings(table, "reversed")
    by_class, by_annotator = _list_classes(report), _list_annotators(report)
    lead = None if view.lead is None else view.estimates(view.lead)[0]
    found = []
    for i in view.order:
        name, detail = view.names[i], report.details[i]
        short = name if len(name) <= _NAMED else name[: _NAMED - 1] + "…"
        sized = lead is not None and np.isfinite(lead[i])
        found.append(
            {
                "row": i,
                "tone": view.tone(i),
                "significant": view.significant[i],
                "name": short,
                "full_name": name if short != name else "",
                "size": format_signed(lead[i]) if sized else "",
                "class": view.classes[i],
                "original": originals[i],
                "note": notes[i],
                "effects": effects[i],
                "basis": basis[i],
                "by_class": by_class.get(view.statements[i], {}),
                "by_annotator": by_annotator.get(view.statements[i], []),
                "activations": _draw_activations(detail),
                "by_target": _list_shares(detail),
                "texts": _list_texts(detail),
                "turned": turned[i],
                "terms": _list_terms(detail),
                "has_gains": bool(detail.term_gains),
            }
        )
    return found


def _list_effects(view):
    """Estimates, intervals and p-values of each hypothesis, in words."""
    report = view.report
    joint = rank_joint_effects(report)
    columns = list_columns(report, "effect")
    named = [view.separation, *joint]
    named += [column for column in columns if column not in named]
    descriptions = [describe_effect(report, column) for column in named]
    lines = _name_cells(report, named, descriptions)
    worst = {name: bounds for name, _, bounds in list_missing_answers(report)}
    for name, own in zip(view.names, lines, strict=True):
        if worst.get(name):
            about = "separation, whatever the missing answers are"
            own.insert(1, (about, typeset_minus(worst[name]), ""))
    return lines


def _list_basis(report):
    """What each effect rests on: the neuron, the texts, the model."""
    columns = list_columns(report, "basis")
    tested = "texts" if report.n_pairs is None else "pairs"
    names = [column.basis.format(tested=tested) for column in columns]
    return _name_cells(report, columns, names)


def _name_cells(report, columns, names):
    """(name, value, interval) of the columns that have a value, by hypothesis."""
    lines = [[] for _ in range(len(report.table))]
    for column, name in zip(columns, names, strict=True):
        cells = format_cells(report.table, column, missing="", typeset=True)
        for own, (value, interval) in zip(lines, cells, strict=True):
            value = {"inf": "infinite"}.get(value, value)
            own += [(name, value, interval)] if value else []
    return lines


def _list_classes(report):
    """(class, effect and p-value alone and beside the others) by hypothesis."""
    table, found = report.by_class, {}
    if table is None:
        return found
    for column in COLUMNS:
        if column.name in ("separation", "ame") and column.name in table:
            cells = format_cells(table, column, missing="–", typeset=True)
            p = Column(f"{column.name}_p", format_p)
            ps = format_cells(table, p, missing="–", typeset=True)
            rows = zip(table["hypothesis"], table["class"], cells, ps, strict=True)
            for name, label, cell, (p, _) in rows:
                own = found.setdefault(str(name), {})
                own.setdefault(str(label), []).append((*cell, p))
    return found


def _list_annotators(report):
    """(annotator, share, effect and p-value alone and beside the others) by hypothesis.

    Cells are values with their intervals; significant effects have a star.
    """
    table, found = report.by_annotator, {}
    if table is None:
        return found
    joint = [column.name for column in rank_joint_effects(report)[:1]]
    names = [
        "prevalence",
        "separation",
        "separation_p_corrected",
        *joint,
        "p_corrected",
    ]
    columns = {column.name: column for column in COLUMNS}
    cells = [
        format_cells(table, columns[name], missing="–", typeset=True) for name in names
    ]
    rows = zip(
        *(table[name] for name in ("hypothesis", "annotator", "significant")),
        *cells,
        strict=True,
    )
    for name, annotator, significant, *own, (p, _) in rows:
        mark = (p + "*" * bool(significant), "")
        found.setdefault(str(name), []).append((annotator, [*own, mark]))
    return found


def _draw_activations(detail):
    """Histogram of the neuron, texts that have it above those that lack it."""
    if not detail.bin_edges:
        return None
    have, lack = sum(detail.counts_present), sum(detail.counts_absent)
    label = (
        "Histogram of the activation of the neuron: "
        f"{have:,} active texts that have the hypothesis, "
        f"{lack:,} active texts that lack it"
    )
    counts = (detail.counts_present, detail.counts_absent)
    keys = [
        ("present", f"have it ({have:,} active, {detail.n_zero[0]:,} not)"),
        ("absent", f"lack it ({lack:,} active, {detail.n_zero[1]:,} not)"),
    ]
    return {
        "drawing": draw_histogram(detail.bin_edges, *counts, label=label),
        "keys": keys,
    }


def _list_shares(detail):
    """Share of texts that have it, by class or range of the target."""
    return [
        (label, draw_bar(share), "–" if np.isnan(share) else f"{share:.1%}", f"{n:,}")
        for label, n, share in detail.prevalence_by_target
    ]


def _list_terms(detail):
    """The terms, each with its share of the texts and what it adds to the fidelity."""
    shares = detail.term_shares or (np.nan,) * len(detail.terms)
    gains = detail.term_gains or (np.nan,) * len(detail.terms)
    return [
        (
            write_term(term),
            "–" if np.isnan(share) else f"{share:.1%}",
            "–" if np.isnan(gain) else format_signed(gain),
        )
        for term, share, gain in zip(detail.terms, shares, gains, strict=True)
    ]


def _list_texts(detail):
    """The texts that have it, and those that lack it, with its terms marked."""
    if not (detail.present or detail.absent):
        return []
    mark = partial(highlight_terms, terms=detail.terms, tokenizer=detail.tokenizer)
    sides = {"have": detail.present, "lack": detail.absent}
    return [
        (f"Texts that {side} it", [mark(text) for text in texts])
        for side, texts in sides.items()
    ]
