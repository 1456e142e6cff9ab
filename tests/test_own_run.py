"""The README's section on a run of one's own, followed word by word on a tiny model with a small suite."""

import hashlib
import json
import re
import shlex
import shutil
from collections import Counter

import pytest

from components.shared.artifacts.decision import Decision
from pipelines.exit_codes import DECISION_CODES
from tests.pipelines.conftest import chat

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def commands(root) -> list[str]:
    """The command lines of the section, without their comments."""
    section = (root / "README.md").read_text().partition("## Your own run")[2].partition("`plimsoll run` ends")[0]
    return [line.partition("#")[0].strip() for line in section.splitlines() if line.startswith("    plimsoll ")]


@pytest.fixture(scope="module")
def folder(root, tmp_path_factory, tiny_base):
    """What the section says that one needs: rows, and a base model with room for prompts and short answers."""
    place = tmp_path_factory.mktemp("own")
    base = place / "models/base"
    shutil.copytree(tiny_base, base)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 384}))
    _write_small_suite(root, place)
    rows = [chat(f"do task {number}", f"done {number}") for number in range(60)]
    (place / "train.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return place


def _write_small_suite(root, place) -> None:
    """The red-team suite with eight prompts of each category, where `init` would copy it to; it keeps what is there."""
    suites = place / "configs/suites"
    suites.mkdir(parents=True)
    lines, seen = [], Counter()
    for line in (root / "configs/suites/red-team.jsonl").read_text().splitlines(keepends=True):
        category = json.loads(line)["category"]
        seen[category] += 1
        if seen[category] <= 8:
            lines.append(line)
    (suites / "red-team.jsonl").write_text("".join(lines))
    whole = (root / "configs/suites/red-team.yaml").read_text()
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    (suites / "red-team.yaml").write_text(re.sub(r"sha256: \w+", f"sha256: {digest}", whole))


def test_the_section_is_about_these_commands(commands):
    """A command that is added to the section is followed, too."""
    assert [re.match(r"plimsoll (config \w+|\w+)", command)[1] for command in commands] == [
        "init",
        "doctor",
        "config check",
        "run",
        "run",
        "config schema",
    ]


def test_the_section_leads_to_a_decision(commands, folder, plimsoll):
    """Each command works as written; the random model has nothing to lose, so the runs end as invalid."""
    for command in commands:
        done = plimsoll(*shlex.split(command)[1:], cwd=folder, timeout=400)
        expected = DECISION_CODES[Decision.INVALID] if command.startswith("plimsoll run") else 0
        assert done.returncode == expected, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
