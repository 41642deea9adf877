"""`StyleFeatures` alone, beside neurons, and among scikit-learn's tools."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils import get_tags

from sklearn_hypo import (
    NeuronSelector,
    SparseAutoencoderTransformer,
    StyleFeatures,
    SupervisedSAETransformer,
    TextEmbedder,
)
from sklearn_hypo._style._measures import MEASURE_NAMES, measure_texts
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import NotTextLabelledError

TEXTS = ["Where are you?", "I am SO sad today...", "", "we won 3:2 :)", "I am SO sad"]


def make_neurons(texts=TEXTS):
    index = pd.Index(texts, name="text", dtype=object)
    values = np.arange(2.0 * len(texts), dtype=np.float32).reshape(-1, 2)
    return pd.DataFrame(values, index=index, columns=["neuron000", "neuron001"])


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "Series": lambda t: pd.Series(t, index=range(5, 0, -1)),
    "frame of texts": lambda t: pd.DataFrame({"a": t}),
    "text-labelled frame": make_neurons,
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_containers(container):
    frame = StyleFeatures().fit_transform(container(TEXTS))
    assert frame.index.name == "text"
    assert list(frame.index) == TEXTS
    assert list(frame.columns) == [f"style_{name}" for name in MEASURE_NAMES]
    assert (frame.dtypes == np.float32).all()
    measured = measure_texts(TEXTS, MEASURE_NAMES)
    for name, values in zip(MEASURE_NAMES, measured.T, strict=True):
        expected = values if name == "reading_ease" else np.log1p(values)
        np.testing.assert_allclose(frame[f"style_{name}"], expected, rtol=1e-6)


def test_measures_are_chosen_by_name():
    style = StyleFeatures(["commas", "words"]).fit(TEXTS)
    assert style.measures_ == ["commas", "words"]
    assert list(style.transform(TEXTS)) == ["style_commas", "style_words"]
    assert list(style.get_feature_names_out()) == ["style_commas", "style_words"]


@pytest.mark.parametrize(
    ("measures", "error", "message"),
    [
        (["word"], ValueError, r"does not know \['word'\].*words, sentences"),
        ([], ValueError, r"measures=\[\]"),
        (["words", "words"], ValueError, "distinct"),
        ("words", ValueError, "'measures' parameter"),
        (3, ValueError, "'measures' parameter"),
    ],
)
def test_wrong_measures(measures, error, message):
    with pytest.raises(error, match=message):
        StyleFeatures(measures).fit(TEXTS)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("a bare text", TypeError, "one bare str"),
        ([], ValueError, r"0 sample\(s\)"),
        (["a", None], ValueError, "position 1 is missing"),
        (np.zeros((3, 2)), ValueError, "one text per row"),
        ([1.0], TypeError, "StyleFeatures.*not a text"),
        (make_neurons(["a", 3]), TypeError, "not a text"),
    ],
)
def test_wrong_texts(X, error, message):
    with pytest.raises(error, match=message):
        StyleFeatures().fit(X)
    with pytest.raises(error, match=message):
        StyleFeatures().fit(TEXTS).transform(X)


def test_passthrough_keeps_the_columns_of_x():
    X = make_neurons()
    style = StyleFeatures(["words"], passthrough=True).fit(X)
    frame = style.transform(X)
    pd.testing.assert_frame_equal(frame[["neuron000", "neuron001"]], X)
    assert list(frame) == ["neuron000", "neuron001", "style_words"]
    assert (frame.dtypes == np.float32).all()
    assert list(style.get_feature_names_out()) == list(frame)
    assert list(style.feature_names_in_) == list(X)
    with pytest.raises(ValueError, match="feature names"):
        style.transform(X.rename(columns={"neuron000": "other"}))
    with pytest.raises(ValueError, match="input_features"):
        style.get_feature_names_out(["other", "neuron001"])
    for other in (TEXTS, X.to_numpy(), X.reset_index(drop=True)):
        with pytest.raises(NotTextLabelledError, match="StyleFeatures needs"):
            StyleFeatures(passthrough=True).fit(other)


def test_not_fitted():
    for use in (StyleFeatures().transform, StyleFeatures().get_feature_names_out):
        with pytest.raises(NotFittedError):
            use(TEXTS)


def test_clone_pickle_and_tags():
    style = StyleFeatures(["words"], passthrough=True)
    assert clone(style).get_params() == {"measures": ["words"], "passthrough": True}
    fitted = style.fit(make_neurons())
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    pd.testing.assert_frame_equal(
        again.transform(make_neurons()), fitted.transform(make_neurons())
    )
    tags = get_tags(StyleFeatures())
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.target_tags.required


def test_set_output():
    pytest.importorskip("polars")
    plain = StyleFeatures(["words"]).fit(TEXTS).transform(TEXTS)
    for X in (TEXTS, pd.Series(TEXTS)):
        style = StyleFeatures(["words"]).set_output(transform="pandas")
        pd.testing.assert_frame_equal(style.fit_transform(X), plain)
    style = StyleFeatures(["words"]).set_output(transform="polars")
    frame = style.fit_transform(TEXTS)
    assert frame.columns == ["style_words"]
    np.testing.assert_array_equal(frame.to_numpy(), plain.to_numpy())


def get_concepts():
    data = make_concept_texts(300, n_concepts=2, random_state=0)
    texts = list(data.data)
    texts[1::7] = [texts[0]] * len(texts[1::7])  # duplicates
    return texts, np.array([len(text.split()) for text in texts], dtype=float)


def make_sae():
    return SparseAutoencoderTransformer(16, 2, random_state=0)


def list_pipelines():
    embed = TextEmbedder(n_components=16, random_state=0)
    union = FeatureUnion([("neurons", make_sae()), ("style", StyleFeatures())])
    return {
        "union": Pipeline(
            [("embed", embed), ("both", union.set_output(transform="pandas"))]
        ),
        "step": Pipeline(
            [
                ("embed", embed),
                ("sae", make_sae()),
                ("style", StyleFeatures(passthrough=True)),
            ]
        ),
    }


@pytest.mark.parametrize("kind", ["union", "step"])
def test_beside_an_autoencoder(kind):
    texts, n_words = get_concepts()
    pipe = list_pipelines()[kind]
    frame = pipe.fit_transform(texts, n_words)
    assert list(frame.index) == texts
    assert frame.index.name == "text"
    assert frame.shape == (300, 16 + len(MEASURE_NAMES))
    assert list(pipe.get_feature_names_out()) == list(frame)
    name = {"union": "style__style_words", "step": "style_words"}[kind]
    assert frame[name].to_numpy() == pytest.approx(np.log1p(n_words), rel=1e-6)
    selecting = make_pipeline(pipe, NeuronSelector(1))
    assert list(selecting.fit_transform(texts, n_words)) == [name]


@pytest.mark.parametrize("kind", ["union", "step"])
def test_cross_validation(kind):
    texts, n_words = get_concepts()
    pipe = make_pipeline(list_pipelines()[kind], NeuronSelector(1), Ridge(1e-6))
    # by log length length is predicted, and by no neuron
    assert cross_val_score(pipe, texts, n_words, cv=3).min() > 0.9


def test_grid_search_over_measures():
    texts, n_words = get_concepts()
    pipe = Pipeline([("style", StyleFeatures()), ("ridge", Ridge(1e-6))])
    search = GridSearchCV(pipe, {"style__measures": [["commas"], ["words"]]}, cv=3)
    assert search.fit(texts, n_words).best_params_ == {"style__measures": ["words"]}


def test_the_mark_of_training_rows_is_kept():
    texts, n_words = get_concepts()
    pipe = make_pipeline(
        TextEmbedder(n_components=16, random_state=0),
        SupervisedSAETransformer(16, 2, n_supervised=4, random_state=0),
        StyleFeatures(passthrough=True),
        NeuronSelector(3),
    ).fit(texts, n_words)
    assert pipe[-1].trained_on_target_
