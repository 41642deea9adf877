"""`HypothesisExtractor`: selected neurons in, tested hypotheses out."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin, clone
from sklearn.utils import ClassifierTags, RegressorTags, check_random_state
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from .._annotation._exact import annotate_texts, check_shape, fit_annotator
from .._annotation._lexicon import LexiconAnnotator
from .._hypotheses._hypothesis import select_activations
from .._interpretation._columns import interpret_columns
from .._interpretation._lexicon import LexiconInterpreter
from .._language_models._usage_table import make_usage_table
from .._selection._held_constant import HeldConstant
from .._selection._scores import find_distinct, forward_selection
from .._utils._base import HypoEstimator
from .._utils._correlation import compute_moments, correlation_scores
from .._utils._frames import get_texts, is_marked_as_training, make_frame_like
from .._utils._normalized_texts import fingerprint_texts
from .._utils._progress import show_progress
from .._utils._target_scale import (
    TARGET_SCALES,
    resolve_target_scale,
    scale_target,
)
from .._utils._threads import on_one_thread
from .._utils._validation import (
    HasMethods,
    Interval,
    StrOptions,
    _check_feature_names_in,
    _fit_context,
    check_texts,
    draw_seed,
    encode_labelled,
    make_target_columns,
    resolve_task,
)
from .._utils._warnings import warn
from ._diagram import HypothesesInDiagramMixin
from ._final_estimator import AnnotationPredictorMixin, mean_known
from ._names import HypothesisNamesMixin
from ._tables import (
    list_names,
    make_candidates_table,
    make_hypotheses_table,
    make_terms_table,
    merge_equal_hypotheses,
)

# Annotations that correlate more than this are of one concept in two wordings.
_NEARLY_ONE = 0.8

# Ridge penalty by which hypotheses are chosen, as if so many texts more had been seen
# in which no statement goes with the target.
_PENALTY = 1000.0


class HypothesisExtractor(
    HypothesesInDiagramMixin,
    HypothesisNamesMixin,
    AnnotationPredictorMixin,
    TransformerMixin,
    HypoEstimator,
):
    """Put neurons into words, annotate texts with those words, predict the target.

    The last step of a pipeline. `fit` has each neuron described by the interpreter,
    has a sample of the training texts annotated with the descriptions alone, and
    fits a model of the target on these annotations; `score` is how well the
    *hypotheses* predict the target of new texts, with the neurons out of the way.
    Texts without a target (NaN or None) help to find the words, and with nothing else.
    Columns of `StyleFeatures` are worded and checked by their measures, whatever
    interpreter and annotator are set; those of `TermFeatures` are worded by their term,
    whatever the interpreter.

    Parameters
    ----------
    interpreter : interpreter or None, default=None
        Puts neurons into words. None: `LexiconInterpreter`, always, whatever keys
        the environment holds.

    annotator : annotator or None, default=None
        Decides of which texts a hypothesis is true. None: `LexiconAnnotator`. To
        search over its parameters, give one:
        ``{"hypotheses__annotator__threshold": [0.5, 0.6]}``.

    n_hypotheses : int or None, default=None
        At most so many hypotheses are kept. They are chosen by the annotations of the
        training texts, one after the other: always the one that helps a ridge
        regression of the target (penalty 1,000) most beside those chosen before. Left
        out are those whose annotations correlate at more than 0.8 with those of one
        that goes better with the target. None: one for every neuron that has words.
        With more neurons than hypotheses, another one takes the place of a neuron that
        no words describe, or whose words say nothing new; but all of them are
        annotated, which a language model is paid for.

    final_estimator : estimator or None, default=None
        Predicts the target from the annotations. None: `RidgeCV`, or
        `LogisticRegression` for classes, which with many texts are hardly penalized.

    task : {"auto", "regression", "classification"}, default="auto"
        With "auto", booleans, strings, categoricals and targets of two distinct
        values are classes; any other numeric target is a quantity. Until it is
        fitted, an extractor with "auto" counts as a regressor; name the task where
        that matters, as for stratified folds in `cross_val_score`.

    target_scale : {"auto", "identity", "log1p"}, default="auto"
        What of a quantity hypotheses are chosen by, and `final_estimator` is fitted to:
        y itself, or log(1 + y), which keeps a few very large counts from deciding
        everything. "auto": log(1 + y) for counts, by the rule of `evaluate_hypotheses`,
        else y itself.

    max_annotated : int or None, default=10_000
        Training texts (with a target) annotated to fit `final_estimator`, drawn at
        random when there are more. None: all.

    random_state : int, RandomState instance or None, default=None
        Seeds the split of the texts, the sample and the annotator.

    Attributes
    ----------
    hypotheses_ : DataFrame of shape (n_hypotheses, 11)
        One row per hypothesis: "neuron" (or neurons, separated by ", "),
        "hypothesis"; its fidelity as a description of the neuron, as the interpreter
        checks it (a lexicon by its terms, whatever the annotator; of several neurons
        the one that is described best), on texts used neither to find nor to choose
        it: "f1", "precision", "recall", "correlation";
        and on the training texts "association" (correlation of the neuron with the
        target; the largest over the classes if there are more than two), "coef" (of
        the final estimator; NaN if it has no single one), "prevalence" (share of
        annotated texts) and "missing" (texts without an answer). These four
        describe texts that took part in the discovery: they are no tests. Last the
        "name" that `rename` gave, or "".

    terms_ : DataFrame of shape (n_terms, 4)
        One row per term of every hypothesis that has terms, whatever the annotator:
        "hypothesis", "term", "share" of the distinct training texts that contain it,
        and "gain", what it adds to the fidelity there: the correlation of the mark
        with the neuron's activation, minus that of the mark by the other terms alone.
        A correlation below 0 counts as 0. A gain is 0 if the other terms mark the same
        texts, and negative if the term does harm.

    candidates_ : DataFrame of shape (n_candidates, 9)
        Every statement considered: "neuron", "hypothesis", "rank" (1 is the chosen
        one, the others follow from best to worst), "chosen", and the fidelity by
        which candidates were compared: "f1", "precision", "recall", "correlation",
        in "n" texts.

    skipped_neurons_ : Series
        Neurons that have no hypothesis, and why.

    usage_ : DataFrame
        What language models consumed in `fit`, one row per role ("interpreter",
        "annotator"): calls, tokens, answers from the cache, and cost in dollars. No
        rows without language models.

    interpreter_, annotator_, final_estimator_ : estimators
        The fitted strategies.

    prevalence_ : ndarray of shape (n_hypotheses,)
        Share of the annotated training texts of which each hypothesis is true;
        stands in for a missing answer in `predict`. NaN if none was obtained.

    task_ : {"regression", "classification"}
        The task that was found.

    target_scale_ : {"identity", "log1p"}
        The scale of a quantity that was used: associations, coefficients and `score`
        are on it. `predict` returns to the units of y.

    classes_ : ndarray of shape (n_classes,)
        The class labels; only for classification.

    training_fingerprints_ : ndarray of uint64
        A hash of each different text with a target, in order: by these
        `evaluate_hypotheses` tells whether it meets the same texts again. Who has
        them, and a text, can tell whether it was among them; they hold nothing else.

    trained_on_target_ : bool
        Whether the activations were themselves trained on this target, in these rows
        (`SupervisedSAETransformer.fit_transform`). "association" then overstates what
        a neuron has to do with the target.

    n_features_in_ : int
        Number of neurons seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names.

    See Also
    --------
    evaluate_hypotheses : Tests the hypotheses on texts held out.
    make_hypothesis_pipeline : Builds all the steps.

    References
    ----------
    Movva, Peng, Garg, Kleinberg and Pierson 2025, "Sparse Autoencoders for Hypothesis
    Generation" (arXiv 2502.04382).

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_hypo import HypothesisExtractor
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> data = make_concept_texts(1000, n_concepts=2, random_state=0)
    >>> neurons = pd.DataFrame(
    ...     data.truth.astype(float),
    ...     index=pd.Index(data.data, name="text"),
    ...     columns=["neuron000", "neuron001"],
    ... )
    >>> extractor = HypothesisExtractor(random_state=0).fit(neurons, data.target)
    >>> extractor.hypotheses_[["neuron", "f1"]].round(1)
          neuron   f1
    0  neuron000  1.0
    1  neuron001  1.0
    >>> extractor.transform(neurons).shape
    (1000, 2)
    """

    _parameter_constraints = {
        "interpreter": [HasMethods(["interpret", "get_params"]), None],
        "annotator": [HasMethods(["fit", "annotate", "get_params"]), None],
        "n_hypotheses": [Interval(Integral, 1, None, closed="left"), None],
        "final_estimator": [HasMethods(["fit", "predict"]), None],
        "task": [StrOptions({"auto", "regression", "classification"})],
        "target_scale": [StrOptions(set(TARGET_SCALES))],
        "max_annotated": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        interpreter=None,
        annotator=None,
        *,
        n_hypotheses=None,
        final_estimator=None,
        task="auto",
        target_scale="auto",
        max_annotated=10_000,
        random_state=None,
    ):
        self.interpreter = interpreter
        self.annotator = annotator
        self.n_hypotheses = n_hypotheses
        self.final_estimator = final_estimator
        self.task = task
        self.target_scale = target_scale
        self.max_annotated = max_annotated
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, covariates=None, fixed_effects=None):
        """Find the hypotheses and fit the model of the target.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_neurons)
            Activations, text-labelled: its index is named "text" and holds the texts.
        y : array-like of shape (n_samples,)
            What the hypotheses are to predict: numbers, or classes; NaN or None where
            there is no target (-1 is a target as any other).
        covariates, fixed_effects : array-like, default=None
            As in `NeuronSelector.fit`. Held constant where `n_hypotheses` are chosen
            among more: by what they tell of the target beside these. "association",
            "coef" and `predict` are of the target as it is.

        Returns
        -------
        self : HypothesisExtractor
            Fitted.

        Raises
        ------
        NotTextLabelledError
            A TypeError, if the rows do not carry their texts.
        ValueError
            If no neuron could be put into words, for fewer than two rows with a
            target, and for covariates and levels that do not fit the rows.
        """
        context = self._init_callback_context(max_subtasks=3)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        activations, texts = self._check_rows(X, reset=True)
        self.task_ = resolve_task(y, self.task)
        target, classes, labelled = encode_labelled(
            y, self.task_, caller=type(self).__name__
        )
        check_consistent_length(activations, labelled)
        if classes is None and np.ptp(target) == 0:
            raise ValueError(
                f"HypothesisExtractor: y is constant ({target[0]:g} on all rows): "
                "there is nothing to predict."
            )
        scale = resolve_target_scale(target, self.target_scale, classes=classes)
        target = scale_target(target, scale, caller=type(self).__name__)
        self.target_scale_ = scale
        held = HeldConstant.of(
            covariates,
            fixed_effects,
            labelled,
            len(labelled),
            caller=type(self).__name__,
        )
        self.__dict__.pop("classes_", None)
        if classes is not None:
            self.classes_ = classes
        self.trained_on_target_ = is_marked_as_training(X)
        self.training_fingerprints_ = np.unique(fingerprint_texts(texts[labelled]))
        rng = check_random_state(self.random_state)
        self.annotator_ = _clone_or_make(self.annotator, LexiconAnnotator)

        subtask = _begin_subtask(context, self, "interpret neurons", X, y)
        with show_progress("Interpreting neurons", estimator=self):
            interpretations = self._interpret(texts, activations, rng)
        subtask.call_on_fit_task_end(estimator=self, X=X, y=y)

        subtask = _begin_subtask(context, self, "annotate texts", X, y)
        known = None if classes is None else target
        sample = _sample_rows(len(target), self.max_annotated, rng, known)
        rows = np.flatnonzero(labelled)[sample]
        self._hypotheses, fidelities = merge_equal_hypotheses(interpretations)
        seed = draw_seed(rng)
        described = self._activations_behind(activations)
        with show_progress("Annotating texts", estimator=self):
            annotations = self._annotate(texts, described, rows, seed)
        columns = make_target_columns(target, classes)
        held = None if held is None else held.take(sample)
        with show_progress("Choosing hypotheses", estimator=self):
            kept = self._choose_hypotheses(annotations, columns[sample], held)
        if len(kept) < len(self._hypotheses):
            self._hypotheses = [self._hypotheses[i] for i in kept]
            fidelities = [fidelities[i] for i in kept]
            described, annotations = described[:, kept], annotations[:, kept]
            self._fit_annotator(texts, described, seed)
        subtask.call_on_fit_task_end(estimator=self, X=X, y=y)

        subtask = _begin_subtask(context, self, "fit final estimator", X, y)
        labels = target if classes is None else classes[target]
        self._fit_final_estimator(annotations, labels[sample])
        self._associations = correlation_scores(described[labelled], columns)
        self._make_tables(interpretations, fidelities, texts, described, annotations)
        subtask.call_on_fit_task_end(estimator=self, X=X, y=y)
        context.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes={}
        )
        return self

    def _make_tables(self, interpretations, fidelities, texts, described, annotations):
        """Set the attributes that users read."""
        self.hypotheses_ = make_hypotheses_table(
            self._hypotheses,
            fidelities,
            association=_take_strongest(self._associations),
            coef=self._coefficients(),
            prevalence=self.prevalence_,
            missing=np.isnan(annotations).sum(axis=0),
            name=list_names(self._hypotheses),
        )
        self.terms_ = make_terms_table(self._hypotheses, texts, described)
        self.candidates_ = make_candidates_table(interpretations)
        self.usage_ = make_usage_table(
            {"interpreter": self.interpreter_, "annotator": self.annotator_}
        )

    def _check_rows(self, X, *, reset):
        """Return the activations, which are checked only in `fit`, and the texts."""
        name = type(self).__name__
        texts = check_texts(get_texts(X, caller=name), caller=name)
        activations = validate_data(
            self,
            X,
            dtype=(np.float64, np.float32),
            ensure_min_samples=2,
            reset=reset,
            skip_check_array=not reset,
        )
        return activations, texts

    def _activations_behind(self, activations):
        """Return one column of activations per hypothesis."""
        names = _check_feature_names_in(self)
        return select_activations(np.asarray(activations), names, self._hypotheses)

    def _interpret(self, texts, activations, rng):
        """Interpret every neuron that is not constant."""
        names = _check_feature_names_in(self)
        varies = compute_moments(activations, np.zeros((len(texts), 1))).std > 0
        self.interpreter_ = _clone_or_make(self.interpreter, LexiconInterpreter)
        found = []
        if varies.any():
            found = interpret_columns(
                self.interpreter_,
                texts,
                activations[:, varies],
                names[varies],
                annotator=self.annotator_,
                random_state=np.random.RandomState(draw_seed(rng)),
            )
        reasons = dict.fromkeys(names[~varies], "constant")
        reasons |= {each.neuron: each.reason for each in found if not each.candidates}
        self.skipped_neurons_ = pd.Series(reasons, dtype=object, name="reason")
        if len(reasons) == len(names):
            raise ValueError(
                "HypothesisExtractor could not put any neuron into words: "
                f"{self._list_skipped()}. Check that the texts have words in common "
                "and that the neurons vary over the training rows."
            )
        n_left = len(names) - len(reasons)
        if reasons and (self.n_hypotheses is None or n_left < self.n_hypotheses):
            # else others take their places
            warn(
                f"HypothesisExtractor: {len(reasons)} of {len(names)} neurons have no "
                f"hypothesis: {self._list_skipped()}."
            )
        return [each for each in found if each.candidates]

    def _list_skipped(self):
        return "; ".join(
            f"{', '.join(map(str, neurons.index))} ({reason})"
            for reason, neurons in self.skipped_neurons_.groupby(self.skipped_neurons_)
        )

    def _annotate(self, texts, described, rows, seed):
        """Fit the annotator on all training texts and annotate the sampled rows."""
        self._fit_annotator(texts, described, seed)
        return annotate_texts(self.annotator_, texts[rows], self._hypotheses)

    def _fit_annotator(self, texts, described, seed):
        fit_annotator(
            self.annotator_,
            texts,
            self._hypotheses,
            described,
            random_state=np.random.RandomState(seed),
        )

    @on_one_thread()
    def _choose_hypotheses(self, annotations, targets, held):
        """Return the positions of the hypotheses to keep, ascending."""
        n_all = annotations.shape[1]
        if self.n_hypotheses is None or n_all <= self.n_hypotheses:
            return np.arange(n_all)
        means = np.nan_to_num(mean_known(annotations))
        marks = np.where(np.isnan(annotations), means, annotations)
        if held is not None:
            marks, targets = held.residuals(marks), held.residuals(targets)
        moments = compute_moments(marks, targets)
        # statements that are true of nearly the same texts say one thing twice
        distinct = find_distinct(marks, targets, _NEARLY_ONE, moments)
        moments = moments._replace(std=np.where(distinct, moments.std, 0.0))
        # fewer where nothing is left that the others could explain
        best = forward_selection(
            marks, targets, self.n_hypotheses, penalty=_PENALTY, moments=moments
        )
        if len(best) == 0:  # no statement says anything of the target
            best = np.flatnonzero(distinct)[: self.n_hypotheses]
        return np.sort(best) if len(best) else np.arange(self.n_hypotheses)

    def _check_shape(self, annotations, n_texts):
        expected = (n_texts, len(self._hypotheses))
        return check_shape(annotations, expected, self.annotator_)

    def transform(self, X):
        """Annotate the texts of the rows.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_neurons)
            Text-labelled. Only the texts matter: what the neurons say of new texts
            is not looked at.

        Returns
        -------
        annotations : DataFrame of shape (n_samples, n_hypotheses)
            One column per hypothesis, text-labelled: 1, 0, or NaN where no answer
            was obtained.
        """
        return make_frame_like(X, self._annotations(X), self.get_feature_names_out())

    def _annotations(self, X):
        """Annotate the texts of the rows and return a plain array."""
        check_is_fitted(self)
        _, texts = self._check_rows(X, reset=False)
        with show_progress("Annotating texts", estimator=self):
            return annotate_texts(self.annotator_, texts, self._hypotheses)

    def get_feature_names_out(self, input_features=None):
        """Return the hypotheses.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Only compared with the neurons' names seen in `fit`.

        Returns
        -------
        names : ndarray of shape (n_hypotheses,) and dtype object
            The statements.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return np.array([h.statement for h in self._hypotheses], dtype=object)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "hypotheses_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []  # annotations are float64
        if getattr(self, "task_", self.task) == "classification":
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags()
        else:
            tags.estimator_type = "regressor"
            tags.regressor_tags = RegressorTags()
        return tags


def _clone_or_make(strategy, default):
    """Return an unfitted copy of a strategy, or the default one for None."""
    return default() if strategy is None else clone(strategy)


def _begin_subtask(context, estimator, name, X, y):
    subtask = context.subcontext(task_name=name)
    subtask.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
    return subtask


def _sample_rows(n_rows, max_rows, rng, classes=None):
    """Draw row numbers, ascending; all of them if there are few enough.

    Of every class at least one row is drawn, so that the final estimator knows it.
    """
    if max_rows is None or n_rows <= max_rows:
        return np.arange(n_rows)
    order = rng.permutation(n_rows)
    if classes is not None:
        _, first = np.unique(classes[order], return_index=True)
        if len(first) > max_rows:
            raise ValueError(
                f"max_annotated={max_rows} is less than the number of classes, "
                f"{len(first)}: at least one text of each has to be annotated."
            )
        order = np.concatenate([order[first], np.delete(order, first)])
    return np.sort(order[:max_rows])


def _take_strongest(associations):
    """Take from each row the largest in size: of classes, the one it goes with most."""
    strongest = np.abs(associations).argmax(axis=1)[:, None]
    return np.take_along_axis(associations, strongest, axis=1)[:, 0]
