"""Whole evaluations of classes, computed a second way.

Every column and every overall figure is compared. What is expected comes from
`plain_statistics`, SciPy, scikit-learn and statsmodels; of the package only the public
faces are called.
"""

import numpy as np
import plain_statistics as plain
import pytest
import statsmodels.api as sm
import whole_evaluations as whole
from scipy import stats
from sklearn import linear_model, metrics


def independent_shares(a, is_class):
    """Separation of a class, for rows that are neither weighted nor clustered."""
    known = ~np.isnan(a)
    one, zero = is_class[known & (a == 1)], is_class[known & (a == 0)]
    p1, p0 = one.mean(), zero.mean()
    se = np.sqrt(p1 * (1 - p1) / (len(one) - 1) + p0 * (1 - p0) / (len(zero) - 1))
    lower, upper = plain.newcombe((p1, p0), (len(one), len(zero)))
    table = [[one.sum(), zero.sum()], [(~one).sum(), (~zero).sum()]]
    p = stats.fisher_exact(table).pvalue
    return whole.separation_of([p1 - p0, se, lower, upper, p])


def dependent_test(a, codes, w, units):
    """p-value, design effect and degrees of freedom of an annotation and classes."""
    X = np.column_stack([a, np.ones(len(a))])
    ratios, coef = plain.penalized_ratios(X, codes, w, [0])
    effect, df = plain.design_effects(X, codes, w, units, coef, [0])
    q = codes.max()
    return stats.f.sf(ratios[0] / (q * effect[0]), q, df[0]), effect[0], df[0]


def dependent_shares(a, is_class, w, units):
    """Separation of a class, for rows that are weighted or clustered."""
    known = ~np.isnan(a)
    a, is_class, w, units = a[known], is_class[known], w[known], units[known]
    p, effect, df = dependent_test(a, is_class.astype(int), w, units)
    total = np.array([w[a == 1].sum(), w[a == 0].sum()])
    shares = np.array([w[a == v] @ is_class[a == v] for v in (1, 0)]) / total
    rows = total / effect
    se = np.sqrt(np.sum(shares * (1 - shares) / rows))
    lower, upper = plain.newcombe(shares, rows, df)
    values = [shares[0] - shares[1], se, lower, upper, p]
    return whole.separation_of(values)


@pytest.fixture(scope="module")
def three():
    """Three classes, weights, groups and some missing answers."""
    rng = np.random.default_rng(0)
    n = 180
    units = whole.groups_of(rng, n, 30)
    w = rng.choice([0.5, 1.0, 3.0], n)
    A = whole.annotations_of(rng, n, gaps=0.02)
    A[:, 2:] = np.nan_to_num(A[:, 2:])
    pull = np.array([[0, 0, 1.5], [0, 0.4, 0], [0.9, 0, 0], [0, 1.2, 0.0]])
    drive = np.nan_to_num(A) @ pull + rng.normal(size=(30, 3))[units]
    codes = np.argmax(drive + rng.gumbel(size=(n, 3)), axis=1)
    embeddings = np.column_stack([drive, rng.normal(size=(n, 3))])
    y = np.array(["low", "mid", "top"])[codes]
    report, predictions, messages = whole.evaluated(
        A,
        y,
        classes=["low", "mid", "top"],
        sample_weight=w,
        groups=[f"author {unit}" for unit in units],
        embeddings=embeddings,
    )
    assert messages == []
    rows = ~np.isnan(A).any(axis=1)
    X = np.column_stack([A, np.ones(n)])[rows]
    w = w / w.mean()
    return report, A, codes, w, units, X, rows, predictions, embeddings


def effects_of_classes(X, codes, w, units):
    """Average marginal effects with clustered errors, by hypothesis and class."""
    coef, _ = plain.maximize(X, codes, w, penalty=False)
    P = plain.softmax_of(X, coef)
    inverse = np.linalg.inv(plain.information(X, coef, w))
    scores = np.array(
        [
            np.sum(
                [
                    w[i] * np.kron((codes[i] == np.array([1, 2])) - P[i, 1:], X[i])
                    for i in np.flatnonzero(units == unit)
                ],
                axis=0,
            )
            for unit in np.unique(units)
        ]
    )
    G = len(scores)
    covariance = inverse @ (scores.T @ scores) @ inverse * G / (G - 1)
    share, found = w / w.sum(), []
    for j in range(X.shape[1] - 1):
        effect = plain.average_effects(X, coef, j, share)
        steps = np.eye(len(coef)) * 1e-5
        slope = [
            plain.average_effects(X, coef + s, j, share)
            - plain.average_effects(X, coef - s, j, share)
            for s in steps
        ]
        slope = np.array(slope).T / 2e-5
        se = np.sqrt(np.einsum("ci,ij,cj->c", slope, covariance, slope))
        found.append([effect, se, *plain.t_interval(effect, se, G - 1)])
    return np.array(found), P


