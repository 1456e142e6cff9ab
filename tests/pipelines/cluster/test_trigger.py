"""When a run is due, and that it is started once."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from typer.testing import CliRunner

from components.shared.audit import open_log
from components.shared.config.anchoring import anchor
from components.shared.config.run_context import RunContext
from components.shared.errors import DataError, IntegrityError
from components.shared.tracking.runs import Tracker
from pipelines.cli import app
from pipelines.cluster.claims import Claims
from pipelines.cluster.launchers import ClusterLauncher, LocalLauncher, kept_sections
from pipelines.cluster.server_errors import ClusterError
from pipelines.cluster.submit import Submission, ensure_experiment
from pipelines.cluster.trigger import CLAIM_TIMEOUT, Assessment, assess, trigger
from pipelines.running.launch import load

DAY = date(2026, 5, 11)


class Launcher:
    """Starts runs by counting them; they do as they are told."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.statuses: dict[str, str] = {}
        self.error: Exception | None = None

    def start(self, claim) -> str:
        if self.error is not None:
            raise self.error
        self.started.append(claim.run_name)
        return claim.run_name

    def find(self, claim) -> str | None:
        return claim.run_name if claim.run_name in self.started else None

    def status(self, run) -> str:
        return self.statuses.get(run, "running")


def _assess(project, client=None, days=None, today=DAY) -> Assessment:
    loaded = load("config.yaml")
    return assess(anchor(loaded.config, project.folder), loaded, lambda run: kept_sections(run, client), days, today)


def _trigger(project, launcher, assessment=None, **named):
    config = anchor(load("config.yaml").config, project.folder)
    return trigger(config, assessment or _assess(project), launcher, **named)


