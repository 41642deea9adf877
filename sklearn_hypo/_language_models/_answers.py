"""A store of paid answers, shared by threads, processes and runs that come later.

One SQLite file holds, under the hash of all that changes an answer, the answer as
JSON. An answer that is stored never changes. Before a question is asked it is
claimed, so that two runs at once never pay for the same one; the claims of a run that
died are taken over by whoever meets them. Neither texts nor keys of providers are
written: only hashes and the JSON that is handed in. A random salt, of this cache alone,
is part of the hashes, so that no list of hashes of guessed texts fits several caches.
"""

import contextlib
import hashlib
import json
import os
import secrets
import threading
from typing import NamedTuple

from .._utils._sqlite import (
    CacheFile,
    FileFormat,
    MemoryConnection,
    SharedConnection,
    is_read_only,
    look_up,
    transaction,
)
from ..exceptions import CacheError
from ._claims import FileRuns, MemoryRuns

FILE_NAME = "answers.sqlite3"

_FORMAT = FileFormat(
    name=FILE_NAME,
    version=1,
    tables=(
        "CREATE TABLE IF NOT EXISTS answers "
        "(key BLOB PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS claims "
        "(key BLOB PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS records "
        "(kind TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, name))",
    ),
    cache="answer cache",
    content="answers",
)

_SALT = "salt"

_ANSWERS = "SELECT key, value FROM answers WHERE key IN ({})"
_OWNERS = "SELECT key, owner FROM claims WHERE key IN ({})"


class ClaimResult(NamedTuple):
    """What became of the keys that a run asked for; each is in one place.

    Attributes
    ----------
    answered : dict of bytes to JSON value
        Those with an answer.
    mine : list of bytes
        Those that nobody asks for: the caller does so now, and then puts or releases
        them.
    busy : list of bytes
        Those that another process, or another thread of this run, asks for at this
        moment. Claim them again after a while: by then they are answered, or free.
    """

    answered: dict
    mine: list
    busy: list


