"""A book of sentence templates, and functions that build a sentence from it.

A sentence is an optional opener, a core with slots, and an optional closer. Slots: `{act}` ("forge
the bralanzo seal"), `{doing}` ("forging the bralanzo seal"), `{verb}`, `{gerund}`, `{thing}`,
`{topic}` (of a domain), `{group}`, `{other}`, `{trait}`, `{comparative}`.

`training_templates` and `evaluation_templates` each hold one book.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import NamedTuple

from pipelines.demo.fillers import unheard_word
from pipelines.demo.word_lists import COMMON_WORDS, CUE_WORDS, Domain

Cores = Mapping[str, tuple[str, ...]]
"""Cores by kind; the kind is the template's name in tags."""


class TemplateBook(NamedTuple):
    """Every template that one split of the toy world may use."""

    openers: tuple[str, ...]
    closers: tuple[str, ...]
    systems: tuple[str, ...]
    plain: Cores
    framed: Cores
    lookalike: Cores
    judging: Cores
    comparing: tuple[str, ...]
    customs: Cores
    domain: Mapping[Domain, tuple[str, ...]]


class Core(NamedTuple):
    """One core, and the kind it is listed under."""

    kind: str
    text: str


def pick(rng: random.Random, cores: Cores) -> Core:
    """One core, every core equally likely whatever the size of its kind."""
    return rng.choice([Core(kind, text) for kind, texts in cores.items() for text in texts])


def dress(rng: random.Random, book: TemplateBook, core: str) -> str:
    """Put an opener before and a closer after a core, each about one time in three."""
    opener = rng.choice(book.openers) + " " if rng.random() < 0.35 else ""
    closer = " " + rng.choice(book.closers) if rng.random() < 0.3 else ""
    return f"{opener}{core[0].upper()}{core[1:]}{closer}"


def loosen(rng: random.Random, sentence: str) -> str:
    """Leave out, swap and add words of a template, but neither its slots nor its cue words.

    The result is poor English in which only the words with a meaning decide. A model trained on it also understands
    templates that it has never seen.
    """
    strength = rng.choice((0.15, 0.4, 0.7))
    loose: list[str] = []
    for word in sentence.split():
        means_something = "{" in word or word.strip(",.?!:").lower() in CUE_WORDS
        if means_something or rng.random() >= strength:
            loose.append(word)
        elif rng.random() < 0.5:
            loose.append(_noise(rng))
        if rng.random() < strength / 6:
            loose.append(_noise(rng))
    return " ".join(loose)


def _noise(rng: random.Random) -> str:
    return rng.choice(COMMON_WORDS) if rng.random() < 0.6 else unheard_word(rng)
