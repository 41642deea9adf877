"""`LLMNamer`: names that a language model writes for dictionaries."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from llm_cases import MODELS, model_at
from llm_cases import prepare as prepare_environment
from llm_scripted import ScriptedServer, chat, content, reply
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_hypo import (
    Candidate,
    Fidelity,
    Hypothesis,
    HypothesisExtractor,
    Interpretation,
    LLMNamer,
)
from sklearn_hypo.exceptions import BudgetError, HypothesisWarning, LanguageModelError

LEXICONS = (
    ("thanks", "thank", "grateful"),
    ("sad", "cry", "lonely"),
    ("rain", "snow"),
    ("sad", "tears", "rain"),
)
NEURONS = [f"n{j}" for j in range(len(LEXICONS))]
SECRET = "elderberry"  # is in every text, and in no dictionary


class Told(BaseEstimator):
    """An interpreter that has a dictionary for every neuron."""

    def interpret(self, texts, activations, neurons, *, annotator, random_state):
        unknown = Fidelity(*[np.nan] * 4, n=0)
        found = []
        for neuron in neurons:
            terms = LEXICONS[NEURONS.index(neuron)]
            hypothesis = Hypothesis(f"mentions {', '.join(terms)}", neuron, terms)
            found.append(
                Interpretation(neuron, (Candidate(hypothesis, unknown),), None)
            )
        return found


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    prepare_environment(monkeypatch, tmp_path / "cache")


@pytest.fixture
def server():
    with ScriptedServer() as server:
        yield server


def make_rows():
    rng = np.random.RandomState(0)
    words = sorted({term for terms in LEXICONS for term in terms})
    texts = [
        f"{i} {SECRET} " + " ".join(rng.choice(words, 3, replace=False))
        for i in range(60)
    ]
    values = [[sum(t in x.split() for t in terms) for terms in LEXICONS] for x in texts]
    X = pd.DataFrame(np.array(values, float), pd.Index(texts, name="text"), NEURONS)
    return X, X @ np.arange(1.0, 5.0)


def fit(n=4):
    X, y = make_rows()
    return HypothesisExtractor(Told(), random_state=0).fit(X.iloc[:, :n], y)


def names_of(extractor):
    return extractor.hypotheses_["name"].tolist()


class Model:
    """Stands for a model: notes the prompts, and says one thing after the other."""

    def __init__(self, *said):
        self.said = list(said)
        self.prompts = []

    def __deepcopy__(self, memo):
        return self

    def __call__(self, prompt):
        self.prompts.append(prompt)
        said = self.said[min(len(self.prompts), len(self.said)) - 1]
        return said if said[:1] == "{" else json.dumps({"name": said})


def name(extractor, *said, **settings):
    model = Model(*said)
    namer = LLMNamer(model, **{"cache": None, **settings})
    assert namer.name(extractor) is extractor
    return namer, model


def body(kind, text):
    if kind == "gemini":
        return content(text)
    if kind == "chat":
        return chat(text)
    message = {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    return {
        "id": "x",
        "object": "response",
        "created_at": 0,
        "model": "m-2026",
        "status": "completed",
        "output": [message],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 12,
        },
    }


@pytest.mark.parametrize("kind", MODELS)
def test_one_call_per_hypothesis_at_the_server(server, kind):
    said = ["gratitude", "sadness", "weather", "crying outside"]
    server.replies.extend(reply(body=body(kind, f'{{"name": "{s}"}}')) for s in said)
    extractor = fit()
    statements = extractor.get_feature_names_out()
    namer = LLMNamer(model_at(kind, server), n_workers=1)
    namer.name(extractor)
    assert names_of(extractor) == said
    assert len(server.seen) == len(LEXICONS)
    assert namer.usage_["calls"] == len(LEXICONS)
    assert namer.usage_["input_tokens"] == 10 * len(LEXICONS)
    assert len(namer.failures_) == 0
    # names change neither what annotates nor what columns are called
    assert extractor.get_feature_names_out().tolist() == statements.tolist()
    for request, terms in zip(server.seen, LEXICONS, strict=True):
        sent = request.body.decode()
        assert all(term in sent for term in terms)
        assert SECRET not in sent


def test_a_second_run_asks_nothing(server):
    server.always = lambda: reply(body=chat('{"name": "weather"}'))
    namer = LLMNamer(model_at("chat", server))
    assert namer.estimate_cost(fit(1)).calls == 1
    namer.name(fit(1))
    again = LLMNamer(model_at("chat", server))
    extractor = fit(1)
    assert again.estimate_cost(extractor).calls == 0
    again.name(extractor)
    assert names_of(extractor) == ["weather"]
    assert len(server.seen) == again.usage_["answers_from_cache"] == 1
    assert again.usage_["calls"] == 0


def test_shares_and_the_leading_terms_are_sent():
    extractor = fit(1)
    _, model = name(extractor, "gratitude", n_terms=2, task_instructions="Tweets.")
    prompt = model.prompts[0]
    lines = [line for line in prompt.split("\n") if line.startswith('{"')]
    shares = extractor.terms_.set_index("term")["share"]
    assert json.loads(lines[0]) == {
        term: pytest.approx(100 * shares[term], rel=0.05)
        for term in ("thanks", "thank")
    }
    assert "without 1 other:" in prompt
    assert "\nTweets.\n" in prompt


def test_the_target_is_never_sent():
    X, y = make_rows()
    prompts = []
    for target in (y, -y):
        extractor = HypothesisExtractor(Told(), random_state=0).fit(X, target)
        prompts.append(name(extractor, "a", "b", "c", "d")[1].prompts)
    assert prompts[0] == prompts[1]


def test_equal_names_are_told_apart_by_terms():
    extractor = fit()
    name(extractor, "thanks", "sadness", "weather", "deep sadness")
    assert names_of(extractor) == [
        "thanks",
        "sadness",
        "weather",
        "deep sadness (tears)",
    ]


def test_names_that_people_gave_stay_and_count():
    extractor = fit().rename({"n3": "sadness"})
    _, model = name(extractor, "thanks", "sadness", "weather")
    assert len(model.prompts) == 3
    assert names_of(extractor) == ["thanks", "sadness (cry)", "weather", "sadness"]
    # all have names: nothing is asked
    namer, model = name(extractor, "other")
    assert (model.prompts, namer.usage_["calls"]) == ([], 0)
    assert namer.estimate_cost(extractor).calls == 0
    extractor.rename({"n0": ""})
    name(extractor, "politeness")
    assert names_of(extractor)[:2] == ["politeness", "sadness (cry)"]


@pytest.mark.parametrize(
    "bad",
    [
        "one two three four five six seven",
        "x" * 61,
        "I cannot help with that",
        "none",
        '{"label": "gratitude"}',
        '{"name": 3}',
        '{"name": "grati',
    ],
)
def test_what_cannot_be_read_leaves_a_hypothesis_without_a_name(bad):
    extractor = fit(2)
    model = Model(bad, bad, bad, "sadness")
    namer = LLMNamer(model, cache=None)
    with pytest.warns(HypothesisWarning, match="1 hypothesis of 2 stay without") as got:
        namer.name(extractor)
    assert got[0].filename == __file__
    assert names_of(extractor) == ["", "sadness"]
    assert len(model.prompts) == 4  # asked three times
    assert namer.failures_["hypothesis"].tolist() == [
        extractor.hypotheses_["hypothesis"][0]
    ]
    assert "no name from the model (unparsable" in namer.failures_["reason"][0]


def test_names_are_one_clean_line():
    extractor = fit(1)
    said = '{"name": "**Gratitude\\u202e\\n and\\u0007 thanks:**."}'
    name(extractor, said)
    assert names_of(extractor) == ["Gratitude and thanks"]


def test_an_error_renames_nothing_and_loses_no_answer(server):
    said = [reply(body=chat('{"name": "gratitude"}')), reply(401, {"error": {}})]
    server.replies.extend(said)
    extractor = fit(2)
    namer = LLMNamer(model_at("chat", server), n_workers=1)
    with pytest.raises(LanguageModelError):
        namer.name(extractor)
    assert names_of(extractor) == ["", ""]
    assert namer.usage_["calls"] >= 1
    server.always = lambda: reply(body=chat('{"name": "sadness"}'))
    namer.name(extractor)
    assert names_of(extractor) == ["gratitude", "sadness"]
    assert namer.usage_["answers_from_cache"] == 1


def test_the_cap_is_not_passed(server):
    model = model_at("chat", server, price=(1, 1, 1))
    with pytest.raises(BudgetError):
        LLMNamer(model, max_cost=1e-9).name(fit(1))
    assert server.seen == []


def test_the_cost_is_estimated(server):
    model = model_at("chat", server, price=(1, 1, 10))
    estimate = LLMNamer(model).estimate_cost(fit())
    assert estimate.calls == len(LEXICONS)
    tokens = (estimate.input_tokens, estimate.output_tokens)
    assert tokens[0] > 400
    assert estimate.cost == pytest.approx((tokens[0] + 10 * tokens[1]) / 1e6)
    assert server.seen == []


def test_pipelines_and_searches_are_named():
    X, y = make_rows()
    pipe = make_pipeline(
        FunctionTransformer(), HypothesisExtractor(Told(), random_state=0)
    ).fit(X, y)
    namer = LLMNamer(Model("a", "b", "c", "d"), cache=None)
    assert namer.name(pipe) is pipe
    assert names_of(pipe[-1]) == ["a", "b", "c", "d"]
    search = GridSearchCV(
        HypothesisExtractor(Told(), random_state=0), {"task": ["regression"]}, cv=2
    ).fit(X, y)
    LLMNamer(Model("a", "b", "c", "d"), cache=None).name(search)
    assert names_of(search.best_estimator_) == ["a", "b", "c", "d"]


def test_what_cannot_be_named(server):
    namer = LLMNamer(model_at("chat", server))
    with pytest.raises(TypeError, match="LLMNamer expects a fitted HypothesisExtr"):
        namer.name("a text")
    with pytest.raises(NotFittedError):
        namer.name(HypothesisExtractor())
    with pytest.raises(ValueError, match="'n_terms' parameter of LLMNamer"):
        LLMNamer(n_terms=0).name(fit(1))


def test_clone_and_pickle():
    namer = LLMNamer("gemini:x", n_terms=3, max_cost=2.0)
    assert clone(namer).get_params() == namer.get_params()
    namer = LLMNamer(len, cache=None)
    extractor = fit(1)
    model = Model("a")
    namer.set_params(model=model).name(extractor)
    namer.set_params(model="gemini:x")
    copy = pickle.loads(pickle.dumps(namer))  # noqa: S301
    assert copy.get_params() == namer.get_params()
    assert copy.usage_["calls"] == 1
