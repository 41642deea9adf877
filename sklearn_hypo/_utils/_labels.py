"""Labels of classes and groups: when two are one, and which are none."""

import re
import unicodedata
from functools import lru_cache

_PLAIN_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?")

_MOST_DIGITS = 400  # Python refuses to read thousands
# What NumPy and pandas write for "no value" where they make strings of all.
WRITTEN_MISSING = ("", "nan", "NaN", "None", "NaT", "<NA>")


def is_plain_number(text):
    """Tell whether a string is a number as programs write it, such as -1.5e3."""
    return _PLAIN_NUMBER.fullmatch(text.lower()) is not None


def to_key(label):
    """What is equal for two labels that are one: 1.0 and "1", Yes and "YES "."""
    return _to_key(str(label))


@lru_cache(2**12)  # columns of a million rows have few distinct labels
def _to_key(text):
    if not text.isascii():
        text = "".join(c for c in text if unicodedata.category(c) != "Cf")  # unseen
        text = unicodedata.normalize("NFKC", text)
    key = " ".join(text.casefold().split())
    if not is_plain_number(key) or len(key) > _MOST_DIGITS:
        return key
    if key.lstrip("+-").isdigit():
        return str(int(key))
    number = float(key)
    if not number.is_integer():
        return repr(number)
    # beyond, floats no longer tell whole numbers apart
    return str(int(number)) if abs(number) < 2**53 else key
