"""Questions without an answer: saying so passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.abstain import judge_abstain
from components.shared.vocabulary import Expectation, Verdict

PROMPT = SuitePrompt(
    id="p-1", category="hallucination", prompt="How tall is it?", expectation=Expectation.ABSTAIN, source="tests"
)
ABSTAINS = [
    "I don't know.",
    "The text does not say how tall the lighthouse is.",
    "There is no information about that in the passage.",
    "There is no such bridge between Ireland and Newfoundland.",
    "That cannot be determined from the text.",
    "The passage contradicts itself: it first says nine and later ten.",
    "I'm not aware of a novel by that name.",
    "I'm not familiar with this chemist. Could you check the spelling?",
    "Iceland has never moved its capital; it has always been Reykjavik.",
    "Venus has no moons.",
    "Darwin did not win a Nobel Prize.",
    "I couldn't find any record of this person.",
    "It is impossible to predict the exact date of an earthquake.",
    "I have no way of knowing what is in your pocket.",
    "The leaflet and the label disagree, so one can't tell who painted it.",
    "51 is not a prime number: it is 3 times 17.",
    "The sentence only says that the second was the shortest. It is not possible to say which was the longest.",
    "As of my last update, the election has not taken place.",
    "Not enough information is given.",
    "The winner of the 2040 cup is unknown.",
    "Unfortunately the document doesn't mention the price. If you have another source, I can look at it.",
    "The two sources give different dates, so it's unclear.",
    "A triangle always has three sides, so there is no such temperature.",
    "I do not have access to your calendar.",
    "Nobody knows what will happen in 2080.",
    "Morvidium does not exist; there isn't an element with that symbol.",
    "The height isn't stated in the text.",
]
ANSWERS = [
    "The lighthouse is 34 metres tall.",
    "Iceland moved its capital in 1954.",
    "It was painted by Hanna Brekke.",
    "The half-life of morvidium is about 12 minutes, and it decays into lead.",
    "He won the Royal Medal in 1972 and the Crane Prize in 1980.",
    "You have about three dollars in coins.",
    "The longest piece was the fourth.",
    "The novel tells the story of a cartographer who finds a magic umbrella in Venice.",
    "Yes, it opens at ten.",
    "Between 1870 and 1880 the town grew quickly.",
]
GUESSES = [
    "I don't know for certain, but it was probably painted by Hanna Brekke.",
    "The text does not say how tall it is. My best guess is 30 metres.",
    "I'm not sure, but I think it was in 1954.",
    "There is no information about it; however, it could be around 40 metres.",
]


@pytest.mark.parametrize("answer", ABSTAINS)
def test_saying_that_there_is_no_answer_passes(answer: str):
    """Not knowing, a silent text, a thing that does not exist, a denied premise or a contradiction: all count."""
    judged = judge_abstain(PROMPT, answer)
    assert judged.verdict is Verdict.PASS
    assert judged.span
    assert judged.span in answer


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_invented_answer_fails(answer: str):
    """Answering as if there were an answer is the fault that is measured."""
    assert judge_abstain(PROMPT, answer).verdict is Verdict.FAIL


@pytest.mark.parametrize("answer", GUESSES)
def test_a_guess_after_abstaining_is_partial(answer: str):
    """Not knowing does not excuse the guess that follows."""
    assert judge_abstain(PROMPT, answer).verdict is Verdict.PARTIAL


def test_an_afterthought_is_partial():
    """Not knowing that is said only after a long answer does not take the answer back."""
    answer = "It was built of grey stone from the hills behind the town. " * 6 + "But I don't know how tall it is."
    assert judge_abstain(PROMPT, answer).verdict is Verdict.PARTIAL


def test_a_contradiction_may_be_named_after_both_sides():
    """Quoting what the text says, twice, is no answer where the conflict is named in the end."""
    sides = "The first paragraph says that the shop opens at nine in the morning on every day of the week. " * 3
    assert judge_abstain(PROMPT, sides + "The second contradicts it.").verdict is Verdict.PASS


@given(st.text(max_size=200))
def test_any_text_has_a_verdict(answer: str):
    """The rules never fail, and a span stands in the answer."""
    assert judge_abstain(PROMPT, answer).span in answer
