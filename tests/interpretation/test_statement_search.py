"""Cross-validation and searches over a pipeline that asks a language model."""

import numpy as np
import pytest
from llm_cases import model_at
from llm_double import LLMServer, Mind
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

from sklearn_hypo import (
    HypothesisExtractor,
    LLMAnnotator,
    LLMInterpreter,
    NeuronSelector,
    SparseAutoencoderTransformer,
    TextEmbedder,
)
from sklearn_hypo.datasets import make_concept_texts

pytestmark = [
    pytest.mark.usefixtures("prepared"),
    pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning"),
]


@pytest.fixture(scope="module")
def planted():
    return make_concept_texts(150, n_concepts=3, prevalence=0.3, random_state=0)


def search_over(planted, server, folder, n_jobs):
    """Return a search over a pipeline whose last step asks a language model."""
    model = model_at("gemini", server)
    pipe = Pipeline(
        [
            ("embed", TextEmbedder(n_components=16, random_state=0)),
            ("sae", SparseAutoencoderTransformer(8, 2, max_epochs=5, random_state=0)),
            ("select", NeuronSelector(3, method="correlation")),
            (
                "hypotheses",
                HypothesisExtractor(
                    LLMInterpreter(
                        model, n_candidates=2, n_scoring_examples=20, cache=folder
                    ),
                    LLMAnnotator(model, layout="decisions", cache=folder),
                    random_state=0,
                ),
            ),
        ]
    )
    grid = {"hypotheses__annotator__decision_threshold": [0.3, 0.7]}
    return GridSearchCV(pipe, grid, cv=2, n_jobs=n_jobs, refit=False)


def scores_of(search):
    return np.array([search.cv_results_[f"split{i}_test_score"] for i in range(2)])


def test_the_same_search_again_makes_no_call(planted, tmp_path):
    with LLMServer(Mind.from_concept_texts(planted)) as server:
        first = search_over(planted, server, tmp_path / "c", n_jobs=1)
        first.fit(planted.data, planted.target)
        stats = server.stats()
        assert stats.kinds.keys() == {"interpretation", "decisions"}
        assert set(stats.asked.values()) == {1}  # in all folds and candidates
        assert not np.isnan(scores_of(first)).any()
        server.reset()
        again = clone(first).fit(planted.data, planted.target)
        np.testing.assert_array_equal(scores_of(again), scores_of(first))
        folds = cross_val_score(
            first.estimator, planted.data, planted.target, cv=first.cv
        )
        assert len(folds) == 2
        assert server.stats().calls == 0


@pytest.mark.usefixtures("cheap_processes")
def test_a_search_in_two_processes_pays_for_no_question_twice(planted, tmp_path):
    mind = Mind.from_concept_texts(planted)
    with LLMServer(mind) as server:
        two = search_over(planted, server, tmp_path / "two", n_jobs=2)
        two.fit(planted.data, planted.target)
        stats = server.stats()
        assert set(stats.asked.values()) == {1}
        prompts = [c.body for c in server.calls if c.kind == "interpretation"]
        assert len(prompts) == len({str(body) for body in prompts})
        server.reset()
        one = search_over(planted, server, tmp_path / "two", n_jobs=1)
        one.fit(planted.data, planted.target)
        assert server.stats().calls == 0
        np.testing.assert_array_equal(scores_of(one), scores_of(two))
