"""One cell of the benchmark of defaults: a fit, its hypotheses, their neighbours."""

import time
import warnings

import numpy as np
from _baselines import predict_by_ngrams, predict_linear
from _datasets import EMBEDDINGS, SIZES

from sklearn_hypo import make_hypothesis_pipeline


def make_default_pipeline(dataset, n_texts, seed, settings):
    """Build the default pipeline with some settings of it, or of its steps ("__")."""
    own = {name: value for name, value in settings.items() if "__" not in name}
    of_steps = {name: value for name, value in settings.items() if "__" in name}
    pipe = make_hypothesis_pipeline(
        **{
            "n_texts": n_texts,
            "task": dataset.task,
            "cache": str(EMBEDDINGS),
            "random_state": seed,
        }
        | own
    )
    return pipe.set_params(**of_steps)


def predict(pipe, texts, task):
    return pipe.predict(texts) if task == "regression" else pipe.predict_proba(texts)


def has_all_classes(dataset, rows):
    """Tell whether training rows have the classes of the data set."""
    if dataset.task == "regression":
        return True
    return len(np.unique(dataset.y[rows])) == len(np.unique(dataset.y))


def run_cell(dataset, size, seed, settings, part="validation"):
    """Fit on a sample of the training rows and score another part.

    Returns
    -------
    found : dict
        Scores of our hypotheses, of the neurons behind them, and of as many n-grams;
        or only "n_train" where the sample lacks a class.
    """
    train, scored = dataset.sample(SIZES[size], seed), getattr(dataset, part)
    found = {"n_train": len(train), "n_scored": len(scored)}
    if not has_all_classes(dataset, train):
        return found
    for name, tokens in (("lasso", "package"), ("lasso_sklearn", "scikit-learn")):
        prediction, _ = predict_by_ngrams(dataset, train, scored, tokens=tokens)
        found[name] = dataset.score(scored, prediction)
    texts, y = list(dataset.texts[train]), dataset.y[train]
    new_texts = list(dataset.texts[scored])
    pipe = make_default_pipeline(dataset, len(train), seed, settings)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few rows, rare classes: the figures show them
        pipe.fit(texts, y)
        seconds = time.perf_counter() - start
        prediction = predict(pipe, new_texts, dataset.task)
        behind = score_neurons(pipe, dataset, train, scored)
    table = pipe[-1].hypotheses_
    return found | {
        "ours": dataset.score(scored, prediction),
        "neurons": behind,
        "n_hypotheses": len(table),
        "fidelity": float(table["correlation"].median()),
        "seconds": seconds,
    }


def score_neurons(pipe, dataset, train, scored):
    """Score the linear model of the activations that the hypotheses put into words."""
    parts = (dataset.texts[train], dataset.texts[scored])
    frames = [pipe[:-1].transform(list(texts)) for texts in parts]
    named = pipe[-1].hypotheses_["neuron"].astype(str).str.split(", ").explode()
    behind = frames[0].columns.isin(named)
    X, new_X = (frame.loc[:, behind] for frame in frames)
    prediction = predict_linear(X, dataset.y[train], new_X, dataset.task, scaled=True)
    return dataset.score(scored, prediction)
