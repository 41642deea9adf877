"""Numbers as people write them, by one convention for a whole column.

1,234 is more than a thousand in one country and less than two in another, so that no
value can be read alone: the column decides, or the user.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._utils._printable import pluralize
from ..exceptions import InputError
from ._values import name_counts, name_value
from ._written_number import CURRENCY, split_number

_COULD_BE_GROUPED = re.compile(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{3}")
_MULTIPLIERS = frozenset({"%", "‰", "k", "m", "b", "bn", "mio", "mrd", "tsd"}) | {
    *("thousand", "million", "millions", "billion", "billions", "lakh", "crore"),
    *("tausend", "mille", "mil", "millionen", "milliarden", "万", "億", "亿", "만"),
}
_COMMA = "the decimal sign is a comma"
_MOST_UNITS = 5  # more letters behind numbers are no units
_WITH_UNIT = 0.9  # share of the values that have to have the unit
_STEM = 3  # letters by which singular and plural agree
_PLURAL = 2  # letters that a plural has more


class Doubt(NamedTuple):
    """Why it cannot be said which numbers a column holds.

    Parameters
    ----------
    reason : str
        What it holds.
    value : str
        One of the values in doubt.
    settled_by : str or None
        The option that settles it, if there is one.
    """

    reason: str
    value: str
    settled_by: str | None = None


@dataclass(frozen=True)
class ColumnOfNumbers:
    """A column read as numbers.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        NaN for what is no number.
    is_word : ndarray of bool of shape (n_rows,)
        What is no number.
    doubt : Doubt or None
        Why it cannot be said which numbers these are.
    remarks : tuple of str
        What was decided to read them.
    unit : str or None
        What was taken off.
    """

    values: np.ndarray
    is_word: np.ndarray
    doubt: Doubt | None = None
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
    if decimal != ".":
        quick = _read_plain_commas(strings)
        if not np.isnan(quick).any():
            numbers[strings.index] = quick
            remarks = () if decimal else (_COMMA,)
            return ColumnOfNumbers(numbers, np.isnan(numbers), remarks=remarks)
    numbers[strings.index] = np.nan
    counts = Counter(strings)
    written = {value: split_number(value) for value in counts}
    written = {value: each for value, each in written.items() if each is not None}
    odd_units, unit, doubt, remarks = _find_unit(written, counts)
    for value in odd_units:
        del written[value]
    sign, unclear, more = _find_decimal_sign(written, decimal, unit)
    found = {value: each.read(sign) for value, each in written.items()}
    numbers[strings.index] = [found.get(value) for value in strings]
    is_infinite = np.isinf(plain)  # which is written in letters
    numbers[is_infinite] = plain[is_infinite]
    return ColumnOfNumbers(
        numbers, np.isnan(numbers), doubt or unclear, (*remarks, *more), unit
    )


def _read_plain_commas(strings):
    """Read numbers with a decimal comma alone, at once; NaN where one is not as clear.

    A million of them takes a second, and with what else may be in them ten.
    """
    nothing = np.full(len(strings), np.nan)
    if any("." in value for value in strings) or not any("," in v for v in strings):
        return nothing
    pointed = [value.replace(",", ".") for value in strings]
    if any(map(_COULD_BE_GROUPED.fullmatch, pointed)):
        return nothing
    found = pd.to_numeric(pd.Series(pointed, dtype=object), errors="coerce")
    return found.to_numpy(dtype=float)


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
        value = next(value for value, each in written.items() if each.unit in others)
        doubt = Doubt(f"numbers with different units: {named}", value)
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
        doubt = Doubt(
            f"{pluralize(n_with, 'number')} with the unit {name_value(unit)} and "
            f"{n_without:,} without, such as {name_value(without[0])}",
            without[0],
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
    """Decide for a decimal sign. Returns it, why there is doubt, and what to remark."""
    if decimal:
        return decimal, None, []
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
        fewer = min(by_point, by_comma, key=len)
        return (
            ".",
            Doubt(
                f"numbers with a decimal point ({name_value(by_point[0])}) and numbers "
                f"with a decimal comma ({name_value(by_comma[0])})",
                fewer[0],
            ),
            [],
        )
    sign = "," if by_comma else "."
    clear = [written[value] for value in by_point + by_comma]
    remarks = [_COMMA] if by_comma and not either else []
    # software writes decimal points: 1.234, and not 5 or €5.678 beside it
    trusts_points = not has_whole and not (unit and CURRENCY.search(unit))
    # 1,234 and 1.234, of either kind the first
    kinds = {written[value].by(sign).is_grouped: value for value in reversed(either)}
    for value in kinds.values():
        doubt, remark = _settle(clear, sign, value, written[value], trusts_points)
        if doubt:
            return sign, doubt, []
        remarks += filter(None, [remark])
    return sign, None, remarks


def _settle(clear, sign, value, unclear, trusts_points):
    """Decide whether a value such as 1,234 can be read by a decimal sign.

    `clear` are those of the others that no other sign makes numbers of. Returns why
    there is doubt, and what to remark.
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
        return None, None if sign == "." and not as_group else remark
    if sign == "." and not as_group and trusts_points:
        return None, f"{remark}. If it is {otherwise}: --decimal {other}"
    reason = f"{name_value(value)}, which may be {reading} or {otherwise}"
    settled_by = "Say which sign is decimal: --decimal . or --decimal ,"
    if clear:
        reason += f", beside numbers with a decimal {_NAMES[sign]}"
        settled_by = f"If it is {reading}: --decimal {sign}"
    return Doubt(reason, value, settled_by), None


_NAMES = {".": "point", ",": "comma"}
