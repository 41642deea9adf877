"""`LLMAnnotator` at default settings, servers that reply oddly, and calls counted."""

import numpy as np
import pytest
from llm_cases import (
    annotator_for,
    make_mind,
    make_texts,
    model_at,
    statements,
    truth,
)
from llm_double import Faults, LLMServer
from llm_double._reader import READABLE, UNREADABLE

from sklearn_hypo import LLMInterpreter
from sklearn_hypo.exceptions import (
    HypothesisWarning,
    LanguageModelError,
    MissingAnswersError,
)

S10 = statements(10)
TEXTS = make_texts(60)
TRUTH = truth(TEXTS, S10)

pytestmark = pytest.mark.usefixtures("prepared")


def stop(annotator, texts=TEXTS):
    with pytest.raises(LanguageModelError) as caught:
        annotator.annotate(texts)
    return caught.value


@pytest.fixture(params=["local", "remote"])
def place(request, monkeypatch):
    """A server far away is asked by 16 threads at once from the start."""
    if request.param == "remote":
        name = "sklearn_hypo._language_models._dispatch.is_local_address"
        monkeypatch.setattr(name, lambda address: False)


# Answers in another form


@pytest.mark.parametrize("style", READABLE)
def test_answers_in_other_notations_cost_no_call_more(server, style):
    server.style = style
    labels = annotator_for(model_at("chat", server), S10).annotate(TEXTS[:20])
    np.testing.assert_array_equal(labels, TRUTH[:20])
    assert server.stats().calls == 20


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("n_statements", [1, 10, 40])
@pytest.mark.parametrize("style", UNREADABLE)
def test_a_run_in_which_nothing_can_be_read_stops_after_few_calls(
    server, style, n_statements
):
    server.style = style
    asked = [f"{s} {i}" for i in range(4) for s in S10][:n_statements]
    error = stop(annotator_for(model_at("chat", server), asked, max_missing=1.0))
    assert error.reason == "unusable"
    assert server.stats().calls < 30
    quoted = {"poem": "Roses are red", "maybe": "maybe", "other_ids": "x_"}
    assert quoted.get(style, "unreadable answer: '") in str(error)
    assert "structured_output=" in str(error)


@pytest.mark.parametrize("fault", ["cut", "truncated_answer"])
def test_cut_answers_do_not_cost_many_calls_either(server, fault):
    server.faults = Faults({fault: 1.0})
    error = stop(annotator_for(model_at("chat", server), S10, max_missing=1.0))
    assert error.reason == "unusable"
    assert server.stats().calls < 30


def test_what_cannot_be_read_is_missing_and_never_a_no(server):
    server.style = "maybe"
    annotator = annotator_for(model_at("chat", server), S10[:1], max_missing=1.0)
    with pytest.warns(HypothesisWarning, match="are missing"):
        assert np.isnan(annotator.annotate(TEXTS[:2])).all()
    details = annotator.annotation_errors_["detail"]
    assert details.str.contains("unreadable answer: '.*maybe").all()


def write_statements(server):
    """Have 30 neurons described in vain; return the error."""
    rng = np.random.RandomState(0)
    activations = rng.rand(len(TEXTS), 30) * (rng.rand(len(TEXTS), 30) < 0.3)
    writer = LLMInterpreter(model_at("chat", server), cache=None)
    with pytest.raises(LanguageModelError) as caught:
        writer.interpret(
            np.array(TEXTS, dtype=object),
            activations,
            [f"n{j}" for j in range(30)],
            annotator=annotator_for(lambda prompt: "no", S10),
            random_state=rng,
        )
    assert caught.value.reason == "unusable"
    return str(caught.value)


def test_a_writer_whose_answers_cannot_be_read_stops_after_few_calls(server):
    server.style = "cut"
    assert "no answer could be used" in write_statements(server)
    assert server.stats().calls < 30


def test_examples_that_do_not_fit_stop_the_writer(server):
    server.context = 200
    message = write_statements(server)
    assert "n_examples=" in message
    assert "max_words_per_example=" in message
    assert server.stats().calls < 30


def test_a_limit_of_the_server_itself_is_raised(server):
    """Some have one of a few tokens, unless told otherwise."""
    server.default_limit = 8
    labels = annotator_for(model_at("chat", server), S10).annotate(TEXTS[:20])
    np.testing.assert_array_equal(labels, TRUTH[:20])
    assert server.stats().calls == 2 * 20


