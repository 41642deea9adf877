"""Which planted features a set of statements finds, and which way they say it goes."""

import numpy as np


def f1_matrix(marks, truth):
    """Return the F1 of every column of marks against every concept."""
    marks, truth = np.asarray(marks, dtype=float), np.asarray(truth, dtype=float)
    total = truth.sum(axis=0)[:, None] + marks.sum(axis=0)
    # a concept and a mark that no row has do not agree on anything
    return 2 * (truth.T @ marks) / np.maximum(total, 1)


def find_signs(marks, is_positive):
    """Return 1 or -1 for each column: whether rows with it are more often positive.

    0 for a column that all rows have, or none.
    """
    marks = np.asarray(marks, dtype=float)
    deviation = np.asarray(is_positive, dtype=float) - np.mean(is_positive)
    covariance = deviation @ (marks - marks.mean(axis=0))
    return np.sign(np.where(np.abs(covariance) < 1e-9, 0, covariance))


def stated_signs(features, labels):
    """Return what the file of true hypotheses says of the second of two labels.

    1 where it makes the second label more likely beside the first one, else -1; a
    label that it does not name is as likely as ever.
    """
    first, second = labels
    return np.sign([f.says.get(second, 0) - f.says.get(first, 0) for f in features])


def discover(marks, signs, truth, true_signs, threshold):
    r"""Compute the discovery rate of HypoBench, by agreement instead of by a judge.

    .. math:: \mathrm{FDR} = \frac{|\hat Z \cap Z|}{|Z|}, \quad
        \mathrm{RC} = \frac{1}{|\hat Z \cap Z|} \sum_{z \in \hat Z \cap Z} M_r(z), \quad
        \mathrm{HDR} = \mathrm{FDR} \cdot \mathrm{RC}

    (Liu et al. 2025, arXiv 2504.11524). A feature z is found where some statement is
    true of nearly the same rows, by F1; as in the reference code, M_r(z) is the mean
    over all statements that found it, here of 1 for the right direction and 0 for the
    wrong one.

    Parameters
    ----------
    marks : ndarray of shape (n_rows, n_statements)
        1 where a statement is true of a text.
    signs : ndarray of shape (n_statements,)
        Which way each goes with the label.
    truth : ndarray of shape (n_rows, n_features)
        1 where a text has a feature.
    true_signs : ndarray of shape (n_features,)
    threshold : float
        F1 from which on a feature is found.

    Returns
    -------
    found : dict
        "FDR", "RC" (0 where nothing is found) and "HDR".
    """
    matches = f1_matrix(marks, truth) >= threshold
    is_found = matches.any(axis=1)
    agrees = np.asarray(true_signs)[:, None] == np.asarray(signs)
    right = (matches & agrees).sum(axis=1) / np.maximum(matches.sum(axis=1), 1)
    discovered = float(is_found.mean())
    correct = float(right[is_found].mean()) if is_found.any() else 0.0
    return {"FDR": discovered, "RC": correct, "HDR": discovered * correct}
