"""Texts, targets and what goes with them, from pandas, polars, PyArrow and datasets."""

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from containers import NOT_INDEXED, OF_STRINGS, OF_VALUES, TABLES, WITH_GAPS
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_hypo import (
    CascadeAnnotator,
    EmbeddingAnnotator,
    Hypothesis,
    HypothesisExtractor,
    LexiconAnnotator,
    LexiconInterpreter,
    LLMAnnotator,
    MajorityAnnotator,
    NeuronSelector,
    SparseAutoencoderTransformer,
    StyleFeatures,
    SupervisedSAETransformer,
    TermFeatures,
    TextEmbedder,
    compare_annotators,
    correct_for_annotation_error,
    drop_or_merge,
    estimate_study,
    evaluate_annotations,
    evaluate_hypotheses,
    join_groups,
    labelling_sheet,
    make_pairs,
    pairs_within,
    read_dictionary,
    read_labels,
    replicate_hypotheses,
    roll_up_annotations,
    split_documents,
)
from sklearn_hypo.datasets import make_concept_texts

pytestmark = pytest.mark.filterwarnings(
    # few texts: some neurons are dead or have no words
    "ignore::sklearn_hypo.exceptions.HypothesisWarning"
)

N = 90
DATA = make_concept_texts(N, n_concepts=2, random_state=0)
TEXTS = list(DATA.data)
Y = [float(value) for value in DATA.target]
CLASSES = ["high" if value > np.median(Y) else "low" for value in Y]
NUMBERS = list(range(N))
TERMS = [Hypothesis("mentions the", terms=("the",)), Hypothesis("a", terms=("a",))]


def make_pipe():
    return make_pipeline(
        TextEmbedder(n_components=8, random_state=0),
        SparseAutoencoderTransformer(n_neurons=6, k=2, max_epochs=2, random_state=0),
        NeuronSelector(n_select=2, method="correlation"),
        HypothesisExtractor(
            LexiconInterpreter(embedder=None, max_terms=4, form="any"), random_state=0
        ),
    )


PIPE = make_pipe()


@pytest.fixture(scope="module", autouse=True)
def _fitted():
    PIPE.fit(TEXTS, Y)


def say_yes_to_short_ones(prompt):
    return "yes" if len(prompt) % 2 else "no"


def annotate(annotator, texts):
    return annotator.fit(TEXTS, TERMS).annotate(texts)


# Each takes texts and returns what can be compared.
ENTRIES = {
    "TextEmbedder": lambda t: TextEmbedder(
        n_components=4, random_state=0
    ).fit_transform(t),
    "StyleFeatures": lambda t: StyleFeatures().fit_transform(t),
    "TermFeatures": lambda t: TermFeatures().fit_transform(t),
    "fit": lambda t: make_pipe().fit(t, Y)[-1].hypotheses_,
    "predict": PIPE.predict,
    "score": lambda t: PIPE.score(t, Y),
    "evaluate_hypotheses": lambda t: (
        evaluate_hypotheses(PIPE, t, Y, n_resamples=0, ngrams=False).table
    ),
    "training=": lambda t: (
        evaluate_hypotheses(PIPE, TEXTS, Y, training=(t, Y), n_resamples=0).overall
    ),
    "evaluate_annotations": lambda t: (
        evaluate_annotations([[i % 2] for i in NUMBERS], Y, texts=t, ngrams=False).table
    ),
    "estimate_study": lambda t: (
        estimate_study(
            PIPE, t, Y, holdout=t, n_permutations=20, random_state=0
        ).signal.score
    ),
    "replicate_hypotheses": lambda t: (
        replicate_hypotheses(PIPE, t, Y, n_runs=1, random_state=0).table
    ),
    "compare_annotators": lambda t: (
        compare_annotators(
            PIPE,
            t,
            Y,
            [EmbeddingAnnotator(TextEmbedder(n_components=4, random_state=0))],
            X_train=TEXTS,
            n_resamples=0,
        ).table
    ),
    "estimate_cost": lambda t: TextEmbedder(
        "openai:text-embedding-3-small", cache=None
    ).estimate_cost(t),
    "estimate_cost of annotators": lambda t: LLMAnnotator(
        "openai:gpt-5-mini", cache=None
    ).estimate_cost(t, 3),
    "LexiconAnnotator": lambda t: annotate(LexiconAnnotator(), t),
    "EmbeddingAnnotator": lambda t: annotate(
        EmbeddingAnnotator(TextEmbedder(n_components=4, random_state=0), threshold=0.1),
        t,
    ),
    "LLMAnnotator": lambda t: annotate(
        LLMAnnotator(say_yes_to_short_ones, cache=None), t
    ),
    "MajorityAnnotator": lambda t: annotate(
        MajorityAnnotator([LexiconAnnotator(), LexiconAnnotator()]), t
    ),
    "CascadeAnnotator": lambda t: annotate(
        CascadeAnnotator(
            [LexiconAnnotator(), LexiconAnnotator()],
            LLMAnnotator(say_yes_to_short_ones, cache=None),
        ),
        t,
    ),
    "split_documents": lambda t: split_documents(t, Y, max_words=4).texts.tolist(),
    "labelling_sheet": lambda t: labelling_sheet(t, ["is polite"], n=9, random_state=0),
    "read_labels": lambda t: (
        read_labels(
            labelling_sheet(TEXTS, ["is polite"], n=9, random_state=0), t
        ).probability
    ),
    "read_dictionary": lambda t: [
        h.threshold
        for h in read_dictionary({"the": ["the"]}, threshold="auto", texts=t)
    ],
    "make_concept_texts": lambda t: (
        make_concept_texts(40, n_concepts=1, base_texts=t, random_state=0).data
    ),
}

