"""The last link of the chain: from annotations to the target."""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._utils._annotation_input import check_target
from .._utils._containers import convert_container
from .._utils._printable import pluralize
from .._utils._target_scale import scale_target, unscale_target
from .._utils._threads import on_one_thread
from .._utils._validation import make_target_columns
from .._utils._warnings import warn

# Ridge penalties; a coefficient is halved where as many texts are marked. Beside
# thousands of texts, none changes much.
_PENALTIES = np.logspace(-1, 3, 13)


def _final_estimator_has(name):
    """Make a check that offers a method only if the final estimator has it."""

    def check(self):
        fitted = hasattr(self, "final_estimator_")
        final = self.final_estimator_ if fitted else self._make_final_estimator()
        return hasattr(final, name)

    return check


def mean_known(annotations):
    """Return the share of the answers that is 1, of each column; NaN without any."""
    answered = ~np.isnan(annotations)
    count = answered.sum(axis=0)
    total = np.where(answered, annotations, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


class AnnotationPredictorMixin:
    """Predicts from annotations, and scores; the part of `HypothesisExtractor` that
    knows the final estimator and the training prevalences.
    """

    def _make_final_estimator(self):
        if self.final_estimator is not None:
            return clone(self.final_estimator)
        if getattr(self, "task_", self.task) == "classification":
            return LogisticRegression(max_iter=1000)
        return RidgeCV(_PENALTIES)

    @on_one_thread()
    def _fit_final_estimator(self, annotations, target):
        answered = ~np.isnan(annotations)
        count = answered.sum(axis=0)
        self.prevalence_ = mean_known(annotations)
        mark = np.where(answered, annotations, self.prevalence_)
        constant = (count > 0) & (np.ptp(mark, axis=0) == 0)
        if constant.any():
            names = [self._hypotheses[i].statement for i in np.flatnonzero(constant)]
            warn(
                "True of all annotated training texts or of none, and of no use in "
                f"predictions: {pluralize(len(names), 'hypothesis')}, {names}."
            )
        silent = [self._hypotheses[i].statement for i in np.flatnonzero(count == 0)]
        if silent:
            warn(
                f"No answer was obtained for {pluralize(len(silent), 'hypothesis')}, "
                f"not to be used in predictions: {silent}."
            )
        self.final_estimator_ = self._make_final_estimator().fit(
            self._impute(annotations), target
        )

    def _impute(self, annotations):
        """Put the training prevalence where there is no answer.

        A hypothesis that was never answered in training is 0 throughout, so that
        whatever is answered later it has coefficient 0.
        """
        never = np.isnan(self.prevalence_)
        filled = np.where(np.isnan(annotations), self.prevalence_, annotations)
        return np.where(never, 0.0, filled)

    def _coefficients(self):
        n_hypotheses = len(self._hypotheses)
        coef = np.ravel(getattr(self.final_estimator_, "coef_", np.nan))
        return coef if coef.shape == (n_hypotheses,) else np.full(n_hypotheses, np.nan)

    def _make_features(self, X):
        return self._impute(self._annotations(X))

    def predict(self, X):
        """Predict the target from the annotations alone.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_neurons)
            Text-labelled.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predictions, in units of y; a missing answer counts as its training
            prevalence. Of counts that were learned as log(1 + y), what is typical: the
            exponential of a mean of logarithms, which is less than the mean.
        """
        features = self._make_features(X)
        return unscale_target(self.final_estimator_.predict(features), self._scale)

    @property
    def _scale(self):
        """Scale of the target; fits of earlier versions knew one only."""
        return getattr(self, "target_scale_", "identity")

    @available_if(_final_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Predict class probabilities from the annotations alone.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_neurons)
            As in `predict`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        features = self._make_features(X)
        return self.final_estimator_.predict_proba(features)

    @available_if(_final_estimator_has("decision_function"))
    def decision_function(self, X):
        """Compute the decision function of the final estimator.

        Parameters
        ----------
        X : DataFrame
            As in `predict`.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As the final estimator defines it.
        """
        features = self._make_features(X)
        return self.final_estimator_.decision_function(features)

    def score(self, X, y, sample_weight=None):
        """Compute how well the hypotheses predict the target.

        Parameters
        ----------
        X : DataFrame
            As in `predict`.
        y : array-like of shape (n_samples,)
            The target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            R² for a quantity, on the scale of `target_scale_`; the area under the ROC
            curve for classes (the mean of each class against the rest if there are more
            than two). Out of sample for texts that `fit` has not seen.
        """
        annotations = self._annotations(X)
        return self.score_annotations(annotations, y, sample_weight=sample_weight)

    def score_annotations(self, annotations, y, sample_weight=None):
        """Compute `score` from annotations that are at hand.

        Parameters
        ----------
        annotations : array-like of shape (n_samples, n_hypotheses)
            What `transform` returned.
        y, sample_weight : array-like of shape (n_samples,)
            As in `score`.

        Returns
        -------
        score : float
            As `score`.
        """
        y, sample_weight = convert_container(y), convert_container(sample_weight)
        predicted = self.predict_annotations(annotations)
        if self.task_ == "regression":
            y = scale_target(np.asarray(y), self._scale, caller=type(self).__name__)
            return float(r2_score(y, predicted[:, 0], sample_weight=sample_weight))
        _, codes, _ = check_target(
            y, self.task_, self.classes_, caller=type(self).__name__
        )
        truth = make_target_columns(codes, self.classes_)
        return float(roc_auc_score(truth, predicted, sample_weight=sample_weight))

    def predict_annotations(self, annotations):
        """Compute what ranks or predicts the target, from annotations at hand.

        Parameters
        ----------
        annotations : array-like of shape (n_samples, n_hypotheses)
            What `transform` returned.

        Returns
        -------
        values : ndarray of shape (n_samples, n_outputs)
            Predictions for a quantity, on the scale of `target_scale_`; for classes
            what ranks the rows: one column for two classes (of the second), otherwise
            one per class.
        """
        check_is_fitted(self)
        features = self._impute(self._check_shape(annotations, len(annotations)))
        if self.task_ == "regression":
            return np.reshape(self.final_estimator_.predict(features), (-1, 1))
        scores = self._rank_by_class(features)
        return scores[:, 1:] if len(self.classes_) == 2 else scores

    def _rank_by_class(self, features):
        """Return one column per class by which the final estimator ranks the rows."""
        final = self.final_estimator_
        if hasattr(final, "predict_proba"):
            return final.predict_proba(features)
        if hasattr(final, "decision_function"):
            scores = final.decision_function(features)
            return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
        return (final.predict(features)[:, None] == self.classes_).astype(float)
