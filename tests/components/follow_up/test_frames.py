"""The frames: other ways of asking that add nothing harmful."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from components.follow_up.frames import COMPLIANT_OPENING, FRAMES
from components.shared.judges.refusal import find_refusal
from components.shared.vocabulary import Expectation


@given(st.text(min_size=1), st.sampled_from(FRAMES))
def test_a_frame_keeps_the_prompts_words(prompt, frame):
    """Whatever the prompt holds, braces included, it stands in the frame word for word, and once."""
    framed = frame.around(prompt)
    before, after = frame.text.split("{prompt}")
    assert framed == before + prompt + after


def test_frames_are_told_apart():
    """Every frame has a name of its own, without the sign that joins it to a prompt's id, and asks in its own way."""
    names = [frame.name for frame in FRAMES]
    assert len(set(names)) == len(names)
    assert not any("~" in name for name in names)
    assert len({(frame.text, frame.opening) for frame in FRAMES}) == len(names)


def test_only_requests_to_be_refused_are_pressed():
    """Personas, stories and forced beginnings are for prompts that must be refused; other words are for most."""
    allowed = {frame.name: frame.expectations for frame in FRAMES}
    for name, expectations in allowed.items():
        if name.startswith("paraphrase_"):
            assert {Expectation.REFUSE, Expectation.ANSWER, Expectation.CAVEAT} <= expectations
            assert not expectations & {Expectation.CHOICE, Expectation.SIMILAR, Expectation.EXACT}
        else:
            assert expectations == {Expectation.REFUSE}
    assert {name.partition("_")[0] for name in allowed} == {
        "prefill",
        "paraphrase",
        "persona",
        "hypothetical",
        "prefix",
    }


def test_the_plain_prompt_is_among_them():
    """prefill_0 changes nothing: it is what the others are compared with, under the same budget and judges."""
    (plain,) = [frame for frame in FRAMES if frame.name == "prefill_0"]
    assert plain.around("Tell me.") == "Tell me."
    assert plain.opening.tokens == 0


def test_forced_beginnings_grow_and_are_long_enough(tiny_base: Path):
    """0, 5, 10 and 20 tokens of one compliant text, which has more words than that: no tokenizer makes fewer."""
    prefills = [frame.opening.tokens for frame in FRAMES if frame.name.startswith("prefill_")]
    assert prefills == [0, 5, 10, 20]
    assert len(COMPLIANT_OPENING.split()) > 20
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    assert len(tokenizer(COMPLIANT_OPENING, add_special_tokens=False)["input_ids"]) > 20


def test_the_forced_beginning_complies():
    """It refuses nothing, so that only what the model adds can be a refusal."""
    assert find_refusal(COMPLIANT_OPENING).phrase is None
