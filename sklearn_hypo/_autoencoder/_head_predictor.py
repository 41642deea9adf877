"""The head of a supervised autoencoder: its last fit, its predictions, its score."""

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._utils._annotation_input import check_target
from .._utils._containers import convert_container
from .._utils._target_scale import scale_target, unscale_target
from .._utils._threads import on_one_thread
from ._distributed import broadcast_first
from ._fitted import get_weights
from ._heads import encode_first

_MAX_HEAD_ROWS = 50_000


def _may_classify(self):
    return getattr(self, "task_", self.task) == "classification"


class HeadPredictorMixin:
    """The part of `SupervisedSAETransformer` that knows the fitted head."""

    def _final_head(self, supervision, embeddings, fitted):
        """Fit the head on the finished activations of the supervised neurons.

        `fitted` holds the other fitted attributes. The head's are returned.
        """
        known = _sample_labelled_rows(supervision)
        active = encode_first(
            embeddings[known],
            get_weights(fitted),
            fitted["k_"],
            fitted["threshold_"],
            self._count_supervised(fitted["n_neurons_"]),
        ).astype(np.float64)
        # so that the penalties mean the same at any scale of the embeddings
        scale = active.std() or 1.0
        weights, values = supervision.weights[known], supervision.values[known]
        fit = _fit_logit if supervision.kind == "classes" else _fit_ridge
        coef, intercept = fit(active / scale, values, weights / weights.mean())
        return self._head_attributes(
            coef / scale, intercept, supervision, fitted["n_neurons_"]
        )

    @on_one_thread(with_torch=True)
    def _head_after_chunk(self, X, supervision, head, target_scale):
        """Return the head as it is after a chunk, in units of the embeddings."""
        if head is None:
            try:
                supervision.check_informative(type(self).__name__)
            except ValueError:
                if hasattr(self, "coef_"):
                    return {}
                raise
            rows = self._check_rows(X, reset=False)
            return self._final_head(supervision, rows, vars(self))
        coef, intercept = head.final()
        if supervision.kind == "quantities":
            coef = coef * target_scale.spread[:, None]
            intercept = intercept * target_scale.spread + target_scale.mean
        return self._head_attributes(
            coef / np.sqrt(self.variance_), intercept, supervision, self.n_neurons_
        )

    def _head_attributes(self, coef, intercept, supervision, n_neurons):
        coef, intercept = broadcast_first([np.asarray(coef), np.ravel(intercept)])
        full = np.zeros((len(coef), n_neurons))
        full[:, : coef.shape[1]] = coef
        one = supervision.n_dimensions == 1 and len(coef) == 1
        return {
            "coef_": full[0] if one else full,
            "intercept_": float(intercept[0]) if one else intercept,
            "task_": supervision.task,
            "classes_": supervision.classes,
        }

    @on_one_thread(with_torch=True)
    def _predict_linear(self, X):
        """Return the head's linear predictions, one column per row of coef_."""
        check_is_fitted(self)
        rows, linear = self._check_rows(X, reset=False), 0.0
        blocks = np.split(np.atleast_2d(self.coef_), self.n_fits_, axis=1)
        for (weights, threshold), coef in zip(self._fits(), blocks, strict=True):
            used = np.flatnonzero(coef.any(axis=0))
            width = used[-1] + 1 if len(used) else 1
            active = encode_first(rows, weights, self.k_, threshold, width)
            linear = linear + active @ coef[:, :width].T
        return linear + self.intercept_

    def predict(self, X):
        """Predict the target from the activations of the supervised neurons.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As `transform` takes them.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Quantities, in units of y, or class labels.
        """
        linear = self._predict_linear(X)
        if self.task_ == "classification":
            if linear.shape[1] == 1:
                return self.classes_[(linear[:, 0] > 0).astype(int)]
            return self.classes_[linear.argmax(axis=1)]
        predicted = linear[:, 0] if self.coef_.ndim == 1 else linear
        return unscale_target(predicted, self._scale)

    @property
    def _scale(self):
        """Scale of quantities; fits and files of earlier versions knew one only."""
        return getattr(self, "target_scale_", "identity")

    @available_if(_may_classify)
    def predict_proba(self, X):
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings, as in `predict`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        linear = self._predict_linear(X)
        if linear.shape[1] == 1:
            linear = np.column_stack([np.zeros(len(linear)), linear])
        return softmax(linear, axis=1)

    def score(self, X, y, sample_weight=None):
        """Score the predictions of the head.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings, as in `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target; rows where it is missing do not count.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            R² for quantities, on the scale of `target_scale_` (mean over the outputs);
            the area under the ROC curve for classes (the mean of each class present
            against the rest if there are more than two; folds of classes need
            `StratifiedKFold`). Out of sample for rows that `fit` has not seen; how well
            X is reconstructed says `explained_variance`.
        """
        linear = self._predict_linear(X)
        y, sample_weight = convert_container(y), convert_container(sample_weight)
        missing = pd.isna(np.asarray(y, dtype=object)).reshape(len(linear), -1)
        known = ~missing.any(axis=1)
        linear, y = linear[known], np.asarray(y)[known]
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight)[known]
        if self.task_ == "regression":
            predicted = linear[:, 0] if self.coef_.ndim == 1 else linear
            y = np.asarray(y, dtype=np.float64)
            y = scale_target(y, self._scale, caller=type(self).__name__)
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        _, codes, _ = check_target(
            y, self.task_, self.classes_, caller=type(self).__name__
        )
        if linear.shape[1] == 1:
            return float(roc_auc_score(codes, linear, sample_weight=sample_weight))
        areas = [
            roc_auc_score(codes == i, column, sample_weight=sample_weight)
            for i, column in enumerate(softmax(linear, axis=1).T)
            if 0 < (codes == i).mean() < 1
        ]
        return float(np.mean(areas))


