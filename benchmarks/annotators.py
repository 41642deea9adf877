"""Several annotators: do intervals hold for the next one, and what does that cost?

    python benchmarks/annotators.py              # five minutes of one core
    python benchmarks/annotators.py --runs 20    # a trial, no page

Simulations; needs no data.
"""

import argparse

from _common import command_line, markdown_table, pin_threads, write_table

FULL = 200
N_HYPOTHESES = 10
N_ANNOTATORS = 200  # of a population
N_LARGE = 100_000  # texts on which what each annotator would find is computed
PANELS = (2, 3, 5)
LEVEL = 0.05
EFFECT = 0.5  # of every other hypothesis, in standard deviations of the noise
OTHERS = 6  # concepts beside the hypotheses, with effects of their own

NAMES = [f"hypothesis {j + 1}" for j in range(N_HYPOTHESES)]
SETTINGS = {"alpha": LEVEL, "correction": "holm", "cov_type": "HC3", "n_more": 0}

# By title: texts; spread of annotators' error rates (sd of log odds); the largest share
# of another concept's texts that an annotator reads as the hypothesis, too; whether
# that concept is the same for all annotators.
WORLDS = {
    "alike": (1000, 0.3, 0.0, False),
    "careful and careless": (1000, 1.5, 0.0, False),
    "own readings": (1000, 0.5, 0.4, False),
    "own readings, 4,000 texts": (4000, 0.5, 0.4, False),
    "a shared reading": (1000, 0.5, 0.4, True),
}

NOTES = """\
Each annotator of a population of {population} has error rates of its own for each of
ten hypotheses of 5 to 50 % prevalence: it misses around 10 % of the texts that have it,
and says yes to around 3 % of the others. "alike": error rates vary little; "careful and
careless": much (standard deviation of their log odds 1.5); "own readings": an annotator
takes up to 40 % of the texts about some other concept for the hypothesis, too, and
these concepts move the target up or down; "a shared reading": the concept is the same
for all annotators. In each of {runs} runs m annotators are
drawn, who annotate the same new texts. Every other hypothesis has an effect of 0.5
standard deviations. Tests are those of `evaluate_annotations` with cov_type="HC3" and
correction="holm".

"one": the test of the first annotator alone, as if there were no others. "vote": that
of the majority vote, as if it were one annotator (of two annotators: the first).
"report": the vote with what annotators differ in, as the report shows it.
"""

COVERAGE = """\
Share of 95 % intervals of joint coefficients that hold the true effect, what a vote of
the whole population would find in unlimited texts, and what a further annotator would
find in them, alone. ± is about 0.01. Half-widths are medians, as multiples of one
annotator's.
"""

