"""Encoders of OpenAI and Gemini: the real SDK clients against a test double."""

import functools
import itertools
import json
import os
import pickle
import signal
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from llm_double import Faults, LLMServer, Mind
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_hypo import GeminiModel, OpenAIModel, TextEmbedder
from sklearn_hypo._embedding import _remote as _limits
from sklearn_hypo._embedding import _vector_store as _cache
from sklearn_hypo._embedding._make_encoder import make_encoder
from sklearn_hypo._language_models import _concurrency, _gemini, _openai
from sklearn_hypo._language_models._errors import MalformedReplyError
from sklearn_hypo._language_models._text import bound_tokens
from sklearn_hypo.exceptions import HypothesisWarning, LanguageModelError

pytest.importorskip("openai")
types = pytest.importorskip("google.genai").types

VENDORS = ["openai", "gemini"]
MODELS = {"openai": "text-embedding-3-small", "gemini": "gemini-embedding-001"}
TEXTS = [f"text number {i} about topic {i % 7}" for i in range(40)]
# reading the certificates takes most of the time of opening a client
make_context = functools.cache(ssl.create_default_context)
KEY = "s3cret-Key-0123456789"
# what can go wrong with an embedding request and is over at the next attempt
TRANSIENT = [
    "rate_limit",
    "rate_limit_seconds",
    "rate_limit_ms",
    "rate_limit_retryinfo",
    "server_500",
    "overloaded_503",
    "dropped",
    "garbage",
    "html",
    "truncated_json",
    "wrong_number_of_embeddings",
]


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    names = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"]
    for name in [*names, "GOOGLE_API_KEY", "GEMINI_API_KEY"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_concurrency, "_FIRST_WAIT", 0.002)
    monkeypatch.setattr(ssl, "create_default_context", make_context)


@pytest.fixture
def server():
    with LLMServer(Mind({}), dimensions=16) as server:
        yield server


def model_of(vendor, server, **settings):
    if vendor == "openai":
        return OpenAIModel(MODELS[vendor], base_url=server.openai_url, **settings)
    return GeminiModel(MODELS[vendor], base_url=server.gemini_url, **settings)


def make_embedder(vendor, server, *, cache=None, **parameters):
    return TextEmbedder(model_of(vendor, server), cache=cache, **parameters)


def inputs(call):
    """Return the texts in the body of a call, of either vendor."""
    body = call.body
    if "requests" in body:
        return [r["content"]["parts"][0]["text"] for r in body["requests"]]
    return body["input"]


# What is sent, and what comes of it


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_text_gets_its_own_embedding(vendor, server):
    embedder = make_embedder(vendor, server, batch_size=3)
    frame = embedder.fit_transform(TEXTS)
    assert frame.shape == (40, 16)
    assert list(frame.index) == TEXTS
    np.testing.assert_allclose(np.linalg.norm(frame, axis=1), 1, rtol=1e-5)
    for i in (0, 17, 39):
        alone = make_embedder(vendor, server).fit_transform([TEXTS[i]])
        np.testing.assert_allclose(alone, frame[i : i + 1], rtol=1e-5)
    server.reset()
    np.testing.assert_array_equal(embedder.transform(TEXTS * 2), [*frame.values] * 2)
    assert server.stats().embedded == dict.fromkeys(TEXTS, 1)
    assert server.stats().calls == 14


@pytest.mark.parametrize("vendor", VENDORS)
def test_requests_are_under_way_at_once(vendor, server):
    server.latency = 0.1
    texts = [f"text {i}" for i in range(64)]
    make_embedder(vendor, server, batch_size=1).fit_transform(texts)
    # a few at first, more while that helps
    assert server.stats().in_flight_max == 8


