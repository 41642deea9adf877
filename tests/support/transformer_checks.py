"""Checks of scikit-learn that `parametrize_with_checks` does not run."""

import pytest
from sklearn.utils import estimator_checks as checks

FURTHER_CHECKS = [
    checks.check_param_validation,
    checks.check_set_output_transform,
    checks.check_set_output_transform_pandas,
    checks.check_set_output_transform_polars,
    checks.check_global_output_transform_pandas,
    checks.check_global_set_output_transform_polars,
    checks.check_transformer_get_feature_names_out,
    checks.check_transformer_get_feature_names_out_pandas,
    checks.check_get_feature_names_out_error,
    checks.check_dataframe_column_names_consistency,
    checks.check_inplace_ensure_writeable,
]


def further_checks(test):
    """Run a test for each of them; they mix frames and arrays, and know it."""
    for mixed in ("X has", "X does not have valid"):
        test = pytest.mark.filterwarnings(f"ignore:{mixed} feature names")(test)
    return pytest.mark.parametrize(
        "check", FURTHER_CHECKS, ids=lambda check: check.__name__
    )(test)


# What a fitted autoencoder keeps: the same fit gives the same of all of these.
AUTOENCODER_WEIGHTS = (
    "components_",
    "encoder_coef_",
    "encoder_intercept_",
    "decoder_intercept_",
    "mean_",
    "dead_neurons_",
)
