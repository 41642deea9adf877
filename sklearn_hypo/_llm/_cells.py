"""The cells of a table of texts and statements: their keys, and what is known."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ._answers import KeyMaker
from ._hygiene import clean_text, cut_words

# Answers are looked up so many at a time.
_CHUNK = 50_000


class Missing(NamedTuple):
    """A cell without an answer."""

    text: int
    statement: int
    outcome: str
    detail: str


@dataclass
class Table:
    """The distinct cells of a table, and what is known of them.

    Attributes
    ----------
    identity : dict
        What changes an answer, beside text and statement.
    max_words : int or None
        Where texts are cut.
    texts, statements : list of str
        Rows and columns.
    where : ndarray of bool of shape (n_texts, n_statements) or None
        Which cells are wanted; None: all.
    """

    identity: dict
    max_words: int | None
    texts: list
    statements: list
    where: np.ndarray | None
    _keys: dict = field(default_factory=dict)
    _values: dict = field(default_factory=dict)
    _reasons: dict = field(default_factory=dict)

    def __post_init__(self):
        sent = {
            text: cut_words(clean_text(text), self.max_words)[0] for text in self.texts
        }
        self.texts = [sent[text] for text in self.texts]
        make_key = KeyMaker(self.identity)
        distinct = dict.fromkeys(self.statements)
        for row, text in enumerate(self.texts):
            cells = self._keys.setdefault(text, {})
            if not text.strip():
                continue  # has no property, and is not worth a call
            wanted = distinct if self.where is None else self._wanted(row)
            for statement in wanted:
                if statement not in cells:
                    cells[statement] = make_key(text, statement)

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

    def look_up(self, store):
        """Take over what the store has; return how many answers that is."""
        keys = self.open_keys()
        n_before = len(self._values)
        for start in range(0, len(keys), _CHUNK):
            self.settle_all(store.get(keys[start : start + _CHUNK]))
        return len(self._values) - n_before

    def groups(self, layout):
        """Yield (text, statements) for what is to be asked."""
        for text, cells in self._keys.items():
            wanted = [s for s, key in cells.items() if key not in self._values]
            if wanted:
                for group in layout.groups(text, wanted):
                    yield text, group

    def settle_all(self, found):
        """Take over answers from the store."""
        for key, answer in found.items():
            self._values[key] = float(answer["value"])

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

    def missing(self):
        """Return the cells without an answer."""
        unknown = ("failed", "")
        return [
            Missing(row, column, *self._reasons.get(key, unknown))
            for row, column, key in self._cells()
            if key is not None and key not in self._values
        ]
