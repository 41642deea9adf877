"""Worlds in which the truth is known: 20 hypotheses, none or five of which matter.

Each world says how annotations and target come about. Its truth is computed from the
conditional mean of the target, not from noisy targets.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import expit

N_HYPOTHESES = 20
N_COPIES = 3  # exact ones, and as many near ones
FLIPPED = 0.03  # share of the answers in which a near copy differs
CHUNKS = 20  # per document
ICC = 0.5  # of the annotations of one document
POSITIVES, FEWEST = 0.03, 20
_MANY = 400_000  # rows of the simulations that yield the truth


class Sample(NamedTuple):
    """Annotations (n, 20), target (n,), and documents (n,) or None."""

    A: np.ndarray
    y: np.ndarray
    groups: np.ndarray | None = None


class Truth(NamedTuple):
    """Effects of the 20 hypotheses; NaN where they are not identified."""

    coef: np.ndarray
    separation: np.ndarray
    ame: np.ndarray


@dataclass(frozen=True)
class World:
    """Where samples come from.

    Attributes
    ----------
    name, title : str
        For the command line, and for the page.
    n : int
        Rows.
    prevalence : tuple of float
        Of each hypothesis.
    annotate : callable
        ``(world, rng, n) -> (A, tendency)``; the tendency is the probability of a 1,
        which documents share, or None.
    noise : callable
        ``(rng, A) -> noise`` of a quantity; None for two classes.
    noise_sd : float
        Its standard deviation.
    true : tuple of int
        The planted hypotheses.
    strength : float
        Expected z statistic, about, of a planted effect: such that hypothesaes finds
        half of them where it holds its level.
    """

    name: str
    title: str
    n: int
    prevalence: tuple
    annotate: Callable
    noise: Callable | None
    noise_sd: float
    true: tuple
    strength: float

    @property
    def is_binary(self):
        return self.noise is None

    @property
    def has_documents(self):
        return self.annotate is chunks

    @property
    def has_copies(self):
        return self.annotate is copies

    @property
    def task(self):
        return "classification" if self.is_binary else "regression"


# Annotations ------------------------------------------------------------------------


def independent(world, rng, n):
    """Draw every answer on its own."""
    return (rng.random((n, N_HYPOTHESES)) < world.prevalence).astype(float), None


def copies(world, rng, n):
    """The last six repeat the last six of the others: three exactly, three nearly."""
    A, _ = independent(world, rng, n)
    first = N_HYPOTHESES - 2 * N_COPIES
    A[:, first:] = A[:, first - 2 * N_COPIES : first]
    near = A[:, -N_COPIES:]
    A[:, -N_COPIES:] = np.where(rng.random(near.shape) < FLIPPED, 1 - near, near)
    return A, None


def chunks(world, rng, n):
    """Chunks of one document share a tendency to have the hypothesis."""
    p, scale = np.array(world.prevalence), 1 / ICC - 1
    shape = (n // CHUNKS, N_HYPOTHESES)
    tendency = rng.beta(p * scale, (1 - p) * scale, size=shape)
    A = rng.random((n, N_HYPOTHESES)) < np.repeat(tendency, CHUNKS, axis=0)
    return A.astype(float), tendency


# Targets ----------------------------------------------------------------------------


def normal(rng, A):
    return rng.normal(size=len(A))


def heavy(rng, A):
    return rng.standard_t(3, size=len(A))


def unequal(rng, A):
    """Noise that each of the five rarest hypotheses makes larger."""
    return rng.normal(size=len(A)) * (1 + A[:, :5].sum(axis=1))


def draw(world, rng, planted):
    """Draw one sample.

    Parameters
    ----------
    world : World
    rng : Generator
    planted : bool
        Whether five hypotheses matter, or none.

    Returns
    -------
    sample : Sample
    """
    A, tendency = world.annotate(world, rng, world.n)
    unit = A if tendency is None else tendency  # what the target hangs on
    linear = unit @ effects(world) if planted else np.zeros(len(unit))
    if not world.is_binary:
        y = linear + world.noise(rng, unit)
    elif planted:
        y = _some_positives(rng, expit(intercept(world) + linear), world)
    else:
        y = np.zeros(len(unit))
        y[rng.permutation(len(y))[: n_positives(world)]] = 1
    if tendency is None:
        return Sample(A, y)
    documents = np.repeat(np.arange(len(unit)), CHUNKS)
    return Sample(A, y[documents], documents)


def n_positives(world):
    """Positives under the null: exactly so many."""
    if world.has_documents:
        return round(0.3 * world.n / CHUNKS)
    return max(FEWEST, round(POSITIVES * world.n))


def _some_positives(rng, probability, world):
    """Draw classes, again where there are fewer than 20 positives."""
    while True:
        y = (rng.random(len(probability)) < probability).astype(float)
        if y.sum() >= FEWEST:
            return y


# Truth ------------------------------------------------------------------------------


def positive_rate(world):
    """Share of positives where effects are planted.

    A little more than 3 % of few rows, so that 20 is what is nearly always reached.
    """
    if world.has_documents:
        return 0.3
    return max(POSITIVES, 1.2 * FEWEST / world.n)


@lru_cache
def effects(world):
    """Planted effects (20,), each as large as its prevalence requires."""
    p = np.array(world.prevalence)
    units, variance = world.n, p * (1 - p)
    if world.has_documents:
        units, variance = world.n / CHUNKS, variance * ICC
    sd = world.noise_sd
    if world.is_binary:
        rate = positive_rate(world)
        sd = 1 / np.sqrt(rate * (1 - rate))
    found = np.zeros(N_HYPOTHESES)
    true = list(world.true)
    found[true] = world.strength * sd / np.sqrt(units * variance)[true]
    return found


@lru_cache(maxsize=1)  # it is large
def _many(world):
    """A large sample of annotations, and the linear predictor of each of its units."""
    rng = np.random.default_rng(zlib.crc32(world.name.encode()))
    A, tendency = world.annotate(world, rng, _MANY)
    return A, (A if tendency is None else tendency) @ effects(world)


@lru_cache
def intercept(world):
    """Intercept of the logit, by bisection, that yields the share of positives."""
    linear = _many(world)[1]
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if expit(middle + linear).mean() < positive_rate(world):
            low = middle
        else:
            high = middle
    return low


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
    zero = np.zeros(N_HYPOTHESES)
    if not planted:
        return Truth(zero, zero, zero if world.is_binary else zero * np.nan)
    A, linear = _many(world)
    mean = expit(intercept(world) + linear) if world.is_binary else linear
    if world.has_documents:
        mean = np.repeat(mean, CHUNKS)
    separation = np.array([mean[a == 1].mean() - mean[a == 0].mean() for a in A.T])
    coef, ame = effects(world), zero * np.nan
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
        first = N_HYPOTHESES - 2 * N_COPIES
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


# The worlds -------------------------------------------------------------------------

_MIXED = tuple(np.geomspace(0.05, 0.5, N_HYPOTHESES))
_RARE = (0.02,) * N_HYPOTHESES
_TWICE = tuple(np.geomspace(0.05, 0.5, N_HYPOTHESES - 2 * N_COPIES)) + (0.5,) * 6
_SPREAD = (1, 5, 9, 13, 17)
_COPIED = (1, 4, 6, 8, 11)  # 8 has an exact copy, 11 a near one


def _both_sizes(name, title, sizes=(500, 2000), **settings):
    made = {
        "prevalence": _MIXED,
        "annotate": independent,
        "noise": normal,
        "noise_sd": 1.0,
        "true": _SPREAD,
        "strength": 2.9,
    } | settings
    return [World(f"{name}-{n}", title, n, **made) for n in sizes]


_LIST = [
    *_both_sizes("normal", "independent rows, normal noise"),
    *_both_sizes("t3", "noise: t with 3 df", noise=heavy, noise_sd=3**0.5),
    *_both_sizes("rare", "prevalence 2 %", prevalence=_RARE),
    *_both_sizes(
        "copies", "duplicates", prevalence=_TWICE, annotate=copies, true=_COPIED
    ),
    *_both_sizes(
        "unequal", "noise that differs by hypothesis", noise=unequal, noise_sd=1.4
    ),
    *_both_sizes(
        "binary", "3 % positives", sizes=(667, 2000), noise=None, strength=2.5
    ),
    *_both_sizes(
        "binary-rare",
        "3 % positives, prevalence 2 %",
        sizes=(2000,),
        noise=None,
        prevalence=_RARE,
        strength=2.2,
    ),
    *_both_sizes(
        "chunks",
        "100 documents × 20 chunks",
        sizes=(2000,),
        annotate=chunks,
        strength=4.0,
    ),
    *_both_sizes(
        "chunks-binary",
        "100 documents × 20 chunks, 30 positive",
        sizes=(2000,),
        annotate=chunks,
        noise=None,
        strength=4.0,
    ),
]
WORLDS = {world.name: world for world in _LIST}
