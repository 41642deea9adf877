"""Which numbers are counts."""

import numpy as np
import pytest

from sklearn_hypo import evaluate_annotations, rerun_audit_bundle
from sklearn_hypo._utils._target_scale import look_like_counts

RNG = np.random.default_rng(0)
LIKES = RNG.poisson(RNG.gamma(0.3, 10.0, 300))
HOLDS = RNG.integers(0, 2, (300, 2))


def kind_of(y, **given):
    given = {"n_resamples": 0, "near_duplicates": "ignore"} | given
    return evaluate_annotations(HOLDS, y, **given).target_kind


@pytest.mark.filterwarnings("ignore")
def test_a_long_tail_and_many_zeros_are_counts():
    assert kind_of(LIKES) == "count"
    assert kind_of(LIKES, target="quantity") == "quantity"
    assert kind_of(LIKES.astype(float)) == "count"


@pytest.mark.parametrize(
    "y",
    [
        RNG.integers(1, 6, 300),
        RNG.integers(0, 6, 300),
        np.where(RNG.random(300) < 0.7, 0, 10),  # 0 to 10, at its ends
        RNG.integers(0, 101, 300),
        RNG.poisson(0.8, 300),
        LIKES + 1,
        LIKES - 1,
        LIKES + 0.5,
        np.zeros(300),
    ],
    ids=["stars", "0-5", "0-10", "0-100", "even", "no zeros", "negative", "half", "0"],
)
def test_scales_and_even_counts_are_quantities(y):
    assert not look_like_counts(y)


def test_nothing_is_no_count():
    assert not look_like_counts([])


@pytest.mark.filterwarnings("ignore")
def test_a_named_kind_makes_numbers_of_two_values():
    assert kind_of(np.arange(300) % 2, target="count") == "count"
    assert kind_of(np.arange(300) % 2) is None


def test_what_cannot_be_a_count_is_refused():
    with pytest.raises(ValueError, match=r"y goes down to -1\. Pass target='quantity'"):
        kind_of(LIKES - 1, target="count")
    with pytest.raises(ValueError, match="target='count' is a kind of numbers"):
        kind_of(np.repeat(["a", "b"], 150), target="count", task="classification")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", ["auto", "quantity"])
def test_an_audit_bundle_knows_the_kind(tmp_path, target):
    report = evaluate_annotations(HOLDS, LIKES, target=target, n_resamples=0)
    report.save(tmp_path / "audit")
    again = rerun_audit_bundle(tmp_path / "audit")
    assert again.target_kind == report.target_kind
    assert list(again.table) == list(report.table)
