"""What a server says in the body of an error: words, codes, and what it refuses.

OpenAI's `{"error": {...}}`, Google's with `details`, FastAPI's `{"detail": ...}`
(vLLM, llama-cpp-python, Mistral), Ollama's `{"error": "..."}`, or a page of HTML.
"""

import json
import re

# Parameters of a request that a server may not take, under the names of OpenAI's
# chat; "system" is the role of a message.
PARAMETERS = (
    "response_format",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "seed",
    "reasoning_effort",
    "system",
)

_ALIASES = {
    "json_schema": "response_format",
    "text": "response_format",  # "text.format" of Responses
    "response_json_schema": "response_format",
    "response_schema": "response_format",
    "response_mime_type": "response_format",
    "reasoning": "reasoning_effort",
    "thinking_level": "reasoning_effort",
    "max_output_tokens": "max_tokens",
    "system_instruction": "system",
    "instructions": "system",
}

_NO_SYSTEM_ROLE = re.compile(
    r"system (?:role|message|prompt|instruction)s? (?:is |are )?not "
    r"(?:supported|enabled)"
    r"|(?:not|n't) support (?:the )?[\"'`]?(?:system|developer)\b"
    r"|developer instructions? (?:is|are) not enabled"
    r"|only ['\"]?user['\"]?,? (?:and|or) ['\"]?assistant['\"]? roles",
    re.IGNORECASE,
)

# A message that names a parameter need not refuse it: it may repeat what was sent.
_NAME = re.compile(
    r"(?<![\w.])(?P<name>response_?format|json_?schema|response_?json_?schema|"
    r"max_?completion_?tokens|max_?output_?tokens|max_?tokens|temperature|top_?p|seed|"
    r"reasoning_?effort|thinking_?level|system_?instruction)(?!\w)"
    r"|(?P<schema>response format|json mode|json schema|structured outputs?|"
    r"guided (?:json|decoding)|parse grammar)",
    re.IGNORECASE,
)
_REFUSES = re.compile(
    r"unsupported|unavailable|unknown|unrecogni[sz]ed|unexpected|deprecated|"
    r"invalid|literal_error|extra|fail|cannot|can't|must be|should be|"
    r"(?:not|n't)(?: \w+)? (?:support|permit|allow|enable|available|valid|accept|"
    r"recogni)",
    re.IGNORECASE,
)
_NEAR = 100  # characters

# What was sent may be repeated in quotes; names of parameters are short.
_QUOTATION = re.compile(r"(?<!\w)([\"'`])(?:(?!\1).){40,}\1(?!\w)", re.DOTALL)

# The wordings of OpenAI, vLLM, llama.cpp, Ollama, LM Studio, Mistral, Gemini, TGI.
_TOO_LONG = re.compile(
    r"(?:context|model)[ _](?:length|window|size|limit)|prompt is too long|"
    r"maximum number of (?:input )?tokens|too (?:many|large) .{0,40}tokens|"
    r"tokens to keep from the initial prompt|max_new_tokens` must be",
    re.IGNORECASE,
)
_SIZE = re.compile(r"(?<![\w.])\d{2,7}(?=\s+(?:input |prompt )?tokens?\b|\)|\s|\.?$)")
_TOO_LONG_CODES = {"context_length_exceeded", "exceed_context_size_error"}


_OF_A_MODEL = re.compile(r"models?\b|model_|deployment|endpoints found", re.IGNORECASE)
# The wordings of FastAPI, Ollama, llama.cpp, Azure, OpenAI, Groq, Mistral, LM Studio.
_NO_SUCH_PATH = re.compile(
    r"\A\W*(?:404\W*)?(?:(?:page|file|path|route|url|resource) )?not found\W*\Z"
    r"|invalid url|unknown (?:request )?url|no (?:such )?(?:route|endpoint)"
    r"|unexpected endpoint|cannot post|\A\s*<(?:!doctype|html|head|body|h1|p)\b",
    re.IGNORECASE,
)


def read_body(error):
    """Return what the server sent, as far as the SDK kept it; {} without any."""
    for name in ("body", "details", "response_json"):
        value = getattr(error, name, None)
        if isinstance(value, str):
            value = _load_body(value)
        if isinstance(value, list) and value:
            value = {"detail": value}
        if isinstance(value, dict) and value:
            return value
    return {}


def _load_body(written):
    """Read JSON; a text that is none is a message."""
    try:
        loaded = json.loads(written)
    except (ValueError, RecursionError):
        loaded = None
    return loaded if isinstance(loaded, dict | list) else {"message": written}


def find_error_object(body):
    """Return the object that describes the error, which may be the whole body."""
    inner = body.get("error")
    return inner if isinstance(inner, dict) else body


