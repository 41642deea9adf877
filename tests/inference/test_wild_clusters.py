"""Signs of clusters: against refits of the flipped targets, and what they can find."""

import numpy as np
import pytest

from sklearn_hypo._inference._robust_covariance import least_squares
from sklearn_hypo._inference._step_down import run_family
from sklearn_hypo._inference._wild_clusters import (
    FEWEST_BEHIND,
    ClusterModel,
    count_clusters_behind,
    flip_clusters_alone,
    flip_clusters_joint,
)


def make_rows(seed=0, n=90, n_clusters=9, h=3):
    rng = np.random.default_rng(seed)
    clusters = rng.permutation(np.arange(n) % n_clusters)
    A = (rng.random((n, h)) < rng.random((n_clusters, h))[clusters]).astype(float)
    y = rng.normal(size=n) + rng.normal(size=n_clusters)[clusters]
    return A, y, clusters, rng


def flipped_target(X, y, clusters, signs, w):
    """Residuals times the root of their inverse covariance, with signs by cluster."""
    M = np.eye(len(y)) - X @ np.linalg.inv(X.T * w @ X) @ (X.T * w)
    target = np.empty(len(y))
    for g in np.unique(clusters):
        own = np.flatnonzero(clusters == g)
        values, vectors = np.linalg.eigh((M @ M.T)[np.ix_(own, own)])
        adjust = vectors / np.sqrt(values) @ vectors.T
        target[own] = signs[g] * adjust @ (M @ y)[own]
    return target


@pytest.mark.parametrize("weighted", [False, True])
def test_draws_are_refits_of_flipped_residuals(weighted):
    A, y, clusters, rng = make_rows()
    X = np.column_stack([A, np.ones(len(y))])
    w = rng.uniform(0.2, 3, len(y)) if weighted else np.ones(len(y))
    given = w if weighted else None
    model = ClusterModel(X, y, clusters, 3, weights=given)
    fit = least_squares(X, y, weights=given, clusters=clusters)
    np.testing.assert_allclose(model.estimates.coef[0], fit.coef[:3])
    np.testing.assert_allclose(np.sqrt(model.estimates.variance[0]), fit.se[:3])
    np.testing.assert_allclose(model.estimates.df, fit.df[:3])
    signs = rng.choice([-1.0, 1.0], (4, 9))
    drawn = model.flip(signs)
    for b in range(4):
        target = flipped_target(X, y, clusters, signs[b], w)
        fit = least_squares(X, target, weights=given, clusters=clusters)
        np.testing.assert_allclose(drawn.coef[b], fit.coef[:3])
        np.testing.assert_allclose(np.sqrt(drawn.variance[b]), fit.se[:3])


def test_residuals_of_a_smaller_model_get_signs_as_they_are():
    A, y, clusters, rng = make_rows()
    X, errors = np.column_stack([A, np.ones(90)]), y - y.mean()
    signs = rng.choice([-1.0, 1.0], (3, 9))
    drawn = ClusterModel(X, y, clusters, 3, errors=errors).flip(signs)
    for b in range(3):
        fit = least_squares(X, signs[b, clusters] * errors, clusters=clusters)
        np.testing.assert_allclose(drawn.coef[b], fit.coef[:3])
        np.testing.assert_allclose(np.sqrt(drawn.variance[b]), fit.se[:3])


def test_all_signs_alike_are_as_far_from_zero():
    A, y, clusters, _ = make_rows()
    model = ClusterModel(np.column_stack([A, np.ones(90)]), y, clusters, 3)
    drawn = model.flip(np.array([[1.0] * 9, [-1.0] * 9]))
    np.testing.assert_allclose(drawn.coef[0], -drawn.coef[1])
    np.testing.assert_allclose(drawn.z[0], drawn.z[1])


