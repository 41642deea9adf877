"""OpenAI's protocol, through OpenAI's SDK.

Bodies are sent with the client's own ``post``, and read as plain JSON: the typed
methods send and parse the same, but cost more than twice the time of a processor per
call, refuse what a later release or another server adds, and differ between versions.
"""

import base64
import inspect
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np

from ..exceptions import LanguageModelError
from ._adaptation import recall_left_out
from ._addresses import bypass_proxies
from ._catalog import find_model
from ._connection import (
    TAG,
    BatchState,
    find_job,
    read_or_failed,
    read_vectors,
)
from ._decision_endpoints import (
    DECISION_PATHS,
    DecisionEndpoint,
    read_decision_answers,
)
from ._error_bodies import find_failed_generation
from ._errors import MalformedReplyError, raise_error_in
from ._extras import freeze_extra
from ._logprobs import (
    FEW_ALTERNATIVES,
    MOST_ALTERNATIVES,
    is_about_logprobs,
    no_logprobs_error,
    read_word_reply,
)
from ._loose_json import is_json_object, is_only_reasoning
from ._model_spec import ModelSpec, check_header_value, check_one_of, check_url
from ._servers import (
    SERVERS,
    find_address,
    is_azure_host,
    is_azure_portal_url,
    read_azure_url,
)
from ._values import (
    ANSWERED,
    BLOCKED,
    CUT,
    FAILED,
    REFUSED,
    UNPARSABLE,
    Reply,
    Usage,
    as_count,
)


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
        raise ValueError(
            "OpenAIModel(base_url=...): the address of a deployment at Azure is no "
            f"base_url of OpenAI's protocol for the model {self.model!r}. Write "
            f"OpenAIModel({deployment or self.model!r}, provider='azure', "
            f"base_url={base_url!r})."
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
        if not self.sends_schema or self.structured_output is True:
            # "auto" may have to do without a schema, which True does not
            sent["structured_output"] = self.sends_schema
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
        # what runs on a machine of the user
        return self.known_server.is_local and self.base_url is None

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


_EXTRAS = ("extra_body", "extra_headers", "extra_query")


# Sent where a server needs no key; the SDK insists on one.
_NO_KEY = "local-no-auth"


class OpenAIConnection:
    """A client of OpenAI's SDK; see `Connection`."""

    def __init__(self, model, n_connections):
        import openai

        self.model = model
        self.left_out = recall_left_out(model)
        headers, query = dict(model.extra_headers or {}), dict(model.extra_query or {})
        key = model.read_key()
        self._client = openai.OpenAI(
            # a function is called before each request, as tokens expire
            api_key=model.read_key if model.token_provider else key or _NO_KEY,
            base_url=model.server() or None,
            max_retries=0,
            timeout=model.timeout_seconds(),
            default_headers=headers,
            default_query=query,
            http_client=_open_http_client(model),
        )
        if model.base_url is not None or model.provider != "openai":
            # Names of an account at OpenAI are not for other servers, nor are headers
            # of its users (OPENAI_CUSTOM_HEADERS).
            self._client.organization = self._client.project = None
            self._client._custom_headers = headers
        self._options = {}
        header = model.known_server.key_header
        if header != "Authorization" and key and model.token_provider is None:
            self._options = {"headers": {header: key, "Authorization": openai.Omit()}}
        self._decisions = DecisionEndpoint(model)
        self._most_alternatives = MOST_ALTERNATIVES

    def close(self):
        """Close the connection."""
        self._client.close()

    def ask(self, prompt):
        """Ask a chat model; see `Connection.ask`."""
        if self.model.api == "responses":
            body = build_responses_body(self.model, prompt, self.left_out)
            return read_response(self._post("/responses", body))
        if prompt.n_alternatives is not None:
            return self._ask_word(prompt)
        body = build_chat_body(self.model, prompt, self.left_out)
        try:
            return read_chat(self._post("/chat/completions", body))
        except Exception as error:
            generated = find_failed_generation(error)
            if generated is None:
                raise
        # the server found that it is no JSON; which it may be all the same
        return _make_reply({}, generated, None, "stop", False, None)

    def _ask_word(self, prompt):
        """Ask for P(yes), with as many alternatives as the server gives."""
        prompt = replace(
            prompt, n_alternatives=min(prompt.n_alternatives, self._most_alternatives)
        )
        body = build_chat_body(self.model, prompt, self.left_out)
        try:
            body = self._post("/chat/completions", body)
        except Exception as error:
            if not is_about_logprobs(error, prompt):
                raise
            if prompt.n_alternatives <= FEW_ALTERNATIVES:
                raise no_logprobs_error(self.model, str(error)[:200]) from error
            self._most_alternatives = FEW_ALTERNATIVES
            return self._ask_word(prompt)
        return read_word_reply(read_chat(body), body, self.model)

    def decide(self, questions):
        """Ask a Decisions endpoint; see `Connection.decide`."""
        bodies = self._decisions.ask(self._post, questions)
        return reduce(join_decisions, map(read_decisions, bodies))

    def embed(self, texts, *, dimensions=None, task_type=None):
        """Embed texts; see `Connection.embed`. The task type is not known here."""
        body = {"model": self.model.model, "input": texts}
        if self.model.provider == "openai" and self.model.base_url is None:
            # Half the size, and read in a tenth of the time. Not all servers know it.
            body["encoding_format"] = "base64"
        if dimensions is not None:
            body["dimensions"] = dimensions
        return read_embeddings(self._post("/embeddings", body), len(texts))

    def batches(self):
        """Return the batch endpoint."""
        return OpenAIBatches(self.model, self._client)

    def _post(self, path, body):
        body = add_extra(self.model, body)
        reply = self._client.post(
            path, body=body, cast_to=object, options=self._options
        )
        if not isinstance(reply, dict):
            raise MalformedReplyError(f"no JSON object: {str(reply)[:200]!r}")
        raise_error_in(reply)
        return reply


def _open_http_client(model):
    """Return a client that no proxy gets in between; None for the SDK's own."""
    import openai

    mounts = bypass_proxies(model.server())
    return openai.DefaultHttpxClient(mounts=mounts) if mounts else None


def build_chat_body(model, prompt, left_out=frozenset()):
    """Build the body for Chat Completions; what the user did not set is not in it.

    `left_out` are parameters that the server refuses; see `_adaptation`.
    """
    limit = prompt.max_output_tokens or model.max_output_tokens
    body = {
        "model": model.model,
        "messages": _build_messages(model, prompt, left_out),
        _name_limit(model, left_out): limit,
        model.known_server.seed_parameter: model.seed,
        "reasoning_effort": _choose_effort(model, left_out),
        "logprobs": prompt.n_alternatives and True,
        "top_logprobs": prompt.n_alternatives,
        **_build_common(model, prompt),
    }
    if _sends_schema(model, prompt, left_out):
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": _wrap_schema(prompt),
        }
    return _drop_unset(body)


