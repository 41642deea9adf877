"""What tests of the reader share: a small table, and what a refusal has to be."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import read_labelled_texts
from sklearn_hypo.exceptions import InputError

COLUMNS = ("--text", "text", "--target", "y")
WORDS = ("lovely", "awful", "plain", "großartig", "très bien", "ужасно", "很好", "ok")


def make_frame(n=60, seed=0):
    """Texts of which those with "lovely" have a higher y; all texts differ."""
    rng = np.random.RandomState(seed)
    words = [rng.choice(WORDS, 6) for _ in range(n)]
    texts = [f"{' '.join(each)} number {i}" for i, each in enumerate(words)]
    y = [sum(each == "lovely") + rng.randint(2) for each in words]
    return pd.DataFrame({"id": range(n), "text": texts, "y": y})


def read(path, text="text", target="y", **options):
    return read_labelled_texts(path, text, target, **options)


def check_same(rows, frame):
    assert rows.texts.tolist() == frame["text"].tolist()
    assert rows.target.tolist() == frame["y"].tolist()


def refuse(path, *parts, **options):
    """Assert that a file is refused in one message with these parts; return it."""
    with pytest.raises(InputError) as error:
        read(path, **options)
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message
    return message


def take_advice(message, *options):
    """Return the options that a message says to add, split as a shell does."""
    found = [
        re.search(rf"{option}(?: ('[^']*'|[^\s;:]*[^\s,;:.]))?", message)[0]
        for option in options
    ]
    return [argument for each in found for argument in shlex.split(each)]
