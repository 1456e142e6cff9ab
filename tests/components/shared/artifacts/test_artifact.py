"""Artifacts know their own digest, and refuse to load when they were changed."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.shared.artifacts.decision import GateDecision, Rejection
from components.shared.errors import IntegrityError


def test_what_is_saved_is_what_is_loaded(tmp_path: Path, build):
    """Saving and loading gives an equal artifact with an equal digest."""
    decision = build.gate_decision()
    loaded = GateDecision.load(decision.save(tmp_path / "new" / "decision.json"))
    assert loaded == decision
    assert loaded.digest == decision.digest


def test_saving_leaves_no_partial_file(tmp_path: Path, build):
    """Only the artifact itself is left in its directory."""
    build.gate_decision().save(tmp_path / "decision.json")
    assert [path.name for path in tmp_path.iterdir()] == ["decision.json"]


def test_inputs_are_part_of_the_digest(build):
    """Equal content made from other inputs is another artifact."""
    assert build.gate_decision().digest != build.gate_decision(inputs={"delta": "sha256:00"}).digest


@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_byte_changes_nothing_or_is_refused(tmp_path: Path, build, place: int, byte: int):
    """No single byte can be replaced so that another content is loaded, and nothing but IntegrityError is raised."""
    decision = build.gate_decision("needs_review")
    path = decision.save(tmp_path / "decision.json")
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content)
    try:
        loaded = GateDecision.load(path)
    except IntegrityError:
        return
    assert loaded == decision


def test_a_changed_number_is_refused_with_the_cure(tmp_path: Path, build):
    """A drop that was edited on disk is found, and the message says what to do."""
    path = build.gate_decision().save(tmp_path / "decision.json")
    path.write_text(path.read_text().replace('"drop_pp": 1.0', '"drop_pp": 0.5'))
    with pytest.raises(IntegrityError, match=r"decision\.json: its content does not have the digest .* run the pip"):
        GateDecision.load(path)


def test_content_and_digest_changed_together_are_another_artifact(tmp_path: Path, build):
    """A forged file with a fitting digest loads, but has another digest: what the chain of inputs is for."""
    original = build.gate_decision("reject")
    forged = build.gate_decision("promote").save(tmp_path / "decision.json")
    assert GateDecision.load(forged).digest != original.digest


def test_another_kind_is_refused(tmp_path: Path, build):
    """A Rejection cannot be loaded as a GateDecision."""
    rejection = Rejection(decision="reject", summary="no", adapter_digest="a", decision_digest="d")
    path = rejection.save(tmp_path / "a.json")
    with pytest.raises(IntegrityError, match="holds a Rejection, expected a GateDecision"):
        GateDecision.load(path)


def test_a_missing_file_names_the_step_before(tmp_path: Path):
    """A file that was never written says that the step before did not finish."""
    with pytest.raises(IntegrityError, match="missing; the step before did not finish"):
        GateDecision.load(tmp_path / "decision.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"kind": "GateDecision", "digest": "", "content": {}}'])
def test_texts_that_are_no_artifact_are_refused(text: str):
    """Truncated and foreign JSON is an IntegrityError that names the place."""
    with pytest.raises(IntegrityError, match=r"^here: not a GateDecision"):
        GateDecision.parse(text, "here")


def test_an_unknown_field_is_refused(tmp_path: Path, build):
    """A field that the model does not know is not dropped silently."""
    path = build.gate_decision().save(tmp_path / "decision.json")
    envelope = json.loads(path.read_text())
    envelope["content"]["waived"] = True
    path.write_text(json.dumps(envelope))
    with pytest.raises(IntegrityError, match="waived"):
        GateDecision.load(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_in_an_artifact_is_nan(build, value: float):
    """An artifact cannot be made with NaN or an infinity."""
    with pytest.raises(ValidationError, match="finite number"):
        build.delta(drop_pp=value)


def test_an_artifact_is_frozen(build):
    """Nothing changes an artifact after it was made."""
    with pytest.raises(ValidationError, match="frozen"):
        build.gate_decision().decision = "reject"
