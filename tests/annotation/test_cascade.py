"""`CascadeAnnotator`: what is asked of whom, and what is said about the others."""

import json
import pickle

import numpy as np
import pytest
from oracles import CALLS, OracleAnnotator, ScoredOracle, make_oracle_texts
from scipy.stats import beta
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import f1_score

from sklearn_hypo import (
    CascadeAnnotator,
    EmbeddingAnnotator,
    Hypothesis,
    LLMAnnotator,
    TextEmbedder,
)
from sklearn_hypo._annotation._doubt import (
    bound_rate,
    choose_cells,
    draw_numbers,
    find_bands,
    measure_doubt_of_scores,
    measure_doubt_of_votes,
)
from sklearn_hypo.exceptions import HypothesisWarning

STATEMENTS = ["tea", "rain", "snow", "art"]
N = np.nan


@pytest.fixture(autouse=True)
def _count_from_zero():
    CALLS.clear()


def voters(n, error=0.1, **params):
    return [OracleAnnotator(f"cheap {i}", error, seed=i, **params) for i in range(n)]


def dear(**params):
    return OracleAnnotator("dear", seed=99, **params)


def measure_f1(marks, truth):
    return f1_score(truth.ravel(), np.nan_to_num(marks).ravel())


# The figure, and what it takes


def test_three_that_err_independently_are_as_good_as_the_dear_one():
    """Each errs in 10 %: dear calls at most 30 %, F1 at most 0.01 below."""
    texts, truth = make_oracle_texts(2000, STATEMENTS)
    annotator = CascadeAnnotator(voters(3), dear()).fit(texts, STATEMENTS)
    marks = annotator.annotate(texts)
    assert CALLS["dear"] <= 0.3 * truth.size
    assert CALLS["dear"] == annotator.checks_["asked"].iloc[-1]
    assert CALLS["dear"] > 0.27 * truth.size
    alone = dear().fit(texts, STATEMENTS).annotate(texts)
    assert measure_f1(marks, truth) >= measure_f1(alone, truth) - 0.01
    # one of them alone, and their majority, are far from it
    cheap = annotator.cheap_[0].annotate(texts)
    assert measure_f1(cheap, truth) < 0.8


def test_a_score_that_knows_where_it_errs_is_enough():
    texts, truth = make_oracle_texts(2000, STATEMENTS)
    annotator = CascadeAnnotator(ScoredOracle(error=0.1), dear(), max_share=0.2)
    marks = annotator.fit(texts, STATEMENTS).annotate(texts)
    assert measure_f1(marks, truth) > 0.99
    assert 0.1 * truth.size < CALLS["dear"] <= 0.2 * truth.size
    np.testing.assert_allclose(annotator.bands_, 0.2, atol=0.07)


def test_errors_that_all_share_stay_and_are_seen():
    """Nobody has doubts where all are wrong; the checks tell."""
    texts, truth = make_oracle_texts(2000, STATEMENTS)
    same = [OracleAnnotator("cheap", 0.1, seed=1) for _ in range(3)]
    annotator = CascadeAnnotator(same, dear(), check_share=0.05)
    marks = annotator.fit(texts, STATEMENTS).annotate(texts)
    whole = annotator.checks_.iloc[-1]
    assert whole["doubtful"] == 0
    assert whole["checked"] == CALLS["dear"] == pytest.approx(400, abs=60)
    assert measure_f1(marks, truth) < 0.8
    assert whole["rate"] == pytest.approx(0.1, abs=0.05)
    assert whole["rate"] < whole["rate_upper"] < 0.16


def test_the_bound_holds():
    """In 95 of 100 draws of the checks; here of 60."""
    texts, truth = make_oracle_texts(300, STATEMENTS)
    held = []
    for seed in range(60):
        annotator = CascadeAnnotator(
            voters(2), dear(), max_share=0.5, check_share=0.1, check_seed=seed
        ).fit(texts, STATEMENTS)
        annotator.annotate(texts)
        votes = np.array([each.annotate(texts) for each in annotator.cheap_])
        alike = votes[0] == votes[1]
        rate = (votes[0] != truth)[alike].mean()
        held.append(rate <= annotator.checks_["rate_upper"].iloc[-1])
    assert np.mean(held) >= 0.9


