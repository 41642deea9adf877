"""Threads and kernels: one thread, the same bits, and nothing left behind."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits
from transformer_checks import AUTOENCODER_WEIGHTS

from sklearn_hypo import SparseAutoencoderTransformer, SupervisedSAETransformer
from sklearn_hypo._autoencoder import _products
from sklearn_hypo._autoencoder._learner import Learner
from sklearn_hypo.exceptions import HypothesisWarning


def count_threads():
    return {each["num_threads"] for each in threadpool_info()} | {
        torch.get_num_threads()
    }


@pytest.fixture
def set_threads():
    """Set numbers of threads everywhere; give back what the tests run with."""
    before = torch.get_num_threads()
    with threadpool_limits():

        def set_threads(n_threads):
            threadpool_limits(n_threads)
            torch.set_num_threads(n_threads)

        yield set_threads
        threadpool_limits(before)
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def Xy():
    rng = np.random.default_rng(0)
    X = (rng.random((3000, 300)) < 0.03) @ rng.standard_normal((300, 128))
    X += 0.1 * rng.standard_normal(X.shape)
    return X.astype(np.float32), X[:, 0] + rng.standard_normal(len(X))


def make_sae(kind, **params):
    return kind(256, 8, **({"max_epochs": 2, "random_state": 0} | params))


BOTH = pytest.mark.parametrize(
    "kind", [SparseAutoencoderTransformer, SupervisedSAETransformer]
)


class Watch:
    """Sees how many threads there are while an epoch ends; may complain."""

    def __init__(self, complain=False):
        self.complain, self.seen = complain, set()

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, **kwargs):
        self.seen |= count_threads()
        if self.complain:
            raise KeyError
        return False


@BOTH
def test_training_computes_on_one_thread(kind, Xy, set_threads):
    set_threads(2)
    watch = Watch()
    make_sae(kind).set_callbacks(watch).fit(*Xy)
    assert watch.seen == {1}
    assert count_threads() == {2}


@BOTH
def test_errors_restore_the_threads(kind, Xy, set_threads):
    set_threads(2)
    with pytest.raises(KeyError):
        make_sae(kind).set_callbacks(Watch(complain=True)).fit(*Xy)
    assert count_threads() == {2}
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError):
        make_sae(kind, learning_rate=1e30).fit(*Xy)
    assert count_threads() == {2}


@BOTH
def test_the_number_of_threads_changes_no_bit(kind, Xy, set_threads):
    fits = []
    for n_threads in (1, 2):
        set_threads(n_threads)
        sae = make_sae(kind).fit(*Xy)
        fits.append([getattr(sae, name) for name in AUTOENCODER_WEIGHTS])
        fits[-1] += [sae.transform(Xy[0]), sae.score(*Xy)]
        fits[-1].append(sae.partial_fit(*Xy).encoder_coef_)
    for one, two in zip(*fits, strict=True):
        np.testing.assert_array_equal(one, two)


def test_inference_mode_of_torch_is_no_obstacle(Xy, set_threads):
    set_threads(2)
    sae = make_sae(SparseAutoencoderTransformer).fit(Xy[0])
    expected = sae.transform(Xy[0])
    with torch.inference_mode():  # one of each thread
        np.testing.assert_array_equal(sae.transform(Xy[0]), expected)
        np.testing.assert_array_equal(
            clone(sae).fit(Xy[0]).encoder_coef_, sae.encoder_coef_
        )


def test_fits_side_by_side_leave_nothing_behind(Xy, set_threads):
    set_threads(2)
    alone = make_sae(SupervisedSAETransformer).fit(*Xy)
    together = Parallel(n_jobs=2, backend="threading")(
        delayed(make_sae(SupervisedSAETransformer).fit)(*Xy) for _ in range(3)
    )
    assert count_threads() == {2}
    for each in together:
        np.testing.assert_array_equal(each.encoder_coef_, alone.encoder_coef_)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_rows", [1, 7, 600])
@pytest.mark.parametrize("with_intercept", [True, False])
@pytest.mark.parametrize("kernel", ["as found", "none", "another"])
def test_affine_product(monkeypatch, dtype, n_rows, with_intercept, kernel):
    if kernel != "as found":
        renamed = SimpleNamespace(_linear_pointwise=lambda *args: args[0])
        monkeypatch.setattr(
            torch.ops, "mkldnn", renamed if kernel == "another" else SimpleNamespace()
        )
    _products._find_kernel.cache_clear()
    rng = np.random.default_rng(0)
    rows, weights, intercept = (
        torch.from_numpy(rng.standard_normal(shape)).to(dtype)
        for shape in ((n_rows, 96), (160, 96), 160)
    )
    if not with_intercept:
        intercept = None
    found = _products.multiply_affine(rows, weights, intercept)
    out = torch.empty_like(found)
    assert _products.multiply_affine(rows, weights, intercept, out) is out
    _products._find_kernel.cache_clear()
    torch.testing.assert_close(out, found, rtol=0, atol=0)
    expected = rows.double() @ weights.double().T
    if with_intercept:
        expected += intercept
    assert found.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 1e-13
    assert (found - expected).abs().max() < 20 * tolerance


def test_steps_that_find_no_memory_are_taken_by_halves(Xy, monkeypatch):
    X = Xy[0][:600]
    take, room, sizes = Learner._take_step, 100, []

    def run_out(self, rows, learning_rate, positions):
        if len(rows) > room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        sizes.append(len(rows))
        return take(self, rows, learning_rate, positions)

    monkeypatch.setattr(Learner, "_take_step", run_out)
    sae = make_sae(SparseAutoencoderTransformer, batch_size=300)
    with pytest.warns(
        HypothesisWarning, match="too little memory .*batch_size="
    ) as said:
        sae.fit(X)
    assert len([w for w in said if "memory" in str(w.message)]) == 1
    assert max(sizes) <= 100
    assert sae.n_steps_ == len(sizes)
    # as with so small a batch: what was learned explains as much
    monkeypatch.undo()
    small = make_sae(SparseAutoencoderTransformer, batch_size=75).fit(X)
    assert sae.explained_variance(X) == pytest.approx(
        small.explained_variance(X), abs=0.05
    )
    room = 0
    monkeypatch.setattr(Learner, "_take_step", run_out)
    with (
        pytest.warns(HypothesisWarning),
        pytest.raises(
            MemoryError, match=r"batch_size=1\. Choose device='cpu', or fewer"
        ),
    ):
        sae.fit(X)
