"""Exact tests of an annotation and classes: tables of two rows with given margins."""

from functools import cached_property

import numpy as np
from scipy import special, stats

# Expected counts below this are too few for the chi-square distribution
_FEW = 5.0

# Statistics up to this are told apart; further out the tail is that of chi-square
_FURTHEST = 60.0

# Steps of the statistic: as many as so many additions allow, within bounds
_ADDITIONS = 2e7
_FEWEST_STEPS, _MOST_STEPS = 500, 50_000
_MOST_CONTINUOUS_STEPS = 4_000

# Statistics that differ by less may be equal ones
_NEAR = 0.02

# Probabilities below this are rounding errors, or no numbers any more
_TINY = 1e-290

# Tables whose log probabilities differ by less are equally likely
_TIE = 1e-9


def fisher_log_p_values(n_holds, n_class, n):
    """Log of Fisher's exact p-value, by the number of rows in both.

    Of each number that the margins allow; 0 for numbers below.
    """
    low, high = max(0, n_holds + n_class - n), min(n_holds, n_class)
    found = np.zeros(high + 1)
    log_pmf = stats.hypergeom.logpmf(np.arange(low, high + 1), n, n_class, n_holds)
    found[low:] = _sum_of_less_likely(log_pmf)
    return found


def binomial_log_p_values(n):
    """Log of the two-sided p-value of each number of heads among n tosses."""
    heads = np.arange(n + 1)
    tail = stats.binom.logcdf(np.minimum(heads, n - heads), n, 0.5)
    return np.minimum(tail + np.log(2), 0.0)


def _sum_of_less_likely(log_pmf):
    """Log of the probability of whatever is not more likely, for each outcome."""
    order = np.argsort(log_pmf, kind="stable")
    total = np.logaddexp.accumulate(log_pmf[order])
    last = np.searchsorted(log_pmf[order], log_pmf + _TIE, side="right") - 1
    return np.minimum(total[last], 0.0)


