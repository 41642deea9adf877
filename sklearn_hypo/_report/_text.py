"""A report as plain text that fits a terminal, and as a small table of a notebook."""

import html
from textwrap import wrap
from unicodedata import combining, east_asian_width

import numpy as np

from .._utils._printable import to_printable
from ._words import (
    condition_line,
    cost_line,
    errors,
    figure,
    flags,
    format_p,
    joint_effects,
    level,
    notes,
    numbers,
    overall_figures,
    permutation_line,
    shortened,
    title,
    twins,
    unanswered,
    with_interval,
    words,
)

_WIDTH = 110  # columns of a terminal


_NARROWEST = 24  # a statement gets at least so many, however many figures there are


_WIDEST = 48


_IN_NOTEBOOK = 160


_LISTED = 6  # lines of one kind below the table


def text_lines(report):
    """Return the lines that printing a report shows.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Returns
    -------
    lines : list of str
        Title, table, overall figures, and what to be wary of.
    """
    return [title(report), "", *_table_lines(report), "", *_summary(report)]


def notebook_html(report):
    """Return what a notebook shows: the same as the text, as a table.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Returns
    -------
    fragment : str
        HTML in which every text is escaped.
    """
    header, *rows = zip(*_cells(report, _IN_NOTEBOOK), strict=True)
    head = "".join(_cell("th", cell, n) for n, cell in enumerate(header))
    body = "".join(
        f"<tr>{''.join(_cell('td', cell, n) for n, cell in enumerate(row))}</tr>"
        for row in rows
    )
    lines = "<br>".join(html.escape(line.strip()) for line in _summary(report))
    return (
        f"<div><p><b>{html.escape(title(report))}</b></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{lines}</p></div>"
    )


def _cell(tag, text, column):
    """A cell of the notebook's table: words to the left, figures to the right."""
    side = "left" if column == 0 else "right"
    wrapping = "" if column == 0 else ";white-space:nowrap"
    return f'<{tag} style="text-align:{side}{wrapping}">{html.escape(text)}</{tag}>'


# The table ------------------------------------------------------------------------


def _table_lines(report):
    """The lines of the table: the first column left, the others right."""
    columns = _cells(report, _WIDEST)
    taken = sum(max(map(_columns_of, cells)) + 2 for cells in columns[1:])
    room = min(max(_WIDTH - taken, _NARROWEST), _WIDEST)
    columns[0] = [_cut(cell, room) for cell in columns[0]]
    padded = [_padded(cells, left=n == 0) for n, cells in enumerate(columns)]
    return ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]


def _padded(cells, *, left):
    width = max(map(_columns_of, cells))
    blanks = [" " * (width - _columns_of(cell)) for cell in cells]
    return [c + b if left else b + c for c, b in zip(cells, blanks, strict=True)]


def _cut(text, room):
    """Shorten to so many columns of a terminal."""
    while _columns_of(text) > room:
        text = text.removesuffix("…")[:-1] + "…"
    return text


def _columns_of(text):
    """Columns of a terminal that the text takes."""
    return sum(
        0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text
    )


def _cells(report, length):
    """The cells of the table, by column, the header first."""
    table = report.table
    columns = {"hypothesis": [shortened(h, length) for h in words(table, "hypothesis")]}
    if "separation_lower" in table:
        columns |= _cells_with_intervals(report)
    else:
        columns |= _cells_as_published(report)
    columns[""] = ["*" if flag else "" for flag in flags(table, "significant")]
    return [[header, *cells] for header, cells in columns.items()]


def _cells_with_intervals(report):
    """Alone and beside the others, each with its interval, and the corrected p."""
    table = report.table
    columns = {}
    if "fidelity" in table:
        columns["fid."] = _each("{:.2f}".format, table, "fidelity")
    columns["prev."] = _each("{:.3f}".format, table, "prevalence")
    columns["separation [95%]"] = _separations(table)
    if "separation_p_corrected" in table:
        columns["p"] = _each(format_p, table, "separation_p_corrected")
    else:
        columns["p"] = _each(format_p, table, "separation_p")
    for effect in joint_effects(report)[:1]:
        rows = zip(*effect.of(table), strict=True)
        columns[f"{effect.name} [95%]"] = [with_interval(*row) for row in rows]
    columns["joint p"] = _each(format_p, table, "p_corrected")
    return columns


def _cells_as_published(report):
    """Estimates and p-values without intervals, none of them corrected.

    For more than two classes there is no joint coefficient to show.
    """
    table = report.table
    columns = {}
    if "fidelity" in table:
        columns["fidelity"] = _each("{:.2f}".format, table, "fidelity")
    columns["prevalence"] = _each("{:.3f}".format, table, "prevalence")
    columns["n"] = _each("{:,.0f}".format, table, "n")
    columns["separation"] = _separations(table)
    columns["p"] = _each(format_p, table, "separation_p")
    if "separation_class" not in table:
        columns["joint coef"] = _each(figure, table, "coef")
    columns["joint p"] = _each(format_p, table, "coef_p")
    return columns


