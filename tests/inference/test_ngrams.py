import os
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model, metrics, model_selection
from sklearn.feature_extraction.text import CountVectorizer

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._inference._ngrams import find_ngrams, pick_ngrams
from sklearn_hypo._inference._overall import predict_by_ngrams
from sklearn_hypo._utils._tokens import tokenize

WORDS = [f"w{i}" for i in range(40)]
TWEETS = Path(os.environ.get("SKLEARN_HYPO_DATA", "")) / "tweets" / "Tweets.csv"


def make_texts(n=400, seed=0):
    """Texts of random words, and how strong the first of them are in y."""
    rng = np.random.default_rng(seed)
    holds = rng.random((n, len(WORDS))) < rng.uniform(0.05, 0.4, len(WORDS))
    texts = [
        " ".join(np.array(WORDS)[row][rng.permutation(row.sum())]) for row in holds
    ]
    effects = np.zeros(len(WORDS))
    effects[:6] = [1.0, -1.0, 0.8, -0.6, 0.5, 0.4]
    return texts, holds @ effects + rng.normal(size=n), rng


def count(texts, min_df=3):
    """Presence of words and pairs of words, by scikit-learn alone."""
    vectorizer = CountVectorizer(
        tokenizer=tokenize,
        token_pattern=None,
        ngram_range=(1, 2),
        binary=True,
        min_df=min_df,
        max_df=len(texts) - min_df,
    )
    X = vectorizer.fit_transform(texts).toarray().astype(float)
    return X, vectorizer.get_feature_names_out()


def follow_path(Z, t, n_select):
    """The columns at the first knot of the lasso path that has so many."""
    _, _, coefs = linear_model.lars_path(Z, t, method="lasso", max_iter=3 * n_select)
    knot = np.flatnonzero((coefs != 0).sum(axis=0) >= n_select)[0]
    return np.flatnonzero(coefs[:, knot])


# What is picked -------------------------------------------------------------------


def test_words_and_pairs_that_tell_texts_apart():
    texts, _, _ = make_texts()
    texts = [f"always {text}" for text in texts]
    presence, terms = find_ngrams(texts)
    X, names = count(texts)
    assert terms.tolist() == names.tolist()
    assert any(" " in term for term in terms)
    assert "always" not in terms
    np.testing.assert_array_equal(presence.toarray(), X)


def test_those_that_enter_the_lasso_path_first():
    texts, y, _ = make_texts()
    presence, _ = find_ngrams(texts)
    X = presence.toarray().astype(float)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    for n_select in (1, 5, 12):
        picked = pick_ngrams(presence, y[:, None], n_select)
        assert picked.tolist() == follow_path(Z, y - y.mean(), n_select).tolist()


def test_a_weight_of_two_is_the_row_twice():
    texts, y, rng = make_texts(300)
    weights = rng.integers(1, 4, 300)
    presence, _ = find_ngrams(texts)
    rows = np.repeat(np.arange(300), weights)
    for n_select in (3, 10):
        weighted = pick_ngrams(
            presence, y[:, None], n_select, weights=weights.astype(float)
        )
        repeated = pick_ngrams(presence[rows], y[rows, None], n_select)
        assert weighted.tolist() == repeated.tolist()
    light = pick_ngrams(presence, y[:, None], 10)
    assert light.tolist() != weighted.tolist()


def test_signs_of_differences_within_pairs_mean_nothing():
    texts, y, rng = make_texts()
    presence, _ = find_ngrams(texts)
    D, d = (presence[::2] - presence[1::2]), y[::2] - y[1::2] + 0.5
    sign = rng.choice([-1.0, 1.0], len(d))
    turned = sparse.csr_array(D.multiply(sign[:, None]))
    Z = D.toarray().astype(float)
    Z /= np.maximum(np.sqrt(np.mean(Z**2, axis=0)), 1e-9)
    there = (Z != 0).sum(axis=0) >= 3
    expected = np.flatnonzero(there)[follow_path(Z[:, there], d, 8)]
    for X, t in ((D, d), (turned, sign * d)):
        picked = pick_ngrams(X, t[:, None], 8, centered=False)
        assert picked.tolist() == expected.tolist()


