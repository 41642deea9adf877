"""Numbers for the values of the target, as the user gives them."""

import math
import os
from numbers import Real

import numpy as np

from .._utils._labels import to_key
from .._utils._printable import pluralize, quote_value
from ..exceptions import InputError
from ._formats import FileOptions, read_columns
from ._values import name_first, name_value, suggest_option, to_label


def read_mapping(path):
    """Read numbers for values from a file of two columns.

    Parameters
    ----------
    path : str or path-like
        Of any format that has no names of columns, as `read_columns` recognizes it;
        lines such as ``"no, never",0``. A first line without a number is a header.

    Returns
    -------
    mapping : dict of str to float
        The numbers.

    Raises
    ------
    InputError
        If the file cannot be read, or a line is not a value and a number.
    """
    try:
        (values, numbers), _ = read_columns(path, ["1", "2"], FileOptions(header=False))
    except InputError as error:
        raise InputError(f"--map-file: {error}") from error
    mapping = {}
    for row, (value, written) in enumerate(zip(values, numbers, strict=True), start=1):
        number = _parse_number(written)
        if math.isfinite(number):
            mapping[to_label(value).strip()] = number
        elif row > 1:
            raise InputError(
                f"--map-file {quote_value(path)}: in row {row}, {name_value(value)} "
                f"has {name_value(written)} in the place of a number, such as -1."
            )
    if not mapping:
        raise InputError(
            f"--map-file {quote_value(path)} holds no value with a number, such as "
            "negative,-1."
        )
    return mapping


def _parse_number(text):
    try:
        return float(str(text).strip().replace(",", "."))
    except ValueError:
        return math.nan


def load_mapping(mapping):
    """Return a mapping that is given as it is, or by the name of its file."""
    if isinstance(mapping, str | os.PathLike):
        return read_mapping(mapping)
    mapping = dict(mapping or {})
    for value, number in mapping.items():
        if not (isinstance(number, Real) and math.isfinite(number)):
            raise InputError(
                f"mapping has {name_value(number)} for {name_value(value)}, which is "
                "no number."
            )
    return mapping


def apply_mapping(values, mapping, what, note):
    """Put numbers for values: of one spelling, else of the only one like it.

    Parameters
    ----------
    values : Series of dtype object
        Stripped values.
    mapping : dict of object to float
        Numbers are compared as numbers, words without regard to case and blanks.
    what : str
        The column, for messages.
    note : callable
        Takes a sentence on what the mapping has in vain.

    Returns
    -------
    numbers : ndarray of shape (n_rows,)
        The numbers.

    Raises
    ------
    InputError
        For values that are not in the mapping.
    """
    exact = {to_label(value): number for value, number in mapping.items()}
    alike, clashing = {}, set()
    for label, number in exact.items():
        if alike.setdefault(to_key(label), number) != number:
            clashing.add(to_key(label))
    for key in clashing:
        del alike[key]
    labels = [to_label(value) for value in values]
    found = {
        label: exact.get(label, alike.get(to_key(label)))
        for label in dict.fromkeys(labels)
    }
    unknown = [label for label, number in found.items() if number is None]
    if unknown:
        where = values.index[labels.index(unknown[0])] + 1
        raise InputError(
            f"--map has no number for {name_first(unknown)} in {what} (row {where}). "
            "Give it one, or leave such rows out: "
            f"{suggest_option('--missing', unknown)}."
        )
    keys = {to_key(label) for label in found}
    idle = [
        label for label in exact if label not in found and to_key(label) not in keys
    ]
    if idle:
        note(
            f"{what}: {pluralize(len(idle), 'value')} of --map "
            f"{'is' if len(idle) == 1 else 'are'} in no row: {name_first(idle)}."
        )
    return np.array([found[label] for label in labels], dtype=float)
