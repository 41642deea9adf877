"""A report as Markdown, LaTeX, CSV and JSON.

LaTeX is written here rather than by pandas, whose `to_latex` needs jinja2, which this
package does not depend on; a table with escapes and rules is short.
"""

import json

import numpy as np
import pandas as pd

from .._utils._files import atomic_path, write_text
from .._utils._printable import to_printable
from ._words import (
    condition_line,
    conditions,
    figure,
    flags,
    format_p,
    joint_effects,
    level,
    notes,
    numbers,
    overall_figures,
    permutation_line,
    title,
    words,
)

_FORMAT = "sklearn-hypo report"


_VERSION = 1

_INFINITE = {"Infinity": np.inf, "-Infinity": -np.inf}


_TABLES = ("overall", "by_class", "covariates", "usage")


# Not for JSON: the evidence holds texts, the data is what an audit bundle is for.
_LEFT_OUT = ("table", "details", "data", "redundancy")

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "`": r"\textasciigrave{}",
    "-": "{-}",  # no ligature: "--" would become a dash
    # after the end of a row these would be its options
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "²": r"\textsuperscript{2}",
    "−": r"\textminus{}",
    "…": r"\dots{}",
}


# Markdown -------------------------------------------------------------------------


def to_markdown(report):
    """Return the table and the overall figures as Markdown.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Returns
    -------
    text : str
        A table as GitHub, pandoc and others read it. In statements every character
        that would be markup is escaped.
    """
    header, *rows = _cells(report)
    sides = [":--", *("--:" for _ in header[1:])]
    lines = [_markdown_row(map(_markdown, row)) for row in (header, *rows)]
    lines.insert(1, _markdown_row(sides))
    below = [f"- {_markdown(line)}" for line in _remarks(report)]
    return "\n".join([_markdown(title(report)), "", *lines, "", *below]) + "\n"


def _markdown_row(cells):
    return f"| {' | '.join(cells)} |"


def _markdown(text):
    """A text in which nothing is markup: ASCII punctuation may always be escaped."""
    text = to_printable(text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in r"\`*_{}[]|#~!$" else c for c in text)


# LaTeX ----------------------------------------------------------------------------


