"""Whether the evidence is what the steps made: every artifact's digest must stand in the audit log.

An artifact is a file with a digest, and whoever can write the file can compute the digest. So each step writes the
digest of what it made into the log, too.
"""

from collections.abc import Sequence
from typing import NamedTuple

from components.shared.audit import AuditEntry, Event
from components.shared.digests import short
from components.shared.errors import IntegrityError
from components.shared.gate.preconditions import Evidence


class _Made(NamedTuple):
    """What a step made, and the entry that says so."""

    what: str
    event: Event
    facts: dict[str, str]


def refuse_unrecorded_evidence(evidence: Evidence, entries: Sequence[AuditEntry], address: str) -> None:
    """Refuses evidence that no step made.

    A step whose result Kubeflow took from its cache wrote its entry in an earlier run, so that every run's entries
    count. Whether the artifacts belong together is checked by their chain.

    Args:
        evidence: what the gate is about to decide on.
        entries: of the whole audit log.
        address: of the log.

    Raises:
        IntegrityError: an artifact is not in the log.
    """
    for made in _made(evidence):
        if not any(entry.event == made.event and made.facts.items() <= entry.facts.items() for entry in entries):
            digest = short(next(iter(made.facts.values())))
            raise IntegrityError(
                f"{made.what} ({digest}): no entry {made.event!r} of the audit log {address} has this digest, expected "
                "the one that its step wrote: it was changed afterwards, or tracking.audit_log is not the same for all "
                "steps; run the pipeline again (on a cluster without cached steps)"
            )


def _made(evidence: Evidence) -> tuple[_Made, ...]:
    return (
        _Made(
            "the training data",
            "data_accepted",
            {"training_data_digest": evidence.data.digest, "prompt_set_digest": evidence.prompt_set.digest},
        ),
        _Made("the adapter's manifest", "trained", {"manifest_digest": evidence.manifest.digest}),
        _Made("the baseline's report", "evaluated", {"report_digest": evidence.baseline.digest, "side": "baseline"}),
        _Made("the report after tuning", "evaluated", {"report_digest": evidence.post.digest, "side": "post"}),
        _Made("the delta report", "compared", {"delta_digest": evidence.delta.digest}),
        _Made("the follow-up", "followed_up", {"follow_up_digest": evidence.follow_up.digest}),
    )
