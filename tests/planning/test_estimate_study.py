"""What a study is expected to cost, beside what it costs; and its signal."""

import json
import math

import numpy as np
import pytest
from llm_cases import model_at
from llm_double import LLMServer, Mind
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, permutation_test_score

from sklearn_hypo import (
    LLMAnnotator,
    LLMInterpreter,
    StudyEstimate,
    TextEmbedder,
    estimate_study,
    evaluate_hypotheses,
    make_hypothesis_pipeline,
)
from sklearn_hypo._planning._stages import COLUMNS
from sklearn_hypo.datasets import make_concept_texts

DATA = make_concept_texts(500, n_concepts=4, prevalence=0.3, random_state=0)
TEXTS = np.array(DATA.data, dtype=object)
TRAIN, TEST = np.arange(400), np.arange(400, 500)
PRICE = (1.0, 0.5, 2.0)

pytestmark = pytest.mark.usefixtures("prepared")


@pytest.fixture
def double():
    with LLMServer(Mind.from_concept_texts(DATA)) as server:
        yield server


def make_study(model, **settings):
    settings = {"n_candidates": 2, "n_scoring_examples": 20} | settings
    return make_hypothesis_pipeline(
        "lsa",
        n_texts=400,
        n_select=4,
        interpreter=LLMInterpreter(model, cache=None, **settings),
        annotator=LLMAnnotator(model, cache=None),
        style=False,
        n_fits=1,
        random_state=0,
    ).set_params(sae__max_epochs=15)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["chat", "gemini"])
@pytest.mark.parametrize("n_refinements", [0, 1])
def test_the_estimate_is_near_to_what_is_used(double, kind, n_refinements):
    pipe = make_study(model_at(kind, double, price=PRICE), n_refinements=n_refinements)
    y = DATA.target
    estimate = estimate_study(
        pipe, TEXTS[TRAIN], y[TRAIN], holdout=TEXTS[TEST], random_state=0
    )
    assert double.stats().calls == 0
    pipe.fit(TEXTS[TRAIN], y[TRAIN])
    report = evaluate_hypotheses(pipe, TEXTS[TEST], y[TEST])
    used = report.usage.drop(columns=["role", "model"]).sum()
    total = estimate.total
    # at most so many, and not many more than there are
    assert used["calls"] == double.stats().calls
    assert used["calls"] <= total.calls <= 1.5 * used["calls"]
    assert used["input_tokens"] <= 1.05 * total.input_tokens
    assert total.input_tokens <= 2 * used["input_tokens"]
    assert total.cost == pytest.approx(used["cost"], rel=1.0)
    written = estimate.stages.set_index("stage").loc["write statements", "calls"]
    assert written == 4 * (2 + n_refinements)
    if not n_refinements:
        assert double.stats().kinds["interpretation"] == written


def test_stages_add_up(double):
    model = model_at("chat", double, price=PRICE)
    pipe, y = make_study(model), DATA.target
    pipe.set_params(hypotheses__annotator__concepts_per_call=3)

    def calls(**options):
        estimate = estimate_study(
            pipe, TEXTS[TRAIN], y[TRAIN], n_permutations=0, **options
        )
        assert estimate.total.calls == estimate.stages["calls"].sum()
        return estimate.stages.set_index("stage")["calls"]

    alone = calls()
    assert alone.index.tolist() == [
        "write statements",
        "score statements",
        "annotate for training",
    ]
    assert alone["annotate for training"] == 400 * 2  # four hypotheses, three a call
    assert calls(n_neurons=3)["annotate for training"] == 400
    tested = calls(holdout=TEXTS[TEST])
    assert tested["annotate for test"] == 100 * 2
    folds = calls(cv=4)["cross-validate, 4 folds"]
    # each annotates three quarters to fit, and a quarter to score
    assert folds >= 4 * (300 * 2 + 4 * 2) + 400 * 2
    pipe.set_params(hypotheses__max_annotated=50)
    assert calls()["annotate for training"] == 100
    pipe.set_params(hypotheses__n_hypotheses=2)
    assert calls(holdout=TEXTS[TEST])["annotate for test"] == 100


