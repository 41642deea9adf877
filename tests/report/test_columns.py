import numpy as np
import pytest

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._report._columns import COLUMNS, order_columns


@pytest.mark.parametrize("kind", ["quantity", "two", "three", "pairs", "missing"])
def test_tables_are_in_the_order_of_the_columns(kind):
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(200, 2)).astype(float)
    y, beside = A[:, 0] + rng.normal(size=200), {}
    if kind == "two":
        y = y > 0.5
    elif kind == "three":
        y = np.digitize(y, [0, 1])
    elif kind == "pairs":
        beside = {"pairs": np.repeat(np.arange(100), 2)}
    elif kind == "missing":
        A[:9, 1] = np.nan
    table = evaluate_annotations(A, y, n_resamples=0, **beside).table
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)
    places = [names.index(name) for name in table]
    assert places == sorted(places)
    assert order_columns(table[table.columns[::-1]]).equals(table)
    with pytest.raises(KeyError, match="made_up"):
        order_columns(table.assign(made_up=1))
