"""Cascades of a cheap and a dear annotator: what is asked, and what it is worth.

    python benchmarks/cascade.py --quick    # prints, in a quarter of a minute
    python benchmarks/cascade.py            # some minutes; writes the page of docs/

Ten planted concepts, of which it is known where they are. Annotators are oracles that
err as they are told: functions behind `LLMAnnotator`, or scores. Needs no data, no key
and no network.
"""

import argparse
import hashlib
import json

import numpy as np
from _common import command_line, markdown_table, write_table
from sklearn.base import BaseEstimator
from sklearn.metrics import f1_score

from sklearn_hypo import (
    CascadeAnnotator,
    EmbeddingAnnotator,
    LLMAnnotator,
    MajorityAnnotator,
    TextEmbedder,
)
from sklearn_hypo._annotation._cells import make_twin
from sklearn_hypo._embedding._minilm import has_minilm
from sklearn_hypo._hypotheses._hypothesis import as_hypotheses
from sklearn_hypo.datasets import make_concept_texts

N_TEXTS = 2000
ERROR, DEAR_ERRORS = 0.10, (0.02, 0.0)
MAX_SHARE = 0.3

NOTES = """
Each concept is in 15 % of the texts. Cheap annotators err in 10 % of the cells, in both
directions alike, the dear one in 2 %; "to a perfect one" is the same with a dear
annotator without errors. "Asked" is the share of cells that the dear annotator was
asked about, 2 % of the confident cells for the check included; `max_share` is 0.3
throughout. F1 is that of all cells, against the truth. "Differ" is how often the dear
one disagreed in the checked cells, with the upper bound (Clopper-Pearson, 95 %,
one-sided) in brackets: an estimate of the next column, how often it would have in all
cells without doubt.

**What decides is whether doubt is informative.** Three voters that err independently of
each other are of one mind, and wrong, in one cell of a thousand: 27 % of the cells are
asked, and nothing is lost. Two share errors in one cell of a hundred; as there are more
texts without a concept than with it, these are one in fifteen of the yeses that they
agree on, and beside a perfect annotator that shows. A score serves as far as it knows
where it errs. Errors that no score and no second voter knows of stay, but for the share
that was asked; voters that make the same errors are worth no more than one of them. All
of that shows in "differ", which needs no truth: where it is high, the cascade is not to
be trusted. The dear one's own errors, 2 % here, are part of it.

A dear annotator that errs itself can be surpassed: its errors do not matter where cheap
ones agree and it is not asked.

Whether models err independently is not for this page to say: those that learned from
the same texts often do not. MiniLM's score is a real one, calibrated on where the
concepts were planted, with statements such as "is about gratitude".

**Calls.** A cell is a call with layout="single". With layout="stacked" a call asks
about one text and several hypotheses, and of ten hypotheses nearly every text has a
doubtful one: the calls hardly become fewer, what is sent somewhat.
"""


def main():
    """Run every cascade on the same texts; print, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few texts, no page")
    options = parser.parse_args()
    world = World(300 if options.quick else N_TEXTS)
    rows = merge_rows(*(measure_all(world, error) for error in DEAR_ERRORS))
    tables = [markdown_table(rows), "## Calls", markdown_table(count_calls(world))]
    print("\n\n".join(tables))
    if not options.quick:
        write_table(
            "cascade", "Cascade", command_line(), "\n\n".join(tables), notes=NOTES
        )


class World:
    """Texts, concepts, and where the concepts are."""

    def __init__(self, n_texts):
        data = make_concept_texts(n_texts, n_concepts=10, random_state=0)
        texts, places = np.unique(data.data.astype(str), return_index=True)
        self.texts = texts.astype(object)
        self.truth = data.truth[places].astype(float)
        self.statements = [f"is about {name}" for name in data.concept_names]
        self._rows = {text: i for i, text in enumerate(self.texts)}
        self._columns = {name: j for j, name in enumerate(self.statements)}

    def holds(self, text, statement):
        """Return whether a concept is in a text."""
        return bool(self.truth[self._rows[text], self._columns[statement]])


def draw(*key):
    """Return a number from 0 to 1 that depends on the key alone."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return int.from_bytes(digest[:7]) / 256**7


# Annotators ---------------------------------------------------------------------------


def make_oracle(world, error, seed, *, shared=0.0, layout="single"):
    """Return an annotator that errs in a share of the cells.

    `shared` is the part of its errors that all oracles have in common.
    """

    def answer(text, statement):
        errs = draw("all", text, statement) < error * shared
        errs |= draw(seed, text, statement) < error * (1 - shared)
        return world.holds(text, statement) != errs

    def model(prompt):
        model.n_characters += len(prompt)
        question = json.loads(prompt.rpartition("\n\n")[2])
        text = question["text"]
        if "property" in question:
            return json.dumps({"answer": answer(text, question["property"])})
        properties = question["properties"].items()
        return json.dumps({name: answer(text, each) for name, each in properties})

    model.n_characters = 0
    return LLMAnnotator(model, layout=layout, cache=None)


