import functools
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from embedding_cases import TEXTS
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_hypo._embedding._lsa import lsa_terms
from sklearn_hypo._embedding._make_encoder import make_encoder
from sklearn_hypo._embedding._minilm import find_minilm
from sklearn_hypo._embedding._rows import check_reply, scale_to_unit_length
from sklearn_hypo._embedding._text_embedder import TextEmbedder
from sklearn_hypo._language_models._text import replace_surrogates
from sklearn_hypo._utils._callables import identify_callable
from sklearn_hypo._utils._tokens import make_ngrams, tokenize

# Tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I'm NOT sad", ["i'm", "not", "sad"]),
        ("don’t don`t don´t", ["don't"] * 3),
        ("'quoted' rock'n'roll", ["quoted", "rock'n'roll"]),
        (
            "good:) bad:( ;-) =D :'( :-/",
            ["good", ":)", "bad", ":(", ";-)", "=d", ":'(", ":-/"],
        ),
        ("wow!! really?!", ["wow", "!", "!", "really", "?", "!"]),
        ("love <3 <333 </3", ["love", "<3", "<3", "</3"]),
        ("^_^ -_- xD", ["^_^", "-_-", "xd"]),
        ("see HTTP://x.org/a?b=1 www.y.net", ["see", "http://", "http://"]),
        ("s***y **** **bold** **kwargs", ["s***y", "****", "bold", "kwargs"]),
        ("#tag @me a@b", ["#tag", "@me", "a", "b"]),
        ("3.5 10,000 10:30 2nd", ["3.5", "10,000", "10:30", "2nd"]),
        ("x=(1, 2) a[1:] x[:] 2:3", ["x", "1", "2", "a", "1", "x", "2:3"]),
        ("n_samples (see above): ok", ["n_samples", "see", "above", "ok"]),
        ("Cafe\u0301 CAFÉ हिन्दी", ["café", "café", "हिन्दी"]),
        ("我喜欢", ["我", "喜", "欢"]),
        ("😀👍🏽", ["😀", "👍"]),
        ("... -- ,", []),
        ("", []),
    ],
)
def test_tokenize(text, tokens):
    assert tokenize(text) == tokens
    assert tokenize(" ".join(tokens)) == tokens


