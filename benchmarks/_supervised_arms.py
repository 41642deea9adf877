"""The arms of the supervised benchmark: one unit of work is one fit, and its scores."""

import time
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from _datasets import score
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypo import (
    HypothesisExtractor,
    NeuronSelector,
    SparseAutoencoderTransformer,
    SupervisedSAETransformer,
    evaluate_hypotheses,
)

N_SELECT = 20
FIRST_PREFIX = 20  # both arms: as many as are supervised
ALPHAS = (0.0, 0.1, 0.3, 0.7, 1.0, 3.0)
BETAS = (1.0, 3.0)
PENALTIES = np.logspace(-3, 3, 13)


def sizes(n_rows, *, quick=False):
    """Return the number of neurons and of active ones."""
    if quick:
        return 32, 4
    return (64, 4) if n_rows <= 1000 else (256, 8)


class Unit(NamedTuple):
    """One fit.

    Attributes
    ----------
    data : str
        Name of the data set.
    n : int or None
        Training rows; None for all.
    seed : int
        Of the subsample, of the autoencoder and of the lexicons.
    arm : str
        "unsupervised", "supervised", "double", "augmented", "pls" or "ceiling".
    value : float or None
        The arm's alpha or beta.
    rows : {"validation", "holdout"}
        What is scored.
    details : bool
        Whether lexicons and the cost of selection are measured too.
    quick : bool
    """

    data: str
    n: int | None
    seed: int
    arm: str
    value: float | None = None
    rows: str = "validation"
    details: bool = False
    quick: bool = False

    def normalized(self):
        """Return the unit that finds the same: it need not be computed twice."""
        if self.arm == "supervised" and self.value == 0:
            # equal to the bit, as the tests of the package check
            return self._replace(arm="unsupervised", value=None)
        if self.arm in ("pls", "ceiling") and self.n is None:
            return self._replace(seed=0)
        return self


def run_unit(case, unit):
    """Fit one arm; return its figures and its predictions for the scored rows."""
    with warnings.catch_warnings():
        # rare classes, few rows, hypotheses without a test: the figures show them
        warnings.simplefilter("ignore")
        train = case.sample(unit.n, unit.seed)
        scored = getattr(case, unit.rows)
        if unit.arm in ("pls", "ceiling"):
            return _without_neurons(case, unit, train, scored)
        return _with_neurons(case, unit, train, scored)


# Neurons ------------------------------------------------------------------------------


def _with_neurons(case, unit, train, scored):
    sae = _make(unit, case, len(train))
    X, parts = case.X, (train, scored)
    if unit.arm == "augmented":
        X = augmented(case, train, unit.value)
    start = time.perf_counter()
    if unit.arm == "supervised":
        sae.fit(X[train], case.y[train])
    else:
        sae.fit(X[train])
    seconds = time.perf_counter() - start
    codes, codes_scored = (sae.transform(X[rows]) for rows in parts)
    y, y_scored = case.y[train], case.y[scored]
    chosen = select(codes, y, case.task)
    prediction = predict(codes, y, codes_scored, case.task, chosen)
    figures = {
        "score": score(y_scored, prediction, case.task),
        "explained variance": explained_variance(sae, X, case.X, train, scored),
        "redundancy": redundancy(codes_scored[:, chosen]),
        "largest correlation": largest_correlation(codes_scored, y_scored, case.task),
        "dead": len(sae.dead_neurons_),
        "seconds": seconds,
        "n_train": len(train),
        "n_scored": len(scored),
    }
    arrays = {"prediction": prediction}
    if unit.arm == "unsupervised":
        rng = np.random.RandomState(unit.seed)
        alive = np.flatnonzero(codes.std(axis=0) > 0)
        some = rng.choice(alive, min(N_SELECT, len(alive)), replace=False)
        prediction = predict(codes, y, codes_scored, case.task, some)
        arrays["floor"] = prediction
        figures["floor"] = score(y_scored, prediction, case.task)
    if unit.details:
        figures |= lexicons(case, unit, train, scored, codes, codes_scored, chosen)
        encode = {rows: sae.transform(X[r]) for rows, r in _unseen(case, unit).items()}
        figures |= selection(case, unit, codes, y, chosen, encode)
    return figures, arrays


def _make(unit, case, n_rows):
    n_neurons, k = sizes(n_rows, quick=unit.quick)
    if unit.arm == "double":
        n_neurons *= 2
    settings = {"prefix_lengths": (FIRST_PREFIX, n_neurons), "random_state": unit.seed}
    if unit.quick:
        settings["max_epochs"] = 3
    if unit.arm == "supervised":
        return SupervisedSAETransformer(
            n_neurons, k, alpha=unit.value, task=case.task, **settings
        )
    return SparseAutoencoderTransformer(n_neurons, k, **settings)


def select(codes, y, task):
    selector = NeuronSelector(N_SELECT, method="lasso", task=task)
    return selector.fit(codes, y).get_support(indices=True)


def predict(codes, y, others, task, chosen=None):
    """Fit the linear model on some columns; return what it predicts for others."""
    if chosen is not None:
        codes, others = codes[:, chosen], others[:, chosen]
    if task == "regression":
        return LinearRegression().fit(codes, y).predict(others)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(codes, y).predict_proba(others)


def explained_variance(sae, X, embeddings, train, scored):
    """Return the share of the embeddings' variance that is explained."""
    if X is embeddings:
        return float(sae.explained_variance(X[scored]))
    # without the columns appended; these embeddings are scaled
    n_features = embeddings.shape[1]
    parts = X[scored], sae.inverse_transform(sae.transform(X[scored]))
    original, rebuilt = (part[:, :n_features] for part in parts)
    mean = X[train, :n_features].mean(axis=0)
    residual = ((original - rebuilt) ** 2).sum(dtype=float)
    return float(1 - residual / ((original - mean) ** 2).sum(dtype=float))


