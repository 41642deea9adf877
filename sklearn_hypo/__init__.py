"""Texts and a target in, tested hypotheses in plain words out.

Estimators for HypotheSAEs (Movva, Peng, Garg, Kleinberg and Pierson 2025,
arXiv 2502.04382) that compose into a scikit-learn Pipeline.
"""

from ._hypothesis import Hypothesis
from ._neuron_selector import NeuronSelector
from ._sparse_autoencoder import SparseAutoencoderTransformer

__version__ = "0.1.0"

__all__ = [
    "Hypothesis",
    "NeuronSelector",
    "SparseAutoencoderTransformer",
]
