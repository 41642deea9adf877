"""The aims of the tests, and whether the runs reach them."""

from dataclasses import dataclass

import numpy as np
from _inference_report import covered, find, hits, mean_coverage, rate
from _inference_runs import read
from _inference_truth import truth
from _inference_worlds import WORLDS


@dataclass(frozen=True)
class Aim:
    """A figure of one world, and the bounds that it should keep.

    `before` is what the t tests with Holm's method reached when the aim was set.
    """

    words: str
    before: str
    low: float
    high: float
    figure: tuple

    @property
    def goal(self):
        if self.low == -np.inf:
            return f"≤ {self.high:g}"
        if self.high == np.inf:
            return f"≥ {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


def _at_most(bound, words, before, *figure):
    return Aim(words, before, -np.inf, bound, figure)


def _at_least(bound, words, before, *figure):
    return Aim(words, before, bound, np.inf, figure)


def _both_tests(bound, words, befores, world, level):
    return [
        _at_most(bound, f"{words}, {test}", before, "fwer", world, test, level)
        for test, before in zip(("alone", "joint"), befores, strict=True)
    ]


AIMS = [
    *_both_tests(
        0.06, "FWER at 0.05, votes, n = 1,000", ("0.58", "0.34"), "votes-1000", 0.05
    ),
    *_both_tests(
        0.06, "FWER at 0.05, votes, n = 5,000", ("0.37", "0.34"), "votes-5000", 0.05
    ),
    *_both_tests(
        0.11, "FWER at 0.1, stars 2 %, n = 500", ("0.47", "0.30"), "stars-rare-500", 0.1
    ),
    _at_most(
        0.06,
        "FWER at 0.05, normal, n = 200, 60 hypotheses, alone",
        "0.30",
        *("fwer", "sixty-200", "alone", 0.05),
    ),
    *_both_tests(
        0.12,
        "FWER at 0.1, spread × 3 in rare hypotheses",
        ("0.13", "0.05"),
        *("spread-up-rare-500", 0.1),
    ),
    _at_most(
        0.06, "p of all together at 0.05, weights", "0.44", "together", "weights-500"
    ),
    _at_most(
        0.06,
        "p of all together at 0.05, unequal spread",
        "0.31",
        *("together", "spread-up-five-500"),
    ),
    _at_most(
        0.06,
        "p of all together at 0.05, 3 % positives with a covariate",
        "0.16",
        *("together", "covariates-classes-1000"),
    ),
    _at_least(
        0.50,
        "power, normal 2 %, n = 500 (hypothesaes 0.54)",
        "0.24",
        *("power", "rare-500", "joint", 0.1),
    ),
    _at_least(
        0.53,
        "power, normal 5 to 50 %, n = 500 (hypothesaes 0.54)",
        "0.48",
        *("power", "normal-500", "joint", 0.1),
    ),
    _at_least(
        0.88,
        "power, votes 2 %, n = 500",
        "0.65 at a level of 0.47",
        *("power", "votes-rare-500", "joint", 0.1),
    ),
    _at_most(
        0.11,
        "FWER at 0.1, votes 2 %, n = 500, joint",
        "0.47",
        *("fwer", "votes-rare-500", "joint", 0.1),
    ),
    *_both_tests(
        0.11,
        "FWER at 0.1, clustered classes, 10 of 100 groups positive",
        ("0.20", "0.20"),
        *("chunks-classes-2000", 0.1),
    ),
    *_both_tests(
        0.11,
        "FWER at 0.1, three classes, one of 3 %, n = 500",
        ("0.15", "0.15"),
        *("three-classes-rare-500", 0.1),
    ),
    _at_least(
        0.70,
        "power, 30 uneven groups",
        "0.53",
        *("power", "uneven-groups-600", "joint", 0.1),
    ),
    _at_most(
        0.11,
        "FWER at 0.1, 30 uneven groups",
        "-",
        *("fwer", "uneven-groups-600", "joint", 0.1),
    ),
    _at_least(
        0.38,
        "power, hypotheses that hold for whole groups",
        "0.16",
        *("power", "whole-groups-600", "joint", 0.1),
    ),
    _at_most(
        0.11,
        "FWER at 0.1, hypotheses that hold for whole groups",
        "-",
        *("fwer", "whole-groups-600", "joint", 0.1),
    ),
    *(
        Aim(
            f"coverage of 95 % intervals, {words}",
            "0.92",
            *(0.94, 0.97, ("coverage", world, figure)),
        )
        for words, world, figure in (
            ("votes, 5 to 50 %, alone", "votes-mixed-1000", "separation"),
            ("votes, 5 to 50 %, joint", "votes-mixed-1000", "coef"),
            ("lognormal, 5 to 50 %, alone", "lognormal-mixed-500", "separation"),
            ("lognormal, 5 to 50 %, joint", "lognormal-mixed-500", "coef"),
            ("votes, 0.5 to 50 %, alone", "votes-1000", "separation"),
            ("votes, 0.5 to 50 %, joint", "votes-1000", "coef"),
        )
    ),
    _at_most(
        30,
        "14 classes, 20 hypotheses, 410 texts, CPU seconds",
        "619",
        *("speed", "14 classes, 410 texts, as by default", "CPU seconds"),
    ),
    _at_most(
        3,
        "10,000 permutations, 20 hypotheses, 5,496 rows, CPU seconds",
        "-",
        *("speed", "10,000 permutations, 5,496 rows", "CPU seconds"),
    ),
    _at_most(
        20,
        "10,000 permutations, 20 hypotheses, 27,480 rows, CPU seconds",
        "-",
        *("speed", "10,000 permutations, 27,480 rows", "CPU seconds"),
    ),
    _at_most(
        500,
        "10,000 permutations, 20 hypotheses, 27,480 rows, MB at the peak",
        "-",
        *("speed", "10,000 permutations, 27,480 rows", "MB, peak"),
    ),
]


