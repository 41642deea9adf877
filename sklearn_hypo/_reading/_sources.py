"""Where bytes come from: a file, an open file, what is packed within one."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .._utils._files import expand_path
from .._utils._printable import quote_value
from ..exceptions import InputError

HEAD = 2**18  # so many bytes are looked at to tell what a file is

# What a damaged archive, a folder that is not readable or a full disk raises.
READING_ERRORS = (
    *(OSError, EOFError, NotImplementedError),
    *(lzma.LZMAError, zlib.error, zipfile.BadZipFile),
)

ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second: of nothing
_PACKED = (  # first bytes, and what opens the rest
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
_BZIP2_BLOCK = b"1AY&SY"  # from byte 4 on: a table may begin with the letters BZh
# Zip archives that are the files of a program: Office, and OpenDocument.
_DOCUMENTS = ("[Content_Types].xml", "mimetype")


@dataclass(frozen=True)
class Source:
    """Bytes that can be read again and again.

    Parameters
    ----------
    name : str
        For messages; empty for a file object without one.
    path : Path
        Where they lie.
    open : callable
        Without arguments; a binary stream of them, unpacked.
    is_packed : bool
        Whether the file at the path holds something else than the stream.
    """

    name: str
    path: Path
    open: Callable
    is_packed: bool = False

    def __str__(self):
        return _show(self.name)

    def read_head(self):
        """Return the first bytes, and whether these are all."""
        with self.open() as stream:
            head = stream.read(HEAD + 1)
        return head[:HEAD], len(head) <= HEAD

    @property
    def suffix(self):
        """The end of the name, without that of what packed it."""
        name = Path(self.name.lower())
        packed = name.suffix in (".gz", ".bz2", ".xz", ".zip")
        return Path(name.stem if packed else name.name).suffix

    @contextmanager
    def as_path(self):
        """Give the path of a file with these bytes, for what cannot read streams."""
        if not self.is_packed:
            yield self.path
            return
        with self.open() as stream, _copy_to_disk(stream) as path:
            yield path


def _show(name):
    return quote_value(name) if name else "the file"


@contextmanager
def open_source(file):
    """Give the Source of a path, or of a file object.

    Parameters
    ----------
    file : str, path-like or file object
        A member of a zip archive goes by ``archive.zip/member``.

    Yields
    ------
    source : Source

    Raises
    ------
    InputError
        If there is no such file, or an archive holds several.
    """
    if not hasattr(file, "read"):
        if "://" in str(file):
            raise InputError(
                f"{quote_value(file)} is an address, not a file. Download it first."
            )
        path = expand_path(file)
        if path.is_fifo():  # as of <(command) in a shell, to be read once
            with path.open("rb") as stream, _copy_to_disk(stream) as copy:
                yield _find_source(copy, str(file))
        else:
            yield _find_source(path, str(file))
        return
    name = getattr(file, "name", None)
    with _copy_to_disk(file) as copy:
        yield _find_source(copy, name if isinstance(name, str) else "")


@contextmanager
def _copy_to_disk(stream):
    with tempfile.TemporaryDirectory(prefix="sklearn-hypo-") as folder:
        path = Path(folder) / "copy"
        with path.open("wb") as copy:
            first = stream.read(HEAD)
            if isinstance(first, str):  # of a file opened as text
                stream = io.BytesIO(
                    (first + stream.read()).encode("utf-8", "surrogatepass")
                )
            else:
                copy.write(first)
            shutil.copyfileobj(stream, copy)
        yield path


def _find_source(path, name):
    member = None
    if not os.path.exists(path):
        path, member = _split_at_archive(path)
    if path.is_dir():
        raise InputError(f"{_show(name)} is a folder, not a file.")
    try:
        with path.open("rb") as file:
            begin = file.read(10)
        if begin.startswith(ZIP):
            return _find_member(path, name, member)
    except READING_ERRORS as error:
        raise InputError(
            f"{_show(name)} cannot be read: {quote_value(error, quote='')}."
        ) from error
    for magic, opener in _PACKED:
        is_another = magic == b"BZh" and begin[4:] != _BZIP2_BLOCK
        if begin.startswith(magic) and not is_another:
            return Source(name, path, partial(opener, path, "rb"), is_packed=True)
    return Source(name, path, partial(open, path, "rb"))


def _split_at_archive(path):
    """Return the archive that a path leads into, and the name of the member."""
    for parent in path.parents:
        if parent.is_file() and zipfile.is_zipfile(parent):
            return parent, path.relative_to(parent).as_posix()
    raise InputError(f"there is no file {quote_value(path)}.")


def _find_member(path, name, member):
    """Return the Source of the one file in an archive, or of the one named."""
    with zipfile.ZipFile(path) as archive:
        members = [each for each in archive.namelist() if not each.endswith("/")]
    if any(each in members for each in _DOCUMENTS):
        return Source(name, path, partial(open, path, "rb"))
    shown = [
        each
        for each in members
        # what macOS adds
        if not each.startswith("__MACOSX/") and not each.endswith(".DS_Store")
    ]
    if member is None and len(shown) == 1:
        member = shown[0]
    if not shown:
        raise InputError(f"{_show(name)} is an archive that holds no file.")
    if member not in members:
        holds = ", ".join(map(quote_value, shown[:20]))
        absent = "" if member is None else f", but not {quote_value(member)}"
        raise InputError(
            f"{_show(name)} is an archive that holds {holds}{absent}. Name the one to "
            f"read, such as {quote_value(f'{path}/{shown[0]}')}, or unpack it."
        )
    inner = name if name.endswith(member) else "/".join(filter(None, [name, member]))
    return Source(inner, path, partial(_open_member, path, member), is_packed=True)


@contextmanager
def _open_member(path, member):
    with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
        yield stream
