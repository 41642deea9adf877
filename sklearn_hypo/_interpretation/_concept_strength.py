"""How strongly texts, and words by themselves, have the concept of a neuron.

A sparse activation is zero wherever other neurons were stronger, though the text has
the concept. A linear probe from embeddings to activations tells how strongly a text has
it, and, since a word can be embedded too, how strongly a word does.
"""

import warnings
from copy import copy

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import RidgeCV

from .._embedding._text_embedder import TextEmbedder
from .._utils._cache_folder import default_cache_folder
from ._dictionary import standardize

# Penalties of the probe, for embeddings of unit length.
_PENALTIES = np.logspace(-2, 2, 9)

# Words are short: many fill a batch.
_WORDS_AT_ONCE = 1024

# What a `TextEmbedder` warns of that is about the texts.
_SAID_OF_TEXTS = (
    r"\d+ of \d+ texts are empty",
    r"TextEmbedder\(.*texts .* are longer",
    r"[\d,]+ of [\d,]+ texts are in a script",
    r"[\d,]+ of [\d,]+ distinct texts hold HTML",
)

# Of fewer texts a regression learns nothing.
_FEWEST_TEXTS = 5


class WordEmbedder:
    """Embeds training texts, and single words, with the same model.

    Parameters
    ----------
    embedder : TextEmbedder or transformer of texts
        Not fitted; a clone of it is, on the texts.
    texts : ndarray of shape (n_texts,) and dtype object
        The training texts, distinct.

    Attributes
    ----------
    texts : ndarray of shape (n_texts, n_features)
        Their embeddings.
    """

    def __init__(self, embedder, texts):
        self._embedder = clone(embedder)
        with warnings.catch_warnings():
            # who trained the neurons on these texts has been told
            for said in _SAID_OF_TEXTS:
                warnings.filterwarnings("ignore", said)
            vectors = self._embedder.fit_transform(texts)
        self.texts = np.asarray(vectors, np.float64)

    def list_known_words(self):
        """Return words that the model knows, whether texts contain them or not."""
        encoders = getattr(self._embedder, "encoder_", [])
        encoders = encoders if isinstance(encoders, list) else [encoders]
        words = [word for each in encoders for word in each.list_known_words()]
        return list(dict.fromkeys(words))

    def embed_words(self, words):
        """Embed words; what a pretrained model gives is kept on disk for good."""
        embedder = self._embedder
        if isinstance(embedder, TextEmbedder):
            embedder = copy(embedder).set_params(batch_size=_WORDS_AT_ONCE)
            if embedder.cache == "auto":
                embedder.set_params(cache=default_cache_folder())
        return np.asarray(embedder.transform(words), dtype=np.float64)


def measure_strength(texts, words, activations, *, rows):
    r"""Measure how strongly texts and words have the concepts of neurons.

    Parameters
    ----------
    texts : ndarray of shape (n_texts, n_features)
        Embeddings of the texts.
    words : ndarray of shape (n_words, n_features)
        Embeddings of single words.
    activations : ndarray of shape (n_texts, n_neurons)
        Of the texts.
    rows : ndarray of int
        The texts to learn from.

    Returns
    -------
    strength : ndarray of shape (len(rows), n_neurons)
        :math:`r \hat a + (1 - r) a` with a the activation, :math:`\hat a` what a
        ridge regression on the embeddings predicts of it, both standardized, and r
        their correlation (0 if negative); mean 0 and variance 1.
    word_strength : ndarray of shape (n_words, n_neurons)
        r times what it predicts of single words, standardized over the words.
    """
    observed = standardize(activations[rows])
    if len(rows) < _FEWEST_TEXTS:
        return observed, np.zeros((len(words), activations.shape[1]))
    probe = RidgeCV(_PENALTIES, alpha_per_target=True).fit(
        texts[rows], activations[rows]
    )
    predicted = standardize(probe.predict(texts[rows]).reshape(observed.shape))
    # of a concept that embeddings do not know, the activation says more
    share = np.maximum((predicted * observed).mean(axis=0), 0.0)
    strength = standardize(share * predicted + (1 - share) * observed)
    word_strength = np.zeros((len(words), activations.shape[1]))
    if len(words):
        of_words = probe.predict(words).reshape(word_strength.shape)
        word_strength = share * standardize(of_words)
    return strength, word_strength
