"""Single values of a table read for the command line: missing, labels, messages."""

import pandas as pd

from ._tables import shown

# What stands for "no value" in a column of numbers or labels. A text is only missing
# if there is nothing in it: "null" or "NA" is a text that says so.
_NO_VALUE = frozenset({"", "na", "n/a", "nan", "null", "<na>"})
_NAMED = 5  # so many values are named in a message


def mapped(values, function):
    """Apply a function to each value; the result keeps dtype object."""
    return pd.Series(map(function, values), index=values.index, dtype=object)


def bare(value):
    """A string without surrounding blanks; what is no single value as a string."""
    if isinstance(value, str):
        return value.strip()
    return value if pd.api.types.is_scalar(value) else str(value)


def is_blank(value):
    """Tell whether there is nothing in a text."""
    if isinstance(value, str):
        return not value.strip()
    return pd.api.types.is_scalar(value) and pd.isna(value)


def no_value(value, known=()):
    """Tell whether a value, bare of blanks, stands for none; `known` ones do not."""
    if isinstance(value, str):
        return value.lower() in _NO_VALUE and value not in known
    return pd.isna(value)


def label_of(value):
    """How a value is written as a label, such as in --map: 1 for 1.0, too."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def some(values):
    """Name the first few distinct values."""
    distinct = list(dict.fromkeys(map(label_of, values)))
    named = ", ".join(shown(value) for value in distinct[:_NAMED])
    more = len(distinct) - _NAMED
    return named + (f" and {more} more" if more > 0 else "")
