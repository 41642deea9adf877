"""The public names and where they are: read by type checkers, and by `__init__`."""

from . import datasets as datasets
from . import exceptions as exceptions
from ._annotation._cascade import CascadeAnnotator as CascadeAnnotator
from ._annotation._cross_encoder import CrossEncoderAnnotator as CrossEncoderAnnotator
from ._annotation._dictionaries import read_dictionary as read_dictionary
from ._annotation._embedding import EmbeddingAnnotator as EmbeddingAnnotator
from ._annotation._language_model import LLMAnnotator as LLMAnnotator
from ._annotation._lexicon import LexiconAnnotator as LexiconAnnotator
from ._annotation._majority import MajorityAnnotator as MajorityAnnotator
from ._annotation_error._correction import CorrectedEstimates as CorrectedEstimates
from ._annotation_error._correction import (
    correct_for_annotation_error as correct_for_annotation_error,
)
from ._annotation_error._human_labels import HumanLabels as HumanLabels
from ._annotation_error._human_labels import coder_agreement as coder_agreement
from ._annotation_error._labelling_sheet import labelling_sheet as labelling_sheet
from ._annotation_error._labelling_sheet import read_labels as read_labels
from ._autoencoder._sparse import (
    SparseAutoencoderTransformer as SparseAutoencoderTransformer,
)
from ._autoencoder._supervised import (
    SupervisedSAETransformer as SupervisedSAETransformer,
)
from ._data_preparation._contests import pairs_within as pairs_within
from ._data_preparation._documents import DocumentChunks as DocumentChunks
from ._data_preparation._documents import roll_up_annotations as roll_up_annotations
from ._data_preparation._documents import split_documents as split_documents
from ._data_preparation._groups import join_groups as join_groups
from ._data_preparation._html import remove_html as remove_html
from ._data_preparation._near_duplicates import (
    find_near_duplicates as find_near_duplicates,
)
from ._data_preparation._pairs import make_pairs as make_pairs
from ._displays import ActivationHistogramDisplay as ActivationHistogramDisplay
from ._displays import CoefficientsDisplay as CoefficientsDisplay
from ._displays import ModeratorDisplay as ModeratorDisplay
from ._displays import NeuronRedundancyDisplay as NeuronRedundancyDisplay
from ._displays import ReplicationDisplay as ReplicationDisplay
from ._displays import ReportDisplay as ReportDisplay
from ._displays import TrainingHistoryDisplay as TrainingHistoryDisplay
from ._displays import TrendDisplay as TrendDisplay
from ._embedding._text_embedder import TextEmbedder as TextEmbedder
from ._evaluation._annotations import evaluate_annotations as evaluate_annotations
from ._evaluation._annotator_comparison import (
    AnnotatorComparison as AnnotatorComparison,
)
from ._evaluation._compare_annotators import compare_annotators as compare_annotators
from ._evaluation._hypotheses import evaluate_hypotheses as evaluate_hypotheses
from ._evaluation._hypothesis_trends import HypothesisTrends as HypothesisTrends
from ._evaluation._rerun import rerun_audit_bundle as rerun_audit_bundle
from ._evaluation._trends import hypothesis_trends as hypothesis_trends
from ._extraction._extractor import HypothesisExtractor as HypothesisExtractor
from ._hypotheses._fidelity import Fidelity as Fidelity
from ._hypotheses._hypothesis import Hypothesis as Hypothesis
from ._hypotheses._protocols import Annotator as Annotator
from ._hypotheses._protocols import Candidate as Candidate
from ._hypotheses._protocols import Interpretation as Interpretation
from ._hypotheses._protocols import Interpreter as Interpreter
from ._hypotheses._protocols import PaidAnnotator as PaidAnnotator
from ._hypotheses._protocols import ScoredAnnotator as ScoredAnnotator
from ._inference._redundancy import Redundancy as Redundancy
from ._inference._redundancy import drop_or_merge as drop_or_merge
from ._inference._signal import Signal as Signal
from ._interpretation._language_model import LLMInterpreter as LLMInterpreter
from ._interpretation._lexicon import LexiconInterpreter as LexiconInterpreter
from ._interpretation._namer import LLMNamer as LLMNamer
from ._language_models._ledger import Budget as Budget
from ._language_models._ledger import CostEstimate as CostEstimate
from ._language_models._models import GeminiModel as GeminiModel
from ._language_models._models import OpenAIModel as OpenAIModel
from ._language_models._transformers import TransformersModel as TransformersModel
from ._pipeline import make_hypothesis_pipeline as make_hypothesis_pipeline
from ._planning._estimate_study import estimate_study as estimate_study
from ._planning._plan_study import plan_study as plan_study
from ._planning._study_estimate import StudyEstimate as StudyEstimate
from ._planning._study_plan import StudyPlan as StudyPlan
from ._reading._labelled_texts import LabelledTexts as LabelledTexts
from ._reading._labelled_texts import read_labelled_texts as read_labelled_texts
from ._replication._replicate import replicate_hypotheses as replicate_hypotheses
from ._replication._report import ReplicationReport as ReplicationReport
from ._report._audit import AuditBundle as AuditBundle
from ._report._audit import read_audit_bundle as read_audit_bundle
from ._report._details import HypothesisDetail as HypothesisDetail
from ._report._report import HypothesisReport as HypothesisReport
from ._selection._neuron_selector import NeuronSelector as NeuronSelector
from ._style._features import StyleFeatures as StyleFeatures
from ._style._term_features import TermFeatures as TermFeatures

__version__: str
