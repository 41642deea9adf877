"""What every estimator of the package shares."""

from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin


class HypoEstimator(CallbackSupportMixin, BaseEstimator):
    """Base of the estimators: scikit-learn's callbacks work on each of them.

    Think twice before adding anything here.
    """
