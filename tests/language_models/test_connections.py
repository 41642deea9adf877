import base64
import json
import logging
import pickle
import random
import traceback
import warnings
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import numpy as np
import pytest
from llm_scripted import ScriptedServer, chat, content, reply
from sklearn.utils import estimator_html_repr

from sklearn_hypo import GeminiModel, Hypothesis, LLMAnnotator, OpenAIModel
from sklearn_hypo._language_models import _concurrency
from sklearn_hypo._language_models._errors import (
    CallFailure,
    MalformedReplyError,
    classify_error,
)
from sklearn_hypo._language_models._openai import (
    read_chat,
    read_decisions,
    read_embeddings,
    read_response,
)
from sklearn_hypo._language_models._values import (
    ANSWERED,
    BLOCKED,
    CUT,
    OUTCOMES,
    REFUSED,
    UNPARSABLE,
    DecisionQuestions,
    Prompt,
    Usage,
)
from sklearn_hypo.exceptions import LanguageModelError

KEY = "sk-test-Zq8Xw2Vb5Nm1Lk9Jh4Gf7Ds"
ENVIRONMENT = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "MY_KEY",
)
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "boolean"}},
    "required": ["answer"],
    "additionalProperties": False,
}
PROMPT = Prompt("You annotate.", '{"text": "t", "property": "p"}', SCHEMA)
QUESTIONS = DecisionQuestions("a text", {"c1": "Is it long?", "c2": "Is it short?"})
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def shared():
    with ScriptedServer() as server:
        yield server
        disconnect()


@pytest.fixture
def server(shared):
    """A server without a past. One for all tests: clients take long to be made."""
    shared.seen.clear()
    shared.replies.clear()
    return shared


_CONNECTIONS = {}


def connect(model):
    if model not in _CONNECTIONS:
        _CONNECTIONS[model] = model.connect(2)
    return _CONNECTIONS[model]


def disconnect():
    while _CONNECTIONS:
        _CONNECTIONS.popitem()[1].close()


def openai_model(server, **settings):
    settings = {"decisions_api": "decisions", **settings}
    return OpenAIModel("m", base_url=server.openai_url, **settings)


def gemini_model(server, **settings):
    return GeminiModel("m", base_url=server.gemini_url, **settings)


MODELS = {"openai": openai_model, "gemini": gemini_model}


def call(model, request, method="ask", **options):
    if model.base_url is not None and model.api_key_env is None:
        return getattr(connect(model), method)(request, **options)
    connection = model.connect(2)  # a key has to be read
    try:
        return getattr(connection, method)(request, **options)
    finally:
        connection.close()


def sent(server, body, model, request=PROMPT, method="ask", **options):
    """Return what arrives at the server, and what is read from its reply."""
    server.replies.append(reply(body=body))
    received = call(model, request, method, **options)
    return server.seen[-1], received


# What is sent: Chat Completions


def test_chat_sends_no_more_than_it_must(server):
    request, _ = sent(server, chat(), openai_model(server))
    assert request.path == "/v1/chat/completions"
    assert request.data == {
        "model": "m",
        "messages": [
            {"role": "system", "content": PROMPT.system},
            {"role": "user", "content": PROMPT.user},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
        },
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"temperature": 0}, {"temperature": 0.0}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"seed": 0}, {"seed": 0}),
        ({"reasoning_effort": "none"}, {"reasoning_effort": "none"}),
        ({"service_tier": "flex"}, {"service_tier": "flex"}),
        ({"max_output_tokens": 9}, {"max_completion_tokens": 9}),
        (
            {"max_output_tokens": 9, "token_parameter": "max_tokens"},
            {"max_tokens": 9},
        ),
        ({"token_parameter": "max_tokens"}, {}),
    ],
)
def test_chat_sends_what_is_set_and_nothing_else(server, given, expected):
    plain, _ = sent(server, chat(), openai_model(server))
    request, _ = sent(server, chat(), openai_model(server, **given))
    assert request.data == {**plain.data, **expected}


def test_without_structured_output_or_a_schema_none_is_sent(server):
    request, _ = sent(server, chat(), openai_model(server, structured_output=False))
    assert request.data.keys() == {"model", "messages"}
    no_schema = Prompt("s", "u")
    request, _ = sent(server, chat(), openai_model(server), no_schema)
    assert request.data.keys() == {"model", "messages"}
    responses = openai_model(server, api="responses", structured_output=False)
    request, _ = sent(server, {"output": []}, responses)
    assert request.data.keys() == {"model", "instructions", "input", "store"}
    request, _ = sent(server, content(), gemini_model(server, structured_output=False))
    assert not request.data.get("generationConfig")


def test_a_prompt_can_have_its_own_temperature_and_limit(server):
    prompt = Prompt("s", "u", None, temperature=0.0, max_output_tokens=5)
    settings = {"temperature": 1.0, "max_output_tokens": 99}
    request, _ = sent(server, chat(), openai_model(server, **settings), prompt)
    assert request.data["temperature"] == 0.0
    assert request.data["max_completion_tokens"] == 5
    model = openai_model(server, api="responses", **settings)
    request, _ = sent(server, {"output": []}, model, prompt)
    assert (request.data["temperature"], request.data["max_output_tokens"]) == (0, 5)
    request, _ = sent(server, content(), gemini_model(server, **settings), prompt)
    assert request.data["generationConfig"] == {
        "temperature": 0.0,
        "maxOutputTokens": 5,
    }


