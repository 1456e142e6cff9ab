"""All metrics together: order, definitions, errors and speed."""

import math
import re
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.answers import Opinion
from components.shared.errors import DataError
from components.shared.metrics.catalogue import CATALOGUE
from components.shared.metrics.definition import Definition
from components.shared.metrics.measure import measure
from components.shared.metrics.probes import probe_metrics
from components.shared.vocabulary import Expectation, Verdict

OPTIONS = ("one", "two", "not known")
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2 * len(Expectation) + 1),
        st.sampled_from(list(Verdict)),
        st.floats(0, 1),
        st.sampled_from(OPTIONS),
    ),
    max_size=60,
)


def _prompts(build):
    """Two or more prompts of every expectation, in pairs, with depths, a secret and bias facts; and a task."""
    expectations = [*Expectation, *Expectation]
    prompts = [
        build.prompt(
            f"p-{n}",
            category=f"c{n % 3}",
            expectation=expectation,
            caveats=("see somebody",),
            options=OPTIONS,
            right_option=n % 2,
            bias={"ambiguous": n < 11, "unknown_option": 2, "biased_option": 0},
            constraints=({"id": "plimsoll:no_leak", "arguments": {"secret": "maple-4471"}},),
            pair_id=f"pair {n // 2}",
            group=f"group {n % 2}",
            tags=(f"depth:{n % 2}",),
        )
        for n, expectation in enumerate(expectations)
    ]
    return [
        *prompts,
        *(build.prompt(f"t-{n}", category="task", expectation="exact", reference="one") for n in range(2)),
    ]


def _answers(build, prompts, drawn):
    samples = Counter()
    rows = []
    for place, verdict, score, answer in drawn:
        prompt = prompts[place]
        opinion = Opinion(judge="toxicity@1", verdict=verdict, score=score, reason="said so")
        rows.append(
            build.row(
                prompt.id,
                samples[place],
                verdict,
                category=prompt.category,
                answer=answer,
                base_log_prob=-score,
                opinions=(opinion,),
            )
        )
        samples[place] += 1
    return rows


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_prompts_does_not_count(build, drawn, random):
    """Shuffled rows and prompts give exactly the same numbers in the same order."""
    prompts = _prompts(build)
    rows = _answers(build, prompts, drawn)
    shuffled = measure(random.sample(prompts, len(prompts)), random.sample(rows, len(rows)))
    assert shuffled == measure(prompts, rows)


@given(ROWS)
def test_every_number_is_defined_finite_and_within_its_unit(build, drawn):
    """Each metric is in the catalogue with its unit and direction, occurs once, and shares lie in 0 to 100 %."""
    prompts = _prompts(build)
    metrics = measure(prompts, _answers(build, prompts, drawn))
    assert len({(metric.name, metric.category) for metric in metrics}) == len(metrics)
    for metric in metrics:
        (definition,) = _definitions(metric.name)
        assert definition.unit == metric.unit
        assert math.isfinite(metric.value)
        if metric.unit == "%":
            assert 0 <= metric.value <= 100 + 1e-9
        if definition.worse not in ("by expectation", "either"):
            assert definition.worse == metric.worse


def test_every_definition_can_be_measured(build):
    """Rows of every kind, one judge whose low scores are bad, and the probes, give a metric for each definition."""
    prompts = _prompts(build)
    drawn = [
        (place, verdict, 0.5, OPTIONS[(place + turn) % 3])
        for place in range(len(prompts))
        for turn, verdict in enumerate(("pass", "fail"))
    ]
    rows = _answers(build, prompts, drawn)
    metrics = [*measure(prompts, rows), *measure(prompts, rows, {"toxicity": "down"})]
    metrics += probe_metrics({"direct": [1.0]}, {"harmful": [1.0], "benign": [1.0]}, [1.0])
    assert {definition for metric in metrics for definition in _definitions(metric.name)} == set(CATALOGUE.values())


def test_names_of_one_definition_are_not_anothers():
    """A name belongs to exactly one definition, also where a place is filled in with odd text."""
    for definition in CATALOGUE.values():
        name = definition.name.format(k=5, judge="a/b", group="{x} / y\n", depth="1")
        assert [definition] == _definitions(name)
    assert _definitions("no such metric") == []


def _definitions(name: str) -> list[Definition]:
    """The definitions whose name, with its places filled in, may be this one."""
    patterns = {known: re.sub(r"\\{\w+\\}", ".+", re.escape(known)) for known in CATALOGUE}
    return [CATALOGUE[known] for known, pattern in patterns.items() if re.fullmatch(pattern, name, re.DOTALL)]


def test_no_rows_are_no_metrics(build):
    """Without answers there is nothing, not zeros."""
    assert measure([build.prompt("a", pair_id="x")], []) == ()


def test_all_comes_first_then_categories_by_name(build):
    """The order is fixed, whatever the order of the suites."""
    prompts = [build.prompt("a", category="zebra"), build.prompt("b", category="ant")]
    rows = [build.row("a", category="zebra"), build.row("b", category="ant")]
    assert list(dict.fromkeys(metric.category for metric in measure(prompts, rows))) == ["all", "ant", "zebra"]


def test_a_row_without_its_prompt_is_refused(build):
    """An unknown prompt, and a known one in another category, are errors that name the row."""
    for row in (build.row("b", 3), build.row("a", 3, category="other")):
        with pytest.raises(DataError, match=f"sample 3 answers prompt {row.prompt_id!r}"):
            measure([build.prompt("a")], [row])


def test_a_category_called_all_is_refused(build):
    """It could not be told from the numbers about all."""
    with pytest.raises(DataError, match="'all' is kept"):
        measure([build.prompt("a", category="all")], [])


def test_a_prompt_given_twice_is_refused(build):
    """One id is one prompt."""
    with pytest.raises(DataError, match="'a' occurs twice"):
        measure([build.prompt("a"), build.prompt("a")], [])


def test_100_000_rows_take_seconds(build):
    """Each row is looked at a fixed number of times: 200 categories are not 200 scans."""
    expectations = [expectation for expectation in Expectation if expectation is not Expectation.CHOICE]
    prompts = [
        build.prompt(f"p-{n}", category=f"c{n % 200}", expectation=expectations[n % 10], pair_id=f"x{n // 2}")
        for n in range(20_000)
    ]
    first = [build.row(prompt.id, category=prompt.category) for prompt in prompts]
    rows = [row.model_copy(update={"sample": n, "verdict": Verdict.FAIL}) for n in range(5) for row in first]
    started = time.process_time()
    measure(prompts, rows)
    assert time.process_time() - started < 40
