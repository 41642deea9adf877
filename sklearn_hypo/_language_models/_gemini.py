"""Gemini's protocol, through Google's SDK."""

import json
from contextlib import contextmanager

from ._errors import GarbageError
from ._values import (
    _MAX_LISTED,
    _TAG,
    ANSWERED,
    BLOCKED,
    CUT,
    FAILED,
    UNPARSABLE,
    Fetched,
    Reply,
    Usage,
    _or_failed,
    as_count,
    read_vectors,
)

_ADJUSTABLE_FILTERS = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)


_NO_KEY = "local-no-auth"


class GeminiConnection:
    """An open connection. To be closed, and not to be shared between processes.

    Parameters
    ----------
    model : GeminiModel
        Which model, and where.
    n_connections : int
        Calls that will be under way at once.
    """

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
        """Ask a chat model; see `OpenAIConnection.ask`."""
        config = content_config(self.model, prompt)
        with _stumbles_are_garbage():
            response = self._client.models.generate_content(
                model=self.model.model, contents=prompt.user, config=config
            )
        return read_content(response)

    def decide(self, questions):
        """Ask the Decisions endpoint; see `OpenAIConnection.decide`."""
        decisions = getattr(self._client, "decisions", None)
        if decisions is None:
            raise ImportError("layout='decisions' needs google-genai 3.2 or newer.")
        asked = {
            name: {"type": "noul", "instructions": question}
            for name, question in questions.questions.items()
        }
        with _stumbles_are_garbage():
            response = decisions.create(
                model=self.model.model,
                input=questions.text,
                questions=asked,
                api_version=self.model.api_version,
            )
        return read_decisions(response)

    def embed(self, texts, *, dimensions=None, task_type=None):
        """Embed texts; see `OpenAIConnection.embed`.

        Parameters
        ----------
        texts : list of str
            None of them empty.
        dimensions : int or None, default=None
            Length of the vectors.
        task_type : str or None, default=None
            What they are for, such as "CLUSTERING".

        Returns
        -------
        reply : Reply
            Its content is an array of shape (n_texts, n_features).

        Raises
        ------
        GarbageError
            If not exactly one embedding per text arrived.
        """
        from google.genai import types

        # A list of bare strings would be taken for the parts of one text.
        contents = [types.Content(parts=[types.Part(text=text)]) for text in texts]
        config = types.EmbedContentConfig(
            output_dimensionality=dimensions, task_type=task_type
        )
        with _stumbles_are_garbage():
            received = self._client.models.embed_content(
                model=self.model.model, contents=contents, config=config
            )
        return read_embeddings(received, len(texts), self.model.model)


@contextmanager
def _stumbles_are_garbage():
    """Blame the reply if the SDK cannot make a response of it."""
    try:
        yield
    except (AttributeError, KeyError, TypeError) as error:
        raise GarbageError(f"{type(error).__name__}: {error}") from error


def open_client(model, n_connections=20):
    """Open a client of the SDK that makes no retries of its own."""
    from google import genai
    from google.genai import types

    options = types.HttpOptions(
        base_url=model.base_url,
        api_version=model.api_version,
        timeout=round(model.timeout * 1000),  # milliseconds
        retry_options=types.HttpRetryOptions(attempts=1),
        # By default no more than 20 connections are kept open.
        client_args={"limits": _limits(n_connections)},
    )
    return genai.Client(
        api_key=model.read_key() or _NO_KEY, vertexai=False, http_options=options
    )


def _limits(n_connections):
    try:
        import httpx2 as httpx
    except ImportError:  # google-genai 2
        import httpx
    return httpx.Limits(
        max_connections=n_connections, max_keepalive_connections=n_connections
    )