def test_classes_share_the_picked():
    texts, y, _ = make_texts(600)
    codes = np.digitize(y, [-0.7, 0.7])
    presence, terms = find_ngrams(texts)
    picked = pick_ngrams(presence, np.eye(3)[codes], 6)
    assert len(picked) == 6
    assert {"w0", "w1", "w2"} <= set(terms[picked])


def test_fewer_than_wanted():
    presence, terms = find_ngrams(["tea", "rain"] * 10 + ["snow"])
    assert terms.tolist() == ["rain", "tea"]
    y = np.arange(21.0)[:, None]
    assert 1 <= len(pick_ngrams(presence, y, 5)) <= 2
    assert len(pick_ngrams(presence, np.ones((21, 1)), 5)) == 0
    assert find_ngrams(["a b", "c d", "e f"])[0].shape == (3, 0)


@pytest.mark.skipif(
    not TWEETS.is_file(),
    reason="needs tweets/Tweets.csv in the folder named by SKLEARN_HYPO_DATA",
)
def test_nothing_is_lost_by_looking_at_the_most_correlated_first():
    from sklearn_hypo.datasets import load_tweets

    tweets = load_tweets()
    texts, y = tweets.data[:3000], tweets.target[:3000].astype(float)
    presence, terms = find_ngrams(texts)
    assert len(terms) > 1500
    picked = pick_ngrams(presence, y[:, None], 20)
    X = presence.toarray().astype(float)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    assert picked.tolist() == follow_path(Z, y - y.mean(), 20).tolist()


# What they predict ----------------------------------------------------------------


def predict_plainly(texts, y, model, n_select, folds, weights=None):
    X, _ = count(texts)
    predictions = np.full(len(y), np.nan)
    weights = np.ones(len(y)) if weights is None else weights
    for train, test in folds:
        often = (X[train].sum(axis=0) >= 3) & (X[train].std(axis=0) > 0)
        own, w = X[:, often], weights[train]
        Z = own[train] - np.average(own[train], axis=0, weights=w)
        Z /= np.sqrt(np.average(Z**2, axis=0, weights=w))
        t = y[train] - np.average(y[train], weights=w)
        root = np.sqrt(w)
        picked = follow_path(Z * root[:, None], t * root, n_select)
        fitted = model.fit(own[train][:, picked], y[train], sample_weight=w)
        is_classifier = hasattr(fitted, "decision_function")
        predict = fitted.decision_function if is_classifier else fitted.predict
        predictions[test] = predict(own[test][:, picked])
    return predictions


def make_annotations(rng, n):
    return (rng.random((n, 5)) < 0.3).astype(float)


@pytest.mark.parametrize("beside", ["nothing", "weights", "groups"])
def test_figure_of_a_quantity_is_cross_fitted(beside):
    texts, y, rng = make_texts()
    A, given, weights = make_annotations(rng, 400), {}, None
    folds = model_selection.KFold(5, shuffle=True, random_state=0).split(y)
    if beside == "weights":
        weights = given["sample_weight"] = rng.uniform(0.2, 3.0, 400)
    elif beside == "groups":
        groups = given["groups"] = np.repeat(np.arange(80), 5)
        kind = model_selection.GroupKFold(5, shuffle=True, random_state=0)
        folds = kind.split(y, groups=groups)
    report = evaluate_annotations(A, y, texts=texts, n_resamples=99, **given)
    row = report.overall.set_index("name").loc["r2_ngrams"]
    model = linear_model.LinearRegression()
    found = predict_plainly(texts, y, model, 5, folds, weights)
    expected = metrics.r2_score(y, found, sample_weight=weights)
    assert row["value"] == pytest.approx(expected, rel=1e-6)
    assert row["lower"] < row["value"] < row["upper"]
    assert "as many n-grams (5 words or pairs of words)" in row["description"]
    assert row["description"] in " ".join(str(report).split())


