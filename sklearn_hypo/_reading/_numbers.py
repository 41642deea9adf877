"""Numbers as people write them, by one convention for a whole column.

1,234 is more than a thousand in one country and less than two in another, so that no
value can be read alone: the column decides, or the user.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._utils._printable import pluralize
from ..exceptions import InputError
from ._values import name_counts, name_value

# What is written in another way than in ASCII, beside digits and blanks.
_LIKE_ASCII = {
    **dict.fromkeys("−–－﹣‐‑", "-"),
    **dict.fromkeys("’‘ʼ＇´`", "'"),
    **{"．": ".", "，": ",", "％": "%", "（": "(", "）": ")", "＋": "+"},
    **{"٫": ".", "٬": "'", "٪": "%"},  # Arabic
    **dict.fromkeys("\u200e\u200f\u061c\u2066\u2067\u2068\u2069\ufeff", ""),
}
_SIGNS_OF_CURRENCIES = "$¢£¤¥֏؋৲৳฿៛\u20a0-\u20c0﷼"
_CODES_OF_CURRENCIES = (
    "AED|ARS|AUD|BDT|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|"
    "INR|JPY|KES|KRW|MXN|MYR|NGN|NOK|NZD|PEN|PHP|PKR|PLN|QAR|RMB|RON|RUB|SAR|SEK|SGD|"
    "THB|TRY|TWD|UAH|USD|VND|ZAR|Rs\\.?|Fr\\.?|kr\\.?"
)
# Units stand behind a number, of the kinds that are numbered ("group 1") only signs
# of currency and % before it. What has another number or a sign in it is no unit,
# unless it says of how many: 4/5, 4 out of 5 stars.
_WRITTEN = re.compile(
    rf"""
    (?P<open>\()? \s*
    (?P<sign>[-+])? \s*
    (?P<before>[A-Z]{{0,2}}[{_SIGNS_OF_CURRENCIES}]|%|{_CODES_OF_CURRENCIES})? \s*
    (?P<sign_behind>[-+])?
    (?P<number>[.,]?[0-9]+(?:[.,' ][0-9]+)*[.,]?)
    (?P<exponent>[eE][-+]?[0-9]+)? \s*
    (?P<after>
        (?: (?:/|out\ of|of|von|sur|de) \s* [0-9]+ \s* )?
        (?: [^\d\s()+=:;,/-] [^\d()+=:;,/-]* )?
    )
    (?P<minus>-)? \s*
    (?P<close>\))?
    """,
    re.VERBOSE,
)
_CURRENCY = re.compile(rf"[{_SIGNS_OF_CURRENCIES}]|^(?:{_CODES_OF_CURRENCIES})$")
_LONGEST_UNIT = 20  # characters
# With a decimal point; a number with a decimal comma is read with the two exchanged.
_WITH_POINT = re.compile(
    r"""
    (?: (?P<grouped> [1-9][0-9]{0,2} (?P<by>[,' ]) [0-9]{3} (?:(?P=by)[0-9]{3})* )
      | (?P<lakhs> [1-9][0-9]? (?:,[0-9]{2})+ ,[0-9]{3} )  # in India
      | [0-9]* )
    (?: \. (?P<decimals>[0-9]*) )?
    """,
    re.VERBOSE,
)
_COULD_BE_GROUPED = re.compile(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{3}")
_EXCHANGE = str.maketrans(".,", ",.")
_NO_GROUPS = str.maketrans("", "", ",' ")
_MULTIPLIERS = frozenset({"%", "‰", "k", "m", "b", "bn", "mio", "mrd", "tsd"}) | {
    *("thousand", "million", "millions", "billion", "billions", "lakh", "crore"),
    *("tausend", "mille", "mil", "millionen", "milliarden", "万", "億", "亿", "만"),
}
_MOST_UNITS = 5  # more letters behind numbers are no units
_WITH_UNIT = 0.9  # share of the values that have to have the unit
_STEM = 3  # letters by which singular and plural agree
_PLURAL = 2  # letters that a plural has more


@dataclass(frozen=True)
class ColumnOfNumbers:
    """A column read as numbers.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        NaN for what is no number.
    is_word : ndarray of bool of shape (n_rows,)
        What is no number.
    doubt : str or None
        Why it cannot be said which numbers these are.
    settled_by : str or None
        The option that settles it, if there is one.
    remarks : tuple of str
        What was decided to read them.
    unit : str or None
        What was taken off.
    """

    values: np.ndarray
    is_word: np.ndarray
    doubt: str | None = None
    settled_by: str | None = None
    remarks: tuple = ()
    unit: str | None = None


def read_numbers(values, decimal=None):
    """Read a column of stripped values as numbers, as far as they are.

    Parameters
    ----------
    values : Series of dtype object
        Numbers as they are, or strings; bools are no numbers.
    decimal : {".", ","} or None, default=None
        The decimal sign; None: what the column shows.

    Returns
    -------
    column : ColumnOfNumbers
        One decimal sign, and at most one unit, in all of it.

    Raises
    ------
    InputError
        If `decimal` is no decimal sign.
    """
    if decimal not in (None, ".", ","):
        raise InputError(f"decimal must be '.' or ',', not {decimal!r}.")
    values = values.reset_index(drop=True)
    is_bool = np.array([isinstance(value, bool | np.bool_) for value in values], bool)
    plain = pd.to_numeric(values.mask(is_bool), errors="coerce")
    plain = plain.to_numpy(dtype=float)
    strings = values[[isinstance(value, str) for value in values]]
    if decimal != "," and not np.isnan(plain[strings.index]).any():
        pointed = [] if decimal else [value for value in strings if "." in value]
        if not pointed or not all(map(_COULD_BE_GROUPED.fullmatch, pointed)):
            return ColumnOfNumbers(plain, np.isnan(plain))
    numbers = plain.copy()
    numbers[strings.index] = np.nan
    counts = Counter(strings)
    written = {value: _split(value) for value in counts}
    written = {value: each for value, each in written.items() if each is not None}
    odd_units, unit, doubt, remarks = _find_unit(written, counts)
    for value in odd_units:
        del written[value]
    sign, unclear, settled_by, more = _find_decimal_sign(written, decimal, unit)
    found = {value: each.read(sign) for value, each in written.items()}
    numbers[strings.index] = [found.get(value) for value in strings]
    is_infinite = np.isinf(plain)  # which is written in letters
    numbers[is_infinite] = plain[is_infinite]
    return ColumnOfNumbers(
        numbers,
        np.isnan(numbers),
        doubt or unclear,
        None if doubt else settled_by,
        (*remarks, *more),
        unit,
    )


# One value ------------------------------------------------------------------------


class _Reading(NamedTuple):
    """What a number is with one decimal sign."""

    value: float
    is_grouped: bool
    n_decimals: int


class _Written(NamedTuple):
    """A number as it is written: its unit, and what it is with either sign, if one."""

    unit: str
    point: _Reading | None
    comma: _Reading | None

    def by(self, sign):
        return self.point if sign == "." else self.comma

    def read(self, sign):
        reading = self.by(sign)
        return None if reading is None else reading.value


def _split(text):
    """Return a string as a number with sign and unit, or None if it is none."""
    match = _WRITTEN.fullmatch(_to_ascii(text))
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    number, exponent = match["number"], match["exponent"] or ""
    signs = [match["sign"], match["sign_behind"], match["minus"], match["open"]]
    signs = [sign for sign in signs if sign]
    unit = f"{match['before'] or ''} {match['after']}".strip()
    if len(signs) > 1 or len(unit) > _LONGEST_UNIT:
        return None
    is_negative = bool(signs) and signs[0] in "-("
    if match["minus"] and number[-1] in ".,":
        is_negative = False  # Swiss: 5.- is five francs
    point, comma = (_read(number, exponent, is_negative, sign) for sign in ".,")
    return _Written(" ".join(unit.split()), point, comma)


def _read(number, exponent, is_negative, decimal):
    """Return what a number is with a decimal sign, None if it is none with it."""
    if decimal == ",":
        number = number.translate(_EXCHANGE)
    match = _WITH_POINT.fullmatch(number)
    if match is None or (match["lakhs"] and decimal == ","):
        return None
    value = float(number.translate(_NO_GROUPS) + exponent)
    return _Reading(
        -value if is_negative else value,
        match["grouped"] is not None or match["lakhs"] is not None,
        len(match["decimals"] or ""),
    )


def _to_ascii(text):
    """Write digits, signs and blanks of all scripts as those of ASCII."""
    if text.isascii():
        return text
    return "".join(map(_to_ascii_character, text)).strip()


def _to_ascii_character(character):
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if unicodedata.category(character) == "Zs":  # no-break, narrow and thin blanks
        return " "
    return _LIKE_ASCII.get(character, character)


# The column -----------------------------------------------------------------------


def _find_unit(written, counts):
    """Find the one unit of a column.

    Returns the values that cannot be numbers beside the others, the unit, why there is
    doubt, and what to remark.
    """
    units = Counter()
    for value, each in written.items():
        units[each.unit] += counts[value]
    bare = units.pop("", 0)
    if not units:
        return [], None, None, []
    unit, _ = units.most_common(1)[0]
    others = {name: n for name, n in units.items() if not _are_one_unit(name, unit)}
    n_with = units.total() - sum(others.values())
    n = units.total() + bare
    if bare >= _WITH_UNIT * n or len(others) >= _MOST_UNITS:
        return [value for value, each in written.items() if each.unit], None, None, []
    if others:
        named = name_counts(units.most_common())
        doubt = f"numbers with different units: {named}"
        return [], unit, doubt, []
    without = [
        value
        for value, each in written.items()
        if not each.unit and each.read(".") != 0 and each.read(",") != 0
    ]
    n_without = sum(counts[value] for value in without)
    if n_without > (1 - _WITH_UNIT) * n or (
        n_without and unit.casefold().strip(".") in _MULTIPLIERS
    ):
        doubt = (
            f"{pluralize(n_with, 'number')} with the unit {name_value(unit)} and "
            f"{n_without:,} without, such as {name_value(without[0])}"
        )
        return [], unit, doubt, []
    remark = f"the unit {name_value(unit)} is taken off the numbers"
    if n_without:
        remark += f"; {n_without:,} have none and are read as they stand"
    return [], unit, None, [remark]


def _are_one_unit(a, b):
    """Tell whether two are one unit, perhaps in singular and plural: star, stars."""
    short, long = sorted((a.casefold().strip("."), b.casefold().strip(".")), key=len)
    if short == long:
        return True
    return (
        len(short) >= _STEM
        and len(long) - len(short) <= _PLURAL
        and long.startswith(short)
    )


def _find_decimal_sign(written, decimal, unit):
    """Decide for a decimal sign.

    Returns it, why there is doubt, which option settles it, and what to remark.
    """
    if decimal:
        return decimal, None, None, []
    by_point, by_comma, either, has_whole = [], [], [], False
    for value, each in written.items():
        point, comma = each.read("."), each.read(",")
        if point == comma:
            has_whole |= bool(point)
        elif point is None:
            by_comma.append(value)
        elif comma is None:
            by_point.append(value)
        else:
            either.append(value)
    if by_point and by_comma:
        doubt = (
            f"numbers with a decimal point ({name_value(by_point[0])}) and numbers "
            f"with a decimal comma ({name_value(by_comma[0])})"
        )
        return ".", doubt, None, []
    sign = "," if by_comma else "."
    clear = [written[value] for value in by_point + by_comma]
    remarks = ["the decimal sign is a comma"] if by_comma and not either else []
    # software writes decimal points: 1.234, and not 5 or €5.678 beside it
    trusts_points = not has_whole and not (unit and _CURRENCY.search(unit))
    # 1,234 and 1.234, of either kind the first
    kinds = {written[value].by(sign).is_grouped: value for value in reversed(either)}
    for value in kinds.values():
        unclear = written[value]
        doubt, settled_by, remark = _settle(clear, sign, value, unclear, trusts_points)
        if doubt:
            return sign, doubt, settled_by, []
        remarks += filter(None, [remark])
    return sign, None, None, remarks


def _settle(clear, sign, value, unclear, trusts_points):
    """Decide whether a value such as 1,234 can be read by a decimal sign.

    `clear` are those of the others that no other sign makes numbers of. Returns why
    there is doubt, which option settles it, and what to remark.
    """
    as_group = unclear.by(sign).is_grouped
    other = {".": ",", ",": "."}[sign]
    reading, otherwise = (f"{unclear.read(each):.15g}" for each in (sign, other))
    remark = f"the decimal sign is a {_NAMES[sign]}: {name_value(value)} is {reading}"
    # A sign beside another one that is decimal can only be one of thousands, and a
    # point beside decimal points is one. Three decimals are nothing odd where others
    # have as many.
    many = any(each.by(sign).n_decimals >= 3 for each in clear)
    if clear and (as_group or sign == "." or many):
        return None, None, None if sign == "." and not as_group else remark
    if sign == "." and not as_group and trusts_points:
        return None, None, f"{remark}. If it is {otherwise}: --decimal {other}"
    doubt = f"{name_value(value)}, which may be {reading} or {otherwise}"
    if not clear:
        return doubt, "Say which sign is decimal: --decimal . or --decimal ,", None
    doubt += f", beside numbers with a decimal {_NAMES[sign]}"
    return doubt, f"If it is {reading}: --decimal {sign}", None


_NAMES = {".": "point", ",": "comma"}
