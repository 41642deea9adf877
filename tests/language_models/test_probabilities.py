"""Probabilities over HTTP: log-probabilities of chat answers, and two endpoints."""

import json

import numpy as np
import pytest
from llm_cases import (
    annotator_for,
    make_mind,
    make_texts,
    model_at,
    prepare,
    statements,
    truth,
)
from llm_double import Faults, LLMServer, Mind

from sklearn_hypo import CascadeAnnotator, GeminiModel, LLMAnnotator, OpenAIModel
from sklearn_hypo._annotation import _calibration, _language_model
from sklearn_hypo._language_models import _decision_endpoints
from sklearn_hypo._language_models._logprobs import WORD_TOKENS, read_word_reply
from sklearn_hypo._language_models._openai import read_chat
from sklearn_hypo._language_models._values import ANSWERED, CUT, UNPARSABLE
from sklearn_hypo._language_models._yes_no import compute_yes_probability
from sklearn_hypo.exceptions import HypothesisWarning, LanguageModelError

TEXTS = make_texts(12)
ASKED = statements(4)
N_CELLS = len(TEXTS) * len(ASKED)


@pytest.fixture(autouse=True)
def _prepared(monkeypatch, tmp_path):
    prepare(monkeypatch, tmp_path)
    monkeypatch.setattr(_decision_endpoints, "_FOUND", {})


@pytest.fixture
def server():
    with LLMServer(make_mind()) as server:
        yield server


def probabilities(texts=TEXTS):
    mind = make_mind()
    return np.array([[mind.probability(s, text) for s in ASKED] for text in texts])


# Log-probabilities of chat answers


def test_probabilities_of_a_yes_are_read_from_one_word(server):
    annotator = annotator_for(model_at("chat", server), ASKED, layout="logprobs")
    found = annotator.annotate_proba(TEXTS)
    np.testing.assert_allclose(found, probabilities(), atol=1e-6)
    np.testing.assert_array_equal(annotator.annotate(TEXTS), truth(TEXTS, ASKED))
    stats = server.stats()
    assert stats.calls == N_CELLS
    assert stats.kinds == {"word": N_CELLS}
    assert stats.malformed == 0
    assert annotator.usage_["output_tokens"] == N_CELLS
    body = server.calls[-1].body
    assert body["logprobs"] is True
    assert body["top_logprobs"] == 20
    assert WORD_TOKENS in (
        body.get("max_completion_tokens"),
        body.get("max_tokens"),
    )
    assert "response_format" not in body


def test_probabilities_are_cached_and_the_threshold_is_free(server):
    annotator = annotator_for(
        model_at("chat", server), ASKED, layout="logprobs", cache="auto"
    )
    annotator.annotate(TEXTS)
    annotator.set_params(decision_threshold=1.0)
    assert annotator.annotate(TEXTS).sum() == 0
    assert server.stats().calls == N_CELLS


def test_a_server_that_gives_five_alternatives_is_asked_for_five(server):
    server.most_alternatives = 5
    annotator = annotator_for(
        model_at("chat", server), ASKED, layout="logprobs", n_workers=1
    )
    np.testing.assert_allclose(
        annotator.annotate_proba(TEXTS), probabilities(), atol=0.01
    )
    assert server.stats().calls == N_CELLS + 1


@pytest.mark.parametrize(
    "settings",
    [{"most_alternatives": None}, {"reject_parameters": ("logprobs",)}],
    ids=["ignored", "rejected"],
)
def test_a_server_without_log_probabilities_is_an_error(server, settings):
    for name, value in settings.items():
        setattr(server, name, value)
    annotator = annotator_for(model_at("chat", server), ASKED, layout="logprobs")
    with pytest.raises(LanguageModelError, match="layout='stacked'") as caught:
        annotator.annotate(TEXTS)
    assert "gives no log-probabilities" in str(caught.value)
    assert server.stats().calls < 34


def test_a_model_that_thinks_is_recognised_at_once(server):
    server.reasoning_tokens = 100
    annotator = annotator_for(model_at("chat", server), ASKED, layout="logprobs")
    with pytest.raises(LanguageModelError, match="thinks before it answers") as caught:
        annotator.annotate(TEXTS)
    assert "reasoning_effort='none'" in str(caught.value)
    assert server.stats().calls < 20