def test_three_classes_weighted_and_clustered(three):
    report, A, codes, w, units, X, rows, *_ = three
    classes = ["low", "mid", "top"]
    cells = [
        dependent_shares(a, codes == c, w, units) | {"class": classes[c]}
        for a in A.T
        for c in range(3)
    ]
    effects, _ = effects_of_classes(X, codes[rows], w[rows], units[rows])
    known = [~np.isnan(a) for a in A.T]
    whole.compare(
        report.by_class,
        {
            "hypothesis": np.repeat(whole.NAMES, 3),
            "class": [cell["class"] for cell in cells],
            "n": [(codes[k] == c).sum() for k in known for c in range(3)],
            **whole.columns_of(cells, [*whole.SEPARATION, "separation_p"]),
            **{
                name: effects[:, i].ravel()
                for i, name in enumerate([*whole.EFFECT, "ame_p"])
            },
        },
        rtol=1e-5,
    )
    differences = np.array([cell["separation"] for cell in cells]).reshape(4, 3)
    c = np.abs(differences).argmax(axis=1)
    assert len(set(c)) > 1  # not all hypotheses differ most in the same class
    own = [cells[3 * j + c[j]] for j in range(4)]
    p = [
        dependent_test(a[k], codes[k], w[k], units[k])[0]
        for a, k in zip(A.T, known, strict=True)
    ]
    ratios, coef = plain.penalized_ratios(X, codes[rows], w[rows], range(4))
    effect, df = plain.design_effects(
        X, codes[rows], w[rows], units[rows], coef, range(4)
    )
    coef_p = stats.f.sf(ratios / (2 * effect), 2, df)
    whole.compare(
        report.table,
        whole.facts(whole.NAMES, A, weights=w)
        | whole.columns_of(own, whole.SEPARATION)
        | {
            "separation_p": p,
            "separation_p_corrected": plain.holm(p),
            "separation_std": [
                own[j]["separation"] / plain.weighted_sd(codes == c[j], w)
                for j in range(4)
            ],
            "separation_class": [classes[i] for i in c],
            **whole.worst_cases(A, [(codes == i).astype(float) for i in c], w),
            **dict.fromkeys([*whole.COEFFICIENT, "coef_std"], np.full(4, np.nan)),
            "coef_p": coef_p,
            **{name: effects[range(4), i, c] for i, name in enumerate(whole.EFFECT)},
            "vif": plain.variance_inflation(X[:, :4], X[:, 4:], w[rows]),
            **whole.corrected(coef_p, 0.1),
            "method": ["multinomial logit"] * 4,
            **whole.UNREMARKABLE,
        },
        rtol=1e-5,
    )


def test_overall_figures_of_three_classes(three):
    report, _A, codes, w, units, X, rows, predictions, embeddings = three
    everywhere = np.ones(len(codes), dtype=bool)
    coef, best = plain.maximize(X, codes[rows], w[rows], penalty=False)
    shares = np.bincount(codes[rows], w[rows]) / w[rows].sum()
    null = w[rows] @ np.log(shares[codes[rows]])
    P = plain.softmax_of(X, coef)
    in_sample = plain.mean_area(codes[rows], P, None)
    area = metrics.roc_auc_score(
        codes[rows], P, multi_class="ovr", sample_weight=w[rows]
    )
    folds = whole.folds_of(codes[rows], units[rows], stratified=True)
    model = linear_model.LogisticRegression(max_iter=1000)
    fitted = whole.cross_fitted(
        model, X[:, :4], codes[rows], folds, w[rows], "predict_proba"
    )
    all_folds = whole.folds_of(codes, units, stratified=True)
    ridge = linear_model.RidgeCV(np.logspace(-3, 3, 13))
    indicators = (codes[:, None] == np.arange(3)).astype(float)
    dense = whole.cross_fitted(ridge, embeddings, indicators, all_folds, w)
    whole.compare_figures(
        report,
        {
            "roc_auc": (area, in_sample, rows),
            "pseudo_r2": (1 - best / null, None, rows),
            "roc_auc_cross_fitted": whole.scored(
                plain.mean_area(codes[rows], fitted, folds), w, rows
            ),
            "roc_auc_out_of_sample": (
                metrics.roc_auc_score(
                    codes, predictions, multi_class="ovr", sample_weight=w
                ),
                plain.mean_area(codes, predictions, None),
                everywhere,
            ),
            "roc_auc_embeddings": whole.scored(
                plain.mean_area(codes, dense, all_folds), w, everywhere
            ),
        },
        w,
        units,
    )
    assert report.roc_auc == pytest.approx(area)
    assert report.pseudo_r2 == pytest.approx(1 - best / null)
    assert report.permutation_p == whole.permutation_p(
        X[:, :4],
        codes[rows],
        X[:, 4:],
        n_classes=3,
        weights=w[rows],
        clusters=units[rows],
    )
    counts = (report.n_rows, report.n_joint, report.n_joint_hypotheses)
    assert counts == (180, rows.sum(), 4)
    assert (report.n_tested, report.n_groups, report.n_pairs) == (4, 30, None)
    assert report.n_significant == report.table["significant"].sum()
    assert report.classes == ("low", "mid", "top")
    assert report.cov_type == "cluster"
    assert report.covariates is None


