import copy
import functools
import pickle
import types

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid
from sklearn.utils import estimator_html_repr

from sklearn_hypo import GeminiModel, LLMAnnotator, OpenAIModel
from sklearn_hypo._language_models._catalog import Price
from sklearn_hypo._language_models._models import CallableModel, as_model
from sklearn_hypo.exceptions import LanguageModelError

OPENAI_ENVIRONMENT = ("OPENAI_API_KEY", "OPENAI_BASE_URL")
GOOGLE_ENVIRONMENT = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL")

# One value for each parameter that differs from its default.
ANSWER = {
    "openai": {
        "api": "responses",
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
        "reasoning_effort": "low",
        "structured_output": False,
        "extra_body": {"top_k": 20, "options": {"a": [1, 2]}},
        "extra_headers": {"X-Title": "study"},
        "extra_query": {"api-version": "preview"},
        "system_role": False,
    },
    "gemini": {
        "api_version": "v1",
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
        "thinking_budget": 0,
        "thinking_level": "minimal",
        "safety": "off",
        "structured_output": False,
    },
}
TRANSPORT = {
    "openai": {
        "api_key_env": "MY_KEY",
        "max_output_tokens": 64,
        "decisions_api": "systemone",
        "token_parameter": "max_tokens",
        "service_tier": "flex",
        "price": (1.0, 2.0),
        "timeout": 5.0,
        "max_retries": 0,
        "requests_per_minute": 10.0,
        "tokens_per_minute": 10.0,
    },
    "gemini": {
        "api_key_env": "MY_KEY",
        "max_output_tokens": 64,
        "price": (1.0, 0.5, 2.0),
        "timeout": 5.0,
        "max_retries": 0,
        "requests_per_minute": 10.0,
        "tokens_per_minute": 10.0,
    },
}
CLASSES = {"openai": OpenAIModel, "gemini": GeminiModel}
EACH = [
    (CLASSES[provider], name, value)
    for provider in CLASSES
    for name, value in {
        **ANSWER[provider],
        **TRANSPORT[provider],
        "base_url": "http://localhost:1/v1",
    }.items()
]
EACH.append((OpenAIModel, "provider", "ollama"))
# of no influence on equality, and tested with the servers
APART = {"provider", "token_provider"}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in (*OPENAI_ENVIRONMENT, *GOOGLE_ENVIRONMENT):
        monkeypatch.delenv(name, raising=False)


def whole(provider):
    """A specification in which everything is set."""
    return CLASSES[provider](
        "m", base_url="http://h/v1", **ANSWER[provider], **TRANSPORT[provider]
    )


# Values


def test_every_parameter_is_among_those_that_are_tried():
    for provider, cls in CLASSES.items():
        named = {*ANSWER[provider], *TRANSPORT[provider], "base_url", "model"}
        assert named == set(cls.__dataclass_fields__) - APART


@pytest.mark.parametrize(("cls", "name", "value"), EACH)
def test_models_are_equal_by_value(cls, name, value):
    one, same, other = cls("m", **{name: value}), cls("m", **{name: value}), cls("m")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert len({one, same, other}) == 2


def test_models_of_two_vendors_differ():
    assert OpenAIModel("m") != GeminiModel("m")


@pytest.mark.parametrize("provider", CLASSES)
@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda spec: pickle.loads(pickle.dumps(spec)),  # noqa: S301
        lambda spec: clone(spec, safe=False),
        lambda spec: clone(LLMAnnotator(spec)).model,
        lambda spec: eval(repr(spec)),
    ],
    ids=["copy", "deepcopy", "pickle", "clone", "clone inside", "repr"],
)
def test_copies_are_equal(provider, copied):
    spec = whole(provider)
    assert copied(spec) == spec
    assert copied(spec).identity() == spec.identity()
    assert copied(CLASSES[provider]("m")) == CLASSES[provider]("m")


def test_models_cannot_be_changed():
    with pytest.raises(AttributeError):
        OpenAIModel("m").temperature = 1.0


