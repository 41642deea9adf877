"""`EmbeddingAnnotator`: annotation by nearness of embeddings."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances
from sklearn.utils.validation import check_is_fitted

from .._embedding._text_embedder import TextEmbedder
from .._utils._threads import on_one_thread
from .._utils._tokens import write_term
from .._utils._validation import HasMethods, Interval, StrOptions, draw_seed
from ._calibration import calibrate_thresholds, check_can_calibrate


class EmbeddingAnnotator(BaseEstimator):
    """Annotate a text with a hypothesis if their embeddings are near.

    Statement and text are embedded by the same model, and the text has the concept
    if their cosine similarity is at least the threshold (or their Euclidean distance
    at most). Of a lexicon, the terms are embedded without the words "mentions any
    of".

    Parameters
    ----------
    embedder : TextEmbedder or None, default=None
        An unfitted embedder; it is cloned and fitted on the training texts. None:
        LSA. With the `cache` folder of the pipeline's first step, no text is encoded
        twice.

    metric : {"cosine", "euclidean"}, default="cosine"
        Similarity or distance.

    threshold : float or "auto", default="auto"
        A number is the published rule, one for all hypotheses: a similarity between
        -1 and 1, or a distance. "auto" calibrates one per hypothesis: the value at
        which the annotation correlates best with the neuron being active, over the
        training texts. The target takes no part.

    fallback : {"nearest"} or None, default=None
        "nearest": where no text of a batch is near enough to a statement, the nearest
        one is annotated all the same. It makes a text's answer depend on the texts
        beside it, and exists to reproduce published figures only.

    Attributes
    ----------
    embedder_ : TextEmbedder
        The fitted embedder.

    thresholds_ : ndarray of shape (n_hypotheses,)
        The threshold of each hypothesis.

    See Also
    --------
    LexiconAnnotator : Annotates exactly, by looking for terms.

    References
    ----------
    Movva, Peng, Garg, Kleinberg and Pierson 2025 (arXiv 2502.04382), for the method
    whose annotation by a language model this replaces.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import EmbeddingAnnotator, Hypothesis
    >>> texts = ["thanks a lot", "many thanks", "so tired today", "tired and sad"] * 5
    >>> thanks = Hypothesis("expresses thanks", "neuron017")
    >>> active = np.array([[1.0], [1.0], [0.0], [0.0]] * 5)
    >>> annotator = EmbeddingAnnotator().fit(
    ...     texts, [thanks], active, random_state=np.random.RandomState(0)
    ... )
    >>> annotator.annotate(["thanks !", "tired"])
    array([[1.],
           [0.]])
    """

    _parameter_constraints = {
        "embedder": [HasMethods(["fit", "transform"]), None],
        "metric": [StrOptions({"cosine", "euclidean"})],
        "threshold": [
            Interval(Real, None, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "fallback": [StrOptions({"nearest"}), None],
    }

    def __init__(
        self, embedder=None, *, metric="cosine", threshold="auto", fallback=None
    ):
        self.embedder = embedder
        self.metric = metric
        self.threshold = threshold
        self.fallback = fallback

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        """Embed the statements and find the thresholds.

        Parameters
        ----------
        texts : sequence of str of length n_texts
            The training texts.
        hypotheses : sequence of Hypothesis
            What to look for.
        activations : ndarray of shape (n_texts, n_hypotheses), default=None
            Of the neurons described; needed for `threshold="auto"`.
        random_state : RandomState, default=None
            Seeds an embedder that has no seed of its own.

        Returns
        -------
        self : EmbeddingAnnotator
            Ready to annotate.
        """
        self._validate_params()
        check_can_calibrate(self.threshold, activations, caller=type(self).__name__)
        embedder = TextEmbedder() if self.embedder is None else clone(self.embedder)
        seed = None if random_state is None else draw_seed(random_state)
        if embedder.get_params(deep=False).get("random_state", 0) is None:
            embedder.set_params(random_state=seed)
        statements = [
            ", ".join(map(write_term, h.terms)) or h.statement for h in hypotheses
        ]
        self.embedder_ = embedder
        if self.threshold == "auto":
            embeddings = np.asarray(embedder.fit_transform(texts))
            self._statements = np.asarray(embedder.transform(statements))
            self.thresholds_ = self._calibrate(embeddings, activations)
        else:
            self._statements = np.asarray(embedder.fit(texts).transform(statements))
            self.thresholds_ = np.full(len(hypotheses), float(self.threshold))
        return self

    def _calibrate(self, embeddings, activations):
        """Find, for every statement, the threshold that agrees best with its neuron."""
        worded = embeddings.any(axis=1)  # a zero vector is near to nothing
        nearness = self._nearness(embeddings[worded])
        return self._sign * calibrate_thresholds(nearness, activations[worded])

    @property
    def _sign(self):
        return 1.0 if self.metric == "cosine" else -1.0  # distance is negative nearness

    @on_one_thread()
    def _nearness(self, embeddings):
        """Return how near every text is to every statement; larger is nearer.

        A text without any known word has a zero vector, which would be nearer to
        every statement than an unrelated text is; it is infinitely far instead.
        """
        if self.metric == "cosine":
            nearness = cosine_similarity(embeddings, self._statements)
        else:
            nearness = -euclidean_distances(embeddings, self._statements)
        nearness[~embeddings.any(axis=1)] = -np.inf
        return nearness

    def annotate(self, texts):
        """Embed texts and see which statements are near.

        Parameters
        ----------
        texts : sequence of str
            Any texts.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            1.0 or 0.0, never NaN.
        """
        check_is_fitted(self, "thresholds_")
        nearness = self._measure(texts)
        annotations = (nearness >= self._sign * self.thresholds_).astype(np.float64)
        if self.fallback == "nearest":
            empty = np.flatnonzero(annotations.sum(axis=0) == 0)
            annotations[nearness[:, empty].argmax(axis=0), empty] = 1.0
        return annotations

    def decision_function(self, texts, where=None):
        """Return how far each text is on the side of yes.

        Parameters
        ----------
        texts : sequence of str
            Any texts.
        where : ndarray of bool of shape (n_texts, n_hypotheses), default=None
            Which cells are wanted. None: all.

        Returns
        -------
        margins : ndarray of shape (n_texts, n_hypotheses)
            Similarity minus threshold, or threshold minus distance: yes from 0 on.
            -inf for texts without a known word, and where no threshold was found;
            NaN where `where` is False.
        """
        check_is_fitted(self, "thresholds_")
        margins = self._measure(texts) - self._sign * self.thresholds_
        return margins if where is None else np.where(where, margins, np.nan)

    def _measure(self, texts):
        return self._nearness(np.asarray(self.embedder_.transform(texts)))
