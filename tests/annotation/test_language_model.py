"""`LLMAnnotator` through the real clients: layouts, cache, functions as models.

The server is a double with a known mind, so labels can be compared with the truth,
and calls are counted where they arrive.
"""

import copy
import json
import pickle
import threading
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from llm_cases import (
    FORMATS,
    LAYOUTS,
    WORDS,
    annotator_for,
    hypotheses,
    make_mind,
    make_texts,
    model_at,
    prepare,
    statements,
    truth,
)
from llm_double import LLMServer
from scipy.stats import chisquare
from sklearn.base import clone

from sklearn_hypo import LLMAnnotator
from sklearn_hypo._language_models import _layouts
from sklearn_hypo.exceptions import HypothesisWarning

S12 = statements(12)
N = 10
TEXTS = make_texts(N)
# of all texts and statements
N_CALLS = {"single": N * 12, "stacked": N * 2, "decisions": N}


@pytest.fixture(autouse=True)
def cache_folder(prepared):
    """Return the folder that cache='auto' stands for."""
    return prepared


def stacked_orders(server):
    """Return the statements of every call, by text."""
    orders = {}
    for call in server.calls:
        orders.setdefault(call.text, []).append(call.statements)
    return orders


# Layouts


@pytest.mark.parametrize(("kind", "layout"), FORMATS)
def test_labels_are_true_and_each_question_is_asked_once(server, kind, layout):
    table = [*TEXTS, " ", *TEXTS[:5], "", "\n\t"]
    annotator = annotator_for(model_at(kind, server), S12, layout=layout)
    labels = annotator.annotate(table)
    np.testing.assert_array_equal(labels, truth(table, S12))
    np.testing.assert_array_equal(labels[[N, N + 6, N + 7]], 0)
    stats = server.stats()
    assert stats.calls == N_CALLS[layout]
    assert stats.kinds == {layout: stats.calls}
    assert stats.asked == dict.fromkeys(((t, s) for t in TEXTS for s in S12), 1)
    assert stats.malformed == 0
    assert annotator.layout_ == layout
    assert annotator.annotation_errors_.empty


def test_equal_statements_are_asked_once(server):
    annotator = annotator_for(model_at("chat", server), [S12[0], S12[1], S12[0]])
    labels = annotator.annotate(TEXTS)
    np.testing.assert_array_equal(labels, truth(TEXTS, S12)[:, [0, 1, 0]])
    assert set(server.stats().asked.values()) == {1}


def test_without_texts_or_hypotheses_nothing_is_asked(server):
    model = model_at("chat", server)
    assert annotator_for(model, S12).annotate([]).shape == (0, 12)
    assert annotator_for(model, []).annotate(TEXTS).shape == (N, 0)
    assert server.stats().calls == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_the_cells_that_are_wanted_are_asked(server, layout):
    where = np.random.RandomState(0).random_sample((N, 12)) < 0.3
    where[3] = False
    annotator = annotator_for(model_at("chat", server), S12, layout=layout)
    labels = annotator.annotate_cells(TEXTS, where)
    np.testing.assert_array_equal(
        labels, np.where(where, truth(TEXTS, S12), np.nan), strict=True
    )
    asked = {(TEXTS[i], S12[j]): 1 for i, j in np.argwhere(where)}
    assert server.stats().asked == asked


@pytest.mark.parametrize(
    ("kind", "name", "layout"),
    [
        ("chat", "double", "stacked"),
        ("gemini", "double", "stacked"),
        ("gemini", "gemini-decision-1", "decisions"),
    ],
)
def test_auto_picks_a_layout_that_the_model_has(server, kind, name, layout):
    annotator = annotator_for(model_at(kind, server, name), S12)
    annotator.annotate(TEXTS[:3])
    assert annotator.layout_ == layout
    assert set(server.stats().kinds) == {layout}


def test_a_layout_that_the_model_does_not_have_is_refused(server):
    with pytest.raises(ValueError, match=r"layout='single'.*Use layout='decisions'"):
        annotator_for(
            model_at("gemini", server, "gemini-decision-1"), S12, layout="single"
        )
    with pytest.raises(ValueError, match=r"layout='decisions'.*'single' or 'stacked'"):
        annotator_for(make_mind(), S12, layout="decisions")


