"""What the figures of the supervised benchmark mean, in words."""

from _supervised_arms import ALPHAS, BETAS, FIRST_PREFIX, N_SELECT
from _supervised_scores import N_RESAMPLES

LARGEST_CORRELATION = 0.5  # a floor of the tweets' table, and a condition of others

NOTES = f"""\
A floor for R² counts only where the largest correlation is at most
{LARGEST_CORRELATION} and the lexicons are no less faithful. Scored are {{rows}} rows,
which took no part in any fit; alpha and beta were chosen on validation rows, so that
scores of validation rows flatter the arms that choose (the supervised one among
{len(ALPHAS)} values, the appended ridge prediction among {len(BETAS)}).

{{setup}}

The split of the tweets and of the deceptive reviews is the given one; the others are
split at random, 60/20/20, sentences of one review and equal texts kept together.
Smaller sizes are drawn from the training rows, anew by every seed, whole groups at a
time (so that a few rows may be missing). Embeddings are all-MiniLM-L6-v2's. All
autoencoders have prefixes of {FIRST_PREFIX} and M neurons; everything else is the
default of the package. Of M neurons, {N_SELECT} are selected by the lasso path on the
training rows. R² is that of a linear regression on their activations, AUC that of a
logistic regression on their standardized activations (classes against the rest, mean),
fitted on training rows. The settings of `SupervisedSAETransformer` were chosen before,
among about 150 configurations (heads, targets, prefixes, tied encoders, dropout, caps,
decorrelation; a third of them with another implementation), on training and validation
rows of the tweets, with a look at splits of the other sets. Runs that scored the
holdout are in `benchmarks/holdout_ledger.csv`.

For comparison, on the tweets' holdout: dense ridge has an R² of 0.468, and 20 neurons
of hypothesaes 2.0.1 have 0.328 to 0.339."""

SCORES = f"""
Mean ± standard deviation over the seeds, which choose the subsample and the
autoencoder. "2 M": an unsupervised autoencoder with twice the neurons. "Ridge
appended": an unsupervised one on the embedding and the prediction of a ridge
regression, out of fold on training rows, as further columns (one for a quantity, one
per class but one) of beta² times the predicted share of the target's variance, where
the embedding's total variance is 1. PLS: the {N_SELECT} scores of a partial least
squares regression, each of which uses all dimensions: nothing to put into words.
Ceiling: ridge or logistic regression on all dimensions of the embedding, penalty by
cross-validation. Floor: {N_SELECT} neurons of the unsupervised one at random.
alpha = 0 is the unsupervised autoencoder itself: where it was chosen, supervision did
not help.
"""

DIFFERENCES = f"""
Same seed, same training rows, same scored rows. "Over seeds" is a t interval over the
seeds: what another subsample and another fit would change (with all training rows:
another fit alone), on the same scored rows. "Over rows" is a bootstrap, {N_RESAMPLES:,}
resamples of the scored rows, whole groups, of the mean score over the seeds: what other
texts would change, for the same fits. "Better" and "worse" need both intervals on one
side of 0. They are not corrected for the number of comparisons.
"""

LEXICONS = f"""
Each of the {N_SELECT} neurons is described by at most 10 terms, by the default of
`HypothesisExtractor`, whose search does not see the target; the linear model is fitted
on training rows and scored on the scored rows. Significant: after Bonferroni at 0.1, in
the joint regression on the scored rows. Lexicon F1: median agreement of lexicon and
neuron on training rows that the search did not use. Explained variance, redundancy
(mean size of the correlation between two of the {N_SELECT}) and the largest correlation
of one of the M neurons with y (or with a class) are of the scored rows. Explained
variance is that of the embedding, without the column appended.
"""

SWEEP = """
On validation rows, mean over the seeds; the score is that of the 20 neurons.
"""

COST = f"""
The {N_SELECT} neurons are selected, and the linear model fitted, on the rows that the
autoencoder was trained on or on others that it has not seen: the validation rows where
the holdout is scored; else one half of the validation rows, the other being scored, and
the mean over both turns. Unseen rows are fewer, which costs as well. The gain is that
of selecting on unseen rows with the linear model fitted on training rows either way.
"""
