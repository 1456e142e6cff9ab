"""Compares a decision with the audit log: the log says which of two consistent folders of evidence is the original."""

from collections.abc import Mapping
from typing import Any

from components.shared.audit import AUDIT_LOG_TAG, AUDIT_TAG, AuditEntry, check_reading, open_log
from components.shared.digests import digest_json
from components.shared.errors import IntegrityError
from pipelines.evidence.opening import OpenEvidence

_REGISTERED = ("plimsoll.registered_model", "plimsoll.registered_version")


def log_of(evidence: OpenEvidence, named: str | None) -> str | None:
    """The address of the audit log: as named, else the config's, else the one that the gate noted on the run."""
    if named is not None:
        return named
    if evidence.config is not None:
        return evidence.config.tracking.audit_log
    return evidence.run.tags.get(AUDIT_LOG_TAG) if evidence.run is not None else None


def audit_differences(address: str, decision: Mapping[str, Any], tags: Mapping[str, str]) -> list[str]:
    """What the audit log says otherwise than a decision, one sentence each; empty if it confirms it.

    Args:
        address: of the log.
        decision: the content of gate_decision.json.
        tags: of the decision's MLflow run; empty for a directory.

    Raises:
        StorageError: the log cannot be read.
        ConfigError: the address is none of a log.
    """
    log = open_log(address)
    reading = log.read()
    where = f"audit log {log.address}"
    if not reading.lines:
        return [f"{where}: found no entry, expected those of run {decision['pipeline_run']!r}; --log names another log"]
    differences = [f"{where}: {problem}" for problem in check_reading(reading, [*filter(None, [tags.get(AUDIT_TAG)])])]
    try:
        entries = list(reading.entries())
    except IntegrityError:  # one of the problems
        return differences
    run = [entry for entry in entries if entry.pipeline_run == decision["pipeline_run"]]
    return [*differences, *_undecided(where, run, decision), *_unregistered(where, run, decision, tags)]


def _undecided(where: str, run: list[AuditEntry], decision: Mapping[str, Any]) -> list[str]:
    decided = [entry for entry in run if entry.event == "decided"]
    if not decided:
        return [f"{where}: found no entry `decided` of run {decision['pipeline_run']!r}, expected one"]
    expected = {
        "decision": decision["decision"],
        "decision_digest": digest_json(decision),
        "adapter_digest": decision["adapter_digest"],
        "policy_digest": decision["policy_digest"],
    }
    last = decided[-1]
    return [
        f"{where}, entry {last.sequence}, {name}: found {last.facts.get(name)!r}, expected {value!r}"
        for name, value in expected.items()
        if last.facts.get(name) != value
    ]


def _unregistered(where: str, run: list[AuditEntry], decision: Mapping[str, Any], tags: Mapping[str, str]) -> list[str]:
    model, version = (tags.get(name) for name in _REGISTERED)
    if version is None:
        return []
    registered = {"model_name": model, "version": version, "decision_digest": digest_json(decision)}
    if any(entry.event == "registered" and registered.items() <= entry.facts.items() for entry in run):
        return []
    missing = f"{where}: found no entry `registered` of {model} version {version} with this decision"
    return [f"{missing}, expected one: the tags of run {decision['pipeline_run']!r} name that version"]
