"""A second run gives what the first gave; what cannot work shows before it is paid."""

import json
import logging

import numpy as np
import pandas as pd
import pytest
from llm_cases import (
    WORDS,
    annotator_for,
    make_texts,
    model_at,
    prepare,
    statements,
    truth,
)
from llm_scripted import ScriptedServer, reply
from sklearn.base import clone

from sklearn_hypo import (
    Hypothesis,
    HypothesisExtractor,
    LLMAnnotator,
    LLMInterpreter,
    OpenAIModel,
)
from sklearn_hypo._language_models import _cells, _session
from sklearn_hypo.exceptions import LanguageModelError

S12 = statements(12)
TEXTS = make_texts(40)
# more odd texts than threads
ODD = set(TEXTS[:18])
TRUTH = truth(TEXTS, S12)
EXPECTED = np.where(np.isin(TEXTS, list(ODD))[:, None], np.nan, TRUTH)


class Picky:
    """Answers as a mind does, but not about some texts."""

    def __init__(self, server, odd):
        self.server = server
        self.odd = odd

    def __call__(self):
        request = self.server.seen[-1]
        text = json.loads(request.data["messages"][1]["content"])["text"]
        if text in ODD:
            return self.odd
        return self.server._answer(request)


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    prepare(monkeypatch, tmp_path / "unused")


@pytest.fixture
def server():
    from llm_cases import make_mind

    with ScriptedServer(make_mind()) as server:
        yield server


def unreadable():
    body = {"choices": [{"message": {"content": "hm"}, "finish_reason": "stop"}]}
    return reply(200, body)


ODD_REPLIES = {
    "refused": lambda: reply(400, {"error": {"message": "no such luck"}}),
    "forbidden": lambda: reply(403, {"error": {"message": "blocked by policy"}}),
    "unreadable": unreadable,
}


@pytest.mark.parametrize("layout", ["single", "stacked"])
@pytest.mark.parametrize("odd", ODD_REPLIES)
def test_a_second_run_gives_what_the_first_gave(server, tmp_path, layout, odd):
    settings = {"layout": layout, "cache": tmp_path, "max_missing": 1.0}
    asked, expected = S12[:3], EXPECTED[:, :3]
    annotator = annotator_for(model_at("chat", server), asked, **settings)
    # first a success: an answer to nothing but odd texts would be a wrong key
    annotator.annotate(TEXTS[-2:])
    server.always = Picky(server, ODD_REPLIES[odd]())
    new = annotator_for(model_at("chat", server), asked, **settings)
    for each in (annotator, annotator, new):
        with pytest.warns(match="are missing"):
            np.testing.assert_array_equal(each.annotate(TEXTS), expected)


def test_a_key_that_may_nothing_stops_the_first_run(server):
    server.always = ODD_REPLIES["forbidden"]
    annotator = annotator_for(model_at("chat", server), S12)
    with pytest.raises(LanguageModelError, match="key was not accepted") as caught:
        annotator.annotate(TEXTS)
    assert caught.value.reason == "authentication"
    assert len(server.seen) <= 16


def test_one_odd_text_is_no_reason_to_stop(server, tmp_path):
    """Of a single text, every hypothesis fails in a call of its own."""
    server.always = Picky(server, ODD_REPLIES["refused"]())
    annotator = annotator_for(
        model_at("chat", server), statements(20), layout="single", max_missing=1.0
    )
    with pytest.warns(match="are missing"):
        labels = annotator.annotate([TEXTS[0]])
    assert np.isnan(labels).all()


def test_an_unreadable_text_costs_a_bounded_number_of_calls(server):
    annotator = annotator_for(model_at("chat", server), S12[:10], max_missing=1.0)
    annotator.annotate(TEXTS[-2:])
    server.seen.clear()
    server.always = Picky(server, unreadable())
    with pytest.warns(match="are missing"):
        annotator.annotate(TEXTS[:1] + TEXTS[30:35])
    # fewer where it comes first: nobody knows then whether anything can be read
    assert 5 + 12 <= len(server.seen) <= 5 + 2 + 10 * 3
    assert not np.isnan(annotator.annotate(TEXTS[30:35])).any()


