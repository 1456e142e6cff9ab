"""Patterns of users run under a time limit, and are read as Python's re reads them."""

import re
import time

import pytest

from components.shared.texts.timed_pattern import compile_pattern, whole_match


def test_a_pattern_that_takes_years_is_given_up():
    """Nested repetition over a text that does not match ends at the limit."""
    start = time.process_time()
    with pytest.raises(TimeoutError):
        whole_match(r"(a|aa)+b", "a" * 60 + "cb", limit_s=0.1)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?s).*\b(?P<label>yes|no)\b.*", "well\nno, not so"),
        (r"(?is)\s*(?P<label>safe|unsafe)\b.*", "UNSAFE\nS1"),
        (r"(?P<label>[a|b]+)", "a|b"),
        (r"(?P<label>[0-9]{1,3})", "1000"),
    ],
)
def test_patterns_mean_what_they_mean_in_re(pattern, text):
    """Flags, sets with brackets and counts are those of Python's re."""
    expected, found = re.fullmatch(pattern, text), whole_match(pattern, text)
    assert (found and found.groupdict()) == (expected and expected.groupdict())


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "(?P<label>a)(?P<label", "*"])
def test_what_is_no_pattern_is_refused(pattern):
    """The error says why."""
    with pytest.raises(ValueError, match="not a regular expression: "):
        compile_pattern(pattern)
