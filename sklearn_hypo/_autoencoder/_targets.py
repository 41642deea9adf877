"""The target, from what the user gave to what the supervised loss sees.

`encode_supervision` checks y and makes it numbers and weights (`Supervision`);
`split_target` standardizes these and deals them out to training and validation rows
(`Target`); `smooth_target` takes noise out of what is trained on.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_array

from .._utils._containers import convert_container
from .._utils._target_scale import scale_target
from .._utils._validation import (
    encode_one_hot,
    encode_target,
    resolve_task,
    take_labelled,
)
from ._distributed import sum_across
from ._rows import TrainingRows

_PENALTIES = np.logspace(-4, 2, 7)
_BLOCK = 4096


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

    def to_scale(self, scale, caller):
        """Return the quantities on the scale that they are learned on."""
        return self._replace(values=scale_target(self.values, scale, caller=caller))

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
                f"{caller}: y is constant, so there is nothing to learn from it. Check "
                "the target; neurons without one are SparseAutoencoderTransformer's."
            )


def encode_supervision(
    y, n_rows, *, task, class_weight, sample_weight, caller, known=None, name="y"
):
    """Validate y, of shape (n_rows,) or (n_rows, n_outputs), and the weights.

    Parameters
    ----------
    y : array-like
        NaN or None where it is missing. Several columns are quantities.
    n_rows : int
        Rows of X.
    task, class_weight, sample_weight
        As the estimator has them.
    caller : str
        Name of the estimator, for messages.
    known : Supervision or None
        That of other rows: y has to be of the same kind, and may be missing altogether.
    name : str, default="y"
        What the user calls y.

    Raises
    ------
    ValueError
        For no y, a wrong length, no target at all, a single class, infinite values and
        negative weights.
    """
    if y is None:
        raise ValueError(
            f"{caller} requires y to be passed, but the target {name} is None."
        )
    y, sample_weight = convert_container(y), convert_container(sample_weight)
    if not hasattr(y, "__len__"):
        y = np.asarray(y)
    if np.shape(y)[:1] != (n_rows,):
        raise ValueError(
            f"{caller}: X and {name} differ in length ({n_rows} and {len(y)}). There "
            "must be one target value, or NaN, per row."
        )
    weights = _check_weights(sample_weight, n_rows, caller)
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        found = _encode_quantities(y, weights, task, caller, name)
    else:
        found = _encode_one_output(y, weights, task, class_weight, caller, known, name)
    if known is not None and found.values.shape[1] != known.values.shape[1]:
        raise ValueError(
            f"{caller}: {name} has {found.values.shape[1]} outputs, but y had "
            f"{known.values.shape[1]}. Both need the same columns."
        )
    return found


def _encode_one_output(y, weights, task, class_weight, caller, known, name):
    labels, present = take_labelled(y)
    if not present.any() and known is None:
        raise ValueError(
            f"{caller}: Input y contains NaN only. At least some rows need a target; "
            "without any, use SparseAutoencoderTransformer."
        )
    classes = None
    if known is not None:
        task, classes = known.task, known.classes
    task = resolve_task(y, task)
    if not len(labels):
        n_outputs = known.values.shape[1]
        nothing = np.full((len(weights), n_outputs), np.nan)
        return Supervision(nothing, 0 * weights, task, classes, 1)
    if classes is not None:
        codes = _encode_known_labels(labels, classes, caller, name)
    else:
        codes, classes = encode_target(labels, task, caller=caller)
    columns = codes[:, None]
    weights = np.where(present, weights, 0.0)
    if task == "classification":
        columns = encode_one_hot(codes, len(classes))
        weights[present] *= compute_sample_weight(class_weight, classes[codes])
    values = np.full((len(weights), columns.shape[1]), np.nan)
    values[present] = columns
    return Supervision(values, weights, task, classes, 1)


def _encode_known_labels(labels, classes, caller, name):
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


def _encode_quantities(y, weights, task, caller, name):
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


def _check_weights(sample_weight, n_rows, caller):
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


class Target(NamedTuple):
    """What the head learns to predict.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_outputs), float32
        Quantities, or probabilities of the classes; 0 where missing.
    weights : ndarray of shape (n_rows,), float32
        Non-negative; 0 where the target is missing.
    null_loss : ndarray of shape (n_outputs,) or float
        What the best constant leaves: the variance of each quantity, or the entropy
        of the classes in nats.
    kind : {"quantities", "classes"}
    """

    values: object
    weights: object
    null_loss: object
    kind: str

    def take(self, rows):
        """Return the target of some rows; all of them for None."""
        if rows is None:
            return self
        return self._replace(values=self.values[rows], weights=self.weights[rows])


class TargetScale(NamedTuple):
    """Where quantities lie and how far they spread; classes stay as they are.

    Attributes
    ----------
    mean, spread : ndarray of shape (n_outputs,), float64
    """

    mean: object
    spread: object

    @classmethod
    def of(cls, supervision):
        """Return the weighted mean and standard deviation of the known rows."""
        n_outputs = supervision.values.shape[1]
        if supervision.kind == "classes":
            return cls(np.zeros(n_outputs), np.ones(n_outputs))
        known = supervision.weights > 0
        weights, values = supervision.weights[known], supervision.values[known]
        total = float(sum_across(weights.sum()))
        mean = sum_across(weights @ values) / total
        spread = np.sqrt(sum_across(weights @ (values - mean) ** 2) / total)
        # what is left of a constant after rounding is no spread
        constant = spread <= 1e-12 * np.abs(mean)
        return cls(mean, np.where(constant | (spread == 0), 1.0, spread))

    def standardize(self, values):
        """Return (values - mean) / spread."""
        return (values - self.mean) / self.spread

    def state(self):
        """Return the arrays by name."""
        return {"target_mean": self.mean, "target_spread": self.spread}

    @classmethod
    def from_state(cls, state):
        """Return what `state` was called on, or None."""
        if not state or "target_mean" not in state:
            return None
        return cls(state["target_mean"], state["target_spread"])


def make_target(values, weights, kind):
    """Complete a target by what the best constant leaves of it.

    `values`, of shape (n_rows, n_outputs), hold NaN where the target is missing.
    """
    missing = ~np.isfinite(values).all(axis=1)
    weights = np.where(missing, 0.0, weights)
    values = np.where(missing[:, None], 0.0, values)
    total = max(float(sum_across(weights.sum())), np.finfo(float).tiny)
    mean = sum_across(weights @ values) / total
    if kind == "classes":
        present = mean[mean > 0]
        null_loss = float(-(present * np.log(present)).sum())
    else:
        null_loss = sum_across(weights @ (values - mean) ** 2) / total
    return Target(
        values.astype(np.float32), weights.astype(np.float32), null_loss, kind
    )


def split_target(supervision, validation, scale, seen, held_out):
    """Return the targets of the rows to train on and of the validation rows, or None.

    The latter are the supervision `validation` of other rows, if there is one, else
    the rows `held_out`; `seen` and `held_out` may be None, for all and for none.
    """
    kind, held = supervision.kind, None
    values = scale.standardize(supervision.values)
    whole = make_target(values, supervision.weights, kind)
    if validation is not None:
        values = scale.standardize(validation.values)
        held = make_target(values, validation.weights, kind)
    elif held_out is not None:
        held = whole.take(held_out)
    if held is not None:
        held = held._replace(null_loss=whole.null_loss)
    return whole.take(seen), held


def smooth_target(target, X, share, rng, *, n_folds=5):
    r"""Replace a share of the target by what ridge regression predicts out of fold.

    .. math:: \tilde y = s \, \hat y^{-} + (1 - s) \, y

    where :math:`\hat y^-_i` is predicted from the embedding by a ridge regression that
    did not see row i. The part of y that the embeddings do not carry is noise to the
    autoencoder, which could only memorize it; the smoothed target has less of it, and
    its own variance as the null loss of quantities.

    Parameters
    ----------
    target : Target
        Of the training rows.
    X : TrainingRows or ndarray of shape (n_rows, n_features)
        Training rows, centered and scaled.
    share : float
        The share s, from 0 to 1.
    rng : RandomState
        Deals the rows out to the folds.
    n_folds : int, default=5
    """
    labelled = target.weights > 0
    if share == 0 or sum_across(labelled.sum()) < 2 * n_folds:
        return target
    predicted = predict_out_of_fold(X, target.values, target.weights, rng, n_folds)
    if target.kind == "classes":
        predicted = np.clip(predicted, 1e-3, None)
        predicted /= predicted.sum(axis=1, keepdims=True)
    mixed = share * predicted + (1 - share) * target.values
    mixed[~labelled] = np.nan
    smooth = make_target(mixed, target.weights, target.kind)
    if target.kind == "classes":
        smooth = smooth._replace(null_loss=target.null_loss)
    return smooth


def predict_out_of_fold(X, values, weights, rng, n_folds=5):
    r"""Predict each row by a ridge regression fitted on the other folds.

    One pass over the rows collects :math:`X^\top X` and :math:`X^\top Y` of each fold,
    a second one predicts. The penalty, relative to the mean eigenvalue, is that of the
    smallest out-of-fold error. Rows of weight 0 are predicted but not learned from.
    """
    rows = X if isinstance(X, TrainingRows) else TrainingRows(X)
    # an equal number of rows with a target in each fold
    folds = np.empty(len(rows), dtype=np.int64)
    for part in (np.flatnonzero(weights > 0), np.flatnonzero(weights <= 0)):
        folds[part] = rng.permutation(len(part)) % n_folds
    moments = _sum_moments_by_fold(rows, values, weights, folds, n_folds)
    total = moments.sum(axis=0)
    models = [_fit_ridge_path(total - moment, rows.shape[1]) for moment in moments]
    predictions = np.empty((len(_PENALTIES), *values.shape))
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        block = _append_ones(rows[part])
        for fold in range(n_folds):
            of_fold = np.flatnonzero(folds[part] == fold)
            predictions[:, start + of_fold] = block[of_fold] @ models[fold]
    errors = ((predictions - values) ** 2).sum(axis=2) @ weights
    return predictions[np.argmin(sum_across(errors))]


def _append_ones(rows):
    return np.column_stack([rows.astype(np.float64), np.ones(len(rows))])


def _sum_moments_by_fold(rows, values, weights, folds, n_folds):
    """Return the weighted products of [X, 1] with [X, 1, Y], fold by fold."""
    width = rows.shape[1] + 1
    moments = np.zeros((n_folds, width, width + values.shape[1]))
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        left = _append_ones(rows[part])
        right = np.column_stack([left, values[part]])
        left *= weights[part, None]
        for fold in range(n_folds):
            of_fold = folds[part] == fold
            moments[fold] += left[of_fold].T @ right[of_fold]
    return sum_across(moments)


def _fit_ridge_path(moments, n_features):
    """Solve for every penalty; the intercept is not penalized."""
    gram, cross = moments[:, : n_features + 1], moments[:, n_features + 1 :]
    n = gram[-1, -1]
    mean = gram[-1, :-1] / n
    centered = gram[:-1, :-1] - n * np.outer(mean, mean)
    products = cross[:-1] - np.outer(mean, cross[-1])
    eigenvalues, vectors = np.linalg.eigh(centered)
    scale = max(eigenvalues.mean(), np.finfo(float).tiny)
    rotated = vectors.T @ products
    models = []
    for penalty in _PENALTIES:
        shrunk = np.maximum(eigenvalues, 0)[:, None] + penalty * scale
        coef = vectors @ (rotated / shrunk)
        models.append(np.vstack([coef, cross[-1] / n - mean @ coef]))
    return np.stack(models)
