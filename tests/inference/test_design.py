"""Weights, groups, covariates, fixed effects and pairs of a test."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from annotation_tests import check_and_test
from scipy import stats
from statsmodels.discrete.conditional_models import ConditionalLogit

from sklearn_hypo._inference import _logit
from sklearn_hypo._inference._design import make_design
from sklearn_hypo._inference._design_matrix import make_design_matrix
from sklearn_hypo._inference._notes import Notes
from sklearn_hypo.exceptions import HypothesisWarning


def make_rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, 3)) < [0.3, 0.2, 0.5]).astype(float)
    y = A @ [0.8, 0.0, -0.3] + rng.normal(size=n)
    return A, y, rng


def table_of(A, y, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return check_and_test(A, y, **kwargs)


def facts_of(n_rows=4, **kwargs):
    return make_design(n_rows, caller="test", **kwargs)


# Coding ---------------------------------------------------------------------------


def test_coding_by_hand():
    design = facts_of(
        sample_weight=[1, 1, 2, 4],
        groups=["b", "b", "a", "a"],
        covariates=pd.DataFrame({"age": [1, 2, 3, 4], "kind": ["x", "y", "z", "x"]}),
        pairs=[7, 7, 9, 9],
    )
    np.testing.assert_array_equal(design.weights, [0.5, 0.5, 1, 2])
    np.testing.assert_array_equal(design.pairs, [0, 0, 1, 1])
    assert design.covariate_names == ("age", "kind_y", "kind_z")
    np.testing.assert_array_equal(
        design.covariates, [[1, 0, 0], [2, 1, 0], [3, 0, 1], [4, 0, 0]]
    )


def test_a_single_column_is_as_good_as_its_values():
    column = np.array([[1.0], [1], [2], [4]])
    np.testing.assert_array_equal(
        facts_of(sample_weight=column).weights,
        facts_of(sample_weight=[1, 1, 2, 4]).weights,
    )
    with pytest.raises(ValueError, match=r"groups has shape \(4, 2\)"):
        facts_of(groups=np.zeros((4, 2)))


def test_five_odd_pairs_are_named():
    with pytest.raises(
        ValueError, match=r"7 of 7 pairs .* such as \[0, 1, 2, 3, 4\]\."
    ):
        facts_of(7, pairs=np.arange(7))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"groups": [1, 2, 3]}, r"groups has shape \(3,\), but there are 4 rows"),
        ({"groups": [1, 1, 1, 1]}, "groups holds a single group"),
        ({"groups": [1, None, 2, 2]}, "1 of 4 values of groups are missing"),
        ({"sample_weight": [1, 1, 0, 1]}, "1 of 4 weights are zero, negative"),
        ({"sample_weight": [1, 1, np.inf, 1]}, "1 of 4 weights"),
        ({"sample_weight": ["a"] * 4}, "sample_weight must hold numbers"),
        ({"pairs": [1, 1, 1, 2]}, r"2 of 2 pairs do not have exactly two rows.*\[1, 2"),
        ({"pairs": [1, 1, 2, 2], "fixed_effects": [1, 1, 2, 2]}, "beside pairs"),
        ({"pairs": [1, 1, 2, 2], "groups": [1, 2, 1, 1]}, "members of 1 pairs are in"),
        ({"covariates": pd.DataFrame({"a": [1, 2, 3]})}, "covariates has 3 rows"),
        ({"covariates": pd.DataFrame({"a": [1, 2, None, 4]})}, r"\['a'\] have missing"),
        ({"covariates": [[1.0], [np.inf], [2], [3]]}, "infinite"),
    ],
)
def test_bad_rows(given, message):
    with pytest.raises(ValueError, match=message):
        facts_of(**given)


def test_a_dict_of_covariates_is_told_to_be_a_frame():
    with pytest.raises(TypeError, match=r"a dict.*pandas\.DataFrame\(covariates\)"):
        facts_of(covariates={"age": [1, 2, 3, 4]})


# Weights and groups ---------------------------------------------------------------


def test_weights_are_statsmodels_wls_with_robust_errors():
    A, y, rng = make_rows()
    weights = rng.uniform(0.2, 3, len(y))
    table, _ = table_of(A, y, sample_weight=weights, cov_type="HC3")
    wls = sm.WLS(y, sm.add_constant(A), weights=weights).fit(cov_type="HC3")
    np.testing.assert_allclose(table["coef"], wls.params[1:], rtol=1e-9)
    np.testing.assert_allclose(table["coef_se"], wls.bse[1:], rtol=1e-9)
    holds = A[:, 0] == 1
    means = [np.average(y[s], weights=weights[s]) for s in (holds, ~holds)]
    assert table.loc[0, "separation"] == pytest.approx(means[0] - means[1])
    assert table.loc[0, "prevalence"] == pytest.approx(
        weights[holds].sum() / weights.sum()
    )
    scaled, _ = table_of(A, y, sample_weight=1000 * weights, cov_type="HC3")
    pd.testing.assert_frame_equal(scaled, table)


def test_weighted_logit_is_statsmodels_glm():
    A, y, rng = make_rows()
    weights = rng.uniform(0.2, 3, len(y))
    weights /= weights.mean()
    table, summary = table_of(A, y > 0, sample_weight=weights)
    glm = sm.GLM(
        (y > 0).astype(float),
        sm.add_constant(A),
        family=sm.families.Binomial(),
        freq_weights=weights,
    ).fit()
    np.testing.assert_allclose(table["coef"], glm.params[1:], rtol=1e-6)
    assert summary["cov_type"] == "HC3"
    assert table.loc[0, "coef_p"] < 0.001


@pytest.mark.parametrize("kind", ["quantity", "two", "three"])
def test_repeated_rows_are_no_new_evidence(kind):
    A, y, _ = make_rows(n=200)
    if kind != "quantity":
        y = np.digitize(y, [0.2] if kind == "two" else [-0.2, 0.6])
    task = "regression" if kind == "quantity" else "classification"
    cov_type = "HC3" if kind == "quantity" else "auto"
    alone, _ = table_of(A, y, task=task, cov_type=cov_type)
    many, n = np.repeat(A, 10, axis=0), np.repeat(y, 10)
    grouped, summary = table_of(
        many,
        n,
        task=task,
        groups=np.repeat(np.arange(200), 10),
    )
    naive, _ = table_of(many, n, task=task, cov_type=cov_type)
    assert summary["n_groups"] == 200
    assert summary["cov_type"] == "cluster"
    for name in ("separation_p", "coef_p"):
        ratio = np.log(grouped[name] / alone[name])
        assert np.abs(ratio[alone[name] > 0.01]).max() < 0.5
        assert (grouped[name][alone[name] < 1e-4] < 1e-3).all()
        some = alone[name].between(1e-12, 0.3)
        assert (naive[name][some] < alone[name][some] / 2).all()
    np.testing.assert_allclose(grouped["separation"], alone["separation"])


def test_groups_keep_their_level_where_rows_do_not():
    """Chunks that inherit the label of their document, under a pure null."""
    rng = np.random.default_rng(0)
    document = np.repeat(np.arange(40), 10)
    found = {"grouped": 0, "naive": 0}
    for _ in range(40):
        tendency = rng.beta(0.5, 1.5, size=(40, 3))
        A = (rng.random((400, 3)) < tendency[document]).astype(float)
        y = rng.normal(size=40)[document]
        for name, groups in (("grouped", document), ("naive", None)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", HypothesisWarning)
                table, _ = check_and_test(A, y, groups=groups)
            found[name] += (table["coef_p"] < 0.05).sum()
    assert found["naive"] > 40  # of 120, where 6 are expected
    assert found["grouped"] <= 16


def test_a_logit_changes_no_fitted_result(monkeypatch):
    fits, degrees = [], []

    def remember(*args):
        fits.append(fit_working_model(*args))
        degrees.append(fits[-1].df.copy())
        return fits[-1]

    fit_working_model = _logit._working_fit
    monkeypatch.setattr(_logit, "_working_fit", remember)
    A, y, _ = make_rows()
    rng = np.random.default_rng(0)
    A[:, 1] = rng.random(400) < 0.02
    table, _ = table_of(A, y > 0, sample_weight=rng.exponential(size=400))
    np.testing.assert_array_equal(fits[0].df, degrees[0])
    assert (table["coef_df"] < degrees[0][:3]).any()


# Covariates and fixed effects -------------------------------------------------------


def test_covariates_are_in_the_joint_model_and_apart():
    A, y, rng = make_rows()
    age = rng.normal(size=len(y)) + A[:, 0]
    kind = rng.choice(["a", "b"], len(y))
    y = y + age
    frame = pd.DataFrame({"age": age, "kind": kind})
    table, summary = table_of(A, y, covariates=frame, cov_type="HC3")
    Z = np.column_stack([A, age, kind == "b"]).astype(float)
    ols = sm.OLS(y, sm.add_constant(Z)).fit(cov_type="HC3")
    np.testing.assert_allclose(table["coef"], ols.params[1:4], rtol=1e-9)
    np.testing.assert_allclose(table["coef_se"], ols.bse[1:4], rtol=1e-9)
    covariates = summary["covariates"]
    assert covariates["name"].tolist() == ["age", "kind_b"]
    np.testing.assert_allclose(covariates["coef"], ols.params[4:], rtol=1e-9)
    np.testing.assert_allclose(covariates["coef_se"], ols.bse[4:], rtol=1e-9)
    without, _ = table_of(A, y)
    assert without.loc[0, "coef"] > table.loc[0, "coef"] + 0.5  # confounded
    assert summary["n_tested"] == 3


def test_covariates_that_say_nothing_are_named():
    A, y, _ = make_rows()
    frame = pd.DataFrame({"one": 1.0, "age": y, "twice": 2 * y})
    with pytest.warns(HypothesisWarning, match="were left out: one, twice"):
        _, summary = check_and_test(A, np.arange(len(y)) % 7.0, covariates=frame)
    assert summary["covariates"]["name"].tolist() == ["age"]


def test_a_hypothesis_that_a_covariate_settles_is_named():
    A, y, _ = make_rows()
    with pytest.warns(HypothesisWarning, match="determined by the covariates"):
        table, _ = check_and_test(A, y, covariates=A[:, [1]])
    assert table["coef"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("groups", [False, True])
def test_fixed_effects_are_dummies(groups):
    A, y, rng = make_rows()
    level = rng.integers(0, 12, len(y))
    A[:, 0] = rng.random(len(y)) < 0.05 * (level + 1)
    y = y + level
    clusters = level if groups else None
    table, summary = table_of(
        A, y, fixed_effects=level, groups=clusters, cov_type="HC3"
    )
    dummies = pd.get_dummies(level, dtype=float).to_numpy()
    ols = sm.OLS(y, np.column_stack([A, dummies]))
    fit = ols.fit(cov_type="HC3")
    np.testing.assert_allclose(table["coef"], fit.params[:3], rtol=1e-9)
    assert summary["covariates"] is None
    if groups:  # the jackknife over levels; their own dummy goes with them
        scores = []
        for g in range(12):
            rest = level != g
            others = np.delete(dummies[rest], g, axis=1)
            design = np.column_stack([A[rest], others])
            left = np.linalg.lstsq(design, y[rest], rcond=None)[0][:3]
            scores.append(left - table["coef"])
        se = np.sqrt(np.sum(np.square(scores), axis=0))
        np.testing.assert_allclose(table["coef_se"], se, rtol=1e-8)
    else:
        np.testing.assert_allclose(table["coef_se"], fit.bse[:3], rtol=1e-9)


def test_many_levels_need_groups():
    A, y, _ = make_rows(n=1200)
    level = np.arange(1200) // 2
    with pytest.raises(ValueError, match=r"600 levels, more than 500.*as groups"):
        check_and_test(A, y, fixed_effects=level)
    with pytest.raises(ValueError, match="linear probability model"):
        check_and_test(A, y > 0, fixed_effects=level, groups=level)
    table, _ = table_of(A, y, fixed_effects=level, groups=level)
    difference = A[::2] - A[1::2]
    ols = sm.OLS(y[::2] - y[1::2], difference).fit()
    np.testing.assert_allclose(table["coef"], ols.params, rtol=1e-9)


@pytest.mark.parametrize("linear", [True, False])
def test_five_hundred_levels_are_columns(linear):
    level = np.arange(501)
    many = make_design(501, fixed_effects=level, caller="test")
    with pytest.raises(ValueError, match="501 levels, more than 500"):
        make_design_matrix(many, 501, linear=linear, notes=Notes([]))
    most = make_design(501, fixed_effects=level % 500, caller="test")
    made = make_design_matrix(most, 501, linear=linear, notes=Notes([]))
    assert made.n_used == made.values.shape[1] == 500


# Pairs ----------------------------------------------------------------------------


def make_pairs_of_rows(n_pairs=300, seed=0):
    rng = np.random.default_rng(seed)
    A = (rng.random((2 * n_pairs, 3)) < 0.4).astype(float)
    pair = np.repeat(np.arange(n_pairs), 2)
    worth = A @ [1.0, 0.0, -0.5] + rng.normal(size=n_pairs)[pair]
    worth += rng.gumbel(size=2 * n_pairs)
    won = (worth > worth[np.arange(2 * n_pairs) ^ 1]).astype(int)
    order = rng.permutation(2 * n_pairs)
    return A[order], worth[order], won[order], pair[order]


def test_winners_are_a_conditional_logit():
    A, _, won, pair = make_pairs_of_rows()
    table, summary = table_of(A, won, pairs=pair)
    conditional = ConditionalLogit(won, A, groups=pair).fit(disp=0)
    np.testing.assert_allclose(table["coef"], conditional.params, rtol=1e-3)
    order = np.lexsort((-won, pair))  # the winner first
    D = A[order][::2] - A[order][1::2]
    D[::3] *= -1
    logit = sm.Logit((np.arange(300) % 3 > 0).astype(float), D).fit(disp=0)
    np.testing.assert_allclose(table["coef"], logit.params, rtol=1e-8)
    np.testing.assert_allclose(table["coef_se"], logit.bse, rtol=1e-8)
    assert summary["n_pairs"] == 300
    assert summary["n_rows"] == 600
    assert (table["n"] == 300).all()
    assert table["significant"].tolist() == [True, False, True]


def test_separation_of_pairs_is_a_sign_test():
    A, _, won, pair = make_pairs_of_rows()
    table, _ = table_of(A, won, pairs=pair)
    frame = pd.DataFrame({"pair": pair, "a": A[:, 0], "won": won})
    wide = frame.sort_values(["pair", "won"]).groupby("pair")["a"]
    loser, winner = wide.first(), wide.last()
    wins, losses = ((winner > loser).sum(), (winner < loser).sum())
    assert table.loc[0, "n_discordant"] == wins + losses
    assert table.loc[0, "separation"] == pytest.approx(
        (wins - losses) / (wins + losses)
    )
    p = stats.binomtest(int(wins), int(wins + losses)).pvalue
    assert table.loc[0, "separation_p"] == pytest.approx(p)


def test_quantities_within_pairs_are_regressed_on_differences():
    A, worth, _, pair = make_pairs_of_rows()
    table, _ = table_of(A, worth, pairs=pair, cov_type="HC3")
    order = np.argsort(pair, kind="stable")
    D = A[order][::2] - A[order][1::2]
    d = worth[order][::2] - worth[order][1::2]
    ols = sm.OLS(d, D).fit(cov_type="HC3")
    np.testing.assert_allclose(table["coef"], ols.params, rtol=1e-9)
    np.testing.assert_allclose(table["coef_se"], ols.bse, rtol=1e-9)
    gain = (D[:, 0] * d)[D[:, 0] != 0]
    one_sample = stats.ttest_1samp(gain, 0)
    assert table.loc[0, "separation"] == pytest.approx(gain.mean())
    assert table.loc[0, "separation_p"] == pytest.approx(one_sample.pvalue)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_order_within_pairs_means_nothing(grouped):
    A, _, won, pair = make_pairs_of_rows()
    groups = pair // 3 if grouped else None
    kind = "HC3" if grouped else "auto"  # draws of groups hang on the order
    first, _ = table_of(A, won, pairs=pair, groups=groups, cov_type=kind)
    turned = np.lexsort((won, pair))  # the loser always first
    second, _ = table_of(
        A[turned],
        won[turned],
        pairs=pair[turned],
        groups=groups[turned] if grouped else None,
        cov_type=kind,
    )
    numbers = first.select_dtypes("number").columns
    np.testing.assert_allclose(first[numbers], second[numbers], rtol=1e-6, atol=1e-9)


def test_an_unbeaten_hypothesis_has_a_finite_estimate():
    A, _, won, pair = make_pairs_of_rows()
    A[:, 1] = 0
    A[np.flatnonzero(won)[:20], 1] = 1
    with pytest.warns(HypothesisWarning, match="separate the classes"):
        table, _ = check_and_test(A, won, pairs=pair)
    assert 1 < table.loc[1, "coef"] < 20
    assert table.loc[1, "separation"] == 1
    assert table.loc[1, "significant"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda won: won * 0 + 1, "single class"),
        (lambda won: np.where(np.arange(len(won)) < 3, 1, won), "nobody won"),
        (lambda won: np.array(["a", "b", "c"])[np.arange(len(won)) % 3], "3 classes"),
    ],
)
def test_pairs_need_one_winner_each(change, message):
    A, _, won, pair = make_pairs_of_rows()
    with pytest.raises(ValueError, match=message):
        check_and_test(A, change(won), pairs=pair, task="classification")


def test_a_hypothesis_that_never_differs_within_pairs_is_named():
    A, _, won, pair = make_pairs_of_rows()
    A[:, 2] = pair % 2
    with pytest.warns(HypothesisWarning, match="both members or neither"):
        table, _ = check_and_test(A, won, pairs=pair)
    assert np.isnan(table.loc[2, "separation"])
    assert np.isnan(table.loc[2, "coef"])


def test_effects_within_pairs_have_the_scale_of_the_separation():
    rng = np.random.default_rng(0)
    A = (rng.random((4000, 1)) < 0.5).astype(float)
    pair = np.repeat(np.arange(2000), 2)
    worth = A[:, 0] + rng.gumbel(size=4000)
    won = (worth > worth[np.arange(4000) ^ 1]).astype(int)
    table, _ = table_of(A, won, pairs=pair)
    # alone in the model, the fitted chance of winning is the observed one
    share = (1 + table.loc[0, "separation"]) / 2
    assert table.loc[0, "coef"] == pytest.approx(np.log(share / (1 - share)))
    assert table.loc[0, "ame"] == pytest.approx(table.loc[0, "separation"], rel=1e-6)
    assert table.loc[0, "ame_se"] == pytest.approx(
        table.loc[0, "separation_se"], rel=0.1
    )


def test_covariates_of_more_classes_are_tested_too():
    A, y, rng = make_rows(n=600)
    codes = np.digitize(y, [-0.3, 0.5])
    frame = pd.DataFrame(
        {"age": y + rng.normal(size=600), "luck": rng.normal(size=600)}
    )
    _, summary = table_of(A, codes, task="classification", covariates=frame)
    covariates = summary["covariates"].set_index("name")
    assert (
        covariates.loc["age", "coef_p"] < 1e-6 < 0.01 < covariates.loc["luck", "coef_p"]
    )
    assert covariates["coef"].isna().all()


def test_covariates_of_mixed_kinds_keep_theirs():
    polars = pytest.importorskip("polars")
    age, kind = [1.5, 2.5, 3.5, 4.5], ["x", "y", "z", "x"]
    expected = facts_of(covariates=pd.DataFrame({"age": age, "kind": kind}))
    for frame in (
        polars.DataFrame({"age": age, "kind": kind}),
        pd.DataFrame({"age": age, "kind": kind}, dtype=object),
    ):
        design = facts_of(covariates=frame)
        assert design.covariate_names == ("age", "kind_y", "kind_z")
        np.testing.assert_array_equal(design.covariates, expected.covariates)
    mixed = facts_of(covariates=np.array([age, kind], dtype=object).T)
    np.testing.assert_array_equal(mixed.covariates, expected.covariates)
    texts = facts_of(covariates=np.array([age, kind]).T)  # numbers became texts
    np.testing.assert_array_equal(texts.covariates, expected.covariates)
    assert facts_of(covariates=pd.DataFrame(index=range(4))).covariates is None


def test_the_year_as_a_string_is_a_category():
    year = pd.Series(["2020", "2021", "2023", "2020"], name="year")
    frame = year.to_frame()
    for given in (year, frame, frame.astype(object)):
        design = facts_of(covariates=given)
        assert design.covariate_names == ("year_2021", "year_2023")
        np.testing.assert_array_equal(design.covariates.T, [[0, 1, 0, 0], [0, 0, 1, 0]])


@pytest.mark.parametrize(
    ("covariates", "message"),
    [
        (pd.DataFrame({"day": pd.date_range("2020-01-01", periods=60)}), "are dates"),
        (pd.DataFrame({"id": [f"u{i}" for i in range(60)]}), "60 categories, more"),
        (pd.DataFrame({"id": (np.arange(60) % 51).astype(str)}), "51 categories, more"),
    ],
)
def test_covariates_that_are_none(covariates, message):
    with pytest.raises(ValueError, match=message):
        facts_of(60, covariates=covariates)


def test_fifty_categories_are_covariates():
    kinds = pd.DataFrame({"id": (np.arange(60) % 50).astype(str)})
    assert facts_of(60, covariates=kinds).covariates.shape == (60, 49)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_a_covariate_changes_nothing(scale):
    A, y, rng = make_rows(n=600)
    z = A[:, 0] + rng.normal(size=600)
    codes = np.digitize(y + z, [0.0, 1.5])
    for target, task in (
        (y, "regression"),
        (codes > 0, "auto"),
        (codes, "classification"),
    ):
        first, one = table_of(A, target, task=task, covariates=z)
        second, two = table_of(A, target, task=task, covariates=scale * (z + 100))
        numbers = first.select_dtypes("number").columns
        np.testing.assert_allclose(
            first[numbers], second[numbers], rtol=1e-6, atol=1e-9
        )
        np.testing.assert_allclose(
            one["covariates"]["coef"], two["covariates"]["coef"] * scale, rtol=1e-6
        )


@pytest.mark.parametrize("kind", ["weights", "three classes"])
def test_rare_cells_keep_their_level(kind):
    """Where an annotation hardly meets a class, residuals look all alike."""
    rng = np.random.default_rng(0)
    small, interval = [], []
    for _ in range(6):
        A = (rng.random((700, 6)) < 0.04).astype(float)
        given = {"sample_weight": np.ones(700)} if kind == "weights" else {}
        y = rng.permutation(700) < 21
        y = y + (rng.random(700) < 0.4) if kind == "three classes" else y
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)
            table, _ = check_and_test(A, y, task="classification", **given)
        small += [table["coef_p"] < 0.02, table["separation_p"] < 0.02]
        interval.append(
            (table["separation_lower"] <= 0) & (table["separation_upper"] >= 0)
        )
    assert np.mean(small) < 0.1
    assert np.mean(interval) > 0.85


def test_three_wins_of_three_are_no_certainty():
    design = facts_of(6, pairs=[1, 1, 2, 2, 3, 3], groups=[1, 1, 2, 2, 3, 3])
    A = np.array([[1.0], [0], [1], [0], [1], [0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        table, _ = check_and_test(
            A,
            [1, 0, 1, 0, 1, 0],
            pairs=[1, 1, 2, 2, 3, 3],
            groups=[1, 1, 2, 2, 3, 3],
        )
    assert design.pairs.tolist() == [0, 0, 1, 1, 2, 2]
    # of eight ways in which three groups can end, two are as clear: it is not tested
    assert "3 of 3 groups behind it, 5 groups are needed" in table.loc[0, "note"]
    assert np.isnan(table.loc[0, "separation_p"])
    assert table.loc[0, "separation"] == 1.0


def test_more_levels_than_columns_can_hold_are_absorbed_in_a_report():
    from sklearn_hypo import evaluate_annotations

    A, y, _ = make_rows(n=1200)
    level = np.arange(1200) // 2
    report = evaluate_annotations(
        A, y, fixed_effects=level, groups=level, n_resamples=49
    )
    assert 0 < report.r2_adjusted < 0.5
    assert 0 < report.r2 < 0.5 < report.overall.set_index("name").value["r2_covariates"]
    assert report.permutation_p <= 0.1


def test_a_skewed_target_is_named():
    rng = np.random.default_rng(0)
    A = (rng.random((500, 1)) < 0.04).astype(float)
    with pytest.warns(HypothesisWarning, match="as skewed as this"):
        check_and_test(A, np.exp(1.5 * rng.normal(size=500)), cov_type="HC3")
    table_of(A, np.exp(1.5 * rng.normal(size=500)))  # permutations keep it
    table_of(
        A, rng.standard_t(3, size=500), cov_type="HC3"
    )  # heavy tails on both sides do no harm