def test_hours_follow_from_calls_at_once(double):
    def hours(n_workers, seconds):
        pipe = make_study(model_at("chat", double))
        pipe.set_params(
            hypotheses__annotator__n_workers=n_workers,
            hypotheses__interpreter__n_workers=n_workers,
        )
        estimate = estimate_study(
            pipe,
            TEXTS[TRAIN],
            DATA.target[TRAIN],
            seconds_per_call=seconds,
            n_permutations=0,
        )
        assert math.isnan(estimate.total.cost)  # the price is not known
        assert "unknown" in str(estimate)
        return estimate.hours, estimate.total.calls

    found, calls = hours(4, 3.0)
    assert found == pytest.approx(calls * 3 / 4 / 3600)
    assert hours(8, 3.0)[0] == pytest.approx(found / 2)
    # the double is a server on this machine, which is taken to answer one by one
    assert hours(None, 3.0)[0] == pytest.approx(found * 4)


def test_a_provider_is_taken_to_answer_many_calls_at_once():
    pipe = make_study("gemini:gemini-2.5-flash-lite")
    estimate = estimate_study(pipe, TEXTS, DATA.target, n_permutations=0)
    calls = estimate.total.calls
    assert estimate.hours == pytest.approx(calls * 2.0 / 16 / 3600)


def test_texts_without_a_target_are_embedded_and_not_annotated(double):
    pipe = make_study(model_at("chat", double))
    y = DATA.target[TRAIN].copy()
    y[:100] = np.nan
    stages = estimate_study(pipe, TEXTS[TRAIN], y, n_permutations=9).stages
    assert stages.set_index("stage").loc["annotate for training", "calls"] == 300


def test_dictionaries_cost_nothing():
    pipe = make_hypothesis_pipeline("lsa", n_texts=400, random_state=0)
    estimate = estimate_study(
        pipe, TEXTS[TRAIN], DATA.target[TRAIN], cv=5, random_state=0
    )
    assert estimate.total == (0, 0, 0, 0.0)
    assert str(estimate).startswith("Nobody is to be paid.")
    assert estimate.stages.columns.tolist() == list(COLUMNS)
    assert json.loads(json.dumps(estimate.to_dict()))["signal"]["p_value"] == 0.01


def test_an_embedding_that_is_paid_for_is_not_asked(double):
    pipe = make_study(model_at("chat", double))
    model = model_at("chat", double, name="text-embedding-3-small")
    pipe.set_params(embed__model=model, embed__cache=None)
    estimate = estimate_study(pipe, TEXTS[TRAIN], DATA.target[TRAIN])
    assert estimate.signal is None
    assert estimate.stages["stage"].iloc[0] == "embed for training"
    assert double.stats().calls == 0


@pytest.mark.parametrize(
    ("steps", "options", "error", "message"),
    [
        (
            slice(0, 2),
            {},
            TypeError,
            "HypothesisExtractor, but Supervised.* at its end",
        ),
        (slice(5, 6), {}, TypeError, "from texts to a HypothesisExtractor"),
        (slice(None), {"cv": 1}, ValueError, "cv"),
        (slice(None), {"seconds_per_call": 0}, ValueError, "seconds_per_call"),
    ],
)
def test_what_is_no_study(steps, options, error, message):
    pipe = make_hypothesis_pipeline("lsa", n_texts=400)
    with pytest.raises(error, match=message):
        estimate_study(pipe[steps], TEXTS[TRAIN], DATA.target[TRAIN], **options)


def test_a_number_of_neurons_is_needed():
    pipe = make_hypothesis_pipeline("lsa", n_texts=400, n_select="all")
    with pytest.raises(ValueError, match="Give n_neurons="):
        estimate_study(pipe, TEXTS[TRAIN], DATA.target[TRAIN])


def test_an_estimate_is_a_table():
    import pandas as pd

    rows = [
        ["write", "m", 1_000, 2_000, 3, 0.5, 1.0],
        ["score", "", 1, 2, 3, 0.25, 2.0],
    ]
    estimate = StudyEstimate(pd.DataFrame(rows, columns=list(COLUMNS)))
    assert estimate.total == (1_001, 2_002, 6, 0.75)
    assert estimate.hours == 3.0
    lines = str(estimate).splitlines()
    assert lines[1].split() == ["write", "(m)", "1,000", "2,000", "3", "$0.50", "1.00"]
    assert lines[-1].split() == ["in", "all", "1,001", "2,002", "6", "$0.75", "3.00"]
    assert len(set(map(len, lines))) == 1


# The signal -------------------------------------------------------------------------


