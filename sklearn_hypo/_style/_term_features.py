"""`TermFeatures`: frequent words and pairs of words, as columns beside the neurons."""

from numbers import Integral

import numpy as np
from sklearn.base import TransformerMixin

from .._utils._base import HypoEstimator
from .._utils._progress import show_progress
from .._utils._terms import find_vocabulary, mark_terms
from .._utils._validation import Interval, StrOptions, _fit_context
from ._text_columns import TextColumnsMixin

# How columns of `TermFeatures` are called.
PREFIX = "term_"

# "auto": so many columns, but of many texts no more than have so many cells (80 MB).
_MOST = 1000
_MOST_CELLS = 20_000_000

# "auto": so large a share of the texts, and so many, have a term, and as many lack it.
_LEAST_SHARE = 0.005
_FEWEST = 3


class TermFeatures(TextColumnsMixin, TransformerMixin, HypoEstimator):
    """Mark which texts contain which frequent word or pair of words.

    A neuron is a concept of many words. Where one word or turn of phrase tells more
    than any concept (function words, names, formulas), or where texts are too few for
    an autoencoder to learn the concept, the word itself is the better hypothesis. The
    columns hold 1 where a text contains a term and 0 elsewhere. Which terms there are
    is decided by how many texts contain them, never by a target.

    As columns they are selected like neurons, and `HypothesisExtractor` puts each into
    words of its own, such as "mentions please", which are checked exactly.

    Parameters
    ----------
    max_features : int or "auto", default="auto"
        The most terms: those in most texts. "auto": 1,000, or so many that the table
        has no more than 20 million cells.

    max_words : int, default=2
        Longest term, in words.

    min_df : int or "auto", default="auto"
        Texts that must contain a term, and as many must not. "auto": 3, or 0.5 % of
        the texts if that is more.

    tokenizer : str or callable, default="auto"
        How texts are cut into words; see `TextEmbedder`.

    passthrough : bool, default=False
        Whether the columns of X come first, so that it is a step of a pipeline
        between the autoencoder and the selection. X then has to be a text-labelled
        frame.

    Attributes
    ----------
    terms_ : ndarray of shape (n_terms,) and dtype object
        The terms, in alphabetical order: words, emoticons, "!" and "?", in lower case.
        Empty if none is frequent enough.

    n_features_in_ : int
        Number of columns seen in `fit`; with `passthrough` only.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names; with `passthrough` only.

    See Also
    --------
    StyleFeatures : How texts are written, as columns.
    NeuronSelector : Selects among neurons and terms.

    Examples
    --------
    >>> from sklearn_hypo import TermFeatures
    >>> texts = ["So sad today", "so happy!", "Happy and sad", "so what?"]
    >>> TermFeatures(min_df=2).fit_transform(texts)
                   term_happy  term_sad
    text
    So sad today          0.0       1.0
    so happy!             1.0       0.0
    Happy and sad         1.0       1.0
    so what?              0.0       0.0
    """

    _parameter_constraints = {
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "max_words": [Interval(Integral, 1, 5, closed="both")],
        "min_df": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "tokenizer": [str, callable],
        "passthrough": ["boolean"],
    }

    def __init__(
        self,
        max_features="auto",
        *,
        max_words=2,
        min_df="auto",
        tokenizer="auto",
        passthrough=False,
    ):
        self.max_features = max_features
        self.max_words = max_words
        self.min_df = min_df
        self.tokenizer = tokenizer
        self.passthrough = passthrough

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the frequent terms.

        Parameters
        ----------
        X : list, array, Series or one-column frame of str; or text-labelled frame
            The texts, or a frame whose index is named "text" and holds them. Equal
            texts count once each time they occur.
        y : None
            Ignored.

        Returns
        -------
        self : TermFeatures
            Fitted.

        Raises
        ------
        NotTextLabelledError
            A TypeError, with `passthrough` if the rows do not carry their texts.
        TypeError
            For a bare string, and for elements that are not texts.
        ValueError
            For no texts, missing texts, and several columns without texts.
        """
        context = self._init_callback_context()
        context.call_on_fit_task_begin(estimator=self, X=X)
        texts = self._read_texts(X, reset=True)
        fewest, most = self._choose_limits(len(texts))
        with show_progress("Finding terms", estimator=self):
            presence, terms = find_vocabulary(
                texts, n_max=self.max_words, min_df=fewest, tokenizer=self.tokenizer
            )
        n_texts = np.bincount(presence.indices, minlength=len(terms))
        usable = np.flatnonzero(n_texts <= len(texts) - fewest)
        order = np.argsort(-n_texts[usable], kind="stable")
        self.terms_ = terms[np.sort(usable[order[:most]])]
        context.call_on_fit_task_end(estimator=self, X=X)
        return self

    def _choose_limits(self, n_texts):
        """Return the fewest texts with a term, and the most terms."""
        fewest, most = self.min_df, self.max_features
        if fewest == "auto":
            fewest = max(_FEWEST, round(_LEAST_SHARE * n_texts))
        if most == "auto":
            most = max(1, min(_MOST, _MOST_CELLS // n_texts))
        return fewest, most

    def _describe(self, distinct):
        return mark_terms(distinct, self.terms_, self.tokenizer).toarray()

    def _name_columns(self):
        return [PREFIX + term for term in self.terms_]

    def __sklearn_is_fitted__(self):
        return hasattr(self, "terms_")


def read_term(column):
    """Return the term that a column of `TermFeatures` is about, or "".

    Parameters
    ----------
    column : str
        A column's name, also behind the prefix of a `FeatureUnion`.

    Returns
    -------
    term : str
        Empty for other columns.

    Examples
    --------
    >>> from sklearn_hypo._style._term_features import read_term
    >>> [read_term(c) for c in ("term_so sad", "x__term_:(", "neuron003")]
    ['so sad', ':(', '']
    """
    name = str(column)
    if name.startswith(PREFIX):
        return name.removeprefix(PREFIX)
    return name.partition(f"__{PREFIX}")[2]
