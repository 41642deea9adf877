"""Entries of docstrings that are written once."""

import pytest

from sklearn_hypo._utils._docstrings import fill_docstring


class Source:
    """A source.

    Parameters
    ----------
    first : int
        One.

    second : str, default="a : b"
        Two.

    third : bool
        Three.
    """


def test_entries_are_filled_in():
    @fill_docstring(Source)
    class Described:
        r"""Another, with \text{braces}.

        Parameters
        ----------
        {second,
         third}

        own : float
            Its own {first}.
        """

    assert Described.__doc__.splitlines() == [
        r"Another, with \text{braces}.",
        "",
        "Parameters",
        "----------",
        'second : str, default="a : b"',
        "    Two.",
        "",
        "third : bool",
        "    Three.",
        "",
        "own : float",
        "    Its own {first}.",
    ]


def test_what_is_not_there():
    with pytest.raises(KeyError, match="fourth"):

        @fill_docstring(Source)
        def described():
            """Describe.

            {fourth}
            """
