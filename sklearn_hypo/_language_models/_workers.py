"""Jobs in threads that a hanging call cannot keep alive."""

import threading
import time
from collections import deque

# Ctrl-C is noticed at least so often, in seconds. Libraries such as polars have the
# system resume a wait that Ctrl-C interrupts, so no wait is without an end.
_STEP = 0.2

# After Ctrl-C, so many seconds for answers that are on their way.
_PATIENCE = 1.0


class RunStopped(Exception):
    """The run is being stopped; what is not under way is not begun."""


def do_jobs(jobs, work, *, n_threads, capacity, stop):
    """Do jobs in threads; return when all are done.

    Parameters
    ----------
    jobs : iterable
        Drawn in the calling thread, as there is room for more.
    work : callable
        Takes a job, in one of the threads. May raise `RunStopped`.
    n_threads : int
        The most threads.
    capacity : callable
        Returns how many jobs may be drawn and not done.
    stop : threading.Event
        Set on the first error, and on Ctrl-C: no job is begun any more.

    Raises
    ------
    Exception
        The first error of a job, after those under way have ended; and whatever comes
        while waiting, such as KeyboardInterrupt, a second after at the latest. Threads
        still in a job are then left alone. They are daemons: a call that hangs holds up
        neither the program nor its end.
    """
    crew = _Crew(work, n_threads, stop)
    try:
        for job in jobs:
            crew.wait(lambda: crew.n_open < capacity())
            if stop.is_set():
                break
            crew.add(job)
        crew.wait(lambda: crew.n_open == 0)
    except BaseException:
        stop.set()
        crew.drop_waiting()
        crew.wait(lambda: crew.n_open == 0, patience=_PATIENCE)
        raise
    finally:
        crew.dismiss()
    if crew.errors:
        raise crew.errors[0]


class _Crew:
    """Threads, and the jobs that wait for them."""

    def __init__(self, work, n_threads, stop):
        self.errors = []
        self.n_open = 0  # waiting or under way
        self._work = work
        self._n_threads = n_threads
        self._stop = stop
        self._jobs = deque()
        self._changed = threading.Condition()
        self._threads = []
        self._n_idle = 0
        self._is_over = False

    def add(self, job):
        """Hand in a job; a thread is started where none is free."""
        with self._changed:
            self._jobs.append(job)
            self.n_open += 1
            is_short = len(self._jobs) > self._n_idle
            if is_short and len(self._threads) < self._n_threads:
                name = f"sklearn-hypo-llm_{len(self._threads)}"
                thread = threading.Thread(target=self._serve, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()

    def wait(self, is_ready, *, patience=float("inf")):
        """Wait until something is the case, or so many seconds."""
        end = time.monotonic() + patience
        with self._changed:
            while not is_ready() and time.monotonic() < end:
                self._changed.wait(_STEP)

    def drop_waiting(self):
        """Forget the jobs that no thread has begun."""
        with self._changed:
            self.n_open -= len(self._jobs)
            self._jobs.clear()

    def dismiss(self):
        """Send the threads home; wait for those that are in no job."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
            may_join = self.n_open == 0
        if may_join:
            for thread in self._threads:
                if thread.is_alive():  # Ctrl-C may have come before its start
                    thread.join()

    def _serve(self):
        while True:
            with self._changed:
                self._n_idle += 1
                while not self._jobs and not self._is_over:
                    self._changed.wait(_STEP)
                self._n_idle -= 1
                if not self._jobs:
                    return
                job = self._jobs.popleft()
            try:
                if not self._stop.is_set():
                    self._work(job)
            except RunStopped:
                pass
            except BaseException as error:
                self.errors.append(error)
                self._stop.set()
            finally:
                with self._changed:
                    self.n_open -= 1
                    self._changed.notify_all()


def acquire_slot(slots):
    """Acquire a semaphore, waiting in steps; see `_STEP`."""
    while not slots.acquire(timeout=_STEP):
        pass