@pytest.mark.parametrize(
    ("layout", "per_call", "sizes"),
    [
        ("stacked", None, [6, 6]),
        ("stacked", 5, [4, 4, 4]),
        ("stacked", 1, [1] * 12),
        ("stacked", 100, [12]),
        ("decisions", 5, [4, 4, 4]),
        ("decisions", 7, [6, 6]),
    ],
)
def test_concepts_per_call_bounds_groups_of_like_sizes(server, layout, per_call, sizes):
    annotator_for(
        model_at("chat", server), S12, layout=layout, concepts_per_call=per_call
    ).annotate(TEXTS[:4])
    for groups in stacked_orders(server).values():
        assert sorted(map(len, groups)) == sorted(sizes)


def test_decisions_are_divided_where_the_endpoint_takes_no_more(server):
    many = [f"mentions topic {i}" for i in range(401)]
    labels = annotator_for(model_at("chat", server), many, layout="decisions").annotate(
        TEXTS[:1]
    )
    assert not np.isnan(labels).any()
    assert sorted(len(call.statements) for call in server.calls) == [200, 201]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_long_texts_are_cut_and_asked_once_where_they_are_equal_then(server, layout):
    start = "we all ate pizza"
    table = [f"{start} and then {word}" for word in WORDS[1:4]] + [start]
    annotator = annotator_for(
        model_at("chat", server), S12, layout=layout, max_words_per_example=4
    )
    np.testing.assert_array_equal(annotator.annotate(table), truth([start] * 4, S12))
    assert {text for text, _ in server.stats().asked} == {start}
    assert set(server.stats().asked.values()) == {1}


# The order of stacked statements


def orders_of(server, asked, n_texts=300, **settings):
    server.reset()
    annotator = annotator_for(
        model_at("chat", server), asked, layout="stacked", **settings
    )
    annotator.annotate(make_texts(n_texts))
    return {t: sorted(groups) for t, groups in stacked_orders(server).items()}


def test_statements_are_shuffled_evenly_for_every_text(server):
    orders = orders_of(server, statements(10))
    place = np.zeros((10, 10))
    for (order,) in orders.values():
        for position, statement in enumerate(order):
            place[position, statements(10).index(statement)] += 1
    assert place.sum() == 10 * 300
    assert chisquare(place.ravel()).pvalue > 1e-3
    # no statement follows another one more often than by chance
    pairs = Counter(pair for (order,) in orders.values() for pair in pairwise(order))
    assert len(pairs) == 90
    assert chisquare(list(pairs.values())).pvalue > 1e-3


def test_statements_are_grouped_by_chance(server):
    orders = orders_of(server, S12, 200)
    mates = Counter(
        frozenset((S12[0], other))
        for groups in orders.values()
        for group in groups
        if S12[0] in group
        for other in group
        if other != S12[0]
    )
    assert len(mates) == 11
    assert chisquare(list(mates.values())).pvalue > 1e-3


def test_the_order_depends_on_seed_and_text_alone(server):
    first = orders_of(server, S12, 30)
    assert orders_of(server, S12, 30) == first
    assert orders_of(server, S12[::-1], 30, n_workers=3) == first
    other = orders_of(server, S12, 30, shuffle_seed=1)
    assert sum(other[text] == first[text] for text in first) <= 1


# Functions as models


@pytest.mark.parametrize("layout", ["single", "stacked"])
def test_a_function_can_answer(layout):
    annotator = annotator_for(make_mind(), S12, layout=layout)
    np.testing.assert_array_equal(annotator.annotate(TEXTS), truth(TEXTS, S12))
    assert annotator.usage_["calls"] == N_CALLS[layout]
    assert annotator.usage_["cost"] == 0
    annotator.annotate(TEXTS)
    assert annotator.usage_["answers_from_cache"] == N * 12


