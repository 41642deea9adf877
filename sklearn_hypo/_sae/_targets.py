"""The target as the supervised loss sees it: numbers, weights, and less noise."""

from typing import NamedTuple

import numpy as np

from ._distributed import summed
from ._rows import Rows

_PENALTIES = np.logspace(-4, 2, 7)
_BLOCK = 4096


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
        total = float(summed(weights.sum()))
        mean = summed(weights @ values) / total
        spread = np.sqrt(summed(weights @ (values - mean) ** 2) / total)
        # what is left of a constant after rounding is no spread
        constant = spread <= 1e-12 * np.abs(mean)
        return cls(mean, np.where(constant | (spread == 0), 1.0, spread))

    def standardized(self, values):
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

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_outputs)
        NaN in rows where the target is missing.
    weights : ndarray of shape (n_rows,)
        Non-negative.
    kind : {"quantities", "classes"}

    Returns
    -------
    target : Target
    """
    missing = ~np.isfinite(values).all(axis=1)
    weights = np.where(missing, 0.0, weights)
    values = np.where(missing[:, None], 0.0, values)
    total = max(float(summed(weights.sum())), np.finfo(float).tiny)
    mean = summed(weights @ values) / total
    if kind == "classes":
        present = mean[mean > 0]
        null_loss = float(-(present * np.log(present)).sum())
    else:
        null_loss = summed(weights @ (values - mean) ** 2) / total
    return Target(
        values.astype(np.float32), weights.astype(np.float32), null_loss, kind
    )


def smoothed_target(target, X, share, rng, *, n_folds=5):
    r"""Replace a share of the target by what ridge regression predicts out of fold.

    .. math:: \tilde y = s \, \hat y^{-} + (1 - s) \, y

    where :math:`\hat y^-_i` is predicted from the embedding by a ridge regression that
    did not see row i. The part of y that the embeddings do not carry is noise to the
    autoencoder, which could only memorize it; the smoothed target has less of it.

    Parameters
    ----------
    target : Target
        Of the training rows.
    X : Rows or ndarray of shape (n_rows, n_features)
        Training rows, centered and scaled.
    share : float
        The share s, from 0 to 1.
    rng : RandomState
        Deals the rows out to the folds.
    n_folds : int, default=5
        Number of folds.

    Returns
    -------
    target : Target
        With other values, and with their variance as the null loss of quantities.
    """
    labelled = target.weights > 0
    if share == 0 or summed(labelled.sum()) < 2 * n_folds:
        return target
    predicted = out_of_fold_ridge(X, target.values, target.weights, rng, n_folds)
    if target.kind == "classes":
        predicted = np.clip(predicted, 1e-3, None)
        predicted /= predicted.sum(axis=1, keepdims=True)
    mixed = share * predicted + (1 - share) * target.values
    mixed[~labelled] = np.nan
    smooth = make_target(mixed, target.weights, target.kind)
    if target.kind == "classes":
        smooth = smooth._replace(null_loss=target.null_loss)
    return smooth


def out_of_fold_ridge(X, values, weights, rng, n_folds=5):
    r"""Predict each row by a ridge regression fitted on the other folds.

    One pass over the rows collects :math:`X^\top X` and :math:`X^\top Y` of each fold,
    a second one predicts. The penalty, relative to the mean eigenvalue, is that of
    the smallest out-of-fold error.

    Parameters
    ----------
    X : Rows or ndarray of shape (n_rows, n_features)
        Rows.
    values : ndarray of shape (n_rows, n_outputs)
        What to predict.
    weights : ndarray of shape (n_rows,)
        Weights of the rows; those of weight 0 are predicted but not learned from.
    rng : RandomState
        Deals the rows out to the folds.
    n_folds : int, default=5
        Number of folds.

    Returns
    -------
    predictions : ndarray of shape (n_rows, n_outputs), float64
    """
    rows = X if isinstance(X, Rows) else Rows(X)
    # an equal number of rows with a target in each fold
    folds = np.empty(len(rows), dtype=np.int64)
    for part in (np.flatnonzero(weights > 0), np.flatnonzero(weights <= 0)):
        folds[part] = rng.permutation(len(part)) % n_folds
    moments = _moments_by_fold(rows, values, weights, folds, n_folds)
    total = moments.sum(axis=0)
    models = [_ridge_path(total - moment, rows.shape[1]) for moment in moments]
    predictions = np.empty((len(_PENALTIES), *values.shape))
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        block = _with_ones(rows[part])
        for fold in range(n_folds):
            of_fold = np.flatnonzero(folds[part] == fold)
            predictions[:, start + of_fold] = block[of_fold] @ models[fold]
    errors = ((predictions - values) ** 2).sum(axis=2) @ weights
    return predictions[np.argmin(summed(errors))]


def _with_ones(rows):
    return np.column_stack([rows.astype(np.float64), np.ones(len(rows))])


def _moments_by_fold(rows, values, weights, folds, n_folds):
    """Return the weighted products of [X, 1] with [X, 1, Y], fold by fold."""
    width = rows.shape[1] + 1
    moments = np.zeros((n_folds, width, width + values.shape[1]))
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        left = _with_ones(rows[part])
        right = np.column_stack([left, values[part]])
        left *= weights[part, None]
        for fold in range(n_folds):
            of_fold = folds[part] == fold
            moments[fold] += left[of_fold].T @ right[of_fold]
    return summed(moments)


def _ridge_path(moments, n_features):
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
