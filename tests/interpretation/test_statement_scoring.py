"""Fidelity of statements on rows held out: which rows, which cells, which annotator."""

import numpy as np
import pytest
from llm_cases import make_mind, make_texts, prepare, truth
from llm_double import LLMServer
from sklearn.base import BaseEstimator, clone

from sklearn_hypo import EmbeddingAnnotator, LLMAnnotator, OpenAIModel
from sklearn_hypo._interpretation._statement_scoring import (
    StatementScorer,
    draw_balanced_rows,
    subtract_medians,
)

TEXTS = np.array(make_texts(30), dtype=object)
PIZZA, RAIN, HORSE = "mentions pizza", "mentions rain", "mentions horse"
ACTIVATIONS = truth(TEXTS, [PIZZA, RAIN]) * np.linspace(1, 2, 30)[:, None]
CALIBRATION = np.arange(10)


class Spy(BaseEstimator):
    """Notes what it is shown, and answers as the mind does."""

    def __init__(self, answer=None):
        self.answer = answer

    def fit(self, texts, hypotheses, activations, *, random_state):
        self.statements_ = [h.statement for h in hypotheses]
        seed = random_state.randint(10**6)
        SEEN["fit"].append((list(texts), list(hypotheses), activations, seed))
        return self

    def annotate(self, texts):
        SEEN["annotate"].append((list(texts), list(self.statements_)))
        marks = truth(texts, self.statements_).reshape(
            len(texts), len(self.statements_)
        )
        return marks if self.answer is None else np.full(marks.shape, self.answer)


SEEN = {"fit": [], "annotate": []}


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    prepare(monkeypatch, tmp_path)
    for calls in SEEN.values():
        calls.clear()


def scorer(annotator=None, seed=0, activations=ACTIVATIONS):
    rng = np.random.RandomState(seed)
    annotator = annotator or Spy()
    return StatementScorer(annotator, TEXTS, activations, CALIBRATION, rng)


# -- activations of which at most half are active


def test_contrast_leaves_seldom_neurons_alone():
    activations = np.array([[0.0, 1.0], [3.0, 0.0], [0.0, 2.0], [1.0, 0.0]])
    np.testing.assert_array_equal(subtract_medians(activations), activations)
    assert subtract_medians(activations) is not activations


def test_of_neurons_that_are_often_active_the_strength_counts():
    always = np.arange(1.0, 10.0)
    often = np.r_[0.0, 0.0, np.arange(1.0, 8.0)]
    got = subtract_medians(np.column_stack([always, often]))
    np.testing.assert_array_equal(got[:, 0], np.maximum(always - 5.0, 0.0))
    np.testing.assert_array_equal(got[:, 1], np.maximum(often - 3.0, 0.0))
    assert ((got > 0).mean(axis=0) <= 0.5).all()
    np.testing.assert_array_equal(np.argsort(got[4:, 0]), np.arange(5))


# -- rows


@pytest.mark.parametrize(
    ("n_active", "n_inactive", "n_rows", "drawn"),
    [
        (50, 50, 20, (10, 10)),
        (50, 50, 21, (10, 11)),
        (3, 50, 20, (3, 17)),
        (50, 3, 20, (10, 3)),
        (0, 50, 20, (0, 20)),
        (50, 0, 20, (10, 0)),
        (2, 2, 100, (2, 2)),
        (0, 0, 100, (0, 0)),
    ],
)
def test_half_of_the_rows_are_active_as_far_as_there_are_such(
    n_active, n_inactive, n_rows, drawn
):
    activation = np.r_[np.ones(n_active), np.zeros(n_inactive + 5)]
    rows = np.arange(n_active + n_inactive)
    got = draw_balanced_rows(activation, rows, n_rows, np.random.RandomState(0))
    n_drawn_active = int((activation[got] > 0).sum())
    assert (n_drawn_active, len(got) - n_drawn_active) == drawn
    assert set(got) <= set(rows)
    assert (np.diff(got) > 0).all()


