"""Text-labelled frames: how a row keeps its text from step to step.

A text-labelled frame is a pandas DataFrame whose index is named ``"text"`` and holds
the texts. Texts and rows travel together, so slicing cannot misalign them, and the
name of the index is the marker by which a later step knows that it holds texts and
not, say, row numbers.
"""

import numpy as np
import pandas as pd
from scipy import sparse

from ..exceptions import NotTextLabelledError

TEXT_INDEX = "text"


def make_text_frame(values, texts, columns):
    """Label the rows of an array with their texts, without copying the array.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        The data.
    texts : sequence of str of length n_samples
        The texts. The index has dtype object, so that any string survives.
    columns : sequence of str of length n_columns
        The column names.

    Returns
    -------
    frame : DataFrame of shape (n_samples, n_columns)
        A frame whose index is named "text".
    """
    index = pd.Index(np.asarray(texts, dtype=object), dtype=object, name=TEXT_INDEX)
    return pd.DataFrame(values, index=index, columns=list(columns), copy=False)


def number_columns(prefix, n_columns):
    """Return names such as "neuron017", padded with zeros so that they sort.

    Parameters
    ----------
    prefix : str
        What every name starts with.
    n_columns : int
        How many there are.

    Returns
    -------
    names : ndarray of shape (n_columns,) and dtype object
        The names, with at least three digits.
    """
    width = max(3, len(str(n_columns - 1)))
    return np.array([f"{prefix}{i:0{width}d}" for i in range(n_columns)], dtype=object)


def make_frame_like(X, values, columns):
    """Return values in the container of X: frame in, frame out; array in, array out.

    Parameters
    ----------
    X : DataFrame or array-like
        What the caller was given.
    values : ndarray or CSR array of shape (n_samples, n_columns)
        What it computed, row for row. Sparse values are returned as they are.
    columns : sequence of str
        The column names of the result.

    Returns
    -------
    values : DataFrame, ndarray or CSR array
        With the index of X, and the mark of `mark_as_training` if it has one, if X
        is a pandas DataFrame and values are dense.
    """
    if isinstance(X, pd.DataFrame) and not sparse.issparse(values):
        frame = pd.DataFrame(values, index=X.index, columns=list(columns), copy=False)
        return mark_as_training(frame) if is_marked_as_training(X) else frame
    return values


_TRAINING = "sklearn_hypo: rows whose columns were trained on their target"


def mark_as_training(X):
    """Mark a frame whose columns were trained on the target of these very rows.

    Associations of such columns with that target are no evidence of anything. Arrays
    are returned as they are: they have no place for a mark.

    Parameters
    ----------
    X : DataFrame or array
        What `fit_transform` of a supervised step returns.

    Returns
    -------
    X : DataFrame or array
        The same object.
    """
    if isinstance(X, pd.DataFrame):
        X.attrs[_TRAINING] = True
    return X


def is_marked_as_training(X):
    """Tell whether `mark_as_training` marked this frame, or one it was made from."""
    return isinstance(X, pd.DataFrame) and bool(X.attrs.get(_TRAINING))


def has_texts(X):
    """Whether X is a text-labelled frame."""
    return isinstance(X, pd.DataFrame) and X.index.name == TEXT_INDEX


def get_texts(X, *, caller):
    """Return the texts of a text-labelled frame.

    Parameters
    ----------
    X : DataFrame
        A frame whose index is named "text".
    caller : str
        Name of the estimator, for the message.

    Returns
    -------
    texts : ndarray of shape (n_samples,) and dtype object
        The texts.

    Raises
    ------
    NotTextLabelledError
        A TypeError that names what arrived and what to do.
    """
    if not has_texts(X):
        raise NotTextLabelledError(
            f"{caller} needs to know which text each row is: it expects a pandas "
            f'DataFrame whose index is named "{TEXT_INDEX}" and holds the texts, but '
            f"{_describe(X)} arrived. If a step in between dropped the frame, call "
            'pipe.set_output(transform="pandas"). For precomputed activations, pass '
            f'pd.DataFrame(activations, index=pd.Index(texts, name="{TEXT_INDEX}")).'
        )
    return X.index.to_numpy(dtype=object)


def _describe(X):
    kind = f"{type(X).__module__.split('.')[0]}.{type(X).__name__}"
    if isinstance(X, pd.DataFrame):
        return f"a {kind} with an index named {X.index.name!r}"
    shape = getattr(X, "shape", None)
    return f"a {kind} of shape {tuple(shape)}" if shape is not None else f"a {kind}"
