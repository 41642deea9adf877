"""
Many texts on a cluster
=======================

Cross-validation, grid search and replication fit a pipeline again and again. The
package hands such work to joblib, and joblib to whatever engine is named: processes of
this machine, Dask, Ray. The scores do not depend on it.
"""

# %%
# A pipeline and five folds
# -------------------------

from sklearn.model_selection import KFold

from sklearn_hypo import make_hypothesis_pipeline
from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(300, n_concepts=4, random_state=0)
pipe = make_hypothesis_pipeline(
    "lsa",
    n_neurons=32,
    n_fits=1,
    n_select=4,
    supervised=False,
    style=False,
    terms=False,
    random_state=0,
)
folds = KFold(5, shuffle=True, random_state=0)

# %%
# One after the other, and on Dask
# --------------------------------
# What changes is the line with ``parallel_config``. It holds for everything within it.
# The two workers are threads of this process here, because they start at once; on a
# cluster, ``Client("tcp://scheduler:8786")`` names its scheduler, and is all the rest.

import joblib
from dask.distributed import Client
from sklearn.model_selection import cross_val_score

one_by_one = cross_val_score(pipe, data.data, data.target, cv=folds)
workers = {"n_workers": 2, "threads_per_worker": 1, "processes": False}
with Client(dashboard_address=":0", **workers), joblib.parallel_config("dask"):
    two_at_a_time = cross_val_score(pipe, data.data, data.target, cv=folds)
print(f"largest difference of a score: {abs(one_by_one - two_at_a_time).max():g}")

# %%
# A ``cache=`` of the embedder belongs on a local disk of each machine: what workers
# share, and what each pays for, is in
# :doc:`Many texts, many machines </scale>`.

# %%
# What the figure shows
# ---------------------
# Each point is a fold. All are on the line: who computes a fold changes nothing. What
# was begun on a notebook can be finished on a cluster.

import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(4.2, 3.8), layout="constrained")
ax.axline((0.3, 0.3), slope=1, color="0.7", zorder=0)
ax.scatter(one_by_one, two_at_a_time, color="#0072B2")
ax.set_aspect("equal", adjustable="datalim")
ax.set_xlabel("R², folds one after the other")
ax.set_ylabel("R², two folds at a time, on Dask")
plt.show()
