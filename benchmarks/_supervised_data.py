"""The data sets of the supervised benchmark: embeddings, targets, groups and splits."""

import json
from typing import NamedTuple

import numpy as np
import pandas as pd
from _common import CACHE, data_path, load_tweets
from sklearn.model_selection import GroupShuffleSplit
from tweets import embedder

from sklearn_hypo.datasets._tweets import tweets_reference_split


class Case(NamedTuple):
    """One data set with its target and its split.

    Attributes
    ----------
    name, task : str
        The task is "regression" or "classification".
    texts, X, y, groups : ndarray
        One entry per row; classes are 0, 1, ..., and rows of one group stay together.
    train, validation, holdout : ndarray of int
        Rows of each part.
    dropped : int
        Rows left out since their text is in a later part.
    """

    name: str
    task: str
    texts: object
    X: object
    y: object
    groups: object
    train: object
    validation: object
    holdout: object
    dropped: int

    @property
    def metric(self):
        return "R²" if self.task == "regression" else "AUC"

    def targets(self):
        """Return y, or an indicator of every class but the first, as columns."""
        if self.task == "regression":
            return self.y[:, None]
        return (self.y[:, None] == np.arange(1, self.y.max() + 1)).astype(float)

    def sample(self, n, seed):
        """Return n training rows, a little fewer where groups are kept whole."""
        if n is None:
            return self.train
        rng = np.random.RandomState(1000 + seed)
        codes, names = pd.factorize(self.groups[self.train])
        order = rng.permutation(len(names))
        sizes = np.bincount(codes)[order]
        kept = order[np.cumsum(sizes) <= n]
        return self.train[np.isin(codes, kept)]

    def halves(self, rows):
        """Return two halves of some rows, no group in both."""
        return next(split(rows, self.groups, 0.5))


def split(rows, groups, test_size):
    """Yield (rows, other rows) with whole groups."""
    splitter = GroupShuffleSplit(1, test_size=test_size, random_state=0)
    for a, b in splitter.split(rows, groups=groups[rows]):
        yield np.sort(rows[a]), np.sort(rows[b])


def _three_parts(groups):
    train, rest = next(split(np.arange(len(groups)), groups, 0.4))
    return train, *next(split(rest, groups, 0.5))


def _tweets(task):
    tweets = load_tweets()
    y = np.asarray(tweets.target, float)
    if task == "classification":
        y = (y + 1).astype(int)
    # the reference split does not know groups
    return tweets.data, y, np.arange(len(y)), tweets_reference_split(tweets)


def _ratings(file):
    return pd.read_csv(
        data_path("vader", file), sep="\t", header=None, quoting=3, encoding="utf-8",
        encoding_errors="replace",
    )  # fmt: skip


def _vader():
    table = _ratings("tweets_GroundTruth.txt")
    groups = pd.factorize(table[2])[0]
    return table[2], table[1].to_numpy(float), groups, _three_parts(groups)


def _amazon():
    table = _ratings("amazonReviewSnippets_GroundTruth.txt")
    groups = pd.factorize(table[0].astype(str).str.split("_").str[0])[0]
    return table[2], table[1].to_numpy(float), groups, _three_parts(groups)


def _sms():
    path = data_path("sms_spam", "SMSSpamCollection")
    table = pd.read_csv(path, sep="\t", header=None, quoting=3)
    groups = pd.factorize(table[1])[0]
    return table[1], (table[0] == "spam").to_numpy(int), groups, _three_parts(groups)


def _deceptive():
    parts = []
    for part in ("train", "val", "test"):
        path = data_path("hypobench", "deceptive_reviews", f"hotel_reviews_{part}.json")
        parts.append(pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))))
    table = pd.concat(parts, ignore_index=True)
    y = table["label"].str.lower().str.startswith("decep").to_numpy(int)
    groups = pd.factorize(table["review_sentence"])[0]
    ends = np.cumsum([len(part) for part in parts])
    return table["review_sentence"], y, groups, np.split(np.arange(ends[-1]), ends[:-1])


SETS = {
    "tweets": ("regression", lambda: _tweets("regression")),
    "tweets, 3 classes": ("classification", lambda: _tweets("classification")),
    "VADER tweets": ("regression", _vader),
    "Amazon snippets": ("regression", _amazon),
    "SMS spam": ("classification", _sms),
    "deceptive reviews": ("classification", _deceptive),
}


def load(name, *, quick=False):
    """Load one data set with its embeddings."""
    task, read = SETS[name]
    texts, y, groups, (train, validation, holdout) = read()
    texts = np.array(list(texts), dtype=object)
    n_rows = len(train) + len(validation)
    if name != "tweets" and not name.startswith("tweets,"):
        validation = validation[~np.isin(groups[validation], groups[holdout])]
        later = np.concatenate([validation, holdout])
        train = train[~np.isin(groups[train], groups[later])]
    dropped = n_rows - len(train) - len(validation)
    if quick:
        train, validation = train[:600], validation[:300]
    X = np.zeros((len(texts), 384), dtype=np.float32)
    rows = np.concatenate([train, validation, [] if quick else holdout]).astype(int)
    found = embedder(str(CACHE / "embeddings")).fit_transform(list(texts[rows]))
    X[rows] = found.to_numpy(np.float32)
    return Case(
        name, task, texts, X, y, groups, train, validation, holdout, int(dropped)
    )
