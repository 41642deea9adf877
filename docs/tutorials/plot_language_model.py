"""
A study with a language model on a local server
===============================================

A dictionary can only say which *words* texts have in common. A language model can say
what they have in common when the words differ, and can judge of a new text whether it
has that. This tutorial has one write the hypotheses and judge the texts, behind a
server on this machine, so that no text leaves it and nothing is paid. It shows what to
look at before the run, during it and after it: calls, answers that are missing, and
whether the judge is right.

Read :doc:`plot_first_study` before: the split, the test and its table are the same.
"""

# %%
# A server to try it with
# -----------------------
#
# In a study of your own, this is Ollama, llama.cpp, vLLM or LM Studio with a model of
# some seven billion parameters or more, and the next cell is not needed. Here, a few
# lines stand in for it. They speak the same protocol (OpenAI's), know four
# statements, and are wrong in one of twenty answers, as models are. So this page
# shows how a study is run, not how good any model is.

import json
import re
import tempfile
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KNOWN = {
    "thanks somebody": r"thank|grateful|appreciat|owe (you|big)|kind of you|debt",
    "asks for money back": r"money back|refund|reimburse|charged|payment|dollars",
    "complains about a journey": r"late|delay|airport|flight|train|stuck|bus",
    "speaks of the weather": r"rain|snow|sunny|storm|wind|freezing|cold|hot",
}


def is_true(statement, text):
    """Judge a text: right, but for one answer in twenty."""
    right = re.search(KNOWN[statement], text.lower()) is not None
    return right != (zlib.crc32((statement + text).encode()) % 20 == 0)


def answer(question):
    """Judge statements of a text, or write one that tells two lists of texts apart."""
    if question.startswith("{"):
        asked = json.loads(question)
        properties = asked["properties"].items()
        return {name: is_true(each, asked["text"]) for name, each in properties}
    lists = [line for line in question.splitlines() if line.startswith("[")]
    active, others = map(json.loads, lists)

    def tells_apart(statement):
        return sum(is_true(statement, text) for text in active) - sum(
            is_true(statement, text) for text in others
        )

    return {"statement": max(KNOWN, key=tells_apart)}


