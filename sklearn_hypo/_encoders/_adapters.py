"""Functions and scikit-learn transformers as encoders."""

import functools
import hashlib
import inspect
import json
from types import CodeType

import numpy as np
from scipy import sparse
from sklearn.base import clone

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
        self.name = f"model={_describe(function)}"

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


def callable_identity(function):
    """Return what tells a callable from any other, for the key of the cache.

    Parameters
    ----------
    function : callable
        A function of a module, a `functools.partial` of one, or an object with an
        attribute or method `cache_key`.

    Returns
    -------
    identity : dict
        Can be written as JSON. For a function it holds a digest of its code, so
        that an edited function does not meet the vectors of its former self.

    Raises
    ------
    ValueError
        For lambdas, nested functions, bound methods and objects without `cache_key`.
    """
    own = getattr(function, "cache_key", None)
    if own is not None:
        return _checked({"key": own() if callable(own) else own}, function)
    if isinstance(function, functools.partial):
        arguments = {"args": list(function.args), "kwargs": function.keywords}
        return _checked(callable_identity(function.func) | arguments, function)
    qualname = getattr(function, "__qualname__", "<")
    bound = getattr(function, "__self__", None)
    if "<" in qualname or (bound is not None and not hasattr(bound, "__spec__")):
        raise _unidentifiable(function)
    identity = {"module": function.__module__, "qualname": qualname}
    code = getattr(inspect.unwrap(function), "__code__", None)
    return identity | ({"code": _code_digest(code)} if code is not None else {})


def _checked(identity, function):
    try:
        json.dumps(identity)
    except (TypeError, ValueError) as error:
        raise _unidentifiable(function) from error
    return identity


def _unidentifiable(function):
    return ValueError(
        f"cache= needs to tell one model from another, and model={_describe(function)} "
        "cannot be identified across processes. Use a function defined at the top "
        "level of a module (or a functools.partial of one with plain arguments), or "
        "an object with an attribute `cache_key`, such as a string that names the "
        "model and its version; or set cache=None."
    )


def _code_digest(code):
    return hashlib.sha256(_code_text(code).encode("utf-8", "replace")).hexdigest()


def _code_text(code):
    """Write byte code down without anything that differs between two processes."""
    constants = [_constant_text(constant) for constant in code.co_consts]
    names = [code.co_names, code.co_varnames, code.co_freevars]
    return repr([code.co_code.hex(), names, constants])


def _constant_text(constant):
    if isinstance(constant, CodeType):
        return _code_text(constant)
    if isinstance(constant, frozenset):  # its order depends on the hash seed
        return repr(sorted(map(repr, constant)))
    return repr(constant)


def _describe(function):
    name = getattr(function, "__qualname__", None)
    return name or f"{type(function).__name__}(...)"
