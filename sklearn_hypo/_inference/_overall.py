"""The overall figures of a test, with intervals and what each of them is."""

import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeCV
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from .._utils._printable import pluralize
from .._utils._terms import mark_terms
from .._utils._validation import encode_one_hot
from ._all_together import permutation_p
from ._ngrams import find_ngrams, pick_ngrams
from ._resampling import bootstrap_interval, scorer


class Overall:
    """Collects overall figures of the hypotheses in a joint regression.

    Of `tests`, for `n_classes` (None for a quantity); `seed` seeds folds, bootstrap
    resamples and permutations. What is predicted is the target of `tests`, or
    `predicted`, the same on another scale of that name, `scale`.
    """

    def __init__(
        self, tests, n_classes, n_resamples, seed, *, predicted=None, scale=""
    ):
        self._tests = tests
        self._y = tests.y if predicted is None else predicted
        self._scale = scale
        self._n_classes = n_classes
        self._n_resamples = n_resamples
        self._seed = seed
        self._paired = tests.design.paired
        self._metric = "r2" if n_classes is None else "roc_auc"
        self._rows = []

    def add_in_sample(self):
        """Add what the joint regression reaches on its own rows."""
        joint = self._tests.joint
        of = pluralize(len(joint.columns), "hypothesis")
        of += f", {int(joint.rows.sum()):,} rows"
        others = self._name_others()
        added = f", added to that of the {others}" if others else ""
        names = {
            "r2": f"R² in-sample{added or ' (as published)'}: fit and score on the "
            f"same rows; {of}",
            "r2_adjusted": f"R² in-sample{added}, adjusted for the number of "
            "hypotheses",
            "roc_auc": f"{self._word()} in-sample{added}: fit, score on the same rows; "
            f"{of}",
            "pseudo_r2": f"pseudo R² (McFadden) in-sample{added}",
        }
        for name, value in joint.metrics.items():
            self._add(name, value, *self._fitted_interval(name), names[name])
        words = {
            "r2": "R²",
            "roc_auc": self._word(),
            "pseudo_r2": "pseudo R² (McFadden)",
        }
        for name, value in joint.baseline.items():
            bounds = self._fitted_interval(name, of_others=True)
            what = f"{words[name]} in-sample of the {others} alone, without hypotheses"
            self._add(f"{name}_covariates", value, *bounds, what)

    def _name_others(self):
        """What stands beside the hypotheses in the joint regression; "" if nothing."""
        joint = self._tests.joint
        parts = ["covariates"] if joint.controls.names else []
        parts += ["fixed effects"] if self._tests.design.levels is not None else []
        return " and ".join(parts)

    def _word(self):
        return "pairs ranked rightly" if self._paired else "ROC AUC"

    def _fitted_interval(self, name, of_others=False):
        """Bootstrap of the score of the fitted values, which are not fitted again.

        Not of the R² of the hypotheses: noise alone lifts it above 0, and the interval
        with it.
        """
        joint, k = self._tests.joint, self._n_classes
        n_outputs = k if k and k > 2 else 1  # fewer where some class has no rows
        of_r2 = name in ("r2", "r2_adjusted") and not of_others
        if of_r2 or name == "pseudo_r2" or joint.fitted.shape[1] != n_outputs:
            return np.nan, np.nan
        y, design = self._tests.y[joint.rows], self._tests.design.take(joint.rows)
        score = whole = self._scorer(y, joint.fitted, None)
        if joint.baseline_fitted is not None:
            score = rest = self._scorer(y, joint.baseline_fitted, None)
            if not of_others:

                def score(w):
                    return whole(w) - rest(w)

        return self._interval(score, design, len(y))

    def add_cross_fitted(self):
        """Add what hypotheses predict of rows that their model has not seen."""
        rows = self._tests.joint.rows
        A = self._tests.annotations[rows][:, self._tests.joint.columns]
        others = self._name_others()
        alone = f" by the hypotheses alone, without the {others}" if others else ""
        what = (
            f"{self._title()} cross-fitted{alone}: fit on four fifths of these rows, "
            "score on the fifth left out"
        )
        self._add_cross_fitted(f"{self._metric}_cross_fitted", A, rows, what)

    def add_embeddings(self, embeddings):
        """Add what the embeddings themselves predict: a ceiling for the words."""
        what = (
            f"{self._title()} of the embeddings, cross-fitted on these rows by ridge: "
            "what a dense model makes of as many texts"
        )
        rows = np.ones(len(self._tests.y), dtype=bool)
        name = f"{self._metric}_embeddings"
        self._add_cross_fitted(name, np.asarray(embeddings), rows, what, dense=True)

    def add_length(self, length, p):
        """Add what the length alone predicts, with the p-value of its test."""
        shown = f"{p:.1g}" if p >= _SMALLEST_P else f"below {_SMALLEST_P:.0e}"
        what = (
            f"{self._title()} of the length alone, log(1 + words), cross-fitted on "
            f"these rows; p-value {shown}"
        )
        rows = np.ones(len(self._tests.y), dtype=bool)
        self._add_cross_fitted(f"{self._metric}_length", length[:, None], rows, what)

    def add_ngrams(self, presence, n_select):
        """Add what as many n-grams predict, picked anew for each fold."""
        what = (
            f"{self._title()} of {self._name_ngrams(n_select)}, picked by the lasso "
            "and fitted on four fifths of these rows, scored on the fifth left out"
        )
        rows = np.ones(len(self._tests.y), dtype=bool)
        name = f"{self._metric}_ngrams"
        self._add_cross_fitted(name, presence, rows, what, n_select=n_select)

    def add_ngrams_out_of_sample(self, predictions, n_select, new=None):
        """Add the score of n-grams that were picked and fitted on training texts.

        `new` is as in `add_out_of_sample`.
        """
        where = "out-of-sample" if new is None or new.all() else "on the other texts"
        what = (
            f"{self._title()} of {self._name_ngrams(n_select)} {where}: picked "
            "by the lasso and fitted on the training texts"
        )
        values = self._score_new(predictions, new)
        if values is not None:
            self._add(f"{self._metric}_ngrams_out_of_sample", *values, what)

    @staticmethod
    def _name_ngrams(n_select):
        return f"as many n-grams ({pluralize(n_select, 'word')} or pairs of words)"

    def _title(self):
        title = {"r2": "R²"}.get(self._metric, self._word())
        return f"{title} on {self._scale}" if self._scale else title

    def _add_cross_fitted(
        self, name, X, rows, description, *, dense=False, n_select=None
    ):
        y, design = self._y[rows], self._tests.design.take(rows)
        n_classes = None if self._paired else self._n_classes
        folds = make_folds(y, n_classes, design.clusters, self._seed)
        with warnings.catch_warnings():
            # ill-conditioned folds of few rows; their predictions are as they are
            warnings.simplefilter("ignore")
            predictions = predict_cross_fitted(
                X,
                y,
                self._n_classes,
                folds,
                weights=design.weights,
                paired=self._paired,
                dense=dense,
                n_select=n_select,
            )
        score = self._scorer(y, predictions, folds)
        self._add(name, *self._with_interval(score, design, len(y)), description)

    def add_out_of_sample(self, predictions, new=None):
        """Add the score of predictions made elsewhere, one row per row of the test.

        `new` tells which rows the predicting model was not fitted on, None that it was
        fitted on none. Only new rows are scored; the figure is called out-of-sample
        where all are.
        """
        n, unit = len(self._tests.y), "pairs" if self._paired else "texts"
        what = f"out-of-sample: fit on the training texts, score on these {n:,} {unit}"
        if new is not None and not new.all():
            what = (
                f"on the {int(new.sum()):,} of {n:,} {unit} that the model was not "
                "fitted on"
            )
        what = f"{self._title()} {what}"
        values = self._score_new(predictions, new)
        if values is None:
            return None
        name = f"{self._metric}_out_of_sample"
        self._add(name, *values, what)
        if np.isnan(values[0]) and len(np.unique(self._tests.y)) > 1:
            return "No score out of sample: some class has no rows here."
        return None

    def _score_new(self, predictions, new):
        """Score with interval, on new rows; None if these are fewer than two."""
        new = np.ones(len(self._tests.y), dtype=bool) if new is None else new
        y, design = self._y[new], self._tests.design.take(new)
        if len(y) < 2:
            return None
        score = self._scorer(y, predictions[new], None)
        return self._with_interval(score, design, len(y))

    def _scorer(self, y, predictions, folds):
        return scorer(y, predictions, self._n_classes, paired=self._paired, folds=folds)

    def _with_interval(self, score, design, n_rows):
        weights = np.ones(n_rows) if design.weights is None else design.weights
        return (float(score(weights[None])[0]), *self._interval(score, design, n_rows))

    def _interval(self, score, design, n_rows):
        rng = np.random.default_rng([self._seed, 1])
        return bootstrap_interval(
            score,
            n_rows,
            rng,
            self._n_resamples,
            weights=design.weights,
            clusters=design.clusters,
        )

    def permutation_p(self):
        """Return the p-value of all hypotheses together, and why it is missing."""
        tests, rows = self._tests, self._tests.joint.rows
        A = tests.annotations[rows][:, tests.joint.columns]
        y, design = tests.y[rows], tests.design.take(rows)
        n_classes = None if self._paired else self._n_classes
        controls = tests.joint.controls
        return permutation_p(
            controls.clear(A),
            controls.clear(y) if n_classes is None else y,
            controls.values,
            np.random.default_rng([self._seed, 2]),
            self._n_resamples,
            n_classes=n_classes,
            weights=design.weights,
            clusters=design.clusters,
            levels=design.levels,
            absorbed=controls.levels is not None,
            paired=self._paired,
        )

    def _add(self, name, value, lower, upper, description):
        self._rows.append((name, value, lower, upper, description))

    def table(self):
        """Return the figures, one row each."""
        columns = ["name", "value", "lower", "upper", "description"]
        return pd.DataFrame(self._rows, columns=columns)


