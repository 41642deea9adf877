"""Checks of annotations and of their target."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import column_or_1d

from ._validation import encode_target, resolve_task


def check_annotations(A, names=None):
    """Return annotations as a float64 array, and one name per column."""
    frame = A if isinstance(A, pd.DataFrame) else pd.DataFrame(np.asarray(A))
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = values[~np.isnan(values) & (values != 0) & (values != 1)]
    if odd.size:
        raise ValueError(
            f"Annotations must be 1, 0 or NaN, but {odd.size} others arrived, such as "
            f"{odd[0]:g}. Apply a threshold first."
        )
    if names is None:
        is_frame = isinstance(A, pd.DataFrame)
        names = frame.columns if is_frame else [f"x{j}" for j in range(values.shape[1])]
    if len(names) != values.shape[1]:
        raise ValueError(
            f"There are {len(names)} names for {values.shape[1]} columns of "
            "annotations. There must be one name per column."
        )
    return values, list(names)


def check_target(y, task, classes, *, caller):
    """Resolve the task, and return y as numbers, with the classes if it has some."""
    if y is not None and classes is not None:
        classes = np.asarray(classes)
        return "classification", _class_codes(y, classes, caller), classes
    task = resolve_task(y, task)
    return task, *encode_target(y, task, caller=caller)


def _class_codes(y, classes, caller):
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
