"""`NeuronSelector` as a user and as scikit-learn meets it."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import f_classif, f_regression, r_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from transformer_checks import further_checks

from sklearn_hypo import NeuronSelector
from sklearn_hypo._selection import _neuron_selector, _scores
from sklearn_hypo._utils import _correlation
from sklearn_hypo._utils._correlation import compute_moments
from sklearn_hypo.exceptions import HypothesisWarning

METHODS = ["lasso", "correlation", "separation"]


def activations(n_rows=400, n_neurons=12, seed=0):
    rng = np.random.default_rng(seed)
    return np.maximum(rng.standard_normal((n_rows, n_neurons)) - 0.5, 0)


@pytest.fixture
def A():
    return activations()


@pytest.fixture
def y(A):
    noise = np.random.default_rng(1).standard_normal(len(A))
    return 3 * A[:, 7] - 2 * A[:, 2] + A[:, 9] + 0.3 * noise


def selected(selector):
    return list(selector.get_support(indices=True))


# --- scikit-learn's checks ----------------------------------------------------------


class AbsoluteCorrelation:
    """A callable whose repr, and so the name of the test, is always the same."""

    def __call__(self, activations, y):
        return np.abs(r_regression(activations, y))

    def __repr__(self):
        return "absolute_correlation"


absolute_correlation = AbsoluteCorrelation()


CONFIGURATIONS = [NeuronSelector(n_select=1, method=method) for method in METHODS] + [
    NeuronSelector(n_select="all"),
    NeuronSelector(n_select=2, method="correlation", task="regression"),
    NeuronSelector(n_select=1, method=absolute_correlation),
]


@pytest.mark.filterwarnings("ignore:NeuronSelector:UserWarning")
@pytest.mark.filterwarnings("ignore:(invalid value|divide by zero):RuntimeWarning")
@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:NeuronSelector:UserWarning")
@pytest.mark.parametrize("method", METHODS)
@further_checks
def test_further_scikit_learn_checks(check, method):
    check("NeuronSelector", NeuronSelector(n_select=1, method=method))


# --- what is selected ---------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_finds_the_neurons_that_matter(A, y, method):
    selector = NeuronSelector(3, method=method).fit(A, y)
    assert selected(selector) == [2, 7, 9]
    assert selector.ranking_[7] == 1
    assert sorted(selector.ranking_) == list(range(1, 13))
    assert selector.scores_[7] > 0 > selector.scores_[2]
    assert selector.scores_.shape == (12,)


def test_scores_are_what_the_documentation_says(A, y):
    correlation = NeuronSelector(3, method="correlation").fit(A, y).scores_
    np.testing.assert_allclose(correlation, np.corrcoef(A.T, y)[:12, 12], atol=1e-12)
    separation = NeuronSelector(3, method="separation", n_top=20).fit(A, y).scores_
    top = np.argsort(-A[:, 7])[:20]
    expected = y[top].mean() - y[A[:, 7] == 0].mean()
    assert separation[7] == pytest.approx(expected)
    lasso = NeuronSelector(3, method="lasso").fit(A, y).scores_
    assert np.count_nonzero(lasso) == 3


def test_separation_uses_n_top(A, y):
    few, many = (
        NeuronSelector(3, method="separation", n_top=n).fit(A, y).scores_
        for n in (5, 200)
    )
    assert abs(few[7]) > abs(many[7])


def test_other_targets_other_neurons(A, y):
    rng = np.random.default_rng(0)
    for method in METHODS:
        kept = selected(NeuronSelector(3, method=method).fit(A, y))
        others = [
            selected(NeuronSelector(3, method=method).fit(A, rng.permutation(y)))
            for _ in range(5)
        ]
        assert any(other != kept for other in others)


@pytest.mark.parametrize("task", ["regression", "classification", "multiclass"])
@pytest.mark.parametrize("method", [*METHODS, absolute_correlation])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_select", [2, 6])
def test_order_of_rows_does_not_matter(method, task, dtype, n_select):
    A = activations(3000).astype(dtype)
    A[:, 5] = A[:, 3]  # a tie
    noise = np.random.default_rng(1).standard_normal(3000)
    y = A[:, 3] + A[:, 8] - A[:, 1] + noise
    if task != "regression":
        y = np.digitize(y, [0] if task == "classification" else [-0.5, 0.5, 1.5])
    task = "regression" if task == "regression" else "classification"
    kept = NeuronSelector(n_select, method=method, task=task).fit(A, y)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(3000)
        other = clone(kept).fit(A[order], y[order])
        assert selected(other) == selected(kept)
        if not callable(method):
            np.testing.assert_array_equal(other.ranking_, kept.ranking_)
    if n_select == 2:
        assert 5 not in selected(kept) or 3 in selected(kept)


@pytest.mark.parametrize("method", ["correlation", "separation"])
def test_ties_go_to_the_lower_column(method, y, A):
    tied = A[:, [7, 2, 7, 2, 7]]
    selector = NeuronSelector(2, method=method).fit(tied, y)
    assert selected(selector) == [0, 2]
    assert list(selector.ranking_) == [1, 4, 2, 5, 3]


def test_many_ties_go_to_the_lower_columns(A, y):
    tied = np.tile(A[:, [7, 2]], 100)
    selector = NeuronSelector(30, method="correlation").fit(tied, y)
    assert selected(selector) == list(range(0, 60, 2))
    kept = NeuronSelector(30, method=lambda A, y: np.ones(200)).fit(tied, y)
    assert selected(kept) == list(range(30))


def test_lasso_prefers_neurons_that_tell_different_things(A, y):
    rng = np.random.default_rng(0)
    near = A[:, [7]] + 0.05 * rng.random((len(A), 3))  # echoes of neuron 7
    both = np.hstack([A, near])
    correlation = selected(NeuronSelector(3, method="correlation").fit(both, y))
    assert set(correlation) <= {7, 12, 13, 14}
    lasso = selected(NeuronSelector(3, method="lasso").fit(both, y))
    assert {2, 9} <= set(lasso)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_select", [1, 5, 11, 12])
def test_exactly_n_select(A, y, method, n_select):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        selector = NeuronSelector(n_select, method=method).fit(A, y)
    assert selector.get_support().sum() == n_select
    assert selector.transform(A).shape == (400, n_select)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_select", range(1, 13))
def test_exactly_n_select_with_classes(A, method, n_select):
    # all classes together may gain two neurons at one penalty
    labels = np.array(list("abcd"))[np.argmax(A[:, :4], axis=1)]
    selector = NeuronSelector(n_select, method=method).fit(A, labels)
    assert selector.get_support().sum() == n_select


@pytest.mark.parametrize("method", METHODS)
def test_dense_sparse_and_frame_agree(A, y, method):
    kept = NeuronSelector(4, method=method).fit(A, y)
    for other in (
        sparse.csr_array(A),
        sparse.csc_array(A),
        sparse.csr_matrix(A),
        pd.DataFrame(A),
        A.astype(np.float32),
        A.tolist(),
    ):
        found = clone(kept).fit(other, y)
        np.testing.assert_allclose(found.scores_, kept.scores_, atol=2e-6)
        np.testing.assert_array_equal(found.get_support(), kept.get_support())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_constant_neurons_are_never_selected(A, y, method, container):
    A[:, [0, 7]] = 0.0
    A[:, 3] = 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        selector = NeuronSelector(9, method=method).fit(container(A), y)
        everything = NeuronSelector("all", method=method).fit(container(A), y)
    for fitted in (selector, everything):
        assert selected(fitted) == [1, 2, 4, 5, 6, 8, 9, 10, 11]
        assert (fitted.scores_[[0, 3, 7]] == 0).all()
        assert set(fitted.ranking_[[0, 3, 7]]) == {10, 11, 12}


@pytest.mark.parametrize("method", METHODS)
def test_more_than_there_are(A, y, method):
    A[:, :3] = 0.0
    with pytest.warns(HypothesisWarning, match="n_select=20, but only 9 of 12") as seen:
        selector = NeuronSelector(20, method=method).fit(A, y)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    assert selector.get_support().sum() == 9


def test_proportional_neurons_on_the_lasso_path(A, y):
    twice = np.hstack([A[:, [2, 7]], 5 * A[:, [7, 2]]])
    with pytest.warns(HypothesisWarning, match="only 2 of 4 .* lasso path"):
        selector = NeuronSelector(3).fit(twice, y)
    assert selected(selector) == [0, 1]


def test_all_keeps_every_neuron_that_varies(A, y):
    for method in METHODS:
        assert selected(NeuronSelector("all", method=method).fit(A, y)) == list(
            range(12)
        )


@pytest.mark.parametrize("method", [*METHODS, absolute_correlation])
@pytest.mark.filterwarnings("ignore:(invalid value|divide by zero):RuntimeWarning")
def test_all_constant_is_an_error(y, method):
    with pytest.raises(ValueError, match="no neuron that varies"):
        NeuronSelector(method=method).fit(np.ones((400, 5)), y)


# --- tasks --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "task"),
    [
        (lambda y: y > 1, "classification"),
        (lambda y: (y > 1).tolist(), "classification"),
        (lambda y: np.where(y > 1, "up", "down"), "classification"),
        (lambda y: pd.Series(np.where(y > 1, "up", "down")), "classification"),
        (
            lambda y: pd.Series(np.where(y > 1, "a", "b"), dtype=object),
            "classification",
        ),
        (lambda y: pd.Series(pd.cut(y, 3, labels=[1, 2, 3])), "classification"),
        (lambda y: np.where(y > 1, 1, 0), "classification"),
        (lambda y: np.where(y > 1, 7.5, -2.0), "classification"),
        (lambda y: np.sign(np.round(y)), "regression"),
        (lambda y: np.clip(np.round(y) + 2, 1, 5).astype(int), "regression"),
        (lambda y: y, "regression"),
        (lambda y: list(y), "regression"),
        (lambda y: pd.Series(y), "regression"),
        (lambda y: pl.Series(y), "regression"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_auto_task(A, y, make, task, method):
    selector = NeuronSelector(2, method=method).fit(A, make(y))
    assert selector.task_ == task
    assert 7 in selected(selector)


def test_task_can_be_given(A, y):
    stars = np.clip(np.round(y) + 2, 1, 5).astype(int)
    classes = NeuronSelector(2, task="classification").fit(A, stars)
    assert classes.task_ == "classification"
    assert (classes.scores_ >= 0).all()
    quantity = NeuronSelector(2, task="regression").fit(A, y > 1)
    assert quantity.task_ == "regression"


def test_two_classes_are_a_quantity_of_the_second(A, y):
    for method in METHODS:
        names = NeuronSelector(3, method=method).fit(A, np.where(y > 1, "b", "a"))
        numbers = NeuronSelector(3, method=method, task="regression").fit(
            A, (y > 1).astype(float)
        )
        np.testing.assert_allclose(names.scores_, numbers.scores_)


def test_multiclass_takes_the_largest_over_the_classes(A):
    codes = np.argmax(A[:, :3] + 0.1, axis=1)
    labels = np.array(["x", "y", "z"])[codes]
    found = NeuronSelector(3, method="correlation").fit(A, labels)
    expected = np.abs(np.corrcoef(A.T, np.eye(3)[codes].T)[:12, 12:]).max(axis=1)
    np.testing.assert_allclose(found.scores_, expected, atol=1e-12)
    for method in METHODS:
        assert selected(NeuronSelector(3, method=method).fit(A, labels)) == [0, 1, 2]


# --- callables ----------------------------------------------------------------------


def test_scikit_learns_score_functions(A, y):
    assert selected(NeuronSelector(3, method=f_regression).fit(A, y)) == [2, 7, 9]
    labels = np.where(y > 1, "up", "down")
    assert 7 in selected(NeuronSelector(2, method=f_classif).fit(A, labels))
    assert selected(NeuronSelector(1, method=r_regression).fit(A, y)) == [7]


def test_callable_sees_numbers_or_labels(A, y):
    seen = {}

    def method(activations, target):
        seen.update(activations=activations, y=target)
        return np.arange(12.0)

    labels = np.where(y > 1, "up", "down")
    selector = NeuronSelector(2, method=method).fit(sparse.csr_array(A), labels)
    assert sparse.issparse(seen["activations"])
    np.testing.assert_array_equal(seen["y"], labels)
    NeuronSelector(2, method=method).fit(A, pd.Series(y, dtype=object))
    np.testing.assert_array_equal(seen["y"], y)
    assert seen["y"].dtype == np.float64
    assert selected(selector) == [10, 11]
    np.testing.assert_array_equal(selector.scores_, np.arange(12.0))


def test_nan_scores_are_never_selected(A, y):
    scores = np.full(12, np.nan)
    scores[[1, 5]] = -3.0, -2.0
    with pytest.warns(HypothesisWarning, match=r"only 2 of 12 .*scored NaN"):
        selector = NeuronSelector(3, method=lambda A, y: scores).fit(A, y)
    assert selected(selector) == [1, 5]
    assert selector.ranking_[5] == 1
    with pytest.raises(ValueError, match="nothing to select"):
        NeuronSelector(3, method=lambda A, y: np.full(12, np.nan)).fit(A, y)


def test_infinite_and_huge_scores_rank_first(A, y):
    scores = np.arange(12.0)
    scores[3] = np.inf
    selector = NeuronSelector(3, method=lambda A, y: scores).fit(A, y)
    assert selected(selector) == [3, 10, 11]
    scores[3] = np.finfo(float).max  # what f_regression gives to a perfect column
    selector = NeuronSelector(3, method=lambda A, y: scores).fit(A, y)
    assert selected(selector) == [3, 10, 11]


def test_callable_may_leave_its_scores_in_a_list_or_tuple(A, y):
    scores = list(range(12))
    for result in (scores, (scores, None)):
        assert selected(
            NeuronSelector(1, method=lambda A, y, r=result: r).fit(A, y)
        ) == [11]


@pytest.mark.parametrize("scores", [np.ones(5), np.ones((12, 2)), 1.0])
def test_callable_with_a_wrong_shape(A, y, scores):
    with pytest.raises(ValueError, match=r"one score per neuron, shape \(12,\)"):
        NeuronSelector(3, method=lambda A, y: scores).fit(A, y)


# --- containers ---------------------------------------------------------------------


@pytest.fixture
def frame(A):
    index = pd.Index([f"text {i % 50}" for i in range(len(A))], name="text")
    return pd.DataFrame(A, index=index, columns=[f"neuron{j:03d}" for j in range(12)])


@pytest.mark.parametrize("config", [None, "default", "pandas"])
def test_frame_in_frame_out(frame, y, config):
    selector = NeuronSelector(3)
    if config:
        selector.set_output(transform=config)
    kept = selector.fit_transform(frame, y)
    assert list(kept.columns) == ["neuron002", "neuron007", "neuron009"]
    pd.testing.assert_frame_equal(kept, frame[kept.columns])
    pd.testing.assert_frame_equal(selector.transform(frame[:5]), kept[:5])


def test_polars(frame, A, y):
    selector = NeuronSelector(3).set_output(transform="polars").fit(frame, y)
    kept = selector.transform(frame)
    assert isinstance(kept, pl.DataFrame)
    assert kept.columns == ["neuron002", "neuron007", "neuron009"]
    np.testing.assert_array_equal(kept.to_numpy(), A[:, [2, 7, 9]])
    from_polars = NeuronSelector(3).fit(pl.DataFrame(frame.to_dict("list")), y)
    assert selected(from_polars) == [2, 7, 9]


def test_float32_frame_stays_float32(frame, y):
    kept = NeuronSelector(3).fit_transform(frame.astype(np.float32), y)
    assert set(kept.dtypes) == {np.dtype("float32")}


def test_arrays(A, y):
    selector = NeuronSelector(3).fit(A, y)
    np.testing.assert_array_equal(selector.transform(A), A[:, [2, 7, 9]])
    compressed = selector.transform(sparse.csr_array(A))
    assert sparse.issparse(compressed)
    np.testing.assert_array_equal(compressed.toarray(), A[:, [2, 7, 9]])
    back = selector.inverse_transform(selector.transform(A))
    assert back.shape == A.shape
    np.testing.assert_array_equal(back[:, 7], A[:, 7])
    assert not back[:, 0].any()


def test_feature_names(frame, A, y):
    names = NeuronSelector(3).fit(frame, y).get_feature_names_out()
    assert list(names) == ["neuron002", "neuron007", "neuron009"]
    assert list(NeuronSelector(1).fit(A, y).get_feature_names_out()) == ["x7"]


def test_in_a_grid(frame, y):
    pipe = make_pipeline(NeuronSelector(), Ridge())
    grid = GridSearchCV(
        pipe,
        {
            "neuronselector__n_select": [1, 3, "all"],
            "neuronselector__method": [*METHODS, f_regression],
        },
        cv=3,
        error_score="raise",
    ).fit(frame, y)
    assert grid.score(frame, y) > 0.9
    assert grid.best_params_["neuronselector__n_select"] in (3, "all")


@pytest.mark.parametrize("method", [*METHODS, f_regression])
def test_pickle_clone_and_repr(A, y, method):
    selector = NeuronSelector(3, method=method).fit(A, y)
    copy = pickle.loads(pickle.dumps(selector))  # noqa: S301
    np.testing.assert_array_equal(copy.transform(A), selector.transform(A))
    blank = clone(selector)
    assert blank.get_params() == selector.get_params()
    with pytest.raises(NotFittedError):
        blank.transform(A)
    assert "NeuronSelector" in selector._repr_html_()
    assert "NeuronSelector" in blank._repr_html_()


def test_read_only_arguments_are_not_changed(A, y):
    kept, target = A.copy(), y.copy()
    A.flags.writeable = y.flags.writeable = False
    for method in METHODS:
        NeuronSelector(3, method=method).fit(A, y).transform(A)
    np.testing.assert_array_equal(A, kept)
    np.testing.assert_array_equal(y, target)


# --- rows without a target ------------------------------------------------------------


def targets_with_gaps(y):
    """Some targets, and which rows have one."""
    labelled = np.random.default_rng(2).random(len(y)) < 0.4
    gaps = np.where(labelled, y, np.nan)
    return {
        "float": (gaps, labelled),
        "two numbers": (np.where(labelled, y > 1, np.nan), labelled),
        "two strings": (np.where(labelled, np.where(y > 1, "b", "a"), None), labelled),
        "booleans": (np.where(labelled, y > 1, None), labelled),
        "list": ([None if np.isnan(v) else v for v in gaps], labelled),
        "nullable": (pd.Series(gaps).round().astype("Int64"), labelled),
        "categories": (pd.cut(pd.Series(gaps), 3, labels=[1, 2, 3]), labelled),
        "column": (gaps[:, None], labelled),
    }


@pytest.mark.parametrize("kind", list(targets_with_gaps(np.zeros(2))))
@pytest.mark.parametrize("method", [*METHODS, absolute_correlation])
@pytest.mark.filterwarnings("ignore:.*column-vector:UserWarning")
def test_rows_without_a_target_are_not_looked_at(A, y, kind, method):
    target, labelled = targets_with_gaps(y)[kind]
    if callable(method) and kind in ("two strings", "categories"):
        method = lambda A, y: f_classif(A, y)[0]  # noqa: E731
    known = np.asarray(target, dtype=object).ravel()[labelled].tolist()
    task = "classification" if kind == "categories" else "auto"
    alone = NeuronSelector(3, method=method, task=task).fit(A[labelled], known)
    with_gaps = NeuronSelector(3, method=method).fit(A, target)
    assert with_gaps.task_ == alone.task_
    np.testing.assert_array_equal(with_gaps.scores_, alone.scores_)
    np.testing.assert_array_equal(with_gaps.ranking_, alone.ranking_)
    assert len(with_gaps.transform(A)) == len(A)
    in_csr = NeuronSelector(3, method=method).fit(sparse.csr_array(A), target)
    assert selected(in_csr) == selected(alone)


def test_minus_one_is_a_target(A):
    y = np.where(A[:, 7] > 0, 1, -1)
    y[:20] = 0
    selector = NeuronSelector(1).fit(A, y)
    assert selector.task_ == "regression"
    assert selected(selector) == [7]


# --- bad input ----------------------------------------------------------------------


def spoiled(y, value):
    y = y.astype(object)
    y[3] = value
    return y


@pytest.mark.parametrize(
    ("make", "params", "message"),
    [
        (lambda y: None, {}, "requires y to be passed"),
        (lambda y: np.full(len(y), np.nan), {}, "contains NaN only"),
        (lambda y: [None] * len(y), {}, "contains NaN only"),
        (lambda y: [1.5] + [np.nan] * (len(y) - 1), {}, "one of 400 rows has a target"),
        (lambda y: np.where(y > 2, 1, np.nan), {"task": "regression"}, "constant"),
        (lambda y: np.where(y > 2, "same", None), {}, "single class"),
        (lambda y: np.where(y > 2, np.inf, np.nan), {}, "contains infinity"),
        (lambda y: spoiled(y > 2, np.nan)[:-1], {}, "inconsistent numbers of samples"),
        (lambda y: np.column_stack([y, y * np.nan]), {}, "1d array"),
        (lambda y: np.where(y > 2, np.inf, y), {}, "contains infinity"),
        (lambda y: spoiled(y > 1, "a").astype(str), {"task": "regression"}, "numeric"),
        (lambda y: np.zeros(len(y)), {}, r"y is constant \(0\)"),
        (lambda y: np.full(len(y), 2), {"task": "regression"}, "y is constant"),
        (lambda y: ["same"] * len(y), {}, "single class"),
        (lambda y: np.ones(len(y), dtype=bool), {}, "single class"),
        (lambda y: y[:-1], {}, "inconsistent numbers of samples"),
        (lambda y: np.column_stack([y, y]), {}, "1d array"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_targets_that_cannot_be_used(A, y, make, params, message, method):
    with pytest.raises(ValueError, match=message):
        NeuronSelector(3, method=method, **params).fit(A, make(y))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda A: np.where(A > 2, np.nan, A), "contains NaN"),
        (lambda A: np.where(A > 2, np.inf, A), "contains infinity"),
        (lambda A: A[:, 0], "Expected 2D array"),
        (lambda A: A[:, :0], "0 feature"),
    ],
)
def test_activations_that_cannot_be_used(A, y, make, message):
    with pytest.raises(ValueError, match=message):
        NeuronSelector(3).fit(make(A), y)


def test_one_row_and_no_fit(A, y):
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        NeuronSelector(3).fit(A[:1], y[:1])
    with pytest.raises(NotFittedError):
        NeuronSelector(3).transform(A)
    with pytest.raises(ValueError, match="X has 5 features"):
        NeuronSelector(3).fit(A, y).transform(A[:, :5])


@pytest.mark.parametrize(
    "params",
    [{"n_select": 0}, {"n_select": 2.5}, {"n_select": "many"}, {"method": "anova"}]
    + [{"task": "ranking"}, {"n_top": 0}]
    + [{"max_correlation": 0}, {"max_correlation": 1.1}]
    + [{"term_share": -0.1}, {"term_share": 1}],
)
def test_parameters_that_do_not_fit(A, y, params):
    name = next(iter(params))
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        NeuronSelector(**params).fit(A, y)


@pytest.mark.parametrize("method", ["lasso", "correlation", "separation", f_regression])
def test_moments_are_computed_once(method, monkeypatch):
    calls = []

    def compute(*args):
        calls.append(args)
        return compute_moments(*args)

    for module in (_neuron_selector, _scores, _correlation):
        monkeypatch.setattr(module, "compute_moments", compute)
    rng = np.random.default_rng(0)
    A = np.maximum(rng.standard_normal((60, 5)), 0)
    NeuronSelector(2, method=method).fit(A, A[:, 0] + rng.standard_normal(60))
    assert len(calls) == 1


@pytest.mark.parametrize("method", [*METHODS, f_regression])
def test_copies_are_left_out(method):
    rng = np.random.default_rng(0)
    A = np.maximum(rng.standard_normal((300, 5)), 0)
    y = 3 * A[:, 1] + 2 * A[:, 3] + A[:, 4] + 0.1 * rng.standard_normal(300)
    copies = A + 0.05 * rng.standard_normal(A.shape)
    both = np.hstack([A, copies])
    selector = NeuronSelector(3, method=method, max_correlation=0.9).fit(both, y)
    assert sorted(selector.get_support(indices=True) % 5) == [1, 3, 4]
    if method in ("correlation", "separation"):
        looking_at_each_alone = NeuronSelector(3, method=method).fit(both, y)
        assert sorted(looking_at_each_alone.get_support(indices=True) % 5) != [1, 3, 4]
    left_out = np.setdiff1d([1, 3, 4, 6, 8, 9], selector.get_support(indices=True))
    if not callable(method):
        assert (selector.scores_[left_out] == 0).all()


def test_all_but_copies():
    A = np.abs(np.random.default_rng(0).standard_normal((50, 3)))
    both, y = np.hstack([A, A]), A.sum(axis=1)
    selector = NeuronSelector("all", method="correlation", max_correlation=0.99)
    assert selector.fit(both, y).get_support(indices=True).tolist() == [0, 1, 2]
    with pytest.warns(HypothesisWarning, match="only 3 of 6 .* left out as copies"):
        selector.set_params(n_select=4).fit(both, y)


def terms_beside_neurons():
    """Two neurons that predict y best, then terms: c and a, which say less."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal(400)
    noise = {"neuron0": 0.3, "neuron1": 0.4, "term_a": 2.0, "term_b": 9.0, "term_c": 1}
    columns = {
        name: y + scale * rng.standard_normal(400) for name, scale in noise.items()
    }
    return pd.DataFrame(columns), y


