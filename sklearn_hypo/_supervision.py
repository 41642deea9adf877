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
        Sample weights times class weights; 0 where the target is missing.
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

    def check_informative(self, caller):
        """Raise unless there is something to learn: two values, or two classes."""
        values = self.values[self.weights > 0]
        if self.kind == "classes":
            absent = self.classes[values.sum(axis=0) == 0]
            if len(absent):
                raise ValueError(
                    f"{caller}: all rows of class {absent.tolist()[0]!r} have weight "
                    "0, so nothing can be learned about it. Drop these rows."
                )
        elif not len(values) or (values == values[0]).all():
            raise ValueError(
                f"{caller}: y is constant, so there is nothing to learn from it. Use "
                "SparseAutoencoderTransformer."
            )


def encode_supervision(
    y, n_rows, *, task, class_weight, sample_weight, caller, known=None, name="y"
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
    known : Supervision or None
        That of other rows: y has to be of the same kind, and may be missing
        altogether.
    name : str, default="y"
        What the user calls y.

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
        raise ValueError(
            f"{caller} requires y to be passed, but the target {name} is None."
        )
    if not hasattr(y, "__len__"):
        y = np.asarray(y)
    if np.shape(y)[:1] != (n_rows,):
        raise ValueError(
            f"{caller}: X and {name} differ in length ({n_rows} and {len(y)}). There "
            "must be one target value, or NaN, per row."
        )
    weights = _checked_weights(sample_weight, n_rows, caller)
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        found = _several_outputs(y, weights, task, caller, name)
    else:
        found = _one_output(y, weights, task, class_weight, caller, known, name)
    if known is not None and found.values.shape[1] != known.values.shape[1]:
        raise ValueError(
            f"{caller}: {name} has {found.values.shape[1]} outputs, but y had "
            f"{known.values.shape[1]}. Both need the same columns."
        )
    return found


def _one_output(y, weights, task, class_weight, caller, known, name):
    labels = np.asarray(y, dtype=object).ravel()
    present = ~pd.isna(labels)
    if not present.any() and known is None:
        raise ValueError(
            f"{caller}: Input y contains NaN only. At least some rows need a target; "
            "without any, use SparseAutoencoderTransformer."
        )
    classes = None
    if known is not None:
        task, classes = known.task, known.classes
    elif isinstance(getattr(y, "dtype", None), pd.CategoricalDtype):
        task = "classification" if task == "auto" else task
    labels = _plain(labels[present])
    task = resolve_task(labels, task)
    if not len(labels):
        n_outputs = known.values.shape[1]
        nothing = np.full((len(weights), n_outputs), np.nan)
        return Supervision(nothing, 0 * weights, task, classes, 1)
    if classes is not None:
        codes = _codes_of(labels, classes, caller, name)
    else:
        codes, classes = encode_target(labels, task, caller=caller)
    columns = codes[:, None]
    weights = np.where(present, weights, 0.0)
    if task == "classification":
        columns = (codes[:, None] == np.arange(len(classes))).astype(float)
        weights[present] *= compute_sample_weight(class_weight, classes[codes])
    values = np.full((len(weights), columns.shape[1]), np.nan)
    values[present] = columns
    return Supervision(values, weights, task, classes, 1)


def _plain(labels):
    """Return labels as an array of one plain type, or of objects if they are mixed."""
    values = labels.tolist()
    if len({isinstance(value, str) for value in values}) > 1:
        return labels
    return np.array(values) if values else np.empty(0)


def _codes_of(labels, classes, caller, name):
    """Return the position of each label among the classes."""
    codes = np.searchsorted(classes, labels)
    unknown = (codes == len(classes)) | (
        classes[np.minimum(codes, len(classes) - 1)] != labels
    )
    if unknown.any():
        stranger = labels[unknown].tolist()[0]
        raise ValueError(
            f"{caller}: {name} holds {stranger!r}, which is not among the classes "
            f"{classes.tolist()}. With partial_fit, pass all classes in the first call."
        )
    return codes


def _several_outputs(y, weights, task, caller, name):
    if task == "classification":
        raise ValueError(
            f"{caller}: {name} has {np.shape(y)[1]} columns, but "
            "task='classification' takes one. Fit one transformer per column, or pass "
            "task='regression'."
        )
    values = check_array(
        y, dtype=np.float64, ensure_all_finite="allow-nan", input_name=name
    )
    missing = np.isnan(values).any(axis=1)
    if missing.all():
        raise ValueError(f"{caller}: every row of {name} contains NaN.")
    weights = np.where(missing, 0.0, weights)
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
    # so that a penalty means the same whatever the unit of the weights
    return weights / weights.mean()
