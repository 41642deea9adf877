import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from callback_log import CallbackLog
from embedding_cases import TEXTS
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from sklearn_hypo._embedding._text_embedder import TextEmbedder
from sklearn_hypo.exceptions import CacheError, HypothesisWarning


def lengths(texts):
    return [[len(t), 1.0 + t.count("a"), 1.0] for t in texts]


class Recorder:
    """A fixed model that remembers what reached it."""

    cache_key = "recorder"

    def __init__(self, width=3):
        self.batches = []
        self.width = width

    def __call__(self, texts):
        self.batches.append(list(texts))
        return [[len(t), 1.0 + t.count("a"), 1.0][: self.width] for t in texts]

    def __sklearn_clone__(self):
        return self

    @property
    def texts(self):
        return [text for batch in self.batches for text in batch]


def make_embedder(model="lsa", **parameters):
    return TextEmbedder(model, n_components=3, random_state=0, **parameters)


# Containers


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "str array": np.array,
    "object array": lambda t: np.array(t, dtype=object),
    "list of np.str_": lambda t: [np.str_(x) for x in t],
    "column array": lambda t: np.array(t, dtype=object)[:, None],
    "Series": pd.Series,
    "Series with an index": lambda t: pd.Series(t, index=list("abcdef")),
    "Series of object": lambda t: pd.Series(t, dtype=object),
    "frame": lambda t: pd.DataFrame({"text": t}, index=range(6, 0, -1)),
    "polars Series": lambda t: pytest.importorskip("polars").Series("text", t),
    "polars frame": lambda t: pytest.importorskip("polars").DataFrame({"text": t}),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("model", ["lsa", lengths])
def test_containers(container, model):
    expected = make_embedder(model).fit_transform(TEXTS)
    X = container(TEXTS)
    frame = make_embedder(model).fit_transform(X)
    pd.testing.assert_frame_equal(frame, expected)
    pd.testing.assert_frame_equal(make_embedder(model).fit(X).transform(X), expected)
    assert {type(text) for text in frame.index} == {str}


