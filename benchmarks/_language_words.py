"""Words of thirteen languages, for studies whose truth is known."""

from typing import NamedTuple

from sklearn_hypo._utils._characters import normalize
from sklearn_hypo._utils._tokens import write_term


class Language(NamedTuple):
    """What texts of a language are made of.

    Parameters
    ----------
    fillers : str
        Words that say nothing.
    planted : str
        Three words that raise the target.
    forms : str
        How a planted word may be written: endings and prefixes around "-".
    blank : str
        Between words.
    """

    fillers: str
    planted: str
    forms: str = "-"
    blank: str = ""


LANGUAGES = {
    "Thai": Language(
        """
        ฉัน เรา เขา ที่ และ ใน มี เป็น ไม่
        ได้ ไป มา วันนี้ เมื่อวาน บ้าน โรงเรียน ตลาด รถ
        ถนน เพื่อน แม่ พ่อ หนังสือ น้ำ เวลา คน ทำงาน
        กลับ ดู ซื้อ ห้อง เมือง ทุก กับ แล้ว จะ
        แต่
        """,
        "อร่อย สวยงาม ประทับใจ",
    ),
    "Khmer": Language(
        """
        ខ្ញុំ យើង គាត់ នៅ និង ក្នុង មាន ជា មិន
        បាន ទៅ មក ថ្ងៃនេះ ម្សិលមិញ ផ្ទះ សាលារៀន ផ្សារ ឡាន
        ផ្លូវ មិត្តភក្តិ ម្តាយ ឪពុក សៀវភៅ ទឹក ពេលវេលា មនុស្ស ធ្វើការ
        ត្រឡប់ មើល ទិញ បន្ទប់ ទីក្រុង គ្រប់ ជាមួយ ហើយ នឹង
        ប៉ុន្តែ
        """,
        "ឆ្ងាញ់ ស្រស់ស្អាត រីករាយ",
    ),
    "Burmese": Language(
        """
        ကျွန်တော် သူ မှာ နှင့် တွင် ရှိ ဖြစ် မ ခဲ့
        သွား လာ ဒီနေ့ မနေ့က အိမ် ကျောင်း ဈေး ကား လမ်း
        သူငယ်ချင်း အမေ အဖေ စာအုပ် ရေ အချိန် လူ အလုပ် ပြန်
        ကြည့် ဝယ် အခန်း မြို့ တိုင်း ပြီး သည် ပါ သော်
        များ
        """,
        "အရသာ လှပ ပျော်ရွှင်",
    ),
    "Chinese": Language(
        """
        我 我们 他 在 和 里 有 是 不
        了 去 来 今天 昨天 家 学校 市场 汽车
        街道 朋友 妈妈 爸爸 书 水 时间 人 工作
        回 看 买 房间 城市 每个 跟 已经 会
        但是
        """,
        "美味 漂亮 感动",
    ),
    "Japanese": Language(
        """
        私は 私たちは 彼は で と の が です ない
        した 行く 来る 今日 昨日 家 学校 市場 車
        道 友達 母 父 本 水 時間 人 仕事
        帰る 見る 買う 部屋 町 毎日 一緒に もう また
        しかし
        """,
        "美味しい 素敵 感動",
    ),
    "Korean": Language(
        """
        나는 우리는 그는 에서 그리고 안에 있다 이다 않다
        했다 갔다 왔다 오늘 어제 집에 학교에 시장에 차를
        길에서 친구와 엄마가 아빠가 책을 물을 시간이 사람이 일을
        돌아왔다 보았다 샀다 방에 도시에 모든 함께 이미 또
        하지만
        """,
        "선물 축하 감동",
        "- -이 -을 -은 -에",
        " ",
    ),
    "Arabic": Language(
        """
        أنا نحن هو في و من هذا كان لا
        قد ذهب جاء اليوم أمس البيت المدرسة السوق السيارة
        الشارع صديق أمي أبي كتاب الماء الوقت الناس العمل
        رجع رأى اشترى الغرفة المدينة كل مع ثم سوف
        لكن
        """,
        "ممتاز لذيذ رائع",
        "- ال- و- -ة",
        " ",
    ),
    "Persian": Language(
        """
        من ما او در و از است بود نه
        شد رفت آمد امروز دیروز خانه مدرسه بازار ماشین
        خیابان دوست مادر پدر کتاب آب زمان مردم کار
        برگشت دید خرید اتاق شهر هر با بعد می\u200cرود
        اما
        """,
        "خوشمزه زیبا عالی",
        "- -تر -\u200cها",
        " ",
    ),
    "Hebrew": Language(
        """
        אני אנחנו הוא ב ו של זה היה לא
        כבר הלך בא היום אתמול הבית הספר השוק המכונית
        הרחוב חבר אמא אבא ספר מים זמן אנשים עבודה
        חזר ראה קנה חדר עיר כל עם אחר יהיה
        אבל
        """,
        "טעים נהדר מרגש",
        "- ה- ו- -ה",
        " ",
    ),
    "Hindi": Language(
        """
        मैं हम वह में और का है था नहीं
        गया आया आज कल घर स्कूल बाज़ार गाड़ी सड़क
        दोस्त माँ पिता किताब पानी समय लोग काम लौटा
        देखा ख़रीदा कमरा शहर हर साथ फिर होगा लेकिन
        """,
        "स्वादिष्ट सुंदर शानदार",
        "-",
        " ",
    ),
    "Russian": Language(
        """
        я мы он в и на это был не
        уже пошёл пришёл сегодня вчера дом школа рынок машина
        улица друг мама папа книга вода время люди работа
        вернулся смотрел купил комната город каждый с потом будет
        но
        """,
        "вкусн прекрасн замечательн",
        "-ый -ая -ое -ого",
        " ",
    ),
    "Turkish": Language(
        """
        ben biz o ve bir bu da değil çok
        gitti geldi bugün dün ev okul pazar araba sokak
        arkadaş anne baba kitap su zaman insanlar iş döndü
        baktı aldı oda şehir her ile sonra olacak ama
        ışık
        """,
        "lezzet güzel kalıcı",
        "- -li -in -ler",
        " ",
    ),
    "German": Language(
        """
        ich wir er in und auf das war nicht
        schon ging kam heute gestern Haus Schule Markt Auto
        Straße Freund Mutter Vater Buch Wasser Zeit Leute Arbeit
        zurück sah kaufte Zimmer Stadt jeder mit dann wird
        aber
        """,
        "köstlich großartig freundlich",
        "- -e -es -er",
        " ",
    ),
}


