"""`MajorityAnnotator`, and how agreement is measured."""

import json
import pickle
import warnings

import numpy as np
import pytest
from oracles import OracleAnnotator, make_oracle_texts
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from sklearn_hypo import (
    EmbeddingAnnotator,
    Hypothesis,
    LexiconAnnotator,
    LLMAnnotator,
    LLMInterpreter,
    MajorityAnnotator,
    TextEmbedder,
)
from sklearn_hypo._annotation._agreement import (
    compare_codings,
    compute_krippendorff_alpha,
    tabulate_agreement,
)
from sklearn_hypo._annotation._majority import take_majority
from sklearn_hypo._language_models._usage_table import make_usage_table

STATEMENTS = ["tea", "rain"]
N = np.nan


def oracles(*errors, **params):
    return [OracleAnnotator(error=e, seed=i, **params) for i, e in enumerate(errors)]


# The rule


@pytest.mark.parametrize(
    ("votes", "min_answers", "verdict"),
    [
        ([1, 1, 0], 2, 1),
        ([0, 1, 0], 2, 0),
        ([1, N, 1], 2, 1),
        ([1, N, 0], 2, N),  # tied
        ([1, N, N], 2, N),  # too few
        ([1, N, N], 1, 1),
        ([N, N, N], 1, N),
        ([1, 0], 2, N),
        ([1, 1, 0, 0, N], 3, N),
    ],
)
def test_a_majority_of_the_answers(votes, min_answers, verdict):
    found = take_majority(np.array(votes, dtype=float)[:, None, None], min_answers)
    np.testing.assert_array_equal(found, [[verdict]])


def test_votes_remove_errors_that_are_independent():
    texts, truth = make_oracle_texts(1500, STATEMENTS)
    annotator = MajorityAnnotator(oracles(0.1, 0.1, 0.1)).fit([], STATEMENTS)
    marks = annotator.annotate(texts)
    # 3 e² (1 - e) + e³ of 3,000
    assert (marks != truth).sum() == pytest.approx(3000 * 0.028, abs=35)
    single = annotator.collect_votes(texts)[0]
    assert (single != truth).sum() == pytest.approx(300, abs=60)
    same = MajorityAnnotator([OracleAnnotator(error=0.1)] * 3).fit([], STATEMENTS)
    np.testing.assert_array_equal(same.annotate(texts), single)


def test_too_few_answers_are_none():
    texts, _ = make_oracle_texts(300, STATEMENTS)
    members = oracles(0, 0, 0, missing=0.3)
    votes = MajorityAnnotator(members).fit([], STATEMENTS).collect_votes(texts)
    answers = (~np.isnan(votes)).sum(axis=0)
    for min_answers, fewest in ((None, 2), (1, 1), (3, 3)):
        annotator = MajorityAnnotator(members, min_answers=min_answers)
        marks = annotator.fit([], STATEMENTS).annotate(texts)
        np.testing.assert_array_equal(np.isnan(marks), answers < fewest)


# Agreement


def test_alpha_is_nearly_fleiss_without_missing_answers():
    rng = np.random.RandomState(0)
    truth = rng.random_sample(400) < 0.3
    codings = (truth ^ (rng.random_sample((3, 400)) < 0.1)).astype(float)
    kappa = fleiss_kappa(aggregate_raters(codings.T.astype(int))[0])
    # alpha = 1 - (1 - kappa) (n - 1) / n, with n answers
    expected = 1 - (1 - kappa) * 1199 / 1200
    assert compute_krippendorff_alpha(codings) == pytest.approx(expected)


def test_alpha_by_its_definition():
    """By pairs of answers, one by one."""
    rng = np.random.RandomState(1)
    codings = (rng.random_sample((4, 60)) < 0.4).astype(float)
    codings[rng.random_sample(codings.shape) < 0.3] = np.nan
    codings[:, 0] = [1, N, N, N]  # an answer that nothing is compared with
    units = [u[~np.isnan(u)] for u in codings.T]
    units = [u for u in units if len(u) > 1]
    n = sum(map(len, units))
    observed = sum(
        (a != b) / (len(u) - 1)
        for u in units
        for i, a in enumerate(u)
        for k, b in enumerate(u)
        if i != k
    )
    values = np.concatenate(units)
    expected = (values[:, None] != values).sum() / (n - 1)
    alpha = compute_krippendorff_alpha(codings)
    assert alpha == pytest.approx(1 - observed / expected)


