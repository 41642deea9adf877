"""
Replicate hypotheses over seeds
===============================

An autoencoder starts from random numbers, and with other numbers it finds other
neurons. What is in the texts comes back; what was luck does not. Count it.
"""

# %%
# A study
# -------

from sklearn_hypo import make_hypothesis_pipeline
from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(
    600,
    concepts=["gratitude", "refund", "travel delays", "food"],
    effects=[2, -2, -1.5, 1],
    random_state=0,
)
texts, rating = data.data, data.target
pipe = make_hypothesis_pipeline(
    "lsa",
    n_neurons=32,
    n_fits=1,
    n_select=6,
    supervised=False,
    style=False,
    terms=False,
    random_state=0,
)
pipe.fit(texts, rating)

# %%
# Ten refits
# ----------
# Autoencoder and selection are fitted anew, each time from another seed. Nothing is put
# into words: a hypothesis is found again if the refit selects a neuron that is active
# on the same texts. With ``vary="both"`` the texts are drawn anew, too, so that a
# hypothesis that hangs on a few of them is found out.

from sklearn_hypo import replicate_hypotheses

replication = replicate_hypotheses(pipe, texts, rating, n_runs=10, vary="both")
replication.table[["hypothesis", "n_found", "n_found_any", "median_correlation"]]

# %%
# What the figure shows
# ---------------------
# Each point is a refit: how closely does the best matching neuron follow the one of the
# hypothesis? From 0.5 on it counts as found. Report how often a hypothesis was found
# again beside its test. The two answer different questions: one can be found every
# time and have no effect, or have an effect and be hard to find.

import matplotlib.pyplot as plt

from sklearn_hypo import ReplicationDisplay

ReplicationDisplay.from_report(replication)
plt.show()
