"""Who acts."""

import base64
import json
from pathlib import Path

import pytest

from components.shared.audit.actor import who_acts


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("PLIMSOLL_USER", "USER"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_person_comes_before_the_account(nobody: pytest.MonkeyPatch, tmp_path: Path):
    """PLIMSOLL_USER wins over USER, and both over `unknown`."""
    token = tmp_path / "token"
    assert who_acts(token) == "unknown"
    nobody.setenv("USER", "ada")
    assert who_acts(token) == "ada"
    nobody.setenv("PLIMSOLL_USER", "grace")
    assert who_acts(token) == "grace"


def test_a_pod_is_named_by_its_service_account(nobody: pytest.MonkeyPatch, tmp_path: Path):
    """Where no person is named, the subject of the pod's token is."""
    subject = "system:serviceaccount:training:pipeline-runner"
    payload = base64.urlsafe_b64encode(json.dumps({"sub": subject}).encode()).decode().rstrip("=")
    (tmp_path / "token").write_text(f"head.{payload}.signature")
    assert who_acts(tmp_path / "token") == subject


@pytest.mark.parametrize("text", ["", "no dots", "a.!!.c", "a.W10.c", "a.bnVsbA.c", "a.eyJzdWIiOjF9.c"])
def test_a_token_of_another_kind_names_nobody(nobody: pytest.MonkeyPatch, tmp_path: Path, text: str):
    """What cannot be read as a token is `unknown`, not an error."""
    (tmp_path / "token").write_text(text)
    assert who_acts(tmp_path / "token") == "unknown"
