"""The how-to pages: tables are those of their command, calls fit the libraries."""

import ast
import importlib
import importlib.util
import inspect
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs/howto").glob("*.md"))
FENCE = re.compile(r"^( *)```python\n(.*?)^ *```", flags=re.M | re.S)


@pytest.fixture(scope="module")
def tables():
    path = ROOT / "docs/make_howto_tables.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_tables_are_those_of_the_command(tables):
    for name in tables.PAGES:
        written = (ROOT / "docs/howto" / name).read_text(encoding="utf-8")
        assert written == tables.render(name), "run: python docs/make_howto_tables.py"


def test_the_texts_that_a_plan_asks_for_are_those_of_the_formula(tables):
    """(z of the level + z of the power)² / (p (1 - p) d²), but for t in place of z."""
    from scipy.stats import norm

    planned = tables.plan(tables.make_pilot(), 0.2).table["texts_for_power"]
    z = norm.isf(0.05 / tables.N_HYPOTHESES / 2) + norm.ppf(tables.POWER)
    for prevalence, number in zip(tables.PREVALENCES, planned, strict=True):
        expected = z**2 / (prevalence * (1 - prevalence) * 0.2**2)
        assert number == pytest.approx(expected, rel=0.01)


# The code that is not run as examples are
BLOCKS = {
    f"{page.stem}-{number}": textwrap.dedent(code)
    for page in PAGES
    for number, (_, code) in enumerate(FENCE.findall(page.read_text("utf-8")))
    if not code.lstrip().startswith(">>>")
}


def known_names(tree):
    """Return what the imports of a block name; skip where a library is missing."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = pytest.importorskip(node.module)
            known |= {each.name: getattr(module, each.name) for each in node.names}
        elif isinstance(node, ast.Import):
            for each in node.names:
                module = pytest.importorskip(each.name)
                known[each.asname or each.name] = module
    return known


def find_called(function, known):
    """Return what is called and whether it is a method, as far as that is known."""
    if isinstance(function, ast.Name):
        return known.get(function.id), False
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        owner = known.get(function.value.id)
        if owner is not None:
            called = getattr(owner, function.attr)
            return called, inspect.isclass(owner) and inspect.isfunction(called)
    return None, False


@pytest.mark.parametrize("name", BLOCKS)
def test_calls_fit_the_signatures(name):
    """A name that is set to an instance stands for the class from then on."""
    tree = ast.parse(BLOCKS[name])
    known = known_names(tree)
    n_checked = 0
    for node in tree.body:
        for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
            called, is_method = find_called(call.func, known)
            if called is not None:
                positional = [None] * (len(call.args) + is_method)
                keywords = {each.arg: None for each in call.keywords}
                inspect.signature(called).bind(*positional, **keywords)
                n_checked += 1
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made = find_called(node.value.func, known)[0]
            if inspect.isclass(made):
                known |= {t.id: made for t in node.targets if isinstance(t, ast.Name)}
    assert n_checked > 0
