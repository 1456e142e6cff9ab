"""Chunks in the store: killed and continued, shared between processes, never between models."""

import os
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from components.evaluate_safety.answering import answer_all, lazily
from components.evaluate_safety.subject import Subject, identify
from components.shared.artifacts.answers import Answer
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.errors import ModelError
from components.shared.store import ANSWERS_KIND, Store
from components.shared.suites.chunks import cut
from components.shared.suites.prompt_sets import load_prompts

EVALUATION = EvaluationConfig(
    samples_per_prompt=3, max_new_tokens=20, temperature=1.0, batch_tokens=400, chunk_answers=6
)

PROGRAM = """
import sys, time
from pathlib import Path
from components.evaluate_safety import answering
from components.evaluate_safety.subject import identify
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.suites.prompt_sets import load_prompts
from components.shared.suites.chunks import cut
from components.shared.store import Store

base, directory, config = sys.argv[1:]
loaded = load_prompts(Path(directory) / "prompts")
evaluation = EvaluationConfig.model_validate_json(config)
subject = identify(BaseModelRef(path=base), None, loaded.prompt_set, evaluation, "")
chunks = cut(loaded.prompts, evaluation.samples_per_prompt, evaluation.chunk_answers)
kept = answering.keep

def slowly(*args):
    found = kept(*args)
    print("kept", flush=True)
    time.sleep(0.5)
    return found

answering.keep = slowly
engine = answering.lazily(subject, print)
answering.answer_all(subject, loaded.prompts, chunks, Store(str(Path(directory) / "store")), engine, print)
"""


@pytest.fixture
def prompts(tmp_path: Path, build) -> Path:
    build.prompt_files(tmp_path / "prompts", [build.prompt(f"p-{n}", prompt="x " * n + "?") for n in range(10)])
    return tmp_path


def subject_of(base: Path, directory: Path, evaluation: EvaluationConfig = EVALUATION) -> Subject:
    prompt_set = load_prompts(directory / "prompts").prompt_set
    return identify(BaseModelRef(path=str(base)), None, prompt_set, evaluation, "")


def answers(base: Path, directory: Path, store: str, evaluation: EvaluationConfig = EVALUATION) -> list[Answer]:
    subject = subject_of(base, directory, evaluation)
    prompts = load_prompts(directory / "prompts").prompts
    chunks = cut(prompts, evaluation.samples_per_prompt, evaluation.chunk_answers)
    found = answer_all(subject, prompts, chunks, Store(str(directory / store)), lazily(subject, print), print)
    assert [len(rows) for rows in found] == [len(chunk.prompts) * evaluation.samples_per_prompt for chunk in chunks]
    return list(chain(*found))


def test_a_killed_evaluation_goes_on_and_ends_the_same(prompts: Path, tiny_base: Path, root: Path):
    """Killed after its second chunk, it asks only the rest, and every answer is the uninterrupted one's."""
    command = [sys.executable, "-c", PROGRAM, str(tiny_base), str(prompts), EVALUATION.model_dump_json()]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        kept = 0
        for line in process.stdout:
            kept += line == "kept\n"
            if kept == 3:  # answers and fluency of the first chunk, answers of the second
                os.kill(process.pid, signal.SIGKILL)
                break
    finished = len(list((prompts / "store" / ANSWERS_KIND).iterdir()))
    assert finished == 2
    before = {path: path.stat().st_mtime_ns for path in (prompts / "store" / ANSWERS_KIND).rglob("*.json")}
    resumed = answers(tiny_base, prompts, "store")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert resumed == answers(tiny_base, prompts, "untouched")
    assert len(resumed) == 30


def test_processes_share_the_chunks(prompts: Path, tiny_base: Path, capfd):
    """Two processes answer what one does, answer for answer."""
    shared = answers(tiny_base, prompts, "shared", EVALUATION.model_copy(update={"workers": 2}))
    said = capfd.readouterr().out
    assert "2 processes share 5 chunks" in said
    assert "[worker_1] " in said
    assert "[worker_2] " in said
    assert shared == answers(tiny_base, prompts, "alone")


def test_chunks_of_other_sizes_give_the_same_answers(prompts: Path, tiny_base: Path):
    """How prompts are cut into chunks changes no answer: each is seeded by its prompt."""
    whole = answers(tiny_base, prompts, "whole", EVALUATION.model_copy(update={"chunk_answers": 1000}))
    small = answers(tiny_base, prompts, "small")
    assert [(row.prompt_id, row.sample, row.answer) for row in small] == [
        (row.prompt_id, row.sample, row.answer) for row in whole
    ]


def test_every_way_of_asking_has_its_own_answers(prompts: Path, tiny_base: Path, unmarked_base: Path):
    """Another seed, limit, temperature, system prompt, engine or tokenizer never finds these answers."""
    base = subject_of(tiny_base, prompts)
    changes = ({"seed": 1}, {"max_new_tokens": 7}, {"temperature": 0.5}, {"system_prompt": "x"}, {"engine": "generate"})
    others = [subject_of(tiny_base, prompts, EVALUATION.model_copy(update=change)) for change in changes]
    others += [subject_of(unmarked_base, prompts), base._replace(adapter_digest="sha256:ada")]
    keys = {subject.key("chunk") for subject in (base, *others)}
    assert len(keys) == len(others) + 1


def test_how_the_work_is_shared_changes_no_key(prompts: Path, tiny_base: Path):
    """Processes, shards and judges are no part of how a model is asked."""
    base = subject_of(tiny_base, prompts)
    changes = ({"workers": 2}, {"shards": 3}, {"chunk_answers": 9}, {"probes": False}, {"coherence": "rules"})
    for change in (*changes, {"noise_floor": False}):
        other = subject_of(tiny_base, prompts, EVALUATION.model_copy(update=change))
        assert other.key("chunk") == base.key("chunk")


def test_a_failing_process_fails_the_evaluation(prompts: Path, tiny_base: Path, build):
    """A prompt that does not fit is one error, whichever process met it."""
    build.prompt_files(prompts / "prompts", [build.prompt(f"p-{n}", prompt="cat " * 90 * n + "?") for n in range(4)])
    with pytest.raises(ModelError, match="the base model's context holds 128"):
        answers(tiny_base, prompts, "store", EVALUATION.model_copy(update={"workers": 2, "chunk_answers": 3}))