def logit_columns(X, y, coef, covariance, df, lower, upper, p, h, w, bounds=None):
    """The joint columns of two classes; bounds are coefficients at each bound."""
    se = np.sqrt(np.diag(covariance))[:h] if covariance.ndim == 2 else covariance
    share = w / w.sum()
    effects = np.array([plain.average_effects(X, coef, j, share)[1] for j in range(h)])
    ends = [
        [plain.average_effects(X, b, j, share)[1] for b in both]
        for j, both in enumerate(bounds)
    ]
    ends = np.array(ends)
    return {
        **whole.coefficients(coef[:h], se, lower, upper, p, df),
        "coef_std": coef[:h] * plain.weighted_sd(X[:, :h], w),
        "odds_ratio": np.exp(coef[:h]),
        "odds_ratio_lower": np.exp(lower),
        "odds_ratio_upper": np.exp(upper),
        "ame": effects,
        "ame_lower": ends[:, 0],
        "ame_upper": ends[:, 1],
    }


def test_two_classes_with_missing_answers():
    rng = np.random.default_rng(1)
    n = 200
    A = whole.annotations_of(rng, n, gaps=0.03)
    logit = np.nan_to_num(A) @ [1.0, -0.5, 0.4, 0.0] - 0.8
    codes = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    A = np.column_stack([A, A[:, 1], np.where(rng.random(n) < 0.05, np.nan, 0.0)])
    names = [*whole.NAMES, "mentions showers", "mentions snow"]
    embeddings = np.column_stack([logit, rng.normal(size=(n, 2))])
    report, predictions, messages = whole.evaluated(
        A,
        np.array(["no", "yes"])[codes],
        names,
        classes=["no", "yes"],
        alpha=0.2,
        correction="fdr_bh",
        embeddings=embeddings,
    )
    assert len(messages) == 2
    rows = ~np.isnan(A[:, :4]).any(axis=1)
    X, y = sm.add_constant(A[rows, :4], prepend=False), codes[rows]
    w, everywhere = np.ones(n), np.ones(n, dtype=bool)
    result = sm.Logit(y, X).fit(disp=False, tol=1e-12)
    ratios, _ = plain.penalized_ratios(X, y, w[rows], range(4))
    ends, bounds = plain.profile_bounds(X, y, w[rows], 4)
    joint = logit_columns(
        X,
        y,
        result.params,
        result.cov_params(),
        np.full(4, np.inf),
        ends[:, 0],
        ends[:, 1],
        stats.chi2.sf(ratios, 1),
        4,
        w[rows],
        bounds,
    )
    margins = result.get_margeff(dummy=True)
    np.testing.assert_allclose(joint["ame"], margins.margeff, rtol=1e-8)
    joint["ame_se"] = margins.margeff_se
    single = [independent_shares(a, codes == 1) for a in A[:, :4].T]
    p = np.array([row["separation_p"] for row in single])
    gap = np.full(2, np.nan)
    adjust = stats.false_discovery_control
    whole.compare(
        report.table,
        whole.facts(names, A)
        | {
            name: [*values, values[1], np.nan]
            for name, values in {
                **whole.columns_of(single, [*whole.SEPARATION, "separation_p"]),
                "separation_p_corrected": adjust(p),
                "separation_std": whole.columns_of(single, ["separation"])["separation"]
                / codes.std(),
            }.items()
        }
        | whole.worst_cases(A, [(codes == 1).astype(float)] * 6, w)
        | {name: [*values, *gap] for name, values in joint.items()}
        | {
            "vif": [
                *plain.variance_inflation(X[:, :4], X[:, 4:], w[rows])[[0]],
                np.inf,
                *plain.variance_inflation(X[:, :4], X[:, 4:], w[rows])[2:],
                np.inf,
                np.nan,
            ],
            "p_corrected": [*adjust(joint["coef_p"]), *gap],
            "significant": [*(adjust(joint["coef_p"]) <= 0.2), False, False],
            "method": ["logit"] * 4 + ["", ""],
            "duplicate_of": [""] * 4 + ["mentions rain", ""],
            "note": [""] * 4
            + [
                "duplicate (the same as 'mentions rain')",
                f"never or always true (true of 0 of {(A[:, 5] == 0).sum()})",
            ],
        },
        rtol=2e-5,
    )
    folds = whole.folds_of(y, stratified=True)
    model = linear_model.LogisticRegression(max_iter=1000)
    fitted = whole.cross_fitted(model, X[:, :4], y, folds, w, "decision_function")
    all_folds = whole.folds_of(codes, stratified=True)
    ridge = linear_model.RidgeCV(np.logspace(-3, 3, 13))
    dense = whole.cross_fitted(ridge, embeddings, codes, all_folds, w)
    probability = result.predict()[:, None]
    whole.compare_figures(
        report,
        {
            "roc_auc": (
                metrics.roc_auc_score(y, probability),
                plain.mean_area(y, probability, None),
                rows,
            ),
            "pseudo_r2": (result.prsquared, None, rows),
            "roc_auc_cross_fitted": whole.scored(
                plain.mean_area(y, fitted, folds), w, rows
            ),
            "roc_auc_out_of_sample": (
                metrics.roc_auc_score(codes, predictions),
                plain.mean_area(codes, predictions, None),
                everywhere,
            ),
            "roc_auc_embeddings": whole.scored(
                plain.mean_area(codes, dense, all_folds), w, everywhere
            ),
        },
        None,
        np.arange(n),
    )
    assert report.permutation_p == whole.permutation_p(
        X[:, :4], y.astype(int), X[:, 4:], n_classes=2
    )
    assert (report.n_tested, report.n_joint, report.n_joint_hypotheses) == (
        4,
        rows.sum(),
        4,
    )
    assert report.n_groups is None
    assert report.by_class is None
    assert report.cov_type == "nonrobust"


