"""How much two texts share: exact match, token F1 and ROUGE-L, each in [0, 1].

Words are compared, not meaning; a text without spaces is one word.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation, ""))
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_WORD = re.compile(r"\w+")


def normalised(text: str) -> str:
    """Lower case, without ASCII punctuation, English articles and extra spacing.

    As in the official SQuAD evaluation script (Rajpurkar et al., EMNLP 2016).
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, reference: str) -> bool:
    """Equal once normalised, as SQuAD counts it."""
    return normalised(answer) == normalised(reference)


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall of the normalised words, counted with repetition (SQuAD).

    1 if both texts are empty once normalised, 0 if one is.
    """
    words, expected = normalised(answer).split(), normalised(reference).split()
    return _f1((Counter(words) & Counter(expected)).total(), len(words), len(expected))


def rouge_l(answer: str, reference: str) -> float:
    """F-measure of the longest common subsequence of words, with precision and recall weighted alike.

    2 P R / (P + R), P = LCS / words of the answer, R = LCS / words of the reference: the sentence-level ROUGE-L with
    beta 1 (Lin, ACL workshop 2004). Words are runs of letters and digits in lower case, without stemming; articles
    count. Empty texts as in `token_f1`.
    """
    words, expected = _WORD.findall(answer.lower()), _WORD.findall(reference.lower())
    return _f1(longest_common_subsequence(words, expected), len(words), len(expected))


def longest_common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the longest sequence of words that both hold in order, not necessarily side by side.

    Bit-parallel: each zero bit of `row` marks a step of the usual table's row (Hyyrö, 2004).
    """
    places: dict[str, int] = {}
    for place, word in enumerate(left):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(left)) - 1
    row = full
    for word in right:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & full
    return len(left) - row.bit_count()


def _f1(shared: int, words: int, expected: int) -> float:
    return 2 * shared / (words + expected) if words + expected else 1.0
