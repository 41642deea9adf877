"""Embedding models of a provider, or of any server that speaks its protocol.

`RemoteEncoder` holds the settings, `_Requests` runs the requests of one call; how texts
are cut and divided to fit the limits of a model stands at the end.
"""

import re
import threading
from bisect import bisect_right
from collections import deque
from contextlib import nullcontext

import numpy as np

from .._language_models._catalog import find_model
from .._language_models._dispatch import Dispatcher
from .._language_models._ledger import CostEstimate, Ledger, compute_cost
from .._language_models._text import bound_tokens, clean_text, estimate_tokens
from .._language_models._values import ANSWERED, FAILED, TOO_LONG, Usage
from .._language_models._workers import acquire_slot
from ..exceptions import LanguageModelError
from ._encoder import TEXTS_PER_BATCH, Encoder
from ._windows import (
    CHARACTERS_PER_TOKEN,
    cut_into_windows,
    overestimate_tokens,
    warn_of_cuts,
)

# Part of the key of every embedding in a cache. To be raised when the texts that are
# sent change: how they are cleaned, and where they are cut.
_FORMAT = 1
# Requests under way at once.
_N_WORKERS = 8
# Sent instead of nothing: an empty text fails the whole request.
_BLANK = "\ufffd"
_KEPT = "Embeddings that have arrived are kept if cache= names a folder."
# Statuses in the range of 400 after which a call is not repeated.
_REFUSED = re.compile(r"HTTP 4(?!08|09|25|29)")


class RemoteEncoder(Encoder):
    """Sends texts to a provider. Holds no client and no key.

    Parameters
    ----------
    spec : OpenAIModel or GeminiModel
        Whom to ask.
    prompt, dimensions, task_type
        As `TextEmbedder` has them.

    Attributes
    ----------
    ledger : Ledger
        What has been consumed.

    Raises
    ------
    ValueError
        For a model that is known not to embed texts, and for settings that it does not
        take.
    """

    is_paid_for = True

    def __init__(self, spec, prompt, dimensions, task_type):
        self.spec = spec
        self.prompt = prompt
        self.dimensions = dimensions
        self.task_type = task_type
        self.name = f"model={str(spec)!r}"
        self.label = spec.model
        self.ledger = Ledger(spec.price_per_million(), kept=_KEPT)
        self._check()

    def _check(self):
        spec, known = self.spec, self._known
        if not spec.embeds or (known is not None and known.kind != "embedding"):
            example = spec.default_models.get("embedding")
            is_of_vendor = example and spec.provider == type(spec).provider
            instead = f", such as '{spec.provider}:{example}'" if is_of_vendor else ""
            raise ValueError(
                f"{self.name} does not embed texts. Use an embedding model{instead}."
            )
        if self.dimensions is not None and known is not None and not known.dimensions:
            raise ValueError(
                f"dimensions={self.dimensions}: {spec} cannot shorten its embeddings. "
                "Use dimensions=None."
            )
        if self.task_type is not None and not spec.has_task_types:
            raise ValueError(
                f"task_type={self.task_type!r}: only Gemini models take it, and "
                f"{spec} is none. Use task_type=None; prompt= puts words before every "
                "text."
            )

    def encode(self, texts):
        """Encode one batch."""
        replies = []
        self.encode_in_batches(
            texts, len(texts), lambda *reply: replies.append(reply), nullcontext
        )
        replies.sort(key=lambda reply: reply[0].start)
        return np.concatenate([vectors for _, vectors in replies])

    def encode_in_batches(self, texts, batch_size, keep, task):
        """Send several requests at once, and keep each reply when it arrives."""
        texts = self._prepare(texts)
        parts = self.divide(texts, batch_size)
        self._check_key()
        with Dispatcher(
            self.spec,
            n_workers=min(_N_WORKERS, len(parts)),
            ledger=self.ledger,
            parameter=f"TextEmbedder({self.name})",
        ) as dispatcher:
            requests = _Requests(self, dispatcher, texts, parts, keep, task)
            requests.run()
        warn_of_cuts(self.name, requests.n_refused, len(texts), self.limit)

    def identity(self):
        """Tell the model by its server, its name, and what is sent."""
        sent = self.spec.identity()
        extras = {name: sent[name] for name in sent if name.startswith("extra_")}
        return {
            "kind": "remote",
            "format": _FORMAT,
            "provider": sent["provider"],
            "server": sent["server"],
            "model": self.spec.model,
            **extras,
            "prompt": self.prompt,
            "dimensions": self.dimensions,
            "task_type": self.task_type,
        }

    def describe(self):
        """Tell the model, without an address that may hold a password."""
        known = {k: v for k, v in self.identity().items() if k != "server"}
        return known | {"provider": self.spec.provider}

    def usage(self):
        """Return what has been consumed so far."""
        account = self.ledger.account
        names = ("model", "answered_by")
        return {name: value for name, value in account.items() if name not in names}

    def count_cached(self, n_texts):
        """Count texts that need not be sent."""
        self.ledger.count_cached(n_texts)

    def estimate(self, texts, batch_size):
        """Estimate what encoding will cost; see `Encoder.estimate`."""
        texts = self._prepare(texts)
        n_calls = len(self.divide(texts, batch_size))
        n_tokens = sum(map(estimate_tokens, texts))
        price = self.spec.price_per_million()
        usage = Usage(n_calls, n_tokens)
        cost = float("nan") if price is None else compute_cost(price, usage)
        return CostEstimate(n_calls, n_tokens, 0, cost)

    @property
    def _known(self):
        return find_model(self.spec.provider, self.spec.model)

    @property
    def tokens_per_text(self):
        """Most tokens that a text may have; None if that is not known."""
        return getattr(self._known, "tokens_per_input", None)

    @property
    def tokens_per_request(self):
        """Most tokens that a request may have; None if that is not known."""
        return getattr(self._known, "tokens_per_request", None)

    @property
    def texts_per_request(self):
        """Most texts that a request may have."""
        known = getattr(self._known, "inputs_per_request", None)
        return known or self.spec.texts_per_request

    @property
    def limit(self):
        """What a text may have, in words."""
        return f"{self.tokens_per_text} tokens, by estimate"

    def find_long(self, texts):
        """Return the positions of the texts that the model would cut, by estimate."""
        most = self.tokens_per_text
        if most is None:
            return []
        sent = self._clean(texts)
        return [i for i, text in enumerate(sent) if overestimate_tokens(text) > most]

    def cut_into_windows(self, text):
        """Cut a text into windows, by estimate, each of which is sent whole."""
        room = max(1, self.tokens_per_text - overestimate_tokens(self.prompt or ""))
        return cut_into_windows(
            text, room, lambda begin, end: overestimate_tokens(text[begin:end])
        )

    def _prepare(self, texts):
        """Return the texts as they are sent, cut to what the model reads."""
        return [
            cut_to_tokens(text, self.tokens_per_text) for text in self._clean(texts)
        ]

    def _clean(self, texts):
        prompt = self.prompt or ""
        sent = [clean_text(prompt + text) for text in texts]
        return [text if text.strip() else _BLANK for text in sent]

    def divide(self, texts, batch_size):
        """Divide texts into requests that keep within the limits of the model."""
        batch_size = TEXTS_PER_BATCH if batch_size == "auto" else batch_size
        n_texts = min(batch_size, self.texts_per_request)
        limit = self.tokens_per_request
        return list(divide_texts(texts, n_texts, limit))

    def _check_key(self):
        """Complain about a missing key under the name that the user knows."""
        try:
            self.spec.read_key()
        except LanguageModelError as error:
            message = str(error).replace(self.name, f"TextEmbedder({self.name})", 1)
            raise LanguageModelError(message, reason=error.reason) from None