# These take a while: one container of each library does.
SLOW = (
    "fit",
    "evaluate_hypotheses",
    "training=",
    "evaluate_annotations",
    "estimate_study",
    "replicate_hypotheses",
    "compare_annotators",
)
SOME = (
    "StringDType",
    "string[pyarrow]",
    "polars Categorical",
    "PyArrow chunks",
    "column of a Dataset",
    "polars frame",
)

# Of columns alone: to these a table means something else.
OF_COLUMNS = {
    "pairs_within": lambda t: pairs_within(
        t, Y, [i // 3 for i in NUMBERS], random_state=0
    ),
    "join_groups": lambda t: join_groups(t, NUMBERS),
}


def assert_same(found, expected):
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("entry", [*ENTRIES, *OF_COLUMNS])
def test_texts_in_any_container_are_those_of_a_list(entry):
    run = (ENTRIES | OF_COLUMNS)[entry]
    tables = {} if entry in OF_COLUMNS else TABLES | NOT_INDEXED
    makers = OF_STRINGS | tables
    expected = run(TEXTS)
    for name in SOME if entry in SLOW else makers:
        try:
            assert_same(run(makers[name](TEXTS)), expected)
        except Exception as error:
            error.add_note(f"texts in: {name}")
            raise


def test_texts_in_any_container_are_cross_validated():
    # the cheapest of pipelines: what differs is how scikit-learn takes rows
    pipe = make_pipeline(StyleFeatures(), NeuronSelector(n_select=2), make_pipe()[-1])
    expected = cross_val_score(pipe, TEXTS, Y, cv=2, error_score="raise")
    for name, make in (OF_STRINGS | TABLES).items():
        found = cross_val_score(pipe, make(TEXTS), Y, cv=2, error_score="raise")
        np.testing.assert_array_equal(found, expected, err_msg=name)


@pytest.mark.parametrize(
    "name", ["column of a Dataset", "polars Series", "PyArrow array", "PyArrow Table"]
)
def test_texts_in_any_container_are_searched(name):
    pipe = make_pipeline(StyleFeatures(), NeuronSelector(n_select=2), make_pipe()[-1])
    grid = {"neuronselector__n_select": [1, 2]}
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise")
    expected = search.fit(TEXTS, Y).cv_results_["mean_test_score"]
    texts = (OF_STRINGS | TABLES)[name](TEXTS)
    found = search.fit(texts, OF_VALUES["polars Series"](Y))
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected)
    train, test = train_test_split(texts, random_state=0)
    own_train, own_test = train_test_split(TEXTS, random_state=0)
    np.testing.assert_array_equal(search.predict(train), search.predict(own_train))
    np.testing.assert_array_equal(search.predict(test), search.predict(own_test))


