"""Rows that stay where they are: memory maps, slices, chunks, processes."""

import itertools
import tracemalloc

import numpy as np
import pytest
from forks import fork_context
from scipy import sparse
from transformer_checks import AUTOENCODER_WEIGHTS
from two_ranks import train_as

from sklearn_hypo import SparseAutoencoderTransformer
from sklearn_hypo._autoencoder import _rows
from sklearn_hypo._autoencoder._rows import (
    Sliced,
    TrainingRows,
    must_slice,
    shuffle_rows,
)


def concept_rows(n_rows=600, n_features=12, seed=0):
    concepts = np.random.default_rng(99).standard_normal((10, n_features))
    rng = np.random.default_rng(seed)
    X = (rng.random((n_rows, 10)) < 0.2) @ concepts
    return (X + 0.05 * rng.standard_normal(X.shape)).astype(np.float32)


def make_sae(**params):
    settings = {"n_neurons": 16, "k": 3, "max_epochs": 6, "random_state": 0}
    return SparseAutoencoderTransformer(**(settings | params))


def assert_same_fit(first, second, **tolerance):
    for name in AUTOENCODER_WEIGHTS:
        a, b = getattr(first, name), getattr(second, name)
        if tolerance:
            np.testing.assert_allclose(a, b, err_msg=name, **tolerance)
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)


class OnlySlices:
    """What a dataset of an HDF5 file offers: a shape, a type, and slices of rows."""

    def __init__(self, X):
        self._X = X
        self.shape, self.dtype = X.shape, X.dtype
        self.longest = 0

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        assert rows.step in (None, 1)
        piece = self._X[rows]
        self.longest = max(self.longest, len(piece))
        return piece.copy()


@pytest.fixture
def X():
    return concept_rows()


@pytest.fixture
def mapped(tmp_path, X):
    """The rows as a file, read-only."""
    path = tmp_path / "X.npy"
    np.save(path, X)
    return np.load(path, mmap_mode="r")


@pytest.fixture
def small_buffers(monkeypatch):
    """Buffers of 160 rows of 12 numbers, so that a test needs several."""
    monkeypatch.setattr(_rows, "_BUFFER_BYTES", 160 * 4 * 12)


# --- the order of the rows ----------------------------------------------------------


@pytest.mark.parametrize("n_rows", [1, 159, 160, 161, 600, 1003])
def test_every_row_comes_once(small_buffers, n_rows):
    order = shuffle_rows(n_rows, 12, np.random.RandomState(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(order)), np.arange(n_rows))
    assert (len(order) == 1) == (n_rows <= 160)
    assert max(map(len, order)) <= 160


