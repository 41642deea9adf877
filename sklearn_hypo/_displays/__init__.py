"""Drawings of what was found and of how it was found, as scikit-learn makes them."""

from ._activations import ActivationHistogramDisplay
from ._coefficients import CoefficientsDisplay
from ._grid_search import GridSearchDisplay
from ._redundancy import NeuronRedundancyDisplay
from ._replication import ReplicationDisplay
from ._training import TrainingHistoryDisplay

__all__ = [
    "ActivationHistogramDisplay",
    "CoefficientsDisplay",
    "GridSearchDisplay",
    "NeuronRedundancyDisplay",
    "ReplicationDisplay",
    "TrainingHistoryDisplay",
]
