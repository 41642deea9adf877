"""How far a step is: seen by those who watch, by nobody else."""

import contextlib
import io
import os
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from sklearn.callback import ProgressBar

from sklearn_hypo import TextEmbedder
from sklearn_hypo._utils import _progress
from sklearn_hypo._utils._progress import count_each, show_progress
from sklearn_hypo._utils._warnings import warn

TEXTS = ["a", "ab", "abc", "abcd", "abcde", "abcdef"]


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


def embed(
    stream=None, method="fit_transform", model=lengths, texts=TEXTS, **parameters
):
    """Return what a stream shows while texts are embedded."""
    stream = Terminal() if stream is None else stream
    embedder = TextEmbedder(model, batch_size=2, n_components=2, **parameters)
    embedder.fit(texts)
    with contextlib.redirect_stderr(stream):
        getattr(embedder, method)(texts)
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


def test_steps_within_one_that_scikit_learn_shows_are_silent():
    stream = Terminal()
    embedder = TextEmbedder(lengths).set_callbacks(ProgressBar())
    with contextlib.redirect_stderr(stream):
        with show_progress("outer", estimator=embedder), show_progress("inner", 3):
            pass
        assert stream.getvalue() == ""
        with show_progress("later"):
            pass
    assert "later" in stream.getvalue()


def test_what_learns_has_no_batches_to_count():
    shown = embed(model="lsa", texts=["one two", "two three", "three one", "two"])
    assert "Embedding [00:00]" in shown
    assert "%" not in shown


@pytest.mark.parametrize(("kernel", "watched"), [(object(), True), (None, False)])
def test_a_notebook_is_watched(monkeypatch, kernel, watched):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    shell = SimpleNamespace(kernel=kernel)
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert _progress.is_watched() is watched


# Steps within steps ---------------------------------------------------------------


class Watched(Terminal):
    """A terminal that tells when it has shown something."""

    def __init__(self):
        super().__init__()
        self._news = threading.Condition()

    def write(self, text):
        with self._news:
            super().write(text)
            self._news.notify_all()

    def wait_for(self, text):
        with self._news:
            return self._news.wait_for(lambda: text in self.getvalue(), timeout=30)


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN", 0.01)
    return Watched()


def watch(terminal, *step, **settings):
    """Show a step on a terminal; pytest has a standard error of its own until then."""
    stack = contextlib.ExitStack()
    stack.enter_context(contextlib.redirect_stderr(terminal))
    stack.count = stack.enter_context(show_progress(*step, **settings))
    return stack


def test_a_step_that_counts_nothing_is_seen_while_it_lasts(terminal):
    with watch(terminal, "Selecting"):
        assert terminal.wait_for("Selecting [00:00]")
    assert terminal.getvalue().rsplit("\r", 2)[-2].strip() == ""


def test_one_line_names_all_steps_and_measures_the_innermost(terminal):
    with watch(terminal, "Refitting", 3) as line:
        line.count()
        with show_progress("Training", 10, unit=" epochs") as step:
            step(4)
            assert terminal.wait_for("Refitting 1/3, Training:  40%")
            assert terminal.wait_for(" 4/10 [")
        line.count()
        assert terminal.wait_for("Refitting:  67%")
    assert "\n" not in terminal.getvalue()
    assert max(map(len, terminal.getvalue().split("\r"))) <= 80


def test_a_warning_has_a_line_of_its_own(terminal, monkeypatch):
    def show(message, *_):
        time.sleep(0.1)  # in which the line would be drawn ten times
        sys.stderr.write(f"{message}\n")

    with watch(terminal, "Selecting"), warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", show)
        assert terminal.wait_for("Selecting [00:00]")
        warn("only 3 of 20")
    (line,) = [t for t in terminal.getvalue().split("\n") if "only 3" in t]
    *before, blank, warning = line.split("\r")
    assert warning == "only 3 of 20"
    assert blank == " " * len(before[-1]) or blank == ""


