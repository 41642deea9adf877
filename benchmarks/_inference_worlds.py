"""The worlds: most important first, which is the order in which they run."""

import numpy as np
from _inference_samples import (
    LOGNORMAL_SD,
    STARS_SD,
    VOTES_SD,
    World,
    alike_in_groups,
    centred_lognormal,
    chunks,
    classes_with_covariate,
    copies,
    exact_counts,
    heavy,
    independent,
    lognormal,
    near_copies,
    normal,
    paired,
    reposted,
    spread_by,
    spread_by_each,
    stars,
    three_classes,
    three_classes_one_rare,
    topic,
    unanswered,
    unequal,
    votes,
    weighted,
    whole_groups,
    with_covariate,
    with_groups,
)

N_HYPOTHESES = 20
_TRUE = (1, 5, 9, 13, 17)
_COPIED = (1, 4, 6, 8, 11)  # 8 has an exact copy, 11 a near one
_NULL = ("null",)


def _prevalences(low, high=0.5, m=N_HYPOTHESES):
    return tuple(np.geomspace(low, high, m).tolist())


_MIXED, _WIDE = _prevalences(0.05), _prevalences(0.005)
_RARE = (0.02,) * N_HYPOTHESES
_TWICE = _prevalences(0.05, m=14) + (0.5,) * 6


def _zipf(n, n_groups):
    """Sizes of groups that fall as 1 / rank."""
    share = 1 / np.arange(1, n_groups + 1)
    sizes = np.maximum(np.round(n * share / share.sum()), 2).astype(int)
    sizes[0] += n - sizes.sum()
    return tuple(sizes.tolist())


def _world(name, title, n, prevalence=_MIXED, **settings):
    made = {
        "noise": normal,
        "noise_sd": 1.0,
        "annotate": independent,
        "true": _TRUE,
        "strength": 2.9,
    }
    return World(f"{name}-{n}", title, n, prevalence, **made | settings)


_VOTES = {"noise": votes, "noise_sd": VOTES_SD}
_LOGNORMAL = {"noise": lognormal, "noise_sd": LOGNORMAL_SD}
_STARS = {"noise": stars, "noise_sd": STARS_SD}
_CLASSES = {"noise": None, "strength": 2.5}
_ZIPF = {"make": with_groups, "group_sizes": _zipf(600, 30), "strength": 7.0}

