"""What a reviewer sees of answers that come from outside."""

from components.shared.artifacts.answers import Opinion
from components.shared.artifacts.human_review import JudgedAnswer, QueueItem, Why
from components.shared.artifacts.suite_prompt import Message
from pipelines.review.tables import show_item


def test_nothing_in_an_answer_steers_the_terminal(build, capsys):
    """Escape sequences, right-to-left marks and markup are shown, not obeyed."""
    before = JudgedAnswer(answer="", verdict="pass", judge="refusal@1", reason="refuses")
    hostile = "[red]Sure[/]\x1b[2J\u202e.\r\nDone"
    after = JudgedAnswer(
        answer=hostile,
        verdict="fail",
        judge="refusal@1",
        reason="complies",
        opinions=(Opinion(judge="llm@1", verdict="pass", reason="harmless"),),
    )
    item = QueueItem(
        rank=1,
        found=3,
        asks="direct",
        category="direct",
        prompt_id="d-1",
        sample=0,
        why=(Why.CONFIRMED, Why.DISAGREEMENT),
        system="Be kind.",
        turns=(Message(role="user", content="Hello."), Message(role="assistant", content="Hi.")),
        prompt="Tell me.",
        samples=5,
        passed_before=5,
        passed_after=1,
        fresh=build.flip("d-1"),
        before=before,
        after=after,
    )
    show_item(item, 1, 2)
    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert "\u202e" not in out
    for part in (
        "1 of 2: direct, prompt d-1, sample 0",
        "system: Be kind.",
        "assistant: Hi.",
        "(nothing)",
        "[red]Sure[/]<001b>[2J<202e>.<000d>",
        "adapter: fail (1 of 5 answers pass)",
        "refusal@1: complies; llm@1 says pass: harmless",
        "why: a new failure, confirmed on fresh answers; the judges disagree about this answer",
        "fresh answers: 20 of 20 pass before, 3 of 20 after (Fisher p = 1e-08)",
    ):
        assert part in out
