"""Write the page of known models from the package's table.

python docs/make_models.py
"""

from pathlib import Path

from sklearn_hypo._language_models._catalog import MODELS
from sklearn_hypo._language_models._models import PROVIDERS

TARGET = Path(__file__).with_name("models.md")
HEADER = """\
# Known models

As of {as_of}, from the vendors' announcements and a public list of prices: check both
before you publish a cost. Any other model can be named, too; its price is then unknown,
unless `price=` or [a file of one's own](language_models.md#what-a-study-costs) gives
it. Prices are in dollars per million tokens. Written by `docs/make_models.py` from the
tables that the package uses, which name the vendors' pages.

| model | for | input / cached / output | switched off | successor |
| --- | --- | --- | --- | --- |
"""


def price(known):
    """Return the prices with their dates, or a dash."""
    return "; then ".join(map(price_with_dates, known.prices)) or "–"


def price_with_dates(dated):
    """Return the three numbers of a price, and its last day if it has one."""
    numbers = " / ".join(f"{value:g}" for value in dated.price[:3])
    return f"{numbers} until {dated.end}" if dated.end else numbers


def roles(known):
    """Return the roles for which a model is taken if only the provider is given."""
    defaults = PROVIDERS[known.provider].default_models
    return ", ".join(role for role, name in defaults.items() if name == known.name)


def line(known):
    """Return one line of the table."""
    use = known.kind + (f" (default {roles(known)})" if roles(known) else "")
    if known.max_questions and known.kind != "decisions":
        use = use.replace("chat", "chat, decisions")
    end = known.shutdown + (" (reported)" if known.rumored else "")
    name = f"`{known.provider}:{known.name}`"
    cells = [name, use, price(known), end, known.successor]
    return "| " + " | ".join(cell or "–" for cell in cells) + " |"


def render():
    """Return the whole page."""
    as_of = max(known.as_of for known in MODELS)
    return HEADER.format(as_of=as_of) + "\n".join(map(line, MODELS)) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
