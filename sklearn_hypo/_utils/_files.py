"""Files that are there in full or not at all."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path


def expand_path(path):
    """Return a path with the home folder in the place of ``~``.

    Parameters
    ----------
    path : str or path-like
        As a user wrote it.

    Returns
    -------
    path : Path
        The same, where there is no home folder to put in.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:  # the home of a user who is not known here
        return Path(path)


def _check_is_a_file(path, given):
    """Raise unless there can be such a file, by the name that the user wrote."""
    if path.is_dir():
        raise IsADirectoryError(
            f"{str(given)!r} is a folder. Name a file, in it or elsewhere."
        )
    if path.parent.is_dir():
        return
    if path.parent.exists():
        raise NotADirectoryError(
            f"{str(given)!r} cannot be written: {str(path.parent)!r} is no folder."
        )
    raise FileNotFoundError(
        f"{str(given)!r} cannot be written: there is no folder {str(path.parent)!r}. "
        "Make it first."
    )


@contextmanager
def atomic_path(path):
    """Give a name beside the file to write to; on success it becomes the file.

    Parameters
    ----------
    path : str or path-like
        The file; ``~`` is the home folder. Its folder must exist. A file of that name
        is replaced.

    Yields
    ------
    unfinished : Path
        Where to write. It has the same suffix, and is gone after an error.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no folder for the file.
    IsADirectoryError
        If the path is a folder.
    """
    given, path = path, expand_path(path)
    _check_is_a_file(path, given)
    prefix = ".unfinished-"
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix) as folder:
        unfinished = Path(folder) / path.name
        yield unfinished
        with open(unfinished, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)


def write_text(path, text):
    """Write a text in UTF-8, with line feeds on every system, all or nothing."""
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
