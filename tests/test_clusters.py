"""Dask and Ray through joblib: two workers compute what one process does."""

import os
from pathlib import Path

import numpy as np
import pytest
from cluster_tasks import (
    ROWS,
    find_meeting,
    find_meeting_at_worker,
    look_around,
    make_sae,
    train_part,
)
from forks import fork_context
from joblib import Parallel, delayed, parallel_config
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_score,
    permutation_test_score,
)
from sklearn.pipeline import make_pipeline

from sklearn_hypo import (
    HypothesisExtractor,
    LexiconInterpreter,
    NeuronSelector,
    SparseAutoencoderTransformer,
    TextEmbedder,
    evaluate_hypotheses,
    replicate_hypotheses,
)
from sklearn_hypo.datasets import make_concept_texts

DATA = make_concept_texts(400, n_concepts=3, effects=[2, -2, 1], random_state=0)
X, Y = DATA.data[:300], DATA.target[:300]
X_TEST, Y_TEST = DATA.data[300:], DATA.target[300:]


def make_pipe():
    return make_pipeline(
        TextEmbedder("lsa", n_components=16, random_state=0),
        SparseAutoencoderTransformer(16, 2, max_epochs=5, random_state=0),
        NeuronSelector(3),
        # without embeddings of words, which each worker would compute anew
        HypothesisExtractor(LexiconInterpreter(embedder=None), random_state=0),
    )


@pytest.fixture(scope="module")
def fitted():
    return make_pipe().fit(X, Y)


# What is asked of each backend: a function of a fitted pipeline each, whose answer is
# an array.


def cross_validate(fitted):
    return cross_val_score(make_pipe(), X, Y, cv=3)


def search(fitted):
    grid = {"sparseautoencodertransformer__k": [1, 2]}
    found = GridSearchCV(make_pipe(), grid, cv=2, refit=False).fit(X, Y)
    return [found.cv_results_[f"split{i}_test_score"] for i in range(2)]


def replicate(fitted):
    return replicate_hypotheses(fitted, X, Y, n_runs=2).correlations


def bootstrap(fitted):
    return replicate_hypotheses(fitted, X, Y, n_runs=2, vary="bootstrap").correlations


def permute(fitted):
    score, permuted, p_value = permutation_test_score(
        make_pipe(), X, Y, cv=2, n_permutations=2, random_state=0
    )
    return [score, *permuted, p_value]


def resample(fitted):
    """The bootstrap and the permutations of a test, which a worker makes as a whole."""
    reports = Parallel()(
        delayed(evaluate_hypotheses)(fitted, X_TEST, Y_TEST, random_state=seed)
        for seed in range(2)
    )
    return [report.table.select_dtypes("number").to_numpy() for report in reports] + [
        report.overall.select_dtypes("number").to_numpy() for report in reports
    ]


ASKED = (cross_validate, search, replicate, bootstrap, permute, resample)


@pytest.fixture(scope="module")
def expected(fitted):
    """What one process answers."""
    with parallel_config("loky", n_jobs=1):
        return {function: function(fitted) for function in ASKED}


def assert_same(found, expected):
    flat = (np.concatenate([np.ravel(a) for a in each]) for each in (found, expected))
    found, expected = flat
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert np.ptp(expected[np.isfinite(expected)]) > 0.01


def look_around_in_workers(n_threads=None):
    seen = Parallel()(delayed(look_around)(n_threads) for _ in range(4))
    assert os.getpid() not in {each["process"] for each in seen}
    return seen


# One autoencoder, trained by two workers together, each on rows of its own ------------


def assert_trained_together(found):
    (one, first), (two, second) = found
    assert len({one, two, os.getpid()}) == 3
    np.testing.assert_array_equal(first.components_, second.components_)
    np.testing.assert_array_equal(first.encoder_coef_, second.encoder_coef_)
    alone = make_sae().fit(ROWS[::2])
    assert np.abs(first.components_ - alone.components_).max() > 1e-3
    assert first.score(ROWS) == pytest.approx(
        make_sae().fit(ROWS).score(ROWS), abs=0.05
    )
    assert first.score(ROWS) > 0.8


# --- Dask ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dask_cluster():
    """Two workers with a thread each, which find everything imported."""
    distributed = pytest.importorskip("distributed", reason="needs the extra 'dask'")
    import dask

    fork_context()
    settings = {"distributed.worker.multiprocessing-method": "forkserver"}
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.parametrize("function", ASKED)
def test_dask(dask_cluster, fitted, expected, function):
    with parallel_config("dask"):
        assert_same(function(fitted), expected[function])


def test_dask_is_not_oversubscribed(dask_cluster):
    with parallel_config("dask"):
        seen = look_around_in_workers(2)
    assert {each["started"] for each in seen} == {1}
    assert {each["helped"] for each in seen} == {1}


def test_dask_trains_one_autoencoder(dask_cluster):
    workers = list(dask_cluster.scheduler_info()["workers"])
    meeting = dask_cluster.submit(
        find_meeting_at_worker, workers=workers[:1], pure=False
    )
    meeting = meeting.result()
    parts = [
        dask_cluster.submit(train_part, rank, meeting, workers=[worker], pure=False)
        for rank, worker in enumerate(workers)
    ]
    assert_trained_together(dask_cluster.gather(parts))


# --- Ray ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ray_cluster():
    ray = pytest.importorskip("ray", reason="needs the extra 'ray'")
    from ray.util.joblib import register_ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        support = Path(__file__).parent / "support"  # workers import tasks from there
        patch.setenv("PYTHONPATH", str(support), prepend=os.pathsep)
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        register_ray()
        yield
        ray.shutdown()


# Ray's backend has one job, in this process, unless it is told how many.


@pytest.mark.parametrize("function", ASKED)
def test_ray(ray_cluster, fitted, expected, function):
    with parallel_config("ray", n_jobs=2):
        assert_same(function(fitted), expected[function])


def test_ray_is_not_oversubscribed(ray_cluster):
    with parallel_config("ray", n_jobs=2):
        seen = look_around_in_workers()
    # Ray tells its workers what is theirs
    assert {each["told"] for each in seen} == {"1"}
    assert {each["started"] for each in seen} == {1}
    assert {each["helped"] for each in seen} == {1}


def test_ray_trains_one_autoencoder(ray_cluster):
    import ray

    train = ray.remote(num_cpus=1)(train_part)
    meeting = find_meeting(ray.util.get_node_ip_address())
    assert_trained_together(ray.get([train.remote(rank, meeting) for rank in range(2)]))
