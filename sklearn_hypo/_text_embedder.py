"""The first step: texts become rows of numbers that still know their texts."""

import contextlib
import os
import warnings
from numbers import Integral

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._base import HypoEstimator
from ._cache import VectorStore
from ._encoders import make_encoder
from ._encoders._batches import (
    check_reply,
    check_width,
    encodable,
    encode_fixed,
    no_task,
    unit_rows,
)
from ._frames import text_frame
from ._validation import (
    HasMethods,
    Interval,
    _fit_context,
    check_texts,
    random_seed,
)
from .exceptions import HypothesisWarning


class TextEmbedder(TransformerMixin, HypoEstimator):
    r"""Turn texts into dense embeddings, in a frame whose index holds the texts.

    The default model needs no download: latent semantic analysis [1]_. Let
    :math:`c_{ij}` be how often term :math:`j` occurs in text :math:`i`, and
    :math:`\mathrm{df}_j` in how many of the :math:`n` training texts it occurs. With

    .. math:: x_{ij} = w_j (1 + \log c_{ij})
              \left(1 + \log \tfrac{1 + n}{1 + \mathrm{df}_j}\right)

    (0 where :math:`c_{ij} = 0`), rows scaled to unit length, and :math:`V` the
    leading right singular vectors of the training matrix, the embedding of a text is
    the row :math:`x V`, again scaled to unit length. Terms are words (emoticons, "!"
    and "?" among them), pairs of words, and the first four characters of longer
    words, which stand in for a stemmer; words have weight :math:`w_j = 1`, the
    others 0.7. The terms must occur in 1 to 5 training texts, depending on their
    number, and at most the 20,000 most frequent are kept.

    Parameters
    ----------
    model : str, path, callable or scikit-learn transformer, default="lsa"
        Where the embeddings come from:

        - "lsa": as above, learnt from the training texts;
        - a name on the Hugging Face hub or a local folder: a model of
          sentence-transformers [2]_;
        - a callable from a list of str to an array of shape (n_texts, n_features);
        - an unfitted scikit-learn transformer of texts, of which a clone is fitted
          on the distinct training texts (y is not passed on).
    n_components : int, default=384
        Number of features for "lsa"; quietly fewer where there are fewer training
        texts or terms. Other models ignore it.
    prompt : str or None, default=None
        Put before every text for a sentence-transformers model or a callable, such
        as "clustering: ". None leaves it to the configuration of the model.
    batch_size : int, default=64
        Number of texts per call of a fixed model, and per commit to the cache.
        Texts of like length share a batch.
    normalize : bool, default=True
        Whether to scale embeddings to unit length.
    device : str, default="auto"
        For sentence-transformers: "auto" takes a GPU if there is one; else what
        torch calls a device, such as "cpu" or "cuda:1".
    cache : str, path or None, default=None
        Folder on a local disk where the embeddings of fixed models are kept for
        good, shared by folds, candidates, threads and processes: no text is encoded
        twice. The key is the model with its version, the prompt, `normalize`, and
        the full text. What "lsa" and scikit-learn transformers give depends on
        their training texts and is not cached.
    random_state : int, RandomState instance or None, default=None
        Seed of the randomised SVD of "lsa", and of every `random_state` that a
        scikit-learn transformer leaves open.

    Attributes
    ----------
    n_features_out_ : int
        Number of features of an embedding.
    encoder_ : object
        The fitted encoder. For "lsa" it holds `components_`, an array of shape
        (n_features_out_, n_terms), and `vectorizer_` with its `vocabulary_`. It
        never holds the weights of a pretrained model.

    See Also
    --------
    SparseAutoencoderTransformer : The step that takes the embeddings.

    Notes
    -----
    The output is float32. Empty and whitespace-only texts are warned about, become
    zero vectors, and no model sees them; so does, with "lsa", a text without any
    known term. Each distinct text is encoded once per call.

    With a fixed model, `fit` encodes one text, to learn the width, while
    `fit_transform` encodes all. Lone surrogates reach a model as U+FFFD.

    The weights of a sentence-transformers model stay with the process: clone,
    pickle and the HTML representation cost nothing.

    References
    ----------
    .. [1] Deerwester, Dumais, Furnas, Landauer and Harshman (1990). Indexing by
       latent semantic analysis. Journal of the American Society for Information
       Science 41(6).
    .. [2] Reimers and Gurevych (2019). Sentence-BERT: Sentence embeddings using
       Siamese BERT-networks. arXiv 1908.10084.

    Examples
    --------
    >>> from sklearn_hypo import TextEmbedder
    >>> texts = ["so sad :(", "I am so sad", "happy days!", "what happy news!"]
    >>> embedder = TextEmbedder(n_components=2, random_state=0)
    >>> frame = embedder.fit_transform(texts)
    >>> similarity = frame.to_numpy() @ frame.to_numpy().T
    >>> abs(similarity).round(2)
    array([[1., 1., 0., 0.],
           [1., 1., 0., 0.],
           [0., 0., 1., 1.],
           [0., 0., 1., 1.]], dtype=float32)
    >>> frame.index.name
    'text'
    """

    _parameter_constraints = {
        "model": [str, os.PathLike, callable, HasMethods(["fit", "transform"])],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "prompt": [str, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "normalize": ["boolean"],
        "device": [str],
        "cache": [str, os.PathLike, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        model="lsa",
        *,
        n_components=384,
        prompt=None,
        batch_size=64,
        normalize=True,
        device="auto",
        cache=None,
        random_state=None,
    ):
        self.model = model
        self.n_components = n_components
        self.prompt = prompt
        self.batch_size = batch_size
        self.normalize = normalize
        self.device = device
        self.cache = cache
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn from texts; for a fixed model, learn how wide its embeddings are.

        Parameters
        ----------
        X : list, tuple, array, Series or one-column frame of str
            The texts.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted embedder.

        Raises
        ------
        TypeError
            For a bare string, and for elements that are not texts.
        ValueError
            For no texts, missing texts, several columns, only blank texts, a model
            that does not exist, and embeddings that are not finite numbers, one row
            per text.
        CacheError
            If the cache folder cannot be used.
        """
        self._fit(_Texts(X), encode_all=False)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
        """Learn from texts and embed them, encoding each distinct text once.

        Parameters
        ----------
        X : list, tuple, array, Series or one-column frame of str
            The texts.
        y : None
            Ignored.

        Returns
        -------
        embeddings : DataFrame of shape (n_samples, n_features_out_), dtype float32
            As `transform` returns them.

        Raises
        ------
        TypeError, ValueError, CacheError
            As `fit` does.
        """
        texts = _Texts(X)
        return self._frame(texts, self._fit(texts, encode_all=True))

    def transform(self, X):
        """Embed texts.

        Parameters
        ----------
        X : list, tuple, array, Series or one-column frame of str
            The texts.

        Returns
        -------
        embeddings : DataFrame of shape (n_samples, n_features_out_), dtype float32
            The index is named "text" and holds the texts.

        Raises
        ------
        TypeError, ValueError, CacheError
            As `fit` does.
        """
        check_is_fitted(self)
        texts = _Texts(X)
        if not texts.distinct:
            return self._frame(texts, np.empty((0, self.n_features_out_)))
        values = self._encode(self.encoder_, texts.distinct)
        check_width(values, self.n_features_out_, self.encoder_.name)
        return self._frame(texts, values)

    def get_feature_names_out(self, input_features=None):
        """Name the features: "embedding000" and so on.

        Parameters
        ----------
        input_features : None
            Ignored: texts have no feature names.

        Returns
        -------
        names : ndarray of shape (n_features_out_,), dtype object
            The names, padded with zeros so that they sort.
        """
        check_is_fitted(self)
        digits = max(3, len(str(self.n_features_out_ - 1)))
        names = [f"embedding{i:0{digits}d}" for i in range(self.n_features_out_)]
        return np.asarray(names, dtype=object)

    def _fit(self, texts, *, encode_all):
        """Fit an encoder; return the embeddings of the distinct texts it encoded."""
        encoder = self._make_encoder()
        context = self._init_callback_context(
            max_subtasks=0 if encoder.learns else None
        )
        context.call_on_fit_task_begin(estimator=self, X=texts.all)
        if not texts.distinct:
            raise ValueError(
                "TextEmbedder: all texts are empty or hold only whitespace; there is "
                "nothing to learn from."
            )
        if encoder.learns:
            values = self._fit_learner(encoder, texts.distinct)
        else:
            wanted = texts.distinct if encode_all else texts.distinct[:1]
            values = self._encode(encoder, wanted, lambda: _batch_task(self, context))
        self.encoder_ = encoder
        self.n_features_out_ = values.shape[1]
        context.call_on_fit_task_end(
            estimator=self, X=texts.all, reconstruction_attributes={}
        )
        return values

    def _make_encoder(self):
        return make_encoder(
            self.model,
            n_components=self.n_components,
            prompt=self.prompt,
            device=self.device,
        )

    def _fit_learner(self, encoder, distinct):
        seed = random_seed(check_random_state(self.random_state))
        reply = encoder.fit_encode(encodable(distinct), seed)
        return self._finish(check_reply(reply, len(distinct), encoder.name))

    def _encode(self, encoder, distinct, task=no_task):
        if encoder.learns:
            reply = encoder.encode(encodable(distinct))
            return self._finish(check_reply(reply, len(distinct), encoder.name))
        return encode_fixed(
            encoder,
            distinct,
            batch_size=self.batch_size,
            normalize=self.normalize,
            store=self._store(encoder),
            task=task,
        )

    def _finish(self, values):
        return unit_rows(values) if self.normalize else values

    def _store(self, encoder):
        if self.cache is None:
            return None
        identity = encoder.identity() | {"normalize": bool(self.normalize)}
        return VectorStore(self.cache, identity)

    def _frame(self, texts, values):
        rows = texts.scatter(values, self.n_features_out_)
        return text_frame(rows, texts.all, self.get_feature_names_out())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags


class _Texts:
    """Validated texts, and the distinct ones among them that are not blank."""

    def __init__(self, X):
        self.all = check_texts(X, caller="TextEmbedder")
        places = {}
        self._place = np.array(
            [
                places.setdefault(text, len(places)) if text.strip() else -1
                for text in self.all
            ]
        )
        self.distinct = list(places)
        self._warn_of_blanks()

    def _warn_of_blanks(self):
        n_blank = int((self._place < 0).sum())
        if n_blank:
            warnings.warn(
                f"{n_blank} of {len(self.all)} texts are empty or hold only "
                "whitespace. They become zero vectors.",
                HypothesisWarning,
                stacklevel=5,
            )

    def scatter(self, values, width):
        """Give every text the row of its distinct text; blanks get zeros."""
        rows = np.zeros((len(self.all), width), dtype=np.float32)
        filled = self._place >= 0
        rows[filled] = values[self._place[filled]]
        return rows


@contextlib.contextmanager
def _batch_task(estimator, context):
    """Tell the callbacks of one batch. A wish to stop is not granted half-way."""
    task = context.subcontext(task_name="batch")
    task.call_on_fit_task_begin(estimator=estimator)
    yield
    task.call_on_fit_task_end(estimator=estimator)
