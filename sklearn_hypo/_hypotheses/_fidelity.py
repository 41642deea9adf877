"""How well annotations agree with the neuron they are meant to describe."""

from typing import NamedTuple

import numpy as np


class Fidelity(NamedTuple):
    """Agreement of an annotation with a neuron's activation.

    Parameters
    ----------
    f1, precision, recall : float
        Of the annotation as a prediction of "the neuron is active". NaN where there
        is nothing to predict or nothing predicted; F1 is 0 if both exist but never
        meet.
    correlation : float
        Pearson correlation with the activation; NaN if either is constant.
    n : int
        Texts with an annotation.

    See Also
    --------
    Interpretation : Holds the fidelity of a hypothesis.

    Examples
    --------
    >>> from sklearn_hypo import Fidelity
    >>> found = Fidelity.measure([1, 1, 0, 0], [2.0, 0.0, 0.0, 0.5])
    >>> found.precision, found.recall, found.n
    (0.5, 0.5, 4)
    """

    f1: float
    precision: float
    recall: float
    correlation: float
    n: int

    @classmethod
    def measure(cls, annotation, activation):
        """Compare an annotation with an activation.

        Parameters
        ----------
        annotation : array-like of shape (n_texts,)
            1, 0 or NaN; texts without an answer are left out.
        activation : array-like of shape (n_texts,)
            Non-negative.

        Returns
        -------
        fidelity : Fidelity
            The measures.
        """
        annotation, activation = np.asarray(annotation, float), np.asarray(activation)
        known = ~np.isnan(annotation)
        said, activation = annotation[known] > 0, activation[known]
        active = activation > 0
        n_said, n_active = int(said.sum()), int(active.sum())
        both = int((said & active).sum())
        return cls(
            f1=2 * both / (n_said + n_active) if n_active else np.nan,
            precision=both / n_said if n_said else np.nan,
            recall=both / n_active if n_active else np.nan,
            correlation=_correlate(said.astype(float), activation.astype(float)),
            n=len(said),
        )


def make_fidelity_target(activation):
    """Return what a description of a neuron should agree with.

    1 where the neuron is active and 0 elsewhere; the activation itself for a neuron
    that is active in more than half of the texts, of which only the strength tells
    anything.
    """
    active = activation > 0
    seldom = 0 < active.mean() <= 0.5
    return (active if seldom else activation).astype(np.float32)


def _correlate(a, b):
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])
