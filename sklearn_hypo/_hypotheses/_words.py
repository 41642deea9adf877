"""How a dictionary reads: its leading terms, and how many more there are."""

# Terms that a statement names.
_N_LEADING = 3


def describe_terms(terms, threshold=0.0):
    """Word that a text has more terms than a threshold.

    Parameters
    ----------
    terms : sequence of str
        The terms, the leading ones first.
    threshold : float, default=0.0
        As in `Hypothesis`, in tokens of 100.

    Returns
    -------
    statement : str
        True or false of a text.

    Examples
    --------
    >>> from sklearn_hypo._hypotheses._words import describe_terms
    >>> describe_terms(["tea", "coffee"])
    'mentions tea or coffee'
    >>> describe_terms(["sad", "cry*", "lonely", "grief", "tears"])
    'mentions sad, cry*, lonely or 2 more terms'
    >>> describe_terms(["sad"], 2)
    'writes much about sad (more than 2 words in 100)'
    """
    leading, n_more = list(terms[:_N_LEADING]), len(terms) - _N_LEADING
    if n_more > 0:
        leading.append(f"{n_more:,} more term{'s' if n_more > 1 else ''}")
    listed = " or ".join(filter(None, [", ".join(leading[:-1]), leading[-1]]))
    if threshold == 0:
        return f"mentions {listed}"
    unit = "word" if threshold == 1 else "words"
    return f"writes much about {listed} (more than {threshold:.10g} {unit} in 100)"