class ScoredOracle(BaseEstimator):
    """Scores cells from -1 to 1, by the kind of its doubt.

    Parameters
    ----------
    world : World
    doubt : {"knows", "noise", "ignorant"}
        "knows": it errs in half of the fifth of the cells with the smallest scores.
        "noise": the score is the truth and normal noise. "ignorant": errors are
        anywhere.
    """

    def __init__(self, world, doubt):
        self.world = world
        self.doubt = doubt

    def __sklearn_clone__(self):
        return type(self)(self.world, self.doubt)

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        """Take over the hypotheses."""
        self.statements_ = [h.statement for h in hypotheses]
        return self

    def decision_function(self, texts, where=None):
        """Return the scores."""
        return np.array([[self._score(t, s) for s in self.statements_] for t in texts])

    def _score(self, text, statement):
        sign = 1 if self.world.holds(text, statement) else -1
        size, luck = draw("size", text, statement), draw("luck", text, statement)
        if self.doubt == "noise":
            # P(noise < -1) is 10 %
            normal = np.sqrt(-2 * np.log(1 - size)) * np.cos(2 * np.pi * luck)
            return sign + normal * 0.78
        errs = luck < ERROR if self.doubt == "ignorant" else size < 0.2 and luck < 0.5
        return (-sign if errs else sign) * size

    def annotate(self, texts):
        """Say yes where the score is not negative."""
        return (self.decision_function(texts) >= 0).astype(float)


def list_annotators(world, dear_error):
    """Return annotators by name, the dear one alone first."""
    dear = make_oracle(world, dear_error, "dear")
    cheap = [make_oracle(world, ERROR, seed) for seed in range(3)]
    halves = [make_oracle(world, ERROR, seed, shared=0.5) for seed in range(3)]
    same = [make_oracle(world, ERROR, seed, shared=1.0) for seed in range(3)]

    def cascade(first):
        return CascadeAnnotator(first, dear, max_share=MAX_SHARE)

    found = {
        "dear alone": dear,
        "cheap alone": cheap[0],
        "majority of 3 cheap, independent": MajorityAnnotator(cheap),
        "cascade: 3 cheap, independent": cascade(cheap),
        "cascade: 2 cheap, independent": cascade(cheap[:2]),
        "cascade: 3 cheap, half of the errors shared": cascade(halves),
        "cascade: 3 cheap, all errors shared": cascade(same),
        "cascade: 1 score that knows where it errs": cascade(
            ScoredOracle(world, "knows")
        ),
        "cascade: 1 score, truth and normal noise": cascade(
            ScoredOracle(world, "noise")
        ),
        "cascade: 1 score that does not know": cascade(ScoredOracle(world, "ignorant")),
    }
    if has_minilm():
        embedding = EmbeddingAnnotator(TextEmbedder("minilm", device="cpu"))
        found["`EmbeddingAnnotator`, MiniLM"] = embedding
        found["cascade: MiniLM's score"] = cascade(embedding)
    return found


# Figures ------------------------------------------------------------------------------


def measure(world, name, annotator):
    """Annotate all texts; return a row of the table."""
    annotator = make_twin(annotator).fit(
        world.texts,
        as_hypotheses(world.statements, caller="benchmark"),
        world.truth,
        random_state=np.random.RandomState(0),
    )
    marks = annotator.annotate(world.texts)
    row = {"annotator": name, "asked": "", "F1": f1_score(*flatten(world.truth, marks))}
    if not isinstance(annotator, CascadeAnnotator):
        return row
    whole = annotator.checks_.iloc[-1]
    cheap, doubt = annotator._ask_cheap(world.texts, np.ones(marks.shape, dtype=bool))
    confident = doubt == 0
    dear = annotator.dear_.annotate(world.texts)
    return row | {
        "asked": f"{whole['share_asked']:.3f}",
        "differ": f"{whole['rate']:.3f} (< {whole['rate_upper']:.3f})",
        "differ, all": f"{(cheap != dear)[confident].mean():.3f}",
    }


def flatten(truth, marks):
    """Return both as vectors of classes."""
    return truth.ravel().astype(int), np.nan_to_num(marks).ravel().astype(int)


def measure_all(world, dear_error):
    """Return a row for each annotator, with its distance to the dear one alone."""
    annotators = list_annotators(world, dear_error)
    rows = [measure(world, name, each) for name, each in annotators.items()]
    return [row | {"distance": row["F1"] - rows[0]["F1"]} for row in rows]


def merge_rows(rows, with_perfect):
    """Put the distance to a dear annotator without errors beside the other one."""
    return [
        {
            "annotator": row["annotator"],
            "asked": row["asked"],
            "F1": f"{row['F1']:.3f}",
            "to dear alone": f"{row['distance']:+.3f}",
            "to a perfect one": f"{perfect['distance']:+.3f}",
            "differ": row.get("differ", ""),
            "differ, all": row.get("differ, all", ""),
        }
        for row, perfect in zip(rows, with_perfect, strict=True)
    ]


def count_calls(world):
    """Return calls and characters of the dear annotator, alone and in a cascade."""
    rows = []
    for layout in ("single", "stacked"):
        cheap = [make_oracle(world, ERROR, seed, layout=layout) for seed in range(3)]
        whole = None
        for name in ("alone", "in the cascade"):
            dear = make_oracle(world, DEAR_ERRORS[0], "dear", layout=layout)
            annotator = dear if name == "alone" else CascadeAnnotator(cheap, dear)
            annotator.fit(world.texts, world.statements).annotate(world.texts)
            calls = getattr(annotator, "dear_", annotator).usage_["calls"]
            found = {"calls": calls, "characters sent": dear.model.n_characters}
            whole = whole or found
            cells = {k: f"{n:,} ({n / whole[k]:.0%})" for k, n in found.items()}
            rows.append({"layout": layout, "dear annotator": name, **cells})
    return rows


if __name__ == "__main__":
    main()
