"""Whole evaluations of pairs, as in `test_whole_classes`."""

import numpy as np
import pandas as pd
import plain_statistics as plain
import pytest
import statsmodels.api as sm
import whole_evaluations as whole
from scipy import stats
from sklearn import linear_model


def wins(difference, y, w=None, units=None):
    """Share of wins less share of losses of the member that alone has it."""
    rows = np.flatnonzero(np.nan_to_num(difference))
    gain, n = (difference * y)[rows], len(rows)
    if units is None:
        lower, upper = plain.wilson((gain > 0).mean(), n)
        se = stats.sem(gain)
        p = stats.binomtest(int((gain > 0).sum()), n).pvalue
    else:
        w, units = w[rows] / w[rows].mean(), units[rows]
        mean = np.average(gain, weights=w)
        rest = gain - mean
        rho = max(plain.intraclass(rest, units), plain.intraclass(gain, units))
        spread = np.average(rest**2, weights=w)
        effect = max(
            plain.variance_of_sum(w, units, rho) / n,
            plain.variance_of_sum(w * rest, units, 1.0) / n / spread,
        )
        squares = np.bincount(units, w**2)
        df = squares.sum() ** 2 / np.sum(squares**2) - 1
        share, count = (mean + 1) / 2, n / effect
        lower, upper = plain.wilson(share, count, df)
        se = 2 * np.sqrt(share * (1 - share) / count)
        p = 2 * stats.t.sf(abs(share - 0.5) / np.sqrt(0.25 / count), df)
    estimate = np.average(gain, weights=w)
    values = [estimate, se, 2 * lower - 1, 2 * upper - 1, p, n]
    names = [*whole.SEPARATION, "separation_p", "n_discordant"]
    return dict(zip(names, values, strict=True))


def gains(difference, y, w, units):
    """Mean gain of the member that alone has it, by regression on a constant."""
    rows = np.flatnonzero(difference)
    gain, one = (difference * y)[rows], np.ones((len(rows), 1))
    if units is None:
        se, df = stats.sem(gain), len(rows) - 1
    else:
        _, covariance, df = plain.weighted_least_squares(
            one, gain, w[rows], units[rows]
        )
        se, df = np.sqrt(covariance[0, 0]), df[0]
    estimate = np.average(gain, weights=None if units is None else w[rows])
    lower, upper, p = plain.t_interval(estimate, se, df)
    names = [*whole.SEPARATION, "separation_p", "n_discordant"]
    return dict(zip(names, [estimate, se, lower, upper, p, len(rows)], strict=True))


def pairs_of(seed, n_pairs, quantity):
    """Rows of pairs in any order, and their differences in the order of appearance."""
    rng = np.random.default_rng(seed)
    pair = rng.permutation(np.repeat(np.arange(n_pairs), 2))
    A = whole.annotations_of(rng, 2 * n_pairs)
    if not quantity:
        A[rng.random(A.shape) < 0.01] = np.nan
    drive = np.nan_to_num(A) @ [0.9, -0.5, 0.3, 0.0] + rng.logistic(size=2 * n_pairs)
    order = np.argsort(pd.factorize(pair)[0], kind="stable")
    first, second = order[::2], order[1::2]
    y = drive.round(2)
    if not quantity:
        y = np.empty(len(drive), dtype=int)
        y[first] = drive[first] > drive[second]
        y[second] = 1 - y[first]
    w = rng.choice([0.5, 1.0, 3.0], 2 * n_pairs)
    units = rng.integers(0, 20, n_pairs)[pair]
    embeddings = np.column_stack([drive, rng.normal(size=(len(drive), 2))])
    return pair, A, y, w, units, embeddings, first, second


