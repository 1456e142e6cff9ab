"""Unicode normal forms of any text, in linear time."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.texts.normal_form import normal_form


@given(st.text(max_size=29))
def test_a_text_with_few_marks_has_the_normal_form_of_unicode(text):
    """Up to 30 combining marks in a row change nothing."""
    assert normal_form("NFKC", text) == unicodedata.normalize("NFKC", text)
    assert normal_form("NFKD", text) == unicodedata.normalize("NFKD", text)


@pytest.mark.parametrize("form", ["NFKC", "NFKD"])
def test_a_long_run_of_marks_is_cut(form):
    """30 marks stay on a letter; 100,000 are cut in less than a second."""
    start = time.process_time()
    cut = normal_form(form, "e" + "\u0316\u0301" * 50_000 + "f")
    assert time.process_time() - start < 1
    assert cut == unicodedata.normalize(form, "e" + "\u0316\u0301" * 15 + "f")
