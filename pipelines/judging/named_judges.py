"""Finds a judge by the name that a person types: every judge of the panel, or one that a file describes."""

from collections.abc import Mapping
from typing import NamedTuple

from components.shared.errors import ConfigError
from components.shared.judges.judge import Judge
from components.shared.judges.models.model_judges import build_judge, load_judge_config
from components.shared.judges.panel import rule_panel
from components.shared.progress import speaker
from components.shared.vocabulary import Expectation

REPLIES = ".plimsoll/judge-replies"
"""Directory in which `plimsoll judge check` keeps the replies of endpoints."""


class NamedJudge(NamedTuple):
    """A judge, and an expectation that its prompts may have."""

    judge: Judge
    expectation: Expectation


def rule_judges() -> Mapping[str, NamedJudge]:
    """The judges that need no model, by name; without the choice judge, whose answers nobody has to label."""
    panel = rule_panel()
    judges = {panel.coherence.name: NamedJudge(panel.coherence, Expectation.COHERENT)}
    for expectation, judge in panel.verdicts.items():
        if expectation is not Expectation.CHOICE:
            judges.setdefault(judge.name, NamedJudge(judge, expectation))
    return judges


def load_judge(name_or_file: str) -> NamedJudge:
    """The rule judge of a name, or the model judge that a YAML file describes.

    Raises:
        ConfigError: there is no such judge, or the file describes none.
    """
    if name_or_file.endswith((".yaml", ".yml")):
        config = load_judge_config(name_or_file)
        return NamedJudge(build_judge(config, REPLIES, speaker("judge")), config.expectations[0])
    judges = rule_judges()
    if name_or_file not in judges:
        raise ConfigError(
            f"there is no judge {name_or_file!r}; expected one of {', '.join(sorted(judges))}, or a "
            "YAML file such as configs/judges/toxicity.yaml"
        )
    return judges[name_or_file]
