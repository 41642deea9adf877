"""One cap for several accounts."""

import copy
import pickle
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from llm_cases import annotator_for, make_texts, model_at, statements
from sklearn.base import clone

from sklearn_hypo import Budget, LLMAnnotator, LLMInterpreter, LLMNamer
from sklearn_hypo._language_models._catalog import Price
from sklearn_hypo._language_models._ledger import Ledger
from sklearn_hypo._language_models._values import Prompt, Usage
from sklearn_hypo.exceptions import BudgetError

DOLLAR = Price(1e6, 1e6, 1e6)  # a dollar per token
A_CALL = Prompt("", "x" * 35, None, max_output_tokens=1)  # costs at most 100


def never():
    return False


def spend(ledger, dollars):
    ledger.settle(ledger.reserve(A_CALL, never), A_CALL, Usage(1, dollars))


def test_accounts_share_the_cap_and_keep_their_own_sums():
    budget = Budget(250.0)
    one, two = Ledger(DOLLAR, budget), Ledger(DOLLAR, budget)
    spend(one, 90)
    spend(two, 70)
    assert (one.cost, two.cost, budget.spent) == (90.0, 70.0, 160.0)
    with pytest.raises(BudgetError, match=r"max_cost=250.*\$160\.0000 are spent"):
        one.reserve(A_CALL, never)
    budget.max_cost = 260.0
    spend(one, 100)
    assert budget.spent == 260.0


def test_a_reservation_of_one_account_is_waited_for_by_another():
    budget = Budget(150.0)
    one, two = Ledger(DOLLAR, budget), Ledger(DOLLAR, budget)
    held, found = one.reserve(A_CALL, never), []
    thread = threading.Thread(target=lambda: found.append(two.reserve(A_CALL, never)))
    thread.start()
    one.settle(held, A_CALL, Usage(1, 50))
    thread.join(5)
    assert found == [100.0]


def test_the_cap_of_many_accounts_is_never_passed():
    budget, refused = Budget(2_000.0), []

    def calls(number):
        generator, ledger = random.Random(number), Ledger(DOLLAR, budget)
        while True:
            try:
                amount = ledger.reserve(A_CALL, never)
            except BudgetError:
                refused.append(number)
                return ledger.cost
            ledger.settle(amount, A_CALL, Usage(1, generator.randrange(100)))

    with ThreadPoolExecutor(16) as pool:
        costs = list(pool.map(calls, range(16)))
    assert len(refused) == 16
    assert budget.spent == pytest.approx(sum(costs))
    assert 1_000 < budget.spent <= 2_000


def test_batch_jobs_of_a_model_count_once():
    budget = Budget(150.0)
    ledgers = [Ledger(DOLLAR, budget, model="m") for _ in range(2)]
    for ledger in ledgers:
        ledger.commit(60.0)
    with pytest.raises(BudgetError, match=r"\$60\.0000 may be needed"):
        ledgers[0].reserve(A_CALL, never)
    ledgers[0].commit(50.0)
    assert ledgers[0].reserve(A_CALL, never) == 100.0


def test_without_a_cap_it_only_adds_up():
    budget = Budget()
    ledger = Ledger(DOLLAR, budget)
    assert ledger.max_cost is None
    assert ledger.reserve(A_CALL, never) == 0.0
    spend(ledger, 10)
    assert budget.spent == 10.0
    assert repr(budget) == "Budget(None)"


def test_an_account_can_change_its_cap():
    ledger = Ledger(DOLLAR, 500.0)
    spend(ledger, 40)
    shared = Budget(120.0)
    ledger.set_terms(DOLLAR, shared, "", "")
    spend(ledger, 30)
    assert (ledger.cost, shared.spent) == (70.0, 30.0)
    ledger.set_terms(DOLLAR, 150.0, "", "")  # what was spent stays spent
    with pytest.raises(BudgetError, match=r"\$70\.0000 are spent"):
        ledger.reserve(A_CALL, never)
    assert shared.max_cost == 120.0


def test_copies_are_the_same_and_pickles_are_not():
    budget = Budget(9.0)
    budget.spent = 4.0
    assert copy.copy(budget) is copy.deepcopy(budget) is budget
    for make in (LLMAnnotator, LLMInterpreter, LLMNamer):
        assert clone(make("gemini", max_cost=budget)).max_cost is budget
    other = pickle.loads(pickle.dumps(budget))  # noqa: S301
    assert (other.max_cost, other.spent) == (9.0, 4.0)
    other._settle(0.0, 1.0)
    assert budget.spent == 4.0
    # an account and its annotator still share it after a round trip
    pair = pickle.loads(pickle.dumps([budget, Ledger(DOLLAR, budget)]))  # noqa: S301
    assert pair[1].budget is pair[0]


@pytest.mark.parametrize("max_cost", [0, -1.0, float("inf"), float("nan"), "5", True])
def test_what_is_no_cap(max_cost):
    with pytest.raises(ValueError, match="dollars above 0 are needed"):
        Budget(max_cost)


def test_clones_of_an_annotator_spend_one_budget(server, prepared):
    model = model_at("chat", server, price=(100.0, 100.0), max_output_tokens=60)
    budget, texts = Budget(1_000.0), make_texts(12)
    first = annotator_for(model, statements(12), max_cost=budget)
    first.annotate(texts[:6])
    second = clone(first).fit([], statements(12))
    second.annotate(texts[6:])
    twin = second.twin().fit([], statements(12))
    twin.annotate(texts[:3])
    stats = server.stats()
    assert budget.spent == pytest.approx(
        (stats.input_tokens + stats.output_tokens) / 1e4
    )
    assert first.usage_["calls"] == 12
    budget.max_cost = budget.spent + 1e-6
    with pytest.raises(BudgetError):
        clone(first).fit([], statements(12)).annotate(texts)


def test_a_budget_needs_a_price_as_a_number_does(server, prepared):
    with pytest.raises(ValueError, match="max_cost=5: the price of openai:double"):
        annotator_for(model_at("chat", server), statements(2), max_cost=Budget(5))
    annotator_for(model_at("chat", server), statements(2), max_cost=Budget())
