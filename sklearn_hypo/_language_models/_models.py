"""Whom `model=` may name: the providers, and functions in their place."""

from .._utils._callables import identify_callable
from ._catalog import Price
from ._gemini import GeminiModel
from ._model_spec import ModelSpec, describe_value
from ._openai_model import OpenAIModel
from ._servers import SERVERS
from ._transformers import TransformersModel
from ._values import ANSWERED, UNPARSABLE, Reply, Usage

PROVIDERS = {spec.provider: spec for spec in (OpenAIModel, GeminiModel)}

_ALL = {**PROVIDERS, **SERVERS}
PROVIDER_NAMES = f"'PROVIDER:NAME' (PROVIDER is one of {', '.join(_ALL)}, transformers)"
SPECIFICATIONS = ", ".join(spec.__name__ for spec in PROVIDERS.values())


def as_model(model, role="annotator"):
    """Turn a `model` parameter into a specification.

    A string is "provider:NAME". Of OpenAI and Google, the provider alone stands for its
    default model in the role: "annotator", "interpreter" or "embedding".
    """
    if isinstance(model, ModelSpec):
        return model
    if isinstance(model, str):
        return _read_string(model, role)
    if callable(model) and not isinstance(model, type):
        return CallableModel(model)
    kind = model.__name__ if isinstance(model, type) else type(model).__name__
    raise TypeError(
        f"model= expects {PROVIDER_NAMES}, a specification ({SPECIFICATIONS}) or a "
        f"function from a prompt to an answer; {kind} arrived."
        + (" Clients of an SDK cannot be copied." if hasattr(model, "chat") else "")
    )


def names_provider(model):
    """Whether a string is meant for a provider, and not for another kind of model."""
    return model.partition(":")[0] in _ALL


def _read_string(model, role):
    provider, _, name = model.partition(":")
    if provider == TransformersModel.provider:
        default = TransformersModel.default_models["annotator"]
        return TransformersModel(name.strip() or default)
    if not names_provider(model):
        raise ValueError(
            f"model={describe_value(model)} names no provider. Write "
            f"{PROVIDER_NAMES}, or pass OpenAIModel(NAME, base_url=...) for another "
            "server."
        )
    name = name.strip()
    if provider in PROVIDERS:
        spec = PROVIDERS[provider]
        return spec(name or spec.default_models.get(role, ""))
    if not name:
        raise ValueError(
            f"model={model!r} names no model. {SERVERS[provider].name} has no default "
            f"here: write '{provider}:NAME'."
        )
    return OpenAIModel(name, provider=provider)


class CallableModel:
    """A function in the place of a provider.

    Parameters
    ----------
    function : callable
        Takes a prompt (instructions, an empty line, the question), returns an answer.
        Called by several threads at once only if the user sets `n_workers`.
    """

    provider = "callable"
    default_layout = "single"
    default_workers = 1
    batch_limits = None
    max_retries = 3
    timeout = None
    max_output_tokens = None
    requests_per_minute = None
    tokens_per_minute = None

    def __init__(self, function):
        self.function = function

    @property
    def model(self):
        """The name of the function."""
        function = self.function
        return getattr(function, "__qualname__", type(function).__name__)

    def __str__(self):
        return f"callable:{self.model}"

    def price_per_million(self):
        """Return a price of nothing: what a function costs, its owner knows."""
        return Price(0.0, 0.0, 0.0)

    def server(self):
        """Return an empty address."""
        return ""

    def read_key(self):
        """Return None: no key is needed."""

    def identity(self):
        """Tell the function from any other; see `identify_callable`."""
        return {"provider": "callable", "function": identify_callable(self.function)}

    def connect(self, n_connections):
        """Return an object that calls the function."""
        return _CallableConnection(self.function)


class _CallableConnection:
    def __init__(self, function):
        self._function = function

    def close(self):
        """Do nothing."""

    def ask(self, prompt):
        """Call the function."""
        answer = self._function(f"{prompt.system}\n\n{prompt.user}")
        if not isinstance(answer, str):
            raise TypeError(
                "model=: the function must return the answer as a str; "
                f"{type(answer).__name__} arrived."
            )
        if not answer.strip():
            return Reply(UNPARSABLE, None, Usage(1), "", "empty answer")
        return Reply(ANSWERED, answer, Usage(1))
