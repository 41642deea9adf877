"""What both vendors' wire formats have in common."""

import math
from dataclasses import dataclass, field
from email.utils import formatdate
from time import time

from ._reader import Task

__all__ = ["Ask", "BadRequest", "Completion", "Route", "hint_headers", "tokens"]


class BadRequest(Exception):
    """A request that a server would refuse with status 400."""

    def __init__(self, message, param=None, code=None):
        super().__init__(message)
        self.param = param
        self.code = code


@dataclass
class Route:
    """Where a request goes: `name` is the format, `kind` what faults it can have."""

    vendor: object
    name: str
    label: str
    kind: str = "other"
    params: dict = field(default_factory=dict)


@dataclass
class Ask:
    """What a request asks, whatever the format."""

    model: str | None = None
    task: Task | None = None
    texts: list = field(default_factory=list)  # to embed
    dimensions: int | None = None
    encoding: str | None = None
    max_tokens: int | None = None
    alternatives: int | None = None  # log-probabilities that are asked for
    prompt_characters: int = 0
    schema_characters: int = 0

    @property
    def content(self):
        """Return the text and the statements, or the texts to embed."""
        if self.task is None:
            return tuple(self.texts)
        if not self.task.statements:
            return (self.task.prompt, *self.task.active[:1])
        return (self.task.text, *self.task.statements.values())


@dataclass
class Completion:
    """What the mind answered; `finish` is "stop", "cut" or the name of a fault."""

    text: str | None = None
    probability: float | None = None  # of a yes, where one word was asked for
    finish: str = "stop"
    answers: dict = field(default_factory=dict)  # of decisions: a number, or None
    vectors: list = field(default_factory=list)
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0  # without those of the reasoning
    reasoning_tokens: int = 0
    thoughts: dict = field(default_factory=dict)  # what stands beside the content
    usage: bool = True


def tokens(characters):
    """Return how many tokens so many characters are taken for."""
    return math.ceil(characters / 4)


def hint_headers(name, seconds):
    """Return the headers of a rate limit that say how long to wait."""
    if name == "rate_limit_seconds":
        return {"retry-after": f"{seconds:g}"}
    if name == "rate_limit_ms":
        return {"retry-after-ms": f"{seconds * 1000:g}"}
    if name == "rate_limit_date":
        return {"retry-after": formatdate(time() + seconds, usegmt=True)}
    return {}
