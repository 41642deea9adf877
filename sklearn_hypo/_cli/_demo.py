"""``sklearn-hypo demo``: the whole method on texts that are always there."""

import re
import time
import warnings

import numpy as np

from .._data_preparation._near_duplicates import find_near_duplicates
from .._pipeline import make_hypothesis_pipeline
from .._report._provenance import list_versions, record_settings
from ..datasets import load_docstrings
from ._output import check_output_folder, write_results
from ._run import list_overall_figures, show_in_any_case
from ._split import Split

_SIDES = (("numpy", "scipy"), ("sklearn", "statsmodels"))

# The names of the packages, which would give the answer away, and what follows them, as
# in "scipy.stats".
_NAMES = re.compile(
    r"\b(numpy|np|scipy|scikit-?learn|sklearn|statsmodels)\b(\.\w+)*", re.IGNORECASE
)

# Half, so that effects of hypotheses that overlap can be told apart.
_HOLDOUT = 0.5


def demo(options, say, note):
    """Ask which concepts in a docstring tell packages of models from numerical ones.

    Parameters are as in `run`.
    """
    begin = time.perf_counter()
    check_output_folder(options.output)
    say(
        "What tells the functions and classes of scikit-learn and statsmodels from "
        "those of NumPy and\nSciPy? Reading their docstrings, without these names ..."
    )
    texts, package, groups = _load_texts()
    split = Split.of(
        texts, package, groups, share=_HOLDOUT, seed=options.seed, name="package"
    )
    say(
        f"{len(split.train):,} descriptions to learn from, {len(split.holdout):,} held "
        "out for the test.\n"
    )
    pipe = make_hypothesis_pipeline(
        n_texts=len(split.train), task="classification", random_state=options.seed
    )
    with warnings.catch_warnings():
        # a hundredth of the descriptions; there is nothing to be decided here
        warnings.filterwarnings("ignore", "TextEmbedder.* longer than what the model")
        split.fit(pipe)
        report = split.evaluate(pipe)
    metrics = {"holdout": list_overall_figures(report), "versions": list_versions()}
    settings = {"dataset": "load_docstrings", "seed": options.seed}
    with show_in_any_case(say, str(report)):
        paths = write_results(
            options.output, report, metrics, settings | record_settings(pipe)
        )
    say(
        f"\nHoldout ROC AUC of the hypotheses: {report.roc_auc_out_of_sample:.3f}, "
        f"after {time.perf_counter() - begin:.0f} seconds.\nThe table, with the "
        f"hypotheses in full, is in {paths[0]}, the report in {paths[-1]}"
    )


def _load_texts():
    """Return the texts without the names of packages, the side of each, and groups.

    Of descriptions that differ in a word ("a Chebyshev series", "a Hermite series")
    there is one: others would be no independent evidence.
    """
    docstrings = load_docstrings(packages=sum(_SIDES, ()))
    texts = np.array([_NAMES.sub("", text) for text in docstrings.data], dtype=object)
    sides = {package: "/".join(side) for side in _SIDES for package in side}
    side = np.array([sides[package] for package in docstrings.package])
    _, kept = np.unique(find_near_duplicates(texts), return_index=True)
    return texts[kept], side[kept], np.asarray(docstrings.groups)[kept]
