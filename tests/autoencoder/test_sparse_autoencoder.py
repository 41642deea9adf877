"""`SparseAutoencoderTransformer` as a user and as scikit-learn meets it."""

import gc
import json
import os
import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from transformer_checks import AUTOENCODER_WEIGHTS, further_checks

from sklearn_hypo import SparseAutoencoderTransformer
from sklearn_hypo._autoencoder._encoding import compute_unexplained
from sklearn_hypo._autoencoder._fitted import get_weights
from sklearn_hypo._autoencoder._initialization import RowScale
from sklearn_hypo.exceptions import HypothesisWarning, ModelFileError


def make_sae(n_neurons=16, k=3, **params):
    settings = {"max_epochs": 8, "random_state": 0} | params
    return SparseAutoencoderTransformer(n_neurons, k, **settings)


def concept_rows(n_rows, seed=0, n_features=12):
    """Sums of few of ten directions, with a little noise."""
    rng = np.random.default_rng(1)
    concepts = rng.standard_normal((10, n_features))
    rng = np.random.default_rng([seed, n_rows])
    X = (rng.random((n_rows, 10)) < 0.2) @ concepts
    return X + 0.05 * rng.standard_normal(X.shape)


@pytest.fixture(scope="module")
def X():
    return concept_rows(600)


@pytest.fixture(scope="module")
def X_new():
    return concept_rows(500, seed=1)


@pytest.fixture(scope="module")
def sae(X):
    return make_sae().fit(X)


def mean_active(sae, X):
    return (sae.transform(X) > 0).sum(axis=1).mean()


def assert_same_fit(one, other):
    for name in AUTOENCODER_WEIGHTS:
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype, name
        np.testing.assert_array_equal(a, b, err_msg=name)
    for name in ("threshold_", "variance_", "n_iter_", "n_features_in_"):
        assert getattr(one, name) == getattr(other, name), name
    pd.testing.assert_frame_equal(one.history_, other.history_)


# --- scikit-learn's checks ----------------------------------------------------------


def small(**params):
    return SparseAutoencoderTransformer(
        **({"n_neurons": 6, "k": 2, "max_epochs": 2, "random_state": 0} | params)
    )


CONFIGURATIONS = [
    small(),
    small(sparsity="topk", prefix_lengths=(2, 6)),
    small(prefix_lengths=(0.5, 1.0), validation_fraction=None, output="sparse"),
]


@pytest.mark.filterwarnings("ignore:SparseAutoencoderTransformer has:UserWarning")
@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:SparseAutoencoderTransformer has:UserWarning")
@further_checks
def test_further_scikit_learn_checks(check):
    check("SparseAutoencoderTransformer", small())


# --- what training promises ---------------------------------------------------------


def test_explains_planted_concepts(sae, X_new):
    assert sae.score(X_new) > 0.85
    active = sae.transform(X_new)
    assert active.dtype == np.float32
    assert (active >= 0).all()


def test_components_have_unit_length(sae):
    np.testing.assert_allclose(np.linalg.norm(sae.components_, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("validation_fraction", [None, 0.1])
@pytest.mark.parametrize("prefix_lengths", [None, (4, 16)])
@pytest.mark.parametrize("max_epochs", [2, 30])
def test_batch_top_k_is_k_on_average(max_epochs, prefix_lengths, validation_fraction):
    X, X_new = concept_rows(2000), concept_rows(2000, seed=1)
    sae = make_sae(
        k=4,
        max_epochs=max_epochs,
        prefix_lengths=prefix_lengths,
        validation_fraction=validation_fraction,
    ).fit(X)
    assert mean_active(sae, X) == pytest.approx(4, rel=0.05)
    assert mean_active(sae, X_new) == pytest.approx(4, rel=0.05)
    if validation_fraction is None:
        assert (sae.transform(X) > 0).sum() == 2000 * 4


@pytest.fixture(scope="module")
def tweet_rows():
    home = os.environ.get("SKLEARN_HYPO_DATA")
    if not home or not (Path(home) / "tweets" / "Tweets.csv").exists():
        pytest.skip("SKLEARN_HYPO_DATA names no folder with tweets/Tweets.csv")
    texts = pd.read_csv(Path(home) / "tweets" / "Tweets.csv")["text"].dropna()
    texts = texts.sample(9000, random_state=0)
    lsa = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, min_df=3), TruncatedSVD(64, random_state=0)
    )
    return train_test_split(lsa.fit_transform(texts), test_size=3000, random_state=0)


