"""One value of a table: missing or not, and how it is written."""

import pandas as pd

from .._utils._printable import quote_value

# What stands for "no value" in a column of numbers or labels. A text is only missing
# if there is nothing in it: "null" or "NA" is a text that says so.
_NO_VALUE = frozenset({"", "na", "n/a", "nan", "null", "<na>"})
_NAMED = 5  # so many values are named in a message


def map_values(values, function):
    """Apply a function to each value; the result keeps dtype object."""
    return pd.Series(map(function, values), index=values.index, dtype=object)


def strip_value(value):
    """A string without surrounding blanks; what is no single value as a string."""
    if isinstance(value, str):
        return value.strip()
    return value if pd.api.types.is_scalar(value) else str(value)


def stands_for_none(value, known):
    """Tell whether a stripped value stands for none; `known` ones do not."""
    if isinstance(value, str):
        return value.lower() in _NO_VALUE and value not in known
    return pd.isna(value)


def to_label(value):
    """How a value is written as a label, such as in --map: 1 for 1.0, too."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def name_first(values):
    """Name the first few distinct values."""
    distinct = list(dict.fromkeys(map(to_label, values)))
    named = ", ".join(quote_value(value) for value in distinct[:_NAMED])
    more = len(distinct) - _NAMED
    return named + (f" and {more} more" if more > 0 else "")
