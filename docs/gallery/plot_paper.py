"""
A figure and a paragraph for a paper
====================================

What a paper shows of a study: which hypotheses were tested, how large their effects
are, alone and beside the others, and how they were tested.
"""

# %%
# Find and test
# -------------
# Three concepts with known effects are planted into made-up texts. A fitted pipeline
# shows its hypotheses, a report the first card of its page; a click on a heading sorts
# the table.

import matplotlib.pyplot as plt
import pandas as pd

from sklearn_hypo import evaluate_hypotheses, make_hypothesis_pipeline
from sklearn_hypo.datasets import make_concept_texts

data = make_concept_texts(900, n_concepts=3, effects=[2, -2, 1], random_state=0)
texts, stars = data.data, pd.Series(data.target, name="stars")
pipe = make_hypothesis_pipeline("lsa", n_select=4, n_fits=1, random_state=0)
pipe.fit(texts[:600], stars[:600])

# %%

report = evaluate_hypotheses(pipe, texts[600:], stars[600:])
report

# %%
# The figure
# ----------
# Statements stand in full. Thick lines are 95 % intervals of one hypothesis, thin ones
# hold for all of them together; points are filled where an effect is significant after
# correction. This one fits a column of 8.5 cm; ``width=17.4`` fits two.

from sklearn_hypo import ReportDisplay

display = ReportDisplay.from_report(report, width=8.5)
# for the paper: display.figure_.savefig("report.pdf")

# %%
# The paragraph
# -------------
# It says what the report knows. Where the texts come from, and why they were split as
# they were, is for the authors to add.

import textwrap

print(textwrap.fill(report.methods_text(references=False), 88))
plt.show()
