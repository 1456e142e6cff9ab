"""Evidence that no step wrote into the audit log is refused."""

from pathlib import Path

import pytest

from components.check_gate.recorded_evidence import refuse_unrecorded_evidence
from components.shared.audit import open_log, sound_entries
from components.shared.config.run_context import RunContext
from components.shared.errors import IntegrityError
from components.shared.gate.preconditions import Evidence


def refuse(evidence: Evidence, context: RunContext) -> None:
    log = open_log(context.tracking.audit_log)
    refuse_unrecorded_evidence(evidence, sound_entries(log), log.address)


def test_what_the_steps_made_is_accepted(tmp_path: Path, build, context: RunContext):
    """Also where an earlier run made it, whose result Kubeflow took from its cache."""
    evidence = build.world(tmp_path).evidence
    build.log_evidence(context._replace(pipeline_run="run-0"), evidence)
    refuse(evidence, context)


@pytest.mark.parametrize(
    ("part", "change", "named"),
    [
        ("data", {"train_rows": 9}, "the training data"),
        ("manifest", {"train_loss": 0.5}, "the adapter's manifest"),
        ("baseline", {"base_name": "other"}, "the baseline's report"),
        ("post", {"base_name": "other"}, "the report after tuning"),
        ("delta", {"confidence": 0.9}, "the delta report"),
        ("follow_up", {"alpha": 0.5}, "the follow-up"),
    ],
)
def test_a_change_with_a_recomputed_digest_is_named(
    tmp_path: Path, build, context: RunContext, part: str, change: dict[str, object], named: str
):
    """Each artifact is looked for by the digest of its content; the message says which one, and what to do."""
    evidence = build.world(tmp_path).evidence
    build.log_evidence(context, evidence)
    forged = evidence._replace(**{part: getattr(evidence, part).model_copy(update=change)})
    with pytest.raises(IntegrityError, match=rf"^{named} \(\w+\): no entry .*; run the pipeline again"):
        refuse(forged, context)


def test_one_side_does_not_stand_for_the_other(tmp_path: Path, build, context: RunContext):
    """A baseline's report that takes the place of the report after tuning was made by no evaluation of the adapter."""
    evidence = build.world(tmp_path).evidence
    build.log_evidence(context, evidence)
    with pytest.raises(IntegrityError, match=r"^the report after tuning"):
        refuse(evidence._replace(post=evidence.baseline), context)
