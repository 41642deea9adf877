"""`SupervisedSAETransformer`: a sparse autoencoder with a target in mind."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_array

from .._utils._device import resolve_device
from .._utils._docstrings import fill_docstring
from .._utils._frames import mark_as_training
from .._utils._target_scale import TARGET_SCALES, resolve_target_scale
from .._utils._validation import Interval, StrOptions, _fit_context
from ._base import BaseSparseAutoencoder
from ._distributed import broadcast_first, sum_across
from ._head_predictor import HeadPredictorMixin
from ._heads import RidgeHead, SoftmaxHead
from ._plan import choose_alpha
from ._rows import must_slice
from ._sparse import SparseAutoencoderTransformer
from ._targets import (
    Supervision,
    TargetScale,
    encode_supervision,
    smooth_target,
    split_target,
)
from ._transform import DTYPES


@fill_docstring(SparseAutoencoderTransformer)
class SupervisedSAETransformer(HeadPredictorMixin, BaseSparseAutoencoder):
    r"""Describe embeddings by a few active neurons, many of them about a target.

    Learns the dictionary of `SparseAutoencoderTransformer` and, from the activations f
    of its first `n_supervised` neurons, a linear prediction of y, by minimizing

    .. math:: L = \text{FVU}(X) + \alpha \, U(y)

    the fraction of the variance of X unexplained (mean over the prefixes) plus alpha
    times the fraction of y unexplained: :math:`1 - R^2` for a quantity (mean over the
    outputs), the cross-entropy over that of the class frequencies for classes. Both
    terms are 1 for a model that predicts the mean, so that alpha means the same on
    every data set. With ``alpha=0`` it is `SparseAutoencoderTransformer` to the bit.

    Three measures keep a neuron from becoming the label itself and the codes from
    memorizing it: the target is smoothed by out-of-fold predictions
    (`target_smoothing`), activations are dropped while the head learns (`dropout`), and
    a supervised neuron's encoder is its decoder direction, scaled (`tied`), so that it
    can only respond to what it reconstructs.

    **Activations of the training rows carry y.** Whatever is computed from them and
    y (associations, scores of a selection, p-values) is no test of anything: test on
    texts that took no part in `fit`, as `evaluate_hypotheses`, `cross_val_score` and
    any held-out score do. The frame that `fit_transform` returns is marked;
    `NeuronSelector` and `HypothesisExtractor` say in `trained_on_target_` whether they
    were fitted on such rows. The mark does not survive a foreign step in between,
    arrays have no place for it, and `transform` of training rows makes none.

    Parameters
    ----------
    {n_neurons, k, n_fits}

    alpha : float or "auto", default=0.7
        Weight of the target. 0.3 changes the neurons little and helps already; from 3
        on, some turn into copies of the label. The more rows, the less it takes until
        neurons mix concepts that move the target alike; "auto" is
        :math:`\sqrt{200 / n}`, at least 0.3 and at most 1, for n rows that have a
        target: 1 for 200, 0.45 for 1,000, 0.3 from 2,223 on.

    n_supervised : int or None, default=20
        The head sees this many of the first neurons, at most `n_neurons`; None means
        all. About as many as hypotheses are wanted.

    target_smoothing : float, default=0.5
        Share of the target that is replaced by the prediction of a ridge regression
        on the embeddings that did not see the row. 0 trains on y itself.

    dropout : float, default=0.3
        Probability with which an activation is hidden from the head in training.

    tied : bool, default=True
        Whether the encoder rows of the supervised neurons are their decoder rows,
        each times a scale that is learned.

    task : {"auto", "regression", "classification"}, default="auto"
        "auto": booleans, strings, categories and two distinct values are classes, any
        other numbers a quantity. Several columns of y are quantities.

    target_scale : {"auto", "identity", "log1p"}, default="auto"
        What is learned of a quantity: y itself, or log(1 + y), which keeps a few very
        large counts from deciding everything. "auto": log(1 + y) for counts, by the
        rule of `evaluate_hypotheses`, else, and for several columns, y itself.

    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the target's part of the loss, as in scikit-learn.

    prefix_lengths : sequence of int or of float, "auto" or None, default="auto"
        Matryoshka prefixes; see `SparseAutoencoderTransformer`. "auto": the
        supervised neurons and all, so that the supervised ones have to reconstruct
        the embedding on their own, which keeps them about the texts; None for
        ``alpha=0``.

    {sparsity, engine, max_epochs, max_time, batch_size, learning_rate}

    validation_fraction : float or None, default=0.1
        Share of the rows (at most 20,000) set aside to decide when to stop and which
        weights to keep, by both terms of the loss. Not used if `fit` is given
        `X_val`. None trains on all rows for all epochs and keeps the last weights.

    {n_iter_no_change, aux_k, aux_coefficient, output, device, warm_start}

    random_state : int, RandomState instance or None, default=None
        Seeds the validation split, the initialization, the folds, the dropout and the
        order of the batches. The seeds of further fits are drawn from it.

    Attributes
    ----------
    coef_ : ndarray of shape (n_fits * n_neurons,) or (n_outputs, n_fits * n_neurons)
        Coefficients of the head, fitted anew on the finished activations; zero for
        neurons that are not supervised. One row per class for more than two classes.
        Of several fits, those of the mean of their linear predictions.

    intercept_ : float or ndarray of shape (n_outputs,)
        Its intercepts; of several fits the mean.

    classes_ : ndarray of shape (n_classes,)
        The class labels, for classification only.

    task_ : {"regression", "classification"}
        What y was taken for.

    target_scale_ : {"identity", "log1p"}
        The scale of quantities that was used: `coef_`, `intercept_` and `score` are on
        it. `predict` returns to the units of y.

    alpha_ : float
        The weight of the target that was used.

    {n_fits_, n_neurons_, k_, components_, encoder_coef_, encoder_intercept_,
     decoder_intercept_, threshold_, n_found_, mean_}

    variance_ : float
        Mean squared distance of a training row from `mean_`; of several fits the mean.

    history_ : DataFrame
        One row per epoch: "epoch", "learning_rate", "loss" (reconstruction of the
        training rows, mean over the prefixes), "validation_error" (fraction of
        variance unexplained), "target_error" (fraction of the validation rows' y
        unexplained by the head) and "n_dead". For several fits "fit", from 1, comes
        first.

    {dead_neurons_, n_iter_, n_steps_, n_samples_seen_, n_features_in_,
     feature_names_in_}

    See Also
    --------
    SparseAutoencoderTransformer : The same without a target.
    NeuronSelector : Keeps the neurons that predict a target.

    References
    ----------
    Mairal et al. 2008, "Supervised Dictionary Learning" (arXiv 0809.3083); Kulkarni
    et al. 2025, "ClassifSAE" (arXiv 2506.23951); Movva et al. 2025 (arXiv
    2502.04382).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import SupervisedSAETransformer
    >>> rng = np.random.default_rng(0)
    >>> present = (rng.random((600, 12)) < 0.15).astype(float)
    >>> X = present @ rng.standard_normal((12, 20))
    >>> y = present[:, 0] - present[:, 1] + 0.1 * rng.standard_normal(600)
    >>> sae = SupervisedSAETransformer(16, 2, n_supervised=4, random_state=0)
    >>> sae.fit(X[:500], y[:500]).transform(X[500:]).shape
    (100, 16)
    >>> sae.score(X[500:], y[500:]) > 0.5
    True
    """

    _parameter_constraints = {
        **BaseSparseAutoencoder._parameter_constraints,
        "prefix_lengths": ["array-like", StrOptions({"auto"}), None],
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "n_supervised": [Interval(Integral, 1, None, closed="left"), None],
        "target_smoothing": [Interval(Real, 0, 1, closed="both")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "tied": ["boolean"],
        "task": [StrOptions({"auto", "regression", "classification"})],
        "target_scale": [StrOptions(set(TARGET_SCALES))],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _has_head = True

    def __init__(
        self,
        n_neurons="auto",
        k="auto",
        *,
        n_fits=1,
        alpha=0.7,
        n_supervised=20,
        target_smoothing=0.5,
        dropout=0.3,
        tied=True,
        task="auto",
        target_scale="auto",
        class_weight=None,
        prefix_lengths="auto",
        sparsity="batch_topk",
        engine="auto",
        max_epochs="auto",
        max_time=None,
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
        self.n_fits = n_fits
        self.alpha = alpha
        self.n_supervised = n_supervised
        self.target_smoothing = target_smoothing
        self.dropout = dropout
        self.tied = tied
        self.task = task
        self.target_scale = target_scale
        self.class_weight = class_weight
        self.prefix_lengths = prefix_lengths
        self.sparsity = sparsity
        self.engine = engine
        self.max_epochs = max_epochs
        self.max_time = max_time
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
    def fit(self, X, y, X_val=None, y_val=None, sample_weight=None):
        """Train the autoencoder and its head.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target. Rows where it is missing (NaN or None) count for the
            reconstruction only.
        X_val : array-like of shape (n_val, n_features), default=None
            Validation rows, used instead of `validation_fraction`.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their target; without it, they are judged by their reconstruction alone.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the target's part of the loss and in the head.

        Returns
        -------
        self : SupervisedSAETransformer
            The fitted transformer.

        Raises
        ------
        ValueError
            For NaN or infinite embeddings, a target that is missing everywhere or
            has one class, rows that are all equal, and sizes that do not fit.
        FloatingPointError
            If training diverges.
        """
        supervision = self._check_target(y, X, sample_weight)
        supervision.check_informative(type(self).__name__)
        target_scale = self._settle_target_scale(supervision, self.warm_start)
        supervision = supervision.to_scale(target_scale, type(self).__name__)
        validation = None
        if y_val is not None:
            validation = self._check_validation_target(y_val, X_val, supervision)
            validation = validation.to_scale(target_scale, type(self).__name__)
        make_head, alpha = None, self._settle_alpha(supervision, self.warm_start)
        if alpha > 0:
            scale = TargetScale.of(supervision)
            make_head = self._prepare_head(supervision, validation, scale, alpha)
        self._fit(X, X_val, y, make_head, partial(self._final_head, supervision))
        self.alpha_, self.target_scale_ = alpha, target_scale
        if alpha > 0 and self._online_state is not None:
            self._online_state = scale.state() | self._online_state
        return self

    def _check_target(self, y, X, sample_weight, known=None):
        """Validate y, and X before it, since its faults are the more basic ones."""
        if must_slice(X):
            n_rows = X.shape[0]
        else:
            least = 2 if known is None else 1
            rows = check_array(
                X, dtype=DTYPES, ensure_min_samples=least, estimator=self
            )
            n_rows = len(rows)
        return encode_supervision(
            y,
            n_rows,
            task=self.task,
            class_weight=self.class_weight,
            sample_weight=sample_weight,
            caller=type(self).__name__,
            known=known,
        )

    def _check_validation_target(self, y_val, X_val, supervision):
        if X_val is None:
            raise ValueError(
                f"{type(self).__name__}: y_val arrived without X_val. Pass both."
            )
        return encode_supervision(
            y_val,
            X_val.shape[0] if hasattr(X_val, "shape") else len(X_val),
            task=self.task,
            class_weight=None,
            sample_weight=None,
            caller=type(self).__name__,
            known=supervision,
            name="y_val",
        )

    def _plan(self, n_rows, prefixes, k, device, supervised=False):
        plan = super()._plan(n_rows, prefixes, k, device)
        if supervised and self.tied:
            return plan._replace(n_tied=self._count_supervised(plan.n_neurons))
        return plan

    def _resolve_prefixes(self, n_neurons):
        if not isinstance(self.prefix_lengths, str):
            return super()._resolve_prefixes(n_neurons)
        first = self._count_supervised(n_neurons)
        if self.alpha == 0 or first == n_neurons:
            return (n_neurons,)
        return (first, n_neurons)

    def _settle_alpha(self, supervision, goes_on):
        """Return the weight of the target; "auto" stays if training goes on."""
        if self.alpha != "auto":
            return float(self.alpha)
        if goes_on and hasattr(self, "alpha_"):
            return self.alpha_
        return choose_alpha(int(sum_across(np.count_nonzero(supervision.weights))))

    def _settle_target_scale(self, supervision, goes_on):
        """Return the scale of quantities; "auto" stays if training goes on."""
        if self.target_scale == "auto":
            if goes_on and hasattr(self, "components_"):
                return self._scale
            if supervision.n_dimensions > 1:
                return "identity"
        known = supervision.values[supervision.weights > 0]
        scale = resolve_target_scale(
            known, self.target_scale, classes=supervision.classes
        )
        # the first process decides for all
        (is_log,) = broadcast_first([np.array([float(scale == "log1p")])])
        return "log1p" if is_log[0] else "identity"

    def _count_supervised(self, n_neurons):
        """Return how many of so many neurons are supervised."""
        return min(self.n_supervised or n_neurons, n_neurons)

    def _prepare_head(self, supervision, validation, scale, alpha):
        """Return what makes the head once it is known which rows are trained on."""

        def make_head(n_neurons, rows, seen, held_out, seed):
            target, held = split_target(supervision, validation, scale, seen, held_out)
            self._check_labelled(target)
            target = smooth_target(
                target, rows, self.target_smoothing, np.random.RandomState(seed)
            )
            kind = SoftmaxHead if supervision.kind == "classes" else RidgeHead
            return kind(
                target,
                held,
                alpha=alpha,
                n_supervised=self._count_supervised(n_neurons),
                dropout=self.dropout,
                seed=seed,
                device=resolve_device(self.device),
            )

        return make_head

    def _check_labelled(self, target):
        if not target.weights.any() and not hasattr(self, "components_"):
            raise ValueError(
                f"{type(self).__name__}: of the rows with a target, none is left to "
                "train on. Lower validation_fraction, or pass X_val."
            )

    def fit_transform(self, X, y, **fit_params):
        """Fit, and compute the activations of the training rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target.
        **fit_params : dict
            Further arguments of `fit`.

        Returns
        -------
        activations : DataFrame, ndarray or CSR array of shape \
                (n_samples, n_fits * n_neurons)
            A frame is marked as training rows, whose activations carry y.
        """
        activations = self.fit(X, y, **fit_params).transform(X)
        return mark_as_training(activations) if self.alpha_ > 0 else activations

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on training with a chunk of rows and their target.

        As `SparseAutoencoderTransformer.partial_fit`; the target is smoothed within
        each chunk.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings of the chunk.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their target, as in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All classes, in the first call; without it, those of the first chunk.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the target's part of the loss and in the head.

        Returns
        -------
        self : SupervisedSAETransformer
            The transformer, usable after any chunk.

        Raises
        ------
        ValueError
            As `fit` does, and for classes that were not announced.
        FloatingPointError
            If training diverges; the transformer stays as it was.
        """
        if hasattr(self, "components_"):
            self._check_rows(X, reset=False)
        known = self._known_target(classes)
        supervision = self._check_target(y, X, sample_weight, known)
        target_scale = self._settle_target_scale(supervision, True)
        supervision = supervision.to_scale(target_scale, type(self).__name__)
        make_head, scale, alpha = None, None, self._settle_alpha(supervision, True)
        if alpha > 0:
            state = getattr(self, "_online_state", None)
            scale = TargetScale.from_state(state) or TargetScale.of(supervision)
            make_head = self._prepare_head(supervision, None, scale, alpha)
        run = self._partial_fit(X, make_head)
        self.alpha_, self.target_scale_ = alpha, target_scale
        if scale is not None:
            self._online_state |= scale.state()
        self._set_state(self._head_after_chunk(X, supervision, run.learner.head, scale))
        return self

    def _known_target(self, classes):
        """Return what is known of the target before a chunk, or None."""
        if hasattr(self, "coef_"):
            n_outputs = len(np.atleast_2d(self.coef_))
            if self.task_ == "classification":
                n_outputs = len(self.classes_)
            return Supervision(
                np.empty((0, n_outputs)),
                np.empty(0),
                self.task_,
                getattr(self, "classes_", None),
                self.coef_.ndim,
            )
        if classes is None:
            return None
        if self.task == "regression":
            raise ValueError(
                f"{type(self).__name__}: classes arrived, but task='regression'."
            )
        classes = np.unique(np.asarray(classes))
        nothing = np.empty((0, len(classes)))
        return Supervision(nothing, np.empty(0), "classification", classes, 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags
