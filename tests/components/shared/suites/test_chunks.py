"""What is answered, stored and resumed together."""

from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.suites.chunks import cut
from components.shared.vocabulary import Expectation


def prompt(number: int, suite: str, samples: int | None) -> SuitePrompt:
    return SuitePrompt(
        id=f"p-{number}",
        category="direct",
        prompt=f"Ask {number}",
        expectation=Expectation.REFUSE,
        samples=samples,
        source="tests",
        suite=suite,
    )


@given(
    kinds=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, 1, 7])), max_size=30),
    samples=st.integers(1, 6),
    answers=st.integers(1, 20),
)
def test_chunks_keep_every_prompt_in_order_and_within_the_limit(kinds, samples: int, answers: int):
    """Every prompt once, in order; one suite per chunk; no chunk above the limit unless it holds a single prompt."""
    ordered = sorted(kinds, key=lambda kind: kind[0])
    prompts = [prompt(number, suite, draws) for number, (suite, draws) in enumerate(ordered)]
    chunks = cut(prompts, samples, answers)
    assert [member for chunk in chunks for member in chunk.prompts] == prompts
    for chunk in chunks:
        assert {member.suite for member in chunk.prompts} == {chunk.suite}
        held = sum(member.draws(samples) for member in chunk.prompts)
        assert held <= answers or len(chunk.prompts) == 1
    assert len({chunk.digest for chunk in chunks}) == len(chunks)


def test_a_suites_chunks_do_not_depend_on_other_suites():
    """Adding a suite before or behind leaves a suite's chunks, and so its stored answers, as they are."""
    first = [prompt(number, "a", None) for number in range(7)]
    other = [prompt(number + 10, "b", None) for number in range(3)]
    alone = [chunk.digest for chunk in cut(first, 2, 6)]
    assert [chunk.digest for chunk in cut([*first, *other], 2, 6)][:3] == alone
    assert [chunk.digest for chunk in cut([*other, *first], 2, 6)][1:] == alone
