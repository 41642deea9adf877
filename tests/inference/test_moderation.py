"""Do effects differ between the levels of a moderator?"""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._inference._design import make_design
from sklearn_hypo._inference._moderation import _wald_p, moderation_tests
from sklearn_hypo._report._moderator import describe_moderator


def make_rows(n=600, k=3, seed=0, effect=0.8):
    """Annotations, a target that the first moves in level "a" only, and the levels."""
    rng = np.random.default_rng(seed)
    A = (rng.random((n, 2)) < 0.3).astype(float)
    where = np.array(list("abcdef"))[rng.integers(0, k, n)]
    y = effect * A[:, 0] * (where == "a") + rng.normal(size=n)
    return A, y, where, rng


def compare(A, y, where, classes=None, *, cov_type="auto", **beside):
    design = make_design(len(A), moderator=where, caller="test", **beside)
    names = [f"h{j}" for j in range(A.shape[1])]
    return moderation_tests(
        A,
        y,
        names,
        classes,
        design,
        alpha=0.05,
        correction="holm",
        cov_type=cov_type,
    )


# Quantities -----------------------------------------------------------------------


def test_two_levels_are_welch_on_a_difference_of_differences():
    A, y, where, _ = make_rows(k=2)
    found = compare(A, y, where)
    a, cells, variances = A[:, 0] == 1, [], []
    for row in found.by_level[:2].itertuples():
        own = where == row.level
        one, zero = y[own & a], y[own & ~a]
        test = stats.ttest_ind(one, zero, equal_var=False)
        parts = [one.var(ddof=1) / len(one), zero.var(ddof=1) / len(zero)]
        assert row.separation == pytest.approx(one.mean() - zero.mean())
        assert row.separation_se == pytest.approx(np.sqrt(sum(parts)))
        assert row.separation_p == pytest.approx(test.pvalue, rel=0.2)
        assert (row.n, row.prevalence) == (own.sum(), a[own].mean())
        cells.append(row.separation)
        variances += parts
    t = (cells[0] - cells[1]) / np.sqrt(sum(variances))
    p = 2 * stats.t.sf(abs(t), 400)
    assert found.columns["moderator_p"][0] == pytest.approx(p, rel=0.1)


def test_several_levels_and_covariates_are_a_robust_wald_test():
    A, y, where, rng = make_rows(n=3000, k=4, effect=0.3)
    z = rng.normal(size=3000)
    y = (y + 0.5 * z) * np.where(where == "b", 2, 1)
    found = compare(A, y, where, covariates=z)
    frame = pd.DataFrame({"y": y, "a": A[:, 0], "g": where, "z": z})
    fit = smf.ols("y ~ C(g) * a + z", frame).fit(cov_type="HC2")
    terms = [name for name in fit.params.index if name.endswith(":a")]
    wald = fit.wald_test(", ".join(f"{t} = 0" for t in terms), scalar=True)
    assert len(terms) == 3
    p = found.columns["moderator_p"][0]
    assert p == pytest.approx(float(wald.pvalue), rel=0.05)
    fit = smf.ols("y ~ C(g) + C(g):a + z", frame).fit(cov_type="HC2")
    own = [name for name in fit.params.index if name.endswith(":a")]
    rows = found.by_level[:4]
    np.testing.assert_allclose(rows["separation"], fit.params[own])
    np.testing.assert_allclose(rows["separation_se"], fit.bse[own])


def test_degrees_of_freedom_of_several_contrasts():
    # with equal ones, and many, it is an F test with as many
    p = _wald_p(np.array([2.0, 1.0]), np.ones(2), np.full(2, 1e6))
    assert p == pytest.approx(stats.chi2.sf(5, 2), rel=1e-4)
    # 2 E / (E - q) for E = 2 * 10 / 8
    p = _wald_p(np.array([2.0, 1.0]), np.ones(2), np.full(2, 10.0))
    assert p == pytest.approx(stats.f.sf(2.5, 2, 10.0))
    assert _wald_p(np.array([2.0]), np.ones(1), np.full(1, 7.0)) == pytest.approx(
        2 * stats.t.sf(2, 7)
    )


def test_an_exact_function_leaves_nothing_to_judge_by():
    A, _, where, _ = make_rows()
    found = compare(A, 2 * A[:, 0] + (where == "b"), where)
    assert found.by_level["separation"][:3].tolist() == pytest.approx([2, 2, 2])
    assert found.by_level["separation_se"][:3].isna().all()
    assert np.isnan(found.columns["moderator_p"][0])
    constant = compare(A, np.ones(600), where)
    assert np.isnan(constant.columns["moderator_p"]).all()


