"""The judges of one evaluation: the rules, and the models that the config names."""

from collections.abc import Iterable
from dataclasses import replace

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.evaluation import EvaluationConfig
from components.shared.errors import ConfigError, DataError
from components.shared.judges.models.model_judges import build_judges
from components.shared.judges.numeric import final_number
from components.shared.judges.panel import Panel, rule_panel
from components.shared.progress import Say
from components.shared.signing import SigningKey
from components.shared.vocabulary import Expectation


def panel_of(
    evaluation: EvaluationConfig, replies: str | None, say: Say, signing_key: SigningKey | None = None
) -> Panel:
    """The judges that read this evaluation's answers; no model is loaded yet.

    Args:
        evaluation: config; it names the judges that are models.
        replies: directory or s3:// address that keeps the replies of endpoints; None keeps none.
        say: where progress goes.
        signing_key: of the store, for the replies; None: they are not signed.

    Raises:
        ConfigError: see `build_judges`.
    """
    rules = rule_panel()
    models = build_judges(evaluation.judges, replies, say, signing_key)
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
        DataError: a prompt expects a number, and its reference has none.
    """
    for prompt in prompts:
        if prompt.expectation not in panel.readable:
            raise ConfigError(
                f"suite {prompt.suite!r}: prompt {prompt.id!r} expects {prompt.expectation.value!r}, which no rule can "
                "judge: add a judge with role: verdict and this expectation under evaluation.judges (see "
                "configs/judges), or leave the suite out"
            )
        if prompt.expectation is Expectation.NUMERIC and final_number(prompt.reference or "") is None:
            raise DataError(
                f"{prompt.source}: the answer {(prompt.reference or '')[:60]!r} holds no number, which expectation "
                "'numeric' compares; remove it, or compare in another way (data.task_metric for held-out rows)"
            )
