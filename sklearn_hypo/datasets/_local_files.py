"""Files of data sets that users have to supply: where they are looked for."""

import os
from pathlib import Path

from ..exceptions import DatasetNotFoundError

__all__ = ["DATA_VARIABLE", "data_folder", "find_file"]

DATA_VARIABLE = "SKLEARN_HYPO_DATA"


def data_folder(data_home, *, caller, advice):
    """Return the folder to look in.

    Parameters
    ----------
    data_home : str, path-like or None
        The folder; None stands for the environment variable ``SKLEARN_HYPO_DATA``.
    caller : str
        Name of the function, for the message.
    advice : str
        What to do where there is none.

    Returns
    -------
    folder : Path
        It need not exist.

    Raises
    ------
    DatasetNotFoundError
        If no folder is given.
    """
    folder = os.environ.get(DATA_VARIABLE) if data_home is None else data_home
    if folder is None or not os.fspath(folder):
        raise DatasetNotFoundError(f"{caller}: no folder to look in. {advice}")
    return Path(folder).expanduser()


def find_file(folder, candidates, *, caller, advice):
    """Return the first of some files that is there.

    Parameters
    ----------
    folder : Path
        Where to look.
    candidates : sequence of str
        Paths below the folder, in the order in which they are tried.
    caller, advice : str
        As in `data_folder`.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    DatasetNotFoundError
        If there is none of them; the message names the folder and the files.
    """
    for candidate in candidates:
        path = folder / candidate
        if path.is_file():
            return path
    raise DatasetNotFoundError(
        f"{caller}: found none of the files {', '.join(candidates)} in "
        f"{str(folder)!r}. {advice}"
    )
