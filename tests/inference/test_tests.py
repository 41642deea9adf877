import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from annotation_tests import check_and_test
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from sklearn_hypo._utils._printable import to_printable
from sklearn_hypo.exceptions import HypothesisWarning

NAMES = ["mentions tea", "mentions rain", "asks a question", "is long"]


def make_annotations(n=400, h=4, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, h)) < np.linspace(0.2, 0.6, h)).astype(float)
    signal = A @ np.linspace(1.0, -0.5, h) if h else np.zeros(n)
    y = signal + rng.normal(size=n)
    A[rng.random((n, h)) < missing] = np.nan
    return A, y


def quiet_table(A, y, **kwargs):
    """A table that must not warn of anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return check_and_test(A, y, **kwargs)


def warned_table(A, y, **kwargs):
    """A table, and its warnings as one string; no other kind may pass."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table, summary = check_and_test(A, y, **kwargs)
    assert {w.category for w in caught} <= {HypothesisWarning}
    return table, summary, "\n".join(str(w.message) for w in caught)


# Against independent references ---------------------------------------------------


def test_separation_is_welch():
    A, y = make_annotations(missing=0.1)
    table, _ = quiet_table(A, y, cov_type="HC3")
    for j, a in enumerate(A.T):
        one, zero = y[a == 1], y[a == 0]
        welch = stats.ttest_ind(one, zero, equal_var=False)
        row = table.iloc[j]
        assert row["separation"] == pytest.approx(one.mean() - zero.mean(), rel=1e-12)
        assert row["separation_se"] == pytest.approx(
            row["separation"] / welch.statistic, rel=1e-9
        )
        # no more degrees of freedom than if the spreads were known to be equal
        u, v, m, n = 1 / len(one), 1 / len(zero), len(one) - 1, len(zero) - 1
        df = min(welch.df, (u + v) ** 2 / (u**2 / m + v**2 / n))
        p = 2 * stats.t.sf(abs(welch.statistic), df)
        assert row["separation_p"] == pytest.approx(p, rel=1e-9)
        assert row["separation_df"] == pytest.approx(df, rel=1e-9)
        assert row["n"] == (~np.isnan(a)).sum()
        assert row["missing"] == np.isnan(a).sum()
        assert row["prevalence"] == pytest.approx(np.nanmean(a))


def test_separation_by_hand():
    A = [[1], [1], [1], [0], [0], [0], [0]]
    y = [3.0, 5.0, 4.0, 1.0, 2.0, 0.0, 1.0]
    table, _ = quiet_table(A, y, cov_type="HC3")
    assert table.loc[0, "separation"] == 3.0
    # variances 1 and 2/3 over 3 and 4 rows
    assert table.loc[0, "separation_se"] == pytest.approx(np.sqrt(1 / 3 + 1 / 6))
    assert table.loc[0, "prevalence"] == pytest.approx(3 / 7)
    table, _ = quiet_table(A, y)  # of 35 ways to choose three of seven, one is as far
    assert table.loc[0, "separation_p"] == pytest.approx(1 / 35, abs=0.02)


@pytest.mark.parametrize("cov_type", ["nonrobust", "HC3", "HC2"])
def test_joint_regression_is_statsmodels_ols_on_complete_cases(cov_type):
    A, y = make_annotations(missing=0.05)
    table, summary = quiet_table(A, y, cov_type=cov_type)
    complete = ~np.isnan(A).any(axis=1)
    assert 0 < complete.sum() < len(A)
    ols = sm.OLS(y[complete], sm.add_constant(A[complete])).fit(cov_type=cov_type)
    np.testing.assert_allclose(table["coef"], ols.params[1:], rtol=1e-9)
    np.testing.assert_allclose(table["coef_se"], ols.bse[1:], rtol=1e-9)
    t = stats.t(table["coef_df"])
    p = 2 * t.sf(np.abs(table["coef"] / table["coef_se"]))
    np.testing.assert_allclose(table["coef_p"], p, rtol=1e-9)
    half = t.ppf(0.975) * table["coef_se"]
    np.testing.assert_allclose(table["coef_lower"], table["coef"] - half, rtol=1e-9)
    np.testing.assert_allclose(table["coef_upper"], table["coef"] + half, rtol=1e-9)
    if cov_type == "nonrobust":
        np.testing.assert_allclose(table["coef_p"], ols.pvalues[1:], rtol=1e-7)
    else:  # fewer than n - p, for annotations that are not in every other row
        assert (table["coef_df"] < ols.df_resid - 1).all()
    assert summary["n_joint"] == complete.sum()
    assert summary["n_rows"] == len(A)


