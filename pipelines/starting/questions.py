"""Asks for what `plimsoll init` was not told, until each answer can be used; without a terminal it takes defaults."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import typer

from components.shared.config.base_model import BaseModelRef
from components.shared.config.policy import Policy
from components.shared.config.sections import Columns
from components.shared.errors import ConfigError, DataError, PlimsollError
from pipelines.printing import echo, print_line
from pipelines.starting import checked_answers as check
from pipelines.starting.first_config import FirstConfig
from pipelines.starting.shipped import POLICIES, shipped_names

_Value = TypeVar("_Value")


class Told(NamedTuple):
    """What the flags said; None: not said."""

    base: str | None
    revision: str | None
    data: str | None
    columns: Columns | None
    policy: str | None
    suites: tuple[str, ...]
    name: str | None
    model_name: str | None
    tracking: str | None
    store: str | None


class Interview:
    """Asks questions on a terminal, or takes what was told and the defaults.

    Args:
        told: what the flags said.
        asks: whether a person can be asked.
    """

    def __init__(self, told: Told, asks: bool) -> None:
        self._told, self._asks = told, asks

    def config(self, file: Path) -> FirstConfig:
        """The config that the answers give.

        Args:
            file: where it will be written; its name is the default for the pipeline's.

        Raises:
            ConfigError, DataError: an answer that was told cannot be used, or one is missing and nobody can be asked.
        """
        told = self._told
        base = self._base()
        rows = self._rows()
        print_line(f"  {rows.address}: {rows.sentence}")
        policy_address, policy = self._policy()
        suites = self._suites(policy)
        name = self._value("--name", "name of the pipeline", told.name, _slug(file.stem), check.pipeline_name)
        registered = self._value("--model-name", "registered model", told.model_name, name, check.model_name)
        uri = "sqlite:///.plimsoll/mlflow.db"
        tracking = self._value("--tracking", "MLflow store", told.tracking, uri, check.tracking_uri)
        store = self._value("--store", "store of answers and adapters", told.store, ".plimsoll/store", str)
        return FirstConfig(
            file=str(file),
            name=name,
            base=base,
            data=rows.address,
            columns=rows.columns,
            found=rows.sentence,
            heldout_rows=_heldout(rows, policy),
            max_length=check.longest_row(base, rows),
            max_new_tokens=check.answer_length(base),
            policy=policy_address,
            suites=suites,
            model_name=registered,
            tracking=tracking,
            store=store,
        )

    def _base(self) -> BaseModelRef:
        revision = self._told.revision

        def understand(answer: str) -> BaseModelRef:
            if revision is None and self._asks and "/" in answer and not Path(answer).expanduser().exists():
                return check.base_of(answer, self._ask("commit of the model (40 hex digits), or main to look it up"))
            return check.base_of(answer, revision)

        return self._value("--base", "base model (a directory, or a hub id)", self._told.base, None, understand)

    def _rows(self) -> check.FoundRows:
        def understand(answer: str) -> check.FoundRows:
            try:
                return check.rows_of(answer, self._told.columns)
            except DataError as error:
                if self._told.columns is not None or not self._asks or "data.columns" not in str(error):
                    raise
                echo(f"  {error}")
            prompt, completion = self._ask("column of the user's text"), self._ask("column of the answer")
            return check.rows_of(answer, Columns(prompt=prompt, completion=completion))

        return self._value("--data", "training rows (a file or folder, or s3://)", self._told.data, None, understand)

    def _policy(self) -> tuple[str, Policy]:
        question = f"policy ({', '.join(shipped_names(POLICIES))}, or a file)"
        return self._value("--policy", question, self._told.policy, "standard", check.policy_of)

    def _suites(self, policy: Policy) -> tuple[str, ...]:
        fitting = check.fitting_suites(policy)
        default = " ".join(check.needed_suites(policy)) or None
        question = f"suites, with spaces between them ({', '.join(fitting) or 'files of your own'})"
        told = " ".join(self._told.suites) or None
        return self._value(
            "--suite", question, told, default, lambda answer: check.suites_of(answer.replace(",", " ").split(), policy)
        )

    def _value(
        self, flag: str, question: str, told: str | None, default: str | None, understand: Callable[[str], _Value]
    ) -> _Value:
        """The value of what was told; else of what a person answers, asked again with the reason; else the default."""
        if told is not None:
            return understand(told)
        if not self._asks:
            if default is None:
                raise ConfigError(f"{flag} is missing, and there is no terminal to ask on: {question}")
            return understand(default)
        while True:
            try:
                return understand(self._ask(question, default))
            except (PlimsollError, ValueError) as error:
                echo(f"  that cannot be used: {error}")

    def _ask(self, question: str, default: str | None = None) -> str:
        return str(typer.prompt(question, default=default)).strip()


def _slug(stem: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40].strip("-") or "my-pipeline"


def _heldout(rows: check.FoundRows, policy: Policy) -> int:
    """A tenth of the different prompts, at most 100; none of fewer than 20, unless the policy needs some."""
    count = len({hash(chat.user_texts) for chat in rows.file.chats}) if rows.file is not None else 1000
    if count < 20 and policy.task_min_gain_pp is None:
        return 0
    return max(1, min(100, count // 10))
