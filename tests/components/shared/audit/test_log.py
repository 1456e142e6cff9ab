"""The log as steps use it."""

import pytest

from components.shared.audit import open_log, record
from components.shared.config.run_context import RunContext
from components.shared.errors import ConfigError


def test_a_step_records_its_run(context: RunContext, monkeypatch: pytest.MonkeyPatch):
    """The entry goes to the log of the run's config, with pipeline, run, and who acted."""
    monkeypatch.setenv("PLIMSOLL_USER", "ada")
    entry = record(context, "trained", "A reason.", {"adapter_digest": "sha256:aa"})
    assert (entry.pipeline, entry.pipeline_run, entry.who) == ("toy", "run-1", "ada")
    assert list(open_log(context.tracking.audit_log).entries()) == [entry]


def test_a_person_may_be_named(context: RunContext):
    """A review is by its reviewer, whoever runs the process."""
    assert record(context, "review", "Read both answers.", {}, who="grace").who == "grace"


def test_other_places_are_refused():
    """Neither a file nor S3."""
    with pytest.raises(ConfigError, match=r"audit log 'gs://b/x': expected a local path or s3://BUCKET/PREFIX"):
        open_log("gs://b/x")
