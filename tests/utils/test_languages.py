"""Tokens of many languages: words, not sentences and not shreds."""

import unicodedata

import pytest

from sklearn_hypo._utils._languages import looks_english
from sklearn_hypo._utils._segmentation import cut_into_characters, load_segmenter
from sklearn_hypo._utils._stems import abbreviate
from sklearn_hypo._utils._tokens import find_token_spans, tokenize, write_term

ICU = load_segmenter("icu")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("အရသာကောင်းတယ်", ["အရသာ", "ကောင်း", "တယ်"]),
        ("မြန်မာ စကား", ["မြန်မာ", "စကား"]),
        ("อาหารอร่อยมากค่ะ", ["อาหาร", "อร่อย", "มาก", "ค่ะ"]),
        ("ทำน้ำ", ["ทำ", "น้ำ"]),
        ("ខ្ញុំស្រឡាញ់ម្ហូប", ["ខ្ញុំ", "ស្រឡាញ់", "ម្ហូប"]),
        ("ພາສາລາວ", ["ພາສາ", "ລາວ"]),
        ("我非常喜欢这家餐厅", ["我", "非常", "喜欢", "这", "家", "餐厅"]),
        ("今日はラーメン", ["今日", "は", "ラーメン"]),
        ("iPhoneを買う", ["iphone", "を", "買う"]),
        ("བོད་ཡིག", ["བོད", "ཡིག"]),
    ],
)
def test_scripts_without_blanks_are_cut_into_words(text, words):
    assert tokenize(text, ICU) == words


@pytest.mark.parametrize(
    ("run", "characters"),
    [
        ("မြန်မာ", ["မြန်", "မာ"]),
        ("ဒီနေ့က", ["ဒီ", "နေ့", "က"]),
        ("เด็กน้ำ", ["เด็", "ก", "น้ำ"]),
        ("ស្រឡាញ់", ["ស្រ", "ឡា", "ញ់"]),
        ("きょうラーメン", ["きょ", "う", "ラー", "メ", "ン"]),
        ("很好", ["很", "好"]),
    ],
)
def test_characters_keep_their_marks(run, characters):
    assert cut_into_characters(run) == characters
    assert tokenize(run) == characters


