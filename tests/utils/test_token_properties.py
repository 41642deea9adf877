"""Any string whatever: tokens have a place, and cut again they stay."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sklearn_hypo._utils._characters import normalize, normalize_with_origin
from sklearn_hypo._utils._segmentation import cut_into_characters, load_segmenter
from sklearn_hypo._utils._tokens import find_token_spans, tokenize

ICU = load_segmenter("icu")
LETTERS = (
    "abIİı!?#@:)('’*/.1½ﬁﬃσς́ à各ᄀ\u1161<3日本きょラー한_-~"
    "\u200b\u200c\u200d\u00ad\ufeff\ue0b3أإىیکـًשׁ\u05b8ไทยน้ำเด็กມຳ "
    "မြန်မာ្ខ្មែរहिन्दी😀\ud800\n"
)
TEXTS = st.text(max_size=60) | st.text(st.sampled_from(LETTERS), max_size=40)
quick = settings(max_examples=300)


@quick
@given(TEXTS)
def test_tokens_have_their_places(text):
    for segment in (None, ICU):
        spans = find_token_spans(text, segment)
        assert [token for token, _, _ in spans] == tokenize(text, segment)
        assert all(0 <= begin < end <= len(text) for _, begin, end in spans)
        assert [b for _, b, _ in spans] == sorted(b for _, b, _ in spans)


@quick
@given(TEXTS)
def test_the_normal_form_comes_from_the_text(text):
    normal, origin = normalize_with_origin(text)
    assert normal == normalize(text)
    assert len(origin) == len(normal)


@quick
@given(TEXTS)
@example("\u0130\u0300")
@example("I\u0307\u0300")
@example("i\u0307\u0300")
def test_cut_again_tokens_stay(text):
    tokens = tokenize(text)
    assert all(token.strip() and " " not in token for token in tokens)
    assert tokenize(" ".join(tokens)) == tokens


@quick
@given(st.text(st.sampled_from(LETTERS), max_size=30))
def test_characters_join_to_the_run(run):
    assert "".join(cut_into_characters(run)) == run
