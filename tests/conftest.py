"""What every test can rely on: no key, no proxy, and a cache folder of its own."""

import os
import tempfile
import uuid

import pytest

# For what begins before any fixture does, or outlives it.
os.environ["SKLEARN_HYPO_CACHE"] = os.path.join(
    tempfile.gettempdir(), f"sklearn-hypo-tests-{uuid.uuid4().hex}"
)


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
