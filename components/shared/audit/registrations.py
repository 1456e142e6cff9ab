"""What the audit log says about a registered model: its champion, and registrations that were not finished.

MLflow's aliases have no history and no compare-and-set. The log has both, so the aliases follow the log: a registration
or rollback is an entry first, and of two at once each moves the aliases to what the whole log says.
"""

from collections.abc import Iterable

from components.shared.artifacts.decision import Standing
from components.shared.audit.entry import AuditEntry, End
from components.shared.audit.log import AuditLog

NO_VERSION = "none"
"""Stands in an entry's facts where there is no version."""


def standing(entries: Iterable[AuditEntry], model_name: str) -> Standing:
    """Champion and previous version of a registered model after these entries.

    A newly registered version becomes champion unless a higher one is, as where two runs register at once. `previous`
    never is a version of the champion's own adapter: going back to it would change nothing.

    Args:
        entries: of a whole log, oldest first.
        model_name: the registered model.
    """
    champion: str | None = None
    previous: str | None = None
    adapters: dict[str, str] = {}
    known: set[str] = set()

    def differ(version: str | None, other: str | None) -> bool:
        return adapters.get(version or "", version) != adapters.get(other or "", other)

    for entry in entries:
        facts = entry.facts
        if facts.get("model_name") != model_name:
            continue
        if entry.event == "rollback":
            champion, previous = facts["champion"], _version(facts["previous"])
            known |= {facts["champion"], facts["left"]}
        elif entry.event == "registered" and facts["version"] not in adapters:
            version = facts["version"]
            known.add(version)
            adapters[version] = facts["adapter_digest"]
            if champion is None or int(version) > int(champion):
                previous = champion if champion is not None and differ(champion, version) else previous
                champion = version
            elif (previous is None or int(version) > int(previous)) and differ(version, champion):
                previous = version
    return Standing(champion, previous, frozenset(known))


def unfinished(entries: Iterable[AuditEntry], model_name: str) -> list[AuditEntry]:
    """The registrations that were begun and not finished, oldest first; their process was killed, or is at it now.

    Args:
        entries: of a whole log, oldest first.
        model_name: the registered model.
    """
    begun: dict[str, AuditEntry] = {}
    for entry in entries:
        if entry.facts.get("model_name") != model_name:
            continue
        if entry.event == "registering":
            begun[entry.pipeline_run] = entry
        elif entry.event == "registered":
            begun.pop(entry.pipeline_run, None)
            adapter = entry.facts["adapter_digest"]
            begun = {run: other for run, other in begun.items() if other.facts["adapter_digest"] != adapter}
    return list(begun.values())


class StandingReader:
    """Reads a model's standing from a log, again only if the log has grown.

    Args:
        log: the log.
        model_name: the registered model.
    """

    def __init__(self, log: AuditLog, model_name: str) -> None:
        self._log, self._model_name = log, model_name
        self._end: End | None = None
        self._standing = Standing(None, None, frozenset())

    def __call__(self) -> Standing:
        """The standing now.

        Raises:
            StorageError: the log cannot be read.
            IntegrityError: an entry is not as it was written.
        """
        if (end := self._log.end()) != self._end:
            self._standing = standing(self._log.entries(), self._model_name)
            self._end = end
        return self._standing


def _version(text: str) -> str | None:
    return None if text == NO_VERSION else text
