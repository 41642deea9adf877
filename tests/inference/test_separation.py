"""Separations at the edge of what can be computed."""

import warnings

import numpy as np
import pytest
from annotation_tests import check_and_test
from scipy import stats


def table_of(A, y, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check_and_test(np.reshape(A, (len(y), -1)), y, **given)[0]


@pytest.mark.parametrize("complement", [False, True])
@pytest.mark.parametrize(("rows", "noted"), [(4, True), (16, True), (64, False)])
def test_few_texts_of_a_skewed_target_are_noted(rows, noted, complement):
    n = 400
    y = np.exp(np.linspace(-2.2, 2.2, n))
    skewness = abs(stats.skew(y)) / np.sqrt(rows)
    assert (0.3 < skewness < 0.6) == (rows == 16)
    holds = np.isin(np.arange(n), np.linspace(0, n - 1, rows).round()) ^ complement
    assert ("skewed target" in table_of(holds, y, cov_type="HC3")["note"][0]) == noted


def test_heavy_tails_that_are_symmetric_are_not_noted():
    y = np.r_[np.linspace(-1, 1, 396), -30, -25, 25.5, 31]
    assert table_of(np.arange(400) % 40 == 3, y)["note"][0] == ""


def test_a_perfect_predictor_has_no_standard_error_of_its_separation():
    a = np.arange(40) % 3 == 0
    row = table_of(a, a.astype(int)).iloc[0]
    assert row["separation"] == 1
    assert np.isnan(row["separation_se"])
    assert 0.7 < row["separation_lower"] < row["separation_upper"] == 1
    assert row["separation_p"] < 1e-8


@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_pairs_that_all_gain_the_same_have_no_standard_error(gain):
    pairs = np.repeat(np.arange(12), 2)
    a = np.tile([1, 0], 12)
    y = np.repeat(np.arange(12) / 7, 2) + gain * a
    row = table_of(a, y, pairs=pairs, task="regression").iloc[0]
    assert row["separation"] == pytest.approx(gain)
    assert row[["separation_se", "separation_lower", "separation_p"]].isna().all()
    assert row["n_discordant"] == 12
    assert "no standard error" in row["note"]
