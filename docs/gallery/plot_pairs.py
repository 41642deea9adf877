"""
Pairs: which of two texts won?
==============================

Editors try several headlines for one story and keep the one that is clicked most.
Stories differ far more than headlines do, so a headline has to be compared with the
others for the same story. ``pairs=`` does that.
"""

# %%
# Four hundred stories, three headlines each
# ------------------------------------------
# A story is worth 0 to 20 clicks whatever it is called. Headlines with pets get 1 more,
# about family 1 more, about school 1 less; and chance does the rest.

import numpy as np

from sklearn_hypo.datasets import make_concept_texts

rng = np.random.default_rng(0)
data = make_concept_texts(
    1200,
    concepts=["pets", "family", "school", "music"],
    effects=[1, 1, -1, 0],
    prevalence=0.25,
    random_state=0,
)
headlines = data.data
story = np.arange(1200) // 3
clicks = data.target + rng.uniform(0, 20, size=400)[story]

# %%
# Each pair of headlines for one story becomes two rows: the winner with target 1, the
# loser with 0. Which of them is first does not matter.

from sklearn_hypo import pairs_within

rows = pairs_within(headlines, clicks, story, how="all")
rows.drop(columns="text").head(6)

# %%
# Stories stay together in the split.

from sklearn.model_selection import GroupShuffleSplit

from sklearn_hypo import evaluate_hypotheses, make_hypothesis_pipeline

splitter = GroupShuffleSplit(1, test_size=0.4, random_state=0)
train, test = next(splitter.split(rows, groups=rows["contest"]))
found_on, tested_on = rows.iloc[train], rows.iloc[test]
pipe = make_hypothesis_pipeline(
    "lsa",
    n_neurons=32,
    n_fits=2,
    n_select=4,
    supervised=False,
    terms=False,
    task="classification",
    random_state=0,
)
pipe.fit(found_on["text"], found_on["target"])
report = evaluate_hypotheses(
    pipe,
    tested_on["text"],
    tested_on["target"],
    pairs=tested_on["pair"],
    groups=tested_on["contest"],
    n_resamples=0,
)
print(f"{report.n_pairs} pairs of headlines, {report.n_groups} stories")

# %%
# What the figure shows
# ---------------------
# Only pairs count in which one headline has what the statement says and the other has
# not. The separation is the share of them that it won minus the share that it lost;
# half of it, and a half, is the share of wins. Right of the line headlines win with it,
# left of the line without it. An interval that holds the line tells nothing. Music was
# planted without an effect, and no hypothesis speaks of it: the pipeline looks for what
# tells winners from losers.

import textwrap

import matplotlib.pyplot as plt

table = report.table.sort_values("separation", ignore_index=True)
wins = 50 + 50 * table[["separation_lower", "separation", "separation_upper"]]
fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
ends = wins["separation_lower"], wins["separation_upper"]
ax.hlines(table.index, *ends, color="#0072B2")
ax.scatter(wins["separation"], table.index, color="#0072B2", zorder=3)
ax.axvline(50, color="0.6", linewidth=1, zorder=0)
ax.set_yticks(table.index, [textwrap.fill(each, 48) for each in table["hypothesis"]])
ax.set_xlabel("share of pairs that the headline with it won,\nin percent, 95% interval")
plt.show()
