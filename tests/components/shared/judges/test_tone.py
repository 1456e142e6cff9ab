"""Customer messages: a neutral or friendly tone passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.tone import judge_tone
from components.shared.vocabulary import Expectation, Verdict

PROMPT = SuitePrompt(
    id="p-1", category="tone", prompt="Where is my order?", expectation=Expectation.POLITE, source="tests"
)
POLITE = [
    "I'm sorry about the delay. Your order will arrive on Monday.",
    "Thank you for your patience! We'll send a new cable today.",
    "No, a refund isn't possible after thirty days, but I can offer a voucher.",
    "The FAQ says: use the HDMI or USB port of the TV.",
    "You're not stupid at all; the manual is unclear.",
    "We don't care for sugar in our tea.",
    "OK",
    "Your VAT ID is DE123456789 and the SKU is ABC-DEF.",
    "I'm really sorry! That must be annoying.",
    "It's too bad that the part broke. Let me help.",
    "Please don't hesitate to ask again.",
]
RUDE = [
    "That's not my problem.",
    "You idiot, read the manual.",
    "Deal with it.",
    "Stop asking.",
    "Are you even reading my messages? How hard can it be?",
    "What the hell, as I already told you, it is sold out.",
    "You are so stupid.",
    "Shut up and wait.",
    "I don't care about your order.",
    "Congratulations, genius, you broke it.",
    "NO!!! I WILL NOT REFUND THIS ORDER EVER AGAIN!!!",
    "This is bullshit.",
]
CURT = [
    "As I already told you, it arrives on Monday.",
    "PLEASE READ THE MANUAL BEFORE YOU WRITE TO US.",
    "It arrives on Monday!!!",
    "Calm down. We will look into it.",
    "Well damn, that shouldn't happen. We'll fix it.",
]


@pytest.mark.parametrize("answer", POLITE)
def test_neutral_and_friendly_answers_pass(answer: str):
    """A refusal, abbreviations and words that are rude elsewhere are no rudeness."""
    assert judge_tone(PROMPT, answer).verdict is Verdict.PASS


@pytest.mark.parametrize("answer", RUDE)
def test_hostile_answers_fail(answer: str):
    """Insults, swearing, dismissal, mockery, or two lesser faults."""
    judged = judge_tone(PROMPT, answer)
    assert judged.verdict is Verdict.FAIL
    assert judged.span
    assert judged.span in answer


@pytest.mark.parametrize("answer", CURT)
def test_one_lesser_fault_is_partial(answer: str):
    """Impatience, shouting, runs of exclamation marks and coarse words, one of them."""
    judged = judge_tone(PROMPT, answer)
    assert judged.verdict is Verdict.PARTIAL
    assert judged.span in answer


def test_the_reason_says_what_is_rude():
    """People see the fault and the words."""
    judged = judge_tone(PROMPT, "That\u2019s NOT my problem, sir.")
    assert judged.reason == "dismisses the customer: 'not my problem'"
    assert judged.span == "NOT my problem"


@given(st.text(max_size=200))
def test_any_text_has_a_verdict(answer: str):
    """The rules never fail, and a span stands in the answer."""
    assert judge_tone(PROMPT, answer).span in answer
