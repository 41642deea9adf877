"""Counts among numeric targets: what they look like, and the scale to learn them on."""

import numpy as np

TARGET_SCALES = ("auto", "identity", "log1p")

# What looks like counts, beside being whole and not negative: at least this share is 0,
# the variance is more than so many times the mean, and the largest is more than so many
# times the typical one. No scale of answers up to 10 has such a tail.
_ZEROS, _DISPERSION, _TAIL = 0.1, 2.0, 10


def look_like_counts(values):
    """Tell whether numbers look like counts of attention: likes, votes, downloads.

    They do if all are whole and none is negative, at least a tenth of them are 0, their
    variance is more than twice their mean, and the largest is more than ten times the
    median (or than ten, if that is below 1). Stars, Likert scales and answers from 0 to
    10 never do, nor do counts as even as Poisson's.

    Examples
    --------
    >>> from sklearn_hypo._utils._target_scale import look_like_counts
    >>> look_like_counts([0, 0, 0, 1, 2, 0, 31]), look_like_counts([0, 5, 10, 0, 1])
    (True, False)
    """
    values = np.asarray(values, dtype=float)
    if not len(values) or values.min() < 0 or (values != np.round(values)).any():
        return False
    return bool(
        np.mean(values == 0) >= _ZEROS
        and values.var() > _DISPERSION * values.mean()
        and values.max() > _TAIL * max(np.median(values), 1)
    )


def resolve_target_scale(values, scale="auto", *, classes=None):
    """Decide between the scales "identity" and "log1p", by one rule everywhere."""
    if classes is not None:
        return "identity"
    if scale == "auto":
        return "log1p" if look_like_counts(values) else "identity"
    return scale


def scale_target(values, scale, *, caller):
    """Return numbers on the scale they are learned on: as they are, or log(1 + y)."""
    if scale != "log1p":
        return values
    values = np.asarray(values, dtype=float)
    if (values <= -1).any():
        raise ValueError(
            f"{caller}: y is learned as log(1 + y), but it goes down to "
            f"{np.nanmin(values):g}. Pass target_scale='identity'."
        )
    return np.log1p(values)


def unscale_target(values, scale):
    """Return predictions in units of the target."""
    return np.expm1(values) if scale == "log1p" else values
