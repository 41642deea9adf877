"""Columns of any labels as plain arrays and JSON: same types, same values, no pickle.

Numbers, booleans, dates and NumPy strings are arrays that NumPy itself stores without
pickle. Whatever is of dtype object becomes codes (an array) into levels (JSON), each
level with its type, so that 1, 1.0, True and "1" stay four labels.
"""

import numpy as np
import pandas as pd

_PLAIN_KINDS = "biufcUMmS"
_TYPES = {"str": str, "int": int, "bool": bool, "float": float}


def packed(values):
    """Split a column into an array and what JSON has to keep beside it.

    Parameters
    ----------
    values : array-like, Series or Categorical
        A column, or a matrix of numbers.

    Returns
    -------
    array : ndarray
        Of a dtype that needs no pickle.
    beside : dict
        For `unpacked`: JSON-able, empty if the array says it all.

    Raises
    ------
    TypeError
        If a label is neither a string, a number, a boolean nor missing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._typed_arrays import packed, unpacked
    >>> array, beside = packed(np.array(["b", 1, "b", True], dtype=object))
    >>> array.tolist(), beside["levels"]
    ([0, 1, 0, 2], [['str', 'b'], ['int', '1'], ['bool', 'True']])
    >>> unpacked(array, beside).tolist()
    ['b', 1, 'b', True]
    """
    values = getattr(values, "array", values)  # of a series
    if isinstance(values, pd.Categorical):
        beside = {"kind": "category", "ordered": bool(values.ordered)}
        beside["dtype"] = str(values.categories.dtype)
        beside["levels"] = [_typed(level) for level in values.categories]
        return np.asarray(values.codes), beside
    array = np.asarray(values)
    beside = {"kind": "plain"}
    if array.dtype.kind not in _PLAIN_KINDS:
        array, beside = _coded(array)
    if isinstance(values, pd.api.extensions.ExtensionArray) and not isinstance(
        values, pd.arrays.NumpyExtensionArray
    ):
        beside["dtype"] = str(values.dtype)
    return array, {} if beside == {"kind": "plain"} else beside


def unpacked(array, beside):
    """Return the column that was packed.

    Parameters
    ----------
    array : ndarray
        From `packed`.
    beside : dict
        From `packed`.

    Returns
    -------
    values : ndarray or pandas array
        With the types and values of the column.
    """
    if not beside:
        return array
    levels = [_untyped(*each) for each in beside.get("levels", ())]
    if beside["kind"] == "category":
        categories = pd.Index(levels, dtype=beside["dtype"])
        ordered = beside["ordered"]
        return pd.Categorical.from_codes(array, categories, ordered=ordered)
    values = array
    if beside["kind"] == "labels":
        values = np.empty(len(array), dtype=object)
        values[:] = [levels[code] for code in array]
    return pd.array(values, dtype=beside["dtype"]) if "dtype" in beside else values


def _coded(values):
    """Codes and levels of a column of objects; types tell equal labels apart."""
    if values.ndim != 1:
        raise TypeError(
            f"A matrix of {values.dtype} cannot be stored without pickle; only columns "
            "of labels can."
        )
    number, codes = {}, np.empty(len(values), dtype=np.int32)
    for i, value in enumerate(values.tolist()):
        codes[i] = number.setdefault(tuple(_typed(value)), len(number))
    return codes, {"kind": "labels", "levels": [list(each) for each in number]}


def _typed(value):
    """A label as the name of its type and its text."""
    for missing, name in ((None, "None"), (pd.NA, "NA"), (pd.NaT, "NaT")):
        if value is missing:
            return ["missing", name]
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        plain = value.item()
        name = f"numpy.{value.dtype.name if value.dtype.kind != 'U' else 'str'}"
        return [name, plain if isinstance(plain, str) else repr(plain)]
    for name, kind in _TYPES.items():
        if type(value) is kind:
            return [name, value if kind is str else repr(value)]
    raise TypeError(
        f"A label of type {type(value).__name__} cannot be stored without pickle. "
        "Labels may be strings, integers, floats, booleans or missing."
    )


def _untyped(name, text):
    if name == "missing":
        return {"None": None, "NA": pd.NA, "NaT": pd.NaT}[text]
    if name == "numpy.str":
        return np.str_(text)
    if name.startswith("numpy."):
        dtype = np.dtype(name.removeprefix("numpy."))
        if dtype.kind == "b":
            return np.bool_(text == "True")
        return dtype.type(int(text) if dtype.kind in "iu" else float(text))
    return text == "True" if name == "bool" else _TYPES[name](text)
