"""OpenAI's protocol, through OpenAI's SDK.

Bodies are sent with the client's own ``post``, and read as plain JSON: the typed
methods send and parse the same, but cost more than twice the time of a processor per
call, refuse what a later release or another server adds, and differ between versions.
"""

import base64
import json
from dataclasses import replace
from functools import reduce

import numpy as np

from ._adaptation import recall_left_out
from ._addresses import bypass_proxies
from ._connection import (
    TAG,
    BatchState,
    find_job,
    read_or_failed,
    read_vectors,
)
from ._decision_endpoints import (
    DecisionEndpoint,
    read_decision_answers,
)
from ._error_bodies import find_failed_generation
from ._errors import MalformedReplyError, raise_error_in
from ._logprobs import (
    FEW_ALTERNATIVES,
    MOST_ALTERNATIVES,
    is_about_logprobs,
    no_logprobs_error,
    read_word_reply,
)
from ._loose_json import is_json_object, is_only_reasoning
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
        # Texts and keys go to the address that the user named, and to no other.
        self._options = {"follow_redirects": False}
        header = model.known_server.key_header
        if header != "Authorization" and key and model.token_provider is None:
            self._options["headers"] = {header: key, "Authorization": openai.Omit()}
        self._decisions = DecisionEndpoint(model)
        self._most_alternatives = MOST_ALTERNATIVES
        self._reads_words = False

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
        proven = self._reads_words
        reply = read_word_reply(read_chat(body), body, self.model, proven=proven)
        self._reads_words = proven or reply.outcome == ANSWERED
        return reply

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
        body = self._body(self.model, prompt, recall_left_out(self.model))
        line = {
            "custom_id": name,
            "method": "POST",
            "url": self._endpoint,
            "body": add_extra(self.model, body),
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
