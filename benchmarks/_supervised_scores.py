"""Intervals of scores of the supervised benchmark, and of their differences."""

import numpy as np
from scipy import stats

N_RESAMPLES = 1000


def resamples(groups, seed=0):
    """Return how often each row is drawn, group by group, in every resample."""
    rng = np.random.RandomState(seed)
    names, codes = np.unique(groups, return_inverse=True)
    share = np.full(len(names), 1 / len(names))
    counts = rng.multinomial(len(names), share, size=N_RESAMPLES)
    return counts[:, codes].astype(np.float32)


def bootstrap(y, predictions, task, weights):
    """Return the mean over seeds of the score, in every resample of the rows."""
    if task == "regression":
        found = [_r2(y, prediction, weights) for prediction in predictions]
    else:
        found = [_auc_of_classes(y, p, weights) for p in predictions]
    return np.mean(found, axis=0)


def _r2(y, prediction, weights):
    centered = y - y.mean()
    columns = np.column_stack([centered, centered**2, (y - prediction) ** 2])
    total = weights.sum(axis=1)
    first, second, error = (weights @ columns.astype(np.float32)).T.astype(float)
    return 1 - error / (second - first**2 / total)


def _auc_of_classes(y, prediction, weights):
    classes = range(1 if prediction.shape[1] == 2 else 0, prediction.shape[1])
    return np.mean([_auc(y == c, prediction[:, c], weights) for c in classes], axis=0)


def _auc(is_positive, values, weights):
    """Return the weighted area under the curve; ties count half."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    positive = np.add.reduceat(weights[:, order] * is_positive[order], starts, axis=1)
    both = np.add.reduceat(weights[:, order], starts, axis=1)
    negative = (both - positive).astype(float)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1, dtype=float) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (positive * below).sum(axis=1) / pairs


def difference(scores, other_scores, resampled, other_resampled):
    """Compare two arms, seed by seed and row by row.

    Parameters
    ----------
    scores, other_scores : list of float
        One per seed.
    resampled, other_resampled : ndarray of shape (n_resamples,)
        Of the same resamples; see `bootstrap`.

    Returns
    -------
    found : dict
        "mean", "seeds" (95 % t interval over the seeds), "rows" (95 % bootstrap
        interval over the scored rows) and "words".
    """
    gains = np.subtract(scores, other_scores)
    mean, seeds = float(gains.mean()), t_interval(gains)
    gains = resampled - other_resampled
    rows = tuple(float(v) for v in np.nanquantile(gains, [0.025, 0.975]))
    words = _in_words(mean, [i for i in (seeds, rows) if i])
    return {"mean": mean, "seeds": seeds, "rows": rows, "words": words}


def t_interval(gains):
    """Return the ends of the 95 % t interval of the mean; None for one value."""
    if len(gains) < 2:
        return None
    half = stats.t.ppf(0.975, len(gains) - 1) * stats.sem(gains)
    return float(np.mean(gains) - half), float(np.mean(gains) + half)


def _in_words(mean, intervals):
    if all(low > 0 for low, _ in intervals):
        return "better"
    if all(high < 0 for _, high in intervals):
        return "**worse**"
    if all(low == high == 0 for low, high in intervals):
        return "**no difference**: the same fits"
    side = "better" if mean > 0 else "worse"
    return f"**not clearly {side}**: an interval includes 0"
