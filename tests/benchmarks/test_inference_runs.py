"""The simulations of the tests: what is drawn, kept and counted."""

import _inference_goals
import _inference_report
import _inference_runs
import numpy as np
import pytest
from _inference_samples import draw
from _inference_truth import truth
from _inference_worlds import WORLDS
from statsmodels.stats.multitest import multipletests

SMALL = [name for name, world in WORLDS.items() if world.n <= 1000]


@pytest.mark.parametrize("name", SMALL)
def test_samples_fit_their_world(name):
    world = WORLDS[name]
    for planted in [kind == "planted" for kind in world.kinds]:
        sample = draw(world, np.random.default_rng(0), planted)
        assert sample.A.shape == (len(sample.y), len(world.prevalence))
        assert np.isin(sample.A[~np.isnan(sample.A)], (0, 1)).all()
        for values in sample.settings.values():
            assert values is False or len(values) == len(sample.y)


def test_planted_effects_are_what_the_truth_says():
    world = WORLDS["normal-500"]
    samples = [draw(world, np.random.default_rng(seed), True) for seed in range(200)]
    A = np.concatenate([sample.A for sample in samples])
    y = np.concatenate([sample.y for sample in samples])
    found = [y[a == 1].mean() - y[a == 0].mean() for a in A.T]
    np.testing.assert_allclose(found, truth(world, planted=True).separation, atol=0.06)
    assert np.flatnonzero(truth(world, planted=True).coef).tolist() == list(world.true)


@pytest.mark.parametrize("method", ["bonferroni", "holm", "fdr_bh", "fdr_by"])
def test_corrections_of_many_runs_are_those_of_statsmodels(method):
    p = np.random.default_rng(0).random((5, 8)) ** 3
    found = _inference_report.adjust(p, np.full(5, 8), method)
    expected = [multipletests(row, method=method)[1] for row in p]
    np.testing.assert_allclose(found, expected)


@pytest.fixture
def evaluated(monkeypatch, tmp_path):
    """Names of the arms that were evaluated, by run; nothing is computed."""
    seen = []

    def evaluate(sample, task, settings):
        seen.append(sample.y[0])
        p = np.full(len(sample.A.T), sample.y[0])
        return dict.fromkeys(_inference_runs.OURS, p)

    monkeypatch.setattr(_inference_runs, "evaluate", evaluate)
    monkeypatch.setattr(_inference_runs, "FOLDER", tmp_path)
    return seen


def keep_blocks(n_blocks, state="one"):
    seeds = _inference_runs.record_seeds("normal-500", "null", 2 * n_blocks)
    for first in range(0, 2 * n_blocks, 2):
        block = seeds[first : first + 2]
        _inference_runs.run_and_keep("normal-500", "null", first, block, state)


def test_a_run_that_ended_is_gone_on_with(evaluated):
    keep_blocks(2)
    before = len(evaluated)
    keep_blocks(3)
    assert len(evaluated) == before * 3 / 2  # the third block alone
    arms, about = _inference_runs.read("normal-500", "null")
    assert about["runs"] == 6
    first = [
        draw(WORLDS["normal-500"], np.random.default_rng(s), False).y[0]
        for s in _inference_runs.record_seeds("normal-500", "null", 6)
    ]
    np.testing.assert_array_equal(arms["default"]["coef_p"][:, 0], first)


def test_figures_of_other_code_are_not_mixed(evaluated):
    keep_blocks(3)
    keep_blocks(1, state="two")
    assert _inference_runs.read("normal-500", "null")[1]["runs"] == 2


@pytest.mark.parametrize(
    ("value", "error", "met"),
    [
        (0.05, 0.01, "yes"),
        (0.07, 0.01, "**no**, within error"),
        (0.09, 0.01, "**no**"),
        (np.nan, 0, "-"),
    ],
)
def test_aims(value, error, met):
    aim = _inference_goals.AIMS[0]
    assert aim.goal == "≤ 0.06"
    assert _inference_goals._judge(aim, value, error) == met
