"""Sheets of Excel workbooks."""

import shlex
import warnings
from contextlib import closing
from itertools import chain, islice

from .._utils._printable import quote_value
from ..exceptions import InputError
from ._column_names import NO_HEADER, find_columns
from ._dialects import MOST_ABOVE, describe_above
from ._libraries import import_library, library_errors
from ._values import to_label

_FORMAT = "Excel"


def read_excel(source, wanted, options):
    """Read columns of a sheet of a workbook (.xlsx): of the first, if none is named.

    Parameters and returns are as in `read_delimited`; values are numbers, bools, dates
    and strings, None for an empty cell.
    """
    openpyxl = import_library("openpyxl", _FORMAT)
    with (
        source.as_path() as path,
        path.open("rb") as file,
        warnings.catch_warnings(),
    ):
        # they are about styles and menus, and on dates that are none: missing values
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        with library_errors(source, _FORMAT):
            # the values of formulas, as they were when the workbook was saved
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        with closing(book):
            return _read_book(source, book, wanted, options)


def _read_book(source, book, wanted, options):
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    sheets = {sheet.title: sheet for sheet in shown or book.worksheets}
    title = _choose_sheet(source, sheets, options.sheet)
    rows = _read_rows(source, sheets[title])
    wanted = [name.strip() for name in wanted]
    above, names, rows = _take_names(rows, options.header, wanted)
    where = (
        source if len(sheets) == 1 else f"the sheet {quote_value(title)} of {source}"
    )
    advice = NO_HEADER if options.header else ""
    if not set(wanted) <= set(names):
        advice = _find_elsewhere(source, sheets, title, wanted) or advice
    positions = find_columns(where, names, wanted, advice)
    values = [[] for _ in positions]
    for row in rows:
        if any(value is not None for value in row):
            for column, position in zip(values, positions, strict=True):
                column.append(row[position] if position < len(row) else None)
    notes = [*filter(None, [describe_above(above)])]
    if options.sheet is None and len(sheets) > 1:
        notes.append(
            f"{source} has {len(sheets)} sheets, of which the first is read, "
            f"{quote_value(title)}. Another is named by --sheet."
        )
    return values, notes


def _choose_sheet(source, sheets, wanted):
    titles = list(sheets)
    if not titles:
        raise InputError(f"{source} has no sheet with cells.")
    if wanted is None:
        return titles[0]
    wanted = str(wanted)
    if wanted in sheets:
        return wanted
    if wanted.isdecimal() and 1 <= int(wanted) <= len(titles):
        return titles[int(wanted) - 1]
    there = ", ".join(map(quote_value, titles[:20]))
    raise InputError(f"{source} has no sheet {quote_value(wanted)}. It has: {there}.")


def _read_rows(source, sheet):
    with library_errors(source, _FORMAT):
        sheet.reset_dimensions()  # which other programs write wrongly
        yield from sheet.iter_rows(values_only=True)


def _take_names(rows, header, wanted):
    """Return what stands above the names of columns, the names, and the rows below.

    The names are in the first row that has cells, unless one of the next has all named
    columns.
    """
    begin = list(islice(rows, MOST_ABOVE))
    filled = [i for i, row in enumerate(begin) if any(v is not None for v in row)]
    if not filled:
        return [], [], rows
    if not header:
        numbers = [str(i + 1) for i in range(len(begin[filled[0]]))]
        return [], numbers, chain(begin, rows)
    named = {i: list(map(_name_cell, begin[i])) for i in filled}
    at = next((i for i in filled if set(named[i]) >= set(wanted)), filled[0])
    above = [" ".join(filter(None, named[i])) for i in filled if i < at]
    return above, named[at], chain(begin[at + 1 :], rows)


def _name_cell(value):
    return "" if value is None else to_label(value).strip()


def _find_elsewhere(source, sheets, title, wanted):
    """Return an advice to read another sheet, if that has the columns."""
    for other, sheet in sheets.items():
        if other != title:
            _, names, _ = _take_names(_read_rows(source, sheet), True, wanted)
            if set(wanted) <= set(names):
                return f" Those are in another sheet: --sheet {shlex.quote(other)}."
    return ""
