"""Warnings that point at the line of the user's own code."""

import os
import sys
import warnings
from pathlib import Path

import joblib
import sklearn

from ..exceptions import HypothesisWarning
from ._progress import make_room

# What stands between a user's line and ours: pipelines, validation, workers.
_INSIDE = tuple(
    os.path.join(folder, "")  # not folders whose names begin alike
    for folder in (
        Path(__file__).parents[1],
        Path(sklearn.__file__).parent,
        Path(joblib.__file__).parent,
    )
)


def warn(message, category=HypothesisWarning):
    """Warn at the innermost frame outside this package, scikit-learn and joblib.

    Parameters
    ----------
    message : str
        What to say.
    category : type of Warning, default=HypothesisWarning
        Its class.
    """
    level = _find_stack_level()
    with make_room():
        warnings.warn(message, category, stacklevel=level)


def _find_stack_level():
    """Count the frames from `warn` up to the first that is the user's."""
    frame, level = sys._getframe(2), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INSIDE):
        frame, level = frame.f_back, level + 1
    return level
