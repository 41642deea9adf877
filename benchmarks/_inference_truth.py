"""The truth of each world, from the conditional mean of the target, not from noise."""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from _inference_samples import (
    _MANY,
    CHUNKS,
    ICC,
    N_COPIES,
    classes_with_covariate,
    effects,
    intercept,
    large_sample,
    three_classes,
    three_classes_one_rare,
    topic,
    with_covariate,
)
from scipy.special import expit
from sklearn.linear_model import LinearRegression


class Truth(NamedTuple):
    """Effects of the hypotheses; NaN where they are not identified."""

    coef: np.ndarray
    separation: np.ndarray
    ame: np.ndarray


@lru_cache
def truth(world, planted):
    """Compute the effects that intervals should cover.

    Parameters
    ----------
    world : World
    planted : bool
        As for `draw`.

    Returns
    -------
    truth : Truth
        Joint coefficients (of copies: NaN), separations, average marginal effects.
    """
    zero = np.zeros(len(world.prevalence))
    unknown = zero * np.nan
    if world.make in (
        three_classes,
        three_classes_one_rare,
    ):  # which class differs most is not fixed
        return Truth(unknown, unknown, unknown)
    if world.make in (with_covariate, classes_with_covariate):
        # a separation leaves the covariate out
        coef = effects(world) if planted else zero
        return Truth(coef, unknown, zero if world.is_binary else unknown)
    if not planted:
        return Truth(zero, zero, zero if world.is_binary else unknown)
    if world.make is topic:
        return _topic_truth(world)
    if world.make is not None:  # hypotheses of independent answers, linear effects
        return Truth(effects(world), effects(world), unknown)
    return _planted_truth(world)


def _topic_truth(world):
    """Of what the topic does, in many texts without noise."""
    silent = replace(world, n=_MANY, noise=lambda rng, A: np.zeros(len(A)))
    A, y, _ = topic(silent, np.random.default_rng(0), planted=True)
    coef = LinearRegression().fit(A, y).coef_
    separation = np.array([y[a == 1].mean() - y[a == 0].mean() for a in A.T])
    return Truth(coef, separation, np.full(A.shape[1], np.nan))


def _planted_truth(world):
    A, linear = large_sample(world)
    mean = expit(intercept(world) + linear) if world.is_binary else linear
    if world.has_documents:
        mean = np.repeat(mean, CHUNKS)
    separation = np.array([mean[a == 1].mean() - mean[a == 0].mean() for a in A.T])
    coef, ame = effects(world), np.full(A.shape[1], np.nan)
    if world.has_documents and not world.is_binary:
        # within documents a chunk says nothing of y, which attenuates
        coef = coef * ICC
        separation = coef
    elif world.is_binary:
        constant = intercept(world)
        if world.has_documents:
            constant, coef = _logit(A, mean)
        ame = _marginal_effects(A, constant, coef)
    if world.has_copies:
        coef = coef.copy()
        first = A.shape[1] - 2 * N_COPIES
        coef[first : first + N_COPIES] = np.nan
        coef[first - 2 * N_COPIES : first - N_COPIES] = effects(world)[
            first - 2 * N_COPIES : first - N_COPIES
        ]
    return Truth(coef, separation, ame)


def _logit(A, mean):
    """Fit a logit to probabilities, by Newton's method."""
    X = np.column_stack([np.ones(len(A)), A])
    beta = np.zeros(X.shape[1])
    for _ in range(25):
        p = expit(X @ beta)
        spread = p * (1 - p)
        beta += np.linalg.solve((X * spread[:, None]).T @ X, X.T @ (mean - p))
    return beta[0], beta[1:]


def _marginal_effects(A, constant, coef):
    """Mean change of the probability when one answer goes from 0 to 1."""
    eta = constant + A @ coef
    found = np.zeros(len(coef))
    for j in np.flatnonzero(coef):
        without = eta - A[:, j] * coef[j]
        found[j] = np.mean(expit(without + coef[j]) - expit(without))
    return found
