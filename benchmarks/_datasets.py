"""The data sets of the benchmarks: texts, targets, groups, and one split of each.

    python benchmarks/_datasets.py     # says what there is

The tweets have the reference split of `sklearn_hypo.datasets`, the data of HypoBench
the files that they came in. Of the others, 60, 20 and 20 % of the groups are training,
validation and holdout rows; a group is a review, a test, or all copies of one text.
"""

import functools
import json
import re
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from _common import CACHE, data_path, load_tweets, markdown_table
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit

from sklearn_hypo import join_groups, pairs_within
from sklearn_hypo.datasets import load_docstrings
from sklearn_hypo.datasets._tweets import tweets_reference_split

EMBEDDINGS = CACHE / "embeddings"
# training rows; None for all
SIZES = {"200": 200, "500": 500, "1000": 1000, "5000": 5000, "all": None}


@dataclass(frozen=True)
class Dataset:
    """Texts with a target and a split.

    Attributes
    ----------
    name : str
    task : {"regression", "classification"}
    texts, y, groups : ndarray of shape (n,)
        Classes are 0, 1, ...; rows of one group are in one part.
    train, validation, holdout : ndarray of int
        Rows of each part.
    pairs : ndarray of shape (n,) or None
        The pair of each row, where a target says which of two texts won.
    X : ndarray of shape (n, n_features) or None
        Embeddings; see `embed`.
    dropped : int
        Rows left out since their text is in a later part.
    """

    name: str
    task: str
    texts: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    holdout: np.ndarray
    pairs: np.ndarray | None = None
    X: np.ndarray | None = None
    dropped: int = 0

    @property
    def metric(self):
        if self.pairs is not None:
            return "share of pairs"
        return "R²" if self.task == "regression" else "AUC"

    @property
    def chance(self):
        """The score of a prediction that knows nothing."""
        return 0.0 if self.task == "regression" else 0.5

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

    def sizes(self, wanted=tuple(SIZES)):
        """Return those of the wanted sizes that the data set has."""
        return [s for s in wanted if SIZES[s] is None or SIZES[s] < len(self.train)]

    def halves(self, rows):
        """Return two halves of some rows, no group in both."""
        return next(split(rows, self.groups, 0.5))

    def cut(self, n_train, n_scored):
        """Return the same data set with the first rows of its parts, for trials."""
        return replace(
            self,
            train=self.train[:n_train],
            validation=self.validation[:n_scored],
            holdout=self.holdout[:n_scored],
        )

    def embed(self, embedder, *, holdout=False):
        """Return the same data set with the embeddings of its rows.

        Those of the holdout are zero unless they are asked for.
        """
        parts = [self.train, self.validation] + [self.holdout] * holdout
        rows = np.concatenate(parts)
        found = embedder.fit_transform(list(self.texts[rows])).to_numpy(np.float32)
        X = np.zeros((len(self.texts), found.shape[1]), dtype=np.float32)
        X[rows] = found
        return replace(self, X=X)

    def score(self, rows, prediction):
        """Score what a model predicts for some rows.

        Parameters
        ----------
        rows : ndarray of int
        prediction : ndarray of shape (n,) or (n, n_classes)
            Values, or probabilities of the classes.
        """
        if self.pairs is None:
            return score(self.y[rows], prediction, self.task)
        return score_pairs(self.y[rows], prediction[:, 1], self.pairs[rows])


# Scores -------------------------------------------------------------------------------


def score(y, prediction, task):
    """Return R², or the mean over the classes of the area under the ROC curve."""
    if task == "regression":
        return float(r2_score(y, prediction))
    classes = range(1 if prediction.shape[1] == 2 else 0, prediction.shape[1])
    return float(np.mean([roc_auc_score(y == c, prediction[:, c]) for c in classes]))


def score_pairs(won, prediction, pairs):
    """Return the share of pairs whose winner is predicted; ties count half."""
    order = np.lexsort((won, pairs))
    loser, winner = prediction[order].reshape(-1, 2).T
    return float(np.mean((winner > loser) + 0.5 * (winner == loser)))


# Splits -------------------------------------------------------------------------------


def split(rows, groups, test_size):
    """Yield (rows, other rows) with whole groups."""
    splitter = GroupShuffleSplit(1, test_size=test_size, random_state=0)
    for a, b in splitter.split(rows, groups=groups[rows]):
        yield np.sort(rows[a]), np.sort(rows[b])


def _three_parts(groups):
    train, rest = next(split(np.arange(len(groups)), groups, 0.4))
    return train, *next(split(rest, groups, 0.5))


def _drop_known_texts(groups, train, validation, holdout):
    """Leave out the rows whose group is in a later part, too."""
    validation = validation[~np.isin(groups[validation], groups[holdout])]
    later = np.concatenate([validation, holdout])
    return train[~np.isin(groups[train], groups[later])], validation, holdout