@pytest.mark.parametrize("text", ["ü \u2028 \x00 😀", '"}]}', "a\nb\tc", "x" * 100_000])
def test_texts_arrive_as_they_are(server, text):
    user = json.dumps({"text": text}, ensure_ascii=False)
    prompt = Prompt("s", user)
    request, _ = sent(server, chat(), openai_model(server), prompt)
    assert request.data["messages"][1]["content"] == user
    request, _ = sent(server, content(), gemini_model(server), prompt)
    assert request.data["contents"] == [{"parts": [{"text": user}], "role": "user"}]


# What is sent: Responses


def test_responses_are_not_stored_at_the_vendor(server):
    model = openai_model(server, api="responses")
    request, _ = sent(server, {"output": []}, model)
    assert request.path == "/v1/responses"
    assert request.data == {
        "model": "m",
        "instructions": PROMPT.system,
        "input": PROMPT.user,
        "store": False,
        "text": {
            "format": {
                "type": "json_schema",
                "name": "answer",
                "strict": True,
                "schema": SCHEMA,
            }
        },
    }


def test_responses_send_what_is_set(server):
    given = {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,  # this endpoint knows none
        "reasoning_effort": "low",
        "max_output_tokens": 9,
        "token_parameter": "max_tokens",  # of Chat Completions only
        "service_tier": "flex",
    }
    plain, _ = sent(server, {"output": []}, openai_model(server, api="responses"))
    model = openai_model(server, api="responses", **given)
    request, _ = sent(server, {"output": []}, model)
    assert request.data == {
        **plain.data,
        "temperature": 0.5,
        "top_p": 0.9,
        "reasoning": {"effort": "low"},
        "max_output_tokens": 9,
        "service_tier": "flex",
    }


# What is sent: Gemini


def test_gemini_sends_no_more_than_it_must(server):
    request, _ = sent(server, content(), gemini_model(server))
    assert request.path == "/v1beta/models/m:generateContent"
    assert request.data == {
        "contents": [{"parts": [{"text": PROMPT.user}], "role": "user"}],
        "systemInstruction": {"parts": [{"text": PROMPT.system}], "role": "user"},
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
        },
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"temperature": 0}, {"temperature": 0.0}),
        ({"top_p": 0.5}, {"topP": 0.5}),
        ({"seed": 0}, {"seed": 0}),
        ({"max_output_tokens": 9}, {"maxOutputTokens": 9}),
    ],
)
def test_gemini_sends_what_is_set_and_nothing_else(server, given, expected):
    plain, _ = sent(server, content(), gemini_model(server))
    request, _ = sent(server, content(), gemini_model(server, **given))
    config = plain.data["generationConfig"] | expected
    assert request.data == {**plain.data, "generationConfig": config}


@pytest.mark.parametrize(
    ("given", "names", "value"),
    [
        ({"thinking_budget": 0}, {"thinking_budget", "thinkingBudget"}, 0),
        ({"thinking_budget": -1}, {"thinking_budget", "thinkingBudget"}, -1),
        ({"thinking_level": "minimal"}, {"thinking_level", "thinkingLevel"}, "minimal"),
    ],
)
def test_gemini_sends_how_much_to_think(server, given, names, value):
    request, _ = sent(server, content(), gemini_model(server, **given))
    [(name, arrived)] = request.data["generationConfig"]["thinkingConfig"].items()
    assert name in names
    assert str(arrived).lower() == str(value)


def test_gemini_filters_can_be_switched_off(server):
    request, _ = sent(server, content(), gemini_model(server, safety="off"))
    settings = request.data["safetySettings"]
    assert {s["threshold"] for s in settings} == {"OFF"}
    assert sorted(s["category"].removeprefix("HARM_CATEGORY_") for s in settings) == [
        "DANGEROUS_CONTENT",
        "HARASSMENT",
        "HATE_SPEECH",
        "SEXUALLY_EXPLICIT",
    ]


def test_gemini_version_and_patience(server):
    model = gemini_model(server, api_version="v1", timeout=7)
    request, _ = sent(server, content(), model)
    assert request.path == "/v1/models/m:generateContent"
    assert request.headers["x-server-timeout"] == "7"


def test_gemini_does_not_go_on_by_itself(server):
    """Nobody would have asked for the second call, and it would be billed."""
    body = content("ye", "CONTINUATION") | {"continuationToken": "YWJj"}
    body["candidates"][0]["continuationToken"] = "YWJj"
    _, received = sent(server, body, gemini_model(server))
    assert len(server.seen) == 1
    assert received.outcome != ANSWERED


def test_vertex_in_the_environment_is_not_asked(server, monkeypatch):
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    disconnect()  # the environment counts when a client is made
    request, received = sent(server, content(), gemini_model(server))
    assert request.path == "/v1beta/models/m:generateContent"
    assert received.outcome == ANSWERED


# What is sent: decisions and embeddings


