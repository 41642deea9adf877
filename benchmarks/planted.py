"""Are known concepts found again? Planted ones, topics of bills, features of tweets.

The whole offline pipeline, with the defaults of make_hypothesis_pipeline, is fitted on
texts of which we know which concepts each has and what they do to the target; the truth
is not shown to it. On texts that were not used in the fit, every concept is then
compared with the hypothesis that comes nearest to it, by F1 against the truth matrix.

    python benchmarks/planted.py              # five to ten minutes
    python benchmarks/planted.py --seeds 1    # a minute
    python benchmarks/planted.py --write      # and docs/benchmarks/planted.md
    python benchmarks/planted.py --seeds 1 --model FOLDER   # another embedding
    python benchmarks/planted.py --settings '{"sae__alpha": 1.0}'

The generated texts need no data; the rest is read from SKLEARN_HYPO_DATA, and left out,
saying so, where it is absent.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

from _common import (
    DATA_VARIABLE,
    command_line,
    markdown_table,
    pin_threads,
    write_table,
)

pin_threads(1)

import numpy as np
import pandas as pd
from _datasets import read_bills, read_election, read_planted
from _discovery import f1_matrix
from joblib import Parallel, delayed
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

from sklearn_hypo import make_hypothesis_pipeline
from sklearn_hypo.datasets import load_tweets, make_concept_texts
from sklearn_hypo.datasets._tweets import tweets_reference_split

N_TEST = 1000  # generated texts that are not used in the fit
N_CONCEPTS = 10
# bills: the standard deviation of the noise, in those of what the topics do
BILLS_NOISE = 0.5


class Case:
    """Texts with a known truth, divided into those to fit on and those to test on.

    Parameters
    ----------
    texts, y, truth : arrays of n rows
        `truth` has one column per concept.
    names : list of str
        The concepts.
    n_fit : int
        The first so many rows are fitted on, the others tested on.
    """

    def __init__(self, texts, y, truth, names, n_fit):
        self.names = names
        self.fit = texts[:n_fit], y[:n_fit], truth[:n_fit]
        self.test = texts[n_fit:], y[n_fit:], truth[n_fit:]


# Data ---------------------------------------------------------------------------------


def folder(*parts):
    """Return a path below the folder of the data, or None where it is absent."""
    root = os.environ.get(DATA_VARIABLE)
    path = Path(root or "").expanduser().joinpath(*parts)
    return path if root and path.exists() else None


def generated(seed, n_fit=2000, **settings):
    """Plant ten concepts into generated sentences."""
    data = make_concept_texts(
        n_fit + N_TEST, n_concepts=N_CONCEPTS, random_state=seed, **settings
    )
    return Case(data.data, data.target, data.truth, data.concept_names, n_fit)


def planted_into_tweets(seed, n_fit):
    """Plant the same concepts into tweets, of the reference training rows only."""
    if folder("tweets", "Tweets.csv") is None:
        return None
    tweets = load_tweets()
    train, _, _ = tweets_reference_split(tweets)
    data = make_concept_texts(
        n_fit + N_TEST,
        n_concepts=N_CONCEPTS,
        base_texts=tweets.data[train],
        random_state=seed,
    )
    return Case(data.data, data.target, data.truth, data.concept_names, n_fit)


def bills(seed):
    """Make a target of the 21 topics of 2,048 bills: random coefficients and noise."""
    if folder("bills", "bills_2048.json") is None:
        return None
    texts, truth, names = read_bills()
    rng = np.random.RandomState(seed)
    signal = truth @ rng.standard_normal(truth.shape[1])
    y = signal + BILLS_NOISE * signal.std() * rng.standard_normal(len(signal))
    fit, test = train_test_split(
        np.arange(len(texts)), test_size=0.5, random_state=seed
    )
    rows = np.concatenate([fit, test])
    return Case(texts[rows], y[rows], truth[rows], names, len(fit))


def election(seed, level):
    """Take the features that a file of true hypotheses names; the seed is not used."""
    if folder("hypobench", "election", f"level{level}") is None:
        return None
    parts = [read_election(level, part) for part in ("train", "test")]
    frame, features = pd.concat(parts, ignore_index=True), read_planted(level)
    truth = [(frame[f.kind] == f.value).to_numpy(int) for f in features]
    return Case(
        frame["text"].to_numpy(object),
        frame["label"].to_numpy(str),
        np.column_stack(truth),
        [f"{feature.kind}: {feature.value}" for feature in features],
        len(parts[0]),
    )


# Recovery -----------------------------------------------------------------------------


def recover(make, seed, settings, model=None):
    """Fit the pipeline on one case and compare what it found with the truth."""
    case = make(seed)
    if case is None:
        return None
    texts, y, _ = case.fit
    new_texts, new_y, new_truth = case.test
    chosen = settings.get("model", model)
    pipe = make_hypothesis_pipeline(
        **({} if chosen is None else {"model": chosen}),
        n_texts=len(texts),
        random_state=seed,
    )
    pipe.set_params(**{k: v for k, v in settings.items() if k != "model"})
    start = time.perf_counter()
    with warnings.catch_warnings():
        # few rows for many neurons: the table shows what comes of it
        warnings.simplefilter("ignore")
        pipe.fit(texts, y)
    seconds = time.perf_counter() - start
    annotations = pipe.transform(new_texts)
    before = list(pipe.named_steps).index("select")
    neurons = pipe[:before].transform(new_texts).to_numpy() > 0
    selected = neurons[:, pipe["select"].get_support()]
    by_hypothesis = f1_matrix(annotations, new_truth)
    best = by_hypothesis.argmax(axis=1)
    return {
        "names": case.names,
        "n_fit": len(texts),
        "n_test": len(new_texts),
        "n_neurons": len(pipe["sae"].components_),
        "k": getattr(pipe["sae"], "k_", pipe["sae"].k),  # as fitted, where "auto"
        "hypotheses": [annotations.columns[i] for i in best],
        "f1": by_hypothesis.max(axis=1),
        "f1_selected": f1_matrix(selected, new_truth).max(axis=1),
        "f1_neurons": f1_matrix(neurons, new_truth).max(axis=1),
        "prevalence": new_truth.mean(axis=0),
        "n_hypotheses": annotations.shape[1],
        "f1_probe": score_probes(pipe["embed"], case),
        "score": pipe.score(new_texts, new_y),
        "ceiling": score_of_truth(case),
        "metric": "AUC" if y.dtype.kind == "U" else "R²",
        "seconds": seconds,
    }


def score_probes(embedder, case):
    """Return the F1 of a classifier of embeddings per concept, trained on the truth."""
    (texts, _, truth), (new_texts, _, new_truth) = case.fit, case.test
    X, new_X = (np.asarray(embedder.transform(t)) for t in (texts, new_texts))
    scores = np.zeros(truth.shape[1])
    pairs = zip(truth.T, new_truth.T, strict=True)
    for column, (labels, new_labels) in enumerate(pairs):
        if 0 < labels.sum() < len(labels):
            probe = LogisticRegression(C=30, class_weight="balanced", max_iter=1000)
            predicted = probe.fit(X, labels).predict(new_X)
            scores[column] = f1_score(new_labels, predicted, zero_division=0)
    return scores


def score_of_truth(case):
    """Return the score of the same final model given the true concepts."""
    (_, y, truth), (_, new_y, new_truth) = case.fit, case.test
    if y.dtype.kind == "U":
        model = LogisticRegression(max_iter=1000).fit(truth, y)
        return roc_auc_score(new_y, model.predict_proba(new_truth)[:, 1])
    return r2_score(new_y, LinearRegression().fit(truth, y).predict(new_truth))


# Tables -------------------------------------------------------------------------------

SIZED = {"model": "lsa", "embed__n_components": 32}
CASES = {
    "generated texts": (generated, {}),
    "generated texts, small embedding": (generated, SIZED),
    "generated texts, one form each": (
        lambda s: generated(s, forms_per_text=1),
        SIZED,
    ),
    "planted into 2,000 tweets": (lambda s: planted_into_tweets(s, 2000), {}),
    "planted into 2,000 tweets, small embedding": (
        lambda s: planted_into_tweets(s, 2000),
        SIZED,
    ),
    "planted into 10,000 tweets": (lambda s: planted_into_tweets(s, 10_000), {}),
    "bills, 21 topics": (bills, {}),
    "election, level 1": (lambda s: election(s, 1), {}),
    "election, level 2": (lambda s: election(s, 2), {}),
}


def spread(values, digits=2):
    """Format mean ± standard deviation over the seeds."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f}"


