"""The numerics of the sparse autoencoder, against hand calculation and autograd."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_hypo._autoencoder._codes import (
    ActivationSelector,
    DenseCodes,
    SparseCodes,
    find_batch_top_k,
    find_kth_largest_positive,
    find_largest,
    find_top_k,
)
from sklearn_hypo._autoencoder._encoding import (
    AffineEncoder,
    calibrate_threshold,
    compute_squared_errors,
    compute_unexplained,
    count_firing,
    encode,
    find_active,
    find_largest_entries,
)
from sklearn_hypo._autoencoder._gradients import (
    Weights,
    add_auxiliary_gradients,
    compute_loss_and_gradients,
    normalize_rows,
    project_out_radial,
)
from sklearn_hypo._autoencoder._initialization import (
    fit_gain,
    initialize_weights,
    measure_scale,
)
from sklearn_hypo._autoencoder._plan import (
    Plan,
    choose_batch_size,
    choose_epochs,
    make_plan,
    resolve_engine,
    resolve_prefixes,
)
from sklearn_hypo._autoencoder._rows import TrainingRows
from sklearn_hypo._autoencoder._training import TrainingRun, schedule_rate

TINY = np.finfo(np.float32).tiny


def compute_pre_activations(X, weights):
    return AffineEncoder(weights, X.dtype)(X)


def random_weights(rng, n_neurons=8, n_features=5, dtype=np.float32):
    decoder = rng.standard_normal((n_neurons, n_features))
    decoder /= np.linalg.norm(decoder, axis=1, keepdims=True)
    arrays = (
        decoder + 0.1 * rng.standard_normal(decoder.shape),
        0.1 * rng.standard_normal(n_neurons),
        decoder,
        0.1 * rng.standard_normal(n_features),
    )
    return Weights(*(a.astype(dtype) for a in arrays))


ENGINES = ("dense", "sparse")


def dense_mask(codes):
    """The mask of codes of either kind."""
    if isinstance(codes, DenseCodes):
        return codes.mask
    mask = torch.zeros(codes.shape, dtype=torch.bool)
    mask[codes.rows, codes.columns] = True
    return mask


def plan(**changes):
    settings = Plan(
        k=2,
        sparsity="batch_topk",
        prefixes=(16,),
        max_epochs=5,
        batch_size=64,
        learning_rate=0.02,
        patience=None,
        aux_k=4,
        aux_coefficient=1 / 32,
        dead_after=256,
    )
    return settings._replace(**changes)


def concept_rows(rng, n_rows=256, n_concepts=10, n_features=12):
    """Rows that are sums of few of some directions, centered and scaled."""
    concepts = rng.standard_normal((n_concepts, n_features))
    X = (rng.random((n_rows, n_concepts)) < 0.2) @ concepts
    X = X - X.mean(axis=0)
    return (X / np.sqrt((X**2).sum(axis=1).mean())).astype(np.float32)


# --- one row and two neurons, by hand -----------------------------------------------


def two_by_two():
    # x - b = (2, 1);  z = ((2, 1) . (1, 0), (2, 1) . (0, 2)) + (0.5, -1) = (2.5, 1)
    weights = Weights(
        encoder=np.array([[1.0, 0.0], [0.0, 2.0]]),
        intercept=np.array([0.5, -1.0]),
        decoder=np.array([[0.6, 0.8], [0.0, 1.0]]),
        offset=np.array([1.0, 2.0]),
    )
    return np.array([[3.0, 3.0]]), weights


def test_pre_activations_by_hand():
    x, weights = two_by_two()
    np.testing.assert_allclose(compute_pre_activations(x, weights), [[2.5, 1.0]])


@pytest.mark.parametrize(
    ("k", "prefixes", "loss"),
    [
        # a = (2.5, 0): aD = (1.5, 2), residual (0.5, -1), squared 1.25
        (1, (2,), 1.25 / 4),
        # a = (2.5, 1): aD = (1.5, 3), residual (0.5, -2), squared 4.25
        (2, (2,), 4.25 / 4),
        # the first neuron alone leaves 1.25, both leave 4.25
        (2, (1, 2), (1.25 + 4.25) / 2 / 4),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_loss_by_hand(k, prefixes, loss, engine):
    x, weights = two_by_two()
    tensors = Weights(*(torch.from_numpy(w) for w in weights))
    step = compute_loss_and_gradients(
        torch.from_numpy(x),
        tensors,
        ActivationSelector("topk", k, engine),
        prefixes,
        4.0,
    )
    assert step.loss == pytest.approx(loss, rel=1e-12)
    if prefixes == (2,):
        expected = compute_unexplained(x, weights, k, "topk", 4.0)
        assert step.loss == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_gradients_by_hand(engine):
    x, weights = two_by_two()
    tensors = Weights(*(torch.from_numpy(w) for w in weights))
    step = compute_loss_and_gradients(
        torch.from_numpy(x), tensors, ActivationSelector("topk", 1, engine), (2,), 4.0
    )
    # dL/dxhat = 2 (xhat - x) / 4 = (-0.25, 0.5);  dL/da_1 = (-0.25, 0.5) . D_1 = 0.25
    gradients = step.gradients
    np.testing.assert_allclose(gradients.decoder, [[-0.625, 1.25], [0, 0]])
    np.testing.assert_allclose(gradients.encoder, [[0.5, 0.25], [0, 0]])
    np.testing.assert_allclose(gradients.intercept, [0.25, 0])
    # directly, and by way of the pre-activation, which falls as b rises
    np.testing.assert_allclose(gradients.offset, [-0.25 - 0.25, 0.5])
    np.testing.assert_allclose(step.residual, [[-0.5, 1.0]])
    np.testing.assert_array_equal(dense_mask(step.codes), [[True, False]])
    np.testing.assert_array_equal(step.codes.find_fired(), [True, False])


# --- gradients against autograd -----------------------------------------------------


def autograd_step(x, weights, mask, prefixes, variance):
    """The same loss, written plainly, and left to autograd."""
    encoder, intercept, decoder, offset = weights
    active = ((x - offset) @ encoder.T + intercept) * mask
    total = 0.0
    for m in prefixes:
        reconstruction = offset + active[:, :m] @ decoder[:m]
        total = total + ((x - reconstruction) ** 2).sum() / (len(x) * variance)
    return total / len(prefixes)


def setup_step(seed=0, n_rows=20):
    rng = np.random.default_rng(seed)
    weights = random_weights(rng, dtype=np.float64)
    x = torch.from_numpy(rng.standard_normal((n_rows, 5)))
    leaves = Weights(*(torch.tensor(w, requires_grad=True) for w in weights))
    tensors = Weights(*(torch.from_numpy(w) for w in weights))
    return x, tensors, leaves


@pytest.mark.parametrize("prefixes", [(8,), (3, 8), (1, 4, 8)])
@pytest.mark.parametrize("sparsity", ["topk", "batch_topk"])
@pytest.mark.parametrize("engine", ENGINES)
def test_gradients_match_autograd(sparsity, prefixes, engine):
    x, tensors, leaves = setup_step()
    select = ActivationSelector(sparsity, 3, engine)
    step = compute_loss_and_gradients(x, tensors, select, prefixes, 1.7)
    assert isinstance(step.codes, DenseCodes if engine == "dense" else SparseCodes)
    expected = autograd_step(x, leaves, dense_mask(step.codes), prefixes, 1.7)
    expected.backward()
    assert step.loss == pytest.approx(expected.item(), rel=1e-12)
    for name, gradient, leaf in zip(
        Weights._fields, step.gradients, leaves, strict=True
    ):
        torch.testing.assert_close(
            gradient, leaf.grad, rtol=1e-10, atol=1e-13, msg=name
        )


@pytest.mark.parametrize("prefixes", [(256,), (32, 256)])
@pytest.mark.parametrize("sparsity", ["topk", "batch_topk"])
@pytest.mark.parametrize("engine", ENGINES)
def test_float32_gradients_of_a_real_size_match_autograd(sparsity, prefixes, engine):
    rng = np.random.default_rng(0)
    weights = random_weights(rng, 256, 96)
    x = torch.from_numpy(rng.standard_normal((512, 96)).astype(np.float32))
    tensors = Weights(*(torch.from_numpy(w) for w in weights))
    step = compute_loss_and_gradients(
        x, tensors, ActivationSelector(sparsity, 8, engine), prefixes, 96.0
    )
    leaves = Weights(
        *(torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in weights)
    )
    mask = dense_mask(step.codes)
    autograd_step(x.double(), leaves, mask, prefixes, 96.0).backward()
    for gradient, leaf in zip(step.gradients, leaves, strict=True):
        error = (gradient - leaf.grad).norm() / leaf.grad.norm()
        assert error < 1e-5


def test_a_further_loss_enters_through_the_codes():
    x, tensors, leaves = setup_step(2)
    direction = torch.from_numpy(np.random.default_rng(3).standard_normal(8))

    def supervise(codes):
        # the loss 0.5 * sum((A w)^2)
        left = codes.multiply(direction[:, None])
        return codes.sample_product(left, direction[:, None])

    results = [
        compute_loss_and_gradients(
            x, tensors, ActivationSelector("topk", 3, engine), (3, 8), 1.7, supervise
        )
        for engine in ENGINES
    ]
    mask = dense_mask(results[0].codes)
    active = ((x - leaves.offset) @ leaves.encoder.T + leaves.intercept) * mask
    expected = autograd_step(x, leaves, mask, (3, 8), 1.7)
    (expected + 0.5 * ((active @ direction) ** 2).sum()).backward()
    for step in results:
        for gradient, leaf in zip(step.gradients, leaves, strict=True):
            torch.testing.assert_close(gradient, leaf.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_without_any_active_neuron(engine):
    x, tensors, _ = setup_step()
    silent = tensors._replace(intercept=tensors.intercept - 100)
    select = ActivationSelector("batch_topk", 3, engine)
    step = compute_loss_and_gradients(x, silent, select, (3, 8), 1.7)
    assert step.loss == pytest.approx(
        float(((x - silent.offset) ** 2).sum() / 20 / 1.7)
    )
    for gradient in step.gradients[:3]:
        assert not gradient.any()
    assert not step.codes.find_fired().any()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("k_aux", [1, 2, 3])
def test_auxiliary_gradients_match_autograd(k_aux, engine):
    x, tensors, leaves = setup_step(1)
    dead = torch.tensor([1, 4, 6])
    step = compute_loss_and_gradients(
        x, tensors, ActivationSelector("topk", 2, engine), (8,), 1.7
    )
    plain = [gradient.clone() for gradient in step.gradients]
    auxiliary = add_auxiliary_gradients(x, step, tensors, dead, k_aux, 0.3, 1.7)

    z = (x - leaves.offset.detach()) @ leaves.encoder[dead].T + leaves.intercept[dead]
    rank = z.detach().argsort(dim=1, descending=True).argsort(dim=1)
    left_over = (z * (rank < k_aux)) @ leaves.decoder[dead]
    expected = 0.3 / (len(x) * 1.7) * ((step.residual + left_over) ** 2).sum()
    expected.backward()

    assert auxiliary == pytest.approx(expected.item(), rel=1e-12)
    for name in ("encoder", "intercept", "decoder"):
        added = getattr(step.gradients, name) - plain[Weights._fields.index(name)]
        torch.testing.assert_close(
            added, getattr(leaves, name).grad, rtol=1e-10, atol=1e-13, msg=name
        )
    torch.testing.assert_close(step.gradients.offset, plain[3], rtol=0, atol=0)


# --- sparse products against dense ones ----------------------------------------------


def random_codes(rng, n_rows=30, n_neurons=12, share=0.2):
    """The same activations as a dense matrix and as sparse codes."""
    dense = rng.standard_normal((n_rows, n_neurons)) * (
        rng.random((n_rows, n_neurons)) < share
    )
    dense[4] = 0.0  # a row and a neuron without any
    dense[:, 7] = 0.0
    positions = np.flatnonzero(dense)
    codes = SparseCodes.from_positions(positions, dense.ravel()[positions], dense.shape)
    return dense, codes


@pytest.mark.parametrize("block", [(0, 12), (0, 5), (5, 12), (7, 8)])
def test_sparse_products_equal_dense_ones(block):
    rng = np.random.default_rng(0)
    dense, codes = random_codes(rng)
    start, stop = block
    dense, part = dense[:, start:stop], codes.block(start, stop)
    left, right = rng.standard_normal((30, 6)), rng.standard_normal((stop - start, 6))
    to = torch.from_numpy
    np.testing.assert_allclose(part.multiply(to(right)), dense @ right, atol=1e-12)
    np.testing.assert_allclose(
        part.multiply_transposed(to(left)), dense.T @ left, atol=1e-12
    )
    active = dense != 0
    np.testing.assert_allclose(
        part.sample_product(to(left), to(right)), (left @ right.T)[active], atol=1e-12
    )
    np.testing.assert_allclose(part.sum_by_neuron(), dense.sum(axis=0), atol=1e-12)
    np.testing.assert_array_equal(part.find_fired(), active.any(axis=0))


@pytest.mark.parametrize("ends", [(12,), (5, 12), (1, 4, 12)])
def test_products_of_blocks_are_those_of_parts(ends):
    rng = np.random.default_rng(0)
    matrix, codes = random_codes(rng)
    mask = torch.from_numpy(matrix != 0)
    lefts = torch.from_numpy(rng.standard_normal((len(ends), 30, 6)))
    right = rng.standard_normal((12, 6))
    to_right = torch.from_numpy(right)
    parts = [slice(*pair) for pair in pairwise((0, *ends))]
    for each in (codes, DenseCodes(torch.from_numpy(matrix), mask)):
        blocks = each.split(ends)
        for g, part in enumerate(parts):
            product = blocks.multiply(to_right)[g]
            expected = matrix[:, part] @ right[part]
            np.testing.assert_allclose(product, expected, atol=1e-12)
            product = blocks.multiply_transposed(lefts, 3.0)[part]
            expected = 3.0 * matrix[:, part].T @ lefts[g].numpy()
            np.testing.assert_allclose(product, expected, atol=1e-12)
        values = each.replace_values(blocks.sample_product(lefts, to_right)).dense()
        expected = np.hstack(
            [
                left.numpy() @ right[part].T
                for left, part in zip(lefts, parts, strict=True)
            ]
        )
        np.testing.assert_allclose(values, expected * (matrix != 0), atol=1e-12)


def test_sampled_product_without_the_private_kernel(monkeypatch):
    rng = np.random.default_rng(0)
    _, codes = random_codes(rng)
    left, right = (torch.from_numpy(rng.standard_normal((n, 6))) for n in (30, 12))
    expected = codes.sample_product(left, right)
    monkeypatch.setattr(torch.ops, "aten", SimpleNamespace())
    np.testing.assert_allclose(codes.sample_product(left, right), expected, atol=1e-12)


def test_radial_part_of_gradient_is_removed():
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(random_weights(rng).decoder)
    gradient = torch.from_numpy(rng.standard_normal((8, 5)).astype(np.float32))
    before = gradient.clone()
    project_out_radial(gradient, rows)
    np.testing.assert_allclose((gradient * rows).sum(1), 0, atol=1e-6)
    radial = ((before - gradient) * rows).sum(1, keepdim=True) * rows
    torch.testing.assert_close(before - gradient, radial)


def test_normalize_rows_keeps_zero_rows():
    rows = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    normalize_rows(rows)
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, 0.0]])


# --- which pre-activations stay -----------------------------------------------------


def test_top_k_mask_keeps_the_largest_positive():
    pre = np.array([[3.0, -1.0, 2.0, 1.0], [-1.0, -2.0, -3.0, -4.0], [0, 0, 0, 5.0]])
    expected = [[1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_array_equal(find_top_k(pre, 2), np.array(expected, dtype=bool))


def test_top_k_mask_breaks_ties_by_column():
    pre = np.array([[1.0, 2.0, 2.0, 2.0], [5.0, 5.0, 5.0, 5.0], [1.0, 0.0, 0.0, 2.0]])
    expected = [[0, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 1]]
    np.testing.assert_array_equal(find_top_k(pre, 2), np.array(expected, dtype=bool))


@pytest.mark.parametrize("mask", [find_top_k, find_batch_top_k])
def test_k_equal_to_n_neurons_keeps_every_positive(mask):
    pre = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    np.testing.assert_array_equal(mask(pre, 4), pre > 0)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_top_k_mask_against_sorting(k):
    pre = np.random.default_rng(k).standard_normal((50, 12)).astype(np.float32)
    kept = np.where(find_top_k(pre, k), pre, 0)
    expected = np.maximum(np.sort(pre, axis=1)[:, ::-1][:, :k], 0)
    np.testing.assert_array_equal(np.sort(kept, axis=1)[:, ::-1][:, :k], expected)


def test_batch_top_k_mask_spends_the_places_where_they_matter():
    pre = np.array([[5.0, 4.0, 3.0], [1.0, -1.0, 0.5]])
    np.testing.assert_array_equal(
        find_batch_top_k(pre, 1), [[True, True, False], [False, False, False]]
    )


def test_batch_top_k_mask_with_fewer_positives_than_places():
    pre = np.array([[5.0, -4.0, 0.0], [-1.0, -1.0, 0.5]])
    np.testing.assert_array_equal(find_batch_top_k(pre, 2), pre > 0)


@pytest.mark.parametrize(
    ("values", "k", "threshold"),
    [
        ([3.0, 1.0, 2.0, -1.0], 1, 3.0),
        ([3.0, 1.0, 2.0, -1.0], 3, 1.0),
        ([3.0, 3.0, 3.0, 1.0], 2, 3.0),
        ([3.0, -1.0, -2.0, 0.0], 2, TINY),
        ([-1.0, -2.0], 1, TINY),
        ([1.0, 2.0], 2, TINY),
        ([1.0, 2.0], 9, TINY),
    ],
)
def test_kth_largest_positive(values, k, threshold):
    assert find_kth_largest_positive(np.array(values, dtype=np.float32), k) == threshold


@pytest.mark.parametrize("guess", [None, 1e-6, 0.5, 1.2, 50.0])
@pytest.mark.parametrize("k", [1, 40, 5000])
def test_positions_of_largest_do_not_depend_on_the_guess(k, guess):
    values = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    positions, threshold = find_largest(values, k, guess)
    expected = np.flatnonzero(values >= find_kth_largest_positive(values, k))
    if guess == 1e-6:
        guess = None  # below every positive value of these
    np.testing.assert_array_equal(positions, expected)
    assert threshold > 0


def test_positions_of_largest_keep_what_is_tied():
    values = np.array([3.0, 1.0, 3.0, 2.0, 3.0])
    for guess in (None, 0.5, 3.0, 4.0):
        np.testing.assert_array_equal(find_largest(values, 2, guess)[0], [0, 2, 4])


def test_selector_finds_the_same_in_batch_after_batch():
    rng = np.random.default_rng(0)
    select = ActivationSelector("batch_topk", 3, "sparse")
    for scale in (1.0, 1.1, 0.1, 30.0, 0.0):
        pre = (scale * rng.standard_normal((20, 9))).astype(np.float32)
        codes = select(torch.from_numpy(pre))
        expected = find_batch_top_k(pre, 3)
        np.testing.assert_array_equal(dense_mask(codes), expected)
        np.testing.assert_array_equal(codes.values, pre[expected])


def test_threshold_is_used_in_the_precision_of_the_values():
    value = np.float32(0.1)  # a little above 0.1 in float64
    pre = np.array([[value, np.nextafter(value, np.float32(0))]])
    for threshold in (float(value), np.float64(value), value):
        np.testing.assert_array_equal(find_active(pre, 9, threshold), [0])
    np.testing.assert_array_equal(find_active(pre, 1, None), [0])


@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_encoding_keeps_a_value_that_equals_the_threshold(dtype, as_sparse):
    weights = Weights(
        *(np.asarray(w, np.float32) for w in ([[1.0]], [0.0], [[1.0]], [0.0]))
    )
    X = np.array([[0.1], [np.nextafter(np.float32(0.1), np.float32(0))]], dtype)
    active = encode(X, weights, 1, float(np.float32(0.1)), as_sparse=as_sparse)
    active = active.toarray() if as_sparse else active
    expected = X[0, 0] >= np.float32(0.1)
    np.testing.assert_array_equal(active[:, 0] > 0, [expected, False])


# --- encoding and calibration -------------------------------------------------------


@pytest.mark.parametrize("threshold", [None, 0.4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_encode_dense_equals_sparse_for_any_batch_size(threshold, dtype):
    rng = np.random.default_rng(0)
    weights = random_weights(rng)
    X = rng.standard_normal((37, 5)).astype(dtype)
    dense = encode(X, weights, 3, threshold)
    assert dense.dtype == np.float32
    assert (dense >= 0).all()
    assert not np.signbit(dense).any()
    for batch_size in (1, 5, 36, 37):
        other = encode(X, weights, 3, threshold, batch_size=batch_size)
        np.testing.assert_allclose(other, dense, rtol=1e-5)
        compressed = encode(
            X, weights, 3, threshold, batch_size=batch_size, as_sparse=True
        )
        assert sparse.issparse(compressed)
        assert compressed.dtype == np.float32
        assert (compressed.data > 0).all()
        np.testing.assert_array_equal(compressed.toarray(), other)


def test_encode_no_rows():
    weights = random_weights(np.random.default_rng(0))
    X = np.empty((0, 5), dtype=np.float32)
    assert encode(X, weights, 3, None).shape == (0, 8)
    assert encode(X, weights, 3, None, as_sparse=True).shape == (0, 8)


def test_pre_activations_survive_a_large_offset():
    rng = np.random.default_rng(0)
    weights = random_weights(rng)
    X = rng.standard_normal((50, 5)).astype(np.float32)
    shifted = weights._replace(offset=weights.offset + np.float32(4096))
    near = compute_pre_activations(X, weights)
    far = compute_pre_activations(X + np.float32(4096), shifted)
    # what rounding X + 4096 to float32 costs, and no more
    assert np.abs(far - near).max() < 4096 * 2**-23 * 5


@pytest.mark.parametrize("batch_size", [7, 64, 1000])
def test_calibrated_threshold_keeps_exactly_n_k(batch_size):
    rng = np.random.default_rng(0)
    weights = random_weights(rng)
    X = rng.standard_normal((200, 5)).astype(np.float32)
    threshold = calibrate_threshold([X], weights, 2, batch_size=batch_size)
    pre = compute_pre_activations(X, weights)
    assert (pre >= threshold).sum() == 200 * 2
    left_out, kept = np.sort(pre.ravel())[[-401, -400]]
    assert threshold == pytest.approx((left_out + kept) / 2, rel=1e-6)


def test_calibrated_threshold_with_fewer_positives_than_n_k():
    rng = np.random.default_rng(0)
    weights = random_weights(rng)
    weights = weights._replace(intercept=weights.intercept - 2)
    X = rng.standard_normal((50, 5)).astype(np.float32)
    pre = compute_pre_activations(X, weights)
    n_positive = (pre > 0).sum()
    assert 0 < n_positive < 50 * 4
    threshold = calibrate_threshold([X], weights, 4, batch_size=8)
    assert (pre >= threshold).sum() == n_positive


def test_calibration_weighs_sets_of_rows_equally():
    rng = np.random.default_rng(0)
    weights = random_weights(rng)
    many = rng.standard_normal((400, 5)).astype(np.float32)
    few = 2 * rng.standard_normal((40, 5)).astype(np.float32)
    threshold = calibrate_threshold([many, few], weights, 2)
    active = [
        (compute_pre_activations(X, weights) >= threshold).sum() / len(X)
        for X in (many, few)
    ]
    assert active[0] < 2 < active[1]
    assert np.mean(active) == pytest.approx(2, abs=1 / 40)


def test_calibrated_threshold_with_no_positives_is_positive():
    weights = random_weights(np.random.default_rng(0))
    weights = weights._replace(intercept=weights.intercept - 100)
    assert 0 < calibrate_threshold([np.zeros((9, 5), np.float32)], weights, 2) < 1e-30


def test_calibration_thins_evenly_beyond_max_rows():
    rng = np.random.default_rng(0)
    weights = random_weights(rng)
    X = rng.standard_normal((101, 5)).astype(np.float32)
    thinned = calibrate_threshold([X], weights, 2, max_rows=50)
    assert thinned == calibrate_threshold([X[::3]], weights, 2)


def test_unexplained_does_not_depend_on_the_batch_size():
    rng = np.random.default_rng(0)
    weights = random_weights(rng)
    X = rng.standard_normal((50, 5)).astype(np.float32)
    for sparsity in ("topk", "batch_topk"):
        whole = compute_unexplained(X, weights, 2, sparsity, 1.5)
        parts = compute_unexplained(X, weights, 2, sparsity, 1.5, batch_size=7)
        assert whole == pytest.approx(parts, rel=1e-6)
        mask = find_top_k if sparsity == "topk" else find_batch_top_k
        pre = compute_pre_activations(X, weights)
        error = X - weights.offset - (pre * mask(pre, 2)) @ weights.decoder
        assert whole == pytest.approx((error**2).sum() / 50 / 1.5, rel=1e-5)


def test_largest_entries_are_those_of_the_whole_matrix():
    rng = np.random.default_rng(0)
    weights = random_weights(rng)
    X = rng.standard_normal((50, 5)).astype(np.float32)
    pre = compute_pre_activations(X[::3], weights).ravel()
    for count in (1, 20, 30, 1000):
        expected = np.flatnonzero(pre >= find_kth_largest_positive(pre, count))
        for batch_size in (3, 8, 1000):
            positions, values = find_largest_entries(
                X, weights, count, batch_size=batch_size, step=3
            )
            np.testing.assert_array_equal(positions, expected)
            np.testing.assert_allclose(values, pre[expected], rtol=1e-5)


def test_squared_errors_and_firing_counts():
    rng = np.random.default_rng(0)
    weights = random_weights(rng)
    X = rng.standard_normal((50, 5)).astype(np.float32)
    for threshold in (None, 0.4):
        active = encode(X, weights, 2, threshold)
        expected = ((X - weights.offset - active @ weights.decoder) ** 2).sum(axis=1)
        found = compute_squared_errors(X, weights, 2, threshold, batch_size=7)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        counts = count_firing(X, weights, 2, threshold)
        np.testing.assert_array_equal(counts, (active > 0).sum(axis=0))
        thinned = count_firing(X, weights, 2, threshold, min_rows=20)
        np.testing.assert_array_equal(thinned, (active[::2] > 0).sum(axis=0))


# --- where training starts ----------------------------------------------------------


def assert_unit_rows(weights, n_neurons, n_features):
    assert weights.decoder.shape == (n_neurons, n_features)
    np.testing.assert_allclose(np.linalg.norm(weights.decoder, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(weights.encoder, weights.decoder)
    assert not np.shares_memory(weights.encoder, weights.decoder)
    assert all(w.dtype == np.float32 for w in weights)
    assert not weights.intercept.any()
    assert not weights.offset.any()


@pytest.mark.parametrize("n_rows", [3, 10, 39, 400])
def test_initial_rows_have_unit_length_for_any_number_of_rows(n_rows):
    X = np.random.default_rng(0).standard_normal((n_rows, 6))
    weights = initialize_weights(X, 10, np.random.RandomState(0))
    assert_unit_rows(weights, 10, 6)


def test_initial_weights_are_repeatable():
    X = np.random.default_rng(0).standard_normal((100, 6))
    first, second, other = (
        initialize_weights(X, 10, np.random.RandomState(seed)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.decoder, second.decoder)
    assert np.abs(first.decoder - other.decoder).max() > 0.1


def test_few_rows_become_directions_themselves():
    X = np.random.default_rng(0).standard_normal((6, 4))
    weights = initialize_weights(X, 8, np.random.RandomState(0))
    cosine = (X / np.linalg.norm(X, axis=1, keepdims=True)) @ weights.decoder.T
    np.testing.assert_allclose(cosine.max(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("n_neurons", [8, 40])
def test_duplicate_rows_do_not_start_as_twin_neurons(n_neurons):
    X = np.repeat(np.random.default_rng(0).standard_normal((20, 6)), 10, axis=0)
    weights = initialize_weights(X, n_neurons, np.random.RandomState(0))
    assert_unit_rows(weights, n_neurons, 6)
    cosine = weights.decoder @ weights.decoder.T - 2 * np.eye(n_neurons)
    assert cosine.max() < 1 - 1e-5


def test_zero_rows_are_no_directions():
    X = np.zeros((50, 6))
    X[7] = 1.0
    weights = initialize_weights(X, 4, np.random.RandomState(0))
    assert_unit_rows(weights, 4, 6)
    assert_unit_rows(initialize_weights(0 * X, 4, np.random.RandomState(0)), 4, 6)


def test_k_means_finds_separate_directions():
    rng = np.random.default_rng(0)
    X = np.repeat(np.eye(5), 40, axis=0) + 0.05 * rng.standard_normal((200, 5))
    weights = initialize_weights(X, 20, np.random.RandomState(0))
    assert ((np.eye(5) @ weights.decoder.T).max(axis=1) > 0.99).all()


def test_measure_scale():
    X = np.array([[0.0, 0.0], [2.0, 4.0], [4.0, 2.0]], dtype=np.float32)
    center, variance = measure_scale(TrainingRows(X))
    np.testing.assert_allclose(center, [2, 2])
    assert variance == pytest.approx((8 + 4 + 4) / 3)
    center, variance = measure_scale(TrainingRows(X), max_rows=2)  # rows 0 and 2
    np.testing.assert_allclose(center, [2, 1])
    assert variance == pytest.approx(5)


# --- settings -----------------------------------------------------------------------


def test_schedule_rises_stays_and_falls():
    factors = np.array(
        [schedule_rate(s, 1000, warmup=0.05, decay=0.7) for s in range(1000)]
    )
    assert factors[0] == pytest.approx(1 / 50)
    assert factors[49] == 1
    assert (factors[49:300] == 1).all()
    assert (np.diff(factors[:49]) > 0).all()
    assert (np.diff(factors[301:]) < 0).all()
    assert factors[-1] == pytest.approx(1 / 700)


@pytest.mark.parametrize("n_steps", [1, 2, 3, 10])
def test_schedule_of_few_steps_is_positive(n_steps):
    factors = [schedule_rate(step, n_steps) for step in range(n_steps)]
    assert min(factors) > 0
    assert max(factors) <= 1


@pytest.mark.parametrize(
    ("given", "n_neurons", "expected"),
    [
        (None, 64, (64,)),
        ((8, 64), 64, (8, 64)),
        ([np.int64(8), np.int64(64)], 64, (8, 64)),
        (np.array([8, 64]), 64, (8, 64)),
        ((0.125, 1.0), 64, (8, 64)),
        ((0.125, 1), 64, (8, 64)),
        ((0.01, 0.02, 1.0), 10, (1, 10)),
        ((1.0,), 1, (1,)),
    ],
)
def test_prefixes(given, n_neurons, expected):
    found = resolve_prefixes(given, n_neurons)
    assert found == expected
    assert all(type(p) is int for p in found)


@pytest.mark.parametrize(
    "given",
    [
        (),
        (64, 8),
        (8, 8, 64),
        (8, 32),
        (8, 128),
        (0, 64),
        (-8, 64),
        (0.0, 1.0),
        (-0.5, 1.0),
        (0.5, 0.25, 1.0),
        (0.5, 2.0),
        (0.5,),
        (np.nan, 1.0),
        ("8", "64"),
        (8.0, 64.0),
        [[8, 64]],
    ],
)
def test_prefixes_that_do_not_fit(given):
    with pytest.raises(ValueError, match="prefix_lengths must increase and end in"):
        resolve_prefixes(given, 64)


def test_plan_settles_auto():
    settings = {
        "k": 4,
        "sparsity": "topk",
        "max_epochs": "auto",
        "batch_size": "auto",
        "learning_rate": "auto",
        "n_iter_no_change": 3,
        "aux_k": None,
        "aux_coefficient": 0.1,
        "engine": "auto",
        "max_time": None,
    }
    found = make_plan(16_448, (256,), **settings)
    assert found.batch_size == 256
    assert found.max_epochs == choose_epochs(16_448, 256)
    assert found.engine == "sparse"
    assert found.aux_k == 8
    assert found.dead_after == 16_448
    assert found.learning_rate > 0
    quarter = make_plan(9, (1024,), **settings)
    assert quarter.learning_rate == pytest.approx(found.learning_rate / 2)
    assert quarter.batch_size == 9


def test_auto_sizes_are_bounded():
    found = [choose_batch_size(n, 64) for n in (10, 6_143, 6_144, 10**6)]
    assert found == [64, 64, 128, 512]
    assert choose_batch_size(100, 16_384) == 2048
    assert choose_epochs(50, 64) == 100
    assert choose_epochs(10**6, 512) == 5
    # what is shipped: ten passes over the 14,803 training tweets
    assert choose_epochs(14_803, choose_batch_size(14_803, 256)) == 10


@pytest.mark.parametrize(
    ("engine", "n_neurons", "k", "device", "expected"),
    [
        ("auto", 256, 8, "cpu", "sparse"),
        ("auto", 32, 4, "cpu", "sparse"),
        ("auto", 256, 33, "cpu", "dense"),
        ("dense", 4096, 1, "cpu", "dense"),
        ("sparse", 8, 8, "cpu", "sparse"),
        ("auto", 4096, 8, "cuda:0", "dense"),
    ],
)
def test_engine(engine, n_neurons, k, device, expected):
    assert resolve_engine(engine, n_neurons, k, device) == expected


def test_sparse_engine_is_for_the_cpu():
    with pytest.raises(ValueError, match="engine='auto'"):
        resolve_engine("sparse", 256, 8, "cuda")


def test_variance_far_from_the_origin():
    X = np.random.default_rng(0).standard_normal((5000, 3)) + 1e6
    center, variance = measure_scale(TrainingRows(X))
    np.testing.assert_allclose(center, X.mean(axis=0))
    assert variance == pytest.approx(X.var(axis=0).sum(), rel=1e-6)


def test_fitted_gain_is_the_least_squares_scale():
    X = concept_rows(np.random.default_rng(0))
    start = initialize_weights(X, 16, np.random.RandomState(0))
    scaled = fit_gain(start, X, 3)
    gain = scaled.encoder[0, 0] / start.encoder[0, 0]
    np.testing.assert_allclose(scaled.encoder, gain * start.encoder, rtol=1e-5)
    np.testing.assert_array_equal(scaled.decoder, start.decoder)
    pre = compute_pre_activations(X, start)
    first = (pre * find_batch_top_k(pre, 3)) @ start.decoder
    errors = [((X - g * first) ** 2).sum() for g in (0.99 * gain, gain, 1.01 * gain)]
    assert errors[1] < min(errors[0], errors[2])


def test_fitted_gain_of_rows_without_a_positive_entry():
    weights = random_weights(np.random.default_rng(0))
    weights = weights._replace(intercept=np.full(8, -99, np.float32))
    X = np.zeros((4, 5), dtype=np.float32)
    assert fit_gain(weights, X, 2) is weights


# --- the training loop --------------------------------------------------------------


def train(X, weights, settings, seed=0, X_val=None):
    run = TrainingRun(
        X, X_val, weights, settings, variance=1.0, seed=seed, device="cpu"
    )
    while not run.finished:
        run.run_epoch()
    return run


def test_training_lowers_the_loss_and_keeps_decoder_rows_unit():
    X = concept_rows(np.random.default_rng(0))
    start = initialize_weights(X, 16, np.random.RandomState(0))
    kept = [w.copy() for w in start]
    run = train(X, start, plan(max_epochs=20))
    losses = [epoch.loss for epoch in run.history]
    assert losses[-1] < 0.7 * losses[0]
    rows = run.best_weights.decoder
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    for before, after in zip(kept, start, strict=True):
        np.testing.assert_array_equal(before, after)


def test_best_weights_are_those_of_the_smallest_validation_error():
    rng = np.random.default_rng(0)
    X = concept_rows(rng, 296)
    X, X_val = X[:40], X[40:]
    start = initialize_weights(X, 16, np.random.RandomState(0))
    # so few rows and so many steps that it overfits
    run = train(X, start, plan(max_epochs=40, batch_size=4), X_val=X_val)
    errors = [epoch.validation_error for epoch in run.history]
    assert errors[-1] > min(errors)
    found = compute_unexplained(X_val, run.best_weights, 2, "batch_topk", 1.0)
    assert found == pytest.approx(min(errors), rel=1e-6)


def test_patience_stops_training():
    rng = np.random.default_rng(0)
    X = concept_rows(rng, 296)
    X, X_val = X[:40], X[40:]
    start = initialize_weights(X, 16, np.random.RandomState(0))
    run = train(X, start, plan(max_epochs=200, batch_size=4, patience=3), X_val=X_val)
    errors = [epoch.validation_error for epoch in run.history]
    assert len(errors) < 200
    assert np.argmin(errors) == len(errors) - 4


def with_a_silenced_neuron(X, seed=0):
    start = initialize_weights(X, 16, np.random.RandomState(seed))
    start.intercept[3] = -5.0  # below zero for every row
    assert compute_pre_activations(X, start)[:, 3].max() < -1
    return start


@pytest.mark.parametrize(("coefficient", "revived"), [(0.0, False), (1 / 32, True)])
def test_auxiliary_loss_revives_a_dead_neuron(coefficient, revived):
    X = concept_rows(np.random.default_rng(0))
    settings = plan(max_epochs=60, aux_coefficient=coefficient, learning_rate=0.05)
    run = train(X, with_a_silenced_neuron(X), settings)
    assert run.history[1].n_dead >= 1
    active = encode(
        X, run.best_weights, 2, calibrate_threshold([X], run.best_weights, 2)
    )
    assert active[:, 3].any() == revived


def test_auxiliary_loss_is_absent_while_no_neuron_is_dead():
    X = concept_rows(np.random.default_rng(0))
    start = initialize_weights(X, 8, np.random.RandomState(0))
    settings = plan(prefixes=(8,), max_epochs=4)
    with_loss = train(X, start, settings)
    without = train(X, start, settings._replace(aux_coefficient=0.0))
    assert [epoch.n_dead for epoch in with_loss.history] == [0] * 4
    assert [e.loss for e in with_loss.history] == [e.loss for e in without.history]
    for a, b in zip(with_loss.best_weights, without.best_weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_dead_is_counted_in_samples():
    X = concept_rows(np.random.default_rng(0))
    for batch_size in (32, 256):
        settings = plan(
            max_epochs=2, batch_size=batch_size, aux_coefficient=0.0, dead_after=300
        )
        run = train(X, with_a_silenced_neuron(X), settings)
        # 256 samples after one epoch, 512 after two
        assert run.history[0].n_dead == 0
        assert run.history[1].n_dead >= 1


def test_row_order_is_seeded():
    X = concept_rows(np.random.default_rng(0))
    start = initialize_weights(X, 16, np.random.RandomState(0))
    same = [train(X, start, plan(), seed=1).best_weights for _ in range(2)]
    np.testing.assert_array_equal(same[0].encoder, same[1].encoder)
    other = train(X, start, plan(), seed=2).best_weights
    assert np.abs(other.encoder - same[0].encoder).max() > 1e-6


@pytest.mark.parametrize("max_epochs", [1, 5])
@pytest.mark.parametrize("with_validation", [False, True])
def test_divergence_is_an_error(max_epochs, with_validation):
    X = concept_rows(np.random.default_rng(0))
    start = initialize_weights(X, 16, np.random.RandomState(0))
    settings = plan(max_epochs=max_epochs, learning_rate=1e39, batch_size=256)
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match="Lower learning_rate"),
    ):
        train(X, start, settings, X_val=X[:20] if with_validation else None)