def test_frame():
    frame = make_embedder().fit_transform(TEXTS)
    assert isinstance(frame, pd.DataFrame)
    assert frame.shape == (6, 3)
    assert (frame.dtypes == np.float32).all()
    assert frame.index.name == "text"
    assert frame.index.dtype == object
    assert list(frame.index) == TEXTS
    assert list(frame.columns) == ["embedding000", "embedding001", "embedding002"]
    np.testing.assert_allclose(np.linalg.norm(frame, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("a bare text", TypeError, r"TextEmbedder.*one bare str.*\[text\]"),
        (b"bytes", TypeError, "one bare bytes"),
        ([], ValueError, r"0 sample\(s\)"),
        (["a", None], ValueError, "position 1 is missing.*Drop rows"),
        (["a", np.nan], ValueError, "position 1 is missing"),
        (pd.Series(["a", None]), ValueError, "position 1 is missing"),
        (["a", 3, 4], TypeError, r"position 1 \(and 1 more\) is of type int"),
        (np.arange(3.0), TypeError, "float"),
        ([b"a"], TypeError, "type bytes.*Decode it first"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), ValueError, r"shape \(1, 2\).*column"),
        (3, TypeError, "but int arrived"),
        (None, TypeError, "but NoneType arrived"),
        (["", "  \n"], ValueError, "all texts are empty"),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
def test_wrong_texts(X, error, message):
    for fit in (TextEmbedder().fit, TextEmbedder().fit_transform):
        with pytest.raises(error, match=message):
            fit(X)
    if not message.startswith("all"):
        with pytest.raises(error, match=message):
            TextEmbedder().fit(TEXTS).transform(X)


# Rows


def test_duplicates_are_encoded_once():
    model = Recorder()
    frame = TextEmbedder(model).fit_transform(TEXTS[:3] * 4)
    assert sorted(model.texts) == sorted(TEXTS[:3])
    assert list(frame.index) == TEXTS[:3] * 4
    np.testing.assert_array_equal(frame[:3], frame[9:])
    np.testing.assert_array_equal(
        make_embedder().fit(TEXTS * 2).transform(TEXTS),
        make_embedder().fit_transform(TEXTS),
    )


def test_identical_texts():
    frame = make_embedder().fit_transform(["same words"] * 5)
    assert frame.shape == (5, 1)
    np.testing.assert_allclose(abs(frame), 1, rtol=1e-6)


@pytest.mark.parametrize("model", ["lsa", lengths])
def test_one_sample(model):
    frame = make_embedder(model).fit_transform(["just one"])
    assert len(frame) == 1
    assert np.isfinite(frame.to_numpy()).all()


@pytest.mark.parametrize("model", ["lsa", Recorder()])
def test_blank_texts_become_zero_vectors(model):
    texts = [*TEXTS, "", "  \n\t", ""]
    embedder = make_embedder(model)
    for method in (embedder.fit_transform, embedder.transform):
        with pytest.warns(HypothesisWarning, match="3 of 9 texts are empty") as caught:
            frame = method(texts)
        assert len(caught) == 1
        assert not frame.to_numpy()[6:].any()
        assert frame.to_numpy()[:6].any(axis=1).all()
    with pytest.warns(HypothesisWarning, match="2 of 2"):
        frame = embedder.transform(["", " "])
    assert frame.shape == (2, 3)
    assert not frame.to_numpy().any()
    if model != "lsa":
        assert all(text.strip() for text in model.texts)


def test_odd_texts():
    texts = [*TEXTS, "a\ud800b", "\udfff", "word " * 200_000, "x" * 1_000_000]
    model = Recorder()
    for each in ("lsa", model):
        frame = make_embedder(each).fit_transform(texts)
        assert list(frame.index) == texts
        assert np.isfinite(frame.to_numpy()).all()
    assert "a\ufffdb" in model.texts


def test_batches_hold_texts_of_like_length():
    model = Recorder()
    texts = ["a" * n for n in (5, 1, 4, 2, 3)]
    frame = TextEmbedder(model, batch_size=2, normalize=False).fit_transform(texts)
    assert [list(map(len, batch)) for batch in model.batches] == [[5, 4], [3, 2], [1]]
    assert frame["embedding000"].tolist() == [5, 1, 4, 2, 3]


def test_normalize_and_prompt():
    raw = TextEmbedder(lengths, normalize=False).fit_transform(TEXTS).to_numpy()
    np.testing.assert_allclose(raw, lengths(TEXTS))
    unit = TextEmbedder(lengths).fit_transform(TEXTS).to_numpy()
    np.testing.assert_allclose(
        unit, raw / np.linalg.norm(raw, axis=1, keepdims=True), rtol=1e-6
    )
    model = Recorder()
    frame = TextEmbedder(model, prompt="clustering: ").fit_transform(TEXTS)
    assert sorted(model.texts) == sorted("clustering: " + text for text in TEXTS)
    assert list(frame.index) == TEXTS


def test_fit_of_a_fixed_model_encodes_one_text():
    model = Recorder()
    with pytest.warns(HypothesisWarning):
        TextEmbedder(model).fit(["", *TEXTS])
    assert model.texts == TEXTS[:1]


def test_transformer_as_model():
    model = make_pipeline(TfidfVectorizer(), TruncatedSVD(2))
    embedder = TextEmbedder(model, random_state=0)
    frame = embedder.fit_transform(TEXTS)
    assert frame.shape == (6, 2)
    pd.testing.assert_frame_equal(clone(embedder).fit_transform(TEXTS), frame)
    assert embedder.get_params()["model__truncatedsvd__n_components"] == 2
    sparse = TextEmbedder(TfidfVectorizer(), normalize=False).fit_transform(TEXTS)
    np.testing.assert_allclose(
        sparse, TfidfVectorizer().fit_transform(TEXTS).toarray(), rtol=1e-6
    )


def too_few(texts):
    return np.zeros((len(texts) - 1, 2))


def not_finite(texts):
    return np.full((len(texts), 2), np.nan)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (too_few, r"model=too_few.* given 6 .*\(5, 2\) arrived"),
        (not_finite, r"model=not_finite.*NaN or infinite.* 6 of 6"),
        (Recorder(width=0), r"model=Recorder.*\(6, 0\) arrived"),
    ],
)
def test_wrong_reply_names_the_model_and_what_arrived(model, message):
    with pytest.raises(ValueError, match=message):
        TextEmbedder(model).fit_transform(TEXTS)


def test_width_may_not_change():
    model = Recorder()
    embedder = TextEmbedder(model).fit(TEXTS)
    model.width = 2
    with pytest.raises(ValueError, match="2 features, but 3 in fit"):
        embedder.transform(TEXTS)


# The contract of scikit-learn


@pytest.mark.parametrize("model", ["lsa", lengths])
def test_fit_is_idempotent_and_transform_repeats_it(model):
    embedder = make_embedder(model)
    first = embedder.fit_transform(TEXTS)
    pd.testing.assert_frame_equal(embedder.transform(TEXTS), first)
    pd.testing.assert_frame_equal(embedder.fit(TEXTS).transform(TEXTS), first)
    pd.testing.assert_frame_equal(
        embedder.fit(TEXTS, y=[1] * 6).transform(TEXTS), first
    )


