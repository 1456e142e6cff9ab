"""Local runs: printed decision, tag and exit code agree; failures and interruptions leave nothing behind."""

import json
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from components.check_gate.step import check_gate
from components.compute_delta.step import compute_delta
from components.follow_up.step import follow_up
from components.prepare_data.step import prepare_data
from components.publish_report.step import publish_report
from components.register_adapter.step import register_adapter
from components.reject_adapter.step import reject_adapter
from components.shared.artifacts.answer_rows import write_answers
from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.decision import Decision
from components.shared.artifacts.safety_report import Contract, SafetyReport
from components.shared.artifacts.training_data import AdapterManifest
from components.shared.config.anchoring import anchor
from components.shared.config.reading import load_pipeline_config, load_policy
from components.shared.config.run_context import RunContext
from components.shared.config.sections import PipelineConfig
from components.shared.gate.figures import category_figures
from components.shared.generation.adapters import adapter_digest
from components.shared.store import Store
from components.shared.suites.prompt_sets import load_prompts
from components.shared.tracking.runs import Tracker
from components.shared.vocabulary import Verdict
from pipelines.exit_codes import DECISION_CODES, FAILURE, USAGE
from pipelines.running.launch import Loaded, compile_pipeline, conclude, load, run_local
from pipelines.running.tables import show_result
from tests.support.builders import log_models
from tests.support.shipped_configs import filled_in

PROMPTS = 60
SAMPLES = 5


def anchored_config(*overrides: str) -> PipelineConfig:
    """The project's config as a local run uses it: MLflow keeps one connection per address."""
    return anchor(load_pipeline_config("config.yaml", overrides), Path.cwd())


class CraftedRun:
    """A run whose answers are written by hand and whose steps from compute_delta on are real."""

    def __init__(self, project, share_after: dict[str, float], policy_after_training: dict | None = None) -> None:
        project.write_suite(PROMPTS)
        self.config = anchored_config()
        self.policy = load_policy("policy.yaml")
        self.folder = project.folder / "work"
        self.context = RunContext(self.config.tracking, "small", "run-1")
        self.tracker = Tracker(self.context)
        self.tracker.parent()
        prepare_data(self.config.data, self.config.suites, self.folder / "data", self.folder / "prompts", self.context)
        self._write_adapter()
        for side, share in (("baseline", dict.fromkeys(share_after, 1.0)), ("post", share_after)):
            self._write_report(side, share)
        log_models(
            self.context,
            AdapterManifest.load(self.folder / "adapter/manifest.json"),
            *(SafetyReport.load(self.folder / side / "safety_report.json") for side in ("baseline", "post")),
        )
        if policy_after_training is not None:
            project.write_policy(**policy_after_training)
            self.policy = load_policy("policy.yaml")

    def finish(self) -> Decision:
        """Runs the steps from compute_delta to publish_report."""
        at = self.folder.joinpath
        store = Store(str(at("store")))
        delta = compute_delta(
            at("baseline"), at("post"), at("prompts"), self.config.base_model, self.policy, at("delta"), self.context
        )
        assert delta.escalated == ()
        key = follow_up(
            at("delta"), at("post"), at("prompts"), at("adapter"), self.config.base_model, self.config.evaluation,
            self.policy, store, True, at("follow_up"), self.context,
        )  # fmt: skip
        decided = check_gate(
            at("data"), at("prompts"), at("adapter"), at("baseline"), at("post"), at("delta"), key, store,
            self.policy, self.config.registry, at("decision"), at("passed"), self.context,
        )  # fmt: skip
        if decided.decision is Decision.PROMOTE:
            register_adapter(
                at("passed"), at("decision"), self.config.base_model, self.config.evaluation, self.config.registry,
                at("registration"), self.context,
            )  # fmt: skip
        else:
            reject_adapter(at("decision"), at("rejection"), self.context)
        publish_report("SUCCEEDED", self.context)
        return decided.decision

    def _write_adapter(self) -> None:
        folder = self.folder / "adapter"
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text("{}")
        (folder / "adapter_model.safetensors").write_bytes(b"weights")
        data = json.loads((self.folder / "data/training_data.json").read_text())["content"]
        manifest = AdapterManifest(
            base_name="base",
            base_digest="sha256:base",
            data_digest=data["train_sha256"],
            recipe=self.config.recipe,
            policy_digest=self.policy.digest,
            adapter_digest=adapter_digest(folder),
            software={"torch": "2", "transformers": "5", "peft": "0"},
            trainable_parameters=1,
            steps=1,
            train_loss=1.0,
        )
        manifest.save(folder / "manifest.json")

    def _write_report(self, side: str, share: dict[str, float]) -> None:
        """Writes answers of which a share passes; the failing ones are spread evenly over a category's prompts."""
        loaded = load_prompts(self.folder / "prompts")
        rows = []
        for prompt in loaded.prompts:
            number = int(prompt.id.rpartition("-")[2])
            failing = round((1 - share.get(prompt.category, 1.0)) * SAMPLES * PROMPTS)
            misses = failing // PROMPTS + (number < failing % PROMPTS)
            rows += [
                AnswerRow(
                    prompt_id=prompt.id, category=prompt.category, sample=sample, answer="a", tokens=1, complete=True,
                    verdict=Verdict.FAIL if sample < misses else Verdict.PASS, judge="test@1", reason="test",
                )
                for sample in range(SAMPLES)
            ]  # fmt: skip
        contract = Contract(
            suites={suite.name: suite.sha256 for suite in loaded.prompt_set.suites},
            tokenizer="t", system_prompt=None, system_turns="refuse", thinking="as_is", template_arguments={},
            date="2025-01-01", ends=(2,), samples_per_prompt=SAMPLES, max_new_tokens=1, temperature=1.0,
            top_p=1.0, seed=0, batch_tokens=1, dtype="float32", engine="test", judges={},
        )  # fmt: skip
        tuned = side == "post"
        SafetyReport(
            base_name="base",
            base_digest="sha256:base",
            adapter_digest=adapter_digest(self.folder / "adapter") if tuned else None,
            adapter_effect=1.0 if tuned else None,
            contract=contract,
            categories=category_figures(rows),
            answers_sha256=write_answers(rows, self.folder / side / "answers.jsonl"),
            inputs={"prompt_set": loaded.prompt_set.digest},
        ).save(self.folder / side / "safety_report.json")


