"""The four steps together: every way in which scikit-learn calls a Pipeline."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_hypo import (
    EmbeddingAnnotator,
    HypothesisExtractor,
    LexiconInterpreter,
    NeuronSelector,
    SparseAutoencoderTransformer,
    SupervisedSAETransformer,
    TextEmbedder,
    make_hypothesis_pipeline,
)
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import HypothesisWarning, NotTextLabelledError

pytestmark = pytest.mark.filterwarnings(
    # few texts: some neurons are dead or have no words
    "ignore::sklearn_hypo.exceptions.HypothesisWarning"
)


N = 180
ANIMALS = ["cow", "duck", "goat", "hen", "horse", "owl"]
COLORS = ["blue", "brown", "grey", "green", "red", "white"]
VERBS = ["eats", "goes", "sees", "sits", "sleeps", "waits"]
FORMS = {
    "thanks": ["thanks", "thanks a lot", "many thanks"],
    "rain": ["rain", "so much rain", "rain again"],
    "music": ["a song", "that song", "this old song"],
}


@pytest.fixture(scope="module")
def data():
    filler = [f"{a} {b} {c}" for a in ANIMALS for b in COLORS for c in VERBS]
    return make_concept_texts(
        N,
        concepts=FORMS,
        effects=[2.0, -2.0, 1.0],
        prevalence=0.3,
        noise=0.3,
        base_texts=filler,
        random_state=0,
    )


@pytest.fixture(scope="module")
def texts(data):
    return data.data


@pytest.fixture(scope="module")
def y(data):
    return data.target


@pytest.fixture(scope="module")
def classes(data):
    return np.where(data.target > 0.5, "yes", "no")


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def _routing(request):
    with config_context(enable_metadata_routing=request.param):
        yield


both_routings = pytest.mark.usefixtures("_routing")


# the same in other processes, whatever is installed
LEXICONS = LexiconInterpreter(embedder=TextEmbedder("lsa", random_state=0))


def make_pipe(task="auto", **params):
    pipe = Pipeline(
        [
            ("embed", TextEmbedder(n_components=16, random_state=0)),
            (
                "sae",
                SparseAutoencoderTransformer(12, 3, max_epochs=6, random_state=0),
            ),
            ("select", NeuronSelector(5, method="correlation", task=task)),
            ("hypotheses", HypothesisExtractor(LEXICONS, task=task, random_state=0)),
        ]
    )
    return pipe.set_params(**params)


@pytest.fixture(scope="module")
def fitted(texts, y):
    return make_pipe().fit(texts, y)


def with_step(pipe, position, name, step):
    steps = list(pipe.steps)
    steps.insert(position, (name, step))
    return Pipeline(steps)


# Nothing configured


@pytest.mark.parametrize("container", [list, tuple, np.array, pd.Series, pd.DataFrame])
def test_any_container(texts, y, fitted, container):
    annotations = make_pipe().fit_transform(container(list(texts)), y)
    assert annotations.equals(fitted.transform(texts))
    assert annotations.equals(fitted.transform(container(list(texts))))


@both_routings
def test_nothing_configured(texts, y):
    pipe = make_pipe().fit(texts, y)
    annotations = pipe.transform(texts)
    assert annotations.index.tolist() == list(texts)
    assert list(annotations.columns) == list(pipe.get_feature_names_out())
    assert annotations.columns.str.startswith("mentions ").all()
    assert pipe.score(texts, y) == pytest.approx(r2_score(y, pipe.predict(texts)))
    assert pipe.score(texts, y) > 0.2


def test_sample_weight(texts, y):
    pipe = make_pipe().fit(texts, y)
    weights = np.arange(len(y))
    expected = r2_score(y, pipe.predict(texts), sample_weight=weights)
    assert pipe.score(texts, y, sample_weight=weights) == pytest.approx(expected)
    with config_context(enable_metadata_routing=True):
        pipe[-1].set_score_request(sample_weight=True)
        assert pipe.score(texts, y, sample_weight=weights) == pytest.approx(expected)
        found = cross_val_score(
            pipe, texts, y, cv=2, params={"sample_weight": np.ones(len(y))}
        )
    assert np.array_equal(found, cross_val_score(make_pipe(), texts, y, cv=2))


def test_names_keep_their_origin(texts, y, fitted):
    pipe = fitted
    assert pipe[:1].get_feature_names_out()[3] == "embedding003"
    assert pipe[:2].get_feature_names_out()[11] == "neuron011"
    selected = pipe[:3].get_feature_names_out()
    assert set(selected) < set(pipe[:2].get_feature_names_out())
    described = ", ".join(pipe[-1].hypotheses_["neuron"]).split(", ")
    assert set(described) | set(pipe[-1].skipped_neurons_.index) == set(selected)
    for step in range(1, 4):
        assert pipe[:step].transform(texts).index.name == "text"


# Cross-validation and search


@both_routings
def test_cross_val_score_in_two_processes(texts, y):
    """In joblib's own processes, which import everything afresh."""
    one, two = (cross_val_score(make_pipe(), texts, y, cv=3, n_jobs=n) for n in (1, 2))
    assert np.array_equal(one, two)
    by_hand = []
    for train, test in KFold(3).split(texts):
        pipe = make_pipe().fit(texts[train], y[train])
        by_hand.append(pipe.score(texts[test], y[test]))
    assert np.array_equal(one, by_hand)