def test_rows_do_not_depend_on_each_other():
    embedder = make_embedder().fit(TEXTS)
    whole = embedder.transform(TEXTS)
    pd.testing.assert_frame_equal(embedder.transform(TEXTS[::-1]), whole[::-1])
    for i, text in enumerate(TEXTS):
        pd.testing.assert_frame_equal(embedder.transform([text]), whole[i : i + 1])


def test_seed():
    texts = [f"w{i} w{(7 * i) % 40} w{(3 * i) % 50}" for i in range(200)]
    first, same, other = (
        TextEmbedder(n_components=5, random_state=seed).fit_transform(texts)
        for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, same)
    assert not np.array_equal(first, other)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    TextEmbedder(random_state=0).fit(texts)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_not_fitted():
    for method in (lambda e: e.transform(TEXTS), TextEmbedder.get_feature_names_out):
        with pytest.raises(NotFittedError, match="TextEmbedder instance is not fitted"):
            method(TextEmbedder())


@pytest.mark.parametrize("model", ["lsa", lengths])
def test_pickle(model):
    embedder = make_embedder(model)
    frame = embedder.fit_transform(TEXTS)
    copy = pickle.loads(pickle.dumps(embedder))  # noqa: S301
    pd.testing.assert_frame_equal(copy.transform(TEXTS), frame)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(frame)), frame)  # noqa: S301


def test_clone_keeps_the_parameters():
    parameters = {
        "model": lengths,
        "n_components": 7,
        "tokenizer": "characters",
        "prompt": "p",
        "batch_size": 3,
        "normalize": False,
        "device": "cpu",
        "compute_dtype": "bfloat16",
        "pool": "chunks",
        "dimensions": 9,
        "task_type": "CLUSTERING",
        "cache": "folder",
        "show_progress_bar": False,
        "random_state": 1,
    }
    assert clone(TextEmbedder(**parameters)).get_params() == parameters
    assert list(inspect.signature(TextEmbedder).parameters) == list(parameters)
    fitted = clone(make_embedder().fit(TEXTS))
    assert not hasattr(fitted, "encoder_")


def test_feature_names():
    embedder = TextEmbedder(lambda texts: np.ones((len(texts), 1001))).fit(TEXTS)
    names = embedder.get_feature_names_out()
    assert names.dtype == object
    assert names[0] == "embedding0000"
    assert names[-1] == "embedding1000"
    assert embedder.n_features_out_ == len(names) == 1001
    assert not hasattr(embedder, "n_features_in_")


def test_set_output():
    default = make_embedder().fit_transform(TEXTS)
    as_pandas = make_embedder().set_output(transform="pandas").fit_transform(TEXTS)
    pd.testing.assert_frame_equal(as_pandas, default)
    series = pd.Series(TEXTS, index=range(10, 16))
    as_pandas = make_embedder().set_output(transform="pandas").fit_transform(series)
    pd.testing.assert_frame_equal(as_pandas, default)
    again = make_embedder().set_output(transform="default").fit_transform(TEXTS)
    pd.testing.assert_frame_equal(again, default)
    polars = pytest.importorskip("polars")
    as_polars = make_embedder().set_output(transform="polars").fit_transform(TEXTS)
    assert isinstance(as_polars, polars.DataFrame)
    assert as_polars.columns == list(default.columns)
    np.testing.assert_array_equal(as_polars.to_numpy(), default.to_numpy())


def test_tags():
    tags = get_tags(TextEmbedder())
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
    assert tags.requires_fit
    assert not tags.target_tags.required


def test_representations_call_no_model(tmp_path):
    model = Recorder()
    embedder = TextEmbedder(model, cache=tmp_path).fit(TEXTS)
    n_batches = len(model.batches)
    text = embedder._repr_html_()
    assert "TextEmbedder" in text
    assert not any(each in text for each in TEXTS)
    repr(embedder)
    dir(embedder)
    assert len(model.batches) == n_batches
    TextEmbedder("no/such/model")._repr_html_()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", 3),
        ("model", None),
        ("n_components", 0),
        ("n_components", 2.5),
        ("prompt", 3),
        ("batch_size", 0),
        ("normalize", "yes"),
        ("device", None),
        ("cache", True),
        ("random_state", "seed"),
    ],
)
def test_wrong_parameters(name, value):
    embedder = TextEmbedder().set_params(**{name: value})
    for fit in (embedder.fit, embedder.fit_transform):
        with pytest.raises(ValueError, match=f"The '{name}' parameter of TextEmbedder"):
            fit(TEXTS)