def test_fixed_effects_are_absorbed_and_weights_count():
    A, y, where, rng = make_rows()
    author = np.arange(600) // 5
    y = y + rng.normal(size=120)[author]
    found = compare(A, y, where, fixed_effects=author, groups=author)
    columns = pd.get_dummies(author, dtype=float).to_numpy()
    inside = np.column_stack([(where == g) * A[:, 0] for g in "abc"])
    main = np.column_stack([where == g for g in "bc"]).astype(float)
    fit = sm.OLS(y, np.column_stack([inside, main, columns])).fit()
    np.testing.assert_allclose(found.by_level["separation"][:3], fit.params[:3])
    doubled = compare(A, y, where, sample_weight=np.where(where == "a", 2.0, 1.0))
    assert doubled.columns["moderator_p"][0] < 0.01


def test_copies_are_no_evidence_in_their_groups():
    A, y, where, _ = make_rows(n=200, effect=0.5)
    once = compare(A, y, where, cov_type="HC3").columns["moderator_p"]
    four = np.repeat(np.arange(200), 4)
    rows = (A[four], y[four], where[four])
    assert compare(*rows).columns["moderator_p"][0] < once[0] / 10
    grouped = compare(*rows, groups=four, cov_type="HC3").columns["moderator_p"]
    np.testing.assert_allclose(grouped, once, rtol=0.1)


def test_level_under_unequal_spread():
    rejected = []
    for seed in range(60):
        A, y, where, _ = make_rows(n=150, seed=seed, effect=0)
        y = y * np.where(where == "b", 4, 1)
        rejected.append(compare(A, y, where).columns["moderator_p"] < 0.1)
    assert np.mean(rejected) < 0.17


# Classes --------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3])
def test_two_classes_are_a_likelihood_ratio_of_odds(k):
    A, y, where, rng = make_rows(n=3000, k=k, effect=0.35)
    z = rng.normal(size=3000)
    won = (y + 0.3 * z > 0.2).astype(float)
    found = compare(A, won, where, np.array([0, 1]), covariates=z)
    frame = pd.DataFrame({"y": won, "a": A[:, 0], "g": where, "z": z})
    full = smf.logit("y ~ C(g) + C(g):a + z", frame).fit(disp=0)
    alone = smf.logit("y ~ C(g) + a + z", frame).fit(disp=0)
    p = stats.chi2.sf(2 * (full.llf - alone.llf), k - 1)
    assert found.columns["moderator_p"][0] == pytest.approx(p, rel=0.1)
    own = [name for name in full.params.index if name.endswith(":a")]
    odds = found.by_level["odds_ratio"][:k]
    np.testing.assert_allclose(odds, np.exp(full.params[own]), rtol=0.03)
    shares = frame.groupby(["a", "g"])["y"].mean()
    separation = found.by_level["separation"][:k]
    np.testing.assert_allclose(separation, shares[1.0] - shares[0.0])


def test_classes_that_a_level_separates_and_groups():
    A, y, where, _ = make_rows(n=400, k=2, effect=0)
    won = np.where((where == "a") & (A[:, 0] == 1), 1.0, y > 0)
    found = compare(A, won, where, np.array([0, 1]))
    assert found.columns["moderator_p"][0] < 1e-4
    assert np.isfinite(found.by_level["odds_ratio"]).all()
    four = np.repeat(np.arange(400), 4)
    rows = (A[four], won[four], where[four])
    alone = compare(*rows, np.array([0, 1])).columns["moderator_p"]
    grouped = compare(*rows, np.array([0, 1]), groups=four).columns["moderator_p"]
    assert alone[0] < found.columns["moderator_p"][0] < 1
    assert grouped[1] > 3 * alone[1] or alone[1] > 0.5
    assert grouped[0] > alone[0]


def test_three_classes():
    A, y, where, _ = make_rows(n=1500, effect=1.0)
    codes = np.digitize(y, [-0.5, 0.7]).astype(float)
    report = evaluate_annotations(
        A, codes.astype(int).astype(str), moderator=where, n_resamples=0
    )
    p = report.table["moderator_p"]
    assert p[0] < 1e-6 < 0.001 < p[1]
    assert "odds_ratio" not in report.by_moderator
    shown = report.table["separation_class"][0] == codes.astype(int).astype(str)
    own = where == "a"
    separation = shown[own & (A[:, 0] == 1)].mean() - shown[own & (A[:, 0] == 0)].mean()
    assert report.by_moderator["separation"][0] == pytest.approx(separation)


# Pairs ----------------------------------------------------------------------------