@pytest.mark.parametrize("vendor", VENDORS)
def test_names_keys_and_addresses_of_the_environment(vendor, server, monkeypatch):
    prefix = {"openai": "OPENAI", "gemini": "GOOGLE"}[vendor]
    url = {"openai": "OPENAI_BASE_URL", "gemini": "GOOGLE_GEMINI_BASE_URL"}[vendor]
    monkeypatch.setenv(f"{prefix}_API_KEY", KEY)
    monkeypatch.setenv(url, getattr(server, f"{vendor}_url"))
    server.api_key = KEY
    frames = [
        TextEmbedder(model, cache=None).fit_transform(TEXTS[:2])
        for model in (f"{vendor}:{MODELS[vendor]}", f"{vendor}:", vendor)
    ]
    assert {call.model for call in server.calls} == {MODELS[vendor]}
    np.testing.assert_array_equal(frames[0], frames[2])
    explicit = make_embedder(vendor, server).set_params(
        model=model_of(vendor, server, api_key_env=f"{prefix}_API_KEY")
    )
    np.testing.assert_allclose(explicit.fit_transform(TEXTS[:2]), frames[0], rtol=1e-5)
    if vendor == "openai":  # compact for OpenAI itself, plain for other servers
        formats = [call.body.get("encoding_format") for call in server.calls]
        assert formats == ["base64"] * 3 + [None]


def test_dimensions_and_task_type_are_sent(server):
    settings = {"dimensions": 6, "task_type": "CLUSTERING"}
    make_embedder("gemini", server, **settings).fit(TEXTS)
    (request,) = server.calls[-1].body["requests"]
    assert request["outputDimensionality"] == 6
    assert request["taskType"] == "CLUSTERING"
    make_embedder("openai", server, dimensions=6).fit(TEXTS)
    assert server.calls[-1].body["dimensions"] == 6
    for vendor in VENDORS:
        make_embedder(vendor, server).fit(TEXTS)
        body = json.dumps(server.calls[-1].body)
        assert "imension" not in body
        assert "task" not in body.lower()


@pytest.mark.parametrize("vendor", VENDORS)
def test_normalisation_comes_after_shortening(vendor, server):
    unit = make_embedder(vendor, server, dimensions=6).fit_transform(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, rtol=1e-5)
    raw = make_embedder(vendor, server, dimensions=6, normalize=False)
    norms = np.linalg.norm(raw.fit_transform(TEXTS), axis=1)
    # as the vendors do it: OpenAI scales shortened embeddings, Gemini does not
    assert np.allclose(norms, 1, rtol=1e-5) == (vendor == "openai")
    whole = make_embedder(vendor, server, normalize=False).fit_transform(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("vendor", VENDORS)
def test_odd_texts(vendor, server):
    texts = ["a\ud800b", "\udfff", "nul\0 bell\a tab\t", "\0\1", "😀", "\u2028x"]
    frame = make_embedder(vendor, server, prompt="p: ").fit_transform(texts)
    assert np.isfinite(frame.to_numpy()).all()
    assert list(frame.index) == texts
    sent = server.stats().embedded
    assert {"p: a\ufffdb", "p: nul  bell  tab\t"} <= set(sent)
    with pytest.warns(HypothesisWarning, match="2 of 4 texts are empty"):
        frame = make_embedder(vendor, server).fit_transform(["", " \n", "\0\1", "x"])
    assert not frame.to_numpy()[:2].any()
    assert frame.to_numpy()[2:].any(axis=1).all()
    assert all(text.strip() for call in server.calls for text in inputs(call))
    assert server.stats().statuses == {200: 2}


# Limits of the vendors


@pytest.mark.parametrize(("vendor", "most"), [("openai", 2048), ("gemini", 100)])
def test_texts_per_request(vendor, most, server):
    texts = [f"t{i}" for i in range(2 * most + 1)]
    make_embedder(vendor, server, batch_size=5000).fit_transform(texts)
    sizes = sorted(len(inputs(call)) for call in server.calls)
    assert sizes == [1, most, most]
    assert set(server.stats().statuses) == {200}


def test_tokens_per_request(server):
    texts = [f"{i} " + "internationalisation " * 714 for i in range(150)]
    make_embedder("openai", server, batch_size=2048).fit_transform(texts)
    sizes = [sum(map(len, inputs(call))) for call in server.calls]
    assert sum(sizes) == sum(map(len, texts))
    assert max(sizes) / 4 < 300_000  # four characters make a token
    assert len(sizes) == 3
    assert set(server.stats().embedded.values()) == {1}


@pytest.mark.parametrize(("vendor", "most"), [("openai", 8192), ("gemini", 2048)])
def test_long_texts_are_cut_with_one_warning(vendor, most, server):
    texts = ["short", "long " * most, "other " * most]
    with pytest.warns(
        HypothesisWarning, match=rf"2 of 3 texts.*\({most} tokens"
    ) as caught:
        frame = make_embedder(vendor, server).fit_transform(texts)
    assert len(caught) == 1
    assert list(frame.index) == texts
    (call,) = server.calls
    sent = sorted(inputs(call), key=len)
    assert sent[0] == "short"
    assert all(2 * most < len(text) <= 4 * most for text in sent[1:])


def test_texts_that_only_the_server_finds_too_long(server, monkeypatch):
    """The estimate is too low for them: the request is refused, none is lost."""
    fits, too_long = "x " * 6000, "+ " * 6000
    assert _limits.overestimate_tokens(too_long) < 8192 < bound_tokens(too_long)
    texts = ["short", fits, too_long, "another"]
    refused = []
    embed = _openai.OpenAIConnection.embed

    class Refusal(Exception):
        status_code = 400

    def strict_embed(self, texts, **options):
        if any(text.count("+") > 5000 for text in texts):
            refused.append(len(texts))
            raise Refusal("maximum context length is 8192 tokens")
        return embed(self, texts, **options)

    monkeypatch.setattr(_openai.OpenAIConnection, "embed", strict_embed)
    with pytest.warns(HypothesisWarning, match=r"1 of 4 texts \(25%\) are longer"):
        frame = make_embedder("openai", server).fit_transform(texts)
    assert refused == [4, 1]
    assert set(server.stats().embedded) == {"short", "another", fits, too_long[:8192]}
    for i in (0, 1, 3):
        alone = make_embedder("openai", server).fit_transform(texts[i : i + 1])
        np.testing.assert_allclose(frame[i : i + 1], alone, rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("The quick brown fox jumps over the lazy dog.", 10, 16),
        ("1234567890123456", 16, 16),
        ("0123 4567", 8, 9),
        ("我今天非常高兴能见到你们", 14, 20),
        ("naïve café à côté", 7, 12),
        ("x" * 300, 300, 300),
    ],
)
def test_ample_tokens(text, least, most):
    assert least <= _limits.overestimate_tokens(text) <= most
    assert _limits.overestimate_tokens(text) <= bound_tokens(text)


