"""Models for many targets against statsmodels, SciPy and brute force."""

import itertools

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from sklearn_hypo._inference._permutations import (
    GainModel,
    JointModel,
    SeparationModel,
    draw_fits,
    draw_null,
    flip_gains,
    permute_joint,
    permute_separations,
)
from sklearn_hypo._inference._step_down import marginal_p_values
from sklearn_hypo._inference._studentized import Studentizer


def make_data(seed=0, n=200, h=3):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, h)) < [0.5, 0.2, 0.1][:h]).astype(float)
    y = A @ np.array([0.5, 0.0, 1.0])[:h] + rng.normal(size=n) * (1 + A[:, 0])
    return A, y, rng.uniform(0.5, 2, size=n), rng


@pytest.mark.parametrize("weighted", [False, True])
def test_coefficients_are_those_of_statsmodels(weighted):
    A, y, w, _ = make_data()
    X = np.column_stack([A, np.ones(len(A))])
    found = JointModel(X, 3, w if weighted else None).fit(np.stack([y, -2 * y]))
    fit = sm.WLS(y, X, weights=w if weighted else 1.0).fit(cov_type="HC2")
    np.testing.assert_allclose(found.coef, np.outer([1, -2], fit.params[:3]))
    np.testing.assert_allclose(found.robust, np.outer([1, 4], fit.bse[:3] ** 2))
    if not weighted:
        fit = sm.OLS(y, X).fit()
        np.testing.assert_allclose(found.pooled, np.outer([1, 4], fit.bse[:3] ** 2))
        assert found.df_pooled == fit.df_resid


def test_pooled_variance_with_weights_is_that_of_equal_spreads():
    """By hand: the estimate is linear in y, whose spread does not hang on weights."""
    A, y, w, _ = make_data(n=60, h=1)
    X = np.column_stack([A, np.ones(len(A))])
    rows = np.linalg.solve(X.T @ (X * w[:, None]), (X * w[:, None]).T)[0]
    residuals = y - X @ np.linalg.solve(X.T @ (X * w[:, None]), X.T @ (w * y))
    pooled = np.sum(rows**2) * np.sum(residuals**2) / (len(y) - 2)
    np.testing.assert_allclose(JointModel(X, 1, w).fit(y[None]).pooled, [[pooled]])


def test_separations_are_differences_of_means_with_two_variances():
    A, y, _, rng = make_data()
    A[rng.random(A.shape) < 0.1] = np.nan
    found = SeparationModel(A).fit(y[None])
    for j, a in enumerate(A.T):
        one, zero = y[a == 1], y[a == 0]
        welch = stats.ttest_ind(one, zero, equal_var=False)
        student = stats.ttest_ind(one, zero)
        difference = one.mean() - zero.mean()
        errors = [difference / each.statistic for each in (welch, student)]
        variances = [found.robust[0, j], found.pooled[0, j]]
        np.testing.assert_allclose(found.coef[0, j], difference)
        np.testing.assert_allclose(np.sqrt(variances), np.abs(errors))
        assert found.df_pooled[j] == student.df


def test_weighted_separations_are_weighted_regressions():
    A, y, w, _ = make_data()
    found = SeparationModel(A, w).fit(y[None])
    for j, a in enumerate(A.T):
        X = np.column_stack([a, np.ones(len(a))])
        model = JointModel(X, 1, w).fit(y[None])
        np.testing.assert_allclose(found.coef[0, j], model.coef[0, 0])
        np.testing.assert_allclose(found.pooled[0, j], model.pooled[0, 0], rtol=1e-2)
        np.testing.assert_allclose(found.robust[0, j], model.robust[0, 0])


