"""The values that pass between the parts of the language-model core."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ._errors import GarbageError

# What became of a question. Everything but the first is a missing answer.
ANSWERED = "answered"


REFUSED = "refused"  # the model declined


BLOCKED = "blocked"  # a filter of the provider stopped the prompt or the answer


CUT = "cut"  # the answer ran into the limit on its length


UNPARSABLE = "unparsable"  # an answer came, but not in the form asked for


FAILED = "failed"  # no answer came in spite of retries

OUTCOMES = (ANSWERED, REFUSED, BLOCKED, CUT, UNPARSABLE, FAILED)


class Usage(NamedTuple):
    """What one call, or many, consumed.

    Attributes
    ----------
    calls : int
        Requests sent, retries included.
    input_tokens : int
        Tokens of prompts, cached ones included.
    cached_tokens, cache_write_tokens : int
        Those read from and written to the provider's own prompt cache.
    output_tokens : int
        Tokens of answers, reasoning included.
    reasoning_tokens : int
        Those of them that were reasoning.
    """

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    def __add__(self, other):
        return Usage(*(a + b for a, b in zip(self, other, strict=True)))


def as_count(value, default=None):
    """Return a number of tokens that a provider told; the default for what is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < float("inf") else default


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question to a chat model.

    Attributes
    ----------
    system, user : str
        Instructions, and data.
    schema : dict or None
        JSON schema of the answer.
    temperature : float or None
        Instead of the model's own.
    max_output_tokens : int or None
        Instead of the model's own.
    """

    system: str
    user: str
    schema: dict | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Questions:
    """Yes/no questions about one text, for a Decisions endpoint.

    Attributes
    ----------
    text : str
        The text.
    questions : dict
        From identifiers to questions.
    """

    text: str
    questions: dict[str, str]


class Reply(NamedTuple):
    """What came back.

    Attributes
    ----------
    outcome : str
        One of `OUTCOMES`.
    content : Any
        Text of a chat model; a dict from identifiers to probabilities, or to None
        for a refusal, of a Decisions endpoint; an array of embeddings.
    usage : Usage or None
        As the provider counted. None if it did not tell.
    version : str
        What the provider calls the model that answered.
    detail : str
        Why there is no answer.
    """

    outcome: str
    content: Any = None
    usage: Usage | None = None
    version: str = ""
    detail: str = ""


def read_vectors(rows, n_texts):
    """Return the embeddings of a reply as an array.

    A reply with too few or too many cannot be told apart from one in the wrong order,
    so nothing of it is used.

    Parameters
    ----------
    rows : list of array-like
        What arrived, in the order of the texts.
    n_texts : int
        How many texts were sent.

    Returns
    -------
    vectors : ndarray of shape (n_texts, n_features), dtype float32
        Finite.

    Raises
    ------
    GarbageError
        If that is not what arrived.
    """
    if len(rows) != n_texts:
        raise GarbageError(f"{len(rows)} embeddings for {n_texts} texts")
    try:
        with np.errstate(over="ignore"):
            vectors = np.array(rows, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise GarbageError("embeddings of different widths, or no numbers") from error
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise GarbageError("embeddings that are no lists of numbers")
    if not np.isfinite(vectors).all():
        raise GarbageError("embeddings with NaN or infinite values")
    return vectors


# Limits of one job. OpenAI's are on the number of requests and the size of the file,
# Gemini's on the size of what is sent; some room is left for what goes around it.
LIMITS = {"openai": (50_000, 190_000_000), "gemini": (50_000, 18_000_000)}


# How many jobs are looked through for one whose name was not noted in time.
_MAX_LISTED = 1000


_TAG = "sklearn_hypo"


class Fetched(NamedTuple):
    """The state of a job.

    Attributes
    ----------
    state : {"pending", "done", "failed"}
        A job that expired or was cancelled is done: what it finished can be had.
    replies : dict of str to Reply
        By identifier of the request; those that failed say so.
    detail : str
        Why a job failed.
    """

    state: str
    replies: dict
    detail: str = ""


def _or_failed(read, body):
    try:
        return read(body)
    except GarbageError as error:
        return Reply(FAILED, detail=str(error)[:300])
