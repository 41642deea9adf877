"""What is known of the vendors' models: one dated table.

Prices and dates of shutdown change. The table says as of when it holds, and users
override prices with the `price` parameter of a model specification.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import pandas as pd

AS_OF = "2026-11-22"


class Price(NamedTuple):
    """List prices in dollars per million tokens.

    Attributes
    ----------
    input, cached, output : float
        Of tokens sent, of those among them that the vendor had cached, and of tokens
        received (reasoning included).
    cache_write : float
        What a token costs that is written to the vendor's cache, as a multiple of
        `input`.
    """

    input: float
    cached: float
    output: float
    cache_write: float = 1.0

    def cost(self, input_tokens, cached_tokens, output_tokens, cache_write_tokens=0):
        """Return dollars.

        `cached_tokens` and `cache_write_tokens` are parts of `input_tokens`, as
        vendors report them. For an upper bound, let all input be written to the cache.
        """
        plain = max(input_tokens - cached_tokens - cache_write_tokens, 0)
        dollars = (
            (plain + self.cache_write * cache_write_tokens) * self.input
            + cached_tokens * self.cached
            + output_tokens * self.output
        )
        return dollars / 1e6

    def half(self):
        """Return the price of batches and of the flex tier.

        Input and output cost half. Cached input does not everywhere, so its price
        stays, which can only overestimate, unless plain input is cheaper.
        """
        return self._replace(
            input=self.input / 2,
            cached=min(self.cached, self.input / 2),
            output=self.output / 2,
        )


_ROLES = {
    "chat": ("annotator", "interpreter"),
    "decisions": ("annotator",),
    "embedding": ("embedding",),
}


@dataclass(frozen=True)
class KnownModel:
    """One model: what it does, what it costs, how long it lives.

    Attributes
    ----------
    provider : {"openai", "gemini"}
    name : str
    kind : {"chat", "decisions", "embedding"}
    price : Price or None
        None: not in the price table.
    shutdown : str or None
        Date (ISO 8601) on which the vendor stops serving the model; None: none is
        announced.
    successor : str or None
        What the vendor recommends instead.
    rumored : bool
        Whether the date of shutdown has one source only.
    max_questions : int
        Questions per request of the Decisions endpoint; 0: not offered there.
    inputs_per_request, tokens_per_input, tokens_per_request : int or None
        Limits of an embedding model; None: no such limit is documented.
    dimensions : bool
        Whether the length of the embedding can be chosen.
    """

    provider: str
    name: str
    kind: str = "chat"
    price: Price | None = None
    shutdown: str | None = None
    successor: str | None = None
    rumored: bool = False
    max_questions: int = 0
    inputs_per_request: int | None = None
    tokens_per_input: int | None = None
    tokens_per_request: int | None = None
    dimensions: bool = False

    @property
    def roles(self):
        """What the model can be used for here."""
        return _ROLES[self.kind]


def _chat(provider, name, *price, cache_write=1.0, **known):
    """Describe a chat model; `price` is input, cached, output, or nothing."""
    price = Price(*price, cache_write) if price else None
    return KnownModel(provider, name, "chat", price, **known)


def _embedding(provider, name, price, **limits):
    """Describe an embedding model; only input costs, and nothing is cached."""
    price = Price(price, price, 0.0)
    return KnownModel(provider, name, "embedding", price, dimensions=True, **limits)


_OPENAI_EMBEDDING = {
    "inputs_per_request": 2048,
    "tokens_per_input": 8192,
    "tokens_per_request": 300_000,
}


_CACHE_WRITE = {"cache_write": 1.25}


_GPT_5_ENDS = {"shutdown": "2026-12-11"}


_GPT_4_ENDS = {"shutdown": "2027-01-14", "successor": "gpt-6-luna"}

MODELS = (
    _chat("openai", "gpt-6-luna", 0.10, 0.01, 0.50, max_questions=400, **_CACHE_WRITE),
    _chat("openai", "gpt-6.1-terra", 1.00, 0.05, 5.00, **_CACHE_WRITE),
    _chat("openai", "gpt-6.1-sol", 2.00, 0.10, 10.00, **_CACHE_WRITE),
    _chat("openai", "gpt-5.4-mini", 0.75, 0.075, 4.50),
    _chat("openai", "gpt-5.4-nano", shutdown="2027-04-01"),
    _chat("openai", "gpt-5.2", 1.75, 0.175, 14.00),
    _chat("openai", "gpt-5.1", shutdown="2027-04-01"),
    _chat("openai", "gpt-5", successor="gpt-6.1-sol", **_GPT_5_ENDS),
    _chat(
        *("openai", "gpt-5-mini", 0.25, 0.025, 2.00),
        successor="gpt-6.1-terra",
        **_GPT_5_ENDS,
    ),
    _chat("openai", "gpt-5-nano", **_GPT_5_ENDS),
    _chat("openai", "gpt-4o", **_GPT_4_ENDS),
    _chat("openai", "gpt-4o-mini", **_GPT_4_ENDS),
    _chat("openai", "gpt-4.1", **_GPT_4_ENDS),
    _chat("openai", "gpt-4.1-mini", **_GPT_4_ENDS),
    _chat("openai", "gpt-4.1-nano", shutdown="2026-10-23"),
    _embedding("openai", "text-embedding-3-small", 0.02, **_OPENAI_EMBEDDING),
    _embedding("openai", "text-embedding-3-large", 0.13, **_OPENAI_EMBEDDING),
    _chat("gemini", "gemini-2.5-flash-lite", 0.10, 0.01, 0.40),
    _chat("gemini", "gemini-2.5-flash", shutdown="2026-12-01", rumored=True),
    _chat("gemini", "gemini-2.5-pro", shutdown="2026-12-01", rumored=True),
    _chat("gemini", "gemini-3.1-flash-lite", 0.25, 0.025, 1.50, shutdown="2027-05-07"),
    _chat("gemini", "gemini-3.5-flash-lite", 0.30, 0.03, 2.50),
    _chat("gemini", "gemini-3.8-flash", 0.75, 0.075, 3.75),
    # no discount for cached input is documented; output is free
    KnownModel(
        *("gemini", "gemini-decision-1", "decisions", Price(0.10, 0.10, 0.0)),
        max_questions=1000,
    ),
    _embedding(
        *("gemini", "gemini-embedding-001", 0.15),
        inputs_per_request=100,
        tokens_per_input=2048,
        shutdown="2028-05-14",
    ),
    _embedding(
        *("gemini", "gemini-embedding-2", 0.20),
        inputs_per_request=100,
        tokens_per_input=8192,
    ),
)

DEFAULTS = {
    ("openai", "annotator"): "gpt-6-luna",
    ("openai", "interpreter"): "gpt-6.1-terra",
    ("gemini", "annotator"): "gemini-2.5-flash-lite",
    ("gemini", "interpreter"): "gemini-3.8-flash",
    ("openai", "embedding"): "text-embedding-3-small",
    ("gemini", "embedding"): "gemini-embedding-001",
}

_BY_NAME = {(model.provider, model.name): model for model in MODELS}


_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def find_model(provider, model):
    """Return the row of a model, or None for one that is not in the table.

    `"gpt-5.2-2025-12-11"` is `"gpt-5.2"` at a date and is found as such; the prefix
    `"models/"` of Gemini's names may be there. Nothing else is guessed.
    """
    if provider == "gemini":
        model = model.removeprefix("models/")
    bare = _DATE.sub("", model)
    return _BY_NAME.get((provider, model)) or _BY_NAME.get((provider, bare))


def price_of(provider, model):
    """Return the list price of a model, or None if it is not known."""
    known = find_model(provider, model)
    return known.price if known else None


def lifecycle_note(provider, model, today, *, within=None):
    """Return what the end of a model's life means to a reader, or "".

    Parameters
    ----------
    provider, model : str
    today : datetime.date or str
        A string is a date in ISO 8601.
    within : int or None
        A shutdown more than so many days ahead is not worth a note; None: each is.

    Returns
    -------
    note : str
        Goes on after the name of the model: "shuts down on ..." or "was shut down on
        ...", with the successor where there is one.
    """
    known = find_model(provider, model)
    if known is None or known.shutdown is None:
        return ""
    days = (_as_date(known.shutdown) - _as_date(today)).days
    if within is not None and days > within:
        return ""
    verb = _verb(days < 0, known.rumored)
    successor = f"; successor {known.successor}" if known.successor else ""
    return f"{verb} on {known.shutdown}{successor}"


def _as_date(day):
    """Return a date from one, a time, or either written in ISO 8601."""
    return date.fromisoformat(str(day)[:10])


def _verb(past, rumored):
    if rumored:
        return "was reportedly shut down" if past else "reportedly shuts down"
    return "was shut down" if past else "shuts down"


def model_table():
    """Return all that is known of the vendors' models.

    Returns
    -------
    table : DataFrame
        One row per model. `input`, `cached` and `output` are list prices in dollars
        per million tokens, `cache_write` the price of writing to the vendor's cache as
        a multiple of `input` (NaN: not known); `rumored` marks a date of shutdown
        that has one source only; `default_for` names the roles for which
        the model is taken if only the provider is given; `max_questions` is the limit
        of the Decisions endpoint (0: not offered there). `inputs_per_request`,
        `tokens_per_input`, `tokens_per_request` and `dimensions` concern embeddings.
        `table.attrs["as_of"]` is the date at which the table was made.

    Examples
    --------
    >>> from sklearn_hypo._language_models._catalog import model_table
    >>> table = model_table().set_index("model")
    >>> table.loc[["gpt-6-luna", "gpt-5.2"], ["input", "cached", "output"]]
                input  cached  output
    model
    gpt-6-luna   0.10   0.010     0.5
    gpt-5.2      1.75   0.175    14.0
    >>> table.loc["gpt-5-mini", ["shutdown", "successor"]].to_list()
    ['2026-12-11', 'gpt-6.1-terra']
    """
    table = pd.DataFrame([_table_row(model) for model in MODELS])
    limits = ["inputs_per_request", "tokens_per_input", "tokens_per_request"]
    table[limits] = table[limits].astype("Int64")
    table.attrs["as_of"] = AS_OF
    return table


def _table_row(known):
    price = known.price or Price(*[float("nan")] * 4)
    default_for = [
        role
        for (provider, role), name in DEFAULTS.items()
        if (provider, name) == (known.provider, known.name)
    ]
    return {
        "provider": known.provider,
        "model": known.name,
        "kind": known.kind,
        "default_for": ", ".join(default_for),
        **price._asdict(),
        "shutdown": known.shutdown or "",
        "successor": known.successor or "",
        "rumored": known.rumored,
        "max_questions": known.max_questions,
        "inputs_per_request": known.inputs_per_request,
        "tokens_per_input": known.tokens_per_input,
        "tokens_per_request": known.tokens_per_request,
        "dimensions": known.dimensions,
    }
