"""`CrossEncoderAnnotator`, on models that are made on the spot."""

import pickle
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from tiny_cross_encoders import NLI, WORDS, compute_outputs, make_cross_encoder

from sklearn_hypo import (
    CrossEncoderAnnotator,
    Hypothesis,
    HypothesisExtractor,
    LexiconInterpreter,
)
from sklearn_hypo._annotation._calibration import find_threshold
from sklearn_hypo._embedding import _cross_encoder
from sklearn_hypo._embedding._cross_encoder import PairEncoder, load_cross_encoder
from sklearn_hypo._embedding._encode import MEMORY
from sklearn_hypo._embedding._sentence_transformers import find_downloaded_revision
from sklearn_hypo.exceptions import HypothesisWarning

HYPOTHESES = [Hypothesis("about tea", "n0"), Hypothesis("about snow", "n1")]


@pytest.fixture(autouse=True)
def _offline_and_forgetful(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    MEMORY.clear()


@pytest.fixture
def nli(tmp_path):
    return make_cross_encoder(tmp_path / "nli", NLI)


@pytest.fixture
def reranker(tmp_path):
    return make_cross_encoder(tmp_path / "reranker")


@pytest.fixture
def scored(monkeypatch):
    """Count the pairs that a model has scored, and its batches."""
    seen = Counter()
    compute = PairEncoder._compute

    def count(self, model, texts):
        seen.update(texts)
        seen["batches"] += 1
        return compute(self, model, texts)

    monkeypatch.setattr(PairEncoder, "_compute", count)
    return seen


def get_texts(n, seed=0):
    rng = np.random.RandomState(seed)
    texts = [" ".join(rng.choice(WORDS, rng.randint(1, 9))) for _ in range(n)]
    return np.array(texts, dtype=object)


def make_annotator(folder, **params):
    return CrossEncoderAnnotator(folder, **{"device": "cpu", **params})


# Scores


def expected_nli(folder, texts, statements):
    pairs = [(t, f"The text {s}.") for t in texts for s in statements]
    outputs = compute_outputs(folder, pairs)
    return softmax(outputs, axis=1)[:, 1].reshape(len(texts), -1)


def test_the_score_of_inference_is_the_probability_of_entailment(nli):
    texts = get_texts(20)
    annotator = make_annotator(nli, threshold=0.25).fit([], HYPOTHESES)
    margins = annotator.decision_function(texts)
    expected = expected_nli(nli, texts, ["about tea", "about snow"])
    np.testing.assert_allclose(margins + 0.25, expected, atol=1e-5)
    marks = annotator.annotate(texts)
    np.testing.assert_array_equal(marks, expected >= 0.25)
    assert 0 < marks.mean() < 1
    assert annotator.kind_ == "nli"
    # which is which matters
    swapped = compute_outputs(nli, [("The text about tea.", t) for t in texts])
    assert abs(softmax(swapped, axis=1)[:, 1] - expected[:, 0]).max() > 0.1


def test_the_score_of_a_reranker_is_that_of_a_query(reranker):
    texts = get_texts(20)
    annotator = make_annotator(reranker, threshold=0.5).fit([], ["about tea"])
    expected = expit(compute_outputs(reranker, [("about tea", t) for t in texts]))
    margins = annotator.decision_function(texts)
    np.testing.assert_allclose(margins + 0.5, expected, atol=1e-5)
    assert annotator.kind_ == "reranker"
    assert 0 < annotator.annotate(texts).mean() < 1


def test_a_template_goes_around_the_statement(reranker):
    texts = get_texts(5)
    annotator = make_annotator(reranker, threshold=0.5, template="the {statement} art")
    margins = annotator.fit([], ["about tea"]).decision_function(texts)
    pairs = [("the about tea art", t) for t in texts]
    expected = expit(compute_outputs(reranker, pairs))
    np.testing.assert_allclose(margins + 0.5, expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"template='tea' must hold \{statement\}"):
        make_annotator(reranker, threshold=0.5, template="tea").fit([], ["tea"])


def test_long_texts_are_cut(reranker):
    """But the statement is not."""
    texts = ["tea rain " * 20, "tea rain " * 20 + "snow"]
    short = make_annotator(reranker, threshold=0.5, max_length=12)
    margins = short.fit([], ["about art"]).decision_function(texts).ravel()
    assert margins[0] == margins[1]
    outputs = compute_outputs(reranker, [("about art", texts[0])], max_length=12)
    np.testing.assert_allclose(margins[0] + 0.5, expit(outputs[0, 0]), atol=1e-5)
    whole = make_annotator(reranker, threshold=0.5).fit([], ["about art"])
    assert abs(whole.decision_function(texts)[0, 0] - margins[0]) > 1e-4


def test_long_texts_are_told(reranker, recwarn):
    longest = "tea " * 59  # 64 tokens with "about art" and three marks
    annotator = make_annotator(reranker, threshold=0.5).fit([], ["art", "about art"])
    annotator.annotate([longest, "tea", " "])
    short = make_annotator(reranker, threshold=0.5, max_length=12).fit([], ["art"])
    short.annotate([longest])  # as somebody wanted it
    assert not recwarn
    message = (
        r"CrossEncoderAnnotator.*: 1 of 2 texts \(50%\) are longer, beside a "
        r"statement, than what the model reads \(64 tokens\).*split_documents"
    )
    with pytest.warns(HypothesisWarning, match=message) as caught:
        annotator.annotate([longest + "tea", "tea", " "])
    assert len(caught) == 1


@pytest.mark.parametrize("compute_dtype", ["float32", "bfloat16"])
def test_scores_do_not_depend_on_batches(nli, compute_dtype, scored):
    texts = get_texts(30)
    margins = []
    for batch_size in (1, 7, "auto"):
        MEMORY.clear()
        annotator = make_annotator(
            nli, threshold=0.5, batch_size=batch_size, compute_dtype=compute_dtype
        )
        margins.append(annotator.fit([], HYPOTHESES).decision_function(texts))
    tolerance = 1e-5 if compute_dtype == "float32" else 0.05
    np.testing.assert_allclose(margins[0], margins[1], atol=tolerance)
    np.testing.assert_allclose(margins[0], margins[2], atol=tolerance)
    n = 2 * len(set(texts))
    assert scored["batches"] >= n + n / 7 + 1


def test_threads_change_nothing(nli):
    import torch

    before = torch.get_num_threads()
    texts = get_texts(400)
    try:
        found = []
        for n_threads in (1, 3):
            MEMORY.clear()
            torch.set_num_threads(n_threads)
            annotator = make_annotator(nli, threshold=0.5).fit([], HYPOTHESES)
            found.append(annotator.decision_function(texts))
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*found)


