"""The test of a vote, with what the annotators behind it differ in."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd

from .._inference._between_annotators import (
    Spread,
    find_verdicts,
    widen_intervals,
    widen_p_values,
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
    *("coef", "coef_lower", "coef_upper", "coef_p"),
    *("odds_ratio", "rate_ratio", "cumulative_odds_ratio"),
    *("ame", "ame_lower", "ame_upper", "p_corrected", "significant", "note"),
)

# Estimates with intervals; ratios as their logarithms.
_RATIOS = ("odds_ratio", "rate_ratio", "cumulative_odds_ratio")

_EFFECTS = ("separation", "coef", "ame", *_RATIOS)

_BOUNDS = ("", "_lower", "_upper")

# Tests, and the effects that tell how much annotators differ; of more than two classes
# there is no one coefficient.
_P_VALUES = {
    "separation_p": ("separation",),
    "coef_p": ("coef", "ame", "separation"),
    "ame_p": ("ame",),
}


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


def choose_correction(correction):
    """Return the correction of several annotators: Holm's in place of a step-down.

    A step-down goes by permutations of one set of annotations, and needs fewer of them
    than p-values that are corrected by their number.
    """
    return "holm" if correction == "step-down" else correction


def test_annotators(vote, votes, test, correction):
    """Test each annotator's annotations, and add what they differ in to their vote's.

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
        Of the vote, with wider intervals, larger p-values, and columns that say how far
        estimates and p-values move (see `HypothesisReport`).
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
    tables, by_class = [each.table for each in own], vote.summary["by_class"]
    if by_class is not None:
        tables = [_align_classes(each, vote) for each in own]
        classes = [each.summary["by_class"] for each in own]
        by_class, _ = _widen(by_class, classes)
    table, n = _widen(vote.table, tables, two_sided=by_class is None)
    tests = _correct(vote, table, by_class, n, len(own), correction)
    moves = _summarize_moves(tests.table, vote.table, tables)
    tests = replace(tests, table=tests.table.assign(**moves))
    return tests, tabulate_by_annotator(dict(zip(votes, tables, strict=True)))


def _widen(table, tables, two_sided=True):
    """A table of the vote with what annotators differ in added to intervals and tests.

    Returns also how many annotators have an estimate, by the last effect of each test.
    `two_sided`: whether p-values are of two-sided tests of the effect beside them.
    """
    found, spreads, ratios = table.copy(), {}, {}
    for effect in filter(table.columns.__contains__, _EFFECTS):
        read, write = (_take_logs, np.exp) if effect in _RATIOS else (np.array,) * 2
        own = read(_stack(tables, effect))
        values = [read(read_floats(table, f"{effect}{end}")) for end in _BOUNDS]
        spreads[effect] = spread = Spread.of(own)
        *bounds, ratios[effect] = widen_intervals(*values, spread)
        for end, bound in zip(("_lower", "_upper"), bounds, strict=True):
            found[f"{effect}{end}"] = write(bound)
        if f"{effect}_se" in table:
            found[f"{effect}_se"] = np.sqrt(table[f"{effect}_se"] ** 2 + spread.added)
    counts = {}
    for column, effects in _P_VALUES.items():
        if column in table:
            known = [e for e in effects if e in ratios and np.any(spreads[e].n)]
            effect = (known or effects)[0]
            counts[column] = n = spreads[effect].n
            p, ratio = table[column].to_numpy(float), ratios[effect]
            found[column] = widen_p_values(p, ratio, n, two_sided=two_sided)
    if "coef_df" in table:  # those of the wider interval are in no column
        found["coef_df"] = np.nan
    return found, counts


def _take_logs(ratios):
    """Logarithms; NaN for ratios of 0 and infinite ones, which have no interval."""
    return np.log(np.where((ratios > 0) & (ratios < np.inf), ratios, np.nan))


def _correct(vote, table, by_class, counts, n_annotators, correction):
    """The tests of the vote with wider p-values, corrected, and notes."""
    options = tuple(correction[name] for name in ("alpha", "correction", "n_more"))
    alone, joint = (counts[name] >= 2 for name in ("separation_p", "coef_p"))
    first = find_first_equal(vote.annotations)
    counted = vote.table["separation"].notna().to_numpy()
    own = adjust_p_values(
        table["separation_p"],
        alone & counted & (first == np.arange(len(first))),
        *options,
    )
    table["separation_p_corrected"] = own["p_corrected"].to_numpy()[first]
    tested = joint & vote.joint.tested
    for name, values in adjust_p_values(table["coef_p"], tested, *options).items():
        table[name] = values.to_numpy()
    n = np.where(vote.joint.tested, counts["coef_p"], counts["separation_p"])
    notes = Notes(table["hypothesis"].tolist())
    for j in np.flatnonzero((n < n_annotators) & vote.table["separation"].notna()):
        notes.add(j, "annotators", f"{n[j]} of {n_annotators}")
    for message in notes.messages():
        warn(message)
    joined = zip(table["note"], notes.by_hypothesis(), strict=True)
    joined = ["; ".join(filter(None, pair)) for pair in joined]
    table["note"] = pd.Series(joined, dtype=object)
    # simultaneous intervals are of the permutations of the vote alone
    table = table.drop(columns=[name for name in table if "_simultaneous_" in name])
    summary = vote.summary | {
        "by_class": by_class,
        "n_tested": int(tested.sum()) + correction["n_more"],
        "n_significant": int(table["significant"].sum()),
    }
    return replace(vote, table=table, summary=summary)


def _summarize_moves(table, naive, tables):
    """Columns that say how far estimates and p-values move over annotators."""
    effect = choose_effect(tables)
    spread = Spread.of(_stack(tables, effect))
    corrected = _stack(tables, "p_corrected")
    verdicts = [find_verdicts(each[effect], each["significant"]) for each in tables]
    together = find_verdicts(table[effect], table["significant"])
    return {
        "annotators_agree": np.mean(np.array(verdicts) == together, axis=0),
        "annotators_smallest": spread.smallest,
        "annotators_largest": spread.largest,
        "annotators_sd": spread.sd,
        "annotators_p_smallest": np.fmin.reduce(corrected),
        "annotators_p_largest": np.fmax.reduce(corrected),
        "naive_lower": naive[f"{effect}_lower"].to_numpy(),
        "naive_upper": naive[f"{effect}_upper"].to_numpy(),
        "naive_p": naive["p_corrected"].to_numpy(),
    }


def _stack(tables, name):
    """A column by annotator; NaN throughout where one does not have it."""
    return np.array([read_floats(table, name) for table in tables])


def _align_classes(tests, vote):
    """The table of one annotator, with its effects on the classes the vote is about."""
    table, by_class = tests.table.copy(), tests.summary["by_class"]
    wanted = vote.table["separation_class"]
    labels = by_class["class"].to_numpy(dtype=object).reshape(len(table), -1)
    hits = np.array([own == one for own, one in zip(labels, wanted, strict=True)])
    for effect in ("separation", "ame"):
        for end in _BOUNDS:
            name = f"{effect}{end}"
            values = read_floats(by_class, name).reshape(hits.shape)
            found = np.where(hits, values, 0.0).sum(axis=1)
            table[name] = np.where(hits.any(axis=1), found, np.nan)
    return table.assign(separation_class=wanted)
