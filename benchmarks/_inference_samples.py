"""How annotations and targets come about: what the worlds are made of."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

N_COPIES = 3  # exact ones, and as many near ones
FLIPPED = 0.03  # share of the answers in which a near copy differs
CHUNKS = 20  # per document
ICC = 0.5  # of the annotations of one document
POSITIVES, FEWEST = 0.03, 20
_TARGET_ICC, _ANSWER_ICC = 0.3, 0.2  # of the rows of one group
_MANY = 400_000  # rows of the simulations that yield the truth


class Sample(NamedTuple):
    """Annotations (n, m), target (n,), and what else is known of the rows, by name.

    `settings` are arguments of `evaluate_annotations`: groups, weights, covariates.
    """

    A: np.ndarray
    y: np.ndarray
    settings: Mapping = MappingProxyType({})


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
    noise : callable or None
        ``(rng, A) -> noise`` of a quantity; None for classes.
    noise_sd : float
        Its standard deviation.
    true : tuple of int
        The planted hypotheses.
    strength : float
        Expected z statistic, about, of a planted effect: such that hypothesaes finds
        half of them where it holds its level.
    annotate : callable
        ``(world, rng, n) -> (A, tendency)``; the tendency is the probability of a 1,
        which documents share, or None.
    make : callable or None
        ``(world, rng, planted) -> Sample``, where rows are more than annotations and
        noise.
    group_sizes : tuple of int
        Rows of each group, if any.
    positive_documents : float
        Share of the documents that are positive, where classes have documents.
    kinds : tuple of {"null", "planted"}
        What is simulated.
    together : bool
        Whether the p-value of all hypotheses together is computed, too.
    more_errors : bool
        Whether other standard errors are compared.
    """

    name: str
    title: str
    n: int
    prevalence: tuple
    noise: Callable | None
    noise_sd: float
    true: tuple
    strength: float
    annotate: Callable
    make: Callable | None = None
    group_sizes: tuple = ()
    positive_documents: float = 0.3
    kinds: tuple = ("null", "planted")
    together: bool = False
    more_errors: bool = False

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

    @property
    def is_plain(self):
        """Whether rows are annotations and a target, and nothing else."""
        return self.make is None and not self.has_documents

    @property
    def n_units(self):
        """Independent units that an effect is estimated from."""
        if self.has_documents:
            return self.n / CHUNKS
        if self.annotate is whole_groups:
            return len(self.group_sizes)
        return self.n


def draw(world, rng, planted):
    """Draw one sample.

    Parameters
    ----------
    world : World
    rng : Generator
    planted : bool
        Whether some hypotheses matter, or none.

    Returns
    -------
    sample : Sample
    """
    if world.make is not None:
        return world.make(world, rng, planted)
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
    return Sample(A, y[documents], {"groups": documents})


def n_positives(world):
    """Positives under the null: exactly so many."""
    if world.has_documents:
        return round(world.positive_documents * world.n / CHUNKS)
    return max(FEWEST, round(POSITIVES * world.n))


def _some_positives(rng, probability, world):
    """Draw classes, again where there are fewer than 20 positives."""
    while True:
        y = (rng.random(len(probability)) < probability).astype(float)
        if y.sum() >= FEWEST:
            return y


# Annotations ------------------------------------------------------------------------


def independent(world, rng, n):
    """Draw every answer on its own."""
    return (rng.random((n, len(world.prevalence))) < world.prevalence).astype(
        float
    ), None


def exact_counts(world, rng, n):
    """Draw so many texts, exactly, of which each hypothesis holds."""
    ranks = rng.random((n, len(world.prevalence))).argsort(axis=0)
    return (ranks < np.round(np.multiply(world.prevalence, n))).astype(float), None


def copies(world, rng, n):
    """The last six repeat the last six of the others: three exactly, three nearly."""
    A, _ = independent(world, rng, n)
    first = A.shape[1] - 2 * N_COPIES
    A[:, first:] = A[:, first - 2 * N_COPIES : first]
    near = A[:, -N_COPIES:]
    A[:, -N_COPIES:] = np.where(rng.random(near.shape) < FLIPPED, 1 - near, near)
    return A, None


