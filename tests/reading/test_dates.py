"""Dates in a target: never classes; days or years if asked for."""

import datetime

import numpy as np
import pandas as pd
import pytest
from written_targets import read_target

from sklearn_hypo._reading._dates import are_dates, convert_dates
from sklearn_hypo._reading._labelled_texts import read_labelled_texts
from sklearn_hypo.exceptions import InputError


def series(values):
    return pd.Series(list(values), dtype=object)


WRITTEN = [
    ["2024-12-31", "2025-01-02", "2023-12-31"],
    ["2024-12-31 00:00:00", "2025-01-02T00:00", "2023-12-31T00:00:00Z"],
    ["2024-12-31T01:00:00+01:00", "2025-01-01T23:00:00-0100", "2023-12-31 12:00 AM"],
    ["31.12.2024", "2.1.2025", "31. 12. 2023"],
    ["31.12.24", "02.01.25", "31.12.23"],
    ["12/31/2024", "1/2/2025", "12/31/2023"],
    ["31/12/2024", "02/01/2025", "31/12/2023"],
    ["31-12-2024", "02-01-2025", "31-12-2023"],
    ["2024/12/31", "2025/01/02", "2023/12/31"],
    ["31 Dec 2024", "2 January 2025", "31DEC2023"],
    ["December 31, 2024", "Jan 2nd, 2025", "Dec. 31 2023"],
    [
        "Tue Dec 31 00:00:00 +0000 2024",
        "Thu Jan 02 00:00:00 +0000 2025",
        "Sun Dec 31 00:00:00 +0000 2023",
    ],
    [
        "Tue, 31 Dec 2024 00:00:00 +0000",
        "Thu, 2 Jan 2025 00:00:00 GMT",
        "31 Dec 2023 00:00",
    ],
    ["2024年12月31日", "2025年1月2日", "2023年12月31日"],
    ["31. Dezember 2024", "2. Jänner 2025", "31. Dez. 2023"],
    ["31 décembre 2024", "2 janvier 2025", "31 déc. 2023"],
    ["31 de diciembre de 2024", "2 de enero de 2025", "31 dic 2023"],
    # forms of Google
    ["2024/12/31 12:00:00 AM MEZ", "2025/01/02 12:00:00 AM MEZ", "2023/12/31"],
    ["2024/12/31 12:00:00 vorm. MEZ", "2025/01/02", "2023/12/31 0:00:00 MESZ"],
]


def test_every_month_has_its_names():
    for names in (
        "Januar Februar März April Mai Juni Juli August September Oktober November",
        "janvier février mars avril mai juin juillet août septembre octobre novembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre",
        "Jän. Feb. Mrz. Apr. Mai Jun. Jul. Aug. Sept. Okt. Nov. Dez.",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    ):
        values = series(f"1 {name} 2023" for name in names.split())
        right = series(f"2023-{i + 1:02}-01" for i in range(len(values)))
        assert are_dates(values)
        found = convert_dates(values, "days", "y")
        assert found.tolist() == convert_dates(right, "days", "y").tolist()


@pytest.mark.parametrize("first", [45657, "45657", "45657.0"])
def test_days_as_excel_counts_them(tmp_path, first):
    values = [first, 45659, 45291.5]
    assert read_target(tmp_path, values).target.tolist() == [45657, 45659, 45291.5]
    years = read_target(tmp_path, values, target_date="year")
    assert years.target.tolist() == [2024, 2025, 2023]
    days = read_target(tmp_path, values, target_date="days")
    assert days.target.tolist() == [365.5, 367.5, 0]


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written[0])
def test_dates_are_asked_about_and_both_conversions_work(tmp_path, written):
    for task in ("auto", "classification", "regression"):
        with pytest.raises(InputError, match="holds dates, such as") as error:
            read_target(tmp_path, written, task=task)
        assert f"'{written[0]}' (row 1)" in str(error.value)
        assert "--target-date days" in str(error.value)
        assert "--target-date year" in str(error.value)
    days = read_target(tmp_path, written, target_date="days")
    assert days.target.tolist() == [366, 368, 0]
    years = read_target(tmp_path, written, target_date="year")
    assert years.target.tolist() == [2024, 2025, 2023]


