import copy
import math
import pickle
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sklearn_hypo._language_models._catalog import MODELS, Price
from sklearn_hypo._language_models._ledger import (
    Ledger,
    bound_input_tokens,
    compute_cost,
    estimate_input_tokens,
)
from sklearn_hypo._language_models._values import DecisionQuestions, Prompt, Usage
from sklearn_hypo.exceptions import BudgetError

DOLLAR = Price(1e6, 1e6, 1e6)  # a dollar per token
PRICE = Price(1.0, 0.1, 5.0, 1.25)


def prompt(n_output=1, n_input=35):
    """A request that can cost `n_output` tokens and at most `n_input` + 64 others.

    By default 100 in all.
    """
    return Prompt("", "x" * n_input, None, max_output_tokens=n_output)


def never():
    return False


# Bounds


@pytest.mark.parametrize(
    "text", ["word " * 50, "é" * 50, "語" * 50, "😀" * 50, "", "\n"]
)
def test_no_tokenizer_makes_more_tokens_than_the_bound(text):
    n_bytes = len(text.encode())
    assert bound_input_tokens(Prompt("", text)) >= n_bytes
    assert bound_input_tokens(Prompt(text, text)) >= 2 * n_bytes
    assert bound_input_tokens([text, text]) >= 2 * n_bytes
    assert estimate_input_tokens(Prompt("", text)) == math.ceil(len(text) / 4)
    # whether the text counts once or with each question is not documented
    questions = DecisionQuestions(text, {"c1": text, "c2": text})
    assert bound_input_tokens(questions) >= 4 * n_bytes


def test_a_schema_counts():
    schema = {"type": "object", "properties": {"a" * 100: {"type": "boolean"}}}
    with_schema = bound_input_tokens(Prompt("s", "u", schema))
    assert with_schema - bound_input_tokens(Prompt("s", "u")) >= 100


