"""A store of vectors on disk, shared by folds, candidates, threads and processes.

One SQLite file in write-ahead mode holds the vectors of all models; the key of a
vector is a hash of the identity of its model and of the full text. Nothing in it is
ever deleted or overwritten. Connections live as long as one call: they never cross a
thread or a fork, and no estimator holds one.
"""

import contextlib
import hashlib
import json

import numpy as np

from .._utils._sqlite import CacheFile, FileFormat, look_up, transaction
from ..exceptions import CacheError

FILE_NAME = "embeddings.sqlite3"

_DTYPE = np.dtype("<f4")
_FORMAT = FileFormat(
    name=FILE_NAME,
    version=1,
    tables=("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)",),
    cache="embedding cache",
    content="vectors",
)


class VectorKeys:
    """Makes the 32 bytes under which the vector of a text is kept.

    Parameters
    ----------
    identity : dict
        What tells the model from any other; written as JSON it is part of the key.

    Attributes
    ----------
    model : str
        The hash of the identity alone.
    """

    def __init__(self, identity):
        canonical = json.dumps(identity, sort_keys=True, ensure_ascii=True)
        self._model_hash = hashlib.sha256(canonical.encode())
        self.model = self._model_hash.hexdigest()

    def __call__(self, text):
        digest = self._model_hash.copy()
        digest.update(b"\0" + text.encode("utf-8", "surrogatepass"))
        return digest.digest()


def join_vectors(positions, blobs):
    """Make arrays of positions and of the vectors, given as bytes, that belong there.

    Returns
    -------
    positions : ndarray of shape (n_found,)
    vectors : ndarray of shape (n_found, n_features), dtype float32
        Of shape (0, 0) if there is none.
    """
    values = np.frombuffer(b"".join(blobs), dtype=_DTYPE).astype(np.float32)
    width = len(blobs[0]) // _DTYPE.itemsize if blobs else 0
    return np.array(positions, dtype=np.intp), values.reshape(len(blobs), width)


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
        self.key = VectorKeys(identity)
        self._file = CacheFile(folder, _FORMAT)
        self.folder = self._file.folder

    @contextlib.contextmanager
    def open(self):
        """Open the store for one call; the connection is closed at the end."""
        with contextlib.closing(self._file.connect()) as connection:
            yield _OpenStore(self, connection)

    @contextlib.contextmanager
    def lock(self):
        """Hold the lock of this model in this folder: one holder on this machine.

        The operating system releases it when its holder dies. Other models are not
        kept waiting, and neither are readers.
        """
        name = self.key.model[:16]
        with self._file.file_lock(f"lock-{name}.sqlite3"):
            yield


class _OpenStore:
    """A store and its connection, within one call."""

    def __init__(self, store, connection):
        self._store = store
        self._connection = connection

    def get(self, texts):
        """Look distinct texts up.

        Returns
        -------
        positions : ndarray of shape (n_found,)
            Which of the texts are stored, ascending.
        vectors : ndarray of shape (n_found, n_features), dtype float32
            Their vectors. Shape (0, 0) if there is none.
        """
        keys = [self._store.key(text) for text in texts]
        with self._store._file.explain_errors():
            query = "SELECT key, vector FROM vectors WHERE key IN ({})"
            found = look_up(self._connection, query, keys)
        positions = [i for i, key in enumerate(keys) if key in found]
        blobs = [found[keys[i]] for i in positions]
        if len(set(map(len, blobs))) > 1:
            raise CacheError(
                f"The embedding cache in {self._store.folder!r} holds vectors of "
                "different widths for one model, so the model must have changed "
                "without changing its name. Choose another folder."
            )
        return join_vectors(positions, blobs)

    def put(self, texts, vectors):
        """Store vectors of distinct texts, in one transaction.

        A text that is there already keeps its vector.
        """
        blobs = np.ascontiguousarray(vectors, dtype=_DTYPE)
        rows = [
            (self._store.key(text), blob.tobytes())
            for text, blob in zip(texts, blobs, strict=True)
        ]
        with self._store._file.explain_errors(), transaction(self._connection):
            self._connection.executemany(
                "INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows
            )
