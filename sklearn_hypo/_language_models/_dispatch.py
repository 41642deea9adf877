"""Calls made by many threads: retries, pauses, limits, and a clean end."""

import logging
import math
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

from .._utils._warnings import warn
from ..exceptions import LanguageModelError
from ._adaptation import ModelAdapted, changes_answers, leave_out, suggest
from ._addresses import is_local_address
from ._catalog import describe_end_of_life
from ._concurrency import CallLimit
from ._errors import FATAL, TRANSIENT, classify_error
from ._ledger import DEFAULT_OUTPUT_BOUND, estimate_input_tokens
from ._served import warn_of_other_models
from ._values import BLOCKED, FAILED, TOO_LONG, DecisionQuestions, Prompt, Reply
from ._workers import RunStopped, do_jobs

logger = logging.getLogger("sklearn_hypo")

# Who asks for more patience than this is not waited for.
_LONGEST_HINT = 300.0

# Being told to slow down is no failure of the call: it gets more attempts.
_RATE_LIMIT_ATTEMPTS = 4

# So many calls in a row that fail end a run; fewer if none was ever answered.
_MOST_FAILED = 8
_MOST_FAILED_AT_FIRST = 3

# How often a waiting thread looks whether the run is over, in seconds.
_STEP = 0.2

# Tells a key that was revoked from texts that something in the way dislikes.
_HARMLESS = {
    "ask": Prompt(
        "Does the text have the property? Answer with nothing but yes or no.",
        '{"text": "Hello!", "property": "greets someone"}',
    ),
    "decide": DecisionQuestions("Hello!", {"c1": "Is this a greeting?"}),
    "embed": ["Hello!"],
}