def test_a_function_is_called_by_one_thread_unless_more_are_asked_for():
    under_way, most = 0, 0
    both = threading.Event()
    lock = threading.Lock()

    def function(prompt):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            if under_way == 2:
                both.set()
        both.wait(0.01 if most_allowed == 1 else 10.0)
        with lock:
            under_way -= 1
        return make_mind()(prompt)

    for most_allowed in (1, 2):
        both.clear()
        most = 0
        n_workers = None if most_allowed == 1 else 2
        annotator_for(function, S12[:2], n_workers=n_workers).annotate(TEXTS[:3])
        assert most == most_allowed


def test_an_error_of_a_function_arrives_and_what_was_answered_is_kept():
    calls = []

    def function(prompt):
        calls.append(prompt)
        if len(calls) == 7:
            raise KeyError("mine")
        return make_mind()(prompt)

    annotator = annotator_for(function, S12[:2])
    with pytest.raises(KeyError, match="mine"):
        annotator.annotate(TEXTS[:10])
    labels = annotator.annotate(TEXTS[:10])
    np.testing.assert_array_equal(labels, truth(TEXTS[:10], S12[:2]))
    assert len(calls) == 20 + 1


def test_a_function_that_fails_like_a_connection_is_called_again():
    calls = []

    def function(prompt):
        calls.append(prompt)
        if len(calls) % 3 == 0:
            raise ConnectionResetError
        return make_mind()(prompt)

    labels = annotator_for(function, S12[:2]).annotate(TEXTS[:10])
    np.testing.assert_array_equal(labels, truth(TEXTS[:10], S12[:2]))


def test_a_function_must_return_text():
    annotator = annotator_for(lambda prompt: True, S12[:2])
    with pytest.raises(TypeError, match=r"must return the answer as a str; bool"):
        annotator.annotate(TEXTS)


# Decisions


@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_probabilities_are_kept_and_thresholds_cost_nothing(server, kind, tmp_path):
    annotator = annotator_for(
        model_at(kind, server), S12, layout="decisions", cache=tmp_path / "c"
    )
    expected = np.array(
        [[server.mind.probability(s, text) for s in S12] for text in TEXTS]
    )
    np.testing.assert_allclose(annotator.annotate_proba(TEXTS), expected)
    assert server.stats().calls == len(TEXTS)
    assert len(np.unique(expected)) > 100
    for threshold in np.quantile(expected, [0.0, 0.1, 0.5, 0.9, 1.0]):
        marks = expected >= threshold
        annotator.set_params(decision_threshold=threshold)
        np.testing.assert_array_equal(annotator.annotate(TEXTS), marks)
        other = clone(annotator).fit(TEXTS, hypotheses(S12))
        np.testing.assert_array_equal(other.annotate(TEXTS), marks)
    assert server.stats().calls == len(TEXTS)


@pytest.mark.parametrize("layout", ["single", "stacked"])
def test_other_layouts_have_the_probabilities_0_and_1(server, layout):
    annotator = annotator_for(model_at("chat", server), S12, layout=layout)
    np.testing.assert_array_equal(annotator.annotate_proba(TEXTS), truth(TEXTS, S12))


# The cache

# What changes a specification, or the annotator, and whether answers may change.
CHANGES_ANSWERS = {
    "chat": [
        {"name": "another"},
        {"temperature": 0.5},
        {"temperature": 0},
        {"top_p": 0.5},
        {"seed": 3},
        {"reasoning_effort": "low"},
        {"structured_output": False},
        {"kind": "responses"},
        {"kind": "gemini", "name": "another"},
    ],
    "gemini": [
        {"thinking_budget": 0},
        {"thinking_level": "minimal"},
        {"safety": "off"},
        {"temperature": 0.5},
    ],
}
SAME_ANSWERS = {
    "chat": [
        {"price": (1.0, 2.0)},
        {"max_output_tokens": 99},
        {"timeout": 7.0},
        {"max_retries": 1},
        {"requests_per_minute": 1e6},
        {"tokens_per_minute": 1e9},
        {"token_parameter": "max_tokens"},
        {"api_key_env": "SOME_KEY"},
    ],
    "gemini": [{"timeout": 7.0}, {"max_output_tokens": 99}, {"price": (1.0, 2.0)}],
}
PAIRS = ["I like pizza", "no rain"]


