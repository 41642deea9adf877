"""The numerics of supervision, against hand calculation, autograd and scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from torch.utils._python_dispatch import TorchDispatchMode

from sklearn_hypo._autoencoder._codes import (
    ActivationSelector,
    DenseCodes,
    find_on_device,
)
from sklearn_hypo._autoencoder._gradients import Weights, compute_loss_and_gradients
from sklearn_hypo._autoencoder._heads import RidgeHead, SoftmaxHead
from sklearn_hypo._autoencoder._learner import Learner
from sklearn_hypo._autoencoder._plan import Plan
from sklearn_hypo._autoencoder._targets import (
    Supervision,
    TargetScale,
    _fit_ridge_path,
    make_target,
    predict_out_of_fold,
    smooth_target,
)

KINDS = {"quantities": RidgeHead, "classes": SoftmaxHead}


def some_target(rng, kind, n_rows=60):
    """Two quantities or three classes; some rows without a target, all weighted."""
    if kind == "quantities":
        values = rng.standard_normal((n_rows, 2)) * [1.0, 5.0]
    else:
        values = np.eye(3)[rng.integers(0, 3, n_rows)]
    values[::7] = np.nan
    return make_target(values, rng.uniform(0.5, 2, n_rows), kind)


def make_head(target, *, dropout=0.3, n_supervised=4, alpha=0.8, validation=None):
    return KINDS[target.kind](
        target,
        validation,
        alpha=alpha,
        n_supervised=n_supervised,
        dropout=dropout,
        seed=0,
        device="cpu",
    )


def unexplained_target(head, active, target):
    """U, written plainly in torch, with the head's coefficients."""
    values, weights, coef, intercept = (
        torch.from_numpy(np.asarray(array, dtype=np.float64))
        for array in (target.values, target.weights, head.coef, head.intercept)
    )
    linear = active @ coef + intercept
    if target.kind == "quantities":
        losses = (linear - values) ** 2 / torch.from_numpy(target.null_loss)
        losses = losses.mean(dim=1)
    else:
        losses = -(values * linear.log_softmax(dim=1)).sum(dim=1) / target.null_loss
    return (weights * losses).sum() / weights.sum()


# --- targets ------------------------------------------------------------------------


def test_null_loss_by_hand():
    values = np.array([[1.0], [3.0], [np.nan], [5.0]])
    target = make_target(values, np.array([1.0, 1.0, 9.0, 2.0]), "quantities")
    np.testing.assert_array_equal(target.weights, [1, 1, 0, 2])
    # mean (1 + 3 + 10) / 4 = 3.5; squares (6.25 + 0.25 + 2 * 2.25) / 4
    np.testing.assert_allclose(target.null_loss, [2.75])
    labels = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    target = make_target(labels, np.ones(4), "classes")
    entropy = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    assert target.null_loss == pytest.approx(entropy)


@pytest.mark.parametrize("kind", KINDS)
def test_unexplained_target_is_one_at_the_null_model(kind):
    rng = np.random.default_rng(0)
    target = some_target(rng, kind)
    weights = target.weights.astype(float)
    mean = weights @ target.values / weights.sum()
    head = make_head(target)
    head.coef[:] = 0
    head.intercept = mean if kind == "quantities" else np.log(mean)
    active = torch.from_numpy(rng.standard_normal((60, 4)))
    loss = unexplained_target(head, active, target)
    assert loss.item() == pytest.approx(1, rel=1e-5)


def test_scale_of_a_target():
    values = np.array([[1e8 + 1], [1e8 + 3], [np.nan]])
    weights = np.array([1.0, 1.0, 0.0])
    scale = TargetScale.of(Supervision(values, weights, "regression", None, 1))
    np.testing.assert_allclose(scale.standardize(values)[:2], [[-1], [1]])
    constant = np.full((3, 1), 0.1 + 0.2)
    scale = TargetScale.of(Supervision(constant, np.ones(3), "regression", None, 1))
    np.testing.assert_array_equal(scale.spread, [1])


