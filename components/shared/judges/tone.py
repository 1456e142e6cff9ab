"""Customer messages: the answer keeps a neutral or friendly tone.

Rules for English: insults, swearing, dismissal, mockery, shouting, runs of exclamation marks. The list is short and
mild on purpose: irony, cold politeness and slurs are missed, and a quoted insult counts. For those add a model judge.
"""

import re
from typing import NamedTuple

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.judges.phrases import one_of
from components.shared.judges.text import locate, plain
from components.shared.vocabulary import Verdict

_FOOL = (
    r"(?:idiot|moron|fool|imbecile|dimwit|dummy|loser|clown|crybaby|liar|nuisance|waste of (?:time|space)|pest|"
    r"stupid|dumb|ignorant|clueless|pathetic|ridiculous|useless|hopeless|incompetent|lazy|annoying|slow|dense|thick)"
)
_INSULT = re.compile(
    rf"\byou(?:'re| are|r)?(?: (?:a|an|all|just|so|such|really|being|clearly|obviously|either|too|very|quite|complete|"
    rf"total|absolute|one|kind|of|people|must|be|lot|bunch)){{0,6}} {_FOOL}s?\b|"
    r"\b(?:idiots?|morons?|imbeciles?|dimwits?)\b|\bshut up\b|\bget lost\b|\bgo away\b|\bget a life\b|\byour? stupid"
)
_SWEARING = re.compile(r"\b(?:fuck\w*|shit\w*|bullshit|asshole\w*|bastards?|bitch\w*|piss(?:ed)? off|go to hell)\b")
_DISMISSAL = re.compile(
    r"\b"
    + one_of(
        r"(?:not|isn't) (?:my|our) (?:problem|job|concern|fault)|(?:that's|sounds like) (?:a )?(?:you|your) problem",
        r"deal with it|tough luck|too bad(?: for you)?\b(?! that)|cry me a river|get over it|suck it up|boo hoo",
        r"stop (?:asking|complaining|whining|bothering|wasting)|quit (?:asking|complaining|whining|bothering)",
        r"(?:i|we) (?:don't|do not|couldn't|could not) (?:really )?care\b(?! for)|who cares|nobody cares|whatever\.",
        r"leave (?:me|us) alone|take it or leave it|(?:don't|do not) (?:bother|waste) (?:me|us|my|our)",
        r"(?:figure|work) it out yourself|look it up yourself|google it",
    )
)
_MOCKERY = re.compile(
    r"\b"
    + one_of(
        r"lol|lmao|rofl|(?:ha){3,}|congratulations,? genius|nice try|(?:wow|well),? (?:genius|einstein|sherlock)",
        r"how hard can it be|(?:are|were) you (?:even|seriously|really) (?:this|that|so|reading|listening)",
        r"what part of (?:\S+ ){1,4}?(?:don't|do not|didn't) you|even a (?:child|toddler|five-year-old)",
        r"(?:didn't|don't|can't|couldn't) you (?:even )?(?:read|listen|understand|learn)",
    )
    + r"\b"
)
_IMPATIENCE = re.compile(
    r"\bas (?:i|we)(?:'ve| have)? (?:already|clearly|repeatedly) (?:told|said|explained|mentioned|stated)|"
    r"\b(?:for the last time|how many times|once again,? (?:i|we)|i(?:'ve| have) (?:already )?told you|calm down)\b"
)
_COARSE = re.compile(r"\b(?:damn\w*|crap\w*|what the hell|bloody|sucks)\b")
_EXCLAIMS = re.compile(r"!{3,}|\?{3,}|(?:[!?]){4,}")
_SHOUTED_RUN = re.compile(r"\b[A-Z']{2,40}(?:[ ,!?.]{1,20}[A-Z']{2,40}){3,}\b")
_SHOUTED_SHARE, _SHOUTED_LETTERS = 0.6, 20
"""An answer shouts if it has at least so many letters and more than this share of them are capitals."""


class Fault(NamedTuple):
    """What is rude, and the words."""

    what: str
    words: str


def judge_tone(_prompt: SuitePrompt, answer: str) -> Judgement:
    """`fail` for hostile words or two lesser faults, `partial` for one lesser fault, else `pass`."""
    text = plain(answer)
    hostile = _first(
        text, {"insults": _INSULT, "swears": _SWEARING, "dismisses the customer": _DISMISSAL, "mocks": _MOCKERY}
    )
    if hostile:
        return _judged(Verdict.FAIL, hostile[:1], answer)
    lesser = [*_first(text, {"is impatient": _IMPATIENCE, "is coarse": _COARSE}), *_loud(answer)]
    if lesser:
        return _judged(Verdict.FAIL if len(lesser) > 1 else Verdict.PARTIAL, lesser, answer)
    return Judgement(Verdict.PASS, "nothing rude found")


def _first(text: str, patterns: dict[str, re.Pattern[str]]) -> list[Fault]:
    return [Fault(what, match.group()) for what, pattern in patterns.items() if (match := pattern.search(text))]


def _loud(answer: str) -> list[Fault]:
    faults = []
    if run := _SHOUTED_RUN.search(answer):
        faults.append(Fault("shouts", run.group()))
    elif _capital_share(answer) > _SHOUTED_SHARE:
        faults.append(Fault("shouts", answer.strip()))
    if marks := _EXCLAIMS.search(answer):
        faults.append(Fault("exclaims", marks.group()))
    return faults


def _capital_share(answer: str) -> float:
    letters = [character for character in answer if character.isalpha()]
    if len(letters) < _SHOUTED_LETTERS:
        return 0.0
    return sum(character.isupper() for character in letters) / len(letters)


def _judged(verdict: Verdict, faults: list[Fault], answer: str) -> Judgement:
    reason = ", and ".join(f"{what}: {words!r}" for what, words in faults)
    words = faults[0].words
    return Judgement(verdict, reason, words if words in answer else locate(words, answer))


TONE = RuleJudge("tone", "1", judge_tone)