@pytest.mark.parametrize(
    "unit", ["a", "'", "a'", ":", "*", "^_", "http://", "1.", "<3", "é", "日"]
)
def test_tokenize_megabyte(unit):
    # quadratic time would take hours here
    tokenize(unit * (1_000_000 // len(unit)))


def test_ngrams():
    assert make_ngrams(["a", "b", "c"], 3) == ["a", "b", "c", "a b", "b c", "a b c"]
    assert make_ngrams([], 2) == []


# LSA


def test_lsa_terms_have_words_pairs_and_beginnings():
    assert lsa_terms("Thankful :)") == ["thankful", ":)", "thankful :)", "than~"]


def test_lsa_matches_its_equation():
    encoder = make_encoder("lsa", n_components=3)
    values = encoder.fit_encode(TEXTS, 0)
    terms = encoder.vectorizer_.get_feature_names_out()
    counts = np.array([[lsa_terms(t).count(term) for term in terms] for t in TEXTS])
    idf = 1 + np.log((1 + len(TEXTS)) / (1 + (counts > 0).sum(axis=0)))
    weight = [0.7 if " " in t or t.endswith("~") else 1 for t in terms]
    x = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * idf * weight
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    _, _, vt = np.linalg.svd(x, full_matrices=False)
    expected = x @ vt[:3].T
    np.testing.assert_allclose(values @ values.T, expected @ expected.T, atol=1e-4)


def test_lsa_brings_like_texts_together():
    values = scale_to_unit_length(
        make_encoder("lsa", n_components=3).fit_encode(TEXTS, 0)
    )
    similar = values @ values.T
    assert similar[0, 1] > 0.8 > similar[0, 4]
    assert similar[4, 5] > 0.8 > similar[2, 5]


def test_lsa_encode_repeats_fit_encode_bit_for_bit():
    encoder = make_encoder("lsa")
    fitted = encoder.fit_encode(TEXTS, 0)
    np.testing.assert_array_equal(encoder.encode(TEXTS), fitted)
    np.testing.assert_array_equal(make_encoder("lsa").fit_encode(TEXTS, 0), fitted)


@pytest.mark.parametrize("texts", [["one"], ["one two three"], ["a", "b"]])
def test_lsa_of_very_few_texts(texts):
    values = make_encoder("lsa").fit_encode(texts, 0)
    assert values.shape[0] == len(texts) >= values.shape[1] >= 1
    assert np.isfinite(values).all()


def test_lsa_text_without_known_term_is_a_zero_vector():
    encoder = make_encoder("lsa", n_components=2)
    values = encoder.fit_encode([*TEXTS, "..."], 0)
    assert not values[-1].any()
    assert not encoder.encode(["zzz", "--"]).any()


def test_lsa_without_any_word():
    with pytest.raises(ValueError, match="found no word in any of the 2"):
        make_encoder("lsa").fit_encode(["...", "--"], 0)


def test_lsa_falls_back_where_no_term_is_frequent_enough():
    texts = [chr(0x4E00 + i) for i in range(150)]
    assert make_encoder("lsa").fit_encode(texts, 0).shape == (150, 150)


def test_lsa_on_tweets():
    """The figure of the reference split, scored on the validation rows."""
    folder = os.environ.get("SKLEARN_HYPO_DATA")
    path = Path(folder or "", "tweets", "Tweets.csv")
    if not folder or not path.exists():
        pytest.skip("SKLEARN_HYPO_DATA does not lead to tweets/Tweets.csv")
    pd = pytest.importorskip("pandas")
    data = pd.read_csv(path).dropna(subset="text")
    train, rest = train_test_split(
        data, test_size=10992, train_size=16448, random_state=42
    )
    validation, _ = train_test_split(
        rest, test_size=5496, train_size=5496, random_state=42
    )
    scale = {"negative": -1, "neutral": 0, "positive": 1}
    embedder = TextEmbedder(random_state=0)
    model = RidgeCV(alphas=np.logspace(-1, 1, 3))
    model.fit(embedder.fit_transform(train["text"]), train["sentiment"].map(scale))
    score = model.score(
        embedder.transform(validation["text"]), validation["sentiment"].map(scale)
    )
    assert score > 0.42


# Which encoder


def test_wrong_models_are_refused():
    with pytest.raises(TypeError, match=r"is a class. .*TfidfVectorizer\(\)"):
        make_encoder(TfidfVectorizer)
    with pytest.raises(TypeError, match="int arrived"):
        make_encoder(3)
    with pytest.raises(ValueError, match="names no model"):
        make_encoder(" ")


# Callables and transformers


def lengths(texts):
    return [[len(t), len(t.split())] for t in texts]


class Keyed:
    cache_key = "keyed v1"

    def __call__(self, texts):
        return lengths(texts)

    def method(self, texts):
        return lengths(texts)


class KeyedByMethod(Keyed):
    def cache_key(self):
        return {"model": "keyed", "version": 2}


class Keyless:
    def __call__(self, texts):
        return lengths(texts)


def test_callable_gets_the_prompt():
    encoder = make_encoder(lengths, prompt="ab ")
    assert encoder.encode(["c"]) == [[4, 2]]
    assert encoder.identity()["prompt"] == "ab "
    assert encoder.identity() != make_encoder(lengths).identity()


def test_callable_identity():
    identity = identify_callable(lengths)
    assert identity["qualname"] == "lengths"
    json.dumps(identity)
    partials = [functools.partial(lengths, n=n) for n in (1, 1, 2)]
    first, same, other = map(identify_callable, partials)
    assert first == same != other
    assert identify_callable(Keyed()) == {"key": "keyed v1"}
    assert identify_callable(KeyedByMethod())["key"]["version"] == 2
    assert identify_callable(len)["qualname"] == "len"


def test_identity_of_an_edited_function_changes():
    sources = ["def f(t): return t", "def f(t): return 2 * t", "def f(t): return t"]
    identities = []
    for source in sources:
        scope = {"__name__": "some_module"}
        exec(source, scope)
        identities.append(identify_callable(scope["f"]))
    assert identities[0] == identities[2] != identities[1]


def test_identity_does_not_depend_on_the_hash_seed():
    source = "def f(t): return [x in {'a', 'b', 'c', 'd', 'e', 'f'} for x in t]\n"
    scope = {"__name__": "__main__"}
    exec(source, scope)
    # the module alone: importing the package takes a second
    script = (
        "import runpy, sys\n"
        f"{source}\n"
        "print(runpy.run_path(sys.argv[1])['identify_callable'](f)['code'])"
    )
    reply = subprocess.run(
        [sys.executable, "-c", script, inspect.getfile(identify_callable)],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert reply.stdout.strip() == identify_callable(scope["f"])["code"]


@pytest.mark.parametrize(
    "function",
    [
        lambda texts: lengths(texts),
        Keyed().method,
        Keyless(),
        functools.partial(lengths, x=object()),
    ],
    ids=["lambda", "method", "object", "partial"],
)
def test_unidentifiable_callables(function):
    with pytest.raises(ValueError, match=r"cache= needs.*top level.*cache_key"):
        make_encoder(function).identity()


def test_transformer_is_cloned_and_seeded():
    original = make_pipeline(TfidfVectorizer(), TruncatedSVD(2))
    encoder = make_encoder(original)
    values = encoder.fit_encode(TEXTS, 5)
    assert values.shape == (6, 2)
    assert not hasattr(original[0], "vocabulary_")
    assert encoder.transformer_[1].random_state is not None
    np.testing.assert_array_equal(make_encoder(original).fit_encode(TEXTS, 5), values)
    np.testing.assert_allclose(encoder.encode(TEXTS), values, atol=1e-6)
    assert encoder.learns


def test_transformer_sparse_output():
    values = make_encoder(HashingVectorizer(n_features=16)).fit_encode(TEXTS, 0)
    assert isinstance(values, np.ndarray)
    assert values.shape == (6, 16)
    with pytest.raises(ValueError, match=r"1048576 columns.*TruncatedSVD"):
        make_encoder(HashingVectorizer()).fit_encode(TEXTS, 0)


# Replies


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ([[1.0, 2.0]], r"\(2, n_features\).*\(1, 2\) arrived"),
        ([1.0, 2.0], r"\(2,\) arrived"),
        (np.zeros((2, 2, 2)), r"\(2, 2, 2\) arrived"),
        (np.zeros((2, 0)), r"\(2, 0\) arrived"),
        ([[1.0, np.nan], [1.0, 2.0]], "NaN or infinite.*1 of 2"),
        ([[1.0, 1e300], [np.inf, 2.0]], "NaN or infinite.*2 of 2"),
        ([[1.0, 2.0], [1.0]], "list arrived"),
        ("ab", "str arrived"),
        (None, "arrived"),
    ],
)
def test_wrong_replies(reply, message):
    with pytest.raises(ValueError, match=rf"model=mine.*{message}"):
        check_reply(reply, 2, "model=mine")


def test_replies_of_other_types():
    torch = pytest.importorskip("torch")
    for reply in ([[1, 2]], torch.ones(1, 2), np.ones((1, 2), dtype=np.float64)):
        assert check_reply(reply, 1, "m").dtype == np.float32


def test_lone_surrogates_are_replaced():
    assert replace_surrogates("a\ud800b") == "a\ufffdb"
    assert replace_surrogates("😀") == replace_surrogates("\ud83d\ude00") == "😀"


def test_unit_rows():
    rows = scale_to_unit_length(
        np.array([[3.0, 4.0], [0.0, 0.0], [1e30, 0]], dtype=np.float32)
    )
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0], [1, 0]], rtol=1e-6)