def test_a_model_that_thinks_has_room_if_it_is_given(server):
    server.reasoning_tokens = 100
    server.style = "thinking"
    model = model_at("chat", server, max_output_tokens=50)
    annotator = annotator_for(model, ASKED, layout="logprobs")
    # cut at 50 tokens, and asked again with four times as many
    np.testing.assert_allclose(
        annotator.annotate_proba(TEXTS), probabilities(), atol=1e-6
    )
    assert server.stats().calls == 2 * N_CELLS


def test_probabilities_survive_replies_that_go_wrong(server):
    names = ("truncated_answer", "truncated_json", "cut")
    server.faults = Faults.spread(0.3, names, seed=2, from_call=10)
    model = model_at("chat", server)
    annotator = annotator_for(model, ASKED, layout="logprobs", n_workers=2)
    found = annotator.annotate_proba(TEXTS)
    np.testing.assert_allclose(found, probabilities(), atol=1e-6)
    assert set(server.stats().faults) == set(names)


def test_one_reply_without_log_probabilities_does_not_end_a_run():
    body = {
        "choices": [
            {"message": {"content": "Yes"}, "finish_reason": "stop", "logprobs": None}
        ]
    }
    model = OpenAIModel("m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(LanguageModelError, match="no log-probabilities"):
        read_word_reply(read_chat(body), body, model)
    reply = read_word_reply(read_chat(body), body, model, proven=True)
    assert reply.outcome == UNPARSABLE
    assert reply.detail == "no log-probabilities"


@pytest.mark.parametrize(
    "model",
    [
        GeminiModel("m", base_url="http://127.0.0.1:9"),
        OpenAIModel("m", base_url="http://127.0.0.1:9/v1", api="responses"),
        str.upper,
    ],
    ids=["gemini", "responses", "function"],
)
def test_models_without_log_probabilities_are_refused_before_any_call(model):
    with pytest.raises(ValueError, match="layout='logprobs'"):
        LLMAnnotator(model, layout="logprobs", cache=None).fit([], ASKED)


def test_batches_give_no_probabilities(server, tmp_path):
    model = model_at("chat", server)
    annotator = annotator_for(model, ASKED, layout="logprobs", cache=tmp_path)
    with pytest.raises(ValueError, match="layout='stacked'"):
        annotator.submit(TEXTS)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ({"Yes": 0.6, "No": 0.2}, 0.75),
        ({" yes": 0.3, "YES": 0.3, "\u0120No": 0.2, "\u2581no": 0.2}, 0.6),
        ({"Yes": 0.5, "Yesterday": 0.5}, 1.0),
        ({"No": 1.0}, 0.0),
        ({"None": 0.7, "Nothing": 0.3}, None),
        ({"The": 0.995, "Yes": 0.004, "No": 0.001}, None),
    ],
)
def test_all_ways_of_writing_a_word_count(tokens, expected):
    found = compute_yes_probability([(t, np.log(p)) for t, p in tokens.items()])
    assert found == (expected if expected is None else pytest.approx(expected))


def read(*tokens, content=None, finish="stop", limit=None, **message):
    """Read a reply whose tokens are given with the probabilities of yes and no."""
    places = []
    for token in tokens:
        shares = {token: 1.0}
        if isinstance(token, tuple):
            token, yes = token
            shares = {"Yes": yes, "No": 1 - yes}
        top = [{"token": t, "logprob": float(np.log(p))} for t, p in shares.items()]
        places.append({"token": token, "logprob": -0.1, "top_logprobs": top})
    text = "".join(place["token"] for place in places) if content is None else content
    body = {
        "choices": [
            {
                "message": {"role": "assistant", "content": text, **message},
                "finish_reason": finish,
                "logprobs": {"content": places},
            }
        ]
    }
    model = OpenAIModel("m", base_url="http://127.0.0.1:9/v1", max_output_tokens=limit)
    return read_word_reply(read_chat(body), body, model)


def test_answers_are_found_where_models_put_them():
    assert read(("Yes", 0.7)).content == pytest.approx(0.7)
    # one token, of an answer that was cut after it
    assert read(("No", 0.2), finish="length").content == pytest.approx(0.2)
    assert read("\n", "**", ("Yes", 0.7), "**").content == pytest.approx(0.7)
    # thoughts in the answer, empty ones included, or apart from it
    empty = read("<think>", "\n\n", "</think>", "\n\n", ("No", 0.3))
    assert empty.content == pytest.approx(0.3)
    thoughts = ("<think>", "Yes", "</think>", ("No", 0.4))
    assert read(*thoughts).content == pytest.approx(0.4)
    apart = read("Yes", "?", ("No", 0.1), content="No", reasoning="Yes?")
    assert apart.content == pytest.approx(0.1)


