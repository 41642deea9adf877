"""The dictionary's numbers, against what can be computed by hand or by brute force."""

import itertools

import numpy as np
import pytest
from scipy import sparse

from sklearn_hypo._interpretation._dictionary import (
    add_helpful,
    choose_any,
    choose_rate,
    compute_gains,
    correlate_sums,
    drop_harmful,
    fit_term_weights,
    standardize,
)


def make_case(seed, n_texts=300, n_terms=40, n_neurons=3):
    rng = np.random.RandomState(seed)
    presence = (rng.random_sample((n_texts, n_terms)) < 0.1).astype(float)
    truth = rng.standard_normal((n_terms, n_neurons))
    strength = standardize(presence @ truth + rng.standard_normal((n_texts, n_neurons)))
    prior = truth + rng.standard_normal(truth.shape)
    return presence, strength, prior


def correlate(mark, strength):
    mark = np.asarray(mark, dtype=float)
    return np.corrcoef(mark, strength)[0, 1] if np.ptp(mark) else -np.inf


# Weights


@pytest.mark.parametrize("shrinkage", [0.5, 30.0, 1e3])
def test_weights_are_the_ridge_towards_the_prior(shrinkage):
    presence, strength, prior = make_case(0)
    found = fit_term_weights(
        sparse.csr_array(presence), strength, prior, shrinkage=shrinkage
    )
    centered = presence - presence.mean(axis=0)
    gram = centered.T @ centered + shrinkage * np.eye(centered.shape[1])
    for column in range(strength.shape[1]):
        s, p = strength[:, column], prior[:, column]
        slope = max(0, (centered @ p) @ s / ((centered @ p) @ (centered @ p)))
        rest = s - slope * centered @ p
        expected = slope * p + np.linalg.solve(gram, centered.T @ rest)
        assert np.allclose(found[:, column], expected, atol=1e-3)


def test_with_much_shrinkage_only_the_prior_is_left():
    presence, strength, prior = make_case(1)
    found = fit_term_weights(sparse.csr_array(presence), strength, prior, shrinkage=1e9)
    for weights, known in zip(found.T, prior.T, strict=True):
        assert np.corrcoef(weights, known)[0, 1] > 1 - 1e-9


def test_a_prior_that_contradicts_the_texts_counts_for_nothing():
    presence, strength, prior = make_case(2)
    presence = sparse.csr_array(presence)
    against = fit_term_weights(presence, strength, -prior, shrinkage=5.0)
    without = fit_term_weights(presence, strength, 0 * prior, shrinkage=5.0)
    assert np.allclose(against, without)


def test_words_that_no_text_has_keep_to_their_prior():
    presence, strength, prior = make_case(3)
    presence[:, -2:] = 0
    found = fit_term_weights(sparse.csr_array(presence), strength, prior, shrinkage=9.0)
    ratio = found[-2:] / prior[-2:]
    assert np.allclose(ratio[0], ratio[1])
    assert (ratio > 0).all()


def test_no_column_depends_on_its_neighbours():
    presence, strength, prior = make_case(4)
    presence = sparse.csr_array(presence)
    together = fit_term_weights(presence, strength, prior, shrinkage=3.0)
    alone = fit_term_weights(presence, strength[:, [1]], prior[:, [1]], shrinkage=3.0)
    assert np.allclose(together[:, [1]], alone, rtol=1e-9, atol=1e-12)


def test_a_constant_strength_has_no_weights():
    presence, _, prior = make_case(5)
    zeros = np.zeros((len(presence), 3))
    found = fit_term_weights(sparse.csr_array(presence), zeros, prior, shrinkage=3.0)
    assert np.array_equal(found, np.zeros_like(prior))


# How many terms


@pytest.mark.parametrize("penalty", [0.0, 0.005, 0.1])
@pytest.mark.parametrize("seed", range(5))
def test_any_chooses_the_best_of_all_sizes(seed, penalty):
    presence, strength, _ = make_case(seed)
    order = np.random.RandomState(seed).permutation(presence.shape[1])[:15]
    chosen = choose_any(
        sparse.csr_array(presence), order, strength[:, 0], penalty=penalty
    )
    scores = [
        correlate(presence[:, order[:size]].any(axis=1), strength[:, 0])
        - penalty * np.log(size)
        for size in range(1, len(order) + 1)
    ]
    assert chosen.tolist() == order[: np.argmax(scores) + 1].tolist()


def test_any_finds_nothing_where_nothing_tells_texts_apart():
    presence = sparse.csr_array(np.column_stack([np.zeros(9), np.ones(9)]))
    strength = standardize(np.arange(9.0))
    for order in ([], [0], [1], [0, 1]):
        chosen = choose_any(presence, np.array(order, int), strength, penalty=0.0)
        assert len(chosen) == 0


def test_of_equally_good_sizes_the_shortest_is_taken():
    presence = np.zeros((10, 3))
    presence[:4] = 1
    strength = standardize(presence[:, 0])
    chosen = choose_any(sparse.csr_array(presence), np.arange(3), strength, penalty=0.0)
    assert chosen.tolist() == [0]


