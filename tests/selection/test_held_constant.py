"""Covariates and levels held constant in a selection."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import sparse
from sklearn import config_context
from sklearn.feature_selection import r_regression
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_hypo import HypothesisExtractor, NeuronSelector, make_hypothesis_pipeline
from sklearn_hypo._selection._held_constant import HeldConstant
from sklearn_hypo.datasets import make_concept_texts

METHODS = ["lasso", "correlation", "separation"]


def make_rows(n=400, seed=0):
    """Neurons 0 and 1 stand for the platform, which drives y; 4 and 5 drive it too."""
    rng = np.random.default_rng(seed)
    A = np.maximum(rng.standard_normal((n, 8)) - 0.3, 0)
    platform = rng.integers(0, 3, size=n)
    A[:, 0] *= platform > 0
    A[:, 1] *= platform < 1
    y = A[:, 4] - A[:, 5] + 4 * platform + 0.5 * rng.standard_normal(n)
    return A, y, np.array(["web", "app", "print"])[platform], rng


def selected(selector):
    return set(selector.get_support(indices=True))


def hold(covariates=None, fixed_effects=None, n=400):
    rows = np.ones(n, dtype=bool)
    return HeldConstant.of(covariates, fixed_effects, rows, n, caller="test")


# Residuals ------------------------------------------------------------------------


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_residuals_are_those_of_least_squares(convert):
    A, _, platform, rng = make_rows()
    age, year = rng.normal(size=400), rng.integers(0, 5, size=400)
    frame = pd.DataFrame({"platform": platform, "age": 1e6 * age, "twice": 2e6 * age})
    columns = pd.get_dummies(frame.assign(year=year), columns=["platform", "year"])
    columns = columns.drop(columns="twice").to_numpy(float) / [1e6, *np.ones(8)]
    expected = A - LinearRegression().fit(columns, A).predict(columns)
    found = hold(frame, year).residuals(convert(A), block=3)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    single = hold(frame, year).residuals(convert(A.astype(np.float32)))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_determined_is_exactly_zero(dtype):
    _, _, platform, rng = make_rows()
    age = rng.normal(size=400)
    columns = np.column_stack(
        [np.full(400, 0.7), 0.3 * (platform == "web") + 0.1, 5 + age / 3, age**2]
    ).astype(dtype)
    frame = pd.DataFrame({"platform": platform, "age": age})
    left = hold(frame).residuals(columns)
    assert (left[:, :3] == 0).all()
    assert left[:, 3].std() > 0.5


def test_nothing_is_held_constant_without_anything():
    assert hold() is None
    assert hold(np.empty((400, 0))) is None


# Scores ---------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("method", METHODS)
def test_a_planted_confounder_is_not_selected(method, task):
    A, y, platform, _ = make_rows()
    if task == "classification":
        y = np.where(y > np.median(y), "high", "low")
    selector = NeuronSelector(n_select=2, method=method)
    assert selected(selector.fit(A, y)) & {0, 1}
    assert selected(selector.fit(A, y, fixed_effects=platform)) == {4, 5}
    frame = pd.DataFrame({"platform": platform})
    assert selected(selector.fit(A, y, covariates=frame)) == {4, 5}
    assert selected(selector.fit(A, y)) & {0, 1}  # nothing is remembered


def test_several_classes():
    A, _, platform, rng = make_rows(n=900)
    # class and platform go together; within platforms the class goes with 4 and 5
    scores = np.column_stack([2 * A[:, 4], 2 * A[:, 5], np.ones(900)])
    scores += 3 * (platform[:, None] == ["web", "app", "print"])
    y = np.array(list("abc"))[(scores + rng.gumbel(size=(900, 3))).argmax(axis=1)]
    selector = NeuronSelector(n_select=2, method="correlation")
    assert selected(selector.fit(A, y)) & {0, 1}
    assert selected(selector.fit(A, y, fixed_effects=platform)) == {4, 5}


def test_correlations_are_partial_ones():
    A, y, platform, rng = make_rows()
    age = rng.normal(size=400)
    frame = pd.DataFrame({"platform": platform, "age": age})
    selector = NeuronSelector(method="correlation", n_select="all")
    selector.fit(A, y, covariates=frame)
    others = sm.add_constant(pd.get_dummies(frame, dtype=float, drop_first=True))
    for j in range(A.shape[1]):
        # t statistics of a joint regression tell partial correlations
        t = sm.OLS(y, others.assign(neuron=A[:, j])).fit().tvalues["neuron"]
        partial = t / np.sqrt(t**2 + 400 - 5)
        assert selector.scores_[j] == pytest.approx(partial, abs=1e-9)
    levels = NeuronSelector(method="correlation", n_select="all")
    levels.fit(A, y, covariates=age, fixed_effects=platform)
    np.testing.assert_allclose(levels.scores_, selector.scores_, atol=1e-9)


def test_separations_are_of_what_is_left_of_the_target():
    A, y, platform, _ = make_rows()
    selector = NeuronSelector(method="separation", n_select=2, n_top=1000)
    selector.fit(A, y, fixed_effects=platform)
    rest = y - pd.Series(y).groupby(platform).transform("mean").to_numpy()
    active = A[:, 5] > 0
    expected = rest[active].mean() - rest[~active].mean()
    assert selector.scores_[5] == pytest.approx(expected)


def test_a_callable_sees_residuals():
    A, y, platform, _ = make_rows()
    seen = []

    def method(activations, target):
        seen.append((activations, target))
        return np.abs(r_regression(activations, target))

    NeuronSelector(n_select=2, method=method).fit(A, y, fixed_effects=platform)
    (left, target), held = seen[0], hold(fixed_effects=platform)
    np.testing.assert_allclose(left, held.residuals(A))
    np.testing.assert_allclose(target, held.residuals(y[:, None])[:, 0])
    with pytest.raises(ValueError, match="a callable method scores classes as they"):
        NeuronSelector(n_select=2, method=method).fit(A, y > 4, covariates=y)


def test_copies_are_told_by_what_is_left():
    A, y, platform, _ = make_rows()
    A[:, 6] = A[:, 4] + 50 * (platform == "web")
    selector = NeuronSelector(n_select="all", method="correlation", max_correlation=0.9)
    kept = selected(selector.fit(A, y, fixed_effects=platform))
    assert len(kept & {4, 6}) == 1


@pytest.mark.parametrize("method", METHODS)
def test_what_covariates_determine_is_never_selected(method):
    A, y, platform, _ = make_rows()
    A[:, 2] = platform == "web"
    selector = NeuronSelector(n_select="all", method=method)
    kept = selected(selector.fit(A, y, fixed_effects=platform))
    assert kept == set(range(8)) - {2}


def test_rows_without_a_target_need_no_covariates():
    A, y, platform, _ = make_rows()
    y[:50] = np.nan
    gaps = platform.astype(object)
    gaps[:50] = None
    selector = NeuronSelector(n_select=2).fit(A, y, fixed_effects=gaps)
    expected = NeuronSelector(n_select=2).fit(
        A[50:], y[50:], fixed_effects=platform[50:]
    )
    np.testing.assert_array_equal(selector.scores_, expected.scores_)


@pytest.mark.parametrize("convert", [list, pd.Series, pl.Series])
def test_any_column_will_do(convert):
    A, y, platform, _ = make_rows()
    selector = NeuronSelector(n_select=2)
    assert selected(selector.fit(A, y, fixed_effects=convert(platform))) == {4, 5}
    assert selected(selector.fit(A, y, covariates=convert(platform))) == {4, 5}


# What is refused ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["covariates", "fixed_effects"])
@pytest.mark.parametrize(
    "estimator", [NeuronSelector(n_select=2), HypothesisExtractor()]
)
def test_other_lengths_are_refused(estimator, name):
    A, y, platform, _ = make_rows()
    X = pd.DataFrame(A, index=pd.Index([f"text {i}" for i in range(400)], name="text"))
    message = f"{type(estimator).__name__}: {name} has 399 rows, but X has 400"
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y, **{name: platform[1:]})


def test_gaps_and_targets_without_a_rest_are_refused():
    A, y, platform, _ = make_rows()
    gaps = platform.astype(object)
    gaps[7] = None
    with pytest.raises(
        ValueError, match="1 of 400 values of fixed_effects are missing"
    ):
        NeuronSelector(n_select=2).fit(A, y, fixed_effects=gaps)
    with pytest.raises(ValueError, match="determine y"):
        NeuronSelector(n_select=2).fit(A, y, covariates=2 * y + 1)


# Pipelines ------------------------------------------------------------------------


def test_in_cross_validation_and_grids():
    A, y, platform, _ = make_rows()
    pipe = make_pipeline(NeuronSelector(n_select=2), LinearRegression())
    params = {"neuronselector__fixed_effects": platform}
    found = cross_validate(pipe, A, y, params=params, return_estimator=True)
    assert all(selected(each[0]) == {4, 5} for each in found["estimator"])
    search = GridSearchCV(pipe, {"neuronselector__n_select": [2]}, cv=3)
    assert selected(search.fit(A, y, **params).best_estimator_[0]) == {4, 5}


def test_by_metadata_routing():
    A, y, platform, _ = make_rows()
    with config_context(enable_metadata_routing=True):
        selector = NeuronSelector(n_select=2).set_fit_request(fixed_effects=True)
        pipe = make_pipeline(selector, LinearRegression())
        found = cross_validate(
            pipe, A, y, params={"fixed_effects": platform}, return_estimator=True
        )
    assert all(selected(each[0]) == {4, 5} for each in found["estimator"])


def test_hypotheses_do_not_stand_for_the_platform():
    data = make_concept_texts(400, n_concepts=3, random_state=0)
    rng = np.random.default_rng(0)
    platform = rng.integers(0, 2, 400)
    says = np.array(["posted with the app", "printed in the weekly"])[platform]
    texts = [
        f"{text} {words}" if rng.random() < 0.8 else text
        for text, words in zip(data.data, says, strict=True)
    ]
    y = data.target + 3 * platform
    pipe = make_hypothesis_pipeline(
        "lsa",
        n_neurons=32,
        k=4,
        n_select=3,
        supervised=False,
        n_fits=1,
        style=False,
        random_state=0,
    )

    def correlate_with_platform(**params):
        found = pipe.fit(texts, y, **params).transform(texts)
        return np.abs(found.apply(lambda marks: np.corrcoef(marks, platform)[0, 1]))

    assert correlate_with_platform().max() > 0.7
    steps = ("select", "hypotheses")
    held = {f"{step}__covariates": platform for step in steps}
    assert correlate_with_platform(**held).max() < 0.2


def test_the_choice_among_hypotheses_holds_covariates_constant():
    A, y, platform, rng = make_rows()
    extractor = HypothesisExtractor(n_hypotheses=1)
    marks = np.column_stack([platform == "web", A[:, 4] > 0]).astype(float)
    marks[rng.random(400) < 0.1, 0] = np.nan
    targets = y[:, None]
    assert extractor._choose_hypotheses(marks, targets, None).tolist() == [0]
    held = hold(fixed_effects=platform)
    assert extractor._choose_hypotheses(marks, targets, held).tolist() == [1]
