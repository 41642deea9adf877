"""How the variance of an estimate depends on the size of a study."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class StudyVariance:
    r"""Variance of each estimate, as a function of texts, groups and annotators.

    With the variance W within annotators of the present study, groups of effective
    size m, and the design effect :math:`D = 1 + (m - 1) \rho`, a study with g times as
    many groups of s times as many texts, judged by a annotators, has the variance

    .. math:: h W + \frac{B + h b}{a}, \qquad
              h = \frac{1 + (s m - 1) \rho}{g s D},

    where B is the variance of estimates over annotators, however many texts there are,
    and b that which goes with single texts. Of two annotators there is no vote: a is 1.

    Parameters
    ----------
    within : ndarray of shape (n_hypotheses,)
        W.
    df : ndarray of shape (n_hypotheses,)
        Degrees of freedom of W.
    design_effect : ndarray of shape (n_hypotheses,)
        D, 1 at the least; 1 without groups.
    group_size : float
        m, the size of the group of a text on average. 1 without groups.
    between, noise : ndarray of shape (n_hypotheses,)
        B and b. 0 where nothing is known of other annotators.
    n_annotators : int or ndarray of shape (n_hypotheses,)
        Of the present study.
    is_estimated : bool
        Whether B and b were estimated from these annotators.
    """

    within: np.ndarray
    df: np.ndarray
    design_effect: np.ndarray
    group_size: float = 1.0
    between: np.ndarray = 0.0
    noise: np.ndarray = 0.0
    n_annotators: int = 1
    is_estimated: bool = False

    def at(self, groups=1.0, size=1.0, n_annotators=None):
        """Return variance and degrees of freedom of a study of another size.

        `groups` (of independent texts: their number) and `size`, the texts per group,
        are relative to the present study; the number of annotators is not.
        """
        m = max(self.group_size, 1.0)
        rho = (self.design_effect - 1) / (m - 1) if m > 1 else 0.0
        shrinks = (1 + (size * m - 1) * rho) / (size * self.design_effect)
        shrinks = np.maximum(shrinks, 0.0) / groups
        within = self.within * shrinks
        a = self.n_annotators if n_annotators is None else n_annotators
        between = (self.between + self.noise * shrinks) / np.where(a < 3, 1, a)
        total = within + between
        df = self.df * groups
        df_between = np.maximum(a - 1.0, 1e-9) if self.is_estimated else np.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            joined = total**2 / (within**2 / df + between**2 / df_between)
        return total, np.where(between > 0, joined, df)


@dataclass(frozen=True)
class LabelVariance:
    r"""Variance of each estimate corrected for annotation error, by human labels.

    With n texts, of which m are labelled by people,

    .. math:: V(m) = \sigma^2 \Bigl(\frac{1 - r^2}{m} + \frac{r^2}{n}\Bigr),

    where :math:`\sigma^2 / m` is the variance from the labels alone, and :math:`r^2`
    the share that machine annotations explain of what a label contributes: the
    classical variance of double sampling with a tuned weight [1]_.

    Parameters
    ----------
    human : ndarray of shape (n_hypotheses,)
        :math:`\sigma^2`.
    explained : ndarray of shape (n_hypotheses,)
        :math:`r^2`.
    n_rows, n_labelled : ndarray of shape (n_hypotheses,)
        n and m of the present study.
    df : ndarray of shape (n_hypotheses,)
        Degrees of freedom of the corrected estimate.

    References
    ----------
    .. [1] Chen and Chen 2000, "A unified approach to regression analysis under
       double-sampling designs", JRSS-B 62.
    """

    human: np.ndarray
    explained: np.ndarray
    n_rows: np.ndarray
    n_labelled: np.ndarray
    df: np.ndarray

    @classmethod
    def of(cls, human_se, corrected_se, n_rows, n_labelled, df):
        """Read it off the standard errors of a corrected estimate."""
        n, m = np.asarray(n_rows, float), np.asarray(n_labelled, float)
        human = np.asarray(human_se, float) ** 2 * m
        gain = human / m - np.asarray(corrected_se, float) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            explained = np.clip(gain / (human / m - human / n), 0.0, 1.0)
        return cls(human, np.where(n > m, explained, 0.0), n, m, df)

    def at(self, labels=1.0, texts=1.0):
        """Return variance and degrees of freedom; both are relative to the present.

        When all texts are labelled, further labels are of no use.
        """
        n = self.n_rows * texts
        m = np.minimum(self.n_labelled * labels, n)
        variance = self.human * ((1 - self.explained) / m + self.explained / n)
        return variance, self.df * m / self.n_labelled
