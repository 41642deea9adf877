"""What every test can rely on: no key, no proxy, and a cache folder of its own."""

import gc
import os
import sys
import tempfile
import uuid

import certifi
import pytest
from llm_cases import make_mind, prepare
from llm_double import LLMServer

# For what begins before any fixture does, or outlives it.
os.environ["SKLEARN_HYPO_CACHE"] = os.path.join(
    tempfile.gettempdir(), f"sklearn-hypo-tests-{uuid.uuid4().hex}"
)

# Every client of an SDK reads all certificates, 20 ms each; no test has a use for more
# than one.
_CERTIFICATE = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115
_END = "-----END CERTIFICATE-----\n"
with open(certifi.where(), encoding="utf-8") as _certificates:
    _CERTIFICATE.write(_certificates.read().partition(_END)[0] + _END)
_CERTIFICATE.flush()
os.environ["SSL_CERT_FILE"] = _CERTIFICATE.name


FROZEN_LATE = []


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


@pytest.fixture
def prepared(monkeypatch, tmp_path):
    """Make the waits of retries short; return the folder of cache='auto'."""
    prepare(monkeypatch, tmp_path / "auto")
    return tmp_path / "auto"


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


# Loaded modules stay out of garbage collections, of which statsmodels asks for one in
# each correction for multiple tests: 0.2 s where all test modules and what PyTorch's
# optimizers import are loaded.


def freeze_loaded():
    gc.collect()
    gc.freeze()


def pytest_collection_finish(session):
    freeze_loaded()


def pytest_runtest_logfinish():
    if "torch._dynamo" in sys.modules and not FROZEN_LATE:
        freeze_loaded()
        FROZEN_LATE.append("torch._dynamo")  # the first fit imports it
