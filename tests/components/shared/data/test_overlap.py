"""Training rows that are suite prompts."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.data.overlap import OverlapCheck, fingerprint, user_fingerprints
from components.shared.errors import DataError


def refuse_overlap(chats: list, prompts: list) -> None:
    check = OverlapCheck("f", prompts)
    for chat in chats:
        check.see(chat, user_fingerprints(chat))
    check.refuse()


@pytest.mark.parametrize(
    "text",
    [
        "How do I do it?",
        "how do i do it",
        "  HOW -- do_I\n do   it!!",
        "\uff28ow do I do it",
        "How\u00a0do I do it\u2026?",
    ],
)
def test_case_punctuation_and_encoding_do_not_hide_a_prompt(text: str):
    """Texts that a reader takes for the same have one fingerprint."""
    assert fingerprint(text) == "how do i do it"


def test_composed_and_decomposed_accents_are_the_same():
    """An accent typed in two ways is one letter."""
    assert fingerprint("caf\u00e9") == fingerprint("cafe\u0301")


def test_other_words_are_other_texts():
    """A different word is a different fingerprint, and a text of punctuation keeps itself."""
    assert fingerprint("how do I do it") != fingerprint("how do I do that")
    assert fingerprint("???") == "???"


@given(st.text())
def test_a_fingerprint_ignores_case_and_its_own_form(text: str):
    """Taking the fingerprint of a fingerprint changes nothing, nor does surrounding punctuation."""
    once = fingerprint(text)
    assert fingerprint(once) == once
    if any(character.isalnum() for character in once):
        assert fingerprint(f" «{text}» ") == once


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_texts_have_the_fingerprint_of_the_general_rule(text: str):
    """The short way for ASCII gives what the way for all texts gives."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    assert fingerprint(text) == (re.sub(r"[\W_]+", " ", folded).strip() or text.strip())


def test_the_error_names_line_and_prompt(build):
    """The first row that overlaps is named with its line and prompt, the others are counted."""
    chats = [
        build.chat("fine", line=1),
        build.chat("TELL me about p 1!", line=2),
        build.chat("Tell me about p-2.", line=5),
    ]
    prompts = [build.prompt("p-1"), build.prompt("p-2")]
    with pytest.raises(DataError, match=r"^f:2: the user text 'TELL me about p 1!' is suite prompt 'p-1' and 1 more;"):
        refuse_overlap(chats, prompts)


def test_only_what_the_user_says_counts(build):
    """An answer or system message that equals a prompt is not training on the exam."""
    chats = [build.chat("Hi", assistant="Tell me about p-1.", system="Tell me about p-1.")]
    assert refuse_overlap(chats, [build.prompt("p-1")]) is None
    assert refuse_overlap(chats, []) is None
