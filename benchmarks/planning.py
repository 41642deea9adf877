"""plan_study: are the power and the widths that it foretells those that come?

Pilot studies are drawn from worlds whose truth is known, and planned from. Then studies
of the planned kind are drawn from the same worlds, tested as any other, and counted.

    python benchmarks/planning.py            # three minutes of one core
    python benchmarks/planning.py --runs 20  # a minute
    python benchmarks/planning.py --write    # and docs/benchmarks/planning.md
"""

import argparse
import warnings

from _common import command_line, markdown_table, pin_threads, write_table

pin_threads(1)

import numpy as np
import pandas as pd
from scipy import stats

from sklearn_hypo import correct_for_annotation_error, evaluate_annotations, plan_study

N_HYPOTHESES, N_TRUE, ALPHA, POWER = 10, 3, 0.05, 0.8
TRUE = slice(0, N_TRUE)
SCALES = (1, 2, 4)  # of the studies that are foretold, relative to the pilot

# Texts of the pilot, and the effect of the true hypotheses on its target
WORLDS = {
    "normal, prevalence 30 %": {"n": 400, "share": 0.3, "effect": 0.3},
    "normal, prevalence 4 %": {"n": 500, "share": 0.04, "effect": 0.65},
    "two classes, 25 % positive": {"n": 500, "share": 0.3, "effect": 0.7, "odds": True},
    "votes, prevalence 30 %": {"n": 800, "share": 0.3, "effect": 0.6, "counts": True},
    "40 groups of 10": {"n": 400, "share": 0.4, "effect": 0.65, "size": 10},
}