class _Requests:
    """The requests of one call: threads send them, the calling thread keeps replies.

    Parameters
    ----------
    encoder : RemoteEncoder
        Which model, and its limits.
    dispatcher : Dispatcher
        Sends.
    texts : list of str
        As they are sent.
    parts : list of slice
        One for each request.
    keep : callable
        Takes a slice and the embeddings of its texts.
    task : callable
        Returns a context manager for each call of `keep`.
    """

    def __init__(self, encoder, dispatcher, texts, parts, keep, task):
        self.n_refused = 0
        self._encoder = encoder
        self._dispatcher = dispatcher
        self._texts = texts
        self._parts = parts
        self._keep = keep
        self._task = task
        self._landed = deque()
        self._done = threading.Semaphore(0)
        self._failed = False
        self._lock = threading.Lock()

    def run(self):
        """Send all requests. Whatever happens, every reply that came is kept."""
        try:
            self._dispatcher.run(self._jobs(), self._work)
        finally:
            while self._landed:
                self._keep_first()

    def _jobs(self):
        """Yield the requests and keep replies meanwhile, up to the last one.

        The dispatcher draws the next request when an earlier one is done, in the
        calling thread. So a reply waits for nothing but for that thread.
        """
        n_open = 0
        for part in self._parts:
            yield part
            n_open += 1
            while self._done.acquire(blocking=False):
                n_open -= 1
                self._keep_landed()
        while n_open and not self._failed:
            acquire_slot(self._done)
            n_open -= 1
            self._keep_landed()

    def _work(self, part):
        try:
            self._landed.append((part, self._embed(self._texts[part])))
        except BaseException:
            self._failed = True
            raise
        finally:
            self._done.release()

    def _keep_landed(self):
        if self._landed:
            self._keep_first()

    def _keep_first(self):
        """Keep the first reply. If it is interrupted, it is still the first."""
        try:
            with self._task():
                self._keep(*self._landed[0])
        except Exception:
            self._landed.popleft()
            raise
        self._landed.popleft()

    def _embed(self, texts):
        """Embed the texts of one request."""
        reply = self._send(texts)
        if _is_refused(reply) and self._may_be_too_long(texts):
            return self._embed_apart(texts)
        return self._vectors(reply, len(texts))

    def _may_be_too_long(self, texts):
        sizes = list(map(bound_tokens, texts))
        a_text, a_request = self._encoder.tokens_per_text, self._most_tokens()
        return (a_text is not None and max(sizes) > a_text) or sum(sizes) > a_request

    def _most_tokens(self):
        return self._encoder.tokens_per_request or float("inf")

    def _embed_apart(self, texts):
        """Embed texts of a refused request, of which some may have been too long.

        Each of those is sent alone, so that its embedding does not depend on the
        company it was in. One that is refused again is cut where it cannot be too
        long for any tokenizer.
        """
        limit = self._encoder.tokens_per_text or float("inf")
        sizes = np.array([bound_tokens(text) for text in texts])
        short, long = np.flatnonzero(sizes <= limit), np.flatnonzero(sizes > limit)
        whole = [texts[i] for i in short]
        replies = [
            self._vectors(self._send(whole[part]), len(whole[part]))
            for part in divide_texts(
                whole, len(whole), self._most_tokens(), bound_tokens
            )
        ]
        replies += [self._embed_long(texts[i], limit) for i in long]
        order = np.argsort(np.concatenate([short, long]))
        return np.concatenate(replies)[order]

    def _embed_long(self, text, limit):
        reply = self._send([text])
        if _is_refused(reply):
            with self._lock:
                self.n_refused += 1
            reply = self._send([cut_to_bytes(text, limit)])
        return self._vectors(reply, 1)

    def _send(self, texts):
        return self._dispatcher.send(
            texts,
            "embed",
            dimensions=self._encoder.dimensions,
            task_type=self._encoder.task_type,
        )

    def _vectors(self, reply, n_texts):
        """Return the embeddings in a reply, or raise what is wrong with it."""
        if reply.outcome != ANSWERED:
            raise self._error(reply, n_texts)
        wanted, width = self._encoder.dimensions, reply.content.shape[1]
        if wanted is not None and width != wanted:
            raise ValueError(
                f"TextEmbedder({self._encoder.name}): dimensions={wanted} was asked "
                f"for, but embeddings of {width} features arrived: the server does "
                "not shorten them. Use dimensions=None."
            )
        return reply.content

    def _error(self, reply, n_texts):
        what = f"TextEmbedder({self._encoder.name}): a request of {n_texts} text(s)"
        if reply.outcome == FAILED and not _is_refused(reply):
            return LanguageModelError(
                f"{what} failed in spite of {self._encoder.spec.max_retries} retries "
                f"({reply.detail}). Check the connection and the state of the "
                f"provider, and call again to go on. {_KEPT}",
                reason="unreachable",
            )
        return LanguageModelError(
            f"{what} was refused ({reply.detail}). Check model=, dimensions= and "
            f"task_type=, and whether the texts are too long; a smaller batch_size "
            f"helps where a server takes fewer texts at once. {_KEPT}",
            reason="request",
        )


