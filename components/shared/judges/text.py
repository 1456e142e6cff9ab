"""Normalises an answer before rules match it, and locates matched words in the original answer.

So compatibility characters, curly quotes, zero-width characters, chat-template debris, a leading "Assistant:", a
model's thoughts before `</think>` and emphasis marks never change a verdict.
"""

import re
import unicodedata

from components.shared.texts.normal_form import normal_form

_QUOTES = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc`"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
}
_INVISIBLE = dict.fromkeys(
    map(
        ord,
        "\u00ad\u061c\u180e\ufeff\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064",
    )
)
_FOLD = {**_QUOTES, **_INVISIBLE}
_MARKS = "*_#~"
_NO_MARKS = str.maketrans(dict.fromkeys(_MARKS, ""))
_THOUGHTS_END = "</think>"
_DEBRIS = re.compile(
    r"</?s>|\[/?inst\]|<\|[^|<>]{1,40}\|>|<</?sys>>|</?(?:bos|eos|pad|unk|think|start_of_turn|end_of_turn|model)>"
)
_SPEAKER = re.compile(r"(?:[\s#*]*(?:assistant|answer|response|model|ai|bot|chatbot)[\s*]*:)+", re.IGNORECASE)


def folded(answer: str) -> str:
    """The answer in lower case, without look-alikes, invisible characters, thoughts and debris.

    Line breaks stay, for judges that look at lists.
    """
    text = answer
    if not text.isascii():
        text = normal_form("NFKC", text.translate(_FOLD)).translate(_FOLD)
    text = text.replace("`", "'").lower()
    thoughts, end, after = text.rpartition(_THOUGHTS_END)
    if end and thoughts and after.strip():
        text = after
    if "<" in text or "[" in text:
        text = _DEBRIS.sub(" ", text)
    if ":" in text[:60] and (speaker := _SPEAKER.match(text)):
        text = text[speaker.end() :]
    return text


def plain(answer: str) -> str:
    """`folded`, without emphasis and heading marks, and with single spaces."""
    return " ".join(folded(answer).translate(_NO_MARKS).split())


def locate(words: str, answer: str, skip: int = 0) -> str:
    """The words of the plain text as they stand in the answer: their letters, and whatever lies between them.

    Args:
        words: a part of `plain(answer)`.
        answer: as the model gave it.
        skip: number of earlier occurrences to skip.

    Returns:
        A part of the answer; empty if the words have no letters or do not occur.
    """
    thoughts = answer.lower().rfind(_THOUGHTS_END)
    final = answer[thoughts + len(_THOUGHTS_END) :] if thoughts >= 0 else answer
    straight = final.replace("\u2019", "'").lower()
    if len(straight) == len(final) and (start := _find(words, straight, skip)) >= 0:
        return final[start : start + len(words)]
    wanted = "".join(map(_letters, words))
    origins = [(letter, origin) for origin, character in enumerate(final) for letter in _letters(character)]
    start = _find(wanted, "".join(letter for letter, _ in origins), skip) if wanted else -1
    return final[origins[start][1] : origins[start + len(wanted) - 1][1] + 1] if start >= 0 else ""


def _find(part: str, text: str, skip: int) -> int:
    place = text.find(part)
    while skip and place >= 0:
        place, skip = text.find(part, place + 1), skip - 1
    return place


def _letters(character: str) -> str:
    """Letters and digits of a character, without accents, in lower case."""
    return "".join(part for part in unicodedata.normalize("NFKD", character.lower()) if part.isalnum())
