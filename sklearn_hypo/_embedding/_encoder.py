"""What an encoder is: texts in, one row of numbers per text out.

The two that need no module of their own follow it: a function, and a transformer of
scikit-learn.
"""

from abc import ABC, abstractmethod

import numpy as np
from scipy import sparse
from sklearn.base import clone

from .._language_models._ledger import CostEstimate
from .._utils._callables import describe_callable, identify_callable

# Of what sets no limits of its own.
TEXTS_PER_BATCH = 64


class Encoder(ABC):
    """Turns a batch of texts into an array. The texts are distinct, and none is blank.

    Attributes
    ----------
    name : str
        How messages call the model.
    label : str
        How its columns begin where they stand beside those of another model.
    learns : bool
        Whether `fit` learns from the texts. If so, the embedding of a text depends on
        the training texts, and there is nothing that a cache could keep from one fit to
        the next.
    is_paid_for : bool
        Whether every call costs money.
    is_remembered : bool
        Whether its vectors stay in the memory of the process for a while.
    limit : str or None
        How much of a text the model reads, in words; None if all, as far as is known.
    """

    name = "encoder"
    label = "embedding"
    learns = False
    is_paid_for = False
    is_remembered = False
    limit = None

    def fit_encode(self, texts, seed):
        """Learn from the texts, by an int `seed`, and return what `encode` returns."""
        return self.encode(texts)

    @abstractmethod
    def encode(self, texts):
        """Return the embeddings of one batch, array-like, one row per text."""

    def encode_in_batches(self, texts, batch_size, keep, task):
        """Encode texts batch by batch, and hand on each batch when it is there.

        Parameters
        ----------
        texts : list of str
            At least one.
        batch_size : int or "auto"
            Most texts in a batch; "auto" leaves it to the encoder.
        keep : callable
            Takes a slice or an array of positions, which texts these are, and what
            `encode` returns for them. Called in the calling thread, once for each
            batch, in any order.
        task : callable
            Returns a context manager that is entered around each batch.
        """
        for batch in self.divide(texts, batch_size):
            with task():
                keep(batch, self.encode(texts[batch]))

    def divide(self, texts, batch_size):
        """Divide texts into batches: return slices, one after the other."""
        n = TEXTS_PER_BATCH if batch_size == "auto" else batch_size
        return [slice(start, start + n) for start in range(0, len(texts), n)]

    def is_loaded(self):
        """Return whether `find_long` takes no time to load anything."""
        return True

    def find_long(self, texts):
        """Return the positions of the texts of which the model would read a part."""
        return []

    def cut_into_windows(self, text):
        """Cut a text that `find_long` found into (begin, end, tokens) that are read."""
        return [(0, len(text), 1)]

    def list_known_words(self):
        """List words that the model knows, whether texts contain them or not."""
        return []

    def usage(self):
        """Return what was consumed, as a dict; None where nothing is paid for."""
        return None

    def count_cached(self, n_texts):
        """Count texts that were found in the cache."""
        return None

    def estimate(self, texts, batch_size):
        """Estimate what encoding costs: nothing, unless a provider is to be paid."""
        return CostEstimate(0, 0, 0, 0.0)

    def identity(self):
        """Return what tells this encoder from any other, as the key of the cache.

        It can be written as JSON. Two encoders of the same identity give the same
        embedding for the same text, today and tomorrow. Raise a ValueError if it cannot
        be told.
        """
        raise ValueError(f"{self.name} cannot be cached.")

    def describe(self):
        """Return what is known about the model, for the settings of a report."""
        try:
            return self.identity()
        except ValueError:
            return {"kind": type(self).__name__.removesuffix("Encoder").lower()}


# A dense row of more columns is hardly an embedding; 10,000 of them fill 1.3 GB.
_MAX_SPARSE_COLUMNS = 32_768


class CallableEncoder(Encoder):
    """Calls a function with a list of texts, each behind the prompt if there is one."""

    def __init__(self, function, prompt):
        self.function = function
        self.prompt = prompt
        self.label = describe_callable(function)
        self.name = f"model={self.label}"

    def encode(self, texts):
        """Call the function with one batch."""
        if self.prompt:
            texts = [self.prompt + text for text in texts]
        return self.function(texts)

    def identity(self):
        """Tell the function by its `cache_key`, or by its module, name and code."""
        return {
            "kind": "callable",
            "prompt": self.prompt,
            "function": identify_callable(self.function),
        }


class TransformerEncoder(Encoder):
    """Fits a clone of a scikit-learn transformer, which becomes `transformer_`.

    It takes a list of str and returns an array or a sparse matrix.
    """

    learns = True

    def __init__(self, transformer):
        self.transformer = transformer
        self.label = type(transformer).__name__.lower()
        self.name = f"model={type(transformer).__name__}(...)"

    def fit_encode(self, texts, seed):
        """Fit a clone, seeded where it leaves its seed open, and transform."""
        self.transformer_ = _seed_open_states(clone(self.transformer), seed)
        if hasattr(self.transformer_, "fit_transform"):
            return self._dense(self.transformer_.fit_transform(texts))
        return self._dense(self.transformer_.fit(texts).transform(texts))

    def encode(self, texts):
        """Transform with the fitted clone."""
        return self._dense(self.transformer_.transform(texts))

    def _dense(self, values):
        if not sparse.issparse(values):
            return values
        if values.shape[1] > _MAX_SPARSE_COLUMNS:
            raise ValueError(
                f"{self.name} returned a sparse matrix of {values.shape[1]} columns, "
                "too many for an embedding. Put a TruncatedSVD behind it: "
                "make_pipeline(vectorizer, TruncatedSVD(384))."
            )
        return values.toarray()


def _seed_open_states(transformer, seed):
    """Set every `random_state` that is None, in a fixed order."""
    parameters = transformer.get_params(deep=True)
    rng = np.random.RandomState(seed)
    open_seeds = {
        name: rng.randint(np.iinfo(np.int32).max)
        for name in sorted(parameters)
        if name.rpartition("__")[2] == "random_state" and parameters[name] is None
    }
    return transformer.set_params(**open_seeds)
