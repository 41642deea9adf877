"""Models that read two texts at once, by name or from a local folder.

What stands for a pair where texts are encoded and kept is one string, made by
`join_pair`; what is kept of it are the model's raw outputs, one or one per label. So
batches, threads, memory and the store on disk are those of embeddings.
"""

import functools
import json

import numpy as np

from .._language_models._text import replace_surrogates
from .._utils._device import resolve_device
from ._sentence_transformers import (
    MODELS_IN_MEMORY,
    SentenceTransformerEncoder,
    open_model,
)


class PairEncoder(SentenceTransformerEncoder):
    """Returns the outputs of a `CrossEncoder` for pairs that `join_pair` joined."""

    def __init__(self, model, *, device, compute_dtype, revision, max_length):
        super().__init__(model, None, device, compute_dtype)
        self.revision = revision
        self.max_length = max_length

    def load(self):
        """Return the model, loaded once per process."""
        return load_cross_encoder(
            self._source(),
            resolve_device(self.device),
            self.compute_dtype,
            None if self._folder() else self.revision,
            self.max_length,
        )

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