def goals(speed_rows):
    """Rows of the table of aims.

    Parameters
    ----------
    speed_rows : list of dict
        What the part "speed" found; may be empty.

    Returns
    -------
    rows : list of dict
        An aim counts as met by the figure itself; "within error": missed by less than
        two Monte Carlo standard errors.
    """
    speed = {row["case"]: row for row in speed_rows}
    rows = []
    for aim in AIMS:
        kind, *where = aim.figure
        if kind == "speed":
            case, column = where
            value, error = speed.get(case, {}).get(column, np.nan), 0.0
            here = (np.nan, np.nan)
        else:
            (value, error), here = _FIGURES[kind](*where)
        rows.append(
            {
                "figure": aim.words,
                "when the aim was set": aim.before,
                "t tests, Holm, here": _text(*here),
                "aim": aim.goal,
                "reached": _text(value, error),
                "met": _judge(aim, value, error),
            }
        )
    return rows


def _text(value, error):
    if np.isnan(value):
        return "-"
    if error:
        return f"{value:.3f} ± {error:.3f}"
    return f"{value:.3f}" if value < 1 else f"{value:.3g}"


def _judge(aim, value, error):
    if np.isnan(value):
        return "-"
    if aim.low <= value <= aim.high:
        return "yes"
    near = aim.low - 2 * error <= value <= aim.high + 2 * error
    return "**no**, within error" if near else "**no**"


_NOTHING = (np.nan, np.nan), (np.nan, np.nan)


def _fwer(world, test, level):
    arms, _ = read(world, "null")
    if not arms:
        return _NOTHING
    return tuple(
        rate(find(arms, arm, test, level).any(axis=1)) for arm in ("default", "t, Holm")
    )


def _power(world, test, level):
    arms, _ = read(world, "planted")
    if not arms:
        return _NOTHING
    return tuple(
        rate(hits(WORLDS[world], arms, arm, test, level))
        for arm in ("default", "t, Holm")
    )


def _together(world):
    arms, _ = read(world, "null")
    if not arms:
        return _NOTHING
    return rate(arms["default"]["together"] <= 0.05), (np.nan, np.nan)


def _coverage(world, figure):
    arms, _ = read(world, "null")
    if not arms:
        return _NOTHING
    true = getattr(truth(WORLDS[world], planted=False), figure)
    return tuple(
        mean_coverage(covered(arms[arm], figure, true))
        for arm in ("default", "t, Holm")
    )


_FIGURES = {
    "fwer": _fwer,
    "power": _power,
    "together": _together,
    "coverage": _coverage,
}
