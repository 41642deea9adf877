"""Texts of a test that are no new evidence: equal to each other, or met in training."""

from dataclasses import replace

import numpy as np

from .._data_preparation._groups import join_groups
from .._data_preparation._near_duplicates import find_near_duplicates
from .._inference._design import pair_members
from .._utils._normalized_texts import fingerprint_texts
from .._utils._printable import pluralize, shorten
from .._utils._warnings import warn

# Variances that grow by less than that change no p-value that matters: at a level of
# 0.1, a twentieth more variance makes 0.1 into 0.11.
_MATTERS = 1.05

_FEWEST_GROUPS = 10  # of equal size, that are worth as much

_IGNORE = "pass near_duplicates='ignore' (--near-duplicates ignore)"


# Near-duplicates ------------------------------------------------------------------


def group_near_duplicates(rows, texts, how, *, caller):
    """Put equal and nearly equal texts into one group of the design, where it matters.

    Parameters
    ----------
    rows : Rows
        Of the test.
    texts : ndarray of shape (n_rows,) or None
        The texts; None: nothing can be found.
    how : {"auto", "group", "ignore"}
        "auto" groups where the variance of a mean could grow by more than 5 %, if
        the rows of a group were copies, and says so.
    caller : str
        For the warning.

    Returns
    -------
    rows : Rows
        With other groups, perhaps.
    found : dict or None
        "n_texts" and "n_groups" that have others like them, the "largest" group,
        "inflation" (the factor by which the variance could grow) and "grouped",
        whether the test goes by them; None if nothing was looked for.
    """
    if texts is None or how == "ignore":
        return rows, None
    labels = find_near_duplicates(texts)
    sizes = np.bincount(labels)
    alike = sizes[sizes > 1]
    given = [g for g in (rows.design.clusters, rows.design.pairs) if g is not None]
    base = join_groups(*given) if given else np.arange(len(labels))
    joined = join_groups(base, labels)
    inflation = _sum_squares(joined) / _sum_squares(base)
    wanted = inflation > (1 if how == "group" else _MATTERS)
    trouble = _find_trouble(joined, rows) if wanted else ""
    found = {
        "n_texts": int(alike.sum()),
        "n_groups": len(alike),
        "largest": int(alike.max(initial=0)),
        "inflation": float(inflation),
        "grouped": bool(wanted and not trouble),
    }
    if wanted and (trouble or how == "auto"):
        example = shorten(str(texts[np.argmax(sizes[labels])]), 40)
        warn(f"{caller}: {_describe(found, len(texts), example, trouble)}")
    if not found["grouped"]:
        return rows, found
    design = replace(rows.design, clusters=joined)
    return replace(rows, design=design, beside=rows.beside | {"groups": joined}), found


def _sum_squares(groups):
    return float(np.sum(np.bincount(groups).astype(float) ** 2))


def _find_trouble(joined, rows):
    """Say why the test cannot go by these groups; empty if it can."""
    worth = len(joined) ** 2 / _sum_squares(joined)
    if rows.design.clusters is not None and worth < _FEWEST_GROUPS:
        return "joined with groups=, they would link nearly all rows"
    return "" if joined.max() else "all rows would be one group"


def _describe(found, n_rows, example, trouble):
    what = (
        f"{found['n_texts']:,} of {n_rows:,} texts are equal or nearly equal to others "
        f"({pluralize(found['n_groups'], 'group')}, the largest of {found['largest']:,}"
        f": '{example}'). "
    )
    if trouble:
        return (
            f"{what}They are no independent evidence, but {trouble}: p-values may be "
            "too small. Keep one text of each group (find_near_duplicates); if they "
            f"are independent all the same, {_IGNORE}."
        )
    return (
        f"{what}They are no independent evidence: the test goes by these groups, as by "
        f"groups=. If they are independent all the same, {_IGNORE}."
    )


# Training texts -------------------------------------------------------------------


def find_training_texts(extractor, texts, *, caller):
    """Tell which texts the hypotheses were found in, and warn if there are any.

    Returns
    -------
    found : ndarray of bool of shape (n_texts,) or None
        None if the extractor does not know its texts: it is from an older version.
    """
    known = getattr(extractor, "training_fingerprints_", None)
    if known is None:
        return None
    found = np.isin(fingerprint_texts(texts), known)
    n = int(found.sum())
    if n:
        warn(
            f"{caller}: {n:,} of {len(found):,} texts ({100 * n / len(found):.3g} %) "
            "were there when the hypotheses were found. What was found in a text holds "
            "in it: p-values, in-sample and cross-fitted figures are too good. Leave "
            "these texts out, or split so that copies stay on one side "
            "(GroupShuffleSplit by find_near_duplicates; join_groups adds them to your "
            "own groups)."
        )
    return found


def find_new_rows(is_known, design):
    """Tell which rows, or pairs, hold no training text; None if it is not known."""
    if is_known is None or design.pairs is None:
        return None if is_known is None else ~is_known
    first, second = pair_members(design.pairs)
    return ~(is_known[first] | is_known[second])