@pytest.mark.parametrize("method", ["lasso", "correlation", f_regression])
def test_some_places_are_for_terms(method):
    X, y = terms_beside_neurons()
    alone = NeuronSelector(2, method=method).fit(X, y)
    assert list(alone.get_feature_names_out()) == ["neuron0", "neuron1"]
    shared = NeuronSelector(4, method=method, term_share=0.5).fit(X, y)
    assert list(X.columns[np.argsort(shared.ranking_)])[:4] == [
        *("neuron0", "neuron1", "term_c", "term_a"),
    ]
    assert sorted(shared.ranking_) == [1, 2, 3, 4, 5]
    assert shared.transform(X).shape == (400, 4)
    behind_a_prefix = X.add_prefix("union__")
    shared.fit(behind_a_prefix, y)
    assert "union__term_c" in shared.get_feature_names_out()


def test_terms_that_are_among_the_best_count_once():
    X, y = terms_beside_neurons()
    X["term_c"] = y  # the best of all
    selector = NeuronSelector(4, method="correlation", term_share=0.5).fit(X, y)
    assert list(selector.get_feature_names_out()) == ["neuron0", "term_a", "term_c"]


def test_places_for_terms_are_those_of_the_lasso_of_terms(A, y):
    marks = pd.DataFrame(A > 0.5, dtype=float).add_prefix("term_")
    X = pd.concat([pd.DataFrame(A).add_prefix("neuron"), marks], axis=1)
    together = NeuronSelector(12, term_share=1 / 3).fit(X, y)
    best = NeuronSelector(8).fit(X, y).get_feature_names_out()
    terms = NeuronSelector(4).fit(marks, y).get_feature_names_out()
    assert set(together.get_feature_names_out()) == {*best, *terms}