def test_alone_is_joint_of_one_and_skips_what_has_no_answer():
    A, y, clusters, _ = make_rows()
    A[:7, 1] = np.nan
    A[clusters == 4, 1] = np.nan
    null, estimates = flip_clusters_alone(A, y, clusters, np.random.default_rng(0))
    drawn = null.draw(5)
    for j in range(3):
        rows = ~np.isnan(A[:, j])
        X = np.column_stack([A[rows, j], np.ones(rows.sum())])
        alone, own = flip_clusters_joint(
            X, y[rows], clusters[rows], 1, np.random.default_rng(0)
        )
        assert estimates.coef[0, j] == pytest.approx(own.coef[0, 0])
        np.testing.assert_allclose(drawn[j], alone.draw(5)[0])
        assert null.p[j] == pytest.approx(alone.p[0])


def test_pairs_alone_are_means_of_gains():
    A, y, clusters, _ = make_rows()
    D = A - np.roll(A, 1, axis=0)
    null, estimates = flip_clusters_alone(
        D, y, clusters, np.random.default_rng(0), paired=True
    )
    rows = D[:, 0] != 0
    gain = (D[:, 0] * y)[rows]
    fit = least_squares(np.ones((len(gain), 1)), gain, clusters=clusters[rows])
    assert estimates.coef[0, 0] == pytest.approx(gain.mean())
    assert np.sqrt(estimates.variance[0, 0]) == pytest.approx(fit.se[0])
    assert estimates.df[0] == pytest.approx(fit.df[0])
    assert null.draw(3).shape == (3, 3)


def test_levels_within_clusters_are_dummies():
    A, y, clusters, rng = make_rows()
    levels = clusters * 2 + rng.integers(0, 2, 90)
    dummies = (levels[:, None] == np.unique(levels)).astype(float)
    clear = np.eye(90) - dummies @ np.linalg.pinv(dummies)
    whole = ClusterModel(np.column_stack([A, dummies]), y, clusters, 3)
    cleared = ClusterModel(clear @ A, clear @ y, clusters, 3, absorbed=True)
    signs = rng.choice([-1.0, 1.0], (6, 9))
    np.testing.assert_allclose(whole.flip(signs).z, cleared.flip(signs).z, rtol=1e-6)


def test_what_rests_on_one_cluster_is_not_tested():
    A, y, clusters, _ = make_rows()
    A[:, 2] = clusters == 5
    X = np.column_stack([A, np.ones(90)])
    null, _ = flip_clusters_joint(X, y, clusters, 3, np.random.default_rng(0))
    assert np.isnan(null.observed[2])
    assert np.isnan(null.p[2])
    assert np.isfinite(null.observed[:2]).all()
    found = run_family(
        null,
        null.p,
        np.ones(3, bool),
        alpha=0.05,
        correction="step-down",
        n_permutations=99,
    )
    assert np.isnan(found.p_corrected[2])
    assert (found.p_corrected[:2] >= 0.01).all()
    assert count_clusters_behind(A, clusters)[2] == 1 < FEWEST_BEHIND


def test_effects_are_found_and_noise_is_not():
    """Of ten hypotheses two are true; sizes of 40 groups are those of Zipf's law."""
    rng = np.random.default_rng(0)
    sizes = np.maximum(2, 400 // np.arange(1, 41))
    clusters = np.repeat(np.arange(40), sizes)
    false, power = 0, 0
    for _ in range(25):
        A = (rng.random((len(clusters), 10)) < 0.3).astype(float)
        noise = rng.normal(size=len(clusters)) + 0.5 * rng.normal(size=40)[clusters]
        X = np.column_stack([A, np.ones(len(clusters))])
        y = A[:, :2] @ [0.4, 0.4] + noise
        null, _ = flip_clusters_joint(X, y, clusters, 10, rng)
        found = run_family(
            null,
            null.p,
            np.ones(10, bool),
            alpha=0.1,
            correction="step-down",
            n_permutations=199,
        )
        false += found.significant[2:].any()
        power += found.significant[:2].mean()
    assert false <= 7  # 2.5 expected, sd 1.5
    assert power >= 17
