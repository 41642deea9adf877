"""A report as plain text that fits a terminal."""

from textwrap import wrap

from .._language_models._usage_table import format_usage
from .._utils._printable import (
    count_columns,
    shorten,
    to_printable,
    wrap_words,
)
from ._columns import format_cells, list_columns, read_labels
from ._moderator import describe_moderator
from ._view import ReportView
from ._words import (
    describe_adjusted,
    describe_annotators,
    describe_conditions,
    describe_earlier_tests,
    describe_length,
    describe_near_duplicate_texts,
    describe_permutations,
    describe_reversed,
    describe_sample,
    describe_skipped,
    describe_standard_errors,
    describe_success,
    describe_target_kind,
    describe_training_texts,
    flag_reversed,
    group_notes,
    list_covariates,
    list_figures,
    list_missing_answers,
    list_near_duplicates,
    mark_findings,
    name_target,
)

_WIDTH = 100  # columns of a terminal

_NARROWEST = 24  # a statement gets at least so many, however wide the figures are

_LONGEST = 300  # characters of a statement

_INDENT = "  "  # of the statements below the heading of their block

_LISTED = 6  # lines of one kind below the table


def text_lines(report):
    """Return the lines that printing a report shows."""
    below = [part for line in summary_lines(report) for part in _wrap(line)]
    return [describe_sample(report), "", *_table_lines(report), "", *below]


# The table ------------------------------------------------------------------------


def _table_lines(report):
    """The lines of the table: statements left and wrapped, figures right, in blocks."""
    header, labels, figures = _table_cells(report)
    rows = [header[1:], *figures]
    widths = [max(map(count_columns, cells)) for cells in zip(*rows, strict=True)]
    taken = len(_INDENT) + sum(width + 2 for width in widths)
    longest = max([len(header[0]) - len(_INDENT), *map(count_columns, labels)])
    room = min(max(_WIDTH - taken, _NARROWEST), longest)
    lines = [_join_cells(header[0], len(_INDENT) + room, header[1:], widths)]
    for heading, block in ReportView(report).blocks():
        lines.append(heading)
        for i in block:
            first, *rest = wrap_words(labels[i], room)
            line = _join_cells(_INDENT + first, len(_INDENT) + room, figures[i], widths)
            lines += [line, *(_INDENT + more for more in rest)]
    return lines


def _join_cells(label, room, cells, widths):
    """A line: the label left, the other cells right, but for the marks at the end."""
    *cells, marks = [
        " " * (width - count_columns(cell)) + cell
        for cell, width in zip(cells, widths, strict=True)
    ]
    label += " " * (room - count_columns(label))
    return "  ".join([label, *cells, marks.strip()]).rstrip()


def _table_cells(report):
    """The header, the statements, and the figures of each with marks at the end."""
    first, *columns = list_columns(report, "terminal")
    labels = [shorten(label, _LONGEST) for label in read_labels(report.table)]
    found = []
    for column in columns:
        rows = format_cells(report.table, column, missing="nan")
        has_room = "[95%]" in column.terminal
        found.append([f"{v} {i}".rstrip() if has_room else v for v, i in rows])
    found.append(mark_findings(report))
    header = [first.terminal, *(column.terminal for column in columns), ""]
    return header, labels, list(zip(*found, strict=True))


# Below the table ------------------------------------------------------------------


def summary_lines(report):
    """Lines on the whole, then those on single hypotheses, none wrapped."""
    lines = [f"* {describe_success(report)}"]
    lines += [to_printable(describe_annotators(report))]
    lines += [f"! {describe_training_texts(report)}"] if report.n_training_texts else []
    lines += [f"! {describe_reversed(report)}"] if any(flag_reversed(report)) else []
    if report.classes is not None and len(report.classes) == 2:
        zero, one = (to_printable(repr(c)) for c in report.classes)
        lines.append(f"{name_target(report)}: 1 for {one}, 0 for {zero}")
    legend = "p: of the separation, corrected too; joint p: corrected"
    if describe_standard_errors(report):
        legend += f"; standard errors: {describe_standard_errors(report)}"
    lines += [legend, describe_permutations(report), describe_conditions(report)]
    lines += _figure_lines(report)
    lines += [to_printable(describe_target_kind(report))]
    lines += [describe_near_duplicate_texts(report), describe_earlier_tests(report)]
    lines += [to_printable(describe_length(report)), describe_adjusted(report)]
    lines += [to_printable(describe_moderator(report))]
    lines += [to_printable(describe_skipped(report)), format_usage(report.usage)]
    for part in (_covariate_lines, _duplicate_lines, _missing_lines):
        found = part(report)
        more = len(found) - _LISTED
        lines += found[:_LISTED] + [f"  ... and {more} more such"] * (more > 0)
    for note, n, names, gap in group_notes(report):
        kind = f"{'NaN' if gap else 'note'} [{n} of {len(report.table)}]"
        lines.append(f"{kind}: {to_printable(note)}: {names}")
    return [line for line in lines if line]


def _figure_lines(report):
    figures = list_figures(report)
    first = max([7, *(len(figure.value) for figure in figures)])
    second = max((len(figure.interval) for figure in figures), default=0)
    second += bool(second)
    lines = []
    for figure in figures:
        interval = figure.interval and f" {figure.interval}"
        head = f"{figure.value:>{first}}{interval:<{second}}"
        lines.append(f"{head}  {to_printable(figure.description)}")
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


def _wrap(line):
    """Break a long line between words; what goes on stands below what it goes on with.

    That is the description, behind the last run of blanks of a line of figures.
    """
    if len(line) <= _WIDTH:
        return [line]
    begin = max(line.rfind("  ") + 2, 2)
    head, rest = line[:begin], line[begin:]
    first, *more = wrap(rest, _WIDTH - begin)
    return [head + first, *(" " * begin + each for each in more)]
