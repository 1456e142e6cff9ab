"""What is checked before a person is asked."""

from pathlib import Path

import pytest

from components.shared.artifacts.decision import GateDecision
from components.shared.config.evaluation import EvaluationConfig
from components.shared.errors import ConfigError, IntegrityError, TrackingError
from components.shared.tracking.runs import Tracker
from pipelines.review.case import ReviewCase, open_case


@pytest.fixture
def opened(world, tmp_path: Path):
    """Opens the case of run-1."""

    def run(config=None) -> ReviewCase:
        return open_case("run-1", world.tracking, config, tmp_path / "fetched")

    (tmp_path / "fetched").mkdir()
    return run


def replace(world, name: str, old: str, new: str) -> None:
    """Exchanges a text in a file of the run's evidence."""
    parent = Tracker(world.context).parent()
    text = str(parent.read_text(name))
    assert old in text
    parent.text(text.replace(old, new), name)


def test_a_case_has_everything(world, opened):
    """Queue, adapter and config of the run; its context leads back to the run, with the config's audit log."""
    decision = world.decide()
    case = opened()
    assert (case.decision, len(case.queue), case.unfinished) == (decision, 7, None)
    assert case.config == world.config()
    assert case.run.context == world.context
    assert (case.evidence / "adapter" / "adapter_model.safetensors").read_bytes() == b"run-1"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("evidence/review_queue.jsonl", "complies", "refuses"),
        ("evidence/adapter/adapter_model.safetensors", "run-1", "run-2"),
        ("evidence/adapter/manifest.json", "toy-base", "other"),
        ("evidence/post/safety_report.json", "toy-base", "other"),
        ("evidence/gate_decision.json", "needs_review", "promote"),
        ("gate_decision.json", "needs_review", "promote"),
    ],
)
def test_changed_evidence_is_found(world, opened, name: str, old: str, new: str):
    """A word changed in queue, adapter, manifest, report or decision, and nobody is asked."""
    world.decide()
    if name == "evidence/review_queue.jsonl":
        old, new = "can't help", "can help"
    replace(world, name, old, new)
    with pytest.raises(IntegrityError, match=r"it was changed afterwards|is not the run's decision"):
        opened()


def test_a_decision_that_was_rewritten_is_found_by_the_audit_log(world, opened, tmp_path: Path):
    """Exchanged on the run and in its evidence, with digests that fit, it is still not the one that was decided."""
    decision = world.decide(broken=30)
    assert decision.decision.value == "reject"
    milder = tuple(reason.model_copy(update={"decision": "needs_review"}) for reason in decision.reasons)
    forged = decision.model_copy(update={"decision": "needs_review", "reasons": milder})
    forged = GateDecision.model_validate_json(forged.model_dump_json())
    path = forged.save(tmp_path / "gate_decision.json")
    parent = Tracker(world.context).parent()
    parent.file(path)
    parent.file(path, "evidence")
    with pytest.raises(IntegrityError, match="is not the one in the audit log"):
        opened()


def test_the_config_must_be_that_of_the_run(world, opened):
    """Another pipeline's config, or another system prompt than the adapter was evaluated with, is refused."""
    world.decide()
    with pytest.raises(ConfigError, match="the config is of pipeline 'other', the run is of 'toy'"):
        opened(world.config(name="other"))
    with pytest.raises(ConfigError, match=r"the system prompt 'Be kind.', the adapter was evaluated with None"):
        opened(world.config(evaluation=EvaluationConfig(system_prompt="Be kind.")))


def test_a_run_without_config_asks_for_one(world, opened):
    """A run that a cluster started recorded none; --config supplies it."""
    world.decide(config=False)
    with pytest.raises(TrackingError, match="recorded no config; name it with --config"):
        opened()
    assert opened(world.config()).config.registry.model_name == "toy"


def test_a_run_without_decision_has_nothing_to_review(world, opened):
    """A failed run is named as such."""
    Tracker(world.context).parent()
    with pytest.raises(ConfigError, match="run run-1 reached no decision: there is nothing to review"):
        opened()