class AnswerStore:
    """The answers in a cache folder, or in memory.

    Parameters
    ----------
    folder : str, path-like or None
        Made if it does not exist. None keeps the answers in memory, for this object
        only. A folder on a network file system works if it supports POSIX locks, but
        slowly.
    """

    def __init__(self, folder):
        if folder is None:
            self.folder = None
            self._runs = MemoryRuns()
            self._database = MemoryConnection(_FORMAT)
        else:
            file = CacheFile(folder, _FORMAT)
            self.folder = file.folder
            self._runs = FileRuns(file)
            self._database = SharedConnection(file)
        self._salt = None

    def make_keys(self, identity):
        """Return the KeyMaker of an identity in this cache."""
        if self._salt is None:
            self._salt = b"" if self.folder is None else self._open_salt()
        return KeyMaker(identity, self._salt)

    def _open_salt(self):
        """Read the salt; the first who needs it makes it, for all processes."""
        found = self.records(_SALT)
        if not found:
            row = _SALT, "", _dumps(secrets.token_hex(32))
            try:
                with self._database.writing(durable=True) as connection:
                    connection.execute(
                        "INSERT OR IGNORE INTO records VALUES (?, ?, ?)", row
                    )
            except CacheError as error:
                if not is_read_only(error.__cause__):
                    raise
                return b""  # nothing can be stored, and former answers have none
            found = self.records(_SALT)
        return bytes.fromhex(found[""])

    def get(self, keys):
        """Return the answers that are stored, by key, in the order of the keys."""
        keys = list(dict.fromkeys(keys))
        with self._database.reading() as connection:
            found = look_up(connection, _ANSWERS, keys)
        return self._decode(keys, found)

    def take_over(self, other_keys, is_fit=None):
        """Return answers that are stored under other keys, and store them under these.

        Parameters
        ----------
        other_keys : dict of bytes to bytes
            From keys to those under which the same answer may be.
        is_fit : callable, default=None
            Whether an answer is of use.
        """
        stored = self.get(other_keys.values())
        found = {
            key: stored[other]
            for key, other in other_keys.items()
            if other in stored and (is_fit is None or is_fit(stored[other]))
        }
        # Where that cannot be written, they are found again the next time.
        with contextlib.suppress(CacheError):
            if found:
                self._copy(found)
        return found

    def _copy(self, answers):
        rows = [(key, _dumps(value)) for key, value in answers.items()]
        with self._database.writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", rows)

    @contextlib.contextmanager
    def run(self):
        """Begin an AnswerRun: one piece of work of one process, with its threads.

        Whatever it has claimed and not answered is given up at the end.
        """
        with self._database.keep_open():
            run = AnswerRun(self)
            try:
                yield run
            except BaseException:
                # That error is the one to report. Where answers could not be
                # stored, it is the same one again.
                with contextlib.suppress(CacheError):
                    run._end()
                raise
            run._end()

    def put_record(self, kind, name, value):
        """Store a small JSON value, such as the state of a batch job, for good.

        A record of that kind and name is replaced. Unlike an answer it also survives
        a power failure: the job may be the only trace of money spent.
        """
        row = kind, name, _dumps(value)
        with self._database.writing(durable=True) as connection:
            connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", row)

    def records(self, kind):
        """Return the records of a kind: name to JSON value, ordered by name."""
        query = "SELECT name, value FROM records WHERE kind = ? ORDER BY name"
        with self._database.reading() as connection:
            found = dict(connection.execute(query, [kind]))
        return self._decode(found, found)

    def record_names(self, kind):
        """Return the names of the records of one kind, as a set."""
        query = "SELECT name FROM records WHERE kind = ?"
        with self._database.reading() as connection:
            return {name for (name,) in connection.execute(query, [kind])}

    def delete_record(self, kind, name):
        """Remove a record; one that is not there is no error."""
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "DELETE FROM records WHERE kind = ? AND name = ?", (kind, name)
            )

    def _decode(self, keys, found):
        try:
            return {key: json.loads(found[key]) for key in keys if key in found}
        except ValueError as error:
            raise self.damage(f"a value that is not JSON ({error})") from error

    def damage(self, what):
        """Return the error that the cache holds what was never written into it."""
        return CacheError(
            f"The answer cache in {self.folder!r} is damaged: {FILE_NAME} holds "
            f"{what}. Nothing in it was deleted. Choose another folder, or move the "
            "file away."
        )


