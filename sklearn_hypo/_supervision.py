"""What a user passes as y, turned into the numbers that a supervised loss needs."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_array

from ._validation import encode_target, resolve_task


class Supervision(NamedTuple):
    """A validated target, some of which may be missing.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_outputs)
        Quantities, or one column of 0 and 1 per class; NaN where missing.
    weights : ndarray of shape (n_rows,)
        Sample weights times class weights.
    task : {"regression", "classification"}
    classes : ndarray of shape (n_classes,) or None
    n_dimensions : int
        Of y: 1 or 2.
    """

    values: object
    weights: object
    task: str
    classes: object
    n_dimensions: int

    @property
    def kind(self):
        return "classes" if self.task == "classification" else "quantities"


def encode_supervision(
    y, n_rows, *, task, class_weight, sample_weight, caller, classes=None
):
    """Validate y and the weights.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        The target; NaN or None where it is missing. Several columns are quantities.
    n_rows : int
        Rows of X.
    task : {"auto", "regression", "classification"}
    class_weight : dict, "balanced" or None
    sample_weight : array-like of shape (n_rows,) or None
    caller : str
        Name of the estimator, for messages.
    classes : array-like of shape (n_classes,) or None
        All classes, where y holds a part of the data only.

    Returns
    -------
    supervision : Supervision

    Raises
    ------
    ValueError
        For no y, a wrong length, no target at all, a single class, infinite values
        and negative weights.
    """
    if y is None:
        raise ValueError(f"{caller} requires y to be passed, but the target y is None.")
    weights = _checked_weights(sample_weight, n_rows, caller)
    if not hasattr(y, "__len__"):
        y = np.asarray(y)
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        return _several_outputs(y, n_rows, weights, task, caller)
    known = ~pd.isna(np.asarray(y, dtype=object)).ravel()
    if len(known) != n_rows:
        raise ValueError(
            f"{caller}: X and y differ in length ({n_rows} and {len(known)}). There "
            "must be one target value, or NaN, per row."
        )
    if not known.any():
        raise ValueError(
            f"{caller}: Input y contains NaN only. At least some rows need a target; "
            "without any, use SparseAutoencoderTransformer."
        )
    present = y[known] if hasattr(y, "__array__") else np.asarray(y, object)[known]
    if np.asarray(present).dtype.kind == "O":
        # without the missing ones, plain numbers and strings are left
        present = np.array(list(np.asarray(present).ravel()))
    if classes is not None:
        task = "classification"
    task = resolve_task(present, task)
    if classes is None:
        codes, found = encode_target(present, task, caller=caller)
    else:
        found = np.unique(np.asarray(classes))
        codes = _codes_of(present, found, caller)
    if task == "regression":
        columns = codes[:, None]
    else:
        columns = (codes[:, None] == np.arange(len(found))).astype(float)
        weights[known] *= compute_sample_weight(class_weight, found[codes])
    values = np.full((n_rows, columns.shape[1]), np.nan)
    values[known] = columns
    return Supervision(values, weights, task, found, 1)


def _codes_of(labels, classes, caller):
    """Return the position of each label among the classes."""
    labels = np.asarray(labels).ravel()
    codes = np.searchsorted(classes, labels)
    unknown = (codes == len(classes)) | (
        classes[np.minimum(codes, len(classes) - 1)] != labels
    )
    if unknown.any():
        stranger = labels[unknown].tolist()[0]
        raise ValueError(
            f"{caller}: y holds {stranger!r}, which is not among classes="
            f"{classes.tolist()}. Pass all classes in the first call of partial_fit."
        )
    return codes


def _several_outputs(y, n_rows, weights, task, caller):
    if task == "classification":
        raise ValueError(
            f"{caller}: y has {np.shape(y)[1]} columns, but task='classification' "
            "takes one. Fit one transformer per column, or pass task='regression'."
        )
    values = check_array(
        y, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y"
    )
    if len(values) != n_rows:
        raise ValueError(
            f"{caller}: X and y differ in length ({n_rows} and {len(values)}). There "
            "must be one row of targets, or NaN, per row."
        )
    if np.isnan(values).any(axis=1).all():
        raise ValueError(f"{caller}: every row of y contains NaN.")
    return Supervision(values, weights, "regression", None, 2)


def _checked_weights(sample_weight, n_rows, caller):
    if sample_weight is None:
        return np.ones(n_rows)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    ).copy()
    if weights.shape != (n_rows,):
        raise ValueError(
            f"{caller}: sample_weight has shape {weights.shape}, but ({n_rows},) is "
            "needed: one weight per row."
        )
    if (weights < 0).any() or not weights.any():
        raise ValueError(
            f"{caller}: sample_weight must be non-negative and not all zero."
        )
    return weights
