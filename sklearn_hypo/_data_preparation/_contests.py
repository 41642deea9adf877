"""Contests between texts: pairs made of the texts of each, by their scores."""

import warnings
from numbers import Real

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.utils import check_random_state

from .._utils._validation import Interval, StrOptions, validate_params
from ..exceptions import HypothesisWarning
from ._pairs import as_numbers, check_are_texts, check_length, is_blank, unusable

__all__ = ["pairs_within"]


@validate_params(
    {
        "how": [StrOptions({"disjoint", "extremes", "all"})],
        "min_difference": [Interval(Real, 0, None, closed="left")],
        "max_p": [Interval(Real, 0, 1, closed="right"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def pairs_within(
    texts,
    scores,
    contest,
    *,
    how="disjoint",
    trials=None,
    min_difference=0.0,
    max_p=None,
    random_state=None,
):
    r"""Make pairs of the texts of each contest, of which the better score wins.

    A contest is what makes scores comparable: a test of headlines on the same story,
    answers to the same question. Texts are only ever compared within one.

    Parameters
    ----------
    texts : array-like of shape (n_samples,) of str
        The texts of all contests.
    scores : array-like of shape (n_samples,)
        The higher, the better: a quantity in any units or, with `trials`, a number of
        successes such as clicks.
    contest : array-like of shape (n_samples,)
        Which contest each text is in.
    how : {"disjoint", "extremes", "all"}, default="disjoint"
        Which pairs are made in a contest of m texts:

        - "disjoint": at random, each text in at most one pair, so that no row
          repeats (m / 2 pairs, rounded down);
        - "extremes": the best against the worst (one pair). The largest contrast, and
          the most exaggerated: chance helped to make it the largest;
        - "all": each against each (m (m - 1) / 2 pairs). Rows repeat, m - 1 times
          each, and large contests dominate.
    trials : array-like of shape (n_samples,), default=None
        Numbers of trials, such as impressions. The score is then the rate
        ``scores / trials``.
    min_difference : float, default=0.0
        Pairs whose scores (or rates) differ by less are left out, as are ties.
    max_p : float or None, default=None
        With `trials`: leave out pairs whose rates differ with a larger p-value than
        this, by the two-sided two-proportion z-test with pooled variance,

        .. math:: z = \frac{p_1 - p_2}
                  {\sqrt{\bar p (1 - \bar p) (1 / n_1 + 1 / n_2)}}.

    random_state : int, RandomState instance or None, default=None
        Seeds the draw of disjoint pairs.

    Returns
    -------
    rows : DataFrame of shape (2 * n_pairs, 6)
        Two rows per pair, ordered by contest, in a pair by `row`, with the columns

        - ``text``;
        - ``target``: 1 for the better text, 0 for the worse (int64);
        - ``pair``: the number of the pair, from 0 on;
        - ``contest``: the contest, in its own labels;
        - ``score``: the score or rate;
        - ``row``: the position in `texts`, to look up what else is known.

    Raises
    ------
    TypeError
        If a text is not a string.
    ValueError
        If lengths differ, scores are not finite numbers, trials are missing where
        they are needed or fewer than successes, or no pair is left.

    Warns
    -----
    HypothesisWarning
        Counts the pairs left out for identical texts or equal scores, and the rows
        left out for a missing text, score or contest. What `min_difference` and
        `max_p` leave out was asked for.

    See Also
    --------
    make_pairs : For a table that has pairs already.
    join_groups : Groups that keep equal texts together, too.

    Notes
    -----
    - Pairs of one contest share its story, its day and its readers, and with "all"
      their texts: split by contest, and pass it as `groups` to
      `evaluate_hypotheses`.
    - Leaving out close contests (`min_difference`, `max_p`) asks another question:
      what tells clear winners from clear losers. It makes a signal easier to see and
      its size larger than it is among all pairs. Decide before looking at results.
    - A text that occurs twice in a contest is not merged; aggregate first.

    Examples
    --------
    >>> from sklearn.model_selection import GroupShuffleSplit
    >>> from sklearn_hypo import pairs_within
    >>> texts = ["Cats", "Look: cats!", "On dogs", "Dogs? Dogs!"]
    >>> clicks, shown = [10, 30, 12, 11], [1000, 1000, 1000, 1000]
    >>> tests = ["t1", "t1", "t2", "t2"]
    >>> rows = pairs_within(texts, clicks, tests, trials=shown)
    >>> rows[["text", "target", "pair", "contest", "score"]]
              text  target  pair contest  score
    0         Cats       0     0      t1  0.010
    1  Look: cats!       1     0      t1  0.030
    2      On dogs       1     1      t2  0.012
    3  Dogs? Dogs!       0     1      t2  0.011
    >>> splitter = GroupShuffleSplit(1, test_size=0.5, random_state=0)
    >>> train, test = next(splitter.split(rows, groups=rows["contest"]))
    >>> train.tolist(), test.tolist()
    ([0, 1], [2, 3])
    """
    rows = _contestants(texts, scores, contest, trials, max_p)
    codes = rows["code"].to_numpy()
    if how == "disjoint":
        pairs = _disjoint(codes, check_random_state(random_state))
    else:
        score = rows["score"].to_numpy()
        pairs = _extremes(codes, score) if how == "extremes" else _all(codes)
    pairs = np.sort(pairs, axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0], codes[pairs[:, 0]]))]
    pairs = _decided(rows, pairs, min_difference, max_p)
    return _rows_of(rows, pairs)


def _contestants(texts, scores, contest, trials, max_p):
    """Return the rows with a text, a score and a contest; `code` numbers contests."""
    caller = "pairs_within"
    texts = pd.Series(texts, dtype=object).reset_index(drop=True)
    check_are_texts(texts, caller)
    score = as_numbers(scores, "scores", caller)
    contest = pd.Series(contest).reset_index(drop=True)
    for name, values in (("scores", score), ("contest", contest)):
        check_length(name, values, texts, caller)
    rows = pd.DataFrame({"text": texts, "score": score, "contest": contest})
    if trials is None and max_p is not None:
        raise ValueError(f"{caller}: max_p needs trials, for the test of proportions.")
    if trials is not None:
        rows["trials"] = as_numbers(trials, "trials", caller)
        rows["score"] = _rates(rows["score"], rows["trials"])
    rows["row"] = np.arange(len(rows))
    usable = ~texts.map(is_blank).astype(bool) & rows.notna().all(axis=1)
    if not usable.all():
        warnings.warn(
            f"{caller} left out {(~usable).sum()} of {len(rows)} rows without a text, "
            "a score or a contest.",
            HypothesisWarning,
            stacklevel=4,  # validate_params, too, is in between
        )
    rows = rows[usable].reset_index(drop=True)
    rows["code"] = pd.factorize(rows["contest"])[0]
    return rows


def _rates(successes, trials):
    # missing values pass here, and are left out with their rows
    if ((successes < 0) | (successes > trials) | (trials <= 0)).any():
        raise ValueError(
            "pairs_within: with trials, scores must be numbers of successes between 0 "
            "and trials, and trials must be positive."
        )
    return successes / trials


def _disjoint(codes, random_state):
    """Pair rows at random within each contest, each row at most once."""
    order = random_state.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    ordered = codes[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[begins, len(ordered)])
    position = np.arange(len(ordered)) - np.repeat(begins, sizes)
    firsts = np.flatnonzero((position % 2 == 0) & (position + 1 < _each(sizes)))
    return order[np.column_stack([firsts, firsts + 1])]


def _each(sizes):
    return np.repeat(sizes, sizes)


def _extremes(codes, score):
    """Pair the best with the worst of each contest; of equal ones, the first."""
    pairs = []
    for rows in pd.Series(range(len(codes))).groupby(codes).indices.values():
        best, worst = rows[np.argmax(score[rows])], rows[np.argmin(score[rows])]
        if len(rows) > 1:
            # all equal: a tie, to be counted as such
            pairs.append((best, worst if worst != best else rows[1]))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _all(codes):
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for rows in pd.Series(range(len(codes))).groupby(codes).indices.values():
        first, second = np.triu_indices(len(rows), 1)
        pairs.append(np.column_stack([rows[first], rows[second]]))
    return np.concatenate(pairs)


def _decided(rows, pairs, min_difference, max_p):
    """Keep the pairs with a winner, if it is as clear as was asked for."""
    same = unusable(rows["text"].to_numpy()[pairs])[1]
    score = rows["score"].to_numpy()[pairs]
    gap = np.abs(score[:, 0] - score[:, 1])
    close = gap < min_difference
    if max_p is not None:
        p = _two_proportions(score, rows["trials"].to_numpy()[pairs])
        close |= ~(p <= max_p)  # NaN, where nothing varies, is not clear either
    tie = gap == 0
    keep = ~(same | tie | close)
    _report_pairs(len(pairs), keep, same, tie & ~same, close & ~tie & ~same)
    return pairs[keep]


def _report_pairs(n, keep, same, tie, close):
    reasons = {"of identical texts": same, "with equal scores": tie}
    counts = [f"{mask.sum()} {why}" for why, mask in reasons.items() if mask.any()]
    if not keep.any():
        counts += [f"{close.sum()} with too small a difference"] * bool(close.any())
        why = f" ({', '.join(counts)})" if counts else ""
        raise ValueError(
            f"pairs_within: none of {n} pairs is left{why}. Contests need at least two "
            "texts with different scores."
        )
    if counts:
        warnings.warn(
            f"pairs_within left out {(same | tie).sum()} of {n} pairs: "
            f"{', '.join(counts)}.",
            HypothesisWarning,
            stacklevel=5,
        )


def _two_proportions(rate, trials):
    """Two-sided p-values of the z-test with pooled variance, a pair per row."""
    pooled = (rate * trials).sum(axis=1) / trials.sum(axis=1)
    variance = pooled * (1 - pooled) * (1 / trials).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.abs(rate[:, 0] - rate[:, 1]) / np.sqrt(variance)
    return 2 * norm.sf(z)


def _rows_of(rows, pairs):
    found = rows.iloc[pairs.ravel()].reset_index(drop=True)
    score = found["score"].to_numpy().reshape(-1, 2)
    first_won = (score[:, 0] > score[:, 1]).astype(np.int64)
    return pd.DataFrame(
        {
            "text": found["text"],
            "target": np.column_stack([first_won, 1 - first_won]).ravel(),
            "pair": np.repeat(np.arange(len(pairs)), 2),
            "contest": found["contest"],
            "score": found["score"],
            "row": found["row"],
        }
    )