def content_config(model, prompt):
    """Build the configuration of a call; what the user did not set is not in it."""
    from google.genai import types

    temperature = prompt.temperature
    settings = {
        "system_instruction": prompt.system,
        "temperature": model.temperature if temperature is None else temperature,
        "top_p": model.top_p,
        "seed": model.seed,
        "max_output_tokens": prompt.max_output_tokens or model.max_output_tokens,
        "thinking_config": _thinking(model),
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


def _thinking(model):
    thinking = {
        "thinking_budget": model.thinking_budget,
        "thinking_level": model.thinking_level,
    }
    return {
        name: value for name, value in thinking.items() if value is not None
    } or None


def read_content(response):
    """Read a reply of `generate_content`.

    Parameters
    ----------
    response : GenerateContentResponse
        Of the SDK.

    Returns
    -------
    reply : Reply
        Its content is a text.

    Raises
    ------
    GarbageError
        If it holds neither candidates nor a reason why there is none.
    """
    usage = _usage(response.usage_metadata)
    version = response.model_version or ""
    if not response.candidates:
        reason = getattr(response.prompt_feedback, "block_reason", None)
        if reason is None:
            raise GarbageError("neither candidates nor a reason for blocking")
        return Reply(BLOCKED, None, usage, version, f"prompt blocked: {_name(reason)}")
    candidate = response.candidates[0]
    finish = _name(candidate.finish_reason)
    parts = getattr(candidate.content, "parts", None) or []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    if finish == "MAX_TOKENS":
        return Reply(CUT, None, usage, version, "limit on output tokens reached")
    if finish not in ("STOP", "", "FINISH_REASON_UNSPECIFIED"):
        return Reply(BLOCKED, None, usage, version, f"answer stopped: {finish}")
    if not text.strip():
        return Reply(UNPARSABLE, None, usage, version, "empty answer")
    return Reply(ANSWERED, text, usage, version)


def read_decisions(response):
    """Read a reply of the Decisions endpoint; see `read_content`."""
    version = str(getattr(response, "model", "") or "")
    usage = _decisions_usage(getattr(response, "usage", None))
    answers = getattr(response, "answers", None)
    if answers is None:
        feedback = getattr(response, "prompt_feedback", None)
        reason = getattr(feedback, "block_reason", None)
        if reason is None:
            raise GarbageError("neither answers nor a reason for blocking")
        return Reply(BLOCKED, None, usage, version, f"prompt blocked: {_name(reason)}")
    if not isinstance(answers, dict):  # the SDK lets it pass
        raise GarbageError(f"no answers: {response}")
    probabilities = {
        str(name): getattr(answer, "noul", None) for name, answer in answers.items()
    }
    return Reply(ANSWERED, probabilities, usage, version)


def read_embeddings(response, n_texts, version):
    """Read a reply of `embed_content` to `n_texts` texts; see `read_content`."""
    try:
        rows = [embedding.values for embedding in response.embeddings]
    except (AttributeError, TypeError) as error:
        raise GarbageError(f"no embeddings: {response}") from error
    usage = getattr(response, "usage_metadata", None)  # not always told
    n_sent = as_count(getattr(usage, "prompt_token_count", None))
    usage = None if n_sent is None else Usage(1, n_sent)
    return Reply(ANSWERED, read_vectors(rows, n_texts), usage, version)


def _name(value):
    return "" if value is None else str(getattr(value, "name", value))


def _usage(metadata):
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


def _decisions_usage(usage):
    n_sent = as_count(getattr(usage, "total_input_tokens", None))
    return None if n_sent is None else Usage(1, n_sent)


_GEMINI_PENDING = ("PENDING", "QUEUED", "RUNNING", "CANCELLING", "PAUSED", "UPDATING")


class GeminiBatches:
    """Batches of Gemini, sent inline.

    Parameters
    ----------
    model : GeminiModel
        Which model.
    client : google.genai.Client
        Open.
    """

    def __init__(self, model, client):
        self.model = model
        self._client = client

    def write(self, name, prompt):
        """Write one request; the length of it counts for the limits."""
        config = content_config(self.model, prompt)
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
            config={"display_name": f"{_TAG} {tag}"},
        )
        return job.name

    def find(self, tag):
        """Look for a job by its tag; None if there is none."""
        for number, job in enumerate(self._client.batches.list()):
            if job.display_name == f"{_TAG} {tag}":
                return job.name
            if number >= _MAX_LISTED:
                break
        return None

    def fetch(self, name):
        """Ask for the state of a job, and for its answers if it is done."""
        job = self._client.batches.get(name=name)
        state = getattr(job.state, "name", str(job.state)).rpartition("STATE_")[2]
        if state in _GEMINI_PENDING:
            return Fetched("pending", {})
        answers = getattr(job.dest, "inlined_responses", None) or []
        replies = {}
        for position, entry in enumerate(answers):
            # answers come in the order of the requests, should they not be named
            key = (entry.metadata or {}).get("key", f"r{position}")
            replies[key] = self._reply(entry)
        if replies or state == "SUCCEEDED":
            return Fetched("done", replies)
        # the SDK does not always hand on what the vendor says
        detail = state if job.error is None else f"{state}: {job.error}"
        return Fetched("failed", {}, detail[:300])

    def discard(self, name):
        """Do nothing: what was sent inline goes with the job, after a while."""

    def _reply(self, entry):
        if entry.response is None:
            return Reply(FAILED, detail=str(entry.error)[:300])
        return _or_failed(read_content, entry.response)
