"""
Would another annotator agree?
==============================

A conclusion should not hang on who, or what, read the texts. Here the same hypotheses
are tested on the same texts, with the marks of three annotators.
"""

# %%
# A study
# -------
# Hypotheses are found in 600 messages with a rating and tested on 400 others. The
# pipeline's own annotator looks for the words of each dictionary.

import numpy as np

from sklearn_hypo import make_hypothesis_pipeline
from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(
    1000,
    concepts=["gratitude", "refund", "travel delays"],
    effects=[2, -2, -1],
    random_state=0,
)
texts, rating = data.data, data.target
pipe = make_hypothesis_pipeline(
    "lsa",
    n_neurons=64,
    n_fits=2,
    n_select=3,
    supervised=False,
    style=False,
    terms=False,
    random_state=0,
)
pipe.fit(texts[:600], rating[:600])

# %%
# Two others
# ----------
# One compares the embedding of a text with that of the statement. The other is a
# student, whose marks were made elsewhere and arrive as a table of 1 and 0. (Here the
# student agrees with the dictionaries, but for one mark in ten.) An
# :class:`~sklearn_hypo.LLMAnnotator` would stand in the same place.

from sklearn_hypo import EmbeddingAnnotator, TextEmbedder, compare_annotators

rng = np.random.default_rng(0)
marks = pipe.transform(texts[600:])
student = marks.where(rng.random(marks.shape) > 0.1, 1 - marks)

comparison = compare_annotators(
    pipe,
    texts[600:],
    rating[600:],
    {
        "embeddings": EmbeddingAnnotator(TextEmbedder("lsa", random_state=0)),
        "a student": student,
    },
    X_train=texts[:600],
)
print(comparison)

# %%
# What the figure shows
# ---------------------
# All three agree about thanks and refunds, though not about the size of the effects:
# whoever errs more sees less of an effect, because texts with and without it are mixed
# up, as long as the errors have nothing to do with the rating. Errors hide the third
# and weakest effect first. The conclusion on delays hangs on who read the texts, and a
# report should say so. What to report is the annotator that was chosen before the table
# was seen. A sample labelled with care corrects the estimates:
# :ref:`sphx_glr_auto_gallery_plot_annotation_error.py`.

import textwrap

import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
styles = [("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^")]
for i, (name, report) in enumerate(comparison.reports.items()):
    table, (colour, marker) = report.table, styles[i]
    height = np.arange(len(table)) + 0.2 * (i - 1)
    ax.hlines(height, table["coef_lower"], table["coef_upper"], color=colour)
    ax.scatter(table["coef"], height, color=colour, marker=marker, label=name, zorder=3)
ax.axvline(0, color="0.6", linewidth=1, zorder=0)
statements = comparison.table["hypothesis"]
ax.set_yticks(range(len(statements)), [textwrap.fill(each, 40) for each in statements])
ax.invert_yaxis()
ax.set_xlabel("joint coefficient: points of the rating, 95% interval")
fig.legend(loc="outside upper center", ncols=3, fontsize=9)
plt.show()
