"""Answers of language models are read, or are None; texts are cleaned and cut."""

import json

import pytest

from sklearn_hypo._language_models._loose_json import MISSING, load_json
from sklearn_hypo._language_models._parsing import (
    parse_answers,
    parse_name,
    parse_statement,
    parse_yes_no,
)
from sklearn_hypo._language_models._text import (
    bound_tokens,
    clean_text,
    cut_words,
    estimate_tokens,
)

BROKEN = [
    "",
    "   \n",
    "[" * 100_000,
    "{" * 100_000,
    '{"a":' * 100_000,
    "[{" * 50_000,
    "```" + " " * 100_000,
    "-" * 100_000,
    "[" + " " * 100_000,
    "<think>" * 10_000,
    "9" * 10_000,
    "\x00\ud800\u202e",
    "<html><body>502 Bad Gateway</body></html>",
]


WORDS = {"yes": True, "Yes": True, "YES": True, "no": False, "No": False, "NO": False}
WORDS |= {"true": True, "True": True, "false": False, "False": False}
# @ stands for the word
SPOKEN = [
    "@",
    "@.",
    " @!\n",
    "**@**",
    "**@.**",
    '"@"',
    "'@'",
    "\u201c@\u201d",
    "`@`",
    "# @",
    "Answer: @",
    "**Answer:** @",
    "Answer is: @",
    "The answer is @.",
    "Final answer: **@**",
    "A: @",
    "<answer>@</answer>",
    "@. Because the text mentions pizza.",
    "@, the text is on pizza.",
    "@, there is no doubt about it.",
    "@: I would say yes to that and no to others",
    "@ - it is on pizza",
    "@ \u2014 it is on pizza",
    "@ (the text is on pizza)",
    "@ it is",
    "@\nThe text is on pizza.",
    "The text is on pizza.\n\nAnswer: @",
    "The text is on pizza.\n**@.**",
    'The text is not on "pizza".\n@',
    "```\n@\n```",
    "```@```",
    "```text\n@\n```",
    "<think>No? It says yes, pizza. Hmm, no.</think>\n\n@",
    "no, no, yes, yes</think>@",
    "<think>yes</think><think>no</think> @",
    "<thinking>no or yes</thinking>@",
    "<THINK>no or yes</THINK>@",
]


@pytest.mark.parametrize("template", SPOKEN)
def test_answer_in_words(template):
    read = {word: parse_yes_no(template.replace("@", word)) for word in WORDS}
    assert read == WORDS


LANGUAGES = [
    ("oui", "non"),
    ("Ja", "Nein"),
    ("s\u00ed", "no"),
    ("S\u00cc", "NO"),
    ("sim", "n\u00e3o"),
    ("ja", "nee"),
    ("tak", "nie"),
    ("\u0414\u0430", "\u041d\u0435\u0442"),
    ("\u662f", "\u5426"),
    ("\u662f\u7684\u3002", "\u4e0d\u662f\u3002"),
    ("\u306f\u3044", "\u3044\u3044\u3048"),
    ("R\u00e9ponse : oui", "R\u00e9ponse : non"),
    ("**Ja**, der Text nennt Pizza.", "Nein - keine Pizza."),
    ("Oui, le texte parle de pizza.", "Non, le texte parle de football."),
    ('{"answer": "oui"}', "{'answer': 'non'}"),
    ("{'answer': True}", "{'answer': False}"),
    ('{"answer": "Yes, it does"}', '{"answer": "FALSE",}'),
    ("{answer: yes}", "{answer: no}"),
]


@pytest.mark.parametrize(("yes", "no"), LANGUAGES)
def test_answers_in_other_languages_and_notations(yes, no):
    assert (parse_yes_no(yes), parse_yes_no(no)) == (True, False)


