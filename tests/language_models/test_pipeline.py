"""From texts to hypotheses with a language model: the whole pipeline, both vendors."""

import json
import pickle
import warnings

import numpy as np
import pytest
from llm_cases import model_at
from llm_cases import prepare as prepare_environment
from llm_double import LLMServer, Mind
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from sklearn_hypo import (
    HypothesisExtractor,
    LLMAnnotator,
    LLMInterpreter,
    evaluate_hypotheses,
    make_hypothesis_pipeline,
)
from sklearn_hypo.datasets import make_concept_texts

DATA = make_concept_texts(1000, n_concepts=4, random_state=0)
TEXTS = np.array(DATA.data, dtype=object)
TRAIN, TEST = np.arange(800), np.arange(800, 840)
MIND = Mind.from_concept_texts(DATA)
PLANTED = [MIND.statement_of[name] for name in DATA.concept_names]
SECRET = "sk-never-to-be-seen-1618033988"


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    prepare_environment(monkeypatch, tmp_path / "cache")


@pytest.fixture(scope="module")
def module_patch(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        prepare_environment(patch, tmp_path_factory.mktemp("cache"))
        patch.setenv("KEY_OF_THE_TEST", SECRET)
        yield patch


def make_pipeline(interpreter=None, annotator=None):
    pipe = make_hypothesis_pipeline(
        n_texts=1000,
        n_select=10,
        interpreter=interpreter,
        annotator=annotator,
        random_state=0,
    )
    return pipe.set_params(
        embed__n_components=32,
        # with so few epochs, the target has to say what to look for
        sae__alpha=1.0,
        sae__max_epochs=15,
        sae__batch_size=64,
        sae__learning_rate=3e-3,
    )


def parts(model, cache=None, layout="auto", **settings):
    settings = {"n_candidates": 1, "n_scoring_examples": 10, **settings}
    return (
        LLMInterpreter(model, cache=cache, **settings),
        LLMAnnotator(model, layout=layout, cache=cache),
    )


def quietly(function, *args, **kwargs):
    """Do without warnings of hypotheses that are true of no text, or nearly so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def check_recovered(statements, marks, texts=TEST):
    """All that was planted is there, and is found in new texts."""
    statements = list(statements)
    assert set(PLANTED) <= set(statements)
    for concept, statement in enumerate(PLANTED):
        said = np.asarray(marks)[:, statements.index(statement)]
        assert f1_score(DATA.truth[texts, concept], said) >= 0.95


@pytest.fixture(scope="module")
def neurons(module_patch):
    """Activations of the training and of the test texts; what follows is fast."""
    pipe = make_pipeline()[:-1]
    train = quietly(pipe.fit_transform, TEXTS[TRAIN], DATA.target[TRAIN])
    return train, quietly(pipe.transform, TEXTS[TEST])


@pytest.fixture(scope="module")
def fitted(module_patch, tmp_path_factory):
    """Fit a pipeline with a key and a cache; return it, its server and the cache."""
    cache = tmp_path_factory.mktemp("answers")
    with LLMServer(MIND, api_key=SECRET) as server:
        model = model_at(
            "chat", server, api_key_env="KEY_OF_THE_TEST", price=(1.0, 0.5, 2.0)
        )
        pipe = make_pipeline(*parts(model, cache, max_words_per_example=40))
        pipe.set_params(hypotheses__max_annotated=150)
        quietly(pipe.fit, TEXTS[TRAIN], DATA.target[TRAIN])
        yield pipe, server, cache


# -- what was planted is found


@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        ("chat", "single"),
        ("chat", "decisions"),
        ("responses", "stacked"),
        ("gemini", "stacked"),
        ("gemini", "decisions"),
    ],
)
def test_planted_concepts_are_recovered(neurons, kind, layout):
    train, test = neurons
    with LLMServer(MIND) as server:
        extractor = HypothesisExtractor(
            *parts(model_at(kind, server), layout=layout),
            max_annotated=30,
            random_state=0,
        )
        quietly(extractor.fit, train, DATA.target[TRAIN])
        marks = extractor.transform(test)
        stats = server.stats()
    check_recovered(extractor.hypotheses_["hypothesis"], marks)
    assert stats.kinds[layout] == stats.calls - stats.kinds["interpretation"]
    assert stats.malformed == stats.unrecognized == 0
    assert extractor.annotator_.layout_ == layout
    assert set(stats.asked.values()) <= {1, 20}  # no cell is asked twice
    cells = [n for (text, _), n in stats.asked.items() if text is not None]
    assert set(cells) == {1}


def test_the_whole_pipeline(fitted):
    pipe, _, _ = fitted
    marks = pipe.transform(TEXTS[TEST])
    check_recovered(pipe[-1].hypotheses_["hypothesis"], marks)
    assert pipe.score(TEXTS[TEST], DATA.target[TEST]) > 0.3


@pytest.mark.parametrize("sampling", ["top", "bins"])
def test_a_wrong_first_answer_is_made_good_by_refinement(neurons, sampling):
    train, test = neurons
    mind = Mind.from_concept_texts(DATA, first_wrong=True)
    with LLMServer(mind) as server:
        interpreter, annotator = parts(
            model_at("chat", server), n_refinements=1, sampling=sampling
        )
        interpreter.set_params(n_scoring_examples=30)
        extractor = HypothesisExtractor(
            interpreter, annotator, max_annotated=30, random_state=0
        )
        quietly(extractor.fit, train, DATA.target[TRAIN])
        marks = extractor.transform(test)
    check_recovered(extractor.hypotheses_["hypothesis"], marks)


# -- accounts


def test_the_account_is_that_of_the_server(fitted):
    pipe, server, _ = fitted
    usage = pipe[-1].usage_.set_index("role")
    assert usage.index.tolist() == ["interpreter", "annotator"]
    assert usage["model"].tolist() == ["openai:double"] * 2
    kinds = server.stats().kinds
    assert usage.loc["interpreter", "calls"] == kinds["interpretation"] == 10
    assert (usage["cost"] > 0).all()
    assert (usage["uncertain_calls"] == 0).all()
    cost = usage["input_tokens"] / 1e6 + 2 * usage["output_tokens"] / 1e6
    np.testing.assert_allclose(usage["cost"], cost.astype(float))


def test_the_report_has_the_account(fitted):
    pipe, server, _ = fitted
    report = quietly(evaluate_hypotheses, pipe, TEXTS[TEST], DATA.target[TEST])
    roles = report.usage.set_index("role")
    stats = server.stats()
    assert roles["calls"].sum() == stats.calls
    assert roles["input_tokens"].sum() == stats.input_tokens
    assert roles["output_tokens"].sum() == stats.output_tokens
    line = next(line for line in str(report).splitlines() if "calls," in line)
    assert line.startswith(f"language models: {stats.calls:,} calls, ")
    assert f"${roles['cost'].sum():.2f}" in line
    assert f"{stats.calls:,} calls" in report._repr_html_()
    written = json.loads(json.dumps(report.to_dict()))
    assert [row["role"] for row in written["usage"]] == ["interpreter", "annotator"]
    assert sum(row["calls"] for row in written["usage"]) == stats.calls


def test_a_report_without_language_models_has_none(neurons):
    train, test = neurons
    extractor = quietly(
        HypothesisExtractor(random_state=0).fit, train, DATA.target[TRAIN]
    )
    report = quietly(evaluate_hypotheses, extractor, test, DATA.target[TEST])
    assert report.usage is None
    assert report.to_dict()["usage"] == []
    assert "language models" not in str(report)


def test_a_second_search_makes_no_call(fitted, neurons):
    pipe, server, _ = fitted
    rows, target = neurons[0][:150], DATA.target[:150]
    extractor = clone(pipe[-1]).set_params(max_annotated=20)
    grid = {
        "annotator__decision_threshold": [0.4, 0.6],
        "interpreter__n_scoring_examples": [6, 10],
    }

    def search():
        found = quietly(GridSearchCV(extractor, grid, cv=2).fit, rows, target)
        scores = quietly(cross_val_score, extractor, rows, target, cv=2)
        return [*found.cv_results_["mean_test_score"], *scores]

    before = server.stats().calls
    first = search()
    after = server.stats().calls
    assert after > before
    assert search() == first
    assert server.stats().calls == after


# -- as any other estimator


def test_new_texts_are_predicted(fitted):
    pipe, server, _ = fitted
    new = ["thanks a million, but it is raining again", "", "nothing of interest"]
    predicted = quietly(pipe.predict, new)
    assert predicted.shape == (3,)
    assert np.isfinite(predicted).all()
    marks = quietly(pipe.transform, new)
    said = dict(zip(marks.columns, marks.to_numpy().T, strict=True))
    assert said["expresses thanks"].tolist() == [1.0, 0.0, 0.0]
    assert said["talks about the weather"].tolist() == [1.0, 0.0, 0.0]
    n_calls = server.stats().calls
    np.testing.assert_array_equal(quietly(pipe.predict, new), predicted)
    assert server.stats().calls == n_calls


@pytest.mark.parametrize("in_memory", [False, True], ids=["folder", "memory"])
def test_a_pickled_pipeline_goes_on(fitted, in_memory):
    pipe, server, _ = fitted
    if in_memory:
        extractor = clone(pipe[-1]).set_params(
            interpreter__cache=None, annotator__cache=None, max_annotated=50
        )
        rows = quietly(pipe[:-1].transform, TEXTS[TRAIN])
        quietly(extractor.fit, rows, DATA.target[TRAIN])
        pipe = type(pipe)([*pipe.steps[:-1], ("hypotheses", extractor)])
    expected = pipe.predict(TEXTS[TEST])
    data = pickle.dumps(pipe)
    assert SECRET.encode() not in data
    assert TEXTS[0].encode() not in data  # nor are texts in it
    restored = pickle.loads(data)  # noqa: S301
    n_calls = server.stats().calls
    np.testing.assert_allclose(restored.predict(TEXTS[TEST]), expected)
    if not in_memory:
        assert server.stats().calls == n_calls
        assert restored[-1].annotator_.usage_["calls"] > 0  # the account goes on


def test_a_clone_is_unfitted_and_the_same(fitted):
    pipe, _, _ = fitted
    copy = clone(pipe)
    with pytest.raises(NotFittedError):
        copy[-1].transform(quietly(pipe[:-1].transform, TEXTS[:3]))
    assert not hasattr(copy[-1].annotator, "usage_")
    assert not hasattr(copy[-1].interpreter, "usage_")
    assert repr(copy) == repr(pipe)


def test_parameters_reach_the_parts(fitted):
    pipe = clone(fitted[0])
    params = pipe.get_params()
    assert params["hypotheses__interpreter__n_candidates"] == 1
    assert params["hypotheses__annotator__layout"] == "auto"
    pipe.set_params(
        hypotheses__annotator__model="gemini:gemini-2.5-flash-lite",
        hypotheses__interpreter__n_refinements=2,
    )
    assert pipe[-1].annotator.model == "gemini:gemini-2.5-flash-lite"
    assert pipe[-1].interpreter.n_refinements == 2


def test_nothing_that_is_shown_or_written_holds_the_key(fitted):
    pipe, _, cache = fitted
    extractor = pipe[-1]
    shown = [repr(pipe), str(pipe), pipe._repr_html_(), repr(pipe.get_params())]
    shown += [str(extractor.usage_), repr(vars(extractor)), str(extractor.candidates_)]
    shown += [repr(vars(extractor.annotator_)), repr(vars(extractor.interpreter_))]
    assert "OpenAIModel('double'" in "".join(shown[0].split("\n"))
    assert "double" in shown[2]
    for text in shown:
        assert SECRET not in text
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files
    for path in files:
        data = path.read_bytes()
        assert SECRET.encode() not in data
        assert b"thank you" not in data  # texts are not written either


def test_what_a_model_says_is_escaped(neurons):
    # measures of style are worded without a model
    train, test = (each.filter(like="neuron") for each in neurons)
    said = "<script>alert(1)</script> & mentions food"

    def write(prompt):
        return json.dumps({"statement": said})

    with LLMServer(MIND) as server:
        extractor = HypothesisExtractor(
            LLMInterpreter(write, n_candidates=1, n_scoring_examples=20, cache=None),
            LLMAnnotator(model_at("chat", server), cache=None),
            max_annotated=20,
            random_state=0,
        )
        quietly(extractor.fit, train, DATA.target[TRAIN])
        report = quietly(evaluate_hypotheses, extractor, test, DATA.target[TEST])
    assert extractor.hypotheses_["hypothesis"].tolist() == [said]
    for html in (report._repr_html_(), extractor._repr_html_()):
        assert "<script>alert" not in html
    assert "&lt;script&gt;" in report._repr_html_()
