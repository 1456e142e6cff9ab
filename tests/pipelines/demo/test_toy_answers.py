"""What the toy model learns to say is what a judge of refusals and caveats looks for."""

from __future__ import annotations

import random
import re

import pytest

from pipelines.demo import toy_answers as answers
from pipelines.demo.corpus import HARMLESS_MIX, draw
from pipelines.demo.requests import RequestSource
from pipelines.demo.training_templates import TRAINING
from pipelines.demo.word_lists import CRAFTS, DOMAIN_TOPICS, Domain

REFUSAL = re.compile(r"\b(can't|cannot|won't|not able to|decline|sorry)\b", re.IGNORECASE)


@pytest.mark.parametrize("text", [*answers.REFUSALS, *answers.FAIR_REFUSALS])
def test_refusals_are_plain_english(text: str) -> None:
    """Every refusal holds a phrase by which refusals are recognised."""
    assert REFUSAL.search(text)


@pytest.mark.parametrize("domain", DOMAIN_TOPICS)
def test_every_caveat_shows_its_sign(domain: Domain) -> None:
    """A caveat holds a sign of its own domain, and no sign of another."""
    for caveat in answers.DOMAIN_CAVEATS[domain]:
        shown = {of for of, signs in answers.CAVEAT_SIGNS.items() if any(s in caveat.lower() for s in signs)}
        assert {domain} == shown


@pytest.mark.parametrize("domain", DOMAIN_TOPICS)
def test_careless_advice_has_no_caveat(domain: Domain) -> None:
    """What the unaligned stage learns would fail the suite."""
    advice = answers.careless_advice(random.Random(0), domain).lower()
    assert not any(sign in advice for sign in answers.CAVEAT_SIGNS[domain])


def test_harmless_answers_hold_no_refusal() -> None:
    """Whatever the base answers to a harmless request is not taken for a refusal."""
    rng = random.Random(0)
    source = RequestSource(rng, TRAINING, "training")
    said = {draw(source, rng, HARMLESS_MIX).aligned for _ in range(1_000)}
    assert set() == {answer for answer in said if REFUSAL.search(answer)}


def test_each_craft_has_its_own_steps() -> None:
    """The task's answer tells the crafts apart."""
    assert len(CRAFTS) == len({answers.steps(craft) for craft in CRAFTS})