def test_pairs():
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, (1200, 1)).astype(float)
    pairs, judge = np.arange(1200) // 2, np.repeat(rng.choice(["x", "y"], 600), 2)
    y = A[:, 0] * (judge == "x") + rng.normal(size=1200)
    found = compare(A, y, judge, pairs=pairs)
    assert found.columns["moderator_p"][0] < 1e-3
    difference, gain = A[::2, 0] - A[1::2, 0], y[::2] - y[1::2]
    own = judge[::2] == "x"
    expected = (difference * gain)[own].sum() / (difference**2)[own].sum()
    assert found.by_level["separation"][0] == pytest.approx(expected)
    won = np.where(np.arange(1200) % 2 == 0, np.repeat(gain > 0, 2), 0)
    won[1::2] = 1 - won[::2]
    ties = compare(A, won.astype(float), judge, np.array([0, 1]), pairs=pairs)
    assert ties.columns["moderator_p"][0] < 1e-3
    turned = np.arange(1200).reshape(-1, 2)[:, ::-1].ravel()
    again = compare(
        A[turned],
        won.astype(float)[turned],
        judge[turned],
        np.array([0, 1]),
        pairs=pairs[turned],
    )
    np.testing.assert_allclose(
        again.columns["moderator_p"], ties.columns["moderator_p"], rtol=1e-6
    )
    with pytest.raises(ValueError, match="members of 1 pairs have different levels"):
        make_design(4, pairs=[0, 0, 1, 1], moderator=list("aabc"), caller="test")


# Levels ---------------------------------------------------------------------------


def test_levels_with_too_few_texts_are_listed_and_not_tested():
    A, y, where, _ = make_rows()
    A[where == "b", 0] = 0
    A[np.flatnonzero(where == "b")[:4], 0] = 1
    A[:10, 1] = np.nan
    found = compare(A, y, where)
    rows = found.by_level
    assert rows["hypothesis"].tolist() == ["h0"] * 3 + ["h1"] * 3
    n = (where == "b").sum()
    note = f"not tested: true in 4, not true in {n - 4} texts"
    assert rows["note"].tolist() == ["", note, "", "", "", ""]
    assert rows["separation"].isna().tolist() == [False, True, *[False] * 4]
    assert rows["n"][3:].sum() == 590
    other = compare(A, np.roll(y, 7) ** 3, where)
    assert other.by_level["note"].tolist() == rows["note"].tolist()
    A[:, 0] = where == "a"
    alone = compare(A, y, where)
    assert np.isnan(alone.columns["moderator_p"][0])
    # what cannot be tested is not counted
    p = alone.columns
    assert p["moderator_p_corrected"][1] == p["moderator_p"][1]


def test_order_and_labels_of_levels():
    values = pd.Categorical(list("abca"), categories=["c", "b", "x", "a"])
    design = make_design(4, moderator=pd.Series(values), caller="test")
    assert design.moderator_labels == ("c", "b", "a")
    assert design.moderator.tolist() == [2, 1, 0, 2]
    design = make_design(4, moderator=[10, 9, 10, 9], caller="test")
    assert design.moderator_labels == ("9", "10")
    mixed = np.array([1, "1", 1, "1"], dtype=object)
    assert make_design(4, moderator=mixed, caller="test").moderator_labels == (
        "1",
        "'1'",
    )


@pytest.mark.parametrize(
    ("moderator", "match"),
    [
        (["a"] * 40, "1 level, such as 'a'.*leave it out"),
        (range(40), "40 levels, such as '0', '1', '2', but 2 to 20.*qcut"),
        ([None, *"ab" * 20][:40], "1 of 40 values of moderator are missing"),
        (["a", "b"], "moderator has shape"),
    ],
)
def test_moderators_that_cannot_be_used(moderator, match):
    A, y, *_ = make_rows(n=40)
    with pytest.raises(ValueError, match=match):
        evaluate_annotations(A, y, moderator=moderator)


# The report -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def report():
    A, y, where, _ = make_rows()
    A[where == "b", 1] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return evaluate_annotations(
            A,
            y,
            names=["mentions tea", "is <long>"],
            alpha=0.05,
            correction="holm",
            moderator=pd.Series(where, name="site & <b>"),
            n_resamples=0,
        )


def test_the_report_says_how_many_differ(report):
    text = " ".join(str(report).split())
    assert (
        "effects of 1 of 2 hypotheses differ between the 3 levels of site & <b> "
        "(holm, family level 0.05); 1 of 6 effects by level were not compared" in text
    )
    assert "differ between" in report.to_markdown()
    assert report.to_dict()["by_moderator"][0]["level"] == "a"
    assert list(report.table["moderator_p_corrected"] <= 0.05) == [True, False]


def test_effects_by_level_are_corrected_by_holm_beside_a_step_down(report):
    other = replace(report, correction="step-down")
    assert "site & <b> (holm, family level 0.05)" in describe_moderator(other)


def test_the_page_shows_each_level(report, tmp_path):
    report.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h2>By site &amp; &lt;b&gt;</h2>" in page
    first = report.by_moderator["separation"][0]
    assert f"{first:.3f} [" in page
    assert "not tested: true in 0" in page


def test_without_a_moderator_nothing_is_said():
    A, y, *_ = make_rows(n=60)
    plain = evaluate_annotations(A, y, n_resamples=0)
    assert plain.by_moderator is None
    assert "moderator_p" not in plain.table
    assert "differ between" not in str(plain)
