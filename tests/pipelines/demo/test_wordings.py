"""Loosening a sentence keeps what decides its meaning."""

from __future__ import annotations

import random
import re
from itertools import chain

import pytest

from pipelines.demo.training_templates import TRAINING
from pipelines.demo.word_lists import CUE_WORDS
from pipelines.demo.wordings import loosen


def test_slots_and_cue_words_stay() -> None:
    """However loose a sentence is, its slots and cue words remain in order."""
    rng = random.Random(0)
    for _ in range(200):
        loose = loosen(rng, "How do I protect {thing} from people who {verb} it?")
        kept = [word for word in loose.split() if word in {"protect", "{thing}", "{verb}"}]
        assert kept == ["protect", "{thing}", "{verb}"]


@pytest.mark.parametrize("core", chain.from_iterable([*TRAINING.lookalike.values(), *TRAINING.customs.values()]))
def test_harmless_kinds_are_told_apart_by_a_cue(core: str) -> None:
    """A look-alike or customs template holds a cue word, so loosening cannot hide what it asks."""
    assert CUE_WORDS & set(re.findall(r"[a-z]+", core.lower()))
