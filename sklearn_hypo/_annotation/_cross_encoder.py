"""`CrossEncoderAnnotator`: annotation by a model that reads statement and text."""

import contextlib
import os
from numbers import Integral, Real

import numpy as np
import pandas as pd
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._embedding._cross_encoder import PairEncoder, join_pair
from .._embedding._encode import EncodingSettings, encode
from .._embedding._windows import count_share
from .._hypotheses._hypothesis import as_hypotheses
from .._utils._validation import Interval, StrOptions, check_texts
from .._utils._warnings import warn
from ._calibration import (
    calibrate_thresholds,
    check_can_calibrate,
    draw_calibration_rows,
)
from ._cells import check_cells

# Pairs that are made, and sorted by length, at a time.
_PAIRS_AT_ONCE = 50_000

_TEMPLATES = {"nli": "The text {statement}.", "reranker": "{statement}"}


class CrossEncoderAnnotator(BaseEstimator):
    r"""Annotate a text with a hypothesis if a cross-encoder says so.

    A cross-encoder reads statement and text together, where `EmbeddingAnnotator`
    compares what was made of each alone. No server and no key is needed, and no text
    leaves the machine; a GPU makes it quick. Two kinds of model serve:

    - Models of natural-language inference judge whether the text (the premise)
      entails the statement. The score is the probability of entailment among the
      labels, :math:`s = e^{z_e} / \sum_l e^{z_l}` with the model's outputs z.
    - Rerankers have one output, which says how well a text answers a query (the
      statement): :math:`s = 1 / (1 + e^{-z})`.

    The hypothesis holds where the score is at least the threshold.

    Parameters
    ----------
    model : str or path
        The name of a `CrossEncoder` of sentence-transformers on the Hugging Face hub,
        which that library downloads, or a local folder.
    template : str, default="auto"
        What is made of a statement, with "{statement}" in its place. "auto":
        "The text {statement}." for inference, the statement itself for a reranker.
    threshold : float or "auto", default="auto"
        A number between 0 and 1 is one for all hypotheses. "auto" calibrates one per
        hypothesis: the score at which the annotation correlates best with the neuron
        being active, over training texts. The target takes no part.
    max_calibrated : int or None, default=2_000
        Training texts, drawn at random, that are scored for it. None: all.
    batch_size : int or "auto", default="auto"
        Most pairs in a batch. "auto": as many as fill some thousand tokens.
    max_length : int or None, default=None
        Most tokens of statement and text together; longer texts are cut. None: what
        the model can read; then texts that are cut are warned about.
    device : str, default="auto"
        Where to compute. "auto": a GPU if there is one.
    compute_dtype : {"float32", "bfloat16"}, default="float32"
        As in `TextEmbedder`: "bfloat16" is quicker where the processor has it, and
        good to two or three digits.
    revision : str or None, default=None
        Branch, tag or commit of a model on the hub. None: its main branch.
    cache : str, path or None, default=None
        Folder on a local disk where scores are kept for good, for all processes. In
        any case the last million of them are remembered by the process.
    show_progress_bar : bool or "auto", default="auto"
        As in `TextEmbedder`.

    Attributes
    ----------
    kind_ : {"nli", "reranker"}
        What the model was found to be.
    hypotheses_ : list of Hypothesis
        What is looked for.
    thresholds_ : ndarray of shape (n_hypotheses,)
        The threshold of each; infinite if no score speaks for its neuron.
    model_identity_ : dict
        What tells the model from any other: the SHA-256 of its files, or its revision
        on the hub.

    See Also
    --------
    EmbeddingAnnotator : Needs one pass of a model per text, not per text and
        hypothesis.
    LLMAnnotator : Asks a language model.
    CascadeAnnotator : Asks somebody else where the score is near the threshold.

    Notes
    -----
    Blank texts have no property and are not scored. On a CPU each thread computes
    batches of its own, as `TextEmbedder` does, and scores do not depend on how many
    there are.

    References
    ----------
    Yin, Hay and Roth 2019, "Benchmarking Zero-shot Text Classification" (arXiv
    1909.00161), for inference as a judge of statements; Nogueira and Cho 2019,
    "Passage Re-ranking with BERT" (arXiv 1901.04085), for rerankers.

    Examples
    --------
    A model of any size, made on the spot; its weights are random, so what it says
    means nothing:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from transformers import BertConfig, BertForSequenceClassification
    >>> from transformers import BertTokenizerFast
    >>> from sklearn_hypo import CrossEncoderAnnotator
    >>> words = "[PAD] [UNK] [CLS] [SEP] [MASK] the text expresses thanks ! so tired ."
    >>> config = BertConfig(
    ...     vocab_size=13, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
    ...     intermediate_size=8, id2label={0: "contradiction", 1: "entailment"},
    ...     label2id={"contradiction": 0, "entailment": 1},
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "vocab.txt").write_text(words.replace(" ", "\n"))
    ...     _ = BertTokenizerFast(f"{folder}/vocab.txt").save_pretrained(folder)
    ...     BertForSequenceClassification(config).save_pretrained(folder)
    ...     annotator = CrossEncoderAnnotator(folder, threshold=0.0, device="cpu")
    ...     marks = annotator.fit([], ["expresses thanks"]).annotate(["thanks !", " "])
    >>> annotator.kind_, marks.tolist()
    ('nli', [[1.0], [0.0]])
    """

    _parameter_constraints = {
        "model": [str, os.PathLike],
        "template": [str],
        "threshold": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
        "max_calibrated": [Interval(Integral, 2, None, closed="left"), None],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "max_length": [Interval(Integral, 4, None, closed="left"), None],
        "device": [str],
        "compute_dtype": [StrOptions({"float32", "bfloat16"})],
        "revision": [str, None],
        "cache": [str, os.PathLike, None],
        "show_progress_bar": ["boolean", StrOptions({"auto"})],
    }

    def __init__(
        self,
        model,
        *,
        template="auto",
        threshold="auto",
        max_calibrated=2_000,
        batch_size="auto",
        max_length=None,
        device="auto",
        compute_dtype="float32",
        revision=None,
        cache=None,
        show_progress_bar="auto",
    ):
        self.model = model
        self.template = template
        self.threshold = threshold
        self.max_calibrated = max_calibrated
        self.batch_size = batch_size
        self.max_length = max_length
        self.device = device
        self.compute_dtype = compute_dtype
        self.revision = revision
        self.cache = cache
        self.show_progress_bar = show_progress_bar

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        """Load the model, and find the thresholds.

        Parameters
        ----------
        texts : sequence of str of length n_texts
            The training texts; not looked at if `threshold` is a number.
        hypotheses : sequence of Hypothesis or str
            What to look for.
        activations : ndarray of shape (n_texts, n_hypotheses), default=None
            Of the neurons described; needed for `threshold="auto"`.
        random_state : object
            Not used: which texts are scored depends on the texts alone, so that folds
            share most of their scores.

        Returns
        -------
        self : CrossEncoderAnnotator
            Ready to annotate.

        Raises
        ------
        ValueError
            If the model cannot be loaded, or is of neither kind; for a template
            without "{statement}"; for `threshold="auto"` without activations.
        ImportError
            If sentence-transformers cannot be imported.
        """
        self._validate_params()
        check_can_calibrate(self.threshold, activations, caller=type(self).__name__)
        encoder = self._make_encoder()
        self._entailment = find_entailment(encoder.read_labels(), self.model)
        self.kind_ = "reranker" if self._entailment is None else "nli"
        self.model_identity_ = encoder.identity()
        self.hypotheses_ = as_hypotheses(hypotheses, caller=type(self).__name__)
        template = _TEMPLATES[self.kind_] if self.template == "auto" else self.template
        if "{statement}" not in template:
            raise ValueError(
                f"template={template!r} must hold {{statement}}, in the place of which "
                "the statement is put."
            )
        self._statements = [
            template.replace("{statement}", h.statement) for h in self.hypotheses_
        ]
        if self.threshold == "auto":
            self.thresholds_ = self._calibrate(texts, activations)
        else:
            self.thresholds_ = np.full(len(self.hypotheses_), float(self.threshold))
        return self

    def _calibrate(self, texts, activations):
        texts = check_texts(texts, caller=type(self).__name__)
        rows = np.flatnonzero([bool(text.strip()) for text in texts])
        most = len(rows) if self.max_calibrated is None else self.max_calibrated
        rows = rows[draw_calibration_rows(texts[rows], 0, most)]
        return calibrate_thresholds(self._score(texts[rows]), activations[rows])

    def annotate(self, texts):
        """Annotate texts.

        Parameters
        ----------
        texts : sequence of str
            Any texts; equal ones are scored once.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            1.0 or 0.0, never NaN.
        """
        return self.annotate_cells(texts)

    def annotate_cells(self, texts, where=None):
        """Annotate some cells of the table of texts and hypotheses.

        Parameters
        ----------
        texts : sequence of str
            As in `annotate`.
        where : ndarray of bool of shape (n_texts, n_hypotheses), default=None
            Which cells to annotate. None: all.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            As `annotate` returns them; NaN where `where` is False.
        """
        margins = self.decision_function(texts, where)
        return np.where(np.isnan(margins), np.nan, margins >= 0)

    def decision_function(self, texts, where=None):
        """Return how far each text is on the side of yes.

        Parameters
        ----------
        texts : sequence of str
            As in `annotate`.
        where : ndarray of bool of shape (n_texts, n_hypotheses), default=None
            Which cells are wanted. None: all.

        Returns
        -------
        margins : ndarray of shape (n_texts, n_hypotheses)
            Score minus threshold: yes from 0 on. -inf for blank texts, and where no
            threshold was found; NaN where `where` is False.
        """
        check_is_fitted(self, "thresholds_")
        texts = check_texts(texts, caller=type(self).__name__, may_be_empty=True)
        where = check_cells(where, texts, self.hypotheses_)
        return self._score(texts, where) - self.thresholds_

    def _score(self, texts, where=None):
        """Return the score of every cell that is wanted; -inf for blank texts."""
        shape = (len(texts), len(self._statements))
        wanted = np.ones(shape, dtype=bool) if where is None else where
        scores = np.where(wanted, -np.inf, np.nan)
        worded = np.array([bool(text.strip()) for text in texts], dtype=bool)
        columns, rows = np.nonzero((wanted & worded[:, None]).T)
        for start in range(0, len(rows), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            scores[rows[part], columns[part]] = self._score_pairs(
                [texts[i] for i in rows[part]],
                [self._statements[j] for j in columns[part]],
            )
        self._warn_of_cuts([text for text in texts if text.strip()])
        return scores

    def _warn_of_cuts(self, texts):
        encoder = self._make_encoder()
        # whoever sets a length knows of it; where all is in the cache, somebody does
        if self.max_length is not None or not encoder.is_loaded():
            return
        n_cut = len(encoder.find_long_beside(texts, self._statements))
        if n_cut:
            warn(
                f"{type(self).__name__}({encoder.name}): "
                f"{count_share(n_cut, len(texts))} are longer, beside a statement, "
                f"than what the model reads ({encoder.limit}). They are cut: only "
                "their beginnings are judged. Name a model that reads more, or make "
                "shorter texts of each with split_documents."
            )

    def _score_pairs(self, texts, statements):
        # a text is the premise of a statement, a statement the query for a text
        pair = (texts, statements) if self.kind_ == "nli" else (statements, texts)
        pairs = np.array([*map(join_pair, *pair)], dtype=object)
        codes, distinct = pd.factorize(pairs)
        settings = EncodingSettings(
            self.batch_size,
            normalize=False,
            cache=self.cache,
            show_progress_bar=self.show_progress_bar,
        )
        outputs = encode(
            self._make_encoder(), distinct.tolist(), settings, contextlib.nullcontext
        ).astype(np.float64)
        if self.kind_ == "nli":
            return softmax(outputs, axis=1)[codes, self._entailment]
        return expit(outputs[codes, 0])

    def _make_encoder(self):
        return PairEncoder(
            os.fspath(self.model),
            device=self.device,
            compute_dtype=self.compute_dtype,
            revision=self.revision,
            max_length=self.max_length,
        )


def find_entailment(labels, model):
    """Return which output stands for entailment, or None for a model with one output.

    Raise if there are several outputs, and not exactly one is named after it.
    """
    if len(labels) == 1:
        return None
    found = [i for i, name in enumerate(labels) if name.lower().startswith("entail")]
    if len(found) != 1:
        raise ValueError(
            f"model={str(model)!r} has {len(labels)} outputs, named "
            f"{', '.join(labels)}. CrossEncoderAnnotator needs a model with one output "
            "(a reranker), or one of natural-language inference, of whose outputs "
            "one is named 'entailment' (in id2label of its config.json)."
        )
    return found[0]