@pytest.mark.parametrize("price", [m.prices[-1].price for m in MODELS if m.prices])
def test_a_call_costs_no_more_than_the_bound(price):
    ledger = Ledger(price, 1.0)
    request = prompt(200, 1000)
    n_input, n_output = bound_input_tokens(request), 200
    bound = ledger.worst_cost(request)
    for cached in (0, n_input // 2, n_input):
        for written in (0, (n_input - cached) // 2, n_input - cached):
            usage = Usage(1, n_input, cached, written, n_output, n_output)
            assert compute_cost(price, usage) <= bound * (1 + 1e-12)


def test_answers_of_a_decisions_endpoint_are_free():
    questions = DecisionQuestions("a text", {"c1": "is it?"})
    ledger = Ledger(DOLLAR, 1e6)
    amount = ledger.reserve(questions, never)
    ledger.settle(amount, questions, Usage(1, 7, 0, 0, 1000))
    assert ledger.cost == 7
    assert ledger.usage.output_tokens == 1000


# Reserving


def test_a_call_that_could_pass_the_cap_is_refused():
    ledger = Ledger(DOLLAR, 250.0)
    for _ in range(2):
        amount = ledger.reserve(prompt(), never)
        assert amount == 100.0
        ledger.settle(amount, prompt(), Usage(1, 100))
    with pytest.raises(BudgetError, match=r"\$200\.0000 are spent.* \$100\.0000") as e:
        ledger.reserve(prompt(), never)
    assert "Raise max_cost" in str(e.value)
    assert e.value.reason == "budget"
    assert ledger.usage.calls == 2  # a refused call is not counted
    ledger.budget.max_cost = 300.0
    ledger.settle(ledger.reserve(prompt(), never), prompt(), Usage(1, 100))
    assert ledger.cost == 300.0


def test_the_very_first_call_can_be_too_much():
    with pytest.raises(BudgetError):
        Ledger(DOLLAR, 99.0).reserve(prompt(), never)
    assert Ledger(DOLLAR, 100.0).reserve(prompt(), never) == 100.0


def waiting(ledger, give_up=never):
    """Reserve in a thread; return what became of it, as soon as it is waiting."""
    found = []

    def reserve():
        try:
            found.append(ledger.reserve(prompt(), give_up))
        except BudgetError as error:
            found.append(error)

    thread = threading.Thread(target=reserve)
    thread.start()
    time.sleep(0.05)
    assert not found
    return thread, found


@pytest.mark.parametrize(("consumed", "goes_on"), [(10, True), (90, False)])
def test_a_call_waits_for_a_reservation_that_may_come_back(consumed, goes_on):
    ledger = Ledger(DOLLAR, 150.0)
    held = ledger.reserve(prompt(), never)
    thread, found = waiting(ledger)
    ledger.settle(held, prompt(), Usage(1, consumed))
    thread.join(5)
    assert len(found) == 1
    assert found[0] == 100.0 if goes_on else isinstance(found[0], BudgetError)


def test_a_cancelled_reservation_comes_back():
    ledger = Ledger(DOLLAR, 100.0)
    held = ledger.reserve(prompt(), never)
    thread, found = waiting(ledger)
    ledger.cancel(held)
    thread.join(5)
    assert found == [100.0]
    assert ledger.usage == Usage()


def test_a_call_is_not_waited_for_when_it_cannot_be_made_anyway():
    ledger = Ledger(DOLLAR, 150.0)
    ledger.settle(ledger.reserve(prompt(), never), prompt(), Usage(1, 60))
    ledger.reserve(prompt(n_input=0), never)
    with pytest.raises(BudgetError):
        ledger.reserve(prompt(), never)  # 60 + 100 > 150, whatever comes back


def test_who_waits_can_give_up():
    ledger, stop = Ledger(DOLLAR, 100.0), threading.Event()
    held = ledger.reserve(prompt(), never)
    thread, found = waiting(ledger, stop.is_set)
    stop.set()
    thread.join(5)
    assert found == [0.0]
    ledger.cancel(0.0)  # as who gave up does
    ledger.settle(held, prompt(), Usage(1, 100))
    assert ledger.cost == 100.0


def test_without_a_cap_nothing_is_reserved():
    ledger = Ledger(DOLLAR)
    assert ledger.reserve(prompt(), never) == 0.0
    ledger.settle(0.0, prompt(), Usage(1, 10))
    assert ledger.cost == 10.0
    assert Ledger(None).reserve(prompt(), never) == 0.0


def test_free_calls_leave_nothing_behind():
    ledger = Ledger(Price(0.0, 0.0, 0.0), 100.0)
    ledger.settle(ledger.reserve(prompt(), never), prompt(), Usage(1, 10))
    ledger.cancel(ledger.reserve(prompt(), never))
    assert (ledger.budget._under_way, ledger.budget._reserved) == (0, 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_the_cap_is_never_passed(seed):
    """32 threads, usages of up to the bound, unknown ones, cancelled ones."""
    cap, n_threads = 2e-3, 32
    ledger = Ledger(PRICE, cap)
    spent, refused, lock = [], [], threading.Lock()
    passed = []

    def calls(number):
        generator = random.Random(f"{seed} {number}")
        while True:
            request = prompt(generator.randint(1, 50), generator.randrange(100))
            try:
                amount = ledger.reserve(request, never)
            except BudgetError:
                refused.append(number)
                return
            with lock:
                passed.append(ledger.budget.spent + ledger.budget._reserved)
            if generator.random() < 0.2:
                time.sleep(generator.random() / 1000)
            kind = generator.random()
            if kind < 0.1:
                ledger.cancel(amount)
                continue
            if kind < 0.3:
                ledger.settle(amount, request, None, billed=kind < 0.2)
                spent.append(amount if kind < 0.2 else 0.0)
                continue
            n_input = generator.randint(0, bound_input_tokens(request))
            cached = generator.randint(0, n_input)
            written = generator.randint(0, n_input - cached)
            n_output = generator.randint(0, request.max_output_tokens)
            usage = Usage(1, n_input, cached, written, n_output)
            ledger.settle(amount, request, usage)
            spent.append(compute_cost(PRICE, usage))

    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(calls, range(n_threads)))
    assert sorted(refused) == list(range(n_threads))
    assert max(passed) <= cap * (1 + 1e-9)
    assert ledger.cost == pytest.approx(sum(spent))
    assert ledger.cost <= cap
    assert ledger.cost > 0.5 * cap  # it was made use of
    assert ledger.usage.calls == len(spent)
    assert (ledger.budget._under_way, ledger.budget._reserved) == (0, 0.0)


# Settling


def test_sums():
    ledger = Ledger(PRICE)
    usages = [Usage(1, 100, 40, 20, 10, 5), Usage(1, 7, 0, 0, 3), Usage(1, 0)]
    for usage in usages:
        ledger.settle(0.0, prompt(), usage)
    ledger.count_cached(4)
    summary = dict(ledger.account)
    # (40 plain + 1.25 * 20 written) * 1 + 40 * 0.1 + 10 * 5, and 7 * 1 + 3 * 5
    assert summary.pop("cost") == pytest.approx((40 + 25 + 4 + 50 + 22) / 1e6)
    assert summary == {
        "model": "",
        "answered_by": "",
        "calls": 3,
        "input_tokens": 107,
        "cached_tokens": 40,
        "cache_write_tokens": 20,
        "output_tokens": 13,
        "reasoning_tokens": 5,
        "uncertain_calls": 0,
        "answers_from_cache": 4,
    }


def test_a_call_of_unknown_outcome_counts_in_full():
    ledger = Ledger(DOLLAR, 1000.0)
    request = prompt(n_output=21)  # 35 characters
    amount = ledger.reserve(request, never)
    assert amount == 120.0
    ledger.settle(amount, request, None)
    assert ledger.cost == 120.0
    assert ledger.uncertain_calls == 1
    assert ledger.usage == Usage(1, 9)  # as far as it is known


def test_a_call_that_was_not_billed_costs_nothing():
    ledger = Ledger(DOLLAR, 1000.0)
    ledger.settle(ledger.reserve(prompt(), never), prompt(), None, billed=False)
    assert (ledger.cost, ledger.uncertain_calls, ledger.usage) == (0.0, 0, Usage(1))


def test_without_a_cap_a_call_of_unknown_outcome_is_estimated():
    ledger = Ledger(DOLLAR)
    ledger.settle(0.0, prompt(), None)
    assert (ledger.cost, ledger.uncertain_calls) == (9.0, 1)


def test_an_unknown_price():
    ledger = Ledger(None)
    ledger.settle(0.0, prompt(), Usage(1, 10))
    assert math.isnan(ledger.account["cost"])
    assert ledger.account["input_tokens"] == 10


# Copies


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda ledger: pickle.loads(pickle.dumps(ledger))],  # noqa: S301
    ids=["deepcopy", "pickle"],
)
def test_a_copy_keeps_what_was_spent(copied):
    ledger = Ledger(DOLLAR, 250.0)
    ledger.settle(ledger.reserve(prompt(), never), prompt(), Usage(1, 100))
    under_way = ledger.reserve(prompt(), never)
    twin = copied(ledger)
    assert twin.account == ledger.account
    assert twin.max_cost == 250.0
    # what is under way is not the copy's
    twin.settle(twin.reserve(prompt(), never), prompt(), Usage(1, 100))
    assert twin.cost == 200.0
    with pytest.raises(BudgetError):
        twin.reserve(prompt(), never)
    ledger.settle(under_way, prompt(), Usage(1, 1))
    assert (ledger.cost, twin.cost) == (101.0, 200.0)


def test_jobs_that_are_not_collected_count_for_the_cap():
    ledger = Ledger(DOLLAR, 250.0)
    ledger.commit(200.0)
    with pytest.raises(BudgetError, match=r"\$200\.0000 may be needed for open batch"):
        ledger.reserve(prompt(), never)
    ledger.commit(100.0)
    assert ledger.reserve(prompt(), never) == 100.0
    assert ledger.cost == 0.0


def test_calls_of_a_batch_cost_half():
    ledger = Ledger(Price(2e6, 2e6, 4e6))
    ledger.add_from_batch(Usage(1, 10, 0, 0, 5), most=99.0)
    assert ledger.cost == 10 * 1 + 5 * 2
    ledger.add_from_batch(None, most=99.0)
    assert ledger.cost == 20 + 99
    assert ledger.uncertain_calls == 1
    assert ledger.usage == Usage(2, 10, 0, 0, 5)