def summary(name, runs):
    first = runs[0]
    return {
        "texts": name,
        "fitted on": f"{first['n_fit']:,}",
        "tested on": f"{first['n_test']:,}",
        "neurons, k": f"{first['n_neurons']}, {first['k']}",
        "concepts": len(first["names"]),
        "F1 ≥ 0.9": spread([(run["f1"] >= 0.9).sum() for run in runs], 1),
        "F1 ≥ 0.7": spread([(run["f1"] >= 0.7).sum() for run in runs], 1),
        "of probes": spread([(run["f1_probe"] >= 0.7).sum() for run in runs], 1),
        "median F1": spread([np.median(run["f1"]) for run in runs]),
        "of selected neurons": spread([np.median(run["f1_selected"]) for run in runs]),
        "of all neurons": spread([np.median(run["f1_neurons"]) for run in runs]),
        "score": f"{first['metric']} {spread([run['score'] for run in runs])}",
        "of the truth": spread([run["ceiling"] for run in runs]),
        "fit, s": f"{np.median([run['seconds'] for run in runs]):.1f}",
    }


def details(run):
    """Tabulate the hypothesis nearest to each concept."""
    order = np.argsort(-run["f1"], kind="stable")
    return markdown_table(
        [
            {
                "concept": run["names"][i],
                "share of texts": f"{run['prevalence'][i]:.3f}",
                "F1": f"{run['f1'][i]:.2f}",
                "nearest hypothesis": f"`{run['hypotheses'][i]}`",
            }
            for i in order
        ]
    )


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--model", help="see TextEmbedder; the default of the package")
    parser.add_argument("--only", help="cases whose name contains this")
    parser.add_argument(
        "--settings", type=json.loads, default={},
        help="parameters of the steps in place of the defaults, as JSON; no page",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, help="seeds fitted at a time")
    parser.add_argument("--write", action="store_true", help="write the page of docs/")
    return parser.parse_args()


