"""The head of a supervised autoencoder: its last fit, its predictions, its score."""

import numpy as np
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._inference import check_target
from ._sae._heads import first_activations

_MAX_HEAD_ROWS = 50_000


def _may_classify(self):
    return getattr(self, "task_", self.task) == "classification"


class HeadPredictorMixin:
    """Predicts from the supervised neurons; the part of `SupervisedSAETransformer`
    that knows the fitted head.
    """

    def _fit_final_head(self, X, supervision):
        """Fit the head on the finished activations of the supervised neurons."""
        known = np.flatnonzero(np.isfinite(supervision.values).all(axis=1))
        known = known[supervision.weights[known] > 0]
        known = known[:: max(1, -(-len(known) // _MAX_HEAD_ROWS))]
        rows = self._check_rows(X, reset=False)[known]
        active = first_activations(
            rows, self._weights(), self.k, self.threshold_, self._n_supervised()
        ).astype(np.float64)
        weights, values = supervision.weights[known], supervision.values[known]
        # so that the penalties mean the same at any scale of the embeddings
        scale = active.std() or 1.0
        if supervision.kind == "classes":
            labels = supervision.classes[values.argmax(axis=1)]
            head = LogisticRegression(max_iter=1000)
            head.fit(active / scale, labels, sample_weight=weights)
        else:
            head = RidgeCV(np.logspace(-3, 3, 7))
            values = values if supervision.n_dimensions == 2 else values[:, 0]
            head.fit(active / scale, values, sample_weight=weights)
        coef = np.atleast_2d(head.coef_) / scale
        self._set_head(coef, head.intercept_, supervision)

    def _update_final_head(self, X, supervision, head):
        """Take over the head as it is after a chunk, in units of the embeddings."""
        if head is None:
            self._fit_final_head(X, supervision)
            return
        coef, intercept = head.final()
        self._set_head(coef / np.sqrt(self.variance_), intercept, supervision)

    def _set_head(self, coef, intercept, supervision):
        full = np.zeros((len(coef), self.n_neurons))
        full[:, : coef.shape[1]] = coef
        one = supervision.n_dimensions == 1 and len(coef) == 1
        self.coef_ = full[0] if one else full
        self.intercept_ = float(np.ravel(intercept)[0]) if one else np.ravel(intercept)

    def _linear(self, X):
        """Return the head's linear predictions, one column per row of coef_."""
        check_is_fitted(self)
        active = first_activations(
            self._check_rows(X, reset=False),
            self._weights(),
            self.k,
            self.threshold_,
            self._n_supervised(),
        )
        coef = np.atleast_2d(self.coef_)[:, : active.shape[1]]
        return active @ coef.T + self.intercept_

    def predict(self, X):
        """Predict the target from the activations of the supervised neurons.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Quantities or class labels.
        """
        linear = self._linear(X)
        if self.task_ == "classification":
            if linear.shape[1] == 1:
                return self.classes_[(linear[:, 0] > 0).astype(int)]
            return self.classes_[linear.argmax(axis=1)]
        return linear[:, 0] if self.coef_.ndim == 1 else linear

    @available_if(_may_classify)
    def predict_proba(self, X):
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        linear = self._linear(X)
        if linear.shape[1] == 1:
            linear = np.column_stack([np.zeros(len(linear)), linear])
        return softmax(linear, axis=1)

    def score(self, X, y, sample_weight=None):
        """Score the predictions of the head.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            R² for quantities (mean over the outputs); the area under the ROC curve
            for classes (the mean of each class against the rest if there are more
            than two). Out of sample for rows that `fit` has not seen; how well X is
            reconstructed says `explained_variance`.
        """
        linear = self._linear(X)
        if self.task_ == "regression":
            predicted = linear[:, 0] if self.coef_.ndim == 1 else linear
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        _, codes, _ = check_target(
            y, self.task_, self.classes_, caller=type(self).__name__
        )
        if linear.shape[1] == 1:
            return float(roc_auc_score(codes, linear, sample_weight=sample_weight))
        areas = [
            roc_auc_score(codes == i, column, sample_weight=sample_weight)
            for i, column in enumerate(softmax(linear, axis=1).T)
        ]
        return float(np.mean(areas))