# Models that think


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("n_statements", [1, 10, 40])
def test_a_model_that_thinks_without_end_is_recognized(server, field, n_statements):
    server.thinks = field
    asked = [f"{s} {i}" for i in range(4) for s in S10][:n_statements]
    error = stop(annotator_for(model_at("chat", server), asked))
    assert error.reason == "unusable"
    assert server.stats().calls < 20
    for setting in (
        "reasoning_effort='none' or 'low'",
        "extra_body={'chat_template_kwargs': {'enable_thinking': False}}",
        "max_output_tokens=",
    ):
        assert setting in str(error)


def test_the_same_of_gemini_names_what_gemini_has(server):
    server.reasoning_tokens = 10_000
    model = model_at("gemini", server, max_output_tokens=50)
    error = stop(annotator_for(model, S10))
    assert server.stats().calls < 30
    assert "thinking_budget=0" in str(error)


# Gateways


@pytest.mark.parametrize("fault", ["error_429_in_200", "error_502_in_200"])
def test_an_error_inside_status_200_is_waited_out(server, fault):
    server.faults = Faults({fault: 0.3}, seed=1)
    model = model_at("chat", server, price=(1.0, 1.0, 1.0), max_retries=20)
    annotator = annotator_for(model, S10)
    np.testing.assert_array_equal(annotator.annotate(TEXTS[:20]), TRUTH[:20])
    stats = server.stats()
    assert stats.faults[fault] > 3
    assert stats.calls == 20 + stats.faults[fault]
    usage = annotator.usage_
    assert usage["uncertain_calls"] == 0
    assert usage["input_tokens"] == stats.input_tokens


def test_a_stream_that_broke_off_is_asked_again(server):
    # seldom enough that no request meets it five times by chance
    server.faults = Faults({"finish_error": 0.1}, seed=1)
    annotator = annotator_for(model_at("chat", server), S10)
    np.testing.assert_array_equal(annotator.annotate(TEXTS), TRUTH)
    assert server.stats().faults["finish_error"] > 3


def test_a_quota_inside_status_200_stops_the_run(server):
    server.faults = Faults({"error_402_in_200": 1.0}, from_call=30)
    annotator = annotator_for(model_at("chat", server), S10)
    error = stop(annotator)
    assert error.reason == "quota"
    assert "Insufficient credits" in str(error)
    assert server.stats().calls <= 30 + 16
    assert annotator.usage_["uncertain_calls"] == 0


# Groq


def test_an_answer_that_was_held_back_as_invalid_is_read(server):
    server.faults = Faults({"held_back": 1.0})
    labels = annotator_for(model_at("chat", server), S10).annotate(TEXTS[:20])
    np.testing.assert_array_equal(labels, TRUTH[:20])
    assert server.stats().calls == 20


def test_what_was_held_back_and_is_no_answer_is_asked_again(server):
    server.faults = Faults({"held_back_prose": 0.1}, seed=1)
    labels = annotator_for(model_at("chat", server), S10[:1]).annotate(TEXTS)
    np.testing.assert_array_equal(labels, TRUTH[:, :1])
    stats = server.stats()
    assert stats.calls == 60 + stats.faults["held_back_prose"] > 62


# Keys and filters


def test_a_key_that_is_revoked_in_the_middle_stops_the_run(server, tmp_path):
    server.faults = Faults({"forbidden": 1.0}, from_call=30)
    model = model_at("chat", server)
    annotator = annotator_for(model, S10, cache=tmp_path / "c", n_workers=4)
    error = stop(annotator)
    assert error.reason == "authentication"
    assert "the key was not accepted" in str(error)
    assert "All answers obtained so far are" in str(error)
    assert 30 < server.stats().calls <= 50
    server.faults = None
    np.testing.assert_array_equal(annotator.annotate(TEXTS), TRUTH)
    assert server.stats().answered == {(t, s): 1 for t in TEXTS for s in S10}


def test_a_filter_of_many_texts_keeps_the_others_and_says_how_to_go_on(
    server, tmp_path
):
    faults = server.faults = Faults({"blocked_prompt": 0.15}, seed=3)
    annotator = annotator_for(
        model_at("chat", server), S10[:2], layout="single", cache=tmp_path / "c"
    )
    error = stop(annotator)
    assert isinstance(error, MissingAnswersError)
    blocked = np.array([[faults.hits("blocked_prompt", (t, s)) for s in S10[:2]]
                        for t in TEXTS])  # fmt: skip
    assert 0.05 < blocked.mean() < 0.3
    expected = np.where(blocked, np.nan, TRUTH[:, :2])
    np.testing.assert_array_equal(error.annotations, expected)
    assert f"max_missing={np.ceil(blocked.mean() * 100) / 100:g}" in str(error)
    assert "blocked" in str(error)
    n_calls = server.stats().calls
    annotator.set_params(max_missing=0.3)
    with pytest.warns(HypothesisWarning):
        np.testing.assert_array_equal(annotator.annotate(TEXTS), expected)
    assert server.stats().calls == n_calls + blocked.sum()