@pytest.mark.parametrize("unit", ["word ", "字", "x", "12 34 ", "é😀 a"])
def test_cuts(unit):
    text = unit * 1000
    cut = _limits.cut_to_tokens(text, 100)
    assert text.startswith(cut)
    assert _limits.overestimate_tokens(cut) <= 100
    assert _limits.overestimate_tokens(text[: len(cut) + 1]) > 100
    assert _limits.cut_to_tokens(cut, 100) == cut
    assert 97 <= bound_tokens(_limits.cut_to_bytes(text, 100)) <= 100
    assert _limits.cut_to_tokens(text, None) == text


def test_divide():
    texts = ["aaaa"] * 5 + ["a" * 100] + ["aaaa"] * 2
    parts = list(_limits.divide_texts(texts, 3, 20, bound_tokens))
    assert [(p.start, p.stop) for p in parts] == [(0, 3), (3, 5), (5, 6), (6, 8)]
    assert list(_limits.divide_texts(texts, 100, None)) == [slice(0, 8)]
    assert list(_limits.divide_texts([], 3, 20)) == []


# Trouble


@pytest.mark.parametrize("vendor", VENDORS)
def test_transient_faults_change_nothing(vendor, server, tmp_path):
    texts = [f"text {i} of many" for i in range(300)]
    plain = make_embedder(vendor, server).fit_transform(texts)
    server.reset()
    server.faults = Faults.spread(0.3, TRANSIENT, seed=3, hint_seconds=0.01)
    embedder = make_embedder(vendor, server, batch_size=3, cache=tmp_path)
    np.testing.assert_allclose(embedder.fit_transform(texts), plain, rtol=1e-5)
    stats = server.stats()
    assert set(stats.faults) == set(TRANSIENT)
    # what went well was not sent again
    assert stats.calls == 100 + sum(stats.faults.values())
    assert embedder.usage_["calls"] == stats.calls
    server.reset()
    np.testing.assert_allclose(embedder.transform(texts), plain, rtol=1e-5)
    assert server.stats().calls == 0


