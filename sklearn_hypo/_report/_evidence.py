"""The evidence that a reader looks at: texts, activations, shares by target."""

import numpy as np
import pandas as pd

from .._utils._terms import parse_terms
from .._utils._token_index import TokenIndex
from .._utils._tokenizers import name_tokenizer
from ._details import HypothesisDetail

_N_TEXTS = 5


_N_BINS = 20


_MOST_VALUES = 6


def collect_details(
    annotations,
    target,
    *,
    texts,
    activations=None,
    terms=None,
    neurons=None,
    term_gains=None,
    tokenizers=None,
):
    """Collect the evidence for every hypothesis.

    Parameters
    ----------
    annotations : ndarray of shape (n_rows, n_hypotheses)
        1, 0 or NaN.
    target : ndarray of shape (n_rows,)
        As it was given.
    texts : ndarray of shape (n_rows,) or None
        The texts.
    activations : ndarray of shape (n_rows, n_hypotheses) or None, default=None
        Of the neuron of each hypothesis.
    terms, neurons : list of tuple of str or None, default=None
        The n-grams and the neurons of each hypothesis.
    term_gains : list of tuple of float or None, default=None
        What each n-gram adds to the fidelity.
    tokenizers : list of (str or callable) or None, default=None
        What cuts texts into the n-grams of each hypothesis.

    Returns
    -------
    details : tuple of HypothesisDetail
        One per hypothesis.
    """
    bins = _bin_target(target)
    shares = [()] * annotations.shape[1]
    tokenizers = [""] * annotations.shape[1] if tokenizers is None else tokenizers
    if terms is not None and texts is not None:
        shares = measure_term_shares(list(map(str, texts)), terms, tokenizers)
    return tuple(
        HypothesisDetail(
            terms=() if terms is None else tuple(terms[j]),
            tokenizer=name_tokenizer(tokenizers[j]),
            neurons=() if neurons is None else tuple(neurons[j]),
            prevalence_by_target=_count_shares(a, *bins),
            term_shares=shares[j],
            term_gains=() if term_gains is None else tuple(term_gains[j]),
            **_count_in_bins(a, None if activations is None else activations[:, j]),
            **_choose_examples(
                a, texts, None if activations is None else activations[:, j]
            ),
        )
        for j, a in enumerate(annotations.T)
    )


def measure_term_shares(texts, lexicons, tokenizers=None):
    """Return the share of texts that contain each term of each lexicon.

    Examples
    --------
    >>> from sklearn_hypo._report._evidence import measure_term_shares
    >>> measure_term_shares(["so sad", "Sadly so", "no", ""], [("sad*", "so"), ("no",)])
    [(0.5, 0.5), (0.25,)]
    """
    tokenizers = [""] * len(lexicons) if tokenizers is None else tokenizers
    shares = {}
    for own in dict.fromkeys(tokenizers):
        pairs = zip(lexicons, tokenizers, strict=True)
        terms = dict.fromkeys(t for each, by in pairs if by == own for t in each)
        presence = TokenIndex(texts, own).mark(parse_terms(terms, own))
        n_having = np.asarray(presence.sum(axis=0), dtype=float)
        found = (n_having / len(texts)).tolist()
        shares |= {(own, t): s for t, s in zip(terms, found, strict=True)}
    return [
        tuple(shares[own, term] for term in lexicon)
        for lexicon, own in zip(lexicons, tokenizers, strict=True)
    ]


def _bin_target(target):
    """Number of the bin of each row, and the labels of the bins."""
    values = pd.Series(np.asarray(target))
    if values.nunique() <= _MOST_VALUES or values.dtype.kind not in "iuf":
        codes, labels = pd.factorize(values, sort=True)
        return codes, [f"{v:g}" if isinstance(v, float) else str(v) for v in labels]
    binned = pd.qcut(values, 4, duplicates="drop")
    labels = [f"{c.left:.3g} to {c.right:.3g}" for c in binned.cat.categories]
    return binned.cat.codes.to_numpy(), labels


def _count_shares(a, codes, labels):
    found = []
    for c, label in enumerate(labels):
        own = a[codes == c]
        own = own[~np.isnan(own)]
        found.append((label, len(own), float(own.mean()) if len(own) else np.nan))
    return tuple(found)


def _count_in_bins(a, activation):
    """Positive activations of the rows with and without the hypothesis, in bins."""
    if activation is None:
        return {}
    active = activation > 0
    zero = tuple(int((~active & (a == value)).sum()) for value in (1, 0))
    if not active.any():
        return {"n_zero": zero}
    edges = np.linspace(0, activation.max(), _N_BINS + 1)
    counts = [
        tuple(np.histogram(activation[active & (a == value)], edges)[0].tolist())
        for value in (1, 0)
    ]
    return {
        "bin_edges": tuple(edges.tolist()),
        "counts_present": counts[0],
        "counts_absent": counts[1],
        "n_zero": zero,
    }


def _choose_examples(a, texts, activation):
    """Texts with and without the hypothesis, different ones, the most active first."""
    if texts is None:
        return {}
    strength = np.zeros(len(a)) if activation is None else activation
    order = np.argsort(-strength, kind="stable")
    found = {}
    for name, value in (("present", 1), ("absent", 0)):
        chosen = dict.fromkeys(texts[order[a[order] == value][: 4 * _N_TEXTS]])
        found[name] = tuple(chosen)[:_N_TEXTS]
    return found