@pytest.mark.parametrize("n_select", [3, "all"])
def test_without_terms_all_places_are_for_the_best(A, y, n_select):
    X, _ = terms_beside_neurons()
    plain = NeuronSelector(n_select).fit(A, y)
    shared = NeuronSelector(n_select, term_share=0.9).fit(A, y)
    assert selected(shared) == selected(plain)
    if n_select == "all":
        assert NeuronSelector("all", term_share=0.9).fit(X, X["term_a"]).transform(
            X
        ).shape == (400, 5)


def test_no_places_are_kept_for_terms_that_are_not_there(A, y):
    X = pd.DataFrame(A).add_prefix("neuron").assign(term_a=0.0, term_b=A[:, 0] > 1)
    selector = NeuronSelector(8, method="correlation", term_share=0.5).fit(X, y)
    assert selector.get_support().sum() == 8
    assert selector.get_support()[-2:].tolist() == [False, True]
    with pytest.warns(HypothesisWarning, match="n_select=20, but only 13 of 14 "):
        NeuronSelector(20, method="correlation", term_share=0.5).fit(X, y)


def test_copies_of_terms_do_not_fill_places(y):
    X, y = terms_beside_neurons()
    X["term_b"] = 1 - 2 * X["term_a"]
    X = X.drop(columns="term_c")
    with pytest.warns(HypothesisWarning, match="n_select=4, but only 3 of 4 "):
        selector = NeuronSelector(4, term_share=0.5).fit(X, y)
    assert list(selector.get_feature_names_out()) == ["neuron0", "neuron1", "term_a"]


