"""Compares a registered model with the audit log: orphan versions, and aliases that the log does not explain."""

from collections.abc import Iterator

from components.shared.audit import AuditEntry, open_log, standing, unfinished
from components.shared.config.sections import PipelineConfig
from components.shared.errors import IntegrityError, PlimsollError
from components.shared.tracking.registry import CHAMPION, PREVIOUS, RegisteredState, registered_state
from pipelines.starting.diagnosis import Symptom

_SUBJECT = "registered model"


def registry_symptoms(config: PipelineConfig) -> Iterator[Symptom]:
    """What a killed registration left, and who moved an alias past the log.

    Args:
        config: with absolute local paths.
    """
    name, log = config.registry.model_name, open_log(config.tracking.audit_log)
    try:
        entries = list(log.entries())
        state = registered_state(config.tracking, name)
    except IntegrityError as error:
        yield Symptom("audit log", "problem", str(error), f"plimsoll audit verify --log {log.address}")
        return
    except PlimsollError as error:
        yield Symptom(_SUBJECT, "warning", f"not compared with the audit log: {error}")
        return
    wrong = [*_orphans(name, entries, state), *_aliases(name, entries, state)]
    yield from wrong
    if not wrong and state.versions:
        champion, count = state.aliases.get(CHAMPION, "none"), len(state.versions)
        versions = "1 version" if count == 1 else f"{count} versions"
        yield Symptom(_SUBJECT, "ok", f"{name}: {versions}, champion {champion}, as in the audit log")


def _orphans(name: str, entries: list[AuditEntry], state: RegisteredState) -> Iterator[Symptom]:
    begun = {entry.pipeline_run: entry for entry in unfinished(entries, name)}
    known = standing(entries, name).known
    for version, run in state.versions.items():
        if run in begun and version not in known:
            yield Symptom(
                _SUBJECT,
                "warning",
                f"{name} version {version} is an orphan: run {run} was stopped after it was created on "
                f"{begun[run].time}, before it was registered",
                "run the pipeline again with the same config (it takes this version), or delete the version in MLflow",
            )


def _aliases(name: str, entries: list[AuditEntry], state: RegisteredState) -> Iterator[Symptom]:
    told = standing(entries, name)
    for alias, said in ((CHAMPION, told.champion), (PREVIOUS, told.previous)):
        found = state.aliases.get(alias)
        if found is not None and found not in told.known:
            yield Symptom(
                _SUBJECT,
                "warning",
                f"{name} version {found} is {alias}, and the audit log has no entry for it: it was registered under "
                "another log, or by hand",
                f"see who did so in MLflow; plimsoll rollback {name} --to VERSION takes it back",
            )
        elif said is not None and found != said:
            yield Symptom(
                _SUBJECT,
                "warning",
                f"{name}: version {found or 'none'} is {alias}, the audit log says {said}: a registration was stopped, "
                "or somebody moved the alias in MLflow",
                f"plimsoll rollback {name} --to VERSION, or the next registration, puts it right",
            )
