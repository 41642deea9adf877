"""Libraries that read the files of other programs, where they are installed."""

import importlib
from contextlib import contextmanager

from .._utils._printable import quote_value, shorten
from ..exceptions import InputError

INSTALL = "pip install 'sklearn-hypo[files]'"
_LONGEST = 200  # characters of a library's own message


def import_library(name, kind):
    """Return a module, or say how it is installed.

    Parameters
    ----------
    name : str
        Of the module.
    kind : str
        What it reads, such as "Excel".

    Raises
    ------
    InputError
        If it is not installed.
    """
    package = name.partition(".")[0]
    try:
        importlib.import_module(package)
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"{kind} is read with {package}, which is not installed. Install it by: "
            f"{INSTALL}; or save the file as CSV."
        ) from error


@contextmanager
def library_errors(source, kind):
    """Turn whatever a library raises on a damaged file into an InputError.

    These libraries document no errors; on files that were cut or altered they raise
    KeyError, struct.error, their own, and more.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = shorten(error, _LONGEST) or type(error).__name__
        raise InputError(
            f"{source} cannot be read as {kind}: {quote_value(reason, '')}"
        ) from error