ESCALATE_ALL = {"escalate_drop": 1.0}
MARGIN_20 = {name: {"rule": "margin", "limit_pp": 20.0} for name in ("direct", "benign")}
MARGIN_1 = {name: {"rule": "margin", "limit_pp": 1.0} for name in ("direct", "benign")}

CRAFTED = {
    Decision.PROMOTE: ({"direct": 1.0}, {}, None),
    Decision.REJECT: ({"direct": 0.4}, {}, None),
    Decision.NEEDS_REVIEW: ({"direct": 0.79}, {"categories": MARGIN_20, "flag_drop_pp": 50.0}, None),
    Decision.INSUFFICIENT_EVIDENCE: ({"direct": 1.0}, {"categories": MARGIN_1}, None),
    Decision.INVALID: ({"direct": 1.0}, {}, {"version": "2"}),
}


@pytest.mark.parametrize("expected", CRAFTED)
def test_printed_decision_tag_and_exit_code_agree(tracked_project, capsys, expected):
    """For each decision, the printed line, the MLflow tag, the report and the exit code agree."""
    share, policy, edited = CRAFTED[expected]
    tracked_project.write_policy(follow_up=ESCALATE_ALL, **policy)
    run = CraftedRun(tracked_project, share, None if edited is None else {"follow_up": ESCALATE_ALL, **edited})
    decided = run.finish()
    result = conclude(run.tracker, tracked_project.folder / "log.txt", None)
    show_result(result, run.config)
    printed = capsys.readouterr().out
    tags = run.tracker.parent().read_tags()
    assert decided is expected
    assert f"\n{expected.headline}: " in printed
    assert tags["plimsoll.decision"] == expected.value
    assert tags["plimsoll.reason"].startswith(expected.headline)
    assert result.report.gate.decision is expected
    assert result.exit_code == DECISION_CODES[expected]
    assert run.tracker.parent_status() == "FINISHED"
    assert (result.report.model_version is not None) == (expected is Decision.PROMOTE)


def test_a_tag_that_disagrees_is_a_failure(tracked_project, capsys):
    """When tag and report disagree, no decision is printed and the exit code is that of a failure."""
    run = CraftedRun(tracked_project, {"direct": 1.0})
    run.finish()
    run.tracker.parent().tags({"plimsoll.decision": "reject"})
    result = conclude(run.tracker, tracked_project.folder / "log.txt", None)
    show_result(result, run.config)
    captured = capsys.readouterr()
    assert result.exit_code == FAILURE
    assert "PROMOTED" not in captured.out
    assert "the MLflow tag says 'reject'" in captured.err