@both_routings
@pytest.mark.parametrize(
    ("scoring", "task"),
    [
        (None, "auto"),
        ("roc_auc", "auto"),
        ("roc_auc", "classification"),
        ("accuracy", "auto"),
    ],
)
def test_classification_scorers(texts, classes, scoring, task):
    cv = StratifiedKFold(2)
    found = cross_val_score(make_pipe(task), texts, classes, cv=cv, scoring=scoring)
    for score, (train, test) in zip(found, cv.split(texts, classes), strict=True):
        pipe = make_pipe().fit(texts[train], classes[train])
        probability = pipe.predict_proba(texts[test])[:, 1]
        if scoring == "accuracy":
            expected = accuracy_score(classes[test], pipe.predict(texts[test]))
        else:
            expected = roc_auc_score(classes[test] == "yes", probability)
        assert score == pytest.approx(expected)


@both_routings
def test_regression_scorers(texts, y):
    cv = KFold(2, shuffle=True, random_state=0)
    scoring = ["r2", "neg_mean_squared_error"]
    found = cross_validate(make_pipe(), texts, y, cv=cv, scoring=scoring)
    own = cross_val_score(make_pipe(), texts, y, cv=cv)
    assert np.array_equal(found["test_r2"], own)
    assert (found["test_neg_mean_squared_error"] < 0).all()


def test_a_named_task_is_stratified(texts):
    """Sorted labels in folds that are not stratified hold one class each."""
    labels = np.sort(np.arange(len(texts)) % 2)
    scores = cross_val_score(make_pipe("classification"), texts, labels, cv=4)
    assert np.isfinite(scores).all()
    assert is_classifier(make_pipe("classification"))
    assert is_regressor(make_pipe("regression"))


@both_routings
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_cross_val_predict(texts, classes, method):
    cv = StratifiedKFold(2)
    found = cross_val_predict(make_pipe(), texts, classes, cv=cv, method=method)
    train, test = next(cv.split(texts, classes))
    pipe = make_pipe().fit(texts[train], classes[train])
    expected = getattr(pipe, method)(texts[test])
    assert np.array_equal(found[test], expected)


@both_routings
@pytest.mark.parametrize("ensemble", [True, False])
def test_calibration(texts, classes, ensemble):
    calibrated = CalibratedClassifierCV(
        make_pipe("classification"), cv=3, ensemble=ensemble
    )
    calibrated.fit(texts, classes)
    probabilities = calibrated.predict_proba(texts)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert roc_auc_score(classes == "yes", probabilities[:, 1]) > 0.6


