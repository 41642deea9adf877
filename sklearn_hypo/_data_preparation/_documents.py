"""Long documents: cut into chunks before a pipeline, put together again after it."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._utils._annotation_input import check_annotation_values
from .._utils._containers import convert_container
from .._utils._validation import (
    Interval,
    StrOptions,
    check_length,
    check_same_length,
    check_texts,
    validate_params,
)
from .._utils._warnings import warn
from ._sentences import PIECES, count_words, word_spans

_CALLER = "split_documents"
_NAMED = 5  # so many documents are named in a message


class DocumentChunks(NamedTuple):
    """What `split_documents` returns: one row per chunk.

    Parameters
    ----------
    texts : ndarray of shape (n_chunks,) and dtype object
        The chunks, in the order of the documents.
    target : ndarray or Series of shape (n_chunks,), or None
        The target of the chunk's document; a Series, of the same dtype, if y was one.
    document : ndarray of shape (n_chunks,)
        The id of the chunk's document: `groups` of `evaluate_hypotheses`, and
        `document` of `roll_up_annotations`.

    See Also
    --------
    split_documents : Makes it.
    roll_up_annotations : Back from chunks to documents.

    Examples
    --------
    It is a tuple, and its fields have names:

    >>> from sklearn_hypo import split_documents
    >>> chunks = split_documents(["One. Two.", "Three."], [5, 1], max_words=1)
    >>> texts, target, document = chunks
    >>> texts.tolist(), target.tolist(), chunks.document.tolist()
    (['One.', 'Two.', 'Three.'], [5, 5, 1], [0, 0, 1])
    """

    texts: np.ndarray
    target: object
    document: np.ndarray


@validate_params(
    {
        "max_words": [Interval(Integral, 1, None, closed="left"), None],
        "overlap": [Interval(Integral, 0, None, closed="left")],
        "by": [StrOptions(set(PIECES)), callable],
    },
    prefer_skip_nested_validation=True,
)
def split_documents(
    texts, y=None, *, max_words=150, overlap=0, by="sentences", ids=None
):
    """Cut long documents into chunks, and repeat their targets.

    Embeddings cut what exceeds their limit, and a neuron of a long text means many
    things. So cut documents before the pipeline, and let everything after it know
    which chunks belong together: pass ``document`` as groups to the splitter and as
    `groups` to `evaluate_hypotheses`, or put annotations together again with
    `roll_up_annotations` and test them document by document.

    Parameters
    ----------
    texts : array-like of shape (n_documents,) of str
        The documents.
    y : array-like of shape (n_documents, ...), default=None
        Their target.
    max_words : int or None, default=150
        The longest chunk, in words: runs of characters between blanks, and single
        characters in scripts written without blanks. The default fits the 256 tokens
        that small sentence-transformers models read. None makes each sentence,
        paragraph or piece a chunk of its own.
    overlap : int, default=0
        So many words, at most, of the end of a chunk are said again at the beginning
        of the next: whole sentences (paragraphs, pieces) only.
    by : {"sentences", "paragraphs", "words"} or callable, default="sentences"
        Where a cut may be. Whole sentences, or paragraphs (between blank lines), are
        put into a chunk as long as they fit; a paragraph that exceeds `max_words` by
        itself is cut into sentences, and such a sentence into words. A callable takes
        a text and returns its pieces, in order, such as NLTK's ``sent_tokenize``.
    ids : array-like of shape (n_documents,), default=None
        The ids of the documents, all different; by default their positions.

    Returns
    -------
    chunks : DocumentChunks
        A tuple ``(texts, target, document)`` with one entry per chunk. Each chunk is a
        part of its document, letter by letter, without blanks around it.

    Raises
    ------
    TypeError
        If a document is not a string.
    ValueError
        If lengths differ, ids repeat, no document holds a word, `overlap` is not less
        than `max_words`, or a piece of a callable is not in its text.

    Warns
    -----
    HypothesisWarning
        Names the documents without a word. They have no chunk.

    See Also
    --------
    roll_up_annotations : Back from chunks to documents.

    Notes
    -----
    - Nothing is random. A sentence ends at ".", "!" or "?" that is followed by a
      blank and no small letter, unless a usual abbreviation or an initial ("Dr.",
      "e.g.", "J.") stands before; at the full stops of Chinese, Japanese, Khmer,
      Burmese and Hindi; and at a blank line. For anything finer pass a callable.
    - The target is the document's: every chunk carries it whole, and a hypothesis
      found in one chunk of many explains less of it than it does of a document.
    - Chunks of one document are not independent. Without `groups`, p-values are far
      too small.

    Examples
    --------
    >>> from sklearn_hypo import split_documents
    >>> reviews = ["We loved it. Dr. Who was there! Thanks.", "No."]
    >>> chunks = split_documents(reviews, [5, 1], max_words=6)
    >>> chunks.texts.tolist()
    ['We loved it.', 'Dr. Who was there! Thanks.', 'No.']
    >>> chunks.target, chunks.document
    (array([5, 5, 1]), array([0, 0, 1]))
    """
    texts = check_texts(texts, caller=_CALLER)
    ids = _check_ids(ids, len(texts))
    if y is not None:
        check_same_length(texts, y, caller=_CALLER)
    if max_words is None and (by == "words" or overlap):
        raise ValueError(f"{_CALLER}: by='words' and overlap need max_words.")
    if max_words is not None and overlap >= max_words:
        raise ValueError(
            f"{_CALLER}: overlap={overlap} must be less than max_words={max_words}."
        )
    pieces = [_split_document(text, max_words, overlap, by) for text in texts]
    positions = np.repeat(np.arange(len(texts)), [len(each) for each in pieces])
    _report_empty(ids[[not each for each in pieces]], len(texts))
    chunks = np.empty(len(positions), dtype=object)
    chunks[:] = [chunk for each in pieces for chunk in each]
    return DocumentChunks(chunks, _repeat_target(y, positions), ids[positions])


def _check_ids(ids, n):
    if ids is None:
        return np.arange(n)
    ids = pd.Series(convert_container(ids)).to_numpy()
    check_length("ids", ids, n, "documents", caller=_CALLER)
    repeated = pd.unique(ids[pd.Series(ids).duplicated()])
    if len(repeated):
        raise ValueError(
            f"{_CALLER}: the id {repeated[0]!r} is that of several documents. What "
            "documents share, such as an author, is not their id."
        )
    return ids


def _report_empty(empty, n):
    if len(empty) == n:
        raise ValueError(f"{_CALLER}: none of the {n} documents holds a word.")
    if len(empty):
        named = ", ".join(repr(each) for each in empty[:_NAMED].tolist())
        more = f" and {len(empty) - _NAMED} more" if len(empty) > _NAMED else ""
        warn(
            f"{_CALLER}: {len(empty)} of {n} documents hold no word and have no chunk: "
            f"{named}{more}."
        )


def _repeat_target(y, positions):
    if y is None:
        return None
    y = convert_container(y)
    if isinstance(y, pd.Series):  # a categorical one says that it is about classes
        return y.iloc[positions].reset_index(drop=True)
    return np.asarray(y)[positions]


# Chunks of one document -----------------------------------------------------------


def _split_document(text, max_words, overlap, by):
    """Return the chunks of one document."""
    if callable(by):
        pieces = [str(piece) for piece in by(text)]
        if max_words is None:  # chunks already, perhaps with words of their own
            return [piece.strip() for piece in pieces if piece.strip()]
        spans = _locate_pieces(text, pieces)
    else:
        spans = PIECES[by](text)
    if max_words is not None:
        units = _cut_long_pieces(text, spans, max_words, by)
        spans = pack_units(units, max_words, overlap)
    chunks = [text[begin:end].strip() for begin, end in spans]
    return [chunk for chunk in chunks if chunk]


def _locate_pieces(text, pieces):
    """Find the pieces of a callable in the text they are from."""
    spans, end = [], 0
    for piece in pieces:
        begin = text.find(piece, end)
        if begin < 0:
            raise ValueError(
                f"{_CALLER}: by returned the piece {piece[:80]!r}, which is not in "
                "the text behind the one before it. Return the parts of the text, in "
                "order and unchanged, or pass max_words=None to take pieces as chunks."
            )
        end = begin + len(piece)
        spans.append((begin, end))
    return spans


def _cut_long_pieces(text, spans, max_words, by):
    """Cut what exceeds `max_words`; return (begin, end, words) of every unit."""
    finer = PIECES["sentences"] if by == "paragraphs" else None
    units = []
    for begin, end in spans:
        n_words = count_words(text[begin:end])
        if n_words <= max_words:
            units += [(begin, end, n_words)] * (n_words > 0)
        elif finer is not None:
            inner = [(begin + a, begin + b) for a, b in finer(text[begin:end])]
            units += _cut_long_pieces(text, inner, max_words, "sentences")
        else:
            words = word_spans(text[begin:end])
            for first in range(0, n_words, max_words):
                run = words[first : first + max_words]
                units.append((begin + run[0][0], begin + run[-1][1], len(run)))
    return units


def pack_units(units, max_words, overlap):
    """Put neighbouring units into chunks as long as they fit; return their spans."""
    spans, chunk, n_words = [], [], 0
    for unit in units:
        if chunk and n_words + unit[2] > max_words:
            spans.append((chunk[0][0], chunk[-1][1]))
            chunk = _repeat_end(chunk, min(overlap, max_words - unit[2]))
            n_words = sum(each[2] for each in chunk)
        chunk.append(unit)
        n_words += unit[2]
    return spans + ([(chunk[0][0], chunk[-1][1])] if chunk else [])


def _repeat_end(chunk, n_words):
    """The last units of a chunk that have at most `n_words` words together."""
    kept = []
    for unit in reversed(chunk):
        n_words -= unit[2]
        if n_words < 0:
            break
        kept.insert(0, unit)
    return kept


# Back to documents ----------------------------------------------------------------


@validate_params(
    {"how": [StrOptions({"any", "all", "mean"})]}, prefer_skip_nested_validation=True
)
def roll_up_annotations(annotations, document, *, how="any"):
    """Put the annotations of chunks together, one row per document.

    Parameters
    ----------
    annotations : DataFrame or array of shape (n_chunks, n_hypotheses)
        1 where a hypothesis holds for a chunk, 0 where not, NaN without an answer:
        what ``pipe.transform(chunks.texts)`` returns.
    document : array-like of shape (n_chunks,)
        The document of each chunk.
    how : {"any", "all", "mean"}, default="any"
        What holds for a document:

        - "any": 1 if it holds for any chunk; NaN if for none of those answered, and
          some are not; else 0;
        - "all": 0 if it fails for any chunk; NaN if for none of those answered, and
          some are not; else 1;
        - "mean": the share of the answered chunks for which it holds, in 0..1; NaN if
          none is answered. A quantity: not for what needs 0 and 1.

    Returns
    -------
    rolled_up : DataFrame of shape (n_documents, n_hypotheses)
        float64, with the columns of `annotations`. The index, named "document", holds
        the ids in the order of their first chunks: ``target.loc[rolled_up.index]``.

    Raises
    ------
    ValueError
        If the lengths differ, a document is missing, or an annotation is something
        else than 0, 1 and NaN.

    See Also
    --------
    split_documents : Cuts documents into chunks.
    evaluate_annotations : Tests the result.

    Notes
    -----
    With "any", long documents have more of everything. Where the length of documents
    goes with the target, take their numbers of chunks along as a covariate.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_hypo import roll_up_annotations
    >>> chunks = pd.DataFrame({"thanks": [0, 1, 0, np.nan], "sad": [0, 0, np.nan, 1]})
    >>> roll_up_annotations(chunks, ["b", "b", "a", "a"])
              thanks  sad
    document
    b            1.0  0.0
    a            NaN  1.0
    >>> roll_up_annotations(chunks, ["b", "b", "a", "a"], how="mean")
              thanks  sad
    document
    b            0.5  0.0
    a            0.0  1.0
    """
    caller = "roll_up_annotations"
    annotations = convert_container(annotations)
    columns = pd.DataFrame(annotations).columns
    values = check_annotation_values(annotations)
    document = pd.Series(convert_container(document)).to_numpy()
    check_length("document", document, len(values), "chunks", caller=caller)
    codes, ids = pd.factorize(document)
    if (codes < 0).any():
        raise ValueError(
            f"{caller}: the document of {(codes < 0).sum()} chunks is missing."
        )
    counts = (
        pd.DataFrame(mask).groupby(codes).sum().to_numpy(dtype=np.float64)
        for mask in (values == 1, values == 0, np.isnan(values))
    )
    index = pd.Index(ids, name="document")
    return pd.DataFrame(_roll_up(*counts, how), index=index, columns=columns)


def _roll_up(yes, no, unanswered, how):
    if how == "mean":
        nan = np.full_like(yes, np.nan)
        return np.divide(yes, yes + no, out=nan, where=yes + no > 0)
    decisive, decided = (yes, 1.0) if how == "any" else (no, 0.0)
    undecided = np.where(unanswered > 0, np.nan, 1 - decided)
    return np.where(decisive > 0, decided, undecided)