def test_r2_is_that_of_linear_regression_on_its_own_rows():
    A, y = make_annotations()
    _, summary = quiet_table(A, y)
    r2 = LinearRegression().fit(A, y).score(A, y)
    n, h = A.shape
    assert summary["r2"] == pytest.approx(r2, rel=1e-10)
    assert summary["r2_adjusted"] == pytest.approx(
        1 - (1 - r2) * (n - 1) / (n - h - 1), rel=1e-10
    )


def test_two_classes_are_a_logit_and_fishers_exact_test():
    A, latent = make_annotations(missing=0.02)
    y = np.where(latent > 0, "yes", "no")
    table, summary = quiet_table(A, y)
    assert summary["task"] == "classification"
    assert summary["classes"] == ("no", "yes")
    complete = ~np.isnan(A).any(axis=1)
    coded = (y == "yes").astype(float)
    logit = sm.Logit(coded[complete], sm.add_constant(A[complete])).fit(disp=0)
    np.testing.assert_allclose(table["coef"], logit.params[1:], rtol=1e-6)
    np.testing.assert_allclose(table["coef_se"], logit.bse[1:], rtol=1e-6)
    # what the penalized likelihood-ratio test does not reject: Wald's, in so many rows
    bounds = table[["coef_lower", "coef_upper"]]
    np.testing.assert_allclose(bounds, logit.conf_int()[1:], atol=0.05)
    excludes = (table["coef_lower"] > 0) | (table["coef_upper"] < 0)
    assert (excludes == (table["coef_p"] <= 0.05)).all()
    ratios = table[["odds_ratio", "odds_ratio_lower", "odds_ratio_upper"]]
    logs = table[["coef", "coef_lower", "coef_upper"]]
    np.testing.assert_allclose(np.log(ratios), logs)
    effects = logit.get_margeff(dummy=True)
    np.testing.assert_allclose(table["ame"], effects.margeff, rtol=1e-6)
    np.testing.assert_allclose(table["ame_se"], effects.margeff_se, rtol=1e-6)
    # penalized likelihood ratios: Wald's where p is moderate, in so many rows
    moderate = np.flatnonzero(logit.pvalues[1:] > 0.01)
    assert len(moderate) == 3
    np.testing.assert_allclose(
        table["coef_p"][moderate], logit.pvalues[1:][moderate], rtol=0.05
    )
    assert summary["pseudo_r2"] == pytest.approx(logit.prsquared)
    assert summary["roc_auc"] == pytest.approx(
        roc_auc_score(coded[complete], logit.predict())
    )
    for j, a in enumerate(A.T):
        one, zero = coded[a == 1], coded[a == 0]
        counts = [[(side == v).sum() for v in (0, 1)] for side in (one, zero)]
        assert table.loc[j, "separation"] == pytest.approx(one.mean() - zero.mean())
        p = stats.fisher_exact(counts).pvalue
        assert table.loc[j, "separation_p"] == pytest.approx(p)


def test_two_classes_by_hand():
    # a table of 3, 1 / 1, 3: p = (16 + 1 + 16 + 1) / C(8, 4) = 34 / 70
    A = np.array([[1, 1, 1, 1, 0, 0, 0, 0]]).T
    y = [1, 1, 1, 0, 1, 0, 0, 0]
    table, _ = quiet_table(A, y)
    assert table.loc[0, "separation"] == pytest.approx(0.5)
    assert table.loc[0, "separation_p"] == pytest.approx(34 / 70)
    # the logit of one binary regressor is the log odds ratio
    assert table.loc[0, "coef"] == pytest.approx(np.log(9))
    assert table.loc[0, "coef_se"] == pytest.approx(np.sqrt(1 / 3 + 1 + 1 + 1 / 3))


