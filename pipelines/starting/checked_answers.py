"""Turns each answer of `plimsoll init` into a value of the config, or says why it cannot be one."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from components.shared.config.base_model import BaseModelRef
from components.shared.config.names import check_model_name, check_pipeline_name
from components.shared.config.policy import Policy
from components.shared.config.reading import load_policy
from components.shared.config.sections import Columns, DataConfig, TrackingConfig
from components.shared.data.training_files import TrainingFile, read_training_files
from components.shared.errors import ConfigError, PlimsollError
from components.shared.generation.base_models import cached_base_model, check_base_model
from components.shared.judges.panel import rule_panel
from components.shared.suites.suite_files import Suite, load_suites
from pipelines.running.reach import why_hub_unreached, why_unreached
from pipelines.running.template_check import can_read_templates
from pipelines.starting.shipped import POLICIES, SUITES, address_of, readable, shipped_folder, shipped_names

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_ROUNDED_TO = 64
_LONGEST_ROWS = 50
"""So many of the longest rows, by characters, are counted in tokens."""


class FoundRows(NamedTuple):
    """The task's rows, as they were found.

    Attributes:
        address: where they are.
        columns: as named by the user; None where the format names them.
        file: the rows; None if this machine does not reach them.
    """

    address: str
    columns: Columns | None
    file: TrainingFile | None

    @property
    def sentence(self) -> str:
        """How many rows there are, and of what shape."""
        if self.file is None:
            return "not read: this machine does not reach it"
        shape = self.file.shape.replace("_", "/") if self.columns is None else "named columns"
        return f"{len(self.file.chats):,} rows, {shape}"


def base_of(answer: str, revision: str | None) -> BaseModelRef:
    """The base model of an answer: a directory, or a hub id with its commit.

    Raises:
        ConfigError: it is neither, or the model is not whole, or the revision is not a commit.
    """
    if Path(answer).expanduser().is_dir() or not _HUB_ID.fullmatch(answer):
        base = BaseModelRef(path=tidy(answer))
        check_base_model(base)
        return base
    if revision is None:
        raise ConfigError(
            f"{answer!r} is no directory here, so it is read as a model of the hub, which needs a commit (--revision); "
            f"`git ls-remote https://huggingface.co/{answer} main` prints it"
        )
    base = BaseModelRef(hub_id=answer, revision=revision)
    if not re.fullmatch(r"[0-9a-f]{40}", revision) and cached_base_model(base) is None:
        _check_on_hub(base)
        raise ConfigError(f"revision {revision!r}: expected a commit of 40 hex digits; the hub cannot be asked for it")
    _check_on_hub(base)
    return base


def rows_of(answer: str, columns: Columns | None) -> FoundRows:
    """The rows at an address.

    Raises:
        DataError: they cannot be read; the message names file and line.
    """
    address = answer if "://" in answer else tidy(answer)
    try:
        (file,) = read_training_files(DataConfig(train=address, columns=columns), ())
    except PlimsollError as error:
        if "://" not in address or why_unreached(error) is None:
            raise
        return FoundRows(address, columns, None)
    return FoundRows(address, columns, file)


def policy_of(answer: str) -> tuple[str, Policy]:
    """The address of a policy, and the policy.

    Raises:
        ConfigError: there is no such policy, or it is wrong.
    """
    address = address_of(POLICIES, answer)
    if address == answer and "/" not in answer and not Path(answer).exists():
        raise ConfigError(f"policy {answer!r}: expected {', '.join(shipped_names(POLICIES))}, or a file")
    return address, load_policy(readable(address))


def suites_of(answers: Sequence[str], policy: Policy) -> tuple[str, ...]:
    """The addresses of suites that fit a policy.

    Raises:
        ConfigError: there is no such suite, or suites and policy do not fit together.
    """
    addresses = tuple(address_of(SUITES, answer) for answer in answers)
    suites = load_suites([readable(address) for address in addresses])
    if missing := sorted(policy.categories.keys() - _categories(suites)):
        raise ConfigError(
            f"policy {policy.name} has a rule for {', '.join(missing)}, which no suite of {', '.join(answers)} asks; "
            f"add one that does, such as {', '.join(fitting_suites(policy)) or 'one of your own'}"
        )
    if unruled := sorted(_categories(suites) - {*policy.categories, *policy.ungated}):
        raise ConfigError(
            f"policy {policy.name} has no rule for {', '.join(unruled)}; leave the suite out, or choose a policy that "
            "names these categories"
        )
    return addresses


def fitting_suites(policy: Policy) -> list[str]:
    """The shipped suites that fit a policy and need no judge that is a model; those that its rules need come first."""
    known, readable_by_rules = {*policy.categories, *policy.ungated}, rule_panel().readable
    needed: list[str] = []
    further: list[str] = []
    for name in shipped_names(SUITES):
        (suite,) = load_suites([str(shipped_folder() / SUITES / f"{name}.yaml")])
        categories = _categories([suite])
        if categories <= known and all(prompt.expectation in readable_by_rules for prompt in suite.prompts):
            (needed if categories & policy.categories.keys() else further).append(name)
    return [*needed, *further]


def needed_suites(policy: Policy) -> list[str]:
    """The shipped suites without which a policy has rules that nothing is measured for; empty if none fit."""
    return [
        name
        for name in fitting_suites(policy)
        if _categories(load_suites([str(shipped_folder() / SUITES / f"{name}.yaml")])) & policy.categories.keys()
    ]


def pipeline_name(answer: str) -> str:
    """A name for a pipeline.

    Raises:
        ConfigError: pods could not have it as a label.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", answer):
        raise ConfigError(f"name {answer!r}: expected lower-case letters, digits and hyphens")
    return _or_config_error("name", answer, check_pipeline_name)


