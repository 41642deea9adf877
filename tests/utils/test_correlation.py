"""Moments and correlations, against SciPy and NumPy."""

import numpy as np
import pytest
from scipy import stats
from some_activations import CONTAINERS, activations, target

from sklearn_hypo._utils._correlation import (
    compute_moments,
    correlate_activations,
    correlation_scores,
)

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 2e-5), (np.float64, 1e-11)])
@pytest.mark.parametrize("n_rows", [2, 300, 2500])
def test_moments(container, dtype, rtol, n_rows):
    A, t = activations(n_rows, dtype=dtype), target(n_rows)
    A[0] += 1
    found = compute_moments(CONTAINERS[container](A), t)
    A = A.astype(np.float64)
    np.testing.assert_allclose(found.mean, A.mean(axis=0), rtol=rtol)
    np.testing.assert_allclose(found.std, A.std(axis=0), rtol=rtol)
    cross = (A - A.mean(axis=0)).T @ (t - t.mean())
    np.testing.assert_allclose(found.cross, cross, rtol=rtol, atol=n_rows * rtol)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 1e-6), (np.float64, 1e-12)])
def test_correlation_equals_scipy(container, dtype, atol):
    A, t = activations(2500, dtype=dtype), target(2500)
    t += A[:, [3]]
    found = correlation_scores(CONTAINERS[container](A), t)
    expected = [stats.pearsonr(column, t[:, 0]).statistic for column in A.T]
    assert found.shape == (12, 1)
    np.testing.assert_allclose(found[:, 0], expected, atol=atol)


def test_correlation_with_several_targets():
    A = activations()
    t = np.eye(3)[np.random.default_rng(0).integers(3, size=300)]
    expected = np.corrcoef(A.T, t.T)[:12, 12:]
    np.testing.assert_allclose(correlation_scores(A, t), expected, atol=1e-12)


def test_constant_target_scores_zero():
    assert (correlation_scores(activations(), np.ones((300, 1))) == 0).all()


def test_sorted_rows_do_not_cancel():
    # the first rows say nothing of the mean of the others
    A = np.zeros((5000, 2), dtype=np.float32)
    rng = np.random.default_rng(0)
    A[2000:] = 100 + rng.standard_normal((3000, 2))
    t = A[:, :1].astype(np.float64) + rng.standard_normal((5000, 1))
    expected = np.corrcoef(A.T.astype(np.float64), t.T)[:2, 2:]
    np.testing.assert_allclose(correlation_scores(A, t), expected, atol=1e-6)


def test_correlations_are_pearsons_and_0_for_constant_neurons():
    rng = np.random.default_rng(0)
    a = rng.exponential(size=(80, 3)).astype(np.float32)
    b = rng.exponential(size=(80, 5))
    b[:, 1] = 2.0
    found = correlate_activations(a, b)
    kept = [0, 2, 3, 4]
    expected = np.corrcoef(a, b[:, kept], rowvar=False)[:3, 3:]
    np.testing.assert_allclose(found[:, kept], expected, atol=1e-6)
    assert not found[:, 1].any()
