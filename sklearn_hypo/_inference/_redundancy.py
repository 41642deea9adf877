"""Near-duplicate hypotheses: found by their annotations and their wording."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from .._utils._annotation_input import check_annotations
from .._utils._containers import convert_container
from .._utils._json import to_json_value
from .._utils._printable import shorten
from .._utils._tokens import tokenize
from ._overlap import annotation_overlap, effective_number, variance_inflation

# Fewer shared answers than this prove no duplicate, unless there are no more.
_MIN_SHARED = 20

# Two of three words in common.
_SAME_WORDING = 2 / 3

# Words that carry no content in a statement. Negations are not among them.
_FILLERS = frozenset(
    tokenize(
        "a an and any are as at be by for from has have in is it its of on or that the "
        "their this to was were with text contains mentions"
    )
)

_PAIR_DTYPES = {
    "first": object,
    "second": object,
    "n": np.int64,
    "agreement": float,
    "phi": float,
    "jaccard": float,
    "wording": float,
    "kind": object,
}


@dataclass(frozen=True, eq=False, repr=False)
class Redundancy:
    """Which hypotheses say the same, and what that costs.

    Of rows by their weights; in a test of pairs of the differences within them, as in
    its regression, so that "n" counts pairs, and phi is correlation about zero.

    Parameters
    ----------
    pairs : DataFrame
        One row per pair worth a look, the closest first: "first", "second" (the
        statements), "n" (rows that answer both), "agreement" (share of them with the
        same answer), "phi" (their correlation), "jaccard" (share, of the rows where
        either holds, where both do), "wording" (similarity of the words, in 0..1) and
        "kind":

        - "exact": the same answers on every shared row;
        - "near": phi of at least `threshold`;
        - "opposite": phi of at most -`threshold`, so that one is nearly the denial
          of the other, which a regression cannot tell from a duplicate;
        - "wording": worded alike, but answered differently: the annotator, or a fine
          point of the wording, deserves a look.
    vif : ndarray of shape (n_hypotheses,)
        Variance inflation of each hypothesis beside all others; see
        `variance_inflation`.
    n_effective : float
        Effective number of hypotheses (Galwey 2009). It describes; no correction
        uses it.
    clusters : ndarray of shape (n_hypotheses,), dtype int64
        Group of each hypothesis, numbered by first appearance: hypotheses that a
        chain of "exact", "near" and "opposite" pairs connects. "wording" connects
        nothing.
    correlation : ndarray of shape (n_hypotheses, n_hypotheses)
        Phi of every pair; NaN where one does not vary on the rows that answer both.
    names : tuple of str
        The hypotheses.
    threshold : float
        Size of phi from which two are near-duplicates.

    See Also
    --------
    HypothesisReport : Holds it as `redundancy`.
    drop_or_merge : Acts on it.
    NeuronRedundancyDisplay : Draws the correlations.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import evaluate_annotations
    >>> rng = np.random.default_rng(0)
    >>> tea, rain = (rng.random((2, 500)) < 0.3).astype(float)
    >>> drink = np.where(rng.random(500) < 0.03, 1 - tea, tea)
    >>> report = evaluate_annotations(
    ...     np.column_stack([tea, rain, drink]),
    ...     rain + rng.normal(size=500),
    ...     names=["mentions tea", "mentions rain", "mentions a hot drink"],
    ... )
    >>> report.redundancy.pairs[["first", "second", "kind"]]
              first                second  kind
    0  mentions tea  mentions a hot drink  near
    >>> report.redundancy.clusters
    array([0, 1, 0])
    """

    pairs: pd.DataFrame
    vif: np.ndarray
    n_effective: float
    clusters: np.ndarray
    correlation: np.ndarray
    names: tuple
    threshold: float

    def __str__(self):
        sizes = np.bincount(self.clusters) if len(self.clusters) else np.zeros(1)
        n_repeated = int(sizes[sizes > 1].sum())
        lines = [
            f"{n_repeated} of {len(self.names)} hypotheses have a near-duplicate "
            f"(|phi| >= {self.threshold:g}); effective number: {self.n_effective:.1f}"
        ]
        lines += [_pair_line(pair) for pair in self.pairs.itertuples()]
        return "\n".join(lines)

    __repr__ = __str__

    def to_dict(self):
        """Return everything as plain Python values that JSON can hold.

        Returns
        -------
        values : dict
            The fields by name, "pairs" as one dict per row. Of numbers, None is one
            that is not defined, and "Infinity" an infinite one, as JSON has none.
        """
        fields = vars(self) | {"pairs": self.pairs.to_dict("records")}
        return to_json_value(fields | {"names": [str(name) for name in self.names]})


def _pair_line(pair):
    names = f"{shorten(pair.first)!r} / {shorten(pair.second)!r}"
    numbers = f"phi {pair.phi:.2f}, agreement {pair.agreement:.1%} of {pair.n:,}"
    if pair.kind == "wording":
        numbers = f"wording {pair.wording:.2f}, {numbers}"
    return f"  {pair.kind} ({numbers}): {names}"


def measure_redundancy(A, names, design, *, threshold=0.8, terms=None):
    """Find hypotheses that say the same, without a look at the target.

    A near-duplicate hides a true effect: beside a twin that agrees with it on 97 % of
    the texts, the standard error of its joint coefficient triples, and neither of
    the two is significant.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        Annotations, or their differences within pairs: what is regressed. Each two
        are compared on the rows that answer both.
    names : sequence of str of length n_hypotheses
        The statements.
    design : Design
        Weights of the rows, and whether they are differences.
    threshold : float, default=0.8
        Size of phi, the correlation of two columns, from which they are
        near-duplicates: either then explains 64 % of the other's variance. Agreement
        would not do: two rare hypotheses agree on nearly every text.
    terms : sequence of sequence of str of length n_hypotheses, default=None
        The terms of lexicons; empty for other statements.

    Returns
    -------
    redundancy : Redundancy
        Pairs, clusters, variance inflation and the effective number.

    Notes
    -----
    Two that share fewer than 20 answered rows are duplicates only if neither of them
    has more answers. They are worded alike from a similarity of 2/3: the overlap
    (Jaccard index) of their terms if both are lexicons, else of their words without
    "a", "the", "mentions" and the like. It knows neither synonyms nor word order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._design import Design
    >>> from sklearn_hypo._inference._redundancy import measure_redundancy
    >>> rng = np.random.default_rng(0)
    >>> tea, rain = rng.random((2, 1000)) < 0.3
    >>> hot_drinks = tea ^ (rng.random(1000) < 0.03)
    >>> A = np.column_stack([tea, rain, hot_drinks]).astype(float)
    >>> names = ["mentions tea", "mentions rain", "mentions hot drinks"]
    >>> found = measure_redundancy(A, names, Design())
    >>> print(found)
    2 of 3 hypotheses have a near-duplicate (|phi| >= 0.8); effective number: 2.3
      near (phi 0.94, agreement 97.5% of 1,000): 'mentions tea' / 'mentions hot drinks'
    >>> found.vif.round(1), found.clusters
    (array([8.4, 1. , 8.4]), array([0, 1, 0]))
    """
    overlap = annotation_overlap(A, design.weights, design.paired)
    near = find_near_duplicates(overlap, threshold)
    return Redundancy(
        pairs=_list_pairs(names, overlap, near, measure_wording(names, terms)),
        vif=variance_inflation(A, design.weights, design.paired),
        n_effective=effective_number(overlap.phi),
        clusters=connected_components(near, directed=False)[1].astype(np.int64),
        correlation=overlap.phi,
        names=tuple(names),
        threshold=threshold,
    )


def find_near_duplicates(overlap, threshold):
    """Return which pairs are near-duplicates or near-opposites, as a bool matrix."""
    answers = np.diag(overlap.n)
    enough = np.minimum(_MIN_SHARED, np.minimum.outer(answers, answers))
    # as many digits as a threshold has to be given with, and no rounding error
    large = np.nan_to_num(np.abs(overlap.phi)) >= threshold - 1e-12
    near = large & (overlap.n >= enough)
    np.fill_diagonal(near, False)
    return near


def _list_pairs(names, overlap, near, wording):
    """Build the table of pairs, those of the largest phi first."""
    alike = wording >= _SAME_WORDING - 1e-12
    rows = []
    for i, j in np.argwhere(np.triu(near | alike, 1)):
        phi = overlap.phi[i, j]
        if not near[i, j]:
            kind = "wording"
        elif phi < 0:
            kind = "opposite"
        else:
            kind = "exact" if overlap.agreement[i, j] == 1 else "near"
        measures = [values[i, j] for values in overlap]
        rows.append((names[i], names[j], *measures, wording[i, j], kind))
    table = pd.DataFrame(rows, columns=list(_PAIR_DTYPES)).astype(_PAIR_DTYPES)
    # wording after all others, NaN last, otherwise in the order of the hypotheses
    size = np.nan_to_num(table["phi"].abs(), nan=-1.0)
    order = np.lexsort([-size, (table["kind"] == "wording").to_numpy()])
    return table.iloc[order].reset_index(drop=True)


def measure_wording(names, terms=None):
    """Return the Jaccard index of the terms, or else words, of every two statements."""
    lexicons = [frozenset(each) for each in terms or [()] * len(names)]
    words = [_find_content_words(name) for name in names]
    similarity = np.eye(len(words))
    for i in range(len(words)):
        for j in range(i):
            a, b = words[i], words[j]
            if lexicons[i] and lexicons[j]:
                a, b = lexicons[i], lexicons[j]
            union = len(a | b)
            similarity[i, j] = similarity[j, i] = len(a & b) / union if union else 0.0
    return similarity


def _find_content_words(statement):
    tokens = frozenset(tokenize(str(statement)))
    return tokens - _FILLERS or tokens


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
        Size of phi, the correlation of two columns, from which they are
        near-duplicates.
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
        For another rule, annotations other than 1, 0 and NaN, names that occur twice,
        negative weights, and lengths that differ.

    See Also
    --------
    HypothesisReport : Shows the pairs; `redundancy` holds them.

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
    A = convert_container(A)
    values, names = check_annotations(A, names)
    overlap = annotation_overlap(values, _check_weights(sample_weight, len(values)))
    order = _order_by_priority(values, priority)
    near = find_near_duplicates(overlap, threshold)
    kept_for = _find_leaders(overlap.phi, near, order)
    leaders = np.unique(kept_for)
    is_leader = kept_for == np.arange(len(names))
    phi = np.where(is_leader, np.nan, overlap.phi[np.arange(len(names)), kept_for])
    merged = ~is_leader & (phi > 0) & (rule == "merge")
    columns, statements = [], {}
    for leader in leaders:
        members = np.flatnonzero((kept_for == leader) & merged)
        members = np.concatenate([[leader], members])
        columns.append(_merge_columns(values[:, members]))
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


def _check_weights(sample_weight, n_rows):
    if sample_weight is None:
        return None
    weights = np.asarray(convert_container(sample_weight), dtype=np.float64)
    if weights.shape != (n_rows,) or not (weights >= 0).all():
        raise ValueError(
            f"sample_weight must hold one number, not negative, for each of the "
            f"{n_rows} rows; an array of shape {weights.shape} arrived."
        )
    return weights


def _order_by_priority(values, priority):
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


def _find_leaders(phi, near, order):
    """For each hypothesis the one that stands for it; itself if it is kept."""
    kept_for = np.full(len(phi), -1)
    for j in order:
        kept = np.flatnonzero((kept_for == np.arange(len(phi))) & near[j])
        kept_for[j] = kept[np.argmax(np.abs(phi[j, kept]))] if len(kept) else j
    return kept_for


def _merge_columns(columns):
    """1 if any is 1, 0 if all are 0, NaN where missing answers leave it open."""
    any_holds = (columns == 1).any(axis=1)
    unknown = np.isnan(columns).any(axis=1) & ~any_holds
    return np.where(unknown, np.nan, any_holds.astype(np.float64))