def make_study(language, n_texts, rng, *, effect=1.5, noise=1.0, share=0.25):
    """Make texts of which each planted word raises the target.

    Parameters
    ----------
    language : Language
        Whose words to use.
    n_texts : int
        Texts to make.
    rng : Generator
        Draws them.
    effect, noise : float
        What a planted word adds to the target, and the deviation of the rest.
    share : float
        Of the texts that have a planted word, for each of the three.

    Returns
    -------
    texts : list of str
        Eight to fourteen words each, and the planted ones.
    y : ndarray of shape (n_texts,)
        The target. With the defaults, the words explain 0.56 of its variance.
    """
    fillers, forms = language.fillers.split(), language.forms.split()
    weights = 1.0 / (3 + rng.permutation(len(fillers)))
    texts, y = [], rng.normal(scale=noise, size=n_texts)
    for i in range(n_texts):
        n_words = rng.integers(8, 15)
        words = list(rng.choice(fillers, n_words, p=weights / weights.sum()))
        for word in language.planted.split():
            if rng.random() < share:
                form = forms[rng.integers(len(forms))]
                words.insert(rng.integers(len(words) + 1), form.replace("-", word))
                y[i] += effect
        texts.append(language.blank.join(words))
    return texts, y


def find_planted(language, terms):
    """Return which planted words are found.

    A term holds the word, in any form, or is a part of it with half of its letters:
    what one dictionary takes for a word are two in another.
    """
    written = [normalize(write_term(term)) for term in terms]
    return [word for word in language.planted.split() if _is_found(word, written)]


def _is_found(word, terms):
    word = normalize(word)
    return any(
        word in term or (term in word and 2 * len(term) >= len(word)) for term in terms
    )
