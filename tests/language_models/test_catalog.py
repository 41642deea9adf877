"""The table of known models is consistent, and says what a user has to know."""

import os
from datetime import date, datetime, timedelta
from importlib import resources
from itertools import pairwise

import pandas as pd
import pytest

from sklearn_hypo import OpenAIModel
from sklearn_hypo._language_models._catalog import (
    MODELS,
    DatedPrice,
    KnownModel,
    Price,
    describe_end_of_life,
    find_model,
    find_price,
)
from sklearn_hypo._language_models._models import PROVIDERS

AS_OF = max(known.as_of for known in MODELS)
ROLES = {
    "chat": {"annotator", "interpreter"},
    "decisions": {"annotator"},
    "embedding": {"embedding"},
}
DEFAULTS = [
    (provider, role, name)
    for provider, spec in PROVIDERS.items()
    for role, name in spec.default_models.items()
]


@pytest.fixture(autouse=True)
def no_prices_of_the_user(monkeypatch):
    monkeypatch.delenv("SKLEARN_HYPO_PRICES", raising=False)


ROWS = pytest.mark.parametrize("known", MODELS, ids=lambda known: known.name)


def test_the_file_has_the_columns_of_the_table():
    folder = resources.files("sklearn_hypo._language_models")
    models = {*KnownModel._fields, "model"} - {"name", "prices"}
    prices = {*DatedPrice._fields, *Price._fields, "provider", "model"} - {"price"}
    for name, fields in {"known_models": models, "known_prices": prices}.items():
        file = folder / f"{name}.csv"
        header, *rows = file.read_text(encoding="utf-8").splitlines()
        assert set(header.split(",")) == fields
        assert {row.count(",") for row in rows} == {header.count(",")}
        assert all("https://" in row for row in rows)
        known = {(m.provider, m.name) for m in MODELS}
        assert {tuple(row.split(",")[:2]) for row in rows} <= known


def test_rows_are_unique_and_cannot_be_changed():
    assert len({(known.provider, known.name) for known in MODELS}) == len(MODELS)
    with pytest.raises(AttributeError):
        MODELS[0].name = "another"


@ROWS
def test_row(known):
    assert find_model(known.provider, known.name) is known
    assert known.provider in PROVIDERS
    assert known.kind in ROLES
    assert date.fromisoformat(known.as_of) <= date.today()
    assert not known.successor or known.shutdown
    assert not known.rumored or known.shutdown
    if known.shutdown:
        assert date.fromisoformat(known.shutdown).isoformat() == known.shutdown
    for price, *_ in known.prices:
        assert 0 <= price.cached <= price.input
        assert price.input > 0
        assert price.output == 0 or price.output > price.input
        assert (price.output == 0) is (known.kind != "chat")
        assert (price.cache_write == 1.25) is known.name.startswith("gpt-6")
    embeds = known.kind == "embedding"
    assert embeds is (known.inputs_per_request is not None)
    assert embeds is (known.tokens_per_input is not None)
    assert embeds is known.dimensions
    assert not embeds or not known.max_questions


@ROWS
def test_successor_is_a_model_that_lives_longer(known):
    if not known.successor:
        return
    successor = find_model(known.provider, known.successor)
    assert successor.kind == known.kind
    assert successor.prices
    assert not successor.shutdown or successor.shutdown > known.shutdown


@pytest.mark.parametrize(("provider", "role", "name"), DEFAULTS)
def test_defaults_can_be_used_and_priced(provider, role, name):
    known = find_model(provider, name)
    assert known.name == name
    assert role in ROLES[known.kind]
    assert known.price_on(AS_OF) is not None
    assert find_price(provider, name) is not None
    assert not known.shutdown or known.shutdown > AS_OF
    # nobody starts a study with a model that ends within half a year
    assert describe_end_of_life(provider, name, AS_OF, within=183) == ""


def test_every_provider_has_a_default_for_whom_annotates_and_interprets():
    for spec in PROVIDERS.values():
        assert {"annotator", "interpreter"} <= spec.default_models.keys()


def test_decisions():
    offered = {known.name: known.max_questions for known in MODELS}
    offered = {name: most for name, most in offered.items() if most}
    assert offered == {"gpt-6-luna": 400, "gemini-decision-1": 1000}


def test_limits_of_embeddings():
    small = find_model("openai", "text-embedding-3-small")
    assert small.inputs_per_request == 2048
    assert (small.tokens_per_input, small.tokens_per_request) == (8192, 300_000)
    gemini = find_model("gemini", "gemini-embedding-001")
    assert (gemini.inputs_per_request, gemini.tokens_per_input) == (100, 2048)
    assert find_model("gemini", "gemini-embedding-2").tokens_per_input == 8192


