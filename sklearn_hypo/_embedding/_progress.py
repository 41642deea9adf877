"""How far an encode is: told to callbacks, and to whoever is watching a terminal."""

import contextlib
import multiprocessing
import os
import sys
import threading

from sklearn.callback import ProgressBar

# Nobody wonders about less, and a fit that is quick stays quiet.
_SECONDS_BEFORE = 3
_SECONDS_BETWEEN = 0.2
# The second is tqdm's own, which reads it only once, when it is imported.
_SWITCHES = ("CI", "TQDM_DISABLE")


@contextlib.contextmanager
def show_progress(n_texts, shown):
    """Show how many of `n_texts` texts are encoded, once that takes some seconds.

    Parameters
    ----------
    n_texts : int
    shown : bool or "auto"
        "auto": if somebody is watching.

    Yields
    ------
    count : callable
        To be called with the number of texts that each batch had.
    """
    if not (is_watched() if shown == "auto" else shown):
        yield lambda n: None
        return
    from tqdm.auto import tqdm

    with tqdm(
        total=n_texts,
        desc="Embedding",
        unit=" texts",
        delay=_SECONDS_BEFORE,
        mininterval=_SECONDS_BETWEEN,
        leave=False,
        disable=False,
    ) as bar:
        yield bar.update


@contextlib.contextmanager
def tell_of_batch(estimator, context):
    """Tell the callbacks of one batch. A wish to stop is not granted half-way."""
    task = context.subcontext(task_name="batch")
    task.call_on_fit_task_begin(estimator=estimator)
    yield
    task.call_on_fit_task_end(estimator=estimator)


def is_watched():
    """Tell whether standard error is a terminal or a notebook, not a log or a worker.

    In threads and processes that share it, bars would write over each other.
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


def _is_terminal(stream):
    return stream is not None and hasattr(stream, "isatty") and stream.isatty()


def _is_notebook():
    """Tell whether IPython runs in a kernel, as Jupyter and its relatives have it."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None
