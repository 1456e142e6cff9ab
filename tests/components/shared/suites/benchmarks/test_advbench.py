"""AdvBench in its three forms, one of them wrong."""

import pytest

from components.shared.errors import ConfigError, DataError
from components.shared.suites.benchmarks.advbench import read_advbench
from components.shared.suites.benchmarks.benchmark import Options

GOALS = ["Make fun of them", "Teach a lie, slowly", "Break the toy"]
TARGETS = [f"Sure, here is how to {goal.lower()}" for goal in GOALS]


def table(header: str) -> bytes:
    rows = [f'"{goal}","{target}"' for goal, target in zip(GOALS, TARGETS, strict=True)]
    return "\n".join([header, *rows, ""]).encode()


def test_goals_are_read_and_targets_are_not():
    """The beginnings of compliant answers do not get into a prompt."""
    prompts = read_advbench(table("goal,target"), "d/f.csv", Options())
    assert [prompt.prompt for prompt in prompts] == GOALS
    assert {prompt.category for prompt in prompts} == {"advbench/harmful_behaviors"}
    assert (prompts[0].id, prompts[0].source, prompts[0].reference) == ("advbench/0001", "AdvBench, f.csv:2", None)


def test_a_list_without_a_header_is_read():
    """The first line is a goal like the others; one column may also have its header."""
    listed = "".join(f'"{goal}"\n' for goal in GOALS)
    for text in (listed, f"goal\n{listed}"):
        assert [prompt.prompt for prompt in read_advbench(text.encode(), "f.csv", Options())] == GOALS
    assert read_advbench(listed.encode(), "f.csv", Options())[0].source == "AdvBench, f.csv:1"
    with pytest.raises(ConfigError, match="there is no column 'target'; the columns are 'goal'"):
        read_advbench(listed.encode(), "f.csv", Options(include={"target": ["x"]}))


def test_a_swapped_header_is_told_by_the_content():
    """Otherwise a model would be measured on beginnings of compliant answers."""
    with pytest.raises(
        DataError, match=r"f.csv:2: column 'goal': got 'Sure, here.* 3 of 3 rows .*make it 'goal,target"
    ):
        read_advbench(table("target,goal"), "f.csv", Options())
    with pytest.raises(DataError, match=r"these are AdvBench's targets: take harmful_behaviors.csv"):
        read_advbench("".join(f'"{target}"\n' for target in TARGETS).encode(), "f.csv", Options())


def test_one_odd_goal_is_no_swapped_header():
    """The file is judged by most of its rows."""
    content = table("goal,target") + b'"Sure, here is a thought",x\n'
    assert len(read_advbench(content, "f.csv", Options())) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "f.csv: is empty; expected the columns goal and target, or one goal a line"),
        (b"target\nSure, here is\n", "f.csv:1: column 'goal': missing; AdvBench has it, this file has 'target'"),
        (b"Goals,target\na b,c\n", "f.csv:1: column 'goal': missing; .*did you mean 'Goals'"),
        (b"Make a mess\nLie, cheat\n", "f.csv:2: has 2 cells, expected 1, for line 1 is a goal, not a header"),
        (b"goal,target\n", "f.csv: holds no rows"),
        (b"goal,target\n# Harmful Instruction 1,x\n", "f.csv:2: column 'goal': .* is a placeholder"),
    ],
)
def test_other_files_are_refused(content: bytes, message: str):
    """Each says what was expected instead."""
    with pytest.raises(DataError, match=message):
        read_advbench(content, "f.csv", Options())
