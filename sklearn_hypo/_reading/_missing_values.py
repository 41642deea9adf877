"""What stands for "no value": markers such as NA, and codes such as -99."""

import re
from collections import Counter
from dataclasses import dataclass
from numbers import Number

import numpy as np

from .._utils._labels import to_key
from .._utils._validation import is_missing
from ._numbers import read_numbers
from ._values import name_counts, to_label

# What stands for "no value", as keys: of spreadsheets, databases, pandas, R, SPSS,
# Stata and people.
MARKERS = frozenset(
    {
        *("na", "n/a", "n.a.", "#n/a", "#n/a n/a", "#na", "<na>", "nan", "-nan", "nat"),
        *("#value!", "#ref!", "#div/0!", "#name?", "#num!", "#null!"),
        *("null", "none", "nil", "(null)", "\\n", "(none)", "(missing)"),
        *(".", "-", "--", "---", "–", "—", "?", "??"),
    }
)
_MINUS = {"-", "–", "—"}  # which beside a plus are no marker
# What websites leave in the place of a text.
_TEXT_MARKERS = frozenset(
    {"[deleted]", "[removed]", "[deleted by user]", "[removed by reddit]"}
)
_LONGEST = 24  # characters of a marker, with blanks

# Codes of surveys, taken as such only far outside of the scale; the nearest to 0 first.
_CODES = tuple(
    sign * code
    for code in (7, 8, 9, 77, 88, 97, 98, 99, 997, 998, 999, 9997, 9998, 9999)
    for sign in (-1, 1)
    if sign < 0 or code > 9
)
_CODE = re.compile(r"[-−]?(?:9{0,3}[789]|77|88)(?:[.,]0*)?")
_AGES = (77, 88)  # codes that are more often an age, or a count, than the others are
_MOST_ON_A_SCALE = 20  # distinct values; with more they may be counts, with a long tail
_FURTHER = 5


@dataclass(frozen=True)
class MissingMarkers:
    """What stands for "no value".

    Parameters
    ----------
    named : frozenset of str
        What the user named, as keys (`to_key`).
    usual : bool, default=True
        Whether the usual markers and codes stand for none, too.
    """

    named: frozenset = frozenset()
    usual: bool = True

    @classmethod
    def of(cls, names):
        """From what the user named; "" among them leaves nothing but what is named."""
        keys = [to_key(name) for name in ([names] if isinstance(names, str) else names)]
        return cls(frozenset(filter(None, keys)), usual="" not in keys)

    def find_in_texts(self, texts, what, note):
        """Mark the texts that are missing or blank, or a marker alone."""
        usual = MARKERS | _TEXT_MARKERS if self.usual else frozenset()
        return self._find(texts, usual, what, note)

    def find_in_labels(self, values, what, note, *, known=()):
        """Mark the stripped values that stand for none; those `known` do not."""
        usual = MARKERS if self.usual else frozenset()
        kept = {to_key(value) for value in known}
        if (values == "+").any():
            kept |= _MINUS
        return self._find(values, usual, what, note, kept)

    def find_in_values(self, values, what, note, *, known=(), decimal=None):
        """Mark those of values that may be numbers, where codes stand for none, too."""
        lacking = self.find_in_labels(values, what, note, known=known)
        if self.usual and not known:
            codes = _find_codes(values[~lacking], what, note, decimal)
            lacking[np.flatnonzero(~lacking)[codes]] = True
        return lacking

    def _find(self, values, usual, what, note, kept=frozenset()):
        markers = (usual | self.named) - kept
        longest = max([_LONGEST, *map(len, markers)])
        counts, lacking = Counter(), np.zeros(len(values), dtype=bool)
        for i, value in enumerate(values):
            if isinstance(value, str):
                label = value.strip()
                if not label:
                    lacking[i] = True
                    continue
                # what most values are: long, or of digits, as no usual marker is
                if len(label) > longest or (label[0].isdigit() and not self.named):
                    continue
            elif is_missing(value):
                lacking[i] = True
                continue
            elif self.named:
                label = to_label(value)
            else:
                continue
            if to_key(label) in markers:
                lacking[i] = True
                counts[label] += 1
        if counts:
            n = counts.total()
            remedy = ""
            if not self.named.issuperset(map(to_key, counts)):
                remedy = " To keep them as values: --missing ''."
            note(
                f"{what}: {n:,} of {len(values):,} values {'is' if n == 1 else 'are'} "
                f"taken as missing: {name_counts(counts.most_common())}.{remedy}"
            )
        return lacking


def _find_codes(values, what, note, decimal):
    """Mark the numbers that are codes for "no value": repeated, and far outside.

    Far outside is further from the other values than these are from each other; for a
    positive code beside others that are no scale of few values, and for 77 and 88, five
    times as far. A code that is nearer is one of the other values.
    """
    none = np.zeros(len(values), dtype=bool)
    if not any(map(_could_be_code, values)):
        return none
    found = read_numbers(values, decimal)
    if found.doubt:
        return none
    numbers = found.values
    others = np.unique(numbers[np.isfinite(numbers) & ~np.isin(numbers, _CODES)])
    if len(others) < 2:
        return none
    low, high = others[0], others[-1]
    is_scale = len(others) <= _MOST_ON_A_SCALE
    is_code = none.copy()
    for code in _CODES:
        stands = numbers == code
        n = int(stands.sum())
        if not n:
            continue
        times = 1 if is_scale and code not in _AGES else _FURTHER
        if low - (high - low) <= code <= high + times * (high - low):
            low, high = min(low, code), max(high, code)
            continue
        where = f"far outside of the others ({low:g} to {high:g})"
        if n == 1:
            note(
                f"{what}: the value {code} stands once, {where}. If it stands for "
                f"none: --missing={code}."
            )
            continue
        is_code |= stands
        note(
            f"{what}: {n:,} values of {code}, {where}, are taken as missing. To keep "
            "them as values: --missing ''."
        )
    return is_code


def _could_be_code(value):
    if isinstance(value, str):
        return _CODE.fullmatch(value) is not None
    return isinstance(value, Number) and value in _CODES
