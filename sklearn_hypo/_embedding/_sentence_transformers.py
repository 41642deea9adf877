"""Models of the sentence-transformers package, by name or from a local folder.

On a CPU, batches go to several threads, each of which computes alone. Threads within a
product would wait for each other at each of its ends, by spinning: on a machine that
has something else to do, that takes several times as long as one thread does. And so a
vector does not depend on how many there are.
"""

import contextlib
import functools
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .._utils._device import resolve_device
from .._utils._memory import FittingBatches
from .._utils._model_files import hash_folder, no_progress_bar
from .._utils._threads import count_threads_to_start, limit_to_one_thread
from ._encoder import Encoder
from ._linear import multiply_by_onednn
from ._token_counter import TokenCounter

# Measured (benchmarks/embedding.py): what is at work shall fit into a core's cache. A
# GPU has to be kept busy instead.
_TOKENS_PER_BATCH = {"cpu": 512}
_TOKENS_PER_BATCH_ELSEWHERE = 16_384
_MOST_TEXTS_PER_BATCH = 1024
# Beyond that, Python's own lock is what threads wait for.
_MOST_THREADS = 8
# Two models may well be in use at once, more would fill the memory of a GPU.
MODELS_IN_MEMORY = 2
# What those in memory read of a text, by their sources.
_LIMITS = {}