@pytest.mark.parametrize(("cls", "name", "value"), EACH)
def test_repr_shows_what_differs_from_the_defaults(cls, name, value):
    assert repr(cls("m")) == f"{cls.__name__}('m')"
    assert repr(cls("m", **{name: value})).startswith(f"{cls.__name__}('m', {name}=")
    assert repr(cls("m", **{name: cls.__dataclass_fields__[name].default})) == (
        f"{cls.__name__}('m')"
    )


def test_models_can_be_searched_over():
    grid = ParameterGrid(
        {
            "model": [
                "gemini:gemini-2.5-flash-lite",
                *(OpenAIModel("m", temperature=t) for t in (0.0, 1.0)),
            ],
            "layout": ["single", "stacked"],
        }
    )
    annotators = [LLMAnnotator().set_params(**p) for p in grid]
    assert len({(str(a.model), repr(a.model), a.layout) for a in annotators}) == 6
    assert [clone(a).model for a in annotators] == [a.model for a in annotators]


def test_numbers_of_numpy_become_plain_ones():
    spec = OpenAIModel(
        "m",
        temperature=np.float64(0.5),
        top_p=np.float32(0.5),
        seed=np.int64(3),
        max_output_tokens=np.int32(7),
        price=np.array([1.0, 2.0]),
    )
    assert spec == OpenAIModel(
        "m", temperature=0.5, top_p=0.5, seed=3, max_output_tokens=7, price=(1, 2)
    )
    assert eval(repr(spec)) == spec
    assert type(spec.seed) is int


@pytest.mark.parametrize("provider", CLASSES)
def test_equal_models_have_the_same_identity(provider):
    cls = CLASSES[provider]
    a, b = cls("m", temperature=0, top_p=1), cls("m", temperature=0.0, top_p=1.0)
    assert a == b
    assert repr(a.identity()) == repr(b.identity())


@pytest.mark.parametrize(
    ("given", "price"),
    [
        ((1, 2), Price(1.0, 1.0, 2.0)),
        ([1, 0.5, 2], Price(1.0, 0.5, 2.0)),
        ((1, 0.5, 2, 1.25), Price(1.0, 0.5, 2.0, 1.25)),
        (Price(1.0, 0.5, 2.0), Price(1.0, 0.5, 2.0)),
    ],
)
def test_prices(given, price):
    assert OpenAIModel("m", price=given).price_per_million() == price


def test_prices_of_known_and_unknown_models(monkeypatch):
    monkeypatch.delenv("SKLEARN_HYPO_PRICES", raising=False)
    assert OpenAIModel("gpt-5.2").price_per_million().output == 14.0
    assert OpenAIModel("gpt-5.2", service_tier="flex").price_per_million().output == 7.0
    assert OpenAIModel("unheard-of").price_per_million() is None


# Wrong values


@pytest.mark.parametrize("cls", CLASSES.values())
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("model", v) for v in ("", "  ", None, 3, b"m")),
        *(("timeout", v) for v in (0, -1, "60", float("nan"), float("inf"))),
        *(("max_retries", v) for v in (-1, 1.5, None, True, "3")),
        *(("requests_per_minute", v) for v in (0, -1, "9", float("nan"))),
        *(("tokens_per_minute", v) for v in (0, -1)),
        *(("temperature", v) for v in (-0.1, "hot", True, float("nan"))),
        ("top_p", "most"),
        ("seed", 1.5),
        *(("max_output_tokens", v) for v in (0, 1.5)),
        *(("price", v) for v in (3, (1,), (1, -1), "abc", (1, 2, 3, 4, 5))),
        *(("price", v) for v in ((1, float("nan")), (1, float("inf")), ("a", 1))),
        *(("base_url", v) for v in ("", "localhost:1", "ftp://h", "http://", 5)),
        *(("base_url", v) for v in ("http://[x", "http://h:port")),
        *(("api_key_env", v) for v in ("", "MY KEY", "2KEY", "ÜKEY", 5)),
    ],
)
def test_wrong_values_are_refused_by_name(cls, name, value):
    given = {"model": "m", name: value}
    with pytest.raises(ValueError, match=rf"{cls.__name__}\({name}="):
        cls(**given)


