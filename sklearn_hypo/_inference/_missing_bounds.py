"""How far missing annotations could move a separation: bounds, without assumptions."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class WorstCase:
    """Bounds of a separation over everything that missing annotations could be.

    Parameters
    ----------
    lower, upper : float
        The smallest and the largest separation, in units of y. NaN if no completion
        has rows on both sides.
    n_missing : int
        Rows without an annotation.
    exact : bool
        Whether the bounds are attained. With weights they may be wider than need be.
    """

    lower: float
    upper: float
    n_missing: int
    exact: bool


def bound_separation(a, y, *, weights=None):
    r"""Bound the separation over all ways to fill in the missing annotations.

    With M the rows without an annotation, these are the bounds

    .. math:: \min_{c \in \{0, 1\}^M} S(c) \le S \le \max_{c \in \{0, 1\}^M} S(c),
              \quad S(c) = \bar y_{a = 1} - \bar y_{a = 0},

    where a is filled in with c. They need no assumption on why answers are missing,
    and so they are wide: they say what the data alone exclude.

    Parameters
    ----------
    a : ndarray of shape (n_rows,)
        Annotations: 1, 0 or NaN.
    y : ndarray of shape (n_rows,)
        The target: a quantity, or 1 and 0 for a class.
    weights : ndarray of shape (n_rows,), default=None
        Positive weights of the rows in both means. None weighs all rows alike.

    Returns
    -------
    bounds : WorstCase
        Exact without weights, with weights that are equal on the missing rows, and
        without missing rows. Otherwise they are conservative: they hold, and are
        attained when a missing row may be split between the two sides.

    Notes
    -----
    Given that m missing rows are 1, S is largest when they are the m largest y: to
    swap a row of a larger y to the other side raises one mean and lowers the other.
    So m + 1 completions are looked at rather than 2 to the m, after one sort:
    O(n + m log m). With weights, the same holds of the total weight on one side, with
    one row split: S as a function of that weight is looked at between the splits,
    where it has the form (p + q t) / (r + t) - (u - q t) / (v - t), whose turning
    points have a closed form.

    Bounds of this kind are those of Horowitz and Manski [1]_.

    References
    ----------
    .. [1] J. L. Horowitz, C. F. Manski (1998). "Censoring of outcomes and regressors
       due to survey nonresponse: identification and estimation using weights and
       imputations". Journal of Econometrics 84(1), 37-58.

    Examples
    --------
    Of five texts one has no answer. If it held there, the separation were 4 - 1:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._missing_bounds import bound_separation
    >>> a, y = np.array([[1, 1, 0, 0, np.nan], [3, 3, 0, 2, 6]])
    >>> bounds = bound_separation(a, y)
    >>> bounds.lower.round(3), bounds.upper.round(3), bounds.exact
    (np.float64(0.333), np.float64(3.0), True)
    """
    weights = np.ones(len(a)) if weights is None else weights
    missing = np.isnan(a)
    sums = _side_sums(a, y, weights)
    open_y, open_w = y[missing], weights[missing]
    exact = open_w.size < 2 or np.ptp(open_w) == 0
    find = _maximize_equal if exact else _maximize_split
    upper = find(sums, open_y, open_w)
    mirrored = sums * np.array([[-1.0, 1.0], [-1.0, 1.0]])
    lower = -find(mirrored, -open_y, open_w)
    return WorstCase(lower, upper, int(missing.sum()), bool(exact))


def _side_sums(a, y, weights):
    """Rows: sides 1 and 0. Columns: weighted sum of y, sum of weights."""
    return np.array(
        [[weights[a == s] @ y[a == s], weights[a == s].sum()] for s in (1, 0)]
    )


def _maximize_equal(sums, y, w):
    """Largest separation when all missing rows weigh the same."""
    order = np.argsort(-y, kind="stable")
    taken_y = np.concatenate([[0.0], np.cumsum(y[order] * w[order])])
    taken_w = np.concatenate([[0.0], np.cumsum(w[order])])
    return _find_largest(sums, taken_y, taken_w)


def _find_largest(sums, taken_y, taken_w):
    """Largest separation over what is taken to side 1 of the missing rows.

    The last entries of what can be taken are all there is.
    """
    rest_y, rest_w = taken_y[-1] - taken_y, taken_w[-1] - taken_w
    weight_one, weight_zero = sums[0, 1] + taken_w, sums[1, 1] + rest_w
    # all or nothing is exact even where the differences of cumulated sums are not
    weight_zero[-1] = sums[1, 1]
    both = (weight_one > 0) & (weight_zero > 0)
    if not both.any():
        return np.nan
    mean_one = (sums[0, 0] + taken_y[both]) / weight_one[both]
    mean_zero = (sums[1, 0] + rest_y[both]) / weight_zero[both]
    return (mean_one - mean_zero).max()


def _maximize_split(sums, y, w):
    """Largest separation when one missing row may be split between the sides.

    Along the order of y, side 1 takes a growing weight t; on each row taken the
    separation is smooth in t, so its maximum is at an end or at a turning point.
    """
    order = np.argsort(-y, kind="stable")
    y, w = y[order], w[order]
    ends_y = np.concatenate([[0.0], np.cumsum(y * w)])
    ends_w = np.concatenate([[0.0], np.cumsum(w)])
    t = _turning_points(sums, y, w, ends_y, ends_w)
    row = np.tile(np.arange(len(y)), 2)
    inside = (t > 0) & (t < w[row])
    # a side that holds nothing else holds one missing row at the least
    least = [w.min(), ends_w[-1] - w.min()]
    taken_w = np.concatenate([ends_w[:-1][row][inside] + t[inside], least, ends_w])
    return _find_largest(sums, np.interp(taken_w, ends_w, ends_y), taken_w)


def _turning_points(sums, y, w, ends_y, ends_w):
    """Weights within each row at which the separation has slope 0; two per row.

    With side 1 at (Y1, W1) and side 0 at (Y0, W0) before the row, the slope in t is
    (y W1 - Y1) / (W1 + t)² + (y W0 - Y0) / (W0 - t)²; it is 0 where the ratio of the
    two denominators equals that of the numerators.
    """
    one_y, one_w = sums[0, 0] + ends_y[:-1], sums[0, 1] + ends_w[:-1]
    zero_y = sums[1, 0] + ends_y[-1] - ends_y[:-1]
    zero_w = sums[1, 1] + ends_w[-1] - ends_w[:-1]
    gain, loss = y * one_w - one_y, y * zero_w - zero_y
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.sqrt(-gain / loss)  # (W1 + t) / (W0 - t), up to its sign
        roots = [(r * zero_w - one_w) / (1 + r) for r in (ratio, -ratio)]
    return np.nan_to_num(np.concatenate(roots), nan=-1.0, posinf=-1.0, neginf=-1.0)
