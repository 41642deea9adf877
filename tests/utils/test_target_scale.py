"""Which numbers are counts, and the scale they are learned on."""

import numpy as np
import pytest

from sklearn_hypo._utils._target_scale import (
    look_like_counts,
    resolve_target_scale,
    scale_target,
    unscale_target,
)

RNG = np.random.default_rng(0)
LIKES = RNG.poisson(RNG.gamma(0.3, 10.0, 300))


def test_a_long_tail_and_many_zeros_are_counts():
    assert look_like_counts(LIKES)
    assert look_like_counts(LIKES.astype(float))


@pytest.mark.parametrize(
    "y",
    [
        RNG.integers(1, 6, 300),
        RNG.integers(0, 6, 300),
        np.where(RNG.random(300) < 0.7, 0, 10),  # 0 to 10, at its ends
        RNG.integers(0, 101, 300),
        RNG.poisson(0.8, 300),
        np.append(np.arange(999) % 2, 12),  # one that is odd
        LIKES + 1,
        LIKES - 1,
        LIKES + 0.5,
        np.zeros(300),
        [],
    ],
    ids=["stars", "0-5", "0-10", "0-100", "even", "odd one", "no zeros", "negative"]
    + ["half", "constant", "none"],
)
def test_scales_and_even_counts_are_none(y):
    assert not look_like_counts(y)
    assert resolve_target_scale(y) == "identity"


def test_the_scale_is_that_of_the_numbers_or_the_named_one():
    assert resolve_target_scale(LIKES) == "log1p"
    assert resolve_target_scale(LIKES, "identity") == "identity"
    assert resolve_target_scale(-LIKES, "log1p") == "log1p"
    assert resolve_target_scale(LIKES, "log1p", classes=[0, 1]) == "identity"


def test_there_and_back():
    scaled = scale_target(LIKES, "log1p", caller="x")
    np.testing.assert_array_equal(scaled, np.log(1.0 + LIKES))
    np.testing.assert_allclose(unscale_target(scaled, "log1p"), LIKES)
    assert scale_target(LIKES, "identity", caller="x") is LIKES
    assert np.isnan(scale_target(np.array([np.nan, 1.0]), "log1p", caller="x")[0])
    with pytest.raises(ValueError, match=r"x: y .* down to -3\. Pass target_scale='id"):
        scale_target(np.array([np.nan, 1.0, -3.0]), "log1p", caller="x")
