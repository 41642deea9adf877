"""Specifications of language models: which one, where, and with which parameters.

A specification is a small immutable value. It can be copied, compared, pickled,
printed and searched over, and it never holds a key: the key is read from the
environment when a connection is opened.
"""

import os
from dataclasses import dataclass, fields

from ..exceptions import LanguageModelError
from ._catalog import DEFAULTS, price_of
from ._model_checks import (
    NUMBERS,
    as_number,
    as_price,
    check_choice,
    check_is_set,
    check_key_name,
    check_model_name,
    check_url,
    describe,
    sendable,
)

# What a message to the server is made of. Everything else in a specification says how
# to get there, and does not change an answer.
_TRANSPORT = {
    "api_key_env",
    "price",
    "timeout",
    "max_retries",
    "requests_per_minute",
    "tokens_per_minute",
    "base_url",
    "service_tier",
    "token_parameter",
}


class _ModelSpec:
    """What the specifications share."""

    def __post_init__(self):
        name = type(self).__name__
        check_model_name(self.model, self.provider, name)
        check_key_name(self.api_key_env, name)
        check_url(self.base_url, name)
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and field.name in NUMBERS:
                number = as_number(value, *NUMBERS[field.name], field.name, name)
                object.__setattr__(self, field.name, number)
        check_is_set(self, ("timeout", "max_retries"))
        if self.price is not None:
            object.__setattr__(self, "price", as_price(self.price, name))

    def __repr__(self):
        shown = [
            # a Price has to be imported, a tuple can be written down
            f"{field.name}={tuple(value) if field.name == 'price' else value!r}"
            for field in fields(self)[1:]
            if (value := getattr(self, field.name)) != field.default
        ]
        return f"{type(self).__name__}({', '.join([repr(self.model), *shown])})"

    def __str__(self):
        return f"{self.provider}:{self.model}"

    def price_per_million(self):
        """Return the price that applies.

        Returns
        -------
        price : Price or None
            Dollars per million tokens; None if it is not known.
        """
        price = self.price or price_of(self.provider, self.model)
        return price.half() if price and self._at_half_price() else price

    def _at_half_price(self):
        return False

    def identity(self):
        """Return all that changes an answer, for the key of the answer cache.

        Returns
        -------
        identity : dict
            Can be written as JSON. Never holds a key of a provider.
        """
        sent = {
            field.name: value
            for field in fields(self)
            if field.name not in _TRANSPORT
            and (value := getattr(self, field.name)) != field.default
        }
        return {"provider": self.provider, "server": self.server(), **sent}

    def server(self):
        """Return the address in force.

        Returns
        -------
        address : str
            Empty for the vendor's own.
        """
        return self.base_url or os.environ.get(self.base_url_env, "")

    def read_key(self):
        """Read the key from the environment, now.

        Returns
        -------
        key : str or None
            None if there is none and none is needed.

        Raises
        ------
        LanguageModelError
            If there is none and one is needed.
        """
        if self.api_key_env is not None:
            names = (self.api_key_env,)
        elif self.base_url is not None:
            # A key of the vendor is not for other servers.
            return None
        else:
            names = self.key_envs
        for name in names:
            key = os.environ.get(name, "").strip()
            if key:
                return sendable(key, name)
        raise LanguageModelError(
            f"model={str(self)!r} needs a key: the environment variable "
            f"{' or '.join(names)} is not set. Set it before the call, or name "
            "another variable with api_key_env=. For a server that needs no key, "
            "give its base_url=.",
            reason="authentication",
        )


@dataclass(frozen=True, repr=False)
class OpenAIModel(_ModelSpec):
    """A model of OpenAI, or of any server that speaks its protocol.

    Parameters
    ----------
    model : str
        Name of the model, such as "gpt-6-luna".
    base_url : str or None, default=None
        Address of another server, with its "/v1", such as
        "http://localhost:11434/v1" for Ollama. None: the environment variable
        OPENAI_BASE_URL, else OpenAI.
    api_key_env : str or None, default=None
        NAME of the environment variable that holds the key. None: OPENAI_API_KEY;
        with a `base_url`, no key is sent.
    api : {"chat", "responses"}, default="chat"
        Chat Completions, which all servers have, or Responses (stored nowhere:
        ``store=False``).
    temperature, top_p : float or None, default=None
        Sent only if set; reasoning models reject them.
    seed : int or None, default=None
        Sent only if set, to Chat Completions only. A wish, not a promise.
    reasoning_effort : str or None, default=None
        Such as "none", "minimal" or "low". Reasoning is billed as output.
    max_output_tokens : int or None, default=None
        Limit on the answer, reasoning included.
    token_parameter : {"max_completion_tokens", "max_tokens"}, \
default="max_completion_tokens"
        How Chat Completions calls that limit; old servers know the second name only.
    structured_output : bool, default=True
        Whether to send a JSON schema. The parser manages without one.
    service_tier : str or None, default=None
        "flex" is slower, at half the price.
    price : tuple of float or None, default=None
        Dollars per million tokens: (input, cached input, output), or (input, output).
        None: from the table of known models.
    timeout : float, default=60.0
        Seconds until a call counts as lost.
    max_retries : int, default=6
        How often a failed call is repeated.
    requests_per_minute, tokens_per_minute : float or None, default=None
        Limits to stay below, for each run.

    See Also
    --------
    GeminiModel : A model of Google.
    LLMAnnotator, LLMInterpreter : What they are used by.

    Examples
    --------
    >>> from sklearn_hypo import OpenAIModel
    >>> OpenAIModel("qwen3:8b", base_url="http://localhost:11434/v1")
    OpenAIModel('qwen3:8b', base_url='http://localhost:11434/v1')
    """

    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    api: str = "chat"
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    max_output_tokens: int | None = None
    token_parameter: str = "max_completion_tokens"
    structured_output: bool = True
    service_tier: str | None = None
    price: tuple | None = None
    timeout: float = 60.0
    max_retries: int = 6
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    provider = "openai"
    key_envs = ("OPENAI_API_KEY",)
    base_url_env = "OPENAI_BASE_URL"

    def __post_init__(self):
        super().__post_init__()
        check_choice(self, "api", ("chat", "responses"))
        check_choice(self, "token_parameter", ("max_completion_tokens", "max_tokens"))

    def _at_half_price(self):
        return self.service_tier == "flex"

    def connect(self, n_connections):
        """Open a connection; the key is read now.

        Parameters
        ----------
        n_connections : int
            Calls that will be under way at once.

        Returns
        -------
        connection : OpenAIConnection
            To be closed, and not to be shared between processes.
        """
        from ._openai import OpenAIConnection

        return OpenAIConnection(self, n_connections)


