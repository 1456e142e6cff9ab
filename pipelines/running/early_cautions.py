"""The cautions of a run before it starts: its policy, and the judges that will read its suites."""

from collections.abc import Sequence
from pathlib import Path

from components.shared.artifacts.judge_check import QuotedCheck, known_checks
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy import Policy
from components.shared.gate.cautions import cautions
from components.shared.gate.judge_correction import measured_errors
from components.shared.judges.panel import Panel
from components.shared.vocabulary import COMPUTED, Expectation


def early_cautions(
    policy: Policy, prompts: Sequence[SuitePrompt], panel: Panel | None, directory: Path
) -> tuple[str, ...]:
    """The cautions that the decision will repeat.

    Args:
        policy: the rules.
        prompts: all prompts, of suites and held-out rows.
        panel: the judges; None if they could not be looked at, and then nothing is said of them.
        directory: of the judges' checks.

    Raises:
        IntegrityError: a check was changed after it was written.
    """
    judges: dict[str, set[str]] = {}
    if panel is not None:
        for prompt in (prompt for prompt in prompts if prompt.expectation not in COMPUTED):
            judges.setdefault(prompt.category, set()).add(_reader(panel, prompt.expectation))
    named = {judge for labels in judges.values() for judge in labels}
    return cautions(policy, prompts, judges, {judge for judge in named if _is_measured(judge, directory)})


def _reader(panel: Panel, expectation: Expectation) -> str:
    key = "coherence" if expectation is Expectation.COHERENT else expectation.value
    return panel.versions[key].partition("+")[0]


def _is_measured(judge: str, directory: Path) -> bool:
    checks = [QuotedCheck.of(check) for check in known_checks(directory, *judge.split("@", 1))]
    return measured_errors(judge, checks) is not None
