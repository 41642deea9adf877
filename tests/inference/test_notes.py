"""What could not be computed, in the table's notes and in warnings."""

import warnings

import numpy as np
import pytest
from annotation_tests import check_and_test

from sklearn_hypo._inference._notes import Notes
from sklearn_hypo.exceptions import HypothesisWarning


def test_a_warning_names_six_and_counts_the_rest():
    notes = Notes([f"h{j}" for j in range(9)])
    for j in range(8):
        notes.add(j, "constant", "true of 0 of 5")
    notes.add(1, "unanswered", "0 of 5")
    first, second = notes.messages()
    assert "[8 of 9]: 'h0' (true of 0 of 5), 'h1'" in first
    assert "'h5' (true of 0 of 5) and 2 more. They cannot be tested." in first
    assert "h6" not in first
    assert "[1 of 9]: 'h1' (0 of 5). They cannot be tested." in second
    texts = notes.by_hypothesis()
    assert texts[0] == "never or always true (true of 0 of 5)"
    assert texts[1] == "never or always true (true of 0 of 5); no answers (0 of 5)"
    assert texts[8] == ""


@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
def test_a_target_that_varies_only_where_answers_are_missing():
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, (40, 2)).astype(float)
    y = np.r_[np.zeros(30), rng.normal(size=10)]
    A[30:, 1] = np.nan
    with pytest.warns(HypothesisWarning, match="y takes a single value on the 30 rows"):
        table, summary = check_and_test(A, y)
    assert table["coef"].isna().all()
    assert table.loc[0, "separation_p"] < 1
    assert (summary["n_joint"], summary["n_tested"]) == (0, 0)


def test_bounds_of_odds_ratios_may_be_infinite():
    rng = np.random.default_rng(0)
    group = np.maximum(np.arange(60) - 50, 0)  # groups of which most hardly count
    A, y = rng.integers(0, 2, (60, 2)), rng.integers(0, 2, 60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table, _ = check_and_test(A, y, groups=group, task="classification")
    assert (table["coef_upper"] > 710).any()
    assert np.isinf(table["odds_ratio_upper"]).any()


@pytest.mark.parametrize(("length", "shown"), [(80, "w" * 80), (81, "w" * 79 + "…")])
def test_long_names_are_cut(length, shown):
    assert Notes(["w" * length]).name(0) == repr(shown)
