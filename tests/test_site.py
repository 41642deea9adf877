"""What the site adds to Sphinx: links of names, equations, stored outputs."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx")
pytest.importorskip("sphinx_gallery")
DOCS = Path(__file__).resolve().parent.parent / "docs"

EXAMPLE = '''"""
Sums
====
"""

# %%
# One and one.
total = 1 + 1
print("total:", total)

# %%
# A cell that prints nothing.
half = total / 2

# %%
# A figure, and a value.
import matplotlib.pyplot as plt

plt.figure(figsize=(1, 1))
half
'''


@pytest.fixture
def extensions(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(DOCS), str(DOCS / "_extensions"), *sys.path])


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("TextEmbedder", "sklearn_hypo.TextEmbedder"),
        ("TextEmbedder.transform(texts)", "sklearn_hypo.TextEmbedder.transform"),
        ("sklearn_hypo.Budget", "sklearn_hypo.Budget"),
        ("load_tweets()", "sklearn_hypo.datasets.load_tweets"),
        ("InputError", "sklearn_hypo.exceptions.InputError"),
        # attributes have no page of their own
        ("HypothesisReport.table", "sklearn_hypo.HypothesisReport"),
        # the build warns of this one
        ("HypothesisReport.tabel", "sklearn_hypo.HypothesisReport.tabel"),
        ("texts", None),
        ("pipe.fit(TextEmbedder)", None),
    ],
)
def test_names_in_sentences_lead_to_the_reference(code, name, extensions):
    from link_names import full_name

    assert full_name(code) == name


@pytest.fixture
def make_stored(extensions, monkeypatch, tmp_path):
    import make_stored

    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery" / "sums.py").write_text(EXAMPLE, "utf-8")
    (tmp_path / "gallery" / "plot_quick.py").write_text(EXAMPLE, "utf-8")
    monkeypatch.setattr(make_stored, "DOCS", tmp_path)
    monkeypatch.setattr(make_stored, "STORED", tmp_path / "stored")
    return make_stored


def show(make_stored):
    """Return the page of the example as Sphinx would read it."""
    cell = ".. code-block:: Python\n\n    total = 1\n\n\n"
    page = [f"Text.\n\n{cell}More.\n\n{cell}End.\n\n{cell}"]
    make_stored.show_stored(None, "auto_gallery/sums", page)
    return page[0]


def test_what_an_example_prints_and_draws_is_shown_below_its_cells(make_stored):
    assert list(make_stored.scripts()) == ["sums"]
    path = make_stored.scripts()["sums"]
    make_stored.store(path)
    stored = make_stored.STORED / "sums"
    assert sorted(file.name for file in stored.iterdir()) == [
        "cell_1.txt",
        "cell_3.txt",
        "cell_3_1.png",
        "code.sha256",
    ]
    assert (stored / "cell_1.txt").read_text("utf-8") == "total: 2\n"
    assert (stored / "cell_3.txt").read_text("utf-8") == "1.0\n"
    first, second, third = show(make_stored).split(".. code-block:: Python")[1:]
    assert "/stored/sums/cell_1.txt" in first
    assert first.endswith("More.\n\n")
    assert "stored" not in second
    assert third.index("cell_3.txt") < third.index("cell_3_1.png")


def test_output_of_other_code_is_a_warning(make_stored, caplog):
    path = make_stored.scripts()["sums"]
    make_stored.store(path)
    path.write_text(EXAMPLE.replace("One and one.", "Two."), "utf-8")
    show(make_stored)
    assert caplog.text == ""  # only the text has changed
    path.write_text(EXAMPLE.replace("1 + 1", "1 + 2"), "utf-8")
    show(make_stored)
    assert "make_stored.py sums" in caplog.text
