"""A disk that fills up: at each write that the Python code of a step asks for, and for real, in mid-stage."""

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.cases import FAILED, SAME
from tests.chaos.faults import Fault, Plan, step_arguments
from tests.chaos.fork_server import fork
from tests.chaos.small_project import Ended, SmallProject
from tests.chaos.soundness import sound, unclean, versions

PROMOTED, FAILURE = 0, 1
STAGES = (
    "prepare_data",
    "evaluate_safety_baseline",
    "finetune_lora",
    "evaluate_safety_post",
    "compute_delta",
    "follow_up",
    "check_gate",
    "register_adapter",
    "publish_report",
)
DISK_MB = 1100
"""A run asks for 1 GiB."""
WRITES = (*range(1, 12), *range(12, 600, 9))
"""Which writes fail: the first ones each, then every ninth, as a store's entries are all written in one way."""
SYSTEM = "No space left on device"
"""What the system says where kfp writes its own file after the step has ended."""


def again(small: SmallProject, stage: str, write: int) -> Ended:
    """A stage of the first run once more, as Kubernetes retries it, on a disk that is full at its N-th write."""
    marks = small.beside / f"marks-{stage}-{write}"
    marks.mkdir()
    output = small.beside / f"output-{stage}-{write}.txt"
    command = json.loads((small.beside / "marks-1" / f"{stage}.command.json").read_text())
    environment = small.environment_of(Plan(str(marks), None, (Fault(stage, "opened", f"full {write}"),)))
    step = fork(small.server, "step", step_arguments(command), str(small.folder), environment, str(output))
    return Ended(step.wait(), output.read_text())


def forget_answers(small: SmallProject, stage: str) -> None:
    """So that a stage that keeps its work in the store writes to it again."""
    if stage in {"evaluate_safety_baseline", "finetune_lora", "evaluate_safety_post", "follow_up"}:
        kept = Path(small.store)
        for kind in kept.iterdir():
            if stage == "follow_up" or kind.name != "follow-ups":
                shutil.rmtree(kind)


@pytest.mark.parametrize("stage", STAGES)
def test_a_disk_that_is_full_at_any_write_is_named_and_a_retry_finishes(small, note, stage):
    """Whichever write fails, the step fails and names the full disk; the first attempt that finds room finishes."""
    assert unclean(small.run(), PROMOTED) == []
    for write in WRITES:
        forget_answers(small, stage)
        ended = again(small, stage, write)
        if ended.code == 0:
            break
        lines = ended.output.splitlines()
        named = [
            line for line in lines if line.startswith(f"[{stage}] error: ") and re.search(r"disk of \S+ is full", line)
        ]
        assert named or (SYSTEM in lines[-1] and "executor_output.json" in lines[-1]), ended.output
        note("full at a write", FAILED)
    assert 1 < write < WRITES[-1]
    assert sound(small) == []
    assert len(versions(small)) == 1
    note("full at a write", SAME)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of some megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let root mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fills the disk of a folder to its last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while stream.write(bytes(size)):
                    pass
    return filler


@pytest.mark.parametrize("stage", STAGES)
def test_a_disk_that_fills_up_in_mid_run_fails_it_and_a_new_run_decides(small_disk, make_small, note, stage):
    """The run fails in words; with room again, a new run ends in the decision."""
    small = make_small(small_disk)
    fault = Fault(stage, "opened", "wait")
    running = small.start(fault)
    running.reached(fault)
    filler = fill(small.folder)
    running.go_on(fault)
    broken = running.wait()
    assert unclean(broken, FAILURE) == []
    note("disk filled", FAILED)
    filler.unlink()
    assert unclean(small.run(), PROMOTED) == []
    assert sound(small, closed=False) == []  # MLflow's own database was on the full disk
    note("disk filled", SAME)
