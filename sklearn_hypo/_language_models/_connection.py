"""What a provider has to offer, and what the readers of its replies share.

A provider is a module with a `ModelSpec`, a `Connection` and, if it takes batch jobs,
`Batches`. See `_openai` and `_gemini`.
"""

from typing import NamedTuple, Protocol

import numpy as np

from ._errors import MalformedReplyError
from ._values import FAILED, Reply

# Marks batch jobs as ours.
TAG = "sklearn_hypo"


class Connection(Protocol):
    """An open connection to one model, not to be shared between processes.

    Every method makes one call, without retries, and raises what its SDK raises, or
    `MalformedReplyError` for a reply that is not what the protocol says.
    """

    def close(self):
        """Close the connection."""

    def ask(self, prompt):
        """Ask a chat model a `Prompt`; the content of the `Reply` is a text."""

    def decide(self, questions):
        """Ask `DecisionQuestions`; the content is a dict from their identifiers.

        Its values are probabilities, or None where the model declines.
        """

    def embed(self, texts, *, dimensions=None, task_type=None):
        """Embed texts, none of them empty; the content is what `read_vectors` returns.

        `dimensions` is the length of the vectors, where the model can shorten them,
        `task_type` what they are for, where the provider asks (`has_task_types`).
        """

    def batches(self):
        """Return the `Batches` of the model."""


class Batches(Protocol):
    """The batch jobs of one model."""

    def write(self, name, prompt):
        """Write one named request; the length of it counts for the limits."""

    def submit(self, tag, written):
        """Submit requests that `write` wrote; return the vendor's name of the job."""

    def find(self, tag):
        """Look for a job by its tag; None if there is none."""

    def fetch(self, name):
        """Return the `BatchState` of a job, with its answers if it is done."""

    def discard(self, name, tag):
        """Have the texts of a job deleted, as far as that is possible.

        The name is None for a job that never came to be, although its texts may have
        been sent.
        """


class BatchState(NamedTuple):
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


def find_job(jobs, tag):
    """Return the name of the job with a tag, among pairs of name and tag, or None.

    All of a listing is looked through, however many pages it has: a job that is not
    found is paid for again. It is over where a server begins to repeat itself.
    """
    seen = set()
    for name, its_tag in jobs:
        if its_tag == tag:
            return name
        if name in seen:
            break
        seen.add(name)
    return None


def read_vectors(rows, n_texts):
    """Return embeddings that arrived in the order of the texts as a float32 array.

    A reply with too few or too many cannot be told apart from one in the wrong order,
    so nothing of it is used, nor of one with values that are not finite.
    """
    if len(rows) != n_texts:
        raise MalformedReplyError(f"{len(rows)} embeddings for {n_texts} texts")
    try:
        with np.errstate(over="ignore"):
            vectors = np.array(rows, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise MalformedReplyError(
            "embeddings of different widths, or no numbers"
        ) from error
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise MalformedReplyError("embeddings that are no lists of numbers")
    if not np.isfinite(vectors).all():
        raise MalformedReplyError("embeddings with NaN or infinite values")
    return vectors


def read_or_failed(read, body):
    """Read a reply of a batch; one that is malformed does not cost the others."""
    try:
        return read(body)
    except MalformedReplyError as error:
        return Reply(FAILED, detail=str(error)[:300])