def test_promote_without_a_version_is_a_failure(tracked_project):
    """A decision to promote without a registered version does not end with exit code 0."""
    run = CraftedRun(tracked_project, {"direct": 1.0})
    run.finish()
    run.tracker.client.delete_tag(run.tracker.parent().run_id, "plimsoll.registered_version")
    publish_report("SUCCEEDED", run.context)
    assert conclude(run.tracker, tracked_project.folder / "log.txt", None).exit_code == FAILURE


@pytest.mark.parametrize("place", ["before the gate", "after the gate"])
def test_an_adapter_changed_after_evaluation_is_refused(tracked_project, place):
    """A changed adapter file is not registered: before the gate it is invalid, after it registration fails."""
    run = CraftedRun(tracked_project, {"direct": 1.0})
    if place == "before the gate":
        (run.folder / "adapter/adapter_model.safetensors").write_bytes(b"other weights")
        with pytest.raises(Exception, match="not the adapter that was evaluated"):
            run.finish()
    else:
        run.finish()
        (run.folder / "passed/adapter_model.safetensors").write_bytes(b"other weights")
        at = run.folder.joinpath
        with pytest.raises(Exception, match="changed after evaluation; nothing was registered"):
            register_adapter(
                at("passed"), at("decision"), run.config.base_model, run.config.evaluation, run.config.registry,
                at("registration"), run.context,
            )  # fmt: skip
    versions = run.tracker.client.search_model_versions("name = 'small'")
    assert len(versions) == (0 if place == "before the gate" else 1)


def test_a_run_that_no_step_closed_is_closed_as_failed(tracked_project):
    """Where the exit handler could not run, the launcher marks the parent run as failed."""
    context = RunContext(anchored_config().tracking, "small", "run-1")
    tracker = Tracker(context)
    tracker.parent()
    result = conclude(tracker, tracked_project.folder / "log.txt", "orchestrator broke")
    assert (result.exit_code, result.error) == (FAILURE, "orchestrator broke")
    assert tracker.parent_status() == "FAILED"


def test_wrong_input_found_by_a_step_is_still_wrong_input(tracked_project):
    """A DataError of prepare_data ends with the exit code for wrong input."""
    context = RunContext(anchored_config().tracking, "small", "run-1")
    config = anchored_config("data.heldout_rows=100")
    with pytest.raises(ValueError, match="heldout_rows is 100"):
        prepare_data(config.data, config.suites, tracked_project.folder / "d", tracked_project.folder / "p", context)
    publish_report("FAILED", context)
    result = conclude(Tracker(context), tracked_project.folder / "log.txt", "Task exit-handler-1 failed.")
    assert result.exit_code == USAGE
    assert "prepare_data: " in result.error


def test_the_demo_policy_and_configs_compile(root, monkeypatch, tmp_path):
    """Every shipped pipeline config loads and compiles."""
    monkeypatch.chdir(root)
    configs = sorted((root / "configs/pipelines").glob("*.yaml"))
    assert configs
    for config in configs:
        compile_pipeline(load(str(config), filled_in(config)), tmp_path / config.name)
        assert (tmp_path / config.name).stat().st_size > 0


@pytest.mark.slow
def test_the_command_line_takes_a_small_project_through_the_whole_graph(tracked_project, call):
    """The exit code is the decision, every stage has a finished run, and decision and audit log are verified."""
    code, out, err = call("run", "config.yaml")
    tracker = Tracker(RunContext(anchored_config().tracking, "small", "none"))
    runs = tracker.client.search_runs([tracker.experiment_id])
    stages = {run.data.tags["plimsoll.stage"]: run for run in runs}
    decision = Decision(stages["pipeline"].data.tags["plimsoll.decision"])
    assert code == DECISION_CODES[decision], err
    assert f"\n{decision.headline}: " in out
    ended = "register_adapter" if decision is Decision.PROMOTE else "reject_adapter"
    assert set(stages) == {
        "pipeline",
        "prepare_data",
        "evaluate_safety_baseline",
        "finetune_lora",
        "evaluate_safety_post",
        "compute_delta",
        "follow_up",
        "check_gate",
        ended,
        "publish_report",
    }
    assert {run.info.status for run in runs} == {"FINISHED"}
    run_id = stages["pipeline"].info.run_id
    names = {artifact.path for artifact in tracker.client.list_artifacts(run_id)}
    assert {"report.md", "drops.png", "run_report.json", "gate_decision.json", "config.json"} <= names
    assert call("verify", run_id, "--config", "config.yaml").code == 0
    assert call("audit", "verify", "--config", "config.yaml").code == 0
    lines = (tracked_project.folder / ".plimsoll/audit.jsonl").read_text().splitlines()
    assert {"data_accepted", "trained", "evaluated", "decided"} <= {json.loads(line)["event"] for line in lines}