class Dispatcher:
    """Sends the requests of one run to one model.

    Parameters
    ----------
    model : OpenAIModel, GeminiModel or CallableModel
        Whom to ask.
    n_workers : int
        Threads, that is, the most calls under way at once; see `CallLimit`.
    ledger : Ledger
        Counts, and enforces the cap.
    parameter : str
        What messages call the model, such as "LLMAnnotator(model='gemini:x')".
    proven : bool, default=False
        Whether the model is known to answer, from earlier runs. Then a request that
        is refused is one that the provider does not like, and no reason to stop.
    on_left_out : callable or None, default=None
        Called with a parameter that is left out from now on. With it, and where answers
        may depend on it, the run ends with `ModelAdapted`.
    """

    def __init__(
        self, model, *, n_workers, ledger, parameter, proven=False, on_left_out=None
    ):
        self.model = model
        self.n_workers = n_workers
        self.ledger = ledger
        self.parameter = parameter
        self.proven = proven
        self.on_left_out = on_left_out
        self._stop = threading.Event()
        self._closed = False
        self._lock = threading.Lock()
        self._turns = threading.Condition()
        self.limit = CallLimit(
            n_workers, is_local=is_local_address(model.server()), proven=proven
        )
        # what could not be answered since the last success
        self._failed = set()

    def __enter__(self):
        self.connection = self.model.connect(self.n_workers)
        return self

    def __exit__(self, *exception):
        with self._turns:
            self._closed = True
            self._close_if_unused()
        limit = self.limit
        if limit.n_refused or limit.lowest < limit.highest:
            logger.info(
                "%s: up to %d calls were under way at once, down to %d; %d were told "
                "to wait (HTTP 429).",
                self.parameter,
                limit.highest,
                min(limit.lowest, limit.highest),
                limit.n_refused,
            )
        warn_of_other_models(self.model, self.ledger)

    def _close_if_unused(self):
        """Close the connection, unless calls are left that nobody waits for.

        After Ctrl-C there may be some. They are paid for: their answers are delivered
        should they still come.
        """
        if self._closed and not self.limit.n_under_way:
            self.connection.close()

    def run(self, jobs, work):
        """Do jobs in the threads; return when all are done.

        Jobs are drawn as threads become free, in the calling thread; `work` takes one
        and calls `send`. On an error no job is begun any more, those under way are
        waited for, and the error is raised. On Ctrl-C they are waited for for a second.
        """
        do_jobs(
            jobs,
            work,
            n_threads=self.n_workers,
            capacity=lambda: 2 * math.ceil(self.limit.limit),
            stop=self._stop,
        )

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
            sent_without = self._left_out()
            failure = self._attempt(request, method, options)
            if isinstance(failure, Reply):
                self.proven = True
                self._failed = set()
                return failure
            if self._closed:
                raise RunStopped  # nobody waits for it any more
            # Once calls have gone well it is hardly the key, but something in the way
            # that dislikes a text.
            may_be_text = failure.kind == "forbidden" and self.proven
            if failure.kind in FATAL and not may_be_text:
                raise self._fatal_error(failure)
            if failure.kind == "blocked":
                return Reply(BLOCKED, detail=failure.detail)
            if failure.kind == "too_long":
                return Reply(TOO_LONG, failure.share, detail=failure.detail)
            if failure.parameter and self._adapt(failure, sent_without):
                continue
            family = failure.kind if failure.kind in attempts else "other"
            attempts[family] += 1
            is_over = attempts[family] > self._n_retries(failure)
            if failure.kind not in TRANSIENT or is_over:
                return self._give_up(failure, subject, method)
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
            self._pause(failure._replace(kind="other"), attempt)

    def stop(self):
        """Begin no call any more."""
        self._stop.set()

    def check_running(self):
        """Raise RunStopped if the run is being stopped."""
        if self._stop.is_set():
            raise RunStopped

    def hide_secrets(self, text):
        """Return a text without the key, should it be in there."""
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text

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
            turn = self._wait_for_turn(request)
        except RunStopped:
            self.ledger.cancel(amount)
            raise
        outcome, hint = "", 0.0
        try:
            reply = getattr(self.connection, method)(request, **options)
            outcome = "answered"
        except Exception as error:
            failure = classify_error(error, datetime.now(UTC), self._secrets())
            billed = failure is None or failure.billed
            self.ledger.settle(amount, request, None, billed=billed)
            if failure is None:
                raise
            logger.debug("%s: %s", self.model, failure.kind)
            outcome, hint = failure.kind, failure.hint
            return failure
        finally:
            self._end_turn(turn, outcome, hint)
        self.ledger.settle(amount, request, reply.usage)
        self.ledger.note_versions([reply.version])
        return reply

    def _n_retries(self, failure):
        n_retries = self.model.max_retries
        if failure.kind == "rate_limit":
            return n_retries * _RATE_LIMIT_ATTEMPTS
        return n_retries

    def _wait_for_turn(self, request):
        """Wait until one more call may be under way, and for the limits per minute."""
        gap = self._gap(request)
        with self._turns:
            while not self._stop.is_set():
                turn, wait = self.limit.try_begin(time.monotonic(), gap)
                if turn is not None:
                    return turn
                self._turns.wait(min(wait, _STEP))
        raise RunStopped

    def _end_turn(self, turn, outcome, hint):
        with self._turns:
            self.limit.end(turn, time.monotonic(), outcome, hint)
            self._close_if_unused()
            self._turns.notify(max(1, int(self.limit.limit) - self.limit.n_under_way))

    def _left_out(self):
        return getattr(self.connection, "left_out", frozenset())

    def _adapt(self, failure, sent_without):
        """Leave out what the server does not take; tell whether to send again."""
        is_kept = self.on_left_out is not None
        with self._lock:
            is_known = self._left_out() != sent_without  # another thread heard it first
            note = "" if is_known else leave_out(self.connection, failure.parameter)
            if note and is_kept:
                self.on_left_out(failure.parameter)
        if note:
            warn(
                f"{self.parameter}: the server refuses what it was sent "
                f"({failure.detail}). {note}"
            )
        if (note or is_known) and is_kept and changes_answers(failure.parameter):
            raise ModelAdapted
        return bool(note or is_known)

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
        """Wait before the next attempt; after a 429, all threads do, for their turn."""
        if failure.hint > _LONGEST_HINT:
            raise LanguageModelError(
                f"{self.parameter}: the provider asks to wait {failure.hint:.0f} "
                f"seconds ({failure.detail}). Call again later. {self.ledger.kept}",
                reason="rate_limit",
            )
        if failure.kind == "rate_limit":
            return  # the next turn comes when it is over
        with self._turns:
            wait = max(failure.hint, self.limit.draw_wait(attempt))
        if self._stop.wait(wait):
            raise RunStopped

    def _give_up(self, failure, subject, method):
        """Report a failed call; stop the run if nothing else happens any more."""
        with self._lock:
            self._failed.add(object() if subject is None else subject)
            n_failed = len(self._failed)
        is_odd = failure.kind == "request" and self.proven
        is_named = failure.kind == "request" and bool(suggest(failure.parameter))
        most = _MOST_FAILED if self.proven else _MOST_FAILED_AT_FIRST
        if (n_failed >= most or is_named) and not is_odd:
            if failure.kind != "forbidden":
                raise self._unreachable_error(failure, n_failed)
            self._check_access(method)
        return Reply(FAILED, detail=failure.detail)

    def _check_access(self, method):
        """Raise if a request that nobody can dislike is forbidden as well."""
        with self._lock:
            self._failed = set()  # not again before as many others have failed
        found = self._attempt(self.limit_answer(_HARMLESS[method]), method, {})
        if not isinstance(found, Reply) and found.kind == "forbidden":
            raise self._fatal_error(found)

    def _unreachable_error(self, failure, n_failed):
        if failure.kind == "request":
            return LanguageModelError(
                f"{self.parameter}: the provider refuses every request "
                f"({failure.detail}). {self._advise(failure)}{self.ledger.kept}",
                reason="request",
            )
        return LanguageModelError(
            f"{self.parameter}: {n_failed} calls in a row failed in spite of "
            f"{self.model.max_retries} retries each, the last one with: "
            f"{failure.detail}. Check the connection, the address and "
            f"the state of the provider, and call again to go on. {self.ledger.kept}",
            reason="unreachable",
        )

    def _advise(self, failure):
        return suggest(failure.parameter) or (
            "Check the parameters of the model: unset the one that is named. "
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