def test_gains_are_those_of_a_one_sample_t_test():
    rng = np.random.default_rng(3)
    D = rng.choice([-1.0, 0.0, 1.0], size=(80, 2))
    y = 0.3 * D[:, 0] + rng.normal(size=80)
    found = GainModel(D).fit(y[None])
    for j, d in enumerate(D.T):
        gain = (d * y)[d != 0]
        test = stats.ttest_1samp(gain, 0)
        np.testing.assert_allclose(found.coef[0, j], gain.mean())
        estimates = Studentizer().apply(found)
        error = np.sqrt(estimates.variance[0, j])
        np.testing.assert_allclose(error, gain.mean() / test.statistic)
        np.testing.assert_allclose(estimates.df[0, j], len(gain) - 1)


def test_draws_of_separations_are_permutations():
    """All 720 orders of six values, against 20,000 draws."""
    a = np.array([1.0, 1, 1, 0, 0, 0])
    y = np.array([5.0, 4.0, 6.0, 1.0, 4.5, 0.5])
    base, model = y - y.mean(), SeparationModel(a[:, None])
    rng, studentizer = np.random.default_rng(0), Studentizer(2.0, (0.1, 0.2), 1.3)
    null, _ = draw_null(model, base, base, rng, studentizer)
    every = np.array(list(itertools.permutations(base)))
    z = studentizer.apply(model.fit(every)).z[:, 0]
    exact = np.mean(z >= null.observed[0] - 1e-9)
    drawn = marginal_p_values(null.observed, null.draw(20_000))[0]
    assert abs(drawn - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)


def test_draws_of_gains_are_flips():
    """All 256 patterns of signs of eight pairs, against 20,000 draws."""
    d = np.array([1.0, 1, -1, 1, 1, 1, -1, 1])
    y = np.array([2.0, 1.0, -1.5, 0.5, -0.2, 1.2, -0.3, 0.9])
    null, _ = flip_gains(d[:, None], y, None, np.random.default_rng(0))
    every = np.array(list(itertools.product([1.0, -1.0], repeat=8))) * y
    z = Studentizer().apply(GainModel(d[:, None]).fit(every)).z[:, 0]
    exact = np.mean(z >= null.observed[0] - 1e-9)
    drawn = marginal_p_values(null.observed, null.draw(20_000))[0]
    assert abs(drawn - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)


def test_permuted_residuals_have_the_size_of_t():
    """Under normal noise the null distribution is that of |z|."""
    A, _, _, rng = make_data(n=400)
    X = np.column_stack([A, np.ones(len(A))])
    model = JointModel(X, 3)
    null, _ = permute_joint(model, rng.normal(size=400), rng)
    drawn = null.draw(4000)
    np.testing.assert_allclose(
        np.quantile(drawn, [0.5, 0.95], axis=1).T, [[0.674, 1.96]] * 3, atol=0.12
    )


def test_planted_effects_do_not_inflate_the_null_of_the_joint_test():
    """Residuals are permuted, not the target."""
    A, y, *_ = make_data(n=400)
    X = np.column_stack([A, np.ones(len(A))])
    model = JointModel(X, 3)
    found = [
        permute_joint(model, y + 100 * A[:, 0], np.random.default_rng(0))[0].draw(50),
        permute_joint(model, y, np.random.default_rng(0))[0].draw(50),
    ]
    np.testing.assert_allclose(*found)


def test_within_strata_a_stratum_keeps_its_residuals():
    y = np.random.default_rng(0).normal(size=40)
    strata = np.repeat([0, 1], 20)

    class Keep:
        rows = np.zeros((40, 1))

        def fit(self, targets):
            return targets[:, :20].sum(axis=1), targets[:, 20:].sum(axis=1)

    rng = np.random.default_rng(0)
    (found,) = draw_fits(Keep(), y, rng, 7, strata=strata)
    expected = np.array([y[:20].sum(), y[20:].sum()])
    np.testing.assert_allclose(found, np.tile(expected[:, None], 7))


def make_rare(rng, n=500, h=20):
    A = (rng.random((n, h)) < 0.02).astype(float)
    A[: 3 * h] = np.repeat(np.eye(h), 3, axis=0)  # three texts at least
    return A


