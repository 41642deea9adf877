"""What users pass in, as numbers."""

import numpy as np

from sklearn_hypo._utils._validation import encode_one_hot, make_target_columns


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
