"""`make_hypothesis_pipeline`: the steps, sized for the data."""

from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ._annotation._lexicon import LexiconAnnotator
from ._autoencoder._plan import choose_size
from ._autoencoder._sparse import SparseAutoencoderTransformer
from ._autoencoder._supervised import SupervisedSAETransformer
from ._embedding._text_embedder import TextEmbedder
from ._extraction._extractor import HypothesisExtractor
from ._interpretation._lexicon import LexiconInterpreter
from ._selection._neuron_selector import NeuronSelector
from ._style._features import StyleFeatures
from ._style._term_features import TermFeatures
from ._utils._target_scale import TARGET_SCALES
from ._utils._validation import Interval, StrOptions, validate_params

# Chosen on validation rows of seven data sets. More fits gain little.
_N_FITS = 5

# So many columns are put into words for every hypothesis that is kept; more with terms,
# lest neurons make room for words that are a part of what they say.
_CANDIDATES_PER_HYPOTHESIS = 2
_CANDIDATES_WITH_TERMS = 4
# ...of which so many are terms that the lasso picks among terms alone
_TERM_SHARE = 0.25


@validate_params(
    {
        "n_texts": [Interval(Integral, 1, None, closed="left"), None],
        "n_neurons": [Interval(Integral, 1, None, closed="left"), None],
        "k": [Interval(Integral, 1, None, closed="left"), None],
        "n_select": [Interval(Integral, 1, None, closed="left"), StrOptions({"all"})],
        "supervised": ["boolean"],
        "style": ["boolean"],
        "terms": ["boolean", StrOptions({"auto"})],
        "n_fits": [Interval(Integral, 1, None, closed="left")],
        "target_scale": [StrOptions(set(TARGET_SCALES))],
        "pool": [StrOptions({"chunks"}), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_hypothesis_pipeline(
    model="auto",
    *,
    n_texts=None,
    n_neurons=None,
    k=None,
    n_select=20,
    method="lasso",
    interpreter=None,
    annotator=None,
    supervised=True,
    style=True,
    terms="auto",
    tokenizer="auto",
    n_fits=_N_FITS,
    task="auto",
    target_scale="auto",
    pool=None,
    cache="auto",
    random_state=None,
):
    """Build the pipeline from texts to hypotheses.

    Parameters
    ----------
    model : str, callable, transformer or list of these, default="auto"
        The embedding; see `TextEmbedder`. "auto" is "minilm" where the extra of that
        name is installed and the texts are in Latin letters, else "lsa".
    n_texts : int or None, default=None
        About how many training texts there will be, where sizes are to be fixed before
        they are known. None: `fit` counts them.
    n_neurons, k : int or None, default=None
        Size and sparsity of each autoencoder. None: decided by the number of texts,
        see `SparseAutoencoderTransformer`. For `model="lsa"`, half as many components
        as neurons are learned, from 16 to 384 (128 where the neurons are not known
        yet): fewer tie more words into one concept.
    n_select : int or "all", default=20
        Number of hypotheses. With the free interpreter and annotator, four times as
        many columns, a quarter of them terms (twice, without `terms`), are put into
        words, and the hypotheses are chosen among these (see `n_hypotheses` of
        `HypothesisExtractor`). Else as many columns.
    method : str or callable, default="lasso"
        How neurons are selected; see `NeuronSelector`.
    interpreter, annotator : objects or None, default=None
        See `HypothesisExtractor`. None: dictionaries, for which words are embedded by
        the same `model`.
    supervised : bool, default=True
        Whether the autoencoder learns about the target too
        (`SupervisedSAETransformer` with ``alpha="auto"``, as many neurons supervised as
        hypotheses are wanted): its hypotheses predict more. False:
        `SparseAutoencoderTransformer`, by which the target enters only when neurons
        are selected.
    style : bool, default=True
        Whether the measures of `StyleFeatures` stand beside the neurons.
    terms : bool or "auto", default="auto"
        Whether the words and pairs of words of `TermFeatures` stand beside the neurons.
        "auto": with the free interpreter and annotator.
    tokenizer : str or callable, default="auto"
        How all steps that read words cut texts into them; see `TextEmbedder`.
    n_fits : int, default=5
        Autoencoders whose neurons are pooled; hypotheses vary less with the seed.
    task : {"auto", "regression", "classification"}, default="auto"
        Used by all steps that see the target.
    target_scale : {"auto", "identity", "log1p"}, default="auto"
        What these steps learn of a quantity: y itself, or log(1 + y), which keeps a few
        very large counts from deciding everything. "auto": log(1 + y) for counts, by
        the rule of `evaluate_hypotheses`, else y itself.
    pool : {"chunks"} or None, default=None
        What is made of texts that are longer than the model reads: see `TextEmbedder`.
    cache : str, path-like or None, default="auto"
        Folder for embeddings; see `TextEmbedder`.
    random_state : int, RandomState instance or None, default=None
        Given to every step.

    Returns
    -------
    pipeline : Pipeline
        Steps "embed", "sae", "style" and "terms" (where they are wanted), "select" and
        "hypotheses".

    Examples
    --------
    >>> from sklearn_hypo import make_hypothesis_pipeline
    >>> pipe = make_hypothesis_pipeline(n_texts=1000, random_state=0)
    >>> [name for name, _ in pipe.steps]
    ['embed', 'sae', 'style', 'terms', 'select', 'hypotheses']
    >>> pipe["sae"].n_neurons, pipe["sae"].k
    (128, 8)
    """
    if n_texts is not None:
        chosen = choose_size(n_texts)
        n_neurons = chosen[0] if n_neurons is None else n_neurons
        k = min(n_neurons, chosen[1]) if k is None else k
    embedder = TextEmbedder(
        model,
        n_components=int(np.clip((n_neurons or 256) // 2, 16, 384)),
        tokenizer=tokenizer,
        pool=pool,
        cache=cache,
        random_state=random_state,
    )
    is_free = interpreter is None and (
        annotator is None or isinstance(annotator, LexiconAnnotator)
    )
    terms = is_free if terms == "auto" else terms
    n_selected, term_share, n_hypotheses = n_select, 0.0, None
    if is_free and n_select != "all":
        per_hypothesis = _CANDIDATES_WITH_TERMS if terms else _CANDIDATES_PER_HYPOTHESIS
        n_selected, n_hypotheses = per_hypothesis * n_select, n_select
        term_share = _TERM_SHARE if terms else 0.0
    if interpreter is None:
        interpreter = LexiconInterpreter(embedder=clone(embedder), tokenizer=tokenizer)
    steps = {
        "embed": embedder,
        "sae": _make_autoencoder(
            n_neurons or "auto", k or "auto", supervised, n_select, n_fits, task,
            target_scale, random_state,
        ),
        "style": StyleFeatures(passthrough=True) if style else None,
        "terms": TermFeatures(tokenizer=tokenizer, passthrough=True) if terms else None,
        "select": NeuronSelector(
            n_selected,
            method=method,
            task=task,
            target_scale=target_scale,
            term_share=term_share,
        ),
        "hypotheses": HypothesisExtractor(
            interpreter,
            annotator,
            n_hypotheses=n_hypotheses,
            task=task,
            target_scale=target_scale,
            random_state=random_state,
        ),
    }  # fmt: skip
    return Pipeline([(name, step) for name, step in steps.items() if step is not None])


def _make_autoencoder(
    n_neurons, k, supervised, n_select, n_fits, task, target_scale, random_state
):
    if not supervised:
        return SparseAutoencoderTransformer(
            n_neurons,
            k,
            n_fits=n_fits,
            prefix_lengths=(1 / 32, 1 / 8, 1.0),
            random_state=random_state,
        )
    return SupervisedSAETransformer(
        n_neurons,
        k,
        n_fits=n_fits,
        alpha="auto",
        n_supervised=None if n_select == "all" else n_select,
        task=task,
        target_scale=target_scale,
        random_state=random_state,
    )
