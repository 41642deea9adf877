"""Studies whose truth is known, in thirteen languages: what is found, and how well.

    python benchmarks/languages.py            # two minutes; writes the page of docs/
    python benchmarks/languages.py --quick    # one seed, prints

500 texts of 8 to 14 words, of which three planted words, each in a quarter of the
texts and in the forms that the language gives them, raise the target; they explain 0.56
of its variance. The default pipeline with LSA and ten hypotheses is fitted to these and
scored on 500 others. Scripts without blanks are cut into words by ICU's dictionaries,
and, second, into characters. Needs no data.
"""

from _common import command_line, markdown_table, pin_threads, write_table

pin_threads(1)

import argparse
import statistics
import time
import warnings

import numpy as np
from _language_words import LANGUAGES, find_planted, make_study

from sklearn_hypo import make_hypothesis_pipeline
from sklearn_hypo.exceptions import HypothesisWarning

N_TEXTS, N_SELECT = 500, 10
SEEDS = range(5)
NOTES = """
Mean and standard deviation over {n_seeds} seeds, which draw texts and fits. R2 is of
the hypotheses on 500 texts that the fit did not see; the planted words explain 0.56.
"Found": how many of the three planted words are in some term, in any form, or half of
them at least (what one dictionary takes for a word are two in another). "A hypothesis":
the one that goes best with the target. Nothing was tuned on these texts.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one seed, no page")
    return parser.parse_args()


def run_study(language, tokenizer, seed):
    """Return R2, the planted words that were found, a hypothesis, and seconds."""
    start = time.perf_counter()
    texts, y = make_study(language, 2 * N_TEXTS, np.random.default_rng(seed))
    pipe = make_hypothesis_pipeline(
        "lsa", n_select=N_SELECT, tokenizer=tokenizer, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)  # a neuron without words
        pipe.fit(texts[:N_TEXTS], y[:N_TEXTS])
    table = pipe["hypotheses"].hypotheses_
    best = table.loc[table["association"].abs().idxmax(), "hypothesis"]
    found = find_planted(language, pipe["hypotheses"].terms_["term"])
    score = pipe.score(texts[N_TEXTS:], y[N_TEXTS:])
    return score, len(found), best, time.perf_counter() - start


def main(arguments):
    seeds = SEEDS[:1] if arguments.quick else SEEDS
    rows = []
    for name, language in LANGUAGES.items():
        for tokenizer in ("icu",) if language.blank else ("icu", "characters"):
            runs = [run_study(language, tokenizer, seed) for seed in seeds]
            scores, found, best, seconds = zip(*runs, strict=True)
            spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
            rows.append(
                {
                    "language": name,
                    "cut by": "blanks" if language.blank else tokenizer,
                    "R2": f"{statistics.mean(scores):.2f} ± {spread:.2f}",
                    "found": f"{statistics.mean(found):.1f}",
                    "a hypothesis": best[0][:60],
                    "seconds": f"{statistics.mean(seconds):.1f}",
                }
            )
            print(rows[-1], flush=True)
    table = markdown_table(rows)
    if not arguments.quick:
        write_table(
            "languages",
            "Planted studies in thirteen languages",
            command_line(),
            table,
            NOTES.format(n_seeds=len(seeds)),
        )


if __name__ == "__main__":
    main(parse_arguments())
