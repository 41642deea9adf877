"""One number as somebody wrote it, with its unit, by either decimal sign."""

import re
import unicodedata
from typing import NamedTuple

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
CURRENCY = re.compile(rf"[{_SIGNS_OF_CURRENCIES}]|^(?:{_CODES_OF_CURRENCIES})$")
_LONGEST, _LONGEST_UNIT = 60, 20  # characters
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
_EXCHANGE = str.maketrans(".,", ",.")
_NO_GROUPS = str.maketrans("", "", ",' ")


class _Reading(NamedTuple):
    """What a number is with one decimal sign."""

    value: float
    is_grouped: bool
    n_decimals: int


class WrittenNumber(NamedTuple):
    """A number as it is written: its unit, and what it is with either sign, if one."""

    unit: str
    point: _Reading | None
    comma: _Reading | None

    def by(self, sign):
        return self.point if sign == "." else self.comma

    def read(self, sign):
        reading = self.by(sign)
        return None if reading is None else reading.value


def split_number(text):
    """Return a string as a number with sign and unit, or None if it is none."""
    if len(text) > _LONGEST:
        return None
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
    return WrittenNumber(" ".join(unit.split()), point, comma)


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