def test_every_parameter_has_constraints():
    assert (
        TextEmbedder._parameter_constraints.keys() == TextEmbedder().get_params().keys()
    )


def test_pipeline_and_grid_search():
    y = np.arange(6.0)
    pipe = make_pipeline(make_embedder(), Ridge())
    assert np.isfinite(cross_val_score(pipe, TEXTS * 2, [*y, *y], cv=3)).all()
    grid = {
        "textembedder__n_components": [1, 2],
        "textembedder__model": ["lsa", lengths],
    }
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(TEXTS, y)
    assert len(search.cv_results_["params"]) == 4


# Callbacks


def test_callbacks_see_each_batch():
    log = CallbackLog()
    embedder = TextEmbedder(Recorder(), batch_size=4).set_callbacks(log)
    embedder.fit_transform(TEXTS)
    batch = ["begin batch", "end batch"]
    fit = ["begin fit", *batch, *batch, "end fit"]
    assert log.events == ["setup", *fit, "teardown"]


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_callbacks_see_the_fit_of_lsa(method):
    log = CallbackLog()
    getattr(make_embedder().set_callbacks(log), method)(TEXTS)
    assert log.events == ["setup", "begin fit", "end fit", "teardown"]


def test_callbacks_are_torn_down_after_an_error():
    log = CallbackLog()
    with pytest.raises(ValueError, match="arrived"):
        TextEmbedder(lambda texts: None).set_callbacks(log).fit(TEXTS)
    assert log.events[-1] == "teardown"


# The cache, as far as the embedder goes (see test_vector_store.py for the rest)


def test_cache_is_used_by_every_method(tmp_path):
    model = Recorder()
    plain = TextEmbedder(model).fit_transform(TEXTS)
    model.batches.clear()
    embedder = TextEmbedder(model, cache=tmp_path)
    pd.testing.assert_frame_equal(embedder.fit(TEXTS).transform(TEXTS[:4]), plain[:4])
    pd.testing.assert_frame_equal(embedder.fit_transform(TEXTS * 2)[:6], plain)
    pd.testing.assert_frame_equal(clone(embedder).fit(TEXTS).transform(TEXTS), plain)
    assert sorted(model.texts) == sorted(TEXTS)


def test_settings_that_change_vectors_change_the_key(tmp_path):
    settings = [{}, {"prompt": "a"}, {"prompt": "b"}, {"normalize": False}]
    for each in settings:
        expected = TextEmbedder(lengths, **each).fit_transform(TEXTS)
        for _ in range(2):
            cached = TextEmbedder(lengths, cache=tmp_path, **each).fit_transform(TEXTS)
            pd.testing.assert_frame_equal(cached, expected)


def test_batch_size_is_not_part_of_the_key(tmp_path):
    model = Recorder()
    for batch_size in (1, 4):
        TextEmbedder(model, cache=tmp_path, batch_size=batch_size).fit_transform(TEXTS)
    assert len(model.texts) == len(TEXTS)


def test_interrupted_encoding_resumes(tmp_path):
    model = Recorder()

    class Failing(Recorder):
        def __call__(self, texts):
            if len(self.batches) == 2:
                raise ConnectionError("the provider is down")
            return super().__call__(texts)

    first = Failing()
    with pytest.raises(ConnectionError, match="the provider is down"):
        TextEmbedder(first, cache=tmp_path, batch_size=2).fit_transform(TEXTS)
    TextEmbedder(model, cache=tmp_path, batch_size=2).fit_transform(TEXTS)
    assert sorted(first.texts + model.texts) == sorted(TEXTS)


def test_wrong_replies_are_not_stored(tmp_path):
    class Broken(Recorder):
        def __call__(self, texts):
            return np.full((len(texts), 3), np.nan)

    with pytest.raises(ValueError, match="NaN"):
        TextEmbedder(Broken(), cache=tmp_path).fit(TEXTS)
    frame = TextEmbedder(Recorder(), cache=tmp_path).fit_transform(TEXTS)
    assert np.isfinite(frame.to_numpy()).all()


def test_cache_of_lsa_is_left_alone(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_embedder(cache=tmp_path / "folder").fit_transform(TEXTS)
    assert not (tmp_path / "folder").exists()


def test_cache_needs_a_model_that_can_be_told(tmp_path):
    with pytest.raises(ValueError, match=r"cache= needs.*<lambda>.*top level"):
        TextEmbedder(lambda texts: lengths(texts), cache=tmp_path).fit(TEXTS)


def test_cache_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("")
    embedder = TextEmbedder(lengths, cache=tmp_path / "file" / "folder")
    with pytest.raises(CacheError, match="Check the path"):
        embedder.fit(TEXTS)
