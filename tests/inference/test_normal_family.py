"""Families of tests whose estimates are normal, against SciPy and by hand."""

import numpy as np
import pytest
from scipy import stats

from sklearn_hypo._inference._normal_family import draw_estimates, to_normal_score
from sklearn_hypo._inference._step_down import marginal_p_values, run_family


def test_scores_are_those_of_scipy_and_finite():
    p = np.array([1.0, 0.5, 1e-12, 0.0])
    expected = stats.norm.isf(p / 2)
    found = to_normal_score(p)
    np.testing.assert_allclose(found[:3], expected[:3], atol=1e-12)
    assert 36 < found[3] < 38


def make_covariance(h, q, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(h * q, 2 * h * q))
    return (root @ root.T * rng.uniform(0.1, 3, h * q)).reshape(h, q, h, q)


@pytest.mark.parametrize("q", [1, 3])
def test_drawn_scores_are_normal_and_as_dependent_as_the_estimates(q):
    h = 4
    rng = np.random.default_rng(0)
    root = rng.normal(size=(h * q, 2 * h * q))
    covariance = root @ root.T
    null = draw_estimates(
        np.full(h, 0.3), covariance.reshape(h, q, h, q), np.random.default_rng(1)
    )
    drawn = null.draw(20_000)
    np.testing.assert_allclose(marginal_p_values(null.observed, drawn), 0.3, atol=0.015)
    # the Wald statistics of independent draws
    z = stats.multivariate_normal(cov=covariance).rvs(20_000, random_state=2)
    blocks = [slice(j * q, (j + 1) * q) for j in range(h)]
    wald = [
        np.einsum("ni,ij,nj->n", z[:, b], np.linalg.inv(covariance[b, b]), z[:, b])
        for b in blocks
    ]
    largest = stats.norm.isf(stats.chi2.sf(wald, q) / 2).max(axis=0)
    expected = np.quantile(largest, [0.5, 0.9, 0.95])
    found = np.quantile(drawn.max(axis=0), [0.5, 0.9, 0.95])
    np.testing.assert_allclose(found, expected, atol=0.06)


def test_equal_estimates_need_no_correction_and_others_sidaks():
    p, tested = np.array([0.01, 0.011, 0.02]), np.ones(3, dtype=bool)
    settings = {"alpha": 0.05, "correction": "step-down", "n_permutations": 20_000}
    same = np.ones((3, 1, 3, 1))
    found = run_family(
        draw_estimates(p, same, np.random.default_rng(0)), p, tested, **settings
    )
    np.testing.assert_allclose(found.p_corrected, p, atol=0.003)
    apart = np.eye(3).reshape(3, 1, 3, 1)
    found = run_family(
        draw_estimates(p, apart, np.random.default_rng(0)), p, tested, **settings
    )
    sidak = [1 - 0.99**3, 1 - 0.99**3, 1 - 0.99**3]
    np.testing.assert_allclose(found.p_corrected, sidak, atol=0.006)
    np.testing.assert_array_equal(found.p, p)


def test_an_estimate_without_a_variance_is_on_its_own():
    covariance = np.eye(2)
    covariance[1] = covariance[:, 1] = np.nan
    null = draw_estimates(
        np.array([0.2, np.nan]),
        covariance.reshape(2, 1, 2, 1),
        np.random.default_rng(0),
    )
    assert np.isfinite(null.draw(10)).all()
    assert np.isnan(null.observed[1])
