"""Data of the SAE benchmark: embeddings of real texts, and made-up rows."""

import contextlib
import functools
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _common import CACHE, data_path, load_tweets
from scipy import sparse
from tweets import embedder

from sklearn_hypo.datasets._tweets import tweets_reference_split

# Real data ----------------------------------------------------------------------------


class Split(NamedTuple):
    """Embeddings and targets; `scored` is validation or, for tweets, the holdout."""

    train: np.ndarray
    y: np.ndarray
    validation: np.ndarray
    scored: np.ndarray
    y_scored: np.ndarray
    scored_rows: str


@functools.cache
def embeddings(texts):
    """Return MiniLM embeddings, float32; those of known texts are kept on disk."""
    folder = CACHE / "embeddings"
    folder.mkdir(parents=True, exist_ok=True)
    frame = embedder(folder).fit_transform(list(texts))
    return np.ascontiguousarray(frame.to_numpy(dtype=np.float32))


@functools.cache
def _tweets():
    tweets = load_tweets()
    y = np.asarray(tweets.target, dtype=float)
    return embeddings(tuple(tweets.data)), y, tweets_reference_split(tweets)


@functools.cache
def _snippets():
    """Amazon snippets and the tweets of VADER, rated alike; reviews stay together."""
    import pandas as pd

    read = functools.partial(
        pd.read_csv,
        sep="\t",
        header=None,
        quoting=3,
        encoding="utf-8",
        encoding_errors="replace",
    )
    amazon = read(data_path("vader", "amazonReviewSnippets_GroundTruth.txt"))
    vader = read(data_path("vader", "tweets_GroundTruth.txt"))
    reviews = "review " + amazon[0].astype(str).str.split("_").str[0]
    singles = "tweet " + vader[0].astype(str)
    groups = pd.factorize(pd.concat([reviews, singles]))[0]
    both = pd.concat([amazon, vader])
    order = np.random.default_rng(0).permutation(groups.max() + 1)
    held_out = np.isin(groups, order[: len(order) // 4])
    X, y = embeddings(tuple(both[2])), both[1].to_numpy(dtype=float)
    return X, y, (np.flatnonzero(~held_out), np.flatnonzero(held_out))


def load_split(name, options):
    """Return the Split of a data set by its name."""
    X, y, parts = _tweets() if name == "tweets" else _snippets()
    train, validation = parts[0], parts[1]
    if options.quick:
        train, validation = train[:2000], validation[:500]
    scored, rows = validation, "validation"
    if options.holdout and name == "tweets":
        scored, rows = parts[2], "holdout"
    return Split(X[train], y[train], X[validation], X[scored], y[scored], rows)


# Made-up data -------------------------------------------------------------------------


def made_up(n_rows, n_features, seed=0, *, n_concepts=4096, n_active=8):
    """Return unit rows, float32: few of many concepts, some often, and noise."""
    directions = np.random.default_rng(7).standard_normal((n_concepts, n_features))
    directions = (directions / np.sqrt(n_features)).astype(np.float32)
    frequencies = 1.0 / np.arange(20, 20 + n_concepts)
    rng = np.random.default_rng([11, seed])
    columns = rng.choice(
        n_concepts, (n_rows, n_active), p=frequencies / frequencies.sum()
    )
    values = (0.5 + rng.exponential(size=columns.size)).astype(np.float32)
    ends = np.arange(0, columns.size + 1, n_active)
    codes = sparse.csr_array(
        (values, columns.ravel(), ends), shape=(n_rows, n_concepts)
    )
    rows = codes @ directions
    noise = rng.standard_normal(rows.shape, dtype=np.float32)
    rows += noise * np.float32(3.0 / np.sqrt(n_features))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


@contextlib.contextmanager
def made_up_file(folder, n_rows, n_features, *, chunk=20_000):
    """Write made-up rows to a file, and yield its path while it lasts."""
    size = 4 * n_rows * n_features
    if shutil.disk_usage(folder).free < size + 2**30:
        raise OSError(f"{folder} lacks the room for a file of {size / 1e9:.1f} GB")
    with tempfile.TemporaryDirectory(dir=folder) as own:
        path = Path(own) / "rows.float32"
        with path.open("wb") as file:
            for start in range(0, n_rows, chunk):
                made_up(min(chunk, n_rows - start), n_features, start).tofile(file)
        yield path
