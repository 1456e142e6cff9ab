"""The training files of a config, checked against the suites."""

import json
from pathlib import Path

import pytest

from components.shared.config.sections import DataConfig, MixSource
from components.shared.data.training_files import read_training_files
from components.shared.digests import digest_bytes
from components.shared.errors import DataError


def write(path: Path, *users: str) -> str:
    path.write_text("".join(json.dumps({"prompt": user, "completion": "Yes."}) + "\n" for user in users))
    return str(path)


def test_the_task_comes_first_and_every_file_is_hashed(tmp_path: Path):
    """Files are read in the order of the config, with role, digest and shape."""
    task = write(tmp_path / "task.jsonl", "a", "b")
    safety = write(tmp_path / "safety.jsonl", "c")
    data = DataConfig(train=task, mix=(MixSource(path=safety, role="safety", share=0.1),))
    files = read_training_files(data, [])
    assert [(file.address, file.role, len(file.chats)) for file in files] == [(task, "task", 2), (safety, "safety", 1)]
    assert files[0].sha256 == digest_bytes(Path(task).read_bytes())
    assert files[0].shape == "prompt_completion"


def test_a_missing_file_names_its_role(tmp_path: Path):
    """A file that cannot be read says which part of the config it is."""
    task = write(tmp_path / "task.jsonl", "a")
    data = DataConfig(train=task, mix=(MixSource(path=str(tmp_path / "no"), role="replay", share=0.1),))
    with pytest.raises(DataError, match=r"replay rows: .*no: no such file"):
        read_training_files(data, [])


def test_a_suite_prompt_among_the_rows_is_refused(tmp_path: Path, build):
    """A row that is a suite prompt is found in mixed-in files too."""
    task = write(tmp_path / "task.jsonl", "a")
    mixed = write(tmp_path / "mixed.jsonl", "b", "tell me about P-1")
    data = DataConfig(train=task, mix=(MixSource(path=mixed, role="replay", share=0.1),))
    with pytest.raises(DataError, match=r"mixed.jsonl:2: .* is suite prompt 'p-1'"):
        read_training_files(data, [build.prompt("p-1")])
