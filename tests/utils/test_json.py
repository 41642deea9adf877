import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

from sklearn_hypo._utils._json import to_json_value


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
