"""Docstrings that take entries from one another, so that each is written once."""

import inspect
import re

_ENTRY = re.compile(r"^(\w+) : .*?(?=\n\n|\Z)", flags=re.M | re.S)
_PLACE = re.compile(r"^\{([\w,\s]+)\}$", flags=re.M)


def fill_docstring(source):
    """Fill ``{one, another}`` in a docstring with these entries of another one.

    Parameters
    ----------
    source : type or function
        Its entries of parameters and attributes stand apart by blank lines.

    Returns
    -------
    decorate : callable
        Fills the docstring of a class or function, and returns that.

    Raises
    ------
    KeyError
        If there is no such entry.
    """
    text = inspect.cleandoc(source.__doc__ or "")
    entries = {match[1]: match[0] for match in _ENTRY.finditer(text)}

    def fill(place):
        return "\n\n".join(entries[name] for name in re.split(r",\s*", place[1]))

    def decorate(described):
        if described.__doc__ is not None:  # as it is under python -OO
            described.__doc__ = _PLACE.sub(fill, inspect.cleandoc(described.__doc__))
        return described

    return decorate
