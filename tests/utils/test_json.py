import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from sklearn_hypo._utils._json import FrozenJson, to_json_value


def test_values_become_what_json_holds():
    values = {
        "a": (1, np.float64(2.5), np.bool_(True)),
        "b": [np.nan, pd.NA, pd.NaT, None],
        "c": np.array([[np.inf, -np.inf], [0.0, 1.0]]),
        3: Path("x"),
    }
    plain = to_json_value(values)
    assert plain == {
        "a": [1, 2.5, True],
        "b": [None] * 4,
        "c": [["Infinity", "-Infinity"], [0.0, 1.0]],
        "3": "x",
    }
    json.dumps(plain, allow_nan=False)


def test_estimators_become_class_and_parameters():
    plain = to_json_value([Ridge(alpha=np.float64(2.0)), Ridge])
    assert plain[0]["class"] == "sklearn.Ridge"
    assert plain[0]["parameters"]["alpha"] == 2.0
    assert plain[1] == str(Ridge)


def test_a_frozen_object_is_a_value():
    given = {"b": [1, {"c": None}], "a": "x"}
    frozen = FrozenJson(given)
    given["b"].append(2)
    assert frozen == {"a": "x", "b": [1, {"c": None}]}
    assert dict(frozen) == frozen.to_dict() == eval(repr(frozen))
    frozen["b"].append(3)
    assert frozen["b"] == [1, {"c": None}]
    assert frozen == FrozenJson({"a": "x", "b": (1, {"c": None})})
    assert len({frozen, FrozenJson(frozen), FrozenJson({})}) == 2
    for copied in (copy.deepcopy(frozen), pickle.loads(pickle.dumps(frozen))):  # noqa: S301
        assert copied == frozen
        assert hash(copied) == hash(frozen)


@pytest.mark.parametrize(
    "wrong", [None, "a", ["a"], {1: 2}, {"a": {1, 2}}, {"a": float("inf")}]
)
def test_what_json_cannot_hold_is_not_frozen(wrong):
    with pytest.raises((TypeError, ValueError)):
        FrozenJson(wrong)


def test_functions_become_their_names():
    assert to_json_value(np.linalg.norm) == "numpy.linalg.norm"
    assert to_json_value({"a": len}) == {"a": "builtins.len"}
