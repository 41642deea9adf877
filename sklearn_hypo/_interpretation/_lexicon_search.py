"""The search for the dictionaries of neurons: once on all texts, and without some.

What is fitted on some texts is compared with the activations of others; no target is
seen.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import KFold, ShuffleSplit

from .._hypotheses._fidelity import Fidelity
from .._utils._tokenizers import RuleTokenizer, get_tokenizer
from .._utils._tokens import has_unspaced, make_ngrams, write_term
from ._concept_strength import measure_strength
from ._dictionary import (
    add_helpful,
    choose_any,
    choose_rate,
    drop_harmful,
    fit_term_weights,
    standardize,
)

# Of "any", a term in more than this share of the texts says little about any of them.
_COMMON = 0.5

# How much the presence of several words in a row counts beside that of one.
_NGRAM_WEIGHT = 0.5

# By so much, in units of correlation, a dictionary e times as long has to be better.
# Rates of long lists agree well with anything: "of, the, for" in many texts.
_PENALTIES = {"any": 0.005, "rate": 0.02}

# A term is added for what it alone adds: so many standard errors of a correlation of 0,
# in so many texts.
_MIN_GAIN = 0.2
_MIN_NEW = 3

# Fidelity is cross-validated: in five parts or, of more texts than this, in one fifth.
_MANY_TEXTS = 5_000
_N_PARTS = 5


class Lexicon(NamedTuple):
    """A dictionary: its terms by number, their weights, and when it marks a text.

    Parameters
    ----------
    terms, weights : ndarray of shape (n_terms,)
        Those that texts have first, the heaviest first.
    threshold : float
        A text with more than so many terms in 100 words is marked.
    """

    terms: np.ndarray
    weights: np.ndarray
    threshold: float


@dataclass(frozen=True)
class Corpus:
    """Texts, terms that they may contain, and embeddings of both.

    Parameters
    ----------
    counts : CSR array of shape (n_texts, n_terms)
        How often a text has a term.
    lengths : ndarray of int of shape (n_texts,)
        Tokens of each text.
    terms : ndarray of shape (n_terms,) and dtype object
        Those in texts first, then words that no text contains.
    vectors : ndarray of shape (n_texts, n_features) or None
        Embeddings of the texts.
    words : ndarray of int
        The terms that were embedded.
    word_vectors : ndarray of shape (len(words), n_features) or None
        Their embeddings.
    by_character : bool
        Whether the tokens of scripts without blanks are characters.
    """

    counts: sparse.csr_array
    lengths: np.ndarray
    terms: np.ndarray
    vectors: np.ndarray | None = None
    words: np.ndarray | None = None
    word_vectors: np.ndarray | None = None
    by_character: bool = False

    @cached_property
    def presence(self):
        """1 where a text has a term."""
        return (self.counts > 0).astype(np.float64)

    @cached_property
    def by_term(self):
        """The same, quick to cut into terms."""
        return self.presence.tocsc()

    @cached_property
    def is_word(self):
        """Whether a term is a single token."""
        return np.array([" " not in term for term in self.terms], dtype=bool)

    @cached_property
    def says_itself(self):
        """Whether a term is a word, not several, nor a part of one.

        Where tokens are the characters of a script without blanks, two of them are.
        """
        if not self.by_character:
            return self.is_word
        n_tokens = np.array([term.count(" ") + 1 for term in self.terms])
        unspaced = np.array([has_unspaced(term) for term in self.terms], dtype=bool)
        return n_tokens == np.where(unspaced, 2, 1)


def average_equal_texts(texts, activations):
    """Return the distinct texts, and the mean activations of each."""
    code, distinct = pd.factorize(texts)
    member = sparse.csr_array((np.ones(len(code)), (code, np.arange(len(code)))))
    means = (member @ np.asarray(activations, np.float64)) / np.bincount(code)[:, None]
    return distinct, means


def index_texts(texts, *, n_max, min_df, tokenizer="auto"):
    """Count the n-grams of texts; return a `Corpus` without embeddings."""
    tokenizer = get_tokenizer(tokenizer)
    tokenize = tokenizer.tokenize
    vectorizer = CountVectorizer(
        analyzer=lambda text: make_ngrams(tokenize(text), n_max),
        min_df=min(min_df, len(texts)),
        dtype=np.float64,
    )
    try:
        counts = sparse.csr_array(vectorizer.fit_transform(texts))
        terms = vectorizer.get_feature_names_out()
    except ValueError:  # scikit-learn's way to say that no term is left
        counts, terms = sparse.csr_array((len(texts), 0)), np.empty(0, object)
    lengths = np.array([len(tokenize(text)) for text in texts])
    by_character = tokenizer == RuleTokenizer("characters")
    return Corpus(counts, np.maximum(lengths, 1), terms, by_character=by_character)


def add_embeddings(corpus, embedder, max_words):
    """Return the corpus with embeddings of its texts and words, and further words.

    Parameters
    ----------
    corpus : Corpus
        Without embeddings.
    embedder : WordEmbedder
        Has embedded the texts, and embeds single words.
    max_words : int
        Most words: those of the texts, the most frequent first, then others.
    """
    frequency = np.asarray(corpus.presence.sum(axis=0)).ravel()
    own = np.flatnonzero(corpus.says_itself)
    own = own[np.argsort(-frequency[own], kind="stable")][:max_words]
    seen = set(corpus.terms.tolist())
    more = [word for word in embedder.list_known_words() if word not in seen]
    more = np.array(more[: max_words - len(own)], dtype=object)
    n_texts, n_terms = corpus.counts.shape
    counts = sparse.hstack(
        [corpus.counts, sparse.csr_array((n_texts, len(more)))], format="csr"
    )
    words = np.concatenate([own, n_terms + np.arange(len(more))])
    terms = np.concatenate([corpus.terms, more])
    written = list(map(write_term, terms[words]))
    return replace(
        corpus,
        counts=sparse.csr_array(counts),
        terms=terms,
        vectors=embedder.texts,
        words=words,
        word_vectors=embedder.embed_words(written),
    )


def find_lexicons(corpus, activations, rows, *, form, max_terms, shrinkage):
    """Find the dictionary of every neuron on some of the texts.

    Parameters
    ----------
    corpus : Corpus
        All texts.
    activations : ndarray of shape (n_texts, n_neurons)
        Theirs.
    rows : ndarray of int
        The texts to look at.
    form : {"any", "rate"}
        When a dictionary marks a text.
    max_terms : int
        Of one dictionary.
    shrinkage : float
        See `fit_term_weights`.

    Returns
    -------
    lexicons : list of Lexicon
        One per neuron.
    """
    prior = np.zeros((len(corpus.terms), activations.shape[1]))
    if corpus.vectors is None:
        strength = standardize(activations[rows])
    else:
        strength, prior[corpus.words] = measure_strength(
            corpus.vectors, corpus.word_vectors, activations, rows=rows
        )
    presence = corpus.presence[rows]
    if form == "any":
        share = np.asarray(presence.mean(axis=0)).ravel()
        usable, content = share <= _COMMON, presence
    else:
        # as much of a term as a text of median length would have
        scale = np.median(corpus.lengths[rows]) / corpus.lengths[rows]
        usable = corpus.is_word  # so that no token counts twice
        content = sparse.csr_array(sparse.diags_array(scale) @ corpus.counts[rows])
    # n-grams repeat what their words say, so they have to say more
    evidence = sparse.diags_array(np.where(corpus.says_itself, 1.0, _NGRAM_WEIGHT))
    content = sparse.csr_array(content @ evidence)
    weights = evidence @ fit_term_weights(content, strength, prior, shrinkage=shrinkage)
    weights[~usable] = -np.inf
    by_term = presence.tocsc()
    is_seen = np.diff(by_term.indptr) > 0
    lexicons = []
    for weight, target in zip(weights.T, strength.T, strict=True):
        order = _sort_by_weight(weight, is_seen)[:max_terms]
        if form == "any":
            terms = choose_any(presence, order, target, penalty=_PENALTIES[form])
            threshold, n_chosen = 0.0, len(terms)
            terms = drop_harmful(by_term, terms, target)
            others = np.setdiff1d(order, terms)
            terms = add_helpful(
                by_term,
                terms,
                others,
                target,
                min_gain=_MIN_GAIN / np.sqrt(len(rows)),
                min_new=_MIN_NEW,
            )
        else:
            terms, threshold = choose_rate(
                corpus.counts[rows],
                corpus.lengths[rows],
                order,
                target,
                penalty=_PENALTIES[form],
            )
            n_chosen = len(terms)
        if len(terms):
            # words that no text has are judged by where the texts drew the line
            bounds = np.append(weight[order], 0.0)[n_chosen - 1 : n_chosen + 1]
            unseen = _sort_by_weight(weight, ~is_seen)
            unseen = unseen[weight[unseen] > bounds.mean()][: max_terms - len(terms)]
            terms = np.concatenate([terms, unseen])
        lexicons.append(Lexicon(terms, weight[terms], threshold))
    return lexicons


def _sort_by_weight(weight, mask):
    """Return the terms with positive weight among those of a mask, heaviest first."""
    terms = np.flatnonzero(mask & (weight > 0))
    # a little rounding must not decide between terms
    return terms[np.argsort(-np.round(weight[terms], 9), kind="stable")]


def mark_texts(corpus, lexicons, rows):
    """Mark texts by dictionaries, 1.0 or 0.0; the shape is (len(rows), n_lexicons)."""
    member = np.zeros((len(corpus.terms), len(lexicons)))
    for column, lexicon in enumerate(lexicons):
        member[lexicon.terms, column] = 1.0
    found = corpus.counts[rows] @ member
    thresholds = np.array([lexicon.threshold for lexicon in lexicons])
    # rounded as the annotator's rates are, which come from whole numbers too
    rates = 100 * found / corpus.lengths[rows, None]
    return (rates > thresholds).astype(np.float64)


def cross_validate(corpus, activations, find, rng):
    """Compare dictionaries with the activations of texts they were not found on.

    Parameters
    ----------
    corpus : Corpus
        Distinct texts.
    activations : ndarray of shape (n_texts, n_neurons)
        Theirs.
    find : callable
        From the rows to look at to the lexicons.
    rng : RandomState
        Draws the parts.

    Returns
    -------
    fidelities : list of Fidelity
        One per neuron, of all texts left out together; of no texts if there is one.
    """
    n_texts, n_neurons = activations.shape
    if n_texts == 1:
        return [Fidelity(*[np.nan] * 4, n=0)] * n_neurons
    seed = rng.randint(np.iinfo(np.int32).max)
    if n_texts > _MANY_TEXTS:
        splitter = ShuffleSplit(1, test_size=1 / _N_PARTS, random_state=seed)
    else:
        splitter = KFold(min(_N_PARTS, n_texts), shuffle=True, random_state=seed)
    marks, left_out = [], []
    for rows, others in splitter.split(np.arange(n_texts)):
        marks.append(mark_texts(corpus, find(rows), others))
        left_out.append(others)
    marks, left_out = np.concatenate(marks), np.concatenate(left_out)
    return [
        Fidelity.measure(mark, activation)
        for mark, activation in zip(marks.T, activations[left_out].T, strict=True)
    ]


def n_searches(n_texts):
    """How often `cross_validate`, and who wants the dictionaries then, searches."""
    return 2 if n_texts > _MANY_TEXTS else min(_N_PARTS, n_texts) + 1


def order_terms(corpus, lexicon):
    r"""Return the terms of a dictionary, those that stand for most of it first.

    The order is by :math:`w \sqrt{n}`, with w the weight of a term and n the number of
    texts that have it. Left out are terms of several words that hold another term: the
    other marks every text that they mark.
    """
    n_texts = np.diff(corpus.by_term.indptr)[lexicon.terms]
    leading = np.round(lexicon.weights * np.sqrt(n_texts), 9)
    terms = corpus.terms[lexicon.terms[np.argsort(-leading, kind="stable")]]
    own = set(terms)
    return [term for term in terms if not _holds_other(term, own)]


def _holds_other(term, terms):
    tokens = term.split(" ")
    n = len(tokens)
    return any(
        " ".join(tokens[i:j]) in terms
        for i in range(n)
        for j in range(i + 1, n + 1)
        if j - i < n
    )