@dataclass(frozen=True, repr=False)
class GeminiModel(_ModelSpec):
    """A Gemini model of Google.

    Parameters
    ----------
    model : str
        Name of the model, such as "gemini-2.5-flash-lite".
    base_url : str or None, default=None
        Address of another server, without a version. None: the environment variable
        GOOGLE_GEMINI_BASE_URL, else Google.
    api_key_env : str or None, default=None
        NAME of the environment variable that holds the key. None: GOOGLE_API_KEY,
        then GEMINI_API_KEY; with a `base_url`, no key is sent.
    api_version : str, default="v1beta"
        Version of the protocol.
    temperature, top_p : float or None, default=None
        Sent only if set. Newer models ignore them.
    seed : int or None, default=None
        Sent only if set. A wish, not a promise.
    thinking_budget : int or None, default=None
        For 2.5 models: 0 is off, -1 leaves it to the model. Thinking is billed as
        output.
    thinking_level : str or None, default=None
        For 3.x models, such as "minimal".
    max_output_tokens : int or None, default=None
        Limit on the answer, thinking included.
    safety : {"default", "off"}, default="default"
        "off" switches off the filters that can be (harassment, hate speech, sexually
        explicit, dangerous content), as studies of such texts need.
    structured_output : bool, default=True
        Whether to send a JSON schema.
    price : tuple of float or None, default=None
        Dollars per million tokens: (input, cached input, output), or (input, output).
        None: from the table of known models.
    timeout : float, default=60.0
        Seconds until a call counts as lost.
    max_retries : int, default=6
        How often a failed call is repeated.
    requests_per_minute, tokens_per_minute : float or None, default=None
        Limits to stay below, for each run.

    See Also
    --------
    OpenAIModel : A model of OpenAI, or of a server that speaks its protocol.
    LLMAnnotator, LLMInterpreter : What they are used by.

    Examples
    --------
    >>> from sklearn_hypo import GeminiModel
    >>> GeminiModel("gemini-2.5-flash-lite", thinking_budget=0)
    GeminiModel('gemini-2.5-flash-lite', thinking_budget=0)
    """

    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    api_version: str = "v1beta"
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None
    max_output_tokens: int | None = None
    safety: str = "default"
    structured_output: bool = True
    price: tuple | None = None
    timeout: float = 60.0
    max_retries: int = 6
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    provider = "gemini"
    key_envs = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    base_url_env = "GOOGLE_GEMINI_BASE_URL"

    def __post_init__(self):
        super().__post_init__()
        check_choice(self, "safety", ("default", "off"))

    def connect(self, n_connections):
        """Open a connection; the key is read now.

        Parameters
        ----------
        n_connections : int
            Calls that will be under way at once.

        Returns
        -------
        connection : GeminiConnection
            To be closed, and not to be shared between processes.
        """
        from ._gemini import GeminiConnection

        return GeminiConnection(self, n_connections)


PROVIDERS = {"openai": OpenAIModel, "gemini": GeminiModel}


def as_model(model, role="annotator"):
    """Turn a `model` parameter into a specification.

    Parameters
    ----------
    model : OpenAIModel, GeminiModel, str or callable
        A string is "openai:NAME" or "gemini:NAME"; the provider alone stands for its
        default model.
    role : {"annotator", "interpreter", "embedding"}, default="annotator"
        Chooses the default model.

    Returns
    -------
    model : OpenAIModel, GeminiModel or CallableModel
        The specification.

    Raises
    ------
    ValueError, TypeError
        If it names no provider, and for anything else.
    """
    if isinstance(model, _ModelSpec):
        return model
    if isinstance(model, str):
        provider, _, name = model.partition(":")
        if provider not in PROVIDERS:
            raise ValueError(
                f"model={describe(model)} names no provider. Write 'openai:NAME' or "
                "'gemini:NAME', or pass OpenAIModel(NAME, base_url=...) for another "
                "server."
            )
        return PROVIDERS[provider](name.strip() or DEFAULTS[provider, role])
    if callable(model) and not isinstance(model, type):
        from ._callable import CallableModel

        return CallableModel(model)
    kind = model.__name__ if isinstance(model, type) else type(model).__name__
    raise TypeError(
        "model= expects 'openai:NAME', 'gemini:NAME', an OpenAIModel, a GeminiModel "
        f"or a function from a prompt to an answer; {kind} arrived."
        + (" Clients of an SDK cannot be copied." if hasattr(model, "chat") else "")
    )