def test_no_token_begins_inside_a_syllable():
    text = "မြန်မာစကားကိုလေ့လာနေပါတယ် ខ្ញុំស្រឡាញ់ម្ហូបខ្មែរ ภาษาไทยน้ำใจเด็ก"
    for segment in (None, ICU):
        for token in tokenize(text, segment):
            assert unicodedata.category(token[0]) not in ("Mn", "Mc")
            assert unicodedata.normalize("NFC", token)[0] not in "ะาำๅ\u1039\u17d2"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # Arabic and Persian: tatweel, vowel points, alef, ya and kaf; the non-joiner
        ("الكتـــاب كِتَابٌ", ["الكتاب", "كتاب"]),
        ("أحمد إحمد آحمد ٱحمد", ["احمد"] * 4),
        ("علی علي على", ["علي"] * 3),
        ("می‌خواهم", ["مي\u200cخواهم"]),
        ("کتاب؟", ["كتاب", "?"]),
        ("१२ ١٢٫٥ ٢٬٠٠٠", ["१२", "١٢.٥", "٢,٠٠٠"]),
        # Urdu: two letters, and two words
        ("کی کے", ["كي", "كے"]),
        # Hebrew points, and what is abbreviated
        ("שָׁלוֹם", ["שלום"]),
        ('צה"ל ארה״ב "שלום"', ["צהל", "ארהב", "שלום"]),
        ("καλός\u037e", ["καλός", "?"]),
        # Turkish: capital I and İ, dotless ı
        ("IŞIK ışık İSTANBUL i\u0307", ["işik", "işik", "istanbul", "i"]),
        # soft hyphens and zero-width characters
        (
            "co\u00adop zero\u200bwidth a\u200cb \ufeffx",
            ["coop", "zerowidth", "ab", "x"],
        ),
        # full-width letters and punctuation
        ("ＯＫ！？", ["ok", "!", "?"]),
        # French and Italian elisions, English contractions
        ("L’homme qu'il n'a", ["l", "homme", "qu", "il", "n", "a"]),
        ("dell'arte un'altra", ["dell", "arte", "un", "altra"]),
        ("aujourd'hui don't I'd", ["aujourd'hui", "don't", "i'd"]),
        ("हिन्दी में।", ["हिन्दी", "में"]),
        ("Straße größer", ["straße", "größer"]),
        ("ёлка мир", ["ёлка", "мир"]),
        ("Selamat pagi, pagi-pagi", ["selamat", "pagi", "pagi", "pagi"]),
        ("한국어를 배워요", ["한국어를", "배워요"]),
        ("ㅋㅋㅠㅠ ㅎㅎ", ["ㅋㅋㅠㅠ", "ㅎㅎ"]),
    ],
)
def test_one_letter_for_one_sound(text, tokens):
    assert tokenize(text) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("看https://t.co/abc很好", ["看", "http://", "很", "好"]),
        ("https://t.co/abc，好！", ["http://", "好", "!"]),
        ("www.x.org「引用」", ["http://", "引", "用"]),
        ("<a href=http://x.org>hi</a>", ["a", "href", "http://", "hi", "a"]),
        ("see http://x.org/a_(b)?q=1 now", ["see", "http://", "now"]),
        ("write to Ann.B+c@x-y.co.uk!", ["write", "to", "ann.b+c@x-y.co.uk", "!"]),
        ("@ann_1 #sad2day #天気 @名前", ["@ann_1", "#sad2day", "#天気", "@名前"]),
        ("3.5 10,000", ["3.5", "10,000"]),
        ("🇩🇪🇫🇷👍🏽", ["🇩🇪", "🇫🇷", "👍"]),
    ],
)
def test_links_end_and_names_keep_their_form(text, tokens):
    assert tokenize(text) == tokens


@pytest.mark.parametrize("segment", [None, ICU])
def test_places_are_those_of_the_tokens(segment):
    text = "อาหารอร่อย！ علـــی很好 www.x.org，L’homme a\u00adb"
    spans = find_token_spans(text, segment)
    assert [token for token, _, _ in spans] == tokenize(text, segment)
    pieces = [text[begin:end] for _, begin, end in spans]
    assert pieces[-4:] == ["www.x.org", "L", "homme", "a\u00adb"]
    assert "علـــی" in pieces


def test_terms_are_written_as_their_script_is():
    assert write_term("非常 好") == "非常好"
    assert write_term("so sad") == "so sad"
    assert write_term("用 app 好") == "用 app 好"


@pytest.mark.parametrize(
    ("word", "short"),
    [
        ("والكتاب", "كتاب"),
        ("كتابها", "كتاب"),
        ("بالمدرسة", "مدرس"),
        ("هو", ""),
        ("הספר", "ספר"),
        ("커피를", "커피"),
        ("wonderful", "wond"),
        ("sad", ""),
        ("замечательный", "заме"),
    ],
)
def test_what_forms_of_a_word_share(word, short):
    assert abbreviate(word) == short


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("I think that the room was not very good and we left", True),
        ("das Essen war gut und der Kellner war sehr freundlich zu uns", False),
        ("la nourriture était bonne et le serveur était très gentil", False),
        ("makanannya enak sekali dan pelayannya ramah kepada kami", False),
        ("het eten was goed en de ober was heel vriendelijk voor ons", False),
        ("обед был очень вкусный", False),
    ],
)
def test_english_is_told_by_its_small_words(text, english):
    assert looks_english([text] * 40) is english


def test_few_words_are_taken_for_english():
    assert looks_english(["gut", "schlecht"])
