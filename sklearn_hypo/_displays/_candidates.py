"""The candidates of a search as arrays: what varies, and over which values."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._utils._printable import to_printable
from ._lookup import choice

NOT_SET = "not set"  # candidates of another grid do without the parameter


class Candidates(NamedTuple):
    """What was tried.

    Attributes
    ----------
    names : tuple of str
        The parameters that vary.
    values : tuple of list
        The distinct values of each; numbers ascending, others as they came.
    codes : ndarray of int of shape (n_candidates, n_names)
        Position of each candidate's value in `values`.
    mean, std : ndarray of shape (n_candidates,)
        Test score: mean and standard deviation over the folds.
    best : int
        The best candidate.
    """

    names: tuple
    values: tuple
    codes: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    best: int

    def differing(self, names):
        """Mark the candidates that share the best one's values of all but `names`."""
        others = [i for i, name in enumerate(self.names) if name not in names]
        return (self.codes[:, others] == self.codes[self.best, others]).all(axis=1)


def candidates_of(search, metric, caller):
    """Read the candidates of a fitted search.

    Parameters
    ----------
    search : GridSearchCV or another search of scikit-learn
        Fitted.
    metric : str or None
        Which score, if there are several.
    caller : str
        The method, for messages.

    Returns
    -------
    candidates : Candidates
        If a candidate was scored several times (halving), the last time counts.
    metric : str
        Name of the score among the results: "score", if there is only one.
    """
    if not hasattr(search, "cv_results_"):
        if hasattr(search, "fit") and hasattr(search, "cv"):
            check_is_fitted(search, "cv_results_")
        raise TypeError(
            f"{caller}: search= expects a fitted GridSearchCV or another search of "
            f"scikit-learn, but {type(search).__name__} arrived."
        )
    results = search.cv_results_
    metric = _metric(search, metric, caller)
    last = {}
    for row, parameters in enumerate(results["params"]):
        last[tuple((n, _key(v)) for n, v in sorted(parameters.items()))] = row
    rows = np.array(list(last.values()))
    names, values, codes = _varied([results["params"][row] for row in rows])
    mean = np.asarray(results[f"mean_test_{metric}"], dtype=float)[rows]
    std = np.asarray(results[f"std_test_{metric}"], dtype=float)[rows]
    if not names:
        raise ValueError(f"{caller}: no parameter varies in search=, so no drawing.")
    if np.isnan(mean).all():
        raise ValueError(
            f"{caller}: every mean_test_{metric} of search= is NaN: all fits or scores "
            "failed. See the warnings of search.fit."
        )
    chosen = np.flatnonzero(rows == getattr(search, "best_index_", -1))
    refit = getattr(search, "refit", None)
    own = len(chosen) and not (isinstance(refit, str) and refit != metric)
    best = int(chosen[0]) if own else int(np.nanargmax(mean))
    return Candidates(names, values, codes, mean, std, best), metric


def two_that_matter(candidates):
    """Choose the two parameters that change the score most, others as in the best."""

    def effect(name):
        means = candidates.mean[candidates.differing([name])]
        return np.nanmax(means) - np.nanmin(means) if not np.isnan(means).all() else 0

    names = candidates.names
    effects = [round(float(effect(name)), 12) for name in names]
    largest = np.argsort(-np.array(effects), kind="stable")[:2]
    return tuple(names[i] for i in sorted(largest))


def is_numeric(values):
    """Whether all values are numbers (booleans are not)."""
    return all(map(_is_number, values))


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def is_geometric(values):
    """Whether numbers spread more evenly on a logarithmic axis."""
    numbers = np.array(values, dtype=float)
    if len(numbers) < 3 or numbers.min() <= 0 or numbers.max() < 4 * numbers.min():
        return False
    return _unevenness(np.log(numbers)) < _unevenness(numbers)


def _unevenness(numbers):
    """Mean distance of ordered numbers from evenly spaced ones between their ends."""
    numbers = np.sort(numbers)
    even = np.linspace(numbers[0], numbers[-1], len(numbers))
    return np.abs(numbers - even).mean() / np.ptp(numbers)


def value_text(value):
    """A value in a few characters."""
    if _is_number(value):
        return f"{value:.4g}" if value != int(value) else f"{int(value):,}"
    text = getattr(value, "__name__", None) or str(value)
    return to_printable(text)


def _metric(search, metric, caller):
    known = [
        name.removeprefix("mean_test_")
        for name in search.cv_results_
        if name.startswith("mean_test_")
    ]
    if metric is None:
        refit = getattr(search, "refit", None)
        metric = refit if refit in known else known[0]
        if len(known) > 1 and metric != refit:
            raise ValueError(
                f"{caller}: search= has several scores. Choose one of them: metric="
                f"{' or '.join(map(repr, known))}."
            )
        return metric
    return choice(metric, known, parameter="metric", caller=caller)


def _key(value):
    """What tells values apart, be they unhashable or 1 and True."""
    if _is_number(value):
        return ("number", float(value))
    return (type(value).__name__, repr(value))


def _varied(settings):
    """Names, values and codes of the parameters that vary over the settings."""
    names = list(dict.fromkeys(name for setting in settings for name in setting))
    kept, values, codes = [], [], []
    for name in names:
        column = [setting.get(name, NOT_SET) for setting in settings]
        distinct = {_key(value): value for value in column}
        if len(distinct) < 2:
            continue
        keys = list(distinct)
        if is_numeric(distinct.values()):
            keys.sort()
        position = {key: i for i, key in enumerate(keys)}
        kept.append(name)
        values.append([distinct[key] for key in keys])
        codes.append([position[_key(value)] for value in column])
    return tuple(kept), tuple(values), np.array(codes, dtype=int).T
