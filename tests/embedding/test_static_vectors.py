"""Static vectors of model2vec, with a small model that the test makes."""

import pickle
import sys

import numpy as np
import pytest
from static_models import make_static_model

from sklearn_hypo import TextEmbedder
from sklearn_hypo._embedding._static_vectors import load_static_model

WORDS = ["sad", "happy", "day", "train"]
TEXTS = ["sad day", "happy day", "train", "happy happy train"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    pytest.importorskip("model2vec")
    return make_static_model(tmp_path_factory.mktemp("static") / "small", WORDS)


@pytest.fixture
def folder(made):
    return made[0].removeprefix("model2vec:")


@pytest.fixture
def vectors(made):
    return made[1]


def test_vectors_of_tokens_are_averaged(folder, vectors):
    embedder = TextEmbedder(f"model2vec:{folder}", normalize=False)
    values = embedder.fit_transform(TEXTS).to_numpy()
    day = vectors["day"]
    expected = [(vectors["sad"] + day) / 2, (vectors["happy"] + day) / 2]
    expected.append(vectors["train"])
    np.testing.assert_allclose(values[:3], expected, rtol=1e-5)
    assert embedder.model_identity_["kind"] == "model2vec"
    assert len(embedder.model_identity_["files"]) == 64
    assert len(pickle.dumps(embedder)) < 5_000


def test_beside_another_model(folder):
    embedder = TextEmbedder([f"model2vec:{folder}", "lsa"], n_components=2)
    names = list(embedder.fit(TEXTS).get_feature_names_out())
    assert names[:1] + names[8:] == ["small000", "lsa000", "lsa001"]


def test_unknown_model(folder, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ValueError, match=r"model='model2vec:\./nothing' could not be"):
        TextEmbedder("model2vec:./nothing").fit(TEXTS)


def test_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "model2vec", None)
    load_static_model.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'sklearn-hypo\[model2vec\]'"):
        TextEmbedder("model2vec:x/y").fit(TEXTS)
