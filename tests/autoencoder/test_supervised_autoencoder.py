"""`SupervisedSAETransformer` as its users meet it."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from transformer_checks import AUTOENCODER_WEIGHTS, further_checks

from sklearn_hypo import (
    HypothesisExtractor,
    NeuronSelector,
    SparseAutoencoderTransformer,
    SupervisedSAETransformer,
)
from sklearn_hypo._autoencoder import _head_predictor
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import ModelFileError


def data(n_rows=800, seed=0, n_features=20, noise=0.3):
    """Sums of few of twelve directions; y depends on two of them, short ones."""
    concepts = np.random.default_rng(1).standard_normal((12, n_features))
    concepts[:2] *= 0.6
    rng = np.random.default_rng([seed, n_rows])
    present = rng.random((n_rows, 12)) < 0.2
    X = present @ concepts + 0.2 * rng.standard_normal((n_rows, n_features))
    y = present[:, 0] * 1.0 - present[:, 1] + noise * rng.standard_normal(n_rows)
    return X.astype(np.float32), y


def make_sae(**params):
    settings = {
        "n_neurons": 12,
        "k": 3,
        "prefix_lengths": None,
        "alpha": 1.0,
        "n_supervised": 4,
        "max_epochs": 15,
        "random_state": 0,
    }
    return SupervisedSAETransformer(**(settings | params))


def unsupervised(sae):
    names = SparseAutoencoderTransformer().get_params()
    params = {name: getattr(sae, name) for name in names}
    if params["prefix_lengths"] == "auto":
        params["prefix_lengths"] = None
    return SparseAutoencoderTransformer(**params)


def assert_same_fit(first, second):
    for name in AUTOENCODER_WEIGHTS:
        np.testing.assert_array_equal(
            getattr(first, name), getattr(second, name), err_msg=name
        )
    assert first.threshold_ == second.threshold_


@pytest.fixture(scope="module")
def Xy():
    return data()


@pytest.fixture(scope="module")
def new():
    return data(600, seed=1)


@pytest.fixture(scope="module")
def fitted(Xy):
    return make_sae().fit(*Xy)


@pytest.fixture(scope="module")
def labels(Xy):
    """Three classes, named."""
    return np.array(["less", "same", "more"])[np.digitize(Xy[1], [-0.5, 0.5])]


# --- scikit-learn's checks ----------------------------------------------------------


def small(**params):
    settings = {"n_neurons": 6, "k": 2, "n_supervised": 3, "max_epochs": 2}
    return SupervisedSAETransformer(**(settings | {"random_state": 0} | params))


CONFIGURATIONS = [
    small(),
    small(alpha=0.0),
    small(
        n_supervised=None,
        dropout=0.0,
        target_smoothing=0.0,
        tied=False,
        prefix_lengths=(3, 6),
        validation_fraction=None,
        sparsity="topk",
    ),
]


def expected_failures(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": (
            "weights count for the target only, and batches are drawn at random: a row "
            "of weight 2 is not two rows"
        )
    }


@pytest.mark.filterwarnings("ignore:SupervisedSAETransformer has:UserWarning")
@parametrize_with_checks(
    CONFIGURATIONS, expected_failed_checks=expected_failures, xfail_strict=True
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:SupervisedSAETransformer has:UserWarning")
@further_checks
def test_further_scikit_learn_checks(check):
    check("SupervisedSAETransformer", small())


# --- what supervision does ----------------------------------------------------------


@pytest.mark.parametrize("sparsity", ["batch_topk", "topk"])
@pytest.mark.parametrize("prefix_lengths", [None, (4, 12), "auto"])
@pytest.mark.parametrize("validation_fraction", [None, 0.1])
def test_alpha_zero_is_the_unsupervised_autoencoder_to_the_bit(
    Xy, sparsity, prefix_lengths, validation_fraction
):
    sae = make_sae(
        alpha=0.0,
        sparsity=sparsity,
        prefix_lengths=prefix_lengths,
        validation_fraction=validation_fraction,
    ).fit(*Xy)
    plain = unsupervised(sae).fit(Xy[0])
    assert_same_fit(sae, plain)
    pd.testing.assert_frame_equal(sae.history_, plain.history_)
    np.testing.assert_array_equal(sae.transform(Xy[0]), plain.transform(Xy[0]))


def test_supervision_finds_what_reconstruction_leaves_out(Xy, new):
    """With few neurons for many concepts, those that y is about come first."""
    (X, y), (X_new, y_new) = Xy, new
    few = {"n_neurons": 6, "k": 2, "max_epochs": 40}
    scores = {}
    for alpha in (0.0, 1.0):
        sae = make_sae(alpha=alpha, **few).fit(X, y)
        scores[alpha] = sae.score(X_new, y_new)
        assert sae.explained_variance(X_new) > 0.3
    assert scores[1.0] > scores[0.0] + 0.1


def test_only_supervised_neurons_are_used_by_the_head(fitted, new):
    assert fitted.coef_.shape == (12,)
    assert np.flatnonzero(fitted.coef_).max() < 4
    assert isinstance(fitted.intercept_, float)
    active = fitted.transform(new[0])
    expected = active @ fitted.coef_ + fitted.intercept_
    np.testing.assert_allclose(fitted.predict(new[0]), expected, rtol=1e-4, atol=1e-5)


def test_supervised_encoders_are_scaled_decoders(fitted):
    encoder, decoder = fitted.encoder_coef_, fitted.components_
    cosine = (encoder * decoder).sum(axis=1) / np.linalg.norm(encoder, axis=1)
    np.testing.assert_allclose(cosine[:4], 1, rtol=1e-5)
    assert cosine[4:].min() < 0.999


def test_untied_encoders(Xy):
    sae = make_sae(tied=False).fit(*Xy)
    encoder = sae.encoder_coef_ / np.linalg.norm(sae.encoder_coef_, axis=1)[:, None]
    assert (encoder * sae.components_).sum(axis=1)[:4].min() < 0.999


def test_rows_without_a_target_count_for_the_reconstruction_only(Xy):
    """Whatever y would be where it is missing, nothing changes; X does."""
    X, y = Xy
    missing = np.arange(len(y)) % 3 == 0
    gaps = np.where(missing, np.nan, y)
    sae = make_sae(validation_fraction=None).fit(X, gaps)
    objects = pd.Series(gaps, dtype=object).where(~missing, None)
    assert_same_fit(sae, make_sae(validation_fraction=None).fit(X, objects))
    assert sae.n_samples_seen_ == 15 * len(X)
    weights = np.where(missing, 0.0, 1.0)
    by_weight = make_sae(validation_fraction=None).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(sae.components_, by_weight.components_, atol=1e-4)
    np.testing.assert_allclose(sae.coef_, by_weight.coef_, rtol=1e-3, atol=1e-3)


def test_weights_shift_what_is_learned(Xy, new):
    """Rows in which another target holds are told apart by their weights."""
    X, y = Xy
    first = np.arange(len(y)) % 2 == 0
    mixed = np.where(first, y, -y)
    params = {"target_smoothing": 0.0, "validation_fraction": None}
    sae = make_sae(**params).fit(X, mixed, sample_weight=np.where(first, 1.0, 0.01))
    assert sae.score(*new) > 0.2
    other = make_sae(**params).fit(X, mixed, sample_weight=np.where(first, 0.01, 1.0))
    assert other.score(new[0], -new[1]) > 0.2


def test_early_stopping_looks_at_both_terms(Xy):
    history = make_sae(max_epochs=80, n_iter_no_change=4).fit(*Xy).history_
    total = history["validation_error"] + history["target_error"]
    assert len(history) < 80
    assert total.argmin() == len(history) - 5
    assert history["validation_error"].argmin() != total.argmin()


def test_validation_rows_of_ones_own(Xy, new):
    sae = make_sae().fit(*Xy, X_val=new[0], y_val=new[1])
    assert sae.history_["target_error"].notna().all()
    np.testing.assert_allclose(sae.mean_, Xy[0].mean(axis=0), rtol=1e-4, atol=1e-5)
    without = make_sae().fit(*Xy, X_val=new[0])
    assert without.history_["target_error"].isna().all()
    # in units of the training target, however the validation target spreads
    narrow = make_sae().fit(*Xy, X_val=new[0], y_val=np.full(600, Xy[1].mean()))
    assert (narrow.history_["target_error"] < 1).all()
    with pytest.raises(ValueError, match="without X_val"):
        make_sae().fit(*Xy, y_val=new[1])
    with pytest.raises(ValueError, match="y_val has 2 outputs, but y had 1"):
        make_sae().fit(*Xy, X_val=new[0], y_val=np.column_stack([new[1], new[1]]))
    with pytest.raises(ValueError, match="y_val holds 'c', which is not among"):
        make_sae().fit(
            Xy[0], np.where(Xy[1] > 0, "a", "b"), X_val=new[0][:2], y_val=["a", "c"]
        )


def test_validation_rows_of_few_values_stay_quantities(Xy, new):
    sae = make_sae().fit(*Xy, X_val=new[0], y_val=(new[1] > 0).astype(float))
    assert sae.task_ == "regression"
    assert sae.history_["target_error"].max() < 3


def test_same_seed_same_fit(Xy, fitted):
    assert_same_fit(fitted, make_sae().fit(*Xy))
    np.testing.assert_array_equal(fitted.coef_, clone(fitted).fit(*Xy).coef_)


def test_scale_and_origin_of_both_do_not_matter(Xy, fitted, new):
    X, y = Xy
    for factor, shift in ((-5, 70), (1e-7, 0), (1e-7, 1), (1, 1e8)):
        other = make_sae().fit(100 * X + 3, factor * y + shift)
        assert other.score(100 * new[0] + 3, factor * new[1] + shift) == pytest.approx(
            fitted.score(*new), abs=0.02
        )


# --- classes and several outputs ----------------------------------------------------


def test_two_classes(Xy, new):
    y, y_new = Xy[1] > 0.5, new[1] > 0.5
    sae = make_sae(alpha=3.0, max_epochs=40).fit(Xy[0], y)
    assert sae.task_ == "classification"
    np.testing.assert_array_equal(sae.classes_, [False, True])
    probabilities = sae.predict_proba(new[0])
    assert probabilities.shape == (600, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    predicted = sae.predict(new[0])
    np.testing.assert_array_equal(predicted, probabilities[:, 1] > 0.5)
    assert sae.score(new[0], y_new) > 0.75
    assert sae.coef_.shape == (12,)


def test_three_named_classes(Xy, labels, new):
    sae = make_sae().fit(Xy[0], labels)
    assert list(sae.classes_) == ["less", "more", "same"]
    assert sae.coef_.shape == (3, 12)
    assert sae.intercept_.shape == (3,)
    assert set(sae.predict(new[0])) <= set(labels)
    y_new = np.array(["less", "same", "more"])[np.digitize(new[1], [-0.5, 0.5])]
    assert sae.score(new[0], y_new) > 0.65
    missing = pd.Series(labels, dtype=object).where(np.arange(len(labels)) % 2 == 0)
    again = make_sae().fit(Xy[0], missing)
    assert list(again.classes_) == list(sae.classes_)


def test_numbers_as_classes_when_asked(Xy):
    y = np.digitize(Xy[1], [-0.5, 0.5])
    assert make_sae().fit(Xy[0], y).task_ == "regression"
    sae = make_sae(task="classification").fit(Xy[0], y)
    np.testing.assert_array_equal(sae.classes_, [0, 1, 2])


def test_class_weight_is_a_sample_weight(Xy):
    y = Xy[1] > 0.9
    balanced = make_sae(class_weight="balanced").fit(Xy[0], y)
    share = y.mean()
    weights = np.where(y, 0.5 / share, 0.5 / (1 - share))
    by_hand = make_sae().fit(Xy[0], y, sample_weight=weights)
    assert_same_fit(balanced, by_hand)
    assert (balanced.predict(Xy[0])).mean() > make_sae().fit(Xy[0], y).predict(
        Xy[0]
    ).mean()


def test_several_outputs(Xy, new):
    X, y = Xy
    both = np.column_stack([y, 10 * X[:, 0]])
    sae = make_sae().fit(X, both)
    assert sae.coef_.shape == (2, 12)
    predicted = sae.predict(new[0])
    assert predicted.shape == (600, 2)
    assert sae.score(new[0], np.column_stack([new[1], 10 * new[0][:, 0]])) > 0.2
    assert make_sae().fit(X, y[:, None]).coef_.shape == (12,)


def test_predict_proba_is_for_classes(Xy, fitted):
    assert hasattr(make_sae(task="classification"), "predict_proba")
    assert not hasattr(make_sae(), "predict_proba")
    assert not hasattr(fitted, "predict_proba")


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: pd.Series(y > 0.5, dtype="boolean"),
        lambda y: pd.Series((y > 0.5).astype(int), dtype="Int64"),
        lambda y: pd.Series(np.where(y > 0.5, "a", "b"), dtype="category"),
        lambda y: np.where(y > 0.5, 0.5, -0.5),
        lambda y: pl.Series(np.where(y > 0.5, "a", "b").tolist()),
        lambda y: pl.Series([None, *(y[1:] > 0.5).tolist()]),
        lambda y: ["a" if value > 0.5 else "b" for value in y],
    ],
)
def test_labels_of_any_kind(Xy, labels):
    y = labels(Xy[1])
    sae = make_sae(max_epochs=3).fit(Xy[0], y)
    assert sae.task_ == "classification"
    kinds = {type(value) for value in sae.classes_.tolist()}
    given = [value for value in list(y) if value is not None]
    assert kinds <= {type(value) for value in np.array(given).tolist()}
    assert set(sae.predict(Xy[0]).tolist()) <= set(sae.classes_.tolist())
    assert 0 <= sae.score(Xy[0], y) <= 1


@pytest.mark.parametrize("container", [pl.Series, pd.Series, list, np.array])
def test_quantities_of_any_kind(Xy, fitted, container):
    sae = make_sae().fit(Xy[0], container(Xy[1].tolist()))
    assert_same_fit(sae, fitted)


def test_a_rare_class_survives_thinning_and_all_classes_are_told_apart(Xy, monkeypatch):
    monkeypatch.setattr(_head_predictor, "_MAX_HEAD_ROWS", 300)
    y = np.array(["a", *["b"] * 111, *["c"] * 688])
    sae = make_sae(max_epochs=3).fit(Xy[0], y)
    assert sae.coef_.shape == (3, 12)
    assert "b" not in sae.predict(Xy[0][:1]) or "a" in sae.classes_
    assert (sae.predict(Xy[0]) == "c").mean() > 0.5
    turns = np.tile(["a", "b"], 400)
    assert make_sae(max_epochs=3).fit(Xy[0], turns).coef_.shape == (12,)


def test_a_class_without_weight(Xy, labels):
    with pytest.raises(ValueError, match="all rows of class 'less' have weight 0"):
        make_sae().fit(Xy[0], labels, sample_weight=(labels != "less").astype(float))


def test_the_unit_of_the_weights_does_not_matter(Xy, labels, fitted):
    small = make_sae().fit(*Xy, sample_weight=np.full(800, 1e-3))
    np.testing.assert_allclose(small.coef_, fitted.coef_, rtol=1e-4)
    one = make_sae(max_epochs=3).fit(Xy[0], labels)
    other = make_sae(max_epochs=3).fit(Xy[0], labels, sample_weight=np.full(800, 1e-3))
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-3, atol=1e-3)


def test_rows_without_a_target_do_not_count_for_the_score(fitted, new):
    y = new[1].copy()
    y[::2] = np.nan
    assert fitted.score(new[0], y) == pytest.approx(
        fitted.score(new[0][1::2], new[1][1::2])
    )


def test_failed_refit_keeps_the_old_fit(Xy, new):
    sae = make_sae().fit(*Xy)
    before = sae.predict(new[0])
    for y in (np.ones(800), Xy[1][:799], None):
        with pytest.raises(ValueError, match="y"):
            sae.fit(Xy[0][:, :10], y)
        np.testing.assert_array_equal(sae.predict(new[0]), before)


def test_scoring_monitor_sees_the_head(Xy):
    monitor = ScoringMonitor(scoring="r2")
    sae = make_sae(max_epochs=3).set_callbacks(monitor).fit(*Xy)
    log = monitor.get_logs(select="most_recent")
    assert [task["task_name"] for task in log.data] == ["fit"] + 3 * ["epoch"]
    assert sae.n_iter_ == 3


# --- training rows are marked -------------------------------------------------------


def framed(X, texts=None):
    texts = [f"text {i}" for i in range(len(X))] if texts is None else texts
    return pd.DataFrame(X, index=pd.Index(texts, name="text", dtype=object))


def test_training_rows_are_marked_and_new_ones_are_not(Xy, new):
    sae, selector = make_sae(), NeuronSelector(3)
    codes = sae.fit_transform(framed(Xy[0]), Xy[1])
    assert selector.fit(codes, Xy[1]).trained_on_target_
    held_out = sae.transform(framed(new[0]))
    assert not selector.fit(held_out, new[1]).trained_on_target_
    plain = make_sae(alpha=0.0).fit_transform(framed(Xy[0]), Xy[1])
    assert not selector.fit(plain, Xy[1]).trained_on_target_


def test_the_mark_reaches_the_hypotheses():
    texts = make_concept_texts(600, n_concepts=4, random_state=0)
    rng = np.random.default_rng(0)
    X = framed(texts.truth @ rng.standard_normal((4, 12)), texts.data)
    sae = make_sae(n_neurons=16, k=2)
    pipe = make_pipeline(sae, NeuronSelector(4), HypothesisExtractor(random_state=0))
    pipe.fit(X, texts.target)
    assert pipe[-1].trained_on_target_
    pipe.set_params(supervisedsaetransformer__alpha=0.0).fit(X, texts.target)
    assert not pipe[-1].trained_on_target_


def test_grid_search_over_alpha(Xy):
    search = GridSearchCV(
        make_sae(max_epochs=5), {"alpha": [0.0, 1.0], "n_supervised": [2, None]}, cv=2
    ).fit(*Xy)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_alpha_auto_counts_the_rows_that_have_a_target(tmp_path):
    X, y = data(2000)
    few = {"alpha": "auto", "max_epochs": 3}
    sae = make_sae(**few).fit(X, y)
    assert sae.alpha_ == pytest.approx(0.1**0.5)
    same = make_sae(**(few | {"alpha": sae.alpha_})).fit(X, y)
    assert_same_fit(sae, same)
    some = np.where(np.arange(len(y)) < 400, y, np.nan)
    assert make_sae(**few).fit(X, some).alpha_ == pytest.approx(0.5**0.5)
    assert make_sae(**few).fit(X[:150], y[:150]).alpha_ == 1.0
    many = np.tile(X, (2, 1)), np.tile(y, 2)
    assert make_sae(**few).fit(*many).alpha_ == 0.3

    sae.save(tmp_path / "sae.npz")
    loaded = SupervisedSAETransformer.load(tmp_path / "sae.npz")
    assert loaded.alpha_ == sae.alpha_
    # a chunk is no reason to weigh the target anew
    assert loaded.partial_fit(X[:300], y[:300]).alpha_ == sae.alpha_
    assert make_sae(alpha=0.0, max_epochs=1).fit(X, y).alpha_ == 0.0
    # classes may be announced for a chunk without any label
    with pytest.raises(ValueError, match="none is left to train on"):
        make_sae(**few).partial_fit(X[:100], np.full(100, np.nan), classes=[0, 1])


# --- chunks, files ------------------------------------------------------------------


def test_partial_fit_learns_what_fit_learns(new):
    X, y = data(4000)
    sae = make_sae(batch_size=64)
    for _ in range(8):
        for part in np.array_split(np.arange(4000), 4):
            sae.partial_fit(X[part], y[part])
    assert sae.score(*new) > make_sae().fit(X, y).score(*new) - 0.15
    assert sae.n_samples_seen_ == 32_000
    assert sae.history_["epoch"].tolist() == list(range(1, 33))


def test_partial_fit_goes_on_with_the_head_of_fit(Xy, new):
    sae = make_sae(max_epochs=20).fit(*Xy)
    score, steps, seen = sae.score(*new), sae.n_steps_, sae.n_samples_seen_
    sae.partial_fit(Xy[0][:64], Xy[1][:64])
    assert sae.score(*new) > score - 0.05
    assert sae.n_steps_ == steps + 1
    assert sae.n_samples_seen_ == seen + 64


def test_chunks_that_say_little(Xy, new):
    """Two distinct values, none at all, and no labels: the task stays what it was."""
    sae = make_sae().partial_fit(*Xy)
    for y in (np.tile([0.0, 1.0], 20), np.zeros(40), np.full(40, np.nan)):
        sae.partial_fit(Xy[0][:40], y)
        assert sae.task_ == "regression"
        assert sae.coef_.shape == (12,)
    with pytest.raises(ValueError, match="2 outputs, but y had 1"):
        sae.partial_fit(Xy[0][:40], np.column_stack([Xy[1][:40]] * 2))
    with pytest.raises(ValueError, match="Call fit to start anew"):
        sae.set_params(n_supervised=5).partial_fit(*Xy)
    with pytest.raises(ValueError, match="classes arrived"):
        make_sae(task="regression").partial_fit(*Xy, classes=[0, 1])


def test_partial_fit_of_classes_that_come_one_by_one(Xy, labels, new):
    order = np.argsort(labels, kind="stable")
    X, y = Xy[0][order], labels[order]
    with pytest.raises(ValueError, match="single class"):
        make_sae().partial_fit(X[:50], y[:50])
    sae = make_sae()
    for part in np.array_split(np.arange(len(X)), 8):
        sae.partial_fit(X[part], y[part], classes=np.unique(y))
    assert np.isfinite(sae.predict_proba(new[0])).all()
    assert sae.coef_.shape == (3, 12)
    with pytest.raises(ValueError, match="'none', which is not among"):
        sae.partial_fit(X[:2], ["less", "none"])


def test_two_classes_by_chunks(Xy, new):
    y = Xy[1] > 0.5
    sae = make_sae()
    for part in np.array_split(np.arange(len(y)), 4):
        sae.partial_fit(Xy[0][part], y[part], classes=[False, True])
    assert sae.coef_.shape == (12,)
    assert sae.predict_proba(new[0]).shape == (600, 2)


def test_rows_behind_a_slice_or_in_a_file(tmp_path, Xy, fitted, new):
    class OnlySlices:
        def __init__(self, X):
            self.X, self.shape, self.dtype = X, X.shape, X.dtype

        def __getitem__(self, rows):
            assert isinstance(rows, slice)
            return self.X[rows]

    np.save(tmp_path / "X.npy", Xy[0])
    for source in (OnlySlices(Xy[0]), np.load(tmp_path / "X.npy", mmap_mode="r")):
        sae = make_sae().fit(source, Xy[1])
        assert_same_fit(sae, fitted)
        np.testing.assert_allclose(sae.coef_, fitted.coef_)
    np.testing.assert_allclose(sae.predict(OnlySlices(new[0])), sae.predict(new[0]))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("kind", ["quantity", "labels"])
def test_save_and_load(tmp_path, Xy, labels, new, kind, chunked):
    y = Xy[1] if kind == "quantity" else labels
    sae = make_sae(class_weight={"less": 2.0} if kind == "labels" else None)
    if chunked:
        more = {"classes": np.unique(y)} if kind == "labels" else {}
        sae.partial_fit(Xy[0][:400], y[:400], **more)
    else:
        sae.fit(Xy[0], y)
    sae.save(tmp_path / "sae.npz")
    loaded = SupervisedSAETransformer.load(tmp_path / "sae.npz")
    assert_same_fit(sae, loaded)
    assert loaded.get_params() == sae.get_params()
    np.testing.assert_array_equal(loaded.predict(new[0]), sae.predict(new[0]))
    pd.testing.assert_frame_equal(loaded.history_, sae.history_)
    for each in (sae, loaded):
        each.partial_fit(Xy[0][400:], y[400:])
    assert_same_fit(sae, loaded)
    np.testing.assert_array_equal(loaded.coef_, sae.coef_)
    with pytest.raises(ModelFileError, match="not a Sparse"):
        SparseAutoencoderTransformer.load(tmp_path / "sae.npz")


@pytest.mark.parametrize(
    "changes",
    [{"coef_": np.ones(11)}, {"coef_": None}, {"intercept_": np.ones(2)}],
)
def test_load_a_head_that_does_not_fit(tmp_path, fitted, changes):
    path = tmp_path / "sae.npz"
    fitted.save(path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files} | changes
    np.savez(path, **{name: a for name, a in arrays.items() if a is not None})
    with pytest.raises(ModelFileError, match="not those of a head on 12 neurons"):
        SupervisedSAETransformer.load(path)


# --- bad input ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "params", "message"),
    [
        (None, {}, "requires y to be passed"),
        (np.full(800, np.nan), {}, "NaN only"),
        (np.zeros(800), {"task": "classification"}, "single class"),
        (np.zeros(799), {}, "differ in length"),
        (np.r_[np.inf, np.zeros(799)], {}, "infinity"),
        (np.array(["a"] * 800), {"task": "regression"}, "must be numeric"),
        (np.zeros((800, 2)), {"task": "classification"}, "takes one"),
        (np.zeros((799, 2)), {}, "differ in length"),
        (np.full((800, 2), np.nan), {}, "every row"),
        (np.r_[np.full(799, np.nan), 1.0], {}, "constant"),
    ],
)
def test_targets_that_cannot_be_used(Xy, y, params, message):
    with pytest.raises(ValueError, match=message):
        make_sae(**params).fit(Xy[0], y)


@pytest.mark.parametrize(
    "weights", [np.ones(799), -np.ones(800), np.zeros(800), np.full(800, np.nan)]
)
def test_weights_that_cannot_be_used(Xy, weights):
    with pytest.raises(ValueError, match="sample_weight"):
        make_sae().fit(*Xy, sample_weight=weights)


def test_a_constant_quantity_has_nothing_to_explain(Xy):
    with pytest.raises(ValueError, match="y is constant"):
        make_sae().fit(Xy[0], np.full(800, 3.0))
    both = np.column_stack([Xy[1], np.ones(800)])
    assert np.isfinite(make_sae().fit(Xy[0], both).predict(Xy[0])).all()


def test_counts_are_learned_by_their_logarithms(tmp_path):
    X, y = data(400)
    counts = np.floor(np.exp(2 * y))
    few = {"max_epochs": 3}
    sae = make_sae(**few).fit(X, counts)
    same = make_sae(**few).fit(X, np.log1p(counts))
    assert (sae.target_scale_, same.target_scale_) == ("log1p", "identity")
    assert_same_fit(sae, same)
    np.testing.assert_allclose(sae.predict(X), np.expm1(same.predict(X)))
    assert sae.score(X, counts) == same.score(X, np.log1p(counts))
    sae.save(tmp_path / "sae.npz")
    loaded = SupervisedSAETransformer.load(tmp_path / "sae.npz")
    np.testing.assert_array_equal(loaded.predict(X), sae.predict(X))
    # a chunk of few whales is no reason to change the scale
    assert loaded.partial_fit(X[:50], counts[:50] % 3).target_scale_ == "log1p"


def test_the_validation_target_is_on_the_same_scale():
    X, y = data(400)
    counts = np.floor(np.exp(2 * y))
    few = {"max_epochs": 3}
    sae = make_sae(**few).fit(X[:300], counts[:300], X[300:], counts[300:])
    logs = np.log1p(counts)
    same = make_sae(**few).fit(X[:300], logs[:300], X[300:], logs[300:])
    assert_same_fit(sae, same)


def test_several_columns_are_learned_as_they_are_unless_said():
    X, y = data(400)
    counts = np.floor(np.exp(2 * np.column_stack([y, -y])))
    few = {"max_epochs": 3}
    assert make_sae(**few).fit(X, counts).target_scale_ == "identity"
    sae = make_sae(target_scale="log1p", **few).fit(X, counts)
    assert_same_fit(sae, make_sae(**few).fit(X, np.log1p(counts)))
