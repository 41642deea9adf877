"""What a server does not take, and the user did not ask for, is left out.

Servers that speak OpenAI's protocol differ in what of it they know. Which parameter a
server refuses, it says in its reply; what to do instead is said here.
"""

import threading
from dataclasses import replace
from typing import NamedTuple


class Alternative(NamedTuple):
    """What to do about a parameter that a server refuses.

    Attributes
    ----------
    setting : str
        The argument of `OpenAIModel` that decides; "auto" leaves it to us.
    value : object
        What the argument is, to do without from the start.
    note : str
        What is done instead.
    """

    setting: str
    value: object
    note: str


ALTERNATIVES = {
    "response_format": Alternative(
        "structured_output", False, "Answers are asked for without a JSON schema"
    ),
    "max_completion_tokens": Alternative(
        "token_parameter", "max_tokens", "The limit on answers is sent as max_tokens"
    ),
    "reasoning_effort": Alternative(
        "reasoning_effort", None, "No effort of reasoning is asked for"
    ),
    "system": Alternative(
        "system_role", False, "Instructions are sent with the question, in one message"
    ),
}

# Of these, an answer may depend on what is done instead.
_CHANGES_ANSWERS = ("response_format", "reasoning_effort", "system")

# Records of what servers do not take, in a cache.
_KIND = "left_out"

# Nothing to do instead: whoever set it has to unset it.
_UNSET = {
    "max_tokens": "token_parameter='max_completion_tokens'",
    "temperature": "temperature=None",
    "top_p": "top_p=None",
    "seed": "seed=None",
}

# What servers were found not to take, by model, as long as the process lives.
_known = {}
_lock = threading.Lock()


class ModelAdapted(Exception):
    """What is sent to the model has changed, and with it the keys of its answers."""


def adapt_model(model):
    """Return the model that asks as this one does, as far as is known by now."""
    settings = {
        ALTERNATIVES[parameter].setting: ALTERNATIVES[parameter].value
        for parameter in recall_left_out(model)
        if parameter in _CHANGES_ANSWERS
    }
    return replace(model, **settings) if settings else model


def changes_answers(parameter):
    """Tell whether an answer may depend on a parameter of `ALTERNATIVES`."""
    return parameter in _CHANGES_ANSWERS


def read_left_out(model, store):
    """Take over what a cache knows that the server of a model does not take."""
    if store.folder is None or not hasattr(model, "system_role"):
        return
    names = store.record_names(_KIND)
    if names:
        make_name = _make_names(model, store)
        known = {
            parameter for parameter in ALTERNATIVES if make_name(parameter) in names
        }
        with _lock:
            _known[model] = _known.get(model, frozenset()) | known


def note_left_out(model, store, parameter):
    """Have a cache know that the server of a model does not take a parameter."""
    if store.folder is not None:
        store.put_record(_KIND, _make_names(model, store)(parameter), {})


def _make_names(model, store):
    return store.make_keys({"task": _KIND, **model.identity()})


def recall_left_out(model):
    """Return what a server was found not to take.

    Parameters
    ----------
    model : OpenAIModel
        Whom to ask.

    Returns
    -------
    parameters : frozenset of str
        Keys of `ALTERNATIVES`.
    """
    with _lock:
        return _known.get(model, frozenset())


def leave_out(connection, parameter):
    """Have a connection, and later ones to the same model, leave a parameter out.

    Parameters
    ----------
    connection : Connection
        Its `left_out` is changed.
    parameter : str
        What the server refused.

    Returns
    -------
    note : str
        What is done instead, for the user. Empty if nothing can be: the parameter is
        not of this connection, is left out already, or the user asked for it.
    """
    alternative = ALTERNATIVES.get(parameter)
    left_out = getattr(connection, "left_out", None)
    if alternative is None or left_out is None or parameter in left_out:
        return ""
    model = connection.model
    if getattr(model, alternative.setting) != "auto":
        return ""
    connection.left_out = left_out | {parameter}
    with _lock:
        _known[model] = connection.left_out
    return (
        f"{alternative.note}; set {alternative.setting}={alternative.value!r} to do so "
        "from the start."
    )


def suggest(parameter):
    """Say what a user can set, so that a refused parameter is not sent; "" if unknown.

    Examples
    --------
    >>> from sklearn_hypo._language_models._adaptation import suggest
    >>> suggest("response_format"), suggest("seed"), suggest("")
    ('Set structured_output=False. ', 'Set seed=None. ', '')
    """
    if parameter in ALTERNATIVES:
        return "Set {0.setting}={0.value!r}. ".format(ALTERNATIVES[parameter])
    return f"Set {_UNSET[parameter]}. " if parameter in _UNSET else ""


def forget_left_out():
    """Forget what servers were found not to take."""
    with _lock:
        _known.clear()
