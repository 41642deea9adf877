"""Effects that have another sign than in training."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class TrainingEffects:
    """What went with the target in training.

    Parameters
    ----------
    associations : ndarray of shape (n_hypotheses, n_targets)
        Correlation of each neuron with the target; of more than two classes with each.
    coef : ndarray of shape (n_hypotheses,)
        Of the model of the target on the annotations; NaN where it has no single one.
    """

    associations: np.ndarray
    coef: np.ndarray

    def find_reversed(self, table, classes):
        """Name, by hypothesis, the effects in a test whose sign is another one.

        The separation is compared with the association, the joint coefficient with
        that of training (or with the association, where there is none). Of more than
        two classes those of `separation_class` count.

        Parameters
        ----------
        table : DataFrame
            Of the tests.
        classes : ndarray or None
            None for a quantity.

        Returns
        -------
        reversed : Series of str
            "separation", "joint", "separation, joint" or "".
        """
        rows, of_class = np.arange(len(table)), np.zeros(len(table), dtype=int)
        if "separation_class" in table:
            labels = pd.Index(classes.astype(object), dtype=object)
            of_class = np.maximum(labels.get_indexer(table["separation_class"]), 0)
        alone = self.associations[rows, of_class]
        joint = np.where(np.isnan(self.coef), alone, self.coef)
        effect = "ame" if "separation_class" in table else "coef"
        found = {
            "separation": _differ(table["separation"], alone),
            "joint": _differ(table[effect], joint) if effect in table else rows < 0,
        }
        names = [
            ", ".join(name for name, differs in found.items() if differs[row])
            for row in rows
        ]
        return pd.Series(names, dtype=object)


def _differ(effects, before):
    """Whether both have a sign, and not the same."""
    return np.sign(effects.to_numpy(dtype=float)) * np.sign(before) < 0
