"""Trains the adapter, and records the digests of base, data, recipe and policy in its manifest.

An adapter made from equal inputs is taken from the store, so a scheduled run trains again only after a change, and
repeating a run cannot be used to get a luckier adapter. For the same reason an interrupted training continues from its
last checkpoint.
"""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from components.finetune_lora.checkpoints import Checkpoints
from components.finetune_lora.training import train_adapter
from components.shared.artifacts.training_data import AdapterManifest, TrainingData
from components.shared.audit import AuditEntry, record
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import Policy
from components.shared.config.run_context import RunContext
from components.shared.config.sections import CheckpointConfig, Recipe
from components.shared.data.chats import Chat, ChatReader
from components.shared.digests import digest_file, digest_json, short
from components.shared.errors import IntegrityError
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import (
    base_digest,
    locate_base_model,
    tokenizer_digest,
)
from components.shared.generation.chat_template import TemplateSettings
from components.shared.jsonl import parse_objects
from components.shared.store import ADAPTER_KIND, Store
from components.shared.tracking.runs import Tracker
from components.shared.tracking.stage_run import StageRun

STAGE = "finetune_lora"
_LIBRARIES = ("torch", "transformers", "peft", "trl")


def finetune_lora(
    data_dir: Path,
    data_digest: str,
    base_model: BaseModelRef,
    evaluation: EvaluationConfig,
    recipe: Recipe,
    policy: Policy,
    store: Store,
    reuse: bool,
    checkpoints: CheckpointConfig,
    adapter_dir: Path,
    context: RunContext,
) -> AdapterManifest:
    """Writes adapter_model.safetensors, adapter_config.json and manifest.json.

    Args:
        data_dir: directory of the training data that prepare_data wrote.
        data_digest: digest of the training rows of this run.
        base_model: the aligned model.
        evaluation: how the model will be asked; training uses the same system prompt, thinking and date.
        recipe: hyper-parameters.
        policy: its digest is recorded before training.
        store: keeps finished adapters.
        reuse: whether an adapter may be taken from the store; if not, checkpoints of other runs are not used either.
        checkpoints: how often a checkpoint is kept, and where.
        adapter_dir: receives the three files.
        context: the pipeline run.

    Raises:
        IntegrityError: the rows are not those of this run, or a stored adapter was changed.
        DataError, ModelError: see `train_adapter`.
        StorageError: the store cannot be used.
    """
    with Tracker(context).stage(STAGE) as stage:
        data = TrainingData.load(data_dir / "training_data.json")
        rows_path = data_dir / "train.jsonl"
        if not digest_file(rows_path) == data.train_sha256 == data_digest:
            raise IntegrityError(f"{rows_path}: is not the training data {short(data_digest)} of this run")
        base = locate_base_model(base_model)
        software = {name: version(name).partition("+")[0] for name in _LIBRARIES}
        asked = TemplateSettings.of(evaluation).recorded(evaluation.system_prompt)
        inputs = {
            "training_data": data.train_sha256,
            "base": base_digest(base),
            "tokenizer": tokenizer_digest(base),
            "asking": digest_json([asked, data.system_turns]),
            "recipe": digest_json(recipe.model_dump(mode="json")),
            "policy": policy.digest,
        }
        key = digest_json([inputs, software])
        stage.params({**recipe.model_dump(), **{f"{name}_digest": value for name, value in inputs.items()}})
        if reuse and store.fetch(ADAPTER_KIND, key, adapter_dir):
            manifest = _checked(adapter_dir, inputs)
            stage.say(f"reusing adapter {short(manifest.adapter_digest)} (same base, data, recipe and policy)")
            stage.tags({"plimsoll.reused": "true"})
            why = "Taken from the store: everything that it is made from is equal."
        else:
            length = f"{recipe.max_steps} steps" if recipe.max_steps else f"{recipe.epochs:g} epochs"
            stage.say(f"training on {data.train_rows} rows, {length}, seed {recipe.seed}")
            kept = Checkpoints(
                store.at(checkpoints.store) if checkpoints.store is not None else store,
                key if reuse else digest_json([key, context.pipeline_run]),
                checkpoints.every_minutes,
                stage.say,
            )
            trained = train_adapter(
                base,
                base_model.name,
                _read_chats(rows_path),
                data.train_rows,
                recipe,
                adapter_dir,
                stage.say,
                kept,
                evaluation,
                data.system_turns,
            )
            manifest = AdapterManifest(
                base_name=base_model.name,
                base_digest=inputs["base"],
                data_digest=data.train_sha256,
                recipe=recipe,
                policy_digest=policy.digest,
                adapter_digest=adapter_digest(adapter_dir),
                software=software,
                trainable_parameters=trained.trainable_parameters,
                steps=trained.steps,
                train_loss=trained.train_loss,
                learnt=trained.learnt,
                inputs=inputs,
            )
            manifest.save(adapter_dir / "manifest.json")
            stage.curves({"train/loss": trained.loss_curve})
            store.put(ADAPTER_KIND, key, adapter_dir)
            kept.drop()
            why = f"{trained.steps} steps on the accepted rows; the policy was fixed before."
            if trained.resumed_at:
                stage.tags({"plimsoll.resumed_at_step": str(trained.resumed_at)})
                why += f" The last attempt continued after step {trained.resumed_at}."
        _track(stage, manifest, adapter_dir)
        stage.tags(_audit(context, manifest, why).tags)
    return manifest


def _read_chats(path: Path) -> Iterator[Chat]:
    """The training rows, one after another."""
    with path.open("rb") as lines:
        yield from ChatReader("chat").read(parse_objects(lines, str(path)), str(path))


def _checked(adapter_dir: Path, inputs: dict[str, str]) -> AdapterManifest:
    manifest = AdapterManifest.load(adapter_dir / "manifest.json")
    if manifest.inputs != inputs or adapter_digest(adapter_dir) != manifest.adapter_digest:
        raise IntegrityError(f"{adapter_dir}: the stored adapter is not the one that its manifest describes")
    return manifest


def _audit(context: RunContext, manifest: AdapterManifest, why: str) -> AuditEntry:
    facts = {
        "manifest_digest": manifest.digest,
        "adapter_digest": manifest.adapter_digest,
        "base_digest": manifest.base_digest,
        "data_digest": manifest.data_digest,
        "recipe_digest": manifest.recipe_digest,
        "policy_digest": manifest.policy_digest,
        "base_model": manifest.base_name,
    }
    return record(context, "trained", why, facts)


def _track(stage: StageRun, manifest: AdapterManifest, adapter_dir: Path) -> None:
    stage.metrics(
        {
            "train/final_mean_loss": manifest.train_loss,
            "train/steps": manifest.steps,
            "train/trainable_parameters": manifest.trainable_parameters,
        }
    )
    stage.params({"adapter_digest": manifest.adapter_digest})
    if manifest.learnt is not None:
        stage.params({"learnt_by": manifest.learnt.method})
        stage.metrics({"train/learnt_token_share": manifest.learnt.share, "train/rows": manifest.learnt.rows})
        stage.text(f"{manifest.learnt.example}\n", "learnt_row.txt")
    stage.file(adapter_dir / "manifest.json")
    stage.say(
        f"adapter {short(manifest.adapter_digest)}: {manifest.trainable_parameters:,} parameters, "
        f"{manifest.steps} steps, mean loss {manifest.train_loss:.3f}"
    )
