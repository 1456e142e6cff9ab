"""What docs/review.md says of reasons, settings, tags and commands is so."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from components.shared.artifacts.human_review import Why
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import Policy
from components.shared.config.policy_rules import CategoryRule, FollowUpRule
from components.shared.gate.review_queue import PER_CATEGORY
from components.shared.tracking.reviews import KAPPA_METRIC, REVIEW_TAG, REVIEWER_TAG
from pipelines.cli import app
from pipelines.review.drafts import CHOICES, DRAFTS_DIR
from pipelines.review.labels import REVIEWS_FILE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "review.md").read_text()


def test_every_reason_has_its_row(page: str):
    """The table of reasons is the code's, in its order and words."""
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", page, re.MULTILINE)
    assert rows[1:] == [why.value for why in Why]


def test_settings_and_names_exist(page: str):
    """Fields, tags, metrics, folders and numbers that the page names are the code's."""
    assert {"review_new_failures", "min_pass_pct"} <= CategoryRule.model_fields.keys()
    assert "max_disagreement_pct" in Policy.model_fields
    assert "max_prompts" in FollowUpRule.model_fields
    assert "judge_checks" in EvaluationConfig.model_fields
    for name in (
        f"`{REVIEW_TAG}`",
        f"`{REVIEWER_TAG}`",
        f"`{KAPPA_METRIC}/<judge>`",
        f"`{REVIEWS_FILE}`",
        f"`{DRAFTS_DIR}/`",
        f"at most {PER_CATEGORY} answers",
        *(f"`{word}`" for word in CHOICES),
    ):
        assert name in page


def test_the_commands_have_the_options_that_the_page_shows(page: str):
    """Every flag of every command line of the page is one of the command's."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    lines = re.findall(r"^    plimsoll (.+?)(?: +#.*)?$", page, re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        name, *words = shlex.split(line.replace("[", " ").replace("]", " "))
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