@pytest.mark.parametrize("vendor", VENDORS)
def test_timeout(vendor, server):
    server.faults = Faults({"timeout": 1.0}, until_call=1, timeout_seconds=1.0)
    embedder = TextEmbedder(model_of(vendor, server, timeout=0.5), cache=None).fit(
        TEXTS
    )
    assert embedder.n_features_out_ == 16
    assert embedder.usage_["calls"] >= 2
    assert embedder.usage_["uncertain_calls"] >= 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_wrong_numbers_are_an_error_in_the_end(vendor, server):
    server.faults = Faults({"wrong_number_of_embeddings": 1.0})
    message = r"TextEmbedder\(model='.*retries.*embeddings for 20 texts.*call again"
    with pytest.raises(LanguageModelError, match=message):
        make_embedder(vendor, server, batch_size=20).fit_transform(TEXTS)
    assert server.stats().calls >= 7  # one and six retries


PERMANENT = {
    "wrong_key": ("authentication", "the key was not accepted"),
    "quota": ("quota", "the quota is spent"),
    "unknown_model": ("model", "the provider knows no such model"),
}


@pytest.mark.parametrize("fault", PERMANENT)
@pytest.mark.parametrize("vendor", VENDORS)
def test_permanent_faults_keep_what_was_paid_for(vendor, fault, server, tmp_path):
    reason, message = PERMANENT[fault]
    server.faults = Faults({fault: 1.0}, from_call=8)
    server.latency = 0.01
    embedder = make_embedder(vendor, server, batch_size=2, cache=tmp_path)
    name = rf"TextEmbedder\(model='{vendor}:{MODELS[vendor]}'\): {message}"
    with pytest.raises(LanguageModelError, match=name) as caught:
        embedder.fit_transform(TEXTS)
    assert caught.value.reason == reason
    assert "are kept if cache= names a folder" in str(caught.value)
    assert len(server.stats().embedded) == 16
    assert embedder.usage_["calls"] == server.stats().calls
    server.faults = None
    embedder.fit_transform(TEXTS)
    assert server.stats().embedded == dict.fromkeys(TEXTS, 1)
    assert embedder.usage_["answers_from_cache"] == 16


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_request_that_fails_for_good(vendor, server, tmp_path):
    server.faults = Faults({"server_500": 1.0}, from_call=4)
    model = model_of(vendor, server, max_retries=1)
    embedder = TextEmbedder(model, batch_size=5, cache=tmp_path)
    with pytest.raises(LanguageModelError, match=r"spite of 1 retries.*HTTP 500"):
        embedder.fit_transform(TEXTS)
    server.faults = None
    embedder.fit_transform(TEXTS)
    assert server.stats().embedded == dict.fromkeys(TEXTS, 1)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_request_that_is_refused(vendor, server):
    parameter = {"openai": "dimensions", "gemini": "requests"}[vendor]
    server.reject_parameters = (parameter,)
    message = rf"was refused \(HTTP 400.*{parameter}.*Check model=, dimensions= and"
    with pytest.raises(LanguageModelError, match=message) as caught:
        make_embedder(vendor, server, dimensions=4).fit(TEXTS)
    assert caught.value.reason == "request"
    assert server.stats().calls == 1


def test_a_server_that_does_not_shorten(server, monkeypatch):
    from llm_double import _service

    embed = _service.embed
    monkeypatch.setattr(_service, "embed", lambda text, n, whole: embed(text, 9, whole))
    with pytest.raises(ValueError, match=r"dimensions=4 was asked.* 9 features"):
        make_embedder("openai", server, dimensions=4).fit(TEXTS)


