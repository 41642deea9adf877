"""The documents say what the code does: docstrings, reference, links."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import sklearn_hypo
from sklearn_hypo import datasets, exceptions

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = [
    getattr(module, name)
    for module in (sklearn_hypo, datasets)
    for name in module.__all__
]
ESTIMATORS = [
    thing
    for thing in PUBLIC
    if inspect.isclass(thing) and issubclass(thing, BaseEstimator)
]


def documented(thing):
    """Yield what numpydoc should read: the thing and its own public methods."""
    yield f"{thing.__module__}.{thing.__qualname__}"
    if inspect.isclass(thing):
        ours = [c for c in thing.__mro__ if c.__module__.startswith("sklearn_hypo")]
        members = {name: member for c in ours for name, member in vars(c).items()}
        for name, member in members.items():
            if not name.startswith("_") and inspect.isfunction(inspect.unwrap(member)):
                yield f"{thing.__module__}.{thing.__qualname__}.{name}"


@pytest.mark.parametrize(
    "name", [name for thing in PUBLIC for name in documented(thing)]
)
def test_docstrings_follow_numpydoc(name):
    validate = pytest.importorskip("numpydoc.validate").validate
    # parameters are complete, known, in order, described; results are described
    checks = {"GL08", "PR01", "PR02", "PR03", "PR04", "PR07", "RT01", "RT03", "SS03"}
    errors = [e for e in validate(name)["errors"] if e[0] in checks]
    assert errors == []


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_public_names_have_an_example(thing):
    assert ">>>" in inspect.getdoc(thing)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.__name__)
def test_every_parameter_is_constrained_and_documented(estimator):
    parameters = set(inspect.signature(estimator).parameters)
    assert set(estimator._parameter_constraints) == parameters
    for name in parameters:
        assert re.search(rf"^\s*{name} : ", estimator.__doc__, flags=re.M)


def test_exceptions_are_documented():
    for name in exceptions.__all__:
        assert inspect.getdoc(getattr(exceptions, name))


def test_the_reference_is_what_the_docstrings_say():
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs/make_api.py")
    make_api = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_api)
    written = (ROOT / "docs/api.rst").read_text(encoding="utf-8")
    assert written == make_api.render(), "run: python docs/make_api.py"


def test_the_page_of_models_is_what_the_package_uses():
    path = ROOT / "docs/make_models.py"
    spec = importlib.util.spec_from_file_location("make_models", path)
    make_models = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_models)
    written = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    assert written == make_models.render(), "run: python docs/make_models.py"


@pytest.mark.parametrize(
    "page",
    sorted(ROOT.glob("docs/**/*.md")) + [ROOT / "README.md"],
    ids=lambda p: p.name,
)
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_no_print_no_assert_no_pickle_in_the_package():
    for path in sorted((ROOT / "sklearn_hypo").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*assert ", source, flags=re.M), path
        assert not re.search(r"^\s*(import|from) (pickle|dill)", source, flags=re.M)
