"""Overall figures: cross-fitting, bootstrap, permutations, what a report keeps."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import cross_val_predict

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._inference._overall import make_folds, predict_cross_fitted
from sklearn_hypo._inference._resampling import (
    auc_scores,
    bootstrap_interval,
    concordance_scores,
    r2_scores,
    scorer,
)
from sklearn_hypo._report._evidence import collect_details
from sklearn_hypo._report._provenance import hash_values
from sklearn_hypo.exceptions import HypothesisWarning


def make_rows(n=300, h=4, seed=0):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, h)) < 0.3).astype(float)
    return A, A[:, 0] - 0.5 * A[:, 1] + rng.normal(size=n), rng


def figures_of(report):
    return report.overall.set_index("name")


# Scores ---------------------------------------------------------------------------


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, predicted = rng.normal(size=(2, 200))
    predicted = np.round(predicted, 1)  # ties
    weights = rng.integers(0, 3, size=(4, 200)).astype(float)
    for row, r2, auc in zip(
        weights,
        r2_scores(y, predicted, weights),
        auc_scores(y > 0, predicted, weights),
        strict=True,
    ):
        assert r2 == pytest.approx(r2_score(y, predicted, sample_weight=row))
        expected = roc_auc_score(y > 0, predicted, sample_weight=row)
        assert auc == pytest.approx(expected)


def test_concordance_by_hand():
    difference = np.array([1.0, -1, 1, 1])
    predicted = np.array([0.5, 0.5, 0.0, 2])  # right, wrong, a tie, right
    weights = np.array([[1.0, 1, 1, 1], [0, 1, 0, 0]])
    np.testing.assert_allclose(
        concordance_scores(difference, predicted, weights), [2.5 / 4, 0]
    )


def test_a_score_without_variance_is_nan():
    ones = np.ones((1, 5))
    assert np.isnan(r2_scores(np.full(5, 3.3), np.arange(5.0), ones))
    assert np.isnan(auc_scores(np.ones(5, dtype=bool), np.arange(5.0), ones))


def test_cross_fitting_is_cross_val_predict():
    A, y, _ = make_rows()
    folds = make_folds(y, None, None, 0)
    expected = cross_val_predict(LinearRegression(), A, y, cv=folds)
    found = predict_cross_fitted(A, y, None, folds)
    np.testing.assert_allclose(found[:, 0], expected)
    codes = (y > 0).astype(int)
    folds = make_folds(codes, 2, None, 0)
    expected = cross_val_predict(
        LogisticRegression(max_iter=1000),
        A,
        codes,
        cv=folds,
        method="decision_function",
    )
    np.testing.assert_allclose(predict_cross_fitted(A, codes, 2, folds)[:, 0], expected)


def test_cross_fitted_classes_are_probabilities():
    rng = np.random.default_rng(0)
    A = (rng.random((400, 5)) < 0.4).astype(float)
    codes = np.digitize(A @ [1, -1, 0.5, 0, 0] + rng.normal(size=400), [-0.4, 0.6])
    folds = make_folds(codes, 3, None, 0)
    expected = cross_val_predict(
        LogisticRegression(max_iter=1000), A, codes, cv=folds, method="predict_proba"
    )
    found = predict_cross_fitted(A, codes, 3, folds)
    np.testing.assert_allclose(found, expected)
    score = scorer(codes, found, 3)(np.ones((1, 400)))[0]
    assert score == pytest.approx(roc_auc_score(codes, expected, multi_class="ovr"))


@pytest.mark.parametrize("n_classes", [None, 3])
def test_folds_keep_groups_whole(n_classes):
    rng = np.random.default_rng(0)
    clusters = rng.integers(0, 30, 400)
    y = rng.integers(0, 3, 400)
    folds = make_folds(y, n_classes, clusters, 0)
    assert len(folds) == 5
    for train, test in folds:
        assert not set(clusters[train]) & set(clusters[test])
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(400))


def test_as_many_folds_as_the_rarest_class_has_rows():
    for n_rare, n_folds in ((1, 0), (2, 2), (3, 3), (6, 5)):
        y = (np.arange(40) < n_rare).astype(int)
        assert len(make_folds(y, 2, None, 0)) == n_folds
    assert len(make_folds(np.arange(2.0), None, None, 0)) == 2


def test_noise_predicts_nothing():
    """The mean over runs, at 200 rows, where fit and score on the same rows flatter."""
    rng = np.random.default_rng(0)
    r2, auc, flattering = [], [], []
    for _ in range(60):
        A = (rng.random((200, 20)) < 0.3).astype(float)
        y = rng.normal(size=200)
        folds = make_folds(y, None, None, 0)
        ones = np.ones((1, 200))
        r2.append(scorer(y, predict_cross_fitted(A, y, None, folds), None)(ones)[0])
        flattering.append(LinearRegression().fit(A, y).score(A, y))
        codes = (y > 0).astype(int)
        folds = make_folds(codes, 2, None, 0)
        predicted = predict_cross_fitted(A, codes, 2, folds)
        auc.append(scorer(codes, predicted, 2, folds=folds)(ones)[0])
    assert np.mean(r2) < 0
    assert np.mean(flattering) > 0.08
    assert np.mean(auc) == pytest.approx(0.5, abs=0.02)


# Bootstrap and permutations ---------------------------------------------------------


def test_bootstrap_of_a_mean_has_its_standard_error():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    lower, upper = bootstrap_interval(
        lambda w: w @ x / w.sum(axis=1), 400, np.random.default_rng(1), 999
    )
    half = 1.96 * x.std() / 20
    assert (upper - lower) / 2 == pytest.approx(half, rel=0.1)
    assert (upper + lower) / 2 == pytest.approx(x.mean(), abs=0.02)


def test_bootstrap_draws_whole_groups():
    x = np.repeat(np.random.default_rng(0).normal(size=40), 10)
    clusters = np.repeat(np.arange(40), 10)
    lower, upper = bootstrap_interval(
        lambda w: w @ x / w.sum(axis=1),
        400,
        np.random.default_rng(1),
        999,
        clusters=clusters,
    )
    half = 1.96 * x.std() / np.sqrt(40)
    assert (upper - lower) / 2 == pytest.approx(half, rel=0.15)


def test_no_resamples_no_interval():
    A, y, _ = make_rows()
    report = evaluate_annotations(A, y, n_resamples=0)
    assert np.isnan(report.permutation_p)
    assert report.overall[["lower", "upper"]].isna().all(axis=None)
    assert np.isfinite(report.overall["value"]).all()


def test_permutations_find_what_is_there():
    A, y, _ = make_rows()
    report = evaluate_annotations(A, y, n_resamples=199)
    assert report.permutation_p == pytest.approx(1 / 200)


def test_covariates_are_not_the_hypotheses_merit():
    rng = np.random.default_rng(0)
    age = rng.normal(size=400)
    A = (rng.random((400, 2)) < 1 / (1 + np.exp(-2 * age))[:, None]).astype(float)
    y = age + 0.3 * rng.normal(size=400)
    raw = evaluate_annotations(A, y, n_resamples=199)
    adjusted = evaluate_annotations(A, y, covariates=age, n_resamples=199)
    assert raw.permutation_p == pytest.approx(1 / 200)
    assert adjusted.permutation_p > 0.05


# What covariates and fixed effects explain ----------------------------------------


def random_beside_a_covariate(n=400):
    rng = np.random.default_rng(0)
    z = rng.normal(size=n)
    A = (rng.random((n, 3)) < 0.4).astype(float)
    return A, z, 3 * z + rng.normal(size=n), rng


def test_r2_of_hypotheses_is_what_they_add_to_covariates():
    A, z, y, rng = random_beside_a_covariate()
    w = rng.uniform(0.5, 2, len(y))
    report = evaluate_annotations(
        A, y, covariates=z, sample_weight=w, n_resamples=99, random_state=0
    )
    whole = sm.WLS(y, sm.add_constant(np.column_stack([A, z])), weights=w).fit()
    alone = sm.WLS(y, sm.add_constant(z), weights=w).fit()
    assert alone.rsquared > 0.85
    figures = figures_of(report)
    assert report.r2 == pytest.approx(whole.rsquared - alone.rsquared)
    assert report.r2_adjusted == pytest.approx(
        whole.rsquared_adj - alone.rsquared_adj, abs=1e-12
    )
    assert abs(report.r2) < 0.01
    assert abs(report.r2_adjusted) < 0.01
    assert figures.loc["r2_covariates", "value"] == pytest.approx(alone.rsquared)
    for name in ("r2", "r2_adjusted", "r2_covariates"):
        assert "covariates" in figures.loc[name, "description"]
    value, lower, upper, _ = figures.loc["r2_covariates"]
    assert 0.8 < lower <= value <= upper
    # noise alone lifts what is fitted and scored on the same rows
    in_sample = figures.loc[["r2", "r2_adjusted"], ["lower", "upper"]]
    assert in_sample.isna().all(axis=None)
    assert "by the hypotheses alone, without" in figures.loc["r2_cross_fitted"].iloc[-1]
    assert str(report).count("added to that of the covariates") == 2


@pytest.mark.parametrize("groups", [False, True])
def test_fixed_effects_are_not_the_hypotheses_merit(groups):
    """Whether they are columns or absorbed, R² is a share of all variation."""
    A, _, _, rng = random_beside_a_covariate()
    level = np.arange(400) // 20
    y = A[:, 0] + rng.normal(size=20)[level] * 3 + rng.normal(size=400)
    report = evaluate_annotations(
        A, y, fixed_effects=level, groups=level if groups else None, n_resamples=0
    )
    dummies = pd.get_dummies(level, dtype=float).to_numpy()
    whole, alone = sm.OLS(y, np.column_stack([A, dummies])).fit(), sm.OLS(y, dummies)
    alone = alone.fit()
    assert report.r2 == pytest.approx(whole.rsquared - alone.rsquared)
    assert report.r2_adjusted == pytest.approx(whole.rsquared_adj - alone.rsquared_adj)
    figures = figures_of(report)
    assert figures.loc["r2_covariates", "value"] == pytest.approx(alone.rsquared)
    assert "of the fixed effects alone" in figures.loc["r2_covariates", "description"]


@pytest.mark.parametrize("kind", ["two", "three", "pairs"])
def test_scores_of_classes_are_what_hypotheses_add_to_covariates(kind):
    A, z, y, rng = random_beside_a_covariate(600)
    given = {}
    if kind == "pairs":
        given["pairs"] = np.repeat(np.arange(300), 2)
        codes = (y > y[np.arange(600) ^ 1]).astype(int)
        D, dz, won = A[::2] - A[1::2], (z[::2] - z[1::2])[:, None], codes[::2]
        fits = [sm.Logit(won, X).fit(disp=0) for X in (dz, np.column_stack([dz, D]))]
        areas = [np.mean((fit.predict() > 0.5) == won) for fit in fits]
        pseudo = [1 - fit.llf / (300 * np.log(0.5)) for fit in fits]
    else:
        codes = np.digitize(
            y + 4 * rng.normal(size=600), [0.0] if kind == "two" else [-2, 2]
        )
        X = sm.add_constant(np.column_stack([z, A]))
        model = sm.Logit if kind == "two" else sm.MNLogit
        fits = [model(codes, X[:, :k]).fit(disp=0) for k in (2, 5)]
        areas = [roc_auc_score(codes, fit.predict(), multi_class="ovr") for fit in fits]
        pseudo = [fit.prsquared for fit in fits]
    report = evaluate_annotations(
        A, codes, task="classification", covariates=z, n_resamples=99, **given
    )
    figures = figures_of(report)
    assert areas[0] > 0.7
    assert figures.loc["roc_auc_covariates", "value"] == pytest.approx(
        areas[0], abs=1e-4
    )
    assert report.roc_auc == pytest.approx(areas[1] - areas[0], abs=1e-4)
    assert figures.loc["pseudo_r2_covariates", "value"] == pytest.approx(pseudo[0])
    assert report.pseudo_r2 == pytest.approx(pseudo[1] - pseudo[0], abs=1e-6)
    assert figures.loc["roc_auc", "lower"] < 0.03
    assert figures.loc["roc_auc_covariates", "lower"] > 0.6


# The report -----------------------------------------------------------------------


def test_figures_of_a_report():
    A, y, rng = make_rows()
    embeddings = np.column_stack([A, rng.normal(size=(300, 5))])
    report = evaluate_annotations(A, y, embeddings=embeddings, n_resamples=199)
    figures = figures_of(report)
    assert figures.index.tolist() == [
        "r2",
        "r2_adjusted",
        "r2_cross_fitted",
        "r2_embeddings",
    ]
    assert figures.loc["r2", "value"] == report.r2
    assert figures.iloc[:2][["lower", "upper"]].isna().all(axis=None)
    others = figures.iloc[2:]
    assert (others["lower"] < others["value"]).all()
    assert (others["value"] < others["upper"]).all()
    assert report.r2 > figures.loc["r2_cross_fitted", "value"] > 0
    again = evaluate_annotations(A, y, embeddings=embeddings, n_resamples=199)
    pd.testing.assert_frame_equal(again.overall, report.overall)
    other = evaluate_annotations(
        A, y, embeddings=embeddings, n_resamples=199, random_state=1
    )
    assert not other.overall.equals(report.overall)


@pytest.mark.parametrize("kind", ["two", "three", "pairs"])
def test_figures_of_classes(kind):
    A, y, rng = make_rows(n=600)
    given = {}
    if kind == "pairs":
        given["pairs"] = np.repeat(np.arange(300), 2)
        y = (y > y[np.arange(600) ^ 1]).astype(int)
    else:
        y = np.digitize(y, [0.0] if kind == "two" else [-0.5, 0.5])
    report = evaluate_annotations(
        A,
        y,
        task="classification",
        embeddings=A + 0.1 * rng.normal(size=A.shape),
        n_resamples=99,
        **given,
    )
    figures = figures_of(report)
    for name in ("roc_auc", "roc_auc_cross_fitted", "roc_auc_embeddings"):
        assert 0.55 < figures.loc[name, "value"] < 0.85
    for name in ("roc_auc", "roc_auc_cross_fitted", "roc_auc_embeddings"):
        row = figures.loc[name]
        assert row["lower"] < row["value"] < row["upper"]
    word = "pairs ranked rightly" if kind == "pairs" else "ROC AUC"
    assert word in row["description"]


def test_missing_answers_have_bounds():
    A, y, rng = make_rows()
    A[rng.random(A.shape) < 0.1] = np.nan
    report = evaluate_annotations(A, y, n_resamples=0)
    table = report.table
    assert (table["separation_worst_lower"] < table["separation"]).all()
    assert (table["separation"] < table["separation_worst_upper"]).all()
    complete = evaluate_annotations(np.nan_to_num(A), y, n_resamples=0)
    assert "separation_worst_lower" not in complete.table


def test_the_twin_that_hides_an_effect_is_named():
    A, y, rng = make_rows(n=2000)
    twin = np.where(rng.random(2000) < 0.03, 1 - A[:, 0], A[:, 0])
    A = np.column_stack([A, twin])
    report = evaluate_annotations(A, y, names=list("abcde"), n_resamples=0)
    assert report.table["duplicate_of"].tolist() == ["", "", "", "", "a"]
    assert report.table.loc[4, "vif"] > 3
    assert report.table.loc[1, "vif"] < 1.1
    assert report.redundancy.n_effective < 4.9


# Earlier reports on the same rows ----------------------------------------------------


def test_dropped_and_reworded_hypotheses_stay_in_the_denominator():
    A, y, _ = make_rows()
    first = evaluate_annotations(A, y, names=list("abcd"), n_resamples=0)
    second = evaluate_annotations(
        A[:, :2], y, names=["a", "B"], previous=first, n_resamples=0
    )
    alone = evaluate_annotations(
        A[:, :2], y, names=["a", "B"], n_resamples=0, correction="bonferroni"
    )
    assert second.n_tested == 5  # a, B; and b, c, d from before
    third = evaluate_annotations(
        A[:, :2],
        y,
        names=["a", "B"],
        previous=[first, second],
        n_resamples=0,
        correction="bonferroni",
    )
    np.testing.assert_allclose(
        third.table["p_corrected"], np.minimum(alone.table["coef_p"] * 5, 1)
    )
    np.testing.assert_allclose(
        third.table["separation_p_corrected"],
        np.minimum(alone.table["separation_p"] * 5, 1),
    )
    changes = [(e["change"], e["hypothesis"]) for e in second.provenance["edits"]]
    assert changes == [
        ("dropped", "b"),
        ("dropped", "c"),
        ("dropped", "d"),
        ("added", "B"),
    ]
    # what was dropped before counts through a chain of reports too
    chained = evaluate_annotations(
        A[:, :1], y, names=["a"], previous=second, n_resamples=0
    )
    assert chained.n_tested == 5


def test_previous_reports_are_of_the_same_rows():
    A, y, _ = make_rows()
    first = evaluate_annotations(A, y, n_resamples=0)
    with pytest.raises(ValueError, match="a report on other rows"):
        evaluate_annotations(A, y + 1, previous=first, n_resamples=0)
    with pytest.raises(TypeError, match="previous must be a HypothesisReport"):
        evaluate_annotations(A, y, previous=first.table, n_resamples=0)


def test_provenance_tells_data_settings_and_versions():
    A, y, _ = make_rows()
    texts = [f"text {i}" for i in range(len(y))]
    report = evaluate_annotations(A, y, texts=texts, n_resamples=0, random_state=3)
    assert report.provenance["data"] == {
        "n_rows": 300,
        "texts_sha256": hash_values(texts),
        "target_sha256": hash_values(y),
    }
    assert report.provenance["seeds"] == {"random_state": 3}
    assert report.provenance["versions"]["statsmodels"]
    assert report.data.settings["correction"] == "step-down"
    np.testing.assert_array_equal(report.data.annotations, A)


def test_hashes_tell_texts_apart():
    assert hash_values(["ab", "c"]) != hash_values(["a", "bc"])
    assert hash_values(["1"]) != hash_values([1.0])
    assert hash_values([1, 0]) == hash_values([1.0, 0.0])
    assert len(hash_values(["lone \ud800"])) == 64


def test_bad_annotations_and_texts():
    A, y, _ = make_rows()
    with pytest.raises(ValueError, match="differ in length \\(300 and 299\\)"):
        evaluate_annotations(A, y[1:])
    with pytest.raises(ValueError, match="texts and y differ in length \\(299 and 300"):
        evaluate_annotations(A, y, texts=["a"] * 299)
    with pytest.raises(ValueError, match="cov_type"):
        evaluate_annotations(A, y, cov_type="HC1")


# Evidence -------------------------------------------------------------------------


def test_evidence_by_hand():
    a = np.array([[1.0], [1], [0], [0], [np.nan], [1]])
    texts = np.array(["b", "a", "c", "d", "e", "a"], dtype=object)
    activation = np.array([[2.0], [4], [0], [3], [1], [0]])
    (detail,) = collect_details(
        a,
        np.array([1, 1, 0, 0, 1, 0]),
        texts=texts,
        activations=activation,
        terms=[("x y",)],
    )
    assert detail.terms == ("x y",)
    assert detail.present == ("a", "b")  # the most active first, each once
    assert detail.absent == ("d", "c")
    assert detail.n_zero == (1, 1)
    assert sum(detail.counts_present) == 2
    assert sum(detail.counts_absent) == 1
    np.testing.assert_allclose(detail.bin_edges, np.linspace(0, 4, 21))
    assert len(detail.counts_present) == len(detail.counts_absent) == 20
    assert [detail.counts_present[i] for i in (10, 19)] == [1, 1]
    assert detail.counts_absent[15] == 1
    assert detail.prevalence_by_target == (("0", 3, 1 / 3), ("1", 2, 1.0))


def test_quantities_are_shown_by_quarters():
    A, y, _ = make_rows()
    (detail, *_) = collect_details(A, y, texts=None)
    assert [n for _, n, _ in detail.prevalence_by_target] == [75] * 4
    shares = [share for *_, share in detail.prevalence_by_target]
    assert shares[0] < shares[-1]
    assert detail.present == ()


def test_up_to_six_values_are_shown_one_by_one_and_five_texts():
    a, texts = np.ones((42, 1)), np.array([f"t{i:02}" for i in range(42)], object)
    for n_values in (6, 7):
        (detail,) = collect_details(a, np.arange(42) % n_values, texts=texts)
        labels = [label for label, _, _ in detail.prevalence_by_target]
        quarters = ["-0.001 to 1", "1 to 3", "3 to 5", "5 to 6"]
        assert labels == ([*"012345"] if n_values == 6 else quarters)
        assert detail.present == ("t00", "t01", "t02", "t03", "t04")
        assert detail.absent == ()


def test_nothing_to_test_is_a_report_too():
    _, y, _ = make_rows()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = evaluate_annotations(np.ones((300, 2)), y)
    assert {w.category for w in caught} == {HypothesisWarning}
    assert {w.filename for w in caught} == {__file__}
    assert report.n_tested == 0
    assert len(report.overall) == 0
    assert "2 hypotheses tested" in str(report)


def test_the_order_within_pairs_changes_no_figure():
    A, y, _ = make_rows(n=600)
    pair = np.repeat(np.arange(300), 2)
    turned = np.arange(600).reshape(-1, 2)[:, ::-1].ravel()
    first = evaluate_annotations(A, y, pairs=pair, n_resamples=0)
    second = evaluate_annotations(
        A[turned], y[turned], pairs=pair[turned], n_resamples=0
    )
    np.testing.assert_allclose(first.overall["value"], second.overall["value"])
    assert first.r2 > first.overall["value"].iloc[2] > 0


# Bad input, before anything is computed ------------------------------------------


def test_numbers_as_text_and_dates_are_no_classes():
    A, y, _ = make_rows()
    with pytest.raises(ValueError, match=r"300 classes in 300 rows.*written as text"):
        evaluate_annotations(A, [str(v) for v in y])
    with pytest.raises(ValueError, match="y holds dates"):
        evaluate_annotations(A, pd.date_range("2020-01-01", periods=300))


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        (np.zeros((299, 3)), r"shape \(300, n_features\)"),
        (np.zeros(300), r"shape \(300,\) arrived"),
        (np.full((300, 2), np.nan), "missing or infinite"),
    ],
)
def test_embeddings_are_checked(embeddings, message):
    A, y, _ = make_rows()
    with pytest.raises(ValueError, match=message):
        evaluate_annotations(A, y, embeddings=embeddings)


def test_the_same_labels_in_another_order_are_refused():
    A, y, rng = make_rows()
    labels = [f"d{i}" for i in range(300)]
    frame, target = pd.DataFrame(A, index=labels), pd.Series(y, index=labels)
    evaluate_annotations(frame, target, n_resamples=0)
    order = rng.permutation(300)
    with pytest.raises(ValueError, match="rows of annotations carry y's labels in ano"):
        evaluate_annotations(frame.iloc[order], target)
    with pytest.raises(ValueError, match="rows of groups carry"):
        evaluate_annotations(
            frame, target, groups=pd.Series(np.arange(300), index=labels).iloc[order]
        )
    # labels of other rows say nothing
    evaluate_annotations(frame.reset_index(drop=True), target, n_resamples=0)


def test_names_tell_hypotheses_apart():
    A, y, _ = make_rows()
    with pytest.raises(ValueError, match=r"more than once by name, such as \['a'\]"):
        evaluate_annotations(A, y, names=["a", "b", "a", "c"])
    with pytest.raises(TypeError, match="not one text"):
        evaluate_annotations(A, y, names="abcd")


def test_a_report_keeps_its_own_data():
    A, y, _ = make_rows()
    given = y.copy()
    report = evaluate_annotations(A, given, n_resamples=0)
    given[:] = 0
    np.testing.assert_array_equal(report.data.target, y)
    frame = pd.DataFrame({"y": y})
    with pytest.warns(UserWarning, match="column-vector"):
        column = evaluate_annotations(A, frame, n_resamples=0)
    np.testing.assert_array_equal(column.data.target, y)


def test_pairs_through_an_extractor():
    """The score out of sample ranks the members of each pair."""
    from sklearn_hypo import HypothesisExtractor, evaluate_hypotheses
    from sklearn_hypo.datasets import make_concept_texts

    data = make_concept_texts(1200, n_concepts=2, random_state=0)
    worth = data.truth @ [2.0, -2.0] + np.random.default_rng(0).gumbel(size=1200)
    won = (worth > worth[np.arange(1200) ^ 1]).astype(int)
    pair = np.repeat(np.arange(600), 2)
    neurons = pd.DataFrame(
        data.truth.astype(float), index=pd.Index(data.data, name="text")
    ).add_prefix("neuron")
    extractor = HypothesisExtractor(random_state=0).fit(neurons[:600], won[:600])
    rows = 600 + np.random.default_rng(1).permutation(600)
    test = neurons.iloc[rows]
    report = evaluate_hypotheses(
        extractor, test, won[rows], pairs=pair[rows], n_resamples=0
    )
    scores = pd.DataFrame(
        {
            "pair": pair[rows],
            "won": won[rows],
            "score": extractor.predict_proba(test)[:, 1],
        }
    ).sort_values(["pair", "won"])
    gap = scores["score"].to_numpy()[1::2] - scores["score"].to_numpy()[::2]
    expected = np.mean((1 + np.sign(gap)) / 2)
    assert report.roc_auc_out_of_sample == pytest.approx(expected)
    assert expected > 0.6
