"""A judge against labels: every answer counts once, and the figures are those worked out by hand."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.errors import DataError
from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.vocabulary import Expectation, Verdict
from pipelines.judging.comparing import compare, disagreements, exchanges, run_judge
from pipelines.judging.labelled import LABEL_VERDICTS, LabelledFile, LabelledRow, read_labelled

PASS, PARTIAL, FAIL, INCOHERENT, UNSCORED = (
    Verdict.PASS,
    Verdict.PARTIAL,
    Verdict.FAIL,
    Verdict.INCOHERENT,
    Verdict.UNSCORED,
)
PAIRS = st.lists(st.tuples(st.sampled_from(LABEL_VERDICTS), st.sampled_from(list(Verdict))), min_size=1, max_size=40)


def _says(_prompt: SuitePrompt, answer: str) -> Judgement:
    return Judgement(Verdict(answer), "as the answer says")


ECHO = RuleJudge("echo", "1", _says)
"""Gives the verdict that the answer spells."""


def labelled(pairs, prompt="prompt {}"):
    """A file whose rows have the labels and, under ECHO, the verdicts of `pairs`."""
    rows = [
        LabelledRow(line, prompt.format(line), verdict.value, label.value, {})
        for line, (label, verdict) in enumerate(pairs, start=2)
    ]
    columns = {"prompt": "prompt", "answer": "answer", "label": "label"}
    return LabelledFile("folder/labels.csv", "sha256:" + "0" * 64, columns, tuple(rows))


def check(pairs, **changes):
    file = labelled(pairs, **changes)
    judgements = run_judge(ECHO, exchanges(file, Expectation.REFUSE), lambda line: None)
    return compare(ECHO, file, [label for label, _ in pairs], judgements)


BY_HAND = [
    *[(PASS, PASS)] * 5,
    *[(PASS, FAIL)] * 2,
    (PASS, UNSCORED),
    (PARTIAL, PARTIAL),
    (PARTIAL, FAIL),
    (PARTIAL, PASS),
    *[(FAIL, FAIL)] * 6,
    (FAIL, PASS),
    (FAIL, INCOHERENT),
    (FAIL, UNSCORED),
]


def test_figures_by_hand():
    """20 answers, 12 of them right; what is unscored is shown, and wrong in every figure."""
    found = check(BY_HAND)
    assert (found.answers, found.prompts, found.judge, found.labels_file) == (20, 20, "echo@1", "labels.csv")
    assert found.confusion[FAIL] == {PASS: 1, PARTIAL: 0, FAIL: 6, INCOHERENT: 1, UNSCORED: 1}
    assert (found.accuracy.count, found.accuracy.of, found.accuracy.value) == (12, 20, 0.6)
    assert (found.unscored.count, found.unscored.of) == (2, 20)
    precision_of_pass, recall_of_pass = found.classes[PASS].precision, found.classes[PASS].recall
    assert (precision_of_pass.count, precision_of_pass.of) == (5, 7)
    assert (recall_of_pass.count, recall_of_pass.of) == (5, 8)
    assert found.classes[FAIL].f1.value == pytest.approx(2 * 6 / (9 + 9))
    expected_macro = (2 * 5 / (8 + 7) + 2 * 1 / (3 + 1) + 2 * 6 / (9 + 9)) / 3
    assert found.macro_f1.value == pytest.approx(expected_macro)
    chance = (8 * 7 + 3 * 1 + 9 * 9) / 400
    assert found.kappa.value == pytest.approx((0.6 - chance) / (1 - chance))


def test_sensitivity_and_specificity_speak_about_passing():
    """Of the 12 answers that people did not pass, 9 were not passed; of the 8 that they passed, 5 were."""
    found = check(BY_HAND)
    assert (found.sensitivity.count, found.sensitivity.of) == (9, 12)
    assert (found.specificity.count, found.specificity.of) == (5, 8)


def test_a_class_that_the_judge_never_gives_has_no_precision():
    """Precision of nothing is undefined, while recall is 0."""
    figures = check([(PASS, FAIL), (FAIL, FAIL), (FAIL, FAIL)]).classes[PASS]
    assert (figures.precision.value, figures.precision.of) == (None, 0)
    assert figures.recall.value == 0


def test_binary_labels_have_two_classes():
    """Where people say only pass or fail, a `partial` verdict is wrong, and no class of its own."""
    found = check([(PASS, PASS), (FAIL, PARTIAL), (FAIL, FAIL)])
    assert set(found.classes) == {PASS, FAIL}
    assert found.accuracy.count == 2
    assert (found.sensitivity.count, found.sensitivity.of) == (2, 2)


@given(PAIRS)
def test_every_answer_is_in_every_figure(pairs):
    """The confusion matrix adds up to n by label, the diagonal is accuracy, and both rates cover all answers."""
    found = check(pairs)
    counts = {label: sum(row.values()) for label, row in found.confusion.items()}
    assert counts == {label: sum(said is label for said, _ in pairs) for label in {said for said, _ in pairs}}
    assert found.accuracy.count == sum(row[label] for label, row in found.confusion.items())
    assert found.accuracy.of == found.unscored.of == found.sensitivity.of + found.specificity.of == len(pairs)
    assert {label: figures.recall.of for label, figures in found.classes.items()} == counts
    for share in (found.accuracy, found.unscored):
        assert share.lower <= share.value <= share.upper


@given(PAIRS, st.integers(0, 1000))
def test_the_order_of_rows_makes_no_difference(pairs, seed):
    """Shuffled rows give the same figures and intervals."""
    shuffled = random.Random(seed).sample(pairs, len(pairs))
    assert check(shuffled) == check(pairs)


def test_repeated_prompts_are_counted():
    """Several answers to one prompt are told from as many prompts."""
    found = check([(PASS, PASS), (FAIL, FAIL), (FAIL, FAIL)], prompt="the same")
    assert (found.answers, found.prompts) == (3, 1)


def test_disagreements_are_in_file_order():
    """Each row whose verdict is not its label is listed with both."""
    pairs = [(PASS, PASS), (FAIL, PASS), (PASS, UNSCORED)]
    file = labelled(pairs)
    judgements = ECHO.judge(exchanges(file, Expectation.REFUSE))
    found = disagreements(file, [label for label, _ in pairs], judgements)
    assert [(wrong.row.line, wrong.expected, wrong.judgement.verdict) for wrong in found] == [
        (3, FAIL, PASS),
        (4, PASS, UNSCORED),
    ]


def test_progress_is_said_only_when_it_takes_long():
    """A slow judge says where it stands; a quick one says nothing."""
    asked = exchanges(labelled([(PASS, PASS)] * 600), Expectation.REFUSE)
    slow, quick = iter(range(0, 1000, 5)), iter([0.001 * step for step in range(1000)])
    said, unsaid = [], []
    assert len(run_judge(ECHO, asked, said.append, clock=lambda: next(slow))) == 600
    assert len(run_judge(ECHO, asked, unsaid.append, clock=lambda: next(quick))) == 600
    assert [line.partition(",")[0] for line in said] == ["256/600 answers judged", "512/600 answers judged"]
    assert unsaid == []


def test_what_a_judge_needs_besides_is_read(tmp_path):
    """Caveats are separated by semicolons in CSV; constraints are JSON; a system prompt is text."""
    path = tmp_path / "labels.csv"
    path.write_text(
        "prompt,answer,label,warnings,constraints,system\n"
        'p,a,pass,see a doctor; no advice,"[{""id"": ""length"", ""arguments"": {""words"": 3}}]",Be brief.\n'
    )
    file = read_labelled(str(path), {"caveats": "warnings"})
    prompt = exchanges(file, Expectation.CAVEAT)[0].prompt
    assert prompt.caveats == ("see a doctor", "no advice")
    assert [(constraint.id, constraint.arguments) for constraint in prompt.constraints] == [("length", {"words": 3})]
    assert prompt.system == "Be brief."


def test_what_a_judge_needs_and_lacks_is_an_error(tmp_path):
    """A missing column, an empty cell and a cell that cannot be read are named."""
    path = tmp_path / "labels.csv"
    path.write_text("prompt,answer,label,reference,constraints\np,a,pass,b,nonsense\np,a,pass,,\n")
    file = read_labelled(str(path))
    with pytest.raises(DataError, match="reads caveats as well, and there is no such column"):
        exchanges(file, Expectation.CAVEAT)
    with pytest.raises(DataError, match=r"labels.csv:2: constraints: .*'nonsense'"):
        exchanges(file, Expectation.CONSTRAINTS)
    path.write_text("prompt,answer,label,reference\np,a,pass,b\np,a,pass,\n")
    with pytest.raises(DataError, match=r"labels.csv:3: reference: empty"):
        exchanges(read_labelled(str(path)), Expectation.EXACT)