VALUES = {"true": True, '"yes"': True, '"Yes."': True, "1": True}
VALUES |= {"false": False, '"no"': False, '"NO"': False, "0": False}
WRITTEN = [
    '{"answer": @}',
    '\ufeff{"answer": @}',
    '{"answer": @, "reason": "it says no, yes"}',
    '{"reason": "a {brace} and </think>", "answer": @}',
    '```json\n{"answer": @}\n```',
    '```\n{"answer": @}```',
    '```JSON\r\n{"answer": @}\r\n```\r\n',
    '```json\n{"answer": @}',
    'Here is my answer [1]: {"answer": @} I hope that it helps.',
    '{"answer": @}\n{"answer": @}',
    '<think>{"answer": false} {"answer": true}</think>{"answer": @}',
    '{"answer": @, "answer": @}',
]


@pytest.mark.parametrize("template", WRITTEN)
def test_answer_in_json(template):
    read = {value: parse_yes_no(template.replace("@", value)) for value in VALUES}
    assert read == VALUES
    assert {type(answer) for answer in read.values()} == {bool}


NEITHER = [
    "not sure",
    "Not sure, perhaps yes",
    "none",
    "None",
    "no idea",
    "No idea.",
    "no way to tell",
    "No answer can be given.",
    "northern",
    "yesterday",
    "Yes-man",
    "no-one",
    "nope",
    "noyes",
    "yes1",
    "maybe",
    "n/a",
    "null",
    "unknown",
    "...",
    "1",
    "0",
    "0.97",
    "Yes and no",
    "yes or no",
    "yes/no",
    "Yes | No",
    "yes no",
    "yes, no",
    "Yes. No.",
    "No. Wait, yes.",
    "Yes... Actually, the answer is no",
    "Yes\nNo",
    "No\n\nText: another one\nAnswer: Yes",
    "true or false",
    "Yes, false",
    "Yes?",
    "oui et non",
    "Ja. Nein.",
    "\u662f\uff0c\u4e0d\u662f",
    "nein nein",
    "sinon",
    "nonsense",
    "{'answer': Tr",
    "{'answer': True, 'answer': False}",
    "{'answer': 'maybe'}",
    "Yes if pasta counts",
    "The answer is not yes",
    "not yes",
    "The text says: yes, it is pizza",
    "<think>yes",
    "<think>It says no.</think><think> yes",
    "Yes <think> but",
    "<think>yes</think>",
    "<think>yes</think>not sure",
    '{"answer": null}',
    '{"answer": "maybe"}',
    '{"answer": 2}',
    '{"answer": 0.5}',
    '{"answer": 1.0}',
    '{"answer": [true]}',
    '{"answer": {"answer": true}}',
    '{"answer": tr',
    '{"answer": true',
    '{"answer": true, "answer": false}',
    '{"answer": false} {"answer": true}',
    '{"answer": true}\n{"answer": ',
    'No {"answer": true}',
    '{"refusal": true}',
    "{}",
    "[]",
    "[true]",
    "```json\n```",
    "I'm sorry, but I can't help with that.",
    *BROKEN,
]


@pytest.mark.parametrize("text", NEITHER, ids=range(len(NEITHER)))
def test_neither(text):
    assert parse_yes_no(text) is None


def test_words_and_json_that_agree():
    assert parse_yes_no('Yes\n{"answer": true}') is True
    assert parse_yes_no('No: {"answer": "no"}') is False


IDS = ["c1", "c2", "c3"]
ALL = {"c1": True, "c2": False, "c3": True}
NONE = dict.fromkeys(IDS)


