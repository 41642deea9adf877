"""Whether the model that answered is the one that was asked for."""

import re

from .._utils._warnings import warn

# Who asks a gateway for a route (OpenRouter) or Ollama for the usual tag.
_ROUTE = re.compile(r":(latest|free|nitro|floor|exacto)\Z")

# A file of weights: how it is written is no other model.
_FILE = re.compile(r"([-._](i?q\d\w*|b?f16|f32|mxfp4))?\.gguf\Z")

# gpt-x-2026-01-01, claude-x-20260101, command-x-08-2026, mistral-x-2601, gpt-x-0613,
# gemini-x-001, x@main, x@20260101, x-latest.
_SNAPSHOT = re.compile(
    r"(-\d{4}-\d{2}-\d{2}|-\d{8}|-\d{2}-\d{4}|-\d{4}|-\d{3}|@[\w.]+|-latest)\Z"
)

# Their names are chosen by the user (deployments), and say nothing of the model.
_NAMED_BY_USER = ("azure", "callable")


def is_same_model(asked, served):
    """Whether two names are of one model.

    Capitals, folders and the organization before a "/" do not count, nor does how
    weights are stored in a file. A name without a date is that of each of its dated
    snapshots, and "-latest" of each; two different snapshots are two models.

    Parameters
    ----------
    asked, served : str
        What was asked for, and what a provider calls the model that answered.

    Returns
    -------
    same : bool
        True also where the provider gives no name.

    Examples
    --------
    >>> from sklearn_hypo._language_models._served import is_same_model
    >>> is_same_model("gpt-x", "gpt-x-2026-01-01")
    True
    >>> is_same_model("gpt-x-2026-01-01", "gpt-x-2026-06-01")
    False
    >>> is_same_model("gemini-2.5-flash", "gemini-3.8-flash")
    False
    >>> is_same_model("qwen3-8b", "/models/Qwen3-8B-Q4_K_M.gguf")
    True
    """
    asked, served = _simplify(asked), _simplify(served)
    if not served or asked == served:
        return True
    undated = _SNAPSHOT.sub("", asked), _SNAPSHOT.sub("", served)
    has_snapshot = asked != undated[0] and not asked.endswith("-latest")
    names_no_snapshot = served == undated[1] or served.endswith("-latest")
    return undated[0] == undated[1] and (not has_snapshot or names_no_snapshot)


def _simplify(name):
    name = re.split(r"[/\\]", name.strip().lower())[-1]
    return _FILE.sub("", _ROUTE.sub("", name))


def warn_of_other_models(model, ledger):
    """Warn, once, of each model that answered and is not the one asked for.

    Providers route the name of a model that they retired to its successor, with other
    answers and another price, and gateways route names as they please.
    """
    if model.provider in _NAMED_BY_USER:
        return
    others = {name for name in ledger.versions if not is_same_model(model.model, name)}
    for other in sorted(others - ledger.warned_of):
        ledger.warned_of.add(other)
        warn(
            f"model={str(model)!r}: answers came from {other!r}, which is another "
            "model than the one asked for. They are kept under the name that was "
            "asked for, and counted at its price. Providers answer so for models that "
            "they retired, and gateways for names of their own. If that is the one "
            "that you mean, name it in model=; else name a model that is still served."
        )
