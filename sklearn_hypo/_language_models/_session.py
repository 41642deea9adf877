"""What the estimators that call a model need to begin: store, account and workers."""

import logging
import threading
import time
import warnings
from datetime import UTC, datetime

from ..exceptions import HypothesisWarning, LanguageModelError
from ._answers import AnswerStore, resolve_cache
from ._catalog import lifecycle_note
from ._ledger import Ledger
from ._values import CUT, UNPARSABLE

# Calls under way at once.
N_WORKERS = 16


_KEPT = "All answers obtained so far are in the cache and will not be paid for again."


_REMEMBERED = (
    "Without a cache folder, answers are kept no longer than the object that asked "
    "for them."
)


# How long before its end a model is warned about.
_DAYS_OF_WARNING = 60


def open_store(cache, model):
    """Open the store of answers that a `cache` parameter stands for.

    Parameters
    ----------
    cache : str, path or None
        As for `LLMAnnotator`.
    model : OpenAIModel, GeminiModel or CallableModel
        A function that cannot be told from others is not cached on disk with "auto".

    Returns
    -------
    store : AnswerStore
        On disk, or in memory.

    Raises
    ------
    ValueError
        If a folder was named for a function that cannot be identified.
    CacheError
        If the folder cannot be used.
    """
    folder = resolve_cache(cache)
    if folder is not None:
        try:
            model.identity()
        except ValueError:
            if cache != "auto":
                raise
            folder = None
    return AnswerStore(folder)


def make_ledger(model, max_cost, store):
    """Open an account, or raise if a cap is asked for and the price is not known.

    Parameters
    ----------
    model : OpenAIModel, GeminiModel or CallableModel
        With a price, or without.
    max_cost : float or None
        The cap.
    store : AnswerStore
        Where answers go, for messages.

    Returns
    -------
    ledger : Ledger
        Empty.
    """
    price = model.price_per_million()
    if max_cost is not None and price is None:
        raise ValueError(
            f"max_cost={max_cost}: the price of {model} is not known, so the cost "
            "cannot be bounded. Give it: OpenAIModel(..., price=(input, cached input, "
            "output)), in dollars per million tokens."
        )
    return Ledger(price, max_cost, _KEPT if store.folder else _REMEMBERED)


def count_workers(n_workers, model):
    """Return the number of calls under way at once; one for a function."""
    return n_workers or (1 if model.provider == "callable" else N_WORKERS)


def warn_of_shutdown(model, stacklevel):
    """Warn if the vendor is about to switch the model off, or has done so."""
    if model.server():
        return  # who else serves it decides for himself
    today = datetime.now(UTC).date()
    note = lifecycle_note(model.provider, model.model, today, within=_DAYS_OF_WARNING)
    if note:
        warnings.warn(
            f"model={str(model)!r}: {model.model} {note}. Set model= to another one.",
            HypothesisWarning,
            stacklevel=stacklevel + 1,
        )


logger = logging.getLogger("sklearn_hypo")

# How often the log is told how far a run has come.
_LOG_SECONDS = 10.0


# How often questions that another run is asking are looked at again, and after how
# long the log is told of the waiting, at first and then each time.
_POLL_SECONDS = 0.2


_PATIENCE_SECONDS = 10.0


class Watch:
    """Stops a run in which nothing can be read, before all of it is paid for."""

    def __init__(self, parameter, n_workers, *, is_of_use=False):
        self._parameter = parameter
        self._most = max(8, n_workers)
        self._n_useless = 0
        self._is_of_use = is_of_use

    def check(self, outcomes):
        """Look at the outcomes of one group, from any thread."""
        if not set(outcomes) <= {CUT, UNPARSABLE}:
            self._is_of_use = True
        if self._is_of_use:
            return
        self._n_useless += 1
        if self._n_useless >= self._most:
            raise LanguageModelError(
                f"{self._parameter}: no answer could be used so far "
                f"({outcomes[-1]}). Where answers are cut, raise max_output_tokens= "
                "of the model or lower its reasoning; where they cannot be read, try "
                "structured_output=, layout='single', or another model.",
                reason="unusable",
            )


class Progress:
    """Tells the log, now and then, how far a run has come."""

    def __init__(self, parameter, ledger, n_calls):
        self._parameter = parameter
        self._ledger = ledger
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
            self._parameter,
            self._n_done,
            self._n_calls,
            self._ledger.cost,
        )


class Patience:
    """Waits for what other runs are asking, and says so in the log.

    Parameters
    ----------
    parameter : str
        What messages call the model.
    folder : str or None
        Of the store that the runs share.
    """

    def __init__(self, parameter, folder):
        self._parameter = parameter
        self._folder = folder
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
                self._parameter,
                now - self._since,
                n_busy,
                self._folder,
            )
        time.sleep(_POLL_SECONDS)
