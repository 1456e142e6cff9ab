"""Lines that people see of a running step."""

import pytest

from components.shared.progress import Count, Progress, duration, read_count, speaker, stage_of, warn


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_every_line_carries_its_stage(capsys):
    """A text of two lines becomes two lines, each with the stage in front."""
    speaker("compute_delta")("one\ntwo")
    assert capsys.readouterr().out == "[compute_delta] one\n[compute_delta] two\n"


def test_an_empty_text_is_still_a_line(capsys):
    """Saying nothing prints the stage alone."""
    speaker("gate")("")
    assert capsys.readouterr().out == "[gate] \n"


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        ("[gate] promote", "gate"),
        ("  [finetune_lora] 1/2 steps", "finetune_lora"),
        ("[worker_2] 1/2 answers", "worker_2"),
        ("[2026-01-01] x", None),
        ("[8] x", None),
        ("INFO [gate] x", None),
        ("[gate]x", None),
    ],
)
def test_progress_lines_are_recognised(line, stage):
    """What a speaker prints is progress of its stage, numbered stages included; a log line is not."""
    assert stage_of(line) == stage


def test_progress_is_said_at_most_every_few_seconds():
    """Between two lines lie `every_s` seconds, and the last count is always said."""
    said: list[str] = []
    clock = Clock()
    progress = Progress(said.append, "answers", 4, every_s=10, clock=clock)
    for now in (1, 10, 12, 14):
        clock.now = now
        progress.advance(1)
    assert said == ["2/4 answers", "4/4 answers, 14 s"]


def test_the_time_is_estimated_from_the_second_line_on():
    """A slow start distorts no estimate: the first line has none, the second takes the rate since the first."""
    said: list[str] = []
    clock = Clock()
    progress = Progress(said.append, "answers", 1000, clock=clock)
    for now, count in ((50, 1), (60, 100), (61, 1), (70, 99)):
        clock.now = now
        progress.advance(count)
    assert said == ["1/1,000 answers", "101/1,000 answers, 90 s left", "201/1,000 answers, 80 s left"]


def test_extra_words_stand_before_the_time():
    """What a caller adds is shown between count and time."""
    said: list[str] = []
    Progress(said.append, "steps", 1000, clock=Clock()).advance(1000, "loss 0.500")
    assert said == ["1,000/1,000 steps, loss 0.500, 0 s"]


def test_what_was_done_before_does_not_shorten_the_time():
    """The remaining time is estimated from what was counted here."""
    clock, said = Clock(), []
    progress = Progress(said.append, "steps", 100, clock=clock, done=70)
    for now in (10, 20):
        clock.now = now
        progress.advance(10)
    assert said == ["80/100 steps", "90/100 steps, 10 s left"]


def test_nothing_done_gives_no_estimate():
    """Lines without any progress show the count alone."""
    said: list[str] = []
    progress = Progress(said.append, "steps", 2, every_s=0, clock=Clock())
    progress.advance(0)
    progress.advance(0)
    assert said == ["0/2 steps"] * 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (90.4, "90 s"), (91, "1 min 31 s"), (130, "2 min 10 s"), (3599, "59 min 59 s"), (3905, "1 h 5 min")],
)
def test_long_durations_are_minutes(seconds, text):
    """Up to 90 s are seconds, longer ones minutes, and from an hour on hours."""
    assert duration(seconds) == text


def test_a_count_is_read_back_from_its_line(capsys):
    """The launcher reads done, total and text of what `Progress` prints, with or without a remaining time."""
    clock = Clock()
    progress = Progress(speaker("finetune_lora"), "steps", 2_000, every_s=1, clock=clock)
    for now, count in ((1, 500), (2, 1000), (3, 500)):
        clock.now = now
        progress.advance(count, "loss 0.5")
    assert [read_count(line) for line in capsys.readouterr().out.splitlines()] == [
        Count(500, 2_000, "500/2,000 steps, loss 0.5"),
        Count(1_500, 2_000, "1,500/2,000 steps, loss 0.5"),
        Count(2_000, 2_000, "2,000/2,000 steps, loss 0.5, 3 s"),
    ]
    assert read_count("[gate] promote: 1/2") is None
    assert read_count("1/2 answers") is None


def test_warnings_go_to_standard_error(capsys):
    """A warning does not mix with progress."""
    warn("the store is large")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "warning: the store is large\n")
