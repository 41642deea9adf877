"""Scores of single neurons, against SciPy, scikit-learn and hand calculation."""

import warnings

import numpy as np
import pytest
from scipy import sparse, stats
from sklearn.datasets import make_regression
from sklearn.linear_model import Lasso, Ridge
from sklearn.preprocessing import scale
from some_activations import CONTAINERS, activations, target

from sklearn_hypo._selection._scores import (
    find_distinct,
    forward_selection,
    lasso_path_selection,
    separation_scores,
)
from sklearn_hypo._utils._correlation import compute_moments, correlation_scores


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# --- constant and ill-conditioned columns ---------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [50, 1500, 5000])
def test_constant_columns_score_zero(container, dtype, n_rows):
    A = activations(n_rows, dtype=dtype)
    for column, value in ((1, 0.0), (4, 0.1), (5, 1e6 / 3), (6, 1e-20), (7, -1 / 7)):
        A[:, column] = value
    t = target(n_rows)
    wrapped = CONTAINERS[container](A)
    constant = [1, 4, 5, 6, 7]
    assert (compute_moments(wrapped, t).std[constant] == 0).all()
    assert (correlation_scores(wrapped, t)[constant] == 0).all()
    assert (lasso_path_selection(wrapped, t, 12)[constant] == 0).all()
    others = np.setdiff1d(np.arange(12), constant)
    assert (correlation_scores(wrapped, t)[others] != 0).all()


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    ("mean", "std", "dtype", "atol"),
    [
        (1e4, 1.0, np.float32, 1e-3),
        (1e-4, 1e-8, np.float32, 1e-2),
        (1e7, 1.0, np.float64, 1e-6),
        (1e4, 1e-5, np.float64, 1e-4),
        (-1e3, 1e-3, np.float64, 1e-6),
        (0.0, 1e-12, np.float64, 1e-9),
    ],
)
def test_ill_conditioned_columns(container, mean, std, dtype, atol):
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((3000, 3))
    t = noise @ [[3.0], [2.0], [1.0]] + rng.standard_normal((3000, 1))
    A = (mean + std * noise).astype(dtype)
    expected = np.corrcoef(noise.T, t.T)[:3, 3:]
    wrapped = CONTAINERS[container](A)
    np.testing.assert_allclose(correlation_scores(wrapped, t), expected, atol=atol)
    coef = lasso_path_selection(wrapped, t, 2)
    reference = lasso_path_selection(noise, t, 2)
    np.testing.assert_allclose(coef, reference, atol=max(10 * atol, 1e-6))


# --- separation ---------------------------------------------------------------------


def test_separation_by_hand():
    A = np.array([[3.0, 0, 1], [2, 0, 1], [1, 0, 1], [0, 0, 1], [0, 5, 1]])
    t = np.array([[10.0], [20], [60], [1], [3]])
    # neuron 0: top two (10 + 20) / 2, zero rows (1 + 3) / 2
    # neuron 1: one row only, 3, against (10 + 20 + 60 + 1) / 4
    # neuron 2: always on
    found = separation_scores(A, t, n_top=2)
    np.testing.assert_allclose(found[:, 0], [13, 3 - 22.75, 0])
    # fewer active rows than n_top: all of them
    found = separation_scores(A, t, n_top=100)
    np.testing.assert_allclose(found[:, 0], [30 - 2, 3 - 22.75, 0])


def test_rows_tied_at_the_end_share_the_places():
    A = np.array([[3.0], [1], [1], [1], [0]])
    t = np.array([[10.0], [1], [2], [6], [0]])
    # one place is sure, the second one is shared by 1, 2 and 6
    assert separation_scores(A, t, n_top=2)[0, 0] == pytest.approx((10 + 3) / 2)
    order = [3, 4, 1, 0, 2]
    assert separation_scores(A[order], t[order], n_top=2)[0, 0] == pytest.approx(6.5)


