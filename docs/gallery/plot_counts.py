"""
Counts: likes, votes and downloads
==================================

Most posts get no like and a few get thousands. Such a target is recognised as a count.
It is learned on a logarithmic scale, so that a handful of posts does not decide
everything, and reported as rate ratios beside differences of means.
"""

# %%
# Posts and their likes
# ---------------------
# The texts are generated. A post about pets gets three times the likes of another one,
# about music twice as many, about school half as many. Beyond that, luck decides.

import numpy as np

from sklearn_hypo.datasets import make_concept_texts

factors = {"pets": 3.0, "music": 2.0, "school": 0.5}
data = make_concept_texts(
    1500,
    concepts=list(factors),
    effects=np.log(list(factors.values())),
    noise=0.0,
    prevalence=0.2,
    random_state=0,
)
texts = data.data
rng = np.random.default_rng(0)
likes = rng.poisson(2 * np.exp(data.target) * rng.gamma(0.7, 1 / 0.7, size=1500))
print(
    f"median {np.median(likes):g}, mean {likes.mean():.1f}, largest {likes.max()}; "
    f"{np.mean(likes == 0):.0%} have none"
)

# %%
# Find and test
# -------------

from sklearn_hypo import evaluate_hypotheses, make_hypothesis_pipeline

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
pipe.fit(texts[:700], likes[:700])
report = evaluate_hypotheses(pipe, texts[700:], likes[700:], n_resamples=0)
print(f"the target is a {report.target_kind}")
report.table[["hypothesis", "separation", "rate_ratio", "p_corrected"]].round(3)

# %%
# What the figure shows
# ---------------------
# By which factor are there more likes where a statement holds, all others held fixed?
# A factor of 1 is no difference, and the axis is logarithmic: twice as many and half as
# many are equally far from it. Planted were factors of 3 (pets), 2 (music) and 0.5
# (school). A dictionary that misses some of the texts it is about gives a factor nearer
# to 1.

import matplotlib.pyplot as plt

from sklearn_hypo import CoefficientsDisplay

CoefficientsDisplay.from_report(report, effect="rate_ratio")
plt.show()
