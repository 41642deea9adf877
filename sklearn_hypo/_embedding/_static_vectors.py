"""One vector per token, averaged: models of the package model2vec."""

import functools
import os

from .._utils._model_files import hash_folder
from ._encoder import Encoder
from ._sentence_transformers import find_downloaded_revision

PREFIX = "model2vec:"


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
        return StaticModel.from_pretrained(source, force_download=False)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ValueError(
            f"model={PREFIX + source!r} could not be loaded: it is neither the folder "
            "of a model2vec model nor, as far as could be found out, the name of one "
            "on the Hugging Face hub, such as 'minishlab/potion-base-8M'. The loader "
            f"said: {error}"
        ) from error
