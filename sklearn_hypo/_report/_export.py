"""A report as Markdown, LaTeX, CSV and JSON."""

import json
import re

import numpy as np
import pandas as pd

from .._annotation._dictionaries import write_dictionary
from .._hypotheses._hypothesis import Hypothesis
from .._utils._files import atomic_path, write_text
from .._utils._json import to_json_value
from .._utils._printable import to_printable
from ._by_annotator import write_side_by_side
from ._columns import (
    format_cells,
    list_columns,
    read_floats,
    read_labels,
    read_strings,
    split_terms,
)
from ._formats import typeset_minus
from ._words import (
    describe_annotators,
    describe_conditions,
    describe_level,
    describe_near_duplicate_texts,
    describe_sample,
    describe_success,
    describe_training_texts,
    group_notes,
    list_conditions,
    list_figures,
    list_remarks,
    mark_findings,
)

_FORMAT = "sklearn-hypo report"

_VERSION = 1

_INFINITE = {"Infinity": np.inf, "-Infinity": -np.inf}

_TABLES = (
    *("overall", "by_class", "by_annotator", "by_moderator", "covariates"),
    "usage",
)


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
    "²": r"\textsuperscript{2}",
    "−": r"\textminus{}",
    "…": r"\dots{}",
}


_LATEX_NOTE = r"""
\smallskip
\begin{minipage}{\linewidth}
\footnotesize
%s
\end{minipage}
\end{table}"""


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
    lines = [_escape_markdown(describe_sample(report)), ""]
    lines += _markdown_table(_article_cells(report))
    lines += ["", *(f"- {_escape_markdown(each)}" for each in _article_remarks(report))]
    if report.by_annotator is not None:
        lines += ["", *_markdown_table(_annotator_cells(report))]
    return "\n".join(lines) + "\n"


def _markdown_table(cells):
    """The lines of a table, the first of whose rows is its header."""
    lines = [_markdown_row(map(_escape_markdown, row)) for row in cells]
    sides = [":--", *("--:" for _ in cells[0][1:])]
    return [lines[0], _markdown_row(sides), *lines[1:]]


def _markdown_row(cells):
    return f"| {' | '.join(cells)} |"


def _escape_markdown(text):
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
        Text of the caption, escaped here. None: what was tested on which texts.
    label : str or None, default=None
        For ``\ref``; None leaves it out.

    Returns
    -------
    text : str
        A table environment. Below the table a note says what a star means, under
        which conditions, and the overall figures. Needs ``\usepackage{booktabs}`` and
        ``\usepackage{textcomp}``; emoji and the like need LuaLaTeX or XeLaTeX with a
        font that has them.
    """
    header, *rows = _article_cells(report)
    cells = pd.DataFrame(rows, columns=list(map(_escape_latex, header)), dtype=object)
    small = {"selector": "small", "props": ":;"}
    with pd.option_context("styler.format.escape", None):
        style = cells.map(_escape_latex).style.hide(axis="index")
        text = style.set_table_styles([small]).to_latex(
            column_format="p{0.36\\linewidth}" + "r" * (len(header) - 1),
            position_float="centering",
            hrules=True,
            label=None if label is None else _clean_label(label),
            caption=_escape_latex(
                describe_sample(report) if caption is None else caption
            ),
            environment="table",
        )
    note = _LATEX_NOTE % _escape_latex(_write_note(report))
    return text.replace(r"\end{table}", note)


def _write_note(report):
    figures = [
        f"{typeset_minus(f.value)}: {f.description}" for f in list_figures(report)
    ]
    conditions = [
        describe_annotators(report),
        describe_training_texts(report),
        describe_near_duplicate_texts(report),
        describe_conditions(report),
    ]
    conditions = list(filter(None, conditions))
    significant = f"* significant, {describe_level(report)}"
    return ". ".join([f"Note. {significant}", *conditions, *figures]) + "."


def _escape_latex(text):
    text = "".join(_LATEX.get(c, c) for c in to_printable(text))
    text = re.sub("-(?=-)", "{-}", text)  # "--" would become a dash
    # after the end of a row these would be its options
    return re.sub(r"^(\s*)([\[*])", r"\1{\2}", text)


def _clean_label(text):
    """A label, which must hold no markup: what could be is left out."""
    return "".join(c for c in to_printable(text) if c.isalnum() or c in ":-_./ ")


# What both show -------------------------------------------------------------------


def _article_cells(report):
    """Rows of strings, the header first: what a table in an article has."""
    columns = []
    for column in list_columns(report, "article"):
        rows = format_cells(report.table, column, missing="", typeset=True)
        columns.append([column.article, *(" ".join(row).rstrip() for row in rows)])
    columns.append(["", *mark_findings(report)])
    return list(zip(*columns, strict=True))


def _annotator_cells(report):
    """Rows of strings, the header first: what each annotator's own test found."""
    cells = write_side_by_side(report.by_annotator).map(typeset_minus)
    labels = read_labels(report.table)
    rows = zip(labels, *(cells[name] for name in cells), strict=True)
    return [("By annotator (p, corrected)", *cells.columns), *rows]


