"""OpenAI's protocol, through OpenAI's SDK.

Bodies are sent with the client's own ``post``, and read as plain JSON: the typed
methods send and parse the same, but cost more than twice the time of a processor per
call, refuse what a later release or another server adds, and differ between versions.
"""

import base64
import json

import numpy as np

from ._errors import GarbageError
from ._values import (
    _MAX_LISTED,
    _TAG,
    ANSWERED,
    BLOCKED,
    CUT,
    FAILED,
    REFUSED,
    UNPARSABLE,
    Fetched,
    Prompt,
    Reply,
    Usage,
    _or_failed,
    as_count,
    read_vectors,
)

# Sent where a server needs no key; the SDK insists on one.
_NO_KEY = "local-no-auth"


class OpenAIConnection:
    """An open connection. To be closed, and not to be shared between processes.

    Parameters
    ----------
    model : OpenAIModel
        Which model, and where.
    n_connections : int
        Calls that will be under way at once.
    """

    def __init__(self, model, n_connections):
        import openai

        self.model = model
        self._client = openai.OpenAI(
            api_key=model.read_key() or _NO_KEY,
            base_url=model.base_url,
            max_retries=0,
            timeout=model.timeout,
        )
        if model.base_url is not None:
            # Names of an account at OpenAI are not for other servers.
            self._client.organization = self._client.project = None

    def close(self):
        """Close the connection."""
        self._client.close()

    def ask(self, prompt):
        """Ask a chat model.

        Parameters
        ----------
        prompt : Prompt
            The question.

        Returns
        -------
        reply : Reply
            Its content is a text.
        """
        if self.model.api == "responses":
            body = responses_body(self.model, prompt)
            return read_response(self._post("/responses", body))
        return read_chat(self._post("/chat/completions", chat_body(self.model, prompt)))

    def decide(self, questions):
        """Ask the Decisions endpoint.

        Parameters
        ----------
        questions : Questions
            The text and what to ask of it.

        Returns
        -------
        reply : Reply
            Its content is a dict from identifiers to probabilities.
        """
        asked = [
            {"type": "predicate", "name": name, "instructions": question}
            for name, question in questions.questions.items()
        ]
        body = {"model": self.model.model, "input": questions.text, "questions": asked}
        return read_decisions(self._post("/decisions", body))

    def embed(self, texts, *, dimensions=None, task_type=None):
        """Embed texts.

        Parameters
        ----------
        texts : list of str
            None of them empty.
        dimensions : int or None, default=None
            Length of the vectors, where the model can shorten them.
        task_type : None
            Not known to this provider.

        Returns
        -------
        reply : Reply
            Its content is an array of shape (n_texts, n_features).

        Raises
        ------
        GarbageError
            If not exactly one embedding per text arrived.
        """
        body = {"model": self.model.model, "input": texts}
        if self.model.base_url is None:
            # Half the size, and read in a tenth of the time. Not all servers know it.
            body["encoding_format"] = "base64"
        if dimensions is not None:
            body["dimensions"] = dimensions
        return read_embeddings(self._post("/embeddings", body), len(texts))

    def batches(self):
        """Return the batch endpoint."""
        return OpenAIBatches(self.model, self._client)

    def _post(self, path, body):
        reply = self._client.post(path, body=body, cast_to=object)
        if not isinstance(reply, dict):
            raise GarbageError(f"{type(reply).__name__} instead of a JSON object")
        return reply


def chat_body(model, prompt):
    """Build the body for Chat Completions; what the user did not set is not in it."""
    limit = prompt.max_output_tokens or model.max_output_tokens
    body = {
        "model": model.model,
        "messages": [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ],
        model.token_parameter: limit,
        "seed": model.seed,
        "reasoning_effort": model.reasoning_effort,
        **_common(model, prompt),
    }
    if prompt.schema is not None and model.structured_output:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": _schema(prompt),
        }
    return _set_ones(body)


def responses_body(model, prompt):
    """Build the body for Responses."""
    body = {
        "model": model.model,
        "instructions": prompt.system,
        "input": prompt.user,
        "store": False,
        "max_output_tokens": prompt.max_output_tokens or model.max_output_tokens,
        **_common(model, prompt),
    }
    if model.reasoning_effort is not None:
        body["reasoning"] = {"effort": model.reasoning_effort}
    if prompt.schema is not None and model.structured_output:
        body["text"] = {"format": {"type": "json_schema", **_schema(prompt)}}
    return _set_ones(body)


def _common(model, prompt):
    temperature = prompt.temperature
    return {
        "temperature": model.temperature if temperature is None else temperature,
        "top_p": model.top_p,
        "service_tier": model.service_tier,
    }


def _schema(prompt: Prompt):
    return {"name": "answer", "strict": True, "schema": prompt.schema}


def _set_ones(body):
    return {name: value for name, value in body.items() if value is not None}