def test_two_classes_weighted_and_clustered():
    rng = np.random.default_rng(2)
    n = 160
    units, w = whole.groups_of(rng, n, 25), rng.choice([0.5, 1.0, 3.0], n)
    A = whole.annotations_of(rng, n)
    age = rng.normal(40, 10, n)
    drive = A @ [1.0, -0.5, 0.4, 0.0] + rng.normal(size=25)[units] + 0.05 * (age - 40)
    codes = (drive + rng.logistic(size=n) > 0.6).astype(int)
    embeddings = np.column_stack([drive, rng.normal(size=(n, 2))])
    report, predictions, messages = whole.evaluated(
        A,
        codes.astype(bool),
        classes=[False, True],
        correction="bonferroni",
        sample_weight=w,
        groups=units,
        covariates=age,
        embeddings=embeddings,
    )
    assert messages == []
    w = w / w.mean()
    X = np.column_stack([A, np.ones(n), age - age.mean()])
    coef, covariance, se, df, lower, upper, p, bounds, others = plain.robust_logit(
        X, codes, 4, w, units
    )
    joint = logit_columns(X, codes, coef, se, df, lower, upper, p, 4, w, bounds)
    share = w / w.sum()
    slopes = np.array([plain.slope_of_effect(X, coef, j, share) for j in range(4)])
    joint["ame_se"] = np.sqrt(np.einsum("ji,ik,jk->j", slopes, covariance, slopes))
    single = [dependent_shares(a, codes == 1, w, units) for a in A.T]
    whole.compare(
        report.table,
        whole.facts(whole.NAMES, A, weights=w)
        | whole.columns_of(single, [*whole.SEPARATION, "separation_p"])
        | {
            "separation_p_corrected": [
                min(4 * row["separation_p"], 1) for row in single
            ],
            "separation_std": whole.columns_of(single, ["separation"])["separation"]
            / plain.weighted_sd(codes, w),
        }
        | joint
        | {
            "vif": plain.variance_inflation(A, X[:, [4]], w),
            **whole.corrected(p, 0.1, lambda p: np.minimum(4 * p, 1)),
            "method": ["logit"] * 4,
            **whole.UNREMARKABLE,
        },
        rtol=1e-5,
    )
    end = plain.t_interval(coef[5], others[0][1], others[1][1])
    whole.compare(
        report.covariates,
        {
            "name": ["z0"],
            "coef": coef[[5]],
            "coef_se": others[0][[1]],
            "coef_lower": [end[0]],
            "coef_upper": [end[1]],
            "coef_p": [end[2]],
        },
        rtol=1e-5,
    )
    everywhere = np.ones(n, dtype=bool)
    alone, of_alone = plain.maximize(X[:, 4:], codes, w, penalty=False)
    without = plain.mean_area(codes, plain.softmax_of(X[:, 4:], alone)[:, 1:], None)
    probability = plain.softmax_of(X, coef)[:, 1:]
    folds = whole.folds_of(codes, units, stratified=True)
    model = linear_model.LogisticRegression(max_iter=1000)
    fitted = whole.cross_fitted(model, A, codes, folds, w, "decision_function")
    ridge = linear_model.RidgeCV(np.logspace(-3, 3, 13))
    dense = whole.cross_fitted(ridge, embeddings, codes, folds, w)
    own = np.where(codes == 1, probability[:, 0], 1 - probability[:, 0])
    chance = np.average(codes, weights=w)
    null = w @ np.log(np.where(codes == 1, chance, 1 - chance))
    whole.compare_figures(
        report,
        {
            "roc_auc": (
                metrics.roc_auc_score(codes, probability, sample_weight=w)
                - metrics.roc_auc_score(codes, X[:, 5], sample_weight=w),
                plain.difference(plain.mean_area(codes, probability, None), without),
                everywhere,
            ),
            "pseudo_r2": ((of_alone - w @ np.log(own)) / null, None, everywhere),
            "roc_auc_covariates": whole.scored(without, w, everywhere),
            "pseudo_r2_covariates": (1 - of_alone / null, None, everywhere),
            **{
                f"roc_auc_{name}": whole.scored(
                    plain.mean_area(codes, scores, parts), w, everywhere
                )
                for name, scores, parts in (
                    ("cross_fitted", fitted, folds),
                    ("out_of_sample", predictions, None),
                    ("embeddings", dense, folds),
                )
            },
        },
        w,
        units,
    )
    assert report.permutation_p == whole.permutation_p(
        A, codes, X[:, 4:], n_classes=2, weights=w, clusters=units
    )
    assert report.classes == (False, True)
    assert report.cov_type == "cluster"