@pytest.mark.parametrize(
    ("provider", "model", "name"),
    [
        ("openai", "gpt-5.2-2025-12-11", "gpt-5.2"),
        ("openai", "gpt-5-2025-08-07", "gpt-5"),
        ("openai", "gpt-5-mini", "gpt-5-mini"),
        ("openai", "gpt-5-mini-2025-08-07", "gpt-5-mini"),
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gemini", "models/gemini-2.5-flash-lite", "gemini-2.5-flash-lite"),
        ("gemini", "gemini-embedding-001", "gemini-embedding-001"),
    ],
)
def test_find(provider, model, name):
    assert find_model(provider, model).name == name


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-5.2-mini"),
        ("openai", "gpt-5.2-pro"),
        ("openai", "gpt-5-"),
        ("openai", "gpt-5-2025"),
        ("openai", "gpt-5-2025-08-07-mini"),
        ("openai", "gpt-5-2025-08-07-2025-08-08"),
        ("openai", "-2025-08-07"),
        ("openai", "gpt-"),
        ("openai", ""),
        ("openai", "GPT-5"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:org::id"),
        ("openai", "models/gpt-5"),
        ("openai", "gemini-2.5-flash"),
        ("gemini", "gpt-5"),
        ("gemini", "gemini-2.5-flash-lite-preview-09-2025"),
        ("gemini", "gemini-2.5"),
        ("gemini", "gemini-embedding"),
        ("mistral", "gpt-5"),
    ],
)
def test_another_model_is_not_found(provider, model):
    assert find_model(provider, model) is None
    assert find_price(provider, model) is None
    assert describe_end_of_life(provider, model, AS_OF) == ""


def test_cost_of_the_layouts():
    # instructions, a tweet and one concept, 40,000 times: dollars of the facts' table
    luna = find_price("openai", "gpt-6-luna")
    assert luna.cost(17_680_000, 0, 80_000) == pytest.approx(1.81, abs=0.005)
    lite = find_price("gemini", "gemini-2.5-flash-lite")
    assert lite.cost(17_680_000, 0, 80_000) == pytest.approx(1.80, abs=0.005)
    upstream = find_price("openai", "gpt-5.2")
    assert upstream.cost(17_680_000, 0, 80_000) == pytest.approx(32.06, abs=0.005)
    assert upstream.cost(1_460_000, 0, 200_000) == pytest.approx(5.36, abs=0.01)


def test_prices_of_a_model_follow_each_other_without_a_gap():
    for known in MODELS:
        for earlier, later in pairwise(known.prices):
            day_after = date.fromisoformat(earlier.end) + timedelta(days=1)
            assert later.start == day_after.isoformat()
        for dated in known.prices:
            assert date.fromisoformat(dated.as_of) <= date.today()


@pytest.mark.parametrize(
    ("day", "price"),
    [
        ("2026-11-28", (0.75, 0.075, 3.75)),
        (date(2026, 12, 31), (0.75, 0.075, 3.75)),
        (datetime(2027, 1, 1, 0, 1), (1.5, 0.15, 7.5)),
        ("2031-01-01", (1.5, 0.15, 7.5)),
    ],
)
def test_a_promotion_ends(day, price):
    assert find_price("gemini", "gemini-3.8-flash", day)[:3] == price


def test_no_price_before_the_first_or_after_the_last():
    dated = DatedPrice(Price(1.0, 1.0, 2.0), "2026-02-01", "2026-03-01")
    known = MODELS[0]._replace(prices=(dated,))
    assert known.price_on("2026-01-31") is None
    assert known.price_on("2026-02-01") == known.price_on("2026-03-01") == dated.price
    assert known.price_on("2026-03-02") is None


OWN_PRICES = """\
provider,model,input,output,start,end
mistral,mistral-small-latest,0.1,0.3,,
gemini,gemini-3.8-flash,0.5,2,,2026-12-31
openai,gpt-6-luna,1,3,,
openai,gpt-6-luna,2,6,2027-01-01,
"""


