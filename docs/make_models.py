"""Write the page of known models from the package's table.

python docs/make_models.py
"""

from pathlib import Path

import pandas as pd

from sklearn_hypo._language_models._catalog import model_table

TARGET = Path(__file__).with_name("models.md")
HEADER = """\
# Known models

As of {as_of}, from the vendors' announcements and a public list of prices: check both
before you publish a cost. Any other model can be named, too; its price is then given
with `price=`, or unknown. Prices are in dollars per million tokens. Written by
`docs/make_models.py` from the table that the package uses.

| model | for | input / cached / output | switched off | successor |
| --- | --- | --- | --- | --- |
"""


def price(row):
    """Return the three prices, or a dash."""
    if pd.isna(row.input):
        return "–"
    return " / ".join(f"{value:g}" for value in (row.input, row.cached, row.output))


def line(row):
    """Return one line of the table."""
    use = row.kind + (f" (default {row.default_for})" if row.default_for else "")
    if row.max_questions and row.kind != "decisions":
        use = use.replace("chat", "chat, decisions")
    end = row.shutdown + (" (reported)" if row.rumored else "")
    cells = [f"`{row.provider}:{row.model}`", use, price(row), end, row.successor]
    return "| " + " | ".join(cell or "–" for cell in cells) + " |"


def render():
    """Return the whole page."""
    table = model_table().fillna({"shutdown": "", "successor": "", "default_for": ""})
    rows = [line(row) for row in table.itertuples()]
    return HEADER.format(as_of=table.attrs["as_of"]) + "\n".join(rows) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