@pytest.mark.parametrize("vendor", VENDORS)
def test_interrupted(vendor, server, tmp_path):
    server.latency = 0.03
    texts = [f"text number {i}" for i in range(200)]
    embedder = make_embedder(vendor, server, batch_size=1, cache=tmp_path)
    over = threading.Event()

    def interrupt():
        while server.stats().calls < 10:
            if over.wait(0.002):
                return
        os.kill(os.getpid(), signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            embedder.fit_transform(texts)
    finally:
        over.set()
        thread.join()
        signal.signal(signal.SIGINT, before)
    paid = len(server.stats().embedded)
    assert 8 <= paid < 200
    embedder.fit_transform(texts)
    assert server.stats().embedded == dict.fromkeys(texts, 1)
    assert embedder.usage_["answers_from_cache"] == paid


def test_interrupted_while_storing(server, tmp_path, monkeypatch):
    """An interrupt before a transaction is committed loses nothing, either."""
    put, n_calls = _cache._OpenStore.put, itertools.count()

    def interrupted_put(self, texts, vectors):
        if next(n_calls) == 1:
            raise KeyboardInterrupt
        put(self, texts, vectors)

    monkeypatch.setattr(_cache._OpenStore, "put", interrupted_put)
    embedder = make_embedder("openai", server, batch_size=2, cache=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        embedder.fit_transform(TEXTS)
    assert server.stats().calls < 20
    embedder.fit_transform(TEXTS)
    assert server.stats().embedded == dict.fromkeys(TEXTS, 1)


def test_each_batch_is_stored_when_it_arrives(server, tmp_path):
    calls, in_flight, stored = [], [], []

    class Watching:
        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...

        def on_fit_task_end(self, estimator, context):
            if context.task_name == "batch":
                calls.append(server.stats().calls)
                in_flight.append(server.stats().in_flight)
                (encoder,) = embedder._make_encoders([embedder.model])
                store = embedder._settings().open_store(encoder)
                with store.open() as opened:
                    stored.append(len(opened.get(TEXTS)[0]))

    server.latency = 0.01
    # the last call is a slow one
    server.faults = Faults({"timeout": 1.0}, from_call=39, timeout_seconds=1.0)
    embedder = make_embedder("openai", server, batch_size=1, cache=tmp_path)
    clone(embedder).set_callbacks(Watching()).fit_transform(TEXTS)
    assert stored == list(range(1, 41))
    assert calls[0] <= 17  # two rounds of eight, and what was drawn meanwhile
    assert in_flight[38] == 1


# The cache


def test_two_embedders_at_once(server, tmp_path):
    """The lock of the cache holds for threads as for processes (test_vector_store)."""
    server.latency = 0.02
    embedders = [
        make_embedder("openai", server, batch_size=2, cache=tmp_path) for _ in range(2)
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda embedder: embedder.fit_transform(TEXTS), embedders))
    assert server.stats().embedded == dict.fromkeys(TEXTS, 1)
    found = sorted(embedder.usage_["answers_from_cache"] for embedder in embedders)
    assert found == [0, 40]


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_in_the_cache_needs_no_server(vendor, server, tmp_path):
    embedder = make_embedder(vendor, server, cache=tmp_path)
    frame = embedder.fit_transform(TEXTS)
    model = type(embedder.model)(
        MODELS[vendor], base_url=embedder.model.base_url, api_key_env="NO_SUCH_KEY"
    )
    server.close()
    again = TextEmbedder(model, cache=tmp_path).fit(TEXTS)
    np.testing.assert_array_equal(again.transform(TEXTS), frame)
    assert again.usage_["calls"] == 0
    with pytest.raises(LanguageModelError, match="NO_SUCH_KEY is not set"):
        again.transform(["another"])


def test_what_changes_an_embedding_is_in_the_key(server, tmp_path):
    def identity(model, **settings):
        return json.dumps(make_encoder(model, **settings).identity(), sort_keys=True)

    plain = GeminiModel("m")
    identities = [
        identity(plain),
        identity(GeminiModel("n")),
        identity(GeminiModel("m", base_url="http://localhost:1")),
        identity(OpenAIModel("m")),
        identity(plain, prompt="p"),
        identity(plain, dimensions=4),
        identity(plain, task_type="CLUSTERING"),
    ]
    assert len(set(identities)) == len(identities)
    same = GeminiModel("m", timeout=3, max_retries=1, temperature=0.5, price=(1, 1))
    assert identity(same) == identities[0]
    # and the store keeps them apart
    widths = [
        make_embedder("openai", server, cache=tmp_path, dimensions=d)
        .fit_transform(TEXTS)
        .shape[1]
        for d in (None, 4, 8)
    ]
    assert widths == [16, 4, 8]


def test_embeddings_of_another_width_are_not_stored(server, tmp_path):
    embedder = make_embedder("openai", server, cache=tmp_path)
    embedder.fit_transform(TEXTS[:5])
    server.dimensions = 8
    with pytest.raises(ValueError, match="8 features, but 16"):
        embedder.fit_transform(TEXTS)
    server.dimensions = 16
    assert embedder.fit_transform(TEXTS).shape == (40, 16)


# scikit-learn


@pytest.mark.parametrize("vendor", VENDORS)
def test_clone_pickle_and_search_in_a_pipeline(vendor, server, tmp_path):
    y = np.arange(40.0)
    embedder = make_embedder(vendor, server, cache=tmp_path)
    grid = {"ridge__alpha": [0.1, 1, 10]}
    pipe = clone(make_pipeline(embedder, Ridge()))
    search = GridSearchCV(pipe, grid, cv=4, error_score="raise").fit(TEXTS, y)
    assert server.stats().embedded == dict.fromkeys(TEXTS, 1)
    copy = pickle.loads(pickle.dumps(search))  # noqa: S301
    np.testing.assert_allclose(copy.predict(TEXTS), search.predict(TEXTS))
    assert copy.best_estimator_[0].model == embedder.model
    new = copy.best_estimator_[0].transform(["another text"])
    assert new.shape == (1, 16)
    assert len(pickle.dumps(copy.best_estimator_[0])) < 5000


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_key_is_nowhere(vendor, server, tmp_path, monkeypatch, caplog):
    caplog.set_level(0)
    monkeypatch.setenv("MY_KEY", KEY)
    server.api_key = KEY
    model = model_of(vendor, server, api_key_env="MY_KEY")
    embedder = TextEmbedder(model, batch_size=4, cache=tmp_path).fit(TEXTS)
    embedder.transform(TEXTS)
    assert server.stats().auth == {"matched": 11}
    server.api_key = "another"
    with pytest.raises(LanguageModelError, match="not accepted") as caught:
        embedder.transform(["new"])
    shown = [repr(embedder), embedder._repr_html_(), repr(caught.value), caplog.text]
    shown += [repr(vars(embedder)), repr(vars(embedder.encoder_))]
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    for content in [pickle.dumps(embedder), *written, *map(str.encode, shown)]:
        assert KEY.encode() not in content


@pytest.mark.parametrize("vendor", VENDORS)
def test_missing_key(vendor):
    name = {"openai": "OPENAI_API_KEY", "gemini": "GOOGLE_API_KEY"}[vendor]
    message = rf"TextEmbedder\(model='{vendor}:{MODELS[vendor]}'\) needs a key.*{name}"
    with pytest.raises(LanguageModelError, match=message) as caught:
        TextEmbedder(f"{vendor}:", cache=None).fit(TEXTS)
    assert caught.value.reason == "authentication"


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("lsa", {"dimensions": 3}, "dimensions=3: only a provider.*n_components"),
        ("some/model", {"task_type": "CLUSTERING"}, "task_type='CLUSTERING': only a"),
        (len, {"dimensions": 3}, "dimensions=3"),
        ("openai:x", {"task_type": "CLUSTERING"}, "task_type=.*openai:x is none"),
        ("openai:gpt-6-luna", {}, "does not embed.*'openai:text-embedding-3-small'"),
        (GeminiModel("gemini-2.5-pro"), {}, "does not embed.*gemini-embedding-001"),
    ],
)
def test_settings_that_a_model_does_not_take(model, settings, message):
    with pytest.raises(ValueError, match=message):
        TextEmbedder(model, cache=None, **settings).fit(TEXTS)


