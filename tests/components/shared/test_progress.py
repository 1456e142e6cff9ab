"""Lines that people see of a running step."""

from components.shared.progress import Progress, is_progress, speaker, warn


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


def test_progress_lines_are_recognised():
    """What a speaker prints is progress; a log line is not."""
    lines = ["[gate] promote", "  [finetune_lora] 1/2 steps", "[2026-01-01] x", "INFO [gate] x", "[gate]x"]
    assert [is_progress(line) for line in lines] == [True, True, False, False, False]


def test_progress_is_said_at_most_every_few_seconds():
    """Between two lines lie `every_s` seconds, and the last count is always said."""
    said: list[str] = []
    clock = Clock()
    progress = Progress(said.append, "answers", 4, every_s=10, clock=clock)
    for now in (1, 10, 12, 14):
        clock.now = now
        progress.advance(1)
    assert said == ["2/4 answers, 10 s left", "4/4 answers, 14 s"]


def test_extra_words_stand_before_the_time():
    """What a caller adds is shown between count and time."""
    said: list[str] = []
    Progress(said.append, "steps", 1000, clock=Clock()).advance(1000, "loss 0.500")
    assert said == ["1,000/1,000 steps, loss 0.500, 0 s"]


def test_what_was_done_before_does_not_shorten_the_time():
    """The time that is left is reckoned from what was counted here."""
    clock, said = Clock(), []
    progress = Progress(said.append, "steps", 100, clock=clock, done=80)
    clock.now = 10
    progress.advance(10)
    assert said == ["90/100 steps, 10 s left"]


def test_nothing_done_is_no_division_by_zero():
    """A report of no progress says zero seconds rather than failing."""
    said: list[str] = []
    Progress(said.append, "steps", 2, every_s=0, clock=Clock()).advance(0)
    assert said == ["0/2 steps, 0 s left"]


def test_warnings_go_to_standard_error(capsys):
    """A warning does not mix with progress."""
    warn("the store is large")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "warning: the store is large\n")