CONCLUSIONS = """\
At level {level}: share of runs in which any of five hypotheses without an effect is
significant (± is at most 0.03), share of five true ones that are found, and share of
conclusions (significant with more, with less, or not) that are not the same under all m
annotators.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=FULL)
    return parser.parse_args()


# Worlds -----------------------------------------------------------------------------


class World:
    """Concepts, a target, and a population of annotators."""

    def __init__(self, spread, drift, is_shared, seed):
        rng = np.random.default_rng(seed)
        shape = (N_ANNOTATORS, N_HYPOTHESES)
        self.missed = expit(logit(0.10) + spread * rng.normal(size=shape))
        self.false = expit(logit(0.03) + spread * rng.normal(size=shape))
        self.drift = drift * rng.random(shape)
        self.other = rng.integers(OTHERS, size=shape)
        if is_shared:
            self.other[:] = self.other[0]
        self.prevalence = np.geomspace(0.05, 0.5, N_HYPOTHESES)
        self.effects = np.where(np.arange(N_HYPOTHESES) % 2, EFFECT, 0.0)
        self.beside = np.where(np.arange(OTHERS) % 2, 0.5, -0.5)

    def draw(self, n, rng):
        """Return truth, other concepts and the target without noise."""
        truth = rng.random((n, N_HYPOTHESES)) < self.prevalence
        others = rng.random((n, OTHERS)) < 0.15
        return truth, others, truth @ self.effects + others @ self.beside

    def annotate(self, k, truth, others, rng):
        """Return what annotator k says of texts."""
        wrong = np.where(truth, self.missed[k], self.false[k])
        says = truth ^ (rng.random(truth.shape) < wrong)
        misread = others[:, self.other[k]] & (rng.random(truth.shape) < self.drift[k])
        return (says | misread).astype(float)

    def find_all(self, seed):
        """Return what each annotator would find in many texts, and the vote of all."""
        rng = np.random.default_rng(seed)
        truth, others, y = self.draw(N_LARGE, rng)
        found, yes = np.empty((N_ANNOTATORS, N_HYPOTHESES)), np.zeros(truth.shape)
        for k in range(N_ANNOTATORS):
            A = self.annotate(k, truth, others, rng)
            yes += A
            found[k] = regress(A, y)
        return found, regress(2 * yes > N_ANNOTATORS, y)


def regress(A, y):
    A = A - A.mean(axis=0)
    return np.linalg.solve(A.T @ A, A.T @ (y - y.mean()))


# The runs ---------------------------------------------------------------------------


class Tests:
    """Tests of annotations of one set of texts, each made once."""

    def __init__(self, y):
        self.y, self.done = y, {}

    def run(self, A):
        """Return TestResults of annotations."""
        key = A.tobytes()
        if key not in self.done:
            self.done[key] = run_tests(A, self.y, NAMES, None, Design(), **SETTINGS)
        return self.done[key]

    def run_all(self, votes):
        """Return the tests of several annotators, as a report has them."""
        vote = self.run(take_vote(votes))
        return test_annotators(vote, votes, self.run, SETTINGS)


def simulate(name, n_runs):
    """Return rows of coverage and of conclusions, one per number of annotators."""
    n, *population = WORLDS[name]
    seed = [1, *map(ord, name)]
    world = World(*population, seed)
    found, of_all = world.find_all(seed)
    targets = {"true effect": world.effects, "vote of all": of_all}
    runs = {m: [] for m in PANELS}
    for run in range(n_runs):
        rng = np.random.default_rng([run, *seed])
        truth, others, y = world.draw(n, rng)
        y = y + rng.normal(size=n)
        panel = rng.choice(N_ANNOTATORS, max(PANELS), replace=False)
        votes = {str(k): world.annotate(k, truth, others, rng) for k in panel}
        tests = Tests(y)
        one = tests.run(votes[str(panel[0])]).table
        for m in PANELS:
            own = dict(list(votes.items())[:m])
            further = np.delete(found, panel[:m], axis=0)
            every = targets | {"further annotator": further}
            runs[m].append(score(*tests.run_all(own), one, every))
    rows = [summarize(pd.DataFrame(runs[m]).mean(), name, m) for m in PANELS]
    return [coverage for coverage, _ in rows], [found for _, found in rows]


def score(tests, by_annotator, one, targets):
    """Coverage, half-widths and findings of one run."""
    null, table = targets["true effect"] == 0, tests.table
    values = {"flips": len(find_flips(by_annotator)) / len(table)}
    found = {
        "one": (*read(one, "coef_lower", "coef_upper"), one["p_corrected"]),
        "vote": (*read(table, "naive_lower", "naive_upper"), table["naive_p"]),
        "report": (*read(table, "coef_lower", "coef_upper"), table["p_corrected"]),
    }
    first = found["one"][1] - found["one"][0]
    for how, (lower, upper, p) in found.items():
        for target, value in targets.items():
            values[f"{target}: {how}"] = np.mean((lower <= value) & (value <= upper))
        values[f"half-width: {how}"] = np.median((upper - lower) / first)
        values[f"level: {how}"] = (p[null] <= LEVEL).any()
        values[f"power: {how}"] = (p[~null] <= LEVEL).mean()
    return values


def read(table, *names):
    return [table[name].to_numpy() for name in names]


def summarize(mean, name, m):
    """Rows of the two tables."""
    cell = {"world": name, "m": m}
    hows = ("one", "vote", "report")
    targets = ("true effect", "vote of all", "further annotator")
    coverage = {
        f"{target}: {how}": f"{mean[f'{target}: {how}']:.3f}"
        for target in targets
        for how in hows
    }
    coverage["half-width: report"] = f"{mean['half-width: report']:.2f}"
    findings = {
        f"{what}: {how}": f"{mean[f'{what}: {how}']:.2f}"
        for what in ("level", "power")
        for how in hows
    }
    return cell | coverage, cell | findings | {"flips": f"{mean['flips']:.2f}"}


def main(options):
    coverage, conclusions = [], []
    for name in WORLDS:
        rows = simulate(name, options.runs)
        coverage += rows[0]
        conclusions += rows[1]
        print(markdown_table(rows[0]), markdown_table(rows[1]), sep="\n\n", flush=True)
    body = "\n\n".join(
        [
            NOTES.format(runs=options.runs, population=N_ANNOTATORS),
            f"## Coverage\n\n{COVERAGE}\n{markdown_table(coverage)}",
            f"## Conclusions\n\n{CONCLUSIONS.format(level=LEVEL)}\n"
            f"{markdown_table(conclusions)}",
        ]
    )
    if options.runs == FULL:
        write_table(
            "annotators",
            "Several annotators: does it hold under the next one?",
            command_line(),
            body,
        )


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    pin_threads(1)
    import numpy as np
    import pandas as pd
    from scipy.special import expit, logit

    from sklearn_hypo._evaluation._annotator_tables import take_vote
    from sklearn_hypo._evaluation._several_annotators import test_annotators
    from sklearn_hypo._inference._design import Design
    from sklearn_hypo._inference._tests import run_tests
    from sklearn_hypo._report._by_annotator import find_flips

    main(OPTIONS)
