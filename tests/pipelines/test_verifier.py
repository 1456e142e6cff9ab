"""The independent verifier: it agrees with the gate on any evidence, and finds every changed byte."""

import ast
import importlib.util
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.shared.digests import digest_json
from pipelines.verifier import verify

_spec = importlib.util.spec_from_file_location("crafted_evidence", Path(__file__).with_name("crafted_evidence.py"))
crafted: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(crafted)

KINDS = {"promote": 0, "reject": 6}


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Evidence of a promotion and of a rejection."""
    found = {}
    for word, broken in KINDS.items():
        directory = tmp_path_factory.mktemp(word)
        assert crafted.simple(directory, broken).decision.value == word
        found[word] = directory / "evidence"
    return found


def rewrite(folder: Path, name: str, change) -> None:
    """Changes an artifact's content and gives it the digest that it should have: a forger who knows the format."""
    path = folder / name
    envelope = json.loads(path.read_text())
    change(envelope["content"])
    envelope["digest"] = digest_json(envelope["content"])
    path.write_text(json.dumps(envelope, indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("word", KINDS)
def test_honest_evidence_is_verified(folders, word: str):
    """Nothing differs, and the decision is the gate's."""
    assert verify(folders[word]) == (word, [])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_gate_and_verifier_agree_on_random_evidence(tmp_path_factory, seed: int):
    """Whatever the verdicts, rules, limits, judges and faults are, both come to the same decision and figures."""
    directory = tmp_path_factory.mktemp("random")
    decision = crafted.at_random(directory, seed)
    assert verify(directory / "evidence") == (decision.decision.value, [])
    shutil.rmtree(directory)


def test_random_evidence_reaches_every_decision(tmp_path: Path):
    """The simulation above is not about one kind of decision."""
    found = {crafted.at_random(tmp_path / str(seed), seed).decision.value for seed in range(60)}
    assert found == {"promote", "reject", "needs_review", "insufficient_evidence", "invalid"}


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_changed_byte_is_found(folders, tmp_path_factory, data):
    """One byte, anywhere in any file of the folder, turned into any other: never verified."""
    source = folders[data.draw(st.sampled_from(sorted(KINDS)))]
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    name = data.draw(st.sampled_from(files))
    content = bytearray((source / name).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    copy = tmp_path_factory.mktemp("changed") / "evidence"
    shutil.copytree(source, copy)
    (copy / name).write_bytes(content)
    assert verify(copy)[1]
    shutil.rmtree(copy.parent)


@pytest.mark.parametrize("word", KINDS)
def test_every_file_is_covered_at_both_ends_and_in_the_middle(folders, tmp_path: Path, word: str):
    """No file of the folder is overlooked: its first, middle and last byte, a byte more and a byte less."""
    for path in sorted(path for path in folders[word].rglob("*") if path.is_file()):
        content = path.read_bytes()
        middle = random.Random(path.name).randrange(len(content))
        changed = [content + b"\n", content[:-1], content[:middle] + content[middle + 1 :]]
        places = (0, middle, len(content) - 1)
        changed += [content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :] for place in places]
        for number, other in enumerate(changed):
            copy = tmp_path / f"{path.name}-{number}"
            shutil.copytree(folders[word], copy)
            (copy / path.relative_to(folders[word])).write_bytes(other)
            assert verify(copy)[1], (path, number)
            shutil.rmtree(copy)


@pytest.mark.parametrize("name", ["post/answers.jsonl", "policy.json", "adapter/adapter_model.safetensors"])
def test_a_missing_and_an_additional_file_are_found(folders, tmp_path: Path, name: str):
    """What is not there, and what is there without being named, is a difference."""
    copy = tmp_path / "evidence"
    shutil.copytree(folders["reject"], copy)
    (copy / name).unlink()
    assert verify(copy)[1]
    shutil.rmtree(copy)
    shutil.copytree(folders["reject"], copy)
    (copy / "post" / "more.json").write_text("{}")
    assert verify(copy)[1] == ["post/more.json: found a file, expected none of this name"]


def forge_decision(content: dict) -> None:
    content["decision"], content["witnesses"] = "promote", []
    for reason in content["reasons"]:
        reason["decision"] = "promote"


def forge_drop(content: dict) -> None:
    content["reasons"][0]["delta"]["drop_pp"] += 0.001


def forge_limit(content: dict) -> None:
    content["reasons"][1]["limit_pp"] = 99.0


def forge_witness(content: dict) -> None:
    content["witnesses"][0]["after"] = "Another answer."


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (forge_decision, "gate_decision.json, decision: found 'promote', expected 'reject'"),
        (forge_drop, "gate_decision.json, reasons, 0 direct, delta, drop_pp: found 30.001, expected 30.0"),
        (forge_limit, "gate_decision.json, reasons, 1 benign, limit_pp: found 99.0, expected 20.0"),
        (forge_witness, "gate_decision.json, witness direct-0, after: found ('Another answer.', "),
    ],
)
def test_a_forged_decision_with_a_right_digest_is_found(folders, tmp_path: Path, change, found: str):
    """Digests that fit do not help: the decision does not follow from the verdicts; a sentence says where."""
    copy = tmp_path / "evidence"
    shutil.copytree(folders["reject"], copy)
    rewrite(copy, "gate_decision.json", change)
    if change is forge_decision:  # as the gate lays out a promotion
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            (copy / "adapter" / name).unlink()
    assert [line for line in verify(copy)[1] if line.startswith(found)]


def test_a_forged_report_breaks_the_chain(folders, tmp_path: Path):
    """A delta that was changed, with a digest of its own, is not the one that the decision names."""
    copy = tmp_path / "evidence"
    shutil.copytree(folders["reject"], copy)
    rewrite(copy, "delta_report.json", lambda content: content["categories"]["direct"].update(upper_pp=1.0))
    decision, differences = verify(copy)
    assert decision is None
    assert [line.partition(":")[0] for line in differences] == ["gate_decision.json, inputs, delta"]


def test_the_verifier_shares_no_code_with_what_it_checks(root: Path):
    """It imports the standard library, numpy, scipy and itself only, and is no longer than a person reads."""
    allowed = {"hashlib", "json", "math", "collections", "itertools", "operator", "pathlib", "typing", "numpy", "scipy"}
    for name in ("verifier", "verifier_figures"):
        text = (root / "pipelines" / f"{name}.py").read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert str(node.module).partition(".")[0] in allowed or node.module == "pipelines.verifier_figures"
            if isinstance(node, ast.Import):
                assert {own.name.partition(".")[0] for own in node.names} <= allowed
        assert len(text.splitlines()) <= 200