def find_codes(body):
    """Return all that may be a code, as strings."""
    inner = find_error_object(body)
    codes = {str(inner.get(name, "")) for name in ("code", "type", "status")}
    return codes | {str(detail.get("reason")) for detail in find_details(body)}


def find_details(body):
    """Return the details of an error of Google."""
    details = find_error_object(body).get("details")
    return _keep_objects(details)


def _keep_objects(values):
    values = values if isinstance(values, list) else []
    return [value for value in values if isinstance(value, dict)]


def describe_body(body):
    """Return the server's own words, or ""."""
    inner = find_error_object(body)
    words = (inner.get("message"), inner.get("detail"), body.get("error"))
    # of a gateway (OpenRouter), and of the server behind it
    said = next(filter(None, map(_describe, words)), ""), _describe_raw(inner)
    return ": ".join(filter(None, said))


def _describe_raw(inner):
    metadata = inner.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    loaded = _load_body(raw) if isinstance(raw, str) else None
    return describe_body(loaded) if isinstance(loaded, dict) else ""


def _describe(value):
    if isinstance(value, dict):  # Mistral's message
        value = value.get("message") or value.get("detail")
    if isinstance(value, str):
        return value.strip()
    return "; ".join(filter(None, map(_describe_violation, _keep_objects(value))))


def _describe_violation(violation):
    """Describe an error of validation without what it repeats of the request."""
    place = ".".join(map(str, _read_location(violation)))
    words = str(violation.get("msg") or violation.get("message") or "")
    return f"{place}: {words}" if place and words else words or place


def _read_location(violation):
    location = violation.get("loc")
    location = location if isinstance(location, list | tuple) else []
    return [part for part in location if part != "body"]


def was_flagged(body):
    """Whether a gateway (OpenRouter) stopped a prompt for what it says."""
    metadata = find_error_object(body).get("metadata")
    return isinstance(metadata, dict) and bool(metadata.get("reasons"))


def find_failed_generation(error):
    """Return an answer that a server (Groq) held back as no valid JSON, or None."""
    body = read_body(error)
    if "json_validate_failed" not in find_codes(body):
        return None
    return str(find_error_object(body).get("failed_generation") or "")


def is_too_long(body):
    """Whether a prompt is longer than the model can take."""
    if find_codes(body) & _TOO_LONG_CODES:
        return True
    return bool(_TOO_LONG.search(_QUOTATION.sub("", describe_body(body))))


def is_no_such_path(body):
    """Whether a 404 is about the address, and not about the model.

    A server that knows the protocol says that there is no such model; one that knows
    no such path says that, or sends a page of HTML.
    """
    message = describe_body(body)
    if _OF_A_MODEL.search(" ".join([message, *find_codes(body)])):
        return False
    return bool(_NO_SUCH_PATH.search(message))


def find_share(body):
    """Return which share of a prompt that is too long would fit; None if not told."""
    inner = find_error_object(body)
    sizes = inner.get("n_ctx"), inner.get("n_prompt_tokens")  # llama.cpp
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        # what the model takes and what was sent are the largest numbers
        sizes = sorted(map(int, _SIZE.findall(describe_body(body))))[-2:]
    return sizes[0] / sizes[1] if len(sizes) == 2 and sizes[0] < sizes[1] else None


def find_parameter(error, body):
    """Return which of `PARAMETERS` a server refuses, or "".

    Fields made for it count first. In the server's own words a parameter has to stand
    as a whole word near one that refuses; quotations, which may be of the text that
    was sent, are left out.
    """
    message = _QUOTATION.sub("", describe_body(body))
    if _NO_SYSTEM_ROLE.search(message):
        return "system"
    inner = find_error_object(body)
    named = [getattr(error, "param", None), inner.get("param")]
    for holder in (inner, inner.get("message")):
        details = holder.get("detail") if isinstance(holder, dict) else None
        named += [".".join(map(str, _read_location(v))) for v in _keep_objects(details)]
    for detail in find_details(body):
        violations = _keep_objects(detail.get("fieldViolations"))
        named += [violation.get("field") for violation in violations]
    for path in named:
        name = _read_path(path) if isinstance(path, str) else ""
        if name:
            return name
    return _find_in_words(message)


def _read_path(path):
    """Return the parameter in a path such as "response_format.type", or ""."""
    first, *others = [_standardize(part) for part in re.split(r"[.\[]", path)]
    name = others[0] if first == "generation_config" and others else first
    return name if name in PARAMETERS else ""


def _standardize(name):
    """Return OpenAI's name of a parameter, also of one written in camel case."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return _ALIASES.get(snake, snake)


def _find_in_words(message):
    for found in _NAME.finditer(message):
        around = message[max(0, found.start() - _NEAR) : found.end() + _NEAR]
        if _REFUSES.search(around):
            return "response_format" if found["schema"] else _standardize(found["name"])
    return ""
