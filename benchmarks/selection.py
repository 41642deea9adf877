"""NeuronSelector against the selection of hypothesaes 2.0.1.

Both get the same 16,448 x 1,024 activations (LSA of the tweets' training rows, one
autoencoder) and the sentiment, and are to name 20 neurons. Shown are whether they name
the same ones, and how long each takes, side by side in one process on one and on two
threads.

    python benchmarks/selection.py            # prints
    python benchmarks/selection.py --write    # and writes docs/benchmarks/selection.md

Needs the tweets in SKLEARN_HYPO_DATA and ``pip install hypothesaes==2.0.1``. The
activations are computed once, in a minute or so, and kept in benchmarks/cache. Run it
on an idle machine: two threads that share a core with others wait for each other.
"""

import argparse
import contextlib
import importlib.util
import io
import os
import sys
import warnings

from _common import (
    CACHE,
    command_line,
    load_tweets,
    markdown_table,
    median_times,
    pin_threads,
    skip,
    write_table,
)

N_NEURONS, K, N_SELECT, N_TOP = 1024, 8, 20, 100


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=7, help="timed runs of each")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--write", action="store_true", help="write the page of docs/")
    return parser.parse_args()


def tweet_activations():
    """Return the activations of the training rows and their sentiment."""
    tweets = load_tweets()
    train, _, _ = tweets_reference_split(tweets)
    file = CACHE / f"selection_{N_NEURONS}_{K}.npz"
    if not file.exists():
        embeddings = TextEmbedder("lsa", random_state=0).fit_transform(
            tweets.data[train]
        )
        sae = SparseAutoencoderTransformer(
            N_NEURONS, K, max_epochs=10, output="sparse", random_state=0
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        sparse.save_npz(file, sparse.csr_array(sae.fit_transform(embeddings)))
    activations = sparse.load_npz(file)
    return activations.toarray(), tweets.target[train].astype(np.float64)


def ours(activations, y, method, n_select=N_SELECT):
    """Select with NeuronSelector; return the neurons, best first."""
    selector = NeuronSelector(n_select, method=method, task="regression", n_top=N_TOP)
    selector.fit(activations, y)
    return np.argsort(selector.ranking_)[: selector.get_support().sum()]


def theirs(activations, y, method, n_select=N_SELECT):
    """Select with hypothesaes; return the neurons and what it printed."""
    name = {"separation": "separation_score"}.get(method, method)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # correlations of constant columns
        neurons, scores = select_neurons(activations, y, n_select, method=name)
    return np.array(neurons), np.array(scores), said.getvalue().strip()


def agreement(activations, y):
    """Compare the neurons, where hypothesaes' definition is right."""
    rows = []
    support = (activations > 0).sum(axis=0)
    comparable = (support >= N_TOP) & (support < len(activations))
    cases = [("correlation", n, "all", activations) for n in (10, 20, 50)]
    cases += [("lasso", n, "all", activations) for n in (10, 20, 50)]
    cases += [
        ("separation", n, f"{comparable.sum()} with enough support", part)
        for n in (10, 20, 50)
        for part in [activations[:, comparable]]
    ]
    cases += [("separation", 20, "all", activations)]
    for method, n_select, neurons, part in cases:
        mine = ours(part, y, method, n_select)
        other, scores, said = theirs(part, y, method, n_select)
        rows.append(
            {
                "method": method,
                "n_select": n_select,
                "neurons": neurons,
                "in both": len(set(mine) & set(other)),
                "same order": "yes" if list(mine) == list(other) else "no",
                "hypothesaes found": int((scores != 0).sum()),
                "it says": said or "-",
            }
        )
    return rows, support


def timing(activations, y, threads, repeat):
    """Time both, in turn, for each number of threads."""
    rows = []
    as_sparse = sparse.csr_array(activations)
    for n_threads in threads:
        with threadpool_limits(n_threads):
            for method in ("correlation", "lasso", "separation"):
                seconds = median_times(
                    {
                        "hypothesaes": lambda m=method: theirs(activations, y, m),
                        "dense": lambda m=method: ours(activations, y, m),
                        "sparse": lambda m=method: ours(as_sparse, y, m),
                    },
                    repeat,
                )
                upstream = seconds["hypothesaes"]
                rows.append(
                    {
                        "threads": n_threads,
                        "method": method,
                        "hypothesaes, s": upstream,
                        "NeuronSelector, s": seconds["dense"],
                        "times faster": f"{upstream / seconds['dense']:.1f}",
                        "on CSR, s": seconds["sparse"],
                        "times faster on CSR": f"{upstream / seconds['sparse']:.1f}",
                    }
                )
                print(markdown_table(rows[-1:]).splitlines()[-1], flush=True)
    return rows


def main(arguments):
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    activations, y = tweet_activations()
    same, support = agreement(activations, y)
    tables = "Neurons in common\n\n" + markdown_table(same)
    print(tables, flush=True)
    times = timing(activations, y, arguments.threads, arguments.repeat)
    tables += "\n\nSeconds (medians)\n\n" + markdown_table(times)
    print("\n" + tables)
    notes = f"""
Activations: {activations.shape[0]:,} x {activations.shape[1]:,}, float32, from the LSA
of the tweets' training rows; {(support == 0).sum()} neurons are dead and
{((support > 0) & (support < N_TOP)).sum()} are active on fewer than {N_TOP} rows.
Target: sentiment as -1, 0, 1.

"Same" means the same definition. For separation, hypothesaes fills the {N_TOP} "top"
rows of a rarer neuron with rows that do not activate it, so the two are compared on the
neurons with enough support; the last row shows what its definition selects on all.
For lasso, hypothesaes searches for a penalty in at most 20 steps and says so when it
does not end at the number asked for; NeuronSelector follows the path to it.

Times are medians of {arguments.repeat} runs, both packages in turn in one process, on
the same dense array (and NeuronSelector on a CSR array besides), each the whole call
with its checks of the input. The load average of the machine was {load:.1f} when the
script started: below 0.3 it is idle, and on two cores from 2 on the times, those of two
threads above all, say little.
"""
    if arguments.write:
        write_table(
            "selection",
            "Selecting neurons: against hypothesaes 2.0.1",
            command_line(),
            tables,
            notes,
        )


if __name__ == "__main__":
    ARGUMENTS = parse_arguments()
    if importlib.util.find_spec("hypothesaes") is None:
        skip("hypothesaes is not installed; run: pip install hypothesaes==2.0.1")
    pin_threads(max(ARGUMENTS.threads))
    import numpy as np
    from hypothesaes.select_neurons import select_neurons
    from scipy import sparse
    from threadpoolctl import threadpool_limits

    from sklearn_hypo import (
        NeuronSelector,
        SparseAutoencoderTransformer,
        TextEmbedder,
    )
    from sklearn_hypo.datasets._tweets import tweets_reference_split

    sys.exit(main(ARGUMENTS))
