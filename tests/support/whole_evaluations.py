"""Evaluations of known annotations, and comparisons of all that they report."""

import warnings

import numpy as np
import pandas as pd
import plain_statistics as plain
import pytest
from sklearn import model_selection
from sklearn.base import BaseEstimator

from sklearn_hypo import evaluate_hypotheses
from sklearn_hypo._inference._all_together import permutation_p as all_together
from sklearn_hypo.exceptions import HypothesisWarning

NAMES = ["mentions tea", "mentions rain", "asks why", "is long"]
SEPARATION = ["separation", "separation_se", "separation_lower", "separation_upper"]
COEFFICIENT = ["coef", "coef_se", "coef_lower", "coef_upper", "coef_p", "coef_df"]
EFFECT = ["ame", "ame_se", "ame_lower", "ame_upper"]
UNREMARKABLE = {"duplicate_of": [""] * 4, "note": [""] * 4}
SEED, N_RESAMPLES, ALPHA = 3, 60, 0.1


class Annotated(BaseEstimator):
    """Stands in for an extractor: texts are row numbers, annotations are known."""

    def __init__(self, annotations, names, slopes, classes=None):
        self.annotations = annotations
        self.names = names
        self.slopes = slopes
        self.classes = classes

    def fit(self):
        names, classes = self.names, self.classes
        self.task_ = "regression" if classes is None else "classification"
        if classes is not None:
            self.classes_ = np.array(classes)
        self.hypotheses_ = pd.DataFrame(
            {
                "neuron": [f"neuron{j}" for j in range(len(names))],
                "hypothesis": pd.Series(names, dtype=object),
                "f1": np.linspace(0.9, 0.5, len(names)),
            }
        )
        return self

    def transform(self, X):
        rows = [int(text.split()[-1]) for text in X]
        index = pd.Index(list(X), dtype=object, name="text")
        return pd.DataFrame(self.annotations[rows], index=index, columns=self.names)

    def predict_annotations(self, A):
        scores = np.nan_to_num(np.asarray(A), nan=0.4) @ self.slopes
        if self.classes is None:
            return scores[:, None]
        if len(self.classes) == 2:
            return 1 / (1 + np.exp(-scores))[:, None]
        scores = np.exp(np.outer(scores, np.arange(len(self.classes)) - 1.0))
        return scores / scores.sum(axis=1, keepdims=True)


def evaluated(
    A, y, names=NAMES, *, classes=None, slopes=(0.8, -0.5, 0.3, 0.1), **kwargs
):
    """Return the report, the predictions of the stand-in, and the warnings."""
    slopes = np.resize(slopes, A.shape[1])
    kwargs = {"alpha": ALPHA, "correction": "holm"} | kwargs
    extractor = Annotated(A, names, slopes, classes).fit()
    texts = [f"text {i}" for i in range(len(A))]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = evaluate_hypotheses(
            extractor, texts, y, n_resamples=N_RESAMPLES, random_state=SEED, **kwargs
        )
    assert {w.category for w in caught} <= {HypothesisWarning}
    compare_simultaneous(report.table, report.alpha)
    return report, extractor.predict_annotations(A), [str(w.message) for w in caught]


def annotations_of(rng, n, h=4, gaps=0.0):
    A = (rng.random((n, h)) < np.linspace(0.55, 0.3, h)).astype(float)
    A[:, 1] = np.where(rng.random(n) < 0.5, A[:, 0], A[:, 1])
    A[rng.random((n, h)) < gaps] = np.nan
    return A


def groups_of(rng, n, n_groups):
    """Groups, numbered as they appear."""
    return pd.factorize(rng.integers(0, n_groups, n))[0]


def compare(table, expected, rtol=1e-6):
    """Every column of a table, none left out and none too many."""
    # the last are compared in tests/inference/test_adjusted_separations.py
    others = ("_simultaneous_", "separation_df", "separation_adjusted")
    rest = [c for c in table if any(part in c for part in others)]
    assert set(table.columns) - set(rest) == set(expected)
    for name, values in expected.items():
        if np.asarray(values).dtype.kind in "fiub":
            np.testing.assert_allclose(
                np.asarray(table[name], dtype=float),
                np.asarray(values, dtype=float),
                rtol=rtol,
                atol=1e-9,
                err_msg=name,
            )
        else:
            assert table[name].tolist() == list(values), name