def _build_messages(model, prompt, left_out):
    if model.system_role is False or "system" in left_out:
        content = f"{prompt.system}\n\n{prompt.user}"
        return [{"role": "user", "content": content}]
    return [
        {"role": "system", "content": prompt.system},
        {"role": "user", "content": prompt.user},
    ]


def _name_limit(model, left_out):
    return "max_tokens" if model.token_name in left_out else model.token_name


def _choose_effort(model, left_out):
    return None if "reasoning_effort" in left_out else model.effort


def _sends_schema(model, prompt, left_out):
    is_refused = "response_format" in left_out
    return prompt.schema is not None and model.sends_schema and not is_refused


def build_responses_body(model, prompt, left_out=frozenset()):
    """Build the body for Responses; see `build_chat_body`."""
    body = {
        "model": model.model,
        "instructions": prompt.system,
        "input": prompt.user,
        "store": False,
        "max_output_tokens": prompt.max_output_tokens or model.max_output_tokens,
        **_build_common(model, prompt),
    }
    effort = _choose_effort(model, left_out)
    if effort is not None:
        body["reasoning"] = {"effort": effort}
    if _sends_schema(model, prompt, left_out):
        body["text"] = {"format": {"type": "json_schema", **_wrap_schema(prompt)}}
    return _drop_unset(body)


def _build_common(model, prompt):
    temperature = prompt.temperature
    return {
        "temperature": model.temperature if temperature is None else temperature,
        "top_p": model.top_p,
        "service_tier": model.service_tier,
    }