def free_pipe():
    return make_hypothesis_pipeline("lsa", n_texts=400, random_state=0)


def test_a_signal_is_told_from_noise():
    y = DATA.target[TRAIN]
    there = estimate_study(free_pipe(), TEXTS[TRAIN], y, random_state=0)
    assert there.signal.metric == "r2"
    assert there.signal.score > 0.2
    assert there.signal.p_value == 0.01
    assert "than chance" not in str(there)
    noise = np.random.RandomState(1).permutation(y)
    absent = estimate_study(free_pipe(), TEXTS[TRAIN], noise, random_state=0)
    assert absent.signal.p_value > 0.05
    assert "do not predict the target better than chance" in str(absent)


def test_the_p_value_is_that_of_permutation_test_score():
    rng = np.random.RandomState(0)
    weak = DATA.target[TRAIN] + 12 * rng.standard_normal(400)
    signal = estimate_study(
        free_pipe(), TEXTS[TRAIN], weak, n_permutations=199, random_state=0
    ).signal
    embedder = TextEmbedder("lsa", n_components=64, random_state=0)
    score, _, p = permutation_test_score(
        Ridge(3.0),
        embedder.fit_transform(TEXTS[TRAIN]).to_numpy(),
        weak,
        cv=KFold(5, shuffle=True, random_state=0),
        n_permutations=99,
        random_state=0,
    )
    assert signal.score == pytest.approx(score, abs=0.05)
    assert abs(signal.p_value - p) < 0.1
    assert 0.01 < p < 0.5  # there is something to compare


def test_the_signal_of_counts_is_that_of_their_logarithms():
    counts = np.floor(np.exp(DATA.target[TRAIN]))
    given = {"n_permutations": 9, "random_state": 0}
    signal = estimate_study(free_pipe(), TEXTS[TRAIN], counts, **given).signal
    same = estimate_study(free_pipe(), TEXTS[TRAIN], np.log1p(counts), **given).signal
    assert signal == same._replace(target_scale="log1p")
    assert str(signal).startswith("R² on log(1 + y)")
    pipe = free_pipe().set_params(hypotheses__target_scale="identity")
    plain = estimate_study(pipe, TEXTS[TRAIN], counts, **given).signal
    assert plain.target_scale == "identity"
    assert plain.score != signal.score


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_signal_of_classes(n_classes):
    edges = np.quantile(DATA.target, np.linspace(0, 1, n_classes + 1)[1:-1])
    labels = np.array(["a", "b", "c"])[np.digitize(DATA.target, edges)]
    signal = estimate_study(
        free_pipe(), TEXTS, labels, n_permutations=19, random_state=0
    ).signal
    assert signal.metric == "roc_auc"
    assert 0.65 < signal.score < 1
    assert signal.p_value == 0.05


def test_groups_reach_the_test_of_the_signal():
    """A text says who wrote it, and the target is that of its author."""
    author = np.repeat(np.arange(8), 50)
    words = ["ant", "bee", "cow", "dog", "elk", "fox", "gnu", "hen"]
    texts = [f"{text} {words[a]}" for text, a in zip(TEXTS, author, strict=False)]
    y = np.random.RandomState(0).standard_normal(8)[author]

    def p_value(groups):
        return estimate_study(
            free_pipe(), texts, y, groups=groups, n_permutations=39, random_state=0
        ).signal.p_value

    assert p_value(None) == 1 / 40
    assert p_value(author) > 0.1


def test_the_signal_of_pairs():
    pair = np.random.RandomState(0).permutation(400) // 2
    y = DATA.target[TRAIN]
    best = np.array([y[pair == p].max() for p in pair])
    won = (y == best).astype(int)
    signal = estimate_study(
        free_pipe(),
        TEXTS[TRAIN],
        won,
        pairs=pair,
        n_permutations=19,
        random_state=0,
        max_rows=150,
    ).signal
    assert signal.metric == "pairs"
    assert signal.n_rows == 150
    assert signal.score > 0.6
    assert signal.p_value == 0.05


def test_a_repeated_text_counts_once():
    texts = np.concatenate([TEXTS[TRAIN]] * 3)
    y = np.random.RandomState(0).permutation(DATA.target[TRAIN])
    signal = estimate_study(
        free_pipe(), texts, np.concatenate([y] * 3), random_state=0
    ).signal
    assert signal.n_rows == 400
    assert signal.p_value > 0.05