# Thresholds


def test_thresholds_agree_best_with_the_neurons(nli):
    texts = get_texts(60)
    active = np.array([[float("tea" in t), float("snow" in t)] for t in texts])
    annotator = make_annotator(nli).fit(texts, HYPOTHESES, active)
    scores = expected_nli(nli, texts, ["about tea", "about snow"])
    expected = [find_threshold(s, a) for s, a in zip(scores.T, active.T, strict=True)]
    np.testing.assert_allclose(annotator.thresholds_, expected, atol=1e-5)
    marks = annotator.annotate(texts)
    np.testing.assert_array_equal(marks, scores >= annotator.thresholds_)
    assert np.corrcoef(marks[:, 0], active[:, 0])[0, 1] > 0


def test_no_more_texts_are_scored_than_needed(nli, scored):
    texts = np.array([f"{t} {i}" for i, t in enumerate(get_texts(50))], dtype=object)
    active = np.random.RandomState(0).random_sample((50, 2)) > 0.5
    annotator = make_annotator(nli, max_calibrated=10).fit(texts, HYPOTHESES, active)
    assert len(scored) - 1 == 20
    # other rows of most of these texts: another fold scores few new ones
    annotator.fit(texts[:40][::-1], HYPOTHESES, active[:40][::-1])
    assert 20 <= len(scored) - 1 < 32
    make_annotator(nli, max_calibrated=None).fit(texts, HYPOTHESES, active)
    assert len(scored) - 1 == 100


# What is not scored twice


