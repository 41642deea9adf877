"""What the parts of the SAE benchmark share: options, results, configurations."""

from dataclasses import dataclass
from typing import NamedTuple

from _parts import Findings, verdict


@dataclass
class Options:
    """What was asked for on the command line.

    Attributes
    ----------
    threads, seeds, their_seeds : int
        Threads; seeds of both packages for quality; timed fits of hypothesaes.
    holdout, fresh, quick : bool
        Score the holdout; ignore kept fits of hypothesaes; small sizes.
    scratch : str
        Folder for files of several gigabytes.
    """

    threads: int
    seeds: int
    their_seeds: int
    holdout: bool
    fresh: bool
    quick: bool
    scratch: str

    def repeat(self, n):
        """Return how often to time something."""
        return 2 if self.quick else n


@dataclass
class Result(Findings):
    """Findings, with the columns of this benchmark's table."""

    def figure(self, name, measured, floor, aim=None, *, floor_met, aim_met=None):
        """Add a row to the table of floors and aims; `None` where there is none."""
        row = {
            "figure": name,
            "measured": measured,
            "floor": floor,
            "floor met": verdict(floor_met),
            "aim": aim or "-",
            "aim met": verdict(aim_met),
        }
        self.figures.append(row)

    def ratio(self, name, value, floor, aim, text=None):
        """Add a figure that is to be at most `floor`, and should be at most `aim`."""
        self.figure(
            name,
            text or f"{value:.2f} ×",
            f"≤ {floor:g} ×",
            f"≤ {aim:g} ×",
            floor_met=value <= floor,
            aim_met=value <= aim,
        )

    def faster(self, name, times, floor, aim=None, *, valid=True, remark=""):
        """Add a figure that is to be at least `floor` times faster."""
        self.figure(
            name,
            f"{times:.1f} × faster{remark}",
            f"≥ {floor:g} ×",
            aim and f"≥ {aim:g} ×",
            floor_met=valid and times >= floor,
            aim_met=None if aim is None else valid and times >= aim,
        )


# Configurations ----------------------------------------------------------------------


class Configuration(NamedTuple):
    """One autoencoder on one data set, with the floor and aim of its whole fit."""

    data: str
    n_neurons: int
    prefixes: tuple | None
    floor: int
    aim: int

    def __str__(self):
        prefixes = f", prefixes {self.prefixes}" if self.prefixes else ""
        return f"{self.data}, M={self.n_neurons}{prefixes}"


K = 8
CONFIGURATIONS = (
    Configuration("tweets", 256, (32, 256), 20, 40),
    Configuration("tweets", 1024, None, 15, 40),
    Configuration("snippets", 256, None, 15, 40),
)
QUICK_CONFIGURATIONS = (
    Configuration("tweets", 64, (16, 64), 20, 40),
    Configuration("snippets", 64, None, 15, 40),
)


def configurations(options):
    return QUICK_CONFIGURATIONS if options.quick else CONFIGURATIONS