# sentence-transformers, with a real model


@pytest.fixture(scope="module")
def minilm():
    return find_minilm()


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def test_sentence_transformer(minilm, capfd):
    from sentence_transformers import SentenceTransformer

    texts = [*TEXTS, "a", "long " * 400]
    embedder = TextEmbedder(minilm, batch_size=3, device="cpu")
    values = embedder.fit_transform(texts).to_numpy()
    assert values.shape == (8, 384)
    assert "%|" not in capfd.readouterr().err  # no progress bar
    model = SentenceTransformer(minilm, device="cpu")
    expected = model.encode(texts, show_progress_bar=False)
    np.testing.assert_allclose(values, expected, atol=1e-5)
    alone = embedder.transform(texts[:1]).to_numpy()
    np.testing.assert_allclose(alone, values[:1], atol=1e-5)
    prompted = embedder.set_params(prompt="clustering: ").fit_transform(texts[:2])
    expected = model.encode(["clustering: " + t for t in texts[:2]])
    np.testing.assert_allclose(prompted, expected, atol=1e-5)
    # neither lone surrogates nor a megabyte upset the tokenizer
    odd = embedder.transform(["a\ud800b", "word " * 200_000])
    np.testing.assert_allclose(np.linalg.norm(odd, axis=1), 1, rtol=1e-5)