_N_FOLDS = 5

_SMALLEST_P = 1e-300  # below it a p-value is no number that anyone should read

PENALTIES = np.logspace(-3, 3, 13)


def make_folds(y, n_classes, clusters, seed):
    """Fold rows with clusters kept whole and classes in proportion.

    Returns pairs of rows to fit on and rows to predict; none where there are too few.
    """
    units = len(y) if clusters is None else len(np.unique(clusters))
    rarest = units if n_classes is None else _count_rarest(y, n_classes, clusters)
    n_folds = min(_N_FOLDS, units, rarest)
    if n_folds < 2:
        return []
    options = {"n_splits": n_folds, "shuffle": True, "random_state": seed}
    if n_classes is None:
        kind = KFold if clusters is None else GroupKFold
    else:
        kind = StratifiedKFold if clusters is None else StratifiedGroupKFold
    return list(kind(**options).split(np.zeros(len(y)), y, clusters))


def _count_rarest(y, n_classes, clusters):
    """Rows, or clusters, that have the rarest of the classes that occur."""
    if clusters is None:
        counts = np.bincount(y, minlength=n_classes)
    else:
        cells = np.unique(np.column_stack([y, clusters]), axis=0)
        counts = np.bincount(cells[:, 0], minlength=n_classes)
    return counts[counts > 0].min()


