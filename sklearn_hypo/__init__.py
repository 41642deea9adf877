"""Texts and a target in, tested hypotheses in plain words out.

Estimators for HypotheSAEs (Movva, Peng, Garg, Kleinberg and Pierson 2025,
arXiv 2502.04382) that compose into a scikit-learn Pipeline. The public names are listed
by the steps of the method.
"""

from ._annotation._cascade import CascadeAnnotator
from ._annotation._cross_encoder import CrossEncoderAnnotator
from ._annotation._dictionaries import read_dictionary
from ._annotation._embedding import EmbeddingAnnotator
from ._annotation._language_model import LLMAnnotator
from ._annotation._lexicon import LexiconAnnotator
from ._annotation._majority import MajorityAnnotator
from ._annotation_error._correction import (
    CorrectedEstimates,
    correct_for_annotation_error,
)
from ._annotation_error._human_labels import HumanLabels, coder_agreement
from ._annotation_error._labelling_sheet import labelling_sheet, read_labels
from ._autoencoder._sparse import SparseAutoencoderTransformer
from ._autoencoder._supervised import SupervisedSAETransformer
from ._data_preparation._contests import pairs_within
from ._data_preparation._documents import (
    DocumentChunks,
    roll_up_annotations,
    split_documents,
)
from ._data_preparation._groups import join_groups
from ._data_preparation._html import remove_html
from ._data_preparation._near_duplicates import find_near_duplicates
from ._data_preparation._pairs import make_pairs
from ._displays import (
    ActivationHistogramDisplay,
    CoefficientsDisplay,
    ModeratorDisplay,
    NeuronRedundancyDisplay,
    ReplicationDisplay,
    TrainingHistoryDisplay,
    TrendDisplay,
)
from ._embedding._text_embedder import TextEmbedder
from ._evaluation._annotations import evaluate_annotations
from ._evaluation._annotator_comparison import AnnotatorComparison
from ._evaluation._compare_annotators import compare_annotators
from ._evaluation._hypotheses import evaluate_hypotheses
from ._evaluation._hypothesis_trends import HypothesisTrends
from ._evaluation._rerun import rerun_audit_bundle
from ._evaluation._trends import hypothesis_trends
from ._extraction._extractor import HypothesisExtractor
from ._hypotheses._fidelity import Fidelity
from ._hypotheses._hypothesis import Hypothesis
from ._hypotheses._protocols import (
    Annotator,
    Candidate,
    Interpretation,
    Interpreter,
    PaidAnnotator,
    ScoredAnnotator,
)
from ._inference._redundancy import Redundancy, drop_or_merge
from ._inference._signal import Signal
from ._interpretation._language_model import LLMInterpreter
from ._interpretation._lexicon import LexiconInterpreter
from ._interpretation._namer import LLMNamer
from ._language_models._ledger import Budget, CostEstimate
from ._language_models._models import GeminiModel, OpenAIModel
from ._language_models._transformers import TransformersModel
from ._pipeline import make_hypothesis_pipeline
from ._planning._estimate_study import estimate_study
from ._planning._plan_study import plan_study
from ._planning._study_estimate import StudyEstimate
from ._planning._study_plan import StudyPlan
from ._reading._labelled_texts import LabelledTexts, read_labelled_texts
from ._replication._replicate import replicate_hypotheses
from ._replication._report import ReplicationReport
from ._report._audit import AuditBundle, read_audit_bundle
from ._report._details import HypothesisDetail
from ._report._report import HypothesisReport
from ._selection._neuron_selector import NeuronSelector
from ._style._features import StyleFeatures
from ._style._term_features import TermFeatures

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022 - by the steps of the method, as in the reference
    # All steps at once
    "make_hypothesis_pipeline",
    # Prepare texts
    "read_labelled_texts",
    "LabelledTexts",
    "remove_html",
    "make_pairs",
    "pairs_within",
    "join_groups",
    "find_near_duplicates",
    "split_documents",
    "roll_up_annotations",
    "DocumentChunks",
    # Embed
    "TextEmbedder",
    # Autoencode
    "SparseAutoencoderTransformer",
    "SupervisedSAETransformer",
    # Measure style, mark terms
    "StyleFeatures",
    "TermFeatures",
    # Select
    "NeuronSelector",
    # Interpret
    "HypothesisExtractor",
    "Hypothesis",
    "LexiconInterpreter",
    "LLMInterpreter",
    "LLMNamer",
    "Interpreter",
    "Interpretation",
    "Candidate",
    "Fidelity",
    # Annotate
    "LexiconAnnotator",
    "read_dictionary",
    "EmbeddingAnnotator",
    "CrossEncoderAnnotator",
    "LLMAnnotator",
    "MajorityAnnotator",
    "CascadeAnnotator",
    "Annotator",
    "PaidAnnotator",
    "ScoredAnnotator",
    # Language models
    "OpenAIModel",
    "GeminiModel",
    "TransformersModel",
    "Budget",
    "CostEstimate",
    # Plan
    "estimate_study",
    "StudyEstimate",
    "plan_study",
    "StudyPlan",
    "Signal",
    # Test
    "evaluate_hypotheses",
    "evaluate_annotations",
    "compare_annotators",
    "AnnotatorComparison",
    "hypothesis_trends",
    "HypothesisTrends",
    "drop_or_merge",
    "Redundancy",
    # Report
    "HypothesisReport",
    "HypothesisDetail",
    "AuditBundle",
    "read_audit_bundle",
    "rerun_audit_bundle",
    # Replicate
    "replicate_hypotheses",
    "ReplicationReport",
    # Correct for annotation error
    "labelling_sheet",
    "read_labels",
    "HumanLabels",
    "coder_agreement",
    "correct_for_annotation_error",
    "CorrectedEstimates",
    # Draw
    "CoefficientsDisplay",
    "ModeratorDisplay",
    "ActivationHistogramDisplay",
    "NeuronRedundancyDisplay",
    "ReplicationDisplay",
    "TrainingHistoryDisplay",
    "TrendDisplay",
]


def __dir__():
    return [*__all__, "__version__"]
