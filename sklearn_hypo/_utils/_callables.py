"""What tells one function from another, across processes."""

import functools
import hashlib
import inspect
import json
from types import CodeType


def identify_callable(function):
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
        return _check_identity({"key": own() if callable(own) else own}, function)
    if isinstance(function, functools.partial):
        arguments = {"args": list(function.args), "kwargs": function.keywords}
        return _check_identity(identify_callable(function.func) | arguments, function)
    qualname = getattr(function, "__qualname__", "<")
    bound = getattr(function, "__self__", None)
    if "<" in qualname or (bound is not None and not hasattr(bound, "__spec__")):
        raise _make_identity_error(function)
    identity = {"module": function.__module__, "qualname": qualname}
    code = getattr(inspect.unwrap(function), "__code__", None)
    return identity | ({"code": _hash_code(code)} if code is not None else {})


def _check_identity(identity, function):
    try:
        json.dumps(identity)
    except (TypeError, ValueError) as error:
        raise _make_identity_error(function) from error
    return identity


def _make_identity_error(function):
    return ValueError(
        "cache= needs to tell one model from another, and "
        f"model={describe_callable(function)} cannot be identified across processes. "
        "Use a function defined at the top level of a module (or a functools.partial "
        "of one with plain arguments), or an object with an attribute `cache_key`, "
        "such as a string that names the model and its version; or set cache=None."
    )


def _hash_code(code):
    return hashlib.sha256(_write_code(code).encode("utf-8", "replace")).hexdigest()


def _write_code(code):
    """Write byte code down without anything that differs between two processes."""
    constants = [_write_constant(constant) for constant in code.co_consts]
    names = [code.co_names, code.co_varnames, code.co_freevars]
    return repr([code.co_code.hex(), names, constants])


def _write_constant(constant):
    if isinstance(constant, CodeType):
        return _write_code(constant)
    if isinstance(constant, frozenset):  # its order depends on the hash seed
        return repr(sorted(map(repr, constant)))
    return repr(constant)


def describe_callable(function):
    """Return the name of a function, or of the class of a callable object."""
    name = getattr(function, "__qualname__", None)
    return name or f"{type(function).__name__}(...)"