def main(arguments):
    rows, found = [], {}
    for name, (make, settings) in CASES.items():
        if arguments.only and arguments.only not in name:
            continue
        runs = Parallel(arguments.jobs)(
            delayed(recover)(make, seed, settings | arguments.settings, arguments.model)
            for seed in range(arguments.seeds)
        )
        if runs[0] is None:
            print(f"skipped: {name}: its data is not in the folder of {DATA_VARIABLE}")
            continue
        rows.append(summary(name, runs))
        found[name] = runs[0]
        print(markdown_table(rows[-1:]), flush=True)
    tables = markdown_table(rows) + "".join(
        f"\n\n## {name[0].upper()}{name[1:]}, seed 0\n\n{details(run)}"
        for name, run in found.items()
    )
    print(f"\n{tables}")
    if arguments.write and not arguments.settings:
        table, _, rest = tables.partition("\n\n## ")
        write_table(
            "planted",
            "Recovery of known concepts",
            command_line(),
            table,
            f"{NOTES.format(n_seeds=arguments.seeds)}\n\n## {rest}",
        )


NOTES = f"""\
Mean ± standard deviation over {{n_seeds}} seeds, which choose the data (except for
election, whose files are fixed), the split and the pipeline's random numbers. F1 of a
concept is that of the hypothesis nearest to it, annotated on texts that were not used
in the fit, against the truth; the counts are of concepts. "Of probes" is how many
concepts reach 0.7 if the truth of the texts fitted on is known: a logistic regression
of the same embeddings for each (balanced classes, C = 30). "Median F1" is over the
concepts, and the two columns behind it show the same for neurons in place of hypotheses
("active" taken as "has the concept"): where all neurons are far from the concepts, the
autoencoder has not separated them; where the selected ones are, the selection; and
where only the hypotheses are, the wording. "Of the truth" is the score of the same
linear (logistic) model given the true concepts: about the most that hypotheses can
reach.

- Generated texts, and tweets: {N_CONCEPTS} concepts of `make_concept_texts`, each in
  15 % of the texts, said there in two to four of its 16 surface forms, effects of 2 to
  1 on y, noise 1. The tweets are of the reference training rows; one that spoke of a
  concept before counts as not having it. "Small embedding" is an LSA of
  {SIZED["embed__n_components"]} components, everything else as the default; that size
  was chosen on other seeds (10 to 12) of the same generator, among 7 combinations. "One
  form each" has a concept said in a single form per text, so that its forms never meet:
  nothing but the target ties them, and the neurons do not see the target.
- Bills: each has one of 21 topics; y is a sum of the topics with standard normal
  coefficients, and noise of {BILLS_NOISE} of its standard deviation. A topic whose
  coefficient is near the average has nothing to be found by, and 20 hypotheses are
  fewer than 21 topics.
- Election: the concepts are the features that the file of true hypotheses names (level
  1: one kind of feature, 5 values; level 2: three kinds, 14 values). Of its three
  classes of voters only two occur in the rows."""


if __name__ == "__main__":
    main(parse_arguments())