def test_where_spreads_differ_scores_are_damped():
    """The null distribution is that of the statistic of the target itself."""
    rng = np.random.default_rng(0)
    A = make_rare(rng)
    y = rng.normal(size=500)
    null, _ = permute_separations(A, y, None, rng)
    np.testing.assert_allclose(null.scale, 1, atol=0.02)
    y[A[:, :5].any(axis=1)] *= 5
    null, estimates = permute_separations(A, y, None, rng)
    assert (null.scale[:5] > 1.05).all()
    np.testing.assert_allclose(null.scale, estimates.damp[0])
    np.testing.assert_allclose(null.observed, estimates.z[0])


STRATA = np.repeat([0, 1], 250)
DRAWS = {
    "plain": {},
    "strata": {"strata": STRATA},
    "flips": {"flips": True, "shuffles": False},
    "both": {"flips": True},
}


def draw_other(y, rng, kind):
    """The same values in another order, or with other signs."""
    if kind == "strata":
        return np.concatenate([rng.permutation(y[s == STRATA]) for s in (0, 1)])
    signs = rng.choice([-1, 1], len(y)) if "flips" in DRAWS[kind] else 1
    return signs * (y if kind == "flips" else rng.permutation(y))


@pytest.mark.parametrize("kind", DRAWS)
def test_the_statistic_does_not_depend_on_the_order_of_values(kind):
    rng = np.random.default_rng(0)
    model, y = SeparationModel(make_rare(rng)), np.exp(rng.normal(size=500))
    found = [
        draw_null(model, base, y, np.random.default_rng(seed), **DRAWS[kind])[1].z
        for seed, base in enumerate((y, y, draw_other(y, rng, kind)))
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_statistic_does_not_depend_on_the_order_of_rows(kind, weighted):
    rng = np.random.default_rng(0)
    A, y = make_rare(rng, h=6), rng.standard_t(4, size=500)
    w = rng.uniform(0.5, 2, size=500) if weighted else None
    found = []
    for _ in range(3):
        model = SeparationModel(A, w)
        found.append(draw_null(model, y, y, rng, **DRAWS[kind])[1])
        order = rng.permutation(500)
        if kind == "strata":
            order = np.concatenate([rng.permutation(250), 250 + rng.permutation(250)])
        A, y, w = A[order], y[order], w if w is None else w[order]
    for other in found[1:]:
        np.testing.assert_allclose(found[0].z, other.z)
        np.testing.assert_allclose(found[0].df, other.df)


def test_the_statistic_does_not_depend_on_the_sign_of_the_target():
    rng = np.random.default_rng(0)
    A, y = make_rare(rng), np.exp(rng.normal(size=500))
    found = [permute_separations(A, sign * y, None, rng)[1] for sign in (1, -1)]
    np.testing.assert_allclose(found[0].z, found[1].z)


def test_the_statistic_is_chosen_by_draws_like_those_that_are_counted():
    """Where spread goes with strata, or only signs change, others are chosen."""
    rng = np.random.default_rng(0)
    model = SeparationModel(make_rare(rng))
    y = np.exp(rng.normal(size=500)) * np.where(STRATA, 10, 1)
    found = {k: draw_null(model, y, y, rng, **DRAWS[k])[1].df for k in DRAWS}
    for kind in ("strata", "flips", "both"):
        assert np.abs(found[kind] - found["plain"]).max() > 1e-6


def test_draws_do_not_depend_on_the_size_of_the_request():
    A, y, _, _ = make_data()
    nulls = [
        permute_separations(A, y, None, np.random.default_rng(5))[0] for _ in range(2)
    ]
    whole = nulls[0].draw(30)
    parts = np.hstack([nulls[1].draw(10), nulls[1].draw(20)])
    np.testing.assert_allclose(whole, parts)