def test_openai_decisions(server):
    body = {
        "model": "m-2026",
        "answers": [
            {"type": "predicate", "name": "c1", "probability": 0.97},
            {"type": "refusal", "name": "c2"},
        ],
        "usage": {"input_tokens": 7, "output_tokens": 0, "total_tokens": 7},
    }
    model = openai_model(server, temperature=0.5)
    request, received = sent(server, body, model, QUESTIONS, "decide")
    assert request.path == "/v1/decisions"
    assert request.data == {
        "model": "m",
        "input": "a text",
        "questions": [
            {"type": "predicate", "name": "c1", "instructions": "Is it long?"},
            {"type": "predicate", "name": "c2", "instructions": "Is it short?"},
        ],
    }
    assert received.outcome == ANSWERED
    assert received.content == {"c1": 0.97, "c2": None}
    assert received.usage == Usage(1, 7)
    assert received.version == "m-2026"


def test_gemini_decisions(server):
    body = {
        "answers": {
            "c1": {"type": "noul", "noul": 0.97, "confidence": 0.97},
            "c2": {"type": "noul", "noul": 0.01, "confidence": 0.99},
        },
        "usage": {"total_input_tokens": 6, "total_tokens": 6},
    }
    request, received = sent(server, body, gemini_model(server), QUESTIONS, "decide")
    assert request.path == "/v1beta/decisions"
    assert request.data == {
        "model": "m",
        "input": "a text",
        "questions": {
            "c1": {"type": "noul", "instructions": "Is it long?"},
            "c2": {"type": "noul", "instructions": "Is it short?"},
        },
    }
    assert received.content == {"c1": 0.97, "c2": 0.01}
    assert received.usage == Usage(1, 6)


def test_gemini_decisions_are_blocked_as_a_whole(server):
    body = {"prompt_feedback": {"block_reason": "safety"}}
    _, received = sent(server, body, gemini_model(server), QUESTIONS, "decide")
    assert received.outcome == BLOCKED
    assert "safety" in received.detail.lower()


@pytest.mark.parametrize("in_base64", [True, False])
def test_openai_embeddings_come_in_the_order_of_the_texts(server, in_base64):
    vectors = np.arange(6, dtype="<f4").reshape(3, 2)

    def written(vector):
        if in_base64:
            return base64.b64encode(vector.tobytes()).decode()
        return vector.tolist()

    rows = [{"index": i, "embedding": written(vectors[i])} for i in (2, 0, 1)]
    body = {"data": rows, "model": "e", "usage": {"prompt_tokens": 5}}
    request, received = sent(
        server, body, openai_model(server), ["a", "b", "c"], "embed", dimensions=2
    )
    assert request.data["input"] == ["a", "b", "c"]
    assert request.data["dimensions"] == 2
    np.testing.assert_array_equal(received.content, vectors)
    assert received.usage == Usage(1, 5)


def test_gemini_embeds_each_text_by_itself(server):
    body = {"embeddings": [{"values": [1.0, 2.0]}, {"values": [3.0, 4.0]}]}
    request, received = sent(
        server,
        body,
        gemini_model(server),
        ["a", "b"],
        "embed",
        dimensions=2,
        task_type="CLUSTERING",
    )
    assert request.path.endswith(":batchEmbedContents")
    assert [r["content"]["parts"] for r in request.data["requests"]] == [
        [{"text": "a"}],
        [{"text": "b"}],
    ]
    assert {r["taskType"] for r in request.data["requests"]} == {"CLUSTERING"}
    np.testing.assert_array_equal(received.content, [[1, 2], [3, 4]])


# What is read


ASK_OPENAI = [
    (chat('{"answer": true}'), ANSWERED, '{"answer": true}'),
    (chat([{"type": "text", "text": t} for t in "ab"]), ANSWERED, "ab"),
    (chat(None, refusal="I will not."), REFUSED, "I will not."),
    (chat("partly", "content_filter"), BLOCKED, "content_filter"),
    (chat(None, "content_filter"), BLOCKED, "content_filter"),
    (chat('{"ans', "length"), CUT, "limit"),
    (chat(None, "length"), CUT, "limit"),  # reasoning took everything
    (chat("", "length"), CUT, "limit"),
    (chat(""), UNPARSABLE, "empty"),
    (chat(" \n"), UNPARSABLE, "empty"),
    (chat(None), UNPARSABLE, "empty"),
    (chat("yes", None), ANSWERED, "yes"),
    (chat("yes", "stop", refusal=None, reasoning_content="hm"), ANSWERED, "yes"),
    (chat(None, "stop", reasoning='{"answer": true}'), ANSWERED, '{"answer": true}'),
]


THINKING = [
    (chat("", "length", reasoning="Let me see."), CUT),
    (chat(None, "length", reasoning_content="Let me see."), CUT),
    (chat("<think>Let me see.", "length"), CUT),
    (chat(None, "stop", reasoning="Let me see."), UNPARSABLE),
    (chat("<think>Let me see.</think>", "stop"), UNPARSABLE),
]


@pytest.mark.parametrize(("body", "outcome"), THINKING)
def test_reasoning_without_an_answer_is_told_apart(body, outcome):
    received = read_chat(body)
    assert (received.outcome, received.only_reasoned) == (outcome, True)
    assert "reason" in received.detail
    for told, _, _ in ASK_OPENAI:
        assert not read_chat(told).only_reasoned


def test_reasoning_that_is_only_counted_is_told_apart(server):
    """By OpenAI and Google, which do not show it."""
    counted = chat(None, "length")
    counted["usage"]["completion_tokens_details"] = {"reasoning_tokens": 2}
    assert read_chat(counted).only_reasoned
    body = content(None, "MAX_TOKENS")
    body["usageMetadata"]["thoughtsTokenCount"] = 30
    server.replies.append(reply(body=body))
    received = call(gemini_model(server), PROMPT)
    assert (received.outcome, received.only_reasoned) == (CUT, True)


