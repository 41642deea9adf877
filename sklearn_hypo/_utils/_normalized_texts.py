"""When two texts are one and the same, and fingerprints by which a fit knows its texts.

A text that is posted again comes with another link, in capitals, or behind the name of
who posted it first; none of this makes it another observation.
"""

import hashlib
import re
import unicodedata

import numpy as np

from ._tokens import LINK

_REPOSTED = re.compile(r"\b(?:rt|via)\s*@\w+\s*:?")
_ADDRESSED = re.compile(rf"{LINK}|(?<!\w)@\w+")


def normalize_text(text):
    """Return what stays of a text that is posted again.

    Lower case, one blank between words, without links, @names and "RT @name:". A text
    of nothing else stays as it is, in lower case.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold()
    rest = text
    if "@" in rest:
        rest = _REPOSTED.sub(" ", rest)
    if "@" in rest or "http" in rest or "www." in rest:
        rest = _ADDRESSED.sub(" ", rest)
    return " ".join(rest.split()) or " ".join(text.split())


_SHORT = 40  # characters, such as "Thank you!": many people say so


def fingerprint_texts(texts):
    """Return a 64-bit hash of each text as `normalize_text` leaves it.

    Short texts are hashed as they are: what is alike in two of them is chance.

    Parameters
    ----------
    texts : sequence of str
        Any strings.

    Returns
    -------
    fingerprints : ndarray of shape (n_texts,) and dtype uint64
        Equal for equal texts. Among a million texts the chance that any two others
        share one is 3e-8.
    """
    digests = [_hash(text) for text in texts]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _hash(text):
    normal = normalize_text(text)
    text = text if len(normal) < _SHORT else normal
    return hashlib.blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=8
    ).digest()
