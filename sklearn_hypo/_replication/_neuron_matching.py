"""Which neuron of one autoencoder is which of another: functions on arrays.

Neurons have no order and no names that two fits share. What they have in common is
when they are active, so they are matched by the correlation of their activations on
the same texts.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment


class Match(NamedTuple):
    """The partners of some neurons.

    Attributes
    ----------
    correlation : ndarray of shape (n_reference,)
        Correlation with the partner; 0 without one.
    partner : ndarray of shape (n_reference,), dtype int64
        Its column; -1 where there is none that correlates positively.
    """

    correlation: np.ndarray
    partner: np.ndarray


def match_one_to_one(correlations):
    r"""Give every reference neuron a partner of its own.

    The assignment :math:`\pi` that maximizes
    :math:`\sum_i \max(r_{i\pi(i)}, 0)` (Hungarian method), so that one neuron of the
    other fit cannot stand for two hypotheses. Takes what `correlate_activations`
    returns.

    References
    ----------
    .. [1] Y. Li, J. Yosinski, J. Clune, H. Lipson, J. Hopcroft (2015). "Convergent
       Learning: Do different neural networks learn the same representations?". arXiv
       1511.07543.
    .. [2] G. Paulo, N. Belrose (2025). "Sparse Autoencoders Trained on the Same Data
       Learn Different Features". arXiv 2501.16615.

    Examples
    --------
    The second neuron gets its second choice, since the first needs the other more:

    >>> import numpy as np
    >>> from sklearn_hypo._replication._neuron_matching import match_one_to_one
    >>> match_one_to_one(np.array([[0.9, 0.1], [0.8, 0.6]]))
    Match(correlation=array([0.9, 0.6]), partner=array([0, 1]))
    """
    correlation = np.zeros(len(correlations))
    partner = np.full(len(correlations), -1)
    rows, columns = linear_sum_assignment(np.maximum(correlations, 0), maximize=True)
    found = correlations[rows, columns] > 0
    rows, columns = rows[found], columns[found]
    correlation[rows], partner[rows] = correlations[rows, columns], columns
    return Match(correlation, partner)


def match_best(correlations):
    """Give every reference neuron the neuron that it correlates with most.

    Several may have the same partner.
    """
    best = correlations.max(axis=1, initial=0.0)
    partner = np.where(best > 0, correlations.argmax(axis=1), -1)
    return Match(best, partner)
