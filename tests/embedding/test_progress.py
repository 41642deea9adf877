"""The progress bar of a long encode: seen by those who watch, by nobody else."""

import contextlib
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from embedding_cases import TEXTS
from sklearn.callback import ProgressBar

from sklearn_hypo import TextEmbedder
from sklearn_hypo._embedding import _progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    for name in ("CI", "TQDM_DISABLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN", 0)
    monkeypatch.setattr(_progress, "_SECONDS_BEFORE", 0)


def lengths(texts):
    return [[len(t), 1.0] for t in texts]


def embed(stream=None, method="fit_transform", model=lengths, **parameters):
    """Return what a stream shows while texts are embedded."""
    stream = Terminal() if stream is None else stream
    embedder = TextEmbedder(model, batch_size=2, n_components=2, **parameters)
    embedder.fit(TEXTS)
    with contextlib.redirect_stderr(stream):
        getattr(embedder, method)(TEXTS)
    return stream.getvalue()


@pytest.mark.parametrize("method", ["transform", "fit_transform"])
def test_a_terminal_shows_it_and_is_left_clean(method):
    shown = embed(method=method)
    assert "Embedding" in shown
    assert "6/6" in shown
    assert shown.rsplit("\r", 2)[-2].strip() == ""  # overwritten in the end


def test_a_log_does_not_show_it():
    assert embed(io.StringIO()) == ""


def test_what_is_quick_stays_quiet(monkeypatch):
    monkeypatch.setattr(_progress, "_SECONDS_BEFORE", 60)
    assert embed() == ""


@pytest.mark.parametrize("name", ["CI", "TQDM_DISABLE"])
def test_the_environment_turns_it_off(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert embed() == ""
    assert "6/6" in embed(show_progress_bar=True)


def test_a_parameter_turns_it_off_or_on():
    assert embed(show_progress_bar=False) == ""
    assert "6/6" in embed(io.StringIO(), show_progress_bar=True)


def test_no_standard_error_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert TextEmbedder(lengths).fit_transform(TEXTS).shape == (6, 2)


def test_threads_show_nothing():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(embed).result() == ""


def test_the_progress_bar_of_scikit_learn_is_enough():
    pytest.importorskip("rich")
    embedder = TextEmbedder(lengths).set_callbacks(ProgressBar())
    assert embedder._settings().show_progress_bar is False
    assert TextEmbedder(lengths)._settings().show_progress_bar == "auto"


def test_what_learns_has_no_batches_to_count():
    assert embed(model="lsa") == ""


@pytest.mark.parametrize(("kernel", "watched"), [(object(), True), (None, False)])
def test_a_notebook_is_watched(monkeypatch, kernel, watched):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    shell = SimpleNamespace(kernel=kernel)
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert _progress.is_watched() is watched