@both_routings
@pytest.mark.usefixtures("cheap_processes")
def test_grid_search_over_sizes_in_two_processes(texts, y):
    grid = {"sae__n_neurons": [8, 12], "sae__k": [2, 3]}
    one, two = (
        GridSearchCV(make_pipe(), grid, cv=2, n_jobs=n).fit(texts, y) for n in (1, 2)
    )
    for name in ("mean_test_score", "std_test_score", "rank_test_score"):
        assert np.array_equal(one.cv_results_[name], two.cv_results_[name])
    assert len(set(one.cv_results_["mean_test_score"])) > 1
    assert np.array_equal(one.predict(texts), two.predict(texts))
    assert one.transform(texts).equals(two.transform(texts))


@both_routings
@pytest.mark.usefixtures("cheap_processes")
def test_texts_without_a_target_join_every_training_fold(texts, y):
    """As the user guide has it."""
    labelled = np.random.RandomState(0).random_sample(N) < 0.6
    gaps = np.where(labelled, y, np.nan)
    known, others = np.flatnonzero(labelled), np.flatnonzero(~labelled)
    folds = [
        (np.append(known[train], others), known[test])
        for train, test in KFold(3).split(known)
    ]
    pipe = make_hypothesis_pipeline("lsa", n_neurons=8, k=2, n_select=4, random_state=0)
    assert cross_val_score(pipe, texts, gaps, cv=folds).min() > 0
    search = GridSearchCV(pipe, {"sae__alpha": [0, 1]}, cv=folds, refit=True)
    search.fit(texts, gaps)
    best = search.best_estimator_
    assert best.score(texts[labelled], y[labelled]) > 0.2
    again = clone(best).fit(texts, gaps)
    np.testing.assert_array_equal(again.predict(texts), best.predict(texts))


def test_grid_search_over_the_annotator(texts, classes):
    annotator = EmbeddingAnnotator(TextEmbedder(n_components=8))
    pipe = make_pipe("classification", hypotheses__annotator=annotator)
    grid = {"hypotheses__annotator__threshold": [0.2, "auto"]}
    search = GridSearchCV(pipe, grid, cv=2, n_jobs=2, scoring="roc_auc")
    search.fit(texts, classes)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    thresholds = search.best_estimator_[-1].annotator_.thresholds_
    fixed = search.best_params_["hypotheses__annotator__threshold"] == 0.2
    assert (thresholds == 0.2).all() == fixed
    assert annotator.threshold == "auto"
    assert set(search.predict(texts)) <= {"yes", "no"}


def test_texts_stay_on_their_rows_under_shuffled_folds(texts, y):
    """Each annotation is that of the row's own text."""
    cv = KFold(3, shuffle=True, random_state=1)
    for train, test in cv.split(texts):
        pipe = make_pipe().fit(texts[train], y[train])
        annotations = pipe.transform(texts[test])
        assert annotations.index.tolist() == texts[test].tolist()
        for text, row in zip(texts[test][:5], annotations.to_numpy(), strict=False):
            assert pipe.transform([text]).to_numpy()[0].tolist() == row.tolist()


# In front of another estimator, and with others in between


@both_routings
@pytest.mark.usefixtures("cheap_processes")
def test_in_the_middle_of_a_pipeline(texts, classes):
    pipe = make_pipeline(*clone(make_pipe("classification")), LogisticRegression())
    scores = cross_val_score(
        pipe, texts, classes, cv=StratifiedKFold(3), scoring="roc_auc", n_jobs=2
    )
    assert (scores > 0.6).all()
    names = pipe.fit(texts, classes)[-1].feature_names_in_
    assert all(name.startswith("mentions ") for name in names)


@pytest.mark.parametrize("position", [1, 2, 3])
def test_a_foreign_step_drops_the_texts_and_set_output_keeps_them(texts, y, position):
    pipe = with_step(make_pipe(), position, "scale", StandardScaler(with_mean=False))
    with pytest.raises(NotTextLabelledError, match=r'set_output\(transform="pandas"\)'):
        pipe.fit(texts, y)
    pipe.set_output(transform="pandas").fit(texts, y)
    assert pipe.transform(texts).index.tolist() == list(texts)
    assert np.isfinite(pipe.score(texts, y))
    scores = cross_val_score(pipe, texts, y, cv=2)
    assert np.isfinite(scores).all()