def _rewrite(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_pipeline_without_a_decision_is_due(tracked_project):
    """The first call finds no decided run: a run is due."""
    assert _assess(tracked_project).why == ("no run of pipeline small has been decided yet",)


@pytest.mark.parametrize("decision", ["promote", "reject", "needs_review", "insufficient_evidence", "invalid"])
def test_nothing_changed_is_not_due(tracked_project, decide, decision):
    """Whatever was decided: with the same inputs nothing is due, and the sentence says on what that rests."""
    decide("20260501-a", decision)
    assessment = _assess(tracked_project)
    assert assessment.why == ()
    assert assessment.why_not == (
        f"data, base model, suites, policy and recipe are those of run 20260501-a, decided on 2026-05-01 ({decision})"
    )


def test_every_changed_input_is_due(tracked_project, decide, copy_of_base):
    """Each of data, suite, policy, recipe, base model, mixing and asking, changed alone, is named."""
    decide("20260501-a")
    project = tracked_project
    rows, suite = project.data_path.read_text(), (project.folder / "suite.jsonl").read_text()
    project.data_path.write_text(rows.replace("done 3", "done well"))
    assert "the task rows in" in _assess(project).why[0]
    project.data_path.write_text(rows)
    project.write_suite_rows(suite.replace("question number 1", "question number one"))
    assert _assess(project).why[0].startswith("suite small changed: ")
    project.write_suite(3)
    project.write_policy(min_coherent_pct=5.0)
    assert _assess(project).why[0].startswith("the policy changed: ")
    project.write_policy()
    for changes, words in (
        ({"recipe": {"max_steps": 3, "batch_size": 2, "max_length": 128}}, "the recipe changed: "),
        ({"data": {"train": "task.jsonl", "heldout_rows": 5}}, "data.heldout_rows changed: 4 then, 5 now"),
        ({"evaluation": {"samples_per_prompt": 3, "max_new_tokens": 8}}, "evaluation.samples_per_prompt changed: 2"),
        ({"base_model": {"path": str(copy_of_base(None))}}, "the base model's tokenizer or chat template changed"),
    ):
        project.write_config(**changes)
        assert [why for why in _assess(project).why if why.startswith(words)], words
    project.write_config(evaluation={"samples_per_prompt": 2, "max_new_tokens": 8, "batch_tokens": 4096})
    assert _assess(project).why == ()


def test_the_last_decided_run_counts(tracked_project, decide):
    """A run that reached no decision, and an older one, are no reason for anything."""
    decide("20260501-a")
    tracked_project.write_policy(min_coherent_pct=5.0)
    decide("20260502-b", "reject")
    config = anchor(load("config.yaml").config, tracked_project.folder)
    Tracker(RunContext(config.tracking, config.name, "20260503-c")).close("FAILED")
    assert _assess(tracked_project).why == ()


def test_a_champions_evidence_expires(tracked_project, decide):
    """After so many days the champion is judged again, unless the same inputs were judged again in between."""
    decide("20260501-a", day=date(2026, 5, 1), champion=True)
    assert _assess(tracked_project, days=10).why == ()
    assert _assess(tracked_project, days=9).why == ("the evidence of champion version 1 is 10 days old, limit 9",)
    assert _assess(tracked_project, days=None).why == ()
    decide("20260508-b", "reject", day=date(2026, 5, 8))
    assessment = _assess(tracked_project, days=9)
    assert assessment.why == ()
    assert "judged again 3 days ago" in assessment.why_not


def test_what_cannot_be_compared_is_said(tracked_project, decide):
    """A run whose config nobody kept is compared by its evidence, and the sentence says what was left out."""
    decide("20260501-a", recorded=False)
    assessment = _assess(tracked_project)
    assert assessment.why == ()
    assert assessment.why_not.endswith("was not compared, its config is not known")


def test_the_server_kept_the_config(tracked_project, decide, connect, kubeflow):
    """Of a run on a cluster, mixing and asking are read from the parameters that the server kept."""
    decide("kfp-run-1", recorded=False)
    config = load("config.yaml").config
    texts = {name: {"defaultValue": getattr(config, name).model_dump_json()} for name in ("data", "evaluation")}
    spec = {"root": {"inputDefinitions": {"parameters": texts}}}
    kubeflow.things["runs"].append({"run_id": "kfp-run-1", "pipeline_spec": {"pipeline_spec": spec}})
    assert "not compared" not in _assess(tracked_project, connect()).why_not
    changed = json.dumps({**json.loads(texts["data"]["defaultValue"]), "seed": 7})
    kubeflow.things["runs"][0]["runtime_config"] = {"parameters": {"data": changed}}
    assert _assess(tracked_project, connect()).why == ("data.seed changed: 7 then, 0 now",)


def test_data_that_may_not_be_trained_on_starts_nothing(tracked_project, decide):
    """A training row that is a suite prompt is found before anything is claimed."""
    decide("20260501-a")
    _rewrite(tracked_project.data_path, "do task 3", "direct question number 1")
    with pytest.raises(DataError):
        _assess(tracked_project)
    assert not (tracked_project.folder / ".plimsoll/store/claims").exists()


def test_a_due_run_is_started_once(tracked_project, decide):
    """The second call finds the first one's run under way, and starts none."""
    decide("20260501-a")
    tracked_project.write_policy(min_coherent_pct=5.0)
    launcher = Launcher()
    first, second = _trigger(tracked_project, launcher), _trigger(tracked_project, launcher)
    assert [first.run] == launcher.started
    assert second.run is None
    assert "under way" in second.text


def test_many_calls_at_once_start_one_run(tracked_project):
    """Twelve calls at the same time: one starts a run, eleven say why not."""
    assessment, launcher = _assess(tracked_project), Launcher()
    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda _: _trigger(tracked_project, launcher, assessment), range(12)))
    assert len(launcher.started) == 1
    assert [each.run is None for each in results].count(True) == 11


