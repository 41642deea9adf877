"""What is known of the vendors' models: prices, limits, and when they end.

The facts are rows of `known_models.csv`, each with the date as of which it holds. They
change; users override prices with the `price` parameter of a model specification.
"""

import csv
import re
from datetime import date
from importlib import resources
from typing import NamedTuple


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


class KnownModel(NamedTuple):
    """One model: what it does, what it costs, how long it lives.

    Attributes
    ----------
    provider, name : str
    kind : {"chat", "decisions", "embedding"}
    price : Price or None
        None: not in the price table.
    shutdown : str
        Date (ISO 8601) on which the vendor stops serving the model; "": none is
        announced.
    rumored : bool
        Whether that date has one source only.
    successor : str
        What the vendor recommends instead; "" for nothing.
    max_questions : int or None
        Questions per request of the Decisions endpoint; None: not offered there.
    inputs_per_request, tokens_per_input, tokens_per_request : int or None
        Limits of an embedding model; None: no such limit is documented.
    dimensions : bool
        Whether the length of the embedding can be chosen.
    as_of : str
        When these facts were looked up.
    """

    provider: str
    name: str
    kind: str
    price: Price | None
    shutdown: str
    rumored: bool
    successor: str
    max_questions: int | None
    inputs_per_request: int | None
    tokens_per_input: int | None
    tokens_per_request: int | None
    dimensions: bool
    as_of: str


_COUNTS = (
    "max_questions",
    "inputs_per_request",
    "tokens_per_input",
    "tokens_per_request",
)


def _read_models():
    file = resources.files(__package__).joinpath("known_models.csv")
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return tuple(map(_read_model, rows))


def _read_model(row):
    price = [row.pop(name) for name in Price._fields]
    for name in _COUNTS:
        row[name] = int(row[name]) if row[name] else None
    return KnownModel(
        name=row.pop("model"),
        price=Price(*map(float, price)) if all(price) else None,
        rumored=row.pop("rumored") == "yes",
        dimensions=row.pop("dimensions") == "yes",
        **row,
    )


MODELS = _read_models()

_BY_NAME = {(model.provider, model.name): model for model in MODELS}

_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def find_model(provider, model):
    """Return the row of a model, or None for one that is not in the table.

    `"gpt-5.2-2025-12-11"` is `"gpt-5.2"` at a date and is found as such; the prefix
    `"models/"` of Gemini's names may be there. Nothing else is guessed.
    """
    if provider == "gemini":
        model = model.removeprefix("models/")
    undated = _DATE.sub("", model)
    return _BY_NAME.get((provider, model)) or _BY_NAME.get((provider, undated))


def find_price(provider, model):
    """Return the list price of a model, or None if it is not known."""
    known = find_model(provider, model)
    return known.price if known else None


def describe_end_of_life(provider, model, today, *, within=None):
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
    if known is None or not known.shutdown:
        return ""
    days = (_as_date(known.shutdown) - _as_date(today)).days
    if within is not None and days > within:
        return ""
    verb = "was shut down" if days < 0 else "shuts down"
    if known.rumored:
        verb = "was reportedly shut down" if days < 0 else "reportedly shuts down"
    successor = f"; successor {known.successor}" if known.successor else ""
    return f"{verb} on {known.shutdown}{successor}"


def _as_date(day):
    """Return a date from one, a time, or either written in ISO 8601."""
    return date.fromisoformat(str(day)[:10])