def test_ridge_path_is_ridge():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((50, 6)) + 3, rng.standard_normal((50, 2))
    weights = rng.uniform(0.5, 2, 50)
    left = np.column_stack([X, np.ones(50)])
    moments = (left * weights[:, None]).T @ np.column_stack([left, Y])
    models = _fit_ridge_path(moments, 6)
    centered = X - np.average(X, axis=0, weights=weights)
    scale = np.trace((centered * weights[:, None]).T @ centered) / 6
    for penalty, model in zip(np.logspace(-4, 2, 7), models, strict=True):
        ridge = Ridge(penalty * scale).fit(X, Y, sample_weight=weights)
        np.testing.assert_allclose(model[:-1], ridge.coef_.T, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(model[-1], ridge.intercept_, rtol=1e-8)


def test_no_row_is_predicted_with_its_own_target():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((80, 5)), rng.standard_normal((80, 1))
    weights = np.ones(80)
    first = predict_out_of_fold(X, Y, weights, np.random.RandomState(0))
    changed = Y.copy()
    changed[13] += 1e-3  # too little to choose another penalty
    second = predict_out_of_fold(X, changed, weights, np.random.RandomState(0))
    assert second[13] == first[13]
    assert np.count_nonzero(second != first) > 40


def test_noise_is_not_predicted():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((400, 30)), rng.standard_normal((400, 1))
    found = predict_out_of_fold(X, Y, np.ones(400), np.random.RandomState(0))
    assert 1 - ((Y - found) ** 2).sum() / ((Y - Y.mean()) ** 2).sum() < 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_smoothing_keeps_weights_and_null(kind):
    rng = np.random.default_rng(0)
    X, target = rng.standard_normal((60, 5)), some_target(rng, kind)
    same = smooth_target(target, X, 0.0, np.random.RandomState(0))
    assert same is target
    smooth = smooth_target(target, X, 0.7, np.random.RandomState(0))
    np.testing.assert_array_equal(smooth.weights, target.weights)
    known = target.weights > 0
    if kind == "classes":
        np.testing.assert_allclose(smooth.values[known].sum(axis=1), 1, rtol=1e-5)
        assert smooth.null_loss == target.null_loss
    else:
        assert (smooth.null_loss < target.null_loss).all()
    assert not smooth.values[~known].any()


# --- heads --------------------------------------------------------------------------


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_of_the_target_matches_autograd(kind, dropout):
    rng = np.random.default_rng(1)
    target = some_target(rng, kind)
    head, twin = make_head(target, dropout=dropout), make_head(target, dropout=dropout)
    active = torch.tensor(np.maximum(rng.standard_normal((60, 4)), 0))
    gradient = head.batch_gradient(
        active, torch.from_numpy(target.values), torch.from_numpy(target.weights)
    )
    leaf = active.clone().requires_grad_()
    # the same generator, so the same activations
    _, factor = twin._drop_activations(active)
    unexplained_target(head, leaf * factor, target).backward()
    torch.testing.assert_close(gradient, leaf.grad, rtol=1e-6, atol=1e-12)
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("engine", ["dense", "sparse"])
@pytest.mark.parametrize("prefixes", [(8,), (4, 8), (2, 5, 8)])
@pytest.mark.parametrize("kind", KINDS)
def test_supervised_gradients_match_autograd(kind, prefixes, engine):
    rng = np.random.default_rng(2)
    target = some_target(rng, kind)
    decoder = rng.standard_normal((8, 5))
    decoder /= np.linalg.norm(decoder, axis=1, keepdims=True)
    arrays = (
        decoder + 0.1 * rng.standard_normal((8, 5)),
        0.1 * rng.standard_normal(8),
        decoder,
        0.1 * rng.standard_normal(5),
    )
    leaves = Weights(*(torch.tensor(a, requires_grad=True) for a in arrays))
    x = torch.from_numpy(rng.standard_normal((60, 5)))
    head, twin = make_head(target), make_head(target)
    step = compute_loss_and_gradients(
        x,
        Weights(*(torch.from_numpy(a) for a in arrays)),
        ActivationSelector("batch_topk", 3, engine),
        prefixes,
        1.7,
        head.make_gradient(np.arange(60)),
    )
    codes = step.codes
    mask = codes.mask if isinstance(codes, DenseCodes) else codes.dense() != 0
    active = ((x - leaves.offset) @ leaves.encoder.T + leaves.intercept) * mask
    loss = 0.0
    for m in prefixes:
        error = x - leaves.offset - active[:, :m] @ leaves.decoder[:m]
        loss = loss + (error**2).sum() / (60 * 1.7 * len(prefixes))
    _, factor = twin._drop_activations(active[:, :4].detach())
    loss = loss + 0.8 * unexplained_target(head, active[:, :4] * factor, target)
    loss.backward()
    for gradient, leaf in zip(step.gradients, leaves, strict=True):
        error = (gradient - leaf.grad).norm() / leaf.grad.norm()
        assert error < 1e-6


def test_ridge_head_is_ridge_regression_with_the_penalty_of_dropout():
    rng = np.random.default_rng(3)
    f = np.maximum(rng.standard_normal((60, 4)), 0)
    values = (f @ [1.0, -2.0, 0.5, 0.0])[:, None] + rng.standard_normal((60, 1))
    target = make_target(values, np.ones(60), "quantities")
    for dropout in (0.0, 0.3):
        head = make_head(target, dropout=dropout)
        for _ in range(3):  # the same batch: the running moments are its own
            head._update(*map(torch.from_numpy, (f, target.values, target.weights)))
        penalty = dropout / (1 - dropout) * (f**2).mean(axis=0) + 1e-6
        penalty += 0.02 * f.var(axis=0)
        centered = f - f.mean(axis=0)
        gram = centered.T @ centered / 60 + np.diag(penalty)
        expected = np.linalg.solve(gram, centered.T @ target.values / 60)
        np.testing.assert_allclose(head.coef, expected, rtol=1e-6)


def test_softmax_head_becomes_logistic_regression():
    rng = np.random.default_rng(4)
    f = np.maximum(rng.standard_normal((500, 4)), 0)
    linear = f @ rng.standard_normal((4, 3)) * 2
    labels = (linear + rng.gumbel(size=linear.shape)).argmax(axis=1)
    target = make_target(np.eye(3)[labels], np.ones(500), "classes")
    head = make_head(target, dropout=0.0)
    for _ in range(300):
        head._update(*map(torch.from_numpy, (f, target.values, target.weights)))
    logistic = LogisticRegression(C=1e6).fit(f, labels)
    error = -np.log(logistic.predict_proba(f)[np.arange(500), labels]).mean()
    assert head.error(f, target.values, target.weights) < error + 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_goes_on_where_another_stopped(kind):
    rng = np.random.default_rng(5)
    target = some_target(rng, kind)
    batch = [
        torch.from_numpy(np.maximum(rng.standard_normal((60, 4)), 0)),
        torch.from_numpy(target.values),
        torch.from_numpy(target.weights),
    ]
    first = make_head(target)
    first._update(*batch)
    second = make_head(target)
    second.resume(first.prefixed_state())
    np.testing.assert_array_equal(second.coef, first.coef)
    np.testing.assert_allclose(second.null_loss, first.null_loss, rtol=1e-5)
    with pytest.raises(ValueError, match="Call fit to start anew"):
        make_head(target, n_supervised=5).resume(first.prefixed_state())


def test_batches_without_a_target_change_nothing():
    rng = np.random.default_rng(6)
    target = some_target(rng, "quantities")
    head = make_head(target)
    active = torch.from_numpy(rng.standard_normal((60, 4)))
    gradient = head.batch_gradient(
        active, torch.from_numpy(target.values), torch.zeros(60)
    )
    assert not gradient.any()
    assert not head.coef.any()


# --- tied encoders ------------------------------------------------------------------


def test_tied_gradients_match_autograd():
    rng = np.random.default_rng(7)
    decoder = rng.standard_normal((6, 5)).astype(np.float32)
    decoder /= np.linalg.norm(decoder, axis=1, keepdims=True)
    scales = rng.uniform(0.2, 1.5, 6).astype(np.float32)
    weights = Weights(
        scales[:, None] * decoder, np.zeros(6, "f4"), decoder, np.zeros(5, "f4")
    )
    plan = Plan(
        k=2, sparsity="topk", prefixes=(6,), max_epochs=1, batch_size=9,
        learning_rate=0.1, patience=None, aux_k=2, aux_coefficient=0.0,
        dead_after=99, n_tied=4,
    )  # fmt: skip
    learner = Learner(weights, plan, variance=1.0)
    gradients = Weights(
        *(
            torch.randn(w.shape, generator=torch.Generator().manual_seed(i))
            for i, w in enumerate(weights)
        )
    )
    before = Weights(*(g.clone() for g in gradients))
    found = learner._tie(gradients)
    leaf_decoder = torch.tensor(decoder[:4], requires_grad=True)
    leaf_scales = torch.tensor(scales[:4], requires_grad=True)
    encoder = leaf_scales[:, None] * leaf_decoder
    loss = (before.encoder[:4] * encoder).sum()
    (loss + (before.decoder[:4] * leaf_decoder).sum()).backward()
    torch.testing.assert_close(found, leaf_scales.grad)
    torch.testing.assert_close(gradients.decoder[:4], leaf_decoder.grad)
    assert not gradients.encoder[:4].any()
    torch.testing.assert_close(gradients.encoder[4:], before.encoder[4:])
    torch.testing.assert_close(gradients.decoder[4:], before.decoder[4:])


class NoDoubles(TorchDispatchMode):
    """Complains of tensors that a device without float64, such as MPS, cannot hold."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function is torch.ops.aten.lift_fresh.default:  # still in NumPy's memory
            return result
        for each in result if isinstance(result, tuple | list) else [result]:
            double = isinstance(each, torch.Tensor) and each.dtype == torch.float64
            assert not double, f"{function} made a tensor of float64"
        return result


@pytest.mark.parametrize("sparsity", ["topk", "batch_topk"])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_on_a_device_make_no_float64(kind, sparsity):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5)).astype(np.float32)
    decoder = np.eye(6, 5, dtype=np.float32)
    weights = Weights(decoder.copy(), np.zeros(6), decoder, np.zeros(5))
    plan = Plan(
        k=2, sparsity=sparsity, prefixes=(4, 6), max_epochs=1, batch_size=30,
        learning_rate=0.01, patience=None, aux_k=1, aux_coefficient=0.1,
        dead_after=1, n_tied=4,
    )  # fmt: skip
    head = make_head(some_target(rng, kind))
    learner = Learner(weights, plan, variance=1.0, head=head)

    def select(pre):
        mask = find_on_device(pre, sparsity, 2)
        return DenseCodes(pre * mask, mask)

    learner._select = select
    with NoDoubles():
        for positions in (np.arange(30), np.arange(30, 60)):
            assert np.isfinite(learner.step(X[positions], 0.01, positions))
        later = Learner(weights, plan, variance=1.0, state=learner.state())
    assert later.n_steps == 2


@pytest.mark.parametrize("sparsity", ["topk", "batch_topk"])
def test_a_device_marks_what_the_cpu_marks(sparsity):
    pre = torch.from_numpy(np.random.default_rng(0).standard_normal((40, 9), "f4"))
    codes = ActivationSelector(sparsity, 3, "dense")(pre)
    torch.testing.assert_close(find_on_device(pre, sparsity, 3), codes.mask)
