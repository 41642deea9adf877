"""Which numbers are counts."""

import numpy as np
import pytest

from sklearn_hypo import evaluate_annotations, rerun_audit_bundle

RNG = np.random.default_rng(0)
LIKES = RNG.poisson(RNG.gamma(0.3, 10.0, 300))
HOLDS = RNG.integers(0, 2, (300, 2))


def kind_of(y, **given):
    given = {"n_resamples": 0, "near_duplicates": "ignore"} | given
    return evaluate_annotations(HOLDS, y, **given).target_kind


@pytest.mark.filterwarnings("ignore")
def test_counts_are_recognised_unless_another_kind_is_named():
    assert kind_of(LIKES) == "count"
    assert kind_of(LIKES, target="quantity") == "quantity"
    assert kind_of(np.minimum(LIKES, 5)) == "quantity"


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


# What is predicted ----------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_predictions_of_counts_are_scored_on_their_logarithms():
    """And what is fitted in the sample stays in units of the target."""
    counted = evaluate_annotations(HOLDS, LIKES, n_resamples=0).overall
    logged = evaluate_annotations(HOLDS, np.log1p(LIKES), n_resamples=0).overall
    plain = evaluate_annotations(HOLDS, LIKES, target="quantity", n_resamples=0).overall
    values = [table.set_index("name")["value"] for table in (counted, logged, plain)]
    assert values[0]["r2_cross_fitted"] == values[1]["r2_cross_fitted"]
    assert values[0]["r2_cross_fitted"] != values[2]["r2_cross_fitted"]
    assert values[0]["r2"] == values[2]["r2"]
    words = counted.set_index("name")["description"]
    assert words["r2_cross_fitted"].startswith("R² on log(1 + y) cross-fitted")
    assert "log" not in words["r2"]


@pytest.mark.filterwarnings("ignore")
def test_within_pairs_logarithms_are_subtracted():
    pairs = np.arange(300) // 2
    counted = evaluate_annotations(HOLDS, LIKES, pairs=pairs, n_resamples=0)
    logged = evaluate_annotations(
        HOLDS, np.log1p(LIKES), pairs=pairs, n_resamples=0, target="quantity"
    )
    values = [r.overall.set_index("name")["value"] for r in (counted, logged)]
    assert values[0]["r2_cross_fitted"] == values[1]["r2_cross_fitted"]
