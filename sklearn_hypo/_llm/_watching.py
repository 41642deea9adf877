"""Eyes on a run: how far it has come, whether it is of use, whom it waits for."""

import logging
import threading
import time

from ..exceptions import LanguageModelError
from ._values import CUT, UNPARSABLE

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
