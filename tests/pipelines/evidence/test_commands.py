"""`plimsoll verify` and `plimsoll replay` on directories and on a real run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from components.shared.artifacts.answer_rows import write_answers
from components.shared.artifacts.decision import GateDecision
from components.shared.artifacts.reports import load_report
from components.shared.asking.asking import ask
from components.shared.audit import AUDIT_LOG_TAG, AUDIT_TAG, AuditEntry, open_log
from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.errors import ConfigError, IntegrityError, TrackingError
from components.shared.generation.adapters import ADAPTER_FILES
from components.shared.tracking.runs import Tracker
from pipelines.cli import app
from pipelines.evidence.opening import open_evidence
from tests.support import crafted_evidence as crafted


def plimsoll(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(scope="module")
def rejected(tmp_path_factory) -> Path:
    """Evidence of a rejection with witnesses."""
    directory = tmp_path_factory.mktemp("rejected")
    crafted.simple(directory, broken=6)
    return directory / "evidence"


def test_verify_says_what_was_checked(rejected: Path):
    """One line, a table of checks and the recomputed categories; exit 0 whatever the decision is."""
    result = plimsoll("verify", str(rejected))
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == (
        f"verified: {rejected}: reject under policy toy 1, decided on {crafted.TODAY}"
    )
    assert "every prompt was asked, answered and judged" in result.output
    assert "direct" in result.output


def test_verify_names_each_difference(rejected: Path, tmp_path: Path):
    """Exit 1 and one sentence per difference, on the terminal and as JSON."""
    copy = tmp_path / "evidence"
    shutil.copytree(rejected, copy)
    path = copy / "post" / "answers.jsonl"
    path.write_text(path.read_text().replace('"fail"', '"pass"', 1))
    result = plimsoll("verify", str(copy))
    assert (result.exit_code, result.output.splitlines()[0]) == (1, f"not verified: {copy}: 1 difference")
    assert "  post/answers.jsonl, sha256: found 'sha256:" in result.output
    shown = json.loads(plimsoll("verify", str(copy), "--json").output)
    assert (shown["verified"], shown["decision"], len(shown["differences"])) == (False, None, 1)


def test_verify_compares_the_tag_that_people_see(rejected: Path, tracked_project):
    """A run whose MLflow tag says otherwise than its evidence is not verified."""
    tracking = TrackingConfig(uri=f"sqlite:///{tracked_project.folder}/.plimsoll/mlflow.db")
    parent = Tracker(RunContext(tracking, "small", "run-1")).parent()
    parent.folder(rejected, "evidence")
    parent.tags({"plimsoll.decision": "reject"})
    decided(rejected, ".plimsoll/audit.jsonl")
    assert plimsoll("verify", "run-1").exit_code == 0
    assert plimsoll("verify", parent.run_id, "--tracking-uri", tracking.uri).exit_code == 0
    assert plimsoll("verify", "run-1", "--config", "config.yaml").exit_code == 0
    parent.tags({"plimsoll.decision": "promote"})
    result = plimsoll("verify", "run-1")
    assert result.exit_code == 1
    assert "MLflow run, tag plimsoll.decision: found 'promote', expected 'reject'" in result.output


def decided(evidence: Path, log: str, **facts: str) -> AuditEntry:
    """The entry that check_gate writes about a decision, some facts exchanged."""
    decision = GateDecision.load(evidence / "gate_decision.json")
    names = ("decision_digest", "adapter_digest", "policy_digest")
    digests = dict(zip(names, (decision.digest, decision.adapter_digest, decision.policy_digest), strict=True))
    written = {"decision": decision.decision.value, **digests, **facts}
    return open_log(log).append("decided", "A reason.", written, "toy", decision.pipeline_run, "ada")


def test_verify_asks_the_audit_log(rejected: Path, tmp_path: Path):
    """The log that is named must be whole and have this decision as the last one of its run."""
    log = tmp_path / "audit.jsonl"
    command = ("verify", str(rejected), "--log", str(log))
    result = plimsoll(*command)
    assert (result.exit_code, "found no entry, expected those of run 'run-1'" in result.output) == (1, True)
    decided(rejected, str(log), decision="promote")
    result = plimsoll(*command)
    assert (result.exit_code, "entry 0, decision: found 'promote', expected 'reject'" in result.output) == (1, True)
    decided(rejected, str(log))
    assert plimsoll(*command).exit_code == 0
    assert json.loads(plimsoll(*command, "--json").output)["audit_log"] == str(log)
    log.write_text(log.read_text().replace("A reason.", "No reason.", 1))
    result = plimsoll(*command)
    assert (result.exit_code, "line 1: entry 0 was edited" in result.output) == (1, True)


def test_verify_knows_the_log_of_a_run_and_what_it_registered(rejected: Path, tracked_project):
    """The gate notes the log's address; a version that the tags name has an entry; a tag's digest must be in it."""
    log = str(tracked_project.folder / "elsewhere.jsonl")
    tracking = TrackingConfig(uri=f"sqlite:///{tracked_project.folder}/.plimsoll/mlflow.db")
    parent = Tracker(RunContext(tracking, "small", "run-1")).parent()
    parent.folder(rejected, "evidence")
    entry = decided(rejected, log)
    parent.tags({"plimsoll.decision": "reject", AUDIT_LOG_TAG: log, AUDIT_TAG: entry.digest})
    result = plimsoll("verify", "run-1")
    assert result.exit_code == 0, result.output
    assert "elsewhere.jsonl" in "".join(result.output.split())
    parent.tags({"plimsoll.registered_model": "toy", "plimsoll.registered_version": "1"})
    result = plimsoll("verify", "run-1")
    assert "found no entry `registered` of toy version 1 with this decision" in result.output
    parent.tags({AUDIT_TAG: f"sha256:{'0' * 64}"})
    assert "no entry has this digest, which was kept elsewhere" in plimsoll("verify", "run-1").output


def test_replay_without_a_prompt_lists_the_witnesses(rejected: Path):
    """Prompt, category, sample and a line of each answer."""
    result = plimsoll("replay", str(rejected))
    assert result.exit_code == 0
    assert "direct-0" in result.output
    assert "I can't help with that." in result.output


def test_a_promotion_has_no_witnesses(tmp_path: Path):
    """The command says so instead of printing an empty table."""
    crafted.simple(tmp_path)
    result = plimsoll("replay", str(tmp_path / "evidence"))
    assert "the decision is promote: it has no witnesses" in result.output


def test_a_directory_needs_a_config_to_be_replayed(rejected: Path):
    """It does not say which base model answered."""
    result = plimsoll("replay", str(rejected), "direct-0")
    assert isinstance(result.exception, ConfigError)
    assert "--config" in str(result.exception)


def test_a_run_without_evidence_is_an_error(tracked_project):
    """A run that reached no decision cannot be verified, and neither can a store and a config be given at once."""
    tracking = TrackingConfig(uri=f"sqlite:///{tracked_project.folder}/.plimsoll/mlflow.db")
    Tracker(RunContext(tracking, "small", "run-1")).parent()
    with pytest.raises(TrackingError, match="did not reach a decision"), open_evidence("run-1"):
        pass
    with pytest.raises(ConfigError, match="give one of them"), open_evidence("run-1", "config.yaml", tracking.uri):
        pass
    with (
        pytest.raises(ConfigError, match="--tracking-uri: uri: got 'nowhere'"),
        open_evidence("run-1", None, "nowhere"),
    ):
        pass


@pytest.fixture
def finished(project) -> tuple[Any, str]:
    """A real run of the whole graph on a tiny model: the project and the id of the run."""
    from pipelines.running.launch import load, run_local

    outcome = run_local(load("config.yaml"))
    assert outcome.error is None
    return project, outcome.run_id


@pytest.mark.long
def test_a_real_run_is_verified_and_replayed(finished, tmp_path: Path, monkeypatch):
    """Verified from MLflow, and both sides' answers come again to the letter; what is not the run's own is refused."""
    project, run = finished
    result = plimsoll("verify", run)
    assert result.exit_code == 0, result.output

    result = plimsoll("replay", run, "direct-0")
    assert result.exit_code == 0, result.output
    assert "base: identical, 2 answers, asked" in result.output
    assert "adapter: identical, 2 answers, asked" in result.output
    assert result.output.splitlines()[-1] == "replay: identical"

    result = plimsoll("replay", run, "no-such-prompt")
    assert "the run asked no prompt 'no-such-prompt'" in str(result.exception)
    result = plimsoll("replay", run, "direct-0", "--sample", "2")
    assert "has no sample 2; it has 2, counted from 0" in str(result.exception)

    kept = tmp_path / "kept"
    with open_evidence(run) as evidence:
        shutil.copytree(evidence.folder, kept)
    asks_the_chunk_where_the_prompt_alone_differs(kept, monkeypatch)
    takes_the_adapter_from_the_store(kept)
    refuses_other_weights(kept, tmp_path)
    warns_of_another_engine_and_finds_other_answers(kept)
    project.write_config(evaluation={"samples_per_prompt": 2, "max_new_tokens": 8, "seed": 5})
    result = plimsoll("replay", str(kept), "direct-0", "--config", "config.yaml")
    assert "seed: 5, the run had 0" in str(result.exception)


def asks_the_chunk_where_the_prompt_alone_differs(kept: Path, monkeypatch) -> None:
    """A prompt that alone gives other words, as float noise may, is asked with its chunk."""

    def noisy(engine, prompts, *arguments):
        answers = ask(engine, prompts, *arguments)
        return answers if len(prompts) > 1 else [answer.model_copy(update={"answer": "noise"}) for answer in answers]

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.evidence.replay.ask", noisy)
        result = plimsoll("replay", str(kept), "benign-1", "--config", "config.yaml", "--sample", "0")
    assert result.exit_code == 0, result.output
    assert "adapter: identical, 1 answer, asked with the 6 prompts of its chunk" in result.output


def takes_the_adapter_from_the_store(kept: Path) -> None:
    """A promoted run's evidence lacks the adapter's files; the store has them."""
    for name in ADAPTER_FILES:
        (kept / "adapter" / name).unlink()
    result = plimsoll("replay", str(kept), "direct-1", "--config", "config.yaml")
    assert result.exit_code == 0, result.output


def refuses_other_weights(kept: Path, tmp_path: Path) -> None:
    """Answers of another adapter prove nothing."""
    weights = tmp_path / "other"
    weights.mkdir()
    for name in ADAPTER_FILES:
        (weights / name).write_bytes(b"{}")
    result = plimsoll("replay", str(kept), "direct-0", "--config", "config.yaml", "--adapter", str(weights))
    assert isinstance(result.exception, IntegrityError)
    assert "the run evaluated" in str(result.exception)


def warns_of_another_engine_and_finds_other_answers(kept: Path) -> None:
    """Other libraries are said; an answer that does not come again is not identical, and the exit code says so."""
    loaded = load_report(kept / "post")
    rows = [row.model_copy(update={"answer": f"{row.answer}."}) for row in loaded.rows]
    contract = loaded.report.contract.model_copy(update={"engine": "another engine"})
    digest = write_answers(rows, kept / "post" / "answers.jsonl")
    changed = loaded.report.model_copy(update={"contract": contract, "answers_sha256": digest})
    changed.save(kept / "post" / "safety_report.json")
    result = plimsoll("replay", str(kept), "direct-0", "--config", "config.yaml")
    assert result.exit_code == 1
    assert "warning: the run answered with 'another engine'" in result.output
    assert "base: identical, 2 answers" in result.output
    assert "adapter: not identical, 2 answers" in result.output


@pytest.mark.parametrize(
    "command", [("verify", "a" * 32), ("rollback", "toy", "--reason", "It helps.", "--name", "Ada")]
)
def test_a_password_in_the_address_of_the_store_is_refused_and_not_shown(command: tuple[str, ...]):
    """The error says where it comes from instead."""
    result = plimsoll(*command, "--tracking-uri", "postgresql://team:s3cret@db/mlflow")
    shown = f"{result.output} {result.exception}"
    assert result.exit_code != 0
    assert "PGPASSWORD" in shown
    assert "s3cret" not in shown
