import numpy as np

from sklearn_hypo._utils._normalized_texts import fingerprint_texts, normalize_text

LONG = "a text of more than forty characters, which nobody writes twice by chance"


def test_what_stays_of_a_text():
    assert normalize_text("RT @ann:  Hello\tWORLD  http://t.example/x") == "hello world"
    assert normalize_text("mail ann@example.org") == "mail ann@example.org"
    assert normalize_text("Straße") == normalize_text("STRASSE")
    assert normalize_text("@Ann  http://T.example") == "@ann http://t.example"
    assert normalize_text("start @ 9 via bus") == "start @ 9 via bus"
    assert normalize_text("") == ""
    assert normalize_text("看 https://t.cn/a8X今天天气很好") == "看 今天天气很好"


def test_fingerprints():
    found = fingerprint_texts([LONG, f"RT @a: {LONG.upper()}", f"{LONG}!", "Hi", "hi"])
    assert found.dtype == np.uint64
    assert found[0] == found[1]
    assert len(set(found)) == 4  # short texts are alike by chance
    assert fingerprint_texts([]).shape == (0,)
    # kept in files: they must not change
    assert fingerprint_texts(["Hi"])[0] == 14829048130154807757
    assert len(fingerprint_texts(["lone \ud800"])) == 1
