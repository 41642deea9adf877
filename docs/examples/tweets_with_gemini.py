"""What in these tweets predicts their sentiment? A study with Gemini.

Needs a key in GOOGLE_API_KEY or GEMINI_API_KEY, and nothing else:

    python docs/examples/tweets_with_gemini.py

The cells (``# %%``) can be run one by one in an editor that knows them. The tweets are
used if they are there (see `sklearn_hypo.datasets.load_tweets`); if not, generated
texts with planted concepts take their place. With the default of 3,000 texts
the study costs less than a dollar. N_TEXTS in the environment changes the number.
"""

# %% Texts and target
import os

from sklearn.model_selection import train_test_split

from sklearn_hypo import (
    LLMAnnotator,
    LLMInterpreter,
    evaluate_hypotheses,
    make_hypothesis_pipeline,
)
from sklearn_hypo.datasets import load_tweets, make_concept_texts
from sklearn_hypo.exceptions import BudgetError, DatasetNotFoundError

N_TEXTS = int(os.environ.get("N_TEXTS", "3000"))

try:
    data = load_tweets()
    about = "The texts are tweets."
except DatasetNotFoundError:
    data = make_concept_texts(N_TEXTS, random_state=0)
    about = "The texts are short messages."

texts, holdout_texts, y, y_holdout = train_test_split(
    data.data[:N_TEXTS], data.target[:N_TEXTS], test_size=1 / 3, random_state=0
)

# %% The pipeline: a stronger model writes, a cheap one that does not reason annotates
annotator = LLMAnnotator("gemini:gemini-2.5-flash-lite", max_cost=2.0)
interpreter = LLMInterpreter(
    "gemini:gemini-3.8-flash", n_candidates=3, task_instructions=about, max_cost=1.0
)
pipe = make_hypothesis_pipeline(
    n_texts=len(texts),
    n_select=10,
    interpreter=interpreter,
    annotator=annotator,
    random_state=0,
)

# %% What will it cost? No call is made for this.
writing = interpreter.estimate_cost(texts, n_neurons=10, annotator=annotator)
reading = annotator.estimate_cost(texts, hypotheses=10)
testing = annotator.estimate_cost(holdout_texts, hypotheses=10)
estimate = [sum(column) for column in zip(writing, reading, testing, strict=True)]
print(f"about {estimate[0]:,} calls, ${estimate[-1]:.2f}")

# %% Find the hypotheses. Every answer is kept on disk: run this again, and it is free.
try:
    pipe.fit(texts, y)
except BudgetError as error:
    raise SystemExit(f"{error}") from None

print(pipe[-1].hypotheses_.round(2).to_string())

# %% Test them on texts that had no part in finding them
report = evaluate_hypotheses(pipe, holdout_texts, y_holdout)
print(report)

# %% What it did cost
print(report.usage.to_string())
