"""What an encoder is: texts in, one row of numbers per text out."""

from abc import ABC, abstractmethod

from .._llm._annotation import CostEstimate


class Encoder(ABC):
    """Turns a batch of texts into an array.

    Attributes
    ----------
    name : str
        How messages call the model.
    learns : bool
        Whether `fit` learns from the texts. If so, the embedding of a text depends
        on the training texts, and there is nothing that a cache could keep from one
        fit to the next.
    is_paid_for : bool
        Whether every call costs money.
    """

    name = "encoder"
    learns = False
    is_paid_for = False

    def fit_encode(self, texts, seed):
        """Learn from the texts and return their embeddings.

        Parameters
        ----------
        texts : list of str
            Distinct texts, none of them blank.
        seed : int
            For a local generator.

        Returns
        -------
        embeddings : array-like of shape (n_texts, n_features)
            As `encode` returns them.
        """
        return self.encode(texts)

    @abstractmethod
    def encode(self, texts):
        """Return the embeddings of one batch.

        Parameters
        ----------
        texts : list of str
            Distinct texts, none of them blank.

        Returns
        -------
        embeddings : array-like of shape (n_texts, n_features)
            Finite numbers; the caller checks them.
        """

    def encode_in_batches(self, texts, batch_size, keep, task):
        """Encode texts batch by batch, and hand on each batch when it is there.

        Parameters
        ----------
        texts : list of str
            Distinct texts, none of them blank, at least one.
        batch_size : int
            Most texts in a batch.
        keep : callable
            Takes a slice of the texts and what `encode` returns for it. Called in
            the calling thread, once for each batch, in any order.
        task : callable
            Returns a context manager that is entered around each batch.
        """
        for start in range(0, len(texts), batch_size):
            batch = slice(start, start + batch_size)
            with task():
                keep(batch, self.encode(texts[batch]))

    def usage(self):
        """Return what was consumed, as a dict; None where nothing is paid for."""
        return None

    def found_in_cache(self, n_texts):
        """Be told how many texts need not be encoded."""
        return None

    def estimate(self, texts, batch_size):
        """Estimate what encoding will cost.

        Parameters
        ----------
        texts : list of str
            Distinct texts, none of them blank.
        batch_size : int
            Most texts in a batch.

        Returns
        -------
        estimate : CostEstimate
            Nothing, unless a provider is to be paid.
        """
        return CostEstimate(0, 0, 0, 0.0)

    def identity(self):
        """Return what tells this encoder from any other, as the key of the cache.

        Returns
        -------
        identity : dict
            Can be written as JSON. Two encoders of the same identity give the same
            embedding for the same text, today and tomorrow.

        Raises
        ------
        ValueError
            If it cannot be told.
        """
        raise ValueError(f"{self.name} cannot be cached.")