def test_what_is_no_answer_is_not_read_as_one():
    prose = read("The", " text", " is", ("Yes", 0.9))
    assert prose.outcome == UNPARSABLE
    assert "'The text isYes'" in prose.detail
    cut = read("<think>", "Yes", finish="length", limit=500)
    assert cut.outcome == CUT
    with pytest.raises(LanguageModelError, match="thinks"):
        read("<think>", "Yes", finish="length")
    refused = read(("Yes", 0.9), content="", refusal="I cannot")
    assert refused.outcome not in (ANSWERED, UNPARSABLE)


# Two endpoints for decisions


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/systemone"])
def test_decisions_are_found_on_servers_of_both_kinds(server, path):
    server.decision_paths = (path,)
    annotator = annotator_for(model_at("chat", server), ASKED, layout="decisions")
    np.testing.assert_allclose(annotator.annotate_proba(TEXTS), probabilities())
    n_lost = int(path.endswith("systemone"))
    assert server.stats().calls == len(TEXTS) + n_lost
    # remembered, also by others
    again = annotator_for(model_at("chat", server), ASKED, layout="decisions")
    again.annotate(TEXTS)
    assert server.stats().calls == 2 * len(TEXTS) + n_lost


def test_an_endpoint_that_is_named_is_the_only_one_asked(server):
    server.decision_paths = ("/v1/decisions", "/v1/systemone")
    model = model_at("chat", server, decisions_api="systemone")
    annotator_for(model, ASKED, layout="decisions").annotate(TEXTS)
    assert server.stats().routes == {"/v1/systemone": len(TEXTS)}
    body = server.calls[-1].body
    assert body["state"] in TEXTS
    assert json.dumps(body["questions"]["c1"]).startswith('{"type": "noul"')
    # how a server is asked does not change its answers
    assert model.identity() == model_at("chat", server).identity()


def test_a_server_in_the_place_of_another_is_asked_anew(server):
    server.decision_paths = ("/v1/systemone",)
    model = model_at("chat", server)
    annotator_for(model, ASKED, layout="decisions").annotate(TEXTS)
    server.decision_paths = ("/v1/decisions",)
    annotator = annotator_for(model, ASKED, layout="decisions", n_workers=1)
    np.testing.assert_allclose(annotator.annotate_proba(TEXTS), probabilities())


def test_a_server_without_decisions_is_an_error_that_names_layouts(server):
    server.decision_paths = ()
    annotator = annotator_for(model_at("chat", server), ASKED, layout="decisions")
    with pytest.raises(LanguageModelError, match="neither /decisions nor") as caught:
        annotator.annotate(TEXTS)
    assert "layout='stacked'" in str(caught.value)
    assert server.stats().calls == 2


def test_an_unknown_model_is_told_from_an_unknown_path(server):
    server.models = ["another"]
    annotator = annotator_for(model_at("chat", server), ASKED, layout="decisions")
    with pytest.raises(LanguageModelError, match="does not exist") as caught:
        annotator.annotate(TEXTS)
    assert caught.value.reason == "model"


def test_system_one_is_asked_at_most_64_questions(server):
    server.decision_paths = ("/v1/systemone",)
    asked = [f"has property {i}" for i in range(100)]
    annotator = annotator_for(model_at("chat", server), asked, layout="decisions")
    annotator.annotate(TEXTS[:2])
    sizes = [len(call.statements) for call in server.calls if call.status == 200]
    assert sorted(sizes) == [36, 36, 64, 64]
    assert annotator.usage_["calls"] == 4
    assert set(server.stats().asked.values()) == {1}


def test_refusals_of_single_questions_are_missing(server):
    server.decision_paths = ("/v1/systemone",)
    server.faults = Faults({"refusal": 0.1})
    annotator = annotator_for(
        model_at("chat", server), ASKED, layout="decisions", max_missing=1.0
    )
    with pytest.warns(HypothesisWarning):
        found = annotator.annotate_proba(TEXTS)
    known = ~np.isnan(found)
    assert 0 < known.sum() < known.size
    np.testing.assert_allclose(found[known], probabilities()[known])


# Thresholds


class TimidMind(Mind):
    """Never more certain of a yes than 0.3."""

    def probability(self, statement, text):
        return round(0.3 * super().probability(statement, text), 4)