def draw(world, rng, *, scale=1, larger=1):
    """Draw annotations, target and groups of a study.

    `scale` times as many texts (or groups), and groups `larger` times as large.
    """
    n, share, size = world["n"] * scale * larger, world["share"], world.get("size")
    groups = None
    if size is None:
        A = (rng.random((n, N_HYPOTHESES)) < share).astype(float)
        noise = rng.normal(size=n)
    else:
        # half of the hypotheses hold for whole groups, and groups differ in y
        n_groups = world["n"] // size * scale
        groups = np.repeat(np.arange(n_groups), size * larger)
        A = (rng.random((n, N_HYPOTHESES)) < share).astype(float)
        whole = rng.random((n_groups, N_HYPOTHESES // 2)) < share
        A[:, : N_HYPOTHESES // 2] = whole[groups]
        noise = rng.normal(size=n) + 0.5 * rng.normal(size=n_groups)[groups]
    shift = world["effect"] * A[:, TRUE].sum(axis=1)
    if world.get("odds"):
        y = (rng.random(n) < 1 / (1 + np.exp(1.8 - shift))).astype(int)
    elif world.get("counts"):
        y = rng.poisson(np.exp(shift + 1.2 * noise - 0.72))
    else:
        y = shift + noise
    return A, y, groups


def run_test(A, y, groups=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return evaluate_annotations(
            A, y, groups=groups, alpha=ALPHA, n_resamples=0, n_permutations=999
        )


def find_truth(world, rng):
    """The separations of the true hypotheses, in a very large study."""
    A, y, _ = draw(world, rng, scale=1000)
    return np.mean([y[a == 1].mean() - y[a == 0].mean() for a in A[:, TRUE].T])


def measure(world, rng, n_runs, **size):
    """Power, and half-widths of the intervals, of the true hypotheses."""
    found, widths = [], []
    for _ in range(n_runs):
        table = run_test(*draw(world, rng, **size)).table[TRUE]
        found.append(table["separation_p_corrected"].to_numpy() <= ALPHA)
        widths.append((table["separation_upper"] - table["separation_lower"]) / 2)
    return np.mean(found), np.mean(widths)


def foretell(world, rng, n_pilots, truth):
    """Draw pilots and plan from them."""
    plans = []
    for _ in range(n_pilots):
        report = run_test(*draw(world, rng))
        plans.append((report, plan_study(report, effect=truth, power=POWER)))
    return plans


def compare(name, world, rng, n_runs, n_pilots):
    """Rows of the first table, and the ways to plan with the power that comes."""
    truth = find_truth(world, rng)
    plans = foretell(world, rng, n_pilots, truth)
    kinds = [(f"{k} ×", {"scale": k}) for k in SCALES]
    if "size" in world:
        kinds.append(("1 ×, groups 4 × as large", {"larger": 4}))
    rows, curve = [], []
    for kind, size in kinds:
        n = world["n"] * size.get("scale", 1) * size.get("larger", 1)
        sizes = {"n_texts": n}
        if "size" in world:
            sizes["n_groups"] = world["n"] // world["size"] * size.get("scale", 1)
        foretold = [plan.predict(**sizes)[TRUE] for _, plan in plans]
        power, width = measure(world, rng, n_runs, **size)
        if "larger" not in size:
            curve.append((n, power))
        powers = np.concatenate([each["power"] for each in foretold])
        widths = np.concatenate([each["half_width"] for each in foretold])
        rows.append(
            {
                "world": name,
                "texts": f"{n:,} ({kind})",
                "power foretold": f"{powers.mean():.2f} ± {powers.std():.2f}",
                "power": f"{power:.2f}",
                "half-width foretold": f"{widths.mean():.3f} ± {widths.std():.3f}",
                "half-width": f"{width:.3f}",
            }
        )
    return rows, judge_plans(name, plans, curve)


def judge_plans(name, plans, curve):
    """Ways to choose the effect, by the power of the studies planned by them."""
    n, power = np.array(curve).T
    # power is about normal in the root of n
    slope, start = np.polyfit(np.sqrt(n), stats.norm.ppf(np.clip(power, 0.01, 0.99)), 1)
    rows = []
    for way, words in (
        ("truth", "the true one"),
        ("estimate", "as estimated"),
        ("conservative", "end of the interval nearer 0"),
    ):
        came, texts = [], []
        for report, known in plans:
            plan = known if way == "truth" else plan_study(report, effect=way)
            wanted = plan.table["texts_for_power"].to_numpy()[TRUE]
            if way != "truth":  # nobody plans from what was not found
                p = report.table["separation_p_corrected"].to_numpy()[TRUE]
                wanted = wanted[p <= ALPHA]
            texts.extend(wanted)
            came.extend(stats.norm.cdf(start + slope * np.sqrt(wanted)))
        came = np.array(came)
        rows.append(
            {
                "world": name,
                "effect": words,
                "plans": len(came),
                "texts (median)": f"{np.median(texts):,.0f}",
                "power (mean)": f"{came.mean():.2f}",
                "plans with at least 0.75": f"{100 * np.mean(came >= 0.75):.0f} %",
            }
        )
    return rows


# Labels and annotators --------------------------------------------------------------


def draw_labels(rng, n_labelled, n=2000):
    """A machine that errs in 15 % of texts, and people that labelled some."""
    truth = (rng.random((n, N_TRUE)) < 0.3).astype(float)
    y = 0.4 * truth.sum(axis=1) + rng.normal(size=n)
    machine = np.where(rng.random(truth.shape) < 0.15, 1 - truth, truth)
    human = np.where(np.arange(n)[:, None] < n_labelled, truth, np.nan)
    report = run_test(machine, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return report, correct_for_annotation_error(report, human)


def compare_labels(rng, n_runs, n_pilots):
    pilots = [draw_labels(rng, 100) for _ in range(n_pilots)]
    plans = [plan_study(report, corrected=found) for report, found in pilots]
    rows = []
    for n in (100, 200, 400, 800):
        foretold = np.concatenate(
            [plan.predict(n_labelled=n)["half_width"] for plan in plans]
        )
        tables = [draw_labels(rng, n)[1].table for _ in range(n_runs)]
        came = [(t["corrected_upper"] - t["corrected_lower"]) / 2 for t in tables]
        rows.append(_describe_widths(f"{n} human labels", foretold, came))
    return rows


def draw_annotators(rng, n_annotators, n=500):
    """Annotators who each misread some kinds of texts, another share each."""
    truth = rng.random((n, N_TRUE)) < 0.3
    y = 0.5 * truth.sum(axis=1) + rng.normal(size=n)
    tables = {}
    for k in range(n_annotators):
        threshold = rng.uniform(0.0, 0.3, size=N_TRUE)
        missed = rng.random(truth.shape) < threshold
        tables[f"annotator {k}"] = np.where(missed & (y[:, None] > 0), ~truth, truth)
    tables = {name: table.astype(float) for name, table in tables.items()}
    return run_test(tables, y)


def compare_annotators(rng, n_runs, n_pilots):
    plans = [plan_study(draw_annotators(rng, 4)) for _ in range(n_pilots)]
    rows = []
    for a, n in ((4, 500), (8, 500), (4, 2000), (8, 2000)):
        foretold = np.concatenate(
            [plan.predict(n_texts=n, n_annotators=a)["half_width"] for plan in plans]
        )
        tables = [draw_annotators(rng, a, n).table for _ in range(n_runs // 3)]
        came = [(t["separation_upper"] - t["separation_lower"]) / 2 for t in tables]
        rows.append(_describe_widths(f"{a} annotators, {n:,} texts", foretold, came))
    return rows


def _describe_widths(name, foretold, came):
    return {
        "study": name,
        "half-width foretold (median)": f"{np.median(foretold):.3f}",
        "half-width (median)": f"{np.median(came):.3f}",
    }


NOTES = """
## What it shows

- Half-widths and power are foretold by pilots of the same kind, with the true effect
  named. ± is the standard deviation over pilots (and the three true hypotheses): a
  pilot knows the spread of the target and the prevalences only so well.
- With votes, a long tail, more is found than foretold: a plan is too careful there.
- Annotators who misread single texts are foretold to agree on average in more texts;
  what they differ in as a matter of principle stays.
- A plan by the estimates of a pilot, of those hypotheses that were significant in it,
  has less power than was asked for where the pilot had little power itself: the
  winner's curse. The end of the interval nearer 0 errs on the other side, with many
  times as many texts. Naming the smallest effect that matters is best.
- Corrections hold the family level 0.05 over ten hypotheses, of which three are true.
  Power is that of separations. The power that comes is the share of the true ones that
  are found; in the second table it is read off a line through the simulated sizes.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=60, help="studies of each size")
    parser.add_argument("--pilots", type=int, default=30, help="pilots of each world")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="write the page of docs/")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    runs, pilots = arguments.runs, arguments.pilots
    foretold, ways = [], []
    for k, (name, world) in enumerate(WORLDS.items()):
        rng = np.random.default_rng([arguments.seed, k])
        rows, own = compare(name, world, rng, runs, pilots)
        foretold += rows
        ways += own
        print(pd.DataFrame(rows).to_string(), "\n", pd.DataFrame(own).to_string())
    rng = np.random.default_rng([arguments.seed, len(WORLDS)])
    others = compare_labels(rng, runs, pilots) + compare_annotators(rng, runs, pilots)
    tables = [
        ("Power and half-widths, foretold by pilots", foretold),
        ("Power of studies planned for 0.8, by the effect that they assume", ways),
        ("Human labels (of 2,000 texts) and annotators, foretold by pilots", others),
    ]
    text = "\n\n".join(
        f"## {title}\n\n{markdown_table(rows)}" for title, rows in tables
    )
    print(text)
    if arguments.write:
        write_table(
            "planning",
            "plan_study: what it foretells, and what comes",
            command_line(),
            text,
            f"{runs} studies of each size, {pilots} pilots of each world.\n{NOTES}",
        )


if __name__ == "__main__":
    main()
