"""What the simulations of this room share."""

import pytest


@pytest.fixture
def _without_collections(monkeypatch):
    """statsmodels collects garbage in each correction: 0.1 s."""
    monkeypatch.setattr("gc.collect", lambda: 0)