# Doubt


def test_doubt_of_votes():
    votes = np.array([[1, 1, 0, 1, N, N], [1, 1, 0, 0, 1, N], [1, 0, 0, 1, 1, N]])
    doubt = measure_doubt_of_votes(votes[:, :, None]).ravel()
    np.testing.assert_allclose(doubt, [0, 2 / 3, 0, 2 / 3, 1 / 3, 1])


def test_doubt_of_scores():
    margins = np.array([[0.0], [-0.1], [0.1], [0.2], [-0.3], [-np.inf], [N]])
    bands = np.array([0.2])
    doubt = measure_doubt_of_scores(margins, bands).ravel()
    np.testing.assert_allclose(doubt, [1, 0.5, 0.5, 0, 0, 0, 1])
    assert measure_doubt_of_scores(margins, np.zeros(1)).ravel().tolist()[:6] == [0] * 6


def test_bands_hold_the_share_that_is_asked_for():
    margins = np.random.RandomState(0).normal(size=(200, 3))
    bands = find_bands(margins, 0.25)
    assert (np.abs(margins) < bands).sum(axis=0).tolist() == [50] * 3
    assert find_bands(margins, 0.0).tolist() == [0, 0, 0]
    margins[:, 1] = -np.inf  # never in doubt
    margins[:160, 2] = N  # in doubt in any case: nothing is left for others
    bands = find_bands(margins, 0.25)
    assert bands[1] == bands[2] == 0


def test_the_most_doubtful_come_first():
    doubt = np.array([[0.2, N], [0.9, 0.9], [0.0, 0.5], [0.0, 0.0]])
    numbers = np.array([[0.1, 0.1], [0.8, 0.3], [0.05, 0.2], [0.5, 0.01]])

    def choose(max_share, check_share):
        asked, checked = choose_cells(
            doubt, numbers, max_share=max_share, check_share=check_share
        )
        return np.argwhere(asked).tolist(), np.argwhere(checked).tolist()

    assert choose(1 / 7, 0) == ([[1, 1]], [])
    assert choose(2 / 7, 0) == ([[1, 0], [1, 1]], [])
    assert choose(1, 0) == ([[0, 0], [1, 0], [1, 1], [2, 1]], [])
    # checks come out of the same budget
    assert choose(3 / 7, 0.1) == ([[1, 1]], [[2, 0], [3, 1]])
    assert choose(1 / 7, 0.1) == ([], [[3, 1]])


