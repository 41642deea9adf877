"""Texts longer than a model reads: told, or cut into windows that are averaged."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_double import LLMServer, Mind
from sklearn.feature_extraction.text import HashingVectorizer
from static_models import make_static_model

from sklearn_hypo import (
    EmbeddingAnnotator,
    GeminiModel,
    Hypothesis,
    LexiconInterpreter,
    OpenAIModel,
    TextEmbedder,
    make_hypothesis_pipeline,
)
from sklearn_hypo._cli._main import main
from sklearn_hypo._embedding._minilm import MinilmEncoder, find_minilm
from sklearn_hypo._embedding._token_counter import TokenCounter
from sklearn_hypo._embedding._windows import (
    Windows,
    cut_into_windows,
    overestimate_tokens,
)
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import HypothesisWarning

FACTS = [
    "A crocodile swam in the pool.",
    "My credit card was charged twice.",
    "The pianist in the bar was a genius.",
    "We could not sleep because of the traffic.",
]
FILLER = "The room was nice and the staff was kind to us all day. " * 25
LONG = [FILLER + fact for fact in FACTS]
DATA = make_concept_texts(100, n_concepts=2, random_state=0).data
SHORT = ["a short text", "another one, not much longer"]


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def forgetful(monkeypatch):
    """Let nothing be remembered between two calls."""
    monkeypatch.setattr(MinilmEncoder, "is_remembered", False)


@pytest.fixture
def encoded(monkeypatch):
    """List the texts that reach MiniLM."""
    texts, encode = [], MinilmEncoder.encode

    def record(self, batch):
        texts.extend(batch)
        return encode(self, batch)

    monkeypatch.setattr(MinilmEncoder, "encode", record)
    return texts


def embed(texts, pool=None, model="minilm", **settings):
    return TextEmbedder(model, pool=pool, **settings).fit_transform(texts).to_numpy()


def embed_quietly(*args, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("error", HypothesisWarning)
        return embed(*args, **settings)


# MiniLM


def test_a_fact_behind_the_limit_is_lost_without_chunks_and_found_with():
    with pytest.warns(HypothesisWarning) as caught:
        cut = embed(LONG)
    (warning,) = caught
    assert str(warning.message).startswith(
        "TextEmbedder(model='minilm'): 4 of 4 texts (100%) are longer than what the "
        "model reads (256 tokens)."
    )
    for remedy in ('pool="chunks"', "a model that reads more", "split_documents"):
        assert remedy in str(warning.message)
    assert warning.filename == __file__
    np.testing.assert_allclose(cut @ cut.T, 1, rtol=1e-5)  # all are one
    whole, facts = embed_quietly(LONG, "chunks"), embed_quietly(FACTS)
    np.testing.assert_array_equal((whole @ facts.T).argmax(axis=0), range(4))
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("prompt", [None, "clustering: "])
def test_the_warning_counts_tokens_to_the_last_one(prompt):
    n_prompt = 0 if prompt is None else 3  # cluster, ##ing, :
    longest = " ".join(["word"] * (254 - n_prompt))
    embedder = TextEmbedder("minilm", prompt=prompt)
    with warnings.catch_warnings():
        warnings.simplefilter("error", HypothesisWarning)
        embedder.fit_transform([longest, *SHORT])
    with pytest.warns(HypothesisWarning, match=r"1 of 3 texts \(33%\)"):
        embedder.fit_transform([longest + " more", *SHORT])
    # at every call, also where the vectors are remembered
    with pytest.warns(HypothesisWarning, match=r"1 of 4 texts \(25%\)"):
        embedder.transform([longest + " more", *SHORT, "x"])
    # of 201, half a per cent
    with pytest.warns(HypothesisWarning, match=r"1 of 201 texts \(less than 1%\)"):
        embedder.transform([longest + " more", *map(str, range(200))])


@pytest.mark.usefixtures("forgetful")
def test_windows_are_weighted_by_their_tokens():
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(find_minilm(), device="cpu")
    encoder = MinilmEncoder(None, "cpu")
    text = LONG[0]
    parts = [text[a:b].strip() for a, b, _ in encoder.cut_into_windows(text)]
    # windows end where sentences do, and are read whole
    assert " ".join(parts) == text
    assert len(parts) == 2
    assert all(part[-1] == "." for part in parts)
    counts = [len(model.tokenizer(part)["input_ids"]) for part in parts]
    assert max(counts) <= 256
    weights = np.array(counts) - 2
    mean = weights @ model.encode(parts) / weights.sum()
    found = embed_quietly([text], "chunks", normalize=False)[0]
    np.testing.assert_allclose(found, mean, atol=1e-6)
    found = embed_quietly([text], "chunks")[0]
    np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=1e-6)


def test_short_texts_are_not_touched(encoded, tmp_path):
    before = embed(SHORT, cache=tmp_path)
    del encoded[:]
    # what older versions have put into a cache is still there
    found = embed_quietly([*SHORT, *LONG], "chunks", cache=tmp_path)
    np.testing.assert_array_equal(found[:2], before)
    assert not set(SHORT) & set(encoded)
    # neither way of reading a text is taken for the other
    with pytest.warns(HypothesisWarning, match=r"4 of 4 texts"):
        cut = embed(LONG, cache=tmp_path)
    assert not np.allclose(cut, found[2:], atol=0.01)
    np.testing.assert_array_equal(
        embed_quietly(LONG, "chunks", cache=tmp_path), found[2:]
    )


def test_windows_are_kept_as_texts_are(encoded, tmp_path, monkeypatch):
    monkeypatch.setattr(MinilmEncoder, "is_remembered", False)
    first = embed(LONG, "chunks", cache=tmp_path, batch_size=2)
    n_windows = len(encoded)
    assert n_windows == len(set(encoded)) == 5  # the first window is one and the same
    again = embed(LONG, "chunks", cache=tmp_path)
    assert len(encoded) == n_windows
    np.testing.assert_array_equal(first, again)


def test_tokens_are_counted_once(monkeypatch):
    counted, count = [], TokenCounter._count

    def record(self, texts):
        counted.extend(texts)
        return count(self, texts)

    monkeypatch.setattr(TokenCounter, "_count", record)
    texts = [f"{i} {text}" for i, text in enumerate(LONG)]
    embedder = TextEmbedder("minilm", pool="chunks").fit(texts)
    frame = embedder.transform(texts)
    assert sorted(set(counted) & set(texts)) == texts
    n_counted = len(counted)
    pd.testing.assert_frame_equal(embedder.transform(texts), frame)
    assert len(counted) == n_counted


def test_odd_long_texts():
    texts = ["\ud800" + "word " * 400, "x" * 3000, " " * 5000 + "word" + "\n" * 5000]
    texts.append("私は水を飲みます。" * 100)
    found = embed_quietly(texts, "chunks")
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)


def test_identity_says_how_long_texts_are_read():
    plain = TextEmbedder("minilm").fit(SHORT).model_identity_
    pooled = TextEmbedder("minilm", pool="chunks").fit(SHORT).model_identity_
    assert pooled == plain | {"pool": "chunks"}


def test_wrong_pool():
    with pytest.raises(ValueError, match="'pool' parameter of TextEmbedder"):
        TextEmbedder("minilm", pool="mean").fit(SHORT)


# Whoever embeds


def test_the_pipeline_takes_it():
    rng = np.random.default_rng(0)
    facts = rng.integers(0, 2, size=60)
    texts = [f"{LONG[fact]} Room {i}." for i, fact in enumerate(facts)]
    by_parameter = make_hypothesis_pipeline("minilm", pool="chunks")
    by_setting = make_hypothesis_pipeline("minilm").set_params(
        embed__pool="chunks", hypotheses__interpreter__embedder__pool="chunks"
    )
    names = ["embed__pool", "hypotheses__interpreter__embedder__pool"]
    for pipe in (by_parameter, by_setting):
        assert [pipe.get_params()[name] for name in names] == ["chunks", "chunks"]
    pipe = make_hypothesis_pipeline(
        "minilm", n_neurons=8, k=2, n_select=2, n_fits=1, pool="chunks",
        style=False, terms=False, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "TextEmbedder", HypothesisWarning)
        pipe.fit(texts, facts)
    assert pipe.score(texts, facts) == 1.0


def test_the_dictionary_says_nothing_of_words_and_texts():
    activations = np.array([[1.0], [0.0]] * 6)
    texts = np.array([f"{text} {i}" for i, text in enumerate(LONG[:2] * 6)])
    interpreter = LexiconInterpreter(embedder=TextEmbedder("minilm"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", HypothesisWarning)
        interpreter.interpret(
            texts.astype(object), activations, ["neuron000"],
            random_state=np.random.RandomState(0),
        )  # fmt: skip


def test_an_annotator_tells_when_it_is_fitted():
    annotator = EmbeddingAnnotator(TextEmbedder("minilm"), threshold=0.2)
    with pytest.warns(HypothesisWarning, match="4 of 5 texts"):
        annotator.fit([*LONG, "short"], [Hypothesis(FACTS[0])])


def test_command_line(tmp_path, capsys):
    facts, rng = [i % 2 for i in range(40)], np.random.default_rng(0)
    words = sorted({word for text in DATA for word in text.split()})
    texts = [" ".join([*rng.choice(words, 250), FACTS[fact]]) for fact in facts]
    pd.DataFrame({"text": texts, "y": facts}).to_csv(tmp_path / "t.csv", index=False)
    command = ["run", str(tmp_path / "t.csv"), "--text", "text", "--target", "y"]
    command += ["--embedder", "minilm", "--n-neurons", "8", "--k", "2"]
    command += ["--n-select", "2", "--no-style", "--no-supervised"]
    assert main([*command, "--output", str(tmp_path / "a")]) == 0
    said = capsys.readouterr().err
    assert "(100%) are longer than what the model reads (256 tokens)" in said
    assert main([*command, "--pool", "chunks", "--output", str(tmp_path / "b")]) == 0
    assert "longer than" not in capsys.readouterr().err
    settings = json.loads((tmp_path / "b" / "settings.json").read_text("utf-8"))
    assert settings["models"]["embed"]["pool"] == "chunks"


# Other models


@pytest.mark.parametrize(
    "model",
    [
        "lsa",
        lambda texts: [[len(text), 1.0] for text in texts],
        HashingVectorizer(n_features=64),
    ],
    ids=["lsa", "callable", "transformer"],
)
def test_models_without_a_limit_are_not_touched(model):
    settings = {"n_components": 3, "random_state": 0}
    np.testing.assert_array_equal(
        embed_quietly(LONG + SHORT, "chunks", model, **settings),
        embed_quietly(LONG + SHORT, None, model, **settings),
    )


def test_beside_a_model_without_a_limit():
    settings = {"n_components": 3, "random_state": 0, "normalize": False}
    found = embed_quietly(LONG + SHORT, "chunks", ["minilm", "lsa"], **settings)
    parts = [
        embed_quietly(LONG + SHORT, "chunks", each, **settings)
        for each in ("minilm", "lsa")
    ]
    np.testing.assert_array_equal(found, np.hstack(parts))
    with pytest.warns(HypothesisWarning, match="4 of 6 texts") as caught:
        embed(LONG + SHORT, None, ["minilm", "lsa"], **settings)
    assert len(caught) == 1


def test_static_vectors(tmp_path):
    words = ["sad", "happy", "day"]
    model, vectors = make_static_model(tmp_path / "static", words)
    text = "sad " * 600 + "happy " * 300
    with pytest.warns(HypothesisWarning, match=r"1 of 2 texts \(50%\).*512 tokens"):
        cut = embed([text, "day"], None, model, normalize=False)
    np.testing.assert_allclose(cut[0], vectors["sad"], rtol=1e-4)
    found = embed_quietly([text, "day"], "chunks", model, normalize=False)
    expected = (2 * vectors["sad"] + vectors["happy"]) / 3
    np.testing.assert_allclose(found[0], expected, rtol=1e-4)
    np.testing.assert_array_equal(found[1], cut[1])


@pytest.fixture
def server():
    with LLMServer(Mind({}), dimensions=16) as server:
        yield server


MODELS = {
    "openai": lambda server: OpenAIModel(
        "text-embedding-3-small", base_url=server.openai_url
    ),
    "gemini": lambda server: GeminiModel(
        "gemini-embedding-001", base_url=server.gemini_url
    ),
}


@pytest.mark.parametrize(("vendor", "most"), [("openai", 8192), ("gemini", 2048)])
def test_models_of_a_provider(vendor, most, server, tmp_path):
    text = "a sentence of six words more. " * (most // 6)
    embedder = TextEmbedder(
        MODELS[vendor](server), pool="chunks", cache=tmp_path, normalize=False
    )
    estimate = embedder.estimate_cost(["short", text])
    with warnings.catch_warnings():
        warnings.simplefilter("error", HypothesisWarning)
        found = embedder.fit_transform(["short", text]).to_numpy()
    sent = list(server.stats().embedded)
    windows = [part for part in sent if part != "short"]
    assert len(windows) > 1
    assert all(overestimate_tokens(part) <= most for part in windows)
    assert sum(map(len, windows)) >= len(text.strip()) - len(windows)
    # every window is paid for
    assert estimate.input_tokens == pytest.approx(
        embedder.usage_["input_tokens"], rel=0.1
    )
    assert estimate.input_tokens >= len(text) / 4
    assert embedder.estimate_cost(["short", text]).input_tokens == 0
    alone = TextEmbedder(
        MODELS[vendor](server), cache=tmp_path, normalize=False
    ).fit_transform(windows)
    weights = [overestimate_tokens(part) for part in windows]
    np.testing.assert_allclose(
        found[1], np.average(alone, axis=0, weights=weights), rtol=0.01, atol=1e-3
    )


def test_a_server_without_a_known_limit(server):
    model = OpenAIModel("own-model", base_url=server.openai_url)
    embed_quietly(LONG, "chunks", model, cache=None)
    assert set(server.stats().embedded) == set(LONG)


# Where texts are cut


@given(
    st.text(st.sampled_from("ab .。!?\n水é"), min_size=1, max_size=80),
    st.integers(1, 12),
)
def test_windows_cover_the_text(text, most):
    windows = cut_into_windows(text, most, lambda begin, end: end - begin)
    assert "".join(text[begin:end] for begin, end, _ in windows) == text
    assert all(n == end - begin <= most for begin, end, n in windows)


def test_windows_end_with_sentences_or_else_words():
    def cut(text, most):
        windows = cut_into_windows(text, most, lambda begin, end: end - begin)
        return [text[begin:end] for begin, end, _ in windows]

    assert cut("One two. Three four. Five.", 21) == ["One two. Three four. ", "Five."]
    assert cut("One two three four.", 12) == ["One two ", "three four."]
    assert cut("abcdefgh", 4) == ["abcd", "efgh"]


def test_texts_that_fit_are_their_own_window():
    class Reader:
        def find_long(self, texts):
            return [i for i, text in enumerate(texts) if len(text) > 8]

        def cut_into_windows(self, text):
            return cut_into_windows(text, 8, lambda begin, end: end - begin)

    windows = Windows(Reader(), [" short ", "one two three", "one two"])
    assert windows.parts == [" short ", "one two", "three"]
    values = np.array([[1.0], [2.0], [5.0]], dtype=np.float32)
    found = windows.average(values, lambda rows: rows)
    np.testing.assert_allclose(found[:, 0], [1, (2 * 8 + 5 * 5) / 13, 2])