def test_blocks_of_rows_make_no_difference(server, monkeypatch):
    texts = TEXTS + TEXTS[:7] + [""]
    whole = annotator_for(model_at("chat", server), S12).annotate(texts)
    n_calls = len(server.seen)
    server.seen.clear()
    monkeypatch.setattr(_cells, "_BLOCK", 13)
    annotator = annotator_for(model_at("chat", server), S12)
    estimate = annotator.estimate_cost(texts)
    where = np.random.default_rng(0).random((len(texts), 12)) < 0.5
    some = annotator.annotate_cells(texts, where)
    np.testing.assert_array_equal(some, np.where(where & True, whole, np.nan))
    np.testing.assert_array_equal(annotator.annotate(texts), whole)
    server.seen.clear()
    fresh = annotator_for(model_at("chat", server), S12)
    np.testing.assert_array_equal(fresh.annotate(texts), whole)
    assert len(server.seen) == n_calls == estimate.calls == 2 * len(TEXTS)


def test_rows_of_missing_answers_are_those_of_the_table(server, monkeypatch):
    monkeypatch.setattr(_cells, "_BLOCK", 7)
    server.always = Picky(server, ODD_REPLIES["refused"]())
    annotator = annotator_for(model_at("chat", server), S12[:3], max_missing=1.0)
    texts = TEXTS[30:] + TEXTS[:4] + TEXTS[20:25]
    with pytest.warns(match="are missing"):
        annotator.annotate(texts)
    errors = annotator.annotation_errors_
    assert set(errors["text"]) == set(TEXTS[:4])
    assert len(errors) == 12


def test_numpy_numbers_of_a_grid_are_numbers(server):
    values = {"concepts_per_call": np.int64(5), "shuffle_seed": np.int64(3)}
    annotator = annotator_for(model_at("chat", server), S12, **values)
    np.testing.assert_array_equal(annotator.annotate(TEXTS[:3]), TRUTH[:3])
    assert len(server.seen) == 3 * 3


def test_statements_may_be_strings(server):
    annotator = LLMAnnotator(model_at("chat", server), cache=None).fit([], S12)
    np.testing.assert_array_equal(annotator.annotate(TEXTS[:2]), TRUTH[:2])
    with pytest.raises(TypeError, match="Hypothesis objects or strings; int"):
        clone(annotator).fit([], [3])


@pytest.mark.parametrize("where", [np.ones((2, 3), bool), [[True] * 12]])
def test_a_mask_of_the_wrong_shape_is_refused(server, where):
    annotator = annotator_for(model_at("chat", server), S12)
    with pytest.raises(ValueError, match=r"where= is of shape .* \(2, 12\)"):
        annotator.annotate_cells(TEXTS[:2], where)


def test_a_twin_of_a_callable_object_shares_its_answers():
    class Model:
        n_calls = 0

        def __call__(self, prompt):
            Model.n_calls += 1
            return "yes"

    annotator = LLMAnnotator(Model(), cache=None)
    for _ in range(3):
        annotator.twin().fit([], S12[:2]).annotate(["a text"])
    annotator.fit([], S12[:2]).annotate(["a text"])
    assert Model.n_calls == 2
    assert annotator.usage_["calls"] == 2


def test_waiting_for_another_run_is_said_in_the_log(server, tmp_path, caplog):
    from sklearn_hypo._language_models._answers import AnswerStore

    annotator = annotator_for(model_at("chat", server), S12[:2], cache=tmp_path)
    texts = ["a text"]
    table = annotator._make_answerer()._make_table(texts, S12[:2])
    patience = pytest.MonkeyPatch()
    patience.setattr(_session, "_PATIENCE_SECONDS", 0.0)
    patience.setattr(_session, "_POLL_SECONDS", 0.01)
    with patience.context(), caplog.at_level(logging.WARNING, "sklearn_hypo"):
        with AnswerStore(tmp_path).run() as other:
            other.claim(table.open_keys())
            waiting = []

            def give_up_after_a_while(self, n_busy, wait=_session.OtherRuns.wait):
                wait(self, n_busy)
                waiting.append(n_busy)
                if len(waiting) == 3:
                    other.release(table.open_keys())

            patience.setattr(_session.OtherRuns, "wait", give_up_after_a_while)
            annotator.annotate(texts)
        patience.undo()
    assert waiting == [2, 2, 2]
    assert "for 2 answers that another run" in caplog.text
    assert str(tmp_path) in caplog.text


# The writer is not paid before the annotator can work


