"""
Write your own embedder
=======================

An embedder turns texts into vectors. ``TextEmbedder`` takes any function that does so,
and any scikit-learn transformer of texts. Here it is a thesaurus that a team has at
hand: it knows that *grateful* and *thank* belong together, which short texts do not
tell.
"""

# %%
# Every message says it in one way
# --------------------------------
# There are many ways to thank, and each message uses one of them. Words for one thing
# never meet, so that an embedding learned from these texts cannot tie them together.

from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(
    1000,
    concepts=["gratitude", "refund", "travel delays", "food", "family"],
    effects=[2, -2, -1.5, 1.5, 0],
    forms_per_text=1,
    prevalence=0.2,
    random_state=0,
)
texts, rating = data.data, data.target
print(texts[0])

# %%
# A function of texts
# -------------------
# For each entry of the thesaurus, how many words of a text belong to it? A row per text
# and a column per entry is an embedding.

import numpy as np

thesaurus = {
    "thanks": "thank thanks grateful appreciate appreciated kind owe debt",
    "money": "money refund refunded reimburse charged overcharged payment credit",
    "trips": "flight delayed airport train bus missed traffic luggage gate late",
    "meals": "pizza soup delicious cooking hungry lunch cake bread dinner pancakes",
    "kin": "mom dad brother sister grandma cousins kids uncle aunt",
    "sky": "rain raining snow snowing sunny storm windy freezing cloudy",
}
entries = [set(words.split()) for words in thesaurus.values()]


def by_thesaurus(texts):
    """Count the words of each entry in each text."""
    split = [text.lower().replace(".", " ").split() for text in texts]
    return np.array(
        [[sum(word in entry for word in words) for entry in entries] for words in split]
    )


# %%
# It stands where a name such as ``"lsa"`` stands. A list puts two side by side.

from sklearn_hypo import make_hypothesis_pipeline

models = {
    '"lsa"': "lsa",
    "by_thesaurus": by_thesaurus,
    '["lsa", by_thesaurus]': ["lsa", by_thesaurus],
}
pipes = {
    name: make_hypothesis_pipeline(
        model,
        n_neurons=32,
        n_fits=1,
        n_select=4,
        supervised=False,
        style=False,
        terms=False,
        random_state=0,
    ).fit(texts[:600], rating[:600])
    for name, model in models.items()
}
scores = [pipe.score(texts[600:], rating[600:]) for pipe in pipes.values()]
for statement in pipes["by_thesaurus"][-1].hypotheses_["hypothesis"]:
    print(statement)

# %%
# What the figure shows
# ---------------------
# The hypotheses are dictionaries again, found in the texts: an entry of the thesaurus
# is where a neuron comes from, and not what is tested. An embedding that knows which
# words belong together predicts much more here: one that learns from the texts has
# nothing to learn it from. A thesaurus is blind to what it has no words for. Side by
# side, the other may see that.

import matplotlib.pyplot as plt

possible = np.corrcoef(data.truth @ data.coef, rating)[0, 1] ** 2
fig, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
bars = ax.barh(list(models), scores, 0.6, color=["#D55E00", "#0072B2", "#009E73"])
ax.bar_label(bars, fmt="%.2f", padding=3)
ax.axvline(possible, color="0.4", linestyle="--")
ax.annotate(" most that is\n possible", (possible, 1), va="center", color="0.3")
ax.invert_yaxis()
ax.set_xlim(-0.2, 0.95)
ax.axvline(0, color="0.6", linewidth=1)
ax.set_xlabel("R² of four hypotheses in texts left out")
plt.show()