@pytest.mark.parametrize("max_epochs", [2, 30])
def test_batch_top_k_is_k_on_average_on_tweets(max_epochs, tweet_rows):
    seen, new = tweet_rows
    sae = make_sae(64, 8, max_epochs=max_epochs, prefix_lengths=(8, 64)).fit(seen)
    assert mean_active(sae, seen) == pytest.approx(8, rel=0.05)
    assert mean_active(sae, new) == pytest.approx(8, rel=0.05)


def test_threshold_lies_between_seen_and_unseen_rows():
    X, X_val = concept_rows(60), concept_rows(300, seed=1)
    # so few rows that it overfits
    sae = make_sae(32, 4, max_epochs=30, n_iter_no_change=None).fit(X, X_val=X_val)
    seen, unseen = mean_active(sae, X), mean_active(sae, X_val)
    assert seen < 4 < unseen
    assert (seen + unseen) / 2 == pytest.approx(4, abs=0.02)


def test_top_k_never_has_more_than_k(X, X_new):
    sae = make_sae(sparsity="topk").fit(X)
    assert sae.threshold_ is None
    n_active = (sae.transform(X_new) > 0).sum(axis=1)
    assert n_active.max() == 3
    assert n_active.mean() > 2.5


def test_best_weights_are_kept():
    X, X_val = concept_rows(40), concept_rows(300, seed=1)
    sae = make_sae(max_epochs=60, batch_size=4, n_iter_no_change=None)
    sae.fit(X, X_val=X_val)
    errors = sae.history_["validation_error"]
    assert errors.iloc[-1] > errors.min()
    scale = RowScale(sae.mean_, sae.variance_)
    found = compute_unexplained(
        scale.rows(X_val), scale.to_scaled(get_weights(vars(sae))), 3, "batch_topk", 1.0
    )
    assert found == pytest.approx(errors.min(), rel=1e-5)
    # X_val decides in place of rows split off: all rows were trained on
    np.testing.assert_allclose(sae.mean_, X.mean(axis=0))


def test_early_stopping_waits_for_n_iter_no_change():
    X, X_val = concept_rows(40), concept_rows(300, seed=1)
    sae = make_sae(max_epochs=300, batch_size=4, n_iter_no_change=4)
    sae.fit(X, X_val=X_val)
    errors = sae.history_["validation_error"]
    assert sae.n_iter_ == len(errors) < 300
    assert errors.argmin() == len(errors) - 5


def test_history_columns(sae):
    assert list(sae.history_.columns) == [
        "epoch",
        "learning_rate",
        "loss",
        "validation_error",
        "n_dead",
    ]
    assert list(sae.history_["epoch"]) == list(range(1, sae.n_iter_ + 1))
    assert sae.history_.notna().all(axis=None)


def test_prefixes_make_the_first_neurons_self_sufficient(X, X_new):
    def score_of_first(sae, m):
        active = sae.transform(X_new)
        active[:, m:] = 0
        error = X_new - sae.inverse_transform(active)
        return 1 - (error**2).sum(axis=1).mean() / sae.variance_

    plain = make_sae(k=4, max_epochs=30).fit(X)
    nested = make_sae(k=4, max_epochs=30, prefix_lengths=(4, 16)).fit(X)
    assert score_of_first(nested, 4) > score_of_first(plain, 4) + 0.1


@pytest.mark.filterwarnings("ignore:SparseAutoencoderTransformer has:UserWarning")
@pytest.mark.parametrize("sparsity", ["batch_topk", "topk"])
@pytest.mark.parametrize(
    ("n_rows", "params"),
    [
        (513, {"batch_size": 512, "validation_fraction": None}),
        (65, {"batch_size": 64, "validation_fraction": None}),
        (65, {"batch_size": 1, "max_epochs": 1}),
        (50, {"batch_size": 512}),
        (10, {}),
        (2, {}),
        (200, {"k": 16}),
        (200, {"n_neurons": 1, "k": 1}),
        (200, {"validation_fraction": 0.99}),
        (2, {"validation_fraction": 0.99}),
    ],
)
def test_sizes_that_used_to_break_training(n_rows, params, sparsity):
    X = concept_rows(n_rows)
    sae = make_sae(**({"max_epochs": 3, "sparsity": sparsity} | params)).fit(X)
    for name in AUTOENCODER_WEIGHTS:
        assert np.isfinite(getattr(sae, name)).all(), name
    assert np.isfinite(sae.history_["loss"]).all()
    assert np.isfinite(sae.transform(X)).all()
    assert np.isfinite(sae.score(X))


