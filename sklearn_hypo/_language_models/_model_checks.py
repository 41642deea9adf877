"""Checks of what users pass to the specifications of models."""

import math
import re
from numbers import Integral, Real
from urllib.parse import urlsplit

from ..exceptions import LanguageModelError
from ._catalog import DEFAULTS, Price

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


# How keys of the usual providers begin, and the hexadecimal ones.
_SECRET = re.compile(r"g?sk[-_]|AIza")


_KEY = re.compile(rf"{_SECRET.pattern}|[0-9a-f]{{32,}}\Z|[0-9A-F]{{32,}}\Z")


# Kind and least value of the parameters that are numbers.
_ABOVE_0 = math.ulp(0.0)


NUMBERS = {
    "temperature": (Real, 0),
    "top_p": (Real, 0),
    "seed": (Integral, -math.inf),
    "max_output_tokens": (Integral, 1),
    "thinking_budget": (Integral, -1),
    "timeout": (Real, _ABOVE_0),
    "max_retries": (Integral, 0),
    "requests_per_minute": (Real, _ABOVE_0),
    "tokens_per_minute": (Real, _ABOVE_0),
}


def describe(value):
    """Write down what a user passed, unless it looks like a key."""
    is_key = isinstance(value, str) and _KEY.match(value.strip())
    return "..." if is_key else repr(value)


def check_model_name(model, provider, caller):
    """Refuse what is no name of a model, and a key in its place."""
    is_key = isinstance(model, str) and _SECRET.match(model.strip())
    if is_key or not isinstance(model, str) or not model.strip():
        raise ValueError(
            f"{caller}(model={describe(model)}): the name of a model is needed, such "
            f"as {DEFAULTS[provider, 'annotator']!r}."
            + (" A key belongs into the environment." if is_key else "")
        )


def check_key_name(name, caller):
    """Refuse a key where the name of a variable is meant, without showing it."""
    if name is None:
        return
    is_name = isinstance(name, str) and _ENVIRONMENT_NAME.fullmatch(name)
    if not is_name or _looks_like_a_key(name):
        raise ValueError(
            f"{caller}(api_key_env=...): the NAME of an environment variable is "
            "needed, such as 'OPENAI_API_KEY'. What arrived cannot be a name; if it "
            "is the key itself, put it into the environment instead."
        )


def _looks_like_a_key(name):
    kinds = (str.islower, str.isupper, str.isdigit)
    mixed = all(any(map(kind, name)) for kind in kinds)
    return bool(_KEY.match(name)) or (len(name) >= 24 and mixed)


def sendable(key, name):
    """Return the key if it can stand in a header; else what is sent would show it."""
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise LanguageModelError(
            f"The environment variable {name} holds something that cannot be a key: "
            "there is a space, a line break or a letter with an accent in it. Set it "
            "again.",
            reason="authentication",
        )
    return key


def check_url(url, caller):
    """Refuse what is no address, and one that holds a secret, without showing it."""
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        parts.port  # noqa: B018  (complains about what is no number)
    except (ValueError, TypeError, AttributeError):
        is_address = False
    if not is_address:
        raise ValueError(
            f"{caller}(base_url=...): an address such as 'http://localhost:8000/v1' is "
            "needed."
        )
    holds_a_key = any(_SECRET.match(part) for part in parts.path.split("/"))
    if "@" in parts.netloc or parts.query or parts.fragment or holds_a_key:
        raise ValueError(
            f"{caller}(base_url=...): an address must not hold a user name, a "
            "password, a key or parameters, which would be shown and stored. Use "
            "api_key_env= for a key."
        )


def as_number(value, kind, least, parameter, caller):
    """Return a plain int or float: equal models have to be asked in equal words."""
    is_kind = isinstance(value, kind) and not isinstance(value, bool)
    if not is_kind or not math.isfinite(value) or value < least:
        what = "an integer" if kind is Integral else "a number"
        bound = "" if least == -math.inf else f" of at least {least:g}"
        if least == _ABOVE_0:
            bound = " above 0"
        raise ValueError(f"{caller}({parameter}={value!r}): {what}{bound} is needed.")
    return int(value) if kind is Integral else float(value)


def check_is_set(spec, parameters):
    """Refuse None for numbers that have to be there."""
    for parameter in parameters:
        if getattr(spec, parameter) is None:
            raise ValueError(
                f"{type(spec).__name__}({parameter}=None): a number is needed."
            )


def check_choice(spec, parameter, choices):
    """Refuse a value that is not among the choices."""
    value = getattr(spec, parameter)
    if value not in choices:
        raise ValueError(
            f"{type(spec).__name__}({parameter}={value!r}): one of "
            f"{', '.join(map(repr, choices))} is needed."
        )


def as_price(price, caller):
    """Return a Price made of two to four numbers."""
    try:
        values = [float(value) for value in price]
    except (TypeError, ValueError):
        values = []
    is_price = all(math.isfinite(value) and value >= 0 for value in values)
    if len(values) not in (2, 3, 4) or not is_price:
        raise ValueError(
            f"{caller}(price={price!r}): dollars per million tokens are needed, as "
            "(input, cached input, output) or (input, output)."
        )
    if len(values) == 2:
        values.insert(1, values[0])
    return Price(*values)
