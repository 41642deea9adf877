"""Labels of classes: one for each, however it is spelled."""

from collections import Counter, defaultdict

import numpy as np

from .._utils._labels import to_key
from .._utils._printable import escape_surrogates
from ._values import name_counts, name_value, to_label

_NAMED = 3  # so many labels with several spellings are named in a note


def merge_spellings(values, what, note):
    """Return labels: Yes, "yes " and YES as the most frequent of them, 1.0 as 1.

    Parameters
    ----------
    values : iterable
        Stripped values.
    what : str
        The column, for the note.
    note : callable
        Takes a sentence on what was made one.

    Returns
    -------
    labels : ndarray of str of shape (n_rows,)
        The labels, without lone surrogates.
    """
    labels = [escape_surrogates(to_label(value)) for value in values]
    spellings = defaultdict(Counter)
    for label, n in Counter(labels).items():
        spellings[to_key(label)][label] = n
    kept, merged = {}, []
    for counts in spellings.values():
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        kept |= dict.fromkeys(counts, ranked[0][0])
        if len(ranked) > 1:
            merged.append((ranked[0][0], ranked))
    if merged:
        named = "; ".join(
            f"{name_counts(ranked)} as {name_value(label)}"
            for label, ranked in merged[:_NAMED]
        )
        more = len(merged) - _NAMED
        note(
            f"{what}: spellings are taken together: {named}"
            + (f"; and {more} labels more" if more > 0 else "")
            + ". To keep them apart, give each a number: --map-file."
        )
    return np.array([kept[label] for label in labels])
