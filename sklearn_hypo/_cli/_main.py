"""The command line: ``sklearn-hypo run``, ``demo``, ``doctor``, ``completion``.

Exit codes: 0 if all went well; 1 if the file, its columns or the computation do not
allow a result; 2 for options that do not make sense; 130 after Ctrl-C. Messages go to
standard error, the report to standard output. Whatever goes wrong ends in one message;
with --debug, or SKLEARN_HYPO_DEBUG=1 in the environment, in Python's traceback.
"""

import os
import sys
import warnings
from contextlib import contextmanager

from .._utils._printable import shorten_middle
from ..exceptions import LanguageModelError
from ._commands import PROG
from ._completion import completion
from ._demo import demo
from ._doctor import doctor
from ._options import parse_options
from ._run import run

_COMMANDS = {"run": run, "demo": demo, "doctor": doctor, "completion": completion}

_DEBUG = "SKLEARN_HYPO_DEBUG"

# Errors that say by themselves what is wrong and what to do
_FORESEEN = (ValueError, OSError, ImportError, MemoryError, LanguageModelError)

_LONGEST = 700  # characters of a message: some eight lines of a terminal


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str or None, default=None
        The arguments; None stands for those of the process.

    Returns
    -------
    code : int
        0 if all went well, 1 if the input does not allow a result, 130 if
        interrupted.

    Raises
    ------
    SystemExit
        With code 2, for options that do not make sense.
    """
    options = parse_options(argv)
    try:
        with _show_plain_warnings():
            _COMMANDS[options.command](options, _say, _note)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # the reader of our output, such as "head", has gone; so that Python does not
        # complain when it closes standard output in the end, point it to nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if options.debug or os.environ.get(_DEBUG, "0") not in ("", "0"):
            raise
        _note(f"error: {_describe(error)}")
        return 1
    return 0


def _describe(error):
    """Return a message of few lines; of an error that nobody foresaw, with its type."""
    if isinstance(error, _FORESEEN) and str(error):
        return str(error)
    what = f"{type(error).__name__}: {shorten_middle(error, _LONGEST // 2)}"
    return (
        f"{what.removesuffix(': ').removesuffix('.')}. This was not foreseen. Run the "
        "same command with --debug to see where it happened."
    )


# Output ---------------------------------------------------------------------------


def _say(text):
    _print(text, sys.stdout)


def _note(text):
    _print(f"{PROG}: {shorten_middle(text, _LONGEST)}", sys.stderr)


def _print(text, stream):
    """Print what the stream's encoding can show, and escapes for the rest."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = text.encode(encoding, "backslashreplace").decode(encoding)
    print(shown, file=stream, flush=True)


@contextmanager
def _show_plain_warnings():
    """Show warnings as messages, each once, without the code they come from."""
    said = set()

    def show(message, *_):
        if str(message) not in said:  # two steps may see the same in the same texts
            said.add(str(message))
            _note(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