def test_a_share_of_places_is_not_lost_to_rounding():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((50, 200)))
    X.columns = [f"{'term_' if i % 2 else 'neuron'}{i}" for i in range(200)]
    selector = NeuronSelector(100, method="correlation", term_share=0.29)
    selector.fit(X, rng.standard_normal(50))
    assert selector._share_places(np.ones(200, bool)) == (71, 29)


@pytest.mark.parametrize("method", ["lasso", "correlation", "separation"])
def test_counts_are_scored_by_their_logarithms(A, y, method):
    counts = np.floor(np.exp(2 * y - 1))
    found = NeuronSelector(n_select=3, method=method).fit(A, counts)
    assert found.target_scale_ == "log1p"
    same = NeuronSelector(n_select=3, method=method).fit(A, np.log1p(counts))
    assert same.target_scale_ == "identity"
    np.testing.assert_array_equal(found.scores_, same.scores_)
    plain = NeuronSelector(n_select=3, method=method, target_scale="identity")
    assert not np.array_equal(plain.fit(A, counts).scores_, same.scores_)


def test_what_is_no_count_is_scored_as_it_is(A, y):
    auto = NeuronSelector(n_select=3).fit(A, y)
    plain = NeuronSelector(n_select=3, target_scale="identity").fit(A, y)
    np.testing.assert_array_equal(auto.scores_, plain.scores_)
    with pytest.raises(ValueError, match="NeuronSelector: y is learned as log"):
        NeuronSelector(n_select=3, target_scale="log1p").fit(A, y - 10)