@pytest.mark.parametrize("kind", ["constant", "duplicates", "zeros", "few"])
def test_degenerate_data(kind):
    X = concept_rows(300)
    if kind == "constant":
        X[:, [0, 5]] = 7.0
    elif kind == "duplicates":
        X = np.repeat(X[:30], 10, axis=0)
    elif kind == "zeros":
        X[50:] = 0.0
    else:
        X = np.repeat(X[:2], 150, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sae = make_sae().fit(X)
        assert np.isfinite(sae.transform(X)).all()
    assert sae.score(X) > 0.5
    if kind == "constant":
        rebuilt = sae.inverse_transform(sae.transform(X))
        np.testing.assert_allclose(rebuilt[:, [0, 5]], 7.0, atol=0.2)


def test_dead_neurons_are_those_that_no_row_activates():
    X = np.repeat(concept_rows(3), 100, axis=0)
    sae = make_sae(n_neurons=40, k=1, sparsity="topk", validation_fraction=None).fit(X)
    never = np.flatnonzero(~(sae.transform(X) > 0).any(axis=0))
    np.testing.assert_array_equal(sae.dead_neurons_, never)
    assert len(never) > 30


def test_divergence_is_an_error(X):
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match="Lower learning_rate"),
    ):
        make_sae(learning_rate=1e30).fit(X)


# --- randomness ---------------------------------------------------------------------


def test_same_seed_same_weights(sae, X):
    assert_same_fit(sae, make_sae().fit(X))
    assert_same_fit(
        make_sae(random_state=np.random.RandomState(5)).fit(X),
        make_sae(random_state=np.random.RandomState(5)).fit(X),
    )


def test_other_seed_other_weights(sae, X):
    other = make_sae(random_state=1).fit(X)
    assert np.abs(other.components_ - sae.components_).max() > 0.1


def test_refit_forgets_the_first_fit(sae, X, X_new):
    twice = make_sae().fit(X_new).fit(X)
    assert_same_fit(sae, twice)


def test_global_random_states_are_untouched(X):
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    make_sae(max_epochs=1).fit(X).transform(X)
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(after[1], numpy_before[1])
    assert after[2:] == numpy_before[2:]
    make_sae(max_epochs=1, random_state=None).fit(X)
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_warm_start_goes_on_from_the_previous_weights(X, X_new):
    first = make_sae(max_epochs=20).fit(X)
    went_on = clone(first).set_params(warm_start=True, max_epochs=1)
    cold = clone(went_on).fit(X)
    for name in (*AUTOENCODER_WEIGHTS, "n_fits_", "threshold_"):
        setattr(went_on, name, getattr(first, name))
    went_on.fit(X)
    assert went_on.score(X_new) > cold.score(X_new) + 0.01
    cosine = (went_on.components_ * first.components_).sum(axis=1)
    assert np.median(cosine) > 0.9


def test_warm_start_keeps_the_function_on_other_rows(X):
    warm = make_sae(max_epochs=10, warm_start=True, validation_fraction=None).fit(X)
    before, active = warm.components_, warm.transform(X)
    # other rows have another mean and variance; so small a rate changes nothing
    warm.set_params(max_epochs=1, learning_rate=1e-9).fit(X[:200] + 0.1)
    np.testing.assert_allclose(warm.components_, before, atol=1e-6)
    both = (active > 0) & (warm.transform(X) > 0)
    assert both.sum() > 0.8 * (active > 0).sum()
    np.testing.assert_allclose(warm.transform(X)[both], active[both], rtol=1e-3)


def test_warm_start_with_another_shape(X):
    warm = make_sae(warm_start=True, max_epochs=1).fit(X)
    with pytest.raises(ValueError, match=r"\(16, 12\).*\(16, 7\).*warm_start"):
        warm.fit(X[:, :7])
    with pytest.raises(ValueError, match=r"\(16, 12\).*\(20, 12\).*warm_start"):
        warm.set_params(n_neurons=20).fit(X)


