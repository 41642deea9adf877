"""The wire formats of OpenAI."""

import base64
import json
import math
import re
import sys

import numpy as np

from ._reader import read_decisions, read_prompt, user_part
from ._wire import Ask, BadRequest, Route, hint_headers

__all__ = ["check_key", "error", "match", "read", "rejection", "write"]

NAME = "openai"
_ROUTES = {
    ("POST", "/chat/completions"): ("chat", "generate"),
    ("POST", "/responses"): ("responses", "generate"),
    ("POST", "/decisions"): ("decisions", "decisions"),
    ("POST", "/systemone"): ("systemone", "decisions"),
    ("POST", "/embeddings"): ("embeddings", "embed"),
    ("GET", "/models"): ("models", "other"),
    ("POST", "/files"): ("file_create", "other"),
    ("GET", "/files"): ("file_list", "other"),
    ("POST", "/batches"): ("batch_create", "other"),
    ("GET", "/batches"): ("batch_list", "other"),
}
_PATTERNS = (
    ("GET", r"/models/(?P<id>.+)", "model", "/models/{id}"),
    ("GET", r"/files/(?P<id>[^/]+)/content", "file_content", "/files/{id}/content"),
    ("GET", r"/files/(?P<id>[^/]+)", "file", "/files/{id}"),
    ("DELETE", r"/files/(?P<id>[^/]+)", "file_delete", "DELETE /files/{id}"),
    ("POST", r"/batches/(?P<id>[^/]+)/cancel", "batch_cancel", "/batches/{id}/cancel"),
    ("GET", r"/batches/(?P<id>[^/]+)", "batch", "/batches/{id}"),
)
_PATTERNS = [(m, re.compile(p), name, label) for m, p, name, label in _PATTERNS]
_MOST_QUESTIONS = 400
_MOST_NOULS = 64
_MOST_INPUTS = 2048


def match(method, path):
    """Find the route of a path, or None."""
    if not path.startswith("/v1/"):
        return None
    path = path.removeprefix("/v1")
    found = _ROUTES.get((method, path))
    if found is not None:
        return Route(sys.modules[__name__], found[0], f"/v1{path}", found[1])
    for wanted, pattern, name, label in _PATTERNS:
        hit = pattern.fullmatch(path) if method == wanted else None
        if hit:
            return Route(
                sys.modules[__name__], name, f"/v1{label}", params=hit.groupdict()
            )
    return None


def check_key(headers, key):
    """Return "matched", "wrong" or "missing"."""
    given = headers.get("authorization", "")
    if not given.startswith("Bearer "):
        return "missing"
    return "matched" if key in (None, given.removeprefix("Bearer ")) else "wrong"


# -- errors ----------------------------------------------------------------------------


def _body(message, kind, code, param=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


_LIMIT = _body(
    "Rate limit reached for requests. Please try again later.",
    "requests",
    "rate_limit_exceeded",
)
_ERRORS = {
    "server_500": (
        500,
        _body(
            "The server had an error while processing your request.",
            *("server_error",) * 2,
        ),
    ),
    "overloaded_503": (
        503,
        _body("The engine is currently overloaded.", "server_error", "overloaded"),
    ),
    "quota": (
        429,
        _body(
            "You exceeded your current quota, please check your plan and billing.",
            *("insufficient_quota",) * 2,
        ),
    ),
    "wrong_key": (
        401,
        _body(
            "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"
        ),
    ),
    "blocked_prompt": (
        400,
        _body(
            "Invalid prompt: your prompt was flagged as potentially violating our "
            "usage policy.",
            "invalid_request_error",
            "content_filter",
        ),
    ),
}


def error(name, model=None, seconds=0.0):
    """Return status, body and headers of an error by the name of a fault."""
    if name.startswith("rate_limit"):
        if name == "rate_limit_retryinfo":
            name = "rate_limit_seconds"
        return 429, _LIMIT, hint_headers(name, seconds)
    if name == "unknown_model":
        message = f"The model `{model}` does not exist or you do not have access to it."
        return 404, _body(message, "invalid_request_error", "model_not_found"), {}
    return *_ERRORS[name], {}


def rejection(status, bad):
    """Return the body for a request that is not accepted."""
    code = bad.code or ("not_found" if status == 404 else None)
    return _body(str(bad), "invalid_request_error", code, bad.param)


# -- requests --------------------------------------------------------------------------


def read(route, body):
    """Return what a request asks."""
    if not isinstance(body.get("model"), str):
        raise BadRequest("you must provide a model parameter", "model")
    return _READ[route.name](body)


def _plain(content):
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])


