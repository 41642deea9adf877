"""What annotation costs: accounts, estimates, and the cap, beside the server's bill."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from llm_cases import (
    LAYOUTS,
    VENDOR_FORMATS,
    annotator_for,
    hypotheses,
    make_texts,
    model_at,
    statements,
    truth,
)
from llm_double import TRANSIENT, Faults
from sklearn.base import clone

from sklearn_hypo import LLMAnnotator
from sklearn_hypo.exceptions import BudgetError

S12 = statements(12)
N = 10
TEXTS = make_texts(N)
# dollars per million tokens: so much that a few calls cost dollars
PRICE = (100.0, 40.0, 400.0)


pytestmark = pytest.mark.usefixtures("prepared")


def dollars(stats, price=PRICE):
    """Return what the server would ask for, answers that got lost included."""
    n_input = stats.input_tokens + stats.lost_input_tokens - stats.cached_tokens
    n_output = stats.output_tokens + stats.lost_output_tokens
    prices = n_input, stats.cached_tokens, n_output
    return sum(n * p for n, p in zip(prices, price, strict=True)) / 1e6


@pytest.mark.parametrize(("kind", "layout"), VENDOR_FORMATS)
def test_the_account_is_that_of_the_server(server, kind, layout):
    server.reasoning_tokens, server.cached_share = 7, 0.25
    annotator = annotator_for(model_at(kind, server, price=PRICE), S12, layout=layout)
    annotator.annotate(TEXTS)
    stats, usage = server.stats(), annotator.usage_
    assert usage["calls"] == stats.calls
    assert usage["input_tokens"] == stats.input_tokens
    assert usage["answers_from_cache"] == usage["uncertain_calls"] == 0
    if layout != "decisions":
        assert usage["cached_tokens"] == stats.cached_tokens > 0
        assert usage["output_tokens"] == stats.output_tokens > 0
        assert usage["reasoning_tokens"] == stats.reasoning_tokens == 7 * stats.calls
        assert usage["cost"] == pytest.approx(dollars(stats))


def test_the_account_goes_on_over_calls_and_begins_anew_in_a_clone(server):
    annotator = annotator_for(model_at("chat", server), S12)
    for end in (5, 10, 10):
        annotator.annotate(TEXTS[:end])
        assert annotator.usage_["calls"] == server.stats().calls
    assert annotator.usage_["answers_from_cache"] == (5 + 10) * 12
    other = clone(annotator).fit([], hypotheses(S12))
    assert other.usage_["calls"] == 0
    assert math.isnan(annotator.usage_["cost"])  # the price is not known


def test_a_twin_shares_account_and_answers(server):
    annotator = annotator_for(model_at("chat", server), S12)
    twin = annotator.twin().fit([], hypotheses(S12))
    twin.annotate(TEXTS)
    annotator.annotate(TEXTS)
    assert annotator.usage_["calls"] == server.stats().calls == 2 * N


def test_what_a_server_does_not_count_is_estimated(server):
    server.report_usage = False
    annotator = annotator_for(model_at("chat", server), S12, layout="single")
    annotator.annotate(TEXTS)
    usage, stats = annotator.usage_, server.stats()
    assert usage["uncertain_calls"] == usage["calls"] == 12 * N
    assert usage["input_tokens"] == pytest.approx(stats.input_tokens, rel=0.15)


@pytest.mark.parametrize(("kind", "layout"), VENDOR_FORMATS)
def test_the_estimate_is_near_the_bill(server, kind, layout):
    annotator = annotator_for(model_at(kind, server, price=PRICE), S12, layout=layout)
    estimate = annotator.estimate_cost([*TEXTS, TEXTS[0], ""])
    assert server.stats().calls == 0
    annotator.annotate(TEXTS)
    stats = server.stats()
    assert estimate.calls == stats.calls
    assert estimate.input_tokens == pytest.approx(stats.input_tokens, rel=0.15)
    assert estimate.cost == pytest.approx(dollars(stats), rel=0.15)
    nothing = annotator.estimate_cost(TEXTS)
    assert nothing == (0, 0, 0, 0.0)


def test_the_estimate_takes_statements_or_their_number(server):
    unfitted = LLMAnnotator(model_at("chat", server, price=PRICE), cache=None)
    by_words = unfitted.estimate_cost(TEXTS, S12)
    by_hypotheses = unfitted.estimate_cost(TEXTS, hypotheses(S12))
    by_number = unfitted.estimate_cost(TEXTS, 12)
    assert by_words == by_hypotheses
    assert by_number.calls == by_words.calls == 2 * N
    assert by_number.cost == pytest.approx(by_words.cost, rel=0.5)
    unknown = LLMAnnotator(model_at("chat", server), cache=None)
    assert math.isnan(unknown.estimate_cost(TEXTS, S12).cost)


STATED = re.compile(
    r"\$(\d+\.\d+) are spent, and the next call could cost \$(\d+\.\d+)"
)


@pytest.mark.parametrize(
    ("kind", "layout", "share"),
    [(*of_chat, share) for of_chat in VENDOR_FORMATS[:3] for share in (0.15, 0.6, 0.97)]
    + [(*other, 0.6) for other in VENDOR_FORMATS[3:]],
)
def test_the_cap_is_never_passed_and_the_run_goes_on(
    server, tmp_path, kind, layout, share
):
    model = model_at(kind, server, price=PRICE, max_output_tokens=60)
    annotator = annotator_for(model, S12, layout=layout, cache=tmp_path / "c")
    table = TEXTS[:6] if layout == "single" else TEXTS
    whole = annotator.estimate_cost(table).cost
    server.latency = 0.01
    cap = share * whole
    with pytest.raises(BudgetError, match="Raise max_cost and call again") as caught:
        annotator.set_params(max_cost=cap).annotate(table)
    assert caught.value.reason == "budget"
    spent, following = map(float, STATED.search(str(caught.value)).groups())
    assert dollars(server.stats()) <= cap
    # calls under way when it stopped are not in the message
    assert spent <= dollars(server.stats()) + 1e-4
    assert spent + following > cap - 1e-3  # it did not stop before it had to
    assert following < whole
    paid = server.stats().answered
    labels = annotator.set_params(max_cost=3 * whole).annotate(table)
    np.testing.assert_array_equal(labels, truth(table, S12))
    assert set(server.stats().asked.values()) == {1}
    assert paid.keys() <= server.stats().asked.keys()
    assert annotator.usage_["cost"] == pytest.approx(dollars(server.stats()))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("share", [0.5, 2.0])
def test_the_cap_holds_when_calls_fail(server, layout, share):
    model = model_at(
        "chat", server, price=PRICE, max_output_tokens=60, timeout=0.2, max_retries=20
    )
    annotator = annotator_for(model, S12, layout=layout)
    table = TEXTS[:6] if layout == "single" else TEXTS
    whole = annotator.estimate_cost(table).cost
    server.latency = 0.01
    names = [name for name in TRANSIENT if name != "rate_limit_date"]
    server.faults = Faults.spread(0.5, names, seed=3, timeout_seconds=0.4)
    annotator.set_params(max_cost=share * whole)
    with pytest.raises(BudgetError):
        annotator.annotate(table)
    assert dollars(server.stats()) <= share * whole
    assert annotator.usage_["cost"] >= dollars(server.stats()) - 1e-9


def test_the_cap_holds_for_long_texts(server):
    """There, what is reserved for the input is nearly all that a call costs."""
    table = [f"{text} {'and so on ' * 2_000}" for text in make_texts(30)]
    model = model_at("chat", server, price=(100.0, 0.0, 0.0), max_output_tokens=60)
    annotator = annotator_for(model, S12, concepts_per_call=12)
    cap = annotator.estimate_cost(table).cost * 14.8 / 30  # calls
    server.latency = 0.02
    with pytest.raises(BudgetError):
        annotator.set_params(max_cost=cap).annotate(table)
    assert cap / 4 < dollars(server.stats(), (100.0, 0.0, 0.0)) <= cap


def test_a_cap_bounds_answers_that_have_no_limit(server):
    model = model_at("chat", server, price=PRICE)
    annotator = annotator_for(model, S12, max_cost=5.0)
    annotator.annotate(TEXTS[:3])
    limits = {call.body["max_completion_tokens"] for call in server.calls}
    assert limits == {2048}


def test_a_cap_on_what_has_no_price_is_refused(server):
    model = model_at("chat", server)
    with pytest.raises(ValueError, match=r"max_cost=1.*price=\(input"):
        annotator_for(model, S12, max_cost=1.0)
    opened = annotator_for(model, S12)
    with pytest.raises(ValueError, match="max_cost=1"):
        opened.set_params(max_cost=1.0).annotate(TEXTS)
    assert server.stats().calls == 0


def test_another_model_is_paid_by_its_own_price(server):
    model = model_at("chat", server, price=PRICE)
    annotator = annotator_for(model, S12)
    annotator.annotate(TEXTS)
    cost = annotator.usage_["cost"]
    cheaper = replace(model, model="another", price=tuple(p / 10 for p in PRICE))
    annotator.set_params(model=cheaper).annotate(TEXTS)
    assert annotator.usage_["cost"] == pytest.approx(1.1 * cost)