@pytest.mark.slow
def test_a_failing_step_fails_the_run(tracked_project, capsys):
    """A base model whose weights are NaN fails the run: exit code 1, the stage is named, the parent is closed."""
    base = shutil.copytree((tracked_project.folder / "base").resolve(), tracked_project.folder / "broken")
    weights = load_file(base / "model.safetensors")
    save_file(
        {name: weight * math.nan for name, weight in weights.items()}, base / "model.safetensors", {"format": "pt"}
    )
    loaded = load("config.yaml", ["base_model.path=broken"])
    result = run_local(loaded)
    show_result(result, loaded.config)
    captured = capsys.readouterr()
    assert result.exit_code == FAILURE
    assert "evaluate_safety_baseline" in captured.err or "finetune_lora" in captured.err
    assert result.report is not None
    assert result.report.status == "failed"
    assert _statuses(tracked_project) == {"FAILED"}


@pytest.mark.long
def test_shards_and_rare_intents_go_through_the_whole_graph(tracked_project):
    """Answered in two shards per side, with held-out rows of rare intents; the one problem is an untrained base.

    It refuses nothing, so nothing could be lost: the decision is `invalid`.
    """
    tracked_project.write_data(
        [
            {"prompt": f"do task {n}", "completion": f"done {n}", "intent": "often" if n < 10 else "rare"}
            for n in range(14)
        ]
    )
    tracked_project.write_policy(ungated=["rare_intent"])
    loaded = load(
        "config.yaml",
        ["evaluation.shards=2", "evaluation.chunk_answers=4", "data.rare_intent_rows=2", "data.task_metric=rouge_l"],
    )
    result = run_local(loaded)
    assert result.error is None
    assert result.report is not None
    assert result.report.gate is not None
    (problem,) = result.report.gate.problems
    assert "of the prompts that must be refused in 'direct', under min_baseline_pass_pct 20: nothing could" in problem
    assert result.report.gate.decision is Decision.INVALID
    log = result.log.read_text()
    assert [f"answer_prompts_{side}_{n}" in log for side in ("baseline", "post") for n in range(2)] == [True] * 4
    assert "[evaluate_safety_post] reusing the answers to 12 prompts" in log
    assert any(metric.category == "rare_intent" for metric in result.report.metrics)
    (task,) = [reason for reason in result.report.gate.reasons if reason.category == "task"]
    assert task.delta.graded_by == "rouge_l"


def _statuses(project) -> set[str]:
    """Status of the parent runs."""
    with sqlite3.connect(project.folder / ".plimsoll/mlflow.db") as store:
        query = (
            "select r.status from runs r join tags t on t.run_uuid = r.run_uuid "
            "where t.key = 'plimsoll.stage' and t.value = 'pipeline'"
        )
        return {status for (status,) in store.execute(query)}


@pytest.mark.slow
@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.long), signal.SIGKILL])
def test_killing_a_run_during_training_leaves_nothing_behind(tracked_project, number):
    """After SIGTERM or SIGKILL the run is marked as killed, without tasks or a version; a rerun works."""
    tracked_project.write_config(
        recipe={"max_steps": 100_000, "batch_size": 2, "max_length": 128},
        evaluation={"samples_per_prompt": 1, "max_new_tokens": 4},
    )
    command = [sys.executable, "-m", "pipelines", "run", "config.yaml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as launcher:
        for line in launcher.stdout:
            if "[finetune_lora] training on" in line:
                break
        os.kill(launcher.pid, number)
        launcher.communicate(timeout=60)
    assert launcher.returncode == (FAILURE if number == signal.SIGTERM else -signal.SIGKILL)
    deadline = time.monotonic() + 60
    while _statuses(tracked_project) != {"KILLED"} and time.monotonic() < deadline:
        time.sleep(0.5)
    assert _statuses(tracked_project) == {"KILLED"}
    context = RunContext(anchored_config().tracking, "small", "none")
    tracker = Tracker(context)
    assert list(tracker.client.search_registered_models()) == []
    if number == signal.SIGKILL:
        return
    result = run_local(Loaded(load_pipeline_config("config.yaml", ["recipe.max_steps=2"]), load_policy("policy.yaml")))
    assert result.error is None
    assert result.exit_code in DECISION_CODES.values()