def test_more_classes_are_chi_square_and_score_tests():
    A, latent = make_annotations(n=600)
    y = np.array(["low", "mid", "top"])[np.digitize(latent, [-0.5, 0.8])]
    table, summary = quiet_table(A, y)
    full = sm.MNLogit(pd.factorize(y)[0], sm.add_constant(A)).fit(disp=0)
    for j in range(4):
        others = sm.add_constant(np.delete(A, j, axis=1))
        reduced = sm.MNLogit(pd.factorize(y)[0], others).fit(disp=0)
        p = stats.chi2.sf(2 * (full.llf - reduced.llf), 2)
        # a score test: the same but for terms of higher order
        if p > 1e-3:
            assert table.loc[j, "coef_p"] == pytest.approx(p, rel=0.5)
        else:
            assert table.loc[j, "coef_p"] < 1e-3
    assert summary["pseudo_r2"] == pytest.approx(full.prsquared)
    assert 0.5 < summary["roc_auc"] < 1
    assert table["coef"].isna().all()
    by_class = summary["by_class"]
    assert by_class["class"].tolist() == ["low", "mid", "top"] * 4
    np.testing.assert_allclose(
        by_class.groupby("hypothesis")["ame"].sum(), 0, atol=1e-12
    )
    first = by_class[by_class["hypothesis"] == "x0"]
    with_it, without = A.copy(), A.copy()
    with_it[:, 0], without[:, 0] = 1, 0
    effect = full.predict(sm.add_constant(with_it, has_constant="add")) - full.predict(
        sm.add_constant(without, has_constant="add")
    )
    order = pd.unique(y)  # the order of statsmodels' codes
    expected = pd.Series(effect.mean(axis=0), order)[["low", "mid", "top"]]
    np.testing.assert_allclose(first["ame"], expected, atol=1e-6)
    counts = pd.crosstab(A[:, 0], y)
    chi2 = stats.chi2_contingency(counts, correction=False)
    assert table.loc[0, "separation_p"] == pytest.approx(chi2.pvalue)
    shares = counts.div(counts.sum(axis=1), axis=0)
    differences = shares.loc[1.0] - shares.loc[0.0]
    assert table.loc[0, "separation_class"] == differences.abs().idxmax()
    largest = differences[differences.abs().idxmax()]
    assert table.loc[0, "separation"] == pytest.approx(largest)


def test_rare_cells_of_more_classes_are_exact_and_repeat():
    rng = np.random.default_rng(1)
    a = np.zeros((300, 1))
    a[:6] = 1
    y = rng.integers(0, 3, 300)
    y[:6] = [0, 0, 0, 0, 1, 2]
    first, _ = quiet_table(a, y, task="classification")
    second, _ = quiet_table(a, y, task="classification")
    assert first.loc[0, "separation_p"] == second.loc[0, "separation_p"]
    exact = stats.fisher_exact(pd.crosstab(a[:, 0], y).to_numpy()).pvalue
    assert first.loc[0, "separation_p"] == pytest.approx(exact, abs=0.1)


# Multiple tests -------------------------------------------------------------------


def test_bonferroni_counts_the_hypotheses():
    A, y = make_annotations()
    table, summary = quiet_table(A, y, alpha=0.1, correction="bonferroni")
    np.testing.assert_allclose(
        table["p_corrected"], np.minimum(4 * table["coef_p"], 1), rtol=1e-12
    )
    significant = table["coef_p"] < 0.1 / 4
    assert (table["significant"] == significant).all()
    assert summary["n_significant"] == significant.sum()
    assert summary["n_tested"] == 4
    assert summary["n_significant"] > 0


@pytest.mark.parametrize("correction", ["holm", "fdr_bh", "fdr_by"])
def test_other_corrections_are_those_of_statsmodels(correction):
    A, y = make_annotations(n=120)
    table, summary = quiet_table(A, y, correction=correction)
    expected = sm.stats.multipletests(table["coef_p"], alpha=0.1, method=correction)
    np.testing.assert_allclose(table["p_corrected"], expected[1])
    assert summary["correction"] == correction


def test_null_p_values_are_uniform_and_the_family_keeps_its_level():
    rng = np.random.default_rng(0)
    marginal, joint, families = [], [], 0
    for _ in range(100):
        A = (rng.random((150, 5)) < 0.3).astype(float)
        table, summary = quiet_table(A, rng.normal(size=150), alpha=0.1)
        marginal.append(table["separation_p"])
        joint.append(table["coef_p"])
        families += summary["n_significant"] > 0
    for p_values in (marginal, joint):
        assert stats.kstest(np.concatenate(p_values), "uniform").pvalue > 0.001
    # 100 families at level 0.1: 10 expected, 2 to 21 with probability 0.9990
    assert 2 <= families <= 21