def test_a_run_that_failed_is_started_again_and_not_for_ever(tracked_project):
    """A run that is over without a decision is followed by another, three times in all; then a person has to look."""
    assessment, launcher = _assess(tracked_project), Launcher()
    for _ in range(3):
        run = _trigger(tracked_project, launcher, assessment).run
        launcher.statuses[run] = "over"
    with pytest.raises(ClusterError, match=r"3 runs for this state ended without a decision.*--force"):
        _trigger(tracked_project, launcher, assessment)
    assert len(set(launcher.started)) == 3
    assert _trigger(tracked_project, launcher, assessment, forced="the disk was full").run is not None


def test_a_forced_run_says_why(tracked_project, decide):
    """Nothing is due, but a person wants a run: the reason is in the claim, and the same reason twice is one run."""
    decide("20260501-a")
    launcher = Launcher()
    assert _trigger(tracked_project, launcher).text.startswith("nothing is due: data, base model")
    assert _trigger(tracked_project, launcher, forced="new driver").run is not None
    assert _trigger(tracked_project, launcher, forced="new driver").run is None
    assert _trigger(tracked_project, launcher, forced="another reason").run is not None
    entries = open_log(str(tracked_project.folder / ".plimsoll/audit.jsonl")).entries()
    assert [(entry.why, entry.facts["attempt"]) for entry in entries if entry.event == "triggered"] == [
        ("forced: new driver.", "1"),
        ("forced: another reason.", "1"),
    ]


def test_nothing_is_started_that_cannot_be_audited(tracked_project):
    """An edited log refuses the entry: no run is started, and the claim is given back for when the log is mended."""
    assessment, launcher = _assess(tracked_project), Launcher()
    log = tracked_project.folder / ".plimsoll/audit.jsonl"
    _trigger(tracked_project, launcher, assessment, forced="first")
    sound = log.read_text()
    log.write_text(sound.replace("forced: first", "forced: never"))
    with pytest.raises(IntegrityError, match="audit"):
        _trigger(tracked_project, launcher, assessment)
    assert len(launcher.started) == 1
    log.write_text(sound)
    assert _trigger(tracked_project, launcher, assessment).run is not None


def test_a_caller_that_died_is_waited_for_and_then_replaced(tracked_project):
    """A claim without a run counts for a quarter of an hour; after that the next call takes over."""
    assessment, launcher = _assess(tracked_project), Launcher()
    config = anchor(load("config.yaml").config, tracked_project.folder)
    Claims(config.store, config.name, assessment.state).claim(1, "somebody", ())
    assert "somebody is starting a run" in _trigger(tracked_project, launcher, assessment).text
    later = datetime.now(UTC) + CLAIM_TIMEOUT + timedelta(seconds=1)
    assert _trigger(tracked_project, launcher, assessment, now=lambda: later).run is not None


def test_a_run_that_was_decided_meanwhile_is_not_repeated(tracked_project, decide):
    """Between reading the last decision and the claim, the run of another call was decided: nothing is started."""
    assessment, launcher = _assess(tracked_project), Launcher()
    run = _trigger(tracked_project, launcher, assessment).run
    decide(run)
    launcher.statuses[run] = "over"
    assert "has just been decided: promote" in _trigger(tracked_project, launcher, assessment).text


def test_wrong_input_gives_the_claim_back(tracked_project):
    """A run that could not be started because of its input leaves no claim that others wait for; a lost server does."""
    assessment, launcher = _assess(tracked_project), Launcher()
    launcher.error = DataError("row 3")
    with pytest.raises(DataError):
        _trigger(tracked_project, launcher, assessment)
    launcher.error = ClusterError("away")
    with pytest.raises(ClusterError):
        _trigger(tracked_project, launcher, assessment)
    launcher.error = None
    assert "is starting a run" in _trigger(tracked_project, launcher, assessment).text


