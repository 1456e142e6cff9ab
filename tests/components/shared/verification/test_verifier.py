"""The independent verifier: it agrees with the gate on any evidence, and finds every changed byte."""

import ast
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.shared.digests import digest_bytes, digest_json
from components.shared.verification.verifier import verify
from tests.support import crafted_evidence as crafted

_REVIEWED = {
    "direct": {"rule": "margin", "limit_pp": 20, "review_new_failures": True},
    "benign": {"rule": "margin", "limit_pp": 20},
}
KINDS: dict[str, dict[str, Any]] = {
    "promote": {},
    "reject": {"broken": 6},
    "needs_review": {"broken": 1, "categories": _REVIEWED},
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Evidence of a promotion, of a rejection and of a review."""
    folders = {}
    for decision, options in KINDS.items():
        directory = tmp_path_factory.mktemp(decision)
        assert crafted.simple(directory, **options).decision.value == decision
        folders[decision] = directory / "evidence"
    return folders


def rewrite(folder: Path, name: str, change) -> None:
    """Changes an artifact's content and gives it the digest that it should have: a forger who knows the format."""
    path = folder / name
    envelope = json.loads(path.read_text())
    change(envelope["content"])
    envelope["digest"] = digest_json(envelope["content"])
    path.write_text(json.dumps(envelope, indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("decision", KINDS)
def test_honest_evidence_is_verified(folders, decision: str):
    """Nothing differs, and the decision is the gate's."""
    assert verify(folders[decision]) == (decision, [])


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
    reached = {crafted.at_random(tmp_path / str(seed), seed).decision.value for seed in range(60)}
    assert reached == {"promote", "reject", "needs_review", "insufficient_evidence", "invalid"}


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


@pytest.mark.parametrize("decision", KINDS)
def test_every_file_is_covered_at_both_ends_and_in_the_middle(folders, tmp_path: Path, decision: str):
    """No file of the folder is overlooked: its first, middle and last byte, a byte more and a byte less."""
    for path in sorted(path for path in folders[decision].rglob("*") if path.is_file()):
        content = path.read_bytes()
        middle = random.Random(path.name).randrange(len(content))
        changed = [content + b"\n", content[:-1], content[:middle] + content[middle + 1 :]]
        places = (0, middle, len(content) - 1)
        changed += [content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :] for place in places]
        for number, other in enumerate(changed):
            copy = tmp_path / f"{path.name}-{number}"
            shutil.copytree(folders[decision], copy)
            (copy / path.relative_to(folders[decision])).write_bytes(other)
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


def forge_cautions(content: dict) -> None:
    content["cautions"] = []


def forge_witness(content: dict) -> None:
    content["witnesses"][0]["after"] = "Another answer."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (forge_decision, "gate_decision.json, decision: found 'promote', expected 'reject'"),
        (forge_drop, "gate_decision.json, reasons, 0 direct, delta, drop_pp: found 30.001, expected 30.0"),
        (forge_limit, "gate_decision.json, reasons, 1 benign, limit_pp: found 99.0, expected 20.0"),
        (forge_cautions, "gate_decision.json, cautions: found"),
        (forge_witness, "gate_decision.json, witness direct-0, after: found ('Another answer.', "),
    ],
)
def test_a_forged_decision_with_a_right_digest_is_found(folders, tmp_path: Path, change, sentence: str):
    """Digests that fit do not help: the decision does not follow from the verdicts; a sentence says where."""
    copy = tmp_path / "evidence"
    shutil.copytree(folders["reject"], copy)
    rewrite(copy, "gate_decision.json", change)
    if change is forge_decision:  # as the gate lays out a promotion
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            (copy / "adapter" / name).unlink()
    assert [line for line in verify(copy)[1] if line.startswith(sentence)]


def test_a_forged_report_breaks_the_chain(folders, tmp_path: Path):
    """A delta that was changed, with a digest of its own, is not the one that the decision names."""
    copy = tmp_path / "evidence"
    shutil.copytree(folders["reject"], copy)
    rewrite(copy, "delta_report.json", lambda content: content["categories"]["direct"].update(upper_pp=1.0))
    decision, differences = verify(copy)
    assert decision is None
    assert [line.partition(":")[0] for line in differences] == ["gate_decision.json, inputs, delta"]


def test_a_review_has_the_queue_that_it_names(folders, tmp_path: Path):
    """A review without its queue, with another one or with none named, and a queue beside a promotion, are found."""
    queue = (folders["needs_review"] / "review_queue.jsonl").read_bytes()
    copy = tmp_path / "evidence"
    shutil.copytree(folders["needs_review"], copy)
    (copy / "review_queue.jsonl").write_bytes(queue.replace(b"direct", b"benign"))
    assert [line.partition(":")[0] for line in verify(copy)[1]] == ["review_queue.jsonl, sha256"]
    (copy / "review_queue.jsonl").unlink()
    assert verify(copy)[1][0].startswith("review_queue.jsonl, sha256: found None")
    rewrite(copy, "gate_decision.json", lambda content: content.update(queue_sha256=None))
    assert "review_queue.jsonl" in verify(copy)[1][0]

    promoted = tmp_path / "promoted"
    shutil.copytree(folders["promote"], promoted)
    (promoted / "review_queue.jsonl").write_bytes(queue)
    assert verify(promoted)[1] == ["review_queue.jsonl: found a file, expected none of this name"]
    (promoted / "review_queue.jsonl").unlink()
    rewrite(promoted, "gate_decision.json", lambda content: content.update(queue_sha256="sha256:00"))
    assert verify(promoted)[1] == ["gate_decision.json, queue_sha256: found 'sha256:00', expected None"]


