"""A test double of a language model, with a known mind, behind both wire formats."""

from ._faults import PERMANENT, TRANSIENT, Faults
from ._mind import Mind, contains_any
from ._process import ProcessServer, start_process
from ._server import LLMServer
from ._stats import Call, Stats

__all__ = [
    "PERMANENT",
    "TRANSIENT",
    "Call",
    "Faults",
    "LLMServer",
    "Mind",
    "ProcessServer",
    "Stats",
    "contains_any",
    "start_process",
]
