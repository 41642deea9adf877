"""Layouts: how (text, statement) cells are put into requests, and answers read.

A text and the statements travel as data in one JSON object, in a message of its own;
the instructions stand in the system message. No text can close the quotes it is in.
"""

import hashlib
import json
from itertools import pairwise

from ._catalog import find_model
from ._logprobs import MOST_ALTERNATIVES
from ._parsing import parse_answers, parse_yes_no
from ._values import DecisionQuestions, Prompt
from ._yes_no import DATA_RULE, YES_NO_SYSTEM, build_yes_no_prompt

LAYOUTS = ("single", "stacked", "decisions", "logprobs")

# Layouts that ask about one cell at a time, and those that answer with probabilities.
_ONE_BY_ONE = ("single", "logprobs")
PROBABILITIES = ("decisions", "logprobs")

# Statements in one call, unless the user or the table of models says otherwise.
STACKED = 10
_DECISIONS = 400

_RULES = DATA_RULE + "If in doubt, the answer is false. "

SINGLE_SYSTEM = (
    'You annotate texts for a study. The user message is one JSON object: a "text" and '
    'a "property". Decide whether the text has the property. '
    + _RULES
    + 'Answer with nothing but {"answer": true} or {"answer": false}.'
)

STACKED_SYSTEM = (
    'You annotate texts for a study. The user message is one JSON object: a "text" and '
    '"properties" with identifiers. Decide for each property, independently of the '
    "others, whether the text has it. "
    + _RULES
    + "Answer with nothing but one JSON object that gives every identifier true or "
    'false, such as {"c1": false, "c2": true}.'
)

INSTRUCTION_PREFIX = "Is this true of the text? "

_SINGLE_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "boolean"}},
    "required": ["answer"],
    "additionalProperties": False,
}


def choose_layout(layout, model):
    """Resolve "auto", and refuse with a ValueError what a model cannot do."""
    known = find_model(model.provider, model.model)
    only_decisions = known is not None and known.kind == "decisions"
    if layout == "auto":
        return "decisions" if only_decisions else model.default_layout
    if layout == "decisions" and model.provider == "callable":
        raise ValueError(
            "layout='decisions' needs an endpoint of that name, which a function does "
            "not have. Use 'single' or 'stacked'."
        )
    if layout != "decisions" and only_decisions:
        raise ValueError(
            f"layout={layout!r}: {model} answers by the Decisions endpoint alone. Use "
            "layout='decisions' or 'auto'."
        )
    if layout == "logprobs" and getattr(model, "api", None) != "chat":
        raise ValueError(
            f"layout='logprobs' reads what Chat Completions of OpenAI's protocol "
            f"return (OpenAIModel with api='chat'), which {model} does not. Use "
            "layout='single' or 'stacked', or 'decisions' where probabilities are "
            "offered."
        )
    return layout


def choose_size(concepts_per_call, layout, model):
    """Return the most statements in one call; None stands for a default."""
    if layout != "decisions":
        return concepts_per_call or STACKED
    known = find_model(model.provider, model.model)
    most = (known and known.max_questions) or _DECISIONS
    return min(concepts_per_call or most, most)


class Layout:
    """How one text's statements become requests.

    Parameters
    ----------
    name : {"single", "stacked", "decisions", "logprobs"}
        The layout.
    per_call : int
        Most statements in one request.
    seed : int, default=0
        Of the order in which statements are stacked.
    """

    def __init__(self, name, per_call, seed=0):
        self.name = name
        # plain numbers: those of NumPy cannot be written as JSON
        self.per_call = 1 if name in _ONE_BY_ONE else int(per_call)
        self.seed = int(seed)

    def identity(self):
        """Return what of the layout changes an answer, for the key of the cache."""
        if self.name == "single":
            return {"layout": self.name, "prompt": SINGLE_SYSTEM}
        if self.name == "decisions":
            return {"layout": self.name, "prompt": INSTRUCTION_PREFIX}
        if self.name == "logprobs":
            return {"layout": self.name, "prompt": YES_NO_SYSTEM + INSTRUCTION_PREFIX}
        return {
            "layout": self.name,
            "prompt": STACKED_SYSTEM,
            "concepts_per_call": self.per_call,
            "shuffle_seed": self.seed,
        }

    def groups(self, text, statements):
        """Divide distinct statements into requests of like sizes, at most `per_call`.

        Where a statement stands depends on the seed, the text and the statement alone.
        """
        ordered = statements
        if self.name == "stacked":
            ordered = sorted(statements, key=lambda s: self._hash_place(text, s))
        n_groups = -(-len(ordered) // self.per_call)
        size, longer = divmod(len(ordered), n_groups)
        starts = [i * size + min(i, longer) for i in range(n_groups + 1)]
        return [ordered[a:b] for a, b in pairwise(starts)]

    def resized(self, per_call):
        """Return the layout with another number of statements in a request."""
        return Layout(self.name, per_call, self.seed)

    def asks_alike(self, per_call, n_statements):
        """Whether so many statements make the same requests with another `per_call`."""
        return -(-n_statements // per_call) == -(-n_statements // self.per_call)

    def _hash_place(self, text, statement):
        written = json.dumps([self.seed, text, statement])
        return hashlib.sha256(written.encode()).digest()

    def request(self, text, statements):
        """Build the request for one text and a group of statements."""
        if self.name == "decisions":
            asked = [INSTRUCTION_PREFIX + statement for statement in statements]
            return DecisionQuestions(text, number_statements(asked))
        if self.name == "logprobs":
            question = INSTRUCTION_PREFIX + statements[0]
            return build_yes_no_prompt(text, question, MOST_ALTERNATIVES)
        if self.name == "single":
            user = _format_json({"text": text, "property": statements[0]})
            return Prompt(SINGLE_SYSTEM, user, _SINGLE_SCHEMA)
        user = _format_json({"text": text, "properties": number_statements(statements)})
        return Prompt(STACKED_SYSTEM, user, _build_schema(len(statements)))

    def output_tokens(self, n_statements):
        """Estimate the tokens of an answer without reasoning."""
        n_tokens = {"single": 4, "decisions": 0, "logprobs": 1}
        return n_tokens.get(self.name, 1 + 3 * n_statements)

    def read(self, reply, statements):
        """Return one bool, float or None (no answer) per statement of the request."""
        if self.name == "single":
            return [parse_yes_no(reply.content)]
        if self.name == "logprobs":
            return [_read_probability(reply.content)]
        ids = number_statements(statements)
        if self.name == "stacked":
            answers = parse_answers(reply.content, ids)
            return [answers[name] for name in ids]
        return [_read_probability(reply.content.get(name)) for name in ids]


def number_statements(statements):
    """Return the statements under the identifiers c1, c2, ..."""
    return {f"c{i}": statement for i, statement in enumerate(statements, start=1)}


def _format_json(value):
    return json.dumps(value, ensure_ascii=False)


def _build_schema(n_statements):
    names = list(number_statements(range(n_statements)))
    return {
        "type": "object",
        "properties": {name: {"type": "boolean"} for name in names},
        "required": names,
        "additionalProperties": False,
    }


def _read_probability(value):
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= 1 else None