def read_chat(body):
    """Read a reply of Chat Completions.

    Parameters
    ----------
    body : dict
        The JSON that arrived.

    Returns
    -------
    reply : Reply
        Its content is a text.

    Raises
    ------
    GarbageError
        If it is no such reply.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        finish = choice.get("finish_reason")
        text = message.get("content")
        refusal = message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise GarbageError(f"no choices[0].message: {body}") from error
    usage = _usage(body.get("usage"), "prompt", "completion")
    return _reply(body, _joined(text), refusal, finish, finish == "length", usage)


def read_response(body):
    """Read a reply of Responses; see `read_chat`."""
    if body.get("status") == "failed":
        raise GarbageError(f"the response failed: {body.get('error')}")
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
        raise GarbageError(f"no output: {body}") from error
    refusal = refusals[0] or "declined" if refusals else None
    usage = _usage(body.get("usage"), "input", "output")
    was_cut = reason == "max_output_tokens"
    return _reply(body, _joined(texts), refusal, reason, was_cut, usage)


def _joined(content):
    """Return a text that came in parts, as some servers send it, in one piece."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _reply(body, text, refusal, finish, was_cut, usage):
    version = str(body.get("model") or "")
    if refusal:
        return Reply(REFUSED, None, usage, version, str(refusal)[:300])
    if finish == "content_filter":
        return Reply(BLOCKED, None, usage, version, "content_filter")
    if was_cut:
        return Reply(CUT, None, usage, version, "limit on output tokens reached")
    if not isinstance(text, str) or not text.strip():
        return Reply(UNPARSABLE, None, usage, version, "empty answer")
    return Reply(ANSWERED, text, usage, version)


def read_decisions(body):
    """Read a reply of the Decisions endpoint; see `read_chat`."""
    try:
        answers = {
            str(answer["name"]): answer.get("probability")
            if answer.get("type") != "refusal"
            else None
            for answer in body["answers"]
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise GarbageError(f"no answers: {body}") from error
    if len(answers) != len(body["answers"]):
        raise GarbageError(f"two answers of one name: {body}")
    usage = _usage(body.get("usage"), "input", "output")
    return Reply(ANSWERED, answers, usage, str(body.get("model") or ""))


def read_embeddings(body, n_texts):
    """Read a reply of the embeddings endpoint to `n_texts` texts; see `read_chat`."""
    try:
        rows = sorted(body["data"], key=lambda row: row["index"])
        places = [row["index"] for row in rows]
        vectors = [_vector(row["embedding"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise GarbageError(f"no embeddings: {body}") from error
    vectors = read_vectors(vectors, n_texts)
    if places != list(range(n_texts)):
        raise GarbageError("embeddings whose numbers do not count the texts")
    usage = _usage(body.get("usage"), "prompt", "completion")
    return Reply(ANSWERED, vectors, usage, str(body.get("model") or ""))


def _vector(value):
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
    return value


def _usage(usage, sent, received):
    """Read the count of tokens, whose names differ between the endpoints."""
    if not isinstance(usage, dict):
        return None
    total = _count(usage, "total_tokens")
    n_sent = _count(usage, f"{sent}_tokens", total)
    if n_sent is None:
        return None
    rest = max(0, (total or 0) - n_sent)
    details = usage.get(f"{sent}_tokens_details")
    return Usage(
        1,
        n_sent,
        _count(details, "cached_tokens", 0),
        _count(details, "cache_write_tokens", 0),
        _count(usage, f"{received}_tokens", rest),
        _count(usage.get(f"{received}_tokens_details"), "reasoning_tokens", 0),
    )


def _count(counts, name, default=None):
    """Return a number of tokens, or the default where there is none."""
    return as_count(counts.get(name) if isinstance(counts, dict) else None, default)


_RESPONSES = "/v1/responses"


_OPENAI_STATES = {"completed": "done", "expired": "done", "cancelled": "done"}


_OPENAI_PENDING = ("validating", "in_progress", "finalizing", "cancelling")


class OpenAIBatches:
    """Batches of OpenAI.

    Parameters
    ----------
    model : OpenAIModel
        Which model.
    client : openai.OpenAI
        Open.
    """

    def __init__(self, model, client):
        self.model = model
        self._client = client
        responses = model.api == "responses"
        self._body = responses_body if responses else chat_body
        self._endpoint = _RESPONSES if responses else "/v1/chat/completions"

    def write(self, name, prompt):
        """Write one request; the length of it counts for the limits."""
        line = {
            "custom_id": name,
            "method": "POST",
            "url": self._endpoint,
            "body": self._body(self.model, prompt),
        }
        return json.dumps(line)

    def submit(self, tag, written):
        """Submit requests that `write` wrote; return the vendor's name of the job."""
        data = "\n".join(written).encode()
        file = self._client.files.create(file=(f"{tag}.jsonl", data), purpose="batch")
        job = self._client.batches.create(
            input_file_id=file.id,
            endpoint=self._endpoint,
            completion_window="24h",
            metadata={_TAG: tag},
        )
        return job.id

    def find(self, tag):
        """Look for a job by its tag; None if there is none."""
        for number, job in enumerate(self._client.batches.list(limit=100)):
            if (job.metadata or {}).get(_TAG) == tag:
                return job.id
            if number >= _MAX_LISTED:
                break
        return None

    def fetch(self, name):
        """Ask for the state of a job, and for its answers if it is done."""
        job = self._client.batches.retrieve(name)
        if job.status in _OPENAI_PENDING:
            return Fetched("pending", {})
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
            return Fetched("done", replies)
        errors = getattr(job.errors, "data", None) or []
        reasons = "; ".join(dict.fromkeys(str(error.message) for error in errors))
        return Fetched("failed", {}, f"{job.status}: {reasons}"[:300])

    def discard(self, name):
        """Delete the files of a job, which hold the texts."""
        job = self._client.batches.retrieve(name)
        for file in (job.input_file_id, job.output_file_id, job.error_file_id):
            if file:
                self._client.files.delete(file)


def _read_line(line, read):
    try:
        entry = json.loads(line)
        response = entry.get("response") or {}
    except (ValueError, AttributeError):
        return {}  # one broken line does not cost the others
    if response.get("status_code") != 200:
        reason = entry.get("error") or response.get("body")
        return {entry["custom_id"]: Reply(FAILED, detail=str(reason)[:300])}
    return {entry["custom_id"]: _or_failed(read, response.get("body"))}