@pytest.mark.parametrize(
    ("codings", "alpha"),
    [
        ([[1, 0, 1], [1, 0, 1]], 1.0),
        ([[1, 1], [1, 1]], np.nan),
        ([[1, N], [N, 0]], np.nan),
        ([[], []], np.nan),
    ],
)
def test_alpha_at_its_ends(codings, alpha):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compute_krippendorff_alpha(np.array(codings, dtype=float))
    np.testing.assert_equal(found, alpha)


def test_pairs_are_compared_where_both_answered():
    a = np.array([1, 0, 1, N, 0, 1])
    b = np.array([1, 0, 0, 1, N, 1])
    found = compare_codings(a, b)
    assert found["n"] == 4
    assert (found["first_yes"], found["second_yes"]) == (0.75, 0.5)
    assert found["identical"] == 0.75
    assert found["kappa"] == cohen_kappa_score([1, 0, 1, 1], [1, 0, 0, 1])


def test_agreement_of_the_last_texts():
    texts, _ = make_oracle_texts(400, STATEMENTS)
    annotator = MajorityAnnotator(oracles(0, 0.1, 0.3)).fit([], STATEMENTS)
    annotator.annotate(texts)
    votes = annotator.collect_votes(texts)
    table, pairs = annotator.agreement_, annotator.agreement_pairs_
    assert table["hypothesis"].tolist() == STATEMENTS
    assert table["n"].tolist() == [400, 400]
    for j in range(2):
        own = votes[:, :, j]
        row = table.loc[j]
        assert row["alpha"] == compute_krippendorff_alpha(own)
        assert row["prevalence"] == pytest.approx(own.mean())
        assert row["identical"] == (own == own[0]).all(axis=0).mean()
    names = [f"OracleAnnotator {i}" for i in (1, 2, 3)]
    assert annotator.names_ == names
    assert pairs[["first", "second"]].to_numpy().tolist() == 2 * [
        [names[0], names[1]],
        [names[0], names[2]],
        [names[1], names[2]],
    ]
    assert pairs.loc[0, "kappa"] == cohen_kappa_score(votes[0, :, 0], votes[1, :, 0])
    annotator.annotate(texts[:5])
    assert annotator.agreement_["n"].tolist() == [5, 5]


def test_agreement_on_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table, pairs = tabulate_agreement(np.full((2, 3, 1), N), ["tea"], ["a", "b"])
    assert table["n"].tolist() == pairs["n"].tolist() == [0]
    assert table[["prevalence", "identical", "alpha"]].isna().all(axis=None)
    annotator = MajorityAnnotator(oracles(0, 0)).fit([], STATEMENTS)
    assert annotator.annotate([]).shape == (0, 2)
    assert annotator.fit([], []).annotate(["tea"]).shape == (1, 0)


# What members share, and cost


def answer(prompt):
    text = json.loads(prompt.rpartition("\n\n")[2])["text"]
    return "yes" if "tea" in text else "no"


def make_llm(**params):
    return LLMAnnotator(answer, cache=None, **params)


def test_cells_and_members_of_all_kinds():
    texts = np.array(["some tea", "rain", "tea and rain", "go"] * 5, dtype=object)
    active = np.array([["tea" in t, "rain" in t] for t in texts], dtype=float)
    hypotheses = [Hypothesis(s, s, (s,)) for s in STATEMENTS]
    members = [
        LexiconAnnotator(),
        EmbeddingAnnotator(TextEmbedder(n_components=3)),
        OracleAnnotator(),
    ]
    annotator = MajorityAnnotator(members).fit(
        texts, hypotheses, active, random_state=np.random.RandomState(0)
    )
    np.testing.assert_array_equal(annotator.annotate(texts), active)
    where = np.zeros(active.shape, dtype=bool)
    where[[0, 2], [0, 1]] = True
    cells = annotator.annotate_cells(texts, where)
    np.testing.assert_array_equal(np.isnan(cells), ~where)
    assert cells[where].tolist() == [1, 1]
    with pytest.raises(ValueError, match="where= is of shape"):
        annotator.annotate_cells(texts, where[:1])
    # seeds are drawn, one for each, and again the same
    other = clone(annotator).fit(
        texts, hypotheses, active, random_state=np.random.RandomState(0)
    )
    seeds = [each.annotators_[1].embedder_.random_state for each in (annotator, other)]
    assert seeds[0] == seeds[1] is not None
    assert annotator.annotators_[2].state_ != seeds[0]
    assert not hasattr(members[2], "state_")


