"""Signatures with a key from the environment."""

import pytest

from components.shared.errors import ConfigError
from components.shared.signing import SHORTEST_KEY, SigningKey, key_from_environment

SIGNING = "5f0c2f6e9d6b4a1c8e7d3b2a19080706"


def test_a_signature_is_of_one_key_and_one_content():
    """Another key, another content and anything that is no signature are not confirmed."""
    key = SigningKey("STORE_KEY", SIGNING)
    signature = key.sign({"a": 1, "b": 2})
    assert key.confirms(signature, {"b": 2, "a": 1})
    assert not key.confirms(signature, {"a": 1, "b": 3})
    assert not SigningKey("STORE_KEY", SIGNING[::-1]).confirms(signature, {"a": 1, "b": 2})
    for odd in (None, "", 3, ["x"], signature.upper(), signature[:-1], "ä"):
        assert not key.confirms(odd, {"a": 1, "b": 2})


def test_the_key_is_never_shown():
    """Neither in its representation nor in its attributes' names."""
    key = SigningKey("STORE_KEY", SIGNING)
    assert SIGNING not in f"{key!r} {key} {key.sign('x')}"


def test_no_variable_is_no_key():
    """A store without a key does not sign."""
    assert key_from_environment(None) is None
    assert key_from_environment("") is None


@pytest.mark.parametrize("secret", ["", "   ", "x" * (SHORTEST_KEY - 1)])
def test_a_missing_or_short_key_is_refused_without_showing_it(secret: str, monkeypatch: pytest.MonkeyPatch):
    """The error names the variable, what was expected and the cure."""
    monkeypatch.setenv("STORE_KEY", secret)
    with pytest.raises(
        ConfigError, match=r"STORE_KEY .*; expected the key .* at least 32 characters; set it"
    ) as refused:
        key_from_environment("STORE_KEY")
    assert not secret.strip() or secret not in str(refused.value)
