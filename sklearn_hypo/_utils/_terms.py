"""Which n-grams a text contains, by the tokens that the embedding sees too."""

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from ._token_index import TokenIndex
from ._tokenizers import get_tokenizer
from ._tokens import make_ngrams


def find_vocabulary(texts, *, n_max, min_df, tokenizer="auto"):
    """List the n-grams of some texts and which texts contain them.

    Parameters
    ----------
    texts : sequence of str
        The texts.
    n_max : int
        Longest n-gram, in tokens.
    min_df : int
        Texts that must contain an n-gram for it to be listed.
    tokenizer : object, default="auto"
        See `get_tokenizer`.

    Returns
    -------
    presence : CSR array of shape (n_texts, n_terms)
        1 where a text contains a term.
    terms : ndarray of shape (n_terms,) and dtype object
        The n-grams, sorted; empty if none is frequent enough.
    """
    tokenize = get_tokenizer(tokenizer).tokenize
    vectorizer = CountVectorizer(
        analyzer=lambda text: make_ngrams(tokenize(text), n_max),
        binary=True,
        min_df=min(min_df, len(texts)),
        dtype=np.float32,
    )
    try:
        presence = vectorizer.fit_transform(texts)
    except ValueError:  # scikit-learn's way to say that no term is left
        return sparse.csr_array((len(texts), 0), dtype=np.float32), np.empty(0, object)
    return sparse.csr_array(presence), vectorizer.get_feature_names_out()


def mark_terms(texts, terms, tokenizer="auto"):
    """Mark which texts contain which of the given terms.

    Parameters
    ----------
    texts : sequence of str
        The texts.
    terms : sequence of str
        n-grams as `find_vocabulary` returns them.
    tokenizer : object, default="auto"
        The one that found them.

    Returns
    -------
    presence : CSR array of shape (n_texts, n_terms)
        1 where a text contains a term.
    """
    return TokenIndex(texts, tokenizer).mark([tuple(term.split(" ")) for term in terms])


def contains_any(presence, terms, lexicons):
    """Mark which texts contain any term of each lexicon.

    Parameters
    ----------
    presence : CSR array of shape (n_texts, n_terms)
        From `mark_terms`.
    terms : sequence of str
        Its columns.
    lexicons : sequence of sequence of str
        The terms of each lexicon, all of them among `terms`.

    Returns
    -------
    marks : ndarray of shape (n_texts, n_lexicons)
        1.0 or 0.0.
    """
    column = {term: number for number, term in enumerate(terms)}
    member = np.zeros((len(column), len(lexicons)), dtype=np.float32)
    for number, lexicon in enumerate(lexicons):
        member[[column[term] for term in lexicon], number] = 1.0
    return (presence @ member > 0).astype(np.float64)


def parse_term(term, tokenizer="auto"):
    """Cut a term into tokens, of which some may end in "*".

    Parameters
    ----------
    term : str
        A word, an emoticon, or several of them. A "*" behind a letter or digit, at
        the end of a word, stands for whatever follows; any other is a character.
    tokenizer : object, default="auto"
        That of the texts, see `get_tokenizer`.

    Returns
    -------
    patterns : tuple of str
        As `TokenIndex.count_covered` takes them. Empty if there is no token in it.

    Examples
    --------
    >>> from sklearn_hypo._utils._terms import parse_term
    >>> [parse_term(term) for term in ("Thank*", "so sad !", "s***", ",")]
    [('thank*',), ('so', 'sad', '!'), ('s***',), ()]
    """
    tokenize = get_tokenizer(tokenizer).tokenize
    if "*" not in term:
        return tuple(tokenize(term))
    patterns = []
    for word in term.split():
        tokens = tokenize(word)
        if tokens and word.endswith("*") and not tokens[-1].endswith("*"):
            tokens[-1] += "*"
        patterns += tokens
    return tuple(patterns)


def parse_terms(terms, own="", tokenizer="auto"):
    """Cut the terms of a hypothesis as texts are cut.

    Parameters
    ----------
    terms : sequence of str
        The terms.
    own : object, default=""
        The `tokenizer` of the hypothesis. If it has one, its terms are tokens already.
    tokenizer : object, default="auto"
        Of the texts, for a hypothesis that names none.

    Returns
    -------
    terms : list of tuple of str
        As `parse_term` returns them.
    """
    if own:
        return [tuple(term.split(" ")) for term in terms]
    return [parse_term(term, tokenizer) for term in terms]


def compute_term_rates(texts, lexicons):
    """Compute how many of 100 tokens of each text are terms of each lexicon.

    Parameters
    ----------
    texts : sequence of str or TokenIndex
        The texts, or the index of theirs.
    lexicons : sequence of sequence of tuple of str
        Their terms, as `parse_term` cuts them.

    Returns
    -------
    rates : ndarray of shape (n_texts, n_lexicons)
        A token counts once, however many terms it belongs to, and every token of a
        term that has several. 0 for a text without tokens.

    Examples
    --------
    >>> from sklearn_hypo._utils._terms import compute_term_rates
    >>> compute_term_rates(["so so sad !", ""], [[("sad",)], [("so", "sad"), ("so",)]])
    array([[25., 75.],
           [ 0.,  0.]])
    """
    index = texts if isinstance(texts, TokenIndex) else TokenIndex(texts)
    lengths = np.maximum(index.lengths, 1)
    rates = np.empty((len(lengths), len(lexicons)))
    for column, lexicon in enumerate(lexicons):
        rates[:, column] = 100 * index.count_covered(lexicon) / lengths
    return rates
