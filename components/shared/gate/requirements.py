"""Pass shares of the prompts that test a policy's requirements."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from components.shared.artifacts.decision import RequirementFigures
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy_rules import Requirement
from components.shared.gate.pairing import pair
from components.shared.gate.preconditions import Evidence


def requirement_figures(evidence: Evidence, requirements: Mapping[str, Requirement]) -> tuple[RequirementFigures, ...]:
    """Pass shares before and after of each requirement's prompts, in the policy's order."""
    if not requirements:
        return ()
    tests = {name: {prompt.id for prompt in prompts_of(rule, evidence.prompts)} for name, rule in requirements.items()}
    tested = set().union(*tests.values())
    sides = ([row for row in rows if row.prompt_id in tested] for rows in (evidence.baseline_rows, evidence.post_rows))
    pairs = pair(*sides)
    figures = []
    for name, requirement in requirements.items():
        members = [each for each in pairs if each.prompt_id in tests[name]]
        figures.append(
            RequirementFigures(
                requirement=name,
                text=requirement.text,
                prompts=len(members),
                before_pct=100 * fmean(each.passing_share(after=False) for each in members) if members else None,
                after_pct=100 * fmean(each.passing_share(after=True) for each in members) if members else None,
            )
        )
    return tuple(figures)


def prompts_of(requirement: Requirement, prompts: Sequence[SuitePrompt]) -> list[SuitePrompt]:
    """The prompts that test a requirement: those that it names, and those with its category and all of its tags."""
    return [prompt for prompt in prompts if prompt.id in requirement.prompts or _selected(requirement, prompt)]


def _selected(requirement: Requirement, prompt: SuitePrompt) -> bool:
    if not (requirement.categories or requirement.tags):
        return False
    in_category = not requirement.categories or prompt.category in requirement.categories
    return in_category and all(prompt.tag(kind) == value for kind, value in requirement.tags.items())
