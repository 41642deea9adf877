"""``sklearn-hypo demo``: the whole method on texts that are always there."""

import time

import numpy as np

from .._pipeline import make_hypothesis_pipeline
from .._report._provenance import list_versions, record_settings
from ..datasets import load_docstrings
from ._output import check_output_folder, write_results
from ._run import Split, list_overall_figures, show_in_any_case

_HOLDOUT = 0.25


def demo(options, say, note):
    """Ask which concepts in a docstring predict how many parameters there are.

    Parameters are as in `run`.
    """
    begin = time.perf_counter()
    check_output_folder(options.output)
    say(
        "Which concepts in the description of a function or class predict how many "
        "parameters it takes?\nReading the docstrings of numpy, scipy, pandas, "
        "scikit-learn and statsmodels ..."
    )
    docstrings = load_docstrings()
    target = np.log1p(docstrings.target)
    split = Split.of(
        docstrings.data,
        target,
        docstrings.groups,
        share=_HOLDOUT,
        seed=options.seed,
    )
    say(
        f"{len(split.train):,} descriptions to learn from, {len(split.holdout):,} held "
        "out for the test. The target is log(1 + number of parameters).\n"
    )
    pipe = make_hypothesis_pipeline(
        n_texts=len(split.train), task="regression", random_state=options.seed
    )
    split.fit(pipe)
    report = split.evaluate(pipe)
    metrics = {"holdout": list_overall_figures(report), "versions": list_versions()}
    settings = {"dataset": "load_docstrings()", "seed": options.seed}
    with show_in_any_case(say, str(report)):
        paths = write_results(
            options.output, report, metrics, settings | record_settings(pipe)
        )
    say(
        f"\nHoldout R² of the hypotheses: {report.r2_out_of_sample:.3f}, after "
        f"{time.perf_counter() - begin:.0f} seconds.\nThe table, with the hypotheses "
        f"in full, is in {paths[0]}, the report in {paths[-1]}"
    )
