"""Terms as people write them: tokens are normalized, and some letters are lost in that.

Turkish "kalıcı" and Persian "عالی" are found by tokens of other letters; a reader
should see the word, and so should programs that get a dictionary.
"""

from collections import Counter, defaultdict

from .._utils._characters import has_folded_letters, lower
from .._utils._tokenizers import RuleTokenizer
from .._utils._tokens import has_unspaced


def spell_terms(lexicons, texts, tokenizer):
    """Return lexicons whose words are spelt as they most often are in texts.

    Parameters
    ----------
    lexicons : sequence of sequence of str
        Terms, as the tokenizer cuts them.
    texts : sequence of str
        Where they were found.
    tokenizer : RuleTokenizer or FunctionTokenizer
        What cuts texts. Words of a function are kept as they are.

    Returns
    -------
    lexicons : list of list of str
        Cut again, they are the same tokens.

    Examples
    --------
    >>> from sklearn_hypo._interpretation._spelling import spell_terms
    >>> from sklearn_hypo._utils._tokenizers import get_tokenizer
    >>> texts = ["çok kalıcı", "KALICI mı", "kalıcı", "iyi"]
    >>> spell_terms([["kalici", "iyi"]], texts, get_tokenizer())
    [['kalıcı', 'iyi']]
    """
    lexicons = [list(terms) for terms in lexicons]
    folded = [text for text in texts if has_folded_letters(text)]
    if not folded or not isinstance(tokenizer, RuleTokenizer):
        return lexicons
    wanted = {word for terms in lexicons for term in terms for word in term.split(" ")}
    spellings = _count_spellings(folded, wanted, tokenizer)
    others = [text for text in texts if not has_folded_letters(text)]
    _count_as_they_are(spellings, others, tokenizer)
    best = {word: _choose(word, counts) for word, counts in spellings.items()}
    return [[_spell(term, best) for term in terms] for terms in lexicons]


def _count_spellings(texts, wanted, tokenizer):
    counts = defaultdict(Counter)
    for text in texts:
        for token, begin, end in tokenizer.find_spans(text):
            spelling = text[begin:end]
            if token in wanted and "I" not in spelling:  # which may be either letter
                counts[token][lower(spelling)] += 1
    return {token: own for token, own in counts.items() if set(own) != {token}}


def _count_as_they_are(spellings, texts, tokenizer):
    """Count tokens in texts in which no letter was lost."""
    if not spellings:
        return
    for text in texts:
        for token in tokenizer.tokenize(text) if "I" not in text else ():
            if token in spellings:
                spellings[token][token] += 1


def _choose(word, counts):
    """The most frequent spelling; of equally frequent ones the token's own, or any."""
    return max(sorted(counts), key=lambda each: (counts[each], each == word))


def _spell(term, best):
    if has_unspaced(term):  # these are tokens of a segmenter, and kept as such
        return term
    return " ".join(best.get(word, word) for word in term.split(" "))