@pytest.mark.parametrize(
    "text",
    [
        '{"c1": true, "c2": false, "c3": true}',
        '{"c3": true, "c2": false, "c1": true}',
        '{"c1": "yes", "c2": "no", "c3": "Yes."}',
        '{"c1": 1, "c2": 0, "c3": true}',
        '{"C1": true, " c2 ": false, "c3": true}',
        '{"reason": "c9", "c1": true, "c2": false, "c3": true}',
        '{"c1": true, "c2": false, "c3": true, "cost": 3, "c": 1}',
        '{"c1": true, "c1": true, "c2": false, "c3": true}',
        '```json\n{"c1": true, "c2": false, "c3": true}\n```',
        'Sure! [1] Here:\n{"c1": true, "c2": false, "c3": true}\nAny questions?',
        '<think>{"c1": false</think>{"c1": true, "c2": false, "c3": true}',
        '[{"id": "c1", "answer": true}, {"id": "c2", "answer": "no"},'
        ' {"id": "c3", "answer": 1}]',
        'Here: [ {"id": "c1", "answer": true}, {"id": "c2", "answer": "no"},'
        ' {"id": "c3", "answer": 1, "reason": "x"}] done',
        '{"c1": "YES", "c2": "False", "c3": "True"}',
        '{"c1": "Oui", "c2": "Non", "c3": "s\u00ed"}',
        '{"c1": "Yes, it does.", "c2": "no (there is no pizza)", "c3": "true"}',
        # as Python and JavaScript write it
        "{'c1': True, 'c2': False, 'c3': True}",
        "Here's mine: {'c1': True, 'c2': False, 'c3': True, 'why': 'it\\'s \"so\"'}",
        "[{'id': 'c1', 'answer': True}, {'id': 'c2', 'answer': False},"
        " {'id': 'c3', 'answer': True}]",
        '{"c1": true, "c2": false, "c3": true,}',
        '[{"id": "c1", "answer": true}, {"id": "c2", "answer": "no",},'
        ' {"id": "c3", "answer": 1},]',
        "{c1: true, c2: false, c3: true}",
        "{c1: Yes, c2: No, c3: Yes}",
        "```python\n{'c1': True, 'c2': False, 'c3': True}\n```",
        # in words
        "c1: yes, c2: no, c3: yes",
        "c1: Yes\nc2: No\nc3: Yes",
        "- **c1**: Yes, it mentions pizza.\n- **c2**: No\n- **c3**: true\n",
        "C1 - yes; C2 - no; C3 - yes.",
        '"c1": yes\n"c2": no\n"c3": yes',
        "Here they are:\n\nc1 = ja\nc2 = nein\nc3 = ja",
        "<think>c1: no</think>c1: yes\nc2: no, unlike c1\nc3: yes",
    ],
)
def test_stacked(text):
    answers = parse_answers(text, IDS)
    assert answers == ALL
    assert list(answers) == IDS
    assert {type(value) for value in answers.values()} == {bool}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ('{"c1": true, "c3": true}', {"c1": True, "c3": True}),
        ('{"c1": true, "c2": null, "c3": "maybe"}', {"c1": True}),
        ('{"c1": 2, "c2": 0.0, "c3": false}', {"c3": False}),
        ('{"c1": [true], "c2": {"answer": true}, "c3": false}', {"c3": False}),
        ('{"c1": true, "c1": false, "c2": false}', {"c2": False}),
        ('{"c1": true, "c1": false, "c1": true, "c2": false}', {"c2": False}),
        ('{"c1": true, "C1": false, "c2": false}', {"c2": False}),
        ('[{"id": "c1", "answer": true}]', {"c1": True}),
        ("c1: yes\nc2: maybe\nc3: not sure", {"c1": True}),
        ("c1: yes\nc1: no\nc3: no", {"c3": False}),
        ("c1: yes and no\nc3: no.", {"c3": False}),
        (
            '[{"id": "c1", "answer": true}, {"id": "c1", "answer": false},'
            ' {"id": "c2", "answer": false}]',
            {"c2": False},
        ),
    ],
)
def test_stacked_in_part(text, known):
    assert parse_answers(text, IDS) == NONE | known


