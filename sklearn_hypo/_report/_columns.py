"""The columns of a report's table, one row each: all that shows them reads this.

A new column is a row of `COLUMNS`, in its place, and the line that computes it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._hypotheses._hypothesis import join_name
from ._formats import (
    format_count,
    format_f1,
    format_interval,
    format_number,
    format_p,
    format_share,
    typeset_minus,
)


@dataclass(frozen=True)
class Column:
    """A column of the table: its name, its format, and a heading for each place.

    Parameters
    ----------
    name : str
        Its name in the table. Its bounds end in "_lower" and "_upper".
    format : callable, default=format_number
        From a number to a text; words are shown as they are.
    terminal, article, page : str, default=""
        Headings in terminal and notebook, in Markdown and LaTeX, and in the table of
        the page. Empty: it does not show there. CSV and JSON hold every column. A
        terminal has room for the interval where the heading has "[95%]".
    effect, basis : str, default=""
        The same in full, with "{unit}" for that of the target, or "{tested}" for texts
        or pairs: among the effects of one hypothesis on the page, or below what they
        rest on.
    rank : int, default=0
        Joint effects alone: which of them a place with few columns takes first.
    neutral : float, default=0.0
        The value that means no effect.
    """

    name: str
    format: Callable = format_number
    terminal: str = ""
    article: str = ""
    page: str = ""
    effect: str = ""
    basis: str = ""
    rank: int = 0
    neutral: float = 0.0


# In the order of the table. A column of an interval shows together with its estimate.
COLUMNS = (
    Column("neuron", basis="neuron"),
    Column("hypothesis", terminal="hypothesis", article="Hypothesis"),
    Column(
        "fidelity",
        format_f1,
        terminal="fid.",
        article="Fidelity",
        page="Fidelity",
        basis="fidelity (F1, words for neuron)",
    ),
    Column("found", basis="fits of the autoencoder that have its neuron"),
    Column("n", format_count, article="n", basis="{tested} with an answer"),
    Column("missing", format_count, basis="texts without an answer"),
    Column(
        "agreement",
        format_f1,
        terminal="agr.",
        article="Agreement",
        page="Agreement",
        basis="agreement of the annotators (Krippendorff's alpha)",
    ),
    Column(
        "share_asked",
        format_share,
        basis="share of texts put to the dear annotator of the cascade",
    ),
    Column(
        "rate_upper",
        format_share,
        basis="share of the confident others it would answer otherwise, at most",
    ),
    Column(
        "prevalence",
        format_share,
        terminal="prev.",
        article="Prevalence",
        page="Share",
        basis="share of texts that have it",
    ),
    Column(
        "separation",
        terminal="separation",
        article="Separation",
        page="Alone",
        effect="separation, alone ({unit})",
    ),
    Column("separation_se"),
    Column("separation_lower"),
    Column("separation_upper"),
    Column("separation_simultaneous_lower"),
    Column("separation_simultaneous_upper"),
    Column("separation_p", format_p, effect="p alone"),
    Column("separation_df"),
    Column(
        "separation_p_corrected", format_p, terminal="p", effect="p alone, corrected"
    ),
    Column("separation_std", effect="separation, per sd of {target}"),
    Column(
        "separation_adjusted",
        effect="separation, covariates held fixed ({unit})",
    ),
    Column("separation_adjusted_lower"),
    Column("separation_adjusted_upper"),
    Column("separation_adjusted_p", format_p),
    Column(
        "separation_adjusted_p_corrected",
        format_p,
        effect="p alone, covariates held fixed, corrected",
    ),
    Column("n_discordant", format_count, basis="pairs whose members differ in it"),
    Column("separation_class", article="Class", effect="class"),
    Column("separation_worst_lower"),
    Column("separation_worst_upper"),
    Column(
        "coef",
        terminal="joint coef [95%]",
        article="Joint coef",
        page="Joint coef",
        effect="joint coefficient ({coefficient})",
        rank=3,
    ),
    Column("coef_se"),
    Column("coef_lower"),
    Column("coef_upper"),
    Column("coef_simultaneous_lower"),
    Column("coef_simultaneous_upper"),
    Column("coef_p", format_p, effect="p beside the others"),
    Column("coef_df", format_count, basis="degrees of freedom"),
    Column("coef_std", effect="joint coefficient, standardised"),
    Column(
        "odds_ratio",
        terminal="odds ratio [95%]",
        article="Odds ratio",
        page="Odds ratio",
        effect="joint odds ratio",
        rank=2,
        neutral=1.0,
    ),
    Column("odds_ratio_lower"),
    Column("odds_ratio_upper"),
    Column(
        "rate_ratio",
        terminal="rate ratio [95%]",
        article="Rate ratio",
        page="Rate ratio",
        effect="joint rate ratio",
        rank=4,
        neutral=1.0,
    ),
    Column("rate_ratio_lower"),
    Column("rate_ratio_upper"),
    Column(
        "cumulative_odds_ratio",
        terminal="cum. odds ratio [95%]",
        article="Cumulative odds ratio",
        page="Cum. odds ratio",
        effect="joint cumulative odds ratio",
        rank=4,
        neutral=1.0,
    ),
    Column("cumulative_odds_ratio_lower"),
    Column("cumulative_odds_ratio_upper"),
    Column(
        "ame",
        terminal="joint effect [95%]",
        article="Joint effect",
        page="Joint effect",
        effect="average marginal effect ({unit})",
        rank=1,
    ),
    Column("ame_se"),
    Column("ame_lower"),
    Column("ame_upper"),
    Column(
        "coef_length_fixed",
        effect="joint coefficient, length held fixed ({coefficient})",
    ),
    Column("coef_length_fixed_lower"),
    Column("coef_length_fixed_upper"),
    Column("coef_length_fixed_p", format_p),
    Column(
        "coef_length_fixed_p_corrected",
        format_p,
        effect="p beside the others, length held fixed, corrected",
    ),
    Column("moderator_p", format_p),
    Column(
        "moderator_p_corrected",
        format_p,
        effect="p of the effect being alike in all groups, corrected",
    ),
    Column("vif", basis="variance inflation"),
    Column(
        "p_corrected",
        format_p,
        terminal="joint p",
        article="p, corrected",
        page="Joint p",
        effect="p beside the others, corrected",
    ),
    Column("significant"),
    Column("method", basis="method of the joint regression"),
    Column(
        "annotators_agree",
        format_share,
        terminal="alike",
        article="Alike",
        page="Alike",
        basis="share of annotators with the same verdict",
    ),
    Column("annotators_smallest", effect="smallest effect over annotators"),
    Column("annotators_largest", effect="largest effect over annotators"),
    Column("annotators_sd", effect="sd of the effect over annotators"),
    Column("annotators_p_smallest", format_p, effect="smallest p over annotators"),
    Column("annotators_p_largest", format_p, effect="largest p over annotators"),
    Column("naive_lower"),
    Column("naive_upper"),
    Column("naive_p", format_p, effect="p corrected, were no other annotator to be"),
    Column("duplicate_of"),
    Column("note"),
    Column("reversed"),
    Column("name"),
    Column("measure"),
    Column("threshold"),
    Column("terms"),
)

# No token of a term is followed by it: ";)" has no blank, and words have no ";".
_BETWEEN_TERMS = "; "

# How many joint effects a place has room for.
_N_JOINT = {"terminal": 1, "article": 2, "page": 2}


def order_columns(table):
    """Return the table of a report with its columns in the order of `COLUMNS`.

    Parameters
    ----------
    table : DataFrame
        Columns in any order; not all need be there.

    Returns
    -------
    ordered : DataFrame
        The same columns.

    Raises
    ------
    KeyError
        For a column that `COLUMNS` does not hold.
    """
    place = {column.name: number for number, column in enumerate(COLUMNS)}
    return table[sorted(table.columns, key=place.__getitem__)]


def list_columns(report, place):
    """Return the columns of a report's table that show in a place, in order.

    Parameters
    ----------
    report : HypothesisReport
        A report.
    place : {"terminal", "article", "page", "effect", "basis"}
        Where.

    Returns
    -------
    columns : list of Column
        Those with a heading there that are in the table; joint effects, as many as
        there is room for.
    """
    joint = [c for c in rank_joint_effects(report) if getattr(c, place)]
    joint = joint[: _N_JOINT.get(place)]
    columns = []
    for column in COLUMNS:
        if column.rank:  # the first of them makes place for all
            columns += [] if set(joint) & set(columns) else joint
        elif getattr(column, place) and column.name in report.table:
            columns.append(column)
    return columns


def rank_joint_effects(report):
    """Return the joint effects that a report has values of, the most readable first."""
    table = report.table
    found = [
        column
        for column in COLUMNS
        if column.rank and column.name in table and table[column.name].notna().any()
    ]
    return sorted(found, key=lambda column: column.rank)


def read_floats(table, name):
    """Return a column as floats; NaN throughout if the table does not have it."""
    if name not in table:
        return np.full(len(table), np.nan)
    return table[name].to_numpy(dtype=float)


def read_strings(table, name):
    """Return a column as strings; empty for None, and if the table does not have it."""
    if name not in table:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value) for value in table[name]]


def join_terms(terms):
    """Return the terms of a hypothesis as one text, for a table."""
    return _BETWEEN_TERMS.join(terms)


def split_terms(text):
    """Return the terms that `join_terms` joined."""
    return tuple(text.split(_BETWEEN_TERMS)) if text else ()


def read_labels(table):
    """Return the hypotheses as they are shown: after their names, if they have some."""
    names = read_strings(table, "name")
    statements = read_strings(table, "hypothesis")
    return [join_name(*pair) for pair in zip(names, statements, strict=True)]


def read_estimates(table, column):
    """Return estimates, lower and upper bounds of a column; NaN where it has none."""
    return tuple(read_floats(table, column.name + e) for e in ("", "_lower", "_upper"))


def format_cells(table, column, *, missing, typeset=False):
    """Return the cells of a column as texts, each with the interval around it.

    Parameters
    ----------
    table : DataFrame
        Of a report.
    column : Column
        One of its columns.
    missing : str
        What stands for NaN.
    typeset : bool, default=False
        Whether numbers have a true minus.

    Returns
    -------
    cells : list of (str, str)
        Value and interval of each row; empty where there is no interval.
    """
    if column.name == "hypothesis":
        return [(label, "") for label in read_labels(table)]
    if table[column.name].dtype.kind not in "fiu":
        return [(text, "") for text in read_strings(table, column.name)]
    cells = [
        (missing, "")
        if np.isnan(value)
        else (column.format(value), format_interval(*bounds))
        for value, *bounds in zip(*read_estimates(table, column), strict=True)
    ]
    return [tuple(map(typeset_minus, cell)) for cell in cells] if typeset else cells
