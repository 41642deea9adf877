import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from sklearn import linear_model, metrics, model_selection

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._inference._design import Design
from sklearn_hypo._inference._length import compute_length_p

WORDS = ["tea", "rain", "snow", "wind"]


def make_rows(n=500, seed=0, *, of_length=0.8):
    """Texts of which the length moves y; the first hypothesis goes with length."""
    rng = np.random.default_rng(seed)
    n_words = rng.integers(2, 60, n)
    texts = [" ".join(rng.choice(WORDS, k)) + "!" for k in n_words]
    length = np.log1p(n_words)
    A = (rng.random((n, 4)) < 0.4).astype(float)
    A[:, 0] = rng.random(n) < 1 / (1 + np.exp(-2 * (length - 3)))
    y = of_length * length + 0.7 * A[:, 1] + rng.normal(size=n)
    return A, y, texts, length, rng


def evaluate(A, y, texts, **given):
    # texts of four words are hard to tell from each other
    given |= {"near_duplicates": "ignore", "n_resamples": 0, "ngrams": False}
    given = {"correction": "holm", "alpha": 0.1} | given
    return evaluate_annotations(A, y, texts=texts, **given)


def figures_of(report):
    return report.overall.set_index("name")


def test_length_beside_the_figures_of_a_quantity():
    A, y, texts, length, _ = make_rows(of_length=0.3)
    report = evaluate(A, y, texts)
    row = figures_of(report).loc["r2_length"]
    folds = model_selection.KFold(5, shuffle=True, random_state=0)
    model = linear_model.LinearRegression()
    found = model_selection.cross_val_predict(model, length[:, None], y, cv=folds)
    assert row["value"] == pytest.approx(metrics.r2_score(y, found))
    p = sm.OLS(y, sm.add_constant(length)).fit(cov_type="HC3", use_t=True).pvalues[1]
    shown = float(row["description"].split("p-value ")[1])
    # t with Satterthwaite's degrees of freedom, of which there are many here
    assert np.log10(shown) == pytest.approx(np.log10(p), rel=0.1)


def test_coefficients_with_length_held_fixed_are_those_of_a_covariate():
    A, y, texts, length, _ = make_rows()
    report = evaluate(A, y, texts)
    table = report.table
    given = evaluate(A, y, None, covariates=length)
    for end in ("", "_lower", "_upper", "_p"):
        np.testing.assert_allclose(
            table[f"coef_length_fixed{end}"], given.table[f"coef{end}"], rtol=1e-6
        )
    np.testing.assert_allclose(
        table["coef_length_fixed_p_corrected"], given.table["p_corrected"], rtol=1e-6
    )
    X = sm.add_constant(np.column_stack([A, length]))
    fit = sm.OLS(y, X).fit(cov_type="HC3")
    np.testing.assert_allclose(table["coef_length_fixed"], fit.params[1:5], rtol=1e-8)
    # significant through the length alone, and no longer beside it
    assert table["significant"].tolist()[:2] == [True, True]
    fixed = table["coef_length_fixed_p_corrected"] <= report.alpha
    assert fixed.tolist()[:2] == [False, True]


def test_two_classes():
    A, y, texts, length, _ = make_rows()
    y = (y > np.median(y)).astype(int)
    report = evaluate(A, y, texts)
    row = figures_of(report).loc["roc_auc_length"]
    folds = list(
        model_selection.StratifiedKFold(5, shuffle=True, random_state=0).split(y, y)
    )
    areas = [metrics.roc_auc_score(y[test], length[test]) for _, test in folds]
    assert row["value"] == pytest.approx(np.mean(areas))
    fit = sm.Logit(y, sm.add_constant(np.column_stack([A, length]))).fit(disp=0)
    np.testing.assert_allclose(
        report.table["coef_length_fixed"], fit.params[1:5], rtol=1e-5
    )
    alone = sm.Logit(y, sm.add_constant(length)).fit(disp=0)
    ratio = 2 * (alone.llf - alone.llnull)
    shown = float(row["description"].split("p-value ")[1])
    assert np.log10(shown) == pytest.approx(
        np.log10(stats.chi2.sf(ratio, 1)), rel=0.1
    )  # a penalized likelihood ratio


@pytest.mark.parametrize("kind", ["three", "pairs", "groups", "covariates"])
def test_whatever_accompanies_the_rows(kind):
    A, y, texts, length, rng = make_rows(600)
    given, beside, metric = {}, {}, "r2"
    covariates = {"covariates": length}
    if kind == "three":
        y, metric = np.digitize(y, np.quantile(y, [0.3, 0.7])), "roc_auc"
        given["task"] = "classification"
    elif kind == "pairs":
        given["pairs"] = np.repeat(np.arange(300), 2)
    elif kind == "groups":
        given["groups"] = np.repeat(np.arange(60), 10)
    else:
        z = rng.normal(size=600)
        beside["covariates"] = z
        covariates = {"covariates": np.column_stack([z, length])}
    report = evaluate(A, y, texts, **given, **beside)
    assert f"{metric}_length" in figures_of(report).index
    expected = evaluate(A, y, None, **given, **covariates).table
    for end in ("", "_lower", "_upper", "_p"):
        np.testing.assert_allclose(
            report.table[f"coef_length_fixed{end}"], expected[f"coef{end}"], rtol=1e-5
        )


def test_length_that_predicts_nothing_is_not_mentioned():
    A, y, texts, _, _ = make_rows(of_length=0.0)
    for given in (texts, None, ["four words in all"] * 500):
        report = evaluate(A, y, given)
        assert "r2_length" not in figures_of(report).index
        assert not report.table.columns.str.startswith("coef_length").any()


def test_chance_finds_length_as_often_as_the_level_says():
    p = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        length = np.log1p(rng.integers(2, 60, 80))
        y = rng.normal(size=80) * length**2  # the spread grows with the length
        p.append(compute_length_p(length, y, None, Design(), cov_type="auto"))
    assert stats.binomtest(int(np.sum(np.array(p) <= 0.1)), 300, 0.1).pvalue > 0.01


def test_hypotheses_that_earlier_reports_tested_count_beside_length_too():
    A, y, texts, _, _ = make_rows()
    first = evaluate(A, y, texts, names=["a", "b", "c", "d"])
    again = evaluate(A[:, :3], y, texts, names=["a", "b", "c"], previous=first)
    table = again.table
    ordered = table.sort_values("coef_length_fixed_p").iloc[0]
    assert ordered["coef_length_fixed_p_corrected"] == pytest.approx(
        4 * ordered["coef_length_fixed_p"]
    )
