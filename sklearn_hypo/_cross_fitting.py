"""Predictions of rows by linear models that have not seen them."""

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeCV
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)

_N_FOLDS = 5
_PENALTIES = np.logspace(-3, 3, 13)


def folds_of(y, n_classes, clusters, seed):
    """Folds of rows that keep clusters whole and classes in proportion.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        The target, or class codes.
    n_classes : int or None
        None for a quantity, and for differences within pairs.
    clusters : ndarray of int of shape (n_rows,) or None
        Clusters.
    seed : int
        Seeds the order.

    Returns
    -------
    folds : list of (ndarray of int, ndarray of int)
        Rows to fit on and rows to predict; empty where there are too few.
    """
    units = len(y) if clusters is None else len(np.unique(clusters))
    rarest = units if n_classes is None else _rarest(y, n_classes, clusters)
    n_folds = min(_N_FOLDS, units, rarest)
    if n_folds < 2:
        return []
    options = {"n_splits": n_folds, "shuffle": True, "random_state": seed}
    if n_classes is None:
        kind = KFold if clusters is None else GroupKFold
    else:
        kind = StratifiedKFold if clusters is None else StratifiedGroupKFold
    return list(kind(**options).split(np.zeros(len(y)), y, clusters))


def _rarest(y, n_classes, clusters):
    """Rows, or clusters, that have the rarest of the classes that occur."""
    if clusters is None:
        counts = np.bincount(y, minlength=n_classes)
    else:
        cells = np.unique(np.column_stack([y, clusters]), axis=0)
        counts = np.bincount(cells[:, 0], minlength=n_classes)
    return counts[counts > 0].min()


def cross_fitted(X, y, n_classes, folds, *, weights=None, paired=False, dense=False):
    """Predict each row by a linear model that was fitted on the other folds.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Annotations or embeddings, or their differences within pairs.
    y : ndarray of shape (n_rows,)
        The target; class codes; for pairs the difference.
    n_classes : int or None
        None for a quantity.
    folds : list of (ndarray of int, ndarray of int)
        From `folds_of`.
    weights : ndarray of shape (n_rows,) or None, default=None
        Weights of the rows.
    paired : bool, default=False
        Whether rows are differences: there is no constant then.
    dense : bool, default=False
        Ridge regression with a penalty chosen by leave-one-out, as for embeddings,
        rather than least squares or a logit.

    Returns
    -------
    predictions : ndarray of shape (n_rows, n_outputs)
        One column for a quantity and two classes, else one per class. NaN in folds
        whose training rows lack a class.
    """
    n_outputs = 1 if paired or n_classes is None or n_classes == 2 else n_classes
    predictions = np.full((len(y), n_outputs), np.nan)
    for train, test in folds:
        own = None if weights is None else weights[train]
        if n_classes is not None and len(np.unique(y[train])) < (1 if paired else 2):
            continue
        predictions[test] = _predicted(
            X[train], y[train], X[test], n_classes, own, paired, dense
        )
    return predictions


def _predicted(X, y, X_new, n_classes, weights, paired, dense):
    if n_classes is not None and not dense:
        return _class_scores(X, y, X_new, n_classes, weights, paired)
    if n_classes is not None and not paired:
        y = (y[:, None] == np.arange(n_classes)).astype(float)
        y = y[:, 1:] if n_classes == 2 else y
    if dense:
        model = RidgeCV(_PENALTIES, fit_intercept=not paired)
    else:
        model = LinearRegression(fit_intercept=not paired)
    return model.fit(X, y, sample_weight=weights).predict(X_new).reshape(len(X_new), -1)


def _class_scores(X, y, X_new, n_classes, weights, paired):
    model = LogisticRegression(max_iter=1000, fit_intercept=not paired)
    if paired:  # both orders of each pair, so that there are wins and losses
        X, y = np.vstack([X, -X]), np.concatenate([y, -y])
        weights = None if weights is None else np.concatenate([weights, weights])
    model.fit(X, y, sample_weight=weights)
    if paired or n_classes == 2:
        return model.decision_function(X_new)[:, None]
    # probabilities: only they can be compared across rows, class by class
    scores = model.predict_proba(X_new)
    spread = np.zeros((len(X_new), n_classes))
    spread[:, model.classes_] = scores  # a class may be absent from the training rows
    return spread