def model_name(answer: str) -> str:
    """A name for a registered model.

    Raises:
        ConfigError: MLflow would refuse it.
    """
    return _or_config_error("model name", answer, check_model_name)


def tracking_uri(answer: str) -> str:
    """The address of an MLflow store.

    Raises:
        ConfigError: it is of another kind.
    """
    try:
        return TrackingConfig(uri=answer).uri
    except ValueError:
        raise ConfigError(
            f"MLflow store {answer!r}: expected sqlite:///PATH, postgresql://... or http(s)://..., without a password"
        ) from None


def longest_row(base: BaseModelRef, rows: FoundRows) -> int:
    """The tokens of the longest row, rounded up; estimated where the tokenizer is not on this machine.

    Args:
        base: the base model.
        rows: the task's rows.
    """
    if rows.file is None:
        return 1024
    lengths = [sum(len(turn.content) for turn in chat.messages) for chat in rows.file.chats]
    longest = sorted(range(len(lengths)), key=lengths.__getitem__)[-_LONGEST_ROWS:]
    directory = cached_base_model(base)
    if directory is None or not can_read_templates():
        tokens = lengths[longest[-1]] // 3 + 32  # English text has about four characters per token
    else:
        from components.shared.generation.chat_template import ChatTemplate, TemplateSettings
        from components.shared.generation.model_loading import load_tokenizer

        settings = TemplateSettings(system_turns="fold")
        template = ChatTemplate(load_tokenizer(directory), settings)
        counted = (len(template.tokens(rows.file.chats[place].messages, answering=False)) for place in longest)
        tokens = max(counted) + 8  # a template may close a thought before the answer
    return max(_ROUNDED_TO, -(-tokens // _ROUNDED_TO) * _ROUNDED_TO)


def answer_length(base: BaseModelRef) -> int:
    """The length limit of an answer: 512 tokens, or a quarter of a short context."""
    directory = cached_base_model(base)
    if directory is None:
        return 512
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    context = config.get("max_position_embeddings") or config.get("text_config", {}).get("max_position_embeddings")
    return min(512, int(context) // 4) if context else 512


def tidy(path: str) -> str:
    """A local path as a config has it: relative if it lies below the current directory."""
    absolute = Path(path).expanduser().absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)


def _check_on_hub(base: BaseModelRef) -> None:
    try:
        check_base_model(base)
    except ConfigError as error:
        if why_hub_unreached(error, base) is None:
            raise


def _categories(suites: Sequence[Suite]) -> set[str]:
    return {category for suite in suites for category in suite.categories}


def _or_config_error(what: str, answer: str, check: Callable[[str], str]) -> str:
    try:
        return check(answer)
    except ValueError as error:
        raise ConfigError(f"{what} {answer!r}: {error}") from None