def test_threads_that_are_told_to_show_it_share_a_line(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    together = threading.Barrier(2)

    def step():
        for _ in range(30):
            together.wait(30)
            with show_progress("Embedding", 10, shown=True) as count:
                count(10)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(step), pool.submit(step)]:
            done.result(60)
    assert _progress._line is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_has_no_line():
    script = """
import os, sys, time, warnings
from sklearn_hypo._utils import _progress
from sklearn_hypo._utils._warnings import warn
_progress._SECONDS_BEFORE = 0
class Slow:
    encoding = "utf-8"
    def write(self, text):
        time.sleep(0.2)  # while the line is held
    def flush(self):
        pass
sys.stderr = Slow()
with _progress.show_progress("Embedding", shown=True):
    time.sleep(0.1)
    child = os.fork()
    if not child:
        warnings.simplefilter("ignore")
        warn("from the child")
        os._exit(0)
    end = time.monotonic() + 20
    while not (done := os.waitpid(child, os.WNOHANG)[0]) and time.monotonic() < end:
        time.sleep(0.05)
    if not done:
        os.kill(child, 9)
        os.waitpid(child, 0)
sys.exit(not done)
"""
    process = run_script(script)
    assert process.wait(60) == 0


def test_it_goes_when_a_step_fails_and_the_next_one_has_its_own(terminal):
    with pytest.raises(KeyboardInterrupt), watch(terminal, "one"):
        raise KeyboardInterrupt
    assert terminal.getvalue().rsplit("\r", 2)[-2].strip() == ""
    with watch(terminal, "three"):
        assert terminal.wait_for("\rthree [")
    assert not [t for t in threading.enumerate() if t.name.endswith("ended)")]


def test_counts_of_threads_add_up(terminal):
    with watch(terminal, "asking", 200) as line, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: line.count(), range(200)))
        assert terminal.wait_for("200/200")


def test_more_than_was_expected_is_all(terminal):
    with watch(terminal, "asking", 2) as line:
        line.count(5)
        assert terminal.wait_for("100%")


def test_a_terminal_that_is_gone_harms_nobody(terminal):
    with watch(terminal, "asking", 2) as line:
        assert terminal.wait_for("asking")
        terminal.close()
        line.count()


def test_items_are_counted_when_the_next_one_is_asked_for():
    counted = []
    seen = [len(counted) for _ in count_each("abc", lambda: counted.append(1))]
    assert seen == [0, 1, 2]


# As people have it ----------------------------------------------------------------

STUDY = """
import sys
import numpy as np
from sklearn.pipeline import make_pipeline
import sklearn_hypo as hypo
from sklearn_hypo._utils import _progress
from sklearn_hypo.datasets import make_concept_texts

_progress._SECONDS_BEFORE = 0
data = make_concept_texts(120, n_concepts=2, effects=[2, -2], random_state=0)
pipe = make_pipeline(
    hypo.TextEmbedder("lsa", n_components=8, random_state=0),
    hypo.SparseAutoencoderTransformer(8, 2, max_epochs=2, random_state=0),
    hypo.StyleFeatures(passthrough=True),
    hypo.TermFeatures(passthrough=True),
    hypo.NeuronSelector(n_select=3, method="correlation"),
    hypo.HypothesisExtractor(hypo.LexiconInterpreter(embedder=None), random_state=0),
).fit(data.data, data.target)
hypo.evaluate_hypotheses(pipe, data.data, data.target, n_resamples=19)
hypo.replicate_hypotheses(pipe, data.data, data.target, n_runs=1, refit_from=None)
"""

STEPS = [
    *("Embedding", "Training autoencoder", "Activating neurons", "Reading texts"),
    *("Finding terms", "Selecting neurons", "Interpreting neurons"),
    *("Annotating texts", "Choosing hypotheses", "Looking for near-duplicates"),
    *("Testing", "Refitting"),
]


def run_script(script, **streams):
    environment = {k: v for k, v in os.environ.items() if k not in _progress._SWITCHES}
    command = [sys.executable, "-W", "ignore", "-c", script]
    return subprocess.Popen(command, env=environment, **streams)


def test_every_step_of_a_study_shows_on_a_terminal():
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = run_script(STUDY, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other side is closed
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    out, _ = process.communicate()
    assert process.returncode == 0
    assert out == b""
    lines = shown.decode().split("\r")
    for step in STEPS:
        assert any(line.startswith(step) for line in lines), step
    assert lines[-1] == ""
    assert lines[-2].strip() == ""
    assert "\n" not in shown.decode()


def test_a_pipe_stays_empty():
    begin, _, _ = STUDY.partition("pipe =")
    script = f"{begin}hypo.TextEmbedder('lsa', n_components=8).fit(data.data)"
    process = run_script(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.communicate() == (b"", b"")
    assert process.returncode == 0
