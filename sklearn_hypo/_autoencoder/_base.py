"""What the unsupervised and the supervised sparse autoencoder share."""

import warnings
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from .._utils._base import HypoEstimator
from .._utils._frames import frame_like
from .._utils._validation import (
    Interval,
    StrOptions,
    _check_feature_names_in,
    random_seed,
)
from ..exceptions import HypothesisWarning
from ._distributed import any_across, broadcast_first, max_across, sum_across
from ._encoding import calibrate_threshold, encode, firing_counts, squared_errors
from ._gradients import Weights
from ._initialization import (
    Scale,
    center_and_variance,
    initial_weights,
    with_fitted_gain,
)
from ._learner import OnlineRun
from ._rows import Rows, Sliced, is_read_by_slices
from ._storage import load_estimator, save_estimator
from ._training import (
    Epoch,
    TrainingRun,
    make_plan,
    padded_names,
    resolve_device,
    resolve_prefixes,
)

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

    _extra_arrays = ()  # what `save` writes besides the arrays of every autoencoder
    _extra_values = ()

    def _fit(self, X, X_val, y=None, make_head=None, further_state=None):
        """Train on rows, and on a target if there is a head to be made for it.

        Parameters
        ----------
        X, X_val : array-like, as `fit` has them
        y : array-like or None
            Handed to callbacks.
        make_head : callable or None
            Called with the training rows, the row numbers in X of these and of the
            validation rows (None for all, and for rows that are not in X), and a
            seed; returns the supervised part of the loss.
        further_state : callable or None
            Maps the checked rows and the fitted attributes to further ones.
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
        plan = self._plan(
            int(max_across(n_train)), prefixes, device, supervised=make_head is not None
        )
        scale = self._scale(Rows(embeddings, seen))
        rows, validation = scale.rows(embeddings, seen), None
        if X_val is not None:
            validation = scale.rows(X_val)
        elif held_out is not None:
            validation = scale.rows(embeddings, held_out)[:]
        if previous is None:
            weights = self._first_weights(rows, rng)
        else:
            weights = scale.to_scaled(previous)
        seed, head = random_seed(rng), None
        if make_head is not None:
            head = make_head(rows, seen, held_out, random_seed(rng))
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

        def state():
            found = self._fitted_state(run, scale)
            return found | (further_state(embeddings, found) if further_state else {})

        self._train(run, state, X, y)
        self._set_state(state())
        # what partial_fit would go on from, besides the weights
        self._online_state = {
            "earlier_steps": np.array(self.n_steps_),
            "n_samples_seen": np.array(self.n_samples_seen_),
        }
        if head is not None:
            self._online_state |= head.prefixed_state()
        return self

    def _first_weights(self, rows, rng):
        weights = initial_weights(rows, self.n_neurons, rng)
        return with_fitted_gain(weights, rows, self.k)

    def _set_state(self, state):
        for name, value in state.items():
            if value is None and name == "classes_":
                self.__dict__.pop(name, None)
            else:
                setattr(self, name, value)

    def _plan(self, n_rows, prefixes, device, supervised=False):
        """Settle every "auto"; subclasses change what supervision needs."""
        return make_plan(self, n_rows, prefixes, device)

    def _partial_fit(self, X, make_head=None):
        """Go on training with a chunk of rows; see `_fit` for `make_head`."""
        prefixes, device = self._check_sizes(), resolve_device(self.device)
        first = not hasattr(self, "components_")
        embeddings = self._check_rows(X, reset=first)
        state = getattr(self, "_online_state", None)
        if first:
            rng = check_random_state(self.random_state)
            scale = self._scale(Rows(embeddings))
            rows = scale.rows(embeddings)
            weights = self._first_weights(rows, rng)
        else:
            scale = Scale(self.mean_, self.variance_)
            rows = scale.rows(embeddings)
            weights = scale.to_scaled(self._previous_weights(embeddings))
        plan = self._plan(len(rows), prefixes, device, supervised=make_head is not None)
        # counted over chunks: a fiftieth of the average rate, or nothing for long
        silent = max(10_000, 50 * self.n_neurons // self.k)
        plan = plan._replace(dead_after=min(silent, 250_000))
        head = None
        if make_head is not None:
            # another seed for every chunk
            steps = 0 if state is None else int(state["n_samples_seen"])
            seed = random_seed(check_random_state(self.random_state)) + steps
            head = make_head(rows, None, None, seed % 2**31)
        run = OnlineRun(
            Weights(*broadcast_first(weights)),
            plan,
            device=device,
            head=head,
            state=state,
        )
        loss = run.run(rows)
        self._set_state(self._online_fitted_state(run, scale, loss))
        return run

    def _online_fitted_state(self, run, scale, loss):
        """Return the fitted attributes after a chunk."""
        history = getattr(self, "history_", pd.DataFrame())
        epoch = Epoch(
            epoch=len(history) + 1,
            learning_rate=run.learner.learning_rate,
            loss=loss,
            validation_error=np.nan,
            target_error=np.nan,
            n_dead=len(run.learner.dead()),
        )
        rows = pd.DataFrame([epoch])
        if len(history):
            rows = pd.concat([history, rows[history.columns]], ignore_index=True)
        elif run.learner.head is None:
            rows = rows.drop(columns="target_error")
        threshold = run.threshold
        if threshold is not None:
            threshold = float(np.sqrt(scale.variance) * threshold)
        return {
            "mean_": scale.mean,
            "variance_": scale.variance,
            **self._weight_attributes(scale.to_original(run.weights())),
            "threshold_": threshold,
            "history_": rows,
            "dead_neurons_": run.learner.dead(),
            "n_iter_": len(rows),
            "n_steps_": run.n_steps,
            "n_samples_seen_": run.n_samples_seen,
            "_online_state": run.state(),
        }

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

    def _train(self, run, state, X, y):
        """Run the epochs, telling the callbacks about each."""
        context = self._init_callback_context(max_subtasks=run.plan.max_epochs)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        stop = False
        while not (stop or run.finished):
            epoch = context.subcontext(task_name="epoch")
            epoch.call_on_fit_task_begin(estimator=self, X=X, y=y)
            run.run_epoch()
            stop = epoch.call_on_fit_task_end(
                estimator=self, X=X, y=y, reconstruction_attributes=state
            )
        context.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes=state
        )

    def _check_sizes(self):
        if self.k > self.n_neurons:
            raise ValueError(
                f"k={self.k} active neurons per row cannot exceed "
                f"n_neurons={self.n_neurons}."
            )
        return self._prefixes()

    def _prefixes(self):
        return resolve_prefixes(self.prefix_lengths, self.n_neurons)

    def _previous_weights(self, X):
        """Return the weights to go on from, or None before the first fit."""
        if not hasattr(self, "components_"):
            return None
        shape = (self.n_neurons, X.shape[1])
        if self.components_.shape != shape:
            raise ValueError(
                f"{type(self).__name__} was fitted with (n_neurons, n_features) = "
                f"{self.components_.shape}, and cannot go on with {shape}. Set "
                "warm_start=False and call fit to start anew."
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

    def _scale(self, rows):
        """Return the mean and the variance of the rows, or raise if there is none."""
        scale = Scale(*center_and_variance(rows))
        # float32 weights cannot tell smaller differences from rounding
        if scale.variance <= 1e-12 * float(scale.mean @ scale.mean):
            raise ValueError(
                f"{type(self).__name__}: all training rows are equal, up to a "
                "millionth of their length, so there is no variance to explain. "
                "Check the embeddings."
            )
        return scale

    @staticmethod
    def _weight_attributes(weights):
        return {
            "encoder_coef_": weights.encoder,
            "encoder_intercept_": weights.intercept,
            "components_": weights.decoder,
            "decoder_intercept_": weights.offset,
        }

    def _fitted_state(self, run, scale):
        """Return the fitted attributes for the best weights so far."""
        found, threshold = run.best_weights, None
        if self.sparsity == "batch_topk":
            samples = [rows for rows in (run.rows, run.validation) if rows is not None]
            threshold = calibrate_threshold(samples, found, self.k)
            total, n = sum_across([threshold, 1.0])
            threshold = float(total / n)
        fired = any_across(firing_counts(run.rows, found, self.k, threshold) > 0)
        history = pd.DataFrame(run.history)
        if run.head is None:
            history = history.drop(columns="target_error")
        if threshold is not None:
            threshold = float(np.sqrt(scale.variance) * threshold)
        return {
            "mean_": scale.mean,
            "variance_": scale.variance,
            **self._weight_attributes(scale.to_original(found)),
            "threshold_": threshold,
            "history_": history,
            "dead_neurons_": np.flatnonzero(~fired),
            "n_iter_": len(run.history),
            "n_steps_": run.learner.n_steps,
            "n_samples_seen_": len(run.rows) * len(run.history),
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
        return frame_like(X, activations, self.get_feature_names_out())

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
        return frame_like(X, embeddings.astype(activations.dtype, copy=False), names)

    def explained_variance(self, X, sample_weight=None):
        r"""Compute the explained variance.

        .. math:: 1 - \frac{1}{\sigma^2} \sum_i w_i \lVert x_i - \hat x_i \rVert^2
                  \Big/ \sum_i w_i

        with :math:`\sigma^2` the variance of the training rows (`variance_`), so that
        scores of different rows have one denominator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        explained : float
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
