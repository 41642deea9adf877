"""
Write your own selector
=======================

The selector decides which neurons become hypotheses. ``method=`` takes a function of
activations and target, and the step can be any selector of scikit-learn. Here a few
ratings are wild, and a score that goes by ranks is not misled by them.
"""

# %%
# Ratings with typing errors
# --------------------------
# Three things in the texts move a rating. In twelve of 600 rows somebody typed a 100 in
# the place of the rating.

import numpy as np

from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(
    600,
    concepts=["gratitude", "refund", "travel delays", "food", "music", "pets"],
    effects=[2, -2, -1.5, 0, 0, 0],
    random_state=0,
)
texts, rating = data.data, data.target
wild = np.random.default_rng(0).choice(600, size=12, replace=False)
typed = rating.copy()
typed[wild] = 100

# %%
# A score by ranks
# ----------------
# Larger is better. Effects in both directions count, so that the score is a size.

from scipy.stats import spearmanr


def rank_correlation(activations, y):
    """Correlate ranks: the largest rating is the largest, be it 5 or 100."""
    return [abs(spearmanr(column, y).statistic) for column in activations.T]


# %%
# The same neurons for both
# -------------------------
# The autoencoder does not see the target, so it is trained once.

from sklearn.pipeline import make_pipeline

from sklearn_hypo import NeuronSelector, SparseAutoencoderTransformer, TextEmbedder

neurons = make_pipeline(
    TextEmbedder("lsa", n_components=16, random_state=0),
    SparseAutoencoderTransformer(n_neurons=32, k=4, random_state=0),
).fit_transform(texts)
by_value = NeuronSelector(6, method="correlation").fit(neurons, typed)
by_rank = NeuronSelector(6, method=rank_correlation).fit(neurons, typed)

# %%
# In a pipeline it is ``make_hypothesis_pipeline(method=rank_correlation)``, or, with a
# selector of scikit-learn,
# ``pipe.set_params(select=SelectKBest(f_regression, k=6))`` and
# ``pipe.set_output(transform="pandas")``, so that later steps know which text a row is.

# %%
# What the figure shows
# ---------------------
# Each point is a neuron. To the right are those that go with the rating as it was
# before the errors. A good score is near the diagonal: ranks are, and the plain
# correlation hardly tells one neuron from another, for it sees twelve rows and little
# else. Filled points are the six that were selected.

import matplotlib.pyplot as plt
from sklearn.feature_selection import r_regression

without_errors = np.abs(r_regression(neurons, rating))
fig, axes = plt.subplots(
    1, 2, figsize=(8, 3.8), sharex=True, sharey=True, layout="constrained"
)
for ax, selector, name in [
    (axes[0], by_value, "correlation"),
    (axes[1], by_rank, "rank_correlation"),
]:
    chosen = selector.get_support()
    scores, faces = np.abs(selector.scores_), np.where(chosen, "#0072B2", "white")
    ax.axline((0, 0), slope=1, color="0.7", linewidth=1, zorder=0)
    ax.scatter(without_errors, scores, color=faces, edgecolor="#0072B2")
    ax.set_title(f"method={name}", fontsize=10)
    ax.set_xlabel("correlation with the rating\nwithout errors, in size")
axes[0].set_ylabel("score, in size, from the\nrating with errors")
plt.show()
