"""
Choose sizes by grid search
===========================

How many neurons? The default follows the number of texts. Whoever doubts it lets the
data decide: ``GridSearchCV`` searches over any parameter of any step.
"""

# %%
# Texts and a target
# ------------------
# Six things in 400 messages move a rating.

from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(
    400, n_concepts=6, effects=[2, -2, 1.5, -1.5, 1, -1], random_state=0
)
texts, rating = data.data, data.target

# %%
# Three numbers of neurons
# ------------------------
# ``sae`` is the autoencoder's step in the pipeline, and ``n_neurons`` the number of its
# neurons. Add ``"sae__k": [2, 4, 8]`` for how many of them may be active in a text, or
# ``"hypotheses__n_hypotheses"``. There are six hypotheses in any case here, and each
# candidate is scored by the R² in texts left out. One fit of the autoencoder each,
# without terms, keeps the example quick.

from sklearn.model_selection import GridSearchCV, KFold

from sklearn_hypo import make_hypothesis_pipeline

pipe = make_hypothesis_pipeline(
    "lsa",
    n_texts=260,
    n_select=6,
    n_fits=1,
    supervised=False,
    style=False,
    terms=False,
    random_state=0,
)
search = GridSearchCV(
    pipe,
    {"sae__n_neurons": [16, 64, 128]},
    cv=KFold(3, shuffle=True, random_state=0),
)
search.fit(texts, rating)
search.best_params_

# %%
# What the figure shows
# ---------------------
# Grey lines are folds, the blue one is their mean. Folds differ, since some texts are
# harder than others; all candidates had the same ones, so compare within folds. Here 64
# neurons do best in each. Too few mix things that differ; too many cut each thing into
# pieces, of which six hypotheses hold only a part. Without a search it would have been
# 128, the default for so many texts. Where lines cross, the data do not tell candidates
# apart: take the default. Test the chosen pipeline on texts that the search has not
# seen.

import matplotlib.pyplot as plt
import pandas as pd

results = pd.DataFrame(search.cv_results_)
sizes = results["param_sae__n_neurons"]
fig, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
for fold in range(3):
    ax.plot(sizes, results[f"split{fold}_test_score"], color="0.7", marker=".")
ax.plot(sizes, results["mean_test_score"], color="#0072B2", marker="o")
ax.set_xscale("log", base=2)
ax.set_xticks([16, 64, 128], ["16", "64", "128"])
ax.set_ylim(0, None)
ax.set_xlabel("neurons")
ax.set_ylabel("R² in texts left out")
plt.show()
