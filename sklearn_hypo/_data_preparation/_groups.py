"""Groups that keep together what shares a text, a pair, an author or a test."""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .._utils._containers import convert_container


def join_groups(*labels):
    """Join several groupings into the finest one that respects them all.

    Two rows are in one group if a chain of shared labels links them: the same text,
    the same pair, the same author. Splitting by these groups, with `GroupKFold` or
    `GroupShuffleSplit`, leaves nothing on both sides.

    Parameters
    ----------
    *labels : array-likes of shape (n_samples,)
        One or more groupings: per row a label of any hashable kind. A missing label
        (None, NaN) links to nothing.

    Returns
    -------
    groups : ndarray of shape (n_samples,) and dtype int64
        Numbers of the groups, from 0 on, in the order of their first rows.

    Raises
    ------
    ValueError
        If no labels are given, or they differ in length.

    See Also
    --------
    make_pairs : Rows whose pairs, at least, must stay together.

    Notes
    -----
    The groups are the connected components of the graph that links each row to its
    labels, found by `scipy.sparse.csgraph.connected_components` in time linear in
    the number of rows. Where labels chain (a text in two tests, whose other texts are
    in further tests) groups grow; look at the largest before splitting.

    Examples
    --------
    >>> from sklearn_hypo import join_groups
    >>> tests = ["A", "A", "B", "B", "C"]
    >>> texts = ["Try this", "You must see this", "Oh", "Try this", "Wow"]
    >>> join_groups(tests, texts)
    array([0, 0, 0, 0, 1])
    """
    if not labels:
        raise ValueError("join_groups: at least one grouping is needed.")
    labels = [convert_container(each) for each in labels]
    lengths = sorted({len(each) for each in labels})
    if len(lengths) > 1:
        raise ValueError(
            "join_groups: the groupings differ in length "
            f"({', '.join(map(str, lengths))}). There must be one label per row."
        )
    n = lengths[0]
    rows, nodes, n_nodes = [], [], n
    for each in labels:
        codes, distinct = pd.factorize(_as_vector(each))
        known = np.flatnonzero(codes >= 0)
        rows.append(known)
        nodes.append(codes[known] + n_nodes)
        n_nodes += len(distinct)
    rows, nodes = np.concatenate(rows), np.concatenate(nodes)
    graph = sparse.coo_array(
        (np.ones(len(rows), dtype=np.int8), (rows, nodes)), shape=(n_nodes, n_nodes)
    )
    components = connected_components(graph, directed=False)[1][:n]
    return pd.factorize(components)[0].astype(np.int64)


def _as_vector(labels):
    """One-dimensional; what is not numbers as objects, which any string can be."""
    if getattr(getattr(labels, "dtype", None), "kind", "O") in "biuf":
        return np.asarray(labels)
    return pd.Series(labels, dtype=object).to_numpy()
