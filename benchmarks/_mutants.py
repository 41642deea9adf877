"""Single deliberate errors in source code: where they can be made, how they read."""

import ast
import re
from typing import NamedTuple

_SWAPS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}

# Words and figures that are read by people only, or by type checkers
_UNTOUCHED = (ast.Raise, ast.JoinedStr, ast.AnnAssign)
_TELLING = {"warn", "say", "ValueError", "TypeError"}
_SYMMETRIC = {"max", "min", "maximum", "minimum", "fmax", "fmin", "hypot"}
_NAME = re.compile(r"[a-z_][a-z0-9_]*")  # of a column, a keyword, a kind


class Mutant(NamedTuple):
    """One error: the span of the source that it replaces, and by what."""

    path: str
    function: str
    lines: tuple
    start: int
    end: int
    operator: str
    before: str
    after: str

    @property
    def key(self):
        """Names the error whatever the lines around it."""
        where = f"{self.path}::{self.function}"
        change = f"{_brief(self.before)} → {_brief(self.after)}"
        return f"{where}::{self.operator}::{change}"

    def plant(self, source):
        """Return the source with the error."""
        text = source.encode()
        return (text[: self.start] + self.after.encode() + text[self.end :]).decode()


def _brief(text, length=120):
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= length else text[: length - 1] + "…"


def find_mutants(path, source):
    """List all errors of known kinds that can be planted in a module.

    Docstrings, messages of errors and warnings, prose and annotations are left alone:
    a change of them changes what is said, not what is done.

    Parameters
    ----------
    path : str
        Of the module, for the record.
    source : str
        Its text.

    Returns
    -------
    mutants : list of Mutant
        In the order of the source.
    """
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    found = {(m.start, m.end, m.after): m for m in finder.mutants}
    return sorted(found.values(), key=lambda m: (m.start, m.end, m.after))


def code_lines(source):
    """Count the lines that hold code: neither blank, nor comment, nor docstring."""
    tree, lines = ast.parse(source), set()
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not is_text:
            lines.add(node.lineno)
        elif isinstance(node, ast.expr) and not isinstance(node, ast.Constant):
            lines.update((node.lineno, node.end_lineno))
    return len(lines)


class _Finder(ast.NodeVisitor):
    def __init__(self, path, source):
        self._path, self._bytes = path, source.encode()
        widths = [len(line) for line in self._bytes.splitlines(keepends=True)]
        self._starts = [0]
        for width in widths:
            self._starts.append(self._starts[-1] + width)
        self._functions, self.mutants = [], []

    def _add(self, node, operator, after):
        """Plant `after`, an expression or a text, in the place of a node."""
        start = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[node.end_lineno - 1] + node.end_col_offset
        before = self._bytes[start:end].decode()
        after = after if isinstance(after, str) else f"({ast.unparse(after)})"
        name = ".".join(self._functions) or "module"
        if re.sub(r"[\s()]", "", before) == re.sub(r"[\s()]", "", after):
            return  # the same again, such as swapped arguments that are equal
        lines = (node.lineno, node.end_lineno)
        self.mutants.append(
            Mutant(self._path, name, lines, start, end, operator, before, after)
        )

    def visit(self, node):
        if isinstance(node, _UNTOUCHED):
            return
        if isinstance(node, ast.Call) and _called(node) in _TELLING:
            return
        super().visit(node)

    def _visit_body(self, node):
        self._functions.append(node.name)
        arguments = getattr(node, "args", None)
        defaults = [*arguments.defaults, *arguments.kw_defaults] if arguments else []
        for child in [*defaults, *node.body]:  # neither decorators nor annotations
            if child is not None:
                self.visit(child)
        self._functions.pop()

    visit_FunctionDef = visit_ClassDef = _visit_body

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Constant):
            return
        self._add(node, "statement removed", "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        self._add(node, "statement removed", "pass")
        swapped = _SWAPS.get(type(node.op))
        if swapped:
            parts = ast.AugAssign(node.target, swapped[0](), node.value)
            self._add(node, "arithmetic swapped", ast.unparse(parts))
        self.generic_visit(node)

    def visit_Assign(self, node):
        if isinstance(node.targets[0], ast.Subscript):
            self._add(node, "statement removed", "pass")
        self.generic_visit(node)

    def visit_Continue(self, node):
        self._add(node, "statement removed", "pass")

    def visit_Return(self, node):
        if node.value is not None and not _is_none(node.value):
            self._add(node, "returns None", "return None")
        self.generic_visit(node)

    def _visit_test(self, node):
        self._add(node.test, "condition negated", ast.UnaryOp(ast.Not(), node.test))
        self.generic_visit(node)

    visit_If = visit_While = visit_IfExp = _visit_test

    def visit_Compare(self, node):
        for i, op in enumerate(node.ops):
            for other in _SWAPS.get(type(op), ()):
                ops = [*node.ops[:i], other(), *node.ops[i + 1 :]]
                swapped = ast.Compare(node.left, ops, node.comparators)
                self._add(node, "comparison swapped", swapped)
        self.generic_visit(node)

    def visit_BinOp(self, node):
        for other in _SWAPS.get(type(node.op), ()):
            swapped = ast.BinOp(node.left, other(), node.right)
            self._add(node, "arithmetic swapped", swapped)
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        for other in _SWAPS[type(node.op)]:
            self._add(node, "and/or swapped", ast.BoolOp(other(), node.values))
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.USub | ast.Not | ast.Invert):
            self._add(node, "sign or not dropped", node.operand)
        self.generic_visit(node)

    def visit_Constant(self, node):
        value = node.value
        if isinstance(value, bool):
            self._add(node, "constant changed", str(not value))
        elif isinstance(value, int):
            for other in (value + 1, value - 1):
                self._add(node, "constant changed", f"({other})")
        elif isinstance(value, float):
            self._add(node, "constant changed", f"({value * 2 + (value == 0)})")
        elif isinstance(value, str) and _NAME.fullmatch(value):
            self._add(node, "name changed", repr(f"{value}x"))

    def visit_Subscript(self, node):
        bounds = node.slice
        if isinstance(bounds, ast.Slice):
            for name in ("lower", "upper"):
                if getattr(bounds, name) is not None:
                    parts = {"lower": bounds.lower, "upper": bounds.upper}
                    whole = ast.Slice(**(parts | {name: None}), step=bounds.step)
                    cut = ast.Subscript(node.value, whole, ast.Load())
                    self._add(node, "slice bound dropped", ast.unparse(cut))
        self.generic_visit(node)

    def visit_Call(self, node):
        for i, word in enumerate(node.keywords):
            if word.arg is not None:
                rest = [*node.keywords[:i], *node.keywords[i + 1 :]]
                call = ast.Call(node.func, node.args, rest)
                self._add(node, "keyword dropped", ast.unparse(call))
        plain = not any(isinstance(each, ast.Starred) for each in node.args[:2])
        if len(node.args) > 1 and plain and _called(node) not in _SYMMETRIC:
            swapped = [node.args[1], node.args[0], *node.args[2:]]
            call = ast.Call(node.func, swapped, node.keywords)
            self._add(node, "arguments swapped", ast.unparse(call))
        self.generic_visit(node)


def _called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def _is_none(node):
    return isinstance(node, ast.Constant) and node.value is None
