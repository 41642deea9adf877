"""Near-duplicate hypotheses: found, named, reduced, and what that saves."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, jaccard_score, matthews_corrcoef
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.tools import add_constant

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._inference._design import Design, make_design
from sklearn_hypo._inference._overlap import (
    annotation_overlap,
    effective_number,
    variance_inflation,
)
from sklearn_hypo._inference._redundancy import (
    drop_or_merge,
    measure_wording,
)
from sklearn_hypo._inference._redundancy import (
    measure_redundancy as measure,
)

NAN = np.nan


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def columns(n=400, prevalence=(0.3, 0.1, 0.5, 0.02), seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((n, len(prevalence))) < prevalence).astype(float)


def measure_redundancy(A, names=None, design=None, **options):
    names = [f"x{j}" for j in range(A.shape[1])] if names is None else names
    return measure(A, names, design or Design(), **options)


def twin_of(a, share, rng):
    """Answers that agree on 1 - share of the rows."""
    return np.where(rng.random(len(a)) < share, 1 - a, a)


# Overlap --------------------------------------------------------------------------


def test_overlap_by_hand():
    # n11 = 2, n10 = 1, n01 = 1, n00 = 4
    A = np.array([[1, 1], [1, 1], [1, 0], [0, 1]] + [[0, 0]] * 4, dtype=float)
    overlap = annotation_overlap(A)
    assert overlap.n.tolist() == [[8, 8], [8, 8]]
    assert overlap.agreement[0, 1] == pytest.approx(6 / 8)
    assert overlap.jaccard[0, 1] == pytest.approx(2 / 4)
    assert overlap.phi[0, 1] == pytest.approx((2 * 4 - 1) / 15)
    np.testing.assert_array_equal(np.diag(overlap.phi), 1.0)


def test_overlap_agrees_with_scikit_learn_on_the_rows_that_answer_both():
    A = columns()
    A[:, 1] = twin_of(A[:, 0], 0.1, np.random.default_rng(1))
    A[np.random.default_rng(2).random(A.shape) < 0.2] = NAN
    w = np.random.default_rng(3).exponential(size=len(A))
    for weight in (None, w):
        overlap = annotation_overlap(A, weight)
        for i in range(4):
            for j in range(4):
                rows = ~np.isnan(A[:, [i, j]]).any(axis=1)
                pair = A[rows, i], A[rows, j]
                kept = None if weight is None else weight[rows]
                assert overlap.n[i, j] == rows.sum()
                expected = [
                    accuracy_score(*pair, sample_weight=kept),
                    matthews_corrcoef(*pair, sample_weight=kept),
                    jaccard_score(*pair, sample_weight=kept),
                ]
                found = [m[i, j] for m in overlap[1:]]
                np.testing.assert_allclose(found, expected, atol=1e-12)


def test_phi_is_not_defined_for_a_column_that_does_not_vary():
    A = columns(prevalence=(0.3, 1.0, 0.0, 0.5, 0.2, 1.0, 0.6))
    constant = [1, 2, 5]
    rng = np.random.default_rng(1)
    A[rng.random(A.shape) < 0.2] = NAN
    for weights in (None, rng.exponential(size=len(A))):  # their sums are rounded
        phi = annotation_overlap(A, weights).phi
        assert np.isnan(phi[constant]).all()
        assert np.isnan(phi[:, constant]).all()
        assert np.isnan(phi).sum() == 49 - 16


def test_a_column_without_answers_overlaps_with_nothing():
    A = columns()
    A[:, 2] = NAN
    overlap = annotation_overlap(A, np.full(len(A), 0.1))
    assert np.isnan(overlap.phi[2]).all()
    assert np.isnan(overlap.agreement[0, 2])
    assert overlap.n[0, 2] == 0


def test_phi_of_duplicates_and_opposites_is_exactly_one_whatever_the_weights():
    a = columns()[:, 0]
    w = np.random.default_rng(0).exponential(size=len(a))
    overlap = annotation_overlap(np.column_stack([a, a, 1 - a]), w)
    expected = [[1, 1, -1], [1, 1, -1], [-1, -1, 1]]
    np.testing.assert_array_equal(overlap.phi, expected)
    assert overlap.agreement[0, 1] == 1.0
    assert overlap.agreement[0, 2] == 0.0


# Variance inflation ---------------------------------------------------------------


def test_variance_inflation_agrees_with_statsmodels():
    A = columns(prevalence=(0.3, 0.2, 0.5, 0.4, 0.1))
    rng = np.random.default_rng(0)
    A[:, 1] = twin_of(A[:, 0], 0.03, rng)
    A[:, 4] = np.where(rng.random(len(A)) < 0.5, A[:, 2], A[:, 3])
    A[rng.random(A.shape) < 0.05] = NAN
    complete = add_constant(A[~np.isnan(A).any(axis=1)])
    expected = [variance_inflation_factor(complete, j) for j in range(1, 6)]
    np.testing.assert_allclose(variance_inflation(A), expected, rtol=1e-10)
    assert expected[0] > 5


def test_whole_weights_are_repeated_rows():
    A = columns(n=60, prevalence=(0.3, 0.4, 0.5))
    w = np.random.default_rng(0).integers(1, 5, size=len(A))
    repeated = np.repeat(A, w, axis=0)
    expected = variance_inflation(repeated)
    np.testing.assert_allclose(variance_inflation(A, w.astype(float)), expected)
    expected = annotation_overlap(repeated)
    weighted = annotation_overlap(A, w.astype(float))
    for name in ("agreement", "phi", "jaccard"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(expected, name))


def test_variance_inflation_is_infinite_for_exact_dependence_and_for_nothing_else():
    rng = np.random.default_rng(0)
    a, b, c, d = columns(n=500, prevalence=(0.3, 0.2, 0.5, 0.4)).T
    d = np.where(rng.random(500) < 0.5, c, d)
    either = np.maximum(a, b)
    A = np.column_stack([a, b, either, a * b, c, d])  # a + b = either + both
    vif = variance_inflation(A)
    assert np.isinf(vif[:4]).all()
    # the others: as if one of the four were not there
    expected = variance_inflation(np.delete(A, 3, axis=1))[-2:]
    np.testing.assert_allclose(vif[4:], expected, rtol=1e-8)
    vif = variance_inflation(np.column_stack([a, a, c]))
    assert vif.tolist()[:2] == [np.inf, np.inf]
    assert 1 <= vif[2] < 1.1
    vif = variance_inflation(np.column_stack([a, 1 - a]))
    assert vif.tolist() == [np.inf, np.inf]


def test_one_row_of_a_million_is_no_exact_dependence():
    a = np.zeros(1_000_000)
    a[:300_000] = 1
    b = a.copy()
    b[0] = 0
    found = variance_inflation(np.column_stack([a, b]))
    phi = np.corrcoef(a, b)[0, 1]
    np.testing.assert_allclose(found, 1 / (1 - phi**2), rtol=1e-6)


def test_columns_that_do_not_vary_cost_no_rows():
    A = columns(prevalence=(0.3, 0.4, 0.2, 0.5))
    expected = variance_inflation(A[:, :2])
    A[:, 2], A[1:, 3] = NAN, NAN
    vif = variance_inflation(A)
    np.testing.assert_allclose(vif[:2], expected)
    assert np.isnan(vif[2:]).all()


def test_no_common_row_no_variance_inflation():
    A = columns(prevalence=(0.3, 0.4))
    A[:200, 0], A[200:, 1] = NAN, NAN
    assert np.isnan(variance_inflation(A)).all()
    assert variance_inflation(np.empty((5, 0))).shape == (0,)
    assert np.isnan(variance_inflation(np.empty((0, 2)))).all()


# Weights and pairs ----------------------------------------------------------------


def test_a_report_inflates_variances_by_the_weights_of_its_regression():
    """Two columns are nearly one in the half of the rows that weighs much."""
    rng = np.random.default_rng(0)
    a, b = (rng.random((2, 2000)) < 0.5).astype(float)
    heavy = np.arange(2000) < 1000
    b[heavy] = twin_of(a[heavy], 0.001, rng)
    A, w = np.column_stack([a, b]), np.where(heavy, 10.0, 0.1)
    y = a + rng.normal(size=2000)
    report = evaluate_annotations(A, y, sample_weight=w, n_resamples=0)
    phi = np.cov(a, b, aweights=w)
    phi = phi[0, 1] / np.sqrt(phi[0, 0] * phi[1, 1])
    assert report.redundancy.correlation[0, 1] == pytest.approx(phi)
    np.testing.assert_allclose(report.table["vif"], 1 / (1 - phi**2))
    assert report.table["vif"].min() > 30
    assert report.table["duplicate_of"].tolist() == ["", "x0"]
    light = evaluate_annotations(A, y, n_resamples=0)
    assert light.table["vif"].max() < 2
    assert light.table["duplicate_of"].tolist() == ["", ""]


def test_a_test_of_pairs_inflates_variances_of_its_differences():
    """What the members of a pair share is in no difference, and inflates nothing."""
    rng = np.random.default_rng(0)
    shared = np.repeat(rng.random(600) < 0.5, 2)
    own = rng.random((3, 1200)) < 0.1
    A = np.where(own, 1 - shared, shared).T.astype(float)
    A[:, 2] = np.where(rng.random(1200) < 0.02, 1 - A[:, 0], A[:, 0])
    pair = np.repeat(np.arange(600), 2)
    turned = np.arange(1200) ^ (rng.random(600) < 0.5).repeat(2)
    y = A[:, 0] + rng.normal(size=1200)
    report = evaluate_annotations(A, y, pairs=pair, n_resamples=0)
    D = A[::2] - A[1::2]
    phi = D.T @ D / np.sqrt(np.outer(*[(D**2).sum(axis=0)] * 2))
    np.testing.assert_allclose(report.redundancy.correlation, phi)
    expected = np.linalg.inv(phi).diagonal()
    np.testing.assert_allclose(report.table["vif"], expected)
    assert report.table.loc[1, "vif"] < 1.01 < 1.2 < variance_inflation(A)[1]
    (near,) = report.redundancy.pairs.to_dict("records")
    same = D[:, 0] == D[:, 2]
    assert (near["first"], near["second"], near["n"]) == ("x0", "x2", 600)
    assert near["agreement"] == pytest.approx(same.mean())
    either = D[:, [0, 2]].any(axis=1)
    assert near["jaccard"] == pytest.approx(same[either].mean())
    again = evaluate_annotations(A[turned], y[turned], pairs=pair, n_resamples=0)
    np.testing.assert_allclose(again.table["vif"], expected)


def test_overlap_of_differences_by_hand():
    D = np.array([[1, 1], [-1, -1], [1, -1], [0, 1], [0, 0], [1, NAN]])
    overlap = annotation_overlap(D, paired=True)
    assert overlap.n[0, 1] == 5
    assert overlap.phi[0, 1] == pytest.approx((2 - 1) / np.sqrt(3 * 4))
    assert overlap.agreement[0, 1] == pytest.approx(3 / 5)
    assert overlap.jaccard[0, 1] == pytest.approx(2 / 4)
    a = np.array([1.0, 1, -1, 0])
    overlap = annotation_overlap(np.column_stack([a, a, -a, 0 * a]), paired=True)
    np.testing.assert_array_equal(overlap.phi[0], [1, 1, -1, NAN])
    vif = variance_inflation(np.column_stack([a, -a]), paired=True)
    assert vif.tolist() == [np.inf, np.inf]
    # all the same is variation about zero
    ones = np.ones((4, 1))
    assert variance_inflation(ones, paired=True).tolist() == [1.0]


def test_differences_and_their_design():
    design = make_design(
        4,
        sample_weight=[1, 3, 2, 2],
        covariates=[5.0, 1.0, 4.0, 2.0],
        groups=["a", "a", "b", "b"],
        pairs=[1, 1, 2, 2],
        caller="test",
    )
    values = np.array([[1.0, 5], [0, 3], [NAN, 1], [1, 1]])
    np.testing.assert_array_equal(design.differences(values), [[1, 2], [NAN, 0]])
    pairs = design.of_differences()
    assert pairs.paired
    assert pairs.pairs is None
    np.testing.assert_allclose(pairs.weights, [1, 1])
    np.testing.assert_array_equal(pairs.covariates, [[4], [2]])
    assert pairs.clusters.tolist() == [0, 1]
    assert pairs.differences(values) is values
    assert pairs.of_differences() is pairs


# Effective number -----------------------------------------------------------------


def test_effective_number():
    assert effective_number(np.eye(7)) == pytest.approx(7)
    assert effective_number(np.ones((4, 4))) == pytest.approx(1)
    two_and_one = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=float)
    # eigenvalues 2, 1, 0: (sqrt 2 + 1)^2 / 3
    assert effective_number(two_and_one) == pytest.approx((2**0.5 + 1) ** 2 / 3)
    undefined = np.full((3, 3), NAN)
    assert effective_number(undefined) == 0
    undefined[:2, :2] = np.eye(2)
    assert effective_number(undefined) == pytest.approx(2)
    # opposites are as redundant as duplicates
    assert effective_number(np.array([[1.0, -1], [-1, 1]])) == pytest.approx(1)


def test_independent_hypotheses_are_nearly_all_effective():
    found = measure_redundancy(columns(n=5000, prevalence=np.full(20, 0.2)))
    assert 19.8 < found.n_effective <= 20


# Pairs and clusters ---------------------------------------------------------------


@pytest.fixture
def several():
    """Five hypotheses; b is a twin of a, c its opposite, d worded like it."""
    rng = np.random.default_rng(0)
    a, d, e = columns(n=2000, prevalence=(0.3, 0.2, 0.1), seed=1).T
    A = np.column_stack([a, twin_of(a, 0.03, rng), 1 - a, d, e])
    names = [
        "expresses gratitude",
        "says thank you",
        "is ungrateful",
        "expresses the gratitude",
        "asks a question",
    ]
    return A, names


def test_pairs_are_named_by_kind(several):
    A, names = several
    found = measure_redundancy(A, names)
    pairs = found.pairs.set_index(["first", "second"])["kind"].to_dict()
    assert pairs == {
        (names[0], names[2]): "opposite",
        (names[0], names[1]): "near",
        (names[1], names[2]): "opposite",
        (names[0], names[3]): "wording",
    }
    assert found.pairs["kind"].tolist()[-1] == "wording"
    assert found.clusters.tolist() == [0, 0, 0, 1, 2]
    assert np.isinf(found.vif[[0, 2]]).all()
    text = str(found)
    for name in names[:3]:
        assert name in text
    assert "3 of 5" in text
    assert "asks" not in text


def test_exact_duplicates_are_exact_on_the_rows_that_they_share():
    a = columns()[:, 0]
    b = a.copy()
    b[:100] = NAN
    pair = measure_redundancy(np.column_stack([a, b])).pairs.iloc[0]
    assert pair["kind"] == "exact"
    assert (pair["n"], pair["agreement"], pair["phi"]) == (300, 1.0, 1.0)
    assert (pair["first"], pair["second"]) == ("x0", "x1")


def test_rare_hypotheses_agree_and_are_no_duplicates():
    A = columns(n=5000, prevalence=(0.01, 0.01))
    found = measure_redundancy(A)
    assert annotation_overlap(A).agreement[0, 1] > 0.97
    assert len(found.pairs) == 0
    assert found.clusters.tolist() == [0, 1]


def test_few_shared_answers_prove_nothing():
    a = columns()[:, 0]
    b = a.copy()
    first = np.flatnonzero(a)[:5].tolist() + np.flatnonzero(a == 0)[:5].tolist()
    b[first] = 1 - b[first]
    b[20:] = NAN
    sparse = np.full(len(a), NAN)
    sparse[:15] = a[:15]
    other = a.copy()
    other[15:] = NAN
    other[300:] = 1 - a[300:]
    # 15 shared answers, and both have more or just these
    assert len(measure_redundancy(np.column_stack([other, sparse])).pairs) == 1
    sparse[200:290] = a[200:290]
    assert len(measure_redundancy(np.column_stack([other, sparse])).pairs) == 0


@pytest.mark.parametrize("n_shared", [19, 20])
def test_twenty_shared_answers_are_enough(n_shared):
    a = columns()[:, 0]
    first, second = a.copy(), a.copy()
    first[n_shared + 100 :] = NAN
    second[:100] = NAN
    found = measure_redundancy(np.column_stack([first, second])).pairs
    assert found["kind"].tolist() == ["exact"] * (n_shared == 20)


def test_clusters_are_chains():
    rng = np.random.default_rng(0)
    a = columns(n=3000, prevalence=(0.5,))[:, 0]
    b = twin_of(a, 0.08, rng)
    c = twin_of(b, 0.08, rng)
    found = measure_redundancy(np.column_stack([a, b, c]), threshold=0.8)
    assert len(found.pairs) == 2
    assert found.correlation[0, 2] < 0.8
    assert found.clusters.tolist() == [0, 0, 0]


def test_a_frame_names_its_hypotheses_and_nothing_is_changed():
    A = pd.DataFrame(columns(), columns=list("abcd"))
    A["e"] = A["a"]
    A["f"] = pd.array([None] * len(A), dtype="boolean")
    before = A.copy()
    reduced = drop_or_merge(A)
    pd.testing.assert_frame_equal(A, before)
    assert reduced.names == list("abcdf")
    assert reduced.table["hypothesis"].tolist() == list("abcdef")


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (5, 0), (5, 1)])
def test_little_data(shape):
    found = measure_redundancy(np.zeros(shape))
    assert len(found.pairs) == 0
    assert found.pairs.columns[0] == "first"
    assert len(found.clusters) == len(found.vif) == shape[1]
    assert found.n_effective == 0
    assert "0 of" in str(found)
    assert drop_or_merge(np.zeros(shape)).annotations.shape == shape


def test_to_dict_is_json(several):
    A, names = several
    A[:, 4] = NAN
    found = json.loads(
        json.dumps(measure_redundancy(A, names).to_dict(), allow_nan=False)
    )
    assert found["vif"][0] == "Infinity"
    assert found["vif"][4] is None
    assert found["pairs"][0]["kind"] == "opposite"
    assert found["correlation"][4] == [None] * 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: drop_or_merge([[0.5]]), "1, 0 or NaN"),
        (lambda: drop_or_merge([[1, 0]], ["a"]), "1 names for 2 columns"),
        (lambda: drop_or_merge([[1, 0]], ["a", "a"]), "more than once by name"),
        (lambda: drop_or_merge([[1], [0]], sample_weight=[1]), "each of the 2 rows"),
        (lambda: drop_or_merge([[1], [0]], sample_weight=[1, -1]), "not negative"),
        (lambda: drop_or_merge([[1, 0]], rule="keep"), "'keep' arrived"),
        (lambda: drop_or_merge([[1, 0]], priority=[1]), "each of the 2 hypotheses"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Wording --------------------------------------------------------------------------


def test_wording_of_lexicons_is_the_overlap_of_their_terms():
    names = ["mentions any of: b, a", "mentions any of: a, c, b", "thanks b"]
    found = measure_wording(names, [("b", "a"), ("a", "c", "b"), ()])
    assert found[0, 1] == pytest.approx(2 / 3)
    assert found[0, 2] == measure_wording(names)[0, 2] > 0  # of their words
    np.testing.assert_array_equal(np.diag(found), 1)
    pairs = measure_redundancy(
        columns()[:, :3], names, terms=[["a", "b"], ["b", "a"], []]
    )
    assert pairs.pairs["kind"].tolist() == ["wording"]


def test_wording_of_statements_is_that_of_their_content_words():
    names = [
        "Mentions a refund.",
        "mentions the refund",
        "mentions no refund",
        "mentions a delivery",
        "the",
        "",
    ]
    found = measure_wording(names)
    assert found[0, 1] == 1
    assert found[0, 2] == 0.5  # a denial is content
    assert found[0, 3] == 0
    assert not found[4:, :4].any()
    assert found[4, 5] == 0


# Reduction ------------------------------------------------------------------------


def test_drop_keeps_the_first_then_the_best_answered_then_the_preferred(several):
    A, names = several
    reduced = drop_or_merge(A, names)
    assert reduced.names == [names[0], names[3], names[4]]
    np.testing.assert_array_equal(reduced.annotations, A[:, [0, 3, 4]])
    A[:50, 0] = NAN
    assert drop_or_merge(A, names).names == [names[1], names[3], names[4]]
    reduced = drop_or_merge(A, names, priority=[0.2, NAN, 0.5, 0.1, 0.1])
    assert reduced.names == [names[2], names[3], names[4]]
    table = reduced.table
    assert table["action"].tolist() == ["dropped", "dropped", "kept", "kept", "kept"]
    assert table["into"].tolist() == [names[2], names[2], *names[2:]]
    assert (table["phi"][:2] < -0.8).all()
    assert table["phi"][2:].isna().all()
    assert len(table) == 5  # what a correction counts


def test_no_two_that_are_kept_are_near_and_each_other_is_near_what_stands_for_it():
    rng = np.random.default_rng(0)
    chain = [columns(n=3000, prevalence=(0.5,))[:, 0]]
    for _ in range(6):
        chain.append(twin_of(chain[-1], 0.06, rng))
    A = np.column_stack(chain)
    names = [f"h{j}" for j in range(7)]
    reduced = drop_or_merge(A, names, priority=[3, 0, 1, 0, 2, 0, 1])
    kept = annotation_overlap(reduced.annotations).phi
    assert (kept[~np.eye(len(kept), dtype=bool)] < 0.8).all()
    dropped = reduced.table[reduced.table["action"] == "dropped"]
    assert (dropped["phi"] >= 0.8).all()
    phi = annotation_overlap(A).phi
    for j, row in dropped.iterrows():
        to_kept = {name: phi[j, names.index(name)] for name in reduced.names}
        assert row["into"] == max(to_kept, key=to_kept.get)


def test_merge_is_any_of_them_with_missing_answers_kept():
    one, zero = np.ones(30), np.zeros(30)
    a = np.r_[one, zero, 1, 0, NAN, NAN, NAN, 1]
    b = np.r_[one, zero, 0, 1, 1, 0, NAN, NAN]  # answers more often
    c = 1 - a
    other = columns(n=len(a), prevalence=(0.5,))[:, 0]
    A = pd.DataFrame({"a": a, "other": other, "b": b, "not a": c})
    reduced = drop_or_merge(A, rule="merge")
    assert reduced.names == ["other", "b or a"]
    assert list(reduced.annotations.columns) == reduced.names
    expected = np.r_[one, zero, 1, 1, 1, NAN, NAN, 1]
    np.testing.assert_array_equal(reduced.annotations["b or a"], expected)
    table = reduced.table
    assert table["action"].tolist() == ["merged", "kept", "kept", "dropped"]
    assert table["into"].tolist() == ["b or a", "other", "b or a", "b or a"]


# What the twin hides --------------------------------------------------------------


def holm_level(p, n_tested, alpha=0.1):
    """Whether the smallest of the p-values is significant among so many tests."""
    return p <= alpha / n_tested


def test_a_twin_that_agrees_on_97_of_100_texts_hides_an_effect_until_it_is_dropped():
    """A tenth of runs at most lose the effect afterwards; most lose it before.

    The effect is 0.25 standard deviations, on 2,000 texts beside 8 other hypotheses.
    Every hypothesis ever there counts in the denominator, the dropped one included.
    """
    n_runs, found = 50, {"all": 0, "drop": 0, "merge": 0}
    names = ["true effect", *[f"other {j}" for j in range(8)], "its twin"]
    for run in range(n_runs):
        rng = np.random.default_rng(run)
        A = (rng.random((2000, 10)) < 0.3).astype(float)
        A[:, 9] = twin_of(A[:, 0], 0.03, rng)
        y = 0.25 * A[:, 0] + rng.standard_normal(2000)
        pairs = measure_redundancy(A, names).pairs
        assert pairs[["first", "second"]].to_numpy().tolist() == [
            ["true effect", "its twin"]
        ]
        assert pairs["kind"].tolist() == ["near"]
        p = OLS(y, add_constant(A)).fit().pvalues[1:]
        found["all"] += holm_level(p[[0, 9]].min(), 10)
        for rule in ("drop", "merge"):
            reduced = drop_or_merge(A, names, rule=rule)
            p = OLS(y, add_constant(reduced.annotations)).fit().pvalues[1:]
            found[rule] += holm_level(p[0], len(reduced.table))
    assert found["all"] < n_runs / 2
    assert found["drop"] >= 0.9 * n_runs
    assert found["merge"] >= 0.9 * n_runs


@pytest.mark.parametrize("n", range(20, 400, 20))
def test_a_phi_of_the_threshold_is_near(n):
    first = np.arange(n) < n // 2
    second = first ^ (np.arange(n) % (n // 2) < n // 20)  # a tenth differs
    A = np.column_stack([first, second]).astype(float)
    found = measure_redundancy(A, ["a", "b"], Design())
    assert found.correlation[0, 1] == pytest.approx(0.8)
    assert found.pairs["kind"].tolist() == ["near"]


def test_statements_of_reduced_hypotheses_are_objects():
    A = np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1]] * 10)
    table = drop_or_merge(A, ["a", "b", "c"]).table
    assert table["into"].tolist() == ["a", "a", "c"]
    assert table["into"].dtype == table["hypothesis"].dtype == object


@pytest.mark.parametrize(
    ("second", "alike"),
    [("mentions green tea pots", True), ("mentions green pots", False)],
)
def test_two_thirds_of_the_words_are_alike(second, alike):
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, (200, 2)).astype(float)
    found = measure_redundancy(A, ["mentions green tea", second], Design())
    assert found.pairs["kind"].tolist() == ["wording"] * alike
    if alike:
        assert found.pairs["wording"][0] == pytest.approx(2 / 3)
