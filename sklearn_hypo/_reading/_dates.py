"""Dates as they are written, and the numbers that stand for them."""

import datetime
import re

import numpy as np
import pandas as pd

from ..exceptions import InputError
from ._values import find_row, name_first, name_value, suggest_option

# What a date can be made; where its day and month could be either, the last two say.
TARGET_DATES = ("days", "year", "days-dmy", "days-mdy")

_ENOUGH = 0.5  # share of the first values that makes a column one of dates
_N_LOOKED_AT = 200
_LONGEST = 60  # characters of a date
_EARLIEST_TIMESTAMP = 10**8  # seconds since 1970: in 1973
_SERIALS = (20_000, 80_000)  # days as Excel counts them: from 1954 to 2119
_DAY_0 = datetime.datetime(1899, 12, 30)
# By their beginnings in English, German, French, Spanish, Portuguese and Italian.
_MONTHS = {
    beginning: number
    for number, beginnings in enumerate(
        (
            *("jan jän ene gen", "feb fév fev", "mar mär mrz", "apr avr abr"),
            *("may mai mag", "jun juin giu", "jul juil lug", "aug aoû aou ago"),
            *("sep set", "oct okt out ott", "nov", "dec dez déc dic"),
        ),
        start=1,
    )
    for beginning in beginnings.split()
}

_TIME = (
    r"(?:[T,]?\s*(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r"(?:[.,][0-9]+)?\s*(?:(?P<half>[ap]\.?m|vorm|nachm)\.?)?)?"
    # names of zones are left out: one column hardly has two, but for an hour in summer
    r"\s*(?:Z|UTC|GMT|[CM]E[SD]?[TZ]|MESZ|CEST|[ECMP][SD]T|BST|IST|JST|AE[SD]T|(?P<zone>[+-][0-9]{2}:?[0-9]{2}))?"
)
_NAME = rf"(?P<name>{'|'.join(_MONTHS)})[^\W\d_]*\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # 2024-12-31, 2024/12/31, 2024年12月31日, 2024-12
        r"(?P<year>[0-9]{4})(?P<by>[-/.])(?P<month>[0-9]{1,2})(?P=by)"
        rf"(?P<day>[0-9]{{1,2}}){_TIME}",
        r"(?P<year>[0-9]{4})\s*[年년]\s*(?P<month>[0-9]{1,2})\s*[月월]\s*"
        rf"(?P<day>[0-9]{{1,2}})\s*[日일]\s*{_TIME}",
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})",
        # 31.12.2024 is always the day first; 12/31/2024, 31-12-24
        r"(?P<day>[0-9]{1,2})\.\s?(?P<month>[0-9]{1,2})\.\s?"
        rf"(?P<year>[0-9]{{4}}|[0-9]{{2}}){_TIME}",
        r"(?P<one>[0-9]{1,2})(?P<by>[-/])(?P<other>[0-9]{1,2})(?P=by)"
        rf"(?P<year>[0-9]{{4}}|[0-9]{{2}}){_TIME}",
        # 31 December 2024, Tue, 31 Dec 2024 23:59:00 +0000, 31DEC2024, 31. Dezember
        # 2024, 31 de diciembre de 2024
        rf"{_WEEKDAY}(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th|er|º|\.|\s+de\s)?[\s-]*{_NAME}"
        rf"[\s,-]*(?:de\s+)?(?P<year>[0-9]{{4}}){_TIME}",
        # December 31, 2024; Tue Dec 31 23:59:00 +0000 2024
        rf"{_WEEKDAY}{_NAME}\s+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+"
        rf"(?P<year>[0-9]{{4}}){_TIME}",
        rf"{_WEEKDAY}{_NAME}\s+(?P<day>[0-9]{{1,2}}){_TIME}\s+(?P<year>[0-9]{{4}})",
    )
)
# Only where somebody says that they are dates.
_COMPACT_FORMS = (
    re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
    re.compile(r"(?P<year>[0-9]{4})"),
)
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")


def are_dates(values):
    """Tell whether values are dates, by their type or as they are written."""
    first = values.iloc[:_N_LOOKED_AT]
    return np.mean([_is_date(value) for value in first]) >= _ENOUGH


def are_compact_dates(numbers):
    """Tell whether numbers are all dates such as 20241231."""
    distinct = np.unique(numbers)
    if len(distinct) < 3 or distinct[0] < 19000101 or distinct[-1] > 20991231:
        return False
    written = [str(int(value)) for value in distinct[:_N_LOOKED_AT]]
    return bool((distinct == np.round(distinct)).all()) and all(
        _build(_match(text, _COMPACT_FORMS[:1]), None) for text in written
    )


def suggest_conversions(values):
    """Name the options that make numbers of dates, those that need no further one."""
    order = _find_order([_match(value) for value in pd.unique(values)])
    days = "--target-date days takes the days since the first one"
    if order is None:
        days = (
            "--target-date days-dmy takes the days since the first one, with the day "
            "before the month (days-mdy: behind it)"
        )
    return f"{days}, --target-date year the year"


