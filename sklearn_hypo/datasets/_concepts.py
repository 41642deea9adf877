"""Texts with planted concepts of known effect on a target."""

import re
from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from scipy.special import expit
from sklearn.utils import Bunch, check_random_state

from .._utils._validation import Interval, StrOptions, check_texts, validate_params
from ._concept_bank import ASIDES, CONCEPTS, SENTENCES

_CALLER = "make_concept_texts"
_FILLER_SENTENCES = (2, 3, 4)
_ASIDE_RATE = 0.2  # of the generated texts have one
_STRONGEST_EFFECT, _WEAKEST_EFFECT = 2.0, 1.0


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left"), None],
        "n_concepts": [Interval(Integral, 1, len(CONCEPTS), closed="both")],
        "concepts": [Mapping, list, tuple, None],
        "forms_per_text": [Interval(Integral, 1, None, closed="left"), tuple, list],
        "prevalence": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "effects": ["array-like", None],
        "noise": [Interval(Real, 0, None, closed="left")],
        "task": [StrOptions({"regression", "classification"})],
        "base_texts": "no_validation",
        "position": [StrOptions({"any", "start", "inside", "end"})],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_concept_texts(
    n_samples=2000,
    *,
    n_concepts=10,
    concepts=None,
    forms_per_text=(2, 4),
    prevalence=0.15,
    effects=None,
    noise=1.0,
    task="regression",
    base_texts=None,
    position="any",
    random_state=None,
):
    r"""Generate texts with planted concepts of known effect on a target.

    Each row has concept j with probability `prevalence`, independently of the others.
    For each concept that a row has, some of the surface forms of that concept, drawn
    without replacement, are put into its text. With the truth matrix :math:`T`, the
    coefficients :math:`\beta`, the intercept :math:`\beta_0` and the scale
    :math:`\sigma` of the noise, the target is

    .. math::

        y = \beta_0 + T\beta + \sigma\varepsilon
        \quad\text{or}\quad
        P(y = 1) = \operatorname{logit}^{-1}\bigl((\beta_0 + T\beta) / \sigma\bigr)

    for regression, where :math:`\varepsilon` is standard normal and
    :math:`\beta_0 = 0`, and for classification, where :math:`\beta_0` centres the
    linear predictor.

    Parameters
    ----------
    n_samples : int or None, default=2000
        The number of texts. With `base_texts`, so many of them are drawn without
        replacement; None then takes them all, in their order.
    n_concepts : int, default=10
        How many of the built-in concepts to plant, at most 14. Ignored where
        `concepts` is given.
    concepts : list of str or dict of str to list or tuple of str, default=None
        Names of built-in concepts, or concepts of your own: for each name the surface
        forms.
    forms_per_text : int or (int, int), default=(2, 4)
        How many forms of a concept a text has, or between which numbers a uniform
        draw decides; at most all of them. That forms meet in a text is what lets an
        embedding learned from the texts, such as LSA, tie them into one concept. With
        1, forms of one concept never meet, and nothing but the target or an embedding
        trained elsewhere can tell that they belong together.
    prevalence : float or array-like of shape (n_concepts,), default=0.15
        The share of rows that have a concept, one for all or one for each; between
        0 and 1.
    effects : array-like of shape (n_concepts,), default=None
        The true coefficients, in units of y or of the log odds. By default their
        sizes fall from 2 to 1 and their signs alternate.
    noise : float, default=1.0
        The standard deviation of the noise in y or, for classification, the scale of
        the logistic noise; 0 makes the target a function of the truth.
    task : {"regression", "classification"}, default="regression"
        Whether the target is a quantity or one of the classes 0 and 1.
    base_texts : list, array, Series or one-column frame of str, default=None
        Texts to plant into. By default, neutral sentences are generated.
    position : {"any", "start", "inside", "end"}, default="any"
        Where in a text to put a surface form. "inside" is between two sentences of a
        generated text and between two words of a base text; a text that has no
        inside takes it at the end. "any" draws one of the three for each form.
    random_state : int, RandomState instance or None, default=None
        Seeds everything. The texts and the truth do not depend on `effects`, `noise`
        and `task`.

    Returns
    -------
    texts : Bunch
        With the attributes

        data : ndarray of shape (n_samples,) and dtype object
            The texts.
        target : ndarray of shape (n_samples,)
            The target, float64 for regression and int64 for classification.
        truth : ndarray of shape (n_samples, n_concepts) and dtype int64
            1 where a concept was planted, else 0. A base text that spoke of a concept
            beforehand does not count.
        coef : ndarray of shape (n_concepts,)
            The true coefficients.
        intercept : float
            The true intercept.
        concept_names : list of str
            The names of the concepts, in the order of the columns of `truth`.
        surface_forms : dict of str to tuple of str
            The surface forms of each concept.
        base_index : ndarray of shape (n_samples,) and dtype int64, or None
            Which of `base_texts` each row was planted into.

    Raises
    ------
    ValueError
        If a parameter is out of range or has another length than there are concepts,
        a concept is unknown, or there are fewer base texts than `n_samples`.
    TypeError
        If `base_texts` or surface forms are not texts.

    See Also
    --------
    load_tweets : Real texts to plant into.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> texts = make_concept_texts(500, n_concepts=2, noise=0.1, random_state=0)
    >>> texts.concept_names, texts.coef
    (['gratitude', 'refund'], array([ 2., -1.]))
    >>> np.linalg.lstsq(texts.truth, texts.target)[0].round(1)
    array([ 2., -1.])
    >>> planted = make_concept_texts(
    ...     None,
    ...     base_texts=["The door is green."],
    ...     concepts={"surprise": ["what a surprise"]},
    ...     prevalence=0.999,
    ...     position="end",
    ...     random_state=0,
    ... )
    >>> planted.data[0]
    'The door is green. what a surprise'
    """
    forms = _check_concepts(concepts, n_concepts)
    fewest, most = _check_forms_per_text(forms_per_text)
    prevalence = _check_prevalence(prevalence, len(forms))
    coef = _check_effects(effects, len(forms))
    random_state = check_random_state(random_state)
    texts, cuts, base_index = _make_base_texts(base_texts, n_samples, random_state)
    truth = (random_state.uniform(size=(len(texts), len(forms))) < prevalence).astype(
        np.int64
    )
    ending = "." if base_index is None else ""
    planter = _Planter(
        list(forms.values()), (fewest, most), position, ending, random_state
    )
    data = np.empty(len(texts), dtype=object)
    data[:] = [planter(*row) for row in zip(texts, cuts, truth, strict=True)]
    intercept = 0.0 if task == "regression" else float(-(prevalence @ coef))
    target = _draw_target(intercept + truth @ coef, noise, task, random_state)
    return Bunch(
        data=data,
        target=target,
        truth=truth,
        coef=coef,
        intercept=intercept,
        concept_names=list(forms),
        surface_forms=forms,
        base_index=base_index,
    )


