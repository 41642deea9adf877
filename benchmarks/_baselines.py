"""What others predict of the same rows: as many n-grams, dense linear models."""

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypo._inference._ngrams import find_ngrams, pick_ngrams
from sklearn_hypo._utils._terms import mark_terms

N_SELECT = 20


def mark_ngrams(texts, new_texts, *, tokens="package"):
    """Mark which texts contain which words and pairs of words of the first texts.

    Parameters
    ----------
    texts, new_texts : sequence of str
    tokens : {"package", "scikit-learn"}
        Those of this package include emoticons, emoji and "!", and are what a report
        compares hypotheses with; scikit-learn's are words of at least two letters.

    Returns
    -------
    presence, new_presence : CSR array of shape (n, n_terms)
    terms : ndarray of str
    """
    if tokens == "package":
        presence, terms = find_ngrams(texts)
        return presence, mark_terms(new_texts, terms), terms
    vectorizer = CountVectorizer(binary=True, ngram_range=(1, 2), min_df=3)
    presence = sparse.csr_array(vectorizer.fit_transform(texts))
    new_presence = sparse.csr_array(vectorizer.transform(new_texts))
    return presence, new_presence, vectorizer.get_feature_names_out()


def predict_linear(X, y, new_X, task, *, scaled=False):
    """Predict by least squares, or by the logit that ends our pipeline.

    Columns in units of their own are scaled for the penalty of the logit.
    """
    if task == "regression":
        return LinearRegression().fit(X, y).predict(new_X)
    model = LogisticRegression(max_iter=1000)
    if scaled:
        model = make_pipeline(StandardScaler(), model)
    return model.fit(X, y).predict_proba(new_X)


def predict_by_ngrams(dataset, rows, scored, *, tokens="package"):
    """Predict by as many words and pairs of words as there are hypotheses.

    Returns
    -------
    prediction : ndarray
        For the scored rows.
    terms : list of str
    """
    X, new_X, terms = mark_ngrams(
        dataset.texts[rows], dataset.texts[scored], tokens=tokens
    )
    picked = pick_ngrams(X, dataset.targets()[rows], N_SELECT)
    prediction = predict_linear(
        X[:, picked], dataset.y[rows], new_X[:, picked], dataset.task
    )
    return prediction, terms[picked].tolist()


def predict_dense(X, new_X, dataset, rows, n_folds=5):
    """Predict by all columns, their penalty chosen by cross-validation."""
    groups, y = dataset.groups[rows], dataset.y[rows]
    n_folds = min(n_folds, len(np.unique(groups)))
    folds = list(GroupKFold(n_folds, shuffle=True, random_state=0).split(X, y, groups))
    if dataset.task == "regression":
        model, scoring = Ridge(), "neg_mean_squared_error"
        grid = {"alpha": np.logspace(-2, 3, 11)}
    else:
        model, scoring = LogisticRegression(max_iter=1000, tol=1e-3), "neg_log_loss"
        grid = {"C": np.logspace(-1, 3, 5)}
        # a rare class may be missing in a fold, of which no loss is known then
        n_classes = len(np.unique(y))
        folds = [f for f in folds if all(len(np.unique(y[i])) == n_classes for i in f)]
        if not folds:
            return model.fit(X, y).predict_proba(new_X)
    search = GridSearchCV(model, grid, scoring=scoring, cv=folds).fit(X, y)
    if dataset.task == "regression":
        return search.predict(new_X)
    return search.predict_proba(new_X)
