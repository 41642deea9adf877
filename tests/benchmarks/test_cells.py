"""Kept cells: gone on with one by one, and never taken for another's."""

import json

import _cells
import pytest
from _cells import Cells


@pytest.fixture
def cells(tmp_path, monkeypatch):
    monkeypatch.setattr(_cells, "CACHE", tmp_path)
    return Cells("trial")


def test_what_is_kept_is_not_computed_again(cells):
    keys = [{"code": "a", "seed": seed} for seed in range(3)]
    computed = []

    def compute(key):
        computed.append(key["seed"])
        return {"score": key["seed"] / 4}

    def compute_one(key):
        if computed:
            raise KeyboardInterrupt
        return compute(key)

    with pytest.raises(KeyboardInterrupt):
        cells.run(keys, compute_one, resume=True)
    found = cells.run(keys, compute, resume=True)
    assert computed == [0, 1, 2]
    assert found == [(key, {"score": key["seed"] / 4}) for key in keys]
    cells.run(keys, compute, resume=False)
    assert computed == [0, 1, 2, 0, 1, 2]


def test_another_code_or_setting_is_another_cell(cells):
    key = {"code": "a", "settings": {"k": 4}}
    cells.write(key, {"score": 1.0})
    assert cells.read({"settings": {"k": 4}, "code": "a"}) == {"score": 1.0}
    assert cells.read(key | {"code": "b"}) is None
    assert cells.read(key | {"settings": {"k": 8}}) is None
    kept = json.loads(cells.path(key).read_text(encoding="utf-8"))
    assert kept["key"] == key
    assert kept["commit"]


def test_a_cell_that_fails_when_computed_again_is_not_the_old_one(cells):
    cells.write({"seed": 0}, {"score": 1.0})
    assert cells.run([{"seed": 0}], lambda key: None, resume=False) == []


def test_a_cell_without_a_result_is_left_out(cells):
    keys = [{"seed": 0}, {"seed": 1}]
    found = cells.run(keys, lambda key: key["seed"] or None, resume=False)
    assert found == [({"seed": 1}, 1)]
    assert not cells.path({"seed": 0}).exists()


def test_the_digest_follows_the_code_of_a_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(_cells, "ROOT", tmp_path)
    names = ("_selection/_a.py", "_report/_b.py", "_inference/_ngrams.py")
    for name in names:
        path = tmp_path / "sklearn_hypo" / name
        path.parent.mkdir(parents=True)
        path.write_text("1", encoding="utf-8")
    script = tmp_path / "benchmarks" / "_c.py"
    script.parent.mkdir()
    script.write_text("1", encoding="utf-8")
    before = _cells.digest_package("_c")
    (tmp_path / "sklearn_hypo" / "_report" / "_b.py").write_text("2", encoding="utf-8")
    assert _cells.digest_package("_c") == before
    script.write_text("2", encoding="utf-8")
    assert _cells.digest_package("_c") != before
    script.write_text("1", encoding="utf-8")
    for name in (names[0], names[2]):
        path = tmp_path / "sklearn_hypo" / name
        path.write_text("2", encoding="utf-8")
        assert _cells.digest_package("_c") != before
        path.write_text("1", encoding="utf-8")
    assert _cells.digest_package("_c") == before