WORTHLESS = [
    # surplus: the answers may be shifted
    '{"c1": true, "c2": false, "c3": true, "c4": true}',
    '{"c0": true, "c1": false, "c2": true}',
    '{"c1": true, "C12": true}',
    '{"c01": true, "c2": false, "c3": true}',
    '[{"id": "c1", "answer": true}, {"id": "c9", "answer": true}]',
    # truncated, even where pairs are complete
    '{"c1": true, "c2": false, "c3": true',
    '{"c1": true, "c2": fal',
    '```json\n{"c1": true, "c2": false,\n```',
    '[{"id": "c1", "answer": true}, {"id": "c2", "ans',
    '[{"id": "c1", "answer": true},',
    'As in {"c1": true, "c2": true, "c3": true}: {"c1": false, "c2"',
    # which?
    '{"c1": true, "c2": true} {"c1": false, "c2": true}',
    '{"text": "a", "properties": {"c1": "b"}}\n{"c1": true}',
    # not JSON, or another
    "1: yes, 2: no, 3: yes",
    "c1 yes, c2 no, c3 yes",
    "c1: yes, c2: no, c3: yes, c4: no",
    "{'c1': True, 'c2': False, 'c3': Tr",
    "{'c1': True, 'c2': False, 'c3': True} {'c1': False}",
    "{c1: yes, c2: no, c3: y",
    "Yes, all three.",
    "[true, false, true]",
    '[{"id": "c1", "answer": true}, true]',
    '[{"id": 1, "answer": true}]',
    '[{"id": "c1"}]',
    "true",
    "yes",
    '<think>{"c1": true, "c2": false, "c3": true}',
    *BROKEN,
]


@pytest.mark.parametrize("text", WORTHLESS, ids=range(len(WORTHLESS)))
def test_stacked_worthless(text):
    assert parse_answers(text, IDS) == NONE


def test_stacked_answers_of_a_few_ids():
    assert parse_answers("Yes.", {"c1": "x"}) == {"c1": True}
    assert parse_answers("c1: no", ["c1"]) == {"c1": False}
    assert parse_answers("c2: no", ["c1"]) == {"c1": None}
    assert parse_answers("true", ["c1"]) == {"c1": True}
    assert parse_answers("{ Yes", ["c1"]) == {"c1": None}
    assert parse_answers('{"c2": true}', ["c2"]) == {"c2": True}
    assert parse_answers('{"c2": true, "c1": true}', ["c2"]) == {"c2": None}
    assert parse_answers("{}", []) == {}


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ('{"statement": "mentions pizza"}', "mentions pizza"),
        ('```json\n{"statement": "mentions pizza"}\n```', "mentions pizza"),
        ('<think>{"a": 1}</think>\n{"statement": "mentions pizza"}', "mentions pizza"),
        ('Here you go: {"statement": "mentions pizza."} :)', "mentions pizza"),
        ('{"statement": "- \\"mentions pizza.\\""}', "mentions pizza"),
        ('{"statement": " mentions\\n\\n  pizza\\t\\u0000 "}', "mentions pizza"),
        ('{"statement": "mentions\npizza"}', "mentions pizza"),
        ('{"statement": "mentions </think> tags"}', "mentions </think> tags"),
        ('"mentions pizza"', "mentions pizza"),
        ("- mentions pizza", "mentions pizza"),
        ("* mentions pizza.", "mentions pizza"),
        ("\u2022 mentions pizza", "mentions pizza"),
        ("1. mentions pizza", "mentions pizza"),
        ("> mentions pizza", "mentions pizza"),
        ("**mentions pizza**", "mentions pizza"),
        ('**"Mentions pizza."**', "Mentions pizza"),
        ("\u201cmentions pizza\u201d.", "mentions pizza"),
        ("'does mention pizza'", "does mention pizza"),
        ("```\nmentions pizza\n```", "mentions pizza"),
        ("Statement: mentions pizza", "mentions pizza"),
        ("**Statement:** mentions pizza", "mentions pizza"),
        ('Here is the statement: "mentions pizza"', "mentions pizza"),
        ("Sure! Here's one:\n\n- mentions pizza", "mentions pizza"),
        ("<think>hm</think>\n\nmentions pizza\n", "mentions pizza"),
        # what belongs to the statement stays
        ('"pizza" or "pasta" is named', '"pizza" or "pasta" is named'),
        ('"pizza" or "pasta"', '"pizza" or "pasta"'),
        ("mentions the U.S.", "mentions the U.S."),
        ("ends in an ellipsis ...", "ends in an ellipsis ..."),
        ("visits example.com.", "visits example.com"),
        ("contains masked words such as ****", "contains masked words such as ****"),
        ("mentions <b>pizza</b> & pasta", "mentions <b>pizza</b> & pasta"),
        ("says that someone is sorry", "says that someone is sorry"),
        ("says 'I can't'", "says 'I can't'"),
        ("time of day: morning", "time of day: morning"),
        ("mentions an active feature", "mentions an active feature"),
        ("the feature film is praised", "the feature film is praised"),
        ("text messages", "text messages"),
        ("is active in sports", "is active in sports"),
        ("says yes", "says yes"),
        ("gratitude", "gratitude"),
        ("-3 degrees or less", "-3 degrees or less"),
        ("nennt Gr\u00f6\u00dfe", "nennt Gr\u00f6\u00dfe"),
        ("\u63d0\u5230\u62ab\u8428", "\u63d0\u5230\u62ab\u8428"),
        # invisible
        ("mentions\u200b pi\u202ezza\u2066", "mentions pizza"),
        ("mentions\u00a0pizza", "mentions pizza"),
        ('{"statement": "a\\u2028b\\u0085c\\u001b[0m"}', "a b c [0m"),
        ("tag\U000e0041s", "tags"),
        ('{"statement": "lone \\ud800 surrogate"}', "lone \ufffd surrogate"),
    ],
)
def test_statement(text, statement):
    assert parse_statement(text) == statement


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"name": "gratitude"}', "gratitude"),
        ('```json\n{"name": "Waiting for a delivery."}\n```', "Waiting for a delivery"),
        ("Name: **physical illness**", "physical illness"),
        ("The name is: illness:", "illness"),
        ("\u75c5\u6c17", "\u75c5\u6c17"),
        ('{"name": "a b c d e f"}', "a b c d e f"),
        ('{"name": "a b c d e f g"}', None),
        (json.dumps({"name": 61 * "a"}), None),
        ('{"name": "..."}', None),
        ('{"name": "no name"}', None),
        ('{"statement": "gratitude"}', None),
        ('{"name": "grati', None),
        ("I cannot help", None),
        ("", None),
    ],
)
def test_name(text, name):
    assert parse_name(text) == name


