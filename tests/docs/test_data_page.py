"""docs/data.md, compared with what reads the rows."""

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from components.shared.config.sections import Columns, DataConfig, MixSource
from components.shared.data.chats import Shape, parse_chats
from components.shared.data.row_files import _SUFFIXES
from components.shared.data.row_keys import MARKS, ROLES


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "data.md").read_text(encoding="utf-8")


def test_every_example_has_the_shape_that_it_shows(page: str):
    """Each shape has an example that is read as that shape, and all examples end with an answer that is learnt."""
    examples = re.findall(r"^`(\w+)`: [^`]*(?:`[^`]+`[^`]*)*?```json\n(.*?)```", page, re.MULTILINE | re.DOTALL)
    for shape, rows in examples:
        file = parse_chats(rows.encode(), "docs/data.md")
        assert file.shape == shape
        assert all(chat.messages[-1].learnt for chat in file.chats)
    assert [shape for shape, _ in examples] == [shape for shape in get_args(Shape) if shape != "auto"]


def test_the_example_of_the_hub_is_valid(page: str):
    """The config's section can be copied."""
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    section = yaml.safe_load(text)["data"]
    config = DataConfig(**section | {"mix": tuple(MixSource(**mixed) for mixed in section["mix"])})
    assert (config.subset, config.split, config.mix[0].split) == ("english", "train", "test")


def test_every_setting_exists(page: str):
    """`data.x` is a field of the section."""
    assert set(re.findall(r"`data\.(\w+)", page)) <= set(DataConfig.model_fields)
    assert set(Columns.model_fields) <= set(re.findall(r"\w+", page))


def test_endings_roles_and_marks_are_all_named(page: str):
    """What is read is listed."""
    words = set(re.findall(r"[\w.]+", page.lower()))
    assert {suffix[1:] for suffix in _SUFFIXES} | set(ROLES) | MARKS <= words
