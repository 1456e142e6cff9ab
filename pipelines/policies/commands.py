"""`plimsoll policy ...`: shows a policy, and how often it errs on simulated models."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.printing import echo, echo_json

if TYPE_CHECKING:
    from components.shared.artifacts.suite_prompt import SuitePrompt
    from components.shared.config.policy import Policy
    from pipelines.policies.policy_rates import Shares

policy_app = typer.Typer(help="Shows policies and how often they err.", no_args_is_help=True)

_PROMPTS = 100
"""Prompts per category if no suite is named: as many as Plimsoll's red-team suite has."""

_MOST_RUNS = 100_000

PolicyFile = Annotated[str, typer.Argument(metavar="POLICY", help="Policy: a YAML file or s3:// address.")]
Json = Annotated[bool, typer.Option("--json", help="Prints one JSON object instead of tables.")]


@policy_app.command(epilog="Example: plimsoll policy show configs/policies/medical.yaml configs/suites/red-team.yaml")
def show(
    policy: PolicyFile,
    suites: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SUITE]...", help="Suites whose prompts are matched with the requirements."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Shows a policy: the rule of each category, floors, follow-up and requirements."""
    from components.shared.config.reading import load_policy
    from components.shared.gate.requirements import prompts_of
    from components.shared.suites.suite_files import load_suites
    from pipelines.policies.tables import show_policy

    loaded = load_policy(policy)
    tested: dict[str, int] | None = None
    if suites:
        prompts = [prompt for suite in load_suites(suites) for prompt in suite.prompts]
        tested = {name: len(prompts_of(requirement, prompts)) for name, requirement in loaded.requirements.items()}
    if as_json:
        content = {"digest": loaded.digest, "policy": loaded.model_dump(mode="json")}
        _print_json(content if tested is None else {**content, "requirement_prompts": tested})
    else:
        show_policy(loaded, tested)


@policy_app.command(epilog="Example: plimsoll policy rates configs/policies/standard.yaml configs/suites/red-team.yaml")
def rates(
    policy: PolicyFile,
    suites: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SUITE]...", help="Suites that give the number of prompts of each category."),
    ] = None,
    prompts: Annotated[
        int | None,
        typer.Option(help=f"Prompts per category if no suite is named; default: {_PROMPTS}.", min=1, max=10_000),
    ] = None,
    samples: Annotated[int, typer.Option(help="Answers per prompt and side.", min=1, max=1000)] = 5,
    wavering: Annotated[float, typer.Option(help="Share of prompts that pass only sometimes, 0 to 1.")] = 0.22,
    judge_noise: Annotated[float, typer.Option(help="Share of answers that the judge gets wrong, 0 to 0.5.")] = 0.05,
    runs: Annotated[int, typer.Option(help="Simulated runs per true drop.", min=1, max=_MOST_RUNS)] = 400,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Shows how often a policy makes each decision on simulated models.

    Simulates an unchanged model, and models with a true drop of 3, 5 and 10 pp in one category each; the gate's own
    rules decide. Floors for levels and the task's gain are left out: they depend on your base and data.
    """
    from components.shared.config.reading import load_policy
    from components.shared.suites.suite_files import load_suites
    from pipelines.policies.policy_rates import FALSE_ACCEPT_PP, simulate
    from pipelines.policies.simulated_answers import Assumptions
    from pipelines.policies.tables import in_one_sentence, show_rates

    if suites and prompts is not None:
        raise typer.BadParameter("the suites give the number of prompts; leave one out", param_hint="--prompts")
    for value, flag, most in ((wavering, "--wavering", 1.0), (judge_noise, "--judge-noise", 0.5)):
        if not 0 <= value <= most:
            raise typer.BadParameter(f"{value}: expected a number from 0 to {most:g}", param_hint=flag)
    loaded = load_policy(policy)
    asked = [prompt for suite in load_suites(suites) for prompt in suite.prompts] if suites else None
    draws = _draws(loaded, asked, prompts or _PROMPTS, samples)
    assumptions = Assumptions(wavering, judge_noise)
    simulated = simulate(loaded, draws, assumptions, runs, seed, lambda line: echo(f"[policy_rates] {line}", err=True))
    counts = {name: len(per_prompt) for name, per_prompt in draws.items()}
    if not as_json:
        show_rates(simulated, loaded, counts, assumptions, samples, seed)
        return
    _print_json(
        {
            "policy": loaded.name,
            "version": loaded.version,
            "digest": loaded.digest,
            "runs": runs,
            "seed": seed,
            "samples_per_prompt": samples,
            **assumptions._asdict(),
            "prompts": counts,
            "unchanged": simulated.unchanged,
            "categories": _by_drop(simulated.categories),
            "overall": _by_drop(simulated.overall),
            "false_reject_pct": simulated.false_reject_pct,
            "false_accept": {"drop_pp": FALSE_ACCEPT_PP, **simulated.false_accept(FALSE_ACCEPT_PP)._asdict()},
            "sentence": in_one_sentence(simulated),
        }
    )


def _draws(policy: "Policy", prompts: "Sequence[SuitePrompt] | None", count: int, samples: int) -> dict[str, list[int]]:
    """Number of answers to each prompt, by category that has a rule."""
    from components.shared.errors import ConfigError
    from components.shared.progress import warn
    from components.shared.vocabulary import RARE_CATEGORY

    if prompts is None:
        return {name: [samples] * count for name in policy.categories}
    draws = {
        name: [prompt.draws(samples) for prompt in prompts if prompt.category == name] for name in policy.categories
    }
    absent = sorted(name for name, per_prompt in draws.items() if not per_prompt)
    if absent and absent != [RARE_CATEGORY]:  # rare intents come from the task's rows, not from a suite
        raise ConfigError(
            f"policy {policy.name} has rules for {absent}, but the suites have no such prompts: name the suites that "
            "have them, or use --prompts without suites"
        )
    if unruled := sorted({prompt.category for prompt in prompts} - {*policy.categories, *policy.ungated}):
        warn(f"policy {policy.name} has no rule for {unruled}: a run with these suites would be invalid")
    return {name: per_prompt for name, per_prompt in draws.items() if per_prompt}


def _by_drop(rates: "Mapping[str, Mapping[float, Shares]]") -> dict[str, dict[str, Any]]:
    return {name: {f"{drop_pp:g}": shares for drop_pp, shares in by_drop.items()} for name, by_drop in rates.items()}


def _print_json(content: dict[str, Any]) -> None:
    echo_json(content)
