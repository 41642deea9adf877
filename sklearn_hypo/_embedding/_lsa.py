"""Latent semantic analysis: the default encoder, offline and quick."""

from functools import partial

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.utils.extmath import randomized_svd

from .._utils._stems import abbreviate
from .._utils._threads import on_one_thread
from .._utils._tokenizers import get_tokenizer, warn_of_missing_words
from .._utils._tokens import has_unspaced, make_ngrams
from ._encoder import Encoder

# Terms beyond the most frequent ones cost time and hardly move the leading
# directions; for long documents the pairs would run into millions.
MAX_TERMS = 20_000
# Pairs and beginnings repeat what the words say, so together they get about the
# energy of one word. Tuned, with the minimal document frequency, on the validation
# rows of the tweets and by cross-validation on reviews, SMS messages and bills.
EXTRA_WEIGHT = 0.7
N_ITER = 4
_MARK = "~"


def lsa_terms(text, tokenizer="auto"):
    """List the terms of a text: words, pairs of words, beginnings of long words."""
    tokens = get_tokenizer(tokenizer).tokenize(text)
    beginnings = [short + _MARK for short in map(abbreviate, tokens) if short]
    return make_ngrams(tokens, 2) + beginnings


def choose_min_document_frequency(n_texts):
    """Return in how many texts a term must occur: few in few texts, 5 in 1,000."""
    for frequency, below in ((1, 20), (2, 100), (3, 1000)):
        if n_texts < below:
            return frequency
    return 5


class LsaEncoder(Encoder):
    """Sublinear TF-IDF of words and pairs of words, projected by a truncated SVD.

    Attributes
    ----------
    vectorizer_ : CountVectorizer
        Counts the terms; its `vocabulary_` lists them.
    tfidf_ : TfidfTransformer
        Weighs them.
    components_ : ndarray of shape (n_components, n_terms)
        The right singular vectors of the weighted counts; fewer than were asked for
        where the texts have fewer.
    """

    learns = True
    name = label = "lsa"

    def __init__(self, n_components, tokenizer="auto"):
        self.n_components = n_components
        self.tokenizer = tokenizer

    @on_one_thread()
    def fit_encode(self, texts, seed):
        """Learn terms, weights and directions; return the projected texts."""
        counts = self._fit_counts(texts)
        counts.sort_indices()  # so that sums are rounded as they are in `encode`
        self.tfidf_ = TfidfTransformer(sublinear_tf=True).fit(counts)
        self.tfidf_.idf_ *= self._term_weights()
        weighted = self.tfidf_.transform(counts)
        _, _, components = randomized_svd(
            weighted,
            n_components=min(self.n_components, *weighted.shape),
            n_iter=N_ITER,
            random_state=seed,
        )
        self.components_ = np.ascontiguousarray(components, dtype=np.float32)
        return weighted @ self.components_.T

    @on_one_thread()
    def encode(self, texts):
        """Project texts; one without a known term becomes a zero vector."""
        counts = self.vectorizer_.transform(texts)
        return self.tfidf_.transform(counts) @ self.components_.T

    def _fit_counts(self, texts):
        warn_of_missing_words(texts, self.tokenizer)
        tokenizer = get_tokenizer(self.tokenizer)
        frequencies = dict.fromkeys((choose_min_document_frequency(len(texts)), 1))
        for frequency in frequencies:
            self.vectorizer_ = CountVectorizer(
                analyzer=partial(lsa_terms, tokenizer=tokenizer),
                min_df=frequency,
                max_features=MAX_TERMS,
                dtype=np.float32,
            )
            try:
                return self.vectorizer_.fit_transform(texts)
            except ValueError as error:  # no term is frequent enough, or there is none
                reason = error
        raise ValueError(
            f"TextEmbedder(model='lsa') found no word in any of the {len(texts)} "
            "distinct texts that are not blank; there is nothing to learn from."
        ) from reason

    def _term_weights(self):
        terms = self.vectorizer_.get_feature_names_out()
        extra = [_is_extra(term) for term in terms]
        return np.where(extra, EXTRA_WEIGHT, 1.0).astype(np.float32)


def _is_extra(term):
    """Tell whether a term repeats what others say.

    Of characters without blanks between them, the pair is the word.
    """
    return term.endswith(_MARK) or (" " in term and not has_unspaced(term))
