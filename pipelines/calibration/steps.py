"""Runs the pipeline's own steps on files of a scratch folder, in this process, through their components.

What is tracked goes to a throw-away MLflow store and audit log of the process: a calibration leaves no trace in the
user's. What the steps print goes to a log file there. This module does not know what a mutant is.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import Policy
from components.shared.config.sections import DataConfig, PipelineConfig, TrackingConfig


class Prepared(NamedTuple):
    """What prepare_data wrote."""

    data: Path
    prompts: Path
    data_digest: str


class GateRun(NamedTuple):
    """What one mutant's way through the graph left behind."""

    post: Path
    delta: Path
    follow_up: Path
    decision: Path


class Bench(NamedTuple):
    """Where steps run, and on what.

    Attributes:
        config: with absolute paths.
        policy: the rules.
        folder: scratch, shared by all processes.
        tracking: a throw-away store of this process.
        store: address of the store that this process's mutants use; not the config's.
    """

    config: PipelineConfig
    policy: Policy
    folder: Path
    tracking: TrackingConfig
    store: str

    def prepare(self, data: DataConfig, target: Path) -> Prepared:
        """Runs prepare_data.

        Raises:
            ConfigError, DataError: see the step.
        """
        from components.prepare_data.component import prepare_data

        with self._quiet():
            digest = prepare_data.python_func(
                training_data=_at(target / "data"),
                prompt_set=_at(target / "prompts"),
                data=data.model_dump_json(),
                suites=json.dumps(self.config.suites),
                **self._run(),
            )
        return Prepared(target / "data", target / "prompts", digest)

    def train(self, prepared: Prepared, target: Path) -> Path:
        """Runs finetune_lora with the config's recipe; reuses an adapter of the config's store where there is one.

        Raises:
            ModelError, DataError: see the step.
        """
        from components.finetune_lora.component import finetune_lora

        with self._quiet():
            finetune_lora.python_func(
                training_data=_at(prepared.data),
                adapter=_at(target),
                data_digest=prepared.data_digest,
                base_model=self.config.base_model.model_dump_json(),
                recipe=self.config.recipe.model_dump_json(),
                policy=self.policy.model_dump_json(),
                store=self.config.store,
                reuse=self.config.reuse,
                checkpoints=self.config.checkpoints.model_dump_json(),
                **self._run(),
            )
        return target

    def evaluate(
        self, prompts: Path, adapter: Path | None, evaluation: EvaluationConfig, store: str, target: Path
    ) -> Path:
        """Runs evaluate_safety on the base, or on an adapter.

        Raises:
            ModelError: see the step.
        """
        from components.evaluate_safety.component import evaluate_safety

        with self._quiet():
            evaluate_safety.python_func(
                prompt_set=_at(prompts),
                safety_report=_at(target),
                side="baseline" if adapter is None else "post",
                adapter=None if adapter is None else _at(adapter),
                evaluation=evaluation.model_dump_json(),
                store=store,
                reuse=True,
                base_model=self.config.base_model.model_dump_json(),
                **self._run(),
            )
        return target

    def gate(
        self, prepared: Prepared, adapter: Path, baseline: Path, evaluation: EvaluationConfig, target: Path
    ) -> GateRun:
        """Runs evaluate_safety, compute_delta, follow_up and check_gate on an adapter.

        Raises:
            ModelError, IntegrityError: see the steps.
        """
        from components.check_gate.component import check_gate
        from components.compute_delta.component import compute_delta
        from components.follow_up.component import follow_up

        post = self.evaluate(prepared.prompts, adapter, evaluation, self.store, target / "post")
        delta, again, decided = target / "delta", target / "follow_up", target / "decision"
        policy, run = self.policy.model_dump_json(), self._run()
        with self._quiet():
            compute_delta.python_func(
                baseline=_at(baseline),
                post=_at(post),
                prompt_set=_at(prepared.prompts),
                delta=_at(delta),
                base_model=self.config.base_model.model_dump_json(),
                policy=policy,
                **run,
            )
            key = follow_up.python_func(
                delta=_at(delta),
                post=_at(post),
                prompt_set=_at(prepared.prompts),
                adapter=_at(adapter),
                follow_up_report=_at(again),
                base_model=self.config.base_model.model_dump_json(),
                evaluation=evaluation.model_dump_json(),
                policy=policy,
                store=self.store,
                reuse=True,
                **run,
            )
            check_gate.python_func(
                training_data=_at(prepared.data),
                prompt_set=_at(prepared.prompts),
                adapter=_at(adapter),
                baseline=_at(baseline),
                post=_at(post),
                delta=_at(delta),
                gate_decision=_at(decided),
                passed_adapter=_at(target / "passed"),
                follow_up_key=key,
                store=self.store,
                policy=policy,
                **run,
            )
        return GateRun(post, delta, again, decided)

    def forget(self) -> None:
        """Removes what the steps left in the process's own store and MLflow artifacts; readings of the base stay."""
        for kind in ("answers", "fluency", "follow-ups"):
            shutil.rmtree(Path(self.store) / kind, ignore_errors=True)
        if (database := self.tracking.sqlite_file) is not None:
            shutil.rmtree(database.parent / "mlartifacts", ignore_errors=True)

    def _run(self) -> dict[str, str]:
        return {
            "tracking": self.tracking.model_dump_json(),
            "pipeline": self.config.name,
            "pipeline_run": f"calibration-{os.getpid()}",
        }

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Sends what is printed to a log file."""
        log = self.folder / f"steps-{os.getpid()}.log"
        with (
            log.open("a", encoding="utf-8") as stream,
            contextlib.redirect_stdout(stream),
            contextlib.redirect_stderr(stream),
        ):
            yield


def open_bench(config: PipelineConfig, policy: Policy, folder: Path) -> Bench:
    """A bench of this process below a scratch folder; an MLflow store is copied from `mlflow.db` there.

    Args:
        config: with absolute paths.
        policy: the rules.
        folder: scratch, shared by all processes.
    """
    own = folder / f"process-{os.getpid()}"
    database = own / "tracking" / "mlflow.db"
    if not database.exists():
        database.parent.mkdir(parents=True)
        if (folder / "mlflow.db").exists():
            shutil.copyfile(folder / "mlflow.db", database)
    tracking = TrackingConfig(
        uri=f"sqlite:///{database}", experiment="calibration", audit_log=str(own / "tracking" / "audit.jsonl")
    )
    return Bench(config, policy, folder, tracking, str(own / "store"))


def _at(path: Path) -> SimpleNamespace:
    """What a component takes for an artifact: something with a path."""
    return SimpleNamespace(path=str(path))
