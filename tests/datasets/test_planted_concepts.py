"""Whether the whole pipeline finds again what was planted."""

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import HypothesisExtractor, make_hypothesis_pipeline
from sklearn_hypo.datasets import make_concept_texts

N_TEXTS, N_CONCEPTS = 2000, 10


def plant(seed, **settings):
    """Generate training texts and as many others."""
    return make_concept_texts(
        2 * N_TEXTS, n_concepts=N_CONCEPTS, random_state=seed, **settings
    )


def f1_of_best(annotations, truth):
    """Return, for each concept, the F1 of the hypothesis that comes nearest to it."""
    both = truth.T @ annotations
    return (2 * both / (truth.sum(axis=0)[:, None] + annotations.sum(axis=0))).max(
        axis=1
    )


def assert_nine_of_ten(data, found):
    by_name = dict(zip(data.concept_names, found.round(2).tolist(), strict=True))
    assert (found >= 0.9).sum() >= 9, by_name


@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
def find_planted(data, **settings):
    """Return how near the hypotheses come to each concept in other texts."""
    pipe = make_hypothesis_pipeline("lsa", random_state=0, **settings)
    pipe.set_params(embed__n_components=32)  # ten concepts need few directions
    pipe.fit(data.data[:N_TEXTS], data.target[:N_TEXTS])
    annotations = pipe.transform(data.data[N_TEXTS:]).to_numpy()
    return f1_of_best(annotations, data.truth[N_TEXTS:])


def test_nine_of_ten_planted_concepts_are_recovered():
    data = plant(0)
    assert_nine_of_ten(data, find_planted(data, supervised=False))


def test_supervision_keeps_the_concepts_apart():
    """Its weight falls before neurons mix what moves the target alike."""
    data = plant(0)
    assert_nine_of_ten(data, find_planted(data, n_fits=3))


def test_given_the_right_neurons_every_concept_is_put_into_words():
    """Even where its words never meet: the lexicon is not what limits recovery."""
    data = plant(0, forms_per_text=1)
    strength = np.random.RandomState(0).exponential(size=data.truth.shape) + 0.1
    index = pd.Index(data.data, dtype=object, name="text")
    neurons = pd.DataFrame(data.truth * strength, index=index).add_prefix("neuron")
    extractor = HypothesisExtractor(random_state=0)
    extractor.fit(neurons[:N_TEXTS], data.target[:N_TEXTS])
    annotations = extractor.transform(neurons[N_TEXTS:]).to_numpy()
    found = f1_of_best(annotations, data.truth[N_TEXTS:])
    assert_nine_of_ten(data, found)
    signs = np.sign(extractor.hypotheses_["coef"])
    assert signs.tolist() == np.sign(data.coef).tolist()
