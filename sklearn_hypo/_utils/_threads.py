"""How many threads compute, and with which kernels."""

import multiprocessing
import os
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache, wraps

import joblib
from joblib.parallel import get_active_backend
from threadpoolctl import OpenBLASController, ThreadpoolController


@lru_cache(maxsize=2)
def _find_libraries(user_api):
    """Return a controller of the "blas" or the "openmp" loaded; it takes a while."""
    return ThreadpoolController().select(user_api=user_api)


def _let_any_thread_set_limits():
    """Undo what threadpoolctl has done since 3.8: only one thread can set limits."""
    undo = getattr(OpenBLASController, "clear_controlling_thread", None)
    if undo is not None:
        undo(force=True)


class _SharedLimit:
    """Limits the BLAS of the whole process while one thread or another asks for it.

    The number of threads of a BLAS is one for the process, and so is the number that
    torch gives to new threads. If each block of code restored what it had found, blocks
    that overlap (joblib's threads) would leave the limit behind.
    """

    def __init__(self):
        self._lock, self._n_inside = threading.Lock(), 0
        self._blas = self._n_torch = None

    def enter(self, n_torch):
        with self._lock:
            if self._n_inside == 0:
                _let_any_thread_set_limits()
                self._blas = _find_libraries("blas").limit(limits=1)
                self._n_torch = n_torch
            self._n_torch = self._n_torch or n_torch
            self._n_inside += 1

    def count_threads_outside(self):
        """Return how many threads torch may use where nothing is limited."""
        with self._lock:
            return self._n_torch if self._n_inside else None

    def leave(self, torch, n_torch):
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                _let_any_thread_set_limits()
                self._blas.restore_original_limits()
                _let_any_thread_set_limits()
                n_torch = self._n_torch
            if torch is not None:
                torch.set_num_threads(n_torch)


_shared_limit = _SharedLimit()


@contextmanager
def limit_to_one_thread(*, with_torch=False):
    """Compute on one thread.

    Small matrices gain little from more. On a busy machine threads that wait for each
    other make a fit take ten times as long, because they wait by spinning; and other
    numbers of threads round otherwise. What was set before is restored, on errors too.

    Parameters
    ----------
    with_torch : bool, default=False
        Whether torch is going to be used, and may be imported. Where it has been
        imported, it is limited in any case.
    """
    if with_torch:
        import torch
    else:
        torch = sys.modules.get("torch")
    n_torch = None if torch is None else torch.get_num_threads()
    _shared_limit.enter(n_torch)
    try:
        # of OpenMP each thread has settings of its own
        with _find_libraries("openmp").limit(limits=1):
            if torch is not None:
                torch.set_num_threads(1)
            yield
    finally:
        _shared_limit.leave(torch, n_torch)


def on_one_thread(*, with_torch=False):
    """Make a decorator: what it decorates computes as in `limit_to_one_thread`.

    A context of contextlib decorates too, but its frame is where warnings, which look
    for the user's own line, would end.
    """

    def decorate(function):
        @wraps(function)
        def limited(*args, **kwargs):
            with limit_to_one_thread(with_torch=with_torch):
                return function(*args, **kwargs)

        return limited

    return decorate


def share_out(compute, n_parts):
    """Call ``compute(part)`` for every part, helped by other cores that are free.

    A part is taken by whoever comes first, and the caller waits for those only that
    others have begun. So a helper that gets no core costs nothing: on a busy machine
    the caller computes all parts itself. There is help only where a thread limited by
    `limit_to_one_thread` is the main one of a main process: workers of joblib have one
    core each.
    """
    parts = deque(range(n_parts))

    def work():
        while True:
            try:
                part = parts.popleft()
            except IndexError:
                return
            compute(part)

    n_helpers = _count_helpers() if n_parts > 1 else 0
    helping = []
    if n_helpers:
        helpers = _start_helpers(os.getpid(), n_helpers)
        helping = [helpers.submit(work) for _ in range(min(n_helpers, n_parts - 1))]
    work()
    for each in helping:
        if not each.cancel():  # it has begun
            each.result()


def count_threads_to_start():
    """Return how many threads a step may start that compute side by side.

    As many as torch has; but one in a task of joblib or Dask, beside which others
    compute, unless its process computes that task alone and was told its share of the
    cores (loky and Ray tell it, and Dask's workers of one thread).
    """
    import torch

    n_tasks = _count_tasks_of_process()
    has_share = n_tasks == 1 and "OMP_NUM_THREADS" in os.environ
    return 1 if n_tasks and not has_share else torch.get_num_threads()


def _count_tasks_of_process():
    """Return how many tasks of joblib or Dask this process computes at a time, or 0.

    From a thread of joblib the number is unknown: infinity.
    """
    dask = sys.modules.get("distributed.worker")
    if dask is not None:
        with suppress(ValueError):  # this is no task of Dask
            return dask.get_worker().state.nthreads
    if not get_active_backend()[0].nesting_level:
        return 0
    is_main = threading.current_thread() is threading.main_thread()
    return 1 if is_main else float("inf")


def _count_helpers():
    in_worker = multiprocessing.parent_process() is not None
    if in_worker or threading.current_thread() is not threading.main_thread():
        return 0
    n_threads = _shared_limit.count_threads_outside() or 1
    return min(n_threads, _count_cores()) - 1


@lru_cache(maxsize=1)
def _count_cores():
    return joblib.cpu_count()


@lru_cache(maxsize=1)
def _start_helpers(process, n_helpers):
    """Return threads that sleep until they are given work; a fork has none of them."""
    import torch

    helpers = ThreadPoolExecutor(
        n_helpers, initializer=torch.set_num_threads, initargs=(1,)
    )
    # torch keeps the number for new threads: all have to be set while that is limited
    ready = threading.Barrier(n_helpers + 1)
    for _ in range(n_helpers):
        helpers.submit(ready.wait)
    ready.wait()
    return helpers


def describe_computation():
    """Return what rounding may depend on: threads and kernels, as JSON holds them.

    Returns
    -------
    found : dict
        "libraries": name, version, kernel and threads of each BLAS; "torch": threads
        and kernel, None where it has not been imported.
    """
    libraries = [
        {
            "name": library["internal_api"],
            "version": library["version"],
            "kernel": library.get("architecture"),
            "threads": library["num_threads"],
        }
        for library in ThreadpoolController().info()
        if library["user_api"] == "blas"
    ]
    torch = sys.modules.get("torch")
    if torch is not None:
        kernel = torch.backends.cpu.get_cpu_capability()
        torch = {"threads": torch.get_num_threads(), "kernel": kernel}
    return {"libraries": libraries, "torch": torch}
