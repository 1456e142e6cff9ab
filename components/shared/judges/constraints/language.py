"""Tells the language of an answer by its script, and where languages share one, by frequent words and own letters.

Known are IFEval's languages and a few neighbours that answers fall back to; other languages are never named. Short
texts without a frequent word stay unclear. Mixed texts count as the language that most of their words are in.
"""

import re
from collections import Counter

from components.shared.judges.constraints.language_profiles import PROFILES, SCRIPTS, SOLE_LANGUAGE

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u200c\u200d])*")
_LEAST_SHARE = 0.12
"""Share of words that must be a language's frequent words before the language is named."""


def is_in_language(code: str, text: str) -> bool | None:
    """Whether a text is in a language; None where the language is not known or the text is unclear.

    Args:
        code: ISO 639-1, with or without a region (`pt-BR`); case does not matter.
        text: any text.
    """
    wanted = code.partition("-")[0].partition("_")[0].lower()
    own_script = _script_of(wanted)
    if own_script is None:
        return None
    script = script_of(text)
    if script is None:
        return None
    if script != own_script:
        return False
    found = language_of(text)
    return None if found is None else found == wanted


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the text's language, or None where it is unclear."""
    script = script_of(text)
    if script is None:
        return None
    if script in SOLE_LANGUAGE:
        return SOLE_LANGUAGE[script]
    words = [word.casefold() for word in _WORD.findall(text)]
    shares = {
        code: sum(profile.has(word) for word in words) / len(words)
        for code, profile in PROFILES.items()
        if profile.script == script
    }
    (best, share), (_, second) = Counter(shares).most_common(2)
    return best if share >= _LEAST_SHARE and share > second else None


def script_of(text: str) -> str | None:
    """The script that most letters are in, or None without letters of a known script.

    Kana and Han letters together are `japanese`, where at least a tenth of them are kana.
    """
    counts: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if script := _script_of_letter(character):
            counts[script] += count
    east = counts["han"] + counts["kana"]
    if counts["kana"] and counts["kana"] >= 0.1 * east:
        counts["kana"] = east
    return counts.most_common(1)[0][0] if counts.total() else None


def _script_of_letter(character: str) -> str | None:
    if not character.isalpha():
        return None
    point = ord(character)
    return next((name for name, own in SCRIPTS.items() if any(low <= point <= high for low, high in own)), None)


def _script_of(code: str) -> str | None:
    if code in PROFILES:
        return PROFILES[code].script
    return next((script for script, own in SOLE_LANGUAGE.items() if own == code), None)
