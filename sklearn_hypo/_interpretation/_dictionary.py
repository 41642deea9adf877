r"""The dictionary of a neuron: which terms go with the strength of its concept.

A dictionary marks a text that holds any of its terms, or more than so many of them in
100 words. Terms are weighed by what texts say of them and by what the word itself says
to the neuron; the dictionary is the heaviest ones, as many as agree best with the
strength. No target is seen.

Plain functions on arrays, one column per neuron.
"""

import numpy as np

# The conjugate gradients stop where the squared residual has fallen by this factor.
_TOLERANCE = 1e-8
_MAX_ITER = 50

# A gain that is nearer to 0 than this may be what rounding leaves.
_ROUNDING = 1e-9

# Thresholds tried for a rate.
_N_CUTS = 50


def fit_term_weights(presence, strength, prior, *, shrinkage):
    r"""Weigh terms by a ridge regression towards what the words alone suggest.

    With s the standardized strength, X the presence of terms (centered) and p the
    prior, which is how strongly each word by itself activates the neuron,

    .. math:: w = \beta p + \delta, \quad
              \min_\delta \lVert s - \beta X p - X \delta \rVert^2
              + \lambda \lVert \delta \rVert^2,

    where beta, the least-squares slope of s on X p (0 if negative), is found first. A
    term in few texts keeps to its prior; one in many more than lambda texts speaks for
    itself.

    Parameters
    ----------
    presence : CSR array of shape (n_texts, n_terms)
        1 where a text has a term, or how much of it is one.
    strength : ndarray of shape (n_texts, n_neurons)
        Mean 0 and variance 1, or all 0.
    prior : ndarray of shape (n_terms, n_neurons)
        0 for terms of which nothing is known.
    shrinkage : float
        Lambda, in texts.

    Returns
    -------
    weights : ndarray of shape (n_terms, n_neurons)
        Positive for terms that go with the concept.
    """
    transposed = presence.T.tocsr()
    suggested = presence @ prior
    suggested -= suggested.mean(axis=0)
    squares = (suggested**2).sum(axis=0)
    slope = (suggested * strength).sum(axis=0) / np.where(squares > 0, squares, 1.0)
    slope = np.maximum(slope, 0.0)
    rest = strength - strength.mean(axis=0) - slope * suggested

    def apply(values):
        fitted = presence @ values
        fitted -= fitted.mean(axis=0)
        return transposed @ fitted + shrinkage * values

    return slope * prior + _solve(apply, transposed @ rest)


def _solve(apply, right):
    """Solve symmetric systems, one per column, by conjugate gradients side by side."""
    solution, residual = np.zeros_like(right), right.copy()
    direction = residual.copy()
    squared = (residual**2).sum(axis=0)
    goal = _TOLERANCE * squared
    for _ in range(_MAX_ITER):
        # what is solved stays as it is, so that no column depends on its neighbours
        is_open = squared > goal
        if not is_open.any():
            break
        image = apply(direction)
        curvature = (direction * image).sum(axis=0)
        step = squared / np.where(is_open & (curvature > 0), curvature, np.inf)
        solution += step * direction
        residual -= step * image
        before, squared = squared, (residual**2).sum(axis=0)
        direction *= squared / np.where(before > 0, before, np.inf)
        direction += residual
    return solution


def choose_any(presence, order, strength, *, penalty):
    r"""Choose how many leading terms make up a dictionary of which any marks a text.

    The number c with the largest correlation of the mark with the strength, minus
    `penalty` times :math:`\log c`: a longer dictionary has to be better.

    Parameters
    ----------
    presence : CSR array of shape (n_texts, n_terms)
        Non-zero where a text has a term.
    order : ndarray of int
        Terms, the heaviest first, as many as may be chosen.
    strength : ndarray of shape (n_texts,)
        Mean 0 and variance 1.
    penalty : float
        In units of correlation.

    Returns
    -------
    terms : ndarray of int
        The leading terms; empty if `order` is, or if none of them tells texts apart.
    """
    n_texts = len(strength)
    leading = presence[:, order].tocsr()
    # a text is marked by every dictionary that reaches its first term
    first = np.full(n_texts, len(order))
    filled = np.diff(leading.indptr) > 0
    if filled.any():
        starts = leading.indptr[:-1][filled]
        first[filled] = np.minimum.reduceat(leading.indices, starts)
    sums = np.cumsum(np.bincount(first, strength, minlength=len(order) + 1)[:-1])
    counts = np.cumsum(np.bincount(first, minlength=len(order) + 1)[:-1])
    sizes = np.arange(1, len(order) + 1)
    scores = correlate_sums(sums, counts, n_texts) - penalty * np.log(sizes)
    # of equally good ones the shortest; what rounding leaves must not decide
    best = np.round(scores, 9)
    if len(best) == 0 or best.max() == -np.inf:
        return order[:0]
    return order[: int(best.argmax()) + 1]


