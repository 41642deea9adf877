"""What users pass in, as numbers."""

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo._utils._validation import (
    encode_labelled,
    encode_one_hot,
    encode_target,
    make_target_columns,
    resolve_task,
    take_labelled,
)
from sklearn_hypo.exceptions import HypothesisWarning


def test_one_hot_has_a_column_per_class():
    found = encode_one_hot(np.array([1, 0, 1, -1]), 2)
    np.testing.assert_array_equal(found, [[0, 1], [1, 0], [0, 1], [0, 0]])
    assert found.dtype == np.float64


def test_target_columns():
    codes = np.array([1, 0, 2, 1])
    three = make_target_columns(codes, np.array(["a", "b", "c"]))
    np.testing.assert_array_equal(three, np.eye(3)[codes])
    for values, classes in [(codes % 2, np.array(["a", "b"])), (codes / 3, None)]:
        found = make_target_columns(values, classes)
        np.testing.assert_array_equal(found, values[:, None])
        assert found.dtype == np.float64


@pytest.mark.parametrize(
    ("y", "task"),
    [
        ([1.0, np.nan, 0.0], "classification"),
        ([1.0, np.nan, 0.0, 0.5], "regression"),
        ([1, None, 0, 2], "regression"),
        ([1, None, 0], "classification"),
        ([True, None, False], "classification"),
        (["a", None, "b"], "classification"),
        (np.array(["a", np.nan, "b"], dtype=object), "classification"),
        (pd.Series([1, 2, None, 3], dtype="Int64"), "regression"),
        (pd.Series([1.0, None, 2.0, 3.0], dtype="category"), "classification"),
        ([-1, -1, 0, 1], "regression"),  # -1 is a value as any other
    ],
)
def test_missing_targets_do_not_decide_the_task(y, task):
    assert resolve_task(y) == task


@pytest.mark.parametrize(
    ("y", "known"),
    [
        ([1.5, np.nan, 2.0], np.array([1.5, 2.0])),
        ([1, None, 2], np.array([1, 2])),
        (["a", None, "b"], np.array(["a", "b"])),
        (["a", pd.NA, 2], np.array(["a", 2], dtype=object)),
        ([True, None, False], np.array([True, False])),
        (np.array([[1.0], [np.nan], [2.0]]), np.array([1.0, 2.0])),
        (pd.Series(["a", None, "b"], dtype="category"), np.array(["a", "b"])),
        ([np.nan, None, pd.NaT], np.empty(0)),
    ],
)
def test_labelled_rows(y, known):
    found, labelled = take_labelled(y)
    np.testing.assert_array_equal(found, known)
    assert found.dtype == known.dtype
    expected = [True, False, True] if len(known) else [False] * 3
    np.testing.assert_array_equal(labelled, expected)


DAYS = pd.to_datetime(["2024-01-01", "2024-01-02", "2025-01-01", "2025-01-03"])


@pytest.mark.parametrize(
    "y", [pd.Series(DAYS), DAYS.to_pydatetime(), DAYS.to_numpy(), [*DAYS.date]]
)
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_dates_are_neither_classes_nor_quantities(y, task):
    with pytest.raises(
        ValueError, match=r"y holds dates, such as '2024-01-01"
    ) as error:
        encode_target(y, task, caller="f")
    y = pd.Series(DAYS)
    for conversion in ("(y - y.min()) / pd.Timedelta(days=1)", "y.dt.year"):
        assert conversion in str(error.value)
        encode_target(eval(conversion), "regression", caller="f")


@pytest.mark.parametrize(
    ("y", "named"),
    [
        (["Yes", "yes", "no", "no"], r"'Yes' \(1\), 'yes' \(1\)"),
        (["a ", "a", "b"], r"'a' \(1\), 'a' \(1\)"),
        ([1, 1.0, "a"], r"'1' \(1\), '1.0' \(1\)"),  # as NumPy makes strings of them
        (np.array(["é", "e\u0301", "b"], dtype=object), "'é'"),
    ],
)
def test_classes_in_two_spellings_are_named(y, named):
    with pytest.warns(HypothesisWarning, match=f"spelling alone.*{named}"):
        encode_target(y, "classification", caller="f")


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_missing_values_that_became_text_are_named(missing):
    y = np.array(["a", str(missing), "b", "a"])
    with pytest.warns(HypothesisWarning, match=rf"missing: '{missing}' \(1\)\."):
        encode_target(y, "classification", caller="f")


@pytest.mark.parametrize("y", [["1.5", "2", "3"], [str(i) for i in range(21)]])
def test_numbers_written_as_strings_are_named(y):
    expected = rf"such as '{y[0]}', which are taken as {len(y)} classes"
    with pytest.warns(HypothesisWarning, match=expected):
        encode_target(y, resolve_task(y), caller="f")
    assert resolve_task(pd.to_numeric(y)) == "regression"


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["1", "2", "5"], ["1", "2", "5"]),
        ([True, None, False, True], [False, True]),
        ([1.0, np.nan, 0.0], [0, 1]),
        (pd.Series([1, None, 0], dtype="Int64"), [0, 1]),
        (["b", None, "a"], ["a", "b"]),
        (pd.Series(["NA", "none", "a"]), ["NA", "a", "none"]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_targets_that_lack_values_need_no_warning(y, classes):
    _, found, _ = encode_labelled(y, resolve_task(y), caller="f")
    assert found.tolist() == classes


def test_labels_of_types_without_an_order_are_refused():
    y = np.array([1, "a", 1.0, "b"], dtype=object)
    with pytest.raises(ValueError, match="types float, int, str, which cannot be put"):
        encode_target(y, "classification", caller="f")
