"""Runs the pipeline's steps in this process, through their components, on files in a scratch folder.

The MLflow store is the process's own, the audit log the calibration's, and both are thrown away: no trace is left in
the user's. What the steps print goes to a log file in the scratch folder.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.shared.artifacts.training_data import AdapterManifest
from components.shared.audit import record
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import Policy
from components.shared.config.run_context import RunContext
from components.shared.config.sections import DataConfig, PipelineConfig, TrackingConfig
from components.shared.config.sqlite_addresses import sqlite_address

if TYPE_CHECKING:
    from kfp.dsl import Artifact


class Prepared(NamedTuple):
    """What prepare_data wrote."""

    data: Path
    prompts: Path
    data_digest: str


class GateRun(NamedTuple):
    """Where the steps that one mutant went through left their artifacts."""

    post: Path
    delta: Path
    follow_up: Path
    decision: Path


class Bench(NamedTuple):
    """What the steps of one process run with.

    Attributes:
        config: the pipeline config, with absolute paths.
        policy: the rules.
        folder: scratch folder, shared by all processes.
        tracking: MLflow store of this process and audit log of all, thrown away at the end.
        store: address of this process's store for mutants; not the config's.
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
        """Runs finetune_lora with the config's recipe; takes a finished adapter from the config's store.

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
                evaluation=self.config.evaluation.model_dump_json(),
                recipe=self.config.recipe.model_dump_json(),
                policy=self.policy.model_dump_json(),
                store=self.config.store,
                store_key_env=self.config.store_key_env or "",
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
                store_key_env=self.config.store_key_env or "",
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
                store_key_env=self.config.store_key_env or "",
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
                store_key_env=self.config.store_key_env or "",
                policy=policy,
                registry=self.config.registry.model_dump_json(),
                **run,
            )
        return GateRun(post, delta, again, decided)

    def record_mutant(self, manifest: AdapterManifest) -> None:
        """Writes a mutant into the calibration's audit log, as training does; the gate takes no other adapter."""
        context = RunContext(self.tracking, self.config.name, self._run()["pipeline_run"])
        facts = {"manifest_digest": manifest.digest, "adapter_digest": manifest.adapter_digest}
        record(context, "trained", "Made by a calibration from trained adapters.", facts)

    def forget(self) -> None:
        """Removes a mutant's answers from the process's store, and MLflow's artifacts; readings of the base stay."""
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
        """Sends what the steps print to a log file."""
        log = self.folder / f"steps-{os.getpid()}.log"
        with (
            log.open("a", encoding="utf-8") as stream,
            contextlib.redirect_stdout(stream),
            contextlib.redirect_stderr(stream),
        ):
            yield


def open_bench(config: PipelineConfig, policy: Policy, folder: Path) -> Bench:
    """This process's bench; its MLflow store is a copy of the scratch folder's `mlflow.db`, if there is one.

    All processes share one audit log: the gate takes only evidence that its steps wrote there, and the baseline is
    made in one process for all.

    Args:
        config: the pipeline config, with absolute paths.
        policy: the rules.
        folder: scratch folder, shared by all processes.
    """
    process_folder = folder / f"process-{os.getpid()}"
    database = process_folder / "tracking" / "mlflow.db"
    if not database.exists():
        database.parent.mkdir(parents=True)
        if (folder / "mlflow.db").exists():
            shutil.copyfile(folder / "mlflow.db", database)
    tracking = TrackingConfig(
        uri=sqlite_address(database),
        experiment="calibration",
        audit_log=str(folder / "audit.jsonl"),
    )
    return Bench(config, policy, folder, tracking, str(process_folder / "store"))


def _at(path: Path) -> "Artifact":
    """The artifact at a local path, as a component takes it."""
    from kfp.dsl import Artifact

    return Artifact(uri=str(path))