# What scikit-learn cannot cut into folds, and the one change that works.
CHANGES = {
    "Dataset": lambda values: values["text"],
    "pandas Index": lambda values: values.to_series(),
    "pandas array": pd.Series,
    "PyArrow RecordBatch": lambda values: values["text"],
    "PyArrow string_view": lambda values: values.to_pylist(),
}


@pytest.mark.parametrize("name", NOT_INDEXED)
def test_what_scikit_learn_cannot_cut_has_one_change_that_works(name):
    pipe = make_pipeline(StyleFeatures(), NeuronSelector(n_select=2), make_pipe()[-1])
    texts = NOT_INDEXED[name](TEXTS)
    with pytest.raises((TypeError, IndexError, pa.ArrowNotImplementedError)):
        cross_val_score(pipe, texts, Y, cv=2, error_score="raise")
    found = cross_val_score(pipe, CHANGES[name](texts), Y, cv=2, error_score="raise")
    np.testing.assert_array_equal(found, cross_val_score(pipe, TEXTS, Y, cv=2))


# What cannot hold texts -------------------------------------------------------------

REFUSED = {
    "generator": (lambda: (t for t in TEXTS), r"pass list\(texts\)", list),
    "map": (lambda: map(str, TEXTS), r"pass list\(texts\)", list),
    "streamed column": (
        lambda: datasets.Dataset.from_dict({"t": TEXTS}).to_iterable_dataset()["t"],
        r"pass list\(texts\)",
        list,
    ),
    "dict": (
        lambda: dict(enumerate(TEXTS)),
        r"list\(texts\.values\(\)\)",
        lambda given: list(given.values()),
    ),
    "splits": (
        lambda: datasets.DatasetDict(train=datasets.Dataset.from_dict({"text": TEXTS})),
        "one of its values",
        lambda given: given["train"],
    ),
    "set": (lambda: set(TEXTS), "no order. Pass a list", lambda given: TEXTS),
    "lazy frame": (
        lambda: pl.LazyFrame({"text": TEXTS}),
        r"Pass texts\.collect\(\)",
        lambda given: given.collect(),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_rows_is_refused_with_the_one_change(name):
    make, message, change = REFUSED[name]
    embedder = TextEmbedder(n_components=4, random_state=0)
    with pytest.raises(TypeError, match=message):
        embedder.fit_transform(make())
    expected = embedder.fit_transform(TEXTS)
    assert_same(embedder.fit_transform(change(make())), expected)


@pytest.mark.parametrize(
    "make",
    [
        pd.DataFrame,
        pl.DataFrame,
        pa.table,
        datasets.Dataset.from_dict,
    ],
)
def test_the_columns_of_a_table_are_named(make):
    table = make({"id": NUMBERS, "text": TEXTS})
    with pytest.raises(ValueError, match=r"Select the one column.*'id', 'text'"):
        PIPE.predict(table)
    np.testing.assert_array_equal(PIPE.predict(table["text"]), PIPE.predict(TEXTS))


@pytest.mark.parametrize("name", WITH_GAPS)
def test_missing_texts_are_told_in_any_container(name):
    texts = WITH_GAPS[name]([*TEXTS[:6], None, None])
    message = r"position 6 \(and 1 more\) is missing.*Drop rows without a text"
    with pytest.raises(ValueError, match=message):
        PIPE.predict(texts)
    rows = pairs_within(texts, Y[:8], [0, 0, 1, 1, 2, 2, 2, 2])
    assert set(rows["text"]) <= set(TEXTS[:6])


# Targets ----------------------------------------------------------------------------

TARGETS = {
    "quantities": Y,
    "words": CLASSES,
    "integers": [int(value == "high") for value in CLASSES],
    "booleans": [value == "high" for value in CLASSES],
}


def study(y):
    """Everything that a target goes through, as strings: types count."""
    pipe = make_pipe().fit(TEXTS, y)
    report = evaluate_annotations([[i % 2] for i in NUMBERS], y, n_resamples=0)
    frame = pipe[0].transform(TEXTS)
    supervised = SupervisedSAETransformer(
        n_neurons=6, k=2, max_epochs=2, random_state=0
    ).fit(frame, y)
    classes = getattr(pipe[-1], "classes_", np.array(0.0))
    return {
        "task": pipe[-1].task_,
        "classes": [type(c).__name__ + str(c) for c in classes.ravel().tolist()],
        "score": pipe.score(TEXTS, y),
        "table": report.table.to_csv(),
        "supervised": supervised.score(frame, y),
    }


@pytest.mark.parametrize("kind", TARGETS)
def test_targets_in_any_container_are_those_of_a_list(kind):
    expected = study(TARGETS[kind])
    makers = OF_VALUES | {"nullable": lambda values: pd.Series(pd.array(values))}
    if kind == "words":
        makers |= {name: OF_STRINGS[name] for name in SOME if name in OF_STRINGS}
    for name, make in makers.items():
        assert study(make(TARGETS[kind])) == expected, name


@pytest.mark.parametrize("kind", TARGETS)
def test_targets_in_any_container_are_cross_validated(kind):
    pipe = make_pipeline(StyleFeatures(), NeuronSelector(n_select=2), make_pipe()[-1])
    y = TARGETS[kind]
    expected = cross_val_score(pipe, TEXTS, y, cv=2, error_score="raise")
    for name, make in OF_VALUES.items():
        found = cross_val_score(pipe, TEXTS, make(y), cv=2, error_score="raise")
        np.testing.assert_array_equal(found, expected, err_msg=name)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("name", WITH_GAPS)
def test_rows_without_a_target_in_any_container(name, kind):
    y = [value if i % 3 else None for i, value in enumerate(TARGETS[kind])]
    pipe, expected = (make_pipe().fit(TEXTS, t) for t in (WITH_GAPS[name](y), y))
    assert pipe[-1].task_ == expected[-1].task_
    assert_same(
        pipe.predict_proba(TEXTS) if kind != "quantities" else pipe.predict(TEXTS),
        expected.predict_proba(TEXTS)
        if kind != "quantities"
        else expected.predict(TEXTS),
    )
    with pytest.raises(ValueError, match="30 of 90 target values are missing"):
        evaluate_hypotheses(pipe, TEXTS, WITH_GAPS[name](y))


def make_labels(codes, names):
    features = datasets.Features({"label": datasets.ClassLabel(names=names)})
    return datasets.Dataset.from_dict({"label": codes}, features=features)["label"]


def test_class_labels_of_a_dataset_are_classes():
    codes = [i % 3 for i in NUMBERS]
    labels = make_labels(codes, ["news", "sports", "arts"])
    pipe = make_pipe().fit(TEXTS, labels)
    assert pipe[-1].task_ == "classification"
    assert pipe[-1].classes_.tolist() == [0, 1, 2]
    assert evaluate_hypotheses(pipe, TEXTS, labels, n_resamples=0).n_rows == N
    # -1 is the mark of a Dataset for "no label"
    some = make_labels([code if i else -1 for i, code in enumerate(codes)], list("abc"))
    assert make_pipe().fit(TEXTS, some)[-1].classes_.tolist() == [0, 1, 2]
    # in folds scikit-learn hands on bare numbers: names are classes everywhere
    named = labels.features.int2str(labels[:])
    search = GridSearchCV(make_pipe(), {"neuronselector__n_select": [1]}, cv=2)
    assert search.fit(TEXTS, named).classes_.tolist() == ["arts", "news", "sports"]


def test_the_report_knows_the_name_of_the_column():
    annotations = [[i % 2] for i in NUMBERS]
    for y in (
        pd.Series(Y, name="text"),
        OF_VALUES["polars Series"](Y),
        OF_VALUES["column of a Dataset"](Y),
    ):
        assert evaluate_annotations(annotations, y).target_name == "text"
    for y in (pl.Series(Y), pd.DataFrame({"name": Y})["name"].rename(None)):
        assert evaluate_annotations(annotations, y).target_name is None
    frame = pd.DataFrame({"name": Y})
    with pytest.warns(DataConversionWarning):
        assert evaluate_annotations(annotations, frame).target_name is None


# What goes with rows ----------------------------------------------------------------


def test_what_goes_with_rows_in_any_container():
    rng = np.random.default_rng(0)
    marks = rng.integers(0, 2, size=(N, 2)).astype(float)
    beside = {
        "sample_weight": rng.uniform(0.5, 2, size=N).tolist(),
        "groups": [f"author {i // 3}" for i in NUMBERS],
        "fixed_effects": [i % 4 for i in NUMBERS],
        "moderator": ["ab"[i % 5 > 2] for i in NUMBERS],
    }
    expected = evaluate_annotations(marks, Y, **beside).table
    pairs = [i // 2 for i in NUMBERS]
    of_pairs = evaluate_annotations(marks, Y, pairs=pairs).table
    for name, make in OF_VALUES.items():
        given = {key: make(values) for key, values in beside.items()}
        found = evaluate_annotations(marks, make(Y), **given).table
        pd.testing.assert_frame_equal(found, expected, obj=name)
        found = evaluate_annotations(marks, Y, pairs=make(pairs)).table
        pd.testing.assert_frame_equal(found, of_pairs, obj=name)


FRAMES = {
    "polars": pl.DataFrame,
    "PyArrow": pa.table,
    "datasets": datasets.Dataset.from_dict,
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_any_library(name):
    rng = np.random.default_rng(0)
    columns = {
        "age": rng.normal(size=N).tolist(),
        "kind": rng.choice(["x", "y", "z"], N).tolist(),
        "old": (rng.random(N) < 0.5).tolist(),
    }
    marks = {"a": [i % 2 for i in NUMBERS], "b": [i % 3 == 0 for i in NUMBERS]}
    marks["b"] = [float(value) for value in marks["b"]]
    frame = FRAMES[name]
    expected = evaluate_annotations(
        pd.DataFrame(marks), Y, covariates=pd.DataFrame(columns)
    )
    found = evaluate_annotations(frame(marks), Y, covariates=frame(columns))
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert found.covariates["name"].tolist() == expected.covariates["name"].tolist()
    # elsewhere
    rolled = roll_up_annotations(pd.DataFrame(marks), [i // 2 for i in NUMBERS])
    documents = frame({"document": [i // 2 for i in NUMBERS]})
    pd.testing.assert_frame_equal(
        roll_up_annotations(frame(marks), documents["document"]), rolled
    )
    assert drop_or_merge(frame(marks)).names == drop_or_merge(pd.DataFrame(marks)).names
    human = {key: [float(v) for v in values] for key, values in marks.items()}
    corrected = correct_for_annotation_error(frame(marks), frame(human), Y).table
    pd.testing.assert_frame_equal(
        corrected,
        correct_for_annotation_error(pd.DataFrame(marks), pd.DataFrame(human), Y).table,
    )
    sheet = labelling_sheet(TEXTS, ["is polite"], n=9, random_state=0)
    sheet["is polite"] = ["yes", "no", ""] * 3
    pd.testing.assert_frame_equal(
        read_labels(frame(sheet.to_dict("list")), TEXTS).labels,
        read_labels(sheet, TEXTS).labels,
    )
    two = {"first": TEXTS[:40], "second": TEXTS[40:80]}
    won = frame({"won": ["first", "second"] * 20})["won"]
    labels = ("first", "second")
    pd.testing.assert_frame_equal(
        make_pairs(frame(two), winner=won, labels=labels),
        make_pairs(pd.DataFrame(two), winner=["first", "second"] * 20, labels=labels),
    )


def test_dates_among_covariates_are_told_in_any_library():
    days = pd.date_range("2020-01-01", periods=N)
    for frame in (pl.DataFrame({"day": days}), pa.table({"day": pa.array(days)})):
        with pytest.raises(ValueError, match=r"\['day'\] are dates"):
            evaluate_annotations([[i % 2] for i in NUMBERS], Y, covariates=frame)
