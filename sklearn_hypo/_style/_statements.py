"""From a measure to a statement that is true or false of a text."""

import numpy as np

from ._measures import MEASURES

# How columns of `StyleFeatures` are called.
PREFIX = "style_"

# Share of the best cut's variance between groups that "contains any" has to keep.
_PLAIN = 0.95


def read_measure(column):
    """Return the measure that a column of `StyleFeatures` holds, or "".

    Parameters
    ----------
    column : str
        A column's name, also behind the prefix of a `FeatureUnion`.

    Returns
    -------
    name : str
        A name of `MEASURES`; empty for other columns.

    Examples
    --------
    >>> from sklearn_hypo._style._statements import read_measure
    >>> [read_measure(c) for c in ("style_words", "x__style_words", "neuron003")]
    ['words', 'words', '']
    """
    own = str(column).rpartition("__")[2]
    name = own.removeprefix(PREFIX)
    return name if name != own and name in MEASURES else ""


def choose_threshold(values, name):
    """Choose where a measure is cut, by `choose_cut`.

    Parameters
    ----------
    values : ndarray of shape (n_texts,)
        The measure, in its own unit.
    name : str
        Which measure it is.

    Returns
    -------
    threshold : float
        With no more decimals than `Measure.decimals`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._style._statements import choose_threshold
    >>> choose_threshold(np.array([0, 0, 0, 7.7, 8.3]), "exclamation_marks")
    0.0
    >>> choose_threshold(np.array([30, 34, 37, 161, 170, 202]), "words")
    37.0
    """
    measure = MEASURES[name]
    return choose_cut(values, decimals=measure.decimals, scale=measure.scale)


def choose_cut(values, *, decimals=1, scale=np.log1p):
    r"""Choose where values are cut in two, blind to any target.

    The cut is the one whose mark correlates best with the values on their scale (mostly
    a logarithm), which is Otsu's: it makes the variance between the two groups largest.
    [1]_ A cut between none and any is plainer than one at a rate, and is taken where
    it keeps 95 % of that variance.

    Parameters
    ----------
    values : ndarray of shape (n_texts,)
        None of them negative.
    decimals : int, default=1
        The most that the cut has.
    scale : callable, default=np.log1p
        From values to those that are compared.

    Returns
    -------
    cut : float
        0 for a cut between none and any; otherwise of two significant digits, and no
        more than `decimals`. 0 if the values are constant.

    References
    ----------
    .. [1] Otsu 1979, "A threshold selection method from gray-level histograms".
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    cuts = _list_round_numbers(ordered, decimals)
    n_below = np.searchsorted(ordered, cuts, side="right")
    inside = (n_below > 0) & (n_below < len(ordered))
    if not inside.any():
        return 0.0
    cuts, n_below = cuts[inside], n_below[inside]
    scaled = scale(ordered)
    share = n_below / len(ordered)
    below = np.cumsum(scaled)[n_below - 1] / len(ordered)
    between = (scaled.mean() * share - below) ** 2 / (share * (1 - share))
    if cuts[0] == 0 and between[0] >= _PLAIN * between.max():
        return 0.0
    # rounding must not decide between cuts that divide the texts alike
    return float(cuts[np.argmax(between >= between.max() * (1 - 1e-9))])


def _list_round_numbers(values, decimals):
    """Return 0, and the numbers next to each value that read well, ascending."""
    distinct = np.unique(values[values > 0])
    digits = 1 - np.floor(np.log10(distinct)).astype(int)
    scale = 10.0 ** np.minimum(digits, decimals)
    either = [np.floor(distinct * scale) / scale, np.ceil(distinct * scale) / scale]
    # rounded to decimals once more: 0.3 and not 0.30000000000000004
    return np.unique(np.round(np.concatenate([[0.0], *either]), decimals))


def describe_measure(name, threshold):
    """Word that a text measures more than a threshold.

    Parameters
    ----------
    name : str
        A measure.
    threshold : float
        In the measure's own unit.

    Returns
    -------
    statement : str
        True or false of a text.

    Examples
    --------
    >>> from sklearn_hypo._style._statements import describe_measure
    >>> describe_measure("words", 48)
    'is longer than 48 words'
    >>> describe_measure("first_person_singular", 6)
    'speaks in the first person: I, me, my (more than 6 words in 100)'
    >>> describe_measure("question_marks", 0)
    'asks (contains a question mark)'
    """
    measure = MEASURES[name]
    if threshold == 0 and measure.present:
        return measure.present
    statement = measure.above.format(f"{threshold:.10g}")
    if threshold == 1:
        for many in ("words", "sentences", "characters"):
            statement = statement.replace(f"than 1 {many}", f"than 1 {many[:-1]}")
    return statement