@pytest.mark.parametrize("seed", range(4))
def test_rate_is_as_good_as_any_cut_that_is_tried(seed):
    rng = np.random.RandomState(seed)
    counts = rng.poisson(0.4, (200, 6)).astype(float)
    lengths = rng.randint(20, 60, 200)
    strength = standardize(counts[:, :3].sum(axis=1) / lengths + rng.random(200) / 20)
    terms, threshold = choose_rate(
        sparse.csr_array(counts), lengths, np.arange(6), strength, penalty=0.0
    )
    rates = 100 * counts[:, terms].sum(axis=1) / lengths
    reached = correlate(rates > threshold, strength)
    for size, cut in itertools.product(range(1, 7), [0, 2, 4, 6, 8]):
        others = 100 * counts[:, :size].sum(axis=1) / lengths
        assert reached >= correlate(others > cut, strength) - 0.02
    assert threshold == float(f"{threshold:.2g}")


def test_rate_tells_texts_apart_that_all_have_the_word():
    counts = sparse.csr_array(np.r_[np.full(20, 1.0), np.full(20, 5.0)][:, None])
    strength = standardize(np.r_[np.zeros(20), np.ones(20)])
    order, lengths = np.array([0]), np.full(40, 50)
    assert len(choose_any(counts, order, strength, penalty=0.0)) == 0
    terms, threshold = choose_rate(counts, lengths, order, strength, penalty=0.0)
    assert terms.tolist() == [0]
    assert 2 <= threshold < 10


# Gains


@pytest.mark.parametrize("seed", range(5))
def test_gains_are_what_leaving_a_term_out_costs(seed):
    presence, strength, _ = make_case(seed, n_terms=6)
    found = compute_gains(sparse.csr_array(presence), strength[:, 0])
    whole = max(correlate(presence.any(axis=1), strength[:, 0]), 0)
    for term in range(6):
        others = np.delete(presence, term, axis=1).any(axis=1)
        expected = whole - max(correlate(others, strength[:, 0]), 0)
        assert found[term] == pytest.approx(expected)


def test_a_term_that_never_stands_alone_gains_nothing():
    presence = np.array([[1, 1], [1, 0], [0, 0], [0, 0]], float)
    gains = compute_gains(sparse.csr_array(presence), np.array([1.0, 1, 0, 0]))
    assert gains[1] == 0
    assert gains[0] > 0


def test_correlation_of_sums_by_hand():
    mark, strength = np.array([1, 1, 0, 0, 0]), standardize([3.0, 1, 0, 0, 1])
    found = correlate_sums(strength[mark == 1].sum(), 2, 5)
    assert found == pytest.approx(np.corrcoef(mark, strength)[0, 1])
    assert correlate_sums([0.0, 1.0], [0, 5], 5).tolist() == [-np.inf, -np.inf]


def test_standardize():
    values = np.column_stack([np.arange(5.0), np.full(5, 0.1)])
    found = standardize(values)
    assert np.allclose(found[:, 0].mean(), 0)
    assert found[:, 0].std() == pytest.approx(1)
    assert not found[:, 1].any()


# What any of them misses, and what it had better not mark


@pytest.mark.parametrize("seed", range(5))
def test_what_is_dropped_did_harm_and_what_is_kept_does_not(seed):
    presence, strength, _ = make_case(seed, n_terms=8)
    by_term = sparse.csc_array(presence)
    kept = drop_harmful(by_term, np.arange(8), strength[:, 0])
    reached = max(correlate(presence[:, kept].any(axis=1), strength[:, 0]), 0)
    assert reached >= correlate(presence.any(axis=1), strength[:, 0])
    for term in kept:
        others = np.setdiff1d(kept, [term])
        if len(others):
            mark = presence[:, others].any(axis=1)
            assert reached >= correlate(mark, strength[:, 0]) - 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_what_is_added_helps_and_nothing_that_helps_is_left(seed):
    presence, strength, _ = make_case(seed, n_terms=12)
    found = add_helpful(
        sparse.csc_array(presence), np.array([0]), np.arange(1, 12), strength[:, 0],
        min_gain=0.01, min_new=1,
    )  # fmt: skip
    assert found[0] == 0
    marks = [presence[:, found[: n + 1]].any(axis=1) for n in range(len(found))]
    reached = [correlate(mark, strength[:, 0]) for mark in marks]
    assert (np.diff(reached) >= 0.01 - 1e-9).all()
    for term in np.setdiff1d(np.arange(12), found):
        mark = presence[:, [*found, term]].any(axis=1)
        assert correlate(mark, strength[:, 0]) < reached[-1] + 0.01


def test_a_term_that_reaches_too_few_texts_is_not_added():
    presence = np.zeros((100, 2))
    presence[:20, 0] = presence[20:22, 1] = 1
    strength = standardize(presence.sum(axis=1))
    case = sparse.csc_array(presence), np.array([0]), np.array([1]), strength
    assert add_helpful(*case, min_gain=0.0, min_new=3).tolist() == [0]
    assert add_helpful(*case, min_gain=0.0, min_new=2).tolist() == [0, 1]
