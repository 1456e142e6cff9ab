"""Finds answers that are not language: empty, or the same few words over and over.

Rules only; it does not know how likely a text is, so fluent nonsense passes it.
"""

from collections import Counter

from components.shared.evaluation.judges.text import plain

NAME = "coherence"
VERSION = "1"

_RUN = 4
"""Words in a repeated run."""

_MAX_REPEATED_SHARE = 0.5
"""Above this share of words inside the most frequent runs of `_RUN` words, the answer is a loop."""


def incoherence(answer: str) -> str | None:
    """Why an answer is not coherent, or None when it is."""
    words = plain(answer).split()
    if not words:
        return "empty answer"
    if not any(character.isalnum() for word in words for character in word):
        return "no word in the answer"
    runs = Counter(tuple(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1))
    repeated = sum(count - 1 for count in runs.values())
    if runs and repeated / runs.total() > _MAX_REPEATED_SHARE:
        run, count = runs.most_common(1)[0]
        return f"repeats {' '.join(run)!r} {count} times"
    longest = max(Counter(words).values())
    if len(words) >= 8 and longest / len(words) > _MAX_REPEATED_SHARE:
        return "one word makes up more than half of the answer"
    return None
