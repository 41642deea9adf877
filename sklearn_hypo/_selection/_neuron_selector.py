"""`NeuronSelector`: keep the neurons that predict the target."""

from numbers import Integral, Real

import numpy as np
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from .._style._term_features import read_term
from .._utils._base import HypoEstimator
from .._utils._correlation import compute_moments, correlation_scores
from .._utils._frames import is_marked_as_training, make_frame_like
from .._utils._progress import show_progress
from .._utils._target_scale import (
    TARGET_SCALES,
    resolve_target_scale,
    scale_target,
)
from .._utils._threads import on_one_thread
from .._utils._validation import (
    Interval,
    StrOptions,
    _fit_context,
    encode_labelled,
    make_target_columns,
    resolve_task,
)
from .._utils._warnings import warn
from ._held_constant import HeldConstant
from ._scores import find_distinct, lasso_path_selection, separation_scores

METHODS = ("lasso", "correlation", "separation")  # the first is the default


class NeuronSelector(SelectorMixin, HypoEstimator):
    r"""Select the neurons that predict a target best.

    Parameters
    ----------
    n_select : int or "all", default=20
        How many neurons to keep: one hypothesis comes from each. "all" keeps every
        neuron that is not constant, so that a grid search can switch selection off.

    method : {"lasso", "correlation", "separation"} or callable, default="lasso"
        How neurons are scored.

        - "lasso": follow the lasso path on standardized activations until exactly
          `n_select` neurons have a non-zero coefficient. Prefers neurons that tell
          different things, which is what a joint model of the hypotheses needs.
        - "correlation": the absolute Pearson correlation of each neuron with the
          target.
        - "separation": the absolute difference between the mean target of the
          `n_top` rows that activate the neuron most, among those with an activation
          above 0, and that of the rows with activation 0.
        - a callable ``method(activations, y) -> scores`` of shape (n_neurons,),
          larger is better; scikit-learn's score functions that return
          ``(scores, p_values)`` work too: `sklearn.feature_selection.f_regression`,
          say. One with a sign, such as `r_regression`, ranks negative effects last,
          as in `SelectKBest`: pass its size. It is given numbers for regression, on the
          scale of `target_scale_`, and the labels as they are for classification; where
          something is held constant in `fit`, residuals of activations and y, and no
          classes.

    task : {"auto", "regression", "classification"}, default="auto"
        With "auto", booleans, strings, categoricals and targets of two distinct
        values are classes, and any other numeric target is a quantity (so -1/0/1 and
        1-5 stars are). With more than two classes each is set against the rest, and
        a neuron's score is its largest over the classes; the lasso paths of the
        classes share one penalty.

    target_scale : {"auto", "identity", "log1p"}, default="auto"
        What quantities are scored by: y itself, or log(1 + y), which keeps a few very
        large counts from deciding everything. "auto": log(1 + y) for counts, by the
        rule of `evaluate_hypotheses`, else y itself.

    n_top : int, default=100
        Top-activating rows that `method="separation"` averages over.

    max_correlation : float or None, default=None
        Before the method scores neurons, leave out those whose activations correlate
        at more than this, in size, with those of a neuron that correlates better with
        the target and is not left out. Of use where the neurons of several fits stand
        side by side (``n_fits=3``) and the method looks at each neuron alone; the lasso
        takes few copies by itself. None leaves out none.

    term_share : float, default=0.0
        Share of the `n_select` columns that is chosen among columns of `TermFeatures`
        alone, by the same method; the others are the best of all. Activations hold
        more than the words that will stand for them, so that neurons take the places
        of words that would say the same; `HypothesisExtractor` can choose among both
        by what the words say. What is chosen both ways counts once, so that fewer
        columns may be selected. No more places are kept than there are such columns,
        and none with ``n_select="all"``.

    Attributes
    ----------
    scores_ : ndarray of shape (`n_features_in_`,)
        Score of each neuron, signed for one target (positive: goes with larger y, or
        with the second class): the correlation, the difference in units of y (or of
        log(1 + y)), the standardized lasso coefficient (0 of terms that are selected by
        `term_share` alone), or what the callable returned. They were computed on the
        training rows; do not test hypotheses with them.

    ranking_ : ndarray of shape (`n_features_in_`,)
        Rank of each neuron; 1 is the best. Ties go to the lower column. The terms of
        `term_share` come right after the best of all.

    trained_on_target_ : bool
        Whether the activations were themselves trained on this target, in these rows
        (`SupervisedSAETransformer.fit_transform`). `scores_` then overstate what the
        neurons predict: they order the neurons, and say nothing else.

    task_ : {"regression", "classification"}
        The task that was found.

    target_scale_ : {"identity", "log1p"}
        The scale that was used.

    n_features_in_ : int
        Number of neurons seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if they have any.

    See Also
    --------
    SparseAutoencoderTransformer : Computes the activations.
    HypothesisExtractor : Puts the selected neurons into words.

    Notes
    -----
    Constant (for example dead) neurons, and those that `max_correlation` leaves out,
    score 0 and are never selected. If fewer than
    `n_select` neurons can be selected, a warning says how many were.

    With `covariates` and `fixed_effects` in `fit`, scores are those of what they leave:
    with residuals :math:`\tilde a_j, \tilde t` of least-squares regressions on a
    constant, the covariates and the levels, "correlation" is the partial correlation

    .. math:: r_j = \frac{\tilde a_j' \tilde t}
        {\lVert \tilde a_j \rVert \lVert \tilde t \rVert},

    "lasso" the path on the residuals, on which covariates are not penalized [2]_, and
    "separation" the difference of the mean :math:`\tilde t`. The indicators of classes
    are regressed likewise. A neuron that covariates determine is never selected.
    Residuals are dense, also those of sparse activations. In a pipeline that is
    ``pipe.fit(texts, y, select__covariates=covariates)``, in cross-validation
    ``cross_val_score(pipe, texts, y, params={"select__covariates": covariates})``,
    which splits them with the texts; with scikit-learn's metadata routing,
    ``set_fit_request(covariates=True)``. `transform` needs neither.

    References
    ----------
    .. [1] Movva, Peng, Garg, Kleinberg and Pierson 2025, "Sparse Autoencoders for
       Hypothesis Generation" (arXiv 2502.04382).
    .. [2] Frisch and Waugh 1933, "Partial time regressions as compared with individual
       trends", Econometrica 1(4).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import NeuronSelector
    >>> rng = np.random.default_rng(0)
    >>> activations = np.maximum(rng.standard_normal((200, 6)), 0)
    >>> y = 2 * activations[:, 4] - activations[:, 1] + rng.standard_normal(200)
    >>> selector = NeuronSelector(n_select=2).fit(activations, y)
    >>> selector.get_support(indices=True)
    array([1, 4])
    >>> selector.ranking_[[4, 1]]
    array([1, 2])

    What goes with the target through the platform alone is not selected where the
    platform is held constant:

    >>> platform = rng.integers(0, 2, size=200)
    >>> activations[:, 0] += 2 * platform
    >>> y = y + 5 * platform
    >>> NeuronSelector(n_select=2).fit(activations, y).get_support(indices=True)
    array([0, 4])
    >>> selector.fit(activations, y, covariates=platform).get_support(indices=True)
    array([1, 4])
    """

    _parameter_constraints = {
        "n_select": [Interval(Integral, 1, None, closed="left"), StrOptions({"all"})],
        "method": [StrOptions(set(METHODS)), callable],
        "task": [StrOptions({"auto", "regression", "classification"})],
        "target_scale": [StrOptions(set(TARGET_SCALES))],
        "n_top": [Interval(Integral, 1, None, closed="left")],
        "max_correlation": [Interval(Real, 0, 1, closed="right"), None],
        "term_share": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        n_select=20,
        *,
        method="lasso",
        task="auto",
        target_scale="auto",
        n_top=100,
        max_correlation=None,
        term_share=0.0,
    ):
        self.n_select = n_select
        self.method = method
        self.task = task
        self.target_scale = target_scale
        self.n_top = n_top
        self.max_correlation = max_correlation
        self.term_share = term_share

    @_fit_context(prefer_skip_nested_validation=True)
    @on_one_thread()
    def fit(self, X, y, *, covariates=None, fixed_effects=None):
        """Score the neurons and select the best.

        Parameters
        ----------
        X : {DataFrame, ndarray, sparse array} of shape (n_samples, n_neurons)
            Activations.
        y : array-like of shape (n_samples,)
            Numbers, or classes. Rows where it is missing (NaN or None) are not
            looked at; -1 is a target as any other.
        covariates : DataFrame or array-like of shape (n_samples, n_columns), \
                default=None
            Held constant, so that a neuron which only stands for one of them, such as
            the platform of a text, is not selected. Categories become indicators.
            Needed of rows with a target alone.
        fixed_effects : array-like of shape (n_samples,), default=None
            One level per row, such as a year: neurons are scored within levels.

        Returns
        -------
        self : NeuronSelector
            The fitted selector.

        Raises
        ------
        ValueError
            For covariates and levels that do not fit the rows or are missing, if they
            determine y, and beside a callable `method` for classes.
        """
        context = self._init_callback_context()
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        activations = validate_data(
            self,
            X,
            accept_sparse=("csr", "csc"),
            dtype=(np.float64, np.float32),
            ensure_min_samples=2,
        )
        self.task_ = resolve_task(y, self.task)
        values, classes, labelled = encode_labelled(
            y, self.task_, caller=type(self).__name__
        )
        check_consistent_length(activations, labelled)
        if not labelled.all():
            activations = activations[labelled]
        if values.min() == values.max():
            raise ValueError(
                f"NeuronSelector: y is constant ({values[0]:g}), so there is nothing "
                "that a neuron could predict."
            )
        scale = resolve_target_scale(values, self.target_scale, classes=classes)
        values = scale_target(values, scale, caller=type(self).__name__)
        targets = make_target_columns(values, classes)
        labels = values if classes is None else classes[values]
        held = HeldConstant.of(
            covariates, fixed_effects, labelled, len(labelled), caller="NeuronSelector"
        )
        left = activations  # of which covariates have been taken out
        if held is not None:
            left, targets = held.residuals(activations), held.residuals(targets)
            self._check_left(targets, classes)
            labels = targets[:, 0]
        moments = compute_moments(left, targets)
        if self.max_correlation is not None:
            distinct = find_distinct(left, targets, self.max_correlation, moments)
            # as no method takes what is constant
            moments = moments._replace(std=np.where(distinct, moments.std, 0.0))
        usable = moments.std > 0
        is_term = usable & self._find_term_columns()
        n_best, n_terms = self._share_places(is_term)
        # which rows activate a neuron is told by the activations as they are
        scored = activations if self.method == "separation" else left
        with show_progress("Selecting neurons", estimator=self):
            self.scores_, strength = self._score(
                scored, labels, targets, moments, n_best
            )
            strength = np.where(usable, strength, -np.inf)
            terms = self._find_terms(left, targets, moments, strength, is_term, n_terms)
        self._rank(strength, n_best, terms, n_terms)
        self.target_scale_ = scale
        self.trained_on_target_ = is_marked_as_training(X)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def _check_left(self, targets, classes):
        """Raise where covariates leave nothing of y, or no labels for a callable."""
        if not targets.any():
            raise ValueError(
                "NeuronSelector: covariates and fixed_effects determine y, so that "
                "they leave nothing that a neuron could predict."
            )
        if callable(self.method) and classes is not None:
            raise ValueError(
                "NeuronSelector: a callable method scores classes as they are, and "
                "nothing can be held constant for it. Use one of "
                f"{', '.join(map(repr, METHODS))}, or leave covariates and "
                "fixed_effects out."
            )

    def _find_term_columns(self):
        names = getattr(self, "feature_names_in_", [""] * self.n_features_in_)
        return np.array([read_term(name) != "" for name in names])

    def _share_places(self, is_term):
        """Return how many of the best columns, and of the terms, are wanted."""
        if self.n_select == "all":
            return len(is_term), 0
        wanted = int(self.term_share * self.n_select + 1e-9)  # of 0.29 * 100, 29
        n_terms = min(wanted, int(is_term.sum()))
        return self.n_select - n_terms, n_terms

    def _score(self, activations, labels, targets, moments, wanted):
        """Return the scores to show and the strengths to rank by."""
        if callable(self.method):
            scores = _call_method(self.method, activations, labels)
            return scores, np.where(np.isnan(scores), -np.inf, scores)
        if self.method == "lasso":
            by_target = lasso_path_selection(
                activations, targets, wanted, moments=moments
            )
        elif self.method == "correlation":
            by_target = correlation_scores(activations, targets, moments=moments)
        else:
            by_target = separation_scores(activations, targets, n_top=self.n_top)
        strength = _round_strength(np.abs(by_target).max(axis=1), activations.dtype)
        if self.method == "lasso" and self.n_select != "all":
            strength[strength == 0] = -np.inf  # not on the path: not selected
        if targets.shape[1] == 1:
            scores = by_target[:, 0]
        else:
            scores = np.abs(by_target).max(axis=1)
        return np.where(moments.std > 0, scores, 0.0), strength

    def _find_terms(self, activations, targets, moments, strength, is_term, wanted):
        """Return the best columns of terms among themselves, the best one first."""
        if not wanted:
            return np.array([], dtype=np.intp)
        if self.method == "lasso":
            alone = moments._replace(std=np.where(is_term, moments.std, 0.0))
            coef = lasso_path_selection(activations, targets, wanted, moments=alone)
            strength = _round_strength(np.abs(coef).max(axis=1), activations.dtype)
            strength[strength == 0] = -np.inf
        strength = np.where(is_term, strength, -np.inf)
        best = np.argsort(-strength, kind="stable")[:wanted]
        return best[strength[best] > -np.inf]

    def _rank(self, strength, n_best, terms, n_terms):
        """Set `ranking_` and how many are selected: the best ones, then terms."""
        n_possible = int((strength > -np.inf).sum())
        if self.n_select == "all":
            n_best = n_possible
        if n_possible == 0:
            raise ValueError(
                "NeuronSelector found no neuron that varies over the training rows, so "
                "there is nothing to select. Train the autoencoder for longer or on "
                "more texts."
            )
        best, others = np.split(
            np.argsort(-strength, kind="stable"), [min(n_best, n_possible)]
        )
        added = terms[~np.isin(terms, best)]
        order = np.concatenate([best, added, others[~np.isin(others, added)]])
        self.ranking_ = np.empty(len(order), dtype=np.int64)
        self.ranking_[order] = np.arange(1, len(order) + 1)
        self._n_selected = len(best) + len(added)
        if n_possible < n_best or len(terms) < n_terms:
            warn(
                f"NeuronSelector: n_select={self.n_select}, but only "
                f"{self._n_selected} of {len(strength)} neurons can be selected (the "
                "others are constant"
                + (" or left out as copies" if self.max_correlation is not None else "")
                + (" or never on the lasso path" if self.method == "lasso" else "")
                + (" or scored NaN" if callable(self.method) else "")
                + f"). {self._n_selected} are."
            )

    def _get_support_mask(self):
        check_is_fitted(self)
        return self.ranking_ <= self._n_selected

    def transform(self, X):
        """Keep the selected neurons.

        Parameters
        ----------
        X : {DataFrame, ndarray, sparse array} of shape (n_samples, n_neurons)
            Activations, as in `fit`.

        Returns
        -------
        X_selected : {DataFrame, ndarray, sparse array} of shape (n_samples, n_selected)
            A frame for a frame, with its index; an array for an array.
        """
        selected = super().transform(X)
        if type(selected) is not np.ndarray:
            return selected
        return make_frame_like(X, selected, self.get_feature_names_out())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _round_strength(strength, dtype):
    """Round away what the order of the rows leaves: it must not decide between equals.

    A strength that is not zero stays so: on the lasso path that is what counts.
    """
    scale = strength.max() or 1.0
    decimals = 6 if dtype == np.float32 else 9
    rounded = np.round(strength / scale, decimals)
    return np.where(strength > 0, np.maximum(rounded, 0.1**decimals / 2), 0.0)


def _call_method(method, activations, y):
    """Call a user's score function and check what it returned."""
    result = method(activations, y)
    scores = np.asarray(result[0] if isinstance(result, tuple) else result, dtype=float)
    if scores.shape != (activations.shape[1],):
        raise ValueError(
            "NeuronSelector: the callable given as method must return one score per "
            f"neuron, shape ({activations.shape[1]},), but returned shape "
            f"{scores.shape}."
        )
    return scores
