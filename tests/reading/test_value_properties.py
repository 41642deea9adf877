"""Whatever a column holds, it is read rightly, or an error of our own says why not."""

from contextlib import suppress

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_hypo import read_labelled_texts
from sklearn_hypo._reading._dates import TARGET_DATES
from sklearn_hypo._reading._missing_values import MissingMarkers
from sklearn_hypo._reading._numbers import read_numbers
from sklearn_hypo._reading._targets import parse_target
from sklearn_hypo._reading._values import strip_value
from sklearn_hypo.exceptions import InputError

quick = settings(max_examples=150)


def series(values):
    return pd.Series(list(values), dtype=object)


NUMBERS = st.lists(
    st.integers(-(10**9), 10**9).map(lambda n: n / 100), min_size=1, max_size=8
)
UNITS = st.sampled_from(["{}", "{} €", "${}", "{}%", "{} stars", "EUR {}", "{} kg"])


@quick
@given(
    numbers=NUMBERS,
    group=st.sampled_from(["", ",", ".", " ", "\u00a0", "\u202f", "'", "’"]),
    decimal=st.sampled_from([".", ","]),
    unit=UNITS,
    minus=st.sampled_from(["-", "−", "("]),
)
def test_numbers_of_one_convention_are_read_back(numbers, group, decimal, unit, minus):
    if group == decimal:
        group = ""

    def write(number):
        text = f"{abs(number):,.2f}".translate({ord(","): group, ord("."): decimal})
        if number >= 0:
            return unit.format(text)
        return f"({unit.format(text)})" if minus == "(" else minus + unit.format(text)

    column = read_numbers(series(map(write, numbers)))
    assert column.doubt is None
    assert column.values.tolist() == numbers


@quick
@given(numbers=NUMBERS, decimal=st.sampled_from([".", ","]))
def test_the_decimal_sign_named_is_the_one(numbers, decimal):
    written = [f"{number:.3f}".replace(".", decimal) for number in numbers]
    column = read_numbers(series(written), decimal)
    assert column.doubt is None
    assert column.values.tolist() == numbers


NASTY = st.text("0123456789²½.,'-−()/: %$€eE\u202fNAnaTF★☆年ab", max_size=12)
VALUES = st.one_of(
    st.text(max_size=15),
    NASTY,
    st.floats(),
    st.integers(),
    st.booleans(),
    st.none(),
    st.datetimes(),
    st.dates(),
    st.sampled_from(["NA", "-99", "2024-01-31", "01/02/2024", "agree", "5 stars"]),
)


@quick
@given(
    values=st.lists(VALUES, min_size=1, max_size=12),
    task=st.sampled_from(["auto", "regression", "classification"]),
    decimal=st.sampled_from([None, ".", ","]),
    target_date=st.sampled_from([None, None, *TARGET_DATES]),
)
@pytest.mark.filterwarnings("error")
def test_any_column_is_read_or_refused(values, task, decimal, target_date):
    column = series(map(strip_value, values))
    markers, notes = MissingMarkers.of(()), []
    lacking = markers.find_in_values(column, "y", notes.append, decimal=decimal)
    kept = column[~lacking]
    if kept.empty:
        return
    with suppress(InputError):
        target = parse_target(
            kept,
            "y",
            mapping={},
            task=task,
            decimal=decimal,
            target_date=target_date,
            note=notes.append,
        )
        assert len(target) == len(kept)
        assert not pd.isna(target).any()
        assert target.dtype.kind in "ifU"
        assert all(isinstance(note, str) for note in notes)


@quick
@given(data=st.data(), n=st.integers(1, 10))
@pytest.mark.filterwarnings("error")
def test_any_table_is_read_or_refused(data, n):
    kinds = {
        "text": st.one_of(st.text(max_size=20), st.none()),
        "y": VALUES,
        "group": VALUES,
        "age": st.one_of(st.integers(0, 99).map(str), NASTY),
    }
    columns = {
        name: data.draw(st.lists(kind, min_size=n, max_size=n))
        for name, kind in kinds.items()
    }
    table = pd.DataFrame(columns, dtype=object)
    with suppress(InputError):
        rows = read_labelled_texts(
            table, "text", "y", groups="group", covariates=["age"]
        )
        assert len(rows.texts) == len(rows.target) == len(rows.clusters)
        assert len(rows.covariates) == len(rows.texts) == n - sum(rows.dropped.values())