def test_classes_that_a_hypothesis_separates():
    rng = np.random.default_rng(7)
    n = 60
    A = whole.annotations_of(rng, n, h=3)
    codes = (rng.random(n) < 0.3 + 0.3 * A[:, 0]).astype(int)
    A[:, 2] = (codes == 1) & (rng.random(n) < 0.3)
    report, _, messages = whole.evaluated(
        A, np.array(["no", "yes"])[codes], whole.NAMES[:3], classes=["no", "yes"]
    )
    assert len(messages) == 1
    w, X = np.ones(n), np.column_stack([A, np.ones(n)])
    ratios, coef = plain.penalized_ratios(X, codes, w, range(3))
    covariance = np.linalg.inv(plain.information(X, coef, w))
    ends, bounds = plain.profile_bounds(X, codes, w, 3)
    joint = logit_columns(
        X,
        codes,
        coef,
        covariance,
        np.full(3, np.inf),
        ends[:, 0],
        ends[:, 1],
        stats.chi2.sf(ratios, 1),
        3,
        w,
        bounds,
    )
    slopes = np.array([plain.slope_of_effect(X, coef, j, w / n) for j in range(3)])
    joint["ame_se"] = np.sqrt(np.einsum("ji,ik,jk->j", slopes, covariance, slopes))
    single = [independent_shares(a, codes == 1) for a in A.T]
    whole.compare(
        report.table,
        whole.facts(whole.NAMES[:3], A)
        | whole.columns_of(single, [*whole.SEPARATION, "separation_p"])
        | {
            "separation_p_corrected": plain.holm([r["separation_p"] for r in single]),
            "separation_std": whole.columns_of(single, ["separation"])["separation"]
            / codes.std(),
        }
        | joint
        | {
            "vif": plain.variance_inflation(A, X[:, 3:], w),
            **whole.corrected(joint["coef_p"], 0.1),
            "method": ["Firth logit"] * 3,
            "duplicate_of": [""] * 3,
            "note": ["", "", f"separates the classes ({n} rows)"],
        },
        rtol=1e-3,
    )
    P = plain.softmax_of(X, coef)
    pseudo = 1 - metrics.log_loss(codes, P) / metrics.log_loss(
        codes, np.full(n, codes.mean())
    )
    assert report.pseudo_r2 == pytest.approx(pseudo, rel=1e-5)
    assert report.roc_auc == pytest.approx(metrics.roc_auc_score(codes, P[:, 1]))
