"""Whether embeddings predict the target at all, against permutations of it."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_predict

from .._utils._threads import on_one_thread
from .._utils._validation import encode_one_hot
from ._overall import PENALTIES, make_folds
from ._resampling import make_shuffler, scorer

# Permuted targets whose predictions are held in memory at once
_MOST_CELLS = 4_000_000


class Signal(NamedTuple):
    """What a linear model of the embeddings predicts, compared with chance.

    Parameters
    ----------
    metric : {"r2", "roc_auc", "pairs"}
        What the score is: R², the area under the ROC curve, or the share of pairs whose
        winner is ranked first.
    score : float
        Cross-validated; NaN if there are too few rows.
    p_value : float
        Share of the targets, permuted ones and the observed one, that are predicted as
        well; at least ``1 / (n_permutations + 1)``.
    n_permutations : int
        How often the target was permuted.
    n_rows : int
        Texts, or pairs, that were used.
    target_scale : {"identity", "log1p"}, default="identity"
        What was predicted of a quantity: itself, or log(1 + y).

    Examples
    --------
    >>> from sklearn_hypo import Signal
    >>> print(Signal("r2", 0.21, 0.01, 99, 1000))
    R² 0.210 of a ridge regression on the embeddings, cross-validated on 1,000 rows; \
p = 0.01 by 99 permutations
    """

    metric: str
    score: float
    p_value: float
    n_permutations: int
    n_rows: int
    target_scale: str = "identity"

    def __str__(self):
        words = {"r2": "R²", "roc_auc": "ROC AUC", "pairs": "share of pairs"}
        what = words[self.metric]
        if self.target_scale == "log1p":
            what += " on log(1 + y)"
        return (
            f"{what} {self.score:.3f} of a ridge regression on the "
            f"embeddings, cross-validated on {self.n_rows:,} rows; "
            f"p = {self.p_value:.2g} by {self.n_permutations} permutations"
        )


@on_one_thread()
def measure_signal(embeddings, y, n_classes, design, *, n_permutations, seed):
    """Cross-validate a ridge regression on embeddings, and on permuted targets.

    The folds do not depend on the target, so that it and its permutations are
    exchangeable. All of them are fitted at once: they share the decomposition of the
    embeddings.

    Parameters
    ----------
    embeddings : ndarray of shape (n_rows, n_features)
        Finite.
    y : ndarray of shape (n_rows,)
        The target, or codes of classes.
    n_classes : int or None
        None for a quantity.
    design : Design
        Its clusters stay on one side and are permuted as `permutation_p` does it;
        within its pairs members change places.
    n_permutations : int
        At least 1.
    seed : int
        Of folds and permutations.

    Returns
    -------
    signal : Signal
        NaN for fewer rows, or clusters, than two.
    """
    X, y = design.differences(np.asarray(embeddings)), design.differences(y)
    design = design.of_differences()
    metric = "r2" if n_classes is None else "pairs" if design.paired else "roc_auc"
    folds = make_folds(y, None, design.clusters, seed)
    if not folds:
        return Signal(metric, np.nan, np.nan, n_permutations, len(y))
    codes = design.clusters
    if codes is not None:
        codes = np.unique(codes, return_inverse=True)[1]
    rng = np.random.default_rng([seed, 3])
    shuffle = make_shuffler(y[:, None], codes, rng, design.paired)
    step = max(1, _MOST_CELLS // (len(y) * (n_classes or 1)))
    scores = []
    for start in range(0, n_permutations + 1, step):
        stop = min(start + step, n_permutations + 1)
        targets = [shuffle(y[:, None])[:, 0] if i else y for i in range(start, stop)]
        scores += _score(X, targets, n_classes, folds, paired=design.paired)
    observed, permuted = scores[0], np.array(scores[1:])
    if np.isnan(observed):
        return Signal(metric, np.nan, np.nan, n_permutations, len(y))
    # what could not be scored counts against the observed target
    as_large = np.sum(~(permuted < observed - 1e-9 * abs(observed)))
    p = float((1 + as_large) / (n_permutations + 1))
    return Signal(metric, observed, p, n_permutations, len(y))


def _score(X, targets, n_classes, folds, *, paired):
    """Return the cross-validated score of each target."""
    columns = [_make_columns(y, n_classes, paired) for y in targets]
    model = RidgeCV(PENALTIES, fit_intercept=not paired, alpha_per_target=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ill-conditioned folds of few rows
        predicted = cross_val_predict(model, X, np.hstack(columns), cv=folds)
    predicted = predicted.reshape(len(X), len(targets), -1)
    ones = np.ones((1, len(X)))
    scores = [
        scorer(y, predicted[:, i], n_classes, paired=paired, folds=folds)
        for i, y in enumerate(targets)
    ]
    return [float(score(ones)[0]) for score in scores]


def _make_columns(y, n_classes, paired):
    """Return a target as columns of numbers, one for a quantity and two classes."""
    if n_classes is None or paired:
        return y[:, None].astype(float)
    columns = encode_one_hot(y, n_classes)
    return columns[:, 1:] if n_classes == 2 else columns
