"""Cells of a table of texts and statements, answered: from the cache or by a model."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..exceptions import BatchPendingError
from ._answers import KeyMaker
from ._batch_jobs import BatchJobs
from ._layouts import Layout, ask_cells
from ._ledger import estimate_input_tokens, make_cost_estimate
from ._session import OtherRuns, ProgressLog, Session, UnusableAnswers
from ._text import clean_text, cut_words
from ._values import ANSWERED, Usage

# Format of keys and values. To be raised when either changes.
_FORMAT = 1

# Rows are dealt with in blocks, so that a million texts need no more memory, and
# answers are looked up so many at a time.
_BLOCK = 20_000
_CHUNK = 50_000


@dataclass
class CellAnswerer:
    """Answers cells in the order: cache, batch jobs under way, model.

    Attributes
    ----------
    session : Session
        Whom to ask, and where answers and costs are kept.
    layout : Layout
        In which form.
    max_words : int or None
        Where to cut texts.
    """

    session: Session
    layout: Layout
    max_words: int | None

    def answer(self, texts, statements, where=None):
        """Answer the cells of a table.

        Parameters
        ----------
        texts : sequence of str
            Rows. Equal ones are asked about once.
        statements : sequence of str
            Columns. Equal ones are asked about once.
        where : ndarray of bool of shape (n_texts, n_statements) or None
            Which cells; None: all.

        Returns
        -------
        values : ndarray of shape (n_texts, n_statements)
            Probabilities, or 1 and 0; NaN where there is no answer.
        missing : list of MissingCell
            Cells that were asked for and have no answer.
        """
        blocks, missing = [], []
        for start in range(0, len(texts), _BLOCK):
            rows = slice(start, start + _BLOCK)
            wanted = None if where is None else where[rows]
            table = self._answer_block(texts[rows], statements, wanted)
            blocks.append(table.values())
            missing += [m._replace(text=m.text + start) for m in table.missing()]
        if not blocks:
            return np.empty((0, len(statements))), missing
        return np.vstack(blocks), missing

    def _answer_block(self, texts, statements, where):
        table = self._look_up(texts, statements, where)
        if table.open_keys():
            self._wait_for_batches(table)
        if table.open_keys():
            self._ask(table)
        return table

    def _look_up(self, texts, statements, where=None):
        """Make a table with the answers that are in the store."""
        table = self._make_table(texts, statements, where)
        self.session.ledger.count_cached(table.look_up(self.session.store))
        return table

    def _make_table(self, texts, statements, where=None):
        identity = {
            "format": _FORMAT,
            "task": "annotation",
            **self.layout.identity(),
            **self.session.identify_model(),
        }
        return CellTable(identity, self.max_words, texts, statements, where)

    def submit(self, texts, statements):
        """Submit the cells without an answer as batch jobs; see `BatchJobs.submit`."""
        return self._jobs().submit(self._look_up(texts, statements))

    def collect(self):
        """Take over the answers of finished batch jobs; see `BatchJobs.collect`."""
        return self._jobs().collect()

    def _jobs(self):
        return BatchJobs(self.session, self.layout)

    def _wait_for_batches(self, table):
        """Do not pay now for what a batch job will answer."""
        jobs = self._jobs()
        if jobs.pending_keys().isdisjoint(table.open_keys()):
            return
        jobs.collect()
        self.session.ledger.count_cached(table.look_up(self.session.store))
        n_pending = len(jobs.pending_keys() & set(table.open_keys()))
        if n_pending:
            raise self._pending_error(n_pending)

    def _pending_error(self, n_pending):
        return BatchPendingError(
            f"{self.session.parameter}: {n_pending} answers are being made in batch "
            "jobs that are not finished. Call again later; nothing is asked twice."
        )

    def estimate(self, texts, statements):
        """Return the CostEstimate of the cells that have no answer yet."""
        distinct = list(dict.fromkeys(texts))
        calls = n_input = n_output = 0
        for start in range(0, len(distinct), _BLOCK):
            table = self._make_table(distinct[start : start + _BLOCK], statements)
            table.look_up(self.session.store)
            for text, group in table.groups(self.layout):
                calls += 1
                n_input += estimate_input_tokens(self.layout.request(text, group))
                n_output += self.layout.output_tokens(len(group))
        usage = Usage(calls, n_input, 0, 0, n_output)
        return make_cost_estimate(self.session.model.price_per_million(), usage)

    def _ask(self, table):
        session = self.session
        if session.ledger.max_cost is not None:
            session.ledger.committed = self._jobs().worst_cost()
        with (
            session.open_dispatcher(proven=table.has_answers) as dispatcher,
            session.store.run() as claims,
        ):
            groups = list(table.groups(self.layout))
            progress = ProgressLog(session, len(groups))
            others = OtherRuns(session)
            unusable = UnusableAnswers(session, is_of_use=table.has_answers)
            while groups:
                busy = []

                def work(job):
                    unusable.check(self._ask_group(job, dispatcher, claims, table))
                    progress.step()

                dispatcher.run(self._claim(table, groups, claims, busy), work)
                if busy:
                    others.wait(sum(len(group) for _, group in busy))
                groups = busy

    def _claim(self, table, groups, claims, busy):
        """Yield jobs of cells that no other run is asking for.

        Cells are claimed shortly before they are asked for, so that several
        processes share the work. Those of others are put into `busy`.
        """
        size = 4 * self.session.n_workers
        jobs = self._jobs()
        for start in range(0, len(groups), size):
            chunk = groups[start : start + size]
            claimed = claims.claim(
                [table.key(text, s) for text, group in chunk for s in group]
            )
            self.session.ledger.count_cached(len(claimed.answered))
            table.settle_all(claimed.answered)
            mine, others = set(claimed.mine), set(claimed.busy)
            # another process may have submitted some since they were looked up
            submitted = mine & jobs.newly_pending_keys()
            if submitted:
                raise self._pending_error(len(submitted))
            for text, group in chunk:
                waiting = [s for s in group if table.key(text, s) in others]
                if waiting:
                    busy.append((text, waiting))
                ours = [s for s in group if table.key(text, s) in mine]
                if ours:
                    yield text, ours

    def _ask_group(self, job, dispatcher, claims, table):
        """Ask a group, store each answer when it is there, and return the outcomes."""
        text, group = job
        outcomes = []
        for answers in ask_cells(dispatcher, self.layout, text, group):
            found, unanswered = {}, []
            for statement, answer in answers.items():
                key = table.key(text, statement)
                if answer.outcome == ANSWERED:
                    found[key] = {"value": answer.value, "model": answer.version}
                else:
                    unanswered.append(key)
                    table.give_up(key, answer.outcome, answer.detail)
            if found:
                claims.put(found)
                table.settle_all(found)
            if unanswered:
                claims.release(unanswered)
            outcomes += [answer.outcome for answer in answers.values()]
        return outcomes


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
            MissingCell(row, column, *self._reasons.get(key, unknown))
            for row, column, key in self._cells()
            if key is not None and key not in self._values
        ]