def test_a_step_inserted_after_set_output_lacks_it(texts, y):
    pipe = make_pipe().set_output(transform="pandas")
    pipe = with_step(pipe, 2, "scale", StandardScaler(with_mean=False))
    with pytest.raises(NotTextLabelledError, match="an index named None"):
        pipe.fit(texts, y)


def test_function_transformers(texts, y):
    to_array = FunctionTransformer(lambda X: X.to_numpy())
    pipe = with_step(make_pipe(), 2, "function", to_array)
    with pytest.raises(NotTextLabelledError, match=r"numpy\.ndarray"):
        pipe.fit(texts, y)
    keeps = with_step(make_pipe(), 2, "function", FunctionTransformer(np.sqrt))
    assert keeps.fit(texts, y).transform(texts).index.tolist() == list(texts)
    named = FunctionTransformer(
        lambda X: np.sqrt(np.asarray(X)), feature_names_out="one-to-one"
    )
    pipe = with_step(make_pipe(), 2, "function", named)
    pipe.set_output(transform="pandas").fit(texts, y)
    assert pipe.transform(texts).index.tolist() == list(texts)


def test_polars_output(texts, y):
    polars = pytest.importorskip("polars")
    with config_context(transform_output="polars"):
        with pytest.raises(NotTextLabelledError, match=r"polars\.DataFrame of shape"):
            make_pipe().fit(texts, y)
        pipe = make_pipe().set_output(transform="pandas").fit(texts, y)
        annotations = pipe.transform(texts)
        assert annotations.index.tolist() == list(texts)
    pipe = make_pipe()
    pipe[-1].set_output(transform="polars")
    assert isinstance(pipe.fit(texts, y).transform(texts), polars.DataFrame)


def test_pandas_output_everywhere(texts, y, fitted):
    expected = fitted.transform(texts)
    with config_context(transform_output="pandas"):
        assert make_pipe().fit(texts, y).transform(texts).equals(expected)


def test_sparse_activations_cannot_hold_texts(texts, y):
    with pytest.raises(NotTextLabelledError, match=r"scipy\.csr"):
        make_pipe(sae__output="sparse").fit(texts, y)


@both_routings
def test_feature_union(texts, y):
    words = make_pipeline(TfidfVectorizer(), TruncatedSVD(4, random_state=0))
    hypotheses = make_pipe()
    union = FeatureUnion([("hypotheses", hypotheses), ("words", words)])
    pipe = make_pipeline(union, LinearRegression())
    scores = cross_val_score(pipe, texts, y, cv=3)
    assert np.isfinite(scores).all()
    fitted = pipe.fit(texts, y)
    names = fitted[0].get_feature_names_out()
    assert any(name.startswith("hypotheses__mentions ") for name in names)
    assert fitted[0].transform(texts).shape == (len(texts), len(names))


def test_two_embeddings_side_by_side(texts, y):
    """A FeatureUnion of our own steps needs pandas output to keep the texts."""
    union = FeatureUnion(
        [
            ("words", TextEmbedder(n_components=8, random_state=0)),
            ("few", TextEmbedder(n_components=4, random_state=1)),
        ]
    )
    pipe = Pipeline([("embed", union), *make_pipe().steps[1:]])
    with pytest.raises(NotTextLabelledError):
        pipe.fit(texts, y)
    pipe.set_output(transform="pandas")
    assert pipe.fit(texts, y).transform(texts).index.tolist() == list(texts)


# Precomputed inputs


