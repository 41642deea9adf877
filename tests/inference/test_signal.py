"""The test of the signal keeps its level, whatever hangs together."""

import numpy as np
import pytest

from sklearn_hypo import Signal
from sklearn_hypo._inference._design import make_design
from sklearn_hypo._inference._signal import measure_signal

N_GROUPS, SIZE = 20, 5
GROUPS = np.repeat(np.arange(N_GROUPS), SIZE)


def draw_grouped(rng):
    """Return rows that are alike within a group, and a target that knows them not."""
    rows = rng.standard_normal((N_GROUPS, 4))[GROUPS]
    rows += 0.1 * rng.standard_normal(rows.shape)
    return rows, rng.standard_normal(N_GROUPS)[GROUPS]


def p_of(rows, y, n_classes=None, **beside):
    design = make_design(len(y), **beside, caller="test")
    return measure_signal(rows, y, n_classes, design, n_permutations=19, seed=0).p_value


def test_groups_exchange_their_target_together():
    rng = np.random.default_rng(0)
    drawn = [draw_grouped(rng) for _ in range(60)]
    by_group = [p_of(rows, y, groups=GROUPS) for rows, y in drawn]
    assert np.mean(np.array(by_group) <= 0.1) <= 0.2  # 0.1, and 2.6 standard errors
    # uniform: rows permuted one by one would be predicted better, for nothing
    assert 0.35 < np.mean(by_group) < 0.65
    by_row = [p_of(rows, y) for rows, y in drawn[:20]]
    assert np.mean(np.array(by_row) <= 0.1) > 0.4  # as if all were independent


@pytest.mark.parametrize("n_classes", [None, 2, 3])
def test_noise_is_rarely_taken_for_a_signal(n_classes):
    rng = np.random.default_rng(1)
    p = []
    for _ in range(60):
        y = (
            rng.standard_normal(60)
            if n_classes is None
            else rng.integers(n_classes, size=60)
        )
        p.append(p_of(rng.standard_normal((60, 4)), y, n_classes))
    assert np.mean(np.array(p) <= 0.1) <= 0.2
    assert 0.35 < np.mean(p) < 0.7


def test_pairs_are_differences():
    rng = np.random.default_rng(2)
    rows, pairs = rng.standard_normal((80, 4)), np.arange(80) // 2
    strength = (
        rows[:, 0] + 0.1 * rng.standard_normal(80) + 5 * rng.standard_normal(40)[pairs]
    )
    won = (
        strength == np.maximum.reduceat(strength, np.arange(0, 80, 2))[pairs]
    ).astype(int)
    design = make_design(80, pairs=pairs, caller="test")
    signal = measure_signal(rows, won, 2, design, n_permutations=19, seed=0)
    assert (signal.metric, signal.n_rows, signal.p_value) == ("pairs", 40, 0.05)
    assert signal.score > 0.8
    quantity = measure_signal(rows, strength, None, design, n_permutations=19, seed=0)
    assert quantity.metric == "r2"
    assert quantity.score > 0.8  # what the members share is gone


def test_too_few_rows_have_no_score():
    design = make_design(1, caller="test")
    signal = measure_signal(
        np.ones((1, 2)), np.ones(1), None, design, n_permutations=9, seed=0
    )
    assert np.isnan(signal.score)
    assert np.isnan(signal.p_value)


def test_the_sentence():
    said = str(Signal("roc_auc", 0.71234, 0.005, 199, 1500))
    assert said.startswith("ROC AUC 0.712 of a ridge regression on the embeddings")
    assert said.endswith("on 1,500 rows; p = 0.005 by 199 permutations")
