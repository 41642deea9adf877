"""The documents say what the code does: docstrings, reference, links."""

import ast
import importlib.util
import inspect
import json
import platform
import re
import tomllib
from importlib import metadata
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
# classes that are not made: their signature says (*args, **kwargs)
PROTOCOLS = [
    f"{thing.__module__}.{thing.__qualname__}"
    for thing in PUBLIC
    if getattr(thing, "_is_protocol", False)
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


@pytest.fixture(scope="module")
def checks():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return set(settings["tool"]["numpydoc_validation"]["checks"])


@pytest.mark.parametrize(
    "name", [name for thing in PUBLIC for name in documented(thing)]
)
def test_docstrings_follow_numpydoc(name, checks):
    validate = pytest.importorskip("numpydoc.validate").validate
    checks = checks - {"PR01"} if name in PROTOCOLS else checks
    errors = [error for error in validate(name)["errors"] if error[0] in checks]
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


def load_script(name):
    """Import a script of the documentation."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_reference_holds_every_public_name_once():
    """In the order in which the package lists them."""
    page = (ROOT / "docs/reference.rst").read_text(encoding="utf-8")
    tables = r"^\.\. autosummary::\n(?: {3}:.*\n)+\n((?: {3}\w+\n)+)"
    lists = re.findall(tables, page, flags=re.M)
    names = [name for listed in lists for name in listed.split()]
    expected = [*sklearn_hypo.__all__, *sorted(datasets.__all__), *exceptions.__all__]
    assert names == expected


def test_only_public_names_are_listed():
    assert set(dir(sklearn_hypo)) == {*sklearn_hypo.__all__, "__version__"}


def test_the_page_of_models_is_what_the_package_uses():
    written = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    assert written == load_script("make_models").render(), "run: make pages"


def skip_where_digits_differ():
    """Skip unless processor and packages are those of the documents."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    decisive = ("numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "torch")
    is_as_pinned = all(
        metadata.version(name).partition("+")[0] == pinned[name] for name in decisive
    )
    if platform.machine() not in ("x86_64", "AMD64") or not is_as_pinned:
        pytest.skip("the digits are those of the pinned packages on x86 processors")


def test_the_page_of_the_demo_shows_what_it_prints(tmp_path, capfd):
    """In a fresh process, quiet, for whatever hash seed."""
    script = load_script("make_printed")
    printed = script.run_demo(tmp_path)
    assert capfd.readouterr().err == ""
    figures = json.loads((tmp_path / "metrics.json").read_text("utf-8"))["holdout"]
    auc = figures["roc_auc_out_of_sample"]
    assert auc > 0.85, "the first result that anybody sees is a strong one"
    assert figures["n_significant"] >= 8
    assert f"Holdout ROC AUC of the hypotheses: {auc:.3f}" in printed
    assert max(map(len, printed.partition("\nHoldout")[0].splitlines())) <= 100
    assert str(tmp_path / "hypotheses.csv") in printed
    settings = json.loads((tmp_path / "settings.json").read_text("utf-8"))
    assert settings["dataset"] == "load_docstrings"
    skip_where_digits_differ()
    page = script.DEMO.read_text("utf-8")
    shown = script.shorten_demo(printed)
    assert page == script.render_page(page, shown), "run: make pages"


def test_pages_show_what_the_ten_lines_of_the_readme_print(capfd):
    script = load_script("make_printed")
    code, printed = script.run_example()
    assert capfd.readouterr().err == ""
    assert "* 3 of 3 significant" in printed
    assert f"({script.PICTURE.relative_to(ROOT)})" in script.README.read_text("utf-8")
    skip_where_digits_differ()
    example = script.shorten_example(printed)
    assert script.EXAMPLE.read_text("utf-8") == example, "run: make pages"
    picture = script.PICTURE.read_text("utf-8")
    assert picture == script.render_picture(example), "run: make pages"
    page = script.FIRST_RUN.read_text("utf-8")
    assert page == script.render_page(page, printed, code), "run: make pages"


def headings_of(page):
    """Return the anchors of a page: its headings as GitHub and MyST name them."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    headings = re.findall(r"(?m)^#+ (.+)", text)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize(
    "page",
    [*sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("*.md"))],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for path, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text):
        if not path.startswith(("http://", "https://", "mailto:")):
            target = page.parent / path if path else page
            assert target.exists(), path
            assert not anchor or anchor in headings_of(target), f"{path}#{anchor}"


def test_no_print_no_assert_no_pickle_in_the_package():
    for path in sorted((ROOT / "sklearn_hypo").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*assert ", source, flags=re.M), path
        assert not re.search(r"^\s*(import|from) (pickle|dill)", source, flags=re.M)


SCRIPTS = sorted(
    path
    for folder in ("benchmarks", "docs")
    for path in (ROOT / folder).rglob("*.py")
    if not path.relative_to(ROOT).parts[1].startswith(("auto_", "_build"))
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_import_what_the_package_has(script):
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "sklearn_hypo"
        ):
            module = importlib.import_module(node.module)
            for alias in node.names:
                found = hasattr(module, alias.name) or importlib.util.find_spec(
                    f"{node.module}.{alias.name}"
                )
                assert found, f"{node.module} has no {alias.name}"
