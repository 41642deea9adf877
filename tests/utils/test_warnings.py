"""Warnings point at the line of whoever called the package."""

import warnings

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_hypo._utils import _warnings
from sklearn_hypo.exceptions import HypothesisWarning


def warn_in(filename, depth=0):
    """Call `warn` from a function that seems to stand in another file."""
    source = "def f(depth):\n    return f(depth - 1) if depth else warn('careful')"
    names = {"warn": _warnings.warn}
    exec(compile(source, filename, "exec"), names)
    return names["f"](depth)


@pytest.mark.parametrize("depth", [0, 3])
def test_frames_of_the_package_are_passed_over(depth):
    with pytest.warns(HypothesisWarning, match="careful") as caught:
        warn_in(f"{_warnings.__file__}/below.py", depth)
    assert caught[0].filename == __file__


def test_a_folder_of_a_similar_name_is_the_users():
    other = _warnings.__file__.replace(
        "sklearn_hypo/_utils", "sklearn_hypo_mine/_utils"
    )
    with pytest.warns(HypothesisWarning) as caught:
        warn_in(other)
    assert caught[0].filename == other


def test_a_pipeline_in_between_is_passed_over():
    step = FunctionTransformer(lambda X: warn_in(_warnings.__file__) or X)
    with pytest.warns(HypothesisWarning) as caught:
        make_pipeline("passthrough", step).fit_transform([[1.0]])
    assert {w.filename for w in caught} == {__file__}


def test_another_category():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _warnings.warn("late", FutureWarning)
    assert caught[0].category is FutureWarning