def test_accounts_add_up():
    model = make_llm()
    annotator = MajorityAnnotator([model, make_llm(shuffle_seed=1), OracleAnnotator()])
    assert not hasattr(annotator, "usage_")
    assert annotator.estimate_cost(["tea", "go"], 3).calls == 12
    annotator.fit([], STATEMENTS)
    annotator.annotate(["tea", "go"])
    assert annotator.usage_["calls"] == 8
    assert annotator.usage_["model"] == "callable:answer"
    assert annotator.estimate_cost(["tea", "no"]).calls == 4  # "tea" is known
    table = make_usage_table({"annotator": annotator})
    assert table["calls"].tolist() == [8]
    # twins share accounts, answers, and what is known of both
    twin = annotator.twin().fit([], STATEMENTS)
    twin.annotate(["tea", "go", "new"])
    assert annotator.usage_["calls"] == twin.usage_["calls"] == 12
    assert clone(annotator).fit([], STATEMENTS).usage_["calls"] == 0
    # one account that two members share counts once
    both = MajorityAnnotator([model, model]).fit([], STATEMENTS)
    assert both.usage_["calls"] == 6
    with pytest.raises(AttributeError, match="keeps an account"):
        _ = MajorityAnnotator(oracles(0, 0)).fit([], STATEMENTS).usage_


def test_keys_are_looked_for_before_others_are_paid(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    annotator = MajorityAnnotator([make_llm(), LLMAnnotator("openai:a", cache=None)])
    with pytest.raises(Exception, match="OPENAI_API_KEY"):
        annotator.check_key()
    MajorityAnnotator([make_llm(), OracleAnnotator()]).check_key()


def test_it_scores_what_an_interpreter_writes():
    """By twins, so that what that costs is in the account."""
    texts = np.array(
        [f"some tea {i}" for i in range(20)] + [f"go {i}" for i in range(20)]
    )
    active = np.array([[1.0]] * 20 + [[0.0]] * 20)
    annotator = MajorityAnnotator([make_llm(), make_llm(shuffle_seed=1)])
    interpreter = LLMInterpreter(
        lambda prompt: "mentions tea", n_candidates=1, n_examples=3, cache=None
    )
    found = interpreter.interpret(
        texts.astype(object),
        active,
        ["n0"],
        annotator=annotator,
        random_state=np.random.RandomState(0),
    )
    assert found[0].fidelity.f1 == 1
    spent = annotator.fit([], STATEMENTS).usage_["calls"]
    assert spent > 0
    assert spent % 2 == 0


@pytest.mark.parametrize(
    ("annotators", "params", "error", "message"),
    [
        ([OracleAnnotator()], {}, ValueError, "holds 1, but a vote takes"),
        ([], {}, ValueError, "holds 0"),
        ([OracleAnnotator(), "openai:a"], {}, TypeError, "annotators=.*str arrived"),
        ([OracleAnnotator, OracleAnnotator()], {}, TypeError, "class OracleAnnotator"),
        (oracles(0, 0), {"min_answers": 3}, ValueError, "min_answers=3.*2 members"),
        (oracles(0, 0), {"min_answers": 0}, ValueError, "min_answers"),
        (OracleAnnotator(), {}, ValueError, "annotators"),
    ],
)
def test_members_that_make_no_sense(annotators, params, error, message):
    with pytest.raises(error, match=message):
        MajorityAnnotator(annotators, **params).fit([], STATEMENTS)


def test_it_clones_and_pickles():
    texts, _ = make_oracle_texts(30, STATEMENTS)
    annotator = MajorityAnnotator(oracles(0.1, 0.2, 0.3), min_answers=2)
    with pytest.raises(NotFittedError):
        annotator.annotate(texts)
    copy = clone(annotator)
    assert copy.annotators[0] is not annotator.annotators[0]
    assert copy.annotators[2].error == 0.3
    annotator.fit([], STATEMENTS)
    again = pickle.loads(pickle.dumps(annotator))  # noqa: S301
    np.testing.assert_array_equal(again.annotate(texts), annotator.annotate(texts))
