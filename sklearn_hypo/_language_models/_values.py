"""The values that pass between the parts of the language-model core."""

from dataclasses import dataclass
from typing import Any, NamedTuple

# What became of a question. Everything but the first is a missing answer.
ANSWERED = "answered"
REFUSED = "refused"  # the model declined
BLOCKED = "blocked"  # a filter of the provider stopped the prompt or the answer
CUT = "cut"  # the answer ran into the limit on its length
TOO_LONG = "too_long"  # the prompt is longer than the model can take
UNPARSABLE = "unparsable"  # an answer came, but not in the form asked for
FAILED = "failed"  # no answer came in spite of retries

OUTCOMES = (ANSWERED, REFUSED, BLOCKED, CUT, TOO_LONG, UNPARSABLE, FAILED)


class Usage(NamedTuple):
    """What one call, or many, consumed.

    Attributes
    ----------
    calls : int
        Requests sent, retries included.
    input_tokens : int
        Tokens of prompts, cached ones included.
    cached_tokens, cache_write_tokens : int
        Those read from and written to the provider's own prompt cache.
    output_tokens : int
        Tokens of answers, reasoning included.
    reasoning_tokens : int
        Those of them that were reasoning.
    """

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    def __add__(self, other):
        return Usage(*(a + b for a, b in zip(self, other, strict=True)))


def as_count(value, default=None):
    """Return a number of tokens that a provider told; the default for what is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < float("inf") else default


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question to a chat model.

    Attributes
    ----------
    system, user : str
        Instructions, and data.
    schema : dict or None
        JSON schema of the answer.
    temperature : float or None
        Instead of the model's own.
    max_output_tokens : int or None
        Instead of the model's own.
    n_alternatives : int or None
        Answered by one word: the content of the reply is the probability of a yes,
        read from the log-probabilities of so many tokens. None: it is a text.
    """

    system: str
    user: str
    schema: dict | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    n_alternatives: int | None = None


@dataclass(frozen=True, slots=True)
class DecisionQuestions:
    """Yes/no questions about one text, for a Decisions endpoint.

    Attributes
    ----------
    text : str
        The text.
    questions : dict
        From identifiers to questions.
    """

    text: str
    questions: dict[str, str]


class Reply(NamedTuple):
    """What came back.

    Attributes
    ----------
    outcome : str
        One of `OUTCOMES`.
    content : Any
        Text of a chat model, or its P(yes) for a prompt with `n_alternatives`; a dict
        from identifiers to probabilities, or to None for a refusal, of a Decisions
        endpoint; an array of embeddings. Of a prompt that is too long, which share of
        it fits; None if that is not known.
    usage : Usage or None
        As the provider counted. None if it did not tell.
    version : str
        What the provider calls the model that answered.
    detail : str
        Why there is no answer.
    only_reasoned : bool
        Whether the model reasoned, and came to no answer.
    """

    outcome: str
    content: Any = None
    usage: Usage | None = None
    version: str = ""
    detail: str = ""
    only_reasoned: bool = False
