"""What a prompt asks, and what a mind answers to it.

A prompt that is put together properly is read by its structure. Where it is not, this
reader is as naive as a model can be: it believes what stands in the text.
"""

import ast
import json
import re
from dataclasses import dataclass, field

__all__ = [
    "NOTATIONS",
    "READABLE",
    "UNREADABLE",
    "Task",
    "answer",
    "read_decisions",
    "read_prompt",
    "user_part",
]

INSTRUCTION_PREFIX = "Is this true of the text? "

_STATEMENT = re.compile(r"^Statement: (?=\")", re.MULTILINE)
_ARRAY = re.compile(r"^(?=\[)", re.MULTILINE)
_ORDER = re.compile(
    r"\b(?:answer|output|say|respond(?: with)?)\W+(yes|no|true|false)\b"
)
_DECODER = json.JSONDecoder()


@dataclass
class Task:
    """What is asked of the mind.

    kind is "single", "word" (yes or no in one word), "stacked", "decisions",
    "interpretation", "refinement", "property" or "feature" (the prompts of
    hypothesaes), "order" (somebody told the reader what to answer) or "unknown".
    """

    kind: str
    text: str | None = None
    statements: dict = field(default_factory=dict)  # by id
    active: list = field(default_factory=list)
    inactive: list = field(default_factory=list)
    statement: str | None = None
    prompt: str = ""
    order: bool | None = None
    malformed: bool = False  # data and orders could not be told apart

    @property
    def questions(self):
        """Return the pairs of a text and a statement."""
        return [(self.text, statement) for statement in self.statements.values()]


def read_prompt(message):
    """Find out what the message of a user asks."""
    if message.startswith("{"):
        return _read_question(message)
    if "PROPERTY:" in message:
        task = _read_property(message)
        if task is not None:
            return task
    if "SAMPLES:" in message:
        return _read_feature(message)
    return _read_examples(message) or _read_naively(message)


def read_decisions(text, questions):
    """Read the questions of a decision endpoint, given as a dict from ids."""
    statements = {
        name: instructions.removeprefix(INSTRUCTION_PREFIX)
        for name, instructions in questions.items()
    }
    return Task("decisions", text, statements)


def user_part(prompt):
    """Cut off instructions that stand before the JSON object that ends a prompt."""
    start = prompt.rfind("\n{")
    while start >= 0:
        if _question_of(_loads(prompt[start + 1 :])) is not None:
            return prompt[start + 1 :]
        start = prompt.rfind("\n{", 0, start)
    return prompt


def _loads(message):
    try:
        return json.loads(message)
    except ValueError:
        return None


def _read_question(message):
    task = _question_of(_loads(message))
    return task or _read_naively(message)


def _question_of(data):
    """Read an object that has exactly the keys of a question."""
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        return None
    if data.keys() == {"text", "property"} and isinstance(data["property"], str):
        return Task("single", data["text"], {"answer": data["property"]})
    if data.keys() == {"text", "question"} and isinstance(data["question"], str):
        asked = data["question"].removeprefix(INSTRUCTION_PREFIX)
        return Task("word", data["text"], {"answer": asked})
    properties = data.get("properties")
    if data.keys() != {"text", "properties"} or not isinstance(properties, dict):
        return None
    if not all(isinstance(statement, str) for statement in properties.values()):
        return None
    return Task("stacked", data["text"], properties)


def _read_examples(message):
    arrays = []
    end = 0
    for match in _ARRAY.finditer(message):
        if match.start() < end:
            continue
        try:
            value, end = _DECODER.raw_decode(message, match.start())
        except ValueError:
            continue
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            arrays.append(value)
    if len(arrays) < 2:
        return None
    task = Task("interpretation", prompt=message)
    task.active, task.inactive = arrays[0], arrays[-1]
    match = _STATEMENT.search(message)
    if match:
        task.kind = "refinement"
        task.statement = _DECODER.raw_decode(message, match.end())[0]
    return task


def _read_property(message):
    """Read the last property that is asked for, whoever may have written it."""
    _, found, rest = message.rpartition('PROPERTY: "')
    statement, separator, rest = rest.partition('"\nTEXT: "')
    text, ending, _ = rest.rpartition('"\nOutput')
    if not (found and separator and ending):
        return None
    return Task("property", text, {"answer": statement})