def _ask(body, messages, schema, max_tokens):
    written = [(m.get("role", "user"), _plain(m.get("content"))) for m in messages]
    users = [text for role, text in written if role == "user"]
    if not users:
        raise BadRequest("there is no message of a user", "messages")
    return Ask(
        model=body["model"],
        task=read_prompt(
            users[-1] if len(users) < len(written) else user_part(users[-1])
        ),
        max_tokens=max_tokens,
        prompt_characters=sum(len(text) for _, text in written),
        schema_characters=len(json.dumps(schema)) if schema else 0,
    )


def _read_chat(body):
    form = body.get("response_format") or {}
    schema = (form.get("json_schema") or {}).get("schema") or form.get("schema")
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    ask = _ask(body, body.get("messages") or [], schema, most)
    if body.get("logprobs"):
        ask.alternatives = body.get("top_logprobs") or 0
    return ask


def _read_responses(body):
    schema = ((body.get("text") or {}).get("format") or {}).get("schema")
    messages = body.get("input") or []
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if body.get("instructions"):
        messages = [{"role": "system", "content": body["instructions"]}, *messages]
    return _ask(body, messages, schema, body.get("max_output_tokens"))


def _read_decisions(body):
    questions = body.get("questions")
    if not isinstance(questions, list) or not 1 <= len(questions) <= _MOST_QUESTIONS:
        raise BadRequest(f"1 to {_MOST_QUESTIONS} questions are accepted", "questions")
    questions = {question["name"]: question["instructions"] for question in questions}
    text = _plain(body.get("input"))
    return Ask(
        model=body["model"],
        task=read_decisions(text, questions),
        prompt_characters=len(text) + sum(map(len, questions.values())),
    )


def _read_systemone(body):
    questions = body["questions"]
    if not 1 <= len(questions) <= _MOST_NOULS:
        raise BadRequest(f"1 to {_MOST_NOULS} questions are accepted", "questions")
    if any(question["type"] != "noul" for question in questions.values()):
        raise BadRequest("only noul questions are known", "questions")
    questions = {name: each["instructions"] for name, each in questions.items()}
    return Ask(
        model=body["model"],
        task=read_decisions(body["state"], questions),
        prompt_characters=len(body["state"]) + sum(map(len, questions.values())),
    )


def _read_embeddings(body):
    texts = body.get("input")
    texts = [texts] if isinstance(texts, str) else texts
    if not texts or len(texts) > _MOST_INPUTS:
        raise BadRequest(f"1 to {_MOST_INPUTS} inputs are accepted", "input")
    if not all(texts):
        raise BadRequest("input cannot be an empty string", "input")
    return Ask(
        model=body["model"],
        texts=texts,
        dimensions=body.get("dimensions"),
        encoding=body.get("encoding_format"),
        prompt_characters=sum(map(len, texts)),
    )


_READ = {
    "chat": _read_chat,
    "responses": _read_responses,
    "decisions": _read_decisions,
    "systemone": _read_systemone,
    "embeddings": _read_embeddings,
}

# -- replies ---------------------------------------------------------------------------


def write(route, ask, done):
    """Return the body of a reply."""
    return _WRITE[route.name](ask, done)


def _write_chat(ask, done):
    message = {"role": "assistant", "content": done.text, "refusal": None}
    message |= done.thoughts
    finish = {"cut": "length", "blocked_answer": "content_filter"}.get(
        done.finish, "stop"
    )
    if done.finish == "refusal":
        message.update(content=None, refusal="I'm sorry, I can't assist with that.")
    output = done.output_tokens + done.reasoning_tokens
    usage = {
        "prompt_tokens": done.input_tokens,
        "completion_tokens": output,
        "total_tokens": done.input_tokens + output,
        "prompt_tokens_details": {"cached_tokens": done.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": done.reasoning_tokens},
    }
    return {
        "id": "chatcmpl-double",
        "object": "chat.completion",
        "created": 0,
        "model": ask.model,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": message,
                "logprobs": _write_logprobs(ask, done),
            }
        ],
        "usage": usage if done.usage else None,
    }


