"""What the unsupervised and the supervised sparse autoencoder share."""

from copy import deepcopy
from numbers import Integral, Real

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from .._utils._base import HypoEstimator
from .._utils._device import resolve_device
from .._utils._frames import make_frame_like, number_columns
from .._utils._threads import on_one_thread
from .._utils._validation import (
    Interval,
    StrOptions,
    _check_feature_names_in,
    draw_seed,
)
from .._utils._warnings import warn
from ._distributed import broadcast_first, max_across, sum_across
from ._fitted import describe_chunk, describe_fit
from ._gradients import Weights
from ._initialization import (
    RowScale,
    fit_gain,
    initialize_weights,
    measure_scale,
)
from ._plan import choose_size, find_last_length, make_plan, resolve_prefixes
from ._pool import (
    compute_mean_errors,
    count_fits_with,
    encode_fits,
    split_fits,
    stack_fits,
)
from ._rows import Sliced, TrainingRows, must_slice, split_rows
from ._storage import read_fitted, write_fitted
from ._training import OnlineRun, TrainingRun

DTYPES = (np.float64, np.float32)


class BaseSparseAutoencoder(TransformerMixin, HypoEstimator):
    """Base of the sparse autoencoders: everything but the parameters and `fit`."""

    _parameter_constraints = {
        "n_neurons": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "k": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "n_fits": [Interval(Integral, 1, None, closed="left")],
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

    _has_head = False

    @on_one_thread(with_torch=True)
    def _fit(self, X, X_val, y=None, make_head=None, further_state=None):
        """Train on rows, and on a target if there is a head to be made for it.

        Parameters
        ----------
        X, X_val : array-like, as `fit` has them
        y : array-like or None
            Handed to callbacks.
        make_head : callable or None
            Called with the number of neurons, the training rows, the row numbers in X
            of these and of the validation rows (None for all, and for rows that are
            not in X), and a seed; returns the supervised part of the loss.
        further_state : callable or None
            Maps the checked rows and the fitted attributes to further ones.
        """
        device = resolve_device(self.device)
        embeddings = self._check_rows(X, reset=True, ensure_min_samples=2)
        goes_on = self.warm_start and hasattr(self, "components_")
        n_neurons, k = self._settle_size(embeddings.shape[0], goes_on)
        prefixes = self._resolve_prefixes(n_neurons)
        previous = [None] * self.n_fits
        if goes_on:
            previous = self._previous_weights(embeddings, n_neurons)
        if X_val is not None:
            X_val = self._check_rows(X_val, reset=False)

        def start(rng, weights):
            return self._start_run(
                embeddings, X_val, prefixes, k, rng, weights, make_head, device
            )

        def describe(run, scale):
            found = describe_fit(run, scale)
            return found | (further_state(embeddings, found) if further_state else {})

        # lazily: the seconds of a run are counted from its start
        runs = map(start, self._make_generators(), previous)
        state, last = self._train(runs, describe, X, y)
        fits = split_fits(state)
        state["n_found_"] = self._online_state = None
        if self.n_fits > 1:
            # by the rows of the first process, as long as there are several
            counts = [count_fits_with(embeddings, fits, k)]
            (state["n_found_"],) = broadcast_first(counts)
        self._set_state(state)
        if self.n_fits == 1:
            # what partial_fit would go on from, besides the weights
            self._online_state = {
                "earlier_steps": np.array(self.n_steps_),
                "n_samples_seen": np.array(self.n_samples_seen_),
            }
            if last.head is not None:
                self._online_state |= last.head.prefixed_state()
        return self

    def _make_generators(self):
        """Return one generator per fit: that of the seed, then of seeds drawn from it.

        What the first one draws does not change with the number of fits.
        """
        rng = check_random_state(self.random_state)
        later = deepcopy(rng)
        seeds = [draw_seed(later) for _ in range(self.n_fits - 1)]
        return [rng, *map(np.random.RandomState, seeds)]

    def _start_run(
        self, embeddings, X_val, prefixes, k, rng, weights, make_head, device
    ):
        """Return a `TrainingRun`, from given weights or anew, and its `RowScale`."""
        n_neurons, seen, held_out = prefixes[-1], None, None
        if X_val is None and self.validation_fraction is not None:
            seen, held_out = split_rows(
                embeddings.shape[0], self.validation_fraction, rng
            )
        n_train = embeddings.shape[0] if seen is None else len(seen)
        most, supervised = int(max_across(n_train)), make_head is not None
        plan = self._plan(most, prefixes, k, device, supervised=supervised)
        scale = self._measure_scale(TrainingRows(embeddings, seen))
        rows, validation = scale.rows(embeddings, seen), None
        if X_val is not None:
            validation = scale.rows(X_val)
        elif held_out is not None:
            validation = scale.rows(embeddings, held_out)[:]
        if weights is None:
            weights = fit_gain(initialize_weights(rows, n_neurons, rng), rows, k)
        else:
            weights = scale.to_scaled(weights)
        seed, head = draw_seed(rng), None
        if make_head is not None:
            head = make_head(n_neurons, rows, seen, held_out, draw_seed(rng))
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
        return run, scale

    @on_one_thread(with_torch=True)
    def _partial_fit(self, X, make_head=None):
        """Go on training with a chunk of rows; see `_fit` for `make_head`."""
        if self.n_fits > 1:
            raise ValueError(
                f"{type(self).__name__}: partial_fit goes on with one fit, but "
                f"n_fits={self.n_fits}. Set n_fits=1, or call fit."
            )
        device = resolve_device(self.device)
        first = not hasattr(self, "components_")
        embeddings = self._check_rows(X, reset=first)
        n_neurons, k = self._settle_size(embeddings.shape[0], goes_on=not first)
        prefixes = self._resolve_prefixes(n_neurons)
        state = getattr(self, "_online_state", None)
        if first:
            rng = check_random_state(self.random_state)
            scale = self._measure_scale(TrainingRows(embeddings))
            rows = scale.rows(embeddings)
            weights = fit_gain(initialize_weights(rows, n_neurons, rng), rows, k)
        else:
            scale = RowScale(self.mean_, self.variance_)
            rows = scale.rows(embeddings)
            (weights,) = self._previous_weights(embeddings, n_neurons)
            weights = scale.to_scaled(weights)
        plan = self._plan(
            len(rows), prefixes, k, device, supervised=make_head is not None
        )
        # counted over chunks: a fiftieth of the average rate, or nothing for long
        silent = max(10_000, 50 * n_neurons // k)
        plan = plan._replace(dead_after=min(silent, 250_000))
        head = None
        if make_head is not None:
            # another seed for every chunk
            steps = 0 if state is None else int(state["n_samples_seen"])
            seed = draw_seed(check_random_state(self.random_state)) + steps
            head = make_head(n_neurons, rows, None, None, seed % 2**31)
        weights = Weights(*broadcast_first(weights))
        run = OnlineRun(weights, plan, device=device, head=head, state=state)
        loss = run.run(rows)
        history = getattr(self, "history_", None)
        self._set_state(describe_chunk(run, scale, loss, history))
        return run

    def _plan(self, n_rows, prefixes, k, device, supervised=False):
        """Settle every "auto"; subclasses change what supervision needs."""
        return make_plan(
            n_rows,
            prefixes,
            device,
            k=k,
            sparsity=self.sparsity,
            engine=self.engine,
            max_epochs=self.max_epochs,
            max_time=None if self.max_time is None else self.max_time / self.n_fits,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            n_iter_no_change=self.n_iter_no_change,
            aux_k=self.aux_k,
            aux_coefficient=self.aux_coefficient,
        )

    def _set_state(self, state):
        for name, value in state.items():
            if value is None and name in ("classes_", "n_found_"):
                self.__dict__.pop(name, None)
            else:
                setattr(self, name, value)

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

    def _warn_if_few(self, n_train, n_neurons):
        if n_train < n_neurons:
            warn(
                f"{type(self).__name__} has {n_train} training rows for "
                f"n_neurons={n_neurons}: many neurons will describe single rows. "
                "Use fewer neurons or more texts."
            )

    def _train(self, runs, describe, X, y):
        """Run the epochs of one run after the other, telling the callbacks about each.

        `describe` maps a run and its scale to fitted attributes. Those of all runs are
        returned, and the last run. A callback that stops ends the run it was told of.
        """
        data, context, finished = {"estimator": self, "X": X, "y": y}, None, []
        for run, scale in runs:
            if context is None:
                self._warn_if_few(len(run.rows), run.plan.n_neurons)
                n_epochs = self.n_fits * run.plan.max_epochs
                context = self._init_callback_context(max_subtasks=n_epochs)
                context.call_on_fit_task_begin(**data)

            def state(run=run, scale=scale):
                return stack_fits([*finished, describe(run, scale)])

            stop = False
            while not (stop or run.finished):
                epoch = context.subcontext(task_name="epoch")
                epoch.call_on_fit_task_begin(**data)
                run.run_epoch()
                stop = epoch.call_on_fit_task_end(
                    **data, reconstruction_attributes=state
                )
            finished.append(describe(run, scale))
        stacked = stack_fits(finished)
        context.call_on_fit_task_end(**data, reconstruction_attributes=lambda: stacked)
        return stacked, run

    def _settle_size(self, n_rows, goes_on):
        """Return n_neurons and k; "auto" is what it was if training goes on."""
        n_neurons, k = self.n_neurons, self.k
        if goes_on:
            n_neurons = self.n_neurons_ if n_neurons == "auto" else n_neurons
            k = self.k_ if k == "auto" else k
        elif n_neurons == "auto":
            n_neurons = find_last_length(self.prefix_lengths) or "auto"
        n_neurons, k = choose_size(int(sum_across(n_rows)), n_neurons, k)
        if k > n_neurons:
            raise ValueError(
                f"k={k} active neurons per row cannot exceed n_neurons={n_neurons}."
            )
        return n_neurons, k

    def _resolve_prefixes(self, n_neurons):
        return resolve_prefixes(self.prefix_lengths, n_neurons)

    def _previous_weights(self, X, n_neurons):
        """Return the weights of each fit to go on from."""
        previous = [weights for weights, _ in self._fits()]
        before, now = previous[0].decoder.shape, (n_neurons, X.shape[1])
        if before != now or len(previous) != self.n_fits:
            raise ValueError(
                f"{type(self).__name__} was fitted with (n_neurons, n_features) = "
                f"{before} and n_fits={len(previous)}, and cannot go on with {now} and "
                f"n_fits={self.n_fits}. Set warm_start=False and call fit to start "
                "anew."
            )
        return previous

    def _measure_scale(self, rows):
        """Return the mean and the variance of the rows, or raise if there is none."""
        scale = measure_scale(rows)
        # float32 weights cannot tell smaller differences from rounding
        if scale.variance <= 1e-12 * float(scale.mean @ scale.mean):
            raise ValueError(
                f"{type(self).__name__}: all training rows are equal, up to a "
                "millionth of their length, so there is no variance to explain. "
                "Check the embeddings."
            )
        return scale

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

        .. math:: 1 - \frac{1}{\sigma^2} \sum_i w_i \lVert x_i - \hat x_i \rVert^2
                  \Big/ \sum_i w_i

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
