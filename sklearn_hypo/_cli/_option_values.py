"""Values of options, read and checked."""

import argparse
import csv
import functools
import math

from .._utils._tokenizers import get_tokenizer
from ._language_models import parse_setting


def parse_mapping(text):
    """Parse "negative=-1,positive=1" into pairs."""
    pairs = []
    for part in parse_values(text):
        label, equals, number = part.rpartition("=")
        value = _parse_float(number)
        if not equals or not math.isfinite(value):
            raise argparse.ArgumentTypeError(
                f"{part!r} is not of the form value=number, such as positive=1"
            )
        pairs.append((label.strip(), value))
    return pairs


def parse_values(text):
    """Parse 'one,"two, three"' into values, as a line of a CSV file."""
    try:
        (values,) = csv.reader([text], strict=True, skipinitialspace=True) or [[""]]
    except (csv.Error, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of values with quotes as in CSV ({error})"
        ) from error
    return [value.strip() for value in values] or [""]


def parse_tokenizer(text):
    """Check the name of a tokenizer."""
    try:
        get_tokenizer(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def parse_columns(text):
    """Parse "one,two" into names."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} holds an empty name of a column")
    return names


def _parse_float(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


def parse_dollars(text):
    value = _parse_float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount above 0")
    return value


def parse_model_option(text):
    try:
        return parse_setting(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form name=value, such as timeout=600"
        ) from None


def parse_share(text):
    value = _parse_float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1")
    return value


def parse_integer(text, least, most=None):
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least or (most is not None and value > most):
        limits = f"from {least}" + (f" to {most}" if most is not None else " on")
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {limits}")
    return value


parse_count = functools.partial(parse_integer, least=1)


def parse_count_or_all(text):
    return "all" if text == "all" else parse_count(text)
