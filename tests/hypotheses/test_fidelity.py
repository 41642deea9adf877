"""How well annotations agree with a neuron."""

import numpy as np
import pytest

from sklearn_hypo._hypotheses._fidelity import Fidelity


def test_fidelity_by_hand():
    annotation = np.array([1, 1, 1, 0, 0, np.nan])
    activation = np.array([2.0, 1.0, 0.0, 3.0, 0.0, 9.0])
    found = Fidelity.measure(annotation, activation)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)
    assert found.n == 5
    expected = np.corrcoef(annotation[:5], activation[:5])[0, 1]
    assert found.correlation == pytest.approx(expected)


@pytest.mark.parametrize(
    ("annotation", "activation", "f1", "precision", "recall"),
    [
        ([0, 0, 0], [1, 0, 0], 0.0, np.nan, 0.0),
        ([1, 1, 0], [0, 0, 0], np.nan, 0.0, np.nan),
        ([1, 0, 0], [0, 1, 0], 0.0, 0.0, 0.0),
        ([np.nan, np.nan], [1, 0], np.nan, np.nan, np.nan),
    ],
)
def test_fidelity_without_anything_to_agree_on(
    annotation, activation, f1, precision, recall
):
    found = Fidelity.measure(np.array(annotation, float), np.array(activation, float))
    assert found[:3] == pytest.approx((f1, precision, recall), nan_ok=True)
