"""What an encoder is: texts in, one row of numbers per text out."""

from abc import ABC, abstractmethod


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
    """

    name = "encoder"
    learns = False

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