def test_wrong_choices_are_refused_by_name():
    with pytest.raises(ValueError, match=r"api='batch'\): one of 'chat', 'responses'"):
        OpenAIModel("m", api="batch")
    with pytest.raises(ValueError, match="decisions_api="):
        OpenAIModel("m", decisions_api="/v1/systemone")
    with pytest.raises(ValueError, match="token_parameter="):
        OpenAIModel("m", token_parameter="tokens")
    with pytest.raises(ValueError, match="safety="):
        GeminiModel("m", safety="none")
    with pytest.raises(ValueError, match="thinking_budget="):
        GeminiModel("m", thinking_budget=-2)


SECRETS = [
    "sk-proj-a1B2c3D4e5F6g7H8",
    "sk_live_a1B2c3D4",
    "gsk_a1B2c3D4e5F6g7H8i9J0",
    "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "hf_aBcDeFgHiJkLmNoPqRsT1234",
    "0f1e2d3c4b5a69788796a5b4c3d2e1f0f1e2",
    "a1b2c3d4e5f60718293a4b5c6d7e8f90",
]


def shown(error):
    """Everything that an error says, with those that it came from."""
    written = []
    while error is not None:
        written += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return " ".join(written)


@pytest.mark.parametrize("cls", CLASSES.values())
@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_in_place_of_its_name_is_refused_unshown(cls, secret):
    with pytest.raises(ValueError, match="NAME of an environment variable") as caught:
        cls("m", api_key_env=secret)
    assert secret not in shown(caught.value)


@pytest.mark.parametrize("cls", CLASSES.values())
@pytest.mark.parametrize(
    "url",
    [
        "https://user:{}@host/v1",
        "https://{}@host/v1",
        "https://:{}@host/v1",
        "https://host/v1?key={}",
        "https://host/v1#{}",
        "https://host/{}/v1",
        "{}",
        "https://[{}",
    ],
)
def test_an_address_with_a_key_is_refused_unshown(cls, url):
    with pytest.raises(ValueError, match="base_url") as caught:
        cls("m", base_url=url.format(SECRETS[0]))
    assert SECRETS[0] not in shown(caught.value)


@pytest.mark.parametrize("secret", SECRETS[:4])
def test_a_key_in_place_of_a_model_is_refused_unshown(secret):
    for call in (as_model, lambda s: as_model(f"openai:{s}"), OpenAIModel, GeminiModel):
        with pytest.raises(ValueError, match="model=") as caught:
            call(secret)
        assert secret not in shown(caught.value)


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "MY_OPENAI_KEY_FOR_PROJECT_2", "key", "_K2", "azureKey1"]
)
def test_names_of_variables_are_accepted(name):
    assert OpenAIModel("m", api_key_env=name).api_key_env == name


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434/v1",
        "http://127.0.0.1:8000",
        "http://[::1]:8000/v1",
        "https://gateway.example/v1/0f1e2d3c4b5a69788796a5b4c3d2e1f0/openai",
    ],
)
def test_usual_addresses_are_accepted(url):
    assert OpenAIModel("m", base_url=url).server() == url


# as_model


@pytest.mark.parametrize("role", ["annotator", "interpreter", "embedding"])
@pytest.mark.parametrize("provider", CLASSES)
def test_a_provider_stands_for_its_default_model(provider, role):
    expected = CLASSES[provider](CLASSES[provider].default_models[role])
    assert as_model(provider, role) == expected
    assert as_model(f"{provider}:", role) == expected
    assert as_model(f"{provider}: ", role) == expected


def test_strings_and_specifications():
    assert as_model("openai:gpt-5.2") == OpenAIModel("gpt-5.2")
    assert as_model("gemini: gemini-x ") == GeminiModel("gemini-x")
    assert as_model("openai:qwen3:8b") == OpenAIModel("qwen3:8b")
    assert str(as_model("openai:qwen3:8b")) == "openai:qwen3:8b"
    spec = whole("gemini")
    assert as_model(spec) is spec


