"""Validation of what users pass in.

This is the one module that imports private names of scikit-learn, so that a new
release of it breaks in one place.
"""

import datetime
from collections.abc import Mapping
from numbers import Number

import numpy as np
import pandas as pd
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_params,
)
from sklearn.utils.validation import (
    _check_feature_names_in,
    _num_samples,
    column_or_1d,
)

from ._containers import convert_container
from ._labels import WRITTEN_MISSING, is_plain_number, to_key
from ._printable import shorten
from ._warnings import warn

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "_check_feature_names_in",
    "_fit_context",
    "_num_samples",
    "_safe_indexing",
    "check_length",
    "check_same_length",
    "check_texts",
    "draw_seed",
    "encode_labelled",
    "encode_one_hot",
    "encode_target",
    "is_blank",
    "is_missing",
    "make_target_columns",
    "resolve_task",
    "take_labelled",
    "validate_params",
]

_MOST_NUMBERED_CLASSES = 20


def check_texts(texts, *, caller, may_be_empty=False):
    """Validate a collection of texts and return it as a 1-d object array of str.

    Parameters
    ----------
    texts : list, tuple, array, Series or one-column frame of str
        Of pandas, polars, PyArrow and datasets. Empty and whitespace-only texts are
        allowed.
    caller : str
        Name of the estimator or function, for messages.
    may_be_empty : bool, default=False
        Whether no texts at all are fine.

    Returns
    -------
    texts : ndarray of shape (n_samples,) and dtype object
        Plain `str` objects.

    Raises
    ------
    TypeError
        For a bare string, for what has no order or can be read only once, and for
        elements that are not strings.
    ValueError
        For no texts at all, for more than one column, and for missing texts.
    """
    if isinstance(texts, str | bytes):
        raise TypeError(
            f"{caller} expects a collection of texts, but one bare "
            f"{type(texts).__name__} arrived. Put it in a list: [text]."
        )
    values = _as_object_vector(texts, caller)
    if len(values) == 0 and not may_be_empty:
        raise ValueError(
            f"{caller} found array with 0 sample(s): at least one text is required."
        )
    if set(map(type, values)) <= {str}:
        return values
    for position, value in enumerate(values):
        if not isinstance(value, str):
            raise _make_text_error(values, position, value, caller)
        if type(value) is not str:  # np.str_ and other subclasses
            values[position] = str(value)
    return values


def _as_object_vector(texts, caller):
    """Flatten any accepted container into a new 1-d object array."""
    texts = convert_container(texts)
    if hasattr(texts, "to_numpy"):  # pandas: Series and frames
        array = np.asarray(texts.to_numpy(), dtype=object)
    elif isinstance(texts, np.ndarray):
        array = np.asarray(texts, dtype=object)
    elif _has_rows(texts):
        array = np.empty(len(texts), dtype=object)
        array[:] = list(texts)
    else:
        raise TypeError(
            f"{caller} expects a list, tuple, array, Series or one-column frame of "
            f"texts, but {type(texts).__name__} arrived.{_advise(texts)}"
        )
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{caller} expects one text per row, but an input of shape "
            f"{array.shape} arrived. Select the one column that holds the texts"
            f"{_name_columns(texts)}."
        )
    return array.copy()


def _has_rows(texts):
    """Tell whether texts can be read in order, more than once."""
    is_collection = hasattr(texts, "__iter__") and hasattr(texts, "__len__")
    return is_collection and not isinstance(texts, Mapping | set | frozenset)


def _advise(texts):
    """Return the one change by which what has no rows becomes texts."""
    if isinstance(texts, Mapping):
        return " Pass one of its values, or list(texts.values())."
    if isinstance(texts, set | frozenset):
        return " It has no order. Pass a list."
    if hasattr(texts, "collect"):  # a lazy frame of polars
        return " Pass texts.collect()."
    if hasattr(texts, "__iter__"):
        return " It can be read only once: pass list(texts)."
    return ""


def _name_columns(texts):
    columns = [str(name) for name in getattr(texts, "columns", [])]
    return f" (there are {', '.join(map(repr, columns[:5]))})" if columns else ""


def _make_text_error(values, position, value, caller):
    """Build the error for the first element that is not a string."""
    others = sum(not isinstance(v, str) for v in values) - 1
    more = f" (and {others} more)" if others else ""
    if is_missing(value):
        return ValueError(
            f"{caller}: the text at position {position}{more} is missing "
            f"({value!r}). Drop rows without a text, and the same rows of y, or "
            "replace it with an empty string."
        )
    advice = "Decode it first." if isinstance(value, bytes) else "Convert it with str."
    return TypeError(
        f"{caller}: the element at position {position}{more} is of type "
        f"{type(value).__name__}, not a text. {advice}"
    )


def is_missing(value):
    """Tell whether a value stands for none: None, NaN, NA or NaT."""
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def is_blank(text):
    """Tell whether a text is missing, or there is nothing in it."""
    return not text.strip() if isinstance(text, str) else is_missing(text)