def _sample_labelled_rows(supervision, *, max_rows=_MAX_HEAD_ROWS):
    """Return rows with a target, evenly spaced within each class if there are many."""
    known = np.flatnonzero(supervision.weights > 0)
    if len(known) <= max_rows:
        return known
    kinds = np.zeros(len(known), dtype=int)
    if supervision.kind == "classes":
        kinds = supervision.values[known].argmax(axis=1)
    step = -(-len(known) // max_rows)
    parts = [known[kinds == kind][::step] for kind in np.unique(kinds)]
    return np.sort(np.concatenate(parts))


def _fit_ridge(active, values, weights):
    """Return coefficients, one row per output, and intercepts."""
    center, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    head = RidgeCV(np.logspace(-3, 3, 7))
    head.fit(active, (values - center) / spread, sample_weight=weights)
    return head.coef_ * spread[:, None], head.intercept_ * spread + center


def _fit_logit(active, values, weights):
    """Return coefficients and intercepts: one row for two classes, else one each.

    A class without rows, as in a chunk, gets an intercept that rules it out.
    """
    codes = values.argmax(axis=1)
    n_classes = values.shape[1]
    found = np.unique(codes)
    if len(found) == 1:
        coef, intercept = np.zeros((n_classes, active.shape[1])), np.zeros(n_classes)
    else:
        head = LogisticRegression(max_iter=1000)
        head.fit(active, codes, sample_weight=weights)
        if n_classes == 2:
            return head.coef_, head.intercept_
        coef, intercept = np.zeros((n_classes, active.shape[1])), np.zeros(n_classes)
        if len(found) == 2:
            coef[found[1]], intercept[found[1]] = head.coef_[0], head.intercept_[0]
        else:
            coef[found], intercept[found] = head.coef_, head.intercept_
    intercept[np.setdiff1d(np.arange(n_classes), found)] = -30.0
    if n_classes == 2:
        return coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    return coef, intercept
