"""What servers say in the body of an error: which parameter, how long, whose words."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sklearn_hypo._language_models._errors import classify_error

NOW = datetime(2026, 11, 28, tzinfo=UTC)


class StatusError(Exception):
    """An error as the SDKs raise it: a status, and the body that came with it."""

    def __init__(self, status, body):
        super().__init__(f"Error code: {status}")
        self.status_code = status
        self.body = body


def classify(status, body):
    return classify_error(StatusError(status, body), NOW)


def say(message, **more):
    return {"message": message, "type": "invalid_request_error", **more}


def violate(*location, message="Extra inputs are not permitted", sent="secret text"):
    violation = {"loc": ["body", *location], "msg": message, "input": sent}
    return {"detail": [{"type": "extra_forbidden", **violation}]}


REFUSED = {
    "a field for it": (400, say("No.", param="temperature"), "temperature"),
    "a path": (400, say("No.", param="response_format.type"), "response_format"),
    "Responses": (400, say("No.", param="text.format.name"), "response_format"),
    "FastAPI": (422, violate("max_completion_tokens"), "max_completion_tokens"),
    "Mistral": (422, {"message": violate("seed")}, "seed"),
    "vLLM": (400, say("Unrecognized request argument: seed"), "seed"),
    "llama-cpp-python": (
        500,
        say(
            "1 validation error: {'type': 'literal_error', 'loc': ('body', "
            "'response_format', 'type'), 'msg': \"Input should be 'text' or "
            "'json_object'\", 'input': 'json_schema'}"
        ),
        "response_format",
    ),
    "an argument": (
        500,
        {"detail": "got an unexpected keyword argument 'max_completion_tokens'"},
        "max_completion_tokens",
    ),
    "DeepSeek": (
        400,
        say("This response_format type is unavailable now", param=None),
        "response_format",
    ),
    "Groq": (
        400,
        say("This model does not support response format `json_schema`."),
        "response_format",
    ),
    "the other spelling is named": (
        400,
        say(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead."
        ),
        "max_tokens",
    ),
    "a value": (
        400,
        say("Unsupported value: 'temperature' does not support 0 with this model."),
        "temperature",
    ),
    "Gemma's template": (400, say("System role not supported"), "system"),
    "the same as 500": (
        500,
        say("Jinja Exception: System role not supported"),
        "system",
    ),
    "Mistral's template": (
        500,
        {"detail": "Only user and assistant roles are supported!"},
        "system",
    ),
    "the role of a message": (
        400,
        say(
            "Unsupported value: 'messages[0].role' does not support 'system'.",
            param="messages[0].role",
        ),
        "system",
    ),
    "Gemini: schema": (
        400,
        {"error": say("JSON mode is not enabled for models/gemma-3-1b-it", code=400)},
        "response_format",
    ),
    "Gemini: camel case": (
        400,
        {
            "error": say(
                'Invalid JSON payload received. Unknown name "responseJsonSchema" at '
                "'generation_config': Cannot find field."
            )
        },
        "response_format",
    ),
    "Gemini: instructions": (
        400,
        {"error": say("Developer instruction is not enabled for models/gemma-3-1b")},
        "system",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_parameter_that_a_server_refuses_is_found(case):
    status, body, parameter = REFUSED[case]
    failure = classify(status, body)
    assert (failure.kind, failure.parameter) == ("request", parameter)


SENT = "please fail, the temperature is invalid and json_schema is unsupported here"
NOT_REFUSED = {
    "no name": (400, say("Bad request."), "request"),
    "a name in passing": (400, say("The seed was good, this is odd."), "request"),
    "a text in quotes": (400, say(f'Cannot moderate "{SENT}"'), "request"),
    "a text that was sent": (422, violate("messages", 1, sent=SENT), "request"),
    "not the request's fault": (503, say("temperature is invalid"), "server"),
    "500 without a name": (500, say("Internal error."), "server"),
    "another status": (401, say("seed is invalid"), "authentication"),
    "a word within another": (400, say("invalid seedling, xtemperature"), "request"),
}


@pytest.mark.parametrize("case", NOT_REFUSED)
def test_what_refuses_no_parameter_names_none(case):
    status, body, kind = NOT_REFUSED[case]
    failure = classify(status, body)
    assert (failure.kind, failure.parameter) == (kind, "")


TOO_LONG = {
    "OpenAI": (
        400,
        say("Too long.", code="context_length_exceeded", param="messages"),
        None,
    ),
    "OpenAI: sizes": (
        400,
        say(
            "This model's maximum context length is 8192 tokens. However, your "
            "messages resulted in 10240 tokens."
        ),
        0.8,
    ),
    "vLLM: room for the answer": (
        400,
        say(
            "'max_tokens' or 'max_completion_tokens' is too large: 1000. This model's "
            "maximum context length is 4096 tokens and your request has 5120 input "
            "tokens",
            param="max_tokens",
        ),
        0.8,
    ),
    "llama.cpp": (
        400,
        say(
            "the request exceeds the available context size.",
            type="exceed_context_size_error",
            n_prompt_tokens=1000,
            n_ctx=512,
        ),
        0.512,
    ),
    "llama-cpp-python": (
        500,
        {"detail": "Requested tokens (1000) exceed context window of 512"},
        0.512,
    ),
    "Ollama": (400, {"error": "the input length exceeds the context length"}, None),
    "Mistral": (
        400,
        say(
            "Prompt contains 40960 tokens and 0 draft tokens, too large for model with "
            "32768 maximum context length"
        ),
        0.8,
    ),
    "Gemini": (
        400,
        {
            "error": say(
                "The input token count (2000) exceeds the maximum number of tokens "
                "allowed (1000)."
            )
        },
        0.5,
    ),
    "Groq": (413, say("Request too large for model x on tokens per minute"), None),
}


@pytest.mark.parametrize("case", TOO_LONG)
def test_a_prompt_that_is_too_long_is_told_apart(case):
    status, body, share = TOO_LONG[case]
    failure = classify(status, body)
    assert (failure.kind, failure.parameter) == ("too_long", "")
    assert failure.share == share


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"detail": "Not Found"}, "HTTP 404: Not Found"),
        ('{"detail": "Not Found"}', "HTTP 404: Not Found"),
        ({"error": "model 'x' not found"}, "HTTP 404: model 'x' not found"),
        ("<h1>404</h1>", "HTTP 404: <h1>404</h1>"),
        (violate("seed"), "HTTP 404: seed: Extra inputs are not permitted"),
        ([{"loc": ["body"], "msg": "no"}], "HTTP 404: no"),
        ({}, "HTTP 404: Error code: 404"),
        ({"error": {"message": ["no"]}}, "HTTP 404: Error code: 404"),
    ],
)
def test_the_servers_own_words_are_shown(body, words):
    assert classify(404, body).detail == words


NO_PATH = [
    {"detail": "Not Found"},  # FastAPI: vLLM, transformers, LiteLLM
    "404 page not found",  # Ollama
    {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}},
    {"error": {"code": "404", "message": "Resource not found"}},  # Azure
    {"error": {"message": "Invalid URL (POST /v1/x)", "code": None}},  # OpenAI
    {"error": {"message": "Unknown request URL: POST /x.", "code": "unknown_url"}},
    {"message": "no Route matched with those values"},  # Mistral
    {"error": "Unexpected endpoint or method. (POST /x)"},  # LM Studio
    "<!DOCTYPE html><title>404</title>",
    "<html><body>nginx</body></html>",
]
NO_MODEL = [
    {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}},
    {"error": {"message": "model 'm' not found, try pulling it first"}},  # Ollama
    {"error": {"message": "model: m", "type": "not_found_error"}},  # Anthropic
    {"message": "The model `m` does not exist.", "type": "NotFoundError"},  # vLLM
    {"error": {"code": "DeploymentNotFound", "message": "Not found"}},  # Azure
    {"error": {"code": 404, "message": "No endpoints found for m."}},  # OpenRouter
    {"error": {"message": "models/m is not found for API version v1beta"}},
    {"error": "Invalid model name passed in model=m"},
    {},
    {"error": {"message": "the requested entity was not found"}},
]


@pytest.mark.parametrize(
    ("body", "kind"),
    [(body, "address") for body in NO_PATH] + [(body, "model") for body in NO_MODEL],
)
def test_a_404_is_of_the_path_or_of_the_model(body, kind):
    assert classify(404, body).kind == kind


class APIConnectionError(Exception):
    def __init__(self, url):
        super().__init__("Connection error.")
        self.request = SimpleNamespace(url=url)
        self.__cause__ = OSError("[Errno 111] Connection refused")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8000/v1/x", " at http://127.0.0.1:8000/v1/x"),
        ("https://me:secret@host/v1?api-key=secret#secret", " at https://host/v1"),
        ("http://[::1]:8000/v1", " at http://[::1]:8000/v1"),
    ],
)
def test_the_address_is_shown_without_what_may_be_secret(url, shown):
    failure = classify_error(APIConnectionError(url), NOW)
    assert failure.kind == "connection"
    assert failure.detail == (
        "APIConnectionError: Connection error: [Errno 111] Connection refused" + shown
    )
