"""One hypothesis at a time, with covariates and fixed effects held constant."""

import numpy as np

from ._all_together import AdjustedModel
from ._design_matrix import find_independent_columns, make_design_matrix
from ._joint_regression import joint_regression
from ._notes import Notes
from ._permutations import draw_null, name_rows
from ._step_down import align_interval, run_family
from ._studentized import Fits, from_z

_ADJUSTED = "separation_adjusted"


def adjust_separations(A, y, n_classes, design, tested, *, cov_type, rng, **options):
    r"""Separations beside covariates and fixed effects, but no other hypothesis.

    The coefficient :math:`b_j` of a regression of the target on one hypothesis and the
    covariates z,

    .. math:: y_i = \beta_0 + b_j a_{ij} + \gamma' z_i + \varepsilon_i,

    over the rows that answer it; for two classes the average marginal effect of such a
    logit, for more a test of all classes without an estimate. p-values of quantities
    are by permuted residuals given the covariates (Freedman and Lane 1983), within
    levels of fixed effects; with clusters and for classes they are those of the joint
    regression, and step-down is Holm's.

    Parameters
    ----------
    A, y, n_classes, design
        As of `joint_regression`.
    tested : ndarray of bool of shape (n_hypotheses,)
        Which hypotheses are tested.
    cov_type : str
        As in `evaluate_annotations`.
    rng : Generator
        Draws permutations.
    **options
        Of `run_family`.

    Returns
    -------
    columns : dict of str to ndarray of shape (n_hypotheses,)
        "separation_adjusted", and the same with "_lower", "_upper", "_p" and
        "_p_corrected". Empty without covariates and fixed effects.
    """
    if design.covariates is None and design.levels is None:
        return {}
    if n_classes is None and cov_type == "auto" and design.clusters is None:
        return _permute(A, y, design, tested, rng, options)
    name = "coef" if n_classes is None else "ame"
    ends = ("", "_lower", "_upper")
    found = np.full((4, A.shape[1]), np.nan)
    for j in np.flatnonzero(tested):
        notes = Notes([""] * A.shape[1])  # what is left out is said of the joint fit
        fit = joint_regression(A, y, n_classes, [j], design, notes, cov_type=cov_type)
        estimates = fit.estimates.iloc[j]
        found[:3, j] = [estimates.get(f"{name}{end}", np.nan) for end in ends]
        found[3, j] = estimates["coef_p"]
    family = run_family(None, found[3], tested & ~np.isnan(found[3]), **options)
    return _name_columns(*found[:3], family)


def _name_columns(estimate, lower, upper, family):
    return {
        _ADJUSTED: estimate,
        f"{_ADJUSTED}_lower": lower,
        f"{_ADJUSTED}_upper": upper,
        f"{_ADJUSTED}_p": family.p,
        f"{_ADJUSTED}_p_corrected": family.p_corrected,
    }


def _permute(A, y, design, tested, rng, options):
    """Those of a quantity without clusters, from one set of permutations."""
    n_hypotheses = A.shape[1]
    columns, model = [], _RowsModel(A, design)
    for rows, own in _group_by_answers(A, tested):
        columns += model.add(rows, own)
    if not columns:
        nothing = np.full(n_hypotheses, np.nan)
        family = run_family(None, nothing, np.zeros(n_hypotheses, bool), **options)
        return _name_columns(nothing, nothing, nothing, family)
    null, estimates = draw_null(
        model, model.standardize_residuals(y), y, rng, **model.find_draws()
    )
    null = null.place(columns, n_hypotheses)
    known = np.isin(np.arange(n_hypotheses), columns)
    family = run_family(null, None, known, **options)
    coef, se, df = (np.full(n_hypotheses, np.nan) for _ in range(3))
    coef[columns], df[columns] = estimates.coef[0], estimates.df[0]
    se[columns] = np.sqrt(estimates.variance[0])
    half = from_z(family.critical * null.scale, df) * se
    ends = align_interval(coef - half, coef + half, family.p <= 0.05)
    return _name_columns(coef, *ends, family)


def _group_by_answers(A, tested):
    """Yield the rows that some hypotheses have answers to, and these hypotheses."""
    groups = {}
    for j in np.flatnonzero(tested):
        groups.setdefault((~np.isnan(A[:, j])).tobytes(), []).append(j)
    for columns in groups.values():
        yield ~np.isnan(A[:, columns[0]]), columns


class _RowsModel:
    """Models of hypotheses that have answers in different rows, side by side."""

    def __init__(self, A, design):
        self._A, self._design, self._models = A, design, []
        notes = Notes([])
        controls = make_design_matrix(design, len(A), linear=True, notes=notes)
        self._controls = controls.values
        self.rows = name_rows(np.column_stack([A, self._controls]), design.weights)
        self._whole = AdjustedModel(np.empty((len(A), 0)), self._controls, self.weights)

    @property
    def weights(self):
        """Of the rows."""
        return self._design.weights

    def add(self, rows, columns):
        """Add the hypotheses that covariates do not determine; return which."""
        controls, own = self._controls[rows], self._A[np.ix_(rows, columns)]
        kept = [
            i
            for i in range(len(columns))
            if find_independent_columns(own[:, [i]], controls)
        ]
        if kept:
            weights = None if self.weights is None else self.weights[rows]
            model = AdjustedModel(own[:, kept], controls, weights)
            self._models.append((rows, model))
        return [columns[i] for i in kept]

    def standardize_residuals(self, y):
        """Residuals given the covariates, of equal variance, centred."""
        base = self._whole.standardize_residuals(y)
        return base if self._design.paired else base - base.mean()

    def find_draws(self):
        """How targets are drawn: signs of pairs, else permutations within levels."""
        if self._design.paired:
            return {"flips": True, "shuffles": False}
        return {"strata": self._design.levels}

    def fit(self, targets):
        """Estimate the coefficients for targets of shape (n_draws, n_rows)."""
        parts = [model.fit(targets[:, rows]) for rows, model in self._models]
        return Fits.join(parts, axis=1)