NO_STATEMENT = [
    '{"statement": ""}',
    '{"statement": "  \\u200b "}',
    '{"statement": "..."}',
    '{"statement": null}',
    '{"statement": 3}',
    '{"statement": ["mentions pizza"]}',
    '{"statement": "none"}',
    # an answer, a label, a sentence about the feature: the prompt was misunderstood
    "yes",
    "No.",
    '{"statement": "yes"}',
    "oui",
    '{"statement": "true"}',
    "The feature is 'the old carpenter'",
    'The feature is not "that was so quiet this month"',
    '{"statement": "The feature is active in the text, not"}',
    "The feature is not active",
    "This neuron fires on words about food",
    "Feature 12 is strongly active in texts about pizza",
    "The feature activates",
    "the text",
    "The texts.",
    "these active texts",
    "Inactive texts",
    "statement",
    "Hypothesis 1",
    "the feature",
    "feature #12",
    "active",
    "c1",
    '{"statement": "mentions pizza", "statement": "mentions pasta"}',
    '{"hypothesis": "mentions pizza"}',
    'Here it is: {"hypothesis": "mentions pizza"}',
    '["mentions pizza"]',
    '{"statement": "mentions piz',
    'Here is the statement: {"statement": "mentions piz',
    'Here is the statement: {"stat',
    'My result {"statement": "mentions piz',
    '```json\n{"statement": "mentions piz',
    '```json\n{"stat',
    "mentions pizza\nmentions pasta",
    "- mentions pizza\n\nThis is because all of the texts mention it.",
    "I'm sorry, but I can't help with that.",
    "I\u2019m sorry, but I can\u2019t help with that.",
    "- I am very sorry.",
    "I cannot help with this request",
    "I can't",
    "Sorry, no.",
    "Unfortunately, the texts have nothing in common",
    "As an AI language model, I do not see texts.",
    "Please provide the texts",
    '{"statement": "I\'m sorry, but I can\'t help with that."}',
    "N/A",
    "null",
    "true",
    "42",
    "<think>mentions pizza",
    "-",
    "****",
    '""',
    *BROKEN,
]


