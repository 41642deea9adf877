"""Several fits side by side: what they share with single fits, and what they add."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.parallel import Parallel, delayed
from transformer_checks import AUTOENCODER_WEIGHTS

from sklearn_hypo import SparseAutoencoderTransformer, SupervisedSAETransformer
from sklearn_hypo._autoencoder._gradients import Weights
from sklearn_hypo._autoencoder._pool import Fit, count_fits_with, split_fits
from sklearn_hypo._utils._validation import draw_seed
from sklearn_hypo.exceptions import ModelFileError

SIZE = {"n_neurons": 12, "k": 2, "max_epochs": 4, "random_state": 0}
CASES = [
    (SparseAutoencoderTransformer, {}),
    (SparseAutoencoderTransformer, {"sparsity": "topk"}),
    (SupervisedSAETransformer, {"n_supervised": 4}),
]


def make_rows(n_rows=400, seed=0):
    rng = np.random.default_rng(1)
    concepts = rng.standard_normal((8, 10))
    rng = np.random.default_rng([seed, n_rows])
    present = rng.random((n_rows, 8)) < 0.2
    X = present @ concepts + 0.05 * rng.standard_normal((n_rows, 10))
    return X, present[:, 0] - 0.5 * present[:, 1] + 0.3 * rng.standard_normal(n_rows)


@pytest.fixture(scope="module", params=CASES, ids=["sae", "topk", "supervised"])
def fitted(request):
    """Three fits, and the same three by themselves."""
    kind, params = request.param
    X, y = make_rows()
    rng = np.random.RandomState(0)
    seeds = [0, draw_seed(rng), draw_seed(rng)]
    singles = [kind(**SIZE | params | {"random_state": s}).fit(X, y) for s in seeds]
    return kind(n_fits=3, **SIZE, **params).fit(X, y), singles


def test_neurons_of_single_fits_side_by_side(fitted):
    pool, singles = fitted
    X, _ = make_rows(100, seed=1)
    found = pool.transform(X)
    assert found.shape == (100, 36)
    np.testing.assert_array_equal(found, np.hstack([s.transform(X) for s in singles]))
    assert pool.get_feature_names_out()[[0, 35]].tolist() == ["neuron000", "neuron035"]
    assert (pool.n_fits_, pool.n_neurons_, pool.k_) == (3, 12, 2)


def test_sparse_output_is_the_same(fitted):
    pool, _ = fitted
    X, _ = make_rows(100, seed=1)
    found = clone(pool)
    vars(found).update(vars(pool) | {"output": "sparse"})
    found = found.transform(X)
    assert isinstance(found, sparse.csr_array)
    np.testing.assert_array_equal(found.toarray(), pool.transform(X))


def test_attributes_stack(fitted):
    pool, singles = fitted
    for name in ("components_", "encoder_coef_", "encoder_intercept_"):
        stacked = np.concatenate([getattr(s, name) for s in singles])
        np.testing.assert_array_equal(getattr(pool, name), stacked)
    offsets = [s.decoder_intercept_ for s in singles]
    np.testing.assert_array_equal(pool.decoder_intercept_, offsets)
    if pool.sparsity == "topk":
        assert pool.threshold_ is None
    else:
        assert pool.threshold_.tolist() == [s.threshold_ for s in singles]
    dead = [12 * i + s.dead_neurons_ for i, s in enumerate(singles)]
    np.testing.assert_array_equal(pool.dead_neurons_, np.concatenate(dead))
    assert pool.n_steps_ == sum(s.n_steps_ for s in singles)
    assert pool.n_iter_ == len(pool.history_) == sum(s.n_iter_ for s in singles)
    assert pool.history_.columns[0] == "fit"
    for number, part in pool.history_.groupby("fit"):
        own = part.drop(columns="fit").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, singles[number - 1].history_)


def test_reconstruction_is_the_mean_of_the_fits(fitted):
    pool, singles = fitted
    X, _ = make_rows(100, seed=1)
    each = [s.inverse_transform(s.transform(X)) for s in singles]
    found = pool.inverse_transform(pool.transform(X))
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-5)
    error = np.square(found - X).sum(axis=1)
    weights = np.arange(100.0)
    expected = 1 - np.average(error, weights=weights) / pool.variance_
    assert pool.explained_variance(X, weights) == pytest.approx(expected, abs=1e-5)
    assert pool.variance_ == pytest.approx(np.mean([s.variance_ for s in singles]))


def test_many_rows_in_blocks(fitted):
    pool, _ = fitted
    X, _ = make_rows(100, seed=1)
    many = np.tile(X, (30, 1))
    assert pool.explained_variance(many) == pytest.approx(pool.explained_variance(X))


@pytest.mark.parametrize("kind", ["quantity", "two classes", "three classes"])
def test_head_predicts_the_mean_of_the_heads(kind):
    X, y = make_rows()
    if kind != "quantity":
        cuts = [0.2] if kind == "two classes" else [-0.2, 0.4]
        y = np.array(["a", "b", "c"])[np.digitize(y, cuts)]
    rng = np.random.RandomState(0)
    seeds = [0, draw_seed(rng)]
    sae = SupervisedSAETransformer(n_supervised=4, **SIZE)
    singles = [clone(sae).set_params(random_state=s).fit(X, y) for s in seeds]
    pool = sae.set_params(n_fits=2).fit(X, y)
    linear = np.mean([s._predict_linear(X) for s in singles], axis=0)
    # as a user would compute it
    by_hand = pool.transform(X) @ np.atleast_2d(pool.coef_).T + pool.intercept_
    np.testing.assert_allclose(by_hand, linear, atol=1e-5)
    if kind == "quantity":
        np.testing.assert_allclose(pool.predict(X), linear[:, 0], atol=1e-5)
        assert pool.score(X, y) == pytest.approx(r2_score(y, linear), abs=1e-4)
    elif kind == "two classes":
        score = roc_auc_score(y == "b", linear)
        assert pool.score(X, y) == pytest.approx(score, abs=1e-4)
    else:
        assert pool.predict_proba(X).shape == (400, 3)
        best = pool.classes_[linear.argmax(axis=1)]
        assert (pool.predict(X) == best).mean() > 0.99


def test_more_fits_keep_the_first_ones():
    X, _ = make_rows()
    two, three = (
        SparseAutoencoderTransformer(n_fits=n, **SIZE).fit(X).components_
        for n in (2, 3)
    )
    np.testing.assert_array_equal(three[:24], two)
    assert not np.array_equal(two[:12], two[12:])


def test_the_first_fit_draws_from_a_given_generator_as_ever():
    X, _ = make_rows()
    rngs = np.random.RandomState(5), np.random.RandomState(5)
    one, two = (
        SparseAutoencoderTransformer(n_fits=n, **SIZE | {"random_state": rng}).fit(X)
        for n, rng in zip((1, 2), rngs, strict=True)
    )
    np.testing.assert_array_equal(two.components_[:12], one.components_)
    assert draw_seed(rngs[0]) == draw_seed(rngs[1])


# --- in how many fits ---------------------------------------------------------------


def fit_of_columns(columns):
    """An autoencoder whose neurons are copies of input columns."""
    encoder = np.eye(4, dtype=np.float32)[columns]
    zeros = np.zeros(len(columns), dtype=np.float32)
    offset = np.zeros(4, dtype=np.float32)
    return Fit(Weights(encoder, zeros, encoder, offset), 0.5)


def test_count_of_fits_by_hand():
    X = np.zeros((40, 4), dtype=np.float32)
    X[:8, 0] = X[8:16, 1] = X[16:24, 2] = 1.0
    X[1:9, 3] = 1.0  # correlates with column 0 at 0.84
    fits = [fit_of_columns(each) for each in ([0, 1], [3, 2], [0, 2])]
    found = count_fits_with(X, fits, 1)
    assert found.tolist() == [3, 1, 3, 2, 3, 2]


def test_a_neuron_that_is_never_active_is_in_no_fit():
    X = np.zeros((40, 4), dtype=np.float32)
    X[:8, 0] = 1.0
    fits = [fit_of_columns([0, 3]), fit_of_columns([3, 0])]
    assert count_fits_with(X, fits, 1).tolist() == [2, 0, 0, 2]


def test_counts_of_many_rows_are_those_of_some():
    X, _ = make_rows()
    fits = split_fits(vars(SparseAutoencoderTransformer(n_fits=2, **SIZE).fit(X)))
    some = count_fits_with(np.repeat(X, 10, axis=0), fits, 2, max_rows=400)
    np.testing.assert_array_equal(some, count_fits_with(X, fits, 2))


def test_found_neurons_agree_with_correlations(fitted):
    pool, _ = fitted
    X, _ = make_rows()
    active = pool.transform(X).astype(float)
    varies = active.std(axis=0) > 0
    r = np.corrcoef(active + np.where(varies, 0, np.arange(400)[:, None]), rowvar=False)
    same = (r.reshape(36, 3, 12) >= 0.7) & varies.reshape(1, 3, 12)
    expected = np.where(varies, same.any(axis=2).sum(axis=1), 0)
    np.testing.assert_array_equal(pool.n_found_, expected)
    assert {1, 2, 3} & set(pool.n_found_.tolist())


def test_one_fit_counts_nothing():
    X, _ = make_rows()
    sae = SparseAutoencoderTransformer(n_fits=2, **SIZE).fit(X)
    assert hasattr(sae, "n_found_")
    sae.set_params(n_fits=1).fit(X)
    assert not hasattr(sae, "n_found_")
    assert sae.n_fits_ == 1


# --- the ways of scikit-learn --------------------------------------------------------


class Pooled(SparseAutoencoderTransformer):
    """Without the method that refuses several fits."""

    partial_fit = property()


@pytest.mark.filterwarnings("ignore:.* training rows for n_neurons:UserWarning")
def test_scikit_learn_checks():
    check_estimator(Pooled(4, 2, n_fits=2, max_epochs=2, random_state=0), on_skip=None)


def test_grid_pickle_and_joblib(fitted):
    pool, _ = fitted
    X, y = make_rows()
    grid = GridSearchCV(clone(pool), {"n_fits": [1, 2], "n_neurons": [4, 8]}, cv=2)
    grid.fit(X, y)
    assert np.isfinite(grid.cv_results_["mean_test_score"]).all()
    back = pickle.loads(pickle.dumps(pool))  # noqa: S301
    np.testing.assert_array_equal(back.transform(X), pool.transform(X))
    (there,) = Parallel(n_jobs=2)([delayed(clone(pool).fit)(X, y)])
    for name in AUTOENCODER_WEIGHTS:
        np.testing.assert_allclose(
            getattr(there, name), getattr(pool, name), atol=1e-4, err_msg=name
        )


def test_auto_sizes_are_per_fit():
    X, _ = make_rows(300)
    sae = SparseAutoencoderTransformer(n_fits=2, max_epochs=2, random_state=0).fit(X)
    one = clone(sae).set_params(n_fits=1).fit(X)
    assert (sae.n_neurons_, sae.k_) == (one.n_neurons_, one.k_)
    assert sae.transform(X).shape == (300, 2 * one.n_neurons_)


def test_callbacks_see_every_epoch_of_every_fit():
    X, _ = make_rows()
    monitor = ScoringMonitor(scoring=lambda sae, X, y: sae.score(X))
    sae = SparseAutoencoderTransformer(n_fits=2, **SIZE).set_callbacks(monitor).fit(X)
    log = monitor.get_logs(select="most_recent")
    assert [task["task_name"] for task in log.data] == ["fit"] + 8 * ["epoch"]
    assert len(sae.history_) == 8


def test_time_is_shared():
    sae = SparseAutoencoderTransformer(n_fits=4, max_time=8.0)
    assert sae._plan(100, (16,), 2, "cpu").max_time == 2.0
    assert sae.set_params(max_time=None)._plan(100, (16,), 2, "cpu").max_time is None


def test_warm_start_goes_on_with_every_fit():
    X, _ = make_rows()
    sae = SparseAutoencoderTransformer(n_fits=2, warm_start=True, **SIZE).fit(X)
    before = sae.components_
    sae.set_params(max_epochs=1, learning_rate=1e-9).fit(X)
    np.testing.assert_allclose(sae.components_, before, atol=1e-5)
    with pytest.raises(ValueError, match=r"n_fits=2.*n_fits=3.*warm_start=False"):
        sae.set_params(n_fits=3).fit(X)
    # as many rows of weights do not make the same fits
    with pytest.raises(ValueError, match=r"\(12, 10\).*\(24, 10\)"):
        sae.set_params(n_fits=1, n_neurons=24).fit(X)


def test_partial_fit_refuses_several_fits():
    X, y = make_rows()
    for kind in (SparseAutoencoderTransformer, SupervisedSAETransformer):
        sae = kind(n_fits=2, **SIZE)
        with pytest.raises(ValueError, match=r"partial_fit .* n_fits=2.*n_fits=1"):
            sae.partial_fit(X, y)
        with pytest.raises(ValueError, match="n_fits"):
            sae.fit(X, y).partial_fit(X, y)
        with pytest.raises(ValueError, match=r"n_fits=2.*n_fits=1"):
            sae.set_params(n_fits=1).partial_fit(X, y)


def test_number_of_fits_that_is_none():
    with pytest.raises(ValueError, match="'n_fits' parameter"):
        SparseAutoencoderTransformer(n_fits=0).fit(make_rows()[0])


# --- save and load ------------------------------------------------------------------


def test_save_and_load(fitted, tmp_path):
    pool, _ = fitted
    X, y = make_rows()
    pool.save(tmp_path / "model")
    loaded = type(pool).load(tmp_path / "model")
    assert loaded.get_params() == pool.get_params()
    np.testing.assert_array_equal(loaded.transform(X), pool.transform(X))
    np.testing.assert_array_equal(loaded.n_found_, pool.n_found_)
    np.testing.assert_array_equal(loaded.threshold_, pool.threshold_)
    pd.testing.assert_frame_equal(loaded.history_, pool.history_)
    assert loaded.score(X, y) == pool.score(X, y)


def rewrite(path, header=None, **arrays):
    with np.load(path, allow_pickle=False) as archive:
        content = {name: archive[name] for name in archive.files}
    settings = json.loads(str(content["header"])) | (header or {})
    content |= {"header": np.array(json.dumps(settings))} | arrays
    with open(path, "wb") as file:
        np.savez(file, **content)


@pytest.mark.parametrize(
    "changes",
    [
        {"header": {"n_fits_": 2}},
        {"header": {"n_fits_": 0}},
        {"header": {"threshold_": 0.5}},
        {"header": {"threshold_": [0.5, 0.5]}},
        {"header": {"threshold_": [0.5, 0.5, -1.0]}},
        {"decoder_intercept_": np.zeros(10)},
        {"n_found_": np.ones(12, dtype=int)},
    ],
)
def test_files_that_do_not_fit_together(changes, tmp_path):
    path = tmp_path / "model"
    X, _ = make_rows()
    SparseAutoencoderTransformer(n_fits=3, **SIZE).fit(X).save(path)
    rewrite(path, **changes)
    with pytest.raises(ModelFileError):
        SparseAutoencoderTransformer.load(path)


def test_files_from_before_there_were_several_fits(tmp_path):
    path = tmp_path / "model"
    X, _ = make_rows()
    sae = SparseAutoencoderTransformer(**SIZE).fit(X)
    sae.save(path)
    rewrite(path, {"version": 3, "n_fits_": None})
    loaded = SparseAutoencoderTransformer.load(path)
    assert (loaded.n_fits, loaded.n_fits_) == (1, 1)
    np.testing.assert_array_equal(loaded.transform(X), sae.transform(X))
