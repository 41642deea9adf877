"""Functions and scikit-learn transformers as encoders."""

import numpy as np
from scipy import sparse
from sklearn.base import clone

from .._callables import callable_identity, describe_callable
from ._base import Encoder

# A dense row of more columns is hardly an embedding; 10,000 of them fill 1.3 GB.
_MAX_SPARSE_COLUMNS = 32_768


class CallableEncoder(Encoder):
    """Calls a function with a list of texts.

    Parameters
    ----------
    function : callable
        Takes a list of str, returns an array of shape (n_texts, n_features).
    prompt : str or None
        Put before every text.
    """

    def __init__(self, function, prompt):
        self.function = function
        self.prompt = prompt
        self.name = f"model={describe_callable(function)}"

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
            "function": callable_identity(self.function),
        }


class TransformerEncoder(Encoder):
    """Fits a clone of a scikit-learn transformer.

    Parameters
    ----------
    transformer : estimator
        Takes a list of str, returns an array or a sparse matrix.

    Attributes
    ----------
    transformer_ : estimator
        The fitted clone.
    """

    learns = True

    def __init__(self, transformer):
        self.transformer = transformer
        self.name = f"model={type(transformer).__name__}(...)"

    def fit_encode(self, texts, seed):
        """Fit a clone, seeded where it leaves its seed open, and transform."""
        self.transformer_ = _seeded(clone(self.transformer), seed)
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


def _seeded(transformer, seed):
    """Set every `random_state` that is None, in a fixed order."""
    parameters = transformer.get_params(deep=True)
    rng = np.random.RandomState(seed)
    open_seeds = {
        name: rng.randint(np.iinfo(np.int32).max)
        for name in sorted(parameters)
        if name.rpartition("__")[2] == "random_state" and parameters[name] is None
    }
    return transformer.set_params(**open_seeds)
