"""Normal scores of t, and the choice between two variances."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sklearn_hypo._inference._permutations import SeparationModel, permute_separations
from sklearn_hypo._inference._step_down import step_down_p_values
from sklearn_hypo._inference._studentized import (
    LATE,
    SOON,
    Fits,
    Studentizer,
    choose_studentizer,
    from_z,
    to_z,
)


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


def make_estimates(robust, pooled=1.0, coef=2.0, df=9.0):
    robust = np.atleast_2d(np.asarray(robust, float))
    of = (np.full(robust.shape, value) for value in (coef, pooled))
    return Fits(*of, robust, 480.0, np.full(robust.shape[1], df))


def test_scores_of_two_variances_are_normal_under_equal_spreads():
    ratio = stats.chi2.rvs(9, size=(20_000, 1), random_state=0) / 9
    score = make_estimates(ratio).find_spread_scores()
    levels = [0.01, 0.1, 0.5, 0.9, 0.99]
    expected = stats.norm.ppf(levels)
    np.testing.assert_allclose(np.quantile(score, levels), expected, atol=0.08)


def test_equal_variances_keep_the_degrees_of_freedom_of_all_rows():
    found = Studentizer().apply(make_estimates(1.0))
    assert found.variance[0, 0] == 1.0
    assert found.df[0, 0] > 150
    assert Studentizer(LATE).apply(make_estimates(1.0)).df[0, 0] > 479


def test_a_far_larger_robust_variance_has_its_own_degrees_of_freedom():
    for half_way in (LATE, SOON):
        found = Studentizer(half_way).apply(make_estimates(9.0))
        assert found.variance[0, 0] == pytest.approx(9.0, rel=1e-3)
        assert found.df[0, 0] == pytest.approx(9.0, rel=1e-3)


def test_half_way_there_is_half_of_the_difference():
    share = 2 / 81
    robust = (1 - share + np.sqrt(share)) ** 3  # a score of 1
    found = Studentizer(1.0).apply(make_estimates(robust))
    assert found.variance[0, 0] == pytest.approx((1 + robust) / 2)
    assert found.df[0, 0] == pytest.approx(2 / (1 / 480 + 1 / 9))


def test_a_smaller_robust_variance_is_not_believed():
    found = Studentizer().apply(make_estimates([0.1, 0.0]))
    assert found.variance.tolist() == [[1.0, 1.0]]
    assert (found.df > 400).all()


def test_nothing_varies():
    found = Studentizer().apply(make_estimates(0.0, pooled=0.0))
    assert found.variance[0, 0] == 0
    assert found.z[0, 0] == 0


def test_a_family_that_shows_unequal_spreads_is_believed_to_have_them():
    """The same hypothesis beside others: its variance and its degrees of freedom."""
    chance, wide = (0.05, 0.05), 1.3
    alone, beside = np.full((2, 20), 1.0)
    beside[5:10] = 9.0
    alone[0] = beside[0] = wide
    found = [
        Studentizer(LATE, chance, caution=1.5).apply(make_estimates(robust))
        for robust in (alone, beside)
    ]
    assert found[0].variance[0, 0] == pytest.approx(1, abs=0.01)
    assert found[0].df[0, 0] > 400
    np.testing.assert_allclose(found[0].damp, 1, atol=0.01)
    assert found[1].variance[0, 0] == pytest.approx(wide, abs=0.01)
    assert found[1].df[0, 0] < 10
    np.testing.assert_allclose(found[1].damp[0, :10:5], 1.44, atol=0.01)
    z = found[1].z * found[1].damp
    np.testing.assert_allclose(z, to_z(2 / np.sqrt(found[1].variance), found[1].df))


def test_within_such_a_family_only_larger_variances_count_and_are_damped():
    robust = np.full((1, 20), 9.0)
    robust[0, 0] = 0.01
    found = Studentizer(LATE, (0.05, 0.05), caution=1.5).apply(make_estimates(robust))
    np.testing.assert_allclose(found.damp[0, [0, 1]], [1, 1.5], atol=0.01)
    np.testing.assert_allclose(found.variance[0, [0, 1]], [1, 9])


def make_pilot(y, rng, h=20):
    A = (rng.random((len(y), h)) < 0.02).astype(float)
    A[: 3 * h] = np.repeat(np.eye(h), 3, axis=0)  # three texts at least
    return SeparationModel(A).fit(np.array([rng.permutation(y) for _ in range(199)]))


def test_what_finds_more_is_chosen():
    """Heavy tails: larger variances are believed soon; light tails: late."""
    rng = np.random.default_rng(0)
    likes = rng.poisson(np.exp(1.45 * rng.normal(size=500) - 1)).astype(float)
    heavy = choose_studentizer(make_pilot(likes, rng))
    light = choose_studentizer(make_pilot(rng.normal(size=500), rng))
    assert heavy.half_way < SOON + 0.3
    assert light.half_way > LATE - 0.3
    assert heavy.caution > 1.2
    assert 1 <= light.caution < 1.1


def test_of_a_single_hypothesis_a_larger_variance_is_believed_soon():
    rng = np.random.default_rng(0)
    found = choose_studentizer(make_pilot(rng.normal(size=500), rng, h=1))
    assert SOON <= found.half_way <= SOON + 0.1


def test_chance_has_at_least_the_spread_of_independent_scores():
    pilot = make_estimates(np.ones((199, 20)))
    assert choose_studentizer(pilot).chance[1] == pytest.approx(np.sqrt(0.0225 / 20))


def test_scores_with_larger_tails_than_normal_ones_need_no_caution():
    rng = np.random.default_rng(0)
    pilot = make_estimates(np.ones((199, 20)))
    for size, least, most in ((2.0, 1.0, 1.0), (0.5, 1.7, 2.3)):
        coef = size * rng.normal(size=(199, 20))
        caution = choose_studentizer(replace(pilot, coef=coef)).caution
        assert least <= caution <= most


def test_caution_does_not_take_dependence_for_light_tails():
    rng = np.random.default_rng(0)
    coef = np.repeat(rng.normal(size=(4000, 1)), 20, axis=1)
    pilot = replace(make_estimates(np.ones((4000, 20))), coef=coef)
    assert choose_studentizer(pilot).caution < 1.1


def test_without_hypotheses_nothing_is_chosen():
    empty = np.empty((199, 0))
    assert choose_studentizer(Fits(empty, empty, empty, 9.0, np.empty(0))) == (
        Studentizer()
    )


def test_many_unequal_spreads_are_no_findings():
    """Ten of 20 hypotheses go with three times the spread, none with the mean."""
    any_found = np.zeros(60)
    for seed in range(len(any_found)):
        rng = np.random.default_rng(seed)
        A = (rng.random((300, 20)) < 0.03).astype(float)
        A[:3] = 1 - A[:3]
        y = rng.normal(size=300) * np.where(A[:, :10].any(axis=1), 3, 1)
        null, _ = permute_separations(A, y, None, rng)
        p = step_down_p_values(null.observed, null.draw(199))
        any_found[seed] = (p <= 0.1).any()
    assert any_found.mean() <= 0.2
