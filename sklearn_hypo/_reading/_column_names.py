"""Columns by their names."""

import difflib
import re

from .._utils._printable import quote_value
from ..exceptions import InputError
from ._values import name_value

NO_HEADER = (  # the advice where the first row may hold no names
    " If that is the first row and the file has no header, add --no-header and name "
    "columns by their numbers, such as --text 1 --target 2."
)
_NAMED = 30  # so many names are listed in a message


def find_columns(source, names, wanted, advice=""):
    """Return the positions of columns.

    Parameters
    ----------
    source : Source or str
        For messages.
    names : sequence of str
        Of all columns, in their order.
    wanted : sequence of str
        The names to find. Of several columns of one name, the second is ``name#2``.
    advice : str, default=""
        A sentence for the message if none is there, and no name is close.

    Returns
    -------
    positions : list of int

    Raises
    ------
    InputError
        If a column is not there, or there are several of its name.
    """
    found = {name: _find_column(source, names, name) for name in wanted}
    missing = [name for name, position in found.items() if position is None]
    if missing:
        absent = " or ".join(map(name_value, missing))
        there = ", ".join(name_value(name) for name in names[:_NAMED]) or "none"
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        hint = _suggest(names, missing[0])
        if not hint and len(missing) == len(found):
            hint = advice
        raise InputError(
            f"{source} has no column {absent}. Its columns: {there}{more}.{hint}"
        )
    return [found[name] for name in wanted]


def _find_column(source, names, wanted):
    places = [i for i, name in enumerate(names) if name == wanted]
    if not places:
        places = [i for i, name in enumerate(names) if are_shown_alike(name, wanted)]
    if len(places) > 1:
        raise InputError(
            f"{source} has {len(places)} columns {name_value(wanted)} (its columns "
            f"{', '.join(str(i + 1) for i in places)}). Name the one that is meant as "
            f"{name_value(f'{wanted}#1')} or {name_value(f'{wanted}#2')}."
        )
    if places:
        return places[0]
    numbered = re.fullmatch(r"(.*)#([1-9]\d{0,5})", wanted, re.DOTALL)
    if numbered:
        places = [i for i, name in enumerate(names) if name == numbered[1]]
        if int(numbered[2]) <= len(places):
            return places[int(numbered[2]) - 1]
    return None


def are_shown_alike(name, other):
    """Tell whether two names are one but for blanks, or line breaks as in forms."""
    return name.split() == other.split()


def _suggest(names, wanted):
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(wanted.casefold(), folded, n=1, cutoff=0.75)
    if not close and len(names) > 1:
        # "G1Q1" of "G1Q1. How was it?", "text" of "data.text"
        key = re.escape(wanted.casefold())
        part = re.compile(rf"{key}\W|.*\.{key}$", re.DOTALL)
        close = list(filter(part.match, folded))
    # whole, so that it can be copied
    return f" Did you mean {quote_value(folded[close[0]])}?" if close else ""
