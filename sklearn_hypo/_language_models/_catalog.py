"""What is known of the vendors' models: prices, limits, and when they end.

The facts are rows of `known_models.csv` and `known_prices.csv`, each with the date as
of which it holds and the vendor's page for it, as quoted in public. They change. Users
override prices with the `price` parameter of a model specification, or for all of
their models with a file of the same columns (`SKLEARN_HYPO_PRICES`).
"""

import csv
import math
import os
import re
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

# Names a file with the user's own prices.
PRICES_ENV = "SKLEARN_HYPO_PRICES"


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


class DatedPrice(NamedTuple):
    """A price, and when it applies.

    Attributes
    ----------
    price : Price
    start, end : str
        First and last day (ISO 8601); "" where it has none.
    as_of, source : str
        When it was looked up, and where the vendor announces it.
    """

    price: Price
    start: str = ""
    end: str = ""
    as_of: str = ""
    source: str = ""

    def applies_on(self, day):
        """Whether it is the price of a day, which is a date in ISO 8601."""
        return self.start <= day and (not self.end or day <= self.end)


class KnownModel(NamedTuple):
    """One model: what it does, what it costs, how long it lives.

    Attributes
    ----------
    provider, name : str
    kind : {"chat", "decisions", "embedding"}
    prices : tuple of DatedPrice
        In the order of their dates; none: not in the price table.
    reasoning_effort : str
        What is sent where nobody asked for reasoning; "" for nothing.
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
    as_of, source : str
        When these facts were looked up, and where the vendor announces them.
    """

    provider: str
    name: str
    kind: str
    prices: tuple
    reasoning_effort: str
    shutdown: str
    rumored: bool
    successor: str
    max_questions: int | None
    inputs_per_request: int | None
    tokens_per_input: int | None
    tokens_per_request: int | None
    dimensions: bool
    as_of: str
    source: str

    def price_on(self, day):
        """Return the price of a day (a date, or one in ISO 8601), or None."""
        return _pick_price(self.prices, day)


def _pick_price(prices, day):
    day = _as_date(day).isoformat()
    found = [dated.price for dated in prices if dated.applies_on(day)]
    return found[-1] if found else None


_COUNTS = (
    "max_questions",
    "inputs_per_request",
    "tokens_per_input",
    "tokens_per_request",
)


def _read_rows(name):
    file = resources.files(__package__).joinpath(name)
    return csv.DictReader(file.read_text(encoding="utf-8").splitlines())


def _read_models():
    prices = read_prices(_read_rows("known_prices.csv"), "known_prices.csv")
    return tuple(_read_model(row, prices) for row in _read_rows("known_models.csv"))


def _read_model(row, prices):
    for name in _COUNTS:
        row[name] = int(row[name]) if row[name] else None
    name = row.pop("model")
    return KnownModel(
        name=name,
        prices=prices.get((row["provider"], name), ()),
        rumored=row.pop("rumored") == "yes",
        dimensions=row.pop("dimensions") == "yes",
        **row,
    )


def read_prices(rows, place):
    """Return the prices in rows of a table, by provider and model.

    Parameters
    ----------
    rows : iterable of dict
        "provider", "model", "input" and "output"; perhaps "cached" (as input),
        "cache_write", "start", "end", "as_of" and "source".
    place : str
        Where they stand, for messages.

    Returns
    -------
    prices : dict of (str, str) to tuple of DatedPrice
    """
    prices = {}
    for number, row in enumerate(rows, start=2):
        try:
            name, dated = _read_price(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{place}, line {number}: a price needs the columns provider, model, "
                "input and output (dollars per million tokens), and may have cached, "
                f"cache_write, start and end (2026-12-31); {error} is wrong."
            ) from error
        prices[name] = (*prices.get(name, ()), dated)
    return prices


def _read_price(row):
    row = {name: (value or "").strip() for name, value in row.items() if name}
    price = Price(
        float(row["input"]),
        float(row.get("cached") or row["input"]),
        float(row["output"]),
        float(row.get("cache_write") or 1),
    )
    if not all(math.isfinite(value) and value >= 0 for value in price):
        raise ValueError(f"{tuple(price)}")
    days = [row.get(name, "") for name in ("start", "end")]
    days = [date.fromisoformat(day).isoformat() if day else "" for day in days]
    found = row.get("as_of", ""), row.get("source", "")
    return (row["provider"], row["model"]), DatedPrice(price, *days, *found)


def _read_own_prices():
    """Return the prices of the user's file; none without one."""
    path = os.environ.get(PRICES_ENV, "").strip()
    if not path:
        return {}
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError as error:
        raise ValueError(
            f"{PRICES_ENV}={path!r}: there is no such file of prices ({error}). Make "
            "it, or unset the environment variable."
        ) from error
    return _read_price_file(path, changed)


@lru_cache(maxsize=4)
def _read_price_file(path, changed):
    text = Path(path).read_text(encoding="utf-8-sig")
    return read_prices(csv.DictReader(text.splitlines()), f"{PRICES_ENV}={path!r}")


MODELS = _read_models()

_BY_NAME = {(model.provider, model.name): model for model in MODELS}

_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def find_model(provider, model):
    """Return the row of a model, or None for one that is not in the table.

    `"gpt-5.2-2025-12-11"` is `"gpt-5.2"` at a date and is found as such; the prefix
    `"models/"` of Gemini's names may be there. Nothing else is guessed.
    """
    return _look_up(_BY_NAME, provider, model)


def _look_up(table, provider, model):
    if provider == "gemini":
        model = model.removeprefix("models/")
    undated = _DATE.sub("", model)
    return table.get((provider, model)) or table.get((provider, undated))


def find_price(provider, model, day=None):
    """Return the price of a model on a day, or None if it is not known.

    The user's own file goes before the package's table. The day is a date, or one in
    ISO 8601; None: today, in UTC.
    """
    day = datetime.now(UTC).date() if day is None else day
    own = _pick_price(_look_up(_read_own_prices(), provider, model) or (), day)
    known = find_model(provider, model)
    return own or (known.price_on(day) if known else None)


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
