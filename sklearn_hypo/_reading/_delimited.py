"""Files of separated values: CSV and its kin."""

import csv
import io
import re
from itertools import islice

from .._utils._printable import pluralize, quote_value, shorten
from ..exceptions import InputError
from ._column_names import NO_HEADER, find_columns
from ._dialects import (
    PLAIN,
    describe_skipped,
    has_width,
    is_blank_line,
    list_dialects,
    long_fields,
)
from ._encodings import find_encoding, open_text

_SHOWN = 40  # characters of what was found
_AT_ONCE = 500  # records; more of them would need memory for columns nobody asked for
_LINE_END = re.compile(r"\r\n|\r|\n")


class _Malformed(Exception):
    """A file does not go on as its beginning promised."""


def read_delimited(source, wanted, options):
    """Read columns of a file of separated values, all of them as strings.

    Parameters
    ----------
    source : Source
    wanted : list of str
    options : FileOptions

    Returns
    -------
    values : list of list of str
    notes : list of str
    """
    encoding = find_encoding(source.read_head()[0], options.encoding)
    with long_fields():
        head, is_whole = _read_head(source, encoding)
        if not head.strip():
            raise InputError(f"{source} is empty.")
        wanted = [name.strip() for name in wanted]
        dialects = list_dialects(
            head,
            is_whole,
            wanted,
            separator=options.sep,
            quotes=options.quotes,
            header=options.header,
        )
        flaw = None
        for dialect in dialects:
            try:
                values, notes = _read_all(source, encoding, dialect, wanted, options)
                above = describe_skipped(head, dialect.n_skipped)
                return values, [*filter(None, [above]), *notes]
            except _Malformed as error:
                flaw = flaw or error
        raise InputError(str(flaw))


def _read_head(source, encoding):
    head, is_whole = source.read_head()
    stream = io.TextIOWrapper(
        io.BytesIO(head),
        encoding=encoding,
        errors="strict" if is_whole else "ignore",  # what the cut left of a character
        newline="",
    )
    return stream.read(), is_whole


def _read_all(source, encoding, dialect, wanted, options):
    """Read the columns in one dialect; _Malformed where the file is not in it."""
    with open_text(source, encoding) as lines:
        records = _Records(source, dialect, lines, options.header)
        try:
            first = records.take(1)
            if not first:
                raise InputError(f"{source} holds no table.")
            names = [name.strip() for name in first[0]]
            if not options.header:
                names = [str(i + 1) for i in range(len(names))]
            advice = _advise(names) if options.header else ""
            positions = find_columns(source, names, wanted, advice)
            values = [[] for _ in positions]
            block = [] if options.header else first
            while block or (block := records.take(_AT_ONCE)):
                for column, position in zip(values, positions, strict=True):
                    place = position + records.n_unnamed
                    column.extend([row[place] for row in block])
                block = []
        except csv.Error as error:
            raise _Malformed(_describe_quote(source, encoding, dialect)) from error
    return values, records.notes


def _advise(names):
    """Return what to do where no column has one of the names."""
    if len(names) == 1:
        return " If fields are separated by another character, name it by --sep."
    return NO_HEADER


class _Records:
    """The records of a file, in blocks, all as wide as the first.

    Where that holds names, all others may begin with a number that has none, as R
    writes the names of rows (`n_unnamed`).
    """

    def __init__(self, source, dialect, lines, has_names):
        self._source, self._dialect = source, dialect
        self._reader = dialect.read(lines)
        self._width = None
        self.n_unnamed = None if has_names else 0
        self._n_short, self._first_short = 0, None

    @property
    def notes(self):
        """What was left out and filled in, in sentences."""
        notes = []
        if self.n_unnamed:
            notes.append(
                f"{self._source}: rows begin with their numbers, for which the first "
                "line has no name, as R writes them."
            )
        if self._n_short:
            have = "has" if self._n_short == 1 else "have"
            notes.append(
                f"{self._source}: {pluralize(self._n_short, 'row')} {have} fewer "
                f"fields than the first row, from line {self._first_short} on. What is "
                "not there counts as missing; a text with line breaks needs quotes."
            )
        return notes

    def take(self, n):
        """Return the next records, about n of them; none at the end."""
        rows = []
        while not rows:
            line = self._reader.line_num + self._dialect.n_skipped + 1
            read = list(islice(self._reader, n))
            if not read:
                return []
            if self.n_unnamed is None and self._width:
                self.n_unnamed = int(_begin_with_numbers(read, self._width))
                self._width += self.n_unnamed
            if set(map(len, read)) == {self._width}:
                return read
            rows = self._fit(read, line)
        return rows

    def _fit(self, read, line):
        """Leave out blank lines, fill short records and refuse long ones."""
        rows = []
        for row in read:
            if not is_blank_line(row):
                self._width = self._width or len(row)
                if not has_width(row, self._width):
                    row = self._fill(row, line)
                rows.append(row)
            line += 1 + sum(len(_LINE_END.findall(field)) for field in row)
        return rows

    def _fill(self, row, line):
        if len(row) > self._width:
            quotes = (
                "Take it out of the text, or write the file with quotes"
                if self._dialect.quotes == PLAIN
                else "Put quotes around texts that hold it"
            )
            raise _Malformed(
                f"{self._source}, line {line}: there are {len(row)} fields, but "
                f"{self._width} in the first line, where the separator is "
                f"{_name_separator(self._dialect.separator)}: {_show(row)}. {quotes}; "
                "if the separator is another, name it by --sep."
            )
        self._n_short += 1
        self._first_short = self._first_short or line
        return row + [""] * (self._width - len(row))


def _begin_with_numbers(rows, width):
    """Tell whether all records have one field more, and that numbers them."""
    rows = [row for row in rows if not is_blank_line(row)]
    numbers = {row[0] for row in rows if len(row) == width + 1}
    return len(numbers) == len(rows) > 1 and all(map(str.isdecimal, numbers))


def _name_separator(separator):
    return "a tab" if separator == "\t" else quote_value(separator)


def _show(row):
    return quote_value(shorten(" | ".join(row), _SHOWN))


def _describe_quote(source, encoding, dialect):
    """Return a message on the first quote that stands where there can be none."""
    begin, kept, how = dialect.n_skipped + 1, [], "never closes"
    with open_text(source, encoding) as lines:
        records = dialect.read(_keep(lines, kept))
        try:
            for _ in records:
                begin = records.line_num + dialect.n_skipped + 1
                kept.clear()
        except csv.Error as error:
            if "unexpected end of data" not in str(error):
                end = records.line_num + dialect.n_skipped
                how = f"closes in line {end}, within a text"
    text = "".join(kept)
    text = text[max(text.find('"'), 0) :]
    return (
        f"{source}, line {begin}: a quote opens a text here, {_show([text])}, and "
        f"{how}. Double the quotes within texts; or, if quotes are characters like "
        "others in this file, add --no-quotes."
    )


def _keep(lines, kept):
    for line in lines:
        kept.append(line)
        yield line