@both_routings
@pytest.mark.usefixtures("cheap_processes")
def test_precomputed_activations(texts, y, fitted):
    """The second remedy of the message."""
    pipe = fitted
    activations = pipe[:3].transform(texts).to_numpy()
    with pytest.raises(NotTextLabelledError, match=r"pd.Index\(texts, name"):
        HypothesisExtractor(random_state=0).fit(activations, y)
    X = pd.DataFrame(activations, index=pd.Index(texts, name="text"))
    extractor = HypothesisExtractor(random_state=0).fit(X, y)
    assert extractor.score(X, y) == pipe.score(texts, y)
    assert list(extractor.get_feature_names_out()) == list(pipe.get_feature_names_out())
    scores = cross_val_score(extractor, X, y, cv=3, n_jobs=2)
    assert np.isfinite(scores).all()


def test_precomputed_embeddings(texts, y, fitted):
    embeddings = TextEmbedder(n_components=16, random_state=0).fit_transform(texts)
    rest = make_pipe()[1:].fit(embeddings, y)
    assert rest.score(embeddings, y) == fitted.score(texts, y)
    bare = embeddings.to_numpy()
    assert isinstance(clone(rest)[:2].fit(bare, y).transform(bare), np.ndarray)
    with pytest.raises(NotTextLabelledError):
        clone(rest).fit(bare, y)


# Copies