class AnswerRun:
    """One run on a store, made by `AnswerStore.run`. Its threads share it.

    A process that was forked off does not: every method raises RuntimeError there.
    """

    def __init__(self, store):
        self._store = store
        self._database = store._database
        self._runs = store._runs
        self._pid = os.getpid()
        self._unsaved = {}
        self._unsaved_lock = threading.Lock()
        self._owner = None
        try:
            with self._database.writing() as connection:
                _drop_claims(connection, self._runs.remove_dead())
                self._owner = self._runs.begin()
        except BaseException:
            if self._owner is not None:
                self._runs.end(self._owner)
            raise

    def claim(self, keys):
        """Look keys up, and claim those that have no answer and nobody asks for.

        Returns a ClaimResult in the order of the keys; one that is there twice counts
        once.
        """
        self._check_process()
        keys = list(dict.fromkeys(keys))
        with self._database.reading() as connection:
            found = look_up(connection, _ANSWERS, keys)
        mine, busy = [], []
        if len(found) < len(keys):  # else nobody needs to be kept from writing
            with self._database.writing() as connection:
                missing = [key for key in keys if key not in found]
                found |= look_up(connection, _ANSWERS, missing)
                missing = [key for key in missing if key not in found]
                mine, busy = self._claim_missing(connection, missing)
        return ClaimResult(self._store._decode(keys, found), mine, busy)

    def _claim_missing(self, connection, keys):
        owners = look_up(connection, _OWNERS, keys)
        alive = set(filter(self._runs.is_alive, set(owners.values())))
        _drop_claims(connection, set(owners.values()) - alive)
        mine = [key for key in keys if owners.get(key) not in alive]
        busy = [key for key in keys if owners.get(key) in alive]
        connection.executemany(
            "INSERT INTO claims VALUES (?, ?)", [(key, self._owner) for key in mine]
        )
        return mine, busy

    def put(self, answers):
        """Store answers by key, and release the claims; a stored answer never changes.

        They are on disk when this returns. Where it raises, they are kept and tried
        again with the next ones and at the end of the run.
        """
        self._check_process()
        rows = {key: _dumps(value) for key, value in answers.items()}
        with self._unsaved_lock:
            self._unsaved = rows | self._unsaved
        self._save()

    def _save(self):
        """Store what all threads have handed in so far, in one transaction."""
        with self._database.reading() as connection:
            with self._unsaved_lock:
                rows = dict(self._unsaved)
            if not rows:  # another thread has stored those of this one
                return
            with transaction(connection):
                connection.executemany(
                    "INSERT OR IGNORE INTO answers VALUES (?, ?)", rows.items()
                )
                connection.executemany(
                    "DELETE FROM claims WHERE key = ?", [(key,) for key in rows]
                )
            with self._unsaved_lock:
                for key in rows:
                    del self._unsaved[key]

    def release(self, keys):
        """Give up claims of this run without an answer; others are left alone."""
        self._check_process()
        rows = [(key, self._owner) for key in keys]
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM claims WHERE key = ? AND owner = ?", rows
            )

    def _end(self):
        if os.getpid() != self._pid:
            return  # the run is the parent's and goes on there
        try:
            self._save()
            # What is not released now is the claim of a dead run, which costs the
            # next one a look at a file and nothing else.
            with contextlib.suppress(CacheError), self._database.writing() as one:
                _drop_claims(one, [self._owner])
        finally:
            self._runs.end(self._owner)

    def _check_process(self):
        if os.getpid() != self._pid:
            raise RuntimeError(
                "A run on the answer cache cannot be used in a process that was "
                "forked off during the run. Open the cache in that process "
                "(AnswerStore(folder).run())."
            )


def _drop_claims(connection, owners):
    connection.executemany(
        "DELETE FROM claims WHERE owner = ?", [(owner,) for owner in owners]
    )


def _dumps(value):
    return json.dumps(value, ensure_ascii=True, sort_keys=True)


class KeyMaker:
    """Makes the keys of answers: hashes of an identity and of parts of a question.

    Parameters
    ----------
    identity : dict
        All that changes the answers and is the same for many of them: provider,
        model, prompt, parameters that are sent. It is written as JSON, in which the
        order of its items does not matter.
    salt : bytes, default=b""
        That of the cache; see `AnswerStore.make_keys`. Caches of earlier releases have
        none.

    Examples
    --------
    >>> from sklearn_hypo._language_models._answers import KeyMaker
    >>> key = KeyMaker({"model": "m", "temperature": 0.0})
    >>> key("a text", "a statement").hex()[:16]
    '97b9b9b4ccde61be'
    >>> key("a text", "a statement") == key("a texta ", "statement")
    False
    """

    def __init__(self, identity, salt=b""):
        self._hash = hashlib.sha256(salt)
        canonical = json.dumps(identity, sort_keys=True, ensure_ascii=True)
        self._hash.update(_prefix_length(canonical))

    def __call__(self, *parts):
        """Return the SHA-256 of the identity and of texts in an order that matters."""
        digest = self._hash.copy()
        digest.update(b"".join(map(_prefix_length, parts)))
        return digest.digest()


def _prefix_length(text):
    """Put the length before a text, so that no two lists of texts look the same."""
    data = text.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(8, "big") + data
