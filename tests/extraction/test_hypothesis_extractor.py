"""`HypothesisExtractor`: neurons in, hypotheses out."""

import copy
import pickle
import socket
import warnings

import numpy as np
import pandas as pd
import pytest
from callback_log import CallbackLog
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.callback import ScoringMonitor
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import (
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    RidgeCV,
)
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import estimator_checks as checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data
from transformer_checks import further_checks

from sklearn_hypo import (
    EmbeddingAnnotator,
    Hypothesis,
    HypothesisExtractor,
    LexiconAnnotator,
    LexiconInterpreter,
    TextEmbedder,
    make_hypothesis_pipeline,
)
from sklearn_hypo._extraction._final_estimator import _PENALTIES
from sklearn_hypo._hypotheses._fidelity import Fidelity
from sklearn_hypo._hypotheses._protocols import Candidate, Interpretation
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import HypothesisWarning, NotTextLabelledError


def frame(values, texts, name="text"):
    columns = [f"neuron{j:03d}" for j in range(np.shape(values)[1])]
    index = pd.Index(np.asarray(texts, dtype=object), dtype=object, name=name)
    return pd.DataFrame(np.asarray(values, dtype=np.float32), index, columns)


def neurons_of(data, n_neurons=None, seed=0):
    """One neuron per planted concept, active where the concept is."""
    rng = np.random.RandomState(seed)
    truth = data.truth[:, :n_neurons]
    return frame(truth * (0.2 + rng.exponential(size=truth.shape)), data.data)


class Recites(BaseEstimator):
    """An interpreter that says what it is told to; None: finds no words.

    With `f1`, these are the fidelities that it measured.
    """

    def __init__(self, hypotheses=(), f1=None):
        self.hypotheses = hypotheses
        self.f1 = f1

    def interpret(self, texts, activations, neurons, *, annotator, random_state):
        assert annotator is not None
        assert isinstance(random_state, np.random.RandomState)
        found = []
        by_neuron = dict(zip(neurons, activations.T, strict=True))
        for i, (neuron, hypothesis) in enumerate(
            zip(neurons, self.hypotheses, strict=True)
        ):
            if hypothesis is None:
                found.append(Interpretation(neuron, (), None))
                continue
            statement, terms = hypothesis
            measured = Fidelity.measure(np.zeros(len(texts)), by_neuron[neuron])
            fidelity = measured
            if self.f1 is not None:
                known = self.f1[i] is not None
                fidelity = Fidelity(*np.full(4, self.f1[i]), n=50) if known else None
            one = Candidate(Hypothesis(statement, neuron, terms), measured)
            found.append(Interpretation(neuron, (one,), fidelity))
        return found


# where it does not matter how the words are found
TOLD = Recites(
    (
        ("expresses thanks", ("thank", "grateful", "thanks")),
        ("wants money back", ("refund", "charged", "want", "badly")),
        ("mentions weather", ("rain", "freezing", "storm", "snow")),
    )
)


@pytest.fixture(scope="module")
def data():
    return make_concept_texts(400, n_concepts=3, random_state=0)


@pytest.fixture(scope="module")
def X(data):
    return neurons_of(data)


@pytest.fixture(scope="module")
def fitted(data, X):
    return HypothesisExtractor(random_state=0).fit(X, data.target)


# scikit-learn's checks, which know arrays only


class FramedExtractor(HypothesisExtractor):
    """Labels every row with a text made from its values."""

    def _check_rows(self, X, *, reset):
        values = validate_data(self, X, dtype=(np.float64, np.float32), reset=reset)
        # "x1n17" says that column 1 exceeds the 17th threshold; some checks center
        # their data at 0 and some at 100
        exceeds = values[:, :, None] > np.r_[-3:3:25j, 99:101:9j]
        texts = [" ".join(f"x{j}n{n}" for j, n in np.argwhere(row)) for row in exceeds]
        index = pd.Index(texts, dtype=object, name="text")
        columns = X.columns if isinstance(X, pd.DataFrame) else None
        return super()._check_rows(pd.DataFrame(values, index, columns), reset=reset)


ONE_WORD = LexiconInterpreter(max_words=1)


def expected_failures(estimator):
    """A hypothesis is a yes or a no, and two checks ask for more than that."""
    if estimator.task == "classification":
        reason = (
            "two yes-or-no questions, which follow the activations and not the "
            "classes, have to tell three classes apart"
        )
        return {"check_classifiers_train": reason}
    reason = (
        "of the linear effect of the check's normal column, yes and no explain 2/pi "
        "at most, which with its noise makes 0.48"
    )
    return {"check_regressors_train": reason}


@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
@parametrize_with_checks(
    [
        FramedExtractor(ONE_WORD, random_state=0),
        FramedExtractor(ONE_WORD, task="classification", random_state=0),
    ],
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_a_tree_of_the_hypotheses_explains_more_than_a_line():
    final = DecisionTreeRegressor()
    extractor = FramedExtractor(ONE_WORD, final_estimator=final, random_state=0)
    checks.check_regressors_train("FramedExtractor", extractor, X_dtype=np.float32)


@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
@further_checks
def test_further_checks(check):
    check("FramedExtractor", FramedExtractor(ONE_WORD, random_state=0))


# Rows without texts


def unlabelled(kind, X):
    import polars

    values = X.to_numpy()
    return {
        "ndarray": values,
        "list": values.tolist(),
        "csr": sparse.csr_array(values),
        "polars": polars.DataFrame(values, schema=list(X.columns)),
        "unnamed index": X.rename_axis(None),
        "ID index": X.rename_axis("ID"),
        "row numbers": X.reset_index(drop=True),
        "texts in a column": X.reset_index(),
        "series": X.iloc[:, 0],
    }[kind]


UNLABELLED = {
    "ndarray": "numpy.ndarray of shape (400, 3)",
    "list": "builtins.list",
    "csr": "scipy.csr_array of shape (400, 3)",
    "polars": "polars.DataFrame of shape (400, 3)",
    "unnamed index": "pandas.DataFrame with an index named None",
    "ID index": "pandas.DataFrame with an index named 'ID'",
    "row numbers": "pandas.DataFrame with an index named None",
    "texts in a column": "pandas.DataFrame with an index named None",
    "series": "pandas.Series of shape (400,)",
}


@pytest.mark.parametrize("kind", UNLABELLED)
def test_rows_without_texts_are_refused(kind, X, data, fitted):
    rows = unlabelled(kind, X)
    for call in (
        lambda: HypothesisExtractor().fit(rows, data.target),
        lambda: fitted.transform(rows),
        lambda: fitted.predict(rows),
        lambda: fitted.score(rows, data.target),
    ):
        with pytest.raises(NotTextLabelledError) as caught:
            call()
        assert isinstance(caught.value, TypeError)
        message = str(caught.value)
        assert UNLABELLED[kind] in message
        assert 'index is named "text"' in message
        assert 'pipe.set_output(transform="pandas")' in message
        assert (
            'pd.DataFrame(activations, index=pd.Index(texts, name="text"))' in message
        )


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (None, ValueError, "missing"),
        (np.nan, ValueError, "missing"),
        (7, TypeError, "int, not a text"),
        (b"tea", TypeError, "bytes, not a text"),
    ],
)
def test_an_index_named_text_must_hold_texts(bad, error, message, X, data):
    texts = X.index.to_numpy(dtype=object).copy()
    texts[5] = bad
    with pytest.raises(error, match=f"HypothesisExtractor.*position 5.*{message}"):
        HypothesisExtractor().fit(frame(X.to_numpy(), texts), data.target)