def convert_dates(values, how, what, option="--target-date"):
    """Turn dates into numbers.

    Parameters
    ----------
    values : Series of dtype object
        Dates of Python or pandas, seconds or milliseconds since 1970, or strings.
    how : {"days", "year", "days-dmy", "days-mdy"}
        Days since the first of them, or their years; "dmy" or "mdy" says whether in
        12/11/2024 the day or the month comes first, where the column does not show it.
    what : str
        The column, for messages.
    option : str or None, default="--target-date"
        The option that settles the order, for messages.

    Returns
    -------
    numbers : ndarray of shape (n_rows,)
        Times of the day are fractions of days.

    Raises
    ------
    InputError
        For what is no date, and for an order of day and month that nothing shows.
    """
    if how not in TARGET_DATES:
        raise InputError(
            f"target_date must be one of {', '.join(TARGET_DATES)}, not {how!r}."
        )
    unit, _, order = how.partition("-")
    distinct = {value: _match(value) for value in pd.unique(values)}
    order = order or _find_order(distinct.values())
    if order is None and unit == "days":
        value = next(value for value, each in distinct.items() if _has_no_order(each))
        remedy = "Write them as 2024-12-31."
        if option:
            remedy = f"Say which comes first: {option} days-dmy or {option} days-mdy."
        raise InputError(
            f"{what} holds dates such as {name_value(value)} ({find_row(values, value)}"
            f"), of which day and month cannot be told apart. {remedy}"
        )
    # where no order shows, either one has the year right
    dates = {value: _build(each, order or "dmy") for value, each in distinct.items()}
    wrong = [value for value, date in dates.items() if date is None]
    if wrong:
        remedy = f"If it stands for none: {suggest_option('--missing', wrong)}."
        if len(wrong) == len(dates):
            remedy = "Take it as it is, without --target-date."
        raise InputError(
            f"{what} holds what is no date: {name_first(wrong)} "
            f"({find_row(values, wrong[0])}). {remedy}"
        )
    if unit == "year":
        return np.array([dates[value].year for value in values], dtype=float)
    first = min(dates.values())
    days = {
        value: (date - first).total_seconds() / 86400 for value, date in dates.items()
    }
    return np.array([days[value] for value in values], dtype=float)


def _is_date(value):
    match = _match(value, _FORMS) if isinstance(value, str) else value
    if isinstance(match, re.Match):
        return any(_build(match, order) is not None for order in ("dmy", "mdy"))
    return isinstance(match, datetime.date | np.datetime64)


def _match(value, forms=_FORMS + _COMPACT_FORMS):
    """Return a match of a string, and what is a date already as it is."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime.date | np.datetime64):
        return value
    text = str(value)
    if len(text) > _LONGEST:
        return None
    if text.isdecimal() and int(text) >= _EARLIEST_TIMESTAMP:
        return int(text)
    if _SERIAL.fullmatch(text) and _SERIALS[0] <= float(text) < _SERIALS[1]:
        return _DAY_0 + datetime.timedelta(float(text))
    return next((m for m in (form.fullmatch(text) for form in forms) if m), None)


def _has_no_order(match):
    return isinstance(match, re.Match) and bool(match.groupdict().get("one"))


def _find_order(matches):
    """Return which of day and month comes first, if it matters and a date shows it."""
    pairs = [(int(m["one"]), int(m["other"])) for m in matches if _has_no_order(m)]
    if any(one > 12 for one, _ in pairs):
        return "dmy"
    if any(other > 12 for _, other in pairs) or all(a == b for a, b in pairs):
        return "mdy"
    return None


def _build(match, order):
    """Return a date, in UTC without saying so; None if there is no such day."""
    try:
        if match is None:
            return None
        if isinstance(match, int):
            seconds = match / (1 if match < 1000 * _EARLIEST_TIMESTAMP else 1000)
            match = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        if not isinstance(match, re.Match):
            return _take_off_zone(pd.Timestamp(match).to_pydatetime())
        return _build_from(match.groupdict(), order)
    except (ValueError, OverflowError, OSError):
        return None


def _build_from(parts, order):
    day, month = parts.get("day") or 1, parts.get("month") or 1
    if parts.get("one"):
        day, month = parts["one"], parts["other"]
        if order == "mdy":
            day, month = month, day
    if parts.get("name"):
        month = _MONTHS[parts["name"].lower()]
    year = int(parts["year"])
    if len(parts["year"]) == 2:  # as POSIX has it
        year += 2000 if year < 69 else 1900
    hour = int(parts.get("hour") or 0)
    if parts.get("half"):
        hour = hour % 12 + (12 if parts["half"][0] in "pPnN" else 0)
    minute, second = (int(parts.get(name) or 0) for name in ("minute", "second"))
    date = datetime.datetime(year, int(month), int(day), hour, minute, second)
    if parts.get("zone"):
        sign = -1 if parts["zone"][0] == "-" else 1
        hours, minutes = int(parts["zone"][1:3]), int(parts["zone"][-2:])
        date -= sign * datetime.timedelta(hours=hours, minutes=minutes)
    return date


def _take_off_zone(date):
    if date.tzinfo is None:
        return date
    return date.astimezone(datetime.UTC).replace(tzinfo=None)
