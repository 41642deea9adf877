"""Contests between texts: pairs made of the texts of each, by their scores."""

from numbers import Real

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.utils import check_random_state

from .._utils._containers import convert_container
from .._utils._validation import (
    Interval,
    StrOptions,
    check_length,
    is_blank,
    validate_params,
)
from .._utils._warnings import warn
from ._pairs import (
    check_are_texts,
    check_numbers,
    find_usable_pairs,
    make_pair_rows,
    mark_identical,
)

_CALLER = "pairs_within"


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
    entries = _check_entries(texts, scores, contest, trials, max_p)
    codes = pd.factorize(entries["contest"])[0]
    if how == "disjoint":
        pairs = _pair_at_random(codes, check_random_state(random_state))
    elif how == "extremes":
        pairs = _pair_extremes(codes, entries["score"].to_numpy())
    else:
        pairs = _pair_all(codes)
    pairs = np.sort(pairs, axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0], codes[pairs[:, 0]]))]
    pairs = _keep_decided(entries, pairs, min_difference, max_p)
    found = entries.iloc[pairs.ravel()].reset_index(drop=True)
    score = entries["score"].to_numpy()[pairs]
    texts = entries["text"].to_numpy()[pairs]
    rows = make_pair_rows(texts, score[:, 0] > score[:, 1], np.arange(len(pairs)))
    return pd.concat([rows, found[["contest", "score", "row"]]], axis=1)


def _check_entries(texts, scores, contest, trials, max_p):
    """Return the rows with a text, a score and a contest, as a frame."""
    texts = pd.Series(convert_container(texts), dtype=object).reset_index(drop=True)
    check_are_texts(texts, _CALLER)
    score = check_numbers(scores, "scores", _CALLER)
    contest = pd.Series(convert_container(contest)).reset_index(drop=True)
    for name, values in (("scores", score), ("contest", contest)):
        check_length(name, values, len(texts), "texts", caller=_CALLER)
    entries = pd.DataFrame({"text": texts, "score": score, "contest": contest})
    if trials is None and max_p is not None:
        raise ValueError(f"{_CALLER}: max_p needs trials, for the test of proportions.")
    if trials is not None:
        trials = check_numbers(trials, "trials", _CALLER)
        check_length("trials", trials, len(texts), "texts", caller=_CALLER)
        entries["trials"] = trials
        entries["score"] = _compute_rates(score, trials)
    entries["row"] = np.arange(len(entries))
    usable = ~texts.map(is_blank).astype(bool) & entries.notna().all(axis=1)
    if not usable.all():
        warn(
            f"{_CALLER} left out {(~usable).sum()} of {len(entries)} rows without a "
            "text, a score or a contest."
        )
    return entries[usable].reset_index(drop=True)


def _compute_rates(successes, trials):
    # missing values pass here, and are left out with their rows
    if ((successes < 0) | (successes > trials) | (trials <= 0)).any():
        raise ValueError(
            "pairs_within: with trials, scores must be numbers of successes between 0 "
            "and trials, and trials must be positive."
        )
    return successes / trials


def _pair_at_random(codes, random_state):
    """Pair rows at random within each contest, each row at most once."""
    order = random_state.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    ordered = codes[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[begins, len(ordered)])
    position = np.arange(len(ordered)) - np.repeat(begins, sizes)
    has_next = position + 1 < np.repeat(sizes, sizes)
    firsts = np.flatnonzero((position % 2 == 0) & has_next)
    return order[np.column_stack([firsts, firsts + 1])]


def _group_rows(codes):
    return pd.Series(range(len(codes))).groupby(codes).indices.values()


def _pair_extremes(codes, score):
    """Pair the best with the worst of each contest; of equal ones, the first."""
    pairs = []
    for rows in _group_rows(codes):
        best, worst = rows[np.argmax(score[rows])], rows[np.argmin(score[rows])]
        if len(rows) > 1:
            # all equal: a tie, to be counted as such
            pairs.append((best, worst if worst != best else rows[1]))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _pair_all(codes):
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for rows in _group_rows(codes):
        first, second = np.triu_indices(len(rows), 1)
        pairs.append(np.column_stack([rows[first], rows[second]]))
    return np.concatenate(pairs)


def _keep_decided(entries, pairs, min_difference, max_p):
    """Keep the pairs with a winner, if it is as clear as was asked for."""
    score = entries["score"].to_numpy()[pairs]
    gap = np.abs(score[:, 0] - score[:, 1])
    close = gap < min_difference
    if max_p is not None:
        p = _test_proportions(score, entries["trials"].to_numpy()[pairs])
        close |= ~(p <= max_p)  # NaN, where nothing varies, is not clear either
    too_close = "with too small a difference"
    reasons = {
        "of identical texts": mark_identical(entries["text"].to_numpy()[pairs]),
        "with equal scores": gap == 0,
        too_close: close,
    }
    advice = " Contests need at least two texts with different scores."
    return pairs[
        find_usable_pairs(reasons, caller=_CALLER, asked_for=too_close, advice=advice)
    ]


def _test_proportions(rate, trials):
    """Two-sided p-values of the z-test with pooled variance, a pair per row."""
    pooled = (rate * trials).sum(axis=1) / trials.sum(axis=1)
    variance = pooled * (1 - pooled) * (1 / trials).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.abs(rate[:, 0] - rate[:, 1]) / np.sqrt(variance)
    return 2 * norm.sf(z)
