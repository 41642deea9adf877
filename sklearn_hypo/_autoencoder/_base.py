"""How the unsupervised and the supervised sparse autoencoder are trained."""

from copy import deepcopy
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from .._utils._base import HypoEstimator
from .._utils._device import resolve_device
from .._utils._progress import show_progress
from .._utils._threads import on_one_thread
from .._utils._validation import (
    Interval,
    StrOptions,
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
from ._pool import count_fits_with, split_fits, stack_fits
from ._rows import TrainingRows, split_rows
from ._training import OnlineRun, TrainingRun
from ._transform import FittedAutoencoderMixin


class BaseSparseAutoencoder(FittedAutoencoderMixin, HypoEstimator):
    """Base of the sparse autoencoders: how they are trained."""

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
        state["n_found_"] = None
        if self.n_fits > 1:
            # of several processes, what the rows of the first one say
            counts = [count_fits_with(embeddings, split_fits(state), k)]
            (state["n_found_"],) = broadcast_first(counts)
        self._set_state(state)
        self._online_state = None
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
        with show_progress("Training autoencoder", estimator=self):
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

            name = "Training autoencoder"
            if self.n_fits > 1:
                name += f" {len(finished) + 1} of {self.n_fits}"
            self._run_epochs(run, context, data, state, name)
            finished.append(describe(run, scale))
        stacked = stack_fits(finished)
        context.call_on_fit_task_end(**data, reconstruction_attributes=lambda: stacked)
        return stacked, run

    def _run_epochs(self, run, context, data, state, name):
        """Run the epochs of one run, until it or a callback says that it is enough."""
        stop, total = False, run.plan.max_epochs
        with show_progress(name, total, unit=" epochs", estimator=self) as count:
            while not (stop or run.finished):
                epoch = context.subcontext(task_name="epoch")
                epoch.call_on_fit_task_begin(**data)
                run.run_epoch()
                count()
                stop = epoch.call_on_fit_task_end(
                    **data, reconstruction_attributes=state
                )

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
