"""A report as plain text that fits a terminal, and as a small table of a notebook."""

from textwrap import wrap
from unicodedata import combining, east_asian_width

from .._language_models._usage_table import format_usage
from .._utils._printable import shorten, to_printable
from ._columns import format_cells, list_columns, read_strings
from ._page._render import render
from ._words import (
    describe_conditions,
    describe_sample,
    describe_standard_errors,
    describe_success,
    group_notes,
    list_covariates,
    list_figures,
    list_missing_answers,
    list_near_duplicates,
    name_target,
)

_WIDTH = 110  # columns of a terminal

_NARROWEST = 20  # a statement gets at least so many, however many figures there are

_WIDEST = 48

_IN_NOTEBOOK = 160

_LISTED = 6  # lines of one kind below the table


def text_lines(report):
    """Return the lines that printing a report shows."""
    return [describe_sample(report), "", *_table_lines(report), "", *_summarize(report)]


def notebook_html(report):
    """Return what a notebook shows, as HTML: the same as the text, as a table."""
    header, *rows = zip(*_table_cells(report, _IN_NOTEBOOK), strict=True)
    return render(
        "notebook.html.j2",
        title=describe_sample(report),
        header=header,
        rows=rows,
        lines=_summarize(report),
    )


# The table ------------------------------------------------------------------------


def _table_lines(report):
    """The lines of the table: the first column left, the others right."""
    columns = _table_cells(report, _WIDEST)
    taken = sum(max(map(_count_columns, cells)) + 2 for cells in columns[1:])
    room = min(max(_WIDTH - taken, _NARROWEST), _WIDEST)
    columns[0] = [_cut(cell, room) for cell in columns[0]]
    padded = [_pad(cells, left=n == 0) for n, cells in enumerate(columns)]
    return ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]


def _pad(cells, *, left):
    width = max(map(_count_columns, cells))
    blanks = [" " * (width - _count_columns(cell)) for cell in cells]
    return [c + b if left else b + c for c, b in zip(cells, blanks, strict=True)]


def _cut(text, room):
    """Shorten to so many columns of a terminal."""
    while _count_columns(text) > room:
        text = text.removesuffix("…")[:-1] + "…"
    return text


def _count_columns(text):
    """Columns of a terminal that the text takes."""
    return sum(
        0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text
    )


def _table_cells(report, length):
    """The cells of the table, by column, the header first."""
    classes, found = read_strings(report.table, "separation_class"), []
    for column in list_columns(report, "terminal"):
        rows = format_cells(report.table, column, missing="nan")
        cells = [shorten(f"{value} {interval}", length) for value, interval in rows]
        if column.name == "separation":
            cells = [
                f"{cell} ({shorten(label, 12)})" if label and cell != "nan" else cell
                for cell, label in zip(cells, classes, strict=True)
            ]
        found.append([column.terminal, *cells])
    marks = ["*" if flag else "" for flag in report.table["significant"]]
    return [*found, ["", *marks]]


# Below the table ------------------------------------------------------------------


def _summarize(report):
    """Lines on the whole, then those on single hypotheses."""
    lines = [f"* {describe_success(report)}"]
    if report.classes is not None and len(report.classes) == 2:
        zero, one = (to_printable(repr(c)) for c in report.classes)
        lines += _wrap(f"{name_target(report)}: 1 for {one}, 0 for {zero}")
    legend = "p: of the separation, corrected too; joint p: corrected"
    if describe_standard_errors(report):
        legend += f"; standard errors: {describe_standard_errors(report)}"
    lines += _wrap(legend)
    lines += _wrap(describe_conditions(report))
    lines += _figure_lines(report)
    lines += _wrap(format_usage(report.usage))
    for part in (_covariate_lines, _duplicate_lines, _missing_lines):
        found = part(report)
        more = len(found) - _LISTED
        lines += found[:_LISTED] + [f"  ... and {more} more such"] * (more > 0)
    for note, names, gap in group_notes(report):
        lines += _wrap(f"{'NaN' if gap else 'note'}: {to_printable(note)}: {names}")
    return lines


def _figure_lines(report):
    figures = list_figures(report)
    first = max([7, *(len(figure.value) for figure in figures)])
    second = max((len(figure.interval) for figure in figures), default=0)
    second += bool(second)
    lines = []
    for figure in figures:
        interval = figure.interval and f" {figure.interval}"
        head = f"{figure.value:>{first}}{interval:<{second}}"
        line = f"{head}  {to_printable(figure.description)}"
        lines += _wrap(line, indent=first + second + 2)
    return lines


def _covariate_lines(report):
    lines = []
    for name, estimate, p in list_covariates(report):
        parts = ", ".join(filter(None, [estimate, p and f"p {p}"]))
        lines.append(f"covariate: {shorten(name, 40)}: {parts or 'not estimated'}")
    return lines


def _duplicate_lines(report):
    return [
        f"nearly one: {shorten(first, 40)} | {shorten(second, 40)}: {how}"
        for first, second, how in list_near_duplicates(report)
    ]


def _missing_lines(report):
    return [
        f"no answer: {shorten(name, 40)}: {share}"
        + (f"; separation in {bounds} at worst" if bounds else "")
        for name, share, bounds in list_missing_answers(report)
    ]


def _wrap(line, indent=2):
    """Break a long line between words; a line that fits keeps its blanks."""
    if len(line) <= _WIDTH:
        return [line] if line else []
    head = line[: len(line) - len(line.lstrip())]
    first, *rest = wrap(line, _WIDTH, subsequent_indent=" " * indent)
    return [head + first.lstrip(), *rest]
