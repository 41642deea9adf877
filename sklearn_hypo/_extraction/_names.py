"""Found hypotheses get names, and leave for other programs as dictionaries."""

from sklearn.utils.validation import check_is_fitted

from .._annotation._dictionaries import write_dictionary
from ._tables import list_names, rename_hypotheses


class HypothesisNamesMixin:
    """Names hypotheses, and writes their terms; the part of `HypothesisExtractor` for
    what happens to hypotheses once they are found.
    """

    def rename(self, names):
        """Give hypotheses names, which stand before their statements.

        The statement stays what it was, and what annotates. Reports, tables and pages
        show "gratitude: mentions thanks, thank you"; the columns of `transform` keep
        the statements.

        Parameters
        ----------
        names : dict
            From a hypothesis (its statement, its neuron or its row number) to its
            name; "" takes a name away.

        Returns
        -------
        self : HypothesisExtractor
            With the names in `hypotheses_`.

        Raises
        ------
        ValueError, TypeError
            For what is no hypothesis here, and names that are no texts. Nothing is
            renamed then.

        See Also
        --------
        LLMNamer : Has a language model write names.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn_hypo import HypothesisExtractor
        >>> from sklearn_hypo.datasets import make_concept_texts
        >>> data = make_concept_texts(300, n_concepts=1, random_state=0)
        >>> neurons = pd.DataFrame(
        ...     {"neuron000": data.truth[:, 0].astype(float)},
        ...     index=pd.Index(data.data, name="text"),
        ... )
        >>> extractor = HypothesisExtractor(random_state=0).fit(neurons, data.target)
        >>> extractor.rename({"neuron000": "gratitude"}).hypotheses_["name"].tolist()
        ['gratitude']
        """
        check_is_fitted(self)
        caller = f"{type(self).__name__}.rename"
        self._hypotheses = rename_hypotheses(self._hypotheses, names, caller=caller)
        self.hypotheses_ = self.hypotheses_.assign(name=list_names(self._hypotheses))
        return self

    def to_dictionary(self, path=None, *, format="auto"):
        """Write the terms of the hypotheses as a dictionary for other programs.

        Parameters
        ----------
        path : str, path-like or None, default=None
            Where to; a file that exists is replaced. None: returns a dict.
        format : {"auto", "liwc", "quanteda", "empath", "json"}, default="auto"
            What to write, as `read_dictionary` reads it. "auto" tells by the suffix:
            .dic, .yml, .tsv or .json.

        Returns
        -------
        terms : dict of str to list of str, or None
            If no path is given: the terms of each hypothesis by its name, or by its
            leading terms where `rename` gave it none.

        Raises
        ------
        ValueError
            If no hypothesis has terms, or the suffix tells no format.

        Warns
        -----
        HypothesisWarning
            Names what a file of this format cannot hold: hypotheses without terms,
            thresholds (JSON holds them), and terms that would be read as others, such
            as "?" by quanteda, for which it stands for any character.

        See Also
        --------
        read_dictionary : Reads it again.
        rename : Gives names.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn_hypo import HypothesisExtractor
        >>> from sklearn_hypo.datasets import make_concept_texts
        >>> data = make_concept_texts(300, n_concepts=1, random_state=0)
        >>> neurons = pd.DataFrame(
        ...     {"neuron000": data.truth[:, 0].astype(float)},
        ...     index=pd.Index(data.data, name="text"),
        ... )
        >>> extractor = HypothesisExtractor(random_state=0).fit(neurons, data.target)
        >>> extractor = extractor.rename({"neuron000": "gratitude"})
        >>> list(extractor.to_dictionary())
        ['gratitude']
        >>> extractor.to_dictionary("gratitude.dic")  # doctest: +SKIP
        """
        check_is_fitted(self)
        caller = f"{type(self).__name__}.to_dictionary"
        return write_dictionary(self._hypotheses, path, format=format, caller=caller)
