"""Texts and a target in, tested hypotheses in plain words out.

Estimators for HypotheSAEs (Movva, Peng, Garg, Kleinberg and Pierson 2025,
arXiv 2502.04382) that compose into a scikit-learn Pipeline.
"""

from ._annotation_evaluation import evaluate_annotations
from ._embedding_annotator import EmbeddingAnnotator
from ._evaluation import evaluate_hypotheses
from ._hypothesis import Hypothesis
from ._hypothesis_extractor import HypothesisExtractor
from ._hypothesis_report import HypothesisReport
from ._lexicon_annotator import LexiconAnnotator
from ._lexicon_interpreter import LexiconInterpreter
from ._llm._models import GeminiModel, OpenAIModel
from ._llm_annotator import LLMAnnotator
from ._llm_interpreter import LLMInterpreter
from ._neuron_selector import NeuronSelector
from ._pipeline import make_hypothesis_pipeline
from ._sparse_autoencoder import SparseAutoencoderTransformer
from ._supervised_autoencoder import SupervisedSAETransformer
from ._text_embedder import TextEmbedder

__version__ = "0.1.0"

__all__ = [
    "EmbeddingAnnotator",
    "GeminiModel",
    "Hypothesis",
    "HypothesisExtractor",
    "HypothesisReport",
    "LLMAnnotator",
    "LLMInterpreter",
    "LexiconAnnotator",
    "LexiconInterpreter",
    "NeuronSelector",
    "OpenAIModel",
    "SparseAutoencoderTransformer",
    "SupervisedSAETransformer",
    "TextEmbedder",
    "evaluate_annotations",
    "evaluate_hypotheses",
    "make_hypothesis_pipeline",
]
