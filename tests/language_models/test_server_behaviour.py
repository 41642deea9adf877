"""Servers as they are: what each does at default settings, and how many calls that is.

The wire formats have tests of their own; here `LLMAnnotator` meets a server that is
slow, limits its clients, or does not know all of OpenAI's protocol.
"""

import json
import threading
import warnings

import numpy as np
import pytest
from llm_cases import annotator_for, make_mind, make_texts, model_at, statements, truth
from llm_double import LLMServer

from sklearn_hypo import LLMAnnotator, LLMInterpreter, OpenAIModel
from sklearn_hypo._language_models._adaptation import ALTERNATIVES, forget_left_out
from sklearn_hypo._language_models._openai import OpenAIBatches
from sklearn_hypo._language_models._values import Prompt
from sklearn_hypo.exceptions import (
    HypothesisWarning,
    LanguageModelError,
    MissingAnswersError,
)

TEXTS, ASKED = make_texts(24), statements(2)
TRUTH = truth(TEXTS, ASKED)

pytestmark = pytest.mark.usefixtures("prepared")


@pytest.fixture(autouse=True)
def forget():
    """Another server may have the same port."""
    forget_left_out()
    yield
    forget_left_out()


@pytest.fixture
def server():
    with LLMServer(make_mind()) as server:
        yield server


def annotate(server, expected_warnings=(), kind="chat", **settings):
    """Annotate at default settings; return the annotator."""
    annotator = annotator_for(model_at(kind, server, **settings), ASKED)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HypothesisWarning)
        np.testing.assert_array_equal(annotator.annotate(TEXTS), TRUTH)
    messages = [str(w.message) for w in caught]
    assert len(messages) == len(expected_warnings), messages
    for message, expected in zip(messages, expected_warnings, strict=True):
        assert expected in message
    return annotator


def test_a_serial_slow_server(server):
    server.serial, server.latency = True, 0.1
    annotate(server)
    stats = server.stats()
    assert stats.calls == 24
    assert stats.in_flight_max <= 8  # of 16; in simulated time at most 4


@pytest.mark.parametrize("hints", [True, False])
def test_a_server_that_limits_requests(server, hints):
    """The pace is that of the server, five times as fast as in the benchmark."""
    server.requests_per_second, server.hints, server.latency = 25, hints, 0.06
    texts = make_texts(60)
    annotator = annotator_for(model_at("chat", server), ASKED)
    np.testing.assert_array_equal(annotator.annotate(texts), truth(texts, ASKED))
    stats = server.stats()
    assert stats.statuses[200] == 60
    # more than in simulated time, where no thread is late
    assert stats.statuses[429] <= 0.2 * stats.calls


REFUSED = {
    "response_format": "structured_output=False",
    "system": "system_role=False",
}


@pytest.mark.parametrize("parameter", REFUSED)
def test_what_a_server_refuses_is_left_out(server, parameter):
    """One call is lost, with one warning, and none later in this process."""
    if parameter == "system":
        server.system_role = False
    else:
        server.reject_parameters = (parameter,)
    annotate(server, [f"set {REFUSED[parameter]}"])
    stats = server.stats()
    assert stats.calls == 25
    assert stats.statuses[400] == 1
    server.reset()
    annotate(server)
    assert server.stats().statuses == {200: 24}


def test_the_older_name_of_the_limit(server):
    server.reject_parameters = ("max_completion_tokens",)
    annotate(server, ["token_parameter='max_tokens'"], max_output_tokens=200)
    assert server.stats().statuses == {200: 24, 400: 1}
    assert server.calls[-1].body["max_tokens"] == 200


def test_all_of_it_at_once(server):
    server.reject_parameters = ("response_format", "max_completion_tokens")
    server.system_role = False
    annotator = annotate(server, ["set ", "set ", "set "], max_output_tokens=200)
    assert server.stats().statuses == {200: 24, 400: 3}
    assert annotator.usage_["calls"] == 27
    body = server.calls[-1].body
    assert "response_format" not in body
    assert [m["role"] for m in body["messages"]] == ["user"]


@pytest.mark.parametrize(
    ("setting", "parameter", "advice"),
    [
        ({"structured_output": True}, "response_format", "structured_output=False"),
        (
            {"token_parameter": "max_completion_tokens", "max_output_tokens": 9},
            "max_completion_tokens",
            "token_parameter='max_tokens'",
        ),
        ({"temperature": 0.5}, "temperature", "temperature=None"),
        ({"seed": 1}, "seed", "seed=None"),
        ({"reasoning_effort": "low"}, "reasoning_effort", "reasoning_effort=None"),
    ],
)
def test_what_a_user_asked_for_is_an_error(server, setting, parameter, advice):
    server.reject_parameters = (parameter,)
    annotator = annotator_for(model_at("chat", server, **setting), ASKED)
    with pytest.raises(LanguageModelError, match="refuses every request") as caught:
        annotator.annotate(TEXTS)
    assert f"Set {advice}" in str(caught.value)
    assert server.stats().calls <= 2


