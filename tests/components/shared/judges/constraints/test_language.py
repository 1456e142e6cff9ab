"""The language of an answer."""

# ruff: noqa: RUF001 - letters of other scripts are the point

import pytest

from components.shared.judges.constraints.language import is_in_language, language_of, script_of

SENTENCES = {
    "ar": "هذا هو الكتاب الذي كان على الطاولة في البيت.",
    "bg": "Това е книгата, която беше на масата в къщата, и тя не е моя.",
    "bn": "বইটি ঘরের টেবিলের উপর ছিল।",
    "de": "Das ist das Buch, das auf dem Tisch im Haus lag, und es ist nicht von mir.",
    "el": "Το βιβλίο ήταν πάνω στο τραπέζι.",
    "en": "This is the book that was on the table in the house, and it is not mine.",
    "es": "Este es el libro que estaba en la mesa de la casa, pero no es mío.",
    "fa": "این کتاب است که در خانه روی میز بود و از من نیست.",
    "fi": "Tämä on kirja, joka oli pöydällä talossa, mutta se ei ole minun.",
    "fr": "Voici le livre qui était sur la table dans la maison, mais il n'est pas à moi.",
    "gu": "પુસ્તક ઘરમાં ટેબલ પર હતું.",
    "he": "הספר היה על השולחן בבית.",
    "hi": "यह वह किताब है जो घर में मेज पर थी, और वह मेरी नहीं है।",
    "it": "Questo è il libro che era sul tavolo della casa, ma non è mio.",
    "ja": "その本は家のテーブルの上にありました。",
    "kn": "ಪುಸ್ತಕವು ಮನೆಯ ಮೇಜಿನ ಮೇಲೆ ಇತ್ತು.",
    "ko": "그 책은 집의 책상 위에 있었습니다.",
    "mr": "हे पुस्तक घरामध्ये टेबलावर होते आणि ते माझे नाही.",
    "ne": "यो किताब घरमा टेबलमा थियो र त्यो मेरो होइन, तर राम्रो छ।",
    "nl": "Dit is het boek dat op de tafel in het huis lag, maar het is niet van mij.",
    "pa": "ਕਿਤਾਬ ਘਰ ਵਿੱਚ ਮੇਜ਼ ਉੱਤੇ ਸੀ।",
    "pt": "Este é o livro que estava na mesa da casa, mas não é meu.",
    "ru": "Это книга, которая была на столе в доме, и она не моя.",
    "sw": "Hiki ni kitabu ambacho kilikuwa juu ya meza katika nyumba, lakini si changu.",
    "ta": "புத்தகம் வீட்டில் மேசையின் மேல் இருந்தது.",
    "te": "పుస్తకం ఇంట్లో బల్ల మీద ఉంది.",
    "th": "หนังสืออยู่บนโต๊ะในบ้าน",
    "uk": "Це книга, яка була на столі в домі, і вона не моя.",
    "ur": "یہ وہ کتاب ہے جو گھر میں میز پر تھی اور وہ میری نہیں ہے۔",
    "vi": "Đây là quyển sách ở trên bàn trong nhà, và nó không phải của tôi.",
    "zh": "这本书在家里的桌子上。",
}


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_one_sentence_tells_the_language(code: str):
    """A plain sentence is enough, and it is no other known language."""
    assert language_of(SENTENCES[code]) == code
    assert [other for other in SENTENCES if is_in_language(other, SENTENCES[code])] == [code]


def test_a_region_and_capitals_do_not_matter():
    """`pt-BR` is Portuguese, however the code and the text are typed."""
    assert is_in_language("pt-BR", SENTENCES["pt"].upper()) is True
    assert is_in_language("DE", SENTENCES["de"]) is True


@pytest.mark.parametrize(("code", "text"), [("xx", "Some text of the kind."), ("de", "12 !"), ("de", "Berlin Hamburg")])
def test_what_cannot_be_told_is_not_guessed(code: str, text: str):
    """An unknown language, a text without letters and one without frequent words are unclear."""
    assert is_in_language(code, text) is None


def test_another_script_is_another_language():
    """A text need not be long to be in the wrong script."""
    assert is_in_language("hi", "Berlin") is False
    assert is_in_language("en", "Берлин") is False


def test_quoted_words_of_another_script_do_not_count():
    """The script is the one that most letters are in."""
    assert script_of(SENTENCES["hi"] + " (table)") == "devanagari"
    assert script_of("!") is None