# Files --------------------------------------------------------------------------------


def read_ratings(file):
    """Return the frame of a file of VADER: id, mean rating, text."""
    return pd.read_csv(
        data_path("vader", file), sep="\t", header=None, quoting=3, encoding="utf-8",
        encoding_errors="replace", names=["id", "rating", "text"],
    )  # fmt: skip


def read_reviews(part):
    """Return the frame of one part of the deceptive reviews: text and label."""
    name = "ood_hotel_reviews_all" if part == "ood" else f"hotel_reviews_{part}"
    path = data_path("hypobench", "deceptive_reviews", f"{name}.json")
    frame = pd.DataFrame(json.loads(path.read_text(encoding="utf-8")))
    return frame.rename(columns={"review_sentence": "text"})


_KINDS = (
    "political_endorsement",
    "policy_stance",
    "partisan_language",
    "political_event_reaction",
)


def read_election(level, part):
    """Return text, label and the value of every kind of feature of one part."""
    name = f"synthetic_election_{part}_level{level}.json"
    path = data_path("hypobench", "election", f"level{level}", name)
    rows = json.loads(path.read_text(encoding="utf-8"))
    frame = pd.DataFrame({k: rows[k] for k in ("text", "label", "template")})
    frame[list(_KINDS)] = rows["blank_features"]
    return frame


class PlantedFeature(NamedTuple):
    """A feature that texts were made of, and what is said of it.

    Attributes
    ----------
    kind, value : str
        A column of `read_election`, and its value.
    says : dict of str to int
        How likely it makes each label, from -3 ("highly unlikely") to 3.
    """

    kind: str
    value: str
    says: dict


_STRENGTHS = {"a bit": 1, "": 2, "highly": 3}


def read_planted(level):
    """Return the features that the file of true hypotheses of the election names."""
    name = f"gt_hypotheses_level{level}.json"
    path = data_path("hypobench", "election", f"level{level}", name)
    found = []
    for stated in json.loads(path.read_text(encoding="utf-8")):
        kind, value = re.match(r'If the "(\w+)" .*? is "(.*?)", then', stated).groups()
        said = re.findall(
            r'(a bit|highly|) ?(un)?likely to be classified as "(.*?)"', stated
        )
        says = {label: _STRENGTHS[how] * (-1 if un else 1) for how, un, label in said}
        found.append(PlantedFeature(kind, value, says))
    return found


def read_bills():
    """Return texts, the matrix of topics, and the names of the topics."""
    path = data_path("bills", "bills_2048.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    names = [
        predicate.removeprefix("has a topic of ").removesuffix(".")
        for predicate in data["reference_phi_predicate_strings"]
    ]
    topics = np.array(data["reference_phi_denotation"], dtype=np.int64)
    return np.array(data["texts"], dtype=object), topics, names


def read_headlines():
    """Return headlines of tests with their clicks, one row per headline and test.

    In the dropped weeks readers may not have been assigned at random. Packages that
    differ in the image alone are added up.
    """
    path = data_path("headlines", "upworthy.csv.gz")
    packages = pd.read_csv(path, keep_default_na=False)  # "NA" is a headline
    packages = packages.rename(columns={"clickability_test_id": "test"})
    packages["headline"] = packages["headline"].str.strip()
    packages = packages[(packages["headline"] != "") & (packages["impressions"] > 0)]
    suspect = packages["test_week"].between(201326, 201402)
    packages = packages[~packages["test"].isin(packages["test"][suspect])]
    counted = packages.groupby(["test", "headline"], sort=False)
    return counted[["clicks", "impressions"]].sum().reset_index()


# Data sets: texts, y, groups, parts; pairs where there are any ------------------------


def _tweets(as_classes):
    tweets = load_tweets()
    y = np.asarray(tweets.target, float)
    if as_classes:
        y = (y + 1).astype(int)
    # the reference split does not know groups
    return tweets.data, y, np.arange(len(y)), tweets_reference_split(tweets)


def _vader():
    table = read_ratings("tweets_GroundTruth.txt")
    groups = pd.factorize(table["text"])[0]
    return table["text"], table["rating"], groups, _three_parts(groups)


def _amazon(in_two=False):
    table = read_ratings("amazonReviewSnippets_GroundTruth.txt")
    groups = pd.factorize(table["id"].astype(str).str.split("_").str[0])[0]
    if not in_two:
        return table["text"], table["rating"], groups, _three_parts(groups)
    train, rest = next(split(np.arange(len(groups)), groups, 0.3))
    return table["text"], table["rating"], groups, (train, rest, rest[:0])


