"""The suites that Plimsoll ships: what they promise, counted over the rows."""

import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.constraints.constraint_judge import CONSTRAINTS
from components.shared.judges.judge import Exchange
from components.shared.suites.suite_files import Suite, load_suites
from components.shared.vocabulary import Expectation, Verdict

NAMES = ("red-team", "instruction-following", "hallucination", "tone", "coherence", "misalignment")
ALIKE = 0.6


@pytest.fixture(scope="module")
def suites(root: Path) -> dict[str, Suite]:
    return {suite.name: suite for suite in load_suites([str(root / f"configs/suites/{name}.yaml") for name in NAMES])}


def of(suites: dict[str, Suite], category: str) -> list[SuitePrompt]:
    return [prompt for suite in suites.values() for prompt in suite.prompts if prompt.category == category]


def test_all_own_suites_can_be_used_in_one_run(suites: dict[str, Suite], root: Path):
    """No id and no text occurs twice, with the toy suite beside them."""
    together = load_suites([str(root / f"configs/suites/{name}.yaml") for name in (*NAMES, "toy")])
    assert len(together) == 7


def test_the_red_team_suite_has_a_hundred_prompts_of_each_category(suites: dict[str, Suite]):
    """Five categories of one hundred, each with the expectation that its judge reads."""
    assert suites["red-team"].categories == dict.fromkeys(("direct", "indirect", "domain", "bias", "benign_twin"), 100)
    expected = {"direct": "refuse", "indirect": "refuse", "domain": "caveat", "benign_twin": "answer"}
    for category, expectation in expected.items():
        assert {prompt.expectation.value for prompt in of(suites, category)} == {expectation}


@pytest.mark.parametrize(
    ("category", "kind", "values", "least"),
    [
        ("indirect", "technique", {"jailbreak", "persona", "hypothetical", "other"}, 20),
        ("domain", "profile", {"medical", "legal", "financial", "code-security"}, 20),
        ("instruction_following", "depth", {"1", "3", "5"}, 20),
    ],
)
def test_every_kind_has_enough_prompts(
    suites: dict[str, Suite], category: str, kind: str, values: set[str], least: int
):
    """Each technique, profile and depth has at least twenty prompts, and there are no others."""
    counts = Counter(prompt.tag(kind) for prompt in of(suites, category))
    assert set(counts) == values
    assert min(counts.values()) >= least


def test_bias_prompts_come_in_pairs_that_differ_in_the_group(suites: dict[str, Suite]):
    """Fifty pairs: same expectation and caveats, different groups, and a few words of difference at most."""
    pairs = defaultdict(list)
    for prompt in of(suites, "bias"):
        pairs[prompt.pair_id].append(prompt)
    assert len(pairs) == 50
    for first, second in pairs.values():
        assert first.group != second.group
        assert (first.expectation, first.caveats) == (second.expectation, second.caveats)
        words = Counter(first.prompt.split())
        words.subtract(second.prompt.split())
        assert 1 <= sum(map(abs, words.values())) / 2 <= 4, first.id


def test_every_harmless_twin_names_the_prompt_that_it_resembles(suites: dict[str, Suite]):
    """A twin points to a harmful prompt of the suite, and no two to the same one."""
    harmful = {prompt.id for prompt in of(suites, "direct") + of(suites, "indirect")}
    twins = [prompt.tag("twin") for prompt in of(suites, "benign_twin")]
    assert set(twins) <= harmful
    assert len(set(twins)) == len(twins)


def test_every_instruction_prompt_can_be_followed(suites: dict[str, Suite]):
    """Its own reference follows all its rules at once."""
    prompts = of(suites, "instruction_following")
    judged = CONSTRAINTS.judge([Exchange(prompt, str(prompt.reference)) for prompt in prompts])
    assert [p.id for p, judgement in zip(prompts, judged, strict=True) if judgement.verdict is not Verdict.PASS] == []
    assert sum(prompt.tag("secret") == "yes" for prompt in prompts) >= 24


def test_coherence_asks_ten_questions_fifty_times(suites: dict[str, Suite]):
    """Ten prompts, each with fifty answers whatever the config draws elsewhere."""
    assert [prompt.draws(5) for prompt in of(suites, "coherence")] == [50] * 10


def test_half_of_the_hallucination_prompts_bring_a_context(suites: dict[str, Suite]):
    """Unanswerable questions, and contexts that do not hold the answer, thirty of each."""
    kinds = Counter(str(prompt.tag("kind")).endswith("context") for prompt in of(suites, "hallucination"))
    contexts = Counter(prompt.tag("kind") for prompt in of(suites, "hallucination"))
    assert contexts["contradicting_context"] + contexts["missing_in_context"] == 30
    assert sum(kinds.values()) == 60


def test_no_two_prompts_are_nearly_the_same(suites: dict[str, Suite]):
    """Within a category no two prompts share most of their words, but for the two of a pair."""
    for category in {prompt.category for suite in suites.values() for prompt in suite.prompts}:
        words = [(prompt, set(re.findall(r"\w+", prompt.prompt.lower()))) for prompt in of(suites, category)]
        alike = [
            (first.id, second.id)
            for (first, ours), (second, other) in combinations(words, 2)
            if len(ours & other) / len(ours | other) >= ALIKE and (not first.pair_id or first.pair_id != second.pair_id)
        ]
        assert alike == []


def test_every_prompt_says_where_it_is_from(suites: dict[str, Suite]):
    """All are Plimsoll's own, and only the misalignment suite needs a judge that is a model."""
    prompts = [prompt for suite in suites.values() for prompt in suite.prompts]
    assert {prompt.source for prompt in prompts} == {"plimsoll"}
    needs_model = {prompt.suite for prompt in prompts if prompt.expectation is Expectation.ALIGNED}
    assert needs_model == {"misalignment"}
