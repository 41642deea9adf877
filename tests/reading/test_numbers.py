"""Numbers as people write them: one convention for a column, or a question."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from written_targets import read_target

from sklearn_hypo._reading._numbers import read_numbers
from sklearn_hypo.exceptions import InputError


def read(*values, decimal=None):
    return read_numbers(pd.Series(values, dtype=object), decimal)


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        (["0,5", "1,25", "-3"], [0.5, 1.25, -3]),
        (["1.234,56", "7", "0,5"], [1234.56, 7, 0.5]),
        (["1 234,56", "3"], [1234.56, 3]),
        (["1\u00a0234,56", "1 234 567"], [1234.56, 1234567]),
        (["1\u202f234,56", "0,75"], [1234.56, 0.75]),
        (["1'234.5", "1'000'000"], [1234.5, 1000000]),
        (["1’234.5", "2"], [1234.5, 2]),
        (["1,234.5", "12"], [1234.5, 12]),
        (["12,34,567.5", "1,000,000"], [1234567.5, 1000000]),
        (["(432)", "5", "+6"], [-432, 5, 6]),
        (["432-", "5"], [-432, 5]),
        (["−5", "–4", "3"], [-5, -4, 3]),
        (["1e3", "2.5E-2"], [1000, 0.025]),
        (["1,5e3", "2"], [1500, 2]),
        ([".5", "7."], [0.5, 7]),
        (["１２", "３．５", "－１"], [12, 3.5, -1]),
        (["١٢٫٥", "٣"], [12.5, 3]),
        ([1.5, "2,5", 3], [1.5, 2.5, 3]),
        (["\u200e-5", "4"], [-5, 4]),
    ],
)
def test_numbers_as_written(written, numbers):
    column = read(*written)
    assert column.values.tolist() == numbers
    assert column.doubt is None
    assert column.unit is None


@pytest.mark.parametrize(
    ("written", "numbers", "unit"),
    [
        (["13%", "5 %", "0"], [13, 5, 0], "%"),
        (["%13", "%5"], [13, 5], "%"),
        (["$5", "-$6.50", "($7)"], [5, -6.5, -7], "$"),
        (["5 €", "1.234,50 €"], [5, 1234.5], "€"),
        (["EUR 5", "EUR 7,50"], [5, 7.5], "EUR"),
        (["CHF 5.-", "CHF 1'250.50"], [5, 1250.5], "CHF"),
        (["3 stars", "2 stars", "1 star"], [3, 2, 1], "stars"),
        (["4/5", "3/5"], [4, 3], "/5"),
        (["4.5 out of 5 stars", "3.0 out of 5 stars"], [4.5, 3], "out of 5 stars"),
        (["5k", "1.5k"], [5, 1.5], "k"),
        (["5 kg"] * 19 + ["6"], [5] * 19 + [6], "kg"),
    ],
)
def test_a_unit_that_all_have_is_taken_off(written, numbers, unit):
    column = read(*written)
    assert column.values.tolist() == numbers
    assert column.unit == unit
    assert f"the unit '{unit}' is taken off" in column.remarks[0]


def test_numbers_without_the_unit_are_counted():
    column = read(*["5 kg"] * 19, "6")
    assert column.remarks[0].endswith("; 1 have none and are read as they stand")


@pytest.mark.parametrize(
    ("written", "doubt"),
    [
        (["5 kg", "300 g"], "numbers with different units: 1 'kg', 1 'g'"),
        (["1st", "2nd", "3rd"], "different units"),
        (["5 m", "5 mm"], "different units"),
        (["13%"] * 99 + ["0.5"], "99 numbers with the unit '%' and 1 without"),
        (["5k"] * 99 + ["300"], "without, such as '300'"),
        (["5 kg", "6"], "without"),
        (["0.5", "0,5"], "a decimal point ('0.5') and numbers with a decimal comma"),
        (["1,234", "5,678"], "'1,234', which may be 1234 or 1.234"),
        (["1,234", "0,5"], "'1,234', which may be 1.234 or 1234, beside numbers with"),
        (["1,234", "1.234"], "which may be"),
        (["12", "1,234"], "which may be"),
        (["12", "1.234"], "'1.234', which may be 1.234 or 1234"),
        (["1.234 €", "5.678 €"], "'1.234 €', which may be 1.234 or 1234"),
    ],
)
def test_what_can_be_read_in_two_ways_is_doubted(written, doubt):
    assert doubt in read(*written).doubt.reason


@pytest.mark.parametrize(
    ("written", "numbers", "remark"),
    [
        (["1.234", "5.678"], [1.234, 5.678], "If it is 1234: --decimal ,"),
        (["1,234", "0.5"], [1234, 0.5], "a point: '1,234' is 1234"),
        (["1.234", "0,5"], [1234, 0.5], "a comma: '1.234' is 1234"),
        (["1,234", "0,125"], [1.234, 0.125], "a comma: '1,234' is 1.234"),
        (["1.234.567", "1.234"], [1234567, 1234], "'1.234' is 1234"),
        (["0,5", "2"], [0.5, 2], "the decimal sign is a comma"),
    ],
)
def test_what_the_column_settles_is_remarked(written, numbers, remark):
    column = read(*written)
    assert column.values.tolist() == numbers
    assert column.doubt is None
    assert remark in column.remarks[0]


@pytest.mark.parametrize(
    "written",
    [["1.5", "2"], ["3", "4"], ["1.234", "0.5"], ["(1.234)", "0.5", "12", "1 000.5"]],
)
def test_plain_numbers_need_no_remark(written):
    assert read(*written).remarks == ()


@pytest.mark.parametrize(
    "word",
    [
        *("", "a", "group 1", "Q1", "2024-01-31", "31.12.2024", "12/31/2024", "10:30"),
        *("3-4", "65+", "<5", "1..2", "1,,2", "12 34", "1,23,4", "(5", "5)", "(-5)"),
        *(
            "12.34.567",
            "--5",
            "$",
            "5 (five)",
            "1.2.3",
            "a 5",
            "5 6 stars",
            "0x1A",
            "1_000",
        ),
        "5 apples and many more fruits",
    ],
)
def test_words_are_no_numbers(word):
    column = read(word, "7")
    assert column.is_word.tolist() == [True, False]
    assert np.isnan(column.values[0])


def test_long_values_are_no_numbers():
    for value in ("9" * 5000 + " €", "(" + " " * 5000 + "a"):
        assert read(value).is_word.tolist() == [True]


def test_letters_behind_numbers_are_not_all_units():
    ids = ["1a", "2b", "3c", "4d", "5e", "6f"]
    column = read(*ids, "7")
    assert column.doubt is None
    assert column.is_word.tolist() == [True] * 6 + [False]


def test_bools_are_no_numbers():
    assert read(True, False, 1).is_word.tolist() == [True, True, False]


def test_decimal_settles_it(tmp_path):
    values = ["1,234", "5,678", "9,012"]
    for decimal, expected in ((".", [1234, 5678, 9012]), (",", [1.234, 5.678, 9.012])):
        rows = read_target(tmp_path, values, decimal=decimal)
        assert rows.target.tolist() == expected
    with pytest.raises(InputError, match=r"--decimal \. or --decimal ,"):
        read_target(tmp_path, values)


def test_mixed_columns_are_refused_and_the_option_named_settles_them(tmp_path):
    values = ["1,234", "0,5", "0,7"]
    with pytest.raises(
        InputError, match=r"target column 'y'.*\(row 1\)\. If it is 1.234: --decimal ,"
    ):
        read_target(tmp_path, values)
    rows = read_target(tmp_path, values, decimal=",")
    assert rows.target.tolist() == [1.234, 0.5, 0.7]


def test_signs_that_are_no_decimal_signs_are_refused(tmp_path):
    with pytest.raises(InputError, match="decimal must be '\\.' or ',', not ';'"):
        read_target(tmp_path, ["1", "2"], decimal=";")


def test_numbers_of_any_type():
    found = read(Decimal("1.5"), np.float32(2.5), np.int8(3), "4,5")
    assert found.values.tolist() == [1.5, 2.5, 3, 4.5]


def test_units_that_differ_are_refused_or_classes(tmp_path):
    values = ["1st", "2nd", "3rd"] * 3
    with pytest.raises(InputError, match=r"\(row 2\).*--task classification"):
        read_target(tmp_path, values)
    rows = read_target(tmp_path, values, task="classification")
    assert rows.target.tolist() == values


def test_numbers_as_written_are_classes_by_their_value(tmp_path):
    rows = read_target(tmp_path, ["0,5", "1,5", "0,50"], task="classification")
    assert rows.target.tolist() == [0.5, 1.5, 0.5]
    rows = read_target(tmp_path, ["3 stars", "1 star"] * 2, task="classification")
    assert rows.target.tolist() == ["3 stars", "1 star"] * 2