def test_sentence_transformer_stays_out_of_the_estimator(minilm):
    import pickle

    embedder = TextEmbedder(minilm, device="cpu").fit(TEXTS)
    assert len(pickle.dumps(embedder)) < 5_000


def test_sentence_transformer_identity_is_its_content(minilm, tmp_path):
    def identity(folder, prompt=None):
        return make_encoder(str(folder), prompt=prompt).identity()

    folder, moved = tmp_path / "a", tmp_path / "b"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text("notes")
    before = identity(folder)
    assert identity(folder, "query: ") != before
    (folder / "README.md").write_text("other notes")
    shutil.copytree(folder, moved)
    assert identity(moved) == before
    (folder / "config.json").write_text('{"max_seq_length": 128}')
    assert identity(folder) != before
    assert identity(minilm) != before


def test_cached_embeddings_need_no_model(minilm, tmp_path, monkeypatch):
    from sklearn_hypo._embedding import _sentence_transformers

    first = TextEmbedder(minilm, device="cpu", cache=tmp_path).fit_transform(TEXTS)

    def refuse(*args):
        raise AssertionError("loaded a model that was not needed")

    monkeypatch.setattr(_sentence_transformers, "load_model", refuse)
    embedder = TextEmbedder(minilm, device="cpu", cache=tmp_path).fit(TEXTS)
    np.testing.assert_array_equal(embedder.transform(TEXTS), first)


@pytest.mark.parametrize("name", ["some/model", "model"])
def test_hub_identity_is_the_downloaded_revision(name, tmp_path, monkeypatch):
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path))
    owner = "some" if "/" in name else "sentence-transformers"
    commit = "0123456789" * 4
    for path, content in [
        ("refs/main", commit),
        (f"snapshots/{commit}/config.json", "{}"),
    ]:
        file = tmp_path / f"models--{owner}--model" / path
        file.parent.mkdir(parents=True)
        file.write_text(content)
    identity = make_encoder(name).identity()
    assert (identity["name"], identity["revision"]) == (name, commit)


@pytest.mark.parametrize(
    "model", ["no-such-model", "no/such/model", "./no-such-folder"]
)
def test_unknown_sentence_transformer(model, tmp_path):
    message = f"model={re.escape(repr(model))} could not be loaded.*Pass 'lsa'"
    with pytest.raises(ValueError, match=message):
        TextEmbedder(model, device="cpu").fit(TEXTS)
    with pytest.raises(ValueError, match=message):
        TextEmbedder(model, device="cpu", cache=tmp_path).fit(TEXTS)


def test_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match="model='x/y' needs the package sentence-tr"):
        TextEmbedder("x/y").fit(TEXTS)


def test_loaded_model_is_refused(minilm):
    from sklearn_hypo._embedding._sentence_transformers import load_model

    with pytest.raises(TypeError, match="Pass its name or its folder"):
        make_encoder(load_model(minilm, "cpu"))
