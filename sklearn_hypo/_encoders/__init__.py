"""The family of encoders: what `TextEmbedder(model=...)` may be."""

from ._adapters import CallableEncoder, TransformerEncoder
from ._base import Encoder
from ._lsa import LsaEncoder
from ._sentence_transformers import SentenceTransformerEncoder

__all__ = ["Encoder", "make_encoder"]

_REMOTE_PREFIXES = ("openai", "gemini")


def make_encoder(model, *, n_components=384, prompt=None, device="auto"):
    """Choose the encoder that a `model` parameter stands for. Nothing is loaded.

    Parameters
    ----------
    model : str, path, callable or scikit-learn transformer
        "lsa"; a sentence-transformers name or folder; a function from a list of
        texts to an array; or an unfitted transformer of texts.
    n_components : int, default=384
        For "lsa".
    prompt : str or None, default=None
        For fixed models: put before every text.
    device : str, default="auto"
        For sentence-transformers.

    Returns
    -------
    encoder : Encoder
        Not fitted.

    Raises
    ------
    ValueError
        For a prefix of a remote provider, which this version does not support.
    TypeError
        For anything else.
    """
    if isinstance(model, str) or hasattr(model, "__fspath__"):
        return _encoder_by_name(str(model), n_components, prompt, device)
    if isinstance(model, type):
        raise TypeError(
            f"model={model.__name__} is a class. Pass an instance of it: "
            f"model={model.__name__}()."
        )
    if type(model).__module__.partition(".")[0] == "sentence_transformers":
        raise TypeError(
            "model= got a loaded sentence-transformers model, which scikit-learn "
            "would copy for every fold. Pass its name or its folder instead."
        )
    if hasattr(model, "fit") and hasattr(model, "transform"):
        return TransformerEncoder(model)
    if callable(model):
        return CallableEncoder(model, prompt)
    raise TypeError(
        f"model= expects 'lsa', the name or folder of a sentence-transformers model, "
        f"a callable or a scikit-learn transformer; {type(model).__name__} arrived."
    )


def _encoder_by_name(model, n_components, prompt, device):
    if model == "lsa":
        return LsaEncoder(n_components)
    prefix = model.partition(":")[0]
    if prefix in _REMOTE_PREFIXES and ":" in model:
        raise ValueError(
            f"model={model!r}: models with the prefix '{prefix}:' are not supported "
            "by this version. Use 'lsa', a sentence-transformers name or folder, or "
            "a function that calls the provider."
        )
    if not model.strip():
        raise ValueError("model='' names no model. Use 'lsa', or a name or folder.")
    return SentenceTransformerEncoder(model, prompt, device)
