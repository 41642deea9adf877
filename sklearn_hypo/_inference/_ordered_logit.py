"""The logit of proportional odds, as statsmodels lets it be derived from its own."""

import numpy as np
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.tools.numdiff import approx_fprime


class OrderedLogit(OrderedModel):
    """statsmodels' model with weights, and its derivative in closed form."""

    weights = None

    def loglikeobs(self, params):
        found = super().loglikeobs(params)
        return found if self.weights is None else self.weights * found

    def score_obs(self, params):
        low, upp = self._bounds(params)
        prob = self.prob(low, upp) + 1e-20
        lower, upper = self.pdf(low) / prob, self.pdf(upp) / prob
        n_cuts = self.k_levels - 1
        cuts = np.arange(n_cuts)
        at_cut = upper[:, None] * (self.endog[:, None] == cuts)
        at_cut -= lower[:, None] * (self.endog[:, None] == cuts + 1)
        # the first threshold, then logarithms of the distances
        steps = np.concatenate([[1.0], np.exp(params[-n_cuts:][1:])])
        scores = np.column_stack(
            [(lower - upper)[:, None] * self.exog, at_cut @ np.tri(n_cuts) * steps]
        )
        return scores if self.weights is None else self.weights[:, None] * scores

    def score(self, params):
        return self.score_obs(params).sum(axis=0)

    def hessian(self, params):
        found = approx_fprime(params, self.score, centered=True)
        return (found + found.T) / 2
