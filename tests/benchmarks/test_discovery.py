"""The discovery rate by hand: what is found, which way, and what is counted twice."""

import numpy as np
import pytest
from _datasets import PlantedFeature
from _discovery import discover, f1_matrix, find_signs, stated_signs
from sklearn.metrics import f1_score

TRUTH = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])


def test_f1_is_scikit_learns():
    rng = np.random.RandomState(0)
    marks, truth = rng.randint(2, size=(40, 3)), rng.randint(2, size=(40, 2))
    found = f1_matrix(marks, truth)
    for i in range(2):
        for j in range(3):
            assert found[i, j] == pytest.approx(f1_score(truth[:, i], marks[:, j]))
    nothing = np.zeros((40, 1))
    assert f1_matrix(nothing, nothing) == 0


def test_rates_by_hand():
    # two statements find the first feature, one with the wrong direction; one finds the
    # second with F1 of 0.8; nothing finds the third
    marks = np.column_stack([TRUTH[:, 0], TRUTH[:, 0], [0, 0, 1, 1, 1, 0], np.ones(6)])
    signs, true_signs = [1, -1, -1, 1], [1, -1, 1]
    found = discover(marks, signs, TRUTH, true_signs, 0.7)
    assert found["FDR"] == pytest.approx(2 / 3)
    assert found["RC"] == pytest.approx((0.5 + 1) / 2)
    assert found["HDR"] == pytest.approx(0.5)
    strict = discover(marks, signs, TRUTH, true_signs, 0.9)
    assert strict["FDR"] == pytest.approx(1 / 3)
    assert strict["HDR"] == pytest.approx(1 / 6)
    nothing = discover(np.zeros((6, 2)), [1, 1], TRUTH, true_signs, 0.7)
    assert nothing == {"FDR": 0.0, "RC": 0.0, "HDR": 0.0}


def test_signs_of_columns():
    positive = np.array([1, 1, 0, 0, 1, 0])
    marks = np.column_stack([TRUTH, np.ones(6), 1 - positive])
    np.testing.assert_array_equal(find_signs(marks, positive), [1, -1, 0, 0, -1])


def test_what_a_file_says_of_the_second_label():
    features = [
        PlantedFeature("a", "b", {"red": -1, "blue": -3}),  # blue is the less likely
        PlantedFeature("a", "c", {"blue": 2, "green": -2}),
        PlantedFeature("a", "d", {"red": 2, "blue": -2}),
    ]
    np.testing.assert_array_equal(stated_signs(features, ("red", "blue")), [-1, 1, -1])