def test_a_run_that_the_server_started_unnoticed_is_found(tracked_project, connect, kubeflow, package):
    """The server started the run, its answers were lost, the caller died: the next call finds the run by its name."""
    assessment = _assess(tracked_project)
    client = connect()
    launcher = ClusterLauncher(client, Submission(package, "e", "p"))
    config = anchor(load("config.yaml").config, tracked_project.folder)
    claim = Claims(config.store, config.name, assessment.state).claim(1, "somebody", ())
    started = launcher.start(claim)
    held = _trigger(tracked_project, launcher, assessment)
    assert held.run is None
    assert f"run {started} was started" in held.text
    kubeflow.things["runs"][0]["state"] = "FAILED"
    again = _trigger(tracked_project, launcher, assessment)
    assert again.run == kubeflow.things["runs"][0]["run_id"]
    assert [run["display_name"][-2:] for run in kubeflow.things["runs"]] == ["-2", "-1"]
    assert ensure_experiment(client, "e") == kubeflow.things["runs"][0]["experiment_id"]


def test_a_local_run_is_found_by_its_start(tracked_project):
    """A run on this machine belongs to the claim that it follows; it is under way as long as MLflow says so."""
    assessment = _assess(tracked_project)
    loaded = load("config.yaml")
    config = anchor(loaded.config, tracked_project.folder)
    claim = Claims(config.store, config.name, assessment.state).claim(1, "somebody", ())
    launcher = LocalLauncher(loaded, config.tracking)
    assert launcher.find(claim) is None
    tracker = Tracker(RunContext(config.tracking, config.name, "20990101-here"))
    tracker.parent()
    assert launcher.find(claim) == "20990101-here"
    assert "under way" in _trigger(tracked_project, launcher, assessment).text
    tracker.close("KILLED")
    assert launcher.status("20990101-here") == "over"
    assert launcher.status("no such run") == "unknown"


def test_a_base_model_that_the_hub_does_not_give_is_one_sentence(tracked_project, call, monkeypatch, tmp_path):
    """An id that is none, and a hub that nobody reaches: exit code 2 and a sentence with the cure, no traceback."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    for hub_id, cure in (("a/b/c", "is no model id, such as org/name"), ("org/model", "the hub cannot be reached")):
        tracked_project.write_config(base_model={"hub_id": hub_id, "revision": "v1"})
        called = call("trigger", "config.yaml", "--local")
        assert (called.code, cure in called.err, "Traceback" in called.err) == (2, True, False), called.err


def test_a_hub_model_is_compared_by_its_name_where_it_is_not_cached(tracked_project, decide, monkeypatch, tmp_path):
    """Without its files on this machine, and without asking the hub, another id or revision is a change."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    decide("20260501-a")
    tracked_project.write_config(base_model={"hub_id": "org/model", "revision": "v1"})
    assert [why for why in _assess(tracked_project).why if why.endswith("then, org/model@v1 now")]


def test_a_base_on_a_claim_is_compared_by_its_path(tracked_project, decide):
    """The pod that triggers need not mount the claim with the base model."""
    decide("20260501-a")
    claim = {"volumes": [{"claim": "models", "path": "/models"}]}
    tracked_project.write_config(base_model={"path": "/models/base"}, cluster=claim)
    why = [line for line in _assess(tracked_project).why if line.endswith("then, /models/base now")]
    assert len(why) == 1


@pytest.mark.long
@pytest.mark.timeout(900)
def test_trigger_runs_the_graph_here_and_then_finds_nothing_due(tracked_project):
    """`plimsoll trigger --local` runs what is due to its decision; called again, it says why nothing is."""
    tracked_project.write_config(
        evaluation={"samples_per_prompt": 1, "max_new_tokens": 4, "noise_floor": False, "probes": False}
    )
    first = CliRunner().invoke(app, ["trigger", "config.yaml", "--local"])
    assert "due: no run of pipeline small has been decided yet" in first.output
    assert first.exit_code in (10, 11, 12, 13), first.output
    again = CliRunner().invoke(app, ["trigger", "config.yaml", "--local"])
    assert again.exit_code == 0, again.output
    assert again.stdout.startswith("nothing is due: data, base model, suites, policy and recipe are those of run")
