"""What transformers that describe texts share: columns beside those of the neurons."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted, validate_data

from .._utils._frames import (
    get_texts,
    has_texts,
    is_marked_as_training,
    make_text_frame,
    mark_as_training,
)
from .._utils._progress import show_progress
from .._utils._validation import _check_feature_names_in, check_texts


class TextColumnsMixin:
    """Columns computed from texts, alone or (`passthrough`) behind those of X.

    A class has a parameter `passthrough`, and the methods `_name_columns()` and
    `_describe(distinct)`, which returns one row for each of some distinct texts.
    """

    def transform(self, X):
        """Describe texts.

        Parameters
        ----------
        X : list, array, Series or one-column frame of str; or text-labelled frame
            As in `fit`.

        Returns
        -------
        columns : DataFrame of shape (n_samples, n_columns), dtype float32
            Text-labelled; behind the columns of X with `passthrough`.

        Raises
        ------
        TypeError, ValueError
            As `fit` does.
        """
        check_is_fitted(self)
        texts = self._read_texts(X, reset=False)
        code, distinct = pd.factorize(texts)
        with show_progress("Reading texts", estimator=self):
            values = self._describe(distinct).astype(np.float32, copy=False)
        frame = make_text_frame(values[code], texts, self._name_columns())
        if not self.passthrough:
            return frame
        both = pd.concat([X, frame], axis=1)
        return mark_as_training(both) if is_marked_as_training(X) else both

    def get_feature_names_out(self, input_features=None):
        """Name the columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            With `passthrough`, compared with the names seen in `fit`; otherwise
            ignored.

        Returns
        -------
        names : ndarray of shape (n_columns,), dtype object
            With `passthrough` the names of X come first.
        """
        check_is_fitted(self)
        own = np.array(self._name_columns(), dtype=object)
        if not self.passthrough:
            return own
        return np.concatenate([_check_feature_names_in(self, input_features), own])

    def _read_texts(self, X, *, reset):
        name = type(self).__name__
        if self.passthrough or has_texts(X):
            texts = check_texts(get_texts(X, caller=name), caller=name)
        else:
            texts = check_texts(X, caller=name)
        if self.passthrough:
            validate_data(self, X, reset=reset, skip_check_array=True)
        return texts

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = self.passthrough
        tags.transformer_tags.preserves_dtype = []
        return tags