def flatten(cases):
    return [
        pytest.param(kind, change, id=f"{kind}-{'-'.join(map(str, change.items()))}")
        for kind, changes in cases.items()
        for change in changes
    ]


@pytest.fixture(scope="module")
def known(shared_server, tmp_path_factory):
    """Return the folder of a cache that knows the answers to a few questions."""
    folder = tmp_path_factory.mktemp("known")
    with pytest.MonkeyPatch.context() as patch:
        prepare(patch, folder)
        for kind in ("chat", "gemini"):
            annotator_for(
                model_at(kind, shared_server), S12[:2], layout="single", cache=folder
            ).annotate(PAIRS)
    return folder


def calls_for(server, cache, kind="chat", table=PAIRS, asked=S12[:2], **change):
    """Annotate with something changed, and count the calls."""
    of_annotator = LLMAnnotator().get_params().keys() & change.keys()
    settings = {"layout": "single", "cache": cache}
    settings |= {name: change.pop(name) for name in of_annotator}
    model = model_at(kind, server, **change)
    server.reset()
    labels = annotator_for(model, asked, **settings).annotate(table)
    cut = [
        " ".join(t.split(" ")[: settings.get("max_words_per_example")]) for t in table
    ]
    np.testing.assert_array_equal(labels, truth(cut, asked))
    return server.stats().calls


@pytest.mark.parametrize(("kind", "change"), flatten(CHANGES_ANSWERS))
def test_what_changes_an_answer_is_asked_again(server, known, kind, change):
    change = {"kind": kind, **change}
    assert calls_for(server, known, **change) == 4
    assert calls_for(server, known, **change) == 0


@pytest.mark.parametrize(("kind", "change"), flatten(SAME_ANSWERS))
def test_what_cannot_change_an_answer_costs_nothing(
    server, known, kind, change, monkeypatch
):
    monkeypatch.setenv("SOME_KEY", "k")
    assert calls_for(server, known, kind, **change) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"n_workers": 1},
        {"decision_threshold": 0.9},
        {"max_missing": 0.5},
        {"concepts_per_call": 3},
        {"shuffle_seed": 5},
        {"max_words_per_example": 100},
        {"price": (1.0, 2.0), "max_cost": 5.0},
    ],
    ids=str,
)
def test_settings_of_the_annotator_that_change_nothing_sent_cost_nothing(
    server, known, change
):
    assert calls_for(server, known, **change) == 0


def test_the_table_is_asked_again_where_its_words_differ(server, known):
    assert calls_for(server, known, table=PAIRS[::-1], asked=S12[1::-1]) == 0
    assert calls_for(server, known, table=[PAIRS[0] + " "]) == 2
    assert calls_for(server, known, table=[PAIRS[0].upper()]) == 2
    assert calls_for(server, known, asked=["Mentions pizza"]) == 2


def test_what_counts_is_the_text_that_is_sent(server, known):
    assert PAIRS == ["I like pizza", "no rain"]
    assert calls_for(server, known, max_words_per_example=2) == 2  # of the first text
    assert calls_for(server, known, table=["I like", "no rain"]) == 0


def test_prompts_belong_to_the_key(server, known, monkeypatch):
    for name, layout in (("SINGLE_SYSTEM", "single"), ("STACKED_SYSTEM", "stacked")):
        calls_for(server, known, layout=layout)
        assert calls_for(server, known, layout=layout) == 0
        monkeypatch.setattr(_layouts, name, getattr(_layouts, name) + " Be kind.")
        assert calls_for(server, known, layout=layout) > 0


def test_layout_order_and_size_of_a_stack_belong_to_the_key(server, tmp_path):
    for change, n_calls in (
        ({"layout": "stacked"}, 2),
        ({"layout": "stacked", "shuffle_seed": 1}, 2),
        ({"layout": "stacked", "concepts_per_call": 7}, 0),  # the very same calls
        ({"layout": "stacked", "concepts_per_call": 1}, 4),
        ({"layout": "decisions"}, 2),
    ):
        assert calls_for(server, tmp_path / "c", **change) == n_calls
        assert calls_for(server, tmp_path / "c", **change) == 0


def test_another_server_may_answer_otherwise(server, known):
    with LLMServer(make_mind()) as other:
        assert calls_for(other, known) == 4


