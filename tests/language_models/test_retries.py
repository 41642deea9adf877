"""`LLMAnnotator` when calls fail for a while: all cells are answered in the end."""

import json
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from llm_cases import (
    VENDOR_FORMATS,
    VENDORS,
    annotator_for,
    make_texts,
    model_at,
    statements,
    truth,
)
from llm_double import TRANSIENT, Faults

from sklearn_hypo.exceptions import MissingAnswersError

S12 = statements(12)
TEXTS = make_texts(12)
TRUTH = truth(TEXTS, S12)
CELLS = [(text, statement) for text in TEXTS for statement in S12]


pytestmark = pytest.mark.usefixtures("prepared")


# those of embeddings aside
COMMON = [name for name in TRANSIENT if name != "wrong_number_of_embeddings"]
# the call goes well, and the answer is no good
OF_ANSWERS = ("cut", "truncated_answer", "missing_answers", "surplus_answers")


def assert_answered_once(server):
    """No question was paid for twice, but where the answer could not be trusted."""
    stats = server.stats()
    twice = sum(stats.answered.values()) - len(CELLS)
    assert stats.answered.keys() == set(CELLS)
    assert twice <= 12 * stats.faults["surplus_answers"]
    if not stats.faults["surplus_answers"]:
        assert twice == 0
    assert stats.malformed == 0


class FirstCalls(Faults):
    """A fault in the first call about each text, and no other."""

    def __init__(self, fault):
        super().__init__({fault: 1.0})
        self._seen = set()

    def draw(self, number, kind, content, without=()):
        if content[0] in self._seen:
            return None
        self._seen.add(content[0])
        return super().draw(number, kind, content, without)


@pytest.mark.parametrize("kind", ["chat", "gemini"])
@pytest.mark.parametrize("fault", COMMON)
def test_every_cell_is_answered_in_spite_of_one_kind_of_fault(server, kind, fault):
    if fault in OF_ANSWERS:
        server.faults = FirstCalls(fault)
    else:
        server.faults = Faults({fault: 0.4}, seed=5, timeout_seconds=0.5)
    model = model_at(
        kind, server, timeout=0.2 if fault == "timeout" else 30.0, max_retries=20
    )
    annotator = annotator_for(model, S12)
    np.testing.assert_array_equal(annotator.annotate(TEXTS), TRUTH)
    assert annotator.annotation_errors_.empty
    assert server.stats().faults[fault] > 5
    assert_answered_once(server)


@pytest.mark.parametrize(("kind", "layout"), VENDOR_FORMATS)
def test_every_cell_is_answered_in_spite_of_all_kinds_of_faults(server, kind, layout):
    rate = {"single": 0.1, "stacked": 0.25, "decisions": 0.4}[layout]
    server.faults = Faults.spread(rate, COMMON, seed=1, timeout_seconds=1.5)
    annotator = annotator_for(model_at(kind, server, timeout=0.8), S12, layout=layout)
    np.testing.assert_array_equal(annotator.annotate(TEXTS), TRUTH)
    assert annotator.annotation_errors_.empty
    stats = server.stats()
    assert len(stats.faults) >= 4
    assert annotator.usage_["calls"] == stats.calls
    assert_answered_once(server)


@pytest.mark.parametrize("layout", ["stacked", "decisions"])
@pytest.mark.parametrize("kind", VENDORS)
def test_what_is_left_out_of_an_answer_is_asked_for_alone(server, kind, layout):
    server.faults = FirstCalls("missing_answers")
    annotator = annotator_for(
        model_at(kind, server), S12, layout=layout, concepts_per_call=12
    )
    np.testing.assert_array_equal(annotator.annotate(TEXTS), TRUTH)
    assert server.stats().answered == dict.fromkeys(CELLS, 1)
    calls = defaultdict(list)
    for call in server.calls:
        calls[call.text].append(call)
    assert min(map(len, calls.values())) > 1
    for of_text in calls.values():
        assert of_text[-1].fault is None
        for before, after in pairwise(of_text):
            assert before.fault == "missing_answers"
            asked_again = set(after.statements)
            assert asked_again < set(before.statements) or len(before.statements) == 1


def test_requests_are_repeated_word_for_word(server):
    server.faults = Faults({"server_500": 0.5}, seed=1)
    annotator_for(model_at("chat", server), S12).annotate(TEXTS)
    bodies = defaultdict(set)
    for call in server.calls:
        asked = (call.text, frozenset(call.statements))
        bodies[asked].add(json.dumps(call.body, sort_keys=True))
    assert {len(variants) for variants in bodies.values()} == {1}
    assert server.stats().calls > len(bodies) == 2 * len(TEXTS)


def test_retries_are_bounded(server):
    server.faults = Faults({"server_500": 1.0})
    model = model_at("chat", server, max_retries=2)
    annotator = annotator_for(model, S12[:1], n_workers=1)
    with pytest.raises(MissingAnswersError):
        annotator.annotate(TEXTS[:2])
    assert server.stats().calls == 2 * 3


class CutGroups(Faults):
    """Cuts the answer of every call about certain texts that asks more than once."""

    def draw(self, number, kind, content, without=()):
        text, *asked = content
        return "cut" if len(asked) > 1 and self.hits("cut", (text,), 0.3) else None


def test_a_group_that_stays_cut_is_asked_one_by_one(server):
    texts = make_texts(20)
    asked = statements(2)
    server.faults = CutGroups(seed=0)
    labels = annotator_for(model_at("chat", server), asked).annotate(texts)
    np.testing.assert_array_equal(labels, truth(texts, asked))
    cut = {call.text for call in server.calls if call.fault == "cut"}
    alone = {call.text for call in server.calls if len(call.statements) == 1}
    assert 0 < len(cut) < len(texts)
    assert alone == cut
