"""Checks of annotations and of their target."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from sklearn.utils.validation import column_or_1d

from ._containers import convert_container
from ._validation import encode_target, resolve_task

# More classes than this, and than a tenth of the rows, are no classes
_MOST_CLASSES = 20


def check_annotation_values(A, *, what="Annotations"):
    """Return annotations as a float64 array of 1, 0 and NaN."""
    A = convert_container(A)
    frame = A if isinstance(A, pd.DataFrame) else pd.DataFrame(np.asarray(A))
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = values[~np.isnan(values) & (values != 0) & (values != 1)]
    if odd.size:
        raise ValueError(
            f"{what} must be 1, 0 or NaN, but {odd.size} others arrived, such as "
            f"{odd[0]:g}. Apply a threshold first."
        )
    return values


def check_annotations(A, names=None, *, what="Annotations"):
    """Return annotations as a float64 array, and one name per column."""
    A = convert_container(A)
    values = check_annotation_values(A, what=what)
    if names is None:
        is_frame = isinstance(A, pd.DataFrame)
        names = A.columns if is_frame else [f"x{j}" for j in range(values.shape[1])]
    if isinstance(names, str):
        raise TypeError(f"names must be a sequence of texts, not one text: {names!r}.")
    names = list(names)
    twice = [str(name) for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(
            f"Hypotheses occur more than once by name, such as {twice[:3]}. Names must "
            "differ: they tell the rows of a report apart."
        )
    if len(names) != values.shape[1]:
        raise ValueError(
            f"There are {len(names)} names for {values.shape[1]} columns of "
            "annotations. There must be one name per column."
        )
    return values, list(names)


def check_target(y, task, classes, *, caller):
    """Resolve the task, and return y as numbers, with the classes if it has some."""
    y = convert_container(y)
    if y is not None and classes is not None:
        classes = np.asarray(classes)
        return "classification", _encode_known_classes(y, classes, caller), classes
    task = resolve_task(y, task)
    _check_is_no_quantity(y, task, caller)
    return task, *encode_target(y, task, caller=caller)


def _encode_known_classes(y, classes, caller):
    """Position of each label in the known classes, of which y may lack some."""
    labels = column_or_1d(np.asarray(y, dtype=object), warn=True)
    missing = int(pd.isna(labels).sum())
    if missing:
        raise ValueError(
            f"{caller}: Input y contains NaN: {missing} of {len(labels)} target "
            "values are missing. Drop those rows, and their texts."
        )
    known = pd.Index(classes.astype(object), dtype=object)
    codes = known.get_indexer(pd.Index(labels, dtype=object))
    unseen = list(dict.fromkeys(labels[codes < 0].tolist()))
    if unseen:
        raise ValueError(
            f"{caller}: y holds classes that were not there in fit: {unseen[:5]}; the "
            f"known ones are {classes.tolist()}. Drop those rows, and their texts."
        )
    return codes


def _check_is_no_quantity(y, task, caller):
    """Raise for dates, and for numbers written as text: they are no classes."""
    if y is None or task != "classification":
        return
    values = pd.Series(np.asarray(y, dtype=object).ravel())
    if np.asarray(y).dtype.kind in "mM" or values.map(_is_date).any():
        raise ValueError(
            f"{caller}: y holds dates. Pass numbers, such as days since a start, or "
            "classes, such as the year as a string."
        )
    n_distinct = values.nunique()
    if n_distinct > _MOST_CLASSES and n_distinct > len(values) / 10:
        as_text = pd.to_numeric(values, errors="coerce").notna().mean() > 0.9
        hint = (
            "They look like numbers written as text: convert them "
            "(pd.to_numeric(y)), or pass task='regression'."
            if as_text
            else "Join rare classes, or pass a quantity."
        )
        raise ValueError(
            f"{caller}: y holds {n_distinct} classes in {len(values)} rows, too many "
            f"to tell apart. {hint}"
        )


def _is_date(value):
    return isinstance(value, date | timedelta | np.datetime64 | np.timedelta64)