def add_extra(model, body):
    """Add the fields of `extra_body`, which go before those that are built here."""
    return body | model.extra_body.to_dict() if model.extra_body else body


def _wrap_schema(prompt):
    return {"name": "answer", "strict": True, "schema": prompt.schema}


def _drop_unset(body):
    return {name: value for name, value in body.items() if value is not None}


def read_chat(body):
    """Return the Reply, with a text, that the JSON of Chat Completions holds."""
    try:
        choice = body["choices"][0]
        message = choice["message"]
        finish = choice.get("finish_reason")
        text = message.get("content")
        refusal = message.get("refusal")
        # vLLM, Ollama and OpenRouter say "reasoning", DeepSeek "reasoning_content"
        thoughts = message.get("reasoning") or message.get("reasoning_content")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise MalformedReplyError(f"no choices[0].message: {body}") from error
    usage = _read_usage(body.get("usage"), "prompt", "completion")
    return _make_reply(
        body, _join_parts(text), refusal, finish, finish == "length", usage, thoughts
    )


def read_response(body):
    """Read a reply of Responses; see `read_chat`."""
    raise_error_in(body)
    try:
        parts = [
            part
            for item in body["output"]
            if item.get("type") == "message"
            for part in item["content"]
        ]
        refusals = [p.get("refusal") for p in parts if p.get("type") == "refusal"]
        texts = [p for p in parts if p.get("type") == "output_text"]
        reason = (body.get("incomplete_details") or {}).get("reason")
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedReplyError(f"no output: {body}") from error
    refusal = refusals[0] or "declined" if refusals else None
    usage = _read_usage(body.get("usage"), "input", "output")
    was_cut = reason == "max_output_tokens"
    return _make_reply(body, _join_parts(texts), refusal, reason, was_cut, usage)