def test_nothing_is_scored_twice(nli, scored, tmp_path):
    texts = [*get_texts(30), *get_texts(30), "", " "]
    active = np.random.RandomState(0).random_sample((62, 2)) > 0.5
    folder = tmp_path / "cache"
    annotator = make_annotator(nli, cache=folder).fit(texts, HYPOTHESES, active)
    n_pairs = 2 * len(set(get_texts(30)))
    assert len(scored) - 1 == n_pairs
    marks = annotator.annotate(texts)
    MEMORY.clear()  # another process: what is on disk serves
    again = clone(annotator).fit(texts, HYPOTHESES, active)
    np.testing.assert_array_equal(again.annotate(texts), marks)
    assert max(scored.values()) == scored["batches"]
    assert sum(scored.values()) - scored["batches"] == n_pairs
    # another model, or another length, is another score
    clone(annotator).set_params(max_length=20).fit(texts, HYPOTHESES, active)
    assert sum(scored.values()) - scored["batches"] == 2 * n_pairs


def test_cells_that_are_not_wanted_are_not_scored(nli, scored):
    texts = ["tea rain", "snow", "", "go"]
    where = np.array([[1, 0], [0, 1], [1, 0], [0, 0]], dtype=bool)
    annotator = make_annotator(nli, threshold=0.5).fit([], HYPOTHESES)
    cells = annotator.annotate_cells(texts, where)
    assert len(scored) - 1 == 2
    np.testing.assert_array_equal(np.isnan(cells), ~where)
    whole = annotator.annotate(texts)
    np.testing.assert_array_equal(cells[where], whole[where])
    with pytest.raises(ValueError, match=r"where= is of shape \(4, 1\)"):
        annotator.annotate_cells(texts, where[:, :1])


def test_blank_and_odd_texts(nli):
    annotator = make_annotator(nli, threshold=0.0).fit([], HYPOTHESES)
    marks = annotator.annotate(["", "tea", " \n", "a\ud800b", 'say "tea", \\ go'])
    assert marks[:, 0].tolist() == [0, 1, 0, 1, 1]
    assert annotator.annotate([]).shape == (0, 2)
    assert annotator.fit([], []).annotate(["tea"]).shape == (1, 0)


# As an estimator


def test_it_pickles_without_its_model(nli):
    texts = get_texts(200)
    active = np.random.RandomState(0).random_sample((200, 2)) > 0.5
    annotator = make_annotator(nli).fit(texts, HYPOTHESES, active)
    written = pickle.dumps(annotator)
    assert len(written) < 2_000
    copy = pickle.loads(written)  # noqa: S301
    np.testing.assert_array_equal(copy.annotate(texts), annotator.annotate(texts))
    assert clone(annotator).get_params() == annotator.get_params()
    assert annotator.model_identity_["kind"] == "cross-encoder"
    assert len(annotator.model_identity_["files"]) == 64


def test_in_an_extractor(nli):
    texts = get_texts(80)
    active = pd.DataFrame(
        [[float("tea" in t), float("snow" in t)] for t in texts],
        index=pd.Index(texts, name="text"),
        columns=["n0", "n1"],
    )
    extractor = HypothesisExtractor(
        LexiconInterpreter(embedder=None), make_annotator(nli), random_state=0
    )
    y = active["n0"] + np.random.RandomState(0).normal(size=80) / 10
    marks = (
        extractor.set_params(annotator__max_length=32).fit(active, y).transform(active)
    )
    assert set(np.unique(marks)) <= {0.0, 1.0}
    assert marks.shape == (80, 2)


@pytest.mark.parametrize(
    "params",
    [
        {"model": 3},
        {"threshold": 1.5},
        {"threshold": "best"},
        {"max_calibrated": 1},
        {"batch_size": 0},
        {"compute_dtype": "int8"},
        {"revision": 3},
    ],
)
def test_bad_parameters_are_named(params):
    annotator = CrossEncoderAnnotator(**{"model": "some", **params})
    with pytest.raises(ValueError, match=next(iter(params))):
        annotator.fit(["tea"], HYPOTHESES, np.ones((1, 2)))


def test_auto_needs_activations(nli):
    with pytest.raises(ValueError, match=r"threshold='auto'.*none were given"):
        make_annotator(nli).fit(["tea"], HYPOTHESES)
    with pytest.raises(NotFittedError):
        make_annotator(nli).annotate(["tea"])