def _read_feature(message):
    """Read the samples, which are written as Python writes a list."""
    samples = []
    for line in message.split("\n"):
        if line.startswith("[") and line.endswith("]"):
            try:
                samples.append(ast.literal_eval(line))
            except (ValueError, SyntaxError):
                continue
    if len(samples) < 2:
        return Task("unknown", malformed=True)
    return Task("feature", active=samples[0], inactive=samples[1], prompt=message)


def _read_naively(message):
    """Obey what stands there, orders inside the text included."""
    order = _ORDER.findall(message.lower())
    if order:
        return Task("order", order=order[-1] in ("yes", "true"), malformed=True)
    start = message.find("{")
    if start >= 0:
        try:
            task = _question_of(_DECODER.raw_decode(message, start)[0])
        except ValueError:
            task = None
        if task is not None:
            task.malformed = True
            return task
    return Task("unknown", malformed=True)


def answer(mind, task, style="json", skip=(), surplus=()):
    """Return the text with which the mind answers.

    Parameters
    ----------
    style : str
        How answers to questions are written: "json", "fenced", "thinking", "words"
        (Yes or No), or one of `NOTATIONS`.
    skip, surplus : iterable of str
        Ids that are left out, and ids that nobody asked for.
    """
    if task.kind in ("interpretation", "refinement", "feature"):
        statement = mind.interpret(
            task.active, task.inactive, statement=task.statement, prompt=task.prompt
        )
        if task.kind == "feature":
            return f'- "{statement}"'
        if "statement" in skip:
            return _in_style({}, style)
        return _in_style({"statement": statement}, style)
    if task.kind == "order":
        return json.dumps({"answer": task.order})
    if task.kind == "unknown":
        return "I do not understand."
    labels = {
        name: mind.judge(statement, task.text)
        for name, statement in task.statements.items()
        if name not in skip
    }
    labels.update(dict.fromkeys(surplus, True))
    if task.kind == "word":
        said = {True: "Yes", False: "No"}.get(labels.get("answer"), "")
        return f"<think>Let me see.</think>\n{said}" if style == "thinking" else said
    if task.kind == "property":
        return {True: "Yes", False: "No"}.get(labels.get("answer"), "")
    return _in_style(labels, style)


def _write_words(answers, yes, no):
    return {name: yes if label else no for name, label in answers.items()}


def _write_lines(answers):
    said = _write_words(answers, "Yes", "No")
    return "\n".join(f"{name}: {word}" for name, word in said.items())


# Notations that a careful reader can read, and some that nobody can.
NOTATIONS = {
    "list": lambda found: json.dumps(
        [{"id": name, "answer": label} for name, label in found.items()]
    ),
    "capitals": lambda found: json.dumps(_write_words(found, "YES", "NO")),
    "titles": lambda found: json.dumps(_write_words(found, "True", "False")),
    "numbers": lambda found: json.dumps(_write_words(found, 1, 0)),
    "french": lambda found: json.dumps(_write_words(found, "oui", "non")),
    "german": lambda found: json.dumps(_write_words(found, "Ja", "Nein")),
    "python": repr,
    "comma": lambda found: json.dumps(found)[:-1] + ",}",
    "lines": _write_lines,
    "poem": lambda found: "Roses are red, I will not judge.",
    "maybe": lambda found: json.dumps(dict.fromkeys(found, "maybe")),
    "cut": lambda found: json.dumps(found)[:-3],
    "other_ids": lambda found: json.dumps({f"x_{n}": v for n, v in found.items()}),
}
READABLE = tuple(NOTATIONS)[:9]
UNREADABLE = tuple(NOTATIONS)[9:]


def _in_style(answers, style):
    if style in NOTATIONS:
        return NOTATIONS[style](answers)
    written = json.dumps(answers, ensure_ascii=False)
    if style == "fenced":
        return f"```json\n{written}\n```"
    if style == "thinking":
        return f'<think>Is it {{"answer": true}}? Let me see.</think>\n{written}'
    if style == "words" and answers.keys() == {"answer"}:
        return "**Yes**" if answers["answer"] else "No."
    return written
