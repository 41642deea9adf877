"""What kind of numbers a target is, and the ratios that are read beside its means."""

import pandas as pd

from .._utils._target_scale import look_like_counts
from ._count_model import fit_rate_ratios

TARGET_KINDS = ("quantity", "count")


def settle_target_kind(y, classes, target, *, caller):
    """Return the kind of a checked target: one of `TARGET_KINDS`; None for classes.

    `target` is one of them, or "auto": counts where they look like it, else a quantity.
    """
    if classes is not None:
        if target == "auto":
            return None
        raise ValueError(
            f"{caller}: target={target!r} is a kind of numbers, but y is taken as "
            f"{len(classes)} classes. Leave target out, or, if y is a quantity, fit "
            "and test with task='regression'."
        )
    if target == "auto":
        return "count" if look_like_counts(y) else "quantity"
    if target == "count" and len(y) and y.min() < 0:
        raise ValueError(
            f"{caller}: target='count' needs numbers that are not negative, but y goes "
            f"down to {y.min():g}. Pass target='quantity'."
        )
    return target


def fit_ratios(kind, A, y, joint, design, *, cov_type, notes):
    """Fit the model of a kind of target jointly, as far as it has one.

    Parameters
    ----------
    kind : str or None
        From `settle_target_kind`.
    A, y, design, notes
        As in `joint_regression`, of which `joint` is the outcome.
    cov_type : str
        As there.

    Returns
    -------
    table : DataFrame of n_hypotheses rows
        Ratios with their bounds; without columns for a quantity, for classes, and
        within pairs, whose differences are no counts.
    """
    if kind == "count" and not design.paired:
        return fit_rate_ratios(A, y, joint, design, cov_type=cov_type, notes=notes)
    return pd.DataFrame(index=range(A.shape[1]))
