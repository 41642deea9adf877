"""A store of vectors on disk, shared by folds, candidates, threads and processes.

One SQLite file in write-ahead mode holds the vectors of all models; the key of a
vector is a hash of the identity of its model and of the full text. Nothing in it is
ever deleted or overwritten. Connections live as long as one call: they never cross a
thread or a fork, and no estimator holds one.
"""

import contextlib
import errno
import hashlib
import json
import os
import sqlite3
import time

import numpy as np

from .exceptions import CacheError

SCHEMA_VERSION = 1
# "hypo" in ASCII: tells our files from the SQLite files of others.
APPLICATION_ID = 0x6879706F
FILE_NAME = "embeddings.sqlite3"

_DTYPE = np.dtype("<f4")
_KEYS_PER_QUERY = 500
# How long one attempt to get a lock may take; attempts are repeated for ever,
# because whoever holds the lock may be encoding for hours.
_ATTEMPT_SECONDS = 1.0
_BUSY_SECONDS = 60.0


class VectorStore:
    """The vectors of one model in a cache folder.

    Parameters
    ----------
    folder : str or path-like
        Made if it does not exist. It must be on a local disk: SQLite's write-ahead
        mode does not work on network file systems.
    identity : dict
        What tells the model from any other; written as JSON it is part of the key.

    Raises
    ------
    CacheError
        If the folder cannot be made or written to, if the disk is full, and if the
        file in it is damaged, foreign, or of another version. Nothing is deleted.
    """

    def __init__(self, folder, identity):
        self.folder = os.path.abspath(os.path.expanduser(os.fspath(folder)))
        canonical = json.dumps(identity, sort_keys=True, ensure_ascii=True)
        self._model_hash = hashlib.sha256(canonical.encode())
        self._path = os.path.join(self.folder, FILE_NAME)
        self._prepare()

    def key(self, text):
        """Return the 32 bytes under which the vector of a text is stored."""
        digest = self._model_hash.copy()
        digest.update(b"\0" + text.encode("utf-8", "surrogatepass"))
        return digest.digest()

    @contextlib.contextmanager
    def open(self):
        """Open the store for one call; the connection is closed at the end."""
        with self._explained():
            connection = _connect(self._path)
        with contextlib.closing(connection):
            with self._explained():
                # A killed process loses nothing that was committed; only a power
                # failure could lose the last batches, and the file stays intact.
                connection.execute("PRAGMA synchronous=NORMAL")
            yield _OpenStore(self, connection)

    @contextlib.contextmanager
    def lock(self):
        """Hold the lock of this model in this folder: one holder on this machine.

        The operating system releases it when its holder dies. Other models are not
        kept waiting, and neither are readers.
        """
        name = self._model_hash.hexdigest()[:16]
        with self._file_lock(f"lock-{name}.sqlite3"):
            yield

    @contextlib.contextmanager
    def _file_lock(self, name):
        with self._explained():
            connection = _connect(os.path.join(self.folder, name), _ATTEMPT_SECONDS)
        with contextlib.closing(connection):
            with self._explained():
                _begin_exclusive(connection)
            yield  # closing the connection ends the transaction

    def _prepare(self):
        """Make the folder and the file, or check that the file is one of ours."""
        with self._explained():
            os.makedirs(self.folder, exist_ok=True)
        if not os.path.exists(self._path):
            with self._file_lock("lock-setup.sqlite3"), self._explained():
                if not os.path.exists(self._path):
                    # Renamed when it is complete, so that no other process ever
                    # sees a file that is neither absent nor ready.
                    _create(self._path + ".new")
                    os.rename(self._path + ".new", self._path)
        self._check_version()

    def _check_version(self):
        with self._explained(), contextlib.closing(_connect(self._path)) as connection:
            application = _value(connection, "PRAGMA application_id")
            version = _value(connection, "PRAGMA user_version")
        if application != APPLICATION_ID or version != SCHEMA_VERSION:
            raise CacheError(self._version_message(application, version))

    def _version_message(self, application, version):
        if application == APPLICATION_ID:
            found = (
                f"was written by another version of sklearn_hypo (format {version}; "
                f"this version reads format {SCHEMA_VERSION})"
            )
        else:
            found = "is an SQLite file of another program"
        return (
            f"The embedding cache cannot be used: {FILE_NAME} in {self.folder!r} "
            f"{found}. It was left as it is. Choose another folder, or move the file "
            "away if its vectors are no longer needed."
        )

    @contextlib.contextmanager
    def _explained(self):
        """Turn what SQLite and the system report into an error that says what to do."""
        try:
            yield
        except CacheError:
            raise
        except (sqlite3.Error, OSError) as error:
            raise CacheError(
                f"The embedding cache in {self.folder!r} {_explain(error)} Nothing in "
                f"it was deleted. The system reported: {error}"
            ) from error


