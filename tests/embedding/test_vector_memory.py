"""The vectors that stay with the process: each text once, bounded, for all threads."""

import multiprocessing
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from embedding_cases import TEXTS

from sklearn_hypo import EmbeddingAnnotator, Hypothesis, TextEmbedder
from sklearn_hypo._embedding import _encode, _sentence_transformers
from sklearn_hypo._embedding._minilm import MinilmEncoder
from sklearn_hypo._embedding._vector_memory import VectorMemory


@pytest.fixture
def memory(monkeypatch):
    memory = VectorMemory()
    monkeypatch.setattr(_encode, "MEMORY", memory)
    return memory


@pytest.fixture
def encoded(monkeypatch, memory):
    """List the texts that reach the model."""
    texts = []
    encode = MinilmEncoder.encode

    def record(self, batch):
        texts.extend(batch)
        return encode(self, batch)

    monkeypatch.setattr(MinilmEncoder, "encode", record)
    return texts


def fill(memory, model, texts, width=10):
    store = memory.of_model({"model": model})
    store.put(texts, np.ones((len(texts), width), dtype=np.float32))
    return store


def test_each_text_is_encoded_once(encoded):
    first = TextEmbedder("minilm").fit(TEXTS).transform(TEXTS)
    again = TextEmbedder(["auto", "lsa"], n_components=2).fit_transform(TEXTS)
    assert sorted(encoded) == sorted(TEXTS)
    np.testing.assert_allclose(again.iloc[:, :384] * np.sqrt(2), first, rtol=1e-5)
    TextEmbedder("minilm").fit_transform([*TEXTS, "one more"])
    assert encoded[len(TEXTS) :] == ["one more"]
    # what decides the vector is part of the key
    TextEmbedder("minilm", normalize=False).fit_transform(TEXTS)
    TextEmbedder("minilm", prompt="query: ").fit_transform(TEXTS)
    assert len(encoded) == 3 * len(TEXTS) + 1


def test_an_annotator_shares_what_the_first_step_encoded(encoded):
    active = np.array([1.0, 1.0, 0, 0, 0, 0])[:, None]
    TextEmbedder("minilm").fit_transform(TEXTS)
    annotator = EmbeddingAnnotator(TextEmbedder("minilm"))
    annotator.fit(TEXTS, [Hypothesis("is sad", "neuron000")], active)
    assert encoded[len(TEXTS) :] == ["is sad"]


def test_threads_encode_each_text_once(encoded):
    with ThreadPoolExecutor(4) as pool:
        frames = list(
            pool.map(lambda _: TextEmbedder("minilm").fit_transform(TEXTS), range(4))
        )
    assert sorted(encoded) == sorted(TEXTS)
    for frame in frames[1:]:
        np.testing.assert_array_equal(frame, frames[0])


def test_cache_folder_and_memory_fill_each_other(encoded, memory, tmp_path):
    TextEmbedder("minilm").fit_transform(TEXTS[:3])
    embedder = TextEmbedder("minilm", cache=tmp_path).fit(TEXTS)
    frame = embedder.transform(TEXTS)
    assert sorted(encoded) == sorted(TEXTS)
    memory.clear()
    # three are on the disk; the others were in memory when the folder was there
    np.testing.assert_array_equal(embedder.transform(TEXTS[3:]), frame[3:])
    assert len(encoded) == len(TEXTS)
    embedder.set_params(cache=None).transform(TEXTS[3:])
    assert len(encoded) == len(TEXTS)


def test_what_was_encoded_before_an_error_is_kept(encoded, monkeypatch):
    model = _sentence_transformers.load_model
    calls = []

    def fail_later(*args):
        calls.append(args)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return model(*args)

    monkeypatch.setattr(_sentence_transformers, "load_model", fail_later)
    with pytest.raises(KeyboardInterrupt):
        TextEmbedder("minilm", batch_size=2).fit_transform(TEXTS)
    monkeypatch.setattr(_sentence_transformers, "load_model", model)
    kept = encoded[:2]
    encoded.clear()
    TextEmbedder("minilm", batch_size=2).fit_transform(TEXTS)
    assert sorted(encoded + kept) == sorted(TEXTS)


def test_only_fixed_local_models_are_remembered(memory):
    seen = []

    def model(texts):
        seen.extend(texts)
        return [[len(t), 1.0] for t in texts]

    for _ in range(2):
        TextEmbedder(model).fit_transform(TEXTS)
        TextEmbedder("lsa", n_components=2).fit_transform(TEXTS)
    assert len(seen) == 2 * len(TEXTS)
    assert memory.n_vectors == 0


def test_nothing_of_it_is_on_the_estimator(encoded):
    embedder = TextEmbedder("minilm").fit(TEXTS)
    embedder.transform(["word " * i for i in range(1, 20)])
    assert len(pickle.dumps(embedder)) < 5_000


def test_the_least_recently_used_are_dropped():
    memory = VectorMemory(most_bytes=4 * (40 + 250))
    store = fill(memory, "a", ["1", "2", "3", "4"])
    store.get(["1"])
    fill(memory, "b", ["1"])
    found, vectors = store.get(["1", "2", "3", "4"])
    np.testing.assert_array_equal(found, [0, 2, 3])
    assert vectors.shape == (3, 10)
    fill(memory, "c", ["1"], width=10_000)  # larger than all there is
    assert memory.n_vectors == 0


def test_an_entry_takes_what_is_counted():
    import tracemalloc

    memory = VectorMemory()
    texts = [f"text {i}" for i in range(2_000)]
    vectors = np.ones((2_000, 100), dtype=np.float32)
    store = memory.of_model({"model": "a"})
    tracemalloc.start()
    store.put(texts, vectors)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 0.7 < used / memory.n_bytes < 1.1


def test_models_do_not_share_vectors():
    memory = VectorMemory()
    fill(memory, "a", ["1"])
    found, vectors = memory.of_model({"model": "b"}).get(["1"])
    assert len(found) == 0
    assert vectors.shape == (0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_fork_does_not_inherit_a_held_lock():
    from sklearn_hypo._embedding._vector_memory import MEMORY

    context = multiprocessing.get_context("fork")
    lock = MEMORY.of_model({"model": "held"}).lock()
    with lock, MEMORY._access:
        process = context.Process(target=fill, args=(MEMORY, "held", ["1"]))
        process.start()
        process.join(20)
    alive = process.is_alive()
    process.kill()
    assert not alive
