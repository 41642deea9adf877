"""What users add to requests themselves: fields, headers, and parameters of the URL.

All of it is printed, stored and hashed with a specification, so nothing of it may be
a key.
"""

import re

from .._utils._json import FrozenJson

# Fields that other settings make; a second one would undo what a question asks.
_OWN_FIELDS = ("model", "messages", "input", "instructions", "questions", "stream")

# A header or a parameter of a URL with such a name holds a key more often than not. In
# a body there are harmless ones, such as max_tokens and prompt_cache_key.
_SECRET_NAME = re.compile(
    r"auth|key|token|secret|cookie|passw|credential|signature|\A(sig|code)\Z", re.I
)
_SECRET_FIELD = re.compile(
    r"api[-_]?key|authorization|secret|passw|credential|access[-_]?token|bearer", re.I
)
_SECRET_VALUE = re.compile(
    r"(bearer|basic)\s|g?sk[-_]|AIza|[0-9a-f]{32,}\Z|[0-9A-F]{32,}\Z", re.I
)


def freeze_extra(values, parameter, caller):
    """Return what a user adds as a value that cannot change; None for nothing.

    Parameters
    ----------
    values : dict or None
    parameter : {"extra_body", "extra_headers", "extra_query"}
    caller : str
        The class, for messages.

    Raises
    ------
    ValueError
        For what cannot be sent, and for what looks like a key, which is not shown.
    """
    if values is None:
        return None
    place = f"{caller}({parameter}=...)"
    if parameter == "extra_headers":
        _check_headers(values, place)
    try:
        frozen = FrozenJson(values)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{place}: a dict from names to values that JSON knows is needed, such as "
            "{'top_k': 20}."
        ) from error
    is_body = parameter == "extra_body"
    _refuse_secrets(frozen, place, _SECRET_FIELD if is_body else _SECRET_NAME)
    own = [name for name in frozen if is_body and name in _OWN_FIELDS]
    if own:
        raise ValueError(
            f"{place}: {own[0]!r} is made from the question and the other settings of "
            "the model, and cannot be set here."
        )
    return frozen if len(frozen) else None


def _check_headers(values, place):
    """Refuse what HTTP cannot carry; header injection among it."""
    for value in values.values() if hasattr(values, "values") else ():
        if not isinstance(value, str) or not (value.isascii() and value.isprintable()):
            raise ValueError(
                f"{place}: the value of a header is a str of printable ASCII."
            )


def _refuse_secrets(values, place, secret_name):
    for name, value in values.items():
        if secret_name.search(name) or _is_secret(name) or _is_secret(value):
            shown = "an entry" if _is_secret(name) else repr(name)
            raise ValueError(
                f"{place}: {shown} looks like a key, and would be printed and stored. "
                "Put a key into the environment and name its variable with "
                "api_key_env=."
            )
        if isinstance(value, dict):
            _refuse_secrets(value, place, secret_name)
        if isinstance(value, list):
            for each in value:
                _refuse_secrets({"": each}, place, secret_name)


def _is_secret(value):
    return isinstance(value, str) and _SECRET_VALUE.match(value.strip()) is not None
