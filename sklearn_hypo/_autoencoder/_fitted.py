"""What training leaves behind: the fitted attributes, in units of the embeddings."""

import numpy as np
import pandas as pd

from ._distributed import any_across, sum_across
from ._encoding import calibrate_threshold, count_firing
from ._gradients import Weights
from ._training import Epoch

_WEIGHTS = {
    "encoder": "encoder_coef_",
    "intercept": "encoder_intercept_",
    "decoder": "components_",
    "offset": "decoder_intercept_",
}


def get_weights(attributes):
    """Return the weights among fitted attributes, a dict by name."""
    return Weights(*(attributes[_WEIGHTS[name]] for name in Weights._fields))


def describe_fit(run, scale):
    """Return the fitted attributes for the best weights of a `TrainingRun` so far."""
    plan, weights, threshold = run.plan, run.best_weights, None
    if plan.sparsity == "batch_topk":
        samples = [rows for rows in (run.rows, run.validation) if rows is not None]
        threshold = calibrate_threshold(samples, weights, plan.k)
        total, n = sum_across([threshold, 1.0])
        threshold = float(total / n)
    fired = any_across(count_firing(run.rows, weights, plan.k, threshold) > 0)
    history = pd.DataFrame(run.history)
    if run.head is None:
        history = history.drop(columns="target_error")
    return _unscale(plan, scale, weights, threshold, history) | {
        "dead_neurons_": np.flatnonzero(~fired),
        "n_steps_": run.learner.n_steps,
        "n_samples_seen_": len(run.rows) * len(run.history),
    }


def describe_chunk(run, scale, loss, history):
    """Return the fitted attributes after a chunk of an `OnlineRun`.

    `loss` is that of the chunk, `history` the frame of the earlier ones or None.
    """
    learner = run.learner
    epoch = Epoch(
        epoch=1 if history is None else len(history) + 1,
        learning_rate=learner.learning_rate,
        loss=loss,
        validation_error=np.nan,
        target_error=np.nan,
        n_dead=len(learner.dead()),
    )
    rows = pd.DataFrame([epoch])
    if history is not None:
        rows = pd.concat([history, rows[history.columns]], ignore_index=True)
    elif learner.head is None:
        rows = rows.drop(columns="target_error")
    return _unscale(run.plan, scale, run.weights(), run.threshold, rows) | {
        "dead_neurons_": learner.dead(),
        "n_steps_": run.n_steps,
        "n_samples_seen_": run.n_samples_seen,
        "_online_state": run.state(),
    }


def _unscale(plan, scale, weights, threshold, history):
    if threshold is not None:
        threshold = float(np.sqrt(scale.variance) * threshold)
    weights = scale.to_original(weights)
    return {
        "n_fits_": 1,
        "n_neurons_": int(plan.n_neurons),
        "k_": int(plan.k),
        "mean_": scale.mean,
        "variance_": scale.variance,
        **{name: getattr(weights, field) for field, name in _WEIGHTS.items()},
        "threshold_": threshold,
        "history_": history,
        "n_iter_": len(history),
    }
