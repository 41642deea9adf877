"""The wire formats of Gemini."""

import json
import re
import sys

from ._reader import read_decisions, read_prompt
from ._wire import Ask, BadRequest, Route, hint_headers, tokens

__all__ = ["check_key", "error", "match", "read", "rejection", "write"]

NAME = "gemini"
_VERBS = {
    "generateContent": ("generate", "generate"),
    "countTokens": ("count", "other"),
    "batchEmbedContents": ("embeddings", "embed"),
    "batchGenerateContent": ("batch_create", "other"),
}
_MODEL = re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:]+):(?P<verb>\w+)")
_PATTERNS = (
    ("POST", r"/v1beta/decisions", "decisions", "decisions", "decisions"),
    ("GET", r"/v1beta/models", "models", "other", "models"),
    ("GET", r"/v1(?:beta)?/models/(?P<id>[^/:]+)", "model", "other", "models/{id}"),
    ("GET", r"/v1(?:beta)?/batches", "batch_list", "other", "batches"),
    ("POST", r"/v1(?:beta)?/batches/(?P<id>[^/:]+):cancel", "batch_cancel", "other",
     "batches/{id}:cancel"),
    ("GET", r"/v1(?:beta)?/batches/(?P<id>[^/:]+)", "batch", "other", "batches/{id}"),
    ("DELETE", r"/v1(?:beta)?/batches/(?P<id>[^/:]+)", "batch_delete", "other",
     "DELETE batches/{id}"),
)  # fmt: skip
_PATTERNS = [(m, re.compile(p), *more) for m, p, *more in _PATTERNS]
_MOST_QUESTIONS = 1000
_MOST_INPUTS = 100


def match(method, path):
    """Find the route of a path, or None."""
    hit = _MODEL.fullmatch(path) if method == "POST" else None
    if hit:
        found = _VERBS.get(hit["verb"])
        return found and Route(
            sys.modules[__name__], found[0], hit["verb"], found[1], hit.groupdict()
        )
    for wanted, pattern, name, kind, label in _PATTERNS:
        hit = pattern.fullmatch(path) if method == wanted else None
        if hit:
            return Route(sys.modules[__name__], name, label, kind, hit.groupdict())
    return None


def check_key(headers, key):
    """Return "matched", "wrong" or "missing"."""
    given = headers.get("x-goog-api-key")
    if not given:
        return "missing"
    return "matched" if key in (None, given) else "wrong"


# -- errors ----------------------------------------------------------------------------

_TYPE = "type.googleapis.com/google.rpc."


def _body(code, message, status, *details):
    body = {"code": code, "message": message, "status": status}
    if details:
        body["details"] = list(details)
    return {"error": body}


def _quota(period, seconds):
    """Return the details of a quota that is used up for a period."""
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
        "quotaId": f"GenerateRequests{period}PerProjectPerModel-FreeTier",
        "quotaValue": "200",
    }
    return (
        {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]},
        {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{seconds:g}s"},
    )


_KEY_INFO = {
    "@type": f"{_TYPE}ErrorInfo",
    "reason": "API_KEY_INVALID",
    "domain": "googleapis.com",
}
_EXHAUSTED = (
    "You exceeded your current quota, please check your plan and billing details."
)


def error(name, model=None, seconds=0.0):
    """Return status, body and headers of an error by the name of a fault."""
    limit = "Resource has been exhausted (e.g. check quota)."
    bodies = {
        "server_500": (500, "An internal error has occurred.", "INTERNAL"),
        "overloaded_503": (503, "The model is overloaded.", "UNAVAILABLE"),
        "quota": (429, _EXHAUSTED, "RESOURCE_EXHAUSTED", *_quota("PerDay", seconds)),
        "wrong_key": (
            400,
            "API key not valid. Please pass a valid API key.",
            "INVALID_ARGUMENT",
            _KEY_INFO,
        ),
        "no_key": (
            403,
            "Method doesn't allow unregistered callers (callers without established "
            "identity). Please use API Key or other form of API consumer identity.",
            "PERMISSION_DENIED",
        ),
        "unknown_model": (
            404,
            f"models/{model} is not found for API version v1beta, or is not supported "
            "for generateContent. Call ListModels to see the list of available models.",
            "NOT_FOUND",
        ),
        "rate_limit_retryinfo": (
            429,
            limit,
            "RESOURCE_EXHAUSTED",
            *_quota("PerMinute", seconds),
        ),
    }
    body = bodies.get(name, (429, limit, "RESOURCE_EXHAUSTED"))
    return body[0], _body(*body), hint_headers(name, seconds)


