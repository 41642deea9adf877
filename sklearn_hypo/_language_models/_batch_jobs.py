"""Annotation in batches: submit, leave, and collect, perhaps in another process.

What a job will answer is written down, beside the answers, before the job is
submitted: by hashes, without texts. If the process dies before it has noted the
vendor's name of the job, the job is found again by the tag that it carries, on a list
of all jobs. Whoever submits or collects a job holds the claim on its tag meanwhile.
"""

import contextlib
import logging
import time
import uuid
from typing import NamedTuple

from .._utils._warnings import warn
from ..exceptions import BudgetError, LanguageModelError
from ._addresses import normalize_address
from ._answers import KeyMaker
from ._cell_table import make_answer
from ._layouts import PROBABILITIES, Layout
from ._session import OtherRuns
from ._values import ANSWERED

logger = logging.getLogger("sklearn_hypo")

_KIND = "batch"

# How long a request to make a job may be under way after the process that sent it has
# died, and the job not be on the vendor's list after that. Only then is it lost.
_ARRIVAL_SECONDS = 120.0

# Reasons of errors by which the vendor says that there is no job.
_NO_JOB = ("authentication", "quota", "model", "request")


class CollectedBatches(NamedTuple):
    """What `collect` found.

    Attributes
    ----------
    n_answers : int
        Answers that were taken over into the cache.
    n_unanswered : int
        Cells of finished jobs that came back without an answer. They can be
        submitted again, or asked at once.
    pending : list of str
        Jobs that are not finished.
    """

    n_answers: int
    n_unanswered: int
    pending: list


