"""Data and suites, resolved to content."""

import hashlib
import json
from pathlib import Path

import pytest

from components.prepare_data.step import prepare_data
from components.shared import storage
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.artifacts.training_data import PromptSet, TrainingData
from components.shared.audit import AUDIT_TAG, open_log
from components.shared.config.run_context import RunContext
from components.shared.config.sections import DataConfig, MixSource
from components.shared.data.chats import parse_chats
from components.shared.data.overlap import fingerprint
from components.shared.digests import digest_file
from components.shared.errors import DataError, StorageError
from components.shared.suites.prompt_sets import load_prompts
from components.shared.tracking.runs import Tracker


@pytest.fixture
def suite(tmp_path: Path) -> str:
    rows = [
        {"id": f"d-{n}", "category": "direct", "prompt": f"Exam {n}?", "expectation": "refuse", "source": "tests"}
        for n in range(3)
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (tmp_path / "toy.jsonl").write_bytes(content)
    path = tmp_path / "toy.yaml"
    path.write_text(
        f"name: toy\nversion: '1'\ndescription: d\nlicence: MIT\nprompts: toy.jsonl\n"
        f"sha256: {hashlib.sha256(content).hexdigest()}\n"
    )
    return str(path)


def heldout_prompts(folder: Path) -> list[SuitePrompt]:
    return [prompt for prompt in load_prompts(folder / "prompts").prompts if prompt.suite == "heldout-task"]


def write(path: Path, *users: str) -> str:
    rows = ({"messages": [{"role": "user", "content": u}, {"role": "assistant", "content": "Yes."}]} for u in users)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def data(tmp_path: Path) -> DataConfig:
    task = write(tmp_path / "task.jsonl", *(f"Task {n}" for n in range(20)))
    safety = write(tmp_path / "safety.jsonl", *(f"Safety {n}" for n in range(10)))
    return DataConfig(train=task, mix=(MixSource(path=safety, role="safety", share=0.2),), heldout_rows=4, seed=1)


def run(data: DataConfig, suites: list[str], directory: Path, context: RunContext) -> TrainingData:
    return prepare_data(data, suites, directory / "data", directory / "prompts", context)


def trained_texts(directory: Path) -> set[str]:
    chats = parse_chats((directory / "data" / "train.jsonl").read_bytes(), "train").chats
    return {text for chat in chats for text in chat.user_texts}


def test_rows_and_prompts_are_written_and_hashed(data: DataConfig, suite: str, tmp_path: Path, context: RunContext):
    """16 task rows and 4 safety rows are trained on, 4 are held out and asked beside the suite's prompts."""
    result = run(data, [suite], tmp_path, context)
    assert TrainingData.load(tmp_path / "data" / "training_data.json") == result
    assert (result.train_rows, result.heldout_rows, result.suite_prompts_checked) == (20, 4, 3)
    assert [(source.role, source.rows, source.used) for source in result.sources] == [
        ("task", 20, 16),
        ("safety", 10, 4),
    ]
    assert digest_file(tmp_path / "data" / "train.jsonl") == result.train_sha256

    loaded = load_prompts(tmp_path / "prompts")
    assert [entry.categories for entry in loaded.prompt_set.suites] == [{"direct": 3}, {"task": 4}]
    assert result.inputs == {"prompt_set": loaded.prompt_set.digest}
    heldout = heldout_prompts(tmp_path)
    assert {prompt.prompt for prompt in heldout} & trained_texts(tmp_path) == set()
    assert {prompt.reference for prompt in heldout} == {"Yes."}


@pytest.mark.parametrize("server", ["bucket", "rclone_bucket"])
def test_rows_and_suites_are_read_from_s3(
    data: DataConfig, suite: str, tmp_path: Path, context: RunContext, request: pytest.FixtureRequest, server: str
):
    """Task rows, safety rows, suite and its prompts as objects: the same counts and digests, and the same refusals."""
    folder = f"{request.getfixturevalue(server)}/{tmp_path.name}"
    for path in tmp_path.glob("*.*l*"):
        storage.put(path, f"{folder}/{path.name}")
    distant = data.model_copy(
        update={
            "train": f"{folder}/task.jsonl",
            "mix": (data.mix[0].model_copy(update={"path": f"{folder}/safety.jsonl"}),),
        }
    )
    near = run(data, [suite], tmp_path / "near", context)
    far = run(distant, [f"{folder}/toy.yaml"], tmp_path / "far", context)
    assert [source.address for source in far.sources] == [f"{folder}/task.jsonl", f"{folder}/safety.jsonl"]
    assert [(s.role, s.sha256, s.rows, s.used) for s in far.sources] == [
        (s.role, s.sha256, s.rows, s.used) for s in near.sources
    ]
    assert far.suite_prompts_checked == near.suite_prompts_checked == 3
    overlapping = write(tmp_path / "overlapping.jsonl", *(f"Exam {n}?" for n in range(20)))
    storage.put(Path(overlapping), f"{folder}/safety.jsonl")
    with pytest.raises(DataError, match=rf"{folder}/safety\.jsonl:1: the user text 'Exam 0\?' is suite prompt 'd-0'"):
        run(distant, [f"{folder}/toy.yaml"], tmp_path / "refused", context)


def test_the_same_inputs_give_the_same_bytes(data: DataConfig, suite: str, tmp_path: Path, context: RunContext):
    """What decides whether a scheduled run retrains does not change by itself, but with the seed."""
    first = run(data, [suite], tmp_path / "a", context)
    assert run(data, [suite], tmp_path / "b", context) == first
    assert run(data.model_copy(update={"seed": 2}), [suite], tmp_path / "c", context).train_sha256 != first.train_sha256


def test_the_mix_does_not_move_the_split(data: DataConfig, suite: str, tmp_path: Path, context: RunContext):
    """Recipes that share a task share their held-out rows, whatever else they mix in."""
    run(data, [suite], tmp_path / "a", context)
    run(data.model_copy(update={"mix": ()}), [suite], tmp_path / "b", context)
    first, second = (PromptSet.load(tmp_path / name / "prompts" / "prompt_set.json") for name in "ab")
    assert first == second


@pytest.mark.parametrize(
    ("metric", "expectation"), [("exact", "exact"), ("rouge_l", "rouge_l"), ("nll", "likelihood"), ("judge", "judged")]
)
def test_the_task_metric_decides_how_heldout_rows_are_judged(
    data: DataConfig, suite: str, tmp_path: Path, context: RunContext, metric: str, expectation: str
):
    """Each held-out prompt expects it, so before and after are compared alike, and another metric is another run."""
    run(data.model_copy(update={"task_metric": metric}), [suite], tmp_path, context)
    assert {prompt.expectation.value for prompt in heldout_prompts(tmp_path)} == {expectation}


def test_a_heldout_row_does_not_come_back_with_the_mix(
    data: DataConfig, suite: str, tmp_path: Path, context: RunContext
):
    """A mixed-in file that repeats the task's rows does not train on the held-out ones."""
    replay = write(tmp_path / "replay.jsonl", *(f"TASK {n}!" for n in range(20)))
    mixed = data.model_copy(update={"mix": (MixSource(path=replay, role="replay", share=0.45),)})
    run(mixed, [suite], tmp_path, context)
    heldout = {prompt.prompt for prompt in heldout_prompts(tmp_path)}
    trained = {fingerprint(text) for text in trained_texts(tmp_path)}
    assert len(heldout) == 4
    assert {fingerprint(text) for text in heldout} & trained == set()


def test_no_heldout_rows_make_no_task_suite(data: DataConfig, suite: str, tmp_path: Path, context: RunContext):
    """Without held-out rows only the suites are asked."""
    result = run(data.model_copy(update={"heldout_rows": 0}), [suite], tmp_path, context)
    assert result.heldout_rows == 0
    assert [entry.name for entry in load_prompts(tmp_path / "prompts").prompt_set.suites] == ["toy"]


def test_a_system_message_is_asked_again(suite: str, tmp_path: Path, context: RunContext):
    """A held-out conversation keeps its system message and earlier turns."""
    rows = [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": f"Hi {n}"},
                {"role": "assistant", "content": "Hello"},
                {"role": "user", "content": "More"},
                {"role": "assistant", "content": "Bye"},
            ]
        }
        for n in range(2)
    ]
    (tmp_path / "task.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(DataConfig(train=str(tmp_path / "task.jsonl"), heldout_rows=1), [suite], tmp_path, context)
    (prompt,) = heldout_prompts(tmp_path)
    assert (prompt.system, prompt.prompt, prompt.reference) == ("Be brief.", "More", "Bye")
    assert [turn.content for turn in prompt.messages][1:] == ["Hello"]


def test_training_on_the_suite_is_refused(data: DataConfig, suite: str, tmp_path: Path, context: RunContext):
    """A suite prompt among the rows fails the stage, and nothing is written."""
    write(tmp_path / "task.jsonl", *(f"Task {n}" for n in range(20)), "exam 1")
    with pytest.raises(DataError, match=r"task\.jsonl:21: .* is suite prompt 'd-1'"):
        run(data, [suite], tmp_path, context)
    assert not (tmp_path / "data").exists()
    assert [failure.stage for failure in Tracker(context).failures()] == ["prepare_data"]


def test_too_few_rows_for_a_share_are_refused(data: DataConfig, suite: str, tmp_path: Path, context: RunContext):
    """A mix that cannot be met is an error, not a smaller share."""
    greedy = data.mix[0].model_copy(update={"share": 0.9})
    with pytest.raises(DataError, match=r"safety\.jsonl: has 10 rows, but its share .* takes 144"):
        run(data.model_copy(update={"mix": (greedy,)}), [suite], tmp_path, context)


def test_accepted_data_is_audited(data: DataConfig, suite: str, tmp_path: Path, context: RunContext):
    """The log names rows, prompts and sources by digest, and the stage's run carries the entry's digest."""
    result = run(data, [suite], tmp_path, context)
    (entry,) = open_log(context.tracking.audit_log).entries()
    assert (entry.event, entry.pipeline, entry.pipeline_run) == ("data_accepted", "toy", "run-1")
    assert entry.why == "20 rows are well-formed, and none is one of 3 suite prompts."
    assert entry.facts == {
        "training_data_digest": result.digest,
        "train_sha256": result.train_sha256,
        "prompt_set_digest": result.inputs["prompt_set"],
        "train_rows": "20",
        "heldout_rows": "4",
        **{f"source.{source.address}": source.sha256 for source in result.sources},
    }
    (stage,) = Tracker(context)._stages()
    assert stage.data.tags[AUDIT_TAG] == entry.digest


def test_a_log_that_cannot_be_written_fails_the_step(data: DataConfig, suite: str, tmp_path: Path, context: RunContext):
    """Nothing goes on that is not audited."""
    (tmp_path / "file").write_text("x")
    tracking = context.tracking.model_copy(update={"audit_log": str(tmp_path / "file" / "log")})
    with pytest.raises(StorageError, match="no step goes on without its entry"):
        run(data, [suite], tmp_path, context._replace(tracking=tracking))
    (failure,) = Tracker(context).failures()
    assert (failure.stage, failure.kind) == ("prepare_data", "StorageError")


def test_refused_data_is_not_audited(data: DataConfig, suite: str, tmp_path: Path, context: RunContext):
    """Only what was accepted is in the log."""
    write(tmp_path / "task.jsonl", *(f"Task {n}" for n in range(20)), "exam 1")
    with pytest.raises(DataError):
        run(data, [suite], tmp_path, context)
    assert list(open_log(context.tracking.audit_log).entries()) == []