@both_routings
def test_memory(texts, y, fitted, tmp_path):
    expected = fitted.predict(texts)
    for _ in range(2):  # computes, then reads
        pipe = Pipeline(make_pipe().steps, memory=str(tmp_path)).fit(texts, y)
        assert np.array_equal(pipe.predict(texts), expected)
        assert pipe[:3].transform(texts).index.tolist() == list(texts)
    search = GridSearchCV(pipe, {"select__n_select": [2, 5]}, cv=2).fit(texts, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_pickle_and_clone(texts, y, fitted):
    pipe = fitted
    copy = pickle.loads(pickle.dumps(pipe))  # noqa: S301
    assert copy.transform(texts).equals(pipe.transform(texts))
    pd.testing.assert_frame_equal(copy[-1].hypotheses_, pipe[-1].hypotheses_)
    fresh = clone(pipe)
    assert repr(fresh) == repr(make_pipe())
    assert np.array_equal(fresh.fit(texts, y).predict(texts), pipe.predict(texts))


def test_repeated_texts(texts, y):
    rows = np.r_[np.arange(len(y)), np.arange(60), np.zeros(20, dtype=int)]
    pipe = make_pipe().fit(texts[rows], y[rows])
    annotations = pipe.transform(texts[rows])
    assert annotations.index.tolist() == texts[rows].tolist()
    assert annotations[:60].to_numpy().tolist() == (
        annotations[len(y) : len(y) + 60].to_numpy().tolist()
    )
    assert len(pipe.predict(texts[rows])) == len(rows)
    assert np.isfinite(cross_val_score(pipe, texts[rows], y[rows], cv=3)).all()


def test_one_new_text(texts, y, fitted):
    pipe = fitted
    assert pipe.transform(["many thanks, and rain"]).shape[0] == 1
    assert pipe.predict(["xyzzy"]).shape == (1,)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        assert pipe.predict([""]).shape == (1,)


@pytest.mark.parametrize(
    ("bad", "error"),
    [("one bare text", TypeError), ([], ValueError), (["a", None], ValueError)],
)
def test_bad_texts(texts, y, fitted, bad, error):
    pipe = fitted
    for call in (pipe.transform, pipe.predict):
        with pytest.raises(error, match="TextEmbedder"):
            call(bad)


def test_a_single_row_and_fewer_rows_than_folds(texts, y):
    with pytest.raises(ValueError, match="1 sample"):
        make_pipe().fit(texts[:1], y[:1])
    with pytest.raises(ValueError, match="n_splits=5"):
        cross_val_score(make_pipe(), texts[:3], y[:3], cv=5)


# make_hypothesis_pipeline


@pytest.mark.parametrize("n_texts", [1, 10, 100, 1000, 2000, 10_000, 10**5, 10**8])
def test_sizes_fit_each_other(n_texts):
    pipe = make_hypothesis_pipeline(n_texts=n_texts)
    sae = pipe["sae"]
    assert 1 <= sae.k <= sae.n_neurons
    assert pipe["hypotheses"].n_hypotheses == 20
    assert sae._resolve_prefixes(sae.n_neurons)[-1] == sae.n_neurons


def test_hypotheses_are_chosen_among_four_times_as_many_columns():
    select = make_hypothesis_pipeline(n_select=5)["select"]
    assert (select.n_select, select.term_share) == (20, 0.25)
    select = make_hypothesis_pipeline(n_select=5, terms=False)["select"]
    assert (select.n_select, select.term_share) == (10, 0)
    llm = lambda texts, **_: None  # noqa: E731
    select = make_hypothesis_pipeline(n_select=5, interpreter=llm)["select"]
    assert (select.n_select, select.term_share) == (5, 0)


def test_more_texts_more_neurons():
    sizes = [
        make_hypothesis_pipeline(n_texts=n)["sae"].n_neurons
        for n in (1000, 10_000, 100_000)
    ]
    assert sizes == [128, 256, 1024]


@pytest.mark.parametrize("n_neurons", range(1, 20))
def test_any_number_of_neurons_has_prefixes(n_neurons):
    sae = make_hypothesis_pipeline(n_neurons=n_neurons)["sae"]
    lengths = list(sae._resolve_prefixes(n_neurons))
    assert lengths == sorted(set(lengths))
    assert lengths[-1] == n_neurons


def test_parameters_arrive():
    annotator = EmbeddingAnnotator()
    pipe = make_hypothesis_pipeline(
        "some/model",
        n_neurons=30,
        k=3,
        n_select="all",
        method="separation",
        annotator=annotator,
        task="classification",
        cache="folder",
        random_state=5,
    )
    assert pipe["embed"].model == "some/model"
    assert pipe["embed"].cache == "folder"
    assert (pipe["sae"].n_neurons, pipe["sae"].k) == (30, 3)
    assert (pipe["select"].n_select, pipe["select"].method) == ("all", "separation")
    assert pipe["hypotheses"].annotator is annotator
    assert pipe["select"].task == pipe["hypotheses"].task == "classification"
    seeds = [pipe[name].random_state for name in ("embed", "sae", "hypotheses")]
    assert seeds == [5, 5, 5]


@pytest.mark.parametrize("n_neurons", [1, 5, 20, 21, 256])
@pytest.mark.parametrize("n_select", [5, 20, "all"])
def test_supervised_pipeline(n_neurons, n_select):
    pipe = make_hypothesis_pipeline(
        n_neurons=n_neurons, n_select=n_select, supervised=True, task="regression"
    )
    sae = pipe["sae"]
    assert isinstance(sae, SupervisedSAETransformer)
    assert sae.task == "regression"
    supervised = min(n_neurons, n_neurons if n_select == "all" else n_select)
    assert sae._count_supervised(n_neurons) == supervised
    assert list(sae._resolve_prefixes(n_neurons)) == sorted({supervised, n_neurons})


@pytest.mark.parametrize(
    "params",
    [{"n_texts": 0}, {"n_neurons": 0}, {"k": 0}, {"n_select": 0}, {"n_select": "x"}],
)
def test_bad_sizes_are_named(params):
    with pytest.raises(ValueError, match=next(iter(params))):
        make_hypothesis_pipeline(**params)


# Threads


def test_the_number_of_threads_changes_no_bit():
    texts = make_concept_texts(1000, random_state=0)
    before, fits = torch.get_num_threads(), []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            torch.set_num_threads(n_threads)
            pipe = make_hypothesis_pipeline(
                "lsa", n_texts=1000, n_select=5, random_state=0, cache=None
            ).fit(texts.data, texts.target)
            torch.set_num_threads(before)
        fits.append(pipe)
    one, two = fits
    first, second = (each[:-1].transform(texts.data[:50]) for each in fits)
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(one[-1].hypotheses_, two[-1].hypotheses_)
    np.testing.assert_array_equal(one.predict(texts.data), two.predict(texts.data))
