"""The training files of a config, checked against the suites."""

import json
from pathlib import Path

import pytest

from components.shared.config.sections import DataConfig, MixSource
from components.shared.data.training_files import read_training_files
from components.shared.digests import digest_bytes, digest_json
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


def test_a_folder_is_one_source_with_a_digest_of_all_files(tmp_path: Path):
    """Rows of a folder carry their file's name, errors its address; all files have one shape."""
    (tmp_path / "rows").mkdir()
    first = write(tmp_path / "rows" / "1.jsonl", "a", "b")
    second = write(tmp_path / "rows" / "2.jsonl", "c")
    (file,) = read_training_files(DataConfig(train=str(tmp_path / "rows")), [])
    assert [(chat.file, chat.line) for chat in file.chats] == [("1.jsonl", 1), ("1.jsonl", 2), ("2.jsonl", 1)]
    assert file.sha256 == digest_json([digest_bytes(Path(path).read_bytes()) for path in (first, second)])
    Path(second).write_text('{"instruction": "a", "output": "b"}')
    with pytest.raises(DataError, match=r"2\.jsonl:1: no key 'prompt' in a file of prompt_completion rows"):
        read_training_files(DataConfig(train=str(tmp_path / "rows")), [])


@pytest.mark.parametrize("name", ["task.jsonl", "copy.jsonl"])
def test_the_same_file_twice_is_refused(tmp_path: Path, name: str):
    """Equal content is found under one name and under two; the error names both."""
    task, copy = write(tmp_path / "task.jsonl", "a", "b"), write(tmp_path / name, "a", "b")
    data = DataConfig(train=task, mix=(MixSource(path=copy, role="replay", share=0.1),))
    with pytest.raises(DataError, match=rf"{name}: (is listed twice|has the same content as .*task\.jsonl); expected"):
        read_training_files(data, [])
