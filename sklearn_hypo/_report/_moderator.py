"""What a report says of a moderator: in a sentence, and as a table by level."""

import numpy as np

from .._inference._multiple_tests import CORRECTIONS, name_without_draws
from .._utils._printable import pluralize, shorten
from ._columns import read_floats, read_labels
from ._formats import format_estimate, format_p, typeset_minus


def name_moderator(report):
    """Return the name of the moderator, or say what it is."""
    name = report.moderator_name
    return "the moderator" if name is None else shorten(name, 40)


def describe_moderator(report):
    """Say how many effects differ between the levels; empty without a moderator."""
    table = report.by_moderator
    if table is None:
        return ""
    corrected = read_floats(report.table, "moderator_p_corrected")
    n_tested = int(np.isfinite(corrected).sum())
    differ = int((corrected <= report.alpha).sum())
    left_out = int((table["note"] != "").sum())
    correction = name_without_draws(report.correction)
    text = (
        f"effects of {differ} of {pluralize(n_tested, 'hypothesis')} differ between "
        f"the {table['level'].nunique()} levels of {name_moderator(report)} "
        f"({correction}, {CORRECTIONS[correction]} level {report.alpha:g})"
    )
    if left_out:
        text += f"; {left_out} of {len(table)} effects by level were not compared"
    return text


def list_by_moderator(report):
    """List effects by level as rows of texts, the header first; empty without any.

    A row has the hypothesis, the estimate with its interval in each level, and the
    corrected p-value of their being equal.
    """
    table = report.by_moderator
    if table is None:
        return []
    levels = table["level"].unique().tolist()
    shown = []
    for row in table.itertuples():
        estimate = row.separation, row.separation_lower, row.separation_upper
        shown.append(row.note if np.isnan(row.separation) else _typeset(estimate))
    p = read_floats(report.table, "moderator_p_corrected")
    rows = []
    for i, label in enumerate(read_labels(report.table)):
        own = shown[i * len(levels) : (i + 1) * len(levels)]
        rows.append([label, *own, "" if np.isnan(p[i]) else format_p(p[i])])
    header = ["hypothesis", *(shorten(level, 40) for level in levels)]
    return [[*header, "p of a difference, corrected"], *rows]


def _typeset(estimate):
    return typeset_minus(format_estimate(*estimate))
