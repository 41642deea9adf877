"""What the language models of a pipeline consumed, in one table."""

import pandas as pd

_COLUMNS = [
    "role",
    "model",
    "answered_by",
    "calls",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "uncertain_calls",
    "answers_from_cache",
    "cost",
]


def make_usage_table(parts):
    """Collect the accounts of whatever keeps one.

    Parameters
    ----------
    parts : dict of str to object
        From a role, such as "annotator", to an object that has an attribute `usage_`
        if it calls a model that is paid for.

    Returns
    -------
    table : DataFrame
        One row per account: "role", "model", "answered_by" (what the provider calls
        the models that answered), counts of calls and tokens, and "cost"
        in dollars (NaN where the price is not known). No rows if nobody keeps one.
    """
    rows = [
        {"role": role, **part.usage_}
        for role, part in parts.items()
        if isinstance(getattr(part, "usage_", None), dict)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def format_usage(table):
    """Say in one line what a table of accounts adds up to; empty without accounts."""
    if table is None or table.empty:
        return ""
    total = table.drop(columns=["role", "model", "answered_by"]).sum(skipna=False)
    cost = "of unknown price" if pd.isna(total["cost"]) else f"${total['cost']:.2f}"
    names = dict.fromkeys(filter(None, table["answered_by"].dropna()))
    tokens = int(total["input_tokens"] + total["output_tokens"])
    return (
        f"language models: {int(total['calls']):,} calls, {tokens:,} tokens, {cost}; "
        f"{int(total['answers_from_cache']):,} answers from the cache"
        + (f"; answered by {', '.join(names)}" if names else "")
    )