def test_negative_activations_are_not_active():
    A = np.array([[2.0], [-5], [0], [-1]])
    t = np.array([[9.0], [1], [2], [3]])
    assert separation_scores(A, t)[0, 0] == pytest.approx(9 - 2)


def test_dead_neurons_separate_nothing():
    A = np.zeros((5, 2))
    A[:, 1] = 1.0
    assert (separation_scores(A, target(5)) == 0).all()


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_separation_against_a_plain_loop(container, dtype):
    A, t = activations(dtype=dtype), np.hstack([target(), target(seed=2)])
    found = separation_scores(CONTAINERS[container](A), t, n_top=20)
    for j, column in enumerate(A.T):
        top = [i for i in np.argsort(-column)[:20] if column[i] > 0]
        expected = t[top].mean(axis=0) - t[column == 0].mean(axis=0)
        np.testing.assert_allclose(found[j], expected, atol=1e-12)


def test_stored_zeros_are_zeros():
    A = sparse.csr_array(activations())
    A.data[::3] = 0.0
    before = A.nnz
    expected = separation_scores(A.toarray(), target())
    np.testing.assert_allclose(separation_scores(A, target()), expected)
    assert before == A.nnz  # the caller's array is not changed
    np.testing.assert_allclose(
        correlation_scores(A, target()),
        correlation_scores(A.toarray(), target()),
        atol=1e-12,
    )


# --- lasso --------------------------------------------------------------------------


def standardized(A):
    return (A - A.mean(axis=0)) / A.std(axis=0)


def penalty_of(Z, t, coef):
    """The alpha at which coef solves the lasso: the largest |correlation| left."""
    return np.abs(Z.T @ (t - Z @ coef)).max() / len(Z)


@pytest.mark.parametrize("container", ["dense", "csr"])
@pytest.mark.parametrize("seed", range(8))
def test_lasso_is_scikit_learns_lasso(seed, container):
    rng = np.random.default_rng(seed)
    A = activations(200, 30, seed)
    A[:, 10:20] += 0.8 * A[:, :10]  # correlated columns
    t = A @ rng.standard_normal((30, 1)) + rng.standard_normal((200, 1))
    n_select = int(rng.integers(1, 30))
    coef = lasso_path_selection(CONTAINERS[container](A), t, n_select)[:, 0]
    assert (coef != 0).sum() == n_select
    Z, centered = standardized(A), t[:, 0] - t.mean()
    alpha = penalty_of(Z, centered, coef)
    lasso = Lasso(alpha=alpha, tol=1e-12, max_iter=100_000).fit(Z, centered)
    np.testing.assert_allclose(coef, lasso.coef_, atol=1e-6)


@pytest.mark.parametrize("rho", [0.0, 0.9])
@pytest.mark.parametrize("n_rows", [40, 200])
def test_exactly_n_select_for_every_number(rho, n_rows):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((n_rows, 25)) + rho * 3 * rng.standard_normal((n_rows, 1))
    t = A @ rng.standard_normal((25, 1)) + rng.standard_normal((n_rows, 1))
    for n_select in range(1, 26):
        coef = lasso_path_selection(A, t, n_select)
        assert np.count_nonzero(coef) == n_select


def test_random_problems_select_exactly():
    for seed in range(30):
        A, t = make_regression(
            n_samples=150, n_features=60, effective_rank=8, noise=1, random_state=seed
        )
        n_select = 5 + seed % 40
        coef = lasso_path_selection(A, t[:, None], n_select)
        assert np.count_nonzero(coef) == n_select, seed


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_duplicate_columns_are_not_both_selected(dtype):
    A = activations(dtype=dtype)
    doubled = np.hstack([A, A[:, :4], 2 * A[:, 4:6]])
    t = A[:, :6] @ np.array([[3.0], [-2], [2], [1], [1], [-1]]) + 0.1 * target()
    coef = lasso_path_selection(doubled, t, 6)[:, 0]
    assert np.count_nonzero(coef) == 6
    selected = set(np.flatnonzero(coef))
    for first, copy in ((0, 12), (1, 13), (2, 14), (3, 15), (4, 16), (5, 17)):
        assert len(selected & {first, copy}) == 1


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_ties_between_columns_of_counts_do_not_end_the_path(container):
    # few rows and 0/1 columns: several correlate equally with a balanced target
    for seed in range(20):
        rng = np.random.RandomState(seed)
        marks = (rng.random_sample((60, 100)) < 0.1).astype(np.float32)
        targets = (np.arange(60)[:, None] % 2).astype(float)
        coef = lasso_path_selection(container(marks), targets, 20)
        assert np.count_nonzero(coef.any(axis=1)) == 20