# What messages show


def test_what_an_unreadable_reply_begins_with_is_shown(server):
    server.faults = Faults({"event_stream": 1.0})
    error = stop(annotator_for(model_at("chat", server, max_retries=0), S10))
    assert "data: {" in str(error)
    server.faults = Faults({"html": 1.0})
    error = stop(annotator_for(model_at("chat", server, max_retries=0), S10))
    assert "<h1>502 Bad Gateway</h1>" in str(error)


def test_the_detail_of_fastapi_is_shown(server):
    server.faults = Faults({"detail_422": 1.0})
    error = stop(annotator_for(model_at("chat", server), S10))
    assert "HTTP 422: messages: no luck today" in str(error)


@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_a_refused_connection_is_shown_with_its_address(kind):
    with LLMServer(make_mind()) as gone:
        model = model_at(kind, gone, max_retries=0)
    error = stop(annotator_for(model, S10))
    assert "Connection refused" in str(error)
    assert f"at {gone.url}/v1" in str(error)


# Texts that are longer than the context


LONG = ["pizza " + text + " filler" * 3000 for text in TEXTS[:4]]


@pytest.mark.parametrize(
    "overflow", ["openai", "llama.cpp", "ollama", "fastapi", "silent"]
)
def test_texts_are_shortened_to_what_the_model_can_take(server, overflow):
    server.context, server.overflow = 1024, overflow
    texts = [*TEXTS[:16], *LONG]
    annotator = annotator_for(model_at("chat", server), S10)
    with pytest.warns(HypothesisWarning, match=r"4 of 20 texts \(20%\)") as caught:
        labels = annotator.annotate(texts)
    np.testing.assert_array_equal(labels, truth(texts, S10))
    assert len(caught) == 1
    for name in ("max_words_per_example=", "split_documents"):
        assert name in str(caught[0].message)
    most = 3 if overflow in ("openai", "llama.cpp", "fastapi", "silent") else 6
    assert server.stats().calls <= 16 + most * 4


def test_what_was_shortened_is_said_again_of_answers_in_the_cache(server, tmp_path):
    server.context = 1024
    annotator = annotator_for(model_at("chat", server), S10, cache=tmp_path / "c")
    for _ in range(2):
        with pytest.warns(HypothesisWarning, match=r"4 of 4 texts \(100%\)"):
            annotator.annotate(LONG)
    n_calls = server.stats().calls
    again = annotator_for(model_at("chat", server), S10, cache=tmp_path / "c")
    with pytest.warns(HypothesisWarning, match=r"4 of 4 texts"):
        np.testing.assert_array_equal(again.annotate(LONG), truth(LONG, S10))
    assert server.stats().calls == n_calls


def test_statements_that_do_not_fit_together_are_asked_one_by_one(server):
    asked = [f"{s} {'or something like it ' * 40}" for s in S10]
    server.mind = make_mind()
    server.context = 600
    labels = annotator_for(model_at("chat", server), asked).annotate(TEXTS[:2])
    assert not np.isnan(labels).any()


def test_a_context_that_is_too_small_for_anything_stops_the_run(server):
    server.context = 40
    error = stop(annotator_for(model_at("chat", server), S10))
    assert error.reason == "unusable"
    assert server.stats().calls < 30
    assert "max_words_per_example=" in str(error)
    assert "concepts_per_call=" in str(error)


def test_a_whole_prompt_is_not_mistaken_for_a_shortened_one(server, recwarn):
    """Few tokens for many characters, or a count of what was not cached alone."""
    texts = [f"{i} {'abcdefghij' * 400}" for i in range(4)] + ["\u6f22" * 2000]
    annotator_for(model_at("chat", server), S10).annotate(texts)
    server.cached_share = 0.9
    annotator_for(model_at("chat", server), S10).annotate(TEXTS[:4] + LONG)
    assert not recwarn


def test_texts_a_little_longer_than_a_silent_context_are_noticed_by_its_size(server):
    """Once it was seen twice that no more than so many tokens are read."""
    server.context, server.overflow = 1024, "silent"
    short = [f"{text} {'a' * 3600}" for text in TEXTS[:4]]  # few words, many tokens
    annotator = annotator_for(model_at("chat", server), S10, n_workers=1)
    with pytest.warns(HypothesisWarning, match=r"8 of 8 texts"):
        labels = annotator.annotate([*LONG, *short])
    np.testing.assert_array_equal(labels, truth([*LONG, *short], S10))
