"""Fillers of requests: nouns, made-up names, and made-up words.

Every noun and name belongs to one split only: no word of an evaluation filler is ever seen in training.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Final, Literal

from pipelines.demo.word_lists import COMMON_WORDS, CUE_WORDS, MEANING_WORDS

Split = Literal["training", "evaluation"]

NOUNS: Final[dict[Split, tuple[str, ...]]] = {
    "training": (
        "lamp", "bowl", "gate", "seal", "chair", "ticket", "statue", "cabin", "wagon", "bridge",
        "letter", "crown", "tower", "basket", "mirror", "garden", "engine", "ladder", "flag",
        "carpet", "drum", "fountain", "shelf", "window", "banner", "market", "vessel", "coin",
        "map", "bench", "barn", "clock", "blanket", "fence", "tunnel", "stage", "wheel", "medal",
        "door", "boat",
    ),
    "evaluation": (
        "kettle", "violin", "passport", "library", "tractor", "umbrella", "harbour", "sculpture",
        "necklace", "workshop", "bicycle", "cupboard", "lantern", "museum", "printer", "helmet",
        "orchard", "piano", "warehouse", "vase",
    ),
}  # fmt: skip

_KNOWN_WORDS: Final = tuple(
    sorted({*MEANING_WORDS, *NOUNS["training"], *(word for word in COMMON_WORDS if len(word) > 3)})
)

_FIRST_SYLLABLES: Final = (
    "bral", "brem", "dolv", "drel", "dun", "fesk", "fip", "garn", "glim", "gorv", "hab", "helk",
    "jul", "kard", "klem", "kru", "lirp", "lov", "merz", "mub", "nald", "nim", "osk", "pem",
    "plov", "pruz", "quil", "ralv", "rumb", "sarn", "skev", "slo", "tavr", "tiz", "trun", "ulv",
    "varp", "vez", "wolm", "zand",
)  # fmt: skip
_SECOND_SYLLABLES: Final = (
    "abex", "adrim", "akol", "alun", "amik", "anzo", "arvel", "askim", "avol", "azun",
    "ebril", "edon", "ekam", "elnik", "embul", "enzar", "erpom", "esnal", "evrik", "ezmol",
    "ibran", "idrex", "ikun", "ilvem", "imzal", "inolt", "irbek", "isvul", "ivard", "izkom",
    "obrun", "odlim", "okvar", "olpen", "ombri", "onzel", "orvak", "osmig", "ovlun", "ozkel",
)  # fmt: skip
_EVALUATION_NAMES: Final = 250


@cache
def names(split: Split) -> tuple[str, ...]:
    """Made-up names such as "bralanzo": lower case, always the same, each in one split only."""
    everything = [first + second for first in _FIRST_SYLLABLES for second in _SECOND_SYLLABLES]
    random.Random("plimsoll toy names").shuffle(everything)
    held_out = tuple(everything[:_EVALUATION_NAMES])
    return held_out if split == "evaluation" else tuple(everything[_EVALUATION_NAMES:])


def thing(rng: random.Random, split: Split, unheard_share: float = 0.0) -> str:
    """A thing such as "the bralanzo lamp"; both words belong to `split` only.

    `unheard_share` (0 to 1) of the nouns are made up as well, so that a model learns to do
    without knowing them.
    """
    noun = unheard_word(rng) if rng.random() < unheard_share else rng.choice(NOUNS[split])
    return f"the {rng.choice(names(split))} {noun}"


def unheard_word(rng: random.Random) -> str:
    """A training word without meaning, so that the model learns to handle words it has never seen.

    Either a made-up name, or two halves of real words: such a word begins or ends like a word with a meaning, but has
    none itself.
    """
    while rng.random() < 0.6:
        front, back = rng.choice(_KNOWN_WORDS), rng.choice(_KNOWN_WORDS)
        word = front[: rng.randint(2, 4)] + back[-rng.randint(1, 5) :]
        if len(word) > 4 and word not in NOUNS["evaluation"] and not _means_something(word):
            return word
    return rng.choice(names("training"))


def _means_something(word: str) -> bool:
    return word in CUE_WORDS or any(known in word for known in MEANING_WORDS - CUE_WORDS)


def group(rng: random.Random, split: Split) -> str:
    """A made-up people such as "the bralanzo people"."""
    return f"the {rng.choice(names(split))} people"
