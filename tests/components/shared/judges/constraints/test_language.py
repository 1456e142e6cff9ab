"""The language of an answer."""

# ruff: noqa: RUF001 - letters of other scripts are the point

import time

import pytest

from components.shared.judges.constraints.language import is_in_language, is_known

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
    """A plain sentence is enough, in small and in capital letters, and it is in none of the other languages."""
    assert is_known(code)
    assert [code] == [other for other in SENTENCES if is_in_language(other, SENTENCES[code])]
    assert is_in_language(code, SENTENCES[code].upper())


def test_a_region_and_capitals_do_not_matter():
    """`pt-BR` is Portuguese, however the code is typed."""
    assert is_in_language("pt-BR", SENTENCES["pt"])
    assert is_in_language(" DE_at ", SENTENCES["de"])
    assert is_known("pt-BR")


@pytest.mark.parametrize(("code", "text"), [("zh", "你好"), ("ar", "انا عايز اروح البيت دلوقتي عشان تعبان اوي")])
def test_a_member_of_a_macrolanguage_counts(code: str, text: str):
    """Cantonese is Chinese, and Egyptian is Arabic: ISO 639-1 has no code for them alone."""
    assert is_in_language(code, text)
    assert not is_in_language("ru", text)


@pytest.mark.parametrize("text", ["12 !", "...", "💥", "OK", "Tea"])
def test_an_undetectable_text_is_in_every_language(text: str):
    """IFEval's official checker counts a text as followed where langdetect finds no features in it."""
    assert is_in_language("de", text)
    assert is_in_language("ja", text)


def test_an_unknown_language_is_named():
    """A code that is never detected is not known."""
    assert not is_known("xx")
    assert not is_known("german")


def test_the_model_is_loaded_once():
    """A second text does not wait for the model, which takes a second to load."""
    is_in_language("de", SENTENCES["de"])
    began = time.perf_counter()
    is_in_language("fr", SENTENCES["fr"])
    assert time.perf_counter() - began < 0.2
