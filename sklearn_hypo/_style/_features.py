"""`StyleFeatures`: how texts are written, as columns beside the neurons."""

from sklearn.base import TransformerMixin

from .._utils._base import HypoEstimator
from .._utils._languages import looks_english
from .._utils._validation import StrOptions, _fit_context
from ._measures import MEASURE_NAMES, OF_ENGLISH, measure_texts, scale_measures
from ._statements import PREFIX
from ._text_columns import TextColumnsMixin


class StyleFeatures(TextColumnsMixin, TransformerMixin, HypoEstimator):
    r"""Measure how texts are written: length, function words, punctuation, capitals.

    What embeddings hardly see, and neurons therefore do not carry. Every measure
    :math:`m_i \geq 0` of a text :math:`i` is a count, an average or a rate per 100
    words. Its column holds :math:`\log(1 + m_i)`, since counts and rates of texts are
    skewed; only "reading_ease", which is not, stays as it is. No measure is learnt,
    from texts or from a target.

    As columns they are selected like neurons, and `HypothesisExtractor` puts each into
    words of its own, such as "is longer than 48 words" or "asks (contains a question
    mark)", which are checked exactly.

    Parameters
    ----------
    measures : "all" or list of str, default="all"
        Which measures; see Notes. "all": of texts that are not English, those that
        hold for any language.

    passthrough : bool, default=False
        Whether the columns of X come first, so that it is a step of a pipeline
        between the autoencoder and the selection. X then has to be a text-labelled
        frame.

    Attributes
    ----------
    measures_ : list of str
        The measures, in the order of their columns.

    n_features_in_ : int
        Number of columns seen in `fit`; with `passthrough` only.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names; with `passthrough` only.

    See Also
    --------
    NeuronSelector : Selects among neurons and measures.
    HypothesisExtractor : Puts both into words.

    Notes
    -----
    Words are tokens that begin with a letter or a digit; characters of scripts that
    are written without blanks are words each. The measures:

    - length: "words", "sentences" (as `split_documents` finds them: a full stop before
      a small letter ends none), "words_per_sentence", "characters_per_word";
      "repeated_words", the words in 100 that stood among the 25 before;
      "reading_ease", Flesch's score [1]_
      :math:`206.835 - 1.015\,w/s - 84.6\,l/w` for w words, s sentences and l
      syllables (groups of vowels, less a silent "e"), 0 where it is negative;
    - function words, in 100 words [2]_: "first_person_singular",
      "first_person_plural", "second_person", "third_person", "negations",
      "question_words", "past_tense", "present_tense", "future_tense", "hedges",
      "certainty", "quantifiers", "superlatives", "articles", "prepositions" and
      "conjunctions". Short lists of English words, written for this package; tenses
      and superlatives are rough, since they go by frequent forms and by endings;
    - signs, per 100 words: "exclamation_marks", "question_marks", "commas", "quotes",
      "ellipses", "emoticons" (and emoji), "numbers", "links", "mentions" (@name),
      "hashtags", "capital_words" (of two letters or more); and "capital_letters", in
      per cent of the letters.

    Reading ease and function words are about English. All others hold for any
    language. Texts are taken for English unless most of their letters are not Latin,
    or, of 200 words and more, fewer than 4 % are among eleven that make up a seventh of
    English, such as "the" and "to". In scripts that are written without blanks, words
    are characters with their marks.

    References
    ----------
    .. [1] Flesch 1948, "A new readability yardstick", Journal of Applied Psychology
       32(3), 221-233.
    .. [2] Chung and Pennebaker 2007, "The psychological functions of function words",
       in Fiedler (ed.), Social Communication, 343-359.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import StyleFeatures
    >>> style = StyleFeatures(["words", "question_marks"])
    >>> frame = style.fit_transform(["Where are you?", "I am so sad today"])
    >>> np.expm1(frame).round()
                       style_words  style_question_marks
    text
    Where are you?             3.0                  33.0
    I am so sad today          5.0                   0.0

    Beside an autoencoder:

    >>> from sklearn.pipeline import FeatureUnion
    >>> from sklearn_hypo import SparseAutoencoderTransformer
    >>> both = FeatureUnion(
    ...     [("neurons", SparseAutoencoderTransformer()), ("style", StyleFeatures())]
    ... ).set_output(transform="pandas")
    """

    _parameter_constraints = {
        "measures": [StrOptions({"all"}), "array-like"],
        "passthrough": ["boolean"],
    }

    def __init__(self, measures="all", *, passthrough=False):
        self.measures = measures
        self.passthrough = passthrough

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the texts; there is nothing to learn.

        Parameters
        ----------
        X : list, array, Series or one-column frame of str; or text-labelled frame
            The texts, or a frame whose index is named "text" and holds them.
        y : None
            Ignored.

        Returns
        -------
        self : StyleFeatures
            Ready.

        Raises
        ------
        NotTextLabelledError
            A TypeError, with `passthrough` if the rows do not carry their texts.
        TypeError
            For a bare string, and for elements that are not texts.
        ValueError
            For no texts, missing texts, several columns without texts, and measures
            that do not exist.
        """
        context = self._init_callback_context()
        context.call_on_fit_task_begin(estimator=self, X=X)
        texts = self._read_texts(X, reset=True)
        self.measures_ = self._list_measures(texts)
        context.call_on_fit_task_end(estimator=self, X=X)
        return self

    def _describe(self, distinct):
        return scale_measures(measure_texts(distinct, self.measures_), self.measures_)

    def _list_measures(self, texts):
        if isinstance(self.measures, str):  # "all"
            english = looks_english(texts)
            return [n for n in MEASURE_NAMES if english or n not in OF_ENGLISH]
        names = [str(name) for name in self.measures]
        unknown = [name for name in names if name not in MEASURE_NAMES]
        if unknown or not names or len(set(names)) < len(names):
            what = f"does not know {unknown}" if unknown else f"got measures={names}"
            raise ValueError(
                f"StyleFeatures {what}. Give distinct names of these: "
                f"{', '.join(MEASURE_NAMES)}; or 'all'."
            )
        return names

    def _name_columns(self):
        return [PREFIX + name for name in self.measures_]

    def __sklearn_is_fitted__(self):
        return hasattr(self, "measures_")