def redundancy(codes):
    """Return the mean size of the correlation of two columns; constant ones aside."""
    codes = codes[:, codes.std(axis=0) > 0].astype(float)
    correlation = np.abs(np.corrcoef(codes.T))
    return float(correlation[np.triu_indices(len(correlation), 1)].mean())


def largest_correlation(codes, y, task):
    """Return the largest correlation, in size, of one neuron with y or a class."""
    codes = codes[:, codes.std(axis=0) > 0].astype(float)
    targets = y[:, None] if task == "regression" else y[:, None] == np.unique(y)
    codes, targets = (
        (a - a.mean(axis=0)) / a.std(axis=0) for a in (codes, targets.astype(float))
    )
    return float(np.abs(codes.T @ targets).max() / len(y))


# Details ------------------------------------------------------------------------------


def lexicons(case, unit, train, scored, codes, codes_scored, chosen):
    """Put the neurons into words; score and test the words on the scored rows."""
    columns = [f"neuron{i}" for i in chosen]
    frames = [
        pd.DataFrame(c[:, chosen], pd.Index(case.texts[r], name="text"), columns)
        for c, r in ((codes, train), (codes_scored, scored))
    ]
    extractor = HypothesisExtractor(random_state=unit.seed, task=case.task)
    start = time.perf_counter()
    extractor.fit(frames[0], case.y[train])
    seconds = time.perf_counter() - start
    report = evaluate_hypotheses(extractor, frames[1], case.y[scored])
    return {
        "lexicon score": float(extractor.score(frames[1], case.y[scored])),
        "significant": int(report.n_significant),
        "hypotheses": len(extractor.hypotheses_),
        "lexicon F1": float(extractor.hypotheses_["f1"].median()),
        "lexicon seconds": seconds,
    }


def _unseen(case, unit):
    """Return the rows to select on and to score, neither trained on."""
    if unit.rows == "holdout":
        return {"unseen": case.validation, "scored": case.holdout}
    return dict(zip(("unseen", "scored"), case.halves(case.validation), strict=True))


def selection(case, unit, codes, y, chosen, encode):
    """Select on training or unseen rows, fit the linear model on either; score.

    On validation rows, one half is unseen and the other scored, and then the reverse.
    """
    rows = _unseen(case, unit)
    turns = [("unseen", "scored")]
    if unit.rows == "validation":
        turns.append(("scored", "unseen"))
    found = {}
    for unseen, scored in turns:
        y_new, y_scored = case.y[rows[unseen]], case.y[rows[scored]]
        chosen_new = select(encode[unseen], y_new, case.task)
        for selected, columns in (("training", chosen), ("unseen", chosen_new)):
            for fitted, X_fit, y_fit in (
                ("training", codes, y),
                ("unseen", encode[unseen], y_new),
            ):
                prediction = predict(X_fit, y_fit, encode[scored], case.task, columns)
                value = score(y_scored, prediction, case.task)
                found.setdefault(f"select {selected}, fit {fitted}", []).append(value)
    n_unseen = float(np.mean([len(rows[unseen]) for unseen, _ in turns]))
    return {name: float(np.mean(v)) for name, v in found.items()} | {
        "n_unseen": int(n_unseen)
    }


# Comparators --------------------------------------------------------------------------


def augmented(case, train, beta):
    """Append what a ridge regression predicts, out of fold on the training rows.

    Embeddings have a total variance of 1; a column has beta² times the share of the
    target's variance that was predicted.
    """
    X, targets = case.X, case.targets()[train]
    targets = targets / targets.std(axis=0)
    model = RidgeCV(PENALTIES).fit(X[train], targets)
    folds = GroupKFold(5, shuffle=True, random_state=0)
    out_of_fold = cross_val_predict(
        Ridge(model.alpha_), X[train], targets, groups=case.groups[train], cv=folds
    )
    predicted = model.predict(X).reshape(len(X), -1)
    predicted[train] = out_of_fold.reshape(len(train), -1)
    scale = np.sqrt(X[train].var(axis=0).sum())
    return np.column_stack([X / scale, beta * predicted]).astype(np.float32)


def _without_neurons(case, unit, train, scored):
    X, y = case.X[train].astype(float), case.y[train]
    X_scored = case.X[scored].astype(float)
    start = time.perf_counter()
    if unit.arm == "pls":
        model = PLSRegression(N_SELECT, scale=False).fit(X, case.targets()[train])
        parts = model.transform(X), model.transform(X_scored)
        prediction = predict(parts[0], y, parts[1], case.task)
    elif case.task == "regression":
        prediction = RidgeCV(PENALTIES).fit(X, y).predict(X_scored)
    else:
        folds = GroupKFold(5, shuffle=True, random_state=0)
        folds = list(folds.split(X, groups=case.groups[train]))
        grid = {"C": [0.1, 1.0, 10.0, 100.0]}
        model = LogisticRegression(max_iter=1000, tol=1e-3)
        model = GridSearchCV(model, grid, scoring="neg_log_loss", cv=folds).fit(X, y)
        prediction = model.predict_proba(X_scored)
    figures = {
        "score": score(case.y[scored], prediction, case.task),
        "seconds": time.perf_counter() - start,
        "n_train": len(train),
        "n_scored": len(scored),
    }
    return figures, {"prediction": prediction}
