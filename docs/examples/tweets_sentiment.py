"""Which words tell the sentiment of a tweet? A study of a quantity and of classes.

Needs the tweets (see `sklearn_hypo.datasets.load_tweets`) in the folder named by
SKLEARN_HYPO_DATA, or by ``--data``, and no key:

    python docs/examples/tweets_sentiment.py --report tweets.html

The cells (``# %%``) can be run one by one in an editor that knows them. A minute or two
on one thread; ``--quick`` takes fewer tweets. ``--classes`` asks about three classes
instead of a quantity from -1 to 1.

Hypotheses are found on the training rows of the reference split and tested on its
validation rows. Its holdout rows are for the one test at the very end of a study, which
this is not.
"""

# %% What was asked for
import argparse

import numpy as np
import pandas as pd

from sklearn_hypo import evaluate_hypotheses, make_hypothesis_pipeline
from sklearn_hypo.datasets import load_tweets
from sklearn_hypo.datasets._tweets import tweets_reference_split
from sklearn_hypo.exceptions import DatasetNotFoundError

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--data", help="the folder with the tweets")
parser.add_argument("--report", help="write the report to this HTML file")
parser.add_argument("--classes", action="store_true", help="three classes")
parser.add_argument("--quick", action="store_true", help="use a few tweets only")
options = parser.parse_args()
pd.set_option("display.width", 120, "display.max_colwidth", 48)

# %% Texts and target
try:
    tweets = load_tweets(options.data)
except DatasetNotFoundError as error:
    raise SystemExit(f"{error}") from None

train, validation, _ = tweets_reference_split(tweets)
if options.quick:
    train, validation = train[:1000], validation[:500]
target = tweets.target
if options.classes:
    target = np.array(tweets.target_names, dtype=object)[tweets.target + 1]
print(f"{len(train):,} tweets to find hypotheses, {len(validation):,} to test them")

# %% Find hypotheses
pipe = make_hypothesis_pipeline(n_texts=len(train), n_select=20, random_state=0)
pipe.fit(tweets.data[train], target[train])

# %% Test them. The length of a tweet may matter too: hold it constant
length = pd.DataFrame(
    {"words": [len(text.split()) for text in tweets.data[validation]]}
)
report = evaluate_hypotheses(
    pipe,
    tweets.data[validation],
    target[validation],
    covariates=length,
    n_resamples=99 if options.quick else 499,
)
print(report)

# %% The overall figures with their intervals, and the ceiling of the embeddings
print()
print(report.overall[["name", "value", "lower", "upper"]].round(3).to_string())
print(f"p of the whole, by permutation: {report.permutation_p:.3f}")
if report.covariates is not None:
    print()
    print(report.covariates.round(4).to_string(index=False))

# %% Which hypotheses say the same?
print()
print(f"effective number of hypotheses: {report.redundancy.n_effective:.1f}")
if len(report.redundancy.pairs):
    print(report.redundancy.pairs.round(2).to_string(index=False))

# %% By class: how much likelier is each class where a hypothesis holds?
if report.by_class is not None:
    wide = report.by_class.pivot_table(
        index="hypothesis", columns="class", values="ame", dropna=False
    )
    order = report.table["hypothesis"]
    print()
    print(wide.loc[order].round(3).to_string())

# %% The report: one file, for any browser
if options.report:
    report.to_html(options.report)
    print(f"\nWrote {options.report}")
