"""
Supervised or not?
==================

By default the autoencoder learns the target along with the embeddings, so that more of
its neurons are about the target. ``supervised=False`` keeps the target out until
neurons are selected. Which of them predicts more?
"""

# %%
# Few texts and many
# ------------------
# Four things move the rating. Both pipelines look for four hypotheses in 150 and in 500
# texts, with two seeds, and all are scored on the same 400 other texts.

from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(
    900,
    concepts=["gratitude", "refund", "travel delays", "food"],
    effects=[2, -2, -1.5, 1.5],
    prevalence=0.25,
    random_state=0,
)
texts, rating = data.data, data.target

# %%

import pandas as pd

from sklearn_hypo import make_hypothesis_pipeline

rows = []
for n_texts in (150, 500):
    for supervised in (True, False):
        for seed in range(2):
            pipe = make_hypothesis_pipeline(
                "lsa",
                n_neurons=64,
                n_fits=1,
                n_select=4,
                supervised=supervised,
                style=False,
                terms=False,
                random_state=seed,
            )
            pipe.fit(texts[:n_texts], rating[:n_texts])
            found_in = pipe.score(texts[:n_texts], rating[:n_texts])
            others = pipe.score(texts[500:], rating[500:])
            rows.append((n_texts, supervised, found_in, others))
scores = pd.DataFrame(rows, columns=["texts", "supervised", "found in", "others"])
scores.groupby(["texts", "supervised"]).mean().round(2)

# %%
# What the figure shows
# ---------------------
# Filled points are scores in other texts, and count. Of few texts, the supervised
# autoencoder makes more: there are 64 neurons and little to learn them from, and the
# target tells which ones to care for. Of many texts both find about the same, and the
# choice is another: ``supervised=False`` where neurons are to serve several targets, or
# where something else that goes with the target, such as a platform, must not get into
# them. Hollow points are no reason for anything: they look best where the target was
# learned by heart.

import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
labels = []
for row, ((n_texts, supervised), part) in enumerate(
    scores.groupby(["texts", "supervised"], sort=False)
):
    colour = "#0072B2" if supervised else "#D55E00"
    labels.append(f"{n_texts} texts, {'' if supervised else 'not '}supervised")
    means = part[["found in", "others"]].mean()
    ax.plot(means, [row, row], color="0.8", linewidth=3, zorder=0)
    ax.scatter(part["found in"], [row] * 2, color=colour, facecolor="white")
    ax.scatter(part["others"], [row] * 2, color=colour)
ax.set_yticks(range(len(labels)), labels)
ax.set_ylim(len(labels) - 0.5, -0.5)
ax.set_xlim(0, 0.8)
ax.set_xlabel(
    "R² of four hypotheses, two seeds\n"
    "hollow: in the texts they were found in; filled: in other texts"
)
plt.show()
