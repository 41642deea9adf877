"""What asking begins with: whom, where answers are kept, what they cost."""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from .._utils._cache_folder import resolve_cache_folder
from .._utils._warnings import warn
from ._adaptation import adapt_model, note_left_out, read_left_out
from ._answers import AnswerStore
from ._catalog import describe_end_of_life
from ._dispatch import Dispatcher
from ._ledger import Budget, Ledger

logger = logging.getLogger("sklearn_hypo")

# The most calls under way at once.
N_WORKERS = 16

# How long before its end a model is warned about.
_DAYS_OF_WARNING = 60

# How often the log is told how far a run has come.
_LOG_SECONDS = 10.0

# How often questions that another run is asking are looked at again, and after how
# long the log is told of the waiting, at first and then each time.
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 10.0

_KEPT = "All answers obtained so far are in the cache and will not be paid for again."
_REMEMBERED = (
    "Without a cache folder, answers are kept no longer than the object that asked "
    "for them."
)


@dataclass
class Session:
    """Whom to ask, and where answers and costs are kept.

    Attributes
    ----------
    model : OpenAIModel, GeminiModel or CallableModel
    store : AnswerStore
    ledger : Ledger
    n_workers : int or None
        The most calls under way at once. None: 16; 1 for a function.
    caller : str
        The class that asks, for messages.
    """

    model: object
    store: AnswerStore
    ledger: Ledger
    n_workers: int | None
    caller: str

    def __post_init__(self):
        if self.n_workers is None:
            self.n_workers = self.model.default_workers or N_WORKERS
        self.parameter = f"{self.caller}(model={str(self.model)!r})"
        read_left_out(self.model, self.store)

    def open_dispatcher(self, *, proven=False):
        """Return a Dispatcher of this model, to be entered."""
        return Dispatcher(
            self.model,
            n_workers=self.n_workers,
            ledger=self.ledger,
            parameter=self.parameter,
            proven=proven,
            on_left_out=partial(note_left_out, self.model, self.store),
        )

    def identify_model(self):
        """Return what of the model changes an answer, for the key of the cache."""
        if self.store.folder is None and self.model.provider == "callable":
            return {}  # what is kept in memory is of this function alone
        return adapt_model(self.model).identity()

    def identify_model_formerly(self):
        """Return the same as it was in the keys of caches without a salt."""
        model = adapt_model(self.model)
        return getattr(model, "former_identity", model.identity)()


class AnswerStoreMixin:
    """Opens the answers of an estimator with `model` and `cache`, and keeps them open.

    A pickle or a copy leaves the open store behind, and opens the folder again.
    """

    def _open_answers(self, model):
        opened_for = (self.model, self.cache)
        if getattr(self, "_opened_for", None) != opened_for:
            self._answers = open_store(self.cache, model)
            self._opened_for = opened_for
        return self._answers

    def __getstate__(self):
        state = super().__getstate__().copy()
        for name in ("_answers", "_opened_for"):
            state.pop(name, None)
        return state


def open_store(cache, model):
    """Open the store of answers that a `cache` parameter stands for.

    A function that cannot be told from others has no place on disk: with "auto" its
    answers are kept in memory; a folder that is named for it is a ValueError.
    """
    folder = resolve_cache_folder(cache)
    if folder is not None:
        try:
            model.identity()
        except ValueError:
            if cache != "auto":
                raise
            folder = None
    return AnswerStore(folder)


def open_ledger(model, max_cost, store):
    """Open an account, or raise if a cap is asked for and the price is not known."""
    price = model.price_per_million()
    cap = max_cost.max_cost if isinstance(max_cost, Budget) else max_cost
    if cap is not None and price is None:
        raise ValueError(
            f"max_cost={cap:g}: the price of {model} is not known, so the cost "
            "cannot be bounded. Give it: OpenAIModel(..., price=(input, cached input, "
            "output)), in dollars per million tokens."
        )
    kept = _KEPT if store.folder else _REMEMBERED
    return Ledger(price, max_cost, kept, model=str(model))


def warn_of_shutdown(model):
    """Warn if the vendor is about to switch the model off, or has done so."""
    if model.server():
        return  # who else serves it decides for himself
    today = datetime.now(UTC).date()
    note = describe_end_of_life(
        model.provider, model.model, today, within=_DAYS_OF_WARNING
    )
    if note:
        warn(f"model={str(model)!r}: {model.model} {note}. Set model= to another one.")


class ProgressLog:
    """Tells the log, now and then, how far a run has come."""

    def __init__(self, session, n_calls):
        self._session = session
        self._n_calls = n_calls
        self._n_done = 0
        self._lock = threading.Lock()
        self._next = time.monotonic() + _LOG_SECONDS

    def step(self):
        with self._lock:
            self._n_done += 1
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + _LOG_SECONDS
        logger.info(
            "%s: %d of %d calls, $%.2f",
            self._session.parameter,
            self._n_done,
            self._n_calls,
            self._session.ledger.budget.spent,
        )


class OtherRuns:
    """Waits for what other runs are asking, and says so in the log."""

    def __init__(self, session):
        self._session = session
        self._since = None

    def wait(self, n_busy):
        """Wait a little while so many questions are asked by others."""
        now = time.monotonic()
        if self._since is None:
            self._since, self._next = now, now + _PATIENCE_SECONDS
        if now >= self._next:
            self._next = now + 6 * _PATIENCE_SECONDS
            logger.warning(
                "%s: waiting for %.0f s for %d answers that another run with the "
                "cache %s is asking for. If that run hangs, end it: its questions "
                "are then taken over.",
                self._session.parameter,
                now - self._since,
                n_busy,
                self._session.store.folder,
            )
        time.sleep(_POLL_SECONDS)
