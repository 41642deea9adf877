"""From the estimator that a user gave to the steps it consists of."""

from sklearn.utils.validation import check_is_fitted


def find_best_estimator(estimator):
    """Return the best estimator of a fitted search, and anything else as it is."""
    if hasattr(estimator, "refit") and hasattr(estimator, "cv"):
        message = "%(name)s has no best_estimator_. Call fit first, with refit=True."
        check_is_fitted(estimator, "best_estimator_", msg=message)
    return getattr(estimator, "best_estimator_", estimator)


def list_steps(estimator):
    """Return the steps of a pipeline; an estimator is its own single step."""
    steps = getattr(estimator, "steps", None)
    return [estimator] if steps is None else [step for _, step in steps]


def count_fits_of_neurons(estimator):
    """Tell in how many of how many fits the columns of a pipeline's steps were found.

    A step knows it if it has the fitted attributes `n_found_` and `n_fits_`, as an
    autoencoder of several fits has.

    Returns
    -------
    found : dict of str to (int, int)
        By the name of a column: its number, and that of all fits.
    """
    found = {}
    for step in list_steps(estimator):
        if hasattr(step, "n_found_"):
            counts = map(int, step.n_found_)
            for name, count in zip(step.get_feature_names_out(), counts, strict=True):
                found[name] = count, step.n_fits_
    return found


def find_extractor(estimator, *, caller):
    """Return the fitted HypothesisExtractor that an estimator is or ends in.

    Parameters
    ----------
    estimator : object
        What the user gave; of a search the best estimator.
    caller : str
        Name of the function or method, for messages.

    Returns
    -------
    extractor : HypothesisExtractor
        Fitted.

    Raises
    ------
    TypeError
        If there is none.
    NotFittedError
        If it is not fitted.
    """
    extractor = list_steps(estimator)[-1]
    if not hasattr(extractor, "predict_annotations"):
        last = "" if extractor is estimator else _name_kind(extractor)
        end = last and f", which ends in {last}"
        raise TypeError(
            f"{caller} expects a fitted HypothesisExtractor or a fitted Pipeline that "
            f"ends in one, but {_name_kind(estimator)} arrived{end}."
        )
    check_is_fitted(extractor, "hypotheses_")
    return extractor


def _name_kind(thing):
    """Name the type; a class that was not called shows as one."""
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    return type(thing).__name__
