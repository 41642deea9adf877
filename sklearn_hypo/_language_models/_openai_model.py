"""Models behind OpenAI's protocol: OpenAI's own, and those of other servers by name."""

import inspect
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..exceptions import LanguageModelError
from ._addresses import is_local_address
from ._catalog import find_model
from ._decision_endpoints import DECISION_PATHS
from ._extras import freeze_extra
from ._model_spec import (
    ModelSpec,
    check_header_value,
    check_one_of,
    check_url,
    describe_value,
)
from ._openai import OpenAIConnection
from ._servers import (
    SERVERS,
    find_address,
    is_azure_host,
    is_azure_portal_url,
    read_azure_url,
)

_EXTRAS = ("extra_body", "extra_headers", "extra_query")


@dataclass(frozen=True, repr=False)
class OpenAIModel(ModelSpec):
    """A model of OpenAI, or of any server that speaks its protocol.

    Parameters
    ----------
    model : str
        Name of the model, such as "gpt-6-luna".
    base_url : str or None, default=None
        Address of another server, with its "/v1", such as
        "http://localhost:8000/v1". None: that of the `provider`. For Azure, any
        address of the resource that its portal shows.
    api_key_env : str or None, default=None
        NAME of the environment variable that holds the key. None: that of the
        `provider`, such as OPENAI_API_KEY; with a `base_url` of one's own, no key is
        sent.
    api : {"chat", "responses"}, default="chat"
        Chat Completions, which all servers have, or Responses (stored nowhere:
        ``store=False``).
    temperature, top_p : float or None, default=None
        Sent only if set; reasoning models reject them.
    seed : int or None, default=None
        Sent only if set, to Chat Completions only. A wish, not a promise.
    reasoning_effort : str or None, default="auto"
        Such as "none", "minimal" or "low". Reasoning is billed as output. None: not
        sent, so that the model reasons as its vendor has it. "auto": "none" for the
        default models, which would reason at "medium" unasked; not sent for others.
    max_output_tokens : int or None, default=None
        Limit on the answer, reasoning included.
    token_parameter : {"auto", "max_completion_tokens", "max_tokens"}, default="auto"
        How Chat Completions calls that limit. "auto": as the `provider` does; where the
        server refuses the first name, by the second, which is all that older ones know.
    structured_output : bool or "auto", default="auto"
        Whether to send a JSON schema; the parser manages without one. "auto": where the
        `provider` takes one, unless the server refuses it. With True, a refusal is an
        error.
    system_role : bool or "auto", default="auto"
        Whether instructions are a message of their own, from "system". False: they
        stand before the question, in one message. "auto": only where the server knows
        no such role.
    service_tier : str or None, default=None
        "flex" is slower, at half the price.
    price : tuple of float or None, default=None
        Dollars per million tokens: (input, cached input, output), or (input, output).
        None: from the table of known models.
    timeout : float or None, default=None
        Seconds until a call counts as lost. None: 60, or 600 for a server on this
        machine or in a private network, which may be slow, and would go on with a call
        that is given up.
    max_retries : int, default=6
        How often a failed call is repeated.
    requests_per_minute, tokens_per_minute : float or None, default=None
        Limits to stay below, for each run.
    provider : str, default="openai"
        Whose server it is: "openai", "ollama", "llamacpp", "vllm", "lmstudio",
        "azure", "openrouter", "mistral", "groq", "deepseek" or "anthropic". It stands
        for an address, the environment variable of a key, and what the server takes;
        `OpenAIModel("qwen3:8b", provider="ollama")` is what "ollama:qwen3:8b" means.
    extra_body : dict or None, default=None
        Further fields of each request, such as
        ``{"chat_template_kwargs": {"enable_thinking": False}}`` for Qwen 3 in vLLM.
    extra_headers, extra_query : dict or None, default=None
        Further headers, and parameters of the URL. A key is refused in any of the
        three: they are printed, and part of the key of the cache.
    token_provider : callable or None, default=None
        Returns a bearer token, asked before every call, in the place of a key: as
        `azure.identity.get_bearer_token_provider` makes one. It is not printed, not
        hashed, and pickled only if it is a function of a module.
    decisions_api : {"auto", "decisions", "systemone"}, default="auto"
        Which endpoint `layout="decisions"` asks: OpenAI's ``/decisions``, or
        ``/systemone``, as `transformers serve` has it. "auto": the first, and the
        second on servers that do not know the first.

    Raises
    ------
    ValueError
        For what cannot be sent, and for a key in any parameter, which is not shown.

    See Also
    --------
    GeminiModel : A model of Google.
    LLMAnnotator, LLMInterpreter : What they are used by.

    Examples
    --------
    >>> from sklearn_hypo import OpenAIModel
    >>> OpenAIModel("qwen3:8b", base_url="http://localhost:11434/v1")
    OpenAIModel('qwen3:8b', base_url='http://localhost:11434/v1')
    >>> print(OpenAIModel("qwen3:8b", provider="ollama"))
    ollama:qwen3:8b
    """

    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    api: str = "chat"
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    reasoning_effort: str | None = "auto"
    max_output_tokens: int | None = None
    token_parameter: str = "auto"
    structured_output: bool | str = "auto"
    system_role: bool | str = "auto"
    service_tier: str | None = None
    price: tuple | None = None
    timeout: float | None = None
    max_retries: int = 6
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    provider: str = "openai"
    extra_body: dict | None = None
    extra_headers: dict | None = None
    extra_query: dict | None = None
    token_provider: Callable | None = field(default=None, compare=False)
    decisions_api: str = "auto"

    package = "openai"
    key_envs = ("OPENAI_API_KEY",)
    base_url_env = "OPENAI_BASE_URL"
    default_models = {
        "annotator": "gpt-6-luna",
        "interpreter": "gpt-6.1-terra",
        "embedding": "text-embedding-3-small",
    }
    texts_per_request = 2048

    def __post_init__(self):
        check_one_of(self, "provider", tuple(SERVERS))
        if isinstance(self.base_url, str) and is_azure_portal_url(self.base_url):
            object.__setattr__(self, "base_url", self._rewrite_azure_url())
        super().__post_init__()
        check_one_of(self, "api", ("chat", "responses"))
        check_one_of(self, "decisions_api", ("auto", *DECISION_PATHS))
        check_one_of(
            self, "token_parameter", ("auto", "max_completion_tokens", "max_tokens")
        )
        for parameter in ("structured_output", "system_role"):
            check_one_of(self, parameter, (True, False, "auto"))
        for name in _EXTRAS:
            frozen = freeze_extra(getattr(self, name), name, type(self).__name__)
            object.__setattr__(self, name, frozen)
        if self.token_provider is not None and not callable(self.token_provider):
            # what arrived may be the token itself, so it is not shown
            raise ValueError(
                "OpenAIModel(token_provider=...): a function that returns a token is "
                "needed."
            )

    def _rewrite_azure_url(self):
        """Return the address for OpenAI's protocol of what Azure's portal shows."""
        base_url, deployment = read_azure_url(self.base_url)
        check_url(base_url, "OpenAIModel(base_url=...)")
        if self.provider == "azure" and deployment in ("", self.model):
            return base_url
        shown = describe_value(deployment or self.model)
        raise ValueError(
            "OpenAIModel(base_url=...): the address of a deployment at Azure is no "
            f"base_url for the model {describe_value(self.model)}. Write "
            f"OpenAIModel({shown}, provider='azure', base_url={base_url!r})."
        )

    def __getstate__(self):
        function = self.token_provider
        is_of_module = inspect.isfunction(function) and "<" not in function.__qualname__
        if function is not None and not is_of_module:
            raise TypeError(
                "OpenAIModel(token_provider=...) is not pickled, because it may hold a "
                "secret. Define it as a function of a module, which makes its "
                "credential when it is called."
            )
        return self.__dict__.copy()

    @property
    def known_server(self):
        """What is known of the server, as a row of the table of servers."""
        return SERVERS[self.provider]

    @property
    def embeds(self):
        """Whether the server has models that embed texts."""
        return self.known_server.embeds

    @property
    def batch_limits(self):
        """Most requests and bytes of one batch job; None where there are no batches."""
        return (50_000, 190_000_000) if self.provider == "openai" else None

    @property
    def token_name(self):
        """How the limit on the answer is called in Chat Completions."""
        if self.token_parameter != "auto":
            return self.token_parameter
        return self.known_server.token_parameter

    @property
    def sends_schema(self):
        """Whether a JSON schema is sent."""
        if self.structured_output != "auto":
            return self.structured_output
        return self.known_server.json_schema

    @property
    def effort(self):
        """The effort of reasoning that is sent; None for nothing."""
        if self.reasoning_effort != "auto":
            return self.reasoning_effort
        known = find_model(self.provider, self.model)
        return (known and known.reasoning_effort) or None

    def _list_sent(self):
        sent = super()._list_sent()
        for name in ("reasoning_effort", "structured_output"):
            sent.pop(name, None)
        if self.effort is not None:
            sent["reasoning_effort"] = self.effort
        if not self.sends_schema:
            sent["structured_output"] = False
        return sent

    def _find_address(self):
        return find_address(self.known_server)

    def advise_on_address(self):
        """Return what to do where the server has nothing at the address.

        Returns
        -------
        advice : str
            A sentence or two.
        """
        address = self.server().rstrip("/")
        if address and not re.search(r"/v\d+\w*\Z", address):
            return (
                f"The address is {address!r}, and that of OpenAI's protocol usually "
                f"ends in /v1: try base_url={f'{address}/v1'!r}."
            )
        where = f"The address is {address!r}: check base_url=, and" if address else ""
        return (
            f"{where or 'Check'} whether the server has the endpoint, which api= and "
            "layout= choose."
        )

    def _is_free(self):
        # what runs on a machine of the user; Ollama has a cloud as well
        return self.known_server.is_local and is_local_address(self.server())

    def _at_half_price(self):
        return self.service_tier == "flex"

    def _list_key_names(self):
        server = self.known_server
        if self.api_key_env is not None:
            return (self.api_key_env,)
        if self.base_url is not None and not (
            self.provider == "azure" and is_azure_host(self.base_url)
        ):
            return ()  # a key of the provider is not for other servers
        if not server.needs_key and not os.environ.get(server.key_env, "").strip():
            return ()
        return (server.key_env,)

    def _ask_for_token(self):
        if self.token_provider is None:
            return None
        try:
            token = self.token_provider()
        except Exception as error:
            raise LanguageModelError(
                f"model={str(self)!r}: token_provider= raised {type(error).__name__}. "
                "Check the credential that it uses.",
                reason="authentication",
            ) from error
        if not isinstance(token, str) or not token.strip():
            raise LanguageModelError(
                f"model={str(self)!r}: token_provider= must return a str; "
                f"{type(token).__name__} arrived, or an empty one.",
                reason="authentication",
            )
        return check_header_value(token.strip(), "that token_provider= reads")

    def _connect(self, n_connections):
        return OpenAIConnection(self, n_connections)