def test_checks_do_not_depend_on_what_else_is_annotated():
    texts, _ = make_oracle_texts(400, STATEMENTS)
    numbers = draw_numbers(texts, STATEMENTS, 0)
    np.testing.assert_array_equal(
        draw_numbers(texts[::-1][:7], STATEMENTS[:2], 0), numbers[::-1][:7, :2]
    )
    assert (draw_numbers(texts, STATEMENTS, 1) != numbers).all()
    assert np.histogram(numbers, 4, (0, 1))[0] == pytest.approx(400, abs=60)
    draw_numbers(["a\ud800"], STATEMENTS, 0)
    annotator = CascadeAnnotator(voters(3), dear()).fit(texts, STATEMENTS)
    whole = annotator.annotate(texts)
    parts = [annotator.annotate(part) for part in np.array_split(texts, 3)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(
    ("n_differ", "n_checked"), [(0, 100), (3, 50), (7, 7), (1, 10_000)]
)
def test_the_bound_is_that_of_clopper_and_pearson(n_differ, n_checked):
    expected = 1.0
    if n_differ < n_checked:
        expected = beta.ppf(0.95, n_differ + 1, n_checked - n_differ)
    assert bound_rate(n_differ, n_checked, 0.95) == pytest.approx(expected)
    assert bound_rate(0, 0, 0.95) == 1


# Answers


def test_what_is_asked_beyond_the_share_is_left_and_said():
    texts, truth = make_oracle_texts(500, STATEMENTS)
    annotator = CascadeAnnotator(voters(2), dear(), max_share=0.1).fit([], STATEMENTS)
    with pytest.warns(HypothesisWarning, match=r"doubtful cells were not.*max_share"):
        marks = annotator.annotate(texts)
    whole = annotator.checks_.iloc[-1]
    assert CALLS["dear"] == whole["asked"] == 0.1 * truth.size
    assert whole["left"] == whole["doubtful"] - whole["asked"] + whole["checked"] > 0
    # a tie has the answer of the first
    votes = [each.annotate(texts) for each in annotator.cheap_]
    kept = marks == votes[0]
    assert (marks[~kept] == truth[~kept]).all()


def test_checks_add_up():
    texts, truth = make_oracle_texts(500, STATEMENTS)
    annotator = CascadeAnnotator(
        voters(3), dear(missing=0.1), check_share=0.1, max_share=0.5
    )
    marks = annotator.fit([], STATEMENTS).annotate(texts)
    table = annotator.checks_
    assert table["hypothesis"].tolist() == [*STATEMENTS, "all"]
    counts = ["cells", "doubtful", "asked", "left", "checked", "differ"]
    assert table[counts].iloc[:-1].sum().tolist() == table[counts].iloc[-1].tolist()
    assert table["cells"].tolist() == [500] * 4 + [2000]
    np.testing.assert_allclose(table["rate"], table["differ"] / table["checked"])
    np.testing.assert_allclose(table["share_asked"], table["asked"] / table["cells"])
    # doubtful cells without an answer are none; checks without one keep theirs
    votes = np.array([each.annotate(texts) for each in annotator.cheap_])
    doubtful = (votes != votes[0]).any(axis=0)
    answers = annotator.dear_.annotate(texts)
    np.testing.assert_array_equal(np.isnan(marks), doubtful & np.isnan(answers))
    assert table["checked"].iloc[-1] < 0.1 * (~doubtful).sum() * 1.1
    assert truth.shape == marks.shape


def test_equal_texts_are_one_check():
    """Ten copies of a text tell no more of errors than one."""
    texts, _ = make_oracle_texts(200, STATEMENTS)
    annotator = CascadeAnnotator(voters(3), dear(), check_share=0.2, max_share=0.9)
    annotator.fit([], STATEMENTS).annotate(texts)
    once = annotator.checks_
    marks = annotator.annotate(np.tile(texts, 10))
    np.testing.assert_array_equal(marks[:200], marks[-200:])
    assert annotator.checks_["asked"].tolist() == (10 * once["asked"]).tolist()
    for column in ("checked", "differ", "rate_upper"):
        assert annotator.checks_[column].tolist() == once[column].tolist()


def test_where_a_cheap_one_has_no_answer_there_is_doubt():
    texts, truth = make_oracle_texts(200, STATEMENTS)
    cheap = voters(2, error=0.0, missing=0.1)
    annotator = CascadeAnnotator(cheap, dear(), check_share=0).fit([], STATEMENTS)
    np.testing.assert_array_equal(annotator.annotate(texts), truth)
    votes = np.array([each.annotate(texts) for each in annotator.cheap_])
    assert CALLS["dear"] == np.isnan(votes).any(axis=0).sum() > 0


def test_cells():
    texts, truth = make_oracle_texts(100, STATEMENTS)
    where = np.random.RandomState(0).random_sample(truth.shape) < 0.3
    for cheap in (voters(3), ScoredOracle()):
        annotator = CascadeAnnotator(cheap, dear()).fit(texts, STATEMENTS)
        cells = annotator.annotate_cells(texts, where)
        np.testing.assert_array_equal(np.isnan(cells), ~where)
        assert annotator.checks_["cells"].iloc[-1] == where.sum()
    assert annotator.annotate([]).shape == (0, 4)
    assert CascadeAnnotator(voters(2), dear()).fit([], []).annotate(["a"]).shape == (
        1,
        0,
    )


def test_embeddings_have_doubts():
    """Where the angle to the statement is near the threshold, and nowhere else."""
    texts = np.array([str(angle) for angle in range(0, 100, 2)], dtype=object)
    active = np.array([[float(int(t) < 40)] for t in texts])
    embedder = TextEmbedder(
        lambda ts: [[np.cos(float(t) / 60), np.sin(float(t) / 60)] for t in ts]
    )
    annotator = CascadeAnnotator(
        EmbeddingAnnotator(embedder), dear(), max_share=0.2, check_share=0
    ).fit(texts, [Hypothesis("0", "n0")], active)
    marks = annotator.annotate(texts)
    changed = np.flatnonzero(marks[:, 0] != active[:, 0])
    assert CALLS["dear"] == 10
    # the dear one takes "0" for a word, and so denies what is near the threshold
    assert 13 <= changed.min() < changed.max() < 20


def test_scores_that_say_nothing_are_warned_about():
    texts = np.array(["0", "10", "80", "90"] * 5, dtype=object)
    active = np.array([[0.0], [0.0], [1.0], [1.0]] * 5)
    embedder = TextEmbedder(lambda ts: [[float(t), 1.0] for t in ts])
    cheap = EmbeddingAnnotator(embedder, metric="euclidean")
    annotator = CascadeAnnotator(cheap, dear(), check_share=0.2)
    with pytest.warns(HypothesisWarning, match="say nothing about '0'"):
        annotator.fit(texts, [Hypothesis("0", "n")], active)


# Accounts


def make_llm(word, **params):
    def model(prompt):
        text = json.loads(prompt.rpartition("\n\n")[2])["text"]
        return "yes" if word in text else "no"

    return LLMAnnotator(model, cache=None, **params)


def test_accounts_and_estimates():
    cheap = [make_llm("tea"), make_llm("t")]
    annotator = CascadeAnnotator(cheap, make_llm("te"), check_share=0, max_share=0.5)
    texts = ["tea", "to", "go", "no"]
    estimate = annotator.estimate_cost(texts, 1)
    assert estimate.calls == 8 + 2
    assert not hasattr(annotator, "usage_")
    annotator.fit([], ["mentions tea"]).annotate(texts)
    assert annotator.dear_.usage_["calls"] == 1
    assert annotator.usage_["calls"] == 9
    twin = annotator.twin().fit([], ["mentions tea"])
    twin.annotate([*texts, "at"])
    assert annotator.usage_["calls"] == twin.usage_["calls"] == 9 + 3
    assert annotator.estimate_cost(texts).calls == 2  # half of what is not known
    assert clone(annotator).fit([], ["mentions tea"]).usage_["calls"] == 0


def test_keys_are_looked_for(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    annotator = CascadeAnnotator(voters(2), LLMAnnotator("openai:a", cache=None))
    with pytest.raises(Exception, match="OPENAI_API_KEY"):
        annotator.check_key()


# As an estimator


@pytest.mark.parametrize(
    ("cheap", "params", "error", "message"),
    [
        (OracleAnnotator(), {}, ValueError, "cheap=OracleAnnotator alone does not"),
        ([OracleAnnotator()], {}, ValueError, "a list of two or more"),
        ([], {}, ValueError, "cheap=nothing"),
        ([OracleAnnotator(), "a"], {}, TypeError, "cheap=.*str arrived"),
        ("openai:a", {}, ValueError, "cheap"),
        (voters(2), {"dear": "openai:a"}, ValueError, "dear"),
        (voters(2), {"max_share": 0}, ValueError, "max_share"),
        (voters(2), {"max_share": 0.01}, ValueError, "check_share=0.02 is more"),
        (voters(2), {"confidence": 1.0}, ValueError, "confidence"),
    ],
)
def test_parameters_that_make_no_sense(cheap, params, error, message):
    with pytest.raises(error, match=message):
        CascadeAnnotator(cheap, **{"dear": dear(), **params}).fit(["a"], STATEMENTS)


def test_it_clones_and_pickles():
    texts, _ = make_oracle_texts(60, STATEMENTS)
    for cheap in (voters(2), ScoredOracle()):
        annotator = CascadeAnnotator(cheap, dear(), max_share=0.4)
        with pytest.raises(NotFittedError):
            annotator.annotate(texts)
        copy = clone(annotator)
        assert copy.dear is not annotator.dear
        assert copy.get_params()["max_share"] == 0.4
        annotator.fit(texts, STATEMENTS)
        again = pickle.loads(pickle.dumps(annotator))  # noqa: S301
        np.testing.assert_array_equal(again.annotate(texts), annotator.annotate(texts))
    nested = CascadeAnnotator(ScoredOracle(), dear())
    nested.set_params(cheap__error=0.2, dear__missing=0.1)
    assert nested.cheap.error == 0.2