@pytest.mark.parametrize("dependent", [False, True])
def test_pairs_of_which_one_won(dependent):
    pair, A, y, w, units, embeddings, first, second = pairs_of(5, 110, False)
    given = {"sample_weight": w, "groups": units} if dependent else {}
    report, predictions, messages = whole.evaluated(
        A,
        y,
        classes=[0, 1],
        pairs=pair,
        embeddings=embeddings,
        cov_type="HC3" if dependent else "auto",
        **given,
    )
    assert messages == []
    D, won = A[first] - A[second], np.where(y[first] > y[second], 1.0, -1.0)
    row_weights = w / w.mean() if dependent else None
    units = pd.factorize(units)[0][first] if dependent else None
    w = (row_weights[first] + row_weights[second]) / 2 if dependent else np.ones(110)
    rows = ~np.isnan(D).any(axis=1)
    # the order of members means nothing: some pairs are turned for two classes
    turn = np.where(np.arange(rows.sum()) < 50, 1.0, -1.0)
    X, ones = D[rows] * turn[:, None], (won[rows] * turn > 0).astype(int)
    own = units[rows] if dependent else np.arange(rows.sum())
    if dependent:
        coef, covariance, se, df, lower, upper, p, bounds, _ = plain.robust_logit(
            X, ones, 4, w[rows], own, paired=True
        )
    else:
        result = sm.Logit(ones, X).fit(disp=False, tol=1e-12)
        coef, covariance, se = result.params, result.cov_params(), result.bse
        df = np.full(4, np.inf)
        ratios, _ = plain.penalized_ratios(X, ones, w[rows], range(4))
        p = stats.chi2.sf(ratios, 1)
        ends, bounds = plain.profile_bounds(X, ones, w[rows], 4)
        lower, upper = ends.T
    both, share = np.vstack([X, -X]), np.tile(w[rows] / w[rows].sum() / 2, 2)
    slopes = [plain.slope_of_effect(both, coef, j, share, -1.0) for j in range(4)]

    def effect(coef, j):
        return plain.average_effects(both, coef, j, share, -1.0)[1]

    single = [wins(d, won, w if dependent else None, units) for d in D.T]
    whole.compare(
        report.table,
        whole.facts(whole.NAMES, A, weights=row_weights)
        | {"n": (~np.isnan(D)).sum(axis=0)}
        | whole.columns_of(single, [*whole.SEPARATION, "separation_p", "n_discordant"])
        | {
            "separation_p_corrected": plain.holm([r["separation_p"] for r in single]),
            "separation_std": np.full(4, np.nan),
            **whole.coefficients(coef, se, lower, upper, p, df),
            "coef_std": coef * np.sqrt(np.average(X**2, axis=0, weights=w[rows])),
            "odds_ratio": np.exp(coef),
            "odds_ratio_lower": np.exp(lower),
            "odds_ratio_upper": np.exp(upper),
            "ame": [effect(coef, j) for j in range(4)],
            "ame_se": np.sqrt(np.einsum("ji,ik,jk->j", slopes, covariance, slopes)),
            "ame_lower": [effect(bounds[j][0], j) for j in range(4)],
            "ame_upper": [effect(bounds[j][1], j) for j in range(4)],
            "vif": plain.variance_inflation(
                D[rows], np.empty((rows.sum(), 0)), w[rows]
            ),
            **whole.corrected(p, 0.1),
            "method": ["logit"] * 4,
            **whole.UNREMARKABLE,
        },
        rtol=1e-5,
    )
    everywhere = np.ones(110, dtype=bool)
    probability = plain.softmax_of(X, coef)[:, 1]
    chosen = np.where(ones == 1, probability, 1 - probability)
    pseudo = 1 - w[rows] @ np.log(chosen) / (w[rows].sum() * np.log(0.5))
    folds = whole.folds_of(won[rows], own if dependent else None, stratified=False)
    fitted = np.empty(rows.sum())
    model = linear_model.LogisticRegression(max_iter=1000, fit_intercept=False)
    for train, test in folds:
        doubled = np.tile(w[rows][train], 2)
        model.fit(
            np.vstack([D[rows][train], -D[rows][train]]),
            np.r_[won[rows][train], -won[rows][train]],
            sample_weight=doubled,
        )
        fitted[test] = model.decision_function(D[rows][test])
    ridge = linear_model.RidgeCV(np.logspace(-3, 3, 13), fit_intercept=False)
    all_folds = whole.folds_of(won, units, stratified=False)
    dense = whole.cross_fitted(
        ridge, embeddings[first] - embeddings[second], won, all_folds, w
    )
    outside = (predictions[first] - predictions[second])[:, 0]
    whole.compare_figures(
        report,
        {
            "roc_auc": whole.scored(
                plain.concordance(won[rows], D[rows] @ coef), w, rows
            ),
            "pseudo_r2": (pseudo, None, rows),
            "roc_auc_cross_fitted": whole.scored(
                plain.concordance(won[rows], fitted), w, rows
            ),
            "roc_auc_out_of_sample": whole.scored(
                plain.concordance(won, outside), w, everywhere
            ),
            "roc_auc_embeddings": whole.scored(
                plain.concordance(won, dense[:, 0]), w, everywhere
            ),
        },
        w,
        units if dependent else np.arange(110),
    )
    design = {"weights": w[rows], "clusters": own} if dependent else {}
    assert report.permutation_p == whole.permutation_p(
        D[rows], won[rows], np.empty((rows.sum(), 0)), paired=True, **design
    )
    counts = (report.n_rows, report.n_pairs, report.n_joint, report.n_tested)
    assert counts == (220, 110, rows.sum(), 4)
    assert report.n_groups == (20 if dependent else None)
    assert report.cov_type == ("cluster" if dependent else "nonrobust")


