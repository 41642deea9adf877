"""What the estimators that call a model need to begin: store, account and workers."""

import warnings
from datetime import UTC, datetime

from ..exceptions import HypothesisWarning
from ._answers import AnswerStore, resolve_cache
from ._catalog import lifecycle_note
from ._ledger import Ledger

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


def new_ledger(model, max_cost, store):
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


def workers(n_workers, model):
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