class BatchJobs:
    """The batch jobs of one model in one store; a Session says which."""

    def __init__(self, session, layout):
        self.session = session
        self.layout = layout
        self._seen = set()

    def records(self):
        """Return what is known of the jobs of this model that are not collected."""
        return {
            tag: record
            for tag, record in self.session.store.records(_KIND).items()
            if self._is_of_model(record["whom"])
        }

    def pending_keys(self):
        """Return the keys of all cells that jobs will answer."""
        return {
            bytes.fromhex(key)
            for record in self.records().values()
            for keys in record["requests"].values()
            for key in keys
        }

    def newly_pending_keys(self):
        """Return `pending_keys` if there are other jobs than at the last call."""
        names = self.session.store.record_names(_KIND)
        if names <= self._seen:
            return set()
        self._seen |= names
        return self.pending_keys()

    def worst_cost(self):
        """Return the most that jobs which are not collected may cost, in dollars."""
        return sum(record["most"] for record in self.records().values())

    def submit(self, table):
        """Submit the open cells of a CellTable; return the vendor's names of the jobs.

        Answers in the store are taken over by the table already.
        """
        self._check()
        names = []
        with (
            self.session.open_dispatcher() as dispatcher,
            self.session.store.run() as claims,
        ):
            self._settle_unnamed(dispatcher, claims)
            mine = self._unclaimed(table, claims)
            requests = self._build_requests(table, mine, dispatcher)
            self._check_budget(requests)
            for part in self._divide(requests, dispatcher):
                names.append(self._submit_part(part, dispatcher, claims))
        return names

    def collect(self):
        """Take over the answers of finished jobs; return CollectedBatches."""
        n_found = n_cells = 0
        pending = []
        tags = list(self.records())
        if tags:
            self._check()
            with (
                self.session.open_dispatcher() as dispatcher,
                self.session.store.run() as claims,
            ):
                for tag in tags:
                    with self._hold(tag, claims) as (record, is_mine):
                        if record is None:  # another process has collected it
                            continue
                        fetched = None
                        if is_mine:
                            fetched = self._fetch(tag, record, dispatcher)
                        if fetched is None:
                            pending.append(record["job"] or tag)
                            continue
                        numbers = self._take_over(record, fetched, claims)
                        self._close(tag, record, dispatcher)
                    n_found, n_cells = n_found + numbers[0], n_cells + numbers[1]
        return CollectedBatches(n_found, n_cells - n_found, pending)

    @contextlib.contextmanager
    def _hold(self, tag, claims):
        """Hold the claim on a job, waiting while another process collects it.

        Yields the record of the job, and whether the claim could be had. It cannot
        while another process submits the job. The record is None if another process
        has collected the job meanwhile: its answers are in the store then.
        """
        others = OtherRuns(self.session)
        while True:
            is_mine = bool(claims.claim([_tag_key(tag)]).mine)
            record = self.records().get(tag)
            if is_mine or record is None or record["job"] is None:
                break
            others.wait(_count_cells(record))
        try:
            yield record, is_mine
        finally:
            if is_mine:
                claims.release([_tag_key(tag)])

    def _unclaimed(self, table, claims):
        """Claim the keys that have no answer, and that no job will answer.

        The order matters, as other processes submit and collect meanwhile: whoever
        gives up its claims has noted its job before, and whoever removes the note of
        a job has stored the answers before.
        """
        mine = set(claims.claim(table.open_keys()).mine)
        mine -= table.find_open(self.pending_keys())
        table.look_up()
        return mine & set(table.open_keys())

    def _settle_unnamed(self, dispatcher, claims):
        """Find out of jobs whose process died whether they were submitted."""
        for tag, known in self.records().items():
            if known["job"] is not None:
                continue
            with self._hold(tag, claims) as (record, is_mine):
                if record is None or not is_mine:
                    continue
                if self._identify(tag, record, dispatcher) == "lost":
                    self._close(tag, record, dispatcher)

    def _identify(self, tag, record, dispatcher):
        """Learn the vendor's name of a job; return "known", "on its way" or "lost".

        "on its way": the request may have been sent just before its process died, and
        still make a job. "lost": it never reached the vendor.
        """
        if record["job"] is None:
            record["job"] = dispatcher.call(lambda c: c.batches().find(tag))
            if record["job"] is None:
                age = time.time() - record.get("since", 0.0)
                return "on its way" if 0 <= age < _ARRIVAL_SECONDS else "lost"
            self.session.store.put_record(_KIND, tag, record)
        return "known"

    def _identify_model(self):
        model = self.session.model
        return [model.provider, normalize_address(model.server()), model.model]

    def _is_of_model(self, whom):
        provider, server, model = whom
        return [provider, normalize_address(server), model] == self._identify_model()

    def _check(self):
        if self.layout.name in PROBABILITIES:
            raise ValueError(
                f"layout={self.layout.name!r}: probabilities are not to be had in "
                "batches. Use layout='stacked' or 'single' to submit."
            )
        if self.session.model.batch_limits is None:
            raise ValueError(
                f"model={str(self.session.model)!r} takes no batches. Call annotate() "
                "to ask at once."
            )

    def _build_requests(self, table, mine, dispatcher):
        """Return (prompt, keys) of everything to be asked."""
        requests = []
        for text, group in table.groups():
            ours = [s for s in group if table.key(text, s) in mine]
            if ours:
                prompt = dispatcher.limit_answer(self.layout.request(text, ours))
                requests.append((prompt, [table.key(text, s) for s in ours]))
        return requests

    def _check_budget(self, requests):
        """Raise unless the worst case of this and all open jobs is within the cap."""
        ledger = self.session.ledger
        if ledger.max_cost is None:
            return
        most = self._worst_cost(requests)
        open_jobs = self.worst_cost()
        spent = ledger.budget.spent
        if spent + open_jobs + most > ledger.max_cost:
            raise BudgetError(
                f"max_cost={ledger.max_cost:g} dollars: the batch could cost "
                f"${most:.4f}, beside ${spent:.4f} spent and ${open_jobs:.4f} "
                "that open jobs may cost, so it was not submitted. Raise max_cost, set "
                "max_output_tokens= of the model, or submit fewer texts at once."
            )

    def _worst_cost(self, requests):
        return sum(self.session.ledger.worst_cost(prompt) for prompt, _ in requests) / 2

    def _divide(self, requests, dispatcher):
        """Yield ({name: keys}, written requests, most) within the vendor's limits."""
        max_requests, max_bytes = self.session.model.batch_limits
        batches = dispatcher.connection.batches()
        keys, written, most, size = {}, [], 0.0, 0
        for prompt, cells in requests:
            line = batches.write(f"r{len(written)}", prompt)
            n_bytes = len(line.encode()) + 1
            if written and (len(written) == max_requests or size + n_bytes > max_bytes):
                yield keys, written, most
                keys, written, most, size = {}, [], 0.0, 0
                line = batches.write("r0", prompt)
            keys[f"r{len(written)}"] = [key.hex() for key in cells]
            written.append(line)
            most += self._worst_cost([(prompt, cells)])
            size += n_bytes
        if written:
            yield keys, written, most

    def _submit_part(self, part, dispatcher, claims):
        keys, written, most = part
        tag = uuid.uuid4().hex
        claims.claim([_tag_key(tag)])  # while it is held, the job is being submitted
        layout = self.layout
        record = {
            "whom": self._identify_model(),
            "layout": [layout.name, layout.per_call, layout.seed],
            "requests": keys,
            "most": most,
            "since": time.time(),
            "job": None,
        }
        store = self.session.store
        store.put_record(_KIND, tag, record)
        attempts = iter(range(1_000_000))

        def submit(connection):
            batches = connection.batches()
            # after a failure, the job may be there all the same
            known = batches.find(tag) if next(attempts) else None
            return known or batches.submit(tag, written)

        try:
            record["job"] = dispatcher.call(submit)
        except LanguageModelError as error:
            # otherwise the job may be there all the same, and is looked for later
            if error.reason in _NO_JOB:
                self._close(tag, record, dispatcher)
            raise
        store.put_record(_KIND, tag, record)
        claims.release([_tag_key(tag)])
        return record["job"]

    def _fetch(self, tag, record, dispatcher):
        """Return what came of a job; None while it is not finished."""
        state = self._identify(tag, record, dispatcher)
        if state != "known":
            return {} if state == "lost" else None
        try:
            fetched = dispatcher.call(lambda c: c.batches().fetch(record["job"]))
        except LanguageModelError as error:
            if error.reason != "model":
                raise
            self._warn(record, "the provider does not know it any more")
            return {}
        if fetched.state == "pending":
            return None
        if fetched.state == "failed":
            self._warn(record, fetched.detail)
        return fetched.replies

    def _close(self, tag, record, dispatcher):
        """Forget a job, and have its texts deleted at the vendor, if that is possible.

        The note goes first: what the vendor does not delete is no reason to keep it.
        """
        self.session.store.delete_record(_KIND, tag)
        try:
            dispatcher.call(lambda c: c.batches().discard(record["job"], tag))
        except LanguageModelError as error:
            logger.warning("batch %s: %s", record["job"] or tag, error)

    def _warn(self, record, detail):
        warn(
            f"{self.session.parameter}: batch {record['job']} failed ({detail}). Its "
            "questions can be submitted again."
        )

    def _take_over(self, record, replies, claims):
        """Store the answers of a job; return how many, and of how many cells."""
        layout = Layout(*record["layout"])
        n_found = 0
        for name, keys in record["requests"].items():
            reply = replies.get(name)
            if reply is None:
                continue
            most = record["most"] / len(record["requests"])
            self.session.ledger.add_from_batch(reply.usage, most)
            self.session.ledger.note_versions([reply.version])
            if reply.outcome != ANSWERED:
                continue
            values = layout.read(reply, keys)
            found = {
                bytes.fromhex(key): make_answer(value, reply.version, keys)
                for key, value in zip(keys, values, strict=True)
                if value is not None
            }
            claims.put(found)
            n_found += len(found)
        return n_found, _count_cells(record)


def _count_cells(record):
    return sum(map(len, record["requests"].values()))


def _tag_key(tag):
    return KeyMaker({"task": "batch"})(tag)
