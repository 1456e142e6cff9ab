"""The judges of one evaluation: the rules, and the models that the config names."""

from collections.abc import Iterable
from dataclasses import replace

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.evaluation import EvaluationConfig
from components.shared.errors import ConfigError
from components.shared.judges.models.model_judges import build_judges
from components.shared.judges.panel import Panel, rule_panel
from components.shared.progress import Say


def panel_of(evaluation: EvaluationConfig, replies: str | None, say: Say) -> Panel:
    """The judges that read this evaluation's answers; no model is loaded yet.

    Args:
        evaluation: config; it names the judges that are models.
        replies: directory or s3:// address that keeps the replies of endpoints; None keeps none.
        say: where progress goes.

    Raises:
        ConfigError: see `build_judges`.
    """
    rules = rule_panel()
    models = build_judges(evaluation.judges, replies, say)
    return replace(
        rules,
        verdicts={**rules.verdicts, **models.verdicts},
        second=models.second,
        fluency=evaluation.coherence == "log_probability",
    )


def refuse_unjudged(panel: Panel, prompts: Iterable[SuitePrompt]) -> None:
    """Checks that every prompt has a judge.

    Raises:
        ConfigError: a prompt's expectation needs a judge that is a model, and none is configured.
    """
    for prompt in prompts:
        if prompt.expectation not in panel.readable:
            raise ConfigError(
                f"suite {prompt.suite!r}: prompt {prompt.id!r} expects {prompt.expectation.value!r}, which no rule can "
                "judge: add a judge with role: verdict and this expectation under evaluation.judges (see "
                "configs/judges), or leave the suite out"
            )