def drop_harmful(presence, terms, strength):
    """Drop terms without which "any of them" correlates better with the strength.

    One after the other, the most harmful first, as long as there is one.

    Parameters
    ----------
    presence : CSC array of shape (n_texts, n_all_terms)
        Non-zero where a text has a term.
    terms : ndarray of int
        The dictionary.
    strength : ndarray of shape (n_texts,)
        Mean 0 and variance 1.

    Returns
    -------
    terms : ndarray of int
        Those kept, in their order.
    """
    while len(terms) > 1:
        gains = compute_gains(presence[:, terms], strength)
        worst = int(np.round(gains, 9).argmin())
        if gains[worst] > -_ROUNDING:
            break
        terms = np.delete(terms, worst)
    return terms


def add_helpful(presence, terms, candidates, strength, *, min_gain, min_new):
    """Add terms with which "any of them" correlates better with the strength.

    One after the other, the most helpful first, as long as it adds `min_gain`. The
    weights of terms are those of a sum, and a text is marked by any: what few other
    terms reach is worth more than its weight says.

    Parameters
    ----------
    presence : CSC array of shape (n_texts, n_all_terms)
        Non-zero where a text has a term.
    terms, candidates : ndarray of int
        The dictionary, and what may be added.
    strength : ndarray of shape (n_texts,)
        Mean 0 and variance 1.
    min_gain : float
        In units of correlation.
    min_new : int
        Texts that a term has to add.

    Returns
    -------
    terms : ndarray of int
        Those that were there first.
    """
    by_candidate = presence[:, candidates].T.tocsr()
    unmarked = np.diff(presence[:, terms].tocsr().indptr) == 0
    total, count = strength[~unmarked].sum(), int((~unmarked).sum())
    reached = correlate_sums(total, count, len(strength))
    while len(candidates):
        n_new = by_candidate @ unmarked.astype(np.float64)
        sums = total + by_candidate @ (strength * unmarked)
        scores = correlate_sums(sums, count + n_new, len(strength))
        scores = np.where(n_new >= min_new, np.round(scores, 9), -np.inf)
        best = int(scores.argmax())
        if not scores[best] >= reached + min_gain:
            break
        terms = np.append(terms, candidates[best])
        texts = by_candidate[[best]].indices
        unmarked[texts] = False
        total, count = strength[~unmarked].sum(), int((~unmarked).sum())
        reached = scores[best]
    return terms


def choose_rate(counts, lengths, order, strength, *, penalty, n_sizes=25):
    """Choose how many leading words, and how many of them in 100, mark a text.

    As `choose_any`, for sizes on a geometric grid and quantiles of the rates.

    Parameters
    ----------
    counts : CSR array of shape (n_texts, n_terms)
        How often a text has a word.
    lengths : ndarray of shape (n_texts,)
        Words of each text; at least 1.
    order, strength, penalty : objects
        As `choose_any` takes them.
    n_sizes : int, default=25
        Sizes to try.

    Returns
    -------
    terms : ndarray of int
        The leading words; empty as for `choose_any`.
    threshold : float
        A text with more than so many of them in 100 words is marked. It has two
        significant digits.
    """
    by_term = counts[:, order].tocsc()
    best, chosen, threshold = -np.inf, order[:0], 0.0
    if len(order) == 0:
        return chosen, threshold
    total, start = np.zeros(len(strength)), 0
    grid = np.geomspace(1, len(order), n_sizes)
    for size in np.unique(np.round(grid).astype(int)):
        total += np.asarray(by_term[:, start:size].sum(axis=1)).ravel()
        start = size
        score, cut = _choose_cut(100 * total / lengths, strength)
        score = np.round(score - penalty * np.log(size), 9)
        if score > best:
            best, chosen, threshold = score, order[:size], cut
    return chosen, threshold


