from sklearn_hypo._utils._printable import pluralize, shorten


def test_one_is_one_and_others_are_many():
    said = [pluralize(n, "hypothesis") for n in (0, 1, 2)]
    assert said == ["0 hypotheses", "1 hypothesis", "2 hypotheses"]
    assert [pluralize(n, "cell") for n in (1, 3)] == ["1 cell", "3 cells"]


def test_a_short_text_is_whole_and_a_long_one_ends_with_a_mark():
    assert shorten("a\n b", 3) == "a b"
    assert shorten("abcd", 3) == "ab…"
    assert shorten("\ud800\x07", 20) == r"\ud800\x07"
