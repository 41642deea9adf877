"""Which cells are doubtful, which of them are asked, and what the others may hide."""

import hashlib
import json

import numpy as np
import pandas as pd

_COLUMNS = [
    "hypothesis",
    "cells",
    "doubtful",
    "asked",
    "share_asked",
    "left",
    "checked",
    "differ",
    "rate",
    "rate_upper",
]


def measure_doubt_of_scores(margins, bands):
    """Return the doubt of each cell, from 0 (none) to 1, by its nearness to 0.

    `margins` are scores minus thresholds, of shape (n_texts, n_hypotheses); where one
    is NaN, doubt is 1. A margin of the size of the hypothesis's band, or more, is
    beyond doubt.
    """
    size = np.abs(margins)
    with np.errstate(divide="ignore", invalid="ignore"):
        doubt = np.where(bands > 0, 1 - size / bands, 0.0)
    return np.where(np.isnan(margins), 1.0, np.clip(doubt, 0.0, 1.0))


def find_bands(margins, share):
    """Return how near to 0 the nearest `share` of each column's margins are.

    Margins that are NaN are doubtful in any case and count in the share.
    """
    size = np.nan_to_num(np.abs(margins), nan=0.0, posinf=np.inf)
    n_within = int(share * len(size))
    if n_within == 0:
        return np.zeros(size.shape[1])
    nearest = np.sort(size, axis=0)[: n_within + 1]
    bands = nearest[-1]
    return np.where(np.isfinite(bands), bands, _largest_finite(nearest))


def _largest_finite(size):
    return np.where(np.isfinite(size), size, 0.0).max(axis=0)


def measure_doubt_of_votes(votes):
    """Return the doubt of each cell: the share of votes against the majority, doubled.

    Missing answers count as half a vote for each side. `votes` are of shape
    (n_annotators, n_texts, n_hypotheses).
    """
    yes = np.where(np.isnan(votes), 0.5, votes).mean(axis=0)
    return 1 - np.abs(2 * yes - 1)


def draw_numbers(texts, statements, seed):
    """Return a random number from 0 to 1 for each text and statement.

    It depends on them and the seed alone, so that the same cells are drawn in every
    fold and process.
    """
    numbers = np.empty((len(texts), len(statements)))
    for j, statement in enumerate(statements):
        key = hashlib.sha256(json.dumps([seed, statement]).encode())
        for i, text in enumerate(texts):
            digest = key.copy()
            digest.update(text.encode("utf-8", "surrogatepass"))
            numbers[i, j] = int.from_bytes(digest.digest()[:7]) / 256**7
    return numbers


def choose_cells(doubt, numbers, *, max_share, check_share):
    """Choose which cells to ask about: the most doubtful ones, and a few of the others.

    Parameters
    ----------
    doubt : ndarray of shape (n_texts, n_hypotheses)
        Above 0 where there is some; NaN for cells that are nobody's business.
    numbers : ndarray of shape (n_texts, n_hypotheses)
        Random, from 0 to 1: they decide between equal doubts, and which of the
        confident cells are checked.
    max_share : float
        Of the cells, the largest share to ask about; rounded up to a whole cell.
    check_share : float
        Of the confident cells, the share to check.

    Returns
    -------
    asked, checked : ndarray of bool of shape (n_texts, n_hypotheses)
        Doubtful cells to ask about, confident ones to check.
    """
    budget = int(np.ceil(max_share * np.count_nonzero(~np.isnan(doubt))))
    checked = (doubt == 0) & (numbers < check_share)
    checked &= _mark_first(np.where(checked, numbers, np.inf), budget)
    budget -= int(checked.sum())
    order = np.where(doubt > 0, -doubt, np.inf)
    return _mark_first(order, budget, numbers), checked


def _mark_first(values, n, numbers=None):
    """Mark the n smallest finite values; `numbers` decide between equal ones."""
    flat = values.ravel()
    ties = flat if numbers is None else numbers.ravel()
    order = np.lexsort((ties, flat))[:n]
    marks = np.zeros(flat.shape, dtype=bool)
    marks[order] = np.isfinite(flat[order])
    return marks.reshape(values.shape)


def tabulate_checks(statements, doubt, asked, checked, differs, confidence):
    """Tabulate what was asked, and how wrong the confident answers may be.

    Parameters
    ----------
    statements : sequence of str
        The hypotheses.
    doubt, asked, checked : ndarray of shape (n_texts, n_hypotheses)
        As in `choose_cells`.
    differs : ndarray of shape (n_texts, n_hypotheses)
        Whether the dear annotator disagreed, NaN but for checked cells that it
        answered.
    confidence : float
        Of the upper bound.

    Returns
    -------
    table : DataFrame
        One row per hypothesis, and one for "all".
    """
    counts = np.array(
        [
            (~np.isnan(doubt)).sum(axis=0),
            (doubt > 0).sum(axis=0),
            (asked | checked).sum(axis=0),
            ((doubt > 0) & ~asked).sum(axis=0),
            (~np.isnan(differs)).sum(axis=0),
            (differs == 1).sum(axis=0),
        ]
    )
    counts = np.column_stack([counts, counts.sum(axis=1)])
    cells, doubtful, n_asked, left, n_checked, n_differ = counts
    with np.errstate(divide="ignore", invalid="ignore"):
        shares, rates = n_asked / cells, n_differ / n_checked
    upper = [
        bound_rate(k, n, confidence) for k, n in zip(n_differ, n_checked, strict=True)
    ]
    columns = [cells, doubtful, n_asked, shares, left, n_checked, n_differ]
    values = [[*statements, "all"], *columns, rates, upper]
    return pd.DataFrame(dict(zip(_COLUMNS, values, strict=True)))


def bound_rate(n_differ, n_checked, confidence):
    """Return the upper bound of a rate, one-sided, by Clopper and Pearson.

    1 where nothing was checked.
    """
    if n_checked == 0:
        return 1.0
    from statsmodels.stats.proportion import proportion_confint  # slow to import

    alpha = 2 * (1 - confidence)
    return float(proportion_confint(n_differ, n_checked, alpha, method="beta")[1])
