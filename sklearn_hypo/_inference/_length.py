"""Length: whether the number of words predicts the target, and what is left beside it.

Long texts hold more of everything, and are often rated, bought or clicked for other
reasons. So hypotheses are also tested with the length held fixed.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from ._families import infer_coefficients
from ._joint_regression import joint_regression
from ._notes import Notes

_NAME = "log(1 + words)"

_FIXED = "coef_length_fixed"

# Of the one test of the length, whatever the level of the family of hypotheses
_LEVEL = 0.01


@dataclass(frozen=True)
class LengthTest:
    """What the length predicts, and what hypotheses do beside it.

    Parameters
    ----------
    values : ndarray of shape (n_rows,) or None, default=None
        Logarithms of the lengths; within pairs their differences.
    p : float, default=NaN
        Of the length by itself.
    columns : dict of str to ndarray
        From `hold_length_fixed`; empty where the length does not predict the target.
    """

    values: np.ndarray | None = None
    p: float = np.nan
    columns: dict = field(default_factory=dict)

    @classmethod
    def run(cls, tests, values, n_classes, *, cov_type, random_state, **options):
        """Test the length by itself and, if it predicts at all, beside all others.

        The options are those of `run_family`.
        """
        p = compute_length_p(
            values, tests.y, n_classes, tests.design, cov_type=cov_type
        )
        if not p <= _LEVEL:
            return cls(values, p)
        columns = hold_length_fixed(
            tests,
            values,
            n_classes,
            cov_type=cov_type,
            random_state=random_state,
            **options,
        )
        return cls(values, p, columns)


def compute_length_p(length, y, n_classes, design, *, cov_type):
    r"""Return the p-value of the length as a predictor of the target by itself.

    .. math:: y_i = \beta_0 + \beta_1 \log(1 + w_i) + \varepsilon_i

    for a text of w words; for classes a logit. Errors are those of the joint
    regression. Covariates and fixed effects stay out.

    Parameters
    ----------
    length : ndarray of shape (n_rows,)
        The logarithms, or their differences within pairs.
    y : ndarray of shape (n_rows,)
        The target, or codes of classes.
    n_classes : int or None
        None for a quantity.
    design : Design
        Of the rows.
    cov_type : str
        As in `evaluate_annotations`.

    Returns
    -------
    p : float
        NaN if it cannot be tested.
    """
    center = 0.0 if design.paired else length.mean()
    spread = np.sqrt(np.mean((length - center) ** 2))
    if not spread > 0:
        return np.nan
    column = ((length - center) / spread)[:, None]
    alone = replace(design, covariates=None, covariate_names=(), levels=None)
    if cov_type == "auto" and n_classes is None:  # nothing is permuted for it
        cov_type = "HC3"
    fit = joint_regression(
        column, y, n_classes, [0], alone, Notes([_NAME]), cov_type=cov_type
    )
    return float(fit.estimates["coef_p"].iloc[0])


def hold_length_fixed(tests, length, n_classes, *, cov_type, random_state, **options):
    """Run the joint regression again with the length beside the hypotheses.

    Parameters
    ----------
    tests : TestResults
        The tests without it.
    length, n_classes, cov_type
        As for `compute_length_p`.
    random_state : int
        Seeds permutations.
    **options
        Of `run_family`.

    Returns
    -------
    columns : dict of str to ndarray of shape (n_hypotheses,)
        "coef_length_fixed", and the same with "_lower", "_upper", "_p" and
        "_p_corrected".
    """
    design, names = tests.design, tests.design.covariate_names
    own = [] if design.covariates is None else [design.covariates]
    design = replace(
        design,
        covariates=np.column_stack([*own, length]),
        covariate_names=(*names, _NAME),
    )
    hypotheses = tests.table["hypothesis"].tolist()
    fit = joint_regression(
        tests.annotations,
        tests.y,
        n_classes,
        tests.joint.columns,
        design,
        Notes(hypotheses),  # the same as without it: said already
        cov_type=cov_type,
        rng=np.random.default_rng([random_state, 4]),
    )
    estimates, family = infer_coefficients(fit, **options)
    found = {
        f"{_FIXED}{end}": estimates[f"coef{end}"].to_numpy(float)
        for end in ("", "_lower", "_upper", "_p")
    }
    return found | {f"{_FIXED}_p_corrected": family.p_corrected}
