"""What users pass in, as numbers."""

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo._utils._validation import (
    encode_one_hot,
    make_target_columns,
    resolve_task,
    take_labelled,
)


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
