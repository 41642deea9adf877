"""SQLite files of ours in a cache folder: made, locked, opened, shared by threads.

Whatever SQLite and the system report arrives as a `CacheError` that says what to do.
Nothing that is stored is deleted here.
"""

import contextlib
import errno
import os
import sqlite3
import stat
import threading
import time
import weakref
from typing import NamedTuple

from ..exceptions import CacheError

# "hypo" in ASCII: tells our files from the SQLite files of others.
APPLICATION_ID = 0x6879706F
KEYS_PER_QUERY = 500

# How long one attempt to get a file lock may take; attempts are repeated for ever,
# because whoever holds the lock may be busy for hours.
_ATTEMPT_SECONDS = 1.0
_BUSY_SECONDS = 60.0


# Rights of files: answers and vectors concern whoever paid for them.
_OWNER_ONLY = 0o600

_making = threading.Lock()


class FileFormat(NamedTuple):
    """What is in a file, and how messages speak of it.

    Attributes
    ----------
    name : str
        Of the file.
    version : int
        Of the tables; files of other versions are refused.
    tables : tuple of str
        The statements that make them, each harmless where the table exists.
    cache, content : str
        As in "The embedding cache" and "its vectors".
    """

    name: str
    version: int
    tables: tuple
    cache: str
    content: str


class CacheFile:
    """One SQLite file of ours in a cache folder.

    Parameters
    ----------
    folder : str or path-like
        Made if it does not exist.
    format : FileFormat
        The file is made if it does not exist.

    Raises
    ------
    CacheError
        If the folder cannot be made or written to, if the disk is full, and if the
        file in it is damaged, foreign, or of another version. Nothing is deleted.
    """

    def __init__(self, folder, format):
        self.folder = os.path.abspath(os.path.expanduser(os.fspath(folder)))
        self._format = format
        self._path = os.path.join(self.folder, format.name)
        self._prepare()

    def connect(self, **options):
        """Return a new connection; the caller closes it."""
        with self.explain_errors():
            connection = connect(self._path, **options)
            try:
                # A killed process loses nothing that was committed; only a power
                # failure could lose the last commits, and the file stays intact.
                connection.execute("PRAGMA synchronous=NORMAL")
            except BaseException:
                connection.close()
                raise
        return connection

    @contextlib.contextmanager
    def file_lock(self, name):
        """Hold a lock on a file of its own in the folder, waiting for it if need be.

        The operating system releases it when its holder dies.
        """
        path = os.path.join(self.folder, name)
        with self.explain_errors():
            self.make_lock_file(path)
            connection = connect(path, _ATTEMPT_SECONDS)
        with contextlib.closing(connection):
            with self.explain_errors():
                _begin_exclusive(connection)
            yield  # closing the connection ends the transaction

    def make_lock_file(self, path):
        """Make an empty file, for whoever may write to the file of the cache."""
        try:
            mode = os.stat(self._path).st_mode
        except FileNotFoundError:
            mode = _OWNER_ONLY
        make_file(path, mode & 0o666)

    @contextlib.contextmanager
    def explain_errors(self):
        """Turn what SQLite and the system report into an error that says what to do."""
        try:
            yield
        except CacheError:
            raise
        except (sqlite3.Error, OSError) as error:
            raise CacheError(
                f"The {self._format.cache} in {self.folder!r} "
                f"{_explain(error, self._format.name)} Nothing in it was deleted. "
                f"The system reported: {error}"
            ) from error

    def _prepare(self):
        """Make the folder and the file, or check that the file is one of ours."""
        with self.explain_errors():
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        if not os.path.exists(self._path):
            with self.file_lock("lock-setup.sqlite3"), self.explain_errors():
                if not os.path.exists(self._path):
                    # Renamed when it is complete, so that no other process ever
                    # sees a file that is neither absent nor ready.
                    _create(self._path + ".new", self._format)
                    os.rename(self._path + ".new", self._path)
        self._check_version()
        self._close_to_readers()

    def _close_to_readers(self):
        """Take from others the right to read a file that they may not write to.

        Earlier releases made files as everybody may read them. Who shares a cache with
        a group has given it the right to write, which SQLite needs even for reading.
        """
        for end in ("", "-wal", "-shm"):
            # Absent, or somebody else's.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                mode = stat.S_IMODE(os.stat(self._path + end).st_mode)
                closed = mode
                for everything, write in ((0o070, 0o020), (0o007, 0o002)):
                    if not mode & write:
                        closed &= ~everything
                if closed != mode:
                    os.chmod(self._path + end, closed)

    def _check_version(self):
        with (
            self.explain_errors(),
            contextlib.closing(connect(self._path)) as connection,
        ):
            application = _read_value(connection, "PRAGMA application_id")
            version = _read_value(connection, "PRAGMA user_version")
        if (application, version) != (APPLICATION_ID, self._format.version):
            raise CacheError(self._version_message(application, version))

    def _version_message(self, application, version):
        if application == APPLICATION_ID:
            found = (
                f"was written by another version of sklearn_hypo (format {version}; "
                f"this version reads format {self._format.version})"
            )
        else:
            found = "is an SQLite file of another program"
        return (
            f"The {self._format.cache} cannot be used: {self._format.name} in "
            f"{self.folder!r} {found}. It was left as it is. Choose another folder, "
            f"or move the file away if its {self._format.content} are no longer "
            "needed."
        )


