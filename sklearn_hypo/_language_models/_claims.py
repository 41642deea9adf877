"""Which annotation runs are alive, without clocks and process numbers.

A run holds a lock on a small file of its own. The operating system releases the lock
when the process dies, so whoever gets it knows that the run is over. Everything here
happens within a write transaction on the answers, so that no file is looked at
between its making and its locking.

The locks are POSIX advisory locks where there are such. A process loses them when it
opens and closes the file in any way but through the SQLite library, so these files
must not be read, and are not opened a second time by the process that holds them.
"""

import contextlib
import os
import re
import sqlite3
import uuid

from .._utils._sqlite import connect, is_busy

_NAME = re.compile(r"run-([0-9a-f]{32})\.sqlite3")

# The locks of this process, and those that a child of a fork finds here: the latter
# are its parent's, and it does not hold them.
_held = {}


class FileRuns:
    """The runs of all processes that use a CacheFile, beside which their locks are."""

    def __init__(self, file):
        self._file = file
        self._folder = file.folder

    def begin(self):
        """Return the name of a new run, which is alive from now on."""
        owner = uuid.uuid4().hex
        self._file.make_lock_file(self._path(owner))
        connection = connect(self._path(owner), 0, check_same_thread=False)
        try:
            _lock(connection)
        except BaseException:
            connection.close()
            raise
        _held[owner] = os.getpid(), connection
        return owner

    def end(self, owner):
        """Release the lock of a run of this process and remove its file."""
        _, connection = _held.pop(owner)
        connection.close()
        _remove(self._path(owner))

    def is_alive(self, owner):
        """Whether a run goes on; the file of one that does not is removed."""
        pid, connection = _held.get(owner, (None, None))
        if pid == os.getpid():
            return True
        if connection is not None:
            # Inherited over a fork: while it is open, SQLite takes the lock of the
            # parent for one of this process. Closing it does not release the
            # parent's: a process can only release its own.
            del _held[owner]
            connection.close()
        # Another name is none of ours, and no path is made of it.
        return bool(
            _NAME.fullmatch(_make_file_name(owner))
        ) and not self._remove_if_dead(owner)

    def remove_dead(self):
        """Remove the files of all runs that died; return their names."""
        names = map(_NAME.fullmatch, os.listdir(self._folder))
        owners = [name[1] for name in names if name]
        return [owner for owner in owners if not self.is_alive(owner)]

    def _remove_if_dead(self, owner):
        """Try to get the lock of a run. If that succeeds, the run is dead."""
        path = self._path(owner)  # made if it is not there, which says the same
        try:
            with contextlib.closing(connect(path, 0)) as connection:
                _lock(connection)
        except sqlite3.OperationalError as error:
            if is_busy(error):
                return False
            raise
        _remove(path)
        return True

    def _path(self, owner):
        return os.path.join(self._folder, _make_file_name(owner))


class MemoryRuns:
    """The runs on answers that are kept in memory, where no other process comes.

    In a child of a fork the runs of the parent are over: their answers cannot arrive.
    """

    def __init__(self):
        self._pids = {}

    def begin(self):
        """Return the name of a new run."""
        owner = uuid.uuid4().hex
        self._pids[owner] = os.getpid()
        return owner

    def end(self, owner):
        """Forget a run."""
        del self._pids[owner]

    def is_alive(self, owner):
        """Whether a run goes on in this process."""
        return self._pids.get(owner) == os.getpid()

    def remove_dead(self):
        """Return nothing: what the dead leave is cleared when it is met."""
        return []


def _lock(connection):
    """Take the lock without waiting. Nothing is written, so no journal is needed."""
    connection.execute("PRAGMA journal_mode=MEMORY")
    connection.execute("BEGIN EXCLUSIVE")


def _make_file_name(owner):
    return f"run-{owner}.sqlite3"


def _remove(path):
    # Absent: others removed it. Open elsewhere, as only Windows minds: it stays, and
    # the next run removes it.
    with contextlib.suppress(OSError):
        os.remove(path)
