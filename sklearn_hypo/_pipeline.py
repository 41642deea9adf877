"""`make_hypothesis_pipeline`: the four steps, sized for the data."""

from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline

from ._autoencoder._plan import choose_size
from ._autoencoder._sparse import SparseAutoencoderTransformer
from ._autoencoder._supervised import SupervisedSAETransformer
from ._embedding._text_embedder import TextEmbedder
from ._extraction._extractor import HypothesisExtractor
from ._selection._neuron_selector import NeuronSelector
from ._utils._validation import Interval, StrOptions, validate_params


@validate_params(
    {
        "n_texts": [Interval(Integral, 1, None, closed="left")],
        "n_neurons": [Interval(Integral, 1, None, closed="left"), None],
        "k": [Interval(Integral, 1, None, closed="left"), None],
        "n_select": [Interval(Integral, 1, None, closed="left"), StrOptions({"all"})],
        "supervised": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_hypothesis_pipeline(
    model="auto",
    *,
    n_texts=10_000,
    n_neurons=None,
    k=None,
    n_select=20,
    method="lasso",
    interpreter=None,
    annotator=None,
    supervised=False,
    task="auto",
    cache="auto",
    random_state=None,
):
    """Build the pipeline from texts to hypotheses, with sizes for the number of texts.

    Parameters
    ----------
    model : str, callable, transformer or list of these, default="auto"
        The embedding; see `TextEmbedder`. "auto" is "minilm" where the extra of that
        name is installed and the texts are in Latin letters, else "lsa".
    n_texts : int, default=10_000
        About how many training texts there will be. Decides `n_neurons` and `k` where
        they are None: 64 and 4 for 1,000 texts, 256 and 8 for 10,000, 1,024 and 8
        for 100,000. For `model="lsa"`, half as many components as neurons are
        learned, from 16 to 384: fewer tie more words into one concept.
    n_neurons, k : int or None, default=None
        Size and sparsity of the autoencoder.
    n_select : int or "all", default=20
        Number of hypotheses, at most `n_neurons`.
    method : str or callable, default="lasso"
        How neurons are selected; see `NeuronSelector`.
    interpreter, annotator : objects or None, default=None
        See `HypothesisExtractor`. None: the lexicon.
    supervised : bool, default=False
        Whether the autoencoder learns about the target too
        (`SupervisedSAETransformer` with ``alpha=0.3``, as many neurons supervised as
        are selected): its hypotheses predict more. False:
        `SparseAutoencoderTransformer`, by which the target enters only when neurons
        are selected.
    task : {"auto", "regression", "classification"}, default="auto"
        Used by all steps that see the target.
    cache : str, path-like or None, default="auto"
        Folder for embeddings; see `TextEmbedder`.
    random_state : int, RandomState instance or None, default=None
        Given to every step.

    Returns
    -------
    pipeline : Pipeline
        Steps "embed", "sae", "select" and "hypotheses".

    Examples
    --------
    >>> from sklearn_hypo import make_hypothesis_pipeline
    >>> pipe = make_hypothesis_pipeline(n_texts=1000, random_state=0)
    >>> [name for name, _ in pipe.steps]
    ['embed', 'sae', 'select', 'hypotheses']
    >>> pipe["sae"].n_neurons, pipe["sae"].k
    (64, 4)
    """
    n_neurons, k = choose_size(n_texts, n_neurons or "auto", k or "auto")
    if n_select != "all":
        n_select = min(n_select, n_neurons)
    n_components = int(np.clip(n_neurons // 2, 16, 384))
    return Pipeline(
        [
            (
                "embed",
                TextEmbedder(
                    model,
                    n_components=n_components,
                    cache=cache,
                    random_state=random_state,
                ),
            ),
            (
                "sae",
                _make_autoencoder(
                    n_neurons, k, supervised, n_select, task, random_state
                ),
            ),
            ("select", NeuronSelector(n_select, method=method, task=task)),
            (
                "hypotheses",
                HypothesisExtractor(
                    interpreter, annotator, task=task, random_state=random_state
                ),
            ),
        ]
    )


def _make_autoencoder(n_neurons, k, supervised, n_select, task, random_state):
    if not supervised:
        return SparseAutoencoderTransformer(
            n_neurons,
            k,
            prefix_lengths=(1 / 32, 1 / 8, 1.0),
            random_state=random_state,
        )
    return SupervisedSAETransformer(
        n_neurons,
        k,
        # more predicts more, and bends the neurons of concepts that are there
        alpha=0.3,
        n_supervised=None if n_select == "all" else n_select,
        task=task,
        random_state=random_state,
    )
