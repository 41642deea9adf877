"""The floor plan: imports go down, from room to room and from module to module."""

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "sklearn_hypo"

# From the top down. What stands on one line may not import each other.
FLOORS = (
    {"__main__"},
    {"_cli"},
    {"__init__"},
    {"_pipeline"},
    {"_evaluation", "_replication", "_annotation_error", "_planning"},
    {"_report"},
    {"_displays", "_inference", "_extraction"},
    {"_interpretation"},
    {"_annotation"},
    {"_embedding", "_autoencoder", "_selection"},
    {"_language_models", "_style", "_reading", "datasets"},
    {"_data_preparation"},
    {"_hypotheses"},
    {"_utils"},
    {"exceptions"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def read_imports(package):
    """Return the own modules that each module imports, anywhere in it."""
    files = [
        (path.relative_to(package).with_suffix("").parts, path)
        for path in (*package.rglob("*.py"), *package.rglob("*.pyi"))
    ]
    paths = dict(files)
    imports = defaultdict(set)
    for module, path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                above = module[: len(module) - node.level]
                base = (*above, *(node.module.split(".") if node.module else ()))
                for alias in node.names:
                    name = (*base, alias.name)
                    candidates = (name, (*name, "__init__"), base, (*base, "__init__"))
                    imports[module].add(next(c for c in candidates if c in paths))
    return imports


IMPORTS = read_imports(PACKAGE)


def room_of(module):
    return module[0]


def test_the_root_holds_rooms_only():
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    modules = {"__init__.py", "__main__.py", "_pipeline.py", "exceptions.py"}
    assert files == modules | {"__init__.pyi"}  # names of `__init__`, imported lazily
    rooms = {path.name for path in PACKAGE.iterdir() if any(path.glob("*.py"))}
    assert rooms | {Path(file).stem for file in files} == set(FLOOR)


@pytest.mark.parametrize("room", sorted(FLOOR))
def test_imports_go_down(room):
    upward = [
        f"{'.'.join(module)} imports {'.'.join(target)}"
        for module, targets in IMPORTS.items()
        for target in targets
        if room_of(module) == room != room_of(target)
        and FLOOR[room_of(target)] <= FLOOR[room]
    ]
    assert upward == []


def test_no_module_imports_itself_on_the_way_down():
    try:
        tuple(TopologicalSorter(IMPORTS).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(".".join(module) for module in error.args[1]))


def test_imports_that_go_up_are_seen(tmp_path):
    for room in ("_report", "_inference"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    up = "def f():\n    from .._report._words import unit\n"
    (tmp_path / "_inference" / "_tests.py").write_text(up)
    (tmp_path / "_report" / "_words.py").touch()
    assert read_imports(tmp_path) == {("_inference", "_tests"): {("_report", "_words")}}


@pytest.mark.parametrize("room", sorted(room for room in FLOOR if room[0] == "_"))
def test_each_room_says_what_comes_in_and_where_to_start(room):
    path = PACKAGE / room / "__init__.py"
    if not path.exists():
        return
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    text = " ".join(text.split())
    assert "Open `_" in text
    first = text.split("Open `")[1].split("`")[0]
    assert (path.parent / f"{first}.py").exists()
