"""
Correct for annotation error with 200 labels
============================================

A machine that reads texts makes mistakes, and its mistakes bias whatever is estimated
from its answers. If people label a small random sample, the estimates can be corrected.
"""

# %%
# A machine that errs
# -------------------
# In 4,000 texts, each of three statements has a known effect on the rating. A machine
# has marked the texts. It overlooks a quarter of the thanks; it takes many texts for
# complaints that are none; and it finds travel where the rating is bad, which makes an
# effect out of nothing.

import numpy as np

from sklearn_hypo.datasets import make_concept_texts

truth = {"thanks": 1.5, "complains": -1.0, "travels": 0.0}
data = make_concept_texts(
    4000,
    concepts=["gratitude", "refund", "travel delays"],
    effects=list(truth.values()),
    prevalence=0.3,
    random_state=0,
)
texts, rating, correct = data.data, data.target, data.truth
rng = np.random.default_rng(0)
draw = rng.random(correct.shape)
machine = correct.astype(float)
machine[(correct[:, 0] == 1) & (draw[:, 0] < 0.25), 0] = 0
machine[(correct[:, 1] == 0) & (draw[:, 1] < 0.2), 1] = 1
machine[(correct[:, 2] == 0) & (draw[:, 2] < 0.4) & (rating < -1), 2] = 1

# %%
# A report from the machine's answers, and a sheet for people
# -----------------------------------------------------------
# ``labelling_sheet`` draws 200 texts at random, and shows neither the machine's answer
# nor the rating. With ``path=`` it is written as CSV for a spreadsheet.

from sklearn_hypo import evaluate_annotations, labelling_sheet

report = evaluate_annotations(
    machine, rating, names=list(truth), texts=texts, n_resamples=0
)
sheet = labelling_sheet(texts, report, n=200, random_state=0)
sheet.head(3)

# %%
# Two hundred texts are an afternoon's work. Here the truth is known, and is filled in.

from sklearn_hypo import correct_for_annotation_error, read_labels

answers = dict(zip(texts, correct, strict=True))
sheet[list(truth)] = [answers[text] for text in sheet["text"]]
labels = read_labels(sheet, texts)
corrected = correct_for_annotation_error(report, labels)
print(corrected)

# %%
# "Corrected" is said of the errors of the machine here. The p-values are of one
# hypothesis each, and count for no other.

# %%
# What the figure shows
# ---------------------
# The machine alone is confident and wrong: its short intervals miss the truth. Labels
# alone are right on average, and say little, for they are few. The corrected estimates
# use both, the machine's answers for 4,000 texts and what 200 labels tell of its
# errors: they are as honest as the labels, and more certain where the machine is good.

import matplotlib.pyplot as plt

table = corrected.table
fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
sources = {
    "naive": ("the machine alone", "#D55E00", "s"),
    "human_only": ("200 labels alone", "#009E73", "^"),
    "corrected": ("corrected", "#0072B2", "o"),
}
for i, (source, (label, colour, marker)) in enumerate(sources.items()):
    height = np.arange(3) + 0.2 * (i - 1)
    ax.hlines(height, table[f"{source}_lower"], table[f"{source}_upper"], color=colour)
    ax.scatter(
        table[source], height, color=colour, marker=marker, label=label, zorder=3
    )
for row, effect in enumerate(truth.values()):
    ax.vlines(effect, row - 0.35, row + 0.35, color="black", linewidth=2)
ax.plot([], [], color="black", linewidth=2, label="truth")
ax.set_yticks(range(3), truth)
ax.invert_yaxis()
ax.set_xlabel("separation: points of the rating, 95% interval")
fig.legend(loc="outside upper center", ncols=4, fontsize=9)
plt.show()
