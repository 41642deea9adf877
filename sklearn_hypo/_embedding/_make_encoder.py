"""The family of encoders: what `TextEmbedder(model=...)` may be."""

from .._language_models._models import (
    PROVIDER_NAMES,
    PROVIDERS,
    SPECIFICATIONS,
    as_model,
    names_provider,
)
from ._encoder import CallableEncoder, TransformerEncoder
from ._lsa import LsaEncoder
from ._minilm import MinilmEncoder
from ._remote import RemoteEncoder
from ._sentence_transformers import SentenceTransformerEncoder
from ._static_vectors import PREFIX, StaticVectorsEncoder

_REMOTE = tuple(PROVIDERS.values())


def make_encoders(models, *, dimensions=None, task_type=None, **settings):
    """Make the encoder of each model, as `make_encoder` does.

    `dimensions` and `task_type` go to the models of a provider, if there are any.
    """
    remote = {"dimensions": dimensions, "task_type": task_type}
    if not any(map(_is_remote, models)):
        return [make_encoder(each, **remote, **settings) for each in models]
    return [
        make_encoder(each, **(remote if _is_remote(each) else {}), **settings)
        for each in models
    ]


def make_encoder(
    model,
    *,
    n_components=384,
    tokenizer="auto",
    prompt=None,
    device="auto",
    compute_dtype="float32",
    dimensions=None,
    task_type=None,
):
    """Choose the encoder that a `model` parameter stands for. Nothing is loaded.

    The parameters are those of `TextEmbedder`.

    Raises
    ------
    ValueError
        For a blank name, for a provider's model that does not embed texts, and for
        `dimensions` or `task_type` with a model that does not take them.
    TypeError
        For anything that is no model.
    """
    if _is_remote(model):
        spec = as_model(model, "embedding")
        return RemoteEncoder(spec, prompt, dimensions, task_type)
    _refuse_remote_settings(model, dimensions=dimensions, task_type=task_type)
    if isinstance(model, str) or hasattr(model, "__fspath__"):
        return _make_encoder_by_name(
            str(model), n_components, tokenizer, prompt, device, compute_dtype
        )
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
        f"model= expects 'auto', 'minilm', 'lsa', {PROVIDER_NAMES}, a specification "
        f"({SPECIFICATIONS}), the name or folder of a sentence-transformers model, a "
        "callable, a scikit-learn transformer, or a list of these; "
        f"{type(model).__name__} arrived."
    )


def _is_remote(model):
    if isinstance(model, str):
        return names_provider(model)
    return isinstance(model, _REMOTE)


def _refuse_remote_settings(model, **settings):
    """Complain about settings that only models of a provider take."""
    for name, value in settings.items():
        if value is not None:
            instead = " For 'lsa', set n_components." if name == "dimensions" else ""
            raise ValueError(
                f"{name}={value!r}: only a provider's models ({PROVIDER_NAMES}) take "
                f"it, and model= is another. Use {name}=None.{instead}"
            )


def _make_encoder_by_name(
    model, n_components, tokenizer, prompt, device, compute_dtype
):
    if model == "lsa":
        return LsaEncoder(n_components, tokenizer)
    if model == "minilm":
        return MinilmEncoder(prompt, device, compute_dtype)
    if model.startswith(PREFIX):
        return StaticVectorsEncoder(model.removeprefix(PREFIX), prompt)
    if not model.strip():
        raise ValueError("model='' names no model. Use 'lsa', or a name or folder.")
    return SentenceTransformerEncoder(model, prompt, device, compute_dtype)