def _each(shown, table, name):
    return [shown(value) for value in numbers(table, name)]


def _separations(table):
    """Separations, with interval and class where the table has them."""
    bounds = [numbers(table, f"separation{end}") for end in ("", "_lower", "_upper")]
    shown = [with_interval(*row) for row in zip(*bounds, strict=True)]
    classes = words(table, "separation_class")
    gaps = np.isnan(bounds[0])
    return [
        f"{cell} ({shortened(label, 12)})" if label and not gap else cell
        for cell, label, gap in zip(shown, classes, gaps, strict=True)
    ]


# Below the table ------------------------------------------------------------------


def _summary(report):
    """Lines on the whole, then those on single hypotheses."""
    where = "the joint regression"
    lines = [
        f"* {report.n_significant} of {report.n_tested} significant in {where} "
        f"({level(report)})"
    ]
    if report.classes is not None and len(report.classes) == 2:
        zero, one = (to_printable(repr(c)) for c in report.classes)
        lines.append(f"y: 1 for {one}, 0 for {zero}")
    if "separation_lower" in report.table:
        lines += _wrapped(_legend(report))
    lines += _wrapped(condition_line(report))
    lines += _figure_lines(report)
    lines += list(filter(None, [cost_line(report)]))
    for part in (_covariates, _twins, _unanswered, _notes):
        lines += part(report)
    return lines


def _legend(report):
    p = "corrected too" if "separation_p_corrected" in report.table else "uncorrected"
    parts = [f"p: of the separation, {p}; joint p: corrected"]
    if errors(report):
        parts.append(f"standard errors: {errors(report)}")
    return "; ".join(parts)


def _figure_lines(report):
    rows = [
        (with_interval(f.value, f.lower, f.upper), f.description)
        for f in overall_figures(report)
    ]
    if permutation_line(report):
        rows.append((format_p(report.permutation_p), permutation_line(report)))
    parts = [value.partition(" ") for value, _ in rows]
    first = max([7, *(len(value) for value, _, _ in parts)])
    second = max((len(interval) for _, _, interval in parts), default=0)
    second += bool(second)
    lines = []
    for (value, _, interval), (_, description) in zip(parts, rows, strict=True):
        head = f"{value:>{first}}{f' {interval}' if interval else '':<{second}}"
        line = f"{head}  {to_printable(description)}"
        lines += _wrapped(line, indent=first + second + 2)
    return lines


def _covariates(report):
    covariates = getattr(report, "covariates", None)
    if covariates is None or covariates.empty:
        return []
    bounds = (numbers(covariates, f"coef{end}") for end in ("", "_lower", "_upper"))
    ps = numbers(covariates, "coef_p")
    rows = zip(words(covariates, "name"), *bounds, ps, strict=True)
    lines = []
    for name, *row, p in rows:
        # of several classes there is a test, but no one coefficient
        told = [] if np.isnan(row[0]) else [with_interval(*row)]
        told += [] if np.isnan(p) else [f"p {format_p(p)}"]
        told = ", ".join(told) or "not estimated"
        lines.append(f"covariate: {shortened(name, 40)}: {told}")
    return _few(lines)


def _twins(report):
    return _few(
        [
            f"nearly one: {shortened(first, 40)} | {shortened(second, 40)}: {how}"
            for first, second, how in twins(report)
        ]
    )


def _unanswered(report):
    lines = []
    for statement, missing, n, lower, upper in unanswered(report):
        line = f"no answer: {shortened(statement, 40)}: {missing:,} of {n:,}"
        if not np.isnan([lower, upper]).any():
            line += f"; separation in [{figure(lower)}, {figure(upper)}] at worst"
        lines.append(line)
    return _few(lines)


def _notes(report):
    return [
        f"{'NaN' if gap else 'note'}: {shortened(statement, 40)}: {to_printable(note)}"
        for statement, note, gap in notes(report)
    ]


def _few(lines):
    more = len(lines) - _LISTED
    return lines if more <= 0 else [*lines[:_LISTED], f"  ... and {more} more such"]


def _wrapped(line, indent=2):
    """Break a long line between words; a line that fits keeps its blanks."""
    if not line:
        return []
    if len(line) <= _WIDTH:
        return [line]
    head = line[: len(line) - len(line.lstrip())]
    rest = wrap(line, _WIDTH, subsequent_indent=" " * indent)
    return [head + rest[0].lstrip(), *rest[1:]] if rest else [line]