def _choose_cut(rates, strength):
    """Return the best correlation of "rate > cut" with the strength, and the cut."""
    ordered = np.sort(rates)
    some = ordered[ordered > 0]
    cuts = np.zeros(1)
    if len(some):
        quantiles = np.quantile(some, np.linspace(0, 1, _N_CUTS))
        # rounded up to two significant digits, so that a rate is never above itself
        scale = 10.0 ** (1 - np.floor(np.log10(quantiles)))
        cuts = np.unique(np.append(0.0, np.ceil(quantiles * scale) / scale))
        cuts = np.round(cuts, 9)
    counts = len(rates) - np.searchsorted(ordered, cuts, side="right")
    sums = np.cumsum(strength[np.argsort(-rates, kind="stable")])
    sums = np.concatenate([[0.0], sums])[counts]
    scores = np.round(correlate_sums(sums, counts, len(rates)), 9)
    best = int(scores.argmax())
    return scores[best], float(cuts[best])


def correlate_sums(sums, counts, n_texts):
    r"""Correlate marks with a standardized strength, given sums over marked texts.

    .. math:: r = \frac{S}{n \sqrt{p (1 - p)}}

    Minus infinity where no text or every text is marked.
    """
    share = np.asarray(counts) / n_texts
    spread = np.sqrt(share * (1 - share))
    possible = spread > 0
    return np.where(
        possible, np.asarray(sums) / (n_texts * np.where(possible, spread, 1)), -np.inf
    )


def compute_gains(presence, strength):
    """Compute what each term adds to the correlation of "any of them" with a strength.

    Parameters
    ----------
    presence : sparse array of shape (n_texts, n_terms)
        Non-zero where a text has a term of the dictionary.
    strength : ndarray of shape (n_texts,)
        Any scale; zeros are returned if it is constant.

    Returns
    -------
    gains : ndarray of shape (n_terms,)
        The correlation with the term minus that without it. 0 for a term that marks no
        text by itself.
    """
    rows = presence.tocsr()
    hits = np.diff(rows.indptr)
    alone = np.flatnonzero(hits == 1)
    term = rows.indices[rows.indptr[alone]]
    return compare_without(hits > 0, alone, term, strength, n_terms=presence.shape[1])


def compare_without(marked, texts, terms, strength, *, n_terms):
    """Compute what marks lose, in correlation with a strength, without each term.

    Parameters
    ----------
    marked : ndarray of bool of shape (n_texts,)
        Which texts the dictionary marks.
    texts, terms : ndarray of int of shape (n_losses,)
        The marked texts that would not be without a term, and which term.
    strength : ndarray of shape (n_texts,)
        Any scale; zeros are returned if it is constant.
    n_terms : int
        Terms of the dictionary.

    Returns
    -------
    gains : ndarray of shape (n_terms,)
        The correlation with the term minus that without it, where negative ones, and
        those of marks that tell no texts apart, count as 0.
    """
    n_texts, strength = len(marked), standardize(strength)
    total, count = strength[marked].sum(), int(marked.sum())
    lost = np.bincount(terms, strength[texts], minlength=n_terms)
    n_lost = np.bincount(terms, minlength=n_terms)
    whole = max(correlate_sums(total, count, n_texts), 0.0)
    without = correlate_sums(total - lost, count - n_lost, n_texts)
    return np.where(n_lost > 0, whole - np.maximum(without, 0.0), 0.0)


def standardize(values):
    """Return columns with mean 0 and variance 1; zeros for constant ones."""
    values = np.asarray(values, dtype=np.float64)
    centered = values - values.mean(axis=0)
    spread = centered.std(axis=0)
    constant = np.ptp(values, axis=0) == 0
    return np.where(constant, 0.0, centered / np.where(constant, 1.0, spread))
