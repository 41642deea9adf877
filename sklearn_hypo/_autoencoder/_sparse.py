"""`SparseAutoencoderTransformer`: embeddings in, sparse activations out."""

from .._utils._validation import _fit_context
from ._base import BaseSparseAutoencoder


class SparseAutoencoderTransformer(BaseSparseAutoencoder):
    r"""Describe embeddings by a few active neurons each.

    Learns an overcomplete dictionary in which every embedding x is nearly a sum of a
    few directions, by minimizing the fraction of variance unexplained

    .. math:: \min_{E, c, D, b} \frac{1}{p} \sum_{m \in prefixes}
              \frac{\sum_i \lVert x_i - b - a_i^{(m)} D \rVert^2}
                   {\sum_i \lVert x_i - \bar x \rVert^2},
              \quad a_i = S_k(E (x_i - b) + c)

    with unit rows :math:`D_j`, :math:`S_k` keeping the largest positive
    pre-activations (k per row), and :math:`a^{(m)}` the first m neurons alone.

    Parameters
    ----------
    n_neurons : int or "auto", default="auto"
        Size of the dictionary: more neurons are finer and rarer concepts. "auto"
        follows the number of rows that `fit` is given, or the first chunk of
        `partial_fit`: 128 up to 5,000, 256 for 10,000, 1,024 for 100,000; at least
        `k`. Integer `prefix_lengths` say it themselves.

    k : int or "auto", default="auto"
        Active neurons per row: of every row for `sparsity="topk"`, on average for
        "batch_topk". "auto": 8, with fewer than 64 neurons 4.

    n_fits : int, default=1
        So many autoencoders of `n_neurons` neurons are fitted, from seeds of their own,
        and their neurons stand side by side: what one seed misses another finds, and
        what all of them find is no accident (`n_found_`). The first is the one that
        ``n_fits=1`` gives. Reconstructions are the mean of theirs.

    prefix_lengths : sequence of int or of float, default=None
        Matryoshka prefixes: the first neurons of each length have to reconstruct the
        embedding on their own, which makes them broad and the later ones fine.
        Increasing; the last is `n_neurons`. Fractions of `n_neurons`, such as
        ``(0.125, 1.0)``, stay valid when a grid search changes `n_neurons`. None:
        one level.

    sparsity : {"batch_topk", "topk"}, default="batch_topk"
        "batch_topk" spends the k active neurons where they explain most: k per row
        on average, by one threshold that is calibrated after training. It halves
        the difference between training and validation rows, if there are any, since
        new rows activate more neurons than rows that were trained on. "topk" keeps
        exactly the k largest of each row (fewer if fewer are positive).

    engine : {"auto", "dense", "sparse"}, default="auto"
        How products with the activations are computed: over all entries, or over the
        active ones. "auto": "sparse" on a CPU from 8 neurons per active one on. The
        results differ by rounding only.

    max_epochs : int or "auto", default="auto"
        Passes over the training rows. "auto": as many as make 576 steps, from 5 to 100:
        10 for 16,000 rows, 5 from 60,000 on.

    max_time : float or None, default=None
        Seconds of training epochs, at most, in equal parts for the fits; the learning
        rate falls in time for it. The start (k-means) and the calibration come on top.
        A fit that runs into this limit depends on the machine as well as on the seed.

    batch_size : int or "auto", default="auto"
        Rows per step. "auto": a power of two from 64 to 512, about a fiftieth of the
        rows; 2,048 for `n_neurons` above 4,096.

    learning_rate : float or "auto", default="auto"
        Peak learning rate of Adam, reached after 5 % of the steps and lowered
        linearly to zero over the last 50 %. "auto" is
        :math:`6 \cdot 10^{-4} \sqrt{2^{14} / n_{neurons}}`.

    validation_fraction : float or None, default=0.1
        Share of the rows, at most 20,000, set aside to decide when to stop and which
        weights to keep. Not used if `fit` is given `X_val`. None trains on all rows for
        all epochs and keeps the last weights.

    n_iter_no_change : int or None, default=5
        Stop after this many epochs without a smaller validation error. None never
        stops early; the best weights are kept all the same.

    aux_k : int or None, default=None
        Dead neurons per row that the auxiliary loss trains on what the others left
        unexplained. None: 2 * `k`.

    aux_coefficient : float, default=1/32
        Weight of the auxiliary loss. It is 0 whenever no neuron is dead, that is,
        silent for as many samples as one epoch has (at most 250,000).

    output : {"dense", "sparse"}, default="dense"
        What `transform` returns: float32, dense (a text-labelled frame for a
        text-labelled frame), or a CSR array, which holds no texts.

    device : str, default="auto"
        Torch device to train on. "auto": "cuda" if there is a GPU for it, else "mps"
        (Apple's GPU), else "cpu". `transform` runs on the CPU.

    warm_start : bool, default=False
        Start `fit` from the weights of the previous one, each fit from its own.

    random_state : int, RandomState instance or None, default=None
        Seeds the validation split, the initialization and the order of the batches.
        The same seed gives the same weights, to the bit on processors of one kind. The
        seeds of further fits are drawn from it.

    Attributes
    ----------
    n_fits_ : int
        Number of fits.

    n_neurons_ : int
        Number of neurons of each fit, settled. `partial_fit` and a warm start keep
        what "auto" was settled to.

    k_ : int
        Active neurons per row, settled likewise.

    components_ : ndarray of shape (n_fits * n_neurons, `n_features_in_`)
        Decoder: the unit-length direction of each neuron, one fit after the other.

    encoder_coef_ : ndarray of shape (n_fits * n_neurons, `n_features_in_`)
        Encoder weights.

    encoder_intercept_ : ndarray of shape (n_fits * n_neurons,)
        Encoder intercepts, in units of the embeddings.

    decoder_intercept_ : ndarray of shape (`n_features_in_`,), or one row per fit
        The offset b, of several fits one each.

    threshold_ : float, ndarray of shape (n_fits,) or None
        Smallest activation, in units of the embeddings, of several fits one each; None
        for `sparsity="topk"`.

    n_found_ : ndarray of int of shape (n_fits * n_neurons,)
        For several fits only: in how many of them each neuron was found. It was in its
        own, and in every other one that has a neuron whose activations on the rows of
        `fit` (20,000 evenly spaced ones if there are more) correlate with its own at
        0.7 or more. 0 for neurons that are never active.

    mean_ : ndarray of shape (`n_features_in_`,)
        Mean of the training rows (of 32,768 evenly spaced ones if there are more); of
        several fits, which set aside other rows, the mean.

    variance_ : float
        Mean squared distance of a training row from `mean_`: the fixed denominator
        of `score` and of every error in `history_`. Of several fits the mean.

    history_ : DataFrame
        One row per epoch: "epoch", "learning_rate", "loss" (training, mean over the
        prefixes), "validation_error" (fraction of variance unexplained by all
        neurons; NaN without validation rows) and "n_dead". For several fits "fit",
        from 1, comes first.

    dead_neurons_ : ndarray of shape (n_dead,)
        Indices of the neurons that no training row activates (of evenly spaced rows,
        at least 50,000, if there are more).

    n_iter_ : int
        Epochs that were run, of all fits; chunks, with `partial_fit`.

    n_steps_ : int
        Steps that were taken, of all fits.

    n_samples_seen_ : int
        Rows that were trained on, each time counted.

    n_features_in_ : int
        Number of embedding dimensions.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if they have any.

    See Also
    --------
    TextEmbedder : Computes the embeddings.
    NeuronSelector : Keeps the neurons that predict a target.

    References
    ----------
    Makhzani and Frey 2014, "k-Sparse Autoencoders" (arXiv 1312.5663); Gao et al. 2024
    (arXiv 2406.04093); Bussmann, Leask and Nanda 2024, "BatchTopK Sparse Autoencoders"
    (arXiv 2412.06410); Bussmann et al. 2025, "Learning Multi-Level Features with
    Matryoshka Sparse Autoencoders" (arXiv 2503.17547).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import SparseAutoencoderTransformer
    >>> rng = np.random.default_rng(0)
    >>> concepts = rng.standard_normal((12, 20))
    >>> X = (rng.random((600, 12)) < 0.15) @ concepts
    >>> sae = SparseAutoencoderTransformer(n_neurons=16, k=2, random_state=0).fit(X)
    >>> sae.transform(X).shape
    (600, 16)
    >>> sae.score(X) > 0.8
    True
    """

    def __init__(
        self,
        n_neurons="auto",
        k="auto",
        *,
        n_fits=1,
        prefix_lengths=None,
        sparsity="batch_topk",
        engine="auto",
        max_epochs="auto",
        max_time=None,
        batch_size="auto",
        learning_rate="auto",
        validation_fraction=0.1,
        n_iter_no_change=5,
        aux_k=None,
        aux_coefficient=1 / 32,
        output="dense",
        device="auto",
        warm_start=False,
        random_state=None,
    ):
        self.n_neurons = n_neurons
        self.k = k
        self.n_fits = n_fits
        self.prefix_lengths = prefix_lengths
        self.sparsity = sparsity
        self.engine = engine
        self.max_epochs = max_epochs
        self.max_time = max_time
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.aux_k = aux_k
        self.aux_coefficient = aux_coefficient
        self.output = output
        self.device = device
        self.warm_start = warm_start
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, X_val=None):
        """Train the autoencoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings. Memory maps, and anything with `shape`, `dtype` and slices of
            rows, are read piece by piece and never copied as a whole.
        y : None
            Ignored.
        X_val : array-like of shape (n_val, n_features), default=None
            Validation rows, used instead of `validation_fraction`.

        Returns
        -------
        self : SparseAutoencoderTransformer
            The fitted transformer.

        Raises
        ------
        ValueError
            For NaN or infinite embeddings, fewer than two rows, rows that are all
            equal, and sizes that do not fit each other.
        FloatingPointError
            If training diverges.
        """
        return self._fit(X, X_val)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Go on training with a chunk of rows.

        One pass over the chunk in its order, so shuffle before. The first chunk sets
        the mean, the variance and where the neurons start; it should hold some rows
        per neuron. The learning rate stays at its peak after 64 steps, and
        `components_` and the other weights are averages over the last thousand
        steps. After `fit`, it goes on from the weights found there; `fit` itself
        starts anew.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings of the chunk.
        y : None
            Ignored.

        Returns
        -------
        self : SparseAutoencoderTransformer
            The transformer, usable after any chunk.

        Raises
        ------
        ValueError
            As `fit` does, if `n_neurons` or the number of embedding dimensions
            changes between chunks, and for `n_fits` above 1.
        FloatingPointError
            If training diverges; the transformer stays as it was.
        """
        self._partial_fit(X)
        return self

    def score(self, X, y=None, sample_weight=None):
        """Compute the explained variance; see `explained_variance`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings, as in `transform`.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            At most 1; 0 is as good as the training mean.
        """
        return self.explained_variance(X, sample_weight)
