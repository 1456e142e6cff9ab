"""The text of a first config: every value that a person should look at, with a comment that says why."""

import json
import re
from typing import NamedTuple

from components.shared.config.base_model import BaseModelRef
from components.shared.config.reading import load_text
from components.shared.config.sections import Columns, PipelineConfig

_PLAIN = re.compile(r"[A-Za-z./_][A-Za-z0-9./_@+-]*")
_READ_OTHERWISE = frozenset({"true", "false", "null", "~", "yes", "no", "on", "off"})


class FirstConfig(NamedTuple):
    """What `plimsoll init` has found out.

    Attributes:
        file: where the config will be.
        name: of the pipeline.
        base: the base model.
        data: the address of the task's rows.
        columns: of the rows, where they are not named as in a format.
        found: rows and their shape, in words.
        heldout_rows: rows for the task metric.
        max_length: tokens of the longest row, rounded up.
        max_new_tokens: length limit of an answer.
        policy: address.
        suites: addresses.
        model_name: the registered model.
        tracking: the MLflow store.
        store: address of the store.
    """

    file: str
    name: str
    base: BaseModelRef
    data: str
    columns: Columns | None
    found: str
    heldout_rows: int
    max_length: int
    max_new_tokens: int
    policy: str
    suites: tuple[str, ...]
    model_name: str
    tracking: str
    store: str

    def text(self) -> str:
        """The config as YAML, with comments."""
        return _TEXT.format(
            file=self.file,
            name=self.name,
            base=_base(self.base),
            data=quoted(self.data),
            columns="" if self.columns is None else f"\n  columns: {_mapping(self.columns)}",
            found=self.found,
            heldout_rows=self.heldout_rows,
            max_length=self.max_length,
            max_new_tokens=self.max_new_tokens,
            policy=quoted(self.policy),
            suites="".join(f"\n  - {quoted(suite)}" for suite in self.suites),
            model_name=quoted(self.model_name),
            tracking=quoted(self.tracking),
            audit_log=quoted(f"{self.store.rpartition('/')[0] or '.'}/audit{_audit_end(self.store)}"),
            experiment=quoted(self.name),
            store=quoted(self.store),
        )

    def config(self) -> PipelineConfig:
        """The config, read from its own text.

        Raises:
            ConfigError: an answer is not what a config may hold.
        """
        return load_text(self.text(), PipelineConfig, self.file)


def quoted(text: str) -> str:
    """A text as a YAML scalar: plain where every reader takes it as the same text, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _READ_OTHERWISE:
        return text
    return json.dumps(text, ensure_ascii=False)


def _base(base: BaseModelRef) -> str:
    if base.path is not None:
        return f"path: {quoted(base.path)}"
    return f"hub_id: {quoted(str(base.hub_id))}\n  revision: {quoted(str(base.revision))}"


def _mapping(columns: Columns) -> str:
    return "{" + ", ".join(f"{own}: {quoted(name)}" for own, name in columns.mapping.items()) + "}"


def _audit_end(store: str) -> str:
    return "" if "://" in store else ".jsonl"


_TEXT = """\
# Written by `plimsoll init`; change it as you like. Paths are relative to the folder in which commands run.
# Every field and its default:          plimsoll config schema
# What this machine lacks for it:       plimsoll doctor {file}
# Check it without running anything:    plimsoll config check {file}
# Run it:                               plimsoll run {file}
name: {name}

base_model: # the aligned model before fine-tuning
  {base}

data:
  train: {data} # {found}{columns}
  # Refusals and ordinary chats of your own, mixed in, keep the tuning from unlearning them; shares of the training set:
  # mix:
  #   - {{path: safety.jsonl, role: safety, share: 0.1}}
  #   - {{path: replay.jsonl, role: replay, share: 0.2}}
  heldout_rows: {heldout_rows} # not trained on; they show whether the task was learnt

suites: # what the model is asked before and after{suites}

evaluation:
  samples_per_prompt: 5 # answers per prompt; fewer are quicker and show less
  max_new_tokens: {max_new_tokens} # a longer answer is cut
  temperature: 0.7

recipe: # a common start for LoRA; nothing here was tuned for your data
  lora_rank: 16
  lora_alpha: 32
  learning_rate: 2e-4
  epochs: 1
  batch_size: 4 # rows per step; lower it if memory runs out, and raise gradient_accumulation
  gradient_accumulation: 4
  max_length: {max_length} # tokens of the longest row; a longer row is an error and is never cut
  gradient_checkpointing: true # slower, but needs much less memory

policy: {policy} # what decides; it is fixed before training

registry:
  model_name: {model_name} # where a promoted adapter goes, in MLflow

tracking:
  uri: {tracking}
  experiment: {experiment}
  audit_log: {audit_log}

store: {store} # answers and adapters, reused while their inputs are unchanged
"""
