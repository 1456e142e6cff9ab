"""Reads a folder of evidence and checks every byte of it against the digests that the files name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.digests import digest_bytes, digest_json, digest_tree
from components.shared.verification.differences import compare

Json = dict[str, Any]
"""A JSON object: the content of an artifact, or one row."""

POLICY_FILE = "policy.json"
DECISION_FILE = "gate_decision.json"
QUEUE_FILE = "review_queue.jsonl"

_ARTIFACTS = {
    "training_data": ("training_data.json", "TrainingData"),
    "prompt_set": ("prompt_set.json", "PromptSet"),
    "adapter_manifest": ("adapter/manifest.json", "AdapterManifest"),
    "baseline": ("baseline/safety_report.json", "SafetyReport"),
    "post": ("post/safety_report.json", "SafetyReport"),
    "delta": ("delta_report.json", "DeltaReport"),
    "follow_up": ("follow_up/follow_up_report.json", "FollowUpReport"),
    "decision": (DECISION_FILE, "GateDecision"),
}
"""File and kind of each artifact, by the name that the decision's `inputs` use."""

_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
_FRESH_ROWS = ("before", "after", "variants_before", "variants_after")
"""The follow-up's files of rows, without their ending; a report that names another file is not followed."""


class EvidenceFiles(NamedTuple):
    """The content of each file: of an artifact without its envelope, of a JSONL file its rows.

    Attributes:
        fresh_before: the base's answers of the follow-up; empty where no prompt was asked again.
        fresh_after: the adapter's answers of the follow-up.
    """

    training_data: Json
    prompt_set: Json
    adapter_manifest: Json
    baseline: Json
    post: Json
    delta: Json
    follow_up: Json
    decision: Json
    policy: Json
    prompts: list[Json]
    before: list[Json]
    after: list[Json]
    fresh_before: list[Json]
    fresh_after: list[Json]


def read_evidence(folder: Path, differences: list[str]) -> EvidenceFiles:
    """Reads the folder; each byte that no digest confirms is a difference.

    Args:
        folder: laid out as docs/evidence.md says.
        differences: receives a sentence for each wrong, missing or additional file.

    Raises:
        OSError, ValueError, LookupError, TypeError, AttributeError: a file or field is missing or malformed.
    """
    sums = digest_tree(folder)
    contents = {key: _read_artifact(folder, *_ARTIFACTS[key], differences) for key in _ARTIFACTS}
    contents["policy"] = _read_policy(folder, differences)
    _check_inputs(contents, differences)
    rows = {name: _read_rows(folder / name) for name in _check_row_files(contents, sums, differences)}
    _check_adapter(contents["decision"], sums, differences)
    known = {*rows, POLICY_FILE, *(name for name, _ in _ARTIFACTS.values())}
    known |= {f"adapter/{name}" for name in _ADAPTER_FILES}
    differences += [f"{name}: found a file, expected none of this name" for name in sums if name not in known]
    return EvidenceFiles(
        **contents,
        prompts=rows["prompts.jsonl"],
        before=rows["baseline/answers.jsonl"],
        after=rows["post/answers.jsonl"],
        fresh_before=rows.get("follow_up/before.jsonl", []),
        fresh_after=rows.get("follow_up/after.jsonl", []),
    )


def _read_artifact(folder: Path, name: str, kind: str, differences: list[str]) -> Json:
    """An artifact is `{"kind", "digest", "content"}`, and its digest is that of its content."""
    raw = (folder / name).read_bytes()
    content: Json = json.loads(raw)["content"]
    envelope = {"kind": kind, "digest": digest_json(content), "content": content}
    _check_bytes(f"{name}, sha256 as a {kind}", raw, envelope, differences)
    return content


def _read_policy(folder: Path, differences: list[str]) -> Json:
    raw = (folder / POLICY_FILE).read_bytes()
    policy: Json = json.loads(raw)
    _check_bytes(f"{POLICY_FILE}, sha256", raw, policy, differences)
    return policy


def _check_bytes(where: str, raw: bytes, value: Json, differences: list[str]) -> None:
    """A JSON file has exactly the bytes that its value is written with: no other spacing, no field twice."""
    written = (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
    compare(where, digest_bytes(raw), digest_bytes(written), differences)


def _check_inputs(contents: Mapping[str, Json], differences: list[str]) -> None:
    """The decision names the digest of every artifact and of the policy."""
    expected = {key: digest_json(content) for key, content in contents.items() if key != "decision"}
    compare(f"{DECISION_FILE}, inputs", contents["decision"]["inputs"], expected, differences)


def _check_row_files(contents: Mapping[str, Json], sums: Mapping[str, str], differences: list[str]) -> list[str]:
    """Each JSONL file has the sha256 that an artifact names; returns the files' names.

    A review queue belongs to a decision `needs_review` and to no other.
    """
    decision = contents["decision"]
    expected = {
        "prompts.jsonl": contents["prompt_set"]["prompts_sha256"],
        "baseline/answers.jsonl": contents["baseline"]["answers_sha256"],
        "post/answers.jsonl": contents["post"]["answers_sha256"],
    }
    named = contents["follow_up"]["answers_sha256"]
    compare("follow_up_report.json, files of rows", sorted({*named} - {*_FRESH_ROWS}), [], differences)
    expected |= {f"follow_up/{name}.jsonl": named[name] for name in _FRESH_ROWS if name in named}
    if decision["decision"] == "needs_review":
        expected[QUEUE_FILE] = decision["queue_sha256"]
    for name, digest in expected.items():
        compare(f"{name}, sha256", sums.get(name), digest, differences)
    return list(expected)


def _read_rows(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def _check_adapter(decision: Json, sums: Mapping[str, str], differences: list[str]) -> None:
    """The adapter's files are those that were decided on; after a promotion the registry has them instead."""
    weights = {name: sums.get(f"adapter/{name}") for name in _ADAPTER_FILES}
    if decision["decision"] != "promote" or any(weights.values()):
        compare("adapter, digest of its two files", digest_json(weights), decision["adapter_digest"], differences)