@pytest.mark.parametrize("text", NO_STATEMENT, ids=range(len(NO_STATEMENT)))
def test_no_statement(text):
    assert parse_statement(text) is None


def test_a_long_statement_is_none_not_cut():
    fits = "a" * 200
    assert parse_statement(fits) == fits
    assert parse_statement(f'- "{fits}".') == fits
    assert parse_statement(json.dumps({"statement": fits + "b"})) is None
    assert parse_statement("mentions pizza", max_length=14) == "mentions pizza"
    assert parse_statement("mentions pizza", max_length=13) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("[1, 2]", [1, 2]),
        ('```json\n["a"]\n```', ["a"]),
        ('so {"a": {"b": [1]}} it is', {"a": {"b": [1]}}),
        ('{"a": "}{"} ', {"a": "}{"}),
        ('{"a": 1, "a": 2, "b": 3}', {"a": None, "b": 3}),
        ('see [1] and [2]: [{"a": 1}]', [{"a": 1}]),
        ("```json\n{}\n``` or ```json\n{}\n```", {}),
    ],
)
def test_load_json(text, value):
    assert load_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes",
        "so {it} is",
        '{"a": 1',
        '{"a": 1} {"a": 2}',
        '{"a": 1}, {',
        "<think>1",
    ],
)
def test_no_json(text):
    assert load_json(text) is MISSING


def test_every_prefix_of_an_answer_is_no_answer():
    whole = '{"c1": true, "c2": false, "c3": true}'
    for length in range(len(whole)):
        assert parse_answers(whole[:length], IDS) == NONE
    whole = '{"answer": true}'
    assert {parse_yes_no(whole[:n]) for n in range(len(whole))} == {None}
    whole = '{"statement": "mentions pizza"}'
    assert {parse_statement(whole[:n]) for n in range(1, len(whole))} == {None}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\nb\tc", "a\nb\tc"),
        ("a\x00b\r\nc\x7f\x85\x9f\x1b", "a b \nc    "),
        ("a\ud800b\udc00", "a\ufffdb\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        (
            "na\u00efve \U0001f600 \u202e\u2028\ufffe",
            "na\u00efve \U0001f600 \u202e\u2028\ufffe",
        ),
        ("\ufeffa", "\ufeffa"),
        ("", ""),
    ],
)
def test_clean_text(text, clean):
    assert clean_text(text) == clean
    assert clean_text(clean) == clean
    assert clean.encode("utf-8").decode("utf-8") == clean


@pytest.mark.parametrize(
    ("text", "max_words", "kept", "was_cut"),
    [
        ("a b c", 3, "a b c", False),
        (" a b c\n", 3, " a b c\n", False),
        ("a b c", 2, "a b", True),
        ("  a \n\n b  c", 2, "a \n\n b", True),
        ("a b c", None, "a b c", False),
        ("a" * 24, 2, "a" * 24, False),
        ("a" * 25, 2, "a" * 24, True),
        ("\u6f22" * 25, 2, "\u6f22" * 24, True),
        ("a " + "b" * 100, 2, "a " + "b" * 22, True),
        (" " * 100 + "a b", 2, "a b", False),
        (" " * 100 + "a b c", 2, "a b", True),
        ("a" + " " * 100 + "b", 2, "a", True),
        (" " * 100, 2, "", False),
        ("", 2, "", False),
        ("a", 0, "", True),
    ],
)
def test_cut_words(text, max_words, kept, was_cut):
    assert cut_words(text, max_words) == (kept, was_cut)


def test_tokens():
    assert [estimate_tokens("a" * n) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]
    assert [bound_tokens(text) for text in ("", "ab", "\u6f22", "\ud800")] == [
        0,
        2,
        3,
        3,
    ]