def test_null_logits_keep_their_level():
    rng = np.random.default_rng(1)
    families = 0
    for _ in range(60):
        A = (rng.random((300, 5)) < 0.3).astype(float)
        _, summary = quiet_table(A, rng.random(300) < 0.4, alpha=0.1)
        families += summary["n_significant"] > 0
    assert families <= 15


# What cannot be tested ------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 1])
def test_constant_column(value):
    A, y = make_annotations()
    A[:, 1] = value
    table, summary, message = warned_table(A, y, names=NAMES)
    assert f"'mentions rain' (true of {400 * value} of 400)" in message
    assert "[1 of 4]" in message
    nan = ["separation", "separation_se", "separation_p", "coef", "coef_p"]
    assert table.loc[1, [*nan, "p_corrected"]].isna().all()
    assert not table.loc[1, "significant"]
    assert table.loc[1, "note"].startswith("never or always true")
    assert table.loc[1, "prevalence"] == value
    others, _ = quiet_table(A[:, [0, 2, 3]], y)
    np.testing.assert_allclose(table["coef"].dropna(), others["coef"])
    assert summary["n_tested"] == 3


def test_column_without_answers():
    A, y = make_annotations()
    A[:, 2] = np.nan
    table, summary, message = warned_table(A, y, names=NAMES)
    assert "without any answer" in message
    assert "'asks a question' (0 of 400)" in message
    assert table.loc[2, ["prevalence", "separation", "coef"]].isna().all()
    assert table.loc[2, "missing"] == 400
    assert summary["n_joint"] == 400


def test_duplicates_are_counted_once():
    A, y = make_annotations()
    twins = np.column_stack([A, A[:, 0]])
    names = [*NAMES, "talks of tea"]
    table, summary, message = warned_table(twins, y, names=names)
    assert "'talks of tea' (the same as 'mentions tea')" in message
    alone, _ = quiet_table(A, y)
    np.testing.assert_allclose(table["coef"][:4], alone["coef"])
    np.testing.assert_allclose(table["p_corrected"][:4], alone["p_corrected"])
    assert np.isnan(table.loc[4, "coef_p"])
    assert table.loc[4, "separation_p"] == table.loc[0, "separation_p"]
    assert summary["n_tested"] == 4
    assert table.loc[4, "note"] == "duplicate (the same as 'mentions tea')"


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_linear_combinations_are_named(task):
    A, y = make_annotations()
    A[:, 3] = 1 - A[:, 0]
    y = y > 0 if task == "classification" else y
    table, summary, message = warned_table(A, y, names=NAMES)
    assert "'is long' (determined by 'mentions tea')" in message
    assert np.isnan(table.loc[3, "coef"])
    assert table.loc[:2, "coef_p"].notna().all()
    assert summary["n_tested"] == 3


def test_combination_of_two():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 200)
    A = np.column_stack([group == 0, rng.random(200) < 0.5, group == 1, group == 2])
    _, _, message = warned_table(A, rng.normal(size=200), names=NAMES)
    assert "'is long' (determined by 'mentions tea', 'asks a question')" in message


@pytest.mark.parametrize("n_classes", [2, 3])
def test_perfect_predictor(n_classes):
    A, _ = make_annotations()
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_classes, len(A))
    A[:, 1] = y == 1
    table, summary, message = warned_table(A, y, names=NAMES, task="classification")
    assert ("separate the classes" if n_classes == 2 else "never meet") in message
    assert "'mentions rain' (400 rows)" in message
    assert table.loc[1, "separation"] == 1.0
    assert table.loc[1, "separation_p"] < 1e-3
    assert table.loc[1, "p_corrected"] < 1e-6
    assert table.loc[1, "significant"]
    assert table.loc[1, "ame"] == pytest.approx(1, abs=0.02)
    assert (table.loc[[0, 2, 3], "p_corrected"] > 0.05).all()
    assert summary["n_tested"] == summary["n_joint_hypotheses"] == 4
    if n_classes == 2:
        assert table.loc[1, "method"] == "Firth logit"
        assert 5 < table.loc[1, "coef_lower"] < table.loc[1, "coef"] < 20
        assert table.loc[1, "coef"] < table.loc[1, "coef_upper"] < np.inf


def test_firth_estimates_of_a_separated_table_by_hand():
    # for a saturated model Firth's penalty adds 1/2 to every cell
    A = np.repeat([1.0, 0.0], [10, 30])[:, None]
    y = np.repeat([1, 1, 0], [10, 12, 18])
    table, _, _ = warned_table(A, y)
    expected = np.log((10.5 / 0.5) / (12.5 / 18.5))
    assert table.loc[0, "coef"] == pytest.approx(expected, rel=1e-6)
    assert table.loc[0, "coef_lower"] < expected < table.loc[0, "coef_upper"]


