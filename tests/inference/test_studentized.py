"""Normal scores of t, and the choice between two variances."""

import numpy as np
import pytest
from scipy import stats

from sklearn_hypo._inference._studentized import from_z, studentize, to_z


@pytest.mark.parametrize("df", [3.0, 8.0, 40.0, 5000.0])
def test_scores_are_those_of_t(df):
    t = np.array([0.5, 1.0, 2.0, 3.0, 5.0])
    expected = stats.norm.isf(stats.t.sf(t, df))
    np.testing.assert_allclose(to_z(t, df), expected, rtol=0.02)


def test_infinite_degrees_of_freedom_change_nothing():
    assert to_z(-2.0, np.inf) == 2.0
    assert from_z(2.0, np.inf) == 2.0


def test_scores_have_an_inverse():
    t, df = np.array([0.0, 1.0, 4.0, 30.0]), np.array([2.0, 5.0, 80.0, np.inf])
    np.testing.assert_allclose(from_z(to_z(t, df), df), t)


def test_equal_variances_keep_the_degrees_of_freedom_of_all_rows():
    variance, df, unequal = studentize(
        np.ones((1, 1)), np.ones((1, 1)), 480.0, np.array([9.0])
    )
    assert variance[0, 0] == 1.0
    assert df[0, 0] > 300
    assert unequal[0, 0] < 0.01


def test_a_far_larger_robust_variance_has_its_own_degrees_of_freedom():
    robust = np.full((1, 1), 9.0)
    variance, df, unequal = studentize(np.ones((1, 1)), robust, 480.0, np.array([9.0]))
    assert variance[0, 0] == 9.0
    assert df[0, 0] == pytest.approx(9.0, rel=1e-3)
    assert unequal[0, 0] > 0.999


def test_a_smaller_robust_variance_is_not_believed():
    variance, df, unequal = studentize(
        np.ones((1, 2)), np.array([[0.1, 0.0]]), 480.0, np.array([9.0, 2.0])
    )
    assert variance.tolist() == [[1.0, 1.0]]
    assert (df > 450).all()
    assert (unequal < 0.05).all()