def test_figure_of_two_classes():
    texts, y, rng = make_texts()
    y = (y > 0).astype(int)
    A = make_annotations(rng, 400)
    report = evaluate_annotations(A, y, texts=texts, n_resamples=0)
    folds = list(
        model_selection.StratifiedKFold(5, shuffle=True, random_state=0).split(y, y)
    )
    model = linear_model.LogisticRegression(max_iter=1000)
    found = predict_plainly(texts, y, model, 5, folds)
    areas = [metrics.roc_auc_score(y[test], found[test]) for _, test in folds]
    value = report.overall.set_index("name").loc["roc_auc_ngrams", "value"]
    assert value == pytest.approx(np.mean(areas), rel=1e-6)


@pytest.mark.parametrize("kind", ["three", "pairs", "winners"])
def test_figure_of_classes_and_pairs(kind):
    texts, y, rng = make_texts(600)
    A, given, name = make_annotations(rng, 600), {}, "roc_auc_ngrams"
    if kind == "three":
        y = np.digitize(y, [-0.5, 0.5])
        given["task"] = "classification"
    else:
        given["pairs"] = np.repeat(np.arange(300), 2)
        name = "r2_ngrams"
    if kind == "winners":
        y, name = (y > y[np.arange(600) ^ 1]).astype(int), "roc_auc_ngrams"
    report = evaluate_annotations(A, y, texts=texts, n_resamples=49, **given)
    row = report.overall.set_index("name").loc[name]
    assert row["value"] > (0.05 if kind == "pairs" else 0.6)
    assert row["lower"] < row["value"] < row["upper"] < 0.9
    # the order of the members means nothing
    if kind != "three":
        swapped = np.arange(600) ^ 1
        other = evaluate_annotations(
            A[swapped],
            y[swapped],
            texts=[texts[i] for i in swapped],
            n_resamples=0,
            **given,
        )
        value = other.overall.set_index("name").loc[name, "value"]
        assert value == pytest.approx(row["value"], rel=1e-6)


def test_picking_is_part_of_what_is_cross_fitted():
    """Picked on all rows, n-grams of pure noise would seem to predict."""
    values = []
    for seed in range(8):
        texts, _, rng = make_texts(200, seed)
        y = rng.normal(size=200)
        A = make_annotations(rng, 200)
        report = evaluate_annotations(A, y, texts=texts, n_resamples=0)
        values.append(report.overall.set_index("name").loc["r2_ngrams", "value"])
    assert np.mean(values) < 0
    assert max(values) < 0.05


def test_without_texts_or_words_or_if_not_wanted():
    texts, y, rng = make_texts()
    A = make_annotations(rng, 400)
    for given in (
        {},
        {"texts": texts, "ngrams": False},
        {"texts": [f"text {i}" for i in range(400)]},
    ):
        report = evaluate_annotations(A, y, n_resamples=0, **given)
        assert "r2_ngrams" not in set(report.overall["name"])


@pytest.mark.parametrize("n_classes", [None, 2, 3])
def test_predictions_of_other_texts(n_classes):
    texts, y, _ = make_texts(600)
    if n_classes is not None:
        y = np.digitize(y, [0.0] if n_classes == 2 else [-0.7, 0.7])
    known, new = slice(0, 400), slice(400, 600)
    found = predict_by_ngrams(texts[known], y[known], texts[new], n_classes, 6)
    presence, terms = find_ngrams(texts[known])
    targets = np.eye(3)[y[known]] if n_classes == 3 else y[known, None]
    names = terms[pick_ngrams(presence, targets, 6)]
    X = CountVectorizer(
        vocabulary=names,
        tokenizer=tokenize,
        token_pattern=None,
        ngram_range=(1, 2),
        binary=True,
    ).transform(texts)
    if n_classes is None:
        model = linear_model.LinearRegression().fit(X[known], y[known])
        expected = model.predict(X[new])[:, None]
    else:
        model = linear_model.LogisticRegression(max_iter=1000).fit(X[known], y[known])
        expected = (
            model.decision_function(X[new])[:, None]
            if n_classes == 2
            else model.predict_proba(X[new])
        )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_classes", [None, 2])
def test_texts_without_words_in_common_predict_a_constant(n_classes):
    found = predict_by_ngrams(
        ["a", "b", "c"], np.array([0, 1, 1]), ["a"] * 4, n_classes, 3
    )
    assert found.shape == (4, 1)
    assert np.ptp(found) == 0
