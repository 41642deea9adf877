"""Gemini's protocol, through Google's SDK."""

import json
from contextlib import contextmanager
from dataclasses import dataclass

from ._addresses import bypass_proxies
from ._connection import (
    TAG,
    BatchState,
    find_job,
    read_or_failed,
    read_vectors,
)
from ._errors import MalformedReplyError
from ._model_spec import ModelSpec, check_one_of
from ._values import (
    ANSWERED,
    BLOCKED,
    CUT,
    FAILED,
    UNPARSABLE,
    Reply,
    Usage,
    as_count,
)


@dataclass(frozen=True, repr=False)
class GeminiModel(ModelSpec):
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
    price, timeout, max_retries, requests_per_minute, tokens_per_minute : number
        As in `OpenAIModel`.

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
    timeout: float | None = None
    max_retries: int = 6
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    provider = "gemini"
    package = "google-genai"
    key_envs = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    base_url_env = "GOOGLE_GEMINI_BASE_URL"
    default_models = {
        "annotator": "gemini-2.5-flash-lite",
        "interpreter": "gemini-3.8-flash",
        "embedding": "gemini-embedding-001",
    }
    has_task_types = True
    batch_limits = (50_000, 18_000_000)

    def __post_init__(self):
        super().__post_init__()
        check_one_of(self, "safety", ("default", "off"))

    def _connect(self, n_connections):
        return GeminiConnection(self, n_connections)


_ADJUSTABLE_FILTERS = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)

_NO_KEY = "local-no-auth"


class GeminiConnection:
    """A client of Google's SDK; see `Connection`."""

    def __init__(self, model, n_connections):
        self.model = model
        self._client = open_client(model, n_connections)

    def close(self):
        """Close the connection."""
        self._client.close()

    def batches(self):
        """Return the batch endpoint."""
        return GeminiBatches(self.model, self._client)

    def ask(self, prompt):
        """Ask a chat model; see `Connection.ask`."""
        config = build_config(self.model, prompt)
        with _raise_malformed():
            response = self._client.models.generate_content(
                model=self.model.model, contents=prompt.user, config=config
            )
        return read_content(response)

    def decide(self, questions):
        """Ask the Decisions endpoint; see `Connection.decide`."""
        decisions = getattr(self._client, "decisions", None)
        if decisions is None:
            raise ImportError("layout='decisions' needs google-genai 3.2 or newer.")
        asked = {
            name: {"type": "noul", "instructions": question}
            for name, question in questions.questions.items()
        }
        with _raise_malformed():
            response = decisions.create(
                model=self.model.model,
                input=questions.text,
                questions=asked,
                api_version=self.model.api_version,
            )
        return read_decisions(response)

    def embed(self, texts, *, dimensions=None, task_type=None):
        """Embed texts; see `Connection.embed`."""
        from google.genai import types

        # A list of bare strings would be taken for the parts of one text.
        contents = [types.Content(parts=[types.Part(text=text)]) for text in texts]
        config = types.EmbedContentConfig(
            output_dimensionality=dimensions, task_type=task_type
        )
        with _raise_malformed():
            received = self._client.models.embed_content(
                model=self.model.model, contents=contents, config=config
            )
        return read_embeddings(received, len(texts), self.model.model)


@contextmanager
def _raise_malformed():
    """Blame the reply if the SDK cannot make a response of it."""
    try:
        yield
    except (AttributeError, KeyError, TypeError) as error:
        raise MalformedReplyError(f"{type(error).__name__}: {error}") from error


def open_client(model, n_connections=20):
    """Open a client of the SDK that makes no retries of its own."""
    from google import genai
    from google.genai import types

    options = types.HttpOptions(
        base_url=model.base_url,
        api_version=model.api_version,
        timeout=round(model.timeout_seconds() * 1000),  # milliseconds
        retry_options=types.HttpRetryOptions(attempts=1),
        client_args={
            # By default no more than 20 connections are kept open.
            "limits": _make_limits(n_connections),
            "mounts": bypass_proxies(model.server()),
            # Texts and keys go to the address that the user named, and to no other.
            "follow_redirects": False,
        },
    )
    return genai.Client(
        api_key=model.read_key() or _NO_KEY, vertexai=False, http_options=options
    )


def _make_limits(n_connections):
    try:
        import httpx2 as httpx
    except ImportError:  # google-genai 2
        import httpx
    return httpx.Limits(
        max_connections=n_connections, max_keepalive_connections=n_connections
    )


def build_config(model, prompt):
    """Build the configuration of a call; what the user did not set is not in it."""
    from google.genai import types

    temperature = prompt.temperature
    settings = {
        "system_instruction": prompt.system,
        "temperature": model.temperature if temperature is None else temperature,
        "top_p": model.top_p,
        "seed": model.seed,
        "max_output_tokens": prompt.max_output_tokens or model.max_output_tokens,
        "thinking_config": _build_thinking(model),
    }
    if prompt.schema is not None and model.structured_output:
        settings["response_mime_type"] = "application/json"
        settings["response_json_schema"] = prompt.schema
    if model.safety == "off":
        settings["safety_settings"] = [
            {"category": category, "threshold": "OFF"}
            for category in _ADJUSTABLE_FILTERS
        ]
    if "automatic_continuation" in types.GenerateContentConfig.model_fields:
        settings["automatic_continuation"] = False  # would send again, and bill it
    return types.GenerateContentConfig(
        **{name: value for name, value in settings.items() if value is not None}
    )


def _build_thinking(model):
    names = ("thinking_budget", "thinking_level")
    thinking = {name: getattr(model, name) for name in names}
    return {name: n for name, n in thinking.items() if n is not None} or None


