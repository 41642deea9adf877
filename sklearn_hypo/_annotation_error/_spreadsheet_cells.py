"""Texts in cells of a spreadsheet: harmless to open, and read back as they were."""

import csv
import io

from .._utils._files import atomic_path, expand_path
from .._utils._printable import escape_surrogates

# What a spreadsheet takes for a formula (the last four are full-width), and the
# apostrophe, so that one that was put in front can be told from one that was there.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")


# A cell of Excel holds 32,767 characters; some are left for the mark.
_LONGEST = 32_000


_CUT = " […]"


_SEPARATORS = (",", ";", "\t")


def shown(text):
    """The text as a cell can hold it: in UTF-8, without NUL, not too long.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    text : str
        The same, if it can be held.
    """
    text = escape_surrogates(text).replace("\0", "\\x00")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + _CUT


def guarded(text):
    """Put an apostrophe before what a spreadsheet could take for a formula.

    Parameters
    ----------
    text : str
        Content of a cell.

    Returns
    -------
    cell : str
        The same, or with an apostrophe in front.

    Examples
    --------
    >>> from sklearn_hypo._annotation_error._spreadsheet_cells import guarded
    >>> from sklearn_hypo._annotation_error._spreadsheet_cells import unguarded
    >>> guarded("=1+1"), guarded("1+1"), guarded("'quoted'")
    ("'=1+1", '1+1', "''quoted'")
    >>> unguarded(guarded("=1+1"))
    '=1+1'
    """
    # blanks in front do not keep every spreadsheet from seeing a formula
    return (
        "'" + text
        if text.startswith(_RISKY) or text.lstrip().startswith(_RISKY)
        else text
    )


def unguarded(cell):
    """Take the apostrophe of `guarded` away.

    Parameters
    ----------
    cell : str
        Content of a cell.

    Returns
    -------
    text : str
        As it was.
    """
    rest = cell[1:]
    if cell.startswith("'") and guarded(rest) == cell:
        return rest
    return cell


def comparable(text):
    """The text without what spreadsheets change: kinds of line ends, outer blanks.

    Parameters
    ----------
    text : str
        Content of a cell.

    Returns
    -------
    text : str
        For comparison only.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def write_cells(path, rows):
    """Write rows of guarded cells as CSV, all or nothing.

    In UTF-8 with a byte order mark, by which Excel knows it.

    Parameters
    ----------
    path : str or path-like
        The file; one that exists is replaced.
    rows : iterable of sequences of str
        The header first.
    """
    with (
        atomic_path(path) as unfinished,
        open(unfinished, "w", encoding="utf-8-sig", newline="") as file,
    ):
        csv.writer(file).writerows([guarded(cell) for cell in row] for row in rows)


def read_cells(path):
    """Read CSV with commas, semicolons or tabs, as spreadsheets save it.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    rows : list of (int, list of str)
        Line of the file on which a row ends, and its cells without guards. Empty rows
        are left out.

    Raises
    ------
    ValueError
        If the file is not CSV in UTF-8.
    """
    try:
        with open(expand_path(path), encoding="utf-8-sig", newline="") as file:
            content = file.read()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The sheet {str(path)!r} is not in UTF-8 ({error.reason}). Save it as "
            '"CSV UTF-8", not as a workbook or as plain CSV.'
        ) from error
    separator = _separator(content.split("\n", 1)[0])
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator)
    try:
        found = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise ValueError(f"The sheet {str(path)!r} is not CSV ({error}).") from error
    return [(n, [unguarded(c) for c in cells]) for n, cells in found if any(cells)]


def _separator(header):
    """The separator after the first name, which holds none."""
    places = {s: header.find(s) for s in _SEPARATORS if s in header}
    return min(places, key=places.get, default=",")
