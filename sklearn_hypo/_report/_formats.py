"""Numbers and texts as a reader sees them: the one place of their formats."""

import numpy as np

# Below this a p-value is no longer a number that anyone should read.
_SMALLEST_P = 1e-300


def format_number(value):
    """Return a number with three decimals, or with fewer or powers as its size asks.

    Examples
    --------
    >>> from sklearn_hypo._report._formats import format_number
    >>> [format_number(value) for value in (0.12345, -2e-7, 1234.56, 3e9)]
    ['0.123', '-2.0e-07', '1234.6', '3.0e+09']
    """
    size = abs(value)
    if value and (size < 1e-3 or size >= 1e5):
        return f"{value:.1e}"
    return f"{value:.3f}" if not size >= 1000 else f"{value:.1f}"


def format_p(p):
    """Return a p-value in at most seven characters."""
    if np.isnan(p):
        return "nan"
    if p < _SMALLEST_P:
        return f"<{_SMALLEST_P:.0e}"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def format_count(value):
    """Return a number of things, or of degrees of freedom, without needless zeros."""
    return f"{value:,.0f}" if value == round(value, 0) else format_number(value)


def format_share(value):
    """Return a share with three decimals."""
    return f"{value:.3f}"


def format_f1(value):
    """Return a fidelity with two decimals."""
    return f"{value:.2f}"


def format_interval(lower, upper):
    """Return the bounds of an interval; empty where either is NaN."""
    if np.isnan([lower, upper]).any():
        return ""
    return f"[{format_number(lower)}, {format_number(upper)}]"


def format_estimate(value, lower, upper):
    """Return a number with the interval around it, where it has one.

    Examples
    --------
    >>> from sklearn_hypo._report._formats import format_estimate
    >>> format_estimate(0.85, 0.77, 0.93), format_estimate(0.85, float("nan"), 0.9)
    ('0.850 [0.770, 0.930]', '0.850')
    """
    return f"{format_number(value)} {format_interval(lower, upper)}".rstrip()


def typeset_minus(text):
    """Return a formatted number with a true minus, for print and page."""
    return text.replace("-", "−")
