"""Files of models on this disk: which they are, and reading them quietly."""

import contextlib
import functools
import hashlib
from pathlib import Path


@contextlib.contextmanager
def no_progress_bar():
    """Keep transformers from drawing a bar while it reads weights."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def hash_folder(folder):
    """Hash the names and contents of the files of a model, notes aside.

    A model that was copied elsewhere keeps its fingerprint; one that was trained
    further gets another.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        if hidden or path.suffix.lower() == ".md" or not path.is_file():
            continue
        content = hash_file(path)
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


def hash_file(path):
    """Hash a file once per process, as long as its size and date do not change."""
    state = path.stat()
    return _hash_content(str(path), state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _hash_content(path, size, modified):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
