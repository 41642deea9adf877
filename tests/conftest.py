"""What every test can rely on: no key, no proxy, and a cache folder of its own."""

import gc
import os
import sys
import tempfile
import uuid

import certifi
import hypothesis
import pytest
from forks import joblib_forks
from llm_cases import make_mind, prepare
from llm_double import LLMServer

from sklearn_hypo._interpretation import _lexicon
from sklearn_hypo._interpretation._concept_strength import WordEmbedder

# Every client of an SDK reads all certificates, 20 ms each; no test has a use for more
# than one.
_CERTIFICATE = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115
_END = "-----END CERTIFICATE-----\n"
with open(certifi.where(), encoding="utf-8") as _certificates:
    _CERTIFICATE.write(_certificates.read().partition(_END)[0] + _END)
_CERTIFICATE.flush()
os.environ["SSL_CERT_FILE"] = _CERTIFICATE.name


# The same examples every time, however slow the machine is.
hypothesis.settings.register_profile(
    "reproducible",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
)
hypothesis.settings.load_profile("reproducible")

_LIST_KNOWN_WORDS = WordEmbedder.list_known_words


@pytest.fixture(autouse=True)
def _no_ways_out(monkeypatch, tmp_path_factory):
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
        "GOOGLE_GEMINI_BASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    folder = tmp_path_factory.getbasetemp() / f"cache-{uuid.uuid4().hex}"
    monkeypatch.setenv("SKLEARN_HYPO_CACHE", str(folder))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Spare the tests the embedding of an English vocabulary: 20,000 words.

    Examples of documents, which say what users will see, are not spared it.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not isinstance(item, pytest.DoctestItem):
            patch.setattr(_lexicon, "AUTO_MODEL", "lsa")
            patch.setattr(WordEmbedder, "list_known_words", lambda self: [])
        return (yield)


@pytest.fixture
def _words_of_the_model(monkeypatch):
    """Undo that."""
    monkeypatch.setattr(_lexicon, "AUTO_MODEL", "auto")
    monkeypatch.setattr(WordEmbedder, "list_known_words", _LIST_KNOWN_WORDS)


@pytest.fixture
def prepared(monkeypatch, tmp_path):
    """Make the waits of retries short; return the folder of cache='auto'."""
    prepare(monkeypatch, tmp_path / "auto")
    return tmp_path / "auto"


@pytest.fixture
def cheap_processes():
    """Spare joblib's processes the imports; see `forks`."""
    with joblib_forks():
        yield


@pytest.fixture(scope="module")
def shared_server():
    with LLMServer(make_mind()) as server:
        yield server


@pytest.fixture
def server(shared_server):
    """Return a double of a language model as if it had just been started."""
    before = dict(vars(shared_server.service.settings))
    shared_server.reset()
    yield shared_server
    shared_server.faults = None
    vars(shared_server.service.settings).update(before)


# What is imported stays: garbage collectors need not walk through it again and again.
gc.disable()


def pytest_collection_finish():
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


# statsmodels collects garbage in each correction for multiple tests, twice in each
# evaluation: half a second where all test modules are loaded, most of an evaluation.
_collect = gc.collect


def collect_unless_asked_by_statsmodels(generation=2):
    caller = sys._getframe(1).f_globals.get("__name__")
    return 0 if caller == "statsmodels.stats.multitest" else _collect(generation)


gc.collect = collect_unless_asked_by_statsmodels
