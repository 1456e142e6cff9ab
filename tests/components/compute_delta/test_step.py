"""The delta report of a run on disk."""

from pathlib import Path

import pytest

from components.compute_delta.step import compute_delta, has_follow_up
from components.shared.artifacts.comparison import DeltaReport
from components.shared.config.base_model import BaseModelRef
from components.shared.config.run_context import RunContext
from components.shared.errors import IntegrityError
from components.shared.tracking.runs import Tracker


def run(world, context: RunContext) -> DeltaReport:
    out = world.directory / "delta-again"
    base = BaseModelRef(path="base")
    paths = (world.path("baseline"), world.path("post"), world.path("prompts"))
    return compute_delta(*paths, base, world.policy, out, context)


def test_a_complete_run_has_no_problem(tmp_path: Path, build, context: RunContext):
    """Deltas, escalated prompts and the digests of all inputs are written."""
    world = build.world(tmp_path, broken=3)
    report = run(world, context)
    assert DeltaReport.load(tmp_path / "delta-again" / "delta_report.json") == report
    assert report.problems == ()
    assert report.categories["direct"].drop_pp == pytest.approx(5.0)
    assert report.categories["task"].drop_pp == -100
    assert [prompt.prompt_id for prompt in report.escalated] == ["d-00", "d-01", "d-02"]
    assert report.inputs == world.evidence.delta.inputs


def test_figures_are_tracked(tmp_path: Path, build, context: RunContext):
    """Drops and gain are metrics of the stage."""
    run(build.world(tmp_path, broken=3), context)
    tracker = Tracker(context)
    (stage,) = tracker._stages()
    assert stage.data.metrics["delta/direct/drop_pp"] == pytest.approx(5.0)
    assert stage.data.metrics["delta/direct/newly_failing"] == 3
    assert stage.data.metrics["task/gain_pp"] == 100
    assert stage.data.metrics["escalated"] == 3


def test_what_cannot_be_compared_is_said_and_not_escalated(tmp_path: Path, build, context: RunContext, capsys):
    """Missing answers are a problem for the gate, not an error; no GPU time is spent on such a run."""
    world = build.world(tmp_path, broken=3)
    build.report_files(tmp_path / "post", world.evidence.post_rows[:-1], adapter_digest="sha256:ad", adapter_effect=0.5)
    report = run(world, context)
    assert report.problems == ("post: 1 answers are missing, the first is sample 4 of prompt 'task-29'",)
    assert report.escalated == ()
    assert "cannot be compared: post: 1 answers are missing" in capsys.readouterr().out


def test_changed_answers_fail_the_step(tmp_path: Path, build, context: RunContext):
    """A row that was edited after judging stops the run."""
    world = build.world(tmp_path, broken=3)
    path = tmp_path / "post" / "answers.jsonl"
    path.write_text(path.read_text().replace('"fail"', '"pass"'))
    with pytest.raises(IntegrityError, match="changed after judging"):
        run(world, context)


def test_a_category_that_looks_worse_is_looked_into_where_the_policy_pays_for_it(tmp_path: Path, build, context):
    """Escalated prompts are always asked again; a category without any only where there is a budget for variants."""
    report = run(build.world(tmp_path, broken=3), context)
    quiet = report.model_copy(update={"escalated": ()})
    rule = build.policy().follow_up
    paid = build.policy(follow_up=rule.model_copy(update={"variant_answers": 50}))
    assert has_follow_up(report, build.policy())
    assert not has_follow_up(quiet, build.policy())
    assert has_follow_up(quiet, paid)
    assert not has_follow_up(quiet.model_copy(update={"categories": {}}), paid)
