"""Drawing rows."""

import itertools

import numpy as np
import pytest

from sklearn_hypo._interpretation._sampling import (
    draw_percentile_bins,
    draw_top_and_zero_rows,
    split_at_random,
)


@pytest.mark.parametrize("n", range(12))
def test_split_rows(n):
    parts = split_at_random(n, (0.7, 0.15, 0.15), np.random.RandomState(0))
    assert len(parts) == 3
    assert sorted(np.concatenate(parts)) == list(range(n))
    assert all(np.all(np.diff(part) > 0) for part in parts)
    if n >= 3:
        assert all(len(part) > 0 for part in parts)


def test_split_rows_keeps_the_shares():
    parts = split_at_random(1000, (0.7, 0.15, 0.15), np.random.RandomState(0))
    assert [len(part) for part in parts] == [700, 150, 150]


def test_top_and_zero_rows():
    activation = np.array([0, 3.0, 0, 1.0, 2.0, 0, 0])
    top, zero = draw_top_and_zero_rows(activation, 2, 3, np.random.RandomState(0))
    assert top.tolist() == [1, 4]
    assert len(zero) == 3
    assert not activation[zero].any()
    again = draw_top_and_zero_rows(activation, 2, 3, np.random.RandomState(0))
    assert zero.tolist() == again[1].tolist()


def test_top_and_zero_rows_where_there_are_too_few():
    top, zero = draw_top_and_zero_rows(
        np.array([1.0, 2.0]), 5, 5, np.random.RandomState(0)
    )
    assert top.tolist() == [1, 0]
    assert len(zero) == 0


def test_equal_activations_are_drawn_at_random():
    drawn = {
        tuple(draw_top_and_zero_rows(np.ones(9), 2, 0, np.random.RandomState(s))[0])
        for s in range(20)
    }
    assert len(drawn) > 5


def test_percentile_bins_by_strength():
    rng = np.random.RandomState(0)
    activation = np.r_[np.zeros(100), rng.exponential(size=200)]
    bins = draw_percentile_bins(activation, 1000, rng)
    assert [len(rows) for rows in bins] == [100, 100, 60, 30, 10]
    assert sorted(np.concatenate(bins)) == list(range(300))
    for weaker, stronger in itertools.pairwise(bins):
        assert activation[weaker].max() <= activation[stronger].min()


def test_percentile_bins_are_capped_and_seeded():
    activation = np.random.RandomState(0).exponential(size=300)
    drawn = [
        draw_percentile_bins(activation, 5, np.random.RandomState(s)) for s in (0, 0, 1)
    ]
    assert [len(rows) for rows in drawn[0]] == [0, 5, 5, 5, 5]
    same = [np.array_equal(a, b) for a, b in zip(*drawn[:2], strict=True)]
    assert all(same)
    assert not np.array_equal(drawn[0][1], drawn[2][1])


def test_percentile_bins_of_equal_or_no_activations():
    bins = draw_percentile_bins(np.ones(40), 9, np.random.RandomState(0))
    assert [len(rows) for rows in bins] == [0, 9, 9, 6, 2]
    bins = draw_percentile_bins(np.zeros(4), 9, np.random.RandomState(0))
    assert [len(rows) for rows in bins] == [4, 0, 0, 0, 0]