def _join_parts(content):
    """Return a text that came in parts, as some servers send it, in one piece."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _make_reply(body, text, refusal, finish, was_cut, usage, thoughts=None):
    version = str(body.get("model") or "")
    if refusal:
        return Reply(REFUSED, None, usage, version, str(refusal)[:300])
    if finish == "content_filter":
        return Reply(BLOCKED, None, usage, version, "content_filter")
    text = text.strip() if isinstance(text, str) else ""
    if not text and not was_cut and is_json_object(thoughts):
        text = thoughts  # vLLM files an answer without reasoning under reasoning
    if text:
        only_reasoned = is_only_reasoning(text)
    else:
        only_reasoned = bool(thoughts or (usage and usage.reasoning_tokens))
    if was_cut:
        detail = "limit on output tokens reached"
        detail += " while it reasoned" if only_reasoned else ""
        return Reply(CUT, None, usage, version, detail, only_reasoned)
    if only_reasoned or not text:
        detail = "reasoning without an answer" if only_reasoned else "empty answer"
        return Reply(UNPARSABLE, None, usage, version, detail, only_reasoned)
    return Reply(ANSWERED, text, usage, version)


def read_decisions(body):
    """Read a reply of a Decisions endpoint; see `read_chat`."""
    answers = read_decision_answers(body)
    usage = _read_usage(body.get("usage"), "input", "output")
    return Reply(ANSWERED, answers, usage, str(body.get("model") or ""))


def join_decisions(one, other):
    """Return the Reply to all questions that were asked in two requests."""
    known = one.usage is not None and other.usage is not None
    usage = one.usage + other.usage if known else None
    return one._replace(content=one.content | other.content, usage=usage)


def read_embeddings(body, n_texts):
    """Read a reply of the embeddings endpoint to `n_texts` texts; see `read_chat`."""
    try:
        rows = sorted(body["data"], key=lambda row: row["index"])
        places = [row["index"] for row in rows]
        vectors = [_read_vector(row["embedding"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedReplyError(f"no embeddings: {body}") from error
    vectors = read_vectors(vectors, n_texts)
    if places != list(range(n_texts)):
        raise MalformedReplyError("embeddings whose numbers do not count the texts")
    usage = _read_usage(body.get("usage"), "prompt", "completion")
    return Reply(ANSWERED, vectors, usage, str(body.get("model") or ""))


def _read_vector(value):
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
    return value


def _read_usage(usage, sent, received):
    """Read the count of tokens, whose names differ between the endpoints."""
    if not isinstance(usage, dict):
        return None
    total = _read_count(usage, "total_tokens")
    n_sent = _read_count(usage, f"{sent}_tokens", total)
    if n_sent is None:
        return None
    rest = max(0, (total or 0) - n_sent)
    details = usage.get(f"{sent}_tokens_details")
    return Usage(
        1,
        n_sent,
        _read_count(details, "cached_tokens", 0),
        _read_count(details, "cache_write_tokens", 0),
        _read_count(usage, f"{received}_tokens", rest),
        _read_count(usage.get(f"{received}_tokens_details"), "reasoning_tokens", 0),
    )


def _read_count(counts, name, default=None):
    """Return a number of tokens, or the default where there is none."""
    return as_count(counts.get(name) if isinstance(counts, dict) else None, default)


_RESPONSES = "/v1/responses"
_OPENAI_STATES = {"completed": "done", "expired": "done", "cancelled": "done"}
_OPENAI_PENDING = ("validating", "in_progress", "finalizing", "cancelling")


class OpenAIBatches:
    """Batches of OpenAI, sent as files; see `Batches`."""

    def __init__(self, model, client):
        self.model = model
        self._client = client
        responses = model.api == "responses"
        self._body = build_responses_body if responses else build_chat_body
        self._endpoint = _RESPONSES if responses else "/v1/chat/completions"

    def write(self, name, prompt):
        """Write one request."""
        line = {
            "custom_id": name,
            "method": "POST",
            "url": self._endpoint,
            "body": add_extra(self.model, self._body(self.model, prompt)),
        }
        return json.dumps(line)

    def submit(self, tag, written):
        """Submit requests that `write` wrote; return the vendor's name of the job."""
        data = "\n".join(written).encode()
        file = self._client.files.create(file=(_name_file(tag), data), purpose="batch")
        job = self._client.batches.create(
            input_file_id=file.id,
            endpoint=self._endpoint,
            completion_window="24h",
            metadata={TAG: tag},
        )
        return job.id

    def find(self, tag):
        """Look for a job by its tag; None if there is none."""
        jobs = self._client.batches.list(limit=100)
        return find_job(((job.id, (job.metadata or {}).get(TAG)) for job in jobs), tag)

    def fetch(self, name):
        """Ask for the state of a job, and for its answers if it is done."""
        job = self._client.batches.retrieve(name)
        if job.status in _OPENAI_PENDING:
            return BatchState("pending", {})
        # of the job, which need not be that of this specification
        read = read_response if job.endpoint == _RESPONSES else read_chat
        replies = {}
        for file in (job.output_file_id, job.error_file_id):
            if file:
                content = self._client.files.content(file).text
                # not splitlines(): a line may hold other characters that end lines
                for line in content.split("\n"):
                    replies |= _read_line(line, read) if line.strip() else {}
        if job.status in _OPENAI_STATES or replies:
            return BatchState("done", replies)
        errors = getattr(job.errors, "data", None) or []
        reasons = "; ".join(dict.fromkeys(str(error.message) for error in errors))
        return BatchState("failed", {}, f"{job.status}: {reasons}"[:300])

    def discard(self, name, tag):
        """Delete the files of a job, which hold the texts, and those that got lost."""
        if name is not None:
            job = self._client.batches.retrieve(name)
            for file in (job.input_file_id, job.output_file_id, job.error_file_id):
                if file:
                    self._client.files.delete(file)
        # uploaded before a connection broke, or a process died
        for file in list(self._client.files.list(purpose="batch")):
            if file.filename == _name_file(tag):
                self._client.files.delete(file.id)


def _name_file(tag):
    return f"{tag}.jsonl"


def _read_line(line, read):
    """Return the reply in a line of a file of answers, by the name of its request."""
    try:
        entry = json.loads(line)
        response = entry.get("response") or {}
    except (ValueError, AttributeError):
        return {}  # one broken line does not cost the others
    if response.get("status_code") != 200:
        reason = entry.get("error") or response.get("body")
        return {entry["custom_id"]: Reply(FAILED, detail=str(reason)[:300])}
    return {entry["custom_id"]: read_or_failed(read, response.get("body"))}