def check_length(name, values, n, unit, *, caller):
    """Raise unless there is one of the values for each text, pair, chunk, ..."""
    if len(values) != n:
        raise ValueError(f"{caller}: {name} has {len(values)} entries for {n} {unit}.")


def check_same_length(texts, y, *, caller):
    """Raise unless there is one target value per text."""
    if len(texts) != len(y):
        raise ValueError(
            f"{caller}: texts and y differ in length ({len(texts)} and {len(y)}). "
            "There must be one target value per text."
        )


def resolve_task(y, task="auto"):
    """Decide between regression and classification, by one rule everywhere.

    Booleans, strings, categoricals and targets of exactly two distinct values are
    classes; any other numeric target is a quantity, so that -1/0/1 and 1-5 stars
    are regressed on.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        The target. Missing values are not looked at.
    task : {"auto", "regression", "classification"}, default="auto"
        Anything but "auto" is returned as it is.

    Returns
    -------
    task : {"regression", "classification"}
        The task.
    """
    if task != "auto":
        return task
    y = convert_container(y)
    if isinstance(getattr(y, "dtype", None), pd.CategoricalDtype):
        return "classification"
    values = np.asarray(y)
    if values.dtype.kind not in "iuf":
        if values.dtype.kind == "O":
            known = values[~pd.isna(values)]
            numeric = pd.to_numeric(pd.Series(known), errors="coerce")
            is_number = all(
                isinstance(v, Number) and not isinstance(v, bool) for v in known
            )
            if is_number and not numeric.isna().all():
                return _task_of_numbers(numeric.to_numpy())
        return "classification"
    return _task_of_numbers(values)


def _task_of_numbers(values):
    finite = values[np.isfinite(values)]
    return "classification" if len(np.unique(finite)) == 2 else "regression"


def encode_target(y, task, *, caller):
    """Validate y for a task and return it as numbers.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        The target.
    task : {"regression", "classification"}
        The task, already resolved.
    caller : str
        Name of the estimator or function, for messages.

    Returns
    -------
    values : ndarray of shape (n_samples,)
        float64 for regression, class codes (int64) for classification.
    classes : ndarray of shape (n_classes,) or None
        The sorted class labels; None for regression.

    Raises
    ------
    ValueError
        For missing values, strings where numbers are needed, dates, infinite values
        and a single class.

    Warns
    -----
    HypothesisWarning
        For classes that are one but for their spelling, that say "missing", or that
        look like a quantity.
    """
    _check_is_given(y, caller)
    y = convert_container(y)
    missing = int(pd.isna(np.asarray(y, dtype=object)).sum())
    if missing:
        raise ValueError(
            f"{caller}: Input y contains NaN: {missing} of {len(y)} target values "
            "are missing. Drop those rows, and their texts."
        )
    y = column_or_1d(_as_plain(y), warn=True)
    _check_no_dates(y, caller)
    if task == "classification":
        if y.dtype.kind == "f" and not np.isfinite(y).all():
            raise ValueError(f"{caller}: Input y contains infinity.")
        if y.dtype.kind == "c":
            raise ValueError(f"{caller}: Complex data not supported: y is complex.")
        try:
            classes, codes = np.unique(y, return_inverse=True)
        except TypeError as error:
            kinds = sorted({type(label).__name__ for label in y})
            raise ValueError(
                f"{caller}: y mixes labels of types {', '.join(kinds)}, which cannot "
                "be put in order. Convert them to one type."
            ) from error
        if len(classes) < 2:
            raise ValueError(
                f"{caller}: y holds a single class ({classes.tolist()[0]!r}); at least "
                "two are needed to ask what tells them apart."
            )
        _warn_of_labels(classes, np.bincount(codes), caller)
        return codes.astype(np.int64), classes
    try:
        values = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{caller}: y must be numeric for task='regression', but it holds "
            f"{y.dtype} values such as {y[0]!r}. Map them to numbers, or pass "
            "task='classification'."
        ) from error
    if not np.isfinite(values).all():
        raise ValueError(f"{caller}: Input y contains infinity.")
    return values, None


def _as_plain(y):
    """Return numbers, booleans and strings as an array of a type scikit-learn knows.

    It would make floats of nullable integers and booleans, takes no numbers or
    booleans that are objects for classes, and fails on NumPy's own strings.
    """
    dtype = getattr(y, "dtype", None)
    if isinstance(dtype, np.dtypes.StringDType):
        return np.asarray(y, dtype=object)
    if pd.api.types.is_extension_array_dtype(dtype):
        y = np.asarray(y)
    if pd.api.types.is_object_dtype(getattr(y, "dtype", None)):
        values = np.asarray(y)
        if all(isinstance(value, Number) for value in values.ravel()):
            return np.array(values.tolist())
    return y