# Which model


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (("entailment", "not_entailment"), "nli"),
        (("LABEL_0",), "reranker"),
        (("not_entailment", "Entail"), "nli"),
    ],
)
def test_labels_tell_what_a_model_is(tmp_path, labels, kind):
    folder = make_cross_encoder(tmp_path / "model", labels)
    annotator = make_annotator(folder, threshold=0.5).fit([], ["about tea"])
    assert annotator.kind_ == kind


@pytest.mark.parametrize("labels", [("LABEL_0", "LABEL_1"), ("anger", "joy", "fear")])
def test_a_model_of_neither_kind(tmp_path, labels):
    folder = make_cross_encoder(tmp_path / "model", labels)
    with pytest.raises(ValueError, match=f"outputs, named {', '.join(labels)}.*config"):
        make_annotator(folder, threshold=0.5).fit([], ["about tea"])


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(ValueError, match=r"could not be loaded.*Pass an existing"):
        make_annotator(tmp_path, threshold=0.5).fit([], ["about tea"])


def test_a_device_that_is_not_there(nli):
    with pytest.raises(ValueError, match="device='none' cannot be used"):
        make_annotator(nli, threshold=0.5, device="none").fit([], ["about tea"])


def test_revision_and_length_reach_the_loader(monkeypatch, nli):
    import sentence_transformers

    given = []
    make = sentence_transformers.CrossEncoder

    def record(source, **settings):
        given.append((source, settings))
        return make(str(nli), device=settings["device"])

    monkeypatch.setattr(sentence_transformers, "CrossEncoder", record)
    monkeypatch.setattr(
        "sklearn_hypo._embedding._sentence_transformers.find_downloaded_revision",
        lambda name, revision: f"commit of {name} at {revision}",
    )
    params = {"threshold": 0.5, "revision": "v2", "max_length": 32}
    by_name = make_annotator("some/model", **params).fit([], ["about tea"])
    assert given == [
        ("some/model", {"device": "cpu", "revision": "v2", "max_length": 32})
    ]
    assert by_name.model_identity_["revision"] == "commit of some/model at v2"
    assert by_name.model_identity_["max_length"] == 32
    load_cross_encoder.cache_clear()


def test_a_revision_is_looked_for_on_this_disk(monkeypatch):
    asked = []

    def look(name, file, cache_dir, revision):
        asked.append((name, revision))

    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", look)
    assert find_downloaded_revision("a/b", "v2") is None
    assert asked == [("a/b", "v2")]


def test_without_the_package(monkeypatch, nli):
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    load_cross_encoder.cache_clear()
    with pytest.raises(ImportError, match="pip install sentence-transformers"):
        make_annotator(nli, threshold=0.5).fit([], ["about tea"])


def test_a_model_is_loaded_once(monkeypatch, nli):
    opened = []
    monkeypatch.setattr(
        _cross_encoder,
        "open_model",
        lambda *args, _open=_cross_encoder.open_model, **kw: (
            opened.append(args) or _open(*args, **kw)
        ),
    )
    load_cross_encoder.cache_clear()
    for n in (3, 5):
        annotator = make_annotator(nli, threshold=0.5).fit([], HYPOTHESES)
        annotator.annotate(get_texts(n, seed=n))
    assert len(opened) == 1


def test_batches_that_find_no_memory_are_halved(nli, monkeypatch):
    texts = get_texts(6)
    expected = make_annotator(nli, threshold=0.5).fit(texts, HYPOTHESES)
    expected = expected.annotate(texts)
    MEMORY.clear()
    compute = PairEncoder._compute

    def run_out(self, model, texts):
        if len(texts) > 3:
            raise RuntimeError("MPS backend out of memory")
        return compute(self, model, texts)

    monkeypatch.setattr(PairEncoder, "_compute", run_out)
    annotator = make_annotator(nli, threshold=0.5, batch_size=12).fit([], HYPOTHESES)
    with pytest.warns(HypothesisWarning, match="too little memory"):
        found = annotator.annotate(texts)
    np.testing.assert_array_equal(found, expected)
