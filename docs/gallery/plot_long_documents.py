"""
Long documents: find in parts, ask about the whole
==================================================

A long text is about many things, and so is every neuron of its embedding. Cut into
parts, each part is about few. The hypotheses are found in parts, and then asked of
documents: is it in any part?
"""

# %%
# Documents of five messages
# --------------------------
# Four things move the rating of a document, and each is in one message of five, if at
# all.

import numpy as np

from sklearn_hypo.datasets import make_concept_texts

concepts = ["gratitude", "refund", "travel delays", "food"]
data = make_concept_texts(2000, concepts=concepts, prevalence=0.06, random_state=0)
documents = np.array([" ".join(data.data[i : i + 5]) for i in range(0, 2000, 5)])
has_concept = data.truth.reshape(400, 5, 4).max(axis=1)
rng = np.random.default_rng(0)
rating = has_concept @ [2, -2, -1.5, 1.5] + rng.normal(scale=0.5, size=400)
print(f"{np.mean([len(each.split()) for each in documents]):.0f} words on average")

# %%
# Whole documents
# ---------------
# Three hundred documents are used to find hypotheses.

from sklearn_hypo import make_hypothesis_pipeline

settings = {
    "n_neurons": 64,
    "n_fits": 2,
    "n_select": 6,
    "supervised": False,
    "style": False,
    "terms": False,
    "random_state": 0,
}
whole = make_hypothesis_pipeline("lsa", **settings)
whole.fit(documents[:300], rating[:300])
marks_of_whole = whole.transform(documents[300:])

# %%
# Parts of at most forty words
# ----------------------------
# Parts end where sentences do. Each keeps the rating of its document, and the number of
# the document, by which the marks are put together again.

from sklearn_hypo import roll_up_annotations, split_documents

chunks = split_documents(documents, rating, max_words=40)
early = chunks.document < 300
in_parts = make_hypothesis_pipeline("lsa", **settings)
in_parts.fit(chunks.texts[early], chunks.target[early])
marks_of_parts = roll_up_annotations(
    in_parts.transform(chunks.texts[~early]), chunks.document[~early], how="any"
)
for statement in marks_of_parts.columns:
    print(statement)

# %%
# ``evaluate_annotations(marks_of_parts, rating[300:])`` tests them, one row per
# document.

# %%
# What the figure shows
# ---------------------
# How well does the best of six hypotheses tell which documents have a concept, in the
# hundred documents that were not used? In a whole document each message is mixed with
# four others, and what stands in one of them is told less well. Found in parts, three
# of the four concepts are told better, delays most of all; food is not. There is a
# price: a part has the rating of its document, which other parts have caused, so that
# weak effects are harder to see.

import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for marks, colour, marker, label in [
    (marks_of_whole, "#D55E00", "s", "found in whole documents"),
    (marks_of_parts, "#0072B2", "o", "found in parts"),
]:
    r = np.corrcoef(marks.to_numpy(), has_concept[300:], rowvar=False)[:-4, -4:]
    ax.scatter(r.max(axis=0), concepts, color=colour, marker=marker, s=55, label=label)
ax.grid(axis="y", color="0.9")
ax.set_axisbelow(True)
ax.invert_yaxis()
ax.set_xlim(0, 1.03)
ax.set_xlabel("correlation of the best hypothesis with the concept")
fig.legend(loc="outside upper center", ncols=2)
plt.show()