class PearsonTail:
    r"""Distribution of Pearson's statistic of 2 x k tables with given margins.

    With a share :math:`\pi` of the rows in the first row of the table, :math:`n_c`
    in column c and :math:`x_c` in both,

    .. math:: X^2 = \sum_c \frac{n_c (x_c / n_c - \pi)^2}{\pi (1 - \pi)} .

    Columns with an expected count below 5 are enumerated: as the terms add up, their
    joint distribution with the number of rows is a convolution (Pagano and Halvorsen
    1981), on a fine grid of the statistic. Given these, the other columns are as one
    column, exactly, plus a statistic among themselves that is compared with
    chi-square. So the test is exact where all counts are small, the usual one where
    none is, and has a tail of its own in between, without Monte Carlo error.

    Parameters
    ----------
    n_holds : int
        Rows in the first row of the table.
    sizes : ndarray of int of shape (n_classes,)
        Column totals, of which at least two are positive.
    furthest : float, default=60.0
        Statistics up to this are told apart.

    References
    ----------
    .. [1] M. Pagano, K. T. Halvorsen (1981). "An algorithm for finding the exact
       significance levels of r x c contingency tables". JASA 76.

    Examples
    --------
    All three texts of a class, and none of the nine others: one of 220 tables.

    >>> import numpy as np
    >>> from sklearn_hypo._inference._independence import PearsonTail
    >>> tail = PearsonTail(3, np.array([3, 4, 5]))
    >>> round(1 / tail.p_value(np.array([3, 0, 0])), 6)
    220.0
    """

    def __init__(self, n_holds, sizes, furthest=_FURTHEST):
        self.sizes = np.asarray(sizes)
        self.n, self.n_holds = int(self.sizes.sum()), int(n_holds)
        self._share = self.n_holds / self.n
        few = np.flatnonzero(
            (self.sizes > 0) & (self.sizes * min(self._share, 1 - self._share) < _FEW)
        )
        if len(few) == np.count_nonzero(self.sizes):  # one is what the others leave
            few = few[self.sizes[few] != self.sizes.max()]
            ties = np.flatnonzero(self.sizes == self.sizes.max())
            few = np.sort(np.concatenate([few, ties[1:]]))
        self._few = few
        rest = np.setdiff1d(np.flatnonzero(self.sizes), few)
        self._rest, self._df = rest, len(rest) - 1
        self._n_rest = int(self.sizes[rest].sum())
        self._cap = float(furthest)
        self._step = self._cap / self._choose_steps()
        # equal statistics are so many steps apart at most, by rounding their terms
        slack = len(few) + 1
        self._slack = slack if slack * self._step < _NEAR else 0
        self._mass = self._enumerate()

    def statistic(self, counts, sizes=None):
        """Pearson's statistic of counts of the first row, by class on the first axis.

        With the given column totals, if they are others.
        """
        if sizes is None:
            sizes = self.sizes.reshape(-1, *[1] * (counts.ndim - 1))
        expected = self._share * sizes
        squares = (counts - expected) ** 2 / np.maximum(sizes, 1)
        return squares.sum(axis=0) / (self._share * (1 - self._share))

    def p_value(self, counts):
        """p-value of a table; not below the probability of this very table."""
        if not self._df:  # all on the grid
            few, rest = self._few, self._rest
            step = self._steps(counts[few], self.sizes[few]).sum()
            step += self._steps(counts[rest].sum(), self._n_rest)
            if step < len(self._mass) - 1:
                first = max(step - self._slack, 0)
                return float(min(self._mass[first:].sum(), 1.0))
        statistic = self.statistic(counts)
        log_p = self.log_p_values(statistic)
        if self._df and statistic < self._cap:
            steps = self._step * np.arange(len(self._mass))
            p = self._mass @ stats.chi2.sf(statistic - steps, self._df)
            log_p = np.log(p) if p > _TINY else log_p
        log_of_table = np.sum(_log_choose(self.sizes, counts)) - _log_choose(
            self.n, self.n_holds
        )
        return float(np.exp(min(max(log_p, log_of_table), 0.0)))

    def log_p_values(self, statistic):
        """Log p-values of statistics; beyond the grid they fall as chi-square does."""
        step = np.rint(np.asarray(statistic) / self._step)
        last = len(self._log_tail) - 1
        beyond = np.maximum(statistic - last * self._step, 0.0)
        return self._log_tail[np.minimum(step, last).astype(int)] - beyond / 2

    @cached_property
    def _log_tail(self):
        """Log probability of each step of the grid and of all beyond it."""
        tail = np.cumsum(self._mass[::-1])[::-1]
        if self._df:
            steps = self._step * np.arange(len(self._mass))
            among = stats.chi2.sf(steps, self._df)
            # those that are there without the rest, and what the rest adds
            tail = (
                np.append(tail[1:], 0.0) + np.convolve(self._mass, among)[: len(steps)]
            )
        return np.log(np.minimum(tail[tail > _TINY], 1.0))

    def _choose_steps(self):
        rows = 1 + min(self.n_holds, int(self.sizes[self._few].sum()))
        cells = sum(1 + min(size, self.n_holds) for size in self.sizes[self._few])
        most = _MOST_CONTINUOUS_STEPS if self._df else _MOST_STEPS
        return int(np.clip(_ADDITIONS / max(rows * cells, 1), _FEWEST_STEPS, most))

    def _steps(self, x, size):
        """What x of the rows of a column add to the statistic, in steps."""
        term = (x - size * self._share) ** 2 / size
        term = term / (self._share * (1 - self._share))
        return np.minimum(np.rint(term / self._step), self._cap / self._step).astype(
            int
        )

    def _enumerate(self):
        """Probability of each step of the statistic of all but the rest's own part."""
        top = round(self._cap / self._step)  # the last one is of all beyond, too
        sizes = self.sizes[self._few]
        n_rows = 1 + min(self.n_holds, int(sizes.sum()))
        mass = np.zeros((n_rows, top + 1))
        mass[0, 0] = 1.0
        for size in sizes:
            x = np.arange(min(size, n_rows - 1) + 1)
            chance = stats.binom.pmf(x, size, self._share)
            new = np.zeros_like(mass)
            for i, step in zip(x, self._steps(x, size), strict=True):
                to, own = new[i:], chance[i] * mass[: n_rows - i]
                to[:, step:top] += own[:, : top - step]
                to[:, top] += own[:, top - step :].sum(axis=1)
            mass = new
        left = self.n_holds - np.arange(n_rows)
        chance = stats.binom.pmf(left, self._n_rest, self._share)
        chance /= stats.binom.pmf(self.n_holds, self.n, self._share)
        found = np.zeros(top + 1)
        shifts = self._steps(left, self._n_rest)
        for own, weight, step in zip(mass, chance, shifts, strict=True):
            found[step:top] += weight * own[: top - step]
            found[top] += weight * own[top - step :].sum()
        return found


def _log_choose(n, k):
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


def independence(counts):
    """p-value of independence of a 2 x k table without empty rows and columns.

    NaN for a single class, Fisher's exact test for two. For more, Pearson's test
    against the distribution that `PearsonTail` describes.
    """
    if counts.shape[1] == 1:
        return np.nan
    if counts.shape[1] == 2:
        return stats.fisher_exact(counts).pvalue
    return make_pearson_tail(*counts).p_value(counts[0])


def make_pearson_tail(holds, lacks):
    """The distribution of Pearson's statistic of a table, fine up to its own."""
    sizes = holds + lacks
    share = holds.sum() / sizes.sum()
    statistic = np.sum((holds - sizes * share) ** 2 / np.maximum(sizes, 1))
    statistic /= share * (1 - share)
    return PearsonTail(holds.sum(), sizes, np.clip(1.1 * statistic, _FURTHEST, 1500.0))
