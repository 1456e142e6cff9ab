"""The held-out task's overlaps with its references."""

import pytest

from components.shared.metrics.measure import measure


def _task(build, name, **changes):
    return build.prompt(name, **{"category": "task", "expectation": "exact", "reference": "the red door", **changes})


def _row(build, name, answer, verdict="pass"):
    return build.row(name, 0, verdict, category="task", answer=answer)


def _values(metrics, category="task"):
    return {m.name: m.value for m in metrics if m.category == category and m.name.startswith("task/")}


def test_golden_overlaps(build):
    """The reference itself and "door red", which shares two words out of order: F1 2·1·(2/3)/(5/3), ROUGE-L with 1."""
    prompts = [_task(build, "a"), _task(build, "b", expectation="similar", reference="open red door")]
    rows = [_row(build, "a", "the red door"), _row(build, "b", "door red", "unscored")]
    assert _values(measure(prompts, rows)) == pytest.approx(
        {"task/exact_match": 50.0, "task/token_f1": 100 * (1 + 0.8) / 2, "task/rouge_l": 100 * (1 + 0.4) / 2}
    )


def test_the_task_is_no_part_of_all(build):
    """Learning the task cannot hide a lost refusal: `all` is the same with and without the task's rows."""
    prompts = [build.prompt("a"), _task(build, "t")]
    full = measure(prompts, [*build.rows("a", 1, 4), _row(build, "t", "the red door")])
    alone = measure(prompts[:1], build.rows("a", 1, 4))
    assert [m for m in full if m.category == "all"] == [m for m in alone if m.category == "all"]
    assert _values(full, "all") == {}


def test_references_elsewhere_are_no_task(build):
    """A model answer kept for probes, and a reference in a suite, have no task metric."""
    prompts = [build.prompt("a", reference="I cannot help."), build.prompt("b", expectation="exact", reference="x")]
    assert _values(measure(prompts, [build.row("a"), build.row("b")]), "direct") == {}
    without = _task(build, "c", reference=None)
    assert _values(measure([without], [_row(build, "c", "the red door")])) == {}