@pytest.mark.parametrize(
    ("name", "value"), [("dimensions", 0), ("dimensions", 2.5), ("task_type", 3)]
)
def test_wrong_parameters(name, value):
    embedder = TextEmbedder("openai:", cache=None).set_params(**{name: value})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of TextEmbedder"):
        embedder.fit(TEXTS)


# The account


@pytest.mark.parametrize("vendor", VENDORS)
def test_usage(vendor, server, tmp_path):
    embedder = make_embedder(vendor, server, batch_size=10, cache=tmp_path)
    embedder.fit(TEXTS)
    assert embedder.usage_["calls"] == 1
    embedder.transform(TEXTS)
    usage = embedder.usage_
    assert usage["calls"] == server.stats().calls == 5
    assert usage["answers_from_cache"] == 1
    # the double counts a quarter of the characters of a request, not of each text
    assert usage["input_tokens"] == pytest.approx(server.stats().input_tokens, rel=0.1)
    price = {"openai": 0.02, "gemini": 0.15}[vendor]
    assert usage["cost"] == pytest.approx(usage["input_tokens"] * price / 1e6)
    assert usage["uncertain_calls"] == {"openai": 0, "gemini": 5}[vendor]
    copy = pickle.loads(pickle.dumps(embedder))  # noqa: S301
    assert copy.transform(TEXTS).shape == (40, 16)
    assert copy.usage_["answers_from_cache"] == 41
    assert embedder.fit(TEXTS).usage_["calls"] == 0
    assert not hasattr(embedder.set_params(model="lsa").fit(TEXTS), "usage_")


