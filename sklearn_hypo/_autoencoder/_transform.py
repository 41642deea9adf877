"""What a fitted sparse autoencoder does: encode, reconstruct, name, save."""

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from .._utils._frames import make_frame_like, number_columns
from .._utils._progress import show_progress
from .._utils._threads import on_one_thread
from .._utils._validation import _check_feature_names_in
from ._pool import compute_mean_errors, encode_fits, split_fits
from ._rows import Sliced, must_slice
from ._storage import read_fitted, write_fitted

DTYPES = (np.float64, np.float32)


class FittedAutoencoderMixin(TransformerMixin):
    """The part of the sparse autoencoders that needs what `fit` has left, no more."""

    _has_head = False

    def _check_rows(self, X, *, reset, **checks):
        """Return X as an array, or as something to be read by slices."""
        if not must_slice(X):
            return validate_data(self, X, dtype=DTYPES, reset=reset, **checks)
        validate_data(self, X, reset=reset, skip_check_array=True)
        least = checks.get("ensure_min_samples", 1)
        if X.shape[0] < least:
            raise ValueError(
                f"Found array with {X.shape[0]} sample(s) (shape={tuple(X.shape)}) "
                f"while a minimum of {least} is required by {type(self).__name__}."
            )
        return Sliced(X)

    def _fits(self):
        return split_fits(vars(self))

    @on_one_thread(with_torch=True)
    def transform(self, X):
        """Compute the activations.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.

        Returns
        -------
        activations : DataFrame, ndarray or CSR array of shape \
                (n_samples, n_fits * n_neurons)
            Non-negative, float32. A frame for a frame, with its index.
        """
        check_is_fitted(self)
        embeddings = self._check_rows(X, reset=False)
        with show_progress("Activating neurons", estimator=self):
            activations = encode_fits(
                embeddings, self._fits(), self.k_, as_sparse=self.output == "sparse"
            )
        return make_frame_like(X, activations, self.get_feature_names_out())

    @on_one_thread(with_torch=True)
    def inverse_transform(self, X):
        """Reconstruct embeddings from activations.

        Parameters
        ----------
        X : {DataFrame, ndarray, sparse array} of shape \
                (n_samples, n_fits * n_neurons)
            Activations.

        Returns
        -------
        embeddings : DataFrame or ndarray of shape (n_samples, n_features)
            :math:`b + a D`, of several fits the mean. A frame for a frame, with its
            index.
        """
        check_is_fitted(self)
        activations = check_array(X, accept_sparse=("csr", "csc"), dtype=DTYPES)
        if activations.shape[1] != len(self.components_):
            raise ValueError(
                f"X has {activations.shape[1]} columns, but this autoencoder has "
                f"{len(self.components_)} neurons."
            )
        components = self.components_.astype(activations.dtype, copy=False)
        offset = np.atleast_2d(self.decoder_intercept_).mean(axis=0)
        embeddings = activations @ components / self.n_fits_ + offset
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = [f"x{i}" for i in range(self.n_features_in_)]
        return make_frame_like(
            X, embeddings.astype(activations.dtype, copy=False), names
        )

    @on_one_thread(with_torch=True)
    def explained_variance(self, X, sample_weight=None):
        r"""Compute the explained variance.

        .. math:: 1 - \frac{\sum_i w_i \lVert x_i - \hat x_i \rVert^2}
                           {\sigma^2 \sum_i w_i}

        with :math:`\sigma^2` the variance of the training rows (`variance_`), so that
        scores of different rows have one denominator. Of several fits, :math:`\hat x`
        is the mean of their reconstructions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings, as in `transform`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        explained : float
            At most 1; 0 is as good as the training mean.
        """
        check_is_fitted(self)
        embeddings = self._check_rows(X, reset=False)
        squared = compute_mean_errors(embeddings, self._fits(), self.k_)
        return float(1 - np.average(squared, weights=sample_weight) / self.variance_)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the neurons, such as "neuron017".

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Checked against the names seen in `fit`, otherwise not used.

        Returns
        -------
        names : ndarray of shape (n_fits * n_neurons,) and dtype object
            The names.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return number_columns("neuron", len(self.components_))

    def save(self, path):
        """Write the fitted transformer to a file, without pickle.

        Parameters
        ----------
        path : str or path-like
            An .npz archive of the fitted arrays and of the parameters as JSON. It
            replaces an existing file only once it is complete.
        """
        check_is_fitted(self)
        write_fitted(
            path,
            type(self).__name__,
            self.get_params(deep=False),
            vars(self),
            getattr(self, "_online_state", None),
        )

    @classmethod
    def load(cls, path):
        """Read a fitted transformer written by `save`.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        estimator : SparseAutoencoderTransformer
            The fitted transformer.

        Raises
        ------
        ModelFileError
            If the file is no such archive, was written for another class or by a
            newer version, or holds arrays that do not fit each other.
        """
        params, fitted, state = read_fitted(path, cls.__name__, has_head=cls._has_head)
        estimator = cls(**params)
        vars(estimator).update(fitted, _online_state=state)
        return estimator

    def __sklearn_is_fitted__(self):
        return hasattr(self, "components_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self):
        return len(self.components_)