# --- transform and back -------------------------------------------------------------


def test_transform_has_no_side_effects(sae, X_new):
    before = pickle.dumps(sae)
    kept = X_new.copy()
    first = sae.transform(X_new)
    sae.transform(X_new[:7])
    sae.score(X_new)
    np.testing.assert_array_equal(sae.transform(X_new), first)
    np.testing.assert_array_equal(X_new, kept)
    assert pickle.dumps(sae) == before


@pytest.mark.parametrize("sparsity", ["batch_topk", "topk"])
def test_rows_do_not_depend_on_their_batch(X, X_new, sparsity):
    sae = make_sae(sparsity=sparsity).fit(X)
    whole = sae.transform(X_new[:100])
    one_by_one = np.vstack([sae.transform(row[None]) for row in X_new[:100]])
    np.testing.assert_allclose(one_by_one, whole, rtol=1e-6)
    order = np.random.default_rng(0).permutation(100)
    np.testing.assert_allclose(sae.transform(X_new[order]), whole[order], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("factor", "shift"), [(1000, 0), (1e-3, 0), (1, 50), (1e3, 7)])
def test_scale_and_origin_do_not_matter(X, sae, factor, shift, dtype):
    moved = (factor * X + shift).astype(dtype)
    other = make_sae().fit(moved)
    expected = sae.transform(X)
    atol = 1e-4 if dtype == np.float64 else 5e-3
    np.testing.assert_allclose(other.transform(moved) / factor, expected, atol=atol)
    assert other.score(moved) == pytest.approx(sae.score(X), abs=1e-4)


def test_float32_and_float64_rows_agree(sae, X_new):
    np.testing.assert_allclose(
        sae.transform(X_new.astype(np.float32)), sae.transform(X_new), atol=1e-5
    )


def test_inverse_transform_is_the_decoder(sae, X_new):
    active = sae.transform(X_new)
    expected = sae.decoder_intercept_ + active @ sae.components_
    rebuilt = sae.inverse_transform(active)
    assert rebuilt.dtype == np.float32
    np.testing.assert_allclose(rebuilt, expected, atol=1e-5)
    compressed = sae.inverse_transform(sparse.csr_array(active))
    assert type(compressed) is np.ndarray
    np.testing.assert_allclose(compressed, expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"X has 5 columns.*16 neurons"):
        sae.inverse_transform(active[:, :5])


def test_score_is_explained_variance(sae, X_new):
    error = X_new - sae.inverse_transform(sae.transform(X_new))
    squared = (error**2).sum(axis=1)
    assert sae.score(X_new) == pytest.approx(
        1 - squared.mean() / sae.variance_, rel=1e-5
    )
    weight = np.random.default_rng(0).random(len(X_new))
    expected = 1 - (weight @ squared) / weight.sum() / sae.variance_
    assert sae.score(X_new, sample_weight=weight) == pytest.approx(expected, rel=1e-5)
    assert sae.score(X_new, None, weight * 3) == pytest.approx(expected, rel=1e-5)


def test_variance_is_that_of_the_training_rows(X):
    sae = make_sae(validation_fraction=None, max_epochs=1).fit(X)
    assert sae.variance_ == pytest.approx(X.var(axis=0).sum())
    np.testing.assert_allclose(sae.mean_, X.mean(axis=0))


# --- containers ---------------------------------------------------------------------


def text_labelled(X):
    index = pd.Index([f"text {i}" for i in range(len(X))], name="text", dtype=object)
    columns = [f"embedding{j:03d}" for j in range(X.shape[1])]
    return pd.DataFrame(X, index=index, columns=columns)


def test_frame_in_frame_out(sae, X, X_new):
    frame = text_labelled(X_new)
    framed = make_sae().fit(text_labelled(X))
    active = framed.transform(frame)
    assert isinstance(active, pd.DataFrame)
    pd.testing.assert_index_equal(active.index, frame.index)
    assert list(active.columns[[0, 15]]) == ["neuron000", "neuron015"]
    assert set(active.dtypes) == {np.dtype("float32")}
    np.testing.assert_array_equal(active, sae.transform(X_new))
    rebuilt = framed.inverse_transform(active)
    pd.testing.assert_index_equal(rebuilt.index, frame.index)
    pd.testing.assert_index_equal(rebuilt.columns, frame.columns)
    fitted = make_sae().fit_transform(frame)
    pd.testing.assert_index_equal(fitted.index, frame.index)


