"""Beside scikit-learn's dictionary learning with orthogonal matching pursuit."""

import statistics
import time
import warnings

from _common import append_to_ledger
from _sae_data import load_split
from _sae_fits import top_r2
from _sae_packages import Fitted, ours, warm_up
from _sae_setup import Configuration, K, Result
from sklearn.decomposition import MiniBatchDictionaryLearning, sparse_encode
from sklearn.exceptions import ConvergenceWarning

ATOMS, DICTIONARY_ALPHA = 256, 0.15


def dictionary(options):
    """Compare with dictionary learning and orthogonal matching pursuit."""
    atoms = 64 if options.quick else ATOMS
    configuration = Configuration("tweets", atoms, None, 5, 20)
    split, result = load_split("tweets", options), Result()
    warm_up()
    mine = [ours(configuration, split, seed) for seed in range(options.seeds)]
    found = [_with_transform(fitted, split) for fitted in mine]
    other, n_steps, n_epochs, n_lasso = _dictionary(atoms, split, options)
    middle = {name: statistics.median(f[name] for f in found) for name in found[0]}
    rows = [
        {"package": "scikit-learn, one seed", "seeds": 1} | other,
        {"package": "ours, median", "seeds": options.seeds} | middle,
    ]
    result.table(f"Dictionary learning: tweets, {atoms} atoms, {K} non-zeros", rows)
    for step in ("fit", "transform"):
        times = other[f"{step}, s"] / middle[f"{step}, s"]
        result.faster(f"{step} against MiniBatchDictionaryLearning", times, 5, 20)
    name = f"R² of 20, {split.scored_rows}"
    result.figure(
        "top-20 R² beside MiniBatchDictionaryLearning",
        f"{middle[name]:.3f} and {other[name]:.3f}",
        "-",
        "no worse",
        floor_met=None,
        aim_met=middle[name] >= other[name],
    )
    if split.scored_rows == "holdout":
        described = {"part": "dictionary", "k": K, "atoms": atoms}
        scores = {"ours": middle[name], "scikit-learn": other[name]}
        append_to_ledger("sae", described | {"seeds": options.seeds}, scores)
    result.note(
        f"""`MiniBatchDictionaryLearning({atoms}, alpha={DICTIONARY_ALPHA},
        transform_algorithm="omp", transform_n_nonzero_coefs={K}, random_state=0)` on
        the embeddings less their mean, else with its defaults: it stopped by itself
        after {n_steps} steps of 256 rows ({n_epochs} passes begun). Its fit codes by
        the lasso alone, whose default alpha=1 makes every code of a unit row zero;
        {DICTIONARY_ALPHA} leaves {n_lasso:.1f} non-zeros per row after the fit, about
        as many as its transform has. Transform is of the {len(split.train):,} training
        rows, into dense arrays; its codes have either sign. Explained variance is of
        validation rows around the training mean."""
    )
    return result


def _with_transform(fitted, split):
    """Add the time of the transform, and what the codes are worth."""
    start = time.perf_counter()
    codes = fitted.encode(split.train)
    seconds = time.perf_counter() - start
    return {
        "fit, s": fitted.seconds,
        "transform, s": seconds,
        "explained variance": 1 - fitted.error(split),
        f"R² of 20, {split.scored_rows}": top_r2(
            codes, fitted.encode(split.scored), split
        ),
    }


def _dictionary(atoms, split, options):
    center = split.train.mean(axis=0)
    model = MiniBatchDictionaryLearning(
        atoms,
        alpha=DICTIONARY_ALPHA,
        transform_algorithm="omp",
        transform_n_nonzero_coefs=K,
        random_state=0,
        max_iter=1 if options.quick else 1000,
    )
    rows = split.train - center
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        model.fit(rows)
        seconds = time.perf_counter() - start
    few = sparse_encode(
        rows[:500],
        model.components_,
        algorithm="lasso_lars",
        alpha=DICTIONARY_ALPHA,
    )
    fitted = Fitted(
        seconds,
        lambda X: model.transform(X - center),
        lambda a: a @ model.components_ + center,
        model.components_,
        "",
    )
    n_lasso = float((few != 0).sum(axis=1).mean())
    return _with_transform(fitted, split), model.n_steps_, model.n_iter_, n_lasso


PARTS = {"dictionary": dictionary}
