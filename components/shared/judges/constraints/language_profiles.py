"""What is known of each language: its script, frequent words, letters and endings that its neighbours lack.

Words are function words written down from knowledge of the languages, not counted from a corpus.
"""

# ruff: noqa: RUF001 - letters of other scripts are the point

from typing import NamedTuple


class Profile(NamedTuple):
    """How a word of a language looks.

    Attributes:
        script: name in `SCRIPTS`.
        words: frequent words, small letters.
        letters: letters that no other profile of the script has.
        endings: ends of longer words that no other profile of the script has.
    """

    script: str
    words: frozenset[str]
    letters: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()

    def has(self, word: str) -> bool:
        """Whether a word, in small letters, speaks for this language."""
        return (
            word in self.words
            or not self.letters.isdisjoint(word)
            or (bool(self.endings) and word.endswith(self.endings) and word not in self.endings)
        )


SCRIPTS: dict[str, tuple[tuple[int, int], ...]] = {
    "latin": ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF)),
    "cyrillic": ((0x400, 0x4FF),),
    "arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF)),
    "devanagari": ((0x900, 0x97F),),
    "bengali": ((0x980, 0x9FF),),
    "gurmukhi": ((0xA00, 0xA7F),),
    "gujarati": ((0xA80, 0xAFF),),
    "tamil": ((0xB80, 0xBFF),),
    "telugu": ((0xC00, 0xC7F),),
    "kannada": ((0xC80, 0xCFF),),
    "malayalam": ((0xD00, 0xD7F),),
    "thai": ((0xE00, 0xE7F),),
    "hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
    "kana": ((0x3040, 0x30FF),),
    "han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF)),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "hebrew": ((0x590, 0x5FF),),
}
"""Unicode ranges by script, first and last."""

SOLE_LANGUAGE = {
    "bengali": "bn",
    "gurmukhi": "pa",
    "gujarati": "gu",
    "tamil": "ta",
    "telugu": "te",
    "kannada": "kn",
    "malayalam": "ml",
    "thai": "th",
    "hangul": "ko",
    "kana": "ja",
    "han": "zh",
    "greek": "el",
    "hebrew": "he",
}
"""Scripts that are read as one language."""


def _latin(words: str, letters: str = "") -> Profile:
    return Profile("latin", frozenset(words.split()), frozenset(letters))


def _cyrillic(words: str, letters: str) -> Profile:
    return Profile("cyrillic", frozenset(words.split()), frozenset(letters))


def _arabic(words: str, letters: str) -> Profile:
    return Profile("arabic", frozenset(words.split()), frozenset(letters))


def _devanagari(words: str, letters: str, endings: str) -> Profile:
    return Profile("devanagari", frozenset(words.split()), frozenset(letters), tuple(endings.split()))


