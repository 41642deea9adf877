"""
Cross-validate the R² of hypotheses
===================================

How well do the hypotheses predict the target? In the texts they were found in they
always look too good. Cross-validation finds them anew in one part of the texts and
scores them in the other, several times: ``cross_validate`` works as it stands, because
the pipeline is an ordinary scikit-learn estimator.
"""

# %%
# Texts and a target
# ------------------
# Four things in the texts move the rating, and there is noise: nobody who reads the
# texts perfectly could explain more than the share that is printed.

import numpy as np

from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(
    400,
    concepts=["gratitude", "refund", "travel delays", "food"],
    effects=[2, -2, -1.5, 1],
    random_state=0,
)
texts, rating = data.data, data.target
possible = np.corrcoef(data.truth @ data.coef, rating)[0, 1] ** 2
print(f"at most {possible:.2f} of the variance can be explained")

# %%
# Five folds
# ----------
# In each fold everything is learned anew: embedding, neurons, words, and the regression
# on the hypotheses.

from sklearn.model_selection import KFold, cross_validate

from sklearn_hypo import make_hypothesis_pipeline

pipe = make_hypothesis_pipeline(
    "lsa",
    n_neurons=32,
    n_fits=1,
    n_select=8,
    style=False,
    terms=False,
    random_state=0,
)
folds = KFold(5, shuffle=True, random_state=0)
scores = cross_validate(pipe, texts, rating, cv=folds, return_train_score=True)

# %%
# For comparison, a ridge regression on the embeddings: 16 numbers per text that nobody
# can read.

from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline

from sklearn_hypo import TextEmbedder

dense = make_pipeline(
    TextEmbedder("lsa", n_components=16, random_state=0), RidgeCV(np.logspace(-4, 2, 7))
)
dense_scores = cross_validate(dense, texts, rating, cv=folds)

# %%
# What the figure shows
# ---------------------
# Each point is a fold. The distance between the first two rows is what the hypotheses
# had learned by heart; report the second. The third row tells whether anything is lost
# by putting neurons into words: here it is not, for words are what was planted. What is
# to the right of the line is noise. (It is drawn for all texts; in a small fold there
# may be less.)

import matplotlib.pyplot as plt

rows = {
    "hypotheses, in the texts\nthey were found in": scores["train_score"],
    "hypotheses, in other texts": scores["test_score"],
    "embeddings, in other texts": dense_scores["test_score"],
}
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for row, (values, colour) in enumerate(
    zip(rows.values(), ["#D55E00", "#0072B2", "#009E73"], strict=True)
):
    ax.scatter(values, np.full(5, row), color=colour, alpha=0.6)
    ax.vlines(values.mean(), row - 0.25, row + 0.25, color=colour, linewidth=3)
ax.axvline(possible, color="0.4", linestyle="--")
ax.annotate(" most that\n is possible", (possible, 2.2), va="center", color="0.3")
ax.set_yticks(range(3), rows)
ax.set_ylim(2.5, -0.5)
ax.set_xlim(0, 0.85)
ax.set_xlabel("R²: points are folds, bars are means")
plt.show()
