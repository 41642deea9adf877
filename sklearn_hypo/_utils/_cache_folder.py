"""Where what was computed or paid for is kept on disk."""

import os


def default_cache_folder():
    """Return the folder named by SKLEARN_HYPO_CACHE, else ~/.cache/sklearn_hypo."""
    folder = os.environ.get("SKLEARN_HYPO_CACHE") or "~/.cache/sklearn_hypo"
    return os.path.abspath(os.path.expanduser(folder))


def resolve_cache_folder(cache):
    """Find the folder that a parameter `cache` stands for.

    Parameters
    ----------
    cache : "auto", str, path-like or None
        "auto" is the default folder.

    Returns
    -------
    folder : str or None
        An absolute path; None for no folder.
    """
    if cache is None:
        return None
    if not isinstance(cache, str | os.PathLike):
        raise TypeError(
            f"cache={cache!r} is of type {type(cache).__name__}. Pass 'auto' for the "
            "default folder, the path of a folder, or None to keep nothing on disk."
        )
    if not os.fspath(cache):
        raise ValueError(
            "cache='' names no folder. Pass 'auto' for the default folder, or None "
            "to keep nothing on disk."
        )
    if cache == "auto":
        return default_cache_folder()
    return os.path.abspath(os.path.expanduser(os.fspath(cache)))
