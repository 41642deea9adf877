"""What the specifications of models share: `ModelSpec`, and checks of parameters.

A specification is a small immutable value. It can be copied, compared, pickled,
printed and searched over, and it never holds a key: the key is read from the
environment when a connection is opened.
"""

import math
import os
import re
from dataclasses import fields
from numbers import Integral, Real
from urllib.parse import urlsplit

from .._utils._json import FrozenJson
from ..exceptions import LanguageModelError
from ._addresses import is_local_address, normalize_address
from ._catalog import Price, find_price

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
    "batch_size": (Integral, 1),
    "thinking_budget": (Integral, -1),
    "timeout": (Real, _ABOVE_0),
    "max_retries": (Integral, 0),
    "requests_per_minute": (Real, _ABOVE_0),
    "tokens_per_minute": (Real, _ABOVE_0),
}

# Seconds until a call counts as lost, where the user does not say. A server of one's
# own may be slow, and goes on with a call that was given up.
_TIMEOUT = 60.0
_TIMEOUT_LOCAL = 600.0

# How a message gets to the server, which does not change an answer. Nor does a limit on
# its length, because answers that were cut are not kept.
_TRANSPORT = {
    "max_output_tokens",
    "api_key_env",
    "price",
    "timeout",
    "max_retries",
    "requests_per_minute",
    "tokens_per_minute",
    "base_url",
    "service_tier",
    "token_parameter",
    "provider",
    "token_provider",
    "decisions_api",
}


class ModelSpec:
    """Whom to ask, where, and with which parameters; a base of frozen dataclasses.

    Attributes
    ----------
    provider : str
        Stands before the colon in "provider:NAME".
    package : str
        The vendor's SDK.
    key_envs : tuple of str
        Environment variables in which the key may be, the first that is set counts.
    base_url_env : str
        Environment variable of the address, as the vendor's SDK reads it.
    default_models : dict of str to str
        By role: "annotator", "interpreter" and, if the provider embeds, "embedding".
    texts_per_request : int
        Most texts that are embedded at once, unless the table of models says otherwise.
    has_task_types : bool
        Whether embeddings can be told what they are for.
    embeds : bool
        Whether there are models that embed texts.
    default_layout : str
        What layout="auto" stands for.
    default_workers : int or None
        Calls under way at once, unless the user says otherwise; None: as many as the
        run takes for a server.
    batch_limits : tuple of int or None
        Most requests and most bytes of one batch job, with some room for what goes
        around them; None: no batches.
    """

    texts_per_request = 100
    has_task_types = False
    embeds = True
    default_layout = "stacked"
    default_workers = None
    batch_limits = None

    def __post_init__(self):
        name = type(self).__name__
        check_model_name(self.model, self.default_models["annotator"], name)
        check_key_name(self.api_key_env, name)
        check_url(self.base_url, f"{name}(base_url=...)")
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and field.name in NUMBERS:
                number = as_number(value, *NUMBERS[field.name], field.name, name)
                object.__setattr__(self, field.name, number)
        check_is_set(self, ("max_retries",))
        if self.price is not None:
            object.__setattr__(self, "price", as_price(self.price, name))

    def __repr__(self):
        shown = [
            f"{field.name}={_show_value(field.name, value)}"
            for field in fields(self)[1:]
            if (value := getattr(self, field.name)) != field.default
        ]
        return f"{type(self).__name__}({', '.join([repr(self.model), *shown])})"

    def __str__(self):
        return f"{self.provider}:{self.model}"

    def __copy__(self):
        return self  # it cannot change

    def __deepcopy__(self, memo):
        return self

    def price_per_million(self):
        """Return the price that applies.

        Returns
        -------
        price : Price or None
            Dollars per million tokens; None if it is not known.
        """
        price = self.price or find_price(self.provider, self.model)
        if price is None and self._is_free():
            return Price(0.0, 0.0, 0.0)
        return price.half() if price and self._at_half_price() else price

    def _is_free(self):
        return False

    def _at_half_price(self):
        return False

    def identity(self):
        """Return all that changes an answer, for the key of the answer cache.

        Returns
        -------
        identity : dict
            Can be written as JSON. Never holds a key of a provider.
        """
        # The protocol and the address make the server, whatever its name here.
        protocol, server = type(self).provider, normalize_address(self.server())
        return {"provider": protocol, "server": server, **self._list_sent()}

    def _list_sent(self):
        """Return the parameters that are sent and differ from the defaults."""
        return {
            field.name: value.to_dict() if isinstance(value, FrozenJson) else value
            for field in fields(self)
            if field.name not in _TRANSPORT
            and (value := getattr(self, field.name)) != field.default
        }

    def former_identity(self):
        """Return what `identity` was when caches had no salt, to find their answers.

        Returns
        -------
        identity : dict
            With the address as it is written, and with the limit on the answer.
        """
        identity = {**self.identity(), "server": self.server()}
        if self.max_output_tokens is not None:
            identity["max_output_tokens"] = self.max_output_tokens
        return identity

    def server(self):
        """Return the address in force.

        Returns
        -------
        address : str
            Empty for the vendor's own.
        """
        return self.base_url or self._find_address()

    def _find_address(self):
        return os.environ.get(self.base_url_env, "")

    def advise_on_address(self):
        """Return what to do where the server has nothing at the address.

        Returns
        -------
        advice : str
            A sentence or two.
        """
        return "Check base_url=, which ends before the version of the protocol."

    def timeout_seconds(self):
        """Return after how many seconds a call counts as lost.

        Returns
        -------
        seconds : float
            What was set, else a minute; ten for a server of one's own.
        """
        if self.timeout is not None:
            return self.timeout
        return _TIMEOUT_LOCAL if is_local_address(self.server()) else _TIMEOUT

    def connect(self, n_connections):
        """Open a connection; the key is read now.

        Parameters
        ----------
        n_connections : int
            Calls that will be under way at once.

        Returns
        -------
        connection : Connection
            To be closed, and not to be shared between processes.
        """
        return self._connect(n_connections)

    def read_key(self):
        """Read the key from the environment, or ask for a token, now.

        Returns
        -------
        key : str or None
            None if there is none and none is needed.

        Raises
        ------
        LanguageModelError
            If there is none and one is needed.
        """
        names = self._list_key_names()
        token = self._ask_for_token()
        if token is not None or not names:
            return token
        for name in names:
            key = os.environ.get(name, "").strip()
            if key:
                return check_header_value(key, name)
        raise LanguageModelError(
            f"model={str(self)!r} needs a key: the environment variable "
            f"{' or '.join(names)} is not set. Set it before the call, or name "
            "another variable with api_key_env=. For a server that needs no key, "
            "give its base_url=.",
            reason="authentication",
        )

    def _ask_for_token(self):
        return None

    def _list_key_names(self):
        """Return the variables of which one must hold the key; none: no key is sent."""
        if self.api_key_env is not None:
            return (self.api_key_env,)
        # A key of the vendor is not for other servers.
        return () if self.base_url is not None else self.key_envs


