"""One vector per token, averaged: models of the package model2vec."""

import functools
import os

from .._utils._model_files import hash_folder
from ._encoder import Encoder
from ._sentence_transformers import find_downloaded_revision
from ._token_counter import TokenCounter

PREFIX = "model2vec:"
# What model2vec reads unless a model says otherwise.
_MOST_TOKENS = 512

_LOADED = set()


class StaticVectorsEncoder(Encoder):
    """Averages the static vectors of tokens: no context, and hundreds of times as fast.

    `model` is the folder of a saved `model2vec.StaticModel`, or a name on the Hugging
    Face hub.
    """

    is_remembered = True

    def __init__(self, model, prompt):
        self.model = model
        self.prompt = prompt
        self.name = f"model={PREFIX + model!r}"
        self.label = os.path.basename(os.path.normpath(model))

    def encode(self, texts):
        """Encode one batch. The vectors stay with the process, not with this object."""
        if self.prompt:
            texts = [self.prompt + text for text in texts]
        model = load_static_model(self._source())
        return model.encode(texts, use_multiprocessing=False)

    def is_loaded(self):
        """Return whether the model has been loaded in this process."""
        return self._source() in _LOADED

    @property
    def limit(self):
        """How much of a text the model reads, in words; None if all."""
        most = _find_most_tokens(load_static_model(self._source()))
        return None if most is None else f"{most} tokens"

    def find_long(self, texts):
        """Return the positions of the texts that the model would cut."""
        room, most_characters = self._find_room()
        if room is None:
            return []
        by_tokens = load_static_counter(self._source()).find_long(texts, room)
        by_letters = [i for i, text in enumerate(texts) if len(text) > most_characters]
        return sorted({*by_tokens, *by_letters})

    def cut_into_windows(self, text):
        """Cut a text into windows that are read whole."""
        counter = load_static_counter(self._source())
        return counter.cut_into_windows(text, *self._find_room())

    def _find_room(self):
        """Return how many tokens and characters fit in beside the prompt."""
        model = load_static_model(self._source())
        most = _find_most_tokens(model)
        if most is None:
            return None, None
        prompt = self.prompt or ""
        (n_prompt,) = load_static_counter(self._source()).count([prompt])
        # the model cuts by characters first
        most_characters = most * model.median_token_length - len(prompt)
        return max(1, most - n_prompt), max(1, most_characters)

    def identity(self):
        """Tell the model by what is in its folder, or by its revision on the hub."""
        if os.path.isdir(self.model):
            source = {"files": hash_folder(self._source())}
        else:
            load_static_model(self.model)  # then it is on this disk
            revision = find_downloaded_revision(self.model)
            source = {"name": self.model, "revision": revision}
        return {"kind": "model2vec", "prompt": self.prompt, **source}

    def _source(self):
        return os.path.abspath(self.model) if os.path.isdir(self.model) else self.model


def _find_most_tokens(model):
    return getattr(model, "max_length", _MOST_TOKENS)


@functools.lru_cache(maxsize=2)
def load_static_counter(source):
    """Make the counter of a model's tokens once per process."""
    return TokenCounter(load_static_model(source).tokenizer)


@functools.lru_cache(maxsize=2)
def load_static_model(source):
    """Load a model once per process; raise if it or the package is missing."""
    try:
        from model2vec import StaticModel
    except ImportError as error:
        raise ImportError(
            f"model={PREFIX + source!r} needs the package model2vec, which cannot be "
            f"imported ({error}). Install it with: pip install "
            "'sklearn-hypo[model2vec]'"
        ) from error
    try:
        model = StaticModel.from_pretrained(source, force_download=False)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ValueError(
            f"model={PREFIX + source!r} could not be loaded: it is neither the folder "
            "of a model2vec model nor, as far as could be found out, the name of one "
            "on the Hugging Face hub, such as 'minishlab/potion-base-8M'. The loader "
            f"said: {error}"
        ) from error
    _LOADED.add(source)
    return model
