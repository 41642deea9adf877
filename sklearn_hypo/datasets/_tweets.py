"""The Twitter Tweets Sentiment data set, which the user has to supply."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from ..exceptions import DatasetNotFoundError

_VARIABLE = "SKLEARN_HYPO_DATA"
_COLUMNS = ("textID", "text", "selected_text", "sentiment")
_SENTIMENTS = {"negative": -1, "neutral": 0, "positive": 1}
_SOURCE = "https://www.kaggle.com/datasets/yasserh/twitter-tweets-sentiment-dataset"

_REFERENCE_ROWS = 27480
_REFERENCE_SIZES = (16448, 5496, 5496)  # training, validation, holdout
_REFERENCE_SEED = 42

_DESCR = f"""\
Twitter Tweets Sentiment
------------------------

Tweets in English with a sentiment: negative (-1), neutral (0) or positive (1).
Source: {_SOURCE}
"""


def load_tweets(data_home=None):
    """Load the tweets of the Kaggle data set "Twitter Tweets Sentiment".

    Nothing is downloaded: Kaggle asks for an account. The file ``Tweets.csv`` is
    looked for in the folder itself and in its subfolder ``tweets``.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. None stands for the environment variable ``SKLEARN_HYPO_DATA``.

    Returns
    -------
    tweets : Bunch
        With the attributes

        data : ndarray of shape (n_samples,) and dtype object
            The texts, as they are in the file. The complete file has 27,481 rows;
            the one whose text is missing is dropped.
        target : ndarray of shape (n_samples,) and dtype int64
            The sentiment: -1 for negative, 0 for neutral, 1 for positive.
        target_names : list of str
            The labels, in the order of their numbers.
        ids : ndarray of shape (n_samples,) and dtype object
            The identifiers of the tweets.
        frame : DataFrame of shape (n_samples, 4)
            The rows of the file that were kept, under their original row numbers.
        DESCR : str
            A description, with the source.

    Raises
    ------
    DatasetNotFoundError
        If no folder is given or the file is not in it; the message says where the
        data set comes from and where to put it.
    ValueError
        If the columns or labels of the file are not those of the data set.

    See Also
    --------
    make_concept_texts : Plants concepts of known effect into texts such as these.

    Examples
    --------
    >>> from sklearn_hypo.datasets import load_tweets
    >>> tweets = load_tweets("data")  # doctest: +SKIP
    >>> tweets.data.shape, tweets.target_names  # doctest: +SKIP
    ((27480,), ['negative', 'neutral', 'positive'])
    """
    path = _find_file(data_home)
    frame = _read_file(path)
    _check_columns(frame, path)
    # An empty field is a missing text; "null" or "NA" is a text that says so.
    frame = frame[frame["text"] != ""]
    _check_labels(frame, path)
    return Bunch(
        data=frame["text"].to_numpy(dtype=object),
        target=frame["sentiment"].map(_SENTIMENTS).to_numpy(dtype=np.int64),
        target_names=list(_SENTIMENTS),
        ids=frame["textID"].to_numpy(dtype=object),
        frame=frame,
        DESCR=_DESCR,
    )


def _find_file(data_home):
    """Return the path of Tweets.csv, or say how to get it."""
    folder = os.environ.get(_VARIABLE) if data_home is None else data_home
    if folder is None or not os.fspath(folder):
        advice = _describe_source("a folder of your choice")
        raise DatasetNotFoundError(f"load_tweets: no folder to look in. {advice}")
    folder = Path(folder).expanduser()
    for path in (folder / "Tweets.csv", folder / "tweets" / "Tweets.csv"):
        if path.is_file():
            return path
    raise DatasetNotFoundError(
        f"load_tweets: found no file Tweets.csv in {str(folder)!r} or its subfolder "
        f"'tweets'. {_describe_source('that folder')}"
    )


def _describe_source(folder):
    return (
        f'Download the data set "Twitter Tweets Sentiment" from {_SOURCE}, put its '
        f"Tweets.csv into {folder}, and pass the folder as data_home, or name it in "
        f"the environment variable {_VARIABLE}."
    )


def _read_file(path):
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError) as error:
        raise ValueError(
            f"load_tweets: {str(path)!r} cannot be read as CSV in UTF-8: {error}"
        ) from error


def _check_columns(frame, path):
    missing = [column for column in _COLUMNS if column not in frame.columns]
    if missing:
        raise ValueError(
            f"load_tweets: {str(path)!r} lacks the column(s) {', '.join(missing)}; it "
            f"has {', '.join(map(str, frame.columns))}. It is not the file of the data "
            f"set at {_SOURCE}."
        )


def _check_labels(frame, path):
    unknown = sorted(set(frame["sentiment"]) - set(_SENTIMENTS))
    if unknown:
        raise ValueError(
            f"load_tweets: the column sentiment of {str(path)!r} holds {unknown[0]!r}"
            f"{f' and {len(unknown) - 1} more' if unknown[1:] else ''}, but only "
            f"{', '.join(_SENTIMENTS)} are known."
        )


def tweets_reference_split(tweets):
    """Return the row numbers of the reference split of the tweets.

    Parameters
    ----------
    tweets : Bunch
        What `load_tweets` returned for the complete file.

    Returns
    -------
    train, validation, holdout : ndarrays of shape (16448,), (5496,) and (5496,)
        Positions in ``tweets.data``, in the order in which scikit-learn's
        `train_test_split` shuffles them with seed 42: first the training rows from
        all, then the other two from the rest. 40 rows are in none of the three.

    Raises
    ------
    ValueError
        If the tweets are not 27,480.
    """
    n_train, n_validation, n_holdout = _REFERENCE_SIZES
    n_rest = n_validation + n_holdout
    if len(tweets.data) != _REFERENCE_ROWS:
        raise ValueError(
            f"tweets_reference_split: the split is defined for the {_REFERENCE_ROWS} "
            f"tweets of the complete file, but {len(tweets.data)} arrived."
        )
    train, rest = train_test_split(
        np.arange(len(tweets.data)),
        train_size=n_train,
        test_size=n_rest,
        random_state=_REFERENCE_SEED,
    )
    validation, holdout = train_test_split(
        rest,
        train_size=n_validation,
        test_size=n_holdout,
        random_state=_REFERENCE_SEED,
    )
    return train, validation, holdout
