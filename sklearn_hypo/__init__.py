"""Texts and a target in, tested hypotheses in plain words out.

Estimators for HypotheSAEs (Movva, Peng, Garg, Kleinberg and Pierson 2025,
arXiv 2502.04382) that compose into a scikit-learn Pipeline.
"""

from ._annotation_evaluation import evaluate_annotations
from ._audit import read_audit_bundle, rerun_audit_bundle
from ._contests import pairs_within
from ._displays import (
    ActivationHistogramDisplay,
    CoefficientsDisplay,
    GridSearchDisplay,
    NeuronRedundancyDisplay,
    ReplicationDisplay,
    TrainingHistoryDisplay,
)
from ._documents import roll_up_annotations, split_documents
from ._embedding_annotator import EmbeddingAnnotator
from ._evaluation import evaluate_hypotheses
from ._groups import join_groups
from ._human_labels import coder_agreement
from ._hypothesis import Hypothesis
from ._hypothesis_extractor import HypothesisExtractor
from ._hypothesis_report import HypothesisReport
from ._labelling_sheet import labelling_sheet, read_labels
from ._lexicon_annotator import LexiconAnnotator
from ._lexicon_interpreter import LexiconInterpreter
from ._llm._models import GeminiModel, OpenAIModel
from ._llm_annotator import LLMAnnotator
from ._llm_interpreter import LLMInterpreter
from ._measurement_error import correct_for_annotation_error
from ._neuron_selector import NeuronSelector
from ._pairs import make_pairs
from ._pipeline import make_hypothesis_pipeline
from ._redundancy_reduction import drop_or_merge
from ._replication import replicate_hypotheses
from ._sparse_autoencoder import SparseAutoencoderTransformer
from ._supervised_autoencoder import SupervisedSAETransformer
from ._text_embedder import TextEmbedder

__version__ = "0.1.0"

__all__ = [
    "ActivationHistogramDisplay",
    "CoefficientsDisplay",
    "EmbeddingAnnotator",
    "GeminiModel",
    "GridSearchDisplay",
    "Hypothesis",
    "HypothesisExtractor",
    "HypothesisReport",
    "LLMAnnotator",
    "LLMInterpreter",
    "LexiconAnnotator",
    "LexiconInterpreter",
    "NeuronRedundancyDisplay",
    "NeuronSelector",
    "OpenAIModel",
    "ReplicationDisplay",
    "SparseAutoencoderTransformer",
    "SupervisedSAETransformer",
    "TextEmbedder",
    "TrainingHistoryDisplay",
    "coder_agreement",
    "correct_for_annotation_error",
    "drop_or_merge",
    "evaluate_annotations",
    "evaluate_hypotheses",
    "join_groups",
    "labelling_sheet",
    "make_hypothesis_pipeline",
    "make_pairs",
    "pairs_within",
    "read_audit_bundle",
    "read_labels",
    "replicate_hypotheses",
    "rerun_audit_bundle",
    "roll_up_annotations",
    "split_documents",
]