@pytest.mark.parametrize("vendor", VENDORS)
def test_estimate_cost(vendor, server, tmp_path):
    embedder = make_embedder(vendor, server, batch_size=10, cache=tmp_path)
    estimate = embedder.estimate_cost(TEXTS * 2)
    assert server.stats().calls == 0
    embedder.fit_transform(TEXTS)
    assert estimate.calls == embedder.usage_["calls"] == 4
    assert estimate.input_tokens == pytest.approx(
        embedder.usage_["input_tokens"], rel=0.1
    )
    assert estimate.cost == pytest.approx(embedder.usage_["cost"], rel=0.1)
    assert embedder.estimate_cost(TEXTS) == (0, 0, 0, 0)
    assert embedder.estimate_cost([*TEXTS, "new text"])[:2] == (1, 2)
    unknown = TextEmbedder(
        OpenAIModel("x", base_url="http://localhost:1/v1"), cache=None
    )
    assert np.isnan(unknown.estimate_cost(TEXTS).cost)
    assert TextEmbedder().estimate_cost(TEXTS) == (0, 0, 0, 0)


# Replies


def rows(*numbers, value=(1.0, 2.0)):
    return {"data": [{"index": i, "embedding": list(value)} for i in numbers]}


@pytest.mark.parametrize(
    "body",
    [
        rows(0),
        rows(0, 1, 2),
        rows(0, 0),
        rows(1, 2),
        rows(0, 1, value=[]),
        rows(0, 1, value=[1.0, float("nan")]),
        rows(0, 1, value=[1e300]),
        rows(0, 1, value=["a"]),
        {"data": [*rows(0)["data"], *rows(1, value=[1.0])["data"]]},
        {"data": None},
        {"data": [{"embedding": [1.0]}] * 2},
        {},
    ],
)
def test_openai_replies_that_are_garbage(body):
    with pytest.raises(MalformedReplyError):
        _openai.read_embeddings(body, 2)


def test_openai_replies_in_any_order():
    body = {"data": [{"index": i, "embedding": [i, 1]} for i in (2, 0, 1)]}
    values = _openai.read_embeddings(body, 3).content
    np.testing.assert_array_equal(values, [[0, 1], [1, 1], [2, 1]])


def test_gemini_replies():
    def response(*values, **more):
        return types.EmbedContentResponse(
            embeddings=[types.ContentEmbedding(values=v) for v in values], **more
        )

    reply = _gemini.read_embeddings(response([1, 2], [3, 4]), 2, "m")
    np.testing.assert_array_equal(reply.content, [[1, 2], [3, 4]])
    assert reply.usage is None
    usage = types.UsageMetadata(prompt_token_count=7)
    told = _gemini.read_embeddings(response([1], usage_metadata=usage), 1, "m")
    assert told.usage.input_tokens == 7
    empty = types.EmbedContentResponse()
    for each in (response([1, 2]), response([1], [1, 2]), response(None, None), empty):
        with pytest.raises(MalformedReplyError):
            _gemini.read_embeddings(each, 2, "m")


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_paid_for_is_kept_by_default(vendor, server, tmp_path, monkeypatch):
    monkeypatch.setenv("SKLEARN_HYPO_CACHE", str(tmp_path / "default"))
    model = model_of(vendor, server)
    first = TextEmbedder(model).fit_transform(TEXTS)
    n_calls = server.stats().calls
    second = TextEmbedder(model).fit_transform(TEXTS)
    assert server.stats().calls == n_calls
    assert list((tmp_path / "default").iterdir())
    np.testing.assert_array_equal(first, second)


def test_what_costs_nothing_is_not_kept_unasked(tmp_path, monkeypatch):
    monkeypatch.setenv("SKLEARN_HYPO_CACHE", str(tmp_path / "default"))
    TextEmbedder().fit_transform(TEXTS)
    TextEmbedder(lambda texts: np.ones((len(texts), 2))).fit_transform(TEXTS)
    assert not (tmp_path / "default").exists()
