"""The progress bar of a long encode: seen by those who watch, by nobody else."""

import io
import sys
import threading
from types import SimpleNamespace

import pytest
from embedding_cases import TEXTS
from sklearn.callback import ProgressBar

from sklearn_hypo import TextEmbedder
from sklearn_hypo._embedding import _progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setenv("TQDM_MININTERVAL", "0")
    monkeypatch.setattr(_progress, "_SECONDS_BEFORE", 0)
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def lengths(texts):
    return [[len(t), 1.0] for t in texts]


def embed(**parameters):
    return TextEmbedder(lengths, batch_size=2, **parameters).fit_transform(TEXTS)


def test_a_terminal_shows_it_and_is_left_clean(terminal):
    embed()
    shown = terminal.getvalue()
    assert "Embedding" in shown
    assert "6/6" in shown
    assert shown.rsplit("\r", 2)[-2].strip() == ""  # overwritten in the end


def test_transform_shows_it_too(terminal):
    embedder = TextEmbedder(lengths).fit(TEXTS)
    terminal.seek(0)
    terminal.truncate()
    embedder.transform(TEXTS)
    assert "6/6" in terminal.getvalue()


def test_what_is_quick_stays_quiet(terminal, monkeypatch):
    monkeypatch.setattr(_progress, "_SECONDS_BEFORE", 60)
    embed()
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("name", ["CI", "TQDM_DISABLE"])
def test_the_environment_turns_it_off(terminal, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    embed()
    assert terminal.getvalue() == ""


def test_a_parameter_turns_it_off_or_on(terminal, monkeypatch):
    embed(show_progress_bar=False)
    assert terminal.getvalue() == ""
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    embed()
    assert log.getvalue() == ""
    monkeypatch.setenv("CI", "1")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    embed(show_progress_bar=True)
    assert "6/6" in log.getvalue()


def test_no_standard_error_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert embed().shape == (6, 2)


def test_threads_show_nothing(terminal):
    thread = threading.Thread(target=embed)
    thread.start()
    thread.join()
    assert terminal.getvalue() == ""


def test_the_progress_bar_of_scikit_learn_is_enough(terminal):
    pytest.importorskip("rich")
    bar = ProgressBar()
    embedder = TextEmbedder(lengths, batch_size=2).set_callbacks(bar)
    assert embedder._settings().show_progress_bar is False
    assert TextEmbedder(lengths)._settings().show_progress_bar == "auto"


@pytest.mark.parametrize(("kernel", "watched"), [(object(), True), (None, False)])
def test_a_notebook_is_watched(monkeypatch, kernel, watched):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    shell = SimpleNamespace(kernel=kernel)
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert _progress.is_watched() is watched


def test_what_learns_has_no_batches_to_count(terminal):
    TextEmbedder("lsa", n_components=2).fit_transform(TEXTS)
    assert terminal.getvalue() == ""
