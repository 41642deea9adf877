"""`LLMAnnotator` when calls go wrong: what is missing, what is repeated, what stops."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest
from llm_cases import (
    LAYOUTS,
    VENDORS,
    annotator_for,
    make_mind,
    make_texts,
    model_at,
    statements,
    truth,
)
from llm_double import Faults, LLMServer

from sklearn_hypo.exceptions import (
    HypothesisWarning,
    LanguageModelError,
    MissingAnswersError,
)

S12 = statements(12)
TEXTS = make_texts(20)
TRUTH = truth(TEXTS, S12)
CELLS = [(text, statement) for text in TEXTS for statement in S12]
BLOCKS = ("blocked_prompt", "blocked_answer")
missing_is_expected = pytest.mark.filterwarnings(
    "ignore::sklearn_hypo.exceptions.HypothesisWarning"
)


pytestmark = pytest.mark.usefixtures("prepared")


# Faults that repeating does not help against


def outcome_of(fault, kind, layout):
    """Return what a fault looks like from outside, which differs between vendors."""
    if fault != "refusal":
        return "blocked"
    if kind == "gemini":  # has no refusal but in prose
        return "blocked" if layout == "decisions" else "unparsable"
    return "refused"


def missing_cells(annotator):
    errors = annotator.annotation_errors_
    return set(zip(errors["text"], errors["hypothesis"], strict=True))


def assert_only_missing(annotator, labels, missing):
    expected = TRUTH.copy().reshape(-1)
    expected[[cell in missing for cell in CELLS]] = np.nan
    np.testing.assert_array_equal(labels.reshape(-1), expected)
    assert missing_cells(annotator) == set(missing)
    assert len(annotator.annotation_errors_) == len(missing)


def by_cell(faults, name):
    return {cell for cell in CELLS if faults.hits(name, cell)}


def faults_of(rates):
    """Return faults that each meet at least two cells, and few more than asked for."""
    for seed in range(100):
        faults = Faults(rates, seed)
        found = {name: len(by_cell(faults, name)) for name in rates}
        most = {name: 1.5 * rate * len(CELLS) for name, rate in rates.items()}
        if all(2 <= found[name] <= most[name] for name in rates):
            return faults
    raise AssertionError(rates)


@missing_is_expected
@pytest.mark.parametrize("fault", ["refusal", *BLOCKS])
@pytest.mark.parametrize("kind", VENDORS)
def test_a_cell_without_an_answer_is_nan_and_the_others_are_answered(
    server, tmp_path, kind, fault
):
    faults = server.faults = faults_of({fault: 0.02})
    missing = by_cell(faults, fault)
    assert 0 < len(missing) < 0.05 * len(CELLS)
    settings = {"layout": "single", "cache": tmp_path / "c"}
    annotator = annotator_for(model_at(kind, server), S12, **settings)
    assert_only_missing(annotator, annotator.annotate(TEXTS), missing)
    outcomes = set(annotator.annotation_errors_["outcome"])
    assert outcomes == {outcome_of(fault, kind, "single")}
    assert annotator.annotation_errors_["detail"].str.len().min() > 5
    # what did not arrive was not stored: the next run asks for it, and only for it
    server.faults = None
    server.reset()
    again = annotator_for(model_at(kind, server), S12, **settings)
    np.testing.assert_array_equal(again.annotate(TEXTS), TRUTH)
    assert server.stats().asked == dict.fromkeys(missing, 1)


@missing_is_expected
@pytest.mark.parametrize("fault", ["refusal", "blocked_answer"])
def test_a_declined_decision_leaves_the_others_of_its_call(server, fault):
    faults = server.faults = faults_of({fault: 0.02})
    annotator = annotator_for(model_at("chat", server), S12, layout="decisions")
    labels = annotator.annotate(TEXTS)
    assert_only_missing(annotator, labels, by_cell(faults, fault))
    assert set(annotator.annotation_errors_["outcome"]) == {"refused"}
    assert server.stats().calls == len(TEXTS)


@missing_is_expected
@pytest.mark.parametrize("fault", ["refusal", *BLOCKS])
@pytest.mark.parametrize("layout", ["stacked", "decisions"])
@pytest.mark.parametrize("kind", VENDORS)
def test_one_call_of_several_questions_does_not_silence_them_all(
    server, kind, layout, fault
):
    """What the double declines depends on all statements of a call together."""
    if (kind, layout) == ("chat", "decisions") and fault != "blocked_prompt":
        pytest.skip("is declined question by question")
    faults = server.faults = Faults({fault: 0.3}, seed=2)
    annotator = annotator_for(
        model_at(kind, server), S12, layout=layout, max_missing=1.0
    )
    labels = annotator.annotate(TEXTS)
    groups = {(c.text, *c.statements) for c in server.calls if len(c.statements) > 1}
    hit = [group for group in groups if faults.hits(fault, group)]
    assert 3 < len(hit) < len(groups) / 2
    cells = {(text, statement) for text, *group in hit for statement in group}
    alone = {cell for cell in cells if faults.hits(fault, cell)}
    assert 0 < len(alone) < len(cells) / 2
    assert_only_missing(annotator, labels, alone)
    outcomes = set(annotator.annotation_errors_["outcome"])
    assert outcomes == {outcome_of(fault, kind, layout)}


def test_what_is_missing_is_warned_about_by_hypothesis(server):
    faults = server.faults = faults_of({"refusal": 0.01})
    counts = Counter(statement for _, statement in by_cell(faults, "refusal"))
    assert 0 < len(counts) < 6
    annotator = annotator_for(model_at("chat", server), S12, layout="single")
    with pytest.warns(HypothesisWarning) as caught:
        annotator.annotate(TEXTS)
    (warning,) = caught
    message = str(warning.message)
    n = sum(counts.values())
    assert f"{n} of 240 answers ({n / 240:.1%}) are missing: {n} refused" in message
    named = re.findall(r"'([^']+)' \((\d+)\)", message)
    assert {name: int(count) for name, count in named} == counts
    assert warning.filename == __file__


def test_few_missing_answers_are_no_warning(server, recwarn):
    """A hundred texts and one answer missing: one percent, and no more."""
    texts = make_texts(100)
    settings = {"layout": "single"}
    for seed in range(1000):
        faults = Faults({"refusal": 0.005}, seed=seed)
        hit = [t for t in texts if faults.hits("refusal", (t, S12[0]))]
        if len(hit) == 1:
            break
    server.faults = faults
    annotator = annotator_for(model_at("chat", server), S12[:1], **settings)
    assert np.isnan(annotator.annotate(texts)).sum() == 1
    assert missing_cells(annotator) == {(hit[0], S12[0])}
    assert not recwarn


def test_too_many_missing_answers_are_an_error_that_keeps_the_others(server, tmp_path):
    faults = server.faults = faults_of({"refusal": 0.05, "blocked_answer": 0.05})
    missing = by_cell(faults, "refusal") | by_cell(faults, "blocked_answer")
    annotator = annotator_for(
        model_at("chat", server), S12, layout="single", cache=tmp_path / "c"
    )
    with pytest.raises(MissingAnswersError, match=r"max_missing=0\.05") as caught:
        annotator.annotate(TEXTS)
    errors = caught.value.errors
    assert list(errors.columns) == ["text", "hypothesis", "outcome", "detail"]
    assert set(zip(errors["text"], errors["hypothesis"], strict=True)) == missing
    assert set(errors["outcome"]) == {"refused", "blocked"}
    assert caught.value.reason == "missing"
    assert f"{len(missing)} of 240" in str(caught.value)
    assert server.stats().answered == dict.fromkeys(set(CELLS) - missing, 1)
    server.reset()
    with pytest.warns(HypothesisWarning):
        labels = annotator.set_params(max_missing=0.2).annotate(TEXTS)
    assert_only_missing(annotator, labels, missing)
    assert server.stats().asked == dict.fromkeys(missing, 1)


@missing_is_expected
def test_the_table_of_errors_is_that_of_the_last_call(server):
    server.faults = faults_of({"refusal": 0.02})
    annotator = annotator_for(model_at("chat", server), S12, layout="single")
    annotator.annotate([*TEXTS, *TEXTS[:3]])
    server.faults = None
    annotator.annotate(TEXTS)
    assert annotator.annotation_errors_.empty
    assert list(annotator.annotation_errors_.columns) == [
        *("text", "hypothesis", "outcome", "detail")
    ]


# Answers that are too long, and answers that cannot be read


def limits_of(server):
    """Return the limits on tokens of the calls about each text, in order."""
    limits = defaultdict(list)
    for call in server.calls:
        settings = call.body.get("generationConfig", call.body)
        names = ("max_completion_tokens", "max_output_tokens", "maxOutputTokens")
        given = [settings[name] for name in names if name in settings]
        limits[call.text].append(given[0] if given else None)
    return limits


@pytest.mark.parametrize("kind", VENDORS)
@pytest.mark.parametrize(
    ("reasoning", "limits"), [(10, [60]), (100, [60, 240]), (300, [60, 240, 960])]
)
def test_a_cut_answer_is_asked_for_with_four_times_the_tokens(
    server, kind, reasoning, limits
):
    server.reasoning_tokens = reasoning
    model = model_at(kind, server, max_output_tokens=60)
    labels = annotator_for(model, S12[:6]).annotate(TEXTS[:5])
    np.testing.assert_array_equal(labels, TRUTH[:5, :6])
    assert list(limits_of(server).values()) == [limits] * 5


def test_a_cap_on_the_cost_limits_answers_and_more_is_asked_for_if_need_be(server):
    server.reasoning_tokens = 5000
    model = model_at("chat", server, price=(0.1, 0.1, 0.4))
    labels = annotator_for(model, S12[:6], max_cost=10.0).annotate(TEXTS[:5])
    np.testing.assert_array_equal(labels, TRUTH[:5, :6])
    assert list(limits_of(server).values()) == [[2048, 8192]] * 5


@pytest.mark.parametrize("kind", VENDORS)
@pytest.mark.parametrize("layout", ["single", "stacked"])
def test_an_answer_that_is_always_cut_is_missing(server, kind, layout):
    server.reasoning_tokens = 10_000
    model = model_at(kind, server, max_output_tokens=60)
    annotator = annotator_for(model, S12[:2], layout=layout)
    with pytest.raises(MissingAnswersError, match="2 cut") as caught:
        annotator.annotate(TEXTS[:1])
    assert set(caught.value.errors["outcome"]) == {"cut"}
    assert set(map(max, limits_of(server).values())) == {960}
    assert server.stats().calls == {"single": 8, "stacked": 4 + 2 * 4}[layout]


@pytest.mark.parametrize("fault", ["cut", "truncated_answer"])
def test_a_run_in_which_nothing_can_be_read_stops(server, fault):
    server.faults = Faults({fault: 1.0})
    annotator = annotator_for(
        model_at("chat", server), S12, layout="single", max_missing=1.0
    )
    with pytest.raises(LanguageModelError, match="no answer could be used") as caught:
        annotator.annotate(TEXTS)
    assert caught.value.reason == "unusable"
    # all cells would have been asked four or six times
    assert server.stats().calls < TRUTH.size
    server.faults = None
    np.testing.assert_array_equal(annotator.annotate(TEXTS), TRUTH)


@pytest.mark.parametrize(
    ("layout", "fault"),
    [
        ("single", "truncated_answer"),
        ("stacked", "truncated_answer"),
        ("stacked", "surplus_answers"),
        ("decisions", "missing_answers"),
    ],
)
def test_answers_that_cannot_be_read_are_missing(server, layout, fault):
    server.faults = Faults({fault: 1.0})
    annotator = annotator_for(model_at("chat", server), S12[:1], layout=layout)
    with pytest.raises(MissingAnswersError, match="2 unparsable") as caught:
        annotator.annotate(TEXTS[:2])
    assert set(caught.value.errors["outcome"]) == {"unparsable"}
    assert caught.value.errors["detail"].str.startswith("unreadable answer: '").all()
    assert server.stats().calls / 2 == 5
    server.faults = None
    np.testing.assert_array_equal(annotator.annotate(TEXTS[:2]), TRUTH[:2, :1])


@pytest.mark.parametrize("kind", VENDORS)
@pytest.mark.parametrize("style", ["fenced", "thinking", "words"])
@pytest.mark.parametrize("layout", ["single", "stacked"])
def test_answers_in_the_style_of_small_models_are_read(server, kind, style, layout):
    server.style = style
    annotator = annotator_for(model_at(kind, server), S12, layout=layout)
    np.testing.assert_array_equal(annotator.annotate(TEXTS[:5]), TRUTH[:5])
    assert set(server.stats().asked.values()) == {1}


# The end of a run


@pytest.mark.parametrize("kind", VENDORS)
@pytest.mark.parametrize(
    ("fault", "reason", "advice"),
    [
        ("quota", "quota", "Add credit, or wait until it is renewed"),
        ("wrong_key", "authentication", "Check the environment variable"),
        ("unknown_model", "model", "Set model= to one that it has"),
    ],
)
def test_what_no_call_can_get_past_stops_the_run_and_keeps_what_was_paid(
    server, tmp_path, kind, fault, reason, advice
):
    server.faults = Faults({fault: 1.0}, from_call=100)
    model = model_at(kind, server)
    settings = {"layout": "single", "cache": tmp_path / "c", "n_workers": 8}
    annotator = annotator_for(model, S12, **settings)
    with pytest.raises(LanguageModelError, match=advice) as caught:
        annotator.annotate(TEXTS)
    assert caught.value.reason == reason
    vendor = "gemini" if kind == "gemini" else "openai"
    assert f"LLMAnnotator(model='{vendor}:double')" in str(caught.value)
    assert "All answers obtained so far are" in str(caught.value)
    stats = server.stats()
    assert sum(stats.answered.values()) == 100
    assert 100 < stats.calls <= 100 + 8
    assert annotator.usage_["calls"] == stats.calls
    server.faults = None
    again = annotator_for(model, S12, **settings)
    np.testing.assert_array_equal(again.annotate(TEXTS), TRUTH)
    assert server.stats().answered == dict.fromkeys(CELLS, 1)
    assert again.usage_["answers_from_cache"] == 100


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_run_that_was_stopped_goes_on_in_the_same_object(server, layout):
    server.faults = Faults({"quota": 1.0}, from_call=10)
    annotator = annotator_for(model_at("chat", server), S12, layout=layout)
    with pytest.raises(LanguageModelError):
        annotator.annotate(TEXTS)
    server.faults = None
    np.testing.assert_array_equal(annotator.annotate(TEXTS), TRUTH)
    assert server.stats().answered == dict.fromkeys(CELLS, 1)


def test_a_key_that_is_refused_is_not_shown(server, monkeypatch):
    secret = "sk-Zq8xV0nT7pL2mK4r"
    monkeypatch.setenv("MY_KEY", secret)
    server.api_key = "another"
    for kind in ("chat", "gemini"):
        annotator = annotator_for(model_at(kind, server, api_key_env="MY_KEY"), S12)
        with pytest.raises(LanguageModelError, match="key was not accepted") as caught:
            annotator.annotate(TEXTS)
        assert caught.value.reason == "authentication"
        assert secret not in repr(caught.value)
    assert server.stats().answered == {}


def test_a_server_that_is_down_stops_the_run(server):
    server.faults = Faults({"overloaded_503": 1.0})
    annotator = annotator_for(model_at("chat", server, max_retries=1), S12)
    with pytest.raises(LanguageModelError, match="calls in a row failed") as caught:
        annotator.annotate(TEXTS)
    assert caught.value.reason == "unreachable"
    assert server.stats().calls < 2 * len(TEXTS) * 2  # what all the calls would be


def test_nobody_at_the_address_stops_the_run():
    with LLMServer(make_mind()) as gone:
        model = model_at("chat", gone, max_retries=1)
    with pytest.raises(LanguageModelError, match="Check the connection") as caught:
        annotator_for(model, S12).annotate(TEXTS)
    assert caught.value.reason == "unreachable"


def test_a_parameter_that_the_server_refuses_is_named(server):
    server.reject_parameters = ("temperature",)
    annotator = annotator_for(model_at("chat", server, temperature=0.0), S12)
    with pytest.raises(LanguageModelError, match=r"LLMAnnotator.*'temperature'") as why:
        annotator.annotate(TEXTS)
    assert why.value.reason == "request"


@missing_is_expected
def test_a_call_that_fails_is_missing_and_asked_for_next_time(server):
    server.faults = Faults({"server_500": 0.3})
    annotator = annotator_for(
        model_at("chat", server, max_retries=0), S12, layout="single", max_missing=0.5
    )
    labels = annotator.annotate(TEXTS)
    failed = missing_cells(annotator)
    assert_only_missing(annotator, labels, failed)
    assert len(failed) == server.stats().faults["server_500"] > 50
    assert set(annotator.annotation_errors_["outcome"]) == {"failed"}
    assert annotator.annotation_errors_["detail"].str.contains("HTTP 500").all()
    server.faults = None
    server.reset()
    np.testing.assert_array_equal(annotator.annotate(TEXTS), TRUTH)
    assert server.stats().asked == dict.fromkeys(failed, 1)