def test_an_address_from_the_environment_belongs_to_the_key(server, known, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
    annotator = annotator_for("openai:double", S12[:2], layout="single", cache=known)
    annotator.annotate(PAIRS)
    with LLMServer(make_mind()) as other:
        monkeypatch.setenv("OPENAI_BASE_URL", other.openai_url)
        annotator_for("openai:double", S12[:2], layout="single", cache=known).annotate(
            PAIRS
        )
        assert other.stats().calls == 4


def test_texts_that_begin_and_end_alike_are_different(server, tmp_path):
    ends = "so it begins " * 8, " and so it ends" * 7
    assert min(map(len, ends)) > 100
    table = [ends[0] + middle + ends[1] for middle in ("pizza", "a lot of rain")]
    labels = annotator_for(
        model_at("chat", server), S12[:2], cache=tmp_path / "c"
    ).annotate(table)
    np.testing.assert_array_equal(labels, np.eye(2))


@pytest.mark.parametrize(("kind", "layout"), FORMATS)
def test_a_run_that_is_started_again_makes_no_call(server, tmp_path, kind, layout):
    model = model_at(kind, server)
    for _ in range(2):
        annotator = annotator_for(model, S12, layout=layout, cache=tmp_path / "c")
        labels = annotator.annotate(TEXTS)
        np.testing.assert_array_equal(labels, truth(TEXTS, S12))
        first_calls = server.stats().calls
    assert first_calls == N_CALLS[layout]
    assert annotator.usage_["calls"] == 0
    assert annotator.usage_["answers_from_cache"] == N * 12


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_longer_table_costs_what_is_new(server, tmp_path, layout):
    model = model_at("chat", server)
    settings = {"layout": layout, "cache": tmp_path / "c"}
    annotator_for(model, S12[:5], **settings).annotate(TEXTS[:6])
    before = server.stats().asked
    server.reset()
    labels = annotator_for(model, S12, **settings).annotate(TEXTS)
    np.testing.assert_array_equal(labels, truth(TEXTS, S12))
    every = {(text, s) for text in TEXTS for s in S12}
    assert server.stats().asked == dict.fromkeys(every - before.keys(), 1)


def through_pickle(annotator):
    return pickle.loads(pickle.dumps(annotator))  # noqa: S301


@pytest.mark.parametrize("copied", [clone, copy.deepcopy, through_pickle])
def test_copies_share_the_cache_on_disk(server, tmp_path, copied):
    annotator = annotator_for(model_at("chat", server), S12, cache=tmp_path / "c")
    annotator.annotate(TEXTS)
    server.reset()
    other = copied(annotator)
    if not hasattr(other, "hypotheses_"):  # clones are not fitted
        other.fit([], hypotheses(S12))
    np.testing.assert_array_equal(other.annotate(TEXTS), truth(TEXTS, S12))
    assert server.stats().calls == 0


@pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle])
def test_copies_without_a_cache_on_disk_work(server, copied):
    annotator = annotator_for(model_at("chat", server), S12)
    annotator.annotate(TEXTS)
    labels = copied(annotator).annotate(TEXTS)
    np.testing.assert_array_equal(labels, truth(TEXTS, S12))


def test_without_a_cache_answers_last_as_long_as_the_object(server, cache_folder):
    annotator = annotator_for(model_at("chat", server), S12)
    annotator.annotate(TEXTS)
    annotator.annotate(TEXTS)
    assert server.stats().calls == 2 * N
    clone(annotator).fit([], hypotheses(S12)).annotate(TEXTS)
    assert server.stats().calls == 4 * N
    assert not cache_folder.exists()


def test_auto_is_the_folder_named_by_the_environment(server, cache_folder):
    annotator_for(model_at("chat", server), S12, cache="auto").annotate(TEXTS)
    assert cache_folder.exists()
    assert (
        calls_for(server, cache_folder, layout="stacked", table=TEXTS, asked=S12) == 0
    )


