"""Options about files: how they are written, which rows are tested on, pairs."""

import argparse
import hashlib
import sys
from pathlib import Path

from .._reading._encodings import check_encoding
from .._utils._files import expand_path
from ..exceptions import InputError

STANDARD_INPUT = "-"
_HOLDOUT = 0.2


def add_file_options(parser):
    group = parser.add_argument_group(
        "files", "How a file is written is recognized by its content."
    )
    group.add_argument(
        "--sep",
        type=_parse_separator,
        metavar="CHARACTER",
        help='what stands between fields, such as ";"; tab for a tab',
    )
    group.add_argument(
        "--encoding",
        type=_parse_encoding,
        metavar="NAME",
        help="such as cp1252 (default: utf-8, or what a byte-order mark says)",
    )
    group.add_argument(
        "--no-header",
        action="store_false",
        dest="header",
        help="the first row holds no names: columns are 1, 2 and so on",
    )
    group.add_argument(
        "--no-quotes",
        action="store_false",
        dest="quotes",
        help="quotes enclose no texts, they are characters like others",
    )
    group.add_argument(
        "--sheet", metavar="NAME", help="a sheet of Excel (default: the first)"
    )
    group.add_argument(
        "--keep-html",
        action="store_const",
        const="keep",
        default="remove",
        dest="html",
        help="leave tags and entities of HTML in the texts",
    )


def add_split_options(group):
    group.add_argument(
        "--test",
        metavar="FILE",
        help="another file, of the same columns, with the rows to test on",
    )
    group.add_argument(
        "--split",
        metavar="COLUMN[=VALUE]",
        help="the column that says which rows to test on: those of the value, if one "
        "is given, else of test, holdout or 1",
    )


def add_pair_options(group):
    group.add_argument(
        "--text-a",
        metavar="COLUMN",
        help="in the place of --text, with --text-b and --won: each row holds the two "
        "texts of a pair, the first of them in this column",
    )
    group.add_argument("--text-b", metavar="COLUMN", help="the second text")
    group.add_argument(
        "--won",
        metavar="COLUMN",
        help="in the place of --target, which text won: a or b, 1 or 0, the name of "
        "its column; or the column whose text always won, such as chosen",
    )


def check_columns(parser, options):
    """End with code 2 unless there are a text and a target, or two texts and a winner.

    Afterwards `text` and `target` name them, as `read_labelled_texts` takes them.
    """
    wide = {name: getattr(options, name) for name in ("text_a", "text_b", "won")}
    given = [f"--{name.replace('_', '-')}" for name, value in wide.items() if value]
    if not given:
        missing = [f"--{n}" for n in ("text", "target") if not getattr(options, n)]
        if missing:
            parser.error(
                f"the following arguments are required: {', '.join(missing)} (or, for "
                "two texts in each row, --text-a, --text-b and --won)"
            )
        return
    if len(given) < len(wide):
        parser.error("--text-a, --text-b and --won are needed together")
    for name in ("text", "target", "pairwise"):
        if getattr(options, name):
            parser.error(f"{given[0]} and --{name} exclude each other")
    options.text = (options.text_a, options.text_b)
    options.target = options.won


def check_split(parser, options):
    """End with code 2 for two ways to split; set the share of the default one."""
    ways = ("test", "split", "holdout")
    given = [f"--{name}" for name in ways if getattr(options, name) is not None]
    if len(given) > 1:
        parser.error(f"{given[0]} and {given[1]} exclude each other")
    if not given:
        options.holdout = _HOLDOUT
    if options.file == options.test == STANDARD_INPUT:
        parser.error("only one of FILE and --test can be standard input")


def _parse_separator(text):
    separator = {"tab": "\t", "\\t": "\t", "space": " "}.get(text.lower(), text)
    if len(separator) != 1 or separator in '"\r\n':
        raise argparse.ArgumentTypeError(f"{text!r} is not one character")
    return separator


def _parse_encoding(text):
    try:
        return check_encoding(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Input:
    """A file to read, or standard input, and the hash of what was read.

    Parameters
    ----------
    path : str
        "-" for standard input.
    """

    def __init__(self, path):
        self.path = path
        self._stream = None
        if path == STANDARD_INPUT:
            self._stream = _HashedStream(getattr(sys.stdin, "buffer", sys.stdin))

    @property
    def file(self):
        """What `read_labelled_texts` takes."""
        return self._stream or self.path

    @property
    def name(self):
        """Without the folder."""
        return self._stream.name if self._stream else Path(self.path).name

    def find(self):
        """Return the path of the file that is read; None if there is no such file."""
        path = expand_path(self.path)
        archives = (each for each in (path, *path.parents) if each.is_file())
        return None if self._stream else next(archives, None)

    def describe(self):
        """Return path and hash, for settings.json, of what was read."""
        if self._stream:
            return {"path": self.path, "sha256": self._stream.sha256.hexdigest()}
        path, sha256 = self.find(), None
        if path is not None:  # but a pipe, which cannot be read again
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return {"path": str(Path(self.path)), "sha256": sha256}


class _HashedStream:
    """A binary stream that is hashed while it is read."""

    name = "standard input"

    def __init__(self, stream):
        self._stream = stream
        self.sha256 = hashlib.sha256()

    def read(self, size=-1):
        data = self._stream.read(size)
        self.sha256.update(data)
        return data
