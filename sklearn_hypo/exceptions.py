"""Errors and warnings that callers may want to catch by name."""

__all__ = [
    "CacheError",
    "DatasetNotFoundError",
    "HypothesisWarning",
    "ModelFileError",
    "NotTextLabelledError",
]


class NotTextLabelledError(TypeError):
    """Rows arrived without their texts where the texts are needed."""


class CacheError(OSError):
    """A cache folder cannot be used: not writable, full, or of another version."""


class DatasetNotFoundError(FileNotFoundError):
    """A data set that the user has to supply is not where it was looked for."""


class ModelFileError(ValueError):
    """A saved model is damaged or does not fit what it is loaded into."""


class HypothesisWarning(UserWarning):
    """A result stands, but a reader should know something about it."""
