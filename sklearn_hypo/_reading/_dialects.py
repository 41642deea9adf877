"""How a file of separated values is written: its separator, its quotes."""

import csv
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, product

from ._values import name_value

# In case of doubt the first, as where every record has one semicolon and one comma,
# which is that of a number, perhaps.
SEPARATORS = ("\t", ";", "|", ",")

# Quotes around fields, with those in a text doubled ("a ""b""") or behind a backslash
# ("a \"b\""), as Spark and MySQL write them; or no quotes, only characters.
DOUBLED, ESCAPED, PLAIN = "doubled", "escaped", "plain"
_MOST_QUOTED = 0.2  # of fields that begin with a quote end with one, if it is plain
_FEWEST_QUOTES = 3  # so many fields have to begin with a quote for it to be plain

MOST_ABOVE = 20  # lines, or rows, that may stand above the names of columns

# As Excel writes it.
_FIRST_LINE = re.compile(r'(?:sep=(.)|"sep=(.)")(?:\r\n|\r|\n)', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How records and fields are told apart.

    Parameters
    ----------
    separator : str
        One character.
    quotes : {"doubled", "escaped", "plain"}
        How quotes are written within fields, or that they are characters as others.
    spaced : bool
        Whether blanks behind a separator belong to no field.
    n_skipped : int
        Lines before the first record.
    """

    separator: str
    quotes: str = DOUBLED
    spaced: bool = False
    n_skipped: int = 0

    def read(self, lines):
        """Return the reader of the records in lines, which hold their ends.

        It raises a csv.Error for a quote where there can be none.
        """
        for _ in range(self.n_skipped):
            next(lines, None)
        if self.quotes == ESCAPED:
            lines = map(_make_translation(self.separator), lines)
        return csv.reader(
            lines,
            delimiter=self.separator,
            skipinitialspace=self.spaced,
            quoting=csv.QUOTE_NONE if self.quotes == PLAIN else csv.QUOTE_MINIMAL,
            strict=True,
        )


def _make_translation(separator):
    r"""Return a function that writes a line with quotes doubled.

    A backslash before anything but a quote, a backslash or the end of a line stands for
    itself, as in "C:\new"; MySQL's mark of no value, \N, becomes an empty field.
    """
    s = re.escape(separator)
    pattern = re.compile(rf'(?:^|(?<={s}))\\N(?={s}|[\r\n]|$)|\\(["\\]|(?=[\r\n]))')

    def replace(match):
        return {'"': '""', "\\": "\\"}.get(match[1], "")

    return partial(pattern.sub, replace)


@contextmanager
def long_fields():
    """Let the csv module read fields of any length, such as whole books."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


# Which dialect a file is in ----------------------------------------------------------


def list_dialects(head, is_whole, wanted, *, separator=None, quotes=True, header=True):
    """Return the dialects that the beginning of a file may be in, the best first.

    A dialect is judged by the named columns that the header has in it, then by whether
    all records have as many fields, quotes aside: how often a character occurs says
    nothing, as texts hold any of them.

    Parameters
    ----------
    head : str
        The first characters.
    is_whole : bool
        Whether these are all there are.
    wanted : sequence of str
        Names of columns, or their numbers where there is no header.
    separator : str or None, default=None
        The only one to try.
    quotes : bool, default=True
        Whether to try quotes as such.
    header : bool, default=True
        Whether the first record holds the names.

    Returns
    -------
    dialects : list of Dialect
        One, or those that fit the beginning without a flaw.
    """
    first = _FIRST_LINE.match(head)
    n_skipped = 1 if first else 0
    if separator is None and first:
        separator = first[1] or first[2]
    if not is_whole:  # the last line is cut
        head = head[: max(head.rfind("\n"), head.rfind("\r")) + 1] or head
    separators = SEPARATORS if separator is None else (separator,)
    if header:
        n_skipped = _find_header(head, wanted, separators, n_skipped)
    kinds = [(DOUBLED, False), (ESCAPED, False), (DOUBLED, True), (PLAIN, False)]
    if not quotes:
        kinds = [(PLAIN, False)]
    dialects = [Dialect(s, *kind, n_skipped) for kind, s in product(kinds, separators)]
    fits = {
        dialect: _judge(head, is_whole, dialect, wanted, header, quotes)
        for dialect in dialects
    }
    ranked = sorted(dialects, key=fits.get, reverse=True)  # stable: else the first
    best = fits[ranked[0]]
    return [each for each in ranked if each == ranked[0] or fits[each] == best]


def _find_header(head, wanted, separators, begin):
    """Return how many lines there are before that of the names.

    That is the first, from `begin` on, unless one of the next has all named columns: a
    title may stand above the table.
    """
    lines = islice(io.StringIO(head, newline=""), begin, MOST_ABOVE)
    for number, line in enumerate(lines, start=begin):
        for separator in separators:
            names = next(csv.reader([line], delimiter=separator), [])
            if {name.strip() for name in names} >= set(wanted):
                return number
    return begin


def describe_skipped(head, n_skipped):
    """Return a sentence on the lines before the table; None if they hold nothing."""
    above = list(islice(io.StringIO(head, newline=""), n_skipped))
    return describe_above(line.strip() for line in above if not _FIRST_LINE.match(line))


def describe_above(lines):
    """Return a sentence on what stands above the names of columns, if anything does."""
    text = " | ".join(filter(None, lines))
    if not text:
        return None
    return f"what stands above the names of columns is left out: {name_value(text)}."


def _judge(head, is_whole, dialect, wanted, header, quotes):
    """Return how well the beginning of a file fits a dialect: larger is better."""
    rows, is_broken = _read_head(head, is_whole, dialect)
    if not rows:
        return 0, False, 0.0, False
    names = [name.strip() for name in rows[0]]
    if not header:
        names = [str(i + 1) for i in range(len(names))]
    n_found = sum(name in names for name in wanted)
    n_fitting = sum(has_width(row, len(names)) for row in rows)
    is_clean = n_fitting == len(rows) and not is_broken
    if dialect.quotes == PLAIN and quotes and not _quotes_are_plain(rows):
        return -1, False, 0.0, False
    return n_found, is_clean and len(names) > 1, n_fitting / len(rows), len(names) > 1


def _read_head(head, is_whole, dialect):
    """Return the records that are there in full, and whether a quote broke them off."""
    rows = []
    records = dialect.read(io.StringIO(head, newline=""))
    try:
        for row in records:
            if not is_blank_line(row):
                rows.append(row)
    except csv.Error as error:
        return rows, is_whole or "unexpected end of data" not in str(error)
    return rows, False


def _quotes_are_plain(rows):
    """Tell whether quotes at the beginning of fields are just characters."""
    begun = [field for row in rows for field in row if field.startswith('"')]
    ended = sum(len(field) > 1 and field.endswith('"') for field in begun)
    return len(begun) >= _FEWEST_QUOTES and ended <= _MOST_QUOTED * len(begun)


def is_blank_line(row):
    return not row or (len(row) == 1 and not row[0].strip())


def has_width(row, width):
    """Tell whether a record has so many fields, empty ones at its end aside."""
    if len(row) <= width:
        return len(row) == width
    return not any(field.strip() for field in row[width:])