class StandIn(BaseHTTPRequestHandler):
    """Chat Completions of OpenAI's protocol."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Answer the last message."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = json.dumps(answer(body["messages"][-1]["content"]))
        choice = {"message": {"role": "assistant", "content": text}}
        choice |= {"index": 0, "finish_reason": "stop"}
        reply = {"id": "1", "object": "chat.completion", "created": 0}
        reply |= {"model": body["model"], "choices": [choice]}
        sent = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *arguments):
        """Say nothing."""


server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
threading.Thread(target=server.serve_forever, daemon=True).start()

# %%
# Name the model
# --------------
#
# Servers that are known by name need no more than ``"ollama:qwen3:8b"`` or
# ``"vllm:Qwen/Qwen3-8B"``. Any other is named by its address.

from sklearn_hypo import OpenAIModel

model = OpenAIModel(
    "stand-in", base_url=f"http://127.0.0.1:{server.server_port}/v1", price=(0, 0, 0)
)
model

# %%
# Texts, and a split
# ------------------
#
# As in the first study, with fewer texts.

from sklearn.model_selection import train_test_split

from sklearn_hypo.datasets import make_concept_texts

messages = make_concept_texts(
    500,
    concepts=["gratitude", "refund", "travel delays", "weather"],
    effects=[2, -2, -1, 0],
    random_state=0,
)
texts, test_texts, y, test_y, _, truth = train_test_split(
    messages.data, messages.target, messages.truth, test_size=0.4, random_state=0
)

# %%
# The pipeline, with two parts exchanged
# --------------------------------------
#
# The *interpreter* writes a statement for each selected neuron, from texts that
# activate it and texts that do not. It never sees the target. The *annotator* is then
# given the statements alone, and judges each text.
#
# - ``task_instructions`` tells the writer what the texts are. It helps.
# - ``layout="stacked"`` asks about all statements of a text in one call. Asked one by
#   one, it would take as many calls as there are statements.
# - ``cache=`` is where answers are kept. Without it, they go to a folder of the user.

from sklearn_hypo import LLMAnnotator, LLMInterpreter, make_hypothesis_pipeline

cache = tempfile.mkdtemp()
pipe = make_hypothesis_pipeline(
    "lsa",
    n_select=6,
    supervised=False,
    n_fits=1,
    style=False,
    interpreter=LLMInterpreter(
        model,
        n_candidates=1,
        n_scoring_examples=40,
        task_instructions="The texts are messages of customers.",
        cache=cache,
    ),
    annotator=LLMAnnotator(model, layout="stacked", cache=cache),
    random_state=0,
)

# %%
# What will it take?
# ------------------
#
# Before anybody is asked: the calls, the tokens, the hours, and whether the texts
# predict the target at all. With a provider, the dollars are what to look at; with a
# server of your own, the hours. A small model on one machine takes a second or two
# for a call.

from sklearn_hypo import estimate_study

print(estimate_study(pipe, texts, y, holdout=test_texts, random_state=0))

# %%
# Find hypotheses
# ---------------

import pandas as pd

pd.set_option("display.width", 100, "display.max_colwidth", 40)
pipe.fit(texts, y)
found = pipe[-1].hypotheses_
found[["neuron", "hypothesis", "f1", "precision", "recall", "prevalence"]].round(2)

# %%
# Six neurons came to two statements: three each were about the same, the model wrote
# the same sentence for them, and so they are one hypothesis.
#
# ``f1`` says how well the statement, as it is judged by the annotator, agrees with
# the neuron. It was measured on texts of which half are active, and which the writer
# did not see.
#
# What was asked, and what was not answered
# -----------------------------------------
#
# ``usage_`` has the account of every role: some questions were asked twice, and
# answered once, the second time by the cache. ``annotation_errors_`` lists the cells
# without an answer: refused, blocked, cut, or not to be understood. They stay missing
# and are never taken for a no. Look here first when a run was not what you expected.

usage = pipe[-1].usage_
print(usage.T)

# %%

len(pipe[-1].annotator_.annotation_errors_)

# %%
# Test them
# ---------
#
# The annotator judges the second part, and the test is that of the first study.

from sklearn_hypo import evaluate_hypotheses

report = evaluate_hypotheses(pipe, test_texts, test_y)
print(report)

# %%
# Thanks and money back are found. That delays were planted, too, with half of the
# effect, this model did not see.

# %%
# Nobody is asked twice
# ---------------------
#
# Every answer was written to the cache the moment it came. A run that was interrupted
# goes on where it ended, and the same study made again asks nothing. ``usage`` adds up
# all that was asked since the fit; of calls whose tokens the server did not tell, as
# here, the cost is uncertain.

again = evaluate_hypotheses(pipe, test_texts, test_y)
print("further calls:", again.usage["calls"].sum() - report.usage["calls"].sum())
print(again.usage.T)

# %%
# Is the judge right?
# -------------------
#
# An annotation is a measurement, and its errors go into every estimate. So let people
# read some of the texts. :func:`~sklearn_hypo.labelling_sheet` draws them at random
# and shows neither the model's answers nor the target. Here the truth of the
# generated texts takes the place of the people.

from sklearn_hypo import correct_for_annotation_error, labelling_sheet, read_labels

planted = pd.DataFrame(truth, index=test_texts, columns=list(KNOWN))
sheet = labelling_sheet(test_texts, report, n=100, random_state=0)
statements = sheet.columns[2:]
sheet[statements] = planted.loc[sheet["text"], list(statements)].astype(str).to_numpy()
corrected = correct_for_annotation_error(report, read_labels(sheet, report))
columns = ["hypothesis", "sensitivity", "specificity", "naive", "corrected"]
corrected.table[columns].round(2)

# %%
# ``sensitivity`` is the share of the texts with the property that the model found,
# ``specificity`` the share of the others that it left alone. A specificity of 0.9
# sounds good; where a property is rare, many of the marked texts are then wrong. That
# is why the naive separations are too near 0. The corrected ones are further from it,
# near the 2 and -2 that were planted.
#
# Would a dictionary have done?
# -----------------------------
#
# The same texts, without a model. Compare the figures out of sample before you decide
# that a model is worth its time. Often it is for what can be understood, and not for
# what is predicted.

lexicon = make_hypothesis_pipeline(
    "lsa", n_select=6, supervised=False, n_fits=1, random_state=0
).fit(texts, y)
words = evaluate_hypotheses(lexicon, test_texts, test_y, n_resamples=0)
print(f"R² out of sample: {report.r2_out_of_sample:.2f} of statements by the model,")
print(f"{words.r2_out_of_sample:.2f} of dictionaries")

# %%

server.shutdown()
server.server_close()

# %%
# The same from the command line
# ------------------------------
#
# .. code-block:: sh
#
#     sklearn-hypo run messages.csv --text message --target satisfaction \
#         --interpreter ollama:qwen3:8b --annotator ollama:qwen3:8b \
#         --model-option reasoning_effort=none
#
# What to write about it in a paper: the model with its version, the date, the layout,
# the instructions, how many answers were missing, how many texts people labelled, and
# the corrected estimates beside the naive ones. :doc:`/language_models` has the rest:
# providers, prices, batches, what leaves the machine.
