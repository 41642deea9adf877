"""
Write your own interpreter
==========================

An interpreter puts neurons into words. Any scikit-learn estimator with a method
``interpret`` can be one. This example writes one that says a neuron in a single phrase,
and compares it with the dictionaries of the package.
"""

# %%
# Messages with a rating
# ----------------------

from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(
    600,
    concepts=["gratitude", "refund", "travel delays", "food", "weather", "family"],
    effects=[2, -2, -1.5, 1.5, 1, -1],
    random_state=0,
)
texts, rating = data.data, data.target

# %%
# One phrase for a neuron
# -----------------------
# ``interpret`` is given the texts and how active each neuron is in them. It returns for
# each neuron what it considered, the best first, and how well that describes the
# neuron, *measured on texts in which it has not searched*: here it searches in one half
# and measures in the other. It never sees the target.
#
# The third argument of ``Hypothesis`` are the terms by which a text is checked: a text
# has the concept if it contains one of them.

from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import r_regression

from sklearn_hypo import Candidate, Fidelity, Hypothesis, Interpretation


class OnePhraseInterpreter(BaseEstimator):
    """Take the word or pair of words that goes best with the neuron."""

    def __init__(self, min_df=5):
        self.min_df = min_df

    def interpret(self, texts, activations, neurons, *, annotator, random_state):
        vectorizer = CountVectorizer(
            binary=True, ngram_range=(1, 2), min_df=self.min_df
        )
        present = vectorizer.fit_transform(texts).toarray()
        phrases = vectorizer.get_feature_names_out()
        rows = random_state.permutation(len(texts))
        search, check = rows[::2], rows[1::2]
        found = []
        for neuron, activation in zip(neurons, activations.T, strict=True):
            fits = r_regression(present[search], activation[search])
            best = int(fits.argmax())
            hypothesis = Hypothesis(f"says {phrases[best]!r}", neuron, (phrases[best],))
            compared, fidelity = (
                Fidelity.measure(present[half, best], activation[half])
                for half in (search, check)
            )
            candidates = (Candidate(hypothesis, compared),)
            found.append(Interpretation(neuron, candidates, fidelity))
        return found


# %%
# In the pipeline
# ---------------
# Both pipelines have the same neurons, and put the six best ones into words.

from sklearn_hypo import make_hypothesis_pipeline

fitted = {}
for name, interpreter in {
    "one phrase": OnePhraseInterpreter(),
    "dictionary": None,  # the package's own
}.items():
    pipe = make_hypothesis_pipeline(
        "lsa",
        n_neurons=32,
        n_fits=1,
        n_select=6,
        interpreter=interpreter,
        supervised=False,
        style=False,
        terms=False,
        random_state=0,
    ).set_params(select__n_select=6)
    fitted[name] = pipe.fit(texts, rating)[-1].hypotheses_
fitted["one phrase"][["hypothesis", "precision", "recall", "f1"]].round(2)

# %%
# What the figure shows
# ---------------------
# Precision: of the texts that the words are true of, in how many is the neuron active?
# Recall: of the texts in which it is active, how many do the words find? A phrase is
# mostly right, and misses most of what the neuron is about, for people say one thing
# in many ways. Each arrow leads from the phrase to the dictionary of the same
# neuron.

import matplotlib.pyplot as plt

phrase, dictionary = (
    table.set_index("neuron")[["recall", "precision"]] for table in fitted.values()
)
fig, ax = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
for neuron in phrase.index.intersection(dictionary.index):
    ax.annotate(
        "",
        dictionary.loc[neuron],
        phrase.loc[neuron],
        arrowprops={"arrowstyle": "->", "color": "0.6", "shrinkA": 5, "shrinkB": 5},
    )
ax.scatter(*phrase.to_numpy().T, color="#D55E00", marker="s", label="one phrase")
ax.scatter(*dictionary.to_numpy().T, color="#0072B2", label="dictionary")
ax.set_xlim(0, 1.03)
ax.set_ylim(0, 1.03)
ax.set_xlabel("recall")
ax.set_ylabel("precision")
ax.legend(loc="lower right")
plt.show()