def near_copies(world, rng, n):
    """Every second hypothesis agrees with the one before on all but a few rows."""
    A, _ = independent(world, rng, n)
    flipped = rng.random((n, A.shape[1] // 2)) < FLIPPED
    A[:, 1::2] = np.where(flipped, 1 - A[:, ::2], A[:, ::2])
    return A, None


def chunks(world, rng, n):
    """Chunks of one document share a tendency to have the hypothesis."""
    tendency = _draw_tendency(world, rng, n // CHUNKS, ICC)
    A = rng.random((n, tendency.shape[1])) < np.repeat(tendency, CHUNKS, axis=0)
    return A.astype(float), tendency


def alike_in_groups(world, rng, n):
    """Rows of one group share a tendency, but their target hangs on their answers."""
    tendency = _draw_tendency(world, rng, len(world.group_sizes), _ANSWER_ICC)
    tendency = np.repeat(tendency, world.group_sizes, axis=0)
    return (rng.random(tendency.shape) < tendency).astype(float), None


def whole_groups(world, rng, n):
    """All rows of a group have the same answers."""
    A, _ = independent(world, rng, len(world.group_sizes))
    return np.repeat(A, world.group_sizes, axis=0), None


def _draw_tendency(world, rng, n, icc):
    p, scale = np.array(world.prevalence), 1 / icc - 1
    return rng.beta(p * scale, (1 - p) * scale, size=(n, len(p)))


# Targets ----------------------------------------------------------------------------


def normal(rng, A):
    return rng.normal(size=len(A))


def heavy(rng, A):
    return rng.standard_t(3, size=len(A))


def unequal(rng, A):
    """Noise that each of the five rarest hypotheses makes larger."""
    return rng.normal(size=len(A)) * (1 + A[:, :5].sum(axis=1))


def votes(rng, A):
    """Counts such as likes: six in ten are 0, and the tail is long."""
    return rng.poisson(np.exp(rng.normal(-1, _TAIL, size=len(A)))).astype(float)


_TAIL = 1.45
_MEAN_VOTES = np.exp(-1 + _TAIL**2 / 2)
VOTES_SD = float(np.sqrt(_MEAN_VOTES + _MEAN_VOTES**2 * (np.exp(_TAIL**2) - 1)))


def lognormal(rng, A):
    return np.exp(rng.normal(size=len(A)))


LOGNORMAL_SD = float(np.sqrt(np.e * (np.e - 1)))
_STARS = (0.08, 0.06, 0.12, 0.26, 0.48)


def stars(rng, A):
    """Ratings from 1 to 5, half of them 5."""
    return rng.choice(np.arange(1.0, 6.0), size=len(A), p=_STARS)


_MEAN_STARS = np.dot(_STARS, range(1, 6))
STARS_SD = float(np.sqrt(np.dot(_STARS, np.square(range(1, 6))) - _MEAN_STARS**2))


def centred_lognormal(rng, A):
    return lognormal(rng, A) - np.sqrt(np.e)


def spread_by(factor, first, noise=normal):
    """Noise of which the spread is another where any of the first hypotheses holds."""
    return lambda rng, A: noise(rng, A) * np.where(A[:, :first].any(axis=1), factor, 1)


def spread_by_each(factor):
    """Normal noise whose spread is so many times larger for each that holds."""
    return lambda rng, A: rng.normal(size=len(A)) * factor ** A.sum(axis=1)


N_TOPIC = 10  # hypotheses that go with the topic


def topic(world, rng, planted):
    """A topic of one text in ten moves the target; ten hypotheses go with it a little.

    Of what a hypothesis is true of, a part has the topic: spreads differ, by effects.
    """
    there = rng.random(world.n) < 0.1
    prevalence = np.full((world.n, len(world.prevalence)), 0.02)
    prevalence[there, :N_TOPIC] = 0.25
    A = (rng.random(prevalence.shape) < prevalence).astype(float)
    return Sample(A, world.noise(rng, A) + 3.0 * planted * there)


# Samples that are more than annotations and noise -----------------------------------


def weighted(world, rng, planted):
    """Survey weights; the target spreads more where they are large."""
    A, _ = world.annotate(world, rng, world.n)
    weights = np.exp(0.45 * rng.normal(size=world.n))
    y = A @ effects(world) * planted + world.noise(rng, A) * weights
    return Sample(A, y, {"sample_weight": weights})


def _driven_annotations(world, rng):
    """A covariate, and annotations that hold more often where it is large."""
    x = rng.normal(size=world.n)
    odds = logit(np.array(world.prevalence)) + 0.5 * x[:, None]
    return x, (rng.random(odds.shape) < expit(odds)).astype(float)


def with_covariate(world, rng, planted):
    """A covariate that drives annotations and target."""
    x, A = _driven_annotations(world, rng)
    y = x + A @ effects(world) * planted + world.noise(rng, A)
    return Sample(A, y, {"covariates": x[:, None]})


def classes_with_covariate(world, rng, planted):
    """A covariate that drives annotations and a class that few texts have."""
    x, A = _driven_annotations(world, rng)
    linear = logit(POSITIVES) - 0.4 + x + A @ effects(world) * planted
    y = _some_positives(rng, expit(linear), world)
    return Sample(A, y, {"covariates": x[:, None]})


def with_groups(world, rng, planted):
    """Rows in groups, each of which has an effect of its own on the target."""
    A, _ = world.annotate(world, rng, world.n)
    groups = np.repeat(np.arange(len(world.group_sizes)), world.group_sizes)
    shared = rng.normal(size=len(world.group_sizes))[groups]
    own = world.noise(rng, A)
    noise = np.sqrt(_TARGET_ICC) * shared + np.sqrt(1 - _TARGET_ICC) * own
    return Sample(A, A @ effects(world) * planted + noise, {"groups": groups})


def three_classes(world, rng, planted):
    """Three classes, alike in size."""
    A, _ = world.annotate(world, rng, world.n)
    return Sample(A, rng.integers(3, size=world.n))


def three_classes_one_rare(world, rng, planted):
    """Three classes, one of which has 3 % of the rows."""
    A, _ = world.annotate(world, rng, world.n)
    return Sample(A, rng.choice(3, size=world.n, p=(0.48, 0.49, 0.03)))


def unanswered(world, rng, planted):
    """One answer in ten is missing, more of them where the target is large."""
    A, _ = world.annotate(world, rng, world.n)
    y = A @ effects(world) * planted + world.noise(rng, A)
    rate = np.where(y > np.median(y), 0.15, 0.05)
    A[rng.random(A.shape) < rate[:, None]] = np.nan
    return Sample(A, y)


def paired(world, rng, planted):
    """Pairs of texts that share more than the hypotheses say."""
    A, _ = world.annotate(world, rng, world.n)
    pairs = np.repeat(np.arange(world.n // 2), 2)
    shared = rng.normal(size=world.n // 2)[pairs]
    y = A @ effects(world) * planted + shared + world.noise(rng, A)
    return Sample(A, y, {"pairs": pairs})


def reposted(world, rng, planted):
    """Half of the texts stand four times, with the same answers and target."""
    n_texts = round(world.n / 2.5)
    A, _ = world.annotate(world, rng, n_texts)
    y = A @ effects(world) * planted + world.noise(rng, A)
    of = np.repeat(np.arange(n_texts), np.where(np.arange(n_texts) % 2, 4, 1))
    words = rng.integers(1000, size=(n_texts, 12))
    texts = np.array([" ".join(f"w{w}" for w in row) for row in words], dtype=object)
    return Sample(A[of], y[of], {"texts": list(texts[of]), "ngrams": False})


# Effects ----------------------------------------------------------------------------


def positive_rate(world):
    """Share of positives where effects are planted.

    A little more than 3 % of few rows, so that 20 is what is nearly always reached.
    """
    if world.has_documents:
        return world.positive_documents
    return max(POSITIVES, 1.2 * FEWEST / world.n)


@lru_cache
def effects(world):
    """Planted effects (m,), each as large as its prevalence requires."""
    p = np.array(world.prevalence)
    variance = p * (1 - p) * (ICC if world.has_documents else 1)
    sd = world.noise_sd
    if world.is_binary:
        rate = positive_rate(world)
        sd = 1 / np.sqrt(rate * (1 - rate))
    found = np.zeros(len(p))
    true = list(world.true)
    found[true] = world.strength * sd / np.sqrt(world.n_units * variance)[true]
    return found


@lru_cache(maxsize=1)  # it is large
def large_sample(world):
    """Annotations of many rows, and the linear predictor of each of their units."""
    rng = np.random.default_rng(zlib.crc32(world.name.encode()))
    A, tendency = world.annotate(world, rng, _MANY)
    return A, (A if tendency is None else tendency) @ effects(world)


@lru_cache
def intercept(world):
    """Intercept of the logit, by bisection, that yields the share of positives."""
    linear = large_sample(world)[1]
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if expit(middle + linear).mean() < positive_rate(world):
            low = middle
        else:
            high = middle
    return low