class SharedConnection:
    """One connection for all threads of a process, used by one at a time.

    No connection may cross a fork: in the child, SQLite would believe in locks that
    only the parent holds. So it is closed before a fork, which waits for a
    transaction that is under way, and is opened again where it is needed.

    Parameters
    ----------
    file : CacheFile
        Which file.
    """

    def __init__(self, file):
        self._file = file
        self._lock = threading.Lock()
        self._connection = None
        self._users = 0
        with _fork_lock:
            _shared_connections.add(self)

    @contextlib.contextmanager
    def keep_open(self):
        """Keep the connection open meanwhile, for the calls that follow."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                self._close_if_unused()

    @contextlib.contextmanager
    def reading(self):
        """Have the connection for oneself. Errors are explained."""
        with self._lock, self._explain_errors():
            if self._connection is None:
                self._connection = self._open()
            try:
                yield self._connection
            finally:
                self._close_if_unused()

    @contextlib.contextmanager
    def writing(self, durable=False):
        """The same within one transaction.

        With `durable=True` it is on the disk itself when the block ends, and so
        survives a power failure.
        """
        with self.reading() as connection:
            if durable:
                connection.execute("PRAGMA synchronous=FULL")
            try:
                with transaction(connection):
                    yield connection
            finally:
                if durable:
                    connection.execute("PRAGMA synchronous=NORMAL")

    def _explain_errors(self):
        return self._file.explain_errors()

    def _open(self):
        return self._file.connect(check_same_thread=False)

    def _close_if_unused(self):
        if not self._users:
            self._close()

    def _close(self):
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class MemoryConnection(SharedConnection):
    """The same for tables in memory, which a child of a fork has a copy of.

    Parameters
    ----------
    format : FileFormat
        The tables.
    """

    def __init__(self, format):
        super().__init__(None)
        self._connection = connect(":memory:", check_same_thread=False)
        for statement in format.tables:
            self._connection.execute(statement)

    def _explain_errors(self):
        return contextlib.nullcontext()

    def _close(self):
        """Do nothing: the tables would be gone."""


_shared_connections = weakref.WeakSet()
_paused = []
_fork_lock = threading.Lock()


def _before_fork():
    _fork_lock.acquire()
    for shared in list(_shared_connections):
        shared._lock.acquire()
        _paused.append(shared)
        shared._close()


def _after_fork():
    while _paused:
        _paused.pop()._lock.release()
    _fork_lock.release()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )


def make_file(path, mode=_OWNER_ONLY):
    """Make an empty file, with these rights, unless there is one.

    One that is there is not opened: closing it would release the locks that another
    thread holds on it, see `_language_models._claims`.
    """
    with _making, contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ONLY)
        os.close(descriptor)
        if mode != _OWNER_ONLY:
            os.chmod(path, mode)


def connect(path, timeout=_BUSY_SECONDS, **options):
    """Open a file without reading it, so that a locked one is opened, too."""
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, **options)


@contextlib.contextmanager
def transaction(connection):
    """Write in one piece: all of it is stored when the block ends, or nothing."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back already where the disk is full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def look_up(connection, query, keys):
    """Run a query of pairs for any number of keys; ``{}`` in it is their place.

    Returns
    -------
    found : dict
        First column to second column.
    """
    found = {}
    for start in range(0, len(keys), KEYS_PER_QUERY):
        chunk = keys[start : start + KEYS_PER_QUERY]
        marks = ",".join("?" * len(chunk))
        found.update(connection.execute(query.format(marks), chunk))
    return found


def is_read_only(error):
    """Whether an error says that nothing can be written."""
    return _read_code(error) == sqlite3.SQLITE_READONLY


def is_busy(error):
    """Whether somebody else holds the lock that was asked for."""
    return _read_code(error) == sqlite3.SQLITE_BUSY


def _create(path, format):
    """Make an empty file; one that a killed process began is completed."""
    try:
        _fill(path, format, "WAL")
    except sqlite3.OperationalError:
        # Write-ahead mode needs shared memory, which network file systems lack. If
        # the trouble is another one, it comes up again.
        for end in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(path + end)
        _fill(path, format, "DELETE")


def _fill(path, format, journal_mode):
    make_file(path)
    with contextlib.closing(connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal_mode}")
        with transaction(connection):
            for statement in format.tables:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={format.version}")


def _begin_exclusive(connection):
    """Wait for the lock, however long it takes."""
    while True:
        try:
            connection.execute("BEGIN EXCLUSIVE")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            time.sleep(0.01)


def _read_value(connection, query):
    return connection.execute(query).fetchone()[0]


def _read_code(error):
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _explain(error, name):
    """Say what an error means and what to do about it."""
    code = _read_code(error)
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
        return (
            "could not be written: the disk is full. Make room or choose a folder on "
            "another disk, and run again; what was stored before is kept."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return (
            f"cannot be read: {name} or a lock file is damaged or is not an "
            "SQLite file. Choose another folder, or move the file away."
        )
    if code == sqlite3.SQLITE_BUSY:
        return (
            f"stayed locked for {_BUSY_SECONDS:g} seconds. Close the program that "
            f"holds {name} open (a database browser, a backup, a stopped process), "
            "and run again."
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