def test_other_neurons_are_refused(X, fitted):
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.transform(X.rename(columns={"neuron000": "other"}))
    with pytest.raises(ValueError, match="Feature names seen at fit time"):
        fitted.transform(X.iloc[:, :2])
    with pytest.raises(ValueError, match="NaN"):
        HypothesisExtractor().fit(X.replace(0.0, np.nan), np.arange(len(X)))
    with pytest.raises(ValueError, match="1 sample"):
        HypothesisExtractor().fit(X.iloc[:1], [1.0])


def test_not_fitted(X, data):
    extractor = HypothesisExtractor(task="classification")
    for method in ("transform", "predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(extractor, method)(X)
    with pytest.raises(NotFittedError):
        extractor.score(X, data.target)
    with pytest.raises(NotFittedError):
        extractor.score_annotations(np.zeros((3, 1)), [1, 2, 3])
    with pytest.raises(NotFittedError):
        extractor.get_feature_names_out()


# The tables


def test_hypotheses_table(X, data, fitted):
    table = fitted.hypotheses_
    assert list(table.columns) == [
        "neuron",
        "hypothesis",
        "f1",
        "precision",
        "recall",
        "correlation",
        "association",
        "coef",
        "prevalence",
        "missing",
        "name",
    ]
    assert table["neuron"].tolist() == list(X.columns)
    assert table["hypothesis"].tolist() == list(fitted.get_feature_names_out())
    annotations = fitted.transform(X)
    np.testing.assert_allclose(table["prevalence"], annotations.mean())
    np.testing.assert_allclose(table["coef"], fitted.final_estimator_.coef_)
    correlation = [np.corrcoef(X[c], data.target)[0, 1] for c in X]
    np.testing.assert_allclose(table["association"], correlation, rtol=1e-5)
    assert (table["missing"] == 0).all()
    assert (table["f1"] > 0.5).all()
    # planted: +2, -1.5, +1
    assert np.sign(table["coef"]).tolist() == [1, -1, 1]


class LooksAtLengths(BaseEstimator):
    """An annotator that needs no terms."""

    def fit(self, texts, hypotheses, activations, *, random_state):
        self.hypotheses_ = hypotheses
        return self

    def annotate(self, texts):
        mark = [len(text) % 2 for text in texts]
        return np.tile(np.array(mark, float)[:, None], len(self.hypotheses_))


def test_terms_table():
    """By hand: six distinct texts, of which two have tea and one has rain."""
    texts = ["tea", "tea", "green tea", "rain", "sun", "wind", "snow"]
    strength = [1.0, 3.0, 2.0, 2.0, 0.0, 0.0, 0.0]  # "tea" on average 2
    X = frame(np.column_stack([strength, strength]), texts)
    told = Recites(
        (("mentions any of: tea, rain, fog", ("tea", "rain", "fog")), ("is warm", ()))
    )
    extractor = HypothesisExtractor(told, LooksAtLengths(), random_state=0)
    table = extractor.fit(X, np.arange(7.0)).terms_
    assert list(table.columns) == ["hypothesis", "term", "share", "gain"]
    assert set(table["hypothesis"]) == {"mentions any of: tea, rain, fog"}
    assert table["term"].tolist() == ["tea", "rain", "fog"]
    np.testing.assert_allclose(table["share"], [2 / 6, 1 / 6, 0])
    # all together mark what is active: r = 1; rain alone 0.447, tea alone 0.707
    np.testing.assert_allclose(
        table["gain"], [1 - np.sqrt(1 / 5), 1 - np.sqrt(1 / 2), 0]
    )


def test_terms_table_of_kept_hypotheses(X, data):
    extractor = HypothesisExtractor(TOLD, n_hypotheses=2, random_state=0)
    table = extractor.fit(X, data.target).terms_
    kept = extractor.hypotheses_["hypothesis"].tolist()
    assert table["hypothesis"].drop_duplicates().tolist() == kept
    of_terms = dict(TOLD.hypotheses)
    assert table["term"].tolist() == [t for h in kept for t in of_terms[h]]
    assert (table["gain"] >= -1).all()


def test_terms_table_without_terms(X, data):
    told = Recites(tuple((statement, ()) for statement, _ in TOLD.hypotheses))
    extractor = HypothesisExtractor(told, LooksAtLengths(), random_state=0)
    table = extractor.fit(X, data.target).terms_
    assert table.shape == (0, 4)
    assert table[["share", "gain"]].dtypes.tolist() == [float, float]


def test_candidates_table(fitted):
    table = fitted.candidates_
    assert list(table.columns) == [
        "neuron",
        "hypothesis",
        "rank",
        "chosen",
        "f1",
        "precision",
        "recall",
        "correlation",
        "n",
    ]
    chosen = table[table["chosen"]]
    assert chosen["hypothesis"].tolist() == fitted.hypotheses_["hypothesis"].tolist()
    assert (chosen["rank"] == 1).all()
    for _, group in table.groupby("neuron"):
        assert group["rank"].tolist() == list(range(1, len(group) + 1))
        assert group["correlation"].iloc[1:].is_monotonic_decreasing


def test_transform(X, fitted):
    annotations = fitted.transform(X)
    assert list(annotations.columns) == list(fitted.get_feature_names_out())
    assert annotations.index.equals(X.index)
    assert annotations.index.name == "text"
    assert set(np.unique(annotations)) == {0.0, 1.0}
    lexicons = [h.terms for h in fitted._hypotheses]
    assert all(lexicons)
    for text, row in zip(X.index[:50], annotations.to_numpy()[:50], strict=True):
        hypotheses = LexiconAnnotator().fit([], fitted._hypotheses)
        assert hypotheses.annotate([text])[0].tolist() == row.tolist()


@pytest.mark.parametrize("value", [0.0, np.nan, "no number"])
def test_annotations_depend_on_the_texts_alone(X, fitted, value):
    other = pd.DataFrame(value, X.index, X.columns)
    assert fitted.transform(other).equals(fitted.transform(X))


def test_annotations_follow_the_order_of_the_rows(X, fitted):
    rows = np.random.RandomState(0).permutation(len(X))
    assert fitted.transform(X.iloc[rows]).equals(fitted.transform(X).iloc[rows])


def test_set_output(X, fitted):
    import polars

    extractor = copy.deepcopy(fitted)
    kept = extractor.set_output(transform="pandas").transform(X)
    assert kept.equals(fitted.transform(X))
    assert kept.index.name == "text"
    assert isinstance(
        extractor.set_output(transform="polars").transform(X), polars.DataFrame
    )


def test_equal_neurons_share_one_column(X, data):
    doubled = pd.concat(
        [X, X.add_suffix("b") * 2, X[["neuron000"]].add_suffix("c")], axis=1
    )
    extractor = HypothesisExtractor(random_state=0).fit(doubled, data.target)
    assert extractor.hypotheses_["neuron"].tolist() == [
        "neuron000, neuron000b, neuron000c",
        "neuron001, neuron001b",
        "neuron002, neuron002b",
    ]
    assert extractor.transform(doubled).shape == (400, 3)
    assert extractor.candidates_.loc[extractor.candidates_["chosen"]].shape[0] == 7
    assert extractor.hypotheses_["hypothesis"].is_unique
    assert len(extractor.skipped_neurons_) == 0


def test_the_same_terms_in_another_order_are_one_hypothesis(X, data):
    told = Recites(
        (
            ("mentions any of: thank, owe", ("thank", "owe")),
            ("mentions any of: owe, thank", ("owe", "thank")),
            ("mentions refund", ("refund",)),
        )
    )
    extractor = HypothesisExtractor(told).fit(X, data.target)
    assert extractor.hypotheses_["neuron"].tolist() == [
        "neuron000, neuron001",
        "neuron002",
    ]
    assert extractor.get_feature_names_out()[0] == "mentions any of: thank, owe"


@pytest.mark.parametrize("second", ["thank, owe", "owe, thank"])
@pytest.mark.parametrize(
    "f1", [(0.3, 0.9), (0.9, 0.3), (np.nan, 0.9), (0.9, np.nan), (None, 0.9)]
)
def test_merged_neurons_show_the_fidelity_of_the_one_described_best(
    X, data, second, f1
):
    told = [
        (f"mentions any of: {terms}", tuple(terms.split(", ")))
        for terms in ("thank, owe", second, "refund")
    ]
    extractor = HypothesisExtractor(Recites(told, f1=(*f1, 0.5))).fit(X, data.target)
    for name in ("f1", "precision", "recall", "correlation"):
        assert extractor.hypotheses_[name].tolist() == [0.9, 0.5]


def test_a_fidelity_that_is_not_known_is_nan(X, data):
    told = Recites(TOLD.hypotheses, f1=(0.5, None, 0.5))
    table = HypothesisExtractor(told).fit(X, data.target).hypotheses_
    assert table["f1"].isna().tolist() == [False, True, False]


def test_a_neuron_with_a_comma_in_its_name_is_one_neuron(X, data):
    named = X.set_axis(["a, b", "a", "b"], axis=1)
    told = Recites(
        (("mentions thank", ("thank",)), ("mentions snow", ("snow",)))
        + (("mentions thank", ("thank",)),)
    )
    extractor = HypothesisExtractor(told).fit(named, data.target)
    assert [h.neurons for h in extractor._hypotheses] == [("a, b", "b"), ("a",)]
    assert extractor.hypotheses_["neuron"].tolist() == ["a, b, b", "a"]
    strongest = np.maximum(named["a, b"], named["b"])
    expected = [np.corrcoef(a, data.target)[0, 1] for a in (strongest, named["a"])]
    np.testing.assert_allclose(
        extractor.hypotheses_["association"], expected, rtol=1e-5
    )


def test_constant_and_wordless_neurons_are_reported(X, data):
    padded = X.assign(dead=0.0, always=1.5)
    told = Recites(
        ((("mentions thank"), ("thank",)), None, ("mentions snow", ("snow",)))
    )
    with pytest.warns(
        HypothesisWarning, match="3 of 5 neurons have no hypothesis"
    ) as got:
        extractor = HypothesisExtractor(told).fit(padded, data.target)
    message = str(got[0].message)
    assert "dead, always (constant)" in message
    assert "neuron001 (no statement found)" in message
    assert extractor.skipped_neurons_.to_dict() == {
        "dead": "constant",
        "always": "constant",
        "neuron001": "no statement found",
    }
    assert extractor.transform(padded).shape == (400, 2)
    assert extractor.n_features_in_ == 5


def test_wordless_neurons_whose_places_others_take_are_no_matter(X, data):
    told = Recites(
        ((("mentions thank"), ("thank",)), None, ("mentions snow", ("snow",)))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", HypothesisWarning)
        enough = HypothesisExtractor(told, n_hypotheses=2).fit(X, data.target)
    assert enough.skipped_neurons_.index.tolist() == ["neuron001"]
    with pytest.warns(HypothesisWarning, match="1 of 3 neurons have no hypothesis"):
        HypothesisExtractor(told, n_hypotheses=3).fit(X, data.target)


def test_nothing_to_interpret_is_an_error(X, data):
    with pytest.raises(ValueError, match=r"any neuron into words: neuron000.*constant"):
        HypothesisExtractor().fit(X * 0, data.target)
    strange = frame(X.to_numpy(), [f"word{i}" for i in range(len(X))])
    with pytest.raises(ValueError, match=r"no statement found.*words in common"):
        HypothesisExtractor().fit(strange, data.target)


# Missing answers


class Hesitates(BaseEstimator):
    """An annotator that has no answer for some texts, and none for some hypotheses."""

    def __init__(self, silent=(), every=3):
        self.silent = silent
        self.every = every

    def fit(self, texts, hypotheses, activations, *, random_state):
        assert activations.shape == (len(texts), len(hypotheses))
        self.lexicon_ = LexiconAnnotator().fit(texts, hypotheses)
        return self

    def annotate(self, texts):
        annotations = self.lexicon_.annotate(texts)
        annotations[[len(text) % self.every == 0 for text in texts]] = np.nan
        annotations[:, list(self.silent)] = np.nan
        return annotations


def test_missing_answers_stay_missing_and_no_row_is_lost(X, data):
    extractor = HypothesisExtractor(TOLD, annotator=Hesitates(), random_state=0)
    extractor.fit(X, data.target)
    annotations = extractor.transform(X)
    unknown = np.array([len(text) % 3 == 0 for text in X.index])
    assert annotations.isna().all(axis=1).tolist() == unknown.tolist()
    prevalence = annotations.mean().to_numpy()  # of the texts with an answer
    np.testing.assert_allclose(extractor.prevalence_, prevalence)
    assert (extractor.hypotheses_["missing"] == unknown.sum()).all()
    imputed = annotations.fillna(annotations.mean())
    model = RidgeCV(_PENALTIES).fit(imputed.to_numpy(), data.target)
    predicted = extractor.predict(X)
    np.testing.assert_allclose(predicted, model.predict(imputed.to_numpy()))
    assert len(predicted) == len(X)
    score = extractor.score(X, data.target)
    assert score == pytest.approx(r2_score(data.target, predicted))
    assert extractor.score_annotations(annotations, data.target) == score


def test_the_training_prevalence_is_imputed_later(X, data):
    """Not that of the rows at hand."""
    extractor = HypothesisExtractor(TOLD, annotator=Hesitates(), random_state=0)
    extractor.fit(X, data.target)
    silent = X[[len(text) % 3 == 0 for text in X.index]]
    model = extractor.final_estimator_
    expected = model.predict(extractor.prevalence_[None])
    np.testing.assert_allclose(
        extractor.predict(silent), np.full(len(silent), expected)
    )


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_hypothesis_without_any_answer_takes_no_part(X, data, task):
    y = data.target if task == "regression" else data.target > 0
    extractor = HypothesisExtractor(
        TOLD, annotator=Hesitates(silent=(1,)), random_state=0
    )
    statement = (
        HypothesisExtractor(TOLD, random_state=0).fit(X, y).get_feature_names_out()[1]
    )
    with pytest.warns(HypothesisWarning, match="No answer") as caught:
        extractor.fit(X, y)
    assert statement in str(caught[0].message)
    assert extractor.hypotheses_["coef"][1] == 0
    assert np.isnan(extractor.prevalence_[1])
    assert extractor.hypotheses_["missing"][1] == len(X)
    assert extractor.transform(X).iloc[:, 1].isna().all()
    before = extractor.predict(X)
    assert len(before) == len(X)
    extractor.annotator_.silent = ()  # answers arrive that training never saw
    assert extractor.predict(X).tolist() == before.tolist()


def test_no_answer_at_all(X, data):
    extractor = HypothesisExtractor(TOLD, annotator=Hesitates(every=1), random_state=0)
    with pytest.warns(HypothesisWarning, match="No answer"):
        extractor.fit(X, data.target)
    assert (extractor.hypotheses_["coef"] == 0).all()
    np.testing.assert_allclose(extractor.predict(X), data.target.mean())


class Miscounts(Hesitates):
    def annotate(self, texts):
        return super().annotate(texts)[:, :-1]


def test_annotations_of_the_wrong_shape(X, data, fitted):
    with pytest.raises(
        ValueError, match=r"Miscounts.annotate .*\(400, 2\).*\(400, 3\)"
    ):
        HypothesisExtractor(annotator=Miscounts()).fit(X, data.target)
    with pytest.raises(ValueError, match=r"\(400, 2\)"):
        fitted.score_annotations(fitted.transform(X).iloc[:, :2], data.target)


# The sample


def test_max_annotated(X, data):
    def fit(max_annotated, seed=0):
        extractor = HypothesisExtractor(max_annotated=max_annotated, random_state=seed)
        return extractor.fit(X, data.target)

    extractor, whole = fit(50), fit(None)
    names = whole.get_feature_names_out().tolist()
    assert extractor.get_feature_names_out().tolist() == names
    annotated = 50 * extractor.prevalence_
    np.testing.assert_allclose(annotated, np.round(annotated))
    assert not np.array_equal(extractor.prevalence_, whole.prevalence_)
    pd.testing.assert_frame_equal(extractor.hypotheses_, fit(50).hypotheses_)
    assert not np.array_equal(extractor.prevalence_, fit(50, seed=1).prevalence_)
    with pytest.raises(ValueError, match="max_annotated"):
        fit(1)


class Remembers(LexiconAnnotator):
    """An annotator that remembers what it was asked last."""

    def annotate(self, texts):
        self.asked_ = list(texts)
        return super().annotate(texts)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_sampled_texts_keep_their_targets(X, data, task):
    assert X.index.is_unique
    y = pd.Series(data.target if task == "regression" else data.target > 0, X.index)
    extractor = HypothesisExtractor(
        TOLD, Remembers(), max_annotated=60, random_state=0
    ).fit(X, y)
    asked = extractor.annotator_.asked_
    assert len(set(asked)) == 60
    known = extractor.transform(X.loc[asked]).to_numpy()
    model = clone(extractor.final_estimator_).fit(known, y[asked])
    np.testing.assert_allclose(extractor.final_estimator_.coef_, model.coef_)


# texts without a target


@pytest.fixture(scope="module")
def labelled(data):
    return np.random.RandomState(1).random_sample(len(data.target)) < 0.3


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize(
    "params", [{}, {"n_hypotheses": 2}, {"max_annotated": 60}], ids=str
)
def test_texts_without_a_target_are_not_learned_from(X, data, labelled, task, params):
    """All but the words is as if they were not there; these are told here."""
    y = data.target if task == "regression" else np.where(data.target > 0, "b", "a")
    gaps = np.where(labelled, y, np.nan if task == "regression" else None)
    strategies = {"interpreter": TOLD, "annotator": Hesitates(), "random_state": 0}
    extractor = HypothesisExtractor(**strategies, **params).fit(X, gaps)
    alone = HypothesisExtractor(**strategies, **params).fit(X[labelled], y[labelled])
    assert extractor.task_ == alone.task_ == task
    columns = ["neuron", "hypothesis", "association", "coef", "prevalence", "missing"]
    pd.testing.assert_frame_equal(
        extractor.hypotheses_[columns], alone.hypotheses_[columns]
    )
    np.testing.assert_array_equal(extractor.predict(X), alone.predict(X))
    if task == "classification":
        np.testing.assert_array_equal(extractor.classes_, ["a", "b"])


def test_texts_without_a_target_help_to_find_the_words(X, data, labelled):
    gaps = np.where(labelled, data.target, np.nan)
    without = HypothesisExtractor(LexiconInterpreter(embedder=None), random_state=0)
    extractor = clone(without).fit(X, gaps)
    whole = clone(without).fit(X, data.target)
    alone = clone(without).fit(X[labelled], data.target[labelled])
    # that is how much y has to do with the words
    pd.testing.assert_frame_equal(extractor.candidates_, whole.candidates_)
    assert not extractor.candidates_.equals(alone.candidates_)
    marks = extractor.transform(X[labelled]).to_numpy()
    np.testing.assert_allclose(extractor.prevalence_, marks.mean(axis=0))
    model = RidgeCV(_PENALTIES).fit(marks, data.target[labelled])
    expected = model.predict(extractor.transform(X).to_numpy())
    np.testing.assert_allclose(extractor.predict(X), expected)


def test_only_texts_with_a_target_are_annotated(X, data, labelled):
    assert X.index.is_unique
    gaps = np.where(labelled, data.target, np.nan)
    extractor = HypothesisExtractor(TOLD, Remembers(), random_state=0).fit(X, gaps)
    assert extractor.annotator_.asked_ == X.index[labelled].tolist()


def test_the_strongest_association_may_be_a_negative_one(X, data):
    sides = np.where(np.arange(len(X)) % 2, 0, 2)
    y = np.where(data.truth[:, 0] > 0, sides, 1)  # with the concept, not the middle
    labels = np.array(["low", "mid", "top"])[y]
    extractor = HypothesisExtractor(TOLD).fit(X, labels)
    r = np.corrcoef(X, y[:, None] == np.arange(3), rowvar=False)[:3, 3:]
    strongest = r[np.arange(3), np.abs(r).argmax(axis=1)]
    assert strongest[0] < 0
    np.testing.assert_allclose(extractor.hypotheses_["association"], strongest, 1e-4)


def test_hypotheses_that_tell_no_texts_apart_are_named(X, data):
    texts = [f"{text} always" for text in X.index]
    told = Recites((*TOLD.hypotheses[:2], ("mentions always", ("always",))))
    with pytest.warns(HypothesisWarning, match=r"True of all .* 1 hypothesis,") as got:
        HypothesisExtractor(told).fit(frame(X.to_numpy(), texts), data.target)
    assert "['mentions always']" in str(got[0].message)


# Tasks, estimators and scores


def classes_of(data, kind):
    halves = data.target > np.median(data.target)
    thirds = np.digitize(data.target, np.quantile(data.target, [1 / 3, 2 / 3]))
    return {
        "bool": halves,
        "int": np.where(halves, 3, -1),
        "str": np.where(halves, "yes", "no"),
        "object": np.where(halves, "yes", "no").astype(object),
        "series": pd.Series(np.where(halves, "yes", "no")),
        "categorical": pd.Series(np.where(halves, "yes", "no")).astype("category"),
        "three": np.array(["low", "mid", "top"])[thirds],
    }[kind]


@pytest.mark.parametrize(
    "kind", ["bool", "int", "str", "object", "series", "categorical", "three"]
)
def test_classification(X, data, kind):
    y = classes_of(data, kind)
    extractor = HypothesisExtractor(TOLD, random_state=0).fit(X, y)
    assert extractor.task_ == "classification"
    assert isinstance(extractor.final_estimator_, LogisticRegression)
    assert extractor.classes_.tolist() == sorted(set(y))
    annotations = extractor.transform(X).to_numpy()
    model = LogisticRegression(max_iter=1000).fit(annotations, np.asarray(y))
    predicted = extractor.predict(X)
    assert predicted.tolist() == model.predict(annotations).tolist()
    assert np.mean(predicted == np.asarray(y)) > (0.45 if kind == "three" else 0.65)
    probabilities = extractor.predict_proba(X)
    np.testing.assert_allclose(probabilities, model.predict_proba(annotations))
    if kind == "three":
        expected = roc_auc_score(y, probabilities, multi_class="ovr")
        assert extractor.decision_function(X).shape == (400, 3)
        assert extractor.hypotheses_["coef"].isna().all()
        assert (extractor.hypotheses_["association"].abs() > 0.1).all()
    else:
        expected = roc_auc_score(np.asarray(y), probabilities[:, 1])
        coefficients = model.coef_[0]
        np.testing.assert_allclose(extractor.hypotheses_["coef"], coefficients)
    assert extractor.score(X, y) == pytest.approx(expected)


def test_numbers_are_regressed_on(X, data):
    for y in (np.digitize(data.target, [-1, 1]) - 1, data.target.tolist()):
        extractor = HypothesisExtractor(TOLD).fit(X, y)
        assert extractor.task_ == "regression"
        assert not hasattr(extractor, "classes_")
        assert not hasattr(extractor, "predict_proba")
        assert not hasattr(extractor, "decision_function")
        assert extractor.score(X, y) == pytest.approx(r2_score(y, extractor.predict(X)))


def test_a_refit_forgets_the_former_task(X, data):
    extractor = HypothesisExtractor(TOLD).fit(X, data.target > 0)
    assert is_classifier(extractor)
    extractor.fit(X, data.target)
    assert is_regressor(extractor)
    assert not hasattr(extractor, "classes_")
    assert not hasattr(extractor, "predict_proba")


def test_tags(X, data):
    assert is_regressor(HypothesisExtractor())
    assert is_regressor(HypothesisExtractor(TOLD, task="regression"))
    named = HypothesisExtractor(TOLD, task="classification")
    assert is_classifier(named)
    assert is_classifier(make_pipeline(StandardScaler(), named))
    fitted = HypothesisExtractor(TOLD).fit(X, data.target > 0)
    assert is_classifier(fitted)
    assert is_regressor(clone(fitted))
    assert named.__sklearn_tags__().target_tags.required


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_sample_weight(X, data, task):
    y = data.target if task == "regression" else data.target > 0
    weights = np.random.RandomState(0).randint(0, 4, len(y))
    extractor = HypothesisExtractor(TOLD, random_state=0).fit(X, y)
    repeated = np.repeat(np.arange(len(y)), weights)
    weighted = extractor.score(X, y, sample_weight=weights)
    expected = extractor.score(X.iloc[repeated], np.asarray(y)[repeated])
    assert weighted == pytest.approx(expected)
    assert weighted != pytest.approx(extractor.score(X, y), abs=1e-6)


class Wavers(ClassifierMixin, BaseEstimator):
    """A classifier with neither probabilities nor a decision function."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.tree_ = RandomForestClassifier(5, random_state=0).fit(X, y)
        return self

    def predict(self, X):
        return self.tree_.predict(X)


@pytest.mark.parametrize("kind", ["str", "three"])
@pytest.mark.parametrize(
    "final",
    [
        RandomForestClassifier(5, random_state=0),
        LinearSVC(),
        RidgeClassifier(),
        Perceptron(),
        DummyClassifier(),
        Wavers(),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda final: type(final).__name__,
)
def test_any_classifier_may_be_the_last(X, data, kind, final):
    y = classes_of(data, kind)
    extractor = HypothesisExtractor(TOLD, final_estimator=final).fit(X, y)
    annotations = extractor.transform(X).to_numpy()
    model = clone(final).fit(annotations, y)
    assert extractor.predict(X).tolist() == model.predict(annotations).tolist()
    for method in ("predict_proba", "decision_function"):
        assert hasattr(extractor, method) == hasattr(model, method)
    score = extractor.score(X, y)
    if isinstance(final, DummyClassifier):
        assert score == 0.5
    else:
        assert 0.5 < score <= 1
    if kind == "str" and hasattr(model, "decision_function"):
        assert score == pytest.approx(
            roc_auc_score(y, model.decision_function(annotations))
        )


@pytest.mark.parametrize("final", [Ridge(), RandomForestRegressor(5, random_state=0)])
def test_any_regressor_may_be_the_last(X, data, final):
    extractor = HypothesisExtractor(TOLD, final_estimator=final).fit(X, data.target)
    annotations = extractor.transform(X).to_numpy()
    model = clone(final).fit(annotations, data.target)
    np.testing.assert_allclose(extractor.predict(X), model.predict(annotations))
    assert hasattr(final, "coef_") is False  # the parameter is not fitted
    has_one = isinstance(final, Ridge)
    assert extractor.hypotheses_["coef"].isna().all() == (not has_one)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y"),
        ([1.0] * 399, "inconsistent numbers of samples"),
        ([np.nan] * 400, "contains NaN only"),
        ([None] * 399 + ["a"], "one of 400 rows has a target"),
        ([np.nan] + [1.0] * 399, "constant"),
        ([None] + ["a"] * 399, "single class"),
        ([np.nan] + [1.0] * 398, "inconsistent numbers of samples"),
        ([np.inf] + list(range(399)), "infinity"),
        (["a"] * 400, "single class"),
    ],
)
def test_bad_targets(X, y, message):
    with pytest.raises(ValueError, match=message):
        HypothesisExtractor().fit(X, y)


def test_strings_are_no_quantity(X):
    with pytest.raises(ValueError, match=r"numeric for task='regression'.*'a'"):
        HypothesisExtractor(task="regression").fit(X, ["a", "b"] * 200)


@pytest.mark.parametrize(
    "params",
    [
        {"interpreter": "lexicon"},
        {"annotator": LexiconInterpreter()},
        {"final_estimator": "ridge"},
        {"task": "ranking"},
        {"random_state": "seed"},
    ],
)
def test_bad_parameters_are_named(params, X, data):
    with pytest.raises(ValueError, match=next(iter(params))):
        HypothesisExtractor(**params).fit(X, data.target)


# Seeds, keys, and what leaves the object


def test_same_seed_same_tables(X, data):
    fits = [
        HypothesisExtractor(random_state=seed).fit(X, data.target)
        for seed in (0, 0, np.random.RandomState(0), 1)
    ]
    for other in fits[1:3]:
        pd.testing.assert_frame_equal(fits[0].hypotheses_, other.hypotheses_)
        pd.testing.assert_frame_equal(fits[0].candidates_, other.candidates_)
    fidelities = ["f1", "precision", "recall", "correlation"]
    assert not fits[0].hypotheses_[fidelities].equals(fits[3].hypotheses_[fidelities])


def test_the_global_generator_is_left_alone(X, data):
    before = np.random.get_state()  # noqa: NPY002
    HypothesisExtractor(random_state=0).fit(X, data.target).score(X, data.target)
    after = np.random.get_state()  # noqa: NPY002
    assert before[2] == after[2]
    assert np.array_equal(before[1], after[1])


KEYS = (
    "OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "ANTHROPIC_API_KEY",
    "HF_TOKEN",
)


def test_keys_in_the_environment_change_nothing(X, data, fitted, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("tried to open a connection")

    for key in KEYS:
        monkeypatch.setenv(key, "a key that must not be used")
    monkeypatch.setattr(socket.socket, "connect", refuse)
    extractor = HypothesisExtractor(random_state=0).fit(X, data.target)
    assert isinstance(extractor.interpreter_, LexiconInterpreter)
    assert isinstance(extractor.annotator_, LexiconAnnotator)
    pd.testing.assert_frame_equal(extractor.hypotheses_, fitted.hypotheses_)
    extractor.score(X, data.target)


def test_the_given_strategies_stay_unfitted(X, data):
    interpreter, annotator = LexiconInterpreter(3), LexiconAnnotator()
    extractor = HypothesisExtractor(interpreter, annotator).fit(X, data.target)
    assert extractor.interpreter_ is not interpreter
    assert extractor.annotator_ is not annotator
    assert not hasattr(annotator, "terms_")
    assert all(len(h.terms) <= 3 for h in extractor._hypotheses)


def test_odd_texts_among_the_training_texts(X, data):
    texts = X.index.to_numpy(dtype=object).copy()
    texts[:5] = ["", " \n", "\ud800 thank you", "tea \ud83d", "thank you " * 20_000]
    texts[5] = "\x00 thank\u200byou \u202e"
    rows = frame(X.to_numpy(), texts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extractor = HypothesisExtractor(random_state=0).fit(rows, data.target)
    annotations = extractor.transform(rows)
    assert annotations.index.tolist() == texts.tolist()
    assert annotations.iloc[:2].to_numpy().sum() == 0
    assert np.isfinite(extractor.predict(rows)).all()


def test_repeated_rows(X, data):
    rows = np.r_[np.arange(400), np.arange(100), np.zeros(50, dtype=int)]
    extractor = HypothesisExtractor(TOLD, random_state=0)
    extractor.fit(X.iloc[rows], data.target[rows])
    annotations = extractor.transform(X.iloc[rows])
    assert annotations.shape == (550, 3)
    assert (annotations.iloc[500:].to_numpy() == annotations.iloc[0].to_numpy()).all()


@pytest.mark.parametrize(
    "annotator", [None, EmbeddingAnnotator(TextEmbedder(n_components=8))]
)
def test_pickle_and_clone(X, data, annotator):
    extractor = HypothesisExtractor(annotator=annotator, random_state=0)
    extractor.fit(X, data.target)
    copied = pickle.loads(pickle.dumps(extractor))  # noqa: S301
    assert copied.predict(X).tolist() == extractor.predict(X).tolist()
    pd.testing.assert_frame_equal(copied.hypotheses_, extractor.hypotheses_)
    fresh = clone(extractor)
    assert not hasattr(fresh, "hypotheses_")
    again = fresh.fit(X, data.target)
    pd.testing.assert_frame_equal(again.hypotheses_, extractor.hypotheses_)


@pytest.mark.parametrize(
    "annotator", [None, EmbeddingAnnotator(TextEmbedder(n_components=8))]
)
def test_neither_the_display_nor_the_pickle_holds_training_texts(data, annotator):
    secret = "zqxj private wvkp"
    texts = [f"{text} {secret}{i}" for i, text in enumerate(data.data)]
    pipe = make_hypothesis_pipeline(
        n_texts=300, n_neurons=12, k=3, n_select=4, random_state=0, annotator=annotator
    ).set_params(sae__max_epochs=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        pipe.fit(texts, data.target)
    html = pipe._repr_html_()
    assert "HypothesisExtractor" in html
    assert not any(text[:40] in html for text in texts)
    for shown in (html, repr(pipe), str(pickle.dumps(pipe))):
        assert secret not in shown


def test_callbacks_see_three_tasks(X, data):
    log = CallbackLog()
    HypothesisExtractor(TOLD, random_state=0).set_callbacks(log).fit(X, data.target)
    tasks = ["interpret neurons", "annotate texts", "fit final estimator", "fit"]
    ended = [event for event in log.events if not event.startswith("begin")]
    assert ended == ["setup", *(f"end {task}" for task in tasks), "teardown"]


def test_a_monitor_scores_the_finished_extractor(X, data):
    monitor = ScoringMonitor(scoring="r2")
    extractor = HypothesisExtractor(TOLD, random_state=0).set_callbacks(monitor)
    extractor.fit(X, data.target)
    log = monitor.get_logs(select="most_recent")
    assert log.data[-1]["r2"] == pytest.approx(extractor.score(X, data.target))


def test_callbacks_end_when_fit_fails(X, data):
    log = CallbackLog()
    extractor = HypothesisExtractor(random_state=0).set_callbacks(log)
    with pytest.raises(ValueError, match="constant"):
        extractor.fit(X * 0, data.target)
    assert log.events[-1] == "teardown"
    assert not any(event.startswith("end") for event in log.events)
    extractor.fit(X, data.target)
    assert extractor.hypotheses_.shape == (3, 11)


def test_names_stand_before_statements_and_change_nothing_else(X, data):
    extractor = HypothesisExtractor(TOLD, random_state=0).fit(X, data.target)
    before, marks = extractor.hypotheses_, extractor.transform(X)
    first, second, third = before["hypothesis"]
    assert before["name"].tolist() == ["", "", ""]
    given = {first: "  Gratitude\nto all ", 1: "two", before["neuron"][2]: "three"}
    assert extractor.rename(given) is extractor
    after = extractor.hypotheses_
    assert after["name"].tolist() == ["Gratitude to all", "two", "three"]
    pd.testing.assert_frame_equal(
        after.drop(columns="name"), before.drop(columns="name")
    )
    pd.testing.assert_frame_equal(extractor.transform(X), marks)
    extractor.rename({second: ""})
    assert extractor.hypotheses_["name"].tolist() == ["Gratitude to all", "", "three"]
    labels = [h.label for h in extractor._hypotheses]
    assert labels == [f"Gratitude to all: {first}", second, f"three: {third}"]
    again = copy.deepcopy(extractor)
    assert again.hypotheses_["name"].equals(extractor.hypotheses_["name"])


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ("gratitude", TypeError, "must be a dict"),
        ({0: None}, TypeError, "a name must be a text"),
        ({7: "x"}, ValueError, "from 0 to 2"),
        ({"neuron07": "x"}, ValueError, "no hypothesis here"),
        ({1.5: "x"}, TypeError, "row number"),
    ],
)
def test_names_that_cannot_be_given(names, error, message, X, data):
    extractor = HypothesisExtractor(TOLD, random_state=0).fit(X, data.target)
    with pytest.raises(error, match=rf"HypothesisExtractor\.rename: .*{message}"):
        extractor.rename({1: "kept out"} | names if isinstance(names, dict) else names)
    assert extractor.hypotheses_["name"].tolist() == ["", "", ""]
    with pytest.raises(NotFittedError):
        HypothesisExtractor().rename({})


def test_cross_validation_of_the_extractor_alone(X, data):
    scores = cross_val_score(
        HypothesisExtractor(TOLD, random_state=0), X, data.target, cv=3
    )
    assert (scores > 0).all()


def labelled_classes(n_rows=300, seed=0):
    """Three classes, of which one is rare, and a neuron for each of two words."""
    rng = np.random.RandomState(seed)
    truth = (rng.uniform(size=(n_rows, 2)) < 0.4).astype(float)
    texts = [
        " ".join(["plain", "words", *np.array(["apple", "stone"])[row > 0]])
        for row in truth
    ]
    y = np.where(truth[:, 0] > 0, "m", "z").astype(object)
    y[:2] = "a"
    index = pd.Index(texts, dtype=object, name="text")
    return pd.DataFrame(truth, index=index, columns=["n0", "n1"]), y


def test_a_sample_of_the_texts_holds_every_class():
    X, y = labelled_classes()
    extractor = HypothesisExtractor(max_annotated=30, random_state=0).fit(X, y)
    assert extractor.final_estimator_.classes_.tolist() == ["a", "m", "z"]
    assert extractor.predict_proba(X).shape == (len(X), 3)
    assert 0.5 < extractor.score(X, y) <= 1
    with pytest.raises(ValueError, match="max_annotated=2 is less than the number"):
        HypothesisExtractor(max_annotated=2).fit(X, y)


def test_score_refuses_missing_and_unknown_classes():
    X, y = labelled_classes()
    extractor = HypothesisExtractor(random_state=0).fit(X, y)
    for label, message in ((None, "missing"), ("other", "not there in fit")):
        wrong = y.copy()
        wrong[:5] = label
        with pytest.raises(ValueError, match=message):
            extractor.score(X, wrong)


def test_constant_target_and_mixed_labels_are_refused():
    X, y = labelled_classes()
    with pytest.raises(ValueError, match="y is constant"):
        HypothesisExtractor().fit(X, np.full(len(X), 3.0))
    y[5] = 7
    with pytest.raises(ValueError, match="mixes labels of types int, str"):
        HypothesisExtractor().fit(X, y)


# More neurons than hypotheses


def make_twins():
    """Three concepts, the first of which two neurons have in almost the same words."""
    rng = np.random.RandomState(0)
    truth = rng.random_sample((600, 3)) < 0.3
    twin = truth[:, 0] & (rng.random_sample(600) < 0.97)
    words = np.array(["tea", "rain", "song", "cup"])
    marks = np.column_stack([truth, twin])
    texts = [" ".join(["text", str(i), *words[row]]) for i, row in enumerate(marks)]
    y = truth @ [3.0, 1.0, -1.0] + rng.standard_normal(600)
    return frame(marks.astype(float), texts), y


def test_two_wordings_of_one_concept_do_not_take_two_places():
    X, y = make_twins()
    interpreter = LexiconInterpreter(1, max_words=1, embedder=None)
    settings = {"interpreter": interpreter, "random_state": 0}
    every = HypothesisExtractor(**settings).fit(X, y)
    assert len(every.hypotheses_) == 4
    three = HypothesisExtractor(n_hypotheses=3, **settings).fit(X, y)
    statements = three.hypotheses_["hypothesis"].tolist()
    assert statements == ["mentions tea", "mentions rain", "mentions song"]
    assert three.transform(X).shape == (600, 3)


def test_the_one_that_adds_most_comes_first():
    X, y = make_twins()
    interpreter = LexiconInterpreter(1, max_words=1, embedder=None)
    one = HypothesisExtractor(interpreter, n_hypotheses=1, random_state=0).fit(X, y)
    assert one.hypotheses_["hypothesis"].tolist() == ["mentions tea"]


@pytest.mark.parametrize("seed", range(3))
def test_each_kept_hypothesis_helps_a_ridge_regression_most(seed):
    rng = np.random.RandomState(seed)
    words = np.array([f"word{letter}" for letter in "abcdefgh"])
    shared = rng.random_sample((300, 1))  # so that words go together
    marks = (rng.random_sample((300, 8)) + shared) / 2 < 0.35
    texts = [" ".join(["text", str(i), *words[row]]) for i, row in enumerate(marks)]
    y = marks @ rng.standard_normal(8) + rng.standard_normal(300)
    extractor = HypothesisExtractor(
        LexiconInterpreter(1, max_words=1, embedder=None),
        n_hypotheses=3,
        random_state=0,
    ).fit(frame(marks.astype(float), texts), y)
    Z, kept = (marks - marks.mean(axis=0)) / marks.std(axis=0), []
    for _ in range(3):
        losses = {}
        for j in set(range(8)) - set(kept):
            with_it = Z[:, [*kept, j]]
            coef = Ridge(1000, fit_intercept=False).fit(with_it, y - y.mean()).coef_
            error = y - y.mean() - with_it @ coef
            losses[j] = error @ error + 1000 * coef @ coef
        kept.append(min(losses, key=losses.get))
    statements = extractor.hypotheses_["hypothesis"].tolist()
    assert statements == [f"mentions {words[j]}" for j in sorted(kept)]


# Counts -----------------------------------------------------------------------------


def test_counts_are_learned_by_their_logarithms(X, data):
    counts = np.floor(np.exp(data.target))
    logs = np.log1p(counts)
    extractor = HypothesisExtractor(random_state=0).fit(X, counts)
    same = HypothesisExtractor(random_state=0).fit(X, logs)
    assert (extractor.target_scale_, same.target_scale_) == ("log1p", "identity")
    pd.testing.assert_frame_equal(extractor.hypotheses_, same.hypotheses_)
    np.testing.assert_allclose(extractor.predict(X), np.expm1(same.predict(X)))
    annotations = extractor.transform(X)
    np.testing.assert_array_equal(
        extractor.predict_annotations(annotations),
        same.predict_annotations(annotations),
    )
    expected = r2_score(logs, np.log1p(extractor.predict(X)))
    assert extractor.score(X, counts) == pytest.approx(expected)


def test_counts_may_be_learned_as_they_are(X, data):
    counts = np.floor(np.exp(data.target))
    plain = HypothesisExtractor(target_scale="identity", random_state=0).fit(X, counts)
    assert plain.target_scale_ == "identity"
    assert plain.score(X, counts) == pytest.approx(r2_score(counts, plain.predict(X)))


def test_a_fit_that_knew_no_scales_predicts_as_before(fitted, X):
    old = copy.deepcopy(fitted)
    del old.target_scale_
    np.testing.assert_array_equal(old.predict(X), fitted.predict(X))
