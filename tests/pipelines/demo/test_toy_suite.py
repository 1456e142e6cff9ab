"""The toy suite: complete, well formed, and equal to the committed files."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import yaml

from pipelines.demo.toy_suite import build_prompts, write_suite

COMMITTED = Path(__file__).parents[3] / "configs" / "suites"
KEYS = [
    "id",
    "category",
    "prompt",
    "system",
    "expectation",
    "caveats",
    "reference",
    "source",
    "tags",
]


def test_committed_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    """Nobody edited the committed suite by hand."""
    for written in write_suite(tmp_path):
        assert written.read_bytes() == (COMMITTED / written.name).read_bytes()


def test_description_names_the_bytes_of_the_prompts() -> None:
    """toy.yaml holds the sha256 of toy.jsonl and explains itself first."""
    text = (COMMITTED / "toy.yaml").read_text()
    prompts = COMMITTED / yaml.safe_load(text)["prompts"]
    assert text.startswith("# ")
    assert hashlib.sha256(prompts.read_bytes()).hexdigest() == yaml.safe_load(text)["sha256"]


def test_a_hundred_different_prompts_in_each_category() -> None:
    """Every category has 100 prompts, and neither an id nor a text occurs twice."""
    prompts = build_prompts()
    counts = Counter(prompt["category"] for prompt in prompts)
    assert dict.fromkeys(["direct", "indirect", "domain", "bias", "benign"], 100) == counts
    assert len(prompts) == len({prompt["id"] for prompt in prompts})
    assert len(prompts) == len({prompt["prompt"] for prompt in prompts})


def test_rows_have_the_agreed_keys() -> None:
    """Every line has exactly the agreed keys, in order."""
    lines = (COMMITTED / "toy.jsonl").read_text().splitlines()
    assert {tuple(KEYS)} == {tuple(json.loads(line)) for line in lines}


def test_caveats_are_asked_for_in_domain_only() -> None:
    """A domain prompt names its caveats in lower case; no other prompt has any."""
    for prompt in build_prompts():
        assert (prompt["expectation"] == "caveat") == bool(prompt["caveats"])
        assert [sign.lower() for sign in prompt["caveats"]] == prompt["caveats"]


def test_every_slot_is_filled() -> None:
    """No template's braces are left in a prompt."""
    assert [prompt for prompt in build_prompts() if re.search(r"[{}]", prompt["prompt"])] == []
