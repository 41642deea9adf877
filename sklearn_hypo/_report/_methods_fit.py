"""How the hypotheses of a report were found, in sentences; none if it is not known."""

from .._utils._printable import join_words, pluralize, to_printable
from ._words import name_target

_AUTOENCODERS = ("SparseAutoencoderTransformer", "SupervisedSAETransformer")

_INTERPRETERS = {"LexiconInterpreter": "dictionaries of words and pairs of words"}

_ANNOTATORS = {
    "LexiconAnnotator": "has its terms",
    "EmbeddingAnnotator": "has an embedding like that of its statement",
}

_METHODS = {
    "lasso": "along the path of a lasso",
    "correlation": "by their correlation with the target",
    "separation": "by the difference they make in the target",
}

_KNOWN_EMBEDDINGS = {
    "minilm": "the sentence encoder all-MiniLM-L6-v2",
    "lsa": "latent semantic analysis fitted on them",
}


def describe_fit(report):
    """List what is known of how the hypotheses were found, a sentence each."""
    provenance = report.provenance or {}
    settings = provenance.get("settings") or {}
    steps = [
        _Step(name, step, settings.get("fitted", {}).get(name, {}))
        for name, step in settings.get("steps", {}).items()
    ]
    if not steps:
        return []
    target = name_target(report)
    usage = {} if report.usage is None else _list_answering(report.usage)
    return [
        _describe_texts(provenance, steps),
        *(_describe_embedding(step) for step in steps if step.kind == "TextEmbedder"),
        *(
            _describe_autoencoder(step, target)
            for step in steps
            if step.kind in _AUTOENCODERS
        ),
        _describe_features(steps),
        *(_describe_selection(s) for s in steps if s.kind == "NeuronSelector"),
        _describe_interpretation(settings, steps[-1], target, usage),
        _describe_annotation(settings, usage),
        _describe_seeds(provenance),
    ]


class _Step:
    """A step as the settings hold it: its class, parameters, and what its fit found."""

    def __init__(self, name, step, fitted):
        self.name = name
        self.kind, self.parameters = _read_estimator(step)
        self.fitted = fitted

    def get(self, name):
        """What the fit settled on, else the parameter, if that is no "auto"."""
        value = self.fitted.get(f"{name}_", self.parameters.get(name))
        return None if value == "auto" else value


def _read_estimator(value):
    """Class and parameters of an estimator as JSON holds it."""
    if isinstance(value, dict) and "class" in value:
        return value["class"].rpartition(".")[2], value.get("parameters", {})
    return "" if value is None else str(value), {}


def _describe_texts(provenance, steps):
    n = steps[-1].fitted.get("n_training_texts")
    where = f" in {n:,} different texts" if n else ""
    version = provenance.get("versions", {}).get("sklearn-hypo")
    by = f"sklearn_hypo {version}" if version else "sklearn_hypo"
    return (
        f"the hypotheses were found{where} with {by}, by the method of HypotheSAEs "
        "(Movva et al. 2025)"
    )


def _describe_embedding(step):
    model = step.get("model")
    if model is None:
        return ""
    models = model if isinstance(model, list) else [model]
    width = step.fitted.get("n_features_out_")
    size = f" ({width:,} dimensions)" if width else ""
    names = join_words([_name_embedding(each) for each in models])
    pooled = ", long texts as the mean of their parts" if step.get("pool") else ""
    return f"texts were embedded by {names}{size}{pooled}"


def _name_embedding(model):
    return _KNOWN_EMBEDDINGS.get(model) if model in _KNOWN_EMBEDDINGS else _name(model)


def _describe_autoencoder(step, target):
    n_neurons, k = step.get("n_neurons"), step.get("k")
    n_fits = step.get("n_fits") or 1
    supervised = step.kind == "SupervisedSAETransformer"
    what = "a sparse autoencoder" if n_fits == 1 else f"{n_fits} sparse autoencoders"
    text = f"on the embeddings we trained {what}"
    if n_neurons is not None and k is not None:
        each = " each" * (n_fits > 1)
        average = " on average" * (step.get("sparsity") == "batch_topk")
        text += f" ({n_neurons:,} neurons{each}, {k} of them active per text{average})"
    if supervised:
        alpha = step.get("alpha")
        weight = f" with weight {alpha:.2g}" if isinstance(alpha, float | int) else ""
        text += f", which learned to predict {target} too{weight}"
    return text


def _describe_features(steps):
    names = {
        "StyleFeatures": "measures of style",
        "TermFeatures": "frequent words and pairs of words",
    }
    found = [names[step.kind] for step in steps if step.kind in names]
    return f"{join_words(found)} stood beside the neurons" if found else ""


def _describe_selection(step):
    n, method = step.get("n_select"), step.get("method")
    how = _METHODS.get(method, f"by {_name(method)}")
    if n == "all":
        return ""
    scale = " on the scale log(1 + y)" * (step.get("target_scale") == "log1p")
    return f"of these columns at most {n} were selected {how}{scale}"


def _describe_interpretation(settings, step, target, usage):
    strategy = settings.get("strategies", {}).get("interpreter")
    if strategy is None:
        return ""
    name = _name_strategy(strategy, _INTERPRETERS, usage.get("interpreter"))
    text = f"each was put into words by {name}"
    n = step.get("n_hypotheses")
    if n:
        text += (
            f", and at most {pluralize(n, 'hypothesis')} were kept that together "
            f"predict {target} best in the texts they were found in"
        )
    return text


def _describe_annotation(settings, usage):
    strategy = settings.get("strategies", {}).get("annotator")
    if strategy is None:
        return ""
    kind, parameters = _read_estimator(strategy)
    if kind in _ANNOTATORS:
        return f"a hypothesis was taken to hold of a text that {_ANNOTATORS[kind]}"
    if kind == "MajorityAnnotator":
        members = [_name_strategy(each, {}) for _, each in parameters["annotators"]]
        return f"texts were annotated by the majority of {join_words(members)}"
    if kind == "CascadeAnnotator":
        cheap, dear = (_name_strategy(parameters[n], {}) for n in ("cheap", "dear"))
        return f"texts were annotated by {cheap}, in doubt by {dear}"
    name = _name_strategy(strategy, {}, usage.get("annotator"))
    return f"texts were annotated by {name}"


def _name_strategy(strategy, known, answering=""):
    """An interpreter or annotator in words, with its model if it has one."""
    kind, parameters = _read_estimator(strategy)
    model = parameters.get("model")
    if model is None:
        return known.get(kind, _name(kind))
    asked = f"the model {_name(model)}"
    answered = f", answered by {answering}" if answering else ""
    return f"{asked} ({kind}{answered})"


def _list_answering(usage):
    """By role what the provider calls the models that answered."""
    rows = zip(usage["role"], usage["answered_by"], strict=True)
    return {role: str(name) for role, name in rows if isinstance(name, str) and name}


def _describe_seeds(provenance):
    seeds = {
        name: seed
        for name, seed in provenance.get("seeds", {}).items()
        if name != "random_state" and name.count("__") == 1
    }
    values = set(map(str, seeds.values()))
    if not seeds:
        return ""
    if values == {"None"}:
        return "no random seed was set for the fit"
    if len(values) == 1 and min(values).isdecimal():
        return f"the random seed of the fit was {values.pop()}"
    return ""


def _name(value):
    """A model, a class or a function, as short as it can be told."""
    kind, _ = _read_estimator(value)
    return to_printable(kind)
