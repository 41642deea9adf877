"""Processes that find everything imported: forks of a server that runs no threads.

Importing takes seconds, in each process that joblib or a test would start afresh. The
server of `multiprocessing` is one for the whole session: whoever wants forks of it asks
here, so that it has imported what all of them need.
"""

import multiprocessing
import os
from contextlib import contextmanager
from pathlib import Path

import joblib
import pytest

PRELOAD = ["sklearn_hypo", "torch", "openai", "google.genai", "llm_batch_process"]


def fork_context():
    """Return the context of such processes, or skip the test where there are none."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs a server of forks")
    context = multiprocessing.get_context("forkserver")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        context.set_forkserver_preload(PRELOAD)
        multiprocessing.forkserver.ensure_running()
    return context


@contextmanager
def joblib_forks():
    """Let joblib's processes be such forks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joblib.parallel, "DEFAULT_MP_CONTEXT", fork_context())
        with joblib.parallel_config(backend="multiprocessing"):
            yield