def test_path_that_ends_early():
    A = activations(300, 3)
    A = np.hstack([A, A, np.ones((300, 2))])
    coef = lasso_path_selection(A, target(), 8)
    assert np.count_nonzero(coef) == 3
    few_rows = lasso_path_selection(activations(5, 20) + np.eye(5, 20), target(5), 20)
    assert 1 <= np.count_nonzero(few_rows) <= 5


def test_nothing_to_select():
    assert not lasso_path_selection(np.ones((9, 4)), target(9), 2).any()


@pytest.mark.parametrize("n_select", [1, 3, 8, 20, 29])
def test_classes_share_one_penalty(n_select):
    rng = np.random.default_rng(0)
    A = activations(400, 30)
    codes = np.argmax(A[:, :4] + rng.standard_normal((400, 4)), axis=1)
    t = np.eye(4)[codes]
    coef = lasso_path_selection(A, t, n_select)
    assert np.any(coef != 0, axis=1).sum() in (n_select, n_select + 1)
    Z, centered = standardized(A), t - t.mean(axis=0)
    active = np.any(coef != 0, axis=0)
    alphas = [penalty_of(Z, centered[:, c], coef[:, c]) for c in np.flatnonzero(active)]
    np.testing.assert_allclose(alphas, alphas[0], rtol=1e-6)
    lasso = Lasso(alpha=alphas[0], tol=1e-12, max_iter=100_000).fit(Z, centered)
    np.testing.assert_allclose(coef, lasso.coef_.T, atol=1e-6)


@pytest.mark.parametrize(
    "score",
    [
        correlation_scores,
        separation_scores,
        lambda A, t: lasso_path_selection(A, t, 5),
    ],
)
@pytest.mark.parametrize("container", CONTAINERS)
def test_arguments_are_not_changed(score, container):
    A, t = CONTAINERS[container](activations()), target()
    dense, kept = activations(), t.copy()
    score(A, t)
    np.testing.assert_array_equal(A if container == "dense" else A.toarray(), dense)
    np.testing.assert_array_equal(t, kept)


# --- copies ---------------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
def test_of_copies_the_better_one_stays(container):
    rng = np.random.default_rng(0)
    base = rng.standard_normal((200, 3))
    noise = rng.standard_normal((200, 2))
    A = np.column_stack(
        [
            base[:, 0] + 0.3 * noise[:, 0],  # a copy of column 1 at 0.96
            base[:, 0],
            base[:, 1],
            -base[:, 1] + 0.5 * noise[:, 1],  # turned round, at -0.89
            base[:, 2],
            np.ones(200),
        ]
    )
    t = base.sum(axis=1, keepdims=True)
    wrapped = CONTAINERS[container](A)
    moments = compute_moments(wrapped, t)
    found = {
        limit: find_distinct(wrapped, t, limit, moments).nonzero()[0].tolist()
        for limit in (1.0, 0.92, 0.8)
    }
    assert found == {1.0: [0, 1, 2, 3, 4], 0.92: [1, 2, 3, 4], 0.8: [1, 2, 4]}