@pytest.mark.parametrize("generated", ['{"answer": true,}', "I think yes", ""])
def test_an_answer_that_the_server_held_back_is_an_answer(server, generated):
    body = openai_error(400, "json_validate_failed", failed_generation=generated)
    server.replies.append(body)
    received = call(openai_model(server), PROMPT)
    expected = (ANSWERED, generated) if generated else (UNPARSABLE, None)
    assert (received.outcome, received.content) == expected


ERRORS_IN_200 = [
    ({"error": {"code": 429, "message": "slow down"}}, "rate_limit"),
    ({"error": {"code": 402, "message": "no credit"}, "choices": None}, "quota"),
    ({"error": {"code": "502", "message": "bad gateway"}, "choices": []}, "server"),
    ({"error": {"message": "something"}}, "server"),
    ({"error": "overloaded"}, "server"),
    ({"error": {"code": "insufficient_quota", "message": "x"}}, "quota"),
    ({"error": {"code": "rate_limit_exceeded", "message": "x"}}, "rate_limit"),
    ({"error": {"code": 400, "message": "no"}}, "request"),
    (
        {"error": {"code": 403, "message": "x", "metadata": {"reasons": ["hate"]}}},
        "blocked",
    ),
    (
        {
            "choices": [
                {
                    "finish_reason": "error",
                    "error": {"code": 429, "message": "slow down"},
                    "message": {"content": '{"answ'},
                }
            ]
        },
        "rate_limit",
    ),
    ({"choices": [{"finish_reason": "error", "message": {"content": ""}}]}, "server"),
    ({"status": "failed", "error": {"code": "server_error", "message": "x"}}, "server"),
]


@pytest.mark.parametrize("method", ["ask", "decide", "embed"])
@pytest.mark.parametrize(("body", "kind"), ERRORS_IN_200)
def test_an_error_that_comes_with_status_200_is_what_it_says(
    server, body, kind, method
):
    failed = trouble_of(server, openai_model, reply(200, body), METHODS[method], method)
    assert (failed.kind, failed.billed) == (kind, False)


def test_an_answer_beside_an_error_is_an_answer(server):
    for error in (None, {}, {"message": "a tool failed", "code": 500}):
        server.replies.append(reply(200, chat("yes") | {"error": error}))
        assert call(openai_model(server), PROMPT).content == "yes"


def test_what_a_server_behind_a_gateway_says_is_shown(server):
    raw = json.dumps({"error": {"message": "System role not supported"}})
    body = {"code": 400, "message": "Provider returned error", "metadata": {"raw": raw}}
    failed = trouble_of(server, openai_model, reply(400, {"error": body}))
    assert failed.detail == (
        "HTTP 400: Provider returned error: System role not supported"
    )
    assert failed.parameter == "system"


def response(*parts, reason=None, **more):
    item = {"type": "message", "id": "y", "role": "assistant", "content": list(parts)}
    return {
        "id": "x",
        "model": "m-2026",
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "output": [{"type": "reasoning", "summary": []}, *([item] if parts else [])],
        **more,
    }


def output_text(text):
    return {"type": "output_text", "text": text, "annotations": []}


ASK_RESPONSES = [
    (response(output_text("yes")), ANSWERED, "yes"),
    (response(output_text("a"), output_text("b")), ANSWERED, "ab"),
    (response({"type": "refusal", "refusal": "I will not."}), REFUSED, "I will not."),
    (response({"type": "refusal"}), REFUSED, "declined"),
    (response(output_text("ye"), reason="max_output_tokens"), CUT, "limit"),
    (response(reason="max_output_tokens"), CUT, "limit"),
    (response(reason="content_filter"), BLOCKED, "content_filter"),
    (response(), UNPARSABLE, "empty"),
    (response(output_text("")), UNPARSABLE, "empty"),
]
ASK_GEMINI = [
    (content('{"answer": true}'), ANSWERED, '{"answer": true}'),
    (content("ye", "MAX_TOKENS"), CUT, "limit"),
    (content(None, "MAX_TOKENS"), CUT, "limit"),  # thinking took everything
    ({"candidates": [{"finishReason": "SAFETY", "index": 0}]}, BLOCKED, "SAFETY"),
    *(
        (content(None, reason), BLOCKED, reason)
        for reason in ("RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST", "OTHER")
    ),
    (
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
        BLOCKED,
        "prompt blocked: PROHIBITED_CONTENT",
    ),
    (content(""), UNPARSABLE, "empty"),
    (content(None), UNPARSABLE, "empty"),
    ({"candidates": [{"content": {"parts": [{"text": "yes"}]}}]}, ANSWERED, "yes"),
    (
        {
            "candidates": [
                {
                    "content": {
                        "parts": [{"text": "hm", "thought": True}, {"text": "yes"}]
                    },
                    "finishReason": "STOP",
                }
            ]
        },
        ANSWERED,
        "yes",
    ),
]
ASKED = [
    *((openai_model, *case) for case in ASK_OPENAI),
    *((partial(openai_model, api="responses"), *case) for case in ASK_RESPONSES),
    *((gemini_model, *case) for case in ASK_GEMINI),
]