_LIST = [
    _world("votes", "votes, 0.5 to 50 %", 1000, _WIDE, **_VOTES, kinds=_NULL),
    _world("votes", "votes, 0.5 to 50 %", 5000, _WIDE, **_VOTES, kinds=_NULL),
    _world("votes-rare", "votes, 2 %", 500, _RARE, **_VOTES),
    _world("stars-rare", "stars, 2 %", 500, _RARE, **_STARS),
    _world("rare", "normal, 2 %", 500, _RARE, more_errors=True),
    _world("normal", "normal, 5 to 50 %", 500, together=True, more_errors=True),
    _world(
        "sixty",
        "normal, 0.5 to 50 %, 60 hypotheses",
        200,
        _prevalences(0.005, m=60),
        kinds=_NULL,
    ),
    _world(
        "spread-up-rare",
        "spread × 3 where five hold, 2 %",
        500,
        _RARE,
        noise=spread_by(3, 5),
        kinds=_NULL,
        together=True,
    ),
    _world(
        "spread-up-five",
        "spread × 3 where five hold, 5 to 50 %",
        500,
        noise=spread_by(3, 5),
        kinds=_NULL,
        together=True,
    ),
    _world(
        "weights",
        "survey weights, spread grows with them",
        500,
        make=weighted,
        kinds=_NULL,
        together=True,
    ),
    _world(
        "covariates-classes",
        "3 % positives, a covariate drives both",
        1000,
        make=classes_with_covariate,
        **_CLASSES,
        kinds=_NULL,
        together=True,
    ),
    _world(
        "three-classes-rare",
        "three classes, one of 3 %",
        500,
        make=three_classes_one_rare,
        **_CLASSES,
        kinds=_NULL,
    ),
    _world(
        "chunks-classes",
        "100 documents × 20 chunks, 10 positive",
        2000,
        annotate=chunks,
        noise=None,
        strength=4.0,
        positive_documents=0.1,
        kinds=_NULL,
    ),
    _world("uneven-groups", "30 uneven groups", 600, annotate=alike_in_groups, **_ZIPF),
    _world(
        "whole-groups",
        "30 uneven groups that hypotheses hold of as wholes",
        600,
        _prevalences(0.1),
        annotate=whole_groups,
        **_ZIPF,
        together=True,
    ),
    _world(
        "many-groups",
        "300 groups of five",
        1500,
        annotate=alike_in_groups,
        make=with_groups,
        group_sizes=(5,) * 300,
        strength=4.0,
    ),
    _world(
        "lognormal", "lognormal, 0.5 to 50 %", 200, _WIDE, **_LOGNORMAL, kinds=_NULL
    ),
    _world(
        "lognormal", "lognormal, 0.5 to 50 %", 1000, _WIDE, **_LOGNORMAL, kinds=_NULL
    ),
    _world(
        "lognormal", "lognormal, 0.5 to 50 %", 5000, _WIDE, **_LOGNORMAL, kinds=_NULL
    ),
    _world("lognormal-mixed", "lognormal, 5 to 50 %", 500, **_LOGNORMAL),
    _world("votes-mixed", "votes, 5 to 50 %", 1000, **_VOTES),
    _world("stars-rare", "stars, 2 %", 1000, _RARE, **_STARS),
    _world("few-rows", "normal, 0.5 to 50 %", 200, _WIDE, kinds=_NULL),
    _world("very-rare", "normal, 0.5 %", 500, (0.005,) * N_HYPOTHESES, kinds=_NULL),
    _world(
        "votes-one", "votes, one hypothesis, 2 %", 1000, (0.02,), true=(0,), **_VOTES
    ),
    _world(
        "spread-up",
        "spread × 3 where one holds, 5 %",
        500,
        noise=spread_by(3, 1),
        kinds=_NULL,
    ),
    _world(
        "spread-up-ten",
        "spread × 3 in ten texts",
        500,
        _RARE,
        annotate=exact_counts,
        noise=spread_by(3, 1),
        kinds=_NULL,
    ),
    _world(
        "spread-up-half",
        "spread × 3 where ten of 20 hold, 2 %",
        500,
        _RARE,
        noise=spread_by(3, 10),
        kinds=_NULL,
        together=True,
    ),
    _world(
        "spread-up-each",
        "spread × 1.5 where each holds, 2 %",
        500,
        _RARE,
        noise=spread_by_each(1.5),
        kinds=_NULL,
        together=True,
    ),
    _world(
        "spread-up-little",
        "spread × 1.5 where five hold, 2 %",
        500,
        _RARE,
        noise=spread_by(1.5, 5),
        kinds=_NULL,
    ),
    _world(
        "spread-up-three",
        "three hypotheses of 2 %, spread × 1.5 where one holds",
        500,
        (0.02,) * 3,
        noise=spread_by(1.5, 1),
        true=(0,),
        kinds=_NULL,
    ),
    _world(
        "topic",
        "a topic behind ten hypotheses, 2 to 4 %",
        300,
        (0.043,) * 10 + (0.02,) * 10,
        true=tuple(range(10)),
        make=topic,
    ),
    _world(
        "skew-up-rare",
        "lognormal less its mean, × 3 where five hold, 2 %",
        500,
        _RARE,
        noise=spread_by(3, 5, centred_lognormal),
        kinds=_NULL,
    ),
    _world(
        "spread-down-rare",
        "spread × 1/3 where five hold, 2 %",
        500,
        _RARE,
        noise=spread_by(1 / 3, 5),
        kinds=_NULL,
    ),
    _world(
        "spread-down",
        "spread × 1/3 where one holds, 5 %",
        500,
        noise=spread_by(1 / 3, 1),
        kinds=_NULL,
    ),
    _world(
        "unequal",
        "noise that differs by hypothesis",
        500,
        noise=unequal,
        noise_sd=1.4,
        kinds=_NULL,
        more_errors=True,
    ),
    _world(
        "covariates",
        "lognormal, a covariate drives both",
        500,
        make=with_covariate,
        **_LOGNORMAL,
    ),
    _world(
        "near-copies",
        "lognormal, pairs of near-copies",
        500,
        annotate=near_copies,
        **_LOGNORMAL,
        kinds=_NULL,
    ),
    _world(
        "unanswered",
        "lognormal, answers missing by y",
        500,
        make=unanswered,
        **_LOGNORMAL,
        kinds=_NULL,
    ),
    _world(
        "pairs", "lognormal, 250 pairs", 500, make=paired, **_LOGNORMAL, kinds=_NULL
    ),
    _world(
        "reposts", "half of 300 texts stand four times", 750, make=reposted, kinds=_NULL
    ),
    _world("binary", "3 % positives", 667, **_CLASSES),
    _world(
        "three-classes",
        "three classes, alike in size",
        500,
        make=three_classes,
        **_CLASSES,
        kinds=_NULL,
    ),
    _world("t3", "noise: t with 3 df", 500, noise=heavy, noise_sd=3**0.5),
    _world("copies", "duplicates", 500, _TWICE, annotate=copies, true=_COPIED),
    _world("chunks", "100 documents × 20 chunks", 2000, annotate=chunks, strength=4.0),
    _world(
        "chunks-binary",
        "100 documents × 20 chunks, 30 positive",
        2000,
        annotate=chunks,
        noise=None,
        strength=4.0,
    ),
    _world("normal", "normal, 5 to 50 %", 2000),
    _world("rare", "normal, 2 %", 2000, _RARE),
    _world("t3", "noise: t with 3 df", 2000, noise=heavy, noise_sd=3**0.5),
    _world("copies", "duplicates", 2000, _TWICE, annotate=copies, true=_COPIED),
    _world(
        "unequal",
        "noise that differs by hypothesis",
        2000,
        noise=unequal,
        noise_sd=1.4,
        kinds=_NULL,
    ),
    _world("binary", "3 % positives", 2000, **_CLASSES),
    _world(
        "binary-rare",
        "3 % positives, prevalence 2 %",
        2000,
        _RARE,
        noise=None,
        strength=2.2,
    ),
]
WORLDS = {world.name: world for world in _LIST}
