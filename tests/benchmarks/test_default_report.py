"""Who wins a cell, by how much, and what the words keep."""

import _default_cells
import _default_report as report
import numpy as np
import pytest
from _datasets import Dataset

CHANCE = {"regression": 0.0, "classification": 0.5}


def make_runs(ours, lasso, neurons=0.6):
    return [
        {
            "ours": a, "lasso": b, "lasso_sklearn": b, "neurons": neurons,
            "n_train": 200, "n_hypotheses": 20, "fidelity": 0.5, "seconds": 1.0,
        }
        for a, b in zip(ours, lasso, strict=True)
    ]  # fmt: skip


def make_dataset(task="regression"):
    rows = np.arange(4)
    y = np.array([0, 0, 0, 1])
    return Dataset("A", task, rows, y, rows, rows, rows, rows)


CELLS = {
    ("defaults", "A", "200"): make_runs([0.4, 0.5], [0.3, 0.3]),
    ("defaults", "A", "500"): make_runs([0.3, 0.9], [0.5, 0.5]),
    ("defaults", "A", "all"): make_runs([0.2, 0.2], [0.2003, 0.2003]),
    ("other", "A", "200"): make_runs([0.1, 0.1], [0.3, 0.3]),
}


def test_cells_are_won_by_their_means():
    assert report.count_cells(CELLS, "defaults", "lasso") == (2, 1, 0)
    assert report.count_cells(CELLS, "other", "lasso") == (0, 0, 1)
    table = report.summary_table(CELLS, ["defaults", "other"], {"A": make_dataset()})
    assert "2 of 3, 1 equal" in table
    assert "0 of 1" in table
    assert "+0.083" in table  # (0.15 + 0.1 - 0.0003) / 3


def test_a_difference_within_the_seeds_is_in_brackets():
    assert report.show_better(make_runs([0.40, 0.41, 0.42], [0.3] * 3)) == "ours"
    assert report.show_better(CELLS["defaults", "A", "500"]) == "(ours)"
    assert report.show_better(CELLS["defaults", "A", "all"]) == "equal"
    assert report.show_better(make_runs([0.1], [0.3])) == "n-grams"


def test_words_keep_a_share_of_what_is_above_chance():
    runs = make_runs([0.7], [0.6], neurons=0.9)
    assert report.share_kept(runs, chance=0.5) == pytest.approx(0.5)
    assert report.share_kept(runs, chance=0.0) == pytest.approx(7 / 9)
    assert report.share_kept(make_runs([0.7], [0.6], neurons=0.52), chance=0.5) is None


def test_the_best_variant_is_bold():
    table = report.variant_table(CELLS, ["defaults", "other"])
    first = table.splitlines()[2]
    assert "**0.450 ± 0.071**" in first
    assert "**0.100" not in first


def test_samples_without_a_class_are_left_out():
    key = {"variant": "defaults", "data": "A", "size": "200"}
    full = make_runs([0.4], [0.3])[0]
    cells = report.gather([(key, full), (key, {"n_train": 200, "n_scored": 4})])
    assert cells == {("defaults", "A", "200"): [full]}
    data = make_dataset("classification")
    assert not _default_cells.has_all_classes(data, data.train[:3])
    assert _default_cells.has_all_classes(data, data.train)
    assert _default_cells.has_all_classes(make_dataset(), data.train[:3])


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_cell_scores_hypotheses_neurons_and_words_of_the_same_rows(
    task, tmp_path, monkeypatch
):
    from sklearn_hypo.datasets import make_concept_texts

    monkeypatch.setattr(_default_cells, "EMBEDDINGS", tmp_path)
    made = make_concept_texts(500, n_concepts=3, random_state=0)
    y = made.target
    if task == "classification":
        y = (y > np.median(y)).astype(int)
    rows = np.arange(500)
    data = Dataset(
        "made up", task, np.array(made.data, dtype=object), y, rows,
        rows[:400], rows[400:], rows[:0],
    )  # fmt: skip
    found = _default_cells.run_cell(
        data, "200", 0, {"model": "lsa", "n_select": 5, "sae__k": 3}
    )
    assert (found["n_train"], found["n_scored"]) == (200, 100)
    assert found["n_hypotheses"] <= 5
    floor = CHANCE[task]
    assert floor < found["ours"] < 1
    assert floor < found["neurons"] < 1
    assert floor < found["lasso"] < 1