@pytest.mark.parametrize(("make", "body", "outcome", "said"), ASKED)
def test_outcomes(server, make, body, outcome, said):
    _, received = sent(server, body, make(server))
    assert received.outcome == outcome
    if outcome == ANSWERED:
        assert received.content == said
    else:
        assert received.content is None
        assert said in received.detail


def test_the_version_that_answered_is_kept(server):
    for make, body in ((openai_model, chat()), (gemini_model, content())):
        assert sent(server, body, make(server))[1].version == "m-2026"


USAGES = [
    (None, None),
    ({}, None),
    ({"prompt_tokens": None}, None),
    ({"prompt_tokens": "12"}, None),
    ({"prompt_tokens": -1}, None),
    ([], None),
    ({"prompt_tokens": 12}, Usage(1, 12)),
    ({"total_tokens": 12}, Usage(1, 12)),
    # what was not told is found in the sum
    ({"prompt_tokens": 12, "total_tokens": 15}, Usage(1, 12, 0, 0, 3)),
    (
        {
            "prompt_tokens": 12,
            "completion_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 25},
        },
        Usage(1, 12, 8, 2, 30, 25),
    ),
    (
        {
            "prompt_tokens": 12,
            "completion_tokens": 3,
            "prompt_tokens_details": None,
            "completion_tokens_details": [],
        },
        Usage(1, 12, 0, 0, 3),
    ),
]


@pytest.mark.parametrize(("usage", "expected"), USAGES)
def test_usage_of_chat_completions(server, usage, expected):
    _, received = sent(
        server, chat(usage=None) | {"usage": usage}, openai_model(server)
    )
    assert received.usage == expected
    assert received.outcome == ANSWERED


def test_usage_of_responses(server):
    usage = {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 8},
        "output_tokens": 30,
        "output_tokens_details": {"reasoning_tokens": 25},
        "total_tokens": 42,
    }
    body = response(output_text("yes"), usage=usage)
    _, received = sent(server, body, openai_model(server, api="responses"))
    assert received.usage == Usage(1, 12, 8, 0, 30, 25)
    body = response(output_text("yes"), usage=None)
    _, received = sent(server, body, openai_model(server, api="responses"))
    assert received.usage is None


def test_usage_of_gemini(server):
    usage = {
        "promptTokenCount": 12,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 25,
        "cachedContentTokenCount": 8,
        "totalTokenCount": 42,
    }
    body = content(usage=None) | {"usageMetadata": usage}
    assert sent(server, body, gemini_model(server))[1].usage == Usage(
        1, 12, 8, 0, 30, 25
    )
    # cut while thinking: no candidate to count
    body = content(None, "MAX_TOKENS", None)
    body["usageMetadata"] = {"promptTokenCount": 12, "thoughtsTokenCount": 25}
    received = sent(server, body, gemini_model(server))[1]
    assert received.usage == Usage(1, 12, 0, 0, 25, 25)
    for usage in (None, {}, {"totalTokenCount": 3}):
        body = content(usage=None) | ({"usageMetadata": usage} if usage else {})
        assert sent(server, body, gemini_model(server))[1].usage is None


def test_blocked_and_cut_replies_are_counted(server):
    _, received = sent(server, chat(None, refusal="no"), openai_model(server))
    assert received.usage == Usage(1, 10, 0, 0, 2)
    _, received = sent(server, content(None, "SAFETY"), gemini_model(server))
    assert received.usage == Usage(1, 10, 0, 0, 2)


# Replies that are not what the protocol says

BROKEN = [None, True, -1, 1e308, "x", "", [], {}, [[]], [None], {"type": "message"}]
READERS = [
    (read_chat, chat(usage=(1, 1))),
    (read_response, response(output_text("yes"), usage={"input_tokens": 3})),
    (
        read_decisions,
        {"answers": [{"type": "predicate", "name": "c1", "probability": 0.5}]},
    ),
    (
        lambda body: read_embeddings(body, 1),
        {"data": [{"index": 0, "embedding": [1.0]}], "usage": {"prompt_tokens": 1}},
    ),
]


def places(value, path=()):
    """Yield the path to everything inside a JSON value."""
    yield path
    if isinstance(value, dict | list):
        children = value.items() if isinstance(value, dict) else enumerate(value)
        for name, child in children:
            yield from places(child, (*path, name))


def put(value, path, new):
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


def damaged(body):
    for path in places(body):
        for new in BROKEN:
            if path:
                yield put(body, path, new)


@pytest.mark.parametrize("reader", range(len(READERS)))
def test_damaged_replies_are_read_or_called_garbage(reader):
    read, body = READERS[reader]
    read(body)
    for broken in damaged(body):
        try:
            received = read(broken)
        except MalformedReplyError:
            continue
        assert received.outcome in OUTCOMES
        if received.usage is not None:
            assert all(isinstance(n, int) and n >= 0 for n in received.usage)
        if received.outcome == ANSWERED and read in (read_chat, read_response):
            assert isinstance(received.content, str)


