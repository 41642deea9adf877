"""The top of the page: the finding at a glance, then all hypotheses in one table."""

import numpy as np

from ..._utils._printable import shorten
from .._by_annotator import find_flips
from .._columns import format_cells, list_columns
from .._formats import format_interval, format_number, typeset_minus
from .._words import (
    choose_headline,
    describe_correction,
    describe_effect,
    describe_level,
    list_figures,
    list_remarks,
    name_class,
    name_target,
)
from ._charts import Scale, draw_axis, draw_intervals

_NAMED = 5  # findings spelled out in each direction

# Figures of n-grams that came about as those of the hypotheses did
_NEIGHBOURS = {"out_of_sample": "ngrams_out_of_sample", "cross_fitted": "ngrams"}

_WORDS = 220  # characters of a statement in the table; in full below


def describe_overview(report, view):
    """What the first card and the table of all hypotheses need to know, by name."""
    lead = view.lead
    return {
        "view": view,
        "tiles": list_tiles(report),
        "remarks": list_remarks(report),
        "directions": [] if lead is None else list_directions(view),
        "lead_effect": "" if lead is None else describe_effect(report, lead),
        "drawing": describe_drawing(view),
        "level": describe_level(report),
        "columns": list_table_columns(view),
    }


# At a glance ----------------------------------------------------------------------


def list_tiles(report):
    """List what to see first, as (figure, name, interval, remark)."""
    count = f"{report.n_significant} of {report.n_tested}"
    success = "significant in the joint regression"
    tiles = [(count, success, "", describe_correction(report))]
    headline, name = choose_headline(report)
    if headline is not None:
        value, interval = map(typeset_minus, (headline.value, headline.interval))
        tiles.append((value, name, interval, _describe_neighbour(report, headline)))
    for figure in list_figures(report):
        if figure.name == "permutation_p":
            how = figure.description.partition(", ")[2]
            tiles.append((figure.value, "p-value of all together", "", how))
    if report.by_annotator is not None:
        flips = len(find_flips(report.by_annotator))
        n = report.by_annotator["annotator"].nunique()
        count = f"{flips} of {len(report.table)}"
        tiles.append((count, f"conclusions flip over {n} annotators", "", ""))
    return [*tiles, (f"{report.n_rows:,}", "texts", "", _describe_size(report))]


def _describe_neighbour(report, headline):
    """Say what as many n-grams reach in the same way; empty if it is not known."""
    found = {figure.name: figure.value for figure in list_figures(report)}
    for kind, neighbour in _NEIGHBOURS.items():
        metric, is_kind, _ = headline.name.partition(f"_{kind}")
        value = found.get(f"{metric}_{neighbour}") if is_kind else None
        if value is not None:
            return f"as many n-grams: {typeset_minus(value)}"
    return ""


def _describe_size(report):
    classes = report.classes
    parts = [report.task if classes is None else f"{len(classes)} classes"]
    for name, n in (("groups", report.n_groups), ("pairs", report.n_pairs)):
        parts += [] if n is None else [f"{n:,} {name}"]
    if report.n_joint != (report.n_pairs or report.n_rows):
        parts.append(f"{report.n_joint:,} in the joint regression")
    return ", ".join(parts)


def list_directions(view):
    """List what is significant by the sign of the effect, the strongest first.

    "findings" are row, statement, value, interval and class of each, "more" the number
    of those left out.
    """
    if not any(view.significant):
        return []
    estimates = list(zip(*view.estimates(view.lead), strict=True))
    directions = []
    for tone, heading in zip(
        ("positive", "negative"), _list_headings(view), strict=True
    ):
        rows = [i for i in view.order if view.tone(i) == tone]
        rows = rows if tone == "positive" else rows[::-1]
        findings = [
            (
                i,
                shorten(view.names[i], _WORDS),
                format_signed(estimates[i][0]),
                typeset_minus(format_interval(*estimates[i][1:])),
                view.classes[i],
            )
            for i in rows[:_NAMED]
        ]
        more = len(rows) - len(findings)
        directions.append(
            {"tone": tone, "heading": heading, "findings": findings, "more": more}
        )
    return directions


def _list_headings(view):
    report, target = view.report, name_target(view.report)
    if report.classes is None:
        return f"Goes with more of {target}", f"Goes with less of {target}"
    if len(report.classes) == 2:
        return [f"Goes with {name_class(report, c)}" for c in reversed(report.classes)]
    of = "" if report.target_name is None else f" of {target}"
    return f"Goes with more of a class{of}", f"Goes with less of a class{of}"


def format_signed(value):
    """Return a number with its sign."""
    return ("+" if value > 0 else "") + typeset_minus(format_number(value))


# The table ------------------------------------------------------------------------


def list_table_columns(view):
    """List the columns of the table: heading, kind, cells, and values to sort by."""
    n = len(view.names)
    columns = [
        _make_column(
            "#", "number", [(str(i + 1), "") for i in range(n)], range(1, n + 1)
        ),
        _make_column(
            "Hypothesis",
            "words",
            [shorten(name, _WORDS) for name in view.names],
            [name.lower()[:60] for name in view.names],
        ),
    ]
    for column in list_columns(view.report, "page"):
        if column.name == view.separation.name:
            columns.append(_draw_effects(view))
        cells = format_cells(view.table, column, missing="–", typeset=True)
        columns.append(
            _make_column(column.page, "number", cells, view.table[column.name])
        )
    return columns


def _make_column(heading, kind, cells, values):
    values = [_format_key(value) for value in values]
    return {"heading": heading, "kind": kind, "cells": cells, "values": values}


def _format_key(value):
    if isinstance(value, str):
        return value
    return "" if np.isnan(value) else f"{value:.6g}"


def _draw_effects(view):
    """The axis, the drawings, and the values to sort by."""
    effects = [view.estimates(view.separation)]
    effects += [] if view.beside is None else [view.estimates(view.beside)]
    scale, cells = Scale.of(effects), []
    for i in range(len(view.names)):
        # with nothing beside it, the separation is the main mark
        *alone, main = (tuple(part[i] for part in effect) for effect in effects)
        cells.append(draw_intervals(scale, *(alone or [None]), main, tone=view.tone(i)))
    column = _make_column("Effect", "drawing", cells, effects[-1][0])
    return column | {"axis": draw_axis(scale)}


def describe_drawing(view):
    """Say what dots and lines in the table are."""
    if view.beside is None:
        about = f"Dots: {describe_effect(view.report, view.separation)}."
    else:
        effect = describe_effect(view.report, view.beside)
        about = f"Dots: {effect}, beside the other hypotheses."
    return (
        f"{about} Lines: 95% intervals. Joint p: corrected for the number of "
        "hypotheses."
    )
