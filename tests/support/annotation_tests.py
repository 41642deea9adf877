"""`run_tests` on whatever a user may hand over: what the faces do, without a report."""

from sklearn_hypo._inference._design import make_design
from sklearn_hypo._inference._tests import run_tests
from sklearn_hypo._utils._annotation_input import check_annotations, check_target


def check_and_test(
    A,
    y,
    *,
    names=None,
    task="auto",
    classes=None,
    alpha=0.1,
    correction="holm",
    cov_type="auto",
    **beside,
):
    """Return table and summary."""
    values, names = check_annotations(A, names)
    task, codes, classes = check_target(y, task, classes, caller="check_and_test")
    design = make_design(len(values), **beside, caller="check_and_test")
    tests = run_tests(
        values,
        codes,
        names,
        classes,
        design,
        alpha=alpha,
        correction=correction,
        cov_type=cov_type,
    )
    return tests.table, tests.summary
