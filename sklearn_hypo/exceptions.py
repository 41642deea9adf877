"""Errors and warnings that callers may want to catch by name."""

__all__ = [
    "BatchPendingError",
    "BudgetError",
    "CacheError",
    "DatasetNotFoundError",
    "HypothesisWarning",
    "InputError",
    "LanguageModelError",
    "MissingAnswersError",
    "ModelFileError",
    "NotTextLabelledError",
]


class NotTextLabelledError(TypeError):
    """Rows arrived without their texts where the texts are needed."""


class CacheError(OSError):
    """A cache folder cannot be used: not writable, full, or of another version."""


class DatasetNotFoundError(FileNotFoundError):
    """A data set that the user has to supply is not where it was looked for."""


class LanguageModelError(RuntimeError):
    """A run of language-model calls cannot go on. Answers obtained so far are kept.

    Parameters
    ----------
    message : str
        What happened, and what to do.
    reason : str, default="failed"
        "authentication", "quota", "model" (not known to the provider), "address" (no
        server there that speaks the protocol), "request" (refused as it stands),
        "rate_limit", "unreachable", "budget", "missing" or
        "pending".
    """

    def __init__(self, message, reason="failed"):
        super().__init__(message)
        self.reason = reason


class BudgetError(LanguageModelError):
    """The next call could pass `max_cost`, so it was not made."""

    def __init__(self, message, reason="budget"):
        super().__init__(message, reason)


class BatchPendingError(LanguageModelError):
    """Answers are being made in a batch that is not finished."""

    def __init__(self, message, reason="pending"):
        super().__init__(message, reason)


class MissingAnswersError(LanguageModelError):
    """More answers are missing than `max_missing` allows.

    Attributes
    ----------
    errors : DataFrame
        One row per missing answer: "text", "hypothesis", "outcome", "detail".
    annotations : ndarray of shape (n_texts, n_hypotheses)
        The answers there are: 1.0 and 0.0, or probabilities where the layout has them,
        and NaN for the missing ones.
    """

    def __init__(self, message, reason="missing", errors=None, annotations=None):
        super().__init__(message, reason)
        self.errors = errors
        self.annotations = annotations


class ModelFileError(ValueError):
    """A saved model is damaged or does not fit what it is loaded into."""


class InputError(ValueError):
    """A file, or a column of it, cannot be used; the message says what to change."""


class HypothesisWarning(UserWarning):
    """A result stands, but a reader should know something about it."""
