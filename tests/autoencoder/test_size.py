"""`n_neurons="auto"` and `k="auto"`: what they settle to, and how long they stay it."""

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

from sklearn_hypo import SparseAutoencoderTransformer, SupervisedSAETransformer
from sklearn_hypo._autoencoder._plan import choose_size
from sklearn_hypo.exceptions import ModelFileError

BOTH = pytest.mark.parametrize(
    "kind", [SparseAutoencoderTransformer, SupervisedSAETransformer]
)


def some_rows(n_rows, seed=0):
    X = np.random.default_rng(seed).standard_normal((n_rows, 12))
    return X.astype(np.float32), X[:, 0]


def make_sae(kind=SparseAutoencoderTransformer, **params):
    return kind(**({"max_epochs": 1, "random_state": 0} | params))


def size(sae):
    return sae.n_neurons_, sae.k_


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [
        (1, (4, 4)),
        (50, (32, 4)),
        (100, (64, 8)),
        (200, (128, 8)),
        (5000, (128, 8)),
        (10_000, (256, 8)),
        (100_000, (1024, 8)),
        (10**9, (4096, 8)),
    ],
)
def test_size_follows_the_rows(n_rows, expected):
    assert choose_size(n_rows) == expected


def test_what_is_given_is_kept():
    assert choose_size(1000, n_neurons=3) == (3, 3)
    assert choose_size(1000, n_neurons=500) == (500, 8)
    assert choose_size(1000, k=16) == (128, 16)
    assert choose_size(200, k=200) == (200, 200)
    assert choose_size(200, 7, 2) == (7, 2)


@BOTH
def test_defaults_are_settled_at_fit(kind):
    few, more = some_rows(300), some_rows(3000)
    sae = make_sae(kind).fit(*few)
    assert size(sae) == choose_size(300)
    assert sae.components_.shape == (sae.n_neurons_, 12)
    assert (sae.transform(few[0]) > 0).sum(axis=1).mean() == pytest.approx(8, rel=0.1)
    assert size(sae.fit(*more)) == choose_size(3000)
    assert (sae.n_neurons, sae.k) == ("auto", "auto")
    blank = clone(sae)
    assert (blank.n_neurons, blank.k) == ("auto", "auto")


@BOTH
def test_settled_sizes_give_the_same_fit(kind):
    X, y = some_rows(300)
    sae = make_sae(kind).fit(X, y)
    told = make_sae(kind, n_neurons=sae.n_neurons_, k=sae.k_).fit(X, y)
    assert size(told) == size(sae)
    np.testing.assert_array_equal(told.encoder_coef_, sae.encoder_coef_)


@BOTH
def test_auto_in_a_grid(kind):
    grid = GridSearchCV(
        make_sae(kind, prefix_lengths=(0.25, 1.0)),
        {"n_neurons": ["auto", 8], "k": ["auto", 2]},
        cv=2,
        error_score="raise",
    ).fit(*some_rows(300))
    assert np.isfinite(grid.cv_results_["mean_test_score"]).all()
    best = grid.best_params_
    assert grid.best_estimator_.k_ == choose_size(300, best["n_neurons"], best["k"])[1]


def test_integer_prefixes_say_how_many_neurons():
    X, _ = some_rows(300)
    assert size(make_sae(prefix_lengths=(5, 20)).fit(X)) == (20, 4)
    assert size(make_sae(prefix_lengths=(0.25, 1.0)).fit(X)) == (128, 8)


def test_first_chunk_decides():
    X, _ = some_rows(3000)
    sae = make_sae().partial_fit(X[:60])
    assert size(sae) == choose_size(60)
    sae.partial_fit(X)
    assert size(sae) == choose_size(60)
    assert size(sae.fit(X)) == choose_size(3000)


def test_supervised_chunks():
    X, y = some_rows(3000)
    sae = make_sae(SupervisedSAETransformer).partial_fit(X[:60], y[:60])
    sae.partial_fit(X, y)
    assert size(sae) == choose_size(60)
    assert sae.coef_.shape == (sae.n_neurons_,)


def test_warm_start_keeps_the_size():
    X, _ = some_rows(3000)
    sae = make_sae(warm_start=True).fit(X[:60])
    assert size(sae.fit(X)) == choose_size(60)
    with pytest.raises(ValueError, match=r"\(32, 12\).*\(20, 12\).*warm_start"):
        sae.set_params(n_neurons=20).fit(X)


def test_parameters_set_after_fit_change_no_activation():
    X, _ = some_rows(300)
    sae = make_sae(n_neurons=16, k=3, sparsity="topk").fit(X)
    expected = sae.transform(X)
    np.testing.assert_array_equal(sae.set_params(k=9).transform(X), expected)


@BOTH
def test_files_keep_what_was_settled(tmp_path, kind):
    X, y = some_rows(300)
    sae = make_sae(kind, sparsity="topk").fit(X, y)
    sae.save(tmp_path / "model")
    loaded = kind.load(tmp_path / "model")
    assert size(loaded) == size(sae)
    assert loaded.get_params() == sae.get_params()
    np.testing.assert_array_equal(loaded.transform(X), sae.transform(X))
    more = some_rows(3000)
    assert size(loaded.partial_fit(*more)) == size(sae)


def rewrite_header(path, change):
    with np.load(path) as archive:
        content = {name: archive[name] for name in archive.files}
    header = json.loads(str(content["header"]))
    change(header)
    content["header"] = np.array(json.dumps(header))
    with open(path, "wb") as file:
        np.savez(file, **content)


def test_files_from_before_sizes_were_settled(tmp_path):
    X, _ = some_rows(300)
    sae = make_sae(n_neurons=16, k=3, sparsity="topk").fit(X)
    path = tmp_path / "model"
    sae.save(path)

    def as_version_2(header):
        del header["n_neurons_"], header["k_"]
        header["version"] = 2

    rewrite_header(path, as_version_2)
    loaded = SparseAutoencoderTransformer.load(path)
    assert size(loaded) == (16, 3)
    np.testing.assert_array_equal(loaded.transform(X), sae.transform(X))


@pytest.mark.parametrize("change", [{"n_neurons_": 15}, {"k_": 17}, {"k_": 0}])
def test_files_with_another_size(tmp_path, change):
    path = tmp_path / "model"
    make_sae(n_neurons=16, k=3).fit(some_rows(300)[0]).save(path)
    rewrite_header(path, lambda header: header.update(change))
    with pytest.raises(ModelFileError, match="does not fit together"):
        SparseAutoencoderTransformer.load(path)


@pytest.mark.filterwarnings("ignore:SparseAutoencoderTransformer has:UserWarning")
def test_scikit_learn_checks_of_the_defaults():
    check_estimator(make_sae(max_epochs=2), on_skip=None)
