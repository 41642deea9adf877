"""What a report says in words and figures, whatever shows it: text, page or file.

Everything here copes with what a report lacks: columns that do not apply, figures
that could not be computed, settings of an older version.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._language_models._usage_table import format_usage
from .._utils._printable import to_printable

# Below this a p-value is no longer a number that anyone should read.
_SMALLEST_P = 1e-300


_NAMED = 5  # covariates on one line

_ERRORS = {
    "HC3": "robust to unequal spread (HC3)",
    "cluster": "clustered by group",
    "HC2": "robust to unequal spread (HC2)",
    "nonrobust": "those of the model (independent rows)",
}


# Numbers --------------------------------------------------------------------------


def figure(value):
    """A number with three decimals, unless its size asks for fewer, or for powers.

    Parameters
    ----------
    value : float
        Any number.

    Returns
    -------
    text : str
        Short.

    Examples
    --------
    >>> from sklearn_hypo._report._words import figure
    >>> [figure(value) for value in (0.12345, -2e-7, 1234.56, 3e9)]
    ['0.123', '-2.0e-07', '1234.6', '3.0e+09']
    """
    size = abs(value)
    if value and (size < 1e-3 or size >= 1e5):
        return f"{value:.1e}"
    return f"{value:.3f}" if not size >= 1000 else f"{value:.1f}"


def format_p(p):
    """A p-value in at most seven characters."""
    if np.isnan(p):
        return "nan"
    if p < _SMALLEST_P:
        return f"<{_SMALLEST_P:.0e}"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def with_interval(value, lower, upper):
    """A number with the interval around it, where it has one.

    Parameters
    ----------
    value, lower, upper : float
        The estimate and its bounds; NaN bounds are left out.

    Returns
    -------
    text : str
        Such as "0.85 [0.77, 0.93]".

    Examples
    --------
    >>> from sklearn_hypo._report._words import with_interval
    >>> with_interval(0.85, 0.77, 0.93), with_interval(0.85, float("nan"), 0.9)
    ('0.850 [0.770, 0.930]', '0.850')
    """
    if np.isnan([lower, upper]).any():
        return figure(value)
    return f"{figure(value)} [{figure(lower)}, {figure(upper)}]"


def shortened(text, length):
    """The text on one line of at most so many characters."""
    text = to_printable(text)
    return text if len(text) <= length else text[: length - 1] + "…"


# The table ------------------------------------------------------------------------


def numbers(table, name):
    """A column as floats; NaN where a value, or the whole column, is not there.

    Parameters
    ----------
    table : DataFrame
        Any table.
    name : str
        A column it may have.

    Returns
    -------
    values : ndarray of shape (n_rows,)
        Floats.
    """
    if name not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)


def words(table, name):
    """A column as strings; empty where a value, or the whole column, is not there."""
    if name not in table:
        return [""] * len(table)
    return ["" if _is_nothing(value) else str(value) for value in table[name]]


def flags(table, name):
    """A column as bools; False where a value, or the whole column, is not there."""
    if name not in table:
        return np.zeros(len(table), dtype=bool)
    return np.array([not _is_nothing(v) and bool(v) for v in table[name]], dtype=bool)


def _is_nothing(value):
    return value is None or (pd.api.types.is_scalar(value) and pd.isna(value))


@dataclass(frozen=True)
class Effect:
    """A column of the table that is an effect, with what a reader should call it.

    Parameters
    ----------
    column : str
        Its name; the bounds end in _lower and _upper.
    name : str
        Short, for the head of a table.
    axis : str
        In full, with the unit.
    nothing : float
        The value that means no effect.
    """

    column: str
    name: str
    axis: str
    nothing: float = 0.0

    def of(self, table):
        """Estimates, lower bounds and upper bounds."""
        return tuple(
            numbers(table, self.column + end) for end in ("", "_lower", "_upper")
        )


def unit(report):
    """What one unit of a separation is."""
    classes = getattr(report, "classes", None)
    if classes is None:
        return "units of y"
    return f"share of {_label(classes[1])}" if len(classes) == 2 else "share of class"


def separation(report):
    """The effect of a hypothesis taken alone."""
    return Effect(
        "separation", "separation", f"separation, alone ({unit(report)}), 95% interval"
    )


def joint_effects(report):
    """What the joint regression says, the most readable form first.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Returns
    -------
    effects : list of Effect
        Those that the table has a value of. The first whose unit is that of the
        separation, if there is one, comes first.
    """
    table = report.table
    if report.task == "regression":
        found = [Effect("coef", "joint coef", "joint coefficient (units of y)")]
    else:
        found = [
            Effect("ame", "joint effect", f"average marginal effect ({unit(report)})"),
            Effect("odds_ratio", "odds ratio", "joint odds ratio", 1.0),
            Effect("coef", "joint coef", "joint coefficient (log odds)"),
        ]
    return [e for e in found if e.column in table and table[e.column].notna().any()]


def _label(value):
    return to_printable(repr(value))


# Sentences ------------------------------------------------------------------------


def title(report):
    """How many hypotheses met how many texts."""
    n, of_what = len(report.table), report.task
    many = "hypothesis" if n == 1 else "hypotheses"
    text = f"{n} {many} tested on {report.n_rows:,} texts ({of_what})"
    if getattr(report, "n_pairs", None) is not None:
        text += f", {report.n_pairs:,} pairs"
    if getattr(report, "n_groups", None) is not None:
        text += f", {report.n_groups:,} groups"
    return text


def level(report):
    """The correction and the level, such as "holm, family level 0.1"."""
    kind = "false discovery rate" if report.correction[:3] == "fdr" else "family"
    return f"{report.correction}, {kind} level {report.alpha:g}"


def errors(report):
    """How standard errors are computed; empty if the report does not say."""
    kind = getattr(report, "cov_type", None)
    if not kind:
        return ""
    return _ERRORS.get(kind, to_printable(kind))


@dataclass(frozen=True)
class Figure:
    """One overall figure: a name, a value, its 95% interval, what it is."""

    name: str
    value: float
    lower: float
    upper: float
    description: str


def conditions(report):
    """What beside the rows shaped every figure: weights, levels, covariates.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Returns
    -------
    conditions : dict of str to str
        What it is, and how much of it; empty if the report holds no data.
    """
    data = getattr(report, "data", None)
    found = {}
    weight = getattr(data, "sample_weight", None)
    if weight is not None:
        found["sample weights"] = _weights(np.asarray(weight, dtype=float).ravel())
    levels = getattr(data, "fixed_effects", None)
    if levels is not None:
        n = len(set(map(str, levels)))
        many = "level" if n == 1 else "levels"
        found["fixed effects"] = f"{n:,} {many}, effects are those within them"
    covariates = getattr(data, "covariates", None)
    if covariates is not None:
        found["covariates"] = _names_of(covariates)
    return found


def _weights(weight):
    """The range of the weights, and the number of equal ones that vary as little."""
    squares = np.sum(weight**2)
    worth = np.sum(weight) ** 2 / squares if squares > 0 else 0.0
    return (
        f"{figure(weight.min(initial=np.inf))} to {figure(weight.max(initial=0))}, "
        f"{len(weight):,} rows worth {worth:,.0f} of equal weight"
    )


def _names_of(covariates):
    if hasattr(covariates, "columns"):
        names = [shortened(name, 40) for name in map(str, covariates.columns)]
    else:
        names = [f"z{i}" for i in range(int(np.prod(np.shape(covariates)[1:])))]
    shown = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return shown + (f" and {more} more" if more > 0 else "")


def condition_line(report):
    """The conditions that no other line tells, in one; empty if there are none."""
    told = conditions(report)
    return "; ".join(f"{k}: {v}" for k, v in told.items() if k != "covariates")


def overall_figures(report):
    """The overall figures, with exactly what each is.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Returns
    -------
    figures : list of Figure
        From `report.overall` if it is there, else from the single fields.
    """
    overall = getattr(report, "overall", None)
    if overall is None:
        return _figures_of_fields(report)
    columns = [words(overall, "name")]
    columns += [numbers(overall, name) for name in ("value", "lower", "upper")]
    columns += [words(overall, "description")]
    return [
        Figure(name, float(value), float(lower), float(upper), description)
        for name, value, lower, upper, description in zip(*columns, strict=True)
    ]


def _figures_of_fields(report):
    joint = (
        f"fit and score on the same {report.n_joint:,} texts, "
        f"{report.n_joint_hypotheses} hypotheses"
    )
    outer = f"fit on the training texts, score on these {report.n_rows:,}"
    if report.task == "regression":
        found = {
            "r2": f"R² in-sample (as published): {joint}",
            "r2_adjusted": "R² in-sample, adjusted for the number of hypotheses",
            "r2_out_of_sample": f"R² out-of-sample: {outer}",
        }
    else:
        found = {
            "roc_auc": f"{score_name(report)} in-sample: {joint}",
            "pseudo_r2": "pseudo R² (McFadden) in-sample",
            "roc_auc_out_of_sample": f"{score_name(report)} out-of-sample: {outer}",
        }
    return [
        Figure(name, float(getattr(report, name, np.nan)), np.nan, np.nan, text)
        for name, text in found.items()
    ]


def score_name(report):
    """What the score of a classification is: of pairs, the share ranked rightly."""
    if getattr(report, "n_pairs", None) is not None:
        return "pairs ranked rightly"
    return "ROC AUC"


def headline(report):
    """The figure that is most honest about new texts, and its name.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Returns
    -------
    figure : Figure or None
        None if there is no figure.
    name : str
        What it is, in short.
    """
    score = score_name(report)
    order = {
        "r2_out_of_sample": "R² out-of-sample",
        "r2_cross_fitted": "R² cross-fitted",
        "r2_adjusted": "R² adjusted, in-sample",
        "roc_auc_out_of_sample": f"{score} out-of-sample",
        "roc_auc_cross_fitted": f"{score} cross-fitted",
        "roc_auc": f"{score} in-sample",
    }
    found = {f.name: f for f in overall_figures(report) if np.isfinite(f.value)}
    name = next((name for name in order if name in found), None)
    return (None, "") if name is None else (found[name], order[name])


def permutation_line(report):
    """What the permutations of y say; empty if there were none."""
    p = getattr(report, "permutation_p", None)
    if p is None or np.isnan(p):
        return ""
    times = getattr(report, "n_resamples", None)
    times = f"{times:,} " if times else ""
    return (
        f"p-value of all hypotheses together, from {times}permutations of y over "
        "the annotations"
    )


def cost_line(report):
    """What language models consumed; empty without any."""
    return format_usage(getattr(report, "usage", None))


# What a reader should be wary of --------------------------------------------------


def twins(report):
    """Pairs of hypotheses that are nearly one, with how they are.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Returns
    -------
    twins : list of (str, str, str)
        Two statements, and in what they agree.
    """
    found, seen = [], set()
    redundancy = getattr(report, "redundancy", None)
    pairs = getattr(redundancy, "pairs", None)
    for pair in [] if pairs is None else pairs.to_dict("records"):
        first, second = str(pair["first"]), str(pair["second"])
        found.append((first, second, _likeness(pair)))
        seen.add(frozenset((first, second)))
    statements = words(report.table, "hypothesis")
    originals = words(report.table, "duplicate_of")
    for second, first in zip(statements, originals, strict=True):
        if first and frozenset((first, second)) not in seen:
            found.append((first, second, "the same annotations"))
    return found


def _likeness(pair):
    kind = pair.get("kind", "")
    agreement = pair.get("agreement", np.nan)
    share = "" if pd.isna(agreement) else f"{100 * agreement:.1f}% of the answers agree"
    if kind == "exact":
        return "the same annotations"
    if kind == "opposite":
        return f"opposites: {share}" if share else "opposites"
    if kind == "wording":
        return f"alike in wording; {share}" if share else "alike in wording"
    return share or "nearly the same annotations"


def unanswered(report):
    """Hypotheses with missing answers, and what these could do to the separation.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Returns
    -------
    rows : list of (str, int, int, float, float)
        Statement, missing answers, all rows, and the bounds of the separation
        whatever the missing answers are (NaN if they were not computed).
    """
    table = report.table
    rows = zip(
        words(table, "hypothesis"),
        numbers(table, "missing"),
        numbers(table, "n"),
        numbers(table, "separation_worst_lower"),
        numbers(table, "separation_worst_upper"),
        strict=True,
    )
    return [
        (statement, int(missing), int(missing + n), lower, upper)
        for statement, missing, n, lower, upper in rows
        if 0 < missing < np.inf and np.isfinite(n)
    ]


def notes(report):
    """Statement, note, and whether it explains a NaN, for each row that has a note."""
    table = report.table
    gaps = np.isnan(numbers(table, "coef_p")) | np.isnan(numbers(table, "separation"))
    rows = zip(words(table, "hypothesis"), words(table, "note"), gaps, strict=True)
    return [(statement, note, bool(gap)) for statement, note, gap in rows if note]