def _check_no_dates(y, caller):
    """Raise for dates, which would be a class each."""
    first = y[0] if len(y) and y.dtype.kind in "MO" else None
    if not isinstance(first, datetime.date | np.datetime64):
        return
    raise ValueError(
        f"{caller}: y holds dates, such as {shorten(first, 40)!r}, which are neither "
        "classes nor quantities. Convert them to days, with y a Series: "
        "(y - y.min()) / pd.Timedelta(days=1), or to years: y.dt.year."
    )


def _warn_of_labels(classes, counts, caller):
    """Warn of strings that may be meant otherwise: as one, as missing, as numbers."""
    if classes.dtype.kind not in "OU":
        return
    named = {
        str(label): f"{shorten(label, 40)!r} ({n})"
        for label, n in zip(classes.tolist(), counts.tolist(), strict=True)
    }
    by_key = {}
    for label in named:
        by_key.setdefault(to_key(label), []).append(named[label])
    alike = [", ".join(each) for each in by_key.values() if len(each) > 1]
    if alike:
        warn(
            f"{caller}: y has classes that differ in their spelling alone, and are "
            f"taken as different ones: {'; '.join(alike[:3])}. Write each class in one "
            "way, such as y.str.strip().str.lower()."
        )
    missing = [each for label, each in named.items() if label in WRITTEN_MISSING]
    if missing:
        warn(
            f"{caller}: y has classes that say that a value is missing: "
            f"{', '.join(missing)}. If they do, put None or NaN in an array of dtype "
            "object or a Series."
        )
    if all(map(is_plain_number, named)):
        fraction = next((each for each in named if not float(each).is_integer()), None)
        if fraction or len(named) > _MOST_NUMBERED_CLASSES:
            warn(
                f"{caller}: y holds numbers written as strings, such as "
                f"{fraction or next(iter(named))!r}, which are taken as {len(named)} "
                "classes. If they are a quantity: pd.to_numeric(y)."
            )


def _check_is_given(y, caller):
    if y is None:
        raise ValueError(f"{caller} requires y to be passed, but the target y is None.")


def take_labelled(y):
    """Return the target of the rows that have one, and which rows these are.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1)
        None, NaN, NA or NaT where there is no target.

    Returns
    -------
    labels : ndarray of shape (n_labelled,)
        Of the one plain type that they have, or objects if they are mixed.
    labelled : ndarray of bool of shape (n_samples,)
        Which rows have a target.
    """
    labels = column_or_1d(np.asarray(convert_container(y), dtype=object))
    labelled = ~pd.isna(labels)
    labels = labels[labelled]
    values = labels.tolist()
    if len({isinstance(value, str) for value in values}) > 1:
        return labels, labelled
    return np.array(values) if values else np.empty(0), labelled


def encode_labelled(y, task, *, caller):
    """Validate y, which some rows may lack, and return that of the others as numbers.

    Parameters
    ----------
    y, task, caller : objects
        As in `encode_target`; None, NaN, NA or NaT where there is no target.

    Returns
    -------
    values : ndarray of shape (n_labelled,)
        As from `encode_target`, of the rows with a target.
    classes : ndarray of shape (n_classes,) or None
        The sorted class labels; None for regression.
    labelled : ndarray of bool of shape (n_samples,)
        Which rows have a target.

    Raises
    ------
    ValueError
        As `encode_target`, of the rows with a target, and for fewer than two of them.
    """
    _check_is_given(y, caller)
    labels, labelled = take_labelled(y)
    if labelled.all():
        return *encode_target(y, task, caller=caller), labelled
    if not labelled.any():
        raise ValueError(
            f"{caller}: Input y contains NaN only. Texts without a target are welcome "
            "beside texts with one, of which there are none."
        )
    if len(labels) < 2:
        raise ValueError(
            f"{caller}: one of {len(labelled)} rows has a target, the others are NaN. "
            "At least two are needed."
        )
    return *encode_target(labels, task, caller=caller), labelled


def make_target_columns(values, classes):
    """Return an encoded target as columns of numbers.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        From `encode_target`.
    classes : ndarray of shape (n_classes,) or None
        From `encode_target`.

    Returns
    -------
    columns : ndarray of shape (n_samples, n_columns), float64
        One column for a quantity and for two classes, otherwise the indicators of
        the classes.
    """
    if classes is not None and len(classes) > 2:
        return encode_one_hot(values, len(classes))
    return values[:, None].astype(np.float64)


def encode_one_hot(codes, n_classes):
    """Return the indicators of classes: one column of 0.0 and 1.0 for each.

    Parameters
    ----------
    codes : ndarray of int of shape (n_samples,)
        Class codes; those that are none of the classes give rows of 0.
    n_classes : int
        Number of classes.

    Returns
    -------
    indicators : ndarray of shape (n_samples, n_classes), float64
        Also for two classes, where `label_binarize` returns one column.
    """
    return (codes[:, None] == np.arange(n_classes)).astype(np.float64)


def draw_seed(random_state):
    """Draw one int32 seed from a checked `RandomState`, for local generators."""
    return int(random_state.randint(np.iinfo(np.int32).max))
