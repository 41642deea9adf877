"""The test under each of several annotators, and what holds over all of them."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd

from .._inference._between_annotators import (
    combine_estimates,
    combine_p_values,
    find_verdicts,
)
from .._inference._design_matrix import find_first_equal
from .._inference._multiple_tests import adjust_p_values
from .._inference._notes import Notes
from .._report._by_annotator import choose_effect
from .._report._columns import read_floats
from .._utils._warnings import warn
from ..exceptions import HypothesisWarning

# What the table of annotators has of the table of each one's test.
_SHOWN = (
    *("n", "missing", "prevalence"),
    *("separation", "separation_lower", "separation_upper", "separation_p"),
    *("separation_p_corrected", "separation_class"),
    *("coef", "coef_lower", "coef_upper", "coef_p", "odds_ratio", "rate_ratio"),
    *("ame", "ame_lower", "ame_upper", "p_corrected", "significant", "note"),
)

_EFFECTS = ("separation", "coef", "ame")

_RATIOS = ("odds_ratio", "rate_ratio")  # combined as logarithms

_BOUNDS = ("", "_lower", "_upper")

# Tests, and the effects that tell how much annotators differ.
_P_VALUES = {"separation_p": "separation", "coef_p": "coef", "ame_p": "ame"}


def tabulate_by_annotator(tables):
    """Return one row per hypothesis and annotator.

    Parameters
    ----------
    tables : dict of str to DataFrame
        The table of each annotator's own test, hypotheses in the same order.

    Returns
    -------
    by_annotator : DataFrame
        "hypothesis", "annotator", "verdict" (1: significant with more, -1: with less,
        0: not significant), and columns of the tables.
    """
    effect = choose_effect(tables.values())
    parts = []
    for name, table in tables.items():
        own = table[[column for column in _SHOWN if column in table]].copy()
        own.insert(0, "hypothesis", table["hypothesis"])
        own.insert(1, "annotator", pd.Series(name, index=own.index, dtype=object))
        own.insert(2, "verdict", find_verdicts(table[effect], table["significant"]))
        parts.append(own)
    found = pd.concat(parts).sort_index(kind="stable")
    return found.reset_index(drop=True)


def test_annotators(vote, votes, test, correction):
    """Test each annotator's annotations, and put together what was found.

    Parameters
    ----------
    vote : TestResults
        Of the vote of all.
    votes : dict of str to ndarray of shape (n_rows, n_hypotheses)
        Annotations by annotator.
    test : callable
        From annotations to TestResults, as those of the vote came about.
    correction : dict
        "alpha", "correction" and "n_more", as in `run_tests`.

    Returns
    -------
    tests : TestResults
        Of the vote, but for estimates, intervals and p-values, which are those over
        annotators, and with the columns of `summarize_moves`.
    by_annotator : DataFrame
        As from `tabulate_by_annotator`.

    Warns
    -----
    HypothesisWarning
        Names each hypothesis that some annotator gives no estimate of.
    """
    with warnings.catch_warnings():
        # of the vote they were said; of each annotator the column "note" says it
        warnings.simplefilter("ignore", HypothesisWarning)
        own = [test(each) for each in votes.values()]
    tables = [each.table for each in own]
    if vote.summary["by_class"] is not None:
        tables = [_align_classes(each, vote) for each in own]
    tests = _combine(vote, own, tables, correction)
    moves = summarize_moves(tests.table, tables)
    tests = replace(tests, table=tests.table.assign(**moves))
    return tests, tabulate_by_annotator(dict(zip(votes, tables, strict=True)))


def summarize_moves(table, tables):
    """Return columns that say how far estimates and p-values move over annotators.

    Parameters
    ----------
    table : DataFrame
        Of all annotators together.
    tables : sequence of DataFrame
        Of each.

    Returns
    -------
    columns : dict of str to ndarray of shape (n_hypotheses,)
        See `HypothesisReport`.
    """
    effect = choose_effect(tables)
    found = combine_estimates(*_stack(tables, effect))
    corrected = _stack(tables, "p_corrected", ends=[""])[0]
    verdicts = [find_verdicts(each[effect], each["significant"]) for each in tables]
    together = find_verdicts(table[effect], table["significant"])
    return {
        "annotators_agree": np.mean(np.array(verdicts) == together, axis=0),
        "annotators_smallest": found.smallest,
        "annotators_largest": found.largest,
        "annotators_sd": found.sd,
        "annotators_p_smallest": np.fmin.reduce(corrected),
        "annotators_p_largest": np.fmax.reduce(corrected),
        "naive_lower": found.naive_lower,
        "naive_upper": found.naive_upper,
    }


def _combine(vote, own, tables, correction):
    """The tests of the vote with estimates and p-values over annotators in them."""
    by_class = vote.summary["by_class"]
    table = _combine_effects(vote.table, tables, is_signed=by_class is None)
    if by_class is not None:
        classes = [each.summary["by_class"] for each in own]
        by_class = _combine_effects(by_class, classes)
    # the spread of the target is the same for all
    scale = vote.table["separation_std"] / vote.table["separation"]
    table["separation_std"] = table["separation"] * scale
    method = correction["correction"]
    # the permutations of a step-down are of one annotator; Holm's is the same without
    method = "holm" if method == "step-down" else method
    options = (correction["alpha"], method, correction["n_more"])
    first = find_first_equal(np.vstack([each.annotations for each in own]))
    estimated = np.sum([each["separation"].notna() for each in tables], axis=0)
    tested = (estimated >= 2) & (first == np.arange(len(first)))
    alone = adjust_p_values(table["separation_p"], tested, *options)
    table["separation_p_corrected"] = alone["p_corrected"].to_numpy()[first]
    tested = np.sum([each.joint.tested for each in own], axis=0)
    joint = adjust_p_values(table["coef_p"], tested >= 2, *options)
    for name in joint:
        table[name] = joint[name].to_numpy()
    table["note"] = _add_notes(table, np.where(tested, tested, estimated), len(own))
    summary = vote.summary | {
        "by_class": by_class,
        "correction": method,
        "n_tested": int((tested >= 2).sum()) + correction["n_more"],
        "n_significant": int(table["significant"].sum()),
    }
    return replace(vote, table=table, summary=summary)


def _add_notes(table, counts, n_annotators):
    """Notes of the vote, and on what some annotators give no estimate of."""
    notes = Notes(table["hypothesis"].tolist())
    for j in np.flatnonzero((counts > 0) & (counts < n_annotators)):
        notes.add(j, "annotators", f"{counts[j]} of {n_annotators}")
    for message in notes.messages():
        warn(message)
    joined = zip(table["note"], notes.by_hypothesis(), strict=True)
    return pd.Series(["; ".join(filter(None, pair)) for pair in joined], dtype=object)


def _combine_effects(table, tables, is_signed=True):
    """A table with what is over annotators in the place of what is of the vote.

    `is_signed`: whether p-values are of two-sided tests of the effect beside them.
    """
    table, found = table.copy(), {}
    for effect in _EFFECTS:
        if effect not in table:
            continue
        found[effect] = each = combine_estimates(*_stack(tables, effect))
        variances = _stack(tables, f"{effect}_se", [""])[0] ** 2
        own = {
            "": each.estimate,
            "_lower": each.lower,
            "_upper": each.upper,
            "_se": np.sqrt(_average(variances) + each.added),
            "_df": each.df,
            "_std": _average(_stack(tables, f"{effect}_std", [""])[0]),
        }
        for end, values in own.items():
            if f"{effect}{end}" in table:
                table[f"{effect}{end}"] = values
    for ratio in filter(table.columns.__contains__, _RATIOS):
        with np.errstate(divide="ignore"):
            each = combine_estimates(*map(np.log, _stack(tables, ratio)))
        for end, logs in zip(
            _BOUNDS, (each.estimate, each.lower, each.upper), strict=True
        ):
            table[f"{ratio}{end}"] = np.exp(logs)
    for column, effect in _P_VALUES.items():
        if column in table:
            # of more than two classes there is no one coefficient
            effect = "ame" if column == "coef_p" and not is_signed else effect
            ratio = found[effect].ratio if effect in found else np.zeros(len(table))
            signs = np.sign(_stack(tables, effect, [""])[0]) if is_signed else None
            p = _stack(tables, column, [""])[0]
            table[column] = combine_p_values(p, ratio, signs)
    # simultaneous intervals are of one annotator's permutations
    return table.drop(columns=[name for name in table if "_simultaneous_" in name])


def _stack(tables, name, ends=_BOUNDS):
    """Columns by annotator: an estimate and its bounds, or what `ends` says."""
    return [
        np.array([read_floats(table, f"{name}{end}") for table in tables])
        for end in ends
    ]


def _average(values):
    """Mean over the annotators that have a value; NaN without any."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)


def _align_classes(tests, vote):
    """The table of one annotator, with its effects on the classes the vote is about."""
    table, by_class = tests.table.copy(), tests.summary["by_class"]
    wanted = vote.table["separation_class"]
    labels = by_class["class"].to_numpy(dtype=object).reshape(len(table), -1)
    hits = np.array([own == one for own, one in zip(labels, wanted, strict=True)])
    for effect in ("separation", "ame"):
        for end in (*_BOUNDS, "_se"):
            name = f"{effect}{end}"
            values = read_floats(by_class, name).reshape(hits.shape)
            found = np.where(hits, values, 0.0).sum(axis=1)
            table[name] = np.where(hits.any(axis=1), found, np.nan)
    return table.assign(separation_class=wanted)