def _write_logprobs(ask, done):
    """Write the tokens of an answer; at its yes or no, those of the mind's doubts."""
    if ask.alternatives is None or done.probability is None:
        return None
    content = []
    for token in re.findall(r"</?think>|\s+|\w+|[^\w\s]", done.text or ""):
        likely = {token: 0.999, " a": 0.0005}
        if token in ("Yes", "No"):
            yes = done.probability
            likely = {
                **{"Yes": 0.9 * yes, " yes": 0.05 * yes, "YES": 0.03 * yes},
                **{"No": 0.9 * (1 - yes), "no": 0.08 * (1 - yes), "Maybe": 0.02},
            }
        places = [
            {"token": word, "logprob": math.log(share), "bytes": list(word.encode())}
            for word, share in sorted(likely.items(), key=lambda pair: -pair[1])
        ]
        first = next(place for place in places if place["token"] == token)
        content.append({**first, "top_logprobs": places[: ask.alternatives]})
    return {"content": content, "refusal": None}


def _write_responses(ask, done):
    content = [{"type": "output_text", "text": done.text, "annotations": []}]
    if done.finish == "refusal":
        content = [
            {"type": "refusal", "refusal": "I'm sorry, I can't assist with that."}
        ]
    reasons = {"cut": "max_output_tokens", "blocked_answer": "content_filter"}
    reason = reasons.get(done.finish)
    status = "incomplete" if reason else "completed"
    message = {"type": "message", "id": "msg_double", "role": "assistant"}
    message.update(status=status, content=content)
    output = done.output_tokens + done.reasoning_tokens
    usage = {
        "input_tokens": done.input_tokens,
        "input_tokens_details": {"cached_tokens": done.cached_tokens},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": done.reasoning_tokens},
        "total_tokens": done.input_tokens + output,
    }
    return {
        "id": "resp_double",
        "object": "response",
        "created_at": 0,
        "model": ask.model,
        "status": status,
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [message] if done.text or done.finish == "refusal" else [],
        "usage": usage if done.usage else None,
    }


def _write_decisions(ask, done):
    answers = [
        {"type": "refusal", "name": name}
        if probability is None
        else {"type": "predicate", "name": name, "probability": probability}
        for name, probability in done.answers.items()
    ]
    reply = {"model": ask.model, "answers": answers}
    if done.usage:
        reply["usage"] = {
            "input_tokens": done.input_tokens,
            "output_tokens": 0,
            "total_tokens": done.input_tokens,
        }
    return reply


def _write_systemone(ask, done):
    answers = {
        name: {"type": "noul", "noul": probability}
        if probability is not None
        else {"type": "refusal"}
        for name, probability in done.answers.items()
    }
    reply = {"model": ask.model, "answers": answers}
    if done.usage:
        reply["usage"] = {"input_tokens": done.input_tokens, "output_tokens": 0}
    return reply


def _write_embeddings(ask, done):
    vectors = done.vectors
    if ask.encoding == "base64":
        vectors = [
            base64.b64encode(np.asarray(v, dtype="<f4").tobytes()).decode()
            for v in vectors
        ]
    else:
        vectors = [v.tolist() for v in vectors]
    reply = {
        "object": "list",
        "model": ask.model,
        "data": [
            {"object": "embedding", "index": i, "embedding": vector}
            for i, vector in enumerate(vectors)
        ],
    }
    if done.usage:
        reply["usage"] = {
            "prompt_tokens": done.input_tokens,
            "total_tokens": done.input_tokens,
        }
    return reply


_WRITE = {
    "chat": _write_chat,
    "responses": _write_responses,
    "decisions": _write_decisions,
    "systemone": _write_systemone,
    "embeddings": _write_embeddings,
}
