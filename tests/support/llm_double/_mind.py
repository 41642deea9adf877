"""A mind that is known: which statements are true of which texts, by rules."""

import json
import re
from hashlib import blake2b
from pathlib import Path

__all__ = ["Mind", "contains_any", "share"]

# What the built-in concepts of `make_concept_texts` are called by this mind.
_PHRASES = {
    "gratitude": "expresses thanks",
    "refund": "asks for money back",
    "weather": "talks about the weather",
    "food": "mentions food or a meal",
    "travel delays": "complains about a delayed journey",
    "family": "mentions a relative",
    "pets": "mentions a pet",
    "sports": "talks about a sports event",
}
_VAGUE = "is a text about something"


def share(*parts):
    """Map strings to a number in [0, 1) that looks uniform and never changes."""
    digest = blake2b("\x1f".join(map(str, parts)).encode("utf-8", "replace"))
    return int.from_bytes(digest.digest()[:7], "big") / 2**56


def contains_any(forms):
    """Build a rule: true of texts with one of the forms, as whole words, any case."""
    forms = [" ".join(form.lower().split()) for form in forms]
    whole = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, forms)) + r")(?!\w)")

    def rule(text):
        text = " ".join(text.lower().split())
        # a search for substrings is many times faster than the expression
        return any(form in text for form in forms) and bool(whole.search(text))

    rule.forms = list(forms)
    return rule


def _normalize(statement):
    statement = " ".join(statement.lower().split()).strip("\"'").rstrip(". ")
    return statement.removeprefix("the text ")


class Mind:
    """Knows for some statements of which texts they are true.

    Parameters
    ----------
    concepts : dict of str to callable or list of str
        For each statement a rule ``text -> bool``, or the forms of which a text must
        contain one.
    first_wrong : bool, float or "once", default=False
        How often the first answer to an interpretation prompt is a vague statement
        that is true of 5 % of all texts: always, with this probability, or the first
        time that the very same prompt is seen. Refinement prompts get the right one.
    unknown_rate : float, default=0.05
        The share of texts of which a statement that is not known is taken to be true.
    """

    def __init__(self, concepts, *, first_wrong=False, unknown_rate=0.05):
        self.rules = {
            statement: rule if callable(rule) else contains_any(rule)
            for statement, rule in concepts.items()
        }
        self.first_wrong = first_wrong
        self.unknown_rate = unknown_rate
        self.statement_of = {}
        self.vague_statement = _VAGUE
        self._by_name = {_normalize(s): rule for s, rule in self.rules.items()}
        self._seen = {}

    @classmethod
    def from_concept_texts(cls, texts, **options):
        """Know the planted concepts of a Bunch from `make_concept_texts`.

        `statement_of` maps the names of the concepts to the statements.
        """
        statement_of = {
            name: _PHRASES.get(name, f"mentions {name}") for name in texts.concept_names
        }
        forms = {statement_of[n]: texts.surface_forms[n] for n in statement_of}
        mind = cls(forms, **options)
        mind.statement_of = statement_of
        return mind

    @classmethod
    def from_json(cls, path, **options):
        """Read a file with the forms of each statement."""
        return cls(json.loads(Path(path).read_text(encoding="utf-8")), **options)

    def to_json(self, path):
        """Write the forms of each statement into a file."""
        forms = {s: list(rule.forms) for s, rule in self.rules.items()}
        Path(path).write_text(json.dumps(forms, ensure_ascii=False), encoding="utf-8")

    def knows(self, statement):
        """Tell whether there is a rule for a statement, however it is spelt."""
        return _normalize(statement) in self._by_name

    def judge(self, statement, text):
        """Tell whether a statement is true of a text."""
        name = _normalize(statement)
        rule = self._by_name.get(name)
        if rule is None:
            return share(name, text) < self.unknown_rate
        return bool(rule(text))

    def probability(self, statement, text):
        """Return what a decision model would say: near 0 or near 1, never the same."""
        doubt = 0.01 + 0.09 * share("doubt", statement, text)
        return round(1 - doubt if self.judge(statement, text) else doubt, 4)

    def interpret(self, active, inactive, *, statement=None, prompt=""):
        """Return the statement that separates the texts best.

        With a `statement`, it is the one to refine, and is returned unchanged where
        no other one does better.
        """
        if statement is None and self._is_wrong(prompt):
            return self.vague_statement
        best, best_score = statement, 0.0
        for known in self.rules:
            score = self._separation(known, active, inactive)
            if score > best_score:
                best, best_score = known, score
        return best or self.vague_statement

    def _separation(self, statement, active, inactive):
        return self._share(statement, active) - self._share(statement, inactive)

    def _share(self, statement, texts):
        if not texts:
            return 0.0
        return sum(self.judge(statement, text) for text in texts) / len(texts)

    def _is_wrong(self, prompt):
        seen = self._seen[prompt] = self._seen.get(prompt, -1) + 1
        if self.first_wrong == "once":
            return seen == 0
        return share("wrong", prompt, seen) < float(self.first_wrong)

    def __call__(self, prompt):
        """Answer a whole prompt, so that the mind can stand for a model itself."""
        from ._reader import answer, read_prompt, user_part

        return answer(self, read_prompt(user_part(prompt)))