def predict_cross_fitted(
    X, y, n_classes, folds, *, weights=None, paired=False, dense=False, n_select=None
):
    """Predict each row by a linear model that was fitted on the other folds.

    By least squares or a logit; if dense, as for embeddings, by ridge regression with a
    penalty chosen by leave-one-out. Without a constant for differences within pairs.
    With `n_select`, X is a CSR array of which so many columns are picked in each fold.

    Returns
    -------
    predictions : ndarray of shape (n_rows, n_outputs)
        One column for a quantity and two classes, else one per class. NaN in folds
        whose training rows lack a class.
    """
    n_outputs = 1 if paired or n_classes is None or n_classes == 2 else n_classes
    predictions = np.full((len(y), n_outputs), np.nan)
    for train, test in folds:
        own = None if weights is None else weights[train]
        if n_classes is not None and len(np.unique(y[train])) < (1 if paired else 2):
            continue
        known, new = X[train], X[test]
        if n_select is not None:
            picked = _pick(known, y[train], n_classes, n_select, own, paired)
            known, new = _take_columns(known, picked), _take_columns(new, picked)
        predictions[test] = _fit_predict(
            known, y[train], new, n_classes, own, paired, dense
        )
    return predictions


def predict_by_ngrams(known, y, new, n_classes, n_select):
    """Predict some texts by n-grams that were picked and fitted on others.

    Parameters
    ----------
    known, new : sequence of str
        The texts to learn from, and those to predict.
    y : ndarray of shape (n_known,)
        The target of the former, or codes of classes.
    n_classes : int or None
        None for a quantity.
    n_select : int
        How many n-grams.

    Returns
    -------
    predictions : ndarray of shape (n_new, n_outputs)
        As of `predict_cross_fitted`.
    """
    presence, terms = find_ngrams(known)
    picked = _pick(presence, y, n_classes, n_select, None, paired=False)
    marks = mark_terms(list(map(str, new)), terms[picked])
    columns = _take_columns(presence, picked)
    marks = _take_columns(marks, np.arange(len(picked)))
    return _fit_predict(columns, y, marks, n_classes, None, False, False)


def _pick(presence, y, n_classes, n_select, weights, paired):
    targets = y[:, None].astype(float)
    if n_classes is not None and n_classes > 2:
        targets = encode_one_hot(y, n_classes)
    return pick_ngrams(
        presence, targets, n_select, weights=weights, centered=not paired
    )


def _take_columns(X, columns):
    """Some columns as a dense matrix; zeros if there are none, so that models fit."""
    return X[:, columns].toarray() if len(columns) else np.zeros((X.shape[0], 1))


def _fit_predict(X, y, X_new, n_classes, weights, paired, dense):
    if n_classes is not None and not dense:
        return _predict_class_scores(X, y, X_new, n_classes, weights, paired)
    if n_classes is not None and not paired:
        y = encode_one_hot(y, n_classes)
        y = y[:, 1:] if n_classes == 2 else y
    if dense:
        model = RidgeCV(PENALTIES, fit_intercept=not paired)
    else:
        model = LinearRegression(fit_intercept=not paired)
    return model.fit(X, y, sample_weight=weights).predict(X_new).reshape(len(X_new), -1)


def _predict_class_scores(X, y, X_new, n_classes, weights, paired):
    model = LogisticRegression(max_iter=1000, fit_intercept=not paired)
    if paired:  # both orders of each pair, so that there are wins and losses
        X, y = np.vstack([X, -X]), np.concatenate([y, -y])
        weights = None if weights is None else np.concatenate([weights, weights])
    model.fit(X, y, sample_weight=weights)
    if paired or n_classes == 2:
        return model.decision_function(X_new)[:, None]
    # probabilities: only they can be compared across rows, class by class
    scores = model.predict_proba(X_new)
    spread = np.zeros((len(X_new), n_classes))
    spread[:, model.classes_] = scores  # a class may be absent from the training rows
    return spread
