"""Classes of whole clusters, permuted, against all permutations and by hand."""

import itertools

import numpy as np
import pytest

from sklearn_hypo._inference._class_permutations import permute_classes
from sklearn_hypo._inference._cluster_classes import (
    find_cluster_classes,
    flip_clusters,
    permute_cluster_residuals,
    permute_clusters,
    separation_weights,
    sum_by_cluster,
)
from sklearn_hypo._inference._design import Design
from sklearn_hypo._inference._permutations import JointModel, draw_null
from sklearn_hypo._inference._step_down import marginal_p_values, step_down_p_values
from sklearn_hypo._inference._studentized import Studentizer


def make_clusters(n_clusters=8, size=4, h=3, seed=0):
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(n_clusters), size)
    A = (rng.random((len(clusters), h)) < 0.4).astype(float)
    return A, clusters, rng


def test_a_cluster_has_one_class_or_there_are_none():
    codes, clusters = np.array([1, 0, 1, 2]), np.array([7, 3, 7, 9])
    assert find_cluster_classes(codes, clusters).tolist() == [0, 1, 2]
    assert find_cluster_classes(codes[::-1], clusters) is None


def test_weights_make_separations():
    A, clusters, rng = make_clusters()
    A[0, 0] = np.nan
    w, y = rng.uniform(0.5, 2, len(A)), rng.normal(size=len(A))
    found = y @ separation_weights(A, w)
    for j in range(3):
        sides = [np.average(y[A[:, j] == v], weights=w[A[:, j] == v]) for v in (1, 0)]
        assert found[j] == pytest.approx(sides[0] - sides[1])
    sums = sum_by_cluster(separation_weights(A, w), clusters)
    np.testing.assert_allclose(sums.sum(axis=0), 0, atol=1e-12)


def test_statistic_of_two_classes_by_hand():
    contributions = np.array([[3.0], [-1.0], [-1.0], [-1.0]])
    null = permute_clusters(contributions, np.array([1, 1, 0, 0]), None)
    pooled = 0.25 * 12 * 4 / 3
    robust = (0.25 * 10 + 0.25 * 2) * 4 / 3
    assert pooled == robust
    assert null.observed[0] == pytest.approx(2 / np.sqrt(pooled))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_clusters_are_permuted_as_in_a_loop(n_classes):
    A, clusters, rng = make_clusters()
    own = np.array([0, 1, 1, 0, 1, 2, 0, 0])
    own = np.minimum(own, n_classes - 1)
    sums = sum_by_cluster(separation_weights(A), clusters)
    null = permute_clusters(sums, own, rng)
    orders = set(itertools.permutations(own.tolist()))
    every = np.column_stack(
        [permute_clusters(sums, np.array(o), rng).observed for o in orders]
    )
    drawn = null.draw(9999)
    np.testing.assert_allclose(
        marginal_p_values(null.observed, drawn),
        np.mean(every >= null.observed[:, None] - 1e-9, axis=1),
        atol=0.02,
    )
    expected = step_down_p_values(null.observed, every)
    found = step_down_p_values(null.observed, drawn)
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_signs_are_flipped_by_cluster():
    contributions = np.array([[3.0, 0], [2.0, 0], [-1.0, 0], [0.5, 0]])
    null = flip_clusters(contributions, np.random.default_rng(0))
    # of 16 equally likely sums, +-4.5 and beyond: 6.5, 5.5, 4.5 and their opposites
    p = marginal_p_values(null.observed, null.draw(9999))
    assert p[0] == pytest.approx(6 / 16, abs=0.02)
    assert np.isnan(p[1])


def test_clusters_of_one_class_are_permuted_and_others_given():
    A, clusters, rng = make_clusters(n_clusters=20)
    design = Design(clusters=clusters)
    one = rng.permutation(np.repeat([0, 1], 10))[clusters]
    null = permute_classes(A, one, 2, design, rng)
    assert null.p is None
    assert null.draw(7).shape == (3, 7)
    mixed = rng.integers(2, size=len(A))
    assert permute_classes(A, mixed, 2, design, rng) is None
    p = np.array([0.1, 0.2, np.nan])
    for n_classes in (2, 3):
        codes = rng.integers(n_classes, size=len(A))
        null = permute_classes(A, codes, n_classes, design, rng, p)
        np.testing.assert_array_equal(null.p, p)
        assert np.isfinite(null.draw(5)).all()


def test_pairs_in_clusters_change_together():
    rng = np.random.default_rng(0)
    D = rng.integers(-1, 2, size=(24, 2)).astype(float)
    gains = rng.choice([-1.0, 1.0], 24)
    clusters = np.repeat(np.arange(6), 4)
    design = Design(clusters=clusters, paired=True)
    null = permute_classes(D, gains, 2, design, rng)
    signs = np.array(list(itertools.product([-1, 1], repeat=6)))
    sums = np.array([(D * gains[:, None] * s[clusters][:, None]).sum(0) for s in signs])
    expected = np.mean(np.abs(sums) >= np.abs(sums[-1]) - 1e-9, axis=0)
    found = marginal_p_values(null.observed, null.draw(9999))
    np.testing.assert_allclose(found, expected, atol=0.02)


def make_means(n=40, h=3, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.random((n, h)), np.ones(n)])
    return X, rng.uniform(0.5, 1.5, n), rng


def test_joint_residuals_of_two_classes_are_permuted_as_those_of_a_quantity():
    X, w, rng = make_means()
    classes = np.where(X[:, 0] + rng.random(40) > 1.1, 7, 3)
    ours = permute_cluster_residuals(X, 3, classes, w, np.random.default_rng(0))
    model, y = JointModel(X, 3, w), (classes == 7).astype(float)
    base = model.standardize_residuals(y)
    rng = np.random.default_rng(0)
    theirs, _ = draw_null(model, base - base.mean(), y, rng, Studentizer())
    np.testing.assert_allclose(ours.observed, theirs.observed)
    found = [null.draw(9999) for null in (ours, theirs)]
    for level in (0.5, 0.9, 0.99):
        a, b = (np.quantile(drawn, level, axis=1) for drawn in found)
        np.testing.assert_allclose(a, b, atol=0.12)


def test_joint_residuals_of_more_classes_hold_and_find():
    X, w, rng = make_means(n=90)
    noise = permute_cluster_residuals(X, 3, rng.integers(3, size=90), w, rng)
    p = marginal_p_values(noise.observed, noise.draw(1999))
    assert p.min() > 0.02
    pull = np.outer(X[:, 1] - 0.5, [8.0, 0.0, -8.0]) + rng.gumbel(size=(90, 3))
    effect = permute_cluster_residuals(X, 3, pull.argmax(axis=1), w, rng)
    p = marginal_p_values(effect.observed, effect.draw(1999))
    assert p[1] < 0.002
    assert p[[0, 2]].min() > 0.02


def test_too_few_clusters_have_no_joint_permutations():
    X, w, rng = make_means(n=4)
    assert permute_cluster_residuals(X, 3, np.array([0, 1, 0, 1]), w, rng) is None
    X, w, rng = make_means()
    X[:, 1] = X[:, 0]
    assert permute_cluster_residuals(X, 3, np.arange(40) % 2, w, rng) is None