def test_empty_cell_is_quasi_separation():
    A, y = make_annotations()
    y = y > 0
    A[:, 2] = 0
    A[np.flatnonzero(y)[:12], 2] = 1
    table, _, message = warned_table(A, y, names=NAMES)
    assert "'asks a question' (400 rows)" in message
    assert 0 < table.loc[2, "coef"] < 10
    assert 0 < table.loc[2, "coef_p"] < 0.05
    assert 0 < table.loc[2, "separation_p"] < 0.05
    kept = [0, 1, 3]
    logit = sm.Logit(y.astype(float), sm.add_constant(A[:, kept])).fit(disp=0)
    np.testing.assert_allclose(table.loc[kept, "coef"], logit.params[1:], atol=0.1)


def test_separation_by_two_columns_together():
    # a + b = 2 settles the class, neither does alone, and c is innocent
    rng = np.random.default_rng(3)
    A = (rng.random((300, 3)) < 0.5).astype(float)
    total = A[:, 0] + A[:, 1]
    y = np.where(total == 2, 1, np.where(total == 0, 0, rng.integers(0, 2, 300)))
    table, summary, message = warned_table(A, y, names=NAMES[:3])
    assert "'mentions tea'" in message
    assert "'mentions rain'" in message
    assert "'asks a question'" not in message
    assert table["significant"].tolist() == [True, True, False]
    assert np.isfinite(table["coef"]).all()
    assert summary["n_tested"] == 3


def test_few_rows_of_many_columns_separate_and_say_so():
    rng = np.random.default_rng(0)
    A = (rng.random((20, 12)) < 0.5).astype(float)
    y = np.arange(20) % 2
    table, summary, message = warned_table(A, y)
    assert "separate" in message
    assert np.isfinite(table["coef"]).all()
    assert (table["coef"].abs() < 50).all()
    assert summary["n_tested"] == 12
    assert not table["significant"].any()


def test_not_converged_logit_is_named(monkeypatch):
    from sklearn_hypo._inference import _firth

    monkeypatch.setattr(_firth, "_MAX_ITERATIONS", 0)
    monkeypatch.setattr(
        _firth, "_quasi_newton", lambda rows, beta, state, *rest: (beta, state, False)
    )
    A, y = make_annotations()
    for codes in (y > 0, np.digitize(y, [-0.5, 0.5])):
        table, summary, message = warned_table(
            A, codes, names=NAMES, task="classification"
        )
        assert "did not converge" in message
        assert table["coef_p"].isna().all()
        assert "roc_auc" not in summary
        assert (summary["cov_type"], set(table["method"])) == ("", {""})
        assert summary["n_tested"] == 4


@pytest.mark.parametrize(
    "target", [np.full(400, 2.5), np.tile([0.1 + 0.2, 0.3], 200), np.zeros(400)]
)
def test_constant_quantity(target):
    A, _ = make_annotations()
    table, summary, message = warned_table(A, target, task="regression")
    assert "y takes a single value on all 400 rows" in message
    assert table[["separation_se", "separation_p"]].isna().all(axis=None)
    assert table[["coef", "coef_p"]].isna().all(axis=None)
    assert "r2" not in summary
    assert summary["n_tested"] == 0


@pytest.mark.parametrize("classes", [["a", "b"], ["a", "b", "c"]])
def test_single_class_of_known_ones(classes):
    A, _ = make_annotations()
    table, _, message = warned_table(A, ["b"] * 400, classes=classes)
    assert "single value" in message
    assert table[["separation_p", "coef_p"]].isna().all(axis=None)
    assert (table["separation"] == 0).all()


def test_absent_class_of_three_known_ones():
    A, y = make_annotations()
    labels = np.where(y > 0, "b", "a")
    table, summary = quiet_table(A, labels, classes=["a", "b", "c"])
    assert summary["classes"] == ("a", "b", "c")
    assert table["separation_p"].between(0, 1).all()
    two, _ = quiet_table(A, labels)
    np.testing.assert_allclose(table["separation_p"], two["separation_p"])


