"""The vectors that this process has computed last: in memory, and bounded.

A pipeline, its annotator and its interpreter ask the same encoder for the same texts,
and so do folds and candidates. What an encoder costs on a CPU, milliseconds per text,
is paid once. No estimator holds any of it.
"""

import contextlib
import os
import threading
from collections import OrderedDict

from ._vector_store import VectorKeys, join_vectors

# About 130,000 vectors of 384 features.
_MOST_BYTES = 256 * 2**20
# What a key, an entry of a dict and a bytes object take besides the vector.
_OVERHEAD = 250


class VectorMemory:
    """Vectors of all models, of which the least recently used ones are dropped.

    Parameters
    ----------
    most_bytes : int
        How much they may take.

    Attributes
    ----------
    n_bytes : int
        How much they take.
    """

    def __init__(self, most_bytes=_MOST_BYTES):
        self._most_bytes = most_bytes
        self._vectors = OrderedDict()
        self.n_bytes = 0
        self.renew_locks()

    def renew_locks(self):
        """Make new locks: those of a parent process may be held for ever in a child."""
        self._access = threading.Lock()
        self._models = {}

    def of_model(self, identity):
        """Return the part of the memory that belongs to one model, as a store."""
        keys = VectorKeys(identity)
        with self._access:
            lock = self._models.setdefault(keys.model, threading.RLock())
        return _ModelMemory(self, keys, lock)

    @property
    def n_vectors(self):
        """How many there are."""
        return len(self._vectors)

    def clear(self):
        """Forget everything."""
        with self._access:
            self._vectors.clear()
            self.n_bytes = 0

    def get(self, keys):
        """Return the vectors of those keys that are here, as bytes by key."""
        with self._access:
            found = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in found:
                self._vectors.move_to_end(key)
        return found

    def put(self, vectors):
        """Keep vectors, given as bytes by key, and drop the oldest to make room."""
        with self._access:
            for key, vector in vectors.items():
                if key not in self._vectors:
                    self._vectors[key] = vector
                    self.n_bytes += len(vector) + _OVERHEAD
            while self.n_bytes > self._most_bytes:
                _, vector = self._vectors.popitem(last=False)
                self.n_bytes -= len(vector) + _OVERHEAD


class _ModelMemory:
    """What `VectorStore` is on disk: the vectors of one model."""

    def __init__(self, memory, keys, lock):
        self._memory = memory
        self._keys = keys
        self._lock = lock

    def open(self):
        """Return itself: there is nothing to open."""
        return contextlib.nullcontext(self)

    def lock(self):
        """Hold the lock of this model: two threads do not encode one text twice."""
        return self._lock

    def get(self, texts):
        """Look distinct texts up; as an open `VectorStore` does."""
        keys = [self._keys(text) for text in texts]
        found = self._memory.get(keys)
        positions = [i for i, key in enumerate(keys) if key in found]
        return join_vectors(positions, [found[keys[i]] for i in positions])

    def put(self, texts, vectors):
        """Keep vectors of distinct texts."""
        rows = zip(texts, vectors, strict=True)
        self._memory.put({self._keys(text): row.tobytes() for text, row in rows})


MEMORY = VectorMemory()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=MEMORY.renew_locks)
