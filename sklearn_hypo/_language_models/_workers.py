"""Jobs in threads that a hanging call cannot keep alive."""

import contextlib
import threading
import time
from queue import Empty, SimpleQueue

# Ctrl-C is noticed at least so often, in seconds. Libraries such as polars have the
# system resume a wait that Ctrl-C interrupts, so no wait is without an end.
_STEP = 0.2

# After Ctrl-C, so many seconds for answers that are on their way.
_PATIENCE = 1.0

# In the place of a job: there will be none any more.
_OVER = object()


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
    """Threads, and the jobs that wait for them.

    The calling thread holds no lock at any time, and so cannot leave one behind when
    Ctrl-C comes: `Condition` has moments in which it would, and all threads wait for
    ever then. Queues written in C have none.
    """

    def __init__(self, work, n_threads, stop):
        self.errors = []
        self._work = work
        self._n_threads = n_threads
        self._stop = stop
        self._jobs = SimpleQueue()
        self._news = SimpleQueue()  # wakes the calling thread
        self._threads = []
        self._n_added = self._n_dropped = self._n_ended = 0
        self._counting = threading.Lock()  # of the threads alone

    @property
    def n_open(self):
        """How many jobs wait or are under way."""
        return self._n_added - self._n_dropped - self._n_ended

    def add(self, job):
        """Hand in a job; a thread is started where none is free."""
        self._n_added += 1
        self._jobs.put(job)
        if len(self._threads) < min(self.n_open, self._n_threads):
            name = f"sklearn-hypo-llm_{len(self._threads)}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def wait(self, is_ready, *, patience=float("inf")):
        """Wait until something is the case, or so many seconds."""
        end = time.monotonic() + patience
        while not is_ready() and time.monotonic() < end:
            with contextlib.suppress(Empty):
                self._news.get(timeout=_STEP)
                while True:  # what has come meanwhile is no news any more
                    self._news.get_nowait()

    def drop_waiting(self):
        """Forget the jobs that no thread has begun."""
        with contextlib.suppress(Empty):
            while True:
                self._jobs.get_nowait()
                self._n_dropped += 1

    def dismiss(self):
        """Send the threads home; wait for those that are in no job."""
        for _ in self._threads:
            self._jobs.put(_OVER)
        if self.n_open == 0:
            for thread in self._threads:
                if thread.is_alive():  # Ctrl-C may have come before its start
                    thread.join(_PATIENCE)

    def _serve(self):
        while (job := self._jobs.get()) is not _OVER:
            try:
                if not self._stop.is_set():
                    self._work(job)
            except RunStopped:
                pass
            except BaseException as error:
                self.errors.append(error)
                self._stop.set()
            finally:
                with self._counting:
                    self._n_ended += 1
                self._news.put(None)


def acquire_slot(slots):
    """Acquire a semaphore, waiting in steps; see `_STEP`."""
    while not slots.acquire(timeout=_STEP):
        pass