def test_rows_are_drawn_at_random_and_by_the_seed():
    activation = np.arange(200.0) % 2
    rows = np.arange(200)
    drawn = [
        tuple(draw_balanced_rows(activation, rows, 10, np.random.RandomState(seed)))
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert np.ptp(drawn[0]) > 50  # from all over, not the first ones


# -- annotating


def test_each_entry_gets_its_own_rows_in_its_own_order():
    asked = [
        (0, PIZZA, np.array([10, 12, 14])),
        (1, RAIN, np.array([11, 12, 29])),
        (1, PIZZA, np.array([13])),
        (0, PIZZA, np.array([14, 20])),
    ]
    got = scorer().annotate(asked)
    for (_, statement, rows), marks in zip(asked, got, strict=True):
        np.testing.assert_array_equal(marks, truth(TEXTS[rows], [statement])[:, 0])


def test_an_annotator_is_shown_calibration_rows_alone_to_learn_from():
    scorer().annotate([(1, PIZZA, np.array([20, 21])), (0, RAIN, np.array([22]))])
    ((texts, hypotheses, activations, _),) = SEEN["fit"]
    assert texts == list(TEXTS[CALIBRATION])
    assert [str(h) for h in hypotheses] == [PIZZA, RAIN]
    np.testing.assert_array_equal(activations, ACTIVATIONS[CALIBRATION][:, [1, 0]])
    assert SEEN["annotate"] == [(list(TEXTS[20:23]), [PIZZA, RAIN])]


def test_a_statement_of_two_neurons_is_annotated_once_and_scored_twice():
    rows = np.arange(10, 30)
    scores = scorer().score([(0, PIZZA, rows), (1, PIZZA, rows)])
    assert len(SEEN["annotate"]) == 1
    assert SEEN["annotate"][0][1] == [PIZZA]
    assert scores[0].f1 == 1.0 > scores[1].f1
    np.testing.assert_array_equal(SEEN["fit"][0][2][:, 0], ACTIVATIONS[CALIBRATION, 0])


def test_the_seed_of_the_annotator_stays_the_same():
    one, other = scorer(seed=0), scorer(seed=1)
    for each in (one, one, other):
        each.annotate([(0, PIZZA, np.array([20]))])
    seeds = [seed for *_, seed in SEEN["fit"]]
    assert seeds[0] == seeds[1] != seeds[2]


def test_nothing_asked_is_nothing_done():
    assert scorer().annotate([]) == []
    assert scorer().score([]) == []
    assert SEEN == {"fit": [], "annotate": []}


def test_no_rows_are_no_score():
    (score,) = scorer().score([(0, PIZZA, np.array([], dtype=int))])
    assert score.n == 0
    assert np.isnan([score.f1, score.precision, score.recall, score.correlation]).all()


def test_without_answers_there_is_no_score():
    (score,) = scorer(Spy(np.nan)).score([(0, PIZZA, np.arange(10, 30))])
    assert score.n == 0
    assert np.isnan(score.f1)


def test_the_annotator_given_is_not_touched():
    annotator = Spy()
    scorer(annotator).annotate([(0, PIZZA, np.array([20]))])
    assert not hasattr(annotator, "statements_")
    assert clone(annotator).get_params() == annotator.get_params()


# -- with annotators of this package


def test_a_language_model_is_asked_about_the_cells_that_count():
    """Not about the whole table of all rows and all statements."""
    with LLMServer(make_mind()) as server:
        annotator = LLMAnnotator(OpenAIModel("m", base_url=server.openai_url))
        asked = [(0, PIZZA, np.array([10, 11])), (1, RAIN, np.array([11, 12]))]
        got = scorer(annotator).annotate(asked)
        counted = server.stats().asked
    wanted = [(10, PIZZA), (11, PIZZA), (11, RAIN), (12, RAIN)]
    assert counted == {(TEXTS[row], statement): 1 for row, statement in wanted}
    np.testing.assert_array_equal(got[1], truth(TEXTS[[11, 12]], [RAIN])[:, 0])
    assert not hasattr(annotator, "hypotheses_")
    assert annotator.fit([], []).usage_["calls"] == 3  # scoring is on its account


def test_an_annotator_that_learns():
    texts = np.array(["thanks a lot", "so tired", "many thanks", "tired now"] * 10)
    texts = texts.astype(object)
    active = np.array([[1.0], [0.0]] * 20)
    scoring = StatementScorer(
        EmbeddingAnnotator(), texts, active, np.arange(20), np.random.RandomState(0)
    )
    (score,) = scoring.score([(0, "says thanks", np.arange(20, 40))])
    assert score.f1 == 1.0
    assert score.n == 20