def rejection(status, bad):
    """Return the body for a request that is not accepted."""
    return _body(status, str(bad), "NOT_FOUND" if status == 404 else "INVALID_ARGUMENT")


# -- requests --------------------------------------------------------------------------


def read(route, body):
    """Return what a request asks."""
    ask = _READ[route.name](body)
    ask.model = route.params.get("model") or body.get("model")
    if not ask.model:
        raise BadRequest("model is required")
    return ask


def _plain(content):
    return "".join(part.get("text", "") for part in (content or {}).get("parts") or [])


def _characters(body):
    contents = [body.get("systemInstruction"), *(body.get("contents") or [])]
    return sum(len(_plain(content)) for content in contents)


def _read_generate(body):
    contents = body.get("contents") or []
    users = [c for c in contents if c.get("role", "user") == "user"]
    if not users:
        raise BadRequest("contents is not specified")
    config = body.get("generationConfig") or {}
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    return Ask(
        task=read_prompt(_plain(users[-1])),
        max_tokens=config.get("maxOutputTokens"),
        prompt_characters=_characters(body),
        schema_characters=len(json.dumps(schema)) if schema else 0,
    )


def _read_decisions(body):
    questions = body.get("questions")
    if not isinstance(questions, dict) or not 1 <= len(questions) <= _MOST_QUESTIONS:
        raise BadRequest(f"1 to {_MOST_QUESTIONS} questions are accepted")
    questions = {name: q["instructions"] for name, q in questions.items()}
    text = body.get("input")
    if not isinstance(text, str):
        raise BadRequest("input is required")
    return Ask(
        task=read_decisions(text, questions),
        prompt_characters=len(text) + sum(map(len, questions.values())),
    )


def _read_embeddings(body):
    requests = body.get("requests") or []
    if not 1 <= len(requests) <= _MOST_INPUTS:
        raise BadRequest(f"at most {_MOST_INPUTS} requests can be in one batch")
    texts = [_plain(request.get("content")) for request in requests]
    return Ask(
        texts=texts,
        dimensions=requests[0].get("outputDimensionality"),
        prompt_characters=sum(map(len, texts)),
    )


_READ = {
    "generate": _read_generate,
    "decisions": _read_decisions,
    "embeddings": _read_embeddings,
}

# -- replies ---------------------------------------------------------------------------


def write(route, ask, done):
    """Return the body of a reply."""
    return _WRITE[route.name](ask, done)


def _write_generate(ask, done):
    output = done.output_tokens + done.reasoning_tokens
    usage = {
        "promptTokenCount": done.input_tokens,
        "candidatesTokenCount": done.output_tokens,
        "totalTokenCount": done.input_tokens + output,
    }
    if done.reasoning_tokens:
        usage["thoughtsTokenCount"] = done.reasoning_tokens
    if done.cached_tokens:
        usage["cachedContentTokenCount"] = done.cached_tokens
    reply = {"modelVersion": ask.model, "responseId": "double"}
    if done.usage:
        reply["usageMetadata"] = usage
    if done.finish == "blocked_prompt":
        reply["promptFeedback"] = {"blockReason": "PROHIBITED_CONTENT"}
        return reply
    finish = {"cut": "MAX_TOKENS", "blocked_answer": "SAFETY"}.get(done.finish, "STOP")
    candidate = {"finishReason": finish, "index": 0}
    text = "I can't help with that." if done.finish == "refusal" else done.text
    if text:
        candidate["content"] = {"parts": [{"text": text}], "role": "model"}
    elif finish == "MAX_TOKENS":
        candidate["content"] = {"role": "model"}
    reply["candidates"] = [candidate]
    return reply


def _write_decisions(ask, done):
    if done.finish != "stop":
        return {"prompt_feedback": {"block_reason": "safety"}}
    reply = {
        "answers": {
            name: {
                "type": "noul",
                "noul": probability,
                "confidence": max(probability, 1 - probability),
            }
            for name, probability in done.answers.items()
        }
    }
    if done.usage:
        count = done.input_tokens
        reply["usage"] = {"total_input_tokens": count, "total_tokens": count}
    return reply


def _write_embeddings(ask, done):
    return {"embeddings": [{"values": vector.tolist()} for vector in done.vectors]}


def count_tokens(body):
    """Return the reply of countTokens."""
    return {"totalTokens": tokens(_characters(body))}


_WRITE = {
    "generate": _write_generate,
    "decisions": _write_decisions,
    "embeddings": _write_embeddings,
}
