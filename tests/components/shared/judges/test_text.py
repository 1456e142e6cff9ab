"""Answers in plain form, and words found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.judges.text import locate, plain


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("  I\n CAN\u2019T\u00a0 go ", "i can't go"),
        ("I\u200b can\u00adnot", "i cannot"),
        ("\uff29 \uff43\uff41\uff4e", "i can"),
        ("<s>[INST] [/INST] Yes.</s><|end|>", "yes."),
        ("Assistant: **Yes**", "yes"),
        ("<think>No.</think> Yes.", "yes."),
        ("<think>No.</think>", "no."),
        ("The answer: yes", "the answer: yes"),
        ("a < b and b > c", "a < b and b > c"),
        ("[1] is a list", "[1] is a list"),
    ],
)
def test_only_what_a_reader_sees_remains(answer: str, expected: str):
    """Quotes, invisible characters, debris, speakers, thoughts and emphasis are brought into one form."""
    assert plain(answer) == expected


@given(st.text())
def test_words_of_the_plain_text_are_found_in_the_answer(answer: str):
    """What is found is a part of the answer, and reads the same."""
    words = plain(answer)[:20].strip()
    found = locate(words, answer)
    assert found in answer


@pytest.mark.parametrize(
    ("words", "answer", "skip", "expected"),
    [
        ("can't go", "I CAN\u2019T go", 0, "CAN\u2019T go"),
        ("can't go", "I can't\n\n**go**", 0, "can't\n\n**go"),
        ("i cannot", "\uff29 c\u200bannot", 0, "\uff29 c\u200bannot"),
        ("no", "No. no. NO.", 2, "NO"),
        ("no", "<think>no</think> NO", 0, "NO"),
        ("maybe", "No.", 0, ""),
        ("no", "No.", 1, ""),
        ("?!", "No.", 0, ""),
    ],
)
def test_words_are_quoted_as_they_stand(words: str, answer: str, skip: int, expected: str):
    """Case, quotes and what lies between the words are those of the answer; thoughts are passed over."""
    assert locate(words, answer, skip) == expected
