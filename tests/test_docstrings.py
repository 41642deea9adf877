"""Every public object has a numpydoc docstring that names all its parameters."""

import inspect
import tomllib
from pathlib import Path

import pytest

import sklearn_hypo
from sklearn_hypo import datasets

validate = pytest.importorskip("numpydoc.validate").validate

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def public_objects():
    """Names of what is exported, and of the public methods defined for it."""
    for module in (sklearn_hypo, datasets):
        for name in module.__all__:
            found = getattr(module, name)
            yield f"{module.__name__}.{name}"
            for method, value in vars(found).items() if inspect.isclass(found) else ():
                if callable(value) and not method.startswith("_"):
                    yield f"{module.__name__}.{name}.{method}"


@pytest.fixture(scope="module")
def checks():
    settings = tomllib.loads(PYPROJECT.read_text("utf-8"))
    return set(settings["tool"]["numpydoc_validation"]["checks"])


@pytest.mark.parametrize("name", list(public_objects()))
def test_docstring(name, checks):
    found = [text for code, text in validate(name)["errors"] if code in checks]
    assert found == []
