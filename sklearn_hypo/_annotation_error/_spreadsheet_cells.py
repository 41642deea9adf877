"""Texts in cells of a spreadsheet: harmless to open, and read back as they were."""

import csv
import io

from .._utils._files import atomic_path, expand_path
from .._utils._printable import escape_surrogates

# What a spreadsheet takes for a formula (the last four are full-width), and the
# apostrophe, so that one that was put in front can be told from one that was there.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")
# A cell of Excel holds 32,767 characters; some are left for the mark.
_LONGEST, _CUT = 32_000, " […]"
_SEPARATORS = (",", ";", "\t")


def to_cell(text):
    """Return a text as a cell can hold it: in UTF-8, without NUL, not too long."""
    text = escape_surrogates(text).replace("\0", "\\x00")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + _CUT


def escape_formula(text):
    """Put an apostrophe before what a spreadsheet could take for a formula.

    Examples
    --------
    >>> from sklearn_hypo._annotation_error._spreadsheet_cells import (
    ...     escape_formula,
    ...     unescape_formula,
    ... )
    >>> escape_formula("=1+1"), escape_formula("1+1"), escape_formula("'quoted'")
    ("'=1+1", '1+1', "''quoted'")
    >>> unescape_formula(escape_formula("=1+1"))
    '=1+1'
    """
    # blanks in front do not keep every spreadsheet from seeing a formula
    is_risky = text.startswith(_RISKY) or text.lstrip().startswith(_RISKY)
    return "'" + text if is_risky else text


def unescape_formula(cell):
    """Take away the apostrophe of `escape_formula`, and no other."""
    is_escaped = cell.startswith("'") and escape_formula(cell[1:]) == cell
    return cell[1:] if is_escaped else cell


def normalize_cell(text):
    """Drop what spreadsheets change (kinds of line ends, outer blanks), to compare."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def write_cells(path, rows):
    """Write rows of texts as CSV, without formulas, all or nothing.

    In UTF-8 with a byte order mark, by which Excel knows it. The header comes first; a
    file that exists is replaced.
    """
    with (
        atomic_path(path) as unfinished,
        open(unfinished, "w", encoding="utf-8-sig", newline="") as file,
    ):
        csv.writer(file).writerows([escape_formula(c) for c in row] for row in rows)


def read_cells(path):
    """Read CSV with commas, semicolons or tabs, as spreadsheets save it.

    Returns the rows that are not empty: the line of the file on which one ends, and its
    texts.
    """
    try:
        content = expand_path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The sheet {str(path)!r} is not in UTF-8 ({error.reason}). Save it as "
            '"CSV UTF-8", not as a workbook or as plain CSV.'
        ) from error
    separator = _find_separator(content.split("\n", 1)[0])
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator)
    try:
        found = [(reader.line_num, cells) for cells in reader if any(cells)]
    except csv.Error as error:
        raise ValueError(f"The sheet {str(path)!r} is not CSV ({error}).") from error
    return [(line, [unescape_formula(c) for c in cells]) for line, cells in found]


def _find_separator(header):
    """The separator after the first name, which holds none."""
    places = {s: header.find(s) for s in _SEPARATORS if s in header}
    return min(places, key=places.get, default=",")
