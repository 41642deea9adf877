"""When two labels are one."""

import pytest

from sklearn_hypo._utils._labels import is_plain_number, to_key


@pytest.mark.parametrize(
    "same",
    [
        (1, 1.0, "1", "1.0", "+1", "01", "1e0", " 1 "),
        (0.5, "0.5", ".5", "0.50", "5e-1"),
        ("Yes", "yes ", "YES", "ｙｅｓ", "yes\u200b", "\ufeffyes"),
        ("so so", "So  so", "so\u00a0so"),
        ("é", "e\u0301", "É"),
        ("straße", "STRASSE"),
        (True, "true", "TRUE"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_one_key(same):
    assert len(set(map(to_key, same))) == 1


def test_different_keys():
    values = [
        1,
        -1,
        10**17,
        10**17 + 1,
        "1" * 5000,
        "1" * 5001,
        "9007199254740993.0",
        "1a",
        "1,0",
        "yes",
        "yes!",
        "",
        "nan",
        0.1,
        2**53,
        "1e999",
    ]
    assert len(set(map(to_key, values))) == len(values)


@pytest.mark.parametrize(
    "text", ["nan", "inf", "1_0", "0x1", "1e", ".", "-", "1 0", "١"]
)
def test_words_are_no_plain_numbers(text):
    assert not is_plain_number(text)