def read_content(response):
    """Return the Reply, with a text, that a GenerateContentResponse holds."""
    usage = _read_usage(response.usage_metadata)
    version = response.model_version or ""
    if not response.candidates:
        reason = getattr(response.prompt_feedback, "block_reason", None)
        if reason is None:
            raise MalformedReplyError("neither candidates nor a reason for blocking")
        return Reply(
            BLOCKED, None, usage, version, f"prompt blocked: {_read_name(reason)}"
        )
    candidate = response.candidates[0]
    finish = _read_name(candidate.finish_reason)
    parts = getattr(candidate.content, "parts", None) or []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    only_reasoned = not text.strip() and bool(usage and usage.reasoning_tokens)
    if finish == "MAX_TOKENS":
        detail = "limit on output tokens reached"
        detail += " while it reasoned" if only_reasoned else ""
        return Reply(CUT, None, usage, version, detail, only_reasoned)
    if finish not in ("STOP", "", "FINISH_REASON_UNSPECIFIED"):
        return Reply(BLOCKED, None, usage, version, f"answer stopped: {finish}")
    if not text.strip():
        detail = "reasoning without an answer" if only_reasoned else "empty answer"
        return Reply(UNPARSABLE, None, usage, version, detail, only_reasoned)
    return Reply(ANSWERED, text, usage, version)


def read_decisions(response):
    """Read a reply of the Decisions endpoint; see `read_content`."""
    version = str(getattr(response, "model", "") or "")
    usage = _read_decisions_usage(getattr(response, "usage", None))
    answers = getattr(response, "answers", None)
    if answers is None:
        feedback = getattr(response, "prompt_feedback", None)
        reason = getattr(feedback, "block_reason", None)
        if reason is None:
            raise MalformedReplyError("neither answers nor a reason for blocking")
        return Reply(
            BLOCKED, None, usage, version, f"prompt blocked: {_read_name(reason)}"
        )
    if not isinstance(answers, dict):  # the SDK lets it pass
        raise MalformedReplyError(f"no answers: {response}")
    probabilities = {
        str(name): getattr(answer, "noul", None) for name, answer in answers.items()
    }
    return Reply(ANSWERED, probabilities, usage, version)


def read_embeddings(response, n_texts, version):
    """Read a reply of `embed_content` to `n_texts` texts; see `read_content`."""
    try:
        rows = [embedding.values for embedding in response.embeddings]
    except (AttributeError, TypeError) as error:
        raise MalformedReplyError(f"no embeddings: {response}") from error
    usage = getattr(response, "usage_metadata", None)  # not always told
    n_sent = as_count(getattr(usage, "prompt_token_count", None))
    usage = None if n_sent is None else Usage(1, n_sent)
    return Reply(ANSWERED, read_vectors(rows, n_texts), usage, version)


def _read_name(value):
    return "" if value is None else str(getattr(value, "name", value))


def _read_usage(metadata):
    n_sent = as_count(getattr(metadata, "prompt_token_count", None))
    if n_sent is None:
        return None
    thoughts = as_count(metadata.thoughts_token_count, 0)
    return Usage(
        1,
        n_sent,
        as_count(metadata.cached_content_token_count, 0),
        0,
        as_count(metadata.candidates_token_count, 0) + thoughts,
        thoughts,
    )


def _read_decisions_usage(usage):
    n_sent = as_count(getattr(usage, "total_input_tokens", None))
    return None if n_sent is None else Usage(1, n_sent)


_GEMINI_PENDING = ("PENDING", "QUEUED", "RUNNING", "CANCELLING", "PAUSED", "UPDATING")


class GeminiBatches:
    """Batches of Gemini, sent inline; see `Batches`."""

    def __init__(self, model, client):
        self.model = model
        self._client = client

    def write(self, name, prompt):
        """Write one request."""
        config = build_config(self.model, prompt)
        settings = config.model_dump(exclude_none=True, mode="json")
        # for calls that are made now
        settings.pop("automatic_continuation", None)
        request = {
            "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
            "config": settings,
            "metadata": {"key": name},
        }
        return json.dumps(request)

    def submit(self, tag, written):
        """Submit requests that `write` wrote; return the vendor's name of the job."""
        job = self._client.batches.create(
            model=self.model.model,
            src=[json.loads(request) for request in written],
            config={"display_name": f"{TAG} {tag}"},
        )
        return job.name

    def find(self, tag):
        """Look for a job by its tag; None if there is none."""
        jobs = self._client.batches.list()
        named = ((job.name, job.display_name) for job in jobs)
        return find_job(named, f"{TAG} {tag}")

    def fetch(self, name):
        """Ask for the state of a job, and for its answers if it is done."""
        job = self._client.batches.get(name=name)
        state = getattr(job.state, "name", str(job.state)).rpartition("STATE_")[2]
        if state in _GEMINI_PENDING:
            return BatchState("pending", {})
        answers = getattr(job.dest, "inlined_responses", None) or []
        replies = {}
        for position, entry in enumerate(answers):
            # answers come in the order of the requests, should they not be named
            key = (entry.metadata or {}).get("key", f"r{position}")
            replies[key] = self._reply(entry)
        if replies or state == "SUCCEEDED":
            return BatchState("done", replies)
        # the SDK does not always hand on what the vendor says
        detail = state if job.error is None else f"{state}: {job.error}"
        return BatchState("failed", {}, detail[:300])

    def discard(self, name, tag):
        """Do nothing: what was sent inline goes with the job, after a while."""

    def _reply(self, entry):
        if entry.response is None:
            return Reply(FAILED, detail=str(entry.error)[:300])
        return read_or_failed(read_content, entry.response)