PROFILES = {
    "en": _latin(
        "the of and to in is a that it for was with as be on are this you not have by from at or your can will an "
        "which their my they we has i but he she his her our all what when if more so do would there been were "
        "cannot any just its than who about write please some how"
    ),
    "de": _latin(
        "der die das und ist nicht ein eine zu den mit sich auf für von dem des im auch als es an werden wird bei "
        "sind oder ich sie wir aus haben einen einer nach ihr ihre wie kann nur noch zum zur war hat um aber dass",
        "ß",
    ),
    "fr": _latin(
        "le la les des et est un une du que pour dans qui pas au avec sur ce par plus vous nous sont il elle aux "
        "cette mais ou je ne se votre être leur ont son sa ses été comme ces de en à",
        "œ",
    ),
    "es": _latin(
        "el la los las de y que en un una por para con no es se del al su lo como más pero está este esta son sus "
        "o si ya muy también ser hay fue le me mi cuando usted",
        "ñ¿¡",
    ),
    "pt": _latin(
        "o a os as de e que em um uma para com não é se do da no na dos das por mais ao como mas foi são seu sua ou "
        "você pelo pela isso também ser está nos nas à aos eu muito quando",
    ),
    "it": _latin(
        "il la le di e che un una per con non è si del della in i gli dei nel alla sono come più ma anche da questo "
        "al lo o questa delle degli nella ha ho mi suo sua essere dal ci",
    ),
    "nl": _latin(
        "de het een en van is dat niet op te in zijn voor met die aan ook als er maar om bij naar uit worden wordt "
        "door deze dit ik je u wij we kan heeft hebben nog geen over of was",
    ),
    "fi": _latin(
        "ja on ei se että oli hän mutta ovat olla kun niin kuin myös tai ole voi joka sen tämä mitä jos nyt vain "
        "olen minä sinä eivät hänen jotka tämän voit he sitä ovat mukaan sekä kanssa joita jonka kaikki minun ne "
        "tätä olet voidaan vaan mikä",
    ),
    "sw": _latin(
        "na ya wa kwa ni katika la za cha kuwa hii huu hizo kama au pia hiyo yake yako wake lakini sana watu yangu "
        "si haya vya mwa zaidi ili bila kila hili hivyo wao wetu mimi wewe baada kutoka juu ambayo ambao huo",
    ),
    "vi": _latin(
        "và của là có trong cho không một những các với khi như tôi cũng sẽ này làm ra hay theo nhau con anh em "
        "từ người được để đã đến đó",
        "ơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    ),
    "ru": _cyrillic(
        "и в не на что с по это как он она они но для к из у я мы вы за был было быть от так же его или её если "
        "мне вас уже только при чтобы до все",
        "ыэё",
    ),
    "bg": _cyrillic(
        "и в не на че с по това как той тя те но за да се от е са ще като във със при или му съм сте си до има може "
        "бъде беше които който което която ли аз ние вие този тази тези",
        "ъ",
    ),
    "uk": _cyrillic(
        "і в не на що з по це як він вона вони але для до та або у я ми ви за був було бути від так й його якщо",
        "іїєґ",
    ),
    "ar": _arabic(
        "في من على إلى أن هذا هذه التي الذي عن مع ما لا كان أو هو هي ذلك كل بعد لم قد كما و بين عند ثم لقد نحن "
        "أنت أنا هناك يمكن حيث",
        "ةىإك",
    ),
    "fa": _arabic(
        "از به در که این را با است برای آن و می های یک تا بر هم ها شما کرد شود باشد بود نیست هر یا ما من او اما "
        "خود شده کنید کند دارد هستند اگر ای باید",
        "ژ",
    ),
    "ur": _arabic(
        "ہے ہیں کی کے کا میں سے کو اور نے پر یہ وہ نہیں ایک آپ بھی کر تھا ہو لیے اس جو",
        "ٹڈڑںےہھ",
    ),
    "hi": _devanagari(
        "है हैं का की के में से को और पर यह वह नहीं हो था थी थे भी कि ने लिए तो इस जो करना कर किया आप मैं हम अपने "
        "ही हुए जब साथ कोई कुछ लेकिन मेरे हूँ हूं रहा रही",
        "",
        "",
    ),
    "mr": _devanagari(
        "आहे आहेत आणि हे हा ही ते तो या नाही करा होते होता मी आपण तुम्ही साठी पण किंवा असे केले काय त्यांनी मला "
        "माझ्या त्या आम्ही व तर येथे झाले असतो असते असतात त्याच्या तुमच्या होती मध्ये हो जर",
        "ळ",
        "च्या ांना ासाठी ांनी ामध्ये मध्ये ण्यासाठी ाचा ाची ाचे तील",
    ),
    "ne": _devanagari(
        "छ छन् र मा यो त्यो छैन पनि भने लागि गर्न गर्नु गर्नुहोस् तपाईं तपाई म हामी थियो ले बाट हुन्छ गरेको भएको "
        "तपाईंको मेरो वा यस हुनुहुन्छ हुन् छु छौं गर्छ रहेको उनी लाई",
        "",
        "को हरू हरु लाई हरूको एको न्छ न्छन् हुन्छ",
    ),
}
"""By ISO 639-1 code."""
