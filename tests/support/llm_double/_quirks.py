"""What single servers do beside the protocol; OpenAI's dialect only."""

import json

__all__ = ["QUIRKS", "quirk", "refuse_length"]

_ERRORS_IN_200 = {
    "error_429_in_200": {"code": 429, "message": "Rate limited upstream"},
    "error_402_in_200": {"code": 402, "message": "Insufficient credits"},
    "error_502_in_200": {"code": 502, "message": "Upstream is down"},
}
_PAGES = {
    "event_stream": (200, 'data: {"choices": []}\n\ndata: [DONE]\n', "text/plain"),
    "forbidden": (403, '{"error": {"message": "no longer"}}', "application/json"),
    "detail_422": (
        422,
        '{"detail": [{"loc": ["body", "messages"], "msg": "no luck today"}]}',
        "application/json",
    ),
}
# "held_back" is an answer with a trailing comma that the server calls invalid,
# "held_back_prose" one that is none
QUIRKS = (
    *_ERRORS_IN_200,
    *_PAGES,
    "finish_error",
    "held_back",
    "held_back_prose",
)


def quirk(fault, body):
    """Return status, body and content type of a reply that is changed by a fault."""
    if fault in _PAGES:
        return _PAGES[fault]
    status = 200
    if fault in _ERRORS_IN_200:
        body = {"error": _ERRORS_IN_200[fault], "choices": None, "user_id": "u"}
    elif fault == "finish_error":
        error = {"code": 502, "message": "The stream broke off"}
        choice = {**body["choices"][0], "finish_reason": "error", "error": error}
        body = {**body, "choices": [choice]}
    else:
        said = body["choices"][0]["message"]["content"].replace("}", ",}")
        prose = fault == "held_back_prose"
        error = {
            "message": "Failed to validate JSON. Please adjust your prompt.",
            "type": "invalid_request_error",
            "code": "json_validate_failed",
            "failed_generation": "Let me think." if prose else said,
        }
        status, body = 400, {"error": error}
    return status, json.dumps(body), "application/json"


def refuse_length(wording, n_sent, context):
    """Return status and body for a prompt that is longer than the context."""
    if wording == "openai":
        message = (
            f"This model's maximum context length is {context} tokens. However, your "
            f"messages resulted in {n_sent} tokens."
        )
        code = "context_length_exceeded"
        return 400, {"error": {"message": message, "code": code, "param": "messages"}}
    if wording == "llama.cpp":
        message = "the request exceeds the available context size."
        sizes = {"n_prompt_tokens": n_sent, "n_ctx": context}
        error = {"code": 400, "message": message, "type": "exceed_context_size_error"}
        return 400, {"error": error | sizes}
    if wording == "ollama":
        return 400, {"error": "the input length exceeds the context length"}
    message = f"Requested tokens ({n_sent}) exceed context window of {context}"
    return 500, {"detail": message}
