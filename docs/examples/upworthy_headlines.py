"""Which words make readers click a headline? A study of pairs.

Needs no key, but the exploratory packages of the Upworthy Research Archive
(https://upworthy.natematias.com/, CC BY 4.0), as ``headlines/upworthy.csv.gz`` in the
folder named by SKLEARN_HYPO_DATA, or by ``--data``:

    python docs/examples/upworthy_headlines.py --report headlines.html

The cells (``# %%``) can be run one by one in an editor that knows them. About a minute
on one thread; ``--quick`` takes a part of the tests.

The tests of the weeks 26 of 2013 to 2 of 2014 are dropped, in which readers may not
have been assigned at random (J. N. Matias (2024). "Ensuring Reliable Science from
Platform A/B Test Archives"). Packages with one headline are added up, over their
images; tests are split and never pairs, and headlines are only compared within a test.
The tests held out have no part in finding hypotheses; that clear pairs are the better
ones to find them on was seen on other splits of the same data. The archive keeps 22,743
more tests in reserve for those who register what they want to confirm.
"""

# %% What was asked for
import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from sklearn_hypo import (
    evaluate_hypotheses,
    join_groups,
    make_hypothesis_pipeline,
    pairs_within,
)

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--data", default=os.environ.get("SKLEARN_HYPO_DATA", ""))
parser.add_argument("--report", help="write the report to this HTML file")
parser.add_argument("--quick", action="store_true", help="use 300 tests only")
options = parser.parse_args()
pd.set_option("display.width", 120, "display.max_colwidth", 60)

# %% The headlines: clicks and impressions, added up by headline and test
path = Path(options.data) / "headlines" / "upworthy.csv.gz"
if not path.is_file():
    raise SystemExit(
        f"There is no file {path}. Ask for it at https://upworthy.natematias.com/, and "
        "name the folder above with --data, or in SKLEARN_HYPO_DATA."
    )
packages = pd.read_csv(path, keep_default_na=False)  # "NA" is a headline
packages = packages.rename(columns={"clickability_test_id": "test"})
packages["headline"] = packages["headline"].str.strip()
packages = packages[(packages["headline"] != "") & (packages["impressions"] > 0)]
suspect = packages["test_week"].between(201326, 201402)
packages = packages[~packages["test"].isin(packages["test"][suspect])]

# Tests in the order of the file; many compare nothing but images, and have one headline
packages["order"] = pd.factorize(packages["test"])[0]
counted = packages.groupby(["order", "test", "headline"], sort=False)
frame = counted[["clicks", "impressions"]].sum().reset_index()
frame = frame.sort_values("order", kind="stable")
frame = frame[frame.groupby("test")["headline"].transform("size") > 1]
print(f"{len(frame):,} headlines in {frame['test'].nunique():,} tests")
if options.quick:
    frame = frame[frame["test"].isin(frame["test"].unique()[:300])]

# %% Split the tests. Some headlines were in several: these tests stay together
together = join_groups(frame["test"], frame["headline"])
splitter = GroupShuffleSplit(n_splits=1, test_size=0.3, random_state=3)
train, holdout = next(splitter.split(frame, groups=together))


# %% Pairs: all that a test allows, with the better headline as the winner
def pairs_of(rows, **selection):
    """Pair the headlines of each test."""
    chosen = frame.iloc[rows]
    pairs = pairs_within(
        chosen["headline"],
        chosen["clicks"],
        chosen["test"],
        trials=chosen["impressions"],
        how="all",
        **selection,
    )
    return pairs.assign(outcome=pairs["target"].map({1: "won", 0: "lost"}))


# Most differences between two headlines are chance. To find hypotheses, the clear ones
# are better; to test them, all pairs are taken, whatever their outcome.
found_on = pairs_of(train, max_p=0.05)
tested_on = pairs_of(holdout)
for name, pairs in (("to find", found_on), ("to test", tested_on)):
    tests = pairs["contest"].nunique()
    print(f"{len(pairs) // 2:,} pairs from {tests:,} tests {name} hypotheses")

# %% Find hypotheses. A row is a headline; the target says whether it won
pipe = make_hypothesis_pipeline(
    n_texts=len(found_on), n_select=20, task="classification", random_state=0
)
pipe.fit(found_on["text"], found_on["outcome"])

# %% Test them: on differences within pairs, with standard errors clustered by test
report = evaluate_hypotheses(
    pipe,
    tested_on["text"],
    tested_on["outcome"],
    pairs=tested_on["pair"],
    groups=tested_on["contest"],
    n_resamples=99 if options.quick else 499,
)
print(report)

# %% The overall figures with their intervals
print()
print(report.overall[["name", "value", "lower", "upper"]].round(3).to_string())
print(f"p of the whole, by permutation within pairs: {report.permutation_p:.3f}")

# %% What if pairs and tests are forgotten? Then each headline counts as new evidence
# each time it is compared. These p-values are wrong.
naive = evaluate_hypotheses(
    pipe,
    tested_on["text"],
    tested_on["outcome"],
    near_duplicates="ignore",
    n_resamples=0,
    embeddings=None,
)
compared = pd.DataFrame(
    {
        "hypothesis": report.table["hypothesis"].str.slice(0, 40),
        "p": report.table["coef_p"],
        "p, rows taken as independent": naive.table["coef_p"],
        "odds ratio": report.table["odds_ratio"],
    }
)
print()
print(compared.sort_values("p").head(10).round(4).to_string(index=False))
print(
    f"{report.n_significant} significant after correction; with rows taken as "
    f"independent it would be {naive.n_significant}"
)

# %% In clicks: how do rates differ within a test where one headline has it?
annotated = np.asarray(pipe.transform(tested_on["text"]))
rates = tested_on["score"].to_numpy().reshape(-1, 2)
best = report.table["coef_p"].idxmin()
has = annotated[:, best].reshape(-1, 2)
apart = has[:, 0] != has[:, 1]
with_it = np.where(has[apart, 0] == 1, rates[apart, 0], rates[apart, 1])
without = np.where(has[apart, 0] == 1, rates[apart, 1], rates[apart, 0])
print(
    f"\n{report.table['hypothesis'][best]!r}: in {apart.sum():,} pairs one of the two "
    f"headlines has it;\nthe mean rate of clicks is {with_it.mean():.3%} with it, "
    f"{without.mean():.3%} without"
)

# %% The report: one file, for any browser
if options.report:
    report.to_html(options.report)
    print(f"\nWrote {options.report}")