def test_a_function_that_cannot_be_told_from_others_is_not_kept_on_disk(
    cache_folder, tmp_path
):
    calls = []

    def function(prompt):
        calls.append(prompt)
        return "yes"

    annotator = annotator_for(function, S12, cache="auto")
    for _ in range(2):
        assert annotator.annotate(TEXTS[:3]).all()
    assert len(calls) == 36
    assert not cache_folder.exists()
    with pytest.raises(ValueError, match=r"cache=.*cannot be identified.*cache=None"):
        annotator_for(function, S12, cache=tmp_path / "c").annotate(TEXTS)
    assert len(calls) == 36


def answers_yes(prompt):
    return "yes"


def test_a_function_of_a_module_is_kept_on_disk(cache_folder):
    first = annotator_for(answers_yes, S12, cache="auto")
    first.annotate(TEXTS[:3])
    second = annotator_for(answers_yes, S12, cache="auto")
    second.annotate(TEXTS[:3])
    assert (first.usage_["calls"], second.usage_["calls"]) == (36, 0)


def test_neither_texts_nor_keys_are_written(server, tmp_path, monkeypatch):
    secret = "sk-Zq8xV0nT7pL2mK4r"
    monkeypatch.setenv("MY_KEY", secret)
    server.api_key = secret
    for kind in ("chat", "gemini"):
        annotator = annotator_for(
            model_at(kind, server, api_key_env="MY_KEY"), S12, cache=tmp_path / "c"
        )
        annotator.annotate(TEXTS)
        shown = [repr(annotator), str(annotator.get_params()), annotator._repr_html_()]
        assert not any(secret in text for text in shown)
    assert server.stats().auth == {"matched": 4 * N}
    written = b"".join(path.read_bytes() for path in (tmp_path / "c").iterdir())
    assert len(written) > 1000
    forbidden = [secret, *S12, *TEXTS]
    assert not any(text.encode() in written for text in forbidden)


# Parameters


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("layout", "chunked"),
        ("concepts_per_call", 0),
        ("max_words_per_example", 0),
        ("decision_threshold", 1.1),
        ("max_missing", -0.1),
        ("max_cost", 0),
        ("n_workers", 0),
        ("shuffle_seed", -1),
        ("cache", 3),
        ("model", "gpt-6-luna"),
    ],
)
def test_bad_parameters_are_named_before_any_call(server, parameter, value):
    settings = {"model": model_at("chat", server), parameter: value}
    annotator = LLMAnnotator(**{"cache": None, **settings})
    with pytest.raises((ValueError, TypeError), match=parameter):
        annotator.fit([], hypotheses(S12))
    assert server.stats().calls == 0


@pytest.mark.parametrize("table", ["one text", [b"bytes"], ["a", None], [3]])
def test_what_is_no_list_of_texts_is_refused(server, table):
    annotator = annotator_for(model_at("chat", server), S12)
    with pytest.raises((TypeError, ValueError), match="text"):
        annotator.annotate(table)
    assert server.stats().calls == 0


def test_a_model_that_is_switched_off_soon_is_warned_about(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.warns(HypothesisWarning, match=r"gpt-4.1-nano.*Set model= to another"):
        annotator_for("openai:gpt-4.1-nano", S12)


def test_what_is_sent_is_what_is_documented(server):
    """The prompt is part of the interface: the answers of a cache depend on it."""
    annotator = annotator_for(model_at("chat", server), S12[:2], layout="single")
    annotator.annotate(TEXTS[:1])
    bodies = [call.body for call in server.calls]
    system, user = bodies[0]["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert json.loads(user["content"])["text"] == TEXTS[0]
    assert bodies[0].keys() == {"model", "messages", "response_format"}


# The account


def say_yes(prompt):
    return "yes"


def test_the_account_is_an_attribute_that_twins_share_and_copies_go_on_with():
    annotator = LLMAnnotator(say_yes, cache=None).fit([], S12[:1])
    assert vars(annotator)["usage_"]["calls"] == 0
    annotator.twin().fit([], S12[1:3]).annotate(["a text"])
    assert annotator.usage_["calls"] == 2
    assert annotator.usage_["model"] == "callable:say_yes"
    copied = copy.deepcopy(annotator)
    copied.annotate(["a text"])
    assert (annotator.usage_["calls"], copied.usage_["calls"]) == (2, 3)
