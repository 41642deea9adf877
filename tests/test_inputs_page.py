"""Each row of docs/inputs.md names a test that exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")


def read_rows():
    """Return the rows of all tables: lists of cells."""
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [
        [cell.strip() for cell in row]
        for row in rows
        if row[0].strip() not in ("input", "---")
    ]


def find_functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize("row", read_rows(), ids=lambda row: row[0][:60])
def test_each_row_has_its_test(row):
    given, happens, test = row
    assert given
    assert happens
    path, _, function = test.strip("`").partition("::")
    assert function.startswith("test_")
    assert function in find_functions(ROOT / "tests" / path)
