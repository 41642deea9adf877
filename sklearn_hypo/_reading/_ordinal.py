"""Words that are in an order: Likert scales, stars, numbered answers."""

import csv
import functools
import re
from pathlib import Path

from .._utils._labels import is_plain_number, to_key

_FEWEST = 3  # distinct values: two are classes in any case
_FULL_STARS, _EMPTY_STARS, _HALF = "★⭐✭✮🌟", "☆✩✰", "½"
_MOST_BESIDE = 2  # such as "don't know" and "refused"
_VARIATION = "\ufe0f"  # asks for an emoji's coloured form
_NUMBERED = re.compile(r"\(?([-+]?[0-9]+)\s*[-–—=:.()\]]+\s*([^\d)]*[^\W\d][^\d)]*)\)?")
_NUMBER_BEHIND = re.compile(r"([^\d(]*[^\W\d][^\d(]*?)\s*[(\[]([-+]?[0-9]+)[)\]]")


def order_values(distinct):
    """Give numbers to distinct values that are in an order, if they are.

    Returns
    -------
    numbers : dict or None
        From each value to its number.
    name : str or None
        What they are, for a note.
    """
    if len(distinct) < _FEWEST or not all(isinstance(v, str) for v in distinct):
        return None, None
    for find, name in (
        (_count_stars, "stars"),
        (_find_scale, "a scale of answers"),
        (_read_numbered, "numbered answers"),
    ):
        numbers = find(distinct)
        if numbers is not None:
            return numbers, name
    return None, None


def find_beside_scale(distinct):
    """Return the few values without which the others are a scale, if they are."""
    known = set().union(*load_scales())
    beside = [value for value in distinct if _to_scale_key(value) not in known]
    rest = [value for value in distinct if value not in beside]
    few = 0 < len(beside) <= _MOST_BESIDE
    return beside if few and order_values(rest)[0] is not None else []


def _count_stars(distinct):
    numbers = {}
    for value in distinct:
        stars = value.replace(_VARIATION, "").replace(" ", "").rstrip(_EMPTY_STARS)
        full = stars.removesuffix(_HALF)
        if not value.strip() or full.strip(_FULL_STARS):
            return None
        numbers[value] = len(full) + (0.5 if stars.endswith(_HALF) else 0)
    return numbers


def _find_scale(distinct):
    """Take the shortest scale that has all values, each on a level of its own."""
    keys = {value: _to_scale_key(value) for value in distinct}
    fitting = [
        scale
        for scale in load_scales()
        if all(key in scale for key in keys.values())
        and len({scale[key] for key in keys.values()}) == len(set(keys.values()))
    ]
    if not fitting:
        return None
    scale = min(fitting, key=lambda scale: max(scale.values()))
    return {value: scale[key] for value, key in keys.items()}


def _read_numbered(distinct):
    """Read answers such as "1 - never", "2", "always (3)" by their numbers.

    Codes of a questionnaire ("1 - north", "2 - south") are numbered, too: an order is
    seen by numbers without words between them, or by words of a known scale.
    """
    parts = {value: _split_number(value) for value in distinct}
    labels = [label for _, label in parts.values() if label]
    bare = [number for number, label in parts.values() if not label]
    if not all(map(is_plain_number, bare)) or len(labels) < 2:
        return None
    numbers = {value: float(number) for value, (number, _) in parts.items()}
    if len(set(numbers.values())) < len(numbers):
        return None
    return numbers if bare or _find_scale(labels) else None


def _split_number(value):
    """Return the number of an answer and its words; the value and "" without both."""
    if match := _NUMBERED.fullmatch(value):
        return match[1], match[2]
    if match := _NUMBER_BEHIND.fullmatch(value):
        return match[2], match[1]
    return value, ""


def _to_scale_key(value):
    key = to_key(value).replace("’", "'").replace("-", " ").replace("/", " ")
    return " ".join(key.strip(".! ").split())


@functools.cache
def load_scales():
    """Load the scales: for each the number of every label of it."""
    path = Path(__file__).with_name("known_scales.csv")
    scales = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            scale = scales.setdefault((row["language"], row["scale"]), {})
            for label in row["labels"].split("|"):
                scale[_to_scale_key(label)] = int(row["number"])
    return list(scales.values())
