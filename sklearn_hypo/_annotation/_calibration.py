"""From graded scores to yes and no: the threshold that agrees best with a neuron."""

import hashlib

import numpy as np

from .._hypotheses._fidelity import make_fidelity_target


def calibrate_thresholds(scores, activations):
    """Find, for every statement, the threshold that agrees best with its neuron.

    Parameters
    ----------
    scores : ndarray of shape (n_texts, n_hypotheses)
        Larger speaks for the statement.
    activations : ndarray of shape (n_texts, n_hypotheses)
        Of the neurons that the statements describe.

    Returns
    -------
    thresholds : ndarray of shape (n_hypotheses,)
        As `find_threshold` finds them.
    """
    columns = zip(scores.T, activations.T, strict=True)
    return np.array([find_threshold(s, make_fidelity_target(a)) for s, a in columns])


def find_threshold(scores, target):
    """Find the value at which ``scores >= value`` correlates best with a target.

    The target is a mark or a quantity. The value is halfway between the two
    neighboring scores; infinite if no cut correlates positively.
    """
    order = np.argsort(-scores, kind="stable")
    values = scores[order].astype(np.float64)
    n_texts = len(values)
    n_marked = np.arange(1, n_texts)
    target = target.astype(np.float64)
    sums = np.cumsum(target[order])[:-1]
    covariance = sums / n_texts - n_marked / n_texts * target.mean()
    share = n_marked / n_texts
    correlation = covariance / np.sqrt(share * (1 - share))
    # equal values cannot be cut apart
    correlation[values[:-1] == values[1:]] = -np.inf
    if n_texts < 2 or not correlation.max() > 0:
        return np.inf
    best = int(correlation.argmax())
    return float((values[best] + values[best + 1]) / 2)


def draw_calibration_rows(texts, seed, most=500):
    """Draw the rows on which thresholds are calibrated, where each answer costs.

    The draw depends on the seed and the texts alone, so that folds, which have most
    texts in common, share most of their answers.
    """
    if len(texts) <= most:
        return np.arange(len(texts))
    places = [
        hashlib.sha256(f"{seed}\0{text}".encode("utf-8", "replace")).digest()
        for text in texts
    ]
    return np.sort(sorted(range(len(places)), key=places.__getitem__)[:most])


def check_can_calibrate(threshold, activations, *, caller, parameter="threshold"):
    """Raise if thresholds are to be calibrated and there is nothing to do it on."""
    if threshold == "auto" and activations is None:
        raise ValueError(
            f"{caller}: {parameter}='auto' is calibrated on activations, but none were "
            f"given. Pass activations, or a number as {parameter}."
        )