def interpreted(annotator, server, texts=TEXTS, **settings):
    """Have two neurons interpreted through an extractor."""
    settings = {"n_candidates": 1, "cache": None, **settings}
    interpreter = LLMInterpreter(model_at("chat", server), **settings)
    neurons = pd.DataFrame(
        truth(texts, S12)[:, :2] * 1.0, index=pd.Index(texts, name="text")
    )
    neurons.columns = ["n0", "n1"]
    extractor = HypothesisExtractor(interpreter, annotator, random_state=0)
    return extractor.fit(neurons, neurons["n0"] + np.arange(len(texts)) / 100)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"layout": "bogus"}, ValueError, "layout"),
        ({"model": str, "layout": "decisions"}, ValueError, "layout='decisions'"),
        ({"model": "gemini:gemini-2.5-flash-lite"}, LanguageModelError, "needs a key"),
        ({"model": "openai:of-unknown-price", "max_cost": 1.0}, ValueError, "price"),
    ],
)
def test_an_annotator_that_cannot_work_costs_nothing(server, settings, error, message):
    if settings.get("model") is str:
        settings = {**settings, "model": json.dumps}
    annotator = LLMAnnotator(**{"cache": None, **settings})
    with pytest.raises(error, match=message):
        interpreted(annotator, server)
    assert server.seen == []


def test_like_texts_are_in_one_part(server):
    texts = [f"{word} {text}" for text in TEXTS for word in ("once", "again")]
    shouted = [f"{text.upper()} \u0007 " for text in texts]
    texts = np.array(texts + shouted, dtype=object)
    LLMInterpreter(model_at("chat", server), n_candidates=1, cache=None).interpret(
        texts,
        truth([text.lower() for text in texts], S12[:2]),
        ["n0", "n1"],
        annotator=LLMAnnotator(model_at("chat", server), cache=None),
        random_state=np.random.RandomState(0),
    )
    shown, judged = set(), set()
    for request in server.seen:
        user = request.data["messages"][1]["content"]
        if user.startswith("{"):
            judged.add(plain(json.loads(user)["text"]))
        for line in user.splitlines():
            if line.startswith("["):
                shown |= set(map(plain, json.loads(line)))
    assert len(shown) > 20
    assert len(judged) > 20
    assert shown.isdisjoint(judged)


def plain(text):
    return " ".join(text.split()).casefold()


def test_few_texts_have_no_fidelity(server):
    texts = ["pizza one", "rain two", "three"]
    annotator = LLMAnnotator(model_at("chat", server), cache=None)
    fitted = interpreted(annotator, server, texts)
    assert fitted.hypotheses_["f1"].isna().all()
    assert fitted.candidates_["n"].tolist() == [3] * len(fitted.candidates_)


def test_a_statement_that_is_hardly_judged_does_not_win():
    """One answer that fits is worth less than many that mostly fit."""
    texts = np.array(make_texts(100), dtype=object)
    active = truth(texts, ["mentions pizza"])

    class Annotator(LLMAnnotator):
        def annotate_cells(self, texts, where=None):
            labels = truth(texts, ["mentions pizza"] * len(self.hypotheses_))
            for j, hypothesis in enumerate(self.hypotheses_):
                if hypothesis.statement == "silent":
                    labels[1:, j] = np.nan
                else:
                    labels[::5, j] = 0.0
            return np.where(where, labels, np.nan)

    statements_ = iter(["silent", "mostly right", "mostly right"])
    interpreter = LLMInterpreter(
        lambda prompt: json.dumps({"statement": next(statements_)}),
        n_candidates=3,
        cache=None,
    )
    (found,) = interpreter.interpret(
        texts,
        active,
        ["n0"],
        annotator=Annotator(json.dumps, cache=None),
        random_state=np.random.RandomState(0),
    )
    assert found.candidates[0].hypothesis == Hypothesis("mostly right", "n0")
    assert found.candidates[1].comparison.n <= 1


def test_the_estimate_with_an_annotator_holds_the_scoring(server):
    annotator = LLMAnnotator(
        OpenAIModel("double", base_url=server.openai_url, price=(1, 1, 1)), cache=None
    )
    interpreter = LLMInterpreter(
        model_at("chat", server, price=(1, 1, 1)),
        n_candidates=2,
        n_scoring_examples=20,
        cache=None,
    )
    writing = interpreter.estimate_cost(TEXTS, 3)
    both = interpreter.estimate_cost(TEXTS, 3, annotator)
    assert writing.calls == 6
    assert both.cost > writing.cost
    activations = np.array([[word in text for word in WORDS[:3]] for text in TEXTS])
    interpreter.interpret(
        np.array(TEXTS, dtype=object),
        activations.astype(float),
        ["n0", "n1", "n2"],
        annotator=annotator,
        random_state=np.random.RandomState(0),
    )
    # statements of several neurons that are judged in one text share a call
    assert both.calls == server.stats().calls