def test_arrays_and_lists(sae, X_new):
    assert type(sae.transform(X_new)) is np.ndarray
    np.testing.assert_array_equal(
        sae.transform(X_new[:3].tolist()), sae.transform(X_new[:3])
    )


@pytest.mark.parametrize("as_frame", [False, True])
def test_sparse_output(X, sae, X_new, as_frame):
    wrap = text_labelled if as_frame else np.asarray
    compressed = make_sae(output="sparse").fit(wrap(X)).transform(wrap(X_new))
    assert sparse.issparse(compressed)
    assert compressed.format == "csr"
    assert compressed.dtype == np.float32
    np.testing.assert_array_equal(compressed.toarray(), sae.transform(X_new))


def test_set_output(X, X_new):
    frame = text_labelled(X_new)
    sae = make_sae(max_epochs=1).fit(frame).set_output(transform="pandas")
    pd.testing.assert_index_equal(sae.transform(frame).index, frame.index)
    sae.set_output(transform="polars")
    active = sae.transform(frame)
    assert isinstance(active, pl.DataFrame)
    assert active.columns == list(sae.get_feature_names_out())
    sae.set_output(transform="default")
    assert isinstance(sae.transform(frame), pd.DataFrame)
    from_polars = sae.transform(pl.DataFrame(frame.to_dict("list")))
    np.testing.assert_array_equal(from_polars, sae.transform(frame))
    sparse_sae = make_sae(max_epochs=1, output="sparse").fit(X)
    with pytest.raises(ValueError, match="sparse"):
        sparse_sae.set_output(transform="pandas").transform(X)


def test_feature_names(sae):
    names = sae.get_feature_names_out()
    assert names.dtype == object
    assert names[7] == "neuron007"
    assert len(names) == 16
    with pytest.raises(NotFittedError):
        SparseAutoencoderTransformer().get_feature_names_out()


def test_memory_mapped_read_only_rows(tmp_path, sae, X):
    path = tmp_path / "X.joblib"
    joblib.dump(X, path)
    mapped = joblib.load(path, mmap_mode="r")
    assert not mapped.flags.writeable
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same_fit(sae, make_sae().fit(mapped))
        sae.transform(mapped)


def test_memory_mapped_estimator(tmp_path, sae, X_new):
    joblib.dump(sae, tmp_path / "sae.joblib")
    mapped = joblib.load(tmp_path / "sae.joblib", mmap_mode="r")
    np.testing.assert_array_equal(mapped.transform(X_new), sae.transform(X_new))
    mapped.set_params(warm_start=True, max_epochs=1).fit(X_new)


def test_pickle_clone_and_repr(sae, X_new):
    copy = pickle.loads(pickle.dumps(sae))  # noqa: S301
    assert_same_fit(sae, copy)
    np.testing.assert_array_equal(copy.transform(X_new), sae.transform(X_new))
    blank = clone(sae)
    assert blank.get_params() == sae.get_params()
    with pytest.raises(NotFittedError):
        blank.transform(X_new)
    for estimator in (sae, blank):
        assert "n_neurons" in estimator._repr_html_()
        assert "SparseAutoencoderTransformer" in repr(estimator)
        dir(estimator)


# --- grid search and callbacks ------------------------------------------------------


def test_fractions_of_prefixes_in_a_grid(X):
    grid = GridSearchCV(
        make_sae(prefix_lengths=(0.25, 1.0), max_epochs=2),
        {"n_neurons": [4, 8, 16], "k": [2, 3]},
        cv=2,
        error_score="raise",
    ).fit(X)
    assert np.isfinite(grid.cv_results_["mean_test_score"]).all()
    assert grid.best_estimator_.score(X) == grid.score(X)