class SentenceTransformerEncoder(Encoder):
    """Encodes with a pretrained model, which is loaded when it is first needed.

    `model` is a name on the Hugging Face hub, or a local folder; without a `prompt`,
    the model's own configuration decides.
    """

    is_remembered = True
    revision = None  # of a model on the hub: the latest

    def __init__(self, model, prompt, device, compute_dtype="float32"):
        self.model = model
        self.prompt = prompt
        self.device = device
        self.compute_dtype = compute_dtype
        self.name = f"model={model!r}"
        self.label = Path(model).name
        self._batches = FittingBatches(
            f"{self.name} on device={device!r}",
            "texts",
            "Choose device='cpu', compute_dtype='bfloat16', or shorter texts.",
        )

    def encode(self, texts):
        """Encode one batch. The weights stay with the process, not with this object."""
        import torch

        model, halved = self.load(), self.compute_dtype == "bfloat16"
        kind = torch.device(resolve_device(self.device)).type

        def compute(part):
            with torch.autocast(kind, torch.bfloat16, enabled=halved):
                return self._compute(model, texts[part])

        parts = self._batches.compute(compute, len(texts))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _compute(self, model, texts):
        return model.encode(
            texts,
            prompt=self.prompt,
            batch_size=len(texts),
            show_progress_bar=False,
            convert_to_numpy=True,
        )

    def load(self):
        """Return the model, loaded once per process."""
        model = self._load_model()
        self._keep_limits(model)
        return model

    def _load_model(self):
        return load_model(*self._key())

    def _key(self):
        return self._source(), resolve_device(self.device), self.compute_dtype

    def encode_in_batches(self, texts, batch_size, keep, task):
        """Encode one batch per thread at a time; keep them in their order."""

        def work(batch):
            return self.encode([texts[i] for i in batch])

        on_cpu = resolve_device(self.device) == "cpu"
        n_threads = min(count_threads_to_start(), _MOST_THREADS) if on_cpu else 1
        with (
            limit_to_one_thread(with_torch=True),
            _start_threads(n_threads) as pool,
        ):
            batches = self.divide(texts, batch_size)
            # the first one alone: it sets the tokenizer
            first = [work(batches[0])]
            replies = itertools.chain(first, pool.map(work, batches[1:]))
            for batch, reply in zip(batches, replies, strict=True):
                with task():
                    keep(batch, reply)

    def divide(self, texts, batch_size):
        """Divide texts into arrays of positions, by numbers of tokens for "auto".

        Words of as many letters differ in tokens, and a batch is as wide as its
        longest text.
        """
        if batch_size != "auto":
            places = np.arange(len(texts))
            return np.split(places, places[batch_size::batch_size])
        device = resolve_device(self.device).partition(":")[0]
        budget = _TOKENS_PER_BATCH.get(device, _TOKENS_PER_BATCH_ELSEWHERE)
        counts = self._count_tokens(texts)
        order = np.argsort(-counts, kind="stable")
        batches, start = [], 0
        while start < len(order):
            n_texts = max(1, min(budget // counts[order[start]], _MOST_TEXTS_PER_BATCH))
            batches.append(order[start : start + n_texts])
            start += n_texts
        return batches

    def _count_tokens(self, texts):
        """Count the tokens of each text that the model will read."""
        limits = self._find_limits()
        if limits.counter is None:
            counts = [len(text) // 4 + 2 for text in texts]
        else:
            counts = np.add(limits.counter.count(texts), limits.marks)
        return np.minimum(counts, limits.tokens or np.inf).astype(int)

    def is_loaded(self):
        """Return whether the model has been loaded in this process."""
        return self._key() in _LIMITS

    @property
    def limit(self):
        """How much of a text the model reads, in words; None if that is not known."""
        most = self._find_limits().tokens
        return None if most is None else f"{most} tokens"

    def find_long(self, texts):
        """Return the positions of the texts that the model would cut."""
        room = self._find_room()
        if room is None:
            return []
        return self._find_limits().counter.find_long(texts, room)

    def cut_into_windows(self, text):
        """Cut a text into windows that are read whole."""
        counter = self._find_limits().counter
        return counter.cut_into_windows(text, self._find_room())

    def _find_limits(self):
        known = _LIMITS.get(self._key())
        return self._keep_limits(self._load_model()) if known is None else known

    def _keep_limits(self, model):
        """Return what a model reads, and keep it for when the model is not needed."""
        found = _LIMITS.get(self._key())
        if found is None:
            found = _LIMITS[self._key()] = self._describe_limits(model)
            if len(_LIMITS) > MODELS_IN_MEMORY:
                _LIMITS.pop(next(iter(_LIMITS)), None)
        return found

    def _describe_limits(self, model):
        most = getattr(model, "max_seq_length", None)
        tokenizer = getattr(model, "tokenizer", None)
        backend = getattr(tokenizer, "backend_tokenizer", None)
        return Limits(
            # some stand for "no limit" by infinity, or 1e30
            int(most) if most and most < 2**31 else None,
            0 if backend is None else tokenizer.num_special_tokens_to_add(),
            model.prompts.get(model.default_prompt_name) or "",
            None if backend is None else TokenCounter(backend),
        )

    def _find_room(self):
        """Return how many tokens of a text fit in, beside the prompt and marks."""
        limits = self._find_limits()
        if limits.tokens is None or limits.counter is None:
            return None
        prompt = limits.prompt if self.prompt is None else self.prompt
        (n_prompt,) = limits.counter.count([prompt])
        return max(1, limits.tokens - n_prompt - limits.marks)

    def list_known_words(self):
        """List the whole words among the pieces that the tokenizer knows.

        In the order of their numbers, which is by frequency for most tokenizers.
        """
        vocabulary = getattr(self.load().tokenizer, "get_vocab", dict)()
        return find_whole_words(sorted(vocabulary, key=vocabulary.get))

    def identity(self):
        """Tell the model by what is in its folder, or by its revision on the hub."""
        weights = self._identify_weights()
        return {"kind": "sentence-transformers", "prompt": self.prompt, **weights}

    def _identify_weights(self):
        folder = self._folder()
        if folder is not None:
            source = {"files": hash_folder(folder)}
        else:
            source = {"name": self.model, "revision": self._find_revision()}
        if self.compute_dtype != "float32":
            source["compute_dtype"] = self.compute_dtype
        return source

    def _source(self):
        return self._folder() or self.model

    def _folder(self):
        """Return the local folder of the model, or None for one on the hub."""
        return os.path.abspath(self.model) if os.path.isdir(self.model) else None

    def _find_revision(self):
        found = find_downloaded_revision(self.model, self.revision)
        if found is None:  # not downloaded yet
            self.load()
            found = find_downloaded_revision(self.model, self.revision)
        return found


@contextlib.contextmanager
def _start_threads(n_threads):
    """Start threads of which each computes alone; on an error stop as soon as may be.

    Of OpenMP each thread has settings of its own.
    """
    import torch

    pool = ThreadPoolExecutor(
        n_threads, initializer=torch.set_num_threads, initargs=(1,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def find_whole_words(pieces):
    """Return the words of two letters or more among the pieces of a tokenizer.

    WordPiece marks what goes on within a word by "##", SentencePiece and byte-level
    BPE mark what begins one by "\u2581" and "\u0120".

    Examples
    --------
    >>> from sklearn_hypo._embedding._sentence_transformers import find_whole_words
    >>> find_whole_words(["[UNK]", "##ing", "sad", "Sad", "a", "42"])
    ['sad']
    >>> find_whole_words(["ing", "\u2581sad", "\u2581"])
    ['sad']
    """
    for mark in ("\u2581", "\u0120"):
        if any(piece.startswith(mark) for piece in pieces):
            words = [piece[1:] for piece in pieces if piece.startswith(mark)]
            break
    else:
        words = [piece for piece in pieces if not piece.startswith("##")]
    words = (word.lower() for word in words if len(word) > 1 and word.isalpha())
    return list(dict.fromkeys(words))


@functools.lru_cache(maxsize=MODELS_IN_MEMORY)
def load_model(source, device, compute_dtype="float32"):
    """Load a model once per process; raise if it or the package is missing."""
    return open_model(
        "SentenceTransformer",
        source,
        device,
        compute_dtype,
        without="; or use model='lsa', which needs none",
        expected="'lsa', an existing folder, or a name such as 'all-MiniLM-L6-v2'",
    )


class Limits(NamedTuple):
    """How much a model reads: so many tokens, of which some are marks; its prompt."""

    tokens: int | None
    marks: int
    prompt: str
    counter: TokenCounter | None


def open_model(
    class_name, source, device, compute_dtype, *, without="", expected, **settings
):
    """Open a model of the sentence-transformers package; raise if it is missing.

    `without` and `expected` end the messages where the package, or the model, is not
    there.
    """
    try:
        import sentence_transformers
    except ImportError as error:
        raise ImportError(
            f"model={source!r} needs the package sentence-transformers, which cannot "
            f"be imported ({error}). Install it with: "
            f"pip install sentence-transformers{without}."
        ) from error
    make = getattr(sentence_transformers, class_name)
    try:
        with no_progress_bar():
            model = make(source, device=device, **settings)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ValueError(
            f"model={source!r} could not be loaded on the device {device!r}: it is "
            "neither a local folder nor, as far as could be found out, a "
            f"{class_name} of the sentence-transformers package on the Hugging Face "
            f"hub, or the device is not available. Pass {expected}. The loader said: "
            f"{error}"
        ) from error
    if device == "cpu" and compute_dtype == "float32":
        multiply_by_onednn(model)
    return model


def find_downloaded_revision(name, revision=None):
    """Return the commit of a hub model on this disk, or None, without any network."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    folder = os.environ.get("SENTENCE_TRANSFORMERS_HOME")
    names = [name] if "/" in name else [f"sentence-transformers/{name}", name]
    for each in names:
        with contextlib.suppress(HFValidationError):
            path = try_to_load_from_cache(
                each, "config.json", cache_dir=folder, revision=revision
            )
            if isinstance(path, str):
                return Path(path).parent.name
    return None