def test_damaged_replies_of_gemini_are_read_or_classified(server):
    generator = random.Random(0)
    connection = gemini_model(server).connect(1)
    cases = [(connection.ask, PROMPT, b) for b in damaged(content())]
    decisions = {
        "answers": {"c1": {"type": "noul", "noul": 0.9, "confidence": 0.9}},
        "usage": {"total_input_tokens": 6, "total_tokens": 6},
    }
    cases += [(connection.decide, QUESTIONS, b) for b in damaged(decisions)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK warns of values that it does not know
        for ask, request, body in generator.sample(cases, len(cases)):
            server.replies.append(reply(body=body))
            try:
                found = ask(request).outcome
            except Exception as error:
                found = getattr(classify_error(error, NOW), "kind", error)
            assert found in (*OUTCOMES, "malformed"), body
    connection.close()


UNREADABLE = {
    "empty": reply(200, b""),
    "null": reply(200, b"null"),
    "a list": reply(200, b"[1]"),
    "an empty object": reply(200, b"{}"),
    "HTML": reply(200, b"<html>502</html>", content_type="text/html"),
    "text": reply(200, b"upstream error \xff", content_type="text/plain"),
    "not UTF-8": reply(200, b'{"a": "\xff\xfe"}'),
    "half": reply(200, b'{"choices": [{"mess'),
    "no end of brackets": reply(200, b"[" * 50_000),
}
METHODS = {"ask": PROMPT, "decide": QUESTIONS, "embed": ["a"]}


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("what", UNREADABLE)
def test_unreadable_replies_are_garbage(server, provider, what):
    for method, request in METHODS.items():
        trouble = trouble_of(
            server, MODELS[provider], UNREADABLE[what], request, method
        )
        assert (trouble.kind, trouble.billed) == ("malformed", True), method


# What exceptions mean


def trouble_of(server, make, what, request=PROMPT, method="ask", now=NOW, **settings):
    """Return what is made of the exception that the SDK raises."""
    server.replies.append(what)
    with pytest.raises(Exception) as caught:
        call(make(server, **settings), request, method)
    return classify_error(caught.value, now)


def openai_error(
    status, code=None, type_=None, message="Something.", failed_generation=None, **more
):
    error = {"message": message, "type": type_, "param": None, "code": code}
    if failed_generation is not None:
        error["failed_generation"] = failed_generation
    return reply(status, {"error": error}, **more)


def google_error(status, code=None, message="Something.", details=None, **more):
    error = {"code": status, "message": message, "status": code}
    if details is not None:
        error["details"] = details
    return reply(status, {"error": error}, **more)


def google_type(name, **more):
    return {"@type": f"type.googleapis.com/google.rpc.{name}", **more}


def quota(period):
    return google_type(
        "QuotaFailure", violations=[{"quotaId": f"GenerateRequests{period}PerProject"}]
    )


RETRY = google_type("RetryInfo", retryDelay="53s")
STATUSES = [
    (400, "request"),
    (401, "authentication"),
    (402, "quota"),
    (403, "forbidden"),
    (404, "model"),
    (408, "server"),
    (409, "server"),
    (413, "too_long"),
    (422, "request"),
    (425, "server"),
    (429, "rate_limit"),
    (500, "server"),
    (502, "server"),
    (503, "server"),
    (529, "server"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_statuses(server, provider, method, status, kind):
    make_error = openai_error if provider == "openai" else google_error
    for failed in (make_error(status), reply(status, b""), reply(status, b"<html>")):
        trouble = trouble_of(server, MODELS[provider], failed, METHODS[method], method)
        is_page = status == 404 and failed.body == b"<html>"
        assert trouble.kind == ("address" if is_page else kind)
        assert trouble.detail.startswith(f"HTTP {status}: ")
        assert trouble.hint == 0.0
        assert not trouble.billed


@pytest.mark.parametrize(
    ("failed", "kind"),
    [
        (openai_error(429, "rate_limit_exceeded", "requests"), "rate_limit"),
        (openai_error(429, "insufficient_quota", "insufficient_quota"), "quota"),
        (openai_error(429, None, "insufficient_quota"), "quota"),
        (openai_error(429, "billing_hard_limit_reached"), "quota"),
        (openai_error(403, "unsupported_country"), "forbidden"),
        (openai_error(400, "content_filter"), "blocked"),
        (openai_error(400, "content_policy_violation"), "blocked"),
        (openai_error(403, "content_filter"), "blocked"),
        (openai_error(404, "model_not_found"), "model"),
        (openai_error(400, message="bad: GenerateRequestsPerDay"), "request"),
        (openai_error(500, message="API_KEY_INVALID insufficient_quota"), "server"),
        (openai_error(400, message="the text says: API key not valid"), "request"),
    ],
)
def test_codes_of_openai(server, failed, kind):
    assert trouble_of(server, openai_model, failed).kind == kind


@pytest.mark.parametrize("method", ["ask", "decide"])
@pytest.mark.parametrize(
    ("failed", "kind", "hint"),
    [
        (google_error(429, "RESOURCE_EXHAUSTED"), "rate_limit", 0),
        (
            google_error(
                429, "RESOURCE_EXHAUSTED", details=[quota("PerMinute"), RETRY]
            ),
            "rate_limit",
            53,
        ),
        (
            google_error(429, "RESOURCE_EXHAUSTED", details=[quota("PerDay"), RETRY]),
            "quota",
            53,
        ),
        (
            google_error(429, details=[RETRY | {"retryDelay": "0.25s"}]),
            "rate_limit",
            0.25,
        ),
        (google_error(429, details=[RETRY | {"retryDelay": "soon"}]), "rate_limit", 0),
        (google_error(429, details=[None, "x", {}]), "rate_limit", 0),
        (google_error(429, details={"a": 1}), "rate_limit", 0),
        (google_error(503, "UNAVAILABLE", details=[RETRY]), "server", 53),
        (google_error(503, "UNAVAILABLE", details=[quota("PerDay")]), "server", 0),
        (
            google_error(
                400,
                "INVALID_ARGUMENT",
                "API key not valid. Please pass a valid API key.",
                [google_type("ErrorInfo", reason="API_KEY_INVALID")],
            ),
            "authentication",
            0,
        ),
        (
            google_error(400, message="API key not valid. Pass one."),
            "authentication",
            0,
        ),
        (google_error(400, message="Bad text 'API_KEY_INVALID PerDay'"), "request", 0),
        (google_error(403, "PERMISSION_DENIED"), "forbidden", 0),
        (google_error(404, "NOT_FOUND"), "model", 0),
    ],
)
def test_codes_of_google(server, failed, kind, hint, method):
    trouble = trouble_of(server, gemini_model, failed, METHODS[method], method)
    assert (trouble.kind, trouble.hint) == (kind, hint)


def in_(seconds):
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


HEADERS = [
    ({"retry-after": "20"}, 20),
    ({"retry-after": "1.5"}, 1.5),
    ({"retry-after": "0"}, 0),
    ({"retry-after-ms": "1500"}, 1.5),
    ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ({"retry-after-ms": "never", "retry-after": "9"}, 9),
    ({"retry-after": in_(30)}, 30),
    ({"retry-after": in_(-30)}, 0),
    ({"retry-after": "-5"}, 0),
    (
        {
            "x-ratelimit-reset-requests": "1m2.5s",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-tokens": "9h",
            "x-ratelimit-remaining-tokens": "12",
        },
        62.5,
    ),
    ({"x-ratelimit-reset-tokens": "20ms", "x-ratelimit-remaining-tokens": "0"}, 0.02),
    ({"x-ratelimit-reset-tokens": "soon", "x-ratelimit-remaining-tokens": "0"}, 0),
    ({"x-ratelimit-reset-requests": "5s"}, 0),
    ({"retry-after": "nan"}, 0),
    ({"retry-after": "inf"}, 0),
    ({"retry-after": "tomorrow"}, 0),
    ({"retry-after": "Sun, 22 Nov 2026 12:00:30"}, 0),  # without its zone
    ({"retry-after": ""}, 0),
    ({}, 0),
]


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize(("headers", "seconds"), HEADERS)
def test_hints_of_headers(server, provider, headers, seconds):
    # the SDK itself stumbles over an endless wait
    methods = ["ask"] if headers.get("retry-after") == "inf" else ["ask", "decide"]
    for method in methods:
        failed = reply(429, {"error": {"message": "slow"}}, headers)
        trouble = trouble_of(server, MODELS[provider], failed, METHODS[method], method)
        assert (trouble.kind, trouble.hint) == ("rate_limit", seconds), method


def test_the_longer_hint_counts(server):
    failed = google_error(429, details=[RETRY], headers={"retry-after": "60"})
    assert trouble_of(server, gemini_model, failed).hint == 60


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("method", METHODS)
def test_lost_calls(server, provider, method):
    lost = partial(
        trouble_of, server, MODELS[provider], request=METHODS[method], method=method
    )
    dropped = lost(reply(200, chat(), dropped=True))
    assert (dropped.kind, dropped.billed) == ("connection", True)
    late = lost(reply(200, chat(), delay=5.0), timeout=0.05)
    assert (late.kind, late.billed) == ("timeout", True)


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("method", METHODS)
def test_without_a_connection_nothing_is_billed(provider, method):
    with ScriptedServer() as gone:
        pass
    with pytest.raises(Exception) as caught:
        call(MODELS[provider](gone), METHODS[method], method)
    trouble = classify_error(caught.value, NOW)
    assert (trouble.kind, trouble.billed) == ("connection", False)


def test_the_parameter_that_was_refused_is_named(server):
    with ScriptedServer(reject_parameters=("temperature",)) as strict:
        model = openai_model(strict, temperature=0.5)
        with pytest.raises(Exception) as caught:
            call(model, PROMPT)
    assert "parameter 'temperature'" in classify_error(caught.value, NOW).detail


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError("x"), TypeError("x"), ImportError("x")]
)
def test_other_exceptions_are_not_of_a_call(error):
    assert classify_error(error, NOW) is None


@pytest.mark.parametrize("error", [ConnectionResetError("x"), TimeoutError("x")])
def test_functions_can_lose_calls_too(error):
    assert classify_error(error, NOW).kind in ("connection", "timeout")


def test_details_are_one_line_of_bounded_length(server):
    failed = openai_error(400, message="a\n\tb  c\u2028" + "x" * 5000)
    trouble = trouble_of(server, openai_model, failed)
    assert trouble.detail.startswith("HTTP 400: ")
    assert "\n" not in trouble.detail
    assert len(trouble.detail) <= 300


def test_secrets_are_taken_out_of_details_before_they_are_cut():
    class Error(Exception):
        status_code = 400

    for n in range(250, 310):
        detail = classify_error(Error("x" * n + KEY), NOW, [KEY]).detail
        assert "sk-" not in detail
    garbage = MalformedReplyError(f"echo: {KEY}")
    assert classify_error(garbage, NOW, [KEY]) == CallFailure(
        "malformed", "unreadable reply: echo: ***", billed=True
    )


# The key


def authorization(request):
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return bearer or request.headers.get("x-goog-api-key")


@pytest.mark.parametrize("provider", MODELS)
def test_the_vendors_key_does_not_reach_other_servers(server, provider, monkeypatch):
    for name in ("OPENAI_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    disconnect()  # the environment counts when a client is made
    body = chat() if provider == "openai" else content()
    request, _ = sent(server, body, MODELS[provider](server))
    assert authorization(request) == "local-no-auth"
    for secret in (KEY, "org-secret", "proj-secret"):
        assert not any(secret in value for value in request.headers.values())
        assert secret not in request.path
        assert secret.encode() not in request.body


@pytest.mark.parametrize("provider", MODELS)
def test_a_named_key_reaches_the_server(server, provider, monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    body = chat() if provider == "openai" else content()
    model = MODELS[provider](server, api_key_env="MY_KEY")
    request, _ = sent(server, body, model)
    assert authorization(request) == KEY
    others = {k: v for k, v in request.headers.items() if KEY not in v}
    assert len(others) == len(request.headers) - 1
    assert KEY not in request.path
    assert KEY.encode() not in request.body
    monkeypatch.setenv("MY_KEY", "another")
    request, _ = sent(server, body, model)
    assert authorization(request) == "another"


@pytest.mark.parametrize("provider", MODELS)
def test_a_server_in_the_environment_gets_the_vendors_key(
    server, provider, monkeypatch
):
    cls = OpenAIModel if provider == "openai" else GeminiModel
    url = server.openai_url if provider == "openai" else server.gemini_url
    monkeypatch.setenv(cls.base_url_env, url)
    monkeypatch.setenv(cls.key_envs[0], KEY)
    body = chat() if provider == "openai" else content()
    request, _ = sent(server, body, cls("m"))
    assert authorization(request) == KEY
    monkeypatch.delenv(cls.key_envs[0])
    with pytest.raises(LanguageModelError, match="needs a key"):
        call(cls("m"), PROMPT)


ECHO = {"echo": f"Bearer {KEY}", "error": {"message": f"no good key: {KEY}"}}
TROUBLES = {
    "success": None,
    "malformed": lambda: reply(200, ECHO),
    "400": lambda: reply(400, ECHO),
    "401": lambda: reply(401, ECHO),
    "404": lambda: reply(404, ECHO),
    "429 quota": lambda: reply(
        429, {"error": ECHO["error"] | {"code": "insufficient_quota"}}
    ),
    "402": lambda: reply(402, ECHO),
    "500": lambda: reply(500, ECHO),
    "html": lambda: reply(200, f"<p>{KEY}".encode(), content_type="text/html"),
    "dropped": lambda: reply(200, ECHO, dropped=True),
    "a long wait": lambda: reply(429, ECHO, {"retry-after": "9000"}),
    "unreachable": None,
}


def traces_of_the_key():
    """What of the key must not be found: it, its end, and how it looks encoded."""
    found = [KEY, KEY[-8:], KEY[:14]]
    for shift in range(3):  # base64 of the middle, however it is aligned
        encoded = base64.b64encode(b"\0" * shift + KEY.encode()).decode()
        found.append(encoded[4:-4])
    return found


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("what", TROUBLES)
def test_the_key_is_nowhere_but_in_the_header(
    provider, what, tmp_path, monkeypatch, caplog, capfd
):
    monkeypatch.setattr(_concurrency, "_FIRST_WAIT", 0.001)
    monkeypatch.setenv("MY_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    hypotheses = [Hypothesis("is long", "n1"), Hypothesis("is short", "n2")]
    texts = [f"text {i}" for i in range(10)]
    raised = None
    with ScriptedServer() as server:
        model = MODELS[provider](server, api_key_env="MY_KEY", max_retries=1)
        annotator = LLMAnnotator(model, cache=tmp_path, max_missing=0.9, n_workers=2)
        annotator.fit([], hypotheses)
        server.always = TROUBLES[what]
        if what == "unreachable":
            server.close()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                annotator.annotate(texts)
            except LanguageModelError as error:
                raised = error
        seen = server.seen
    assert (raised is None) == (what == "success")
    # it was used
    assert {authorization(request) for request in seen} <= {KEY}
    assert bool(seen) == (what != "unreachable")

    written = [repr(model), repr(annotator), str(annotator), str(vars(annotator))]
    written += [estimator_html_repr(annotator), repr(annotator.get_params())]
    written += [str(w.message) for w in warned]
    written += [record.getMessage() for record in caplog.records]
    written += [repr(record.args) for record in caplog.records]
    written += [caplog.text, *capfd.readouterr()]
    written += [annotator.annotation_errors_.to_csv(), repr(annotator.usage_)]
    data = [pickle.dumps(o) for o in (model, annotator, hypotheses, raised)]
    data += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    if raised is not None:
        written += ["".join(traceback.format_exception(raised)), repr(vars(raised))]
        while raised is not None:
            written += [str(raised), repr(raised)]
            raised = raised.__cause__ or raised.__context__
    for trace in traces_of_the_key():
        assert not [text for text in written if trace in text]
        assert not [d for d in data if trace.encode() in d]