def test_one_text_and_no_server_at_all(server):
    """Too few calls for a verdict on the server, so the error says what happened."""
    model = model_at("chat", server, max_retries=0)
    server.close()
    with pytest.raises(MissingAnswersError, match=r"The last failure: .*refused"):
        annotator_for(model, ASKED[:1]).annotate(TEXTS[:1])


def test_an_explicit_system_role_is_an_error(server):
    server.system_role = False
    annotator = annotator_for(model_at("chat", server, system_role=True), ASKED)
    with pytest.raises(LanguageModelError, match="Set system_role=False"):
        annotator.annotate(TEXTS)


def test_instructions_in_the_users_turn(server):
    annotate(server, system_role=False)
    [message] = server.calls[0].body["messages"]
    assert message["role"] == "user"
    assert "\n\n" in message["content"]


@pytest.mark.parametrize("parameter", REFUSED)
def test_what_was_left_out_is_in_the_keys_and_in_the_cache(server, tmp_path, parameter):
    """A later process needs no lost call, and no server, to find its answers."""
    if parameter == "system":
        server.system_role = False
    else:
        server.reject_parameters = (parameter,)
    model = model_at("chat", server)
    with pytest.warns(HypothesisWarning, match="refuses what it was sent"):
        annotator_for(model, ASKED, cache=tmp_path).annotate(TEXTS[:12])
    explicit = OpenAIModel(
        "double",
        base_url=server.openai_url,
        **{ALTERNATIVES[parameter].setting: False},
    )
    server.reset()
    for again in (explicit, model):
        forget_left_out()
        labels = annotator_for(again, ASKED, cache=tmp_path).annotate(TEXTS[:12])
        np.testing.assert_array_equal(labels, TRUTH[:12])
    assert server.stats().calls == 0
    labels = annotator_for(model, ASKED, cache=tmp_path).annotate(TEXTS)
    np.testing.assert_array_equal(labels, TRUTH)
    assert server.stats().statuses == {200: 12}


def test_batches_leave_out_what_is_known_to_be_refused(server):
    server.reject_parameters = ("response_format",)
    with pytest.warns(HypothesisWarning, match="refuses what it was sent"):
        annotator_for(model_at("chat", server), ASKED).annotate(TEXTS[:2])
    prompt = Prompt("s", "u", {"type": "object"})
    batches = OpenAIBatches(model_at("chat", server), None)
    assert "response_format" not in json.loads(batches.write("a", prompt))["body"]
    forget_left_out()
    assert "response_format" in json.loads(batches.write("a", prompt))["body"]


def test_writers_leave_out_what_is_refused(server, tmp_path):
    """Statements are written, and found again, under the keys of what was sent."""
    server.reject_parameters = ("response_format",)
    model = model_at("chat", server)
    activations = np.array([["pizza" in text] for text in TEXTS], dtype=float)
    texts = np.array(TEXTS, dtype=object)

    def interpret():
        interpreter = LLMInterpreter(model, cache=tmp_path, n_candidates=1)
        return interpreter.interpret(
            texts,
            activations,
            ["neuron000"],
            annotator=LLMAnnotator(model, cache=tmp_path),
            random_state=np.random.RandomState(0),
        )

    with pytest.warns(HypothesisWarning, match="refuses what it was sent"):
        first = interpret()
    assert first[0].candidates[0].hypothesis.statement == "mentions pizza"
    assert server.stats().statuses[400] == 1
    server.reset()
    forget_left_out()
    assert interpret() == first
    assert server.stats().calls == 0


def test_answers_without_a_schema_have_keys_of_their_own():
    with_schema, without = (
        OpenAIModel("m", structured_output=value).identity() for value in (True, False)
    )
    assert without not in (with_schema, OpenAIModel("m").identity())


def test_long_patience_with_a_server_of_ones_own():
    assert OpenAIModel("m").timeout_seconds() == 60
    assert OpenAIModel("m", base_url="http://localhost:1/v1").timeout_seconds() == 600
    other = OpenAIModel("m", base_url="https://example.com/v1")
    assert other.timeout_seconds() == 60
    own = OpenAIModel("m", base_url="http://localhost:1/v1", timeout=5)
    assert own.timeout_seconds() == 5


def test_no_thread_is_left(server):
    annotate(server)
    assert not [t for t in threading.enumerate() if "sklearn-hypo" in t.name]
