"""One value of a table: how it is written, and named in a message."""

import csv
import io
import shlex

import pandas as pd

from .._utils._labels import is_plain_number
from .._utils._printable import quote_value, shorten

_NAMED = 5  # so many values are named in a message
_LONGEST = 40  # characters of a value in a message


def map_values(values, function):
    """Apply a function to each value; the result keeps dtype object."""
    return pd.Series(map(function, values), index=values.index, dtype=object)


def strip_value(value):
    """A string without surrounding blanks; what is no single value as a string."""
    if isinstance(value, str):
        return value.strip()
    return value if pd.api.types.is_scalar(value) else str(value)


def to_label(value):
    """How a value is written as a label, such as in --map: 1 for 1.0 and "1.0", too."""
    number = value
    if isinstance(value, str) and value.endswith("0") and "." in value:
        number = float(value) if is_plain_number(value) else None
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
        return str(int(number))
    return str(value)


def name_first(values):
    """Name the first few distinct values."""
    distinct = list(dict.fromkeys(map(to_label, values)))
    named = ", ".join(name_value(value) for value in distinct[:_NAMED])
    more = len(distinct) - _NAMED
    return named + (f" and {more} more" if more > 0 else "")


def name_value(value, quote="'"):
    """Return a value as it stands in a message: quoted, and cut."""
    return quote_value(shorten(value, _LONGEST), quote)


def find_row(values, value):
    """Say in which row of the file a value stands first: "row 3"."""
    return f"row {values.index[values.tolist().index(value)] + 1}"


def name_counts(counts):
    """Name values with how often they stand there: 12 'NA', 3 'n/a'."""
    named = [f"{n:,} {name_value(value)}" for value, n in list(counts)[:_NAMED]]
    more = len(counts) - _NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def suggest_option(option, values):
    """Write an option with values as a shell takes them, if they are few and short."""
    labels = [to_label(value) for value in values]
    if len(labels) > _NAMED or any(len(label) > _LONGEST for label in labels):
        return f"{option} VALUE,..."
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow(labels)
    listed = file.getvalue()
    joint = "=" if listed.startswith("-") else " "  # else it would be an option
    return f"{option}{joint}{shlex.quote(listed)}"