def _article_remarks(report):
    lines = [f"* {describe_success(report)}", describe_conditions(report)]
    for figure in list_figures(report):
        value = typeset_minus(f"{figure.value} {figure.interval}".rstrip())
        lines.append(f"{value}: {figure.description}")
    lines += list_remarks(report)
    lines += [f"{note}: {names}" for note, _, names, _ in group_notes(report)]
    return list(filter(None, lines))


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


# Dictionaries ---------------------------------------------------------------------


def to_dictionary(report, path, format):
    """Write the terms of the hypotheses; see `HypothesisReport.to_dictionary`."""
    table = report.table
    columns = (
        read_strings(table, "hypothesis"),
        map(split_terms, read_strings(table, "terms")),
        np.nan_to_num(read_floats(table, "threshold")).tolist(),
        read_strings(table, "name"),
        [detail.tokenizer for detail in report.details or ()] or [""] * len(table),
    )
    hypotheses = [
        Hypothesis(
            statement, terms=terms, threshold=threshold, name=name, tokenizer=tokenizer
        )
        for statement, terms, threshold, name, tokenizer in zip(*columns, strict=True)
    ]
    return write_dictionary(
        hypotheses, path, format=format, caller="HypothesisReport.to_dictionary"
    )


# JSON -----------------------------------------------------------------------------


def to_json(report, path=None):
    """Return, or write, everything but texts and annotations as JSON.

    Parameters
    ----------
    report : HypothesisReport
        A report. "settings" are the keywords of the test, and "conditions" tell of
        weights, fixed effects and covariates.
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
        name: to_json_value(value)
        for name, value in vars(report).items()
        if name not in (*_TABLES, *_LEFT_OUT)
    }
    for name in _TABLES:
        table = getattr(report, name)
        values[name] = None if table is None else _list_records(table)
    found = report.redundancy
    values["redundancy"] = found and {
        "n_effective": to_json_value(found.n_effective),
        "pairs": _list_records(found.pairs),
    }
    values["settings"] = to_json_value(report.data.settings)
    values["conditions"] = list_conditions(report)
    values["dtypes"] = {str(n): str(t) for n, t in report.table.dtypes.items()}
    values["hypotheses"] = _list_records(report.table)
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
        name: _read_column([row[name] for row in values["hypotheses"]], dtype)
        for name, dtype in values["dtypes"].items()
    }
    return pd.DataFrame(columns)


def _read_column(values, dtype):
    if dtype.startswith("float"):
        values = [np.nan if v is None else _INFINITE.get(v, v) for v in values]
    return pd.Series(values, dtype=dtype)


def _list_records(table):
    return [to_json_value(record) for record in table.to_dict("records")]