def _show_value(name, value):
    if name == "token_provider":
        return "..."  # it may print a secret
    # a Price has to be imported, a tuple can be written down
    return repr(tuple(value) if name == "price" else value)


def describe_value(value):
    """Write down what a user passed, unless it looks like a key."""
    is_key = isinstance(value, str) and _KEY.match(value.strip())
    return "..." if is_key else repr(value)


def check_model_name(model, example, caller):
    """Refuse what is no name of a model, and a key in its place."""
    is_key = isinstance(model, str) and _SECRET.match(model.strip())
    if is_key or not isinstance(model, str) or not model.strip():
        raise ValueError(
            f"{caller}(model={describe_value(model)}): the name of a model is needed, "
            f"such as {example!r}."
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


def check_header_value(key, name):
    """Return the key if it can stand in a header; else what is sent would show it."""
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise LanguageModelError(
            f"The environment variable {name} holds something that cannot be a key: "
            "there is a space, a line break or a letter with an accent in it. Set it "
            "again.",
            reason="authentication",
        )
    return key


def check_url(url, place):
    """Refuse what is no address, and one that holds a secret, without showing it.

    `place` says where it was given, such as "OpenAIModel(base_url=...)".
    """
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_address = is_address and not re.search(r"\s", url)
        parts.port  # noqa: B018  (complains about what is no number)
    except (ValueError, TypeError, AttributeError):
        is_address = False
    if not is_address:
        raise ValueError(
            f"{place}: an address such as 'http://localhost:8000/v1' is needed."
        )
    holds_a_key = any(_SECRET.match(part) for part in parts.path.split("/"))
    if "@" in parts.netloc or parts.query or parts.fragment or holds_a_key:
        raise ValueError(
            f"{place}: an address must not hold a user name, a password, a key or "
            "parameters, which would be shown and stored. Use api_key_env= for a key."
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


def check_one_of(spec, parameter, choices):
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