def test_a_buffer_holds_long_stretches_in_random_order(small_buffers):
    order = shuffle_rows(1600, 12, np.random.RandomState(0))
    assert len(order) == 10
    for buffer in order:
        assert np.mean(np.diff(buffer) == 1) < 0.2
        # 16 runs of 10 rows
        assert len(np.unique(buffer // 10)) == 16
    again = shuffle_rows(1600, 12, np.random.RandomState(0))
    np.testing.assert_array_equal(np.concatenate(order), np.concatenate(again))


def test_order_of_rows_is_close_to_free():
    first = shuffle_rows(1000, 12, np.random.RandomState(1))[0]
    assert abs(np.corrcoef(first, np.arange(1000))[0, 1]) < 0.1


# --- reading ------------------------------------------------------------------------


def test_rows_are_centered_and_scaled_as_they_are_read(X):
    rows = TrainingRows(X, np.array([3, 5, 500]), center=X.mean(axis=0), scale=2.0)
    expected = (X - X.mean(axis=0)) / 2
    np.testing.assert_allclose(rows[:], expected[[3, 5, 500]], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rows[np.array([2, 0])], expected[[500, 3]], rtol=1e-5)
    np.testing.assert_array_equal(rows.raw(slice(1, 3)), X[[5, 500]])
    assert rows[:].dtype == np.float32
    assert rows.shape == (3, 12)


def test_float64_rows_lose_nothing_to_a_large_offset():
    X = np.random.default_rng(0).standard_normal((50, 4)) + 1e8
    rows = TrainingRows(X, center=X.mean(axis=0), scale=1.0)
    np.testing.assert_allclose(rows[:], X - X.mean(axis=0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("sizes", [(600,), (7,) * 85 + (5,), (250, 250, 100)])
def test_batches_from_a_file_are_those_from_memory(small_buffers, X, mapped, sizes):
    order = shuffle_rows(600, 12, np.random.RandomState(0))
    stored, present = TrainingRows(mapped), TrainingRows(X)
    assert stored.stored_outside
    assert not present.stored_outside
    pairs = zip(
        stored.batches(order, sizes), present.batches(order, sizes), strict=True
    )
    for (positions, rows), (expected, expected_rows) in pairs:
        np.testing.assert_array_equal(positions, expected)
        np.testing.assert_array_equal(rows, expected_rows)
        np.testing.assert_array_equal(rows, X[positions])


def test_sliced_rows_in_any_order(monkeypatch, X):
    monkeypatch.setattr(Sliced, "_PIECE", 50)
    source = OnlySlices(X)
    sliced = Sliced(source)
    wanted = np.array([599, 0, 3, 3, 250, 51])
    np.testing.assert_array_equal(sliced[wanted], X[wanted])
    np.testing.assert_array_equal(sliced[10:500:7], X[10:500:7])
    assert sliced[5:5].shape == (0, 12)
    assert source.longest <= 50


def test_a_row_that_is_not_finite_is_named(X):
    X[417, 3] = np.nan
    with pytest.raises(ValueError, match="first in row 417"):
        Sliced(OnlySlices(X))[:]


@pytest.mark.parametrize("dtype", [np.float16, np.int8])
def test_numbers_of_other_types(dtype):
    X = (10 * concept_rows()).astype(dtype)
    np.testing.assert_array_equal(Sliced(X)[3:9], X[3:9].astype(np.float32))


def test_what_is_read_by_slices(tmp_path, X, mapped):
    half = np.memmap(tmp_path / "half", dtype=np.float16, mode="w+", shape=(5, 3))
    assert must_slice(OnlySlices(X))
    assert must_slice(half)
    assert must_slice(X.astype(np.float16))
    for array in (X, mapped, X.tolist(), sparse.csr_array(X), X[0], None, "text"):
        assert not must_slice(array)


# --- fitting ------------------------------------------------------------------------


@pytest.mark.parametrize("validation_fraction", [0.1, None])
def test_the_fit_does_not_depend_on_where_the_rows_are(
    small_buffers, X, mapped, validation_fraction
):
    settings = {"validation_fraction": validation_fraction, "batch_size": 64}
    in_memory = make_sae(**settings).fit(X)
    for source in (mapped, OnlySlices(X)):
        other = make_sae(**settings).fit(source)
        assert_same_fit(in_memory, other)
        assert other.threshold_ == in_memory.threshold_
        np.testing.assert_array_equal(other.transform(source), in_memory.transform(X))
        assert other.score(source) == pytest.approx(in_memory.score(X))


def test_half_precision_file(tmp_path, X):
    path = tmp_path / "half.npy"
    np.save(path, X.astype(np.float16))
    half = np.load(path, mmap_mode="r")
    sae = make_sae(output="sparse").fit(half)
    assert_same_fit(sae, make_sae().fit(X.astype(np.float16).astype(np.float32)))
    active = sae.transform(half)
    assert isinstance(active, sparse.csr_array)
    assert active.shape == (600, 16)


def test_slices_are_checked_too(X):
    X[41, 2] = np.inf
    with pytest.raises(ValueError, match="row 41"):
        make_sae().fit(OnlySlices(X))
    with pytest.raises(ValueError, match=r"1 sample\(s\)"):
        make_sae().fit(OnlySlices(X[:1]))
    sae = make_sae().fit(X[:40])
    with pytest.raises(ValueError, match="11 features"):
        sae.transform(OnlySlices(X[:40, :11]))


def test_no_second_copy_of_the_rows(monkeypatch, X):
    """Fitting and encoding slices of X never needs the memory of X once more."""
    monkeypatch.setattr(_rows, "_BUFFER_BYTES", 1000 * 4 * 12)
    make_sae(max_epochs=1).fit(X)  # imports torch
    X = np.tile(X, (1000, 1))
    source = OnlySlices(X)
    sae = make_sae(max_epochs=1, batch_size=512, output="sparse")
    tracemalloc.start()
    try:
        sae.fit(source)
        # row numbers, 8 bytes each, weigh as much as 2 of the 12 features
        # CSR holds 3 entries of 8 bytes per row
        assert tracemalloc.get_traced_memory()[1] < 0.75 * X.nbytes
        tracemalloc.reset_peak()
        sae.transform(source)
        assert tracemalloc.get_traced_memory()[1] < 3 * len(X) * 3 * 8
    finally:
        tracemalloc.stop()
    assert source.longest <= 4096


def test_a_time_budget_ends_training_with_small_steps(X):
    sae = make_sae(max_epochs=10_000, max_time=0.3, n_iter_no_change=None).fit(X)
    assert sae.n_iter_ < 10_000
    rates = sae.history_["learning_rate"]
    assert rates.iloc[-1] < 0.2 * rates.max()
    assert np.isfinite(sae.history_["loss"]).all()


# --- partial_fit --------------------------------------------------------------------


def chunks(X, size=200):
    return [X[start : start + size] for start in range(0, len(X), size)]


def test_partial_fit_learns_what_fit_learns():
    X, X_new = concept_rows(6000), concept_rows(500, seed=7)
    sae = make_sae(batch_size=64)
    scores = []
    for _ in range(2):
        for chunk in chunks(X, 1000):
            scores.append(sae.partial_fit(chunk).score(X_new))
    whole = make_sae(max_epochs=20).fit(X).score(X_new)
    assert scores[-1] > scores[0]
    assert scores[-1] > whole - 0.05
    n_active = (sae.transform(X_new) > 0).sum(axis=1).mean()
    assert abs(n_active - 3) < 0.3
    assert sae.n_samples_seen_ == 12_000
    assert sae.n_steps_ == 12 * 16
    assert sae.n_iter_ == len(sae.history_) == 12
    assert list(sae.history_["epoch"]) == list(range(1, 13))
    np.testing.assert_allclose(np.linalg.norm(sae.components_, axis=1), 1, rtol=1e-5)


def test_first_chunk_sets_the_scale(X):
    first, second = X[:300], X[300:] + 5
    sae = make_sae().partial_fit(first)
    mean, variance = sae.mean_.copy(), sae.variance_
    np.testing.assert_allclose(mean, first.mean(axis=0), rtol=1e-5)
    sae.partial_fit(second)
    np.testing.assert_array_equal(sae.mean_, mean)
    assert sae.variance_ == variance


def test_partial_fit_resumes_from_a_file(tmp_path, X):
    sae = make_sae(batch_size=32).partial_fit(X[:200]).partial_fit(X[200:400])
    sae.save(tmp_path / "sae.npz")
    loaded = SparseAutoencoderTransformer.load(tmp_path / "sae.npz")
    sae.partial_fit(X[400:])
    loaded.partial_fit(X[400:])
    assert_same_fit(sae, loaded)
    assert loaded.threshold_ == sae.threshold_
    assert loaded.n_steps_ == sae.n_steps_


def test_partial_fit_goes_on_from_fit_and_fit_starts_anew(X):
    fitted = make_sae(max_epochs=20).fit(X)
    before, score = fitted.components_.copy(), fitted.score(X)
    fitted.partial_fit(X[:64])
    cosine = (before * fitted.components_).sum(axis=1)
    assert cosine.min() > 0.9
    assert fitted.score(X) > score - 0.1
    assert_same_fit(
        fitted.fit(X), make_sae(max_epochs=6).set_params(max_epochs=20).fit(X)
    )


def test_partial_fit_with_other_sizes(X):
    sae = make_sae().partial_fit(X)
    with pytest.raises(ValueError, match="11 features"):
        sae.partial_fit(X[:, :11])
    with pytest.raises(ValueError, match="cannot go on"):
        sae.set_params(n_neurons=17).partial_fit(X)


def test_divergence_leaves_the_transformer_as_it_was(X):
    sae, other = make_sae().partial_fit(X), make_sae().partial_fit(X)
    sae.set_params(learning_rate=1e39, batch_size=8)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError):
        sae.partial_fit(X)
    assert_same_fit(sae, other)
    sae.set_params(learning_rate="auto", batch_size="auto")
    assert_same_fit(sae.partial_fit(X), other.partial_fit(X))


def test_tiny_first_chunk():
    X = concept_rows(5)
    sae = make_sae().partial_fit(X[:3])
    sae.partial_fit(X[3:4])
    assert sae.n_samples_seen_ == 4
    assert np.isfinite(sae.transform(X)).all()


def test_two_processes_with_half_the_batch(tmp_path, X):
    """Equal to one process for Top-K; for Batch Top-K the two agree with each other."""
    import torch.distributed as dist

    if not dist.is_available() or not dist.is_gloo_available():
        pytest.skip("this build of torch has no gloo")
    np.save(tmp_path / "X.npy", X)
    starts = {}
    for sparsity in ("topk", "batch_topk"):
        starts[sparsity] = make_sae(sparsity=sparsity, max_epochs=1).fit(X)
        starts[sparsity].save(tmp_path / f"{sparsity}.npz")
    context = fork_context()
    ranks = [context.Process(target=train_as, args=(r, tmp_path)) for r in range(2)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(120)
        assert process.exitcode == 0
    load = SparseAutoencoderTransformer.load
    for sparsity, kind in itertools.product(starts, ("online", "whole", "pool")):
        name = f"{sparsity}-{kind}"
        first, second = (load(tmp_path / f"{name}{rank}.npz") for rank in range(2))
        assert_same_fit(first, second)
    np.testing.assert_array_equal(first.n_found_, second.n_found_)
    alone = starts["topk"].set_params(batch_size=64).partial_fit(X)
    online = load(tmp_path / "topk-online0.npz")
    assert online.n_steps_ == alone.n_steps_
    assert_same_fit(online, alone, rtol=1e-4, atol=1e-5)
