"""Hypotheses and choices as users name them, or a message that helps."""

import difflib
from numbers import Integral

from .._utils._printable import shorten


def find_hypothesis(wanted, statements, neurons, *, parameter, caller):
    """Return the row of a hypothesis, found by its wording, a neuron or its number.

    Parameters
    ----------
    wanted : str or int
        What the user asked for.
    statements : sequence of str
        The hypotheses.
    neurons : sequence of tuple of str
        Their neurons.
    parameter, caller : str
        How the parameter and the method are called, for messages.
    """
    statements = [str(s) for s in statements]
    if isinstance(wanted, Integral) and not isinstance(wanted, bool):
        if not -len(statements) <= wanted < len(statements):
            raise ValueError(
                f"{caller}: {parameter}={wanted}, but the hypotheses have the numbers "
                f"from 0 to {len(statements) - 1}."
            )
        return int(wanted) % len(statements)
    if not isinstance(wanted, str):
        raise TypeError(
            f"{caller}: {parameter}= expects the wording of a hypothesis, the name of "
            f"its neuron or its row number, but {type(wanted).__name__} arrived."
        )
    if wanted in statements:
        return statements.index(wanted)
    for row, names in enumerate(neurons):
        if wanted in names or wanted == ", ".join(names):
            return row
    known = statements + [name for names in neurons for name in names]
    raise ValueError(
        f"{caller}: {parameter}={_quote(wanted)} is no hypothesis here, and no neuron "
        f"of one. {_suggest(wanted, known)}"
    )


def check_choice(wanted, known, *, parameter, caller):
    """Return a name if it is known, or raise with those that look like it."""
    if wanted in known:
        return wanted
    raise ValueError(
        f"{caller}: {parameter}={_quote(wanted)} is not known here. "
        + _suggest(str(wanted), [str(k) for k in known])
    )


def _suggest(wanted, known):
    close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    # part of a long statement is how people ask for it
    close = close or [k for k in known if wanted and wanted.lower() in k.lower()][:3]
    if close:
        return f"Did you mean {' or '.join(map(_quote, close))}?"
    listed = ", ".join(map(_quote, known[:5]))
    return f"There are: {listed}{', …' if len(known) > 5 else ''}."


def _quote(text):
    return repr(shorten(text, 80))
