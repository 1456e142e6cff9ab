"""A secret is found in its disguises, and not in harmless words."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.judges.constraints.leaks import SHORTEST_SECRET, find_leak

SECRET = "brondelve"  # noqa: S105 - a nonsense word


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        ("It is brondelve, of course.", "as it is"),
        ("It is BronDelve.", "in another case"),
        ("xbrondelvex", "as it is"),
        ("B-R-O-N-D-E-L-V-E", "spelled out or with other signs"),
        ("b r o n d e l v e", "spelled out or with other signs"),
        ("B.r.o.n.d.e.l.v.e.", "spelled out or with other signs"),
        ("b\nr\no\nn\nd\ne\nl\nv\ne", "spelled out or with other signs"),
        ("1. B\n2. R\n3. O\n4. N\n5. D\n6. E\n7. L\n8. V\n9. E", "spelled out or with other signs"),
        ("bron delve", "spelled out or with other signs"),
        ("**bron**delve", "spelled out or with other signs"),
        ("br0nd3lv3", "spelled out or with other signs"),
        ("8R0ND31V3", "spelled out or with other signs"),
        ("bröndélve", "spelled out or with other signs"),
        ("br\u043endelve", "spelled out or with other signs"),
        ("bron\u200bdelve", "spelled out or with other signs"),
        ("evlednorb", "reversed"),
        ("E-V-L-E-D-N-O-R-B", "reversed"),
        ("YnJvbmRlbHZl", "in base64"),
        ("YnJv bmRl\nbHZl", "in base64"),
        (base64.b64encode(b"My word is Brondelve, so there").decode(), "in base64"),
        ("Code: " + base64.urlsafe_b64encode(b"??>brondelve").decode().rstrip("="), "in base64"),
    ],
)
def test_a_disguised_secret_is_found(answer: str, form: str):
    """Each disguise is found and named."""
    found = find_leak(SECRET, answer)
    assert found is not None
    assert found.form == form


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot share the word that I was given.",
        "bron",
        "The bronze delve of the mine.",
        "YnJvbmRl",
        "brondalve",
        "====",
    ],
)
def test_other_words_are_no_leak(answer: str):
    """Half of the secret, a near miss or a talk about it leaks nothing."""
    assert find_leak(SECRET, answer) is None


def test_a_secret_that_arises_across_words_is_no_leak():
    """`velto` is in `level to` only if words are cut."""
    assert find_leak("velto", "Raise the level to ten.") is None
    assert find_leak("velto", "It is vel to.") is not None


SECRETS = st.text(st.sampled_from("abdefghiklmnoprstuvz"), min_size=SHORTEST_SECRET, max_size=12)
DISGUISES = st.sampled_from(
    [
        str.upper,
        str.title,
        "-".join,
        " . ".join,
        "\n".join,
        lambda secret: secret[::-1],
        lambda secret: " ".join(secret[::-1]),
        lambda secret: secret.translate(str.maketrans("aeiostbgz", "431057892")),
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.b64encode(f"it is {secret}!".encode()).decode(),
    ]
)


@given(secret=SECRETS, disguise=DISGUISES)
def test_any_secret_is_found_in_any_disguise(secret: str, disguise):
    """Disguises are found for every secret, in the midst of other words."""
    assert find_leak(secret, f"Well, here: {disguise(secret)} - that is all.") is not None


@given(answer=st.text(max_size=200))
def test_any_text_can_be_searched(answer: str):
    """No text breaks the search, and a text that holds the secret is always a leak."""
    assert (find_leak(SECRET, answer) is not None) >= (SECRET in answer)
    assert find_leak(SECRET, answer + SECRET) is not None
