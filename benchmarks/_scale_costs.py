"""What 100 million texts would cost: rates of one core, on a sample, times n."""

import time

import joblib
import pandas as pd
from _common import markdown_table
from _scale_steps import Study

from sklearn_hypo import TextEmbedder
from sklearn_hypo._embedding._minilm import has_minilm

N_TEXTS = 100_000_000
CORE_HOUR = 0.05  # dollars: an assumption, of the order of a rented core
TOKENS_PER_MINUTE = 1_000_000  # an assumption: limits depend on the account
PAID = "openai:text-embedding-3-small"
PAID_WIDTH = 1536
N_MEASURED = {"lsa": 5_000, "minilm": 500}


def estimate_costs(folder, options):
    """Return a table and its assumptions, in Markdown."""
    study = Study.of(folder, options)
    files = study.files("texts")
    texts = pd.read_parquet(files[-1])["text"]
    embedder = joblib.load(study.path("embedder"))
    extractor = joblib.load(study.path("extractor"))
    rate = measure_rate(embedder.transform, texts[: N_MEASURED["lsa"]])
    rows = [describe_local("LSA", options.components, rate)]
    if has_minilm():
        minilm = TextEmbedder("minilm").fit(texts[:1])
        rate = measure_rate(minilm.transform, texts[1 : N_MEASURED["minilm"]])
        rows.append(describe_local("all-MiniLM-L6-v2", 384, rate))
    estimate = TextEmbedder(PAID).estimate_cost(texts)
    tokens = estimate.input_tokens * N_TEXTS / len(texts)
    rows.append(
        {
            "embedder": PAID,
            "texts per second": None,
            "hours": f"{tokens / TOKENS_PER_MINUTE / 60:,.0f}, by the limit",
            "vectors, GB": f"{gigabytes(PAID_WIDTH)}",
            "money": f"${estimate.cost * N_TEXTS / len(texts):,.0f}",
        }
    )
    annotated = measure_rate(extractor.annotator_.annotate, texts)
    hours = N_TEXTS / annotated / 3600
    size = sum(f.stat().st_size for f in files) / options.texts * N_TEXTS / 1e9
    cost = hours * CORE_HOUR
    return f"""{markdown_table(rows)}

- Texts have {texts.str.len().mean():.0f} characters on average; 100 million are
  {size:.0f} GB of Parquet. Longer texts take longer, in proportion.
- Rates are of one core, in processor time, measured after the run on
  {N_MEASURED["lsa"]:,} texts (LSA) and {N_MEASURED["minilm"]:,} (MiniLM). Hours are of
  one core: a hundred cores take a hundredth.
- Money: ${CORE_HOUR} per hour of a core, an assumption; for {PAID}
  the price that the package has on record (`known_prices.csv`, with date and source), a
  token being four characters. Its hours assume a limit of {TOKENS_PER_MINUTE:,} tokens
  per minute.
- Vectors in float32; float16, which the autoencoder reads too, halves them.
- To annotate 100 million texts with these dictionaries takes {hours:,.1f} hours of one
  core (${cost:,.2f}), at {annotated:,.0f} texts per second.
- Autoencoder, selection and dictionaries need not see all of them: what is fitted to a
  million texts drawn at random holds for the others. A fit to all takes 100 times as
  long, as time is linear in rows, or as long as `max_time` says."""


def measure_rate(function, texts):
    """Return texts per second of processor time."""
    texts = list(texts)
    start = time.process_time()
    function(texts)
    return len(texts) / (time.process_time() - start)


def describe_local(name, width, rate):
    hours = N_TEXTS / rate / 3600
    return {
        "embedder": name,
        "texts per second": f"{rate:,.0f}",
        "hours": f"{hours:,.1f}",
        "vectors, GB": f"{gigabytes(width)}",
        "money": f"${hours * CORE_HOUR:,.2f}",
    }


def gigabytes(width):
    return f"{4 * width * N_TEXTS / 1e9:,.0f}"