def test_a_constant_hypothesis_separates_no_classes():
    A, y = make_annotations()
    A[:, 1], A[:, 2] = 0, 1
    table, summary, message = warned_table(
        A, np.digitize(y, [-0.5, 0.5]), names=NAMES, task="classification"
    )
    assert "[2 of 4]" in message
    assert table["separation_p"].isna().tolist() == [False, True, True, False]
    by_class = summary["by_class"].set_index("hypothesis")["separation"]
    assert by_class[NAMES[1:3]].isna().all()
    assert by_class[NAMES[::3]].notna().all()


def test_one_value_on_a_side_has_no_welch_test():
    rng = np.random.default_rng(0)
    A = np.zeros((300, 2))
    A[:30, 0] = 1
    A[:, 1] = rng.random(300) < 0.5
    y = rng.normal(size=300)
    y[:30] = 5.0
    for scale in (1e-3, 1.0):  # the note does not hang on the unit
        table, _, message = warned_table(A, scale * y, names=NAMES[:2], cov_type="HC3")
        assert "no standard error of the separation" in table.loc[0, "note"]
    assert "'mentions tea' (true of 30 of 300)" in message
    assert table.loc[0, ["separation_se", "separation_p"]].isna().all()
    assert table.loc[0, "separation"] == pytest.approx(5.0 - y[30:].mean())
    assert 0 <= table.loc[0, "coef_p"] < 0.01
    assert table.loc[1, "coef_p"] > 0
    # by permutations the spread of the other side counts
    table, _ = quiet_table(A, y, names=NAMES[:2])
    assert table.loc[0, "separation_p"] == 0.001


@pytest.mark.parametrize("kind", ["quantity", "classes", "pairs", "groups"])
def test_what_rests_on_too_few_texts_is_not_tested(kind):
    rng = np.random.default_rng(0)
    A = (rng.random((300, 2)) < 0.4).astype(float)
    A[:, 0] = 0
    A[:2, 0] = 1
    y, given, reason = rng.normal(size=300), {}, "true of 2 of 300"
    if kind == "classes":
        y = y > 0
    elif kind == "pairs":
        A[:6:2, 0] = 1
        given["pairs"] = np.repeat(np.arange(150), 2)
        reason = "differs in 2 of 150 pairs: p is at least 0.5"
    elif kind == "groups":
        A[:20, 0] = 1
        given["groups"] = np.repeat(np.arange(30), 10)
        reason = "true of 20 of 300, 2 of 30 groups behind it"
    y[:2] = y.max()  # whatever it is
    table, summary, message = warned_table(A, y, names=NAMES[:2], **given)
    assert table.loc[0, "note"].startswith(f"too few texts to test ({reason}")
    assert "[1 of 2]: 'mentions tea'" in message
    assert table.loc[0, ["separation_p", "coef", "coef_p"]].isna().all()
    assert not np.isnan(table.loc[0, "separation"])
    assert table.loc[1, ["separation_p", "coef_p"]].notna().all()
    assert summary["n_tested"] == 1


def test_eight_groups_are_enough_and_five_are_not():
    rng = np.random.default_rng(0)
    A = (rng.random((400, 20)) < 0.4).astype(float)
    y = A[:, 0] + 0.5 * rng.normal(size=400)
    table, summary = quiet_table(A, y, groups=np.arange(400) % 8, alpha=0.05)
    assert summary["n_tested"] == 20
    assert table["significant"].tolist() == [True] + [False] * 19
    table, summary, _ = warned_table(A, y, groups=np.arange(400) % 5, alpha=0.05)
    assert summary["n_tested"] == 0
    assert "5 of 5 groups behind it, 6 groups are needed" in table.loc[0, "note"]


def test_few_equal_labels_are_no_certainty():
    # three texts, all of the class with share 0.3: Welch would say p < 1e-30
    y = np.tile([1, 0, 0, 1, 0, 0, 0, 1, 0, 0], 50)
    A = np.zeros((500, 1))
    A[[0, 10, 20]] = 1
    table, _, _ = warned_table(A, y)
    assert table.loc[0, "separation_p"] == pytest.approx(0.027, abs=0.003)


def test_exact_linear_target():
    A, _ = make_annotations()
    table, summary, message = warned_table(A, 2 * A[:, 0] - A[:, 1])
    assert "exact linear function" in message
    np.testing.assert_allclose(table["coef"], [2, -1, 0, 0], atol=1e-9)
    assert table[["coef_se", "coef_p"]].isna().all(axis=None)
    assert summary["r2"] == pytest.approx(1)
    assert summary["n_significant"] == 0


