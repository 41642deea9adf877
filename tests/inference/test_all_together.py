"""The p-value of all hypotheses together: its level, its parts, and what it finds."""

import numpy as np
import pytest

from sklearn_hypo._inference._all_together import (
    AdjustedModel,
    _count_extreme,
    permutation_p,
)
from sklearn_hypo._inference._robust_covariance import least_squares


def make_rows(rng, n=120, h=3):
    return (rng.random((n, h)) < 0.4).astype(float)


def world(kind, rng, effect=0.0):
    """Annotations, target, controls and design; all is independent without effects."""
    A, n, design = make_rows(rng), 120, {}
    controls, noise = np.ones((n, 1)), rng.normal(size=n)
    z = rng.normal(size=n)
    if kind in ("covariate", "classes and covariate"):
        A = (rng.random((n, 3)) < 1 / (1 + np.exp(-2 * z))[:, None]).astype(float)
        controls = np.column_stack([controls, z])
    if "classes" in kind:
        eta = A[:, 0] * effect + (kind == "classes and covariate") * z - 1
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
        design["n_classes"] = 2
        if kind == "three classes":
            y, design["n_classes"] = y + (rng.random(n) < 0.3), 3
        if kind == "weighted classes":
            design["weights"] = rng.uniform(0.5, 2, n)
    else:
        y = A[:, 0] * effect + noise
    if kind == "spread":
        y = y + 2 * noise * A[:, 1]
    elif kind == "covariate":
        y = y + z
    elif kind == "weights":
        design["weights"] = np.exp(0.4 * rng.normal(size=n))
        y = A[:, 0] * effect + noise * design["weights"]
    elif kind == "levels":
        design["levels"] = np.arange(n) % 6
        y = y + design["levels"]
        controls = (design["levels"][:, None] == np.arange(6)).astype(float)
    elif kind == "pairs":
        D, design["paired"] = A - make_rows(rng), True
        A, y, controls = D, D[:, 0] * effect + noise, np.empty((n, 0))
    elif "groups" in kind:
        clusters = design["clusters"] = np.repeat(np.arange(20), 6)
        A = make_rows(rng, 20)[clusters]  # constant within groups
        shared = rng.normal(size=20)[clusters]
        y = A[:, 0] * effect + 0.5 * shared + noise
        if kind == "classes in groups":
            y, design["n_classes"] = (y > 0.5).astype(int), 2
        elif kind == "classes of groups":
            y, design["n_classes"] = (A[:, 0] * effect + shared > 0.5).astype(int), 2
    return (A, y, controls), design


KINDS = [
    *("plain", "spread", "covariate", "weights", "levels", "pairs", "groups"),
    *("classes", "three classes", "classes and covariate", "weighted classes"),
    *("classes in groups", "classes of groups"),
]


def p_of(kind, seed, effect=0.0):
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    rows, design = world(kind, rng, effect)
    p, reason = permutation_p(*rows, rng, 99, **design)
    assert reason == ""
    return p


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_its_level_and_finds_effects(kind):
    p = np.array([p_of(kind, seed) for seed in range(80)])
    assert p.min() >= 0.01
    assert (p <= 0.1).sum() <= 17  # 8 expected, sd 2.7
    assert 0.38 < p.mean() < 0.62
    found = [p_of(kind, seed, effect=3.0) <= 0.05 for seed in range(12)]
    assert np.mean(found) > 0.6


@pytest.mark.parametrize("weighted", [False, True])
def test_each_hypothesis_stands_beside_the_covariates(weighted):
    rng = np.random.default_rng(0)
    A, z, y = make_rows(rng), rng.normal(size=120), rng.normal(size=(2, 120))
    w = rng.uniform(0.3, 3, 120) if weighted else None
    controls = np.column_stack([np.ones(120), z])
    found = AdjustedModel(A, controls, w).fit(y)
    for j in range(3):
        X = np.column_stack([A[:, j], controls])
        for b in range(2):
            hc2 = least_squares(X, y[b], weights=w, cov_type="HC2")
            assert found.coef[b, j] == pytest.approx(hc2.coef[0])
            spread = np.sum((y[b] - X @ hc2.coef) ** 2) / 117
            root = np.ones(120) if w is None else w
            bread = np.linalg.inv(X.T * root @ X) @ (X.T * root)
            pooled = spread * np.sum(bread[0] ** 2)
            assert found.pooled[b, j] == pytest.approx(pooled)
            assert found.robust[b, j] == pytest.approx(hc2.covariance[0, 0])


def test_what_covariates_determine_adds_nothing_whatever_their_unit():
    rng = np.random.default_rng(0)
    A, y = make_rows(rng, 100, 4), rng.normal(size=100)
    for scale in (1.0, 1e4, 1e6):
        controls = np.column_stack([np.ones(100), scale + A[:, 0]])
        p = [
            permutation_p(A[:, own], y, controls, np.random.default_rng(0), 49)
            for own in ([2, 3], [0, 2, 3])
        ]
        assert p[0] == p[1]


def test_draws_end_at_the_hundredth_that_is_as_extreme():
    draws = np.random.default_rng(0).normal(size=9999)
    position = iter(np.split(draws, np.arange(1, 9999)))

    def draw(n):
        return np.array([next(position) for _ in range(n)]).T

    p = _count_extreme(np.array([1.0]), draw, 9999)
    last = np.flatnonzero(np.abs(draws) >= 1)[99] + 1
    assert p == 100 / last


def test_few_draws_are_all_taken():
    assert _count_extreme(np.array([5.0]), lambda n: np.zeros((1, n)), 99) == 0.01
    assert _count_extreme(np.zeros(0), lambda n: np.zeros((0, n)), 99) == 1.0


def test_no_resamples_no_p_value():
    rows, design = world("plain", np.random.default_rng(0))
    p, reason = permutation_p(*rows, np.random.default_rng(0), 0, **design)
    assert np.isnan(p)
    assert reason == ""