def test_prices_of_the_user_go_first(monkeypatch, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text(OWN_PRICES, encoding="utf-8")
    monkeypatch.setenv("SKLEARN_HYPO_PRICES", str(file))
    assert find_price("mistral", "mistral-small-latest") == Price(0.1, 0.1, 0.3)
    assert find_price("openai", "gpt-6-luna", "2026-11-28") == Price(1.0, 1.0, 3.0)
    assert find_price("openai", "gpt-6-luna-2026-09-01", "2027-02-01").input == 2
    # where the file has no price for a day, the package's table has
    assert find_price("gemini", "gemini-3.8-flash", "2026-12-31").input == 0.5
    assert find_price("gemini", "gemini-3.8-flash", "2027-01-01").input == 1.5
    assert find_price("openai", "gpt-5.2").input == 1.75
    assert OpenAIModel("mistral-small-latest", provider="mistral").price_per_million()
    model = OpenAIModel("gpt-6-luna", price=(7, 8))
    assert model.price_per_million().input == 7


def test_a_file_of_prices_that_changes_is_read_again(monkeypatch, tmp_path):
    file = tmp_path / "prices.csv"
    monkeypatch.setenv("SKLEARN_HYPO_PRICES", str(file))
    for number in (1, 2):
        file.write_text(f"provider,model,input,output\nvllm,m,{number},3\n")
        os.utime(file, ns=(number, number))
        assert find_price("vllm", "m").input == number


@pytest.mark.parametrize(
    "line", ["openai,m,cheap,3", "openai,m,-1,3", "openai,m,nan,3", "openai,m,,3"]
)
def test_a_wrong_file_of_prices_is_named_with_its_line(monkeypatch, tmp_path, line):
    file = tmp_path / "prices.csv"
    file.write_text(f"provider,model,input,output\nopenai,x,1,2\n{line}\n")
    monkeypatch.setenv("SKLEARN_HYPO_PRICES", str(file))
    with pytest.raises(ValueError, match=r"prices\.csv', line 3: a price needs"):
        find_price("openai", "x")


def test_a_file_of_prices_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLEARN_HYPO_PRICES", str(tmp_path / "none.csv"))
    with pytest.raises(ValueError, match=r"SKLEARN_HYPO_PRICES=.*no such file"):
        find_price("openai", "x")


def test_default_models_do_not_reason_unasked():
    for name in ("gpt-6-luna", "gpt-6.1-terra"):
        assert find_model("openai", name).reasoning_effort == "none"
        assert OpenAIModel(name).effort == "none"
        assert OpenAIModel(name).identity()["reasoning_effort"] == "none"
        assert OpenAIModel(name, reasoning_effort="low").effort == "low"
        assert OpenAIModel(name, reasoning_effort=None).effort is None
    assert OpenAIModel("gpt-5.2").effort is None
    assert OpenAIModel("unheard-of").effort is None


def test_cost_of_cached_and_written_tokens():
    price = Price(2.0, 0.5, 10.0, cache_write=1.25)
    million = 1_000_000
    assert price.cost(0, 0, 0) == 0
    assert price.cost(million, 0, 0) == 2.0
    assert price.cost(million, million, 0) == 0.5
    assert price.cost(million, 0, 0, cache_write_tokens=million) == 2.5
    assert price.cost(4 * million, million, million, million) == 4.0 + 0.5 + 2.5 + 10.0
    # a server that reports more cached tokens than tokens never pays us
    assert price.cost(0, million, 0) == 0.5


def test_half_price():
    half = Price(2.0, 0.5, 10.0, cache_write=1.25).half()
    assert half == Price(1.0, 0.5, 5.0, cache_write=1.25)
    assert Price(0.02, 0.02, 0.0).half() == Price(0.01, 0.01, 0.0)


@pytest.mark.parametrize(
    ("model", "today", "note"),
    [
        (
            "gpt-5-mini",
            "2026-11-22",
            "shuts down on 2026-12-11; successor gpt-6.1-terra",
        ),
        (
            "gpt-5-mini-2025-08-07",
            date(2026, 12, 11),
            "shuts down on 2026-12-11; successor gpt-6.1-terra",
        ),
        (
            "gpt-5-mini",
            datetime(2026, 12, 12, 1),
            "was shut down on 2026-12-11; successor gpt-6.1-terra",
        ),
        ("gpt-5-mini", datetime(2026, 12, 11, 23), "shuts down on 2026-12-11; succ"),
        ("gpt-4.1-nano", pd.Timestamp("2026-11-22"), "was shut down on 2026-10-23"),
        ("gpt-5.1", "2026-11-22", "shuts down on 2027-04-01"),
        ("gpt-5.2", "2036-11-22", ""),
    ],
)
def test_lifecycle(model, today, note):
    found = describe_end_of_life("openai", model, today)
    assert found.startswith(note)
    assert bool(found) is bool(note)


def test_lifecycle_from_one_source():
    note = describe_end_of_life("gemini", "gemini-2.5-pro", AS_OF)
    successor = "successor gemini-3.8-flash"
    assert note == f"reportedly shuts down on 2026-12-01; {successor}"
    note = describe_end_of_life("gemini", "gemini-2.5-pro", "2027-01-01")
    assert note == f"was reportedly shut down on 2026-12-01; {successor}"


def test_lifecycle_of_the_near_future_only():
    assert describe_end_of_life("openai", "gpt-5", "2026-12-01", within=10)
    assert not describe_end_of_life("openai", "gpt-5", "2026-11-30", within=10)
    assert describe_end_of_life("openai", "gpt-5", "2027-11-30", within=10)
