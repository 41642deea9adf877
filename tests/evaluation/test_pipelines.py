"""Evaluations of real pipelines: what only a fitted pipeline can tell."""

import numpy as np
import pandas as pd
import pytest
from sklearn import linear_model, metrics, model_selection
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from sklearn_hypo import (
    Hypothesis,
    HypothesisExtractor,
    NeuronSelector,
    SparseAutoencoderTransformer,
    TextEmbedder,
    evaluate_hypotheses,
)
from sklearn_hypo._evaluation._hypotheses import _describe_fits
from sklearn_hypo._utils._tokens import make_ngrams, tokenize
from sklearn_hypo.datasets import make_concept_texts


@pytest.fixture(scope="module")
def split():
    texts = make_concept_texts(500, n_concepts=4, random_state=0)
    return model_selection.train_test_split(texts.data, texts.target, random_state=0)


@pytest.fixture(scope="module")
def fitted(split):
    return make_pipeline(
        TextEmbedder(),
        SparseAutoencoderTransformer(n_neurons=24, k=3, random_state=0),
        NeuronSelector(n_select=3),
        HypothesisExtractor(random_state=0),
    ).fit(split[0], split[2])


@pytest.fixture(scope="module")
def report(fitted, split):
    return evaluate_hypotheses(fitted, split[1], split[3], n_resamples=20)


def test_columns_of_the_fit(fitted, report):
    known = fitted[-1].hypotheses_
    table = report.table
    assert list(table.columns[:3]) == ["neuron", "hypothesis", "fidelity"]
    assert table["neuron"].tolist() == known["neuron"].tolist()
    assert table["hypothesis"].tolist() == known["hypothesis"].tolist()
    np.testing.assert_array_equal(table["fidelity"], known["f1"])


def test_evidence_of_each_hypothesis(fitted, split, report):
    active = fitted[:-1].transform(split[1])
    annotations = fitted.transform(split[1]).to_numpy()
    texts = np.asarray(split[1], dtype=object)
    for j, detail in enumerate(report.details):
        own = np.asarray(active[list(detail.neurons)]).max(axis=1)
        holds = annotations[:, j] == 1
        edges = np.linspace(0, own.max(), 21)
        np.testing.assert_allclose(detail.bin_edges, edges)
        for counts, side in (
            (detail.counts_present, holds),
            (detail.counts_absent, ~holds),
        ):
            assert counts == tuple(np.histogram(own[side & (own > 0)], edges)[0])
        assert detail.n_zero == (
            (holds & (own == 0)).sum(),
            (~holds & (own == 0)).sum(),
        )
        for shown, side in ((detail.present, holds), (detail.absent, ~holds)):
            order = np.argsort(-own[side], kind="stable")
            assert shown == tuple(dict.fromkeys(texts[side][order]))[: len(shown)]
            assert len(shown) == min(5, len(set(texts[side])))
        assert detail.terms == tuple(fitted[-1]._hypotheses[j].terms)
        quarters = pd.qcut(split[3], 4).codes
        for q, (label, n, share) in enumerate(detail.prevalence_by_target):
            assert n == (quarters == q).sum()
            assert share == pytest.approx(holds[quarters == q].mean())
            ends = [float(end) for end in label.split(" to ")]
            bounds = np.quantile(split[3], [q / 4, (q + 1) / 4])
            assert ends == pytest.approx(bounds, rel=0.01)


def figure(report, name):
    return report.overall.set_index("name").loc[name, "value"]


def test_embeddings_are_those_of_the_first_step(fitted, split, report):
    X, y = np.asarray(fitted[0].transform(split[1])), split[3]
    folds = model_selection.KFold(5, shuffle=True, random_state=0).split(X)
    ridge = linear_model.RidgeCV(np.logspace(-3, 3, 13))
    found = model_selection.cross_val_predict(ridge, X, y, cv=list(folds))
    expected = metrics.r2_score(y, found)
    assert figure(report, "r2_embeddings") == pytest.approx(expected, rel=1e-6)
    without = evaluate_hypotheses(fitted, split[1], y, embeddings=None, n_resamples=0)
    assert "r2_embeddings" not in set(without.overall["name"])
    pd.testing.assert_frame_equal(without.table, report.table)
    given = evaluate_hypotheses(fitted, split[1], y, embeddings=X[:, :2], n_resamples=0)
    assert figure(given, "r2_embeddings") < expected


def test_ngrams_of_the_training_texts_are_a_neighbour(fitted, split, report):
    train, test, y_train, y = split
    vectorizer = CountVectorizer(
        analyzer=lambda text: make_ngrams(tokenize(text), 2), binary=True, min_df=3
    )
    X = vectorizer.fit_transform(train).toarray().astype(float)
    X = X[:, X.sum(axis=0) <= len(train) - 3]
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    _, _, coefs = linear_model.lars_path(
        Z, y_train - y_train.mean(), method="lasso", max_iter=20
    )
    knot = np.flatnonzero((coefs != 0).sum(axis=0) == 3)[0]
    X_test = vectorizer.transform(test).toarray()
    X_test = X_test[:, vectorizer.transform(train).toarray().sum(axis=0) <= 372]
    picked = np.flatnonzero(coefs[:, knot])
    model = linear_model.LinearRegression().fit(X[:, picked], y_train)
    expected = metrics.r2_score(y, model.predict(X_test[:, picked]))
    found = evaluate_hypotheses(
        fitted, test, y, training=(train, y_train), ngrams=False, n_resamples=20
    )
    value = figure(found, "r2_ngrams_out_of_sample")
    assert value == pytest.approx(expected, rel=1e-6)
    assert "r2_ngrams" not in set(found.overall["name"])
    assert "r2_ngrams_out_of_sample" not in set(report.overall["name"])
    assert "r2_ngrams" in set(report.overall["name"])
    frame = fitted[0].transform(train)
    again = evaluate_hypotheses(
        fitted, test, y, training=[frame, y_train], ngrams=False, n_resamples=20
    )
    pd.testing.assert_frame_equal(again.overall, found.overall)


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ((["a", "b"],), "must be the two things"),
        ((["a", "b"], [1.0]), "differ in length"),
        ((["a", None], [1.0, 2.0]), "missing"),
        ((["a", "b"], [1.0, np.nan]), "NaN"),
    ],
)
def test_training_that_does_not_fit(fitted, split, training, message):
    with pytest.raises(ValueError, match=message):
        evaluate_hypotheses(fitted, split[1], split[3], training=training)