@pytest.mark.parametrize(
    "make",
    [
        lambda text: datetime.date.fromisoformat(text),
        lambda text: datetime.datetime.fromisoformat(text),
        lambda text: datetime.datetime.fromisoformat(text + "T00:00:00+00:00"),
        pd.Timestamp,
        np.datetime64,
    ],
)
def test_typed_dates(make):
    values = series(make(text) for text in WRITTEN[0])
    assert are_dates(values)
    assert convert_dates(values, "days", "y").tolist() == [366, 368, 0]
    assert convert_dates(values, "year", "y").tolist() == [2024, 2025, 2023]


def test_a_column_of_timestamps(tmp_path):
    pytest.importorskip("pyarrow")
    times = pd.to_datetime(
        ["2024-01-01 12:00", "2024-01-02 00:00", None, "2024-01-01 00:00"]
    )
    frame = pd.DataFrame({"text": list("abcd"), "y": times})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="holds dates, such as '2024-01-01 12:00"):
        read_labelled_texts(tmp_path / "t.parquet", "text", "y")
    rows = read_labelled_texts(tmp_path / "t.parquet", "text", "y", target_date="days")
    assert rows.target.tolist() == [0.5, 1, 0]
    assert rows.dropped["without_target"] == 1


def test_seconds_and_milliseconds_since_1970():
    for factor in (1, 1000):
        values = series([1704067200 * factor, (1704067200 + 43200) * factor])
        assert convert_dates(values, "days", "y").tolist() == [0, 0.5]
        assert convert_dates(values, "year", "y").tolist() == [2024, 2024]


def test_an_order_of_day_and_month_that_nothing_shows_is_refused(tmp_path):
    values = ["01/02/2024", "03/04/2024", "05/12/2024"]
    with pytest.raises(InputError, match="cannot be told apart") as error:
        read_target(tmp_path, values, target_date="days")
    assert "--target-date days-dmy" in str(error.value)
    for how, expected in (("days-dmy", [0, 62, 308]), ("days-mdy", [0, 62, 131])):
        rows = read_target(tmp_path, values, target_date=how)
        assert rows.target.tolist() == expected
    with pytest.raises(InputError, match=r"--target-date days-dmy .*days-mdy.* year"):
        read_target(tmp_path, values)
    # the year is certain
    with pytest.raises(InputError, match="one and the same value, '2024"):
        read_target(tmp_path, values, target_date="year")


def test_what_is_no_date_is_named(tmp_path):
    values = ["2024-01-31", "2024-02-30", "soon", "2024-02-01"]
    with pytest.raises(InputError, match=r"no date: '2024-02-30', 'soon' \(row 2\)"):
        read_target(tmp_path, values, target_date="days")
    rows = read_target(
        tmp_path, values, target_date="days", missing=["2024-02-30", "soon"]
    )
    assert rows.target.tolist() == [0, 1]


def test_words_with_a_date_asked_for(tmp_path):
    with pytest.raises(InputError, match="Take it as it is, without --target-date"):
        read_target(tmp_path, ["a", "b"] * 3, target_date="days")
    assert len(read_target(tmp_path, ["a", "b"] * 3).target) == 6


def test_dates_beside_words_are_dates(tmp_path):
    values = ["2024-01-31"] * 5 + ["2024-02-01", "unknown", "soon"]
    with pytest.raises(InputError, match="holds dates, such as '2024-01-31'"):
        read_target(tmp_path, values)


def test_dates_written_as_numbers_are_noted(tmp_path):
    values = ["20240131", "20240229", "20231231"]
    rows = read_target(tmp_path, values)
    assert "looks like dates written as numbers, such as 20240131" in rows.notes[0]
    rows = read_target(tmp_path, values, target_date="days")
    assert rows.target.tolist() == [31, 60, 0]
    assert read_target(tmp_path, ["20240131", "20240199", "20231231"]).notes == ()


def test_years_are_numbers(tmp_path):
    assert read_target(tmp_path, ["2020", "2021", "2022"]).notes == ()
    rows = read_target(tmp_path, ["2020", "2021", "2022"], target_date="year")
    assert rows.target.tolist() == [2020, 2021, 2022]


@pytest.mark.parametrize("word", ["may", "sun", "3/4", "10:30", "1.2.3", "2024-13-01"])
def test_words_are_no_dates(word):
    assert not are_dates(series([word]))


def test_long_values_are_no_dates():
    for value in ("9" * 5000, "1 " + " " * 5000 + "jan 2020", "2020-01-01" * 99):
        assert not are_dates(series([value]))


def test_unknown_conversions_are_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"target_date must be one of days, year.*'week'"
    ):
        read_target(tmp_path, ["2024-01-31"], target_date="week")