def _check_concepts(concepts, n_concepts):
    """Return the surface forms of each concept, by name."""
    if concepts is None:
        concepts = list(CONCEPTS)[:n_concepts]
    if len(concepts) == 0:
        raise ValueError(f"{_CALLER}: concepts is empty; name at least one.")
    if isinstance(concepts, Mapping):
        return {name: _check_forms(name, forms) for name, forms in concepts.items()}
    unknown = [name for name in concepts if name not in CONCEPTS]
    if unknown:
        raise ValueError(
            f"{_CALLER}: there is no built-in concept {unknown[0]!r}. There are: "
            f"{', '.join(CONCEPTS)}. For concepts of your own, pass a dict from names "
            "to lists of surface forms."
        )
    if len(set(concepts)) < len(concepts):
        raise ValueError(f"{_CALLER}: concepts names a concept twice: {concepts!r}.")
    return {name: CONCEPTS[name] for name in concepts}


def _check_forms(name, forms):
    if not isinstance(name, str):
        raise TypeError(f"{_CALLER}: a concept's name must be a str, not {name!r}.")
    listed = isinstance(forms, list | tuple)
    if not listed or not all(isinstance(form, str) for form in forms):
        raise TypeError(
            f"{_CALLER}: the surface forms of concept {name!r} must be a list of str, "
            f"but {forms!r} arrived."
        )
    forms = tuple(form.strip() for form in forms)
    if not forms or not all(forms):
        raise ValueError(
            f"{_CALLER}: concept {name!r} has "
            f"{'an empty surface form' if forms else 'no surface form'}."
        )
    return forms


def _check_forms_per_text(forms_per_text):
    """Return the least and the largest number of forms of a concept in a text."""
    if isinstance(forms_per_text, Integral):
        return int(forms_per_text), int(forms_per_text)
    bounds = list(forms_per_text)
    whole = len(bounds) == 2 and all(isinstance(b, Integral) for b in bounds)
    if not whole or not 1 <= bounds[0] <= bounds[1]:
        raise ValueError(
            f"{_CALLER}: forms_per_text must be a positive integer or two of them, the "
            f"smaller one first, but {forms_per_text!r} arrived."
        )
    return int(bounds[0]), int(bounds[1])


def _check_prevalence(prevalence, n_concepts):
    prevalence = np.asarray(prevalence, dtype=np.float64)
    if prevalence.ndim == 0:
        prevalence = np.full(n_concepts, prevalence)
    _check_one_each(prevalence, n_concepts, "prevalence")
    if not ((prevalence > 0) & (prevalence < 1)).all():
        raise ValueError(
            f"{_CALLER}: prevalence must lie between 0 and 1, but {prevalence} arrived."
        )
    return prevalence