class _OpenStore:
    """A store and its connection, within one call."""

    def __init__(self, store, connection):
        self._store = store
        self._connection = connection

    def get(self, texts):
        """Look texts up.

        Parameters
        ----------
        texts : list of str
            Distinct texts.

        Returns
        -------
        positions : ndarray of shape (n_found,)
            Which of the texts are stored, ascending.
        vectors : ndarray of shape (n_found, n_features), dtype float32
            Their vectors. Shape (0, 0) if there is none.
        """
        keys = [self._store.key(text) for text in texts]
        with self._store._explained():
            found = self._read(keys)
        positions = [i for i, key in enumerate(keys) if key in found]
        blobs = [found[keys[i]] for i in positions]
        if len({len(blob) for blob in blobs}) > 1:
            raise CacheError(
                f"The embedding cache in {self._store.folder!r} holds vectors of "
                "different widths for one model, so the model must have changed "
                "without changing its name. Choose another folder."
            )
        values = np.frombuffer(b"".join(blobs), dtype=_DTYPE).astype(np.float32)
        width = len(blobs[0]) // _DTYPE.itemsize if blobs else 0
        return np.array(positions, dtype=np.intp), values.reshape(len(blobs), width)

    def _read(self, keys):
        found = {}
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            chunk = keys[start : start + _KEYS_PER_QUERY]
            marks = ",".join("?" * len(chunk))
            query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"
            found.update(self._connection.execute(query, chunk))
        return found

    def put(self, texts, vectors):
        """Store vectors, row for row, in one transaction that is committed at once.

        Parameters
        ----------
        texts : list of str
            Distinct texts.
        vectors : ndarray of shape (n_texts, n_features)
            Stored as little-endian float32. A text that is there already keeps its
            vector.
        """
        blobs = np.ascontiguousarray(vectors, dtype=_DTYPE)
        rows = [
            (self._store.key(text), blob.tobytes())
            for text, blob in zip(texts, blobs, strict=True)
        ]
        with self._store._explained(), _transaction(self._connection):
            self._connection.executemany(
                "INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows
            )


def _connect(path, timeout=_BUSY_SECONDS):
    """Open a file without reading it, so that a locked one is opened, too."""
    return sqlite3.connect(path, timeout=timeout, isolation_level=None)


def _create(path):
    """Make an empty store; one that a killed process began is completed."""
    with contextlib.closing(_connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        with _transaction(connection):
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)"
            )
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


@contextlib.contextmanager
def _transaction(connection):
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # SQLite has rolled back already where the disk is full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _begin_exclusive(connection):
    """Wait for the lock, however long it takes."""
    while True:
        try:
            connection.execute("BEGIN EXCLUSIVE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.01)


def _value(connection, query):
    return connection.execute(query).fetchone()[0]


def _explain(error):
    """Say what an error means and what to do about it."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
        return (
            "could not be written: the disk is full. Make room or choose a folder on "
            "another disk, and run again; what was stored before is kept."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return (
            f"cannot be read: {FILE_NAME} or a lock file is damaged or is not an "
            "SQLite file. Choose another folder, or move the file away."
        )
    if isinstance(error, OSError) or code in (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_IOERR,
    ):
        return (
            "cannot be used: the folder cannot be made, read or written to. Check "
            "the path and its permissions, or choose another folder (cache=...)."
        )
    return "cannot be used. Choose another folder (cache=...)."
