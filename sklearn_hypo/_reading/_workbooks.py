"""Sheets of Excel workbooks."""

from contextlib import closing
from itertools import chain

from .._utils._printable import quote_value
from ..exceptions import InputError
from ._column_names import find_columns
from ._libraries import import_library, library_errors
from ._values import to_label

_FORMAT = "Excel"


def read_excel(source, wanted, options):
    """Read columns of a sheet of a workbook (.xlsx): of the first, if none is named.

    Parameters and returns are as in `read_delimited`; values are numbers, bools, dates
    and strings, None for an empty cell.
    """
    openpyxl = import_library("openpyxl", _FORMAT)
    with source.as_path() as path, path.open("rb") as file:
        with library_errors(source, _FORMAT):
            # the values of formulas, as they were when the workbook was saved
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        with closing(book):
            return _read_book(source, book, wanted, options)


def _read_book(source, book, wanted, options):
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    title = _choose_sheet(source, sheets, options.sheet)
    rows = _read_rows(source, sheets[title])
    names, rows = _take_names(rows, options.header)
    where = (
        source if len(sheets) == 1 else f"the sheet {quote_value(title)} of {source}"
    )
    elsewhere = _find_elsewhere(source, sheets, title, wanted)
    positions = find_columns(where, names, [name.strip() for name in wanted], elsewhere)
    values = [[] for _ in positions]
    for row in rows:
        if any(value is not None for value in row):
            for column, position in zip(values, positions, strict=True):
                column.append(row[position] if position < len(row) else None)
    notes = []
    if options.sheet is None and len(sheets) > 1:
        notes = [
            f"{source} has {len(sheets)} sheets, of which the first is read, "
            f"{quote_value(title)}. Another is named by --sheet."
        ]
    return values, notes


def _choose_sheet(source, sheets, wanted):
    titles = list(sheets)
    if not titles:
        raise InputError(f"{source} has no sheet with cells.")
    if wanted is None:
        return titles[0]
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


def _take_names(rows, header):
    """Return the names of the columns, and the rows below them."""
    for row in rows:
        if any(value is not None for value in row):
            if header:
                names = ["" if v is None else to_label(v).strip() for v in row]
                return names, rows
            return [str(i + 1) for i in range(len(row))], chain([row], rows)
    return [], rows


def _find_elsewhere(source, sheets, title, wanted):
    """Return an advice to read another sheet, if that has the columns."""
    for other, sheet in sheets.items():
        if other != title:
            names, _ = _take_names(_read_rows(source, sheet), header=True)
            if set(wanted) <= set(names):
                return f" Those are in another sheet: --sheet {quote_value(other)}."
    return ""
