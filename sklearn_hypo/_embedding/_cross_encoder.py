"""Models that read two texts at once, by name or from a local folder.

What stands for a pair where texts are encoded and kept is one string, made by
`join_pair`; what is kept of it are the model's raw outputs, one or one per label. So
batches, threads, memory and the store on disk are those of embeddings.
"""

import functools
import json

import numpy as np

from .._language_models._text import replace_surrogates
from ._sentence_transformers import (
    MODELS_IN_MEMORY,
    Limits,
    SentenceTransformerEncoder,
    open_model,
)
from ._token_counter import TokenCounter


class PairEncoder(SentenceTransformerEncoder):
    """Returns the outputs of a `CrossEncoder` for pairs that `join_pair` joined."""

    def __init__(self, model, *, device, compute_dtype, revision, max_length):
        super().__init__(model, None, device, compute_dtype)
        self.revision = revision
        self.max_length = max_length

    def _load_model(self):
        return load_cross_encoder(*self._key())

    def _key(self):
        revision = None if self._folder() else self.revision
        return *super()._key(), revision, self.max_length

    def _compute(self, model, texts):
        import torch

        outputs = model.predict(
            [json.loads(pair) for pair in texts],
            batch_size=len(texts),
            show_progress_bar=False,
            activation_fn=torch.nn.Identity(),
            convert_to_numpy=True,
        )
        return outputs.reshape(len(texts), -1)

    def _count_tokens(self, texts):
        tokenizer = self.load().tokenizer
        first, second = zip(*map(json.loads, texts), strict=True)
        tokens = tokenizer(list(first), list(second), verbose=False)["input_ids"]
        # some tokenizers stand for "no limit" by 1e30
        most = min(tokenizer.model_max_length, 2**31)
        return np.minimum(list(map(len, tokens)), most)

    def find_long(self, texts):
        """Return nothing: what stands for a pair is no text that could be cut."""
        return []

    def _describe_limits(self, model):
        backend = getattr(model.tokenizer, "backend_tokenizer", None)
        most = model.tokenizer.model_max_length
        return Limits(
            most if most < 2**31 else None,
            model.tokenizer.num_special_tokens_to_add(pair=True),
            "",
            None if backend is None else TokenCounter(backend),
        )

    def find_long_beside(self, texts, others):
        """Return the positions of texts that are cut beside the longest of others."""
        limits = self._find_limits()
        if limits.tokens is None or limits.counter is None:
            return []
        most = max(limits.counter.count(others), default=0)
        room = limits.tokens - limits.marks - most
        return limits.counter.find_long(texts, max(1, room))

    def read_labels(self):
        """Return the names of the outputs, in order."""
        model = self.load()
        names = getattr(getattr(model.model, "config", None), "id2label", None) or {}
        return [str(names.get(i, "")) for i in range(model.num_labels)]

    def identity(self):
        """Tell the model by what is in its folder, or by its revision on the hub."""
        weights = self._identify_weights()
        return {"kind": "cross-encoder", "max_length": self.max_length, **weights}


def join_pair(first, second):
    """Return the string that stands for a pair; the texts of any are told apart."""
    pair = [replace_surrogates(first), replace_surrogates(second)]
    return json.dumps(pair, ensure_ascii=False)


@functools.lru_cache(maxsize=MODELS_IN_MEMORY)
def load_cross_encoder(source, device, compute_dtype, revision, max_length):
    """Load a model once per process; raise if it or the package is missing."""
    settings = {"revision": revision, "max_length": max_length}
    return open_model(
        "CrossEncoder",
        source,
        device,
        compute_dtype,
        expected=(
            "an existing folder, or a name such as 'cross-encoder/nli-deberta-v3-small'"
        ),
        **{name: value for name, value in settings.items() if value is not None},
    )
