"""The column of the texts."""

from datetime import date, time
from numbers import Number

import numpy as np

from .._utils._printable import pluralize
from ..exceptions import InputError
from ._encodings import find_misread
from ._values import map_values, name_first, name_value, to_label

# What a spreadsheet makes of a text such as "10" or "1/2".
_CELLS = (Number, np.bool_, date, time)


def take_texts(values, column, note):
    """Return texts: strings, and as strings what a spreadsheet made of some.

    Parameters
    ----------
    values : Series of dtype object
        None missing or blank; indexed by the rows of the file.
    column : str
        Its name.
    note : callable
        Takes a sentence on what was decided, and on texts that were misread before.

    Returns
    -------
    texts : Series of dtype object

    Raises
    ------
    InputError
        If half of the values are no strings, or one is neither string, number nor date.
    """
    others = values[[not isinstance(value, str) for value in values]]
    if len(others):
        what = f"the text column {name_value(column)}"
        odd = [value for value in others if not isinstance(value, _CELLS)]
        if odd or 2 * len(others) >= len(values):
            raise InputError(
                f"{what} holds values that are no texts, such as "
                f"{name_first(odd or others)} (row {others.index[0] + 1}). Name the "
                "column that holds the texts by --text."
            )
        note(
            f"{what}: {pluralize(len(others), 'value')} that are no texts are read as "
            f"they are written: {name_first(others)}."
        )
        values = map_values(values, to_text)
    if misread := find_misread(values.tolist()):
        note(misread)
    return values


def to_text(value):
    return value if isinstance(value, str) else to_label(value)