def _sms():
    path = data_path("sms_spam", "SMSSpamCollection")
    table = pd.read_csv(path, sep="\t", header=None, quoting=3)
    groups = pd.factorize(table[1])[0]
    return table[1], table[0] == "spam", groups, _three_parts(groups)


def _in_files(parts):
    """Return the data of three files, as they are divided."""
    frame = pd.concat(parts, ignore_index=True)
    ends = np.cumsum([len(part) for part in parts])
    rows = np.split(np.arange(ends[-1]), ends[:-1])
    groups = pd.factorize(frame["text"])[0]
    return frame["text"], pd.factorize(frame["label"], sort=True)[0], groups, rows


def _deceptive():
    texts, y, *rest = _in_files([read_reviews(p) for p in ("train", "val", "test")])
    return texts, 1 - y, *rest  # deceptive comes before truthful


def _election(level):
    return _in_files([read_election(level, p) for p in ("train", "val", "test")])


def _bills(topic):
    texts, topics, names = read_bills()
    groups = np.arange(len(texts))
    return texts, topics[:, names.index(topic)], groups, _three_parts(groups)


def _upworthy():
    headlines = read_headlines()
    rows = pairs_within(
        headlines["headline"], headlines["clicks"], headlines["test"],
        trials=headlines["impressions"], how="all", max_p=0.05,
    )  # fmt: skip
    # some headlines were in several tests
    groups = join_groups(rows["contest"], rows["text"])
    return rows["text"], rows["target"], groups, _three_parts(groups), rows["pair"]


def _docstrings():
    found = load_docstrings()
    return found.data, found.target, found.groups, _three_parts(found.groups)


SETS = {
    "tweets": ("regression", functools.partial(_tweets, False)),
    "tweets, 3 classes": ("classification", functools.partial(_tweets, True)),
    "VADER tweets": ("regression", _vader),
    "Amazon snippets": ("regression", _amazon),
    # as others divide them: more to train on, and nothing held out
    "Amazon snippets, 7 to 3": ("regression", functools.partial(_amazon, True)),
    "SMS spam": ("classification", _sms),
    "deceptive reviews": ("classification", _deceptive),
    # a frequent one (11 % of the bills), a medium one (5 %) and a rare one (2 %)
    "bills on health": ("classification", functools.partial(_bills, "health")),
    "bills on macroeconomics": (
        "classification",
        functools.partial(_bills, "macroeconomics"),
    ),
    "bills on agriculture": (
        "classification",
        functools.partial(_bills, "agriculture"),
    ),
    "election, level 1": ("classification", functools.partial(_election, 1)),
    "election, level 2": ("classification", functools.partial(_election, 2)),
    "Upworthy pairs": ("classification", _upworthy),
    "docstrings": ("regression", _docstrings),
}


# what benchmarks take where nothing is asked for: every target once
USUAL = tuple(
    name
    for name in SETS
    if name not in ("tweets, 3 classes", "Amazon snippets, 7 to 3")
)


def find_names(starts=None, *, among=USUAL):
    """Return the names of the data sets that start so, in any case.

    Those that are not `among` are found by their whole name.
    """
    if not starts:
        return list(among)
    wanted = tuple(start.lower() for start in starts)
    names = [
        name
        for name in SETS
        if name.lower() in wanted or (name in among and name.lower().startswith(wanted))
    ]
    if not names:
        raise SystemExit(f"there is no data set {wanted}; there are {list(among)}")
    return names


def load(name):
    """Load one data set, or skip the benchmark where its files are absent."""
    task, read = SETS[name]
    texts, y, groups, parts, *pairs = read()
    groups = np.asarray(groups)
    n_rows = len(parts[0]) + len(parts[1])
    if not name.startswith("tweets"):  # known to repeat a few texts
        parts = _drop_known_texts(groups, *parts)
    return Dataset(
        name,
        task,
        np.array(list(texts), dtype=object),
        np.asarray(y, dtype=float if task == "regression" else int),
        groups,
        *parts,
        pairs=np.asarray(pairs[0]) if pairs else None,
        dropped=n_rows - len(parts[0]) - len(parts[1]),
    )


def describe(dataset):
    """Return a row of the table of data sets."""
    words = [len(text.split()) for text in dataset.texts]
    is_class = dataset.task == "classification"
    return {
        "data": dataset.name,
        "training": f"{len(dataset.train):,}",
        "validation": f"{len(dataset.validation):,}",
        "holdout": f"{len(dataset.holdout):,}",
        "words, median": f"{np.median(words):.0f}",
        "score": dataset.metric,
        "classes": ", ".join(
            f"{100 * share:.0f} %" for share in np.bincount(dataset.y) / len(dataset.y)
        )
        if is_class
        else "-",
    }


if __name__ == "__main__":
    print(markdown_table([describe(load(name)) for name in SETS]))
