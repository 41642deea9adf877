"""How far a long step is: one line for whoever watches a terminal or a notebook.

Nothing is asked for, and nothing is left behind: the line shows after two seconds and
goes when the step ends. Logs, pipes, threads and worker processes see nothing.
"""

import contextlib
import multiprocessing
import os
import shutil
import sys
import threading
import time

from sklearn.callback import ProgressBar

# Nobody wonders about less, and a step that is quick stays quiet.
_SECONDS_BEFORE = 2.0
_SECONDS_BETWEEN = 0.5

# The second is tqdm's own, which other packages on this machine go by.
_SWITCHES = ("CI", "TQDM_DISABLE")

_WIDTH = 80  # columns of a notebook

# The line that is shown, and whether scikit-learn shows bars instead. One thread draws:
# the main one, or the first that was told to
_line, _others_show = None, False
_of_line = threading.Lock()


def _forget():
    """In a process that was forked: the line is the parent's."""
    global _line, _of_line
    _line, _of_line = None, threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_forget)


@contextlib.contextmanager
def show_progress(name, total=None, *, unit="", shown="auto", estimator=None):
    """Show how far a step is, once it takes some seconds.

    Steps within steps share one line: it names them all, and measures the innermost.
    To be used in a ``with`` statement: a decorated function has a frame of contextlib
    around it, at which our warnings would point.

    Parameters
    ----------
    name : str
        What is done, such as "Embedding".
    total : int or None, default=None
        How many there are. None: the line says for how long it has been going on.
    unit : str, default=""
        Of what, with a blank before it, such as " texts".
    shown : bool or "auto", default="auto"
        "auto": if somebody is watching.
    estimator : estimator or None, default=None
        One of which a callback of scikit-learn may show the progress already.

    Yields
    ------
    count : callable
        To be called with how many more are done (1 by default), from any thread.
    """
    global _line
    if shown == "auto" and is_watched():
        if has_progress_bar(estimator):
            with _left_to_others():
                yield _count_nothing
            return
        shown = not _others_show
    if shown in (False, "auto"):
        yield _count_nothing
        return
    task = _Task(name, total, unit)
    with _of_line:
        line, is_first = _line or _Line(task), _line is None
        _line = line
    if not is_first:
        with line.within(task):
            yield task.count
        return
    try:
        yield task.count
    finally:
        line.close()
        if _line is line:
            _line = None


@contextlib.contextmanager
def make_room():
    """Take the line away, if there is one, while something else is written."""
    line = _line
    if line is None:
        yield
        return
    with line.hidden():
        yield


@contextlib.contextmanager
def _left_to_others():
    """While steps within this one show nothing: their lines would cross the bars."""
    global _others_show
    before, _others_show = _others_show, True
    try:
        yield
    finally:
        _others_show = before


def count_each(items, count):
    """Yield items, and count each once the next one is asked for."""
    for number, item in enumerate(items):
        if number:
            count()
        yield item


def is_watched():
    """Tell whether standard error is a terminal or a notebook, not a log or a worker.

    In threads and processes that share it, lines would write over each other.
    """
    return (
        threading.current_thread() is threading.main_thread()
        and multiprocessing.current_process().name == "MainProcess"
        and not any(os.environ.get(name) for name in _SWITCHES)
        and (_is_terminal(sys.stderr) or _is_notebook())
    )


def has_progress_bar(estimator):
    """Tell whether a callback of scikit-learn shows the progress of an estimator."""
    callbacks = getattr(estimator, "_skl_callbacks", [])
    return any(isinstance(each, ProgressBar) for each in callbacks)


def _count_nothing(n=1):
    pass


class _Task:
    """A step: what it is called, and how much of it is done."""

    def __init__(self, name, total, unit):
        self.name, self.total, self.unit = name, total, unit
        self.n, self.started = 0, time.monotonic()
        self._lock = threading.Lock()

    def count(self, n=1):
        with self._lock:
            self.n += n

    def __str__(self):
        return self.name if self.total is None else f"{self.name} {self.n}/{self.total}"


class _Line:
    """One line on standard error, drawn again and again by a thread of its own.

    So a step that counts nothing is seen as well, and counting costs next to nothing.
    """

    def __init__(self, task):
        self._tasks, self._stream = [task], sys.stderr
        self._drawn = 0  # columns
        self._writing = threading.RLock()  # a warning's filter may warn in turn
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw_until_ended, daemon=True)
        self._thread.start()

    @contextlib.contextmanager
    def within(self, task):
        """A step within the one that the line is about."""
        self._tasks.append(task)
        try:
            yield
        finally:
            self._tasks.remove(task)

    @contextlib.contextmanager
    def hidden(self):
        """A blank line, which stays so until the end."""
        with self._writing:
            self._clear()
            yield

    def close(self):
        """Take the line away."""
        self._ended.set()
        self._thread.join()
        if time.monotonic() - self._tasks[0].started >= _SECONDS_BEFORE:
            self._write(self._format())
        self._clear()

    def _draw_until_ended(self):
        pause = _SECONDS_BEFORE
        while not self._ended.wait(pause):
            self._write(self._format())
            pause = _SECONDS_BETWEEN

    def _clear(self):
        if self._drawn:
            self._write("")
            self._write("")

    def _write(self, text):
        # who closes standard error does not want to hear of it
        with self._writing, contextlib.suppress(OSError, ValueError):
            self._stream.write("\r" + text.ljust(self._drawn))
            self._stream.flush()
            self._drawn = len(text)

    def _format(self):
        from tqdm import tqdm

        *around, task = list(self._tasks)
        elapsed = time.monotonic() - task.started
        name = ", ".join([*map(str, around), task.name])
        width = _WIDTH
        if _is_terminal(self._stream):
            width = shutil.get_terminal_size((_WIDTH, 24)).columns - 1
        if task.total is None:
            return f"{name} [{tqdm.format_interval(elapsed)}]"[:width]
        # of more than was expected, as much as was
        n = min(task.n, task.total)
        settings = {"prefix": name, "unit": task.unit, "ncols": width}
        plain = not (self._stream.encoding or "").lower().startswith("utf")
        return tqdm.format_meter(n, task.total, elapsed, ascii=plain, **settings)


def _is_terminal(stream):
    return stream is not None and hasattr(stream, "isatty") and stream.isatty()


def _is_notebook():
    """Tell whether IPython runs in a kernel, as Jupyter and its relatives have it."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None
