"""What a person sees while a local run lasts."""

import io
from pathlib import Path

import pytest

from pipelines.running.console import RunOutput, StageDisplay


class Terminal(io.StringIO):
    """A screen that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return Terminal()


def _write(folder, verbose, screen):
    output = RunOutput(folder / "run/log.txt", screen, verbose)
    print("09:00 - INFO - Executing task", file=output)
    print("    [finetune_lora] 10/40 steps", file=output)
    output.write("    [check_gate] promo")
    output.write("te: fine\n")
    output.close()
    return screen.getvalue(), (folder / "run/log.txt").read_text()


def test_only_the_stages_own_lines_are_shown(tmp_path):
    """Lines of the stages are shown, also when written in pieces; everything is in the log."""
    screen, log = _write(tmp_path, False, io.StringIO())
    assert screen == "[finetune_lora] 10/40 steps\n[check_gate] promote: fine\n"
    assert "Executing task" in log


def test_verbose_shows_everything(tmp_path, terminal):
    """With --verbose the runner's own lines are shown as well, and no live rows on a terminal either."""
    screen, log = _write(tmp_path, True, terminal)
    assert screen == log


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_terminals_that_only_take_lines_get_plain_lines(terminal, monkeypatch, name, value):
    """In CI and on a dumb terminal there are no live rows."""
    monkeypatch.setenv(name, value)
    display = StageDisplay(terminal)
    display.show("[finetune_lora] 10/40 steps", run="careful")
    display.close()
    assert terminal.getvalue() == "careful  [finetune_lora] 10/40 steps\n"


def _rows(display):
    return [(task.description, task.completed, task.total) for task in display._live.tasks]


def test_a_terminal_has_one_row_per_running_stage(terminal):
    """A stage has a row from its first line on, a count moves its bar, and the next stage replaces it."""
    display = StageDisplay(terminal)
    display.show("[evaluate_safety_post] loading the model")
    assert _rows(display) == [("[evaluate_safety_post]", 0, None)]
    display.show("[evaluate_safety_post] 100/600 answers")
    display.show("[evaluate_safety_post] 200/600 answers, 8 s left")
    assert _rows(display) == [("[evaluate_safety_post]", 200, 600)]
    display.show("[evaluate_safety_post] 600/600 answers, 12 s")
    assert _rows(display) == [("[evaluate_safety_post]", 0, None)]
    display.show("[compute_delta] done")
    assert _rows(display) == [("[compute_delta]", 0, None)]
    display.close()


def test_a_terminal_keeps_what_is_said_and_not_each_count(terminal):
    """Lines stay above the rows; of a count only the last line does, and markup in a line is shown as it is."""
    display = StageDisplay(terminal)
    for line in ("loading [the] model", "100/600 answers", "600/600 answers, 12 s"):
        display.show(f"[evaluate_safety_post] {line}")
    display.close()
    shown = terminal.getvalue()
    assert "[evaluate_safety_post] loading [the] model\n" in shown
    assert "[evaluate_safety_post] 600/600 answers, 12 s\n" in shown
    assert "[evaluate_safety_post] 100/600" not in shown


def test_the_row_ends_with_its_task(tmp_path, terminal):
    """When kfp says that a task finished, its row goes at once, not with the next stage's first line."""
    output = RunOutput(tmp_path / "log.txt", terminal, verbose=False)
    print("    [compute_delta] done", file=output)
    assert _rows(output._display) == [("[compute_delta]", 0, None)]
    print("09:00 - INFO - Task 'compute-delta' finished with status SUCCESS", file=output)
    assert _rows(output._display) == []
    output.close()


def test_workers_and_runs_have_rows_side_by_side(terminal):
    """Workers of an evaluation do not replace each other, and neither do two runs that share a display."""
    display = StageDisplay(terminal)
    for line in ("[evaluate_safety_post] 2 processes", "[worker_1] 1/9 answers", "[worker_2] 2/8 answers"):
        display.show(line, run="careful")
    display.show("[finetune_lora] 1/7 steps", run="careless")
    assert _rows(display) == [
        ("careful  [evaluate_safety_post]", 0, None),
        ("careful  [worker_1]", 1, 9),
        ("careful  [worker_2]", 2, 8),
        ("careless [finetune_lora]", 1, 7),
    ]
    display.show("[compute_delta] done", run="careful")
    assert _rows(display) == [("careless [finetune_lora]", 1, 7), ("careful  [compute_delta]", 0, None)]
    display.close()


def test_the_remaining_time_is_known_from_the_second_count_on(terminal):
    """The first count gives no speed, because it includes the start."""
    display = StageDisplay(terminal)
    display.show("[finetune_lora] 10/40 steps")
    (task,) = display._live.tasks
    assert task.time_remaining is None
    display.show("[finetune_lora] 20/40 steps, 5 s left")
    (task,) = display._live.tasks
    assert task.time_remaining is not None
    display.close()


def test_a_full_disk_ends_the_log_and_not_the_run():
    """The first line that the log cannot take is followed by a word on that; the lines go on, and closing is quiet."""
    screen = io.StringIO()
    output = RunOutput(Path("/dev/full"), screen, verbose=True)
    for line in ("one", "two"):
        output.write(f"{line}\n")
    output.close()
    said = "[run] the log /dev/full ends here: No space left on device"
    assert screen.getvalue().splitlines() == [said, "one", "two"]
