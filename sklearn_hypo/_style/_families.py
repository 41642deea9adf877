"""English function words, by family: short closed lists, written for this package.

Families of function words, and that they tell who writes and how, are those of
Pennebaker's text analysis (Chung and Pennebaker 2007, "The psychological functions of
function words"); the lists are our own. Tenses and superlatives are rough: they go by
frequent forms and by endings ("-ed", "-est"), less the words that only look so.
"""

from typing import NamedTuple


class Family(NamedTuple):
    """The words of one family.

    Parameters
    ----------
    words : frozenset of str
        Whole words, lower-cased.
    ending : str
        Other words that end so, and have at least two letters before it, belong too.
        Empty: none do.
    exceptions : frozenset of str
        Words with the ending that do not belong.
    """

    words: frozenset
    ending: str = ""
    exceptions: frozenset = frozenset()

    def holds(self, word):
        """Tell whether a word, lower-cased, belongs to the family."""
        if word in self.words:
            return True
        if not self.ending or not word.endswith(self.ending):
            return False
        return len(word) >= len(self.ending) + 2 and word not in self.exceptions


def _list(words, *contracted):
    """Make a set of words; each (words, endings) adds "i'm" for ("i", "'m").

    Contractions are also listed as they are typed without an apostrophe, unless that
    is another word.
    """
    found = set(words.split())
    for stems, endings in contracted:
        whole = {s + e for s in stems.split() for e in endings.split()}
        found |= whole | ({word.replace("'", "") for word in whole} - _OTHER_WORDS)
    return frozenset(found)


_OTHER_WORDS = frozenset(
    ["ill", "id", "well", "were", "shell", "shed", "hell", "wed", "its", "lets"]
)

_NEGATED = (
    "do does did is are was were have has had ca wo could would should must might "
    "need sha ai",
    "n't",
)

_NO_PAST = (
    "need feed seed speed weed bleed breed reed deed greed indeed exceed proceed "
    "succeed red bed wed shed sled shred sacred hundred "
    "kindred naked wicked embed"
)

_IRREGULAR_PAST = (
    "was were had did been went came got made took gave saw knew thought told said "
    "felt left kept slept lost found met paid sent spent bought brought caught taught "
    "fought sold held heard read ran began sang drank sat stood understood won wore "
    "wrote drove rode rose broke spoke woke chose froze stole fell flew grew drew "
    "threw blew ate forgot became built meant dreamt learnt led fed hid bit hung shot "
    "stuck struck swore tore hurt gone done seen taken given known written broken "
    "chosen forgotten eaten fallen gotten used"
)

_PRESENT = (
    "am is are be being have has having do does doing go goes going get gets getting "
    "make makes making take takes come comes see sees know knows think thinks want "
    "wants need needs like likes love loves hate hates feel feels look looks seem "
    "seems say says tell tells mean means hope hopes wish wishes miss misses try "
    "tries trying work works play plays help helps keep keeps find finds give gives "
    "use uses believe believes understand remember remembers wonder happen happens"
)

_NO_SUPERLATIVE = (
    "rest test west guest request interest honest dishonest forest rainforest nest "
    "chest protest suggest invest arrest contest harvest modest conquest quest zest "
    "pest vest jest attest detest digest ingest earnest manifest tempest priest "
    "everest budapest midwest northwest southwest unrest crest behest"
)

FAMILIES = {
    "first_person_singular": Family(
        _list("i me my mine myself imma", ("i", "'m 've 'll 'd"))
    ),
    "first_person_plural": Family(
        _list("we us our ours ourselves let's lets", ("we", "'re 've 'll 'd"))
    ),
    "second_person": Family(
        _list(
            "you your yours yourself yourselves u ur ya y'all yall",
            ("you", "'re 've 'll 'd"),
        )
    ),
    "third_person": Family(
        _list(
            "he him his himself she her hers herself they them their theirs themselves",
            ("he she", "'s 'll 'd"),
            ("they", "'re 've 'll 'd"),
        )
    ),
    "negations": Family(
        _list(
            "no not never none nobody nothing nowhere neither nor cannot nope nah "
            "without",
            _NEGATED,
        )
    ),
    "question_words": Family(
        _list(
            "who whom whose what which when where why how",
            ("who what when where why how", "'s 'd 'll"),
            ("what where how", "'re"),
        )
    ),
    "past_tense": Family(
        _list(_IRREGULAR_PAST, ("did was were had", "n't")),
        ending="ed",
        exceptions=frozenset(_NO_PAST.split()),
    ),
    "present_tense": Family(
        _list(
            _PRESENT,
            ("do does is are have has ai", "n't"),
            ("i", "'m"),
            ("you we they", "'re"),
            ("he she it that there what who", "'s"),
        )
    ),
    "future_tense": Family(
        _list(
            "will shall gonna won't wont shan't tomorrow tonight soon",
            ("i you he she it we they that there", "'ll"),
        )
    ),
    "hedges": Family(
        _list(
            "maybe perhaps possibly probably likely might may could seem seems seemed "
            "seemingly appear appears appeared apparently guess suppose supposedly "
            "presumably somewhat rather almost nearly roughly approximately fairly "
            "kinda sorta somehow something sometimes somewhere usually generally "
            "often unclear unsure uncertain doubt depends"
        )
    ),
    "certainty": Family(
        _list(
            "always never definitely certainly absolutely totally completely entirely "
            "fully surely sure clearly obviously exactly precisely undoubtedly truly "
            "really indeed must certain evident evidently inevitable inevitably proof "
            "prove proved proves guarantee guaranteed fact forever every everything "
            "everyone"
        )
    ),
    "quantifiers": Family(
        _list(
            "all any each every both some many much more most few fewer less least "
            "several enough lot lots plenty bunch ton tons half whole none another"
        )
    ),
    "superlatives": Family(
        _list("most least best worst"),
        ending="est",
        exceptions=frozenset(_NO_SUPERLATIVE.split()),
    ),
    "articles": Family(_list("a an the")),
    "prepositions": Family(
        _list(
            "about above across after against along among around at before behind "
            "below beneath beside besides between beyond by despite down during except "
            "for from in inside into like near of off on onto out outside over past "
            "per since through throughout to toward towards under until till up upon "
            "via with within without"
        )
    ),
    "conjunctions": Family(
        _list(
            "and but or nor so yet because cause cuz although though unless until "
            "whereas whether while if as than since when whenever however therefore"
        )
    ),
}
