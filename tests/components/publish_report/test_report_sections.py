"""What a decision rests on, as people read it."""

import re

import pytest
from markdown_it import MarkdownIt

from components.publish_report.markdown import report_markdown
from components.publish_report.report_sections import (
    ancestry_section,
    notes,
    requirement_section,
    training_section,
    witness_section,
)
from components.shared.artifacts.comparison import AncestorDrop, Ancestry
from components.shared.artifacts.decision import Decision, RequirementFigures, RunReport, Witness
from components.shared.vocabulary import Verdict


def witness(**changes: object) -> Witness:
    fields = {
        "prompt_id": "d-017",
        "category": "direct",
        "sample": 2,
        "seed": 7,
        "contract_digest": "sha256:c",
        "base_digest": "sha256:b",
        "adapter_digest": "sha256:a",
        "before": "I can't help\nwith `that`.",
        "before_verdict": Verdict.PASS,
        "before_reason": "refuses",
        "after": "word " * 100,
        "after_verdict": Verdict.FAIL,
        "after_reason": "complies",
    }
    return Witness(**{**fields, **changes})


def test_a_witness_is_shown_with_both_answers_and_how_to_draw_them_again(build):
    """One line per answer, cut where it is long, and nothing in it can break out of its code span."""
    lines = witness_section(build.gate_decision("reject", witnesses=(witness(),)), "run-9")
    assert "`plimsoll replay run-9 d-017`" in lines[2]
    assert "`plimsoll verify run-9`" in lines[2]
    assert "**`d-017`** (direct, answer 2, seed 7)" in lines
    assert "- before, pass (refuses): `I can't help with 'that'.`" in lines
    assert lines[-1].endswith("word…`") or lines[-1].endswith("…`")
    assert len(lines[-1]) < 360
    assert "(nothing)" in witness_section(build.gate_decision("reject", witnesses=(witness(after=""),)), "r")[-1]
    assert witness_section(build.gate_decision(), "run-9") == []


@pytest.mark.parametrize(
    ("attempt", "words"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (21, "21st"), (112, "112th")]
)
def test_the_attempt_is_counted_in_words(build, attempt: int, words: str):
    """Twenty attempts make a lucky one likely, so the report says which one it is."""
    assert notes(build.gate_decision(attempt=attempt))[0] == f"- This is the {words} decided run on this base and task."


def test_how_much_there_was_to_lose_is_said(build):
    """The base's pass rate in each gated category; the task's is no matter of safety."""
    assert notes(build.gate_decision()) == ["- How much there was to lose: the base passes 95 % of direct."]
    gate = build.gate_decision()
    task = gate.reasons[0].model_copy(update={"category": "task"})
    assert notes(gate.model_copy(update={"reasons": (task,)})) == []


def test_cautions_are_shown(build):
    """Each is a line of its own."""
    gate = build.gate_decision(cautions=("only 1 of 2 categories", "never compared: a@1"))
    assert notes(gate)[1:] == ["- Caution: only 1 of 2 categories.", "- Caution: never compared: a@1."]


def test_a_promotion_names_its_nearest_miss_and_corrections_are_shown(build):
    """The least room to a limit, and the measured figures beside the corrected ones."""
    gate = build.gate_decision(nearest_miss="direct, 1.0 pp inside its limit (<= 5 pp)")
    corrected = gate.reasons[0].model_copy(update={"judged": build.delta(drop_pp=1.2)})
    gate = gate.model_copy(update={"reasons": (corrected,)})
    assert notes(gate)[1:] == [
        "- Nearest miss: direct, 1.0 pp inside its limit (<= 5 pp).",
        "- direct: corrected for the judge's measured errors; uncorrected: +1.0 pp (-1.0 to +3.0).",
    ]


def test_an_untested_requirement_says_so():
    """No prompt, no figure."""
    tested = RequirementFigures(requirement="M-1", text="urges care", prompts=4, before_pct=100.0, after_pct=75.0)
    untested = RequirementFigures(requirement="M-2", text="children", prompts=0, before_pct=None, after_pct=None)
    lines = requirement_section((tested, untested))
    assert "| M-1 | urges care | 4 | 100.0 % | 75.0 % |" in lines
    assert "| M-2 | children | 0 | untested | untested |" in lines
    assert requirement_section(()) == []


def test_the_original_model_is_compared_or_it_is_said_why_not():
    """The sum of all tunings, by category; a report that does not fit is named, not used."""
    drop = AncestorDrop(prompts=100, ancestor_pct=96.0, after_pct=84.0, drop_pp=12.0, lower_pp=7.0, upper_pp=17.0)
    compared = Ancestry(ancestor="sha256:a", name="first-base", drops={"direct": drop}, problems=())
    assert "| direct | 100 | 96.0 % | 84.0 % | +12.0 pp (+7.0 to +17.0) |" in ancestry_section(compared)
    other = Ancestry(ancestor="sha256:a", name="first-base", drops={}, problems=("tokenizer differs",))
    assert "- cannot be compared: tokenizer differs" in ancestry_section(other)
    assert ancestry_section(None) == []


def test_what_was_learnt_is_shown(build):
    """Share, answers and the first row as code, and what happens to thinking."""
    assert training_section(None) == []
    lines = training_section(build.learnt_tokens(thinking="answers are short"))
    assert lines[2] == (
        "25.0 % of the 100 tokens of 2 rows: 3 answers, each with its end token, after the prompt in which it is "
        "asked; answers are short."
    )
    assert lines[-2:] == ["    <|user|>Hello?<|end|>", "    ⟦Hi.<|end|>⟧"]
    assert training_section(build.learnt_tokens())[2].endswith("in which it is asked.")


def test_nothing_from_outside_is_interpreted(build):
    """Names, reasons, answers, notes and errors make no HTML, link, emphasis, heading, code block or cell."""
    attack = "bias[/b] <img src=x onerror=alert(1)> ](javascript:alert(1)) `a` | b **c** \x1b[2J\u202e"
    gate = build.gate_decision("reject")
    seen = witness(prompt_id=attack, category=attack, before=attack, after=attack, before_reason=attack)
    delta = gate.reasons[0].delta.model_copy(update={"category": attack})
    reason = gate.reasons[0].model_copy(update={"category": attack, "sentence": attack, "delta": delta})
    changes = {"reasons": (reason,), "problems": (attack,), "policy_name": attack, "witnesses": (seen,)}
    changes |= {"decision": Decision.INVALID, "cautions": (attack,)}
    report = RunReport(
        pipeline=attack,
        pipeline_run="run-1",
        mlflow_run_id="abc",
        status="failed",
        gate=gate.model_copy(update=changes),
        note=f"{attack}\n\n# {attack}",
        error=attack,
    )
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(report_markdown(report))
    tags = {"h1", "h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code", "blockquote"}
    assert set(re.findall(r"<(\w+)", html)) <= tags
    assert not re.search(r"href|\x1b|\u202e", html)
    assert html.count("<h1>") == 1
    assert html.partition("<tbody>")[2].partition("</tbody>")[0].count("<td") == 8