def answer(prompt):
    return "yes"


def test_functions():
    class Model:
        def __call__(self, prompt):
            return "yes"

    for function in (answer, functools.partial(answer), Model(), lambda prompt: "no"):
        model = as_model(function)
        assert isinstance(model, CallableModel)
        assert model.price_per_million() == Price(0.0, 0.0, 0.0)
        assert str(model).startswith("callable:")
    assert as_model(answer).identity() == as_model(answer).identity()
    with pytest.raises(ValueError, match="cannot be identified"):
        as_model(lambda prompt: "no").identity()


def make_openai():
    import openai

    return openai.OpenAI(api_key=SECRETS[0])


def make_async_openai():
    import openai

    return openai.AsyncOpenAI(api_key=SECRETS[0])


def make_gemini():
    from google import genai

    return genai.Client(api_key=SECRETS[3])


@pytest.mark.parametrize("make", [make_openai, make_async_openai, make_gemini])
def test_clients_of_the_vendors_are_refused(make):
    with pytest.raises(TypeError, match=r"(OpenAI|Client) arrived") as caught:
        as_model(make())
    assert not any(secret in shown(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("wrong", [None, 5, b"openai:x", ["openai:x"], types])
def test_what_is_no_model_is_refused(wrong):
    with pytest.raises(TypeError, match=f"{type(wrong).__name__} arrived"):
        as_model(wrong)


@pytest.mark.parametrize("cls", [OpenAIModel, GeminiModel, dict])
def test_classes_are_refused(cls):
    with pytest.raises(TypeError, match=f"{cls.__name__} arrived"):
        as_model(cls)


@pytest.mark.parametrize("name", ["", "gpt-5.2", "OpenAI:gpt", "cohere:x", ":x"])
def test_strings_without_a_provider_are_refused(name):
    with pytest.raises(ValueError, match="names no provider"):
        as_model(name)


@pytest.mark.parametrize("model", ["gpt-5.2", make_openai, OpenAIModel, None])
def test_the_annotator_refuses_them_when_it_is_fitted(model):
    model = model() if model is make_openai else model
    annotator = LLMAnnotator(model, cache=None)  # constructors check nothing
    with pytest.raises((TypeError, ValueError), match="model="):
        annotator.fit([], [])


# What makes an answer another one


@pytest.mark.parametrize("provider", CLASSES)
def test_identity_changes_with_what_changes_an_answer(provider):
    cls = CLASSES[provider]
    variants = [cls("m"), cls("m2"), cls("m", base_url="http://h/v1")]
    variants += [cls("m", **{name: v}) for name, v in ANSWER[provider].items()]
    identities = [repr(spec.identity()) for spec in variants]
    assert len(set(identities)) == len(variants)
    assert OpenAIModel("m").identity() != GeminiModel("m").identity()


@pytest.mark.parametrize("provider", CLASSES)
def test_identity_changes_with_nothing_else(provider, monkeypatch):
    cls = CLASSES[provider]
    for name, value in TRANSPORT[provider].items():
        assert cls("m", **{name: value}).identity() == cls("m").identity(), name
    before = cls("m").identity()
    for name in (*cls.key_envs, "MY_KEY"):
        monkeypatch.setenv(name, SECRETS[0])
    assert cls("m").identity() == before
    assert SECRETS[0] not in repr(cls("m", api_key_env="MY_KEY").identity())


@pytest.mark.parametrize("provider", CLASSES)
@pytest.mark.parametrize(
    "spelt",
    [
        "http://localhost:8000/v1/",
        "http://LOCALHOST:8000/v1",
        "http://127.0.0.1:8000/v1//",
        "http://[::1]:8000/v1",
        "HTTP://localhost.:8000/v1",
    ],
)
def test_identity_does_not_change_with_the_spelling_of_an_address(provider, spelt):
    cls = CLASSES[provider]
    plain = cls("m", base_url="http://localhost:8000/v1")
    assert cls("m", base_url=spelt).identity() == plain.identity()
    assert cls("m", base_url=spelt).server() == spelt  # as it is called


@pytest.mark.parametrize("provider", CLASSES)
def test_identity_knows_of_a_server_in_the_environment(provider, monkeypatch):
    cls = CLASSES[provider]
    before = cls("m").identity()
    monkeypatch.setenv(cls.base_url_env, "http://h/v1")
    assert cls("m").identity() != before
    assert cls("m").identity() == cls("m", base_url="http://h/v1").identity()
    monkeypatch.setenv(cls.base_url_env, "")
    assert cls("m").identity() == before


# The key


def test_keys_are_read_when_they_are_needed(monkeypatch):
    spec = OpenAIModel("m")
    with pytest.raises(LanguageModelError, match="OPENAI_API_KEY is not set") as caught:
        spec.read_key()
    assert caught.value.reason == "authentication"
    monkeypatch.setenv("OPENAI_API_KEY", "one")
    assert spec.read_key() == "one"
    monkeypatch.setenv("OPENAI_API_KEY", " two\n")
    assert spec.read_key() == "two"
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    with pytest.raises(LanguageModelError, match="is not set"):
        spec.read_key()


def test_google_has_two_names_for_a_key(monkeypatch):
    with pytest.raises(LanguageModelError, match="GOOGLE_API_KEY or GEMINI_API_KEY"):
        GeminiModel("m").read_key()
    monkeypatch.setenv("GEMINI_API_KEY", "two")
    assert GeminiModel("m").read_key() == "two"
    monkeypatch.setenv("GOOGLE_API_KEY", "one")
    assert GeminiModel("m").read_key() == "one"


@pytest.mark.parametrize("provider", CLASSES)
def test_the_vendors_key_is_not_for_other_servers(provider, monkeypatch):
    cls = CLASSES[provider]
    for name in cls.key_envs:
        monkeypatch.setenv(name, "vendor")
    assert cls("m", base_url="http://h/v1").read_key() is None
    with pytest.raises(LanguageModelError, match="MY_KEY is not set"):
        cls("m", base_url="http://h/v1", api_key_env="MY_KEY").read_key()
    monkeypatch.setenv("MY_KEY", "mine")
    assert cls("m", base_url="http://h/v1", api_key_env="MY_KEY").read_key() == "mine"
    assert cls("m", api_key_env="MY_KEY").read_key() == "mine"


@pytest.mark.parametrize("broken", ["sk-1\nsk-2", "sk-ünïcode", "sk 1", "sk-\x001"])
def test_what_cannot_be_a_key_is_refused_unshown(broken, monkeypatch):
    spec = OpenAIModel("m", api_key_env="MY_KEY")
    # no operating system has NUL in a variable
    monkeypatch.setattr("os.environ", {"MY_KEY": broken})
    with pytest.raises(LanguageModelError, match="MY_KEY holds") as caught:
        spec.read_key()
    assert broken not in shown(caught.value)
    assert caught.value.reason == "authentication"


def test_nothing_that_is_printed_or_kept_holds_a_key(monkeypatch):
    for name in (*OPENAI_ENVIRONMENT[:1], *GOOGLE_ENVIRONMENT[:2], "MY_KEY"):
        monkeypatch.setenv(name, SECRETS[0])
    for spec in (OpenAIModel("m"), GeminiModel("m"), *map(whole, CLASSES)):
        spec.read_key()
        annotator = LLMAnnotator(spec)
        written = [repr(spec), str(spec), repr(vars(spec)), repr(spec.identity())]
        written += [repr(annotator), str(annotator.get_params())]
        written += [estimator_html_repr(annotator)]
        pickled = [pickle.dumps(spec), pickle.dumps(annotator)]
        assert not any(SECRETS[0] in text for text in written)
        assert not any(SECRETS[0].encode() in data for data in pickled)