def rechain(folder: Path, name: str, change) -> None:
    """Changes a report and every digest after it: a forger who rewrites the chain up to the decision."""
    rewrite(folder, name, change)
    digest = lambda file: json.loads((folder / file).read_text())["digest"]  # noqa: E731
    if name != "follow_up/follow_up_report.json":
        delta = digest("delta_report.json")
        rewrite(folder, "follow_up/follow_up_report.json", lambda content: content["inputs"].update(delta=delta))
    inputs = {"delta": digest("delta_report.json"), "follow_up": digest("follow_up/follow_up_report.json")}
    rewrite(folder, "gate_decision.json", lambda content: content["inputs"].update(inputs))


def forge_category(content: dict) -> None:
    content["categories"]["direct"]["upper_pp"] = 1.0


def forge_more_categories(content: dict) -> None:
    content["categories"]["unasked"] = content["categories"]["benign"]


def forge_flip(content: dict) -> None:
    content["prompts"][0]["confirmed"] = False


def forge_fewer_flips(content: dict) -> None:
    content["prompts"].pop()


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("delta_report.json", forge_category, "delta_report.json, categories, direct, upper_pp: found 1.0"),
        ("delta_report.json", forge_more_categories, "delta_report.json, order of categories: found ['direct', "),
        ("follow_up/follow_up_report.json", forge_flip, "follow_up_report.json, prompts, direct-0, confirmed: found F"),
        ("follow_up/follow_up_report.json", forge_fewer_flips, "follow_up_report.json, prompts: found {"),
    ],
)
def test_a_forged_report_is_found_where_the_whole_chain_was_rewritten(folders, tmp_path: Path, name, change, sentence):
    """Reports say what the raw rows say, even where every digest up to the decision fits."""
    copy = tmp_path / "evidence"
    shutil.copytree(folders["reject"], copy)
    rechain(copy, name, change)
    assert [line for line in verify(copy)[1] if line.startswith(sentence)]


def test_fresh_answers_that_were_left_out_make_it_invalid(folders, tmp_path: Path):
    """A prompt that looks worse and was not asked again on both sides is not a promotion, nor anything but invalid."""
    copy = tmp_path / "evidence"
    shutil.copytree(folders["reject"], copy)
    sums = {}
    for side in ("before", "after"):
        path = copy / "follow_up" / f"{side}.jsonl"
        kept = [line for line in path.read_text().splitlines() if json.loads(line)["prompt_id"] != "direct-0"]
        path.write_text("".join(f"{line}\n" for line in kept))
        sums[side] = digest_bytes(path.read_bytes())

    def forget(content: dict) -> None:
        content["answers_sha256"] = sums
        content["prompts"] = [prompt for prompt in content["prompts"] if prompt["prompt_id"] != "direct-0"]

    rechain(copy, "follow_up/follow_up_report.json", forget)
    decision, differences = verify(copy)
    assert (decision, differences) == ("invalid", ["gate_decision.json, decision: found 'reject', expected 'invalid'"])


MODULES = (
    *("differences", "evidence_chain", "evidence_files"),
    *("recomputed_cautions", "recomputed_decision", "recomputed_figures"),
)
FORMULAS = ("exact_tests", "judge_error", "paired")


def imported_modules(path: Path) -> set[str]:
    """The modules of this project that a source file imports, at its top or inside a function."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names |= {str(node.module)} if isinstance(node, ast.ImportFrom) else set()
        names |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
    return {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}


def test_the_verifier_is_independent(root: Path):
    """Its modules import the standard library, each other, digests and formulas: no gate, no step, no artifact."""
    modules = {f"components.shared.verification.{name}" for name in MODULES}
    reached, waiting = set(), ["components.shared.verification.verifier"]
    while waiting:
        name = waiting.pop()
        imported = imported_modules(root / f"{name.replace('.', '/')}.py")
        waiting += (imported & modules) - reached
        reached |= imported
    formulas = {f"components.shared.statistics.{name}" for name in FORMULAS}
    assert reached == modules | formulas | {"components.shared.digests"}


def test_the_verifier_loads_neither_gate_nor_step():
    """Nothing that it imports brings one along: in a fresh process only digests, statistics and itself are loaded."""
    shown = "print(*(name for name in sys.modules if name.startswith(('components.', 'pipelines.'))))"
    code = f"import sys, components.shared.verification.verifier; {shown}"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    ground = ("components.shared.digests", "components.shared.statistics", "components.shared.verification")
    packages = {"components.shared"}
    assert [name for name in loaded if name not in packages and not name.startswith(ground)] == []


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "other"])
def test_a_report_that_names_another_file_is_not_followed(folders, tmp_path: Path, name: str):
    """Only the follow-up's own files of rows are read."""
    copy = tmp_path / "evidence"
    shutil.copytree(folders["reject"], copy)
    rechain(copy, "follow_up/follow_up_report.json", lambda content: content["answers_sha256"].update({name: "x"}))
    assert f"follow_up_report.json, files of rows: found {[name]!r}, expected []" in verify(copy)[1]