def test_model_of_the_fit_is_scored(fitted, split, report):
    expected = metrics.r2_score(split[3], fitted.predict(split[1]))
    assert report.r2_out_of_sample == pytest.approx(expected)
    assert figure(report, "r2_out_of_sample") == report.r2_out_of_sample


def test_settings_and_seeds_are_recorded(fitted, split, report):
    record = report.provenance
    assert record["seeds"] == {
        "random_state": 0,
        "textembedder__random_state": None,
        "sparseautoencodertransformer__random_state": 0,
        "hypothesisextractor__random_state": 0,
    }
    assert "hypothesisextractor" in str(record["settings"])
    assert report.usage is None
    assert report.data.texts.tolist() == list(split[1])
    np.testing.assert_array_equal(report.data.target, split[3])


def test_earlier_reports_count_and_are_recorded(fitted, split, report):
    again = evaluate_hypotheses(
        fitted, split[1], split[3], previous=report, n_resamples=0
    )
    assert again.n_tested == report.n_tested
    assert again.provenance["edits"] == []
    pd.testing.assert_frame_equal(again.table, report.table)


def test_extractor_without_its_pipeline(fitted, split, report):
    frame = fitted[:-1].transform(split[1])
    alone = evaluate_hypotheses(fitted[-1], frame, split[3], n_resamples=20)
    pd.testing.assert_frame_equal(alone.table, report.table)
    assert alone.details[0].bin_edges == report.details[0].bin_edges
    assert "r2_embeddings" not in set(alone.overall["name"])


@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
def test_in_how_many_fits_a_neuron_was_found(fitted, split, report, tmp_path):
    assert "found" not in report.table
    pipe = clone(fitted).set_params(
        sparseautoencodertransformer__n_fits=2,
        sparseautoencodertransformer__max_epochs=5,
    )
    pipe.fit(split[0], split[2])
    sae, extractor = pipe[1], pipe[-1]
    counts = dict(zip(sae.get_feature_names_out(), sae.n_found_, strict=True))
    pooled = evaluate_hypotheses(pipe, split[1], split[3], n_resamples=0)
    expected = [f"{counts[name]} of 2" for name in extractor.hypotheses_["neuron"]]
    assert pooled.table["found"].tolist() == expected
    pooled.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "fits of the autoencoder that have its neuron" in page
    assert expected[0] in page
    # of several neurons the one found most often; of what is no neuron nothing
    best, other = sorted(counts, key=counts.get)[-1], sorted(counts, key=counts.get)[0]
    extractor._hypotheses = [
        Hypothesis("has both", (other, best)),
        Hypothesis("is long", ("words",)),
        *extractor._hypotheses[2:],
    ]
    words = _describe_fits(pipe, extractor)["found"].tolist()
    assert words[:2] == [f"{counts[best]} of 2", ""]
    assert _describe_fits(extractor, extractor) == {}


def test_counts_are_scored_on_the_scale_they_were_learned_on(split):
    """The n-grams of the training texts, too, whatever the test is told of y."""
    texts, new_texts, y, new_y = split
    counts, new_counts = np.floor(np.exp(y)), np.floor(np.exp(new_y))
    pipe = make_pipeline(
        TextEmbedder(random_state=0),
        SparseAutoencoderTransformer(n_neurons=24, k=3, random_state=0),
        NeuronSelector(n_select=3),
        HypothesisExtractor(random_state=0),
    ).fit(texts, counts)
    logs, new_logs = np.log1p(counts), np.log1p(new_counts)
    same = clone(pipe).fit(texts, logs)
    given = {"n_resamples": 0}
    expected = evaluate_hypotheses(
        same, new_texts, new_logs, training=(texts, logs), **given
    )
    for target in ("auto", "quantity"):
        found = evaluate_hypotheses(
            pipe,
            new_texts,
            new_counts,
            target=target,
            training=(texts, counts),
            **given,
        )
        for name in ("r2_out_of_sample", "r2_ngrams_out_of_sample", "r2_embeddings"):
            assert figure(found, name) == pytest.approx(figure(expected, name))
            words = found.overall.set_index("name")["description"][name]
            assert words.startswith("R² on log(1 + y)")
        assert ("rate_ratio" in found.table) == (target == "auto")
        assert found.r2_out_of_sample == pytest.approx(
            pipe.score(new_texts, new_counts)
        )
    plain = clone(pipe).set_params(
        neuronselector__target_scale="identity",
        hypothesisextractor__target_scale="identity",
    )
    report = evaluate_hypotheses(
        plain.fit(texts, counts), new_texts, new_counts, **given
    )
    assert report.target_kind == "count"
    assert "log" not in report.overall.set_index("name")["description"].to_string()
