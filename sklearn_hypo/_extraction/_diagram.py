"""Hypotheses in scikit-learn's diagram of an estimator, and so of any pipeline."""

import pandas as pd

from .._hypotheses._hypothesis import join_name
from .._utils._printable import pluralize, to_printable

_COLUMNS = {
    "hypothesis": "hypothesis",
    "neuron": "neuron",
    "f1": "fidelity (F1)",
    "prevalence": "prevalence",
    "association": "association",
}

_MOST = 100  # rows

# The diagram shows what is within a step only after a click; this is what one looks for
_OPEN = """\
<script>
for (const part of document.querySelectorAll(".hypo-of-fit:not(.shown)")) {
  part.classList.add("shown");
  const box = part.closest(".sk-toggleable")?.querySelector("input[type=checkbox]");
  if (box) box.checked = true;
}
</script>"""


class HypothesesInDiagramMixin:
    """Shows hypotheses where scikit-learn's diagram shows the fitted attributes.

    A pipeline has no say in how it is drawn unless it is of a class of its own; but it
    asks every step for its fitted attributes, whatever it is nested in.
    """

    def _get_fitted_attr_html(self, doc_link=""):
        attributes = super()._get_fitted_attr_html(doc_link)
        return _WithHypotheses(attributes, write_hypotheses(self.hypotheses_))


class _WithHypotheses:
    """The fitted attributes as scikit-learn shows them, below the hypotheses."""

    def __init__(self, attributes, hypotheses):
        self._attributes, self._hypotheses = attributes, hypotheses

    def __len__(self):
        return max(1, len(self._attributes))

    def _repr_html_inner(self):
        attributes = self._attributes
        below = attributes._repr_html_inner() if len(attributes) else ""
        return self._hypotheses + below


def write_hypotheses(hypotheses):
    """Return the table of a fit as a part of an HTML page, escaped.

    Parameters
    ----------
    hypotheses : DataFrame
        As `HypothesisExtractor.hypotheses_`.
    """
    shown = hypotheses.head(_MOST)
    labels = map(join_name, shown["name"], shown["hypothesis"])
    table = shown[[name for name in _COLUMNS if name in shown]].rename(columns=_COLUMNS)
    table["hypothesis"] = [to_printable(label) for label in labels]
    with pd.option_context("display.max_colwidth", None):
        rows = table.to_html(
            index=False,
            escape=True,
            border=0,
            classes="parameters-table",
            justify="left",
            float_format="{:.3f}".format,
            na_rep="–",
        )
    title = pluralize(len(hypotheses), "hypothesis")
    more = f", of which {_MOST} are shown" if len(hypotheses) > _MOST else ""
    return (
        '<div class="estimator-table hypo-of-fit tex2jax_ignore mathjax_ignore">'
        "<details open>"
        f"<summary>{title}{more}</summary>{rows}</details>{_OPEN}</div>"
    )
