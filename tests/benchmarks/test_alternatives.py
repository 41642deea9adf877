"""Rates of categories, and which method the table shows to be the best."""

from collections import namedtuple

import _alternative_methods as alternatives
import _alternative_report as report
import alternatives as script
import numpy as np
import pytest

Says = namedtuple("Says", "says")
METHODS = {"ours, default": Says("a"), "NMF": Says("b"), "MiniLM, dense": Says("c")}


def test_rates_of_categories_by_hand():
    categories = {"joy": ["happy", "fun", "fun"], "food": ["cake"], "empty": []}
    rates = alternatives.count_categories(
        ["Happy, happy cake", "no such word", "fun"], categories
    )
    # three words and a comma, which is no token
    np.testing.assert_allclose(rates, [[2 / 3, 1 / 3, 0], [0, 0, 0], [1, 0, 0]])


def test_a_method_names_what_is_not_installed():
    method = alternatives.Method(None, "", ("sklearn", "no_such_package"))
    assert method.missing() == ["no_such_package"]


def test_methods_are_chosen_by_how_their_names_start(monkeypatch, capsys):
    absent = alternatives.Method(None, "", ("no_such_package",))
    present = alternatives.Method(None, "")
    methods = {"ours, default": present, "NMF": present, "BERTopic": absent}
    monkeypatch.setattr(script, "METHODS", methods, raising=False)
    assert list(script.choose_methods(["OURS", "nmf"])) == ["ours, default", "NMF"]
    assert list(script.choose_methods(None)) == ["ours, default", "NMF"]
    assert "BERTopic: no_such_package is not installed" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no method"):
        script.choose_methods(["bert"])


def make_cells(scores):
    return {
        (method, data): [{"score": s, "seconds": 2.0, "megabytes": 300.4}]
        for (method, data), s in scores.items()
    }


def test_the_best_that_can_be_read_is_bold():
    names = ["tweets", "bills on health", "bills on agriculture"]
    cells = make_cells(
        {
            ("ours, default", "tweets"): 0.41,
            ("NMF", "tweets"): 0.30,
            ("MiniLM, dense", "tweets"): 0.50,
            ("ours, default", "bills on health"): 0.8,
            ("ours, default", "bills on agriculture"): 0.9,
            ("NMF", "bills on health"): 0.88,
            ("NMF", "bills on agriculture"): 0.84,
            ("MiniLM, dense", "bills on health"): 0.9,
        }
    )
    lines = report.score_table(cells, METHODS, names).splitlines()
    cut = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cut[0] == ["method", "a reader sees", "tweets", "bills", "s", "MB"]
    assert cut[2] == ["ours, default", "a", "**0.41**", "0.85", "2", "300"]
    assert cut[3] == ["NMF", "b", "0.30", "**0.86**", "2", "300"]
    # a mean over data sets needs all of them; what cannot be read is never bold
    assert cut[4] == ["MiniLM, dense", "c", "0.50", "-", "2", "300"]


def test_seeds_are_averaged():
    runs = [
        (
            {"method": "NMF", "data": "tweets"},
            {"score": s, "seconds": 1, "megabytes": 1},
        )
        for s in (0.2, 0.4)
    ]
    cells = report.gather(runs)
    assert "0.300 ± 0.141" in report.data_table(cells, {"NMF": Says("")}, ["tweets"])
