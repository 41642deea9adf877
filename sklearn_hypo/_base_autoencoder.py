"""What the unsupervised and the supervised sparse autoencoder share."""

import warnings
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ._base import HypoEstimator
from ._frames import like
from ._sae._distributed import any_of, summed
from ._sae._encoding import calibrate_threshold, encode, firing_counts, squared_errors
from ._sae._gradients import Weights
from ._sae._initialization import (
    center_and_variance,
    initial_weights,
    with_fitted_gain,
)
from ._sae._rows import Rows, Sliced, is_read_by_slices
from ._sae._settings import make_plan, padded_names, resolve_device, resolve_prefixes
from ._sae._storage import load_estimator, save_estimator
from ._sae._training import TrainingRun
from ._validation import Interval, StrOptions, _check_feature_names_in, random_seed
from .exceptions import HypothesisWarning

_DTYPES = (np.float64, np.float32)
_MAX_VALIDATION_ROWS = 20_000


class BaseSparseAutoencoder(TransformerMixin, HypoEstimator):
    """Base of the sparse autoencoders: everything but the parameters and `fit`."""

    _parameter_constraints = {
        "n_neurons": [Interval(Integral, 1, None, closed="left")],
        "k": [Interval(Integral, 1, None, closed="left")],
        "prefix_lengths": ["array-like", None],
        "sparsity": [StrOptions({"batch_topk", "topk"})],
        "engine": [StrOptions({"auto", "dense", "sparse"})],
        "max_epochs": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "learning_rate": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "aux_k": [Interval(Integral, 1, None, closed="left"), None],
        "aux_coefficient": [Interval(Real, 0, None, closed="left")],
        "output": [StrOptions({"dense", "sparse"})],
        "device": [str],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
    }

    def _fit(self, X, X_val, y=None, make_head=None):
        """Train on rows, and on a target if there is a head to be made for it.

        Parameters
        ----------
        X, X_val : array-like, as `fit` has them
        y : array-like or None
            Handed to callbacks.
        make_head : callable or None
            Called with the training rows and the validation rows (both Rows or
            arrays), their row numbers in X (None for all, or for no row of X), and
            the source of randomness; returns the supervised part of the loss.
        """
        prefixes, device = self._check_sizes(), resolve_device(self.device)
        embeddings = self._check_rows(X, reset=True, ensure_min_samples=2)
        previous = self._previous_weights(embeddings) if self.warm_start else None
        if X_val is not None:
            X_val = self._check_rows(X_val, reset=False)
        rng = check_random_state(self.random_state)
        seen, held_out = self._split(embeddings.shape[0], X_val, rng)
        n_train = embeddings.shape[0] if seen is None else len(seen)
        self._warn_if_few(n_train)
        # the plan refuses what cannot work before anything is changed
        plan = make_plan(self, n_train, prefixes, device)
        self._set_scale(Rows(embeddings, seen))
        rows, validation = self._scaled(embeddings, seen), None
        if X_val is not None:
            validation = self._scaled(X_val)
        elif held_out is not None:
            validation = self._scaled(embeddings, held_out)[:]
        if previous is None:
            weights = initial_weights(rows, self.n_neurons, rng)
            weights = with_fitted_gain(weights, rows, self.k)
        else:
            weights = self._to_scaled_space(previous)
        seed = random_seed(rng)
        head = None
        if make_head is not None:
            head = make_head(rows, validation, seen, held_out, rng)
        run = TrainingRun(
            rows,
            validation,
            weights,
            plan,
            variance=1.0,
            seed=seed,
            device=device,
            head=head,
        )
        self._train(run, X, y)
        for name, value in self._fitted_state(run).items():
            setattr(self, name, value)
        return self

    def _check_rows(self, X, *, reset, **checks):
        """Return X as an array, or as something to be read by slices."""
        if not is_read_by_slices(X):
            return validate_data(self, X, dtype=_DTYPES, reset=reset, **checks)
        validate_data(self, X, reset=reset, skip_check_array=True)
        least = checks.get("ensure_min_samples", 1)
        if X.shape[0] < least:
            raise ValueError(
                f"Found array with {X.shape[0]} sample(s) (shape={tuple(X.shape)}) "
                f"while a minimum of {least} is required by {type(self).__name__}."
            )
        return Sliced(X)

    def _warn_if_few(self, n_train):
        if n_train < self.n_neurons:
            warnings.warn(
                f"{type(self).__name__} has {n_train} training rows for "
                f"n_neurons={self.n_neurons}: many neurons will describe single rows. "
                "Use fewer neurons or more texts.",
                HypothesisWarning,
                stacklevel=5,
            )

    def _train(self, run, X, y):
        """Run the epochs, telling the callbacks about each."""
        context = self._init_callback_context(max_subtasks=run.plan.max_epochs)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        stop = False
        while not (stop or run.finished):
            epoch = context.subcontext(task_name="epoch")
            epoch.call_on_fit_task_begin(estimator=self, X=X, y=y)
            run.run_epoch()
            stop = epoch.call_on_fit_task_end(
                estimator=self,
                X=X,
                y=y,
                reconstruction_attributes=lambda: self._fitted_state(run),
            )
        context.call_on_fit_task_end(
            estimator=self,
            X=X,
            y=y,
            reconstruction_attributes=lambda: self._fitted_state(run),
        )

    def _check_sizes(self):
        if self.k > self.n_neurons:
            raise ValueError(
                f"k={self.k} active neurons per row cannot exceed "
                f"n_neurons={self.n_neurons}."
            )
        return resolve_prefixes(self.prefix_lengths, self.n_neurons)

    def _previous_weights(self, X):
        """Return the weights to warm-start from, or None before the first fit."""
        if not hasattr(self, "components_"):
            return None
        shape = (self.n_neurons, X.shape[1])
        if self.components_.shape != shape:
            raise ValueError(
                "warm_start=True needs the (n_neurons, n_features) of the previous "
                f"fit, {self.components_.shape}, but {shape} arrived. Set "
                "warm_start=False to start anew."
            )
        return self._weights()

    def _split(self, n_rows, X_val, rng):
        """Return the rows to train on and those set aside, None for all and none."""
        if X_val is not None or self.validation_fraction is None:
            return None, None
        n_val = min(int(n_rows * self.validation_fraction), n_rows - 2)
        if n_val == 0:
            return None, None
        held_out = np.zeros(n_rows, dtype=bool)
        held_out[rng.permutation(n_rows)[: min(n_val, _MAX_VALIDATION_ROWS)]] = True
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def _set_scale(self, rows):
        """Learn the mean and the variance that make training the same at any scale."""
        mean, variance = center_and_variance(rows)
        # float32 weights cannot tell smaller differences from rounding
        if variance <= 1e-12 * float(mean @ mean):
            raise ValueError(
                f"{type(self).__name__}: all training rows are equal, up to a "
                "millionth of their length, so there is no variance to explain. "
                "Check the embeddings."
            )
        self.mean_, self.variance_ = mean, variance

    def _scaled(self, X, index=None):
        return Rows(X, index, center=self.mean_, scale=np.sqrt(self.variance_))

    def _to_scaled_space(self, weights):
        scale = np.sqrt(self.variance_)
        return weights._replace(
            intercept=weights.intercept / scale,
            offset=(weights.offset - self.mean_) / scale,
        )

    def _to_original_space(self, weights):
        scale = np.sqrt(self.variance_)
        return {
            "encoder_coef_": weights.encoder,
            "encoder_intercept_": (weights.intercept * scale).astype(np.float32),
            "components_": weights.decoder,
            "decoder_intercept_": (self.mean_ + scale * weights.offset).astype(
                np.float32
            ),
        }

    def _fitted_state(self, run):
        """Return the fitted attributes for the best weights so far."""
        found, threshold = run.best_weights, None
        if self.sparsity == "batch_topk":
            samples = [rows for rows in (run.rows, run.validation) if rows is not None]
            threshold = calibrate_threshold(samples, found, self.k)
            total, n = summed([threshold, 1.0])
            threshold = float(total / n)
        fired = any_of(firing_counts(run.rows, found, self.k, threshold) > 0)
        scale = np.sqrt(self.variance_)
        return {
            **self._to_original_space(found),
            "threshold_": None if threshold is None else float(scale * threshold),
            "history_": pd.DataFrame(run.history),
            "dead_neurons_": np.flatnonzero(~fired),
            "n_iter_": len(run.history),
        }

    def _weights(self):
        return Weights(
            self.encoder_coef_,
            self.encoder_intercept_,
            self.components_,
            self.decoder_intercept_,
        )

    def transform(self, X):
        """Compute the activations.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.

        Returns
        -------
        activations : DataFrame, ndarray or CSR array of shape (n_samples, n_neurons)
            Non-negative, float32. A frame for a frame, with its index.
        """
        check_is_fitted(self)
        embeddings = self._check_rows(X, reset=False)
        activations = encode(
            embeddings,
            self._weights(),
            self.k,
            self.threshold_,
            as_sparse=self.output == "sparse",
        )
        return like(X, activations, self.get_feature_names_out())

    def inverse_transform(self, X):
        """Reconstruct embeddings from activations.

        Parameters
        ----------
        X : {DataFrame, ndarray, sparse array} of shape (n_samples, n_neurons)
            Activations.

        Returns
        -------
        embeddings : DataFrame or ndarray of shape (n_samples, n_features)
            :math:`b + a D`. A frame for a frame, with its index.
        """
        check_is_fitted(self)
        activations = check_array(X, accept_sparse=("csr", "csc"), dtype=_DTYPES)
        if activations.shape[1] != len(self.components_):
            raise ValueError(
                f"X has {activations.shape[1]} columns, but this autoencoder has "
                f"{len(self.components_)} neurons."
            )
        components = self.components_.astype(activations.dtype, copy=False)
        embeddings = activations @ components + self.decoder_intercept_
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = [f"x{i}" for i in range(self.n_features_in_)]
        return like(X, embeddings.astype(activations.dtype, copy=False), names)

    def score(self, X, y=None, sample_weight=None):
        r"""Compute the explained variance.

        .. math:: 1 - \frac{1}{\sigma^2} \sum_i w_i \lVert x_i - \hat x_i \rVert^2
                  \Big/ \sum_i w_i

        with :math:`\sigma^2` the variance of the training rows (`variance_`), so that
        scores of different rows have one denominator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            At most 1; 0 is as good as the training mean.
        """
        check_is_fitted(self)
        embeddings = self._check_rows(X, reset=False)
        squared = squared_errors(embeddings, self._weights(), self.k, self.threshold_)
        return float(1 - np.average(squared, weights=sample_weight) / self.variance_)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the neurons, such as "neuron017".

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Checked against the names seen in `fit`, otherwise not used.

        Returns
        -------
        names : ndarray of shape (n_neurons,) and dtype object
            The names.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return padded_names("neuron", len(self.components_))

    def save(self, path):
        """Write the fitted transformer to a file, without pickle.

        Parameters
        ----------
        path : str or path-like
            An .npz archive of the fitted arrays and of the parameters as JSON. It
            replaces an existing file only once it is complete.
        """
        check_is_fitted(self)
        save_estimator(self, path)

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
        return load_estimator(cls, path)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "components_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self):
        return len(self.components_)
