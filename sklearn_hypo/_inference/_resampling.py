"""Scores of given predictions, their bootstrap, and permutations of the target."""

import numpy as np

from .._utils._progress import show_progress

# Rows times resamples that are held in memory at once
_MOST_CELLS = 4_000_000


# Scores of given predictions, for many weightings at once ---------------------------


def r2_scores(y, predictions, weights, *, center=True):
    r"""R², for each row of a matrix of weights.

    .. math:: 1 - \frac{\sum_i w_i (y_i - \hat y_i)^2}{\sum_i w_i (y_i - \bar y)^2}

    Differences within pairs, whose sign means nothing, are compared with zero instead
    of their mean (`center=False`). NaN where the target does not vary.
    """
    total = weights.sum(axis=1)
    if center:
        centered = y - y.mean()  # against cancellation
        variance = weights @ centered**2 - (weights @ centered) ** 2 / total
    else:
        centered, variance = y, weights @ y**2
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1 - weights @ (y - predictions) ** 2 / variance
    return np.where(variance > 1e-12 * total * np.mean(centered**2), r2, np.nan)


def auc_scores(y, predictions, weights):
    """Area under the ROC curve, for each row of a matrix of weights.

    `y` tells which rows are of the class. NaN where there is one class only.
    """
    order = np.argsort(predictions, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(predictions[order]) > 0]))
    positive = np.add.reduceat(weights[:, order] * y[order], starts, axis=1)
    negative = np.add.reduceat(weights[:, order] * ~y[order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2  # ties count half
    with np.errstate(divide="ignore", invalid="ignore"):
        return (positive * below).sum(axis=1) / (
            positive.sum(axis=1) * negative.sum(axis=1)
        )


def concordance_scores(difference, predictions, weights):
    """Share of pairs whose winner is ranked first, ties half, by rows of weights."""
    right = (1 + np.sign(difference) * np.sign(predictions)) / 2
    return weights @ right / weights.sum(axis=1)


def scorer(y, predictions, n_classes, *, paired=False, folds=None):
    """Return a function of weights: the score that fits the target.

    Parameters
    ----------
    y, n_classes, paired
        As for `predict_cross_fitted`.
    predictions : ndarray of shape (n_rows, n_outputs)
        Of each row; rows of NaN are left out.
    folds : list of (ndarray of int, ndarray of int) or None, default=None
        Folds whose predictions come from different models: the area under the ROC
        curve is then the mean over folds, as scores of two models cannot be ranked
        against each other without bias.

    Returns
    -------
    score : callable
        Takes weights of shape (n_weightings, n_rows), returns (n_weightings,).
    """
    known = np.flatnonzero(~np.isnan(predictions).any(axis=1))
    if not len(known):
        return lambda weights: np.full(len(weights), np.nan)
    y, values = y[known], predictions[known]
    if n_classes is None:
        return lambda weights: r2_scores(
            y, values[:, 0], weights[:, known], center=not paired
        )
    if paired:
        return lambda weights: concordance_scores(y, values[:, 0], weights[:, known])
    fold = np.zeros(len(predictions), dtype=int)
    for number, (_, test) in enumerate(folds or []):
        fold[test] = number
    fold = fold[known]
    classes = [1] if values.shape[1] == 1 else range(values.shape[1])

    def score(weights):
        parts, sizes = [], []
        for f in np.unique(fold):
            rows = np.flatnonzero(fold == f)
            own = weights[:, known[rows]]
            columns = values[rows].T
            areas = [
                auc_scores(y[rows] == c, column, own)
                for c, column in zip(classes, columns, strict=True)
            ]
            parts.append(np.mean(areas, axis=0))
            sizes.append(len(rows))
        # a fold, or a resample of it, may lack a class: the others count
        parts, sizes = np.array(parts), np.array(sizes, dtype=float)[:, None]
        there = ~np.isnan(parts)
        with np.errstate(invalid="ignore"):
            return (np.where(there, parts, 0) * sizes).sum(axis=0) / (
                there * sizes
            ).sum(axis=0)

    return score


# Bootstrap and permutations ---------------------------------------------------------


def bootstrap_interval(score, n_rows, rng, n_resamples, *, weights=None, clusters=None):
    """95 % percentile interval of a score, with the predictions as they are.

    Rows are drawn, or whole clusters. NaN without resamples.
    """
    if not n_resamples:
        return np.nan, np.nan
    codes = None if clusters is None else np.unique(clusters, return_inverse=True)[1]
    units = n_rows if codes is None else codes.max() + 1
    step, scores = max(1, _MOST_CELLS // n_rows), []
    with show_progress("bootstrap", n_resamples) as count:
        for start in range(0, n_resamples, step):
            size = min(step, n_resamples - start)
            drawn = (
                rng.integers(units, size=(size, units))
                + units * np.arange(size)[:, None]
            )
            counts = np.bincount(drawn.ravel(), minlength=size * units)
            counts = counts.reshape(size, units).astype(float)
            counts = counts if codes is None else counts[:, codes]
            scores.append(score(counts if weights is None else counts * weights))
            count(size)
    scores = np.concatenate(scores)
    scores = scores[~np.isnan(scores)]
    if len(scores) < n_resamples / 2:
        return np.nan, np.nan
    return tuple(np.quantile(scores, [0.025, 0.975]).tolist())


def is_constant_within(Y, codes):
    """Tell whether all rows of each cluster have the same target."""
    first = np.unique(codes, return_index=True)[1]
    return bool((Y[first][codes] == Y).all())


def make_shuffler(Y, codes, rng, paired):
    """Return a function that permutes targets as independence would allow."""
    n = len(Y)
    if paired:
        units = np.arange(n) if codes is None else codes
        n_units = units.max() + 1
        return lambda V: V * rng.choice([-1.0, 1.0], n_units)[units][:, None]
    if codes is None:
        return lambda V: V[rng.permutation(n)]
    if is_constant_within(Y, codes):
        first = np.unique(codes, return_index=True)[1]
        return lambda V: V[first][rng.permutation(len(first))][codes]
    home = np.argsort(codes, kind="stable")

    def within(V):
        order = np.lexsort((rng.random(n), codes))
        shuffled = np.empty_like(V)
        shuffled[home] = V[order]
        return shuffled

    return within
