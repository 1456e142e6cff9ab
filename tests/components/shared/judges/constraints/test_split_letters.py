"""Letters that are split by signs are found exactly where a regular expression finds them, and in linear time."""

import re
import time

from hypothesis import example, given
from hypothesis import strategies as st

from components.shared.judges.constraints.split_letters import SplitLetters

FORMS = {"a": "[a4@]", "s": "[s5$]", "i": "[i1!|]", "b": "[b]"}


def _expected(letters, text):
    between = r"[\W_]{0,4}".join(FORMS[letter] for letter in letters)
    return re.search(rf"(?<![^\W_]){between}(?![^\W_])", text, re.IGNORECASE)


@given(st.text("asib", min_size=2, max_size=5), st.text("asibASx@$!|_. 4", max_size=30))
@example("as", "xas")
@example("as", "a....s")
@example("as", "a.....s")
@example("asas", "@$@$")
def test_it_finds_what_the_regular_expression_finds(letters, text):
    """There is an end exactly where the expression matches, and it ends a match."""
    end = SplitLetters([FORMS[letter] for letter in letters]).find_end(text)
    assert (end is None) == (_expected(letters, text) is None)
    if end is not None:
        between = r"[\W_]{0,4}".join(FORMS[letter] for letter in letters)
        assert re.search(rf"(?<![^\W_]){between}$", text[:end], re.IGNORECASE)


def test_signs_that_may_stand_for_letters_cost_no_more():
    """100,000 signs are read in less than two seconds, where the expression would need years."""
    start = time.process_time()
    assert SplitLetters([FORMS[letter] for letter in "asasasasasb"]).find_end("@$" * 50_000) is None
    assert time.process_time() - start < 2
