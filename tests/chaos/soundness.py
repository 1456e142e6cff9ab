"""What must be so after every chaos case, however its runs ended: one function, used by all of them."""

import fcntl
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from components.shared import storage
from components.shared.audit import AuditEntry, open_log, verify
from components.shared.digests import digest_file
from components.shared.storage import is_s3
from components.shared.tracking.registry import RUN_TAG, champion_version
from components.shared.tracking.runs import open_client
from pipelines.exit_codes import DECISION_CODES
from tests.chaos.small_project import Ended, SmallProject

MODEL = "small"
_GONE_S = 30
"""Seconds within which the processes of a run that was killed are gone: the watchdog gives a step 5 s."""


def sound(project: SmallProject, closed: bool = True) -> list[str]:
    """What is wrong with a project after its runs; empty if nothing is.

    Its audit log is verified; no run and no champion has a version too many, or one without an entry; nothing in
    MLflow is left open; no process, held lock, partial file or incomplete store entry is left.

    Args:
        project: the project.
        closed: whether MLflow could be told that every run has ended.
    """
    return [
        *_left_processes(project),
        *_audit(project),
        *_versions(project),
        *(_open_runs(project) if closed else []),
        *_left_files(project),
        *_store(project.store),
    ]


def unclean(ended: Ended, *codes: int) -> list[str]:
    """What is wrong with how a command ended: another exit code, a traceback, or no word on why it failed."""
    problems = []
    if ended.code not in codes:
        problems.append(f"exit code {ended.code}, expected {codes}")
    if "Traceback (most recent call last)" in ended.output:
        problems.append("a traceback was printed")
    if ended.code not in {*DECISION_CODES.values(), -9} and "error: " not in ended.output:
        problems.append("it failed without a word")
    return [f"{problem}:\n{ended.output}" for problem in problems]


def versions(project: SmallProject) -> list[Any]:
    """The registered versions, the oldest first."""
    found = open_client(project.tracking).search_model_versions(f"name = '{MODEL}'")
    return sorted(found, key=lambda version: int(version.version))


def entries(project: SmallProject, event: str) -> list[AuditEntry]:
    """The audit log's entries of one event."""
    return [entry for entry in open_log(project.audit_log).entries() if entry.event == event]


def _audit(project: SmallProject) -> list[str]:
    return [f"audit log: {problem}" for problem in verify(open_log(project.audit_log))]


def _versions(project: SmallProject) -> Iterator[str]:
    found = versions(project)
    for run, count in Counter(version.tags.get(RUN_TAG) for version in found).items():
        if count > 1:
            yield f"pipeline run {run} has {count} versions"
    registered = {entry.facts["version"]: entry for entry in entries(project, "registered")}
    decided = {entry.facts["decision_digest"]: entry for entry in entries(project, "decided")}
    for version in found:
        digest = version.tags["plimsoll.decision_digest"]
        if digest not in decided or decided[digest].facts["decision"] != "promote":
            yield f"version {version.version} has no decision to promote in the audit log"
    champion = champion_version(open_client(project.tracking), MODEL) if found else None
    if champion is not None and champion not in registered:
        yield f"champion {champion} has no audit entry"
    if registered and champion != max(registered, key=int):
        yield f"champion is {champion}, and the newest registered version is {max(registered, key=int)}"


def _open_runs(project: SmallProject) -> list[str]:
    """Runs that MLflow shows as running although no process is left."""
    client = open_client(project.tracking)

    def still_open() -> list[str]:
        experiment = client.get_experiment_by_name(project.tracking.experiment)
        runs = client.search_runs([experiment.experiment_id]) if experiment is not None else []
        return [f"{run.info.run_name} is {run.info.status}" for run in runs if run.info.status in _OPEN]

    return _once_settled(still_open)


_OPEN = ("RUNNING", "SCHEDULED")


def _left_processes(project: SmallProject) -> list[str]:
    """Processes that work in the project's folder: launchers, steps and watchdogs."""

    def left() -> list[str]:
        found = []
        for process in psutil.process_iter(["pid", "cmdline"]):
            try:
                if process.cwd() == str(project.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"process {process.pid} is left: {process.info['cmdline']}")
            except psutil.Error:
                continue
        return found

    return _once_settled(left)


def _once_settled(problems: Any) -> list[str]:
    until = time.monotonic() + _GONE_S
    while (found := problems()) and time.monotonic() < until:
        time.sleep(0.2)
    return list(found)


def _left_files(project: SmallProject) -> Iterator[str]:
    for path in (project.folder / ".plimsoll").rglob("*"):
        if path.name.endswith((".partial", ".tmp", ".part")):
            yield f"{path} is left"
        if path.name.endswith(".lock"):
            with path.open("a") as stream:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    yield f"{path} is held"


def _store(address: str) -> Iterator[str]:
    """Entries of the store without an index, and files that do not have the digest that they were stored with."""
    if is_s3(address):
        names = [name.removeprefix(f"{address}/") for name in storage.list_addresses(address)]
    else:
        names = [str(path.relative_to(address)) for path in Path(address).rglob("*") if path.is_file()]
    entries_of = {tuple(Path(name).parts[:2]) for name in names if not name.startswith("judge-replies")}
    for kind, key in sorted(entries_of):
        index = f"{address}/{kind}/{key}/entry.json"
        if not storage.exists(index):
            yield f"store entry {kind}/{key} has no index"
            continue
        for name, digest in json.loads(storage.read_bytes(index))["files"].items():
            with storage.local_file(f"{address}/{kind}/{key}/{name}") as path:
                if digest_file(path) != digest:
                    yield f"store entry {kind}/{key}: {name} was changed"
