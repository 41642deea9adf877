"""Cells of a table of texts and statements, answered: from the cache or by a model."""

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from .._utils._progress import show_progress
from .._utils._warnings import warn
from ..exceptions import BatchPendingError
from ._adaptation import ModelAdapted
from ._answers import KeyMaker
from ._asking import CellAsker
from ._batch_jobs import BatchJobs
from ._cell_table import CellTable, OtherKeys, make_answer
from ._layouts import STACKED, Layout
from ._ledger import estimate_input_tokens, make_cost_estimate
from ._served import warn_of_other_models
from ._session import OtherRuns, ProgressLog, Session
from ._unusable_answers import UnusableAnswers
from ._values import ANSWERED, Usage

# Format of keys and values. To be raised when either changes.
_FORMAT = 1

# Rows are dealt with in blocks, so that a million texts need no more memory.
_BLOCK = 20_000

# Records of the sizes of calls for which a cache has answers.
_SIZES = "concepts_per_call"


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
        blocks, missing, shares = [], [], {}
        for start in range(0, len(texts), _BLOCK):
            rows = slice(start, start + _BLOCK)
            wanted = None if where is None else where[rows]
            table = self._answer_block(texts[rows], statements, wanted)
            self.session.ledger.note_versions(table.versions)
            blocks.append(table.values())
            missing += [m._replace(text=m.text + start) for m in table.missing()]
            shares |= {start + row: s for row, s in table.shares_read().items()}
        warn_of_other_models(self.session.model, self.session.ledger)
        if shares:
            self._warn_of_shortened(shares, len(texts))
        if not blocks:
            return np.empty((0, len(statements))), missing
        return np.vstack(blocks), missing

    def _warn_of_shortened(self, shares, n_texts):
        warn(
            f"{self.session.caller}: {len(shares)} of {n_texts} texts "
            f"({len(shares) / n_texts:.0%}) are longer than {self.session.model} can "
            "take. They were shortened to what fits, the longest to "
            f"{min(shares.values()):.0%}, and judged by their beginning. Choose the "
            "length (max_words_per_example=), cut the texts into chunks "
            "(split_documents), or give the model a larger context (num_ctx of "
            "Ollama, --ctx-size of llama.cpp)."
        )

    def _answer_block(self, texts, statements, where):
        table = self._look_up(texts, statements, where)
        if table.open_keys():
            self._wait_for_batches(table)
        if table.open_keys():
            try:
                self._ask(table)
            except ModelAdapted:  # answers to what is sent now have other keys
                return self._answer_block(texts, statements, where)
        return table

    def _look_up(self, texts, statements, where=None):
        """Make a table with the answers that are in the store."""
        table = self._make_table(texts, statements, where)
        self.session.ledger.count_cached(table.look_up())
        return table

    def _make_table(self, texts, statements, where=None):
        store = self.session.store
        return CellTable(
            store,
            store.make_keys(self._identify(self.layout, self.session.identify_model())),
            list(self._other_keys()),
            self.layout,
            self.max_words,
            texts,
            statements,
            where,
        )

    def _identify(self, layout, model):
        return {
            "format": _FORMAT,
            "task": "annotation",
            **layout.identity(),
            **model,
        }

    def _other_keys(self):
        """Yield keys under which the same answers may be: see `OtherKeys`."""
        session, store = self.session, self.session.store
        for size in sorted(self._known_sizes() | {self.layout.per_call}):
            layout = self.layout.resized(size)
            if size != self.layout.per_call:
                identity = self._identify(layout, session.identify_model())
                yield OtherKeys(store.make_keys(identity), size)
            if store.folder is not None:
                identity = self._identify(layout, session.identify_model_formerly())
                yield OtherKeys(KeyMaker(identity), size)

    def _known_sizes(self):
        """Return of how many statements calls were whose answers may be stored."""
        if self.layout.name != "stacked":
            return {self.layout.per_call}  # it is no part of the keys
        names = self.session.store.record_names(_SIZES)
        return {STACKED, *(int(name) for name in names if name.isdecimal())}

    def _note_size(self):
        """Have later runs look for the answers that are asked for now."""
        size = self.layout.per_call
        if size not in self._known_sizes():
            self.session.store.put_record(_SIZES, str(size), {})

    def submit(self, texts, statements):
        """Submit the cells without an answer as batch jobs; see `BatchJobs.submit`."""
        self._note_size()
        return self._jobs().submit(self._look_up(texts, statements))

    def collect(self):
        """Take over the answers of finished batch jobs; see `BatchJobs.collect`."""
        return self._jobs().collect()

    def _jobs(self):
        return BatchJobs(self.session, self.layout)

    def _wait_for_batches(self, table):
        """Do not pay now for what a batch job will answer."""
        jobs = self._jobs()
        if not table.find_open(jobs.pending_keys()):
            return
        jobs.collect()
        self.session.ledger.count_cached(table.look_up())
        n_pending = len(table.find_open(jobs.pending_keys()))
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
            table.look_up()
            for text, group in table.groups():
                calls += 1
                n_input += estimate_input_tokens(self.layout.request(text, group))
                n_output += self.layout.output_tokens(len(group))
        usage = Usage(calls, n_input, 0, 0, n_output)
        return make_cost_estimate(self.session.model.price_per_million(), usage)

    def _ask(self, table):
        session = self.session
        self._note_size()
        if session.ledger.max_cost is not None:
            session.ledger.commit(self._jobs().worst_cost())
        with (
            session.open_dispatcher(proven=table.has_answers) as dispatcher,
            session.store.run() as claims,
            ExitStack() as shown,
        ):
            groups = list(table.groups())
            count = shown.enter_context(
                show_progress("questions", len(groups), unit=" calls")
            )
            progress = ProgressLog(session, len(groups))
            others = OtherRuns(session)
            unusable = UnusableAnswers(dispatcher, is_of_use=table.has_answers)
            asker = CellAsker(dispatcher, self.layout, unusable)
            while groups:
                busy = []

                def work(job):
                    self._ask_group(job, asker, claims, table)
                    progress.step()
                    count()

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

    def _ask_group(self, job, asker, claims, table):
        """Ask a group, and store each answer when it is there."""
        text, group = job
        for answers in asker.ask(text, group):
            found, unanswered = {}, []
            for statement, answer in answers.items():
                key = table.key(text, statement)
                if answer.outcome == ANSWERED:
                    found[key] = make_answer(
                        answer.value, answer.version, group, answer.share_read
                    )
                else:
                    unanswered.append(key)
                    table.give_up(key, answer.outcome, answer.detail)
            if found:
                claims.put(found)
                table.settle_all(found)
            if unanswered:
                claims.release(unanswered)
