"""Near-duplicate hypotheses reduced to one, without a look at the target."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ._annotation_overlap import annotation_overlap
from ._redundancy import check_columns, near_duplicates


class Reduced(NamedTuple):
    """What `drop_or_merge` returns.

    Attributes
    ----------
    annotations : ndarray or DataFrame of shape (n_rows, n_kept)
        A frame for a frame.
    names : list of str
        The statements of its columns.
    table : DataFrame of n_hypotheses rows
        What became of every hypothesis: "hypothesis", "action" ("kept", "dropped" or
        "merged"), "into" (the statement that stands for it now) and "phi" (its
        correlation with the one that was kept; NaN for that one itself). Its length,
        not that of `names`, is what a correction for multiple tests has to count, if
        the hypotheses have been tested before.
    """

    annotations: np.ndarray
    names: list
    table: pd.DataFrame


def drop_or_merge(
    A,
    names=None,
    *,
    threshold=0.8,
    rule="drop",
    priority=None,
    sample_weight=None,
):
    """Reduce near-duplicate hypotheses to one, without a look at the target.

    The hypotheses are gone through in the order of `priority` (then: those with more
    answers first, then in their order). One that is near (phi of at least
    `threshold` in size) to none of those kept so far is kept; any other goes to the
    nearest of them. So no two that are kept are near-duplicates, and each that is
    not kept is near the one that stands for it, which a chain of pairs would not
    grant.

    Parameters
    ----------
    A : array-like of shape (n_rows, n_hypotheses)
        Annotations: 1, 0 or NaN.
    names : sequence of str of length n_hypotheses, default=None
        The statements. None takes the columns of a frame, and otherwise numbers them.
    threshold : float, default=0.8
        As for `redundancy`.
    rule : {"drop", "merge"}, default="drop"
        "drop" keeps one column as it is. "merge" replaces it by "any of them": 1 if
        any is 1, 0 if all are 0, NaN where missing answers leave that open; the
        statements are joined by " or ". An opposite is dropped by either rule, since
        "it or its denial" holds always.
    priority : array-like of shape (n_hypotheses,), default=None
        Which to prefer; larger is better, NaN is last. Take what was known before
        the test, such as the fidelity, never anything computed from y on these rows:
        the p-values would not hold.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    reduced : Reduced
        The new annotations and names, and what became of every hypothesis.

    Raises
    ------
    ValueError
        For another rule, annotations other than 1, 0 and NaN, and lengths that differ.

    See Also
    --------
    redundancy : Shows the pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import drop_or_merge
    >>> rng = np.random.default_rng(0)
    >>> tea, rain = rng.random((2, 1000)) < 0.3
    >>> drinks = tea ^ (rng.random(1000) < 0.03)
    >>> A = np.column_stack([tea, rain, drinks])
    >>> reduced = drop_or_merge(A, ["tea", "rain", "drinks"], rule="merge")
    >>> reduced.names
    ['tea or drinks', 'rain']
    >>> reduced.table.round(2)
      hypothesis  action           into   phi
    0        tea    kept  tea or drinks   NaN
    1       rain    kept           rain   NaN
    2     drinks  merged  tea or drinks  0.94
    """
    if rule not in ("drop", "merge"):
        raise ValueError(f'rule must be "drop" or "merge", but {rule!r} arrived.')
    values, names, weight = check_columns(A, names, sample_weight)
    overlap = annotation_overlap(values, weight)
    order = _order(values, priority)
    kept_for = _leaders(overlap.phi, near_duplicates(overlap, threshold), order)
    leaders = np.unique(kept_for)
    is_leader = kept_for == np.arange(len(names))
    phi = np.where(is_leader, np.nan, overlap.phi[np.arange(len(names)), kept_for])
    merged = ~is_leader & (phi > 0) & (rule == "merge")
    columns, statements = [], {}
    for leader in leaders:
        members = np.flatnonzero((kept_for == leader) & merged)
        members = np.concatenate([[leader], members])
        columns.append(_any_of(values[:, members]))
        statements[leader] = " or ".join(str(names[j]) for j in members)
    table = pd.DataFrame(
        {
            "hypothesis": pd.Series(names, dtype=object),
            "action": np.select([is_leader, merged], ["kept", "merged"], "dropped"),
            "into": pd.Series([statements[j] for j in kept_for], dtype=object),
            "phi": phi,
        }
    )
    kept = [statements[leader] for leader in leaders]
    reduced = np.column_stack(columns) if columns else values
    if isinstance(A, pd.DataFrame):
        reduced = pd.DataFrame(reduced, index=A.index, columns=kept)
    return Reduced(reduced, kept, table)


def _order(values, priority):
    """Order in which hypotheses are gone through: priority, then answers."""
    if priority is None:
        priority = np.zeros(values.shape[1])
    priority = np.asarray(priority, dtype=np.float64)
    if priority.shape != (values.shape[1],):
        raise ValueError(
            f"priority must hold one number for each of the {values.shape[1]} "
            f"hypotheses; an array of shape {priority.shape} arrived."
        )
    answers = (~np.isnan(values)).sum(axis=0)
    ranked = np.where(np.isnan(priority), -np.inf, priority)
    return np.lexsort([-answers, -ranked])


def _leaders(phi, near, order):
    """For each hypothesis the one that stands for it; itself if it is kept."""
    kept_for = np.full(len(phi), -1)
    for j in order:
        kept = np.flatnonzero((kept_for == np.arange(len(phi))) & near[j])
        kept_for[j] = kept[np.argmax(np.abs(phi[j, kept]))] if len(kept) else j
    return kept_for


def _any_of(columns):
    """1 if any is 1, 0 if all are 0, NaN where missing answers leave it open."""
    any_holds = (columns == 1).any(axis=1)
    unknown = np.isnan(columns).any(axis=1) & ~any_holds
    return np.where(unknown, np.nan, any_holds.astype(np.float64))
