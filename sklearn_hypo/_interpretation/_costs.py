"""What judging the statements of an interpreter costs, before there are any."""

import numpy as np
import pandas as pd

from .._annotation._members import sum_estimates
from .._language_models._ledger import add_estimates


def estimate_scoring(annotator, texts, n_neurons, n_statements, n_rows):
    """Estimate what it costs to have statements of many neurons judged.

    Every neuron draws `n_rows` of the texts, on which its statements are judged. Those
    that fall on one text share calls, so how many do is drawn at random (always alike).
    Neurons that are active in the same texts share more calls than that.

    Parameters
    ----------
    annotator : object
        Has `estimate_cost(texts, n_hypotheses)`; what has none costs nothing.
    texts : sequence of str
        The texts that are drawn from.
    n_neurons : int
        How many neurons draw.
    n_statements : int
        Statements of each.
    n_rows : int
        Texts for each neuron.

    Returns
    -------
    estimate : CostEstimate
        Of all neurons.
    """
    texts = pd.unique(np.asarray(texts, dtype=object))
    if not len(texts):
        return add_estimates([])
    share = min(1.0, n_rows / len(texts))
    n_drawn = np.random.RandomState(0).binomial(n_neurons, share, size=len(texts))
    return add_estimates(
        sum_estimates([annotator], list(texts[n_drawn == n]), int(n) * n_statements)
        for n in np.unique(n_drawn[n_drawn > 0])
    )
