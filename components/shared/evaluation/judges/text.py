"""Brings an answer into one form before it is matched: Unicode, quotes, template debris, spacing."""

import re
import unicodedata

_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " "})
_DEBRIS = re.compile(r"</?s>|\[/?INST\]|<\|[^|>]{1,30}\|>|<</?SYS>>|^\s*(assistant|answer)\s*:", re.IGNORECASE)
_SPACES = re.compile(r"\s+")


def plain(answer: str) -> str:
    """The answer in lower case, NFKC, straight quotes, single spaces, and without chat-template debris."""
    text = unicodedata.normalize("NFKC", answer).translate(_QUOTES)
    return _SPACES.sub(" ", _DEBRIS.sub(" ", text)).strip().lower()
