"""A step is stopped, a file of the run is changed, the step goes on: the change is found, and nothing is promoted."""

import os
import signal

import pytest

from tests.chaos.cases import FAILED, REFUSED
from tests.chaos.edits import FLIPS, FORGERIES, Edit
from tests.chaos.faults import Fault
from tests.chaos.small_project import Ended, SmallProject
from tests.chaos.soundness import unclean, versions

FAILURE, INVALID = 1, 13


def name(edit: Edit) -> str:
    return f"{edit.file.replace('/*', '')} {getattr(edit.change, '__name__', '')}"


def edited(small: SmallProject, edit: Edit) -> Ended:
    """A run in which this file was changed."""
    fault = Fault(edit.before, "opened", "stop")
    running = small.start(fault)
    stopped = running.reached(fault)
    root = small.folder / ".plimsoll"
    places = [root] if edit.file.startswith("store/") else list((root / "runs").glob("*/artifacts/*"))
    (path,) = [path for place in places for path in place.glob(edit.file)]
    edit.change(path)
    os.kill(stopped, signal.SIGCONT)
    return running.wait()


def check(small: SmallProject, ended: Ended, note, case: str) -> None:
    assert unclean(ended, FAILURE, INVALID) == []
    assert versions(small) == []
    note(case, REFUSED if ended.code == INVALID else FAILED)


@pytest.mark.parametrize("edit", FLIPS, ids=name)
def test_a_flipped_bit_is_found(small, note, edit):
    """One changed bit in any file between two steps ends the run, or makes the decision invalid."""
    check(small, edited(small, edit), note, "bit flipped")


@pytest.mark.parametrize("edit", FORGERIES, ids=name)
def test_a_forged_file_is_found(small, note, edit):
    """A change whose digests were recomputed contradicts what other files and the audit log say of it."""
    check(small, edited(small, edit), note, "file forged")