@pytest.fixture
def timid(server):
    server.mind = TimidMind(make_mind().rules)
    return server


@pytest.mark.parametrize("layout", ["decisions", "logprobs"])
def test_thresholds_are_calibrated_on_activations(timid, layout):
    texts, new = make_texts(40), make_texts(30, seed=1)
    activations = truth(texts, ASKED) * 2.5
    model = model_at("chat", timid)
    fixed = annotator_for(model, ASKED, layout=layout)
    assert fixed.annotate(new).sum() == 0
    annotator = LLMAnnotator(
        model, layout=layout, decision_threshold="auto", cache=None
    ).fit(texts, ASKED, activations)
    assert annotator.thresholds_.shape == (len(ASKED),)
    assert ((annotator.thresholds_ > 0.03) & (annotator.thresholds_ < 0.27)).all()
    np.testing.assert_array_equal(annotator.annotate(new), truth(new, ASKED))


def test_calibration_asks_about_some_texts_and_folds_share_them(timid, monkeypatch):
    draw = _calibration.draw_calibration_rows
    monkeypatch.setattr(
        _language_model, "draw_calibration_rows", lambda t, s: draw(t, s, most=30)
    )
    texts = make_texts(60)
    activations = truth(texts, ASKED)
    annotator = LLMAnnotator(
        model_at("chat", timid), layout="decisions", decision_threshold="auto"
    )
    annotator.fit(texts, ASKED, activations)
    assert timid.stats().calls == 30
    annotator.fit(texts[:50], ASKED, activations[:50])
    assert timid.stats().calls <= 30 + 10


def test_thresholds_need_activations_and_probabilities(timid):
    annotator = LLMAnnotator(
        model_at("chat", timid), layout="decisions", decision_threshold="auto"
    )
    with pytest.raises(ValueError, match="decision_threshold='auto' is calibrated"):
        annotator.fit(TEXTS, ASKED)
    stacked = annotator.set_params(layout="stacked").fit(TEXTS, ASKED)
    np.testing.assert_array_equal(stacked.annotate(TEXTS), truth(TEXTS, ASKED))
    assert stacked.thresholds_.tolist() == [0.5] * len(ASKED)


def test_a_missing_answer_is_left_out_of_the_calibration(timid):
    timid.faults = Faults({"refusal": 0.1})
    texts = make_texts(60)
    annotator = LLMAnnotator(
        model_at("chat", timid),
        layout="decisions",
        decision_threshold="auto",
        max_missing=1.0,
        cache=None,
    )
    with pytest.warns(HypothesisWarning):
        annotator.fit(texts, ASKED, truth(texts, ASKED))
    assert ((annotator.thresholds_ > 0.03) & (annotator.thresholds_ < 0.27)).all()


# Where they are in doubt


def test_margins_are_probabilities_minus_the_threshold(server):
    annotator = annotator_for(
        model_at("chat", server), ASKED, layout="logprobs", decision_threshold=0.3
    )
    where = np.zeros((len(TEXTS), len(ASKED)), dtype=bool)
    where[1, 0] = where[2, 1] = True
    margins = annotator.decision_function(TEXTS, where)
    assert server.stats().calls == 2
    np.testing.assert_array_equal(np.isnan(margins), ~where)
    np.testing.assert_allclose(margins[where], probabilities()[where] - 0.3, atol=1e-6)
    whole = annotator.decision_function(TEXTS) >= 0
    np.testing.assert_array_equal(whole, annotator.annotate(TEXTS) == 1)
    for layout in ("single", "stacked"):
        assert not hasattr(LLMAnnotator("openai:a", layout=layout), "decision_function")


def test_a_cascade_asks_where_the_probability_is_near_the_threshold(server):
    cheap = LLMAnnotator(model_at("chat", server), layout="logprobs", cache=None)
    dear = LLMAnnotator(lambda prompt: "yes", cache=None)
    annotator = CascadeAnnotator(cheap, dear, max_share=0.25, check_share=0)
    marks = annotator.fit(TEXTS, ASKED).annotate(TEXTS)
    assert server.stats().calls == len(TEXTS) * len(ASKED)  # those of fit are known
    distance = np.abs(probabilities() - 0.5)
    asked = distance < annotator.bands_
    assert annotator.dear_.usage_["calls"] == asked.sum() > 0
    assert asked.mean() <= 0.25
    np.testing.assert_array_equal(marks, asked | (probabilities() >= 0.5))
