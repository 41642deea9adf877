"""`SparseAutoencoderTransformer`: embeddings in, sparse activations out."""

import warnings
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ._base import HypoEstimator
from ._frames import like
from ._sae._activations import calibrate_threshold, encode
from ._sae._gradients import Weights
from ._sae._initialization import center_and_variance, initial_weights
from ._sae._settings import make_plan, padded_names, resolve_device, resolve_prefixes
from ._sae._storage import load_estimator, save_estimator
from ._sae._training import TrainingRun
from ._validation import (
    Interval,
    StrOptions,
    _check_feature_names_in,
    _fit_context,
    random_seed,
)
from .exceptions import HypothesisWarning

_DTYPES = (np.float64, np.float32)


class SparseAutoencoderTransformer(TransformerMixin, HypoEstimator):
    r"""Describe embeddings by a few active neurons each.

    Learns an overcomplete dictionary in which every embedding x is nearly a sum of a
    few directions, by minimizing the fraction of variance unexplained

    .. math:: \min_{E, c, D, b} \frac{1}{p} \sum_{m \in prefixes}
              \frac{\sum_i \lVert x_i - b - a_i^{(m)} D \rVert^2}
                   {\sum_i \lVert x_i - \bar x \rVert^2},
              \quad a_i = S_k(E (x_i - b) + c)

    with unit rows :math:`D_j`, :math:`S_k` keeping the largest positive
    pre-activations (k per row), and :math:`a^{(m)}` the first m neurons alone.

    Parameters
    ----------
    n_neurons : int, default=256
        Size of the dictionary. About 64 for 1,000 texts, 256 for 10,000 and 1,024 for
        100,000: more neurons are finer and rarer concepts.

    k : int, default=8
        Active neurons per row: of every row for `sparsity="topk"`, on average for
        "batch_topk".

    prefix_lengths : sequence of int or of float, default=None
        Matryoshka prefixes: the first neurons of each length have to reconstruct the
        embedding on their own, which makes them broad and the later ones fine.
        Increasing; the last is `n_neurons`. Fractions of `n_neurons`, such as
        ``(0.125, 1.0)``, stay valid when a grid search changes `n_neurons`. None:
        one level.

    sparsity : {"batch_topk", "topk"}, default="batch_topk"
        "batch_topk" spends the k active neurons where they explain most: k per row
        on average, by one threshold that is calibrated after training. It halves
        the difference between training and validation rows, if there are any, since
        new rows activate more neurons than rows that were trained on. "topk" keeps
        exactly the k largest of each row (fewer if fewer are positive).

    max_epochs : int or "auto", default="auto"
        Passes over the training rows. "auto": as many as make 1,280 steps, from 10 to
        100: about 40 for 16,000 rows, 10 for 100,000.

    batch_size : int or "auto", default="auto"
        Rows per step. "auto": a power of two from 64 to 512 with at least 24 steps
        per epoch where there are enough rows, 2,048 for `n_neurons` above 4,096.

    learning_rate : float or "auto", default="auto"
        Peak learning rate of Adam, reached after 5 % of the steps and lowered
        linearly to zero over the last 70 %. "auto" is
        :math:`6 \cdot 10^{-4} \sqrt{2^{14} / n_{neurons}}`.

    validation_fraction : float or None, default=0.1
        Share of the rows set aside to decide when to stop and which weights to keep.
        Not used if `fit` is given `X_val`. None trains on all rows for all epochs
        and keeps the last weights.

    n_iter_no_change : int or None, default=5
        Stop after this many epochs without a smaller validation error. None never
        stops early; the best weights are kept all the same.

    aux_k : int or None, default=None
        Dead neurons per row that the auxiliary loss trains on what the others left
        unexplained. None: 2 * `k`.

    aux_coefficient : float, default=1/32
        Weight of the auxiliary loss. It is 0 whenever no neuron is dead, that is,
        silent for as many samples as one epoch has (at most 250,000).

    output : {"dense", "sparse"}, default="dense"
        What `transform` returns: float32, dense (a text-labelled frame for a
        text-labelled frame), or a CSR array, which holds no texts.

    device : str, default="auto"
        Torch device to train on. "auto": a GPU that torch supports through CUDA if
        there is one, else the CPU. `transform` runs on the CPU.

    warm_start : bool, default=False
        Start `fit` from the weights of the previous one.

    random_state : int, RandomState instance or None, default=None
        Seeds the validation split, the initialization and the order of the batches.
        The same seed gives the same weights, to the bit at equal thread counts.

    Attributes
    ----------
    components_ : ndarray of shape (n_neurons, n_features_in_)
        Decoder: the unit-length direction of each neuron.

    encoder_coef_ : ndarray of shape (n_neurons, n_features_in_)
        Encoder weights.

    encoder_intercept_ : ndarray of shape (n_neurons,)
        Encoder intercepts, in units of the embeddings.

    decoder_intercept_ : ndarray of shape (n_features_in_,)
        The offset b.

    threshold_ : float or None
        Smallest activation, in units of the embeddings; None for `sparsity="topk"`.

    mean_ : ndarray of shape (n_features_in_,)
        Mean of the training rows (of 32,768 evenly spaced ones if there are more).

    variance_ : float
        Mean squared distance of a training row from `mean_`: the fixed denominator
        of `score` and of every error in `history_`.

    history_ : DataFrame
        One row per epoch: "epoch", "learning_rate", "loss" (training, mean over the
        prefixes), "validation_error" (fraction of variance unexplained by all
        neurons; NaN without validation rows) and "n_dead".

    dead_neurons_ : ndarray of shape (n_dead,)
        Indices of the neurons that no training row activates (of evenly spaced rows,
        at least 50,000, if there are more).

    n_iter_ : int
        Epochs that were run.

    n_features_in_ : int
        Number of embedding dimensions.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if they have any.

    See Also
    --------
    TextEmbedder : Computes the embeddings.
    NeuronSelector : Keeps the neurons that predict a target.

    References
    ----------
    Makhzani and Frey 2014, "k-Sparse Autoencoders" (arXiv 1312.5663); Gao et al. 2024
    (arXiv 2406.04093); Bussmann, Leask and Nanda 2024, "BatchTopK Sparse Autoencoders"
    (arXiv 2412.06410); Bussmann et al. 2025, "Learning Multi-Level Features with
    Matryoshka Sparse Autoencoders" (arXiv 2503.17547).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import SparseAutoencoderTransformer
    >>> rng = np.random.default_rng(0)
    >>> concepts = rng.standard_normal((12, 20))
    >>> X = (rng.random((600, 12)) < 0.15) @ concepts
    >>> sae = SparseAutoencoderTransformer(n_neurons=16, k=2, random_state=0).fit(X)
    >>> sae.transform(X).shape
    (600, 16)
    >>> sae.score(X) > 0.8
    True
    """

    _parameter_constraints = {
        "n_neurons": [Interval(Integral, 1, None, closed="left")],
        "k": [Interval(Integral, 1, None, closed="left")],
        "prefix_lengths": ["array-like", None],
        "sparsity": [StrOptions({"batch_topk", "topk"})],
        "max_epochs": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
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

    def __init__(
        self,
        n_neurons=256,
        k=8,
        *,
        prefix_lengths=None,
        sparsity="batch_topk",
        max_epochs="auto",
        batch_size="auto",
        learning_rate="auto",
        validation_fraction=0.1,
        n_iter_no_change=5,
        aux_k=None,
        aux_coefficient=1 / 32,
        output="dense",
        device="auto",
        warm_start=False,
        random_state=None,
    ):
        self.n_neurons = n_neurons
        self.k = k
        self.prefix_lengths = prefix_lengths
        self.sparsity = sparsity
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.aux_k = aux_k
        self.aux_coefficient = aux_coefficient
        self.output = output
        self.device = device
        self.warm_start = warm_start
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, X_val=None):
        """Train the autoencoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : None
            Ignored.
        X_val : array-like of shape (n_val, n_features), default=None
            Validation rows, used instead of `validation_fraction`.

        Returns
        -------
        self : SparseAutoencoderTransformer
            The fitted transformer.

        Raises
        ------
        ValueError
            For NaN or infinite embeddings, fewer than two rows, rows that are all
            equal, and sizes that do not fit each other.
        FloatingPointError
            If training diverges.
        """
        prefixes, device = self._check_sizes(), resolve_device(self.device)
        embeddings = validate_data(self, X, dtype=_DTYPES, ensure_min_samples=2)
        previous = self._previous_weights(embeddings) if self.warm_start else None
        if X_val is not None:
            X_val = validate_data(self, X_val, dtype=_DTYPES, reset=False)
        rng = check_random_state(self.random_state)
        X_train, X_val = self._split(embeddings, X_val, rng)
        if len(X_train) < self.n_neurons:
            warnings.warn(
                f"SparseAutoencoderTransformer has {len(X_train)} training rows for "
                f"n_neurons={self.n_neurons}: many neurons will describe single rows. "
                "Use fewer neurons or more texts.",
                HypothesisWarning,
                stacklevel=3,
            )
        self._set_scale(X_train)
        X_train, X_val = self._scaled(X_train), self._scaled(X_val)
        if previous is None:
            weights = initial_weights(X_train, self.n_neurons, rng)
        else:
            weights = self._to_scaled_space(previous)
        run = TrainingRun(
            X_train,
            X_val,
            weights,
            make_plan(self, len(X_train), prefixes),
            variance=1.0,
            seed=random_seed(rng),
            device=device,
        )
        self._train(run, X, y)
        for name, value in self._fitted_state(run).items():
            setattr(self, name, value)
        return self

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

    def _split(self, X, X_val, rng):
        """Set validation rows aside, in the order of the rows."""
        if X_val is not None or self.validation_fraction is None:
            return X, X_val
        n_val = min(int(len(X) * self.validation_fraction), len(X) - 2)
        if n_val == 0:
            return X, None
        held_out = np.zeros(len(X), dtype=bool)
        held_out[rng.permutation(len(X))[:n_val]] = True
        return X[~held_out], X[held_out]

    def _set_scale(self, X):
        """Learn the mean and the variance that make training the same at any scale."""
        mean, variance = center_and_variance(X)
        # float32 weights cannot tell smaller differences from rounding
        if variance <= 1e-12 * float(mean @ mean):
            raise ValueError(
                "SparseAutoencoderTransformer: all training rows are equal, up to a "
                "millionth of their length, so there is no variance to explain. "
                "Check the embeddings."
            )
        self.mean_, self.variance_ = mean, variance

    def _scaled(self, X):
        if X is None:
            return None
        scaled = (X - self.mean_.astype(X.dtype)).astype(np.float32, copy=False)
        scaled /= np.float32(np.sqrt(self.variance_))
        return scaled

    def _to_scaled_space(self, weights):
        scale = np.sqrt(self.variance_)
        return weights._replace(
            intercept=weights.intercept / scale,
            offset=(weights.offset - self.mean_) / scale,
        )

    def _fitted_state(self, run):
        """Return the fitted attributes for the best weights so far."""
        scale, found = np.sqrt(self.variance_), run.best_weights
        weights = Weights(
            encoder=found.encoder,
            intercept=(found.intercept * scale).astype(np.float32),
            decoder=found.decoder,
            offset=(self.mean_ + scale * found.offset).astype(np.float32),
        )
        threshold = None
        if self.sparsity == "batch_topk":
            samples = [X for X in (run.X, run.X_val) if X is not None]
            threshold = calibrate_threshold(samples, found, self.k)
        step = max(1, len(run.X) // 50_000)
        active = encode(run.X[::step], found, self.k, threshold, as_sparse=True)
        return {
            "encoder_coef_": weights.encoder,
            "encoder_intercept_": weights.intercept,
            "components_": weights.decoder,
            "decoder_intercept_": weights.offset,
            "threshold_": None if threshold is None else float(scale * threshold),
            "history_": pd.DataFrame(run.history),
            "dead_neurons_": np.flatnonzero(active.sum(axis=0) == 0),
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
        embeddings = validate_data(self, X, dtype=_DTYPES, reset=False)
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
        embeddings = validate_data(self, X, dtype=_DTYPES, reset=False)
        active = encode(
            embeddings, self._weights(), self.k, self.threshold_, as_sparse=True
        )
        error = active @ self.components_ + self.decoder_intercept_ - embeddings
        squared = np.square(error, dtype=np.float64).sum(axis=1)
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