def _is_refused(reply):
    is_refused = reply.outcome == FAILED and _REFUSED.match(reply.detail) is not None
    return is_refused or reply.outcome == TOO_LONG


def cut_to_tokens(text, n_tokens):
    """Return the longest beginning of at most `n_tokens` tokens, by the estimate."""
    if n_tokens is None or bound_tokens(text) <= n_tokens:
        return text
    longest = text[: CHARACTERS_PER_TOKEN * n_tokens + 1]
    if len(longest) == len(text) and overestimate_tokens(text) <= n_tokens:
        return text
    ends = range(len(longest) + 1)
    end = (
        bisect_right(ends, n_tokens, key=lambda n: overestimate_tokens(longest[:n])) - 1
    )
    return text[:end]


def cut_to_bytes(text, n_bytes):
    """Return the longest beginning of at most `n_bytes` bytes in UTF-8."""
    return text.encode("utf-8")[:n_bytes].decode("utf-8", "ignore")


def divide_texts(texts, n_texts, n_tokens, measure=overestimate_tokens):
    """Divide texts: yield slices of them, one after the other.

    Each has at most `n_texts` texts and, unless that is None, `n_tokens` tokens, which
    `measure` tells of a text. A text that has more is alone.
    """
    start = total = 0
    for i, text in enumerate(texts):
        size = 0 if n_tokens is None else measure(text)
        too_large = n_tokens is not None and total + size > n_tokens
        if i > start and (i - start == n_texts or too_large):
            yield slice(start, i)
            start, total = i, 0
        total += size
    if start < len(texts):
        yield slice(start, len(texts))