def compare_simultaneous(table, alpha):
    """Intervals of all together exclude 0 where, and only where, a p-value says so."""
    for name, p in (("separation", "separation_p_corrected"), ("coef", "p_corrected")):
        if f"{name}_simultaneous_lower" not in table:
            continue
        lower, upper = (
            table[f"{name}_simultaneous_{end}"].to_numpy() for end in ("lower", "upper")
        )
        known = ~np.isnan(lower)
        excluded = (lower >= 0) | (upper <= 0)
        significant = (table[p] <= alpha).to_numpy()
        np.testing.assert_array_equal(excluded[known], significant[known])
        if "odds_ratio" in table and name == "coef":
            continue
        # those not cut at 0 are no narrower than for one alone
        inside = ~excluded & known & table[f"{name}_lower"].notna().to_numpy()
        assert (lower <= table[f"{name}_lower"] + 1e-9)[inside].all()
        assert (upper >= table[f"{name}_upper"] - 1e-9)[inside].all()


def compare_figures(report, expected, weights, units):
    """Every overall figure with its bootstrap interval."""
    assert report.overall["name"].tolist() == list(expected)
    one = np.ones(len(units)) if weights is None else weights
    for name, value, lower, upper in report.overall.iloc[:, :4].itertuples(index=False):
        wanted, score, rows = expected[name]
        assert value == pytest.approx(wanted, rel=1e-6), name
        interval = (np.nan, np.nan)
        if score is not None:
            interval = plain.bootstrap(score, one[rows], units[rows], SEED, N_RESAMPLES)
        assert (lower, upper) == pytest.approx(interval, rel=1e-5, nan_ok=True), name


def scored(score, weights, rows):
    """A value with the function that made it, for `compare_figures`."""
    return score(weights[rows]), score, rows


def facts(names, A, y_rows=None, weights=None):
    """The columns that describe the hypotheses and their answers."""
    known = ~np.isnan(A)
    w = np.ones(len(A)) if weights is None else weights
    return {
        "neuron": [f"neuron{j}" for j in range(len(names))],
        "hypothesis": list(names),
        "fidelity": np.linspace(0.9, 0.5, len(names)),
        "n": known.sum(axis=0),
        "missing": (~known).sum(axis=0),
        "prevalence": [
            np.average(a[k], weights=w[k]) for a, k in zip(A.T, known.T, strict=True)
        ],
    }


def columns_of(rows, names):
    return {name: np.array([row[name] for row in rows]) for name in names}


def separation_of(values):
    """A separation, its standard error, bounds and p-value, by column."""
    return dict(zip([*SEPARATION, "separation_p"], values, strict=True))


def coefficients(*values):
    """Joint coefficients, standard errors, bounds, p-values and df, by column."""
    return dict(zip(COEFFICIENT, values, strict=True))


def worst_cases(A, targets, w):
    bounds = [
        plain.extremes_of_separation(a, t, w) for a, t in zip(A.T, targets, strict=True)
    ]
    return dict(
        zip(
            ["separation_worst_lower", "separation_worst_upper"],
            zip(*bounds, strict=True),
            strict=False,
        )
    )


def corrected(p, alpha, adjust=plain.holm):
    adjusted = adjust(np.asarray(p))
    return {"p_corrected": adjusted, "significant": adjusted <= alpha}


def permutation_p(A, y, controls, **design):
    """The p-value of all together, of rows and a design put together by hand."""
    rng = np.random.default_rng([SEED, 2])
    return all_together(A, y, controls, rng, N_RESAMPLES, **design)[0]


def residuals(Y, controls, w):
    root = np.sqrt(w)[:, None]
    return Y - controls @ (np.linalg.pinv(controls * root) @ (Y * root))


def folds_of(y, units=None, *, stratified):
    """Five folds by scikit-learn that keep units whole."""
    options = {"n_splits": 5, "shuffle": True, "random_state": SEED}
    grouped = "Group" if units is not None else ""
    kind = ("Stratified" if stratified else "") + grouped + "KFold"
    split = getattr(model_selection, kind)(**options).split
    return list(split(np.zeros(len(y)), y, units))


def cross_fitted(model, X, y, folds, w, method="predict"):
    found = None
    for train, test in folds:
        model.fit(X[train], y[train], sample_weight=w[train])
        own = getattr(model, method)(X[test])
        own = own.reshape(len(test), -1)
        found = np.zeros((len(X), own.shape[1])) if found is None else found
        found[test] = own
    return found
