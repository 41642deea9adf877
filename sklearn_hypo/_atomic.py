"""Files that are there in full or not at all."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path):
    """Give a name beside the file to write to; on success it becomes the file.

    Parameters
    ----------
    path : str or path-like
        The file. Its folder must exist. A file of that name is replaced.

    Yields
    ------
    unfinished : Path
        Where to write. It has the same suffix, and is gone after an error.
    """
    path = Path(path)
    prefix = ".unfinished-"
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix) as folder:
        unfinished = Path(folder) / path.name
        yield unfinished
        os.replace(unfinished, path)


def write_text(path, text):
    """Write a text in UTF-8, with line feeds on every system, all or nothing."""
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
