"""Some columns of a file of any usual format, which its content tells."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from .._utils._printable import quote_value
from ..exceptions import InputError
from ._arrow_files import read_arrow, read_parquet
from ._delimited import read_delimited
from ._encodings import (
    describe_undecodable,
    find_encoding,
    find_mark,
    guess_utf16,
)
from ._json_files import read_json, seems_json
from ._no_tables import describe_no_table
from ._sources import READING_ERRORS, ZIP, open_source
from ._statistical_packages import read_spss, read_stata
from ._workbooks import read_excel


@dataclass(frozen=True)
class FileOptions:
    """What is said about a file, in the place of what would be recognized.

    Parameters
    ----------
    sep : str or None, default=None
        The character between fields.
    encoding : str or None, default=None
        A name of an encoding that Python knows.
    header : bool, default=True
        Whether the first row holds the names of columns; else these are "1", "2", …
    quotes : bool, default=True
        Whether quotes enclose fields; else they are characters like others.
    sheet : str, int or None, default=None
        The name or number of a sheet.
    """

    sep: str | None = None
    encoding: str | None = None
    header: bool = True
    quotes: bool = True
    sheet: str | int | None = None

    def __post_init__(self):
        if self.sep is not None and (len(self.sep) != 1 or self.sep in '"\r\n'):
            raise InputError(
                "sep must be one character that stands between fields, such as ';' or "
                f"'\\t', not {self.sep!r}."
            )

    def list_given(self):
        """Return the names of what differs from the default."""
        return [
            name for name, v in vars(self).items() if v != getattr(type(self), name)
        ]


@dataclass(frozen=True)
class _Format:
    """How a format is called, what reads it, and which options it has."""

    name: str
    read: Callable
    options: frozenset = frozenset()


_TEXT = frozenset({"encoding"})
DELIMITED = _Format(
    "a file of separated values",
    read_delimited,
    _TEXT | {"sep", "header", "quotes"},
)
JSON = _Format("a file of JSON", read_json, _TEXT)
EXCEL = _Format("an Excel file", read_excel, frozenset({"header", "sheet"}))
STATA = _Format("a file of Stata", read_stata)
SPSS = _Format("a file of SPSS", read_spss, _TEXT)
PARQUET = _Format("a Parquet file", read_parquet)
ARROW = _Format("a file of Arrow", read_arrow)

_SIGNATURES = (
    (b"PAR1", PARQUET),
    (b"ARROW1", ARROW),
    (b"\xff\xff\xff\xff", ARROW),  # a stream
    (b"$FL2", SPSS),
    (b"$FL3", SPSS),
    (b"<stata_dta>", STATA),
)
_OLD_STATA = re.compile(rb"[\x69-\x73][\x01\x02]\x01\x00")
_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
_TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")

_KNOWN = "CSV and its kin, JSON, Excel (.xlsx), Stata, SPSS, Parquet and Feather"


def read_columns(file, columns, options=None):
    """Read some columns of a file, and nothing else into memory.

    Parameters
    ----------
    file : str, path-like or file object
        Separated values, JSON, Excel, Stata, SPSS, Parquet or Feather, also packed by
        zip, gzip, bzip2 or xz. The content decides, not the name.
    columns : sequence of str
        Their names; one may be asked for twice.
    options : FileOptions or None, default=None
        None: all is recognized.

    Returns
    -------
    values : list of list
        The values of each column, as they are in the file: in CSV, strings.
    notes : list of str
        What the user may want to know, in sentences.

    Raises
    ------
    InputError
        If the file is missing or cannot be read, or a column is not there.
    """
    options = options or FileOptions()
    distinct = list(dict.fromkeys(columns))
    with open_source(file) as source:
        try:
            format_, notes = _recognize_format(source, options, distinct)
            _check_options(source, format_, options)
            found, more = format_.read(source, distinct, options)
        except UnicodeError as error:
            encoding = find_encoding(source.read_head()[0], options.encoding)
            raise InputError(describe_undecodable(source, encoding)) from error
        except READING_ERRORS as error:
            reason = quote_value(error, quote="")
            raise InputError(f"{source} cannot be read: {reason}.") from error
    by_name = dict(zip(distinct, found, strict=True))
    return [by_name[name] for name in columns], notes + more


def _check_options(source, format_, options):
    for name in options.list_given():
        if name not in format_.options:
            option = {"header": "no-header", "quotes": "no-quotes"}.get(name, name)
            raise InputError(
                f"{source} is {format_.name}, for which there is no --{option}."
            )


def _recognize_format(source, options, wanted):
    """Return the format of a source, and a note if its name says another."""
    head, _ = source.read_head()
    if what := describe_no_table(head):
        raise InputError(f"{source} is {what}.")
    if head.startswith(ZIP):
        format_ = _recognize_document(source)
    else:
        format_ = next((f for magic, f in _SIGNATURES if head.startswith(magic)), None)
    if _OLD_STATA.match(head):
        format_ = STATA
    if format_ is None:
        return _recognize_text(source, head, options, wanted), []
    if source.suffix in _TEXT_SUFFIXES + _JSON_SUFFIXES:
        return format_, [f"{source} is {format_.name}, whatever its name says."]
    return format_, []


def _recognize_document(source):
    with source.as_path() as path, zipfile.ZipFile(path) as archive:
        members = archive.namelist()
    if "xl/workbook.xml" in members:
        return EXCEL
    raise InputError(
        f"{source} is a document of an office program, but no .xlsx workbook. Open it "
        "and save the table as .xlsx or CSV."
    )


def _recognize_text(source, head, options, wanted):
    if options.encoding is None and not find_mark(head) and b"\0" in head:
        if (encoding := guess_utf16(head)) is not None:
            raise InputError(
                f"{source} seems to be in UTF-16, without the mark that says so. Add "
                f"--encoding {encoding}."
            )
        if head.count(b"\0") > len(head) // 100:
            raise InputError(
                f"{source} is in none of the formats that are read: {_KNOWN}."
            )
    text = head.decode(find_encoding(head, options.encoding), "ignore").lstrip()
    if options.sep is None and seems_json(text):
        return JSON
    first_line = text.partition("\n")[0]
    has_names = text[:1] not in "{[" and all(name in first_line for name in wanted)
    return JSON if source.suffix in _JSON_SUFFIXES and not has_names else DELIMITED
