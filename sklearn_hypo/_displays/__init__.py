"""Drawings of what was found and of how it was found, as scikit-learn makes them.

Comes in: a fitted pipeline, or a report. Goes out: a matplotlib figure.
Open `_coefficients` first.
"""

from ._activations import ActivationHistogramDisplay
from ._coefficients import CoefficientsDisplay
from ._moderator import ModeratorDisplay
from ._redundancy import NeuronRedundancyDisplay
from ._replication import ReplicationDisplay
from ._report import ReportDisplay
from ._training import TrainingHistoryDisplay
from ._trends import TrendDisplay

__all__ = [
    "ActivationHistogramDisplay",
    "CoefficientsDisplay",
    "ModeratorDisplay",
    "NeuronRedundancyDisplay",
    "ReplicationDisplay",
    "ReportDisplay",
    "TrainingHistoryDisplay",
    "TrendDisplay",
]
