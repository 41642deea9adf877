"""Cells of a table of texts and statements: their keys, and what is known of them."""

from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np

from ._answers import AnswerStore, KeyMaker
from ._layouts import Layout
from ._text import clean_text, cut_words

# Answers are looked up so many at a time.
_CHUNK = 50_000


def make_answer(value, version, statements, share_read=1.0):
    """Return what is stored of an answer to a call about some statements.

    `share_read` is the part of the text that the model had room for.
    """
    answer = {"value": value, "model": version, "among": len(statements)}
    return answer | ({"share_read": round(share_read, 3)} if share_read < 1 else {})


def read_probability(answer):
    """Return the probability in a stored answer; None if none was ever stored so."""
    if not isinstance(answer, dict):
        return None
    value, share_read = answer.get("value"), answer.get("share_read", 1.0)
    return float(value) if _is_share(value) and _is_share(share_read) else None


def _is_share(value):
    return isinstance(value, int | float) and 0 <= value <= 1


class OtherKeys(NamedTuple):
    """Keys under which answers to the same requests may be stored as well.

    Attributes
    ----------
    make_key : KeyMaker
        From a text and a statement.
    per_call : int
        Most statements of the calls that were answered.
    """

    make_key: KeyMaker
    per_call: int


class MissingCell(NamedTuple):
    """A cell without an answer."""

    text: int
    statement: int
    outcome: str
    detail: str


@dataclass
class CellTable:
    """The distinct cells of a table, and what is known of them.

    Attributes
    ----------
    store : AnswerStore
        Where answers are.
    make_key : KeyMaker
        From a text and a statement.
    other_keys : list of OtherKeys
        Where answers may be as well.
    layout : Layout
        How statements are put into requests.
    max_words : int or None
        Where texts are cut.
    texts, statements : list of str
        Rows and columns.
    where : ndarray of bool of shape (n_texts, n_statements) or None
        Which cells are wanted; None: all.
    versions : set of str
        What providers call the models that gave the answers.
    """

    store: AnswerStore
    make_key: KeyMaker
    other_keys: list
    layout: Layout
    max_words: int | None
    texts: list
    statements: list
    where: np.ndarray | None
    _keys: dict = field(default_factory=dict)
    _values: dict = field(default_factory=dict)
    _reasons: dict = field(default_factory=dict)
    _shares: dict = field(default_factory=dict)
    versions: set = field(default_factory=set, init=False)

    def __post_init__(self):
        sent = {
            text: cut_words(clean_text(text), self.max_words)[0] for text in self.texts
        }
        self.texts = [sent[text] for text in self.texts]
        distinct = dict.fromkeys(self.statements)
        for row, text in enumerate(self.texts):
            cells = self._keys.setdefault(text, {})
            if not text.strip():
                continue  # has no property, and is not worth a call
            wanted = distinct if self.where is None else self._wanted(row)
            for statement in wanted:
                if statement not in cells:
                    cells[statement] = self.make_key(text, statement)

    def _wanted(self, row):
        return [self.statements[j] for j in np.flatnonzero(self.where[row])]

    def key(self, text, statement):
        """Return the key of a cell."""
        return self._keys[text][statement]

    def open_keys(self):
        """Return the keys of all cells without an answer."""
        return [
            key
            for cells in self._keys.values()
            for key in cells.values()
            if key not in self._values
        ]

    @property
    def has_answers(self):
        """Whether any cell has an answer."""
        return bool(self._values)

    def look_up(self):
        """Take over what the store has; return how many answers that is."""
        n_before = len(self._values)
        for keys in _divide(self.open_keys()):
            self.settle_all(self.store.get(keys))
        for other in self.other_keys:
            for names in map(dict, _divide(self._rename(other))):
                is_fit = self._make_check(other)
                self.settle_all(self.store.take_over(names, is_fit))
        return len(self._values) - n_before

    def _rename(self, other):
        """Yield open keys, and other keys of the answers to the same requests."""
        for text, cells in self._keys.items():
            if self.layout.asks_alike(other.per_call, len(cells)):
                for statement, key in cells.items():
                    if key not in self._values:
                        yield key, other.make_key(text, statement)

    def _make_check(self, other):
        """Return whether an answer comes from a call that could be made here."""
        most = self.layout.per_call

        def is_fit(answer):
            self._read(answer)
            among = answer.get("among", other.per_call)
            return isinstance(among, int) and among <= most

        return is_fit

    def find_open(self, keys):
        """Return the open keys that are among some, by one name or another."""
        found = keys & set(self.open_keys())
        if keys - found:
            for other in self.other_keys:
                found |= {mine for mine, name in self._rename(other) if name in keys}
        return found

    def groups(self):
        """Yield (text, statements) for what is to be asked."""
        for text, cells in self._keys.items():
            wanted = [s for s, key in cells.items() if key not in self._values]
            if wanted:
                for group in self.layout.groups(text, wanted):
                    yield text, group

    def settle_all(self, found):
        """Take over answers from the store."""
        for key, answer in found.items():
            self._values[key] = self._read(answer)
            self.versions.add(str(answer.get("model", "")))
            if "share_read" in answer:
                self._shares[key] = answer["share_read"]

    def _read(self, answer):
        value = read_probability(answer)
        if value is None:
            raise self.store.damage(f"{str(answer)[:80]} where an answer is expected")
        return value

    def give_up(self, key, outcome, detail):
        """Note why a cell has no answer."""
        self._reasons[key] = (outcome, detail)

    def _cells(self):
        """Yield row, column and key of every cell; the key of a blank text is None."""
        for row, text in enumerate(self.texts):
            columns = range(len(self.statements))
            if self.where is not None:
                columns = np.flatnonzero(self.where[row])
            keys = self._keys[text]
            for column in columns:
                yield row, int(column), keys.get(self.statements[column])

    def values(self):
        """Return the table."""
        values = np.full((len(self.texts), len(self.statements)), np.nan)
        for row, column, key in self._cells():
            values[row, column] = 0.0 if key is None else self._values.get(key, np.nan)
        return values

    def shares_read(self):
        """Return which part was read of rows that were too long for the model."""
        return {
            row: self._shares[key]
            for row, _, key in self._cells()
            if self._shares and key in self._shares
        }

    def missing(self):
        """Return the cells without an answer."""
        unknown = ("failed", "")
        return [
            MissingCell(row, column, *self._reasons.get(key, unknown))
            for row, column, key in self._cells()
            if key is not None and key not in self._values
        ]


def _divide(items):
    """Yield the items in lists of at most `_CHUNK`."""
    items = iter(items)
    while chunk := list(islice(items, _CHUNK)):
        yield chunk