@pytest.mark.parametrize("dependent", [False, True])
def test_pairs_of_quantities(dependent):
    pair, A, y, w, units, embeddings, first, second = pairs_of(6, 90, True)
    given = {"sample_weight": w, "groups": units} if dependent else {}
    report, predictions, messages = whole.evaluated(
        A,
        y,
        pairs=pair,
        embeddings=embeddings,
        correction="fdr_by",
        cov_type="auto" if dependent else "HC3",
        **given,
    )
    assert messages == []
    X, gain = A[first] - A[second], y[first] - y[second]
    row_weights = w / w.mean() if dependent else None
    units = pd.factorize(units)[0][first] if dependent else None
    w = (row_weights[first] + row_weights[second]) / 2 if dependent else np.ones(90)
    own = units if dependent else np.arange(90)
    coef, covariance, df = plain.weighted_least_squares(X, gain, w, own)
    se = np.sqrt(np.diag(covariance))
    lower, upper, p = plain.t_interval(coef, se, df)
    single = [gains(d, gain, w, units) for d in X.T]

    def adjust(p):
        return stats.false_discovery_control(p, method="by")

    whole.compare(
        report.table,
        whole.facts(whole.NAMES, A, weights=row_weights)
        | {"n": np.full(4, 90)}
        | whole.columns_of(single, [*whole.SEPARATION, "separation_p", "n_discordant"])
        | {
            "separation_p_corrected": adjust([row["separation_p"] for row in single]),
            "separation_std": np.full(4, np.nan),
            **whole.coefficients(coef, se, lower, upper, p, df),
            "coef_std": coef
            * np.sqrt(np.average(X**2, axis=0, weights=w))
            / np.sqrt(np.average(gain**2, weights=w)),
            "vif": plain.variance_inflation(X, np.empty((90, 0)), w),
            **whole.corrected(p, 0.1, adjust),
            "method": ["WLS" if dependent else "OLS"] * 4,
            **whole.UNREMARKABLE,
        },
    )
    everywhere = np.ones(90, dtype=bool)
    r2 = plain.r2_of(gain, X @ coef, center=False)(w)
    folds = whole.folds_of(gain, units, stratified=False)
    model = linear_model.LinearRegression(fit_intercept=False)
    ridge = linear_model.RidgeCV(np.logspace(-3, 3, 13), fit_intercept=False)
    apart = embeddings[first] - embeddings[second]
    scores = {
        "cross_fitted": whole.cross_fitted(model, X, gain, folds, w),
        "out_of_sample": predictions[first] - predictions[second],
        "embeddings": whole.cross_fitted(ridge, apart, gain, folds, w),
    }
    whole.compare_figures(
        report,
        {
            "r2": (r2, None, everywhere),
            "r2_adjusted": (1 - (1 - r2) * 90 / 86, None, everywhere),
            **{
                f"r2_{name}": whole.scored(
                    plain.r2_of(gain, found[:, 0], center=False), w, everywhere
                )
                for name, found in scores.items()
            },
        },
        w,
        own,
    )
    design = {"weights": w, "clusters": own} if dependent else {}
    assert report.permutation_p == whole.permutation_p(
        X, gain, np.empty((90, 0)), paired=True, **design
    )
    assert report.cov_type == ("cluster" if dependent else "HC3")