def test_too_few_rows_for_the_joint_regression():
    A, y = make_annotations(n=8)
    A = np.array([[(i >> k) & 1 for k in range(3)] for i in range(8)], dtype=float)
    A = np.column_stack(
        [
            A,
            A[:, :3] @ [1, 1, 1] % 2,
            *(A[:, i] != A[:, k] for i, k in [(0, 1), (0, 2), (1, 2)]),
        ]
    )
    table, summary, message = warned_table(A, y, alpha=0.2)
    assert "The joint regression was not run: 8 of 8 rows" in message
    assert "more than 8 are needed" in message
    assert table["coef"].isna().all()
    assert summary["n_tested"] == 0


def test_single_row():
    table, summary, message = warned_table([[1.0, 0.0]], [2.0], names=NAMES[:2])
    assert "'mentions tea' (true of 1 of 1)" in message
    assert summary["n_joint"] == 0
    assert len(table) == 2


def test_no_hypotheses():
    table, summary, message = warned_table(np.empty((10, 0)), np.arange(10.0))
    assert len(table) == 0
    assert "No hypothesis can be in the joint regression" in message
    assert summary["n_tested"] == 0


def test_missing_answers_that_cost_most_rows_are_named():
    A, y = make_annotations()
    A[:300, 2] = np.nan
    table, summary, message = warned_table(A, y, names=NAMES)
    assert "Only 100 of 400 rows" in message
    assert "'asks a question' (300)" in message
    assert summary["n_joint"] == 100
    assert table.loc[0, "n"] == 400


def test_column_constant_on_complete_rows_costs_no_rows():
    A, y = make_annotations()
    A[:, 0] = np.nan
    A[:12, 0] = [1] * 6 + [0] * 6
    A[6:12, 1] = np.nan
    table, summary, message = warned_table(A, y, names=NAMES)
    assert "'mentions tea' (6 rows)" in message
    assert summary["n_joint"] == 394
    assert np.isnan(table.loc[0, "coef"])
    assert table.loc[0, "separation_p"] > 0


def test_missing_is_never_no():
    A, y = make_annotations()
    A[A[:, 0] == 0, 0] = np.nan
    table, _, message = warned_table(A, y, names=NAMES)
    assert "hold for every answered text" in message
    assert table.loc[0, "prevalence"] == 1.0
    assert np.isnan(table.loc[0, "separation"])


# Bad input ------------------------------------------------------------------------


def test_other_values_are_refused():
    A, y = make_annotations()
    A[0, 0] = 0.7
    with pytest.raises(ValueError, match=r"1, 0 or NaN, but 1 others.*such as 0\.7"):
        check_and_test(A, y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ["one"]}, "1 names for 4 columns"),
        ({"y": np.r_[np.nan, np.zeros(399)]}, "y contains NaN: 1 of 400"),
        ({"y": np.r_[np.inf, np.arange(399)]}, "infinity"),
        (
            {"y": ["a"] * 399 + ["z"], "classes": ["a", "b"]},
            r"not there in fit: \['z'\]",
        ),
        ({"y": ["a"] * 399 + [None], "classes": ["a", "b"]}, "1 of 400 target values"),
        ({"y": None, "classes": ["a", "b"]}, "requires y"),
    ],
)
def test_bad_input(change, message):
    A, y = make_annotations()
    with pytest.raises(ValueError, match=message):
        check_and_test(**{"A": A, "y": y, **change})


def test_containers():
    A, y = make_annotations(missing=0.05)
    frame = pd.DataFrame(A, columns=NAMES, index=pd.Index(["same"] * 400, name="text"))
    expected, _ = quiet_table(A, y, names=NAMES)
    found, _ = quiet_table(frame, pd.Series(y, index=range(400, 800)))
    pd.testing.assert_frame_equal(found, expected)
    nullable, _ = quiet_table(frame.astype("Float64"), list(y))
    pd.testing.assert_frame_equal(nullable, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\n lines\t", "two lines"),
        ("lone \ud800", "lone \\ud800"),
        ("bell \x07 and \x1b[31m", "bell \\x07 and \\x1b[31m"),
        ("right-to-left \u202e", "right-to-left \\u202e"),
        ("👩\u200d🔬 😀", "👩\u200d🔬 😀"),
    ],
)
def test_printable(text, expected):
    assert to_printable(text) == expected
