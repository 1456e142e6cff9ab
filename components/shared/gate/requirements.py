"""How the prompts that test a policy's requirements did; a requirement that no prompt tests is shown as untested."""

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
    wanted = {prompt.id for own in requirements.values() for prompt in prompts_of(own, evidence.prompts)}
    sides = ([row for row in rows if row.prompt_id in wanted] for rows in (evidence.baseline_rows, evidence.post_rows))
    asked = {own.prompt_id: own for own in pair(*sides)}
    figures = []
    for identity, requirement in requirements.items():
        own = [asked[prompt.id] for prompt in prompts_of(requirement, evidence.prompts) if prompt.id in asked]
        figures.append(
            RequirementFigures(
                requirement=identity,
                text=requirement.text,
                prompts=len(own),
                before_pct=100 * fmean(pair.passing_share(after=False) for pair in own) if own else None,
                after_pct=100 * fmean(pair.passing_share(after=True) for pair in own) if own else None,
            )
        )
    return tuple(figures)


def prompts_of(requirement: Requirement, prompts: Sequence[SuitePrompt]) -> list[SuitePrompt]:
    """The prompts that test a requirement: those named, and those with its category and all of its tags."""
    return [prompt for prompt in prompts if prompt.id in requirement.prompts or _selected(requirement, prompt)]


def _selected(requirement: Requirement, prompt: SuitePrompt) -> bool:
    if not (requirement.categories or requirement.tags):
        return False
    in_category = not requirement.categories or prompt.category in requirement.categories
    return in_category and all(prompt.tag(kind) == value for kind, value in requirement.tags.items())
