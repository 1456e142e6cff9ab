"""Training rows from data sets on the hub, read by a process of its own from a server that answers as the hub does."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.shared.config.sections import DataConfig, MixSource
from components.shared.data.hub_files import HubAddress, fetch_hub_file, parse_hub
from components.shared.errors import ConfigError
from tests.support.hub_server import COMMIT, serve

README = b"""---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.jsonl
  - split: test
    path: data/test.jsonl.gz
- config_name: other
  data_files: other.jsonl
- config_name: pictures
  data_files: other.txt
---
"""
READ = """
import json, sys
from components.shared.config.sections import DataConfig
from components.shared.data.training_files import read_training_files
from components.shared.errors import DataError
found = []
for config in json.loads(sys.argv[1]):
    try:
        (file,) = read_training_files(DataConfig(**config), [])
        texts = [(chat.user_texts[0], chat.file, chat.line) for chat in file.chats]
        found.append([file.revision, list(file.digests), texts])
    except DataError as error:
        found.append(str(error))
print(json.dumps(found))
"""
LOAD = """
import json
from datasets import load_dataset
wanted = ((None, "train"), (None, "test"), ("other", "train"))
splits = [load_dataset("org/name", subset, split=split, revision="main") for subset, split in wanted]
print(json.dumps([list(split["prompt"]) for split in splits]))
"""


def rows(*users: str) -> bytes:
    return "".join(json.dumps({"prompt": user, "completion": "Yes."}) + "\n" for user in users).encode()


FILES = {
    "README.md": README,
    "data/train-00000.jsonl": rows("a", "b"),
    "data/train-00001.jsonl": rows("c"),
    "data/test.jsonl.gz": gzip.compress(rows("d"), mtime=0),
    "other.jsonl": rows("e"),
    "other.csv": b"prompt,completion\nf,Yes.\n",
    "other.txt": b"f",
}
NAME = f"hub://org/name@{COMMIT}"


def read(configs: list[dict], home: Path, endpoint: str, offline: str = "0") -> list:
    return run(READ, configs, home, endpoint, offline)


def run(script: str, configs: list[dict], home: Path, endpoint: str, offline: str = "0") -> list:
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_OFFLINE": offline}
    command = [sys.executable, "-c", script, json.dumps(configs)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_splits_and_subsets_are_read_as_datasets_reads_them(tmp_path: Path):
    """Online, then from the cache without a network: the rows of `load_dataset`, the same commit, and clear errors."""
    configs = [
        {"train": "hub://org/name@main"},
        {"train": "hub://org/name@main", "split": "test"},
        {"train": "hub://org/name@main", "subset": "other"},
        {"train": "hub://org/name@main/other.csv"},
    ]
    wrong = [
        ({"train": "hub://org/name@main", "split": "dev"}, "has no split 'dev'; expected one of 'train', 'test'"),
        (
            {"train": "hub://org/name@main", "subset": "no"},
            "subset is 'no': BuilderConfig 'no' not found. Available: [",
        ),
        ({"train": "hub://org/name@v9"}, "the hub does not give it: Revision Not Found"),
        ({"train": "hub://org/none@main"}, "the hub does not give it: Repository Not Found"),
        ({"train": "hub://org/name@main/no.csv"}, "the data set 'org/name' has no file 'no.csv'"),
        (
            {"train": "hub://org/name@main", "subset": "pictures"},
            "other.txt: is a file of the data set's split; expected",
        ),
    ]
    expected = [
        [
            COMMIT,
            [f"{NAME}/data/train-00000.jsonl", f"{NAME}/data/train-00001.jsonl"],
            [["a", "train-00000.jsonl", 1], ["b", "train-00000.jsonl", 2], ["c", "train-00001.jsonl", 1]],
        ],
        [COMMIT, [f"{NAME}/data/test.jsonl.gz"], [["d", "test.jsonl.gz", 1]]],
        [COMMIT, [f"{NAME}/other.jsonl"], [["e", "other.jsonl", 1]]],
        [COMMIT, [f"{NAME}/other.csv"], [["f", "other.csv", 2]]],
    ]
    with serve("org/name", FILES) as endpoint:
        found = read([*configs, *(config for config, _ in wrong)], tmp_path, endpoint)
        loaded = run(LOAD, [], tmp_path, endpoint)
    assert found[: len(configs)] == expected
    assert loaded == [[text for text, _, _ in texts] for _, _, texts in expected[:3]]
    for (_, message), error in zip(wrong, found[len(configs) :], strict=True):
        assert "hub://org/n" in error
        assert message in error
    offline = read([*configs, wrong[3][0]], tmp_path, endpoint, offline="1")
    assert offline[: len(configs)] == expected
    assert "is not in the local cache, and the hub cannot be reached" in offline[-1]
    (away,) = read(configs[:1], tmp_path / "empty", "http://127.0.0.1:9")
    assert away.startswith("task rows: hub://org/name@main: ")


def test_an_address_names_a_data_set_or_a_file_of_one():
    """A revision is part of it, for a name alone may change its content."""
    assert parse_hub("hub://org/name@v1.0/data/f.csv") == HubAddress("org/name", "v1.0", "data/f.csv")
    assert parse_hub("hub://org/name@v1.0") == HubAddress("org/name", "v1.0", None)
    with pytest.raises(ConfigError, match="names no file"):
        fetch_hub_file("hub://org/name@v1.0")


@pytest.mark.parametrize(
    "address",
    ["hub://org/..@v1/f.csv", "hub://../name@v1", "hub://org/name@..", "hub://org/name@v1/../../f", "hub://o/n@v/a\\b"],
)
def test_an_address_stays_in_the_hubs_cache(address: str):
    """Its parts become folders there."""
    with pytest.raises(ConfigError, match="expected a plain relative name"):
        parse_hub(address)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "hub://org/name"}, "'hub://org/name' is no data set on the hub; expected hub://ORG/NAME@REVISION"),
        ({"path": "rows.jsonl", "split": "test"}, "subset and split belong to a data set hub://ORG/NAME@REVISION"),
        ({"path": "hub://o/n@main/f.csv", "subset": "a"}, "the address names one file: remove them"),
    ],
)
def test_settings_that_do_not_fit_the_address_are_refused(settings: dict, message: str):
    """Task rows and mixed rows alike."""
    with pytest.raises(ValueError, match=message):
        MixSource(role="replay", share=0.1, **settings)
    with pytest.raises(ValueError, match=message):
        DataConfig(train=settings.pop("path"), **settings)