class StopAfter:
    """Stops training at the end of an epoch, and remembers what it saw."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs
        self.scores = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        if context.task_name != "epoch":
            return False
        self.scores.append(fitted_estimator.score(X))
        return len(self.scores) >= self.n_epochs


def test_callback_stops_training(X):
    stop = StopAfter(2)
    sae = make_sae(max_epochs=20, learning_rate=0.005).set_callbacks(stop).fit(X)
    assert sae.n_iter_ == 2
    assert len(sae.history_) == 2
    assert len(stop.scores) == 2
    assert sae.score(X) == stop.scores[1] > stop.scores[0]


def test_progress_bar_nests_in_a_pipeline(X, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    y = X[:, 0]
    pipe = make_pipeline(StandardScaler(), make_sae(max_epochs=2), Ridge())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Ridge.*")
        pipe.set_callbacks(ProgressBar()).fit(X, y)
    assert "SparseAutoencoderTransformer" in capsys.readouterr().out
    assert pipe.score(X, y) > 0


def test_scoring_monitor_logs_every_epoch(X):
    monitor = ScoringMonitor(scoring=lambda sae, X, y: sae.score(X))
    sae = make_sae(max_epochs=3).set_callbacks(monitor).fit(X)
    assert len(sae.history_) == 3
    log = monitor.get_logs(select="most_recent")
    assert [task["task_name"] for task in log.data] == ["fit"] + 3 * ["epoch"]


@pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no GPU that torch supports through CUDA"
)
@pytest.mark.parametrize("sparsity", ["batch_topk", "topk"])
def test_a_gpu_learns_what_the_cpu_learns(X, X_new, sparsity):
    settings = {"sparsity": sparsity, "max_epochs": 20, "prefix_lengths": (4, 16)}
    on_gpu = make_sae(device="cuda", **settings).fit(X)
    on_cpu = make_sae(device="cpu", **settings).fit(X)
    assert on_gpu.score(X_new) == pytest.approx(on_cpu.score(X_new), abs=0.02)
    assert isinstance(on_gpu.components_, np.ndarray)


# --- save and load ------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"sparsity": "topk", "validation_fraction": None},
        {"prefix_lengths": np.array([4, 16]), "n_neurons": np.int64(16)},
        {"prefix_lengths": [0.25, 1.0], "output": "sparse", "learning_rate": 0.01},
        {"random_state": np.random.RandomState(0)},
    ],
)
@pytest.mark.parametrize("wrap", [np.asarray, text_labelled])
def test_save_and_load(tmp_path, params, wrap):
    X, X_new = wrap(concept_rows(200)), wrap(concept_rows(50, seed=1))
    sae = make_sae(**({"max_epochs": 3} | params)).fit(X)
    path = tmp_path / "model"
    sae.save(path)
    assert os.listdir(tmp_path) == ["model"]
    loaded = SparseAutoencoderTransformer.load(path)
    assert_same_fit(sae, loaded)
    one, other = sae.transform(X_new), loaded.transform(X_new)
    if sparse.issparse(one):
        one, other = one.toarray(), other.toarray()
    np.testing.assert_array_equal(one, other)
    assert loaded.score(X_new) == sae.score(X_new)
    assert hasattr(sae, "feature_names_in_") == hasattr(loaded, "feature_names_in_")
    if hasattr(sae, "feature_names_in_"):
        np.testing.assert_array_equal(loaded.feature_names_in_, sae.feature_names_in_)
    kept, found = sae.get_params(), loaded.get_params()
    if isinstance(kept["random_state"], np.random.RandomState):
        kept["random_state"] = None
    if kept["prefix_lengths"] is not None:
        kept["prefix_lengths"] = tuple(kept["prefix_lengths"])
    assert kept == found
    clone(loaded).fit(X)


def test_saved_file_holds_no_pickle(tmp_path, sae):
    sae.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as archive:
        header = json.loads(str(archive["header"]))
        assert set(AUTOENCODER_WEIGHTS) <= set(archive.files)
        assert all(archive[name].dtype != object for name in archive.files)
    assert header["params"]["n_neurons"] == 16


def test_bare_file_name_in_the_working_folder(tmp_path, monkeypatch, sae):
    monkeypatch.chdir(tmp_path)
    sae.save("b.pt")
    assert os.listdir() == ["b.pt"]
    assert_same_fit(sae, SparseAutoencoderTransformer.load("b.pt"))


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_saved_file_has_the_usual_permissions(tmp_path, sae):
    (tmp_path / "other").write_text("")
    sae.save(tmp_path / "model")
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_failed_save_keeps_the_old_file(tmp_path, sae, monkeypatch):
    path = tmp_path / "model"
    sae.save(path)
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        clone(sae).fit(concept_rows(100)).save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model"]


def test_save_into_no_folder(tmp_path, sae):
    with pytest.raises(FileNotFoundError):
        sae.save(tmp_path / "nowhere" / "model")
    with pytest.raises(NotFittedError):
        SparseAutoencoderTransformer().save(tmp_path / "model")
    assert os.listdir(tmp_path) == []


def test_load_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        SparseAutoencoderTransformer.load(tmp_path / "model")


@pytest.mark.parametrize("size", [0, 1, 100, 0.5, 0.99])
@pytest.mark.filterwarnings("error")  # a file left open
def test_load_a_truncated_file(tmp_path, sae, size):
    path = tmp_path / "model"
    sae.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(size * len(content)) if size < 1 else size])
    with pytest.raises(ModelFileError, match="not a complete saved"):
        SparseAutoencoderTransformer.load(path)
    gc.collect()


def test_load_a_damaged_file(tmp_path, sae):
    path = tmp_path / "model"
    sae.save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a complete saved"):
        SparseAutoencoderTransformer.load(path)


def test_load_foreign_files(tmp_path, sae):
    path = tmp_path / "foreign"
    load = SparseAutoencoderTransformer.load
    with open(path, "wb") as file:
        np.savez(file, weights=np.ones(3))
    with pytest.raises(ModelFileError, match="not a complete saved"):
        load(path)
    for header in ("[1, 2]", "{}", '{"format": "another"}', '"text"'):
        with open(path, "wb") as file:
            np.savez(file, header=np.array(header))
        with pytest.raises(ModelFileError, match="Load it with the class"):
            load(path)
    with open(path, "wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(ModelFileError, match="not a complete saved"):
        load(path)
    path.write_bytes(pickle.dumps(sae))
    with pytest.raises(ModelFileError, match="not a complete saved"):
        load(path)
    with pytest.raises(ModelFileError, match="not a complete saved"):
        load(tmp_path)


class Planted:
    """Unpickling this would run code."""

    def __reduce__(self):
        return os.mkdir, ("planted",)


def test_load_runs_no_planted_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("model", "wb") as file:
        np.savez(file, header=np.array([Planted()], dtype=object))
    with pytest.raises(ModelFileError):
        SparseAutoencoderTransformer.load("model")
    assert os.listdir() == ["model"]


def rewrite(path, header=None, **arrays):
    with np.load(path, allow_pickle=False) as archive:
        content = {name: archive[name] for name in archive.files}
    settings = json.loads(str(content["header"])) | (header or {})
    content |= {"header": np.array(json.dumps(settings))} | arrays
    with open(path, "wb") as file:
        np.savez(file, **content)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"header": {"version": 99}}, "format version 99"),
        ({"header": {"class": "Other"}}, "holds 'Other', not a"),
        ({"header": {"variance_": float("nan")}}, "variance_ is nan"),
        ({"header": {"threshold_": -1.0}}, "threshold_ is -1.0"),
        ({"header": {"n_features_in_": 13}}, "does not fit together"),
        ({"components_": np.ones((16, 5), np.float32)}, "components_ has shape"),
        ({"encoder_coef_": np.ones((15, 12), np.float32)}, "encoder_coef_ has shape"),
        ({"encoder_intercept_": np.ones(15, np.float32)}, "does not fit together"),
        ({"mean_": np.full(12, np.nan)}, "mean_ holds NaN"),
        ({"decoder_intercept_": np.array(["a"] * 12)}, "decoder_intercept_"),
        ({"dead_neurons_": np.array([16])}, "dead_neurons_"),
    ],
)
def test_load_what_does_not_fit(tmp_path, sae, changes, message):
    path = tmp_path / "model"
    sae.save(path)
    rewrite(path)
    SparseAutoencoderTransformer.load(path)
    rewrite(path, **changes)
    with pytest.raises(ModelFileError, match=message):
        SparseAutoencoderTransformer.load(path)


def test_load_with_another_class(tmp_path, sae):
    class Other(SparseAutoencoderTransformer):
        pass

    sae.save(tmp_path / "model")
    with pytest.raises(ModelFileError, match="not a Other"):
        Other.load(tmp_path / "model")


def test_parameters_set_after_fit_do_not_spoil_the_file(tmp_path, sae):
    changed = pickle.loads(pickle.dumps(sae))  # noqa: S301
    changed.set_params(n_neurons=99).save(tmp_path / "model")
    loaded = SparseAutoencoderTransformer.load(tmp_path / "model")
    assert loaded.n_neurons == 99
    assert_same_fit(sae, loaded)


# --- bad input ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"k": 17}, "k=17 .* cannot exceed n_neurons=16"),
        ({"prefix_lengths": (8, 4, 16)}, "prefix_lengths must increase"),
        ({"prefix_lengths": (4, 8)}, r"\(4, 8\) arrived with n_neurons=16"),
        ({"prefix_lengths": ()}, "prefix_lengths must increase"),
        ({"prefix_lengths": (0, 16)}, "prefix_lengths must increase"),
        ({"prefix_lengths": (0.0, 1.0)}, "prefix_lengths must increase"),
        ({"prefix_lengths": (0.5, 0.9)}, "fractions of n_neurons that end in 1.0"),
        ({"prefix_lengths": (1.0, 0.5)}, "prefix_lengths must increase"),
        ({"prefix_lengths": 16}, "'prefix_lengths' parameter"),
        ({"device": "abacus"}, "device='abacus' cannot be used"),
        ({"n_neurons": 0}, "'n_neurons' parameter"),
        ({"sparsity": "l1"}, "'sparsity' parameter"),
        ({"validation_fraction": 1.5}, "'validation_fraction' parameter"),
        ({"random_state": np.random.default_rng(0)}, "'random_state' parameter"),
    ],
)
def test_parameters_that_do_not_fit(X, params, message):
    with pytest.raises(ValueError, match=message):
        make_sae(**params).fit(X)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X: np.where(X[3, 3] == X, np.nan, X), "contains NaN"),
        (lambda X: np.where(X[3, 3] == X, np.inf, X), "contains infinity"),
        (lambda X: X[:1], "minimum of 2 is required"),
        (lambda X: X[:0], "0 sample"),
        (lambda X: X[0], "Expected 2D array"),
        (lambda X: np.repeat(X[:1], 50, axis=0), "all training rows are equal"),
        (lambda X: np.zeros((50, 12)), "all training rows are equal"),
        (lambda X: np.full((50, 12), 0.1, np.float32), "all training rows are equal"),
        (lambda X: [["a", "b"], ["c", "d"]], "could not convert string"),
        (lambda X: sparse.csr_array(X), "[Ss]parse"),
    ],
)
@pytest.mark.parametrize("warm_start", [False, True])
def test_rows_that_cannot_be_used(sae, X, spoil, message, warm_start):
    estimator = pickle.loads(pickle.dumps(sae))  # noqa: S301
    estimator.set_params(warm_start=warm_start)
    with pytest.raises((ValueError, TypeError), match=message):
        estimator.fit(spoil(X))


def test_transform_refuses_what_fit_would(sae, X_new):
    with pytest.raises(ValueError, match=r"X has 11 features, but .* expecting 12"):
        sae.transform(X_new[:, :11])
    with pytest.raises(ValueError, match="contains NaN"):
        sae.transform(np.full((3, 12), np.nan))
    with pytest.raises(NotFittedError):
        make_sae().transform(X_new)


def test_validation_rows_of_another_width(X):
    with pytest.raises(ValueError, match=r"X has 5 features, but .* expecting 12"):
        make_sae().fit(X, X_val=X[:, :5])
    with pytest.raises(ValueError, match="contains NaN"):
        make_sae().fit(X, X_val=np.full((3, 12), np.nan))


def test_fewer_rows_than_neurons_is_a_warning(X):
    with pytest.warns(HypothesisWarning, match=r"45 training rows .* n_neurons=64"):
        sae = make_sae(n_neurons=64).fit(X[:50])
    assert np.isfinite(sae.transform(X)).all()


def test_bad_arguments_leave_a_fitted_estimator_as_it_was(X, X_new):
    sae = make_sae(max_epochs=1).fit(X)
    expected = sae.transform(X_new)
    for params, rows in (
        ({"k": 99}, X),
        ({"device": "abacus"}, X),
        ({"prefix_lengths": (3, 2)}, X),
        ({}, np.full_like(X, np.nan)),
        ({}, np.ones_like(X)),
    ):
        kept = sae.get_params()
        with pytest.raises(ValueError):
            sae.set_params(**params).fit(rows)
        sae.set_params(**kept)
        np.testing.assert_array_equal(sae.transform(X_new), expected)
