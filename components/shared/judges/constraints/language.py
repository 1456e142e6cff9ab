"""Tells whether an answer is in a language, with py3langid (139 languages; its model is part of the package)."""

from functools import lru_cache
from typing import Any

from components.shared.texts.normal_form import normal_form

_UNDETECTABLE = "und"
_LEAST_CONFIDENCE = 0.02
"""A text in which py3langid finds nothing to go by gets 0.014 for every language; below this it is undetectable."""
_MEMBERS = {"ary": "ar", "arz": "ar", "nn": "no", "uzs": "uz", "wuu": "zh", "yue": "zh"}
"""Languages that py3langid tells apart, and the ISO 639 macrolanguage that is asked for."""


def is_known(code: str) -> bool:
    """Whether py3langid can name the language of an ISO 639 code, with or without a region (`pt-BR`)."""
    return _language(code) in _identifier().labels


def is_in_language(code: str, text: str) -> bool:
    """Whether a text is in a language.

    True where the language of the text cannot be detected (no letters, or too few), as in IFEval's official checker:
    `instruction_following_eval/instructions.py` of google-research counts such a text as followed.

    Args:
        code: ISO 639, with or without a region; case does not matter.
        text: any text.
    """
    if not any(map(str.isalpha, text)):
        return True
    detected, _ = _identifier().classify(normal_form("NFC", text))  # py3langid does it, too, but not in linear time
    return detected == _UNDETECTABLE or _language(code) in (detected, _MEMBERS.get(detected))


def _language(code: str) -> str:
    return code.strip().partition("-")[0].partition("_")[0].lower()


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """The model: loaded once per process, in about a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=_LEAST_CONFIDENCE)