def _check_effects(effects, n_concepts):
    if effects is None:
        sizes = np.linspace(_STRONGEST_EFFECT, _WEAKEST_EFFECT, n_concepts)
        return sizes * (-1.0) ** np.arange(n_concepts)
    effects = np.array(effects, dtype=np.float64)
    _check_one_each(effects, n_concepts, "effects")
    if not np.isfinite(effects).all():
        raise ValueError(f"{_CALLER}: effects must be finite, but {effects} arrived.")
    return effects


def _check_one_each(values, n_concepts, parameter):
    if values.shape != (n_concepts,):
        raise ValueError(
            f"{_CALLER}: {parameter} must have one number for each of the "
            f"{n_concepts} concepts, but an array of shape {values.shape} arrived."
        )


def _make_base_texts(base_texts, n_samples, random_state):
    """Return the texts to plant into, where they can be cut, and their positions."""
    if base_texts is None:
        if n_samples is None:
            raise ValueError(
                f"{_CALLER}: n_samples=None stands for all base texts, but base_texts "
                "is None. Pass the number of texts to generate."
            )
        sentences = [_draw_filler(random_state) for _ in range(n_samples)]
        cuts = [_find_sentence_ends(each) for each in sentences]
        return [" ".join(each) for each in sentences], cuts, None
    base_texts = check_texts(base_texts, caller=_CALLER)
    index = np.arange(len(base_texts))
    if n_samples is not None:
        if n_samples > len(base_texts):
            raise ValueError(
                f"{_CALLER}: n_samples={n_samples} is more than the "
                f"{len(base_texts)} base_texts. Pass n_samples=None to take them all."
            )
        index = random_state.permutation(index)[:n_samples]
    texts = [base_texts[i] for i in index]
    return texts, [_find_word_ends(text) for text in texts], index


def _draw_filler(random_state):
    """Generate the sentences of one neutral text."""
    sentences = [
        " ".join(_draw(slot, random_state) for slot in _draw(SENTENCES, random_state))
        for _ in range(_draw(_FILLER_SENTENCES, random_state))
    ]
    if random_state.uniform() < _ASIDE_RATE:
        place = random_state.randint(len(sentences) + 1)
        sentences.insert(place, _draw(ASIDES, random_state))
    return [f"{sentence}." for sentence in sentences]


def _draw(values, random_state):
    return values[random_state.randint(len(values))]


def _find_sentence_ends(sentences):
    """Return where the sentences end in the text that joins them by spaces."""
    return (np.cumsum([len(s) + 1 for s in sentences]) - 1)[:-1]


def _find_word_ends(text):
    """Return where words end in a text, except the last one."""
    return [match.end() for match in re.finditer(r"\S+(?=\s+\S)", text)]


class _Planter:
    """Puts surface forms of concepts into texts.

    `forms` holds those of each concept, `number` the least and the largest number of
    them in a text; behind each comes `ending`.
    """

    def __init__(self, forms, number, position, ending, random_state):
        self.forms = forms
        self.number = number
        self.position = position
        self.ending = ending
        self.random_state = random_state

    def __call__(self, text, cuts, present):
        """Return the text with forms of each concept that is present."""
        planted = {}  # places are drawn first, so that no form lands inside another
        for concept in self.random_state.permutation(np.flatnonzero(present)):
            for form in self._choose(self.forms[concept]):
                place = self._place(text, cuts)
                planted.setdefault(place, []).append(form + self.ending)
        pieces, done = [], 0
        for place in sorted(planted):
            pieces += [text[done:place], *planted[place]]
            done = place
        return _join_pieces([*pieces, text[done:]])

    def _choose(self, forms):
        """Draw some of the forms of a concept."""
        fewest, most = self.number
        n_forms = self.random_state.randint(fewest, most + 1)
        return [forms[i] for i in self.random_state.permutation(len(forms))[:n_forms]]

    def _place(self, text, cuts):
        """Draw the offset in the text at which to insert."""
        position = self.position
        if position == "any":
            position = _draw(("start", "inside", "end"), self.random_state)
        if position == "start":
            return 0
        if position == "inside" and len(cuts):
            return int(_draw(cuts, self.random_state))
        return len(text)


def _join_pieces(pieces):
    """Concatenate, with a space where two pieces would touch."""
    joined = ""
    for piece in filter(None, pieces):
        touch = joined and not joined[-1].isspace() and not piece[0].isspace()
        joined += f" {piece}" if touch else piece
    return joined


def _draw_target(expectation, noise, task, random_state):
    if task == "regression":
        return expectation + noise * random_state.standard_normal(len(expectation))
    draws = random_state.uniform(size=len(expectation))
    if noise == 0:
        return (expectation > 0).astype(np.int64)
    return (draws < expit(expectation / noise)).astype(np.int64)
