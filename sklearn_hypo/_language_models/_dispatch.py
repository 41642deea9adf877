"""Calls made by many threads: retries, pauses, limits, and a clean end."""

import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from ..exceptions import LanguageModelError
from ._catalog import describe_end_of_life
from ._errors import FATAL, TRANSIENT, classify_error
from ._ledger import DEFAULT_OUTPUT_BOUND, estimate_input_tokens
from ._served import warn_of_other_models
from ._values import BLOCKED, FAILED, Prompt, Reply

logger = logging.getLogger("sklearn_hypo")

# Exponential backoff with full jitter: up to so many seconds, doubled each time.
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0

# Who asks for more patience than this is not waited for.
_LONGEST_HINT = 300.0

# Being told to slow down is no failure of the call: it gets more attempts.
_RATE_LIMIT_ATTEMPTS = 4

# Ctrl-C is noticed at least so often, in seconds.
_STEP = 0.2


class RunStopped(Exception):
    """The run is being stopped; what is not under way is not begun."""


class Dispatcher:
    """Sends the requests of one run to one model.

    Parameters
    ----------
    model : OpenAIModel, GeminiModel or CallableModel
        Whom to ask.
    n_workers : int
        Threads, that is, calls under way at once.
    ledger : Ledger
        Counts, and enforces the cap.
    parameter : str
        What messages call the model, such as "LLMAnnotator(model='gemini:x')".
    proven : bool, default=False
        Whether the model is known to answer, from earlier runs. Then a request that
        is refused is one that the provider does not like, and no reason to stop.
    """

    def __init__(self, model, *, n_workers, ledger, parameter, proven=False):
        self.model = model
        self.n_workers = n_workers
        self.ledger = ledger
        self.parameter = parameter
        self.proven = proven
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._next_start = 0.0
        self._strikes = 0
        # what could not be answered since the last success
        self._failed = set()
        # Only spreads waiting times; no result depends on it.
        self._random = random.Random()

    def __enter__(self):
        self.connection = self.model.connect(self.n_workers)
        return self

    def __exit__(self, *exception):
        self.connection.close()
        warn_of_other_models(self.model, self.ledger)

    def run(self, jobs, work):
        """Do jobs in the threads; return when all are done.

        Jobs are drawn as threads become free, in the calling thread; `work` takes one
        and calls `send`. On an error, and on Ctrl-C, no job is begun any more, those
        under way are waited for, and the error is raised.
        """
        n_slots = 2 * self.n_workers
        slots = threading.Semaphore(n_slots)
        errors, under_way = [], set()

        def attempt(job):
            token = object()
            under_way.add(token)
            try:
                if not self._stop.is_set():
                    work(job)
            except RunStopped:
                pass
            except BaseException as error:
                errors.append(error)
                self._stop.set()
            finally:
                under_way.discard(token)
                slots.release()

        with ThreadPoolExecutor(self.n_workers, "sklearn-hypo-llm") as pool:
            try:
                for job in jobs:
                    acquire_slot(slots)
                    if self._stop.is_set():
                        slots.release()
                        break
                    pool.submit(attempt, job)
                for _ in range(n_slots):
                    acquire_slot(slots)
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                # A thread that was being started when Ctrl-C came is not the pool's.
                while under_way:
                    time.sleep(_STEP / 10)
                raise
        if errors:
            raise errors[0]

    def send(self, request, method="ask", *, subject=None, **options):
        """Send one request, from any thread, and see to it that an answer comes.

        Parameters
        ----------
        request : Prompt, DecisionQuestions or list of str
            What to send.
        method : {"ask", "decide", "embed"}, default="ask"
            Of the connection.
        subject : hashable, default=None
            What the request is about, such as a text. Failures that are all about
            one subject do not stop the run.
        **options : dict
            For the method.

        Returns
        -------
        reply : Reply
            Of outcome "failed" if retries were of no use. If no further call can
            succeed, a LanguageModelError is raised.
        """
        request = self.limit_answer(request)
        attempts = {"rate_limit": 0, "other": 0}
        while True:
            failure = self._attempt(request, method, options)
            if isinstance(failure, Reply):
                self.proven = True
                self._failed = set()
                return failure
            if failure.kind == "forbidden" and self.proven:
                # not the key, then, but something in the way that dislikes the text
                failure = failure._replace(kind="request")
            if failure.kind in FATAL:
                raise self._fatal_error(failure)
            if failure.kind == "blocked":
                return Reply(BLOCKED, detail=failure.detail)
            family = failure.kind if failure.kind in attempts else "other"
            attempts[family] += 1
            is_over = attempts[family] > self._n_retries(failure)
            if failure.kind not in TRANSIENT or is_over:
                return self._give_up(failure, subject)
            self._pause(failure, attempts[family])

    def call(self, function):
        """Have a function take the connection, with the patience of `send`.

        It must cost nothing. A LanguageModelError is raised if it is of no use to try
        again.
        """
        attempt = 0
        while True:
            try:
                return function(self.connection)
            except Exception as error:
                failure = classify_error(error, datetime.now(UTC), self._secrets())
                if failure is None:
                    raise
            attempt += 1
            if failure.kind in FATAL:
                raise self._fatal_error(failure)
            if failure.kind not in TRANSIENT or attempt > self._n_retries(failure):
                raise self._unreachable_error(failure, 1)
            self._pause(failure, attempt)
            if self._stop.wait(max(0.0, self._paused_until - time.monotonic())):
                raise RunStopped

    @property
    def output_limit(self):
        """The limit on an answer that is in force; None without one."""
        bound = None if self.ledger.max_cost is None else DEFAULT_OUTPUT_BOUND
        return self.model.max_output_tokens or bound

    def limit_answer(self, request):
        """Return a request with a limit on the answer, if costs have a cap."""
        if not isinstance(request, Prompt) or request.max_output_tokens is not None:
            return request
        return replace(request, max_output_tokens=self.output_limit)

    def _attempt(self, request, method, options):
        """Make one call; return a Reply or a CallFailure, and settle the account."""
        amount = self.ledger.reserve(request, self._stop.is_set)
        try:
            # not before: reserving may take long, and a pause may have begun
            self._wait_for_turn(request)
        except RunStopped:
            self.ledger.cancel(amount)
            raise
        began = time.monotonic()
        try:
            reply = getattr(self.connection, method)(request, **options)
        except Exception as error:
            failure = classify_error(error, datetime.now(UTC), self._secrets())
            billed = failure is None or failure.billed
            self.ledger.settle(amount, request, None, billed=billed)
            if failure is None:
                raise
            logger.debug("%s: %s", self.model, failure.kind)
            return failure
        self.ledger.settle(amount, request, reply.usage)
        self.ledger.note_versions([reply.version])
        if began >= self._paused_until:
            self._strikes = 0  # one that began before the pause tells nothing
        return reply

    def _n_retries(self, failure):
        n_retries = self.model.max_retries
        if failure.kind == "rate_limit":
            return n_retries * _RATE_LIMIT_ATTEMPTS
        return n_retries

    def _wait_for_turn(self, request):
        """Wait until no pause is on, and for the limits per minute."""
        while not self._stop.is_set():
            with self._lock:
                now = time.monotonic()
                ready = max(self._paused_until, self._next_start)
                if ready <= now:
                    self._next_start = max(now, self._next_start) + self._gap(request)
                    return
            self._stop.wait(ready - now)
        raise RunStopped

    def _gap(self, request):
        """Return the seconds until the next call may begin."""
        gap = 0.0
        if self.model.requests_per_minute is not None:
            gap = 60.0 / self.model.requests_per_minute
        if self.model.tokens_per_minute is not None:
            gap = max(
                gap,
                60.0 * estimate_input_tokens(request) / self.model.tokens_per_minute,
            )
        return gap

    def _pause(self, failure, attempt):
        """Wait before the next attempt; after a 429, all threads do."""
        if failure.hint > _LONGEST_HINT:
            raise LanguageModelError(
                f"{self.parameter}: the provider asks to wait {failure.hint:.0f} "
                f"seconds ({failure.detail}). Call again later. {self.ledger.kept}",
                reason="rate_limit",
            )
        if failure.kind != "rate_limit":
            if self._stop.wait(max(failure.hint, self._draw_wait(attempt))):
                raise RunStopped
            return
        with self._lock:
            now = time.monotonic()
            if now >= self._paused_until:  # the first of those under way to hear it
                self._strikes += 1
            wait = max(failure.hint, self._draw_wait(self._strikes))
            self._paused_until = max(self._paused_until, now + wait)

    def _draw_wait(self, attempt):
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (attempt - 1))
        return self._random.uniform(0.0, longest)

    def _give_up(self, failure, subject):
        """Report a failed call; stop the run if nothing else happens any more."""
        with self._lock:
            self._failed.add(object() if subject is None else subject)
            n_failed = len(self._failed)
        is_odd = failure.kind == "request" and self.proven
        if n_failed >= max(8, self.n_workers) and not is_odd:
            raise self._unreachable_error(failure, n_failed)
        return Reply(FAILED, detail=failure.detail)

    def _unreachable_error(self, failure, n_failed):
        if failure.kind == "request":
            return LanguageModelError(
                f"{self.parameter}: the provider refuses every request "
                f"({failure.detail}). Check the parameters of the model: "
                f"unset the one that is named. {self.ledger.kept}",
                reason="request",
            )
        return LanguageModelError(
            f"{self.parameter}: {n_failed} calls in a row failed in spite of "
            f"{self.model.max_retries} retries each, the last one with: "
            f"{failure.detail}. Check the connection, the address and "
            f"the state of the provider, and call again to go on. {self.ledger.kept}",
            reason="unreachable",
        )

    def _fatal_error(self, failure):
        refused = (
            "the key was not accepted"
            f" ({failure.detail.partition(':')[0]}). Check the environment "
            "variable that holds it, and that it may use this model."
        )
        is_lost = failure.kind == "address"
        messages = {
            "authentication": refused,
            "forbidden": refused,
            "quota": (
                f"the quota is spent ({failure.detail}). Add credit, or "
                "wait until it is renewed, and call again to go on."
            ),
            "model": (
                "the provider knows no such model "
                f"({failure.detail}). {self._describe_end()}Set model= to "
                "one that it has."
            ),
            "address": (
                "the server is there, but has nothing at this address "
                f"({failure.detail}). "
                + (self.model.advise_on_address() if is_lost else "")
            ),
        }
        return LanguageModelError(
            f"{self.parameter}: {messages[failure.kind]} {self.ledger.kept}",
            reason=failure.kind.replace("forbidden", "authentication"),
        )

    def _describe_end(self):
        today = datetime.now(UTC).date()
        note = describe_end_of_life(self.model.provider, self.model.model, today)
        return f"{self.model.model} {note}. " if note else ""

    def _secrets(self):
        """Return what is not to be shown, should the provider repeat it."""
        try:
            key = self.model.read_key()
        except LanguageModelError:
            key = None
        return [key] if key else []


def acquire_slot(slots):
    """Acquire a semaphore, waiting in steps.

    Libraries such as polars have the system resume a wait that Ctrl-C interrupts, so
    that a wait without an end could not be interrupted at all.
    """
    while not slots.acquire(timeout=_STEP):
        pass
