"""Texts and a target in, tested hypotheses in plain words out.

Estimators for HypotheSAEs (Movva, Peng, Garg, Kleinberg and Pierson 2025,
arXiv 2502.04382) that compose into a scikit-learn Pipeline. The public names are listed
by the steps of the method.
"""

import lazy_loader

__version__ = "0.1.0"

# A public name is imported when it is first asked for (PEP 562); `__init__.pyi` says
# where each of them is.
__getattr__ = lazy_loader.attach_stub(__name__, __file__)[0]

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
    "ReportDisplay",
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