def to_latex(report, caption=None, label=None):
    r"""Return the table as LaTeX, with the rules of the package booktabs.

    Parameters
    ----------
    report : HypothesisReport
        A report.
    caption : str or None, default=None
        Text of the caption, escaped here. None: title of the report, its correction
        and its overall figures.
    label : str or None, default=None
        For ``\ref``; None leaves it out.

    Returns
    -------
    text : str
        A table environment. Needs ``\usepackage{booktabs}`` and
        ``\usepackage{textcomp}``; emoji and the like need LuaLaTeX or XeLaTeX with a
        font that has them.
    """
    header, *rows = _cells(report)
    caption = _caption(report) if caption is None else caption
    sides = "p{0.36\\linewidth}" + "r" * (len(header) - 1)
    lines = [
        r"\begin{table}",
        r"\centering",
        f"\\caption{{{_latex(caption)}}}",
        *([f"\\label{{{_label(label)}}}"] if label is not None else []),
        r"\small",
        f"\\begin{{tabular}}{{{sides}}}",
        r"\toprule",
        _latex_row(header),
        r"\midrule",
        *map(_latex_row, rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _caption(report):
    figures = [
        f"{figure(f.value)}: {f.description}"
        for f in overall_figures(report)
        if not np.isnan(f.value)
    ]
    beside = [condition_line(report)] if condition_line(report) else []
    significant = f"* significant, {level(report)}"
    return ". ".join([title(report), significant, *beside, *figures])


def _latex_row(cells):
    return " & ".join(map(_latex, cells)) + r" \\"


def _latex(text):
    return "".join(_LATEX.get(c, c) for c in to_printable(text))


def _label(text):
    """A label, which must hold no markup: what could be is left out."""
    return "".join(c for c in to_printable(text) if c.isalnum() or c in ":-_./ ")


# The cells of both ----------------------------------------------------------------


def _cells(report):
    """Rows of strings, the header first: what a table in an article has."""
    table = report.table
    columns = {"Hypothesis": words(table, "hypothesis")}
    if any(words(table, "separation_class")):
        columns["Class"] = words(table, "separation_class")
    if "fidelity" in table:
        columns["Fidelity"] = _each("{:.2f}".format, table, "fidelity")
    columns["Prevalence"] = _each("{:.3f}".format, table, "prevalence")
    columns["n"] = _each("{:,.0f}".format, table, "n")
    columns["Separation"] = _estimates(table, "separation")
    for effect in joint_effects(report)[:2]:
        name = effect.name[0].upper() + effect.name[1:]
        columns[name] = _estimates(table, effect.column)
    columns["p, corrected"] = _each(format_p, table, "p_corrected")
    columns[""] = ["*" if flag else "" for flag in flags(table, "significant")]
    return [tuple(columns), *zip(*columns.values(), strict=True)]


def _each(shown, table, name):
    return ["" if np.isnan(value) else shown(value) for value in numbers(table, name)]


def _estimates(table, column):
    """Estimates, with their 95% intervals where the table has them."""
    ends = (numbers(table, column + end) for end in ("", "_lower", "_upper"))
    cells = []
    for value, lower, upper in zip(*ends, strict=True):
        cell = "" if np.isnan(value) else _signed(value)
        if cell and not np.isnan([lower, upper]).any():
            cell += f" [{_signed(lower)}, {_signed(upper)}]"
        cells.append(cell)
    return cells


def _signed(value):
    return figure(value).replace("-", "−")


def _remarks(report):
    lines = [
        f"* {report.n_significant} of {report.n_tested} significant in the joint "
        f"regression ({level(report)})"
    ]
    lines += [condition_line(report)] if condition_line(report) else []
    for f in overall_figures(report):
        interval = ""
        if not np.isnan([f.lower, f.upper]).any():
            interval = f" [{_signed(f.lower)}, {_signed(f.upper)}]"
        if not np.isnan(f.value):
            lines.append(f"{_signed(f.value)}{interval}: {f.description}")
    if permutation_line(report):
        lines.append(f"{format_p(report.permutation_p)}: {permutation_line(report)}")
    return lines + [f"{name}: {note}" for name, note, _ in notes(report)]


# CSV ------------------------------------------------------------------------------


def to_csv(report, path):
    """Write the table as a CSV file in UTF-8, all or nothing.

    Parameters
    ----------
    report : HypothesisReport
        A report.
    path : str or path-like
        Where to. Characters that UTF-8 cannot hold (lone surrogates) are written as
        their escapes.
    """
    with atomic_path(path) as unfinished:
        report.table.to_csv(
            unfinished, index=False, encoding="utf-8", errors="backslashreplace"
        )


# JSON -----------------------------------------------------------------------------


def to_json(report, path=None):
    """Return, or write, everything but texts and annotations as JSON.

    Parameters
    ----------
    report : HypothesisReport
        A report. If it holds its data, "settings" are the keywords of the test, and
        "conditions" tell of weights, fixed effects and covariates.
    path : str, path-like or None, default=None
        Where to write. None returns the text.

    Returns
    -------
    text : str or None
        ASCII, by escapes. NaN is null, infinite numbers are the strings "Infinity"
        and "-Infinity". None if it was written.

    See Also
    --------
    table_from_json : Reads the table back, to the last bit.
    """
    values = {"format": _FORMAT, "version": _VERSION}
    values |= {
        name: plain_value(value)
        for name, value in vars(report).items()
        if name not in (*_TABLES, *_LEFT_OUT)
    }
    for name in _TABLES:
        table = getattr(report, name, None)
        values[name] = None if table is None else records(table)
    values["redundancy"] = _redundancy(getattr(report, "redundancy", None))
    data = getattr(report, "data", None)
    if data is not None:
        values["settings"] = plain_value(data.settings)
        values["conditions"] = conditions(report)
    values["dtypes"] = {str(n): str(t) for n, t in report.table.dtypes.items()}
    values["hypotheses"] = records(report.table)
    text = json.dumps(values, indent=1, allow_nan=False) + "\n"
    if path is None:
        return text
    write_text(path, text)
    return None


def table_from_json(text):
    """Return the table of a report from what `to_json` returned or wrote.

    Parameters
    ----------
    text : str
        The JSON.

    Returns
    -------
    table : DataFrame
        Equal to the table of the report, dtypes included.

    Raises
    ------
    ValueError
        If the text is no such JSON.
    """
    values = json.loads(text)
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise ValueError(f'This is no JSON of a report: no "format": "{_FORMAT}".')
    columns = {
        name: _column([row[name] for row in values["hypotheses"]], dtype)
        for name, dtype in values["dtypes"].items()
    }
    return pd.DataFrame(columns)


def _column(values, dtype):
    if dtype.startswith("float"):
        values = [np.nan if v is None else _INFINITE.get(v, v) for v in values]
    return pd.Series(values, dtype=dtype)


def records(table):
    """Return one dict per row, of values that JSON can hold."""
    return [
        {str(name): plain_value(value) for name, value in record.items()}
        for record in table.to_dict("records")
    ]


def plain_value(value):
    """Return a value, and everything in it, as JSON can hold it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return _plain_float(value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {str(key): plain_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain_value(each) for each in value]
    return None if value is pd.NA or value is pd.NaT else str(value)


def _plain_float(value):
    if np.isfinite(value):
        return value
    return None if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _redundancy(found):
    """The pairs and the effective number; the matrices are computed again easily."""
    if found is None:
        return None
    pairs = getattr(found, "pairs", None)
    return {
        "n_effective": plain_value(getattr(found, "n_effective", None)),
        "pairs": None if pairs is None else records(pairs),
    }