def test_what_is_left_out_leaves_no_other_out():
    # 0 is best and like 1; 1 is like 2; 2 is not like 0, and stays
    rng = np.random.default_rng(0)
    a, b = stats.zscore(np.linalg.qr(rng.standard_normal((400, 2)))[0]).T
    angles = np.radians([0, 40, 80])
    A = np.cos(angles) * a[:, None] + np.sin(angles) * b[:, None]
    moments = compute_moments(A, a[:, None])
    found = find_distinct(A, a[:, None], 0.7, moments)
    assert found.tolist() == [True, False, True]


def test_of_equal_columns_the_first_one_stays():
    A = np.repeat(activations()[:, :1], 3, axis=1)
    A[:, 1] *= 2
    t = A[:, :1] + 1.0
    found = find_distinct(A, t, 0.9, compute_moments(A, t))
    assert found.tolist() == [True, False, False]
    none = np.zeros((10, 2))
    t = np.arange(10.0)[:, None]
    assert not find_distinct(none, t, 0.9, compute_moments(none, t)).any()


# --- forward selection ----------------------------------------------------------------


def add_one_by_one(A, t, n_select, penalty):
    """Fit a ridge regression with each column that could be added."""
    Z, t = scale(A), t - t.mean(axis=0)
    selected = []
    for _ in range(n_select):
        losses = {}
        for j in sorted(set(range(Z.shape[1])) - set(selected)):
            X = Z[:, [*selected, j]]
            coef = Ridge(penalty, fit_intercept=False).fit(X, t).coef_.reshape(-1, 1)
            coef = coef.reshape(t.shape[1], -1).T
            losses[j] = ((t - X @ coef) ** 2).sum() + penalty * (coef**2).sum()
        selected.append(min(losses, key=losses.get))
    return selected


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("penalty", [0.0, 20.0, 1e4])
def test_each_column_is_the_one_that_helps_most(container, n_targets, penalty):
    rng = np.random.default_rng(0)
    A = np.maximum(rng.standard_normal((200, 15)) @ rng.standard_normal((15, 15)), 0)
    t = A[:, :6] @ rng.standard_normal((6, n_targets))
    t += rng.standard_normal(t.shape)
    A = np.column_stack([np.ones(200), A])  # a constant column shifts the others
    found = forward_selection(CONTAINERS[container](A), t, 8, penalty=penalty)
    assert found.tolist() == [j + 1 for j in add_one_by_one(A[:, 1:], t, 8, penalty)]


def test_a_penalty_spares_few_rows_what_is_left_by_chance():
    # the third column explains what the first leaves: 5 rows
    rng = np.random.default_rng(0)
    first = np.repeat([0.0, 1.0], 100)
    second = np.where(rng.random(200) < 0.2, 1 - first, first)
    noise = rng.standard_normal(200)
    third = (np.arange(200) < 5).astype(float)
    t = (first + 0.3 * noise + third)[:, None]
    A = np.column_stack([first, second, third])
    assert forward_selection(A, t, 2).tolist() == [0, 2]
    assert forward_selection(A, t, 2, penalty=2000.0).tolist() == [0, 1]


def test_nothing_is_added_once_all_is_explained():
    A = activations(100)
    t = (A[:, 1] - 2 * A[:, 3])[:, None]
    assert sorted(forward_selection(A, t, 5)) == [1, 3]
    assert sorted(forward_selection(A, t, 5, penalty=50.0))[:2] == [1, 3]
    assert len(forward_selection(A, t, 5, penalty=50.0)) < 5
    assert forward_selection(np.ones((9, 2)), np.arange(9.0)[:, None], 2).size == 0
    assert forward_selection(A, np.ones((100, 1)), 2).size == 0


@pytest.mark.parametrize("penalty", [0.0, 100.0])
def test_of_equals_the_first_one_is_added(penalty):
    A = activations(400)
    t = target(400)
    both = np.hstack([A, 3 - 2.7 * A])  # but for rounding
    found = forward_selection(both, t, A.shape[1], penalty=penalty)
    assert found[0] < A.shape[1]
    if penalty == 0:  # a copy adds nothing
        assert sorted(found % A.shape[1]) == sorted(set(found % A.shape[1]))
